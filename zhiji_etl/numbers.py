"""Two ends as a person writes them: with a scale word, and as many digits as tell the ends apart.

In: ends in a unit of the library, not bounded where infinite. Out: text in the language of a wording. The script of the
page does the same for the rows of its tables; a test holds the two against each other.
"""

from __future__ import annotations

from math import floor, inf, isfinite, log10
from typing import Final, NamedTuple

from zhiji_etl.wording import Wording

DIGITS: Final = 7
"""Significant digits of a number that stands alone."""


class Ends(NamedTuple):
    """The ends of bounds, empty where not bounded, and the unit they share, with its scale word."""

    low: str
    high: str
    unit: str


def ends(low: float, high: float, unit: str | None, words: Wording) -> Ends:
    """Both ends to the same place: three digits of what lies between them."""
    finite = [end for end in (low, high) if isfinite(end)]
    size, word = _scale(max(map(abs, finite), default=0.0), words)
    places = _places([end / size for end in finite])
    written = _trimmed([f"{end / size + 0.0:,.{places}f}" for end in finite])
    texts = iter(written)
    first, last = (next(texts) if isfinite(end) else "" for end in (low, high))
    return Ends(first, last, scaled_unit(word, unit, words))


def span(low: float | None, high: float | None, unit: str | None, words: Wording) -> str:
    """Bounds in a sentence: `22.65 to 22.75 %`, `above 10 billion CNY`, `anything`."""
    if low is None or high is None:
        return words("bounds.unknown")
    if (low, high) == (-inf, inf):
        return words("bounds.anything")
    first, last, scaled = ends(low, high, unit, words)
    if not first or not last:
        return _spaced(words(f"bounds.{'above' if first else 'below'}", low=first, high=last), scaled)
    return _spaced(first if first == last else words("bounds.between", low=first, high=last), scaled)


def single(number: float, unit: str | None, words: Wording) -> str:
    """One number: `0.1 %`, `1 vehicle`, `1,000 vehicles`."""
    return span(number, number, unit, words) if number != 1 else _spaced("1", words.name("units", unit or "count", 1))


def short(number: float) -> str:
    """A number without a unit, to three digits."""
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"


def scaled_unit(word: str, unit: str | None, words: Wording) -> str:
    """A scale word and a unit: `million vehicles`, `万辆`."""
    named = words.name("units", unit or "count")
    glue = "" if not word or (named and not named.isascii()) else " "
    return f"{word}{glue}{named}".strip()


# ------------------------------------------------------------------------------------------------------------- helpers


def _scale(largest: float, words: Wording) -> tuple[float, str]:
    return next(((size, word) for size, word in words.scales if largest >= size), (1.0, ""))


def _places(finite: list[float]) -> int:
    """Decimals to write: three digits of the distance, or the digits of a number that stands alone."""
    distance = max(finite, default=0.0) - min(finite, default=0.0)
    if distance > 0:
        return min(max(2 - floor(log10(distance)), 0), 12)
    alone = abs(finite[0]) if finite else 0.0
    return min(max(DIGITS - 1 - floor(log10(alone)), 0), 12) if alone else 0


def _trimmed(texts: list[str]) -> list[str]:
    """The texts without the zeros that all of them end in behind the point."""
    while texts and all("." in text and text[-1] in "0." for text in texts):
        texts = [text[:-1] for text in texts]
    return texts


def _spaced(text: str, unit: str) -> str:
    return f"{text} {unit}" if unit else text
