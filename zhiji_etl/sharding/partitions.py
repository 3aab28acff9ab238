"""From the rows of sources to partitions: all rows of an entity in one, those of entities that rules name in every one.

In: a source. Out: its rows as Arrow tables, each with the number of its partition.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

import zhiji_etl
from zhiji_etl import rows
from zhiji_etl.consistency.elsewhere import Elsewhere
from zhiji_etl.errors import EngineError, SourceError

if TYPE_CHECKING:
    import pyarrow as pa

    from zhiji_etl.project import Project
    from zhiji_etl.sources import Source

PARTITION_BYTES: Final = 12_000_000
"""Raw bytes of one partition, about: some 300,000 figures, which are worked on in about a gigabyte."""

WHOLE_BYTES: Final = 50_000_000
"""Raw bytes up to which a run is made in one piece: about a million figures."""

VERSIONS: Final = (f"zhiji_etl {zhiji_etl.__version__}", f"Polars {pl.__version__}")
"""What must be the same wherever shards are worked on."""

DEALT: Final = 4
"""Batches of rows that are dealt out together: of one alone, each of a hundred partitions would get a scrap."""

PACKED: Final = (".parquet", ".xlsx", ".gz")
PACKING: Final = 5
"""How many times as many bytes packed files stand for."""


@dataclass(frozen=True)
class Task:
    """What every worker needs to know: the project and its files as they were at the start, and how it is dealt out.

    `staging` is where parts are written, seen by all workers; `elsewhere` what all partitions know of named entities.
    """

    project: Project
    hashes: tuple[tuple[str, str], ...]
    sources: tuple[Source, ...]
    partitions: int
    staging: Path
    elsewhere: Elsewhere
    versions: tuple[str, ...] = VERSIONS

    def opened(self) -> Project:
        """The project, loaded once a process.

        Raises `EngineError` (`engine_versions`) where this worker has other versions than the driver: it would deal
        rows to other partitions; `SourceError` (`source_changed`) where it sees other files.
        """
        if self.versions != VERSIONS:
            what = f"A worker has {' and '.join(VERSIONS)}, the driver {' and '.join(self.versions)}."
            raise EngineError("engine_versions", what, hint="Install the same versions everywhere (constraints.txt).")
        known = _LOADED.get(self.project.path)
        if known is None or tuple(sorted(known.hashes.items())) != self.hashes:
            known = _LOADED[self.project.path] = self.project
        if tuple(sorted(known.hashes.items())) != self.hashes:
            what = f"A worker sees other files of {self.project.path} than the run began with."
            raise SourceError("source_changed", what, hint="Run again; all workers must see the same folder.")
        return known

    def foreign(self, number: int) -> list[str]:
        """The entities that rules name and that are at home in another partition."""
        named = pl.DataFrame({"entity": sorted(self.elsewhere.named)}, schema={"entity": pl.String})
        away = named.filter(partition_number(self.partitions) != number)
        return away.get_column("entity").to_list()


_LOADED: Final[dict[Path, Project]] = {}


def partitions_of(raw: Path) -> int:
    """Into how many partitions the rows of a raw folder are dealt: by the bytes of its files, and so always the same.

    Up to WHOLE_BYTES it is one.
    """
    sizes = [_weight(path) for path in raw.glob("*") if path.is_file() and path.suffix != ".toml"]
    return math.ceil(sum(sizes) / PARTITION_BYTES) if sum(sizes) > WHOLE_BYTES else 1


def _weight(path: Path) -> int:
    return path.stat().st_size * (PACKING if path.name.lower().endswith(PACKED) else 1)


def partition_number(partitions: int) -> pl.Expr:
    """The number of the partition of each entity; rows without one are in that of the empty name."""
    return pl.col("entity").str.strip_chars().fill_null("").hash(0) % partitions


def split(task: Task, source: Source) -> Iterator[tuple[int, pa.Table]]:
    """The rows of a source by partition; each partition gets the rows of named entities, too."""
    project = task.opened()
    batches = rows.read_batches(source, task.sources, project.catalogue, project.corrections)
    while several := [*islice(batches, DEALT)]:
        yield from dealt(pl.concat(several), task.partitions, sorted(task.elsewhere.named))


def dealt(batch: pl.DataFrame, partitions: int, named: Sequence[str]) -> Iterator[tuple[int, pa.Table]]:
    """Some rows by partition, each in the order that it had; a partition without any is told their columns."""
    for_all = pl.col("entity").str.strip_chars().is_in(named).fill_null(value=False)
    numbered = batch.with_columns(__partition=partition_number(partitions))
    shared = batch.filter(for_all).to_arrow()
    parts = numbered.filter(~for_all).partition_by("__partition", as_dict=True, include_key=False, maintain_order=True)
    for number in range(partitions):
        if shared.num_rows or (number,) not in parts:
            yield number, shared
        if (number,) in parts:
            yield number, parts[(number,)].to_arrow()


def together(tables: Iterable[pa.Table]) -> pl.DataFrame:
    """The rows of a partition in the order of their ids; a frame without columns where there are none."""
    frames = [pl.DataFrame(table) for table in tables]
    return pl.concat(frames, how="diagonal").sort("row_id") if frames else pl.DataFrame()
