"""Publishing under faults: kills, readers, two runs, a clock that goes back, a full disk. Metadata and bytes."""

import json
import os
import random
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import jsonschema
import polars as pl
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal

import zhiji_etl
from zhiji_etl.errors import OutputError
from zhiji_etl.outputs import (
    RunFolder,
    latest,
    neutralise_formulas,
    publishing,
    read_manifest,
    refuse_unwritable,
    runs,
    verify,
)
from zhiji_etl.outputs.disk import temporary_folder
from zhiji_etl.outputs.folder import json_text
from zhiji_etl.outputs.published import new_run_id
from zhiji_etl.sources.names import safe_terminal

ROOT = Path(zhiji_etl.__file__).parents[1]
FRAME = pl.DataFrame({"entity": ["A", "B"], "sales": [6.238e6, None]})
NO_GRACE = timedelta(0)


def publish(build: Path, value: int = 0, rows: int = 3, **options) -> Path:
    with publishing(build, **options) as run:
        run.write_parquet("figures.parquet", pl.DataFrame({"n": [value] * rows}))
        run.write_text("summary.json", json.dumps({"n": value}))
    return run.path


def value_of(run: Path) -> set[int]:
    return {json.loads((run / "summary.json").read_text())["n"], *pl.read_parquet(run / "figures.parquet")["n"]}


