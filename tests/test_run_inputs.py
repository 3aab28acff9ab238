"""What decided a run stands in its manifest, did not change meanwhile, and what the process returned is recorded."""

import json
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree

import pytest

import zhiji_etl as zj
from zhiji_etl import pipeline
from zhiji_etl.figures import Severity
from zhiji_etl.outputs import latest

ROWS = "A,vehicle_sales,2019,100 vehicles\nA,overseas_sales,2019,250 vehicles\n"
QUOTES = "date,base,quote,rate,source\n2019-06-03,USD,CNY,8.00,A bank\n2019-06-04,USD,CNY,8.01,A bank\n"
RULE = '''
    @zj.rule
    def overseas_within_sales(m):
        """Vehicles sold overseas are part of all vehicles."""
        return m.overseas_sales <= m.vehicle_sales
'''
CORRECTIONS = """
[[correction]]
source = "alpha.csv"
entity = "A"
metric = "vehicle_sales"
period = "2019"
expect = "100 vehicles"
override = "400 vehicles"
why = "an example"
reported_by = "a test"
"""


@pytest.fixture
def made(project) -> Path:
    """A project with own rates, corrections that are not there yet, and one inconsistent finding."""
    folder = project(ROWS)
    schema = folder / "schemas" / "company_year.py"
    schema.write_text(schema.read_text(encoding="utf-8") + RULE, encoding="utf-8")
    (folder / "own.csv").write_text(QUOTES, encoding="utf-8")
    (folder / "zhiji.toml").write_text('rates = ["own.csv"]\n', encoding="utf-8")
    return folder


def manifest(folder: Path) -> dict:
    return json.loads((latest(folder / "build") / "run.json").read_text(encoding="utf-8"))


def only_case(path: Path) -> ElementTree.Element:
    (case,) = ElementTree.parse(path).getroot().iter("testcase")
    return case


def test_own_rates_stand_in_the_manifest(made: Path):
    zj.Project(made).run()
    assert manifest(made)["rate_files"] == [
        {
            "name": "own.csv",
            "sha256": sha256(QUOTES.encode()).hexdigest(),
            "first_quote": "2019-06-03",
            "last_quote": "2019-06-04",
            "quotes": 2,
        }
    ]


def test_no_own_rates(project):
    assert zj.Project(project(ROWS)).run().manifest["rate_files"] == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("own.csv", QUOTES + "2019-06-05,USD,CNY,8.02,A bank\n"),
        ("own.csv", None),
        ("zhiji.toml", 'name = "another"\n'),
        ("schemas/corrections.toml", CORRECTIONS),
        ("schemas/further.py", '"""Nothing."""\n'),
    ],
)
def test_what_changes_while_a_run_reads_it(made: Path, command, monkeypatch, name: str, content: str | None):
    audit = pipeline.audit

    def meanwhile(*arguments, **named):
        audited = audit(*arguments, **named)
        (made / name).unlink(missing_ok=True)
        if content is not None:
            (made / name).write_text(content, encoding="utf-8")
        return audited

    monkeypatch.setattr(pipeline, "audit", meanwhile)
    told = command("run", made)
    assert (told.code, told.out) == (4, "")
    assert f"Changed while the run read it: {name}." in told.err
    assert not (made / "build" / "latest").exists()


def test_hashes_are_of_what_was_read(made: Path):
    (made / "schemas" / "corrections.toml").write_text(CORRECTIONS, encoding="utf-8")
    hashes = zj.Project(made).run().manifest["schemas"]
    assert set(hashes) == {"company_year.py", "corrections.toml"}
    assert hashes["corrections.toml"] == sha256(CORRECTIONS.encode()).hexdigest()


@pytest.mark.parametrize(("fail_on", "code"), [("error", 1), ("warning", 1), ("never", 0)])
def test_the_manifest_has_the_exit_code(made: Path, command, fail_on: str, code: int):
    assert command("run", made, "--fail-on", fail_on).code == code
    assert manifest(made)["exit_status"] == code


def test_the_exit_status_of_a_run_in_python(made: Path, project):
    assert zj.Project(made).run().manifest["exit_status"] == 1
    assert zj.Project(made).run(fail_on=None).manifest["exit_status"] == 0
    assert zj.Project(made).run(fail_on=Severity.WARNING).manifest["exit_status"] == 1


def test_a_failed_run_takes_the_place_of_an_older_junit_file(made: Path, command, tmp_path: Path):
    file = tmp_path / "findings.xml"
    assert command("run", made, "--junit", file).code == 1
    assert "overseas_within_sales" in file.read_text(encoding="utf-8")
    (made / "raw" / "alpha.csv").write_bytes(b"")
    assert command("run", made, "--junit", file).code == 4
    suite = ElementTree.parse(file).getroot()[0]
    assert (suite.get("tests"), suite.get("errors"), suite.get("failures")) == ("1", "1", "0")
    error = only_case(file).find("error")
    assert error is not None
    assert error.get("type") == "source_empty"


def test_a_run_that_is_killed_leaves_no_older_junit_file(made: Path, command, tmp_path: Path, monkeypatch):
    file = tmp_path / "findings.xml"
    assert command("run", made, "--junit", file).code == 1

    def killed(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "audit", killed)
    assert command("run", made, "--junit", file).code != 0
    error = only_case(file).find("error")
    assert error is not None
    assert error.get("message") == "The run has not finished."


def test_a_junit_file_that_cannot_be_written_stops_the_run_first(made: Path, command, tmp_path: Path):
    assert command("run", made, "--junit", tmp_path / "nowhere" / "findings.xml").code == 5
    assert not (made / "build" / "latest").exists()
