"""The ends of an interval, completed by what the other end says: `2020年3月1日至31日`, `April 1 to June 30 2020`.

In: the two folded texts. Out: readings of one of them, to be tried in this order.
"""

from __future__ import annotations

import re

from zhiji_etl.periods.parts import MONTH_NAME


def completed_right(left: str, right: str) -> list[str]:
    """Readings of an end that leaves out what the start said: 2020年3月1日至31日, 2019-04-01/06-30, march 1-15 2020."""
    chinese = re.match(r"(\d{4}年)(\d{1,2}月)?", left)
    if chinese:
        return [chinese[1] + right, chinese[1] + (chinese[2] or "") + right]
    iso = re.match(r"(\d{4}-)(\d\d-)?", left)
    if iso:
        return [iso[1] + right, iso[1] + (iso[2] or "") + right]
    return [f"{named[0]} {right}"] if (named := re.match(MONTH_NAME, left)) else []


def completed_left(left: str, right: str) -> list[str]:
    """Readings of a start that leaves out what the end says: april 1 to june 30 2020, 1-15 march 2020."""
    year = re.search(r"\d{4}$", right)
    tail = re.sub(r"^\d{1,2}(?:st|nd|rd|th)? ", "", right)
    return [f"{left} {year[0]}", f"{left} {tail}"] if year else []
