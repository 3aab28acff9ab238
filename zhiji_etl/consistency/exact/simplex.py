"""A rational simplex: whether bounds and linear rules hold together, and how far a figure goes, in exact arithmetic.

In: the bounds of each column (a figure or the weighted sum of a rule) and the sums as sparse rows. Out: feasible or
not, the columns whose bounds cannot hold together, optima. Strict bounds are carried as pairs (number, multiple of an
infinitesimal), which Python's tuples compare rightly. After Dutertre and de Moura 2006, "A fast linear-arithmetic
solver for DPLL(T)"; Bland's rule makes every run end. Another solver's basis can be taken up as the start.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from zhiji_etl.consistency.exact.linear import Bounds

Row = dict[int, Fraction]
Strict = tuple[Fraction, Fraction]
"""A number, and its multiple of an infinitesimal: `x > 1` is `x >= (1, 1)`."""

ZERO = Fraction(0)


class Bound(NamedTuple):
    """One end of one column: which column, and whether its high end."""

    column: int
    high: bool


class Optimum(NamedTuple):
    """How far a column goes: None without bound; `open` where it comes only ever nearer; the bounds that stop it."""

    value: Fraction | None
    open: bool
    binding: tuple[Bound, ...]


class Tableau:
    """Columns 0 to n-1 are figures, n onward are the rules' weighted sums of them.

    Invariant: every column outside the basis lies within its bounds; each basic column is the sum of its row.
    """

    def __init__(self, columns: Sequence[Bounds], sums: Sequence[Bounds], rows: Sequence[Row]) -> None:
        ends = [_ends(bounds) for bounds in (*columns, *sums)]
        self.lows = [low for low, _ in ends]
        self.highs = [high for _, high in ends]
        self.rows: dict[int, Row] = {len(columns) + i: dict(row) for i, row in enumerate(rows)}
        self.values: list[Strict] = [self._nearest(column) for column in range(len(ends))]
        self._recompute()

    def start_from(self, basic: Collection[int], at_high: Collection[int] = ()) -> None:
        """Take up a basis that another solver ended with; columns that would make it singular stay out."""
        for entering in basic:
            if entering not in self.rows:
                leaving = next((b for b, row in self.rows.items() if b not in basic and row.get(entering)), None)
                if leaving is not None:
                    self._pivot(leaving, entering)
        for column in range(len(self.lows)):
            high = self.highs[column]
            self.values[column] = high if column in at_high and high is not None else self._nearest(column)
        self._recompute()

    def feasible(self) -> tuple[Bound, ...] | None:
        """None where all bounds hold together; else bounds that cannot, each of them needed.

        The bounds come from one row: the basic column on one side, all others of the row on the other. The columns
        outside the basis are independent of each other, so without any one of these bounds the others can hold.
        """
        while (broken := self._broken()) is not None:
            below = self._is_below(broken)
            entering = self._helper(self.rows[broken], below)
            if entering is None:
                return self._certificate(broken, below)
            target = self.lows[broken] if below else self.highs[broken]
            assert target is not None
            self._move(entering, _over(_minus(target, self.values[broken]), self.rows[broken][entering]))
            self._pivot(broken, entering)
        return None

    def optimum(self, column: int, *, highest: bool) -> Optimum:
        """How far a column goes up or down while all bounds hold. The tableau must be feasible."""
        while True:
            row = self.rows.get(column, {column: Fraction(1)})
            entering = self._helper(row, highest)
            if entering is None:
                value, strict = self.values[column]
                return Optimum(value, strict != 0, self._stoppers(row, highest))
            if not self._improve(entering, (row[entering] > 0) == highest):
                return Optimum(None, False, ())

    def point(self, columns: int) -> list[Fraction]:
        """The first columns' values where every bound holds, the infinitesimal made small enough."""
        epsilon = min((_largest(v, low, high) for v, low, high in self._spans()), default=Fraction(1))
        return [number + epsilon * strict for number, strict in self.values[:columns]]

    # --- helpers -----------------------------------------------------------------------------------------------------

    def _nearest(self, column: int) -> Strict:
        low, high = self.lows[column], self.highs[column]
        return low if low is not None else high if high is not None else (ZERO, ZERO)

    def _recompute(self) -> None:
        for basic, row in self.rows.items():
            self.values[basic] = (
                sum((a * self.values[j][0] for j, a in row.items()), ZERO),
                sum((a * self.values[j][1] for j, a in row.items()), ZERO),
            )

    def _broken(self) -> int | None:
        """The first basic column outside its bounds (Bland)."""
        return min((b for b in self.rows if self._is_below(b) or self._is_above(b)), default=None)

    def _is_below(self, column: int) -> bool:
        low = self.lows[column]
        return low is not None and self.values[column] < low

    def _is_above(self, column: int) -> bool:
        high = self.highs[column]
        return high is not None and self.values[column] > high

    def _helper(self, row: Row, upward: bool) -> int | None:
        """The first column outside the basis whose move can raise (or lower) the row's sum (Bland)."""
        return min((j for j, a in row.items() if self._can_move(j, (a > 0) == upward)), default=None)

    def _can_move(self, column: int, upward: bool) -> bool:
        stop = self.highs[column] if upward else self.lows[column]
        return stop is None or self.values[column] != stop

    def _certificate(self, broken: int, below: bool) -> tuple[Bound, ...]:
        return (Bound(broken, not below), *self._stoppers(self.rows[broken], below))

    def _stoppers(self, row: Row, upward: bool) -> tuple[Bound, ...]:
        return tuple(Bound(j, (a > 0) == upward) for j, a in row.items())

    def _improve(self, entering: int, upward: bool) -> bool:
        """Move a column as far as all bounds let it; False where nothing stops it."""
        sign = 1 if upward else -1
        stops = [(self._room(b, row[entering] * sign), b) for b, row in self.rows.items() if entering in row]
        stops.append((self._room(entering, Fraction(sign)), entering))
        limits = [(room, b) for room, b in stops if room is not None]
        if not limits:
            return False
        room, leaving = min(limits)
        self._move(entering, (room[0] * sign, room[1] * sign))
        if leaving != entering:
            self._pivot(leaving, entering)
        return True

    def _room(self, column: int, speed: Fraction) -> Strict | None:
        """How long a column can move at this speed before its bound stops it."""
        stop = self.highs[column] if speed > 0 else self.lows[column]
        return None if stop is None else _over(_minus(stop, self.values[column]), speed)

    def _move(self, entering: int, by: Strict) -> None:
        """Move a column outside the basis, and with it all basic columns that lean on it."""
        for basic, row in self.rows.items():
            if entering in row:
                self.values[basic] = _moved(self.values[basic], by, row[entering])
        self.values[entering] = _moved(self.values[entering], by, Fraction(1))

    def _pivot(self, leaving: int, entering: int) -> None:
        """Swap two columns between basis and outside: solve the row for the entering one, put it into the others."""
        row = self.rows.pop(leaving)
        factor = row.pop(entering)
        solved = {j: -a / factor for j, a in row.items()}
        solved[leaving] = 1 / factor
        for other in self.rows.values():
            if entering in other:
                _add(other, solved, other.pop(entering))
        self.rows[entering] = solved

    def _spans(self) -> Iterable[tuple[Strict, Strict | None, Strict | None]]:
        return zip(self.values, self.lows, self.highs, strict=True)


def _ends(bounds: Bounds) -> tuple[Strict | None, Strict | None]:
    low = None if bounds.low is None else (bounds.low, Fraction(bounds.low_open))
    high = None if bounds.high is None else (bounds.high, -Fraction(bounds.high_open))
    return low, high


def _add(row: Row, other: Row, factor: Fraction) -> None:
    for j, a in other.items():
        value = row.get(j, ZERO) + a * factor
        if value:
            row[j] = value
        else:
            del row[j]


def _minus(one: Strict, other: Strict) -> Strict:
    return one[0] - other[0], one[1] - other[1]


def _over(of: Strict, divisor: Fraction) -> Strict:
    return of[0] / divisor, of[1] / divisor


def _moved(of: Strict, by: Strict, factor: Fraction) -> Strict:
    return of[0] + by[0] * factor, of[1] + by[1] * factor


def _largest(value: Strict, low: Strict | None, high: Strict | None) -> Fraction:
    """The largest infinitesimal, at most 1, with which the value still lies within its bounds."""
    gaps = [_minus(value, low)] if low is not None else []
    gaps += [_minus(high, value)] if high is not None else []
    return min((Fraction(1), *(number / -strict for number, strict in gaps if strict < 0)))
