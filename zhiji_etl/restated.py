"""The rates that printed pairs imply, each beside the reference rate of every method.

In: the findings and figures of a run. Out: plain dictionaries, which every face shows as it likes. A rate `CNY/USD` is
in CNY for one USD; an end that is not bounded is infinite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import polars as pl

from zhiji_etl.figures import Verdict


def implied_rates(findings: pl.DataFrame, figures: pl.DataFrame) -> list[dict[str, Any]]:
    """The rate that each printed pair implies, by source, beside the reference rate of each method.

    `fits` is true where some method does, false where none does, null where the print is too coarse to tell or there is
    no rate. In: FINDING_COLUMNS and FIGURE_COLUMNS of a run.
    """
    found = findings.filter(pl.col("kind") == "implied_rate").with_columns(figure_id=pl.col("figures").list.first())
    placed = found.join(figures.select("figure_id", "source", "locator", "metric"), on="figure_id", how="inner")
    ordered = placed.sort("source", "figure_id", "rule").to_dicts()
    return [_implied(list(rows)) for _, rows in groupby(ordered, key=lambda row: row["figure_id"])]


# ------------------------------------------------------------------------------------------------------------- helpers


def _implied(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One pair from its findings, one for each method."""
    first = rows[0]
    methods = {
        row["rule"].split(".", 1)[1]: {
            "low": row["implied_low"],
            "high": row["implied_high"],
            "fits": _fits([row["verdict"]]),
        }
        for row in rows
    }
    named = {name: first[name] for name in ("source", "locator", "entity", "metric", "period")}
    return {
        **named,
        "pair": first["unit"],
        "low": first["stated_low"],
        "high": first["stated_high"],
        "fits": _fits([row["verdict"] for row in rows]),
        "methods": methods,
    }


def _fits(verdicts: Sequence[str]) -> bool | None:
    if Verdict.CONSISTENT.value in verdicts:
        return True
    return False if set(verdicts) == {Verdict.INCONSISTENT.value} else None
