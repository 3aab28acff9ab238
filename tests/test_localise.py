"""Localisation: minimal sets, conflicts and implied bounds, against known cases and exact laws."""

from __future__ import annotations

import itertools
import json
import math
import re
from fractions import Fraction
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiji_etl.consistency.exact import programs
from zhiji_etl.consistency.exact.components import Reason
from zhiji_etl.consistency.exact.linear import FREE, Bounds, Linear, balance, bounds, linear, order
from zhiji_etl.consistency.exact.localise import conflict, conflicts, corroborated, lightest, localise, must_be
from zhiji_etl.consistency.exact.programs import decide, feasible, implied, witness
from zhiji_etl.errors import RuleError

CASES = Path(__file__).parents[2] / "shared" / "cases"


def cases(name: str, *kinds: str) -> list:
    path = CASES / name
    if not path.exists():
        return [pytest.param({}, marks=pytest.mark.skip(reason=f"the shared cases {name} are not on this machine"))]
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [pytest.param(row, id=row["id"]) for row in rows if row["kind"] in kinds]


# --- a parser for the cases' rules, for these tests only -------------------------------------------------------------

TERM = re.compile(r"([+-]?)\s*(?:(\d+(?:\.\d+)?)\s*\*?\s*)?([A-Za-z_]\w*)?")


def side(text: str) -> tuple[dict[str, Fraction], Fraction]:
    terms: dict[str, Fraction] = {}
    constant = Fraction(0)
    for sign, number, name in TERM.findall(text.replace(" ", "")):
        factor = Fraction(number or 1) * (-1 if sign == "-" else 1)
        if name:
            terms[name] = terms.get(name, Fraction(0)) + factor
        elif number:
            constant += factor
    return terms, constant


def ratio_constraints(
    numerator: str, denominator: str, ratio: Bounds, *, name: str, positive: bool = True
) -> tuple[Linear, ...]:
    """A printed ratio b / c within bounds: c has its sign, and two inequalities, which turn where c is negative."""
    low, high = (ratio.low, ratio.low_open), (ratio.high, ratio.high_open)
    at_least, at_most = (low, high) if positive else (high, low)
    pieces = [linear(name, {denominator: 1 if positive else -1}, 0, None, low_open=True)]
    if at_least[0] is not None:
        pieces.append(linear(name, {numerator: 1, denominator: -at_least[0]}, 0, None, low_open=at_least[1]))
    if at_most[0] is not None:
        pieces.append(linear(name, {numerator: 1, denominator: -at_most[0]}, None, 0, high_open=at_most[1]))
    return tuple(pieces)


def rule(text: str, name: str | None = None) -> tuple[Linear, ...]:
    left, operator, right = re.split(r"\s*(<=|>=|==|<|>)\s*", text)
    name = name or text
    if "/" in left:
        b, c = left.split("/")
        limit = Fraction(right)
        ratio = Bounds(low=limit) if operator == ">=" else Bounds(high=limit)
        return ratio_constraints(b, c, ratio, name=name)
    (a, x), (b, y) = side(left), side(right)
    terms = [*a.items(), *((figure, -c) for figure, c in b.items())]
    at = y - x
    low, high = (None if "<" in operator else at), (None if ">" in operator else at)
    return (linear(name, terms, low, high, low_open=operator == ">", high_open=operator == "<"),)


def system(case: dict) -> tuple[list[Linear], dict[str, Bounds]]:
    texts = case["rules"]
    pairs = texts.items() if isinstance(texts, dict) else zip(texts, texts, strict=True)
    record = case["record"] or {}
    box = {name: Bounds() if v is None else bounds(repr(v), repr(v)) for name, v in record.items()}
    return [piece for name, text in pairs for piece in rule(text, name)], box


# --- known cases -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("errorlocate.jsonl", "linear"))
def test_all_minimal_sets_of_known_cases(case: dict) -> None:
    rules, box = system(case)
    weights = {name: float(weight) for name, weight in (case["weights"] or {}).items()}
    found = localise(rules, box, weights)
    assert [list(names) for names in found.minimal_sets] == sorted(sorted(s) for s in case["all_minimal_sets"])
    assert float(found.minimal_weight) == case["minimal_weight"]
    assert found.complete


def fraction(end: float | str) -> Fraction | None:
    return None if isinstance(end, str) or math.isinf(end) else Fraction(repr(end))


