"""Prints that were once misread without a word: a hedge or a sign dropped, a name taken for a figure, a wrong unit."""

from __future__ import annotations

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


@pytest.mark.parametrize(("text", "expected"), [*TRADITIONAL, *HEDGES, *SIGNS])
def test_a_cell_and_a_sentence_say_the_same(text: str, expected: str) -> None:
    assert said(parse(text)) == expected
    assert [said(one) for one in find(text)] == [expected]


SENTENCES = [
    # numerals in words that count nothing, and numbers before such words
    ("三十一起案件", ["31 count"]),
    ("股价一度超过5元", ["5 CNY above"]),
    ("双11成交额5亿元", ["11 count", "500000000 CNY"]),
    ("Growth was in the double digits.", []),
]


@pytest.mark.parametrize(("text", "expected"), SENTENCES)
def test_sentences(text: str, expected: list[str]) -> None:
    assert [said(one) for one in find(text)] == expected
