"""What a shape means: a small frozen program that, given the digits, makes a figure.

In: nothing but words; the digits of a text are referred to by the index of their literal. Out: used by `exact` for one
string and by `columns` for many. Exponents are powers of ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from zhiji_etl.figures import Qualifier


@dataclass(frozen=True, slots=True)
class Term:
    """One addend of a number: a literal, or digits known from words, times a factor and a power of ten."""

    literal: int | None
    digits: str = ""
    exponent: int = 0
    factor: int = 1
    base: int | None = None
    power: int | None = None
    """Index of a literal that is a further power of ten (`2.48×10−5`)."""
    power_sign: int = 1


@dataclass(frozen=True, slots=True)
class Number:
    """A sum of terms, perhaps divided by another number, with perhaps a fraction added (`1 4/5`, `one and a half`).

    `open` is true where `余` or `多` leaves it open how much more there is, below one unit of the last digit not 0.
    `rate` is true where what it is divided by belongs to its unit (`300 per 1,000 people`): the zeros stay ambiguous.
    """

    terms: tuple[Term, ...]
    over: Number | None = None
    plus: Number | None = None
    sign: int = 1
    open: bool = False
    rate: bool = False

    def scaled(self, exponent: int, factor: int = 1) -> Number:
        """The same number times a power of ten and a factor."""
        if not exponent and factor == 1:
            return self
        terms = tuple(replace(t, exponent=t.exponent + exponent, factor=t.factor * factor) for t in self.terms)
        return replace(self, terms=terms, plus=self.plus and self.plus.scaled(exponent, factor))

    def signed(self, sign: int) -> Number:
        """The same number times 1 or -1."""
        if sign == 1:
            return self
        return replace(self, sign=self.sign * sign)


@dataclass(frozen=True, slots=True)
class Amount:
    """What a text says but for its digits. `numbers` holds one number, or the two ends of a range.

    `start` and `end` are offsets into the shape. `declared` tells that the last printed digit is the only reading
    (a caption such as "in thousands"); `exact` that there is nothing to round (a rank). `signless`: cannot be negative.
    `shared` is the scale of the second end of a range, which holds for the first where it is not the smaller for it.
    """

    numbers: tuple[Number, ...]
    unit: str
    qualifier: Qualifier
    start: int
    end: int
    whole: bool = False
    signless: bool = False
    declared: bool = False
    exact: bool = False
    shared: int = 0
    readings: tuple[tuple[str, str], ...] = ()
    power: int | None = None
    """Index of the literal that makes the last name of its unit a square (2) or cubic (3) one: `m2`, `元/m2`."""
    power_first: bool = False
    """Whether it makes the first name so, `m3/s`."""
    listed: int | None = None
    """The literal of the number in a row whose unit and scale it has; its own digits may still be a year."""
    restated: Amount | None = None
    halves: tuple[Amount, Amount] | None = None
    """The lower and the upper bound of a range with hedges, `more than 10 and less than 40`, `up to 10-15%`: no range
    where they contradict."""
    apart: tuple[Amount, Amount] | None = None
    """The two ends of a range as amounts of their own, which they are in running text where the first is the larger."""
    plain: bool = field(init=False, default=False)
    """Whether it is one number, or a range of two, each times a power of ten, with nothing left open: most are, and are
    computed the short way."""

    def __post_init__(self) -> None:
        single = len(self.numbers) == 1 or self.restated is None
        plain = single and not self.exact and self.halves is None and self.power is None
        plain = plain and all(map(_is_bare, self.numbers))
        object.__setattr__(self, "plain", plain)


def _is_bare(number: Number) -> bool:
    """Whether a number is one literal, printed or said, times a power of ten."""
    term = number.terms[0]
    single = len(number.terms) == 1 and number.over is None and number.plus is None
    return single and not number.open and term.factor == 1 and term.power is None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a shape is no figure: a code, a sentence with its part in it, and a hint. Offsets into the shape."""

    code: str
    message: str
    start: int
    end: int
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Refine:
    """The coarse shape cannot decide; ask again with the fine one."""


REFINE: Final = Refine()

Place: TypeAlias = tuple[int, int, int, int]
"""Start of an amount in its shape and the numbers before it, and the same of its end."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one shape means. `joins` tells which runs of digits of a fine shape are one number, and if with decimals."""

    result: Amount | Problem | Refine
    joins: tuple[tuple[int, int, bool], ...] | None = field(default=None)
    places: tuple[Place, ...] = ()

    def spans(self, printed: Sequence[str]) -> tuple[tuple[int, int], ...]:
        """Offsets of the amount in a text with these numbers, and of the one that restates it."""
        if not printed:
            return tuple([(start, end) for start, _, end, _ in self.places])
        if len(printed) == 1 and len(self.places) == 1:
            start, before, end, until = self.places[0]
            more = len(printed[0]) - 1
            return ((start + before * more, end + until * more),)
        lengths = [len(number) - 1 for number in printed]
        return tuple(
            [(start + sum(lengths[:before]), end + sum(lengths[:until])) for start, before, end, until in self.places]
        )


@dataclass(frozen=True, slots=True)
class Options:
    """What the reader of a cell was told about it. Part of the key under which a shape's meaning is kept."""

    currency: str | None = None
    exponent: int | None = None
    unit: str | None = None
    decimal_comma: bool = False


Result: TypeAlias = Amount | Problem | Refine
