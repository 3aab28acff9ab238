"""A bar over the stages of a run, on a terminal: the stage, the rows read, how many a second, and the time left.

In: what `Stages` tells its watcher, and the seconds that each stage is expected to take. Out: a line on the console,
gone when the run ends. The clock is that of `time.monotonic`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from zhiji_etl.stages import STAGES, STAGES_IN_SHARDS


class Bar(Progress):
    """The bar; it is told how the run goes, and works out what it shows anew each time that it is drawn."""

    def __init__(self, console: Console, expected: Mapping[str, float]) -> None:
        self.expected = expected
        self.rows = 0
        self.stages: Sequence[str] = STAGES
        self.stage = self.stages[0]
        self.begin = self.stage_begin = time.monotonic()
        texts = (TextColumn("{task.fields[rows]}"), TimeElapsedColumn(), TextColumn("{task.fields[left]}"))
        columns = (TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), *texts)
        super().__init__(*columns, console=console, transient=True)
        self.task = self.add_task(self.stage, total=len(self.stages), rows="", left="")

    def begun(self, stage: str) -> None:
        """A stage begins."""
        self.stage, self.stage_begin = stage, time.monotonic()
        if stage not in self.stages:
            self.stages = STAGES_IN_SHARDS
        self.update(self.task, description=stage, completed=self.stages.index(stage), total=len(self.stages))

    def counted(self, rows: int) -> None:
        """So many rows more are read."""
        self.rows += rows

    def get_renderables(self) -> Iterable[RenderableType]:
        """What is drawn now."""
        now = time.monotonic()
        later = self.stages[self.stages.index(self.stage) + 1 :]
        left = time_left(self.stage, now - self.stage_begin, later, self.expected)
        if self.task_ids:
            self.update(self.task, rows=speed(self.rows, now - self.begin), left=left)
        return super().get_renderables()


def speed(rows: int, seconds: float) -> str:
    """Rows, and how many that is a second; nothing where there are none yet."""
    return f"{rows:,} rows, {rows / seconds:,.0f}/s" if rows and seconds > 0 else ""


def time_left(stage: str, seconds: float, later: Iterable[str], expected: Mapping[str, float]) -> str:
    """How long a run takes that is `seconds` into a stage, if this and the `later` ones take what is expected.

    Nothing where nothing is expected.
    """
    if not expected:
        return ""
    whole = round(sum(expected.get(one, 0.0) for one in later) + max(expected.get(stage, 0.0) - seconds, 0.0))
    return f"about {whole // 60}:{whole % 60:02} left"
