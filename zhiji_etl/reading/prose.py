"""Figures in running text, with the exact place of each.

In: a text. Out: its figures in order. What is not a figure is left out: years, dates, times, numbers of notes and
pages, model names, parts of codes. Windows around numbers are read by the grammar of cells, once per shape of window.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate
from typing import Final, NamedTuple

from zhiji_etl.errors import FigureError
from zhiji_etl.figures import Figure, Qualifier
from zhiji_etl.reading.cells import KEPT, Rounding, joined, marked, options, plain
from zhiji_etl.reading.drafts import singular_of
from zhiji_etl.reading.exact import Precision, figure
from zhiji_etl.reading.folding import MARK, RUN_MARKS, ZERO_MARKS, fine
from zhiji_etl.reading.grammar import read_range, restated_in_text
from zhiji_etl.reading.meanings import Amount, Options, Refine
from zhiji_etl.reading.nil import read_nothing
from zhiji_etl.reading.surroundings import excluded
from zhiji_etl.reading.tokens import Join, tokens
from zhiji_etl.reading.windows import IDEOGRAPH_MARK, NAME_MARK, WORD_MARK, Window, windows

LONGEST_TEXT = 10_000_000
"""Characters of the longest text that is searched."""

_UNDECIDED: Final = re.compile(r"#[.,' ]#|(?<!#)\.#")
_NUMERIC: Final = frozenset({"number", "small", "digit", "place", "ordinal"})
_BEGINNINGS: Final = frozenset(
    {
        *(
            "number",
            "small",
            "digit",
            "place",
            "few",
            "half",
            "const",
            "point",
            "ordinal",
            "tens",
            "hundreds",
            "hundred",
        ),
        *("article", "percent_before", "percent_whole", "percent_word", "multiple_word", "multiple_phrase", "percent"),
        *("currency", "weak_code", "sign", "before", "change", "between", "every", "rank", "ordinal_prefix", "scale"),
        *("nil", "any", "average_per"),
    }
)
"""What the first word of an amount can be."""
_YEAR: Final = re.compile(r"(?:19|20)[0-9][0-9]")
_CHINESE_COMMA: Final = re.compile("(?<![０-９])，")
"""Never stands inside a number: `销量1234，2020年`."""
_NUMBERED: Final = re.compile(r"@(\d+)-(\d+)")
_RUNS: Final = frozenset((*RUN_MARKS, *ZERO_MARKS))


def find(
    text: str,
    *,
    currency: str | None = None,
    scale: str | None = None,
    unit: str | None = None,
    rounding: Rounding = "nearest",
) -> list[Figure]:
    """All figures of a running text, in order; `start` and `end` are offsets into it.

    The options are those of `parse`. A second amount in brackets is a figure of its own and `restated` of the first.
    Raises `FigureError` with `text_too_long` beyond 10 million characters, and `unknown_scale`.

    >>> [f.unit for f in find("In 2019 sales rose 3 percent to $5 million.")]
    ['percent', 'USD']
    """
    if len(text) > LONGEST_TEXT:
        raise FigureError("text_too_long", f"The text has {len(text):,} characters.", text="", hint="Give it in parts.")
    chosen = options(currency, scale, unit, False)
    precision = Precision(None, rounding == "truncation")
    found: list[Figure] = []
    for window in windows(_CHINESE_COMMA.sub("、", text)):
        found.extend(_figures(window, text, chosen, precision))
    return found


# ---- one window -----------------------------------------------------------------------------------------------------


class Reading(NamedTuple):
    """The amounts of one shape of window, and for a fine shape which runs of digits make each number."""

    amounts: tuple[Amount, ...]
    joins: tuple[Join, ...] | None
    refine: bool = False


class Outline(NamedTuple):
    """What the symbols of a window say before its digits are looked at."""

    shape: str
    ends: tuple[int, ...]
    """Where each symbol ends in the shape, after a 0."""
    numbers: tuple[int, ...]
    words: tuple[int, ...]
    """Which symbols stand for numbers, and for words that the lexicon does not know."""
    undecided: bool


def _figures(window: Window, text: str, chosen: Options, precision: Precision) -> list[Figure]:
    symbols: Sequence[str] = window.symbols
    parts: Sequence[str] = window.parts
    starts: Sequence[int] = window.starts
    outline = _outline(tuple(symbols))
    reading = _UNREAD if outline.undecided else _read(outline.shape, "coarse", chosen)
    if reading.refine:
        symbols, parts, starts, runs = _refined(symbols, parts, starts)
        outline = _outline(tuple(symbols))
        reading = _read(outline.shape, "fine", chosen)
        numbers = joined(runs, reading.joins or ())
    else:
        numbers = plain([parts[at] for at in outline.numbers], False)
    if not reading.amounts:
        return []
    places = _Places(outline.ends, starts)
    words = [parts[at] for at in outline.words]
    figures: list[Figure] = []
    for amount in reading.amounts:
        figures += _made(amount, numbers, words, text, places, precision)
    return figures


@lru_cache(maxsize=KEPT)
def _outline(symbols: tuple[str, ...]) -> Outline:
    """The outline of a window, remembered."""
    shape = "".join(symbols)
    numbers = tuple(at for at, symbol in enumerate(symbols) if symbol == MARK)
    words = tuple(at for at, symbol in enumerate(symbols) if symbol in _UNKNOWN)
    undecided = bool(numbers) and _UNDECIDED.search(shape) is not None
    return Outline(shape, (0, *accumulate(map(len, symbols))), numbers, words, undecided)


_UNKNOWN: Final = (WORD_MARK, NAME_MARK, IDEOGRAPH_MARK)
_UNREAD: Final = Reading((), None, refine=True)


def _refined(
    symbols: Sequence[str], parts: Sequence[str], starts: Sequence[int]
) -> tuple[list[str], list[str], list[int], list[str]]:
    """The window with each run of digits as a part of its own."""
    new_symbols, new_parts, runs = [], [], []
    for symbol, part in zip(symbols, parts, strict=True):
        if symbol != MARK:
            new_symbols.append(symbol)
            new_parts.append(part)
            continue
        for piece in re.findall(r"[0-9]+|[^0-9]", part):
            mark = fine(piece)[0]
            new_symbols.append(mark)
            new_parts.append(piece)
            if mark in _RUNS:
                runs.append(piece)
    new_starts = [starts[0]]
    for part in new_parts:
        new_starts.append(new_starts[-1] + len(part))
    return new_symbols, new_parts, new_starts, runs


@lru_cache(maxsize=KEPT)
def _read(shape: str, style: str, chosen: Options) -> Reading:
    """The amounts in a shape of window, remembered."""
    found, joins = tokens(shape, style)
    amounts: list[Amount] = []
    at = 0
    skipped = excluded(found)
    while at < len(found):
        if at in skipped or _BEGINNINGS.isdisjoint(found[at].kinds):
            at += 1
            continue
        nothing = read_nothing(found, at, chosen)
        if nothing is not None:
            amounts.append(marked(nothing[0]))
            at = nothing[1]
            continue
        read = read_range(found, at, chosen, style != "coarse", prose=True)
        if read is not None and isinstance(read[0], Refine):
            return Reading((), None, refine=True)
        if read is None or not isinstance(read[0], Amount):
            at += 1
            continue
        amount, end = read[0], read[1]
        if any(place in skipped for place in range(at, end) if _NUMERIC & found[place].kinds.keys()):
            at += 1
            continue
        amount, end = restated_in_text(found, end, amount, chosen, style != "coarse")
        amounts.append(marked(amount))
        at = max(end, at + 1)
    return Reading(tuple(amounts), joins)


# ---- figures of a window --------------------------------------------------------------------------------------------


class _Places:
    """Offsets in a shape -> offsets in the text."""

    def __init__(self, ends: Sequence[int], starts: Sequence[int]) -> None:
        self.starts = starts
        self.ends = ends

    def __call__(self, offset: int) -> int:
        at = bisect_left(self.ends, offset)
        return self.starts[at] - (self.ends[at] - offset)


def _made(
    amount: Amount, numbers: Sequence[str], words: Sequence[str], text: str, places: _Places, precision: Precision
) -> list[Figure]:
    """The figure of an amount, and the one that restates it; none where it turns out to be a year or no number."""
    if _is_year(amount, numbers, words):
        return []
    amount = _named(amount, words)
    again = None if amount.restated is None else _named(amount.restated, words)
    spans = [(places(amount.start), places(amount.end))]
    if again is not None:
        spans.append((places(again.start), places(again.end)))
    try:
        whole = amount if again is amount.restated else replace(amount, restated=again)
        main = figure(whole, numbers, text, tuple(spans), precision)
    except FigureError:
        halves = amount.halves or ()
        return [one for half in halves for one in _made(half, numbers, words, text, places, precision)]
    return [main] if main.restated is None else [main, main.restated]


def _named(amount: Amount, words: Sequence[str]) -> Amount:
    """The amount with the nouns that stood in the text: unknown ones are numbered in a shape."""
    if WORD_MARK not in amount.unit:
        return amount
    unit = _NUMBERED.sub(lambda m: singular_of(words[int(m[1]) : int(m[2]) + 1]), amount.unit)
    return replace(amount, unit=unit)


def _names(phrase: Sequence[str]) -> bool:
    """Whether a year can stand before this phrase: a name (`the 2019 Plan`), or something in the singular."""
    return phrase[0][0].isupper() or not any(word.endswith("s") for word in phrase)


def _is_year(amount: Amount, numbers: Sequence[str], words: Sequence[str]) -> bool:
    """A number that can only be a year: bare, before `年`, or before a name (`the 2019 Plan`)."""
    name = _NUMBERED.fullmatch(amount.unit)
    if amount.unit not in ("count", "year") and not (name and _names(words[int(name[1]) : int(name[2]) + 1])):
        return False
    if amount.qualifier not in (Qualifier.EXACT, Qualifier.RANGE):
        return False
    terms = [number.terms[0] for number in amount.numbers if len(number.terms) == 1]
    return bool(terms) and all(
        term.literal is not None and not term.exponent and _YEAR.fullmatch(numbers[term.literal]) for term in terms
    )
