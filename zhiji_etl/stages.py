"""What a run did, stage by stage: seconds for the manifest, one log line each, and a word to whoever shows progress.

In: the name of a stage and the function that does it. Out: what the function gives, unchanged; seconds by stage.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final, ParamSpec, Protocol, TypeVar

import polars as pl

LOGGER: Final = logging.getLogger("zhiji_etl")
STAGES: Final = (
    "schemas",
    "sources",
    "read",
    "convert",
    "tabulate",
    "check",
    "restate",
    "tell",
    "write",
    "report",
    "unchanged",
)
"""The stages of a run, in order."""

STAGES_IN_SHARDS: Final = ("schemas", "sources", "read", "ranks", "joints", "publish", "report", "unchanged")
"""Those of a run in shards, as its driver goes through them: partitions do all else while it is at `read`."""

THINGS: Final[Mapping[str, str]] = {"sources": "sources", "ranks": "parts"}
"""What a stage gives a list or frame of, where it is not rows."""

Given = ParamSpec("Given")
Result = TypeVar("Result")


class Watcher(Protocol):
    """Who is told how a run goes while it goes."""

    def begun(self, stage: str) -> None:
        """A stage begins."""

    def counted(self, rows: int) -> None:
        """So many rows more are read."""


class Stages:
    """Runs the stages of one run and remembers how long each took; `watcher` is told how it goes."""

    def __init__(self, watcher: Watcher | None = None) -> None:
        self.watcher = watcher
        self.seconds: dict[str, float] = {}

    def __call__(
        self, name: str, function: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
    ) -> Result:
        """The result of the function; how many rows or other things it holds, as a frame or a list, is logged."""
        if self.watcher is not None:
            self.watcher.begun(name)
        started = time.perf_counter()
        result = function(*args, **kwargs)
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - started, 3)
        _log(name, self.seconds[name], _size(result))
        return result

    def counting(self, function: Callable[Given, pl.DataFrame]) -> Callable[Given, pl.DataFrame]:
        """The same function, whose rows are counted as they come."""

        def counted(*args: Given.args, **kwargs: Given.kwargs) -> pl.DataFrame:
            """What the function gives, its rows told to the watcher."""
            frame = function(*args, **kwargs)
            if self.watcher is not None:
                self.watcher.counted(frame.height)
            return frame

        return counted

    @property
    def total(self) -> float:
        """Seconds of all stages so far."""
        return round(sum(self.seconds.values()), 3)


def _size(result: object) -> int | None:
    if isinstance(result, pl.DataFrame):
        return result.height
    return len(result) if isinstance(result, list) else None


def _log(stage: str, seconds: float, size: int | None) -> None:
    things = THINGS.get(stage, "rows")
    counted = "" if size is None else f", {size} {things if size != 1 else things[:-1]}"
    LOGGER.info("%s: %.3f s%s", stage, seconds, counted, extra={"stage": stage, "seconds": seconds, things: size})