@pytest.mark.parametrize("case", cases("deductive.jsonl", "implied", "bounds"))
def test_implied_bounds_of_known_cases(case: dict) -> None:
    rules, box = system(case)
    expected = case.get("implied_bounds") or (case["expected"] if case["kind"] == "bounds" else {})
    found = implied(rules, box)
    assert (found is None) == bool(case.get("infeasible"))
    for name, (low, high) in expected.items():
        assert found is not None
        assert (found[name].bounds.low, found[name].bounds.high) == (fraction(low), fraction(high))


@pytest.mark.parametrize("case", cases("deductive.jsonl", "conflict"))
def test_contradictions_of_rules_in_known_cases(case: dict) -> None:
    rules, box = system(case)
    found, complete = conflicts(rules, box)
    assert complete
    expected = case["expected"]
    for name, others in expected.get("contradicts", {}).items():
        assert {r for c in found if name in c.rules for r in c.rules} - {name} == set(others)
    if "infeasible" in expected:
        assert bool(found) == expected["infeasible"]
    if "minimal_conflicts" in expected:
        assert [list(c.rules) for c in found] == expected["minimal_conflicts"]


# --- laws ------------------------------------------------------------------------------------------------------------

NAMES = ("a", "b", "c", "d", "e")
SMALL = st.integers(-3, 3).map(Fraction)


@st.composite
def box_of(draw: st.DrawFn) -> dict[str, Bounds]:
    def one() -> Bounds:
        if draw(st.integers(0, 4)) == 0:
            return FREE
        low = draw(SMALL)
        width = draw(st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(1)]))
        strict = width > 0 and draw(st.booleans())
        return Bounds(low, low + width, strict, strict)

    return {name: one() for name in NAMES}


@st.composite
def rule_of(draw: st.DrawFn, number: int) -> Linear:
    figures = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    terms = {name: draw(st.sampled_from([-2, -1, 1, 1, 3])) for name in figures}
    low, kind = draw(SMALL), draw(st.sampled_from(["equal", "least", "most", "above", "below"]))
    closed = {"equal": (low, low), "least": (low, None), "above": (low, None)}.get(kind, (None, low))
    return linear(f"r{number}", terms, *closed, low_open=kind == "above", high_open=kind == "below")


@st.composite
def systems(draw: st.DrawFn) -> tuple[list[Linear], dict[str, Bounds]]:
    rules = [draw(rule_of(i)) for i in range(draw(st.integers(1, 5)))]
    return rules, draw(box_of())


def eliminated(rules: list[Linear], box: dict[str, Bounds]) -> bool:
    """Whether all hold, by Fourier and Motzkin's elimination: slow, exact, and unlike the code under test."""
    own = [Linear(n, ((n, Fraction(1)),), b.low, b.high, b.low_open, b.high_open) for n, b in box.items()]
    known: set[tuple[tuple[Fraction, ...], Fraction, bool]] = set()
    for r in (*rules, *own):
        row = tuple(dict(r.coefficients).get(n, Fraction(0)) for n in NAMES)
        if r.high is not None:
            known.add((row, r.high, r.high_open))
        if r.low is not None:
            known.add((tuple(-c for c in row), -r.low, r.low_open))
    for i in range(len(NAMES)):
        ups, downs = [k for k in known if k[0][i] > 0], [k for k in known if k[0][i] < 0]
        known = {k for k in known if not k[0][i]}
        for (p, l1, s1), (q, l2, s2) in itertools.product(ups, downs):
            row = tuple(x / p[i] - y / q[i] for x, y in zip(p, q, strict=True))
            scale = max((abs(c) for c in row), default=Fraction(0)) or Fraction(1)
            known.add((tuple(c / scale for c in row), (l1 / p[i] - l2 / q[i]) / scale, s1 or s2))
        best: dict[tuple[Fraction, ...], tuple[Fraction, bool]] = {}
        for row, limit, strict in known:
            best[row] = min(best.get(row, (limit, not strict)), (limit, not strict))
        known = {(row, limit, not loose) for row, (limit, loose) in best.items()}
    return all(limit > 0 or (limit == 0 and not strict) for _, limit, strict in known)


@settings(max_examples=250)
@given(systems())
def test_decisions_are_those_of_exact_elimination(drawn: tuple[list[Linear], dict[str, Bounds]]) -> None:
    rules, box = drawn
    assert feasible(rules, box) == eliminated(rules, box)


