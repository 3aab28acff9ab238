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

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from zhiji_etl.consistency.conflicts.feasibility import Form, judged
from zhiji_etl.consistency.conflicts.ties import Chunk, Tie, quotient
from zhiji_etl.consistency.conflicts.witnesses import witnessed
from zhiji_etl.consistency.exact.lattice import Ends, Flags, Floats, Lattice, back, inside, lattice_of
from zhiji_etl.threads import in_threads

ROWS: Final = 1 << 14
"""Groups a chunk: what a core's cache holds."""

AT_ONCE: Final = 1 << 12
"""Trials that are made at once: so few cost hardly more than one, since calls cost more than numbers."""


class Given(NamedTuple):
    """Groups of one form. [figures, groups]: ends, whether they are excluded, the least and the most that each figure
    can be were it not printed, and its weight (infinite: never to be changed). `active` [ties, groups]: those that are
    there.
    """

    low: Floats
    high: Floats
    low_open: Flags
    high_open: Flags
    floor: Floats
    ceiling: Floats
    weights: Floats
    active: Flags


class Explained(NamedTuple):
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
    in_threads(lambda start: _Work(form, given, slice(start, start + ROWS)).write(out), starts, threads=workers)
    return out


# --- one chunk -------------------------------------------------------------------------------------------------------


