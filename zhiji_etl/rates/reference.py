"""Reference rates: layers of quotes, asked for one rate or for a whole table of them.

In: base and quote currency (ISO 4217), days, a method. Out: 1 base in quote, with bounds, days used and origin, or the
reason why there is none. Nothing is looked up outside the quotes that were given: it works offline.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from functools import cache, cached_property
from pathlib import Path
from typing import Final, TypeVar

import polars as pl

from zhiji_etl.arguments import guarded
from zhiji_etl.errors import RateError
from zhiji_etl.periods import Period, parse_period
from zhiji_etl.rates.methods import ANSWER_COLUMNS, RateMethod, answers
from zhiji_etl.rates.quotes import NUMBER, QUOTE_COLUMNS, ecb_quotes, origins, printed_step, read_quotes
from zhiji_etl.rates.requests import KEY_COLUMNS, REQUEST_COLUMNS, answered_once, require_requests
from zhiji_etl.rates.series import Layer, pooled

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)

OWN_RATES: Final = (
    'a rate file of your own can give it: rates = ["own.csv"] in zhiji.toml, --file own.csv, or'
    " Rates.read(path).over(Rates.ecb())"
)
When = Period | date | tuple[date, date] | str | int
"""A period, a date, first and last date, or a text that names a period."""


@dataclass(frozen=True, slots=True)
class Rate:
    """1 `base` is `value` of `quote`, and lies between `low` and `high`.

    The bounds come from the printed digits of the quotes or from the hull of the method. `days_used` counts the days
    (calendar or quoted, as the method says), `last_quote` is the day of the last quote used, null for a fixed rate.
    """

    base: str
    quote: str
    value: Decimal
    low: Decimal
    high: Decimal
    method: RateMethod
    start: date
    end: date
    days_used: int
    last_quote: date | None
    origin: str


@dataclass(frozen=True, eq=False)
class Rates:
    """Exchange rates in layers: a request goes to the first layer that can answer it, and mixes with no other.

    Only a pair that no layer ties together alone is crossed through several of them.
    """

    layers: tuple[Layer, ...]

    @classmethod
    def ecb(cls) -> Rates:
        """The European Central Bank's reference rates since 1999, offline; other pairs are crossed through EUR."""
        return _ecb()

    @classmethod
    @guarded()
    def read(cls, path: str | Path) -> Rates:
        """The rates of a CSV or Parquet file: see `read_quotes`, which also says what it refuses with `RateError`.

        A file that holds several layers (a run's `rates.parquet`) gives them back in their order.
        """
        quotes = read_quotes(path)
        return cls(tuple(Layer(part) for part in quotes.sort("layer", maintain_order=True).partition_by("layer")))

    @classmethod
    @guarded()
    def layered(cls, rates: Iterable[Rates]) -> Rates:
        """All layers, the first ones asked first."""
        return cls(tuple(layer for one in rates for layer in one.layers))

    @guarded()
    def over(self, other: Rates) -> Rates:
        """These rates first, the other ones where these have no answer."""
        return Rates.layered([self, other])

    @cached_property
    def currencies(self) -> frozenset[str]:
        """Every currency with a series."""
        return frozenset(code for layer in self.layers for code in layer.currencies)

    @cached_property
    def origins(self) -> pl.DataFrame:
        """What the rates are made of, for a manifest: see `origins`."""
        return origins(pl.concat([pl.DataFrame(schema=QUOTE_COLUMNS), *(graph.quotes for graph in self._own_graphs)]))

    @guarded()
    def rate(
        self, base: str, quote: str, when: When, method: RateMethod | str, *, fixed_rate: str | Decimal | None = None
    ) -> Rate:
        """The rate of one pair. `fixed_rate` is what the source prints, for the method `fixed`.

        Raises `RateError` (`missing_reference`) with the reason where there is no rate, `method_unknown` for another
        method, `rate_fixed` for a fixed rate that is none; `PeriodError` where `when` is a text that names no period.
        """
        if not (base.strip() and quote.strip()):
            what = f"No rate of {base!r} in {quote!r}: that is no currency."
            raise RateError("missing_reference", what, hint="name two codes of ISO 4217, such as USD and CNY")
        start, end = _days(when)
        chosen, printed = _method(method), None if fixed_rate is None else str(fixed_rate)
        _check_fixed(chosen, printed)
        frame = pl.DataFrame([(base, quote, start, end, chosen.value, printed)], schema=KEY_COLUMNS, orient="row")
        row = self.table(frame).row(0, named=True)
        if row["reason"] is not None:
            message = f"No rate of {base} in {quote} by {chosen.value}: {row['reason']}."
            raise RateError("missing_reference", message, hint=self._hint(base, quote))
        value, low, high = (_decimal(row[name]) for name in ("rate", "rate_low", "rate_high"))
        facts = (row["days_used"], row["last_quote"], row["origin"])
        return Rate(base, quote, value, low, high, chosen, start, end, *facts)

    @guarded()
    def table(self, requests: Frame) -> Frame:
        """The rows of a frame with `REQUEST_COLUMNS`, in order, with `ANSWER_COLUMNS` added or replaced.

        A column `fixed_rate` (text, the digits as printed) serves the method `fixed`. Each distinct request is
        answered once and joined back; a LazyFrame stays lazy, its distinct requests are collected at once. Raises
        `RateError` (`rate_columns_missing`, `column_type`) where the frame holds no requests.
        """
        require_requests(requests)
        return answered_once(requests, lambda distinct: self._answered(distinct).select(ANSWER_COLUMNS.keys()))

    @guarded()
    def slice(self, requests: pl.DataFrame) -> pl.DataFrame:
        """The quotes that answer these requests, as `QUOTE_COLUMNS`, sorted.

        Written as Parquet and read back with `Rates.read`, they give the same answers.
        """
        require_requests(requests)
        distinct = requests.select(name for name in KEY_COLUMNS if name in requests.columns).unique()
        answered = self._answered(distinct).filter(pl.col("last_quote").is_not_null())
        used = answered.group_by("layer", "base", "quote").agg(pl.col("start").min(), pl.col("end").max())
        parts = [self._graphs[layer].between(*rest) for layer, *rest in used.iter_rows()]
        quotes: pl.DataFrame = pl.concat([pl.DataFrame(schema=QUOTE_COLUMNS), *parts])
        return quotes.unique().sort("layer", "date", "base", "quote")

    @cached_property
    def _own_graphs(self) -> tuple[Layer, ...]:
        """The layers, their quotes numbered by them."""
        return tuple(layer.numbered(number) for number, layer in enumerate(self.layers))

    @cached_property
    def _graphs(self) -> tuple[Layer, ...]:
        """What is asked, in order: each layer alone, then all of them crossed."""
        return self._own_graphs if len(self.layers) == 1 else (*self._own_graphs, pooled(self._own_graphs))

    def _answered(self, requests: pl.DataFrame) -> pl.DataFrame:
        """Distinct requests with `ANSWER_COLUMNS` and the number of the graph that answered."""
        numbered = _without_quotes(requests).with_row_index("request")
        pending = numbered.filter(pl.col("rate").is_null() & pl.col("reason").is_null()).select(
            "request", *REQUEST_COLUMNS
        )
        found = [_NO_ANSWERS]
        for number, graph in enumerate(self._graphs):
            answered = answers(graph, pending).with_columns(layer=pl.lit(number, pl.UInt32))
            found.append(answered)
            pending = pending.join(answered.filter(pl.col("rate").is_null()), on="request", how="semi")
            if pending.is_empty():
                break
        settled = numbered.join(
            _best(pl.concat(found)), on="request", how="left", suffix="_found", maintain_order="left"
        )
        return settled.with_columns(pl.coalesce(name, f"{name}_found").alias(name) for name in ANSWER_COLUMNS)

    def _hint(self, base: str, quote: str) -> str | None:
        unknown = [code for code in (base, quote) if code not in self.currencies]
        if "RMB" in map(str.upper, unknown):
            return "The code of the renminbi is CNY."
        near = [match for code in unknown for match in get_close_matches(code.upper(), sorted(self.currencies), n=1)]
        if near:
            return f"Did you mean {' or '.join(near)}?"
        return OWN_RATES if unknown else None


