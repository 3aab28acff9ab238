"""Linear inequalities in exact fractions: do they hold together, and what do they leave one variable?

In: `Row`s. Out: a truth value, or two ends. Equations are solved for a variable and put in; then variables are
eliminated after Fourier and Motzkin: slow, exact, strict where one of two parents is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

MOST: Final = 2000
"""Rows that one step of elimination may make; it is given up where that is more."""


class TooManyError(ArithmeticError):
    """Elimination makes more rows than can be gone through."""


class Row(NamedTuple):
    """`sum(coefficient * variable) <= limit`, `<` where strict, `=` where equal."""

    terms: Mapping[str, Fraction]
    limit: Fraction
    strict: bool = False
    equal: bool = False


class Ends(NamedTuple):
    """What a number may be: None where it is not bounded, open where the end is excluded."""

    low: Fraction | None = None
    high: Fraction | None = None
    low_open: bool = False
    high_open: bool = False

    @property
    def empty(self) -> bool:
        """No number is within."""
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    def holds(self, value: Fraction) -> bool:
        """Whether a number is within."""
        above = self.low is None or value > self.low or (value == self.low and not self.low_open)
        return above and (self.high is None or value < self.high or (value == self.high and not self.high_open))

    def rows(self, terms: Mapping[str, Fraction]) -> list[Row]:
        """That a weighted sum is within."""
        rows = [] if self.high is None else [Row(terms, self.high, self.high_open)]
        if self.low is not None:
            rows.append(Row({name: -weight for name, weight in terms.items()}, -self.low, self.low_open))
        return rows


def hold_together(rows: Iterable[Row]) -> bool:
    """Whether some numbers satisfy all rows."""
    return not left_to(rows, "").empty


def left_to(rows: Iterable[Row], name: str) -> Ends:
    """The ends of all values that one variable can have; empty ends where the rows do not hold together."""
    known = _solved([_plain(row) for row in rows], name)
    while (others := {other for row in known for other in row.terms} - {name}) and not _broken(known):
        cheapest = min(sorted(others), key=lambda one: _cost(known, one))
        if _cost(known, cheapest) > MOST:
            raise TooManyError
        known = _eliminated(known, cheapest)
    return Ends(Fraction(1), Fraction(0)) if _broken(known) else _read(known, name)


def _plain(row: Row) -> Row:
    return row._replace(terms={name: weight for name, weight in row.terms.items() if weight})


def _broken(rows: Iterable[Row]) -> bool:
    bare = [row for row in rows if not row.terms]
    return any(row.limit < 0 or (row.limit == 0 and row.strict) or (row.equal and row.limit != 0) for row in bare)


def _solved(rows: Sequence[Row], kept: str) -> list[Row]:
    """The rows without equations: each gives one variable, other than the kept one, by the others."""
    waiting, done = list(rows), list[Row]()
    while equation := next((row for row in waiting if row.equal and row.terms.keys() - {kept}), None):
        pivot = min(equation.terms.keys() - {kept})
        waiting.remove(equation)
        waiting = [_put_in(row, equation, pivot) for row in waiting]
    for row in waiting:
        turned = row._replace(terms={name: -weight for name, weight in row.terms.items()}, limit=-row.limit)
        done += [row._replace(equal=False), turned._replace(equal=False)] if row.equal else [row]
    return done


def _put_in(row: Row, equation: Row, pivot: str) -> Row:
    if pivot not in row.terms:
        return row
    return _joined(row, equation, -row.terms[pivot] / equation.terms[pivot])._replace(equal=row.equal)


def _joined(one: Row, other: Row, factor: Fraction) -> Row:
    names = {**one.terms, **other.terms}
    zero = Fraction(0)
    terms = {name: one.terms.get(name, zero) + factor * other.terms.get(name, zero) for name in names}
    return _plain(Row(terms, one.limit + factor * other.limit, one.strict or other.strict))


def _cost(rows: Iterable[Row], name: str) -> int:
    signs = [row.terms[name] > 0 for row in rows if name in row.terms]
    return sum(signs) * (len(signs) - sum(signs))


def _eliminated(rows: Sequence[Row], name: str) -> list[Row]:
    above = [row for row in rows if row.terms.get(name, 0) > 0]
    below = [row for row in rows if row.terms.get(name, 0) < 0]
    rest = [row for row in rows if name not in row.terms]
    made = [_joined(one, other, -one.terms[name] / other.terms[name]) for one in above for other in below]
    return _tightest([*rest, *made])


def _tightest(rows: Iterable[Row]) -> list[Row]:
    """Of rows with the same left side the tightest."""
    found: dict[tuple[tuple[str, Fraction], ...], Row] = {}
    for row in rows:
        size = max(map(abs, row.terms.values()), default=Fraction(1))
        scaled = Row({name: weight / size for name, weight in row.terms.items()}, row.limit / size, row.strict)
        key = tuple(sorted(scaled.terms.items()))
        known = found.get(key)
        if known is None or (scaled.limit, not scaled.strict) < (known.limit, not known.strict):
            found[key] = scaled
    return list(found.values())


def _read(rows: Iterable[Row], name: str) -> Ends:
    highs, lows = list[tuple[Fraction, bool]](), list[tuple[Fraction, bool]]()
    for row in rows:
        if name in row.terms:
            side = highs if row.terms[name] > 0 else lows
            side.append((row.limit / row.terms[name], row.strict))
    high = min(highs, key=lambda end: (end[0], not end[1]), default=(None, False))
    low = max(lows, key=lambda end: (end[0], end[1]), default=(None, False))
    return Ends(low[0], high[0], low[1], high[1])
