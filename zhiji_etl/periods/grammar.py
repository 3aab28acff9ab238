"""The grammar of periods: one text, as people write it in English or Chinese, to the days it means.

In: a text such as `12 months ended March 31, 2020` or `2019年上半年`. Out: `Period`. `FORMS` is the grammar: each
form is a pattern, what it builds, and an example; the first form that fits is taken. Forms nest: the end of "nine
months ended ..." is read by the same grammar. The words stand in words.toml.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import cache, lru_cache, partial
from typing import Final, NamedTuple

from zhiji_etl.errors import PeriodError
from zhiji_etl.periods.ends import completed_left, completed_right
from zhiji_etl.periods.folding import LENGTHS, alternatives, fold, word_pattern
from zhiji_etl.periods.parts import MONTH_NAME, month_number, part_of_year
from zhiji_etl.periods.period import DAY, Period, last_of_month, months_later
from zhiji_etl.periods.year_ends import CALENDAR_YEAR_END, FiscalYearEnd, checked_year_end

MOST_JOINS: Final = 12
"""Places to cut a text; two dates have five."""

LONGEST: Final = 120
"""Characters; a longer text is prose, not a period."""


def parse_period(text: str, *, fiscal_year_end: FiscalYearEnd | None = None) -> Period:
    """The period that a text names.

    A fiscal year is named after the calendar year in which it ends; without `fiscal_year_end` (month, day) it is the
    calendar year. A plain year, quarter or month is always of the calendar. A two-digit year is one from 2000 on.

    Raises `PeriodError`: `period_unreadable` where no form fits (the hint lists the forms), `period_ambiguous` where
    two calendars read it differently (04/05/2020, and 2009-10 with a fiscal year), `period_reversed` where it ends
    before it starts, `fiscal_year_end_needed` for 2019/20 without one, `fiscal_year_end_invalid` where there is no such
    day.
    """
    year_end = checked_year_end(fiscal_year_end)
    days = read(fold(text), year_end) if len(text) <= LONGEST else None
    if days is None:
        raise _unreadable(text)
    return Period.between(days.start, days.end, text, is_flow=days.is_flow)


@cache
def known_forms() -> str:
    """The sentence that lists an example of each known form."""
    return "Known forms are " + "; ".join(dict.fromkeys(form.example for form in FORMS if form.example)) + "."


class Days(NamedTuple):
    """The first and the last day, and whether a figure runs up over them."""

    start: date
    end: date
    is_flow: bool = True


class Form(NamedTuple):
    """One way to write a period. `build` gets the named groups and the fiscal year's end; None: try the next form."""

    example: str
    pattern: re.Pattern[str]
    build: Callable[[dict[str, str], FiscalYearEnd], Days | None]


@lru_cache(maxsize=1 << 16)
def read(text: str, year_end: FiscalYearEnd) -> Days | None:
    """The days that a folded text means, or None; `PeriodError` where it is ambiguous or reversed."""
    for form in FORMS:
        match = form.pattern.fullmatch(text)
        days = _built(form, match, year_end) if match else None
        if days is not None:
            return days
    return _interval(text, year_end)


# --- Helpers: days ----------------------------------------------------------------------------------------------------


def _unreadable(text: str) -> PeriodError:
    """What is wrong with a text that no form fits; where only a word is missing, which one."""
    folded = fold(text) if len(text) <= LONGEST else ""
    if re.fullmatch(word_pattern("trailing_year"), folded):
        return PeriodError("period_unreadable", f"{text!r} does not say when it ends.", hint=f"Write {text} 2020-03.")
    if part_of_year(folded):
        return PeriodError("period_unreadable", f"{text!r} names no year.", hint="Write it as 2020Q1 or 2020年一季度.")
    return PeriodError("period_unreadable", f"{_short(text)!r} names no period.", hint=known_forms())


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _built(form: Form, match: re.Match[str], year_end: FiscalYearEnd) -> Days | None:
    try:
        return form.build({k: v for k, v in match.groupdict().items() if v is not None}, year_end)
    except (ValueError, OverflowError):  # 2020-02-30, or outside the calendar
        return None


