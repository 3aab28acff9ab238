"""The checks of a model, each as a readable name and a mask of the rows that pass.

In: a Pandera schema and the columns present. Out: `Judgement`s, which take a frame and give a Boolean series of its
height, or raise. Every mask sees all rows; nothing is split before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from zhiji_etl.errors import ProjectError
from zhiji_etl.figures import Severity
from zhiji_etl.validation.columns import declared_dtype

if TYPE_CHECKING:
    from pandera.polars import Check, Column, DataFrameSchema

Mask = Callable[[pl.DataFrame], pl.Series]

FIELD_NAMES: Final = {
    "equal_to": "eq",
    "not_equal_to": "ne",
    "greater_than": "gt",
    "greater_than_or_equal_to": "ge",
    "less_than": "lt",
    "less_than_or_equal_to": "le",
}
"""Pandera's own names of checks, as schema authors write them in `Field`."""

NAMED_VALUES: Final = 10
"""A check's name lists this many of its allowed values, and counts the others."""


class Judgement(NamedTuple):
    """One check to run: the columns it judges (none: whole rows), its readable name, and the mask of rows that pass."""

    cells: tuple[str, ...]
    check: str
    mask: Mask
    severity: Severity = Severity.ERROR


def judgements(frame: pl.DataFrame, schema: DataFrameSchema, columns: dict[str, Column]) -> Iterator[Judgement]:
    """All checks of a schema on the columns present, in its order: cells, then sets of unique columns, then rows."""
    for name, column in columns.items():
        if getattr(declared_dtype(schema, column), "auto_coerce", False):
            yield Judgement((name,), "nested_model", _refuse_nested)
        if frame.schema[name].is_float():
            yield Judgement((name,), "not_nan", partial(_not_nan, name))
        yield from _cell_judgements(name, column)
    for names in _unique_sets(schema):
        yield Judgement(tuple(names), f"unique({', '.join(names)})", partial(_unrepeated, names))
    for check in schema.checks:
        yield _declared((), check)


def declared_masks(schema: DataFrameSchema) -> Iterator[tuple[str, Mask]]:
    """Each check that a schema declares, under the name that its author knows it by."""
    for name, column in schema.columns.items():
        for check in column.checks:
            yield f"check {check_name(check)} on {name}", partial(_mask, check, _made_up_name(column))
    for check in schema.checks:
        yield f"check {check_name(check)} on the table", partial(_mask, check, None)


def made_up_frames(schema: DataFrameSchema) -> list[pl.DataFrame]:
    """Frames to try checks on: three rows of the declared dtypes, one row of nulls, no row."""
    columns = schema.columns.values()
    rows = pl.DataFrame([_made_up_cells(_made_up_name(column), declared_dtype(schema, column)) for column in columns])
    return [rows, rows.clear(1), rows.clear()]


def gives_no_mask(mask: Mask, frames: list[pl.DataFrame]) -> bool:
    """Whether the first of the frames that the check can run on gets anything but one truth value a row."""
    for frame in frames:
        try:
            mask(frame)
        except ProjectError:
            return True
        except (Exception, pl.exceptions.PanicException):
            continue  # made-up cells do not suit every check: the next frame may
        return False
    return False


def check_name(check: Check) -> str:
    """The name that its author gave it, or the check as written in `Field`: `ge(0)`, `isin(['a', 'b'])`."""
    name = str(check.name)
    if name != check.registry_name or not check.statistics:
        return name
    return f"{FIELD_NAMES.get(name, name)}({', '.join(_arguments(check.statistics))})"


def _cell_judgements(name: str, column: Column) -> Iterator[Judgement]:
    if not column.nullable:
        yield Judgement((name,), "not_nullable", lambda frame: frame[name].is_not_null())
    if column.unique:
        yield Judgement((name,), "unique", lambda frame: ~frame[name].is_duplicated())
    for check in column.checks:
        yield _declared((name,), check)


def _refuse_nested(_: pl.DataFrame) -> pl.Series:
    """Pandera judges nested models only while it coerces, and there maps failures to rows by position."""
    raise ProjectError("schema_invalid", "Checks inside a nested model are not judged. Declare its fields as columns.")


def _not_nan(name: str, frame: pl.DataFrame) -> pl.Series:
    """NaN passes `ge(0)`, and to Pandera it is a null; here it is a defect of its own."""
    return frame[name].is_not_nan().fill_null(True)


def _unique_sets(schema: DataFrameSchema) -> list[list[str]]:
    """Pandera takes one set of columns, or several."""
    declared: list[Any] = schema.unique or []
    return [declared] if declared and all(isinstance(name, str) for name in declared) else declared


def _unrepeated(names: list[str], frame: pl.DataFrame) -> pl.Series:
    return ~frame.select(names).is_duplicated()


def _declared(cells: tuple[str, ...], check: Check) -> Judgement:
    severity = Severity.WARNING if check.raise_warning else Severity.ERROR
    return Judgement(cells, check_name(check), partial(_mask, check, cells[0] if cells else None), severity)


def _mask(check: Check, column: str | None, frame: pl.DataFrame) -> pl.Series:
    """Which rows pass, nulls already judged; `ProjectError` (`check_scalar`) for a check that does not say."""
    if check.groupby is not None:
        raise ProjectError("check_scalar", "Pandera ignores groupby on Polars: use an expression with .over(...).")
    result = check(frame.lazy(), column)
    if result.failure_cases is None:
        raise ProjectError("check_scalar", "It gives one truth value for the whole table, so no row can be named.")
    passed: pl.Series = result.check_output.collect().to_series()
    if passed.len() != frame.height:
        raise ProjectError("check_scalar", f"It gives {passed.len()} truth value(s) for {frame.height} row(s).")
    return passed


def _arguments(statistics: dict[str, Any]) -> Iterator[str]:
    """Values in order, named from the first one left out, and where they open an end of a range."""
    skipped = False
    for name, value in statistics.items():
        if value is None or (name.startswith("include_") and value):
            skipped = True
        else:
            yield f"{name}={_argument(value)}" if skipped or name.startswith("include_") else _argument(value)


def _argument(value: Any) -> str:
    """One value; sets are sorted, since their own order changes from run to run."""
    if isinstance(value, re.Pattern):
        return repr(value.pattern)
    if isinstance(value, set | frozenset):
        return _listed(sorted(value, key=repr))
    if isinstance(value, list | tuple):
        return _listed(list(value))
    return repr(value) if isinstance(value, str) else str(value)


def _listed(values: list[Any]) -> str:
    shown = [_argument(value) for value in values[:NAMED_VALUES]]
    more = [f"and {len(values) - NAMED_VALUES} more"] if len(values) > NAMED_VALUES else []
    return f"[{', '.join(shown + more)}]"


def _made_up_name(column: Column) -> str:
    """A pattern is no name: Polars would look for columns that match it."""
    return re.sub(r"\W", "_", str(column.name)) if column.regex else str(column.name)


def _made_up_cells(name: str, dtype: Any) -> pl.Series:
    """Cells 0, 1, 2 of a dtype, or nulls where it holds no numbers."""
    target = pl.Float64 if dtype is None else dtype.type
    try:
        return pl.Series(name, [0, 1, 2]).cast(target)
    except (pl.exceptions.PolarsError, TypeError):
        return pl.Series(name, [None] * 3, dtype=target)
