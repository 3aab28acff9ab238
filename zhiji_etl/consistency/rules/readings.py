"""The readings of round numbers, tried from fine to coarse: at which one do stated and implied meet?

In: a wide frame (operands.py) and a `Check`: what is stated, what is implied. Out: the ends of both sides, the level of
the readings, and whether they meet. At level n each figure is read at the step `min(step * 10^n, step_max)`; level 0 is
the finest, WIDEST the coarsest admissible for every figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from typing import Final, NamedTuple

import polars as pl

from zhiji_etl.consistency.exact import intervals
from zhiji_etl.consistency.exact.linear import Bounds
from zhiji_etl.consistency.rules import bounds
from zhiji_etl.consistency.rules.bounds import Interval
from zhiji_etl.consistency.rules.expressions import Expression, Operand, fold, operands
from zhiji_etl.consistency.rules.operands import Columns, columns
from zhiji_etl.consistency.rules.repeats import corners
from zhiji_etl.consistency.rules.systems import can_hold, limits, template

NEAR: Final = 1e-9
"""Relative distance from touching within which floats do not decide."""

LARGEST: Final = 30
"""Columns that an expression may read: trees of products grow eightfold with each level, Polars' work more."""

WIDEST: Final = -1
"""The level of the coarsest admissible readings."""


class Check(NamedTuple):
    """One comparison: `stated symbol implied`, each metric in its unit.

    `scale` gives, per metric, the factor to the base unit in which the two sides are compared; `stated_scale` that of
    the stated side. `positive` names the metrics that cannot be negative. `material` is the relative error that must
    be noticed.
    """

    stated: Expression
    symbol: str
    implied: Expression
    scale: Mapping[str, Fraction]
    stated_scale: Fraction
    positive: frozenset[str]
    material: float

    @property
    def names(self) -> list[str]:
        """The names of its operands, each once."""
        return list(dict.fromkeys(leaf.name for side in (self.stated, self.implied) for leaf in operands(side)))

    @property
    def stated_own_scale(self) -> Mapping[str, Fraction]:
        """The scales by which the stated side comes out in its own unit: a figure that stands alone is as printed."""
        return {name: Fraction(1) for name in self.scale} if isinstance(self.stated, Operand) else self.scale

    @property
    def has_power(self) -> bool:
        """Only an equality can be too imprecise: an order is broken or it is not."""
        return self.symbol == "=="


def compare(wide: pl.DataFrame, check: Check) -> pl.DataFrame:
    """The wide frame, rows in the same order, compared at the finest level that meets, else at the widest.

    Adds `complete` (no operand is missing), `meets` (null where no comparison is possible), `level` (Int8), and
    `stated_low, stated_high, implied_low, implied_high` in the unit of the stated side.
    """
    missing = [pl.col(columns(name).low).is_null() for name in check.names]
    read = [field for name in check.names for field in columns(name).bounding]
    numbered = wide.lazy().select(read).with_row_index("__row")
    ready = numbered.with_columns(complete=~pl.any_horizontal(missing)).collect()
    parts = [part.drop(read) for part in _at_finest_meeting_level(ready, check)]
    made = parts[0] if len(parts) == 1 else pl.concat(parts).sort("__row")
    return wide.hstack(made.drop("__row"))


def fails_unprinted(frame: pl.DataFrame, check: Check, allowed: Mapping[str, tuple[float, float]]) -> pl.Series:
    """In which rows a check cannot hold though figures of it are not printed, each of them anything that is allowed.

    `allowed`: the ends of each metric. False where all figures are printed, and where bounds alone do not tell.
    """
    lacking = pl.any_horizontal([pl.col(columns(name).low).is_null() for name in check.names])
    read = [field for name in check.names for field in columns(name).bounding]
    rows = frame.lazy().select(read).with_row_index("__row").filter(lacking).collect()
    if rows.is_empty():
        return pl.repeat(value=False, n=frame.height, eager=True)
    filled: dict[str, pl.Expr] = {}
    for leaf in (leaf for side in (check.stated, check.implied) for leaf in operands(side)):
        names, (low, high) = columns(leaf.name), allowed[leaf.metric]
        ends_of_it = {names.low: low, names.high: high, names.low_closed: True, names.high_closed: True, names.rungs: 1}
        gap = pl.col(names.low).is_null()
        filled |= {name: pl.when(gap).then(pl.lit(end)).otherwise(name) for name, end in ends_of_it.items()}
    ready = rows.with_columns(complete=pl.lit(value=True), **filled)
    fails = _compare(ready, check, WIDEST).filter(~pl.col("meets")).get_column("__row")
    return pl.int_range(frame.height, eager=True, dtype=pl.UInt32).is_in(fails.implode())


