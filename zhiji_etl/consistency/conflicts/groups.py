"""Conflicts: figures and rules that cannot hold together, and which figure is likely wrong.

In: the judged rows of all rules, and the figures that rules leave no value. Out: one finding (kind `conflict`) for each
group of rules that share figures and cannot all hold: the figures of its minimal conflicts, every single figure that
would resolve it with the bounds that it must then have and the slip that explains it, and in `reading` the one that is
most likely wrong, or that there is a tie. Its severity is `info` beside a rule that fails by itself, else that of the
severest of its rules: nothing else tells of it. Groups that are not tried are counted in findings of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby, islice, product
from math import prod
from typing import Any, Final, NamedTuple

import polars as pl

from zhiji_etl.consistency.conflicts.contested import Contested, contested, needed
from zhiji_etl.consistency.conflicts.elsewhere import Elsewhere
from zhiji_etl.consistency.conflicts.instances import (
    Instance,
    Known,
    Option,
    Subject,
    System,
    Taken,
    grouped,
    instances_of,
    severest,
    system,
    taken,
)
from zhiji_etl.consistency.conflicts.ratios import ratio_bounds
from zhiji_etl.consistency.conflicts.together import CHOICES, CONFLICT_COLUMNS, Together, localised_together
from zhiji_etl.consistency.exact.linear import Bounds
from zhiji_etl.consistency.exact.localise import Conflict, freed, localise, must_be
from zhiji_etl.consistency.rules.changes import earlier_level, likely_slip
from zhiji_etl.consistency.rules.compiled import Judged
from zhiji_etl.consistency.rules.expressions import operands_of
from zhiji_etl.consistency.rules.systems import Template
from zhiji_etl.figures import FINDING_COLUMNS, Severity, Verdict
from zhiji_etl.tables import Metric

CONFLICT: Final = "conflict"
GROUPS: Final = 2000
"""How many groups are decided one by one, those in which a rule fails first: those whose conflicts no single figure
explains, or that floats and propagation cannot decide. Findings count the rest."""

LARGEST: Final = 200
"""Rules in one group that are localised together."""


class Localised(NamedTuple):
    """What would resolve a group: the sets of least weight over all choices of alternatives, and whence.

    `searched`: False where there were too many to try.
    """

    systems: tuple[System, ...]
    sets: tuple[tuple[str, ...], ...]
    conflict: Conflict
    rules: frozenset[str]
    figures: frozenset[str]
    most_likely: tuple[str, ...] | None
    searched: bool


class Conflicts(NamedTuple):
    """CONFLICT_COLUMNS but id; how many groups were not tried, by whether a rule of them fails; entities tied to others
    by a figure that rules leave no value, where those are decided elsewhere.
    """

    findings: pl.DataFrame
    untried: Counter[bool]
    tied: frozenset[str] = frozenset()


def conflicts(
    judged: Sequence[Judged],
    metrics: Mapping[str, Metric],
    figures: pl.DataFrame,
    trust: Mapping[str, float],
    refuted: Collection[Subject] = (),
    concerned: Collection[str] = (),
    elsewhere: Elsewhere | None = None,
) -> Conflicts:
    """The conflict findings of all groups that cannot hold.

    `trust` is the weight of each source; figures of a source of infinite weight are never suspected. `refuted` are
    unprinted figures that rules seem to leave no value, `concerned` the entities whose figures do so. `elsewhere` where
    the figures are those of a shard: groups of several shards are then left out, or with `spanning` all others are.
    """
    no_value = frozenset(refuted)
    named = {leaf.entity for one in judged for leaf in operands_of(one.relation).values()}
    tying = {(one.entity, one.metric) for one in no_value if one.entity in named}
    quick = localised_together(judged, metrics, figures, trust, tying)
    # Where no refuted figure is of an entity that rules name, rules read it as one of their own row alone. All that
    # read it are then one group by `Instance.own`: one of two rules, or one that is lost by itself, and both kinds are
    # among those that are localised together. So nobody has to be looked at again.
    left, untried = _left(judged, quick, no_value, set(concerned) if tying else set())
    if elsewhere is not None and elsewhere.spanning:
        untried.clear()  # their own shards count them
    tied = [] if elsewhere is None else [group for group in left if elsewhere.spans(group, no_value)]
    if elsewhere is not None:
        left = tied if elsewhere.spanning else [group for group in left if group not in tied]
    chosen = [group for group in left if not _too_much(group)][:GROUPS]
    untried += Counter(_fails(group, no_value) for group in left)
    untried -= Counter(_fails(group, no_value) for group in chosen)
    if elsewhere is None or elsewhere.spanning:
        chosen += _across(judged, contested(needed(judged, metrics), figures)[:GROUPS])
    known = Known(metrics, _prints(figures, chosen), trust)
    found = [_finding(group, known) for group in chosen]
    told = pl.DataFrame([row for row in found if row is not None], schema=CONFLICT_COLUMNS, orient="row")
    quickly = quick.findings.drop("at")
    if elsewhere is not None and elsewhere.spanning:
        quickly = quickly.clear()
    entities = frozenset(one.row["entity"] for group in tied for one in group)
    return Conflicts(pl.concat([quickly, told]), untried, entities)


def untold(untried: Mapping[bool, int]) -> pl.DataFrame:
    """Findings that say how many groups were not localised and how many not tried, if any."""
    messages = {
        True: "not localised: {} groups of rules that fail; see the findings of their rules.",
        False: "not tried: {} groups of rules that each hold alone; whether they hold together is not known.",
    }
    fixed = {"kind": CONFLICT, "verdict": Verdict.NOT_CHECKABLE.value, "severity": Severity.WARNING.value}
    rows = [{**fixed, "message": text.format(untried[fails])} for fails, text in messages.items() if untried[fails] > 0]
    return pl.DataFrame(rows, schema=FINDING_COLUMNS, orient="row")


def _left(
    judged: Sequence[Judged], quick: Together, no_value: frozenset[Subject], concerned: Collection[str]
) -> tuple[list[list[Instance]], Counter[bool]]:
    """The groups to be decided one by one, those that fail first, and the count of all others, by whether they fail."""
    ordered = quick.left.sort("failed", "at", descending=[True, False])
    entities = {*ordered.head(GROUPS).get_column("entity"), *concerned}
    mine = pl.col("entity").is_in(list(entities))
    done, asked = (_keys(keys.filter(mine)) for keys in (quick.done, quick.left))
    groups = grouped(instances_of(judged, entities), no_value)
    open_ = [group for group in groups if not any(one.key in done for one in group)]
    wanted = [group for group in open_ if _fails(group, no_value) or any(one.key in asked for one in group)]
    beside = Counter(ordered.filter(~mine).get_column("failed"))
    return sorted(wanted, key=lambda group: not _fails(group, no_value)), beside


def _across(judged: Sequence[Judged], shared: Iterable[Contested]) -> list[list[Instance]]:
    """The groups that a contested figure ties together: rules of its two entities that hold by themselves."""
    tied: list[list[Instance]] = []
    for subject, entities in shared:
        holding = [one for one in instances_of(judged, entities) if not one.failed]
        tied += [group for group in grouped(holding, {subject}) if any(subject in one.subjects for one in group)]
    return tied


def _keys(rows: pl.DataFrame) -> set[tuple[object, ...]]:
    return set(rows.select("rule", "entity", "vintage", "period_start", "period_end").iter_rows())


def _fails(group: Sequence[Instance], no_value: frozenset[Subject]) -> bool:
    """Whether some rule of a group fails by itself, or needs a figure that rules leave no value."""
    return any(one.failed or one.subjects & no_value for one in group)


def _too_much(group: Sequence[Instance]) -> bool:
    return len(group) > LARGEST or prod(len(one.options) for one in group) > CHOICES


def _finding(instances: Sequence[Instance], known: Known) -> dict[str, Any] | None:
    found = _localised(instances, known)
    if found is None:
        return None
    failed = [one for one in instances if one.failed]
    first = (failed or instances)[0]
    # A print that admits no value, such as less than 0 of what cannot be negative, is a conflict by itself.
    names = {name.rsplit(" ", 1)[0] for name in found.rules} or {one.rule for one in instances}
    numbers = found.systems[0].figure_ids
    printed = [name for name in sorted(found.figures) if name in numbers]
    return {
        "kind": CONFLICT,
        "rule": ", ".join(sorted(names)),
        "table": first.row["table"],
        "entity": first.row["entity"],
        "period": first.row["period"],
        "vintage": first.row.get("vintage"),
        "verdict": Verdict.INCONSISTENT.value,
        "severity": (Severity.INFO if failed else _severest(instances, names)).value,
        "figures": [numbers[name] for name in printed],
        "resolved_by": [_change(names[0], found, known, printed) for names in found.sets if len(names) == 1],
        "reading": _reading(found),
        "message": _message(found),
    }


def _severest(instances: Iterable[Instance], names: Collection[str]) -> Severity:
    return severest(one.severity for one in instances if one.rule in names)


def _localised(instances: Sequence[Instance], known: Known) -> Localised | None:
    """What would resolve a group; null where some choice of alternatives holds."""
    ways = [taken(one, known) for one in instances]
    if prod(map(len, ways)) > CHOICES:
        # As many as there are options: a ratio to what may be above or below zero then says nothing.
        ways = [[Taken(option, _only(group)) for option, group in _by_option(several)] for several in ways]
    tried = []
    for chosen in product(*ways):
        made = system(instances, chosen, known)
        holds = partial(_holds, made)
        found = localise(made.rules, made.box, made.weights, allowed=made.allowed, limit=LARGEST, holds=holds)
        if not found.conflicts:
            return None
        tried.append((made, found))
    least = min(found.minimal_weight for _, found in tried)
    best = [(made, found) for made, found in tried if found.minimal_weight == least]
    sets = sorted({names for _, found in best for names in found.minimal_sets})
    told = [conflict for _, found in best for conflict in found.conflicts]
    alone = best[0][1].most_likely if len(best) == 1 or len(sets) == 1 else None
    return Localised(
        tuple(made for made, _ in best),
        tuple(sets),
        told[0],
        frozenset(name for conflict in told for name in conflict.rules),
        frozenset(name for conflict in told for name in conflict.figures),
        alone,
        bool(sets) or all(found.complete for _, found in best),
    )


def _by_option(several: Iterable[Taken]) -> Iterator[tuple[Option, list[Taken]]]:
    for _, group in groupby(several, key=lambda one: id(one.option)):
        listed = list(group)
        yield listed[0].option, listed


def _only(several: Sequence[Taken]) -> Template | None:
    return several[0].form if len(several) == 1 else None


def _change(name: str, found: Localised, known: Known, printed: Iterable[str]) -> dict[str, Any]:
    """A figure that alone would resolve the conflict: the bounds it must have, and the slip that would explain it."""
    systems = [made for made in found.systems if name in made.figure_ids]
    subject, number = systems[0].subjects[name], systems[0].figure_ids[name]
    scopes = [bounds for made in systems if (bounds := _needed(made, name)) is not None]
    low, high = _ends(_hull(scopes))
    mine = known.prints.get(number, {})
    fellows = [known.prints.get(systems[0].figure_ids.get(other, -1), {}) for other in printed]
    level = earlier_level(mine, fellows)
    return {
        "entity": subject.entity,
        "metric": subject.metric,
        "period": subject.period,
        "low": low,
        "high": high,
        "unit": known.metrics[subject.metric].unit,
        # Between two scopes no number need be right, so each is tried by itself.
        "pattern": next(filter(None, (likely_slip(mine, *_ends(one), level) for one in scopes)), None),
    }


def _needed(made: System, name: str) -> Bounds | None:
    """What a figure must be so that all else holds; null where changing it does not suffice in this system."""
    found = _must_be(made, [name])
    return None if found is None else found[name]


def _holds(made: System, changed: Iterable[str]) -> bool:
    """Whether figures can be changed so that all holds, where some are ratios: that is more than linear rules say."""
    return made.ratios.keys().isdisjoint(changed) or _must_be(made, changed) is not None


def _must_be(made: System, changed: Iterable[str]) -> dict[str, Bounds] | None:
    """What changed figures must be so that all else holds, a ratio in the rule that gives it and in all others.

    None where changing them does not suffice.
    """
    found = must_be(made.rules, made.box, changed, made.allowed)
    if found is None:
        return None
    box = freed(made.box, found, made.allowed)
    for name in found:
        for form, names in made.ratios.get(name, ()):
            found[name] = found[name].meet(ratio_bounds(made.rules, box, form, names))
    return None if any(bounds.empty for bounds in found.values()) else found


def _hull(bounds: Sequence[Bounds]) -> Bounds:
    """Everything between the lowest and the highest end."""
    lows, highs = [one.low for one in bounds], [one.high for one in bounds]
    low = None if None in lows else min((end for end in lows if end is not None), default=None)
    high = None if None in highs else max((end for end in highs if end is not None), default=None)
    return Bounds(low, high)


def _prints(figures: pl.DataFrame, groups: Iterable[Sequence[Instance]]) -> dict[int, dict[str, Any]]:
    """What is known of the figures of some groups, by figure_id."""
    options = [option for group in groups for instance in group for option in instance.options]
    numbers = {option.row[f"{name}|figure_id"] for option in options for name in option.subjects}
    wanted = figures.filter(pl.col("figure_id").is_in(list(numbers - {None})))
    return {row["figure_id"]: row for row in wanted.iter_rows(named=True)}


def _reading(found: Localised) -> str:
    if found.most_likely is not None:
        return f"most likely: {', '.join(found.most_likely)}"
    if not found.sets:
        return "only trusted figures are involved" if found.searched else "too many figures to search"
    return f"a tie of {len(found.sets)}"


def _message(found: Localised) -> str:
    candidates = "; or ".join(" and ".join(names) for names in islice(found.sets, 10))
    more = len(found.sets) - 10
    rest = f"; or {more} more" if more > 0 else ""
    printed = ", ".join(name for name in found.conflict.figures if name in found.systems[0].figure_ids)
    nothing = " No figure of them may be changed." if found.searched else " What to change was not searched to the end."
    change = f" To change: {candidates}{rest}." if candidates else nothing
    return f"cannot hold together: {printed}.{change}"


def _ends(bounds: Bounds) -> tuple[float, float]:
    low, high = bounds.low, bounds.high
    return float("-inf") if low is None else float(low), float("inf") if high is None else float(high)
