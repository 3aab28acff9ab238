"""Wide tables: each cell of a grid as a raw row of its own, with what its row and its column say of it.

In: a grid and the `[layout]` of its sidecar. Out: the columns of a plain raw table: `entity, metric, period, printed,
locator` and, where told, `caption, vintage, note, decimals`. The row law for wide tables: every cell of the area that
is neither header nor label and is not empty is one raw row, so it ends in exactly one of figures and rejects. A header
over several columns holds for all of them: exactly so where cells are merged, else up to the next text of its row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from zhiji_etl.errors import SourceError
from zhiji_etl.sources.grids import Grid, Span, address, column_letters
from zhiji_etl.sources.hashes import file_sha256
from zhiji_etl.sources.names import safe_terminal
from zhiji_etl.sources.sidecar import Layout, Sidecar
from zhiji_etl.sources.structure import ROW, Defect, Structure

if TYPE_CHECKING:
    from zhiji_etl.sources.files import Source
    from zhiji_etl.sources.forms import Form

LONG: Final = (
    "entity",
    "metric",
    "period",
    "printed",
    "locator",
    "caption",
    "vintage",
    "note",
    "decimals",
    "__default",
)
"""The columns of the raw rows that a layout gives."""

_COLUMN: Final = "__column"


class Block(NamedTuple):
    """The area of one layout in its grid, from 0, ends included; data begins at `top`, `left`."""

    grid: Grid
    layout: Layout
    first_row: int
    first_column: int
    last_row: int
    last_column: int

    @property
    def top(self) -> int:
        """The first row below the headers."""
        return self.first_row + len(self.layout.columns)

    @property
    def left(self) -> int:
        """The first column beside the labels."""
        return self.first_column + len(self.layout.rows)


def layout_structure(path: Path, sidecar: Sidecar, form: Form) -> Structure:
    """Check every layout of a file against its cells; the defects are cells whose print is not known.

    Raises `SourceError`: `layout_outside` (the file has no such cells), `layout_overlap` (one cell in two layouts), and
    those of the form.
    """
    defects: list[Defect] = []
    seen: list[pl.DataFrame] = []
    blocks = [*_blocks(path, sidecar, form)]
    for start, block in blocks:
        if _is_empty(block):
            raise _outside(path, block)
        if len(blocks) == 1 and not block.grid.faults:
            continue
        cells = _data(block).select("__row", _COLUMN)
        here = cells.with_columns(prefix=pl.lit(block.grid.prefix))
        if any(not here.join(other, on=here.columns, how="semi").is_empty() for other in seen):
            what = f"{safe_terminal(path.name)}: two layouts share the cell {block.grid.place(*cells.row(0))}."
            raise SourceError("layout_overlap", what, hint="Set cells in each [[layout]].")
        seen.append(here)
        defects += _defects(start, block, cells)
    return Structure(LONG, file_sha256(path), path.stat().st_size, tuple(defects))


def layout_rows(source: Source) -> pl.LazyFrame:
    """The raw rows of a source with layouts: `ROW` (the number of the cell in the file), then LONG, all String."""
    frames = [_long(start, block) for start, block in _blocks(source.path, source.sidecar, source.form)]
    # The cells of one block are in order; those of several on one sheet may lie between each other.
    return (frames[0] if len(frames) == 1 else pl.concat(frames).sort(ROW)).lazy()


# --------------------------------------------------------------------------------------------------------- blocks


def _blocks(path: Path, sidecar: Sidecar, form: Form) -> Iterator[tuple[int, Block]]:
    """Each layout with its grid, and the number of the grid's first cell: grids of several sheets follow each other."""
    grids: dict[str | int | None, tuple[int, Grid]] = {}
    cells = 0
    for layout in sidecar.layout or ():
        if layout.sheet not in grids:
            grid = form.grid(path, sidecar, layout.sheet)
            grids[layout.sheet] = cells, grid
            cells += grid.height * grid.width
        start, grid = grids[layout.sheet]
        yield start, _block(grid, layout)


def _block(grid: Grid, layout: Layout) -> Block:
    first, _, last = layout.cells.partition(":")
    top, left = address(first)
    bottom, right = address(last) if last else (grid.height, grid.width)
    return Block(grid, layout, top, left, min(bottom, grid.height - 1), min(right, grid.width - 1))


def _area(block: Block) -> pl.DataFrame:
    """The cells that are data, by row and column."""
    across = block.grid.texts.columns[block.left : block.last_column + 1]
    return block.grid.texts.select(across).slice(block.top, max(block.last_row + 1 - block.top, 0))


def _is_empty(block: Block) -> bool:
    """Whether no cell is data."""
    return not any((texts.str.strip_chars() != "").any() for texts in _area(block).iter_columns())


