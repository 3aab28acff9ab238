"""Labels of tables: our names for them, and what they say of the unit of their cells.

In: raw rows of a source and its sidecar. Out: the same rows, with `entity`, `metric`, `period` by our names and, where
a table, a header or `[captions]` tells one, the `caption` of each cell, in full: `million USD`. Of several captions the
nearest holds: `[captions]` by metric, a bracket in the label (`Sales (10,000 vehicles)`, `销量（万辆）`), a row or
column of captions, the layout, the sidecar; `full_caption` says how they join. A label that the table's caption
excepts ("except per share data") has no scale.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import polars as pl

from zhiji_etl.distinct import found_once
from zhiji_etl.errors import FigureError
from zhiji_etl.reading.captions import Caption, captions, told_unit
from zhiji_etl.sources import Sidecar
from zhiji_etl.sources.names import nearest, safe_terminal
from zhiji_etl.units import counts, is_currency

Units = Mapping[str, Sequence[str]]
"""By metric its unit and the other nouns of it."""

AXES: Final = ("entity", "metric", "period")
DEFAULT: Final = "__default"
"""Column of the rows of a layout: the caption of the whole layout."""

LINE: Final = "__at"
"""Column of the rows of a layout: the caption said of a single column or row, or a header with one that gave way."""

PERCENT: Final = "percent"
RATE: Final = "rate"
UNSCALED: Final = "count"
"""The caption of cells that an exception takes out of a table's caption: no scale, and no unit but their own."""

_BRACKETS: Final = re.compile(r"(?<=\S)\s*[(（\[【]([^()（）\[\]【】]+)[)）\]】](?=\s|$)")
"""What stands in brackets at the end of a label, or of a part of one that is joined from several cells."""

_MARKS: Final = re.compile(r"(?<=\S)\s*(?:[*†‡§①-⑳]|(?<![A-Za-z])[¹²³⁰⁴-⁹])+$")
"""Marks of notes at the end of a label; behind a letter a raised number may be an exponent (m²)."""

_TAIL: Final = re.compile(r"^(.*?\S)\s*(?:[,，:：/|–—]|\s-\s|\s[Ii]n\s)\s*(\S.*)$", re.DOTALL)
_EXCEPT: Final = re.compile(
    r"(?:\bexcept(?:\s+for)?|\bunless|\bother than)\s+(.+)$|[(（,，;；]([^(（,，;；]+?)除外|除(.+?)(?:以?外|另有|$)",
    re.IGNORECASE,
)
_PHRASES: Final = re.compile(r"[,，、;；()（）]|\band\b|\bor\b|[及和或]", re.IGNORECASE)
_IDLE: Final = re.compile(
    r"\b(?:data|amounts?|figures?|information|otherwise|stated|noted|indicated|for|the)\b|数据|特别|注明|[.。()（）]",
    re.IGNORECASE,
)
_PERCENTAGES: Final = re.compile(r"\bpercent|%|百分[比数率]|比[率例]", re.IGNORECASE)
_RATES: Final = frozenset({"percent", "percentage_point", "basis_point"})
_SCALES: Final = {
    2: "百",
    3: "thousand",
    4: "万",
    5: "lakh",
    6: "million",
    7: "千万",
    8: "亿",
    9: "billion",
    12: "trillion",
}
_PARTS_OF_PERCENT: Final = {-1: "‰", -2: "‱", -4: "ppm"}


def in_our_names(rows: pl.LazyFrame, sidecar: Sidecar, units: Units = MappingProxyType({})) -> pl.LazyFrame:
    """Raw rows with our names and full captions; rows whose label has an empty name are left out.

    Columns in: `entity, metric, period, caption`, with a layout also DEFAULT, which goes. Order and `row_id` stay.
    `units`: what metrics are declared in decides which unit of a caption of several is theirs.
    """
    if sidecar.layout:
        return _of_layout(rows, sidecar, units)
    for axis in AXES:
        names = getattr(sidecar.names, axis)
        rows = _joined(rows, axis, names.items(), axis) if names else rows
    if sidecar.captions:
        rows = _joined(rows, "metric", sidecar.captions.items(), "caption", over=False)
    return _named(rows) if any(getattr(sidecar.names, axis) for axis in AXES) else rows


