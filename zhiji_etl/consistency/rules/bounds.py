"""Interval arithmetic as Polars expressions: the bounds of an expression from the bounds of its operands.

In: columns with the low and high end of each operand, in Float64; an end that is not bounded is inf, null is unknown.
Out: two expressions, the low and the high end. Closed and open ends are told apart only near touching, exactly, in
`intervals`. Where every operand is known not to be negative, products and quotients need no comparison of corners.

Source of the formulas: R. E. Moore, R. B. Kearfott, M. J. Cloud, Introduction to Interval Analysis, SIAM 2009, ch. 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

import polars as pl

INFINITY = float("inf")

OF_CORNERS: Final = 8
"""How often each operand stands in the least or largest of four corners: in each corner twice, be it null or not."""


class Interval(NamedTuple):
    """Two ends as Polars expressions, whether the low one is known not to be negative, and how large an expression is.

    An expression is a tree: what stands in it several times is there several times, and counts so in `size`.
    """

    low: pl.Expr
    high: pl.Expr
    positive: bool = False
    size: int = 1


def constant(value: Fraction) -> Interval:
    """A number without width."""
    end = pl.lit(float(value))
    return Interval(end, end, value >= 0)


def operation(symbol: str, left: Interval, right: Interval) -> Interval:
    """Two intervals joined by `+`, `-`, `*` or `/`."""
    return {"+": _sum, "-": _difference, "*": _product, "/": _quotient}[symbol](left, right)


def hull(parts: Sequence[Interval], whole: Interval) -> Interval:
    """From the lowest end of the parts to the highest, where the whole that they are parts of is known."""
    low, high = _smallest([part.low for part in parts]), _largest([part.high for part in parts])
    known = whole.low.is_not_null() & whole.high.is_not_null()
    return Interval(
        pl.when(known).then(pl.coalesce(low, whole.low)),
        pl.when(known).then(pl.coalesce(high, whole.high)),
        whole.positive,
        3 * whole.size + 2 * sum(part.size for part in parts),
    )


def _sum(left: Interval, right: Interval) -> Interval:
    positive = left.positive and right.positive
    return Interval(left.low + right.low, left.high + right.high, positive, left.size + right.size)


def _difference(left: Interval, right: Interval) -> Interval:
    return Interval(left.low - right.high, left.high - right.low, size=left.size + right.size)


def _product(left: Interval, right: Interval) -> Interval:
    if left.positive and right.positive:
        low, high = _no_times_unbounded(left.low * right.low), _no_times_unbounded(left.high * right.high)
        return Interval(low, high, True, left.size + right.size)
    corners = [_no_times_unbounded(a * b) for a in (left.low, left.high) for b in (right.low, right.high)]
    return Interval(_smallest(corners), _largest(corners), size=OF_CORNERS * (left.size + right.size))


def _quotient(left: Interval, right: Interval) -> Interval:
    if left.positive and right.positive:
        # A divisor that may be zero leaves the quotient unbounded above, but for that of nothing; one that must be zero
        # leaves it unknown.
        most = pl.when(left.high == 0).then(0.0).otherwise((left.high / right.low).fill_nan(INFINITY))
        high = pl.when(right.high > 0).then(most)
        low = pl.when(right.high > 0).then((left.low / right.high).fill_nan(0.0))
        return Interval(low, high, True, 2 * (left.size + right.size))
    signed = (right.low > 0) | (right.high < 0)
    corners = [(a / b).fill_nan(0.0) for a in (left.low, left.high) for b in (right.low, right.high)]
    low, high = pl.when(signed).then(_smallest(corners)), pl.when(signed).then(_largest(corners))
    return Interval(low, high, size=(OF_CORNERS + 1) * (left.size + right.size))


def _no_times_unbounded(product: pl.Expr) -> pl.Expr:
    """Nothing times any number, however large, is nothing: floats call zero times infinity NaN."""
    return product.fill_nan(0.0)


def _smallest(corners: list[pl.Expr]) -> pl.Expr:
    return _unless_unknown(pl.min_horizontal(corners), corners)


def _largest(corners: list[pl.Expr]) -> pl.Expr:
    return _unless_unknown(pl.max_horizontal(corners), corners)


def _unless_unknown(found: pl.Expr, corners: list[pl.Expr]) -> pl.Expr:
    # min_horizontal and max_horizontal pass over nulls; an unknown operand must leave the result unknown.
    return pl.when(pl.all_horizontal([corner.is_not_null() for corner in corners])).then(found)
