"""Verdicts, conflicts, candidates and implied bounds are those of an oracle that knows SEMANTICS.md alone."""

import random
from collections import Counter
from fractions import Fraction as F

import pytest
from oracle.comparing import Comparison, compared
from oracle.drawing import MORE_LAWS, drawn
from oracle.elimination import Ends, Row, hold_together, left_to
from oracle.exchange import of_rates
from oracle.prints import around, one_sided, plain, span
from oracle.ranking import of_ranks

from zhiji_etl.consistency import checking
from zhiji_etl.consistency.conflicts.instances import grouped, instances_of

SEEDS = (0, 1, 3, 8, 10, 11, 14, 16, 21, 22, 23, 25, 30, 36, 38, 90, 96, 137, 500064, 500096)
"""Projects that once differed, or that touch much."""


@pytest.mark.parametrize("seed", SEEDS)
def test_the_library_and_the_oracle_agree(seed: int):
    dice = random.Random(seed)
    as_text = dice.random() < 0.5
    assert compared(drawn(dice, as_text=as_text), Counter(), as_text=as_text) == []


@pytest.mark.parametrize("seed", [112, 2007, 2045, 2093, 2242])
def test_they_agree_on_orders_of_ratios_ranges_and_missing_parts(seed: int):
    dice = random.Random(seed)
    as_text = dice.random() < 0.5
    assert compared(drawn(dice, as_text=as_text, among=MORE_LAWS), Counter(), as_text=as_text) == []


@pytest.mark.parametrize("seed", range(20))
def test_they_agree_on_ranks(seed: int):
    assert list(of_ranks(random.Random(seed), Counter())) == []


@pytest.mark.parametrize("seed", [0, 1, 37, 49, 52])
def test_they_agree_on_rates(seed: int):
    assert list(of_rates(random.Random(seed), Counter())) == []


@pytest.mark.parametrize("seed", [3, 8, 12, 23, 27, 30, 43, 55, 90])
def test_refuted_figures_tie_nobody_where_no_rule_names_their_entity(seed: int, monkeypatch: pytest.MonkeyPatch):
    """Why `conflicts` need not look again at whoever leaves a figure no value: they are one group as it is."""
    dice = random.Random(seed)
    project = drawn(dice, as_text=dice.random() < 0.5)
    assert not any(ref.entity for law in project.laws for ref in law.refs)
    asked = []
    told = checking.conflicts
    monkeypatch.setattr(checking, "conflicts", lambda *given: asked.append(given) or told(*given))
    Comparison(project, as_text=False)
    ((judged, _, _, _, refuted, *_),) = asked
    instances = instances_of(judged, {key.entity for key in project.prints})
    subjects = set().union(*(one.subjects for one in instances))
    alone = {frozenset(one.key for one in group) for group in grouped(instances, ())}
    for unprinted in ({*refuted}, subjects):
        assert {frozenset(one.key for one in group) for group in grouped(instances, unprinted)} == alone


def test_elimination_honours_open_ends():
    x, y = {"x": F(1)}, {"y": F(1)}
    between = [*Ends(F(1), F(2)).rows(x), *Ends(F(2), F(3), low_open=True).rows(y)]
    assert not hold_together([*between, Row({"x": F(1), "y": F(-1)}, F(0), equal=True)])
    assert hold_together([*between, Row({"x": F(1), "y": F(-1)}, F(0))])
    assert left_to([*between, Row({"x": F(1), "y": F(1), "z": F(-1)}, F(0), equal=True)], "z") == Ends(F(3), F(5), True)


def test_prints_of_the_semantics():
    assert plain(227, 1, "percent").widest == Ends(F("22.65"), F("22.75"))
    assert (plain(350_000, 0, "count").rungs, plain(350_000, 0, "count").at(4)) == (4, Ends(F(345_000), F(355_000)))
    assert around(F(5), F(1), truncated=True) == Ends(F(5), F(6), high_open=True)
    assert one_sided(40, 0, "count", "below").widest == Ends(F(0), F(40), high_open=True)
    assert span(5, 6, "count").widest == Ends(F("4.5"), F("6.5"))
