"""Rules over several periods are judged in the currency of the print."""

from __future__ import annotations

import random

import polars as pl
import pytest

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
