"""The lattice: printed decimals as whole numbers in Float64, so that sums and comparisons of them are exact.

In: a chunk's bounds as floats, [figures, records], inf where not bounded. Out: whole lattice units, and back.
An open end lies one smallest unit inside of its number, which adds up rightly: a sum of open ends is open. Records
whose bounds are on no lattice stay floats and get a tolerance, within which touching must be decided otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

TOUCHING: Final = 1e-9
"""Ends this near, relative to the record's largest number, are decided again in fractions."""

FINENESS: Final = tuple(2.0 * 10**digits for digits in range(7))
"""Lattices tried: halves of 1 down to halves of a millionth."""


class Lattice(NamedTuple):
    """How a chunk's numbers become whole: times `scale` [records]; `room` is how many smallest units make one."""

    scale: Floats
    room: float
    tolerance: Floats


class Ends(NamedTuple):
    """A chunk's bounds, [figures, records]."""

    low: Floats
    high: Floats
    low_open: Flags
    high_open: Flags

    @property
    def open(self) -> Flags:
        """The records in which some end is excluded."""
        return np.asarray((self.low_open | self.high_open).any(axis=0))


def lattice_of(ends: Ends, limits: Floats, room: int, *, usable: bool) -> Lattice:
    """The coarsest lattice that holds each record's bounds and the rules' limits; 1 and a tolerance where none does.

    `room`: how many ends are added up at most, 1 where none is open. `usable`: False where a rule's coefficients
    leave the lattice, so that every record gets a tolerance.
    """
    scale = np.zeros(ends.low.shape[1])
    bound = 2.0**52 / room / max(64, len(ends.low))
    for fineness in FINENESS if usable else ():
        todo = np.flatnonzero(scale == 0)
        fits = _whole(ends.low[:, todo] * fineness, bound) & _whole(ends.high[:, todo] * fineness, bound)
        scale[todo[fits & _whole(limits[:, None] * fineness, bound)]] = fineness
    largest = np.max([_largest(ends.low), _largest(ends.high)], axis=0)
    tolerance = np.where(scale > 0, 0.0, np.maximum(largest, np.abs(limits).max(initial=0)) * TOUCHING)
    return Lattice(np.where(scale > 0, scale, 1.0), float(room), tolerance)


def inside(numbers: Floats, is_open: Flags, lattice: Lattice, sign: int) -> Floats:
    """Numbers in lattice units; an open low end (sign 1) or high end (sign -1) one smallest unit inside."""
    exact = lattice.tolerance == 0
    units = np.where(exact, np.rint(numbers * lattice.scale) * lattice.room, numbers)
    return np.asarray(units + sign * (is_open & exact & np.isfinite(numbers)))


def back(units: Floats, dead: Flags, lattice: Lattice, outward: Callable[[Floats], Floats]) -> Floats:
    """Lattice units as numbers; an end that is open comes out as the number that it excludes."""
    exact = (lattice.tolerance == 0) & np.isfinite(units)
    numbers = np.where(lattice.tolerance == 0, units / lattice.room, units)
    ends = np.where(exact, outward(numbers), numbers)
    return np.asarray(np.where(dead, np.nan, ends / lattice.scale))


# --- helpers ---------------------------------------------------------------------------------------------------------


def _whole(numbers: Floats, limit: float) -> Flags:
    """Where all numbers of a record are whole but for Float64's own rounding, and small enough to add up."""
    with np.errstate(invalid="ignore"):
        off = np.abs(numbers - np.rint(numbers))
        fits = (off <= 4e-16 * np.abs(numbers)) & (np.abs(numbers) < limit)
    return np.asarray((fits | np.isinf(numbers)).all(axis=0))


def _largest(numbers: Floats) -> Floats:
    return np.asarray(np.abs(np.where(np.isfinite(numbers), numbers, 0)).max(axis=0, initial=0))
