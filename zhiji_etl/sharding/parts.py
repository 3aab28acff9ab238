"""One partition carried the whole way: audited like a run of its own, and written as parts of the run's outputs.

In: the rows of a partition. Out: `Part`: where its files lie, counts, and what it leaves to all partitions together.
A partition may be worked on twice at once; each time it writes to a folder of a new name, and one of them is taken.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import polars as pl

from zhiji_etl import corrections, excerpts
from zhiji_etl.consistency.conflicts.elsewhere import Unsettled
from zhiji_etl.outputs import RunFolder
from zhiji_etl.outputs.disk import writing
from zhiji_etl.pipeline import Audit, conclude, rates_of, write_rows
from zhiji_etl.rates import KEY_COLUMNS
from zhiji_etl.sharding.partitions import Task, partition_number, together
from zhiji_etl.stages import Stages

if TYPE_CHECKING:
    import pyarrow as pa

    from zhiji_etl.corrections import Correction


@dataclass(frozen=True)
class Part:
    """What became of one partition.

    `folder` holds its files, with the rows of each in `written`; `sizes`, `tally` and `codes` are as in an `Excerpt`.
    `common` are findings that other partitions may have, too (see `is_common`). `open_rows` are rows, as read, of
    entities in conflicts that may span partitions, and of those that rules name. `ranked` are files with the wide
    frames of rules about ranks, by the number of the rule. `seconds` are by stage, from `began` to `ended` by the
    clock.
    """

    raw_rows: int = 0
    folder: Path | None = None
    written: Mapping[str, int] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    tally: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=excerpts.TALLY_COLUMNS))
    codes: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=excerpts.CODE_COLUMNS))
    requests: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=KEY_COLUMNS))
    common: pl.DataFrame | None = None
    quotes: pl.DataFrame | None = None
    open_rows: pl.DataFrame | None = None
    ranked: Mapping[int, Path] = field(default_factory=dict)
    unsettled: Unsettled = field(default_factory=Unsettled)
    seconds: Mapping[str, float] = field(default_factory=dict)
    began: float = 0.0
    ended: float = 0.0


def audited_part(task: Task, number: int, tables: Iterator[pa.Table]) -> Part:
    """Audit one partition and write what is concluded; nothing is written where it has to hear of others first."""
    began = time.time()
    read = together(tables)
    if not read.width:
        return Part()
    project, stages, foreign = task.opened(), Stages(), task.foreign(number)
    amendments = _amendments(task, number, project.corrections)
    made = conclude(read, [*task.sources], project.catalogue, rates_of(project), amendments, stages, task.elsewhere)
    if made.unsettled.round is not None:
        return Part(unsettled=made.unsettled)
    shared = made.audit.findings.select(is_common(task.elsewhere.named)).to_series()
    common = made.audit.findings.filter(shared)
    of_entities = made.audit._replace(findings=made.audit.findings.filter(~shared))
    own = _own(of_entities, foreign, sorted(task.elsewhere.named), read)
    folder = new_folder(task.staging)
    stages("write", write_rows, folder, own, project.catalogue)
    return Part(
        raw_rows=own.raw_rows,
        folder=folder.path,
        written=dict(folder.rows),
        sizes={name: getattr(own, name).height for name in excerpts.SIZED},
        tally=excerpts.tallied(own.findings),
        codes=excerpts.counted_codes(own.rejects),
        requests=made.requests,
        common=common,
        quotes=own.quotes.head(excerpts.SHOWN),
        open_rows=_open_rows(read, made.unsettled, task),
        ranked=_ranked(folder.path, made.unsettled.ranked, foreign),
        unsettled=replace(made.unsettled, ranked={}),
        seconds=stages.seconds,
        began=began,
        ended=time.time(),
    )


def is_common(named: Iterable[str]) -> pl.Expr:
    """Findings that are told by all partitions together: of no entity, or of what became of a named one's corrections.

    One that accepts a finding may find it in any partition.
    """
    corrected = (pl.col("kind") == corrections.KIND) & pl.col("entity").str.strip_chars().is_in(sorted(named))
    return (pl.col("entity").is_null() | corrected).fill_null(value=False)


def _amendments(task: Task, number: int, listed: Sequence[Correction]) -> list[Correction]:
    """The corrections of entities that are in a partition: each is told by one of them, that of its entity's home."""
    entities = pl.DataFrame({"entity": [one.entity for one in listed]}, schema={"entity": pl.String})
    homes = entities.select(partition_number(task.partitions)).to_series()
    return [
        one
        for one, home in zip(listed, homes, strict=True)
        if home == number or one.entity.strip() in task.elsewhere.named
    ]


def _own(audited: Audit, foreign: Sequence[str], named: Sequence[str], read: pl.DataFrame) -> Audit:
    """What is said of the entities that are at home in the partition; implied values of named ones are for all."""
    if not foreign and not named:
        return audited
    here = ~pl.col("entity").str.strip_chars().is_in(foreign).fill_null(value=False)
    home = read.filter(here)
    return audited._replace(
        raw_rows=home.height,
        figures=audited.figures.filter(here),
        tables={name: table.filter(here) for name, table in audited.tables.items()},
        rejects=audited.rejects.filter(here),
        findings=audited.findings.filter(here),
        implied=audited.implied.filter(~pl.col("entity").is_in(named)),
        quotes=audited.quotes.join(home, on="row_id", how="semi", maintain_order="left"),
    )


def new_folder(staging: Path) -> RunFolder:
    """A folder of a new name. Where the staging folder is gone nobody waits for this part any more."""
    path = staging / uuid4().hex
    with writing(path):
        path.mkdir()
    return RunFolder(path)


def _open_rows(read: pl.DataFrame, unsettled: Unsettled, task: Task) -> pl.DataFrame:
    wanted = sorted({*unsettled.tied, *unsettled.contenders, *task.elsewhere.named})
    return read.filter(pl.col("entity").str.strip_chars().is_in(wanted))


def _ranked(folder: Path, wide: Mapping[int, pl.DataFrame], foreign: Sequence[str]) -> dict[int, Path]:
    paths = {number: folder / f"ranked-{number}.arrow" for number in wide}
    for number, path in paths.items():
        with writing(path):
            wide[number].filter(~pl.col("entity").is_in(foreign)).write_ipc(path, compression="lz4")
    return paths
