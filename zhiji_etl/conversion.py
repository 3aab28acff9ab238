"""Figures in the unit that their metric declares: factors by Pint, currencies at the rate of their own period.

In: figures in their printed unit, with `declared_unit`, `nouns`, `fx` (a method, or null). Out: the same rows with
`value, low, high, step, step_max, unit` in the declared unit, `rate` and `rate_method` where a currency was converted,
and `code, reason` where the unit does not convert: no rate (`missing_reference`: the figure stays, its amounts null) or
no common dimension (the row is rejected). An amount that restates another keeps its own currency: the two are compared,
not merged. So does one that a source prints beside the same amount in the currency of its metric, as annual reports do
in a column `US$` beside `RMB`: it restates that one.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from zhiji_etl.figures import Reason, Severity, Verdict
from zhiji_etl.rates import KEY_COLUMNS, Rates, answered_once
from zhiji_etl.units import BARE, factors

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

PRINTED_TOGETHER: Final = ("source", "table", "entity", "metric", "period_start", "period_end", "vintage")
"""What amounts in several currencies share that are one figure."""

NO_RATE: Final = Reason.MISSING_REFERENCE.value
CONVERSION: Final = "conversion"
FRACTIONAL: Final = (BARE, "multiple")
"""Units of bare numbers that need not be whole."""


def tied(figures: pl.DataFrame) -> pl.DataFrame:
    """The figures, in their printed unit: those in another currency than their metric's `restates` the one in it.

    Only amounts of one source are tied, and to its first one in the currency of the metric; without one they convert.
    """
    alone = pl.col("restates").is_null() & (pl.col("unit") != pl.col("declared_unit"))
    foreign = figures.filter(alone).filter(both_money(pl.col("unit"), pl.col("declared_unit")))
    if foreign.is_empty():
        return figures
    own = figures.filter(pl.col("restates").is_null() & (pl.col("unit") == pl.col("declared_unit")))
    beside = own.join(foreign, on=PRINTED_TOGETHER, how="semi", nulls_equal=True)
    first = beside.group_by(PRINTED_TOGETHER).agg(__first=pl.col("figure_id").min())
    found = foreign.select("figure_id", *PRINTED_TOGETHER).join(first, on=PRINTED_TOGETHER, nulls_equal=True)
    again = figures.join(found.select("figure_id", "__first"), on="figure_id", how="left", maintain_order="left")
    return again.with_columns(restates=pl.coalesce("restates", "__first")).drop("__first")


def convert(figures: pl.DataFrame, rates: Rates) -> pl.DataFrame:
    """The figures in their declared unit, in the same order; each with the CONVENTION_COLUMNS of its source."""
    targeted = figures.with_columns(printed_unit=_own_noun()).with_columns(unit=_target())
    asked = targeted.with_columns(base="printed_unit", quote="unit", **_days_and_method())
    scaled = answered_once(asked, lambda requests: _scales(requests, rates)).drop(KEY_COLUMNS)
    method = pl.when(pl.col("rate").is_not_null()).then(stated_method())
    sized = _whole_counts(scaled.with_columns(rate_method=method, **_amounts()))
    return within_declared_ends(sized).drop("factor", "rate_low", "rate_high")


def requested(converted: pl.DataFrame) -> pl.DataFrame:
    """The distinct requests (KEY_COLUMNS) behind the rates of converted figures."""
    rated = converted.filter(pl.col("rate").is_not_null()).with_columns(**_days_and_method())
    return market_requests(rated, _money("printed_unit"), _money("unit")).select(KEY_COLUMNS.keys()).unique()


def refused(converted: pl.DataFrame) -> pl.DataFrame:
    """The raw rows whose unit is not that of their metric: `row_id, code, reason`."""
    wrong = pl.col("code").is_not_null() & (pl.col("code") != NO_RATE)
    return converted.filter(wrong).select("row_id", "code", "reason").unique("row_id", maintain_order=True)


def refused_with(refused: pl.DataFrame, figures: pl.DataFrame) -> pl.DataFrame:
    """Refused rows (`row_id, code, reason`), and with each those whose amounts restate it."""
    restating = figures.filter(pl.col("restates").is_not_null()).select(again="row_id", figure_id="restates")
    behind = restating.join(figures.select("figure_id", "row_id"), on="figure_id").join(refused, on="row_id")
    followers = behind.select("code", "reason", row_id="again").select(refused.columns)
    return pl.concat([refused, followers]).unique("row_id", maintain_order=True)


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


def stated_method() -> pl.Expr:
    """The method that the source states, else the one that the metric does; null where neither does."""
    return pl.coalesce("fx_method", "fx")


def market_requests(frame: pl.DataFrame, source: pl.Expr, target: pl.Expr) -> pl.DataFrame:
    """The frame with `base, quote`: two currencies as markets quote them, so CNY for one USD whichever is converted."""
    turned = _turned(source, target)
    return frame.with_columns(
        base=pl.when(turned).then(target).otherwise(source), quote=pl.when(turned).then(source).otherwise(target)
    )


def reference_rates(requests: pl.DataFrame, rates: Rates) -> pl.DataFrame:
    """The rates of rows that ask for them, in order: the row with `rate, rate_low, rate_high` and `rate_reason`.

    In: `source_currency, target_currency` and the KEY_COLUMNS `start, end, method, fixed_rate`. One unit of the source
    currency is `rate` of the target. An average is taken of the rate as markets quote it (CNY for one USD) and then
    turned around if need be: the average of the inverses would be another number. A fixed rate is read as quoted, too.
    """
    source, target = pl.col("source_currency"), pl.col("target_currency")
    answered = rates.table(market_requests(requests, source, target)).rename({"reason": "rate_reason"})
    ends = {name: pl.col(name) for name in ("rate", "rate_low", "rate_high")}
    inverse = {"rate": 1 / ends["rate"], "rate_low": 1 / ends["rate_high"], "rate_high": 1 / ends["rate_low"]}
    turned = pl.col("base") != source
    return answered.with_columns(pl.when(turned).then(inverse[name]).otherwise(ends[name]).alias(name) for name in ends)


def convention_days() -> dict[str, pl.Expr]:
    """The days and the printed rate of a request: those that the source states, else the days of the figure."""
    return {
        "start": pl.coalesce("fx_start", "period_start"),
        "end": pl.coalesce("fx_end", "period_end"),
        "fixed_rate": pl.col("fx_rate"),
    }


def _turned(source: pl.Expr, target: pl.Expr) -> pl.Expr:
    """Whether markets quote the pair the other way round, with the target as the one unit.

    Pairs without a currency of MARKET_BASES go by the alphabet, so that either direction asks for the same rate.
    """
    place = {code: number for number, code in enumerate(MARKET_BASES)}

    def standing(currency: pl.Expr) -> pl.Expr:
        """The place of a currency among those that markets quote first."""
        return currency.replace_strict(place, default=len(place), return_dtype=pl.Int8)

    first, second = standing(target), standing(source)
    return (first < second) | ((first == second) & (target < source))


def _days_and_method() -> dict[str, pl.Expr]:
    return {**convention_days(), "method": stated_method()}


def _own_noun() -> pl.Expr:
    """Other words for the noun of a metric are that noun."""
    further = pl.col("nouns").list.contains(pl.col("printed_unit"))
    return pl.when(further).then("declared_unit").otherwise("printed_unit")


def _target() -> pl.Expr:
    return pl.when(pl.col("restates").is_null()).then("declared_unit").otherwise("printed_unit")


def _scales(requests: pl.DataFrame, rates: Rates) -> pl.DataFrame:
    """Of distinct requests `factor`, or `rate, rate_low, rate_high`, or `code, reason` where a unit or a rate fails."""
    pairs = requests.select("start", "end", "method", "fixed_rate", printed_unit="base", unit="quote")
    factored = pairs.join(factors(pairs), on=["printed_unit", "unit"], how="left", maintain_order="left")
    changing = (pl.col("unit_code") == "currency_mismatch").fill_null(value=False) & pl.col("method").is_not_null()
    # A request between a currency and itself costs nothing and is dropped below.
    source, target = (pl.when(changing).then(_money(name)).otherwise("unit") for name in ("printed_unit", "unit"))
    rated = reference_rates(factored.with_columns(source_currency=source, target_currency=target), rates)
    needed = rated.with_columns(
        pl.when(changing).then(name).alias(name) for name in ("rate", "rate_low", "rate_high", "rate_reason")
    )
    return _exchanged(needed).select(
        "factor",
        "rate",
        "rate_low",
        "rate_high",
        code=pl.when(~changing).then("unit_code").when(pl.col("rate_reason").is_not_null()).then(pl.lit(NO_RATE)),
        reason=pl.when(~changing).then("unit_reason").otherwise("rate_reason"),
    )


def _exchanged(rated: pl.DataFrame) -> pl.DataFrame:
    """Requests with a `factor` beside their rate where more than the currency changes, as from USD/kg to CNY/tonne."""
    compound = pl.col("rate").is_not_null() & pl.col("unit").str.contains("/", literal=True)
    remaining = pl.concat_str("target_currency", pl.col("printed_unit").str.slice(3))
    wanted = rated.with_columns(between=pl.when(compound).then(remaining))
    found = factors(wanted.select("unit", printed_unit="between"))
    between = found.select("unit", "factor", between="printed_unit")
    joined = wanted.join(between, on=["between", "unit"], how="left", suffix="_between", maintain_order="left")
    return joined.with_columns(factor=pl.coalesce("factor", "factor_between"))


def _money(unit: str) -> pl.Expr:
    """The currency of a column of units that differ by their currency: what stands first."""
    return pl.col(unit).str.slice(0, 3)


def _amounts() -> dict[str, pl.Expr]:
    """Amounts in the new unit: a factor is exact, a rate widens the bounds by its own; null where neither applies."""
    ends = ("rate", "rate_low", "rate_high")
    scale, smallest, largest = (pl.coalesce(pl.col("factor") * pl.col(end), "factor", end) for end in ends)
    low = pl.col("low") * pl.when(pl.col("low") < 0).then(largest).otherwise(smallest)
    high = pl.col("high") * pl.when(pl.col("high") < 0).then(smallest).otherwise(largest)
    sized = {name: pl.col(name) * scale for name in ("value", "step", "step_max")}
    return {**sized, "low": low, "high": high}


def _whole_counts(figures: pl.DataFrame) -> pl.DataFrame:
    """A bare number that took a noun is a count: its bounds are cut to the whole numbers within them, if any are."""
    if not (figures.get_column("printed_unit") == BARE).any():
        return figures
    first = pl.when("low_closed").then(pl.col("low").ceil()).otherwise(pl.col("low").floor() + 1)
    last = pl.when("high_closed").then(pl.col("high").floor()).otherwise(pl.col("high").ceil() - 1)
    counted = (pl.col("printed_unit") == BARE) & pl.col("factor").is_not_null() & ~pl.col("unit").is_in(FRACTIONAL)
    cut = counted & (first <= last)
    return figures.with_columns(
        low=pl.when(cut).then(first).otherwise("low"),
        high=pl.when(cut).then(last).otherwise("high"),
        low_closed=pl.col("low_closed") | (cut & pl.col("low").is_finite()).fill_null(value=False),
        high_closed=pl.col("high_closed") | (cut & pl.col("high").is_finite()).fill_null(value=False),
    )


def within_declared_ends(figures: pl.DataFrame) -> pl.DataFrame:
    """Bounds cut at the ends that the metric declares, such as 0 for sales: knowledge that every rule may use.

    In: figures in the unit of their metric, with its `at_least` and `at_most`.
    """
    below = (pl.col("low") < pl.col("at_least")) & (pl.col("high") >= pl.col("at_least"))
    above = (pl.col("high") > pl.col("at_most")) & (pl.col("low") <= pl.col("at_most"))
    return figures.with_columns(
        # Rounding up leaves a negative zero, which no reader should see.
        low=pl.when(below).then("at_least").when(pl.col("low") == 0).then(0.0).otherwise("low"),
        high=pl.when(above).then("at_most").otherwise("high"),
        low_closed=pl.col("low_closed") | below.fill_null(value=False),
        high_closed=pl.col("high_closed") | above.fill_null(value=False),
    )


def currency_of(unit: pl.Expr) -> pl.Expr:
    """The currency of units of money, of those for one of something too (`CNY/share`); null for all others."""
    return unit.str.extract(r"^([A-Z]{3})(?:/|$)")


def both_money(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Whether two units are money and differ in nothing but the currency, as `CNY/share` and `USD/share` do."""
    are = currency_of(one).is_not_null() & currency_of(other).is_not_null()
    return are & (one.str.slice(3) == other.str.slice(3))
