"""The lock of an output folder: one run at a time, and none that outlives its process.

In: the folder. Out: a held lock, or `OutputError` `output_locked` that names who holds it. The operating system
releases the lock with the process, so a killed run leaves none behind; the file itself stays, because removing it would
let two runs lock two files of one name.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zhiji_etl.errors import OutputError
from zhiji_etl.outputs.disk import writing
from zhiji_etl.sources.names import safe_terminal

LOCK = ".lock"


@contextmanager
def locked(build: Path) -> Iterator[None]:
    """Hold the lock of `build` (made where it is missing); `OutputError`: `output_locked`, `output_unwritable`."""
    with writing(build):
        build.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(build / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not _take(descriptor):
            raise _held(build)
        with writing(build):
            _sign(descriptor)
        yield
    finally:
        os.close(descriptor)


# -------------------------------------------------------------------------------------------------------- helpers


def _take(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, 1 << 20, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sign(descriptor: int) -> None:
    holder = json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode()
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, holder)


def _held(build: Path) -> OutputError:
    who = "another run"
    try:
        holder = json.loads((build / LOCK).read_text(encoding="utf-8"))
        who = f"the run with process id {holder['pid']} on {safe_terminal(str(holder['host']))}"
    except (OSError, ValueError, TypeError, KeyError):
        pass
    return OutputError(
        "output_locked",
        f"{safe_terminal(str(build))} is in use by {who}.",
        hint="Wait until it ends, or choose another folder with --out.",
    )
