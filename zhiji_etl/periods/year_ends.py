"""The ends of fiscal years: a day of the year as text, and the column that says it of each row.

In: `MM-DD` texts, or entities with theirs. Out: (month, day), or a frame with the column `fiscal_year_end`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from zhiji_etl.distinct import Frame
from zhiji_etl.errors import PeriodError

FiscalYearEnd = tuple[int, int]
"""Month and day on which a fiscal year ends: (3, 31)."""

CALENDAR_YEAR_END: Final[FiscalYearEnd] = (12, 31)

YEAR_END: Final = re.compile(r"([0-9]{1,2})-([0-9]{1,2})")
"""A day of the year as text: its month, then its day."""


def year_end_day(text: str) -> FiscalYearEnd:
    """Month and day of a text such as `03-31`; `PeriodError` (`fiscal_year_end_invalid`) where it is no such day."""
    found = YEAR_END.fullmatch(text)
    if found is None:
        raise PeriodError("fiscal_year_end_invalid", f"{text!r} is no day of the year.", hint="Write it as 03-31.")
    return checked_year_end((int(found[1]), int(found[2])))


def with_year_ends(frame: Frame, year_ends: Mapping[str, str]) -> Frame:
    """The frame with the column `fiscal_year_end` (`MM-DD`), in which null is filled with the day of its `entity`.

    `year_ends` names entities and their days. What a row has keeps standing; rows and order stay.
    """
    own = pl.col("fiscal_year_end") if "fiscal_year_end" in frame.collect_schema() else pl.lit(None, pl.String)
    entity = pl.col("entity").cast(pl.String).str.strip_chars()
    declared = entity.replace_strict(year_ends, default=None, return_dtype=pl.String)
    return frame.with_columns(fiscal_year_end=pl.coalesce(own, declared) if year_ends else own)


def checked_year_end(fiscal_year_end: FiscalYearEnd | None) -> FiscalYearEnd:
    """The day, the calendar's where none is given; `PeriodError` (`fiscal_year_end_invalid`) where it is none."""
    month, day = fiscal_year_end or CALENDAR_YEAR_END
    try:
        date(2020, month, day)
    except ValueError:
        raise PeriodError(
            "fiscal_year_end_invalid",
            f"A fiscal year cannot end on month {month}, day {day}.",
            hint="Give month and day, such as (3, 31).",
        ) from None
    return month, day
