"""Publishing a run: a new folder, flushed, hashed and listed in `run.json`, then one atomic switch of the pointer.

In: the output folder and what the body writes into its `RunFolder`. Out: `build/runs/<run id>/` behind `build/latest`,
or nothing at all. Whatever moment a kill, a full disk or a power cut chooses, `latest` leads to a whole run: files are
on the disk before the manifest that lists them, the manifest before the pointer, and no published name is written twice
(renaming over an open Parquet file breaks readers, who open it more than once).
"""

from __future__ import annotations

import contextlib
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from zhiji_etl import __version__
from zhiji_etl.outputs import disk
from zhiji_etl.outputs.disk import flush_file, flush_folder, write_whole, writing
from zhiji_etl.outputs.folder import RunFolder, json_text
from zhiji_etl.outputs.lock import locked
from zhiji_etl.outputs.published import LATEST, MANIFEST, RUNS, files_of, new_run_id, pointed, run_folders
from zhiji_etl.sources.hashes import file_sha256

FORMAT: Final = 1
"""Of `run.json`; `run.schema.json` describes it."""

GRACE: Final = timedelta(minutes=10)
"""How long a run stays after a newer one was published, whatever `keep` says: somebody may be reading it."""

REMOVED: Final = ".removed-"

PACKAGES: Final = ("polars", "pandera", "pint", "pyarrow")


@contextmanager
def publishing(build: Path, *, keep: int = 3, grace: timedelta = GRACE) -> Iterator[RunFolder]:
    """Hold the lock of `build`, give a new run to write into, and publish it when the body ends without an exception.

    The body's exception goes through unchanged; its folder is removed and the pointer stays. Afterwards the newest
    `keep` runs remain, and any that was superseded less than `grace` ago. Raises `OutputError`: `output_locked`,
    `output_unwritable`.
    """
    with locked(build):
        _remove_unfinished(build)
        started = datetime.now(UTC)
        run = _new_run(build)
        try:
            yield run
            _finish(run, started)
            _point(build, run)
        except BaseException:
            _abandon(build, run)
            raise
        _remove_old(build, keep, grace)


def refuse_unwritable(build: Path) -> None:
    """Raise `OutputError` `output_unwritable` where no run could be published: better before the work than after."""
    for folder in (build, build / RUNS):
        disk.refuse_unwritable(folder)


# ------------------------------------------------------------------------------------------------------ beginning


def _remove_unfinished(build: Path) -> None:
    """What killed runs left: folders without a manifest, and temporary names. The lock says that no run is alive."""
    unfinished = [folder for folder in run_folders(build) if not (folder / MANIFEST).is_file()]
    for folder in [*unfinished, *(build / RUNS).glob(f"{REMOVED}*")]:
        shutil.rmtree(folder, ignore_errors=True)
    for aside in build.glob(f".{LATEST}.*.tmp"):
        aside.unlink(missing_ok=True)


def _new_run(build: Path) -> RunFolder:
    path = build.resolve() / RUNS / new_run_id(build)
    with writing(path):
        path.parent.mkdir(exist_ok=True)
        path.mkdir()
    return RunFolder(path)


# --------------------------------------------------------------------------------------------------------- ending


def _finish(run: RunFolder, started: datetime) -> None:
    """Flush and hash every file, then write the manifest: with it the run is whole."""
    with writing(run.path):
        outputs = [_entry(run, path) for path in files_of(run.path)]
        manifest = {
            "format": FORMAT,
            "run_id": run.run_id,
            "started": started.isoformat(),
            "finished": datetime.now(UTC).isoformat(),
            "versions": _versions(),
            "settings": {},
            "inputs": [],
            "timings": {},
            "exit_status": 0,
            **run.manifest,
            "outputs": outputs,
        }
        for folder in [path for path in run.path.iterdir() if path.is_dir()]:
            flush_folder(folder)
        flush_folder(run.path)
        write_whole(run.path / MANIFEST, json_text(manifest).encode("utf-8"))
        flush_folder(run.path.parent)


def _entry(run: RunFolder, path: Path) -> dict[str, Any]:
    flush_file(path)
    name = path.relative_to(run.path).as_posix()
    rows = {"rows": run.rows[name]} if name in run.rows else {}
    return {"name": name, "bytes": path.stat().st_size, "sha256": file_sha256(path), **rows}


def _versions() -> dict[str, str]:
    found = {"zhiji_etl": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _point(build: Path, run: RunFolder) -> None:
    """Switch the pointer by renaming a new one over it; a rename is atomic, so there is no moment without a pointer."""
    target = f"{RUNS}/{run.run_id}"
    aside = build / f".{LATEST}.{run.run_id}.tmp"
    with writing(build / LATEST):
        try:
            aside.symlink_to(target, target_is_directory=True)
        except (NotImplementedError, OSError):
            write_whole(build / LATEST, f"{target}\n".encode())
        else:
            aside.replace(build / LATEST)
        flush_folder(build)


def _abandon(build: Path, run: RunFolder) -> None:
    """Remove a run that failed, unless the failure came after the switch: then it is published and whole."""
    if pointed(build) != run.path:
        shutil.rmtree(run.path, ignore_errors=True)


def _remove_old(build: Path, keep: int, grace: timedelta) -> None:
    """Remove runs beyond the newest `keep`, but none that a reader may just have resolved. The published one is newest.

    A run is superseded when the next one is finished; where the clock went back since, it stays.
    """
    folders = [folder for folder in run_folders(build) if (folder / MANIFEST).is_file()]
    beyond = max(len(folders) - max(keep, 1), 0)
    for folder, successor in list(pairwise(folders))[:beyond]:
        superseded = datetime.fromtimestamp((successor / MANIFEST).stat().st_mtime, UTC)
        if datetime.now(UTC) - superseded >= grace:
            _remove(folder)


def _remove(folder: Path) -> None:
    """Take the name away first: a run that is half removed must not look like a run."""
    aside = folder.with_name(f"{REMOVED}{folder.name}")
    with contextlib.suppress(OSError):
        folder.replace(aside)
        shutil.rmtree(aside, ignore_errors=True)
