"""Checks solved for one of their figures, be it that the figure stands more than once.

In: a `Check` (readings.py). Out: an expression of the others that the figure must equal; or the same check with one
figure on its stated side that is not on the other. It is solved for as it is written where all figures then stand once,
else after the linear form of the check.
"""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from functools import partial, reduce

from zhiji_etl.consistency.rules.expressions import (
    MIRRORED,
    Constant,
    Expression,
    Operand,
    Operation,
    Rate,
    Relation,
    operands,
    solve,
)
from zhiji_etl.consistency.rules.readings import Check
from zhiji_etl.consistency.rules.repeats import corners
from zhiji_etl.consistency.rules.systems import Affine, template


def isolated(check: Check, name: str) -> Expression | None:
    """What one figure must equal where the two sides are equal; None where that cannot be said."""
    solved = solve(Relation("==", check.stated, check.implied), name)
    if solved is not None and not corners(solved):
        return solved
    by_form = _by_linear_form(check, name)
    return solved if by_form is None else by_form


def parted(check: Check) -> Check:
    """The check with one figure on its stated side that is not on the other; as it is where it need not be changed."""
    both = {leaf.name for leaf in operands(check.stated)} & {leaf.name for leaf in operands(check.implied)}
    form = template(check) if both else None
    if form is None or form.ratio is not None:
        return check
    for name, leaf in _leaves(check).items():
        solved = None if isinstance(leaf, Rate) else _by_linear_form(check, name)
        if solved is not None:
            symbol = check.symbol if form.over.terms[name] > 0 else MIRRORED[check.symbol]
            return check._replace(stated=leaf, symbol=symbol, implied=solved, stated_scale=check.scale[leaf.metric])
    return check


def _by_linear_form(check: Check, name: str) -> Expression | None:
    form = template(check)
    if form is None or name not in check.names:
        return None
    sides = form.over, form.under
    over, under = (_sum(side, check, {name}) for side in sides)
    weight, own = (_weight(side, check, name) for side in (form.over, form.under))
    if form.ratio is None:
        return Operation("/", over, Constant(-weight)) if weight else None
    if form.ratio in form.over.terms or form.ratio in form.under.terms:
        return None
    if form.ratio == name:
        return Operation("/", over, under)
    ratio = _leaves(check)[form.ratio]
    beside = Operation("-", Constant(weight), Operation("*", ratio, Constant(own))) if own else Constant(weight)
    # A figure of both sides is taken out of the brackets: it stands once then, and may be without an end.
    both = form.over.terms.keys() & form.under.terms.keys() - {name}
    over, under = (_sum(side, check, {name, *both}) for side in sides)
    rest: Expression = Operation("-", Operation("*", ratio, under), over)
    for one in sorted(both):
        first, second = (_weight(side, check, one) for side in sides)
        factor = Operation("-", Operation("*", ratio, Constant(second)), Constant(first))
        rest = Operation("+", rest, Operation("*", factor, _leaves(check)[one]))
    return Operation("/", rest, beside)


def _leaves(check: Check) -> dict[str, Operand]:
    return {leaf.name: leaf for side in (check.stated, check.implied) for leaf in operands(side)}


def _weight(side: Affine, check: Check, name: str) -> Fraction:
    """What a figure is multiplied by, where all are in base units."""
    return side.terms.get(name, Fraction(0)) / check.scale[_leaves(check)[name].metric]


def _sum(side: Affine, check: Check, but: Collection[str]) -> Expression:
    """A weighted sum without some figures."""
    terms = [(leaf, _weight(side, check, name)) for name, leaf in _leaves(check).items() if name not in but]
    parts: list[Expression] = [leaf if weight == 1 else Constant(weight) * leaf for leaf, weight in terms if weight]
    parts += [Constant(side.constant)] if side.constant or not parts else []
    return reduce(partial(Operation, "+"), parts)