def _day(found: dict[str, str], _: FiscalYearEnd) -> Days:
    day = date(_year(found["year"]), month_number(found["month"]), int(found["day"]))
    return Days(day, day, is_flow=False)


def _slashed_day(found: dict[str, str], _: FiscalYearEnd) -> Days:
    """31/12/2019 and 12/31/2019 can be read one way only; 04/05/2020 two ways, and is refused."""
    first, second, year = int(found["first"]), int(found["second"]), int(found["year"])
    if first <= 12 and second <= 12 and first != second:
        raise PeriodError(
            "period_ambiguous",
            f"{found['first']}/{found['second']}/{year} may be {year}-{first:02d}-{second:02d} or "
            f"{year}-{second:02d}-{first:02d}.",
            hint="Write the date as YYYY-MM-DD.",
        )
    month, day = (first, second) if second > 12 else (second, first)
    return Days(date(year, month, day), date(year, month, day), is_flow=False)


def _calendar_month(found: dict[str, str], _: FiscalYearEnd) -> Days:
    year, month = _year(found["year"]), month_number(found["month"])
    # `Sep-30` and `Sep '30` are of 2030; in `ended September 30` the year is said elsewhere.
    if found.get("mark") == " " and len(found["year"]) == 2 and 1 <= int(found["year"]) <= 31:
        name, number = found["month"].capitalize(), found["year"]
        what = f"{name} {number} may be a month of {year}, or a day."
        hint = f"Write the year in full: {name} {year}, or {name} {number}, {year}."
        raise PeriodError("period_ambiguous", what, hint=hint)
    return Days(date(year, month, 1), last_of_month(year, month))


def _numbered_month(found: dict[str, str], year_end: FiscalYearEnd) -> Days:
    """2020-03 is a month; so is 2009-10, but to those whose fiscal years end within a year it may be one of these."""
    year, month = int(found["year"]), int(found["month"])
    doubled = found["sign"] in "-/" and len(found["month"]) == 2 and month == year % 100 + 1
    if doubled and year_end != CALENDAR_YEAR_END:
        printed = f"{year}{found['sign']}{month:02d}"
        what = f"{printed} may be a month, or the fiscal year that ends in {year + 1}."
        hint = f"Write {year}M{month:02d} for the month, FY{printed} for the year."
        raise PeriodError("period_ambiguous", what, hint=hint)
    return _calendar_month(found, year_end)


def _calendar_year(found: dict[str, str], _: FiscalYearEnd) -> Days:
    year = _year(found["year"])
    return Days(date(year, 1, 1), date(year, 12, 31))


def _fiscal_year(found: dict[str, str], year_end: FiscalYearEnd) -> Days:
    year = _year(found["year"])
    return Days(_fiscal_end(year - 1, year_end) + DAY, _fiscal_end(year, year_end))


def _double_year(found: dict[str, str], year_end: FiscalYearEnd) -> Days | None:
    """2019/20: the fiscal year that ends in 2020."""
    first, second = int(found["first"]), int(found["second"])
    if second not in (first + 1, (first + 1) % 100):
        return None
    if year_end == CALENDAR_YEAR_END:
        raise PeriodError(
            "fiscal_year_end_needed",
            f"The fiscal year {first}/{(first + 1) % 100:02d} needs the day on which it ends.",
            hint='Give it: fiscal_year_end = "03-31" in the sidecar, or fiscal_year_ends={"NAME": "03-31"} on a table.',
        )
    return _fiscal_year({"year": str(first + 1 if first > 99 else (first + 1) % 100)}, year_end)


def _week(found: dict[str, str], _: FiscalYearEnd) -> Days:
    monday = date.fromisocalendar(int(found["year"]), int(found["week"]), 1)
    return Days(monday, monday + 6 * DAY)


