"""The adapter against Pandera's own full report, on the same rows and checks, as a ratio.

`python benchmarks/validation.py --rows 1000000` prints one line: rows, failing cells, seconds of each, the ratio, and
whether both found the same cells. The best of a few rounds is taken, the two in turn.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import pandera.polars as pa
import polars as pl

from zhiji_etl.validation import validate


class Sales(pa.DataFrameModel):
    entity: str = pa.Field(str_length={"max_value": 7})
    sales: int = pa.Field(ge=1, nullable=True)
    share: float = pa.Field(ge=0, le=99, nullable=True)
    market: str = pa.Field(isin=["China", "Europe"])


def frame(rows: int) -> pl.DataFrame:
    """About 2 % of the cells fail."""
    number = pl.int_range(rows, dtype=pl.UInt64)
    mixed = number.hash(7)
    return pl.select(
        row_id=number,
        entity=pl.format("E{}", mixed % 1_020_000),
        sales=(mixed % 50).cast(pl.Int64),
        share=(mixed % 1_010) / 10.0,
        market=pl.when(mixed % 100 == 0).then(pl.lit("Chian")).otherwise(pl.lit("China")),
    )


def pandera_report(made: pl.DataFrame) -> pl.DataFrame:
    try:
        Sales.validate(made, lazy=True)
    except pa.errors.SchemaErrors as error:
        return error.failure_cases.select(row_id=pl.col("index").cast(pl.UInt64), column="column")
    return pl.DataFrame(schema={"row_id": pl.UInt64, "column": pl.String})


def adapter_failures(made: pl.DataFrame) -> pl.DataFrame:
    return validate(made, Sales).failures.select("row_id", "column")


def seconds(run: Callable[[pl.DataFrame], pl.DataFrame], made: pl.DataFrame) -> tuple[float, pl.DataFrame]:
    start = time.perf_counter()
    found = run(made)
    return time.perf_counter() - start, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    made = frame(options.rows)
    rounds = [(seconds(adapter_failures, made), seconds(pandera_report, made)) for _ in range(options.rounds)]
    ours, theirs = (min(times) for times in zip(*((a[0], b[0]) for a, b in rounds), strict=True))
    (_, found), (_, reported) = rounds[0]
    same = found.sort("row_id", "column").equals(reported.sort("row_id", "column"))
    print(f"{'rows':>10} {'failures':>10} {'adapter s':>10} {'pandera s':>10} {'ratio':>6} same cells")
    print(f"{options.rows:>10} {found.height:>10} {ours:>10.3f} {theirs:>10.3f} {theirs / ours:>6.1f} {same}")


if __name__ == "__main__":
    main()
