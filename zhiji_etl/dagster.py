"""A project as Dagster assets: each table with its Parquet metadata, each rule as a check, audited before publishing.

In: a project folder. Out: one `AssetsDefinition` (its assets are made together, by one run) and a schedule. Dagster's
own checks run after an asset is written; here a run reads and judges everything first, then publishes all tables at
once, and only then tells Dagster of them. Needs the extra `dagster`.
"""
# Without the annotations of the future: Dagster looks at the type of `context`.

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from zhiji_etl.catalogue import Catalogue
from zhiji_etl.errors import ProjectError, ZhijiError
from zhiji_etl.figures import Severity, Verdict
from zhiji_etl.findings import at_or_above, is_main
from zhiji_etl.outputs.published import read_manifest
from zhiji_etl.pipeline import Audit, Prepared, RunResult, prepare, publish
from zhiji_etl.project import Project
from zhiji_etl.tables import Rule, rules

try:
    import dagster as dg
except ImportError as error:
    what = "Dagster is not installed."
    raise ProjectError("dagster_missing", what, hint="pip install 'zhiji_etl[dagster]'") from error

FIGURES: Final = "figures"
REJECTS: Final = "no_rejects"
OTHERS: Final = "other_findings"
SHOWN: Final = 10
"""Rows of a preview, and findings of a check."""

PASSING: Final = (4, 5)
"""Exit codes of errors that may be gone when the run is tried again: a file that changed, a disk that was full."""


def assets(
    project: str | Path,
    *,
    out: str | Path | None = None,
    keep: int = 3,
    withhold: Severity | str | None = None,
    name: str = "zhiji_etl",
    key_prefix: Sequence[str] = (),
    retry_policy: dg.RetryPolicy | None = None,
) -> dg.AssetsDefinition:
    """The tables of a project, and `figures`, as assets that one run makes together; each rule is a check of its table.

    `figures` has the checks `no_rejects` and `other_findings`, for what belongs to no rule. A check fails by its worst
    inconsistent finding, with severity WARN or ERROR. With `withhold` ("error" or "warning") a run with findings at or
    above it is not published: its checks are told, and it fails. Errors of input or disk may be retried, by
    `retry_policy`; others not. Raises `ProjectError` where schemas are broken: they are loaded here.
    """
    folder = Path(project).resolve()
    catalogue = Project(folder).catalogue
    specs = [_spec(FIGURES, "Every figure of the project.", key_prefix), *_table_specs(catalogue, key_prefix)]
    checks = _check_specs(catalogue, key_prefix)
    held = None if withhold is None else Severity(withhold)

    @dg.multi_asset(name=name, specs=specs, check_specs=checks, retry_policy=retry_policy)
    def run(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[Any]]:
        """Audits the project, publishes it, and yields what the checks and assets came to."""
        fresh = Project(folder)
        try:
            prepared = prepare(fresh, fresh.build(out))
            _refuse_others(catalogue, fresh.catalogue)
            judged = list(_judged(prepared, key_prefix))
            loud = None if held is None else at_or_above(prepared.audited.findings, held)
            if loud is not None and loud.height:
                yield from judged
                raise _withheld(loud)
            result = publish(prepared, keep=keep)
        except ZhijiError as error:
            raise _failure(error) from error
        context.log.info(f"published {result.path.name}")
        yield from judged
        yield from _materialized(result, fresh.catalogue, key_prefix)

    return run


def schedule(
    definition: dg.AssetsDefinition, cron: str, *, timezone: str | None = None, name: str | None = None
) -> dg.ScheduleDefinition:
    """A schedule that makes all of these assets at the times that a cron line tells; it runs from the start."""
    return dg.ScheduleDefinition(
        name=name or f"{definition.op.name}_schedule",
        target=definition,
        cron_schedule=cron,
        execution_timezone=timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


# ----------------------------------------------------------------------------------------------------- definitions


def _spec(name: str, description: str | None, key_prefix: Sequence[str]) -> dg.AssetSpec:
    key = dg.AssetKey([*key_prefix, name])
    return dg.AssetSpec(key, description=description, kinds={"polars", "parquet"})


def _table_specs(catalogue: Catalogue, key_prefix: Sequence[str]) -> Iterator[dg.AssetSpec]:
    for name, table in catalogue.tables.items():
        yield _spec(name, table.__doc__, key_prefix)


def _check_specs(catalogue: Catalogue, key_prefix: Sequence[str]) -> list[dg.AssetCheckSpec]:
    own = dg.AssetKey([*key_prefix, FIGURES])
    made = [
        dg.AssetCheckSpec(REJECTS, asset=own, description="Every raw row is a figure."),
        dg.AssetCheckSpec(OTHERS, asset=own, description="Nothing but the rules of the tables has found anything."),
    ]
    for name, rule in _rules(catalogue):
        asset = dg.AssetKey([*key_prefix, name])
        made.append(dg.AssetCheckSpec(rule.name, asset=asset, description=rule.sentence))
    return made


def _rules(catalogue: Catalogue) -> Iterator[tuple[str, Rule]]:
    for name, table in catalogue.tables.items():
        yield from ((name, rule) for rule in rules(table))


# ---------------------------------------------------------------------------------------------------------- checks


def _judged(prepared: Prepared, key_prefix: Sequence[str]) -> Iterator[dg.AssetCheckResult]:
    """The result of each check, from what the audit found."""
    audited, catalogue = prepared.audited, prepared.project.catalogue
    main = audited.findings.filter(is_main())
    own = dg.AssetKey([*key_prefix, FIGURES])
    yield _rejected(audited, own)
    told = [(name, rule.name) for name, rule in _rules(catalogue)]
    is_rule = pl.col("kind") == "rule"
    by_rules = [is_rule & (pl.col("table") == name) & (pl.col("rule") == rule) for name, rule in told]
    others = main.filter(~pl.any_horizontal(pl.lit(value=False), *by_rules).fill_null(value=False))
    yield _check_result(others, own, OTHERS)
    for (name, rule), mask in zip(told, by_rules, strict=True):
        yield _check_result(main.filter(mask), dg.AssetKey([*key_prefix, name]), rule)


def _check_result(found: pl.DataFrame, asset: dg.AssetKey, name: str) -> dg.AssetCheckResult:
    loud = at_or_above(found, Severity.WARNING)
    counted = dict(found.group_by(pl.col("verdict").cast(pl.String)).len().iter_rows())
    metadata: dict[str, Any] = {verdict.value: counted.get(verdict.value, 0) for verdict in Verdict}
    if loud.height:
        shown = loud.head(SHOWN).select("rule", "entity", "period", "severity", "message")
        metadata["findings"] = dg.MetadataValue.table(_records(shown), _schema(shown.schema))
    is_error = at_or_above(found, Severity.ERROR).height > 0
    severity = dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        passed=not loud.height, asset_key=asset, check_name=name, severity=severity, metadata=metadata
    )


