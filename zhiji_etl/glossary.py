"""What codes mean: the page of all codes, as this package carries it.

In: a code, as it stands behind a message, in rejects or as the reason of a finding. Out: its causes and cures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

ROW: Final = re.compile(r'^\| <a id="[\w-]+"></a>`(?P<code>\w+)` \| (?P<cause>.*?) \|(?: (?P<cure>.*?) \|)?$')
"""A line of the page: its code, and one or two cells."""

HEADING: Final = "## "


class Meaning(NamedTuple):
    """What a code says in one place: the heading of the place, the cause, and the cure where the page has one."""

    where: str
    cause: str
    cure: str | None


def meanings(code: str) -> list[Meaning]:
    """Where a code stands and what it says there; nothing for what is no code.

    >>> meanings("period_reversed")[0].cure
    'Swap the dates.'
    """
    return _page().get(code, [])


@cache
def _page() -> dict[str, list[Meaning]]:
    package = Path(__file__).parent
    shipped = package / "_project" / "codes.md"
    page = shipped if shipped.is_file() else package.parent / "docs" / "codes.md"
    found: dict[str, list[Meaning]] = {}
    for code, meaning in _rows(page.read_text(encoding="utf-8")):
        found.setdefault(code, []).append(meaning)
    return found


def _rows(page: str) -> Iterator[tuple[str, Meaning]]:
    where = ""
    for line in page.splitlines():
        row = ROW.match(line)
        if row:
            yield row["code"], Meaning(where, row["cause"], row["cure"])
        elif line.startswith(HEADING):
            where = line.removeprefix(HEADING)
