"""Tables of HTML pages: one table of a page as a grid, its merged cells spread.

In: an `.html` file in UTF-8 and the number of a table (else the only one that holds a digit). Out: a `Grid`. Needs the
extra `html` (selectolax), which builds the tree that browsers build: tags left open, `tbody` left out. Only the page's
own text is read; nothing is fetched, and scripts do not run. A figure that is set in several cells, so that its digits
stand below each other (`RMB | (1,200 | )`), is one print: it stands in the cell of its digits.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from zhiji_etl.errors import SourceError
from zhiji_etl.sources.bombs import corrupt
from zhiji_etl.sources.grids import Grid, Span, grid_of, grid_too_large
from zhiji_etl.sources.headers import COLUMN_LIMIT
from zhiji_etl.sources.names import safe_terminal
from zhiji_etl.sources.structure import text_blocks

SIZE_LIMIT: Final = 1 << 26
"""Bytes of the largest page."""

LINES: Final = 8
LINE_LIMIT: Final = 160
"""How many lines over a table may be of it, and how long they are: longer ones are prose."""

_UNREAD: Final = frozenset({"table", "head", "script", "style", "template"})
_INLINE: Final = frozenset({"a", "b", "em", "font", "i", "small", "span", "strong", "sub", "sup", "u"})

SPAN_LIMIT: Final = 1_000
"""The most rows or columns one cell may claim, as in browsers."""


_ENDING: Final = re.compile(r"[)）] ?%?|%")
"""The end of a figure in a cell of its own."""

_OPENING: Final = frozenset("(（")
_CURRENCY: Final = re.compile(r"[A-Z]{0,3}[$¥€£￥]|[A-Z]{3}")
_DIGITS: Final = re.compile(r"[(（]?-?[\d.]|[-–—]+$")


class _Cells(NamedTuple):
    """The texts of a table by row, and its merged areas, which may reach below it."""

    rows: list[list[str | None]]
    spans: list[Span]


def html_grid(path: Path, number: int | None = None) -> Grid:
    """One table of a page: its text as printed, a cell over several rows or columns in its first place.

    Raises `SourceError`: `html_missing`, `table_missing`, `grid_too_large`, `source_encoding`.
    """
    tables = _tables(path)
    filled = [one for one, table in enumerate(tables, start=1) if _has_digits(table)]
    wanted = number if number is not None else (filled[0] if len(filled) == 1 else None)
    if wanted is None or not 0 < wanted <= len(tables):
        raise _table_missing(path, wanted, filled, len(tables))
    return _grid(path.name, tables[wanted - 1], wanted)


def html_tables(path: Path) -> list[Grid]:
    """All tables of a page in order; a table within a cell is one of its own, and no part of the cell's text."""
    return [_grid(path.name, table, number) for number, table in enumerate(_tables(path), start=1)]


def html_headings(path: Path) -> list[list[str]]:
    """What a page says over each of its tables, the nearest last: the lines since the table before, its `<caption>`."""
    found: list[list[str]] = []
    lines: list[str] = []
    block = None
    for node in _parser(path)(_page(path)).root.traverse(include_text=True):
        if node.tag == "table":
            captions = [text for caption in _children(node, "caption") if (text := _text(caption))]
            found.append([line for line in lines if len(line) <= LINE_LIMIT][-LINES:] + captions)
            lines = []
        elif node.tag == "-text" and (text := " ".join(node.text(deep=False).split())):
            around = _block(node)
            if around is not None and around == block and lines:
                lines[-1] += f" {text}"
            elif around is not None:
                lines.append(text)
            block = around
    return found


def _block(node: Any) -> int | None:
    """The block that a text stands in, by its number; null in tables and where nobody reads it."""
    block = None
    while (node := node.parent) is not None:
        if node.tag in _UNREAD:
            return None
        if block is None and node.tag not in _INLINE:
            block = int(node.mem_id)
    return block


# -------------------------------------------------------------------------------------------------------- helpers


def _parser(path: Path) -> Any:
    try:
        from selectolax.lexbor import LexborHTMLParser
    except ImportError:
        what = f"{safe_terminal(path.name)} is an HTML page, and the package that reads its tables is not installed."
        raise SourceError("html_missing", what, hint="pip install 'zhiji_etl[html]'") from None
    return LexborHTMLParser


def _page(path: Path) -> str:
    blocks: list[bytes] = []
    with path.open("rb") as stream:
        for _, block in text_blocks(stream, path.name, hashlib.sha256()):
            blocks.append(block)
            if sum(map(len, blocks)) > SIZE_LIMIT:
                raise grid_too_large(path.name)
    return b"".join(blocks).decode("utf-8-sig")


