"""An amount while it is read, and small decisions about it: which currency two marks mean, what a phrase counts.

In: words of a shape. Out: a `Draft`, which `finishing.finished` makes an amount.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from zhiji_etl.figures import Qualifier
from zhiji_etl.reading.grammar.meanings import Number
from zhiji_etl.reading.grammar.tokens import Token, Tokens
from zhiji_etl.reading.grammar.words import is_ideograph, lexicon

MIRRORED: Final = {
    Qualifier.ABOVE: Qualifier.BELOW,
    Qualifier.BELOW: Qualifier.ABOVE,
    Qualifier.AT_LEAST: Qualifier.AT_MOST,
    Qualifier.AT_MOST: Qualifier.AT_LEAST,
}


CLOSED: Final = {Qualifier.ABOVE: Qualifier.AT_LEAST, Qualifier.BELOW: Qualifier.AT_MOST}


DURATIONS: Final = frozenset({"year", "quarter_year", "month", "week", "day", "hour", "minute", "second"})


@dataclass(slots=True)
class Draft:
    """An amount while it is read."""

    start: int = -1
    end: int = -1
    numbers: tuple[Number, ...] = ()
    sign: int = 1
    change: int = 0
    english: bool = False
    """Whether its word of change is English."""
    priced: bool = False
    """Whether its word of change is one of prices and results: what is counted after it are those that fell."""
    qualifier: Qualifier = Qualifier.EXACT
    leading: Qualifier = Qualifier.EXACT
    """The qualifier that stands before its number: in `up to 10-15%` it holds for both ends."""
    currency: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    """What its sign can mean besides where the text says so: `$93 million pesos`."""
    unit: str | None = None
    per: str | None = None
    many: Number | None = None
    """How many of them it is said of together: `每10股派3.5元`."""
    exponent: int = 0
    power: int | None = None
    """The literal right after a unit of length, which makes it one of area or volume: `m2`, `km3`."""
    power_first: bool = False
    """Whether that is the unit itself, and not what it is said of: `m3/s`."""
    between: bool = False
    bracket: bool = False
    closed: bool = False
    noun: bool = False
    refine: bool = False
    prose: bool = False
    crossed: bool = False
    """Whether it is a level that was crossed; what `to` leads to is another."""
    led: bool = False
    """Whether its currency stands before its number."""
    no_share: bool = False
    """Whether a fraction in it is a number and no part of a whole: `½`, and the half in `1/2 to 1`."""
    words: list[Token] = field(default_factory=list)

    def seen(self, token: Token) -> None:
        """Widens the span of the amount to this token."""
        self.start = token.start if self.start < 0 else self.start
        self.end = token.end

    @property
    def has_unit(self) -> bool:
        """Whether a currency or another unit has been read."""
        return bool(self.currency or self.unit)

    @property
    def beside(self) -> bool:
        """Whether it tells how long a change took or how many changed, not how large the change was: `fell over 5
        years`, `within 30 days`; 下跌22家, 亏损12家.
        """
        if self.english:
            return self.unit in DURATIONS and self.qualifier is not Qualifier.EXACT
        return self.priced and self.noun and (self.unit == "count" or self.unit not in lexicon().measured)

    @property
    def taken(self) -> bool:
        """Whether it is money that a sentence in English says was taken away: `reduced by $5 million`."""
        return self.prose and self.english and bool(self.currency)


def set_unit(draft: Draft, unit: str) -> None:
    """A unit as the lexicon writes it: `percent -1` is a tenth of a percent."""
    name, _, exponent = unit.partition(" ")
    draft.unit = name
    draft.exponent += int(exponent or 0)


def agreed(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    """What two marks of currency say together: `$` and `AUD` are Australian dollars.

    >>> agreed(("USD", "AUD"), ("AUD",)), agreed((), ("EUR",))
    (('AUD',), ('EUR',))
    """
    if not first or not second:
        return first or second
    common = tuple(code for code in first if code in second)
    if common:
        return common
    return second if len(second) < len(first) else first


def singular(words: list[Token]) -> str:
    """The head noun of a phrase of tokens; in running text only where its words stand."""
    numbered = [token.kinds["word"] for token in words if isinstance(token.kinds.get("word"), int)]
    if numbered and words[-1].kinds.get("word") == numbered[-1]:
        return f"@{_run_start(numbered)}-{numbered[-1]}"
    return singular_of([token.text for token in words if not isinstance(token.kinds.get("word"), int)] or ["count"])


def _run_start(numbers: list[int]) -> int:
    """Where the last run of neighbours begins: 5 for 2, 5, 6."""
    start = numbers[-1]
    while start - 1 in numbers:
        start -= 1
    return start


def singular_of(words: Sequence[str]) -> str:
    """The head noun of a phrase in the singular, lower case: `new energy vehicles` -> `vehicle`.

    It is the last plural of the phrase, or its last word.
    """
    word = _head_of(words).lower()
    known = lexicon().singulars.get(word)
    if known is not None or not word.isascii() or len(word) < 4 or word.endswith(("ss", "us")):
        return known or word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes", "zes")):
        return word[:-2]
    return word.removesuffix("s")


def is_word(words: Sequence[str]) -> bool:
    """Whether the head of a phrase is a word, and so counted: not the abbreviation of a measure, `mhl`, `kPa`.

    >>> is_word(["SUVs"]), is_word(["mhl"]), is_word(["kPa"])
    (True, False, False)
    """
    word = _head_of(words)
    if not word.isascii():
        return len(word) > _LONGEST_MEASURE or any(map(is_ideograph, word))
    short = word.removesuffix("s")
    mixed = len(short) <= _LONGEST_MEASURE and not (short.islower() or short.istitle() or short.isupper())
    return not mixed and not _VOWELS.isdisjoint(word.lower())


_VOWELS: Final = frozenset("aeiouy")
_LONGEST_MEASURE: Final = 4
"""Letters of the longest abbreviation of a measure with capitals within: longer ones are names, `iPhone`."""


def _head_of(words: Sequence[str]) -> str:
    """The last plural of a phrase, or its last word, as printed."""
    plurals = [word for word in words if word.lower().endswith("s") and not word.lower().endswith(("ss", "us"))]
    return (plurals or words)[-1]


Step: TypeAlias = Callable[[Tokens, int, Draft], int]
"""Reads a word or two into the draft and tells how many; 0 where it is none of its kind."""
