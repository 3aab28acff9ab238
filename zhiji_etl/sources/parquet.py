"""Raw Parquet: text columns as they are, other columns refused where they would have to be printed anew.

In: a `.parquet` file. Out: text columns. A figure is what was printed, so `printed` must be text in the file; integers,
decimals and dates become text, because they have one way to be written.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl
from polars.exceptions import PanicException, PolarsError

from zhiji_etl.errors import SourceError
from zhiji_etl.sources.bombs import UNPACKED_LIMIT, corrupt, unpacks
from zhiji_etl.sources.hashes import file_sha256
from zhiji_etl.sources.headers import checked_columns
from zhiji_etl.sources.names import safe_terminal
from zhiji_etl.sources.sidecar import Sidecar
from zhiji_etl.sources.slices import slices
from zhiji_etl.sources.structure import CELL_LIMIT, ROW, ROW_LIMIT, Structure

if TYPE_CHECKING:
    from zhiji_etl.sources.files import Source

VIEW: Final = 16
"""Bytes that one text cell takes in memory at least, however well it was packed."""


def parquet_structure(path: Path, _sidecar: Sidecar) -> Structure:
    """Check the footer's sizes before a page is unpacked, then read every page once.

    Raises `SourceError`: `source_corrupt`, `source_unpacks`, `column_type`, `cell_too_long`, `rows_too_many`.
    """
    groups = _checked_footer(path)
    try:
        frame = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        schema = frame.collect_schema()
        names = checked_columns(path.name, schema.names())
        _check_types(path.name, schema)
        texts = [name for name in names if schema[name] == pl.String]
        longest = frame.select(pl.col(texts).str.len_bytes().max()).collect(engine="streaming")
    except (PolarsError, PanicException, OSError) as error:
        raise corrupt(path.name, safe_terminal(str(error).partition("\n")[0])) from None
    if any((length or 0) > CELL_LIMIT for lengths in longest.rows() for length in lengths):
        what = f"{safe_terminal(path.name)} has a cell of more than {CELL_LIMIT:,} bytes."
        raise SourceError("cell_too_long", what, hint="Is this a table of figures?")
    ends = accumulate(groups, lambda before, group: (before[0] + group[0], before[1] + group[1]))
    return Structure(names, file_sha256(path), path.stat().st_size, slices=slices(ends))


def scan_parquet(source: Source) -> pl.LazyFrame:
    """All columns as text, with their row numbers."""
    frame = parquet_frame(source.path, source.columns)
    return frame if source.slice is None else frame.slice(source.slice.row, source.slice.rows)


def parquet_frame(path: Path, columns: Sequence[str]) -> pl.LazyFrame:
    """The same of a file whose columns are known."""
    frame = pl.scan_parquet(path, glob=False, hive_partitioning=False, row_index_name=ROW)
    return frame.with_columns(pl.col(columns).cast(pl.String))


# -------------------------------------------------------------------------------------------------------- helpers


def _checked_footer(path: Path) -> list[tuple[int, int]]:
    """The rows and bytes of each row group; a few bytes can claim billions of rows: one must fit into memory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        footer = pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        raise corrupt(path.name, f"its Parquet footer is broken ({safe_terminal(str(error))})") from None
    if footer.num_rows > ROW_LIMIT:
        what = f"{safe_terminal(path.name)} has more than {ROW_LIMIT:,} rows."
        raise SourceError("rows_too_many", what, hint="Split the file.")
    groups = [footer.row_group(index) for index in range(footer.num_row_groups)]
    if any(max(group.total_byte_size, group.num_rows * group.num_columns * VIEW) > UNPACKED_LIMIT for group in groups):
        raise unpacks(path.name)
    return [(group.num_rows, group.total_byte_size) for group in groups]


def _check_types(name: str, schema: pl.Schema) -> None:
    lossy = [column for column, dtype in schema.items() if not _has_one_text(dtype)]
    if lossy:
        found = ", ".join(f"{safe_terminal(column)} ({schema[column]})" for column in lossy[:20])
        what = f"{safe_terminal(name)}: these columns are no text: {found}."
        raise SourceError("column_type", what, hint="Figures are kept as printed: write the column as text.")


def _has_one_text(dtype: pl.DataType) -> bool:
    return (
        dtype.is_integer()
        or dtype.is_decimal()
        or dtype in (pl.String, pl.Categorical, pl.Enum, pl.Date, pl.Boolean, pl.Null)
    )
