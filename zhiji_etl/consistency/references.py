"""Reference rates as operands of rules: what `m.rate("USD", "CNY")` is in each period that figures are about.

In: compiled rules, the periods of figures, exchange rates. Out: rows that a shelf holds beside figures, with `told`, a
sentence that names rate, method and origin or the reason why there is none; and the requests that had a rate.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final, NamedTuple

import polars as pl

from zhiji_etl.consistency.rules.compiled import CompiledRule
from zhiji_etl.consistency.rules.expressions import REFERENCE, SAME, Rate, rates_of
from zhiji_etl.consistency.rules.operands import moved_periods
from zhiji_etl.conversion import market_requests, reference_rates
from zhiji_etl.periods import Period
from zhiji_etl.rates import KEY_COLUMNS, RateMethod, Rates

PERIOD: Final = ("period_start", "period_end")


class References(NamedTuple):
    """Rates as figures nobody printed, and the distinct requests (KEY_COLUMNS) that had a rate."""

    rows: pl.DataFrame
    requests: pl.DataFrame


def references(rules: Iterable[CompiledRule], periods: pl.DataFrame, rates: Rates | None) -> References:
    """The rate of every pair that rules ask for, in every period (`period_start, period_end`) that they ask it for.

    Without rates of the caller's own they are the European Central Bank's.
    """
    asked = [rate for rule in rules for relation in rule.relations.values() for rate in rates_of(relation)]
    if not asked or periods.is_empty():
        return References(_rows(pl.DataFrame(schema=ANSWERED)), pl.DataFrame(schema=KEY_COLUMNS))
    requests = pl.concat([_requests(rate, periods) for rate in asked]).unique(maintain_order=True)
    answered = reference_rates(requests, Rates.ecb() if rates is None else rates)
    markets = market_requests(answered, pl.col("source_currency"), pl.col("target_currency"))
    found = markets.filter(pl.col("rate").is_not_null()).select(KEY_COLUMNS.keys()).unique()
    return References(_rows(answered.with_columns(told=_told(answered))), found)


# ------------------------------------------------------------------------------------------------------------- helpers

ANSWERED: Final[dict[str, pl.DataType]] = {
    "metric": pl.String(),
    "start": pl.Date(),
    "end": pl.Date(),
    "rate": pl.Float64(),
    "rate_low": pl.Float64(),
    "rate_high": pl.Float64(),
    "told": pl.String(),
}


def _requests(rate: Rate, periods: pl.DataFrame) -> pl.DataFrame:
    """What one rate is asked for: the distinct periods, one step away where its rule says so."""
    moved = moved_periods(periods, rate.offset) if rate.offset != SAME else _unmoved(periods)
    spans = moved.select(start="moved_start", end="moved_end").drop_nulls().unique(maintain_order=True)
    flow, point = (RateMethod.usual(is_flow=is_flow).value for is_flow in (True, False))
    usual = pl.when(pl.col("start") == pl.col("end")).then(pl.lit(point)).otherwise(pl.lit(flow))
    return spans.with_columns(
        metric=pl.lit(rate.metric),
        source_currency=pl.lit(rate.base),
        target_currency=pl.lit(rate.quote),
        method=usual if rate.method is None else pl.lit(rate.method),
        fixed_rate=pl.lit(None, pl.String),
    )


def _unmoved(periods: pl.DataFrame) -> pl.DataFrame:
    spans = periods.select(PERIOD).unique().drop_nulls().sort(PERIOD)
    return spans.rename({"period_start": "moved_start", "period_end": "moved_end"})


def _told(answered: pl.DataFrame) -> pl.Series:
    """One sentence a rate; they are few, so they are written one by one."""
    names = ("source_currency", "target_currency", "method", "start", "end", "rate_low", "rate_high")
    rows = answered.select(*names, "origin", "rate_reason").iter_rows()
    return pl.Series("told", [_sentence(*row) for row in rows], dtype=pl.String)


def _sentence(
    base: str, quote: str, method: str, start: date, end: date, low: float, high: float, *facts: str | None
) -> str:
    origin, reason = facts
    when = Period.between(start, end).label
    if reason is not None:
        return f"No rate of {base} in {quote}, {method} of {when}: {reason}."
    return f"1 {base} = {low:.6g} to {high:.6g} {quote}, {method} of {when} ({origin})."


def _rows(answered: pl.DataFrame) -> pl.DataFrame:
    """Rates as rows of a shelf: of no table and no vintage, with bounds and without digits."""
    return answered.select(
        "metric",
        "told",
        entity=pl.lit(REFERENCE),
        period_start="start",
        period_end="end",
        value="rate",
        low="rate_low",
        high="rate_high",
        low_closed=pl.lit(value=True),
        high_closed=pl.lit(value=True),
        rungs=pl.lit(1.0),
        capped=pl.lit(value=False),
    )
