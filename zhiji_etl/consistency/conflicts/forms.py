"""Groups: the rules of one entity that share figures, found for all entities at once, those of like form together.

In: the judged rows of rules. Out: `Batch`es: in each, groups of the same rules wired to figures in the same way, with
the figures' columns as arrays. Two rules of a group may each hold alone and not together, so groups are of interest
where some rule fails, or where they have two. A figure of a named entity, such as a market that a thousand shares are
measured against, takes part in each group but ties none of them together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhiji_etl import sameness
from zhiji_etl.consistency.rules.compiled import Judged
from zhiji_etl.consistency.rules.expressions import SAME, Operand, operands_of
from zhiji_etl.consistency.rules.operands import step_away
from zhiji_etl.periods import Period

Numbers = NDArray[np.int64]
OWNER: Final = ["entity", "vintage"]
SPAN: Final = ["period_start", "period_end"]
TOLD: Final = ["table", "period"]
WRONG: Final = "__wrong"
LOST: Final = "__lost"
DENSE: Final = 4
"""How many times as large as their count numbers may be, to be looked up in a table."""
NO_OWNERS: Final = pl.DataFrame(schema={"entity": pl.String, "vintage": pl.String})
NO_ROWS: Final = pl.DataFrame(
    schema={
        "rule": pl.Int32,
        "row": pl.Int64,
        **NO_OWNERS.schema,
        "period_start": pl.Date,
        "period_end": pl.Date,
        "table": pl.String,
        "period": pl.String,
        "failed": pl.Boolean,
        "lost": pl.Boolean,
    }
)


class Subject(NamedTuple):
    """What a figure is about: a named entity ("" for the group's own), a metric, the first and the last day."""

    named: str
    metric: str
    start: date
    end: date


class Leaf(NamedTuple):
    """One operand of one judged rule."""

    rule: int
    operand: Operand


class Slot(NamedTuple):
    """One rule of a form: which of the judged ones, and the column of each of its operands by name."""

    rule: int
    columns: Mapping[str, int]


class Batch(NamedTuple):
    """Groups of one form. `rows` [slots, groups]: the row of each rule in its frame; `subjects` [figures, groups]:
    codes into the table of subjects; `failed` [groups]: some rule fails by itself; `first` [groups]: the number of the
    first failed row, in the order of rules, or of the first row where none fails.
    """

    slots: tuple[Slot, ...]
    rows: Numbers
    subjects: Numbers
    failed: NDArray[np.bool_]
    first: Numbers

    @property
    def figures(self) -> int:
        """How many figures a group has."""
        return len(self.subjects)

    def readers(self, column: int) -> Iterator[tuple[int, int, str]]:
        """The slots that read a figure: slot, rule, operand."""
        for number, slot in enumerate(self.slots):
            for name, at in slot.columns.items():
                if at == column:
                    yield number, slot.rule, name


class Grouped(NamedTuple):
    """All groups in which some rule fails or is lost, or that have two rules. `frames`: the rows that they refer to, by
    rule; `rows`: the same in one frame, in the order that `Batch.first` counts in; `subjects`: what their codes mean.
    """

    frames: tuple[pl.DataFrame, ...]
    rows: pl.DataFrame
    subjects: tuple[Subject, ...]
    batches: tuple[Batch, ...]


def grouped(
    judged: Sequence[Judged], wrong: Sequence[pl.Series], lost: Sequence[pl.Series], choices: Sequence[int]
) -> Grouped:
    """The groups of all entities in which some rule fails, or that have two rules, in batches of like form.

    `wrong`: for each of the judged, in which of its rows the rule fails, whichever of its alternatives is taken;
    `lost`: in which it does or would, whatever the figures are that nobody printed; `choices`: the number of the rule
    that it is an alternative of.
    """
    flagged = zip(judged, wrong, lost, strict=True)
    told = [one.frame.with_columns(fails.alias(WRONG), gone.alias(LOST)) for one, fails, gone in flagged]
    concerned = _concerned(judged, told, choices)
    leaves = [Leaf(k, leaf) for k, one in enumerate(judged) for leaf in operands_of(one.relation).values()]
    rows = _rows(concerned)
    if rows.is_empty():
        return Grouped(concerned, rows, (), ())
    spans = rows.select("span", *SPAN).unique().sort("span")
    subjects, codes = _subjects(leaves, list(spans.select(SPAN).iter_rows()))
    found = _incidences(rows, leaves, codes, _unified(rows, subjects))
    leads = np.array([number == 0 or choices[number - 1] != one for number, one in enumerate(choices)])
    return Grouped(concerned, rows, subjects, tuple(_batches(rows, found, leaves, len(subjects), leads)))


# --- rows and subjects -----------------------------------------------------------------------------------------------


def _concerned(
    judged: Sequence[Judged], frames: Sequence[pl.DataFrame], choices: Sequence[int]
) -> tuple[pl.DataFrame, ...]:
    """The rows that can be tied to others, and all rows of those of whom some rule fails."""
    failed = pl.concat([NO_OWNERS, *(frame.filter(LOST).select(OWNER) for frame in frames)]).unique()
    named = {leaf.entity for one in judged for leaf in operands_of(one.relation).values()} - {None}
    kept = []
    marked = failed.with_columns(__owner_fails=pl.lit(value=True))
    own = pl.col("__owner_fails").fill_null(value=False) | pl.col("entity").is_in(sorted(map(str, named)))
    for frame, tied in zip((frame.drop_nulls(SPAN) for frame in frames), _tied(judged, choices), strict=True):
        if tied:
            kept.append(frame)
        else:
            told = frame.join(marked, on=OWNER, how="left", nulls_equal=True, maintain_order="left")
            kept.append(told.filter(own).drop("__owner_fails"))
    return tuple(kept)


def _tied(judged: Sequence[Judged], choices: Sequence[int]) -> list[bool]:
    """Whether a rule reads a metric of the row's own that another rule reads, or itself in another period.

    The alternatives of a rule are tied together, so that all have the same rows.
    """
    own = [[leaf for leaf in operands_of(one.relation).values() if leaf.entity is None] for one in judged]
    readers: dict[str, set[tuple[int, str]]] = {}
    for leaves, choice in zip(own, choices, strict=True):
        for leaf in leaves:
            readers.setdefault(leaf.metric, set()).add((choice, leaf.offset))
    ties = {one for leaves, one in zip(own, choices, strict=True) if any(len(readers[x.metric]) > 1 for x in leaves)}
    return [choice in ties for choice in choices]


def _rows(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """All rows in one frame, in order of rules: `rule, row, owner, span, failed` and who they are of."""
    parts = [
        frame.select(
            pl.lit(k).alias("rule"),
            pl.int_range(pl.len()).alias("row"),
            *OWNER,
            *SPAN,
            *TOLD,
            pl.col(WRONG).alias("failed"),
            pl.col(LOST).alias("lost"),
        )
        for k, frame in enumerate(frames)
    ]
    rows = pl.concat([NO_ROWS, *parts]).with_columns(sameness.number(*OWNER).alias("__owner"))
    owners = rows.select("__owner").filter(pl.col("__owner").is_first_distinct()).with_row_index("owner")
    spans = rows.select(SPAN).unique().sort(SPAN).with_row_index("span")
    coded = rows.join(owners, on="__owner", how="left", maintain_order="left").drop("__owner")
    return coded.join(spans, on=SPAN, how="left", maintain_order="left")


def _subjects(leaves: Sequence[Leaf], spans: Sequence[tuple[date, date]]) -> tuple[tuple[Subject, ...], list[Numbers]]:
    """The table of subjects, own ones first, and for each leaf the code of its subject by span; -1: there is none."""

    @cache
    def moved(span: tuple[date, date], offset: str) -> tuple[date, date] | None:
        """The first and last day of another period; None where there is none."""
        to = Period.between(*span) if offset == SAME else step_away(Period.between(*span), offset)
        return None if to is None else (to.start, to.end)

    def subject(leaf: Leaf, span: tuple[date, date]) -> Subject | None:
        """What an operand is about in a row of these days."""
        to = moved(span, leaf.operand.offset)
        return None if to is None else Subject(leaf.operand.entity or "", leaf.operand.metric, *to)

    found = {number: [subject(leaf, span) for span in spans] for number, leaf in enumerate(leaves)}
    table = tuple(sorted({one for ones in found.values() for one in ones if one is not None}))
    code = {one: number for number, one in enumerate(table)}
    codes = [np.array([-1 if one is None else code[one] for one in ones], dtype=np.int64) for ones in found.values()]
    return table, codes


def _unified(rows: pl.DataFrame, subjects: Sequence[Subject]) -> dict[int, tuple[int, Numbers]]:
    """For a named entity's subjects that are also somebody's own: the own code, and the owners whose own it is."""
    code = {one: number for number, one in enumerate(subjects)}
    named = {one.named for one in subjects if one.named}
    owners = rows.filter(pl.col("entity").is_in(list(named))).select("entity", "owner").unique()
    by_name = dict(owners.group_by("entity").agg("owner").iter_rows())
    return {
        code[one]: (own, np.array(by_name[one.named], dtype=np.int64))
        for one in subjects
        if one.named in by_name and (own := code.get(one._replace(named=""), -1)) >= 0
    }


# --- which figure stands where ---------------------------------------------------------------------------------------


class _Incidences(NamedTuple):
    """One entry for each operand of each row that has a subject: numbers of the row, of the leaf and of the subject."""

    row: Numbers
    leaf: Numbers
    subject: Numbers


def _incidences(
    rows: pl.DataFrame, leaves: Sequence[Leaf], codes: Sequence[Numbers], unified: Mapping[int, tuple[int, Numbers]]
) -> _Incidences:
    rule, span, owner = (rows.get_column(name).to_numpy() for name in ("rule", "span", "owner"))
    parts = []
    for number, leaf in enumerate(leaves):
        at = np.flatnonzero(rule == leaf.rule)
        subject = codes[number][span[at]]
        for code, (own, owners) in unified.items() if leaf.operand.entity else ():
            subject = np.where((subject == code) & np.isin(owner[at], owners), own, subject)
        there = subject >= 0
        parts.append((at[there], np.full(int(there.sum()), number), subject[there]))
    return _Incidences(*(np.concatenate([part[i] for part in parts]) for i in range(3)))


def _components(rows: int, row: Numbers, figure: Numbers) -> Numbers:
    """For each row the least number of a row that it is connected with through figures."""
    labels = np.arange(rows)
    _, figure = _coded(figure)
    while True:
        least = np.full(int(figure.max(initial=-1)) + 1, rows)
        np.minimum.at(least, figure, labels[row])
        new = labels.copy()
        np.minimum.at(new, row, least[figure])
        new = new[new]
        if np.array_equal(new, labels):
            return labels
        labels = new


# --- forms -----------------------------------------------------------------------------------------------------------


def _batches(
    rows: pl.DataFrame, found: _Incidences, leaves: Sequence[Leaf], subjects: int, leads: NDArray[np.bool_]
) -> Iterator[Batch]:
    rule, owner, span, failed = (rows.get_column(name).to_numpy() for name in ("rule", "owner", "span", "failed"))
    own = np.array([leaf.operand.entity is None for leaf in leaves])[found.leaf]
    figure = owner[found.row].astype(np.int64) * subjects + found.subject
    labels = _components(rows.height, found.row[own], figure[own])
    concerned = np.bincount(labels[leads[rule]], minlength=rows.height) > 1
    concerned[labels[rows.get_column("lost").to_numpy()]] = True
    kept = np.flatnonzero(concerned[labels])
    heads, group = _coded(labels[kept])
    kept, group = _ordered(kept, group, (span[kept], rule[kept], group))
    starts = np.searchsorted(group, np.arange(len(heads)))
    slot = np.full(rows.height, -1)
    slot[kept] = np.arange(len(kept)) - starts[group]
    group_of = np.full(rows.height, -1)
    group_of[kept] = group
    wired = _wired(found, group_of, slot, subjects)
    first = np.full(len(heads), rows.height)
    np.minimum.at(first, group_of[np.flatnonzero(failed)], np.flatnonzero(failed))
    fails = first < rows.height
    first = np.where(fails, first, heads)
    number = rows.get_column("row").to_numpy()
    for groups in wired.forms(len(heads)):
        size = int(np.searchsorted(group, groups[0], "right") - starts[groups[0]])
        at = kept[starts[groups] + np.arange(size)[:, None]]
        slots = wired.slots(int(groups[0]), rule[at[:, 0]], leaves)
        yield Batch(slots, number[at], wired.subjects_of(groups), fails[groups], first[groups])


def _ordered(kept: Numbers, group: Numbers, keys: Sequence[Numbers]) -> tuple[Numbers, Numbers]:
    order = np.lexsort(keys)
    return kept[order], group[order]


class _Wired(NamedTuple):
    """The incidences of all groups, in order of groups: slot, leaf, and the figure's place among those of its group.

    `figures`: `group * subjects + subject` of each figure, sorted; `starts`: where those of each group begin.
    """

    group: Numbers
    slot: Numbers
    leaf: Numbers
    place: Numbers
    figures: Numbers
    starts: Numbers
    subjects: int

    def forms(self, groups: int) -> list[Numbers]:
        """The groups of each form: those in which the same rules read the same places. Two hashes say so."""
        made = {name: np.zeros(groups, dtype=np.uint64) for name in ("one", "other")}
        for seed, sums in enumerate(made.values()):
            np.add.at(sums, self.group, _mixed((self.slot, self.leaf, self.place), seed))
        frame = pl.DataFrame({"group": np.arange(groups), **made})
        listed = frame.group_by("one", "other", maintain_order=True).agg("group").get_column("group")
        return [one.to_numpy() for one in listed]

    def slots(self, group: int, rules: Numbers, leaves: Sequence[Leaf]) -> tuple[Slot, ...]:
        """The rules of one group with the places of their figures."""
        made: list[dict[str, int]] = [{} for _ in rules]
        for at in range(*np.searchsorted(self.group, [group, group + 1])):
            made[self.slot[at]][leaves[self.leaf[at]].operand.name] = int(self.place[at])
        return tuple(Slot(int(rule), found) for rule, found in zip(rules, made, strict=True))

    def subjects_of(self, groups: Numbers) -> Numbers:
        """The codes of the subjects of some groups of one form, [figures, groups]."""
        count = int(np.searchsorted(self.figures, (groups[0] + 1) * self.subjects) - self.starts[groups[0]])
        return np.asarray(self.figures[self.starts[groups] + np.arange(count)[:, None]] % self.subjects)


def _wired(found: _Incidences, group_of: Numbers, slot: Numbers, subjects: int) -> _Wired:
    group = group_of[found.row]
    at = np.flatnonzero(group >= 0)
    at = at[np.argsort(group[at], kind="stable")]
    group, row = group[at], found.row[at]
    figures, which = _coded(group * subjects + found.subject[at])
    starts = np.searchsorted(figures, np.arange(int(group.max(initial=-1)) + 1) * subjects)
    return _Wired(group, slot[row], found.leaf[at], which - starts[group], figures, starts, subjects)


def _coded(numbers: Numbers) -> tuple[Numbers, Numbers]:
    """The distinct ones of these numbers, none of them negative, in order, and the place of each among them.

    Where there are about as many as the largest says, a table of all tells that without sorting.
    """
    most = int(numbers.max(initial=-1)) + 1
    if most > DENSE * numbers.size:
        return np.unique(numbers, return_inverse=True)
    there = np.zeros(most, dtype=bool)
    there[numbers] = True
    return np.flatnonzero(there), (np.cumsum(there) - 1)[numbers]


def _mixed(numbers: Sequence[Numbers], seed: int) -> NDArray[np.uint64]:
    """One number of 64 bits from several (splitmix64)."""
    mixed = np.full(numbers[0].shape, seed + 1, dtype=np.uint64)
    for one in numbers:
        mixed = (mixed + one.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)) & np.uint64(2**64 - 1)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return mixed
