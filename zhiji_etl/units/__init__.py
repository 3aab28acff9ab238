"""Units: what they are called, what Pint says of them, and the factors that Polars joins.

`registry` is the only caller of Pint, `measures` remembers its answers between runs, `factors` converts one unit into
another. Every currency and every counted noun is a dimension of its own, so that vehicles never add to employees and
yuan never become dollars without a rate. A percentage point is not a percent.
"""

from zhiji_etl.units.factors import base_factor, counts, factor, factors
from zhiji_etl.units.measures import Dimension, dimension, in_words, is_own
from zhiji_etl.units.names import BARE, is_currency, is_known_code, money
from zhiji_etl.units.registry import quantity

__all__ = [
    "BARE",
    "Dimension",
    "base_factor",
    "counts",
    "dimension",
    "factor",
    "factors",
    "in_words",
    "is_currency",
    "is_known_code",
    "is_own",
    "money",
    "quantity",
]
