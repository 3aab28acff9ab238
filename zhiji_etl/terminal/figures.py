"""Figures for a person's eye: one as a card with what each word did, and those of a document in their places.

In: a `Figure`, or a `Document` with what was found in it. Out: Rich renderables, or plain dictionaries for JSON.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from importlib import resources
from itertools import groupby
from typing import Any, Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.text import Text

from zhiji_etl.documents import Document, Found
from zhiji_etl.figures import Figure, Qualifier
from zhiji_etl.reading.grammar.folding import MARK, coarse, fold
from zhiji_etl.reading.grammar.tokens import Token, tokens
from zhiji_etl.sources.names import safe_terminal

COLOURS: Final[Mapping[str, str]] = {"money": "green", "percent": "cyan", "count": "yellow", "other": "magenta"}
"""Colour of each sort of figure in a text."""

_PERCENT: Final = frozenset({"percent", "percentage_point", "basis_point"})
_MONEY: Final = re.compile(r"[A-Z]{3}(?:/.*)?")
_OTHER: Final = frozenset({"rank", "multiple"})


def figure_data(figure: Figure) -> dict[str, Any]:
    """One figure as JSON: numbers as text, so that no digit is lost."""
    names = ("value", "range_low", "range_high", "low", "high", "step", "step_max")
    numbers = {name: None if getattr(figure, name) is None else str(getattr(figure, name)) for name in names}
    return {
        "text": figure.text,
        "start": figure.start,
        "end": figure.end,
        **numbers,
        "low_closed": figure.low_closed,
        "high_closed": figure.high_closed,
        "unit": figure.unit,
        "qualifier": figure.qualifier.value,
        "restated": figure_data(figure.restated) if figure.restated else None,
        "ambiguous": [
            {"value": str(other.value), "unit": other.unit, "reason": other.reason} for other in figure.ambiguous
        ],
    }


def found_data(found: Sequence[Found]) -> list[dict[str, Any]]:
    """The figures of a document as JSON, each with its line, column and sentence."""
    return [
        {"line": one.line, "column": one.column, **figure_data(one.figure), "sentence": one.sentence} for one in found
    ]


class Card:
    """One figure as a card: what it says, then what each word of it did; as narrow as the terminal is."""

    def __init__(self, figure: Figure, *, decimal_comma: bool = False) -> None:
        self.rows = list(figure_rows(figure))
        self.words = list(words_of(figure, decimal_comma=decimal_comma))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Names and values side by side, or where they do not fit in a terminal one below the other."""
        for rows, style in ((self.rows, "bold"), (self.words, "cyan")):
            if rows is self.words and rows:
                yield Text("what each word did", "dim")
            width = max((_width(name) for name, _ in rows), default=0)
            longest = width + 2 + max((_width(value) for _, value in rows), default=0)
            fits = longest <= options.max_width or not console.is_terminal
            yield from _side_by_side(rows, width, style) if fits else _stacked(rows, style, options)


def figure_rows(figure: Figure) -> Iterator[tuple[str, str]]:
    """The lines of a card."""
    if figure.value is not None:
        yield "value", f"{grouped(figure.value)} {figure.unit}"
    elif figure.range_low is not None and figure.range_high is not None:
        yield "range", f"{grouped(figure.range_low)} to {grouped(figure.range_high)} {figure.unit}"
    left, right = "[" if figure.low_closed else "(", "]" if figure.high_closed else ")"
    yield "bounds", f"{left}{grouped(figure.low)}, {grouped(figure.high)}{right}"
    coarsest = "" if figure.step == figure.step_max else f", at most to the nearest {grouped(figure.step_max)}"
    yield "precision", f"to the nearest {grouped(figure.step)}{coarsest}"
    yield "qualifier", figure.qualifier.value
    for other in figure.ambiguous:
        yield "or", f"{'?' if other.value is None else grouped(other.value)} {other.unit}: {other.reason}"
    if figure.restated is not None:
        for name, text in figure_rows(figure.restated):
            yield f"restated {name}", text


def grouped(number: Decimal) -> str:
    """An exact decimal with thousands separators and no exponent."""
    return str(number) if not number.is_finite() else f"{number:,f}"


def words_of(figure: Figure, *, decimal_comma: bool = False) -> Iterator[tuple[str, str]]:
    """Each word of a figure's text, as printed, and what it did to the figure. Words that did nothing are left out."""
    shape, printed = coarse(fold(figure.text), decimal_comma)
    said = [(token, _role(token, figure)) for token in tokens(shape)[0]]
    for role, group in groupby(_glued(said), key=lambda pair: pair[1]):
        words = [token for token, _ in group]
        start, end = (_place(shape, printed, at) for at in (words[0].start, words[-1].end))
        if role:
            yield safe_terminal(figure.text[start:end]), role


def in_place(document: Document, found: Sequence[Found], *, marks: bool) -> Text:
    """The text of a document with its figures in colour, and where `marks` between « and », for print without colour.

    Control characters are written out; the last line is the legend.
    """
    shown, at = Text(), 0
    for one in found:
        if one.first < at:
            continue
        shown.append(_lines(document.text[at : one.first]))
        printed = _lines(document.text[one.first : one.last])
        shown.append(f"«{printed}»" if marks else printed, _style(one.figure))
        at = one.last
    shown.append(_lines(document.text[at:]).rstrip())
    return shown.append("\n\n").append_text(legend(found))


