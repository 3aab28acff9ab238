"""The reference projects of examples/: each run finds what its README says, and nothing else."""

import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import zhiji_etl as zj
from zhiji_etl.figures import Severity
from zhiji_etl.findings import at_or_above
from zhiji_etl.pipeline import RunResult

EXAMPLES = Path(__file__).parents[1] / "examples"
PROJECTS = ("annual_report", "quarterly_deliveries", "workbook_with_slips")

pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="examples/ stands in a checkout only")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], RunResult]:
    done: dict[str, RunResult] = {}

    def run(name: str) -> RunResult:
        if name not in done:
            copy = tmp_path_factory.mktemp("examples") / name
            shutil.copytree(EXAMPLES / name, copy, ignore=shutil.ignore_patterns("build"))
            done[name] = zj.Project(copy).run()
        return done[name]

    return run


def slips(result: RunResult) -> dict[tuple[str, str], set[str]]:
    """The inconsistent findings by rule and period, with the patterns that would explain them."""
    found = result.findings.filter(verdict="inconsistent")
    rows = found.select("rule", "period", pl.col("resolved_by").list.eval(pl.element().struct.field("pattern")))
    return {(rule, period): {one for one in patterns or () if one} for rule, period, patterns in rows.iter_rows()}


@pytest.mark.parametrize("name", PROJECTS)
def test_every_cell_is_a_figure(ran, name: str):
    result = ran(name)
    assert result.rejects.is_empty()
    assert result.figures["row_id"].n_unique() == result.raw_rows


@pytest.mark.parametrize("name", PROJECTS)
def test_all_say_that_they_are_made_up(name: str):
    assert "made up" in (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    for sidecar in (EXAMPLES / name / "raw").glob("*.toml"):
        assert "made up" in sidecar.read_text(encoding="utf-8")


def test_the_annual_report_adds_up_within_rounding(ran):
    result = ran("annual_report")
    main = result.findings.filter(pl.col("kind").is_in(["rule", "restatement"]))
    assert set(main["verdict"]) == {"consistent"}
    assert main.height == 19
    eps = result.figures.filter(metric="earnings_per_share", period="2021").row(0, named=True)
    assert (eps["value"], eps["unit"]) == (-0.54, "CNY/share")
    segments = result.findings.filter(rule="segments", period="2021").row(0, named=True)
    assert segments["stated_low"] < 27_290e6 - 0.5e6 < segments["implied_high"]
    dollars = result.figures.filter(pl.col("printed_unit") == "USD")
    assert dollars["restates"].null_count() == 0
    restated = result.findings.filter(kind="restatement")
    assert (restated.height, set(restated["period"])) == (7, {"2023"})


def test_the_quarterly_slip_is_seen_by_the_rules_together(ran):
    result = ran("quarterly_deliveries")
    inconsistent = result.findings.filter(verdict="inconsistent")
    assert inconsistent["kind"].to_list() == ["conflict"]
    alone = result.findings.filter(rule="growth_on_the_quarter", entity="乙车", period="2023Q3", kind="rule")
    assert alone["verdict"].to_list() == ["too_imprecise"]
    changes = {(one["metric"], one["period"]): one for one in inconsistent["resolved_by"].item()}
    change = changes["quarter_on_quarter", "2023Q3"]
    assert (round(change["low"], 2), round(change["high"], 2)) == (11.42, 13.12)
    half = result.implied.filter(entity="甲车", metric="deliveries", period="2023H2").row(0, named=True)
    assert (half["low"], half["high"]) == (321_000, 323_000)
    assert result.figures.filter(entity="甲车", period="2022Q1")["value"].to_list() == [96_000]


def test_all_slips_of_the_workbook_are_found(ran):
    pytest.importorskip("openpyxl", reason="the extra excel is not installed")
    result = ran("workbook_with_slips")
    found = slips(result)
    rules = {key: patterns for key, patterns in found.items() if not key[0].count(",")}
    assert set(rules) == {
        ("kinds", "2023Q3"),
        ("quarters", "2023"),
        ("segments", "2023"),
        ("share_growth", "2023"),
        ("revenue_twice", "2022"),
        ("vehicle_revenue_twice", "2022"),
    }
    assert "digits_swapped" in rules["kinds", "2023Q3"] & rules["quarters", "2023"]
    assert "factor_wan" in rules["segments", "2023"]
    assert "percent_for_percentage_point" in rules["share_growth", "2023"]
    assert at_or_above(result.findings, Severity.ERROR).height >= 6
    locators = result.figures.filter(pl.col("metric") == "vehicle_sales")["locator"]
    assert "Sales!D6" in locators.to_list()
