"""How a process of the command line differs from one that uses the library: it is short, and has to answer at once.

In: how this process was started. Out: whether it is the command line, and a garbage collector that suits one.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Final

PACKAGE: Final = "zhiji_etl"
COMMAND: Final = "zhiji-etl"
OBJECTS_BETWEEN_COLLECTIONS: Final = 50_000


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
