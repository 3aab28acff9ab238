"""Printed figures after section 2 of SEMANTICS.md: a text, and the bounds that it says.

In: digits, a way to print them and a unit. Out: `Print`: exact bounds, the readings from fine to coarse, and the same
as columns of a figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from oracle.elimination import Ends


@dataclass(frozen=True)
class Print:
    """A printed figure. `value` is None for a range; `rungs` counts the readings beyond the finest."""

    text: str
    unit: str
    value: Fraction | None
    step: Fraction
    rungs: int
    widest: Ends
    qualifier: str
    truncated: bool = False

    def at(self, level: int) -> Ends:
        """The bounds at one level of the readings; beyond the coarsest they stay as they are."""
        if self.rungs == 0 or self.value is None or level >= self.rungs:
            return self.widest
        return around(self.value, self.step * 10**level, truncated=self.truncated)

    @property
    def claims_only_above(self) -> bool:
        """Says nothing of how small it is."""
        return self.qualifier in ("below", "at_most")

    @property
    def columns(self) -> dict[str, Any]:
        """The same as columns of a figure, for a frame that is not read."""
        low, high = self.widest.low, self.widest.high
        return {
            "value": None if self.value is None else float(self.value),
            "low": float("-inf") if low is None else float(low),
            "high": float("inf") if high is None else float(high),
            "low_closed": low is not None and not self.widest.low_open,
            "high_closed": high is not None and not self.widest.high_open,
            "step": float(self.step),
            "step_max": float(self.step * 10**self.rungs),
            "qualifier": self.qualifier,
            "unit": self.unit,
        }


def around(value: Fraction, step: Fraction, *, truncated: bool = False) -> Ends:
    """What is rounded to, or with `truncated` cut off at, a number of this step."""
    if not truncated:
        return Ends(value - step / 2, value + step / 2)
    if value == 0:
        return Ends(-step, step, True, True)
    return Ends(value, value + step, False, True) if value > 0 else Ends(value - step, value, True, False)


def plain(digits: int, decimals: int, unit: str, *, about: bool = False, truncated: bool = False) -> Print:
    """`12.5`, `350`, `about 317`."""
    value = Fraction(digits, 10**decimals)
    rungs = _zeros(digits) if decimals == 0 else 0
    if about and rungs == 0 and abs(digits) >= 10:
        rungs = 1  # a number that is not round is read one step coarser, while a digit is left
    step = Fraction(1, 10**decimals)
    widest = around(value, step * 10**rungs, truncated=truncated)
    text = ("about " if about else "") + _text(digits, decimals, unit)
    return Print(text, unit, value, step, rungs, widest, "about" if about else "exact", truncated)


WORDS = {"above": "over", "at_least": "at least", "below": "less than", "at_most": "up to"}


def one_sided(digits: int, decimals: int, unit: str, qualifier: str, *, change: bool = False) -> Print:
    """`over 300`, `up to 40`: what cannot be negative is not below zero."""
    value, step = Fraction(digits, 10**decimals), Fraction(1, 10**decimals)
    is_open = qualifier in ("above", "below")
    if qualifier in ("above", "at_least"):
        widest = Ends(value, None, is_open)
    else:
        is_amount = unit != "percent" and not change
        widest = Ends(Fraction(0) if is_amount else None, value, False, is_open)
    return Print(f"{WORDS[qualifier]} {_text(digits, decimals, unit)}", unit, value, step, 0, widest, qualifier)


def span(low: int, high: int, unit: str) -> Print:
    """`5 to 6`: each end widened by its own half step, at its coarsest reading."""
    first, last = (Fraction(10 ** _zeros(digits), 2) for digits in (low, high))
    text = f"{low} to {_text(high, 0, unit)}"
    return Print(text, unit, None, Fraction(1), 0, Ends(low - first, high + last), "range")


def _zeros(digits: int) -> int:
    text = str(abs(digits))
    return len(text) - len(text.rstrip("0")) if digits else 0


def _text(digits: int, decimals: int, unit: str) -> str:
    sign, size = "-" if digits < 0 else "", abs(digits)
    whole, part = divmod(size, 10**decimals)
    shown = f"{sign}{whole}" + (f".{part:0{decimals}d}" if decimals else "")
    return shown + ("%" if unit == "percent" else "")
