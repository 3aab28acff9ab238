"""The faults that a soak injects: each does something bad to a run, or to what runs have left on the disk.

In: a `Scene`. Out: the exit codes of the commands that were run meanwhile, for those that ended by themselves.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
HELD = """
import sys, zhiji_etl.cli
import zhiji_etl.project, zhiji_etl.pipeline, zhiji_etl.terminal.summary, zhiji_etl.tables, zhiji_etl.junit
sys.argv[0] = "zhiji-etl"
exec(sys.argv.pop(1))
print("ready", flush=True)
zhiji_etl.cli.main()
"""
"""A command that has everything imported when it says that it is ready, so that a kill meets the run itself."""

SMALL_FILES = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))
"""
CLOCK_BACK = """
import datetime
from zhiji_etl.outputs import publication, published
then = datetime.datetime(2001, 1, 1, tzinfo=datetime.timezone.utc)
published.new_run_id.__defaults__ = (lambda: then,)
class Clock(datetime.datetime):
    now = classmethod(lambda cls, zone=None: then)
publication.datetime = Clock
"""


@dataclass(frozen=True)
class Scene:
    """A project, and a source of chance; `seconds` is about how long a run takes once all is imported."""

    project: Path
    chance: random.Random
    seconds: float

    @property
    def build(self) -> Path:
        """Where the project's runs are published."""
        return self.project / "build"


def started(scene: Scene, before: str = "", *arguments: str) -> subprocess.Popen[str]:
    """A run of the project in a process of its own, which is about to begin; `before` is code that runs first."""
    words = [sys.executable, "-c", HELD, before, "run", str(scene.project), "--fail-on", "never", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8"
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def ended(*processes: subprocess.Popen[str]) -> list[int]:
    """The exit codes, once all have ended."""
    for process in processes:
        process.communicate(timeout=120)
    return [process.returncode for process in processes]


# --------------------------------------------------------------------------------------------------------- faults


def none(scene: Scene) -> list[int]:
    """A run without any fault."""
    return ended(started(scene))


def kill(scene: Scene) -> list[int]:
    """SIGKILL at any moment."""
    process = started(scene, "", *scene.chance.choice([[], ["--force"]]))
    time.sleep(scene.chance.uniform(0, scene.seconds * 1.2))
    process.send_signal(signal.SIGKILL)
    ended(process)
    return []


def small_files(scene: Scene) -> list[int]:
    """No file can grow beyond a few bytes: what a full disk does, at any file."""
    return ended(started(scene, SMALL_FILES.format(scene.chance.choice([0, 3, 700, 3_000, 6_000, 20_000]))))


def two_at_once(scene: Scene) -> list[int]:
    """Two runs that begin at the same moment."""
    return ended(started(scene), started(scene, "", "--force"))


def changed_meanwhile(scene: Scene) -> list[int]:
    """A raw file that grows while the run reads it."""
    path = scene.chance.choice(sorted((scene.project / "raw").glob("*.csv")))
    process = started(scene)
    time.sleep(scene.chance.uniform(0, scene.seconds))
    with path.open("a", encoding="utf-8") as file:
        columns = path.read_text(encoding="utf-8").partition("\n")[0].count(",") + 1
        file.write(",".join(["A", "sales", "2019", "5 vehicles", "x"][:columns]) + "\n")
    return ended(process)


def clock_back(scene: Scene) -> list[int]:
    """The clock of the machine is set back by decades."""
    return ended(started(scene, CLOCK_BACK))


def damaged_cache(scene: Scene) -> list[int]:
    """A file of rows read earlier is cut, loses a bit, or is another one."""
    files = sorted((scene.build / "cache").iterdir())
    if files:
        path = scene.chance.choice(files)
        content = bytearray(path.read_bytes())
        content[scene.chance.randrange(len(content))] ^= 1 << scene.chance.randrange(8)
        other = scene.chance.choice(files).read_bytes()
        path.write_bytes(scene.chance.choice([content, content[: len(content) // 2], other, b""]))
    return ended(started(scene))


def no_pointer(scene: Scene) -> list[int]:
    """Somebody removes the pointer, or the whole cache, or leaves files about."""
    (scene.build / "latest").unlink()
    (scene.build / f".latest.{scene.chance.randrange(9)}.tmp").write_text("left")
    (scene.build / "cache" / "left").write_text("left")
    return ended(started(scene))


FAULTS: dict[str, tuple[Callable[[Scene], list[int]], set[int]]] = {
    "none": (none, {0}),
    "kill": (kill, set()),
    "small files": (small_files, {0, 5}),
    "two at once": (two_at_once, {0, 5}),
    "changed meanwhile": (changed_meanwhile, {0, 4}),
    "clock back": (clock_back, {0}),
    "damaged cache": (damaged_cache, {0}),
    "no pointer": (no_pointer, {0}),
}
"""Each fault by name, and the exit codes that a run may then have."""
