"""How what goes wrong on a worker reaches the caller.

In: exceptions. Out: a `ZhijiError` as it was raised, and anything else as `EngineError` `engine_failed`. A `ZhijiError`
is what the function says of its shard, so it travels as a result and no engine tries the shard again; any other
exception may be a matter of the worker, and stays an exception for the engine to try again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb
from typing import NamedTuple, TypeVar

from zhiji_etl.errors import EngineError, ZhijiError
from zhiji_etl.sources.names import safe_terminal

Made = TypeVar("Made")


class Failure(NamedTuple):
    """What a worker sends in place of a result."""

    error: ZhijiError


def attempted(function: Callable[..., Made], *given: object) -> Made | Failure:
    """What the function makes, or the `ZhijiError` that it raised."""
    try:
        return function(*given)
    except ZhijiError as error:
        return Failure(error)


def results(outcomes: Iterable[Made | Failure]) -> list[Made]:
    """All that was made; where something failed, the first error is raised and the rest is not waited for."""
    made = []
    for outcome in outcomes:
        if isinstance(outcome, Failure):
            raise outcome.error
        made.append(outcome)
    return made


@contextmanager
def as_engine_errors(engine: str, passing: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Turn exceptions of the body into `EngineError` `engine_failed`, but for those of this library and those named."""
    try:
        yield
    except ZhijiError:
        raise
    except passing:
        raise
    except Exception as error:
        raise failed(engine, f"{type(error).__name__}: {error}{_place(error)}") from error


def failed(engine: str, what: str) -> EngineError:
    """The error of an engine that could not do its work."""
    return EngineError(
        "engine_failed",
        f"The engine {engine} could not finish: {safe_terminal(what)}.",
        hint="The last good run is untouched. Try again; if it fails with the engine local, too, please report it.",
    )


def _place(error: Exception) -> str:
    """Where it was raised, as far as this process knows: the innermost line."""
    frames = extract_tb(error.__traceback__)
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
