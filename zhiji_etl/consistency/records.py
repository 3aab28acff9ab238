"""Records: millions of components of one form at once: refuted or not, tightened bounds, one-figure explanations.

In: a `Form` (rules over named figures, all in one unit) and NumPy arrays of bounds, one row a record and one column a
figure, in the order of `Form.figures`; not bounded is -inf and inf. Out: `Records`, arrays of the same shape.

Exactness: printed bounds are decimals. Where all of a record's bounds are whole multiples of half a power of ten and
all coefficients are 1 or -1, the arithmetic runs on whole numbers below 2**52 in Float64, which is exact; open ends
are carried as the lattice's smallest unit. Other records run in floats, and where ends come within 1e-9 (relative to
the record's largest number) of touching, they are decided again in fractions; so is what loops leave undecided.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Final

import numpy as np

from zhiji_etl.consistency.components import Reason, decides_exactly, direction, figures_of
from zhiji_etl.consistency.lattice import Ends, Lattice, back, inside, lattice_of, spans_of
from zhiji_etl.consistency.linear import FREE, Bounds, Linear, scaled
from zhiji_etl.consistency.messages import Chunk, Flags, Floats, Masks, Slab, Span
from zhiji_etl.consistency.programs import feasible, implied
from zhiji_etl.errors import RuleError

ROWS: Final = 1 << 15
"""Records a chunk: what a core's cache holds."""


class Form:
    """Rules that many records share, compiled: the figures' columns, slabs of equal sums joined, and whether loops.

    Raises `RuleError` where two rules leave one weighted sum no value, whatever the figures.
    """

    def __init__(self, rules: Sequence[Linear]) -> None:
        self.rules = tuple(rules)
        self.figures = figures_of(rules)
        self.column = {name: i for i, name in enumerate(self.figures)}
        self.forest = decides_exactly(rules)
        self.open = any(rule.low_open or rule.high_open for rule in rules)
        self.units = all(abs(c) == 1 for rule in rules for _, c in rule.coefficients)
        self.slabs = _joined(self.rules)
        if any(limits.empty for _, limits in self.slabs):
            raise RuleError("contradiction", "Two of the rules contradict each other whatever the figures.")


