"""Words of rise and fall say the same in a cell and in a sentence, right before a number or apart from it."""

from __future__ import annotations

import polars as pl
import pytest
from test_reading_prints import said

from zhiji_etl.reading import find, parse

CHANGES = [
    # what is counted or paid falls as a percentage does
    ("减少208万人", "-2080000 person"),
    ("減少208萬人", "-2080000 person"),
    ("减少210万元", "-2100000 CNY"),
    ("亏损3亿元至4亿元", "-400000000 to -300000000 CNY"),
    ("减少超3万户", "-30000 household below"),
    ("fell by 3,000", "-3000 count"),
    ("down 1,200 vehicles", "-1200 vehicle"),
    ("fell by 3 days", "-3 day"),
    ("fell by half", "-0.5 count"),
    # forms of words
    ("slumping 5%", "-5 percent"),
    ("edged lower by 0.1%", "-0.1 percent"),
    ("depreciated 3.2%", "-3.2 percent"),
    ("narrowed 12 basis points", "-12 basis_point"),
    ("surging 12%", "12 percent"),
    ("a 25bp cut", "-25 basis_point"),
    ("a 25-basis-point cut", "-25 basis_point"),
    ("12% slump", "-12 percent"),
    ("12% jump", "12 percent"),
    ("5% fewer", "-5 percent"),
    ("贬值3.2%", "-3.2 percent"),
    ("貶值3.2%", "-3.2 percent"),
    ("收跌1.2%", "-1.2 percent"),
    ("缩水三成", "-30 percent"),
    ("走低0.5%", "-0.5 percent"),
    ("续跌0.5%", "-0.5 percent"),
    ("減產3.2%", "-3.2 percent"),
    ("收涨1.2%", "1.2 percent"),
    ("上揚1.2%", "1.2 percent"),
    ("a reduction of 5%", "-5 percent"),
    ("下降幅度为3.2%", "-3.2 percent"),
    ("净亏损为3.2亿元", "-320000000 CNY"),
    ("低1.2个百分点", "-1.2 percentage_point"),
    ("低5%至10%", "-10 to -5 percent"),
    ("少增2,340億元", "-234000000000 CNY"),
    # how many fell is no fall
    ("下跌3200只", "3200 count"),
    ("亏损12家", "12 company"),
    ("减少12家", "-12 company"),
    # a place that was reached, and how long it took, are no fall
    ("fell below 2%", "2 percent below"),
    ("dropped well below 5 million", "5000000 count below"),
    ("rose above 50", "50 count above"),
    ("declined over 5 years", "5 year above"),
    ("fell just under 5%", "-5 percent above"),
    ("fell by less than 2%", "-2 percent above"),
]


@pytest.mark.parametrize(("text", "expected"), CHANGES)
def test_a_cell_and_a_sentence_say_the_same(text: str, expected: str) -> None:
    assert said(parse(text)) == expected
    assert [said(one) for one in find(text)] == [expected]


def test_a_column_says_the_same() -> None:
    read = pl.Series([text for text, _ in CHANGES]).to_frame("printed").select(pl.col("printed").figure.parse())
    bounds = read.unnest("printed").select("low", "high", "unit", "qualifier").rows()
    alone = [parse(text) for text, _ in CHANGES]
    assert bounds == [(float(one.low), float(one.high), one.unit, one.qualifier) for one in alone]


