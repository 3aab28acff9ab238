"""Interval arithmetic in exact fractions, open and closed ends kept: what decides a verdict close to touching.

In and out: `Bounds` (linear.py), None where an end is not bounded. The same formulas as `bounds`, on one row.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from zhiji_etl.consistency.linear import FREE, Bounds


class End(NamedTuple):
    """One end: its value (None: unbounded) and whether it is excluded."""

    value: Fraction | None
    excluded: bool


def constant(value: Fraction) -> Bounds:
    """A number without width."""
    return Bounds(value, value)


def operation(symbol: str, left: Bounds, right: Bounds) -> Bounds:
    """Two bounds joined by `+`, `-`, `*` or `/`; a divisor that may be zero leaves nothing known."""
    if symbol == "+":
        return _sum(left, right)
    if symbol == "-":
        return _sum(left, _negative(right))
    if symbol == "*":
        return _product(left, right)
    return _product(left, _reciprocal(right))


def admits(symbol: str, left: Bounds, right: Bounds) -> bool:
    """Whether some number of the left and some number of the right stand in the relation `== <= >= < >`."""
    if symbol == "==":
        return not left.meet(right).empty
    if symbol in (">=", ">"):
        left, right = right, left
    if left.low is None or right.high is None:
        return True
    strict = symbol in ("<", ">") or left.low_open or right.high_open
    return left.low < right.high or (left.low == right.high and not strict)


def _sum(left: Bounds, right: Bounds) -> Bounds:
    low = None if left.low is None or right.low is None else left.low + right.low
    high = None if left.high is None or right.high is None else left.high + right.high
    return Bounds(low, high, left.low_open or right.low_open, left.high_open or right.high_open)


def _negative(bounds: Bounds) -> Bounds:
    low = None if bounds.high is None else -bounds.high
    high = None if bounds.low is None else -bounds.low
    return Bounds(low, high, bounds.high_open, bounds.low_open)


def _reciprocal(bounds: Bounds) -> Bounds:
    low, high = bounds.low, bounds.high
    if low is not None and low > 0:
        return Bounds(_one_over(high), 1 / low, bounds.high_open or high is None, bounds.low_open)
    if high is not None and high < 0:
        return Bounds(1 / high, _one_over(low), bounds.high_open, bounds.low_open or low is None)
    if low == 0 and (high is None or high > 0):
        return Bounds(_one_over(high), None, bounds.high_open or high is None)
    return FREE


def _one_over(value: Fraction | None) -> Fraction:
    return Fraction(0) if value is None else 1 / value


def _product(left: Bounds, right: Bounds) -> Bounds:
    if FREE in (left, right):
        return FREE
    corners = [_corner(a, b) for a in _ends(left) for b in _ends(right)]
    if any(corner is None for corner in corners):
        return _half_bounded_product(left, right)
    known = [corner for corner in corners if corner is not None and corner.value is not None]
    low = min(known, key=lambda end: (end.value, end.excluded))
    high = max(known, key=lambda end: (end.value, not end.excluded))
    return Bounds(low.value, high.value, low.excluded, high.excluded)


def _ends(bounds: Bounds) -> tuple[End, End]:
    return End(bounds.low, bounds.low_open), End(bounds.high, bounds.high_open)


def _corner(left: End, right: End) -> End | None:
    """The product of two ends; None where an unbounded end meets one that is not zero."""
    for one, other in ((left, right), (right, left)):
        if one.value == 0 and (other.value is None or not one.excluded):
            return End(Fraction(0), one.excluded)
    if left.value is None or right.value is None:
        return None
    return End(left.value * right.value, left.excluded or right.excluded)


def _half_bounded_product(left: Bounds, right: Bounds) -> Bounds:
    """Where an end is unbounded, what the signs alone give: exact for factors that are not negative."""
    if left.low is None or right.low is None or left.low < 0 or right.low < 0:
        return FREE
    low = _corner(End(left.low, left.low_open), End(right.low, right.low_open))
    return Bounds(low.value, None, low.excluded) if low else FREE
