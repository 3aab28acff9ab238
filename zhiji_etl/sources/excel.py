"""Excel workbooks: the cells of a sheet as they are shown.

In: an `.xlsx` file and the name of a sheet (else the only one). Out: a `Grid`. Needs the extra `excel` (openpyxl).
Excel keeps a number apart from how it shows it: 22.7% lies there as 0.227 with the format `0.0%`. A figure is what was
shown, so numbers are printed by their formats; a format that is not understood makes its cell a defect (`cell_number`),
and so does a formula whose result the file does not hold (`cell_formula`).
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from shlex import quote
from threading import Lock
from typing import Any, Final

from zhiji_etl.errors import SourceError
from zhiji_etl.sources.bombs import check_zip, corrupt, unpacks
from zhiji_etl.sources.grids import CELL_LIMIT, FORMULA, NUMBER, Grid, Span, grid_of, grid_too_large
from zhiji_etl.sources.names import nearest, safe_terminal
from zhiji_etl.sources.numberformats import printed_date, printed_number

_WARNINGS: Final = Lock()
"""What Python warns of is of the whole process: two threads that change it would leave it changed."""

PARTS_LIMIT: Final = 1 << 26
"""Unpacked bytes of the sheets of a workbook whose merged areas are looked at."""

STYLES_LIMIT: Final = 1 << 22
"""Unpacked bytes of the formats of a workbook, which are read whatever cells use them. Excel allows 64,000 formats."""

Faults = dict[tuple[int, int], tuple[str, str]]


def excel_grid(path: Path, sheet: str | None, *, merged: bool) -> Grid:
    """One sheet, from cell A1; with its merged areas if they are asked for, which takes the whole sheet into memory.

    Raises `SourceError`: `excel_missing`, `source_corrupt`, `source_unpacks`, `sheet_missing`, `grid_too_large`.
    """
    _check(path)
    if merged and _unpacked_sheets(path) > PARTS_LIMIT:
        raise grid_too_large(path.name)
    library = _library(path)
    book = _opened(library, path, read_only=not merged, data_only=True)
    try:
        worksheet = book[_sheet_name(path, [one.title for one in book.worksheets], sheet)]
        spans = _spans(worksheet) if merged else ()
        rows, faults = _cells(path, worksheet)
        faults |= _formulas_without_result(library, path, worksheet.title, rows)
        return grid_of(path.name, rows, spans, faults, f"{safe_terminal(worksheet.title)}!")
    except (ValueError, KeyError, TypeError, AttributeError, SyntaxError) as error:
        raise corrupt(path.name, safe_terminal(str(error).partition("\n")[0])) from None
    finally:
        book.close()


def sheet_names(path: Path) -> list[str]:
    """The names of all sheets of cells."""
    _check(path)
    book = _opened(_library(path), path, read_only=True, data_only=True)
    names = [sheet.title for sheet in book.worksheets]
    book.close()
    return names


# -------------------------------------------------------------------------------------------------------- helpers


def _check(path: Path) -> None:
    check_zip(path)
    with zipfile.ZipFile(path) as container:
        styles = [entry.file_size for entry in container.infolist() if entry.filename.endswith("styles.xml")]
    if sum(styles) > STYLES_LIMIT:
        raise unpacks(path.name)


def _library(path: Path) -> Any:
    try:
        import openpyxl
    except ImportError:
        what = f"{safe_terminal(path.name)} is an Excel workbook, and the package that reads it is not installed."
        raise SourceError("excel_missing", what, hint="pip install 'zhiji_etl[excel]'") from None
    return openpyxl


def _opened(library: Any, path: Path, *, read_only: bool, data_only: bool) -> Any:
    import warnings

    try:
        with _WARNINGS, warnings.catch_warnings():  # of styles and validations, which are not looked at
            warnings.simplefilter("ignore")
            return library.load_workbook(path, read_only=read_only, data_only=data_only)
    except Exception as error:
        # The library raises what its XML parser, zip reader and converters raise.
        raise corrupt(path.name, safe_terminal(str(error).partition("\n")[0])) from None


def _unpacked_sheets(path: Path) -> int:
    with zipfile.ZipFile(path) as container:
        return sum(entry.file_size for entry in container.infolist() if entry.filename.startswith("xl/worksheets/"))


def _sheet_name(path: Path, sheets: list[str], wanted: str | None) -> str:
    if wanted in sheets or (wanted is None and len(sheets) == 1):
        return wanted or sheets[0]
    what = f"has no sheet {wanted!r}" if wanted else "has several sheets"
    near = (nearest(wanted, sheets) if wanted else None) or sheets[0]
    drafted = "" if wanted else f", or draft one: zhiji-etl sidecar {quote(safe_terminal(str(path)))}"
    raise SourceError(
        "sheet_missing",
        f"{safe_terminal(path.name)} {safe_terminal(what)}; it has: {', '.join(map(safe_terminal, sheets))}.",
        hint=f'Write in the sidecar: sheet = "{safe_terminal(near)}"{drafted}.',
    )


def _spans(worksheet: Any) -> tuple[Span, ...]:
    areas = worksheet.merged_cells.ranges
    return tuple(sorted(Span(one.min_row - 1, one.min_col - 1, one.max_row - 1, one.max_col - 1) for one in areas))


def _cells(path: Path, worksheet: Any) -> tuple[list[list[str | None]], Faults]:
    rows: list[list[str | None]] = []
    faults: Faults = {}
    for number, cells in enumerate(_bounded(path, worksheet)):
        texts = [None if cell.value is None else _text(cell) for cell in cells]
        for column, text in enumerate(texts):
            if isinstance(text, _Unprinted):
                faults[number, column] = (NUMBER, text.reason)
        rows.append([text.stored if isinstance(text, _Unprinted) else text for text in texts])
    while rows and not any(rows[-1]):
        rows.pop()
    return rows, faults


def _bounded(path: Path, worksheet: Any) -> Iterator[Iterable[Any]]:
    """The rows of a sheet: one cell at its far end makes billions of empty ones."""
    if hasattr(worksheet, "reset_dimensions"):
        worksheet.reset_dimensions()  # as told by the file, they may be wrong, and cells beyond them would be lost
    elif worksheet.max_row * worksheet.max_column > CELL_LIMIT:
        raise grid_too_large(path.name)
    seen = 0
    for row in worksheet.iter_rows(min_row=1, min_col=1):
        seen += len(row) + 1
        if seen > CELL_LIMIT:
            raise grid_too_large(path.name)
        yield row


class _Unprinted:
    """A stored number whose print is not known."""

    def __init__(self, stored: str, code: str) -> None:
        self.stored = stored
        self.reason = f"Excel stores {stored} here, and shows it in a format that is not understood: {code}."


def _text(cell: Any) -> str | _Unprinted | None:
    value, code = cell.value, cell.number_format or "General"
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        text = printed_number(value, code)
        return _Unprinted(repr(value), code) if text is None else text
    if isinstance(value, date):
        return printed_date(value, code)
    return str(value)


def _formulas_without_result(library: Any, path: Path, sheet: str, rows: list[list[str | None]]) -> Faults:
    """Formulas that nobody calculated: their cells would look empty, and their figures would be lost in silence."""
    if not _has_formulas(path):
        return {}
    book = _opened(library, path, read_only=True, data_only=False)
    faults: Faults = {}
    for number, cells in enumerate(_bounded(path, book[sheet])):
        for column, cell in enumerate(cells):
            if cell.value is not None and getattr(cell, "data_type", None) == "f" and not _cell(rows, number, column):
                faults[number, column] = (FORMULA, f"The file holds a formula here, and not its result: {cell.value}.")
                _keep(rows, number, column, str(cell.value))
    book.close()
    return faults


def _has_formulas(path: Path) -> bool:
    with zipfile.ZipFile(path) as container:
        sheets = [name for name in container.namelist() if name.startswith("xl/worksheets/")]
        return any(_holds(container, name, b"<f") for name in sheets)


def _holds(container: zipfile.ZipFile, name: str, mark: bytes) -> bool:
    """Whether a part holds an element of formulas, in memory of a block."""
    rest = b""
    with container.open(name) as part:
        while block := part.read(1 << 20):
            if any(mark + end in rest + block for end in (b">", b" ", b"/")):
                return True
            rest = block[-4:]
    return False


def _cell(rows: list[list[str | None]], row: int, column: int) -> str | None:
    return rows[row][column] if row < len(rows) and column < len(rows[row]) else None


def _keep(rows: list[list[str | None]], row: int, column: int, text: str) -> None:
    while len(rows) <= row:
        rows.append([])
    rows[row].extend([None] * (column + 1 - len(rows[row])))
    rows[row][column] = text
