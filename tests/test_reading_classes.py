"""Classes of printed cells: tables of strings and what they say: value (or both ends of a range), unit, qualifier."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

import zhiji_etl as zj

CURRENCIES = [
    ("R 640", "640", "ZAR"),
    ("R3.4bn", "3400000000", "ZAR"),
    ("N250 million", "250000000", "NGN"),
    ("Php 1,290.50", "1290.50", "PHP"),
    ("SR 75", "75", "SAR"),
    ("JD 12.500", "12.500", "JOD"),
    ("6.3B$", "6300000000", "USD"),
    ("GBp 145", "1.45", "GBP"),
    ("GBX 145", "1.45", "GBP"),
    ("145 GBX", "1.45", "GBP"),
    ("$1,650.00 MXN", "1650.00", "MXN"),
    ("$48 million pesos", "48000000", "MXN"),
    ("RM7 mil", "7000000", "MYR"),
    ("SDR 12 million", "12000000", "XDR"),
    ("7 Israeli shekels", "7", "ILS"),
    ("12 ر.ع.", "12", "OMR"),
    ("350 ரூ", "350", "INR"),
    ("98,000 تومان", "98000", "toman"),
]
DASHES_FOR_DECIMALS = [
    ("€ 45,-", "45", "EUR"),
    ("45,- €", "45", "EUR"),
    ("CHF 1'300.-", "1300", "CHF"),
    ("EUR 1.300,-", "1300", "EUR"),
    ("Rp. 2.450.000,-", "2450000", "IDR"),
    ("Rs. 750/-", "750", "INR"),
    ("1 450:-", "1450", "count"),
]
SCALES = [
    ("7-odd million", "7000000", "count"),
    ("12+ million", "12000000", "count"),
    ("2 1/4 million", "2250000", "count"),
    ("2-1/4 million", "2250000", "count"),
    ("2 and 1/4", "2.25", "count"),
    ("four-hundred-and-fifty-two", "452", "count"),
    ("plus seven percent", "7", "percent"),
    ("several hundred", ("100", "1000"), "count"),
    ("a few million dollars", ("1000000", "10000000"), "USD"),
    ("9万4", "94000", "count"),
    ("3千6", "3600", "count"),
    ("7万200", "70200", "count"),
    ("12 bn m³", "12000000000", "cubic_metre"),
    ("百余家", "100", "company"),
    ("千余人", "1000", "person"),
    ("万余元", "10000", "CNY"),
    ("近百家", "100", "company"),
    ("过亿元", "100000000", "CNY"),
    ("上亿元", "100000000", "CNY"),
    ("三倍多", "3", "multiple"),
    ("7年多", "7", "year"),
]
PERCENTAGES = [
    ("half a percent", "0.5", "percent"),
    ("a quarter of a percentage point", "0.25", "percentage_point"),
    ("two thirds of one percent", None, "percent"),
    ("14 percentage-points", "14", "percentage_point"),
    ("70 basis-points", "70", "basis_point"),
    ("6 per mille", "0.6", "percent"),
    ("40 parts per million", "0.0040", "percent"),
    ("6.5% CAGR", "6.5", "percent"),
    ("6.5% q/q", "6.5", "percent"),
    ("65折", "65", "percent"),
    ("6.5折", "65", "percent"),
    ("6 5 折", "65", "percent"),
    ("打九折", "90", "percent"),
]
RANGES = [
    ("three or four", ("3", "4"), "count"),
    ("7 or 8 million vehicles", ("7000000", "8000000"), "vehicle"),
    ("three-to-four", ("3", "4"), "count"),
    ("三五个", ("3", "5"), "count"),
    ("three to four hundred", ("300", "400"), "count"),
    ("fourteen to sixteen hundred", ("1400", "1600"), "count"),
    ("four to one hundred", ("4", "100"), "count"),
    ("三到六千元", ("3000", "6000"), "CNY"),
    ("三到六千万元", ("30000000", "60000000"), "CNY"),
    ("3000元以上7000元以下", ("3000", "7000"), "CNY"),
    ("十三四岁", ("13", "14"), "age"),
    ("二十七八万", ("270000", "280000"), "count"),
    ("700万到900万之间", ("7000000", "9000000"), "count"),
    ("介于7亿元和9亿元之间", ("700000000", "900000000"), "CNY"),
]
PER_UNIT = [
    ("7000元/月", "7000", "CNY/month"),
    ("日均4万辆", "40000", "vehicle/day"),
    ("$14.99 monthly", "14.99", "USD/month"),
    ("€2,400 per annum", "2400", "EUR/year"),
    ("45 min", "45", "minute"),
    ("2.5 Gbps", "2.5", "gigabit/second"),
    ("700 cu ft", "700", "cubic_foot"),
    ("45 short tons", "45", "short_ton"),
    ("65 mph", "65", "mile/hour"),
    ("$3.1/MMBtu", "3.1", "USD/million_british_thermal_unit"),
    ("14 nm", "14", "nanometre"),
    ("37摄氏度", "37", "degree_celsius"),
    ("70公里/时", "70", "kilometre/hour"),
    ("3个点", "3", "percentage_point"),
    ("250万辆次", "2500000", "vehicle_trip"),
    ("forty-five (45) days", "45", "day"),
]
NEGATIVES = [
    ("-(7)", "-7", "count"),
    ("(-7.5)", "-7.5", "count"),
    ("(7.5)m", "-7500000", "count"),
    ("$7m loss", "-7000000", "USD"),
    ("$7 million deficit", "-7000000", "USD"),
    ("↓4%", "-4", "percent"),
    ("▼4.5%", "-4.5", "percent"),
    ("↑4%", "4", "percent"),
]
QUALIFIED = [
    ("slightly more than 7", "above"),
    ("a little over 7%", "above"),
    ("well above 7", "above"),
    ("just below 7", "below"),
    ("just shy of $7 million", "below"),
    ("as few as 7", "at_least"),
    ("as high as 7%", "at_most"),
    ("minimum 7", "at_least"),
    ("max 7", "at_most"),
    ("7 tops", "at_most"),
    ("min. 7", "at_least"),
    ("perhaps 7", "about"),
    ("7 (est.)", "about"),
    ("est. 7%", "about"),
    ("reportedly 7", "about"),
    ("a mere 7", "exact"),
    ("a whopping 7", "exact"),
    ("多达700万", "exact"),
    ("七万出头", "above"),
    ("70万不到", "below"),
]
NO_FIGURES = [
    ("NaN", "not_available"),
    ("n.d.", "not_available"),
    ("#REF!", "not_available"),
    ("#DIV/0!", "not_available"),
    ("sold out", "not_available"),
    ("暂无数据", "not_available"),
    ("7 plus or minus 1", "several_figures"),
    ("7 (million)", "unread_text"),
    ("7.5 / 3.5", "several_figures"),
]


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    CURRENCIES + DASHES_FOR_DECIMALS + SCALES + PERCENTAGES + RANGES + PER_UNIT + NEGATIVES,
)
def test_a_cell_says(text, value, unit):
    figure = zj.parse(text)
    assert figure.unit == unit
    if isinstance(value, tuple):
        assert (figure.range_low, figure.range_high) == tuple(map(Decimal, value))
    elif value is not None:
        assert figure.value == Decimal(value)


@pytest.mark.parametrize(("text", "qualifier"), QUALIFIED)
def test_a_word_hedges(text, qualifier):
    assert zj.parse(text).qualifier == qualifier


@pytest.mark.parametrize(("text", "code"), NO_FIGURES)
def test_no_figure(text, code):
    with pytest.raises(zj.FigureError) as error:
        zj.parse(text)
    assert error.value.code == code


def test_a_little_more_is_bounded():
    figure = zj.parse("百余家")
    assert (figure.low, figure.high) == (101, 199)
    figure = zj.parse("三倍多")
    assert (figure.low, figure.high, figure.low_closed) == (3, 4, False)


@pytest.mark.parametrize("text", ["\ufeff7.5", "7.5\u200b", "\u200e7.5\u200f"])
def test_characters_without_width_say_nothing(text):
    assert zj.parse(text).value == Decimal("7.5")


def test_short_signs_are_money_in_cells_only():
    assert zj.parse("P500").unit == "BWP"
    assert zj.find("the P40 sold well") == []


CAPTIONS = [
    ("RMB in millions, except per share data", 6, "CNY"),
    ("(All amounts in US$ thousands, unless otherwise noted)", 3, "USD"),
    ("TRY in millions", 6, "TRY"),
    ("Unit: 10,000 vehicles", 4, "vehicle"),
    ("Unit: RMB 100 million", 8, "CNY"),
    ("Currency: HKD", None, "HKD"),
    ("GBp", -2, "GBP"),
    ("cents per share", -2, "USD/share"),
    ("单位：‰", -1, "percent"),
    ("单位：千元 币种：人民币", 3, "CNY"),
    ("数量单位：万台", 4, "count"),
    # What amounts are divided by, and how many of it.
    ("per 1,000 people", -3, "count/person"),
    ("Per 10,000 Population", -4, "count/population"),
    ("per 100,000", -5, None),
    ("每千人", -3, "count/person"),
    ("每十万人", -5, "count/person"),
    ("Deaths per 1,000 live births", -3, "death/birth"),
    ("vehicles per 1,000 people", -3, "vehicle/person"),
    ("辆/千人", -3, "vehicle/person"),
    ("人/万人", -4, "person/person"),
    ("件/万人", -4, "count/person"),
    ("L/100km", -2, "litre/kilometre"),
    ("元/百公里", -2, "CNY/kilometre"),
    ("元/每吨", None, "CNY/tonne"),
    ("元/月", None, "CNY/month"),
    ("元/(千瓦时)", None, "CNY/kilowatt_hour"),
    ("US$/m", None, "USD/metre"),
    ("RMB per ordinary share", None, "CNY/share"),
    ("cents a share", -2, "USD/share"),
    ("台/套", None, "count"),
    ("million cubic feet per day", 6, "cubic_foot/day"),
    # Of two nouns in a row the second is the head.
    ("thousand passenger vehicles", 3, "vehicle"),
    ("vehicle units", None, "vehicle"),
    ("亿 kilowatt_hour", 8, "kilowatt_hour"),
    # Thousands in German.
    ("TEUR", 3, "EUR"),
    ("in T€", 3, "EUR"),
    ("TCHF", 3, "CHF"),
    ("Rmbm", 6, "CNY"),
]


@pytest.mark.parametrize(("text", "exponent", "unit"), CAPTIONS)
def test_a_caption_says(text, exponent, unit):
    said = zj.caption(text)
    assert (said.exponent, said.unit) == (exponent, unit)
    assert said.scale == Decimal(10) ** (exponent or 0)


@pytest.mark.parametrize(
    "text",
    [
        *("亿吨公里", "亿人公里", "万人天", "tonne kilometres", "RMB/million", "RMB/US$", "万元/%", "per", "RMB per"),
        *("万元/万辆", "每万名职工", "RMB per share data"),
    ],
)
def test_a_caption_that_divides_by_nothing_known_or_has_two_measures_is_refused(text):
    with pytest.raises(zj.FigureError) as caught:
        zj.caption(text)
    assert caught.value.code == "unknown_caption"


# The option `unit`, and what 12 is under it.
SHORT_UNITS = [
    *(("Mn", "12000000 count"), ("mn", "12000000 count"), ("Bn", "12000000000 count"), ("M", "12000000 count")),
    *(("K", "12000 count"), ("Rmbm", "12000000 CNY"), ("GW", "12 gigawatt"), ("MW", "12 megawatt")),
    *(("kg", "12 kilogram"), ("m", "12 metre"), ("mm", "12 millimetre"), ("W", "12 watt"), ("t", "12 tonne")),
    *(("pp", "12 percentage_point"), ("xx", "12 xx"), ("borrowing", "12 borrowing"), ("USD/CNY", "12 USD/CNY")),
]


@pytest.mark.parametrize(("unit", "meant"), SHORT_UNITS)
def test_a_short_unit_is_what_cells_call_it(unit, meant):
    assert short(zj.parse("12", unit=unit)) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        *(("12 T€", "12000 EUR"), ("12 TEUR", "12000 EUR"), ("TUSD 12", "12000 USD"), ("€2T", "2000000000000 EUR")),
        *(("12ᵃ", "12 count"), ("12 ª", "12 count"), ("12.5%ᵇ", "12.5 percent")),
        *(("+3.2pcts", "3.2 percentage_point"), ("0.5 pct", "0.5 percent"), ("同比+0.5pct", "0.5 percentage_point")),
    ],
)
def test_thousands_in_german_marks_of_notes_and_points(text, meant):
    assert short(zj.parse(text)) == meant


def test_a_caption_in_pence_leaves_pounds_alone():
    assert zj.parse("120", unit="GBp").value == Decimal("1.20")
    assert zj.parse("£1.20", unit="GBp").value == Decimal("1.20")


# caption, cell, what the cell says under it
UNDER_CAPTIONS = [
    # The power of ten of ‰ and its like.
    ("‰", "6.39", "0.639 percent"),
    ("单位：‰", "-0.6", "-0.06 percent"),
    ("per mille", "6.39", "0.639 percent"),
    ("permille", "6.39", "0.639 percent"),
    ("ppm", "40", "0.004 percent"),
    ("‰", "6.39%", "6.39 percent"),
    ("%", "6.39‰", "0.639 percent"),
    ("‰", "6.39‰", "0.639 percent"),
    ("‰", "5-6", "0.5..0.6 percent"),
    # A cell that says what it is of, or in which smaller unit, has no scale from the caption.
    ("$ in thousands, except per share data", "$0.45 per share", "0.45 USD/share"),
    ("单位：亿元", "0.35元/股", "0.35 CNY/share"),
    ("单位：亿元", "每股0.35元", "0.35 CNY/share"),
    ("RMB in millions", "3,500元/吨", "3500 CNY/tonne"),
    ("$ in thousands", "$0.10-0.15/share", "0.1..0.15 USD/share"),
    ("万元/吨", "0.35元/吨", "3500 CNY/tonne"),
    ("in millions", "12 cents", "0.12 USD"),
    ("in millions", "50 cents to $1", "0.5..1 USD"),
    ("RMB in millions", "45p", "0.45 GBP"),
    ("单位：亿元", "5角", "0.5 CNY"),
    ("in millions", "$12", "12000000 USD"),
    # A part of a whole is so many percent, and no number of what a table counts.
    ("%", "一半", "50 percent"),
    ("%", "1/2", "50 percent"),
    ("%", "2/5", "40 percent"),
    ("%", "one in five", "20 percent"),
    ("‰", "half", "50 percent"),
    ("%", "三成", "30 percent"),
    ("%", "3 1/4", "3.25 percent"),
    ("%", "½", "0.5 percent"),
    ("%", "1/2 to 3/4", "50..75 percent"),
    ("%", "1/2 to 1", "0.5..1 percent"),
    ("percentage points", "half", "0.5 percentage_point"),
    ("万辆", "一半", "0.5 count"),
    ("in millions", "half", "0.5 count"),
    ("RMB in millions", "1/2", "0.5 count"),
    ("RMB in millions", "half a billion", "500000000 CNY"),
    ("US$ per share", "1/8", "0.125 USD/share"),
    # A divisor holds beside a scale of the cell.
    ("per 1,000 people", "12", "0.012 count/person"),
    ("per 1,000 people", "5 per 1,000 people", "0.005 count/person"),
    ("per 100,000 people", "1.2万", "0.12 count/person"),
    ("L/100km", "5.6", "0.056 litre/kilometre"),
    ("元/百公里", "12", "0.12 CNY/kilometre"),
    ("每千人", "12%", "12 percent"),
]


def short(figure: zj.Figure) -> str:
    ends = (figure.value,) if figure.value is not None else (figure.range_low, figure.range_high)
    return f"{'..'.join(f'{end.normalize():f}' for end in ends)} {figure.unit}"


@pytest.mark.parametrize(("unit", "text", "meant"), UNDER_CAPTIONS)
def test_a_cell_under_a_caption(unit, text, meant):
    figure = zj.parse(text, unit=unit)
    assert short(figure) == meant
    column = pl.select(pl.lit(text).figure.parse(unit=unit)).to_series().struct
    assert (column["unit"].item(), column["low"].item()) == (figure.unit, float(figure.low))


def test_a_caption_as_scale_and_the_bounds_of_what_it_says():
    assert zj.parse("6.39", scale="‰") == zj.parse("6.39", unit="‰")
    assert (zj.parse("640", unit="‰").low, zj.parse("640‰").low) == (Decimal("63.5"), Decimal("63.5"))
    assert zj.parse("120", unit="per 1,000 people").low == zj.parse("120 per 1,000 people").low == Decimal("0.115")
    third = zj.parse("近三分之二", unit="%")
    assert (third.qualifier, round(third.high, 1)) == ("below", Decimal("66.7"))


HEADERS = [
    *("RMB million", "USD thousand", "US$ billion", "百万元", "人民币百万元", "million dollars", "(RMB million)", "$m"),
    *("RMB'000", "HK$'000", "£’000", "'000", "(RMB'000)", "£000", "$000"),
]


@pytest.mark.parametrize("text", HEADERS)
def test_what_says_how_a_table_is_printed_is_no_figure(text):
    with pytest.raises(zj.FigureError) as caught:
        zj.parse(text)
    assert caught.value.code == "no_number"
    column = pl.select(pl.lit(text).figure.parse()).item()
    assert (column["code"], column["reason"]) == ("no_number", str(caught.value))


@pytest.mark.parametrize("text", ["5,000 (RMB million)", "1,234 (RMB'000)", "1,234 (£000)", "12.3（亿元）"])
def test_a_header_in_brackets_is_no_restatement(text):
    with pytest.raises(zj.FigureError) as caught:
        zj.parse(text)
    assert caught.value.code == "unread_text"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a million dollars", "1000000 USD"),
        ("one million RMB", "1000000 CNY"),
        ("上百万元", "1000000 CNY"),
        ("百亿美元", "10000000000 USD"),
        ("百万", "1000000 count"),
        ("1,234 RMB'000", "1234000 CNY"),
        ("RMB'000 1,234", "1234000 CNY"),
        ("$0", "0 USD"),
        ("'123", "123 count"),
    ],
)
def test_a_scale_that_is_a_number(text, meant):
    assert short(zj.parse(text)) == meant
    assert pl.select(pl.lit(text).figure.parse().struct["value"]).item() == float(zj.parse(text).value)


def test_a_header_in_brackets_is_no_figure_of_a_text():
    assert [one.unit for one in zj.find("revenue of $5bn (RMB million)")] == ["USD"]
