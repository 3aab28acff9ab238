"""Rules across currencies: `m.rate` is the reference rate of the period of figures, with bounds, method and origin."""

from datetime import date
from fractions import Fraction as F

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import zhiji_etl as zj
from zhiji_etl.errors import RuleError
from zhiji_etl.rates import QUOTE_COLUMNS

ECB = "ECB euro foreign exchange reference rates"
SCHEMA = """
import zhiji_etl as zj


class CompanyYear(zj.Table):
    revenue: float = zj.Quantity("CNY", ge=0)
    revenue_usd: float = zj.Quantity("USD", ge=0)

    @zj.rule
    def in_dollars(m):
        return m.revenue == m.revenue_usd * m.rate("USD", "CNY")
"""


def frame(*rows: tuple[str, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["entity", "metric", "period", "printed"], orient="row")


def pair(period: str, cny: str, usd: str, entity: str = "A") -> tuple[tuple[str, ...], ...]:
    return (entity, "revenue", period, cny), (entity, "revenue_usd", period, usd)


def in_dollars(m):
    return m.revenue == m.revenue_usd * m.rate("USD", "CNY")


def only(found, **which) -> dict:
    (row,) = found.frame.filter(**which).to_dicts()
    return row


@settings(max_examples=25)
@given(
    st.integers(10_000, 99_999), st.integers(68_000, 71_000), st.sampled_from(["2018", "2019", "2019Q3", "2020-03-31"])
)
def test_bounds_are_those_of_exact_arithmetic(usd: int, per_dollar: int, period: str):
    cny = usd * per_dollar // 10_000
    found = zj.check(frame(*pair(period, f"RMB{cny:,} million", f"US${usd:,} million")), in_dollars)
    row = only(found, kind="rule")
    method = "period_end" if "-" in period else "average"
    rate = zj.Rates.ecb().rate("USD", "CNY", period, method)
    # A figure with trailing zeros is wider than one step: the oracle takes the bounds as they are read.
    said = {one["metric"]: one for one in found.figures.to_dicts()}
    dollars, yuan = said["revenue_usd"], said["revenue"]
    low, high = F(repr(dollars["low"])) * F(rate.low), F(repr(dollars["high"])) * F(rate.high)
    meets = F(repr(yuan["low"])) <= high and low <= F(repr(yuan["high"]))
    assert (row["verdict"] != "inconsistent") == meets
    if yuan["step"] == yuan["step_max"] and dollars["step"] == dollars["step_max"]:
        assert row["implied_low"] == pytest.approx(float(low), rel=1e-12)
        assert row["implied_high"] == pytest.approx(float(high), rel=1e-12)


def test_the_finding_names_rate_method_and_origin():
    found = zj.check(frame(*pair("2019", "RMB843.2 billion", "US$122.0714 billion")), in_dollars)
    row = only(found, kind="rule")
    assert row["verdict"] == "consistent"
    assert row["message"].endswith(f"they agree. 1 USD = 6.90537 to 6.90922 CNY, average of 2019 ({ECB}).")


@pytest.mark.parametrize(
    ("period", "method", "told"),
    [
        ("2019", "period_end", "1 USD = 6.9611 to 6.96181 CNY, period_end of 2019"),
        ("2020-03-31", None, "1 USD = 7.0993 to 7.10004 CNY, period_end of 2020-03-31"),
        ("FY2020", "sum_of_quarters", "CNY, sum_of_quarters of 2020"),
        ("2019Q1", None, "CNY, average of 2019Q1"),
    ],
)
def test_methods(period: str, method: str | None, told: str):
    def rated(m):
        return m.revenue == m.revenue_usd * m.rate("USD", "CNY", method)

    row = only(zj.check(frame(*pair(period, "RMB843.2 billion", "US$122.0714 billion")), rated), kind="rule")
    assert told in row["message"]


def test_which_of_several_methods_fits():
    def either(m):
        rated = {name: m.revenue == m.revenue_usd * m.rate("USD", "CNY", name) for name in ("average", "period_end")}
        return zj.either(**rated)

    found = zj.check(frame(*pair("2019", "RMB849.8 billion", "US$122.0714 billion")), either)
    row = only(found, kind="rule")
    assert (row["verdict"], row["reading"]) == ("consistent", "period_end")
    assert "period_end of 2019" in row["message"]
    assert only(found, rule="either.average")["verdict"] == "inconsistent"


def test_the_rate_of_another_period():
    def before(m):
        return m.revenue == m.previous.revenue_usd * m.previous.rate("USD", "CNY")

    rows = [("A", "revenue", "2019", "RMB661.6 billion"), ("A", "revenue_usd", "2018", "US$100.00 billion")]
    row = only(zj.check(frame(*rows), before), kind="rule", period="2019")
    assert row["verdict"] == "consistent"
    assert "average of 2018" in row["message"]


def test_the_other_direction():
    def turned(m):
        return m.revenue_usd == m.revenue * m.rate("CNY", "USD")

    straight = only(zj.check(frame(*pair("2019", "RMB843.2 billion", "US$122.07 billion")), in_dollars), kind="rule")
    back = only(zj.check(frame(*pair("2019", "RMB843.2 billion", "US$122.07 billion")), turned), kind="rule")
    assert straight["verdict"] == back["verdict"] == "consistent"
    assert back["unit"] == "USD"


def test_no_rate_is_said_with_its_reason():
    def in_taiwan(m):
        return m.revenue_twd == m.revenue_usd * m.rate("USD", "TWD")

    rows = [("A", "revenue_twd", "2019", "TWD 3,100 billion"), ("A", "revenue_usd", "2019", "US$100.0 billion")]
    row = only(zj.check(frame(*rows), in_taiwan), kind="rule")
    assert (row["verdict"], row["reason"]) == ("not_checkable", "missing_reference")
    assert "No rate of USD in TWD, average of 2019: no series for TWD." in row["message"]


def test_a_rate_that_is_there_is_not_blamed():
    def mixed(m):
        return m.revenue == m.of("B").revenue_usd * m.rate("USD", "CNY")

    rows = frame(("A", "revenue", "2019", "RMB5 billion"), ("B", "revenue_usd", "2018", "US$5"))
    row = only(zj.check(rows, mixed), kind="rule", period="2019")
    assert (row["verdict"], row["reason"]) == ("not_checkable", "missing_reference")
    assert "1 USD" not in row["message"]


def test_before_a_series_begins():
    row = only(zj.check(frame(*pair("2004", "RMB843.2 billion", "US$122.07 billion")), in_dollars), kind="rule")
    assert row["reason"] == "missing_reference"
    assert "quoted from 2005-04-01" in row["message"]


def test_a_missing_figure_is_implied_through_the_rate():
    found = zj.check(
        frame(("A", "revenue_usd", "2019", "US$122.0714 billion"), *pair("2019", "RMB1", "US$1", "B")), in_dollars
    )
    rate = zj.Rates.ecb().rate("USD", "CNY", "2019", "average")
    (implied,) = found.implied.to_dicts()
    assert (implied["entity"], implied["metric"], implied["unit"]) == ("A", "revenue", "CNY")
    assert implied["low"] == pytest.approx(122.07135e9 * float(rate.low))
    assert implied["high"] == pytest.approx(122.07145e9 * float(rate.high))


def test_a_rate_is_nobody_s_figure():
    found = zj.check(frame(*pair("2019", "RMB843.7 billion", "US$12.20714 billion")), in_dollars)
    row = only(found, kind="rule")
    assert row["verdict"] == "inconsistent"
    assert {change["metric"] for change in row["resolved_by"]} == {"revenue", "revenue_usd"}
    assert found.frame.filter(kind="conflict").is_empty()
    assert len(row["figures"]) == 2


def test_a_rule_about_named_entities():
    def named(m):
        group = m.of("A")
        return group.revenue == group.revenue_usd * group.rate("USD", "CNY")

    rows = (*pair("2019", "RMB843.2 billion", "US$122.0714 billion"), ("B", "revenue", "2018", "RMB5 billion"))
    found = zj.check(frame(*rows), named).frame.filter(kind="rule")
    assert found.select("entity", "period", "verdict").rows() == [("A", "2019", "consistent")]


def test_a_printed_rate_against_the_reference():
    def printed(m):
        return m.printed_rate == m.rate("USD", "CNY", "period_end")

    rows = pl.DataFrame(
        {
            "entity": ["A", "B"],
            "metric": "printed_rate",
            "period": "2019",
            "value": [6.9618, 6.59],
            "step": [1e-4, 1e-2],
            "unit": "CNY/USD",
        }
    )
    found = zj.check(rows, printed).frame.filter(kind="rule")
    assert dict(found.select("entity", "verdict").rows()) == {"A": "consistent", "B": "inconsistent"}


def test_a_metric_may_be_called_rate():
    def doubled(m):
        return m.twice == m.rate + m.rate

    rows = pl.DataFrame(
        {"entity": "A", "metric": ["rate", "twice"], "period": "2019", "value": [2.25, 4.5], "step": 0.01}
    )
    assert only(zj.check(rows, doubled), kind="rule")["verdict"] == "consistent"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("yuan", "USD"), "'yuan' is no currency"),
        (("USD", "USD"), "from USD to USD"),
        (("USD", "CNY", "mean"), "'mean' is no method of a rate. Hint: known are spot"),
        (("USD", "CNY", "fixed"), "'fixed' is no method"),
    ],
)
def test_what_is_no_rate(arguments: tuple[str, ...], words: str):
    with pytest.raises(RuleError) as refused:
        zj.check(frame(*pair("2019", "RMB1", "US$1")), lambda m: m.revenue == m.revenue_usd * m.rate(*arguments))
    assert refused.value.code == "rule_rate"
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "mixed",
    [
        lambda m: m.revenue == m.revenue_usd,
        lambda m: m.revenue == m.revenue - m.revenue_usd,
        lambda m: m.revenue == m.revenue_usd * m.rate("CNY", "USD"),
        lambda m: m.revenue == m.revenue_usd / m.rate("USD", "CNY"),
        lambda m: m.revenue == m.revenue_usd * m.rate("EUR", "CNY"),
    ],
)
def test_currencies_do_not_mix_silently(mixed):
    with pytest.raises(RuleError) as refused:
        zj.check(frame(*pair("2019", "RMB1", "US$1")), mixed)
    assert refused.value.code == "rule_dimension"


