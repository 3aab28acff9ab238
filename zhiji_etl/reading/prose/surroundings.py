"""Numbers in running text that are no figures, known by what stands around them.

In: the tokens of a window. Out: the places of the numbers to leave out: days and years of dates, times, numbers after
`note` or `item`, parts of codes and of words (`10-K`, `A2021`, `364-day`), telephone numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from zhiji_etl.reading.grammar.numerals import hyphened_and
from zhiji_etl.reading.grammar.tokens import Tokens, is_ideographic, token_at
from zhiji_etl.reading.prose.characters import one_character
from zhiji_etl.reading.prose.codes import (
    chapters,
    continued,
    dialled,
    international,
    list_mark,
    listed_share,
    model,
    noted,
)
from zhiji_etl.reading.prose.glued import compound, glued
from zhiji_etl.reading.prose.neighbours import has_unit, is_number, touch


def excluded(tokens: Tokens) -> frozenset[int]:
    """The places of numbers that are no figures."""
    places: set[int] = set()
    for at, token in enumerate(tokens):
        for kinds, left_out in _LEFT_OUT:
            if not kinds.isdisjoint(token.kinds):
                places.update(left_out(tokens, at, places))
                break
    return frozenset(places)


# ---------------------------------------------------------------------------------------------------------------------


def _numbered(tokens: Tokens, at: int, places: set[int]) -> tuple[int, ...]:
    """The numbers to leave out at the place of one in digits."""
    if at in places:
        if _is_clock(tokens, at):
            return (at + 2,)
        beyond = token_at(tokens, at + 1).text == "." and is_number(tokens, at + 2) and touch(tokens, at, at + 2)
        return (at + 2,) if beyond else ()  # version 5.1.2
    return (
        _unranked(tokens, at)
        or glued(tokens, at)
        or _chained(tokens, at)
        or _months(tokens, at)
        or international(tokens, at)
        or noted(tokens, at)
        or continued(tokens, at, places)
        or model(tokens, at)
        or listed_share(tokens, at)
        or list_mark(tokens, at)
    )


def _date(tokens: Tokens, at: int) -> Iterator[int]:
    """`December 31, 2024 and 2023`, `31 December`, `June 2019`."""
    if is_number(tokens, at - 1) and "currency" not in token_at(tokens, at - 2).kinds:
        yield at - 1
    place = at + 1
    while is_number(tokens, place) and not has_unit(tokens, place):
        yield place
        after = place + 1
        while token_at(tokens, after).text == "," or "and" in token_at(tokens, after).kinds:
            after += 1
        place = after


def _labelled(tokens: Tokens, at: int) -> Iterator[int]:
    """`Note 23`, `Items 1 and 2`, `fiscal 2024, 2023 and 2022`, `附注五、12`, `上午9:30`, `令和5年`."""
    if tokens[at].kinds["label"] == "era":
        yield from _run_of_numbers(tokens, at + 1)
        return
    if is_ideographic(tokens[at].text[0]):
        yield from chapters(tokens, at + 1)
    place = at + 1 + (token_at(tokens, at + 1).text == ":" and is_ideographic(tokens[at].text[0]))
    chosen = tokens[at].kinds["label"] == "chosen" and "noun" in token_at(tokens, at + 2).kinds
    while is_number(tokens, place) and (chosen or not has_unit(tokens, place) or _lettered(tokens, place)):
        yield place
        after = place + 1 + ("of" in token_at(tokens, place + 1).kinds or (not chosen and _lettered(tokens, place)))
        while token_at(tokens, after).text in (",", "-", "–", "/") or "and" in token_at(tokens, after).kinds:
            after += 1
        if after == place + 1:
            return
        place = after


def _lettered(tokens: Tokens, at: int) -> bool:
    """Whether one letter right after a number is part of its name, and no scale: `Rule 10b-5`, `Note 5m`."""
    letter = token_at(tokens, at + 1)
    return len(letter.text) == 1 and letter.text.isalpha() and letter.text.isascii() and letter.start == tokens[at].end


def _period_ranked(tokens: Tokens, at: int) -> Iterator[int]:
    """`第三季度`, `第5届`: names, not ranks; nor is the `第二，` that begins a sentence."""
    numbers = _run_of_numbers(tokens, at + 1)
    after = token_at(tokens, numbers.stop)
    if "unranked" in after.kinds or (at == 0 and after.text in _ENUMERATING):
        yield from range(at, numbers.stop)


def _leading(tokens: Tokens, at: int) -> Iterator[int]:
    """`前10名股东`, `前五大客户`."""
    numbers = _run_of_numbers(tokens, at + 1)
    if token_at(tokens, numbers.stop).text[:1] in tuple("名大位强"):
        yield from numbers


def _run_of_numbers(tokens: Tokens, at: int) -> range:
    """The places of the digits and characters of one number from here on."""
    end = at
    while {"number", "digit", "place"} & token_at(tokens, end).kinds.keys():
        end += 1
    return range(at, end)


_ENUMERATING: Final = frozenset("，,、:：")


def _before_period(tokens: Tokens, at: int) -> Iterator[int]:
    """`9月`, `1-9月`, `5日`."""
    place = at - 1
    while {"digit", "place"} & token_at(tokens, place).kinds.keys() and touch(tokens, place, place + 1):
        yield place  # 十二月三十一日
        place -= 1
    while is_number(tokens, place) and tokens[place].end == tokens[place + 1].start:
        yield place
        if "to" not in token_at(tokens, place - 1).kinds and token_at(tokens, place - 1).text != "、":
            return  # 1-9月, 1、2月
        place -= 2


def _chained(tokens: Tokens, at: int) -> tuple[int, ...]:
    """Dates, times, telephone numbers, versions: `2020-03-31`, `3/15/2024`, `12:30`, `1-800-555`, `1.2.3`."""
    sign = token_at(tokens, at + 1).text
    if sign in (":", ".", "·") and is_number(tokens, at + 2) and touch(tokens, at, at + 2):
        return (at, at + 2)
    if _is_clock(tokens, at):
        return (at, at + 2)
    if is_number(tokens, at + 1) and touch(tokens, at, at + 1):
        return (at, at + 1)
    if "clock" in token_at(tokens, at + 1).kinds:
        return (at,)
    if (
        sign in ("-", "/")
        and is_number(tokens, at + 2)
        and token_at(tokens, at + 3).text == sign
        and is_number(tokens, at + 4)
        and not (sign == "/" and (has_unit(tokens, at + 4) or "multiple" in token_at(tokens, at + 5).kinds))
    ):
        return (at, at + 2, at + 4)
    return ()


def _months(tokens: Tokens, at: int) -> tuple[int, ...]:
    """The first months of a year, `9M 2023`: no millions, since no unit and no currency is said."""
    letter = token_at(tokens, at + 1)
    joined = letter.text == "M" and letter.start == tokens[at].end and is_number(tokens, at + 2)
    ranked = "ordinal_suffix" in token_at(tokens, at + 3).kinds
    bare = "currency" not in token_at(tokens, at - 1).kinds and not ranked and not has_unit(tokens, at + 2)
    return (at, at + 2) if joined and bare else ()


def _is_clock(tokens: Tokens, at: int) -> bool:
    """Whether this is the hour of a time: `10时30分`, `10点30分`."""
    timed = token_at(tokens, at + 1).text in ("时", "点") and is_number(tokens, at + 2)
    return timed and token_at(tokens, at + 3).text == "分" and touch(tokens, at, at + 3)


def _tolerance(tokens: Tokens, at: int) -> Iterator[int]:
    """A number and its tolerance, which says more than one figure could: `5 ± 0.2%`, `$5 million +/- 3%`."""
    slash, minus = token_at(tokens, at + 1), token_at(tokens, at + 2)
    signed = tokens[at].text == "+" and (slash.text in ("/-", "-") or (slash.text == "/" and minus.text == "-"))
    end = at + 1 + signed * (1 + (slash.text == "/"))
    if tokens[at].text != "±" and end == at + 1:
        return
    yield from (place for place in range(max(0, at - 3), min(end + 2, len(tokens))) if is_number(tokens, place))


def _unranked(tokens: Tokens, at: int) -> tuple[int, ...]:
    """An ordinal that ranks nothing: `the second quarter`, `the third anniversary`, `the 20th century`."""
    after = token_at(tokens, at + 1)
    if "ordinal" not in tokens[at].kinds:
        if "ordinal_suffix" not in after.kinds or after.start != tokens[at].end:
            return ()
        after = token_at(tokens, at + 2)
    before = [token_at(tokens, place) for place in range(at - 8, at)]
    if "rank_after" in after.kinds or any("rank" in token.kinds for token in before):
        return ()
    if before[-1].text == "-" and "number" in before[-2].kinds and before[-1].end == tokens[at].start:
        return (at,)  # the 6-millionth
    if "article" in before[-1].kinds and {"noun", "label"} & after.kinds.keys():
        return (at,)  # for a third month
    fraction = {"small", "article", "number"} & before[-1].kinds.keys() or before[-1].text == "-"
    return () if fraction and "ordinal" in tokens[at].kinds else (at,)


def _worded(tokens: Tokens, at: int) -> tuple[int, ...]:
    """`five-year`, and `one` where it is a pronoun: `which one do you prefer`."""
    half = at + 6
    if hyphened_and(tokens, at + 1) and "half" in token_at(tokens, half).kinds and compound(tokens, half):
        return (at, half)  # a two-and-a-half-year plan
    chosen = token_at(tokens, at - 1).get("label") == "chosen"
    if chosen or compound(tokens, at) or _second_half(tokens, at):
        return (at,)
    token, after, before = tokens[at], token_at(tokens, at + 1), token_at(tokens, at - 1)
    if (
        token.text.lower() != "one"
        or {"small", "hundred", "scale", "sign", "over", "and", "point"} & after.kinds.keys()
    ):
        return ()
    if "and" in before.kinds and {"small", "scale", "hundred"} & token_at(tokens, at - 2).kinds.keys():
        return ()
    if {"sign", "before"} & before.kinds.keys() or before.text == "-" or "out of" in after.text:
        return ()
    if ({"in", "to"} & after.kinds.keys() or after.text == "or") and "small" in token_at(tokens, at + 2).kinds:
        return ()  # one in five, one to two million
    counted = {"word", "noun", "currency", "percent", "ordinal", "part", "half", "modifier"} & after.kinds.keys()
    return () if counted and before.text.lower() not in _POINTING else (at,)


def _second_half(tokens: Tokens, at: int) -> bool:
    """Whether a number in words ends a compound: `first-half`, `one-for-one`; not `twenty-two` or `mid-two`."""
    hyphen, before = token_at(tokens, at - 1), token_at(tokens, at - 2)
    joined = hyphen.text == "-" and hyphen.end == tokens[at].start and before.end == hyphen.start
    counted = {"small", "number", "hundred", "scale", "and", "article"} & before.kinds.keys()
    return joined and bool(before.text) and before.text[0].isalpha() and not counted


_POINTING = frozenset({"which", "that", "this", "the", "each", "every", "no", "any"})


def _letter(tokens: Tokens, at: int) -> tuple[int, ...]:
    """`Class A shares`: no article."""
    return (at,) if "label" in token_at(tokens, at - 1).kinds else ()


def _halved(tokens: Tokens, at: int) -> tuple[int, ...]:
    """`first-half`, `the second half of the year`."""
    return (at,) if _second_half(tokens, at) or "ordinal" in token_at(tokens, at - 1).kinds else ()


Places: TypeAlias = Iterable[int]


def _of_words(find: Callable[[Tokens, int], Places]) -> Callable[[Tokens, int, set[int]], Places]:
    """What needs not know which numbers have been left out before."""
    return lambda tokens, at, _: find(tokens, at)


_LEFT_OUT: Final[tuple[tuple[frozenset[str], Callable[[Tokens, int, set[int]], Places]], ...]] = tuple(
    (frozenset(kinds.split()), find)
    for kinds, find in (
        ("month", _of_words(_date)),
        ("ordinal_prefix", _of_words(_period_ranked)),
        ("period", _of_words(_before_period)),
        ("leading", _of_words(_leading)),
        ("label", _of_words(_labelled)),
        ("telephone", _of_words(dialled)),
        ("number", _numbered),
        ("ordinal", _of_words(_unranked)),
        ("article", _of_words(_letter)),
        ("half", _of_words(_halved)),
        ("small", _of_words(_worded)),
        ("digit place", _of_words(one_character)),
        ("sign_of_print after", _of_words(_tolerance)),
    )
)
"""The kinds of a word, and the numbers around it that are no figures; the first that fits decides."""