def _rejected(audited: Audit, asset: dg.AssetKey) -> dg.AssetCheckResult:
    rejects = audited.rejects
    metadata: dict[str, Any] = {"raw_rows": audited.raw_rows, "rejects": rejects.height}
    if rejects.height:
        shown = rejects.head(SHOWN).select("source", "locator", "printed", "code", "reason")
        metadata["first_rejects"] = dg.MetadataValue.table(_records(shown), _schema(shown.schema))
    return dg.AssetCheckResult(
        passed=not rejects.height,
        asset_key=asset,
        check_name=REJECTS,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


# ---------------------------------------------------------------------------------------------------- what was made


def _materialized(
    result: RunResult, catalogue: Catalogue, key_prefix: Sequence[str]
) -> Iterator[dg.MaterializeResult[Any]]:
    hashes = {entry["name"]: entry["sha256"] for entry in read_manifest(result.path)["outputs"]}
    units = {name: metric.unit for name, metric in catalogue.metrics.items()}
    for name, frame in {FIGURES: result.figures, **result.tables}.items():
        file = f"{name}.parquet"
        told = {} if name == FIGURES else units
        yield dg.MaterializeResult(
            asset_key=dg.AssetKey([*key_prefix, name]),
            metadata={
                "dagster/row_count": frame.height,
                "dagster/column_schema": _schema(frame.schema, told),
                "dagster/uri": (result.path / file).as_uri(),
                "preview": dg.MetadataValue.table(_records(frame.head(SHOWN)), _schema(frame.schema, told)),
                "run": result.path.name,
                "sha256": hashes[file],
            },
            # The same bytes are the same version, so that nothing below is made again for their sake.
            data_version=dg.DataVersion(hashes[file]),
        )


def _schema(schema: pl.Schema, units: dict[str, str] | None = None) -> dg.TableSchema:
    """Columns with their types, and their units as tags and descriptions."""
    stated = units or {}
    return dg.TableSchema([_column(name, dtype, stated.get(name)) for name, dtype in schema.items()])


def _column(name: str, dtype: pl.DataType, unit: str | None) -> dg.TableColumn:
    return dg.TableColumn(name, str(dtype), description=None if unit is None else f"in {unit}")


def _records(frame: pl.DataFrame) -> list[dg.TableRecord]:
    """Rows as Dagster shows them: numbers and texts; bounds that are infinite, lists and days as texts."""
    texts = [name for name, dtype in frame.schema.items() if not dtype.is_numeric()]
    finite = [pl.when(pl.col(pl.Float64).is_finite()).then(pl.col(pl.Float64))]
    plain = frame.with_columns(*finite)
    rows = plain.with_columns(pl.Series(name, [_text(value) for value in plain[name]], pl.String) for name in texts)
    return [dg.TableRecord(row) for row in rows.iter_rows(named=True)]


def _text(value: object) -> str | None:
    return None if value is None else str(value)


# --------------------------------------------------------------------------------------------------------- failures


def _refuse_others(known: Catalogue, found: Catalogue) -> None:
    """Dagster knows what the schemas declared when they were loaded: it must not be told of what it has not."""
    declared = [({*one.tables}, {(name, rule.name) for name, rule in _rules(one)}) for one in (known, found)]
    if declared[0] != declared[1]:
        what = "The schemas declare other tables or rules than Dagster has loaded."
        raise ProjectError("assets_stale", what, hint="Reload the definitions in Dagster.")


def _withheld(loud: pl.DataFrame) -> dg.Failure:
    told = "\n".join(loud["message"].head(SHOWN))
    metadata = {"findings": loud.height}
    return dg.Failure(f"Not published: {loud.height} findings.\n{told}", metadata=metadata, allow_retries=False)


def _failure(error: ZhijiError) -> dg.Failure:
    again = error.exit_code in PASSING
    return dg.Failure(str(error), metadata={"code": error.code}, allow_retries=again)
