"""Rules that each hold alone and not together: found wherever exact elimination finds it, and nowhere else."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction as F
from unittest import mock

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import zhiji_etl as zj
from zhiji_etl.consistency.conflicts import explanations
from zhiji_etl.consistency.conflicts import groups as conflicts
from zhiji_etl.consistency.rules.expressions import Figures

SOUGHT = settings(max_examples=8, suppress_health_check=list(HealthCheck))
NAMES = ("a", "b", "c", "d", "e", "f")
ENTITIES = 30

Half = tuple[dict[str, F], F]
"""`sum(coefficient * figure) <= limit`."""


def named(name: str, function) -> object:
    function.__name__ = name
    return zj.rule(function)


def figure(entity: str, metric: str, value: float, half: float, unit: str = "count") -> dict:
    ends = {"low": value - half, "high": value + half}
    return {
        "entity": entity,
        "metric": metric,
        "period": "2019",
        "value": value,
        "step": 2 * half,
        "unit": unit,
        **ends,
    }


def conflicting(found) -> set[str]:
    return set(found.frame.filter(kind="conflict", verdict="inconsistent").get_column("entity"))


def elimination(known: list[Half], names: tuple[str, ...]) -> bool:
    """Whether closed inequalities hold together, by Fourier and Motzkin: slow, exact, unlike the code under test."""
    rows = {(tuple(terms.get(name, F(0)) for name in names), limit) for terms, limit in known}
    for i in range(len(names)):
        ups, downs = [r for r in rows if r[0][i] > 0], [r for r in rows if r[0][i] < 0]
        rows = {r for r in rows if not r[0][i]}
        for (p, one), (q, other) in itertools.product(ups, downs):
            row = tuple(x / p[i] - y / q[i] for x, y in zip(p, q, strict=True))
            scale = max(map(abs, row)) or F(1)
            rows.add((tuple(c / scale for c in row), (one / p[i] - other / q[i]) / scale))
        tightest: dict[tuple[F, ...], F] = {}
        for row, limit in rows:
            tightest[row] = min(limit, tightest.get(row, limit))
        rows = set(tightest.items())
    return all(limit >= 0 for _, limit in rows)


def boxed(figures: list[dict]) -> list[Half]:
    ends = [(one["metric"], F(str(one["low"])), F(str(one["high"]))) for one in figures]
    return [half for name, low, high in ends for half in (({name: F(1)}, high), ({name: F(-1)}, -low))]


# ----------------------------------------------------------------------------------------------------- sums and orders


def linear(dice: random.Random, number: int) -> tuple[object, list[Half]]:
    """A rule `x + y == z + ...` or `<=` over some of the figures, and the same as inequalities."""
    chosen = dice.sample(NAMES, dice.randint(2, 4))
    left, right = chosen[: len(chosen) // 2], chosen[len(chosen) // 2 :]
    equal = dice.random() < 0.8

    def function(m: Figures):
        sides = [sum((getattr(m, name) for name in side[1:]), getattr(m, side[0])) for side in (left, right)]
        return sides[0] == sides[1] if equal else sides[0] <= sides[1]

    terms = dict.fromkeys(left, F(1)) | dict.fromkeys(right, F(-1))
    halves: list[Half] = [(terms, F(0))]
    if equal:
        halves.append(({name: -weight for name, weight in terms.items()}, F(0)))
    return named(f"rule_{number}", function), halves


def nearly_right(dice: random.Random, rules: list[list[Half]], entity: str) -> list[dict]:
    """Figures close to what the rules demand, so that many of them only just hold or only just fail."""
    values = {name: float(dice.randint(-6, 6)) for name in NAMES}
    for _ in range(6):
        for terms, limit in (halves[0] for halves in rules):
            away = float(limit) - sum(float(weight) * values[name] for name, weight in terms.items())
            for name, weight in terms.items():
                values[name] += float(weight) * away / len(terms)
    told = [name for name in NAMES if dice.random() < 0.9]
    return [
        figure(entity, n, float(round(values[n]) + dice.choice([0, 0, 0, 1])), dice.choice([0.5, 1, 2])) for n in told
    ]


def compared(seed: int) -> tuple[set[str], set[str]]:
    """The entities with a conflict, and those that elimination refutes."""
    dice = random.Random(seed)
    made = [linear(dice, number) for number in range(dice.randint(2, 5))]
    rules, halves = [rule for rule, _ in made], [half for _, half in made]
    told = [figure("Whole", name, 0.0, 50.0) for name in NAMES]
    expected = set()
    for number in range(ENTITIES):
        mine = nearly_right(dice, halves, f"E{number}")
        told += mine
        printed = {one["metric"] for one in mine}
        # A rule of whose figures none is printed is not about anybody.
        spoken = [one for half in halves for one in half if one[0].keys() & printed]
        if not elimination([*boxed(mine), *spoken], NAMES):
            expected.add(f"E{number}")
    return conflicting(zj.check(pl.DataFrame(told), rules)), expected


@SOUGHT
@given(st.integers(0, 10**9))
def test_conflicts_are_those_of_exact_elimination(seed: int):
    try:
        found, expected = compared(seed)
    except zj.RuleError:  # the rules contradict each other whatever the figures
        return
    assert found == expected


# -------------------------------------------------------------------------------------------------------- with shares

SHARED = [
    named("whole", lambda m: m.a + m.b == m.t),
    named("share_a", lambda m: m.p == m.a / m.t),
    named("share_b", lambda m: m.q == m.b / m.t),
    named("all_shares", lambda m: m.r == m.a / m.b),
]


def shares(dice: random.Random, entity: str) -> list[dict]:
    a, b = dice.randint(20, 90), dice.randint(20, 90)
    amounts = [figure(entity, n, float(v + dice.choice([0, 0, 1])), 0.5) for n, v in (("a", a), ("b", b), ("t", a + b))]
    ratios = (("p", a, a + b), ("q", b, a + b), ("r", a, b))
    percents = [(n, round(100 * x / y * dice.choice([1, 1, 1.005]), 1)) for n, x, y in ratios]
    return amounts + [figure(entity, n, share, 0.05, "percent") for n, share in percents]


def refuted(told: list[dict]) -> bool:
    """The same in inequalities: a share p of t is p.low t <= a <= p.high t."""
    known = boxed([one for one in told if one["unit"] == "count"])
    whole = {"a": F(1), "b": F(1), "t": F(-1)}
    known += [(whole, F(0)), ({name: -weight for name, weight in whole.items()}, F(0))]
    ends = {one["metric"]: (F(str(one["low"])) / 100, F(str(one["high"])) / 100) for one in told}
    for ratio, over, under in (("p", "a", "t"), ("q", "b", "t"), ("r", "a", "b")):
        known += [({over: F(1), under: -ends[ratio][1]}, F(0)), ({over: F(-1), under: ends[ratio][0]}, F(0))]
    return not elimination(known, ("a", "b", "t"))


@settings(SOUGHT, max_examples=4)
@given(st.integers(0, 10**9))
def test_shares_and_their_sum(seed: int):
    dice = random.Random(seed)
    told = {f"E{number}": shares(dice, f"E{number}") for number in range(12)}
    found = zj.check(pl.DataFrame([one for several in told.values() for one in several]), SHARED)
    assert conflicting(found) == {entity for entity, mine in told.items() if refuted(mine)}


# ------------------------------------------------------------------------------------------------------ small examples

TWO_SUMS = [named("first", lambda m: m.a + m.b == m.t), named("second", lambda m: m.c + m.d == m.t)]


def test_two_sums_of_one_total():
    """t is 98.5 to 101.5: the first sum needs 98.5 to 99, the second 101 to 101.5."""
    rows = [figure("X", "t", 100.0, 1.5), figure("X", "a", 60.0, 0.5), figure("X", "b", 38.0, 0.5)]
    rows += [figure("X", "c", 60.0, 0.5), figure("X", "d", 42.0, 0.5)]
    found = zj.check(pl.DataFrame(rows), TWO_SUMS)
    assert set(found.frame.filter(kind="rule").get_column("verdict").cast(pl.String)) == {"consistent"}
    (conflict,) = found.frame.filter(kind="conflict").to_dicts()
    assert (conflict["severity"], conflict["rule"], found.ok) == ("error", "first, second", False)
    changes = {one["metric"]: (one["low"], one["high"]) for one in conflict["resolved_by"]}
    # The two sums are apart by themselves, so no total saves them.
    assert changes == {"a": (62.5, 64.0), "b": (40.5, 42.0), "c": (56.0, 57.5), "d": (38.0, 39.5)}


def test_severity_is_that_of_the_severest_rule():
    rows = [figure("X", "t", 100.0, 1.5), figure("X", "a", 60.0, 0.5), figure("X", "b", 38.0, 0.5)]
    rows += [figure("X", "c", 60.0, 0.5), figure("X", "d", 42.0, 0.5)]
    quiet = [zj.rule(severity="warning")(one.__wrapped__ if hasattr(one, "__wrapped__") else one) for one in TWO_SUMS]
    (conflict,) = zj.check(pl.DataFrame(rows), quiet).frame.filter(kind="conflict").to_dicts()
    assert conflict["severity"] == "warning"


def loops(count: int) -> pl.DataFrame:
    """Regions by products, summed both ways: every rule holds, and together they do."""
    rows = []
    for number in range(count):
        values = {"a": 10 + number, "b": 20, "c": 30, "d": 40}
        values |= {"ab": values["a"] + 20, "cd": 70, "ac": values["a"] + 30, "bd": 60, "t": values["a"] + 90}
        rows += [figure(f"X{number}", name, float(value), 0.5) for name, value in values.items()]
    return pl.DataFrame(rows)


TABLE = [
    named("row_1", lambda m: m.a + m.b == m.ab),
    named("row_2", lambda m: m.c + m.d == m.cd),
    named("column_1", lambda m: m.a + m.c == m.ac),
    named("column_2", lambda m: m.b + m.d == m.bd),
    named("rows", lambda m: m.ab + m.cd == m.t),
    named("columns", lambda m: m.ac + m.bd == m.t),
]


def test_loops_that_hold_are_shown_to_hold_without_fractions():
    with mock.patch.object(conflicts, "localise", side_effect=AssertionError("one by one")):
        assert zj.check(loops(20), TABLE).ok


def test_what_is_not_tried_is_said():
    """Were no numbers found with which a loop holds, it would be for fractions; and those have a limit."""

    def none(chunk, ties):
        return chunk.dead & ~chunk.dead

    with mock.patch.object(explanations, "witnessed", none), mock.patch.object(conflicts, "GROUPS", 3):
        found = zj.check(loops(5), TABLE)
    (told,) = found.frame.filter(kind="conflict").to_dicts()
    assert (told["verdict"], told["severity"]) == ("not_checkable", "warning")
    assert "not tried: 2 groups" in told["message"]
    assert found.ok


@pytest.mark.parametrize("sales", ["over 90.0", "100.0"])
def test_open_ends_beside_a_share(sales: str):
    rows = [("X", "sales", sales), ("X", "market", "1000.0"), ("X", "share", "10.0%"), ("X", "home", "60.0")]
    rows += [("X", "abroad", "40.0")]
    frame = pl.DataFrame(rows, schema=["entity", "metric", "printed"], orient="row").with_columns(period=pl.lit("2019"))
    rules = [
        named("share", lambda m: m.share == m.sales / m.market),
        named("parts", lambda m: m.home + m.abroad == m.sales),
    ]
    assert conflicting(zj.check(frame, rules)) == set()
