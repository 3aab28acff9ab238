"""The verdicts as the faces show them: the worst first, each with a sign that tells it without its colour.

In: findings. Out: how many each verdict has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from zhiji_etl.figures import Verdict

SIGNS: Final[Mapping[str, str]] = {
    Verdict.INCONSISTENT.value: "✕",
    Verdict.TOO_IMPRECISE.value: "≈",
    Verdict.NOT_CHECKABLE.value: "?",
    Verdict.CONSISTENT.value: "✓",
}
"""By verdict, the worst first."""


def counts(findings: pl.DataFrame) -> dict[str, int]:
    """How many findings each verdict has, the worst first."""
    counted = dict(findings.group_by(pl.col("verdict").cast(pl.String)).len().iter_rows())
    return {verdict: counted.get(verdict, 0) for verdict in SIGNS}
