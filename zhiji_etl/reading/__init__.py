"""Reading printed figures: cells, columns and running text, by one grammar.

grammar     what a shape means; each shape is read once
cells       one cell; `exact`: meaning and digits make a figure; `quick`: the short way for one number
captions    what the caption of a table says of its cells; `captioned`: columns of such cells
columns     a column at column speed; `namespace`: `pl.col(...).figure.parse()`
prose       figures in running text

In: text as printed. Out: `Figure`, or a struct column of `figures.PARSED_FIELDS`, or `FigureError`. The grammar and its
lexicon are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from zhiji_etl.reading.namespace import FigureNamespace

if TYPE_CHECKING:
    from zhiji_etl.reading.captions import Caption, caption
    from zhiji_etl.reading.cells import parse
    from zhiji_etl.reading.columns import parse_series
    from zhiji_etl.reading.prose.passages import find

__all__ = ["Caption", "FigureNamespace", "caption", "find", "parse", "parse_series"]

_HOMES = {
    "Caption": "captions",
    "caption": "captions",
    "find": "prose.passages",
    "parse": "cells",
    "parse_series": "columns",
}


def __getattr__(name: str) -> Any:
    """Load a reader when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
