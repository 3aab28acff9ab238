"""Patterns of slips."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiji_etl.consistency.rules.patterns import Prints, slip_names

# --- slips -----------------------------------------------------------------------------------------------------------


def named(printed: str, step: str, low: str, high: str, base: str = "nan") -> str | None:
    """The slip of one figure, through the columns."""
    prints = Prints(*(np.array([float(number)]) for number in (printed, step, low, high, base)))
    return slip_names(prints, workers=1).item()


@pytest.mark.parametrize(
    ("printed", "step", "low", "high", "expected"),
    [
        ("161", "1", "115.5", "116.5", "digits_swapped"),
        ("185000", "1000", "157500", "158500", "digits_swapped"),
        ("-22.7", "0.1", "22.65", "22.7", "sign"),
        ("623.8", "0.1", "6237000", "6239000", "factor_wan"),
        ("7053", "1", "705250000000", "705350000000", "factor_yi"),
        ("6238", "1", "6237900", "6238100", "factor_1e3"),
        ("0.227", "0.001", "22.65", "22.75", "factor_1e2"),
        ("6138", "1", "6237.9", "6238.1", "digit_wrong"),
        ("22.7", "0.1", "22.76", "22.79", "truncation"),
        ("-22.7", "0.1", "-22.79", "-22.76", "truncation"),
        ("7053.1234567", "0.7", "7103.1", "7103.2", None),
    ],
)
def test_the_most_telling_slip(printed: str, step: str, low: str, high: str, expected: str | None) -> None:
    assert named(printed, step, low, high) == expected


def test_percent_for_percentage_point_needs_a_base() -> None:
    # Three tenths of a point of a level of 20 percent are 1.5 percent; no other slip leads there.
    assert named("0.30", "0.01", "1.499", "1.501") is None
    assert named("0.30", "0.01", "1.499", "1.501", base="20") == "percent_for_percentage_point"


@pytest.mark.parametrize(
    ("low", "high"), [("-inf", "inf"), ("100", "200"), ("161.5", "inf"), ("nan", "nan"), ("5", "4")]
)
def test_what_fits_as_printed_or_is_not_bounded_is_no_slip(low: str, high: str) -> None:
    assert named("161", "1", low, high) is None


@given(st.integers(10, 10**9), st.integers(0, 8), st.integers(-3, 3), st.booleans())
def test_every_planted_swap_is_found(number: int, place: int, power: int, negative: bool) -> None:
    digits = str(number)
    i = place % (len(digits) - 1)
    swapped = digits[:i] + digits[i + 1] + digits[i] + digits[i + 2 :]
    sign, unit = (-1 if negative else 1), Decimal(1).scaleb(power)
    meant = str(sign * int(digits) * unit)
    if abs(int(swapped) - int(digits)) > 1 and swapped[0] != "0":
        assert named(str(sign * int(swapped) * unit), str(unit), meant, meant) == "digits_swapped"


def fits(printed: Decimal, step: Decimal, low: Decimal, high: Decimal) -> list[str]:
    """All slips that fit, in decimal arithmetic and over the digits as text; truncation, open at one end, left out."""

    def meets(number: Decimal, half: Decimal) -> bool:
        return number + half >= low and number - half <= high

    half, digits = step / 2, str(int(abs(printed) / step))

    def read(text: str) -> bool:
        return meets((-1 if printed < 0 else 1) * int(text) * step, half)

    pairs = [digits[:i] + digits[i + 1] + digits[i] + digits[i + 2 :] for i in range(len(digits) - 1)]
    others = [digits[:i] + d + digits[i + 1 :] for i in range(len(digits)) for d in "0123456789" if d != digits[i]]
    found = ["sign"] if printed and meets(-printed, half) else []
    found += ["digits_swapped"] if any(read(t) for t in pairs if t != digits and t[0] != "0") else []
    for power in (4, -4, 8, -8, *(p for n in (1, 2, 3, 5, 6, 7, 9, 10, 11, 12) for p in (n, -n))):
        name = {4: "factor_wan", 8: "factor_yi"}.get(abs(power), f"factor_1e{power}")
        found += [name] if printed and meets(printed.scaleb(power), half.scaleb(power)) else []
    found += ["digit_wrong"] if any(read(t) for t in others if t[0] != "0" or len(t) == 1) else []
    return found


@given(
    st.integers(-(10**7), 10**7),
    st.integers(-3, 6),
    st.sampled_from([0, 10, 100, 1000, -1, 10**4, 10**8]),
    st.integers(-999, 999),
    st.integers(0, 40),
)
def test_columns_find_what_decimals_find(number: int, power: int, factor: int, off: int, width: int) -> None:
    """Bounds are planted off the half steps, where floats and decimals could differ."""
    step = Decimal(1).scaleb(power)
    meant = (Decimal(number * factor if factor else number + off) + Decimal("0.137")) * step
    low, high = meant - width * step / 7, meant + width * step / 7
    wide = high - low > max(abs(low), abs(high)) / 2
    inside = number * step + step / 2 >= low and number * step - step / 2 <= high
    expected = [] if wide or inside else fits(number * step, step, low, high)
    found = named(str(number * step), str(step), str(low), str(high))
    if found != "truncation":
        assert found == (expected[0] if expected else None)
