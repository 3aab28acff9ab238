"""What depends on few distinct values is found once for each of them, and looked up by the rows.

In: a frame, the expressions that decide, and a function of their distinct values. Out: the same rows in the same order
with the columns that the function gives; or, of one column, an expression. Only the values that decide are looked at: a
join would copy whole rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import polars as pl

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)

_ANSWER: Final = "__answer"
_LINE: Final = "__line"


def with_answers(
    frame: Frame,
    keys: Mapping[str, pl.Expr],
    answer: Callable[[pl.DataFrame], pl.DataFrame],
    columns: Mapping[str, pl.DataType],
) -> Frame:
    """The frame with `columns` added or replaced by what `answer` gives for the `keys` of each row.

    `answer` is handed the distinct keys, nulls included, and gives a row for each of them, in order. Of a LazyFrame it
    is called once for each batch of rows, so that they stream.
    """

    def answered(asked: pl.DataFrame) -> pl.DataFrame:
        """The answer to each row."""
        distinct = asked.unique(maintain_order=True)
        return gathered(answer(distinct).select(*columns), _lines(asked, distinct))

    named = [key.alias(name) for name, key in keys.items()]
    if isinstance(frame, pl.DataFrame):
        return frame.with_columns(answered(frame.select(named)))
    of_batch = pl.struct(named).map_batches(
        lambda batch: answered(batch.struct.unnest()).to_struct(), return_dtype=pl.Struct(columns), is_elementwise=True
    )
    fields = (pl.col(_ANSWER).struct.field(name) for name in columns)
    return frame.with_columns(of_batch.alias(_ANSWER)).with_columns(fields).drop(_ANSWER)


def found_once(values: pl.Expr, answer: Callable[[Any], object], dtype: pl.DataType) -> pl.Expr:
    """What `answer` gives for each value of a column, asked once for each distinct one; null for null."""

    def found(batch: pl.Series) -> pl.Series:
        """The answer to each value."""
        answers = {value: answer(value) for value in batch.unique().drop_nulls()}
        return batch.replace_strict(answers, default=None, return_dtype=dtype)

    return values.map_batches(found, return_dtype=dtype, is_elementwise=True)


def gathered(answers: pl.DataFrame, lines: pl.Series) -> pl.DataFrame:
    """These lines of the answers; columns of nothing are not moved about."""
    empty = {column.name: pl.lit(None, column.dtype) for column in answers if column.null_count() == len(column)}
    at = lines.to_frame(_LINE)
    found = at.select(_LINE, *(pl.lit(column).gather(pl.col(_LINE)) for column in answers.drop(empty)))
    return found.with_columns(**empty).select(answers.columns)


def _lines(asked: pl.DataFrame, distinct: pl.DataFrame) -> pl.Series:
    """The place of each row among the distinct ones."""
    numbered = distinct.with_row_index(_LINE)
    found = asked.join(numbered, on=asked.columns, how="left", nulls_equal=True, maintain_order="left")
    return found.get_column(_LINE)
