"""The forms a raw file can have: how each is checked, and how it is read as columns of text.

In: a path. Out of `structure`: columns, sha256 and defects of a file checked to its end. Out of `scan`: a LazyFrame of
all raw columns as String, as printed, after a column `ROW` (the row's number from 0).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import polars as pl

from zhiji_etl.sources.sidecar import Sidecar
from zhiji_etl.sources.structure import Structure, csv_structure

if TYPE_CHECKING:
    from zhiji_etl.sources.files import Source

ROW: Final = "raw row number"
"""The row's number within its file. The space keeps it apart from the names that headers have."""


@dataclass(frozen=True, slots=True)
class Form:
    """How files of one kind are checked and read; `first_row` is what a spreadsheet calls row 0."""

    structure: Callable[[Path, Sidecar], Structure]
    scan: Callable[[Source], pl.LazyFrame]
    first_row: int


# ------------------------------------------------------------------------------------------------------------ CSV


def _csv_structure(path: Path, sidecar: Sidecar) -> Structure:
    with path.open("rb") as stream:
        return csv_structure(stream, path.name, sidecar.separator or ",")


def _tsv_structure(path: Path, sidecar: Sidecar) -> Structure:
    with path.open("rb") as stream:
        return csv_structure(stream, path.name, sidecar.separator or "\t")


def _scan_csv(source: Source) -> pl.LazyFrame:
    default = "\t" if source.name.lower().endswith(".tsv") else ","
    columns = list(source.columns)
    return pl.scan_csv(
        source.path,
        separator=source.sidecar.separator or default,
        infer_schema=False,
        glob=False,
        row_index_name=ROW,
        missing_columns="insert",
        extra_columns="ignore",
        with_column_names=lambda _: columns,
    )


FORMS: Final = MappingProxyType(
    {
        ".csv": Form(_csv_structure, _scan_csv, 2),
        ".tsv": Form(_tsv_structure, _scan_csv, 2),
    }
)
"""By the end of the file name, longest first where one ends the other."""
