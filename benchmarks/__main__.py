"""All benchmarks of this folder, each with all that it prints: `python -m benchmarks [--quick] [NAME ...]`.

Each runs in a process of its own, so that none warms up another. Times on a shared machine are noise: what counts are
ratios within one run. A benchmark that fails is shown with its last line, and makes the exit code 1.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).parent
SIZES: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "localise": (("--sides", "3", "5", "8"), ("--sides", "3")),
    "planted": (("--rows", "1000000"), ("--rows", "50000")),
    "rates": (("5000000",), ("100000",)),
    "reading": (("--rows", "2000000", "--stream", "10000000"), ("--rows", "100000", "--stream", "200000")),
    "rules": (("--checks", "2000000"), ("--checks", "50000")),
    "conversion": (("--rows", "2000000"), ("--rows", "50000")),
    "startup": ((), ("--rounds", "1")),
    "whole": (("--figures", "100000", "1000000"), ("--figures", "5000", "--files", "4")),
    "validation": (("--rows", "1000000"), ("--rows", "50000", "--rounds", "1")),
}
"""Arguments of a full and of a quick run; a benchmark that is not named here is run as it is."""
TOOLS = {"answers", "compare", "machine", "prints", "processes", "projects", "record", "shapes", "slips", "table"}
"""Modules that measure nothing by themselves."""


def names() -> list[str]:
    """Every module of this folder that is a benchmark."""
    return sorted({path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_")} - TOOLS)


def run(name: str, quick: bool) -> tuple[bool, float, list[str]]:
    """Whether one benchmark came through, its seconds, and the lines it printed."""
    arguments = SIZES.get(name, ((), ()))[quick]
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *arguments],
        cwd=FOLDER.parent,
        env={**os.environ, "PYTHONPATH": str(FOLDER.parent), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    lines = done.stdout.splitlines() if done.returncode == 0 else [f"failed: {done.stderr.strip().splitlines()[-1:]}"]
    return done.returncode == 0, time.perf_counter() - started, lines


def main() -> int:
    """Print the table; 1 where a benchmark failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that all of them run")
    parser.add_argument("names", nargs="*", choices=[*names(), []], metavar="NAME", help=", ".join(names()))
    options = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} processors{', quick' if options.quick else ''}\n")
    print(f"{'benchmark':12} {'seconds':>8}  what it printed")
    whole = True
    for name in options.names or names():
        passed, seconds, lines = run(name, options.quick)
        whole &= passed
        for number, line in enumerate(lines or [""]):
            head = f"{name:12} {seconds:8.1f}" if number == 0 else " " * 21
            print(f"{head}  {line}".rstrip(), flush=True)
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
