"""Casts that keep each value exactly, or give null.

In: a column's name, its dtype and the declared one. Out: an expression, or None where every cast would be a guess.
Pandera's coercion rounds decimals silently and reports the first bad column only, so it is never used.
"""

from __future__ import annotations

from typing import Any

import polars as pl
from polars.datatypes import DataTypeClass

TEXT = (pl.String, pl.Categorical, pl.Enum)
CALENDAR = (pl.Date, pl.Datetime)


def exact_cast(name: str, source: pl.DataType, target: Any) -> pl.Expr | None:
    """The cast of a column that is null where a value would change, or None where no such cast is known.

    `target` is a Polars dtype, or whatever else a model may declare (a Pydantic class), to which nothing is cast.
    """
    if not isinstance(target, pl.DataType | DataTypeClass):
        return None
    cell = pl.col(name)
    if source in TEXT:
        return _cast_text(cell.cast(pl.String), target)
    if source == pl.Null or (source.is_integer() and target == pl.String):
        return cell.cast(target)
    if (source.is_numeric() and target.is_numeric()) or _same_clock(source, target):
        cast = cell.cast(target, strict=False)
        return pl.when(cast.cast(source, strict=False).eq_missing(cell)).then(cast)
    return None


def _cast_text(text: pl.Expr, target: pl.DataType | DataTypeClass) -> pl.Expr | None:
    if target == pl.Date:
        return text.str.to_date("%Y-%m-%d", strict=False)
    if target in TEXT:
        return text.cast(target, strict=False)
    if not target.is_numeric():
        return None
    cast = text.cast(target, strict=False)
    kept = _digits(text) == _digits(cast.cast(pl.String))
    return pl.when(kept & cast.cast(pl.Float64).is_finite()).then(cast)


def _digits(text: pl.Expr) -> pl.Expr:
    """The significant digits of a printed number: the same before and after a cast where none was lost.

    Polars prints a float as the shortest decimal that reads back as it: 15 digits always come back, 17 sometimes.
    """
    return text.str.replace("[eE].*$", "").str.replace_all("[^0-9]", "").str.strip_chars("0")


def _same_clock(source: pl.DataType, target: pl.DataType | DataTypeClass) -> bool:
    """Whether both are dates or datetimes that agree on having a time zone: to give one would be a guess."""
    zones = [getattr(dtype, "time_zone", None) is None for dtype in (source, target)]
    return source in CALENDAR and target in CALENDAR and zones[0] == zones[1]
