"""The worked example: what a run of the reference project must conclude; exact fractions are the oracle."""

from fractions import Fraction as F

import polars as pl
import pytest

from zhiji_etl.pipeline import RunResult

SAIC, ALIBABA, ZHIJI = "SAIC Motor", "Alibaba Group", "Zhiji Motor"
FISCAL_YEAR = "2019-04-01/2020-03-31"

SHARE = (F("22.65"), F("22.75"))
SALES = (F("6237.5") * 1000, F("6238.5") * 1000)
OVERSEAS = (F(345_000), F(355_000))
MARKET = (F("25768.5") * 1000, F("25769.5") * 1000)


def share(part: tuple[F, F], whole: tuple[F, F]) -> tuple[F, F]:
    """The share of a part in a whole, in percent."""
    return 100 * part[0] / whole[1], 100 * part[1] / whole[0]


def bounds(finding: dict, side: str) -> tuple[float, float]:
    return finding[f"{side}_low"], finding[f"{side}_high"]


def near(ends: tuple[F, F]) -> object:
    return pytest.approx(tuple(map(float, ends)), rel=1e-12)


@pytest.fixture
def finding(reference_result: RunResult, found):
    def one(rule: str, entity: str, period: str) -> dict:
        told = [row for row in found(reference_result, rule) if row["kind"] != "conflict"]
        rows = [row for row in told if (row["entity"], row["period"]) == (entity, period)]
        assert len(rows) == 1
        return rows[0]

    return one


@pytest.fixture
def implied(reference_result: RunResult):
    def one(entity: str, metric: str, period: str) -> dict:
        mine = (pl.col("entity") == entity) & (pl.col("metric") == metric) & (pl.col("period") == period)
        return reference_result.implied.filter(mine).row(0, named=True)

    return one


def test_share_of_all_sales(finding):
    told = finding("share_vs_sales", SAIC, "2019")
    expected = share(SALES, MARKET)
    assert (told["verdict"], told["severity"]) == ("inconsistent", "warning")
    assert told["reading"] == "no admissible scope reconciles"
    assert bounds(told, "stated") == near(SHARE)
    assert bounds(told, "implied") == near(expected)
    assert [round(end, 3) for end in bounds(told, "implied")] == [24.205, 24.210]
    strain = (sum(expected) - sum(SHARE)) / (SHARE[1] - SHARE[0] + expected[1] - expected[0])
    assert told["strain"] == pytest.approx(float(strain))
    assert told["strain"] == pytest.approx(28.8, abs=0.05)
    assert told["gap_steps"] == pytest.approx(float((expected[0] - SHARE[1]) / F("0.1")))
    assert told["gap_steps"] == pytest.approx(14.55, abs=0.005)
    assert told["gap_relative"] == pytest.approx(float((expected[0] - SHARE[1]) / F("22.7")))


def test_share_of_domestic_sales(finding):
    told = finding("share_vs_sales.domestic_sales", SAIC, "2019")
    domestic = (SALES[0] - OVERSEAS[1], SALES[1] - OVERSEAS[0])
    expected = share(domestic, MARKET)
    assert told["verdict"] == "inconsistent"
    assert bounds(told, "implied") == near(expected)
    assert [round(end, 2) for end in bounds(told, "implied")] == [22.83, 22.87]
    assert told["strain"] == pytest.approx(2.1, abs=0.05)
    assert told["gap_steps"] == pytest.approx(float((expected[0] - SHARE[1]) / F("0.1")))
    assert round(told["gap_steps"], 1) == 0.8
    assert told["reading"] == "overseas_sales to the nearest 10000"


def test_what_would_resolve_the_share(finding):
    changes = finding("share_vs_sales", SAIC, "2019")["resolved_by"]
    by_figure = {(change["entity"], change["metric"]): (change["low"], change["high"]) for change in changes}
    assert by_figure == {
        (SAIC, "market_share"): near(share(SALES, MARKET)),
        (SAIC, "vehicle_sales"): near((SHARE[0] * MARKET[0] / 100, SHARE[1] * MARKET[1] / 100)),
        ("China market", "vehicle_sales"): near((100 * SALES[0] / SHARE[1], 100 * SALES[1] / SHARE[0])),
    }
    market = by_figure["China market", "vehicle_sales"]
    assert [round(end / 1e6, 2) for end in market] == [27.42, 27.54]


@pytest.mark.parametrize(
    ("metric", "now", "growth", "as_printed"),
    [
        ("nev_sales", (184_500, 185_500), ("30.35", "30.45"), (141_433, 142_309)),
        ("overseas_sales", (345_000, 355_000), ("26.45", "26.55"), (272_620, 280_743)),
    ],
)
def test_growth_implies_the_year_before(finding, implied, metric, now, growth, as_printed):
    rule = {"nev_sales": "nev_growth", "overseas_sales": "overseas_growth"}[metric]
    told, found = finding(rule, SAIC, "2019"), implied(SAIC, metric, "2018")
    assert (told["verdict"], told["reason"]) == ("not_checkable", "missing_operand")
    slowest, fastest = (1 + F(rate) / 100 for rate in growth)
    assert (found["low"], found["high"]) == near((now[0] / fastest, now[1] / slowest))
    assert (round(found["low"]), round(found["high"])) == as_printed
    assert found["unit"] == "vehicle"


