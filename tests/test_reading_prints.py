"""Prints that were once misread without a word: a hedge or a sign dropped, a name taken for a figure, a wrong unit."""

from __future__ import annotations

from decimal import Decimal

import pytest

from zhiji_etl.errors import FigureError
from zhiji_etl.figures import Figure
from zhiji_etl.reading import find, parse


def said(figure: Figure) -> str:
    """A figure in a line: `5 to 6 percent`, `3 USD above`."""
    number = f"{figure.value:f}" if figure.value is not None else f"{figure.range_low:f} to {figure.range_high:f}"
    hedge = "" if figure.qualifier in ("exact", "range") else f" {figure.qualifier}"
    return f"{number} {figure.unit}{hedge}"


TRADITIONAL = [
    ("低於3000元", "3000 CNY below"),
    ("高於3000元", "3000 CNY above"),
    ("不少於3%", "3 percent at_least"),
    ("大於3%", "3 percent above"),
    ("將近3000元", "3000 CNY below"),
    ("3000元以內", "3000 CNY at_most"),
    ("未滿3%", "3 percent below"),
    ("銳減3%", "-3 percent"),
    ("萎縮3%", "-3 percent"),
    ("下調3%", "-3 percent"),
    ("3週", "3 week"),
    ("3家門店", "3 store"),
]
HEDGES = [
    ("跌破3000元", "3000 CNY below"),
    ("远低于3000元", "3000 CNY below"),
    ("略高于3%", "3 percent above"),
    ("没有达到3%", "3 percent below"),
    ("within 30 days", "30 day at_most"),
]
SIGNS = [
    ("降幅为3.2%", "-3.2 percent"),
    ("降幅扩大至3.2%", "-3.2 percent"),
    ("同比增减3.2%", "3.2 percent"),
    ("增速放缓3.2个百分点", "-3.2 percentage_point"),
    ("reduced by 3.2%", "-3.2 percent"),
    ("a contraction of 3.2%", "-3.2 percent"),
    ("fell sharply by 3.2%", "-3.2 percent"),
    ("fell year on year by 3.2%", "-3.2 percent"),
    ("3.2% YoY decline", "-3.2 percent"),
]

RANGES = [
    ("-5% - -3%", "-5 to -3 percent"),
    ("-50%--30%", "-50 to -30 percent"),
    ("$0.10-0.15/share", "0.1 to 0.15 USD/share"),
    ("每股5.00元至6.00元", "5 to 6 CNY/share"),
    ("每10股派3.5元", "0.35 CNY/share"),
    ("每10股派5至6元", "0.5 to 0.6 CNY/share"),
    ("每股派息0.35港元", "0.35 HKD/share"),
    ("同比下降50%至80%", "-80 to -50 percent"),
    ("a decrease of 1.7% to an increase of 3.8%", "-1.7 to 3.8 percent"),
]


@pytest.mark.parametrize(("text", "expected"), [*TRADITIONAL, *HEDGES, *SIGNS, *RANGES])
def test_a_cell_and_a_sentence_say_the_same(text: str, expected: str) -> None:
    assert said(parse(text)) == expected
    assert [said(one) for one in find(text)] == [expected]


