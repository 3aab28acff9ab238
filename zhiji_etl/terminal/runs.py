"""The runs of a build folder as a table.

In: what `history` tells of runs. Out: Rich renderables.
"""

from __future__ import annotations

from typing import Any, Final

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table as Grid
from rich.text import Text

from zhiji_etl.outputs.history import COUNTS

ID_WIDTH: Final = 30
WIDE: Final = 1000


class RunTable:
    """What `history` gives as a table; in a terminal that is too narrow for it, two lines a run."""

    def __init__(self, told: list[dict[str, Any]]) -> None:
        self.told = told

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The form that fits."""
        grid = _grid(self.told)
        needed = Measurement.get(console, options.update(max_width=WIDE), grid).maximum
        grid.width = needed  # into a pipe or a file each line goes whole, however wide it is
        yield (
            grid
            if needed <= options.max_width or not console.is_terminal
            else Text("\n").join(_stacked(run) for run in self.told)
        )


def history_table(told: list[dict[str, Any]]) -> RenderableType:
    """What `history` gives, for a terminal."""
    return RunTable(told) if told else Text("no runs")


def _grid(told: list[dict[str, Any]]) -> Grid:
    grid = Grid(box=None, pad_edge=False, header_style="bold")
    # A terminal of 80 columns must not cut what is to be copied into the next command.
    grid.add_column("run", no_wrap=True, min_width=ID_WIDTH)
    grid.add_column("finished", no_wrap=True, min_width=len("2020-12-25 12:00:00"))
    for name in COUNTS:
        grid.add_column(name.replace("_", " "), justify="right")
    grid.add_column("")
    for run in told:
        counts = ["-" if run[name] is None else str(run[name]) for name in COUNTS]
        grid.add_row(run["run_id"], run["finished"][:19].replace("T", " "), *counts, "latest" if run["latest"] else "")
    return grid


def _stacked(run: dict[str, Any]) -> Text:
    counts = ", ".join(f"{'-' if run[name] is None else run[name]} {name.replace('_', ' ')}" for name in COUNTS)
    return Text.assemble((run["run_id"], "bold"), "  latest" if run["latest"] else "", f"\n  {counts}")
