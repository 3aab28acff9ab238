"""Whole runs on clusters of this machine that lose workers, nodes and the driver: the same run, or the last good one.

    PYTHONPATH=.:tests python -m soak.runs PROJECT [--engines dask spark] [--losses none worker node driver]

In: a project (`python -m benchmarks.projects` makes large ones). Out: a line for each run, its seconds and what was
lost in the middle; exit code 1 where figures, tables, rejects, findings or implied values are not those of the local
run, or where a file lies in a run that its manifest does not name.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from engines.clusters import CLUSTERS, Cluster

from zhiji_etl.outputs import latest, read_manifest, verify

LOSSES = ("none", "worker", "node", "driver")
ROOT = Path(__file__).parents[2]
PATIENCE = 3600.0


def digest(run: Path) -> dict[str, tuple[int, int]]:
    """Rows of each output, and the sum of their hashes: equal for equal rows in any order and any parts."""
    return {path.stem: _sum([path] if path.is_file() else sorted(path.iterdir())) for path in run.glob("*.parquet")}


def _sum(files: Sequence[Path]) -> tuple[int, int]:
    rows = total = 0
    for file in files:
        frame = pl.read_parquet(file, glob=False)
        nested = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
        texts = [pl.struct(name).struct.json_encode().alias(name) for name in nested]
        hashes = frame.with_columns(texts).hash_rows(1)
        rows += frame.height
        total = (total + int(hashes.to_numpy().sum())) % (1 << 64)
    return rows, total


def start(project: Path, out: Path, log: Path, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    """A run by the command line, in a process of its own."""
    command = [sys.executable, "-m", "zhiji_etl", "run", str(project), "--out", str(out), *arguments]
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    with log.open("wb") as said:
        return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": paths}, stdout=said, stderr=said)


def lose(what: str, driver: subprocess.Popen[bytes], cluster: Cluster, out: Path, parts: int) -> None:
    """Kill something with SIGKILL once so many parts are written."""
    end = time.monotonic() + PATIENCE
    while len(list(out.glob("runs/*/.staging/*"))) < parts and driver.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    if what == "driver":
        driver.kill()
    elif what == "worker":
        cluster.nodes[0].kill_workers()
    elif what == "node":
        cluster.lose(cluster.nodes[0])
        cluster.start_node()


def one(name: str, what: str, project: Path, out: Path, cluster: Cluster, expected: dict[str, tuple[int, int]]) -> bool:
    """One run, with a loss in the middle; whether all is as it must be."""
    before = latest(out) if (out / "latest").exists() else None
    log, began = out / f"{name}-{what}.log", time.monotonic()
    driver = start(project, out, log, ["--engine", name, "--master", cluster.address])
    if what != "none":
        lose(what, driver, cluster, out, 3)
    status = driver.wait(PATIENCE)
    seconds = time.monotonic() - began
    if what == "driver":
        good = status < 0 and before is not None and latest(out) == before and not verify(before)
        print(f"{name}: driver ended with {status} after {seconds:.0f} s, the last good run stays: {good}", flush=True)
        return good
    if status not in (0, 1):
        print(f"{name}, {what} lost: exit code {status}\n{log.read_text(encoding='utf-8')[-2000:]}", flush=True)
        return False
    run = latest(out)
    same, orphans = digest(run) == expected, verify(run)
    timings = read_manifest(run)["timings"]
    print(f"{name}, {what} lost: {seconds:.0f} s, equal {same}, orphans {len(orphans)}, {timings}", flush=True)
    return same and not orphans


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs all that is asked for; 1 where something was not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("--engines", nargs="+", default=list(CLUSTERS), choices=list(CLUSTERS))
    parser.add_argument("--losses", nargs="+", default=list(LOSSES), choices=LOSSES)
    parser.add_argument("--partitions", type=int)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        out = Path(folder) / "build"
        out.mkdir()
        began = time.monotonic()
        status = start(chosen.project, out, out / "local.log", ["--partitions", str(chosen.partitions or 16)]).wait()
        expected = digest(latest(out))
        print(
            f"local: {time.monotonic() - began:.0f} s, exit code {status}, {expected['figures'][0]:,} figures",
            flush=True,
        )
        good = []
        for name in chosen.engines:
            for what in chosen.losses:
                with CLUSTERS[name](workers=2) as cluster:
                    good.append(one(name, what, chosen.project, out, cluster, expected))
        shutil.rmtree(out, ignore_errors=True)
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