def test_the_hint_says_how():
    with pytest.raises(RuleError, match=r'm\.rate\("USD", "CNY"\)'):
        zj.check(frame(*pair("2019", "RMB1", "US$1")), lambda m: m.revenue == m.revenue_usd)


def test_a_run_writes_the_rates_that_its_rules_used(project):
    folder = project("A,revenue,2019,RMB843.2 billion\nA,revenue_usd,2019,US$122.0714 billion\n", "", SCHEMA)
    first = zj.Project(folder).run()
    assert first.rates.schema == QUOTE_COLUMNS
    assert set(first.rates["quote"]) == {"CNY", "USD"}
    assert first.rates["date"].max() == date(2019, 12, 31)
    (folder / "used.parquet").write_bytes((first.path / "rates.parquet").read_bytes())
    (folder / "zhiji.toml").write_text('rates = ["used.parquet"]\n', encoding="utf-8")
    assert zj.Project(folder).run().findings.equals(first.findings)


def test_rates_of_a_project_come_first(project):
    folder = project("A,revenue,2019-06-03,RMB800 billion\nA,revenue_usd,2019-06-03,US$100.0 billion\n", "", SCHEMA)
    (folder / "own.csv").write_text("date,base,quote,rate,source\n2019-06-03,USD,CNY,8.00,A bank\n", encoding="utf-8")
    (folder / "zhiji.toml").write_text('rates = ["own.csv"]\n', encoding="utf-8")
    (row,) = zj.Project(folder).run().findings.filter(rule="in_dollars").to_dicts()
    assert row["verdict"] == "consistent"
    assert "1 USD = 7.995 to 8.005 CNY, period_end of 2019-06-03 (A bank)." in row["message"]


def test_nothing_is_asked_where_no_rule_asks():
    found = zj.check(frame(*pair("2019", "RMB1", "US$1")), lambda m: m.revenue <= m.revenue)
    assert found.frame.get_column("message").str.contains("1 USD").sum() == 0
