"""The engine of a Dask cluster: a task for each shard, tried again where its worker is lost. Needs the extra `dask`.

In a shuffle each shard becomes one file below `scratch`, under a name of its own attempt, and what counts are the names
that the tasks gave back: pieces outlive the worker that made them, and workers hold none in memory.
"""

from __future__ import annotations

import logging
import pickle
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, Self

from zhiji_etl.engines.failures import as_engine_errors, attempted, failed, results
from zhiji_etl.engines.packages import package
from zhiji_etl.engines.pieces import ThroughFiles
from zhiji_etl.engines.seam import Given, Made
from zhiji_etl.errors import EngineError
from zhiji_etl.sources.names import safe_terminal
from zhiji_etl.stages import LOGGER

RETRIES: Final = 3
"""How often a task is tried again that raised what is no error of this library."""

PATIENCE: Final = 30.0
"""Seconds to wait for a scheduler, and for its first worker."""

REFUSALS: Final = 3.0
"""Seconds to wait for a scheduler whose machine says that nothing listens, or whose name nobody knows: it may be
starting, but a slip in the address is more likely."""


class DaskEngine(ThroughFiles):
    """Dask: a scheduler at an address such as tcp://host:8786, or as many processes here as there are cores."""

    name = "dask"

    def __init__(self, address: str | None, scratch: Path) -> None:
        self.address = address
        self.scratch = scratch.absolute()
        self._client: Any = None
        self._started = ExitStack()

    def __enter__(self) -> Self:
        """Start processes or connect; `EngineError`: `engine_missing`, `engine_unreachable`."""
        distributed = package("distributed", "dask")
        with ExitStack() as starting:
            starting.enter_context(_silence())
            address = self.address or starting.enter_context(_processes(distributed))
            self._client = starting.enter_context(_connected(distributed, address))
            self._started = starting.pop_all()
        return self

    def __exit__(self, *raised: object) -> None:
        """Stop the processes that were started; a scheduler at an address goes on."""
        self._started.close()

    def each(self, function: Callable[[Given], Made], given: Sequence[Given]) -> list[Made]:
        """The function of each; the first error of the library, in order, ends all tasks."""
        with as_engine_errors(self.name), _cancelled_too(self.name):
            # Sent to the scheduler once, not with each task; and a task, so that it is there again after a loss.
            sent = self._client.submit(pickle.loads, package("cloudpickle", "dask").dumps(function), pure=False)
            # As bytes: Dask looks for tasks in lists and tuples.
            packed = [pickle.dumps(one) for one in given]
            futures = self._client.map(_task, packed, function=sent, pure=False, retries=RETRIES)
            try:
                return results(future.result() for future in futures)
            finally:
                self._client.cancel([sent, *futures], force=True)


def _task(packed: bytes, function: Callable[[Any], Any]) -> Any:
    return attempted(function, pickle.loads(packed))


# -------------------------------------------------------------------------------------------------- starting, stopping


@contextmanager
def _processes(distributed: Any) -> Iterator[str]:
    """The address of a scheduler with one process for each core."""
    with (
        tempfile.TemporaryDirectory(prefix="zhiji-dask-", ignore_cleanup_errors=True) as folder,
        distributed.LocalCluster(
            # As many processes as cores, then.
            threads_per_worker=1,
            # Workers hold no data of ours: there is nothing to spill, and what a shard takes is no reason to end one.
            memory_limit=0,
            # Without an address Dask takes port 8787, and complains where another cluster has it.
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            local_directory=folder,
            silence_logs=logging.CRITICAL,
            env={"POLARS_MAX_THREADS": "1"},
        ) as cluster,
    ):
        yield cluster.scheduler_address


@contextmanager
def _connected(distributed: Any, address: str) -> Iterator[Any]:
    """A client of the scheduler, once it has a worker."""
    _refuse_closed(distributed, address)
    LOGGER.info("waiting up to %.0f s for the scheduler %s and its first worker", PATIENCE, address)
    try:
        client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise _unreachable(address, str(error)) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except OSError as error:
            timely = not isinstance(error, TimeoutError)
            raise _unreachable(address, str(error) if timely else "it has no workers") from error
        yield client


def _refuse_closed(distributed: Any, address: str) -> None:
    """Ask the machine itself: Dask takes a refusal for a silence, and waits as long as it may."""
    try:
        host_and_port = distributed.comm.get_address_host_port(address)
    except ValueError:
        return  # Dask says what is wrong with such an address
    last = time.monotonic() + min(REFUSALS, PATIENCE)
    while True:
        try:
            socket.create_connection(host_and_port, timeout=PATIENCE).close()
        except (ConnectionRefusedError, socket.gaierror) as error:
            if time.monotonic() >= last:
                raise _unreachable(address, (error.strerror or str(error)).lower()) from error
            time.sleep(0.2)
        except OSError:
            return
        else:
            return


@contextmanager
def _silence() -> Iterator[None]:
    """Only what is lost for good is told, and that is raised."""
    # Dask gives a level of its own to more than the first of them.
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _cancelled_too(engine: str) -> Iterator[None]:
    """A scheduler that is gone cancels everything; that is an error here, not a wish of the caller."""
    try:
        yield
    except CancelledError as error:
        raise failed(engine, "the scheduler is gone") from error


def _unreachable(address: str, what: str) -> EngineError:
    return EngineError(
        "engine_unreachable",
        f"No Dask scheduler answers at {safe_terminal(address)}: {safe_terminal(what)}.",
        hint="Give the address that `dask scheduler` prints, such as tcp://host:8786, and start workers.",
    )
