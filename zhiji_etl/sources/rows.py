"""Raw rows with an identity: every raw column as text, where each row stands, and what is wrong with its shape.

In: a checked `Source` and its ordinal. Out: a LazyFrame of String columns (values as printed, never inferred) with
`row_id` UInt64, `source`, `locator`, the plain columns, and `defect`, `defect_reason` (null where the row is whole).
Rows without any text (blank lines, the empty tail that spreadsheets leave) are no rows.
"""

from __future__ import annotations

from collections import Counter
from shlex import quote
from typing import TYPE_CHECKING, Final

import polars as pl

from zhiji_etl.errors import SourceError
from zhiji_etl.figures import FIGURE_COLUMNS
from zhiji_etl.sources.layouts import layout_rows
from zhiji_etl.sources.names import nearest, safe_terminal
from zhiji_etl.sources.structure import ROW

if TYPE_CHECKING:
    from zhiji_etl.sources.files import Source

NEEDED: Final = ("entity", "metric", "period", "printed")
OPTIONAL: Final = ("table", "note", "decimals", "vintage", "caption", "locator")
ADDED: Final = ("row_id", "source", "defect", "defect_reason", "code", "reason")
WORKING: Final = (
    *("at_least", "at_most", "count", "declared_unit", "fiscal_year_end", "fx", "nouns"),
    *("only_table", "read", "restated_in", "tables"),
)
"""Columns that later stages add to the rows for a while."""

RESERVED: Final = frozenset([*ADDED, *FIGURE_COLUMNS, *WORKING]) - {*NEEDED, *OPTIONAL}
RESERVED_STARTS: Final = ("period_", "__")
"""Names that the pipeline gives a meaning: a raw column of such a name would be overwritten, so it must be renamed."""


_UNIT_HINT: Final = 'If it tells the unit of each figure, write in the sidecar: [columns] caption = "unit".'


def scan_source(source: Source, ordinal: int) -> pl.LazyFrame:
    """The rows of one source, lazily: `row_id` is `ordinal << 32 | row number from 0`.

    Columns out: `row_id, source, locator, entity, metric, period, printed, table, note, decimals, vintage, caption,
    defect, defect_reason`, then every other raw column by its own name. `locator` is the given one, else the address of
    the cell, else "row N" as a spreadsheet counts. A row with a `defect` (`row_short`, `row_long`, `json_invalid`,
    `cell_number`, `cell_formula`) keeps the cells it has; it is to become a reject with that code and reason. The
    sidecar fills `table` and `vintage` where a row has none. A wide table, which its sidecar describes, gives a row for
    each of its cells.
    Raises `SourceError`: `column_missing`, `column_reserved`.
    """
    names = renamed_columns(source)
    frame = (layout_rows(source) if source.sidecar.layout else source.form.scan(source)).rename(names)
    texts = list(names.values())
    whole = frame.filter(pl.any_horizontal(pl.col(texts).is_not_null()) | pl.col(ROW).is_in(_defective(source)))
    return _with_defects(whole, source).select(
        (pl.col(ROW).cast(pl.UInt64) + (ordinal << 32)).alias("row_id"),
        pl.lit(source.name).alias("source"),
        _locator(source, texts),
        *NEEDED,
        *(_optional(name, texts, source) for name in OPTIONAL if name != "locator"),
        "defect",
        "defect_reason",
        *(name for name in texts if name not in (*NEEDED, *OPTIONAL)),
    )


def renamed_columns(source: Source) -> dict[str, str]:
    """Their header -> our name for every raw column of a source; `SourceError` where this cannot be told."""
    if source.sidecar.layout:
        return {name: name for name in source.columns}
    ours = {theirs: our for our, theirs in source.sidecar.columns.items()}
    absent = [theirs for theirs in ours if theirs not in source.columns]
    if absent:
        raise _missing(source, absent, _misnamed_hint(source, absent[0]))
    names = {theirs: ours.get(theirs, theirs) for theirs in source.columns}
    missing = [name for name in NEEDED if name not in names.values()]
    if missing:
        raise _missing(source, missing, _missing_hint(source, missing[0]))
    _check_names(source, list(names.values()))
    return names


# -------------------------------------------------------------------------------------------------------- columns


def _missing(source: Source, missing: list[str], hint: str) -> SourceError:
    found = ", ".join(safe_terminal(name) for name in source.columns[:50])
    what = f"{safe_terminal(source.name)} has no column {', '.join(map(safe_terminal, missing))}; it has: {found}."
    return SourceError("column_missing", what, hint=hint)


