"""Bounds drawn on one axis, as SVG that needs nothing else: in the report, in a notebook, in a file.

In: bars in one unit. Out: `Drawing`. Places on the axis are percentages and heights are pixels, so that letters keep
their size on any width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, inf, isfinite, log10
from pathlib import Path
from typing import Any, Final, NamedTuple

from zhiji_etl.arguments import guarded
from zhiji_etl.html.templates import rendered, style
from zhiji_etl.numbers import ends, single, span
from zhiji_etl.outputs.disk import writing
from zhiji_etl.wording import Wording

MARGIN: Final = 0.06
"""What is left free on each side, as part of what is shown."""

ROW: Final = 38
GAP: Final = 32
AXIS: Final = 26
RULER: Final = 22
"""Heights in pixels."""

TICKS: Final = 4
THINNEST: Final = 0.1
"""Percent of the axis: a bar of no width would not be drawn."""

VISIBLE: Final = 0.5
"""Percent of the axis from which a last digit can be seen."""


class Bar(NamedTuple):
    """One line of a drawing: its name, two ends, how it is coloured, and a remark behind its ends.

    `kind`: `stated`, `implied` or `other`; of a reference, `fits`, `fits_not` or `cannot_tell`. Where there is a remark
    the unit is left to the axis, for want of room.
    """

    name: str
    low: float
    high: float
    kind: str = "stated"
    note: str = ""


@dataclass(frozen=True)
class Drawing:
    """An SVG image: a notebook shows it, `save` writes it, `str` gives its text."""

    svg: str

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        return self.svg

    def __str__(self) -> str:
        return self.svg

    @guarded()
    def save(self, path: str | Path) -> Path:
        """Write the image to a file, such as `share.svg`, and give its path; `OutputError` (`output_unwritable`)."""
        target = Path(path)
        with writing(target):
            target.write_text(self.svg, encoding="utf-8")
        return target


def draw(
    bars: Sequence[Bar],
    unit: str | None,
    words: Wording,
    *,
    step: float | None = None,
    gap: str = "",
    alone: bool = True,
) -> Drawing:
    """Bars from top to bottom on one axis in one unit.

    `step` is the size of one last digit, drawn as a ruler; `gap` is written between the first two bars. `alone`: with
    its own style inside, for anywhere but the report.
    """
    axis = _axis(bars)
    rows, height = _rows(bars, axis, unit, words, gap)
    ruler = _ruler(bars, axis, step, unit, words)
    told = "; ".join(f"{row['name']}: {row['text']} {row['note']}".strip() for row in rows)
    svg = rendered(
        "drawing.svg",
        rows=rows,
        gap=_gap(bars, axis, gap),
        ticks=_ticks(axis, unit, words),
        ruler=ruler,
        top=height,
        height=height + AXIS + (RULER if ruler else 0),
        label=words("finding.axis", bars=told),
        style=style("drawing.css") if alone else "",
    )
    return Drawing(svg.strip())


# ----------------------------------------------------------------------------------------------------------- the places


LEAST_ROOM: Final = 1e-290
"""Of an axis: parts of it must still be numbers that a float holds in full."""


def _axis(bars: Sequence[Bar]) -> tuple[float, float]:
    """What the left and the right edge stand for; room is left beyond an end that is not bounded."""
    all_ends = [end for bar in bars for end in (bar.low, bar.high)]
    finite = [end for end in all_ends if isfinite(end)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    room = max((high - low) or abs(high) or 1.0, LEAST_ROOM)
    beyond = room / 4
    first = low - room * MARGIN - beyond * (-inf in all_ends)
    return first, high + room * MARGIN + beyond * (inf in all_ends)


def _place(value: float, axis: tuple[float, float]) -> float:
    """Percent of the width; an end that is not bounded lies at the edge."""
    if not isfinite(value):
        return 0.0 if value < 0 else 100.0
    return round((value - axis[0]) / (axis[1] - axis[0]) * 100, 2)


def _rows(
    bars: Sequence[Bar], axis: tuple[float, float], unit: str | None, words: Wording, gap: str
) -> tuple[list[dict[str, Any]], int]:
    rows, top = [], 0
    for number, bar in enumerate(bars):
        top += GAP if gap and number == 1 else 0
        left, right = _place(bar.low, axis), _place(bar.high, axis)
        rows.append(
            {
                "name": bar.name,
                "text": span(bar.low, bar.high, "count" if bar.note else unit, words),
                "kind": bar.kind,
                "note": bar.note,
                "top": top,
                "left": left,
                "width": round(max(right - left, THINNEST), 2),
                "open_left": bar.low == -inf,
                "open_right": bar.high == inf,
            }
        )
        top += ROW
    return rows, top


def _gap(bars: Sequence[Bar], axis: tuple[float, float], text: str) -> dict[str, Any] | None:
    if not text or len(bars) < 2:
        return None
    lower, upper = sorted(bars[:2], key=lambda bar: bar.low)
    left, right = _place(lower.high, axis), _place(upper.low, axis)
    middle = (left + right) / 2
    anchor = "start" if middle < 25 else "end" if middle > 75 else "middle"
    at = {"start": left, "middle": middle, "end": right}[anchor]
    return {"left": left, "right": right, "text": text, "anchor": anchor, "at": round(at, 2), "top": ROW, "height": GAP}


def _ticks(axis: tuple[float, float], unit: str | None, words: Wording) -> list[dict[str, Any]]:
    """Round numbers along the axis, the last one with the unit."""
    size = _round_step((axis[1] - axis[0]) / TICKS)
    values = [size * number for number in range(ceil(axis[0] / size), floor(axis[1] / size) + 1)]
    inner = [value for value in values if 4 <= _place(value, axis) <= 96]
    if not inner:
        return []
    largest = max(inner, key=abs)
    return [{"left": _place(value, axis), "text": _tick(value, largest, size, unit, words)} for value in inner]


def _tick(value: float, largest: float, size: float, unit: str | None, words: Wording) -> str:
    """A number on the axis: on the scale of the largest, to the digits of the distance."""
    beside = value + size if abs(value) < abs(largest) else value - size
    texts = ends(min(value, beside), max(value, beside), unit, words)
    scale = next((number for number, _ in words.scales if abs(largest) >= number), 1.0)
    places = min(max(-floor(log10(size / scale) + 1e-9), 0), 12)
    text = f"{value / scale + 0.0:,.{places}f}"
    return f"{text} {texts.unit}".strip() if value == largest else text


def _round_step(rough: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power: float = 10.0 ** floor(log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)


def _ruler(
    bars: Sequence[Bar], axis: tuple[float, float], step: float | None, unit: str | None, words: Wording
) -> dict[str, Any] | None:
    if not step or not bars:
        return None
    width = round(step / (axis[1] - axis[0]) * 100, 2)
    left = _place(bars[0].low, axis)
    visible = VISIBLE <= width <= 60
    return {
        "left": left,
        "right": round(left + width, 2),
        "visible": visible,
        "after": left + width < 55,
        "text": words("finding.last_digit", step=single(step, unit, words)),
    }
