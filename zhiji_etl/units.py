"""Units: the one Pint registry, and the table of factors that Polars joins.

In: unit names as readings give them (`CNY`, `percent`, `vehicle`, `USD/barrel`). Out: Pint quantities, dimensions for
the rules, and exact factors for distinct pairs of units. Pint is asked once per distinct pair, never per row.

Every currency and every counted noun is a dimension of its own, so that vehicles never add to employees and yuan never
become dollars without a rate. A percentage point is not a percent.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from zhiji_etl.errors import UnitError

if TYPE_CHECKING:
    import pint

BARE: Final = "count"
"""The unit of a number printed without one; it takes the noun of its metric."""

DEFINITIONS: Final = (
    "percentage_point = [percentage_point]",
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
    "thousand_barrel = 1000 * barrel",
    "million_barrel = 1000000 * barrel",
    "million_british_thermal_unit = 1000000 * british_thermal_unit",
)
"""What Pint does not have, or calls otherwise than readings do."""
SYMBOLS: Final = frozenset(
    (
        *("kg", "mg", "Mt", "Gt", "km", "cm", "mm", "nm", "ml", "mL", "hl", "kV", "mAh"),
        *("kW", "MW", "GW", "TW", "kWh", "MWh", "GWh", "TWh", "kJ", "MJ", "GJ", "TJ", "PJ"),
        *("kHz", "MHz", "GHz", "kB", "MB", "GB", "TB", "PB"),
    )
)
"""Symbols with a prefix that a schema may use; in others Pint would find a prefix too, such as a pico-inch in a pin."""
MEASURED_BY_NAME: Final = frozenset({"percent", "percentage_point", "basis_point"})


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


def quantity(value: Decimal | None, unit: str) -> pint.Quantity[Decimal]:
    """A value and its unit as a Pint quantity with a Decimal magnitude.

    Raises `UnitError` (`no_single_value`) for a range, which has bounds but no value.
    """
    if value is None:
        raise UnitError("no_single_value", "A range has no single value.", hint="use its low and high")
    return registry().Quantity(value, unit_of(unit))


def dimension(unit: str) -> str:
    """The dimension of a unit in words, such as `[CNY] / [vehicle]`; `dimensionless` for percent and bare numbers."""
    return str(unit_of(unit).dimensionality)


def factor(printed: str, declared: str) -> Fraction:
    """The exact number that turns a value in `printed` into one in `declared`.

    Raises `UnitError`: `unit_unknown`, `unit_mismatch` (two dimensions) or `currency_mismatch` (a rate is needed).
    """
    if printed == declared:
        return Fraction(1)
    if printed == BARE and counts(declared):
        return Fraction(1)
    if BARE in (printed, declared):
        raise _mismatch(printed, declared)
    return _pint_factor(printed, declared)


@lru_cache(maxsize=4096)
def base_factor(unit: str) -> Fraction:
    """The exact number that turns a value in this unit into base units, in which rules calculate: 1/100 for percent."""
    return Fraction(registry().Quantity(Decimal(1), unit_of(unit)).to_base_units().magnitude)


def counts(unit: str) -> bool:
    """Whether a bare number may be read in this unit: a noun or a rank, not a currency, percentage or measure."""
    if unit in MEASURED_BY_NAME or is_currency(unit) or "/" in unit:
        return False
    return unit in ("rank", "multiple") or dimension(unit) == f"[{unit}]"


def factors(pairs: pl.DataFrame) -> pl.DataFrame:
    """Distinct pairs of units with their factors.

    In: `printed_unit, unit` (String). Out: the same rows, each once, with `factor` (Float64; null where the units do
    not convert), `unit_code` and `unit_reason` (String; null where they do).
    """
    distinct = pairs.select("printed_unit", "unit").unique().drop_nulls().sort("printed_unit", "unit")
    rows = [_factor_row(printed, declared) for printed, declared in distinct.iter_rows()]
    schema = {"factor": pl.Float64(), "unit_code": pl.String(), "unit_reason": pl.String()}
    return distinct.hstack(pl.DataFrame(rows, schema=schema, orient="row"))


@lru_cache(maxsize=4096)
def unit_of(unit: str) -> pint.Unit:
    """The Pint unit of a name; currencies and nouns that Pint does not know become dimensions of their own."""
    from pint.errors import PintError

    for atom in _atoms(unit):
        _define(atom)
    try:
        return registry().Unit(unit)
    except (PintError, ValueError, AttributeError, TypeError) as error:
        raise UnitError("unit_unknown", f"“{unit}” is not a unit.", hint="write units such as CNY/vehicle") from error


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


def _atoms(unit: str) -> Iterable[str]:
    return (atom.strip() for part in unit.split("/") for atom in part.split("*"))


def _define(atom: str) -> None:
    if not atom.isidentifier():
        raise UnitError("unit_unknown", f"“{atom}” is not the name of a unit.", hint="use letters and underscores")
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


def _pint_factor(printed: str, declared: str) -> Fraction:
    source, target = unit_of(printed), unit_of(declared)
    if source.dimensionality != target.dimensionality:
        raise _mismatch(printed, declared)
    scaled = registry().Quantity(Decimal(1), source).to(target).magnitude
    return Fraction(scaled)


def _mismatch(printed: str, declared: str) -> UnitError:
    if _differs_by_currency(printed, declared):
        sentence = f"{printed} becomes {declared} only at an exchange rate, and none applies."
        return UnitError("currency_mismatch", sentence, hint='declare how: zj.Quantity(..., fx="average")')
    if printed == BARE:
        sentence = f"The figure is printed without a unit; the metric is declared in {declared}."
        where = "as unit, for one metric under [captions], or in the column caption of the row"
        return UnitError(
            "unit_missing", sentence, hint=f'if the table says so, say "{declared}" in the sidecar {where}'
        )
    sentence = f"The figure is printed in {printed}; the metric is declared in {declared}."
    return UnitError("unit_mismatch", sentence, hint=_mismatch_hint(printed, declared))


def _differs_by_currency(printed: str, declared: str) -> bool:
    """Whether a rate is all that lacks: USD to CNY, or USD/vehicle to CNY/vehicle."""
    source, target = money(printed), money(declared)
    if source is None or target is None or source == target:
        return False
    exchanged = target + printed.removeprefix(source)
    return unit_of(exchanged).dimensionality == unit_of(declared).dimensionality


def _mismatch_hint(printed: str, declared: str) -> str:
    if declared == f"{printed}s":
        return f'units stand in the singular: zj.Quantity("{printed}")'
    if {printed, declared} == {"percent", "percentage_point"}:
        return "growth is in percent, a difference of two shares in percentage points: check the print and the metric"
    if "/" in declared and "/" not in printed:
        return (
            f"the metric is an amount per {declared.partition('/')[2]}: check the metric and what the print leaves out"
        )
    if counts(declared) and counts(printed):
        return "check the metric, or declare the noun: zj.Quantity(..., nouns=[...])"
    return "check the metric and the print"


def _factor_row(printed: str, declared: str) -> tuple[float | None, str | None, str | None]:
    try:
        return float(factor(printed, declared)), None, None
    except UnitError as error:
        return None, error.code, str(error)