def _misnamed_hint(source: Source, absent: str) -> str:
    """What to do about a header that the sidecar names and the file does not have."""
    ours = next(our for our, theirs in source.sidecar.columns.items() if theirs == absent)
    left = [name for name in source.columns if name not in source.sidecar.columns.values()]
    near = nearest(absent, left) or nearest(ours, left) or "Their header"
    return f"The sidecar names it. Correct it there: [columns] {ours} = {_quoted(near)}."


def _missing_hint(source: Source, missing: str) -> str:
    only = source.columns[0]
    other = next((mark for mark in (";", "\t", "|") if mark in only), None)
    if len(source.columns) == 1 and other:
        return f"The columns seem to be separated by {other!r}: set separator = {_quoted(other)} in the sidecar."
    cased = next((name for name in source.columns if name.strip().lower() == missing), None)
    if cased is not None:
        return f"Our names stand in small letters. Write in the sidecar: [columns] {missing} = {_quoted(cased)}."
    if not any(name in source.columns for name in NEEDED):
        # Where there is a sidecar, a draft is to be looked at: it is not written over what a person wrote.
        drafted = f"zhiji-etl sidecar {quote(safe_terminal(str(source.path)))}"
        write = "" if source.sidecar_path else " --write"
        return f"Is it a wide table, or has it other headers? Draft its sidecar: {drafted}{write}."
    near = nearest(missing, [name for name in source.columns if name not in NEEDED]) or "Their header"
    return f"Rename the column, or write in the sidecar: [columns] {missing} = {_quoted(near)}."


def _check_names(source: Source, names: list[str]) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        what = f"{safe_terminal(source.name)}: two columns are named {', '.join(map(safe_terminal, twice))}."
        raise SourceError("header_duplicate", what, hint="Correct [columns] in the sidecar.")
    reserved = [name for name in names if name in RESERVED or name.startswith(RESERVED_STARTS)]
    if reserved:
        shown = [safe_terminal(name) for name in reserved]
        what = f"{safe_terminal(source.name)} has columns whose names have a meaning here: {', '.join(shown)}."
        aside = f"To keep them aside, write in the sidecar: [columns] raw_{shown[0]} = {_quoted(shown[0])}."
        is_unit = "unit" in reserved and "caption" not in names
        use = _UNIT_HINT if is_unit else "What belongs to a figure stands in printed."
        raise SourceError("column_reserved", what, hint=f"{use} {aside}")


def _quoted(text: str) -> str:
    return '"' + safe_terminal(text).replace('"', '\\"') + '"'


# ----------------------------------------------------------------------------------------------------- expressions


def _locator(source: Source, names: list[str]) -> pl.Expr:
    number = pl.col(ROW).cast(pl.UInt64) + source.form.first_row
    row = pl.concat_str(pl.lit(source.place or "row "), number.cast(pl.String))
    return (pl.coalesce("locator", row) if "locator" in names else row).alias("locator")


def _optional(name: str, names: list[str], source: Source) -> pl.Expr:
    told = {"table": source.sidecar.table, "vintage": _edition(source)}
    default = pl.lit(told.get(name), pl.String)
    return (pl.coalesce(name, default) if name in names else default).alias(name)


def _edition(source: Source) -> str | None:
    """The vintage of a source's figures: a source that restates earlier ones is an edition of its own, by its date."""
    sidecar = source.sidecar
    if sidecar.vintage is not None or not sidecar.restates:
        return sidecar.vintage
    return source.name if sidecar.published is None else str(sidecar.published)


def _defective(source: Source) -> list[int]:
    return [defect.row for defect in source.defects]


def _with_defects(frame: pl.LazyFrame, source: Source) -> pl.LazyFrame:
    """Join the few defects; a join of nothing would still cost the stream its order."""
    if not source.defects:
        return frame.with_columns(defect=pl.lit(None, pl.String), defect_reason=pl.lit(None, pl.String))
    table = pl.LazyFrame(
        {
            ROW: _defective(source),
            "defect": [defect.code for defect in source.defects],
            "defect_reason": [defect.reason for defect in source.defects],
        },
        schema={ROW: frame.collect_schema()[ROW], "defect": pl.String, "defect_reason": pl.String},
    )
    return frame.join(table, on=ROW, how="left", maintain_order="left")
