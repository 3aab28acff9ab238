"""The laws of a run: each function gives sentences about what lies on the disk and breaks one, else nothing.

In: the output folder, and a run. Out: sentences.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import polars as pl

import zhiji_etl as zj
from zhiji_etl.errors import OutputError
from zhiji_etl.outputs import latest, read_manifest, runs, verify
from zhiji_etl.outputs.published import RUN_ID


def hashes(run: Path) -> dict[str, str]:
    """The sha256 of each Parquet file of a run."""
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(run.glob("*.parquet"))}


def whole(build: Path) -> list[str]:
    """The published run is as it was written."""
    try:
        return [f"the published run: {what}" for what in verify(latest(build))]
    except OutputError as error:
        return [str(error)]


def rows_kept(run: Path) -> Iterator[str]:
    """Each raw row is in exactly one of figures and rejects."""
    figures = set(pl.read_parquet(run / "figures.parquet")["row_id"])
    rejects = pl.read_parquet(run / "rejects.parquet")["row_id"]
    counted = read_manifest(run)["counts"]["raw_rows"]
    if len(figures) + rejects.len() != counted or not figures.isdisjoint(rejects):
        yield f"{counted} raw rows, of which {len(figures)} are figures and {rejects.len()} rejects"


def same_as_full(project: Path, run: Path, aside: Path) -> Iterator[str]:
    """A run that reads everything, elsewhere, gives the same bytes."""
    full = hashes(zj.Project(project).run(aside, keep=1, force=True).path)
    yield from (f"{name} is not what a full run gives" for name in full if hashes(run).get(name) != full[name])


def no_orphans(build: Path) -> Iterator[str]:
    """Nothing is left of what was killed: neither half runs, nor temporary files, nor rows that nobody wants."""
    places = {".lock", "latest", "runs", "cache"}
    yield from (f"{path.name} is left in the output folder" for path in build.iterdir() if path.name not in places)
    for path in (build / "runs").iterdir():
        if not RUN_ID.fullmatch(path.name) or not (path / "run.json").is_file():
            yield f"{path.name} is left among the runs"
    inputs = [entry for run in runs(build) for entry in read_manifest(run.path)["inputs"]]
    wanted = {entry[name] for entry in inputs for name in ("reading", "structure")}
    yield from (f"{p.name} is left in the cache" for p in (build / "cache").iterdir() if p.name[:64] not in wanted)
