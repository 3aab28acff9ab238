"""The forms a raw file can have: how each is checked, and how it is read as columns of text.

In: a path. Out of `structure`: columns, sha256 and defects of a file checked to its end. Out of `scan`: a LazyFrame of
all raw columns as String, as printed, after a column `ROW` (the row's number from 0).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import polars as pl

from zhiji_etl.sources.bombs import file_sha256, unpacked
from zhiji_etl.sources.excel import excel_structure, scan_excel
from zhiji_etl.sources.lines import json_structure, scan_json
from zhiji_etl.sources.parquet import parquet_structure, scan_parquet
from zhiji_etl.sources.sidecar import Sidecar
from zhiji_etl.sources.structure import ROW, Structure, csv_structure

if TYPE_CHECKING:
    from zhiji_etl.sources.files import Source


@dataclass(frozen=True, slots=True)
class Form:
    """How files of one kind are checked and read; `first_row` is what a spreadsheet calls row 0."""

    structure: Callable[[Path, Sidecar], Structure]
    scan: Callable[[Source], pl.LazyFrame]
    first_row: int


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
    return pl.scan_csv(
        source.path,
        separator=_separator(source.name, source.sidecar),
        infer_schema=False,
        glob=False,
        row_index_name=ROW,
        missing_columns="insert",
        extra_columns="ignore",
        with_column_names=lambda _: columns,
    )


def _separator(name: str, sidecar: Sidecar) -> str:
    default = "\t" if ".tsv" in name.lower() else ","
    return sidecar.separator or default


FORMS: Final = MappingProxyType(
    {
        ".csv": Form(_csv_structure, _scan_csv, 2),
        ".tsv": Form(_csv_structure, _scan_csv, 2),
        ".csv.gz": Form(_gzip_structure, _scan_csv, 2),
        ".jsonl": Form(json_structure, scan_json, 1),
        ".parquet": Form(parquet_structure, scan_parquet, 1),
        ".xlsx": Form(excel_structure, scan_excel, 2),
    }
)
"""By the end of the file name."""
