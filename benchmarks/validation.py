"""The adapter against Pandera's own full report, dataframely and expressions by hand, on the same rows and checks.

`python -m benchmarks.validation --rows 1000000` prints a line for each: the ratio of times, and whether both found the
same cells. The best of a few rounds is taken, the two in turn.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import pandera.polars as pa
import polars as pl

from benchmarks.record import NOT_INSTALLED, Measure, in_turn
from zhiji_etl.validation import validate

MARKETS = ["China", "Europe"]


class Sales(pa.DataFrameModel):
    entity: str = pa.Field(str_length={"max_value": 7})
    sales: int = pa.Field(ge=1, nullable=True)
    share: float = pa.Field(ge=0, le=99, nullable=True)
    market: str = pa.Field(isin=MARKETS)


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


def dataframely_details(made: pl.DataFrame) -> pl.DataFrame:
    """The same by dataframely, which says of each failing row how each rule went."""
    import dataframely as dy

    class Declared(dy.Schema):
        row_id = dy.UInt64()
        entity = dy.String(max_length=7)
        sales = dy.Int64(min=1, nullable=True)
        share = dy.Float64(min=0, max=99, nullable=True)
        market = dy.String(check=lambda column: column.is_in(MARKETS))

    told = Declared.filter(made)[1].details()
    rules = [name for name in told.columns if "|" in name]
    long = told.unpivot(rules, index="row_id", variable_name="rule", value_name="outcome")
    failed = long.filter(pl.col("outcome").cast(pl.String) == "invalid")
    return failed.select("row_id", column=pl.col("rule").str.split("|").list.first())


def by_hand(made: pl.DataFrame) -> pl.DataFrame:
    """The same as somebody writes it who needs no schema."""
    wrong = {
        "entity": pl.col("entity").str.len_chars() > 7,
        "sales": pl.col("sales") < 1,
        "share": ~pl.col("share").is_between(0, 99),
        "market": ~pl.col("market").is_in(MARKETS),
    }
    return pl.concat([made.filter(mask).select("row_id", column=pl.lit(name)) for name, mask in wrong.items()])


PEERS: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "Pandera's own full report": pandera_report,
    "dataframely, its details": dataframely_details,
    "expressions by hand": by_hand,
}


def measures(small: bool, rows: int | None = None, rounds: int = 3) -> list[Measure]:
    """The adapter beside each peer."""
    rows = rows or (50_000 if small else 1_000_000)
    made = frame(rows)
    return [_beside(name, peer, made, rounds) for name, peer in PEERS.items()]


def _beside(name: str, peer: Callable[[pl.DataFrame], pl.DataFrame], made: pl.DataFrame, rounds: int) -> Measure:
    what = f"checks of {len(made):,} rows, 4 columns"
    try:
        theirs = peer(made)
    except ImportError:
        return Measure(what, name, None, None, NOT_INSTALLED)
    found = adapter_failures(made)
    same = found.sort("row_id", "column").equals(theirs.sort("row_id", "column"))
    ours, others = in_turn([lambda: adapter_failures(made), lambda: peer(made)], rounds)
    note = f"{'the same' if same else 'NOT the same'} {len(found):,} failing cells"
    return Measure(what, name, ours, others, note, {"same": same})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for one in measures(small=False, rows=options.rows, rounds=options.rounds):
        ratio = f"{one.ratio:.2f} times the time" if one.ratio else ""
        print(f"{one.what}, beside {one.beside}: {ratio} {one.note}")


if __name__ == "__main__":
    main()
