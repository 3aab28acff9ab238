"""From the rows of sources to partitions: all rows of an entity in one, those of entities that rules name in every one.

In: a source. Out: its rows as Arrow tables, each with the number of its partition.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

import zhiji_etl
from zhiji_etl import rows
from zhiji_etl.consistency.conflicts.elsewhere import Elsewhere
from zhiji_etl.consistency.entities import folded
from zhiji_etl.errors import EngineError, SourceError
from zhiji_etl.rows import ROW_COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

    from zhiji_etl.project import Project
    from zhiji_etl.sources import Source

PARTITION_BYTES: Final = 8_000_000
"""Raw bytes of one partition, about: some 200,000 figures, which two at a time are worked on in about a gigabyte."""

WHOLE_BYTES: Final = 50_000_000
"""Raw bytes up to which a run is made in one piece: about a million figures."""

VERSIONS: Final = (f"zhiji_etl {zhiji_etl.__version__}", f"Polars {pl.__version__}")
"""What must be the same wherever shards are worked on."""

DEALT: Final = 1_000_000
"""Rows that are dealt out together: of fewer, each of a hundred partitions would get scraps."""

REPEATED: Final = (
    *("source", "metric", "period", "table", "vintage", "caption"),
    *("declared_unit", "fx", "restated_in", "period_label", "unit"),
)
"""Columns of texts of which most rows have the same few: they travel as numbers and a list of texts."""

KEPT: Final = ("row_id", "entity")
"""Columns that travel in any case."""

PACKED: Final = (".parquet", ".xlsx", ".gz")
PACKING: Final = 5
"""How many times as many bytes packed files stand for."""


class Task(NamedTuple):
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


def partitions_of(raw: Path, workers: int = 1) -> int:
    """Into how many partitions the rows of a raw folder are dealt: by the bytes of its files, and so always the same.

    Up to WHOLE_BYTES it is one, but where several workers wait for something to do.
    """
    size = sum(_weight(path) for path in raw.glob("*") if path.is_file() and path.suffix != ".toml")
    return max(1, math.ceil(size / PARTITION_BYTES)) if workers > 1 or size > WHOLE_BYTES else 1


def _weight(path: Path) -> int:
    return path.stat().st_size * (PACKING if path.name.lower().endswith(PACKED) else 1)


def partition_number(partitions: int) -> pl.Expr:
    """The number of the partition of each entity, the same for all spellings; rows without one are in that of the empty
    name.
    """
    return folded(pl.col("entity")).fill_null("").hash(0) % partitions


def bundles(sources: Iterable[Source]) -> list[tuple[Source, ...]]:
    """Sources in order, large ones in their slices, small ones together: what is read and dealt out at once."""
    made: list[list[Source]] = []
    room = 0
    for part in (part for source in sources for part in source.parts):
        if not made or part.bytes > room:
            made.append([])
            room = PARTITION_BYTES
        made[-1].append(part)
        room -= part.bytes
    return [tuple(bundle) for bundle in made]


def split(task: Task, bundle: Sequence[Source]) -> Iterator[tuple[int, pa.Table]]:
    """The rows of some sources by partition; each partition gets the rows of named entities, too."""
    project = task.opened()
    for several in _gathered(
        batch
        for source in bundle
        for batch in rows.read_batches(source, task.sources, project.catalogue, project.corrections)
    ):
        yield from dealt(pl.concat(several, how="diagonal"), task.partitions, sorted(task.elsewhere.named))


def _gathered(batches: Iterable[pl.DataFrame]) -> Iterator[list[pl.DataFrame]]:
    """Batches in lists of about DEALT rows."""
    waiting: list[pl.DataFrame] = []
    for batch in batches:
        waiting.append(batch)
        if sum(one.height for one in waiting) >= DEALT:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def dealt(batch: pl.DataFrame, partitions: int, named: Sequence[str]) -> Iterator[tuple[int, pa.Table]]:
    """Some rows by partition, in the order that they had; a partition without any is told their columns."""
    for_all = pl.col("entity").str.strip_chars().is_in(named).fill_null(value=False)
    numbered = _packed(batch).with_columns(__partition=partition_number(partitions), __for_all=for_all)
    shared = numbered.filter("__for_all").drop("__partition", "__for_all")
    own = numbered.filter(~pl.col("__for_all")).drop("__for_all")
    parts = own.partition_by("__partition", as_dict=True, include_key=False, maintain_order=True)
    for number in range(partitions):
        mine = parts.get((number,), shared.clear())
        yield number, (mine if shared.is_empty() else pl.concat([shared, mine]).sort("row_id")).to_arrow()


def together(tables: Iterable[pa.Table]) -> pl.DataFrame:
    """The rows of a partition in the order of their ids; a frame without columns where there are none."""
    frames = [pl.DataFrame(table) for table in tables]
    if not frames:
        return pl.DataFrame()
    rows = _unpacked(pl.concat(frames, how="diagonal"))
    return rows if rows.get_column("row_id").is_sorted() else rows.sort("row_id")


def _packed(batch: pl.DataFrame) -> pl.DataFrame:
    """Rows made small for their way: without the columns that they have nothing in, few texts as numbers."""
    named = batch.select(name for name in ROW_COLUMNS if name not in KEPT)
    told = batch.drop(one.name for one in named if one.null_count() == batch.height)
    return told.with_columns(pl.col(name).cast(pl.Categorical) for name in REPEATED if name in told.columns)


def _unpacked(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows as they were before they were packed."""
    texts = [pl.col(name).cast(pl.String) for name in REPEATED if name in rows.columns]
    absent = {name: pl.lit(None, dtype) for name, dtype in ROW_COLUMNS.items() if name not in rows.columns}
    further = [name for name in rows.columns if name not in ROW_COLUMNS]
    return rows.with_columns(*texts, **absent).select(*ROW_COLUMNS, *further)