def child(code: str, folder: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


# ----------------------------------------------------------------------------------------------------- a whole run


def test_a_run_is_published_with_its_manifest(tmp_path: Path):
    with publishing(tmp_path / "build") as run:
        run.write_parquet("figures.parquet", FRAME, units={"sales": "vehicle"})
        run.write_text("note.txt", "623.8万辆\n")
        run.manifest["settings"] = {"fail_on": "error"}
        run.manifest["inputs"] = [{"name": "a.csv", "sha256": "0" * 64, "bytes": 3}]
        assert not (tmp_path / "build" / "latest").exists()
    found = latest(tmp_path / "build")
    manifest = read_manifest(found)
    assert run.rows == {"figures.parquet": 2}
    assert found == run.path
    assert verify(found) == []
    assert [(o["name"], o.get("rows")) for o in manifest["outputs"]] == [("figures.parquet", 2), ("note.txt", None)]
    assert manifest["settings"] == {"fail_on": "error"}
    assert list(manifest) == sorted(manifest)
    schema = json.loads((Path(zhiji_etl.__file__).parent / "run.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(manifest, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**manifest, "outputs": [{"name": "../x", "sha256": "0", "bytes": 1}]}, schema)


def test_the_pointer_survives_a_move_of_the_folder(tmp_path: Path):
    publish(tmp_path / "build", 7)
    (tmp_path / "build").rename(tmp_path / "moved")
    assert value_of(latest(tmp_path / "moved")) == {7}


def test_a_text_pointer_where_links_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no links here")

    publish(tmp_path, 1)
    monkeypatch.setattr(Path, "symlink_to", refuse)
    publish(tmp_path, 2)
    assert not (tmp_path / "latest").is_symlink()
    assert value_of(latest(tmp_path)) == {2}
    monkeypatch.undo()
    publish(tmp_path, 3)
    assert (tmp_path / "latest").is_symlink()
    assert value_of(latest(tmp_path)) == {3}


@pytest.mark.parametrize("target", ["/etc", "../../elsewhere", "runs/..", "runs/20260101T000000000000Z-abcdef", ""])
def test_a_pointer_that_leads_elsewhere_is_no_run(tmp_path: Path, target: str):
    (tmp_path / "latest").write_text(target)
    with pytest.raises(OutputError) as caught:
        latest(tmp_path)
    assert (caught.value.code, caught.value.exit_code) == ("no_run", 5)


def test_an_exception_leaves_nothing_and_goes_through(tmp_path: Path):
    before = publish(tmp_path, 1)
    with pytest.raises(ZeroDivisionError), publishing(tmp_path) as run:  # noqa: PT012
        run.write_parquet("figures.parquet", FRAME)
        raise ZeroDivisionError
    assert latest(tmp_path) == before
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [before.name]


def test_verify_tells_what_differs(tmp_path: Path):
    run = publish(tmp_path, 1)
    content = bytearray((run / "figures.parquet").read_bytes())
    content[20] ^= 1
    (run / "figures.parquet").write_bytes(content)
    (run / "summary.json").unlink()
    (run / "extra.txt").write_text("x")
    assert verify(run) == [
        "summary.json is missing.",
        "extra.txt is not in the manifest.",
        "figures.parquet has changed.",
    ]
    (run / "run.json").write_text("{")
    assert len(verify(run)) == 1


@pytest.mark.parametrize(
    "name", ["../x.parquet", "a/b.json", ".hidden", "run.json", "", "a\nb", "taken.txt", "x" * 300]
)
def test_names_of_outputs_are_plain_and_new(tmp_path: Path, name: str):
    folder = RunFolder(tmp_path)
    folder.write_text("taken.txt", "")
    with pytest.raises(OutputError) as caught:
        folder.write_text(name, "")
    assert caught.value.code == "output_name"


# ------------------------------------------------------------------------------------------------------- retention


def test_old_runs_go_after_their_grace(tmp_path: Path):
    for value in range(5):
        publish(tmp_path, value, keep=2)
    assert len(runs(tmp_path)) == 5
    publish(tmp_path, 5, keep=2, grace=NO_GRACE)
    kept = runs(tmp_path)
    assert [value_of(run.path) for run in kept] == [{4}, {5}]
    assert [run.is_latest for run in kept] == [False, True]
    assert all(not path.name.startswith(".") for path in (tmp_path / "runs").iterdir())


def test_a_pointer_set_back_by_hand_keeps_its_run(tmp_path: Path):
    first = publish(tmp_path, 0)
    publish(tmp_path, 1)
    (tmp_path / "latest").unlink()
    (tmp_path / "latest").symlink_to(f"runs/{first.name}")
    assert value_of(latest(tmp_path)) == {0}
    publish(tmp_path, 2, keep=1, grace=NO_GRACE)
    assert value_of(latest(tmp_path)) == {2}


def test_ids_stay_in_order_when_the_clock_goes_back(tmp_path: Path):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    names = []
    for seconds in [0, 10, -3600, -86400, 20, 20]:
        name = new_run_id(tmp_path, now=lambda seconds=seconds: start + timedelta(seconds=seconds))
        (tmp_path / "runs" / name).mkdir(parents=True)
        names.append(name)
    assert names == sorted(names)
    assert len(set(names)) == len(names)


# ----------------------------------------------------------------------------------------------------------- faults

KILLED = """
import json, sys, polars as pl
from pathlib import Path
from zhiji_etl.outputs import publishing
n = 100
print("ready", flush=True)
while True:
    n += 1
    with publishing(Path(sys.argv[1]), keep=2) as run:
        run.write_parquet("figures.parquet", pl.DataFrame({"n": [n] * 50_000}))
        run.write_text("summary.json", json.dumps({"n": n}))
"""


def test_a_kill_at_any_moment_leaves_a_whole_run(tmp_path: Path):
    publish(tmp_path, 0)
    moments = random.Random(7)
    for _ in range(12):
        process = child(KILLED, tmp_path)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(moments.uniform(0, 0.12))
        process.kill()
        process.communicate()
        found = latest(tmp_path)
        assert verify(found) == []
        assert len(value_of(found)) == 1
    published = publish(tmp_path, 1)
    assert latest(tmp_path) == published
    assert all((path / "run.json").is_file() for path in (tmp_path / "runs").iterdir())
    assert {path.name for path in tmp_path.iterdir()} == {".lock", "latest", "runs"}


def test_readers_see_whole_runs_only(tmp_path: Path):
    publish(tmp_path, 0)
    done = Event()
    seen: list[set[int]] = []
    faults: list[BaseException] = []

    def read() -> None:
        while not done.is_set():
            try:
                seen.append(value_of(latest(tmp_path)))
            except BaseException as error:  # a reader's panic is what this test is about
                faults.append(error)

    readers = [Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for value in range(1, 51):
        publish(tmp_path, value, rows=20_000, keep=1)
    done.set()
    for reader in readers:
        reader.join()
    assert faults == []
    assert all(len(values) == 1 for values in seen)
    assert len(seen) > 10


def test_two_runs_at_once(tmp_path: Path):
    code = """
import sys
from pathlib import Path
from zhiji_etl.outputs import publishing
with publishing(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""
    process = child(code, tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    with pytest.raises(OutputError) as caught:
        publish(tmp_path)
    assert caught.value.code == "output_locked"
    assert str(process.pid) in caught.value.message
    process.kill()
    process.communicate()
    assert publish(tmp_path) == latest(tmp_path)


@contextmanager
def small_disk(path: Path):
    """One megabyte of tmpfs where mounting is allowed; elsewhere the test says that it did not run."""
    path.mkdir()
    try:
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path], capture_output=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if made.returncode:
        pytest.skip("a small tmpfs cannot be mounted here (not root)")
    try:
        yield path
    finally:
        subprocess.run(["umount", path], check=True)


def test_a_full_disk(tmp_path: Path):
    with small_disk(tmp_path / "disk") as build:
        before = publish(build, 1)
        large = pl.select(n=pl.int_range(500_000).hash())
        with pytest.raises(OutputError) as caught, publishing(build) as run:
            run.write_parquet("figures.parquet", large)
        assert caught.value.code == "output_unwritable"
        assert "No space left" in caught.value.message
        with pytest.raises(OutputError) as caught, publishing(build) as run:
            run.write_text("report.html", "x" * 2_000_000)
        assert caught.value.code == "output_unwritable"
        assert latest(build) == before
        assert verify(before) == []
        assert value_of(publish(build, 2)) == {2}


LIMITED = """
import resource, signal, sys, polars as pl
from pathlib import Path
from zhiji_etl.errors import OutputError
from zhiji_etl.outputs import publishing
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
build, codes = Path(sys.argv[1]), set()
for limit in [0, 1, 3, 4, 50, 500, 1_000, 2_000]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    try:
        with publishing(build) as run:
            run.write_parquet("figures.parquet", pl.DataFrame({"n": pl.int_range(2_000, eager=True).hash()}))
    except OutputError as error:
        codes.add(error.code)
print(codes)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are of POSIX")
def test_a_file_that_cannot_grow(tmp_path: Path):
    """At whichever byte a disk is full, the run ends as one that could not be written."""
    before = publish(tmp_path, 1)
    process = child(LIMITED, tmp_path)
    assert process.communicate()[0].strip() == "{'output_unwritable'}"
    assert latest(tmp_path) == before
    assert value_of(publish(tmp_path, 2)) == {2}


def test_a_whole_run_on_a_full_disk(tmp_path: Path, project, command):
    """Neither the run nor what it keeps for the next one fits: the run before stays, and the next one works."""
    rows = [f'Maker {n},vehicle_sales,2019,"{n * 7919 % 999_983:,} vehicles"\n' for n in range(1, 80_000)]
    with small_disk(tmp_path / "disk") as build:
        folder = project("A,vehicle_sales,2019,5 vehicles\n")
        assert command("run", folder, "--out", build).code == 0
        before = latest(build)
        project("".join(rows))
        told = command("run", folder, "--out", build)
        assert (told.code, "output_unwritable" in told.err) == (5, True)
        assert latest(build) == before
        assert verify(before) == []
        project("A,vehicle_sales,2019,6 vehicles\n")
        assert command("run", folder, "--out", build).code == 0
        assert verify(latest(build)) == []
        assert {path.name for path in build.iterdir()} == {".lock", "cache", "latest", "runs"}
        assert len(list((build / "runs").iterdir())) == 2


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="everything is writable to this user")
def test_a_read_only_folder(tmp_path: Path):
    before = publish(tmp_path, 1)
    (tmp_path / "runs").chmod(0o555)
    try:
        with pytest.raises(OutputError) as caught:
            publish(tmp_path, 2)
    finally:
        (tmp_path / "runs").chmod(0o755)
    assert caught.value.code == "output_unwritable"
    assert latest(tmp_path) == before
    assert value_of(publish(tmp_path, 3)) == {3}


def test_a_full_disk_while_the_manifest_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    before = publish(tmp_path, 1)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("zhiji_etl.outputs.publication.write_whole", full)
    with pytest.raises(OutputError):
        publish(tmp_path, 2)
    monkeypatch.undo()
    assert latest(tmp_path) == before
    assert len(runs(tmp_path)) == 1


def test_a_failure_after_the_switch_keeps_the_published_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    publish(tmp_path, 1)
    real = sys.modules["zhiji_etl.outputs.publication"].flush_folder

    def fails_at_last(path: Path) -> None:
        if path == tmp_path:
            raise OSError(5, "Input/output error")
        real(path)

    monkeypatch.setattr("zhiji_etl.outputs.publication.flush_folder", fails_at_last)
    with pytest.raises(OutputError):
        publish(tmp_path, 2)
    monkeypatch.undo()
    assert value_of(latest(tmp_path)) == {2}


def test_a_folder_that_cannot_be_made(tmp_path: Path):
    (tmp_path / "build").write_text("a file stands where the folder should be")
    with pytest.raises(OutputError) as caught:
        publish(tmp_path / "build")
    assert caught.value.code == "output_unwritable"
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("arguments", [(), ("--partitions", "2")])
@pytest.mark.parametrize("where", ["file", "file/below", "/proc/below"])
def test_an_output_that_cannot_be_written_is_told_before_reading(tmp_path: Path, project, command, where, arguments):
    folder = project("A,vehicle_sales,2019,5 vehicles\n")
    (tmp_path / "file").write_text("a file stands where the folder should be")
    before = sorted(tmp_path.rglob("*"))
    told = command("run", folder, "--out", tmp_path / where, "--verbose", *arguments)
    assert (told.code, told.out, "[output_unwritable]" in told.err) == (5, "", True)
    assert "info sources" not in told.err
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_asked_of_the_disk_leaves_nothing(tmp_path: Path):
    refuse_unwritable(tmp_path / "not" / "yet")
    assert list(tmp_path.iterdir()) == []
    publish(tmp_path, 1)
    (tmp_path / "runs" / "aside").write_text("")
    before = sorted(tmp_path.rglob("*"))
    refuse_unwritable(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_read_only_disk(tmp_path: Path):
    with small_disk(tmp_path / "disk") as build:
        before = publish(build, 1)
        subprocess.run(["mount", "-o", "remount,ro", build], check=True)
        with pytest.raises(OutputError) as caught:
            publish(build, 2)
        assert caught.value.code == "output_unwritable"
        assert value_of(latest(build)) == {1}
        assert verify(before) == []
        subprocess.run(["mount", "-o", "remount,rw", build], check=True)
        assert value_of(publish(build, 3)) == {3}


# ---------------------------------------------------------------------------------------------- metadata and bytes


def test_units_stand_in_the_field_metadata(tmp_path: Path):
    frame = FRAME.with_columns(
        kind=pl.Series(["x", None], dtype=pl.Enum(["x", "y"])),
        parts=pl.Series([[{"a": 1, "b": "s"}], None]),
        day=pl.date(2020, 3, 31),
        big=pl.lit(2**63, pl.UInt64),
    )
    RunFolder(tmp_path).write_parquet("a.parquet", frame, units={"sales": "vehicle", "kind": "辆"})
    schema = pq.read_schema(tmp_path / "a.parquet")
    assert schema.field("sales").metadata == {b"unit": b"vehicle"}
    assert schema.field("kind").metadata[b"unit"] == "辆".encode()
    assert_frame_equal(pl.read_parquet(tmp_path / "a.parquet"), frame)
    assert pq.read_table(tmp_path / "a.parquet").column("sales").to_pylist() == [6.238e6, None]


def test_a_unit_for_no_column_is_refused(tmp_path: Path):
    with pytest.raises(OutputError) as caught:
        RunFolder(tmp_path).write_parquet("a.parquet", FRAME, units={"sale": "vehicle"})
    assert caught.value.code == "output_column"


SAME = """
import sys, polars as pl
from pathlib import Path
from zhiji_etl.outputs import RunFolder
n = pl.int_range(300_000, eager=True)
frame = pl.DataFrame({"n": n, "h": n.hash().cast(pl.Float64), "s": ("t" + (n % 97).cast(pl.String)), "z": n * 0.1})
frame = frame.with_columns(e=pl.col("s").cast(pl.Enum([f"t{k}" for k in range(97)])), u=pl.col("n").cast(pl.UInt64))
RunFolder(Path(sys.argv[1])).write_parquet("a.parquet", frame.filter(pl.col("n") % 3 != 1), units={"z": "CNY"})
"""


def test_the_same_frame_gives_the_same_bytes_on_one_thread_and_two(tmp_path: Path):
    contents = set()
    for attempt, threads in enumerate(["1", "2", "2"]):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        settings = {**os.environ, "PYTHONPATH": str(ROOT), "POLARS_MAX_THREADS": threads}
        subprocess.run([sys.executable, "-c", SAME, str(folder)], env=settings, check=True)
        contents.add((folder / "a.parquet").read_bytes())
    assert len(contents) == 1


def test_an_empty_frame_keeps_its_columns(tmp_path: Path):
    RunFolder(tmp_path).write_parquet("a.parquet", FRAME.clear(), units={"sales": "vehicle"})
    assert pl.read_parquet(tmp_path / "a.parquet").schema == FRAME.schema


def test_json_has_no_nan():
    with pytest.raises(ValueError, match="JSON"):
        json_text({"x": float("nan")})


# -------------------------------------------------------------------------------------------------------- formulas


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=cmd|'/c calc'!A0", "'=cmd|'/c calc'!A0"),
        ("+1+cmd", "'+1+cmd"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("＝1+1", "'＝1+1"),
        ("-3.2%", "-3.2%"),
        ("-1,234", "-1,234"),
        ("6.238 million", "6.238 million"),
        ("", ""),
        (None, None),
    ],
)
def test_formulas_are_neutralised(cell: str | None, safe: str | None):
    frame = pl.DataFrame({"a": [cell]}, schema={"a": pl.String})
    assert frame.select(neutralise_formulas(pl.col("a"))).item() == safe


def test_terminal_escapes_are_written_out():
    assert safe_terminal("a\x1b[31m\nb\u202e\u2028\x9b销量 é") == "a\\x1b[31m\\nb\\u202e\\u2028\\x9b销量 é"


def test_a_temporary_folder_goes_though_a_worker_still_writes_into_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    removed, late = os.rmdir, [b"last", b"first"]

    def remove(*given, **options) -> None:
        if late:
            (Path(folder) / f"{len(late)}.arrows").write_bytes(late.pop())
        removed(*given, **options)

    with temporary_folder(tmp_path, "shuffle-") as folder:
        monkeypatch.setattr(os, "rmdir", remove)
    assert late == []
    assert list(tmp_path.iterdir()) == []
