"""One cell: a text that is a figure and nothing else.

In: a text. Out: a `Figure`, or `FigureError` that says what could not be read, and where. What a shape means is found
once and kept; a text whose shape has been seen costs only its digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Final

from zhiji_etl.arguments import guarded
from zhiji_etl.errors import FigureError
from zhiji_etl.figures import Figure, Rounding
from zhiji_etl.reading.captions import Caption, caption, told_unit
from zhiji_etl.reading.exact import Precision, figure
from zhiji_etl.reading.grammar.folding import MARK, NUMERO, RUN_MARKS, ZERO_MARKS, coarse, fine, fold
from zhiji_etl.reading.grammar.meanings import REFINE, Amount, Meaning, Options, Place, Problem, Refine, Result
from zhiji_etl.reading.grammar.shapes import read_shape
from zhiji_etl.reading.grammar.tokens import Join
from zhiji_etl.reading.grammar.words import lexicon

LONGEST = 400
"""Characters of the longest cell that is read."""

KEPT = 50_000
"""Meanings of shapes kept in memory."""

MOST_DECIMALS: Final = 30
"""The finest precision that can be declared; the coarsest is as many places the other way."""

THOUSANDS: Final = "000"
"""What a header prints for thousands, `£000`; no figure is printed so."""

_CODE: Final = re.compile("[A-Z]{3}")
_RUNS: Final = frozenset((*RUN_MARKS, *ZERO_MARKS))

TEXT_NEEDED: Final = "give it as it stands in the source: its digits tell how precise a figure is"
"""What to do where something else than text is to be read."""


@guarded(FigureError, text=TEXT_NEEDED)
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
    or `亿`) and `unit` are what a caption says of cells that do not say it themselves; either can be the caption as
    printed: `unit="RMB in millions"`, `unit="单位：亿元"`. `decimals` declares the
    precision, as a power of ten of the figure's unit (-6: to the million). `rounding` is what the source does.
    `decimal_comma` reads `1.234,5` and `1.234` as numbers with a comma before the decimals.

    Bounds and value are exact decimals in the figure's unit (SEMANTICS, section 2). Raises `FigureError`, and nothing
    else, with one of the codes `empty`, `no_number`, `unread_text`, `several_figures`, `date`, `time`, `not_available`,
    `not_meaningful`, `not_applicable`, `excess_digits`, `out_of_range`, `division_by_zero`, `contradiction`,
    `unclear_range`, `text_too_long`; `wrong_type` where it is no text, or `option_invalid` and its like for an option.

    Examples:
        >>> parse("6.238 million vehicles").high
        Decimal('6238500')
    """
    if len(text) > LONGEST:
        raise too_long(text)
    reader = _reader(currency, scale, unit, decimal_comma)
    folded = fold(text)
    shape, printed = coarse(folded, decimal_comma)
    meaning = reader.coarse(shape)
    literals = plain(printed, decimal_comma)
    if meaning.result is REFINE:
        shape, printed = fine(folded)
        meaning = reader.fine(shape)
        literals = joined(printed, meaning.joins or ())
    amount = meaning.result
    if not isinstance(amount, Amount):
        raise refusal(amount, text, shape, printed)
    if THOUSANDS in literals:
        raise _heading(text, literals)
    return figure(amount, literals, text, meaning.spans(printed), precision(decimals, rounding))


@lru_cache(maxsize=256)
def options(currency: str | None, scale: str | None, unit: str | None, decimal_comma: bool) -> Options:
    """What the reader was told, checked: `scale` and `unit` are words, or captions such as `RMB in millions`.

    Raises `FigureError`: `option_invalid`, `unknown_scale`, `unknown_caption`, or `contradicting_captions` where both
    name a scale.
    """
    if currency is not None and not _CODE.fullmatch(currency):
        raise _invalid("currency", currency, 'it is an ISO 4217 code in capitals, such as "CNY"')
    of_unit = Caption() if unit is None else told_unit(unit)
    of_scale = Caption() if scale is None else _told_scale(scale)
    if None not in (of_unit.exponent, of_scale.exponent) and of_unit.exponent != of_scale.exponent:
        raise FigureError(
            "contradicting_captions", f"{scale!r} and {unit!r} name two scales.", hint="Give one of them."
        )
    exponent = of_unit.exponent if of_scale.exponent is None else of_scale.exponent
    said = of_unit if of_unit.unit else of_scale
    chosen = said.unit
    if chosen and currency in said.currencies:
        chosen = chosen.replace(said.currencies[0], str(currency))
    if currency is None and len(said.currencies) == 1:
        currency = said.currencies[0]
    return Options(currency, exponent, chosen, decimal_comma)


