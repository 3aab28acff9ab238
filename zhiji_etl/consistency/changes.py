"""Changes that would resolve a finding, and the slip that explains each.

In: figures (FIGURE_COLUMNS) and findings without id whose `resolved_by` has bounds. Out: the same findings with
`pattern` filled where a slip fits (see `patterns`). Units are those of the figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from math import isfinite
from typing import Any, Final

import polars as pl

from zhiji_etl.consistency.patterns import slips
from zhiji_etl.figures import FINDING_COLUMNS, Verdict

PATTERNED: Final = 2000
"""Inconsistent findings of one rule whose changes are searched for slips, one by one: the most strained come first."""

SAME_FIGURE: Final = ("entity", "metric", "period")


def with_patterns(findings: pl.DataFrame, figures: pl.DataFrame) -> pl.DataFrame:
    """The findings, rows in the same order, with the slips that would explain the changes that resolve them."""
    rows = findings.with_row_index("__row")
    wrong = rows.filter(
        pl.col("verdict").cast(pl.String) == Verdict.INCONSISTENT.value, pl.col("resolved_by").list.len() > 0
    )
    if wrong.is_empty():
        return findings
    chosen = wrong.sort("strain", descending=True, nulls_last=True).head(PATTERNED)
    numbers = chosen.get_column("figures").explode().unique().drop_nulls()
    known = {row["figure_id"]: row for row in figures.filter(pl.col("figure_id").is_in(numbers.implode())).to_dicts()}
    made = [_patterned(row, known) for row in chosen.select("figures", "resolved_by").iter_rows(named=True)]
    told = pl.Series("__told", made, dtype=FINDING_COLUMNS["resolved_by"])
    joined = rows.join(chosen.select("__row", told), on="__row", how="left", maintain_order="left")
    return joined.with_columns(resolved_by=pl.coalesce("__told", "resolved_by")).select(findings.columns)


def likely_slip(printed: Mapping[str, Any], low: float, high: float, base: float | None = None) -> str | None:
    """The most telling slip that turns what a figure must be into what is printed; null where none fits.

    `printed` is a row of figures, `base` the level in percent from which a change in percent is measured.
    """
    value, step = printed.get("value"), printed.get("step")
    if value is None or not step or not isfinite(value) or not _is_telling(low, high):
        return None
    ends = [Decimal(repr(end)) for end in (low, high)]
    level = None if base is None else Decimal(repr(base))
    found = slips(Decimal(repr(value)), Decimal(repr(step)), ends[0], ends[1], base=level)
    return found[0].name if found else None


def earlier_level(printed: Mapping[str, Any], fellows: Iterable[Mapping[str, Any]]) -> float | None:
    """The level that a change in percent is measured from: a fellow figure in percent of an earlier period, if any."""
    if printed.get("unit") != "percent":
        return None
    earlier = [
        fellow["value"]
        for fellow in fellows
        if fellow.get("unit") == "percent"
        and fellow.get("value")
        and fellow["metric"] != printed["metric"]
        and fellow["period_end"] < printed["period_end"]
    ]
    return earlier[0] if earlier else None


def _is_telling(low: float, high: float) -> bool:
    """Whether bounds are narrow enough to tell a slip: into wide or open ones some slip always leads."""
    return isfinite(low) and isfinite(high) and 0 <= high - low <= max(abs(low), abs(high)) / 2


def _patterned(row: Mapping[str, Any], known: Mapping[int, Mapping[str, Any]]) -> list[dict[str, Any]]:
    prints = [known[number] for number in row["figures"] if number in known]
    return [_with_pattern(change, prints) for change in row["resolved_by"]]


def _with_pattern(change: dict[str, Any], prints: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    mine = [one for one in prints if all(one[part] == change[part] for part in SAME_FIGURE)]
    if not mine or change["pattern"] is not None:
        return change
    level = earlier_level(mine[0], prints)
    return {**change, "pattern": likely_slip(mine[0], change["low"], change["high"], level)}
