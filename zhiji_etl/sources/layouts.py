"""Wide tables: each cell of a grid as a raw row of its own, with what its row and its column say of it.

In: a grid and the `[layout]` of its sidecar. Out: the columns of a plain raw table: `entity, metric, period, printed,
locator` and, where told, `caption, vintage, note, decimals`. What the sidecar says of a single column or row stands in
place of its headers or labels. The row law for wide tables: every cell of the area that
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
from zhiji_etl.sources.sidecar import Layout, Said, Sidecar
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
    "__at",
)
"""The columns of the raw rows that a layout gives.

`__default` is the caption of the layout; `__at` the one that is said of a single column or row, else the header or
label that gave way to what is said there, which may hold one.
"""

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
        _check_places(path, block)
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


def _check_places(path: Path, block: Block) -> None:
    """Refuse words on a column or row that holds no data of the layout: nobody would see that they do nothing."""
    known = {key for side in _SIDES for key in _places(side, block)}
    for key in block.layout.at:
        if key not in known:
            what = (
                f"{safe_terminal(path.name)}: at.{key} is no column or row of data of the layout {block.layout.cells}."
            )
            hint = "Name a column by its letters or a row by its number, beside the labels and below the headers."
            raise SourceError("layout_outside", what, hint=hint)


def _places(side: str, block: Block) -> dict[str, int]:
    """The columns or rows of data by the names that people give them, if the layout says something of any."""
    if not block.layout.at:
        return {}
    if side == "columns":
        return {column_letters(at): at for at in range(block.left, block.last_column + 1)}
    return {str(at + 1): at for at in range(block.top, block.last_row + 1)}


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
    placed = data.join(_headers(block), left_on=_COLUMN, right_on="columns", how="left", maintain_order="left")
    whole = placed.join(_labels(block), left_on="__row", right_on="rows", how="left", maintain_order="left")
    said = [_said(name, layout).alias(name) for name in LONG if name not in ("printed", "locator")]
    return whole.select((pl.col(ROW) + start).cast(pl.UInt32), "printed", "locator", *said).select(ROW, *LONG)


def _said(name: str, layout: Layout) -> pl.Expr:
    """What the row, then the column says; for the whole table where neither does. An empty text is said on purpose."""
    parts = [pl.col(f"{side} {name}") for side in _SIDES]
    joined = pl.concat_str(parts, separator=" ", ignore_nulls=True)
    told = pl.when(pl.any_horizontal(part == "" for part in parts)).then(pl.lit("")).when(joined != "").then(joined)
    whole = layout.caption if name == "__default" else getattr(layout, name, None)
    return pl.coalesce(told, pl.lit(None if name == "caption" else whole, pl.String))


def _headers(block: Block) -> pl.DataFrame:
    """By column: what its headers say."""
    across = range(block.left, block.last_column + 1)
    lines = []
    for row in range(block.first_row, block.top):
        printed = pl.Series([block.grid.cell(row, column) for column in across], dtype=pl.String)
        over = [(span, span.left, span.right) for span in block.grid.spans if span.top <= row <= span.bottom]
        lines.append(_filled(printed, across, _merged(block.grid, over), is_last=row == block.top - 1))
    return _by_name("columns", block, across, lines)


def _labels(block: Block) -> pl.DataFrame:
    """By row: what its labels say."""
    down = range(block.top, block.last_row + 1)
    lines = []
    for column in range(block.first_column, block.left):
        printed = block.grid.column(column, block.top, block.last_row)
        over = [(span, span.top, span.bottom) for span in block.grid.spans if span.left <= column <= span.right]
        lines.append(_filled(printed, down, _merged(block.grid, over), is_last=column == block.left - 1))
    return _by_name("rows", block, down, lines)


def _by_name(side: str, block: Block, places: range, lines: list[pl.Series]) -> pl.DataFrame:
    """Lines of headers or labels joined by what they say (`columns period`), null where nothing is said.

    What the layout says of single columns or rows stands in their place. The column `side` holds the places.
    """
    axes: list[str] = getattr(block.layout, side)
    numbered = [line.alias(str(at)) for at, line in enumerate(lines)]
    frame = pl.DataFrame([pl.Series(side, places, dtype=pl.UInt32), *numbered])
    printed = {name: _joined([str(at) for at, axis in enumerate(axes) if axis == name]) for name in LONG}
    told = dict(printed)
    known = _places(side, block)
    for key, words in block.layout.at.items():
        if key in known:
            here = pl.col(side) == known[key]
            for name, text in _in_place(words, printed).items():
                told[name] = pl.when(here).then(text).otherwise(told[name])
    return frame.select(side, *(text.alias(f"{side} {name}") for name, text in told.items()))


def _in_place(words: Said, printed: Mapping[str, pl.Expr]) -> dict[str, pl.Expr]:
    """What is said of one column or row, by the names of LONG, beside what gave way to it."""
    said = words.model_dump(exclude={"caption"}, exclude_none=True)
    gave_way = pl.concat_str([pl.lit(""), *(printed[name] for name in said)], separator=" ", ignore_nulls=True)
    caption = pl.lit(words.caption) if words.caption else gave_way
    return {**{name: pl.lit(text) for name, text in said.items()}, "__at": caption}


def _joined(lines: list[str]) -> pl.Expr:
    joined = pl.concat_str(lines, separator=" ", ignore_nulls=True) if lines else pl.lit(None, pl.String)
    return pl.when(joined != "").then(joined)


def _merged(grid: Grid, spans: Iterable[tuple[Span, int, int]]) -> dict[int, str | None]:
    """The text of each place that a merged area covers along a line, from the first to the last of its places there."""
    return {place: grid.cell(span.top, span.left) for span, first, last in spans for place in range(first, last + 1)}


def _filled(printed: pl.Series, places: range, merged: Mapping[int, str | None], *, is_last: bool) -> pl.Series:
    """The texts of a line of headers or labels: gaps hold what is merged over them, else what stands before them."""
    if merged:
        return printed.zip_with(printed.is_not_null(), pl.Series([merged.get(at) for at in places], dtype=pl.String))
    return printed if is_last else printed.forward_fill()


_SIDES: Final = ("rows", "columns")
