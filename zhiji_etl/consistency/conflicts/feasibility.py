"""Feasibility: which groups of one form can hold, judged together.

In: a `Form` (the ties that many groups share) and a `Chunk` of groups with their bounds. Out: where a group cannot
hold, and where floats and propagation do not decide that. On a forest of ties one pass from the leaves to a root says
all; with loops, ties are told until nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from zhiji_etl.consistency.conflicts.ties import Chunk, Tie
from zhiji_etl.consistency.exact.lattice import Flags

BITS: Final = 62
"""Ties and figures of a form with loops that are told apart group by group."""

Steps = list[tuple[int, int]]
"""Ties with the column that each tells, in the order in which that is done."""


class Form:
    """The ties that many groups share, with the order in which they speak, rooted at each figure."""

    def __init__(self, ties: Sequence[Tie], figures: int) -> None:
        self.ties = tuple(ties)
        self.figures = figures
        self.names = 1 + max((tie.name for tie in ties), default=-1)
        self.forest = _is_forest([tie.columns for tie in ties], figures)
        self.open = any(tie.low_open or tie.high_open for tie in ties)
        self.units = all(tie.divisor is None and all(abs(c) == 1 for _, c in tie.terms) for tie in ties)
        self.ways = [self._way(root) for root in range(figures)] if self.forest else []
        self.all_ways: Steps = [(i, column) for i, tie in enumerate(ties) for column in tie.columns]

    def _way(self, root: int) -> Steps:
        """From the leaves to the root, tree by tree."""
        ties_of: list[list[int]] = [[] for _ in range(self.figures)]
        for number, tie in enumerate(self.ties):
            for column in tie.columns:
                ties_of[column].append(number)
        seen: set[int] = set()
        steps: Steps = []
        for start in (root, *range(self.figures)):
            steps += [] if start in seen else list(self._up(start, ties_of, seen))
        return steps

    def _up(self, start: int, ties_of: Sequence[Sequence[int]], seen: set[int]) -> Iterator[tuple[int, int]]:
        found: Steps = []
        waiting, passed = [start], set[int]()
        while waiting:
            column = waiting.pop()
            seen.add(column)
            for number in ties_of[column]:
                if number not in passed:
                    passed.add(number)
                    found.append((number, column))
                    waiting += [c for c in self.ties[number].columns if c != column]
        yield from reversed(found)


def judged(form: Form, chunk: Chunk, root: int) -> tuple[Flags, Flags]:
    """Where groups cannot hold, and where that is not sure; the root's ends are left as tight as can be.

    Ends that are near to touching somewhere take nothing from a clear gap elsewhere: floats err far less than it is.
    """
    if form.forest:
        for number, column in form.ways[root]:
            chunk.told(form.ties, number, column)
        return chunk.dead, chunk.near & ~chunk.dead
    moving = np.zeros(chunk.dead.shape, dtype=bool)
    for _ in range(2 * len(form.ties) + 10):
        moving = np.zeros(chunk.dead.shape, dtype=bool)
        for number, column in form.all_ways:
            moving |= chunk.news(form.ties, number, column)
        moving &= ~chunk.dead
        if not moving.any():
            break
    return chunk.dead, ~chunk.dead & (chunk.near | moving | _undecided(form, chunk))


def _undecided(form: Form, chunk: Chunk) -> Flags:
    """Where figures that are no points form a loop of rules that do not hold by themselves.

    A rule that holds for all values that propagation left can go: what remains has the same solutions within these
    ends, and they are as tight for it as before.
    """
    ties, figures = len(form.ties), form.figures
    if ties + figures > BITS:
        return np.ones(chunk.dead.shape, dtype=bool)
    idle = [chunk.holds_everywhere(tie, number) for number, tie in enumerate(form.ties)]
    points = [low == high for low, high in zip(chunk.low, chunk.high, strict=True)]
    bits = [flags.astype(np.int64) << i for i, flags in enumerate((*idle, *points))]
    patterns, which = np.unique(np.bitwise_or.reduce(bits), return_inverse=True)
    loops = np.array([not _settles(form, int(pattern)) for pattern in patterns], dtype=bool)
    return np.asarray(loops[which])


def _settles(form: Form, pattern: int) -> bool:
    ties = len(form.ties)
    bound = [tie.columns for i, tie in enumerate(form.ties) if not pattern >> i & 1]
    return _is_forest([[c for c in columns if not pattern >> (ties + c) & 1] for columns in bound], form.figures)


def _is_forest(ties: Sequence[Sequence[int]], figures: int) -> bool:
    """Whether no two ties form a loop."""
    parents = list(range(figures))

    def root(node: int) -> int:
        """The group that a node belongs to, by the way to its root."""
        while parents[node] != node:
            node = parents[node]
        return node

    for columns in ties:
        roots = {root(column) for column in columns}
        if len(roots) < len(columns):
            return False
        for one in roots:
            parents[one] = min(roots)
    return True
