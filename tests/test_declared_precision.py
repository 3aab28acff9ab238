"""Declared precision against XBRL Calculations 1.1 and the manual of EDGAR, by the very functions that projects use.

Each case is an entity with a total, its parts and their decimals; all of one form are judged by one rule.
"""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import groupby
from pathlib import Path

import polars as pl
import pytest

import zhiji_etl as zj

CASES = Path(__file__).parents[2] / "shared" / "cases" / "calc11.jsonl"
EXACT = 6
"""Decimals of a fact that is stated to be exact: no case prints as many. Its bounds are then the value alone."""

VERDICTS = {
    "consistent": {("consistent", None), ("too_imprecise", None)},
    "inconsistent": {("inconsistent", None)},
    "inconsistent_duplicates": {("not_checkable", "defective_duplicates")},
    # Where prints of one figure contradict each other as well, either reason is as good.
    "excess_digits": {("not_checkable", "excess_digits"), ("not_checkable", "defective_duplicates")},
}


def cases(kind: str) -> list[dict]:
    if not CASES.exists():
        pytest.skip("the shared cases calc11.jsonl are not on this machine")
    rows = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if row["kind"] == kind]


def weights(case: dict) -> tuple[str, ...]:
    """The weights of the parts that are reported: a sum binds those alone."""
    ((_, parts),) = case["sums"].items()
    reported = {fact["c"] for fact in case["facts"]}
    return tuple(weight for name, weight in parts if name in reported)


def facts(case: dict) -> list[dict]:
    """The facts of a case under the names of the rule of its form."""
    ((total, parts),) = case["sums"].items()
    reported = [name for name, _ in parts if any(fact["c"] == name for fact in case["facts"])]
    names = {total: "total"} | {name: f"part{at}" for at, name in enumerate(reported)}
    return [
        {
            "entity": case["id"],
            "metric": names[fact["c"]],
            "period": "2019",
            "printed": fact["v"],
            "decimals": EXACT if fact["d"] == "INF" else fact["d"],
        }
        for fact in case["facts"]
        if fact["c"] in names
    ]


def is_bound(case: dict, mode: str) -> bool:
    """Whether both sides judge the case: nothing is nil, and no figure is printed both with and without excess digits.

    Of such prints the standard uses none; here the whole one is used, and the other one rejected.
    """
    told = case["facts"]
    excessive = {fact["c"] for fact in told if is_excessive(fact)}
    whole = {fact["c"] for fact in told if not is_excessive(fact)}
    return case["expected"][mode] != "not_bound" and not (excessive & whole) and not any(fact["nil"] for fact in told)


def is_excessive(fact: dict) -> bool:
    """Whether a fact has digits beyond its decimals."""
    return not fact["nil"] and fact["d"] != "INF" and Decimal(fact["v"]) % Decimal(1).scaleb(-fact["d"]) != 0


def judged(form: tuple[str, ...], listed: list[dict], rounding: str) -> dict[str, tuple[str, str | None]]:
    """Verdict and reason of each case of one form."""

    def total_of_parts(m):
        """The total is the weighted sum of its parts."""
        return m.total == sum(float(weight) * getattr(m, f"part{at}") for at, weight in enumerate(form))

    printed = pl.DataFrame([fact for case in listed for fact in facts(case)])
    read = printed.with_columns(
        pl.col("printed").figure.parse(decimals=pl.col("decimals"), rounding=rounding).alias("read")
    ).unnest("read")
    ends = [pl.when(pl.col("decimals") == EXACT).then("value").otherwise(end).alias(end) for end in ("low", "high")]
    closed = [(pl.col(end) | (pl.col("decimals") == EXACT)).alias(end) for end in ("low_closed", "high_closed")]
    figures = read.with_columns(*ends, *closed, unit=pl.lit("count"), flaw="code").drop("decimals")
    found = zj.check(figures, total_of_parts).frame.filter(pl.col("kind") == "rule")
    rows = found.select("entity", pl.col("verdict", "reason").cast(pl.String)).iter_rows()
    return {entity: (verdict, reason) for entity, verdict, reason in rows}


@pytest.mark.parametrize(("mode", "rounding"), [("calc11_round", "nearest"), ("calc11_trunc", "truncation")])
def test_sums_within_rounding(mode: str, rounding: str):
    bound = [case for case in cases("calculation_pure") if is_bound(case, mode)]
    assert len(bound) > 800
    wrong = []
    for form, group in groupby(sorted(bound, key=weights), weights):
        listed = list(group)
        found = judged(form, listed, rounding)
        wrong += [
            (case["id"], found.get(case["id"]), case["expected"][mode])
            for case in listed
            if found.get(case["id"]) not in VERDICTS[case["expected"][mode]]
        ]
    assert wrong == []


@pytest.mark.parametrize("mode", ["nearest", "truncation"])
def test_ends_of_rounded_numbers(mode: str):
    """Ends are closed when rounding, half-open when truncating; no other way to round is offered."""
    theirs = {"nearest": "up_or_down", "truncation": "trunc"}[mode]
    listed = [case for case in cases("unround") if case["rounding"] == theirs]
    assert listed
    for case in listed:
        text, expected = case["printed"], case["expected"]
        figure = zj.parse(text, decimals=case.get("digits", -int(Decimal(text).as_tuple().exponent)), rounding=mode)
        assert (figure.low, figure.high) == (Decimal(expected["lower"]), Decimal(expected["upper"]))
        assert (figure.low_closed, figure.high_closed) == (expected["incl_lower"], expected["incl_upper"])


def test_excess_digits():
    for case in cases("excess_digits"):
        if "implementation limit" not in case["note"]:
            expected = case["expected"] is not None and Decimal(case["expected"]["insignificant"]) != 0
            read = pl.Series("printed", [case["value"]]).to_frame()
            made = read.select(pl.col("printed").figure.parse(decimals=int(case["decimals"]))).unnest("printed")
            assert (made["code"].item() == "excess_digits") == expected, case


def test_duplicates():
    """Two prints of one figure: what both allow, or no agreement where both have the same decimals."""
    for case in cases("duplicates"):
        printed = [
            {"entity": "A", "metric": "m", "period": "2019", "printed": fact["v"], "decimals": fact["d"]}
            for fact in case["facts"]
        ]
        found = zj.check(pl.DataFrame(printed), []).frame.filter(pl.col("kind") == "duplicate")
        assert found["verdict"].cast(pl.String).to_list() == [case["expected"]]
