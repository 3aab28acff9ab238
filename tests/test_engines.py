"""The laws of every engine: the same results in the same order, and errors that come through."""

import os
import pickle
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from engines import shards
from engines.shards import USED

from zhiji_etl import errors
from zhiji_etl.engines import ENGINES, Engine, engine
from zhiji_etl.errors import EngineError, FigureError

PARTITIONS = 7
KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ZhijiError)]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What engines put aside."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module", params=[*sorted(ENGINES), "processes"])
def running(request: pytest.FixtureRequest, scratch: Path) -> Iterator[Engine]:
    """Each engine, small: two processes at most."""
    if request.param == "processes":
        with engine("local", None, scratch, workers=2) as started:
            yield started
        return
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "dask":
            patch.setattr(pytest.importorskip("distributed.deploy.local"), "CPU_COUNT", 2)
        if request.param == "spark":
            needs_spark()
            # Small jobs end before Java's best compiler and its threads would gain anything.
            patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        with engine(request.param, "local[2]" if request.param == "spark" else None, scratch) as started:
            yield started


def needs_spark() -> None:
    """Skip where Spark cannot run."""
    pytest.importorskip("pyspark")
    if shutil.which("java") is None:
        pytest.skip("Apache Spark needs Java, and there is none on this machine")


def dealt(numbers: list[int], rows: int) -> list[tuple[int, list[tuple]]]:
    """What a shuffle must give, by the definition."""
    pieces = [piece for shard in numbers for piece in shards.dealt(USED, rows, shard)]
    return [
        shards.told(partition, iter([table for number, table in pieces if number == partition]))
        for partition in range(PARTITIONS)
    ]


def test_results_are_in_the_order_of_the_shards(running: Engine):
    numbers = [5, 3, 9, 3, 1]
    assert running.run_shards(shards.doubled, numbers) == [10, 6, 18, 6, 2]
    assert running.run_shards(partial(shards.scaled, 3), numbers) == [15, 9, 27, 9, 3]


def test_two_clusters_of_dask_do_not_ask_for_one_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pytest.importorskip("distributed.deploy.local"), "CPU_COUNT", 1)
    # Warnings are errors in these tests.
    with engine("dask", None, tmp_path) as one, engine("dask", None, tmp_path) as other:
        assert one.run_shards(abs, [-1]) == other.run_shards(abs, [1]) == [1]


def test_shards_are_whatever_can_be_pickled(running: Engine):
    paths = [Path("b"), Path("a")]
    assert [name for name, _ in running.run_shards(shards.named, paths)] == ["b", "a"]


@pytest.mark.parametrize("rows", [1, 3_000])
def test_a_shuffle_gives_each_partition_its_tables_as_they_were(running: Engine, rows: int):
    numbers = [4, 0, 7, 2, 4, 11]
    made = running.shuffle_by_key(partial(shards.dealt, USED, rows), numbers, shards.told, PARTITIONS)
    assert made == dealt(numbers, rows)


def test_partitions_without_rows_are_gathered_too(running: Engine):
    made = running.shuffle_by_key(partial(shards.dealt, 1, 2), [1], shards.told, 3)
    assert [partition for partition, _ in made] == [0, 1, 2]
    assert [bool(pieces) for _, pieces in made] == [True, False, False]


def test_without_shards_there_are_still_partitions(running: Engine):
    assert running.run_shards(shards.doubled, []) == []
    assert running.shuffle_by_key(partial(shards.dealt, 1, 2), [], shards.told, 2) == [(0, []), (1, [])]


def test_results_may_be_tables(running: Engine):
    made = running.shuffle_by_key(partial(shards.dealt, USED, 10), [1, 2, 3], shards.summed, PARTITIONS)
    rows = [table.num_rows for shard in (1, 2, 3) for _, table in shards.dealt(USED, 10, shard)]
    assert pl.from_arrow(pa.concat_tables(made))["rows"].sum() == sum(rows)


def test_a_gatherer_need_not_read_on(running: Engine):
    made = running.shuffle_by_key(partial(shards.dealt, USED, 10), [1, 2], shards.first, PARTITIONS)
    assert [len(pieces) > 0 for _, pieces in dealt([1, 2], 10)] == [rows is not None for rows in made]


def refusing_run(running: Engine) -> None:
    running.run_shards(partial(shards.refused, 2), [0, 1, 2, 3, 4])


def refusing_split(running: Engine) -> None:
    running.shuffle_by_key(partial(shards.refused_split, 2), [0, 1, 2, 3, 4], shards.summed, 3)


def refusing_gather(running: Engine) -> None:
    running.shuffle_by_key(partial(shards.dealt, 1, 2), [1], partial(shards.refused_gather, 2), 5)


@pytest.mark.parametrize("work", [refusing_run, refusing_split, refusing_gather])
def test_an_error_of_the_library_comes_out_as_it_was_raised(running: Engine, work: Callable[[Engine], None]):
    with pytest.raises(FigureError) as caught:
        work(running)
    with pytest.raises(FigureError) as raised:
        shards.refused(2, 2)
    assert vars(caught.value) == vars(raised.value)
    assert str(caught.value) == str(raised.value)


def breaking_run(running: Engine) -> None:
    running.run_shards(shards.broken, [1, 2, 3])


def breaking_split(running: Engine) -> None:
    running.shuffle_by_key(shards.broken_split, [1, 2, 3], shards.summed, 2)


