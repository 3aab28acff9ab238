"""Excel workbooks: one sheet as columns of text, its header in the first row.

In: an `.xlsx` file and the sheet that its sidecar names (else the only one). Out: text columns. Needs the extra `excel`
(fastexcel). Excel keeps numbers apart from how it shows them: 22.7 % lies there as 0.227. So a column `printed` must
hold text in Excel, too; a number in it is refused rather than read as what nobody printed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from zhiji_etl.errors import SourceError
from zhiji_etl.sources.bombs import check_zip, corrupt, file_sha256
from zhiji_etl.sources.names import nearest, safe_terminal
from zhiji_etl.sources.sidecar import Sidecar
from zhiji_etl.sources.structure import ROW, Defect, Structure, checked_columns

if TYPE_CHECKING:
    from zhiji_etl.sources.files import Source

DECIMAL = r"^\s*[+\-]?\d+\.\d+(?:[eE][+\-]?\d+)?\s*$"


def excel_structure(path: Path, sidecar: Sidecar) -> Structure:
    """Check the container and the header, and note the cells whose print is not known (`cell_number`, a defect).

    Raises `SourceError`: `excel_missing`, `source_corrupt`, `source_unpacks`, `sheet_missing`, and those of headers.
    """
    check_zip(path)
    frame = _sheet(path, sidecar)
    names = checked_columns(path.name, [(name or "").strip() for name in frame.row(0)] if frame.height else [])
    theirs = sidecar.columns.get("printed", "printed")
    defects = _stored_numbers(frame, names.index(theirs)) if theirs in names else ()
    return Structure(names, file_sha256(path), path.stat().st_size, defects)


def scan_excel(source: Source) -> pl.LazyFrame:
    """The sheet below its header as text; a sheet is read as a whole."""
    frame = _sheet(source.path, source.sidecar)
    return frame.rename(dict(zip(frame.columns, source.columns, strict=True))).slice(1).with_row_index(ROW).lazy()


# -------------------------------------------------------------------------------------------------------- helpers


def _sheet(path: Path, sidecar: Sidecar) -> pl.DataFrame:
    fastexcel = _library(path)
    try:
        book = fastexcel.read_excel(path)
        name = _sheet_name(path, book.sheet_names, sidecar.sheet)
        sheet = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
        frame: pl.DataFrame = sheet.to_polars()
    except fastexcel.FastExcelError as error:
        raise corrupt(path.name, safe_terminal(str(error).partition("\n")[0])) from None
    return frame


def _library(path: Path) -> Any:
    try:
        import fastexcel
    except ImportError:
        what = f"{safe_terminal(path.name)} is an Excel workbook, and the package that reads it is not installed."
        raise SourceError("excel_missing", what, hint="pip install 'zhiji_etl[excel]'") from None
    return fastexcel


def _sheet_name(path: Path, sheets: list[str], wanted: str | None) -> str:
    if wanted in sheets or (wanted is None and len(sheets) == 1):
        return wanted or sheets[0]
    what = f"has no sheet {wanted!r}" if wanted else "has several sheets"
    near = (nearest(wanted, sheets) if wanted else None) or sheets[0]
    raise SourceError(
        "sheet_missing",
        f"{safe_terminal(path.name)} {safe_terminal(what)}; it has: {', '.join(map(safe_terminal, sheets))}.",
        hint=f'Write in the sidecar: sheet = "{safe_terminal(near)}".',
    )


def _stored_numbers(frame: pl.DataFrame, column: int) -> tuple[Defect, ...]:
    cells = frame.slice(1).with_row_index(ROW).select(ROW, pl.nth(column + 1).alias("printed"))
    found = cells.filter(pl.col("printed").str.contains(DECIMAL))
    return tuple(Defect(row, "cell_number", f"{ADVICE} Found: {text}.") for row, text in found.iter_rows())


ADVICE = "Excel stores a number here and may show it otherwise (22.7% lies there as 0.227): write it as text."
