"""An engine by its name, as settings and the command line give it.

In: a name, an address where the engine has one, and a folder. Out: the engine, not yet started. The packages of an
engine are imported when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from zhiji_etl.engines.seam import Engine
from zhiji_etl.errors import EngineError
from zhiji_etl.sources.names import nearest, safe_terminal


def engine(name: str, address: str | None, scratch: Path, workers: int = 1) -> Engine:
    """The engine `local`, `dask` or `spark`.

    `address` is where it runs, such as spark://host:7077, local[2] or tcp://host:8786; without one, processes of this
    machine are started. `scratch` is a folder for what passes between shards, seen by all workers under this path.
    `workers` are the processes of the engine `local`; with one, it works in this process.
    Raises `EngineError`: `engine_unknown`, `engine_address`, `engine_workers`.
    """
    if name not in ENGINES:
        raise _unknown(name)
    if workers != 1 and name != "local":
        what = f"The engine {name} has workers of its own, but {workers} are asked for."
        raise EngineError("engine_workers", what, hint="leave workers away, or leave the engine away")
    return ENGINES[name](address, scratch, workers)


def _local(address: str | None, scratch: Path, workers: int) -> Engine:
    from zhiji_etl.engines.local import LocalEngine
    from zhiji_etl.engines.processes import ProcessEngine

    if address is not None:
        what = f"The engine local runs on this machine and has no address, but {safe_terminal(address)!r} is given."
        raise EngineError("engine_address", what, hint="leave the address away, or name the engine spark or dask")
    if workers < 1:
        raise EngineError("engine_workers", f"{workers} workers can do nothing.", hint="say 1 or more")
    return LocalEngine(scratch) if workers == 1 else ProcessEngine(workers, scratch)


def _dask(address: str | None, scratch: Path, _workers: int) -> Engine:
    from zhiji_etl.engines.dask import DaskEngine

    return DaskEngine(address, scratch)


def _spark(address: str | None, scratch: Path, _workers: int) -> Engine:
    from zhiji_etl.engines.spark import SparkEngine

    return SparkEngine(address, scratch)


ENGINES: Final[Mapping[str, Callable[[str | None, Path, int], Engine]]] = {
    "local": _local,
    "dask": _dask,
    "spark": _spark,
}
"""How each engine is made."""


def _unknown(name: str) -> EngineError:
    near = nearest(name, ENGINES)
    hint = f"did you mean {near}?" if near else f"the engines are {', '.join(ENGINES)}"
    return EngineError("engine_unknown", f"There is no engine {safe_terminal(name)!r}.", hint=hint)
