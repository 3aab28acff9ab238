"""A Spark context: one that runs in this process, what spark-submit prepared, a master's, or one of this machine.

In: an address, or none. Out: a context, stopped at the end if it was started here. What Java says on its console stays
away from ours, and is read only where Java does not start.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from zhiji_etl.engines.environment import environment
from zhiji_etl.engines.packages import package
from zhiji_etl.errors import EngineError
from zhiji_etl.outputs.disk import temporary_folder
from zhiji_etl.sources.names import safe_terminal

PATIENCE: Final = 30.0
"""Seconds to wait for a master."""

START: Final = 180.0
"""Seconds to wait for its first executor."""

LOOPBACK: Final = "127.0.0.1"
STANDALONE: Final = "spark"


@contextmanager
def spark_context(address: str | None, scratch: Path) -> Iterator[Any]:
    """The context for an address; `EngineError`: `engine_missing`, `engine_java`, `engine_address`, ..."""
    pyspark = package("pyspark", "spark")
    running = pyspark.SparkContext._active_spark_context
    if running is not None:
        yield _used(running, address)
        return
    master = address or _here()
    if master is not None and urlsplit(master).scheme == STANDALONE:
        _knock(master)
    with temporary_folder(scratch, "spark-") as folder, _started(pyspark, master, folder) as context:
        if master is not None and urlsplit(master).scheme == STANDALONE:
            _await_executor(context, master)
        yield context


def _used(running: Any, address: str | None) -> Any:
    """The context of this process; there can be only one."""
    if address not in (None, running.master):
        raise EngineError(
            "engine_address",
            f"Spark runs in this process on {safe_terminal(running.master)}, not on {safe_terminal(str(address))}.",
            hint="stop that context, or give no address",
        )
    return running


def _here() -> str | None:
    """All cores of this machine; nothing where spark-submit says where to run."""
    return None if "PYSPARK_GATEWAY_PORT" in os.environ else f"local[{os.cpu_count() or 1}]"


@contextmanager
def _started(pyspark: Any, master: str | None, folder: str) -> Iterator[Any]:
    is_local = master is not None and master.startswith("local")
    gateway = _gateway()
    try:
        with environment(_python(is_local)), warnings.catch_warnings():
            # PySpark looks at pandas, which it does not need here, and warns of new versions.
            warnings.simplefilter("ignore", FutureWarning)
            conf = _conf(pyspark, gateway, master, folder if is_local else None)
            context = pyspark.SparkContext(conf=conf, gateway=gateway)
    except Exception as error:
        # Java's own words, where it was Java.
        said = str(getattr(error, "java_exception", error))
        raise _unreachable(str(master), said.partition("\n")[0]) from error
    try:
        context.setLogLevel("OFF")
        yield context
    finally:
        # If Java is gone, that has been told by what failed.
        with suppress(Exception):
            context.stop()


def _conf(pyspark: Any, gateway: Any, master: str | None, folder: str | None) -> Any:
    conf = pyspark.SparkConf(_jvm=gateway.jvm)
    if master is not None:
        conf.setMaster(master)
    for name, value in _settings(conf, folder).items():
        conf.setIfMissing(name, value)
    return conf


def _settings(conf: Any, folder: str | None) -> dict[str, str]:
    """What Spark is told, where the machine's own settings say nothing; `folder` is for workers of this machine."""
    settings = {
        "spark.app.name": "zhiji_etl",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.maxResultSize": "0",
        # A task has so many cores, and Polars would take all of them.
        "spark.executorEnv.POLARS_MAX_THREADS": conf.get("spark.task.cpus", "1"),
    }
    if folder is not None:
        settings |= {
            "spark.ui.enabled": "false",
            "spark.driver.host": LOOPBACK,
            "spark.driver.bindAddress": LOOPBACK,
            "spark.local.dir": folder,
            # Workers here import what this process does.
            "spark.executorEnv.PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
    return settings


def _python(is_local: bool) -> dict[str, str | None]:
    if is_local:
        return {"PYSPARK_PYTHON": sys.executable}
    # Pandera sets this address where pandas is installed, and no other machine could answer to it.
    return {"SPARK_LOCAL_IP": None} if os.environ.get("SPARK_LOCAL_IP") == LOOPBACK else {}


# ---------------------------------------------------------------------------------------------------------------- Java


@cache
def _gateway() -> Any:
    """The Java process of this process: PySpark has one, until this process ends."""
    if "PYSPARK_GATEWAY_PORT" not in os.environ and not _java():
        raise _no_java("Java is not installed, or not found")
    java_gateway = package("pyspark.java_gateway", "spark")
    errors = package("pyspark.errors", "spark")
    with tempfile.TemporaryFile() as console:
        try:
            return java_gateway.launch_gateway(popen_kwargs={"stdout": console, "stderr": console})
        except errors.PySparkRuntimeError as error:
            console.seek(0)
            said = console.read().decode(errors="replace").strip().splitlines()
            raise _no_java(f"Java did not start: {safe_terminal(said[0] if said else str(error))}") from error


def _java() -> str | None:
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=str(Path(home) / "bin") if home else None)


def _no_java(what: str) -> EngineError:
    hint = "Spark 4 needs Java 17 or 21: install it, and set JAVA_HOME where there are several"
    return EngineError("engine_java", f"{what}.", hint=hint)


# ------------------------------------------------------------------------------------------------------------- masters


def _knock(master: str) -> None:
    """Spark itself would try for minutes."""
    hosts = [urlsplit(f"//{one}") for one in master.removeprefix(f"{STANDALONE}://").split(",")]
    said = ""
    for host in hosts:
        try:
            socket.create_connection((host.hostname or "", host.port or 7077), timeout=PATIENCE / len(hosts)).close()
        except (OSError, ValueError) as error:
            said = str(error)
        else:
            return
    raise _unreachable(master, said)


def _await_executor(context: Any, master: str) -> None:
    """A job without executors would wait without a word, for ever."""
    if context.getConf().get("spark.dynamicAllocation.enabled", "false") == "true":
        return
    tracker = context._jsc.sc().statusTracker()
    end = time.monotonic() + START
    # This process counts as one.
    while len(tracker.getExecutorInfos()) < 2:
        if time.monotonic() > end:
            raise _unreachable(master, "no executor started: it has no workers, or none with room")
        time.sleep(0.1)


def _unreachable(master: str, what: str) -> EngineError:
    return EngineError(
        "engine_unreachable",
        f"Spark at {safe_terminal(master)} cannot be used: {safe_terminal(what)}.",
        hint="Give the master's address, such as spark://host:7077, and start workers.",
    )