@settings(max_examples=150)
@given(systems())
def test_decisions_from_another_solvers_basis_are_those_of_exact_elimination(
    drawn: tuple[list[Linear], dict[str, Bounds]],
) -> None:
    rules, box = drawn
    with mock.patch.object(programs, "LARGE", 0):
        assert feasible(rules, box) == eliminated(rules, box)


@settings(max_examples=150)
@given(systems())
def test_a_witness_satisfies_everything(drawn: tuple[list[Linear], dict[str, Bounds]]) -> None:
    rules, box = drawn
    point = witness(rules, box)
    assert (point is not None) == feasible(rules, box)
    for r in rules if point is not None else ():
        assert r.bounds.holds(sum((c * point[n] for n, c in r.coefficients), Fraction(0)))
        assert all(box[n].holds(point[n]) for n in r.figures)


@settings(max_examples=100)
@given(systems())
def test_implied_bounds_are_tight(drawn: tuple[list[Linear], dict[str, Bounds]]) -> None:
    rules, box = drawn
    for name, found in (implied(rules, box) or {}).items():
        at = found.bounds
        for end, excluded in ((at.low, at.low_open), (at.high, at.high_open)):
            if end is not None:
                assert feasible(rules, {**box, name: box[name].meet(Bounds(end, end))}) != excluded
        if at.high is not None:
            assert not feasible(rules, {**box, name: box[name].meet(Bounds(low=at.high, low_open=True))})
        if at.low is not None:
            assert not feasible(rules, {**box, name: box[name].meet(Bounds(high=at.low, high_open=True))})


@settings(max_examples=100)
@given(systems())
def test_conflicts_are_minimal_and_localisation_is_that_of_trying_all(
    drawn: tuple[list[Linear], dict[str, Bounds]],
) -> None:
    rules, box = drawn
    found = conflict(rules, box)
    assert (found is None) == feasible(rules, box)
    if found is not None:
        for taken in (*found.figures, None):
            kept = [r for r in rules if r.name in found.rules]
            held = {n: box[n] for n in found.figures if n != taken}
            assert feasible(kept, held) == (taken is not None)
    printed = [n for n in NAMES if not box[n].free and any(n in r.figures for r in rules)]
    tried = [s for k in range(len(printed) + 1) for s in itertools.combinations(printed, k)]
    good = [s for s in tried if feasible(rules, {**box, **dict.fromkeys(s, FREE)})]
    fewest = [s for s in good if len(s) == min(map(len, good))]
    assert list(localise(rules, box).minimal_sets) == sorted(fewest)


@st.composite
def trees(draw: st.DrawFn) -> tuple[list[Linear], dict[str, Bounds], str]:
    """A tree of sums whose figures are printed rounded to tens, and one of them printed wrong."""
    values, rules, leaves = {"x0": 0}, [], ["x0"]
    for number in range(draw(st.integers(1, 5))):
        total = leaves.pop(draw(st.integers(0, len(leaves) - 1)))
        parts = [f"x{len(values) + i}" for i in range(draw(st.integers(2, 4)))]
        values.update(dict.fromkeys(parts, 0))
        leaves += parts
        rules.append(balance(f"sum{number}", parts, total))
    values.update({name: draw(st.integers(0, 10_000)) for name in leaves})
    for r in reversed(rules):
        *parts, total = r.figures
        values[total] = sum(values[p] for p in parts)
    wrong = draw(st.sampled_from(sorted(values)))
    printed = {name: round(value, -1) for name, value in values.items()}
    printed[wrong] += draw(st.sampled_from([-900, -90, 90, 900, 9_000])) * 10
    return rules, {name: bounds(v - 5, v + 5) for name, v in printed.items()}, wrong


@settings(max_examples=100)
@given(trees())
def test_a_planted_error_is_among_the_candidates(drawn: tuple[list[Linear], dict[str, Bounds], str]) -> None:
    rules, box, wrong = drawn
    found = localise(rules, box)
    if not feasible(rules, box):
        assert (wrong,) in found.minimal_sets
        assert must_be(rules, box, [wrong]) is not None
    assert must_be(rules, box, [wrong]) is not None


# --- by hand ---------------------------------------------------------------------------------------------------------


def box(**values: int) -> dict[str, Bounds]:
    return {name: bounds(value, value) for name, value in values.items()}


