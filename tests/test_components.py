"""Propagation: exact, and what it can decide."""

from __future__ import annotations

from fractions import Fraction

import pytest

from zhiji_etl.consistency.exact.components import decides_exactly, propagate
from zhiji_etl.consistency.exact.linear import FREE, Bounds, balance, bounds, linear, order, satisfied
from zhiji_etl.consistency.exact.programs import feasible, implied

TREE = [
    balance("s", ["a", "b"], "t"),
    balance("u", ["c", "d"], "b"),
    order("o", "t", "z"),
    linear("k", {"z": 1}, None, 40),
]
LOOP = [balance("s", ["a", "b"], "t"), linear("d", {"a": 1, "b": -1}, 0, None), linear("e", {"t": 1, "a": 1}, None, 30)]


def test_bounds_travel_and_name_what_binds_them() -> None:
    found = propagate(
        [balance("s", ["a", "b"], "t"), order("o", "t", "z")], {"a": bounds(1, 2), "z": bounds(5, 6), "b": bounds(3, 9)}
    )
    assert found.settled
    assert found.implied["b"].bounds == bounds(3, 5)
    assert found.implied["b"].binding_high.figures == {"a", "z"}
    assert found.implied["b"].binding_high.rules == {"s", "o"}
    assert found.implied["b"].binding_low.figures == {"b"}


def test_a_refutation_names_figures_and_rules() -> None:
    found = propagate(
        [balance("s", ["a", "b"], "t"), order("o", "t", "z")], {"a": bounds(9, 9), "b": bounds(0, 1), "z": bounds(5, 6)}
    )
    assert found.refuted
    assert (found.conflict.figures, found.conflict.rules) == ({"a", "b", "z"}, {"s", "o"})


def test_a_loop_that_tightens_for_ever_ends_unsettled_and_is_decided_all_the_same() -> None:
    rules = [linear("half", {"x": 2, "y": -1}, 0, 0), linear("same", {"x": 1, "y": -1}, 0, 0)]
    box = {"x": bounds(0, 1), "y": bounds(0, 1)}
    assert not propagate(rules, box).settled
    found = implied(rules, box)
    assert found is not None
    assert found["x"].bounds == bounds(0, 0)


def test_rules_over_one_sum_can_contradict_whatever_the_figures() -> None:
    rules = [linear("r", {"a": 1, "b": 2}, 1, 1), linear("s", {"a": -2, "b": -4}, 0, 0)]
    assert propagate(rules, {}).conflict.rules == {"r", "s"}
    assert not feasible([linear("r", {"a": 1, "b": 2}, 0, 0), linear("s", {"a": 1, "b": 2}, 0, low_open=True)], {})


def test_only_forests_are_decided_exactly() -> None:
    assert decides_exactly(TREE)
    assert not decides_exactly(LOOP)
    assert decides_exactly(LOOP, ignoring=["a", "t"])
    assert decides_exactly([linear("low", {"a": 1, "b": 2}, 0), linear("high", {"a": -2, "b": -4}, -9)])


@pytest.mark.parametrize(
    ("one", "other", "met"),
    [
        (bounds(0, 2), bounds(1, 3), bounds(1, 2)),
        (FREE, bounds(1, 3), bounds(1, 3)),
        (bounds(0, 2, high_open=True), bounds(2, 3), Bounds(Fraction(2), Fraction(2), False, True)),
    ],
)
def test_bounds_meet(one: Bounds, other: Bounds, met: Bounds) -> None:
    assert one.meet(other) == other.meet(one) == met
    assert met.empty == (met.low == met.high)


def test_a_rule_is_satisfied_where_its_figures_allow_it() -> None:
    rule = balance("s", ["a", "b"], "t")
    assert satisfied(rule, {"a": bounds(1, 2), "b": bounds(1, 2), "t": bounds(4, 5)})
    assert not satisfied(rule, {"a": bounds(1, 2), "b": bounds(1, 2, high_open=True), "t": bounds(4, 5)})
    assert satisfied(rule, {"a": bounds(1, 2), "t": bounds(4, 5)})
