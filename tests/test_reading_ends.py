"""Where two numbers are the ends of one range, where they are two figures, and where nobody can tell."""

from __future__ import annotations

import polars as pl
import pytest
from test_reading_prints import said

from zhiji_etl.errors import FigureError
from zhiji_etl.reading import find, parse

# The scale of the second end is not that of the first, and there are others that it could have: thousands, or 万.
UNCLEAR = [
    "900-1.1亿",
    "900～1.1亿元",
    "1.2-0.8亿元",
    "800-1.2 million",
    "$800-1.2bn",
    "12-10 million",
    "-900 to -1.1 million",
]
FALLING = ["5%-3%", "$12-$10", "1.1亿-900万", "10 million to 5 million", "从5%至3%", "5% to 0%"]
RISING = [
    ("9000-1.1万辆", "9000 to 11000 vehicle"),
    ("500-1万", "500 to 10000 count"),
    ("900万-1.1亿", "9000000 to 110000000 count"),
    ("0.8-1.2亿元", "80000000 to 120000000 CNY"),
    ("-3%至-5%", "-5 to -3 percent"),
    ("-5%至-3%", "-5 to -3 percent"),
    ("下降3%-5%", "-5 to -3 percent"),
    ("an increase of 1% to a decrease of 3%", "-3 to 1 percent"),
    ("5 to 5 million", "5000000 to 5000000 count"),
]


@pytest.mark.parametrize("text", UNCLEAR)
def test_an_end_that_could_have_more_than_one_scale_is_no_end(text):
    with pytest.raises(FigureError) as refused:
        parse(text)
    assert refused.value.code == "unclear_range"
    assert find(text) == []


@pytest.mark.parametrize("text", FALLING)
def test_a_range_does_not_fall(text):
    with pytest.raises(FigureError) as refused:
        parse(text)
    assert refused.value.code == "contradiction"


@pytest.mark.parametrize(("text", "expected"), RISING)
def test_a_range_rises(text, expected):
    assert said(parse(text)) == expected


def test_a_column_refuses_the_same_ranges():
    texts = [*UNCLEAR, *FALLING, *(text for text, _ in RISING)]
    read = pl.Series(texts).to_frame("printed").select(pl.col("printed").figure.parse()).unnest("printed")
    codes = ["unclear_range"] * len(UNCLEAR) + ["contradiction"] * len(FALLING) + [None] * len(RISING)
    assert read["code"].to_list() == codes
    rising = [parse(text) for text, _ in RISING]
    assert read["low"].to_list()[-len(RISING) :] == [float(one.low) for one in rising]
    assert read["high"].to_list()[-len(RISING) :] == [float(one.high) for one in rising]


SENTENCES = [
    ("The rate was 5% - 3% in the euro area.", ["5 percent", "3 percent"]),
    ("It raised its stake from 25% to 30%.", ["25 percent", "30 percent"]),
    ("It cut its forecast from $25 to $30.", ["25 USD", "30 USD"]),
    ("Growth ranged from 3% to 5%.", ["3 to 5 percent"]),
    ("It raised $3 million to $5 million.", ["3000000 to 5000000 USD"]),
    ("Half to two million came.", ["500000 to 2000000 count"]),
    ("Between a third and a half left.", ["0.3333333333333333333333333333333333 to 0.5 count"]),
    ("Sales fell by a third to 3,200 units.", ["-0.3333333333333333333333333333333333 count", "3200 count"]),
    ("预计3000-5000万元。", ["30000000 to 50000000 CNY"]),
]


@pytest.mark.parametrize(("text", "expected"), SENTENCES)
def test_sentences(text, expected):
    assert [said(one) for one in find(text)] == expected
