"""What SEMANTICS.md makes of printed figures and rules, by brute force.

In: a `Project`. Out: the outcome of each rule, the groups of rules that cannot hold, the sets of fewest figures whose
change lets them hold, what such a figure must then be, and the bounds that all rules leave a figure nobody printed.

A ratio n / d is two inequalities in n and d for either sign of d; the ends of a ratio come from the same inequalities
made homogeneous (Charnes and Cooper 1962).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations, product
from typing import Final, NamedTuple

from oracle.elimination import Ends, Row, hold_together, left_to
from oracle.laws import Key, Law, Meaning, Ref, Relation, Terms, moved
from oracle.laws import Row as About
from oracle.prints import Print

Box = Mapping[Key, Ends]
FREE: Final = Ends()
SIZE: Final = "1/divisor"
"""The variable by which inequalities are made homogeneous."""
RATIO: Final = "ratio"
LARGEST_SET: Final = 3
MANY: Final = 12
"""Suspects of which no sets of LARGEST_SET are tried."""


class Instance(NamedTuple):
    """A rule for one entity and period."""

    law: Law
    row: About

    def keys(self, relation: Relation) -> list[Key]:
        """The figures of one of its alternatives."""
        return [ref.of(self.row) for ref in relation.refs]

    @property
    def own(self) -> set[Key]:
        """The figures that tie it to other rules: those that are not of a named entity."""
        return {ref.of(self.row) for ref in self.law.refs if ref.entity is None}


class Outcome(NamedTuple):
    """What a rule comes to: the level at which it meets, or why there is none."""

    kind: str
    level: int = 0


@dataclass(frozen=True)
class Project:
    """Metrics, rules, the prints of each figure in their order, and the weight of each figure's source."""

    meanings: Mapping[str, Meaning]
    laws: Sequence[Law]
    prints: Mapping[Key, Sequence[Print]]
    weights: Mapping[Key, Fraction | None]

    def used(self, key: Key) -> Print | None:
        """The print that rules use: the finest; None where there is none, or where two contradict each other."""
        listed = self.prints.get(key, ())
        return None if not listed or self.disputed(key) else min(listed, key=lambda one: one.step)

    def disputed(self, key: Key) -> bool:
        """Whether two prints of one figure are disjoint, or of the same step with another value."""
        return any(_contradict(one, other) for one, other in combinations(self.prints.get(key, ()), 2))

    def floor(self, key: Key) -> Ends:
        """What is known of a figure that is not printed."""
        return FREE if self.meanings[key.metric].signed else Ends(Fraction(0))

    def within(self, key: Key, level: int | None = None) -> Ends:
        """The bounds of a figure at one level of its readings, else at the widest."""
        used = self.used(key)
        if used is None:
            return self.floor(key)
        return self.cut(key, used.widest if level is None else used.at(level))

    def cut(self, key: Key, ends: Ends) -> Ends:
        """Bounds without what the figure cannot be by its metric, where anything is left."""
        above = meet(ends, self.floor(key))
        return ends if above.empty else above

    @cached_property
    def instances(self) -> list[Instance]:
        """A rule is about each entity and period that print one of its own figures of that period."""
        rows = sorted({About(key.entity, key.period, key.vintage) for key in self.prints})
        return [
            Instance(law, row)
            for law in self.laws
            for row in rows
            if any(ref.of(row) in self.prints for ref in law.refs if ref.entity is None and not ref.step)
            and all(ref.exists(row) for ref in law.refs)
        ]

    @cached_property
    def groups(self) -> list[list[Instance]]:
        """The instances that figures of their own entity tie together."""
        return tied(self.instances, lambda one: one.own)

    @cached_property
    def together(self) -> list[list[Instance]]:
        """All that rules could say of the entities and periods around, in groups that any figures tie together."""
        known = {key.period for key in self.prints}
        quarters = {f"{one[:4]}Q{number}" for one in known if "Q" in one for number in range(1, 5)}
        known |= quarters | {one[:4] for one in quarters}
        periods = known | {moved(period, step) or "" for period in known for step in ("previous", "year_before")}
        rows = sorted({About(key.entity, one, key.vintage) for key in self.prints for one in periods})
        every = [Instance(law, row) for law in self.laws for row in rows if all(r.exists(row) for r in law.refs)]
        return tied(every, lambda one: set(self.box([one])))

    # --- one rule ----------------------------------------------------------------------------------------------------

    def outcome(self, instance: Instance, relation: Relation) -> Outcome:
        """`meets` at a level, `fails`, or `missing`, `disputed`, `zero`."""
        keys = instance.keys(relation)
        if any(self.disputed(key) for key in keys):
            return Outcome("disputed")
        parts = [key for key in keys[1:] if key not in self.prints]
        lenient = instance.law.missing_parts and 0 < len(parts) < len(keys) - 1
        if any(key not in self.prints for key in keys) and not (lenient and keys[0] in self.prints):
            return Outcome("missing")
        top = max(used.rungs for key in keys if (used := self.used(key)) is not None)
        for level in range(top + 1):
            if self.can_hold([(instance, relation)], {key: self.within(key, level) for key in keys}):
                return Outcome("meets", level)
        return Outcome("zero" if self.divides_by_zero(instance, relation) else "fails")

    def divides_by_zero(self, instance: Instance, relation: Relation) -> bool:
        """Whether the divisor may be zero at some reading."""
        if relation.under is None:
            return False
        rows = self._rows_of_box({key: self.within(key) for key in instance.keys(relation)})
        rows.append(Row(self.terms(instance, relation.under), Fraction(0), equal=True))
        return hold_together(_closed(rows))

    def stated(self, instance: Instance, relation: Relation, level: int | None) -> Ends:
        """What a rule says that the figure which it explains is, whatever that can be."""
        key = _stated(instance, relation)
        box = {other: self.within(other, level) for other in instance.keys(relation)}
        return self.must_be([(instance, relation)], {**box, key: FREE}, key)

    def explained(self, instance: Instance, relation: Relation, ref: Ref) -> Ends:
        """What one figure of a rule must be, given the others at their widest: the hull."""
        key = ref.of(instance.row)
        box = {other: self.within(other) for other in instance.keys(relation)}
        return self.must_be([(instance, relation)], {**box, key: self.floor(key)}, key)

    # --- many rules --------------------------------------------------------------------------------------------------

    def choices(self, group: Sequence[Instance]) -> Iterator[list[tuple[Instance, Relation]]]:
        """All choices of one alternative for each rule of a group, or of all where all must hold."""
        for taken in product(*(one.law.choices for one in group)):
            yield [(one, relation) for one, several in zip(group, taken, strict=True) for relation in several]

    def box(self, group: Iterable[Instance], freed: Collection[Key] = ()) -> dict[Key, Ends]:
        """The widest bounds of all figures of a group; some freed."""
        keys = {key for one in group for relation in one.law.alternatives.values() for key in one.keys(relation)}
        return {key: self.floor(key) if key in freed else self.within(key) for key in keys}

    def holds(self, group: Sequence[Instance], freed: Collection[Key] = ()) -> bool:
        """Whether all rules of a group can hold with the figures as printed, but for the freed ones."""
        box = self.box(group, freed)
        return any(self.can_hold(chosen, box) for chosen in self.choices(group))

    def suspects(self, group: Sequence[Instance]) -> list[Key]:
        """The printed figures of a group that may be changed."""
        printed = [key for key in self.box(group) if self.used(key) is not None]
        return sorted(key for key in printed if self.weights.get(key, Fraction(1)) is not None)

    def sets(self, group: Sequence[Instance]) -> set[frozenset[Key]]:
        """All sets of least weight whose change lets a group hold, of up to LARGEST_SET figures; none where larger."""
        best: Fraction | None = None
        found: set[frozenset[Key]] = set()
        suspects = self.suspects(group)
        for size in range(LARGEST_SET + (len(suspects) <= MANY)):
            for freed in map(frozenset, combinations(suspects, size)):
                weight = sum((Fraction(self.weights.get(key, Fraction(1)) or 0) for key in freed), Fraction(0))
                if (best is None or weight <= best) and self.holds(group, freed):
                    found = found if weight == best else set()
                    best = weight
                    found.add(freed)
        return found

    def change(self, group: Sequence[Instance], key: Key) -> Ends:
        """What a figure must be so that all rules of its group hold: the hull over the choices."""
        box = self.box(group, [key])
        return hull(self.must_be(chosen, box, key) for chosen in self.choices(group))

    def supported(self, group: Iterable[Instance]) -> set[Key]:
        """The figures of equalities that hold with all their figures printed."""
        return {
            key
            for one in group
            for relation in one.law.alternatives.values()
            if relation.symbol == "=="
            and self.outcome(one, relation).kind in ("meets", "zero")
            and all(key in self.prints for key in one.keys(relation))
            for key in one.keys(relation)
        }

    def is_ratio(self, group: Iterable[Instance], key: Key) -> bool:
        """Whether some rule of a group says that a figure is a ratio."""
        stated = [(_stated(one, relation), relation) for one in group for relation in one.law.alternatives.values()]
        return any(relation.under is not None and figure == key for figure, relation in stated)

    def signed_divisors(self, group: Iterable[Instance]) -> set[Key]:
        """The figures that ratios of a group divide by, where what they come to may be below zero."""
        return {
            key
            for one in group
            for relation in one.law.alternatives.values()
            if any(self.meanings[ref.metric].signed or weight < 0 for ref, weight in (relation.under or {}).items())
            for key in (ref.of(one.row) for ref in relation.under or {})
        }

    def implied(self, key: Key) -> Ends:
        """What all rules of all entities leave a figure, those included of which no figure is printed."""
        concerned = [group for group in self.together if key in self.box(group)]
        return self.change(concerned[0], key) if concerned else self.floor(key)

    # --- linear systems ----------------------------------------------------------------------------------------------

    def can_hold(self, chosen: Chosen, box: Box) -> bool:
        """Whether some values within the box satisfy all relations."""
        return any(hold_together(rows) for rows in self._systems(chosen, box))

    def must_be(self, chosen: Chosen, box: Box, key: Key) -> Ends:
        """The hull of what one figure, which the box leaves free, can be."""
        ratios = [(one, relation) for one, relation in chosen if relation.under and _stated(one, relation) == key]
        if not ratios:
            return hull(left_to(rows, key.name) for rows in self._systems(chosen, box))
        found = [self._quotients(ratio, chosen, box, key) for ratio in ratios]
        ends = box[key]
        for other in found:
            ends = meet(ends, other)
        return ends

    def _quotients(self, ratio: tuple[Instance, Relation], chosen: Chosen, box: Box, key: Key) -> Ends:
        instance, relation = ratio
        over, under = self._quotient(instance, relation)
        scale = self.meanings[key.metric].scale
        found = []
        for rows in self._systems(chosen, box):
            for sign in (1, -1):
                divisor = {name: sign * weight for name, weight in under.items()}
                made = [Row({**row.terms, SIZE: -row.limit}, Fraction(0), row.strict, row.equal) for row in rows]
                made += [Row({SIZE: Fraction(-1)}, Fraction(0), strict=True), Row(divisor, Fraction(1), equal=True)]
                made.append(_compared(relation.symbol, _plus({RATIO: scale}, over, -sign), Fraction(0)))
                found.append(left_to(made, RATIO))
        return hull(found)

    def _systems(self, chosen: Chosen, box: Box) -> Iterator[list[Row]]:
        """The relations as rows, one list for each way in which the divisors may be above or below zero."""
        fixed, ratios = self._rows_of_box(box), []
        for instance, relation in chosen:
            if relation.under is None:
                fixed += self._linear(instance, relation)
            elif box[_stated(instance, relation)] != FREE or self.used(_stated(instance, relation)) is not None:
                ratios.append((instance, relation))
        for signs in product(*((1,) if self._is_positive(one, box) else (1, -1) for one in ratios)):
            yield [
                *fixed,
                *(row for one, sign in zip(ratios, signs, strict=True) for row in self._ratio(one, box, sign)),
            ]

    def _is_positive(self, one: tuple[Instance, Relation], box: Box) -> bool:
        """Whether a divisor cannot be below zero, as all that it consists of cannot."""
        instance, relation = one
        parts = [(box[ref.of(instance.row)].low, weight) for ref, weight in (relation.under or {}).items()]
        return all(low is not None and low >= 0 and weight > 0 for low, weight in parts)

    def _rows_of_box(self, box: Box) -> list[Row]:
        return [row for key, ends in box.items() for row in ends.rows({key.name: Fraction(1)})]

    def _linear(self, instance: Instance, relation: Relation) -> list[Row]:
        stated = self.terms(instance, {relation.stated: 1})
        difference = _plus(stated, self.terms(instance, relation.over), -1)
        return [_compared(relation.symbol, difference, -Fraction(relation.minus))]

    def _quotient(self, instance: Instance, relation: Relation) -> tuple[dict[str, Fraction], dict[str, Fraction]]:
        under = self.terms(instance, relation.under or {})
        return _plus(self.terms(instance, relation.over), under, -relation.minus), under

    def _ratio(self, one: tuple[Instance, Relation], box: Box, sign: int) -> Iterator[Row]:
        instance, relation = one
        over, under = self._quotient(instance, relation)
        stated = _stated(instance, relation)
        ends, scale = box[stated], self.meanings[stated.metric].scale
        zero = Fraction(0)
        # Where no ratio is printed nobody divided: that may be by zero.
        divided = self.used(stated) is not None
        yield Row({name: -sign * weight for name, weight in under.items()}, zero, strict=divided)
        if ends.high is not None and relation.symbol in ("==", ">=", ">"):
            high = _plus(over, under, -ends.high * scale)
            is_open = ends.high_open or relation.symbol == ">"
            yield Row({name: sign * weight for name, weight in high.items()}, zero, is_open)
        if ends.low is not None and relation.symbol in ("==", "<=", "<"):
            low = _plus(over, under, -ends.low * scale)
            is_open = ends.low_open or relation.symbol == "<"
            yield Row({name: -sign * weight for name, weight in low.items()}, zero, is_open)

    def terms(self, instance: Instance, of: Terms) -> dict[str, Fraction]:
        """A weighted sum by the names of its figures, percent as hundredths."""
        made: dict[str, Fraction] = {}
        for ref, weight in of.items():
            name = ref.of(instance.row).name
            made[name] = made.get(name, Fraction(0)) + weight * self.meanings[ref.metric].scale
        return made