SENTENCES = [
    # numerals in words that count nothing, and numbers before such words
    ("三十一起案件", ["31 count"]),
    ("股价一度超过5元", ["5 CNY above"]),
    ("双11成交额5亿元", ["500000000 CNY"]),
    ("Growth was in the double digits.", []),
    # a range of growth, or a change and the level it led to
    ("We expect sales to grow 3% to 5%.", ["3 to 5 percent"]),
    ("Unemployment rose 0.2% to 4.1%.", ["0.2 percent", "4.1 percent"]),
    ("降价2万元至18.98万元", ["-20000 CNY", "189800 CNY"]),
    # ordinals, pronouns, times, captions, tolerances, lengths, thousands
    ("It rose for a third month.", []),
    ("one to two million", ["1000000 to 2000000 count"]),
    ("10时30分发车，票价30分", ["0.3 CNY"]),
    ("单位：百万元", []),
    ("以人民币百万元列示，投资百亿元", ["10000000000 CNY"]),
    ("a band of +/-3%", []),
    ("轴距3000mm", ["3000 millimetre"]),
    ("It raised $5mm.", ["5000000 USD"]),
    ("报1，234.56万元，2020年", ["12345600 CNY"]),
    ("销量1234，2020年", ["1234 count"]),
    ("(HKEX: 9866) delivered 3,000 vehicles", ["3000 vehicle"]),
    # rows: the fall and the scale of all
    ("Sales fell 3%, 4% and 5%, respectively.", ["-3 percent", "-4 percent", "-5 percent"]),
    ("营收、净利润分别同比下降3.2%、4.5%。", ["-3.2 percent", "-4.5 percent"]),
    ("分别下降3%和增长5%", ["-3 percent", "5 percent"]),
    ("分别为12.3、13.4、14.5亿元", ["1230000000 CNY", "1340000000 CNY", "1450000000 CNY"]),
    ("分别回落0.3个和2.1个百分点", ["-0.3 percentage_point", "-2.1 percentage_point"]),
    ("分别下降3和5个百分点", ["-3 percentage_point", "-5 percentage_point"]),
    ("同比-0.3/+0.2/-0.1pct", ["-0.3 percentage_point", "0.2 percentage_point", "-0.1 percentage_point"]),
    ("毛利率16.5%（-1.2pct）", ["16.5 percent", "-1.2 percentage_point"]),
    ("1.营业收入5亿元；2.净利润3亿元", ["500000000 CNY", "300000000 CNY"]),
    ("风险：1）需求不足；2）竞争加剧", []),
    ("1、2、3月销量分别为1、2、3万辆", ["10000 vehicle", "20000 vehicle", "30000 vehicle"]),
    ("500, 600 and 1 million", ["500 count", "600 count", "1000000 count"]),
    ("500, 600 and 700 million", ["500000000 count", "600000000 count", "700000000 count"]),
    # fractions
    ("5万/6万", ["50000 count", "60000 count"]),
    ("1/2 million", ["500000 count"]),
]


CELLS = [
    ("1/2 million", "500000 count"),
    ("3000mm", "3000 millimetre"),
    ("5mm USD", "5000000 USD"),
    ("2.5mm vehicles", "2500000 vehicle"),
    ("12mm people", "12000000 person"),
    ("35仙", "0.35 HKD"),
    ("5 try", "5 try"),
    ("\u202a-5\u202c", "-5 count"),
    ("(5.6)", "-5.6 count"),
]
REFUSED = [
    "[5,6]",
    "(5,6]",
    "[3.2]",
    "{3.2}",
    "5 million/6 million",
    "5.0r",
    "(单位：百万元)",
    "(人民币百万元)",
    "不適用",
]


@pytest.mark.parametrize(("text", "expected"), CELLS)
def test_cells(text: str, expected: str) -> None:
    assert said(parse(text)) == expected


@pytest.mark.parametrize("text", REFUSED)
def test_no_figures(text: str) -> None:
    with pytest.raises(FigureError):
        parse(text)


HEDGED_RANGES = [
    ("up to 10-15%", "-Infinity", "15"),
    ("up to 5-6 million", "0", "6000000"),
    ("超5-6亿元", "500000000", "Infinity"),
    ("5 million to over 6 million", "4500000", "Infinity"),
    ("5 to nearly 6 million", "4500000", "6000000"),
    ("fell more than 5-6%", "-Infinity", "-5"),
    ("under 40 and over 10", "10", "40"),
    ("between nearly 5 and 6 million", "4500000", "6500000"),
]


@pytest.mark.parametrize(("text", "low", "high"), HEDGED_RANGES)
def test_a_hedge_before_or_within_a_range_opens_its_bounds(text: str, low: str, high: str) -> None:
    for figure in (parse(text), *find(text)):
        assert (figure.low, figure.high) == (Decimal(low), Decimal(high))


@pytest.mark.parametrize(("text", "expected"), SENTENCES)
def test_sentences(text: str, expected: list[str]) -> None:
    assert [said(one) for one in find(text)] == expected


@pytest.mark.parametrize(
    ("unit", "text", "meant"),
    [
        ("USD", "2.5mm", "2500000 USD"),
        ("millimetre", "2.5mm", "2.5 millimetre"),
        ("vehicle", "2.5mm", "2.5 millimetre"),
    ],
)
def test_millions_or_millimetres_by_the_unit_of_the_table(unit: str, text: str, meant: str):
    assert said(parse(text, unit=unit)) == meant
