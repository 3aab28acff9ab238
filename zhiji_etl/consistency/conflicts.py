"""Conflicts: figures and rules that cannot hold together, and which figure is likely wrong.

In: the judged rows of all rules. Out: one finding (kind `conflict`) for each group of rules that share figures and
cannot all hold: the figures of its minimal conflicts, every single figure that would resolve it with the bounds that
it must then have and the slip that explains it, and in `reading` the one that is most likely wrong, or that there is a
tie.

Rules are tied together by the figures of one entity; a figure of a named entity, such as a market that a thousand
shares are measured against, takes part in each group but ties none of them together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple

import polars as pl

from zhiji_etl.consistency.expressions import SAME, Operand, operands_of
from zhiji_etl.consistency.linear import Bounds, Linear
from zhiji_etl.consistency.localise import Localisation, localise, must_be
from zhiji_etl.consistency.operands import columns, step_away
from zhiji_etl.consistency.patterns import slips
from zhiji_etl.consistency.readings import WIDEST, exact_bounds
from zhiji_etl.consistency.rules import Judged
from zhiji_etl.consistency.systems import SHUT, Template, rules_of_row, template
from zhiji_etl.figures import FINDING_COLUMNS, Severity, Verdict
from zhiji_etl.periods import Period
from zhiji_etl.tables import Metric

CONFLICT: Final = "conflict"
GROUPS: Final = 2000
"""How many groups are localised one by one; the loudest come first, and the rest keep their rules' own findings."""

LARGEST: Final = 200
"""Rules in one group that are localised together."""


class Subject(NamedTuple):
    """Who and what and when: a figure by name."""

    entity: str
    metric: str
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Instance:
    """One rule for one entity and period: its row, and the figure that each operand is."""

    judged: Judged
    template: Template
    row: Mapping[str, Any]
    subjects: Mapping[str, Subject]

    @property
    def name(self) -> str:
        """The rule and its period."""
        return f"{self.judged.compiled.rule.name} {self.row['period']}"

    @property
    def failed(self) -> bool:
        """Whether it cannot hold by itself."""
        return bool(self.row["verdict"] == Verdict.INCONSISTENT.value)


@dataclass(slots=True)
class Group:
    """Rules that share figures, as one linear system."""

    rules: list[Linear] = field(default_factory=list)
    box: dict[str, Bounds] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    subjects: dict[str, Subject] = field(default_factory=dict)
    figure_ids: dict[str, int] = field(default_factory=dict)
    needed: dict[str, Bounds] = field(default_factory=dict)


def conflicts(
    judged: Sequence[Judged], metrics: Mapping[str, Metric], figures: pl.DataFrame, trust: Mapping[str, float]
) -> pl.DataFrame:
    """The conflict findings of all groups that cannot hold: FINDING_COLUMNS but id.

    `trust` is the weight of each source; figures of a source of infinite weight are never suspected.
    """
    chosen = [(one, made) for one in judged if (made := template(one.check)) is not None]
    entities = {row[0] for one, _ in chosen for row in _failed(one.frame).select("entity").unique().iter_rows()}
    instances = [instance for one, made in chosen for instance in _instances(one, made, entities)]
    groups = [group for group in _groups(instances) if any(one.failed for one in group)][:GROUPS]
    named = _prints(figures, groups)
    rows = [_finding(group, metrics, named, trust) for group in groups if len(group) <= LARGEST]
    return pl.DataFrame([row for row in rows if row is not None], schema=FINDING_COLUMNS, orient="row")


# -------------------------------------------------------------------------------------------- rules that share figures


def _failed(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("verdict").cast(pl.String) == Verdict.INCONSISTENT.value)


def _instances(one: Judged, made: Template, entities: set[str]) -> Iterator[Instance]:
    leaves = operands_of(one.relation)
    concerned = one.frame.filter(pl.col("entity").is_in(entities))
    for row in concerned.iter_rows(named=True):
        subjects = {name: _subject(leaf, row) for name, leaf in leaves.items()}
        yield Instance(one, made, row, {name: found for name, found in subjects.items() if found is not None})


def _subject(leaf: Operand, row: Mapping[str, Any]) -> Subject | None:
    entity = row["entity"] if leaf.entity is None else leaf.entity
    if leaf.offset == SAME:
        return Subject(entity, leaf.metric, row["period_start"], row["period_end"])
    moved = step_away(Period.between(row["period_start"], row["period_end"]), leaf.offset)
    return None if moved is None else Subject(entity, leaf.metric, moved.start, moved.end)


def _groups(instances: Sequence[Instance]) -> list[list[Instance]]:
    """The instances that are connected through figures of their own entity, in order of appearance."""
    of_figure: dict[Subject, list[int]] = defaultdict(list)
    for number, instance in enumerate(instances):
        for name, leaf in operands_of(instance.judged.relation).items():
            if leaf.entity is None and name in instance.subjects:
                of_figure[instance.subjects[name]].append(number)
    group_of: dict[int, int] = {}
    for number in range(len(instances)):
        if number not in group_of:
            _spread(number, instances, of_figure, group_of)
    groups: dict[int, list[Instance]] = defaultdict(list)
    for number, instance in enumerate(instances):
        groups[group_of[number]].append(instance)
    return list(groups.values())


def _spread(
    start: int, instances: Sequence[Instance], of_figure: Mapping[Subject, list[int]], group_of: dict[int, int]
) -> None:
    waiting = [start]
    group_of[start] = start
    while waiting:
        for subject in instances[waiting.pop()].subjects.values():
            for neighbour in of_figure.get(subject, ()):
                if neighbour not in group_of:
                    group_of[neighbour] = start
                    waiting.append(neighbour)


