"""What changed from one run to another, a line for each figure and each verdict, the loudest first.

In: a `Comparison`. Out: Rich renderables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl
from rich.console import Group, RenderableType
from rich.text import Text

from zhiji_etl.comparison import Comparison, counted
from zhiji_etl.sources.names import safe_terminal
from zhiji_etl.terminal.findings import ends

LISTED: Final = 50
"""Lines of each kind in a terminal; the rest are counted."""

COLOURS: Final[Mapping[str, str]] = {"changed": "bold red", "gone": "red", "restated": "yellow", "added": "green"}


def comparison_text(comparison: Comparison) -> RenderableType:
    """A comparison for a terminal: the counts, then each flipped verdict and each figure, the loudest first."""
    counts = [f"{count} {change}" for change, count in counted(comparison.figures).items() if count]
    head = Text(f"{comparison.before} -> {comparison.after}: {', '.join(counts) or 'no figure differs'}")
    verdicts = [_flip_line(row) for row in comparison.verdicts.head(LISTED).iter_rows(named=True)]
    figures = [_change_line(row) for row in comparison.figures.head(LISTED).iter_rows(named=True)]
    more = _more(comparison.verdicts, "verdicts"), _more(comparison.figures, "figures")
    return Group(head, *verdicts, *more[0], *figures, *more[1])


# ------------------------------------------------------------------------------------------------------------- helpers


def _flip_line(row: Mapping[str, Any]) -> Text:
    subject = " ".join(safe_terminal(row[name]) for name in ("rule", "entity", "period") if row[name])
    return Text.assemble(("  verdict   ", "bold"), f"{subject}: {row['before'] or 'none'} -> {row['after'] or 'none'}")


def _change_line(row: Mapping[str, Any]) -> Text:
    subject = " ".join(safe_terminal(row[name]) for name in ("entity", "metric", "period") if row[name])
    said = " -> ".join(safe_terminal(text) for text in (_said(row, "before"), _said(row, "after")) if text)
    side = "after" if row["source_after"] else "before"
    place = safe_terminal(f"{row[f'source_{side}']} {row[f'locator_{side}']}")
    change = (f"  {row['change']:9} ", COLOURS.get(row["change"], ""))
    return Text.assemble(change, f"{subject}: {said}  ", (place, "dim"))


def _said(row: Mapping[str, Any], side: str) -> str:
    """What a side prints; where both print the same, with what it is read as, which is then what differs."""
    printed = row[f"printed_{side}"]
    if printed is None:
        return ""
    vintage = f" ({row[f'vintage_{side}']})" if row[f"vintage_{side}"] else ""
    alike = row["printed_before"] == row["printed_after"] and row["vintage_before"] == row["vintage_after"]
    if not alike:
        return f"{printed}{vintage}"
    return f"{printed}{vintage} ({ends(*(row[f'{name}_{side}'] for name in ('low', 'high', 'unit')))})"


def _more(frame: pl.DataFrame, what: str) -> Iterator[Text]:
    if frame.height > LISTED:
        yield Text(f"  and {frame.height - LISTED} more {what}; --json tells all")
