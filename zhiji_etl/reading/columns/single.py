"""Texts of a column that only the code of single texts can compute: once per distinct text.

In: texts, and for each its declared decimals. Out: rows of `figures.PARSED_FIELDS`.
"""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from zhiji_etl.errors import FigureError
from zhiji_etl.figures import AMOUNT_FIELDS, PARSED_FIELDS, Figure, Qualifier
from zhiji_etl.reading.cells import parse
from zhiji_etl.reading.columns.shapes import ambiguity

_NOT_NUMBERS: Final = frozenset({"low_closed", "high_closed", "qualifier", "unit"})


def parsed(texts: pl.Series, decimals: pl.Series | None, keywords: dict[str, Any]) -> tuple[pl.DataFrame, pl.Series]:
    """A table of the distinct texts as `parse` reads them, and for each text its line in it."""
    told = pl.select(text=texts, decimals=pl.lit(decimals, pl.Int32))
    distinct = told.unique(maintain_order=True).with_row_index("line")
    rows = [_row(text, declared, keywords) for _, text, declared in distinct.iter_rows()]
    lines = told.join(distinct, on=["text", "decimals"], how="left", nulls_equal=True, maintain_order="left")["line"]
    return pl.DataFrame(rows, schema=PARSED_FIELDS), lines


def figure_struct(figure: Figure) -> dict[str, Any]:
    """One figure as a row of the struct column."""
    row = _amount_struct(figure)
    row["restated"] = None if figure.restated is None else _amount_struct(figure.restated)
    row["ambiguous"] = ambiguity(tuple((reading.unit, reading.reason) for reading in figure.ambiguous))
    return row


def _row(text: str, decimals: int | None, keywords: dict[str, Any]) -> dict[str, Any]:
    try:
        return figure_struct(parse(text, decimals=decimals, **keywords))
    except FigureError as error:
        return {"code": error.code, "reason": str(error)}


def _amount_struct(figure: Figure) -> dict[str, Any]:
    numbers = {name: getattr(figure, name) for name in AMOUNT_FIELDS}
    floats = {name: float(value) for name, value in numbers.items() if name not in _NOT_NUMBERS and value is not None}
    return {**numbers, **floats, "qualifier": Qualifier(figure.qualifier).value}
