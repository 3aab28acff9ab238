"""Reading in batches: however the rows of a source are cut and looked up, they are the same rows in the same order."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import zhiji_etl as zj
from zhiji_etl import rows
from zhiji_etl.distinct import with_answers

MIXED = """entity,metric,period,printed,note,decimals,table,restated
A,vehicle_sales,2019,5 vehicles,,,,said again
A,vehicle_sales,FY2020,about 6 vehicles,p. 4,0,,
,vehicle_sales,2020,7 vehicles,,,,
A,revenue,2019,RMB7 billion (US$1 billion),,,company_year,
A,revenue,2020,US$1 billion (RMB7 billion),,,CompanyYear,
A,vehicle_sale,2021,8 vehicles,,,,
A,vehicle_sales,when,9 vehicles,,,,
A,vehicle_sales,2022,nine or so,,,nowhere,
A,vehicle_sales,2022,9 vehicles,,x,,
"""
FISCAL = 'fiscal_year_end = "03-31"\n'


def read(folder) -> pl.DataFrame:
    project = zj.Project(folder)
    return rows.read_rows(project.sources, project.catalogue, project.corrections)


@pytest.mark.parametrize("size", [1, 2, 4, 100])
def test_rows_do_not_depend_on_how_they_are_cut(project, monkeypatch, size: int):
    folder = project(MIXED, FISCAL)
    whole = read(folder)
    monkeypatch.setattr(rows, "BATCH", size)
    assert_frame_equal(read(folder), whole)
    assert whole["code"].null_count() == 4
    assert rows.split(whole).figures["figure_id"].is_sorted()


def test_the_amount_in_the_declared_unit_is_the_figure_wherever_it_stands(project):
    figures = rows.split(read(project(MIXED))).figures.filter(pl.col("metric") == "revenue")
    assert figures.select("printed_unit", pl.col("restates").is_null()).rows() == [("CNY", True), ("USD", False)] * 2


def test_rows_of_many_sources_stand_in_the_order_of_their_ids_and_columns_in_that_of_their_names(project):
    names = "abcdefgh"
    for name in names:
        folder = project(
            f"entity,metric,period,printed,own_{name}\n{name},vehicle_sales,2019,5 vehicles,x\n", name=name
        )
    whole = read(folder)
    assert whole["row_id"].is_sorted()
    assert [name for name in whole.columns if name.startswith("own_")] == [f"own_{name}" for name in names]
    # Else the order of the names would be that of the ids, and nothing shown.
    assert whole["source"].to_list() != sorted(whole["source"])


@pytest.mark.parametrize("lazy", [False, True])
def test_answers_are_asked_for_once_and_come_back_in_the_order_of_the_rows(lazy: bool):
    asked = []

    def answer(distinct: pl.DataFrame) -> pl.DataFrame:
        asked.extend(distinct.rows())
        return distinct.select(both=pl.concat_str("a", "b", ignore_nulls=True), never=pl.lit(None, pl.Float64))

    frame = pl.DataFrame({"a": ["x", None, "x", "y", None], "b": ["1", "1", "1", None, "1"], "both": [0] * 5})
    keys = {name: pl.col(name) for name in "ab"}
    found = with_answers(frame.lazy() if lazy else frame, keys, answer, {"both": pl.String(), "never": pl.Float64()})
    assert found.lazy().collect()["both"].to_list() == ["x1", "1", "x1", "y", "1"]
    assert found.lazy().collect().columns == ["a", "b", "both", "never"]
    assert lazy or len(asked) == 3
    assert sorted(set(asked), key=str) == sorted(frame.select("a", "b").unique().rows(), key=str)


def test_no_rows_have_no_answers():
    empty = pl.DataFrame(schema={"a": pl.String})
    found = with_answers(empty, {"a": pl.col("a")}, lambda asked: asked.select(n=pl.len()).clear(), {"n": pl.UInt32()})
    assert found.schema == {"a": pl.String, "n": pl.UInt32}
