"""Generated projects say what is true of them, the table tells what was measured, and benchmarks that fail are told."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import zhiji_etl as zj
from zhiji_etl.pipeline import RunResult

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(not (ROOT / "benchmarks").is_dir(), reason="benchmarks stand in a checkout only")


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))


def raw(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "raw").iterdir()}


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sys.path.insert(0, str(ROOT))
    try:
        from benchmarks.projects import make
    finally:
        sys.path.remove(str(ROOT))
    folder = tmp_path_factory.mktemp("generated")
    make(folder, 12_000, errors=0.01, files=8)
    return folder


@pytest.fixture(scope="module")
def result(generated: Path) -> RunResult:
    return zj.Project(generated).run()


def test_every_figure_of_a_generated_project_is_read(result: RunResult):
    assert result.rejects.height == 0
    assert abs(result.figures.height - 12_000) < 100
    shapes = result.figures.get_column("printed").str.replace_all("[0-9]+", "#")
    assert shapes.n_unique() > 300
    assert result.figures.get_column("entity").str.contains(r"\p{Han}").any()


def test_exactly_the_planted_errors_are_found(generated: Path, result: RunResult):
    from benchmarks.slips import SLIPS
    from benchmarks.whole import found

    truth = pl.read_csv(generated / "truth.csv", schema_overrides={"period": pl.String})
    assert set(truth.get_column("slip")) == set(SLIPS)
    assert truth.get_column("entity").n_unique() == truth.height
    assert found(generated / "truth.csv", result.path) == (truth.height, truth.height)
    accused = result.findings.filter(pl.col("verdict") == "inconsistent", pl.col("entity").is_not_null())
    assert set(accused.get_column("entity")) == set(truth.get_column("entity"))


def test_the_truth_file_names_what_is_printed(generated: Path, result: RunResult):
    truth = pl.read_csv(generated / "truth.csv", schema_overrides={"period": pl.String})
    joined = truth.join(result.figures, on=["entity", "metric", "period"], suffix="_read")
    assert joined.height == truth.height
    assert joined.filter(pl.col("printed") != pl.col("printed_read")).is_empty()
    outside = (pl.col("true") < pl.col("low")) | (pl.col("true") > pl.col("high"))
    assert joined.select(outside.all()).item(), "what is true must not be what is printed"


def test_the_same_project_comes_of_the_same_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from benchmarks import projects

    monkeypatch.setattr(projects, "BLOCK", 40)
    for folder, seed in (("one", 1), ("same", 1), ("other", 2)):
        projects.make(tmp_path / folder, 4_000, seed=seed, files=6)
    assert raw(tmp_path / "one") == raw(tmp_path / "same")
    assert raw(tmp_path / "one") != raw(tmp_path / "other")
    whole = pl.concat(
        pl.read_csv(path, infer_schema=False).select(pl.nth(0).alias("entity"))
        for path in sorted((tmp_path / "one" / "raw").glob("accounts_*.csv"))
    )
    assert whole.n_unique() == 4_000 // projects.FIGURES, "companies are lost or doubled between blocks and files"


def test_names_are_names_of_one_company_each():
    from benchmarks.shapes import names

    many = np.concatenate([np.arange(50_000), np.arange(1_430_000, 1_450_000), np.arange(2_870_000, 2_890_000)])
    for language in ("en", "zh"):
        assert names(many, language).n_unique() == len(many)


def test_a_slip_that_no_rule_can_see_is_not_planted():
    from benchmarks.prints import AT, Prints, bounds
    from benchmarks.shapes import EXACT, shapes
    from benchmarks.slips import contradicted

    of = shapes()
    million = next(
        at for at, scale in enumerate(of.scale)
        if scale == 1e6 and of.decimals[at] == 1 and of.hedge[at] == EXACT
    )  # fmt: skip
    which = np.full((1, len(AT), 5), million)
    digits = np.full(which.shape, 10_000)
    digits[:, AT["revenue"]] = 20_000
    low, high = bounds(Prints(which, digits, np.zeros(which.shape, bool)))
    for name in ("share", "sales_growth", "revenue_growth"):
        low[:, AT[name]], high[:, AT[name]] = -np.inf, np.inf
    assert not contradicted(low, high)[0]
    for step, seen in ((1, False), (5, True)):
        digits[0, AT["home"], 2] = 10_000 + step
        moved = bounds(Prints(which, digits, np.zeros(which.shape, bool)))
        low[:, AT["home"]], high[:, AT["home"]] = (end[:, AT["home"]] for end in moved)
        assert contradicted(low, high)[0] == seen


def measured(ratio: float, peak: float = 100.0, what: str = "work") -> dict:
    from benchmarks.record import Measure, Spent, as_row

    row = as_row(Measure(what, "other", Spent(ratio, ratio, peak), Spent(1.0, 1.0)))
    return {"part": "rules", **row}


def told(*rows: dict) -> dict:
    machine = {"processor": "one", "cores": 2, "memory_gb": 4.0, "system": "Linux"}
    return {
        "at": "2026-01-02T03:04:05", "commit": "abc", "small": False, "machine": machine,
        "versions": {"polars": "2.1.0"}, "measures": list(rows),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("new", "code", "says"),
    [
        (measured(2.1), 0, "nothing changed by more than 10%"),
        (measured(2.5), 1, "+25%  2 -> 2.5 ratio: rules, work, beside other"),
        (measured(1.5), 0, "-25%  2 -> 1.5 ratio: rules, work, beside other"),
        (measured(2.0, peak=150.0), 1, "+50%  100 -> 150 MB at the peak: rules, work"),
        (measured(2.0, what="other work"), 0, "no longer measured: rules, work"),
    ],
)
def test_what_changed_between_commits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], new: dict, code: int, says: str
):
    from benchmarks.compare import main

    files = [tmp_path / "old.json", tmp_path / "new.json"]
    for path, row in zip(files, (measured(2.0), new), strict=True):
        path.write_text(json.dumps(told(row)), encoding="utf-8")
    assert main([str(path) for path in files]) == code
    assert says in capsys.readouterr().out


def test_the_table_goes_between_its_marks():
    from benchmarks.table import BEGIN, END, page_table, written

    table = page_table(told(measured(0.0123)))
    assert "| work | other | 0.012 s, 100 MB | 1 s | 0.012 | 0.012 |  |" in table
    page = written(f"head\n{BEGIN}\nold\n{END}\ntail", table)
    assert page.startswith("head\n")
    assert page.endswith(f"{END}\ntail")
    assert "old" not in page
    assert written(page, table) == page
    with pytest.raises(ValueError, match="has no"):
        written("no marks", table)


def test_the_page_has_its_marks():
    from benchmarks.table import PAGE, written

    assert "new" in written(PAGE.read_text(encoding="utf-8"), "new")


def test_a_part_that_fails_has_a_row_and_an_exit_code(monkeypatch: pytest.MonkeyPatch):
    from benchmarks import table

    monkeypatch.setitem(table.PARTS, "rules", table.Part("Rules", "shapes"))
    chosen = argparse.Namespace(parts=["rules"], small=True, figures=None, options="", peers=Path("nowhere"))
    (row,) = table.told(chosen)["measures"]
    assert row["note"].startswith("failed: AttributeError")
    assert table.wrong(row)


def test_parts_of_the_table_run_small(tmp_path: Path):
    told_in = tmp_path / "bench.json"
    parts = ("rules", "conversion", "localise")
    command = [sys.executable, "-m", "benchmarks.table", "--small", "--json", str(told_in), *parts]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(told_in.read_text(encoding="utf-8"))["measures"]
    assert {row["part"] for row in rows} == set(parts)
    assert all(row["ratio"] or row["note"] == "not installed" for row in rows)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told by Linux")
def test_memory_is_that_of_all_processes():
    from benchmarks.processes import python

    child = "import time; held = bytearray(80_000_000); time.sleep(0.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}]); print('done')"
    alone, both = python("-c", child), python("-c", f"held = bytearray(80_000_000); {parent}")
    assert both.stdout == "done\n"
    assert both.spent.peak_mb > 160 > alone.spent.peak_mb > 80
    with pytest.raises(RuntimeError, match="no such luck"):
        python("-c", "raise SystemExit('no such luck')")
