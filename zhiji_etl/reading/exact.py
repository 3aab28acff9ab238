"""A meaning and its digits make a figure, in exact decimal arithmetic.

In: an `Amount` and the literals of one text. Out: a `Figure` with value, bounds, steps (SEMANTICS, section 2).
Bounds are in the figure's own unit. Errors: `FigureError` with `excess_digits` or `out_of_range`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from math import ceil, floor
from typing import Final, NamedTuple

from zhiji_etl.errors import FigureError
from zhiji_etl.figures import Figure, Qualifier, Reading
from zhiji_etl.reading.grammar.meanings import Amount, Number, Term
from zhiji_etl.reading.quick import INFINITY, quick_figure

LIMIT: Final = 300
"""No figure is printed beyond 10 to this power, and Float64 ends soon after."""

_POWERS: Final = tuple(10**k for k in range(LIMIT + 1))
_EXACT: Final = Context(prec=2 * LIMIT + 1000)
_DIVISION_DIGITS: Final = 34


class Precision(NamedTuple):
    """How a figure's last digit is to be understood: declared decimals, and rounding or truncation."""

    decimals: int | None = None
    truncated: bool = False


class Printed(NamedTuple):
    """A number as printed: its value, the size of its last digit, and how many zeros end it."""

    value: Fraction
    step: Fraction
    zeros: int
    digits: int
    all_zeros: int


def figure(
    amount: Amount, literals: Sequence[str], text: str, spans: tuple[tuple[int, int], ...], precision: Precision
) -> Figure:
    """The figure that `amount` makes of `literals`; `spans` holds its offsets, and those of the restated one."""
    if precision.decimals is None and amount.plain:
        restated = None
        if amount.restated is not None:
            restated = figure(amount.restated, literals, text, spans[1:], precision)
        quick = quick_figure(amount, literals, text, spans[0], precision.truncated, restated)
        if quick is not None:
            return quick
    return worked_out(amount, literals, text, spans, precision)


def worked_out(
    amount: Amount, literals: Sequence[str], text: str, spans: tuple[tuple[int, int], ...], precision: Precision
) -> Figure:
    """The same by fractions, for numbers of any make: sums, ranges, fractions, declared decimals."""
    start, end = spans[0]
    try:
        low, high, parts = _bounds(amount, literals, precision)
    except FigureError as error:
        raise FigureError(error.code, error.message, text=text, start=start, end=end, hint=error.hint) from None
    restated = None
    if amount.restated is not None and len(spans) > 1:
        restated = figure(amount.restated, literals, text, spans[1:], Precision(None, precision.truncated))
    value = decimal(parts[0].value) if len(parts) == 1 else None
    if restated is not None and restated.value == value and restated.unit == amount.unit:
        restated = None
    ends = sorted(decimal(part.value) for part in parts) if len(parts) > 1 else [None, None]
    return Figure(
        text=text,
        start=start,
        end=end,
        value=value,
        low=low.end,
        high=high.end,
        low_closed=low.closed,
        high_closed=high.closed,
        step=decimal(min(part.step for part in parts)),
        step_max=decimal(max(part.step * 10**part.zeros for part in parts)),
        unit=_unit(amount, literals, text, spans[0]),
        qualifier=Qualifier.RANGE if len(parts) > 1 else amount.qualifier,
        range_low=ends[0],
        range_high=ends[1],
        restated=restated,
        ambiguous=tuple(Reading(value, unit, reason) for unit, reason in amount.readings),
    )


def printed(number: Number, literals: Sequence[str]) -> Printed:
    """The exact value of a number and what its print says of its precision."""
    pieces = [_piece(term, literals) for term in number.terms]
    least = min(exponent for _, exponent, _, _ in pieces)
    mantissa = sum(whole * _power(exponent - least) for whole, exponent, _, _ in pieces)
    decimals_shown = any(shown for _, exponent, shown, _ in pieces if exponent == least)
    factor = number.terms[0].factor
    size = _scaled(factor, least)
    all_zeros = _trailing_zeros(mantissa)
    zeros = 0 if decimals_shown or (number.over and not number.rate) or number.plus else all_zeros
    value, step = mantissa * size * number.sign, size
    if number.over is not None:
        below = printed(number.over, literals)
        if not below.value:
            raise FigureError("division_by_zero", "The printed fraction divides by zero.")
        value, step = value / below.value, abs(step / below.value)
    if number.plus is not None:
        more = printed(number.plus, literals)
        value, step = value + more.value * number.sign, more.step
    if value and not -LIMIT < _magnitude(value) < LIMIT:
        raise FigureError("out_of_range", f"The number is beyond 10 to the power of {LIMIT}.")
    return Printed(value, step, zeros, len(str(mantissa)) - all_zeros, all_zeros)


