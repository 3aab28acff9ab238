"""Patterns of slips: what a person or a script did to figures, judged by the bounds that they must have.

In: arrays of printed numbers, their steps, and the bounds that they must have, all in one unit; not bounded is inf.
Out: the name of the most telling slip that turns what must have been meant into what was printed, "" where none fits.
A slip fits where the corrected figure, read at the printed step, meets the bounds (ends closed). Floats decide here: a
slip is a hint, no verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import polars as pl

from zhiji_etl.consistency.exact.lattice import Flags, Floats
from zhiji_etl.threads import in_threads

NAMED_POWERS: Final = {4: "factor_wan", 8: "factor_yi"}
"""Powers of ten that are words: 万 and 亿 left out, doubled, or taken for each other (亿 for 万 is 4 again)."""

LARGEST_POWER: Final = 12
"""No scale word in use is larger than a trillion."""

PLACES: Final = 15
"""Digits that a float holds."""

CLOSE: Final = 1e-12
"""What floats may err, relative to the number."""

ROWS: Final = 1 << 15
"""Figures a chunk: what a core's cache holds."""


@dataclass(frozen=True, slots=True)
class Prints:
    """Printed numbers, their steps, the ends that they must be within; `base`: for a change printed in percent, the
    level in percent that it changed from, NaN where it is no such change.
    """

    value: Floats
    step: Floats
    low: Floats
    high: Floats
    base: Floats

    def at(self, rows: np.ndarray | slice) -> Prints:
        """Some of them."""
        return Prints(*(getattr(self, field.name)[rows] for field in fields(self)))

    def meet(self, number: Floats, half: Floats) -> Flags:
        """Where numbers, each within half a step, meet the bounds."""
        room = np.abs(number) * CLOSE
        return np.asarray((number + half + room >= self.low) & (number - half - room <= self.high))


def slip_names(prints: Prints, *, workers: int | None = None) -> pl.Series:
    """The most telling slip of each figure, null where none fits.

    Names, the most telling first: `sign`, `digits_swapped` (neighbours), `factor_wan`, `factor_yi`, `factor_1e<n>`,
    `percent_for_percentage_point`, `truncation`, `digit_wrong`; factors say what the print must be multiplied by.
    Bounds that are open or wide tell nothing: into them some slip always leads. `workers`: threads, one a core.
    """
    rows = np.flatnonzero(_telling(prints))
    found = np.zeros(prints.value.size, dtype=np.int16)

    def write(start: int) -> None:
        """Names the slips of one chunk."""
        at = rows[start : start + ROWS]
        found[at] = _named(prints.at(at))

    in_threads(write, range(0, rows.size, ROWS), threads=workers)
    names = pl.Series([None, *(name for name, _ in SLIPS)], dtype=pl.String)
    return names.gather(found)


# --- what is tried ---------------------------------------------------------------------------------------------------


def _telling(prints: Prints) -> Flags:
    """Where the print does not fit as it stands, and its bounds are narrow enough to tell a slip."""
    with np.errstate(invalid="ignore"):
        known = np.isfinite(prints.value) & (prints.step > 0) & np.isfinite(prints.low) & np.isfinite(prints.high)
        width = prints.high - prints.low
        narrow = (width >= 0) & (width <= np.maximum(np.abs(prints.low), np.abs(prints.high)) / 2)
        return np.asarray(known & narrow & ~prints.meet(prints.value, prints.step / 2))


def _named(prints: Prints) -> np.ndarray:
    """The number of the first slip that fits, counted from 1; 0 where none does."""
    found = np.zeros(prints.value.size, dtype=np.int16)
    open_ = np.arange(prints.value.size)
    rest = prints
    with np.errstate(all="ignore"):
        for number, (_, fits) in enumerate(SLIPS, start=1):
            here = fits(rest)
            if here.any():
                found[open_[here]] = number
                open_, rest = open_[~here], rest.at(~here)
    return found


def _sign(prints: Prints) -> Flags:
    return np.asarray((prints.value != 0) & prints.meet(-prints.value, prints.step / 2))


def _power(power: int) -> Callable[[Prints], Flags]:
    def fits(prints: Prints) -> Flags:
        """Where the print times the power of ten meets the bounds."""
        factor = 10.0**power
        return np.asarray((prints.value != 0) & prints.meet(prints.value * factor, prints.step / 2 * factor))

    return fits


