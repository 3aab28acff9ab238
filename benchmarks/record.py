"""What a benchmark measures, in one form: a work, beside another one that has a name, and how long each took.

    python -m benchmarks.record NAME [--small] [--figures N ...]

prints, as its last line, what `measures(small)` of the module `benchmarks.NAME` gives, as JSON; each module runs in a
process of its own, so that none warms up another.
"""

from __future__ import annotations

import argparse
import importlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

NOT_INSTALLED = "not installed"


@dataclass(frozen=True)
class Spent:
    """Seconds of the clock and of all processors, and the peak of memory in megabytes where it was measured."""

    wall: float
    processor: float
    peak_mb: float | None = None


@dataclass(frozen=True)
class Measure:
    """One row of the table: what was measured, beside what, and what more is to be told.

    `ours` or `theirs` is null where it could not run; then `note` says why. `facts` go into the JSON only.
    """

    what: str
    beside: str
    ours: Spent | None
    theirs: Spent | None
    note: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """How many times the time of the other, by the clock."""
        return _over(self.ours, self.theirs, "wall")

    @property
    def processor_ratio(self) -> float | None:
        """The same in time of processors, which a busy machine changes less."""
        return _over(self.ours, self.theirs, "processor")


def _over(ours: Spent | None, theirs: Spent | None, of: str) -> float | None:
    if ours is None or theirs is None or not getattr(theirs, of):
        return None
    return float(getattr(ours, of) / getattr(theirs, of))


def as_row(measure: Measure) -> dict[str, Any]:
    """A measure for the JSON, with its ratios."""
    return {**asdict(measure), "ratio": measure.ratio, "processor_ratio": measure.processor_ratio}


def from_row(row: dict[str, Any]) -> Measure:
    """A measure from the JSON."""
    spent = {name: None if row[name] is None else Spent(**row[name]) for name in ("ours", "theirs")}
    return Measure(row["what"], row["beside"], **spent, note=row["note"], facts=row["facts"])


def spent(work: Callable[[], object]) -> Spent:
    """What one call takes."""
    began, worked = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - began, time.process_time() - worked)


def in_turn(works: Sequence[Callable[[], object]], rounds: int = 3) -> list[Spent]:
    """The best of some rounds of each, the works one after the other in each round, so that a busy moment hits all."""
    found = [[spent(work) for work in works] for _ in range(rounds)]
    return [Spent(min(one.wall for one in of), min(one.processor for one in of)) for of in zip(*found, strict=True)]


def scaled(one: Spent, factor: float) -> Spent:
    """What so many times as much work takes: for peers that are measured on a part of the rows."""
    return Spent(one.wall * factor, one.processor * factor)


def main() -> None:
    """Prints the measures of one module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--figures", type=int, nargs="+", help="sizes of whole runs")
    parser.add_argument("--options", help="further options of zhiji-etl run in whole runs, in one word")
    chosen = parser.parse_args()
    module = importlib.import_module(f"benchmarks.{chosen.name}")
    of_whole_runs = {name: getattr(chosen, name) for name in ("figures", "options") if getattr(chosen, name)}
    rows = [as_row(measure) for measure in module.measures(chosen.small, **of_whole_runs)]
    print(json.dumps(rows, ensure_ascii=False))


if __name__ == "__main__":
    main()
