"""One pass over the bytes of a CSV file, before Polars sees it: encoding, line ends, quotes, cells a row, sha256.

In: a binary stream. Out: a `Structure`, or a `SourceError` that names the byte offset and the line. Bytes and lines are
counted as an editor shows them (lines from 1), rows from 0 after the header.

Polars accepts UTF-16, NUL bytes, CR-only line ends, short rows and stray quotes silently or with an error that names
no place. So the structure is decided here by RFC 4180: a quote opens a cell only at its start, and ends it only before
a separator, a line end or a second quote. Each block of the file ends with a line feed, which is never inside a UTF-8
sequence; NumPy finds separators, quotes and line ends, and no Python runs per row.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from zhiji_etl.errors import SourceError
from zhiji_etl.sources.headers import checked_columns, empty_file
from zhiji_etl.sources.names import safe_terminal
from zhiji_etl.sources.slices import Slice, slices

ROW: Final = "raw row number"
"""The column that holds a row's number within its file. The spaces keep it apart from the names that headers have."""

BLOCK = 1 << 18
HEADER_LIMIT = 1 << 18
CELL_LIMIT = 1 << 20
RECORD_LIMIT = 1 << 23
DEFECT_LIMIT = 1_000
ROW_LIMIT = 1 << 32
TEXT_SHOWN = 1_000
UNENDED = "The last line has no line end: if the file was cut short, its last cell may be incomplete."

LINE_FEED, CARRIAGE_RETURN, QUOTE = 10, 13, 34

Positions = npt.NDArray[np.int64]


class Digest(Protocol):
    """A running hash."""

    def update(self, data: bytes, /) -> None:
        """Take in more bytes."""


@dataclass(frozen=True, slots=True)
class Defect:
    """A raw row that cannot be read as a row: it becomes a reject with this code and reason."""

    row: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Structure:
    """What the bytes of a file say: its columns, its defective rows, what to warn of, and its hash.

    `place` stands before the number of a row where cells have addresses: `Sheet1!D`. `slices` are there where the file
    is larger than one of them, and can be read in parts.
    """

    columns: tuple[str, ...]
    sha256: str
    bytes: int
    defects: tuple[Defect, ...] = ()
    warnings: tuple[str, ...] = ()
    place: str = ""
    slices: tuple[Slice, ...] = ()


class Shape(NamedTuple):
    """Lines of a text table, and cells of the longest one."""

    rows: int
    columns: int


@dataclass(slots=True)
class _Progress:
    """Where the pass stands: all that one block tells the next."""

    name: str
    separator: int
    columns: tuple[str, ...] = ()
    offset: int = 0
    lines: int = 1
    records: int = 0
    cells: int = 0
    cell_start: int = 0
    inside: bool = False
    quote_line: int = 1
    defects: list[Defect] = field(default_factory=list)

    def fault(self, code: str, what: str, position: int, block: bytes, hint: str) -> SourceError:
        """The error at `position` bytes of the block that starts at `offset`."""
        line = self.lines + block.count(b"\n", 0, position)
        where = f"line {line} (byte {self.offset + position:,})"
        return SourceError(code, f"{safe_terminal(self.name)}, {where}: {what}", hint=hint)


def csv_structure(stream: BinaryIO, name: str, separator: str = ",") -> Structure:
    """Check a CSV stream to its end, in memory bounded by `RECORD_LIMIT`.

    Raises `SourceError`: `source_empty`, `source_encoding`, `line_ends`, `quote_stray`, `quote_unclosed`,
    `cell_too_long`, `record_too_long`, `header_invalid`, `header_duplicate`, `columns_too_many`, `rows_ragged`,
    `rows_too_many`. A row with too few or too many cells is a `Defect` (`row_short`, `row_long`), not an error.
    """
    progress = _Progress(name, ord(separator))
    digest = hashlib.sha256()
    warnings: tuple[str, ...] = ()
    ends: list[tuple[int, int]] = []
    for block, whole in _checked(stream, progress):
        digest.update(block)
        warnings = () if whole is block else (UNENDED,)
        _check_records(progress, whole)
        if not progress.inside:
            ends.append((progress.records - 1, progress.offset + len(block)))
    if not progress.columns:
        raise empty_file(name)
    defects = tuple(progress.defects)
    return Structure(progress.columns, digest.hexdigest(), progress.offset, defects, warnings, slices=slices(ends))


