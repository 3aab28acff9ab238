"""The figures of a batch as printed: from the columns of judged rows to arrays of figures by groups.

In: a `Batch` (forms.py) and the frames that its rows refer to. Out: `Printed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhiji_etl.consistency.conflicts.forms import Batch, Numbers
from zhiji_etl.consistency.rules.operands import columns

NOBODY: Final = 2**64 - 1
"""The figure_id of what is not printed."""


class Printed(NamedTuple):
    """The figures of a batch as printed, [figures, groups]: where `there` is false nothing is, and the rest is idle."""

    there: NDArray[np.bool_]
    figure_id: NDArray[np.uint64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    low_open: NDArray[np.bool_]
    high_open: NDArray[np.bool_]
    value: NDArray[np.float64]
    step: NDArray[np.float64]


class Reader:
    """Columns of the rows as arrays, each made once."""

    def __init__(self, frames: Sequence[pl.DataFrame]) -> None:
        self.frames = frames
        self.made: dict[tuple[int, str], NDArray[np.generic]] = {}

    def column(self, rule: int, name: str, absent: object) -> NDArray[np.generic]:
        """One column of one rule's rows, nulls filled."""
        if (rule, name) not in self.made:
            column = self.frames[rule].get_column(name)
            self.made[rule, name] = (column.fill_null(absent) if column.has_nulls() else column).to_numpy()
        return self.made[rule, name]

    def printed(self, batch: Batch) -> Printed:
        """The figures of a batch; one that several rules read is taken from the first in which it is printed."""
        columns_read = [self._figure(batch, column) for column in range(batch.figures)]
        return Printed(*(np.stack([one[i] for one in columns_read]) for i in range(len(Printed._fields))))

    def _figure(self, batch: Batch, column: int) -> list[NDArray[np.generic]]:
        taken: list[NDArray[np.generic]] | None = None
        for slot, rule, operand in batch.readers(column):
            here = self._operand(batch.rows[slot], rule, operand)
            if taken is None:
                taken = here
            else:
                taken = [np.where(taken[0], one, other) for one, other in zip(taken, here, strict=True)]
        if taken is None:
            raise LookupError(f"no rule reads column {column}")
        return taken

    def _operand(self, rows: Numbers, rule: int, operand: str) -> list[NDArray[np.generic]]:
        names = columns(operand)
        low = self.column(rule, names.low, float("-inf"))[rows]
        high = self.column(rule, names.high, float("inf"))[rows]
        number = self.column(rule, names.figure_id, NOBODY)[rows]
        there = (number != NOBODY) & (np.isfinite(low) | np.isfinite(high))
        shut = [np.logical_not(self.column(rule, name, True)[rows]) for name in (names.low_closed, names.high_closed)]
        told = [self.column(rule, name, float("nan"))[rows] for name in (names.value, names.step)]
        return [there, number, low, high, *shut, *told]
