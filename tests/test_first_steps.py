"""Slips of somebody's first project: each is told with what to do about it."""

from pathlib import Path

import pytest
from rich.console import Console

import zhiji_etl as zj
from zhiji_etl.catalogue import catalogue
from zhiji_etl.errors import ZhijiError
from zhiji_etl.project import Project
from zhiji_etl.rates import Rates
from zhiji_etl.terminal.summary import summary

SCHEMA = """import zhiji_etl as zj

class CarYear(zj.Table):
    sales: float = zj.Quantity("vehicle", ge=0)
    growth: float = zj.Quantity("percent")

    @zj.rule
    def grown(m):
        return m.growth == m.sales / m.previous.sales - 1
"""
HEADER = "entity,metric,period,printed\n"


@pytest.fixture
def project(tmp_path):
    """Makes a project from rows and a schema."""

    def make(rows, schema=SCHEMA):
        (tmp_path / "raw").mkdir()
        (tmp_path / "schemas").mkdir()
        (tmp_path / "raw" / "cars.csv").write_text(HEADER + rows, encoding="utf-8")
        (tmp_path / "schemas" / "cars.py").write_text(schema, encoding="utf-8")
        return Project(tmp_path)

    return make


def printed(result):
    console = Console(width=200)
    with console.capture() as capture:
        console.print(summary(result), soft_wrap=True)
    return capture.get()


def test_other_headers_are_told_with_a_command_that_works(project, monkeypatch, command):
    """A draft is not written over a sidecar; a header that the sidecar names wrongly is to be corrected there."""
    home = project("").path
    monkeypatch.chdir(home.parent)
    raw = home.relative_to(home.parent) / "raw" / "cars.csv"
    raw.write_text("Company,2019\nA,5\n", encoding="utf-8")
    assert f"zhiji-etl sidecar {raw} --write." in command("run", home.name).err
    raw.with_suffix(".toml").write_text('title = "T"\n')
    assert f"zhiji-etl sidecar {raw}." in command("run", home.name).err
    raw.with_suffix(".toml").write_text('[columns]\nentity = "Compny"\n')
    told = command("run", home.name).err
    assert "has no column Compny; it has: Company, 2019." in told
    assert '[columns] entity = "Company".' in told
    assert "Draft" not in told


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        ("m.previous.sales", "m.sales.previous", "m.previous.sales"),
        ('zj.Quantity("vehicle", ge=0)', 'zj.Quantity("RMB")', 'zj.Quantity("CNY")'),
        ("@zj.rule", '@zj.rule(severity="warn")', "known are info, warning, error"),
        ('zj.Quantity("percent")', 'zj.Quantiy("percent")', "line 5"),
    ],
)
def test_a_slip_in_a_schema_is_told_with_its_cure(project, monkeypatch, right, wrong, sentence):
    made = project("", SCHEMA.replace(right, wrong))
    monkeypatch.chdir(made.path)
    with pytest.raises(ZhijiError) as caught:
        _ = Project(".").catalogue
    assert sentence in str(caught.value)


def test_a_run_says_loudly_what_was_rejected_and_why(project):
    text = printed(
        project("A,sales,2020,5 vehicles\nA,growth,2020,3 percentage points\nA,sale,2020,5 vehicles\n").run()
    )
    assert "2 rejected, and in no table: 1 metric_unknown, 1 unit_mismatch" in text
    assert "growth is in percent" in text


def test_a_unit_in_the_plural_is_told(project):
    result = project("A,sales,2020,5 vehicles\n", SCHEMA.replace('"vehicle"', '"vehicles"')).run()
    assert "singular" in result.rejects["reason"][0]


def test_a_file_without_rows_is_not_passed_in_silence(project):
    assert "nothing was read" in printed(project("").run())


def test_rmb_is_pointed_to_its_code():
    with pytest.raises(ZhijiError) as caught:
        Rates.ecb().rate("RMB", "USD", "2023", "average")
    assert "CNY" in str(caught.value)


@pytest.mark.parametrize(("unit", "code"), [("亿元", "CNY"), ("人民币", "CNY"), ("万美元", "USD"), ("元/辆", "CNY")])
def test_a_chinese_name_of_a_currency_is_no_unit(unit: str, code: str):
    """It would be taken for a counted noun, and every figure of it rejected."""
    table = type(
        "Year",
        (zj.Table,),
        {"__annotations__": {"revenue": float}, "revenue": zj.Quantity(unit), "__module__": __name__},
    )
    with pytest.raises(zj.ZhijiError, match=rf'Quantity\("{code}"\)'):
        catalogue([table])


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ("c: str = 'x'", "'c' can only be assigned a 'Field'"),
        ("c: int = zj.Quantity('vehicle')", "car_year declares c as Int64. Hint: amounts are float"),
        ("c: int = zj.Identifier()", "car_year declares c as Int64. Hint: amounts are float, identifiers str"),
    ],
)
def test_a_column_that_could_never_be_filled_is_refused(project, command, column, sentence):
    told = command("run", project("", SCHEMA.replace("    @zj.rule", f"    {column}\n\n    @zj.rule")).path)
    assert (told.code, "[schema_invalid]" in told.err) == (3, True)
    assert sentence in told.err


def test_the_project_file_is_named_as_it_lies(project, monkeypatch, command):
    monkeypatch.chdir(project("").path)
    Path("zhiji.toml").write_text('rates = "own.csv"\n')
    assert command("run").err.startswith("zhiji-etl: zhiji.toml line 1: 'rates'")


def test_a_currency_of_restatements_that_is_none_is_refused(project):
    """It was ignored: no restatement was ever looked for."""
    schema = SCHEMA.replace(
        "    @zj.rule", '    revenue: float = zj.Quantity("CNY", restated_in="dollar")\n\n    @zj.rule'
    )
    with pytest.raises(ZhijiError, match='restated_in="USD"') as told:
        project("A,sales,2019,5 vehicles\n", schema).run()
    assert told.value.code == "schema_invalid"


def test_a_sentence_ends_before_its_hint(project):
    home = project("A,sales,2019,5 vehicles\n")
    (home.path / "schemas" / "corrections.toml").write_text('[[correction]]\nsource = "cars.csv"\n', encoding="utf-8")
    with pytest.raises(ZhijiError, match=r"is missing\. Hint: "):
        home.run()


def test_a_public_name_that_is_misspelt(project):
    with pytest.raises(ZhijiError, match=r"'Tabel', did you mean 'Table'\?"):
        project("A,sales,2019,5 vehicles\n", SCHEMA.replace("zj.Table", "zj.Tabel")).run()
