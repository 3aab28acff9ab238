"""What the library says of a project against what the oracle does: each difference is a sentence.

In: a `Project`. Out: sentences, none where both agree; and how much was compared.

What docs/agree.md lists as not decided is counted, in brackets, and no difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import inf, isclose
from typing import Any

import polars as pl

import zhiji_etl as zj
from oracle.decisions import Instance, Outcome, Project
from oracle.elimination import Ends, TooManyError
from oracle.laws import Key, Relation, Row
from zhiji_etl.errors import RuleError
from zhiji_etl.findings import conflicts_of

Finding = Mapping[str, Any]


class Company(zj.Table):
    """What the metrics of drawn projects are."""

    a: float = zj.Quantity("count", ge=0)
    b: float = zj.Quantity("count", ge=0)
    c: float = zj.Quantity("count", ge=0)
    d: float = zj.Quantity("count", ge=0)
    t: float = zj.Quantity("count", ge=0)
    x: float = zj.Quantity("count")
    y: float = zj.Quantity("count")
    p: float = zj.Quantity("percent", ge=0)
    q: float = zj.Quantity("percent", ge=0)
    g: float = zj.Quantity("percent")


@dataclass
class Comparison:
    """One project, run by the library and decided by the oracle."""

    project: Project
    as_text: bool
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Run the library."""
        project = self.project
        listed = [(key, one) for key, prints in project.prints.items() for one in prints]
        rows = [
            {
                "entity": key.entity,
                "metric": key.metric,
                "period": key.period,
                "vintage": key.vintage or None,
                "source": _source(key),
                **({"printed": one.text} if self.as_text else one.columns),
            }
            for key, one in listed
        ]
        frame = pl.DataFrame(rows, infer_schema_length=None)
        trust = {_source(key): inf if weight is None else float(weight) for key, weight in project.weights.items()}
        found = zj.check(frame, [Company, *(law.function for law in project.laws)], trust=trust)
        self.findings = found.frame.to_dicts()
        self.implied = found.implied.to_dicts()
        self.figures = found.figures.to_dicts()
        self.names = {
            row["figure_id"]: Key(row["entity"], row["metric"], row["period"], row["vintage"] or "")
            for row in self.figures
        }
        self.listed = listed

    def differences(self) -> Iterator[str]:
        """All differences."""
        yield from self.of_bounds()
        yield from self.of_rules()
        yield from self.of_groups()
        yield from self.of_implied()

    # --- bounds ------------------------------------------------------------------------------------------------------

    def of_bounds(self) -> Iterator[str]:
        """Figures read otherwise."""
        for (key, one), row in zip(self.listed, self.figures, strict=True):
            self.counts["figures"] += 1
            expected = replace(one, widest=self.project.cut(key, one.widest)).columns
            free = {"value", "unit"} | (set() if one.qualifier in ("exact", "about") else {"step_max"})
            if any(row[name] != told for name, told in expected.items() if name not in free):
                read = [row[name] for name in expected]
                yield f"{key.name} “{one.text}” is read as {read}, not {[*expected.values()]}"

    # --- rules -------------------------------------------------------------------------------------------------------

    def of_rules(self) -> Iterator[str]:
        """Rules judged otherwise."""
        judged = [row for row in self.findings if row["kind"] in ("rule", "alternative")]
        told = {(row["rule"], _row(row)): row for row in judged}
        for instance in self.project.instances:
            several = len(instance.law.alternatives) > 1
            outcomes = []
            for name, relation in instance.law.alternatives.items():
                rule = f"{instance.law.name}.{name}" if name else instance.law.name
                row = told.get((rule, instance.row))
                outcomes.append(self.project.outcome(instance, relation))
                if row is not None:
                    yield from (f"{_named(row)}: {what}" for what in self.of_rule(row, instance, relation))
                elif outcomes[-1].kind in ("meets", "fails"):
                    yield f"{rule} {instance.row} is not told"
            row = told.get((instance.law.name, instance.row))
            if several and row is not None:
                self.counts["rules with alternatives"] += 1
                fails = (any if instance.law.every else all)(one.kind == "fails" for one in outcomes)
                if fails != (row["verdict"] == "inconsistent"):
                    yield f"{_named(row)} is {row['verdict']}, its alternatives {outcomes}"

    def of_rule(self, row: Finding, instance: Instance, relation: Relation) -> Iterator[str]:
        """One finding of a rule or of an alternative."""
        self.counts["rules"] += 1
        outcome = self.project.outcome(instance, relation)
        verdict, reason = row["verdict"], row["reason"]
        expected = {
            "disputed": ("not_checkable",),
            "missing": ("not_checkable",),
            "zero": ("not_checkable", "inconsistent"),
            "fails": ("inconsistent",),
            "meets": ("consistent", "too_imprecise"),
        }[outcome.kind]
        zero = reason == "division_by_zero" and self.project.divides_by_zero(instance, relation)
        if verdict not in expected and not zero:
            yield f"is {verdict} ({reason}), the oracle says {outcome}"
            return
        if outcome.kind in ("meets", "fails") and not zero:
            yield from self.of_measures(row, instance, relation, outcome)
        if outcome.kind == "fails" and not zero:
            yield from self.of_resolutions(row, instance, relation)

    def of_measures(self, row: Finding, instance: Instance, relation: Relation, outcome: Outcome) -> Iterator[str]:
        """The implied bounds and the reading of a rule."""
        level = outcome.level if outcome.kind == "meets" else None
        implied = self.project.stated(instance, relation, level)
        if relation.symbol == "==" and not instance.law.missing_parts:
            self.counts["implied bounds of rules"] += 1
            # What cannot be below zero may be cut off there or not.
            if not _same(implied, (row["implied_low"], row["implied_high"])):
                yield f"implies {row['implied_low']} to {row['implied_high']}, the oracle {_told(implied)}"
        reading = self.reading(instance, relation, outcome.level)
        if outcome.kind == "meets" and (row["reading"] or "") != reading:
            yield f"is read as “{row['reading']}”, the oracle “{reading}”"

    def reading(self, instance: Instance, relation: Relation, level: int) -> str:
        """What a finding says of the readings at which a rule meets."""
        texts = []
        for ref in relation.refs:
            used = self.project.used(ref.of(instance.row))
            if used is not None and used.rungs and level:
                texts.append(f"{ref.name} to the nearest {used.step * 10 ** min(level, used.rungs)}")
        return ", ".join(texts)

    def of_resolutions(self, row: Finding, instance: Instance, relation: Relation) -> Iterator[str]:
        """The single changes that would let a rule hold."""
        told = {(one["entity"], one["metric"], one["period"]): one for one in row["resolved_by"] or []}
        for ref in relation.refs:
            key = ref.of(instance.row)
            if key not in self.project.prints:
                continue
            expected = self.project.explained(instance, relation, ref)
            one = told.get((key.entity, key.metric, key.period))
            self.counts["single changes of rules"] += 1
            if one is None and relation.under and not expected.empty and None in expected[:2]:
                self.counts["(changes that a ratio which may be zero leaves untold)"] += 1
            elif one is None and not expected.empty:
                yield f"a change of {key.name} to {_told(expected)} is not told"
            elif (
                one is not None
                and not (expected.empty and one["high"] <= 0)
                and not _same(expected, (one["low"], one["high"]))
            ):
                yield f"{key.name} must be {one['low']} to {one['high']}, the oracle says {_told(expected)}"

    # --- groups ------------------------------------------------------------------------------------------------------

    def of_groups(self) -> Iterator[str]:
        """Conflicts, candidates and what they must be."""
        conflicts = [row for row in self.findings if row["kind"] == "conflict"]
        for row in conflicts:
            if row["verdict"] != "inconsistent":
                yield f"not tried: {row['message']}"
            elif not row["rule"]:
                yield f"a conflict without a rule: {row['message']}"
        for group in self.project.groups:
            self.counts["groups"] += 1
            keys, entity = self.project.box(group).keys(), group[0].row.entity
            mine = [r for r in conflicts if r["entity"] == entity and {*self.figures_of(r)} <= keys]
            holds = self.project.holds(group)
            if holds and mine:
                yield f"{entity}: a conflict where all can hold: {mine[0]['message']}"
            elif not holds:
                self.counts["conflicts"] += 1
                yield from self.of_conflict(mine, group)
            yield from self.of_links(mine, group)
        if not conflicts and not self.wrong:
            self.counts["projects without conflict"] += 1
            self.counts["(across entities, not told)"] += not self.all_holds

    @cached_property
    def all_holds(self) -> bool:
        """Whether all rules of all entities can hold."""
        return all(self.project.holds(group) for group in self.project.together)

    @property
    def wrong(self) -> list[Finding]:
        """The rules that fail by themselves."""
        return [row for row in self.findings if row["kind"] == "rule" and row["verdict"] == "inconsistent"]

    def figures_of(self, row: Finding) -> Iterable[Key]:
        """The figures of a finding."""
        return [self.names[number] for number in row["figures"]]

    def of_conflict(self, told: Sequence[Finding], group: Sequence[Instance]) -> Iterator[str]:
        """One group that cannot hold."""
        entity = group[0].row.entity
        keys = set().union(*(one.own for one in group))
        others = [
            row for row in self.findings if row["kind"] == "conflict" and not keys.isdisjoint(self.figures_of(row))
        ]
        if not told and others:
            self.counts["(told with the groups of other entities)"] += 1
            return
        if not told and self._is_left(group):
            self.counts["(groups that are not decided)"] += 1
            return
        if len(told) != 1:
            yield f"{entity}: {len(told)} conflicts where {[one.law.name for one in group]} cannot hold"
            return
        (row,) = told
        expected = {frozenset(key.name for key in one) for one in self.project.sets(group)}
        listed, more = _candidates(row["message"])
        divisors = {key.name for key in self.project.signed_divisors(group)}
        suffice = all(
            self.project.holds(group, {key for key in self.project.box(group) if key.name in one}) for one in listed
        )
        if expected - listed and suffice and all(divisors & one for one in expected - listed):
            self.counts["(candidates that would turn the sign of a divisor)"] += 1
            return
        if more == 0 and expected != listed and len(expected) > 0:
            yield f"{entity}: {row['message']} The oracle would change {_sets(expected)}"
            return
        yield from self.of_likely(row, group, listed)
        for change in row["resolved_by"]:
            # A named entity has no vintage of its own, and is drawn where there are none.
            key = Key(change["entity"], change["metric"], change["period"], group[0].row.vintage)
            self.counts["candidates"] += 1
            ends, bounds = self.project.change(group, key), (change["low"], change["high"])
            if self.project.is_ratio(group, key) and _holds(bounds, ends) and not _same(ends, bounds):
                self.counts["(ratios to change, wider than need be)"] += 1
            elif not _same(ends, bounds):
                yield f"{entity}: {key.name} must be {change['low']} to {change['high']}, the oracle says {_told(ends)}"

    def of_likely(self, row: Finding, group: Sequence[Instance], listed: Iterable[frozenset[str]]) -> Iterator[str]:
        """One of several candidates that is called most likely though the others are not supported."""
        candidates = set().union(*listed)
        beside = candidates - {*row["reading"].removeprefix("most likely: ").split(", ")}
        if not row["reading"].startswith("most likely") or not beside:
            return
        self.counts["most likely of several"] += 1
        held = {key.name for key in self.project.supported(group)}
        if not beside <= held:
            yield f"{group[0].row.entity}: {row['reading']}, though no rule supports {sorted(beside - held)}"

    def _is_left(self, group: Sequence[Instance]) -> bool:
        """Whether a group that cannot hold is one that is not decided."""
        alone = [relation for one in group for relation in one.law.alternatives.values()] if len(group) == 1 else []
        if alone and all(self.project.outcome(group[0], relation).kind == "missing" for relation in alone):
            return True
        known = [
            one
            for one in group
            if not any(self.project.divides_by_zero(one, relation) for relation in one.law.alternatives.values())
        ]
        return not known or self.project.holds(known)

    def of_links(self, conflicts: Sequence[Finding], group: Sequence[Instance]) -> Iterator[str]:
        """Rules that fail without a word of the conflict that they are part of."""
        frame = pl.DataFrame(self.findings, infer_schema_length=None)
        here = {(one.law.name, one.row) for one in group}
        for row in self.wrong:
            trusted = any("may be changed" in one["message"] for one in conflicts)
            if (
                len(conflicts) == 1
                and not trusted
                and (row["rule"], _row(row)) in here
                and conflicts
                and row["figures"]
            ):
                self.counts["links"] += 1
                linked = {one["message"] for one in conflicts_of(row, frame).to_dicts()}
                if conflicts[0]["message"] not in linked:
                    yield f"{_named(row)} is not linked to its conflict"

    # --- implied -----------------------------------------------------------------------------------------------------

    def of_implied(self) -> Iterator[str]:
        """Implied bounds that leave out what a figure can be."""
        if any(key.vintage for key in self.project.prints) or not self.all_holds:
            return  # implied values are those of no vintage
        for row in self.implied:
            key = Key(row["entity"], row["metric"], row["period"])
            self.counts["implied"] += 1
            if key in self.project.prints and not self.project.disputed(key):
                yield f"{key.name} is printed and implied"
                continue
            ends = self.project.implied(key)
            told = row["low"], row["high"]
            if not _holds(told, ends):
                yield f"{key.name} is implied to be {told[0]} to {told[1]}, the oracle says {_told(ends)}"
            elif not _same(ends, told):
                self.counts["(implied, wider than need be)"] += 1


