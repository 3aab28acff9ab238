"""Small random projects: entities, years, quarters and vintages, two to four rules, figures that nearly follow them.

In: a source of chance. Out: a `Project`. Values are drawn, then each rule in turn sets what it explains, or nearly; so
rules share figures, most of them just hold or just fail, and now and then one is far off.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from oracle.decisions import Project
from oracle.laws import Key, Law, Meaning, Ref, Relation, Row
from oracle.prints import Print, one_sided, plain, span

MARKET: Final = "M"
MEANINGS: Final = {
    **{name: Meaning("count") for name in "abcdt"},
    **{name: Meaning("count", signed=True) for name in "xy"},
    **{name: Meaning("percent") for name in "pq"},
    "g": Meaning("percent", signed=True),
}
A, B, C, D, T, X, Y, P, Q, G = (Ref(name) for name in "abcdtxypqg")
MARKET_T: Final = Ref("t", MARKET)


def _law(name: str, stated: Ref, symbol: str, over: dict[Ref, int], under: dict[Ref, int] | None = None) -> Law:
    return Law(name, {"": Relation(stated, symbol, over, under)})


LAWS: Final = (
    _law("total_of_two", T, "==", {A: 1, B: 1}),
    _law("total_of_three", T, "==", {A: 1, B: 1, C: 1}),
    Law("total_of_parts", {"": Relation(T, "==", {A: 1, C: 1, D: 1})}, missing_parts=True),
    _law("rest", X, "==", {A: 1, B: -1}),
    _law("twice", B, "==", {A: 2}),
    _law("part", A, "<=", {B: 1}),
    _law("strictly", C, "<", {T: 1}),
    _law("at_least", D, ">=", {X: 1}),
    _law("share", P, "==", {A: 1}, {B: 1}),
    _law("share_of_total", Q, "==", {C: 1}, {T: 1}),
    _law("share_of_market", P, "==", {A: 1}, {MARKET_T: 1}),
    _law("share_of_both", Q, "==", {A: 1}, {A: 1, B: 1}),
    _law("margin", G, "==", {X: 1}, {Y: 1}),
    _law("within_market", C, "<=", {MARKET_T: 1}),
    Law("growth", {"": Relation(G, "==", {A: 1}, {A._replace(step="previous"): 1}, 1)}),
    _law("added", X, "==", {A: 1, A._replace(step="previous"): -1}),
    _law("year_of_quarters", A, "==", {A._replace(step=f"Q{number}"): 1 for number in range(1, 5)}),
    _law("change_of_quarters", X, "==", {X._replace(step=f"Q{number}"): 1 for number in range(1, 5)}),
    Law(
        "scoped_share",
        {"all": Relation(P, "==", {A: 1}, {T: 1}), "home": Relation(P, "==", {A: 1, C: -1}, {T: 1})},
    ),
    Law("scoped_total", {"two": Relation(T, "==", {A: 1, B: 1}), "three": Relation(T, "==", {A: 1, B: 1, D: 1})}),
    Law(
        "scoped_market",
        {"all": Relation(P, "==", {A: 1}, {MARKET_T: 1}), "home": Relation(P, "==", {A: 1, C: -1}, {MARKET_T: 1})},
    ),
)

MORE_LAWS: Final = (
    *LAWS,
    Law("between", {"at_least": Relation(A, ">=", {C: 1}), "at_most": Relation(A, "<=", {T: 1})}, every=True),
    Law(
        "between_sums", {"at_least": Relation(X, ">=", {A: 1, B: -1}), "at_most": Relation(X, "<=", {A: 1})}, every=True
    ),
    _law("more_than_both", T, ">", {A: 1, B: 1}),
    _law("share_at_most", P, "<=", {A: 1}, {B: 1}),
    _law("share_more_than", Q, ">", {C: 1}, {T: 1}),
    _law("share_less_than", P, "<", {C: 1}, {A: 1, B: 1}),
    _law("share_of_rest", Q, "==", {D: 1}, {T: 1, A: -1}),
    Law("grows_at_least", {"": Relation(G, ">=", {A: 1}, {A._replace(step="previous"): 1}, 1)}),
    Law("growth_of_year", {"": Relation(G, "==", {B: 1}, {B._replace(step="year_before"): 1}, 1)}),
    Law(
        "some_quarters",
        {"": Relation(A, "==", {A._replace(step=f"Q{number}"): 1 for number in range(1, 5)})},
        missing_parts=True,
    ),
    Law("total_of_four", {"": Relation(T, "==", {A: 1, B: 1, C: 1, D: 1})}, missing_parts=True),
)
"""With orders of ratios, ranges (`zj.within`), the year before, and more totals of which parts may be missing."""


def drawn(dice: random.Random, *, as_text: bool, among: Sequence[Law] = LAWS) -> Project:
    """A random project of some of these laws; `as_text`: only prints that are read from text without further ado."""
    laws = _laws(dice, among)
    named = any(ref.entity for law in laws for ref in law.refs)
    entities = [f"E{number}" for number in range(dice.randint(1, 3))]
    years = [str(2019 - number) for number in range(dice.randint(1, 3 if len(laws) < 3 else 2))]
    quartered = {ref.metric for law in laws for ref in law.refs if ref.step.startswith("Q")}
    if quartered:
        # Quarters are many figures: of one entity and year, and few rules.
        entities, years = entities[:1], years[:1]
        laws = sorted(laws, key=lambda law: not any(ref.step.startswith("Q") for ref in law.refs))[:2]
    values = _values(dice, laws, [*entities, *([MARKET] if named else [])], years, quartered)
    if not named and not quartered and dice.random() < 0.25:
        values |= _restated(dice, values)
    prints: dict[Key, list[Print]] = {}
    weights: dict[Key, Fraction | None] = {}
    weighted = dice.random() < 0.2
    for key, value in values.items():
        if dice.random() < (0.9 if key.metric in "abt" else 0.8):
            prints[key] = [_printed(dice, value, key.metric, as_text=as_text)]
            if dice.random() < 0.08:
                prints[key].append(_printed(dice, value, key.metric, as_text=as_text))
            if weighted:
                weights[key] = dice.choice([None, Fraction(2), Fraction(1)])
    return Project(MEANINGS, laws, prints, weights)


def _laws(dice: random.Random, among: Sequence[Law]) -> list[Law]:
    """Two to four rules, no two of which state the same ratio: a printed ratio is used in one rule."""
    count = dice.choice([2, 3, 4, 4])
    laws: list[Law] = []
    for law in dice.sample(among, len(among)):
        ratios = {one.stated for one in law.alternatives.values() if one.under}
        if all(ratios.isdisjoint(other.refs) for other in laws):
            laws.append(law)
        if len(laws) == count:
            break
    return laws


def _restated(dice: random.Random, values: dict[Key, Fraction]) -> dict[Key, Fraction]:
    """A later edition of some figures, with other values."""
    return {
        key._replace(vintage="2021"): value + dice.randint(0, 3) for key, value in values.items() if dice.random() < 0.6
    }


def _values(
    dice: random.Random, laws: list[Law], entities: list[str], years: list[str], quartered: set[str]
) -> dict[Key, Fraction]:
    size = dice.choice([5, 40, 400])
    used = sorted({ref.metric for law in laws for ref in law.refs})
    values = {
        Key(entity, metric, year): _drawn(dice, metric, size * (4 if entity == MARKET else 1))
        for entity in entities
        for metric in used
        for year in years
        if entity != MARKET or dice.random() < 0.5 or metric == "t"
    }
    quarters = [f"{year}Q{number}" for year in years for number in range(1, 5)]
    for entity in entities:
        for metric in used:
            if metric in quartered or (quartered and dice.random() < 0.15):
                values |= {Key(entity, metric, one): _drawn(dice, metric, size) for one in quarters}
    for law in laws:
        for row in [Row(entity, period) for entity in entities for period in (*quarters, *years)]:
            _follow(dice, law, row, values)
    return values


def _drawn(dice: random.Random, metric: str, size: int) -> Fraction:
    low = -size if MEANINGS[metric].signed else 0
    return Fraction(dice.randint(low, size)) if dice.random() < 0.7 else Fraction(dice.randint(10 * low, 10 * size), 10)


def _follow(dice: random.Random, law: Law, row: Row, values: dict[Key, Fraction]) -> None:
    """Set what a rule explains to what it should be, a little beside it, or, rarely, far off."""
    relation = dice.choice(list(law.alternatives.values()))
    keys = [ref.of(row) for ref in relation.refs]
    if any(key not in values or not key.period for key in keys):
        return
    over, under = (
        sum((weight * values[ref.of(row)] for ref, weight in (terms or {}).items()), Fraction(0))
        for terms in (relation.over, relation.under)
    )
    if relation.under is not None and not under:
        return
    value = over / under * 100 if relation.under is not None else over
    value -= relation.minus * 100
    chance = dice.random()
    near = Fraction(dice.randint(-15, 15), 10) if chance < 0.25 else Fraction(dice.randint(-60, 60)) * (chance > 0.92)
    if relation.symbol != "==":
        near -= Fraction(dice.randint(0, 20), 5)
    value += near
    values[keys[0]] = value if MEANINGS[keys[0].metric].signed else max(value, Fraction(0))


def _printed(dice: random.Random, value: Fraction, metric: str, *, as_text: bool) -> Print:
    meaning = MEANINGS[metric]
    decimals = dice.choice([0, 0, 1, 1, 1, 2])
    digits = round(value * 10**decimals)
    style = dice.random()
    if style < 0.6:
        return plain(digits, decimals, meaning.unit)
    if style < 0.7:
        place = dice.choice([10, 100])
        rounded = place * round(value / place)
        return plain(rounded or round(value), 0, meaning.unit, about=dice.random() < 0.3 and rounded > 0)
    if style < 0.75 and digits > 0 and decimals == 0:
        return plain(digits, 0, meaning.unit, about=True)
    if style < 0.8 and round(value) > 2:
        low = round(value) - dice.randint(0, 2)
        return span(low, low + dice.randint(1, 5), meaning.unit)
    if style < 0.9 and not as_text:
        return plain(int(value * 10**decimals), decimals, meaning.unit, truncated=True)
    if digits > 0 and not (meaning.signed and as_text):
        qualifier = dice.choice(["above", "at_least", "below", "at_most"])
        beside = dice.randint(0, 3) * (-1 if qualifier in ("above", "at_least") else 1)
        return one_sided(max(digits + beside, 1), decimals, meaning.unit, qualifier, change=meaning.signed)
    return plain(digits, decimals, meaning.unit)
