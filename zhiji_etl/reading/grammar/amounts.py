"""One amount: what stands before a number, the number, and what stands after it.

In: tokens and the place to begin. Out: a `Draft` (sign, qualifier, currency, unit, numbers) and the place after it.
Ranges are put together in `ranges`, brackets and whole cells in `grammar`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from zhiji_etl.figures import Qualifier
from zhiji_etl.reading.grammar.drafts import Draft
from zhiji_etl.reading.grammar.meanings import Number
from zhiji_etl.reading.grammar.numerals import read_number
from zhiji_etl.reading.grammar.prefixes import read_before
from zhiji_etl.reading.grammar.suffixes import read_after
from zhiji_etl.reading.grammar.tokens import Token, Tokens, constant, token_at


def read_amount(tokens: Tokens, at: int, fine: bool, prose: bool = False) -> tuple[Draft, int] | None:
    """The amount that begins at a place (in a cell, fillers before it are skipped), or None."""
    draft = Draft(prose=prose)
    at = read_before(tokens, at, draft)
    draft.led, draft.leading = bool(draft.currency), draft.qualifier
    read = _number(tokens, at, draft)
    if read is None or (prose and _is_period(tokens, read)):
        return None
    place = at
    bare = not {"digit", "number"} & token_at(tokens, at).kinds.keys() and _is_place(tokens, at)
    if draft.many is not None:
        draft.numbers = tuple(replace(number, over=draft.many, rate=True) for number in draft.numbers)
    at = read_after(tokens, read, draft, fine)
    if bare and draft.qualifier is Qualifier.EXACT and ((prose and not draft.has_unit) or _is_heading(tokens, place)):
        return None
    if not prose and draft.currency and _is_plain(draft) and _is_scale(tokens[place:read]):
        return None  # RMB million, 百万元: how the figures of a table are printed
    return draft, at


def _number(tokens: Tokens, at: int, draft: Draft) -> int | None:
    """Reads the number itself into the draft and tells the place after it."""
    token = token_at(tokens, at)
    whole = _said_whole(token, draft)
    if whole is not None:
        draft.numbers = (whole,)
        draft.seen(token)
        return at + 1
    ordinal = _ordinal(tokens, at)
    if ordinal is not None:
        draft.unit = draft.unit or "rank"
        draft.numbers = (constant(ordinal[0]),)
        at = ordinal[1]
    else:
        if draft.prose and {"scale", "hundred"} & token.kinds.keys() and draft.qualifier is Qualifier.EXACT:
            return None
        found = read_number(tokens, at) or _one_article(tokens, at, draft) or _one_scale(tokens, at, draft)
        if found is None:
            return None
        draft.numbers, end = found
        draft.no_share = "const" in token.kinds and token.text.isnumeric()
        draft.seen(token)
        at = end
    draft.seen(token)
    at = _said_again(tokens, at, draft)
    draft.end = tokens[at - 1].end
    return at


def _said_again(tokens: Tokens, at: int, draft: Draft) -> int:
    """The place after a bracket that says the number itself again, before its unit: `thirty (30) days`."""
    if "open" not in token_at(tokens, at).kinds or draft.bracket or len(draft.numbers) > 1:
        return at
    again = read_number(tokens, at + 1)
    if again is None or "close" not in token_at(tokens, again[1]).kinds or len(again[0]) > 1:
        return at
    worded = [all(term.literal is None for term in number.terms) for number in (draft.numbers[0], again[0][0])]
    unit = {"noun", "percent", "currency", "word", "scale"} & token_at(tokens, again[1] + 1).kinds.keys()
    return again[1] + 1 if worded[0] != worded[1] and unit else at


def _said_whole(token: Token, draft: Draft) -> Number | None:
    """Words that are number and unit in one: `对折`, `百分百`, `doubled`, `翻一番`."""
    for kind, unit in (
        ("percent_whole", "percent"),
        ("percent_word", "percent"),
        ("multiple_phrase", "multiple"),
        ("multiple_word", "multiple"),
    ):
        if kind in token.kinds:
            draft.unit = unit
            return constant(token.kinds[kind])
    return None


def _one_article(tokens: Tokens, at: int, draft: Draft) -> tuple[tuple[Number, ...], int] | None:
    """`a dollar` is one dollar; in running text `a contract` is none that was counted, but `over a year` is."""
    after = token_at(tokens, at + 1)
    if {"number", "past"} & token_at(tokens, at + 2).kinds.keys():
        return None
    glued = after.start == token_at(tokens, at).end
    counted = not draft.prose or draft.qualifier is not Qualifier.EXACT
    units = {"currency", "subunit", "noun"} if counted else {"currency", "subunit"}
    if "article" in token_at(tokens, at).kinds and not glued and units & after.kinds.keys():
        return (constant(1),), at + 1
    return None


def _one_scale(tokens: Tokens, at: int, draft: Draft) -> tuple[tuple[Number, ...], int] | None:
    """`近亿元`, `上万人`, `万余元`: with a qualifier, a scale by itself is one of it."""
    token = token_at(tokens, at)
    exponent = token.get("scale") or token.get("place")
    if exponent is None or token.text.isascii():
        return None
    if (more := token_at(tokens, at + 1)).text in ("余", "多") and more.start == token.end:
        return (replace(constant(1, exponent), open=True),), at + 2
    return None if draft.qualifier is Qualifier.EXACT else ((constant(1, exponent),), at + 1)


def _is_place(tokens: Tokens, at: int) -> bool:
    """Whether a Chinese place or scale stands here without a digit: `百万辆`."""
    token, after = token_at(tokens, at), token_at(tokens, at + 1)
    return bool({"place", "scale"} & token.kinds.keys()) and (
        "scale" in after.kinds or ("scale" in token.kinds and not token.text.isascii())
    )


def _is_heading(tokens: Tokens, at: int) -> bool:
    """Whether a scale with a currency says how figures are printed, and is none: `单位：百万元`, `(人民币百万元)`."""
    before = token_at(tokens, at - 1)
    return before.text in _HEADING or not {"caption", "currency"}.isdisjoint(before.kinds)


def _is_plain(draft: Draft) -> bool:
    """Whether nothing but a currency is said of the number: no hedge, no change, nothing that it is said of."""
    return (
        draft.qualifier is Qualifier.EXACT and not draft.change and (draft.sign > 0 or draft.bracket) and not draft.per
    )


def _is_scale(words: Tokens) -> bool:
    """Whether words are a scale that tables are printed in, and no numeral: million, 百万; not ten million, 千亿."""
    powers = [word.get("scale") or word.get("hundred") or word.get("place") or 0 for word in words]
    placed = any("scale" not in word.kinds and "place" in word.kinds for word in words)
    return all(powers) and (sum(powers) == _MILLION or not placed)


_MILLION: Final = 6
_HEADING: Final = frozenset({"(", ")", ":", "：", "以"})


def _is_period(tokens: Tokens, end: int) -> bool:
    """Whether quarters are of a year, and no part of something: `for three quarters`, not `a quarter of`."""
    last, after = token_at(tokens, end - 1), token_at(tokens, end)
    parts = {"of", "to", "point", "percent", "currency", "noun"}
    return last.get("part") == 4 and token_at(tokens, end - 2).text != "-" and parts.isdisjoint(after.kinds)


def _ordinal(tokens: Tokens, at: int) -> tuple[int, int] | None:
    """`first`, `twenty-first`."""
    token = token_at(tokens, at)
    if "ordinal" in token.kinds:
        return token.kinds["ordinal"], at + 1
    tens = token.get("small")
    last = at + 1 + (token_at(tokens, at + 1).text == "-")
    ones = token_at(tokens, last).get("ordinal")
    if tens is None or tens < 20 or ones is None or ones > 9 or token_at(tokens, last).text.endswith("s"):
        return None
    return tens + ones, last + 1