def csv_shape(stream: BinaryIO, name: str, separator: str) -> Shape:
    """How many lines, and cells in the longest one, a CSV stream has; lines may differ, and the first is no header.

    Raises `SourceError` as `csv_structure`, but for what that says of headers and of rows that differ.
    """
    progress = _Progress(name, ord(separator))
    longest = 0
    for _, whole in _checked(stream, progress):
        longest = max(longest, int(_records(progress, whole)[1].max(initial=0)))
    return Shape(progress.records, longest)


def text_blocks(stream: BinaryIO, name: str, digest: Digest) -> Iterator[tuple[int, bytes]]:
    """(number of lines before it, block) of a text file that is checked to be UTF-8 without NUL and lone CR, hashed."""
    progress = _Progress(name, LINE_FEED)
    for block, _ in _checked(stream, progress):
        digest.update(block)
        yield progress.lines - 1, block


def _checked(stream: BinaryIO, progress: _Progress) -> Iterator[tuple[bytes, bytes]]:
    """Each block, if it is UTF-8 and has the line ends of text: as it lies, and with a line end where it has none."""
    for block in blocks(stream, progress):
        whole = block if block.endswith(b"\n") else block + b"\n"
        _check_encoding(progress, whole)
        _check_line_ends(progress, whole)
        yield block, whole
        progress.offset += len(block)
        progress.lines += whole.count(b"\n")
    if progress.inside:
        raise _unclosed(progress)


def blocks(stream: BinaryIO, progress: _Progress) -> Iterator[bytes]:
    """Blocks of about `BLOCK` bytes that end with a line feed, but for the last one."""
    rest = b""
    while chunk := stream.read(BLOCK):
        cut = chunk.rfind(b"\n") + 1
        if cut:
            yield rest + chunk[:cut]
        rest = chunk[cut:] if cut else rest + chunk
        if len(rest) > RECORD_LIMIT:
            raise _endless(progress, rest)
    if rest:
        yield rest


# ------------------------------------------------------------------------------------------------------- encoding


def _check_encoding(progress: _Progress, block: bytes) -> None:
    start = progress.offset == 0
    if start and block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise progress.fault("source_encoding", "the text is UTF-16, not UTF-8.", 0, block, _conversion("UTF-16"))
    if (zero := block.find(b"\0")) >= 0:
        raise progress.fault(
            "source_encoding", "a NUL byte, which no text holds.", zero, block, "Is it UTF-16, or not a text file?"
        )
    if block.isascii():
        return
    try:
        block.decode("utf-8")
    except UnicodeDecodeError as error:
        found = block[error.start : error.start + 8]
        what = f"the bytes {found.hex(' ')} are not UTF-8."
        raise progress.fault(
            "source_encoding", what, error.start, block, _conversion(_guess(block, error.start))
        ) from None


def _guess(block: bytes, position: int) -> str:
    """From one line, since files are mixed: GB18030 holds GBK and GB2312; all else is Western text of Windows.

    Western letters stand alone between others; Chinese ones are nearly all of two high bytes.
    """
    line = block[block.rfind(b"\n", 0, position) + 1 :].partition(b"\n")[0]
    if not re.search(rb"[\x80-\xff]{2}", line):
        return "WINDOWS-1252"
    try:
        line.decode("gb18030")
    except UnicodeDecodeError:
        return "WINDOWS-1252"
    return "GB18030"


def _conversion(encoding: str) -> str:
    return f"It may be {encoding}. Convert a copy: iconv -f {encoding} -t UTF-8 OLD > NEW."


# ------------------------------------------------------------------------------------------------------ line ends


