"""JSON lines: one object a line, its numbers kept as they are printed (`1.50` stays `1.50`).

In: a `.jsonl` file. Out: text columns, the union of the keys of all lines. Polars' own reader takes numbers for floats,
and loses digits, so each line goes through Python's parser with numbers as text; the file is read in batches.
"""

from __future__ import annotations

import hashlib
import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from zhiji_etl.errors import SourceError
from zhiji_etl.sources.headers import checked_columns, empty_file
from zhiji_etl.sources.names import safe_terminal
from zhiji_etl.sources.sidecar import Sidecar
from zhiji_etl.sources.structure import (
    DEFECT_LIMIT,
    ROW,
    TEXT_SHOWN,
    Defect,
    Structure,
    text_blocks,
)

if TYPE_CHECKING:
    from zhiji_etl.sources.files import Source

BATCH: Final = 10_000
_LIST: Final = re.compile(rb"\s*\[\s*\{")
ONE_A_LINE: Final = "JSON lines hold one object a line, without commas between them."


def json_structure(path: Path, _sidecar: Sidecar) -> Structure:
    """Read every line once: keys, hash, and lines that are no object of plain values (`json_invalid`, a defect).

    Raises `SourceError`: `json_invalid` (one list, or no line that is an object), `rows_ragged`, `source_empty`.
    """
    digest = hashlib.sha256()
    columns: dict[str, None] = {}
    defects: list[Defect] = []
    with path.open("rb") as stream:
        for first, block in text_blocks(stream, path.name, digest):
            if first == 0 and _LIST.match(block.removeprefix(BOM_UTF8)):
                what = f"{safe_terminal(path.name)} holds one JSON list, and no JSON lines."
                raise SourceError("json_invalid", what, hint=f"{ONE_A_LINE} Convert a copy: jq -c '.[]' OLD > NEW.")
            for row, line in enumerate(_lines(block, first), start=first):
                _note(path.name, row, line, columns, defects)
    if not columns and defects:
        what = f"{safe_terminal(path.name)}, line {defects[0].row + 1}: {defects[0].reason}"
        raise SourceError("json_invalid", what, hint=ONE_A_LINE)
    if not columns:
        raise empty_file(path.name)
    names = checked_columns(path.name, list(columns))
    return Structure(names, digest.hexdigest(), path.stat().st_size, tuple(defects))


def scan_json(source: Source) -> pl.LazyFrame:
    """The lines as columns of text, in batches; a line that is no object has no text in any column."""
    return json_frame(source.path, source.columns)


def json_frame(path: Path, columns: Sequence[str]) -> pl.LazyFrame:
    """The same of a file whose keys are known."""
    from polars.io.plugins import register_io_source

    schema = pl.Schema({ROW: pl.UInt32(), **dict.fromkeys(columns, pl.String())})

    def batches(
        chosen: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        """The rows of the file in batches, as Polars asks for them."""
        left = n_rows
        for frame in _frames(path, schema):
            part = frame if left is None else frame.head(left)
            left = None if left is None else left - part.height
            kept = part if predicate is None else part.filter(predicate)
            yield kept if chosen is None else kept.select(chosen)
            if left == 0:
                return

    return register_io_source(batches, schema=schema, is_pure=True)


# -------------------------------------------------------------------------------------------------------- helpers


def _lines(block: bytes, first: int) -> list[str]:
    """Lines end at LF only: `splitlines` would also cut at U+2028, which JSON allows inside a text."""
    text = block.decode("utf-8-sig" if first == 0 else "utf-8")
    return text.removesuffix("\n").split("\n")


def _note(name: str, row: int, line: str, columns: dict[str, None], defects: list[Defect]) -> None:
    if not line.strip():
        return
    try:
        columns.update(dict.fromkeys(_cells(line)))
    except (ValueError, RecursionError) as error:
        shown = line.strip() if len(line) <= TEXT_SHOWN else f"{line[:TEXT_SHOWN]}…"
        defects.append(Defect(row, "json_invalid", f"The line is no JSON object of plain values ({error}): {shown}"))
    if len(defects) > DEFECT_LIMIT:
        what = f"{safe_terminal(name)}, line {row + 1}: over {DEFECT_LIMIT:,} lines are no JSON objects."
        raise SourceError("rows_ragged", what, hint=ONE_A_LINE)


def _cells(line: str) -> dict[str, str | None]:
    """One line as texts; `ValueError` where it is no object, has a key twice or a value that is no plain one."""
    if not line.lstrip().startswith("{"):
        raise ValueError("it does not begin with a brace")
    cells: dict[str, str | None] = json.loads(
        line, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_texts
    )
    return cells


def _texts(pairs: list[tuple[str, Any]]) -> dict[str, str | None]:
    cells = dict(pairs)
    if len(cells) < len(pairs):
        raise ValueError("a key stands twice")
    return {key: _text(value) for key, value in cells.items()}


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, str):
        return value
    raise ValueError("a value is a list or an object")


def _frames(path: Path, schema: pl.Schema) -> Iterator[pl.DataFrame]:
    rows: list[dict[str, Any]] = []
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        for number, line in enumerate(file):
            rows.append({ROW: number, **_cells_or_none(line)})
            if len(rows) == BATCH:
                yield pl.DataFrame(rows, schema=schema, orient="row")
                rows = []
    yield pl.DataFrame(rows, schema=schema, orient="row")


def _cells_or_none(line: str) -> dict[str, str | None]:
    try:
        return _cells(line)
    except (ValueError, RecursionError):
        return {}
