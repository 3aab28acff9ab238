"""Rows told apart by numbers: the same answers as by texts and days, nulls and all."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiji_etl import sameness

COLUMNS = ("who", "day")
ROWS = st.lists(st.tuples(st.sampled_from(["a", "b", "", None]), st.sampled_from([0, 1, None]), st.integers(0, 3)))


def frame(rows: list[tuple[str | None, int | None, int]]) -> pl.DataFrame:
    schema = {"who": pl.String, "day": pl.Int32, "step": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("day").cast(pl.Date))


@given(rows=ROWS)
def test_repeated_rows_are_those_that_polars_calls_duplicated(rows: list[tuple[str | None, int | None, int]]):
    made = frame(rows)
    assert sameness.repeated(made, COLUMNS).equals(made.filter(made.select(COLUMNS).is_duplicated()))


@given(rows=ROWS)
def test_of_rows_that_are_alike_the_first_in_order_stays_and_stands_where_it_stood(
    rows: list[tuple[str | None, int | None, int]],
):
    made = frame(rows).with_row_index("row")
    kept = made.sort("step", "row").unique(COLUMNS, keep="first").sort("row")
    assert sameness.without_repeats(made, COLUMNS, ["step", "row"]).equals(kept)


@given(rows=ROWS)
def test_numbers_are_equal_where_rows_are(rows: list[tuple[str | None, int | None, int]]):
    made = frame(rows)
    numbers = made.select(number=sameness.number(*COLUMNS)).to_series()
    assert numbers.rank("dense").n_unique() == made.select(COLUMNS).n_unique()


@pytest.mark.parametrize(
    ("left", "right"), [(("a", "b"), ("b", "a")), (("a", None), (None, "a")), (("", None), (None, ""))]
)
def test_numbers_heed_which_column_says_what(left: tuple[str | None, ...], right: tuple[str | None, ...]):
    made = pl.DataFrame([left, right], schema={"one": pl.String, "two": pl.String}, orient="row")
    first, second = made.select(sameness.number("one", "two")).to_series()
    assert first != second