def ends(frame: pl.DataFrame, node: Expression, check: Check, scale: Fraction) -> tuple[pl.Expr, pl.Expr]:
    """The bounds of an expression over a frame at the widest readings, in a unit of this scale."""
    found = _interval(frame, node, check, WIDEST)
    return found.low / float(scale), found.high / float(scale)


def _at_finest_meeting_level(frame: pl.DataFrame, check: Check) -> list[pl.DataFrame]:
    """The rows judged at the finest level where they meet, else at the widest.

    Where the widest divides by what may be zero, a finer one may still meet.
    """
    finest = _compare(frame, check, 0)
    if _top(frame, check) == 0:
        return [finest]
    undecided = finest.select((~pl.col("meets") & (_rungs(check) > 1)).fill_null(value=False)).to_series()
    if not undecided.any():
        return [finest]
    done, rest = [finest.filter(~undecided)], frame.filter(undecided)
    widest = _compare(rest, check, WIDEST)
    done.append(widest.filter(~pl.col("meets")))
    open_ = widest.get_column("meets").fill_null(value=True)
    rest, widest = rest.filter(open_), widest.filter(open_)
    for level in range(1, _top(rest, check) + 1):
        tried = _compare(rest, check, level)
        meets = tried.get_column("meets").fill_null(value=False)
        done.append(tried.filter(meets))
        rest, widest = rest.filter(~meets), widest.filter(~meets)
    return [*done, widest]


def _top(frame: pl.DataFrame, check: Check) -> int:
    """The highest level that any figure of the frame admits."""
    rungs = frame.select(_rungs(check).max()).item()
    return 0 if rungs is None or rungs <= 1 else len(str(round(rungs))) - 1


def _rungs(check: Check) -> pl.Expr:
    return pl.max_horizontal([pl.col(columns(name).rungs) for name in check.names])


def _compare(frame: pl.DataFrame, check: Check, level: int) -> pl.DataFrame:
    """The ends of both sides at one level, and whether they meet (null where the comparison is not possible)."""
    unit = 1 / float(check.stated_scale)
    stated = _interval(frame, check.stated, check._replace(scale=check.stated_own_scale), level)
    implied = _interval(frame, check.implied, check, level)
    columns_made = {
        "stated_low": stated.low,
        "stated_high": stated.high,
        "implied_low": pl.when("complete").then(implied.low * unit),
        "implied_high": pl.when("complete").then(implied.high * unit),
    }
    near = pl.col("__apart").abs() <= NEAR * pl.max_horizontal(_size("stated_low"), _size("stated_high"))
    compared = (
        frame.lazy()
        .with_columns(**columns_made, level=pl.lit(level, pl.Int8))
        .with_columns(__apart=apart(check.symbol))
        .with_columns(meets=pl.col("__apart") <= 0, __near=near)
    )
    return _decide_near(compared.drop("__apart").collect(), check, level).drop("__near")


def _size(end: str) -> pl.Expr:
    return pl.when(pl.col(end).is_finite()).then(pl.col(end).abs())


def apart(symbol: str) -> pl.Expr:
    """How far the two sides of compared rows are from allowing the relation: positive where they cannot."""
    above = pl.col("stated_low") - pl.col("implied_high")
    below = pl.col("implied_low") - pl.col("stated_high")
    if symbol == "==":
        return pl.max_horizontal(above, below)
    return above if symbol in ("<=", "<") else below


def _decide_near(compared: pl.DataFrame, check: Check, level: int) -> pl.DataFrame:
    """Rows where floats are within NEAR of touching are decided again in exact fractions, one by one: they are few."""
    if not compared.get_column("__near").any():
        return compared
    near = compared.filter("__near")
    exact = pl.Series([_meets_exactly(row, check, level) for row in near.iter_rows(named=True)], dtype=pl.Boolean)
    decided = near.select("__row", __exact=exact)
    joined = compared.join(decided, on="__row", how="left", maintain_order="left")
    return joined.with_columns(meets=pl.coalesce("__exact", "meets")).drop("__exact")


def _meets_exactly(row: Mapping[str, object], check: Check, level: int) -> bool:
    form = template(check) if corners(check.stated) or corners(check.implied) else None
    if form is not None:
        return can_hold(form, {name: exact_bounds(row, name, level) for name in check.names})

    def leaf(operand: Operand) -> Bounds:
        """The exact bounds of one operand, in base units."""
        scale = check.scale[operand.metric]
        return intervals.operation("*", exact_bounds(row, operand.name, level), intervals.constant(scale))

    stated = fold(check.stated, leaf, intervals.constant, intervals.operation)
    implied = fold(check.implied, leaf, intervals.constant, intervals.operation)
    return intervals.admits(check.symbol, stated, implied)


