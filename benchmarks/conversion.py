"""Units: figures into the unit that their metric declares, beside Pint row by row, pint-pandas, and a plain join.

    python -m benchmarks.conversion [--rows 1000000]

The factors are asked of Pint once for each distinct pair of units and joined. Pint and pint-pandas convert the value
alone; the whole conversion also converts the bounds and steps of a figure. Whole numbers times whole factors are exact,
and must come out so to the last digit.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import polars as pl

from benchmarks.rates import figures as as_figures
from benchmarks.rates import materialised
from benchmarks.record import NOT_INSTALLED, Measure, in_turn, scaled, spent
from zhiji_etl.conversion import convert
from zhiji_etl.rates import Rates
from zhiji_etl.units import factor, factors
from zhiji_etl.units.registry import DEFINITIONS

if TYPE_CHECKING:
    import pandas as pd

PAIRS = (
    ("kilometre", "metre"), ("tonne", "kilogram"), ("kilowatt_hour", "joule"), ("hectare", "square_metre"),
    ("gram", "tonne"), ("mile", "kilometre"), ("pound", "kilogram"), ("megawatt", "watt"), ("litre", "cubic_metre"),
    ("day", "second"), ("acre", "hectare"), ("terabyte", "gigabyte"),
)  # fmt: skip
SAMPLE = 20_000
"""Rows that Pint converts one by one; its time for all of them is so much longer."""


def quantities(rows: int) -> pl.DataFrame:
    """`printed_unit, unit, value`: whole numbers in mixed units."""
    number = pl.int_range(rows, dtype=pl.UInt64).hash(3)
    which = (number % len(PAIRS)).cast(pl.UInt32)
    sides = [pl.lit(pl.Series([pair[side] for pair in PAIRS])).gather(which) for side in (0, 1)]
    return pl.select(printed_unit=sides[0], unit=sides[1], value=(number // 64 % 1_000_003).cast(pl.Float64))


def by_factors(made: pl.DataFrame) -> pl.Series:
    """The values by the library's factors."""
    found = factors(made.select("printed_unit", "unit"))
    joined = made.join(found, on=["printed_unit", "unit"], how="left", maintain_order="left")
    return joined.select(pl.col("value") * pl.col("factor")).to_series()


def by_hand(made: pl.DataFrame) -> pl.Series:
    """The values by a table of factors that somebody has worked out before."""
    known = [(printed, unit, float(factor(printed, unit))) for printed, unit in PAIRS]
    table = pl.DataFrame(known, ["printed_unit", "unit", "factor"], orient="row")
    joined = made.join(table, on=["printed_unit", "unit"], how="left", maintain_order="left")
    return joined.select(pl.col("value") * pl.col("factor")).to_series()


def by_pint(made: pl.DataFrame) -> pl.Series:
    """The values by Pint, row by row."""
    quantity = _pint().Quantity
    return pl.Series([quantity(value, printed).to(unit).magnitude for printed, unit, value in made.iter_rows()])


def by_pint_pandas(frame: pd.DataFrame) -> pd.Series:
    """The values by pint-pandas, a column for each pair of units; `ImportError` where it is not installed."""
    import pandas as pd
    from pint_pandas import PintType

    PintType.ureg = _pint()
    found = pd.Series(0.0, index=frame.index)
    for (printed, unit), rows in frame.groupby(["printed_unit", "unit"]):
        column = pd.Series(rows["value"], dtype=f"pint[{printed}]")
        found[rows.index] = column.pint.to(unit).pint.magnitude
    return found


_REGISTRY: list[Any] = []


def _pint() -> Any:
    """Pint with numbers as it comes and our names of units; made once, as whoever uses it does."""
    if not _REGISTRY:
        import pint

        _REGISTRY.append(pint.UnitRegistry())
        for line in DEFINITIONS:
            _REGISTRY[0].define(line)
    return _REGISTRY[0]


def inexact(made: pl.DataFrame, found: pl.Series) -> int:
    """How many of the values that are whole numbers times whole factors are wrong in any digit."""
    whole = [(*pair, int(factor(*pair))) for pair in PAIRS if factor(*pair).denominator == 1]
    table = pl.DataFrame(whole, ["printed_unit", "unit", "times"], orient="row")
    exact = made.with_columns(found=found).join(table, on=["printed_unit", "unit"])
    return exact.filter(pl.col("value").cast(pl.Int64) * pl.col("times") != pl.col("found")).height


def measures(small: bool, rows: int | None = None) -> list[Measure]:
    """The values alone beside Pint, pint-pandas and a join; the whole conversion beside that join."""
    rows = rows or (50_000 if small else 2_000_000)
    made = materialised(quantities(rows))
    sample = made.head(rows // 50 if small else SAMPLE)
    by_pint(sample.head(100))
    ours, plain = in_turn([lambda: by_factors(made), lambda: by_hand(made)])
    one_by_one = scaled(spent(lambda: by_pint(sample)), rows / len(sample))
    what = f"values of {rows:,} figures in {len(PAIRS)} units"
    differ = [inexact(sample, to(sample)) for to in (by_factors, by_pint)]
    told = f"exact values that differ in a digit: ours {differ[0]}, Pint's {differ[1]:,} of {len(sample):,}"
    return [
        Measure(what, "Pint row by row", ours, one_by_one, told, {"inexact": differ[0], "pint_inexact": differ[1]}),
        _beside_pint_pandas(what, made, by_factors),
        Measure(what, "a join with a table of factors", ours, plain),
        _whole(made, rows),
    ]


def _beside_pint_pandas(what: str, made: pl.DataFrame, ours: Callable[[pl.DataFrame], pl.Series]) -> Measure:
    try:
        frame = made.to_pandas()
        found = pl.Series(by_pint_pandas(frame).to_numpy())
    except ImportError:
        return Measure(what, "pint-pandas", None, None, NOT_INSTALLED)
    taken = in_turn([lambda: ours(made), lambda: by_pint_pandas(frame)])
    differ = inexact(made.head(SAMPLE), found.head(SAMPLE))
    return Measure(what, "pint-pandas", *taken, f"exact values that differ in a digit: its {differ:,}")


def _whole(made: pl.DataFrame, rows: int) -> Measure:
    """The library's own step, all amounts of a figure."""
    asked = made.select(base="printed_unit", quote="unit", value="value", method=pl.lit(None, pl.String))
    day = pl.date(2020, 1, 1)
    printed = as_figures(asked.with_columns(start=day, end=day))
    rates = Rates.ecb()
    # Whether the step takes and gives frames or plans is its own affair.
    taken = in_turn([lambda: convert(printed, rates).lazy().collect(), lambda: by_hand(made)])
    what = f"whole conversion of {rows:,} figures: value, bounds, steps"
    return Measure(what, "a join with a table of factors", *taken)


def main() -> None:
    """Prints a line for each measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    for one in measures(small=False, rows=parser.parse_args().rows):
        ratio = f"{one.ratio:.3g} times the time" if one.ratio else one.note
        print(f"{one.what}, beside {one.beside}: {ratio}{'; ' + one.note if one.ratio and one.note else ''}")


if __name__ == "__main__":
    main()