@lru_cache(maxsize=256)
def precision(decimals: int | None, rounding: Rounding) -> Precision:
    """How the last digit is to be understood, checked. Raises `FigureError` (`option_invalid`)."""
    if decimals is not None and abs(int(decimals)) > MOST_DECIMALS:
        raise _invalid("decimals", decimals, "it is a whole number: -6 means millions, 2 hundredths")
    return Precision(decimals, rounding == "truncation")


def _heading(text: str, literals: list[str]) -> FigureError:
    code = "no_number" if len(literals) == 1 else "unread_text"
    message = f"{THOUSANDS} says that figures are printed in thousands, and is none."
    return FigureError(code, message, text=text, end=len(text), hint="Give it as `unit`, such as $'000.")


def _invalid(name: str, value: object, hint: str) -> FigureError:
    return FigureError("option_invalid", f"The option {name} cannot be {value!r}.", hint=hint)


def _told_scale(scale: str) -> Caption:
    """A scale word, or a caption."""
    try:
        return Caption(scale_exponent(scale))
    except FigureError as unknown:
        try:
            return caption(scale)
        except FigureError:
            raise unknown from None


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


class Reader:
    """What shapes mean to one reader, remembered for as long as there is room."""

    __slots__ = ("coarse", "fine")

    def __init__(self, chosen: Options) -> None:
        self.coarse: Callable[[str], Meaning] = lru_cache(maxsize=KEPT)(partial(_meaning, "coarse", chosen))
        style = "comma" if chosen.decimal_comma else "fine"
        self.fine: Callable[[str], Meaning] = lru_cache(maxsize=KEPT)(partial(_meaning, style, chosen))


@lru_cache(maxsize=64)
def reader_of(chosen: Options) -> Reader:
    """The reader that was told the same."""
    return Reader(chosen)


def _meaning(style: str, chosen: Options, shape: str) -> Meaning:
    result, joins = read_shape(shape, style, chosen)
    if isinstance(result, Refine):
        return Meaning(REFINE, joins)
    places: tuple[Place, ...] = ()
    if isinstance(result, Amount):
        again = result.restated
        places = (place_of(shape, result), place_of(shape, again)) if again else (place_of(shape, result),)
    return Meaning(result, joins, places)


def place_of(shape: str, amount: Amount) -> Place:
    """Where an amount stands in its shape, and how many numbers stand before each of its ends."""
    return amount.start, literals_before(shape, amount.start), amount.end, literals_before(shape, amount.end)


def literals_before(shape: str, offset: int) -> int:
    """How many numbers stand in a shape before an offset."""
    return sum(character == MARK or character in _RUNS for character in shape[:offset])


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


def refusal(result: Result, text: str, shape: str, printed: Sequence[str]) -> FigureError:
    """The error for a text whose shape is no figure."""
    if not isinstance(result, Problem):
        return FigureError("no_number", "The number could not be read.", text=text, end=len(text))
    start, end = (
        offset + sum(map(len, printed[:count])) - count
        for offset in (result.start, result.end)
        for count in (literals_before(shape, offset),)
    )
    part = "".join(map(_quoted, text[start:end], fold(text)[start:end]))
    return FigureError(result.code, told(result.message, part), text=text, start=start, end=end, hint=result.hint)


def _quoted(raw: str, folded: str) -> str:
    """A sign as a message shows it: folded as in its shape, which many texts share, but a `#` as what it was."""
    return raw if folded == NUMERO else folded


def told(message: str, part: str) -> str:
    """A message with the part of the text that it is about."""
    part = part.rstrip()
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
def _reader(currency: str | None, scale: str | None, unit: str | None, decimal_comma: bool) -> Reader:
    return reader_of(options(currency, scale, unit, decimal_comma))
