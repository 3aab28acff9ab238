"""Instances: one rule for one entity and period, in groups that share figures, and each group as one linear system.

In: the judged rows of all rules. Out: `Instance`s in groups, and the linear `System` of a group for one choice of
alternatives.

Rules are tied together by the figures of one entity and vintage; a figure of a named entity, such as a market that a
thousand shares are measured against, takes part in each group but ties none of them together, unless it is one that
the rules leave no value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from itertools import groupby
from typing import Any, NamedTuple

import polars as pl

from zhiji_etl.consistency.exact.linear import Bounds, Linear, gate
from zhiji_etl.consistency.rules.compiled import Judged
from zhiji_etl.consistency.rules.expressions import SAME, Operand, operands_of
from zhiji_etl.consistency.rules.operands import columns, step_away
from zhiji_etl.consistency.rules.readings import WIDEST, exact_bounds, fails_unprinted
from zhiji_etl.consistency.rules.systems import SHUT, Template, rules_of_row, template, ways
from zhiji_etl.figures import Severity, Verdict
from zhiji_etl.periods import Period
from zhiji_etl.tables import Metric


class Subject(NamedTuple):
    """Who and what and when: a figure by name."""

    entity: str
    metric: str
    start: date
    end: date

    @property
    def name(self) -> str:
        """The figure as a person says it."""
        return f"{self.entity} {self.metric} {self.period}"

    @property
    def period(self) -> str:
        """Its period as a label."""
        return Period.between(self.start, self.end).label


class Option(NamedTuple):
    """One alternative of a rule in one row: its linear form (null where it has none) and the figure of each operand."""

    form: Template | None
    row: Mapping[str, Any]
    leaves: Mapping[str, Operand]
    subjects: Mapping[str, Subject]


class Instance(NamedTuple):
    """One rule for one entity and period; of its options at least one must hold."""

    rule: str
    options: tuple[Option, ...]
    severity: Severity = Severity.ERROR

    @property
    def row(self) -> Mapping[str, Any]:
        """The row of its first option: entity, period, vintage are the same in all."""
        return self.options[0].row

    @property
    def name(self) -> str:
        """The rule and its period."""
        return f"{self.rule} {self.row['period']}"

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from all others: rule, entity, vintage, first and last day."""
        return (self.rule, *(self.row.get(part) for part in ("entity", "vintage", "period_start", "period_end")))

    @property
    def failed(self) -> bool:
        """Whether it cannot hold by itself."""
        return all(option.row["verdict"] == Verdict.INCONSISTENT.value for option in self.options)

    @property
    def subjects(self) -> set[Subject]:
        """The figures that any of its options needs."""
        return {subject for option in self.options for subject in option.subjects.values()}

    @property
    def own(self) -> set[Subject]:
        """Those of them that are not of a named entity."""
        return {
            option.subjects[name]
            for option in self.options
            for name, leaf in option.leaves.items()
            if leaf.entity is None and name in option.subjects
        }


class Taken(NamedTuple):
    """An option in one of the forms in which it can hold; null where it says nothing."""

    option: Option
    form: Template | None


@dataclass(slots=True)
class System:
    """A group as one linear system, for one choice of options; `ratios`: the forms that give a printed ratio.

    `allowed`: what each figure can be, were it not printed.
    """

    rules: list[Linear] = field(default_factory=list)
    box: dict[str, Bounds] = field(default_factory=dict)
    allowed: dict[str, Bounds] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    subjects: dict[str, Subject] = field(default_factory=dict)
    figure_ids: dict[str, int] = field(default_factory=dict)
    ratios: dict[str, list[tuple[Template, Mapping[str, str]]]] = field(default_factory=dict)


class Known(NamedTuple):
    """What the figures of systems are: metrics, prints by figure_id, the weight of each source."""

    metrics: Mapping[str, Metric]
    prints: Mapping[int, Mapping[str, Any]]
    trust: Mapping[str, float]


def instances_of(judged: Sequence[Judged], entities: Collection[str]) -> list[Instance]:
    """One instance for each rule, entity and period of these entities; rules without any linear form are left out."""
    made: list[Instance] = []
    for several in alternatives(judged):
        forms = [template(one.check) for one in several]
        if any(form is not None for form in forms):
            made += _instances(several, forms, entities)
    return made


