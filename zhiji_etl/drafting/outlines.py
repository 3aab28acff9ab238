"""What a grid looks like: where its table is, what its headers and labels say, and its caption.

In: a `Grid` and the names of known metrics. Out: an `Outline`. It is a guess from the kinds of the cells: figures,
periods, captions and other texts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from zhiji_etl.errors import FigureError, PeriodError
from zhiji_etl.labels import is_firm, split_label, understood
from zhiji_etl.periods import parse_period
from zhiji_etl.reading import parse
from zhiji_etl.sources.grids import Grid, column_letters

ROWS_SEEN: Final = 300
COLUMNS_SEEN: Final = 60
UNIT_WORDS: Final = frozenset({"单位", "货币单位", "unit", "units", "currency"})
"""Words before a caption that make it no label."""
_BRACKETS: Final = "()（）[]【】"
NO_FIGURES: Final = frozenset({"not_available", "not_meaningful", "not_applicable", "several_figures"})
"""Codes of cells that stand where a figure could."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A table in a grid. `cells` is its first cell; `columns` and `rows` are axes as a sidecar names them.

    `labels` are the texts of the metric axis, `untold` what no axis says; `caption_at` is where the caption stands.
    """

    cells: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    labels: tuple[str, ...]
    untold: tuple[str, ...]
    caption: str | None = None
    caption_at: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class _Axis:
    side: str
    texts: tuple[str, ...]
    kind: str


def outlined(grid: Grid, metrics: Collection[str]) -> Outline | None:
    """The table of a grid; null where no row holds a figure beside a label."""
    table = [[(text or "").strip() for text in row[:COLUMNS_SEEN]] for row in grid.rows(0, ROWS_SEEN)]
    first = _first_data_row(table)
    if first is None:
        return None
    start, left = _label_columns(table[first:])
    data = [row for row in table[first:] if any(row[left:])]
    top = _first_header_row(table, first, left)
    axes = [_axis("columns", table[row][left:]) for row in range(top, first)]
    axes += [_axis("rows", [row[column] for row in data]) for column in range(start, left)]
    named = _named(axes, metrics)
    caption, caption_at = _caption(table, top, first, left)
    return Outline(
        cells=f"{column_letters(start)}{top + 1}",
        columns=tuple(name for name, axis in zip(named, axes, strict=True) if axis.side == "columns"),
        rows=tuple(name for name, axis in zip(named, axes, strict=True) if axis.side == "rows"),
        labels=_distinct(
            text for name, axis in zip(named, axes, strict=True) if name == "metric" for text in axis.texts
        ),
        untold=tuple(name for name in ("entity", "metric", "period") if name not in named),
        caption=caption,
        caption_at=caption_at,
        title=next(
            (text for row in table[:top] for text in row if text and text != caption and kind(text) == "text"), None
        ),
    )


@lru_cache(maxsize=4096)
def kind(text: str) -> str:
    """What a text is: `period`, `figure`, `caption`, `text`, or `empty`.

    >>> [kind(text) for text in ("2020Q1", "12.5%", "RMB in millions", "Revenue", "")]
    ['period', 'figure', 'caption', 'text', 'empty']
    """
    if not text:
        return "empty"
    if _is_period(text):
        return "period"
    if not any(letter.isdecimal() for letter in text) and is_caption(text):
        return "caption"
    if _is_figure(text):
        return "figure"
    return "caption" if is_caption(text) else "text"


def is_caption(text: str) -> bool:
    """Whether a text is a caption and nothing else: `销量（万辆）` is a label with one, `Vehicle sales` a label."""
    label, told = split_label(text)
    if not _is_firm(text.strip(_BRACKETS)):
        return False
    return told is None or label.strip(_BRACKETS).casefold() in UNIT_WORDS or _is_firm(label)


def _is_firm(text: str) -> bool:
    """A caption of money, scale or percent, or one word that is a unit."""
    told = understood(text)
    return told is not None and (is_firm(told) or " " not in text.strip())


def near_metric(label: str, metrics: Collection[str], likeness: float = 0.75) -> str | None:
    """The metric whose name is spelled most like a label; null where none is near. `likeness` is of 0 to 1.

    >>> near_metric("Vehicle sales (units)", ["vehicle_sales", "revenue"])
    'vehicle_sales'
    """
    short = split_label(label)[0].casefold().replace(" ", "_").replace("-", "_")
    found = get_close_matches(short, metrics, n=1, cutoff=likeness)
    return found[0] if found else None


# -------------------------------------------------------------------------------------------------------- helpers


def _is_period(text: str) -> bool:
    """A year, a quarter of one, or a part of a year that its header completes; `12.5` and `4` are none."""
    if text.isdecimal() and not (len(text) == 4 and 1900 <= int(text) <= 2100):
        return False
    return any(_parses(parse_period, PeriodError, form) for form in (text, f"2020 {text}", f"2020年{text}"))


def _is_figure(text: str) -> bool:
    try:
        parse(text)
    except FigureError as error:
        return error.code in NO_FIGURES
    return True


def _parses(read: Callable[[str], object], error: type[Exception], text: str) -> bool:
    try:
        read(text)
    except error:
        return False
    return True


def _first_data_row(table: Sequence[Sequence[str]]) -> int | None:
    rows = (at for at, row in enumerate(table) if any(kind(text) == "figure" for text in row[1:]))
    return next(rows, None)


def _label_columns(rows: Sequence[Sequence[str]]) -> tuple[int, int]:
    """The first column with text, and the first one of figures behind it."""
    width = len(rows[0])
    filled = [[kind(row[column]) for row in rows if row[column]] for column in range(width)]
    start = next((column for column in range(width) if filled[column]), 0)
    of_figures = (at for at in range(start, width) if filled[at] and filled[at].count("figure") * 2 >= len(filled[at]))
    return start, next(of_figures, width - 1)


def _first_header_row(table: Sequence[Sequence[str]], first: int, left: int) -> int:
    """Upwards from the data while there is text above the figures, but for a line that is nothing but a caption."""
    top = first
    while top and any(table[top - 1][left:]):
        filled = [text for text in table[top - 1] if text]
        if len(filled) == 1 and kind(filled[0]) == "caption":
            break
        top -= 1
    return top


def _axis(side: str, texts: Sequence[str]) -> _Axis:
    kinds = [kind(text) for text in texts if text]
    common = max(("text", "period", "caption"), key=kinds.count)
    return _Axis(side, _distinct(texts), common)


def _named(axes: Sequence[_Axis], metrics: Collection[str]) -> list[str]:
    """The name of each axis: of those of plain text, the one most like metrics is the metric, the next the entity."""
    plain_text = [at for at, axis in enumerate(axes) if axis.kind == "text"]
    telling = [at for at in plain_text if not _are_codes(axes[at])] or plain_text
    scores = {at: _likeness(axes[at], metrics) for at in telling}
    ordered = sorted(scores, key=lambda at: (-scores[at], at))
    plain = dict(zip(ordered, ["metric", "entity"], strict=False))
    if len(ordered) == 1 < len(plain_text) and not any(scores.values()):
        plain = {ordered[0]: "entity"}
    if len(ordered) == 2 and not any(scores.values()):
        plain = dict(
            zip(ordered, ["entity", "metric"] if axes[ordered[0]].side == "rows" else ["metric", "entity"], strict=True)
        )
    return [plain.get(at, "") if axis.kind == "text" else axis.kind for at, axis in enumerate(axes)]


def _are_codes(axis: _Axis) -> bool:
    """Short words in capitals, such as the codes of countries beside their names."""
    return bool(axis.texts) and all(text.isascii() and text.isupper() and len(text) <= 4 for text in axis.texts)


def _likeness(axis: _Axis, metrics: Collection[str]) -> float:
    hits = sum(split_label(text)[1] is not None or near_metric(text, metrics) is not None for text in axis.texts)
    return hits / max(len(axis.texts), 1)


def _caption(table: Sequence[Sequence[str]], top: int, first: int, left: int) -> tuple[str | None, str | None]:
    """The caption above the table, beside its headers, or in brackets in its title; and where it stands."""
    above = [(row, column, text) for row in range(first) for column, text in enumerate(table[row])]
    outside = [(row, column, text) for row, column, text in above if text and (row < top or column < left)]
    for row, column, text in outside:
        found = _unbracketed(text) if is_caption(text) else split_label(text)[1]
        told = understood(found) if found else None
        if told and (told.currencies or told.exponent is not None):
            return found, f"{column_letters(column)}{row + 1}"
    return None, None


def _unbracketed(text: str) -> str:
    """A caption without the brackets around all of it; those around its exceptions stay whole."""
    around = text[0] in _BRACKETS and text[-1] in _BRACKETS
    return text[1:-1].strip() if around else text


def _distinct(texts: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))  # type: ignore[attr-defined]