def test_the_single_candidate_with_supported_fellows_is_most_likely() -> None:
    rules = [balance("year", ["q1", "q2"], "year"), balance("group", ["year", "other"], "all")]
    found = localise(rules, box(q1=1, q2=2, year=4, other=5, all=9))
    assert found.minimal_sets == (("q1",), ("q2",))
    assert found.tie
    coarse = {**box(q1=1, q2=2, year=4, other=5, all=9), "x": bounds(0, 3)}
    supported = localise([*rules, balance("check", ["q1"], "x")], coarse)
    assert supported.minimal_sets == (("q1",), ("q2",))
    assert supported.most_likely == ("q2",)


def test_trusted_figures_that_contradict_each_other_leave_no_set() -> None:
    found = localise([order("o", "a", "b")], box(a=2, b=1), {"a": math.inf, "b": math.inf})
    assert found.minimal_sets == ()
    assert found.minimal_weight == math.inf
    assert found.conflicts[0].figures == ("a", "b")


def test_nothing_wrong_is_one_empty_set() -> None:
    found = localise([order("o", "a", "b")], box(a=1, b=1))
    assert found.minimal_sets == ((),)
    assert found.most_likely is None
    assert not found.tie


def test_an_open_end_that_only_touches_is_a_conflict() -> None:
    rules = [order("o", "a", "b"), order("p", "b", "c"), order("q", "a", "c")]
    assert feasible(rules, {"a": bounds(1, 2), "c": bounds(0, 1)})
    assert not feasible(rules, {"a": bounds(1, 2, low_open=True), "c": bounds(0, 1)})
    assert not feasible([*rules, order("r", "c", "a", strict=True)], box(a=1, c=1))


def test_weights_must_be_positive() -> None:
    with pytest.raises(RuleError, match="must be positive"):
        localise([order("o", "a", "b")], box(a=2, b=1), {"a": 0})


def test_too_many_ties_are_cut_and_said_so() -> None:
    groups = [[f"g{i}{j}" for j in range(4)] for i in range(6)]
    sets, weight, complete = lightest(groups, {n: Fraction(1) for g in groups for n in g}, limit=50)
    assert (len(sets), weight, complete) == (50, 6, False)


def test_a_ratio_of_printed_percent_is_two_inequalities() -> None:
    share = ratio_constraints("sales", "market", bounds("0.2265", "0.2275"), name="share")
    sales = {"sales": bounds("6.2375", "6.2385")}
    assert not feasible(share, {**sales, "market": bounds("25.7685", "25.7695")})
    market = must_be(share, sales, ["market"])
    assert market is not None
    assert market["market"] == Bounds(Fraction("6.2375") / Fraction("0.2275"), Fraction("6.2385") / Fraction("0.2265"))
    turned = ratio_constraints("b", "c", bounds(2, 3), name="r", positive=False)
    assert feasible(turned, box(b=-5, c=-2))
    assert not feasible(turned, box(b=5, c=2))


def test_a_refused_decision_names_its_reason() -> None:
    decision = decide([balance("s", ["a", "b"], "t")], box(a=1, b=1, t=3))
    assert decision.conflict == Reason(frozenset("abt"), frozenset("s"))


def test_figures_of_satisfied_rules_are_corroborated() -> None:
    rules = [
        balance("s", ["a", "b"], "t"),
        balance("o", ["t", "a"], "u"),
        balance("p", ["u"], "v"),
        order("q", "b", "w"),
    ]
    assert corroborated(rules, box(a=1, b=1, t=3, u=4, w=2)) == {"a", "t", "u"}


def test_what_is_allowed_of_an_unprinted_figure_supports_nobody() -> None:
    rules = [balance("s", ["a", "b"], "t")]
    known = {**box(a=1, t=3), "b": Bounds(Fraction(0))}
    assert corroborated(rules, known, {"b": Bounds(Fraction(0))}) == frozenset()
    assert corroborated(rules, known) == {"a", "b", "t"}


def test_a_large_system_starts_from_another_solvers_basis() -> None:
    chain = [linear(f"r{i}", {f"x{i}": 1, f"x{i + 1}": -1, f"x{(7 * i) % 45}": 2}, 0, 1) for i in range(60)]
    ends = {"x0": bounds(0, 1), "x60": bounds(1, 2)}
    point = witness(chain, ends)
    assert point is not None
    assert all(r.bounds.holds(sum((c * point[n] for n, c in r.coefficients), Fraction(0))) for r in chain)
    assert not feasible(
        [
            *chain,
            linear("more", {"x5": 1, "x9": 1}, 100),
            linear("less", {"x9": 1, "x5": 2}, None, 9),
            linear("same", {"x5": 1}, 0),
        ],
        ends,
    )
