"""Messages: what rules tell figures, for a chunk of records of one form at once, in NumPy.

In: the ends of each figure as arrays over the records (inf: not bounded), on a lattice of whole numbers where the
arithmetic is exact, with a tolerance for the records that are not. Out: for each figure what it may be, and what all
others leave it. On a forest two messages for each edge say all (Pearl 1982), so freeing each figure in turn costs no
more than one pass; with loops the rules are swept until nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Masks = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Span:
    """What a figure may be in each record: two ends, the figures behind each end as bits, and where nothing is left.

    `why_low` and `why_high` have one row for each 64 figures, and none where reasons are not asked for.
    """

    low: Floats
    high: Floats
    dead: Flags
    why_low: Masks
    why_high: Masks


@dataclass(frozen=True, slots=True)
class Slab:
    """One rule in numbers: columns with their coefficients, and the ends of the weighted sum in each record."""

    terms: tuple[tuple[int, float], ...]
    low: Floats
    high: Floats


class Chunk:
    """Some records of one form. `near` gathers the records in which ends touch within the tolerance."""

    def __init__(self, own: Sequence[Span], slabs: Sequence[Slab], tolerance: Floats) -> None:
        self.own = own
        self.slabs = slabs
        self.tolerance = tolerance
        self.near: Flags = np.zeros(tolerance.shape, dtype=bool)
        self.rules_of: list[list[int]] = [[] for _ in own]
        for number, slab in enumerate(slabs):
            for column, _ in slab.terms:
                self.rules_of[column].append(number)
        self._told: dict[tuple[int, int], Span] = {}

    def others(self, column: int) -> Span:
        """What all rules leave a figure whose own bounds are not regarded. On a forest only."""
        return self._meet([_nothing(self.own[column]), *(self._tells(r, column) for r in self.rules_of[column])])

    def full(self, column: int, others: Span) -> Span:
        """What a figure may be: its own bounds and what the others leave it."""
        return self._meet([self.own[column], others])

    def freed(self, column: int) -> Chunk:
        """The same records with one figure's own bounds not regarded."""
        own = [_nothing(span) if i == column else span for i, span in enumerate(self.own)]
        return Chunk(own, self.slabs, self.tolerance)

    def swept(self, rounds: int) -> tuple[list[Span], Flags]:
        """All figures after at most so many sweeps through all rules, and the records that still change. For loops."""
        spans = list(self.own)
        moving: Flags = np.zeros(self.tolerance.shape, dtype=bool)
        for _ in range(rounds):
            before = spans
            spans = self._sweep(spans)
            moving = _any((_moved(a, b) for a, b in zip(before, spans, strict=True)), moving.shape)
            if not moving.any():
                break
        return spans, moving

    # --- helpers -----------------------------------------------------------------------------------------------------

    def _tells(self, rule: int, column: int) -> Span:
        """The message of a rule to a figure, from everything on the rule's side of the edge."""
        if (rule, column) not in self._told:
            asked = {c: self._without(c, rule) for c, _ in self.slabs[rule].terms if c != column}
            self._told[rule, column] = _left(self.slabs[rule], column, asked, self.own[column])
        return self._told[rule, column]

    def _without(self, column: int, rule: int) -> Span:
        """What a figure may be as far as everything but one of its rules tells."""
        told = (self._tells(other, column) for other in self.rules_of[column] if other != rule)
        return self._meet([self.own[column], *told])

    def _sweep(self, before: Sequence[Span]) -> list[Span]:
        spans = list(before)
        for slab in self.slabs:
            for column, _ in slab.terms:
                asked = {c: spans[c] for c, _ in slab.terms if c != column}
                spans[column] = self._meet([spans[column], _left(slab, column, asked, spans[column])])
        return spans

    def _meet(self, spans: Sequence[Span]) -> Span:
        """What lies in all spans; touching ends that none of them had alone are noted as near."""
        if len(spans) == 1:
            return spans[0]
        met = reduce(_both, spans)
        gap = met.high - met.low
        own = spans[0]
        crossed = (met.low > own.low) | (met.high < own.high)
        self.near |= (np.abs(gap) <= self.tolerance) & crossed & (self.tolerance > 0)
        return Span(met.low, met.high, met.dead | (gap < -self.tolerance), met.why_low, met.why_high)


def _both(one: Span, other: Span) -> Span:
    return Span(
        np.maximum(one.low, other.low),
        np.minimum(one.high, other.high),
        one.dead | other.dead,
        np.where(other.low > one.low, other.why_low, one.why_low),
        np.where(other.high < one.high, other.why_high, one.why_high),
    )


def _left(slab: Slab, column: int, asked: dict[int, Span], like: Span) -> Span:
    """What a rule leaves one of its figures, when the others are within their spans."""
    least, most = slab.low, slab.high
    why_least, why_most = np.zeros_like(like.why_low), np.zeros_like(like.why_low)
    factor = next(c for number, c in slab.terms if number == column)
    for other, coefficient in slab.terms:
        if other != column:
            at_least, at_most, why_at_least, why_at_most = _times(asked[other], coefficient)
            least, most = least - at_most, most - at_least
            why_least, why_most = why_least | why_at_most, why_most | why_at_least
    dead = _any((span.dead for span in asked.values()), like.dead.shape)
    low, high, why_low, why_high = _times(Span(least, most, dead, why_least, why_most), 1 / factor)
    return Span(low, high, dead, why_low, why_high)


def _times(span: Span, factor: float) -> tuple[Floats, Floats, Masks, Masks]:
    """The two ends times a number; a negative one turns them round. 1 and -1 are spared the multiplication."""
    if factor == 1:
        return span.low, span.high, span.why_low, span.why_high
    if factor > 0:
        return span.low * factor, span.high * factor, span.why_low, span.why_high
    if factor == -1:
        return -span.high, -span.low, span.why_high, span.why_low
    return span.high * factor, span.low * factor, span.why_high, span.why_low


def _nothing(like: Span) -> Span:
    """A figure of which nothing is known."""
    end = np.full(like.low.shape, np.inf)
    none = np.zeros_like(like.why_low)
    return Span(-end, end, np.zeros(like.low.shape, dtype=bool), none, none)


def _moved(before: Span, after: Span) -> Flags:
    return np.asarray((after.low > before.low) | (after.high < before.high)) & ~after.dead


def _any(flags: Iterable[Flags], shape: tuple[int, ...]) -> Flags:
    return reduce(np.logical_or, flags, np.zeros(shape, dtype=bool))
