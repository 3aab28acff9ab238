"""Methods: one rate, with bounds, for a period.

In: one layer of quotes and distinct requests (`REQUEST_COLUMNS` and a `request` number). Out: one row a request with
`ANSWER_COLUMNS`. Everything is a join to running sums over the series of each pair, so the cost does not grow with the
length of a period.

A rate holds on its day and is carried forward over at most `MAX_AGE` days without a quote. Every day of a period must
have such a rate, else the answer is a reason. An average's value is the arithmetic mean of the daily rates. Its bounds
reach from the harmonic to the arithmetic mean of them, which are the two readings of "the average rate" (average the
rate, or average its inverse), so that they do not depend on the direction in which a pair is quoted.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from zhiji_etl.arguments import Word
from zhiji_etl.rates.quotes import MAX_AGE
from zhiji_etl.rates.series import Layer

USUAL: Final = "usual"
"""What a metric may name in place of a method: see `RateMethod.usual`."""


class RateMethod(Word):
    """How the rate of a period is taken."""

    SPOT = "spot"
    """The rate of one date; over several days the hull of their rates (the value is their average)."""
    AVERAGE = "average"
    """The mean over all calendar days, the last quote carried over days without one."""
    AVERAGE_QUOTED = "average_quoted"
    """The mean over the days that have a quote."""
    PERIOD_END = "period_end"
    """The rate of the last day."""
    SUM_OF_QUARTERS = "sum_of_quarters"
    """Each quarter at its own average, summed with unknown weights: the hull of the quarters' averages."""
    FIXED = "fixed"
    """A convenience rate that the source prints."""

    @classmethod
    def usual(cls, *, is_flow: bool) -> RateMethod:
        """The convention where none is stated: the period's average for flows, its end for stocks."""
        return cls.AVERAGE if is_flow else cls.PERIOD_END


ANSWER_COLUMNS: Final[dict[str, pl.DataType]] = {
    "rate": pl.Float64(),
    "rate_low": pl.Float64(),
    "rate_high": pl.Float64(),
    "days_used": pl.Int64(),
    "last_quote": pl.Date(),
    "origin": pl.String(),
    "reason": pl.String(),
}
"""The answer. `last_quote` is the day of the last quote used; `reason` says why there is no rate, else it is null."""


def answers(layer: Layer, requests: pl.DataFrame) -> pl.DataFrame:
    """One row a request: `request`, `ANSWER_COLUMNS` and `days_quoted`.

    The requests are of two different currencies, a known method but `fixed`, and days in order. `days_quoted` are those
    from the first to the last quote of the pair, null where there is none.
    """
    if requests.is_empty():
        return pl.DataFrame(schema={"request": requests.schema["request"], **ANSWER_COLUMNS, "days_quoted": pl.Int64()})
    pairs = _pairs(layer, requests)
    history = _history(layer, pairs)
    placed = _placed(history, requests.join(pairs, on=["base", "quote"], how="left", maintain_order="left"))
    measured = pl.concat(
        MEASURES[RateMethod(method)](history, rows)
        for (method,), rows in placed.partition_by("method", as_dict=True).items()
    )
    answered = placed.join(measured, on="request", how="left", maintain_order="left")
    return answered.with_columns(_reason(layer)).select(
        "request", *_where_answered(), days_quoted=_days("first_quoted", "last_quoted")
    )


# --- Helpers: from quotes to running sums -----------------------------------------------------------------------------

_SUMMED: Final = ("rate", "high", "inverse", "days")
"""What is summed over days: the rate, its upper bound, the inverse of its lower bound, and one for the day."""

_SCALE: Final = 2.0**76
"""Whole numbers of 128 bits hold thirty years of rates up to 1e11 at this scale, to 14 digits from 1e-9 on."""


def _pairs(layer: Layer, requests: pl.DataFrame) -> pl.DataFrame:
    """The distinct pairs, numbered, with the sources and the ends of their series (null where there is none)."""
    pairs = requests.select("base", "quote").unique(maintain_order=True).with_row_index("pair")
    facts = [_facts(layer, base, quote) for base, quote in pairs.select("base", "quote").iter_rows()]
    schema = {"origin": pl.String(), "first_quoted": pl.Date(), "last_quoted": pl.Date()}
    return pairs.hstack(pl.DataFrame(facts, schema=schema, orient="row"))


def _facts(layer: Layer, base: str, quote: str) -> tuple[object, ...]:
    dates = layer.series(base, quote)["date"]
    return (layer.origin(base, quote) or None, dates.min(), dates.max())


def _history(layer: Layer, pairs: pl.DataFrame) -> pl.DataFrame:
    """The series of all pairs, one below the other, with running sums within each."""
    # Nobody quotes a misspelt currency, and thousands of empty series would take Polars a minute to put together.
    quoted = pairs.filter(pl.col("first_quoted").is_not_null())
    told = pairs.head(1) if quoted.is_empty() else quoted
    series = [
        layer.series(base, quote).lazy().select(pl.lit(pair, pl.UInt32).alias("pair"), pl.all())
        for pair, base, quote in told.select("pair", "base", "quote").iter_rows()
    ]
    running = [
        one.with_columns(_carried_days(), inverse=1 / pl.col("low"), days=pl.lit(1.0))
        .with_columns(_exact())
        .with_columns(_sums())
        for one in series
    ]
    return pl.concat(running).with_row_index("row").collect()


