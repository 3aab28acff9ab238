"""Grids: a sheet, a page's table or a text table as cells in rows and columns, as printed, whatever they mean.

In: texts by row and column. Out: `Grid`, and from it the columns of a plain table (its header in the first row).
Rows and columns count from 0 inside, from 1 and A to people (`B7`), as spreadsheets do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

import polars as pl

from zhiji_etl.errors import SourceError
from zhiji_etl.sources.bombs import unpacked
from zhiji_etl.sources.hashes import file_sha256
from zhiji_etl.sources.headers import COLUMN_LIMIT, checked_columns
from zhiji_etl.sources.names import safe_terminal
from zhiji_etl.sources.structure import ROW, Defect, Structure, csv_shape

CELL_LIMIT: Final = 20_000_000
"""Cells of the largest grid, empty ones included."""

NUMBER: Final = "cell_number"
FORMULA: Final = "cell_formula"


class Span(NamedTuple):
    """A merged area, ends included; its text stands in the first cell."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells as printed, null or blank where empty, in the columns `0`, `1` and on (String); merged areas; and the cells
    whose print is not known, with code and reason. `prefix` stands before the address of a cell: `Sheet1!`.
    """

    texts: pl.DataFrame
    spans: tuple[Span, ...] = ()
    faults: Mapping[tuple[int, int], tuple[str, str]] = field(default_factory=dict)
    prefix: str = ""

    @property
    def height(self) -> int:
        """Rows, empty ones among others included."""
        return self.texts.height

    @property
    def width(self) -> int:
        """Columns of the longest row."""
        return self.texts.width

    def rows(self, first: int, number: int) -> list[list[str | None]]:
        """So many rows from the first on, as far as there are any."""
        return [list(row) for row in self.texts.slice(first, number).iter_rows()]

    def column(self, at: int, first: int, last: int) -> pl.Series:
        """A column from one row to another, both included; null where it is empty."""
        texts = self.texts.to_series(at).slice(first, last + 1 - first)
        return texts.set(texts.str.strip_chars() == "", None)

    def cell(self, row: int, column: int) -> str | None:
        """The text of a cell; null where it is empty, and outside the grid."""
        text = self.texts.item(row, column) if row < self.height and column < self.width else None
        return text if text and text.strip() else None

    def place(self, row: int, column: int) -> str:
        """The address of a cell: `Sheet1!B7`."""
        return f"{self.prefix}{column_letters(column)}{row + 1}"


def grid_of(
    name: str,
    rows: Sequence[Sequence[str | None]],
    spans: tuple[Span, ...] = (),
    faults: Mapping[tuple[int, int], tuple[str, str]] = MappingProxyType({}),
    prefix: str = "",
) -> Grid:
    """Rows of any length as a grid; `SourceError`: `grid_too_large`, `columns_too_many`."""
    columns = _checked_columns(name, len(rows), max(map(len, rows), default=0))
    return Grid(pl.DataFrame(list(zip_longest(*rows)), schema=columns, orient="col"), spans, faults, prefix)


def column_letters(column: int) -> str:
    """The letters of a column from 0.

    >>> column_letters(0), column_letters(27)
    ('A', 'AB')
    """
    letters = ""
    while column >= 0:
        column, last = divmod(column, 26)
        letters = chr(ord("A") + last) + letters
        column -= 1
    return letters


def address(text: str) -> tuple[int, int]:
    """Row and column, from 0, of an address such as `B7`; `ValueError` for anything else.

    >>> address("AB7")
    (6, 27)
    """
    match = re.fullmatch(r"([A-Za-z]{1,3})([1-9][0-9]{0,6})", text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no address of a cell, as B7")
    column = 0
    for letter in match[1].upper():
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(match[2]) - 1, column - 1


def text_grid(path: Path, separator: str) -> Grid:
    """A CSV file, packed or not, as a grid: lines may have any number of cells.

    Raises `SourceError`: those of `csv_shape`, `source_unpacks`, `grid_too_large`, `columns_too_many`.
    """
    with unpacked(path) if path.name.lower().endswith(".gz") else path.open("rb") as stream:
        shape = csv_shape(stream, path.name, separator)
    columns = _checked_columns(path.name, *shape)
    if not columns:
        return Grid(pl.DataFrame())
    rows = pl.scan_csv(
        path, separator=separator, has_header=False, schema=columns, glob=False, missing_columns="insert"
    )
    return Grid(rows.collect())


def frame_grid(name: str, frame: pl.DataFrame) -> Grid:
    """Columns of text as a grid, the names of the columns in its first row."""
    columns = _checked_columns(name, frame.height + 1, frame.width)
    header = pl.DataFrame([frame.columns], schema=columns, orient="row")
    return Grid(pl.concat([header, frame.rename(dict(zip(frame.columns, columns, strict=True)))]))


def grid_too_large(name: str) -> SourceError:
    """The error for a sheet or table of too many cells, empty ones included."""
    what = f"{safe_terminal(name)} has more than {CELL_LIMIT:,} cells, or is too large to be held in memory."
    return SourceError("grid_too_large", what, hint="Delete empty rows and columns, or split the table.")


# ------------------------------------------------------------------------------------------------- plain tables


def plain_structure(path: Path, grid: Grid, printed: str) -> Structure:
    """The columns of a grid whose first row is its header; a cell of column `printed` without a print is a defect."""
    header = grid.rows(0, 1)[0] if grid.height else []
    names = checked_columns(path.name, [(name or "").strip() for name in header])
    at = names.index(printed) if printed in names else -1
    defects = [Defect(row - 1, *fault) for (row, column), fault in grid.faults.items() if column == at and row]
    in_order = tuple(sorted(defects, key=lambda one: one.row))
    shown = f"{grid.prefix}{column_letters(at)}" if grid.prefix and at >= 0 else ""
    return Structure(names, file_sha256(path), path.stat().st_size, in_order, place=shown)


def plain_frame(columns: Sequence[str], grid: Grid) -> pl.LazyFrame:
    """The rows below the header as columns of text, with their number from 0."""
    named = grid.texts.rename(dict(zip(grid.texts.columns, columns, strict=True)))
    return named.slice(1).with_row_index(ROW).lazy()


# -------------------------------------------------------------------------------------------------------- helpers


def _checked_columns(name: str, height: int, width: int) -> dict[str, pl.DataType]:
    """The columns of a grid of so many cells, if it is not too large."""
    if width > COLUMN_LIMIT:
        what = f"{safe_terminal(name)} has {width:,} columns, more than {COLUMN_LIMIT:,}."
        raise SourceError("columns_too_many", what, hint="Is the separator another one?")
    if height * width > CELL_LIMIT:
        raise grid_too_large(name)
    return {str(column): pl.String() for column in range(width)}
