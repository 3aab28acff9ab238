"""What the pipeline asks of whatever does its work: two verbs, with the same answer from every engine.

In: functions, and the shards that they work on. Out: what the functions made, in the order of the shards or partitions.
A function may be called more than once for one shard, on another worker or twice at the same time, and the result of
any one call is taken: it must give the same for the same shard, and files that it writes need names of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, Self, TypeVar

import pyarrow as pa

Given = TypeVar("Given")
Made = TypeVar("Made")

Split = Callable[[Given], Iterable[tuple[int, pa.Table]]]
"""The rows of a shard as tables, each with the number (from 0) of its partition; any number of tables to each."""

Gather = Callable[[int, Iterator[pa.Table]], Made]
"""What is made of a partition: of its number, and its tables in the order of the shards, then of those of a shard."""


class Engine(Protocol):
    """Does the work of shards. A context manager: entering starts or connects, leaving stops what was started.

    A shard and what is made of it are small and can be pickled (paths, numbers, small Arrow tables): data lies in files
    that all workers see. Functions are those of modules that the workers can import, with or without `partial`.

    A `ZhijiError` of a worker comes out as it is, that of the first shard (or partition) where several have one; any
    other exception comes out as `EngineError` `engine_failed`.
    """

    name: str

    def __enter__(self) -> Self:
        """Start or connect; `EngineError`: `engine_missing`, `engine_unreachable`, `engine_java`, `engine_address`."""

    def __exit__(self, *raised: object) -> None:
        """Stop what was started."""

    def run_shards(self, work: Callable[[Given], Made], shards: Sequence[Given]) -> list[Made]:
        """`work` of each shard, in the order of the shards."""

    def shuffle_by_key(
        self, split: Split[Given], shards: Sequence[Given], gather: Gather[Made], partitions: int
    ) -> list[Made]:
        """The rows of all shards, dealt anew by key: what `gather` makes of each partition, in their order.

        `gather` gets the tables of a partition as `split` gave them, also where there are none; their schemas may
        differ.
        """
