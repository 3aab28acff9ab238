"""Linear rules and bounds in exact fractions: the words in which propagation, programs and localisation speak.

In: numbers as Fraction, int, Decimal or decimal text (never a float that was not printed). Out: `Bounds` of one
figure, `Linear` rules `low <= sum(c * x) <= high`, and the `Half` rules `sum(c * x) <= limit` they consist of.
Units: whoever builds a rule brings all its figures to one unit first; here are pure numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

Number = Fraction | int | Decimal | str
"""What converts to a Fraction without loss."""


class Bounds(NamedTuple):
    """What a figure may be: `low` to `high`, None where an end is not bounded, open where the end is excluded."""

    low: Fraction | None = None
    high: Fraction | None = None
    low_open: bool = False
    high_open: bool = False

    @property
    def free(self) -> bool:
        """Nothing is known: the figure is not printed, or freed as suspect."""
        return self.low is None and self.high is None

    @property
    def empty(self) -> bool:
        """No number lies within."""
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    @property
    def point(self) -> bool:
        """Exactly one number lies within."""
        return self.low is not None and self.low == self.high and not self.empty

    def holds(self, value: Fraction) -> bool:
        """Whether the value lies within, open ends honoured."""
        above = self.low is None or value > self.low or (value == self.low and not self.low_open)
        below = self.high is None or value < self.high or (value == self.high and not self.high_open)
        return above and below

    def meet(self, other: Bounds) -> Bounds:
        """The numbers in both; empty where there are none."""
        low, low_open = _inner((self.low, self.low_open), (other.low, other.low_open), 1)
        high, high_open = _inner((self.high, self.high_open), (other.high, other.high_open), -1)
        return Bounds(low, high, low_open, high_open)


FREE = Bounds()
"""The bounds of a figure that nobody printed."""

GATE = "\0gate"
"""What tells the gate of a figure from the figure itself."""

Box = Mapping[str, Bounds]
"""The bounds of each figure by name; a figure that is absent is free."""

UNLIMITED: Box = {}
"""Figures that can be anything."""


class Linear(NamedTuple):
    """One rule: `low <= sum(coefficient * figure) <= high`, strict where an end is open.

    Several `Linear` may carry one name: the pieces of one rule, which hold or fail together (a printed ratio is two).
    """

    name: str
    coefficients: tuple[tuple[str, Fraction], ...]
    low: Fraction | None
    high: Fraction | None
    low_open: bool = False
    high_open: bool = False

    @property
    def figures(self) -> tuple[str, ...]:
        """The figures that the rule ties, in its order."""
        return tuple(name for name, _ in self.coefficients)

    @property
    def bounds(self) -> Bounds:
        """What the weighted sum may be."""
        return Bounds(self.low, self.high, self.low_open, self.high_open)


class Half(NamedTuple):
    """One side of a rule: `sum(coefficient * figure) <= limit`, `<` where strict."""

    name: str
    terms: tuple[tuple[str, Fraction], ...]
    limit: Fraction
    strict: bool


def bounds(low: Number | None, high: Number | None, *, low_open: bool = False, high_open: bool = False) -> Bounds:
    """Bounds from any exact numbers; None is no bound."""
    return Bounds(exact(low), exact(high), low_open, high_open)


def exact(number: Number | None) -> Fraction | None:
    """The number as a Fraction, None as None."""
    return None if number is None else Fraction(number)


def linear(
    name: str,
    coefficients: Mapping[str, Number] | Iterable[tuple[str, Number]],
    low: Number | None = None,
    high: Number | None = None,
    *,
    low_open: bool = False,
    high_open: bool = False,
) -> Linear:
    """A rule `low <= sum(c * x) <= high`; terms of one figure are added up and zeros left out."""
    pairs = coefficients.items() if isinstance(coefficients, Mapping) else coefficients
    sums: dict[str, Fraction] = {}
    for figure, coefficient in pairs:
        sums[figure] = sums.get(figure, Fraction(0)) + Fraction(coefficient)
    terms = tuple((figure, coefficient) for figure, coefficient in sums.items() if coefficient)
    return Linear(name, terms, exact(low), exact(high), low_open, high_open)


def balance(name: str, parts: Iterable[str], total: str) -> Linear:
    """The sum rule `a + b + c = t`."""
    return linear(name, [*((part, 1) for part in parts), (total, -1)], 0, 0)


def order(name: str, smaller: str, larger: str, *, strict: bool = False) -> Linear:
    """The order rule `a <= b`, or `a < b`."""
    return linear(name, {smaller: 1, larger: -1}, None, 0, high_open=strict)


def gate(figure: str) -> str:
    """The variable by which a printed ratio takes part in its rule: shut at 0 while the figure is believed."""
    return figure + GATE


def owner(name: str) -> str:
    """The figure that a gate belongs to; any other name is its own."""
    return name.removesuffix(GATE)


def halves(rules: Iterable[Linear]) -> Iterator[Half]:
    """The one-sided inequalities that the rules consist of, `>=` turned into `<=`."""
    for rule in rules:
        if rule.high is not None:
            yield Half(rule.name, rule.coefficients, rule.high, rule.high_open)
        if rule.low is not None:
            terms = tuple((figure, -coefficient) for figure, coefficient in rule.coefficients)
            yield Half(rule.name, terms, -rule.low, rule.low_open)


def total(rule: Linear, box: Box) -> Bounds:
    """The bounds of the rule's weighted sum, each figure anywhere in its own bounds."""
    result = Bounds(Fraction(0), Fraction(0))
    for figure, coefficient in rule.coefficients:
        result = _plus(result, scaled(box.get(figure, FREE), coefficient))
    return result


def satisfied(rule: Linear, box: Box) -> bool:
    """Whether the rule can hold on its own, each figure anywhere in its own bounds."""
    return not total(rule, box).meet(rule.bounds).empty


def scaled(of: Bounds, factor: Fraction) -> Bounds:
    """Bounds times a number that is not zero; a negative number turns the ends round."""
    low = None if of.low is None else of.low * factor
    high = None if of.high is None else of.high * factor
    if factor > 0:
        return Bounds(low, high, of.low_open, of.high_open)
    return Bounds(high, low, of.high_open, of.low_open)


# --- helpers ---------------------------------------------------------------------------------------------------------


def _inner(
    one: tuple[Fraction | None, bool], other: tuple[Fraction | None, bool], side: int
) -> tuple[Fraction | None, bool]:
    """The tighter of two ends: the greater of two low ends (side 1), the lesser of two high ends (side -1)."""
    if one[0] is None or other[0] is None:
        return other if one[0] is None else one
    if one[0] == other[0]:
        return one[0], one[1] or other[1]
    return one if (one[0] > other[0]) == (side > 0) else other


def _plus(one: Bounds, other: Bounds) -> Bounds:
    low = None if one.low is None or other.low is None else one.low + other.low
    high = None if one.high is None or other.high is None else one.high + other.high
    return Bounds(low, high, one.low_open or other.low_open, one.high_open or other.high_open)
