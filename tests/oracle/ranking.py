"""Ranks against values: whoever stands before another has at least as much.

In: a source of chance. Out: what the library says otherwise of a drawn ranking than section 4 of SEMANTICS.md does.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

import zhiji_etl as zj
from oracle.comparing import _same, _told
from oracle.decisions import FREE, meet
from oracle.drawing import _printed
from oracle.elimination import Ends
from oracle.prints import Print


class Place(NamedTuple):
    """One entity in a ranking: the rank and the value that are printed, if they are."""

    entity: str
    period: str
    vintage: str
    rank: int | None
    value: Print | None

    @property
    def ends(self) -> Ends:
        """Values are counts, not below zero."""
        assert self.value is not None
        return meet(self.value.widest, Ends(low=0 * self.value.step))


class Ranked(zj.Table):
    """A rank and what it ranks by."""

    rank: float = zj.Quantity("rank", ge=1)
    a: float = zj.Quantity("count", ge=0)


def drawn_places(dice: random.Random) -> list[Place]:
    """Some entities, mostly in the order of their values."""
    places = []
    for period, vintage in dice.choice(
        [[("2019", "")], [("2019", ""), ("2020", "")], [("2019", ""), ("2019", "2021")]]
    ):
        values = sorted((dice.randint(1, dice.choice([9, 40, 400])) for _ in range(dice.randint(2, 6))), reverse=True)
        ranks = list(range(1, len(values) + 1))
        if dice.random() < 0.4:
            one = dice.randrange(len(ranks) - 1)
            ranks[one : one + 2] = dice.choice([[ranks[one + 1], ranks[one]], [ranks[one], ranks[one]]])
        for number, (value, rank) in enumerate(zip(values, ranks, strict=True)):
            printed = _printed(dice, value + dice.choice([0, 0, 1]), "a", as_text=True)
            places.append(
                Place(
                    f"E{number}",
                    period,
                    vintage,
                    rank if dice.random() < 0.9 else None,
                    printed if dice.random() < 0.9 else None,
                )
            )
    return places


def of_ranks(dice: random.Random, counts: Counter[str]) -> Iterator[str]:
    """Differences in one drawn ranking."""
    places = drawn_places(dice)
    among = [f"E{number}" for number in range(6) if dice.random() < 0.7] if dice.random() < 0.3 else None

    @zj.rule
    def order(m):
        """Ranks follow from values."""
        return zj.ranks(m.rank, by=m.a, among=among)

    rows = [
        (one.entity, name, one.period, one.vintage or None, text)
        for one in places
        for name, text in (("rank", one.rank and str(one.rank)), ("a", one.value and one.value.text))
        if text
    ]
    if not rows:
        return
    schema = dict.fromkeys(("entity", "metric", "period", "vintage", "printed"), pl.String)
    found = zj.check(pl.DataFrame(rows, schema=schema, orient="row"), [Ranked, order])
    told = {
        (row["entity"], row["period"], row["finding_id"].partition("#")[0].partition("@")[2]): row
        for row in found.frame.to_dicts()
        if row["kind"] == "rule"
    }
    ranked = [one for one in places if among is None or one.entity in among]
    for one in ranked:
        if one.rank is not None or one.value is not None:
            yield from _of_place(one, ranked, told[one.entity, one.period, one.vintage], counts)


def _of_place(one: Place, ranked: Sequence[Place], row: Mapping[str, Any], counts: Counter[str]) -> Iterator[str]:
    counts["ranks"] += 1
    implied = _between(one, ranked)
    if implied is None:
        if row["verdict"] != "not_checkable":
            yield f"{one} is {row['verdict']}"
    elif implied.empty:
        counts["(ranks whose neighbours contradict each other)"] += 1
    else:
        fails = meet(implied, one.ends).empty
        counts["ranks that fail"] += fails
        if fails != (row["verdict"] == "inconsistent") or row["verdict"] == "not_checkable":
            yield f"{one} is {row['verdict']} ({row['reason']}), the oracle says {fails=}: {ranked}"
        elif not _same(implied, (row["implied_low"], row["implied_high"])):
            yield f"{one} implies {row['implied_low']} to {row['implied_high']}, the oracle {_told(implied)}"


def _between(one: Place, ranked: Sequence[Place]) -> Ends | None:
    """What the others leave the value of one place; None where its rank or its value is not printed."""
    if one.rank is None or one.value is None:
        return None
    implied = FREE
    for two in ranked:
        beside = two[1:3] == one[1:3] and two.rank is not None and two.value is not None
        if beside and two.rank > one.rank:
            implied = meet(implied, two.ends._replace(high=None, high_open=False))
        elif beside and two.rank < one.rank:
            implied = meet(implied, two.ends._replace(low=None, low_open=False))
    return implied