class _Work:
    """One chunk of groups on its way: `write` does it all."""

    def __init__(self, form: Form, given: Given, rows: slice) -> None:
        self.form, self.rows = form, rows
        ends = Ends(given.low[:, rows], given.high[:, rows], given.low_open[:, rows], given.high_open[:, rows])
        self.weights = given.weights[:, rows]
        shut = np.zeros(ends.low.shape, dtype=bool)
        allowed = Ends(given.floor[:, rows], given.ceiling[:, rows], shut, shut)
        self.lattice = _lattice(form, ends, allowed)
        self.chunk, self.turned = _signed(form, _chunk(form, ends, allowed, self.lattice, given.active[:, rows]))
        self.printed = np.isfinite(ends.low) | np.isfinite(ends.high)
        self.suspects = np.isfinite(self.weights) & self.printed
        # That a figure is not below zero is told of unprinted ones, too.
        narrower = (ends.low > allowed.low) | (ends.high < allowed.high)
        self.telling = narrower | ends.low_open | ends.high_open

    def write(self, out: Explained) -> None:
        """Work out the chunk and write it into the result."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            fresh = self.chunk.untold()
            refuted, unsure = judged(self.form, fresh, 0)
            loops = np.flatnonzero(unsure) if not self.form.forest else np.zeros(0, dtype=np.int64)
            if loops.size:
                unsure[loops] = ~witnessed(fresh.at(loops), self.form.ties)
            unsure |= self.turned
            out.refuted[self.rows], out.unsure[self.rows] = refuted, unsure
            rows = np.flatnonzero(refuted & ~unsure)
            if rows.size:
                self._explain(out, rows)

    def _explain(self, out: Explained, rows: np.ndarray) -> None:
        at = rows + self.rows.start
        search = _Search(self.form, self.chunk.at(rows), self.printed[:, rows], self.weights[:, rows])
        search.run(self.suspects[:, rows], self.telling[:, rows])
        lattice = Lattice(self.lattice.scale[rows], self.lattice.room, self.lattice.tolerance[rows])
        for column in range(self.form.figures):
            dead = ~search.explains[column]
            out.low[column, at] = back(search.low[column], dead, lattice, np.floor)
            out.high[column, at] = back(search.high[column], dead, lattice, np.ceil)
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

    def run(self, suspects: Flags, telling: Flags) -> None:
        """Fill all fields. `suspects`: figures that may be changed; `telling`: whose bounds are more than allowed."""
        hopeful = self._hopeful(suspects)
        for column in range(self.form.figures):
            self._try(column, hopeful[column])
        lightest = np.where(self.explains, self.weights, np.inf).min(axis=0)
        pair = 2 * np.where(suspects, self.weights, np.inf).min(axis=0)
        self.unsure |= ~np.isfinite(lightest) | (pair <= lightest)
        self._accuse(suspects, np.flatnonzero(~self.unsure))
        self.explains &= self.weights == lightest
        self._prefer(suspects, telling)

    def _hopeful(self, suspects: Flags) -> Flags:
        """The suspects that may resolve all, each freed at once with the others, where that is no more than a call."""
        if suspects.size > AT_ONCE:
            return suspects
        columns, groups = np.nonzero(suspects)
        dead, unsure = judged(self.form, self.chunk.at(groups).freed(np.arange(len(suspects))[:, None] == columns), 0)
        np.logical_or.at(self.unsure, groups, unsure)
        hopeful = suspects.copy()
        hopeful[columns, groups] = ~dead
        return hopeful

    def _try(self, column: int, suspected: Flags) -> None:
        """Free one figure: whether that resolves all, and what it must be then."""
        rows = np.flatnonzero(suspected)
        if rows.size:
            part = self._freed(rows, column)
            dead, unsure = judged(self.form, part, column)
            self.unsure[rows] |= unsure
            self.explains[column, rows] = ~dead
            ends = part.low[column], part.high[column]
            for tie in self.form.ties:
                if tie.divisor is not None and tie.divisor.ratio == column:
                    ends = self._ratio(rows, column, tie)
            self.low[column, rows], self.high[column, rows] = ends

    def _freed(self, rows: np.ndarray, column: int) -> Chunk:
        """Some groups with one figure free."""
        part = self.chunk.at(rows)
        part.low[column], part.high[column] = part.floor[column], part.ceiling[column]
        # Anew: the figure may have been without a value.
        return replace(part)

    def _ratio(self, rows: np.ndarray, column: int, tie: Tie) -> tuple[Floats, Floats]:
        """What a printed ratio must be: the quotient of what all else leaves its figures."""
        low, high = dict[int, Floats](), dict[int, Floats]()
        for root in tie.columns:
            part = self._freed(rows, column)
            judged(self.form, part, root)
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
        """Figures and rules that cannot hold together, each needed (deletion filter). Explaining figures always are.

        What is tried next, in the order of figures and then rules, is tried for several at once: without the first of
        them, without the first two, and so on. As many of them go as leave a conflict; the next one is needed.
        """
        figures = self.form.figures
        chunk = self.chunk.at(rows).freed(freed)
        rules = np.zeros((self.form.names, rows.size), dtype=bool)
        np.logical_or.at(rules, [tie.name for tie in self.form.ties], chunk.active)
        kept = np.concatenate([self.printed[:, rows] & ~freed, rules])
        tried = kept.copy()
        tried[:figures] &= ~self.explains[:, rows]
        place = np.cumsum(tried, axis=0)
        passed, last = np.zeros(rows.size, dtype=np.int64), place[-1]
        while (open_ := np.flatnonzero(passed < last)).size:
            width = max(1, min(AT_ONCE // open_.size, int((last - passed)[open_].max())))
            upto = passed[open_, None] + 1 + np.arange(width)
            gone = tried[:, open_, None] & (place[:, open_, None] <= upto)
            dead, unsure = (flags.reshape(open_.size, width) for flags in self._left(chunk, open_, gone))
            spared = np.minimum.accumulate(dead, axis=1).sum(axis=1)
            self.unsure[rows[open_]] |= (unsure & (np.arange(width) <= spared[:, None])).any(axis=1)
            kept[:, open_] &= ~(tried[:, open_] & (place[:, open_] <= passed[open_] + spared))
            tried[:, open_] &= ~((place[:, open_] == passed[open_] + spared + 1) & (spared < width))
            passed[open_] += spared + (spared < width)
        return kept[:figures], kept[figures:]

    def _left(self, chunk: Chunk, groups: np.ndarray, gone: Flags) -> tuple[Flags, Flags]:
        """Where a conflict remains, and where that is not sure, without these figures and rules, each trial a group.

        `gone`: [figures and names, groups, trials].
        """
        flat = gone.reshape(len(gone), -1)
        figures, names = flat[: self.form.figures], flat[self.form.figures :]
        part = chunk.at(np.repeat(groups, gone.shape[2])).freed(figures)
        if names.any():
            part = part.without(names[[tie.name for tie in self.form.ties]])
        return judged(self.form, part, 0)

    def _prefer(self, suspects: Flags, telling: Flags) -> None:
        """Most likely: the only one, or the only one but for which rules that hold support all that are accused."""
        doubted = self.accused & suspects & ~self._supported(telling)
        alone = self.explains & ((doubted.sum(axis=0) - doubted) == 0)
        only = self.explains.sum(axis=0) == 1
        self.likely = np.where(only, self.explains, alone & (alone.sum(axis=0) == 1))

    def _supported(self, telling: Flags) -> Flags:
        """The figures that an equality supports that is satisfied by itself, all of them printed, two at least."""
        form, chunk = self.form, self.chunk
        failed = np.zeros((form.names, self.unsure.size), dtype=bool)
        for number, tie in enumerate(form.ties):
            alone = chunk.untold()
            alone.dead[:] = False
            alone.told(form.ties, number, tie.columns[0])
            failed[tie.name] |= alone.dead & chunk.active[number]
            self.unsure |= alone.near & ~alone.dead & chunk.active[number]
        found = np.zeros(self.printed.shape, dtype=bool)
        for number, tie in enumerate(form.ties):
            columns = tie.columns if tie.divisor is None else [*tie.columns, tie.divisor.ratio]
            if len(columns) > 1 and tie.equates:
                found[columns] |= chunk.active[number] & ~failed[tie.name] & telling[columns].all(axis=0)
        return found


# --- arrays ----------------------------------------------------------------------------------------------------------


def _lattice(form: Form, ends: Ends, allowed: Ends) -> Lattice:
    is_open = form.open or bool(ends.open.any())
    room = 1 << (form.figures + 2 * len(form.ties)).bit_length() if is_open else 1
    limits = np.array([end for tie in form.ties for end in (tie.low, tie.high) if np.isfinite(end)], dtype=float)
    # What is allowed and is not declared is the end of a print, which is on the lattice by itself.
    for declared, printed in ((allowed.low, ends.low), (allowed.high, ends.high)):
        limits = np.union1d(limits, declared[np.isfinite(declared) & (declared != printed)])
    return lattice_of(ends, limits, room, usable=form.units and (form.forest or not is_open))


def _chunk(form: Form, ends: Ends, allowed: Ends, lattice: Lattice, active: Flags) -> Chunk:
    low, floor = (inside(of.low, of.low_open, lattice, 1) for of in (ends, allowed))
    high, ceiling = (inside(of.high, of.high_open, lattice, -1) for of in (ends, allowed))
    shape = (len(form.ties), lattice.scale.size)

    def limits(numbers: Sequence[float], is_open: Sequence[bool], sign: int) -> Floats:
        """One end of all ties in each group."""
        column, shut = np.array(numbers, dtype=float)[:, None], np.array(is_open, dtype=bool)[:, None]
        return inside(np.broadcast_to(column, shape), np.broadcast_to(shut, shape), lattice, sign)

    least = limits([tie.low for tie in form.ties], [tie.low_open for tie in form.ties], 1)
    most = limits([tie.high for tie in form.ties], [tie.high_open for tie in form.ties], -1)
    return Chunk(low, high, floor, ceiling, active, least, most, lattice.tolerance)


def _signed(form: Form, chunk: Chunk) -> tuple[Chunk, Flags]:
    """A chunk without the ratios to figures that may be more or less than nothing, and the groups that have one to a
    figure below zero: ties speak of no such divisor.
    """
    active, turned = chunk.active.copy(), np.zeros(chunk.tolerance.shape, dtype=bool)
    for number, tie in enumerate(form.ties):
        if tie.divisor is not None:
            above, below = chunk.signs(tie, number)
            turned |= active[number] & below
            active[number] &= above | below
    return replace(chunk, active=active), turned


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
