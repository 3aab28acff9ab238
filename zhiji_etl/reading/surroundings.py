"""Numbers in running text that are no figures, known by what stands around them.

In: the tokens of a window. Out: the places of the numbers to leave out: days and years of dates, times, numbers after
`note` or `item`, parts of codes and of words (`10-K`, `A2021`, `364-day`), telephone numbers.
"""

from __future__ import annotations

from collections.abc import Iterator

from zhiji_etl.reading.numerals import Tokens, token_at
from zhiji_etl.reading.windows import MARKS


def excluded(tokens: Tokens) -> frozenset[int]:
    """The places of numbers that are no figures."""
    places: set[int] = set()
    for at, token in enumerate(tokens):
        if "month" in token.kinds:
            places.update(_date(tokens, at))
        elif "label" in token.kinds:
            places.update(_labelled(tokens, at))
        elif "number" in token.kinds and at not in places:
            places.update(_glued(tokens, at) or _chained(tokens, at) or _listed(tokens, at))
    return frozenset(places)


# ---------------------------------------------------------------------------------------------------------------------


def _date(tokens: Tokens, at: int) -> Iterator[int]:
    """`December 31, 2024 and 2023`, `31 December`, `June 2019`."""
    if _is_number(tokens, at - 1):
        yield at - 1
    place = at + 1
    while _is_number(tokens, place) and not _has_unit(tokens, place):
        yield place
        after = place + 1
        while token_at(tokens, after).text == "," or "and" in token_at(tokens, after).kinds:
            after += 1
        place = after


def _labelled(tokens: Tokens, at: int) -> Iterator[int]:
    """`Note 23`, `Items 1 and 2`, `fiscal 2024, 2023 and 2022`."""
    place = at + 1
    while _is_number(tokens, place) and not _has_unit(tokens, place):
        yield place
        after = place + 1
        while token_at(tokens, after).text in (",", "-", "–") or "and" in token_at(tokens, after).kinds:
            after += 1
        if after == place + 1:
            return
        place = after


def _glued(tokens: Tokens, at: int) -> tuple[int, ...]:
    """A number that is part of a word: `10-K`, `747-8`, `Q4`, `A2021`, `3D`, `COVID-19`."""
    token, before, after = tokens[at], token_at(tokens, at - 1), token_at(tokens, at + 1)
    if before.end == token.start and _is_wordlike(before):
        return (at,)
    if before.text == "-" and before.end == token.start and token_at(tokens, at - 2).end == before.start:
        if _is_wordlike(token_at(tokens, at - 2)):
            return (at,)
    if after.start == token.end and (after.text[:1] in MARKS or "word" in after.kinds) and not after.text.startswith("〓"):
        return (at,)
    if after.text == "-" and after.start == token.end and token_at(tokens, at + 2).start == after.end:
        beyond = token_at(tokens, at + 2)
        if {"word", "noun", "scale", "small"} & beyond.kinds.keys() and not {"currency", "number"} & beyond.kinds.keys():
            return (at,)
    return ()


def _is_wordlike(token: object) -> bool:
    kinds = token.kinds.keys()  # type: ignore[attr-defined]
    text: str = token.text  # type: ignore[attr-defined]
    return ("word" in kinds or (text.isascii() and text.isalpha())) and "currency" not in kinds and not text.startswith("〓")


def _chained(tokens: Tokens, at: int) -> tuple[int, ...]:
    """Dates, times and telephone numbers: `2020-03-31`, `3/15/2024`, `12:30`, `1-800-555`."""
    sign = token_at(tokens, at + 1).text
    if sign == ":" and _is_number(tokens, at + 2):
        return (at, at + 2)
    if "clock" in token_at(tokens, at + 1).kinds:
        return (at,)
    if sign in ("-", "/") and _is_number(tokens, at + 2) and token_at(tokens, at + 3).text == sign and _is_number(tokens, at + 4):
        return (at, at + 2, at + 4)
    return ()


def _listed(tokens: Tokens, at: int) -> tuple[int, ...]:
    """`(1)`: a note, or the mark of a list."""
    opened = "open" in token_at(tokens, at - 1).kinds
    return (at,) if opened and "close" in token_at(tokens, at + 1).kinds else ()


def _is_number(tokens: Tokens, at: int) -> bool:
    return "number" in token_at(tokens, at).kinds


def _has_unit(tokens: Tokens, at: int) -> bool:
    """Whether a unit follows a number, so that it is a figure after all."""
    kinds = token_at(tokens, at + 1).kinds.keys()
    return bool({"percent", "scale", "noun"} & kinds) or ("currency" in kinds and not _is_number(tokens, at + 2))
