"""Sources that did not change are not read again, and nobody can tell from the result."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from soak.laws import hashes
from soak.projects import HEADER, OTHER_UNIT, RULE, SCHEMA, Editor, three, write

import zhiji_etl as zj
from zhiji_etl import cache
from zhiji_etl.errors import SourceError
from zhiji_etl.outputs import latest, read_manifest, runs
from zhiji_etl.pipeline import RunResult
from zhiji_etl.sources import files, find_sources


def recalled(result: RunResult) -> set[str]:
    return {entry["name"] for entry in result.manifest["inputs"] if entry["recalled"]}


@pytest.fixture(name="three")
def a_project_of_three_sources(tmp_path: Path) -> Path:
    return three(tmp_path)


# ---------------------------------------------------------------------------------------------------- random edits


@pytest.mark.parametrize("seed", range(4))
def test_random_edits_give_what_a_full_run_gives(three: Path, tmp_path: Path, seed: int):
    editor = Editor(three, random.Random(seed))
    zj.Project(three).run()
    again = 0
    for step in range(6):
        editor.edit()
        result = zj.Project(three).run()
        full = zj.Project(three).run(tmp_path / f"full{step}")
        assert hashes(result.path) == hashes(full.path)
        assert recalled(full) == set()
        again += len(recalled(result))
    assert again > 0


# ------------------------------------------------------------------------------------------------- what is read again


def run_twice(folder: Path, change: Callable[[], object]) -> set[str]:
    zj.Project(folder).run()
    change()
    return recalled(zj.Project(folder).run())


def test_only_the_changed_source_is_read(three: Path):
    assert run_twice(three, lambda: None) == {"a.csv", "b.csv", "c.csv"}
    assert run_twice(three, lambda: write(three, "raw/b.csv", HEADER + "B,sales,2019,5\n")) == {"a.csv", "c.csv"}
    assert run_twice(three, lambda: write(three, "raw/a.toml", "decimals = 0\n")) == {"b.csv", "c.csv"}
    # Without it the source is again what an earlier run has read.
    assert run_twice(three, lambda: (three / "raw" / "a.toml").unlink()) == {"a.csv", "b.csv", "c.csv"}
    assert run_twice(three, lambda: (three / "raw" / "a.csv").rename(three / "raw" / "d.csv")) == {"b.csv", "c.csv"}
    assert run_twice(three, lambda: write(three, "raw/e.csv", HEADER)) == {"b.csv", "c.csv", "d.csv"}


@pytest.mark.parametrize("schema", [SCHEMA + RULE, OTHER_UNIT, SCHEMA.replace("sales", "sale")])
def test_another_schema_reads_all(three: Path, schema: str):
    assert run_twice(three, lambda: write(three, "schemas/company_year.py", schema)) == set()


def test_what_is_unchanged_is_not_even_checked(three: Path, monkeypatch: pytest.MonkeyPatch):
    """Neither the structure of a file nor its rows: what it holds with its defects and warnings is remembered."""
    write(three, "raw/d.csv", HEADER + "D,sales\nD,sales,2019,5 vehicles")
    first = zj.Project(three).run()
    for step in ("zhiji_etl.sources.files._structure", "zhiji_etl.rows.scan_source"):
        monkeypatch.setattr(step, lambda *_: pytest.fail("it is read again"))
    second = zj.Project(three).run()
    assert hashes(second.path) == hashes(first.path)
    assert [one["warnings"] for one in second.manifest["inputs"]] == [
        one["warnings"] for one in first.manifest["inputs"]
    ]
    assert any(one["warnings"] for one in second.manifest["inputs"])


def test_another_library_reads_all(three: Path, monkeypatch: pytest.MonkeyPatch):
    assert run_twice(three, lambda: monkeypatch.setattr(cache, "library_sha256", lambda: "another")) == set()


def test_another_polars_reads_all(three: Path, monkeypatch: pytest.MonkeyPatch):
    assert run_twice(three, lambda: monkeypatch.setattr(cache, "_versions", dict)) == set()


def test_a_schema_that_takes_its_units_from_elsewhere(three: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What a schema imports is in no file of schemas/."""
    monkeypatch.setenv("UNIT", "CNY")
    write(three, "schemas/company_year.py", "import os\n" + SCHEMA.replace('"CNY"', 'os.environ["UNIT"]'))
    assert run_twice(three, lambda: monkeypatch.setenv("UNIT", "USD")) == set()


def test_force_reads_all(three: Path, command):
    zj.Project(three).run()
    assert recalled(zj.Project(three).run(force=True)) == set()
    assert "3, of which 3 unchanged and not read again" in command("run", three).out
    assert "not read again" not in command("run", three, "--force").out


def test_a_project_elsewhere_with_other_rows(three: Path, tmp_path: Path):
    """A second project that publishes into the same folder gets its own rows."""
    other = tmp_path / "other"
    shutil.copytree(three / "raw", other / "raw")
    shutil.copytree(three / "schemas", other / "schemas")
    write(other, "raw/a.csv", HEADER + "Z,sales,2019,9 vehicles\n")
    zj.Project(three).run(tmp_path / "out")
    result = zj.Project(other).run(tmp_path / "out")
    assert recalled(result) == {"b.csv", "c.csv"}
    assert "Z" in result.figures["entity"].to_list()


