"""Cells as the press, filings and statistics offices print them, judged by hand: comparisons, notes, cheques."""

from __future__ import annotations

import polars as pl
import pytest
from test_reading_prints import said

from zhiji_etl.errors import FigureError
from zhiji_etl.reading import find, parse

CELLS = [
    # what a change is measured against
    ("按年增12.5%", "12.5 percent"),
    ("按年下跌12.5%", "-12.5 percent"),
    ("按月跌12.5%", "-12.5 percent"),
    ("按季升12.5%", "12.5 percent"),
    ("比上年末增长12.5%", "12.5 percent"),
    ("比上月下降12.5%", "-12.5 percent"),
    ("較上月減少3萬元", "-30000 CNY"),
    ("比年初减少3万户", "-30000 household"),
    ("up 12.5% from a year ago", "12.5 percent"),
    ("up 12.5% compared with the same period last year", "12.5 percent"),
    ("down 12.5% on the year", "-12.5 percent"),
    ("down 12.5% versus the prior year", "-12.5 percent"),
    ("12.5% quarter on quarter", "12.5 percent"),
    ("升至51.2", "51.2 count"),
    # marks of notes, and what is said of a figure in brackets
    ("1,234（注1）", "1234 count"),
    ("1,234（注）", "1234 count"),
    ("12.5%（附注五）", "!unread_text"),
    ("12.5% (Note 3)", "12.5 percent"),
    ("1,234①", "1234 count"),
    ("1,234 (unaudited)", "1234 count"),
    ("RMB3.2bn (restated)", "3200000000 CNY"),
    ("3.2亿元（未经审计）", "320000000 CNY"),
    ("1,234（经调整）", "1234 count"),
    ("每10股派发现金红利3.5元（含税）", "0.35 CNY/share"),
    ("每股收益0.35元", "0.35 CNY/share"),
    # the capitals of cheques, and the same in digits
    ("人民币（大写）叁佰伍拾万元整", "3500000 CNY"),
    ("（大写）人民币叁佰伍拾万元整", "3500000 CNY"),
    ("叁佰伍拾万元（¥3,500,000.00）", "3500000 CNY"),
    ("人民币350万元（大写：叁佰伍拾万元整）", "3500000 CNY"),
    ("¥3,500,000.00（叁佰伍拾万元整）", "3500000 CNY"),
    # words and units
    ("七成半", "75 percent"),
    ("约莫300人", "300 person about"),
    ("三十多个国家", "30 country above"),
    ("35个城市", "35 city"),
    ("quintupled", "5 multiple"),
    ("25 b.p.", "25 basis_point"),
    ("7纳米", "7 nanometre"),
    ("54.5吉瓦时", "54.5 gigawatt_hour"),
]


def outcome(text: str) -> str:
    try:
        return said(parse(text))
    except FigureError as error:
        return f"!{error.code}"


@pytest.mark.parametrize(("text", "expected"), CELLS)
def test_cells(text, expected):
    assert outcome(text) == expected


def test_a_column_reads_the_same():
    texts = [text for text, _ in CELLS]
    read = pl.Series(texts).to_frame("printed").select(pl.col("printed").figure.parse()).unnest("printed")
    known = [None if expected.startswith("!") else float(parse(text).value) for text, expected in CELLS]
    assert read["value"].to_list() == known


def test_a_cheque_that_says_two_amounts_keeps_both():
    figure = parse("叁佰伍拾万元（¥3,600,000.00）")
    assert (figure.value, figure.restated.value) == (3_500_000, 3_600_000)
    assert parse("叁佰伍拾万元（¥3,500,000.00）").restated is None


SENTENCES = [
    ("2020年增长5%，7月减少3%。", ["5 percent", "-3 percent"]),
    ("代表5家企业，图3、表4与附注五、12所述", ["5 company"]),
    ("七成半导体企业盈利。", ["70 percent"]),
    ("three restated companies", ["3 company"]),
    ("注册资本5000万元，关注5家企业。", ["50000000 CNY", "5 company"]),
    ("In 3 US states revenue rose 3.2% from a year ago.", ["3 state", "3.2 percent"]),
]


@pytest.mark.parametrize(("text", "expected"), SENTENCES)
def test_sentences(text, expected):
    assert [said(one) for one in find(text)] == expected
