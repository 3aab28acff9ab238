"""Rules over several periods, in the currency of the print.

A source that reports in dollars prints the growth of its dollars, and its quarters add up in dollars. Each amount is
converted at the rate of its own period, so that neither need hold of the yuan. Where all amounts that a rule finds are
printed in one other currency, it is judged in that one: an amount divided by the rate it was multiplied by is within
what was printed, and no wider than the bounds of the rate.

In: the wide frame of a rule. Out: the rows that stay, and those of each currency, turned back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

import polars as pl

from zhiji_etl.consistency.rules.expressions import Operand, Rate
from zhiji_etl.consistency.rules.operands import columns
from zhiji_etl.tables import Metric
from zhiji_etl.units import money

_OWN: Final = ""
"""The currency of amounts that were not converted."""


def amounts_of_periods(operands: Mapping[str, Operand], metrics: Mapping[str, Metric]) -> dict[str, Operand]:
    """The amounts of money, by name, of a rule that speaks of several periods; none where it asks for rates itself."""
    amounts = {name: operand for name, operand in operands.items() if money(metrics[operand.metric].unit) is not None}
    asks = any(isinstance(operand, Rate) for operand in operands.values())
    several = len({operand.offset for operand in amounts.values()}) > 1
    return amounts if several and not asks else {}


def parted_by_currency(wide: pl.DataFrame, amounts: Collection[str]) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
    """The rows of a wide frame that are judged as converted, and by currency those that are judged as printed."""
    if not any(wide.get_column(columns(name).currency).count() for name in amounts):
        return wide, {}
    printed = [_printed_in(name) for name in amounts]
    first = pl.coalesce(printed)
    alike = pl.all_horizontal((one == first).fill_null(value=True) for one in printed)
    told = wide.with_columns(__currency=pl.when(alike, first != _OWN).then(first))
    parts = told.partition_by("__currency", as_dict=True, include_key=False, maintain_order=True)
    stay = parts.pop((None,), wide.clear())
    return stay, {str(currency): _turned_back(rows, amounts) for (currency,), rows in parts.items()}


def in_currency(metrics: Mapping[str, Metric], amounts: Iterable[Operand], currency: str) -> dict[str, Metric]:
    """The metrics, those of these amounts in a currency of print instead of the one that they are declared in."""
    declared = (metrics[operand.metric] for operand in amounts)
    return {**metrics, **{one.name: one._replace(unit=currency + one.unit[3:]) for one in declared}}


# ---------------------------------------------------------------------------------------------------------------------


def _printed_in(name: str) -> pl.Expr:
    names = columns(name)
    return pl.when(pl.col(names.low).is_not_null()).then(pl.col(names.currency).fill_null(_OWN))


def _turned_back(rows: pl.DataFrame, amounts: Iterable[str]) -> pl.DataFrame:
    """The amounts divided by their rates, and their ends moved apart by what floats may have lost."""
    turned: list[pl.Expr] = []
    for names in map(columns, amounts):
        rate = pl.col(names.rate)
        low, high = pl.col(names.low) / rate, pl.col(names.high) / rate
        ends = [(low - low.abs() * _LOST).alias(names.low), (high + high.abs() * _LOST).alias(names.high)]
        turned += [pl.col(names.value) / rate, pl.col(names.step) / rate, *ends]
    return rows.with_columns(turned)


_LOST: Final = 1e-14
