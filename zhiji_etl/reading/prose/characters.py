"""Numerals of one Chinese character that count nothing: those of words, adverbs, names and years in characters.

In: the tokens of a window and the place of a digit or place. Out: whether it is to be left out.
"""

from __future__ import annotations

from typing import Final

from zhiji_etl.reading.grammar.chinese import is_doubling
from zhiji_etl.reading.grammar.tokens import Tokens, is_ideographic, token_at
from zhiji_etl.reading.prose.codes import list_mark, noted
from zhiji_etl.reading.prose.neighbours import has_unit, touch


def one_character(tokens: Tokens, at: int) -> tuple[int, ...]:
    """A numeral of one character inside a Chinese word: `四川`, `陆地`, `一些`."""
    token, before, after = tokens[at], token_at(tokens, at - 1), token_at(tokens, at + 1)
    if _digits_of_name(tokens, at) or _adverb(tokens, at) or _spelled_year(tokens, at):
        return (at,)
    numeral = {"digit", "place", "scale", "point", "parts", "percent_before", "few", "more", "ordinal_prefix", "half"}
    if (
        is_doubling(tokens, at + 1)
        or numeral & after.kinds.keys()
        or (numeral & before.kinds.keys() and before.end == token.start)
    ):
        return ()
    if token.text in "伍陆拾幺壹":
        return () if has_unit(tokens, at) else (at,)
    if "half" in before.kinds or noted(tokens, at) or list_mark(tokens, at):
        return (at,)
    unknown = after.start == token.end and "word" in after.kinds and is_ideographic(after.text[0])
    named = before.end == token.start and "word" in before.kinds and is_ideographic(before.text[0])
    alone = not has_unit(tokens, at) and "after" not in after.kinds
    return (at,) if unknown or (named and alone) else ()


def _spelled_year(tokens: Tokens, at: int) -> bool:
    """Whether this is one of four digits in characters before 年: `二零一八年`."""
    first, last = _digits_around(tokens, at)
    return "digit" in tokens[at].kinds and last - first == 3 and token_at(tokens, last + 1).text in ("年", "年度")


def _adverb(tokens: Tokens, at: int) -> bool:
    """`十分重要`, `万一发生` and `一度超过` count nothing; `三十分`, `一万一` do."""
    token, before, after = tokens[at], token_at(tokens, at - 1), token_at(tokens, at + 1)
    numeral = {"digit", "place", "scale", "number", "few"}
    if token.text == "十":
        return after.text == "分" and numeral.isdisjoint(before.kinds)
    if token.text == "一" and after.text == "度":
        return numeral.isdisjoint(before.kinds)
    return token.text == "一" and before.text == "万" and numeral.isdisjoint(token_at(tokens, at - 2).kinds)


def _digits_around(tokens: Tokens, at: int) -> tuple[int, int]:
    """The first and the last of the digits in characters that stand in a row around this one, as far as one looks."""
    first = last = at
    nearest, farthest = max(at - _FARTHEST, 0), at + _FARTHEST
    while first > nearest and "digit" in tokens[first - 1].kinds and touch(tokens, first - 1, first):
        first -= 1
    while last < farthest and "digit" in token_at(tokens, last + 1).kinds and touch(tokens, last, last + 1):
        last += 1
    return first, last


_FARTHEST: Final = 12
"""No name has more digits, and a text may be one long row of them."""


def _digits_of_name(tokens: Tokens, at: int) -> bool:
    """Whether this is one of two or more digits in a row with an unknown character right after them: `三一重工`."""
    first, last = _digits_around(tokens, at)
    after, before = token_at(tokens, last + 1), token_at(tokens, first - 1)
    placed = {"place", "scale", "point", "parts", "percent_before", "ordinal_prefix", "number"}
    unknown = after.start == tokens[last].end and "word" in after.kinds and is_ideographic(after.text[0])
    return first < last and unknown and placed.isdisjoint(before.kinds)