def compared(project: Project, counts: Counter[str], *, as_text: bool) -> list[str]:
    """All differences in one project; what is too large for the oracle is counted and left."""
    try:
        comparison = Comparison(project, as_text, counts)
        counts["projects"] += 1
        return list(comparison.differences())
    except RuleError as error:
        counts[f"refused: {error.code}"] += 1
    except TooManyError:
        counts["too large for the oracle"] += 1
    return []


def _candidates(message: str) -> tuple[set[frozenset[str]], int]:
    """The sets that a message names, and how many more there are."""
    if "To change: " not in message:
        return set(), 0
    *listed, last = message.split("To change: ")[1].rstrip(".").split("; or ")
    more = int(last.split()[0]) if last.endswith(" more") else 0
    return {frozenset(one.split(" and ")) for one in (listed if more else [*listed, last])}, more


def _sets(sets: Iterable[Iterable[str]]) -> str:
    return "; or ".join(sorted(" and ".join(sorted(names)) for names in sets)) or "nothing"


def _source(key: Key) -> str:
    """Each figure has a source of its own, which is trusted as it is."""
    return f"{key.name} {key.vintage}".rstrip()


def _row(finding: Finding) -> Row:
    """What a finding is of: its id tells the vintage."""
    return Row(finding["entity"], finding["period"], finding["finding_id"].partition("#")[0].partition("@")[2])


def _named(row: Finding) -> str:
    return f"{row['rule']} {row['entity']} {row['period']}"


def _told(ends: Ends) -> str:
    low, high = (None if end is None else float(end) for end in (ends.low, ends.high))
    return "nothing" if ends.empty else f"{low} to {high}"


def _floats(ends: Ends) -> tuple[float, float]:
    return -inf if ends.low is None else float(ends.low), inf if ends.high is None else float(ends.high)


def _near(one: float, other: float) -> bool:
    return isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


def _same(ends: Ends, told: tuple[float | None, float | None]) -> bool:
    """Whether two ends are what is told; what cannot be below zero may be cut off there or not."""
    (low, high), (first, last) = _floats(ends), told
    if first is None or last is None or ends.empty:
        return ends.empty and (first is None or last is None)
    return ((low <= 0 and first <= 0) or _near(low, first)) and _near(high, last)


def _holds(told: tuple[float, float], ends: Ends) -> bool:
    low, high = _floats(ends)
    return (told[0] <= low or _near(told[0], low)) and (high <= told[1] or _near(high, told[1]))
