"""How long the command line takes to answer, beside what Python and its libraries take to load.

    python -m benchmarks.startup [--rounds 7] [--json FILE]

`--version`, `--help`, and a run of the reference project: the first one (no build folder, nothing in the user's cache)
and a warm one (the same again), both with the bytecode that installers leave. Each answer comes from a process of its
own; told are the medians of several, as seconds on the clock and of processors, and the least on the clock, which a
busy machine disturbs least. The libraries are those of a warm run: without Pint, and without what Pandera loads for
other frames.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

from benchmarks.record import Measure, Spent
from zhiji_etl.project import init

COMMAND = ("-m", "zhiji_etl")
LIBRARIES = """
import sys
class Absent:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] in ("pandas", "pyspark", "hypothesis"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
import polars, pandera.polars, pyarrow.parquet, pydantic, jinja2, rich.console, highspy
"""


ROWS = (
    ("--version", "python", "zhiji-etl --version", "the start of Python itself"),
    ("--help", "python", "zhiji-etl --help", "the start of Python itself"),
    ("warm run", "import libraries", "zhiji-etl run on the reference project, warm", "loading the libraries it uses"),
    ("first run", "import libraries", "the same, the first time", "loading the libraries it uses"),
)
"""For each row of the table two of `answers`, ours and what it is beside, and what they are called."""


def environment(scratch: Path) -> dict[str, str]:
    """Where the first run finds nothing that an earlier one left, and the next ones find what it left."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, "XDG_CACHE_HOME": str(scratch / "cache"), "PYTHONPATH": str(Path(__file__).parents[1])}


def seconds(words: Sequence[str], env: Mapping[str, str]) -> tuple[float, float]:
    """Seconds on the clock and of processors that one process takes."""
    before, started = getrusage(RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([sys.executable, *words], env=env, capture_output=True, encoding="utf-8", check=False)
    wall, after = time.perf_counter() - started, getrusage(RUSAGE_CHILDREN)
    # The reference project has findings on purpose: then a run ends with 1.
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr[-2000:])
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def told(taken: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """What is told of one answer."""
    walls, processors = zip(*taken, strict=True)
    return {
        "wall": statistics.median(walls), "processor": statistics.median(processors), "least_wall": min(walls),
        "rounds": len(taken),
    }  # fmt: skip


def first(scratch: Path, rounds: int) -> list[tuple[float, float]]:
    """The first run of a new project, where nothing was ever run."""
    taken = []
    for number in range(rounds):
        folder = scratch / f"first {number}"
        init(folder / "project")
        taken.append(seconds([*COMMAND, "run", str(folder / "project")], environment(folder)))
    return taken


def answers(rounds: int) -> tuple[dict[str, dict[str, Any]], dict[str, float]]:
    """Everything that is measured, by name; and the seconds of each stage of a warm run."""
    with tempfile.TemporaryDirectory() as made:
        scratch = Path(made)
        init(scratch / "project")
        env = environment(scratch)
        asked: dict[str, Sequence[str]] = {
            "python": ("-c", "pass"),
            "import polars": ("-c", "import polars"),
            "import libraries": ("-c", LIBRARIES),
            "--version": (*COMMAND, "--version"),
            "--help": (*COMMAND, "--help"),
            "warm run": (*COMMAND, "run", str(scratch / "project")),
        }
        measured = {}
        for name, words in asked.items():
            seconds(words, env)
            measured[name] = told([seconds(words, env) for _ in range(rounds)])
        measured["first run"] = told(first(scratch, rounds))
        latest = max((scratch / "project" / "build" / "runs").iterdir(), key=lambda path: path.name)
        stages = json.loads((latest / "run.json").read_text(encoding="utf-8"))["timings"]
    return measured, stages


def measures(small: bool) -> list[Measure]:
    """A row for each of ROWS."""
    measured, _ = answers(1 if small else 7)
    spent = {name: Spent(one["wall"], one["processor"]) for name, one in measured.items()}
    return [Measure(what, beside, spent[ours], spent[theirs]) for ours, theirs, what, beside in ROWS]


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a line for each answer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    measured, stages = answers(chosen.rounds)
    for name, one in measured.items():
        print(
            f"{name:16} {one['wall']:6.2f} s, least {one['least_wall']:5.2f} s, {one['processor']:6.2f} s of processors"
        )
    shares = ", ".join(f"{name} {taken:.2f}" for name, taken in stages.items())
    print(f"stages of a warm run, in seconds: {shares}")
    if chosen.json:
        known = {"at": time.time(), "python": sys.version.split()[0], "processors": os.cpu_count()}
        chosen.json.write_text(json.dumps({**known, "results": measured, "stages": stages}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
