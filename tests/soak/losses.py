"""Engines that lose workers and whole nodes in the middle: the answer stays that of the local engine.

In: how often. Out: what was counted, and what was broken. `python -m soak.losses spark` does it for one engine.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from threading import Thread
from typing import Any

from engines import shards
from engines.clusters import CLUSTERS, Cluster

from zhiji_etl.engines import Engine, engine

NUMBERS = list(range(10))
PARTITIONS = 6
ROWS = 5_000
SECONDS = 0.5
MOMENTS = ("work", "split", "gather")
VICTIMS = ("worker", "node")
PATIENCE = 300.0


@dataclass
class Lost:
    """What was lost, how many tasks were begun again for it, and which laws broke."""

    counts: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return ", ".join(f"{number} {name}" for name, number in self.counts.items()) or "none"


def losses(rounds: int, names: tuple[str, ...] = tuple(CLUSTERS)) -> Lost:
    """Each loss at each moment, so many times, for each engine that can run here."""
    lost = Lost()
    for name in names if rounds else ():
        if not _can_run(name):
            lost.counts[f"{name} skipped: it is not installed, or has no Java"] = 1
            continue
        with (
            tempfile.TemporaryDirectory() as scratch,
            CLUSTERS[name](workers=2) as cluster,
            engine(name, cluster.address, Path(scratch)) as running,
        ):
            for victim, moment in [*product(VICTIMS, MOMENTS)] * rounds:
                _lose(running, cluster, victim, moment, lost)
    return lost


def _can_run(name: str) -> bool:
    if name == "spark":
        return find_spec("pyspark") is not None and shutil.which("java") is not None
    return find_spec("distributed") is not None


def _lose(running: Engine, cluster: Cluster, victim: str, moment: str, lost: Lost) -> None:
    what = f"{running.name} {victim} lost in {moment}"
    with tempfile.TemporaryDirectory() as name:
        marks = Path(name)
        killer = Thread(target=_kill, args=(cluster, victim, moment, marks))
        killer.start()
        try:
            made = _work(running, moment, marks)
        except Exception as error:  # whatever it is, it is what this is about
            made = error
        killer.join()
        again = len(list(marks.glob(f"{moment}-*"))) - (PARTITIONS if moment == "gather" else len(NUMBERS))
    lost.counts[what] += 1
    lost.counts[f"{running.name} tasks begun again"] += max(again, 0)
    if made != _expected(moment):
        lost.broken.append(f"{what}: {str(made)[:300]}")
    if again < 1:
        lost.broken.append(f"{what}: the loss came too late to matter")


def _work(running: Engine, moment: str, marks: Path) -> Any:
    if moment == "work":
        return running.run_shards(partial(shards.slow_work, marks, SECONDS), NUMBERS)
    return running.shuffle_by_key(
        partial(shards.slow_split, marks, SECONDS if moment == "split" else 0.0, ROWS),
        NUMBERS,
        partial(shards.slow_gather, marks, SECONDS if moment == "gather" else 0.0),
        PARTITIONS,
    )


def _expected(moment: str) -> Any:
    if moment == "work":
        return [shards.scaled(3, number) for number in NUMBERS]
    with tempfile.TemporaryDirectory() as name, engine("local", None, Path(name)) as local:
        return local.shuffle_by_key(partial(shards.dealt, shards.USED, ROWS), NUMBERS, shards.told, PARTITIONS)


def _kill(cluster: Cluster, victim: str, moment: str, marks: Path) -> None:
    """Once a few tasks have begun: the node that began the last one."""
    _await(lambda: len(list(marks.glob(f"{moment}-*"))) >= 4, f"{moment} did not begin")
    last = max(marks.glob(f"{moment}-*"), key=lambda mark: mark.stat().st_mtime_ns)
    pid = int(last.name.rpartition("-")[2])
    node = next(node for node in cluster.nodes if pid in [process.pid for process in node.below()])
    if victim == "worker":
        node.kill_workers()
    else:
        # The new one is not there at once: for a while, one node does all the work.
        cluster.lose(node)
        cluster.start_node()


def _await(there: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not there():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.02)


if __name__ == "__main__":
    told = losses(1, tuple(sys.argv[1:]) or tuple(CLUSTERS))
    print(told, *told.broken, sep="\n")
    sys.exit(1 if told.broken else 0)