def exact_bounds(row: Mapping[str, object], name: str, level: int) -> Bounds:
    """The bounds of one operand of one row as exact fractions, at one level of its readings."""
    names = columns(name)
    low, high, value, rungs = (_exact(row[key]) for key in (names.low, names.high, names.value, names.rungs))
    if level != WIDEST and value is not None and rungs is not None and rungs > 1:
        share = min(Fraction(10) ** level, rungs) / rungs
        low = None if low is None else value - (value - low) * share
        high = None if high is None else value + (high - value) * share
    return Bounds(low, high, not row[names.low_closed], not row[names.high_closed])


def _exact(number: object) -> Fraction | None:
    # The shortest decimal that gives this float is the printed one, up to 15 significant digits.
    text = repr(number)
    return None if number is None or "inf" in text else Fraction(text)


def _interval(frame: pl.DataFrame, node: Expression, check: Check, level: int) -> Interval:
    leaf = partial(_leaf, frame, check, level)
    operation = partial(_kept_small, frame)
    made: Interval = fold(node, leaf, bounds.constant, operation)
    repeated = corners(node)
    if not repeated:
        return made
    known = {name: value for name, value in limits(node, check).items() if name in repeated[0]}
    leaves = {one.name: leaf(one) for one in operands(node) if one.name in known}
    tried = []
    for at in repeated:
        found = fold(node, partial(_at_end, leaf, at), bounds.constant, operation)
        # Of several figures without end the limit of any will do: that of all together lies between theirs.
        for name, value in known.items():
            one = leaves[name]
            found = _in_the_limit(found, one.high if at[name] else one.low, value)
        tried.append(_computed(frame, found))
    return bounds.hull(tried, _computed(frame, made))


def _kept_small(frame: pl.DataFrame, symbol: str, left: Interval, right: Interval) -> Interval:
    """Two intervals joined; where the expression would grow too large, what each comes to in the frame."""
    made = bounds.operation(symbol, left, right)
    return made if made.size <= LARGEST else bounds.operation(symbol, *(_computed(frame, one) for one in (left, right)))


def _computed(frame: pl.DataFrame, interval: Interval) -> Interval:
    if interval.size == 1:
        return interval
    low, high = frame.select(low=interval.low, high=interval.high).get_columns()
    return Interval(pl.lit(low), pl.lit(high), interval.positive)


def _in_the_limit(found: Interval, end: pl.Expr, limit: Fraction) -> Interval:
    """What an expression is with a figure at one of its ends, where that end is not bounded."""
    low, high = (pl.when(end.is_infinite()).then(float(limit)).otherwise(side) for side in (found.low, found.high))
    return Interval(low, high, found.positive)


def _at_end(leaf: Callable[[Operand], Interval], ends: Mapping[str, int], operand: Operand) -> Interval:
    """The bounds of an operand, or one of its ends where that is asked for and bounded."""
    made, end = leaf(operand), ends.get(operand.name)
    if end is None:
        return made
    if end == 0:
        return made._replace(high=pl.when(made.low.is_finite()).then(made.low).otherwise(made.high))
    return made._replace(low=pl.when(made.high.is_finite()).then(made.high).otherwise(made.low))


def _leaf(frame: pl.DataFrame, check: Check, level: int, operand: Operand) -> Interval:
    names = columns(operand.name)
    low, high = pl.col(names.low), pl.col(names.high)
    if level != WIDEST and frame.get_column(names.rungs).max() not in (None, 1.0):
        low, high = _at_level(names, level)
    scale = float(check.scale[operand.metric])
    if scale != 1.0:
        low, high = low * scale, high * scale
    return Interval(low, high, operand.metric in check.positive)


def _at_level(names: Columns, level: int) -> tuple[pl.Expr, pl.Expr]:
    """The ends at a finer reading: the widest half-widths shrink with the step."""
    value, low, high, rungs = (pl.col(name) for name in (names.value, names.low, names.high, names.rungs))
    share = pl.min_horizontal(rungs, 10.0**level) / rungs
    laddered = pl.when(rungs > 1)
    return (
        laddered.then(value - (value - low) * share).otherwise(low),
        laddered.then(value + (high - value) * share).otherwise(high),
    )
