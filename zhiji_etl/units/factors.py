"""The factors that turn one unit into another, and the sentences where there is none.

In: pairs of units as printed and as declared. Out: exact factors, and the table of them that Polars joins: each
distinct pair is looked at once, never each row.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import polars as pl

from zhiji_etl.errors import UnitError
from zhiji_etl.units.measures import dimension, is_own, measure
from zhiji_etl.units.names import BARE, is_currency, money

MEASURED_BY_NAME: Final = frozenset({"percent", "percentage_point", "basis_point"})
_AMBIGUOUS: Final = ("multiple", "percent")
"""Twofold is 200 percent of what was and growth of 100; 增长2倍 is the one, 增至2倍 the other, and many mix them up."""


def factor(printed: str, declared: str) -> Fraction:
    """The exact number that turns a value in `printed` into one in `declared`.

    Raises `UnitError`: `unit_unknown`, `unit_mismatch` (two dimensions, or a multiple as a percentage) or
    `currency_mismatch` (a rate is needed).
    """
    if printed == declared:
        return Fraction(1)
    if printed == BARE and counts(declared):
        return Fraction(1)
    if BARE in (printed, declared) or (printed, declared) == _AMBIGUOUS:
        raise _mismatch(printed, declared)
    source, target = measure(printed), measure(declared)
    if source.dimension != target.dimension:
        raise _mismatch(printed, declared)
    return source.factor / target.factor


def base_factor(unit: str) -> Fraction:
    """The exact number that turns a value in this unit into base units, in which rules calculate: 1/100 for percent."""
    return measure(unit).factor


def counts(unit: str) -> bool:
    """Whether a bare number may be read in this unit: a noun or a rank, not a currency, percentage or measure."""
    if unit in MEASURED_BY_NAME or is_currency(unit) or "/" in unit:
        return False
    return unit in ("rank", "multiple") or is_own(unit)


def factors(pairs: pl.DataFrame) -> pl.DataFrame:
    """Distinct pairs of units with their factors.

    In: `printed_unit, unit` (String). Out: the same rows, each once, with `factor` (Float64; null where the units do
    not convert), `unit_code` and `unit_reason` (String; null where they do).
    """
    distinct = pairs.select("printed_unit", "unit").unique().drop_nulls().sort("printed_unit", "unit")
    rows = [_factor_row(printed, declared) for printed, declared in distinct.iter_rows()]
    schema = {"factor": pl.Float64(), "unit_code": pl.String(), "unit_reason": pl.String()}
    return distinct.hstack(pl.DataFrame(rows, schema=schema, orient="row"))


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
    return dimension(exchanged) == dimension(declared)


def _mismatch_hint(printed: str, declared: str) -> str:
    if declared == f"{printed}s":
        return f'units stand in the singular: zj.Quantity("{printed}")'
    if {printed, declared} == {"percent", "percentage_point"}:
        return "growth is in percent, a difference of two shares in percentage points: check the print and the metric"
    if (printed, declared) == _AMBIGUOUS:
        return (
            "twofold is 200 percent of what was, and growth of 100 percent: write the percentage in a correction, "
            'or declare zj.Quantity("multiple")'
        )
    if "/" in declared and "/" not in printed:
        return (
            f"the metric is an amount per {declared.partition('/')[2]}: check the metric and what the print leaves out"
        )
    if counts(declared) and counts(printed):
        return "check the metric, or declare the noun: zj.Quantity(..., nouns=[...])"
    return (
        "check the metric and the print; where a caption tells the unit, say another for this metric under [captions]"
    )


def _factor_row(printed: str, declared: str) -> tuple[float | None, str | None, str | None]:
    try:
        return float(factor(printed, declared)), None, None
    except UnitError as error:
        return None, error.code, str(error)
