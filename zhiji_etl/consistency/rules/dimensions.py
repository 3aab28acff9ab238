"""The dimensions of a rule, by Pint: what compares or adds two of them is refused when a schema loads.

In: a relation and the unit of each metric. Out: nothing, or a `RuleError` that names both dimensions and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Final, NamedTuple

from zhiji_etl.consistency.rules.expressions import Expression, Relation, fold, formula
from zhiji_etl.errors import RuleError
from zhiji_etl.units import Dimension, dimension, in_words

CURRENCY: Final = re.compile(r"\[[A-Z]{3}\]")
ACROSS_CURRENCIES: Final = (
    'say the rate in the rule, as m.revenue == m.revenue_usd * m.rate("USD", "CNY"), which is that of the period; or'
    ' declare both in one currency and say how prints in the other convert, as zj.Quantity("CNY", fx="average")'
)
"""What to do about a rule across currencies: nothing converts silently."""


NUMBER: Final = Dimension({})
POINTS: Final = Dimension({"[percentage_point]": Fraction(1)})


class _Kind(NamedTuple):
    """The dimension of an expression, and whether it is a difference, as of two percentages.

    A number that is written in the rule is neither a difference nor what one is taken of: `1 - m.share` is a share.
    """

    dimension: Dimension
    is_difference: bool | None = False


def check_dimensions(relation: Relation, units: Mapping[str, str], where: str) -> None:
    """Refuse a relation whose sides, or whose sums, differ in dimension.

    The difference of two percentages is in percentage points, and points move a percentage; else the two do not mix.
    `units` gives the unit of each metric. Raises `RuleError` (`rule_dimension`) that names both dimensions.
    """
    left, right = _kind(relation.left, units, where), _kind(relation.right, units, where)
    are_points = POINTS in (left.dimension, right.dimension) and all(_is_change(side) for side in (left, right))
    if left.dimension != right.dimension and not are_points:
        raise _unlike(formula(relation), left.dimension, right.dimension, where)


def _kind(node: Expression, units: Mapping[str, str], where: str) -> _Kind:
    def joined(symbol: str, left: _Kind, right: _Kind) -> _Kind:
        """The kind of two sides under one sign."""
        if symbol in ("*", "/"):
            return _Kind(left.dimension.times(right.dimension, 1 if symbol == "*" else -1))
        if left.dimension == right.dimension:
            alike = left.is_difference == right.is_difference
            return _Kind(left.dimension, alike and (symbol == "-" or left.is_difference))
        if (left.dimension, right.dimension) == (NUMBER, POINTS):
            return left
        if (left.dimension, right.dimension) == (POINTS, NUMBER) and (symbol == "+" or right.is_difference):
            return right
        raise _unlike(formula(node), left.dimension, right.dimension, where)

    return fold(node, lambda leaf: _Kind(dimension(units[leaf.metric])), lambda _: _Kind(NUMBER, None), joined)


def _is_change(side: _Kind) -> bool:
    return side.dimension == POINTS or side.is_difference is True


def _unlike(text: str, left: Dimension, right: Dimension, where: str) -> RuleError:
    currencies = [{name for name in side.powers if CURRENCY.fullmatch(name)} for side in (left, right)]
    across = all(currencies) and currencies[0] != currencies[1]
    hint = "both must be of one dimension; percent and fractions convert, percentage points and currencies do not"
    if NUMBER in (left, right) and POINTS in (left, right):
        hint = "a difference of two percentages is in percentage points: m.change == m.share - m.previous.share"
    return RuleError(
        "rule_dimension",
        f"{where}: `{text}` compares or adds {in_words(left)} and {in_words(right)}.",
        hint=ACROSS_CURRENCIES if across else hint,
    )