@dataclass(frozen=True, slots=True)
class Records:
    """What the rules say of each record. All arrays are [records, figures] unless said otherwise.

    `refuted` [records]: the bounds cannot hold together. `low`, `high`: what each figure may be, its own bounds
    included; NaN in refuted records. `others_low`, `others_high`: what all others leave it, its own bounds not
    regarded; NaN where the others cannot hold either. `explains`: the record is refuted, and changing this one figure
    alone resolves it, to the `others` bounds. `binding_low`, `binding_high` [records, figures, words]: the figures
    behind each end as bits, 64 a word, None where not asked for. `again` [records]: decided in fractions.
    """

    refuted: Flags
    low: Floats
    high: Floats
    low_open: Flags
    high_open: Flags
    others_low: Floats
    others_high: Floats
    others_low_open: Flags
    others_high_open: Flags
    explains: Flags
    binding_low: Masks | None
    binding_high: Masks | None
    again: Flags

    def names(self, form: Form, mask: Masks) -> tuple[str, ...]:
        """The figures that one mask of bits [words] stands for."""
        return tuple(n for i, n in enumerate(form.figures) if int(mask[i // 64]) >> (i % 64) & 1)


def propagate_records(
    form: Form,
    lows: Floats,
    highs: Floats,
    *,
    low_open: Flags | None = None,
    high_open: Flags | None = None,
    binding: bool = False,
    tight: bool = True,
    workers: int | None = None,
) -> Records:
    """Verdict, tightened bounds, bounds implied by the others, and one-figure explanations of every record.

    `lows`, `highs`: [records, figures] Float64; `low_open`, `high_open`: excluded ends, none by default. `binding`
    asks for the figures behind each end. `tight`: False leaves records that are decided again because of loops with the
    bounds that propagation found, sound but perhaps wider than need be, for about a tenth of the time; verdicts and
    explanations are exact either way. `workers`: threads, one a core by default.
    """
    given = _Given(form, lows, highs, low_open, high_open)
    out = _empty(lows.shape, binding)
    starts = range(0, len(lows), ROWS)
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        list(pool.map(lambda start: _chunk(given, out, slice(start, start + ROWS)), starts))
    for row in np.flatnonzero(out.again):
        (_settle if tight else _judge)(given, out, int(row))
    return out


# --- one chunk -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Given:
    form: Form
    lows: Floats
    highs: Floats
    low_open: Flags | None
    high_open: Flags | None


def _chunk(given: _Given, out: Records, rows: slice) -> None:
    """Work out some records and write them into the result."""
    ends = _ends(given, rows)
    lattice = _lattice(given.form, ends)
    own = spans_of(ends, lattice, out.binding_low is not None)
    slabs = [_slab(given.form, terms, sum_bounds, lattice) for terms, sum_bounds in given.form.slabs]
    work = _forest if given.form.forest else _loops
    found = work(given.form, Chunk(own, slabs, lattice.tolerance))
    _write(found, lattice, out, rows)
    # Floats off the lattice cannot carry open ends.
    out.again[rows] |= (lattice.tolerance > 0) & (ends.open | given.form.open)


def _ends(given: _Given, rows: slice) -> Ends:
    low, high = (np.ascontiguousarray(numbers[rows].T) for numbers in (given.lows, given.highs))
    shut = np.zeros(low.shape, dtype=bool)
    low_open, high_open = (shut if flags is None else flags[rows].T for flags in (given.low_open, given.high_open))
    return Ends(low, high, low_open, high_open)


def _lattice(form: Form, ends: Ends) -> Lattice:
    """With loops the count of open ends added up has no limit, so open ends there are left to fractions."""
    is_open = form.open or bool(ends.open.any())
    room = 1 << (len(form.figures) + 2 * len(form.rules)).bit_length() if is_open else 1
    limits = np.array([float(x) for rule in form.rules for x in (rule.low, rule.high) if x is not None])
    return lattice_of(ends, limits, room, usable=form.units and (form.forest or not is_open))


@dataclass(frozen=True, slots=True)
class _Found:
    """What a chunk came to, one entry a figure."""

    full: list[Span]
    others: list[Span]
    refuted: Flags
    again: Flags


def _forest(form: Form, chunk: Chunk) -> _Found:
    """Two messages an edge: what all others leave each figure. A tree is refuted where any of its spans is empty."""
    others = [chunk.others(column) for column in range(len(chunk.own))]
    full = [chunk.full(column, span) for column, span in enumerate(others)]
    refuted = reduce(np.logical_or, (span.dead for span in full), _no(chunk))
    lost = _elsewhere(form, full, _no(chunk))
    others = [_with_dead(span, dead) for span, dead in zip(others, lost, strict=True)]
    return _Found(full, others, refuted, chunk.near)


def _loops(form: Form, chunk: Chunk) -> _Found:
    """Sweep with all figures as printed, then with each one freed; what stays open is decided again in fractions."""
    rounds = 2 * len(form.rules) + 10
    full, moving = chunk.swept(rounds)
    refuted = reduce(np.logical_or, (span.dead for span in full), _no(chunk))
    again = chunk.near | (~refuted & _undecided(form, full, moving))
    others = []
    for column in range(len(full)):
        freed = chunk.freed(column)
        spans, moving = freed.swept(rounds)
        dead = reduce(np.logical_or, (span.dead for span in spans), _no(chunk))
        others.append(_with_dead(spans[column], dead))
        again |= freed.near | (~dead & _undecided(form, spans, moving))
    return _Found(full, others, refuted, again)


def _undecided(form: Form, spans: Sequence[Span], moving: Flags) -> Flags:
    """Where propagation is not the last word: it still moves, or figures that are no points form a loop."""
    points = np.array([span.low == span.high for span in spans])
    patterns, which = np.unique(points, axis=1, return_inverse=True)
    names = [[n for n, p in zip(form.figures, pattern, strict=True) if p] for pattern in patterns.T]
    open_ = np.array([not decides_exactly(form.rules, known) for known in names])
    return np.asarray(moving | open_[which.reshape(-1)])


def _elsewhere(form: Form, full: Sequence[Span], none: Flags) -> list[Flags]:
    """For each figure, where a tree that it is not in is refuted: no change of this figure resolves that."""
    trees = _trees(form)
    broken = {tree: reduce(np.logical_or, (full[c].dead for c in _of(trees, tree)), none) for tree in set(trees)}
    return [reduce(np.logical_or, (b for t, b in broken.items() if t != tree), none) for tree in trees]


def _trees(form: Form) -> list[int]:
    """The number of the tree that each figure is in."""
    trees = list(range(len(form.figures)))
    for rule in form.rules:
        joined = {trees[form.column[name]] for name in rule.figures}
        trees = [min(joined) if tree in joined else tree for tree in trees]
    return trees


def _of(trees: Sequence[int], tree: int) -> list[int]:
    return [column for column, t in enumerate(trees) if t == tree]


def _with_dead(span: Span, dead: Flags) -> Span:
    return Span(span.low, span.high, span.dead | dead, span.why_low, span.why_high)


def _no(chunk: Chunk) -> Flags:
    return np.zeros(chunk.tolerance.shape, dtype=bool)


def _slab(form: Form, terms: Sequence[tuple[str, Fraction]], limits: Bounds, lattice: Lattice) -> Slab:
    low = np.full(lattice.scale.shape, -np.inf if limits.low is None else float(limits.low))
    high = np.full(lattice.scale.shape, np.inf if limits.high is None else float(limits.high))
    numbers = tuple((form.column[name], float(c)) for name, c in terms)
    low_open, high_open = (np.full(low.shape, flag) for flag in (limits.low_open, limits.high_open))
    return Slab(numbers, inside(low, low_open, lattice, 1), inside(high, high_open, lattice, -1))


def _write(found: _Found, lattice: Lattice, out: Records, rows: slice) -> None:
    out.refuted[rows], out.again[rows] = found.refuted, found.again
    for column, (full, others) in enumerate(zip(found.full, found.others, strict=True)):
        at = (rows, column)
        out.low[at], out.low_open[at] = back(full.low, found.refuted, lattice, np.floor)
        out.high[at], out.high_open[at] = back(full.high, found.refuted, lattice, np.ceil)
        out.others_low[at], out.others_low_open[at] = back(others.low, others.dead, lattice, np.floor)
        out.others_high[at], out.others_high_open[at] = back(others.high, others.dead, lattice, np.ceil)
        out.explains[at] = found.refuted & ~others.dead
        if out.binding_low is not None and out.binding_high is not None:
            out.binding_low[at], out.binding_high[at] = _clean(full.why_low, full.low), _clean(full.why_high, full.high)


def _clean(mask: Masks, end: Floats) -> Masks:
    """The bits behind an end, none where it is not bounded."""
    return np.where(np.isfinite(end), mask, np.uint64(0)).T


# --- one record again, in fractions ----------------------------------------------------------------------------------


def _settle(given: _Given, out: Records, row: int) -> None:
    """Decide one record in fractions; a float is the shortest decimal that it prints as."""
    form, box = given.form, _box(given, row)
    found = implied(form.rules, box)
    out.refuted[row] = found is None
    for column, name in enumerate(form.figures):
        at = (row, column)
        full = FREE if found is None else found[name].bounds
        _write_ends(full, found is None, (out.low, out.high, out.low_open, out.high_open), at)
        freed = implied(form.rules, {**box, name: FREE}, [name])
        others = FREE if freed is None else freed[name].bounds
        ends = (out.others_low, out.others_high, out.others_low_open, out.others_high_open)
        _write_ends(others, freed is None, ends, at)
        out.explains[at] = found is None and freed is not None
        if found is not None and out.binding_low is not None and out.binding_high is not None:
            out.binding_low[at] = _mask(form, found[name].binding_low, out.binding_low.shape[2])
            out.binding_high[at] = _mask(form, found[name].binding_high, out.binding_high.shape[2])


def _judge(given: _Given, out: Records, row: int) -> None:
    """Decide one record's verdict and explanations in fractions, and leave its bounds as propagation found them."""
    form, box = given.form, _box(given, row)
    refuted = not feasible(form.rules, box)
    out.refuted[row] = refuted
    freed = [refuted and feasible(form.rules, {**box, name: FREE}) for name in form.figures]
    out.explains[row] = freed
    if refuted:
        out.low[row] = out.high[row] = np.nan
        out.others_low[row, np.logical_not(freed)] = out.others_high[row, np.logical_not(freed)] = np.nan


def _box(given: _Given, row: int) -> dict[str, Bounds]:
    def end(numbers: Floats, column: int) -> Fraction | None:
        """One end as an exact fraction; None where it is not bounded."""
        number = float(numbers[row, column])
        return Fraction(repr(number)) if np.isfinite(number) else None

    def is_open(flags: Flags | None, column: int) -> bool:
        """Whether an end does not belong to the bounds."""
        return flags is not None and bool(flags[row, column])

    return {
        name: Bounds(end(given.lows, i), end(given.highs, i), is_open(given.low_open, i), is_open(given.high_open, i))
        for i, name in enumerate(given.form.figures)
    }


def _write_ends(bounds: Bounds, lost: bool, into: tuple[Floats, Floats, Flags, Flags], at: tuple[int, int]) -> None:
    low, high, low_open, high_open = into
    low[at] = np.nan if lost else -np.inf if bounds.low is None else float(bounds.low)
    high[at] = np.nan if lost else np.inf if bounds.high is None else float(bounds.high)
    low_open[at], high_open[at] = bounds.low_open, bounds.high_open


def _mask(form: Form, reason: Reason, words: int) -> Masks:
    bits = sum(1 << form.column[name] for name in reason.figures)
    return np.array([bits >> (64 * word) & (2**64 - 1) for word in range(words)], dtype=np.uint64)


def _empty(shape: tuple[int, ...], binding: bool) -> Records:
    records, figures = shape
    words = (records, figures, -(-figures // 64))
    ends = ("low", "high", "others_low", "others_high")
    numbers = {name: np.empty(shape) for name in ends}
    flags = {f"{name}_open": np.zeros(shape, dtype=bool) for name in ends}
    return Records(
        refuted=np.zeros(records, dtype=bool),
        explains=np.zeros(shape, dtype=bool),
        binding_low=np.zeros(words, dtype=np.uint64) if binding else None,
        binding_high=np.zeros(words, dtype=np.uint64) if binding else None,
        again=np.zeros(records, dtype=bool),
        **numbers,  # type: ignore[arg-type]
        **flags,
    )


def _joined(rules: Sequence[Linear]) -> list[tuple[tuple[tuple[str, Fraction], ...], Bounds]]:
    """The rules' weighted sums, equal and opposite ones joined, each with what it may be."""
    joined: dict[tuple[tuple[str, Fraction], ...], Bounds] = {}
    for rule in rules:
        terms = direction(rule)
        if terms:
            factor = terms[0][1] / dict(rule.coefficients)[terms[0][0]]
            joined[terms] = joined.get(terms, FREE).meet(scaled(rule.bounds, factor))
    return list(joined.items())
