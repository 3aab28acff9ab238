"""Numbers in English words up to the next scale: `two hundred and six`, `twelve hundred`, `point seven`, `a third`.

In: tokens and the place to begin. Out: the value or a term, and the place after it, or None where there is none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from zhiji_etl.reading.grammar.meanings import Number, Term
from zhiji_etl.reading.grammar.tokens import Found, Tokens, constant, token_at


def read_english(tokens: Tokens, at: int) -> tuple[Term, int] | None:
    """Number words up to the next scale, with decimals after `point`."""
    value, end = _integer(tokens, at)
    decimals, end_of_decimals = spoken_decimals(tokens, end)
    if decimals:
        return Term(None, f"{value or 0}.{decimals}"), end_of_decimals
    return None if value is None else (Term(None, str(value)), end)


def _integer(tokens: Tokens, at: int) -> tuple[int | None, int]:
    """Words up to the next scale: `two hundred and six`, `twelve hundred`, `one twenty two`, `nineteen eighty`."""
    value: int | None = None
    last = 0
    while True:
        token = token_at(tokens, at)
        small = token.get("small")
        if small is None and value is None and "article" in token.kinds:
            small = 1
        if small is not None and (joined := _appended(value, last, small)) is not None:
            value, last, at = joined, small, at + 1
        elif "hundred" in token.kinds and value and last != 100:
            value, last, at = value * 100, 100, at + 1
        elif value is not None and _links(tokens, at, last):
            at += 1
        else:
            return value, at


def read_parts(tokens: Tokens, at: int) -> Found | None:
    """A number and a denominator in words: `five eighths`, `a third`, `twenty and three fifths` is left to the sum."""
    token = token_at(tokens, at)
    if "small" not in token.kinds and "article" not in token.kinds:
        return None
    top, end = _integer(tokens, at)
    if "hundred" in token_at(tokens, end).kinds and "article" in token.kinds:
        top, end = 100, end + 1
    if top is None:
        return None
    if token_at(tokens, end).text == "-":
        end += 1
    bottom = token_at(tokens, end)
    value = bottom.get("part") or bottom.get("ordinal") or (2 if "half" in bottom.kinds else None)
    plural = bottom.text.lower().endswith("s")
    if (
        value is None
        or not (plural or top == 1 or "part" in bottom.kinds)
        or (top == 1 and value == 2 and "half" not in bottom.kinds)
    ):
        return None
    return with_scale(tokens, replace(constant(top), over=constant(value)), end + 1)


def with_scale(tokens: Tokens, number: Number, at: int) -> Found:
    """A fraction before a scale: `a quarter million`, `half-million`, `half a dozen`, `three quarters of a billion`."""
    end = _past_article(tokens, at)
    glued = hyphen(tokens, end)
    end += glued
    token = token_at(tokens, end)
    if glued and len(token.text) < _SHORTEST:
        return (number,), at
    if "scale" in token.kinds and len(token.text) > 1 and not token.text.isascii() | (len(token.text) > 3):
        return (number,), at
    if "scale" in token.kinds:
        return (number.scaled(token.kinds["scale"]),), end + 1
    if "dozen" in token.kinds and "digit" not in token.kinds:
        return (number.scaled(0, token.kinds["dozen"]),), end + 1
    return (number,), at


_SHORTEST: Final = 4
"""Letters of the shortest scale that a hyphen joins to its number: `half-mile`, `½-m` are none."""


def _past_article(tokens: Tokens, at: int) -> int:
    """The place after `of a`, with or without hyphens: `three-quarters-of-a-million`."""
    of = at + hyphen(tokens, at)
    article = of + 1 + hyphen(tokens, of + 1)
    linked = "of" in token_at(tokens, of).kinds and "article" in token_at(tokens, article).kinds
    return article + 1 if linked else at


def hyphen(tokens: Tokens, at: int) -> int:
    """1 where a hyphen joins the words on both of its sides, `half-million`; else 0."""
    token = token_at(tokens, at)
    return int(
        token.text == "-"
        and token.start == token_at(tokens, at - 1).end
        and token.end == token_at(tokens, at + 1).start
    )


def spoken_decimals(tokens: Tokens, at: int) -> tuple[str, int]:
    """`point seven five`: the digits after the point."""
    if "point" not in token_at(tokens, at).kinds:
        return "", at
    digits = ""
    at += 1
    while True:
        token = token_at(tokens, at)
        digit = token.get("small") if token.get("small") is not None else token.get("letter_zero")
        digit = token.get("digit") if digit is None and token.text != "两" else digit
        if digit is None or (digit > 9 and (digits or "small" not in token.kinds)):
            return digits, at
        digits += str(digit)
        at += 1


def counts(tokens: Tokens, at: int) -> bool:
    """Whether `a` before this word is one: `a hundred`, `a million`, `a dozen`."""
    token = token_at(tokens, at)
    return "hundred" in token.kinds or "dozen" in token.kinds or ("scale" in token.kinds and len(token.text) > 2)


def _appended(value: int | None, last: int, small: int) -> int | None:
    """The value after one more small number, or None where it does not belong to it."""
    if value is None:
        return small
    if last == 100:
        return value + small
    if last >= 20 and last % 10 == 0 and 0 < small < 10:
        return value + small
    if small >= 10 and 0 < value < 100:
        return value * 100 + small
    return None


def _links(tokens: Tokens, at: int, last: int) -> bool:
    """A hyphen between two number words, or `and` after a hundred."""
    token = token_at(tokens, at)
    after = token_at(tokens, at + 1)
    if token.text == "-":
        glued = after.start - token.end == token.start - tokens[at - 1].end
        if "small" in after.kinds:
            return glued and ((last >= 20 and after.kinds["small"] < 10) or last == 100)
        if "and" in after.kinds:
            return glued and last == 100 and token_at(tokens, at + 2).text == "-"
        return glued and "hundred" in after.kinds
    if "and" not in token.kinds:
        return False
    if token_at(tokens, at - 1).text == "-" or after.text == "-":
        hyphened = token_at(tokens, at - 1).text == after.text
        return hyphened and last == 100 and "small" in token_at(tokens, at + 2).kinds
    return last == 100 and "small" in after.kinds and read_parts(tokens, at + 1) is None