def alternatives(judged: Iterable[Judged]) -> Iterator[list[Judged]]:
    """The judged rows in lists of which one has to hold: alternatives of a scope together, all else alone."""
    for _, several in groupby(judged, key=lambda one: id(one.compiled)):
        listed = list(several)
        yield from [[one] for one in listed] if listed[0].compiled.every else [listed]


def all_wrong(several: Sequence[Judged]) -> pl.Series:
    """In which rows no alternative holds."""
    verdicts = [one.frame.get_column("verdict").cast(pl.String).alias(str(n)) for n, one in enumerate(several)]
    return pl.DataFrame(verdicts).select(pl.all_horizontal(pl.all() == Verdict.INCONSISTENT.value)).to_series()


def all_lost(several: Sequence[Judged], metrics: Mapping[str, Metric]) -> pl.Series:
    """In which rows no alternative can hold, whatever the figures are that nobody printed."""
    ends = {name: one.ends for name, one in metrics.items()}
    lost = [fails_unprinted(one.frame, one.check, ends).alias(str(n)) for n, one in enumerate(several)]
    wrong = [all_wrong([one]).alias(f"wrong {n}") for n, one in enumerate(several)]
    each = [pl.col(flags.name) | pl.col(fails.name) for flags, fails in zip(lost, wrong, strict=True)]
    return pl.DataFrame([*lost, *wrong]).select(pl.all_horizontal(each)).to_series()


def severest(severities: Iterable[Severity]) -> Severity:
    """The loudest of several severities; an error where there are none."""
    return max(severities, key=list(Severity).index, default=Severity.ERROR)


def strained(judged: Sequence[Judged]) -> tuple[set[Subject], set[str]]:
    """Rows that cannot hold with what other rules imply: the figures that are implied, and the entities of the rows.

    In: rows judged with implied values among their operands, which have no figure_id.
    """
    subjects: set[Subject] = set()
    entities: set[str] = set()
    for several in alternatives(judged):
        leaves = operands_of(several[0].relation)
        implied = [pl.col(columns(n).figure_id).is_null() & pl.col(columns(n).low).is_not_null() for n in leaves]
        wrong = several[0].frame.filter(all_wrong(several)).filter(pl.any_horizontal(implied))
        for row in wrong.iter_rows(named=True):
            unprinted = [leaf for name, leaf in leaves.items() if row[columns(name).figure_id] is None]
            subjects.update(found for leaf in unprinted if (found := subject_of(leaf, row)) is not None)
            entities.add(row["entity"])
    return subjects, entities


def grouped(instances: Sequence[Instance], refuted: Collection[Subject]) -> list[list[Instance]]:
    """The instances that are connected, in order of appearance; `refuted` figures connect whoever needs them."""
    no_value = set(refuted)
    ties = [{(one.row.get("vintage"), s) for s in one.own | (one.subjects & no_value)} for one in instances]
    of_figure: dict[tuple[object, Subject], list[int]] = defaultdict(list)
    for number, tied in enumerate(ties):
        for subject in tied:
            of_figure[subject].append(number)
    groups: list[list[Instance]] = []
    seen: set[int] = set()
    for start in range(len(instances)):
        reached = _reached(start, ties, of_figure, seen)
        groups += [[instances[number] for number in sorted(reached)]] if reached else []
    return groups


def taken(instance: Instance, known: Known) -> list[Taken]:
    """The ways in which an instance can hold: its options, each with the sign that a divisor may have."""
    return [Taken(option, form) for option in instance.options for form in _forms(option, known)]


def system(instances: Sequence[Instance], chosen: Sequence[Taken], known: Known) -> System:
    """The linear system of a group, with one way taken of each instance."""
    made = System()
    for instance, (option, form) in zip(instances, chosen, strict=True):
        boxes = {name: exact_bounds(option.row, name, WIDEST) for name in option.subjects}
        for operand, bounds in boxes.items():
            _enter(made, option, operand, bounds, known)
        names = {operand: subject.name for operand, subject in option.subjects.items()}
        if form is not None:
            if form.ratio is not None:
                made.ratios.setdefault(names[form.ratio], []).append((form, names))
            made.rules.extend(rules_of_row(form, instance.name, boxes, names, made.allowed))
    return made


