"""Laws of reading: exact arithmetic as the oracle, and no text that breaks the reader."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiji_etl.errors import FigureError
from zhiji_etl.figures import Qualifier
from zhiji_etl.reading import parse
from zhiji_etl.reading.cells import coarse, plain, reader_of
from zhiji_etl.reading.exact import Precision, figure, worked_out
from zhiji_etl.reading.grammar.meanings import Amount, Options

SCALES = {"": 0, " thousand": 3, " million": 6, " billion": 9, "万": 4, "亿": 8, "万亿": 12, "bn": 9, " crore": 7}


@given(st.integers(0, 10**15), st.integers(0, 6), st.sampled_from(sorted(SCALES)))
def test_value_and_bounds_are_exact(mantissa, places, scale):
    digits = f"{mantissa:,}" if not places else f"{mantissa // 10**places:,}.{mantissa % 10**places:0{places}d}"
    found = parse(digits + scale)
    exponent = SCALES[scale] - places
    value = Fraction(mantissa) * Fraction(10) ** exponent
    assert Fraction(found.value) == value
    assert Fraction(found.step) == Fraction(10) ** exponent
    zeros = len(str(mantissa)) - len(str(mantissa).rstrip("0")) if mantissa and not places else 0
    assert Fraction(found.step_max) == Fraction(10) ** (exponent + zeros)
    assert Fraction(found.high) - value == value - Fraction(found.low) == Fraction(10) ** (exponent + zeros) / 2


@given(st.integers(1, 10**9), st.sampled_from(["%", " percent", "万辆", " million", "亿元", " people"]))
def test_a_minus_mirrors(number, unit):
    plus, minus = parse(f"{number}{unit}"), parse(f"-{number}{unit}")
    assert (plus.value, plus.low, plus.high) == (-minus.value, -minus.high, -minus.low)


@given(st.integers(1, 10**8), st.integers(1, 10**8))
def test_a_range_holds_its_ends(first, last):
    low, high = sorted((first, last))
    found = parse(f"{low:,} to {high:,}")
    assert found.qualifier is Qualifier.RANGE
    assert (found.range_low, found.range_high) == (low, high)
    assert found.low < found.range_low <= found.range_high < found.high
    falling = parsed(f"{high:,} to {low:,}")
    assert low == high or (isinstance(falling, FigureError) and falling.code == "contradiction")


CELLS = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="0123456789,.- ()[]%$¥€元万亿约至一三十百千点分之半几多第:xe'\u00a0\u3000\u2212#@", max_size=40),
    st.lists(
        st.sampled_from(
            ["$", "5", "1,234.5", " million", " and ", "a ", "half ", "one ", "hundred ", "to ", "over ", "at least ",
             "percent", "三", "百", "万", "块", "毛", "负", "(", ")", "-", "no ", "vehicles ", "per ", "n/a", "cents",
             "第", "成"]
        ),
        max_size=12,
    ).map("".join),
)  # fmt: skip


def parsed(text):
    try:
        return parse(text)
    except FigureError as error:
        return error


@settings(max_examples=400)
@given(CELLS)
def test_any_text_is_a_figure_or_a_figure_error(text):
    found = parsed(text)
    if isinstance(found, FigureError):
        assert found.code
        assert 0 <= found.start <= found.end <= len(text)
        return
    assert found.low <= found.high
    assert 0 < found.step <= found.step_max
    assert 0 <= found.start <= found.end <= len(text)
    if found.qualifier in (Qualifier.EXACT, Qualifier.ABOUT):
        assert found.low <= found.value <= found.high


@given(
    st.sampled_from(
        [
            *("{}%", "约{}亿元", "over ${} million", "{} vehicles", "down {}%", "at most {} people", "RMB{} (US${})"),
            *("{} to 70 million", "7.50 to {} vehicles", "{} to 9,000%", "over {} vehicles", "1 to {} million people"),
        ]
    ),
    st.one_of(st.integers(0, 10**12).map("{:,}".format), st.decimals(0, 10**6, places=2).map(str)),
    st.booleans(),
)
def test_the_short_way_equals_the_long_one(pattern, digits, truncated):
    text = pattern.format(digits, digits)
    shape, printed = coarse(text, False)
    meaning = reader_of(Options()).coarse(shape)
    amount = meaning.result
    assert isinstance(amount, Amount)
    literals, spans = plain(printed, False), meaning.spans(printed)
    precision = Precision(None, truncated)
    short = outcome(figure, amount, literals, text, spans, precision)
    with mock.patch("zhiji_etl.reading.exact.quick_figure", return_value=None):
        assert outcome(worked_out, amount, literals, text, spans, precision) == short


def outcome(compute, *given):
    """The figure, or the code of what there is instead."""
    try:
        return compute(*given)
    except FigureError as error:
        return error.code


LONG = ["1" * 399, "(" * 399, "一" * 399, "1 222 " * 60, "$" * 399, "-" * 399, "a " * 190, "½" * 300, "一百" * 190]


@pytest.mark.parametrize("text", LONG, ids=[text[:6] for text in LONG])
def test_no_text_takes_long(text):
    assert parsed(text) is not None


def test_decimals_of_fractions_are_long_enough():
    assert parse("2/3").value == Decimal(2) / Decimal(3) or str(parse("2/3").value).startswith("0.66666666666666666666")
