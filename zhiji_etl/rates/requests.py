"""Requests by number: millions of rows ask for few distinct rates, and one integer finds them fastest.

In: a frame with the columns of `REQUEST_COLUMNS`, and optionally `fixed_rate`. Out: an expression that gives each row
one integer, and the way back from integers to requests. Two requests have the same integer only if they are the same,
nulls included; joining on it takes a third of the time of a join on five columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import reduce
from math import prod
from typing import Final, TypeVar

import polars as pl

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

_NUMBER: Final = "__request_number"


def answered_once(requests: Frame, answer: Callable[[pl.DataFrame], pl.DataFrame]) -> Frame:
    """The rows of a frame with `REQUEST_COLUMNS`, in order, with the columns that `answer` gives added or replaced.

    `answer` is called once, with the distinct requests (KEY_COLUMNS), and gives a row for each of them, in order. A
    LazyFrame stays lazy, but its distinct requests are collected at once.
    """
    numbers = numbering(requests.lazy())
    numbered = requests.with_columns(numbers.number.alias(_NUMBER))
    distinct = numbered.lazy().select(_NUMBER).unique().collect(engine="streaming")[_NUMBER]
    answers = answer(numbers.requests(distinct)).with_columns(distinct)
    if isinstance(numbered, pl.DataFrame):
        # A join of the numbers alone, which keeps their order, copies no other column.
        found = numbered.select(_NUMBER).join(answers, on=_NUMBER, how="left", maintain_order="left")
        return numbered.with_columns(found).drop(_NUMBER)
    kept = numbered.drop((name for name in answers.columns if name != _NUMBER), strict=False)
    return kept.join(answers.lazy(), on=_NUMBER, how="left", maintain_order="left").drop(_NUMBER)


@dataclass(frozen=True)
class Numbering:
    """One digit for each column, of as many values as occur in it; a column of one value needs none."""

    texts: dict[str, pl.Series]
    """The distinct texts of a column, null last where it occurs."""
    dates: dict[str, pl.Series]
    """The first and the last date of a column."""

    @property
    def number(self) -> pl.Expr:
        """The integer of a row, by Horner's rule over its digits."""
        digits = [(size, self._digit(name)) for name, size in self._sizes.items() if size > 1]
        return reduce(lambda number, digit: number * digit[0] + digit[1], digits, pl.lit(0, self._type))

    def requests(self, numbers: pl.Series) -> pl.DataFrame:
        """The requests behind these integers, with `KEY_COLUMNS`; a column that the frame did not have is null."""
        columns = {name: pl.repeat(None, len(numbers), eager=True) for name in KEY_COLUMNS}
        for name, size in reversed(self._sizes.items()):
            parts = pl.select(digit=(pl.lit(numbers) % size).cast(pl.Int64), rest=pl.lit(numbers) // size)
            columns[name], numbers = self._values(name, parts["digit"]), parts["rest"]
        return pl.DataFrame(columns, schema=KEY_COLUMNS)

    @property
    def _sizes(self) -> dict[str, int]:
        texts = {name: len(values) for name, values in self.texts.items()}
        return texts | {name: _days(dates)[1] - _days(dates)[0] + 2 for name, dates in self.dates.items()}

    @property
    def _type(self) -> type[pl.DataType]:
        return pl.Int64 if prod(self._sizes.values()) < 2**63 else pl.Int128

    def _digit(self, name: str) -> pl.Expr:
        if name in self.texts:
            codes = pl.Enum(self.texts[name].drop_nulls())
            code = pl.col(name).cast(pl.String).cast(codes).to_physical()
            return code.cast(self._type).fill_null(len(codes.categories))
        return (pl.col(name).to_physical().cast(self._type) - _days(self.dates[name])[0]).fill_null(-1) + 1

    def _values(self, name: str, digits: pl.Series) -> pl.Series:
        if name in self.texts:
            return self.texts[name].gather(digits)
        days = digits.cast(pl.Int32) - 1 + _days(self.dates[name])[0]
        return days.cast(pl.Date).set(digits == 0, None)


def numbering(requests: pl.LazyFrame) -> Numbering:
    """The numbering of all requests of a frame: reads their distinct texts and the range of their dates."""
    known = [name for name in KEY_COLUMNS if name in requests.collect_schema()]
    names = [name for name in known if KEY_COLUMNS[name] == pl.String]
    days = [name for name in known if KEY_COLUMNS[name] == pl.Date]
    texts, first, last = pl.collect_all(
        [
            requests.select(pl.col(names).cast(pl.String)).unique(),
            requests.select(pl.col(days).min()),
            requests.select(pl.col(days).max()),
        ],
        engine="streaming",
    )
    ranges = pl.concat([first, last]).fill_null(date(1970, 1, 1))
    return Numbering(
        {name: texts[name].unique().sort(nulls_last=True) for name in names}, {name: ranges[name] for name in days}
    )


def _days(dates: pl.Series) -> list[int]:
    return dates.to_physical().to_list()
