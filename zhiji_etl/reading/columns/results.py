"""Where the figures of a column are put together: numbers by their rows, words by the shapes that said them.

In: for some rows the fields of an amount, and for each row the words that go with it. Out: one Struct series of
`figures.PARSED_FIELDS` in the order of the rows.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhiji_etl.figures import AMOUNT_FIELDS, PARSED, PARSED_FIELDS
from zhiji_etl.reading.columns.shapes import WORDS

NUMBERS: Final = tuple(name for name, dtype in AMOUNT_FIELDS.items() if dtype == pl.Float64())
CLOSED: Final = ("low_closed", "high_closed")


class Results:
    """The figures of `length` texts, put in as they are found; a row without any stays null in all fields."""

    def __init__(self, length: int) -> None:
        self._amounts = {"main": _Numbers(length), "again": _Numbers(length)}
        self._words = [pl.DataFrame([(None,) * len(WORDS)], WORDS, orient="row")]
        self._said = np.zeros(length, np.int64)

    def say(self, rows: NDArray[Any], words: pl.DataFrame, codes: NDArray[Any]) -> None:
        """Gives each of these rows the line of `words` that its code names."""
        self._said[rows] = codes + sum(map(len, self._words))
        self._words.append(words)

    def put(self, rows: NDArray[Any], fields: pl.DataFrame, role: str = "main") -> None:
        """Puts the numbers of an amount in its rows; `again` is the amount that restates the main one."""
        self._amounts[role].put(rows, fields)

    def series(self, missing: pl.Series) -> pl.Series:
        """All rows, null where `missing`."""
        words = pl.concat(self._words)
        said = {name: _looked_up(words[name], self._said) for name in WORDS}
        again = self._amounts["again"]
        restated = again.struct({"qualifier": said["again_qualifier"], "unit": said["again_unit"]})
        if restated is not None and not again.everywhere:
            restated = pl.when(again.present).then(restated)
        fields = self._amounts["main"].fields() | said | {"restated": restated}
        whole = _struct(fields, PARSED_FIELDS)
        if missing.any():
            whole = pl.when(~missing).then(whole)
        return pl.select(result=whole)["result"] if len(missing) else pl.Series("result", [], PARSED)


class _Numbers:
    """The numbers of one amount for all rows. Not a number is null: no figure is one."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._columns: dict[str, NDArray[Any]] = {}

    def put(self, rows: NDArray[Any], fields: pl.DataFrame) -> None:
        """Puts the numbers of some rows."""
        for name in fields.columns:
            column = self._columns.get(name)
            if column is None:
                empty = np.zeros(self._length, np.bool_) if name in CLOSED else np.full(self._length, np.nan)
                column = self._columns.setdefault(name, empty)
            column[rows] = fields[name].to_numpy()

    @property
    def present(self) -> pl.Series:
        """Which rows have bounds."""
        return pl.Series(~np.isnan(self._columns["low"]))

    @property
    def everywhere(self) -> bool:
        """Whether all rows have bounds."""
        return not np.isnan(self._columns["low"]).any()

    def fields(self) -> dict[str, Any]:
        """The columns that any row has, by name."""
        if not self._columns:
            return {}
        numbers = {
            name: pl.Series(name, self._columns[name], nan_to_null=True) for name in NUMBERS if name in self._columns
        }
        present = None if self.everywhere else self.present
        for name in CLOSED:
            closed = pl.Series(name, self._columns[name])
            numbers[name] = closed if present is None else closed.set(~present, None)
        return numbers

    def struct(self, words: dict[str, Any]) -> pl.Expr | None:
        """All fields with these words as one struct; None where no row has an amount."""
        return _struct(self.fields() | words, AMOUNT_FIELDS) if self._columns else None


def _looked_up(words: pl.Series, said: NDArray[np.int64]) -> pl.Series | None:
    """The word of each row; nothing at all where no row has one."""
    return None if words.null_count() == len(words) else words.gather(said)


def _struct(fields: dict[str, Any], schema: dict[str, pl.DataType]) -> pl.Expr:
    return pl.struct([_column(fields.get(name), dtype).alias(name) for name, dtype in schema.items()])


def _column(values: Any, dtype: pl.DataType) -> pl.Expr:
    return values if isinstance(values, pl.Expr) else pl.lit(values, dtype)
