"""A column of printed texts, read at column speed.

In: a String series. Out: a Struct series of `figures.PARSED_FIELDS`, row for row what `parse` says of each text: values
are the correctly rounded floats of its exact decimals.

The way of a text: `chunks` scans the bytes of all texts at once for shapes and numbers (`scanning`), the grammar reads
each distinct shape once (`shapes`), Polars computes with the digits what the shape means (`arithmetic`), and `results`
puts the figures back into the order of the rows. A value of at most 14 digits and a power of ten up to 22 is one exact
multiplication or division of floats, rounded once. Longer numbers, sums, fractions and words are made by the same code
as single texts, once per distinct text (`single`).
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import polars as pl

from zhiji_etl.arguments import guarded
from zhiji_etl.errors import FigureError
from zhiji_etl.figures import Rounding
from zhiji_etl.reading.cells import options, precision
from zhiji_etl.reading.columns.chunks import Told, read_chunk
from zhiji_etl.reading.columns.single import figure_struct

__all__ = ["figure_struct", "parse_series"]

_SMALL, _CHUNK = 20_000, 125_000
"""Rows that are not worth a second thread, and rows that are read at a time: their bytes fit
the caches of a processor."""

NO_PRINTS = (
    "A column of {} holds no printed figures: how they were printed is not known. "
    "Hint: read the column as text, as it was printed. [column_type]"
)
NO_DECIMALS = "Declared decimals are whole numbers, and {} are given. [column_type]"


@guarded(FigureError, texts=None, decimals=None)
def parse_series(
    texts: pl.Series,
    *,
    currency: str | None = None,
    scale: str | None = None,
    unit: str | None = None,
    decimals: int | pl.Series | None = None,
    rounding: Rounding = "nearest",
    decimal_comma: bool = False,
) -> pl.Series:
    """Each text of a column as a struct of `figures.PARSED_FIELDS`; the options are those of `parse`.

    `decimals` may be a series of whole numbers, one for each text, null where nothing is declared. Where a text is no
    figure, `code` and `reason` say why and the other fields are null; a null text gives a null struct. Raises
    `FigureError` only where an option itself is wrong, and `pl.exceptions.InvalidOperationError` for a series of floats
    or nested values: nobody knows how they were printed.
    """
    if texts.dtype.is_float() or texts.dtype.is_nested():
        # An error of Polars, which it passes on from an expression as it is.
        raise pl.exceptions.InvalidOperationError(NO_PRINTS.format(texts.dtype))
    keywords = {
        "currency": currency, "scale": scale, "unit": unit, "rounding": rounding, "decimal_comma": decimal_comma,
    }  # fmt: skip
    precision(None, rounding)
    told = Told(options(currency, scale, unit, decimal_comma), keywords)
    texts, declared = texts.cast(pl.String), _declared(decimals, len(texts))
    workers = _workers()
    size = max(1, min(_CHUNK, -(-len(texts) // workers)) if len(texts) > _SMALL else _SMALL)
    read = partial(_slice_read, texts, declared, told, size)
    starts = range(0, max(len(texts), 1), size)
    if len(starts) == 1:
        return read(0).alias(texts.name)
    if workers == 1:
        return pl.concat([read(start) for start in starts]).alias(texts.name)
    with ThreadPoolExecutor(min(len(starts), workers)) as pool:
        return pl.concat(list(pool.map(read, starts))).alias(texts.name)


def _workers() -> int:
    """How many threads may read at once: one where a thread of Polars asks.

    Polars has several of its own read batches then, and to wait there for others that need Polars could be for ever.
    """
    is_of_polars = isinstance(threading.current_thread(), threading._DummyThread)
    return 1 if is_of_polars else pl.thread_pool_size()


def _slice_read(texts: pl.Series, decimals: pl.Series | None, told: Told, size: int, start: int) -> pl.Series:
    declared = None if decimals is None else decimals.slice(start, size)
    return read_chunk(texts.slice(start, size), declared, told)


def _declared(decimals: int | pl.Series | None, length: int) -> pl.Series | None:
    """The declared decimals of each text, or nothing at all."""
    if decimals is None:
        return None
    if isinstance(decimals, pl.Series):
        if decimals.null_count() == len(decimals):
            return None
        if not decimals.dtype.is_integer():
            raise pl.exceptions.InvalidOperationError(NO_DECIMALS.format(decimals.dtype))
        return decimals.cast(pl.Int32)
    return pl.Series([decimals], dtype=pl.Int32).new_from_index(0, length)