def split_label(label: str) -> tuple[str, str | None]:
    """A label and the caption that stands in it; null where none does.

    >>> split_label("Sales (10,000 vehicles)"), split_label("销量（万辆） 出口"), split_label("Revenue (restated)")
    (('Sales', '10,000 vehicles'), ('销量 出口', '万辆'), ('Revenue (restated)', None))
    """
    text = label.strip()
    for match in reversed([*_BRACKETS.finditer(text)]):
        if understood(match[1]) is not None:
            return f"{text[: match.start()]}{text[match.end() :]}", match[1].strip()
    tail = _TAIL.match(text)
    told = understood(tail[2]) if tail else None
    return (tail[1].strip(), tail[2].strip()) if tail and told is not None and is_firm(told) else (text, None)


def is_firm(told: Caption) -> bool:
    """Whether a caption is one wherever it stands: it names money, a scale or percent, and not just what is counted."""
    return bool(told.currencies) or told.exponent is not None or told.unit in _RATES


def understood(text: str) -> Caption | None:
    """A caption; null for a text that is none, and for a statement of several units."""
    told = understood_units(text)
    return told[0] if len(told) == 1 else None


@lru_cache(maxsize=1024)
def understood_units(text: str) -> tuple[Caption, ...]:
    """What a caption says of each of its units; none for a text that is no caption."""
    bare = text.strip()
    try:
        return (told_unit(bare),) if "_" in bare else captions(bare)
    except FigureError:
        return ()


def check_captions(sidecar: Sidecar, metrics: Iterable[str]) -> None:
    """Refuse captions of a sidecar that nothing could read or that no metric would have.

    Raises `FigureError`: `unknown_caption`, `metric_unknown`.
    """
    known = list(metrics)
    for metric in sidecar.captions:
        if metric not in known:
            hint = f"Did you mean {near}?" if (near := nearest(metric, known)) else f"Declared are {', '.join(known)}."
            raise FigureError("metric_unknown", f"[captions] {metric}: no table declares this metric.", hint=hint)
    of_table = [one.caption for one in sidecar.layout or ()] + ([sidecar.unit] if sidecar.layout else [])
    told = [(text, understood(text)) for text in sidecar.captions.values()]
    for text, known_unit in [*told, *((text, understood_units(text)) for text in of_table if text)]:
        if not known_unit:
            told_unit(text)


def check_identifiers(sidecar: Sidecar, columns: Sequence[str]) -> None:
    """Refuse identifiers of a sidecar that no table has a column for: `FigureError` `metric_unknown`."""
    for entity, texts in sidecar.identifiers.items():
        for name in (name for name in texts if name not in columns):
            near = nearest(name, columns)
            hint = f"Did you mean {near}?" if near else f"Declare it: {name}: str = zj.Identifier()"
            what = f"[identifiers] {safe_terminal(entity)}: no table declares the identifier {name}."
            raise FigureError("metric_unknown", what, hint=hint)


def full_caption(
    of_metric: str | None,
    of_place: str | None,
    of_table: str | None,
    label: str,
    currency: str | None = None,
    declared: Sequence[str] = (),
) -> str | None:
    """The caption of a cell in full, from those of its metric, of its row or column, and of its table; null for none.

    The unit is the metric's, else the place's, else the table's; but which money the place says before the metric.
    The scale is the first one told in that order, and does not go past a unit that is no money. Of a table of several
    units a cell has the one that is told nearer, else the only one that its metric is `declared` in. `currency` is the
    reading of signs of several currencies. A text that is no caption is given back: reading refuses it with a reason.

    >>> full_caption(None, "US$", "RMB in millions", "Revenue"), full_caption("%", "US$", "RMB in millions", "Margin")
    ('million USD', 'percent')
    >>> full_caption(None, None, "单位：万辆、%", "同比", declared=["percent"])
    'percent'
    """
    texts = [text or None for text in (of_metric, of_place)]
    parts = [Caption() if text is None else understood(text) for text in texts]
    unread = next((text for text, part in zip(texts, parts, strict=True) if part is None), None)
    metric, place = (part or Caption() for part in parts)
    nearer = metric.unit or place.unit
    table = _fitting(of_table, [nearer] if nearer else declared, is_told=bool(nearer)) if of_table else Caption()
    if unread is not None or table is None or not any((*texts, of_table)):
        return unread or of_table or None
    excepted = _excepted(of_table or "", label, () if nearer else declared)
    if excepted == PERCENT:
        return PERCENT
    if excepted:
        kept = Caption(None, table.unit, table.currencies) if excepted == RATE else Caption()
        return _excepted_caption(metric, place, kept, is_rate=excepted == RATE, currency=currency)
    return _written(_merged(metric, place, table), currency) or next(text for text in (*texts, of_table) if text)


def one_line(label: str) -> str:
    r"""A label as it is compared: headers are broken into lines to fit their columns.

    >>> one_line(" Sales\n(vehicles) ")
    'Sales (vehicles)'
    """
    return " ".join(label.split())


