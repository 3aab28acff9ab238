"""Every error that zhiji_etl raises, and the exit code of each.

    ZhijiError
    ├── OptionError        a function is given what it does not take            exit code 2
    ├── FigureError        a text is no figure: what could not be read, and where
    ├── UnitError          a unit is unknown, or two units do not convert
    ├── PeriodError        a period cannot be read, or has no predecessor
    ├── RateError          an exchange rate does not exist, or a rate file is broken        exit code 4
    ├── RuleError          a rule is refused when it is defined (dimension, unknown metric, contradiction)
    ├── FindingError       a run has no finding of that name, or several         exit code 2
    ├── ProjectError       a project folder, sidecar or schema is broken          exit code 3
    ├── SourceError        a raw file cannot be read                              exit code 4
    ├── OutputError        the output cannot be written, or is locked             exit code 5
    └── EngineError        who is to do the work is missing, out of reach or broken  exit code 5

Each carries a stable `code`, a sentence that says what was wrong and where, and a `hint` that says what to do.
Data problems are not errors: they are rejects and findings.
"""

from __future__ import annotations

import copyreg
from typing import Any


class ZhijiError(Exception):
    """The root of all errors of this library: a code, a sentence, and a hint.

    `str(error)` is the sentence, followed by `Hint: ...` where there is one.
    """

    exit_code = 3

    def __init__(self, code: str, message: str, *, hint: str | None = None) -> None:
        self.code = code
        self.message = message
        self.hint = hint
        ending = "" if message.endswith((".", "?", "!", ":", "…")) else "."
        super().__init__(message if hint is None else f"{message}{ending} Hint: {hint}")

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions are made again from `args`, which here is the sentence alone: workers would send no error whole.
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]


class OptionError(ZhijiError, ValueError):
    """An argument that a function does not take: its type, its name or its value."""

    exit_code = 2


class FigureError(ZhijiError):
    """A text that cannot be read as a figure.

    `text` is the whole text, `start` and `end` the character offsets of the part that could not be read.
    """

    def __init__(
        self, code: str, message: str, *, text: str = "", start: int = 0, end: int = 0, hint: str | None = None
    ) -> None:
        self.text = text
        self.start = start
        self.end = end
        super().__init__(code, message, hint=hint)


class UnitError(ZhijiError):
    """A unit is unknown, or two units are not of one dimension."""


class PeriodError(ZhijiError):
    """A period cannot be read, or the step asked of it does not exist."""


class RateError(ZhijiError):
    """An exchange rate does not exist for the date or period, or a rate file is broken: an input, like a raw file."""

    exit_code = 4


class RuleError(ZhijiError):
    """A rule that is refused when it is defined."""


class FindingError(ZhijiError):
    """A finding that is asked for and does not exist, or is not the only one of that name."""

    exit_code = 2


class ProjectError(ZhijiError):
    """A project folder, a sidecar or a schema file is broken."""

    exit_code = 3


class SourceError(ZhijiError):
    """A raw file that cannot be read at all."""

    exit_code = 4


class OutputError(ZhijiError):
    """The output folder cannot be written, or another run holds it."""

    exit_code = 5


class EngineError(ZhijiError):
    """What is to do the work of shards is not installed, cannot be reached, or gave up."""

    exit_code = 5