def _check_line_ends(progress: _Progress, block: bytes) -> None:
    if b"\r" not in block or block.count(b"\r") == block.count(b"\r\n"):
        return
    data = np.frombuffer(block, np.uint8)
    lone = np.flatnonzero((data[:-1] == CARRIAGE_RETURN) & (data[1:] != LINE_FEED))
    quotes_before = np.searchsorted(np.flatnonzero(data == QUOTE), lone)
    outside = lone[(quotes_before + progress.inside) % 2 == 0]
    if outside.size:
        raise progress.fault("line_ends", *_return_fault(int(outside[0]), block))


def _return_fault(position: int, block: bytes) -> tuple[str, int, bytes, str]:
    what = "a carriage return without a line feed; lines must end with LF or CRLF."
    return what, position, block, "Convert a copy: tr '\\r' '\\n' < OLD > NEW."


# -------------------------------------------------------------------------------------------------------- records


def _check_records(progress: _Progress, block: bytes) -> None:
    """Read the header, and note every record that has not as many cells."""
    if not progress.columns and progress.offset == 0:
        _read_header(progress, block)
    first = progress.records
    ends, widths = _records(progress, block)
    for index in np.flatnonzero(widths != len(progress.columns))[: DEFECT_LIMIT + 1]:
        end = int(ends[index])
        start = int(ends[index - 1]) + 1 if index else 0
        _note_width(progress, first + int(index) - 1, int(widths[index]), block[start:end])
        if len(progress.defects) > DEFECT_LIMIT:
            raise progress.fault("rows_ragged", *_ragged_fault(progress, end, block))


def _records(progress: _Progress, block: bytes) -> tuple[Positions, Positions]:
    """Where the records that end in a block do so, and the cells of each; the first may begin in an earlier one."""
    data = np.frombuffer(block, np.uint8)
    ends = _cell_ends(progress, block, data)
    _check_cell_lengths(progress, block, ends)
    lines = np.flatnonzero(data[ends] == LINE_FEED)
    widths = np.diff(lines, prepend=-1 - progress.cells)
    progress.cells = int(ends.size - lines[-1] - 1) if lines.size else progress.cells + int(ends.size)
    progress.records += int(lines.size)
    if progress.records > ROW_LIMIT:
        what = f"{safe_terminal(progress.name)} has over 2^32 rows."
        raise SourceError("rows_too_many", what, hint="Split the file.")
    return ends[lines], widths


def _cell_ends(progress: _Progress, block: bytes, data: npt.NDArray[np.uint8]) -> Positions:
    """The positions of all separators and line feeds that stand outside quotes."""
    special = (data == progress.separator) | (data == LINE_FEED)
    if not progress.inside and b'"' not in block:
        return np.flatnonzero(special)
    quotes = data == QUOTE
    positions = np.flatnonzero(special | quotes)
    is_quote = quotes[positions]
    state = (np.cumsum(is_quote, dtype=np.uint8) & 1).astype(bool) ^ progress.inside
    _check_quotes(progress, block, data, positions[is_quote], state[is_quote])
    progress.inside = bool(state[-1])
    outside: Positions = positions[~(is_quote | state)]
    return outside


def _check_quotes(
    progress: _Progress, block: bytes, data: npt.NDArray[np.uint8], quotes: Positions, state: npt.NDArray[np.bool_]
) -> None:
    """An opening quote must follow a cell's end, a closing one must precede it; a doubled quote is both."""
    allowed = np.zeros(256, dtype=bool)
    allowed[[progress.separator, LINE_FEED, CARRIAGE_RETURN, QUOTE]] = True
    first = 3 if progress.offset == 0 and block.startswith(codecs.BOM_UTF8) else 0
    opening = quotes[state]
    closing = quotes[~state]
    opens_badly = opening[~allowed[data[opening - 1]] & (opening != first)]
    closes_badly = closing[~allowed[data[closing + 1]]]
    bad = [int(found[0]) for found in (opens_badly, closes_badly) if found.size]
    if bad:
        raise progress.fault("quote_stray", *_quote_fault(min(bad), block))
    if state[-1:].any():
        progress.quote_line = progress.lines + block.count(b"\n", 0, int(opening[-1]))


