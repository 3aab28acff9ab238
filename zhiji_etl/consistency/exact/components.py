"""Components: bounds that travel through rules until nothing changes, exactly, with the figures behind each end.

In: `Linear` rules and a box of `Bounds` for the figures (absent: not printed). Out: tightened bounds, for each end the
figures and rules that bind it, and where the box cannot hold, one conflict. All numbers are Fractions of one unit.
For very many records of one form see `records`; for what propagation cannot decide, `programs`.

Propagation is sound everywhere, and complete where no two rules form a loop: each rule's bounds are exact for its own
figures (a box cut by one slab), and on a forest local consistency is global (Freuder 1982). A figure whose bounds are
a point carries nothing from rule to rule, so it closes no loop.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from zhiji_etl.consistency.exact.linear import FREE, Bounds, Box, Half, Linear, halves, scaled


class Reason(NamedTuple):
    """The printed figures and the rules that something follows from."""

    figures: frozenset[str]
    rules: frozenset[str]

    def joined(self, other: Reason) -> Reason:
        """Both reasons together."""
        return Reason(self.figures | other.figures, self.rules | other.rules)


NOTHING = Reason(frozenset(), frozenset())
"""The reason of an end that is not bounded."""


class Implied(NamedTuple):
    """The bounds that a figure must have, and what binds each end."""

    bounds: Bounds
    binding_low: Reason = NOTHING
    binding_high: Reason = NOTHING


class Propagation(NamedTuple):
    """What propagation found.

    `implied` has every figure of the rules. `refuted`: the box cannot hold, `conflict` says why (not yet minimal).
    `settled`: nothing changed any more, so the bounds are a fixed point; with loops it can end unsettled.
    """

    implied: Mapping[str, Implied]
    refuted: bool
    settled: bool
    conflict: Reason = NOTHING


def propagate(rules: Sequence[Linear], box: Box, *, rounds: int | None = None) -> Propagation:
    """Tighten the bounds of all figures through all rules to a fixed point, in exact arithmetic.

    On a forest as many rounds as there are rules are always enough. Loops can tighten for ever (x = y/2, y = x), so
    after `rounds` (twice the rules and ten more, unless given) the search ends unsettled: still sound, never tight.
    """
    state = _State.of(rules, box)
    state.conflict = state.conflict or _contradiction(rules)
    pieces = list(halves(rules))
    limit = 2 * len(rules) + 10 if rounds is None else rounds
    settled = False
    while not settled and state.conflict is None and limit > 0:
        settled = not state.sweep(pieces)
        limit -= 1
    conflict = state.conflict
    return Propagation(state.implied(), conflict is not None, settled, NOTHING if conflict is None else conflict)


def decides_exactly(rules: Iterable[Linear], ignoring: Collection[str] = ()) -> bool:
    """Whether no two rules form a loop: the graph of rules and figures, one edge a term, is a forest.

    `ignoring`: figures known to a point. Several pieces over the same figures are one rule here only where their
    weighted sums are equal or opposite (a slab); the two pieces of a printed ratio are two, and form a loop.
    """
    groups = _Union()
    return all(
        groups.joined(("rule", key), ("figure", figure))
        for key in {direction(rule) for rule in rules}
        for figure, _ in key
        if figure not in ignoring
    )


def figures_of(rules: Iterable[Linear]) -> tuple[str, ...]:
    """Every figure that the rules tie, in order of first mention."""
    return tuple(dict.fromkeys(figure for rule in rules for figure in rule.figures))


# --- the state of a propagation --------------------------------------------------------------------------------------


class _End(NamedTuple):
    """One end of a figure's bounds: its value, whether it is excluded, and why it is so."""

    value: Fraction
    open: bool
    reason: Reason


