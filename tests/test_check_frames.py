"""The frames, rules and rates that a person hands to `check` in the first hour: each slip is told with a code."""

import pandas
import polars as pl
import pytest

import zhiji_etl as zj
from zhiji_etl.errors import ProjectError, RuleError, SourceError


def frame(*rows: tuple, columns=("entity", "metric", "period", "printed")) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=list(columns), orient="row")


def total(m):
    """Two parts make the total."""
    return m.total == m.part + m.other


def test_a_row_that_is_no_figure_is_a_reject():
    """It counted as a figure without a rate (`missing_reference`), and nothing said why."""
    rows = [
        *(("A", "total", "2019", "n/a"), ("A", "part", "2019", "7.0"), ("A", "other", "2019", "5.6")),
        *(("A", "part", "20x9", "7.0"), (None, "part", "2019", "7.0"), ("A", "other", "2018", None)),
        ("B", "total", "2019", "12.0"),
    ]
    found = zj.check(frame(*rows), total)
    codes = ["not_available", "period_unreadable", "entity_missing", "empty"]
    assert found.rejects["code"].to_list() == codes
    assert found.rejects.columns == ["entity", "metric", "period", "printed", "code", "reason"]
    assert found.rejects["reason"].null_count() == 0
    assert (found.figures.height, found.figures["low"].null_count()) == (3, 0)
    told = found.frame.filter(kind="rule", entity="A").row(0, named=True)
    assert (told["verdict"], told["reason"]) == ("not_checkable", "missing_operand")
    assert found.implied.filter(metric="total").height == 1
    assert "rejected: 1 empty" in repr(found)
    assert "4 rows became no figure" in found._repr_html_()


@pytest.mark.parametrize(("low", "high", "code"), [(5.0, 4.0, "contradiction"), (float("nan"), 5.0, "no_number")])
def test_numbers_that_are_no_bounds(low: float, high: float, code: str):
    """Bounds from 5 to 4 were consistent, NaN was inconsistent."""
    columns = ("entity", "metric", "period", "low", "high")
    found = zj.check(frame(("A", "part", "2019", low, high), ("A", "part", "2018", 1, 2), columns=columns), [])
    assert (found.rejects["code"].to_list(), found.figures.height) == ([code], 1)


def test_a_metric_that_nobody_could_read():
    with pytest.raises(RuleError, match="no print could be read of") as caught:
        zj.check(
            frame(("A", "total", "2019", "see note"), ("A", "part", "2019", "7.0"), ("A", "other", "2019", "5.6")),
            total,
        )
    assert caught.value.code == "rule_metric"


def test_an_amount_in_two_currencies_is_two_figures():
    """The one in brackets was thrown away, and `restates` was refused as another currency."""
    rows = [
        ("A", "gmv", "2019", "RMB6589 billion (US$945 billion)"),
        ("B", "gmv", "2019", "RMB6589 billion (US$94.5 billion)"),
    ]
    found = zj.check(frame(*rows), [], zj.Rates.ecb())
    verdicts = dict(found.frame.filter(kind="restatement").select("entity", pl.col("verdict").cast(pl.String)).rows())
    assert verdicts == {"A": "consistent", "B": "inconsistent"}
    assert found.figures.select("unit", "restates").rows() == [("CNY", None), ("CNY", None), ("USD", 0), ("USD", 1)]
    again = zj.check(found.figures, [], zj.Rates.ecb())
    assert again.frame.equals(found.frame)


@pytest.mark.parametrize("figures", [None, [("A",)], {"entity": ["A"]}, pandas.DataFrame({"entity": ["A"]})], ids=str)
def test_what_is_no_frame(figures):
    with pytest.raises(SourceError, match=r"Hint: pl\.from_pandas") as caught:
        zj.check(figures, total)
    assert caught.value.code == "frame_needed"


@pytest.mark.parametrize("rules", [None, "total", ["total"], 5], ids=str)
def test_what_is_no_rule(rules):
    with pytest.raises(RuleError) as caught:
        zj.check(frame(("A", "part", "2019", "7.0")), rules)
    assert caught.value.code == "rule_needed"


@pytest.mark.parametrize(
    ("column", "value"), [("printed", 22.7), ("value", "five"), ("decimals", "x"), ("printed", ["5"])]
)
def test_a_column_of_another_type(column: str, value: object):
    row = {"entity": "A", "metric": "part", "period": "2019", "printed": "7.0"} | {column: value}
    with pytest.raises(SourceError, match=f"The column {column} is ") as caught:
        zj.check(pl.DataFrame([row]), total)
    assert caught.value.code == "column_type"


def test_a_table_is_refused_as_in_a_project():
    """Its unit was none, and all its figures were silently of another one."""

    class Yuan(zj.Table):
        part: float = zj.Quantity("yuan")

    with pytest.raises(ProjectError, match="CNY"):
        zj.check(frame(("A", "other", "2019", "7.0")), Yuan)


def test_a_whole_number_is_a_year():
    """It was days since 1970."""
    rates = zj.Rates.ecb()
    assert rates.rate("USD", "CNY", 2019, "average") == rates.rate("USD", "CNY", "2019", "average")
