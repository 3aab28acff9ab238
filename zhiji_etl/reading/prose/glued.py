"""Numbers in running text that are part of a word: `10-K`, `747-8`, `A2021`, `COVID-19`, `five-year`.

In: the tokens of a window and the place of a number. Out: the places of the numbers to leave out.
"""

from __future__ import annotations

from zhiji_etl.reading.grammar.numerals import hyphened_and, power_of_length
from zhiji_etl.reading.grammar.tokens import Tokens, is_ideographic, token_at
from zhiji_etl.reading.prose.neighbours import has_unit, is_number, touch


def glued(tokens: Tokens, at: int) -> tuple[int, ...]:
    """A number that is part of a word: `10-K`, `747-8`, `Q4`, `A2021`, `3D`, `COVID-19`."""
    token, before, after = tokens[at], token_at(tokens, at - 1), token_at(tokens, at + 1)
    cents = "cents_of" in before.kinds and "subunit" in after.kinds
    if before.end == token.start and _is_wordlike(tokens, at - 1) and not cents:
        return (at,)
    if before.text == "'" and before.end == token.start and not has_unit(tokens, at):
        return (at,)  # FY'24
    hyphened = before.text in ("-", "+") and before.end == token.start and token_at(tokens, at - 2).end == before.start
    compared = "percent" in after.kinds and (before.text == "+" or "manner" in token_at(tokens, at - 2).kinds)
    if hyphened and _is_wordlike(tokens, at - 2) and not compared:
        return (at,)  # COVID-19, but yoy-3%
    noted = "currency" in after.kinds and is_number(tokens, at + 2) and not is_ideographic(after.text[0])
    if noted and after.start == token.end and after.end == tokens[at + 2].start:
        return (at,)
    if after.text.isalpha() and after.text.isascii() and is_number(tokens, at + 2) and touch(tokens, at, at + 2):
        return (at, at + 2)
    if after.text == "-" and "small" in token_at(tokens, at + 2).kinds and touch(tokens, at, at + 2):
        return (at, at + 2)  # 7-Eleven
    return (at,) if compound(tokens, at) else ()


def lettered(tokens: Tokens, at: int, end: int) -> tuple[int, ...]:
    """The numbers between two places that unknown letters follow at once: names if they are whole, `3D`, `737X`, else
    amounts in a unit that the lexicon does not know, `3.4mmt`.
    """
    return tuple(
        tokens[place].kinds["number"]
        for place in range(at, end)
        if is_number(tokens, place) and is_lettered(tokens, place)
    )


def is_lettered(tokens: Tokens, at: int) -> bool:
    """Whether letters that the lexicon does not know stand right after a token."""
    after = token_at(tokens, at + 1)
    return after.start == tokens[at].end and "word" in after.kinds and not is_ideographic(after.text[0])


def compound(tokens: Tokens, at: int) -> bool:
    """The first half of a compound that is no amount: `364-day`, `five-year`, `10-K`."""
    token, hyphen, beyond = tokens[at], token_at(tokens, at + 1), token_at(tokens, at + 2)
    if hyphen.text != "-" or hyphen.start != token.end or beyond.start != hyphen.end:
        return False
    if "per" in beyond.kinds and token_at(tokens, at + 3).text == "-" and "currency" in token_at(tokens, at - 1).kinds:
        return False  # $5-a-share
    if hyphened_and(tokens, at + 1):
        return False  # two-and-a-half
    if (beyond.get("ordinal") or 0) >= 1000:
        return True  # the 6-millionth
    if {
        "currency",
        "number",
        "ordinal",
        "part",
        "small",
        "hundred",
        "percent",
        "half",
        "multiple",
    } & beyond.kinds.keys():
        return False
    return bool({"word", "noun", "stop", "month"} & beyond.kinds.keys()) or beyond.text in ("K", "Q")


def _is_wordlike(tokens: Tokens, at: int) -> bool:
    """Whether a token is letters of a word or code, and no unit of a number before it."""
    token = token_at(tokens, at)
    if {"currency", "ordinal_suffix"} & token.kinds.keys() or not token.text or is_ideographic(token.text[0]):
        return False
    if "word" not in token.kinds and not (token.text.isascii() and token.text.isalpha()):
        return False
    unit = {"scale", "noun", "multiple", "percent"} & token.kinds.keys()
    led = {"number", "scale", "per"} if power_of_length(tokens, at) is not None else {"number"}
    return not (unit and led & token_at(tokens, at - 1).kinds.keys())
