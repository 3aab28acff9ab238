"""Explanations: groups of rules of one form localised together: refuted or not, and which single figures explain it.

In: a `Form` (the ties of one group, by column) and arrays of bounds, one row a figure and one column a group; not
bounded is -inf and inf. Out: `Explained`, arrays of the same shape. What `localise` finds one by one in fractions, by
the same search: the lightest single figures that resolve all, the conflicts that show why, taken from all figures and
rules by leaving out, in the order of the columns, each that the conflict does without; and which figure is most likely.

Exactness: sums of printed decimals run on a lattice of whole numbers (see `lattice`); ratios run in floats, and groups
in which ends come within 1e-9 of touching are `unsure`, as are those that need more than one figure, and loops that
propagation cannot decide: they are for `localise`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np

from zhiji_etl.consistency.lattice import Ends, Lattice, back, inside, lattice_of
from zhiji_etl.consistency.messages import Flags, Floats
from zhiji_etl.consistency.ties import Chunk, Tie, quotient
from zhiji_etl.consistency.witnesses import witnessed

ROWS: Final = 1 << 14
"""Groups a chunk: what a core's cache holds."""

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


@dataclass(frozen=True, slots=True)
class Given:
    """Groups of one form. [figures, groups]: ends, whether they are excluded, and the weight of each figure (infinite:
    never to be changed). `active` [ties, groups]: the ties that are there.
    """

    low: Floats
    high: Floats
    low_open: Flags
    high_open: Flags
    weights: Floats
    active: Flags


@dataclass(frozen=True, slots=True)
class Explained:
    """What is wrong with each group. [figures, groups] unless said otherwise.

    `refuted` [groups]: it cannot hold. `unsure` [groups]: not decided here, the rest says nothing. `explains`: this
    figure alone, and none lighter, resolves it, if it is within `low` and `high`. `first`: figures of the first
    conflict; `accused`: of any; `rules` [names, groups]: the rules of any. `likely`: the most likely one.
    """

    refuted: Flags
    unsure: Flags
    explains: Flags
    low: Floats
    high: Floats
    first: Flags
    accused: Flags
    rules: Flags
    likely: Flags


def explained(form: Form, given: Given, *, workers: int | None = None) -> Explained:
    """Localise all groups of one form by single figures. `workers`: threads, one a core by default."""
    out = _empty(form, given.low.shape[1])
    starts = range(0, given.low.shape[1], ROWS)
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool, np.errstate(invalid="ignore", over="ignore"):
        list(pool.map(lambda start: _Work(form, given, slice(start, start + ROWS)).write(out), starts))
    return out


# --- one chunk -------------------------------------------------------------------------------------------------------