@pytest.mark.parametrize(
    ("rule", "entity", "period"),
    [
        ("nev_within_sales", SAIC, "2019"),
        ("overseas_within_sales", SAIC, "2019"),
        ("auto_rank_within_rank", SAIC, "2020"),
        ("retail_within_volume", ALIBABA, FISCAL_YEAR),
    ],
)
def test_parts_within_wholes(finding, rule, entity, period):
    assert finding(rule, entity, period)["verdict"] == "consistent"


def test_retail_in_dollars_by_the_stated_method(finding):
    told = finding("china_retail_gmv_in_USD", ALIBABA, FISCAL_YEAR)
    assert (told["verdict"], told["reading"]) == ("consistent", "sum_of_quarters")
    assert bounds(told, "stated") == (944.5e9, 945.5e9)


def test_rate_of_retail_by_each_method(finding):
    printed = (F("6588.5") / F("945.5"), F("6589.5") / F("944.5"))
    quoted = finding("china_retail_gmv_rate.average_quoted", ALIBABA, FISCAL_YEAR)
    assert quoted["verdict"] == "consistent"
    assert bounds(quoted, "stated") == near(printed)
    assert [round(end, 4) for end in bounds(quoted, "stated")] == [6.9683, 6.9767]
    assert [round(end, 3) for end in bounds(quoted, "implied")] == [6.967, 6.969]
    at_end = finding("china_retail_gmv_rate.period_end", ALIBABA, FISCAL_YEAR)
    assert at_end["verdict"] == "inconsistent"
    assert at_end["implied_low"] < 7.0997 < at_end["implied_high"]
    quarters = finding("china_retail_gmv_rate.sum_of_quarters", ALIBABA, FISCAL_YEAR)
    assert quarters["verdict"] == "consistent"
    assert [round(end, 2) for end in bounds(quarters, "implied")] == [6.82, 7.04]


def test_retail_in_dollars_by_each_method(reference_result, found):
    methods = ("average", "average_quoted", "period_end", "sum_of_quarters")
    rows = {name: found(reference_result, f"china_retail_gmv_in_USD.{name}", "alternative") for name in methods}
    verdicts = {name: [row["verdict"] for row in given] for name, given in rows.items()}
    # The calendar average misses by a third of a last digit; the source itself says that it summed quarters.
    assert verdicts == {
        "average": ["inconsistent"],
        "average_quoted": ["consistent"],
        "period_end": ["inconsistent"],
        "sum_of_quarters": ["consistent"],
    }


def test_one_digit_cannot_tell(finding):
    told = finding("gmv_in_USD", ALIBABA, FISCAL_YEAR)
    assert told["verdict"] == "too_imprecise"
    assert bounds(told, "stated") == (0.5e12, 1.5e12)
    average = finding("gmv_in_USD.average_quoted", ALIBABA, FISCAL_YEAR)
    low, high = bounds(average, "implied")
    assert 1.011e12 < low < high < 1.0125e12
    assert average["mde"] == pytest.approx(max(1.5e12 / low - 1, 1 - 0.5e12 / high))
    assert average["mde"] == pytest.approx(0.506, abs=5e-4)


def test_over_ten_billion_yuan(finding):
    told = finding("capital_raised_in_USD", ZHIJI, "2020")
    assert told["verdict"] == "consistent"
    assert bounds(told, "stated") == (10e9, float("inf"))
    assert [round(end / 1e9, 2) for end in bounds(told, "implied")] == [9.89, 10.03]


def test_revenue_was_not_printed_in_yuan(finding, implied):
    told, found = finding("revenue_in_CNY", SAIC, "2019"), implied(SAIC, "revenue", "2019")
    assert (told["verdict"], told["reason"]) == ("not_checkable", "missing_operand")
    assert found["unit"] == "CNY"
    assert found["low"] < 843.7e9 < found["high"]
    assert found["high"] / found["low"] < 1.001


def test_share_of_retail_is_implied(implied):
    found = implied(ALIBABA, "china_retail_share", FISCAL_YEAR)
    expected = share((F("6588.5"), F("6589.5")), (F("7052.5"), F("7053.5")))
    assert (found["low"], found["high"]) == near(expected)
    assert [round(found[end], 2) for end in ("low", "high")] == [93.41, 93.43]
    assert found["unit"] == "percent"


def test_counts_of_the_run(reference_result):
    assert reference_result.rejects.height == 0
    assert reference_result.verdicts() == {
        "consistent": 6,
        "inconsistent": 1,
        "too_imprecise": 1,
        "not_checkable": 4,
    }
    assert reference_result.findings["finding_id"].is_unique().all()


def test_stock_code_is_text(reference_result):
    assert reference_result.tables["company_year"]["stock_code"].unique().to_list() == ["600104"]
    assert "600104" not in reference_result.figures["printed"].to_list()
