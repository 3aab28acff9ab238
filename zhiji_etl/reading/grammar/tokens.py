"""A shape, cut into words that the lexicon knows.

In: a shape (folded text with marks for its numbers). Out: tokens with their kinds and their offsets into the shape.
Spaces between Chinese characters and doubled spaces are skipped over, as print often has them for looks.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from zhiji_etl.reading.grammar.folding import MARK, RUN_MARKS, ZERO_MARKS
from zhiji_etl.reading.grammar.meanings import Number, Term
from zhiji_etl.reading.grammar.words import Entry, Kinds, Lexicon, first_word, is_ideograph, is_letter, lexicon

WORD_MARK: Final = "@"
NAME_MARK: Final = "\uff06"
IDEOGRAPH_MARK: Final = "\u3013"
"""Stand for a word in small letters, a word with a capital and a Chinese character that the lexicon does not know."""

_LOOSE: Final = re.compile(
    r"\s{2,}|(?<=[\u2e80-\u9fff])\s(?=[\u2e80-\u9fff#\ue001-\ue008])|(?<=[#\ue001-\ue008])\s(?=[\u2e80-\u9fff])"
)
# TEUR and T€ are thousands, as reports in German have them.
_JOINED_CODE: Final = {"K": 3, "k": 3, "M": 6, "m": 6, "B": 9, "T": 3}
JOINED_SCALE: Final = {"k": 3, "m": 6, "M": 6, "mn": 6, "mm": 6, "b": 9, "bn": 9, "tn": 12}
"""Scales that can follow a code at once: `USDm`, `RMBbn`."""
_CHINESE_NUMERALS: Final = frozenset("零一二三四五六七八九十百千万亿")
_DIGITS: Final = frozenset((*RUN_MARKS, *ZERO_MARKS))
_ANY: Final = f"[{RUN_MARKS[0]}-{ZERO_MARKS[3]}]"
_HEAD: Final = f"[{RUN_MARKS[0]}-{RUN_MARKS[2]}]"
_TWO: Final = f"[{RUN_MARKS[1]}{ZERO_MARKS[1]}]"
_THREE: Final = f"[{RUN_MARKS[2]}{ZERO_MARKS[2]}]"
_NOT_THREE: Final = f"[{RUN_MARKS[0]}{RUN_MARKS[1]}{RUN_MARKS[3]}{ZERO_MARKS[0]}{ZERO_MARKS[1]}{ZERO_MARKS[3]}]"
_NOT_GROUP: Final = f"[{RUN_MARKS[3]}{ZERO_MARKS[0]}-{ZERO_MARKS[3]}]"
_NUMBERS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # 7 2折   1.234,-   1,234,567.8   12,34,567.8   1.234.567,8   1.234,5   1 234,5   1'234.5   1234,567   12,5
        # 119. 95   12.5   .5
        rf"(?:{RUN_MARKS[0]} {RUN_MARKS[0]})(?P<fraction>(?!))?(?= ?折)",
        rf"(?:{_HEAD}(?:\.{_THREE})+)(?P<fraction>(?!))?(?=,[-–—])",
        rf"(?:{_HEAD}(?:,{_THREE})+)(?P<fraction>\.{_ANY})?(?!,{_ANY})",
        rf"(?:[{RUN_MARKS[0]}{RUN_MARKS[1]}](?:,{_TWO})+,{_THREE})(?P<fraction>\.{_ANY})?(?!,{_ANY})",
        rf"(?:{_HEAD}(?:\.{_THREE}){{2,}})(?P<fraction>,{_ANY})?(?!\.{_ANY})",
        rf"(?:{_HEAD}(?:\.{_THREE})+)(?P<fraction>, ?{_ANY})(?![.,]{_ANY})",
        rf"(?:{_HEAD}(?: {_THREE})+)(?P<fraction>[.,]{_ANY})?(?![.,/]?{_ANY})",
        rf"(?:{_HEAD}(?:'{_THREE})+)(?P<fraction>[.,]{_ANY})?",
        rf"(?:{_NOT_GROUP})(?P<fraction>,{_ANY})(?![.,]{_ANY})",
        rf"(?:{_HEAD})(?P<fraction>,{_NOT_THREE})(?![.,]{_ANY})",
        rf"(?:{_ANY})(?P<fraction>[.,] {_TWO})(?![.,]?{_ANY})",
        rf"(?:{_ANY})(?P<fraction>\.{_ANY})?",
        rf"(?P<fraction>\.+{_ANY})",
    )
)
_THOUSANDS: Final = re.compile(rf"'{ZERO_MARKS[2]}")
"""`'000` of a caption: `RMB'000`."""
_DOT_GROUPS: Final = re.compile(rf"(?:{_HEAD}(?:\.{_THREE})+)(?P<fraction>,{_ANY})?(?![.,]{_ANY})")
_COMMA_DECIMALS: Final = re.compile(rf"(?:{_HEAD}(?:\.{_THREE})+|{_ANY})(?P<fraction>,{_ANY})?")


class Token:
    """One word of a shape: what it can be, and where it stands."""

    __slots__ = ("end", "kinds", "start", "text")

    def __init__(self, kinds: Kinds, text: str, start: int, end: int) -> None:
        self.kinds = kinds
        self.text = text
        self.start = start
        self.end = end

    def get(self, kind: str) -> Any:
        """The value of this word as that kind, or None."""
        return self.kinds.get(kind)

    def __repr__(self) -> str:
        return f"{self.text!r}{sorted(self.kinds)}"


Tokens: TypeAlias = Sequence[Token]
Found: TypeAlias = tuple[tuple[Number, ...], int]
"""A number, or two that are a range by themselves, and the place after it."""

NOTHING: Final = Token({}, "", 0, 0)


def token_at(tokens: Tokens, at: int) -> Token:
    """The token at a place, or one of no kind outside."""
    try:
        return tokens[at] if at >= 0 else NOTHING
    except IndexError:
        return NOTHING


def within(tokens: Tokens, start: int, end: int) -> range:
    """The places of the tokens between two offsets; found by halving, since a text may be one long row of amounts."""
    return range(bisect_left(tokens, start, key=_start), bisect_right(tokens, end, key=_end))


def _start(token: Token) -> int:
    return token.start


def _end(token: Token) -> int:
    return token.end


def is_ideographic(character: str) -> bool:
    """A Chinese character, or the mark that stands for an unknown one."""
    return character == IDEOGRAPH_MARK or is_ideograph(character)


def is_unknown_character(token: Token) -> bool:
    """Whether this is an unknown Chinese word, which in running text may be anything."""
    return "word" in token.kinds and not token.text.isascii() and is_ideographic(token.text[0])


def constant(value: int | str, exponent: int = 0) -> Number:
    """A number known from words alone."""
    return Number((Term(None, str(value), exponent),))


Join = tuple[int, int, bool]


def tokens(shape: str, style: str = "coarse") -> tuple[list[Token], tuple[Join, ...] | None]:
    """The tokens of a shape, and for a fine one (`style` is not `coarse`) which runs of digits make each number.

    `style` is `coarse`, `fine`, `dots` (a dot groups thousands) or `comma` (a comma stands before the decimals).
    """
    squeezed, places = _squeezed(shape)
    scanner = _Scanner(squeezed, style)
    scanner.run()
    if places is not None:
        for token in scanner.tokens:
            token.end = places[token.end - 1] + 1
            token.start = places[token.start]
    return scanner.tokens, (None if style == "coarse" else tuple(scanner.joins))


# --------------------------------------------------------------------------------------------------


def _squeezed(shape: str) -> tuple[str, list[int] | None]:
    """The shape without idle spaces, and where each character stood (None: where it stands)."""
    if _LOOSE.search(shape) is None:
        return shape, None
    places: list[int] = []
    end = 0
    for gap in _LOOSE.finditer(shape):
        start = gap.start() + 1 if gap.end() - gap.start() > 1 and not _between_ideographs(shape, gap) else gap.start()
        places.extend(range(end, start))
        end = gap.end()
    places.extend(range(end, len(shape)))
    return "".join(shape[place] for place in places), places


def _between_ideographs(shape: str, gap: re.Match[str]) -> bool:
    """Whether a wide gap stands next to a Chinese character, so that it says nothing."""
    before = shape[gap.start() - 1 : gap.start()]
    after = shape[gap.end() : gap.end() + 1]
    return bool(before and after) and (is_ideograph(before) or is_ideograph(after))


class _Scanner:
    """Walks over a shape once, from left to right."""

    def __init__(self, shape: str, style: str) -> None:
        self.shape = shape
        self.style = style
        self.lexicon: Lexicon = lexicon()
        self.tokens: list[Token] = []
        self.joins: list[Join] = []
        self.literals = 0
        self.unknown = 0

    def run(self) -> None:
        """Cuts the whole shape into tokens."""
        at = 0
        while at < len(self.shape):
            character = self.shape[at]
            if character == " ":
                at += 1
            elif character in (WORD_MARK, NAME_MARK, IDEOGRAPH_MARK):
                self._add({"word": self.unknown}, at, at + 1)
                self.unknown += 1
                at += 1
            elif character == MARK:
                self._add({"number": self.literals}, at, at + 1)
                self.literals += 1
                at += 1
            elif self.style != "coarse" and _THOUSANDS.match(self.shape, at):
                self._add({"scale": 3}, at, at + 2)
                self.literals += 1
                at += 2
            elif self.style != "coarse" and (character in _DIGITS or self._leading_point(at)):
                at = self._joined(at)
            else:
                at = self._word(at)

    def _leading_point(self, at: int) -> bool:
        if self.shape[at] != "." or (at and self.shape[at - 1] in _DIGITS):
            return False
        return _NUMBERS[-1].match(self.shape, at) is not None

    def _joined(self, at: int) -> int:
        """Reads one number of a fine shape: as many runs of digits as print groups into one."""
        styled = {"dots": (_DOT_GROUPS,), "comma": (_COMMA_DECIMALS,)}.get(self.style, ())
        found = next(match for pattern in (*styled, *_NUMBERS) if (match := pattern.match(self.shape, at)))
        runs = sum(mark in _DIGITS for mark in self.shape[at : found.end()])
        self._add({"number": len(self.joins)}, at, found.end())
        self.joins.append((self.literals, self.literals + runs, found.group("fraction") is not None))
        self.literals += runs
        return int(found.end())

    def _word(self, at: int) -> int:
        key = first_word(self.shape, at)
        kinds: Kinds = {}
        end = at
        for entry in self.lexicon.entries.get(key, ()):
            if end > at and len(entry.spelling) < end - at:
                break
            if self._stands(entry, at):
                end = at + len(entry.spelling)
                kinds = {**entry.kinds, **kinds}
        if "weak_code" in kinds and not self._is_code(at, end, kinds["weak_code"][0]):
            del kinds["weak_code"]
        if kinds:
            self._add(kinds, at, end)
            return end
        return self._unknown(at, at + len(key))

    def _is_code(self, at: int, end: int, iso: str) -> bool:
        """Whether a word that a code may be is one. Right behind a number, where units stand, capitals tell it from
        `12mnt`, but for codes that people write in small letters: `50eur`. GWp is none anywhere.
        """
        word = self.shape[at:end]
        glued = bool(self.tokens) and self.tokens[-1].end == at and "number" in self.tokens[-1].kinds
        small = (word.islower() or word.istitle()) and (not glued or iso in self.lexicon.small)
        return word.isupper() or small

    def _stands(self, entry: Entry, at: int) -> bool:
        end = at + len(entry.spelling)
        piece = self.shape[at:end]
        if len(piece) != len(entry.spelling):
            return False
        if piece != entry.spelling and (entry.cased or piece.lower() != entry.spelling):
            return False
        if "whole_sum" in entry.kinds and (self.shape[end : end + 1] == MARK or self.shape[end : end + 1] in _DIGITS):
            return False  # +1.2pct/-0.3pct
        if "no_number" in entry.kinds and at and self.shape[at - 1] in _CHINESE_NUMERALS:
            return False  # 三十一起
        return end == len(self.shape) or not (is_letter(self.shape[end]) and is_letter(self.shape[end - 1]))

    def _unknown(self, at: int, end: int) -> int:
        word = self.shape[at:end]
        if word[:1] in _JOINED_CODE and word[1:] in self.lexicon.codes:
            self._add({"scale": _JOINED_CODE[word[0]]}, at, at + 1)
            self._add({"currency": (word[1:],)}, at + 1, end)
            return end
        code = "CNY" if word[:3].upper() == "RMB" else word[:3]
        if word[3:] in JOINED_SCALE and code in self.lexicon.codes:
            self._add({"currency": (code,)}, at, at + 3)
            self._add({"scale": JOINED_SCALE[word[3:]]}, at + 3, end)
            return end
        if not is_letter(word[0]):
            self._add({"sign_of_print": word} if not is_ideograph(word[0]) else {"word": word}, at, end)
            return end
        while end + 1 < len(self.shape) and self.shape[end] in "-'" and is_letter(self.shape[end + 1]):
            end += 2
            while end < len(self.shape) and is_letter(self.shape[end]):
                end += 1
        self._add({"word": self.shape[at:end]}, at, end)
        return end

    def _add(self, kinds: Kinds, start: int, end: int) -> None:
        last = self.tokens[-1] if self.tokens else NOTHING
        if "currency" in kinds and "scale_before" in last.kinds and last.end == start:
            last.kinds = {"scale": last.kinds["scale_before"]}
        self.tokens.append(Token(kinds, self.shape[start:end], start, end))
