"""zhiji_etl: printed figures in, typed and unit-checked Parquet out, and which of them cannot all be true.

`import zhiji_etl as zj` gives the namespace `pl.col(...).figure` at once; all other names load what they need (the
lexicon, Pandera, Pint, rates) when they are first used.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING, Any

from zhiji_etl.errors import FigureError, ZhijiError
from zhiji_etl.starting import IS_COMMAND_LINE as _IS_COMMAND_LINE

if TYPE_CHECKING:
    from zhiji_etl.checks import agree, check
    from zhiji_etl.consistency.rules.expressions import either, ranks, within
    from zhiji_etl.figures import Figure, Qualifier, Severity, Verdict
    from zhiji_etl.project import Project
    from zhiji_etl.rates import Rates
    from zhiji_etl.reading import caption, find, parse
    from zhiji_etl.tables import Identifier, Quantity, Table, rule

__version__ = "0.1.0"

__all__ = [
    "Figure",
    "FigureError",
    "Identifier",
    "Project",
    "Qualifier",
    "Quantity",
    "Rates",
    "Severity",
    "Table",
    "Verdict",
    "ZhijiError",
    "agree",
    "caption",
    "check",
    "either",
    "find",
    "parse",
    "ranks",
    "rule",
    "within",
]

_HOMES = {
    "Figure": "zhiji_etl.figures",
    "Identifier": "zhiji_etl.tables",
    "Project": "zhiji_etl.project",
    "Qualifier": "zhiji_etl.figures",
    "Quantity": "zhiji_etl.tables",
    "Rates": "zhiji_etl.rates",
    "Severity": "zhiji_etl.figures",
    "Table": "zhiji_etl.tables",
    "Verdict": "zhiji_etl.figures",
    "agree": "zhiji_etl.checks",
    "caption": "zhiji_etl.reading",
    "check": "zhiji_etl.checks",
    "either": "zhiji_etl.consistency.rules.expressions",
    "find": "zhiji_etl.reading",
    "parse": "zhiji_etl.reading",
    "ranks": "zhiji_etl.consistency.rules.expressions",
    "rule": "zhiji_etl.tables",
    "within": "zhiji_etl.consistency.rules.expressions",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that importing the package stays quick."""
    if name not in _HOMES:
        from difflib import get_close_matches

        near = "".join(f", did you mean {match!r}?" for match in get_close_matches(name, __all__, n=1))
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{near}")
    value = getattr(_import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return sorted({*globals(), *__all__})


# The command line's first answers need no Polars; a command that reads anything loads `zhiji_etl.reading`, and so this.
if not _IS_COMMAND_LINE:
    _import_module("zhiji_etl.reading.namespace")  # registers `pl.col(...).figure`
