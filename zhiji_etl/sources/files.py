"""The raw folder: which files are sources, what their sidecars say, and what their bytes are.

In: `raw/`. Out: `Source`s sorted by name, each checked from the first byte to the last and hashed. Nothing is read
into memory as a whole. Hidden files, office lock files (`~$...`) and `README*` are no sources; any other file that is
neither a source nor a sidecar is an error, because a forgotten file must not look like a read one.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from zhiji_etl.errors import ProjectError, SourceError, ZhijiError
from zhiji_etl.sources.forms import FORMS, Form
from zhiji_etl.sources.hashes import file_sha256
from zhiji_etl.sources.layouts import layout_structure
from zhiji_etl.sources.names import nearest, safe_terminal
from zhiji_etl.sources.sidecar import Sidecar, read_sidecar
from zhiji_etl.sources.slices import Slice
from zhiji_etl.sources.structure import Defect, Structure
from zhiji_etl.threads import TWO, in_threads

ORDINALS = 1 << 20
"""Ordinals are below this, so that a row_id stays below 2^52 and is exact even where a reader takes it for a float."""


T = TypeVar("T")
Recall = Callable[[Path, Path | None, Callable[[], Structure]], Structure]
"""Given a raw file, its sidecar, and what checks it: its structure, found or remembered."""


class Source(NamedTuple):
    """One raw file that has been checked: `columns` as in its header, `sha256` and `bytes` of the file as it lies.

    Of one with `slice` only that is read.
    """

    name: str
    path: Path
    sidecar: Sidecar
    sha256: str
    bytes: int
    columns: tuple[str, ...] = ()
    defects: tuple[Defect, ...] = ()
    warnings: tuple[str, ...] = ()
    sidecar_path: Path | None = None
    sidecar_sha256: str | None = None
    place: str = ""
    slices: tuple[Slice, ...] = ()
    slice: Slice | None = None

    @property
    def form(self) -> Form:
        """How files of this kind are read."""
        form = form_of(self.name)
        assert form is not None
        return form

    @property
    def parts(self) -> list[Source]:
        """The source in its slices, in order, each with the bytes that there are to be read."""
        return [self._replace(slices=(), slice=one, bytes=one.bytes) for one in self.slices] or [self]

    def entry(self) -> dict[str, object]:
        """What the manifest tells of this input."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "bytes": self.bytes,
            "sidecar_sha256": self.sidecar_sha256,
            "warnings": list(self.warnings),
        }


def find_sources(raw: Path, recall: Recall | None = None) -> list[Source]:
    """All sources of a raw folder, sorted by name, each checked and hashed.

    `recall` may give the structure of a file without calling the function that checks it, which it is handed.
    Raises `SourceError` (`raw_empty`, `source_type`, `source_name`, `source_outside`, `source_unreadable`, and those
    of the form: `csv_structure` lists them) or `ProjectError` (`sidecar_invalid`, `sidecar_orphan`,
    `sidecar_ambiguous`). Where several files are broken, one error of the first one's kind and code tells of all.
    """
    files = _files(raw)
    data = [path for path in files if form_of(path.name)]
    sidecars = _assigned_sidecars(data, [path for path in files if path.suffix == ".toml"])
    if not data:
        raise _empty(raw, "holds no raw file")
    return _gathered(data, lambda path: _source(path, sidecars.get(path), recall))


def form_of(name: str) -> Form | None:
    """The form that a file name tells by its ending, in small or capital letters; None where none is known."""
    return next((form for ending, form in FORMS.items() if name.lower().endswith(ending)), None)


def ordinals(sources: Iterable[Source]) -> dict[str, int]:
    """The ordinal of each source by name: 20 bits of the name's sha256, so that ids stay when other files come and go.

    Two names that share these bits are settled in the order of the names: the later one takes the next free number.
    """
    taken: dict[int, str] = {}
    for name in sorted(source.name for source in sources):
        ordinal = int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:4]) % ORDINALS
        while ordinal in taken:
            ordinal = (ordinal + 1) % ORDINALS
        taken[ordinal] = name
    return {name: ordinal for ordinal, name in taken.items()}


def check_unchanged(sources: Sequence[Source]) -> None:
    """Hash every source and sidecar again; `SourceError` `source_changed` names those that are not what was read."""
    changed = [source.name for source in sources if not _is_unchanged(source)]
    if changed:
        names = ", ".join(safe_terminal(name) for name in changed)
        raise SourceError("source_changed", f"Changed while the run read it: {names}.", hint="Run again.")


# -------------------------------------------------------------------------------------------------------- folder


def _files(raw: Path) -> list[Path]:
    """Every file of the folder that is a source or a sidecar; all others are told at once."""
    if not raw.is_dir():
        raise _empty(raw, "is no folder")
    paths = sorted((path for path in raw.iterdir() if not _is_aside(path.name)), key=lambda path: path.name)
    unknown = [path for path in paths if path.suffix != ".toml" and not form_of(path.name)]
    if unknown:
        names = ", ".join(safe_terminal(path.name) for path in unknown)
        known = ", ".join(FORMS)
        raise SourceError(
            "source_type",
            f"{safe_terminal(raw.name)}/ holds what cannot be read: {names}.",
            hint=f"Raw files end in {known}, sidecars in .toml. Keep other files elsewhere.",
        )
    return _gathered(paths, lambda path: _inside(path, raw))


def _is_aside(name: str) -> bool:
    return name.startswith((".", "~$")) or name.upper().startswith("README")