def without_marks(label: str) -> str:
    """A label without the marks of notes behind it.

    >>> [without_marks(label) for label in ("2023 ①", "BYD*", "Area in m²")]
    ['2023', 'BYD', 'Area in m²']
    """
    return _MARKS.sub("", label)


def is_excepted(table: str, label: str) -> bool:
    """Whether the caption of a table excepts a label from its scale."""
    return _excepted(table, label) is not None


# -------------------------------------------------------------------------------------------------------- helpers


def _of_layout(rows: pl.LazyFrame, sidecar: Sidecar, units: Units) -> pl.LazyFrame:
    """The rows of a wide table, whose cells lie in memory: each distinct label is looked at once."""
    frame = rows.collect()
    for axis in AXES:
        frame = frame.join(_told_labels(frame, axis, sidecar), on=axis, how="left", maintain_order="left")
    schema = {"__name metric": pl.String, "__declared": pl.String}
    by_metric = pl.DataFrame(list(sidecar.captions.items()), schema=schema, orient="row")
    declared = frame.join(by_metric, on="__name metric", how="left", maintain_order="left")
    of_line = found_once(pl.col(LINE), _told_in, pl.String())
    keyed = declared.with_columns(
        __of_metric=pl.coalesce("__declared", of_line, "__caption metric"),
        __of_place=pl.coalesce("caption", "__caption period"),
    )
    keys = ["__of_metric", "__of_place", DEFAULT, "metric", "__name metric"]
    full = _full_captions(keyed.select(keys).unique(), sidecar, units)
    whole = keyed.join(full, on=keys, how="left", nulls_equal=True, maintain_order="left")
    named = whole.with_columns(*(pl.col(f"__name {axis}").alias(axis) for axis in AXES), caption="__full")
    working = [name for name in named.columns if name.startswith("__")]
    return _named(named.drop(working).lazy())


def _told_labels(frame: pl.DataFrame, axis: str, sidecar: Sidecar) -> pl.DataFrame:
    """By label: our name and, but for entities, the caption in it."""
    names: Mapping[str, str] = getattr(sidecar.names, axis)
    spoken = {one_line(label): name for label, name in names.items()}
    labels = [(label, one_line(label)) for label in frame.get_column(axis).drop_nulls().unique().to_list()]
    bare = [(label, whole, without_marks(whole)) for label, whole in labels]
    read = [(label, whole, split_label(text) if axis != "entity" else (text, None)) for label, whole, text in bare]
    rows = [(label, spoken.get(whole, spoken.get(short, short)), told) for label, whole, (short, told) in read]
    return pl.DataFrame(
        rows, schema=dict.fromkeys([axis, f"__name {axis}", f"__caption {axis}"], pl.String), orient="row"
    )


def _told_in(text: str) -> str | None:
    return text if understood_units(text) else split_label(text)[1]


def _full_captions(distinct: pl.DataFrame, sidecar: Sidecar, units: Units) -> pl.DataFrame:
    of_sidecar = _sidecar_caption(sidecar)

    def full(own: str, place: str, table: str, label: str | None, name: str) -> str | None:
        """The caption of the cells of one label and place."""
        declared = units.get(name, ())
        return full_caption(own, place, table or of_sidecar, label or "", sidecar.currency, declared)

    rows = [(*row, full(*row)) for row in distinct.iter_rows()]
    return pl.DataFrame(rows, schema=dict.fromkeys([*distinct.columns, "__full"], pl.String), orient="row")


def _sidecar_caption(sidecar: Sidecar) -> str | None:
    """The caption that the keys `scale` and `unit` of a sidecar make together."""
    if sidecar.scale and sidecar.unit and understood(sidecar.unit):
        return f"{sidecar.scale} {sidecar.unit}"
    return sidecar.unit or sidecar.scale


def _fitting(text: str, wanted: Sequence[str], *, is_told: bool) -> Caption | None:
    """Of the units of a table's caption the one that a unit is of; null where none or several are.

    A unit that a nearer caption tells (`is_told`) needs none of the table's.
    """
    told = understood_units(text)
    if len(told) == 1:
        return told[0]
    same = [one for one in told if one.unit in wanted]
    alike = same or [one for one in told if any(_is_alike(one, unit, is_told=is_told) for unit in wanted)]
    if len(alike) == 1:
        return alike[0]
    return Caption() if is_told and told and not alike else None


