"""What is seen of a run from outside: stages and their seconds, logs, the bar on a terminal, JUnit."""

import io
import json
import os
import pty
import subprocess
import sys
from xml.etree import ElementTree

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import zhiji_etl as zj
from zhiji_etl.figures import Severity
from zhiji_etl.findings import as_findings, gathered
from zhiji_etl.junit import junit
from zhiji_etl.outputs import latest, read_manifest
from zhiji_etl.stages import STAGES, STAGES_IN_SHARDS, Stages
from zhiji_etl.terminal import logs
from zhiji_etl.terminal.progress import Bar, speed, time_left

CLEAN = "A,vehicle_sales,2019,5 vehicles\n"
TWICE = "A,vehicle_sales,2019,5 vehicles\nA,vehicle_sales,2019,7 vehicles\n"


class Watching:
    """Notes what it is told."""

    def __init__(self):
        self.stages, self.rows = [], 0

    def begun(self, stage):
        self.stages.append(stage)

    def counted(self, rows):
        self.rows += rows


def test_a_stage_gives_back_what_its_function_gives(caplog):
    watching = Watching()
    stage = Stages(watching)
    with caplog.at_level("INFO", "zhiji_etl"):
        assert stage("read", lambda rows, *, more: rows + more, [1], more=[2]) == [1, 2]
        assert stage("read", pl.DataFrame, {"a": [1]}).height == 1
        assert stage("check", lambda: "x") == "x"
    assert watching.stages == ["read", "read", "check"]
    assert list(stage.seconds) == ["read", "check"]
    assert stage.total == pytest.approx(sum(stage.seconds.values()), abs=0.001)
    assert [record.rows for record in caplog.records] == [2, 1, None]


def test_rows_are_counted_as_they_come():
    watching = Watching()
    read = Stages(watching).counting(lambda rows: pl.DataFrame({"a": range(rows)}))
    assert [read(3).height, read(4).height, watching.rows] == [3, 4, 7]
    assert Stages().counting(pl.DataFrame)({"a": [1]}).height == 1


@pytest.mark.parametrize(
    ("stage", "seconds", "left"),
    [("read", 0, "1:15"), ("read", 50, "0:25"), ("read", 70, "0:15"), ("check", 5, "0:07"), ("unchanged", 9, "0:00")],
)
def test_the_time_left_is_that_of_the_run_before(stage, seconds, left):
    expected = {"read": 60.0, "check": 10.0, "write": 2.0, "convert": 3.0, "total": 75.0}
    later = STAGES[STAGES.index(stage) + 1 :]
    assert time_left(stage, seconds, later, expected) == f"about {left} left"
    assert time_left(stage, seconds, later, {}) == ""


def test_rows_a_second():
    assert speed(400_017, 4) == "400,017 rows, 100,004/s"
    assert speed(0, 4) == speed(5, 0) == ""


def test_a_stage_that_fails_fails():
    with pytest.raises(ZeroDivisionError):
        Stages()("read", lambda: 1 / 0)


def test_logs_of_a_run(command, project):
    """JSON lines, plain lines or nothing on stderr; stdout holds the summary and nothing else."""
    folder = project(CLEAN)
    told = command("run", folder, "--json", "--log-json")
    lines = [json.loads(line) for line in told.err.splitlines()]
    assert [line.get("stage") for line in lines] == [*STAGES, None]
    assert {line["level"] for line in lines} == {"info"}
    assert lines[STAGES.index("read")]["rows"] == 1
    found = lines[STAGES.index("sources")]
    assert (found["sources"], "rows" in found) == (1, False)
    assert json.loads(told.out)["path"].endswith(lines[-1]["run"])
    timings = read_manifest(latest(folder / "build"))["timings"]
    assert set(timings) == {*STAGES, "total"}
    plain = command("run", folder, "--verbose")
    assert [line.split()[2].rstrip(":") for line in plain.err.splitlines()] == [*STAGES, "published"]
    assert ", 1 source\n" in plain.err
    assert command("run", folder).err == ""


