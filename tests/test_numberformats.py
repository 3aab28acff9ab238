"""What a spreadsheet cell shows: numbers under their formats, dates as finely as they are shown."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiji_etl.sources.numberformats import printed_date, printed_number

ACCOUNTING = '_(* #,##0_);_(* (#,##0);_(* "-"??_);_(@_)'


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (0.227, "0.0%", "22.7%"),
        (0.2268, "0%", "23%"),
        (-0.0312, "0.00%", "-3.12%"),
        (0.304, "+0.0%;-0.0%", "+30.4%"),
        (22.7, '0.0"%"', "22.7%"),
        (22.7, "General", "22.7"),
        (0.1 + 0.2, "General", "0.3"),
        (350000, "General", "350000"),
        (1e21, "General", "1E+21"),
        (3, 'General"辆"', "3辆"),
        (1234567.5, "#,##0", "1,234,568"),
        (1234567, "#,##0,", "1,235"),
        (1234567, '0.0,,"M"', "1.2M"),
        (-1234.5, "#,##0;(#,##0)", "(1,235)"),
        (-1234.5, ACCOUNTING, "(1,235)"),
        (0, ACCOUNTING, "-"),
        (1234.5, "[$¥-804]#,##0.00", "¥1,234.50"),
        (1234.5, '"US$"#,##0.0', "US$1,234.5"),
        (5, "$#,##0_);[Red]($#,##0)", "$5"),
        (-5, "$#,##0_);[Red]($#,##0)", "($5)"),
        (623.8, '0.0"万辆"', "623.8万辆"),
        (623.8, "0.0万辆", "623.8万辆"),
        (12345678, "0.00E+00", "1.23E+7"),
        (1.5, "0.##", "1.5"),
        (1, "0.##", "1"),
        (7, "000", "007"),
        (2.5, "0", "3"),
        (1e9, '[>=100000000]0.0,,"百万";0', "1000.0百万"),
        (12, '[>=100000000]0.0,,"百万";0', "12"),
        (5, ";;;", ""),
    ],
)
def test_a_number(value, code: str, shown: str):
    assert printed_number(value, code) == shown


@pytest.mark.parametrize("code", ["# ?/?", "000-000", "0x", '0 "a" 0', "yyyy"])
def test_a_format_that_is_not_understood(code: str):
    assert printed_number(5, code) is None


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("yyyy-mm-dd", "2019-12-31"),
        ("d/m/yy", "2019-12-31"),
        ("mmm-yy", "2019-12"),
        ('yyyy"年"m"月"', "2019-12"),
        ("yyyy", "2019"),
        ("General", "2019-12-31"),
    ],
)
def test_a_date(code: str, shown: str):
    assert printed_date(date(2019, 12, 31), code) == shown
    assert printed_date(datetime(2019, 12, 31, 12, 30), code) == shown


@given(st.decimals(-(10**9), 10**9, places=4, allow_nan=False), st.integers(0, 6), st.booleans())
def test_digits_are_those_of_exact_rounding(number: Decimal, places: int, percent: bool):
    """The oracle is decimal arithmetic on what the file holds: 15 significant digits, half away from zero."""
    value = float(number)
    code = ("0." + "0" * places if places else "0") + ("%" if percent else "")
    exact = Decimal(f"{value:.15g}").scaleb(2 if percent else 0).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    shown = printed_number(value, code)
    assert shown is not None
    assert Decimal(shown.removesuffix("%")) == exact
    assert len(shown.removesuffix("%").partition(".")[2]) == places
