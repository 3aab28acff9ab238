"""From figures to tables: one row for each entity and period, judged by Pandera through the one bridge to it.

In: figures in their declared unit and the catalogue. Out: a frame for each table, exactly the declared columns; the
figures whose cell failed a check, by `row_id` with code and reason; and findings for checks that could not run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import polars as pl

from zhiji_etl.catalogue import Catalogue
from zhiji_etl.errors import ProjectError
from zhiji_etl.figures import Reason, Severity, Verdict
from zhiji_etl.findings import as_findings
from zhiji_etl.sameness import number, without_repeats
from zhiji_etl.sources import Source
from zhiji_etl.sources.names import safe_terminal
from zhiji_etl.tables import KEYS, Table
from zhiji_etl.validation import Validation, validate

ROW: Final = "row_id"
CHECK_FAILED: Final = "check_failed"
CHECK: Final = "check"
DAYS: Final = ("period_start", "period_end")
CELL: Final = ("entity", "metric", *DAYS)
AT: Final = "__at"
NEEDED: Final = (ROW, "figure_id", *KEYS, "metric", "value", "rate", "step")
ORDER: Final = (pl.col("rate").is_not_null(), "step", "figure_id")
"""Which of several figures of one cell is taken."""


class Tabulation(NamedTuple):
    """Tables by name, the raw rows that failed a check (`row_id, code, reason`), and findings of the validation."""

    tables: Mapping[str, pl.DataFrame]
    failures: pl.DataFrame
    findings: pl.DataFrame


def tabulate(figures: pl.DataFrame, catalogue: Catalogue, sources: Sequence[Source]) -> Tabulation:
    """Build and judge every table: first all rows together are checked, then the rows of failing cells leave.

    A failing cell takes its figure out of the table and out of the rules; a check without a single cell to blame
    (on the keys, or on a whole row) is a finding.
    """
    made = {name: _judged(name, table, figures, catalogue, sources) for name, table in catalogue.tables.items()}
    return Tabulation(
        {name: frame for name, (frame, _, _) in made.items()},
        pl.concat(rejected for _, rejected, _ in made.values()).unique(ROW, keep="first", maintain_order=True),
        pl.concat(findings for _, _, findings in made.values()),
    )


def _judged(
    name: str, table: type[Table], figures: pl.DataFrame, catalogue: Catalogue, sources: Sequence[Source]
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """One table: its frame without failing cells, the raw rows that failed, and its findings."""
    cells = _cells(figures, name)
    wide = _wide(cells, name, catalogue, sources)
    judged = wide.drop(AT).with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.UInt64))
    verdict = validate(judged, table)
    traced = _traced(verdict.failures, cells, wide)
    rejected = _rejected(traced)
    if rejected.is_empty():
        return wide.drop(AT), rejected, _findings(verdict, traced, name)
    lost = cells.join(rejected, on=ROW, how="semi").select(AT)
    left = cells.join(lost, on=AT, how="semi").join(rejected, on=ROW, how="anti")
    made_again = _wide(left, name, catalogue, sources)
    good = _ordered(pl.concat([wide.join(lost, on=AT, how="anti"), made_again]))
    return good.drop(AT), rejected, _findings(verdict, traced, name)


def _cells(figures: pl.DataFrame, table: str) -> pl.DataFrame:
    """The one figure of each cell of a table: printed in the declared unit before converted, then the finest print.

    `__at` stands for the entity and the days, the row of the cell.
    """
    mine = (pl.col("table") == table) & pl.col("restates").is_null() & pl.col("unit").is_not_null()
    named = figures.lazy().filter(mine).select(NEEDED).with_columns(number("entity", *DAYS).alias(AT))
    return without_repeats(named.collect(), CELL, ORDER)


def _wide(cells: pl.DataFrame, table: str, catalogue: Catalogue, sources: Sequence[Source]) -> pl.DataFrame:
    """One row an entity and period, with `__at` and the declared columns."""
    declared = catalogue.declarations.filter(pl.col("table") == table).get_column("metric")
    values = cells.lazy().pivot("metric", on_columns=declared, index=AT, values="value").collect()
    joined = _rows(cells).join(values, on=AT, how="left", maintain_order="left")
    named = _identified(joined, catalogue.identifiers(table), sources)
    columns = [name for name in catalogue.tables[table].to_schema().columns if name not in KEYS]
    return named.select(AT, *KEYS, *columns)


def _rows(cells: pl.DataFrame) -> pl.DataFrame:
    """The entities and periods of all cells; of several labels of the same days that of the first cell counts."""
    labels = cells.select(*DAYS, "period").unique()
    ordered = cells.sort(ORDER) if labels.select(DAYS).is_duplicated().any() else cells
    return _ordered(ordered.lazy().select(AT, *KEYS).filter(pl.col(AT).is_first_distinct()).collect())


def _ordered(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort("entity", *DAYS)


def _identified(wide: pl.DataFrame, names: Sequence[str], sources: Sequence[Source]) -> pl.DataFrame:
    """The wide frame with its identifier columns, filled from the sidecars; `ProjectError` where two say two things."""
    given = [(one.name, *told) for one in sources for told in one.sidecar.identifiers.items()]
    for name in names:
        known: dict[str, str] = {}
        for source, entity, texts in given:
            if name in texts and known.setdefault(entity, texts[name]) != texts[name]:
                what = (
                    f"sidecar of {source}: the {name} of {entity} is {texts[name]}, and {known[entity]} in another one."
                )
                raise ProjectError("sidecar_invalid", safe_terminal(what), hint="Keep the right one.")
        schema = {"entity": pl.String, name: pl.String}
        column = pl.DataFrame(list(known.items()), schema=schema, orient="row")
        wide = wide.join(column, on="entity", how="left", maintain_order="left")
    return wide


def _traced(failures: pl.DataFrame, cells: pl.DataFrame, wide: pl.DataFrame) -> pl.DataFrame:
    """Each failing cell with its entity and period, and the raw row behind it as `cell_row` (null where none is)."""
    rows = wide.select(AT, *KEYS)[failures.get_column(ROW)]
    at = failures.drop(ROW).rename({"column": "metric"}).hstack(rows)
    behind = cells.join(rows, on=AT, how="semi").select(AT, "metric", cell_row=ROW)
    return at.join(behind, on=[AT, "metric"], how="left", maintain_order="left").drop(AT)


def _rejected(traced: pl.DataFrame) -> pl.DataFrame:
    """The raw rows whose cell failed a check of severity error: `row_id, code, reason`."""
    reason = pl.format("{} is {}, which fails the check {} of its table.", "metric", "value", "check")
    failed = traced.filter(_is_to_be_rejected())
    rows = failed.select(pl.col("cell_row").alias(ROW), code=pl.lit(CHECK_FAILED), reason=reason)
    return rows.unique(ROW, keep="first", maintain_order=True)


def _is_to_be_rejected() -> pl.Expr:
    return pl.col("cell_row").is_not_null() & (pl.col("severity").cast(pl.String) == Severity.ERROR.value)


def _findings(verdict: Validation, traced: pl.DataFrame, table: str) -> pl.DataFrame:
    """What is no single cell's fault: failures without a figure behind them, a wrong structure, broken checks."""
    column = pl.coalesce("metric", pl.lit("row"))
    what = pl.format("{} is {}, which", "metric", pl.coalesce("value", pl.lit("missing")))
    sentence = pl.format("{} fails the check {} of its table.", pl.coalesce(what, pl.lit("The row")), "check")
    told = traced.filter(~_is_to_be_rejected()).select(
        "entity",
        "period",
        rule=pl.format("{}.{}", column, "check"),
        verdict=pl.lit(Verdict.INCONSISTENT.value),
        severity=pl.col("severity").cast(pl.String),
        message=sentence,
    )
    problems = [("structure", f"{problem.message} {problem.hint or ''}".strip()) for problem in verdict.structure]
    problems += [(broken.check, f"The check could not run: {broken.message}") for broken in verdict.broken]
    unknown = pl.DataFrame(problems, schema={"rule": pl.String, "message": pl.String}, orient="row").with_columns(
        verdict=pl.lit(Verdict.NOT_CHECKABLE.value),
        severity=pl.lit(Severity.ERROR.value),
        reason=pl.lit(Reason.NON_NUMERIC.value),
    )
    return as_findings(pl.concat([told, unknown], how="diagonal").with_columns(kind=pl.lit(CHECK), table=pl.lit(table)))
