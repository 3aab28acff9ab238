"""Small clusters on loopback, and the losses that they may have.

`with spark_cluster(workers=2) as cluster:` starts a Spark master and nodes, `dask_cluster` a Dask scheduler and nodes,
as processes of their own; `cluster.address` is for `engine(name, address, scratch)`. A node is a daemon (Spark worker,
Dask nanny) and what it starts; `cluster.nodes[0].kill_workers()` ends only those, with SIGKILL, `kill()` the daemon
too, and `cluster.start_node()` adds one. What they say is in files below `cluster.folder`, which is gone at the end.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]
PATIENCE = 120.0
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Node:
    """A daemon, and the workers that it has started."""

    pid: int

    def below(self, part: str = "") -> list[Any]:
        """The processes below the daemon whose command line has this part."""
        import psutil

        found = []
        with suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    found += [process] if part in " ".join(process.cmdline()) else []
        return found

    def workers(self) -> list[int]:
        """The process ids of what does the work: Spark's executors, Dask's workers."""
        return [process.pid for process in self.below("CoarseGrainedExecutorBackend") or self.below("spawn_main")]

    def kill_workers(self) -> list[int]:
        """SIGKILL to the workers; the daemon lives and starts others."""
        pids = set(self.workers())
        return _killed([process for process in self.below() if process.pid in pids])

    def kill(self) -> list[int]:
        """SIGKILL to the daemon first, then to all that it has started: a machine that is gone."""
        import psutil

        below = self.below()
        return _killed([psutil.Process(self.pid), *below])


@dataclass
class Cluster:
    """An address, and nodes that come and go."""

    address: str
    folder: Path
    starting: Callable[[Path, int], subprocess.Popen[bytes]]
    processes: list[subprocess.Popen[bytes]]
    nodes: list[Node] = field(default_factory=list)

    def start_node(self) -> Node:
        """One node more; it is there when the scheduler says so, which work waits for."""
        number = len(self.processes)
        folder = self.folder / f"node{number}"
        folder.mkdir()
        self.processes.append(self.starting(folder, number))
        self.nodes.append(Node(self.processes[-1].pid))
        return self.nodes[-1]

    def lose(self, node: Node) -> list[int]:
        """Kill a node for good, and forget it."""
        self.nodes.remove(node)
        return node.kill()


@contextmanager
def spark_cluster(workers: int = 2, cores: int = 1, memory: str = "1g") -> Iterator[Cluster]:
    """A standalone Spark of the installed package: a master, and nodes with one executor each."""
    import pyspark

    script = [str(Path(pyspark.__file__).parent / "bin" / "spark-class")]
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        # Pandera sets this one for all that a process starts.
        patch.delenv("SPARK_LOCAL_IP", raising=False)
        patch.setenv("SPARK_LOCAL_HOSTNAME", "localhost")
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        ends = ["--host", LOOPBACK, "--port", "0", "--webui-port", "0"]
        master = _process([*script, "org.apache.spark.deploy.master.Master", *ends], folder / "master.log")

        def node(place: Path, number: int) -> subprocess.Popen[bytes]:
            room = ["--cores", str(cores), "--memory", memory, "--work-dir", str(place), address]
            environment = {"SPARK_LOCAL_DIRS": str(place)}
            command = [*script, "org.apache.spark.deploy.worker.Worker", *ends, *room]
            return _process(command, folder / f"node{number}.log", environment)

        processes = [master]
        stack.callback(_end, processes)
        address = _await(lambda: _said(folder / "master.log", r"Starting Spark master at (spark://\S+)"), "a master")
        cluster = Cluster(address, folder, node, processes)
        for _ in range(workers):
            cluster.start_node()
        registered = len(cluster.nodes)
        _await(lambda: _times(folder / "master.log", "Registering worker") >= registered, "Spark's workers")
        yield cluster


@contextmanager
def dask_cluster(workers: int = 2, threads: int = 1) -> Iterator[Cluster]:
    """A Dask scheduler, and nodes of one nanny with one worker each."""
    dask = [sys.executable, "-m", "dask"]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        told = folder / "scheduler.json"
        here = ["--host", LOOPBACK, "--no-dashboard"]
        scheduler = _process(
            [*dask, "scheduler", *here, "--port", "0", "--scheduler-file", str(told)], folder / "scheduler.log"
        )

        def node(place: Path, number: int) -> subprocess.Popen[bytes]:
            room = ["--nworkers", "1", "--nthreads", str(threads), "--local-directory", str(place)]
            return _process([*dask, "worker", address, *here, *room], folder / f"node{number}.log")

        processes = [scheduler]
        stack.callback(_end, processes)
        address = _await(lambda: _address(told), "a scheduler")
        cluster = Cluster(address, folder, node, processes)
        for _ in range(workers):
            cluster.start_node()
        yield cluster


CLUSTERS = {"spark": spark_cluster, "dask": dask_cluster}
"""How to start a cluster for each engine that has them."""


# ----------------------------------------------------------------------------------------------------------- processes


def _process(command: Sequence[str], log: Path, environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """A process that imports what the tests do, and writes what it says into a file."""
    paths = os.pathsep.join([str(TESTS.parent), str(TESTS), os.environ.get("PYTHONPATH", "")])
    variables = {**os.environ, "PYTHONPATH": paths, "POLARS_MAX_THREADS": "1", **(environment or {})}
    with log.open("wb") as said:
        return subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL, stdout=said, stderr=said)


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    """End all that were started, the last one first."""
    for process in reversed(processes):
        if process.poll() is None:
            Node(process.pid).kill()
        process.wait(timeout=PATIENCE)


def _killed(processes: Sequence[Any]) -> list[int]:
    import psutil

    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=PATIENCE)
    return [process.pid for process in processes]


def _await(there: Callable[[], Any], what: str) -> Any:
    """What `there` gives, once it gives something."""
    end = time.monotonic() + PATIENCE
    while not (found := there()):
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not start in {PATIENCE:.0f} s")
        time.sleep(0.05)
    return found


def _said(log: Path, pattern: str) -> str | None:
    found = re.search(pattern, log.read_text(encoding="utf-8", errors="replace"))
    return found[1] if found else None


def _times(log: Path, words: str) -> int:
    return log.read_text(encoding="utf-8", errors="replace").count(words)


def _address(told: Path) -> str | None:
    # The file may be there before its content is.
    with suppress(OSError, json.JSONDecodeError):
        return str(json.loads(told.read_text(encoding="utf-8"))["address"])
    return None