def test_an_error_is_a_json_line_too(command, tmp_path):
    told = command("run", tmp_path, "--log-json")
    assert told.code == 3
    line = json.loads(told.err)
    assert (line["level"], line["code"]) == ("error", "project_missing")
    assert not logs.speaks_json()
    assert command("run", tmp_path).err.startswith("zhiji-etl: ")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such terminal")
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], (f"/{len(STAGES)}", "1,000 rows", "/s", " left")),
        (["--partitions", "2"], (f"/{len(STAGES_IN_SHARDS)}", " left")),
    ],
)
def test_a_bar_on_a_terminal_only(project, checkout, command, options, told):
    folder = project("".join(f"A,vehicle_sales,{year},5 vehicles\n" for year in range(1000, 2000)))
    command("run", folder)
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(checkout), "TERM": "xterm", "COLUMNS": "200"}
    words = [sys.executable, "-m", "zhiji_etl", "run", str(folder), "--json", *options]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=theirs, env=environment) as running:
        os.close(theirs)
        shown = b"".join(iter(lambda: _read(ours), b"")).decode()
        assert json.loads(running.stdout.read())["counts"]["raw_rows"] == 1000
    os.close(ours)
    assert [one for one in told if one not in shown] == []


@pytest.mark.parametrize(("partitions", "stages"), [(1, STAGES), (2, STAGES_IN_SHARDS)])
def test_the_bar_knows_every_stage_of_a_run(project, partitions, stages):
    watching = Watching()
    zj.Project(project(CLEAN)).run(stages=Stages(watching), partitions=partitions)
    assert watching.stages == list(stages)
    with Bar(Console(file=io.StringIO(), force_terminal=True), {"report": 1.0}) as bar:
        for stage in watching.stages:
            bar.begun(stage)
        assert (bar.tasks[0].completed, bar.tasks[0].total) == (len(stages) - 1, len(stages))


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other end is closed
        return b""


# --------------------------------------------------------------------------------------------------------- JUnit


def test_junit_of_a_run(command, project, tmp_path):
    path = tmp_path / "junit.xml"
    assert command("run", project(TWICE), "--junit", path).code == 1
    suite = ElementTree.parse(path).getroot().find("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "1", "0")
    case = suite.find("testcase")
    assert (case.get("classname"), case.get("name")) == ("vehicle_sales_twice", "A 2019")
    assert "printed 7" in case.find("failure").get("message")
    assert command("run", project(TWICE), "--junit", path, "--fail-on", "never").code == 0
    assert ElementTree.parse(path).getroot().find("testsuite").get("failures") == "0"


def test_junit_that_cannot_be_written(command, project, tmp_path):
    told = command("run", project(CLEAN), "--junit", tmp_path / "absent" / "junit.xml")
    assert (told.code, "output_unwritable" in told.err) == (5, True)


VERDICTS = ("consistent", "inconsistent", "too_imprecise", "not_checkable")
finding = st.fixed_dictionaries(
    {
        "kind": st.just("rule"),
        "rule": st.text(max_size=5),
        "entity": st.text(max_size=5) | st.none(),
        "period": st.just("2019"),
        "verdict": st.sampled_from(VERDICTS),
        "severity": st.sampled_from(["info", "warning", "error"]),
        "message": st.text(max_size=20),
    }
)


@settings(max_examples=100)
@given(st.lists(finding, min_size=1, max_size=5))
def test_any_text_is_xml(rows):
    found = gathered([as_findings(pl.DataFrame(rows, schema_overrides={"entity": pl.String}))])
    suite = ElementTree.fromstring(junit(found, Severity.WARNING)).find("testsuite")
    loud = [row for row in rows if row["verdict"] == "inconsistent" and row["severity"] != "info"]
    assert len(suite.findall("testcase")) == len(rows)
    assert len(suite.findall("testcase/failure")) == len(loud)
    assert len(suite.findall("testcase/skipped")) == sum(row["verdict"] == "not_checkable" for row in rows)


def test_markup_is_escaped():
    row = {"kind": "rule", "rule": "<r>", "entity": "A & B", "period": '"2019"', "verdict": "inconsistent"}
    found = as_findings(pl.DataFrame([{**row, "severity": "error", "message": "]]> \x1b[31m <script>"}]))
    text = junit(found, Severity.ERROR)
    assert "<script>" not in text
    assert "\x1b" not in text
    case = ElementTree.fromstring(text).find("testsuite/testcase")
    assert (case.get("classname"), case.get("name")) == ("<r>", 'A & B "2019"')
    assert case.find("failure").get("message") == "]]> \\x1b[31m <script>"
