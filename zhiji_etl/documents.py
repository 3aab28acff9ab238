"""Documents: text, Markdown and HTML files as plain text, and the figures in it with their places in the file.

In: a file in UTF-8. Out: a `Document`, the figures in it as `Found`, and these as a table of raw rows to complete.
Offsets, lines and columns count characters of the file as it lies, from 0, 1 and 1. No units.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from html import unescape
from html.parser import HTMLParser
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from zhiji_etl.errors import SourceError
from zhiji_etl.figures import Figure
from zhiji_etl.outputs import neutralise_formulas
from zhiji_etl.reading import find
from zhiji_etl.sources.names import safe_terminal

LARGEST: Final = 10_000_000
"""Bytes of the largest document that is read."""

LONGEST_NOTE: Final = 400
"""Characters of the longest sentence that a raw row carries."""

RAW_COLUMNS: Final = ("entity", "metric", "period", "printed", "locator", "note")
"""The columns of a raw row; the first three are left to the person who knows them."""

_HTML: Final = frozenset({".html", ".htm", ".xhtml"})
_MARKDOWN: Final = frozenset({".md", ".markdown"})
_HIDDEN: Final = frozenset({"script", "style", "template"})
_CELLS: Final = frozenset({"td", "th"})
_BLOCKS: Final = frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "br", "caption", "dd", "div", "dl", "dt", "figcaption"),
        *("figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "li", "main", "nav"),
        *("ol", "option", "p", "pre", "section", "table", "title", "tr", "ul"),
    )
)
_RAISED: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
"""Raised digits are the number of a note, or part of a unit; only above a 10 they are an exponent."""

_EMPHASIS: Final = re.compile(
    r"\*+(?=\S)|(?<=\S)\*+|(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)|`+|!?\[(?=[^\[\]]*\]\()|\]\([^()\s]*\)"
)
"""Signs of Markdown that stand within a line: emphasis, code, and what makes a link of a text."""

_PARAGRAPH: Final = re.compile(
    r"\n[^\S\n]*\n\s*|\n(?=[^\S\n]*(?:[-*+•·|>#]|[0-9]{1,3}[.)])[^\S\n])|\n(?=[^\S\n]*[-−+][0-9])|(?<=[0-9])\n(?=[^\S\n]*[0-9])"
)
"""Between blocks: an empty line, item of a list, a line of a table, one with a signed number, numbers in a column."""

_MARKER: Final = re.compile(r"[^\S\n]*(?:[-*+•·|>#]+[^\S\n]+)+")
"""What stands before the item of a list, or a heading: no sign of a number."""

_SENTENCE: Final = re.compile(r"(?:(?<=\w\w\w)|(?<=[0-9%)\]\"”’]))[.!?]+[\"”’)]*(?=\s+[^a-z\s])|[。！？；]+[\"”’）]*")


@dataclass(frozen=True, slots=True)
class Document:
    """A document as plain text. `starts` are offsets of its pieces in `text`, `places` the same in the file.

    `lines` are the offsets at which the lines of the file begin.
    """

    name: str
    text: str
    starts: Sequence[int]
    places: Sequence[int]
    lines: Sequence[int]

    def place(self, offset: int) -> int:
        """The offset in the file of a character of the plain text."""
        piece = bisect_right(self.starts, offset) - 1
        return self.places[piece] + offset - self.starts[piece]

    def line_and_column(self, place: int) -> tuple[int, int]:
        """Line and column, from 1, of an offset in the file."""
        line = bisect_right(self.lines, place)
        return line, place - self.lines[line - 1] + 1


class Found(NamedTuple):
    """A figure of a document: its `text` is as printed, `start` and `end` are offsets into the file.

    `first` and `last` are offsets into the plain text, `line` and `column` where it begins in the file.
    """

    figure: Figure
    line: int
    column: int
    sentence: str
    first: int
    last: int


def read_document(path: Path) -> Document:
    """The plain text of a file: HTML and Markdown by the ending of its name, all else as it is.

    Raises `SourceError`: `document_unreadable`, `document_too_large` (beyond 10 MB), `document_not_text`.
    """
    name, text = safe_terminal(path.name), _decoded(path)
    pieces = _pieces_of(path.suffix.lower())(text)
    kept = [(place, part) for place, part in pieces if part] or [(0, "")]
    starts = [0, *accumulate(len(part) for _, part in kept)][:-1]
    lines = [0, *(match.end() for match in re.finditer("\n", text))]
    return Document(name, "".join(part for _, part in kept), starts, [place for place, _ in kept], lines)


def figures_in(document: Document, *, currency: str | None = None, decimal_comma: bool = False) -> list[Found]:
    """All figures of a document in order; a second amount in brackets is one of its own, and `restated` of the first.

    `currency` is the reading of signs of more than one currency; with `decimal_comma` a comma stands before the
    decimals. Figures do not reach over paragraphs.
    """
    read = partial(find, currency=currency, decimal_comma=decimal_comma)
    return [found for start, end in _paragraphs(document.text) for found in _found(document, start, end, read)]


def raw_rows(found: Sequence[Found]) -> pl.DataFrame:
    """The figures as raw rows (`RAW_COLUMNS`, all String) with entity, metric and period empty; safe in a spreadsheet.

    An amount and its restatement are one row, as they are one print.
    """
    again = {id(one.figure.restated) for one in found}
    main = [one for one in found if id(one.figure) not in again]
    columns = {
        "printed": [_one_line(one.figure.text) for one in main],
        "locator": [f"line {one.line}" for one in main],
        "note": [_shortened(one) for one in main],
    }
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    empty = [pl.lit(None, pl.String).alias(name) for name in RAW_COLUMNS[:3]]
    return frame.select(*empty, *(neutralise_formulas(pl.col(name)).alias(name) for name in columns))


# ------------------------------------------------------------------------------------------------------------- files


def _decoded(path: Path) -> str:
    shown = safe_terminal(str(path))
    data = _bytes(path, shown)
    if len(data) > LARGEST:
        raise SourceError(
            "document_too_large", f"{shown} has more than {LARGEST // 1_000_000} MB.", hint="Give it in parts."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _no_text(shown, f"is not UTF-8 (byte {error.start:,})") from None
    if "\0" in text:
        raise _no_text(shown, "holds bytes that no text holds")
    return text.replace("\r\n", " \n").replace("\r", "\n")


def _bytes(path: Path, shown: str) -> bytes:
    try:
        if not path.is_file():
            raise SourceError("document_unreadable", f"{shown} is no file.", hint="Give a text, Markdown or HTML file.")
        with path.open("rb") as stream:
            return stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SourceError("document_unreadable", f"{shown} cannot be read: {reason}.") from error


def _no_text(shown: str, what: str) -> SourceError:
    hint = "Save it as text, Markdown or HTML in UTF-8."
    return SourceError("document_not_text", f"{shown} {what}.", hint=hint)


# ------------------------------------------------------------------------------------------------------- plain text

_Pieces = Iterator[tuple[int, str]]
"""Offset in the file and text of each stretch that is kept."""


def _pieces_of(suffix: str) -> Callable[[str], _Pieces]:
    if suffix in _HTML:
        return _html
    return _markdown if suffix in _MARKDOWN else _plain


def _plain(text: str) -> _Pieces:
    yield 0, text


def _markdown(text: str) -> _Pieces:
    at = 0
    for sign in _EMPHASIS.finditer(text):
        yield at, text[at : sign.start()]
        at = sign.end()
    yield at, text[at:]


def _html(text: str) -> _Pieces:
    # Behind the last `>` no tag ends; the parser would search there for an end at each `<`, in quadratic time.
    end = text.rfind(">") + 1
    reader = _HtmlReader(text)
    reader.feed(text[:end])
    reader.close()
    yield from reader.pieces
    if not reader.hidden:
        yield end, text[end:]


class _HtmlReader(HTMLParser):
    """Collects the texts of a page; what separates texts on the page separates them in the plain text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.lines = [0, *(match.end() for match in re.finditer("\n", text))]
        self.pieces: list[tuple[int, str]] = []
        self.hidden = 0
        self.raised = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Texts of scripts are no text; blocks and cells stand apart; a raised digit is an exponent or a note."""
        self.hidden += tag in _HIDDEN
        self.raised = tag == "sup"
        self._separate(tag, _BLOCKS)

    def handle_endtag(self, tag: str) -> None:
        """The end of what is hidden, of a block or of a cell."""
        if tag in _HIDDEN:
            self.hidden = max(0, self.hidden - 1)
        self._separate(tag, _BLOCKS | _CELLS)

    def handle_data(self, data: str) -> None:
        """A stretch of text."""
        is_power = self.raised and self.pieces and self.pieces[-1][1].endswith("10")
        if is_power and data[:1].isdecimal():
            self._add("^")
        self._add(data.translate(_RAISED) if self.raised and not is_power else data)
        self.raised = False

    def handle_entityref(self, name: str) -> None:
        """`&nbsp;` and its like."""
        self._add(unescape(f"&{name};"))

    def handle_charref(self, name: str) -> None:
        """`&#8212;` and its like."""
        self._add(unescape(f"&#{name};"))

    def _separate(self, tag: str, separating: frozenset[str]) -> None:
        if tag in separating:
            self._add(" | " if tag in _CELLS else "\n\n")

    def _add(self, text: str) -> None:
        if not self.hidden:
            line, column = self.getpos()
            self.pieces.append((self.lines[line - 1] + column, text))


# ------------------------------------------------------------------------------------------------------------ figures


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    breaks = [(0, 0), *(match.span() for match in _PARAGRAPH.finditer(text)), (len(text), len(text))]
    for (_, start), (end, _) in pairwise(breaks):
        marker = _MARKER.match(text, start, end)
        yield marker.end() if marker else start, end


def _found(document: Document, start: int, end: int, read: Callable[[str], list[Figure]]) -> Iterator[Found]:
    text = document.text[start:end]
    figures = read(text)
    ends = [match.end() for match in _SENTENCE.finditer(text)] if figures else []
    again: Figure | None = None
    for figure in figures:
        placed, again = (again, None) if again else _placed(document, figure, start)
        line, column = document.line_and_column(placed.start)
        sentence = _one_line(_sentence(text, ends, figure))
        yield Found(placed, line, column, sentence, start + figure.start, start + figure.end)


def _placed(document: Document, figure: Figure, start: int) -> tuple[Figure, Figure | None]:
    """The figure with its places in the file, and the one that restates it; the text of a pair is both amounts."""
    again = None if figure.restated is None else _placed(document, figure.restated, start)[0]
    last = figure.end if figure.restated is None else _pair_end(figure.text, figure.restated.end)
    printed = figure.text[figure.start : last]
    first, end = document.place(start + figure.start), document.place(start + last - 1) + 1
    return replace(figure, text=printed, start=first, end=end, restated=again), again


def _pair_end(text: str, end: int) -> int:
    """Behind the bracket that closes a restatement."""
    return end + (text[end : end + 1] in (")", "）", "]"))


def _sentence(text: str, ends: Sequence[int], figure: Figure) -> str:
    first, last = bisect_right(ends, figure.start), bisect_right(ends, figure.end - 1)
    return text[ends[first - 1] if first else 0 : ends[last] if last < len(ends) else len(text)]


def _one_line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _shortened(found: Found) -> str:
    """The sentence, or of a very long one the part around the figure."""
    sentence, printed = found.sentence, _one_line(found.figure.text)
    if len(sentence) <= LONGEST_NOTE:
        return sentence
    start = max(0, sentence.find(printed) - LONGEST_NOTE // 2)
    return f"…{sentence[start : start + LONGEST_NOTE - 2]}…"
