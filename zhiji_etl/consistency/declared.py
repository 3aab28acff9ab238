"""Declared precision: bounds of a value with stated decimals, digits beyond them, and the same figure stated twice.

In: the value as Decimal and its decimals (2: hundredths, -3: thousands; None: exact). Out: `Bounds`. Source: XBRL
Calculations 1.1 (rounding and truncation intervals, excess digits, duplicates), SEC EDGAR Filer Manual 6.5.30.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from functools import reduce

from zhiji_etl.consistency.linear import FREE, Bounds

Stated = tuple[Decimal | None, int | None]
"""A value and its decimals; a value None is stated to be nil, decimals None: exact."""


def declared_bounds(value: Decimal, decimals: int | None, *, truncated: bool = False) -> Bounds:
    """What a value with declared decimals can have been: half a unit to both sides, both ends closed.

    `truncated`: `[v, v + u)` for v > 0, mirrored for v < 0, `(-u, u)` for 0.
    """
    at = Fraction(value)
    if decimals is None:
        return Bounds(at, at)
    unit = Fraction(10) ** -decimals
    if not truncated:
        return Bounds(at - unit / 2, at + unit / 2)
    low, high = (at - unit if at <= 0 else at), (at + unit if at >= 0 else at)
    return Bounds(low, high, low_open=at <= 0, high_open=at >= 0)


def excess_digits(value: Decimal, decimals: int | None) -> Fraction:
    """What the value has beyond its declared decimals, without sign; 0 where it has nothing."""
    if decimals is None:
        return Fraction(0)
    return abs(Fraction(value)) % (Fraction(10) ** -decimals)


def duplicates(stated: Iterable[Stated], *, truncated: bool = False) -> Bounds | None:
    """The bounds that statements of one figure have in common, free where all are nil; None where they are defective.

    Defective: nothing in common, a number beside a nil, or two of the same decimals with another value, which closed
    bounds that only touch would hide.
    """
    listed = list(stated)
    numbers = [(value, decimals) for value, decimals in listed if value is not None]
    common = reduce(Bounds.meet, (declared_bounds(v, d, truncated=truncated) for v, d in numbers), FREE)
    by_decimals: dict[int | None, Decimal] = {}
    same = all(by_decimals.setdefault(decimals, value) == value for value, decimals in numbers)
    mixed = 0 < len(numbers) < len(listed)
    return None if mixed or common.empty or not same else common
