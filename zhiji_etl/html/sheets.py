"""The tables of the page as JSON: column by column, so that a hundred thousand rows stay small and quick to search.

In: frames of a run. Out: JSON text that is safe inside a script element. Texts that repeat are listed once and
numbered; an end that is not bounded is written 1e999, which every reader of JSON takes for infinity.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl
from markupsafe import Markup

LISTED: Final = 100_000
"""Rows of one table in the page; the Parquet file has all."""

FIGURES: Final = ("entity", "metric", "period", "printed", "low", "high", "unit", "source", "locator")
FINDINGS: Final = (
    *("verdict", "severity", "rule", "entity", "period", "stated_low", "stated_high", "implied_low", "implied_high"),
    *("unit", "gap_steps", "strain"),
)
IMPLIED: Final = ("entity", "metric", "period", "low", "high", "unit", "follows")
REJECTS: Final = ("source", "locator", "entity", "metric", "period", "printed", "code", "reason")


def sheet(frame: pl.DataFrame, columns: Sequence[str]) -> Markup:
    """The first LISTED rows: `{"rows": n, "columns": {name: [...] or {"texts": [...], "at": [...]}}}`."""
    listed = frame.head(LISTED)
    written = ",".join(f"{json.dumps(name)}:{_column(listed.get_column(name))}" for name in columns)
    return _safe(f'{{"rows":{listed.height},"columns":{{{written}}}}}')


def embedded(value: Mapping[str, Any]) -> Markup:
    """Plain data as JSON that is safe inside a script element."""
    return _safe(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def with_origins(implied: pl.DataFrame, figures: pl.DataFrame) -> pl.DataFrame:
    """The implied values with `follows`: the printed figures that bind them."""
    binding = pl.concat_list(pl.col("binding_low", "binding_high").fill_null([]))
    bound = implied.head(LISTED).with_row_index("__at")
    named = figures.select("figure_id", __name=pl.concat_str("entity", "metric", "printed", separator=" "))
    pairs = bound.select("__at", figure_id=binding.list.unique(maintain_order=True)).explode("figure_id")
    texts = pairs.join(named, on="figure_id", how="inner", maintain_order="left").group_by("__at", maintain_order=True)
    follows = texts.agg(follows=pl.col("__name").str.join("; "))
    return bound.join(follows, on="__at", how="left", maintain_order="left").drop("__at")


# ------------------------------------------------------------------------------------------------------------- helpers


def _column(column: pl.Series) -> str:
    if column.dtype.is_float():
        return _numbers(column)
    texts = column.cast(pl.String).fill_null("")
    different = texts.unique(maintain_order=True)
    if different.len() * 2 > texts.len():
        return _json(texts)
    numbered = different.to_frame("text").with_row_index("at")
    at = texts.to_frame("text").join(numbered, on="text", how="left", maintain_order="left").get_column("at")
    return f'{{"texts":{_json(different)},"at":{_json(at)}}}'


def _numbers(column: pl.Series) -> str:
    texts = (
        pl.when(column.is_finite()).then(column.cast(pl.String).str.strip_suffix(".0"))
        .when(column == float("inf")).then(pl.lit("1e999"))
        .when(column == float("-inf")).then(pl.lit("-1e999"))
        .otherwise(pl.lit("null"))
    )  # fmt: skip
    return f"[{pl.select(texts.str.join(',')).item() if column.len() else ''}]"


def _json(values: pl.Series) -> str:
    """A JSON list, written by Polars: several times as fast as one value after the other."""
    whole = pl.select(pl.struct(list=values.implode()).struct.json_encode()).item()
    return str(whole).removeprefix('{"list":').removesuffix("}")


def _safe(text: str) -> Markup:
    """No printed text may end the script element or begin a comment in it; the two line ends broke old scripts."""
    escaped = text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return Markup(escaped)
