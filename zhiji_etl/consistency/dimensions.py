"""The dimensions of a rule, by Pint: what compares or adds two of them is refused when a schema loads.

In: a relation and the unit of each metric. Out: nothing, or a `RuleError` that names both dimensions and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from zhiji_etl.consistency.expressions import Expression, Relation, fold, formula
from zhiji_etl.errors import RuleError

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


def _dimension(node: Expression, units: Mapping[str, str], where: str) -> Any:
    def joined(symbol: str, left: Any, right: Any) -> Any:
        """The dimension of two sides under one sign."""
        if symbol == "*":
            return left * right
        if symbol == "/":
            return left / right
        if left != right:
            raise _unlike(formula(node), left, right, where)
        return left

    from zhiji_etl.units import unit_of

    dimensionless = unit_of("percent").dimensionality
    return fold(node, lambda leaf: unit_of(units[leaf.metric]).dimensionality, lambda _: dimensionless, joined)


def _unlike(text: str, left: Any, right: Any, where: str) -> RuleError:
    currencies = [{name for name in dimensions if CURRENCY.fullmatch(name)} for dimensions in (left, right)]
    across = all(currencies) and currencies[0] != currencies[1]
    hint = "both must be of one dimension; percent and fractions convert, percentage points and currencies do not"
    return RuleError(
        "rule_dimension",
        f"{where}: `{text}` compares or adds {left} and {right}.",
        hint=ACROSS_CURRENCIES if across else hint,
    )
