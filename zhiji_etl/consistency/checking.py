"""All rules over all figures: prints of the same figure, verdicts, implied values carried on, conflicts.

In: figures (FIGURE_COLUMNS), compiled rules and the metrics with their units. Out: `Concluded`. Implied values pass
from rule to rule until nothing changes: a figure that one rule implies is an operand of the next.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial, reduce
from typing import Final, NamedTuple

import polars as pl

from zhiji_etl.consistency import pairs
from zhiji_etl.consistency.conflicts import conflicts
from zhiji_etl.consistency.denominations import with_denominations
from zhiji_etl.consistency.entities import misspelt
from zhiji_etl.consistency.implied import FIGURE, empty, intersect, refuted
from zhiji_etl.consistency.instances import Subject, strained
from zhiji_etl.consistency.operands import shelve
from zhiji_etl.consistency.references import references
from zhiji_etl.consistency.rules import CompiledRule, Outcome, rate_metrics, run_rule
from zhiji_etl.rates import Rates
from zhiji_etl.tables import Metric

ROUNDS: Final = 20
"""Steps from rule to rule after which an implied value is not carried further."""


class Concluded(NamedTuple):
    """Findings without id (several frames, each with some of FINDING_COLUMNS), and IMPLIED_COLUMNS.

    `requests` (KEY_COLUMNS) are those for the exchange rates that rules used.
    """

    findings: tuple[pl.DataFrame, ...]
    implied: pl.DataFrame
    requests: pl.DataFrame


class Carried(NamedTuple):
    """Implied values as far as rules carry them, the figures that rules leave no value, and whose figures do so."""

    implied: pl.DataFrame
    refuted: set[Subject]
    concerned: set[str]


def checked(
    figures: pl.DataFrame,
    rules: Sequence[CompiledRule],
    metrics: Mapping[str, Metric],
    flawed: pl.DataFrame,
    trust: Mapping[str, float],
    rates: Rates | None = None,
) -> Concluded:
    """Judge every rule and every figure that is printed more than once.

    `flawed` are figures that are printed but cannot be used, with the reason as `flaw`; `trust` the weight of sources;
    `rates` what rules that speak of exchange rates find them in, by default the European Central Bank's.
    """
    meanings = {**metrics, **rate_metrics(relation for rule in rules for relation in rule.relations.values())}
    twice = pairs.duplicates(figures)
    disputed = pairs.disputed(twice)
    run = partial(_run, figures, disputed, flawed, rules, meanings, rates)
    outcomes = run(empty())
    carried = _carried_on(run, [outcome.implied for outcome in outcomes], figures)
    judged = [one for outcome in outcomes for one in outcome.judged]
    contradictions = conflicts(judged, metrics, figures, trust, carried.refuted, carried.concerned)
    asked = references(rules, _periods(figures, carried.implied), rates).requests
    named = misspelt(rules, pl.concat([figures.get_column("entity"), flawed.get_column("entity")]))
    told = (with_denominations(outcome.findings, figures, rates) for outcome in outcomes)
    found = (twice, *told, contradictions, named)
    return Concluded(found, carried.implied, asked)


def _run(
    figures: pl.DataFrame,
    disputed: pl.Series,
    flawed: pl.DataFrame,
    rules: Sequence[CompiledRule],
    metrics: Mapping[str, Metric],
    rates: Rates | None,
    known: pl.DataFrame,
) -> list[Outcome]:
    """Every rule over the figures, with implied values and exchange rates among the operands."""
    reference = references(rules, _periods(figures, known), rates).rows
    shelf = shelve(figures, disputed, [flawed, _as_operands(known), reference])
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda rule: run_rule(rule, shelf, metrics), rules))


def _periods(*frames: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame.select("period_start", "period_end").unique() for frame in frames]).unique()


def _carried_on(
    run: Callable[[pl.DataFrame], list[Outcome]], first: Sequence[pl.DataFrame], figures: pl.DataFrame
) -> Carried:
    """Implied values, each round using those of the rounds before, until a round brings none."""
    known, lost = intersect(first), refuted(first)
    subjects, entities = _subjects(lost, figures)
    for _ in range(ROUNDS):
        if known.is_empty():
            break
        outcomes = run(known)
        further = _apart(pl.concat([outcome.implied for outcome in outcomes]), known, lost)
        if further.is_empty():
            strain = strained([one for outcome in outcomes for one in outcome.judged])
            return Carried(known, subjects | strain[0], entities | strain[1])
        known, no_value = intersect([known, further]), refuted([further])
        lost = pl.concat([lost, no_value])
        more = _subjects(no_value, figures)
        subjects, entities = subjects | more[0], entities | more[1]
    return Carried(known, subjects, entities)


def _apart(found: pl.DataFrame, *known: pl.DataFrame) -> pl.DataFrame:
    """Implied values of figures that are not known yet."""
    return reduce(lambda left, right: left.join(right, on=FIGURE, how="anti", nulls_equal=True), known, found)


def _subjects(lost: pl.DataFrame, figures: pl.DataFrame) -> tuple[set[Subject], set[str]]:
    """Figures without a value as subjects, and the entities of all figures that leave them none."""
    subjects = {Subject(*key) for key in lost.select(FIGURE).iter_rows()}
    behind = pl.concat([lost.get_column(end).explode() for end in ("binding_low", "binding_high")]).unique()
    entities = figures.filter(pl.col("figure_id").is_in(behind.implode())).get_column("entity")
    return subjects, {*entities, *(subject.entity for subject in subjects)}


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