def _inside(path: Path, raw: Path) -> Path:
    """Refuse what is no plain file within the project: a link may point at anything this machine holds."""
    if not path.name.isprintable():
        what = f"The name of {safe_terminal(path.name)} holds characters that cannot be printed."
        raise SourceError("source_name", what, hint="Rename the file.")
    project = raw.absolute().parent.resolve()
    try:
        resolved = path.resolve(strict=True)
        plain = stat.S_ISREG(resolved.stat().st_mode)
    except (OSError, RuntimeError):  # a link that leads nowhere, or round in a circle
        resolved, plain = path.absolute(), False
    if plain and not resolved.is_relative_to(project):
        what = f"{safe_terminal(path.name)} is a link that leads out of the project."
        raise SourceError("source_outside", what, hint="Copy the file into the raw folder.")
    if not plain:
        what = f"{safe_terminal(path.name)} is no plain file."
        raise SourceError("source_unreadable", what, hint="The raw folder holds plain files only, no folders.")
    return path


def _empty(raw: Path, what: str) -> SourceError:
    return SourceError(
        "raw_empty",
        f"{safe_terminal(str(raw))} {what}.",
        hint="Put a CSV file there with the columns entity,metric,period,printed.",
    )


# ------------------------------------------------------------------------------------------------------- sidecars


def _assigned_sidecars(data: list[Path], sidecars: list[Path]) -> dict[Path, Path]:
    """The sidecar of each data file: `NAME.csv.toml`, else `NAME.toml`."""
    return dict(_gathered(sidecars, lambda sidecar: (_owner(sidecar, data), sidecar)))


def _owner(sidecar: Path, data: list[Path]) -> Path:
    exact = [path for path in data if path.name == sidecar.stem]
    owners = exact or [path for path in data if _stem(path.name) == sidecar.stem]
    if not owners:
        near = nearest(sidecar.stem, [_stem(path.name) for path in data])
        hint = f"Rename it to {safe_terminal(near)}.toml?" if near else "It has the name of its raw file, as a.toml."
        raise ProjectError("sidecar_orphan", f"{safe_terminal(sidecar.name)} has no raw file.", hint=hint)
    if len(owners) > 1:
        names = ", ".join(safe_terminal(path.name) for path in owners)
        hint = f"Name it after one file: {safe_terminal(owners[0].name)}.toml."
        raise ProjectError("sidecar_ambiguous", f"{safe_terminal(sidecar.name)} could belong to {names}.", hint=hint)
    return owners[0]


def _stem(name: str) -> str:
    ending = next(ending for ending in FORMS if name.lower().endswith(ending))
    return name[: -len(ending)]


# ------------------------------------------------------------------------------------------------------- sources


def _source(path: Path, sidecar_path: Path | None, recall: Recall | None) -> Source:
    sidecar = read_sidecar(sidecar_path) if sidecar_path else Sidecar()
    form = form_of(path.name)
    assert form is not None
    _refuse_useless_keys(path, sidecar, form)
    check = partial(_structure, path, sidecar, form)
    structure = check() if recall is None else recall(path, sidecar_path, check)
    return Source(
        name=path.name,
        path=path,
        sidecar=sidecar,
        sha256=structure.sha256,
        bytes=structure.bytes,
        columns=structure.columns,
        defects=structure.defects,
        warnings=structure.warnings,
        sidecar_path=sidecar_path,
        sidecar_sha256=file_sha256(sidecar_path) if sidecar_path else None,
        place=structure.place,
        slices=structure.slices,
    )


def _refuse_useless_keys(path: Path, sidecar: Sidecar, form: Form) -> None:
    """Refuse a key that this kind of file has no use for: nobody would see that it does nothing."""
    told = [sidecar, *(sidecar.layout or [])]
    for key in dict.fromkeys(key for one in FORMS.values() for key in one.keys if key not in form.keys):
        if any(getattr(part, key, None) is not None for part in told):
            endings = [ending for ending, one in FORMS.items() if key in one.keys]
            what = f"The sidecar of {safe_terminal(path.name)} says {key}, which only {', '.join(endings)} files have."
            raise ProjectError("sidecar_invalid", what, hint="Leave the key out, or write it where it belongs.")


def _structure(path: Path, sidecar: Sidecar, form: Form) -> Structure:
    try:
        return layout_structure(path, sidecar, form) if sidecar.layout else form.structure(path, sidecar)
    except OSError as error:
        what = f"{safe_terminal(path.name)} cannot be read ({error.strerror or error})."
        raise SourceError("source_unreadable", what, hint="Check the file and its permissions.") from None


def _is_unchanged(source: Source) -> bool:
    try:
        same = file_sha256(source.path) == source.sha256
        return same and (source.sidecar_path is None or file_sha256(source.sidecar_path) == source.sidecar_sha256)
    except OSError:
        return False


def _gathered(items: Iterable[Path], action: Callable[[Path], T]) -> list[T]:
    """Do all before telling of what failed, so that a person mends everything in one go."""

    def attempted(item: Path) -> T | ZhijiError:
        """What is done, or what is wrong."""
        try:
            return action(item)
        except (SourceError, ProjectError) as error:
            return error

    outcomes = in_threads(attempted, items, threads=TWO)
    errors = [outcome for outcome in outcomes if isinstance(outcome, ZhijiError)]
    if not errors:
        return [outcome for outcome in outcomes if not isinstance(outcome, ZhijiError)]
    if len(errors) == 1:
        raise errors[0]
    raise type(errors[0])(errors[0].code, "\n".join(error.message for error in errors), hint=errors[0].hint)