def _part_of_year(found: dict[str, str], year_end: FiscalYearEnd) -> Days | None:
    part = part_of_year(found["part"])
    if part is None or (part.by_name and "fiscal" in found):
        return None
    whole = (_fiscal_year if "fiscal" in found else _calendar_year)(found, year_end)
    return _months_from(months_later(whole.start, part.first), part.months)


def _months_from(start: date, months: int) -> Days:
    return Days(start, months_later(start, months) - DAY)


def _year(digits: str) -> int:
    return int(digits) if len(digits) == 4 else 2000 + int(digits)


def _fiscal_end(year: int, year_end: FiscalYearEnd) -> date:
    """The day on which the fiscal year of that name ends; one that ends in February ends on its last day."""
    month, day = year_end
    last = last_of_month(year, month)
    return last if month == 2 and day >= 28 else date(year, month, day)


# --- Helpers: spans that are named by their end -----------------------------------------------------------------------


def _ended(found: dict[str, str], year_end: FiscalYearEnd) -> Days | None:
    at = read(found["at"], year_end)
    return _days_to(at.end, int(found.get("count", "1")), LENGTHS[found["length"]]) if at else None


def _ended_by_name(found: dict[str, str], year_end: FiscalYearEnd) -> Days | None:
    """The March quarter 2020 is the quarter that ends with March."""
    return _ended({"at": f"{found['month']} {found['year']}", "length": found["length"]}, year_end)


def _days_to(end: date, count: int, length: str) -> Days:
    months = {"month": 1, "quarter": 3, "half": 6, "year": 12}.get(length)
    if months is not None:
        return Days(months_later(end + DAY, -months * count), end)
    return Days(end + DAY - timedelta(days=count * {"week": 7, "day": 1}[length]), end)


def _trailing_year(found: dict[str, str], year_end: FiscalYearEnd) -> Days | None:
    return _ended(found | {"count": "12", "length": "months"}, year_end)


def _year_start_to(found: dict[str, str], _: FiscalYearEnd) -> Days | None:
    """2020年初至9月30日: from the first of January, whatever the fiscal year."""
    prefix = f"{found['year']}年" if "year" in found else ""
    return _year_to_date({"at": prefix + found["at"]}, CALENDAR_YEAR_END)


def _year_to_date(found: dict[str, str], year_end: FiscalYearEnd) -> Days | None:
    at = read(found["at"], year_end)
    if at is None:
        return None
    starts = [_fiscal_end(at.end.year - back, year_end) + DAY for back in (0, 1)]
    return Days(next(start for start in starts if start <= at.end), at.end)


def _point(found: dict[str, str], year_end: FiscalYearEnd) -> Days | None:
    at = read(found["at"], year_end)
    return Days(at.end, at.end, is_flow=False) if at else None


# --- Helpers: intervals -----------------------------------------------------------------------------------------------


def _lasting(found: dict[str, str], year_end: FiscalYearEnd) -> Days | None:
    """An ISO 8601 interval with a duration: `2019-04-01/P1Y`, or `P1Y/2020-03-31` (inclusive, as all dates here)."""
    at = read(found["at"], year_end)
    if at is None:
        return None
    months, days = {"y": (12, 0), "m": (1, 0), "w": (0, 7), "d": (0, 1)}[found["unit"]]
    count = int(found["count"])
    if found.get("before"):
        return Days(months_later(at.end + DAY, -months * count) - timedelta(days=days * count), at.end)
    return Days(at.start, months_later(at.start, months * count) + timedelta(days=days * count) - DAY)


def _interval(text: str, year_end: FiscalYearEnd) -> Days | None:
    """Two periods joined by a word or a dash, tried at each place where they may be joined."""
    text = CLOSING.sub("", OPENING.sub("", text))
    joins = [join for pattern in JOINS for join in pattern.finditer(text)]
    places = joins if len(joins) <= MOST_JOINS else []
    sides = ((text[: join.start()].strip(), text[join.end() :].strip()) for join in places)
    return _first(partial(_joined, left, right, year_end) for left, right in sides)