SENTENCES = [
    ("年末全国人口140967万人，比上年末减少208万人。", ["1409670000 person", "-2080000 person"]),
    ("恒指收报18,000点，跌120点或0.66%。", ["18000 count", "-120 count", "-0.66 percent"]),
    ("The Dow lost 345.12 points, or 1.02%.", ["-345.12 point", "-1.02 percent"]),
    ("It lost 345 points (1.02%) to 33,500.", ["-345 point", "-1.02 percent", "33500 count"]),
    ("Sales fell 5%, or 3% without currency.", ["-5 percent", "-3 percent"]),
    ("Sales rose 5%, or 3% without currency.", ["5 percent", "3 percent"]),
    ("Sales decreased $12.3 million, or about 4.5%.", ["12300000 USD", "-4.5 percent about"]),
    ("分别减少3万人和5万人", ["-30000 person", "-50000 person"]),
    ("A decrease in costs of $3 million, or 5%, or $0.05 per share.", ["3000000 USD", "-5 percent", "0.05 USD/share"]),
    ("上涨的有45个城市，下跌的有22个。", ["45 city", "22 count"]),
    ("Headcount fell by 1,200 to 34,500.", ["-1200 count", "34500 count"]),
    ("The index rose 123 to 25,300.", ["123 count", "25300 count"]),
    # the word of change stands apart
    ("A decrease in revenue of 5%, an increase in cost of 3%.", ["-5 percent", "3 percent"]),
    ("It cut costs by 5% and greenhouse gas emissions by 12%.", ["-5 percent", "12 percent"]),
    ("It reduced its greenhouse gas emissions by 12%.", ["-12 percent"]),
    ("We cut our target by 12% to HK$35.", ["-12 percent", "35 HKD"]),
    ("It cut its stake by 5% to 12%.", ["-5 percent", "12 percent"]),
    ("Falling volumes were offset by a 5% price rise.", ["5 percent"]),
    ("A 5% pay cut and a 25-basis-point rate cut.", ["-5 percent", "-25 basis_point"]),
    ("央行下调存款准备金率0.5个百分点。", ["-0.5 percentage_point"]),
    ("下降速度比上月快0.5个百分点。", ["0.5 percentage_point"]),
    ("利率下调，利差为0.5个百分点。", ["0.5 percentage_point"]),
    ("下降的原因是毛利率提升0.5个百分点。", ["0.5 percentage_point"]),
    ("Output tripled from 2 to 6 million tonnes.", ["3 multiple", "2000000 tonne", "6000000 tonne"]),
    ("Margins rose from 14.5 to 15.2%.", ["14.5 percent", "15.2 percent"]),
    ("It fell from 500 to 1 million.", ["500 count", "1000000 count"]),
    # a level that was crossed, and the one that was reached
    ("Inflation fell below 3% to 2.8%.", ["3 percent below", "2.8 percent"]),
    ("Shares dropped below $3 to $2.95.", ["3 USD below", "2.95 USD"]),
    ("Output dipped below 20 million to 19.8 million.", ["20000000 count below", "19800000 count"]),
    ("The PMI slipped under 50 to 49.1.", ["50 count below", "49.1 count"]),
    ("It rose above 3% to 3.1%.", ["3 percent above", "3.1 percent"]),
    ("The PMI topped 50 to 50.7.", ["50 count above", "50.7 count"]),
    ("The index climbed past 3,100 to 3,112.45.", ["3100 count", "3112.45 count"]),
    ("The index broke through 3,100 to 3,112.45 points.", ["3100 count", "3112.45 point"]),
    ("汇率跌破6至5.98。", ["6 count below", "5.98 count"]),
    ("市值突破200亿元至202亿元。", ["20000000000 CNY above", "20200000000 CNY"]),
    ("Inflation should fall below 2 to 3 percent.", ["2 to 3 percent"]),
    ("more than 6 to 7 million", ["6000000 to 7000000 count"]),
    ("超过200亿元至220亿元", ["20000000000 to 22000000000 CNY"]),
    # a comparison tells the change of what stands before it, and is no hedge of the base behind it
    ("Output was 3.4% lower than 2.17 million b/d.", ["-3.4 percent", "2170000 barrel/day"]),
    ("Sales were 14% more than $1.3 billion.", ["14 percent", "1300000000 USD"]),
    ("Sales were 14% more than the $1.3 billion of 2019.", ["14 percent", "1300000000 USD"]),
    ("It was $14 million less than $46 million.", ["14000000 USD", "46000000 USD"]),
    ("6% less than 2,100 units", ["-6 percent", "2100 count"]),
    ("45 basis points lower than 3.4%", ["-45 basis_point", "3.4 percent"]),
    ("14% below $55", ["-14 percent", "55 USD"]),
    ("six fewer than 35", ["-6 count", "35 count"]),
    ("14% less than last year", ["-14 percent"]),
    ("twice as many as 310", ["2 multiple", "310 count"]),
    ("half as many as 310", ["0.5 count", "310 count"]),
    ("2.4 times as much as $3.5 million", ["2.4 multiple", "3500000 USD"]),
    ("as many as 310 stores", ["310 store at_most"]),
    ("In 2019 more than 310 stores opened.", ["310 store above"]),
    ("Sales of $5.5 million more than doubled.", ["5500000 USD", "2 multiple above"]),
    ("It sold 310 vehicles more than 20 years ago.", ["310 vehicle", "20 year above"]),
    ("Inflation stood at 3.4% above 2%.", ["3.4 percent", "2 percent"]),
    ("It rose 0.6% above 3,100 points.", ["0.6 percent", "3100 point above"]),
]


@pytest.mark.parametrize(("text", "expected"), SENTENCES)
def test_sentences(text: str, expected: list[str]) -> None:
    assert [said(one) for one in find(text)] == expected
