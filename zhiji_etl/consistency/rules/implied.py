"""Implied values: bounds for a figure that nobody printed, from a rule whose other figures all are.

In: the wide frame of a rule and its check. Out: rows of IMPLIED_COLUMNS: never a point, and with the figures that bind
each end. Where a rule has alternatives of scope, only the hull of what each implies is known; where several rules imply
the same figure, all of them hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl

from zhiji_etl.consistency.rules.expressions import SAME, Operand, Rate, Relation, operands_of
from zhiji_etl.consistency.rules.isolation import isolated
from zhiji_etl.consistency.rules.operands import columns, figures_of, moved_periods
from zhiji_etl.consistency.rules.readings import NEAR, Check, ends
from zhiji_etl.figures import IMPLIED_COLUMNS
from zhiji_etl.tables import Metric

FIGURE: Final = ("entity", "metric", "period_start", "period_end")
ROWED: Final = {**IMPLIED_COLUMNS, "row": pl.UInt32(), "vintage": pl.String()}


def implied_by(wide: pl.DataFrame, relation: Relation, check: Check, metrics: Mapping[str, Metric]) -> pl.DataFrame:
    """What each row of the wide frame implies in which exactly one operand of an equality is missing.

    Out: IMPLIED_COLUMNS, `vintage` and `row`, the number of the row: several rows may imply one figure, such as a
    market. Of what several vintages of an entity imply for it, only the newest counts.
    """
    if relation.symbol != "==":
        return pl.DataFrame(schema=ROWED)
    missing = pl.sum_horizontal([pl.col(columns(name).low).is_null().cast(pl.UInt32) for name in check.names])
    leaves = operands_of(relation).values()
    others = ~pl.col("entity").is_in(_references_to_itself(leaves))
    single = wide.lazy().with_row_index("row").filter((missing == 1) & others).collect()
    missed = [leaf for leaf in leaves if single.get_column(columns(leaf.name).low).has_nulls()]
    made = [_for_operand(single, leaf, check, metrics) for leaf in missed]
    return _newest(pl.concat([pl.DataFrame(schema=ROWED), *made]))


def _references_to_itself(leaves: Iterable[Operand]) -> list[str]:
    """The entities for which a figure of the row's own is a named one: a market's share of itself says nothing."""
    own = {(leaf.metric, leaf.offset) for leaf in leaves if leaf.entity is None}
    return [leaf.entity for leaf in leaves if leaf.entity is not None and (leaf.metric, leaf.offset) in own]


def _newest(found: pl.DataFrame) -> pl.DataFrame:
    """Of each figure what its newest vintage implies; figures without one are the oldest."""
    if found.get_column("vintage").null_count() == found.height:
        return found
    newest = pl.col("vintage").max().over(FIGURE)
    return found.filter(newest.is_null() | (pl.col("vintage") == newest))


def required(wide: pl.DataFrame, check: Check, operand: Operand, unit: str) -> pl.DataFrame:
    """The figure that one operand must be if it alone is wrong and both sides of a check are to be equal: FIGURE,
    `period, low, high, unit`, row by row.

    The bounds are null where the check cannot be solved for it, and for a rate, which is nobody's figure.
    """
    solved = None if isinstance(operand, Rate) else isolated(check, operand.name)
    nothing = pl.lit(None, pl.Float64)
    low, high = (nothing, nothing) if solved is None else ends(wide, solved, check, check.scale[operand.metric])
    return _named(wide, operand, low=low, high=high, unit=pl.lit(unit))


def allowed(found: pl.DataFrame, metrics: Mapping[str, Metric]) -> pl.DataFrame:
    """Bounds cut at the ends that their metric is declared to have: the low one is above the high one if none is left.

    That no figure of a metric happens to be below zero says nothing of one that is wrong or not printed.
    """
    declared = [(m.name, m.at_least, m.at_most) for m in metrics.values() if not m.assumed]
    schema = {"metric": pl.String, "__least": pl.Float64, "__most": pl.Float64}
    joined = found.join(
        pl.DataFrame(declared, schema=schema, orient="row"), on="metric", how="left", maintain_order="left"
    )
    return joined.with_columns(
        low=pl.when(pl.col("low").is_not_null()).then(pl.max_horizontal("low", "__least")),
        high=pl.when(pl.col("high").is_not_null()).then(pl.min_horizontal("high", "__most")),
    ).drop("__least", "__most")


def possible() -> pl.Expr:
    """Whether bounds leave a value, but for the last digits of floats."""
    ends = pl.col("low", "high").abs()
    room = NEAR * pl.max_horizontal(pl.when(ends.is_finite()).then(ends))
    return (pl.col("low") <= pl.col("high")) | (pl.col("low") - pl.col("high") <= room)


def hull(alternatives: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """What each row implies when one of several alternatives holds: the hull, where each of them implies something.

    In: frames as `implied_by` gives them. Out: IMPLIED_COLUMNS.
    """
    frames = list(alternatives)
    together = pl.concat([pl.DataFrame(schema=ROWED), *frames]).group_by("row", *FIGURE, maintain_order=True)
    joined = together.agg(
        pl.col("period", "unit").first(),
        pl.col("low").min(),
        pl.col("high").max(),
        pl.col("binding_low", "binding_high").explode().unique(maintain_order=True),
        __count=pl.len(),
    )
    return joined.filter(pl.col("__count") == len(frames)).select(*IMPLIED_COLUMNS)


def intersect(rules: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """What is known when all rules hold: for each figure the tightest ends, and what binds them; sorted by figure.

    A figure for which rules leave no value is left out: they contradict each other, and no bounds are true of it.
    """
    return tightest(rules).filter(possible())


def refuted(rules: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The figures that `intersect` leaves out, each with the ends that contradict each other."""
    return tightest(rules).filter(~possible())


