"""Amounts in the wrong currency: changes that no other slip explains, tried at the rates of their period.

In: findings with `resolved_by`, in several frames, the figures behind them, exchange rates. Out: the findings; a change
of an amount whose printed number fits in another currency of the project, at the average rate of the period, has the
pattern `currency_USD`: the number is in US dollars. A slip is a hint, no verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from zhiji_etl.consistency.rules.rulings import CHANGE_FIELDS
from zhiji_etl.conversion import currency_of, reference_rates
from zhiji_etl.figures import Verdict
from zhiji_etl.rates import RateMethod, Rates

PREFIX: Final = "currency_"
USUAL: Final = ("CNY", "USD")
"""Currencies that are tried beside those of the project."""

_FIGURE: Final = ("entity", "metric", "period")


def with_denominations(
    several: Sequence[pl.DataFrame], figures: pl.DataFrame, rates: Rates | None
) -> list[pl.DataFrame]:
    """Frames of findings, their rows in order, with the patterns of amounts in the wrong currency filled in."""
    listed = [_changes(findings, number) for number, findings in enumerate(several)]
    changes = pl.concat(listed).with_row_index("__change") if listed else pl.DataFrame()
    slips = _slips(_open(changes), figures, rates) if listed else pl.DataFrame()
    if slips.is_empty():
        return list(several)
    named = changes.join(slips, on="__change", how="left", maintain_order="left").lazy()
    touched = named.filter(pl.col("slip").is_not_null().any().over("__frame", "__row"))
    filled = touched.with_columns(pattern=pl.coalesce("pattern", "slip"))
    told = filled.group_by("__frame", "__row").agg(told=pl.struct(CHANGE_FIELDS)).collect()
    by_frame = told.partition_by("__frame", as_dict=True, include_key=False)
    return [_filled(findings, by_frame.get((number,))) for number, findings in enumerate(several)]


def _changes(findings: pl.DataFrame, number: int) -> pl.DataFrame:
    """The changes that would resolve what is wrong: `__frame, __row` and CHANGE_FIELDS."""
    wrong = pl.col("verdict").cast(pl.String) == Verdict.INCONSISTENT.value
    numbered = findings.lazy().select("verdict", "resolved_by").with_row_index("__row").filter(wrong)
    long = numbered.select("__row", "resolved_by").explode("resolved_by").unnest("resolved_by")
    return long.select(pl.lit(number, pl.UInt32).alias("__frame"), pl.all()).collect()


def _filled(findings: pl.DataFrame, told: pl.DataFrame | None) -> pl.DataFrame:
    """The findings with what is told of the changes of some rows."""
    if told is None:
        return findings
    both = findings.with_row_index("__row").join(told, on="__row", how="left", maintain_order="left")
    return both.with_columns(resolved_by=pl.coalesce("told", "resolved_by")).select(findings.columns)


def _open(changes: pl.DataFrame) -> pl.DataFrame:
    """Changes of amounts of money that nothing explains yet, where the bounds are narrow enough to tell."""
    width, most = pl.col("high") - pl.col("low"), pl.max_horizontal(pl.col("low").abs(), pl.col("high").abs())
    narrow = width.is_finite() & (width <= most / 2)
    return changes.filter(pl.col("pattern").is_null() & narrow & _is_currency("unit"))


def _slips(changes: pl.DataFrame, figures: pl.DataFrame, rates: Rates | None) -> pl.DataFrame:
    """Changes (`__change`) with `slip`, the currency in which the printed number fits."""
    if changes.is_empty():
        return pl.DataFrame(schema={"__change": pl.UInt32, "slip": pl.String})
    valued = figures.lazy().filter(pl.col("value").is_not_null())
    named = valued.select(*_FIGURE, "value", start="period_start", end="period_end")
    # Changes are few beside figures: only the prints of their entities are looked at twice.
    theirs = named.join(changes.lazy().select("entity"), on="entity", how="semi", maintain_order="left").collect()
    printed = theirs.unique(_FIGURE, keep="first", maintain_order=True)
    with_values = changes.join(printed, on=_FIGURE, how="inner")
    tried = with_values.join(_tried(figures), how="cross").filter(pl.col("source_currency") != pl.col("unit"))
    asked = tried.with_columns(
        target_currency="unit", method=pl.lit(RateMethod.AVERAGE.value), fixed_rate=pl.lit(None, pl.String)
    )
    rated = reference_rates(asked, Rates.ecb() if rates is None else rates)
    ends = [pl.col("value") * pl.col(end) for end in ("rate_low", "rate_high")]
    low, high = pl.min_horizontal(ends) * (1 - _ROOM), pl.max_horizontal(ends) * (1 + _ROOM)
    fitting = rated.filter((low <= pl.col("high")) & (high >= pl.col("low")))
    first = fitting.unique("__change", keep="first", maintain_order=True)
    return first.select("__change", slip=pl.format(f"{PREFIX}{{}}", "source_currency"))


_ROOM: Final = 0.005
"""An average of one method is not that of another: so much they may differ."""


def _tried(figures: pl.DataFrame) -> pl.DataFrame:
    units = figures.get_column("unit").unique().drop_nulls().to_frame("source_currency")
    own = units.filter(_is_currency("source_currency")).get_column("source_currency").sort()
    return pl.DataFrame({"source_currency": [*USUAL, *(code for code in own if code not in USUAL)]})


def _is_currency(unit: str) -> pl.Expr:
    return currency_of(pl.col(unit)) == pl.col(unit)