def _joined(left: str, right: str, year_end: FiscalYearEnd) -> Days | None:
    if not left or not right:
        return None
    end = _first_read([right, *completed_right(left, right)], year_end)
    start = _first_read([left, *completed_left(left, right)], year_end)
    if start is None or end is None:
        return None
    if start.start > end.end:
        raise PeriodError("period_reversed", f"{left} to {right} ends before it starts.")
    return Days(start.start, end.end)


def _first_read(texts: list[str], year_end: FiscalYearEnd) -> Days | None:
    return _first(partial(read, text, year_end) for text in texts)


def _first(readings: Iterable[Callable[[], Days | None]]) -> Days | None:
    """What the first reading gives that has a sense; where none has, why the first that was refused was."""
    refusal: PeriodError | None = None
    for reading in readings:
        try:
            days = reading()
        except PeriodError as error:
            refusal = refusal or error
            continue
        if days is not None:
            return days
    if refusal:
        raise refusal
    return None


# --- The grammar ------------------------------------------------------------------------------------------------------

YEAR: Final = r"(?P<year>(?:1[89]|20|21)\d\d)"
ANY_YEAR: Final = r"'?(?P<year>(?:1[89]|20|21)\d\d|\d\d)"
MONTH: Final = r"(?P<month>0?[1-9]|1[0-2])"
DAY_NUMBER: Final = r"(?P<day>0?[1-9]|[12]\d|3[01])"
NAMED_MONTH: Final = f"(?P<month>{MONTH_NAME})"
FISCAL: Final = f"(?P<fiscal>{word_pattern('fiscal_before')})"
LENGTH: Final = f"(?P<length>{alternatives(list(LENGTHS))})"
AT: Final = r"(?P<at>.+?)"
FISCAL_AFTER: Final = rf"(?P<fiscal>{word_pattern('fiscal_after')})"
OPENING: Final = re.compile(rf"^{word_pattern('from')} ?")
CLOSING: Final = re.compile(rf"{word_pattern('closing_span')}$")
JOINS: Final = (
    re.compile(rf"\b{word_pattern('through')}\b|{word_pattern('through_sign')}"),
    re.compile("/"),
    re.compile("-"),
)
"""Where an interval may be cut, the surest first: a date of its own may hold strokes and dashes."""


def _form(example: str, pattern: str, build: Callable[[dict[str, str], FiscalYearEnd], Days | None]) -> Form:
    return Form(example, re.compile(pattern), build)


