"""The names of a file's columns: each there, none twice, not too many.

In: names as their file gives them. Out: the same, or a `SourceError`.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from zhiji_etl.errors import SourceError
from zhiji_etl.sources.names import safe_terminal

COLUMN_LIMIT: Final = 10_000
WIDE_HINT: Final = "Is it a wide table? Draft a sidecar: zhiji-etl sidecar FILE."
HEADER_HINT: Final = f"The first line names the columns, one name a cell. {WIDE_HINT}"


def checked_columns(name: str, names: list[str]) -> tuple[str, ...]:
    """The names of the columns, or a `SourceError`: `columns_too_many`, `header_invalid`, `header_duplicate`."""
    shown = safe_terminal(name)
    if len(names) > COLUMN_LIMIT:
        what = f"{shown} has {len(names):,} columns, more than {COLUMN_LIMIT:,}."
        raise SourceError("columns_too_many", what, hint="Give one figure a row: entity, metric, period, printed.")
    if not names or not all(names):
        what = f"{shown}: column {names.index('') + 1} has no name." if names else f"{shown}: the first line is blank."
        raise SourceError("header_invalid", what, hint=HEADER_HINT)
    repeated = [safe_terminal(one) for one, times in Counter(names).items() if times > 1]
    if repeated:
        what = f"{shown}: the header names these columns twice: {', '.join(repeated)}."
        raise SourceError(
            "header_duplicate", what, hint=f"Rename or remove one: it cannot be told which is meant. {WIDE_HINT}"
        )
    return tuple(names)


def empty_file(name: str) -> SourceError:
    """The error for a file without a header."""
    return SourceError(
        "source_empty",
        f"{safe_terminal(name)} is empty.",
        hint="The first line names the columns: entity,metric,period,printed.",
    )
