"""A text and its shape: what is left of it when the digits are taken out.

In: any text. Out: the folded text (full-width signs, foreign digits, kinds of space and of dash made
one, character for character, so that every offset stays true) and its shape with its literals.

- The coarse shape has `#` for each number printed in the regular way, `RMB7,053 billion` -> `RMB# billion`.
- The fine shape has one mark for each run of digits, telling its width (1, 2, 3, more) and whether it begins with 0.
  It is asked for only where the coarse one cannot decide: `1.234,56`, `12,34,567`, `1 299`, `3,50`.

The patterns are the same for Python and for Polars, and take linear time.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import chain
from typing import Final

from zhiji_etl.reading.grammar.words import lexicon

MARK: Final = "#"
"""Stands for one number in a coarse shape. A printed `#` is folded to `№`, so it can be nothing else."""

NUMBER: Final = r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
COMMA_NUMBER: Final = r"[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?|\d+(?:,\d+)?"
"""A regular number: point for decimals, or comma where that was asked for."""

EXPONENT: Final = r"(?:[eE][+-]?\d{1,3})?"
NUMERO: Final = "№"
"""What a printed `#` is folded to."""

RUN: Final = r"\d+"
RUN_MARKS: Final = ("\ue001", "\ue002", "\ue003", "\ue004")
ZERO_MARKS: Final = ("\ue005", "\ue006", "\ue007", "\ue008")
"""Marks of a run of 1, 2, 3 or more digits, and of one that begins with 0."""

NO_CHARACTER: Final = "\ufffd"
_POINT: Final = re.compile(f"((?:{NUMBER}){EXPONENT})", re.ASCII)
_COMMA: Final = re.compile(f"((?:{COMMA_NUMBER}){EXPONENT})", re.ASCII)
_PLAIN: Final = re.compile(r"[ !\"$-?A-_a-~]*")
"""Texts in which nothing has to be folded."""
_RUN: Final = re.compile(RUN, re.ASCII)


def number_pattern(decimal_comma: bool) -> str:
    """The pattern of a regular number, as Python and Polars read it."""
    return f"(?:{COMMA_NUMBER if decimal_comma else NUMBER}){EXPONENT}".replace(r"\d", "[0-9]")


def fold(text: str) -> str:
    """The text with variants of one sign made one; same length, so offsets hold.

    >>> fold("２２％"), fold("−3"), fold("#1")
    ('22%', '-3', '№1')
    """
    if _PLAIN.fullmatch(text):
        return text
    return text.translate(folds())


def coarse(folded: str, decimal_comma: bool) -> tuple[str, list[str]]:
    """The coarse shape of a folded text, and its numbers in order."""
    pieces = (_COMMA if decimal_comma else _POINT).split(folded)
    return MARK.join(pieces[::2]), pieces[1::2]


def fine(folded: str) -> tuple[str, list[str]]:
    """The fine shape of a folded text, and its runs of digits in order."""
    return _RUN.sub(_run_mark, folded), _RUN.findall(folded)


_FOLDED: Final = (range(0x3100), range(0xFF00, 0xFFF0), range(0x10A00, 0x11FFF), range(0x1D7CE, 0x1D800))
"""Where characters lie that are read as others by rule."""


@cache
def folds() -> dict[int, str]:
    """Code point -> the character it is read as."""
    table = dict(lexicon().folds)
    for code in chain(*_FOLDED):
        base = _base(chr(code))
        if base not in (None, chr(code)) and code not in table:
            table[code] = base
    table.update({ord("@"): "\uff20", 0xFF20: "\uff20", 0xFF06: "&", 0x3013: NO_CHARACTER})
    table.update(dict.fromkeys((ord(mark) for mark in (*RUN_MARKS, *ZERO_MARKS)), NO_CHARACTER))
    return table


# --------------------------------------------------------------------------------------------------


def _base(character: str) -> str | None:
    """What one character is read as by rule, or None where it stays."""
    if character.isascii():
        return " " if character.isspace() or not character.isprintable() else None
    if character.isspace():
        return " "
    if character.isdecimal():
        return str(unicodedata.digit(character))
    if 0xFF01 <= ord(character) <= 0xFF5E:
        return chr(ord(character) - 0xFEE0)
    return None


def _run_mark(run: re.Match[str]) -> str:
    digits = run.group()
    marks = ZERO_MARKS if digits[0] == "0" else RUN_MARKS
    return marks[min(len(digits), 4) - 1]
