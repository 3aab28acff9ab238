"""An amount in the wrong currency is named, where the rate of its period explains it."""

import polars as pl
import pytest

import zhiji_etl as zj


@zj.rule
def total(m):
    """Two parts make the total."""
    return m.total == m.home + m.abroad


def resolved(*printed: str) -> dict[str, str | None]:
    rows = [("A", metric, "2019", text) for metric, text in zip(("total", "home", "abroad"), printed, strict=True)]
    frame = pl.DataFrame(rows, ["entity", "metric", "period", "printed"], orient="row")
    found = zj.check(frame, total).frame.filter(kind="rule").row(0, named=True)
    return {change["metric"]: change["pattern"] for change in found["resolved_by"] or []}


@pytest.mark.parametrize(
    ("abroad", "pattern"),
    [("RMB 434.2 million", "currency_USD"), ("RMB 3,000 million", None)],
)
def test_dollars_printed_as_yuan(abroad, pattern):
    # 434.2 million dollars were 3.0 billion yuan in 2019.
    told = resolved("RMB 10,003 million", "RMB 7,003.1 million", abroad)
    assert told.get("abroad") == pattern


def test_a_change_that_another_slip_explains_keeps_it():
    assert resolved("RMB 10,003 million", "RMB 7,003.1 million", "RMB 30.0 million")["abroad"] == "factor_1e2"


def test_counts_have_no_currency():
    assert "currency_USD" not in resolved("10,003 vehicles", "7,003 vehicles", "434 vehicles").values()
