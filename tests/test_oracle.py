"""Verdicts, conflicts, candidates and implied bounds are those of an oracle that knows SEMANTICS.md alone."""

import random
from collections import Counter
from fractions import Fraction as F

import pytest
from oracle.comparing import compared
from oracle.drawing import drawn
from oracle.elimination import Ends, Row, hold_together, left_to
from oracle.prints import around, one_sided, plain, span

SEEDS = (0, 1, 3, 8, 10, 11, 14, 16, 21, 22, 23, 25, 30, 36, 38, 90, 96, 137, 500064, 500096)
"""Projects that once differed, or that touch much."""


@pytest.mark.parametrize("seed", SEEDS)
def test_the_library_and_the_oracle_agree(seed: int):
    dice = random.Random(seed)
    as_text = dice.random() < 0.5
    assert compared(drawn(dice, as_text=as_text), Counter(), as_text=as_text) == []


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
