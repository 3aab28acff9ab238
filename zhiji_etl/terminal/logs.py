"""Logs and progress of a run on stderr: nothing, plain lines, one JSON object a line, or a bar on a terminal.

In: log records of the library, whose `extra` names stage, rows (or sources) and seconds. Out: stderr; stdout is never
touched.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from zhiji_etl.sources.names import safe_terminal
from zhiji_etl.stages import LOGGER, THINGS, Watcher

FIELDS: Final = ("stage", *dict.fromkeys(("rows", *THINGS.values())), "seconds", "code", "run")
"""What a record may carry beside its message."""


def configure(*, as_json: bool = False, verbose: bool = False) -> None:
    """Send the library's log to stderr, as JSON lines or plain text; without either it stays silent."""
    reset()
    if as_json or verbose:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLines() if as_json else PlainLines())
        LOGGER.addHandler(handler)
        LOGGER.setLevel(logging.INFO)
        LOGGER.propagate = False


def reset() -> None:
    """Take the handlers of `configure` away again."""
    for handler in [one for one in LOGGER.handlers if isinstance(one.formatter, JsonLines | PlainLines)]:
        LOGGER.removeHandler(handler)
    LOGGER.propagate = True


def speaks_json() -> bool:
    """Whether stderr is to hold JSON lines and nothing else."""
    return any(isinstance(handler.formatter, JsonLines) for handler in LOGGER.handlers)


class JsonLines(logging.Formatter):
    """One JSON object a line: time in UTC, level, message, and those of FIELDS that there are."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of one record."""
        carried = {name: getattr(record, name) for name in FIELDS if getattr(record, name, None) is not None}
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": moment, "level": record.levelname.lower(), "message": record.getMessage(), **carried}
        return json.dumps(line, ensure_ascii=False, default=str)


class PlainLines(logging.Formatter):
    """Time in UTC, level and message, on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of one record."""
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"{moment} {record.levelname.lower()} {safe_terminal(record.getMessage())}"


@contextmanager
def progress(*, wanted: bool = True, expected: Mapping[str, float] | None = None) -> Iterator[Watcher | None]:
    """A bar over the stages of a run, gone when it ends; nothing where stderr is no terminal.

    Gives what is to be told how the run goes; `expected` are the seconds that each stage may take.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if not wanted or not console.is_terminal:
        yield None
        return
    from zhiji_etl.terminal.progress import Bar

    with Bar(console, expected or {}) as bar:
        yield bar
