"""What entities that are judged apart, in shards, must know of each other, and what a shard leaves to all of them.

Rules tie an entity to itself and to the entities that they name, such as a market. Figures of named entities are in
every shard, and so the verdicts of a shard are those of the whole. Three things are not: a value that a rule implies
for a named entity, which all shards must hear of before they go on (`Round`); conflicts of several entities over a
figure of a named one; and ranks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from zhiji_etl.consistency.conflicts.instances import Instance, Subject
from zhiji_etl.consistency.rules.compiled import CompiledRule
from zhiji_etl.consistency.rules.expressions import REFERENCE, operands_of
from zhiji_etl.consistency.rules.implied import FIGURE, empty, intersect, refuted


class Round(NamedTuple):
    """What all shards together know by some round of figures of named entities: implied values, and those refuted."""

    implied: pl.DataFrame
    refuted: pl.DataFrame


NOTHING_YET = Round(empty(), empty())


class Elsewhere(NamedTuple):
    """What a shard is told: the entities that rules name, what is known of them round by round, and which of their
    figures rules leave no value. With `spanning` only conflicts of several entities are looked for.
    """

    named: frozenset[str] = frozenset()
    rounds: tuple[Round, ...] = ()
    no_value: frozenset[Subject] = frozenset()
    spanning: bool = False

    def at(self, number: int) -> Round:
        """What is known by a round; after the last one nothing changes."""
        return self.rounds[min(number, len(self.rounds) - 1)] if self.rounds else NOTHING_YET

    def parted(self, implied: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Implied values of a shard's own entities, and those of named ones."""
        is_named = pl.col("entity").is_in(sorted(self.named))
        return implied.filter(~is_named), implied.filter(is_named)

    def spans(self, group: Iterable[Instance], no_value: Collection[Subject]) -> bool:
        """Whether a figure of a named entity ties a group of rules to other entities."""
        shared = {subject for subject in no_value if subject.entity in self.named}
        return any(one.subjects & shared for one in group)


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What a shard leaves open.

    `round` is the first in which it implies something of named entities that not all shards know: `implied`; it went
    no further then. `strained`: figures of named entities that its rules leave no value. `needed` (IMPLIED_COLUMNS)
    are the ends that its rules need printed figures of named entities to have, and `contenders` the entities behind
    them. `tied`: entities in conflicts with others. `ranked`: by the number of a rule about ranks, its wide frame.
    `untried` counts the groups that were not localised; `names` are entities that a named one, not printed, is like.
    """

    round: int | None = None
    implied: pl.DataFrame = field(default_factory=empty)
    strained: frozenset[Subject] = frozenset()
    needed: pl.DataFrame = field(default_factory=empty)
    contenders: frozenset[str] = frozenset()
    tied: frozenset[str] = frozenset()
    ranked: Mapping[int, pl.DataFrame] = field(default_factory=dict)
    untried: Counter[bool] = field(default_factory=Counter)
    names: pl.Series = field(default_factory=lambda: pl.Series([], dtype=pl.String))


def named_entities(rules: Iterable[CompiledRule]) -> frozenset[str]:
    """The entities that rules name, such as markets, without exchange rates."""
    leaves = (leaf for rule in rules for relation in rule.relations.values() for leaf in operands_of(relation).values())
    return frozenset(leaf.entity for leaf in leaves if leaf.entity not in (None, REFERENCE))


def agreed(told: Elsewhere, shards: Sequence[Unsettled]) -> Elsewhere | None:
    """What shards must be told to go on from what they leave open; null where they have nothing to tell each other."""
    open_rounds = [shard.round for shard in shards if shard.round is not None]
    if open_rounds:
        return _next_round(told, min(open_rounds), [one.implied for one in shards if one.round == min(open_rounds)])
    strained = frozenset[Subject]().union(*(shard.strained for shard in shards))
    if strained <= told.no_value:
        return None
    return Elsewhere(told.named, told.rounds, told.no_value | strained)


def is_contested(shards: Sequence[Unsettled]) -> bool:
    """Whether rules of several shards, each of which holds, leave a printed figure no value, or conflicts span them."""
    return any(shard.tied for shard in shards) or refuted(shard.needed for shard in shards).height > 0


def _next_round(told: Elsewhere, number: int, found: Sequence[pl.DataFrame]) -> Elsewhere:
    """The rounds up to this one, with what it brings; nothing was found in those between."""
    before = told.at(number)
    lost = refuted(found)
    now = Round(intersect([before.implied, *found]), pl.concat([before.refuted, lost]))
    waiting = (told.rounds[-1] if told.rounds else NOTHING_YET,) * (number - len(told.rounds))
    no_value = frozenset(Subject(*key) for key in lost.select(FIGURE).iter_rows())
    return Elsewhere(told.named, (*told.rounds, *waiting, now), told.no_value | no_value)
