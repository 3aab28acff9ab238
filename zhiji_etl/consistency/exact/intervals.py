"""Interval arithmetic in exact fractions, open and closed ends kept: what decides a verdict close to touching.

In and out: `Bounds` (linear.py), None where an end is not bounded. The same formulas as `bounds`, on one row.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final, NamedTuple

from zhiji_etl.consistency.exact.linear import FREE, Bounds

UNBOUNDED: Final = float("inf")
"""Stands for an end that is not bounded; Python compares it with fractions exactly."""


class End(NamedTuple):
    """One end: its value (plus or minus infinity where it is not bounded) and whether it is excluded."""

    value: Fraction | float
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
    low = min(corners, key=lambda end: (end.value, end.excluded))
    high = max(corners, key=lambda end: (end.value, not end.excluded))
    return Bounds(_bounded(low), _bounded(high), low.excluded, high.excluded)


def _ends(bounds: Bounds) -> tuple[End, End]:
    low = -UNBOUNDED if bounds.low is None else bounds.low
    return End(low, bounds.low_open), End(UNBOUNDED if bounds.high is None else bounds.high, bounds.high_open)


def _corner(left: End, right: End) -> End:
    """The product of two ends. Nothing times any number, however large, is nothing."""
    zeros = [end.excluded for end in (left, right) if end.value == 0]
    if zeros:
        return End(Fraction(0), all(zeros))
    if isinstance(left.value, Fraction) and isinstance(right.value, Fraction):
        return End(left.value * right.value, left.excluded or right.excluded)
    return End(UNBOUNDED if (left.value > 0) == (right.value > 0) else -UNBOUNDED, excluded=False)


def _bounded(end: End) -> Fraction | None:
    return end.value if isinstance(end.value, Fraction) else None
