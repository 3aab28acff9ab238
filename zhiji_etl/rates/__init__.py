"""Exchange rates by date, period and method, offline.

`Rates.ecb()` and `Rates.read(path)` hold quotes, `rate` asks for one rate, `table` for a whole frame of them.
"""

from zhiji_etl.rates.methods import ANSWER_COLUMNS, RateMethod
from zhiji_etl.rates.quotes import QUOTE_COLUMNS
from zhiji_etl.rates.reference import Rate, Rates
from zhiji_etl.rates.requests import REQUEST_COLUMNS

__all__ = ["ANSWER_COLUMNS", "QUOTE_COLUMNS", "REQUEST_COLUMNS", "Rate", "RateMethod", "Rates"]
