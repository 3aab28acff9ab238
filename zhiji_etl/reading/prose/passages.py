"""Figures in running text, with the exact place of each.

In: a text. Out: its figures in order. What is not a figure is left out: years, dates, times, numbers of notes and
pages, model names, parts of codes. Windows around numbers are read by the grammar of cells, once per shape of window.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import replace
from functools import cache, lru_cache
from itertools import accumulate
from typing import Final, NamedTuple, TypeAlias

from zhiji_etl.arguments import guarded
from zhiji_etl.errors import FigureError
from zhiji_etl.figures import Figure, Rounding
from zhiji_etl.reading.cells import KEPT, TEXT_NEEDED, joined, options, precision
from zhiji_etl.reading.exact import Precision, figure
from zhiji_etl.reading.grammar.drafts import is_word, singular_of
from zhiji_etl.reading.grammar.folding import MARK, RUN_MARKS, ZERO_MARKS, fine
from zhiji_etl.reading.grammar.meanings import Amount, Options, Refine
from zhiji_etl.reading.grammar.ranges import read_range
from zhiji_etl.reading.grammar.shapes import restated_in_text
from zhiji_etl.reading.grammar.tokens import IDEOGRAPH_MARK, NAME_MARK, WORD_MARK, Join, tokens
from zhiji_etl.reading.grammar.words import lexicon
from zhiji_etl.reading.prose.codes import is_nominal
from zhiji_etl.reading.prose.falls import with_falls
from zhiji_etl.reading.prose.glued import lettered
from zhiji_etl.reading.prose.lists import with_own_scale, with_shared_words
from zhiji_etl.reading.prose.names import is_dated_year, is_name, telling
from zhiji_etl.reading.prose.nil import read_nothing
from zhiji_etl.reading.prose.surroundings import excluded
from zhiji_etl.reading.prose.windows import parts_of, symbols_of, windows

LONGEST_TEXT = 10_000_000
"""Characters of the longest text that is searched."""

_UNDECIDED: Final = re.compile(r"#[.,' ]#|(?<!#)\.#|# ?折|#[百千万亿] ?#|(?<!/)# ?/ ?#(?!/)|: ?\(#\)")
_NUMERIC: Final = frozenset({"number", "small", "digit", "place", "ordinal", "half"})
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
        *("nil", "any", "average_per", "reaching", "subunit_before", "cents_of", "open"),
    }
)
"""What the first word of an amount can be."""
_CHINESE_COMMA: Final = re.compile("(?<![０-９])，")
"""Stands between thousands, `1，234.56万元`, and else never inside a number: `销量1234，2020年`."""
_CHINESE_THOUSANDS: Final = re.compile("(?<![0-9.,，])[1-9][0-9]{0,2}(?:，[0-9]{3})+(?![0-9])")
_NUMBERED: Final = re.compile(r"@(\d+)-(\d+)")
_RUNS: Final = frozenset((*RUN_MARKS, *ZERO_MARKS))


@guarded(FigureError, text=TEXT_NEEDED)
def find(
    text: str,
    *,
    currency: str | None = None,
    scale: str | None = None,
    unit: str | None = None,
    rounding: Rounding = "nearest",
    decimal_comma: bool = False,
) -> list[Figure]:
    """All figures of a running text, in order; `start` and `end` are offsets into it.

    The options are those of `parse`. A second amount in brackets is a figure of its own and `restated` of the first.
    Raises `FigureError` with `text_too_long` beyond 10 million characters, and with that of an option that is none.

    Examples:
        >>> [f.unit for f in find("In 2019 sales rose 3 percent to $5 million.")]
        ['percent', 'USD']
    """
    if len(text) > LONGEST_TEXT:
        raise FigureError("text_too_long", f"The text has {len(text):,} characters.", text="", hint="Give it in parts.")
    chosen, told = options(currency, scale, unit, decimal_comma), precision(None, rounding)
    parts = parts_of(_parted(text) if "，" in text else text)
    symbols = symbols_of(parts)
    passages = (_passages if len(symbols) <= _SENTENCE else _passages.__wrapped__)(symbols, chosen)
    if not passages:
        return []
    printed = Printed(text, parts, [0, *accumulate(map(len, parts))], told, chosen)
    return [one for first, passage in passages for one in _figures(passage, first, printed)]


def _parted(text: str) -> str:
    """The text with each Chinese comma as what it is: between thousands a comma, else no sign of a number."""
    grouped = _CHINESE_THOUSANDS.sub(lambda number: number.group().replace("，", ","), text)
    return _CHINESE_COMMA.sub("、", grouped)


# ---- passages -------------------------------------------------------------------------------------------------------


class Printed(NamedTuple):
    """A text in parts, where each begins (and the last ends), and how it is to be read."""

    text: str
    parts: list[str]
    starts: list[int]
    precision: Precision
    chosen: Options


Place: TypeAlias = tuple[int, int]
"""A place in a passage: the symbol that ends there or behind it, and how many characters before its end."""


class Placed(NamedTuple):
    """An amount and where it begins and ends in its passage, then where the one that restates it does."""

    amount: Amount
    places: tuple[tuple[Place, Place], ...]
    dated: bool
    """Whether a word of time stands before it: `in 2019 sales rose`."""
    nominal: bool
    """Whether it stands as part of a name, if its digits can be one: `the Mate 60`, `360公司`."""
    telling: tuple[int, ...]
    """The numbers whose digits can make it a name and no amount: years, codes."""
    lettered: tuple[int, ...]
    """The numbers with unknown letters right behind, which make whole ones a name: `3D`, but `3.4mmt`."""
    named: dict[tuple[str, ...], Amount]
    """The amount with nouns that the lexicon does not know, by the unknown words of the passage."""
    halves: tuple[Placed, ...]
    """The two bounds of a range said apart, or its ends; they are what is printed where they contradict."""


class Passage(NamedTuple):
    """What the symbols of a window say before its digits are looked at."""

    numbers: tuple[int, ...]
    words: tuple[int, ...]
    """Which symbols stand for numbers, and for words that the lexicon does not know."""
    amounts: tuple[Placed, ...]
    joins: tuple[Join, ...] | None
    symbols: tuple[str, ...] | None = None
    """The symbols, where only their fine shape can decide."""


@lru_cache(maxsize=KEPT // 2)
def _passages(symbols: tuple[str, ...], chosen: Options) -> tuple[tuple[int, Passage], ...]:
    """The passages of a sentence in which figures can stand, each with the place of its first symbol; remembered."""
    found = [(first, _passage(symbols[first:last], "coarse", chosen)) for first, last in windows(symbols)]
    return tuple((first, passage) for first, passage in found if passage.amounts or passage.symbols)


@lru_cache(maxsize=KEPT)
def _passage(symbols: tuple[str, ...], style: str, chosen: Options) -> Passage:
    """What the symbols of a window mean, remembered."""
    shape = "".join(symbols)
    numbers = tuple([at for at, symbol in enumerate(symbols) if symbol == MARK])
    words = tuple([at for at, symbol in enumerate(symbols) if symbol in _UNKNOWN])
    counted = style == "coarse" and bool(numbers)
    undecided = counted and (chosen.decimal_comma or _UNDECIDED.search(shape) is not None)
    reading = _UNREAD if undecided else _read(shape, style, chosen)
    if reading.refine:
        return Passage(numbers, words, (), None, symbols)
    ends = (0, *accumulate(map(len, symbols)))
    dated = _after_words_of_time(symbols, numbers) if style == "coarse" else _NOWHERE
    placed = tuple([_placed(amount, ends, dated, reading) for amount in reading.amounts])
    return Passage(numbers, words, placed, reading.joins)


def _after_words_of_time(symbols: tuple[str, ...], numbers: tuple[int, ...]) -> frozenset[int]:
    """Which numbers stand right after a word of time."""
    return frozenset(which for which, at in enumerate(numbers) if at > 1 and _is_of_time(symbols[at - 2]))


_NOWHERE: Final[frozenset[int]] = frozenset()


@cache
def _is_of_time(word: str) -> bool:
    entries = lexicon().entries.get(word, ())
    return any("dating" in entry.kinds and entry.spelling == word for entry in entries)


def _placed(amount: Amount, ends: tuple[int, ...], words_of_time: frozenset[int], reading: Reading) -> Placed:
    again = () if amount.restated is None else (amount.restated,)
    places = tuple((_place(one.start, ends), _place(one.end, ends)) for one in (amount, *again))
    halves = tuple(
        [
            _placed(half, ends, words_of_time, _UNREAD)
            for half in sorted(amount.halves or amount.apart or (), key=_begin)
        ]
    )
    dated = amount.numbers[0].terms[0].literal in words_of_time
    terms = (term.literal for number in amount.numbers for term in number.terms)
    letters = tuple([literal for literal in terms if literal in reading.lettered]) if reading.lettered else ()
    nominal = amount.start in reading.nominal
    return Placed(amount, places, dated, nominal, telling(amount, dated), letters, {}, halves)


def _begin(amount: Amount) -> int:
    return amount.start


def _place(offset: int, ends: tuple[int, ...]) -> Place:
    at = bisect_left(ends, offset)
    return at, ends[at] - offset


class Reading(NamedTuple):
    """The amounts of one shape of window, and for a fine shape which runs of digits make each number."""

    amounts: tuple[Amount, ...]
    joins: tuple[Join, ...] | None
    refine: bool = False
    nominal: frozenset[int] = frozenset()
    """Where amounts begin that stand as part of a name."""
    lettered: frozenset[int] = frozenset()
    """The numbers with unknown letters right behind."""


_SENTENCE: Final = 400
"""Symbols of the longest text that is remembered whole."""
_UNKNOWN: Final = (WORD_MARK, NAME_MARK, IDEOGRAPH_MARK)
_UNREAD: Final = Reading((), None, refine=True)


def _read(shape: str, style: str, chosen: Options) -> Reading:
    """The amounts in a shape of window."""
    found, joins = tokens(shape, style)
    amounts: list[Amount] = []
    nominal: set[int] = set()
    letters: set[int] = set()
    at = 0
    skipped = excluded(found)
    while at < len(found):
        if at in skipped or _BEGINNINGS.isdisjoint(found[at].kinds):
            at += 1
            continue
        nothing = read_nothing(found, at, chosen)
        if nothing is not None:
            amounts.append(nothing[0])
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
        if is_nominal(found, at, end):
            nominal.add(amount.start)
        letters.update(lettered(found, at, end))
        amount, end = restated_in_text(found, end, amount, chosen, style != "coarse")
        amounts.append(amount)
        at = max(end, at + 1)
    amounts = [*with_falls(found, with_shared_words(found, amounts))]
    return Reading(tuple(amounts), joins, False, frozenset(nominal), frozenset(letters))


# ---- figures of a passage -------------------------------------------------------------------------------------------


def _figures(passage: Passage, first: int, printed: Printed) -> list[Figure]:
    """The figures of a passage that begins with this part of a text."""
    if passage.symbols is not None:
        return _refined(passage.symbols, first, printed)
    parts = printed.parts
    raw = [parts[first + at] for at in passage.numbers]
    said = Said(raw, [number.replace(",", "") for number in raw], tuple([parts[first + at] for at in passage.words]))
    return [one for placed in passage.amounts for one in _made(placed, said, first, printed)]


def _refined(symbols: tuple[str, ...], first: int, printed: Printed) -> list[Figure]:
    """The figures of a passage of which each run of digits is a part of its own."""
    new_symbols: list[str] = []
    new_parts: list[str] = []
    for symbol, part in zip(symbols, printed.parts[first:], strict=False):
        pieces = _PIECES.findall(part) if symbol == MARK else [part]
        new_parts += pieces
        new_symbols += [fine(piece)[0] for piece in pieces] if symbol == MARK else [symbol]
    style = "comma" if printed.chosen.decimal_comma else "fine"
    passage = _passage(tuple(new_symbols), style, printed.chosen)
    runs = [part for symbol, part in zip(new_symbols, new_parts, strict=True) if symbol in _RUNS]
    numbers = joined(runs, passage.joins or ())
    said = Said(numbers, numbers, tuple([new_parts[at] for at in passage.words]))
    starts = [*accumulate(map(len, new_parts), initial=printed.starts[first])]
    finer = printed._replace(parts=new_parts, starts=starts)
    return [one for placed in passage.amounts for one in _made(placed, said, 0, finer)]


_PIECES: Final = re.compile(r"[0-9]+|[^0-9]")


class Said(NamedTuple):
    """What is printed in a passage: its numbers, the same as digits with a point, and words that nobody knows."""

    raw: list[str]
    numbers: list[str]
    words: tuple[str, ...]


def _made(placed: Placed, said: Said, first: int, printed: Printed) -> tuple[Figure, ...]:
    """The figure of an amount, and the one that restates it; none where it turns out to be a year or no number."""
    amount = placed.amount
    if any(said.raw[at].isdecimal() for at in placed.lettered):
        return ()  # 3D, 737X
    if placed.halves and is_dated_year(placed.halves[0].amount, said.raw, placed.halves[0].dated):
        return _made(placed.halves[1], said, first, printed)  # from 12% in 2021 to 8% in 2022
    if placed.telling and is_name(
        amount, [said.raw[at] for at in placed.telling], said.words, placed.dated, placed.nominal
    ):
        return ()
    if said.words:
        amount = _named(placed, said.words)
    if any("." in said.raw[at] for at in placed.lettered):
        amount = replace(amount, whole=False)  # 3.4mmt: what has decimals is measured
    if amount.listed is not None:
        amount = with_own_scale(amount, said.numbers)
    starts = printed.starts
    spans = tuple(
        [
            (starts[first + start] - before, starts[first + end] - after)
            for (start, before), (end, after) in placed.places
        ]
    )
    try:
        main = figure(amount, said.numbers, printed.text, spans, printed.precision)
    except FigureError as error:
        if error.code == "unclear_range":
            return ()
        return tuple([one for half in placed.halves for one in _made(half, said, first, printed)])
    return (main,) if main.restated is None else (main, main.restated)


def _named(placed: Placed, words: tuple[str, ...]) -> Amount:
    """The amount with the nouns that stood in the text: unknown ones are numbered in a shape."""
    again = placed.amount.restated
    if WORD_MARK not in placed.amount.unit and (again is None or WORD_MARK not in again.unit):
        return placed.amount
    named = placed.named.get(words)
    if named is None:
        named = _with_nouns(placed.amount, words)
        if len(placed.named) < _NAMES_KEPT:
            placed.named[words] = named
    return named


def _with_nouns(amount: Amount, words: tuple[str, ...]) -> Amount:
    nouns = [words[int(first) : int(last) + 1] for first, last in _NUMBERED.findall(amount.unit)]
    unit = _NUMBERED.sub(lambda m: singular_of(words[int(m[1]) : int(m[2]) + 1]), amount.unit)
    whole = amount.whole and all(map(is_word, nouns))
    again = None if amount.restated is None else _with_nouns(amount.restated, words)
    return replace(amount, unit=unit, whole=whole, restated=again)


_NAMES_KEPT: Final = 100
