"""Prints of the press that were once misread: names with a number, comparisons glued to theirs, accounting brackets."""

from __future__ import annotations

import pytest
from test_reading_prints import said

from zhiji_etl.errors import FigureError
from zhiji_etl.reading import find, parse

SENTENCES = [
    # names whose number is no count
    ("Microsoft said Office 365 revenue rose 24%.", ["24 percent"]),
    ("They visited Studio 54 today.", []),
    ("strong Office 365 revenue and 365 seats", ["365 seat"]),
    ("In Tokyo 35 died.", ["35 died"]),
    ("It sold Ford 12 trucks.", ["12 truck"]),
    ("We think PMI 49 missed.", ["49 missed"]),
    ("Scope 3 emissions fell 5%.", ["-5 percent"]),
    ("After the 9/11 attacks 2/3 of flights stopped.", ["0.6666666666666666666666666666666667 count"]),
    ("央视315晚会曝光7家企业，618购物节。", ["7 company"]),
    # a comparison glued to its percentage
    ("1H23净利润3.2亿，yoy+12%，qoq-3%", ["320000000 count", "12 percent", "-3 percent"]),
    ("实现营收12.3亿元（YoY+15.2%）", ["1230000000 CNY", "15.2 percent"]),
    ("COVID-19 and non-5% items", []),
    # brackets of accounting with the scale outside
    ("营业收入5,320百万元，净利润（345）百万元。", ["5320000000 CNY", "-345000000 CNY"]),
    ("It had a net loss of (345) million.", ["-345000000 count"]),
    ("（1）万科企业；（2）亿元以上项目", []),
    # over and up that belong to their verb
    ("Airbus handed over 12 jets and paid down $1.2 billion.", ["12 jet", "1200000000 USD"]),
    # a year between two levels
    ("falling from 12.5% in 2021 to 8.3% in 2022", ["12.5 percent", "8.3 percent"]),
    ("It rose from 1,500 vehicles in 2019 to 3,000 vehicles.", ["1500 vehicle", "3000 vehicle"]),
    ("in 3 to 5 years", ["3 to 5 year"]),
    # doublings with a hedge inside
    ("产量翻了近一番，经一番努力", ["2 multiple below"]),
]
CELLS = [
    ("翻了近一番", "2 multiple below"),
    ("翻近两番", "4 multiple below"),
    ("（345）百万元", "-345000000 CNY"),
    ("(345) million", "-345000000 count"),
    ("5l", "5 litre"),
    ("12兆帕", "12 megapascal"),
    ("yoy-3%", "-3 percent"),
]
REFUSED = ["5OO", "1O0", "12I"]


@pytest.mark.parametrize(("text", "expected"), SENTENCES)
def test_sentences(text: str, expected: list[str]) -> None:
    assert [said(one) for one in find(text)] == expected


@pytest.mark.parametrize(("text", "expected"), CELLS)
def test_cells(text: str, expected: str) -> None:
    assert said(parse(text)) == expected


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    with pytest.raises(FigureError):
        parse(text)
