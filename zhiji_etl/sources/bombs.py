"""Packed files, unpacked only so far: gzip streams and zip containers that would become too large are refused.

In: a path. Out: a stream that raises `SourceError` `source_unpacks` beyond the limit, or a verdict on a zip container.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from zhiji_etl.errors import SourceError
from zhiji_etl.sources.names import safe_terminal

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

UNPACKED_LIMIT: Final = 1 << 30
RATIO_LIMIT: Final = 500
RATIO_FROM: Final = 1 << 26
"""The ratio of unpacked to packed bytes is looked at from this size on: DEFLATE ends near 1,030, tables near 50."""


@contextmanager
def unpacked(path: Path) -> Iterator[BinaryIO]:
    """What a gzip file holds; `SourceError`: `source_unpacks`, `source_corrupt`."""
    limit = min(UNPACKED_LIMIT, max(RATIO_FROM, path.stat().st_size * RATIO_LIMIT))
    try:
        with gzip.open(path, "rb") as stream:
            yield cast("BinaryIO", io.BufferedReader(_Bounded(cast("BinaryIO", stream), limit, path.name)))
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise corrupt(path.name, f"its gzip stream is broken ({error})") from None


def check_zip(path: Path) -> None:
    """Unpack a zip container once, to nowhere: its directory may lie about sizes, its checksums then do not hold."""
    try:
        with zipfile.ZipFile(path) as container:
            entries = container.infolist()
            if sum(entry.file_size for entry in entries) > min(UNPACKED_LIMIT, _allowed(path)):
                raise unpacks(path.name)
            broken = container.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise corrupt(path.name, f"it is no whole zip container ({error})") from None
    if broken:
        raise corrupt(path.name, f"its part {safe_terminal(broken)} is damaged")


def unpacks(name: str) -> SourceError:
    """The error for a file that unpacks to more than the limit."""
    what = f"{safe_terminal(name)} unpacks to far more than its size, or to over {UNPACKED_LIMIT:,} bytes."
    return SourceError("source_unpacks", what, hint="Unpack it yourself and look what it holds; split a large table.")


def corrupt(name: str, what: str) -> SourceError:
    """The error for a file whose container or content is damaged."""
    return SourceError(
        "source_corrupt", f"{safe_terminal(name)} cannot be read: {what}.", hint="Fetch the file again from its source."
    )


# -------------------------------------------------------------------------------------------------------- helpers


def _allowed(path: Path) -> int:
    return max(RATIO_FROM, path.stat().st_size * RATIO_LIMIT)


class _Bounded(io.RawIOBase):
    """A stream that ends in an error once more than `limit` bytes have come out of it."""

    def __init__(self, stream: BinaryIO, limit: int, name: str) -> None:
        self.stream = stream
        self.left = limit
        self.name = name

    def readable(self) -> bool:
        """It is a stream to read from."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Reads on, up to the number of bytes that are allowed."""
        view = memoryview(buffer).cast("B")
        content = self.stream.read(len(view))
        self.left -= len(content)
        if self.left < 0:
            raise unpacks(self.name)
        view[: len(content)] = content
        return len(content)
