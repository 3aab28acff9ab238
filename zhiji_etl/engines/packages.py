"""The packages of engines, imported when an engine is started: an ordinary run needs none of them.

In: the name of a package and of the extra that brings it. Out: the package.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from zhiji_etl.errors import EngineError


def package(name: str, extra: str) -> Any:
    """The package; `EngineError` `engine_missing` where it cannot be imported."""
    try:
        return import_module(name)
    except ImportError as error:
        what = f"The engine {extra} needs the package {name}, which cannot be imported: {error}."
        raise EngineError("engine_missing", what, hint=f"pip install 'zhiji_etl[{extra}]'") from error
