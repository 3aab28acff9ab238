"""Patterns of slips, and declared precision."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiji_etl.consistency.declared import declared_bounds, duplicates, excess_digits
from zhiji_etl.consistency.linear import FREE, Bounds, linear, satisfied
from zhiji_etl.consistency.patterns import Prints, slip_names

CASES = Path(__file__).parents[2] / "shared" / "cases" / "calc11.jsonl"


def cases(kind: str) -> list:
    if not CASES.exists():
        return [
            pytest.param({}, marks=pytest.mark.skip(reason="the shared cases calc11.jsonl are not on this machine"))
        ]
    rows = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    return [pytest.param(row, id=row["id"]) for row in rows if row["kind"] == kind]


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


# --- declared precision ----------------------------------------------------------------------------------------------


def verdict(case: dict, truncated: bool) -> str:
    """One sum of facts, judged in the specification's order: total stated, digits, duplicates, sum."""
    ((total, parts),) = case["sums"].items()
    facts: dict[str, list[tuple[Decimal | None, int | None]]] = {}
    for f in case["facts"]:
        stated = (None, None) if f["nil"] else (Decimal(f["v"]), None if f["d"] == "INF" else f["d"])
        facts.setdefault(f["c"], []).append(stated)
    if total not in facts:
        return "not_bound"
    mixed = {name for name, stated in facts.items() if len({value is None for value, _ in stated}) > 1}
    numbers = [(v, d) for name, stated in facts.items() if name not in mixed for v, d in stated if v is not None]
    if any(excess_digits(value, decimals) for value, decimals in numbers):
        return "excess_digits"
    box = {name: duplicates(stated, truncated=truncated) for name, stated in facts.items()}
    if None in box.values():
        return "inconsistent_duplicates"
    known = {name: b for name, b in box.items() if b is not None and not b.free}
    reported = [(name, Fraction(weight)) for name, weight in parts if name in known]
    if total not in known or not reported:
        return "not_bound"
    return "consistent" if satisfied(linear("sum", [*reported, (total, -1)], 0, 0), known) else "inconsistent"


@pytest.mark.parametrize("case", cases("calculation_pure"))
def test_sums_within_rounding_in_both_modes(case: dict) -> None:
    found = {"calc11_round": verdict(case, False), "calc11_trunc": verdict(case, True)}
    assert found == case["expected"]


@pytest.mark.parametrize("case", cases("excess_digits"))
def test_excess_digits_of_known_cases(case: dict) -> None:
    value, expected = Decimal(case["value"]), case["expected"]
    excess = excess_digits(value, int(case["decimals"]))
    if expected is None and "implementation limit" not in case["note"]:
        assert excess == 0
    if expected is not None and "implementation limit" not in case["note"]:
        assert excess == Fraction(expected["insignificant"])


@pytest.mark.parametrize("case", cases("duplicates"))
def test_duplicates_of_known_cases(case: dict) -> None:
    common = duplicates([(Decimal(f["v"]), f["d"]) for f in case["facts"]])
    assert (common is not None) == (case["expected"] == "consistent")
    if "meet" in case:
        assert common == Bounds(*map(Fraction, case["meet"]))


@pytest.mark.parametrize("case", cases("unround"))
def test_declared_bounds_of_known_cases(case: dict) -> None:
    if case["rounding"] not in ("up_or_down", "trunc"):
        pytest.skip("ends are closed when rounding, half-open when truncating: no other mode is offered")
    printed, expected = Decimal(case["printed"]), case["expected"]
    decimals = case.get("digits", -int(printed.as_tuple().exponent))
    found = declared_bounds(printed, decimals, truncated=case["rounding"] == "trunc")
    assert (found.low, found.high) == (Fraction(expected["lower"]), Fraction(expected["upper"]))
    assert (not found.low_open, not found.high_open) == (expected["incl_lower"], expected["incl_upper"])


def test_same_decimals_and_another_value_are_defective_even_where_bounds_touch() -> None:
    assert duplicates([(Decimal(500), -2), (Decimal(600), -2)]) is None
    assert duplicates([(Decimal(500), -2), (None, None)]) is None
    assert duplicates([(None, None)]) == FREE
    assert duplicates([(Decimal(500), -2), (Decimal(550), -1)]) == Bounds(Fraction(545), Fraction(550))
