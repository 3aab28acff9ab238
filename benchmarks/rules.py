"""Rules against the same arithmetic by hand: share checks with verdict, strain and minimum detectable error.

The hand-written form joins the three figures of each check and compares points with a fixed tolerance; it knows no
precision, no readings of round numbers, no strain. Ratio = time of the library / time of the hand-written form.
"""

from __future__ import annotations

import argparse
from datetime import date

import numpy as np
import polars as pl

import zhiji_etl as zj
from benchmarks.record import Measure, in_turn
from zhiji_etl.consistency.rules.compiled import compile_rule
from zhiji_etl.consistency.rules.expressions import operands_of
from zhiji_etl.consistency.rules.operands import shelve, side_by_side
from zhiji_etl.consistency.rules.verdicts import judge
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


def measures(small: bool, checks: int | None = None) -> list[Measure]:
    """The rule beside the arithmetic by hand."""
    frame = figures(checks or (50_000 if small else 2_000_000))
    ours, theirs = in_turn([lambda: by_rules(frame), lambda: by_hand(frame)])
    verdicts = dict(by_rules(frame).group_by("verdict").len().sort("verdict").iter_rows())
    note = ", ".join(f"{many:,} {verdict}" for verdict, many in verdicts.items())
    what = f"{len(frame) // 3:,} share checks: verdict, strain, least error"
    return [Measure(what, "point arithmetic by hand", ours, theirs, note, {"verdicts": verdicts})]


def main() -> None:
    """Print one line: checks, seconds by hand and by the library, ratios; on a busy machine only that of processors."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--checks", type=int, default=2_000_000)
    (told,) = measures(small=False, checks=arguments.parse_args().checks)
    print(
        f"{told.what}: by hand {told.theirs.wall:.2f} s, by rules {told.ours.wall:.2f} s, "
        f"ratio {told.ratio:.2f}, of processor time {told.processor_ratio:.2f}; {told.note}"
    )


if __name__ == "__main__":
    main()
