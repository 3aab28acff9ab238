"""Text on its way into CSV and Excel, where a spreadsheet takes some texts for formulas.

In: a text column. Out: the same column, safe to open in a spreadsheet. No units.
"""

from __future__ import annotations

from typing import Final

import polars as pl

FORMULA_START: Final = r"^[=+\-@\t\r\n＝＋－＠]"
NUMBER: Final = r"^[+\-]?[0-9][0-9.,]*[%％]?$"


def neutralise_formulas(text: pl.Expr) -> pl.Expr:
    """Put an apostrophe before each text that a spreadsheet would run as a formula (OWASP: CSV injection).

    Column in and out: String; null stays null. A plain signed number such as `-3.2%` is left as it is.
    """
    risky = text.str.contains(FORMULA_START) & ~text.str.contains(NUMBER)
    return pl.when(risky).then(pl.concat_str(pl.lit("'"), text)).otherwise(text)