def _quote_fault(position: int, block: bytes) -> tuple[str, int, bytes, str]:
    what = "a quote stands inside a cell, or the one before it was never closed."
    return what, position, block, 'Put the whole cell in quotes and double the quote in it: "5"" pipe".'


def _check_cell_lengths(progress: _Progress, block: bytes, ends: Positions) -> None:
    if ends.size:
        first = int(ends[0]) + progress.offset - progress.cell_start
        lengths = np.diff(ends) if len(block) > CELL_LIMIT else ends[:0]
        if first > CELL_LIMIT or lengths.max(initial=0) > CELL_LIMIT:
            raise _long_cell(progress, block, int(ends[0] if first > CELL_LIMIT else ends[lengths.argmax() + 1]))
        progress.cell_start = int(ends[-1]) + progress.offset + 1
    if progress.offset + len(block) - progress.cell_start > CELL_LIMIT:
        raise _unclosed(progress) if progress.inside else _long_cell(progress, block, len(block) - 1)


def _long_cell(progress: _Progress, block: bytes, position: int) -> SourceError:
    what = f"a cell of more than {CELL_LIMIT:,} bytes ends here."
    return progress.fault("cell_too_long", what, position, block, "Is a quote missing, or is this no table of figures?")


def _note_width(progress: _Progress, row: int, width: int, record: bytes) -> None:
    text = record.decode("utf-8", errors="replace").strip("\r\n")
    if not text and width == 1:
        return
    expected = len(progress.columns)
    code = "row_short" if width < expected else "row_long"
    shown = text if len(text) <= TEXT_SHOWN else f"{text[:TEXT_SHOWN]}…"
    reason = f"The row has {width} cells where the header has {expected}: {shown}"
    progress.defects.append(Defect(row, code, reason))


def _ragged_fault(progress: _Progress, position: int, block: bytes) -> tuple[str, int, bytes, str]:
    what = f"more than {DEFECT_LIMIT:,} rows do not have the {len(progress.columns)} cells of the header."
    return what, position, block, "Is the separator another one? Set separator in the sidecar."


def _unclosed(progress: _Progress) -> SourceError:
    where = f"{safe_terminal(progress.name)}, line {progress.quote_line}"
    return SourceError(
        "quote_unclosed",
        f"{where}: a quote is opened here and never closed.",
        hint="Close the quote, or double it if it belongs to the text.",
    )


def _endless(progress: _Progress, rest: bytes) -> SourceError:
    if not progress.inside and b"\r" in rest:
        return progress.fault("line_ends", *_return_fault(rest.find(b"\r"), rest))
    what = f"a line of more than {RECORD_LIMIT:,} bytes begins here."
    return progress.fault("record_too_long", what, 0, rest, "Is this a text file with one figure a line?")


# --------------------------------------------------------------------------------------------------------- header


def _read_header(progress: _Progress, block: bytes) -> None:
    """Read the first record: names without surrounding spaces, none empty, none twice."""
    first = _first_record(progress, block)
    text = first.decode("utf-8-sig")
    try:
        names = next(csv.reader([text], delimiter=chr(progress.separator), strict=True), [])
    except csv.Error as error:
        raise _header_fault(progress, f"the header cannot be read ({error}).", block) from None
    progress.columns = checked_columns(progress.name, [name.strip() for name in names])


def _first_record(progress: _Progress, block: bytes) -> bytes:
    probe = _Progress(progress.name, progress.separator)
    data = np.frombuffer(block[:HEADER_LIMIT], np.uint8)
    quotes = np.cumsum(data == QUOTE) % 2
    ends = np.flatnonzero((data == LINE_FEED) & (quotes == 0))
    if not ends.size:
        raise _header_fault(probe, f"the header does not end within {HEADER_LIMIT:,} bytes.", block)
    return block[: int(ends[0])].rstrip(b"\r\n")


def _header_fault(progress: _Progress, what: str, block: bytes) -> SourceError:
    return progress.fault("header_invalid", what, 0, block, "The first line names the columns, one name a cell.")
