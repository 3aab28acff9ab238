"""What single cells say: tables of printed figures and the words of SEMANTICS, section 2."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from zhiji_etl.errors import FigureError
from zhiji_etl.figures import Qualifier
from zhiji_etl.reading import find, parse

INFINITY = Decimal("Infinity")

# text, value, unit, low, high, step, step_max
PLAIN = [
    ("6.238 million vehicles", "6238000", "vehicle", "6237500", "6238500", "1000", "1000"),
    ("22.7 percent", "22.7", "percent", "22.65", "22.75", "0.1", "0.1"),
    ("185,000 new energy vehicles", "185000", "vehicle", "184500", "185500", "1", "1000"),
    ("30.4 percent", "30.4", "percent", "30.35", "30.45", "0.1", "0.1"),
    ("350,000 vehicles", "350000", "vehicle", "345000", "355000", "1", "10000"),
    ("$122.0714 billion", "122071400000", "USD", "122071350000", "122071450000", "100000", "100000"),
    ("1 trillion", "1e12", "count", "0.5e12", "1.5e12", "1e12", "1e12"),
    ("RMB10 billion", "1e10", "CNY", "0.5e10", "1.5e10", "1e9", "1e10"),
    ("52nd", "52", "rank", "52", "52", "1", "1"),
    ("7th", "7", "rank", "7", "7", "1", "1"),
    ("first", "1", "rank", "1", "1", "1", "1"),
    ("第52位", "52", "rank", "52", "52", "1", "1"),
    ("seven consecutive years", "7", "year", "6.5", "7.5", "1", "1"),
    ("623.8万辆", "6238000", "vehicle", "6237500", "6238500", "1000", "1000"),
    ("同比增长30.4%", "30.4", "percent", "30.35", "30.45", "0.1", "0.1"),
    ("人民币7.053万亿元", "7.053e12", "CNY", "7.0525e12", "7.0535e12", "1e9", "1e9"),
    ("下降11.5%", "-11.5", "percent", "-11.55", "-11.45", "0.1", "0.1"),
    ("down 11.5 percent", "-11.5", "percent", "-11.55", "-11.45", "0.1", "0.1"),
    ("亏损3.2亿元", "-320000000", "CNY", "-325000000", "-315000000", "1e7", "1e7"),
    ("(1,234)", "-1234", "count", "-1234.5", "-1233.5", "1", "1"),
    ("($1.2 million)", "-1200000", "USD", "-1250000", "-1150000", "100000", "100000"),
    ("1,234-", "-1234", "count", "-1234.5", "-1233.5", "1", "1"),
    ("up 0.3 percentage points", "0.3", "percentage_point", "0.25", "0.35", "0.1", "0.1"),
    ("25 bps", "25", "basis_point", "24.5", "25.5", "1", "1"),
    ("12.3x", "12.3", "multiple", "12.25", "12.35", "0.1", "0.1"),
    ("翻一番", "2", "multiple", "1.5", "2.5", "1", "1"),
    ("$80 per barrel", "80", "USD/barrel", "75", "85", "1", "10"),
    ("80美元/桶", "80", "USD/barrel", "75", "85", "1", "10"),
    ("每辆5.3万元", "53000", "CNY/vehicle", "52500", "53500", "1000", "1000"),
    ("EUR50m", "5e7", "EUR", "45e6", "55e6", "1e6", "1e7"),
    ("75 USD million", "75000000", "USD", "74500000", "75500000", "1e6", "1e6"),
    ("Rs 31,120 crore", "311200000000", "INR", "311150000000", "311250000000", "1e7", "1e8"),
    ("¥1万", "10000", "CNY", "5000", "15000", "1e4", "1e4"),
    ("2/3", "0.6666666666666666666666666666666667", "count", "0.5", None, None, None),
    ("三成五", "35", "percent", "34.5", "35.5", "1", "1"),
    ("2019", "2019", "count", "2018.5", "2019.5", "1", "1"),
    ("一亿五千万零六千三百五十五", "150006355", "count", "150006354.5", "150006355.5", "1", "1"),
    ("twenty-two point seven percent", "22.7", "percent", "22.65", "22.75", "0.1", "0.1"),
    ("one and a half billion", "1500000000", "count", None, None, None, None),
    ("—", "0", "count", "-0.5", "0.5", "1", "1"),
    ("no outstanding borrowings", "0", "borrowing", "0", "0", "1", "1"),
]


@pytest.mark.parametrize(("text", "value", "unit", "low", "high", "step", "step_max"), PLAIN)
def test_plain_figures(text, value, unit, low, high, step, step_max):
    figure = parse(text)
    assert (figure.value, figure.unit) == (Decimal(value), unit)
    for name, expected in (("low", low), ("high", high), ("step", step), ("step_max", step_max)):
        assert expected is None or getattr(figure, name) == Decimal(expected), name
    assert figure.low_closed
    assert figure.high_closed


# text, qualifier, value, low, low closed, high, high closed
QUALIFIED = [
    ("over 10 billion yuan", "above", "1e10", "1e10", False, "inf", False),
    ("at least 5 percent", "at_least", "5", "5", True, "inf", False),
    ("nearly 700 million yuan", "below", "7e8", "0", True, "7e8", False),
    ("近700万元", "below", "7e6", "0", True, "7e6", False),
    ("up to $3 million", "at_most", "3e6", "0", True, "3e6", True),
    ("less than 3 percent", "below", "3", "-inf", False, "3", False),
    ("超过5000人", "above", "5000", "5001", True, "inf", False),
    ("50万元（含）以上", "at_least", "5e5", "5e5", True, "inf", False),
    ("约3.5亿元", "about", "3.5e8", "3e8", True, "4e8", True),
    ("about 350,000 vehicles", "about", "350000", "345000", True, "355000", True),
    ("down more than 5 percent", "below", "-5", "-inf", False, "-5", False),
    ("2000余元", "above", "2000", "2000", False, "3000", False),
    ("三十多亿元", "above", "3e9", "3e9", False, "4e9", False),
]


@pytest.mark.parametrize(("text", "qualifier", "value", "low", "low_closed", "high", "high_closed"), QUALIFIED)
def test_qualified_figures(text, qualifier, value, low, low_closed, high, high_closed):
    figure = parse(text)
    assert figure.qualifier is Qualifier(qualifier)
    assert figure.value == Decimal(value)
    assert (figure.low, figure.low_closed) == (Decimal(low), low_closed)
    assert (figure.high, figure.high_closed) == (Decimal(high), high_closed)


# text, ends as printed, bounds, unit
RANGES = [
    ("5 to 6 million", "5e6", "6e6", "4.5e6", "6.5e6", "count"),
    ("5-6 million", "5e6", "6e6", "4.5e6", "6.5e6", "count"),
    ("300万至350万辆", "3e6", "3.5e6", "2.5e6", "3.55e6", "vehicle"),
    ("US$89 to $93 billion", "89e9", "93e9", "88.5e9", "93.5e9", "USD"),
    ("4.6 to 5.3 percent", "4.6", "5.3", "4.55", "5.35", "percent"),
    ("8,500 to 3 million yen", "8500", "3e6", "8450", "3.5e6", "JPY"),
    ("between 1.1 and 1.3 dollars", "1.1", "1.3", "1.05", "1.35", "USD"),
    ("几十万元", "1e5", "1e6", None, None, "CNY"),
    ("tens of millions of dollars", "1e7", "1e8", None, None, "USD"),
]


@pytest.mark.parametrize(("text", "first", "last", "low", "high", "unit"), RANGES)
def test_ranges(text, first, last, low, high, unit):
    figure = parse(text)
    assert figure.qualifier is Qualifier.RANGE
    assert figure.value is None
    assert (figure.range_low, figure.range_high, figure.unit) == (Decimal(first), Decimal(last), unit)
    assert low is None or (figure.low, figure.high) == (Decimal(low), Decimal(high))


def test_a_bracket_restates():
    text = "RMB7,053 billion (US$1 trillion)"
    figure = parse(text)
    assert figure.restated is not None
    assert (figure.value, figure.unit) == (Decimal("7053e9"), "CNY")
    assert (figure.restated.value, figure.restated.unit) == (Decimal("1e12"), "USD")
    assert text[figure.restated.start : figure.restated.end] == "US$1 trillion"
    assert text[figure.start : figure.end] == "RMB7,053 billion"
    over = parse("over 10 billion yuan (US$1.52 billion)")
    assert (over.qualifier, over.restated.unit) == (Qualifier.ABOVE, "USD")


def test_currency_argument_decides_between_readings():
    assert parse("$5").unit == "USD"
    assert {reading.unit for reading in parse("$5").ambiguous} >= {"CAD", "HKD"}
    assert parse("$5", currency="HKD").unit == "HKD"
    assert parse("$5", currency="HKD").ambiguous == ()
    assert parse("¥5").unit == "CNY"
    assert [reading.unit for reading in parse("¥5").ambiguous] == ["JPY"]


def test_what_the_table_says():
    figure = parse("5,000", scale="million", unit="CNY")
    assert (figure.value, figure.unit, figure.step, figure.step_max) == (Decimal("5e9"), "CNY", 10**6, 10**6)
    assert parse("5.3%", scale="million").value == Decimal("5.3")
    assert parse("5 billion", scale="million").value == Decimal("5e9")
    assert parse("1.234,5", decimal_comma=True).value == Decimal("1234.5")
    assert parse("1.234", decimal_comma=True).value == 1234


def test_declared_decimals():
    figure = parse("7,053,000,000", decimals=-6)
    assert (figure.step, figure.step_max, figure.high) == (10**6, 10**6, Decimal(7053500000))
    with pytest.raises(FigureError) as error:
        parse("7,053,400,000", decimals=-6)
    assert error.value.code == "excess_digits"


def test_truncation():
    figure = parse("22.7%", rounding="truncation")
    assert (figure.low, figure.low_closed, figure.high, figure.high_closed) == (
        Decimal("22.7"), True, Decimal("22.8"), False,
    )  # fmt: skip
    assert parse("-22.7%", rounding="truncation").low == Decimal("-22.8")
    zero = parse("0.0%", rounding="truncation")
    assert (zero.low, zero.low_closed, zero.high, zero.high_closed) == (Decimal("-0.1"), False, Decimal("0.1"), False)


REFUSED = [
    ("", "empty"),
    ("   ", "empty"),
    ("hello", "no_number"),
    ("n/a", "not_available"),
    ("N.M.", "not_meaningful"),
    ("不适用", "not_applicable"),
    ("2020-03-31", "date"),
    ("12:30", "time"),
    ("$5 $6", "several_figures"),
    ("5 million gorillas in Spain", "unread_text"),
    ("1e999", "out_of_range"),
    ("1/0", "division_by_zero"),
    ("7" * 1000, "text_too_long"),
]


@pytest.mark.parametrize(("text", "code"), REFUSED)
def test_refusals(text, code):
    with pytest.raises(FigureError) as error:
        parse(text)
    assert error.value.code == code
    assert 0 <= error.value.start <= error.value.end <= len(text)


def test_a_refusal_tells_where():
    text = "5 million dollars for Spain"
    with pytest.raises(FigureError, match="for Spain") as error:
        parse(text)
    assert text[error.value.start : error.value.end] == "for Spain"


@pytest.mark.parametrize("text", ["№ x", "#abc#"])
def test_a_message_quotes_signs_as_they_are_printed(text: str):
    with pytest.raises(FigureError) as caught:
        parse(text)
    assert caught.value.message == f"There is no figure in '{text}'."


@pytest.mark.parametrize(
    ("read", "code"),
    [
        (lambda: parse(5), "wrong_type"),
        (lambda: parse(None), "wrong_type"),
        (lambda: find(5), "wrong_type"),
        (lambda: parse("5", scale=6), "option_invalid"),
        (lambda: parse("$5", currency="dollars"), "option_invalid"),
        (lambda: parse("5", rounding="up"), "option_invalid"),
        (lambda: parse("5", decimals="two"), "option_invalid"),
        (lambda: pl.col("printed").figure.parse(scale="dozen"), "unknown_scale"),
        (lambda: pl.col("printed").figure.parse(rounding="up"), "option_invalid"),
    ],
)
def test_what_is_no_text_or_no_option_is_told(read, code):
    with pytest.raises(FigureError) as refused:
        read()
    assert refused.value.code == code


@pytest.mark.parametrize("text", ["—", "-", "--", "–"])
def test_a_dash_among_percentages_is_no_growth_of_nothing(text: str):
    """Under a caption that says percent it may be nil, or that there is no figure: nobody knows."""
    for unit in ("percent", "%", "percentage points"):
        with pytest.raises(FigureError) as error:
            parse(text, unit=unit)
        assert error.value.code == "not_available"
        assert (
            pl.DataFrame({"text": [text]}).select(pl.col("text").figure.parse(unit=unit).struct["code"]).item()
            == "not_available"
        )
    assert parse(f"{text}%").value == 0
    assert parse(text, unit="RMB million").value == 0
    assert parse("nil", unit="percent").value == 0


@pytest.mark.parametrize(
    ("text", "caption", "value", "unit"),
    [
        ("6.39", "‰", "0.639", "percent"),
        ("6.39%", "‰", "6.39", "percent"),
        ("6.39‰", "‰", "0.639", "percent"),
        ("12", "ppm", "0.0012", "percent"),
        ("$0.45 per share", "$ in thousands, except per share data", "0.45", "USD/share"),
        ("0.35元/股", "单位：亿元", "0.35", "CNY/share"),
        ("3,500元/吨", "RMB in millions", "3500", "CNY/tonne"),
        ("12 cents", "in millions", "0.12", "USD"),
        ("45p", "RMB in millions", "0.45", "GBP"),
        ("45", "GBp", "0.45", "GBP"),
        ("45", "RMB in millions", "45000000", "CNY"),
        ("12", "万元/辆", "120000", "CNY/vehicle"),
    ],
)
def test_a_cell_that_says_its_own_unit_is_not_scaled_by_its_caption(text, caption, value, unit):
    read = parse(text, unit=caption)
    column = pl.DataFrame({"text": [text]}).select(pl.col("text").figure.parse(unit=caption)).to_series().struct
    assert (read.value, read.unit) == (Decimal(value), unit)
    assert (column.field("value").item(), column.field("unit").item()) == (float(value), unit)
