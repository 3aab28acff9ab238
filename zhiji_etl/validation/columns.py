"""The columns that a model declares, and what a frame lacks of them.

In: a frame and a Pandera schema. Out: the present columns by name, problems of structure. All problems are found, where
Pandera names the first unexpected column only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import polars as pl

from zhiji_etl.errors import ProjectError
from zhiji_etl.sources.names import nearest
from zhiji_etl.validation.outcomes import ROW, StructureProblem, sentence

if TYPE_CHECKING:
    from pandera.polars import Column, DataFrameModel, DataFrameSchema


def require_rows(frame: object) -> None:
    """Refuse a frame whose rows cannot be judged one by one: `ProjectError` (`frame_unusable`).

    Of a lazy frame Pandera would check the schema and no row, without a word.
    """
    if not isinstance(frame, pl.DataFrame):
        raise ProjectError(
            "frame_unusable", f"A {type(frame).__name__} is not collected.", hint="call .collect() first"
        )
    if frame.schema.get(ROW) != pl.UInt64:
        found = frame.schema.get(ROW, "no such column")
        raise ProjectError("frame_unusable", f"Rows are known by their row_id (UInt64); found {found}.")


def schema_of(model: type[DataFrameModel]) -> DataFrameSchema:
    """The Pandera schema of a model; `ProjectError` (`schema_invalid`) where Pandera cannot build it."""
    try:
        return model.to_schema()
    except Exception as error:
        bare = "missing annotations" in str(error)
        hint = 'write the type: sales: float = zj.Quantity("vehicle")' if bare else None
        raise ProjectError("schema_invalid", f"{model.__name__}: {sentence(error)}", hint=hint) from error


def present_columns(frame: pl.DataFrame, schema: DataFrameSchema) -> dict[str, Column]:
    """The columns of the frame that the schema judges, patterns expanded; a column named outright keeps to its name."""
    if not schema.columns and schema.dtype is not None:
        from pandera.polars import Column

        return {name: Column(schema.dtype, name=name) for name in frame.columns if name != ROW}
    found: dict[str, Column] = {}
    for name, column in schema.columns.items():
        named = [name] if name in frame.columns else []
        found |= dict.fromkeys(_matches(frame, schema, column) if column.regex else named, column)
    return found


def structure_problems(
    frame: pl.DataFrame, schema: DataFrameSchema, columns: dict[str, Column]
) -> Iterator[StructureProblem]:
    """All that is wrong with the shape of a frame, given its `present_columns`."""
    yield from _missing(frame, schema, columns)
    yield from _wrong_dtypes(frame, schema, columns)
    if schema.strict is True:
        yield from _unexpected(frame, schema, columns)
    if schema.ordered:
        yield from _order(frame, columns)


def declared_dtype(schema: DataFrameSchema, column: Column) -> Any:
    """Pandera's dtype of a column, None for any; one declared for the whole frame overrides it, as in Pandera."""
    return column.dtype if schema.dtype is None else schema.dtype


def fits(frame: pl.DataFrame, name: str, schema: DataFrameSchema, column: Column) -> bool:
    """Whether a column of the frame has its declared dtype."""
    dtype = declared_dtype(schema, column)
    return dtype is None or bool(dtype.check(frame.schema[name]))


def _matches(frame: pl.DataFrame, schema: DataFrameSchema, column: Column) -> list[str]:
    free = [name for name in frame.columns if name != ROW and name not in schema.columns]
    return [name for name in free if re.search(str(column.selector), name)]


def _missing(frame: pl.DataFrame, schema: DataFrameSchema, columns: dict[str, Column]) -> Iterator[StructureProblem]:
    present = {id(column) for column in columns.values()}
    free = [name for name in frame.columns if name not in columns]
    for name, column in schema.columns.items():
        if column.required and id(column) not in present:
            yield StructureProblem("missing_column", name, f"There is no column {name}.", _near(name, free))


def _wrong_dtypes(
    frame: pl.DataFrame, schema: DataFrameSchema, columns: dict[str, Column]
) -> Iterator[StructureProblem]:
    for name, column in columns.items():
        if not fits(frame, name, schema, column):
            wanted, found = declared_dtype(schema, column), frame.schema[name]
            hint = "cast_frame casts what keeps its value"
            yield StructureProblem("wrong_dtype", name, f"{name} should be {wanted}, and is {found}.", hint)


def _unexpected(frame: pl.DataFrame, schema: DataFrameSchema, columns: dict[str, Column]) -> Iterator[StructureProblem]:
    missing = [name for name in schema.columns if name not in columns]
    for name in frame.columns:
        if name not in columns:
            message = f"The schema is strict and has no column {name}."
            yield StructureProblem("unexpected_column", name, message, _near(name, missing))


def _order(frame: pl.DataFrame, columns: dict[str, Column]) -> Iterator[StructureProblem]:
    """The first column out of order; every later one would only be its consequence."""
    standing = (name for name in frame.columns if name in columns)
    for found, wanted in zip(standing, columns, strict=True):
        if found != wanted:
            yield StructureProblem("column_order", found, f"{found} stands where the schema has {wanted}.")
            return


def _near(name: str, names: list[str]) -> str | None:
    near = nearest(name, names)
    return f"did you mean {near}?" if near else None