class _Work:
    """One chunk of groups on its way: `write` does it all."""

    def __init__(self, form: Form, given: Given, rows: slice) -> None:
        self.form, self.rows = form, rows
        ends = Ends(given.low[:, rows], given.high[:, rows], given.low_open[:, rows], given.high_open[:, rows])
        self.weights = given.weights[:, rows]
        self.lattice = _lattice(form, ends)
        self.chunk = _chunk(form, ends, self.lattice, given.active[:, rows])
        self.printed = np.isfinite(ends.low) | np.isfinite(ends.high)
        self.suspects = np.isfinite(self.weights) & self.printed

    def write(self, out: Explained) -> None:
        """Work out the chunk and write it into the result."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            judged = self.chunk.freed({})
            refuted, unsure = _judged(self.form, judged, 0)
            loops = np.flatnonzero(unsure) if not self.form.forest else np.zeros(0, dtype=np.int64)
            if loops.size:
                unsure[loops] = ~witnessed(judged.at(loops), self.form.ties)
            out.refuted[self.rows], out.unsure[self.rows] = refuted, unsure
            rows = np.flatnonzero(refuted & ~unsure)
            if rows.size:
                self._explain(out, rows)

    def _explain(self, out: Explained, rows: np.ndarray) -> None:
        at = rows + self.rows.start
        search = _Search(self.form, self.chunk.at(rows), self.printed[:, rows], self.weights[:, rows])
        search.run(self.suspects[:, rows])
        lattice = Lattice(self.lattice.scale[rows], self.lattice.room, self.lattice.tolerance[rows])
        for column in range(self.form.figures):
            dead = ~search.explains[column]
            out.low[column, at] = back(search.low[column], dead, lattice, np.floor)[0]
            out.high[column, at] = back(search.high[column], dead, lattice, np.ceil)[0]
        out.unsure[at] |= search.unsure
        for name in ("explains", "first", "accused", "rules", "likely"):
            getattr(out, name)[:, at] = getattr(search, name)


class _Search:
    """The search of `localise` for groups that are refuted, by single figures."""

    def __init__(self, form: Form, chunk: Chunk, printed: Flags, weights: Floats) -> None:
        self.form, self.chunk, self.printed, self.weights = form, chunk, printed, weights
        shape = printed.shape
        self.explains, self.likely = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        self.first, self.accused = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        self.low, self.high = np.full(shape, np.nan), np.full(shape, np.nan)
        self.rules = np.zeros((form.names, shape[1]), dtype=bool)
        self.unsure = np.zeros(shape[1], dtype=bool)

    def run(self, suspects: Flags) -> None:
        """Fill all fields. `suspects`: figures that may be changed."""
        for column in range(self.form.figures):
            self._try(column, suspects[column])
        lightest = np.where(self.explains, self.weights, np.inf).min(axis=0)
        pair = 2 * np.where(suspects, self.weights, np.inf).min(axis=0)
        self.unsure |= ~np.isfinite(lightest) | (pair <= lightest)
        self._accuse(suspects, np.flatnonzero(~self.unsure))
        self.explains &= self.weights == lightest
        self._prefer()

    def _try(self, column: int, suspected: Flags) -> None:
        """Free one figure: whether that resolves all, and what it must be then."""
        rows = np.flatnonzero(suspected)
        if rows.size:
            part = self.chunk.at(rows).freed({column: np.ones(rows.shape, dtype=bool)})
            dead, unsure = _judged(self.form, part, column)
            self.unsure[rows] |= unsure
            self.explains[column, rows] = ~dead
            ends = part.low[column], part.high[column]
            for tie in self.form.ties:
                if tie.divisor is not None and tie.divisor.ratio == column:
                    ends = self._ratio(rows, column, tie)
            self.low[column, rows], self.high[column, rows] = ends

    def _ratio(self, rows: np.ndarray, column: int, tie: Tie) -> tuple[Floats, Floats]:
        """What a printed ratio must be: the quotient of what all else leaves its figures."""
        low, high = dict[int, Floats](), dict[int, Floats]()
        for root in tie.columns:
            part = self.chunk.at(rows).freed({column: np.ones(rows.shape, dtype=bool)})
            _judged(self.form, part, root)
            low[root], high[root] = part.low[root], part.high[root]
        return quotient(tie, low, high)

    def _accuse(self, suspects: Flags, rows: np.ndarray) -> None:
        """Conflicts, until each lightest suspect that is in all of them resolves all."""
        common = suspects.copy()
        freed = np.zeros_like(suspects)
        self.first[:, rows] = True
        fresh = True
        while rows.size:
            figures, rules = self._conflict(rows, freed[:, rows])
            common[:, rows] &= figures
            self.accused[:, rows] |= figures
            self.rules[:, rows] |= rules
            if fresh:
                self.first[:, rows] = figures
                fresh = False
            weights = np.where(common[:, rows], self.weights[:, rows], np.inf)
            failing = common[:, rows] & (weights == weights.min(axis=0)) & ~self.explains[:, rows]
            more = failing.any(axis=0) & ~self.unsure[rows]
            rows, failing = rows[more], failing[:, more]
            freed[:, rows] = np.arange(self.form.figures)[:, None] == failing.argmax(axis=0)

    def _conflict(self, rows: np.ndarray, freed: Flags) -> tuple[Flags, Flags]:
        """Figures and rules that cannot hold together, each needed (deletion filter). Explaining figures always are."""
        form = self.form
        kept = self.printed[:, rows] & ~freed
        rules = np.zeros((form.names, rows.size), dtype=bool)
        chunk = self.chunk.at(rows).freed({c: freed[c] for c in range(form.figures) if freed[c].any()})
        for number, tie in enumerate(form.ties):
            rules[tie.name] |= chunk.active[number]
        for column in range(form.figures):
            tried = kept[column] & ~self.explains[column, rows]
            gone = self._spared(rows, chunk, tried, column=column)
            kept[column] &= ~gone
            chunk = chunk.freed({column: gone}) if gone.any() else chunk
        for name in range(form.names):
            gone = self._spared(rows, chunk, rules[name], name=name)
            rules[name] &= ~gone
            chunk = chunk.without(dict.fromkeys(_ties_of(form, name), gone)) if gone.any() else chunk
        return kept, rules

    def _spared(
        self, rows: np.ndarray, chunk: Chunk, tried: Flags, *, column: int | None = None, name: int | None = None
    ) -> Flags:
        """Where, of the groups tried, the conflict remains without this figure or this rule."""
        at = np.flatnonzero(tried)
        gone = np.zeros(tried.shape, dtype=bool)
        if at.size:
            every = np.ones(at.shape, dtype=bool)
            part = chunk.at(at)
            if column is not None:
                part = part.freed({column: every})
            if name is not None:
                part = part.without(dict.fromkeys(_ties_of(self.form, name), every))
            dead, unsure = _judged(self.form, part, 0)
            self.unsure[rows[at]] |= unsure
            gone[at] = dead
        return gone

    def _prefer(self) -> None:
        """Most likely: the only one, or the only one but for which all accused occur in rules that hold."""
        doubted = self.accused & ~self._supported()
        alone = self.explains & ((doubted.sum(axis=0) - doubted) == 0)
        only = self.explains.sum(axis=0) == 1
        self.likely = np.where(only, self.explains, alone & (alone.sum(axis=0) == 1))

    def _supported(self) -> Flags:
        """The figures that a rule supports that is satisfied by itself, all of its figures printed, two at least."""
        form, chunk = self.form, self.chunk
        failed = np.zeros((form.names, self.unsure.size), dtype=bool)
        for number, tie in enumerate(form.ties):
            alone = chunk.freed({})
            alone.dead[:] = False
            alone.told(form.ties, number, tie.columns[0])
            failed[tie.name] |= alone.dead & chunk.active[number]
            self.unsure |= alone.near & ~alone.dead & chunk.active[number]
        found = np.zeros(self.printed.shape, dtype=bool)
        for number, tie in enumerate(form.ties):
            columns = tie.columns if tie.divisor is None else [*tie.columns, tie.divisor.ratio]
            if len(columns) > 1:
                found[columns] |= chunk.active[number] & ~failed[tie.name] & self.printed[columns].all(axis=0)
        return found


def _ties_of(form: Form, name: int) -> list[int]:
    return [number for number, tie in enumerate(form.ties) if tie.name == name]


# --- whether groups can hold -----------------------------------------------------------------------------------------


def _judged(form: Form, chunk: Chunk, root: int) -> tuple[Flags, Flags]:
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
            moving |= chunk.told(form.ties, number, column)
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


# --- arrays ----------------------------------------------------------------------------------------------------------


def _lattice(form: Form, ends: Ends) -> Lattice:
    is_open = form.open or bool(ends.open.any())
    room = 1 << (form.figures + 2 * len(form.ties)).bit_length() if is_open else 1
    limits = np.array([end for tie in form.ties for end in (tie.low, tie.high) if np.isfinite(end)], dtype=float)
    return lattice_of(ends, limits, room, usable=form.units and (form.forest or not is_open))


def _chunk(form: Form, ends: Ends, lattice: Lattice, active: Flags) -> Chunk:
    low = inside(ends.low, ends.low_open, lattice, 1)
    high = inside(ends.high, ends.high_open, lattice, -1)
    limits = []
    for tie in form.ties:
        pair = ((tie.low, tie.low_open, 1), (tie.high, tie.high_open, -1))
        numbers = [(np.full(lattice.scale.shape, end), np.full(lattice.scale.shape, shut), s) for end, shut, s in pair]
        least, most = (inside(end, shut, lattice, sign) for end, shut, sign in numbers)
        limits.append((least, most))
    return Chunk(list(low), list(high), list(active), limits, lattice.tolerance)


def _empty(form: Form, groups: int) -> Explained:
    shape = (form.figures, groups)
    flags = [np.zeros(shape, dtype=bool) for _ in range(4)]
    return Explained(
        refuted=np.zeros(groups, dtype=bool),
        unsure=np.zeros(groups, dtype=bool),
        explains=flags[0],
        low=np.full(shape, np.nan),
        high=np.full(shape, np.nan),
        first=flags[1],
        accused=flags[2],
        rules=np.zeros((form.names, groups), dtype=bool),
        likely=flags[3],
    )
