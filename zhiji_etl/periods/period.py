"""A period: the days that a figure is about.

In: dates. Out: `Period`, inclusive of both ends, with its kind, its canonical label, its predecessors and its parts.
Calendar arithmetic counts whole months, so a fiscal year that ends in March steps back by a year just as 2019 does.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

from zhiji_etl.errors import PeriodError

DAY: Final = timedelta(days=1)


class PeriodKind(StrEnum):
    """How long a period is, wherever it starts."""

    YEAR = "year"
    HALF = "half"
    QUARTER = "quarter"
    MONTH = "month"
    DAY = "day"
    OTHER = "other"


MONTHS: Final = {PeriodKind.YEAR: 12, PeriodKind.HALF: 6, PeriodKind.QUARTER: 3, PeriodKind.MONTH: 1}
"""Whole months in a kind that has them."""

WEEKS: Final = {
    52: PeriodKind.YEAR,
    53: PeriodKind.YEAR,
    26: PeriodKind.HALF,
    27: PeriodKind.HALF,
    13: PeriodKind.QUARTER,
    14: PeriodKind.QUARTER,
}
"""Years that are counted in weeks, as retailers do, and their halves and quarters."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `start` to `end`, both included, as `text` printed them.

    `is_flow` is false for a point in time (a balance at a date), true where a figure ran up over the days.
    `PeriodError` (`period_reversed`) where the end lies before the start.
    """

    text: str
    start: date
    end: date
    kind: PeriodKind
    is_flow: bool = True

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise PeriodError("period_reversed", f"{self.text!r} ends on {self.end}, before it starts on {self.start}.")

    @classmethod
    def between(cls, start: date, end: date, text: str | None = None, *, is_flow: bool = True) -> Period:
        """The period of these days; its kind follows from them, its text is the label unless one is given."""
        kind = kind_of(start, end)
        return cls(text if text is not None else label_of(start, end, kind), start, end, kind, is_flow)

    @property
    def days(self) -> int:
        """The number of calendar days."""
        return (self.end - self.start).days + 1

    @property
    def label(self) -> str:
        """The canonical name: `2019`, `2020H1`, `2020Q1`, `2020-03`, `2020-03-31`, else `2019-04-01/2020-03-31`."""
        return label_of(self.start, self.end, self.kind)

    @property
    def previous(self) -> Period:
        """The same kind one step back (环比): 2020Q1 gives 2019Q4, a fiscal year the one before.

        A cumulative span of other length up to a year (1-9月) steps back a year, since nobody sets it beside the nine
        months that end where it starts; any other span steps back by its own length. `PeriodError` (`no_previous`)
        before the year 1.
        """
        months = whole_months(self.start, self.end)
        if months is None:
            return self._earlier(days=self.days)
        return self._earlier(months=12 if self.kind is PeriodKind.OTHER and months < 12 else months)

    @property
    def year_before(self) -> Period:
        """The same days of the year before (同比). The last day of a month stays one; weeks keep their weekdays."""
        months = whole_months(self.start, self.end)
        if self.kind in MONTHS and months is None:
            return self._earlier(days=364)
        return self._earlier(months=12)

    def sub_periods(self, kind: PeriodKind | str) -> list[Period]:
        """The parts of that kind, in order, without gap or overlap; together they are the period.

        The quarters of a fiscal year are counted from its own start. `PeriodError` (`no_sub_periods`) where the
        period is no whole number of them.
        """
        kind = PeriodKind(kind)
        if kind is PeriodKind.DAY:
            days = [self.start + n * DAY for n in range(self.days)]
            return [Period.between(day, day) for day in days]
        months, step = whole_months(self.start, self.end), MONTHS.get(kind)
        if months is None or step is None or months % step:
            raise PeriodError("no_sub_periods", f"{self.label} is not made of whole periods of kind {kind.value!r}.")
        starts = [
            months_later(self.start, n) for n in range(0, months + 1, step)
        ]  # each from the first: no day is lost
        spans = [(start, following - DAY) for start, following in pairwise(starts)]
        return [Period(label_of(*span, kind), *span, kind) for span in spans]

    def _earlier(self, *, months: int = 0, days: int = 0) -> Period:
        try:
            end = _end_earlier(self.end, months) - days * DAY
            start = end if self.start == self.end else months_later(self.start, -months) - days * DAY
        except (ValueError, OverflowError):
            raise PeriodError("no_previous", f"Nothing lies before {self.label}.") from None
        return Period(label_of(start, end, self.kind), start, end, self.kind, self.is_flow)


def kind_of(start: date, end: date) -> PeriodKind:
    """The kind of these days. A month is a calendar month; a year, half or quarter may start on any day."""
    if start == end:
        return PeriodKind.DAY
    weeks, odd_days = divmod((end - start).days + 1, 7)
    months = whole_months(start, end)
    by_months = {length: kind for kind, length in MONTHS.items() if length > 1 or start.day == 1}
    if months in by_months:
        return by_months[months]
    return WEEKS.get(weeks, PeriodKind.OTHER) if odd_days == 0 else PeriodKind.OTHER


def label_of(start: date, end: date, kind: PeriodKind) -> str:
    """The canonical name of these days: short for periods of the calendar, an ISO 8601 interval for all others."""
    if kind is PeriodKind.DAY:
        return start.isoformat()
    months = MONTHS.get(kind)
    if months is None or start.day != 1 or (start.month - 1) % months or whole_months(start, end) != months:
        return f"{start.isoformat()}/{end.isoformat()}"
    number = (start.month - 1) // months + 1
    return f"{start.year:04d}" + {12: "", 6: f"H{number}", 3: f"Q{number}", 1: f"-{number:02d}"}[months]


def whole_months(start: date, end: date) -> int | None:
    """How many whole months these days are, or None."""
    if end >= date.max:
        return None
    after = end + DAY
    months = (after.year - start.year) * 12 + after.month - start.month
    return months if months > 0 and months_later(start, months) == after else None


def months_later(day: date, months: int) -> date:
    """The same day of the month so many months later, or that month's last day. `ValueError` outside the calendar."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def last_of_month(year: int, month: int) -> date:
    """The last day of a month."""
    return date(year, month, calendar.monthrange(year, month)[1])


def _end_earlier(end: date, months: int) -> date:
    """The end so many months earlier; the last day of a month stays one (2021-02-28 to 2020-02-29)."""
    earlier = months_later(end, -months)
    return last_of_month(earlier.year, earlier.month) if end == last_of_month(end.year, end.month) else earlier
