"""The engine of one machine: two shards at a time in this process, each with all cores where Polars has use for them.

Much of a shard is Python, for one core alone; beside it the other shard goes on. In a shuffle each shard becomes one
file below `scratch`, so memory holds what two shards need at once, however many there are.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import polars as pl

from zhiji_etl.engines.failures import Failure, as_engine_errors, attempted, results
from zhiji_etl.engines.pieces import ThroughFiles
from zhiji_etl.engines.seam import Given, Made
from zhiji_etl.threads import TWO


class LocalEngine(ThroughFiles):
    """Threads of this process; `scratch` is a folder for the files of a shuffle."""

    name = "local"

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch.absolute()
        self._pool: Any = None
        self._started = ExitStack()

    def __enter__(self) -> Self:
        """Make the pool; its workers start with the first shards."""
        with ExitStack() as starting:
            pool = self.pool(starting)
            starting.callback(pool.shutdown, cancel_futures=True)
            self._pool = pool
            self._started = starting.pop_all()
        return self

    def __exit__(self, *raised: object) -> None:
        """End the workers, once they are through with their shards."""
        self._started.close()

    def pool(self, _starting: ExitStack) -> Executor:
        """The workers, made while the engine is starting."""
        return ThreadPoolExecutor(min(TWO, pl.thread_pool_size()))

    def each(self, function: Callable[[Given], Made], given: Sequence[Given]) -> list[Made]:
        """The function of each, in order; after the first error of the library nothing more is begun."""
        futures = []
        try:
            with as_engine_errors(self.name):
                futures += [self._pool.submit(_apart, function, one) for one in given]
                return results(future.result() for future in futures)
        finally:
            for future in futures:
                future.cancel()


def _apart(function: Callable[[Given], Made], given: Given) -> Made | Failure:
    """What is made, as from any other engine: a small frame cut out of a partition would hold all of it in memory."""
    made: Made | Failure = pickle.loads(pickle.dumps(attempted(function, given)))
    return made
