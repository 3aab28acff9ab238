"""What a command takes: its time by the clock and of processors, and the memory of its process and all its children.

The operating system tells the peak of one process; for several at once their memory is looked at every few
milliseconds and added, pages that they share counted once for each.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.record import Spent

ROOT = Path(__file__).parents[1]
PROC = Path("/proc")
EVERY = 0.05
"""Seconds between two looks at the memory: each takes under a millisecond, and should not weigh on what it measures."""


@dataclass(frozen=True)
class Done:
    """A command that has ended: what it took, what it printed, its exit code."""

    spent: Spent
    stdout: str
    stderr: str
    code: int


def python(*arguments: str, allowed: Sequence[int] = (0,), interpreter: str = sys.executable) -> Done:
    """Runs Python in the root of the project; `RuntimeError` where it ends with a code that is not allowed."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        process = subprocess.Popen([interpreter, *arguments], cwd=ROOT, env=env, stdout=out, stderr=err)
        memory = Memory(process.pid)
        memory.start()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        peak = memory.ended()
        stdout, stderr = _text(out), _text(err)
    if process.returncode not in allowed:
        raise RuntimeError(stderr[-2000:])
    return Done(Spent(wall, used.ru_utime + used.ru_stime, peak), stdout, stderr, process.returncode)


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode("utf-8", "replace")


class Memory(threading.Thread):
    """Looks at the memory of a process and its children until told that they have ended."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.peak = 0
        self.stopped = threading.Event()

    def run(self) -> None:
        """Looks every few milliseconds."""
        while not self.stopped.wait(EVERY):
            tree = family(self.pid)
            alone = _field(self.pid, "VmHWM")
            self.peak = max(self.peak, alone, sum(_field(pid, "VmRSS") for pid in tree) if len(tree) > 1 else 0)

    def ended(self) -> float | None:
        """The peak in megabytes; null where the operating system does not tell."""
        self.stopped.set()
        self.join()
        return self.peak / 1024 if self.peak else None


def family(pid: int) -> list[int]:
    """A process and all its living children, their children too."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        for task in PROC.glob(f"{one}/task/*/children"):
            waiting.extend(int(child) for child in _read(task).split())
    return found


def _field(pid: int, name: str) -> int:
    """One field of the status of a process, in kB; 0 where it is gone."""
    told = re.search(rf"{name}:\s*([0-9]+)", _read(PROC / str(pid) / "status"))
    return int(told[1]) if told else 0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