Chosen = Sequence[tuple[Instance, Relation]]


def tied(instances: Sequence[Instance], keys: Callable[[Instance], Iterable[Key]]) -> list[list[Instance]]:
    """The instances in groups that share keys, directly or through others."""
    groups: list[tuple[set[Key], list[Instance]]] = []
    for one in instances:
        mine = set(keys(one))
        near = [group for group in groups if group[0] & mine]
        groups = [group for group in groups if not group[0] & mine]
        groups.append((mine.union(*(known for known, _ in near)), [*(i for _, several in near for i in several), one]))
    return [several for _, several in groups]


def hull(several: Iterable[Ends]) -> Ends:
    """From the lowest to the highest end of those that are not empty; empty where all are."""
    there = [one for one in several if not one.empty]
    if not there:
        return Ends(Fraction(1), Fraction(0))
    low = None if any(one.low is None for one in there) else min((one.low, one.low_open) for one in there)
    high = None if any(one.high is None for one in there) else max((one.high, not one.high_open) for one in there)
    return Ends(low and low[0], high and high[0], bool(low and low[1]), bool(high and not high[1]))


def meet(one: Ends, other: Ends) -> Ends:
    """What is in both."""
    return left_to([*one.rows({RATIO: Fraction(1)}), *other.rows({RATIO: Fraction(1)})], RATIO)


def _contradict(one: Print, other: Print) -> bool:
    same = one.step == other.step and one.rungs == other.rungs
    values = None not in (one.value, other.value) and one.value != other.value
    return (same and values) or meet(one.widest, other.widest).empty


def _stated(instance: Instance, relation: Relation) -> Key:
    return relation.stated.of(instance.row)


def _plus(one: Mapping[str, Fraction], other: Mapping[str, Fraction], factor: Fraction | int) -> dict[str, Fraction]:
    zero = Fraction(0)
    return {name: one.get(name, zero) + factor * other.get(name, zero) for name in {**one, **other}}


def _compared(symbol: str, terms: Mapping[str, Fraction], limit: Fraction) -> Row:
    """`terms symbol limit` as a row."""
    if symbol in (">=", ">"):
        return Row({name: -weight for name, weight in terms.items()}, -limit, symbol == ">")
    return Row(terms, limit, symbol == "<", symbol == "==")


def _closed(rows: Iterable[Row]) -> list[Row]:
    return [row._replace(strict=False) for row in rows]
