"""All rules over all figures: prints of the same figure, verdicts, implied values carried on, conflicts.

In: figures (FIGURE_COLUMNS), compiled rules and the metrics with their units. Out: `Concluded`. Implied values pass
from rule to rule until nothing changes: a figure that one rule implies is an operand of the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import polars as pl

from zhiji_etl.consistency import pairs
from zhiji_etl.consistency.conflicts import conflicts
from zhiji_etl.consistency.implied import FIGURE, intersect
from zhiji_etl.consistency.operands import shelve
from zhiji_etl.consistency.rules import CompiledRule, Outcome, run_rule
from zhiji_etl.tables import Metric

ROUNDS: Final = 20
"""Steps from rule to rule after which an implied value is not carried further."""


class Concluded(NamedTuple):
    """Findings without id (several frames, each with some of FINDING_COLUMNS), and IMPLIED_COLUMNS."""

    findings: tuple[pl.DataFrame, ...]
    implied: pl.DataFrame


def checked(
    figures: pl.DataFrame,
    rules: Sequence[CompiledRule],
    metrics: Mapping[str, Metric],
    flawed: pl.DataFrame,
    trust: Mapping[str, float],
) -> Concluded:
    """Judge every rule and every figure that is printed more than once.

    `flawed` are figures that are printed but cannot be used, with the reason as `flaw`; `trust` the weight of sources.
    """
    twice = pairs.duplicates(figures)
    disputed = pairs.disputed(twice)
    shelf = shelve(figures, disputed, [flawed])
    outcomes = [run_rule(rule, shelf, metrics) for rule in rules]
    judged = [one for outcome in outcomes for one in outcome.judged]
    contradictions = conflicts(judged, metrics, figures, trust)
    implied = _carried_on(figures, disputed, flawed, rules, metrics, outcomes)
    return Concluded((twice, *(outcome.findings for outcome in outcomes), contradictions), implied)


def _carried_on(
    figures: pl.DataFrame,
    disputed: pl.Series,
    flawed: pl.DataFrame,
    rules: Sequence[CompiledRule],
    metrics: Mapping[str, Metric],
    outcomes: Sequence[Outcome],
) -> pl.DataFrame:
    """Implied values, each round using those of the rounds before."""
    known = intersect(outcome.implied for outcome in outcomes)
    for _ in range(ROUNDS):
        if known.is_empty():
            return known
        shelf = shelve(figures, disputed, [flawed, _as_operands(known)])
        found = [run_rule(rule, shelf, metrics).implied for rule in rules]
        news = pl.concat(found).join(known, on=FIGURE, how="anti", nulls_equal=True)
        if news.is_empty():
            return known
        known = intersect([known, news])
    return known


def _as_operands(implied: pl.DataFrame) -> pl.DataFrame:
    """Implied values as figures that rules can use: bounds without value, step or id."""
    return implied.select(
        "entity",
        "metric",
        "period",
        "period_start",
        "period_end",
        "low",
        "high",
        low_closed=pl.lit(value=True),
        high_closed=pl.lit(value=True),
    )
