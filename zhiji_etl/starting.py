"""How a process of the command line differs from one that uses the library: it is short, and has to answer at once.

In: how this process was started. Out: whether it is the command line, and a garbage collector that suits one.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Final

PACKAGE: Final = "zhiji_etl"
COMMAND: Final = "zhiji-etl"
OBJECTS_BETWEEN_COLLECTIONS: Final = 50_000
OTHER_FRAMES: Final = ("pandas", "pyspark", "hypothesis")
"""What Pandera loads for other frames than those of Polars, wherever it is installed."""


def collect_seldom() -> None:
    """Look for cycles of dead objects seldom: what a command makes mostly lives as long as it does."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, 10, 10)


def keep_loaded() -> None:
    """Leave what is loaded by now out of every collection, the last one included, if this is the command line.

    Taking the libraries' own objects apart cost a run of the reference project 0.2 s after its last word. Called before
    code of a project is loaded: what that brings along is taken apart as ever, since some extension modules complain on
    stderr where it is not.
    """
    if IS_COMMAND_LINE:
        gc.freeze()


def need_polars_alone(schemas: Iterable[Path]) -> None:
    """Let Pandera load for Polars alone, if this is the command line and no schema file speaks of OTHER_FRAMES.

    They take longer to load than a small run takes. Called before anything loads Pandera. Processes that use the
    library are left alone, since they may want Pandera for other frames as well.
    """
    global _is_alone
    with suppress(OSError):
        texts = [path.read_bytes() for path in schemas]
        _is_alone = IS_COMMAND_LINE and not any(name.encode() in text for text in texts for name in OTHER_FRAMES)


_is_alone = False


@contextmanager
def for_polars_alone() -> Iterator[bool]:
    """While Pandera loads, there are none of OTHER_FRAMES, where `need_polars_alone` has said so; tells whether."""
    with absent(*OTHER_FRAMES) if _is_alone else nullcontext():
        yield _is_alone


@contextmanager
def absent(*packages: str) -> Iterator[None]:
    """Meanwhile these packages are as if they were not installed, unless they are loaded already."""
    finder = _Absent(packages)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Absent(MetaPathFinder):
    def __init__(self, packages: Sequence[str]) -> None:
        self.packages = packages

    def find_spec(self, name: str, *rest: object) -> None:
        """As where there is no such module."""
        if name.partition(".")[0] in self.packages:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _is_command_line() -> bool:
    started = sys.argv[0] if sys.argv else ""
    if started == "-m":  # so it stands while Python looks for the module, which is when it loads the package
        return any(pair == ("-m", PACKAGE) for pair in zip(sys.orig_argv, sys.orig_argv[1:], strict=False))
    return Path(started).stem == COMMAND


IS_COMMAND_LINE: Final = _is_command_line()
"""Whether this process is `zhiji-etl` or `python -m zhiji_etl`, as can be told while the package is loaded.

The command line's first answers (a version, a help text, a wrong option) need no Polars, which takes longer to load
than all the rest. Nothing breaks where this is wrong: the start is slower, or `pl.col(...).figure` comes later.
"""
