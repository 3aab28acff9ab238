"""Requests by number: millions of rows ask for few distinct rates, and one integer finds them fastest.

In: a frame with the columns of `REQUEST_COLUMNS`, and optionally `fixed_rate`. Out: an expression that gives each row
one integer, and the way back from integers to requests. Two requests have the same integer only if they are the same,
nulls included. The integers are small, since a column of one value needs no digit and a period is told by its first day
and its length: then a table of flags finds the distinct ones and a look-up the answers, without hashing any row.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from math import prod
from typing import Final, NamedTuple, TypeVar

import numpy as np
import polars as pl

from zhiji_etl.distinct import gathered
from zhiji_etl.errors import RateError

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)

REQUEST_COLUMNS: Final[dict[str, pl.DataType]] = {
    "base": pl.String(),
    "quote": pl.String(),
    "start": pl.Date(),
    "end": pl.Date(),
    "method": pl.String(),
}
"""What a rate is asked for: 1 `base` in `quote`, from `start` to `end` inclusive."""

KEY_COLUMNS: Final[dict[str, pl.DataType]] = {**REQUEST_COLUMNS, "fixed_rate": pl.String()}
"""A request in full: the method `fixed` needs the rate that the source prints."""

FLAGS_PER_ROW: Final = 8
"""Integers that may occur for each row that there is, beyond which a table of flags costs more than hashing."""

FEW: Final = 1 << 20
"""Flags that cost nothing, however few the rows."""

_NUMBER: Final = "__request_number"


def require_requests(requests: pl.DataFrame | pl.LazyFrame) -> None:
    """Refuse a frame whose columns are no requests: `RateError` (`rate_columns_missing`, `column_type`)."""
    found = requests.collect_schema()
    missing = [name for name in REQUEST_COLUMNS if name not in found]
    if missing:
        what = f"The requests have no column {', '.join(missing)}; they have {', '.join(found) or 'none'}."
        raise RateError("rate_columns_missing", what, hint=f"requests have {', '.join(REQUEST_COLUMNS)}")
    for name, dtype in KEY_COLUMNS.items():
        kinds = (pl.Date,) if dtype == pl.Date() else (pl.String, pl.Categorical, pl.Enum)
        if found.get(name, dtype).base_type() not in (*kinds, pl.Null):
            raise RateError("column_type", f"The column {name} of the requests is {found[name]}, and not {dtype}.")


def answered_once(requests: Frame, answer: Callable[[pl.DataFrame], pl.DataFrame]) -> Frame:
    """The rows of a frame with `REQUEST_COLUMNS`, in order, with the columns that `answer` gives added or replaced.

    `answer` is called once, with the distinct requests (KEY_COLUMNS), and gives a row for each of them, in order. A
    LazyFrame stays lazy, but its distinct requests are collected at once.
    """
    numbers = numbering(requests.lazy())
    if isinstance(requests, pl.DataFrame):
        return requests.with_columns(_found(requests.select(numbers.number).to_series(), numbers, answer))
    numbered = requests.with_columns(numbers.number.alias(_NUMBER))
    distinct = numbered.select(_NUMBER).unique().collect(engine="streaming")[_NUMBER]
    answers = answer(numbers.requests(distinct)).with_columns(distinct)
    kept = numbered.drop((name for name in answers.columns if name != _NUMBER), strict=False)
    return kept.join(answers.lazy(), on=_NUMBER, how="left", maintain_order="left").drop(_NUMBER)


class Span(NamedTuple):
    """The least and the greatest whole number of a column, and whether null occurs, which counts as one number more."""

    first: int
    last: int
    has_null: bool

    @property
    def size(self) -> int:
        """How many values there may be."""
        return self.last - self.first + 1 + self.has_null


class Numbering(NamedTuple):
    """One digit for each column, of as many values as may occur in it; a column of one value needs none."""

    texts: dict[str, pl.Series]
    """The distinct texts of a column, null last where it occurs."""
    days: dict[str, Span]
    """Of `start` the days since 1970-01-01, of `end` those since the start (since 1970-01-01 where that is null)."""

    @property
    def number(self) -> pl.Expr:
        """The integer of a row, by Horner's rule over its digits."""
        digits = [(size, self._digit(name)) for name, size in self._sizes.items() if size > 1]
        # Where no column varies, the rows still have to be counted: an integer for each, not one for all.
        nothing = pl.lit(0, self._type) if digits else pl.repeat(0, pl.len(), dtype=self._type)
        return reduce(lambda number, digit: number * digit[0] + digit[1], digits, nothing).alias(_NUMBER)

    @property
    def size(self) -> int:
        """How many integers there are."""
        return prod(self._sizes.values())

    def requests(self, numbers: pl.Series) -> pl.DataFrame:
        """The requests behind these integers, with `KEY_COLUMNS`; a column that the frame did not have is null."""
        columns = {name: pl.repeat(None, len(numbers), eager=True) for name in KEY_COLUMNS}
        for name, size in reversed(self._sizes.items()):
            parts = pl.select(digit=(pl.lit(numbers) % size).cast(pl.Int64), rest=pl.lit(numbers) // size)
            columns[name], numbers = self._values(name, parts["digit"]), parts["rest"]
        found = pl.DataFrame(columns)
        dates = {"start": pl.col("start"), "end": pl.col("end") + pl.col("start").fill_null(0)}
        return found.with_columns(
            day.cast(pl.Int32).cast(pl.Date).alias(name) for name, day in dates.items() if name in self.days
        ).cast(KEY_COLUMNS)  # type: ignore[arg-type]

    @property
    def _sizes(self) -> dict[str, int]:
        return {name: len(values) for name, values in self.texts.items()} | {
            name: span.size for name, span in self.days.items()
        }

    @property
    def _type(self) -> type[pl.DataType]:
        return next(dtype for bits, dtype in ((31, pl.Int32), (63, pl.Int64), (127, pl.Int128)) if self.size < 2**bits)

    def _digit(self, name: str) -> pl.Expr:
        if name in self.texts:
            codes = pl.Enum(self.texts[name].drop_nulls())
            code = pl.col(name).cast(pl.String).cast(codes).to_physical()
            return code.cast(self._type).fill_null(len(codes.categories))
        span = self.days[name]
        digit = _day(name).cast(self._type) - span.first
        return digit.fill_null(span.size - 1) if span.has_null else digit

    def _values(self, name: str, digits: pl.Series) -> pl.Series:
        if name in self.texts:
            return self.texts[name].gather(digits)
        span = self.days[name]
        is_null = (digits == span.size - 1) & span.has_null
        return (digits + span.first).set(is_null, None)


def numbering(requests: pl.LazyFrame) -> Numbering:
    """The numbering of all requests of a frame: reads their distinct texts and the ranges of their days."""
    known = [name for name in KEY_COLUMNS if name in requests.collect_schema()]
    names = [name for name in known if KEY_COLUMNS[name] == pl.String]
    days = [name for name in known if KEY_COLUMNS[name] == pl.Date]
    seen = requests.select(
        *(pl.col(name).eq_missing(pl.col(name).first()).all() for name in names),
        *(pl.struct(_day(name).min(), last=_day(name).max(), nulls=_day(name).null_count()) for name in days),
    ).collect(engine="streaming")
    # A column of one text, as most are, is compared several times as fast as it is hashed.
    texts = pl.collect_all([_distinct(requests, name, only=seen[name].item()) for name in names], engine="streaming")
    return Numbering(
        {name: found.to_series().sort(nulls_last=True) for name, found in zip(names, texts, strict=True)},
        {name: _span(*seen[name].item().values()) for name in days},
    )


# --- Helpers ----------------------------------------------------------------------------------------------------------


def _day(name: str) -> pl.Expr:
    """The number of a day; an end counts from its start, since there are fewer lengths than days."""
    day = pl.col(name).to_physical()
    return day - pl.col("start").to_physical().fill_null(0) if name == "end" else day


def _distinct(requests: pl.LazyFrame, name: str, *, only: bool) -> pl.LazyFrame:
    text = requests.select(pl.col(name).cast(pl.String))
    return text.head(1) if only else text.unique()


def _span(first: int | None, last: int | None, nulls: int) -> Span:
    """The span of a column; one of nulls only has that value only."""
    return Span(0, -1, has_null=True) if first is None or last is None else Span(first, last, nulls > 0)


def _found(numbers: pl.Series, numbering: Numbering, answer: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """The answer to each of the numbers, in order."""
    if numbering.size > max(FEW, FLAGS_PER_ROW * len(numbers)):
        distinct = numbers.unique()
        answers = answer(numbering.requests(distinct)).with_columns(distinct)
        return numbers.to_frame().join(answers, on=_NUMBER, how="left", maintain_order="left").drop(_NUMBER)
    occurs = np.zeros(numbering.size, dtype=np.bool_)
    occurs[numbers.to_numpy()] = True
    place = np.cumsum(occurs, dtype=np.uint32)
    place -= 1
    answers = answer(numbering.requests(pl.Series(_NUMBER, np.flatnonzero(occurs))))
    return gathered(answers, pl.Series(place[numbers.to_numpy()]))
