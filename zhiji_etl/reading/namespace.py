"""`pl.col("printed").figure.parse()`: the reading of columns where Polars expressions are written.

In: a String expression. Out: a Struct expression of `figures.PARSED_FIELDS`; elementwise, so that it streams.
"""

from __future__ import annotations

import polars as pl

from zhiji_etl.arguments import guarded
from zhiji_etl.errors import FigureError
from zhiji_etl.figures import PARSED, Rounding


@pl.api.register_expr_namespace("figure")
class FigureNamespace:
    """Figures in a column of printed texts."""

    def __init__(self, expression: pl.Expr) -> None:
        self._expression = expression

    @guarded(FigureError)
    def parse(
        self,
        *,
        currency: str | None = None,
        scale: str | None = None,
        unit: str | None = None,
        decimals: int | pl.Expr | None = None,
        rounding: Rounding = "nearest",
        decimal_comma: bool = False,
    ) -> pl.Expr:
        """Each text as a struct of `figures.PARSED_FIELDS`; options as in `parse`, `decimals` also as an expression.

        Works on DataFrame and LazyFrame, in memory and streaming. No text raises: `code` and `reason` say why one is no
        figure. Raises `FigureError` at once where an option is none.
        """
        from zhiji_etl.reading.cells import options, precision

        # Here and not in a batch: Polars makes errors of a batch anew, without their code.
        options(currency, scale, unit, decimal_comma)
        precision(None if isinstance(decimals, pl.Expr) else decimals, rounding)

        def read(batch: pl.Series, declared: int | pl.Series | None) -> pl.Series:
            """One batch of texts, each with its declared decimals."""
            from zhiji_etl.reading.columns import parse_series

            return parse_series(
                batch, currency=currency, scale=scale, unit=unit, decimals=declared, rounding=rounding,
                decimal_comma=decimal_comma,
            )  # fmt: skip

        if not isinstance(decimals, pl.Expr):
            return self._expression.map_batches(
                lambda batch: read(batch, decimals), return_dtype=PARSED, is_elementwise=True
            )
        both = pl.struct(self._expression, decimals.alias("declared decimals"))
        return both.map_batches(
            lambda batch: read(batch.struct[0], batch.struct[1]),
            return_dtype=PARSED,
            is_elementwise=True,
        )
