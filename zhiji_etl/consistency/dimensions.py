"""The dimensions of a rule, by Pint: what compares or adds two of them is refused when a schema loads.

In: a relation and the unit of each metric. Out: nothing, or a `RuleError` that names both dimensions and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from zhiji_etl.consistency.expressions import Expression, Relation, fold, formula
from zhiji_etl.errors import RuleError
from zhiji_etl.units import Dimension, dimension, in_words

CURRENCY: Final = re.compile(r"\[[A-Z]{3}\]")
ACROSS_CURRENCIES: Final = (
    'say the rate in the rule, as m.revenue == m.revenue_usd * m.rate("USD", "CNY"), which is that of the period; or'
    ' declare both in one currency and say how prints in the other convert, as zj.Quantity("CNY", fx="average")'
)
"""What to do about a rule across currencies: nothing converts silently."""


def check_dimensions(relation: Relation, units: Mapping[str, str], where: str) -> None:
    """Refuse a relation whose sides, or whose sums, differ in dimension.

    `units` gives the unit of each metric. Raises `RuleError` (`rule_dimension`) that names both dimensions.
    """
    left = _dimension(relation.left, units, where)
    right = _dimension(relation.right, units, where)
    if left != right:
        raise _unlike(formula(relation), left, right, where)


def _dimension(node: Expression, units: Mapping[str, str], where: str) -> Dimension:
    def joined(symbol: str, left: Dimension, right: Dimension) -> Dimension:
        """The dimension of two sides under one sign."""
        if symbol in ("*", "/"):
            return left.times(right, 1 if symbol == "*" else -1)
        if left != right:
            raise _unlike(formula(node), left, right, where)
        return left

    return fold(node, lambda leaf: dimension(units[leaf.metric]), lambda _: Dimension({}), joined)


def _unlike(text: str, left: Dimension, right: Dimension, where: str) -> RuleError:
    currencies = [{name for name in side.powers if CURRENCY.fullmatch(name)} for side in (left, right)]
    across = all(currencies) and currencies[0] != currencies[1]
    hint = "both must be of one dimension; percent and fractions convert, percentage points and currencies do not"
    return RuleError(
        "rule_dimension",
        f"{where}: `{text}` compares or adds {in_words(left)} and {in_words(right)}.",
        hint=ACROSS_CURRENCIES if across else hint,
    )
