"""Runs that are kept: listed, found by name, and held against their hashes."""

import json
from datetime import timedelta

import pytest

import zhiji_etl as zj
from zhiji_etl.errors import OutputError
from zhiji_etl.outputs import publication, runs
from zhiji_etl.outputs.history import chosen, history, verified

ROWS = "A,vehicle_sales,2019,5 vehicles\n"


@pytest.fixture
def build(project):
    """A build folder with two runs."""
    folder = project(ROWS)
    for _ in range(2):
        zj.Project(folder).run()
    return folder / "build"


def test_runs_are_listed(build, command):
    listed = json.loads(command("runs", build, "--json").out)["runs"]
    assert [run["run_id"] for run in listed] == [info.run_id for info in runs(build)]
    assert [run["latest"] for run in listed] == [False, True]
    assert {run["raw_rows"] for run in listed} == {1}
    told = command("runs", build)
    assert told.code == 0
    assert [line.split()[0] for line in told.out.splitlines()] == ["run", *(run["run_id"] for run in listed)]
    assert told.out.splitlines()[-1].endswith("latest")
    assert "…" not in told.out
    assert told.out.splitlines()[0].split()[1:] == ["finished", "raw", "rows", "figures", "rejects", "findings"]


def test_no_runs(command, tmp_path):
    assert json.loads(command("runs", tmp_path, "--json").out) == {"runs": []}
    assert command("runs", tmp_path).out.strip() == "no runs"
    told = command("verify", tmp_path)
    assert (told.code, "no published run" in told.err) == (5, True)


@pytest.mark.parametrize("arguments", [("runs",), ("verify",), ("verify", "--run", "2"), ("diff", "--build")])
def test_a_folder_that_is_not_there(command, tmp_path, arguments):
    """A slip in its name must not look like a project without runs."""
    (tmp_path / "file").write_text("no folder")
    for name in ("absent", "file"):
        told = command(*arguments, tmp_path / name)
        assert (told.code, told.out) == (5, "")
        assert told.err.startswith(f"zhiji-etl: There is no folder {tmp_path / name}. Hint: Start one")
        assert told.err.endswith("[no_run]\n")


def test_the_folder_of_a_run_or_of_all_runs_may_be_named(build, command):
    """As far as somebody went down to look at what is there."""
    first, last = (info.path for info in runs(build))
    for folder in (build.parent, build, build / "latest", build / "runs", last, first):
        assert len(json.loads(command("runs", folder, "--json").out)["runs"]) == 2
        assert "no figure differs" in command("diff", "--build", folder).out
        meant = first if folder == first else last
        assert command("verify", folder).out.startswith(f"{meant.name}: ")


def test_a_broken_manifest_hides_no_run(build):
    first = runs(build)[0].path
    (first / "run.json").write_text("[]")
    assert [run["raw_rows"] for run in history(build)] == [None, 1]


def test_a_run_is_found_by_the_beginning_of_its_id(build):
    first, last = (info.run_id for info in runs(build))
    assert chosen(build).name == last
    assert chosen(build, first[:-1]).name == first
    for name, problem in (("2", "several runs"), ("x", "no run")):
        with pytest.raises(OutputError, match=problem) as caught:
            chosen(build, name)
        assert caught.value.code == "run_unknown"


def test_every_changed_file_is_told(build, command):
    first, last = (info.path for info in runs(build))
    assert "all as they were written" in command("verify", build).out
    figures = last / "figures.parquet"
    content = bytearray(figures.read_bytes())
    content[len(content) // 2] ^= 1
    figures.write_bytes(content)
    (last / "rejects.parquet").unlink()
    (last / "note.txt").write_text("hello")
    told = command("verify", build)
    assert told.code == 5
    assert told.out == ""
    for sentence in ("figures.parquet has changed.", "rejects.parquet is missing.", "note.txt is not in the manifest."):
        assert sentence in told.err
    assert command("verify", build, "--run", first.name).code == 0
    assert verified(build, first.name).startswith(first.name)


@pytest.mark.parametrize(("grace", "left"), [(timedelta(0), 1), (publication.GRACE, 2)])
def test_keep(project, monkeypatch, command, grace, left):
    """One that was just replaced stays, because somebody may be reading it."""
    remove = publication._remove_old
    monkeypatch.setattr(publication, "_remove_old", lambda build, keep, _: remove(build, keep, grace))
    folder = project(ROWS)
    for _ in range(2):
        assert command("run", folder, "--keep", 1).code == 0
    assert len(runs(folder / "build")) == left


def test_keep_none_is_refused(project, command):
    assert command("run", project(ROWS), "--keep", 0).code == 2
