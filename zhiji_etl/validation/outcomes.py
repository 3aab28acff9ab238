"""What validation and casting give: problems of structure, failing cells, checks that could not run.

In: frames with `row_id` and masks of the rows that pass. Out: frames of `FAILURE_COLUMNS`, and frozen records.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

import polars as pl

from zhiji_etl.errors import ZhijiError
from zhiji_etl.figures import SEVERITY, Severity

ROW: Final = "row_id"

FAILURE_COLUMNS: Final[dict[str, pl.DataType]] = {
    ROW: pl.UInt64(),
    "column": pl.String(),
    "check": pl.String(),
    "value": pl.String(),
    "severity": SEVERITY,
}
"""One failing cell and check a row. `column` is null where a check judges whole rows; `value` is the cell as text."""


class StructureProblem(NamedTuple):
    """A frame that is not of the declared shape: which column, what was expected, what to do."""

    kind: Literal["missing_column", "wrong_dtype", "unexpected_column", "column_order"]
    column: str
    message: str
    hint: str | None = None


class BrokenCheck(NamedTuple):
    """A check that could not run, so it neither passed nor failed: its name, its column (None: whole rows), and why."""

    check: str
    column: str | None
    message: str


class Validation(NamedTuple):
    """What is wrong with a frame. Where `structure` is not empty no row was judged: the checks are unknown, not passed.

    `failures` has the columns `FAILURE_COLUMNS`, in the order of the model, then of the rows.
    """

    structure: list[StructureProblem]
    failures: pl.DataFrame
    broken: list[BrokenCheck]

    @property
    def ok(self) -> bool:
        """Whether every check ran, and none failed but those declared with `raise_warning=True`."""
        errors = self.failures.filter(pl.col("severity") == Severity.ERROR.value)
        return not self.structure and not self.broken and errors.is_empty()


class Casting(NamedTuple):
    """A frame in its declared dtypes, and the cells that did not fit: null in `frame`, a row of `failures` each."""

    frame: pl.DataFrame
    failures: pl.DataFrame


def failing_cells(
    frame: pl.DataFrame, cells: tuple[str, ...], check: str, passed: pl.Series, severity: Severity = Severity.ERROR
) -> pl.DataFrame:
    """The rows of `frame` where `passed` is false, as `FAILURE_COLUMNS`. `cells`: the columns judged."""
    if passed.all():
        return pl.DataFrame(schema=FAILURE_COLUMNS)
    return (
        frame.select(*dict.fromkeys((ROW, *cells)))
        .filter(~passed)
        .select(
            pl.col(ROW),
            pl.lit(column_name(cells), dtype=pl.String).alias("column"),
            pl.lit(check).alias("check"),
            _value(frame.schema, cells).alias("value"),
            pl.lit(severity.value, dtype=SEVERITY).alias("severity"),
        )
    )


def collected(found: list[pl.DataFrame]) -> pl.DataFrame:
    """Frames of `FAILURE_COLUMNS` as one, empty if there are none."""
    return pl.concat([pl.DataFrame(schema=FAILURE_COLUMNS), *found])


def column_name(cells: tuple[str, ...]) -> str | None:
    """The column that a check judges, None where it is several or whole rows."""
    return cells[0] if len(cells) == 1 else None


def sentence(error: BaseException) -> str:
    """What was wrong, in one line; Polars adds the whole plan after the first."""
    if isinstance(error, ZhijiError):
        return error.message
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0].strip()}" if lines else type(error).__name__


def _value(schema: pl.Schema, cells: tuple[str, ...]) -> pl.Expr:
    """The judged cells as text: one as it is, several with commas, whole rows null (their `row_id` leads to them)."""
    texts = [_text(name, schema[name]) for name in cells]
    if len(texts) > 1:
        return pl.concat_str([text.fill_null("null") for text in texts], separator=", ")
    return texts[0] if texts else pl.lit(None, dtype=pl.String)


def _text(name: str, dtype: pl.DataType) -> pl.Expr:
    """A cell as text; null for bytes and Python objects, which have none (in a list they make Polars panic)."""
    if re.search("Binary|Object", str(dtype)):
        return pl.lit(None, dtype=pl.String)
    if dtype.is_nested():
        return pl.struct(pl.col(name).alias("v")).struct.json_encode().str.slice(5).str.head(-1)
    return pl.col(name).dt.to_string() if dtype == pl.Duration else pl.col(name).cast(pl.String)
