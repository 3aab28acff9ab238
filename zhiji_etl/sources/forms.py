"""The forms a raw file can have: how each is checked, and how it is read as columns of text.

In: a path. Out of `structure`: columns, sha256 and defects of a file checked to its end. Out of `scan`: a LazyFrame of
all raw columns as String, as printed, after a column `ROW` (the row's number from 0). Out of `grid`: the cells of the
file where they stand, for a sidecar that describes a layout; the sheet (of a page, the table) is chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from zhiji_etl.errors import SourceError
from zhiji_etl.sources.bombs import unpacked
from zhiji_etl.sources.excel import excel_grid
from zhiji_etl.sources.grids import Grid, frame_grid, plain_frame, plain_structure, text_grid
from zhiji_etl.sources.hashes import file_sha256
from zhiji_etl.sources.html import html_grid
from zhiji_etl.sources.lines import json_frame, json_structure, scan_json
from zhiji_etl.sources.names import safe_terminal
from zhiji_etl.sources.parquet import parquet_frame, parquet_structure, scan_parquet
from zhiji_etl.sources.sidecar import Sidecar
from zhiji_etl.sources.slices import Slice
from zhiji_etl.sources.structure import ROW, Structure, csv_structure

if TYPE_CHECKING:
    from zhiji_etl.sources.files import Source


class Form(NamedTuple):
    """How files of one kind are checked and read; `first_row` is what a spreadsheet calls row 0.

    `keys`: those of a sidecar that only some kinds of files have a use for, this one among them.
    """

    structure: Callable[[Path, Sidecar], Structure]
    scan: Callable[[Source], pl.LazyFrame]
    grid: Callable[[Path, Sidecar, str | int | None], Grid]
    first_row: int
    keys: tuple[str, ...] = ()


# ------------------------------------------------------------------------------------------------------------ CSV


def _csv_structure(path: Path, sidecar: Sidecar) -> Structure:
    with path.open("rb") as stream:
        return csv_structure(stream, path.name, _separator(path.name, sidecar))


def _gzip_structure(path: Path, sidecar: Sidecar) -> Structure:
    """As for CSV, of what comes out of the gzip; the hash is of the file as it lies."""
    with unpacked(path) as stream:
        inner = csv_structure(stream, path.name, _separator(path.name, sidecar))
    return replace(inner, sha256=file_sha256(path), bytes=path.stat().st_size)


def _scan_csv(source: Source) -> pl.LazyFrame:
    columns = list(source.columns)
    separator = _separator(source.name, source.sidecar)
    return pl.scan_csv(
        source.path if source.slice is None else _csv_slice(source.path, source.slice, len(columns), separator),
        row_index_offset=0 if source.slice is None else source.slice.row,
        separator=separator,
        infer_schema=False,
        glob=False,
        row_index_name=ROW,
        missing_columns="insert",
        extra_columns="ignore",
        with_column_names=lambda _: columns,
    )


def _csv_slice(path: Path, part: Slice, columns: int, separator: str) -> bytes:
    """The rows of a slice below a header, which all but the first one lack."""
    with path.open("rb") as stream:
        stream.seek(part.start)
        rows = stream.read(part.bytes)
    return rows if part.start == 0 else separator.join(map(str, range(columns))).encode() + b"\n" + rows


def _separator(name: str, sidecar: Sidecar) -> str:
    default = "\t" if ".tsv" in name.lower() else ","
    return sidecar.separator or default


def _csv_grid(path: Path, sidecar: Sidecar, _sheet: str | int | None) -> Grid:
    return text_grid(path, _separator(path.name, sidecar))


# ------------------------------------------------------------------------------------- records, workbooks and pages


def _record_grid(path: Path, sidecar: Sidecar, _sheet: str | int | None) -> Grid:
    """JSON lines and Parquet: the keys or names of columns are the first row."""
    is_json = path.name.lower().endswith(".jsonl")
    structure = (json_structure if is_json else parquet_structure)(path, sidecar)
    if structure.defects:
        raise SourceError("json_invalid", f"{safe_terminal(path.name)}: {structure.defects[0].reason}")
    frame = (json_frame if is_json else parquet_frame)(path, structure.columns)
    return frame_grid(path.name, frame.drop(ROW).collect())


def _excel_grid(path: Path, sidecar: Sidecar, sheet: str | int | None) -> Grid:
    wanted = sidecar.sheet if sheet is None else sheet
    return excel_grid(path, None if wanted is None else str(wanted), merged=sidecar.layout is not None)


def _html_grid(path: Path, sidecar: Sidecar, sheet: str | int | None) -> Grid:
    wanted = sidecar.sheet if sheet is None else sheet
    return html_grid(path, _table_number(wanted))


def _table_number(sheet: str | int | None) -> int | None:
    """Tables of a page have no names: a text that is no number names none of them."""
    if sheet is None or isinstance(sheet, int):
        return sheet
    return int(sheet) if sheet.isascii() and sheet.isdecimal() else 0


def _plain(grid: Callable[[Path, Sidecar, str | int | None], Grid]) -> Form:
    """A form whose plain tables are read through its grid."""

    def structure(path: Path, sidecar: Sidecar) -> Structure:
        """The structure of a file of one grid."""
        return plain_structure(path, grid(path, sidecar, None), sidecar.columns.get("printed", "printed"))

    def scan(source: Source) -> pl.LazyFrame:
        """The rows of a file of one grid."""
        return plain_frame(source.columns, grid(source.path, source.sidecar, None))

    return Form(structure, scan, grid, 2, ("sheet",))


FORMS: Final = MappingProxyType(
    {
        ".csv": Form(_csv_structure, _scan_csv, _csv_grid, 2, ("separator",)),
        ".tsv": Form(_csv_structure, _scan_csv, _csv_grid, 2, ("separator",)),
        ".csv.gz": Form(_gzip_structure, _scan_csv, _csv_grid, 2, ("separator",)),
        ".jsonl": Form(json_structure, scan_json, _record_grid, 1),
        ".parquet": Form(parquet_structure, scan_parquet, _record_grid, 1),
        ".xlsx": _plain(_excel_grid),
        ".html": _plain(_html_grid),
        ".htm": _plain(_html_grid),
    }
)
"""By the end of the file name."""
