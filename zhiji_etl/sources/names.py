"""Names as people may see them: nearest right names for hints, and text that cannot steer a terminal.

In: names and texts from outside. Out: the same, safe to print on one line. No units.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable

STEERING_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that move a cursor, hide or reorder text: control, format, surrogate, line and paragraph ends."""

BRIEF = 1_000
"""Characters of a cell that a line of a terminal shows."""


def safe_terminal(text: str) -> str:
    r"""Give `text` with every character that could steer a terminal written out (`\x1b`, `\n`, `\u202e`).

    >>> safe_terminal("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def brief(text: str) -> str:
    """The same, cut where it is longer than any name or sentence: one cell must not fill a terminal."""
    shown = safe_terminal(text)
    return shown if len(shown) <= BRIEF else f"{shown[:BRIEF]}…"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The one of `known` that is spelled most like `name`, case and spaces aside; None where none is near.

    >>> nearest("perod", ["entity", "period"])
    'period'
    """
    folded = {_folded(other): other for other in known}
    match = difflib.get_close_matches(_folded(name), folded, n=1, cutoff=0.6)
    return folded[match[0]] if match else None


def _visible(character: str) -> str:
    if unicodedata.category(character) not in STEERING_CATEGORIES:
        return character
    return character.encode("unicode_escape").decode("ascii")


def _folded(name: str) -> str:
    return name.strip().casefold().replace(" ", "_").replace("-", "_")
