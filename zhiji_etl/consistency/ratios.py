"""What a printed ratio must be so that all other rules hold: a quotient of what they leave its figures.

In: the linear rules and the box of a group, and the form of the ratio's rule. Out: bounds of the ratio in its own unit.
Exact where no rule ties its figures to each other; else sound, and perhaps wider than need be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from zhiji_etl.consistency.intervals import constant, operation
from zhiji_etl.consistency.linear import FREE, Bounds, Box, Linear, gate
from zhiji_etl.consistency.programs import implied
from zhiji_etl.consistency.systems import Affine, Template


def ratio_bounds(rules: Sequence[Linear], box: Box, form: Template, figures: Mapping[str, str]) -> Bounds:
    """The bounds of the ratio of one form, its own print not regarded; `figures`: the figure of each operand."""
    if form.ratio is None:
        return FREE
    name = figures[form.ratio]
    operands = {**form.over.terms, **form.under.terms}
    found = implied(rules, {**box, name: FREE, gate(name): FREE}, [figures[one] for one in operands])
    if found is None:
        return FREE
    return _sided(_quotient(form, {one: found[figures[one]].bounds for one in operands}), form)


# --- helpers ---------------------------------------------------------------------------------------------------------


def _quotient(form: Template, known: Box) -> Bounds:
    """`over / under`; the divisor's own part of what stands above it is taken out, so that it stands only once."""
    if len(form.under.terms) != 1 or form.under.constant:
        return operation("/", _sum(form.over, known), _sum(form.under.times(form.ratio_scale), known))
    ((divisor, factor),) = form.under.terms.items()
    rest = Affine({one: weight for one, weight in form.over.terms.items() if one != divisor}, form.over.constant)
    share = operation("/", _sum(rest, known), known[divisor])
    whole = operation("+", share, constant(form.over.terms.get(divisor, Fraction(0))))
    return operation("/", whole, constant(factor * form.ratio_scale))


def _sum(of: Affine, known: Box) -> Bounds:
    total = constant(of.constant)
    for operand, weight in of.terms.items():
        total = operation("+", total, operation("*", constant(weight), known[operand]))
    return total


def _sided(quotient: Bounds, form: Template) -> Bounds:
    """An order binds the ratio at one end."""
    if form.symbol in ("<=", "<"):
        return Bounds(None, quotient.high, high_open=quotient.high_open)
    if form.symbol in (">=", ">"):
        return Bounds(quotient.low, None, quotient.low_open)
    return quotient
