"""How a finding was read, in another language: the library writes its readings in English.

In: the `reading` of a finding. Out: the same in the language of a wording; what is not known stays as it is.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from zhiji_etl.wording import Wording, wording

HOLE: Final = re.compile(r"\\\{(\w+)\\\}")


def reading(text: str, words: Wording) -> str:
    """Each part of a reading in the language of the wording."""
    return words("bounds.listed").join(_part(part, words) for part in text.split(", "))


def _part(text: str, words: Wording) -> str:
    for name, pattern in _patterns().items():
        found = pattern.fullmatch(text)
        if found:
            return words(f"readings.{name}", **found.groupdict())
    return words.name("methods", text)


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    """The English entries as patterns, their holes as groups."""
    english = wording("en").table("readings")
    return {name: re.compile(HOLE.sub(r"(?P<\1>.+)", re.escape(entry))) for name, entry in english.items()}
