"""Columns whose cells have captions of their own: each is read with what its caption says of scale and unit.

In: printed texts, captions (`million USD`, `percent`; null: as the table says) and declared decimals, as String
expressions or series. Out: the same of Structs of `figures.PARSED_FIELDS`; elementwise, so that they stream.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from zhiji_etl.errors import FigureError
from zhiji_etl.figures import PARSED
from zhiji_etl.reading.cells import options
from zhiji_etl.reading.columns import parse_series


def parse_captioned(
    printed: pl.Expr, caption: pl.Expr, decimals: pl.Expr, *, scale: str | None, unit: str | None, **told: Any
) -> pl.Expr:
    """Each text as a struct of `figures.PARSED_FIELDS`, with its caption as `unit`, else with `scale` and `unit`.

    `told` are the other options of `parse`. A caption that cannot be read gives its rows the code `unknown_caption`.
    """

    def read(batch: pl.Series) -> pl.Series:
        """Each text of a batch under its own caption."""
        return captioned_series(*(batch.struct[at] for at in range(3)), scale=scale, unit=unit, **told)

    both = pl.struct(printed, caption.alias("its caption"), decimals.alias("declared decimals"))
    return both.map_batches(read, return_dtype=PARSED, is_elementwise=True)


def captioned_series(
    texts: pl.Series, captions: pl.Series, decimals: pl.Series, *, scale: str | None, unit: str | None, **told: Any
) -> pl.Series:
    """The same of series, outside of any plan: there the threads of Polars are free for it."""
    if captions.null_count() == captions.len():
        return parse_series(texts, decimals=decimals, scale=scale, unit=unit, **told)
    frame = pl.DataFrame({"text": texts, "caption": captions, "decimals": decimals}).with_row_index("at")
    parts = [_part(part, scale, unit, told) for part in frame.partition_by("caption", maintain_order=True)]
    return pl.concat(parts).sort("at").get_column("read")


# --------------------------------------------------------------------------------------------------


def _part(part: pl.DataFrame, scale: str | None, unit: str | None, told: dict[str, Any]) -> pl.DataFrame:
    """The rows of one caption, read."""
    caption = part.item(0, "caption")
    given = {"scale": scale, "unit": unit} if caption is None else {"scale": None, "unit": caption}
    try:
        options(told.get("currency"), given["scale"], given["unit"], told.get("decimal_comma", False))
    except FigureError as error:
        return part.select("at", read=_refused(error))
    return part.select("at").with_columns(read=parse_series(part["text"], decimals=part["decimals"], **given, **told))


def _refused(error: FigureError) -> pl.Expr:
    given = {"code": error.code, "reason": str(error)}
    fields = [pl.lit(given.get(field.name), field.dtype).alias(field.name) for field in PARSED.fields]
    return pl.struct(fields)