def decimal(value: Fraction) -> Decimal:
    """A fraction as a Decimal: exact where it has a finite expansion, else 34 digits."""
    bottom = value.denominator
    if bottom == 1:
        return Decimal(value.numerator)
    twos = (bottom & -bottom).bit_length() - 1
    fives, rest = 0, bottom >> twos
    while rest % 5 == 0:
        rest //= 5
        fives += 1
    if rest == 1:
        places = max(twos, fives)
        return _EXACT.scaleb(Decimal(value.numerator * 10**places // bottom), -places)
    with localcontext(prec=_DIVISION_DIGITS):
        return Decimal(value.numerator) / Decimal(bottom)


# --------------------------------------------------------------------------------------------------


def _unit(amount: Amount, literals: Sequence[str], text: str, span: tuple[int, int]) -> str:
    """Its unit; `m2` is a square metre, `km3` a cubic kilometre."""
    if amount.power is None:
        return amount.unit
    power = _POWER_NAMES.get(literals[amount.power])
    if power is None:
        message = "There is more than one figure in this text."
        raise FigureError("several_figures", message, text=text, start=span[0], end=span[1])
    if amount.power_first:
        return f"{power}_{amount.unit}"
    whole, stroke, last = amount.unit.rpartition("/")
    return f"{whole}{stroke}{power}_{last}"


_POWER_NAMES: Final = {"2": "square", "3": "cubic"}


class _End(NamedTuple):
    end: Decimal
    closed: bool


def _bounds(amount: Amount, literals: Sequence[str], precision: Precision) -> tuple[_End, _End, list[Printed]]:
    parts = _parts(amount, literals)
    if amount.halves is not None and parts[0].value > parts[-1].value:
        raise FigureError("contradiction", "The lower bound is above the upper one.")
    parts = [_declared(part, amount, precision) for part in parts]
    if len(parts) == 1 and amount.qualifier in (Qualifier.EXACT, Qualifier.ABOUT):
        about = amount.qualifier is Qualifier.ABOUT
        parts = [part._replace(zeros=1) if about and not part.zeros and part.digits > 1 else part for part in parts]
    if len(parts) == 1:
        low, high = _one(amount, parts[0], precision)
    elif amount.halves is not None:
        low = _one(amount.halves[0], parts[0], precision)[0]
        high = _one(amount.halves[1], parts[1], precision)[1]
    else:
        first, last = sorted(parts, key=lambda part: part.value)
        low, high = _around(first, precision)[0], _around(last, precision)[1]
        if amount.exact:
            low, high = (first.value, True), (last.value, True)
    if amount.whole and min(part.step for part in parts) >= 1:
        low, high = _whole(low, high)
    return _end(low, -INFINITY), _end(high, INFINITY), parts


def _parts(amount: Amount, literals: Sequence[str]) -> list[Printed]:
    """The number, or both ends of a range; a scale after the second end holds for the first where that makes sense."""
    parts = [printed(number, literals) for number in amount.numbers]
    if len(parts) > 1 and amount.shared:
        shared = printed(amount.numbers[0].scaled(amount.shared), literals)
        if abs(shared.value) <= abs(parts[1].value):
            parts[0] = shared
        elif abs(parts[0].value) * _THOUSAND < abs(parts[1].value):
            raise FigureError(
                "unclear_range",
                "The first end of this range has no scale, and with that of the second it is the larger.",
                hint="Write the scale of both ends: 900万-1.1亿, 800 thousand to 1.2 million.",
            )
    if len(parts) > 1 and amount.halves is None and parts[0].value > parts[1].value >= 0:
        raise FigureError("contradiction", "The first end of this range is the larger one.", hint=_TURNED)
    return parts


_THOUSAND: Final = 1000
"""A first end without a scale that is so much smaller than the second may be thousands, or 万: 900-1.1亿."""
_TURNED: Final = "Give two figures their own rows, or put the lower end first."


def _declared(part: Printed, amount: Amount, precision: Precision) -> Printed:
    if precision.decimals is None or amount.exact:
        return part._replace(zeros=0) if amount.declared or amount.exact else part
    step = _scaled(1, -precision.decimals)
    if (part.value / step).denominator != 1:
        raise FigureError(
            "excess_digits",
            f"More digits are printed than the declared decimals ({precision.decimals}) allow.",
            hint="Correct the declared decimals, or the figure.",
        )
    return part._replace(step=step, zeros=0)


Side = tuple[Fraction | None, bool]
"""An end and whether it belongs to the bounds; None is infinity."""


def _one(amount: Amount, part: Printed, precision: Precision) -> tuple[Side, Side]:
    value = part.value
    if amount.exact:
        return (value, True), (value, True)
    far: Side = (Fraction(0), True) if amount.signless and value >= 0 else (None, False)
    match amount.qualifier:
        case Qualifier.ABOVE:
            if amount.numbers[0].open and value > 0:
                return (value, False), (value + part.step * 10**part.all_zeros, False)
            return (value, False), (None, False)
        case Qualifier.AT_LEAST:
            return (value, True), (None, False)
        case Qualifier.BELOW:
            if amount.numbers[0].open and value < 0:
                return (value - part.step * 10**part.all_zeros, False), (value, False)
            return far, (value, False)
        case Qualifier.AT_MOST:
            return far, (value, True)
    return _around(part, precision)


def _around(part: Printed, precision: Precision) -> tuple[Side, Side]:
    """The bounds of a rounded or truncated number at its coarsest reading."""
    step = part.step * 10**part.zeros
    if not precision.truncated:
        return (part.value - step / 2, True), (part.value + step / 2, True)
    if part.value > 0:
        return (part.value, True), (part.value + step, False)
    if part.value < 0:
        return (part.value - step, False), (part.value, True)
    return (-step, False), (step, False)


def _whole(low: Side, high: Side) -> tuple[Side, Side]:
    """The bounds cut to whole numbers, where whole numbers are within them."""
    first, last = low, high
    if low[0] is not None:
        first = (Fraction(ceil(low[0]) if low[1] else floor(low[0]) + 1), True)
    if high[0] is not None:
        last = (Fraction(floor(high[0]) if high[1] else ceil(high[0]) - 1), True)
    if first[0] is not None and last[0] is not None and first[0] > last[0]:
        return low, high
    return first, last


def _end(side: Side, infinite: Decimal) -> _End:
    return _End(infinite, False) if side[0] is None else _End(decimal(side[0]), side[1])


def _piece(term: Term, literals: Sequence[str]) -> tuple[int, int, bool, int]:
    """The whole digits of a term, their power of ten, whether decimals are shown, and how many digits there are."""
    text = term.digits if term.literal is None else literals[term.literal]
    mantissa, _, power = text.replace("E", "e").partition("e")
    whole, _, fraction = mantissa.partition(".")
    exponent = term.exponent - len(fraction) + int(power or 0)
    if term.power is not None and term.base is not None:
        if literals[term.base] != "10":
            raise FigureError("unread_text", "Only powers of ten are read.")
        exponent += term.power_sign * int(literals[term.power].partition(".")[0][:6])
    if abs(exponent) > LIMIT or len(whole) + len(fraction) > LIMIT:
        raise FigureError("out_of_range", f"The number has more than {LIMIT} digits.")
    digits = int(whole + fraction or "0")
    return digits, exponent, bool(fraction), len(whole + fraction)


def _scaled(factor: int, exponent: int) -> Fraction:
    return Fraction(factor * _power(exponent)) if exponent >= 0 else Fraction(factor, _power(-exponent))


def _power(exponent: int) -> int:
    return _POWERS[exponent] if exponent <= LIMIT else int(10**exponent)


def _trailing_zeros(mantissa: int) -> int:
    if not mantissa:
        return 0
    text = str(mantissa)
    return len(text) - len(text.rstrip("0"))


def _magnitude(value: Fraction) -> int:
    return len(str(abs(value.numerator))) - len(str(value.denominator))
