"""The engine of one machine with several processes: each takes the next shard when it is through with one.

In a shuffle each shard becomes one file below `scratch`; what passes between processes are its name, and results.
Workers are started anew (`spawn`), since Polars does not survive a fork; each gets its share of the cores, and ends
with this process, however that ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from multiprocessing.connection import wait
from pathlib import Path
from threading import Thread
from typing import Any, Final, Self

import polars as pl

from zhiji_etl.engines.environment import environment
from zhiji_etl.engines.failures import as_engine_errors, attempted, results
from zhiji_etl.engines.pieces import ThroughFiles
from zhiji_etl.engines.seam import Given, Made
from zhiji_etl.errors import EngineError

THREADS: Final = "POLARS_MAX_THREADS"
"""Polars asks for it while it is loaded."""


class ProcessEngine(ThroughFiles):
    """So many processes of this machine; `scratch` is a folder for the files of a shuffle."""

    name = "local"

    def __init__(self, workers: int, scratch: Path) -> None:
        self.workers = workers
        self.scratch = scratch.absolute()
        self._pool: Any = None
        self._started = ExitStack()

    def __enter__(self) -> Self:
        """Make the pool; processes start with the first shards."""
        spawn = multiprocessing.get_context("spawn")
        with ExitStack() as starting:
            threads = max(1, pl.thread_pool_size() // self.workers)
            starting.enter_context(environment({THREADS: str(threads)}))
            pool = ProcessPoolExecutor(self.workers, mp_context=spawn, initializer=_begin)
            starting.callback(pool.shutdown, cancel_futures=True)
            self._pool = pool
            self._started = starting.pop_all()
        return self

    def __exit__(self, *raised: object) -> None:
        """End the processes, once they are through with their shards."""
        self._started.close()

    def each(self, function: Callable[[Given], Made], given: Sequence[Given]) -> list[Made]:
        """The function of each, in order; after the first error of the library nothing more is begun."""
        futures = []
        try:
            with as_engine_errors(self.name, passing=(BrokenProcessPool,)):
                futures += [self._pool.submit(attempted, function, one) for one in given]
                return results(future.result() for future in futures)
        except BrokenProcessPool as error:
            raise _ended() from error
        finally:
            for future in futures:
                future.cancel()


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
