"""The short way to a figure: one printed number, or a range of two, each times a power of ten, by whole numbers alone.

In: an `Amount` that is `plain`, the literals of one text, and the figure that restates it, if any. Out: the same
`Figure` that fractions would give (SEMANTICS, section 2), or None where this way is not enough. Bounds are in the
figure's own unit. No errors are raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, make_dataclass
from decimal import Context, Decimal
from typing import Any, Final, TypeAlias

from zhiji_etl.figures import Figure, Qualifier, Reading
from zhiji_etl.reading.grammar.meanings import Amount, Number

INFINITY: Final = Decimal("Infinity")
Span: TypeAlias = tuple[int, int]

_DIGITS: Final = 60
"""Longer numbers, and higher powers, take the long way."""
_POWERS: Final = tuple(10**k for k in range(4 * _DIGITS))
_STEPS: Final = {e: Decimal((0, (1,), e)) if e < 0 else Decimal(10**e) for e in range(-130, 131)}
_scaleb: Final = Context(prec=8 * _DIGITS).scaleb
_EXACT: Final = Qualifier.EXACT
_ABOUT: Final = Qualifier.ABOUT


def quick_figure(
    amount: Amount, literals: Sequence[str], text: str, span: Span, truncated: bool, restated: Figure | None
) -> Figure | None:
    """The figure of a plain amount, `restated` by another one unless that says the same; None: take the long way."""
    if len(amount.numbers) > 1:
        return _range(amount, literals, text, span, truncated)
    read = _printed(amount.numbers[0], amount, literals)
    if read is None:
        return None
    mantissa, exponent, zeros, several = read
    qualifier = amount.qualifier
    if several and not zeros and qualifier is _ABOUT:
        zeros = 1
    value = _decimal(mantissa, exponent)
    whole = amount.whole and exponent >= 0
    if truncated or whole or (qualifier is not _EXACT and qualifier is not _ABOUT):
        low, low_closed, high, high_closed = _bounds(amount, mantissa, exponent, zeros, truncated, whole)
    else:
        tenths, half = 10 * mantissa, 5 * _POWERS[zeros]
        low, high = _decimal(tenths - half, exponent - 1), _decimal(tenths + half, exponent - 1)
        low_closed = high_closed = True
    if restated is not None and restated.value == value and restated.unit == amount.unit:
        restated = None
    step = _STEPS[exponent]
    return _figure(
        text, span, value, low, high, low_closed, high_closed, step, _STEPS[exponent + zeros] if zeros else step,
        amount.unit, qualifier, None, None, restated, _readings(amount, value) if amount.readings else (),
    )  # fmt: skip


# ---- a range --------------------------------------------------------------------------------------------------------


def _range(amount: Amount, literals: Sequence[str], text: str, span: Span, truncated: bool) -> Figure | None:
    """A range: each end widened to its own precision, on the side that it bounds."""
    one = _printed(amount.numbers[0], amount, literals)
    two = _printed(amount.numbers[1], amount, literals)
    if one is None or two is None or one[1] + amount.shared >= _DIGITS:
        return None
    least = min(one[1], two[1])
    if amount.shared and abs(one[0]) * _POWERS[one[1] + amount.shared - least] <= abs(two[0]) * _POWERS[two[1] - least]:
        one = (one[0], one[1] + amount.shared, *one[2:])
    elif amount.shared:
        return None
    if one[0] * _POWERS[one[1] - least] > two[0] * _POWERS[two[1] - least]:
        if two[0] >= 0:
            return None
        one, two = two, one
    lowest, _ = _around(10 * one[0], 10 * _POWERS[one[2]], truncated)
    _, highest = _around(10 * two[0], 10 * _POWERS[two[2]], truncated)
    whole = amount.whole and least >= 0
    least -= 1
    low, high = lowest[0] * _POWERS[one[1] - 1 - least], highest[0] * _POWERS[two[1] - 1 - least]
    ends = _cut(low, lowest[1], high, highest[1], least) if whole else None
    if ends is None:
        ends = _decimal(low, least), lowest[1], _decimal(high, least), highest[1]
    return _figure(
        text, span, None, ends[0], ends[2], ends[1], ends[3], _STEPS[min(one[1], two[1])],
        _STEPS[max(one[1] + one[2], two[1] + two[2])], amount.unit, Qualifier.RANGE,
        _decimal(*one[:2]), _decimal(*two[:2]), None, _readings(amount, None),
    )  # fmt: skip


# ---- numbers and bounds ---------------------------------------------------------------------------------------------

_Number: TypeAlias = tuple[int, int, int, bool]
_Ends: TypeAlias = tuple[Decimal, bool, Decimal, bool]


def _printed(number: Number, amount: Amount, literals: Sequence[str]) -> _Number | None:
    """Whole digits with their sign, their power of ten, the zeros of the coarsest reading, and whether more than one
    digit is left without them.
    """
    term = number.terms[0]
    whole, _, fraction = (term.digits if term.literal is None else literals[term.literal]).partition(".")
    digits, exponent = whole + fraction, term.exponent - len(fraction)
    if not digits.isdecimal() or len(digits) > _DIGITS or not -_DIGITS < exponent < _DIGITS:
        return None
    mantissa = int(digits)
    if fraction or amount.declared or not mantissa:
        return mantissa * number.sign, exponent, 0, len(digits.strip("0")) > 1
    bare = digits.rstrip("0")
    return mantissa * number.sign, exponent, len(digits) - len(bare), len(bare.lstrip("0")) > 1


def _decimal(mantissa: int, exponent: int) -> Decimal:
    """A whole number times a power of ten, exactly, without idle zeros after the point."""
    if exponent >= 0:
        return Decimal(mantissa * _POWERS[exponent])
    while mantissa % 10 == 0 and exponent < 0:
        mantissa, exponent = mantissa // 10, exponent + 1
    return _scaleb(mantissa, exponent)


def _bounds(amount: Amount, mantissa: int, exponent: int, zeros: int, truncated: bool, whole: bool) -> _Ends:
    """Low and high and whether each belongs to the bounds; computed in tenths of the last digit."""
    value, tenth, qualifier = 10 * mantissa, exponent - 1, amount.qualifier
    low: int | None
    high: int | None
    if qualifier is _EXACT or qualifier is _ABOUT:
        (low, low_closed), (high, high_closed) = _around(value, 10 * _POWERS[zeros], truncated)
    elif qualifier is Qualifier.ABOVE or qualifier is Qualifier.AT_LEAST:
        low, low_closed, high, high_closed = value, qualifier is Qualifier.AT_LEAST, None, False
    else:
        low_closed = amount.signless and mantissa >= 0
        low, high, high_closed = 0 if low_closed else None, value, qualifier is Qualifier.AT_MOST
    cut = _cut(low, low_closed, high, high_closed, tenth) if whole else None
    return cut or (
        -INFINITY if low is None else _decimal(low, tenth), low_closed,
        INFINITY if high is None else _decimal(high, tenth), high_closed,
    )  # fmt: skip


def _around(value: int, size: int, truncated: bool) -> tuple[tuple[int, bool], tuple[int, bool]]:
    """The bounds of a number rounded or truncated to a multiple of `size`."""
    if not truncated:
        return (value - size // 2, True), (value + size // 2, True)
    return (value - (value <= 0) * size, value > 0), (value + (value >= 0) * size, value < 0)


def _cut(low: int | None, low_closed: bool, high: int | None, high_closed: bool, exponent: int) -> _Ends | None:
    """The bounds cut to whole numbers; None where no whole number is within them."""
    up, down = (_POWERS[exponent], 1) if exponent >= 0 else (1, _POWERS[-exponent])
    first = None if low is None else -(-low * up // down) if low_closed else low * up // down + 1
    last = None if high is None else high * up // down if high_closed else -(-high * up // down) - 1
    if first is not None and last is not None and first > last:
        return None
    return (
        -INFINITY if first is None else Decimal(first), first is not None,
        INFINITY if last is None else Decimal(last), last is not None,
    )  # fmt: skip


# ---- figures --------------------------------------------------------------------------------------------------------


def _draft(made: type[Any]) -> type[Any]:
    """A class with the slots of a frozen one, not frozen: its instances are filled, then handed over to that one.

    The constructor of a frozen class sets every field by a call of its own, which takes six times as long.
    """
    return make_dataclass(f"{made.__name__}Draft", [(field.name, Any) for field in fields(made)], slots=True)


_Draft: Final[Any] = _draft(Figure)
_ReadingDraft: Final[Any] = _draft(Reading)
_new: Final[Any] = object.__new__


def _figure(
    text: str, span: Span, value: Decimal | None, low: Decimal, high: Decimal, low_closed: bool, high_closed: bool,
    step: Decimal, step_max: Decimal, unit: str, qualifier: Qualifier, range_low: Decimal | None,
    range_high: Decimal | None, restated: Figure | None, readings: tuple[Reading, ...],
) -> Figure:  # fmt: skip
    made: Any = _new(_Draft)
    made.text = text
    made.start, made.end = span
    made.value = value
    made.low = low
    made.high = high
    made.low_closed = low_closed
    made.high_closed = high_closed
    made.step = step
    made.step_max = step_max
    made.unit = unit
    made.qualifier = qualifier
    made.range_low = range_low
    made.range_high = range_high
    made.restated = restated
    made.ambiguous = readings
    made.__class__ = Figure
    return made  # type: ignore[no-any-return]


def _readings(amount: Amount, value: Decimal | None) -> tuple[Reading, ...]:
    return tuple([_reading(value, unit, reason) for unit, reason in amount.readings])


def _reading(value: Decimal | None, unit: str, reason: str) -> Reading:
    made: Any = _new(_ReadingDraft)
    made.value = value
    made.unit = unit
    made.reason = reason
    made.__class__ = Reading
    return made  # type: ignore[no-any-return]
