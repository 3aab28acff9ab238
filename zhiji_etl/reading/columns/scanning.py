"""The regular numbers of a column, found in its bytes all at once.

In: folded texts, joined by `SEPARATOR`. Out: a `Scan`: the coarse shape of each text, and its numbers as whole digits.
The pattern of `folding.NUMBER` is followed to the letter where a number is plain: thousands in groups of three, at most
one point, no exponent. A text with anything else is marked `irregular`, for the pattern itself to read.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhiji_etl.reading.grammar.folding import MARK

Bytes: TypeAlias = NDArray[np.uint8]
Flags: TypeAlias = NDArray[np.bool_]
Whole: TypeAlias = NDArray[np.int64]

SEPARATOR: Final = "\n"
"""Stands between texts: no folded text holds it."""
TOO_LONG: Final = 10**17
"""The mantissa of a number of more than 16 digits."""

_END: Final = ord(SEPARATOR)
_PADDING: Final = SEPARATOR.encode() * 8
_WIDEST: Final = 16
"""Digits that two words of 8 bytes hold."""


class Scan(NamedTuple):
    """What the bytes of some texts say.

    `codes` gives for each text the place of its shape in `shapes`, `first` the place of its first number among all
    numbers, `irregular` whether neither can be trusted. A number is `mantissa`, all its digits as one whole number, of
    which the last `decimals` stand behind the point; `zeros` counts the zeros at the end of the mantissa, none for 0.
    """

    codes: NDArray[np.uint32]
    shapes: list[str]
    first: Whole
    irregular: Flags
    mantissa: Whole
    decimals: Whole
    zeros: Whole


class _Signs(NamedTuple):
    """Where signs stand within numbers, and which of the numbers each stands in."""

    at: Whole
    number: Whole


def scan(joined: bytes, decimal_comma: bool) -> Scan:
    """The shapes and numbers of texts joined by `SEPARATOR`; `decimal_comma` changes the places of comma and point."""
    text = np.frombuffer(_PADDING + joined + _PADDING, np.uint8)
    digit = (text - np.uint8(ord("0"))) < 10
    thousands, point = (".", ",") if decimal_comma else (",", ".")
    places = [_between_digits(text, digit, sign) for sign in (thousands, point)]
    inside = digit.copy()
    inside[places[0]] = inside[places[1]] = True
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    starts, ends = edges[::2], edges[1::2]
    groups, points = (_Signs(at, np.searchsorted(starts, at) - 1) for at in places)
    count = ends - starts - sum(np.bincount(signs.number, minlength=len(starts)) for signs in (groups, points))
    breaks = np.flatnonzero(text == _END)[len(_PADDING) - 1 : -len(_PADDING)]
    codes, shapes = _shapes(text, inside, starts)
    mantissa = _mantissa(text, digit, count)
    return Scan(
        codes,
        shapes,
        np.searchsorted(starts, breaks),
        _marked(_irregular(text, digit, groups, points, starts, ends), breaks),
        mantissa,
        _decimals(points, ends),
        _zeros(mantissa),
    )


def _between_digits(text: Bytes, digit: Flags, sign: str) -> Whole:
    """Where a sign stands between two digits."""
    return np.flatnonzero((text[1:-1] == ord(sign)) & digit[:-2] & digit[2:]) + 1


def _shapes(text: Bytes, inside: Flags, starts: Whole) -> tuple[NDArray[np.uint32], list[str]]:
    """The code of each text's shape, and the shapes by their codes."""
    left = ~inside
    left[starts] = True
    marked = text.copy()
    marked[starts] = ord(MARK)
    joined = marked[left][len(_PADDING) : -len(_PADDING)].tobytes().decode()
    shapes = pl.Series([joined]).str.split(SEPARATOR).explode(empty_as_null=False)
    known = pl.Categories.random()
    coded = shapes.cast(pl.Categorical(known))
    return coded.to_physical().to_numpy(), known.to_series().to_list()


# ---- numbers --------------------------------------------------------------------------------------------------------