FORMS: Final[tuple[Form, ...]] = (
    _form("2019", rf"(?:{word_pattern('year_before')} ?)?{YEAR}(?: ?{word_pattern('year_after')})?", _calendar_year),
    _form("", rf"cy ?{ANY_YEAR}", _calendar_year),
    _form("FY2020", rf"{word_pattern('fiscal_before')} ?{ANY_YEAR}", _fiscal_year),
    _form("2020财年", rf"{YEAR} ?{word_pattern('fiscal_after')}", _fiscal_year),
    _form("2020-03", rf"{YEAR}(?P<sign>[-/.]){MONTH}", _numbered_month),
    _form("", rf"{YEAR}(?P<month>0[1-9]|1[0-2])", _calendar_month),
    _form("", rf"{YEAR}-?m{MONTH}", _calendar_month),
    _form("", rf"{MONTH}[-/.]{YEAR}", _calendar_month),
    _form("Mar 2020", rf"(?:month of )?{NAMED_MONTH}(?: of)?(?P<mark>[ /'-]*){ANY_YEAR}", _calendar_month),
    _form("", rf"{YEAR}[ /-]*{NAMED_MONTH}", _calendar_month),
    _form("2020年3月", rf"{YEAR}年{MONTH}月份?", _calendar_month),
    _form("", r"(?P<first>\d{4})[/-](?P<second>\d\d)", _double_year),
    _form("FY2019/20", rf"{FISCAL} ?(?P<first>\d\d|\d{{4}})[/-](?P<second>\d\d|\d{{4}})", _double_year),
    _form("", rf"(?P<first>\d{{4}})[/-](?P<second>\d\d|\d{{4}})年? ?{FISCAL_AFTER}", _double_year),
    _form("2020-03-31", rf"{YEAR}([-/.]){MONTH}\2{DAY_NUMBER}", _day),
    _form("", rf"{YEAR}(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])", _day),
    _form("March 31, 2020", rf"{NAMED_MONTH}[ -]?{DAY_NUMBER}(?:st|nd|rd|th)? ?[ -]?{YEAR}", _day),
    _form("", rf"{DAY_NUMBER}(?:st|nd|rd|th)?(?: of)?[ /-]?{NAMED_MONTH}[ /-]?{YEAR}", _day),
    _form("2020年3月31日", rf"{YEAR}年{MONTH}月{DAY_NUMBER}[日号號]", _day),
    _form("", rf"(?P<first>\d\d?)([/.-])(?P<second>\d\d?)\2{YEAR}", _slashed_day),
    _form("", rf"{YEAR}[- ]?w(?P<week>\d\d?)", _week),
    _form(
        "2020Q1, 1Q20, H1 2020, 9M 2020",
        rf"(?P<part>.+?)(?: of| in)?[ /-]*(?:{FISCAL} ?|cy ?)?{ANY_YEAR}年?",
        _part_of_year,
    ),
    _form(
        "2020年一季度, 上半年, 前三季度, 1-9月",
        rf"(?:cy ?)?{ANY_YEAR}(?: ?{word_pattern('year_after')})?[ /-]*(?P<part>.+)",
        _part_of_year,
    ),
    _form("", rf"{FISCAL} ?{ANY_YEAR}[ /-]*(?P<part>.+)", _part_of_year),
    _form("", rf"{YEAR}{FISCAL_AFTER}(?P<part>.+)", _part_of_year),
    _form(
        "12 months ended March 31, 2020",
        rf"(?:{word_pattern('before_span')} )*(?:(?P<count>\d{{1,3}}) ?)?{LENGTH}(?: period)?"
        rf" {word_pattern('ended')} (?:on )?{AT}",
        _ended,
    ),
    _form("March quarter 2020", rf"(?P<month>{MONTH_NAME}) (?P<length>quarter)(?: of)? {YEAR}", _ended_by_name),
    _form("", rf"(?P<month>{MONTH_NAME}) {YEAR} (?P<length>quarter)", _ended_by_name),
    _form(
        "截至2020年3月31日止年度",
        rf"{word_pattern('cut_off')}?{AT}{word_pattern('closing')}{word_pattern('before_span')}?(?P<count>\d{{1,3}})?{LENGTH}",
        _ended,
    ),
    _form(
        "TTM 2020-03",
        rf"{word_pattern('trailing_year')}(?: ?{word_pattern('ended')}|至|{word_pattern('cut_off')})?[ -]*{AT}",
        _trailing_year,
    ),
    _form("", rf"{AT}[ -]*{word_pattern('trailing_year')}", _trailing_year),
    _form(
        "YTD September 2020", rf"{word_pattern('year_to_date')}(?: ?{word_pattern('ended')})?[ -]*{AT}", _year_to_date
    ),
    _form("2020年初至9月30日", rf"(?:{YEAR})?{word_pattern('year_start_to')}{AT}", _year_start_to),
    _form("", rf"{AT}[ -]*{word_pattern('year_to_date')}", _year_to_date),
    _form("2019-04-01/P1Y", rf"{AT}/p(?P<count>\d{{1,3}})(?P<unit>[ymwd])", _lasting),
    _form("", rf"(?P<before>p)(?P<count>\d{{1,3}})(?P<unit>[ymwd])/{AT}", _lasting),
    _form("as of 2020-03-31, 2019年末", rf"{word_pattern('as_of')} ?{AT}", _point),
    _form("", rf"{AT} ?{word_pattern('at_end')}", _point),
    _form("2019-04-01/2020-03-31, Nov 2020 to Dec 2020", r"(?!)", lambda found, year_end: None),
)
"""All forms, the first that fits is taken. An interval of two periods is tried after them."""
