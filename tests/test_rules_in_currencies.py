"""Rules over several periods are judged in the currency of the print."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import zhiji_etl as zj

SCHEMA = """
import zhiji_etl as zj


class CompanyYear(zj.Table):
    revenue: float = zj.Quantity("{unit}"{options})
    cost: float = zj.Quantity("{unit}"{options})
    growth: float = zj.Quantity("percent")
    margin: float = zj.Quantity("percent")

    @zj.rule
    def grows(m):
        return m.growth == m.revenue / m.previous.revenue - 1

    @zj.rule
    def leaves(m):
        return m.margin == 1 - m.cost / m.revenue
"""
IN_YUAN = SCHEMA.format(unit="CNY", options=', fx="average"')
IN_DOLLARS = SCHEMA.format(unit="USD", options="")


def verdicts(result) -> dict[str, str]:
    rules = result.findings.filter(pl.col("rule") == "grows", pl.col("kind") == "rule")
    return dict(rules.select("entity", pl.col("verdict").cast(pl.String)).iter_rows())


def test_growth_of_dollars_is_that_of_dollars(run):
    made = random.Random(1)
    rows = []
    for company in range(80):
        before, after = made.randint(10_000, 99_999), made.randint(10_000, 99_999)
        growth = 100 * (after / before - 1) + made.choice([0, 0, 0.02, 0.4, -3])
        rows += [
            f"C{company},revenue,2020,US${before / 100:.2f} million",
            f"C{company},revenue,2021,US${after / 100:.2f} million",
            f"C{company},growth,2021,{growth:.1f}%",
        ]
    table = "entity,metric,period,printed\n" + "\n".join(rows) + "\n"
    converted, printed = (verdicts(run(table, schema=schema)) for schema in (IN_YUAN, IN_DOLLARS))
    assert len(converted) == len(printed) == 80
    assert {one for one, verdict in converted.items() if verdict == "inconsistent"} <= {
        one for one, verdict in printed.items() if verdict == "inconsistent"
    }
    assert sum(converted[one] == printed[one] for one in printed) >= 76
    assert {"consistent", "inconsistent"} <= {*converted.values()}


WRONG = """entity,metric,period,printed
A,revenue,2020,US$100.00 million
A,revenue,2021,US$110.00 million
A,growth,2021,14.0%
B,revenue,2021,US$110.00 million
B,growth,2021,14.0%
"""


def test_a_finding_says_in_which_currency(run, found):
    result = run(WRONG, schema=IN_YUAN)
    wrong, lacking = found(result, "grows", "rule")
    assert wrong["message"].endswith("last digits apart. Judged in USD, as printed.")
    revenue = next(one for one in wrong["resolved_by"] if one["metric"] == "revenue" and one["period"] == "2020")
    assert (revenue["unit"], revenue["low"]) == ("USD", pytest.approx(96.44e6, rel=1e-3))
    assert lacking["reason"] == "missing_operand"
    assert result.findings.filter(kind="conflict").is_empty()
    assert result.implied.filter(pl.col("metric") == "revenue").is_empty()


MIXED = """entity,metric,period,printed
A,revenue,2020,RMB690.00 million
A,revenue,2021,US$110.00 million
A,growth,2021,2.8%
A,cost,2021,US$88.00 million
A,margin,2021,20.0%
"""


def test_where_currencies_differ_or_periods_do_not_amounts_count_as_converted(run, found):
    result = run(MIXED, schema=IN_YUAN)
    for rule in ("grows", "leaves"):
        (finding,) = (one for one in found(result, rule, "rule") if one["period"] == "2021")
        assert finding["verdict"] == "consistent"
        assert "Judged in" not in finding["message"]


QUARTERS = """
import zhiji_etl as zj


class CompanyYear(zj.Table):
    revenue: float = zj.Quantity("CNY", fx="average")
    growth: float = zj.Quantity("percent")
    share: float = zj.Quantity("percent")

    @zj.rule
    def grows(m):
        return m.growth == m.revenue / m.previous.revenue - 1

    @zj.rule
    def of_the_group(m):
        return m.share == m.revenue / m.of("Group").previous.revenue
"""


def test_shards_judge_in_the_same_currency(tmp_path: Path) -> None:
    """Also where the amount of another entity, in another shard, is printed in the same currency, or in another."""
    made = random.Random(3)
    rows = ["entity,metric,period,printed", "Group,revenue,2020,US$900.0 million", "Group,revenue,2019,RMB900 million"]
    for company in range(24):
        sign = made.choice(["US$", "RMB"])
        before, after = made.randint(1_000, 9_999), made.randint(1_000, 9_999)
        rows += [
            f"C{company},revenue,2020,{sign}{before / 10:.1f} million",
            f"C{company},revenue,2021,{sign}{after / 10:.1f} million",
            f"C{company},growth,2021,{100 * (after / before - 1) + made.choice([0, 4]):.1f}%",
            f"C{company},share,2021,{after / 90 * made.choice([1, 1.2]):.1f}%",
            f"C{company},share,2020,{before / 90:.1f}%",
        ]
    (tmp_path / "raw").mkdir()
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "companies.py").write_text(QUARTERS, encoding="utf-8")
    (tmp_path / "raw" / "companies.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    whole, *shards = (zj.Project(tmp_path).run(tmp_path / f"in_{number}", partitions=number) for number in (1, 2, 5))
    messages = whole.findings.get_column("message").str.contains("Judged in USD")
    assert 15 < messages.sum() < messages.len()
    assert {"consistent", "inconsistent"} <= set(whole.findings.get_column("verdict").cast(pl.String))
    for run in shards:
        for name, key in (("findings", ["finding_id"]), ("implied", ["entity", "metric", "period_start"])):
            frames = (pl.read_parquet(one.path / f"{name}.parquet").sort(key) for one in (whole, run))
            assert_frame_equal(*frames, rel_tol=1e-14, abs_tol=0)
