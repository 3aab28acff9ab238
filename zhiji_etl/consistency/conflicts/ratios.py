"""What a printed ratio must be so that all other rules hold: the ends of a quotient that they leave its figures.

In: the linear rules and the box of a group, and the form of the ratio's rule. Out: bounds of the ratio in its own unit,
the tightest. All numbers are divided by the divisor, which makes the quotient a sum, and the rules remain linear
(A. Charnes, W. W. Cooper, Programming with linear fractional functionals, 1962).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Final

from zhiji_etl.consistency.exact.linear import FREE, Bounds, Box, Linear, gate, linear
from zhiji_etl.consistency.exact.programs import optimal
from zhiji_etl.consistency.rules.systems import Affine, Template

ONE: Final = "\0one"
"""What the number 1 becomes: 1 over the divisor."""

RATIO: Final = "\0ratio"


def ratio_bounds(rules: Sequence[Linear], box: Box, form: Template, figures: Mapping[str, str]) -> Bounds:
    """The bounds of the ratio of one form, its own print not regarded; `figures`: the figure of each operand.

    The divisor of the form is above zero (`ways`, systems.py).
    """
    if form.ratio is None:
        return FREE
    freed = {**box, figures[form.ratio]: FREE, gate(figures[form.ratio]): FREE}
    divided = [*_divided(rules, freed), _equal(form.under, figures, {}, 1)]
    divided.append(_equal(form.over, figures, {RATIO: -form.ratio_scale}, 0))
    # Every bound is a rule of the divisor now: nothing could be passed on before all of them are known.
    found = optimal(divided, {ONE: Bounds(Fraction(0), low_open=True)}, [RATIO])
    return FREE if found is None else _sided(found[RATIO].bounds, form)


# --- helpers ---------------------------------------------------------------------------------------------------------


def _divided(rules: Sequence[Linear], box: Box) -> Iterator[Linear]:
    """The rules, and the bounds of the figures as rules, with all numbers divided by the divisor."""
    own = {name: box.get(name, FREE) for rule in rules for name in rule.figures}
    boxed = (
        Linear("", ((name, Fraction(1)),), *(ends.low, ends.high, ends.low_open, ends.high_open))
        for name, ends in own.items()
    )
    for rule in (*rules, *boxed):
        if rule.low is not None:
            yield linear(rule.name, [*rule.coefficients, (ONE, -rule.low)], 0, None, low_open=rule.low_open)
        if rule.high is not None:
            yield linear(rule.name, [*rule.coefficients, (ONE, -rule.high)], None, 0, high_open=rule.high_open)


def _equal(side: Affine, figures: Mapping[str, str], beside: Mapping[str, Fraction], to: int) -> Linear:
    terms = [(figures[operand], weight) for operand, weight in side.terms.items()]
    return linear("", [*terms, *beside.items(), (ONE, side.constant)], to, to)


def _sided(quotient: Bounds, form: Template) -> Bounds:
    """An order binds the ratio at one end."""
    if form.symbol in ("<=", "<"):
        return Bounds(None, quotient.high, high_open=quotient.high_open)
    if form.symbol in (">=", ">"):
        return Bounds(quotient.low, None, quotient.low_open)
    return quotient
