"""Rows that an earlier run has read: a source is read again only where something changed that decides its rows.

In: the sources of a run and what else decides their rows. Out: the same rows, read or remembered. The folder holds two
files for each state of a source: what was found when it was checked, `KEY-SHA256.json`, and its rows,
`KEY-SHA256.parquet`. KEY is the sha256 of everything that decides the rows (the bytes
of the source and its sidecar, schemas, corrections, the library's own files, the versions of what it reads with), and
SHA256 that of the file itself. A file that does not have the sha256 of its name is never used. Exchange rates, checks
and rules are no part of it: they are applied after reading, in each run anew.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any, Final

import polars as pl

from zhiji_etl.catalogue import Catalogue
from zhiji_etl.corrections import Correction
from zhiji_etl.outputs.published import read_manifest, runs
from zhiji_etl.sources import Defect, Source, check_unchanged, ordinals
from zhiji_etl.sources.hashes import file_sha256
from zhiji_etl.sources.slices import Slice
from zhiji_etl.sources.structure import Structure
from zhiji_etl.stages import LOGGER

FOLDER: Final = "cache"
FORMAT: Final = 1
"""Of what is remembered: another number where the same key would stand for other rows."""

READERS: Final = (
    "polars",
    "pyarrow",
    "pydantic",
    "pydantic-core",
    "babel",
    "numpy",
    "fastexcel",
    "openpyxl",
    "selectolax",
)
"""Packages that take part in reading; which of them are installed, and in which version, is part of each key."""


def keys(
    sources: Sequence[Source], catalogue: Catalogue, amendments: Sequence[Correction], project: Mapping[str, Any]
) -> dict[str, str]:
    """The key of each source by name; `project` is what else a project says, as JSON can hold it."""
    common = [FORMAT, library_sha256(), _versions(), project, _declared(catalogue)]
    numbers = ordinals(sources)
    own = [
        [one.name, numbers[one.name], one.sha256, one.sidecar_sha256, _corrections(one.name, amendments)]
        for one in sources
    ]
    return {
        one.name: sha256(json.dumps([common, its]).encode()).hexdigest() for one, its in zip(sources, own, strict=True)
    }


class Cache:
    """What one run remembers and recalls in `build/cache`.

    `keys` are those of the rows of each source, which can be told once all sources are found; `recalled` names the
    sources whose rows are not read again. With `force` everything is read again, and remembered anew.
    """

    def __init__(self, build: Path, *, force: bool = False) -> None:
        self.folder = build / FOLDER
        self.force = force
        self.keys: Mapping[str, str] = {}
        self.structures: dict[str, str] = {}
        self.recalled: list[str] = []

    def structure(self, path: Path, sidecar: Path | None, check: Callable[[], Structure]) -> Structure:
        """What a raw file holds, as an earlier run has found, else from `check`, and kept for the next."""
        try:
            bytes_now = file_sha256(path)
            decisive = [FORMAT, library_sha256(), _versions(), path.name, bytes_now, sidecar and file_sha256(sidecar)]
        except OSError:
            return check()  # which says what is wrong
        key = self.structures[path.name] = sha256(json.dumps(decisive).encode()).hexdigest()
        content = self._kept(f"{key}-*.json")
        if content is not None:
            return _as_structure(content)
        found = check()
        if found.sha256 == bytes_now:
            self._keep(key, json.dumps(asdict(found)).encode(), "json")
        return found

    def rows(self, source: Source, read: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        """The rows of a source, from an earlier run where nothing changed, else from `read`, and kept for the next."""
        content = self._kept(f"{self.keys[source.name]}-*.parquet")
        if content is not None:
            self.recalled.append(source.name)
            return pl.read_parquet(io.BytesIO(content))
        rows = read()
        # What changed between hashing and reading would be kept under the key of other bytes.
        check_unchanged([source])
        stream = io.BytesIO()
        # Rows are recalled whole: nobody asks for statistics.
        rows.write_parquet(stream, compression="zstd", compression_level=1, statistics=False)
        self._keep(self.keys[source.name], stream.getvalue(), "parquet")
        return rows

    def entry(self, name: str) -> dict[str, Any]:
        """What the manifest tells of a source: its keys, and whether its rows are those of an earlier run."""
        keys = {"reading": self.keys[name], "structure": self.structures.get(name)}
        return {**keys, "recalled": name in self.recalled}

    def prune(self, build: Path) -> None:
        """Remove what no run that is still there was made of, nor this one."""
        wanted = {*self.keys.values(), *self.structures.values(), *_keys_of_runs(build)}
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                if path.name.partition("-")[0] not in wanted:
                    path.unlink()

    def _kept(self, pattern: str) -> bytes | None:
        """What was kept under a key, if it still has the sha256 of its name."""
        for path in self.folder.glob(pattern) if not self.force else ():
            with contextlib.suppress(OSError):
                content = path.read_bytes()
                if path.stem.partition("-")[2] == sha256(content).hexdigest():
                    return content
                LOGGER.warning("%s is damaged: its source is read again", path.name)
                path.unlink()
        return None

    def _keep(self, key: str, content: bytes, ending: str) -> None:
        """A disk that is full or read-only must not end a run for the sake of the next one's speed."""
        path = self.folder / f"{key}-{sha256(content).hexdigest()}.{ending}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            LOGGER.warning("%s cannot be kept for the next run: %s", path.name, error.strerror)
            with contextlib.suppress(OSError):
                path.unlink()


@cache
def library_sha256() -> str:
    """The sha256 of the library's own code and words: its version alone does not change while somebody works on it."""
    package = Path(__file__).parent
    digest = sha256()
    for path in sorted(path for path in package.rglob("*") if path.suffix in (".py", ".toml")):
        name = path.relative_to(package)
        if name.parts[0] != "_project":
            digest.update(f"{name.as_posix()}\0{sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


# -------------------------------------------------------------------------------------------------------- helpers


def _as_structure(content: bytes) -> Structure:
    told = json.loads(content)
    defects = tuple(Defect(**defect) for defect in told.pop("defects"))
    slices = tuple(Slice(*one) for one in told.pop("slices"))
    lists = {name: tuple(value) for name, value in told.items() if isinstance(value, list)}
    return Structure(**{**told, **lists, "defects": defects, "slices": slices})


@cache
def _versions() -> dict[str, str]:
    found = {"python": python_version()}
    for package in READERS:
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _declared(catalogue: Catalogue) -> list[Any]:
    """What reading is told by the schemas, whatever modules they import: their files alone do not show it."""
    return [list(catalogue.tables), sorted(catalogue.fiscal_year_ends.items()), catalogue.declarations.rows()]


def _corrections(name: str, amendments: Iterable[Correction]) -> list[str]:
    return [one.model_dump_json() for one in amendments if one.source.strip() == name]


def _keys_of_runs(build: Path) -> Iterable[str]:
    for run in runs(build):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            inputs = read_manifest(run.path)["inputs"]
            yield from [entry[name] for entry in inputs for name in ("reading", "structure")]