def tightest(rules: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """For each figure the tightest ends, whether they leave it a value or not, and what binds them; sorted by figure.

    Of several that bind an end alike the one with the lowest figure_id is told, so that it does not matter which of
    them were put together first.
    """
    together = pl.concat([empty(), *rules]).group_by(FIGURE, maintain_order=True)
    low, high = pl.col("low"), pl.col("high")
    first = {end: pl.col(f"binding_{end}").list.min() for end in ("low", "high")}
    chosen = together.agg(
        pl.col("period", "unit").first(),
        low.max(),
        high.min(),
        pl.col("binding_low").sort_by(low, first["low"], descending=[True, False]).first(),
        pl.col("binding_high").sort_by(high, first["high"]).first(),
    )
    return chosen.select(*IMPLIED_COLUMNS).sort(FIGURE)


def empty() -> pl.DataFrame:
    """No implied values."""
    return pl.DataFrame(schema=IMPLIED_COLUMNS)


def _for_operand(single: pl.DataFrame, operand: Operand, check: Check, metrics: Mapping[str, Metric]) -> pl.DataFrame:
    lacking = single.filter(pl.col(columns(operand.name).low).is_null())
    others = figures_of(lacking, check.names)
    found = required(lacking, check, operand, metrics[operand.metric].unit)
    # The vintage of a row is that of its own entity: a named one, such as a market, has none from it.
    vintage = pl.col("vintage") if operand.entity is None else pl.lit(None, pl.String)
    told = found.lazy().with_columns(vintage.alias("vintage"), binding_low=others, binding_high=others)
    bound = told.filter(pl.col("low").is_not_null())
    return bound.select(pl.col(name).cast(dtype) for name, dtype in ROWED.items()).collect()


def _named(wide: pl.DataFrame, operand: Operand, **made: pl.Expr) -> pl.DataFrame:
    """The rows with entity, metric and period of one operand instead of the row's own, and what is made beside them."""
    entity = pl.col("entity") if operand.entity is None else pl.lit(operand.entity)
    named = wide.with_columns(entity=entity, metric=pl.lit(operand.metric), **made)
    if operand.offset == SAME:
        return named
    moved = moved_periods(named, operand.offset)
    at = ["period_start", "period_end"]
    joined = named.join(moved, on=at, how="left", maintain_order="left")
    return joined.with_columns(period="moved_label", period_start="moved_start", period_end="moved_end")
