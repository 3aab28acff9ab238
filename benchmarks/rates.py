"""What a conversion costs beside a plain join: `python benchmarks/rates.py [rows]`.

Figures in ten currencies on the days of twenty years, each at the rate of its own day, against a left join of the same
rows to a table of one rate for each currency and day. Prints the best and the median of each, and their ratios.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from datetime import date

import polars as pl

from zhiji_etl.rates import Rates

CURRENCIES = ["USD", "JPY", "GBP", "CHF", "SEK", "NOK", "CAD", "AUD", "HKD", "CNY"]
ROUNDS = 5


def requests(rows: int) -> pl.DataFrame:
    days = pl.date_range(date(2006, 1, 1), date(2025, 12, 31), eager=True)
    number = pl.int_range(rows, dtype=pl.UInt64).hash(1)
    return pl.select(
        base=pl.lit(pl.Series(CURRENCIES)).gather((number % len(CURRENCIES)).cast(pl.UInt32)),
        quote=pl.lit("EUR"),
        start=pl.lit(days).gather((number // 16 % len(days)).cast(pl.UInt32)),
        method=pl.lit("spot"),
        value=(number % 1_000_003).cast(pl.Float64),
    ).with_columns(end="start")


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main(rows: int) -> None:
    print(f"loading the history: {seconds(Rates.ecb):.2f} s")
    rates, figures = Rates.ecb(), requests(rows)
    distinct = rates.table(figures.select("base", "quote", "start", "end", "method").unique())
    plain = distinct.select("base", "start", "rate")
    works: dict[str, Callable[[], object]] = {
        "plain join": lambda: figures.join(plain, on=["base", "start"], how="left", maintain_order="left"),
        "rates.table": lambda: rates.table(figures),
    }
    taken = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            taken[name].append(seconds(work))
    for name, times in taken.items():
        print(f"{name:12s} best {min(times):.2f} s  median {statistics.median(times):.2f} s")
    best, median = (f(taken["rates.table"]) / f(taken["plain join"]) for f in (min, statistics.median))
    print(f"ratio of {rows:,} rows: {best:.1f} (best), {median:.1f} (median); at most 3 is the aim")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000)