def test_two_names_of_one_ordinal(three: Path, monkeypatch: pytest.MonkeyPatch):
    """A new file may take the place of another one among the row ids: then that one's rows have other ids."""
    monkeypatch.setattr(files, "ORDINALS", 4)
    before = files.ordinals(find_sources(three / "raw"))
    zj.Project(three).run()
    for number in range(100):
        write(three, f"raw/0{number}.csv", HEADER + "D,sales,2019,5 vehicles\n")
        after = files.ordinals(find_sources(three / "raw"))
        if any(after[name] != ordinal for name, ordinal in before.items()):
            break
        (three / f"raw/0{number}.csv").unlink()
    result = zj.Project(three).run()
    assert recalled(result) == {name for name, ordinal in before.items() if after[name] == ordinal} < set(before)
    assert hashes(result.path) == hashes(zj.Project(three).run(three / "full").path)


# -------------------------------------------------------------------------------------------------- damage and disks


@pytest.mark.parametrize("ending", ["json", "parquet"])
@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "swap", "name", "folder"])
def test_a_damaged_file_is_noticed_and_read_again(
    three: Path, damage: str, ending: str, caplog: pytest.LogCaptureFixture
):
    first = zj.Project(three).run()
    one, other, _ = sorted((three / "build" / "cache").glob(f"*.{ending}"))
    content = bytearray(one.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
        one.write_bytes(content)
    elif damage == "cut":
        one.write_bytes(content[:-1])
    elif damage == "empty":
        one.write_bytes(b"")
    elif damage == "swap":
        one.write_bytes(other.read_bytes())
    elif damage == "name":
        one.rename(one.with_name(one.name.partition("-")[0] + "-" + "0" * 64 + f".{ending}"))
    else:
        one.unlink()
        one.mkdir()
    second = zj.Project(three).run()
    assert len(recalled(second)) == (2 if ending == "parquet" else 3)
    assert hashes(second.path) == hashes(first.path)
    assert damage == "folder" or "is damaged" in caplog.text
    assert damage == "folder" or len(recalled(zj.Project(three).run())) == 3


def test_nothing_can_be_kept(three: Path, monkeypatch: pytest.MonkeyPatch):
    """A full disk, a folder that is none: the run is as good as any."""
    write(three, "build/cache", "a file stands where the folder should be")
    result = zj.Project(three).run()
    assert result.figures.height > 0
    assert recalled(zj.Project(three).run()) == set()
    assert (three / "build" / "cache").read_text() == "a file stands where the folder should be"


def test_a_source_that_changes_while_it_is_read_is_not_kept(three: Path, monkeypatch: pytest.MonkeyPatch):
    """Its new rows under the key of its old bytes would be believed as soon as the old bytes are back."""
    old = (three / "raw" / "a.csv").read_bytes()

    def late(*given: object) -> list:
        found = find_sources(*given)
        write(three, "raw/a.csv", HEADER + "Z,sales,2019,9 vehicles\n")
        return found

    monkeypatch.setattr("zhiji_etl.sources.find_sources", late)
    with pytest.raises(SourceError) as caught:
        zj.Project(three).run()
    assert caught.value.code == "source_changed"
    monkeypatch.undo()
    (three / "raw" / "a.csv").write_bytes(old)
    assert "Z" not in zj.Project(three).run().figures["entity"].to_list()


# ------------------------------------------------------------------------------------------------------- retention


def test_what_kept_runs_were_made_of_stays(three: Path, monkeypatch: pytest.MonkeyPatch):
    from datetime import timedelta

    from zhiji_etl.outputs.publication import publishing

    monkeypatch.setattr(
        "zhiji_etl.pipeline.publishing", lambda out, keep: publishing(out, keep=keep, grace=timedelta(0))
    )
    versions = [HEADER + f"A,sales,2019,{n} vehicles\n" for n in range(5)]
    for text in versions:
        write(three, "raw/a.csv", text)
        zj.Project(three).run(keep=2)
    (three / "build" / "cache" / "left by a killed run.parquet").write_bytes(b"")
    write(three, "raw/a.csv", versions[3])
    assert recalled(zj.Project(three).run(keep=2)) == {"a.csv", "b.csv", "c.csv"}
    assert len(runs(three / "build")) == 2
    kept = {path.name.partition("-")[0] for path in (three / "build" / "cache").iterdir()}
    inputs = [entry for run in runs(three / "build") for entry in read_manifest(run.path)["inputs"]]
    assert kept == {entry[name] for entry in inputs for name in ("reading", "structure")}
    assert len(kept) == 8
    write(three, "raw/a.csv", versions[0])
    assert recalled(zj.Project(three).run(keep=2)) == {"b.csv", "c.csv"}
    assert latest(three / "build").is_dir()


def test_the_manifest_says_how_many(three: Path):
    zj.Project(three).run()
    manifest = read_manifest(zj.Project(three).run().path)
    assert (manifest["counts"]["sources"], manifest["counts"]["recalled"]) == (3, 3)
    schema = json.loads((Path(zj.__file__).parent / "run.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(manifest, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**manifest, "inputs": [{**manifest["inputs"][0], "reading": "none"}]}, schema)