def _table_missing(path: Path, wanted: int | None, filled: list[int], count: int) -> SourceError:
    shown = ", ".join(map(str, filled[:20])) or "none"
    what = f"has no table {wanted}" if wanted is not None else f"has {count} tables; with figures: {shown}"
    hint = f"Write in the sidecar: sheet = {filled[0] if filled else 1}."
    if not count:
        hint = "Figures of running text are found by zhiji-etl find, which writes rows for raw/."
    return SourceError("table_missing", f"{safe_terminal(path.name)} {what}.", hint=hint)


def _nodes(path: Path) -> list[Any]:
    return list(_parser(path)(_page(path)).css("table"))


def _tables(path: Path) -> list[_Cells]:
    """The cells of all tables of a page: frames are made of those that are wanted."""
    try:
        return [_cells(table) for table in _nodes(path)]
    except RecursionError:
        raise corrupt(path.name, "its tags are nested too deeply") from None


def _has_digits(table: _Cells) -> bool:
    return any(text and any(letter.isdecimal() for letter in text) for row in table.rows for text in row)


def _grid(name: str, table: _Cells, number: int) -> Grid:
    return grid_of(name, table.rows, _within(table.spans, len(table.rows)), prefix=f"table {number} ")


def _cells(table: Any) -> _Cells:
    """Cells are put where they stand once the cells above them that reach down have taken their places."""
    rows: list[list[str | None]] = []
    spans: list[Span] = []
    reaching: dict[int, int] = {}
    for row, cells in enumerate(_rows(table)):
        taken = {column for column, last in reaching.items() if last >= row}
        texts: dict[int, str | None] = {}
        column = 0
        for cell in cells:
            while column in taken:
                column += 1
            across, down = _extent(cell, "colspan"), _extent(cell, "rowspan")
            texts[column] = _text(cell)
            if column > COLUMN_LIMIT:  # too wide already: a short page can ask for billions of columns
                break
            if across > 1 or down > 1:
                spans.append(Span(row, column, row + down - 1, column + across - 1))
            for covered in range(column, column + across):
                reaching[covered] = row + down - 1
            column += across
        rows.append([texts.get(at) for at in range(max(texts, default=-1) + 1)])
    columns = {(span.left, span.right) for span in spans}
    for texts_of_row in rows:
        _join_prints(texts_of_row, columns)
    return _Cells(rows, spans)


def _join_prints(row: list[str | None], columns: set[tuple[int, int]]) -> None:
    """Put figures that are set in several cells of a row together; `columns` are the ends of merged cells.

    A currency belongs to the digits beside it where one header covers just both and what ends them: else it is a label.
    """
    filled = [at for at, text in enumerate(row) if text and at]
    for at in filled:
        before, text = row[at - 1], row[at]
        if not before or not text:
            continue
        if before in _OPENING and _DIGITS.match(text):
            row[at - 1], row[at] = None, f"{before}{text}"
        elif _ENDING.fullmatch(text) and _DIGITS.search(before) and ("(" in before or "（" in before or text == "%"):
            row[at - 1], row[at] = f"{before}{text}", None
        elif _CURRENCY.fullmatch(before) and _DIGITS.match(text) and columns & {(at - 1, at), (at - 1, at + 1)}:
            row[at - 1], row[at] = None, f"{before} {text}"


def _rows(table: Any) -> Iterator[list[Any]]:
    """The rows of this table and not of one within it: head, bodies and foot in their order on the page."""
    for part in _children(table, "thead", "tbody", "tfoot", "tr"):
        for row in [part] if part.tag == "tr" else _children(part, "tr"):
            yield list(_children(row, "td", "th"))


def _children(node: Any, *tags: str) -> Iterator[Any]:
    child = node.child
    while child is not None:
        if child.tag in tags:
            yield child
        child = child.next


def _extent(cell: Any, name: str) -> int:
    text = (cell.attributes.get(name) or "1").strip()
    return min(max(int(text), 1), SPAN_LIMIT) if text.isascii() and text.isdecimal() and len(text) < 6 else 1


def _text(cell: Any) -> str | None:
    """The text of a cell on one line; raised digits are an exponent above a 10, else the mark of a note."""
    parts: list[str] = []
    _collect(cell, parts)
    return " ".join("".join(parts).split()) or None


def _collect(node: Any, parts: list[str]) -> None:
    child = node.child
    while child is not None:
        if child.tag == "-text":
            parts.append(child.text(deep=False))
        elif child.tag == "br":
            parts.append(" ")
        elif child.tag == "sup" and "".join(parts[-1:]).endswith("10"):
            parts.append(f"^{child.text()}")
        elif child.tag not in _ASIDE:
            _collect(child, parts)
        child = child.next


_ASIDE: Final = frozenset({"table", "script", "style", "template", "sup"})


def _within(spans: list[Span], height: int) -> tuple[Span, ...]:
    return tuple(Span(one.top, one.left, min(one.bottom, height - 1), one.right) for one in spans)
