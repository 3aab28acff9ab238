"""One cell: a text that is a figure and nothing else.

In: a text. Out: a `Figure`, or `FigureError` that says what could not be read, and where. What a shape means is found
once and kept; a text whose shape has been seen costs only its digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from zhiji_etl.errors import FigureError
from zhiji_etl.figures import Figure
from zhiji_etl.reading.exact import Precision, figure
from zhiji_etl.reading.folding import coarse, fine, fold
from zhiji_etl.reading.grammar import read_shape
from zhiji_etl.reading.meanings import Amount, Meaning, Options, Problem, Refine
from zhiji_etl.reading.tokens import Join
from zhiji_etl.reading.words import lexicon

Rounding = Literal["nearest", "truncation"]

LONGEST = 400
"""Characters of the longest cell that is read."""

KEPT = 50_000
"""Meanings of shapes kept in memory."""


def parse(
    text: str,
    *,
    currency: str | None = None,
    scale: str | None = None,
    unit: str | None = None,
    decimals: int | None = None,
    rounding: Rounding = "nearest",
    decimal_comma: bool = False,
) -> Figure:
    """The figure that a text prints; the whole text must be understood.

    `currency` is the reading of signs of more than one currency (`$`, `¥`, `元`). `scale` (a word, such as `million`
    or `亿`) and `unit` are what a caption says of cells that do not say it themselves. `decimals` declares the
    precision, as a power of ten of the figure's unit (-6: to the million). `rounding` is what the source does.
    `decimal_comma` reads `1.234,5` and `1.234` as numbers with a comma before the decimals.

    Bounds and value are exact decimals in the figure's unit (SEMANTICS, section 2). Raises `FigureError`, and nothing
    else, with one of the codes `empty`, `no_number`, `unread_text`, `several_figures`, `date`, `time`, `not_available`,
    `not_meaningful`, `not_applicable`, `excess_digits`, `out_of_range`, `division_by_zero`, `text_too_long`.

    >>> parse("6.238 million vehicles").high
    Decimal('6238500')
    """
    if len(text) > LONGEST:
        raise too_long(text)
    chosen = options(currency, scale, unit, decimal_comma)
    meaning, literals, marks = understood(fold(text), chosen)
    amount = meaning.result
    if not isinstance(amount, Amount):
        raise refusal(amount, text, marks)
    return figure(amount, literals, text, spans(amount, marks), _precision(decimals, rounding))


@lru_cache(maxsize=256)
def options(currency: str | None, scale: str | None, unit: str | None, decimal_comma: bool) -> Options:
    """What the reader was told, checked. Raises `FigureError` (`unknown_scale`) for a scale that is no scale word."""
    return Options(currency, None if scale is None else scale_exponent(scale), unit, decimal_comma)


def scale_exponent(scale: str) -> int:
    """The power of ten of a scale word: `million` -> 6, `亿` -> 8."""
    word = fold(scale.strip())
    for key in (word, word.lower()):
        for entry in lexicon().entries.get(key[:1] if not key.isascii() else key.lower(), ()):
            exponent = entry.kinds.get("scale") or (entry.kinds.get("place") or entry.kinds.get("hundred"))
            if entry.spelling == key and exponent:
                return int(exponent)
    if word in ("1", "one", "units", ""):
        return 0
    raise FigureError(
        "unknown_scale",
        f"{scale!r} is no scale word.",
        text=scale,
        end=len(scale),
        hint="thousand, million, 万, 亿 ...",
    )


Marks = tuple[str, Sequence[str]]
"""A shape and its literals as printed: turn offsets of the shape into offsets of the text."""


def understood(folded: str, chosen: Options) -> tuple[Meaning, Sequence[str], Marks]:
    """The meaning of a folded text, its literals as plain decimals, and its shape with the literals as printed."""
    shape, literals = coarse(folded, chosen.decimal_comma)
    meaning = meaning_of(shape, "coarse", chosen)
    if not isinstance(meaning.result, Refine):
        return meaning, plain(literals, chosen.decimal_comma), (shape, literals)
    shape, runs = fine(folded)
    meaning = meaning_of(shape, "comma" if chosen.decimal_comma else "fine", chosen)
    return meaning, joined(runs, meaning.joins or ()), (shape, runs)


@lru_cache(maxsize=KEPT)
def meaning_of(shape: str, style: str, chosen: Options) -> Meaning:
    """What a shape means, remembered."""
    result, joins = read_shape(shape, style, chosen)
    return Meaning(result, joins)


def plain(literals: list[str], decimal_comma: bool) -> list[str]:
    """Regular numbers without the signs between thousands, a point before the decimals."""
    if decimal_comma:
        return [literal.replace(".", "").replace(",", ".") for literal in literals]
    return [literal.replace(",", "") for literal in literals]


def joined(runs: list[str], joins: tuple[Join, ...]) -> list[str]:
    """The numbers that runs of digits make: the last run holds the decimals where a join says so."""
    numbers = []
    for start, end, decimals in joins:
        whole = "".join(runs[start : end - 1] if decimals else runs[start:end])
        numbers.append(f"{whole}.{runs[end - 1]}" if decimals else whole)
    return numbers


def spans(amount: Amount, marks: Marks) -> tuple[tuple[int, int], ...]:
    """Offsets into the text of an amount, and of the one that restates it."""
    found = [(place(amount.start, marks), place(amount.end, marks))]
    if amount.restated is not None:
        found.append((place(amount.restated.start, marks), place(amount.restated.end, marks)))
    return tuple(found)


def place(offset: int, marks: Marks) -> int:
    """The offset in the text of an offset in its shape."""
    shape, literals = marks
    seen = 0
    for at in range(offset):
        if shape[at] == "#" or "\ue001" <= shape[at] <= "\ue008":
            seen += 1
    return offset + sum(map(len, literals[:seen])) - seen


def refusal(result: Problem | Refine, text: str, marks: Marks) -> FigureError:
    """The error for a text whose shape is no figure."""
    if isinstance(result, Refine):
        return FigureError("no_number", "The number could not be read.", text=text, end=len(text))
    start, end = place(result.start, marks), place(result.end, marks)
    return FigureError(
        result.code, told(result.message, text[start:end]), text=text, start=start, end=end, hint=result.hint
    )


def told(message: str, part: str) -> str:
    """A message with the part of the text that it is about."""
    shown = part if len(part) <= 60 else f"{part[:59]}…"
    return message.replace("{}", repr(shown))


def too_long(text: str) -> FigureError:
    """The error for a text that is no cell."""
    return FigureError(
        "text_too_long", f"The text has {len(text):,} characters; a cell has at most {LONGEST}.",
        text=text, start=LONGEST, end=len(text), hint="Use find() for running text.",
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _precision(decimals: int | None, rounding: Rounding) -> Precision:
    return Precision(decimals, rounding == "truncation")
