"""Rules as linear systems: what propagation and localisation calculate with.

In: a `Check` (readings.py) and the exact bounds of the operands of one row. Out: `Linear` rules (linear.py) over the
figures of that row, in base units. Sums, differences, orders and multiples are linear as they stand. A printed ratio
a = b / c is two inequalities in b and c, with the bounds of a as it is printed; a takes part as a gate: 0 while it is
believed, free where it is suspect. They turn with the sign of c, so that a ratio to what may be more or less than
nothing takes no part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from zhiji_etl.consistency.exact.linear import FREE, UNLIMITED, Bounds, Box, Linear, gate, linear, scaled, total
from zhiji_etl.consistency.exact.programs import feasible
from zhiji_etl.consistency.rules.expressions import Expression, Operand, fold

if TYPE_CHECKING:
    from zhiji_etl.consistency.rules.readings import Check

SHUT = Bounds(Fraction(0), Fraction(0))
"""The bounds of a gate whose ratio is believed."""


class Affine(NamedTuple):
    """A constant and a weighted sum of operands."""

    terms: Mapping[str, Fraction]
    constant: Fraction

    def times(self, factor: Fraction) -> Affine:
        """The same, multiplied by a number."""
        return Affine({name: weight * factor for name, weight in self.terms.items()}, self.constant * factor)

    def plus(self, other: Affine) -> Affine:
        """The sum of two."""
        names = {**self.terms, **other.terms}
        terms = {name: self.terms.get(name, Fraction(0)) + other.terms.get(name, Fraction(0)) for name in names}
        return Affine(terms, self.constant + other.constant)


class Quotient(NamedTuple):
    """One affine expression over another."""

    numerator: Affine
    denominator: Affine


class Template(NamedTuple):
    """A check in linear form: `over - ratio * under  symbol  0`, with `ratio` null where there is no printed ratio."""

    symbol: str
    over: Affine
    under: Affine
    ratio: str | None
    ratio_scale: Fraction


class NotLinearError(ArithmeticError):
    """A product or quotient of figures that no linear rule can say."""


ONE = Affine({}, Fraction(1))


def template(check: Check) -> Template | None:
    """The linear form of a check, null where it has none."""
    try:
        stated, implied = _quotient(check.stated, check), _quotient(check.implied, check)
        if not stated.denominator.terms and not implied.denominator.terms:
            left = stated.numerator.times(1 / stated.denominator.constant)
            right = implied.numerator.times(-1 / implied.denominator.constant)
            return Template(check.symbol, left.plus(right), ONE, None, Fraction(1))
    except (NotLinearError, ZeroDivisionError):
        return None
    if not isinstance(check.stated, Operand):
        return None
    scale = check.scale[check.stated.metric]
    return Template(check.symbol, implied.numerator, implied.denominator, check.stated.name, scale)


def ways(made: Template, box: Box) -> list[Template]:
    """The forms of which one has to hold, each with a divisor above zero: both sides of it are negated where it is
    below. Two where what is divided and the ratio ask for another sign than the figures of the divisor have within
    `box`, for any of them may be wrong; none where the sign is not known, and the divisor may be zero.

    A divisor that is not printed has the sign that the ratio and what stands above it give it.
    """
    if made.ratio is None:
        return [made]
    under = _ends(made.under, box)
    # What is printed as about nothing may be nothing, and nobody divides by that.
    told = _sign(under) or under.low is None or under.high is None
    signs = {_sign(under), _sign_of_quotient(made, box)} if told else set()
    below = made._replace(over=made.over.times(Fraction(-1)), under=made.under.times(Fraction(-1)))
    return [form for sign, form in ((1, made), (-1, below)) if sign in signs]


def rules_of_row(
    made: Template, name: str, box: Box, figures: Mapping[str, str], allowed: Box = UNLIMITED
) -> Iterator[Linear]:
    """The linear rules of one row: `box` gives the bounds of each operand, `figures` the figure that each one is.

    `allowed`: what each figure can be even where it is suspect.
    """
    if made.ratio is None:
        yield _compared(name, made.over, made.symbol, figures)
        return
    figure = figures[made.ratio]
    printed, can_be = (scaled(of, made.ratio_scale) for of in (box.get(made.ratio, FREE), allowed.get(figure, FREE)))
    if not printed.free or not can_be.free:
        # Without a printed ratio nobody divided: the divisor may be zero.
        yield _bounded(name, made.under, figures, {}, low_open=not printed.free)
    for ratio, opened in ((printed, Fraction(1)), (can_be, Fraction(0))):
        if ratio.high is not None and made.symbol in ("==", ">=", ">"):
            less, is_open = _less(made, ratio.high).times(Fraction(-1)), ratio.high_open or made.symbol == ">"
            yield _bounded(name, less, figures, {gate(figure): opened}, low_open=is_open)
        if ratio.low is not None and made.symbol in ("==", "<=", "<"):
            more, is_open = _less(made, ratio.low), ratio.low_open or made.symbol == "<"
            yield _bounded(name, more, figures, {gate(figure): -opened}, low_open=is_open)


def limits(node: Expression, check: Check) -> dict[str, Fraction]:
    """What a quotient of sums comes to as one of its figures grows without end, in base units: `(a + b) / (2 * a + c)`
    comes to 1/2 with `a`. Figures that it does not divide by, and other expressions, have no limit.
    """
    try:
        over, under = _quotient(node, check)
    except (NotLinearError, ZeroDivisionError):
        return {}
    return {name: over.terms.get(name, Fraction(0)) / weight for name, weight in under.terms.items() if weight}


def can_hold(made: Template, box: Box) -> bool:
    """Whether some values within the bounds of the operands hold; so where the sign of a divisor is not known."""
    gated = box if made.ratio is None else {**box, gate(made.ratio): SHUT}
    rules = (list(rules_of_row(form, "", box, {name: name for name in box})) for form in ways(made, box))
    return any([feasible(one, gated) for one in rules] or [True])


def _ends(of: Affine, box: Box) -> Bounds:
    """The bounds of a weighted sum."""
    found = total(linear("", of.terms), box)
    low, high = (None if end is None else end + of.constant for end in (found.low, found.high))
    return Bounds(low, high)


def _sign(of: Bounds) -> int:
    """1 or -1 for bounds on one side of zero, 0 where they are on both or are zero itself."""
    if of.point and of.low == 0:
        return 0
    if of.low is not None and of.low >= 0:
        return 1
    return -1 if of.high is not None and of.high <= 0 else 0


def _sign_of_quotient(made: Template, box: Box) -> int:
    """The sign of a divisor by what it divides and the ratio, where no figure stands both above and below the line, or
    by `rest = (ratio * factor - own) * divisor` where it is one figure; 0 where neither tells it.
    """
    if made.symbol != "==" or made.ratio is None or made.under.constant:
        return 0
    if made.under.terms.keys().isdisjoint(made.over.terms):
        ratio = Affine({made.ratio: made.ratio_scale}, Fraction(0))
        return _common_sign(_ends(made.over, box), _ends(ratio, box))
    if len(made.under.terms) != 1:
        return 0
    ((divisor, factor),) = made.under.terms.items()
    rest = Affine({name: weight for name, weight in made.over.terms.items() if name != divisor}, made.over.constant)
    multiple = Affine({made.ratio: made.ratio_scale * factor}, -made.over.terms.get(divisor, Fraction(0)))
    return _common_sign(_ends(rest, box), _ends(multiple, box)) * (1 if factor > 0 else -1)


def _common_sign(product: Bounds, factor: Bounds) -> int:
    """The sign of what a factor is multiplied by to give a product; 0 where both may be zero."""
    if product.holds(Fraction(0)) and factor.holds(Fraction(0)):
        return 0
    return _sign(product) * _sign(factor)


def _less(made: Template, ratio: Fraction) -> Affine:
    return made.over.plus(made.under.times(-ratio))


def _compared(name: str, difference: Affine, symbol: str, figures: Mapping[str, str]) -> Linear:
    """`difference symbol 0` as a rule."""
    limit = -difference.constant
    low = limit if symbol in ("==", ">=", ">") else None
    high = limit if symbol in ("==", "<=", "<") else None
    terms = [(figures[operand], weight) for operand, weight in difference.terms.items()]
    return linear(name, terms, low, high, low_open=symbol == ">", high_open=symbol == "<")


def _bounded(
    name: str,
    positive: Affine,
    figures: Mapping[str, str],
    opened_by: Mapping[str, Fraction],
    *,
    low_open: bool = False,
) -> Linear:
    """`positive + gate >= 0` as a rule, with the gate and its weight in `opened_by`."""
    terms = [(figures[operand], weight) for operand, weight in positive.terms.items()]
    return linear(name, [*terms, *opened_by.items()], -positive.constant, None, low_open=low_open)


def _quotient(node: Expression, check: Check) -> Quotient:
    def leaf(operand: Operand) -> Quotient:
        """One operand as a linear form, in base units."""
        return Quotient(Affine({operand.name: check.scale[operand.metric]}, Fraction(0)), ONE)

    return fold(node, leaf, lambda value: Quotient(Affine({}, value), ONE), _joined)


def _joined(symbol: str, left: Quotient, right: Quotient) -> Quotient:
    if symbol == "*":
        return Quotient(_product(left.numerator, right.numerator), _product(left.denominator, right.denominator))
    if symbol == "/":
        return Quotient(_product(left.numerator, right.denominator), _product(left.denominator, right.numerator))
    sign = Fraction(1 if symbol == "+" else -1)
    first = _product(left.numerator, right.denominator)
    second = _product(right.numerator, left.denominator).times(sign)
    return Quotient(first.plus(second), _product(left.denominator, right.denominator))


def _product(left: Affine, right: Affine) -> Affine:
    if not right.terms:
        return left.times(right.constant)
    if not left.terms:
        return right.times(left.constant)
    raise NotLinearError
