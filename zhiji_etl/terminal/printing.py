"""Rich renderables on a console: in a terminal long lines go on below their own text, elsewhere they stay whole.

In: renderables. Out: what a console prints.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.text import Text

LABEL: Final = re.compile(r"\s*(?:\S{1,22}(?: \S{1,12})?\s{2,}|(?=\S))")
"""What a line begins with: its indent, and a word or two with room behind them."""

HANG: Final = 2
"""How much further a line without a label is indented where it goes on."""


def print_to(console: Console, *renderables: RenderableType, hang: bool = True) -> None:
    """Print without guessing at colours for numbers: colour here always means something.

    In a terminal a long line goes on below its own text, between words (`hang`); elsewhere lines stay whole.
    """
    if not console.is_terminal or not hang:
        console.print(*renderables, highlight=False, soft_wrap=True)
        return
    for one in _flat(renderables):
        lines = _hanging(one, console) if isinstance(one, Text) else [one]
        console.print(*lines, highlight=False, sep="\n")


def _flat(renderables: Iterable[RenderableType]) -> Iterator[RenderableType]:
    for one in renderables:
        if isinstance(one, Group):
            yield from _flat(one.renderables)
        else:
            yield one


def _hanging(text: Text, console: Console) -> Iterator[Text]:
    """Each line of a text within the width: what goes on stands below what follows the label of the line."""
    for line in text.split("\n", allow_blank=True) or [text]:
        if line.cell_len <= console.width:
            yield line
            continue
        label = LABEL.match(line.plain)
        first, rest = line.divide([label.end() if label else 0])
        inner = min(first.cell_len + (0 if first.plain.strip() else HANG), console.width // 2)
        for number, part in enumerate(rest.wrap(console, console.width - inner)):
            part.rstrip()
            yield Text.assemble(first if number == 0 else " " * inner, part)
