"""The whole check, from figures to findings: records of 11 figures and 5 sums with one planted error each, timed.

`python benchmarks/conflicts.py --rows 100000`
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import polars as pl

import zhiji_etl as zj
from zhiji_etl.figures import FIGURE_COLUMNS
from zhiji_etl.tables import rule

SUMS = {"all": ("home", "abroad"), "home": ("h1", "h2"), "abroad": ("a1", "a2"), "h1": ("x", "y"), "a1": ("v", "w")}
FIGURES = ("home", "abroad", "all", "h1", "h2", "a1", "a2", "x", "y", "v", "w")


@rule
def group(m):  # type: ignore[no-untyped-def]
    return m.home + m.abroad == m.all


@rule
def home(m):  # type: ignore[no-untyped-def]
    return m.h1 + m.h2 == m.home


@rule
def abroad(m):  # type: ignore[no-untyped-def]
    return m.a1 + m.a2 == m.abroad


@rule
def first(m):  # type: ignore[no-untyped-def]
    return m.x + m.y == m.h1


@rule
def second(m):  # type: ignore[no-untyped-def]
    return m.v + m.w == m.a1


def planted(rows: int, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Printed values [rows, 11], each rounded to tens, and the column that is wrong in each row."""
    random = np.random.default_rng(seed)
    values = {name: random.integers(10, 100_000, rows) for name in FIGURES}
    for total, (one, other) in reversed(SUMS.items()):
        values[total] = values[one] + values[other]
    printed = np.stack([np.rint(values[name] / 10) * 10 for name in FIGURES], axis=1)
    wrong = random.integers(0, printed.shape[1], rows)
    printed[np.arange(rows), wrong] += random.choice([-9000, -900, 900, 9000], rows)
    return printed, wrong


def figures(rows: int) -> tuple[pl.DataFrame, np.ndarray]:
    """FIGURE_COLUMNS of all records, and the column that is wrong in each."""
    printed, wrong = planted(rows)
    day = pl.date(2019, 1, 1)
    made = pl.concat(
        pl.DataFrame({"value": printed[:, number]}).select(
            pl.format("Company {}", pl.int_range(pl.len())).alias("entity"),
            "value",
            metric=pl.lit(name),
            low=pl.col("value") - 5,
            high=pl.col("value") + 5,
        )
        for number, name in enumerate(FIGURES)
    )
    fixed = {
        "figure_id": pl.int_range(pl.len(), dtype=pl.UInt64),
        "row_id": pl.int_range(pl.len(), dtype=pl.UInt64),
        "period": pl.lit("2019"),
        "period_start": day,
        "period_end": day.dt.offset_by("1y").dt.offset_by("-1d"),
        "low_closed": pl.lit(value=True),
        "high_closed": pl.lit(value=True),
        "step": pl.lit(10.0),
        "step_max": pl.lit(10.0),
        "qualifier": pl.lit("exact"),
        "unit": pl.lit("vehicle"),
    }
    told = made.with_columns(**fixed)
    return told.select(
        (pl.col(name) if name in told.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in FIGURE_COLUMNS.items()
    ), wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    frame, wrong = figures(rows)
    start, worked = time.perf_counter(), time.process_time()
    found = zj.check(frame, [group, home, abroad, first, second])
    seconds, processor = time.perf_counter() - start, time.process_time() - worked
    told = found.frame.filter(pl.col("kind") == "conflict", pl.col("entity").is_not_null())
    names = pl.DataFrame({"entity": [f"Company {n}" for n in range(rows)], "wrong": np.array(FIGURES)[wrong]})
    changes = pl.col("resolved_by").list.eval(pl.element().struct.field("metric"))
    listed = told.join(names, on="entity").filter(changes.list.contains(pl.col("wrong")))
    print(
        f"{rows:,} records in {seconds:.1f} s, {processor:.1f} s of processors: {found.frame.height:,} findings, ",
        end="",
    )
    print(f"{told.height:,} conflicts, the true figure is listed in {listed.height:,}")


if __name__ == "__main__":
    main()
