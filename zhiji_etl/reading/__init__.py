"""Reading printed figures: cells, columns and running text, by one grammar.

In: text as printed. Out: `Figure`, or a struct column of `figures.PARSED_FIELDS`, or `FigureError`.
"""

from zhiji_etl.reading.cells import parse
from zhiji_etl.reading.columns import parse_series
from zhiji_etl.reading.namespace import FigureNamespace
from zhiji_etl.reading.prose import find

__all__ = ["FigureNamespace", "find", "parse", "parse_series"]