@pytest.mark.parametrize("work", [breaking_run, breaking_split])
def test_any_other_error_says_that_the_engine_failed(running: Engine, work: Callable[[Engine], None]):
    with pytest.raises(EngineError, match="KeyError: 'shard 2 broke'") as caught:
        work(running)
    assert caught.value.code == "engine_failed"


def test_a_row_that_would_go_astray_is_an_error(running: Engine):
    with pytest.raises(EngineError, match="no partition 2 among 2"):
        running.shuffle_by_key(partial(shards.astray, 2), [1], shards.summed, 2)


def test_nothing_is_left_of_a_shuffle(running: Engine, scratch: Path):
    with pytest.raises(FigureError):
        running.shuffle_by_key(partial(shards.refused_split, 2), [0, 1, 2], shards.summed, 3)
    running.shuffle_by_key(partial(shards.dealt, USED, 10), [1, 2], shards.first, PARTITIONS)
    assert list(scratch.glob("shuffle-*")) == []


def test_an_unknown_engine_is_named_with_the_nearest(tmp_path: Path):
    with pytest.raises(EngineError) as caught:
        engine("lokal", None, tmp_path)
    assert (caught.value.code, caught.value.hint) == ("engine_unknown", "did you mean local?")


def test_the_local_engine_has_no_address(tmp_path: Path):
    with pytest.raises(EngineError) as caught:
        engine("local", "tcp://here:1", tmp_path)
    assert caught.value.code == "engine_address"


@pytest.mark.parametrize(("name", "workers"), [("local", 0), ("local", -1), ("dask", 2), ("spark", 2)])
def test_workers_are_those_of_the_local_engine(name: str, workers: int, tmp_path: Path):
    with pytest.raises(EngineError) as caught:
        engine(name, None, tmp_path, workers)
    assert caught.value.code == "engine_workers"


def test_each_worker_has_its_share_of_the_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pl, "thread_pool_size", lambda: 6)
    with engine("local", None, tmp_path, workers=2) as started:
        assert started.run_shards(shards.threads, [0]) == [3]


def test_a_worker_that_is_ended_from_outside_ends_the_work(tmp_path: Path):
    with engine("local", None, tmp_path, workers=2) as started:
        with pytest.raises(EngineError, match="memory") as caught:
            started.run_shards(shards.killed, [1, 2, 3])
        assert caught.value.code == "engine_failed"


ORPHANS = """
import sys
from pathlib import Path
from engines import shards
from zhiji_etl.engines import engine

if __name__ == "__main__":
    with engine("local", None, Path(sys.argv[1]), workers=2) as started:
        started.run_shards(shards.waiting, [Path(sys.argv[1]), Path(sys.argv[1])])
"""


def test_workers_end_with_a_killed_parent(tmp_path: Path):
    script = tmp_path / "driver.py"
    script.write_text(ORPHANS)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    driver = subprocess.Popen([sys.executable, str(script), str(tmp_path)], env=environment, stdout=subprocess.PIPE)
    until = time.monotonic() + 60
    while len(list(tmp_path.glob("*.pid"))) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    driver.kill()
    # Workers have the same standard output: it ends with the last of them.
    driver.communicate(timeout=30)
    assert len(list(tmp_path.glob("*.pid"))) == 2


def test_a_missing_package_is_named_with_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(EngineError, match="distributed") as caught, engine("dask", None, tmp_path):
        pass
    assert (caught.value.code, caught.value.hint) == ("engine_missing", "pip install 'zhiji_etl[dask]'")


@pytest.mark.parametrize(
    ("name", "address"),
    [("dask", "tcp://127.0.0.1:1"), ("dask", "spark://127.0.0.1:1"), ("spark", "spark://127.0.0.1:1")],
)
def test_an_address_where_nothing_answers(name: str, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip({"dask": "distributed", "spark": "pyspark"}[name])
    monkeypatch.setattr("zhiji_etl.engines.dask.PATIENCE", 0.5)
    monkeypatch.setattr("pyspark.SparkContext._active_spark_context", None, raising=False)
    with pytest.raises(EngineError, match=address) as caught, engine(name, address, tmp_path):
        pass
    assert caught.value.code == "engine_unreachable"


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "tcp://no-such-host.invalid:8786"])
def test_a_refused_address_is_not_waited_for(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("zhiji_etl.engines.dask.REFUSALS", 0.5)
    began = time.monotonic()
    with pytest.raises(EngineError, match=r"refused|not known|resolution") as caught, engine("dask", address, tmp_path):
        pass
    assert caught.value.code == "engine_unreachable"
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("home", ["/nowhere", None])
def test_spark_without_java_says_so(home: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("pyspark")
    from zhiji_etl.engines import sparkcontext

    monkeypatch.setattr("pyspark.SparkContext._active_spark_context", None)
    monkeypatch.setattr(sparkcontext, "_gateway", sparkcontext._gateway.__wrapped__)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("JAVA_HOME", home) if home else monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(EngineError, match="Java is not") as caught, engine("spark", None, tmp_path):
        pass
    assert caught.value.code == "engine_java"


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_travels_whole(kind: type[errors.ZhijiError]):
    error = kind("code", "What was wrong.", hint="What helps.")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), vars(copy), str(copy)) == (kind, vars(error), str(error))
