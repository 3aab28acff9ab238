"""Periods: texts as people print them, the laws of stepping and splitting, and whole columns."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiji_etl.errors import PeriodError
from zhiji_etl.periods import Period, PeriodKind, known_forms, parse_period, previous_table, resolve_periods

MARCH = (3, 31)

FLOWS = {
    "2019": "2019-01-01 2019-12-31",
    "2019年": "2019-01-01 2019-12-31",
    "2019 年度": "2019-01-01 2019-12-31",
    "二〇一九年": "2019-01-01 2019-12-31",
    "full year 2019": "2019-01-01 2019-12-31",
    "CY19": "2019-01-01 2019-12-31",
    "2019.0": "2019-01-01 2019-12-31",
    "2020年报": "2020-01-01 2020-12-31",
    "FY2020": "2019-04-01 2020-03-31",
    "FY20": "2019-04-01 2020-03-31",
    "fiscal year 2020": "2019-04-01 2020-03-31",
    "2020财年": "2019-04-01 2020-03-31",
    "FY2019/20": "2019-04-01 2020-03-31",
    "FY99/00": "1999-04-01 2000-03-31",
    "2019/20财年": "2019-04-01 2020-03-31",
    "2019/20": "2019-04-01 2020-03-31",
    "2019-2020财年": "2019-04-01 2020-03-31",
    "Q1 FY2021": "2020-04-01 2020-06-30",
    "1QFY21": "2020-04-01 2020-06-30",
    "Q4 fiscal 2020": "2020-01-01 2020-03-31",
    "2020财年第一季度": "2019-04-01 2019-06-30",
    "2020Q1": "2020-01-01 2020-03-31",
    "Q1 2020": "2020-01-01 2020-03-31",
    "Q1'20": "2020-01-01 2020-03-31",
    "1Q20": "2020-01-01 2020-03-31",
    "the first quarter of 2020": "2020-01-01 2020-03-31",
    "second-quarter 2020": "2020-04-01 2020-06-30",
    "2020年一季度": "2020-01-01 2020-03-31",
    "2020年第四季度": "2020-10-01 2020-12-31",
    "2020年一季报": "2020-01-01 2020-03-31",
    "H1 2020": "2020-01-01 2020-06-30",
    "2H19": "2019-07-01 2019-12-31",
    "2019年上半年": "2019-01-01 2019-06-30",
    "2020中报": "2020-01-01 2020-06-30",
    "2020 下半年": "2020-07-01 2020-12-31",
    "9M 2020": "2020-01-01 2020-09-30",
    "first nine months of 2020": "2020-01-01 2020-09-30",
    "Q1-Q3 2020": "2020-01-01 2020-09-30",
    "2020年前三季度": "2020-01-01 2020-09-30",
    "2020年1—9月累计": "2020-01-01 2020-09-30",
    "2020年前三季度累计": "2020-01-01 2020-09-30",
    "2020年1-9月": "2020-01-01 2020-09-30",
    "9月 2020年": "2020-09-01 2020-09-30",
    "1-9月累计 2020年": "2020-01-01 2020-09-30",
    "前三季度 2020年": "2020-01-01 2020-09-30",
    "截至3月31日止年度 2020年": "2019-04-01 2020-03-31",
    "截至6月30日止6个月 2020": "2020-01-01 2020-06-30",
    "2020 年 1—9 月": "2020-01-01 2020-09-30",
    "2020年三季报": "2020-01-01 2020-09-30",
    "January–September 2020": "2020-01-01 2020-09-30",
    "2020年初至9月30日": "2020-01-01 2020-09-30",
    "YTD September 2020": "2020-04-01 2020-09-30",
    "2020-03": "2020-03-01 2020-03-31",
    "202003": "2020-03-01 2020-03-31",
    "Mar 2020": "2020-03-01 2020-03-31",
    "Mar-20": "2020-03-01 2020-03-31",
    "Feb. 2020": "2020-02-01 2020-02-29",
    "2020年3月份": "2020-03-01 2020-03-31",
    "二零二零年十月": "2020-10-01 2020-10-31",
    "10月 2020": "2020-10-01 2020-10-31",
    "20年3月": "2020-03-01 2020-03-31",
    "March quarter 2020": "2020-01-01 2020-03-31",
    "the December 2019 quarter": "2019-10-01 2019-12-31",
    "in 2019": "2019-01-01 2019-12-31",
    "CY2020 Q1": "2020-01-01 2020-03-31",
    "2020-W05": "2020-01-27 2020-02-02",
    "12 months ended March 31, 2020": "2019-04-01 2020-03-31",
    "twelve months ended 29 February 2020": "2019-03-01 2020-02-29",
    "the three-month period ended June 30, 2020": "2020-04-01 2020-06-30",
    "year to 2020-03-31": "2019-04-01 2020-03-31",
    "six months to 30 June 2020": "2020-01-01 2020-06-30",
    "fiscal year ended March 31, 2020": "2019-04-01 2020-03-31",
    "52 weeks ended September 28, 2019": "2018-09-30 2019-09-28",
    "截至2020年3月31日止年度": "2019-04-01 2020-03-31",
    "截至二零二零年三月三十一日止年度": "2019-04-01 2020-03-31",
    "截至2020年3月31日止三个月": "2020-01-01 2020-03-31",
    "截至2020年9月30日止九个月": "2020-01-01 2020-09-30",
    "TTM 2020-03": "2019-04-01 2020-03-31",
    "LTM Q1 2020": "2019-04-01 2020-03-31",
    "2019-04-01/2020-03-31": "2019-04-01 2020-03-31",
    "2019-04-01/P1Y": "2019-04-01 2020-03-31",
    "P12M/2020-03-31": "2019-04-01 2020-03-31",
    "Nov 2020 to Dec 2020": "2020-11-01 2020-12-31",
    "April 1 to June 30, 2020": "2020-04-01 2020-06-30",
    "April 15 to June 30, 2020": "2020-04-15 2020-06-30",
    "March 1-15, 2020": "2020-03-01 2020-03-15",
    "自2020年3月1日至31日止期间": "2020-03-01 2020-03-31",
    "2015-2019": "2015-01-01 2019-12-31",
}

POINTS = {
    "2020-03-31": "2020-03-31",
    "20200331": "2020-03-31",
    "2020/3/31": "2020-03-31",
    "2020-03-31 00:00:00": "2020-03-31",
    "March 31st, 2020": "2020-03-31",
    "31 March 2020": "2020-03-31",
    "31-Mar-2020": "2020-03-31",
    "3/31/2020": "2020-03-31",
    "2020年3月31日": "2020-03-31",
    "截至2020年3月31日": "2020-03-31",
    "as of March 31, 2020": "2020-03-31",
    "end of FY2020": "2020-03-31",
    "2019 year-end": "2019-12-31",
    "2019年年末": "2019-12-31",
    "2020年3月末": "2020-03-31",
    "2020年一季度末": "2020-03-31",
}

UNREADABLE = [
    "",
    " ",
    "last year",
    "同期",
    "19年",
    "12",
    "1.52",
    "10 billion",
    "2020-02-30",
    "Q5 2020",
    "13M20",
    "2023年0月",
    "2023年00月",
    "0月2023",
    "2023年0-3月",
    "2023年13月",
    "x" * 999,
]


@pytest.mark.parametrize(("text", "days"), FLOWS.items())
def test_flow(text: str, days: str) -> None:
    period = parse_period(text, fiscal_year_end=MARCH)
    assert (f"{period.start} {period.end}", period.is_flow, period.text) == (days, True, text)


@pytest.mark.parametrize(("text", "day"), POINTS.items())
def test_point(text: str, day: str) -> None:
    period = parse_period(text, fiscal_year_end=MARCH)
    assert (str(period.start), str(period.end), period.is_flow, period.kind) == (day, day, False, PeriodKind.DAY)


@pytest.mark.parametrize("text", UNREADABLE)
def test_unreadable(text: str) -> None:
    with pytest.raises(PeriodError) as raised:
        parse_period(text)
    assert raised.value.code == "period_unreadable"
    assert raised.value.hint == known_forms()
    assert len(raised.value.message) < 200


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("TTM", "does not say when it ends. Hint: Write TTM 2020-03."),
        ("Last 12 Months", "does not say when it ends"),
        ("滚动12个月", "does not say when it ends"),
        ("Q4", "names no year. Hint: Write it as 2020Q1"),
        ("H1", "names no year"),
        ("上半年", "names no year"),
        ("1-9月", "names no year"),
    ],
)
def test_a_word_is_missing(text: str, words: str) -> None:
    with pytest.raises(PeriodError) as raised:
        parse_period(text)
    assert raised.value.code == "period_unreadable"
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("4/5/2020", "period_ambiguous"),
        ("Sep 25", "period_ambiguous"),
        ("Three months ended September 30,", "period_ambiguous"),
        ("2020-03-31/2019-03-31", "period_reversed"),
        ("FY2019/20", "fiscal_year_end_needed"),
    ],
)
def test_refusals_name_their_cause(text: str, code: str) -> None:
    with pytest.raises(PeriodError) as raised:
        parse_period(text)
    assert raised.value.code == code


@pytest.mark.parametrize("text", ["2009-10", "2009/10", "2010-11", "2000-01", "2011/12", "2009-10 to 2009-12"])
def test_two_years_or_a_month(text: str) -> None:
    with pytest.raises(PeriodError, match="may be a month, or the fiscal year") as raised:
        parse_period(text, fiscal_year_end=MARCH)
    assert raised.value.code == "period_ambiguous"
    assert parse_period(text).start.month in (1, 10, 11, 12)
    for hint in ("M10 for the month", "FY2009-10 for the year"):
        assert text != "2009-10" or hint in str(raised.value)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2009-11", "2009-11-01 2009-11-30"),
        ("2009.10", "2009-10-01 2009-10-31"),
        ("2009M10", "2009-10-01 2009-10-31"),
        ("FY2009-10", "2009-04-01 2010-03-31"),
        ("2012-13", "2012-04-01 2013-03-31"),
        ("2009-10-01", "2009-10-01 2009-10-01"),
    ],
)
def test_what_is_neither_of_two(text: str, days: str) -> None:
    period = parse_period(text, fiscal_year_end=MARCH)
    assert f"{period.start} {period.end}" == days


def test_every_example_of_the_hint_is_read() -> None:
    examples = known_forms().removeprefix("Known forms are ").removesuffix(".").split("; ")
    for example in examples:
        first = example.split(", ")[0] if not example.startswith("12 months") and "March" not in example else example
        assert parse_period(first, fiscal_year_end=MARCH).days >= 1, first


def test_a_fiscal_year_is_the_calendar_year_unless_its_end_is_known() -> None:
    assert parse_period("FY2020").label == "2020"
    assert parse_period("FY2020", fiscal_year_end=(2, 28)).end == date(2020, 2, 29)
    assert parse_period("FY2021", fiscal_year_end=(2, 29)).end == date(2021, 2, 28)
    with pytest.raises(PeriodError, match="cannot end"):
        parse_period("2020", fiscal_year_end=(2, 31))


@pytest.mark.parametrize(
    ("text", "label", "kind", "previous", "year_before"),
    [
        ("2019", "2019", "year", "2018", "2018"),
        ("FY2020", "2019-04-01/2020-03-31", "year", "2018-04-01/2019-03-31", "2018-04-01/2019-03-31"),
        ("2020Q1", "2020Q1", "quarter", "2019Q4", "2019Q1"),
        ("H1 2020", "2020H1", "half", "2019H2", "2019H1"),
        ("2020-03", "2020-03", "month", "2020-02", "2019-03"),
        ("2020年1-9月", "2020-01-01/2020-09-30", "other", "2019-01-01/2019-09-30", "2019-01-01/2019-09-30"),
        ("2020-02-29", "2020-02-29", "day", "2020-02-28", "2019-02-28"),
        ("2021-02-28", "2021-02-28", "day", "2021-02-27", "2020-02-29"),
        ("2020-02-28", "2020-02-28", "day", "2020-02-27", "2019-02-28"),
        (
            "52 weeks ended September 28, 2019",
            "2018-09-30/2019-09-28",
            "year",
            "2017-10-01/2018-09-29",
            "2017-10-01/2018-09-29",
        ),
        ("2020-W05", "2020-01-27/2020-02-02", "other", "2020-01-20/2020-01-26", "2019-01-27/2019-02-02"),
        ("2020-11-26/2020-12-25", "2020-11-26/2020-12-25", "other", "2019-11-26/2019-12-25", "2019-11-26/2019-12-25"),
    ],
)
def test_steps(text: str, label: str, kind: str, previous: str, year_before: str) -> None:
    period = parse_period(text, fiscal_year_end=MARCH)
    assert (period.label, period.kind, period.previous.label, period.year_before.label) == (
        label,
        kind,
        previous,
        year_before,
    )


def test_nothing_lies_before_the_first_year() -> None:
    with pytest.raises(PeriodError, match="Nothing lies before"):
        _ = Period.between(date(1, 1, 1), date(1, 12, 31)).previous


def test_parts_that_do_not_fit() -> None:
    with pytest.raises(PeriodError, match="not made of whole"):
        parse_period("2020Q1").sub_periods("half")
    with pytest.raises(PeriodError, match="not made of whole"):
        parse_period("2020").sub_periods(PeriodKind.OTHER)


dates = st.dates(date(1950, 1, 1), date(2080, 12, 31))
months = st.builds(
    lambda day, n: Period.between(day.replace(day=1), last(day.replace(day=1), n)), dates, st.integers(1, 40)
)


def last(start: date, count: int) -> date:
    year, month = divmod(start.year * 12 + start.month - 1 + count, 12)
    return date(year, month + 1, 1) - timedelta(days=1)


@given(dates, st.integers(0, 800))
def test_a_label_names_the_same_days(start: date, length: int) -> None:
    period = Period.between(start, start + timedelta(days=length))
    again = parse_period(period.label)
    assert (again.start, again.end, again.kind) == (period.start, period.end, period.kind)


@given(months)
def test_labels_of_whole_months_are_read_back(period: Period) -> None:
    again = parse_period(period.label)
    assert (again.start, again.end, again.kind) == (period.start, period.end, period.kind)


@given(months, st.sampled_from(list(PeriodKind)))
def test_sub_periods_tile_their_parent(period: Period, kind: PeriodKind) -> None:
    try:
        parts = period.sub_periods(kind)
    except PeriodError:
        return
    assert (parts[0].start, parts[-1].end) == (period.start, period.end)
    assert all(one.end + timedelta(days=1) == two.start for one, two in pairwise(parts))
    assert {part.kind for part in parts} == {kind}
    assert sum(part.days for part in parts) == period.days


@given(dates, st.integers(1, 8))
def test_quarters_from_any_day_lose_no_day(start: date, count: int) -> None:
    year, month = divmod(start.year * 12 + start.month - 1 + 3 * count, 12)
    try:
        end = start.replace(year=year, month=month + 1) - timedelta(days=1)
    except ValueError:
        return
    parts = Period.between(start, end).sub_periods("quarter")
    assert (len(parts), parts[0].start, parts[-1].end) == (count, start, end)
    assert all(one.end + timedelta(days=1) == two.start for one, two in pairwise(parts))


@given(months)
def test_the_previous_period_is_adjacent_and_of_the_same_kind(period: Period) -> None:
    previous = period.previous
    assert previous.kind == period.kind
    if period.kind is not PeriodKind.OTHER:
        assert previous.end + timedelta(days=1) == period.start
    assert previous.start.month == period.start.month or period.kind in {"half", "quarter", "month", "other"}


@given(months)
def test_the_year_before_has_the_same_months(period: Period) -> None:
    before = period.year_before
    assert (before.start.month, before.end.month) == (period.start.month, period.end.month)
    assert before.start.year == period.start.year - 1


@given(st.integers(1990, 2069), st.integers(1, 4))
def test_all_spellings_of_a_quarter_agree(year: int, number: int) -> None:
    chinese = "一二三四"[number - 1]
    texts = [
        f"{year}Q{number}",
        f"Q{number} {year}",
        f"{number}Q{year}",
        f"{year}年{chinese}季度",
        f"{year} 年第{number}季度",
    ]
    if year >= 2000:
        texts += [f"{number}Q{year % 100:02d}", f"Q{number}'{year % 100:02d}"]
    assert {parse_period(text).label for text in texts} == {f"{year}Q{number}"}


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        period = parse_period(text)
    except PeriodError:
        return
    assert period.start <= period.end


@pytest.mark.parametrize(
    "text", ["1-" * 59, "to " * 40, "2020-" * 24, "年" * 119, "截至" * 59, "ended " * 20, "-/" * 60]
)
def test_a_hostile_text_is_refused_quickly(text: str) -> None:
    with pytest.raises(PeriodError):
        parse_period(text)


FRAME = pl.DataFrame(
    {
        "row": [1, 2, 3, 4, 5, 6],
        "period": ["FY2020", "x", None, "2019", "FY2020", "FY2020"],
        "year_end": ["03-31", None, "03-31", None, None, "99"],
    }
)


@pytest.mark.parametrize("lazy", [False, True])
def test_columns(lazy: bool) -> None:
    resolved = resolve_periods(FRAME.lazy() if lazy else FRAME, fiscal_year_end="year_end").lazy().collect()
    assert resolved["row"].to_list() == [1, 2, 3, 4, 5, 6]
    assert resolved["period_label"].to_list() == ["2019-04-01/2020-03-31", None, None, "2019", "2020", None]
    assert resolved["period_kind"].to_list() == ["year", None, None, "year", "year", None]
    assert resolved["period_reason"].is_null().to_list() == [True, False, False, True, True, False]
    assert "Known forms" in resolved["period_reason"][1]
    assert resolved["period_reason"][2] == "The period is missing."


def test_columns_of_years_and_dates() -> None:
    years = resolve_periods(pl.DataFrame({"period": [2019, None]}))
    assert years["period_label"].to_list() == ["2019", None]
    days = resolve_periods(pl.DataFrame({"when": [date(2019, 12, 31)]}), "when", fiscal_year_end=MARCH)
    assert days["period_label"].to_list() == ["2019-12-31"]
    assert days["period_is_flow"].to_list() == [False]


def test_columns_are_replaced() -> None:
    once = resolve_periods(FRAME)
    assert resolve_periods(once).equals(once)


def test_an_impossible_year_end_is_an_error_once() -> None:
    with pytest.raises(PeriodError):
        resolve_periods(FRAME, fiscal_year_end=(13, 1))


def test_previous_table_agrees_with_the_scalar() -> None:
    texts = [*FLOWS, *POINTS]
    frame = resolve_periods(pl.DataFrame({"period": texts}), fiscal_year_end=MARCH)
    table = previous_table(frame)
    for row in table.iter_rows(named=True):
        period = parse_period(row["period"], fiscal_year_end=MARCH)
        assert (row["previous_start"], row["previous_end"]) == (period.previous.start, period.previous.end)
        assert (row["year_before_start"], row["year_before_end"]) == (period.year_before.start, period.year_before.end)


def test_previous_table_keeps_what_it_cannot_step() -> None:
    frame = pl.DataFrame({"period_start": [None], "period_end": [None], "period_kind": [None]})
    assert previous_table(frame).row(0) == (None,) * 7