def _mantissa(text: Bytes, digit: Flags, count: Whole) -> Whole:
    """All digits of each number as one whole number; `count` tells how many it has."""
    digits = np.concatenate((np.zeros(_WIDEST, np.uint8), text[digit] - np.uint8(ord("0"))))
    words = np.lib.stride_tricks.sliding_window_view(digits, 8)
    last = np.cumsum(count) + _WIDEST
    value = _word(words[last - 8], count)
    wide = np.flatnonzero(count > 8)
    if len(wide):
        value[wide] += 10**8 * _word(words[last[wide] - _WIDEST], count[wide] - 8)
        value[count > _WIDEST] = TOO_LONG
    return value


def _word(digits: Bytes, count: Whole) -> Whole:
    """The number that the last `count` of 8 digits make: neighbours are added in three steps, two, four, then eight."""
    word = digits.view("<u8")[:, 0]
    beside = (64 - 8 * np.minimum(count, 8)).astype(np.uint64)
    word = (word >> beside) << beside
    for width, factor, mask in _STEPS:
        word = ((word * factor) + (word >> width)) & mask
    return word.astype(np.int64)


_STEPS: Final = tuple(
    (np.uint64(width), np.uint64(factor), np.uint64(mask))
    for width, factor, mask in ((8, 10, 0x00FF00FF00FF00FF), (16, 100, 0x0000FFFF0000FFFF), (32, 10_000, 0xFFFFFFFF))
)


def _decimals(points: _Signs, ends: Whole) -> Whole:
    """How many digits of each number stand behind its point."""
    decimals = np.zeros(len(ends), np.int64)
    decimals[points.number] = ends[points.number] - points.at - 1
    return decimals


def _zeros(mantissa: Whole) -> Whole:
    """How many zeros end each whole number; none where it is 0."""
    zeros = np.zeros(len(mantissa), np.int64)
    ending = np.flatnonzero((mantissa % 10 == 0) & (mantissa > 0))
    rest = mantissa[ending]
    for power in (8, 4, 2, 1):
        quotient, remainder = np.divmod(rest, 10**power)
        divides = remainder == 0
        zeros[ending] += power * divides
        rest = np.where(divides, quotient, rest)
    return zeros


# ---- what is not plain ----------------------------------------------------------------------------------------------


def _irregular(
    text: Bytes, digit: Flags, groups: _Signs, points: _Signs, starts: Whole, ends: Whole
) -> tuple[Whole, ...]:
    """Places where the pattern of numbers would part what looks like one number."""
    last_point = np.full(len(starts), len(text))
    last_point[points.number] = points.at
    return (
        points.at[1:][points.number[1:] == points.number[:-1]],
        groups.at[groups.at > last_point[groups.number]],
        groups.at[~_groups_of_three(text, digit, groups.at, starts[groups.number])],
        ends[_has_exponent(text, digit, ends)],
    )


def _groups_of_three(text: Bytes, digit: Flags, groups: Whole, starts: Whole) -> Flags:
    """Whether three digits follow a sign between thousands, and stand before it unless a number begins there."""
    after: Flags = digit[groups + 2] & digit[groups + 3] & ~digit[groups + 4]
    since = groups - starts
    leading: Flags = (since <= 3) & (text[starts] != ord("0"))
    return after & (leading | ((since > 3) & ~digit[groups - 4]))


def _has_exponent(text: Bytes, digit: Flags, ends: Whole) -> Flags:
    """Whether `e5`, `E+5` or `e-5` follows a number."""
    letter: Flags = (text[ends] | 0x20) == ord("e")
    signed: Flags = (text[ends + 1] == ord("+")) | (text[ends + 1] == ord("-"))
    return letter & (digit[ends + 1] | (signed & digit[ends + 2]))


def _marked(places: tuple[Whole, ...], breaks: Whole) -> Flags:
    """Which texts hold any of these places; `breaks` holds the ends of texts before each."""
    marked = np.zeros(len(breaks), np.bool_)
    marked[np.searchsorted(breaks, np.concatenate(places)) - 1] = True
    return marked
