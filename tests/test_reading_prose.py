"""Figures in running text: what is found, where it stands, and what is left alone."""

from __future__ import annotations

import cProfile
import pstats
from decimal import Decimal
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiji_etl.errors import FigureError
from zhiji_etl.reading import find
from zhiji_etl.reading.prose.passages import LONGEST_TEXT

# text, and its figures: value (or the ends of a range), unit, the words of its span
FOUND = [
    (
        "In 2019 SAIC sold 6.238 million vehicles, 22.7 percent of the market.",
        [("6238000", "vehicle", "6.238 million vehicles"), ("22.7", "percent", "22.7 percent")],
    ),
    (
        "Turnover was RMB7,053 billion (US$1 trillion) in the year to March 31, 2020.",
        [("7053000000000", "CNY", "RMB7,053 billion"), ("1000000000000", "USD", "US$1 trillion")],
    ),
    (
        "Sales were $31.5 million in 2024, $29 million in 2023 and $22.8 million in 2022.",
        [
            ("31500000", "USD", "$31.5 million"),
            ("29000000", "USD", "$29 million"),
            ("22800000", "USD", "$22.8 million"),
        ],
    ),
    (
        "As of December 31, 2024 and 2023, the rate was 4.5% and 3.25%.",
        [("4.5", "percent", "4.5%"), ("3.25", "percent", "3.25%")],
    ),
    ("The price fell 11.5 percent.", [("-11.5", "percent", "fell 11.5 percent")]),
    ("Shares tumbled $2.75 on Friday.", [("2.75", "USD", "tumbled $2.75")]),
    ("A loss of $7.1 billion was recorded.", [("7100000000", "USD", "$7.1 billion")]),
    ("Coupons range from 4.6 to 5.3 percent.", [(("4.6", "5.3"), "percent", "range from 4.6 to 5.3 percent")]),
    ("It was more than 10 and less than 40.", [(("10", "40"), "count", "more than 10 and less than 40")]),
    ("We operate in three reportable segments.", [("3", "segment", "three reportable segments")]),
    ("There were no borrowings under the agreement.", [("0", "USD", "no borrowings")]),
    (
        "We bought 67 million and 63 million shares.",
        [("67000000", "count", "67 million"), ("63000000", "share", "63 million shares")],
    ),
    ("Each share cost $5.20 per share.", [("5.20", "USD/share", "$5.20 per share")]),
    ("中国资金净流出1200亿美元。", [("120000000000", "USD", "1200亿美元")]),
    (
        "2019年销量623.8万辆，同比下降11.5%。",
        [("6238000", "vehicle", "623.8万辆"), ("-11.5", "percent", "同比下降11.5%")],
    ),
    ("开销123元1角1分。", [("123.11", "CNY", "123元1角1分")]),
    ("价格在20和30元之间。", [(("20", "30"), "CNY", "在20和30元之间")]),
    ("Only twenty-two people came.", [("22", "person", "Only twenty-two people")]),
    ("It ranked 52nd on the list.", [("52", "rank", "ranked 52nd")]),
]


@pytest.mark.parametrize(("text", "expected"), FOUND, ids=[text[:40] for text, _ in FOUND])
def test_found(text, expected):
    figures = find(text)
    got = [
        (figure.value if figure.value is not None else (figure.range_low, figure.range_high), figure.unit)
        for figure in figures
    ]
    wanted = [
        (Decimal(value) if isinstance(value, str) else tuple(map(Decimal, value)), unit) for value, unit, _ in expected
    ]
    assert got == wanted
    assert [text[figure.start : figure.end] for figure in figures] == [words for _, _, words in expected]


NOTHING = [
    "See Note 23 and Form 10-K, Item 1, page 45.",
    "On 2020-03-31 at 12:30, or 3/15/2024 at 2 pm.",
    "Call 1-800-555 or write to a.b1@example.com; https://example.org/30%20a.",
    "The A380 and the T-7A use the Q4 2023 standard, see COVID-19.",
    "The 364-day facility and the five-year plan.",
    "The second quarter of fiscal 2024.",
    "Which one do you prefer?",
    "(1) Represents the plan.",
    "四川和陆地，朝花夕拾。",
    "In 2019, 2020 and 2021.",
    "2016年",
    "",
]


@pytest.mark.parametrize("text", NOTHING)
def test_no_figures(text):
    assert find(text) == []


def test_a_restatement_is_tied_to_its_figure():
    first, second = find("It raised over 10 billion yuan (US$1.52 billion).")
    assert first.restated == second


def test_currency_argument():
    assert [figure.unit for figure in find("It cost $5.", currency="HKD")] == ["HKD"]


def test_too_long():
    with pytest.raises(FigureError) as error:
        find("1 " * (LONGEST_TEXT // 2 + 1))
    assert error.value.code == "text_too_long"


ROWS = [
    "\n".join(f"row {at}, {at % 97}.{at % 89:02d}, {at % 13}%" for at in range(4_000)),
    ",".join(str(at % 10) for at in range(8_000)),
    "营业收入增长三成五，产量为3万辆，" * 2_000,
    "一" * 8_000,
    "million " * 8_000,
    "about over " * 4_000,
]


@pytest.mark.parametrize("text", ROWS, ids=["rows", "digits", "chinese", "characters", "scales", "hedges"])
def test_a_text_without_an_end_of_a_sentence_takes_time_in_proportion_to_it(text):
    begun = perf_counter()
    find(text)
    assert perf_counter() - begun < 15  # a second or less; all pairs of words would be minutes


PIECES = st.sampled_from(
    ["$5", " million", "1,234", " and ", " to ", "12.5%", " vehicles", "no ", "one", " hundred ", "三", "万", "元",
     " (", ") ", "-", "2019", " December ", ",", ".", " ", "分之", "half a ", "US$", "/", "×10", "１２", "\u00a0", "of",
     "几", "点", "第", "约"]
)  # fmt: skip


@settings(max_examples=150)
@given(st.one_of(st.text(max_size=120), st.lists(PIECES, max_size=25).map("".join)))
def test_any_text_gives_figures_within_it(text):
    end = 0
    for figure in find(text):
        assert 0 <= figure.start < figure.end <= len(text)
        assert figure.low <= figure.high
        assert figure.step > 0
        assert figure.start >= end or figure.restated is None
        end = max(end, figure.start)


@pytest.mark.parametrize("row", ["row {}, {}.37, {}%\n", "第{}项收入为{}.5亿元，同比增长{}.3%，", "一二三{}一"])
def test_long_rows_of_amounts_take_time_in_proportion(row):
    def steps(rows):
        """Calls of functions, which are the same on any machine."""
        profile = cProfile.Profile()
        text = "".join(row.format(1000 + at, at, at % 90) for at in range(rows))
        profile.runcall(find, text)
        return pstats.Stats(profile).total_calls

    steps(2)
    assert steps(400) < 3 * steps(200)
