"""Patterns of slips, and declared precision."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiji_etl.consistency.declared import declared_bounds, duplicates, excess_digits
from zhiji_etl.consistency.linear import FREE, Bounds, linear, satisfied
from zhiji_etl.consistency.patterns import Slip, slips

CASES = Path(__file__).parents[2] / "shared" / "cases" / "calc11.jsonl"


def cases(kind: str) -> list:
    if not CASES.exists():
        return [
            pytest.param({}, marks=pytest.mark.skip(reason="the shared cases calc11.jsonl are not on this machine"))
        ]
    rows = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    return [pytest.param(row, id=row["id"]) for row in rows if row["kind"] == kind]


@pytest.mark.parametrize(
    ("printed", "step", "low", "high", "expected"),
    [
        ("161", "1", "115.5", "116.5", Slip("digits_swapped", Decimal(116))),
        ("185000", "1000", "157500", "158500", Slip("digits_swapped", Decimal(158000))),
        ("-22.7", "0.1", "22.65", "22.7", Slip("sign", Decimal("22.7"))),
        ("623.8", "0.1", "6237000", "6239000", Slip("factor_wan", Decimal(6238000))),
        ("7053", "1", "705250000000", "705350000000", Slip("factor_yi", Decimal(705300000000))),
        ("6238", "1", "6237900", "6238100", Slip("factor_1e3", Decimal(6238000))),
        ("0.227", "0.001", "22.65", "22.75", Slip("factor_1e2", Decimal("22.7"))),
        ("6138", "1", "6237.9", "6238.1", Slip("digit_wrong", Decimal(6238))),
        ("22.7", "0.1", "22.76", "22.79", Slip("truncation", Decimal("22.7"))),
        ("-22.7", "0.1", "-22.79", "-22.76", Slip("truncation", Decimal("-22.7"))),
    ],
)
def test_a_slip_is_found_first(printed: str, step: str, low: str, high: str, expected: Slip) -> None:
    assert slips(Decimal(printed), Decimal(step), Decimal(low), Decimal(high))[0] == expected


def test_percent_for_percentage_point_needs_a_base() -> None:
    change, bounds = Decimal("0.3"), (Decimal("2.9"), Decimal("3.1"))
    assert "percent_for_percentage_point" not in {s.name for s in slips(change, Decimal("0.1"), *bounds)}
    found = slips(change, Decimal("0.1"), *bounds, base=Decimal("9.9"))
    assert "percent_for_percentage_point" in {s.name for s in found}


@pytest.mark.parametrize(("low", "high"), [(None, None), ("100", "200"), ("161.5", None)])
def test_what_fits_as_printed_is_no_slip(low: str | None, high: str | None) -> None:
    ends = (None if end is None else Decimal(end) for end in (low, high))
    assert slips(Decimal(161), Decimal(1), *ends) == []


@given(st.integers(10, 10**9), st.integers(0, 8), st.integers(-3, 3), st.booleans())
def test_every_planted_swap_is_found(number: int, place: int, power: int, negative: bool) -> None:
    digits = str(number)
    i = place % (len(digits) - 1)
    swapped = digits[:i] + digits[i + 1] + digits[i] + digits[i + 2 :]
    sign, unit = (-1 if negative else 1), Decimal(1).scaleb(power)
    meant = sign * int(digits) * unit
    found = slips(sign * int(swapped) * unit, unit, meant, meant)
    if abs(int(swapped) - int(digits)) > 1 and swapped[0] != "0":
        assert meant in {s.corrected for s in found}


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
