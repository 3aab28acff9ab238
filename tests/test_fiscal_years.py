"""Fiscal years by entity: declared in a schema, overruled by the source, the calendar year where nobody says."""

from datetime import date

import polars as pl
import pytest

import zhiji_etl as zj
from zhiji_etl.tables import fiscal_year_ends

SCHEMA = """
import zhiji_etl as zj


class CompanyYear(zj.Table, fiscal_year_ends={"A": "03-31", "B": "6-30"}):
    sales: float = zj.Quantity("vehicle")
"""
OTHER = """

class PlatformYear(zj.Table, fiscal_year_ends={"A": "12-31"}):
    gmv: float = zj.Quantity("CNY")
"""


class CompanyYear(zj.Table, fiscal_year_ends={"A": "03-31"}):
    """One company, one year."""

    sales: float = zj.Quantity("vehicle")
    growth: float = zj.Quantity("percent")

    @zj.rule
    def grows(m):
        """Growth is measured against the year before."""
        return m.growth == m.sales / m.previous.sales - 1


class Further(CompanyYear, fiscal_year_ends={" C ": "1-31"}):
    """A table with one entity more."""


def frame(*rows: tuple[str, ...], columns=("entity", "metric", "period", "printed")) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=list(columns), orient="row")


def days(figures: pl.DataFrame) -> list[tuple[date, date]]:
    return list(figures.select("period_start", "period_end").iter_rows())


def test_each_entity_has_its_own(run):
    rows = "".join(f"{entity},sales,FY2020,5 vehicles\n" for entity in (" A", "B", "C"))
    ends = dict(run(rows, "", SCHEMA).figures.select("entity", "period_end").iter_rows())
    assert ends == {"A": date(2020, 3, 31), "B": date(2020, 6, 30), "C": date(2020, 12, 31)}


def test_the_source_comes_first(run):
    result = run("A,sales,FY2020,5 vehicles\nC,sales,FY2019/20,5 vehicles\n", 'fiscal_year_end = "09-30"\n', SCHEMA)
    assert days(result.figures) == [(date(2019, 10, 1), date(2020, 9, 30))] * 2


def test_a_double_year_needs_one(run):
    result = run("A,sales,FY2019/20,5 vehicles\nC,sales,FY2019/20,5 vehicles\n", "", SCHEMA)
    assert days(result.figures) == [(date(2019, 4, 1), date(2020, 3, 31))]
    assert result.rejects.select("entity", "code").rows() == [("C", "fiscal_year_end_needed")]


def test_the_calendar_stays(run):
    rows = "A,sales,2020,5 vehicles\nA,sales,2020Q1,5 vehicles\nA,sales,FY2020 Q1,5 vehicles\n"
    first, second, third = days(run(rows, "", SCHEMA).figures)
    assert first == (date(2020, 1, 1), date(2020, 12, 31))
    assert second == (date(2020, 1, 1), date(2020, 3, 31))
    assert third == (date(2019, 4, 1), date(2019, 6, 30))


def test_one_in_a_project(project, command):
    told = command("run", project("A,sales,FY2020,5 vehicles\n", "", SCHEMA + OTHER))
    assert told.code == 3
    assert "The fiscal year of A is declared to end on 03-31 and, by platform_year, on 12-31." in told.err


@pytest.mark.parametrize("wrong", ['{"A": "31-03"}', '{"A": "March"}', '"03-31"', '{"A": (3, 31)}', '{1: "03-31"}'])
def test_what_is_no_day(project, command, wrong: str):
    schema = SCHEMA.replace('{"A": "03-31", "B": "6-30"}', wrong)
    told = command("run", project("A,sales,FY2020,5 vehicles\n", "", schema))
    assert told.code == 3
    assert "schemas/company_year.py line 5: " in told.err
    assert "CompanyYear: fiscal_year_ends is" in told.err


def test_tables_inherit_them():
    assert fiscal_year_ends(Further) == {"A": "03-31", "C": "01-31"}
    assert fiscal_year_ends(CompanyYear) == {"A": "03-31"}
    assert fiscal_year_ends(zj.Table) == {}


def test_a_check_without_a_project():
    rows = (
        ("A", "sales", "FY2020", "121,034 vehicles"),
        ("A", "sales", "12 months ended 2019-03-31", "110,031 vehicles"),
        ("A", "growth", "FY2020", "10.0 percent"),
    )
    found = zj.check(frame(*rows), CompanyYear).frame.filter(kind="rule", period="FY2020")
    assert found.get_column("verdict").to_list() == ["consistent"]


def test_a_column_comes_first():
    columns = ("entity", "metric", "period", "printed", "fiscal_year_end")
    rows = (("A", "sales", "FY2020", "121 vehicles", "06-30"), ("A", "sales", "FY2021", "9 vehicles", None))
    figures = zj.check(frame(*rows, columns=columns), CompanyYear).figures
    assert figures.get_column("period_end").to_list() == [date(2020, 6, 30), date(2021, 3, 31)]
