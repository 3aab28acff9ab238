"""A column says the same as `parse` of each of its texts."""

from __future__ import annotations

import os
import subprocess
import sys

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiji_etl.errors import FigureError
from zhiji_etl.figures import PARSED_FIELDS
from zhiji_etl.reading import parse, parse_series
from zhiji_etl.reading.columns import figure_struct

TEXTS = [
    "6.238 million vehicles", "over 10 billion yuan (US$1.52 billion)", "22.7 percent", "185,000 new energy vehicles",
    "约3.5亿元", "同比增长30.4%", "下降11.5%", "(1,234)", "5 to 6 million", "8500 to 3 million", "300万至350万辆",
    "first", "52nd", "—", "n/a", "hello", "", None, "12345678901234567890.5", "1 299,00 Kč", "Rp 169.000",
    "2000余元", "下降30多%", "100 (100)", "100 (50)", "45 (forty five)", "0,123", "Rp 05000", ".0123",
    "nearly 350,000 vehicles", "over 5 vehicles", "1e10", "2/3", "三分之二",
    "５.５％", "0.00", "-0", "1e400",
]  # fmt: skip
KEYWORDS = [
    {}, {"rounding": "truncation"}, {"scale": "million", "unit": "CNY"}, {"decimals": -3}, {"decimals": 1},
    {"decimal_comma": True}, {"currency": "JPY"},
]  # fmt: skip


def one_by_one(text, keywords):
    if text is None:
        return None
    try:
        row = figure_struct(parse(text, **keywords))
    except FigureError as error:
        row = {"code": error.code, "reason": str(error)}
    return {name: row.get(name) for name in PARSED_FIELDS}


@pytest.mark.parametrize("keywords", KEYWORDS, ids=str)
def test_column_equals_single(keywords):
    got = parse_series(pl.Series("printed", TEXTS), **keywords)
    assert got.dtype == pl.Struct(PARSED_FIELDS)
    assert got.to_list() == [one_by_one(text, keywords) for text in TEXTS]


NUMBERS = st.one_of(
    st.integers(0, 10**16).map("{:,}".format),
    st.decimals(0, 10**9, places=3).map(str),
    st.integers(0, 99_999).map(lambda n: f"{n}000"),
    st.from_regex(r"\A[0-9]{1,3}([ .,'][0-9]{3}){1,2}([.,][0-9]{1,2})?\Z"),
)
BEFORE = st.sampled_from(
    [
        "",
        "$",
        "RMB",
        "约",
        "over ",
        "down ",
        "-",
        "(",
        "下降",
        "人民币",
        "第",
        "Rp ",
        "at most ",
        "fell below ",
        "净亏损为",
        "下跌",
    ]
)
AFTER = st.sampled_from(
    [
        "",
        "%",
        " million",
        "万辆",
        " percent",
        ")",
        "亿元",
        " yuan",
        " per vehicle",
        "多亿元",
        "th",
        "x",
        " foo",
        "OO",
        "只",
    ]
)
CELLS = st.one_of(
    st.builds("{}{}{}".format, BEFORE, NUMBERS, AFTER),
    st.builds("{}{}{} to {}{}".format, BEFORE, NUMBERS, AFTER, NUMBERS, AFTER),
    st.builds("{}{}{} (US${} billion)".format, BEFORE, NUMBERS, AFTER, NUMBERS),
    st.text(max_size=20),
    st.text(alphabet="0123456789,.- ()%$¥元万亿约至一二三十百千点分之millionbto", max_size=16),
)


@settings(max_examples=60)
@given(st.lists(CELLS, max_size=40), st.sampled_from(KEYWORDS))
def test_random_texts_read_the_same(texts, keywords):
    assert parse_series(pl.Series("t", texts, pl.String), **keywords).to_list() == [
        one_by_one(text, keywords) for text in texts
    ]


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_namespace_on_every_engine(engine):
    frame = pl.DataFrame(
        {"printed": TEXTS, "decimals": [None] * (len(TEXTS) - 1) + [2]}, schema_overrides={"decimals": pl.Int32}
    )
    expected = parse_series(frame["printed"]).to_list()
    lazy = frame.lazy().select(pl.col("printed").figure.parse())
    assert lazy.collect_schema() == {"printed": pl.Struct(PARSED_FIELDS)}
    assert lazy.collect(engine=engine)["printed"].to_list() == expected
    assert frame.select(pl.col("printed").figure.parse())["printed"].to_list() == expected
    declared = frame.lazy().select(pl.col("printed").figure.parse(decimals=pl.col("decimals"))).collect(engine=engine)
    assert declared["printed"].to_list()[:-1] == expected[:-1]


def test_order_is_kept_over_chunks(monkeypatch):
    monkeypatch.setattr("zhiji_etl.reading.columns._CHUNK", 7)
    monkeypatch.setattr("zhiji_etl.reading.columns._SMALL", 3)
    assert parse_series(pl.Series(TEXTS)).to_list() == [one_by_one(text, {}) for text in TEXTS]


def test_declared_decimals_by_row():
    texts = pl.Series(["7,053,000,000", "7,053,400,000", "5.25", None, "abc"])
    got = parse_series(texts, decimals=pl.Series([-6, -6, None, 2, 3]))
    assert got.struct.field("step").to_list() == [1e6, None, 0.01, None, None]
    assert got.struct.field("code").to_list() == [None, "excess_digits", None, None, "no_number"]


def test_empty_column():
    assert len(parse_series(pl.Series([], dtype=pl.String))) == 0
    assert parse_series(pl.Series([None, None], dtype=pl.String)).to_list() == [None, None]


IN_PIECES = """
import polars as pl, zhiji_etl
piece = pl.DataFrame({"printed": ["50 million", "80.5%", "3亿元"] * 10_000})
pieces = pl.concat([piece] * 3, rechunk=False)
read = pl.col("printed").figure.parse()
for whole in (pieces.select(read), pieces.lazy().select(read).collect(engine="streaming")):
    print(whole.unnest("printed").get_column("value").sum())
"""


@pytest.mark.parametrize("threads", ["1", "2", "8"])
def test_a_frame_of_pieces_is_read_while_all_threads_of_polars_ask(checkout, threads):
    """Polars has its threads read the pieces at once: none may wait for another one that has its hands full."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "POLARS_MAX_THREADS": threads}
    command = [sys.executable, "-c", IN_PIECES]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    assert [float(line) for line in done.stdout.split()] == [pytest.approx(30_000 * (50e6 + 80.5 + 3e8))] * 2


@pytest.mark.parametrize(
    "options",
    [
        *({"currency": "dolar"}, {"currency": "usd"}, {"rounding": "up"}, {"scale": "milion"}, {"unit": ""}),
        *({"decimals": "3"}, {"decimals": 2.5}, {"decimals": 400}),
    ],
    ids=str,
)
def test_an_option_that_is_none_is_refused_at_once(options):
    """`rounding="up"` and `currency="dolar"` were ignored; of a column the error was a TypeError of Polars."""
    expected = {"scale": "unknown_scale", "unit": "unknown_caption"}.get(next(iter(options)), "option_invalid")
    for read in (lambda: parse("$5", **options), lambda: pl.col("printed").figure.parse(**options)):
        with pytest.raises(FigureError) as raised:
            read()
        assert raised.value.code == expected
        assert raised.value.hint


@pytest.mark.parametrize("values", [[0.1 + 0.2], [["5"]]], ids=str)
def test_what_was_never_printed_is_refused(values):
    with pytest.raises(pl.exceptions.InvalidOperationError, match="as it was printed"):
        pl.DataFrame({"printed": values}).select(pl.col("printed").figure.parse())