def _is_alike(told: Caption, unit: str, *, is_told: bool) -> bool:
    """Whether a unit of a caption is of the kind of another: both money, or one of them a bare number."""
    code, _, per = unit.partition("/")
    if told.currencies:
        return is_currency(code) and (told.unit or "").partition("/")[2] == per and (is_told or code in told.currencies)
    return told.unit == UNSCALED and counts(unit)


def _merged(metric: Caption, place: Caption, table: Caption) -> Caption:
    """Unit and scale of several captions, the nearest first."""
    parts = (metric, place, table)
    owner = next((part for part in parts if part.unit), Caption())
    unit, currencies = owner.unit, owner.currencies
    if unit and currencies and place.currencies:
        unit, currencies = unit.replace(currencies[0], place.currencies[0], 1), place.currencies
    return Caption(_exponent(parts), unit, currencies)


def _exponent(parts: Iterable[Caption]) -> int | None:
    """The first scale told; a unit that is no money has its own."""
    for part in parts:
        if part.exponent is not None or (part.unit and not _is_money(part)):
            return part.exponent
    return None


def _is_money(told: Caption) -> bool:
    return bool(told.currencies) and "/" not in (told.unit or "")


def _excepted(table: str, label: str, declared: Sequence[str] = ()) -> str | None:
    """Whether the table's caption excepts a label: as a RATE (per share) or PERCENT, or as something without its scale.

    What a metric is declared in tells that it is such a rate as well as its label does.
    """
    for phrase in exceptions(table):
        if PERCENT in declared and _PERCENTAGES.search(phrase):
            return PERCENT
        is_rate = phrase.casefold().startswith("per ") or phrase.startswith("每")
        if _names(phrase, label) or (is_rate and any(unit.endswith("/share") for unit in declared)):
            return RATE if is_rate else UNSCALED
    return None


def _excepted_caption(
    metric: Caption, place: Caption, table: Caption, *, is_rate: bool, currency: str | None
) -> str | None:
    """The caption of a label that is excepted: what is told of the metric; else money a share, or a bare number."""
    if metric.unit or metric.exponent is not None:
        return _written(_merged(metric, place, table), currency)
    told = _merged(metric, place, table)
    if not told.currencies:
        return _written(told, currency) or UNSCALED
    return _written(Caption(None, f"{told.currencies[0]}/share", told.currencies), currency) if is_rate else UNSCALED


@lru_cache(maxsize=256)
def exceptions(table: str) -> tuple[str, ...]:
    """What a caption excepts, the longest phrase first.

    >>> exceptions("RMB in millions, except share and per share data")
    ('per share', 'share')
    """
    match = _EXCEPT.search(table)
    if match is None:
        return ()
    told = next(group for group in match.groups() if group).replace("-", " ")
    phrases = (_IDLE.sub("", phrase).strip() for phrase in _PHRASES.split(told))
    return tuple(sorted({" ".join(one.split()) for one in phrases if len(one) > 1}, key=len, reverse=True))


def _names(phrase: str, label: str) -> bool:
    """Whether a label is of what a phrase excepts; a share of something is no number of shares."""
    if not phrase.isascii():
        return phrase in label
    words = phrase.casefold().removesuffix("s")
    end = "s" if words in ("share", "unit") else "(?:s|es|ies)?"
    return re.search(rf"\b{re.escape(words)}{end}\b", label.casefold()) is not None


def _written(told: Caption, currency: str | None) -> str | None:
    """A caption in words that reading takes; null where its scale has none."""
    unit = told.unit
    if unit and currency in told.currencies:
        unit = unit.replace(told.currencies[0], str(currency), 1)
    if told.exponent in (None, 0):
        return unit
    scale = (_PARTS_OF_PERCENT if unit == PERCENT else _SCALES).get(int(told.exponent or 0))
    return scale and " ".join(filter(None, (scale, unit)))


def _joined(
    rows: pl.LazyFrame, key: str, pairs: Iterable[tuple[str, str]], column: str, *, over: bool = True
) -> pl.LazyFrame:
    """Rows with `column` set by the value of `key`; where `over`, an unlisted value keeps what it has."""
    table = pl.LazyFrame(list(pairs), schema={"__key": pl.String, "__value": pl.String}, orient="row")
    joined = rows.join(table, left_on=key, right_on="__key", how="left", maintain_order="left")
    value = pl.coalesce("__value", column) if over else pl.coalesce(column, "__value")
    return joined.with_columns(value.alias(column)).drop("__value")


def _named(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Without the rows whose label was given an empty name: they are declared to be no figures."""
    return rows.filter(~pl.any_horizontal((pl.col(axis) == "").fill_null(value=False) for axis in AXES))
