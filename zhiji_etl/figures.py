"""The vocabulary: figures, findings, verdicts, and the columns that hold them. No logic but that of one figure.

Bounds: `low` and `high` are Decimal (Float64 in columns); an end that is not bounded is Infinity (inf), never null.
Null means unknown. `step` is the size of one unit of the last printed digit at the finest reading, `step_max` at the
coarsest one. Units are ISO 4217 codes, `percent`, `percentage_point`, `basis_point`, `rank`, `multiple`, `count`,
a counted noun in the singular (`vehicle`), or a compound (`CNY/vehicle`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal

import polars as pl

from zhiji_etl.arguments import Word

if TYPE_CHECKING:
    import pint

    from zhiji_etl.html.drawing import Drawing


Rounding = Literal["nearest", "truncation"]
"""How a source shortens its numbers."""


class Qualifier(Word):
    """How a printed figure hedges its number (SEMANTICS: the kinds above, below, about; closed forms apart)."""

    EXACT = "exact"
    ABOUT = "about"
    ABOVE = "above"
    AT_LEAST = "at_least"
    BELOW = "below"
    AT_MOST = "at_most"
    RANGE = "range"


class Verdict(Word):
    """What a check concluded: exactly four."""

    CONSISTENT = "consistent"
    INCONSISTENT = "inconsistent"
    TOO_IMPRECISE = "too_imprecise"
    NOT_CHECKABLE = "not_checkable"


class Reason(Word):
    """Why a rule was not checkable."""

    MISSING_OPERAND = "missing_operand"
    MISSING_REFERENCE = "missing_reference"
    SCOPE_UNKNOWN = "scope_unknown"
    EXCESS_DIGITS = "excess_digits"
    DEFECTIVE_DUPLICATES = "defective_duplicates"
    DIVISION_BY_ZERO = "division_by_zero"
    NON_NUMERIC = "non_numeric"


class Severity(Word):
    """How loudly an inconsistent finding speaks, from quiet to loud."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Reading:
    """Another way to read the same text, and why it was not taken."""

    value: Decimal | None
    unit: str
    reason: str


@dataclass(frozen=True, slots=True)
class Figure:
    """What a printed text says: a value with bounds, its precision and its unit.

    `value` is null for a range. `start` and `end` are character offsets into the text that was given.
    `restated` is the second amount of a pair such as `RMB7,053 billion (US$1 trillion)`.
    """

    text: str
    start: int
    end: int
    value: Decimal | None
    low: Decimal
    high: Decimal
    low_closed: bool
    high_closed: bool
    step: Decimal
    step_max: Decimal
    unit: str
    qualifier: Qualifier = Qualifier.EXACT
    range_low: Decimal | None = None
    range_high: Decimal | None = None
    restated: Figure | None = None
    ambiguous: tuple[Reading, ...] = field(default=())

    @property
    def quantity(self) -> pint.Quantity[Decimal]:
        """The value as a Pint quantity of the library's one registry; `UnitError` where there is no single value."""
        from zhiji_etl.units import quantity

        return quantity(self.value, self.unit)

    def plot(self) -> Drawing:
        """The bounds on an axis, with one last digit as the ruler, as SVG that a notebook shows."""
        from zhiji_etl.html.cards import figure_drawing

        return figure_drawing(self)

    def _repr_html_(self) -> str:
        from zhiji_etl.html.cards import figure_card

        return figure_card(self)


QUALIFIER: Final = pl.Enum([q.value for q in Qualifier])
VERDICT: Final = pl.Enum([v.value for v in Verdict])
REASON: Final = pl.Enum([r.value for r in Reason])
SEVERITY: Final = pl.Enum([s.value for s in Severity])

FIGURE_AMOUNT: Final[dict[str, pl.DataType]] = {
    "value": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "low_closed": pl.Boolean(),
    "high_closed": pl.Boolean(),
    "step": pl.Float64(),
    "step_max": pl.Float64(),
    "qualifier": QUALIFIER,
    "unit": pl.String(),
}
"""One amount as a figure keeps it."""

AMOUNT_FIELDS: Final[dict[str, pl.DataType]] = {
    **FIGURE_AMOUNT,
    "range_low": pl.Float64(),
    "range_high": pl.Float64(),
}
"""One amount as it is read."""

PARSED_FIELDS: Final[dict[str, pl.DataType]] = {
    **AMOUNT_FIELDS,
    "restated": pl.Struct(AMOUNT_FIELDS),
    "ambiguous": pl.String(),
    "code": pl.String(),
    "reason": pl.String(),
}
"""What `pl.col(...).figure.parse()` gives: an amount, its restatement, why it is ambiguous, or why it is no figure."""

PARSED: Final = pl.Struct(PARSED_FIELDS)
"""The same as one column."""

FIGURE_COLUMNS: Final[dict[str, pl.DataType]] = {
    "figure_id": pl.UInt64(),
    "row_id": pl.UInt64(),
    "source": pl.String(),
    "locator": pl.String(),
    "table": pl.String(),
    "entity": pl.String(),
    "metric": pl.String(),
    "period": pl.String(),
    "period_start": pl.Date(),
    "period_end": pl.Date(),
    "vintage": pl.String(),
    "printed": pl.String(),
    **FIGURE_AMOUNT,
    "printed_value": pl.Float64(),
    "printed_unit": pl.String(),
    "rate": pl.Float64(),
    "rate_method": pl.String(),
    "restates": pl.UInt64(),
    "corrected_from": pl.String(),
}
"""One figure a row. `rate`, of `unit` for one of `printed_unit`, and `rate_method` are told where a currency was
converted. `restates` is the figure_id of the amount that this one says again in another unit; `corrected_from` what the
source prints where a correction changed it."""

FINDING_COLUMNS: Final[dict[str, pl.DataType]] = {
    "finding_id": pl.String(),
    "kind": pl.String(),
    "rule": pl.String(),
    "table": pl.String(),
    "entity": pl.String(),
    "period": pl.String(),
    "verdict": VERDICT,
    "severity": SEVERITY,
    "stated_low": pl.Float64(),
    "stated_high": pl.Float64(),
    "implied_low": pl.Float64(),
    "implied_high": pl.Float64(),
    "unit": pl.String(),
    "strain": pl.Float64(),
    "gap_steps": pl.Float64(),
    "gap_relative": pl.Float64(),
    "mde": pl.Float64(),
    "reading": pl.String(),
    "reason": pl.String(),
    "figures": pl.List(pl.UInt64()),
    "resolved_by": pl.List(
        pl.Struct(
            {
                "entity": pl.String(),
                "metric": pl.String(),
                "period": pl.String(),
                "low": pl.Float64(),
                "high": pl.Float64(),
                "unit": pl.String(),
                "pattern": pl.String(),
            }
        )
    ),
    "message": pl.String(),
}
"""One conclusion a row, passes included: the absence of a finding is no outcome."""

IMPLIED_COLUMNS: Final[dict[str, pl.DataType]] = {
    "entity": pl.String(),
    "metric": pl.String(),
    "period": pl.String(),
    "period_start": pl.Date(),
    "period_end": pl.Date(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "unit": pl.String(),
    "binding_low": pl.List(pl.UInt64()),
    "binding_high": pl.List(pl.UInt64()),
}
"""Bounds for a figure that nobody printed, with the figures that bind each end."""
