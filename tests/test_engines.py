"""The laws of every engine: the same results in the same order, and errors that come through."""

import pickle
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from engines import shards

from zhiji_etl import errors
from zhiji_etl.engines import ENGINES, Engine, engine
from zhiji_etl.errors import EngineError, FigureError

PARTITIONS = 7
USED = 5
KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ZhijiError)]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What engines put aside."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module", params=sorted(ENGINES))
def running(request: pytest.FixtureRequest, scratch: Path) -> Iterator[Engine]:
    with engine(request.param, None, scratch) as started:
        yield started


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
    assert list(scratch.iterdir()) == []


def test_an_unknown_engine_is_named_with_the_nearest(tmp_path: Path):
    with pytest.raises(EngineError) as caught:
        engine("lokal", None, tmp_path)
    assert (caught.value.code, caught.value.hint) == ("engine_unknown", "did you mean local?")


def test_the_local_engine_has_no_address(tmp_path: Path):
    with pytest.raises(EngineError) as caught:
        engine("local", "tcp://here:1", tmp_path)
    assert caught.value.code == "engine_address"


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_travels_whole(kind: type[errors.ZhijiError]):
    error = kind("code", "What was wrong.", hint="What helps.")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), vars(copy), str(copy)) == (kind, vars(error), str(error))