# --- Helpers ----------------------------------------------------------------------------------------------------------

_NO_ANSWERS: Final = pl.DataFrame(
    schema={"request": pl.UInt32(), **ANSWER_COLUMNS, "days_quoted": pl.Int64(), "layer": pl.UInt32()}
)


@cache
def _ecb() -> Rates:
    return Rates((Layer(ecb_quotes()),))


def _days(when: When) -> tuple[date, date]:
    if isinstance(when, str | int):
        # A whole number is a year, as in a column of periods, and no count of days.
        when = parse_period(str(when))
    if isinstance(when, Period):
        return when.start, when.end
    first, last = (
        day.date() if isinstance(day, datetime) else day for day in (when if isinstance(when, tuple) else (when, when))
    )
    return first, last


def _decimal(number: float) -> Decimal:
    """Fifteen significant digits, which is what a float holds of a decimal: 7.105, never 7.1049999999999995."""
    return Decimal(f"{number:.15g}")


def _method(method: RateMethod | str) -> RateMethod:
    try:
        return RateMethod(method)
    except ValueError:
        known = ", ".join(RateMethod)
        raise RateError("method_unknown", f"{method!r} is no rate method.", hint=f"Methods are {known}.") from None


def _check_fixed(method: RateMethod, fixed_rate: str | None) -> None:
    """Refuse the method fixed without a printed rate, a printed rate by another method, and what is no rate."""
    if (method is RateMethod.FIXED) != (fixed_rate is not None):
        what = "The method fixed and a printed rate belong together."
    elif fixed_rate is not None and not (re.fullmatch(NUMBER, fixed_rate) and Decimal(fixed_rate) > 0):
        what = f"{fixed_rate!r} is no rate: a number above 0 without commas."
    else:
        return
    hint = 'zhiji-etl rates USD CNY 2019 --rate 7.0651, or rate(..., "fixed", fixed_rate="7.0651")'
    raise RateError("rate_fixed", what, hint=hint)


