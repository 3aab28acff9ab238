"""Exchange rates by date, period and method, offline.

`Rates.ecb()` and `Rates.read(path)` hold quotes, `rate` asks for one rate, `table` for a whole frame of them.
"""

from zhiji_etl.rates.methods import ANSWER_COLUMNS, USUAL, RateMethod
from zhiji_etl.rates.quotes import QUOTE_COLUMNS, origins
from zhiji_etl.rates.reference import Rate, Rates
from zhiji_etl.rates.requests import KEY_COLUMNS, REQUEST_COLUMNS, answered_once

__all__ = [
    "ANSWER_COLUMNS",
    "KEY_COLUMNS",
    "QUOTE_COLUMNS",
    "REQUEST_COLUMNS",
    "USUAL",
    "Rate",
    "RateMethod",
    "Rates",
    "answered_once",
    "origins",
]