def legend(found: Sequence[Found]) -> Text:
    """How many figures of each sort there are, each sort in its colour, in one line."""
    counted = Counter(sort_of(one.figure) for one in found)
    line = Text(f"{len(found)} figures" if len(found) != 1 else "1 figure")
    for number, sort in enumerate(sort for sort in COLOURS if counted[sort]):
        line.append(", " if number else ": ").append(f"{counted[sort]} {sort}", COLOURS[sort])
    ambiguous = sum(bool(one.figure.ambiguous) for one in found)
    return line.append("; ").append(f"{ambiguous} ambiguous", "underline") if ambiguous else line


def sort_of(figure: Figure) -> str:
    """Money, percent, count or other (ranks and multiples)."""
    if figure.unit in _PERCENT:
        return "percent"
    if _MONEY.fullmatch(figure.unit):
        return "money"
    return "other" if figure.unit in _OTHER else "count"


# ------------------------------------------------------------------------------------------------------------- cards


def _side_by_side(rows: Sequence[tuple[str, str]], width: int, style: str) -> Iterator[Text]:
    for name, value in rows:
        yield Text.assemble((name, style), " " * (width + 2 - _width(name)), value)


def _stacked(rows: Sequence[tuple[str, str]], style: str, options: ConsoleOptions) -> Iterator[Any]:
    for name, value in rows:
        yield Text(name, style)
        yield Folded(value)


class Folded:
    """A text that is folded at the edge of the terminal, one step to the right."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The text within the width, whatever was asked of the rest."""
        inner = options.update(no_wrap=False, overflow="fold")
        yield from console.render(Padding(Text(self.text), (0, 0, 0, 2), expand=False), inner)


def _width(text: str) -> int:
    return Text(text).cell_len


# ------------------------------------------------------------------------------------------------------------- words


@cache
def _roles() -> dict[str, dict[str, str]]:
    """Kind of word -> what it does, by its value."""
    return tomllib.loads(resources.files("zhiji_etl.terminal").joinpath("figures.toml").read_text(encoding="utf-8"))


def _role(token: Token, figure: Figure) -> str | None:
    """What a word did, by the first of its kinds that shows in the figure; None where none does."""
    for kind, sentences in _roles().items():
        if kind not in token.kinds:
            continue
        for value in _values(token.kinds[kind], sentences.get("needs"), figure):
            sentence = sentences.get(value, sentences.get("*"))
            if sentence:
                return sentence.replace("{}", value)
    return None


def _values(value: Any, needs: str | None, figure: Figure) -> Iterator[str]:
    """The values of a word that show in the figure, as text."""
    amounts = [figure] if figure.restated is None else [figure, figure.restated]
    many = [str(one) for one in value] if isinstance(value, tuple) else [str(value)]
    if needs is None:
        yield from many
    elif needs == "unit":
        units = {part for amount in amounts for part in re.split("/", amount.unit)}
        yield from (one.split(" ")[0] for one in many if one.split(" ")[0] in units)
    elif needs == "bracket":
        yield "negative" if figure.restated is None and _sign(figure) < 0 else "restated" if figure.restated else ""
    elif _shows(needs, many[0], amounts):
        yield many[0]


def _shows(needs: str, value: str, amounts: Sequence[Figure]) -> bool:
    figure = amounts[0]
    return {
        "qualifier": any(amount.qualifier.value == value for amount in amounts),
        "range": any(amount.qualifier is Qualifier.RANGE for amount in amounts),
        "rank": figure.unit == "rank",
        "zero": figure.value == 0,
        "sign": value == str(_sign(figure)),
        "restated": figure.restated is not None,
        "compound": any("/" in amount.unit for amount in amounts),
    }.get(needs, False)


def _sign(figure: Figure) -> int:
    number = figure.value if figure.value is not None else figure.range_low
    return -1 if number is not None and number.is_signed() else 1


def _glued(said: Sequence[tuple[Token, str | None]]) -> Iterator[tuple[Token, str | None]]:
    """A word that did nothing, between two that did the same, is part of them: the hyphen of `twenty-two`."""
    if not said:
        return
    yield said[0]
    for before, (token, role), after in zip(said, said[1:], [*said[2:], (None, None)], strict=False):
        yield token, (before[1] if role is None and before[1] == after[1] else role)


def _place(shape: str, printed: Sequence[str], offset: int) -> int:
    """The offset in the text of an offset in its shape."""
    marks = shape.count(MARK, 0, offset)
    return offset + sum(map(len, printed[:marks])) - marks


# --------------------------------------------------------------------------------------------------------- documents


def _style(figure: Figure) -> str:
    return f"bold {COLOURS[sort_of(figure)]}" + (" underline" if figure.ambiguous else "")


_GAP: Final = re.compile(r"\n\s*\n\s*")


def _lines(text: str) -> str:
    """Each line harmless to a terminal, and no more than one empty line in a row."""
    return "\n".join(safe_terminal(line.replace("\t", " ").rstrip("\r")) for line in _GAP.sub("\n\n", text).split("\n"))
