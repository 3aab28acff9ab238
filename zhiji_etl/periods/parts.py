"""Parts of a year: quarters, halves, the first n months, months by name.

In: a folded text such as `q1`, `1st half`, `前3季度` or `1-9月`. Out: which months of the year it means.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from zhiji_etl.periods.folding import MONTH_NUMBERS, alternatives, word_pattern

MONTH_NAME: Final = alternatives(list(MONTH_NUMBERS))


class Part(NamedTuple):
    """Months of a year, counted from its first one. `by_name` marks calendar months, which no fiscal year moves."""

    first: int
    months: int
    by_name: bool = False


def part_of_year(text: str) -> Part | None:
    """The months that a text means, or None; they lie in one year and in order."""
    for pattern, build in PARTS:
        match = pattern.fullmatch(text.strip())
        if match:
            part = build([group for group in match.groups() if group is not None])
            return part if part.months > 0 and 0 <= part.first <= 12 - part.months else None
    return None


def month_number(text: str) -> int:
    """The number of a month, from its name or its digits."""
    return MONTH_NUMBERS.get(text) or int(text)


# --- Helpers ----------------------------------------------------------------------------------------------------------


def _named_months(groups: list[str]) -> Part:
    first, last = month_number(groups[0]), month_number(groups[-1])
    return Part(first - 1, last - first + 1, by_name=True)


def _quarters(groups: list[str]) -> Part:
    first, last = int(groups[0]), int(groups[-1])
    return Part(3 * first - 3, 3 * (last - first + 1))


PARTS: Final[tuple[tuple[re.Pattern[str], Callable[[list[str]], Part]], ...]] = tuple(
    (re.compile(pattern), build)
    for pattern, build in (
        (r"q ?([1-4])|([1-4]) ?q|([1-4])(?:st|nd|rd|th) quarter|quarter ([1-4])", _quarters),
        (rf"([2-4]){word_pattern('report')}", lambda groups: Part(0, 3 * int(groups[0]))),
        (rf"第?([1-4]){word_pattern('quarter')}", _quarters),
        (
            rf"q([1-4])[-/]q?([1-4])|([1-4])q?-([1-4])q|第?([1-4])(?:季度?)?[-至到~]第?([1-4]){word_pattern('quarter')}",
            _quarters,
        ),
        (word_pattern("half_1"), lambda groups: Part(0, 6)),
        (word_pattern("half_2"), lambda groups: Part(6, 6)),
        (r"(\d\d?) ?(?:m|months|个月|個月)", lambda groups: Part(0, int(groups[0]))),
        (rf"{word_pattern('first')} ?(\d\d?) ?(?:months|个月|個月|月)", lambda groups: Part(0, int(groups[0]))),
        (r"(\d\d?)月份?", _named_months),
        (
            rf"{word_pattern('first')} ?([1-4]) ?(?:quarters|个?季度?|個季度?)",
            lambda groups: Part(0, 3 * int(groups[0])),
        ),
        (rf"({MONTH_NAME}) ?(?:-|to|through|/) ?({MONTH_NAME})", _named_months),
        (r"(\d\d?)月?(?:份)?[-至到~](\d\d?)月份?", _named_months),
    )
)
"""The parts of a year: quarters, halves, the first n months, months by name."""
