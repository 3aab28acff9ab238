"""Figures in the unit that their metric declares: factors by Pint, currencies at the rate of their own period.

In: figures in their printed unit, with `declared_unit`, `nouns`, `fx`. Out: the same rows with `value, low, high, step,
step_max, unit` in the declared unit, `rate` where a currency was converted, and `code, reason` where the unit does not
convert: no rate (`missing_reference`: the figure stays, its amounts null) or no common dimension (the row is rejected).
An amount that restates another keeps its own currency: the two are compared, not merged.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from zhiji_etl.figures import Reason, Severity, Verdict
from zhiji_etl.rates import Rates
from zhiji_etl.units import BARE, factors, is_currency

CONVENTION_COLUMNS: Final[dict[str, pl.DataType]] = {
    "source": pl.String(),
    "fx_method": pl.String(),
    "fx_start": pl.Date(),
    "fx_end": pl.Date(),
    "fx_rate": pl.String(),
}
"""How a source itself converts currencies; null where it does not say."""

MARKET_BASES: Final = ("EUR", "GBP", "AUD", "NZD", "USD")
"""The currencies of which markets quote one unit in others, the foremost first."""

NO_RATE: Final = Reason.MISSING_REFERENCE.value
CONVERSION: Final = "conversion"
FRACTIONAL: Final = (BARE, "multiple")
"""Units of bare numbers that need not be whole."""


def convert(figures: pl.DataFrame, rates: Rates) -> pl.DataFrame:
    """The figures in their declared unit, in the same order; each with the CONVENTION_COLUMNS of its source."""
    targeted = figures.with_columns(printed_unit=_own_noun()).with_columns(unit=_target())
    factored = targeted.join(factors(targeted), on=["printed_unit", "unit"], how="left", maintain_order="left")
    rated = _with_rates(factored, rates)
    sized = rated.with_columns(**_amounts()).with_columns(**_whole_counts())
    return _within_declared_ends(sized).drop(
        "factor", "unit_code", "unit_reason", "rate_low", "rate_high", "rate_reason"
    )


def refused(converted: pl.DataFrame) -> pl.DataFrame:
    """The raw rows whose unit is not that of their metric: `row_id, code, reason`."""
    wrong = pl.col("code").is_not_null() & (pl.col("code") != NO_RATE)
    return converted.filter(wrong).select("row_id", "code", "reason").unique("row_id", maintain_order=True)


def unrated(converted: pl.DataFrame) -> pl.DataFrame:
    """A finding, without id, for each figure that has no rate to the currency of its metric; its amounts are null."""
    return converted.filter(pl.col("code") == NO_RATE).select(
        "table",
        "entity",
        "period",
        "unit",
        kind=pl.lit(CONVERSION),
        rule=pl.format("{}_in_{}", "metric", "unit"),
        verdict=pl.lit(Verdict.NOT_CHECKABLE.value),
        severity=pl.lit(Severity.WARNING.value),
        reason=pl.lit(NO_RATE),
        figures=pl.concat_list("figure_id"),
        message=pl.format("{} stays without a value in {}: {}", "printed", "unit", "reason"),
    )


def reference_rates(requests: pl.DataFrame, rates: Rates) -> pl.DataFrame:
    """The rates of rows that ask for them, in order: the row with `rate, rate_low, rate_high` and `rate_reason`.

    In: `source_currency, target_currency, method, period_start, period_end` and the conventions of the source. One unit
    of the source currency is `rate` of the target. An average is taken of the rate as markets quote it (CNY for one
    USD) and then turned around if need be: the average of the inverses would be another number.
    """
    turned = _turned(pl.col("source_currency"), pl.col("target_currency"))
    asked = requests.with_columns(
        base=pl.when(turned).then("target_currency").otherwise("source_currency"),
        quote=pl.when(turned).then("source_currency").otherwise("target_currency"),
        start=pl.coalesce("fx_start", "period_start"),
        end=pl.coalesce("fx_end", "period_end"),
        fixed_rate="fx_rate",
    )
    answered = rates.table(asked).rename({"reason": "rate_reason"})
    ends = {name: pl.col(name) for name in ("rate", "rate_low", "rate_high")}
    inverse = {"rate": 1 / ends["rate"], "rate_low": 1 / ends["rate_high"], "rate_high": 1 / ends["rate_low"]}
    return answered.with_columns(pl.when(turned).then(inverse[name]).otherwise(ends[name]).alias(name) for name in ends)


def _turned(source: pl.Expr, target: pl.Expr) -> pl.Expr:
    """Whether markets quote the pair the other way round, with the target as the one unit."""
    place = {code: number for number, code in enumerate(MARKET_BASES)}

    def standing(currency: pl.Expr) -> pl.Expr:
        return currency.replace_strict(place, default=len(place), return_dtype=pl.Int8)

    return standing(target) < standing(source)


def _own_noun() -> pl.Expr:
    """Other words for the noun of a metric are that noun."""
    return pl.when(pl.col("nouns").list.contains("printed_unit")).then("declared_unit").otherwise("printed_unit")


def _target() -> pl.Expr:
    return pl.when(pl.col("restates").is_null()).then("declared_unit").otherwise("printed_unit")


def _with_rates(figures: pl.DataFrame, rates: Rates) -> pl.DataFrame:
    """The rate of each row that changes its currency, and `code`, `reason` where a unit or a rate fails."""
    needs_rate = (pl.col("unit_code") == "currency_mismatch") & pl.col("fx").is_not_null()
    changing = figures.filter(needs_rate)
    asked = changing.with_columns(
        source_currency="printed_unit", target_currency="unit", method=pl.coalesce("fx_method", "fx")
    )
    answers = reference_rates(asked, rates).select(
        "figure_id", "rate_low", "rate_high", "rate_reason", found_rate="rate"
    )
    joined = figures.join(answers, on="figure_id", how="left", maintain_order="left")
    return joined.with_columns(
        rate="found_rate",
        code=pl.when(~needs_rate).then("unit_code").when(pl.col("rate_reason").is_not_null()).then(pl.lit(NO_RATE)),
        reason=pl.when(~needs_rate).then("unit_reason").otherwise("rate_reason"),
    ).drop("found_rate")


def _amounts() -> dict[str, pl.Expr]:
    """Amounts in the new unit: a factor is exact, a rate widens the bounds by its own; null where neither applies."""
    factor, rate = pl.col("factor"), pl.col("rate")
    scale = pl.coalesce(factor, rate)
    smallest, largest = pl.coalesce(factor, "rate_low"), pl.coalesce(factor, "rate_high")
    low = pl.col("low") * pl.when(pl.col("low") < 0).then(largest).otherwise(smallest)
    high = pl.col("high") * pl.when(pl.col("high") < 0).then(smallest).otherwise(largest)
    sized = {name: pl.col(name) * scale for name in ("value", "step", "step_max")}
    return {**sized, "low": low, "high": high}


def _whole_counts() -> dict[str, pl.Expr]:
    """A bare number that took a noun is a count: its bounds are cut to the whole numbers within them, if any are."""
    first = pl.when("low_closed").then(pl.col("low").ceil()).otherwise(pl.col("low").floor() + 1)
    last = pl.when("high_closed").then(pl.col("high").floor()).otherwise(pl.col("high").ceil() - 1)
    counted = (pl.col("printed_unit") == BARE) & pl.col("factor").is_not_null() & ~pl.col("unit").is_in(FRACTIONAL)
    cut = counted & (first <= last)
    return {
        "low": pl.when(cut).then(first).otherwise("low"),
        "high": pl.when(cut).then(last).otherwise("high"),
        "low_closed": pl.col("low_closed") | (cut & pl.col("low").is_finite()).fill_null(value=False),
        "high_closed": pl.col("high_closed") | (cut & pl.col("high").is_finite()).fill_null(value=False),
    }


def _within_declared_ends(figures: pl.DataFrame) -> pl.DataFrame:
    """Bounds cut at the ends that the metric declares, such as 0 for sales: knowledge that every rule may use."""
    below = (pl.col("low") < pl.col("at_least")) & (pl.col("high") >= pl.col("at_least"))
    above = (pl.col("high") > pl.col("at_most")) & (pl.col("low") <= pl.col("at_most"))
    return figures.with_columns(
        # Rounding up leaves a negative zero, which no reader should see.
        low=pl.when(below).then("at_least").when(pl.col("low") == 0).then(0.0).otherwise("low"),
        high=pl.when(above).then("at_most").otherwise("high"),
        low_closed=pl.col("low_closed") | below.fill_null(value=False),
        high_closed=pl.col("high_closed") | above.fill_null(value=False),
    )


def currencies(unit: pl.Expr) -> pl.Expr:
    """Whether each unit of a column is a currency; Python is asked once for each distinct unit."""
    return unit.map_batches(_are_currencies, return_dtype=pl.Boolean, is_elementwise=True)


def _are_currencies(units: pl.Series) -> pl.Series:
    known = {name: is_currency(name) for name in units.unique().drop_nulls()}
    return units.replace_strict(known, default=False, return_dtype=pl.Boolean)
