"""The command line answers at once: what needs no figures loads nothing that reads them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    *("babel", "currency_converter", "highspy", "jinja2", "numpy", "openpyxl", "pandas", "pandera", "pint", "polars"),
    *("pyarrow", "selectolax", "hypothesis", "_pytest"),
}
"""Pydantic is not among them: Typer itself looks at the words of a command with it."""
SCRIPT = "import sys\nfrom zhiji_etl.cli import main\nsys.exit(main())\n"
"""What installers write for a console script."""


def started(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).parents[1])
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(
        [sys.executable, *words], cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(params=["script", "module"])
def command(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """Both ways to start the command line."""
    if request.param == "module":
        return ["-m", "zhiji_etl"]
    script = tmp_path / "zhiji-etl"
    script.write_text(SCRIPT, encoding="utf-8")
    return [str(script)]


@pytest.mark.parametrize(
    ("words", "code"),
    [("--version", 0), ("--help", 0), ("run --help", 0), ("nonsense", 2), ("run --nonsense", 2)],
)
def test_answers_without_figures_load_nothing_heavy(command: list[str], words: str, code: int, tmp_path: Path):
    done = started("-X", "importtime", *command, *words.split(), cwd=tmp_path)
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert done.returncode == code
    assert "typer" in loaded
    assert loaded & HEAVY == set()


def project(folder: Path, line: str) -> Path:
    """A project with one figure, whose schema file holds that line."""
    (folder / "raw").mkdir(parents=True)
    (folder / "schemas").mkdir()
    (folder / "schemas" / "one.py").write_text(
        f"import gc\n\nimport polars as pl\n\nimport zhiji_etl as zj\n\n{line}\n\n\n"
        'class One(zj.Table):\n    sales: float = zj.Quantity("vehicle")\n',
        encoding="utf-8",
    )
    (folder / "raw" / "one.csv").write_text("entity,metric,period,printed\nA,sales,2019,5 cars\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("line", ['SALES = pl.col("sales").figure', "assert gc.get_freeze_count() > 0"])
def test_a_command_that_reads_has_the_namespace_and_keeps_what_it_loaded(command: list[str], line: str, tmp_path: Path):
    done = started(*command, "run", str(project(tmp_path / "project", line)), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_program_keeps_its_garbage_collector(tmp_path: Path):
    folder = project(tmp_path / "project", "assert gc.get_freeze_count() == 0 and gc.get_threshold()[0] < 10_000")
    done = started("-c", f"import zhiji_etl as zj; zj.Project({str(folder)!r}).run()", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "first",
    [
        "import polars as pl, zhiji_etl",
        "import zhiji_etl, polars as pl",
        "from zhiji_etl import errors; import polars as pl",
    ],
)
@pytest.mark.parametrize("words", ["", "run", "-m zhiji_etl"])
def test_every_other_program_has_the_namespace_at_once(first: str, words: str, tmp_path: Path):
    program = tmp_path / "program.py"
    program.write_text(f'{first}\npl.col("printed").figure\n', encoding="utf-8")
    done = started(str(program), *words.split(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_module_of_another_name_has_the_namespace_at_once(tmp_path: Path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "__init__.py").write_text(
        'import zhiji_etl, polars as pl\npl.col("printed").figure\n', encoding="utf-8"
    )
    (tmp_path / "other" / "__main__.py").write_text("", encoding="utf-8")
    done = started("-m", "other", "-m", "nothing", "zhiji_etl", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


USED = """import pandas as pd
import pandera.pandas as other

other.DataFrameSchema({"a": other.Column(int, other.Check.ge(0))}).validate(pd.DataFrame({"a": [1]}))"""


@pytest.mark.parametrize(("line", "are_loaded"), [("", False), (USED, True)])
def test_a_run_loads_other_frames_only_where_a_schema_does(
    command: list[str], line: str, are_loaded: bool, tmp_path: Path
):
    pytest.importorskip("pandas")
    folder = project(tmp_path / "project", line)
    done = started("-X", "importtime", *command, "run", str(folder), cwd=tmp_path)
    # What is tried in vain is listed too, but not what it consists of.
    loaded = {told.rpartition("|")[2].strip() for told in done.stderr.splitlines() if "|" in told}
    assert done.returncode == 0, done.stderr
    assert "pandera.polars" in loaded
    assert ("pandas._libs" in loaded) == are_loaded
    assert "hypothesis.internal" not in loaded or are_loaded


def test_a_program_keeps_all_of_pandera(tmp_path: Path):
    pytest.importorskip("pandas")
    folder = project(tmp_path / "project", "")
    code = f"import sys, zhiji_etl as zj; zj.Project({str(folder)!r}).run(); assert 'pandas' in sys.modules"
    done = started("-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
