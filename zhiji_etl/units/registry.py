"""The one Pint registry, and what it says of a unit. Nothing else in this library calls Pint.

In: unit names (`CNY`, `vehicle`, `USD/barrel`). Out: Pint quantities, and for each unit its dimension and the exact
factor that turns it into base units. Currencies and nouns that Pint does not know become dimensions of their own.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from zhiji_etl.errors import UnitError

if TYPE_CHECKING:
    import pint

DEFINITIONS: Final = (
    "hundred_percentage_points = [percentage_point]",
    "percentage_point = 0.01 * hundred_percentage_points",
    "basis_point = 0.01 * percentage_point",
    "rank = [rank]",
    "multiple = []",
    "square_centimetre = centimetre ** 2",
    "square_metre = metre ** 2",
    "square_kilometre = kilometre ** 2",
    "cubic_centimetre = centimetre ** 3",
    "cubic_metre = metre ** 3",
    "half_kilogram = 0.5 * kilogram",
    "pound_weight = pound",
    "newton_metre = newton * metre",
    "watt_peak = watt",
    "exajoule = 1000000000000000000 * joule",
    "thousand_barrel = 1000 * barrel",
    "million_barrel = 1000000 * barrel",
    "million_british_thermal_unit = 1000000 * british_thermal_unit",
)
"""What Pint does not have, or calls otherwise than readings do.

A percentage point is 1/100 in base units, as a percent is: the difference of two percentages is one of points.
"""
SYMBOLS: Final = frozenset(
    (
        *("kg", "mg", "Mt", "Gt", "km", "cm", "mm", "nm", "ml", "mL", "hl", "kV", "mAh"),
        *("kW", "MW", "GW", "TW", "kWh", "MWh", "GWh", "TWh", "kJ", "MJ", "GJ", "TJ", "PJ"),
        *("kHz", "MHz", "GHz", "kB", "MB", "GB", "TB", "PB"),
    )
)
"""Symbols with a prefix that a schema may use; in others Pint would find a prefix too, such as a pico-inch in a pin."""


def quantity(value: Decimal | None, unit: str) -> pint.Quantity[Decimal]:
    """A value and its unit as a Pint quantity with a Decimal magnitude.

    Raises `UnitError` (`no_single_value`) for a range, which has bounds but no value.
    """
    if value is None:
        raise UnitError("no_single_value", "A range has no single value.", hint="use its low and high")
    return registry().Quantity(value, unit_of(unit))


def measured(unit: str) -> tuple[dict[str, Fraction], Fraction]:
    """The powers of the dimensions of a unit, and the factor into base units: `[CNY]` 1, `[vehicle]` -1; and 1.

    A unit whose zero is not that of its dimension, as a degree Celsius, converts by no factor: it is a dimension of its
    own. Raises `UnitError` (`unit_unknown`).
    """
    from pint.errors import PintError

    known = unit_of(unit)
    try:
        zero, one = (registry().Quantity(Decimal(value), known).to_base_units().magnitude for value in (0, 1))
    except PintError as error:
        raise _unknown(unit) from error
    if zero:
        return {f"[{unit}]": Fraction(1)}, Fraction(1)
    return {name: Fraction(str(power)) for name, power in known.dimensionality.items()}, Fraction(one)


@lru_cache(maxsize=4096)
def unit_of(unit: str) -> pint.Unit:
    """The Pint unit of a name; `UnitError` (`unit_unknown`) where it is not one."""
    from pint.errors import PintError

    for atom in _atoms(unit):
        _define(atom)
    try:
        return registry().Unit(unit)
    except (PintError, ValueError, AttributeError, TypeError) as error:
        raise _unknown(unit) from error


@lru_cache(maxsize=1)
def registry() -> pint.UnitRegistry[Decimal]:
    """The one Pint registry, with Decimal magnitudes; made on first use, since Pint's definitions take time.

    Pint keeps its parsed definitions in the user's cache folder; where that cannot be used, they are parsed again.
    """
    made = _registry(":auto:") or _registry(None)
    for line in DEFINITIONS:
        made.define(line)
    return made  # type: ignore[no-any-return]


def _registry(cache_folder: str | None) -> Any:
    """A registry of Pint's own units; None where its cache is read-only, damaged, or just being written by another."""
    import pint

    try:
        return pint.UnitRegistry(non_int_type=Decimal, cache_folder=cache_folder)
    except (OSError, EOFError, pickle.UnpicklingError, ValueError, KeyError):
        if cache_folder is None:
            raise
        return None


def _unknown(unit: str) -> UnitError:
    return UnitError("unit_unknown", f"“{unit}” is not a unit.", hint="write units such as CNY/vehicle")


def _atoms(unit: str) -> Iterable[str]:
    return (atom.strip() for part in unit.split("/") for atom in part.split("*"))


def _define(atom: str) -> None:
    if not atom.isidentifier():
        meant = "percent" if atom == "%" else re.sub(r"[\s-]+", "_", atom)
        hint = f"write {meant}" if meant.isidentifier() else "use letters and underscores"
        raise UnitError("unit_unknown", f"“{atom}” is not the name of a unit.", hint=hint)
    if atom not in registry()._units and atom not in SYMBOLS and not _prefixed(atom):
        registry().define(f"{atom} = [{atom}]")


def _prefixed(atom: str) -> bool:
    """Whether a name is one of Pint's units with a prefix, both written out: `kilowatt_hour`.

    Pint by itself would also find a short prefix and a symbol inside a noun.
    """
    prefixes = (name for name in registry()._prefixes if len(name) > _SYMBOL and atom.startswith(name))
    return any(len(atom) - len(name) > _SYMBOL and atom[len(name) :] in registry()._units for name in prefixes)


_SYMBOL: Final = 3
"""Prefixes and units of so few letters are symbols."""
