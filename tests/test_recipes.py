"""The recipes of docs/runs.md: their commands run as they stand, from shells that find `zhiji-etl` on their path."""

import configparser
import fcntl
import importlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import types
from contextlib import contextmanager
from pathlib import Path

import pytest

from zhiji_etl.errors import ProjectError
from zhiji_etl.outputs import latest, runs

PAGE = Path(__file__).parents[1] / "docs" / "runs.md"
HOME = "/srv/figures"
"""Where the recipes say that the project lies."""

pytestmark = pytest.mark.skipif(
    not PAGE.is_file() or sys.platform == "win32", reason="docs/ stands in a checkout only, the recipes are for Linux"
)
CLEAN = "A,vehicle_sales,2019,5 vehicles\n"
TWICE = "A,vehicle_sales,2019,5 vehicles\nA,vehicle_sales,2019,7 vehicles\n"


def recipe(language: str) -> str:
    """The one block of a language on the page."""
    found = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(found) == 1
    return found[0]


@pytest.fixture
def shell(tmp_path, checkout, project):
    """Run a command line of a recipe in a shell, with the project in the place of HOME."""
    program = tmp_path / "bin" / "zhiji-etl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m zhiji_etl "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(checkout)}

    def called(line: str, with_shell: str = "sh") -> subprocess.CompletedProcess:
        words = [with_shell, "-c", line.replace(HOME, str(tmp_path / "project"))]
        return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=False)

    return called


# --------------------------------------------------------------------------------------------------------- cron


def cron_line() -> tuple[list[str], str]:
    *fields, line = recipe("cron").strip().split(maxsplit=5)
    return fields, line


def test_cron_fields():
    fields, line = cron_line()
    assert all(re.fullmatch(r"\*|\d{1,2}", field) for field in fields)
    assert len(fields) == 5
    assert "%" not in line  # cron would take it for the end of the line


@pytest.mark.skipif(not shutil.which("flock"), reason="there is no flock")
def test_cron_with_flock(shell, project):
    folder = project(CLEAN)
    _, line = cron_line()
    done = shell(line)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done
    assert "raw rows" in (folder / "summary.txt").read_text()
    logged = [json.loads(row) for row in (folder / "run.log").read_text().splitlines()]
    assert logged[-1]["run"] == latest(folder / "build").name
    with (folder / ".cron.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert shell(line).returncode == 0  # it gives up without a word
    assert len(runs(folder / "build")) == 1


# ------------------------------------------------------------------------------------------------------- systemd


def units() -> dict[str, str]:
    """The unit files of the recipe by name."""
    parts = re.split(r"^# /etc/systemd/system/(\S+)\n", recipe("ini"), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read_string(units()[name])
    return parser


def test_systemd_command(shell, project):
    project(TWICE)
    service = unit("figures.service")["Service"]
    done = shell(service["ExecStart"])
    assert str(done.returncode) == service["SuccessExitStatus"]
    assert unit("figures.timer")["Timer"]["Persistent"] == "true"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_systemd_units_are_valid(tmp_path):
    for name, text in units().items():
        (tmp_path / name).write_text(text)
    words = ["systemd-analyze", "verify", *(str(tmp_path / name) for name in units())]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert [line for line in done.stderr.splitlines() if "figures." in line] == []
    when = unit("figures.timer")["Timer"]["OnCalendar"]
    calendar = ["systemd-analyze", "calendar", when]
    assert subprocess.run(calendar, capture_output=True, timeout=60, check=False).returncode == 0


# ------------------------------------------------------------------------------------------------------- Airflow


@pytest.fixture
def task(monkeypatch) -> dict:
    """What the recipe gives to its operator, with stand-ins for Airflow's classes."""
    given: dict = {}

    @contextmanager
    def dag(name: str, **settings: object):
        yield given.update(dag=name, **settings)

    for name in ("airflow", "airflow.sdk", "airflow.providers"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    for name in ("standard", "standard.operators", "standard.operators.bash"):
        monkeypatch.setitem(sys.modules, f"airflow.providers.{name}", types.ModuleType(name))
    sys.modules["airflow.sdk"].DAG = dag
    sys.modules["airflow.providers.standard.operators.bash"].BashOperator = lambda **said: given.update(said)
    exec(compile(recipe("py"), "recipe", "exec"), {})
    return given


@pytest.mark.parametrize(("rows", "code"), [(CLEAN, 0), (TWICE, 99)])
def test_airflow_command(task, shell, project, rows, code):
    folder = project(rows)
    assert shell(task["bash_command"], "bash").returncode == code
    assert task["skip_on_exit_code"] == 99
    assert task["retries"] > 0
    assert len(runs(folder / "build")) == 1


def test_airflow_retries_what_cannot_be_read(task, shell, project):
    folder = project(CLEAN)
    (folder / "raw" / "alpha.csv").write_text("x\n1\n")
    assert shell(task["bash_command"], "bash").returncode == 4


# ------------------------------------------------------------------------------------------------------- Dagster


def test_without_dagster_it_is_said_what_to_install(monkeypatch):
    """The rest of Dagster's tests need it; this one is for those who have it not."""
    monkeypatch.setitem(sys.modules, "dagster", None)
    monkeypatch.delitem(sys.modules, "zhiji_etl.dagster", raising=False)
    with pytest.raises(ProjectError, match=r"pip install 'zhiji_etl\[dagster\]'"):
        importlib.import_module("zhiji_etl.dagster")
