"""Figures that stand more than once in an expression, such as a in `a / (a + b)`: which of their ends are to be tried.

In: an expression. Out: the ends of such figures in all combinations. Interval arithmetic takes a figure that stands
twice for two, and its ends are then wider than they are. Where an expression is a quotient of sums in each such figure,
all others held, it goes one way with it, unless a divisor passes zero: so its ends are at ends of these figures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from itertools import product
from typing import Final, NamedTuple

from zhiji_etl.consistency.rules.expressions import Expression, Operand, fold, operands

MOST: Final = 4
"""Figures whose ends are tried together; each more doubles the work, and without it ends are sound but wider."""


class _Degrees(NamedTuple):
    """The powers in which one figure stands above and below the line."""

    over: int
    under: int


def corners(node: Expression) -> list[Mapping[str, int]]:
    """Which end (0: low, 1: high) each figure is at that stands more than once, in all combinations; none without."""
    times = Counter(leaf.name for leaf in operands(node))
    names = [name for name, count in times.items() if count > 1 and _goes_one_way(node, name)][:MOST]
    return [dict(zip(names, ends, strict=True)) for ends in product((0, 1), repeat=len(names))] if names else []


def _goes_one_way(node: Expression, name: str) -> bool:
    def leaf(operand: Operand) -> _Degrees:
        """The figure itself, or any other."""
        return _Degrees(int(operand.name == name), 0)

    def constant(_: Fraction) -> _Degrees:
        """A number."""
        return _Degrees(0, 0)

    made: _Degrees = fold(node, leaf, constant, _joined)
    return made.over <= 1 and made.under <= 1


def _joined(symbol: str, left: _Degrees, right: _Degrees) -> _Degrees:
    if symbol == "*":
        return _Degrees(left.over + right.over, left.under + right.under)
    if symbol == "/":
        return _Degrees(left.over + right.under, left.under + right.over)
    return _Degrees(max(left.over + right.under, right.over + left.under), left.under + right.under)
