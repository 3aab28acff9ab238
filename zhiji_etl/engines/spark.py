"""The engine of Apache Spark: a task for each shard, and Spark's own shuffle and recovery. Needs the extra `spark`.

Rows pass as bytes (Arrow IPC), cut into chunks so that a worker holds few, each with a key that orders them. RDDs carry
them: they need neither pandas, as functions on Arrow batches do, nor columns for rows whose schemas differ.
"""

from __future__ import annotations

import io
import itertools
import pickle
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, Self

import pyarrow as pa

from zhiji_etl.engines.failures import Failure, as_engine_errors, attempted, failed, results
from zhiji_etl.engines.packages import package
from zhiji_etl.engines.pieces import read_piece, split_up, write_piece
from zhiji_etl.engines.seam import Gather, Given, Made, Split
from zhiji_etl.engines.sparkcontext import spark_context

CHUNK: Final = 1 << 18
"""Bytes of a chunk: before a shuffle, PySpark holds up to a thousand in memory."""

RAISED: Final = re.compile(r"Traceback \(most recent call last\):\n(?:[ \t].*\n)*(?P<what>\S.*)")
"""What a worker raised, in the text of Spark's error."""

Key = tuple[int, int, int, int]
"""Partition, rank of the shard, number of the table, number of the chunk; errors have ranks below those of shards."""


class SparkEngine:
    """Apache Spark: a master such as spark://host:7077, or workers of this machine.

    A context that runs already in this process is used and left running, as in notebooks; a process that spark-submit
    started runs where that says.
    """

    name = "spark"

    def __init__(self, address: str | None, scratch: Path) -> None:
        self.address = address
        self.scratch = scratch
        self._context: Any = None
        self._started = ExitStack()

    def __enter__(self) -> Self:
        """Start or connect; `EngineError`: `engine_missing`, `engine_java`, `engine_unreachable`, `engine_address`."""
        with ExitStack() as starting:
            self._context = starting.enter_context(spark_context(self.address, self.scratch))
            self._started = starting.pop_all()
        return self

    def __exit__(self, *raised: object) -> None:
        """Stop the context that was started."""
        self._started.close()

    def run_shards(self, work: Callable[[Given], Made], shards: Sequence[Given]) -> list[Made]:
        """As `Engine.run_shards`."""
        with self._errors():
            return results(self._each(shards).map(partial(_work, work)).collect())

    def shuffle_by_key(
        self, split: Split[Given], shards: Sequence[Given], gather: Gather[Made], partitions: int
    ) -> list[Made]:
        """As `Engine.shuffle_by_key`."""
        with self._errors():
            chunks = self._each(shards).flatMap(partial(_split, split, partitions, len(shards)))
            dealt = chunks.repartitionAndSortWithinPartitions(partitions, itemgetter(0))
            return results(dealt.mapPartitionsWithIndex(partial(_gather, gather)).collect())

    def _each(self, shards: Sequence[Given]) -> Any:
        """Number and shard, a task for each. As bytes: a shard is for its worker to make again."""
        packed = [(number, pickle.dumps(shard)) for number, shard in enumerate(shards)]
        return self._context.parallelize(packed, max(1, len(packed)))

    @contextmanager
    def _errors(self) -> Iterator[None]:
        py4j = package("py4j.protocol", "spark")
        try:
            with as_engine_errors(self.name, passing=(py4j.Py4JJavaError,)):
                yield
        except py4j.Py4JJavaError as error:
            raise failed(self.name, _said(str(error.java_exception))) from error


# ------------------------------------------------------------------------------------------------------- on the workers


def _work(work: Callable[[Given], Made], numbered: tuple[int, bytes]) -> Made | Failure:
    return attempted(work, pickle.loads(numbered[1]))


def _split(
    split: Split[Given], partitions: int, shards: int, numbered: tuple[int, bytes]
) -> Iterator[tuple[Key, bytes]]:
    """The chunks of a shard; if the shard has an error, that goes to every partition, ahead of all chunks."""
    rank, packed = numbered
    pieces = _until_failure(split_up(split, pickle.loads(packed), partitions))
    for number, (partition, piece) in enumerate(pieces):
        if isinstance(piece, Failure):
            told = pickle.dumps(piece)
            yield from (((each, rank - shards, 0, 0), told) for each in range(partitions))
        else:
            chunks = enumerate(_chunks(piece))
            yield from (((partition, rank, number, part), chunk) for part, chunk in chunks)


def _until_failure(pieces: Iterator[tuple[int, pa.Table]]) -> Iterator[tuple[int, pa.Table | Failure]]:
    while True:
        piece = attempted(next, pieces, None)
        if piece is None:
            return
        yield (0, piece) if isinstance(piece, Failure) else piece


def _chunks(table: pa.Table) -> Iterator[bytes]:
    sink = io.BytesIO()
    write_piece(sink, table)
    whole = sink.getbuffer()
    return (bytes(whole[start : start + CHUNK]) for start in range(0, len(whole), CHUNK))


def _gather(gather: Gather[Made], partition: int, chunks: Iterator[tuple[Key, bytes]]) -> Iterator[Made | Failure]:
    first = next(chunks, None)
    if first is not None and first[0][1] < 0:
        yield pickle.loads(first[1])
    else:
        yield attempted(gather, partition, _tables(itertools.chain([] if first is None else [first], chunks)))


def _tables(chunks: Iterable[tuple[Key, bytes]]) -> Iterator[pa.Table]:
    for _, parts in itertools.groupby(chunks, lambda chunk: chunk[0][:3]):
        yield read_piece(b"".join(chunk for _, chunk in parts))


# -------------------------------------------------------------------------------------------------------------- errors


def _said(text: str) -> str:
    """What a worker raised, or else the first line of what Spark says."""
    raised = RAISED.findall(text)
    return raised[-1] if raised else text.partition("\n")[0]
