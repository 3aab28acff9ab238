"""Tables on their way from shards to partitions, as Arrow IPC streams (lz4), one behind the other in a file.

In: the tables that a shard is split into, each with the number of its partition. Out: the same tables, one at a time.
A file holds the pieces of one shard, with an index of its partitions at the end.
`ThroughFiles` is what engines have in common that shuffle by files of shards.
"""

from __future__ import annotations

import os
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import ipc

from zhiji_etl.engines.seam import Gather, Given, Made, Split
from zhiji_etl.errors import EngineError
from zhiji_etl.outputs.disk import temporary_folder, writing
from zhiji_etl.sources.names import safe_terminal

SHUFFLE: Final = "shuffle-"
"""How the name of the folder of one shuffle begins."""

LZ4: Final = ipc.IpcWriteOptions(compression="lz4")
INDEX: Final = pa.schema({"partition": pa.int32(), "offset": pa.int64()})
TAIL: Final = 8
"""Bytes at the end of a shard's file that say where its index begins."""


def split_up(split: Split[Given], shard: Given, partitions: int) -> Iterator[tuple[int, pa.Table]]:
    """What `split` gives of a shard; `ValueError` where it names a partition that there is not."""
    for partition, table in split(shard):
        if not 0 <= partition < partitions:
            raise ValueError(f"there is no partition {partition} among {partitions}")
        yield partition, table


def write_piece(sink: Any, table: pa.Table) -> None:
    """Write a table to an open binary file, behind what is there."""
    with ipc.new_stream(sink, table.schema, options=LZ4) as stream:
        stream.write_table(table)


def read_piece(source: Any) -> pa.Table:
    """The table that begins here in an open file, or in bytes."""
    return ipc.open_stream(source).read_all()


def write_shard(path: Path, pieces: Iterable[tuple[int, pa.Table]]) -> None:
    """Write all pieces of a shard into a new file; a file without its index is not whole."""
    partitions, offsets = [], []
    with path.open("xb") as sink:
        for partition, table in pieces:
            partitions.append(partition)
            offsets.append(sink.tell())
            with writing(path):
                write_piece(sink, table)
        with writing(path):
            end = sink.tell()
            write_piece(sink, pa.table({"partition": partitions, "offset": offsets}, schema=INDEX))
            sink.write(end.to_bytes(TAIL, "little"))
            sink.flush()


def read_shard(path: Path, partition: int) -> Iterator[pa.Table]:
    """The tables of a shard that go to the partition, in order."""
    with pa.memory_map(os.fspath(path)) as source:
        source.seek(-TAIL, os.SEEK_END)
        source.seek(int.from_bytes(source.read(TAIL), "little"))
        index = read_piece(source)
        for offset in index.filter(pc.equal(index["partition"], partition))["offset"].to_pylist():
            source.seek(offset)
            yield read_piece(source)


class ThroughFiles(ABC):
    """The two verbs of an engine whose workers see one folder: each shard becomes a file, and its name is passed on.

    What such an engine has of its own is `each`, a function done with each of several things.
    """

    scratch: Path

    @abstractmethod
    def each(self, function: Callable[[Given], Made], given: Sequence[Given]) -> list[Made]:
        """The function of each, in order; the first error of the library, in order, ends the work."""

    def run_shards(self, work: Callable[[Given], Made], shards: Sequence[Given]) -> list[Made]:
        """As `Engine.run_shards`."""
        return self.each(work, shards)

    def shuffle_by_key(
        self, split: Split[Given], shards: Sequence[Given], gather: Gather[Made], partitions: int
    ) -> list[Made]:
        """As `Engine.shuffle_by_key`; `EngineError` `engine_scratch` where a worker does not see `scratch`."""
        with temporary_folder(self.scratch, SHUFFLE) as name:
            folder = Path(name)
            names = self.each(partial(_split_into_file, split, partitions, folder), shards)
            return self.each(partial(_gather_from_files, gather, folder, names), range(partitions))


def _split_into_file(split: Split[Given], partitions: int, folder: Path, shard: Given) -> str:
    """Write all pieces of a shard into one file of this attempt's own; its name.

    `EngineError` `engine_scratch` where this worker does not see the folder.
    """
    if not folder.is_dir():
        raise EngineError(
            "engine_scratch",
            f"A worker does not see the folder {safe_terminal(str(folder))}.",
            hint="Workers and caller need one file system: name a folder there as scratch.",
        )
    name = f"{uuid.uuid4().hex}.arrows"
    write_shard(folder / name, split_up(split, shard, partitions))
    return name


def _gather_from_files(gather: Gather[Made], folder: Path, names: Sequence[str], partition: int) -> Made:
    """What is made of a partition, from the files of all shards in their order."""
    return gather(partition, (piece for name in names for piece in read_shard(folder / name, partition)))
