"""Grids: a sheet, a page's table or a text table as cells in rows and columns, as printed, whatever they mean.

In: texts by row and column. Out: `Grid`, and from it the columns of a plain table (its header in the first row).
Rows and columns count from 0 inside, from 1 and A to people (`B7`), as spreadsheets do.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from zhiji_etl.errors import SourceError
from zhiji_etl.sources.bombs import file_sha256, unpacked
from zhiji_etl.sources.names import safe_terminal
from zhiji_etl.sources.structure import COLUMN_LIMIT, ROW, Defect, Structure, checked_columns, text_blocks

CELL_LIMIT: Final = 20_000_000
"""Cells of the largest grid, empty ones included."""

TEXT_LIMIT: Final = 1 << 28
"""Bytes of the largest text file that is read as a grid: it is held in memory as a whole."""

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
    """Cells as printed (null or blank where empty), merged areas, and the cells whose print is not known, with code and
    reason. `prefix` stands before the address of a cell: `Sheet1!`.
    """

    rows: Sequence[Sequence[str | None]]
    spans: tuple[Span, ...] = ()
    faults: Mapping[tuple[int, int], tuple[str, str]] = field(default_factory=dict)
    prefix: str = ""
    width: int = field(init=False)
    """Columns of the longest row."""

    def __post_init__(self) -> None:
        # Counted once: whoever asks does so for each cell.
        object.__setattr__(self, "width", max(map(len, self.rows), default=0))

    def cell(self, row: int, column: int) -> str | None:
        """The text of a cell; null where it is empty, and outside the grid."""
        texts = self.rows[row] if row < len(self.rows) else ()
        text = texts[column] if column < len(texts) else None
        return text if text and text.strip() else None

    def place(self, row: int, column: int) -> str:
        """The address of a cell: `Sheet1!B7`."""
        return f"{self.prefix}{column_letters(column)}{row + 1}"


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

    Raises `SourceError`: `source_encoding`, `line_ends`, `quote_stray`, `source_unpacks`, `grid_too_large`.
    """
    rows: list[list[str]] = []
    try:
        rows.extend(csv.reader(io.StringIO(_text(path), newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        what = f"{safe_terminal(path.name)}, row {len(rows) + 1}: {error}."
        raise SourceError("quote_stray", what, hint="Put the whole cell in quotes and double a quote in it.") from None
    return checked_grid(path.name, Grid(rows))


def frame_grid(columns: Sequence[str], frame: pl.DataFrame) -> Grid:
    """Columns of text as a grid, the names of the columns in its first row."""
    return Grid([list(columns), *map(list, frame.rows())])


def checked_grid(name: str, grid: Grid) -> Grid:
    """The grid, or a `SourceError` `grid_too_large`, `columns_too_many`."""
    if grid.width > COLUMN_LIMIT:
        what = f"{safe_terminal(name)} has {grid.width:,} columns, more than {COLUMN_LIMIT:,}."
        raise SourceError("columns_too_many", what, hint="Is the separator another one?")
    if len(grid.rows) * grid.width > CELL_LIMIT:
        raise grid_too_large(name)
    return grid


def grid_too_large(name: str) -> SourceError:
    """The error for a sheet or table of too many cells, empty ones included."""
    what = f"{safe_terminal(name)} has more than {CELL_LIMIT:,} cells, or is too large to be held in memory."
    return SourceError("grid_too_large", what, hint="Delete empty rows and columns, or split the table.")


# ------------------------------------------------------------------------------------------------- plain tables


def plain_structure(path: Path, grid: Grid, printed: str) -> Structure:
    """The columns of a grid whose first row is its header; a cell of column `printed` without a print is a defect."""
    header = list(grid.rows[0]) if grid.rows else []
    names = checked_columns(
        path.name, [(name or "").strip() for name in [*header, *[None] * (grid.width - len(header))]]
    )
    at = names.index(printed) if printed in names else -1
    defects = [Defect(row - 1, *fault) for (row, column), fault in grid.faults.items() if column == at and row]
    shown = f"{grid.prefix}{column_letters(at)}" if grid.prefix and at >= 0 else ""
    return Structure(
        names, file_sha256(path), path.stat().st_size, tuple(sorted(defects, key=lambda one: one.row)), (), shown
    )


def plain_frame(columns: Sequence[str], grid: Grid) -> pl.LazyFrame:
    """The rows below the header as columns of text, with their number from 0."""
    width = len(columns)
    rows = [[*row, *[None] * (width - len(row))] for row in grid.rows[1:]]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    return frame.with_row_index(ROW).lazy()


# -------------------------------------------------------------------------------------------------------- helpers


def _text(path: Path) -> str:
    if not path.name.lower().endswith(".gz"):
        with path.open("rb") as stream:
            return _decoded(stream, path.name)
    with unpacked(path) as stream:
        return _decoded(stream, path.name)


def _decoded(stream: object, name: str) -> str:
    blocks: list[bytes] = []
    size = 0
    for _, block in text_blocks(stream, name, hashlib.sha256()):  # type: ignore[arg-type]
        size += len(block)
        if size > TEXT_LIMIT:
            raise grid_too_large(name)
        blocks.append(block)
    return b"".join(blocks).decode("utf-8-sig")
