"""What partitions leave to all of them together: ranks, conflicts that span partitions, findings of no entity.

In: the parts of all partitions. Out: further findings, and the implied values of entities that rules name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from zhiji_etl import corrections, excerpts
from zhiji_etl.consistency.conflicts.elsewhere import is_contested
from zhiji_etl.consistency.conflicts.groups import CONFLICT, untold
from zhiji_etl.consistency.entities import misspelt
from zhiji_etl.consistency.rules.rulings import ranked
from zhiji_etl.findings import as_findings, empty, gathered
from zhiji_etl.pipeline import conclude, rates_of
from zhiji_etl.sharding.parts import Part, is_common, new_folder

if TYPE_CHECKING:
    import pyarrow as pa

    from zhiji_etl.engines import Engine
    from zhiji_etl.sharding.partitions import Task

PERIOD: Final = ("period_start", "period_end")
RANKS: Final = 8
"""Partitions by period for rules about ranks."""


class Places(NamedTuple):
    """The wide frame of one rule about ranks, as one partition wrote it."""

    rule: int
    path: Path


class Spanning(NamedTuple):
    """Conflicts that span partitions; how many such groups were not tried, by whether they fail; and where they were
    looked for, what became there of common corrections.
    """

    conflicts: pl.DataFrame
    untried: Counter[bool]
    common: pl.DataFrame | None = None


def common_findings(task: Task, parts: Sequence[Part], spanning: Spanning) -> pl.DataFrame:
    """The findings that speak of no entity of a partition: once each, however many partitions have them.

    What became of a correction is told where it became the same in all of them: one that some applied is applied.
    """
    catalogue = task.opened().catalogue
    told_by = [*(part.common for part in parts), spanning.common]
    several = [common for common in told_by if common is not None]
    told = pl.concat([empty(), *several])
    in_all = pl.len().over("finding_id", "message") == len(several)
    agreed = told.filter((pl.col("kind") != corrections.KIND) | in_all)
    once = agreed.unique(["finding_id", "message"], keep="first", maintain_order=True)
    untried = sum((part.unsettled.untried for part in parts), spanning.untried)
    names = pl.concat([part.unsettled.names for part in parts]).unique()
    return gathered([once, as_findings(untold(untried)), as_findings(misspelt(catalogue.rules, names))])


def spanning_findings(task: Task, parts: Sequence[Part]) -> Spanning:
    """Conflicts of entities of several partitions over a figure of a named one; none is tried where none can be."""
    if not is_contested([part.unsettled for part in parts]):
        return Spanning(empty(), Counter())
    project = task.opened()
    read = pl.concat([part.open_rows for part in parts if part.open_rows is not None], how="diagonal")
    rows = read.unique("row_id", keep="first").sort("row_id")
    elsewhere = task.elsewhere._replace(spanning=True)
    sources, rates = [*task.sources], rates_of(project)
    made = conclude(rows, sources, project.catalogue, rates, project.corrections, elsewhere=elsewhere)
    found = made.audit.findings
    corrected = is_common(elsewhere.named) & (pl.col("kind") == corrections.KIND)
    return Spanning(found.filter(pl.col("kind") == CONFLICT), made.unsettled.untried, found.filter(corrected))


def ranked_parts(engine: Engine, task: Task, parts: Sequence[Part]) -> list[Part]:
    """The findings of rules about ranks, in parts by period: ranks are those of all entities of a period."""
    frames = [Places(rule, path) for part in parts for rule, path in sorted(part.ranked.items())]
    if not frames:
        return []
    return engine.shuffle_by_key(split_places, frames, partial(judged_places, task), RANKS)


def split_places(places: Places) -> Iterator[tuple[int, pa.Table]]:
    """Ranks, and what they go by, by period; `__rule` is the number of their rule."""
    wide = pl.read_ipc(places.path).with_columns(__rule=pl.lit(places.rule, pl.UInt32))
    numbered = wide.with_columns(__partition=pl.struct(PERIOD).hash(0) % RANKS)
    for (number,), rows in numbered.partition_by("__partition", as_dict=True, include_key=False).items():
        yield int(str(number)), rows.to_arrow()


def judged_places(task: Task, number: int, tables: Iterator[pa.Table]) -> Part:
    """The findings about the ranks of some periods, written as a part."""
    frames = [pl.DataFrame(table) for table in tables]
    if not frames:
        return Part()
    catalogue = task.opened().catalogue
    found = []
    for rule, compiled in enumerate(catalogue.rules):
        mine = [frame.drop("__rule") for frame in frames if frame.get_column("__rule").first() == rule]
        if mine and compiled.ranking is not None:
            wide = pl.concat(mine, how="diagonal").sort("entity", *PERIOD, nulls_last=False)
            found.append(as_findings(ranked(compiled, compiled.ranking, wide, catalogue.metrics)))
    return findings_part(task.staging, gathered(found))


def findings_part(staging: Path, findings: pl.DataFrame) -> Part:
    """Findings alone, written as a part."""
    folder = new_folder(staging)
    folder.write_parquet("findings.parquet", findings)
    sizes = {"findings": findings.height}
    return Part(folder=folder.path, written=dict(folder.rows), sizes=sizes, tally=excerpts.tallied(findings))
