"""zhiji_etl: printed figures in, typed and unit-checked Parquet out, and which of them cannot all be true."""

from zhiji_etl.consistency.expressions import either, within
from zhiji_etl.errors import FigureError, ZhijiError
from zhiji_etl.figures import Figure, Qualifier, Severity, Verdict
from zhiji_etl.project import Project
from zhiji_etl.rates import Rates
from zhiji_etl.reading import parse
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
    "either",
    "parse",
    "rule",
    "within",
]
