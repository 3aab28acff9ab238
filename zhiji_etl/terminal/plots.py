"""Bars on one axis, in plain characters.

In: bars with two ends each, not bounded where infinite. Out: lines of text for a terminal of a given width.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

LABEL: Final = 10
"""Columns in front of everything on the axis."""

NARROWEST: Final = 16
WIDEST: Final = 60
"""Cells of the axis: fewer tell nothing, more tell no more."""


class Bar(NamedTuple):
    """One line of the plot: what it shows, two ends, and the text behind it."""

    name: str
    low: float
    high: float
    text: str
    fill: str = "="


def plot(bars: Sequence[Bar], width: int) -> list[str]:
    """Bars on one axis, in plain characters: `[==]` from end to end, `<` and `>` where an end is not bounded.

    The text of each bar stands behind it, or on a line of its own where the terminal is too narrow for both.
    """
    longest = max((len(bar.text) for bar in bars), default=0)
    beside = width - LABEL - longest - 4 >= NARROWEST
    cells = min(WIDEST, width - LABEL - 4 - (longest if beside else 0))
    axis = _axis(bars)
    lines = []
    for bar in bars:
        drawn = f"  {bar.name:{LABEL - 2}}{_bar(bar, axis, max(NARROWEST, cells))}"
        lines += [f"{drawn}  {bar.text}".rstrip()] if beside else [drawn.rstrip(), f"  {'':{LABEL - 2}}{bar.text}"]
    return lines


def _axis(bars: Iterable[Bar]) -> tuple[float, float]:
    """What the first and the last cell stand for: room is left beyond an end that is not bounded."""
    all_ends = [end for bar in bars for end in (bar.low, bar.high)]
    finite = [end for end in all_ends if math.isfinite(end)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    room = (high - low) / 4 or abs(high) or 1.0
    below, above = (any(end == limit for end in all_ends) for limit in (-math.inf, math.inf))
    flat = low == high
    return low - room * (below or flat), high + room * (above or flat)


def _bar(bar: Bar, axis: tuple[float, float], cells: int) -> str:
    first, last = (_cell(end, axis, cells) for end in (bar.low, bar.high))
    first, last = min(first, last), max(first, last)
    if bar.fill != "=":
        return (" " * (first + 1) + bar.fill * (last - first - 1)).ljust(cells)
    left = "<" if bar.low == -math.inf else "["
    right = ">" if bar.high == math.inf else "]"
    drawn = "|" if first == last else left + bar.fill * (last - first - 1) + right
    return (" " * first + drawn).ljust(cells)


def _cell(end: float, axis: tuple[float, float], cells: int) -> int:
    if not math.isfinite(end):
        return 0 if end < 0 else cells - 1
    return round((end - axis[0]) / (axis[1] - axis[0]) * (cells - 1))
