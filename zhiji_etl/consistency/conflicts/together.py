"""Conflicts of many groups at once: findings for all groups of like form whose conflicts single figures explain.

In: the judged rows of all rules, figures, metrics and the trust in sources. Out: `Together`: conflict findings, and the
groups that are left to be localised one by one (see `conflicts`). Where a rule has alternatives, each choice of them is
localised, as if it were the only one; a group can hold if it can with one of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import product
from math import prod
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhiji_etl.consistency.conflicts.batches import Law, allowed_of, choices, form_of, given
from zhiji_etl.consistency.conflicts.explanations import Explained, explained
from zhiji_etl.consistency.conflicts.forms import Batch, Grouped, grouped
from zhiji_etl.consistency.conflicts.instances import all_lost, all_wrong, alternatives, severest
from zhiji_etl.consistency.conflicts.prints import NOBODY, Printed, Reader
from zhiji_etl.consistency.exact.lattice import Flags, Floats
from zhiji_etl.consistency.rules.changes import PERCENT
from zhiji_etl.consistency.rules.compiled import Judged
from zhiji_etl.consistency.rules.patterns import Prints, slip_names
from zhiji_etl.consistency.rules.systems import template
from zhiji_etl.figures import FINDING_COLUMNS, Severity, Verdict
from zhiji_etl.periods import Period
from zhiji_etl.tables import Metric

CHOICES: Final = 64
"""Combinations of alternatives that are tried; groups that have more are left."""

LISTED: Final = 10
"""Candidates that a message names."""

CONFLICT_COLUMNS: Final = {**FINDING_COLUMNS, "vintage": pl.String()}
"""A conflict before its id is made."""


class Together(NamedTuple):
    """`findings`: CONFLICT_COLUMNS but id, with `at`, the place of the group among all; `left`: the first rows (failed
    ones, where there are any) of groups that are left: `at, rule, entity, vintage, period_start, period_end` and
    `failed`, whether a rule of the group fails by itself; `done`: those of all others, but for groups that hold by
    themselves and that a figure ties to other groups: those are neither.
    """

    findings: pl.DataFrame
    left: pl.DataFrame
    done: pl.DataFrame


class _Combined(NamedTuple):
    """What all choices of alternatives come to for a batch; as `Explained`, [figures, groups] or [groups]."""

    holds: Flags
    unsure: Flags
    explains: Flags
    low: Floats
    high: Floats
    first: Flags
    accused: Flags
    likely: Flags
    rules: Flags


def localised_together(
    judged: Sequence[Judged],
    metrics: Mapping[str, Metric],
    figures: pl.DataFrame,
    trust: Mapping[str, float],
    tying: Collection[tuple[str, str]] = (),
) -> Together:
    """Localise all groups in which a rule fails by itself, or rules that hold alone do not together, by form.

    `tying`: entity and metric of figures of named entities that tie groups together; those groups are left.
    """
    listed, laws, wrong, lost = _laws(judged, metrics)
    found = grouped(listed, wrong, lost, [law.choice for law in laws])
    work = _Work(found, laws, metrics, _weights(figures, trust), Reader(found.frames), set(tying))
    told = [work.batch(batch) for batch in found.batches]
    findings = [one for one, *_ in told if one is not None]
    none = np.zeros(0, dtype=np.int64)
    left, open_ = (np.concatenate([none, *(one[side] for one in told)]) for side in (1, 2))
    rows = found.rows.with_row_index("at").with_columns(rule=_names(laws, found.rows))
    first = np.concatenate([none, *(batch.first for batch in found.batches)])
    keys = rows.select("at", "rule", "entity", "vintage", "period_start", "period_end", "failed")
    empty = pl.DataFrame(schema={"at": pl.UInt32(), **CONFLICT_COLUMNS})
    together = pl.concat([empty, *findings])
    return Together(together.sort("at"), keys[np.sort(left)], keys[np.sort(np.setdiff1d(first, open_))])


# --- rules and weights -----------------------------------------------------------------------------------------------


def _laws(
    judged: Sequence[Judged], metrics: Mapping[str, Metric]
) -> tuple[list[Judged], list[Law], list[pl.Series], list[pl.Series]]:
    """The judged of which some alternative is linear, their laws, in which rows none of the alternatives holds, and in
    which none can.
    """
    listed: list[Judged] = []
    laws: list[Law] = []
    wrong: list[pl.Series] = []
    lost: list[pl.Series] = []
    for choice, several in enumerate(alternatives(judged)):
        made = [template(one.check) for one in several]
        if any(one is not None for one in made):
            listed += several
            rule = several[0].compiled.rule
            laws += [Law(rule.name, rule.severity, one, choice) for one in made]
            wrong += [all_wrong(several)] * len(several)
            lost += [all_lost(several, metrics)] * len(several)
    return listed, laws, wrong, lost


def _names(laws: Sequence[Law], rows: pl.DataFrame) -> pl.Series:
    names = pl.Series([law.name for law in laws], dtype=pl.String)
    return names.gather(rows.get_column("rule")) if rows.height else pl.Series([], dtype=pl.String)


def _weights(figures: pl.DataFrame, trust: Mapping[str, float]) -> pl.DataFrame | None:
    """`figure_id, weight` in order of id; None where all sources are trusted alike."""
    if all(weight == 1 for weight in trust.values()):
        return None
    weight = pl.col("source").replace_strict(dict(trust), default=1.0, return_dtype=pl.Float64)
    return figures.select("figure_id", weight=weight).sort("figure_id")


# --- one batch -------------------------------------------------------------------------------------------------------


class _Work(NamedTuple):
    found: Grouped
    laws: Sequence[Law]
    metrics: Mapping[str, Metric]
    weights: pl.DataFrame | None
    reader: Reader
    tying: set[tuple[str, str]]

    def batch(self, batch: Batch) -> tuple[pl.DataFrame | None, NDArray[np.int64], NDArray[np.int64]]:
        """The findings of a batch, the first failed rows of its groups that are left, and those of all not done."""
        options = choices(batch, self.laws)
        combined = None
        printed = self.reader.printed(batch)
        if prod(len(one) for one in options) <= CHOICES:
            combined = self._combined(batch, printed, [[*taken] for taken in product(*options)])
        if combined is None:
            return None, batch.first, batch.first
        left = combined.unsure | self._tied(batch)
        wrong = ~combined.holds & ~left
        found = self._findings(batch, printed, combined, wrong)
        return found, batch.first[left & ~combined.holds], batch.first[left]

    def _tied(self, batch: Batch) -> Flags:
        """The groups with a figure that ties them to others: one of a named entity, be it their own."""
        tied = np.zeros(batch.first.shape, dtype=bool)
        owners = self.found.rows.get_column("entity").gather(batch.first)
        for entity, metric in self.tying:
            own = (owners == entity).to_numpy()
            for name, groups in ((entity, np.ones_like(own)), ("", own)):
                ties = np.array([(one.named, one.metric) == (name, metric) for one in self.found.subjects], dtype=bool)
                tied |= ties[batch.subjects].any(axis=0) & groups
        return tied

    def _combined(self, batch: Batch, printed: Printed, combinations: Sequence[Sequence[int]]) -> _Combined | None:
        names = self._name_numbers(batch)
        allowed = allowed_of(batch, self.found.subjects, self.metrics)
        weights = self._weight(printed)
        results: list[tuple[Explained, Floats]] = []
        for taken in combinations:
            form = form_of(batch, self.laws, taken, names)
            if form is None:
                return None
            made = given(form, printed, allowed, weights)
            one = explained(form, made)
            results.append((one, np.where(one.explains, made.weights, np.inf).min(axis=0)))
        return _merged(results, 1 + max(names))

    def _weight(self, printed: Printed) -> Floats:
        if self.weights is None:
            return np.ones(printed.low.shape)
        numbers, weights = (self.weights.get_column(name).to_numpy() for name in ("figure_id", "weight"))
        at = np.searchsorted(numbers, printed.figure_id).clip(max=len(numbers) - 1)
        return np.asarray(np.where(printed.figure_id == NOBODY, np.inf, weights[at]))

    def _name_numbers(self, batch: Batch) -> list[int]:
        """For each slot the number of its rule's name: rules that must all hold in one period may share one."""
        rows = [
            self.found.frames[slot.rule].row(int(row), named=True)
            for slot, row in zip(batch.slots, batch.rows[:, 0], strict=True)
        ]
        keys = [
            (self.laws[slot.rule].name, row["period_start"], row["period_end"])
            for slot, row in zip(batch.slots, rows, strict=True)
        ]
        number = {key: n for n, key in enumerate(dict.fromkeys(keys))}
        return [number[key] for key in keys]

    # --- findings ----------------------------------------------------------------------------------------------------

    def _findings(self, batch: Batch, printed: Printed, told: _Combined, wrong: Flags) -> pl.DataFrame | None:
        """A finding for each group that is wrong."""
        if not wrong.any():
            return None
        groups = np.flatnonzero(wrong)
        figures = self._figures(batch, printed, told, groups)
        heads = (
            self.found.rows[batch.first[groups]]
            .select("table", "entity", "period", "vintage")
            .with_columns(
                self._rules(batch, told, groups),
                at=pl.Series(batch.first[groups], dtype=pl.UInt32),
                fails=pl.Series(batch.failed[groups]),
            )
        )
        said = figures.group_by("at").agg(**_told())
        return _sentences(heads.join(said, on="at", how="left", maintain_order="left"))

    def _rules(self, batch: Batch, told: _Combined, groups: NDArray[np.int64]) -> list[pl.Series]:
        """The names of the rules in each group's conflicts as `rule`, and the severest of them as `severest`."""
        numbers = self._name_numbers(batch)
        by_number = {number: self.laws[slot.rule] for number, slot in zip(numbers, batch.slots, strict=True)}
        patterns, which = np.unique(told.rules[:, groups], axis=1, return_inverse=True)
        # A print that admits no value is a conflict by itself: all rules of its group are named then.
        laws = [[by_number[n] for n in np.flatnonzero(pattern).tolist() or by_number] for pattern in patterns.T]
        texts = pl.Series("rule", [", ".join(sorted({law.name for law in several})) for several in laws])
        loud = pl.Series("severest", [severest(law.severity for law in several).value for several in laws])
        return [column.cast(pl.String).gather(which.reshape(-1)) for column in (texts, loud)]

    def _figures(self, batch: Batch, printed: Printed, told: _Combined, groups: NDArray[np.int64]) -> pl.DataFrame:
        """The figures that findings speak of, one a row, by name."""
        group, column = np.nonzero((told.accused | told.explains)[:, groups].T)
        at = (column, groups[group])
        first = batch.first[groups[group]]
        frame = pl.DataFrame(
            {
                "at": pl.Series(first, dtype=pl.UInt32),
                "code": pl.Series(batch.subjects[at], dtype=pl.UInt32),
                "figure_id": printed.figure_id[at],
                "printed": printed.there[at],
                "first": told.first[at],
                "accused": told.accused[at],
                "explains": told.explains[at],
                "likely": told.likely[at],
                "low": told.low[at],
                "high": told.high[at],
                "pattern": self._slips(batch, printed, told, at),
                "owner": self.found.rows.get_column("entity").gather(first),
            }
        )
        joined = frame.join(self._subjects(), on="code", how="left", maintain_order="left")
        named = joined.with_columns(entity=pl.coalesce("named", "owner"))
        return named.with_columns(name=pl.format("{} {} {}", "entity", "metric", "period")).sort("at", "name")

    def _slips(
        self, batch: Batch, printed: Printed, told: _Combined, at: tuple[NDArray[np.int64], NDArray[np.int64]]
    ) -> pl.Series:
        """For some figures, by column and group, the slip that would explain each."""
        base = np.full(printed.value.shape, np.nan)
        usable = told.accused & printed.there & (printed.value != 0)
        for column in range(batch.figures):
            for level in self._levels(batch, column):
                found = np.isnan(base[column]) & usable[level]
                base[column] = np.where(found, printed.value[level], base[column])
        ends = (printed.value, printed.step, told.low, told.high, base)
        prints = Prints(*(np.where(told.explains[at], one[at], np.nan) for one in ends))
        return slip_names(prints)

    def _levels(self, batch: Batch, column: int) -> list[int]:
        """The columns that a change in percent may be measured from: other metrics in percent, of an earlier period."""
        mine, *others = (self.found.subjects[int(codes[0])] for codes in (batch.subjects[column], *batch.subjects))
        return [
            number
            for number, other in enumerate(others)
            if self.metrics[mine.metric].unit == self.metrics[other.metric].unit == PERCENT
            and other.metric != mine.metric
            and other.end < mine.end
        ]

    def _subjects(self) -> pl.DataFrame:
        """`code, named, metric, period, unit` of all subjects."""
        rows = [
            (n, one.named or None, one.metric, Period.between(one.start, one.end).label, self.metrics[one.metric].unit)
            for n, one in enumerate(self.found.subjects)
        ]
        schema = {"code": pl.UInt32, "named": pl.String, "metric": pl.String, "period": pl.String, "unit": pl.String}
        return pl.DataFrame(rows, schema=schema, orient="row")


