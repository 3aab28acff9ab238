"""Localisation: which figures to change so that all rules hold, and why not fewer.

In: `Linear` rules, a box of `Bounds`, weights of figures (trusted: infinite), and what their metrics allow figures to
be, such as no less than nothing: that is no part of a conflict, and not given up. Out: minimal conflicts, and all sets
of least weight whose figures, freed, let every rule hold (Fellegi and Holt 1976). Found by implicit hitting sets: any
set that resolves all must hit each conflict, so the lightest sets that hit all conflicts known so far are tried, and
each that fails brings a new conflict (Reiter 1987; Moreno-Centeno and Karp 2013). No big-M: every question put is
whether a system is feasible, answered exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from zhiji_etl.consistency.exact.components import Reason, figures_of
from zhiji_etl.consistency.exact.linear import FREE, UNLIMITED, Bounds, Box, Linear, gate, owner, satisfied
from zhiji_etl.consistency.exact.programs import decide, feasible, implied
from zhiji_etl.errors import RuleError

Weights = Mapping[str, float | int | Fraction]
"""What it costs to change a figure; absent: 1; `math.inf`: trusted, never changed."""

MANY: Final = 1000
"""Sets and conflicts after which a search stops and says that it is not complete."""

STEPS: Final = 20_000
"""Steps after which the search for the lightest sets is given up: there may be more than can be tried."""


class Conflict(NamedTuple):
    """Figures and rules that cannot hold together, each of them needed for that; names in alphabetical order."""

    figures: tuple[str, ...]
    rules: tuple[str, ...]


class Localisation(NamedTuple):
    """What to change so that all rules hold.

    `minimal_sets`: all sets of least weight, one empty set where nothing is wrong, none where no set of figures that
    may be changed resolves it (`minimal_weight` is infinite then). `conflicts`: minimal ones that show why no lighter
    set does; not all there are. `most_likely`: the only set, or the only one whose fellow figures in these conflicts
    satisfied rules all support. `complete`: False where the search stopped at its limit, without sets where it was
    given up.
    """

    minimal_sets: tuple[tuple[str, ...], ...]
    minimal_weight: Fraction | float
    conflicts: tuple[Conflict, ...]
    most_likely: tuple[str, ...] | None
    complete: bool = True

    @property
    def tie(self) -> bool:
        """Several sets of least weight, none of them more likely than the others."""
        return len(self.minimal_sets) > 1 and self.most_likely is None


def localise(
    rules: Sequence[Linear],
    box: Box,
    weights: Weights | None = None,
    *,
    allowed: Box = UNLIMITED,
    limit: int = MANY,
    holds: Callable[[frozenset[str]], bool] = lambda _: True,
) -> Localisation:
    """All sets of least weight to change, with the conflicts behind them and the likely culprit.

    `allowed`: what a figure can be whatever is printed, such as no less than nothing. `holds`: whether figures whose
    change lets the linear rules hold also let those hold that no linear rule says; the more figures, the rather.
    Raises `RuleError` for a weight that is not positive.
    """
    costs = _costs(rules, box, weights or {})
    found: list[Conflict] = []
    steps: float = STEPS
    while True:
        search = _search([c.figures for c in found], costs, limit, steps)
        sets, weight, complete, steps = search.sets, search.best, len(search.sets) < limit, search.steps
        if steps <= 0:
            return Localisation((), math.inf, tuple(found), None, complete=False)
        news = _news(rules, box, sets, allowed, holds)
        if not news:
            break
        found.extend(news)
    likely = _most_likely(sets, found, corroborated(rules, box, allowed), costs.keys())
    return Localisation(tuple(sorted(map(_sorted, sets))), weight, tuple(found), likely, complete)


def conflict(rules: Sequence[Linear], box: Box, allowed: Box = UNLIMITED) -> Conflict | None:
    """One minimal set of figures and rules that cannot hold together, None where all can."""
    decision = decide(rules, box)
    return None if decision.feasible else _minimal(rules, box, decision.conflict, allowed)


def conflicts(rules: Sequence[Linear], box: Box, *, limit: int = MANY) -> tuple[tuple[Conflict, ...], bool]:
    """All minimal conflicts, and whether these are all (False: stopped at the limit).

    By duality: once every minimal set of figures and rules that hits all known conflicts resolves all, none is
    missing, for the minimal resolving sets are the minimal hitting sets of all minimal conflicts (Reiter 1987).
    """
    found: list[Conflict] = []
    tried: set[frozenset[_Element]] = set()
    hitting: list[frozenset[_Element]] = [frozenset()]
    while len(found) < limit and len(hitting) < limit:
        untried = next((elements for elements in hitting if elements not in tried), None)
        if untried is None:
            return tuple(found), True
        new = conflict(*_without(rules, box, untried))
        if new is None:
            tried.add(untried)
        else:
            found.append(new)
            hitting = _hit(hitting, _elements(new))
    return tuple(found), False


def must_be(
    rules: Sequence[Linear], box: Box, changed: Iterable[str], allowed: Box = UNLIMITED
) -> dict[str, Bounds] | None:
    """The bounds that changed figures must have so that all rules hold; None where changing them does not suffice."""
    names = tuple(changed)
    found = implied(rules, freed(box, names, allowed), names)
    return None if found is None else {name: found[name].bounds for name in names}


def freed(box: Box, names: Iterable[str], allowed: Box) -> Box:
    """The box with no more than is allowed for some figures; the gate of a freed figure opens."""
    opened = {other: allowed.get(other, FREE) for name in names for other in (name, gate(name))}
    return {**box, **opened}


def corroborated(rules: Sequence[Linear], box: Box, allowed: Box = UNLIMITED) -> frozenset[str]:
    """The figures that a satisfied equality supports: all its figures are printed, two at least, and it can hold.

    What is known of a figure is more than what is allowed where it is printed. An order has no power to support any.
    """
    failed = {rule.name for rule in rules if not satisfied(rule, box)}
    tried = (r for r in rules if r.name not in failed and len(r.figures) > 1 and _equates(r))
    printed = (r for r in tried if all(box.get(name, FREE) != allowed.get(name, FREE) for name in r.figures))
    return frozenset(owner(name) for r in printed for name in r.figures)


def lightest(
    conflicts: Sequence[Iterable[str]], costs: Mapping[str, Fraction], *, limit: int = MANY
) -> tuple[list[frozenset[str]], Fraction | float, bool]:
    """All sets of least cost that hit every conflict, that cost, and whether these are all.

    Names without a cost are never taken; a conflict of such names only gives no set and infinite cost.
    """
    search = _search(conflicts, costs, limit, math.inf)
    return search.sets, search.best, len(search.sets) < limit


# --- conflicts -------------------------------------------------------------------------------------------------------


class _Element(NamedTuple):
    """A figure or a rule, as something that can be taken away."""

    is_rule: bool
    name: str


def _elements(of: Conflict | Reason) -> frozenset[_Element]:
    figures = (_Element(False, name) for name in of.figures)
    return frozenset((*figures, *(_Element(True, name) for name in of.rules)))


def _without(
    rules: Sequence[Linear], box: Box, taken: Iterable[_Element], allowed: Box = UNLIMITED
) -> tuple[list[Linear], Box]:
    gone = {element.name for element in taken if element.is_rule}
    figures = [element.name for element in taken if not element.is_rule]
    return [rule for rule in rules if rule.name not in gone], freed(box, figures, allowed)


def _minimal(rules: Sequence[Linear], box: Box, reason: Reason, allowed: Box) -> Conflict:
    """Take away from a conflict, one by one, all that it does without (deletion filter)."""
    kept = [rule for rule in rules if rule.name in reason.rules]
    named = set(reason.figures)
    held: Box = {**allowed, **{name: box[name] for name in sorted(named)}}
    for element in sorted(_elements(reason)):
        fewer, freer = _without(kept, held, [element], allowed)
        if not feasible(fewer, freer):
            kept, held = fewer, freer
            named -= {element.name, gate(element.name)} if not element.is_rule else set()
    return Conflict(_sorted({owner(name) for name in named}), _sorted({rule.name for rule in kept}))


def _hit(sets: Iterable[frozenset[_Element]], conflict: frozenset[_Element]) -> list[frozenset[_Element]]:
    """Minimal hitting sets, with one more conflict to hit (Berge's multiplication)."""
    done = [s for s in sets if s & conflict]
    grown = {s | {element} for s in sets if not s & conflict for element in conflict}
    return done + [g for g in grown if not any(s <= g for s in done) and not any(o < g for o in grown)]


# --- localisation ----------------------------------------------------------------------------------------------------


def _costs(rules: Sequence[Linear], box: Box, weights: Weights) -> dict[str, Fraction]:
    """The exact weight of each figure that may be changed."""
    wrong = [name for name, weight in weights.items() if not weight > 0]
    if wrong:
        raise RuleError("weight", f"The weight of {wrong[0]} must be positive, not {weights[wrong[0]]}.")
    printed = dict.fromkeys(owner(name) for name in figures_of(rules) if not box.get(name, FREE).free)
    asked = {name: weights.get(name, 1) for name in printed}
    return {name: Fraction(weight) for name, weight in asked.items() if weight != math.inf}


def _news(
    rules: Sequence[Linear],
    box: Box,
    sets: Iterable[frozenset[str]],
    allowed: Box,
    holds: Callable[[frozenset[str]], bool],
) -> list[Conflict]:
    """The conflicts that sets of figures leave unresolved, one for each set that some earlier news does not explain."""
    news: list[Conflict] = []
    for names in sets:
        if any(names.isdisjoint(known.figures) for known in news):
            continue
        new = conflict(rules, freed(box, names, allowed), allowed)
        if new is None and not holds(names):
            new = _beyond_linear(rules, box, names, holds)
        if new is not None:
            news.append(new)
    return news


def _beyond_linear(
    rules: Sequence[Linear], box: Box, names: frozenset[str], holds: Callable[[frozenset[str]], bool]
) -> Conflict:
    """Printed figures beside some freed ones that cannot all be believed, though no linear rule says so."""
    printed = {owner(name) for name in figures_of(rules) if not box.get(name, FREE).free} - names
    changed = names
    for name in sorted(printed):
        if not holds(changed | {name}):
            changed |= {name}
    left = printed - changed
    told = {rule.name for rule in rules if {owner(name) for name in rule.figures} & (left | names)}
    return Conflict(_sorted(left), _sorted(told))


def _equates(rule: Linear) -> bool:
    """Whether a rule binds from both sides: an equality, or a ratio, of which each end is a rule with its gate."""
    return (rule.low is not None and rule.high is not None) or any(owner(name) != name for name in rule.figures)


def _most_likely(
    sets: Sequence[frozenset[str]],
    conflicts: Iterable[Conflict],
    supported: frozenset[str],
    suspects: Collection[str],
) -> tuple[str, ...] | None:
    accused = frozenset(name for known in conflicts for name in known.figures if name in suspects)
    likely = [s for s in sets if s and (len(sets) == 1 or accused - s <= supported)]
    return _sorted(likely[0]) if len(likely) == 1 else None


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def _search(conflicts: Iterable[Iterable[str]], costs: Mapping[str, Fraction], limit: int, steps: float) -> _Search:
    """A search that is done, or given up after so many steps."""
    search = _Search(sorted((frozenset(c) & costs.keys() for c in conflicts), key=len), costs, limit, steps)
    search.extend(frozenset(), frozenset(), Fraction(0))
    return search


class _Search:
    """Branch and bound over the figures of the first conflict not yet hit; each set is reached one way only."""

    def __init__(
        self, conflicts: Sequence[frozenset[str]], costs: Mapping[str, Fraction], limit: int, steps: float
    ) -> None:
        self.conflicts = conflicts
        self.steps = steps
        self.costs = costs
        self.limit = limit
        self.best: Fraction | float = math.inf
        self.sets: list[frozenset[str]] = []

    def extend(self, taken: frozenset[str], barred: frozenset[str], cost: Fraction) -> None:
        """Try all ways to hit the conflicts that `taken` leaves, without the `barred` names."""
        self.steps -= 1
        if self.steps <= 0:
            return
        unhit = [c for c in self.conflicts if not c & taken]
        if not unhit:
            self._keep(taken, cost)
        elif not self._hopeless(cost + self._at_least(unhit, barred)):
            for name in sorted(unhit[0] - barred):
                self.extend(taken | {name}, barred, cost + self.costs[name])
                barred |= {name}

    def _keep(self, taken: frozenset[str], cost: Fraction) -> None:
        if cost < self.best:
            self.best, self.sets = cost, []
        if cost == self.best and len(self.sets) < self.limit:
            self.sets.append(taken)

    def _hopeless(self, at_least: Fraction | float) -> bool:
        """Whether all sets from here on are too heavy, or only more of too many ties."""
        return at_least > self.best or at_least == math.inf or (at_least == self.best and self._full)

    @property
    def _full(self) -> bool:
        return len(self.sets) >= self.limit

    def _at_least(self, unhit: Iterable[frozenset[str]], barred: frozenset[str]) -> Fraction | float:
        """What conflicts that share no name cost at least together."""
        cost: Fraction | float = Fraction(0)
        seen: set[str] = set()
        for names in (c - barred for c in unhit):
            if seen.isdisjoint(names):
                cost += min((self.costs[name] for name in names), default=math.inf)
                seen |= names
        return cost
