"""Running text, cut down to the windows in which figures stand.

In: any text. Out: its parts (words, spaces, signs), a symbol for each (numbers as `#`, words that the lexicon does not
know as `@`, names as U+FF06), and which stretches of symbols are windows. Symbols repeat, so that what they mean is
found once and kept; the walk over the text itself is one regular expression and a lookup a word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from zhiji_etl.reading.grammar.folding import EXPONENT, MARK, NUMBER, fold
from zhiji_etl.reading.grammar.tokens import IDEOGRAPH_MARK, JOINED_SCALE, NAME_MARK, WORD_MARK
from zhiji_etl.reading.grammar.words import is_ideograph, is_letter, lexicon

_ADDRESS: Final = r"\S{1,64}\uff20\S+|"
_PARTS, _PARTS_WITH_ADDRESSES = (
    re.compile(
    rf"[pP]ercent(?=-)|https?:\S+|www\.\S+|{address}(?:{NUMBER}){EXPONENT}|[^\W\d_]+(?:['-](?:[^\W\d_\u2e80-\u9fff])+)*|\s+|\S"
    .replace("[^\\W\\d_]+(?:", "[a-zA-Z\u00c0-\u024f\u0370-\u03ff\u0400-\u052f]+(?:"),
    re.ASCII,
    )
    for address in ("", _ADDRESS)
)  # fmt: skip
"""What a part is. Addresses are looked for only where a text has their sign, as each place must look far ahead."""
_LEFT, _RIGHT = 14, 24
"""Parts (words, spaces, signs) of a window before and after a number."""


def parts_of(text: str) -> list[str]:
    """A text cut into words, numbers, spaces and signs, folded."""
    folded = fold(text)
    return (_PARTS_WITH_ADDRESSES if "\uff20" in folded else _PARTS).findall(folded)


def symbols_of(parts: list[str]) -> tuple[str, ...]:
    """What stands for each part in a shape."""
    return tuple([_SYMBOLS[part] for part in parts])


def windows(symbols: Sequence[str]) -> list[tuple[int, int]]:
    """First and last symbol (excluded) of each window, from left to right; they do not overlap."""
    known, compound = _anchors(), _COMPOUND_ANCHORS
    anchors = [at for at, symbol in enumerate(symbols) if symbol in known or symbol in compound]
    return _merged(symbols, anchors) if anchors else []


# ---------------------------------------------------------------------------------------------------------------------


def _merged(symbols: Sequence[str], anchors: list[int]) -> list[tuple[int, int]]:
    """Windows around the numbers, joined where they touch."""
    codes = _codes(symbols)
    merged: list[tuple[int, int]] = []
    for anchor in anchors:
        last = anchor + len(_reach(_TO_THE_RIGHT, codes[anchor + 1 : anchor + 1 + _RIGHT])) + 1
        if merged and anchor < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
            continue
        first = anchor - len(_reach(_TO_THE_LEFT, codes[max(anchor - _LEFT, 0) : anchor][::-1]))
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return merged


_TO_THE_RIGHT: Final = re.compile(r"(?:[^wb]*w){0,4}[^wb]*")
_TO_THE_LEFT: Final = re.compile(r"(?:[^wb]*w){0,3}[^wb]*")
"""A window reaches past four unknown words after a number, and three before it; never past the end of a sentence."""


def _reach(pattern: re.Pattern[str], codes: str) -> str:
    found = pattern.match(codes)
    return found.group() if found else ""


def _codes(symbols: Sequence[str]) -> str:
    """One letter for each symbol: w an unknown word, b the end of a sentence, o any other."""
    codes = "".join([_CODES.get(symbol, "o") for symbol in symbols])
    at = codes.find("p")
    while at >= 0:
        codes = f"{codes[:at]}{'b' if _breaks(symbols, at) else 'o'}{codes[at + 1 :]}"
        at = codes.find("p", at)
    return codes


def _breaks(symbols: Sequence[str], at: int) -> bool:
    """Whether a point ends a sentence: a space follows it, and more than one letter stood before it."""
    spaced = at + 1 < len(symbols) and symbols[at + 1][0].isspace()
    return spaced and len(symbols[at - 1]) > 2 and symbols[at - 1] not in _abbreviations()


_COMPOUND_ANCHORS: Final[set[str]] = set()
"""Words with a hyphen that begin a number, as they are met: `twenty-two`."""


class _Symbols(dict[str, str]):
    """Part of a text -> what stands for it in a shape. Words are remembered, numbers are not."""

    def __missing__(self, part: str) -> str:
        symbol = _symbol(part)
        if symbol != MARK and len(self) < 200_000:
            self[part] = symbol
        return symbol


_SYMBOLS: Final = _Symbols()
_CODES: Final = {WORD_MARK: "w", NAME_MARK: "w", IDEOGRAPH_MARK: "w", ".": "p", **dict.fromkeys(";。；!?！？\n", "b")}


def _symbol(part: str) -> str:
    first = part[0]
    if "0" <= first <= "9" and "\uff20" not in part:
        return MARK
    if first.isspace():
        return " "
    if part.startswith(("http", "www.")) or "\uff20" in part[1:]:
        return NAME_MARK
    if is_ideograph(first):
        return first if first in _vocabulary()[1] else IDEOGRAPH_MARK
    if not is_letter(first):
        return part
    exact, small = _vocabulary()[0], part.lower()
    if part in exact:
        return part
    if small in exact and len(small) == len(part):
        return small
    if _hyphenated(small, exact):
        if any(piece in _anchors() for piece in small.split("-")):
            _COMPOUND_ANCHORS.add(small)
        return small
    return WORD_MARK if part == small else NAME_MARK


def _hyphenated(word: str, known: frozenset[str]) -> bool:
    """`twenty-two`, `year-on-year`: a word of known words."""
    return "-" in word and all(piece in known for piece in word.split("-"))


@cache
def _abbreviations() -> frozenset[str]:
    """Words that are written with a point: `vol`, `approx`."""
    spellings = [entry.spelling for entries in lexicon().entries.values() for entry in entries]
    return frozenset(word[:-1] for word in spellings if word.endswith(".") and word[:-1].isalpha())


@cache
def _vocabulary() -> tuple[frozenset[str], frozenset[str]]:
    """All words of the lexicon, and all Chinese characters in it."""
    spellings = [entry.spelling for entries in lexicon().entries.values() for entry in entries]
    words = {word for spelling in spellings for word in re.findall(r"[^\W\d_]+(?:['-][^\W\d_]+)*", spelling)}
    words |= {piece for word in words for piece in word.split("-")}
    characters = {character for spelling in spellings for character in spelling if is_ideograph(character)}
    joined = {scale + code for scale in "MKBT" for code in lexicon().codes}
    joined |= {code + scale for scale in JOINED_SCALE for code in (*lexicon().codes, "RMB")}
    return frozenset(words | joined), frozenset(characters)


@cache
def _anchors() -> frozenset[str]:
    """Symbols that a figure cannot be without: a number, in digits or words."""
    kinds = {
        "small",
        "digit",
        "few",
        "half",
        "const",
        "ordinal",
        "tens",
        "hundreds",
        "multiple_word",
        "hundred",
        "percent_word",
        "percent_whole",
        "multiple_phrase",
    }
    words = {
        MARK,
        "十",
        "百",
        "千",
        "亿",
        "万",
        "couple",
        "quarter",
        "quarters",
        "no",
        "any",
        "thousand",
        "million",
        "billion",
        "trillion",
    }
    for entries in lexicon().entries.values():
        for entry in entries:
            if kinds & entry.kinds.keys():
                words |= {entry.spelling, entry.spelling[0]} if is_ideograph(entry.spelling[0]) else {entry.spelling}
    return frozenset(words)
