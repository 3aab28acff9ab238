"""Published runs: where the newest one lies, which are kept, and whether their bytes are still those that were written.

In: the output folder `build`. Out: paths of whole runs. `build/latest` is a relative symbolic link to `runs/<run id>`
that is replaced by renaming, so there is always one, old or new; where links cannot be made it is a small file that
holds the same text. A reader resolves it once, with `latest`, and reads on in the folder it got: the folder stays.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from zhiji_etl.errors import OutputError
from zhiji_etl.sources.hashes import file_sha256
from zhiji_etl.sources.names import safe_terminal

LATEST: Final = "latest"
RUNS: Final = "runs"
MANIFEST: Final = "run.json"
MOMENT: Final = "%Y%m%dT%H%M%S%fZ"
NO_RUN_HINT: Final = "Start one with `zhiji-etl run`, or name the project or the folder it was written to."
RUN_ID: Final = re.compile(r"(\d{8}T\d{12}Z)-[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class RunInfo:
    """One whole run: its id, its folder, when it was finished (by the clock of its machine), whether it is `latest`."""

    run_id: str
    path: Path
    finished: datetime
    is_latest: bool


def latest(build: Path) -> Path:
    """The folder of the newest published run, resolved; `OutputError` `no_run` where there is none."""
    run = pointed(build)
    if run is None or not (run / MANIFEST).is_file():
        require_folder(build)
        raise OutputError("no_run", f"{safe_terminal(str(build))} holds no published run.", hint=NO_RUN_HINT)
    return run


def require_folder(build: Path) -> None:
    """Raise `OutputError` `no_run` where there is no such folder: it may be a slip in its name."""
    if not build.is_dir():
        raise OutputError("no_run", f"There is no folder {safe_terminal(str(build))}.", hint=NO_RUN_HINT)


def runs(build: Path) -> list[RunInfo]:
    """All whole runs, oldest first. Run ids are in the order of publishing, even where the clock went back."""
    current = pointed(build)
    return [_info(folder, current) for folder in run_folders(build) if (folder / MANIFEST).is_file()]


def verify(run: Path) -> list[str]:
    """What differs from the manifest: one sentence each for a changed, missing or extra file; empty if all is well."""
    try:
        outputs = read_manifest(run)["outputs"]
        stated = {entry["name"]: entry["sha256"] for entry in outputs}
    except (OSError, ValueError, KeyError, TypeError) as error:
        return [f"{MANIFEST} cannot be read ({safe_terminal(str(error))})."]
    found = {path.relative_to(run).as_posix() for path in files_of(run)} - {MANIFEST}
    return [
        *(f"{safe_terminal(name)} is missing." for name in sorted(stated.keys() - found)),
        *(f"{safe_terminal(name)} is not in the manifest." for name in sorted(found - stated.keys())),
        *(f"{name} has changed." for name in sorted(stated.keys() & found) if not _holds(run / name, stated[name])),
    ]


# ------------------------------------------------------------------------------- for the writing side (publishing)


def pointed(build: Path) -> Path | None:
    """Where the pointer leads, None where there is none. Only a run of this folder counts."""
    pointer = build / LATEST
    try:
        target = str(pointer.readlink()) if pointer.is_symlink() else pointer.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    name = target.strip().replace("\\", "/").rpartition("/")[2]
    return build.resolve() / RUNS / name if RUN_ID.fullmatch(name) else None


def run_folders(build: Path) -> list[Path]:
    """All folders that are named as runs, whole or not, oldest first."""
    folder = build.resolve() / RUNS
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if RUN_ID.fullmatch(path.name) and not path.is_symlink())


def new_run_id(build: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> str:
    """An id that sorts after every other: the time in UTC, or the newest id's plus a microsecond if that is later.

    The random end keeps a name from coming back where the folder of an old run is gone.
    """
    moment = now()
    known = [_moment(path.name) for path in run_folders(build)]
    if known and moment <= known[-1]:
        moment = known[-1] + timedelta(microseconds=1)
    return f"{moment.strftime(MOMENT)}-{secrets.token_hex(3)}"


def files_of(run: Path) -> list[Path]:
    """All files of a run, by name; an output in parts is a folder of files."""
    return sorted(path for path in run.rglob("*") if not path.is_dir())


def read_manifest(run: Path) -> dict[str, Any]:
    """The manifest of a run as it lies on the disk."""
    manifest: dict[str, Any] = json.loads((run / MANIFEST).read_text(encoding="utf-8"))
    return manifest


# -------------------------------------------------------------------------------------------------------- helpers


def _info(folder: Path, current: Path | None) -> RunInfo:
    finished = datetime.fromtimestamp((folder / MANIFEST).stat().st_mtime, UTC)
    return RunInfo(folder.name, folder, finished, folder == current)


def _moment(run_id: str) -> datetime:
    return datetime.strptime(run_id.partition("-")[0], MOMENT).replace(tzinfo=UTC)


def _holds(path: Path, sha256: str) -> bool:
    return path.is_file() and file_sha256(path) == sha256
