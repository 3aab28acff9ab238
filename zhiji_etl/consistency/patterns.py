"""Patterns of slips: what a person or a script did to a figure, judged by the bounds that it must have.

In: the printed number as Decimal, its step, and the bounds that it must have, all in one unit; None is no bound.
Out: the slips that fit, the most telling first, each with the corrected number. "Fits" means that the corrected figure,
read at the printed step, meets the bounds (ends closed).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Final, NamedTuple

NAMED_POWERS: Final = {4: "factor_wan", 8: "factor_yi"}
"""Powers of ten that are words: 万 and 亿 left out, doubled, or taken for each other (亿 for 万 is 4 again)."""

LARGEST_POWER: Final = 12
"""No scale word in use is larger than a trillion."""

EXACT: Final = Context(prec=200)
"""More digits than anybody prints."""


@dataclass(frozen=True, slots=True)
class Slip:
    """A pattern by name, and the number that was meant; as printed where only the reading of it was wrong."""

    name: str
    corrected: Decimal


class _Try(NamedTuple):
    """A slip, and the half step to either side with which its number is read."""

    slip: Slip
    half: Decimal


def slips(
    printed: Decimal, step: Decimal, low: Decimal | None, high: Decimal | None, *, base: Decimal | None = None
) -> list[Slip]:
    """The slips that turn what must have been meant into what was printed, none where the print fits as it stands.

    `step`: one unit of the last printed digit. `base`: for a change printed in percent, the level in percent that it
    changed from; only with it `percent_for_percentage_point` is tried. Where nothing bounds the figure, nothing is
    telling. Names: `sign`, `digits_swapped` (neighbours), `factor_wan`, `factor_yi`, `factor_1e<n>`,
    `percent_for_percentage_point`, `truncation`, `digit_wrong`; factors say what the print must be multiplied by.
    """
    half = EXACT.divide(step, Decimal(2))
    if (low is None and high is None) or _meets(printed - half, printed + half, low, high):
        return []
    tries = (*_signs(printed, half), *_swaps(printed, step), *_factors(printed, half), *_points(printed, half, base))
    truncated = _truncated(printed, step, low, high)
    fitting = [*_fitting(tries, low, high), *truncated, *_fitting(_wrong_digits(printed, step), low, high)]
    return list({slip.corrected: slip for slip in reversed(fitting)}.values())[::-1]


# --- what is tried ---------------------------------------------------------------------------------------------------


def _signs(printed: Decimal, half: Decimal) -> Iterator[_Try]:
    if printed:
        yield _Try(Slip("sign", -printed), half)


def _swaps(printed: Decimal, step: Decimal) -> Iterator[_Try]:
    digits, unit = _digits(printed, step)
    for i in range(len(digits) - 1):
        swapped = digits[:i] + digits[i + 1] + digits[i] + digits[i + 2 :]
        if swapped != digits and swapped[0] != "0":
            yield _number("digits_swapped", printed, swapped, unit)


def _factors(printed: Decimal, half: Decimal) -> Iterator[_Try]:
    """Powers of ten, those that are words before the others, small ones before large ones."""
    powers = [power for n in range(1, LARGEST_POWER + 1) for power in (n, -n)] if printed else []
    for power in sorted(powers, key=lambda n: abs(n) not in NAMED_POWERS):
        name = NAMED_POWERS.get(abs(power), f"factor_1e{power}")
        yield _Try(Slip(name, printed.scaleb(power, EXACT)), half.scaleb(power, EXACT))


def _points(printed: Decimal, half: Decimal, base: Decimal | None) -> Iterator[_Try]:
    """So many percentage points of a level in percent are so many percent of that level."""
    if base:
        share = EXACT.divide(Decimal(100), abs(base))
        yield _Try(Slip("percent_for_percentage_point", EXACT.multiply(printed, share)), EXACT.multiply(half, share))


def _wrong_digits(printed: Decimal, step: Decimal) -> Iterator[_Try]:
    digits, unit = _digits(printed, step)
    for i, digit in enumerate(digits):
        for other in "0123456789":
            if other != digit and (i or other != "0" or len(digits) == 1):
                yield _number("digit_wrong", printed, digits[:i] + other + digits[i + 1 :], unit)


def _truncated(printed: Decimal, step: Decimal, low: Decimal | None, high: Decimal | None) -> list[Slip]:
    """Cut off instead of rounded: `[v, v + step)` for v > 0, mirrored for v < 0, both sides for 0."""
    below = printed - step if printed <= 0 else printed
    above = printed + step if printed >= 0 else printed
    inside = (low is None or low < above or (printed < 0 and low == above)) and (
        high is None or high > below or (printed > 0 and high == below)
    )
    return [Slip("truncation", printed)] if inside else []


# --- helpers ---------------------------------------------------------------------------------------------------------


def _digits(printed: Decimal, step: Decimal) -> tuple[str, Decimal]:
    """The digits as printed, trailing zeros included, and the unit of the last one."""
    exponent = min(int(printed.as_tuple().exponent), step.adjusted())
    unit = Decimal(1).scaleb(exponent)
    return str(int(EXACT.divide(abs(printed), unit))), unit


def _number(name: str, printed: Decimal, digits: str, unit: Decimal) -> _Try:
    number = EXACT.multiply(Decimal(digits), unit)
    return _Try(Slip(name, -number if printed < 0 else number), EXACT.divide(unit, Decimal(2)))


def _fitting(tries: Iterable[_Try], low: Decimal | None, high: Decimal | None) -> list[Slip]:
    return [t.slip for t in tries if _meets(t.slip.corrected - t.half, t.slip.corrected + t.half, low, high)]


def _meets(low: Decimal, high: Decimal, must_low: Decimal | None, must_high: Decimal | None) -> bool:
    return (must_low is None or high >= must_low) and (must_high is None or low <= must_high)