@dataclass(slots=True)
class _State:
    """Low and high ends by figure (absent: not bounded), and the conflict once there is one."""

    figures: tuple[str, ...]
    lows: dict[str, _End]
    highs: dict[str, _End]
    conflict: Reason | None = field(default=None)

    @classmethod
    def of(cls, rules: Sequence[Linear], box: Box) -> _State:
        """Every figure with its own bounds, each end its own reason."""
        names = figures_of(rules)
        state = cls(names, {}, {})
        for name in names:
            state.take(name, box.get(name, FREE))
        return state

    def take(self, name: str, bounds: Bounds) -> None:
        """Take up a figure's own bounds."""
        reason = Reason(frozenset({name}), frozenset())
        if bounds.low is not None:
            self.lows[name] = _End(bounds.low, bounds.low_open, reason)
        if bounds.high is not None:
            self.highs[name] = _End(bounds.high, bounds.high_open, reason)
        if bounds.empty:
            self.conflict = reason

    def sweep(self, pieces: Iterable[Half]) -> bool:
        """Pass every half rule once; whether anything changed."""
        changed = False
        for piece in pieces:
            changed |= self.pass_on(piece)
            if self.conflict is not None:
                break
        return changed

    def pass_on(self, piece: Half) -> bool:
        """Tighten the figures of one half rule; only one may lack the end that the others lean on."""
        ends = [(self.lows if c > 0 else self.highs).get(name) for name, c in piece.terms]
        missing = [i for i, end in enumerate(ends) if end is None]
        if len(missing) > 1:
            return False
        known = [(c * end.value, end) for (_, c), end in zip(piece.terms, ends, strict=True) if end is not None]
        spare = piece.limit - sum((part for part, _ in known), Fraction(0))
        if not missing and (spare < 0 or (spare == 0 and (piece.strict or any(end.open for _, end in known)))):
            self.conflict = _joined(piece.name, [end for _, end in known])
            return True
        news = [self.tighten(piece, i, ends, spare) for i in missing or range(len(ends))]
        return any(news)

    def tighten(self, piece: Half, target: int, ends: Sequence[_End | None], spare: Fraction) -> bool:
        """Give one figure of a half rule the end that the others leave it; whether that is news."""
        name, coefficient = piece.terms[target]
        own = ends[target]
        value = spare / coefficient + (Fraction(0) if own is None else own.value)
        others = [end for i, end in enumerate(ends) if i != target and end is not None]
        is_open = piece.strict or any(end.open for end in others)
        side, sign = (self.highs, 1) if coefficient > 0 else (self.lows, -1)
        if not _tighter(value, is_open, side.get(name), sign):
            return False
        side[name] = _End(value, is_open, _joined(piece.name, others))
        self.conflict = self.conflict or self.clash(name)
        return True

    def clash(self, name: str) -> Reason | None:
        """Why a figure has no value left, None where it has one."""
        low, high = self.lows.get(name), self.highs.get(name)
        if low is None or high is None or low.value < high.value:
            return None
        apart = low.value > high.value or low.open or high.open
        return low.reason.joined(high.reason) if apart else None

    def implied(self) -> dict[str, Implied]:
        """All figures as they stand."""
        return {name: _implied(self.lows.get(name), self.highs.get(name)) for name in self.figures}


def _tighter(value: Fraction, is_open: bool, known: _End | None, sign: int) -> bool:
    if known is None:
        return True
    gain = (known.value - value) * sign
    return gain > 0 or (gain == 0 and is_open and not known.open)


def _joined(rule: str, ends: Iterable[_End]) -> Reason:
    reasons = [end.reason for end in ends]
    return Reason(
        frozenset[str]().union(*(reason.figures for reason in reasons)),
        frozenset({rule}).union(*(reason.rules for reason in reasons)),
    )


def _implied(low: _End | None, high: _End | None) -> Implied:
    bounds = Bounds(
        None if low is None else low.value,
        None if high is None else high.value,
        low is not None and low.open,
        high is not None and high.open,
    )
    return Implied(bounds, low.reason if low else NOTHING, high.reason if high else NOTHING)


# --- the graph of rules and figures ----------------------------------------------------------------------------------


class _Union:
    """Disjoint sets, joined by the edges seen so far."""

    def __init__(self) -> None:
        self.parents: dict[object, object] = {}

    def root(self, node: object) -> object:
        """The node that stands for a set; the way to it is halved in passing."""
        while (parent := self.parents.get(node, node)) != node:
            self.parents[node] = node = self.parents.get(parent, parent)
        return node

    def joined(self, one: object, other: object) -> bool:
        """Join two sets; False where the edge closes a loop."""
        first, second = self.root(one), self.root(other)
        self.parents[first] = second
        return first != second


def _contradiction(rules: Iterable[Linear]) -> Reason | None:
    """Rules over one weighted sum that leave it no value, whatever the figures; halves pass free figures unseen."""
    known: dict[tuple[tuple[str, Fraction], ...], list[tuple[str, Bounds]]] = {}
    for rule in rules:
        terms = direction(rule)
        factor = terms[0][1] / dict(rule.coefficients)[terms[0][0]] if terms else Fraction(1)
        earlier = known.setdefault(terms, [])
        earlier.append((rule.name, scaled(rule.bounds, factor)))
        for name, bounds in earlier:
            if bounds.meet(earlier[-1][1]).empty:
                return Reason(frozenset(), frozenset({name, rule.name}))
    return None


def direction(rule: Linear) -> tuple[tuple[str, Fraction], ...]:
    """The weighted sum of a rule, scaled so that equal and opposite sums are one."""
    terms = sorted(rule.coefficients)
    return tuple((figure, coefficient / terms[0][1]) for figure, coefficient in terms)
