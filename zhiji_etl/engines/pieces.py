"""Tables on their way from shards to partitions, as Arrow IPC streams (lz4), one behind the other.

In: the tables that a shard is split into, each with the number of its partition. Out: the same tables, one at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import pyarrow as pa
from pyarrow import ipc

from zhiji_etl.outputs.disk import writing

Given = TypeVar("Given")

LZ4: Final = ipc.IpcWriteOptions(compression="lz4")


def split_up(
    split: Callable[[Given], Iterable[tuple[int, pa.Table]]], shard: Given, partitions: int
) -> Iterator[tuple[int, pa.Table]]:
    """What `split` gives of a shard; `ValueError` where it names a partition that there is not."""
    for partition, table in split(shard):
        if not 0 <= partition < partitions:
            raise ValueError(f"there is no partition {partition} among {partitions}")
        yield partition, table


def write_piece(sink: Any, table: pa.Table) -> None:
    """Write a table to an open binary file, behind what is there."""
    with ipc.new_stream(sink, table.schema, options=LZ4) as stream:
        stream.write_table(table)


def append_piece(path: Path, table: pa.Table) -> None:
    """Write a table behind what the file holds; the file is open only meanwhile, however many there are."""
    with writing(path), path.open("ab") as sink:
        write_piece(sink, table)


def read_pieces(path: Path) -> Iterator[pa.Table]:
    """The tables of a file, in order; nothing where nothing was written."""
    if path.exists() and path.stat().st_size:
        with pa.memory_map(os.fspath(path)) as source:
            while source.tell() < source.size():
                yield ipc.open_stream(source).read_all()