def _best(found: pl.DataFrame) -> pl.DataFrame:
    """Of all layers' answers to a request the one with a rate, else the reason of the layer that has the pair longest.

    So a slice of the rates laid over all of them gives the same reasons as all of them.
    """
    without = pl.col("rate").is_null()
    length = pl.when(without).then("days_quoted").fill_null(-1)
    ranked = found.sort(without, length, "layer", descending=[False, True, False])
    return ranked.unique("request", keep="first", maintain_order=True)


def _without_quotes(requests: pl.DataFrame) -> pl.DataFrame:
    """The requests with the answers that need no quotes: one currency, a fixed rate, a request that is none."""
    if "fixed_rate" not in requests.columns:
        requests = requests.with_columns(fixed_rate=pl.lit(None, pl.String))
    same, fixed = pl.col("base") == pl.col("quote"), pl.col("method") == RateMethod.FIXED
    printed = pl.when(fixed & pl.col("fixed_rate").str.contains(NUMBER)).then("fixed_rate")
    value, half_step = printed.cast(pl.Float64), printed_step(printed) / 2

    def either(one: object, other: pl.Expr | None, name: str) -> pl.Expr:
        """One column where the currencies are the same, and where they are not."""
        return pl.when(same).then(pl.lit(one)).otherwise(other).alias(name)

    answered = requests.with_columns(
        either(1.0, value, "rate"),
        either(1.0, value - half_step, "rate_low"),
        either(1.0, value + half_step, "rate_high"),
        pl.when(same | printed.is_not_null()).then(pl.lit(0, pl.Int64)).alias("days_used"),
        pl.lit(None, pl.Date).alias("last_quote"),
        either("one currency", pl.when(printed.is_not_null()).then(pl.lit("printed by the source")), "origin"),
    )
    return answered.with_columns(pl.when(pl.col("rate").is_null()).then(_refusal()).alias("reason"))


def _refusal() -> pl.Expr:
    """Why a request is none, or null."""
    asked = ("base", "quote", "start", "end", "method")
    missing = [pl.when(pl.col(name).is_null()).then(pl.lit(f"the request has no {name}")) for name in asked]
    fixed = pl.when(pl.col("method") == RateMethod.FIXED).then(
        pl.format("the fixed rate {} is no number", pl.col("fixed_rate").fill_null("(none)"))
    )
    unknown = pl.when(~pl.col("method").is_in(list(RateMethod))).then(pl.format("{} is no rate method", "method"))
    turned = pl.when(pl.col("end") < pl.col("start")).then(pl.format("{} lies before {}", "end", "start"))
    return pl.coalesce(*missing, fixed, unknown, turned)