def _told() -> dict[str, pl.Expr]:
    """What the figures of one group say together."""
    fields = ("entity", "metric", "period", "low", "high", "unit")
    candidates = pl.col("name").filter("explains")
    return {
        "figures": pl.col("figure_id").filter(pl.col("accused") & pl.col("printed")),
        "resolved_by": pl.struct(*fields, "pattern").filter("explains"),
        "names": pl.col("name").filter(pl.col("first") & pl.col("printed")).str.join(", "),
        "candidates": candidates.head(LISTED).str.join("; or "),
        "many": pl.col("explains").sum().cast(pl.Int64),
        "likely": pl.col("name").filter("likely").first(),
    }


def _sentences(told: pl.DataFrame) -> pl.DataFrame:
    more = (
        pl.when(pl.col("many") > LISTED).then(pl.format("; or {} more", pl.col("many") - LISTED)).otherwise(pl.lit(""))
    )
    tie = pl.format("a tie of {}", "many")
    made = told.with_columns(
        kind=pl.lit("conflict"),
        verdict=pl.lit(Verdict.INCONSISTENT.value),
        # Beside a rule that fails by itself it only explains; else nothing else tells of it.
        severity=pl.when("fails").then(pl.lit(Severity.INFO.value)).otherwise("severest"),
        reading=pl.when(pl.col("likely").is_null()).then(tie).otherwise(pl.format("most likely: {}", "likely")),
        message=pl.format("cannot hold together: {}. To change: {}{}.", "names", "candidates", more),
    )
    return made.select(
        "at",
        *(
            (pl.col(name) if name in made.columns else pl.lit(None)).cast(dtype).alias(name)
            for name, dtype in CONFLICT_COLUMNS.items()
        ),
    )


