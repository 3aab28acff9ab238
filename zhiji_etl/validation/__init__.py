"""The only bridge to Pandera: a collected frame and a model in, exact row masks out.

In: a `pl.DataFrame` with a `row_id` column (UInt64, the identity of each row), and a `pandera.polars.DataFrameModel`.
Out: what is wrong with its structure, each failing cell by row and check, and each check that could not run.

Nothing is changed, dropped or filled here: defaults, coercion, `drop_invalid_rows`, `add_missing_columns` and
`strict="filter"` of a model have no effect, and neither have the `PANDERA_*` variables that switch validation off. Each
check runs by itself through Pandera's public `Check.__call__`, on all rows: `DataFrameModel.validate` builds a report
that crashes on scalar outcomes, stops at the first failing set of unique columns, and costs more than the checks.

A check must keep the rows and their order: it answers `data.lazyframe.select(expression)`, with `.over(...)` for
groups; an answer in another order would accuse the wrong rows, and nothing can notice it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from zhiji_etl.errors import ProjectError
from zhiji_etl.validation.casts import exact_cast
from zhiji_etl.validation.checks import declared_masks, gives_no_mask, judgements, made_up_frames
from zhiji_etl.validation.columns import (
    declared_dtype,
    fits,
    present_columns,
    require_rows,
    schema_of,
    structure_problems,
)
from zhiji_etl.validation.outcomes import (
    FAILURE_COLUMNS,
    ROW,
    BrokenCheck,
    Casting,
    StructureProblem,
    Validation,
    collected,
    column_name,
    failing_cells,
    sentence,
)

if TYPE_CHECKING:
    from pandera.polars import DataFrameModel

__all__ = [
    "FAILURE_COLUMNS",
    "BrokenCheck",
    "Casting",
    "StructureProblem",
    "Validation",
    "cast_frame",
    "refuse_scalar_checks",
    "schema_of",
    "validate",
]


def validate(frame: pl.DataFrame, model: type[DataFrameModel]) -> Validation:
    """Judge every row of `frame` by every check of `model`.

    In: any columns and `row_id` (UInt64), which the model need not declare. One check goes beyond Pandera's own:
    `not_nan`, on each declared float column, nullable or not. Nulls pass all checks but `not_nullable` and those with
    `ignore_na=False`, and are equal in `unique`.
    Raises `ProjectError`: `frame_unusable` for a lazy frame or one without `row_id`, `schema_invalid` for a model that
    Pandera cannot build.
    """
    require_rows(frame)
    schema = schema_of(model)
    judged = frame if ROW in schema.columns else frame.drop(ROW)
    columns = present_columns(judged, schema)
    structure = list(structure_problems(judged, schema, columns))
    if structure:
        return Validation(structure, collected([]), [])
    found: list[pl.DataFrame] = []
    broken: list[BrokenCheck] = []
    for judgement in judgements(judged, schema, columns):
        try:
            passed = judgement.mask(judged)
        except (Exception, pl.exceptions.PanicException) as error:
            broken.append(BrokenCheck(judgement.check, column_name(judgement.cells), sentence(error)))
        else:
            found.append(failing_cells(frame, judgement.cells, judgement.check, passed, judgement.severity))
    return Validation(structure, collected(found), broken)


def refuse_scalar_checks(model: type[DataFrameModel]) -> None:
    """Refuse a model with a check that gives one truth value for a whole column or table: it names no failing row.

    Each check is tried on a few made-up rows of the declared dtypes. One that cannot run on them is left to `validate`,
    which calls it broken where it turns out scalar on data.
    Raises `ProjectError`: `check_scalar` naming all such checks (one with `groupby=`, which Pandera ignores on Polars,
    is one of them), `schema_invalid` for a model that Pandera cannot build.
    """
    schema = schema_of(model)
    frames = made_up_frames(schema)
    refused = [name for name, mask in declared_masks(schema) if gives_no_mask(mask, frames)]
    if refused:
        raise ProjectError(
            "check_scalar",
            f"{model.__name__}: {', '.join(refused)} cannot say which rows fail.",
            hint="Return one truth value a row: data.lazyframe.select(expression), with .over(...) for groups.",
        )


def cast_frame(frame: pl.DataFrame, model: type[DataFrameModel]) -> Casting:
    """Cast the columns of `frame` to the dtypes that `model` declares, where that keeps each value exactly.

    Numbers go to numbers, text to numbers and ISO dates, text to text, whole numbers to text, dates to datetimes and
    back. A cell that would be rounded, cut or lost (`1.239` to two decimals, `9007199254740993` to Float64, `n/a`) is
    null in the result and a failure of check `dtype`. Casts that would guess (a number as a date, a time zone) are not
    tried: the column stays as it is, and `validate` names its dtype. Raises as `validate` does.
    """
    require_rows(frame)
    schema = schema_of(model)
    cast = frame
    lost: list[pl.DataFrame] = []
    for name, column in present_columns(frame, schema).items():
        if fits(frame, name, schema, column):
            continue
        expression = exact_cast(name, frame.schema[name], declared_dtype(schema, column).type)
        if expression is not None:
            cast = cast.with_columns(expression)
            kept = frame[name].is_null() | cast[name].is_not_null()
            lost.append(failing_cells(frame, (name,), "dtype", kept))
    return Casting(cast, collected(lost))
