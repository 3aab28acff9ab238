"""The engine of one machine: one shard after the other in this process, since Polars uses all cores for each.

A shuffle passes through files below `scratch`, so memory holds one table at a time and what `gather` keeps.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from zhiji_etl.engines.failures import as_engine_errors
from zhiji_etl.engines.pieces import SHUFFLE, append_piece, read_pieces, split_up
from zhiji_etl.engines.seam import Gather, Given, Made, Split
from zhiji_etl.outputs.disk import temporary_folder


class LocalEngine:
    """Polars and pyarrow, in this process; `scratch` is a folder for the files of a shuffle."""

    name = "local"

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch

    def __enter__(self) -> Self:
        """Nothing is to be started."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Nothing is to be stopped."""

    def run_shards(self, work: Callable[[Given], Made], shards: Sequence[Given]) -> list[Made]:
        """As `Engine.run_shards`."""
        with as_engine_errors(self.name):
            return [work(shard) for shard in shards]

    def shuffle_by_key(
        self, split: Split[Given], shards: Sequence[Given], gather: Gather[Made], partitions: int
    ) -> list[Made]:
        """As `Engine.shuffle_by_key`; the file of a partition goes as soon as it is gathered."""
        with as_engine_errors(self.name), temporary_folder(self.scratch, SHUFFLE) as folder:
            files = [Path(folder) / f"{partition}.arrows" for partition in range(partitions)]
            for shard in shards:
                for partition, table in split_up(split, shard, partitions):
                    append_piece(files[partition], table)
            return [_gathered(gather, partition, file) for partition, file in enumerate(files)]


def _gathered(gather: Gather[Made], partition: int, file: Path) -> Made:
    # As from any other engine: a small frame that is cut out of a partition would hold all of it in memory.
    made: Made = pickle.loads(pickle.dumps(gather(partition, read_pieces(file))))
    # Windows keeps a file that is still mapped; then it goes with the folder.
    with suppress(PermissionError):
        file.unlink(missing_ok=True)
    return made