def _points(prints: Prints) -> Flags:
    """So many percentage points of a level in percent are so many percent of that level."""
    share = 100 / np.abs(prints.base)
    return np.isfinite(share) & prints.meet(prints.value * share, prints.step / 2 * share)


def _truncated(prints: Prints) -> Flags:
    """Cut off instead of rounded: `[v, v + step)` for v > 0, mirrored for v < 0, both sides for 0."""
    value, step, room = prints.value, prints.step, np.abs(prints.value) * CLOSE
    below, above = np.where(value <= 0, value - step, value), np.where(value >= 0, value + step, value)
    inside = (prints.low < above - room) | ((value < 0) & (prints.low <= above + room))
    return inside & ((prints.high > below + room) | ((value > 0) & (prints.high >= below - room)))


def _swapped(prints: Prints) -> Flags:
    digits = _Digits(prints)
    found = np.zeros(prints.value.shape, dtype=bool)
    for place, (upper, lower) in enumerate(zip(digits.each[1:], digits.each, strict=False)):
        ten = 10.0**place
        there = (digits.count > place + 1) & (upper != lower) & ((lower > 0) | (digits.count > place + 2))
        found |= there & digits.within((lower - upper) * 9 * ten)
    return found


def _one_wrong(prints: Prints) -> Flags:
    digits = _Digits(prints)
    found = np.zeros(prints.value.shape, dtype=bool)
    for place, digit in enumerate(digits.each):
        ten = 10.0**place
        top = (digits.count == place + 1) & (digits.count > 1)
        least = np.maximum(np.ceil((digits.low - digits.number) / ten), -digit + top)
        most = np.minimum(np.floor((digits.high - digits.number) / ten), 9 - digit)
        some = (least <= most) & ~((least == 0) & (most == 0))
        found |= (digits.count > place) & digits.usable & some
    return found


class _Digits:
    """The digits as printed, trailing zeros included: the number that they make, and where that must lie.

    Not usable: numbers that are no multiple of their last digit, such as amounts converted from another currency.
    """

    def __init__(self, prints: Prints) -> None:
        unit = 10.0 ** np.floor(np.log10(prints.step) + 1e-9)
        self.number = np.rint(np.abs(prints.value) / unit)
        off = np.abs(self.number * unit - np.abs(prints.value))
        self.usable = (off <= 1e-9 * np.abs(prints.value)) & (self.number < 10.0**PLACES)
        ends = np.stack([prints.low, prints.high]) / unit
        ends = np.where(prints.value < 0, -ends[::-1], ends)
        self.low, self.high = ends[0] - 0.5 - 1e-6, ends[1] + 0.5 + 1e-6
        self.count = np.where(self.number > 0, np.floor(np.log10(np.maximum(self.number, 1)) + 1e-12) + 1, 1)
        self.each = list(self._each())

    def _each(self) -> Iterator[Floats]:
        """The digits from the last to the first."""
        most = int(self.count[self.usable].max(initial=0))
        rest = np.where(self.usable, self.number, 0.0)
        for _ in range(most):
            tens = np.floor(rest / 10)
            yield rest - tens * 10
            rest = tens

    def within(self, change: Floats) -> Flags:
        """Where the number lies as it must with this change."""
        changed = self.number + change
        return np.asarray(self.usable & (changed >= self.low) & (changed <= self.high))


def _powers() -> list[tuple[str, Callable[[Prints], Flags]]]:
    """Powers of ten, those that are words before the others, small ones before large ones."""
    powers = sorted((p for n in range(1, LARGEST_POWER + 1) for p in (n, -n)), key=lambda n: abs(n) not in NAMED_POWERS)
    return [(NAMED_POWERS.get(abs(power), f"factor_1e{power}"), _power(power)) for power in powers]


SLIPS: Final[tuple[tuple[str, Callable[[Prints], Flags]], ...]] = (
    ("sign", _sign),
    ("digits_swapped", _swapped),
    *_powers(),
    ("percent_for_percentage_point", _points),
    ("truncation", _truncated),
    ("digit_wrong", _one_wrong),
)
"""All slips, the most telling first."""