def _carried_days() -> pl.Expr:
    """For how many days a quote holds: until the next one, its own day and `MAX_AGE` more at most."""
    until_next = (pl.col("date").shift(-1) - pl.col("date")).dt.total_days()
    return pl.min_horizontal(until_next.fill_null(MAX_AGE + 1), MAX_AGE + 1).alias("carried")


def _exact() -> list[pl.Expr]:
    """The summed columns as whole multiples of 1/_SCALE: sums are exact and do not depend on where they begin."""
    return [(pl.col(name) * _SCALE).cast(pl.Int128).alias(f"exact_{name}") for name in _SUMMED]


def _sums() -> list[pl.Expr]:
    """Of each column the sum over all quotes up to a row's, and over all calendar days before a row's."""
    quoted = [pl.col(f"exact_{name}").cum_sum().alias(f"quoted_{name}") for name in _SUMMED]
    held = {name: pl.col(f"exact_{name}") * pl.col("carried").cast(pl.Int128) for name in _SUMMED}
    return quoted + [(days.cum_sum() - days).alias(f"before_{name}") for name, days in held.items()]


def _placed(history: pl.DataFrame, requests: pl.DataFrame) -> pl.DataFrame:
    """Each request beside the quote that holds on its first day (`first_*`) and on its last day (`last_*`)."""
    placed = requests.lazy()
    for prefix, day in (("first_", "start"), ("last_", "end")):
        quotes = history.lazy().rename({name: prefix + name for name in history.columns if name != "pair"})
        placed = placed.sort(day).join_asof(
            quotes.sort(prefix + "date"), left_on=day, right_on=prefix + "date", by="pair", check_sortedness=False
        )
    return placed.with_columns(length=_days("start", "end") + 1).collect()


# --- Helpers: the methods ---------------------------------------------------------------------------------------------


