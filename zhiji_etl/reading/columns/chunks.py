"""One chunk of a column: its texts by their shapes, in up to three passes.

1. The bytes of all texts are scanned; what is printed in the regular way is read from there.
2. Texts with irregular numbers are parted by the pattern of numbers.
3. Texts whose coarse shape does not decide are read by their fine one.

What is left is read by the code of single texts. In: a String series. Out: a Struct series of `figures.PARSED_FIELDS`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhiji_etl.reading.cells import LONGEST
from zhiji_etl.reading.columns import shapes as kinds
from zhiji_etl.reading.columns.arithmetic import (
    fields,
    rounded_fields,
    span_fields,
    with_bounds,
    with_digits,
    with_number,
    with_open_ends,
    with_shared_scale,
)
from zhiji_etl.reading.columns.replacement import Replacement
from zhiji_etl.reading.columns.results import CLOSED, NUMBERS, Results
from zhiji_etl.reading.columns.scanning import SEPARATOR, Scan, scan
from zhiji_etl.reading.columns.shapes import ROLES, WORDS, Shapes, meanings
from zhiji_etl.reading.columns.single import parsed
from zhiji_etl.reading.grammar.folding import MARK, RUN_MARKS, ZERO_MARKS, folds, number_pattern
from zhiji_etl.reading.grammar.meanings import Options

Rows: TypeAlias = NDArray[np.int64]
Roles: TypeAlias = tuple[str, ...]
Digits: TypeAlias = Callable[[pl.DataFrame, Rows, Roles], pl.DataFrame]
"""Adds the digits of some amounts (`arithmetic.with_digits`) to the parameters of some rows of a pass."""


class Told(NamedTuple):
    """What the reader of a column was told: its options, and the same as `parse` takes it."""

    chosen: Options
    keywords: dict[str, Any]

    @property
    def truncated(self) -> bool:
        """Whether the source cuts its digits off."""
        return bool(self.keywords["rounding"] == "truncation")


class Chunk(NamedTuple):
    """Texts, the declared decimals of each if any are, what the reader was told, and where the figures go."""

    texts: pl.Series
    decimals: pl.Series | None
    told: Told
    results: Results


def read_chunk(texts: pl.Series, decimals: pl.Series | None, told: Told) -> pl.Series:
    """Each text as a struct of `figures.PARSED_FIELDS`, null where there is no text."""
    chunk = Chunk(texts, decimals, told, Results(len(texts)))
    missing = texts.is_null()
    too_long = (texts.str.len_chars() > LONGEST).fill_null(False)
    unread = missing | too_long
    irregular, finer, slow = _by_bytes(chunk, unread)
    more, also_slow = _by_pattern(chunk, irregular)
    still_slow = _by_fine_shape(chunk, np.concatenate((finer, more)))
    _singly(chunk, np.concatenate((slow, also_slow, still_slow, too_long.arg_true().to_numpy())))
    return chunk.results.series(missing)


# ---- passes ---------------------------------------------------------------------------------------------------------


def _by_bytes(chunk: Chunk, unread: pl.Series) -> tuple[Rows, Rows, Rows]:
    """Reads texts of regular numbers; the rows of others, of those that need the fine shape, and of slow ones."""
    if not len(chunk.texts):
        return _NONE, _NONE, _NONE
    texts = chunk.texts.set(unread, "") if unread.any() else chunk.texts
    found = scan(_joined(texts), chunk.told.chosen.decimal_comma)
    shapes = meanings(found.shapes, "coarse", chunk.told.chosen, chunk.told.truncated)
    left = unread.to_numpy() | found.irregular
    rows = np.flatnonzero(~left)
    finer, slow = _pass(chunk, rows, found.codes[rows], shapes, partial(_with_scanned, found, found.first[rows]))
    return np.flatnonzero(left & ~unread.to_numpy()), finer, slow


def _by_pattern(chunk: Chunk, rows: Rows) -> tuple[Rows, Rows]:
    """Reads texts parted by the pattern of numbers; the rows that need the fine shape, and slow ones."""
    if not len(rows):
        return _NONE, _NONE
    comma = chunk.told.chosen.decimal_comma
    folded = _folded(chunk.texts.gather(rows))
    codes, shapes = _coded(folded.str.replace_all(number_pattern(comma), MARK))
    known = meanings(shapes, "coarse", chunk.told.chosen, chunk.told.truncated)
    literals = folded.str.extract_all(number_pattern(comma))
    return _pass(chunk, rows, codes, known, partial(_with_literals, literals, comma))


def _by_fine_shape(chunk: Chunk, rows: Rows) -> Rows:
    """Reads texts by their fine shapes; the rows of slow ones."""
    if not len(rows):
        return _NONE
    folded = _folded(chunk.texts.gather(rows))
    codes, shapes = _coded(_fine_shapes(folded))
    known = meanings(shapes, "fine", chunk.told.chosen, chunk.told.truncated)
    _, slow = _pass(chunk, rows, codes, known, partial(_with_joined, folded))
    return slow


def _singly(chunk: Chunk, rows: Rows) -> None:
    """Reads the rows that only the code of single texts can."""
    if not len(rows):
        return
    decimals = None if chunk.decimals is None else chunk.decimals.gather(rows)
    table, lines = parsed(chunk.texts.gather(rows), decimals, chunk.told.keywords)
    again = table["restated"].struct.unnest()
    words = table.with_columns(again_qualifier=again["qualifier"], again_unit=again["unit"]).select(*WORDS)
    chunk.results.say(rows, words, lines.to_numpy())
    for role, amounts in (("main", table), ("again", again)):
        of_rows = amounts.select(*NUMBERS, *CLOSED)[lines]
        read = of_rows["low"].is_not_null()
        chunk.results.put(rows[read.to_numpy()], of_rows.filter(read), role)


# ---- one pass -------------------------------------------------------------------------------------------------------


def _pass(chunk: Chunk, rows: Rows, codes: NDArray[Any], shapes: Shapes, digits: Digits) -> tuple[Rows, Rows]:
    """Reads rows by their shapes; gives back the rows that need the fine shape, and those for single reading."""
    of_rows = shapes.kinds[codes]
    chunk.results.say(rows, shapes.words, codes)
    slow = [rows[of_rows == kinds.SLOW]]
    for kind, roles in ROLES.items():
        at = np.flatnonzero(of_rows == kind)
        if len(at):
            numbers = digits(shapes.parameters_of(codes[at], roles), at, roles)
            slow.append(_computed(chunk, kind, rows[at], numbers))
    return rows[of_rows == kinds.REFINED], np.concatenate(slow)


def _computed(chunk: Chunk, kind: int, rows: Rows, numbers: pl.DataFrame) -> Rows:
    """Computes the amounts of rows of one class; the rows where floats are not exact."""
    roles = ROLES[kind]
    if chunk.decimals is not None:
        numbers = numbers.with_columns(decimals=chunk.decimals.gather(rows))
    for role in roles:
        numbers = with_number(numbers, role, declarable=role != "again")
    if kind == kinds.RANGE:
        numbers = with_shared_scale(numbers, "main", "high")
    for role in roles:
        numbers = with_bounds(numbers, role, chunk.told.truncated)
        numbers = with_open_ends(numbers, role) if kind in (kinds.BOUNDED, kinds.PAIR) else numbers
    exact = numbers.select(pl.all_horizontal(f"{role}_fast" for role in roles).fill_null(False)).to_series()
    if not exact.all():
        numbers = numbers.filter(exact)
    computed = exact.to_numpy()
    read: Rows = rows[computed]
    unread: Rows = rows[~computed]
    if kind == kinds.PAIR:
        _put_restated(chunk, read, numbers)
    main = {kinds.RANGE: span_fields("main", "high"), kinds.SINGLE: rounded_fields("main")}.get(kind, fields("main"))
    chunk.results.put(read, numbers.select(**main))
    return unread


def _put_restated(chunk: Chunk, rows: Rows, numbers: pl.DataFrame) -> None:
    """Puts the second amounts of pairs, but where they say the same as the first."""
    same = numbers.select((pl.col("main_value") == pl.col("again_value")) & pl.col("same_unit")).to_series()
    chunk.results.put(rows[~same.to_numpy()], numbers.filter(~same).select(**fields("again")), "again")


# ---- digits ---------------------------------------------------------------------------------------------------------


def _with_scanned(found: Scan, first: Rows, numbers: pl.DataFrame, at: Rows, roles: Roles) -> pl.DataFrame:
    """The digits of numbers that the scan has found."""
    for role in roles:
        place = first[at] + numbers[f"{role}_literal"].to_numpy()
        digits = {"m": found.mantissa, "d": found.decimals, "all": found.zeros}
        numbers = numbers.with_columns(pl.Series(f"{role}_{name}", of[place]) for name, of in digits.items())
    return numbers


def _with_literals(
    literals: pl.Series, decimal_comma: bool, numbers: pl.DataFrame, at: Rows, roles: Roles
) -> pl.DataFrame:
    """The digits of numbers that the pattern has found."""
    numbers = numbers.with_columns(found=literals.gather(at))
    for role in roles:
        text = pl.col("found").list.get(pl.col(f"{role}_literal"), null_on_oob=True)
        numbers = with_digits(numbers.with_columns(text.alias(f"{role}_text")), role, decimal_comma)
    return numbers


def _with_joined(folded: pl.Series, numbers: pl.DataFrame, at: Rows, roles: Roles) -> pl.DataFrame:
    """The digits of a number of several runs, with a point for whatever sign stands before its decimals."""
    text = folded.gather(at)
    numbers = numbers.with_columns(folded=text, length=text.str.len_chars().cast(pl.Int64))
    printed = pl.col("folded").str.slice(pl.col("before"), pl.col("length") - pl.col("besides"))
    numbers = numbers.with_columns(printed=printed)
    whole = pl.col("printed").str.replace_all("[^0-9]", "")
    last = pl.col("printed").str.extract("([0-9]+)$")
    cut = whole.str.len_bytes().cast(pl.Int64) - last.str.len_bytes().cast(pl.Int64)
    numbers = numbers.with_columns(
        main_text=pl.when(pl.col("fraction") == "none").then(whole)
        .when(pl.col("fraction") == "only").then(pl.lit(".") + whole)
        .otherwise(whole.str.slice(0, cut) + "." + last)
    )  # fmt: skip
    return with_digits(numbers, "main", decimal_comma=False)


# ---- texts and shapes -----------------------------------------------------------------------------------------------

_NONE: Final = np.zeros(0, np.int64)


def _joined(texts: pl.Series) -> bytes:
    """All texts, folded, with separators between them."""
    joined: bytes = texts.str.join(SEPARATOR).cast(pl.Binary).item()
    if joined.count(SEPARATOR.encode()) >= len(texts):
        spaced = texts.str.replace_all(SEPARATOR, folds()[ord(SEPARATOR)], literal=True)
        joined = spaced.str.join(SEPARATOR).cast(pl.Binary).item()
    return _fold_bytes()(joined)


def _folded(texts: pl.Series) -> pl.Series:
    table = folds()
    return texts.str.replace_many([chr(code) for code in table], list(table.values()))


@cache
def _fold_bytes() -> Replacement:
    return Replacement({code: read for code, read in folds().items() if code != ord(SEPARATOR)})


def _fine_shapes(shape: pl.Series) -> pl.Series:
    """Texts with a mark for each run of digits.

    The widest runs come first, whole, and keep their first digit until it has told whether it is a zero.
    """
    for more, mark in (("{3,}", RUN_MARKS[3]), ("{2}", RUN_MARKS[2]), ("{1}", RUN_MARKS[1])):
        shape = shape.str.replace_all(f"([0-9])[0-9]{more}", f"${{1}}{mark}")
    for mark, zero in zip(RUN_MARKS[1:], ZERO_MARKS[1:], strict=True):
        shape = shape.str.replace_all(f"0{mark}", zero, literal=True).str.replace_all(f"[0-9]{mark}", mark)
    return shape.str.replace_all("0", ZERO_MARKS[0], literal=True).str.replace_all("[1-9]", RUN_MARKS[0])


def _coded(shapes: pl.Series) -> tuple[NDArray[Any], list[str]]:
    """The place of each shape among the distinct ones, and these."""
    distinct = shapes.unique(maintain_order=True)
    codes = shapes.to_frame("shape").join(
        distinct.to_frame("shape").with_row_index("code"), on="shape", how="left", maintain_order="left"
    )["code"]  # fmt: skip
    return codes.to_numpy(), distinct.to_list()
