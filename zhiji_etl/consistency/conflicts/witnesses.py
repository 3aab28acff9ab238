"""Witnesses: groups with loops that do hold, shown by a number for each figure, for many groups at once.

In: a chunk of groups of one form as propagation left it, none of them refuted. Out: where numbers were found with which
every rule holds. They are sought by weighted least squares from the middle of the bounds, each figure moving the more
the wider its bounds are, and are believed only where they lie clearly inside of all bounds: there a solution in exact
numbers is near, for floats err a hundred times less. Where none is found nothing is known.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from zhiji_etl.consistency.conflicts.ties import Chunk, Divisor, Tie
from zhiji_etl.consistency.exact.lattice import Flags, Floats

ROUNDS: Final = 10
"""Steps towards the rules, each followed by one back into the bounds."""

CLEAR: Final = 1e-9
"""How far inside of bounds numbers must lie, relative to the largest of the group."""

EXACT: Final = 1e-11
"""How far a sum may be from where it must be, relative to the largest number of the group."""

CELLS: Final = 1 << 21
"""Numbers of a block of matrices: what a core's cache and memory bear."""


def witnessed(chunk: Chunk, ties: tuple[Tie, ...]) -> Flags:
    """Where numbers were found with which all rules of a group hold."""
    size = max(1, CELLS // max(1, len(ties) * len(chunk.low)))
    rows = np.arange(chunk.tolerance.size)
    parts = [_Block(chunk.at(rows[start : start + size]), ties).found() for start in range(0, rows.size, size)]
    return np.concatenate([np.zeros(0, dtype=bool), *parts])


class _Block:
    """Some groups: `x` [groups, figures] moves towards what holds."""

    def __init__(self, chunk: Chunk, ties: tuple[Tie, ...]) -> None:
        self.ties = ties
        self.low, self.high = np.ascontiguousarray(chunk.low.T), np.ascontiguousarray(chunk.high.T)
        self.active = np.ascontiguousarray(chunk.active.T)
        self.least, self.most = np.ascontiguousarray(chunk.least.T), np.ascontiguousarray(chunk.most.T)
        self.ratios = np.array([tie.divisor is not None for tie in ties])
        self.size = np.maximum(_largest(self.low), _largest(self.high))
        self.x, self.half = _middle(self.low, self.high, self.size)

    def found(self) -> Flags:
        """Where all rules hold, clearly."""
        weights = self.half**2
        for _ in range(ROUNDS):
            self._approach(weights)
            inner = np.clip(self.x, self.low + self.half / 100, self.high - self.half / 100)
            weights = np.where(inner == self.x, weights, weights / 25)
            self.x = np.where(self.half > 0, inner, self.x)
        for _ in range(2):
            self._approach(weights)
        return self._within() & self._told()

    def _approach(self, weights: Floats) -> None:
        """One step of weighted least squares to where the sums are as they must be."""
        matrix, low, high = self._sums()
        sums = np.einsum("gkn,gn->gk", matrix, self.x)
        away = np.clip(sums, low, high) - sums
        # What may be more or less than it is, and is within its ends, must not stand in the way of the others.
        within = np.abs(away) <= self.size[:, None] * EXACT
        matrix[within & ((high > low) | self.ratios)] = 0.0
        weighted = matrix * weights[:, None, :]
        square = weighted @ matrix.transpose(0, 2, 1)
        diagonal = np.einsum("gkk->gk", square)
        scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
        square = square * scale[:, :, None] * scale[:, None, :] + 1e-9 * np.eye(len(self.ties))
        step = np.linalg.solve(square, (away * scale)[:, :, None])[:, :, 0] * scale
        self.x = self.x + np.einsum("gkn,gk->gn", weighted, step)

    def _sums(self) -> tuple[Floats, Floats, Floats]:
        """The coefficients of all rules [groups, rules, figures], and the ends of their sums, a little inside.

        A printed ratio stands at what its figures make it, if that is within its ends.
        """
        matrix = np.zeros((*self.active.shape, self.low.shape[1]))
        low, high = self.least.copy(), self.most.copy()
        for number, tie in enumerate(self.ties):
            for column, coefficient in tie.terms:
                matrix[:, number, column] = coefficient
            if tie.divisor is not None:
                steep, steeper = self._multiples(tie.divisor)
                at = self._numerator(number, tie) / self.x[:, tie.divisor.column]
                inner = _inner(steep, steeper)
                matrix[:, number, tie.divisor.column] = -np.clip(np.where(np.isfinite(at), at, inner[0]), *inner)
        room = np.where(high > low, np.minimum((high - low) / 10, self.size[:, None] * CLEAR * 10), 0.0)
        matrix[~self.active] = 0.0
        return matrix, low + room, high - room

    def _within(self) -> Flags:
        room = np.where(self.half > 0, self.size[:, None] * CLEAR, 0.0)
        return np.asarray(((self.x >= self.low + room) & (self.x <= self.high - room)).all(axis=1))

    def _told(self) -> Flags:
        """Where each rule holds: a sum that must be one number up to what floats err, all else clearly."""
        clear, exact = self.size * CLEAR, self.size * EXACT
        held = np.ones(self.size.shape, dtype=bool)
        for number, tie in enumerate(self.ties):
            low, high, above = self.least[:, number], self.most[:, number], self._numerator(number, tie)
            if tie.divisor is None:
                above = above + low if np.isfinite(tie.low) else above + high
                room = np.where(high > low, clear, -exact)
                fits = (above >= low + room) & (above <= high - room)
            else:
                divisor = self.x[:, tie.divisor.column]
                steep, steeper = (multiple * divisor for multiple in self._multiples(tie.divisor))
                fits = (above >= steep + clear) & (above <= steeper - clear) & (divisor > clear)
            held &= fits | ~self.active[:, number]
        return held

    def _numerator(self, number: int, tie: Tie) -> Floats:
        """The weighted sum of a rule, less its limit."""
        total = sum((self.x[:, column] * coefficient for column, coefficient in tie.terms), np.zeros(self.size.shape))
        limit = self.least[:, number] if np.isfinite(tie.low) else self.most[:, number]
        return np.asarray(total - limit)

    def _multiples(self, divisor: Divisor) -> tuple[Floats, Floats]:
        """The ends of what the divisor is multiplied by."""
        factor = divisor.scale * divisor.under
        free = np.full(self.size.shape, np.inf)
        low = self.low[:, divisor.ratio] if divisor.at_least else -free
        high = self.high[:, divisor.ratio] if divisor.at_most else free
        return low * factor - divisor.over, high * factor - divisor.over


def _middle(low: Floats, high: Floats, size: Floats) -> tuple[Floats, Floats]:
    """The middle of bounds and half their width; where an end is missing, some way from the other."""
    away = np.broadcast_to(np.maximum(size, 1.0)[:, None], low.shape)
    start = np.where(np.isfinite(low), low, np.where(np.isfinite(high), high - 2 * away, -away))
    end = np.where(np.isfinite(high), high, start + 2 * away)
    return (start + end) / 2, (end - start) / 2


def _inner(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Two ends, each moved inside by a thousandth of what is between them."""
    width = np.where(np.isfinite(high - low), (high - low) / 1000, 0.0)
    return low + width, high - width


def _largest(ends: NDArray[np.float64]) -> Floats:
    return np.asarray(np.abs(np.where(np.isfinite(ends), ends, 0.0)).max(axis=1, initial=0.0))