def _period_end(history: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    held = rows.filter(_days("last_date", "end") <= MAX_AGE)
    return held.select("request", *_measure(pl.col("last_rate"), pl.col("last_low"), pl.col("last_high"), pl.lit(1)))


def _average(history: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    rate, high, inverse, days = (_over_days(name) for name in _SUMMED)
    return _covered(rows).select("request", *_measure(rate / days, days / inverse, high / days, days))


def _average_quoted(history: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    rate, high, inverse, days = (_over_quotes(name) for name in _SUMMED)
    quoted = _covered(rows).filter(days > 0)
    return quoted.select("request", *_measure(rate / days, days / inverse, high / days, days))


def _spot(history: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """One date: its rate. A window: the hull of the rates that hold on its days, their average as the value."""
    one_day, window = _period_end(history, rows.filter(pl.col("length") == 1)), rows.filter(pl.col("length") > 1)
    hull = _hull(history, _covered(window))
    value = _average(history, window).select("request", "rate")
    return pl.concat([one_day, value.join(hull, on="request", maintain_order="left").select(one_day.columns)])


def _sum_of_quarters(history: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The hull of the quarters' averages; the value is the average of the whole period."""
    whole = _covered(rows)
    quarters = _placed(history, _quarters(whole.select("request", "pair", "start", "end")))
    averages = _average(history, quarters)
    hull = averages.group_by("request").agg(pl.col("rate_low").min(), pl.col("rate_high").max())
    value = _average(history, whole)
    return value.drop("rate_low", "rate_high").join(hull, on="request", maintain_order="left").select(value.columns)


MEASURES: Final = {
    RateMethod.SPOT: _spot,
    RateMethod.AVERAGE: _average,
    RateMethod.AVERAGE_QUOTED: _average_quoted,
    RateMethod.PERIOD_END: _period_end,
    RateMethod.SUM_OF_QUARTERS: _sum_of_quarters,
}
"""Each method: history and placed requests in; of the answered ones `request, rate, rate_low, rate_high, days_used`."""


def _measure(rate: pl.Expr, low: pl.Expr, high: pl.Expr, days: pl.Expr) -> list[pl.Expr]:
    return [rate.alias("rate"), low.alias("rate_low"), high.alias("rate_high"), days.cast(pl.Int64).alias("days_used")]


def _covered(rows: pl.DataFrame) -> pl.DataFrame:
    """The requests with a rate on every day."""
    return rows.filter(_over_days("days") == pl.col("length"))


def _over_days(name: str) -> pl.Expr:
    """The sum over the calendar days of a request, each at the rate that holds on it."""
    # On the first day the quote before it may be too old to hold.
    on_first_day = pl.when(_days("first_date", "start") <= MAX_AGE).then(f"first_exact_{name}").otherwise(0)
    days = _through("last", "end", name) - _through("first", "start", name) + on_first_day
    return days.cast(pl.Float64) / _SCALE


def _through(at: str, day: str, name: str) -> pl.Expr:
    """The exact sum over all calendar days through `day`, on which the quote at row `at` is the last one."""
    held = pl.min_horizontal(_days(f"{at}_date", day) + 1, pl.col(f"{at}_carried"))
    return pl.col(f"{at}_before_{name}") + pl.col(f"{at}_exact_{name}") * held.cast(pl.Int128)


def _over_quotes(name: str) -> pl.Expr:
    """The sum over the quotes within a request."""
    on_first_day = pl.when(pl.col("first_date") == pl.col("start")).then(f"first_exact_{name}").otherwise(0)
    quotes = pl.col(f"last_quoted_{name}") - pl.col(f"first_quoted_{name}") + on_first_day
    return quotes.cast(pl.Float64) / _SCALE


def _days(start: str, end: str) -> pl.Expr:
    return (pl.col(end) - pl.col(start)).dt.total_days()


def _hull(history: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The lowest and the highest bound over the quotes of each request, and their number.

    A range of n quotes is covered by two ranges of 2^k quotes, so one rolling pass for each k that occurs suffices.
    """
    count = (pl.col("last_row") - pl.col("first_row") + 1).cast(pl.UInt32)
    sized = rows.select("request", "first_row", "last_row", count=count, power=31 - count.bitwise_leading_zeros())
    hulls = [_hull_of_power(history, part) for part in sized.partition_by("power")]
    schema = {
        "request": rows.schema["request"],
        "rate_low": pl.Float64(),
        "rate_high": pl.Float64(),
        "days_used": pl.Int64(),
    }
    return pl.concat([pl.DataFrame(schema=schema), *hulls])


def _hull_of_power(history: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    size = 2 ** int(rows["power"][0])
    low, high = history["low"].rolling_min(size), history["high"].rolling_max(size)
    ends = (rows["first_row"] + (size - 1), rows["last_row"])
    lows, highs = ([column.gather(end) for end in ends] for column in (low, high))
    return rows.select(
        "request",
        pl.min_horizontal(*lows).alias("rate_low"),
        pl.max_horizontal(*highs).alias("rate_high"),
        pl.col("count").cast(pl.Int64).alias("days_used"),
    )


def _quarters(rows: pl.DataFrame) -> pl.DataFrame:
    """The quarters of each period that is made of whole ones, counted from its own start."""
    after = pl.col("end").dt.offset_by("1d")
    months = 12 * (after.dt.year() - pl.col("start").dt.year()) + after.dt.month() - pl.col("start").dt.month()
    sized = rows.with_columns(months=months.cast(pl.Int64)).filter(
        (pl.col("months") > 0) & (pl.col("months") % 3 == 0) & (_months_on("start", pl.col("months")) == after)
    )
    exploded = sized.with_columns(month=pl.int_ranges(0, pl.col("months"), 3)).explode("month")
    return exploded.select(
        "request",
        "pair",
        start=_months_on("start", pl.col("month")),
        end=_months_on("start", pl.col("month") + 3).dt.offset_by("-1d"),
    )


def _months_on(day: str, months: pl.Expr) -> pl.Expr:
    return pl.col(day).dt.offset_by(pl.format("{}mo", months))


# --- Helpers: why there is no rate ------------------------------------------------------------------------------------


def _reason(layer: Layer) -> pl.Expr:
    """The reason of each request without a rate, null for the others."""
    series = pl.format("{}/{}, quoted from {} to {},", "base", "quote", "first_quoted", "last_quoted")
    known = pl.lit(pl.Series(sorted(layer.currencies), dtype=pl.String)).implode()
    return (
        pl.when(pl.col("rate").is_not_null())
        .then(None)
        .when(~pl.col("base").is_in(known))
        .then(pl.format("no series for {}", "base"))
        .when(~pl.col("quote").is_in(known))
        .then(pl.format("no series for {}", "quote"))
        .when(pl.col("first_quoted").is_null())
        .then(pl.format("no quotes tie {} to {}", "base", "quote"))
        .when((_days("last_date", "end") > MAX_AGE).fill_null(True))
        .then(pl.format("{} has no quote on {} or within {} days before", series, "end", pl.lit(MAX_AGE)))
        .when((_over_days("days") < pl.col("length")).fill_null(True))
        .then(
            pl.format(
                "{} has days from {} to {} without a quote within {} days before",
                series,
                "start",
                "end",
                pl.lit(MAX_AGE),
            )
        )
        .when(pl.col("method") == RateMethod.AVERAGE_QUOTED)
        .then(pl.format("{} has no quote from {} to {}", series, "start", "end"))
        .otherwise(pl.format("{} to {} is not made of whole quarters", "start", "end"))
        .alias("reason")
    )


def _where_answered() -> list[pl.Expr]:
    facts = [
        pl.when(pl.col("rate").is_not_null()).then(name).alias(alias)
        for name, alias in (("last_date", "last_quote"), ("origin", "origin"))
    ]
    return [pl.col("rate", "rate_low", "rate_high", "days_used"), *facts, pl.col("reason")]
