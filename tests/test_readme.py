"""The README is true: its Python runs, its commands run, and its finding is what a run prints today."""

import re
import shlex
from pathlib import Path

import pytest

import zhiji_etl as zj
from zhiji_etl.catalogue import catalogue
from zhiji_etl.project import tables_of

README = Path(zj.__file__).parents[1] / "README.md"
pytestmark = pytest.mark.skipif(not README.is_file(), reason="holds for a checkout only")


def blocks(language: str) -> list[str]:
    if not README.is_file():
        return []
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    lines = "\n".join(blocks("console")).splitlines()
    typed = [line[2:].split("#")[0].strip() for line in lines if line.startswith("$ ")]
    return [line for line in typed if line.startswith("zhiji-etl ")]


def test_there_is_something_to_hold():
    assert blocks("python")
    assert blocks("text")
    assert len(commands()) >= 4


@pytest.mark.parametrize("number", range(len(blocks("python"))))
def test_python_runs(number: int, tmp_path, monkeypatch):
    code = blocks("python")[number]
    monkeypatch.chdir(tmp_path)
    if "zj.Table" in code:
        (tmp_path / "schema.py").write_text(code, encoding="utf-8")
        assert catalogue(tables_of(tmp_path)).rules
    else:
        exec(compile(code, f"README block {number}", "exec"), {"__name__": "readme"})


def test_the_finding_is_what_a_run_prints(command, reference):
    finding = next(block for block in blocks("text") if "share_vs_sales" in block)
    assert finding.rstrip() in command("run", reference).out


def test_the_input_is_that_of_the_reference_project(reference):
    printed = [line.split(",", 3)[3].strip('"') for line in blocks("csv")[0].splitlines()[1:]]
    sources = ("saic_motor_2019.csv", "china_vehicle_market.csv")
    raw = "".join((reference / "raw" / name).read_text(encoding="utf-8") for name in sources)
    assert printed
    assert all(text in raw for text in printed)


def test_the_example_input_gives_the_finding(project, command, reference):
    """Only what the first screen shows: the same finding, but for the places of its figures."""
    schema = next(block for block in blocks("python") if "zj.Table" in block)
    told = command("run", project(blocks("csv")[0], schema=schema))
    finding = next(block for block in blocks("text") if "share_vs_sales" in block)
    assert all(line in told.out for line in finding.splitlines() if "printed" not in line)


def test_commands_run(command, tmp_path, monkeypatch, reference):
    monkeypatch.chdir(reference)
    for line in commands():
        told = command(*shlex.split(line)[1:])
        assert told.code == (1 if "--fail-on warning" in line else 0), (line, told)


def test_make_targets_of_the_readme_exist():
    targets = re.findall(r"^\$ make (\w+)", "\n".join(blocks("console")), re.MULTILINE)
    makefile = (README.parent / "Makefile").read_text(encoding="utf-8")
    assert {"run", "test"} <= set(targets)
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
