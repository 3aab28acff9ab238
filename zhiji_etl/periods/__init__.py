"""Periods: what a text such as `2019`, `FY2020`, `2020Q1` or `2019年上半年` means in days.

`parse_period` reads one text, `resolve_periods` a column, `previous_table` steps back in time. All dates are
inclusive. The words of both languages stand in words.toml.
"""

from zhiji_etl.periods.columns import previous_table, resolve_periods
from zhiji_etl.periods.grammar import known_forms, parse_period
from zhiji_etl.periods.period import Period, PeriodKind
from zhiji_etl.periods.year_ends import FiscalYearEnd, with_year_ends, year_end_day

__all__ = [
    "FiscalYearEnd",
    "Period",
    "PeriodKind",
    "known_forms",
    "parse_period",
    "previous_table",
    "resolve_periods",
    "with_year_ends",
    "year_end_day",
]