def subject_of(leaf: Operand, row: Mapping[str, Any]) -> Subject | None:
    """The figure that an operand is in one row; null where its period does not exist."""
    entity = row["entity"] if leaf.entity is None else leaf.entity
    if leaf.offset == SAME:
        return Subject(entity, leaf.metric, row["period_start"], row["period_end"])
    moved = step_away(Period.between(row["period_start"], row["period_end"]), leaf.offset)
    return None if moved is None else Subject(entity, leaf.metric, moved.start, moved.end)


def _instances(
    several: Sequence[Judged], forms: Sequence[Template | None], entities: Collection[str]
) -> Iterator[Instance]:
    mine = pl.col("entity").is_in(list(entities))
    leaves = [operands_of(one.relation) for one in several]
    rows = [one.frame.filter(mine).iter_rows(named=True) for one in several]
    for alternatives_of_row in zip(*rows, strict=True):
        options = zip(forms, alternatives_of_row, leaves, strict=True)
        rule = several[0].compiled.rule
        yield Instance(rule.name, tuple(_option(*option) for option in options), rule.severity)


def _option(form: Template | None, row: Mapping[str, Any], leaves: Mapping[str, Operand]) -> Option:
    found = {name: subject_of(leaf, row) for name, leaf in leaves.items()}
    return Option(form, row, leaves, {name: subject for name, subject in found.items() if subject is not None})


def _forms(option: Option, known: Known) -> Sequence[Template | None]:
    if option.form is None or len(option.subjects) != len(option.leaves):
        return [None]
    box = {name: exact_bounds(option.row, name, WIDEST) for name in option.subjects}
    unprinted = [name for name in box if option.row[columns(name).figure_id] is None or box[name].free]
    box |= {name: _allowed(known.metrics[option.subjects[name].metric], None) for name in unprinted}
    return ways(option.form, box) or [None]


def _reached(
    start: int,
    ties: Sequence[Collection[tuple[object, Subject]]],
    of_figure: Mapping[tuple[object, Subject], Sequence[int]],
    seen: set[int],
) -> list[int]:
    """The numbers of the instances that are connected to one and not seen before."""
    waiting, reached = [start], []
    while waiting:
        number = waiting.pop()
        if number not in seen:
            seen.add(number)
            reached.append(number)
            waiting += [neighbour for subject in ties[number] for neighbour in of_figure[subject]]
    return reached


def _enter(made: System, option: Option, operand: str, bounds: Bounds, known: Known) -> None:
    """Put one figure into a system, with its bounds and what it costs to change it."""
    subject = option.subjects[operand]
    name, number = subject.name, option.row[columns(operand).figure_id]
    made.subjects[name] = subject
    metric = known.metrics[subject.metric]
    if number is None or bounds.free:
        made.box[name] = made.allowed[name] = _allowed(metric, None)
        made.weights[name] = float("inf")
        return
    made.allowed[name] = _allowed(metric, bounds)
    made.figure_ids[name] = number
    made.box[name] = bounds
    made.weights[name] = known.trust.get(known.prints.get(number, {}).get("source") or "", 1.0)
    if option.form is not None and option.form.ratio == operand:
        made.box[gate(name)] = SHUT


def _allowed(metric: Metric, printed: Bounds | None) -> Bounds:
    """What a figure can be by what is declared of its metric, and where that is more, by its print.

    That no figure of a metric happens to be below zero says nothing of one that may be wrong, or is not printed.
    """
    declared = (None, None) if metric.assumed else (metric.at_least, metric.at_most)
    low, high = (None if end is None else Fraction(str(end)) for end in declared)
    if printed is None:
        return Bounds(low, high)
    least = None if low is None or printed.low is None else min(low, printed.low)
    return Bounds(least, None if high is None or printed.high is None else max(high, printed.high))
