"""Rules against the same arithmetic by hand: share checks with verdict, strain and minimum detectable error.

The hand-written form joins the three figures of each check and compares points with a fixed tolerance; it knows no
precision, no readings of round numbers, no strain. Ratio = time of the library / time of the hand-written form.
"""

from __future__ import annotations

import argparse
import time
from datetime import date

import numpy as np
import polars as pl

import zhiji_etl as zj
from zhiji_etl.consistency.expressions import operands_of
from zhiji_etl.consistency.operands import shelve, side_by_side
from zhiji_etl.consistency.rules import compile_rule
from zhiji_etl.consistency.verdicts import judge
from zhiji_etl.figures import FIGURE_COLUMNS
from zhiji_etl.tables import Metric, declared_rule


@zj.rule
def share(m):
    """A share is sales over the market."""
    return m.share == m.sales / m.market


METRICS = {
    "share": Metric("share", "percent", at_least=0.0),
    "sales": Metric("sales", "vehicle", at_least=0.0),
    "market": Metric("market", "vehicle", at_least=0.0),
}


def figures(checks: int) -> pl.DataFrame:
    """Three figures a check, a tenth of the shares wrong, in mixed order."""
    numbers = np.random.default_rng(7)
    market = numbers.integers(10_000, 90_000, checks) * 1000.0
    sales = np.round(market * numbers.uniform(0.01, 0.9, checks) / 100) * 100
    shares = np.round(sales / market * 100 * np.where(numbers.random(checks) < 0.1, 1.2, 1.0), 1)
    entity = np.char.add("maker ", np.arange(checks).astype(str))
    parts = [
        _metric("share", "percent", entity, shares, 0.1),
        _metric("sales", "vehicle", entity, sales, 100.0),
        _metric("market", "vehicle", entity, market, 1000.0),
    ]
    return (
        pl.concat(parts)
        .with_row_index("figure_id")
        .select(
            pl.col(name).cast(dtype)
            if name in parts[0].columns or name == "figure_id"
            else pl.lit(None, dtype).alias(name)
            for name, dtype in FIGURE_COLUMNS.items()
        )
        .sample(fraction=1.0, shuffle=True, seed=1)
    )


def _metric(metric: str, unit: str, entity: np.ndarray, value: np.ndarray, step: float) -> pl.DataFrame:
    return pl.DataFrame({"entity": entity, "value": value}).with_columns(
        metric=pl.lit(metric),
        unit=pl.lit(unit),
        period=pl.lit("2019"),
        period_start=pl.lit(date(2019, 1, 1)),
        period_end=pl.lit(date(2019, 12, 31)),
        low=pl.col("value") - step / 2,
        high=pl.col("value") + step / 2,
        low_closed=pl.lit(True),
        high_closed=pl.lit(True),
        step=pl.lit(step),
        step_max=pl.lit(step),
        qualifier=pl.lit("exact"),
    )


def by_hand(frame: pl.DataFrame) -> pl.DataFrame:
    """The same check as an analyst writes it: joins, point arithmetic, a fixed tolerance."""
    keys = ["entity", "period_start", "period_end"]

    def one(name):
        return frame.lazy().filter(pl.col("metric") == name).select(*keys, pl.col("value").alias(name))

    joined = one("share").join(one("sales"), on=keys).join(one("market"), on=keys)
    return (
        joined.with_columns(implied=pl.col("sales") / pl.col("market") * 100)
        .with_columns(ok=(pl.col("share") - pl.col("implied")).abs() <= 0.05)
        .collect()
    )


def by_rules(frame: pl.DataFrame) -> pl.DataFrame:
    """The check by the library: every figure at every reading, verdict, strain, gaps, minimum detectable error."""
    compiled = compile_rule(declared_rule(share), METRICS)
    shelf = shelve(frame)
    relation, check = compiled.relations[""], compiled.checks[""]
    wide = side_by_side(shelf, operands_of(relation).values(), None)
    return judge(wide, check)


def main() -> None:
    """Print one line: checks, seconds by hand and by the library, ratios; on a busy machine only that of processors."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--checks", type=int, default=2_000_000)
    checks = arguments.parse_args().checks
    frame = figures(checks)
    seconds: dict[str, float] = {}
    processor: dict[str, float] = {}
    for name, function in (("hand", by_hand), ("rules", by_rules)) * 3:
        began, worked = time.perf_counter(), time.process_time()
        found = function(frame)
        seconds[name] = min(seconds.get(name, np.inf), time.perf_counter() - began)
        processor[name] = min(processor.get(name, np.inf), time.process_time() - worked)
    print(found.group_by("verdict").len())
    print(
        f"{checks} checks: by hand {seconds['hand']:.2f} s, by rules {seconds['rules']:.2f} s, "
        f"ratio {seconds['rules'] / seconds['hand']:.2f}, "
        f"of processor time {processor['rules'] / processor['hand']:.2f}"
    )


if __name__ == "__main__":
    main()
