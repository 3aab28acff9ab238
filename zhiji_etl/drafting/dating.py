"""Periods that a table tells in parts: a month below a title with the year, years below `Year ended March 31`.

In: the texts of headers or labels, what stands beside or above them, and the lines over the table. Out: `Dated`, the
whole period of each text that is none, or another one, by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from zhiji_etl.errors import PeriodError
from zhiji_etl.labels import split_label, without_marks
from zhiji_etl.periods import Period, parse_period
from zhiji_etl.periods.folding import fold
from zhiji_etl.periods.parts import MONTH_NAME, part_of_year

MARCH: Final = (3, 31)
"""The end of a fiscal year that is not that of the calendar: it tells what is a fiscal year."""

_FORECAST: Final = re.compile(r"(?<=\d)([AEFP])$")
_YEAR: Final = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_MONTH: Final = re.compile(r"(?<!\d)(?:19|20)\d\d年\d{1,2}月|\b[A-Z][a-z]{2,8}\.?,? (?:19|20)\d\d\b")
_NAMED: Final = re.compile(rf"\b{MONTH_NAME}\b|\d月")
_PART: Final = re.compile(r"(?:\d{1,2}月?[-—–~至])?\d{1,2}月(?:份)?(?:累计)?")


class Dated(NamedTuple):
    """A text of an axis and the period that it stands for, null where nobody knows; `why` says what tells so.

    What is not `sure` is for a person to confirm.
    """

    text: str
    period: str | None
    why: str = ""
    sure: bool = False


def dated(texts: Sequence[str], beside: Sequence[str], above: Sequence[str]) -> tuple[Dated, ...]:
    """The texts of a lone axis of periods that are not whole by themselves.

    `beside` are the texts in the corner of the table that belong to the axis, `above` the lines over the table.
    """
    found = (_dated(text, beside, above) for text in texts)
    return tuple(one for one in found if one is not None)


def within(text: str, above: Sequence[str]) -> Dated | None:
    """The period of a text that says more: `Revenue 2022`, `11月销量` and `1-11月累计` below a title with the year."""
    part = _PART.match(text)
    if part and (whole := _of_the_year(part[0], above)):
        return whole._replace(text=text)
    words = split_label(without_marks(text))[0].split()
    ends = (" ".join(words[at:]) for at in range(1, len(words)))
    starts = (" ".join(words[:at]) for at in range(len(words) - 1, 0, -1))
    found = next((end for end in (*ends, *starts) if _parsed(end) is not None), None)
    return None if found is None else Dated(text, found, "its header says so", sure=True)


def without_forecast(text: str) -> str:
    """A year without the letter that says whether it is an estimate: `2023E`."""
    return _FORECAST.sub("", text)


# -------------------------------------------------------------------------------------------------------- helpers


def _dated(text: str, beside: Sequence[str], above: Sequence[str]) -> Dated | None:
    """What a text stands for where that is not what it says; null where it says all."""
    label = split_label(without_marks(text))[0]
    plain = without_forecast(label)
    is_estimate = plain != label and not label.endswith("A")
    alone = _days(plain)
    for corner in beside:
        for whole in (f"{corner} {plain}", f"{plain}{corner}"):
            if alone and (days := _days(whole)) and days != alone:
                return Dated(label, whole, f"as “{corner}” beside it says", sure=not is_estimate)
    if alone:
        return (
            None
            if plain == label
            else Dated(label, plain, "an estimate?" if is_estimate else "an actual", not is_estimate)
        )
    return _of_the_year(label, above) or Dated(label, None)


def _of_the_year(text: str, above: Sequence[str]) -> Dated | None:
    """A part of a year in the only year that is told above; sure unless it lies after the month told there."""
    if not (part_of_year(folded := fold(text)) or _NAMED.search(folded)):
        return None
    years = dict.fromkeys(year for line in above for year in _YEAR.findall(line))
    for whole in _completed(text, [*years]):
        period = _parsed(whole)
        if period is not None:
            told = [month for line in above for month in _MONTH.findall(line)]
            ends = [month.end for month in map(_parsed, told) if month is not None]
            return Dated(text, whole, "the year stands above", sure=all(period.end <= end for end in ends))
    return None


def _completed(text: str, years: Sequence[str]) -> Iterator[str]:
    if len(years) == 1:
        yield from (f"{years[0]}年{text}", f"{text} {years[0]}", f"{years[0]} {text}")


def _days(text: str) -> tuple[date, date] | None:
    found = _parsed(text)
    return (found.start, found.end) if found else None


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Period | None:
    try:
        return parse_period(text, fiscal_year_end=MARCH)
    except PeriodError:
        return None
