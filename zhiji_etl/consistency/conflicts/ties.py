"""Ties: the rules of one form in NumPy, and what each tells a figure, for a chunk of groups at once.

In: the ends of each figure as arrays over the groups (inf: not bounded). Out: narrowed ends. A tie is a sum, or a
printed ratio `y = A c` with `A` between two numbers of each group's own and c above zero; y is a sum of figures. What
a tie leaves one figure is exact when the others are independent: for a ratio, the admitted y of one c are an interval
whose ends move with c, so over all c they are one interval again, and the admitted c of some y are where both ends of
it allow one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from zhiji_etl.consistency.exact.lattice import Flags, Floats

Terms = tuple[tuple[int, float], ...]


class Divisor(NamedTuple):
    """The c of a printed ratio: its column and coefficients, and the column that holds the ratio.

    `A = scale * ratio * under - over`; `at_least`, `at_most`: whether the ratio's low and high end bind.
    """

    column: int
    under: float
    over: float
    ratio: int
    scale: float
    at_least: bool
    at_most: bool


class Tie(NamedTuple):
    """One rule: `low <= sum(coefficient * figure) <= high`, or, with a divisor, `sum - low` is that multiple of it.

    `name` is the number of the rule's name: ties of one name hold or fail together. Open: the limit is excluded.
    """

    name: int
    terms: Terms
    low: float
    high: float
    low_open: bool = False
    high_open: bool = False
    divisor: Divisor | None = None

    @property
    def columns(self) -> list[int]:
        """The figures that the tie speaks to; the ratio itself is not one of them."""
        own = [column for column, _ in self.terms]
        return own if self.divisor is None else [*own, self.divisor.column]

    @property
    def equates(self) -> bool:
        """Whether it binds from both sides, as no order does."""
        if self.divisor is not None:
            return self.divisor.at_least and self.divisor.at_most
        return self.low > -np.inf and self.high < np.inf


class Span(NamedTuple):
    """What a tie leaves a figure: two ends; `dead` where nothing is left whatever the figure is."""

    low: Floats
    high: Floats
    dead: Flags | None = None


@dataclass(slots=True)
class Chunk:
    """Some groups of one form as they stand: ends [figures, groups], which ties are there and the limits of their sums
    [ties, groups].

    `floor` and `ceiling` are the least and the most that a figure can be that is freed, [figures, groups]. `tolerance`
    is 0 where arithmetic is exact; `dead` and `near` gather where a figure has no value left, and where ends come so
    close that floats do not decide.
    """

    low: Floats
    high: Floats
    floor: Floats
    ceiling: Floats
    active: Flags
    least: Floats
    most: Floats
    tolerance: Floats
    dead: Flags = field(init=False)
    near: Flags = field(init=False)
    exact: bool = field(init=False)

    def __post_init__(self) -> None:
        self.dead = np.asarray((self.low > self.high + self.tolerance).any(axis=0))
        self.near = np.zeros(self.tolerance.shape, dtype=bool)
        self.exact = not self.tolerance.any()

    def at(self, rows: np.ndarray) -> Chunk:
        """Some of the groups, each as often as it is asked for, as a chunk of their own."""
        ends = self.low[:, rows], self.high[:, rows], self.floor[:, rows], self.ceiling[:, rows]
        return Chunk(*ends, self.active[:, rows], self.least[:, rows], self.most[:, rows], self.tolerance[rows])

    def untold(self) -> Chunk:
        """The same groups once more, to be told something else."""
        return replace(self, low=self.low.copy(), high=self.high.copy())

    def freed(self, where: Flags) -> Chunk:
        """The same groups with the own bounds of figures not regarded, where it says so [figures, groups]."""
        low, high = np.where(where, self.floor, self.low), np.where(where, self.ceiling, self.high)
        return Chunk(low, high, self.floor, self.ceiling, self.active, self.least, self.most, self.tolerance)

    def without(self, where: Flags) -> Chunk:
        """The same groups without some ties, where it says so [ties, groups]."""
        return replace(self.untold(), active=self.active & ~where)

    def news(self, ties: Sequence[Tie], number: int, target: int) -> Flags:
        """As `told`, and where that was news."""
        low, high = self.low[target].copy(), self.high[target].copy()
        self.told(ties, number, target)
        trifle = self.tolerance * 1e-4
        moved = (self.low[target] - low > trifle) | (high - self.high[target] > trifle)
        return np.asarray(moved & ~self.dead)

    def told(self, ties: Sequence[Tie], number: int, target: int) -> None:
        """Narrow one column by what one tie leaves it."""
        tie, there = ties[number], self.active[number]
        span = self._left(tie, number, target)
        low, high = span.low, span.high
        if span.dead is not None:
            self.dead |= span.dead & there
        if not there.all():
            low, high = np.where(there, low, -np.inf), np.where(there, high, np.inf)
        divides = tie.divisor is not None and target == tie.divisor.column
        self._meet(target, low, high, alone=not divides)
        if divides:
            self.near |= (self.high[target] <= self.tolerance) & there

    def holds_everywhere(self, tie: Tie, number: int) -> Flags:
        """Where a tie holds whatever the figures are within their ends, or is not there."""
        least, most = self._sum(tie.terms)
        low, high = self.least[number], self.most[number]
        if tie.divisor is not None:
            steep, steeper, first, last = self._multiples(tie.divisor)
            low = low + np.maximum(_times(steep, first), _times(steep, last))
            high = high + np.minimum(_times(steeper, first), _times(steeper, last))
            return np.asarray(
                ~self.active[number] | ((least >= low) & (most <= high) & (self.low[tie.divisor.column] > 0))
            )
        return np.asarray(~self.active[number] | ((least >= low) & (most <= high)))

    def signs(self, tie: Tie, number: int) -> tuple[Flags, Flags]:
        """Where the divisor of a tie is above zero, and where below: by its own ends, or, where it is not printed, by
        what the ratio and its other figures make it.
        """
        if tie.divisor is None:
            raise LookupError("a sum has no divisor")
        low, high = self.low[tie.divisor.column], self.high[tie.divisor.column]
        least, most = self._sum(tie.terms)
        steep, steeper, *_ = self._multiples(tie.divisor)
        more, less = least - self.least[number] > self.tolerance, most - self.most[number] < -self.tolerance
        free = (low == -np.inf) & (high == np.inf)
        above = (low >= 0) | (free & ((more & (steep > 0)) | (less & (steeper < 0))))
        below = (high <= 0) | (free & ((more & (steeper < 0)) | (less & (steep > 0))))
        return np.asarray(above), np.asarray(below & ~above)

    # --- helpers -----------------------------------------------------------------------------------------------------

    def _meet(self, target: int, low: Floats, high: Floats, *, alone: bool) -> None:
        """`alone`: the two ends told come from one interval, so they are never near to each other by chance."""
        own_low, own_high = self.low[target], self.high[target]
        cut_low, cut_high = low > own_low, high < own_high
        self.low[target], self.high[target] = np.where(cut_low, low, own_low), np.where(cut_high, high, own_high)
        gap = self.high[target] - self.low[target]
        self.dead |= gap < -self.tolerance
        if not self.exact:
            apart = cut_low ^ cut_high if alone else cut_low | cut_high
            self.near |= (np.abs(gap) <= self.tolerance) & apart & (self.tolerance > 0)

    def _left(self, tie: Tie, number: int, target: int) -> Span:
        low, high = self.least[number], self.most[number]
        if tie.divisor is None:
            return self._share(tie.terms, target, low, high)
        steep, steeper, first, last = self._multiples(tie.divisor)
        if target == tie.divisor.column:
            least, most = self._sum(tie.terms)
            flat = ((steep == 0) & (np.abs(most - high) <= self.tolerance)) | (
                (steeper == 0) & (np.abs(least - low) <= self.tolerance)
            )
            self.near |= flat & self.active[number]
            return _divided(least - low, most - high, steep, steeper)
        at_least = low + np.minimum(_times(steep, first), _times(steep, last))
        at_most = high + np.maximum(_times(steeper, first), _times(steeper, last))
        span = self._share(tie.terms, target, at_least, at_most)
        self.near |= (np.abs(last) <= self.tolerance) & self.active[number]
        return Span(span.low, span.high, last < -self.tolerance)

    def _multiples(self, divisor: Divisor) -> tuple[Floats, Floats, Floats, Floats]:
        """The two ends of A, and those of c."""
        free = np.full(self.tolerance.shape, np.inf)
        low = self.low[divisor.ratio] if divisor.at_least else -free
        high = self.high[divisor.ratio] if divisor.at_most else free
        factor = divisor.scale * divisor.under
        least = np.maximum(self.low[divisor.column], 0.0)
        return low * factor - divisor.over, high * factor - divisor.over, least, self.high[divisor.column]

    def _sum(self, terms: Terms, but: int = -1) -> tuple[Floats, Floats]:
        """The ends of a weighted sum, one column left out."""
        least = most = np.zeros(self.tolerance.shape)
        for column, coefficient in terms:
            if column != but:
                ends = self.low[column] * coefficient, self.high[column] * coefficient
                least, most = least + ends[coefficient < 0], most + ends[coefficient > 0]
        return least, most

    def _share(self, terms: Terms, target: int, low: Floats, high: Floats) -> Span:
        """What a sum within two ends leaves one of its terms."""
        least, most = self._sum(terms, target)
        factor = next(coefficient for column, coefficient in terms if column == target)
        ends = (low - most) / factor, (high - least) / factor
        return Span(*ends) if factor > 0 else Span(ends[1], ends[0])


def quotient(tie: Tie, low: Mapping[int, Floats], high: Mapping[int, Floats]) -> tuple[Floats, Floats]:
    """What the ratio of a tie must be, its figures between these ends: the least of their sum over the most of c, and
    the other way round.
    """
    divisor = tie.divisor
    if divisor is None:
        raise LookupError("a sum has no ratio")
    ends = [(low[i] * k, high[i] * k) if k > 0 else (high[i] * k, low[i] * k) for i, k in tie.terms]
    least, most = (sum((end[side] for end in ends), np.zeros(())) - tie.low for side in (0, 1))
    first, last = np.maximum(low[divisor.column], 0.0), high[divisor.column]
    factor = divisor.scale * divisor.under
    at_least = np.nan_to_num(least / np.where(least >= 0, last, first), nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    at_most = np.nan_to_num(most / np.where(most >= 0, first, last), nan=np.inf, posinf=np.inf, neginf=-np.inf)
    free = np.full(first.shape, np.inf)
    return (
        (at_least + divisor.over) / factor if divisor.at_most else -free,
        (at_most + divisor.over) / factor if divisor.at_least else free,
    )


def _times(multiple: Floats, of: Floats) -> Floats:
    """A product in which nothing times anything is nothing, for numbers `of` that are not negative."""
    with np.errstate(invalid="ignore"):
        product = multiple * of
    return np.where((multiple == 0) | ((of == 0) & np.isfinite(multiple)), 0.0, np.where(of == 0, multiple, product))


def _divided(least: Floats, most: Floats, steep: Floats, steeper: Floats) -> Span:
    """The c above zero for which `steep * c <= most` and `least <= steeper * c`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ceiling, floor = most / steep, least / steeper
    bound_high, bound_low = np.isfinite(steep), np.isfinite(steeper)
    high = np.where(bound_high & (steep > 0), ceiling, np.inf)
    low = np.where(bound_high & (steep < 0), ceiling, 0.0)
    high = np.where(bound_low & (steeper < 0), np.minimum(high, floor), high)
    low = np.where(bound_low & (steeper > 0), np.maximum(low, floor), np.maximum(low, 0.0))
    dead = ((steep == 0) & (most < 0)) | ((steeper == 0) & (least > 0))
    return Span(low, high, dead)
