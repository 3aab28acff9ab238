"""A run in shards: shuffle the rows of all sources to partitions, audit each, join what spans them, publish.

In: a project, and an engine. Out: the same run as in one piece, with each output a folder of parts. Everything is
written below the folder of the run, which nobody sees before it is whole; what partitions wrote in vain goes with the
staging folder. Peak memory is that of one partition, not of the whole.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from zhiji_etl import excerpts
from zhiji_etl.cache import Cache
from zhiji_etl.consistency.conflicts.elsewhere import Elsewhere, agreed, named_entities
from zhiji_etl.figures import IMPLIED_COLUMNS, Severity
from zhiji_etl.outputs import publishing, refuse_unwritable
from zhiji_etl.outputs.disk import writing
from zhiji_etl.pipeline import RunResult, manifest, rates_of, write_report
from zhiji_etl.sharding.joints import common_findings, findings_part, ranked_parts, spanning_findings
from zhiji_etl.sharding.partitions import Task, bundles, split
from zhiji_etl.sharding.parts import Part, audited_part
from zhiji_etl.stages import LOGGER, Stages

if TYPE_CHECKING:
    from zhiji_etl.engines import Engine
    from zhiji_etl.outputs import RunFolder
    from zhiji_etl.project import Project

STAGING: Final = ".staging"
SCRATCH: Final = ".scratch"
"""Folder below the build folder for what passes between shards."""


def run_in_shards(
    project: Project,
    out: Path,
    engine: Engine,
    partitions: int,
    *,
    keep: int = 3,
    stages: Stages | None = None,
    language: str = "en",
    fail_on: Severity | None = Severity.ERROR,
) -> RunResult:
    """Audit a project in so many partitions by entity, and publish what came of it, as `pipeline.run` does.

    The lock of `out` is held from the beginning. Raises as `pipeline.run`, and `EngineError`.
    """
    stage = stages or Stages()
    stage("schemas", lambda: project.catalogue)
    refuse_unwritable(out)
    cache = Cache(out)
    sources = stage("sources", project.find_sources, cache.structure)
    with publishing(out, keep=keep) as folder:
        shutil.rmtree(out / SCRATCH, ignore_errors=True)
        staging = _staging(folder.path)
        named = named_entities(project.catalogue.rules)
        hashes = tuple(sorted(project.hashes.items()))
        task = Task(project, hashes, tuple(sources), partitions, staging, Elsewhere(named))
        with engine:
            task, parts = stage("read", settled, engine, task)
            parts = [*parts, *stage("ranks", ranked_parts, engine, task, parts)]
        spanning = stage("joints", spanning_findings, task, parts)
        for told in (common_findings(task, parts, spanning), spanning.conflicts):
            parts += [findings_part(staging, told)] if told.height else []
        implied = stage("publish", _take_all, folder, task, parts)
        rates = rates_of(project).slice(pl.concat([part.requests for part in parts]).unique())
        folder.write_parquet("rates.parquet", rates)
        shutil.rmtree(staging)
        shown = _shown(folder.path, parts, implied)
        stage("report", write_report, folder, project, shown, rates, language)
        stage("unchanged", project.check_unchanged)
        _add_seconds(stage, parts)
        entries = [
            {**source.entry(), "reading": None, "structure": cache.structures.get(source.name), "recalled": False}
            for source in sources
        ]
        counts = {"recalled": 0, "partitions": partitions}
        folder.manifest.update(manifest(project, shown, rates, entries, stage, fail_on, counts))
    cache.prune(out)
    LOGGER.info("published %s", folder.run_id, extra={"run": folder.run_id})
    return RunResult(folder.path, folder.manifest, shown)


def settled(engine: Engine, task: Task) -> tuple[Task, list[Part]]:
    """The parts of all partitions, once none of them has anything to tell the others; and what they were told."""
    while True:
        gather = partial(audited_part, task)
        parts = engine.shuffle_by_key(partial(split, task), bundles(task.sources), gather, task.partitions)
        told = agreed(task.elsewhere, [part.unsettled for part in parts])
        if told is None:
            return task, parts
        LOGGER.info("partitions must hear of each other: once more")
        task = task._replace(elsewhere=told)


# ------------------------------------------------------------------------------------------------------------- helpers


def _staging(run: Path) -> Path:
    path = run / STAGING
    with writing(path):
        path.mkdir()
    return path.resolve()


def _take_all(folder: RunFolder, task: Task, parts: Sequence[Part]) -> int:
    """Make the files of all parts those of the run; the implied values of named entities are a part of their own."""
    for number, part in enumerate(parts):
        if part.folder is not None:
            for name, rows in part.written.items():
                folder.take_part(name, f"part-{number:05}", part.folder / name, rows)
    shared = task.elsewhere.at(len(task.elsewhere.rounds)).implied
    if shared.height:
        path = task.staging / "shared.parquet"
        shared.select(*IMPLIED_COLUMNS).write_parquet(path)
        folder.take_part("implied.parquet", "part-shared", path, shared.height)
    return shared.height


def _shown(run: Path, parts: Sequence[Part], implied: int) -> excerpts.Excerpt:
    sizes = {name: sum(part.sizes.get(name, 0) for part in parts) for name in excerpts.SIZED}
    quotes = [part.quotes for part in parts if part.quotes is not None]
    return excerpts.read_excerpt(
        run,
        sum(part.raw_rows for part in parts),
        sizes | {"implied": sizes["implied"] + implied},
        excerpts.summed([part.tally for part in parts], excerpts.TALLY_COLUMNS),
        excerpts.summed([part.codes for part in parts], excerpts.CODE_COLUMNS),
        pl.concat(quotes),
    )


def _add_seconds(stages: Stages, parts: Sequence[Part]) -> None:
    """Let the time of partitions stand under the stages that took it; what is left of it is reading and shuffling.

    Where workers go on side by side, each stage has its part of the time that all partitions took by the clock.
    """
    worked = [part for part in parts if part.ended]
    if not worked:
        return
    by_clock = max(part.ended for part in worked) - min(part.began for part in worked)
    side_by_side = min(1.0, by_clock / (sum(part.ended - part.began for part in worked) or 1.0))
    spent: Counter[str] = Counter()
    for part in worked:
        spent.update(_milliseconds(part.seconds))
    for name, milliseconds in spent.items():
        stages.seconds[name] = round(stages.seconds.get(name, 0.0) + milliseconds * side_by_side / 1000, 3)
    left = stages.seconds["read"] - spent.total() * side_by_side / 1000
    # Clocks of two machines may differ.
    stages.seconds["read"] = round(max(0.0, left), 3)


def _milliseconds(seconds: Mapping[str, float]) -> dict[str, int]:
    return {name: round(value * 1000) for name, value in seconds.items()}