# ---------------------------------------------------------------------------------------------- one group, localised


def _finding(
    instances: Sequence[Instance],
    metrics: Mapping[str, Metric],
    prints: Mapping[int, Mapping[str, Any]],
    trust: Mapping[str, float],
) -> dict[str, Any] | None:
    group = _system(instances, metrics, prints, trust)
    found = localise(group.rules, group.box, group.weights, limit=LARGEST)
    if not found.conflicts:
        return None
    named = sorted({name for conflict in found.conflicts for name in conflict.figures})
    failing = next(one for one in instances if one.failed)
    return {
        "kind": CONFLICT,
        "rule": ", ".join(sorted({name.rsplit(" ", 1)[0] for conflict in found.conflicts for name in conflict.rules})),
        "table": failing.row["table"],
        "entity": failing.row["entity"],
        "period": failing.row["period"],
        "verdict": Verdict.INCONSISTENT.value,
        "severity": Severity.INFO.value,
        "figures": [group.figure_ids[name] for name in named if name in group.figure_ids],
        "resolved_by": [_change(names[0], group, metrics, prints) for names in found.minimal_sets if len(names) == 1],
        "reading": _reading(found),
        "message": _message(found, group),
    }


def _system(
    instances: Sequence[Instance],
    metrics: Mapping[str, Metric],
    prints: Mapping[int, Mapping[str, Any]],
    trust: Mapping[str, float],
) -> Group:
    group = Group()
    for instance in instances:
        boxes: dict[str, Bounds] = {}
        names = {name: _name(subject) for name, subject in instance.subjects.items()}
        for operand, name in names.items():
            boxes[operand] = exact_bounds(instance.row, operand, WIDEST)
            _enter(group, instance, operand, name, boxes[operand], metrics, prints, trust)
        if len(names) == len(operands_of(instance.judged.relation)):
            group.rules.extend(rules_of_row(instance.template, instance.name, boxes, names))
    return group


def _enter(
    group: Group,
    instance: Instance,
    operand: str,
    name: str,
    bounds: Bounds,
    metrics: Mapping[str, Metric],
    prints: Mapping[int, Mapping[str, Any]],
    trust: Mapping[str, float],
) -> None:
    """Put one figure into the system of its group, with its bounds and what it costs to change it."""
    subject = instance.subjects[operand]
    group.subjects[name] = subject
    number = instance.row[columns(operand).figure_id]
    if number is None or bounds.free:
        floor = metrics[subject.metric].at_least
        group.box[name] = Bounds(None if floor is None else Fraction(str(floor)))
        group.weights[name] = float("inf")
        return
    group.figure_ids[name] = number
    is_ratio = instance.template.ratio == operand
    group.box[name] = SHUT if is_ratio else bounds
    group.weights[name] = trust.get(prints.get(number, {}).get("source", ""), 1.0)
    if is_ratio and instance.row["implied_low"] is not None:
        group.needed[name] = Bounds(_fraction(instance.row["implied_low"]), _fraction(instance.row["implied_high"]))


def _change(
    name: str, group: Group, metrics: Mapping[str, Metric], prints: Mapping[int, Mapping[str, Any]]
) -> dict[str, Any]:
    """A figure that alone would resolve the conflict: the bounds it must have, and the slip that would explain it."""
    subject = group.subjects[name]
    needed = group.needed.get(name) or (must_be(group.rules, group.box, [name]) or {}).get(name) or Bounds()
    return {
        "entity": subject.entity,
        "metric": subject.metric,
        "period": Period.between(subject.start, subject.end).label,
        "low": _float(needed.low, float("-inf")),
        "high": _float(needed.high, float("inf")),
        "unit": metrics[subject.metric].unit,
        "pattern": _pattern(prints.get(group.figure_ids[name], {}), needed),
    }


def _pattern(printed: Mapping[str, Any], needed: Bounds) -> str | None:
    value, step = printed.get("value"), printed.get("step")
    if value is None or step is None:
        return None
    ends = [
        None if end is None else Decimal(end.numerator) / Decimal(end.denominator) for end in (needed.low, needed.high)
    ]
    found = slips(Decimal(repr(value)), Decimal(repr(step)), ends[0], ends[1])
    return found[0].name if found else None


def _prints(figures: pl.DataFrame, groups: Iterable[Sequence[Instance]]) -> dict[int, dict[str, Any]]:
    """What is known of the figures of some groups, by figure_id."""
    numbers = {
        instance.row[columns(name).figure_id] for group in groups for instance in group for name in instance.subjects
    }
    wanted = figures.filter(pl.col("figure_id").is_in(list(numbers - {None})))
    return {row["figure_id"]: row for row in wanted.iter_rows(named=True)}


def _name(subject: Subject) -> str:
    return f"{subject.entity} {subject.metric} {Period.between(subject.start, subject.end).label}"


def _reading(found: Localisation) -> str:
    if found.most_likely is not None:
        return f"most likely: {', '.join(found.most_likely)}"
    if not found.minimal_sets:
        return "only trusted figures are involved"
    return f"a tie of {len(found.minimal_sets)}"


def _message(found: Localisation, group: Group) -> str:
    first = found.conflicts[0]
    candidates = "; or ".join(" and ".join(names) for names in found.minimal_sets[:10])
    more = len(found.minimal_sets) - 10
    rest = f"; or {more} more" if more > 0 else ""
    printed = ", ".join(name for name in first.figures if name in group.figure_ids)
    return f"cannot hold together: {printed}. To change: {candidates}{rest}."


def _fraction(number: float) -> Fraction | None:
    return None if number in (float("inf"), float("-inf")) else Fraction(repr(number))


def _float(end: Fraction | None, unbounded: float) -> float:
    return unbounded if end is None else float(end)
