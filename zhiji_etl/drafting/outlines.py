"""What a grid looks like: where its table is, what its headers and labels say, and its caption.

In: a `Grid` and the names of known metrics. Out: an `Outline`. It is a guess from the kinds of the cells: figures,
periods, captions and other texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from zhiji_etl.drafting.dating import Dated, dated, within, without_forecast
from zhiji_etl.drafting.naming import WORDS, near_metric, own_metric
from zhiji_etl.errors import FigureError, PeriodError
from zhiji_etl.labels import is_firm, split_label, understood_units, without_marks
from zhiji_etl.periods import parse_period
from zhiji_etl.reading import parse
from zhiji_etl.sources.grids import Grid, column_letters

ROWS_SEEN: Final = 300
COLUMNS_SEEN: Final = 60
UNIT_WORDS: Final = frozenset({"单位", "货币单位", "unit", "units", "currency"})
"""Words before a caption that make it no label."""
HEADS: Final = {word: axis for axis, words in WORDS["heads"].items() for word in words}
"""What a header over a column of labels says that they are."""
_CHANGE: Final = re.compile(
    r"同比|环比|增长|增速|增减|增幅|比重|占比|份额|绝对|\b(?:yoy|qoq|mom|change|growth|share)\b", re.IGNORECASE
)
_IN_BRACKETS: Final = re.compile(r"[(（\[【]([^()（）\[\]【】]+)[)）\]】]")
_BRACKETS: Final = "()（）[]【】"
_BOTH: Final = re.compile(r"(.*[\u3400-\u9fff].*?)\s+([ -~]+)|([ -~]+?)\s+([^ -~].*)")
"""A text in two languages, one behind the other."""
NO_FIGURES: Final = frozenset({"not_available", "not_meaningful", "not_applicable", "several_figures"})
"""Codes of cells that stand where a figure could."""


class Outline(NamedTuple):
    """A table in a grid. `cells` is its first cell; `columns` and `rows` are axes as a sidecar names them.

    `labels` are the texts of the metric axis, `periods` those of a lone period axis that are no whole periods, `lines`
    the columns whose header says more or other than the rest, with their periods; `untold` is what no axis says;
    `caption_at` is where the caption stands.
    """

    cells: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    labels: tuple[str, ...]
    periods: tuple[Dated, ...]
    lines: tuple[tuple[str, Dated], ...]
    untold: tuple[str, ...]
    caption: str | None = None
    caption_at: str | None = None
    title: str | None = None


class _Axis(NamedTuple):
    side: str
    texts: tuple[str, ...]
    kind: str
    beside: tuple[str, ...] = ()
    head: str | None = None
    repeats: bool = False


def outlined(grid: Grid, metrics: Collection[str], over: Sequence[str] = ()) -> Outline | None:
    """The table of a grid; null where no row holds a figure beside a label. `over` are lines over it, in order."""
    table = [[(text or "").strip() for text in row[:COLUMNS_SEEN]] for row in grid.rows(0, ROWS_SEEN)]
    first = _first_data_row(table)
    if first is None:
        return None
    start, left = _label_columns(table[:first], table[first:])
    data = [row for row in table[first:] if any(row[left:])]
    top, below = _header_rows(table, first, left)
    corner = [[text] for row in table[top:below] for text in row[:left]]
    axes = [_axis("columns", table[row][left:], corner) for row in range(top, below)]
    axes += [_axis("rows", [row[column] for row in data], table[top:below], column) for column in range(start, left)]
    named = _named(axes, metrics)
    caption, caption_at = _caption(table, top, below, left, over)
    lone = _lone("period", named, axes)
    # A month that stands twice has its year in a heading between the rows.
    above = [*over, *(text for row in table[:top] for text in row if text)] if not (lone and lone.repeats) else []
    return Outline(
        cells=f"{column_letters(start)}{top + 1}",
        columns=tuple(name for name, axis in zip(named, axes, strict=True) if axis.side == "columns"),
        rows=tuple(name for name, axis in zip(named, axes, strict=True) if axis.side == "rows"),
        labels=_distinct(text for axis in _called("metric", named, axes) for text in axis.texts),
        periods=dated(lone.texts, lone.beside, above) if lone else (),
        lines=_lines(table, top, left, named, axes, above),
        untold=tuple(name for name in ("entity", "metric", "period") if name not in named),
        caption=caption,
        caption_at=caption_at,
        title=_title([*(text for row in table[:top] for text in row), *reversed(over)]),
    )


def _title(lines: Sequence[str]) -> str | None:
    """The first line that is words and no caption alone."""
    words = (text for text in lines if any(letter.isalpha() for letter in text))
    return next((text for text in words if not understood_units(text) and _unbracketed(text) != _told(text)), None)


def _called(name: str, named: Sequence[str], axes: Sequence[_Axis]) -> list[_Axis]:
    return [axis for one, axis in zip(named, axes, strict=True) if one == name]


def _lone(name: str, named: Sequence[str], axes: Sequence[_Axis]) -> _Axis | None:
    """The only axis of a name."""
    called = _called(name, named, axes)
    return called[0] if len(called) == 1 else None


def _lines(
    table: Sequence[Sequence[str]],
    top: int,
    left: int,
    named: Sequence[str],
    axes: Sequence[_Axis],
    above: Sequence[str],
) -> tuple[tuple[str, Dated], ...]:
    """The columns that the last row of headers does not tell in full, by their letters.

    Among periods those are the ones without a period (`同比`), with the latest of the periods before them; among
    metrics those with a month before their name (`11月销量`).
    """
    headers = [at for at, axis in enumerate(axes) if axis.side == "columns"]
    if not headers or named[headers[-1]] not in ("period", "metric"):
        return ()
    row = table[top + len(headers) - 1]
    letters = [(column_letters(at), text) for at, text in enumerate(row) if at >= left and text]
    if named[headers[-1]] == "metric":
        found = [(letter, within(text, above)) for letter, text in letters] if "period" not in named else []
        return tuple((letter, one) for letter, one in found if one is not None)
    return tuple(_beside_periods(letters, _lone("period", named, axes), above))


def _beside_periods(
    letters: Sequence[tuple[str, str]], lone: _Axis | None, above: Sequence[str]
) -> Iterator[tuple[str, Dated]]:
    """The columns without a period, each with the latest of the periods since the one before."""
    whole = {one.text: one.period for one in dated(lone.texts, lone.beside, above)} if lone else {}
    seen: list[tuple[date, str]] = []
    is_ended = False
    for letter, text in letters:
        label = split_label(without_marks(text))[0]
        name = whole.get(label, label) if lone else None
        if name and _parses(parse_period, PeriodError, name):
            seen = [*([] if is_ended else seen), (parse_period(name).end, label)]
            is_ended = False
        elif lone and name is None:
            yield letter, Dated(label, max(seen)[1] if seen and _CHANGE.search(label) else None)
            is_ended = True


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
    in_words = text[0] in _BRACKETS and any(letter.isalpha() for letter in text)
    if (in_words or not any(letter.isdecimal() for letter in text)) and is_caption(text):
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
    told = understood_units(text)
    return bool(told) and (any(map(is_firm, told)) or " " not in text.strip())


# -------------------------------------------------------------------------------------------------------- helpers


def _is_period(text: str) -> bool:
    """A year, a quarter of one, or a part of a year that its header completes; `12.5` and `4` are none."""
    text = without_forecast(without_marks(text))
    if text.isdecimal() and not (len(text) == 4 and 1900 <= int(text) <= 2100):
        return False
    return any(
        _parses(parse_period, PeriodError, form) for form in (text, f"{text} 2020", f"2020 {text}", f"2020年{text}")
    )


def _is_figure(text: str) -> bool:
    try:
        parse(text)
    except FigureError as error:
        return error.code in NO_FIGURES and within(text, ()) is None  # `2023Q1 deliveries` is a header
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


def _label_columns(above: Sequence[Sequence[str]], rows: Sequence[Sequence[str]]) -> tuple[int, int]:
    """The first column with text, and the first one of figures behind the labels; one that names notes is a label."""
    width = len(rows[0])
    filled = [[kind(row[column]) for row in rows if row[column]] for column in range(width)]
    figures = [bool(kinds) and kinds.count("figure") * 2 >= len(kinds) for kinds in filled]
    start = next((column for column in range(width) if filled[column]), 0)
    # A place or a number of a row stands before its label.
    label = next((column for column in range(start, width) if filled[column] and not figures[column]), start)
    notes = {at for at in range(width) if any(_head(row[at]) == "note" for row in above)}
    left = next((at for at in range(label, width) if figures[at] and at not in notes), width - 1)
    # A header may begin over an empty column, where a page sets the sign of a currency.
    return start, next((at for at in range(left, label, -1) if filled[at - 1]), left)


def _header_rows(table: Sequence[Sequence[str]], first: int, left: int) -> tuple[int, int]:
    """The first row of headers and the row below the last: upwards from the data while there is text above the figures.

    Rows with nothing but a label, as headings have, may stand between headers and data. A line that is nothing but a
    caption belongs to the headers where there are others above it.
    """
    below = first
    while below and not any(table[below - 1][left:]) and any(any(row[left:]) for row in table[: below - 1]):
        below -= 1
    top = below
    while top and any(table[top - 1][left:]) and not _is_over(table, top - 1, left):
        top -= 1
    return (top, below) if top < below else (first, first)


def _is_over(table: Sequence[Sequence[str]], row: int, left: int) -> bool:
    """Whether a row is a line over the table: a caption, or a text with one, that stands alone and above no header."""
    filled = [(column, text) for column, text in enumerate(table[row]) if text]
    if len(filled) != 1:
        return False
    column, text = filled[0]
    if kind(text) == "caption":
        return not row or not any(table[row - 1][left:])
    return column != left and split_label(text)[1] is not None


def _axis(side: str, texts: Sequence[str], corner: Sequence[Sequence[str]] = (), column: int = 0) -> _Axis:
    """What a row of headers or a column of labels says; `corner` holds the texts beside or above it, in a column."""
    beside = _distinct(row[column] for row in corner)
    head = next((found for text in beside if (found := _head(text))), None) if side == "rows" else None
    if head == "note":
        return _Axis(side, _distinct(texts), "note")
    filled = [text for text in texts if text]
    kinds = [kind(text) for text in filled]
    said = [one for one, text in zip(kinds, filled, strict=True) if one != "text" or not _is_aside(text)]
    of_figures = side == "rows" and kinds.count("figure") * 2 > len(kinds)
    # A caption over all of the table is told of the whole of it.
    is_idle = of_figures or not said or (side == "columns" and kinds == ["caption"] and len(texts) > 1)
    common = "" if is_idle else max(("text", "period", "caption"), key=said.count)
    return _Axis(side, _distinct(texts), common, beside, head, len(filled) > len(set(filled)))


def _head(text: str) -> str | None:
    """What a header says that its labels are, in one language or two: `附注 Note`."""
    named = {HEADS.get(word) for word in text.casefold().split()}
    return HEADS.get(text.casefold()) or (named.pop() if len(named) == 1 else None)


def _is_aside(text: str) -> bool:
    """Whether all of a text stands in brackets, as `(unaudited)` does."""
    return text[0] in _BRACKETS and text[-1] in _BRACKETS


def _named(axes: Sequence[_Axis], metrics: Collection[str]) -> list[str]:
    """The name of each axis: texts of the side most like metrics are metrics, those of the other side entities.

    What one header says in two languages is said once. On one side alone the axis most like metrics is the metric. A
    header over labels that says what they are (`企业`, `Segment`) is believed.
    """
    said = [axis if at not in _translations(axes, metrics) else axis._replace(kind="") for at, axis in enumerate(axes)]
    heads = {at: axis.head for at, axis in enumerate(said) if axis.kind == "text" and axis.head}
    plain_text = [at for at, axis in enumerate(said) if axis.kind == "text" and at not in heads]
    telling = [at for at in plain_text if not _are_codes(said[at])] or ([] if heads else plain_text)
    scores = {at: _likeness(said[at], metrics) for at in telling}
    ordered = sorted(scores, key=lambda at: (-scores[at], at))
    sides = {said[at].side for at in telling}
    if len(sides) == 2:
        of_metrics = said[ordered[0]].side
        plain = {at: "metric" if said[at].side == of_metrics else "entity" for at in telling}
    else:
        plain = {at: "entity" if place else "metric" for place, at in enumerate(ordered)}
    if len(ordered) == 1 < len(plain_text) and not any(scores.values()):
        plain = {ordered[0]: "entity"}
    if len(ordered) == 2 and sides == {"rows"} and not any(scores.values()):
        plain = dict(zip(ordered, ["entity", "metric"], strict=True))
    if "metric" in heads.values():
        plain = {at: "metric" if _is_of_change(said[at]) else "entity" for at in telling}
    plain |= heads
    return [plain.get(at, "") if axis.kind == "text" else axis.kind for at, axis in enumerate(said)]


def _is_of_change(axis: _Axis) -> bool:
    """Whether an axis tells amounts from their changes and shares, as `绝对量` beside `同比增长`: parts of a metric."""
    return sum(_CHANGE.search(text) is not None for text in axis.texts) * 2 >= len(axis.texts)


def _translations(axes: Sequence[_Axis], metrics: Collection[str]) -> set[int]:
    """Axes that say in the other language what the one before says: of the two the one less like metrics."""
    found = set()
    for at, (one, other) in enumerate(pairwise(axes)):
        same = (one.side, one.kind, len(one.texts)) == (other.side, other.kind, len(other.texts))
        if same and one.kind in ("text", "caption") and {_is_chinese(one), _is_chinese(other)} == {True, False}:
            found.add(at if _likeness(other, metrics) > _likeness(one, metrics) else at + 1)
    return found


def _is_chinese(axis: _Axis) -> bool | None:
    """Whether all texts of an axis are, or none is, in Chinese; null for some of each."""
    told = {not text.isascii() and any("一" <= letter <= "鿿" for letter in text) for text in axis.texts}
    return told.pop() if len(told) == 1 else None


def _are_codes(axis: _Axis) -> bool:
    """Short words in capitals, such as the codes of countries beside their names."""
    return bool(axis.texts) and all(text.isascii() and text.isupper() and len(text) <= 4 for text in axis.texts)


def _likeness(axis: _Axis, metrics: Collection[str]) -> float:
    hits = sum(split_label(text)[1] is not None or _may_be(text, metrics) for text in axis.texts)
    return hits / max(len(axis.texts), 1)


def _may_be(text: str, metrics: Collection[str]) -> bool:
    return own_metric(text, metrics) is not None or near_metric(text, metrics, 0.75) is not None


def _caption(
    table: Sequence[Sequence[str]], top: int, below: int, left: int, over: Sequence[str]
) -> tuple[str | None, str | None]:
    """The caption above the table, beside or across its headers, in its title or a line over it; and its place."""
    above = [(row, column, text) for row in range(below) for column, text in enumerate(table[row]) if text]
    alone = [row for row in range(top, below) if [kind(text) for text in table[row] if text] == ["caption"]]
    outside = [one for one in above if one[0] < top or one[1] < left or one[0] in alone]
    found = [(told, f"{column_letters(column)}{row + 1}") for row, column, text in outside if (told := _told(text))]
    found += [(told, "the text over the table") for text in reversed(over) if (told := _told(text))]
    return found[0] if found else (None, None)


def _told(text: str) -> str | None:
    """The caption of money, scale or percent that a text is or ends with: in one language, or in two that agree."""
    found = _told_once(text)
    parts = [part for part in match.groups() if part] if not found and (match := _BOTH.fullmatch(text)) else []
    told = [_told_once(part) for part in parts]
    said = {tuple((one.exponent, one.unit) for one in understood_units(one or "")) for one in told}
    return found or (told[0] if len(said) == 1 and all(told) else None)


def _told_once(text: str) -> str | None:
    whole = _unbracketed(text)
    is_whole = is_caption(text) or (whole != text and _is_firm(whole))
    found = [whole] if is_whole else [split_label(whole)[1] or "", *_IN_BRACKETS.findall(text)]
    scaled = (
        one for one in found if any(told.currencies or told.exponent is not None for told in understood_units(one))
    )
    return next(scaled, None)


def _unbracketed(text: str) -> str:
    """A caption without the brackets around all of it; those around its exceptions stay whole."""
    around = text[0] in _BRACKETS and text[-1] in _BRACKETS
    return text[1:-1].strip() if around else text


def _distinct(texts: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))  # type: ignore[attr-defined]
