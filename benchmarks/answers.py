"""How soon the command line answers, as rows of the table: what `benchmarks.startup` times, beside what must load."""

from __future__ import annotations

from typing import Any

from benchmarks.record import Measure, Spent

ROWS = (
    ("--version", "python", "zhiji-etl --version", "the start of Python itself"),
    ("--help", "python", "zhiji-etl --help", "the start of Python itself"),
    ("warm run", "import libraries", "zhiji-etl run on the reference project, warm", "loading the libraries it uses"),
    ("first run", "import libraries", "the same, the first time", "loading the libraries it uses"),
)
"""For each row two answers of `benchmarks.startup`, ours and what it is beside, and what they are called."""


def measures(small: bool) -> list[Measure]:
    """A row for each answer."""
    try:
        from benchmarks.startup import answers
    except ModuleNotFoundError:
        return [Measure("the command line", "the start of Python itself", None, None, "not measured yet")]
    told = answers(1 if small else 7)
    return [Measure(what, beside, _spent(told[ours]), _spent(told[theirs])) for ours, theirs, what, beside in ROWS]


def _spent(one: dict[str, Any]) -> Spent:
    return Spent(one["wall"], one["processor"])
