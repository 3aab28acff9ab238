"""Slices of a large file: rows that can be read without the others.

In: where a slice may end, as (rows, bytes) from the beginning of the file. Out: `Slice`s of at least SLICE bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

SLICE = 12_000_000
"""Bytes of a slice, about: some 300,000 figures, which are read at once."""


class Slice(NamedTuple):
    """Rows from number `row` on, and the bytes that hold them; of a packed file, those that it unpacks to."""

    row: int
    rows: int
    start: int
    bytes: int


def slices(ends: Iterable[tuple[int, int]]) -> tuple[Slice, ...]:
    """The whole file in slices; none where it makes only one."""
    made: list[Slice] = []
    row = start = 0
    until, stop = row, start
    for until, stop in ends:
        if stop - start >= SLICE:
            made.append(Slice(row, until - row, start, stop - start))
            row, start = until, stop
    if made and stop > start:
        made.append(Slice(row, until - row, start, stop - start))
    return tuple(made) if len(made) > 1 else ()
