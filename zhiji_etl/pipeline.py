"""The whole way of a figure, in one screen: raw rows -> figures -> tables, findings, implied values -> published run.

In: a project. Out: `RunResult`, and below `out` a new run: `figures.parquet`, a Parquet file for each table,
`rejects.parquet`, `findings.parquet`, `implied.parquet`, `rates.parquet`, the same for a person as `report.html`, and
the manifest `run.json`, visible all at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

import zhiji_etl
from zhiji_etl import conversion, corrections, findings, rows, tabulation
from zhiji_etl.arguments import guarded
from zhiji_etl.cache import Cache, keys
from zhiji_etl.catalogue import Catalogue
from zhiji_etl.consistency import pairs
from zhiji_etl.consistency.checking import checked
from zhiji_etl.consistency.conflicts.elsewhere import Elsewhere, Unsettled
from zhiji_etl.consistency.rules.implied import intersect
from zhiji_etl.errors import OutputError
from zhiji_etl.excerpts import Excerpt, excerpt
from zhiji_etl.figures import FIGURE_COLUMNS, Severity
from zhiji_etl.outputs import RunFolder, publishing, refuse_unwritable
from zhiji_etl.rates import Rates, origins
from zhiji_etl.sources import Source
from zhiji_etl.sources.names import safe_terminal
from zhiji_etl.stages import LOGGER, Stages
from zhiji_etl.tables import KEYS
from zhiji_etl.wording import rule_texts

if TYPE_CHECKING:
    from zhiji_etl.html.drawing import Drawing
    from zhiji_etl.project import Project

REPORT = "report.html"
NOT_TABLES = ("figures", "rejects", "findings", "implied", "rates")
"""Outputs beside the tables."""


class Audit(NamedTuple):
    """Everything a run concludes before anything is written; `raw_rows` counts what was read.

    `rates` are the quotes (QUOTE_COLUMNS) behind every exchange rate that was used; `quotes` (`row_id, note`) is what
    the raw files say beside their figures.
    """

    raw_rows: int
    figures: pl.DataFrame
    tables: Mapping[str, pl.DataFrame]
    rejects: pl.DataFrame
    findings: pl.DataFrame
    implied: pl.DataFrame
    rates: pl.DataFrame
    quotes: pl.DataFrame


class Conclusion(NamedTuple):
    """An audit, the requests (KEY_COLUMNS) for its rates, and what it leaves open where it is that of a shard."""

    audit: Audit
    requests: pl.DataFrame
    unsettled: Unsettled


class RunResult:
    """What a run gave: what people are shown of it, where it was published, and its manifest.

    Its frames are those of `Audit`, and of a run in shards read when they are asked for: `scan` reads none of them.
    """

    def __init__(self, path: Path, manifest: Mapping[str, Any], shown: Excerpt, audited: Audit | None = None) -> None:
        self.path = path
        self.manifest = manifest
        self.shown = shown
        self._audited = audited

    @guarded()
    def scan(self, name: str) -> pl.LazyFrame:
        """One output by name, such as `figures`, `findings` or a table, to be read lazily.

        Raises `OutputError` (`output_unknown`) for a name that the run has not.
        """
        known = [path.stem for path in self.path.glob("*.parquet")]
        if name not in known:
            what = f"The run {self.path.name} has no output {safe_terminal(name)!r}."
            raise OutputError("output_unknown", what, hint=f"it has {', '.join(sorted(known))}" if known else None)
        return pl.scan_parquet(self.path / f"{name}.parquet")

    @property
    def raw_rows(self) -> int:
        """How many raw rows were read."""
        return self.shown.raw_rows

    @cached_property
    def figures(self) -> pl.DataFrame:
        """FIGURE_COLUMNS."""
        return self._frame("figures")

    @cached_property
    def rejects(self) -> pl.DataFrame:
        """The raw columns, `row_id, source, code, reason`."""
        return self._frame("rejects")

    @cached_property
    def findings(self) -> pl.DataFrame:
        """FINDING_COLUMNS, the loudest first; of a run in shards, the loudest of each shard first."""
        return self._frame("findings")

    @cached_property
    def implied(self) -> pl.DataFrame:
        """IMPLIED_COLUMNS."""
        return self._frame("implied")

    @cached_property
    def rates(self) -> pl.DataFrame:
        """The quotes (QUOTE_COLUMNS) behind every exchange rate that was used."""
        return self._frame("rates")

    @cached_property
    def tables(self) -> Mapping[str, pl.DataFrame]:
        """The tables by name."""
        if self._audited is not None:
            return self._audited.tables
        names = {path.stem for path in self.path.glob("*.parquet")}
        return {name: self._frame(name) for name in sorted(names - set(NOT_TABLES))}

    def _frame(self, name: str) -> pl.DataFrame:
        if self._audited is not None:
            frame: pl.DataFrame = getattr(self._audited, name)
            return frame
        return self.scan(name).collect(engine="streaming")

    def verdicts(self) -> dict[str, int]:
        """How many findings each verdict has; those that only explain another one are left out."""
        return dict(self.shown.verdicts)

    def __repr__(self) -> str:
        """Where the run is, how many figures and rejects it has, and its verdicts, in one line."""
        sizes = f"{self.shown.sizes['figures']:,} figures, {self.shown.sizes['rejects']:,} rejects"
        return f"RunResult({str(self.path)!r}: {sizes}, {self.shown.counted})"

    @guarded()
    def plot(self, finding: str | None = None) -> Drawing:
        """The bounds of a finding (its `finding_id`, else the loudest) on one axis, as SVG that a notebook shows.

        Raises `FindingError` (`finding_unknown`) where there is no such finding, or none with bounds.
        """
        from zhiji_etl.html.cards import finding_drawing

        return finding_drawing(self.shown.findings, self.shown.figures, finding)

    def _repr_html_(self) -> str:
        from zhiji_etl.html.cards import findings_card

        shown, report = self.shown, str(self.path / REPORT)
        return findings_card(shown.findings, shown.figures, report=report, rejects=shown.sizes["rejects"])


class Prepared(NamedTuple):
    """A run between its audit and its publication: nothing of it can be seen yet."""

    project: Project
    out: Path
    audited: Audit
    cache: Cache
    stages: Stages


@guarded()
def run(
    project: Project,
    out: Path,
    *,
    keep: int = 3,
    stages: Stages | None = None,
    force: bool = False,
    language: str = "en",
    fail_on: Severity | None = Severity.ERROR,
) -> RunResult:
    """Audit a project and publish what came of it, with a report in that language; the newest `keep` runs stay.

    The manifest's `exit_status` is 1 where there are findings at or above `fail_on` (null: none make a run fail).
    A source is read again only where something changed that decides its rows, or with `force`.
    Raises `ProjectError`, `SourceError` or `OutputError`; problems of the data are rejects and findings.
    """
    prepared = prepare(project, out, stages=stages, force=force)
    return publish(prepared, keep=keep, language=language, fail_on=fail_on)


def prepare(project: Project, out: Path, *, stages: Stages | None = None, force: bool = False) -> Prepared:
    """Audit a project, with what earlier runs below `out` have read; errors as `run`, and nothing is published."""
    stage = stages or Stages()
    cache = Cache(out, force=force)
    with ThreadPoolExecutor(1) as aside:
        # Polars reads the exchange rates while Python compiles the schemas.
        aside.submit(Rates.ecb)
        catalogue = stage("schemas", lambda: project.catalogue)
        refuse_unwritable(out)
        sources = stage("sources", project.find_sources, cache.structure)
    said = {"settings": project.settings, "schemas": project.schema_hashes(corrections=False)}
    cache.keys = keys(sources, catalogue, project.corrections, said)
    audited = audit(sources, catalogue, rates_of(project), project.corrections, stage, stage.counting(cache.rows))
    return Prepared(project, out, audited, cache, stage)


def publish(
    prepared: Prepared, *, keep: int = 3, language: str = "en", fail_on: Severity | None = Severity.ERROR
) -> RunResult:
    """Write a prepared run below its `out` and switch to it; `OutputError`, or `SourceError` `source_changed`."""
    project, stage, audited = prepared.project, prepared.stages, prepared.audited
    shown = excerpt(audited)
    with publishing(prepared.out, keep=keep) as folder:
        stage("write", _write, folder, audited, project.catalogue)
        stage("report", write_report, folder, project, shown, audited.rates, language)
        stage("unchanged", project.check_unchanged)
        counts = {"recalled": len(prepared.cache.recalled)}
        entries = [source.entry() | prepared.cache.entry(source.name) for source in project.sources]
        folder.manifest.update(manifest(project, shown, audited.rates, entries, stage, fail_on, counts))
    prepared.cache.prune(prepared.out)
    LOGGER.info("published %s", folder.run_id, extra={"run": folder.run_id})
    return RunResult(folder.path, folder.manifest, shown, audited)


def audit(
    sources: list[Source],
    catalogue: Catalogue,
    rates: Rates,
    amendments: Sequence[corrections.Correction] = (),
    stages: Stages | None = None,
    recall: rows.Recall | None = None,
) -> Audit:
    """The chain: read, split, convert, tabulate, check. Every raw row ends in exactly one of figures and rejects."""
    stage = stages or Stages()
    read = stage("read", rows.read_rows, sources, catalogue, amendments, recall)
    return conclude(read, sources, catalogue, rates, amendments, stage).audit


def conclude(
    read: pl.DataFrame,
    sources: list[Source],
    catalogue: Catalogue,
    rates: Rates,
    amendments: Sequence[corrections.Correction] = (),
    stages: Stages | None = None,
    elsewhere: Elsewhere | None = None,
) -> Conclusion:
    """The chain after reading, over all rows or those of a shard, which is told of `elsewhere`."""
    stage = stages or Stages()
    printed, unread = rows.split(read)
    stated = printed.join(conventions(sources), on="source", how="left", maintain_order="left")
    converted = stage("convert", conversion.convert, stated, rates)
    tables = stage("tabulate", tabulation.tabulate, converted, catalogue, sources)
    wrong = pl.concat([conversion.refused(converted), tables.failures]).unique("row_id", maintain_order=True)
    refused = conversion.refused_with(wrong, converted)
    figures = _without(refused, converted)
    trust = {source.name: source.sidecar.trust for source in sources}
    usable, flawed = figures.select(*FIGURE_COLUMNS), rows.excessive(read)
    concluded = stage("check", checked, usable, catalogue.rules, catalogue.metrics, flawed, trust, rates, elsewhere)
    restated = stage("restate", pairs.restatements, _without(refused, stated), rates)
    asked = pl.concat([conversion.requested(converted), restated.requests, concluded.requests])
    names = [one.rule.name for one in catalogue.rules]
    judged = [conversion.unrated(converted), *concluded.findings, restated.findings]
    told = stage("tell", _told, tables.findings, judged, read, amendments, names)
    audited = Audit(
        raw_rows=read.height,
        figures=usable,
        tables=tables.tables,
        rejects=pl.concat([unread, rows.reject(read, refused)]).sort("row_id"),
        findings=told,
        implied=intersect([concluded.implied, restated.implied]),
        rates=rates.slice(asked),
        quotes=read.filter(pl.col("note").is_not_null()).select("row_id", "note"),
    )
    return Conclusion(audited, asked.unique(), concluded.unsettled)


def _without(refused: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    return rows if refused.is_empty() else rows.join(refused, on="row_id", how="anti", maintain_order="left")


def _told(
    tabulated: pl.DataFrame,
    judged: Sequence[pl.DataFrame],
    read: pl.DataFrame,
    amendments: Sequence[corrections.Correction],
    rules: Sequence[str],
) -> pl.DataFrame:
    """All findings in order, with their messages and what became of corrections."""
    found = [tabulated, *findings.all_as_findings(judged)]
    return findings.gathered(corrections.with_outcomes(found, read, amendments, rules))


def conventions(sources: list[Source]) -> pl.DataFrame:
    """How sources convert currencies, of those whose sidecar says so: CONVENTION_COLUMNS."""
    stated = [
        (source.name, fx.stated_method, fx.start, fx.end, None if fx.rate is None else str(fx.rate))
        for source in sources
        if (fx := source.sidecar.fx) is not None
    ]
    return pl.DataFrame(stated, schema=conversion.CONVENTION_COLUMNS, orient="row")


def rates_of(project: Project) -> Rates:
    """The project's own rate files, in order, over the European Central Bank's."""
    return Rates.layered([*project.rate_files.values(), Rates.ecb()])


def _write(folder: RunFolder, audited: Audit, catalogue: Catalogue) -> None:
    write_rows(folder, audited, catalogue)
    folder.write_parquet("rates.parquet", audited.rates)


def write_rows(folder: RunFolder, audited: Audit, catalogue: Catalogue) -> None:
    """Write what an audit, or that of a shard, says of its rows; `OutputError`."""
    folder.write_parquet("figures.parquet", audited.figures)
    for name, table in audited.tables.items():
        units = {metric: catalogue.metrics[metric].unit for metric in table.columns if metric in catalogue.metrics}
        folder.write_parquet(f"{name}.parquet", table, units={k: v for k, v in units.items() if k not in KEYS})
    folder.write_parquet("rejects.parquet", audited.rejects)
    folder.write_parquet("findings.parquet", audited.findings)
    folder.write_parquet("implied.parquet", audited.implied)


def write_report(folder: RunFolder, project: Project, shown: Excerpt, rates: pl.DataFrame, language: str) -> None:
    """Write the report of a run beside its outputs; `OutputError`."""
    # Loaded here, so that checks without a project need no templates.
    from zhiji_etl.html.page import Contents, report_page

    contents = Contents(
        name=project.settings.get("name", project.path.resolve().name),
        version=zhiji_etl.__version__,
        shown=shown,
        texts=rule_texts(project.catalogue.rules),
        sources=project.sources,
        schemas=project.schema_hashes(),
        rates=origins(rates).to_dicts(),
        written=folder.written(),
        settings=project.settings,
    )
    folder.write_text(REPORT, report_page(contents, language))


def manifest(
    project: Project,
    shown: Excerpt,
    rates: pl.DataFrame,
    inputs: Sequence[Mapping[str, Any]],
    stages: Stages,
    fail_on: Severity | None,
    counts: Mapping[str, int],
) -> dict[str, Any]:
    """What `run.json` tells of a run beside its outputs; `counts` are further ones than those of its rows."""
    return {
        "zhiji_etl": zhiji_etl.__version__,
        "inputs": inputs,
        "schemas": project.schema_hashes(),
        "settings": project.settings,
        "rates": origins(rates).to_dicts(),
        "rate_files": [_rate_file(project, name, rates) for name, rates in project.rate_files.items()],
        "counts": {"sources": len(project.sources), "raw_rows": shown.raw_rows, **shown.sizes, **counts},
        "timings": {**stages.seconds, "total": stages.total},
        "exit_status": int(shown.fails(fail_on)),
    }


def _rate_file(project: Project, name: str, rates: Rates) -> dict[str, Any]:
    """What the manifest tells of a file of exchange rates: all of it, used or not."""
    facts = rates.origins
    return {
        "name": name,
        "sha256": project.hashes[name],
        "first_quote": facts.get_column("first_quote").min(),
        "last_quote": facts.get_column("last_quote").max(),
        "quotes": int(facts.get_column("quotes").sum()),
    }
