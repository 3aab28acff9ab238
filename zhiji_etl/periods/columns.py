"""Periods of whole columns: each distinct text is read once and joined back.

In: a frame with a column of texts. Out: the same rows in the same order with the columns of `PERIOD_COLUMNS`.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Final

import polars as pl

from zhiji_etl.distinct import Frame, with_answers
from zhiji_etl.errors import PeriodError
from zhiji_etl.periods.grammar import parse_period
from zhiji_etl.periods.period import Period, PeriodKind
from zhiji_etl.periods.year_ends import FiscalYearEnd, year_end_day

PERIOD_COLUMNS: Final[dict[str, pl.DataType]] = {
    "period_start": pl.Date(),
    "period_end": pl.Date(),
    "period_kind": pl.String(),
    "period_label": pl.String(),
    "period_is_flow": pl.Boolean(),
    "period_code": pl.String(),
    "period_reason": pl.String(),
}
"""What `resolve_periods` adds. Where a text is unreadable only code and reason say something, else all but these."""

PREVIOUS_COLUMNS: Final[dict[str, pl.DataType]] = dict.fromkeys(
    ("previous_start", "previous_end", "year_before_start", "year_before_end"), pl.Date()
)
"""What `previous_table` adds: inclusive dates, null where nothing lies before."""


def resolve_periods(frame: Frame, column: str = "period", fiscal_year_end: FiscalYearEnd | str | None = None) -> Frame:
    """The frame with `PERIOD_COLUMNS` added or replaced; rows and order stay, a LazyFrame stays lazy.

    `column` holds texts, whole years or dates. `fiscal_year_end` is one (month, day), or the name of a column of
    `MM-DD` texts (null: the calendar year). A text that cannot be read is a code in `period_code` and a reason in
    `period_reason`, never an error; so is a null. Raises `PeriodError` only for a `fiscal_year_end` that is no day.
    """
    keys = {_TEXT: pl.col(column).cast(pl.String), _YEAR_END: _year_end_key(fiscal_year_end)}
    return with_answers(frame, keys, _resolved, PERIOD_COLUMNS)


def previous_table(periods: pl.DataFrame) -> pl.DataFrame:
    """Distinct periods (`period_start`, `period_end`, `period_kind`) with `PREVIOUS_COLUMNS` added, in the same order.

    `previous_*` is the same kind one step back, `year_before_*` the same days of the year before: see `Period`.
    """
    rows = periods.select("period_start", "period_end", "period_kind").iter_rows()
    steps = [_steps_back(*row) for row in rows]
    return periods.hstack(pl.DataFrame(steps, schema=PREVIOUS_COLUMNS, orient="row"))


# --- Helpers ----------------------------------------------------------------------------------------------------------

MISSING: Final = "period_unreadable"
_TEXT: Final = "__period_text"
_YEAR_END: Final = "__period_year_end"


def _year_end_key(fiscal_year_end: FiscalYearEnd | str | None) -> pl.Expr:
    if isinstance(fiscal_year_end, str):
        return pl.col(fiscal_year_end).cast(pl.String)
    if fiscal_year_end is None:
        return pl.lit(None, dtype=pl.String)
    parse_period("2020", fiscal_year_end=fiscal_year_end)  # refuses a day that does not exist, once for all rows
    return pl.lit("{:02d}-{:02d}".format(*fiscal_year_end))


def _resolved(distinct: pl.DataFrame) -> pl.DataFrame:
    rows = [_fields(text, year_end) for text, year_end in distinct.iter_rows()]
    return pl.DataFrame(rows, schema=PERIOD_COLUMNS, orient="row")


@lru_cache(maxsize=1 << 16)
def _fields(text: str | None, year_end: str | None) -> tuple[date | str | bool | None, ...]:
    if text is None:
        return (None, None, None, None, None, MISSING, "The period is missing.")
    try:
        ends_on = None if year_end is None else year_end_day(year_end)
        period = parse_period(text, fiscal_year_end=ends_on)
    except PeriodError as error:
        return (None, None, None, None, None, error.code, str(error))
    return (period.start, period.end, period.kind.value, period.label, period.is_flow, None, None)


def _steps_back(start: date | None, end: date | None, kind: str | None) -> tuple[date | None, ...]:
    if start is None or end is None or kind is None:
        return (None, None, None, None)
    period = Period("", start, end, PeriodKind(kind))
    try:
        previous, year_before = period.previous, period.year_before
    except PeriodError:
        return (None, None, None, None)
    return (previous.start, previous.end, year_before.start, year_before.end)
