"""Numbers of running text that are no figures, and figures that stand beside them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from zhiji_etl import find

NOT_FIGURES = [
    # telephone numbers
    "Ring 1-800-555-0142, or +44 20 7946 0018, or (020) 7946-0018.",
    "Tel.: 020 7946 0018, fax 7946 0019.",
    "客服热线：400-800-1234",
    # models and networks
    "The 737 MAX 8 and the 787-9 fly again.",
    "an iPhone 14, a Galaxy 9 and Windows 11",
    "Airbus A350-1000 and Boeing 777",
    "COVID-19, SARS-CoV-2 and the MACS J0717.5+3745 field",
    "the 5G network, a BMW 320i and a P40",
    "小米13、理想9",
    # codes
    "The shares (600000.SH; 000001.SZ; 0700.HK) were halted.",
    "代码：600000，阿里巴巴（09988）",
    "version 2.10.3 at 10.0.0.1",
    "a 401(k) plan under Rule 10b5-1",
    "ID 48213, CUSIP 912828, ZIP 10118",
    # years, seasons, parts of a year
    "in 2023-24 and 2023/24, under the 2019 Plan",
    "上半年、三季度、“十四五”",
    # lists, pages and notes
    "(k) see page 4 of 12, Fig. 3 and vol. 7",
    "Class A shares",
    "第一，成本下降；第二，这一轮布局",
    # words with a numeral in them
    "零部件、零售、单一、同一时间、另一方面、一带一路",
    "八一钢铁",
    # ratios and idioms
    "24/7 service",
    "a 50-50 venture",
    "won 3-2",
    "its first-half results, in the second half of 2020",
    "the cost of obtaining a contract",
    "from month 13 to month 36",
    "a one-for-one exchange",
]


@pytest.mark.parametrize("text", NOT_FIGURES)
def test_no_figure(text):
    assert [text[figure.start : figure.end] for figure in find(text)] == []


FIGURES = [
    ("1. Sales rose 4%.\n2. Costs fell 3%.", ["4 percent", "-3 percent"]),
    ("3) Orders: 45 cars", ["45 vehicle"]),
    ("（一）收入4亿元", ["400000000 CNY"]),
    ("news about the 4% rise", ["4 percent"]),
    ("GBp 140 per share", ["1.4 GBP/share"]),
    ("涌入上亿元。融资近千亿元", ["100000000 CNY", "100000000000 CNY"]),
    ("a loss of $(0.14) per share", ["-0.14 USD/share"]),
    ("a margin of (2.4)%", ["-2.4 percent"]),
    ("a loss of $3.4 million, or $0.07 per share", ["3400000 USD", "0.07 USD/share"]),
    ("costs $4m, or 3% of sales", ["4000000 USD", "3 percent"]),
    ("the index rose 250 points to 31,400", ["250 point", "31400 count"]),
    ("it fell 1.4% to 3,120.5 points", ["-1.4 percent", "3120.5 point"]),
    ("margins fell from 14.5% to 13.2%", ["14.5 percent", "13.2 percent"]),
    ("debt fell by $71 million to $610 million", ["71000000 USD", "610000000 USD"]),
    ("revenue rose RMB3 billion to RMB7.4 billion", ["3000000000 CNY", "7400000000 CNY"]),
    ("2.4 percentage points lower than in 2021", ["-2.4 percentage_point"]),
    ("5% higher than a year before, and lower than in 2019", ["5 percent"]),
    ("a rate of 5%, lower than 6%", ["5 percent", "6 percent"]),
    ("the dollar fell 0.4% to 7.12 yuan", ["-0.4 percent", "7.12 CNY"]),
    ("gold at $1,840 an ounce", ["1840 USD/ounce"]),
    ("LIBOR minus 0.4%", ["0.4 percent"]),
    ("a fine of $48 million pesos", ["48000000 MXN"]),
    ("it costs approx. $4m", ["4000000 USD"]),
    ("sold 450,000 (2018: 410,000)", ["450000 count", "410000 count"]),
    ("up 14 cars in 2.5 seconds", ["14 vehicle", "2.5 second"]),
    ("每月租金7000元/月", ["7000 CNY/month"]),
    ("within thirty (30) days", ["30 day"]),
    ("zero borrowings", ["0 USD"]),
    ("seven of the top ten", ["7 count"]),
    ("a change of (4.5) percentage points", ["-4.5 percentage_point"]),
    # brackets of accounting, also after a colon; list marks and notes are none
    ("营业利润：(1,245.5)万元", ["-12455000 CNY"]),
    ("净利润：（365）百万元", ["-365000000 CNY"]),
    ("Net loss: (1,365.5) million", ["-1365500000 count"]),
    ("EPS of (14.3) cents", ["-0.143 USD"]),
    ("Net cash used: (365)", ["-365 count"]),
    ("Profit/(loss): ($2.4m) vs $1.2m", ["-2400000 USD", "1200000 USD"]),
    ("It made 5bn yuan ($0.7bn).", ["5000000000 CNY", "700000000 USD"]),
    ("Items: (1) cars, (2) trucks; see note: (3)", []),
    ("包括：（1）万科、（2）百度", []),
    ("Source: (2020)", []),
    # years of eras, months of a year, documents
    ("公元前221年，民國112年与令和五年", []),
    ("9M 2023 revenue was 5.5 million", ["5500000 count"]),
    ("In 6M 2024, costs were $7M.", ["7000000 USD"]),
    ("It has 6M 2nd-hand cars, $5M 300 times", ["6000000 count", "5000000 USD", "300 multiple"]),
    ("H.R. 1319 and RFC 2616", []),
    # letters that nobody knows, right behind a number, are a unit where it has decimals or groups
    ("3.6mmt of soybeans", ["3.6 mmt"]),
    ("It carries 14,000pax.", ["14000 pax"]),
    ("It lifted 2.6mtpa and 14,000TEU.", ["2.6 megatonne/year", "14000 twenty_foot_equivalent"]),
    (
        "6bcm, 460koz and 140kboepd",
        ["6 billion_cubic_metre", "460 thousand_ounce", "140 thousand_barrel_of_oil_equivalent/day"],
    ),
    ("a 310mw plant on a 750kV line", ["310 megawatt", "750 kilovolt"]),
    ("a 3D printer, the 747MAX, 8f3a2c and 14pax", []),
]


@pytest.mark.parametrize(("text", "expected"), FIGURES)
def test_the_figures_beside(text, expected):
    assert [f"{figure.value} {figure.unit}" for figure in find(text)] == [
        f"{Decimal(value)} {unit}" for value, unit in (words.split(" ") for words in expected)
    ]


def test_grew_between_is_a_range_and_grew_from_is_none():
    (span,) = find("sales grew between 4% and 6%")
    assert (span.range_low, span.range_high) == (4, 6)
    assert [figure.value for figure in find("sales grew from 4% to 6%")] == [4, 6]


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("umsatz 1.234,5 million vehicles", "1234500000", "vehicle"),
        ("EUR 12,75 je Aktie", "12.75", "EUR"),
        ("3.500 vehicles", "3500", "vehicle"),
        ("um 3,5% mehr", "3.5", "percent"),
    ],
)
def test_a_comma_before_the_decimals(text, value, unit):
    (figure,) = find(text, decimal_comma=True)
    assert (figure.value, figure.unit) == (Decimal(value), unit)


def test_a_restatement_is_of_one_kind():
    pair = find("RMB71 million (US$10.2 million)")
    assert pair[0].restated == pair[1]
    loss = find("a loss of $3.4 million, or $0.07 per share")
    assert [figure.restated for figure in loss] == [None, None]


@pytest.mark.parametrize(
    ("text", "qualifier"),
    [
        ("a fee not to exceed $4 million", "at_most"),
        ("it did not exceed 4%", "at_most"),
        ("shall not be less than 4%", "at_least"),
        ("不得超过4%", "at_most"),
        ("未超过4亿元", "at_most"),
        ("不得低于4%", "at_least"),
    ],
)
def test_a_denied_limit_is_the_other_one(text, qualifier):
    (figure,) = find(text)
    assert figure.qualifier == qualifier


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("In 2019 sales rose.", []),
        ("In 2019 vehicles were sold.", []),
        ("Since 1999 stores have closed.", []),
        ("In 2,019 stores sales rose.", ["2,019 stores"]),
        ("There were 2000 employees in 2019.", ["2000 employees"]),
        ("In 2019 deliveries of 2000 vehicles.", ["2000 vehicles"]),
        ("Sold in 2020 for $3,000.", ["$3,000"]),
    ],
)
def test_years_after_words_of_time(text, expected):
    assert [figure.text[figure.start : figure.end] for figure in find(text)] == expected


@pytest.mark.parametrize("text", ["It grew 5 ± 0.2% in a year.", "a width of 5±0.2 mm", "$5 million +/- 3%", "±5%"])
def test_a_number_with_a_tolerance_is_no_single_figure(text):
    assert find(text) == []
