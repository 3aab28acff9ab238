"""Changes that would resolve a finding, and the slip that explains each.

In: what is printed of a figure, and the bounds that it must have so that all holds. Out: the names of slips (see
`patterns`), null where none fits. Units are those of the figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import polars as pl

from zhiji_etl.consistency.rules.expressions import SAME, Operand
from zhiji_etl.consistency.rules.operands import columns
from zhiji_etl.consistency.rules.patterns import Prints, slip_names

PERCENT = "percent"


def slips_of(rows: pl.DataFrame, operand: Operand, low: pl.Series, high: pl.Series, level: Operand | None) -> pl.Series:
    """For each row of a wide frame the slip by which one operand came to be printed, where it must be within the ends.

    `level`: the operand in percent that a change in percent is measured from (see `level_of`).
    """
    names = columns(operand.name)
    base = None if level is None else rows.get_column(columns(level.name).value)
    return slip_names(
        Prints(
            _floats(rows.get_column(names.value)),
            _floats(rows.get_column(names.step)),
            _floats(low),
            _floats(high),
            np.full(rows.height, np.nan) if base is None else _floats(base),
        )
    ).alias("pattern")


def level_of(operand: Operand, others: Iterable[Operand], units: Mapping[str, str]) -> Operand | None:
    """The operand that a change in percent is measured from: another metric in percent, of an earlier period."""
    if units[operand.metric] != PERCENT or operand.offset != SAME:
        return None
    earlier = (
        other
        for other in others
        if other.metric != operand.metric
        and units[other.metric] == PERCENT
        and other.offset in ("previous", "year_before")
    )
    return next(earlier, None)


def likely_slip(printed: Mapping[str, Any], low: float, high: float, base: float | None = None) -> str | None:
    """The most telling slip that turns what a figure must be into what is printed; null where none fits.

    `printed` is a row of figures, `base` the level in percent from which a change in percent is measured.
    """
    given = (printed.get("value"), printed.get("step"), low, high, base)
    prints = Prints(*(np.array([np.nan if one is None else one], dtype=np.float64) for one in given))
    name = slip_names(prints, workers=1).item()
    return None if name is None else str(name)


def earlier_level(printed: Mapping[str, Any], fellows: Iterable[Mapping[str, Any]]) -> float | None:
    """The level that a change in percent is measured from: a fellow figure in percent of an earlier period, if any."""
    if printed.get("unit") != PERCENT:
        return None
    earlier = [
        fellow["value"]
        for fellow in fellows
        if fellow.get("unit") == PERCENT
        and fellow.get("value")
        and fellow["metric"] != printed["metric"]
        and fellow["period_end"] < printed["period_end"]
    ]
    return earlier[0] if earlier else None


def _floats(column: pl.Series) -> np.ndarray:
    # A null becomes NaN.
    return np.asarray(column.to_numpy(), dtype=np.float64)
