"""Work side by side in this process: while Python has one core, Polars and NumPy of other threads have the rest."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

Made = TypeVar("Made")

TWO: Final = 2
"""Large things at once: a third would take as much memory again, and Python runs in one thread at a time."""


def in_threads(work: Callable[..., Made], *given: Iterable[Any], threads: int | None = None) -> list[Made]:
    """What is made of each, in order, as by `map`, by so many threads, else one for each core.

    Raises the first error in order; nothing is begun after it.
    """
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        return list(pool.map(work, *given))
