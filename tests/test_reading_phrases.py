"""Figures that take more than a number and a unit: halves of units, limits, rates, shares, and names with numbers."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from zhiji_etl.errors import FigureError
from zhiji_etl.reading import find, parse

# text, low, high, unit
BOUNDS = [
    # both ends of a range are parts of the currency, unless the first has a unit of its own
    ("7 to 8 cents", "0.065", "0.085", "USD"),
    ("7-8 pence a share", "0.065", "0.085", "GBP/share"),
    ("GBp 70 to 75", "0.65", "0.755", "GBP"),
    ("75 cents to $2", "0.745", "2.5", "USD"),
    ("两到三毛", "0.15", "0.35", "CNY"),
    ("4到6‰", "0.35", "0.65", "percent"),
    ("4‰到6%", "0.35", "6.5", "percent"),
    ("四毛五", "0.445", "0.455", "CNY"),
    # two limits end at the printed numbers
    ("more than 30 but less than 70", "30", "70", "count"),
    ("at least 3% and at most 7%", "3", "7", "percent"),
    ("over 3 but under 7 million", "3000000", "7000000", "count"),
    ("no more than 70% and no less than 30%", "30", "70", "percent"),
    ("4000元以上9000元以下", "4000", "9000", "CNY"),
    # half of one unit more, and a little more
    ("三年半", "3.25", "3.75", "year"),
    ("四个半月", "4.25", "4.75", "month"),
    ("两个半小时", "2.25", "2.75", "hour"),
    ("六块半", "6.25", "6.75", "CNY"),
    ("两倍半", "2.25", "2.75", "multiple"),
    ("近三年半", "-Infinity", "3.5", "year"),
    ("7个多月", "7", "8", "month"),
    ("三个多小时", "3", "4", "hour"),
    ("three-and-a-half times", "3.25", "3.75", "multiple"),
    ("four-and-three-quarter percent", "4.625", "4.875", "percent"),
    ("half a mile", "0.25", "0.75", "mile"),
    ("three quarters of an hour", "0.625", "0.875", "hour"),
    # rates per so many units
    ("16 kWh/100km", "0.155", "0.165", "kilowatt_hour/kilometre"),
    ("7.2升/百公里", "0.0715", "0.0725", "litre/kilometre"),
    ("6 to 7 litres per 100 km", "0.055", "0.075", "litre/kilometre"),
    ("14 deaths per 100,000 people", "0.000135", "0.000145", "death/person"),
    ("400 cases per million people", "0.00035", "0.00045", "case/person"),
    ("$4 per 1,000 gallons", "0.0035", "0.0045", "USD/gallon"),
    ("2.5元/10股", "0.245", "0.255", "CNY/share"),
    ("$7-a-share", "6.5", "7.5", "USD/share"),
    ("70 per minute", "65", "75", "count/minute"),
    ("14 deaths per day", "13.5", "14.5", "death/day"),
    # areas and volumes
    ("420 m2", "415", "425", "square_metre"),
    ("7-8 km2", "6.5", "8.5", "square_kilometre"),
    ("1.7 million m3", "1650000", "1750000", "cubic_metre"),
    ("23,000元/m2", "22500", "23500", "CNY/square_metre"),
    ("$420 per ft2", "415", "425", "USD/square_foot"),
    # cents that are told whose they are
    ("HK17.5 cents", "0.1745", "0.1755", "HKD"),
    ("17.5 HK cents", "0.1745", "0.1755", "HKD"),
    ("RMB7.5 cents", "0.0745", "0.0755", "CNY"),
    ("7 US cents", "0.065", "0.075", "USD"),
    ("17.5港仙", "0.1745", "0.1755", "HKD"),
    # codes and scales as tables of banks write them
    ("2.7 USDm", "2650000", "2750000", "USD"),
    ("RMBm 4,321", "4320500000", "4321500000", "CNY"),
    ("EURbn 2.7", "2650000000", "2750000000", "EUR"),
    ("HK$ million 4,321", "4320500000", "4321500000", "HKD"),
    ("4,321 [1]", "4320.5", "4321.5", "count"),
    ("人民币17.5分", "0.1745", "0.1755", "CNY"),
    # limits that are said twice
    ("not less than $3 million nor more than $7 million", "3000000", "7000000", "USD"),
    # degrees
    ("25 degrees Celsius", "24.5", "25.5", "degree_celsius"),
    ("-4 to 35 degrees C", "-4.5", "35.5", "degree_celsius"),
    ("77 degrees Fahrenheit", "76.5", "77.5", "degree_fahrenheit"),
    ("35 degrees", "34.5", "35.5", "degree"),
    ("零下7度", "-7.5", "-6.5", "degree_celsius"),
    ("7度", "6.5", "7.5", "kilowatt_hour"),
    # scales and words that begin a number
    ("hundred million", "50000000", "150000000", "count"),
    ("a couple of million", "1500000", "2500000", "count"),
    ("thirty-something percent", "30", "Infinity", "percent"),
    ("a quarter point", "0.125", "0.375", "percentage_point"),
    # measures by their symbols, a millionth in both of its signs; codes of currencies in small letters are none of them
    ("35 µg/m³", "34.5", "35.5", "microgram/cubic_metre"),
    ("35 μg/m3", "34.5", "35.5", "microgram/cubic_metre"),
    ("35微克/立方米", "34.5", "35.5", "microgram/cubic_metre"),
    ("3.5 μL", "3.45", "3.55", "microlitre"),
    ("7 μm", "6.5", "7.5", "micrometre"),
    ("7微米", "6.5", "7.5", "micrometre"),
    ("12毫克", "11.5", "12.5", "milligram"),
    ("12 μM", "11.5", "12.5", "micromole/litre"),
    ("12 Mt", "11.5", "12.5", "megatonne"),
    ("12.5 kt", "12.45", "12.55", "kilotonne"),
    ("12 PJ", "11.5", "12.5", "petajoule"),
    ("12 MPa", "11.5", "12.5", "megapascal"),
    ("1.2GWp", "1.15", "1.25", "gigawatt_peak"),
    ("12 GWP", "11.5", "12.5", "GWP"),
    ("12 ppb", "0.00000115", "0.00000125", "percent"),
    ("12mnt", "11.5", "12.5", "mnt"),
    ("50eur", "45", "55", "EUR"),
    # whole numbers only where whole numbers are printed; abbreviations are no words that are counted
    ("4.0人", "3.95", "4.05", "person"),
    ("2.0 people", "1.95", "2.05", "person"),
    ("1.0至2辆", "0.95", "2.5", "vehicle"),
    ("12.0万人", "119500", "120500", "person"),
    ("12人", "12", "12", "person"),
    ("17 SUVs", "17", "17", "suv"),
    ("17 mhl", "16.5", "17.5", "mhl"),
    # a fraction before those whose part it is has no unit of theirs; of a scale or a measure it is a number
    ("近半数人", "0", "0.5", "count"),
    ("近半员工", "0", "0.5", "count"),
    ("过半员工", "0.5", "Infinity", "count"),
    ("半数以上员工", "0.5", "Infinity", "count"),
    ("半数家庭", "0.25", "0.75", "count"),
    ("半数", "0.25", "0.75", "count"),
    ("over half of employees", "0.5", "Infinity", "count"),
    ("half of vehicles", "0.25", "0.75", "count"),
    ("one in two customers", "0.25", "0.75", "count"),
    ("half a million vehicles", "250000", "750000", "vehicle"),
    ("half a dozen stores", "3", "9", "store"),
    ("one-half share", "0.25", "0.75", "share"),
    ("半百人", "45", "55", "person"),
    ("半吨", "0.25", "0.75", "tonne"),
    ("100个家庭", "50", "150", "household"),
    # an age or an amount, and more
    ("65 and over", "65", "Infinity", "count"),
    ("$1 million and above", "1000000", "Infinity", "USD"),
    ("17 people and over", "17", "Infinity", "person"),
    ("17 people or under", "0", "17", "person"),
    # twofold, with a hedge within the phrase
    ("翻近一倍", "-Infinity", "2", "multiple"),
    ("翻超一倍", "2", "Infinity", "multiple"),
    ("翻了逾一倍", "2", "Infinity", "multiple"),
    ("翻了一倍多", "2", "3", "multiple"),
    ("翻了一倍", "1.5", "2.5", "multiple"),
    ("增长近一倍", "-Infinity", "1", "multiple"),
    # a minus behind its number, in each of its signs
    ("4,321–", "-4321.5", "-4320.5", "count"),
    ("$4,321–", "-4321.5", "-4320.5", "USD"),
    ("4,321−", "-4321.5", "-4320.5", "count"),
    ("7.5%–", "-7.55", "-7.45", "percent"),
    # what it is said of
    ("4.0人/亿元", "0.0000000395", "0.0000000405", "person/CNY"),
    ("1.5吨/万元", "0.000145", "0.000155", "tonne/CNY"),
    ("17 m3/s", "16.5", "17.5", "cubic_metre/second"),
    ("17-18 m3/h", "16.5", "18.5", "cubic_metre/hour"),
    ("1,830/oz", "1825", "1835", "count/ounce"),
    # fractions that hyphens join to their scale
    ("half-million vehicles", "250000", "750000", "vehicle"),
    ("a half-million", "250000", "750000", "count"),
    ("half-a-million", "250000", "750000", "count"),
    ("nearly half-a-million", "0", "500000", "count"),
    ("half-billion dollars", "250000000", "750000000", "USD"),
    ("half-million-dollar", "250000", "750000", "USD"),
    ("quarter-million", "125000", "375000", "count"),
    ("a quarter-billion dollars", "125000000", "375000000", "USD"),
    ("three-quarter-million", "625000", "875000", "count"),
    ("three-quarters-of-a-million vehicles", "625000", "875000", "vehicle"),
    ("one-and-a-half-million", "1250000", "1750000", "count"),
    ("two and a half-million", "2250000", "2750000", "count"),
    ("half-million to one-million", "250000", "1500000", "count"),
    ("half-dozen", "3", "9", "count"),
    ("a-million", "500000", "1500000", "count"),
    ("million-plus", "1000000", "Infinity", "count"),
    ("同比+4.2pct", "4.15", "4.25", "percentage_point"),
    ("+4.2 pct", "4.15", "4.25", "percent"),
]

# sentence, and what is found: words, value (None for a range), unit
SENTENCES = [
    ("Shares rose $1.30 to $67.90.", [("rose $1.30", "1.30", "USD"), ("$67.90", "67.90", "USD")]),
    ("Costs went up $4 to $6 million.", [("up $4 to $6 million", None, "USD")]),
    ("股价上涨2.45元至67.80元。", [("上涨2.45元", "2.45", "CNY"), ("67.80元", "67.80", "CNY")]),
    ("增长3到5亿元。", [("增长3到5亿元", None, "CNY")]),
    ("历时三年半，前后四个半月。", [("三年半", "3.5", "year"), ("四个半月", "4.5", "month")]),
    (
        "近两年半导体行业回暖，6家半年内上市。",
        [("近两年", "2", "year"), ("6家", "6", "company"), ("半年", "0.5", "year")],
    ),
    ("三四线城市的三元锂电池十分便宜，万一涨价呢？", []),
    ("涨幅为一万一千元，用时十分钟。", [("涨幅为一万一千元", "11000", "CNY"), ("十分钟", "10", "minute")]),
    ("最高气温升到37度，用电7度。", [("37度", "37", "degree_celsius"), ("7度", "7", "kilowatt_hour")]),
    ("市值突破万亿，近千人到场。", [("突破万亿", "1000000000000", "count"), ("近千人", "1000", "person")]),
    ("毛利率同比+4.2pct。", [("+4.2pct", "4.2", "percentage_point")]),
    (
        "It uses 6.4 litres per 100 km, at 2.5 accidents per million miles.",
        [
            ("6.4 litres per 100 km", "0.064", "litre/kilometre"),
            ("2.5 accidents per million miles", "0.0000025", "accident/mile"),
        ],
    ),
    (
        "A $7-a-share dividend and $70-a-barrel oil, on a 7-a-side pitch.",
        [("$7-a-share", "7", "USD/share"), ("$70-a-barrel", "70", "USD/barrel")],
    ),
    ("After two-and-a-half years, a three-and-a-half-year plan.", [("two-and-a-half years", "2.5", "year")]),
    (
        "One in four customers left, and a fifth of users.",
        [("One in four", "0.25", "count"), ("a fifth", "0.2", "count")],
    ),
    (
        "Nearly a quarter of workers, three-quarters and one-quarter of sales.",
        [
            ("Nearly a quarter", "0.25", "count"),
            ("three-quarters", "0.75", "count"),
            ("one-quarter", "0.25", "count"),
        ],
    ),
    ("A quarter ago, in the first three quarters, it fell for two quarters.", []),
    (
        "A quarter-point cut, a half-point rise.",
        [("A quarter-point cut", "-0.25", "percentage_point"), ("a half-point rise", "0.5", "percentage_point")],
    ),
    (
        "Half a mile, half an hour; half a company.",
        [("Half a mile", "0.5", "mile"), ("half an hour", "0.5", "hour"), ("half", "0.5", "count")],
    ),
    (
        "An increase of $1.7 million, or 17%, from $9.8 million to $11.5 million.",
        [
            ("An increase of $1.7 million", "1700000", "USD"),
            ("17%", "17", "percent"),
            ("$9.8 million", "9800000", "USD"),
            ("$11.5 million", "11500000", "USD"),
        ],
    ),
    (
        "It sold 420 m2 at $1,700/m2, and 1.7 million m3 of gas; M2 grew by 7%.",
        [
            ("420 m2", "420", "square_metre"),
            ("$1,700/m2", "1700", "USD/square_metre"),
            ("1.7 million m3", "1700000", "cubic_metre"),
            ("grew by 7%", "7", "percent"),
        ],
    ),
    ("EPS were HK17.5 cents (2022: 16 HK cents).", [("HK17.5 cents", "0.175", "HKD"), ("16 HK cents", "0.16", "HKD")]),
    ("EBIT of USDm 2.7, or 17 RMBm.", [("USDm 2.7", "2700000", "USD"), ("17 RMBm", "17000000", "CNY")]),
    ("See Art. 5 and §12, in 3 US states.", [("3 US states", "3", "state")]),
    # what is said once, after the last of a row
    (
        "Growth of 13, 14 and 15 percent on 21 and 22 million cars.",
        [
            ("Growth of 13", "13", "percent"),
            ("14", "14", "percent"),
            ("15 percent", "15", "percent"),
            ("21", "21000000", "vehicle"),
            ("22 million cars", "22000000", "vehicle"),
        ],
    ),
    (
        "净利润分别为1.3、1.6和1.7亿元，EPS为0.13/0.16元，PE为17/14/13倍。",
        [
            ("为1.3", "130000000", "CNY"),
            ("1.6", "160000000", "CNY"),
            ("1.7亿元", "170000000", "CNY"),
            ("为0.13", "0.13", "CNY"),
            ("0.16元", "0.16", "CNY"),
            ("为17", "17", "multiple"),
            ("14", "14", "multiple"),
            ("13倍", "13", "multiple"),
        ],
    ),
    ("分别同比+1.3pct/-0.4pct。", [("+1.3pct", "1.3", "percentage_point"), ("-0.4pct", "-0.4", "percentage_point")]),
    (
        "It sold 1,234 and $7 million, 17 in 2022 and 13 percent.",
        [
            ("1,234", "1234", "count"),
            ("$7 million", "7000000", "USD"),
            ("17", "17", "count"),
            ("13 percent", "13", "percent"),
        ],
    ),
    ("销量1234，12家门店；3/15/2024。", [("1234", "1234", "count"), ("12家门店", "12", "store")]),
    # ranges glued together, tickers, and names
    (
        "Growth of 17.4 percent-21.2 percent (NIO -2.07%), and the US$ 4.5% notes.",
        [
            ("Growth of 17.4 percent-21.2 percent", None, "percent"),
            ("-2.07%", "-2.07", "percent"),
            ("US$ 4.5%", "4.5", "percent"),
        ],
    ),
    (
        "A 70 percent-owned firm paid a 7-cent dividend and RMB 2.7 per ordinary/ADS share (stock code: 170).",
        [
            ("70 percent", "70", "percent"),
            ("7-cent", "0.07", "USD"),
            ("RMB 2.7 per ordinary/ADS", "2.7", "CNY/share"),
        ],
    ),
    ("前10名股东、前五大客户与世界500强，截至二零一八年十二月三十一日，三一重工。", []),
    # what a row of signs does not join
    (
        "Expense was $2.7 million (2023—$1.7 million; 2022 - $3.1 million).",
        [
            ("$2.7 million", "2700000", "USD"),
            ("$1.7 million", "1700000", "USD"),
            ("$3.1 million", "3100000", "USD"),
        ],
    ),
    (
        "Output more than doubled to 1.7 million, tripled to 7%, with its 6-millionth car.",
        [
            ("more than doubled", "2", "multiple"),
            ("1.7 million", "1700000", "count"),
            ("tripled", "3", "multiple"),
            ("7%", "7", "percent"),
        ],
    ),
    (
        "It sold nearly half-a-million cars for a half-billion dollars; one-and-a-half-million in a multi-million deal",
        [
            ("nearly half-a-million cars", "500000", "vehicle"),
            ("a half-billion dollars", "500000000", "USD"),
            ("one-and-a-half-million", "1500000", "count"),
        ],
    ),
    (
        "近半数人认为应提高，近四分之一员工离职；半数家庭、一半员工和100万个家庭。",
        [
            ("近半数", "0.5", "count"),
            ("近四分之一", "0.25", "count"),
            ("半数", "0.5", "count"),
            ("一半", "0.5", "count"),
            ("100万个家庭", "1000000", "household"),
        ],
    ),
    (
        "利润翻了近一倍，销量翻超一倍，价格翻了一倍多，翻修后增长近一倍。",
        [
            ("近一倍", "2", "multiple"),
            ("超一倍", "2", "multiple"),
            ("翻了一倍多", "2", "multiple"),
            ("增长近一倍", "1", "multiple"),
        ],
    ),
    (
        "PM2.5 fell to 35 μg/m³; a 1.2GWp plant used 7 Ωm, 17 mhl and 4.0 people.",
        [
            ("35 μg/m³", "35", "microgram/cubic_metre"),
            ("1.2GWp", "1.2", "gigawatt_peak"),
            ("7 Ωm", "7", "ωm"),
            ("17 mhl", "17", "mhl"),
            ("4.0 people", "4", "person"),
        ],
    ),
    (
        "It is 4.7 m long, does 28 mpg city, and lost 3%, or 0.3 of a percentage point.",
        [
            ("4.7 m long", "4.7", "metre"),
            ("28 mpg", "28", "mile/gallon"),
            ("lost 3%", "-3", "percent"),
            ("0.3 of a percentage point", "0.3", "percentage_point"),
        ],
    ),
    # names and times
    ("2023年度、20世纪90年代、公元2000年，周一至周五下午3点半，3C认证见图5、表3-2。", []),
    (
        "占比过半，占三成强；过半年才见中国500强。",
        [("过半", "0.5", "count"), ("三成强", "30", "percent"), ("半年", "0.5", "year")],
    ),
    ("Version 5.1.2 million users, see section 4.2.1 percent.", []),
    ("Rule 10b-5, Section 16b, Rule 144A; FY'24, Q1'24 and the class of '98.", []),
    ("A couple of vehicles, the couple.", [("A couple of vehicles", "2", "vehicle")]),
]


@pytest.mark.parametrize(("text", "low", "high", "unit"), BOUNDS)
def test_bounds(text, low, high, unit):
    figure = parse(text)
    assert (figure.low, figure.high, figure.unit) == (Decimal(low), Decimal(high), unit)


def test_a_column_reads_the_same():
    texts = [text for text, *_ in BOUNDS]
    read = pl.DataFrame({"printed": texts}).select(pl.col("printed").figure.parse()).unnest("printed")
    assert read["code"].null_count() == len(texts)
    assert read["low"].to_list() == pytest.approx([float(low) for _, low, _, _ in BOUNDS], rel=1e-12)
    assert read["high"].to_list() == pytest.approx([float(high) for _, _, high, _ in BOUNDS], rel=1e-12)
    assert read["unit"].to_list() == [unit for *_, unit in BOUNDS]


@pytest.mark.parametrize(
    ("text", "low_closed", "high_closed"),
    [
        ("more than 30 but less than 70", False, False),
        ("at least 30 but less than 70", True, False),
        ("more than 30 and up to 70", False, True),
        ("between 30 and 70", True, True),
        ("65 and over", True, False),
        ("65 or above", True, False),
        ("$7 and below", True, True),
        ("7 and under", True, True),
    ],
)
def test_two_limits_are_as_open_as_each_says(text, low_closed, high_closed):
    figure = parse(text)
    assert (figure.low_closed, figure.high_closed) == (low_closed, high_closed)


@pytest.mark.parametrize(("text", "expected"), SENTENCES, ids=[text[:40] for text, _ in SENTENCES])
def test_sentences(text, expected):
    found = find(text)
    assert [(text[f.start : f.end], f.value, f.unit) for f in found] == [
        (words, None if value is None else Decimal(value), unit) for words, value, unit in expected
    ]


@pytest.mark.parametrize("text", ["+-3", "-+3", "+-3%", "5 +-3%", "5+-3", "7.5-%", "(4,321)–", "4,321 –"])
def test_signs_that_do_not_agree_are_refused(text):
    with pytest.raises(FigureError):
        parse(text)


def test_a_tolerance_in_a_sentence_is_no_figure():
    assert find("A weight of 5 +-3 kg.") == find("A tolerance of +-3%.") == []


def test_a_scale_of_the_cell_comes_before_that_of_the_caption():
    assert parse("USDm 2.7", unit="USD in millions").value == 2_700_000


@pytest.mark.parametrize(
    ("text", "qualifier", "low", "high"),
    [
        ("1.3 billion yuan, or about $170 million", "about", "165000000", "175000000"),
        ("1.3 billion yuan, or more than $170 million", "above", "170000000", "Infinity"),
        ("1.3 billion yuan, or nearly $170 million", "below", "0", "170000000"),
        ("13亿元（折合约1.7亿美元）", "about", "120000000", "220000000"),
        ("13亿元（折合1.7亿美元）", "exact", "165000000", "175000000"),
    ],
)
def test_what_hedges_a_restatement(text, qualifier, low, high):
    again = parse(text).restated
    assert (again.qualifier, again.low, again.high) == (qualifier, Decimal(low), Decimal(high))


def test_a_digit_after_a_length_is_its_power():
    with pytest.raises(FigureError, match="more than one figure"):
        parse("420 m5")
