"""Disk writes that either happened or did not: flushing, atomic replacing, and what the operating system said.

In: paths and bytes. Out: files that are on the disk, not in its cache, when the function returns. Every `OSError`
becomes an `OutputError` `output_unwritable` that names the path and the cause.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from zhiji_etl.errors import OutputError
from zhiji_etl.sources.names import safe_terminal

PATIENCE: Final = 10.0
"""Seconds to try removing a folder into which something is still written."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an `OSError` of the body into an `OutputError` `output_unwritable` about `path`."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            "output_unwritable",
            f"{safe_terminal(str(path))} cannot be written: {error.strerror or error}.",
            hint="Is there room on the disk, and may this user write there? What was published before is untouched.",
        ) from error


def refuse_unwritable(folder: Path) -> None:
    """Raise `OutputError` `output_unwritable` where nothing can be written in a folder, or where it would be made.

    Nothing is left behind. The system is asked to write, since what it says of permissions is not all: a file system
    may be mounted read-only, or make no folders at all.
    """
    # A link that leads nowhere is there, and cannot be made a folder.
    nearest = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    with writing(folder), tempfile.TemporaryDirectory(prefix=".zhiji-", dir=nearest):
        pass


@contextmanager
def temporary_folder(inside: Path, prefix: str) -> Iterator[str]:
    """A new folder in one that is made where it is missing; gone in the end. `OutputError` `output_unwritable`."""
    with writing(inside):
        inside.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix=prefix, dir=inside, ignore_cleanup_errors=True)
    try:
        with folder as name:
            yield name
    finally:
        _remove_again(Path(folder.name))


def _remove_again(folder: Path) -> None:
    """A worker that nobody waits for may have made a file between the last look and the end of its folder."""
    last = time.monotonic() + PATIENCE
    while folder.exists() and time.monotonic() < last:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.01)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that its name shows either all of `content` or what was there before."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise
    flush_folder(path.parent)


def flush_file(path: Path) -> None:
    """Return when the file's bytes are on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def flush_folder(path: Path) -> None:
    """Return when the names in a folder are on the disk; Windows has no such call and keeps names itself."""
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
