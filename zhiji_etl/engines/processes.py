"""The engine of one machine with several processes: each takes the next shard when it is through with one.

What passes between processes are names of files, and results. Workers are started anew (`spawn`), since Polars does not
survive a fork; each gets its share of the cores, and ends with this process, however that ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from multiprocessing.connection import wait
from pathlib import Path
from threading import Thread
from typing import Final

import polars as pl

from zhiji_etl.engines.environment import environment
from zhiji_etl.engines.local import LocalEngine
from zhiji_etl.engines.seam import Given, Made
from zhiji_etl.errors import EngineError

THREADS: Final = "POLARS_MAX_THREADS"
"""Polars asks for it while it is loaded."""


class ProcessEngine(LocalEngine):
    """So many processes of this machine; `scratch` is a folder for the files of a shuffle."""

    def __init__(self, workers: int, scratch: Path) -> None:
        super().__init__(scratch)
        self.workers = workers

    def pool(self, starting: ExitStack) -> Executor:
        """The processes, each with its share of the cores."""
        spawn = multiprocessing.get_context("spawn")
        threads = max(1, pl.thread_pool_size() // self.workers)
        starting.enter_context(environment({THREADS: str(threads)}))
        return ProcessPoolExecutor(self.workers, mp_context=spawn, initializer=_begin)

    def each(self, function: Callable[[Given], Made], given: Sequence[Given]) -> list[Made]:
        """As `LocalEngine.each`; a process that ended is told as what it is."""
        try:
            return super().each(function, given)
        except EngineError as error:
            if isinstance(error.__cause__, BrokenProcessPool):
                raise _ended() from error.__cause__
            raise


def _begin() -> None:
    """What a worker does first."""
    # Ctrl-C is for the process that waits: it ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for its next shard for good."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _ended() -> EngineError:
    return EngineError(
        "engine_failed",
        "The engine local could not finish: a worker process has ended before its work, as where memory runs out.",
        hint="Take fewer workers or more partitions; a script that asks for workers must do its work under"
        ' if __name__ == "__main__": since each worker loads it.',
    )