def _merged(results: Sequence[tuple[Explained, Floats]], names: int) -> _Combined:
    """All choices together: the sets of least weight, over the choices that have them."""
    weights = np.stack([weight for _, weight in results])
    best = weights == weights.min(axis=0)
    pairs = [(one, flags) for (one, _), flags in zip(results, best, strict=True)]
    explains = np.logical_or.reduce([one.explains & flags for one, flags in pairs])
    lows = [np.where(one.explains & flags, one.low, np.inf) for one, flags in pairs]
    highs = [np.where(one.explains & flags, one.high, -np.inf) for one, flags in pairs]
    leader = best.argmax(axis=0)
    alone = (best.sum(axis=0) == 1) | (explains.sum(axis=0) == 1)
    holds = np.logical_or.reduce([~one.refuted & ~one.unsure for one, _ in pairs])
    return _Combined(
        holds=holds,
        unsure=np.logical_or.reduce([one.unsure for one, _ in pairs]) & ~holds,
        explains=explains,
        low=np.minimum.reduce(lows),
        high=np.maximum.reduce(highs),
        first=_led([one.first for one, _ in pairs], leader),
        accused=np.logical_or.reduce([one.accused & flags for one, flags in pairs]),
        likely=_led([one.likely for one, _ in pairs], leader) & alone,
        rules=np.logical_or.reduce([_padded(one.rules, names) & flags for one, flags in pairs]),
    )


def _led(flags: Sequence[Flags], leader: NDArray[np.int64]) -> Flags:
    """For each group what its leading choice says."""
    return np.asarray(np.logical_or.reduce([one & (leader == number) for number, one in enumerate(flags)]))


def _padded(rules: Flags, names: int) -> Flags:
    return np.concatenate([rules, np.zeros((names - len(rules), rules.shape[1]), dtype=bool)])