def _data(block: Block) -> pl.DataFrame:
    """Every cell of data that is not empty, row by row: `__row`, `__column`, `printed`, and ROW, its number."""
    rows = _area(block).with_row_index("__row", offset=block.top)
    long = rows.unpivot(index="__row", variable_name=_COLUMN, value_name="printed")
    cells = long.filter(pl.col("printed").str.strip_chars() != "").with_columns(pl.col(_COLUMN).cast(pl.UInt32))
    number = pl.col("__row").cast(pl.Int64) * block.grid.width + pl.col(_COLUMN)
    return cells.with_columns(number.alias(ROW)).sort(ROW)


def _defects(start: int, block: Block, cells: pl.DataFrame) -> Iterator[Defect]:
    """The faults of cells that are data, by the number of the cell in the file."""
    if block.grid.faults:
        data = set(cells.iter_rows())
        for (row, column), fault in block.grid.faults.items():
            if (row, column) in data:
                yield Defect(start + row * block.grid.width + column, *fault)


def _outside(path: Path, block: Block) -> SourceError:
    grid, layout = block.grid, block.layout
    has = f"{grid.height} rows and {grid.width} columns"
    headers, labels = _counted(len(layout.columns), "row", "headers"), _counted(len(layout.rows), "column", "labels")
    where = f"{layout.cells}, below {headers} and beside {labels}"
    what = f"{safe_terminal(path.name)} has no cell of data in {where}: it has {has}."
    return SourceError("layout_outside", what, hint="Correct cells, columns and rows of [layout] in the sidecar.")


def _counted(number: int, line: str, of: str) -> str:
    return f"{number} {line}{'' if number == 1 else 's'} of {of}"


# ----------------------------------------------------------------------------------------------------------- rows


def _long(start: int, block: Block) -> pl.DataFrame:
    grid, layout = block.grid, block.layout
    letters = {column: column_letters(column) for column in range(block.left, block.last_column + 1)}
    named = pl.col(_COLUMN).replace_strict(letters, return_dtype=pl.String)
    data = _data(block).with_columns(locator=pl.format("{}{}{}", pl.lit(grid.prefix), named, pl.col("__row") + 1))
    placed = data.join(_headers(block), on=_COLUMN, how="left", maintain_order="left")
    whole = placed.join(_labels(block), on="__row", how="left", maintain_order="left")
    said = [_said(name, layout).alias(name) for name in LONG if name not in ("printed", "locator")]
    return whole.select((pl.col(ROW) + start).cast(pl.UInt32), "printed", "locator", *said).select(ROW, *LONG)


def _said(name: str, layout: Layout) -> pl.Expr:
    """What the row, then the column says; for the whole table where neither does."""
    parts = [f"{side} {at}" for side in _SIDES for at, one in enumerate(getattr(layout, side)) if one == name]
    joined = pl.concat_str(parts, separator=" ", ignore_nulls=True) if parts else pl.lit(None, pl.String)
    told = pl.when(joined.str.strip_chars() != "").then(joined)
    constant = {"caption": None, "__default": layout.caption}.get(name, getattr(layout, name, None))
    return pl.coalesce(told, pl.lit(constant, pl.String))


def _headers(block: Block) -> pl.DataFrame:
    """By column: the text of each row of headers."""
    across = range(block.left, block.last_column + 1)
    texts: dict[str, pl.Series] = {_COLUMN: pl.Series(across, dtype=pl.UInt32)}
    for at, row in enumerate(range(block.first_row, block.top)):
        printed = pl.Series([block.grid.cell(row, column) for column in across], dtype=pl.String)
        over = [(span, span.left, span.right) for span in block.grid.spans if span.top <= row <= span.bottom]
        texts[f"columns {at}"] = _filled(printed, across, _merged(block.grid, over), is_last=row == block.top - 1)
    return pl.DataFrame(texts)


def _labels(block: Block) -> pl.DataFrame:
    """By row: the text of each column of labels."""
    down = range(block.top, block.last_row + 1)
    texts: dict[str, pl.Series] = {"__row": pl.Series(down, dtype=pl.UInt32)}
    for at, column in enumerate(range(block.first_column, block.left)):
        printed = block.grid.column(column, block.top, block.last_row)
        over = [(span, span.top, span.bottom) for span in block.grid.spans if span.left <= column <= span.right]
        texts[f"rows {at}"] = _filled(printed, down, _merged(block.grid, over), is_last=column == block.left - 1)
    return pl.DataFrame(texts)


def _merged(grid: Grid, spans: Iterable[tuple[Span, int, int]]) -> dict[int, str | None]:
    """The text of each place that a merged area covers along a line, from the first to the last of its places there."""
    return {place: grid.cell(span.top, span.left) for span, first, last in spans for place in range(first, last + 1)}


def _filled(printed: pl.Series, places: range, merged: Mapping[int, str | None], *, is_last: bool) -> pl.Series:
    """The texts of a line of headers or labels: gaps hold what is merged over them, else what stands before them."""
    if merged:
        return printed.zip_with(printed.is_not_null(), pl.Series([merged.get(at) for at in places], dtype=pl.String))
    return printed if is_last else printed.forward_fill()


_SIDES: Final = ("rows", "columns")
