"""Propagation: exact, over many records, and what it can decide."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiji_etl.consistency.components import components, decides_exactly, propagate
from zhiji_etl.consistency.linear import FREE, Bounds, Linear, balance, bounds, linear, order, satisfied
from zhiji_etl.consistency.programs import feasible, implied
from zhiji_etl.consistency.records import Form, propagate_records
from zhiji_etl.errors import RuleError

TREE = [
    balance("s", ["a", "b"], "t"),
    balance("u", ["c", "d"], "b"),
    order("o", "t", "z"),
    linear("k", {"z": 1}, None, 40),
]
SPLIT = [balance("s", ["a", "b"], "t"), balance("u", ["c", "d"], "v")]
LOOP = [balance("s", ["a", "b"], "t"), linear("d", {"a": 1, "b": -1}, 0, None), linear("e", {"t": 1, "a": 1}, None, 30)]
UNEVEN = [linear("s", {"a": 3, "b": 1, "t": -1}, 0, 0), linear("p", {"t": 2, "c": -7}, -1, 2)]
STRICT = [order("o", "a", "b", strict=True), balance("s", ["b", "c"], "d")]
FORMS = {"tree": TREE, "split": SPLIT, "loop": LOOP, "uneven": UNEVEN, "strict": STRICT}


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
    with pytest.raises(RuleError, match="contradict"):
        Form(rules)


def test_only_forests_are_decided_exactly() -> None:
    assert decides_exactly(TREE)
    assert not decides_exactly(LOOP)
    assert decides_exactly(LOOP, ignoring=["a", "t"])
    assert decides_exactly([linear("low", {"a": 1, "b": 2}, 0), linear("high", {"a": -2, "b": -4}, -9)])


def test_rules_that_share_nothing_are_components() -> None:
    assert [[r.name for r in group] for group in components([*SPLIT, order("o", "a", "x")])] == [["s", "o"], ["u"]]


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


# --- many records say what one record says, exactly ------------------------------------------------------------------

Ends = list[tuple[float, float, bool, bool]]


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[Linear], list[Ends]]:
    rules = FORMS[draw(st.sampled_from(sorted(FORMS)))]
    # As figures have them: each end is the float nearest to a printed decimal (or to a third, which none prints).
    unit = draw(st.sampled_from([Fraction(1), Fraction(1, 10), Fraction(1, 20), Fraction(10), Fraction(1, 3)]))
    figures = Form(rules).figures

    def ends() -> tuple[float, float, bool, bool]:
        place = draw(st.integers(-20, 60))
        low, high = float(place * unit), float((place + draw(st.sampled_from([0, 1, 2, 7]))) * unit)
        is_open = low < high and draw(st.integers(0, 5)) == 0
        return (low, high, is_open, is_open) if draw(st.integers(0, 5)) else (-np.inf, np.inf, False, False)

    return rules, [[ends() for _ in figures] for _ in range(draw(st.integers(1, 4)))]


def boxes(form: Form, row: Ends) -> dict[str, Bounds]:
    def exact(end: float) -> Fraction | None:
        return Fraction(repr(end)) if np.isfinite(end) else None

    return {n: Bounds(exact(lo), exact(hi), a, b) for n, (lo, hi, a, b) in zip(form.figures, row, strict=True)}


def same(low: float, high: float, low_open: bool, high_open: bool, expected: Bounds) -> bool:
    ends = (
        -np.inf if expected.low is None else float(expected.low),
        np.inf if expected.high is None else float(expected.high),
    )
    return bool(np.allclose((low, high), ends, rtol=1e-12, atol=1e-12)) and expected.low_open == low_open


@settings(max_examples=150, deadline=None)
@given(batches())
def test_records_agree_with_fractions(drawn: tuple[list[Linear], list[Ends]]) -> None:
    rules, rows = drawn
    form, given_ends = Form(rules), np.array(rows, dtype=float)
    opens = given_ends[:, :, 2] > 0
    found = propagate_records(
        form, given_ends[:, :, 0], given_ends[:, :, 1], low_open=opens, high_open=opens, binding=True
    )
    judged = propagate_records(
        form, given_ends[:, :, 0], given_ends[:, :, 1], low_open=opens, high_open=opens, tight=False
    )
    assert (judged.refuted == found.refuted).all()
    assert (judged.explains == found.explains).all()
    for i, row in enumerate(rows):
        box = boxes(form, row)
        assert bool(found.refuted[i]) != feasible(rules, box)
        for j, name in enumerate(form.figures):
            freed = implied(rules, {**box, name: FREE}, [name])
            assert bool(found.explains[i, j]) == (bool(found.refuted[i]) and freed is not None)
            assert bool(np.isnan(found.others_low[i, j])) == (freed is None)
            if freed is not None:
                ends = (found.others_low[i, j], found.others_high[i, j])
                expected = freed[name].bounds
                wanted = (
                    -np.inf if expected.low is None else float(expected.low),
                    np.inf if expected.high is None else float(expected.high),
                )
                assert ends == pytest.approx(wanted, rel=1e-9, abs=1e-9)
                if not found.again[i] and form.units:
                    assert (found.others_low_open[i, j], found.others_high_open[i, j]) == (
                        expected.low_open,
                        expected.high_open,
                    )


def test_records_name_the_figures_behind_each_end() -> None:
    form = Form([balance("s", ["a", "b"], "t"), order("o", "t", "z")])
    low, high = np.array([[1.0, 3, -np.inf, 5]]), np.array([[2.0, 9, np.inf, 6]])
    found = propagate_records(form, low, high, binding=True)
    assert found.binding_high is not None
    assert found.binding_low is not None
    assert found.names(form, found.binding_high[0, 1]) == ("a", "z")
    assert found.names(form, found.binding_low[0, 2]) == ("a", "b")
    assert (found.low[0, 2], found.high[0, 2]) == (4, 6)


def test_touching_sums_of_tenths_are_consistent_and_a_hair_more_is_not() -> None:
    form = Form([balance("s", ["a", "b"], "t")])
    printed = np.array([[0.1, 0.2, 0.6], [0.1, 0.2, 0.7], [1e12 + 0.1, 0.2, 1e12 + 0.6]])
    half = np.array([[0.1, 0.1, 0.1]])
    low, high = np.round(printed - half, 1), np.round(printed + half, 1)
    assert propagate_records(form, low, high).refuted.tolist() == [False, True, False]
    touching = np.array([[0.1, 0.2, 0.30000000001]])
    assert propagate_records(form, touching, touching).refuted.tolist() == [True]
