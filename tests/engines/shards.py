"""What workers do in the tests of engines: functions that a worker imports by their name."""

from __future__ import annotations

import itertools
import os
import random
import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa

from zhiji_etl.errors import FigureError

WORD = "百万 vehicles"
USED = 5


def doubled(shard: int) -> int:
    return 2 * shard


def scaled(factor: int, shard: int) -> int:
    return factor * shard


def named(shard: Path) -> tuple[str, int]:
    return shard.name, os.getpid()


def refused(bad: int, shard: int) -> int:
    """Raises what the library raises, for all shards from `bad` on."""
    if shard >= bad:
        text = f"figure {shard}"
        raise FigureError("not_a_figure", f"{text!r} is none.", text=text, start=2, end=5, hint="print it")
    return shard


def broken(shard: int) -> int:
    if shard == 2:
        raise KeyError(f"shard {shard} broke")
    return shard


def broken_split(shard: int) -> Iterator[tuple[int, pa.Table]]:
    yield 0, pa.table({"shard": [shard]})
    broken(shard)


def refused_split(bad: int, shard: int) -> Iterator[tuple[int, pa.Table]]:
    yield 1, pa.table({"shard": [shard]})
    refused(bad, shard)
    yield 0, pa.table({"shard": [shard]})


def refused_gather(bad: int, partition: int, pieces: Iterator[pa.Table]) -> int:
    return refused(bad, partition)


def astray(partitions: int, shard: int) -> Iterator[tuple[int, pa.Table]]:
    yield partitions, pa.table({"shard": [shard]})


def dealt(used: int, rows: int, shard: int) -> Iterator[tuple[int, pa.Table]]:
    """Tables of a shard: partitions again and again, every third of its own schema, now and then one without rows."""
    chance = random.Random(shard)
    for number in range(4 + shard % 3):
        partition = chance.randrange(used)
        height = chance.choice([0, 1, rows])
        columns = {"shard": [shard] * height, "number": [number] * height, "key": list(range(height))}
        if number % 3 == 1:
            columns = {"text": [f"{WORD} {key}" for key in range(height)], **columns}
        yield partition, pa.table(columns).replace_schema_metadata({"unit": f"{shard}"})


def told(partition: int, pieces: Iterator[pa.Table]) -> tuple[int, list[tuple]]:
    """All that a gatherer can see: names, metadata and rows of each table, in order."""
    return partition, [
        (tuple(piece.column_names), dict(piece.schema.metadata), tuple(map(tuple, piece.to_pydict().values())))
        for piece in pieces
    ]


def summed(partition: int, pieces: Iterator[pa.Table]) -> pa.Table:
    """A result that is a table, as pipelines make them."""
    heights = [piece.num_rows for piece in pieces]
    return pa.table({"partition": [partition], "pieces": [len(heights)], "rows": [sum(heights)]})


def first(partition: int, pieces: Iterator[pa.Table]) -> int | None:
    """A gatherer that does not read on."""
    piece = next(pieces, None)
    return None if piece is None else piece.num_rows


def marked(folder: Path, moment: str, number: int, seconds: float) -> None:
    """Leave a file that says that this has begun, and in which process, and take a while."""
    (folder / f"{moment}-{number}-{uuid.uuid4().hex}-{os.getpid()}").touch()
    time.sleep(seconds)


def slow_work(folder: Path, seconds: float, shard: int) -> int:
    marked(folder, "work", shard, seconds)
    return scaled(3, shard)


def slow_split(folder: Path, seconds: float, rows: int, shard: int) -> Iterator[tuple[int, pa.Table]]:
    """Some tables, a while, and the other tables."""
    pieces = list(dealt(USED, rows, shard))
    yield from pieces[:2]
    marked(folder, "split", shard, seconds)
    yield from pieces[2:]


def slow_gather(folder: Path, seconds: float, partition: int, pieces: Iterator[pa.Table]) -> tuple[int, list[tuple]]:
    """As `told`, a while after the first table."""
    ahead = list(itertools.islice(pieces, 1))
    marked(folder, "gather", partition, seconds)
    return told(partition, itertools.chain(ahead, pieces))


def threads(shard: int) -> int:
    """How many threads Polars has here."""
    return pl.thread_pool_size()


def killed(shard: int) -> None:
    """Ended as by the system where memory runs out."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)


def waiting(folder: Path) -> None:
    """Say who works here, and go on for long."""
    (folder / f"{os.getpid()}.pid").touch()
    time.sleep(60)
