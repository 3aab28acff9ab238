"""What a conversion costs beside a plain join: `python -m benchmarks.rates [rows]`.

Figures in ten currencies on the days of twenty years, each at the rate of its own day, against a left join of the same
rows to a table of one rate for each currency and day: the rates alone, and the whole conversion of figures (factors,
rates, bounds). Prints seconds of all processors, the best and the median, their ratios, and by how much memory grows
in a process that does nothing else.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl

from zhiji_etl.conversion import CONVENTION_COLUMNS, convert
from zhiji_etl.figures import FIGURE_COLUMNS
from zhiji_etl.rates import Rates

CURRENCIES = ["USD", "JPY", "GBP", "CHF", "SEK", "NOK", "CAD", "AUD", "HKD", "CNY"]
ROUNDS = 5


def requests(rows: int) -> pl.DataFrame:
    days = pl.date_range(date(2006, 1, 1), date(2025, 12, 31), eager=True)
    number = pl.int_range(rows, dtype=pl.UInt64).hash(1)
    made = pl.select(
        base=pl.lit(pl.Series(CURRENCIES)).gather((number % len(CURRENCIES)).cast(pl.UInt32)),
        quote=pl.lit("EUR"),
        start=pl.lit(days).gather((number // 16 % len(days)).cast(pl.UInt32)),
        method=pl.lit("spot"),
        value=(number % 1_000_003).cast(pl.Float64),
    ).with_columns(end="start")
    return materialised(made)


def figures(asked: pl.DataFrame) -> pl.DataFrame:
    """The same rows as figures with all their columns, ready to be converted to euros."""
    number = pl.int_range(len(asked), dtype=pl.UInt64)
    made = asked.select(
        figure_id=number * 2,
        row_id=number,
        period_start="start",
        period_end="end",
        value="value",
        low=pl.col("value") - 0.5,
        high=pl.col("value") + 0.5,
        step=pl.lit(1.0),
        step_max=pl.lit(1.0),
        low_closed=pl.lit(value=True),
        high_closed=pl.lit(value=True),
        unit="base",
        printed_unit="base",
        declared_unit="quote",
        fx="method",
        at_least=pl.lit(0.0),
    )
    columns = {**FIGURE_COLUMNS, **CONVENTION_COLUMNS, "nouns": pl.List(pl.String()), "at_most": pl.Float64()}
    absent = {name: dtype for name, dtype in columns.items() if name not in made.columns}
    return materialised(made.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in absent.items()))


def materialised(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with a value in memory for each row: a constant column costs nothing, and flatters whoever reads it."""
    return frame.select(pl.all().gather(pl.int_range(pl.len())))


def works(rows: int) -> dict[str, tuple[Callable[[], object], str]]:
    """What is measured, by name, and beside what."""
    rates, asked = Rates.ecb(), requests(rows)
    printed = figures(asked)
    distinct = rates.table(asked.select("base", "quote", "start", "end", "method").unique())
    plain = distinct.select("base", "start", "rate")
    of_figures = plain.rename({"base": "printed_unit", "start": "period_start", "rate": "found"})
    return {
        "join of rows": (lambda: _joined(asked, plain, ["base", "start"]), "join of rows"),
        "rates.table": (lambda: rates.table(asked), "join of rows"),
        "join of figures": (lambda: _joined(printed, of_figures, ["printed_unit", "period_start"]), "join of figures"),
        "convert": (lambda: convert(printed, rates), "join of figures"),
    }


def seconds(work: Callable[[], object]) -> float:
    """Processor time: on a shared machine the clock on the wall tells of the neighbours."""
    started = time.process_time()
    work()
    return time.process_time() - started


def main(rows: int) -> None:
    print(f"loading the history: {seconds(Rates.ecb):.2f} s")
    measured = works(rows)
    taken: dict[str, list[float]] = {name: [] for name in measured}
    for _ in range(ROUNDS):
        for name, (work, _) in measured.items():
            taken[name].append(seconds(work))
    for name, (_, beside) in measured.items():
        best, median = (of(taken[name]) for of in (min, statistics.median))
        ratios = f"{best / min(taken[beside]):.1f} (best), {median / statistics.median(taken[beside]):.1f} (median)"
        memory = grown_elsewhere(rows, name)
        print(f"{name:16s} best {best:.2f} s  median {median:.2f} s  ratio {ratios}  memory {memory}")
    print(f"{rows:,} rows; a ratio of at most 3 is the aim")


def grown_elsewhere(rows: int, name: str) -> str:
    """By how much one work makes the memory of a process of its own grow."""
    if not Path("/proc/self/clear_refs").exists():
        return "is measured on Linux"
    command = [sys.executable, "-m", "benchmarks.rates", str(rows), name]
    # Memory that is no longer needed goes back at once, or the frames made before would lend theirs to the work.
    given_back = {**os.environ, "_RJEM_MALLOC_CONF": "dirty_decay_ms:0,muzzy_decay_ms:0"}
    return subprocess.run(command, env=given_back, capture_output=True, text=True, check=True).stdout.strip()


def grown(rows: int, name: str) -> str:
    """The same in this process: how far the peak rises above what the prepared frames take."""
    work, _ = works(rows)[name]
    Path("/proc/self/clear_refs").write_text("5")
    before = memory_now("VmRSS")
    work()
    return f"+{(memory_now('VmHWM') - before) // 1024} MB"


def memory_now(field: str) -> int:
    """One field of this process's status, in kB."""
    return int(re.findall(rf"{field}:\s+(\d+)", Path("/proc/self/status").read_text())[0])


def _joined(rows: pl.DataFrame, rates: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    return rows.join(rates, on=on, how="left", maintain_order="left")


if __name__ == "__main__":
    asked_for = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    if len(sys.argv) > 2:
        print(grown(asked_for, sys.argv[2]))
    else:
        main(asked_for)
