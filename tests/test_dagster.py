"""A project as Dagster assets: what is told, in which order, and what is withheld."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import zhiji_etl
from zhiji_etl.errors import ProjectError
from zhiji_etl.outputs import latest, runs
from zhiji_etl.project import init

dg = pytest.importorskip("dagster", reason="the extra dagster is not installed")
# Dagster itself warns of what is to change in it.
pytestmark = pytest.mark.filterwarnings("ignore")

ROOT = Path(zhiji_etl.__file__).parents[1]
PAGE = ROOT / "docs" / "runs.md"
EXAMPLE = ROOT / "examples" / "dagster" / "definitions.py"
SCHEMA = """import zhiji_etl as zj


class CompanyYear(zj.Table):
    '''What a company sells.'''
    sales: float = zj.Quantity("vehicle", ge=0)
    share: float = zj.Quantity("percent", ge=0, le=100)

    @zj.rule(severity={!r})
    def small(m):
        '''Shares are small.'''
        return m.share <= 0.5
"""
GOOD = "A,share,2019,22.7 percent\nA,sales,2019,over 5 vehicles\n"
WRONG = "A,share,2019,60 percent\n"


@pytest.fixture
def instance(tmp_path: Path):
    with dg.DagsterInstance.ephemeral(str(tmp_path / "dagster")) as made:
        yield made


@pytest.fixture
def made(project, instance):
    """A project of some rows is materialised: its result, and its folder."""
    from zhiji_etl.dagster import assets

    def run(rows: str, severity: str = "error", **options):
        folder = project(rows, schema=SCHEMA.format(severity))
        result = dg.materialize([assets(folder, **options)], instance=instance, raise_on_error=False)
        return result, folder

    return run


def checks(result) -> dict[str, tuple[bool, str]]:
    told = result.get_asset_check_evaluations()
    return {one.check_name: (one.passed, one.severity.value) for one in told}


def test_tables_are_assets_with_their_metadata(made):
    result, folder = made(GOOD)
    assert result.success
    run = latest(folder / "build")
    told = {
        event.asset_key.to_user_string(): event.materialization for event in result.get_asset_materialization_events()
    }
    assert set(told) == {"figures", "company_year"}
    metadata = told["company_year"].metadata
    assert metadata["dagster/row_count"].value == 1
    assert metadata["dagster/uri"].value == (run / "company_year.parquet").as_uri()
    columns = {
        column.name: (column.type, column.description) for column in metadata["dagster/column_schema"].schema.columns
    }
    assert columns["sales"] == ("Float64", "in vehicle")
    assert columns["entity"] == ("String", None)
    preview = metadata["preview"].records[0].data
    assert (preview["entity"], preview["period_start"], preview["share"]) == ("A", "2019-01-01", 22.7)
    shown = told["figures"].metadata["preview"].records
    assert {record.data["printed"] for record in shown} == {"22.7 percent", "over 5 vehicles"}
    assert [record.data["high"] for record in shown if record.data["qualifier"] == "above"] == [None]
    assert pl.read_parquet(run / "company_year.parquet").height == 1


def test_the_same_bytes_are_the_same_version(made, instance):
    version = {}
    for rows in (GOOD, GOOD, GOOD + "B,sales,2019,7\n"):
        result, _ = made(rows)
        (event,) = [e for e in result.get_asset_materialization_events() if e.asset_key.path == ["company_year"]]
        version.setdefault(event.materialization.tags["dagster/data_version"], rows)
    assert list(version.values()) == [GOOD, GOOD + "B,sales,2019,7\n"]


def test_rules_are_checks_and_no_finding_is_lost(made):
    result, _ = made(GOOD)
    assert checks(result) == {"small": (True, "WARN"), "no_rejects": (True, "WARN"), "other_findings": (True, "WARN")}
    result, _ = made(GOOD + "A,sales,2019,less than 3\nA,sales,someday,1\n")
    found = checks(result)
    assert found["no_rejects"] == (False, "WARN")
    assert found["other_findings"] == (False, "ERROR")
    (one,) = [one for one in result.get_asset_check_evaluations() if one.check_name == "other_findings"]
    assert "sales" in json.dumps([record.data for record in one.metadata["findings"].records])
    assert one.asset_key.path == ["figures"]


@pytest.mark.parametrize(("severity", "shown"), [("error", "ERROR"), ("warning", "WARN")])
def test_a_rule_that_fails_is_a_check_that_fails(made, severity, shown):
    result, folder = made(WRONG, severity)
    assert result.success
    assert checks(result)["small"] == (False, shown)
    assert len(runs(folder / "build")) == 1


def test_what_is_quiet_fails_no_check(made):
    result, _ = made(WRONG, "info")
    assert checks(result)["small"] == (True, "WARN")


def test_what_is_withheld_is_judged_and_not_published(made):
    result, folder = made(GOOD, withhold="error")
    before = latest(folder / "build")
    result, folder = made(WRONG, withhold="error")
    assert not result.success
    assert checks(result)["small"] == (False, "ERROR")
    assert result.get_asset_materialization_events() == []
    assert latest(folder / "build") == before
    result, folder = made(WRONG, "warning", withhold="error")
    assert result.success
    assert latest(folder / "build") != before


def test_the_audit_comes_first_and_then_what_is_published(made, monkeypatch):
    """When Dagster is told of the first check, everything has been published."""
    import zhiji_etl.dagster as zd

    order = []
    for step in ("prepare", "publish"):
        monkeypatch.setattr(zd, step, _noting(getattr(zd, step), step, order))
    monkeypatch.setattr(zd, "_materialized", _noting(zd._materialized, "told", order))
    made(GOOD)
    assert order == ["prepare", "publish", "told"]


def _noting(function, name, order):
    def noted(*given, **options):
        order.append(name)
        return function(*given, **options)

    return noted


@pytest.mark.parametrize(("content", "code", "again"), [("x\n1\n", "column_missing", True), (None, "raw_empty", True)])
def test_an_error_is_a_failure_with_its_code(made, project, content, code, again):
    _, folder = made(GOOD)
    before = latest(folder / "build")
    from zhiji_etl.dagster import assets

    path = folder / "raw" / "alpha.csv"
    if content is None:
        path.unlink()
        path.with_suffix(".toml").unlink()
    else:
        path.write_text(content)
    result = dg.materialize([assets(folder)], raise_on_error=False)
    failure = result.failure_data_for_node("zhiji_etl").user_failure_data
    assert (failure.metadata["code"].value, latest(folder / "build")) == (code, before)


def test_a_broken_schema_is_told_where_it_is_loaded(project):
    from zhiji_etl.dagster import assets

    with pytest.raises(ProjectError, match="line 2"):
        assets(project(GOOD, schema="x = 1\nx +\n"))


@pytest.mark.parametrize(
    "more",
    [
        "\n\nclass Other(zj.Table):\n    cost: float = zj.Quantity('CNY')\n",
        "\n    @zj.rule\n    def large(m):\n        return m.share >= 0.1\n",
    ],
)
def test_more_than_dagster_knows(project, instance, more):
    from zhiji_etl.dagster import assets

    folder = project(GOOD, schema=SCHEMA.format("error"))
    definition = assets(folder)
    project(GOOD, schema=SCHEMA.format("error") + more)
    result = dg.materialize([definition], instance=instance, raise_on_error=False)
    failure = result.failure_data_for_node("zhiji_etl").user_failure_data
    assert failure.metadata["code"].value == "assets_stale"
    assert not (folder / "build" / "latest").exists()


def test_a_schedule(project):
    from zhiji_etl.dagster import assets, schedule

    one = assets(project(GOOD, schema=SCHEMA.format("error")), name="first", key_prefix=["press"])
    times = schedule(one, "15 6 * * *", timezone="Asia/Shanghai")
    defs = dg.Definitions(assets=[one], schedules=[times])
    assert {key.to_user_string() for key in one.keys} == {"press/figures", "press/company_year"}
    assert (times.cron_schedule, times.name, times.execution_timezone) == (
        "15 6 * * *",
        "first_schedule",
        "Asia/Shanghai",
    )
    assert defs.resolve_schedule_def("first_schedule").job.name


@pytest.mark.skipif(not PAGE.is_file(), reason="docs/ stands in a checkout only")
def test_the_recipe(project):
    folder = project(GOOD, schema=SCHEMA.format("error"))
    (text,) = re.findall(r"^```python3\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    names: dict = {}
    exec(compile(text.replace("/srv/figures", str(folder)), "recipe", "exec"), names)
    assert names["defs"].resolve_schedule_def("zhiji_etl_schedule").cron_schedule == "15 6 * * *"
    assert dg.materialize([names["figures"]]).success


@pytest.mark.skipif(not EXAMPLE.is_file(), reason="examples stand in a checkout only")
def test_the_example_with_the_command_of_dagster(tmp_path: Path):
    init(tmp_path / "project")
    (tmp_path / "home").mkdir()
    settings = {"PROJECT": str(tmp_path / "project"), "DAGSTER_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "dagster", "asset", "materialize", "--select", "*", "-f", str(EXAMPLE)]
    environment = {**os.environ, **settings, "DAGSTER_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    run = latest(tmp_path / "project" / "build")
    assert f"published {run.name}" in done.stdout + done.stderr
    assert (run / "company_year.parquet").is_file()
