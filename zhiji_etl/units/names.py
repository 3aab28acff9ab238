"""What units are called: currencies by their codes, and the unit of a number that is printed without one.

In: unit names as readings give them (`CNY`, `percent`, `vehicle`, `USD/barrel`). Pint is not asked.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

BARE: Final = "count"
"""The unit of a number printed without one; it takes the noun of its metric."""


def is_currency(unit: str) -> bool:
    """Whether a unit name is written as an ISO 4217 code is: three capital letters."""
    return len(unit) == 3 and unit.isascii() and unit.isalpha() and unit.isupper()


@lru_cache(maxsize=1024)
def is_known_code(unit: str) -> bool:
    """Whether a unit name is the code of a currency that is or was: `USD` and `DEM`, not `TEU`."""
    from babel.numbers import is_currency as is_listed

    return is_currency(unit) and is_listed(unit)


def money(unit: str) -> str | None:
    """The currency that amounts of a unit are in: `USD` of `USD` and of `USD/vehicle`; null where there is none."""
    code = unit.partition("/")[0]
    return code if is_currency(code) else None
