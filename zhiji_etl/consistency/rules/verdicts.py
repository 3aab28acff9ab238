"""Verdicts: do the bounds of a figure meet the bounds that the others imply, and could the check have noticed?

In: a wide frame (operands.py) and a `Check` (readings.py). Out: the same rows with the columns named in JUDGED. Bounds
are in the unit of the stated figure; strain, gaps and the minimum detectable error are pure numbers.

Sources: XBRL Calculations 1.1 (two roundings agree when their intervals meet); Eurostat and R `validate` (unknown is an
outcome of its own).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import polars as pl

from zhiji_etl.consistency.rules.bounds import INFINITY
from zhiji_etl.consistency.rules.expressions import Operand, Ranking, operands
from zhiji_etl.consistency.rules.operands import columns
from zhiji_etl.consistency.rules.readings import WIDEST, Check, apart, compare
from zhiji_etl.figures import REASON, VERDICT, Reason, Verdict

NEIGHBOURS: Final = Operand("neighbours")
"""What the ranks of others leave for a figure."""

JUDGED: Final = (
    "verdict",
    "reason",
    "level",
    "stated_low",
    "stated_high",
    "implied_low",
    "implied_high",
    "strain",
    "gap_steps",
    "gap_relative",
    "mde",
)


def judge(wide: pl.DataFrame, check: Check) -> pl.DataFrame:
    """The wide frame with the JUDGED columns; rows in the same order.

    `strain` = |mid stated - mid implied| / (half-width stated + half-width implied), null where an end is unbounded;
    `gap_steps` = gap / step of the stated figure at its reading; `gap_relative` = gap / |stated|; `mde`, the minimum
    detectable error, = max(|stated.high / implied.low - 1|, |1 - stated.low / implied.high|), where an end that
    claims nothing (over 10 billion has no upper one) counts for nothing.
    """
    compared = compare(wide, check).lazy().with_columns(__gap=_gap(check.symbol))
    measured = compared.with_columns(
        strain=_strain(),
        gap_steps=pl.col("__gap") / _step(check),
        gap_relative=pl.col("__gap") / _size(check),
        mde=_mde(check) if check.has_power else pl.lit(None, pl.Float64),
    )
    judged = measured.with_columns(verdict=_verdict(check), reason=_reason(check))
    return judged.drop("__gap", "meets", "complete").collect()


def judge_with_missing_parts(wide: pl.DataFrame, check: Check) -> pl.DataFrame:
    """As `judge`, for a total whose parts need not all be printed: a missing part may be anything from nothing on.

    Where a part is missing the parts cannot exceed the total, and that is all that is checked: no power is asked for.
    """
    parts = [columns(leaf.name) for leaf in operands(check.implied)]
    absent = [pl.col(part.low).is_null() & pl.col(part.flaw).is_null() for part in parts]
    some = pl.any_horizontal(absent) & ~pl.all_horizontal(absent)
    filled = [
        pl.when(some & gap).then(end).otherwise(name).alias(name)
        for part, gap in zip(parts, absent, strict=True)
        for name, end in ((part.low, 0.0), (part.high, INFINITY), (part.low_closed, True), (part.rungs, 1.0))
    ]
    rows = wide.with_row_index("__order").with_columns(*filled, __some=some)
    lenient = judge(rows.filter("__some"), check._replace(material=INFINITY))
    strict = judge(rows.filter(~pl.col("__some")), check)
    return pl.concat([lenient, strict]).sort("__order").drop("__order", "__some")


def judge_ranks(wide: pl.DataFrame, ranking: Ranking) -> pl.DataFrame:
    """The wide frame of a rank and what it ranks by, with the JUDGED columns.

    Implied is at least the largest low end of those who stand behind, at most the smallest high end of those before.
    """
    ranked = wide if ranking.among is None else wide.filter(pl.col("entity").is_in(ranking.among))
    rank, near = columns(ranking.rank.name), columns(NEIGHBOURS.name)
    # "Under 5" and "over 5" are no place.
    is_place = ~pl.col(rank.capped) & pl.col(rank.high).is_finite()
    ranked = ranked.with_columns(pl.when(is_place).then(rank.value).alias(rank.value))
    among = ["period_start", "period_end", *(["vintage"] if "vintage" in wide.columns else [])]
    between = _neighbours(ranked, ranking, among)
    neighbours = {
        near.value: pl.lit(None, pl.Float64),
        near.rungs: pl.lit(1.0),
        near.flaw: pl.lit(None, pl.String),
    }
    joined = ranked.join(between, on=[*among, rank.value], how="left", nulls_equal=True, maintain_order="left")
    scale = {ranking.by.metric: Fraction(1), NEIGHBOURS.metric: Fraction(1)}
    check = Check(ranking.by, "==", NEIGHBOURS, scale, Fraction(1), frozenset(), INFINITY)
    return judge(joined.with_columns(**neighbours), check)


def _neighbours(ranked: pl.DataFrame, ranking: Ranking, among: Sequence[str]) -> pl.DataFrame:
    """For each rank of each period (and vintage) the ends that those behind and before leave a figure.

    Of ends that are equal the excluded one binds: above 5 is more than at least 5.
    """
    rank, by, near = columns(ranking.rank.name), columns(ranking.by.name), columns(NEIGHBOURS.name)
    places = ranked.filter(pl.col(rank.value).is_not_null(), pl.col(by.low).is_not_null())
    low, high = pl.col(by.low), pl.col(by.high)
    lows = {"low": low.filter(by.low_closed).max(), "open_low": low.filter(~pl.col(by.low_closed)).max()}
    highs = {"high": high.filter(by.high_closed).min(), "open_high": high.filter(~pl.col(by.high_closed)).min()}
    ends = places.group_by(*among, rank.value).agg(**lows, **highs).sort(*among, rank.value)
    behind = {
        name: pl.col(name).fill_null(-INFINITY).cum_max(reverse=True).shift(-1).over(among).fill_null(-INFINITY)
        for name in lows
    }
    before = {
        name: pl.col(name).fill_null(INFINITY).cum_min().shift(1).over(among).fill_null(INFINITY) for name in highs
    }
    return ends.with_columns(**behind, **before).select(
        *among,
        rank.value,
        pl.max_horizontal(*lows).alias(near.low),
        pl.min_horizontal(*highs).alias(near.high),
        (pl.col("low") > pl.col("open_low")).alias(near.low_closed),
        (pl.col("high") < pl.col("open_high")).alias(near.high_closed),
    )


def _gap(symbol: str) -> pl.Expr:
    """The distance between the two sides; 0 where they meet."""
    return pl.when("meets").then(0.0).otherwise(apart(symbol).clip(lower_bound=0.0))


def _strain() -> pl.Expr:
    stated, implied = _middle("stated"), _middle("implied")
    widths = (pl.col("stated_high") - pl.col("stated_low") + pl.col("implied_high") - pl.col("implied_low")) / 2
    strain = (stated - implied).abs() / widths
    # Two points: equal is no strain at all, unequal more than any.
    return pl.when(widths == 0, stated == implied).then(0.0).when(strain.is_not_nan()).then(strain)


def _middle(side: str) -> pl.Expr:
    return (pl.col(f"{side}_low") + pl.col(f"{side}_high")) / 2


def _stated(check: Check) -> Operand | None:
    return check.stated if isinstance(check.stated, Operand) else None


def _step(check: Check) -> pl.Expr:
    """The step of the stated figure at the reading reported; null where what is stated is no single figure."""
    figure = _stated(check)
    if figure is None:
        return pl.lit(None, pl.Float64)
    names = columns(figure.name)
    coarser = pl.when(pl.col("level") == WIDEST).then(names.rungs)
    rung = coarser.otherwise(pl.min_horizontal(pl.lit(10.0).pow(pl.col("level").cast(pl.Float64)), names.rungs))
    return pl.col(names.step) * rung


def _size(check: Check) -> pl.Expr:
    """|stated|: its value, else the middle of its bounds."""
    figure = _stated(check)
    middle = _middle("stated")
    return (middle if figure is None else pl.coalesce(columns(figure.name).value, middle)).abs()


def _mde(check: Check) -> pl.Expr:
    figure = _stated(check)
    stated_low, stated_high = pl.col("stated_low"), pl.col("stated_high")
    if figure is not None:
        # Below 20 million claims nothing about the low end, though a count cannot be under zero.
        stated_low = pl.when(columns(figure.name).capped).then(float("-inf")).otherwise(stated_low)
    upward = _relative(stated_high - pl.col("implied_low"), pl.col("implied_low"))
    downward = _relative(pl.col("implied_high") - stated_low, pl.col("implied_high"))
    known = pl.col("meets").is_not_null()
    return pl.when(known).then(pl.max_horizontal(upward, downward).fill_null(float("inf")))


def _relative(distance: pl.Expr, reference: pl.Expr) -> pl.Expr:
    """A distance in units of a reference; null where either is unbounded, 0 where there is no distance."""
    bounded = distance.is_finite() & reference.is_finite()
    return pl.when(bounded).then(pl.when(distance == 0).then(0.0).otherwise(distance / reference.abs()))


def _verdict(check: Check) -> pl.Expr:
    agreed = pl.lit(Verdict.CONSISTENT.value)
    if check.has_power:
        agreed = pl.when(pl.col("mde") > check.material).then(pl.lit(Verdict.TOO_IMPRECISE.value)).otherwise(agreed)
    decided = pl.when("meets").then(agreed).when(~pl.col("meets")).then(pl.lit(Verdict.INCONSISTENT.value))
    return decided.otherwise(pl.lit(Verdict.NOT_CHECKABLE.value)).cast(VERDICT)


def _reason(check: Check) -> pl.Expr:
    """Why there is no verdict: a figure is flawed, an own one or one of a reference is missing, or a zero divides."""
    leaves = [leaf for side in (check.stated, check.implied) for leaf in operands(side)]
    flaw = pl.coalesce(columns(leaf.name).flaw for leaf in leaves)
    own = [pl.col(columns(leaf.name).low).is_null() for leaf in leaves if leaf.entity is None]
    reason = (
        pl.when(pl.col("meets").is_not_null())
        .then(pl.lit(None, pl.String))
        .when(flaw.is_not_null())
        .then(flaw)
        .when(pl.any_horizontal(own or [pl.lit(value=False)]))
        .then(pl.lit(Reason.MISSING_OPERAND.value))
        .when(~pl.col("complete"))
        .then(pl.lit(Reason.MISSING_REFERENCE.value))
        .otherwise(pl.lit(Reason.DIVISION_BY_ZERO.value))
    )
    return reason.cast(REASON)
