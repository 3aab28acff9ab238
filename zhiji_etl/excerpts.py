"""What people are shown of a run: the counts of everything, the loudest findings, and the first rows of the rest.

In: an audit as a whole, or what a run in shards has written. Out: `Excerpt`, which report and summary are made from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from zhiji_etl.figures import FIGURE_COLUMNS, FINDING_COLUMNS, Severity, Verdict
from zhiji_etl.findings import DETAILS, gathered, is_failure, is_main

if TYPE_CHECKING:
    from zhiji_etl.pipeline import Audit

SHOWN: Final = 1000
"""Of a run in shards: findings, and rows of every other kind, that are shown."""

HEAD: Final = 20 * SHOWN
"""Rows at the head of a file among which its loudest findings are looked for: details stand between them."""

SIZED: Final = ("figures", "findings", "implied", "rejects")
"""The outputs whose rows are counted."""

TALLY_COLUMNS: Final[dict[str, pl.DataType]] = {
    "verdict": pl.String(),
    "severity": pl.String(),
    "is_main": pl.Boolean(),
    "is_failure": pl.Boolean(),
    "number": pl.UInt32(),
}
"""How many findings there are: those that stand for themselves, and those that make a run fail at their severity."""

CODE_COLUMNS: Final[dict[str, pl.DataType]] = {"code": pl.String(), "number": pl.UInt32()}


@dataclass(frozen=True)
class Excerpt:
    """Counts of all there is, and rows to show: all of them, or the loudest and first.

    `sizes` has the number of rows of SIZED; `tally` is TALLY_COLUMNS, `codes`
    CODE_COLUMNS, the most frequent code of rejects first. `quotes` (`row_id, note`) is what raw files say of figures.
    """

    raw_rows: int
    sizes: Mapping[str, int]
    tally: pl.DataFrame
    codes: pl.DataFrame
    figures: pl.DataFrame
    findings: pl.DataFrame
    implied: pl.DataFrame
    rejects: pl.DataFrame
    quotes: pl.DataFrame

    @cached_property
    def verdicts(self) -> dict[str, int]:
        """How many findings each verdict has; those that only explain another one are left out."""
        return verdicts(self.tally)

    @cached_property
    def checks(self) -> int:
        """How many findings there are, without those that only explain another one."""
        return sum(self.verdicts.values())

    @property
    def counted(self) -> str:
        """The verdicts in one line: `8 consistent, 2 inconsistent`."""
        return counted(self.verdicts)

    def fails(self, severity: Severity | None) -> bool:
        """Whether there are findings at or above a severity that make a run fail; null: none do."""
        loud = [] if severity is None else list(Severity)[list(Severity).index(severity) :]
        return self._sum(pl.col("is_failure") & pl.col("severity").is_in(loud)) > 0

    def number(self, verdict: str, severity: str) -> int:
        """How many main findings have a verdict and a severity."""
        return self._sum(pl.col("is_main") & (pl.col("verdict") == verdict) & (pl.col("severity") == severity))

    def _sum(self, mask: pl.Expr) -> int:
        return int(self.tally.filter(mask).get_column("number").sum())


def excerpt(audited: Audit) -> Excerpt:
    """All of an audit."""
    frames = {name: getattr(audited, name) for name in SIZED}
    return Excerpt(
        raw_rows=audited.raw_rows,
        sizes={name: frame.height for name, frame in frames.items()},
        tally=tallied(audited.findings),
        codes=counted_codes(audited.rejects),
        quotes=audited.quotes,
        **frames,
    )


def tallied(findings: pl.DataFrame) -> pl.DataFrame:
    """TALLY_COLUMNS of findings."""
    keys = [pl.col("verdict", "severity").cast(pl.String), is_main().alias("is_main"), is_failure().alias("is_failure")]
    counted = findings.lazy().group_by(*keys).agg(number=pl.len())
    return counted.select(TALLY_COLUMNS.keys()).sort(pl.all()).collect()


def verdicts(tally: pl.DataFrame) -> dict[str, int]:
    """How many findings each verdict has, from a tally; those that only explain another one are left out."""
    added = tally.filter("is_main").group_by("verdict").agg(pl.col("number").sum())
    numbers = dict(added.iter_rows())
    return {verdict.value: numbers.get(verdict.value, 0) for verdict in Verdict}


def counted(numbers: Mapping[str, int]) -> str:
    """Verdicts in one line: `8 consistent, 2 inconsistent`."""
    return ", ".join(f"{number:,} {verdict}" for verdict, number in numbers.items() if number) or "no findings"


def counted_codes(rejects: pl.DataFrame) -> pl.DataFrame:
    """CODE_COLUMNS of rejects."""
    counted = rejects.lazy().group_by(pl.col("code").cast(pl.String)).agg(number=pl.len())
    return counted.sort("number", "code", descending=[True, False]).collect()


def summed(frames: Sequence[pl.DataFrame], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Several tallies, or several counts of codes, as one."""
    keys = [name for name in schema if name != "number"]
    added = pl.concat([pl.DataFrame(schema=schema), *frames]).group_by(keys).agg(pl.col("number").sum())
    return added.select(schema.keys()).sort("number", *keys, descending=[True, *[False] * len(keys)])


def read_excerpt(
    run: Path, raw_rows: int, sizes: Mapping[str, int], tally: pl.DataFrame, codes: pl.DataFrame, quotes: pl.DataFrame
) -> Excerpt:
    """What is shown of a run whose outputs lie in parts: the loudest findings, and all that explains them."""
    findings = _loudest(sorted((run / "findings.parquet").iterdir()))
    numbers = findings.get_column("figures").explode().drop_nulls().unique()
    figures = pl.scan_parquet(run / "figures.parquet")
    implied = pl.scan_parquet(run / "implied.parquet").head(SHOWN).collect()
    binding = pl.concat([implied.get_column(f"binding_{end}").explode() for end in ("low", "high")])
    wanted = pl.col("figure_id").is_in(pl.concat([numbers, binding.drop_nulls()]).unique().implode())
    named = figures.filter(wanted).collect(engine="streaming")
    first = figures.head(SHOWN).collect()
    return Excerpt(
        raw_rows=raw_rows,
        sizes=sizes,
        tally=tally,
        codes=codes,
        figures=pl.concat([named, first]).unique("figure_id", keep="first").sort("figure_id").select(*FIGURE_COLUMNS),
        findings=findings,
        implied=implied,
        rejects=pl.scan_parquet(run / "rejects.parquet").head(SHOWN).collect(),
        quotes=quotes,
    )


def _loudest(files: Sequence[Path]) -> pl.DataFrame:
    """The loudest main findings of all files, each of which begins with its loudest, and what explains them."""
    main = pl.DataFrame(schema=FINDING_COLUMNS)
    # File by file: all of them at once would be in memory together.
    for file in files:
        head = pl.scan_parquet(file).head(HEAD).filter(is_main()).head(SHOWN).collect(engine="streaming")
        main = gathered([main, head]).head(SHOWN)
    entities = main.get_column("entity").drop_nulls().unique().implode()
    theirs = pl.col("kind").is_in(DETAILS) & ~is_main() & pl.col("entity").is_in(entities)
    details = [pl.scan_parquet(file).filter(theirs).collect(engine="streaming") for file in files]
    return pl.concat([main, *details])
