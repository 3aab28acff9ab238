"""Figures as users give them, completed: texts read, periods resolved, one unit for each metric.

In: a frame with `entity, metric, period` and `printed`, or the columns of a figure. Out: FIGURE_COLUMNS, and of a row
that is no figure the reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import polars as pl

from zhiji_etl import conversion
from zhiji_etl.errors import SourceError, UnitError
from zhiji_etl.figures import FIGURE_AMOUNT, FIGURE_COLUMNS, PARSED_FIELDS, Reason
from zhiji_etl.periods import resolve_periods, with_year_ends
from zhiji_etl.reading import FigureNamespace
from zhiji_etl.sources.names import safe_terminal
from zhiji_etl.tables import Metric
from zhiji_etl.units import factor

NEEDED: Final = ("entity", "metric", "period")
TYPES: Final = FIGURE_COLUMNS | {"decimals": pl.Int64(), "fiscal_year_end": pl.String()}


def frame_of(figures: object) -> pl.DataFrame:
    """The figures as a frame whose columns have the types of FIGURE_COLUMNS."""
    if not isinstance(figures, pl.DataFrame | pl.LazyFrame):
        what = f"Figures are a Polars DataFrame or LazyFrame, not {type(figures).__module__}.{type(figures).__name__}."
        raise SourceError("frame_needed", what, hint="pl.from_pandas(frame), or pl.DataFrame(rows)")
    try:
        frame = figures.lazy().collect()
    except pl.exceptions.PolarsError as error:
        what = f"The figures cannot be collected: {str(error).splitlines()[0]}."
        raise SourceError(
            "frame_needed", what, hint="the plan of the LazyFrame fails on its own: correct it"
        ) from error
    return frame.with_columns(_typed(frame.get_column(name), dtype) for name, dtype in TYPES.items() if name in frame)


def completed(figures: pl.DataFrame, year_ends: Mapping[str, str]) -> pl.DataFrame:
    """The frame with all FIGURE_COLUMNS: texts read, periods resolved, what is not told filled as usual.

    `__code` and `__reason` say of a row why it is no figure, `flaw` of a figure why it cannot be used; a frame may say
    so itself, by the code of a reason.
    """
    missing = [name for name in NEEDED if name not in figures.columns]
    if missing:
        what = f"The frame has no column {', '.join(missing)}; it has {', '.join(figures.columns)}."
        raise SourceError("column_missing", what, hint="figures have entity, metric, period and printed, or value")
    # Further columns of the user mean nothing here, whatever their names.
    flaws = [_known_flaw()] if "flaw" in figures.columns else []
    figures = figures.select(*(name for name in figures.columns if name in TYPES), *flaws)
    read = figures if {"value", "low", "high"} & set(figures.columns) else _read(figures)
    dated = read if "period_start" in read.columns else _dated(read, year_ends)
    defaults = {name: default for name, default in _defaults(dated).items() if name not in dated.columns}
    absent = [name for name in FIGURE_COLUMNS if name not in dated.columns and name not in defaults]
    filled = dated.with_columns(**defaults).with_columns(pl.lit(None).alias(name) for name in absent)
    bounded = filled.with_columns(low=pl.coalesce("low", _end(-1)), high=pl.coalesce("high", _end(1)))
    return _defective(bounded.with_columns(pl.col(name).cast(dtype) for name, dtype in FIGURE_COLUMNS.items()))


def in_one_unit(figures: pl.DataFrame, declared: Mapping[str, Metric]) -> pl.DataFrame:
    """Each metric in the unit that a table declares for it, else in the first that it is printed in."""
    is_main = pl.col("restates").is_null()
    first = figures.filter(is_main & pl.col("unit").is_not_null())
    units = dict(reversed(first.select("metric", "unit").unique(maintain_order=True).rows()))
    units.update({name: metric.unit for name, metric in declared.items()})
    pairs_of_units = first.select("metric", "unit").unique().rows()
    own = {(name, noun) for name, metric in declared.items() for noun in metric.nouns}
    nouns = {(metric, unit): units[metric] if (metric, unit) in own else unit for metric, unit in pairs_of_units}
    scales = [
        (*pair, units[pair[0]], _factor(figures, pair, noun, units[pair[0]], declared)) for pair, noun in nouns.items()
    ]
    schema = {"metric": pl.String, "unit": pl.String, "__unit": pl.String, "__factor": pl.Float64}
    table = pl.DataFrame(scales, schema=schema, orient="row")
    joined = figures.join(table, on=["metric", "unit"], how="left", maintain_order="left")
    # What restates another figure stays in its own currency.
    joined = joined.with_columns(pl.when(is_main).then(name).alias(name) for name in ("__unit", "__factor"))
    joined = joined.with_columns(pl.col("__factor").fill_null(1.0))
    amounts = [pl.col(name) * pl.col("__factor") for name in ("value", "low", "high", "step", "step_max")]
    converted = joined.with_columns(*amounts, unit=pl.coalesce("__unit", "unit")).drop("__unit", "__factor")
    return _cut(converted, declared)


# ------------------------------------------------------------------------------------------------------------- helpers


def _typed(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    hint = None
    if column.name == "printed" and column.dtype.is_float():
        hint = "read it as text, as it was printed; or give the numbers as value, and their precision as step"
    else:
        with suppress(pl.exceptions.PolarsError):
            told = column.cast(dtype)
            if not (column.dtype.is_float() and dtype.is_integer() and (told != column).any()):
                return told
    raise SourceError("column_type", f"The column {column.name} is {column.dtype}, and not {dtype}.", hint=hint)


def _read(figures: pl.DataFrame) -> pl.DataFrame:
    if "printed" not in figures.columns:
        raise SourceError("column_missing", "The frame has none of printed, value, low, high.", hint="add one of them")
    decimals = pl.col("decimals") if "decimals" in figures.columns else None
    read = figures.with_columns(__read=FigureNamespace(pl.col("printed").fill_null("")).parse(decimals=decimals))
    fields = [pl.col("__read").struct.field(name) for name in PARSED_FIELDS if name in FIGURE_COLUMNS]
    code, reason = (pl.col("__read").struct.field(name) for name in ("code", "reason"))
    flaw = pl.when(code == Reason.EXCESS_DIGITS.value).then(code)
    # A figure that cannot be used still tells the unit of its metric.
    unit = pl.coalesce(
        "unit", FigureNamespace(pl.when(flaw.is_not_null()).then("printed")).parse().struct.field("unit")
    )
    told = read.with_columns(*fields, flaw=flaw, __code=code, __reason=reason).with_columns(unit=unit)
    return _with_restatements(told).drop("__read")


def _with_restatements(read: pl.DataFrame) -> pl.DataFrame:
    """The rows, and below them those of the amounts that restate theirs, in their own unit."""
    own = pl.col("figure_id") if "figure_id" in read.columns else pl.int_range(pl.len(), dtype=pl.UInt64)
    numbered = read.with_columns(figure_id=own, restates=pl.lit(None, pl.UInt64))
    other = pl.col("__read").struct.field("restated").struct
    further = pl.int_range(1, pl.len() + 1, dtype=pl.UInt64) + numbered.get_column("figure_id").max()
    restated = numbered.filter(other.field("unit").is_not_null())
    again = restated.with_columns(other.field(*FIGURE_AMOUNT), restates="figure_id", figure_id=further)
    return pl.concat([numbered, again])


def _defective(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with `__code` and `__reason`: for a row without subject, figure or period."""
    read_as, dated_as = (
        [pl.col(name) if name in rows.columns else pl.lit(None, pl.String) for name in names]
        for names in (("__code", "__reason"), ("period_code", "period_reason"))
    )
    numbers, endless = pl.col("value", "low", "high", "step"), pl.col("value", "step").is_infinite()
    nowhere = (pl.col("low") == math.inf) | (pl.col("high") == -math.inf)
    told = {
        ("entity_missing", "The row has no entity."): pl.col("entity").is_null(),
        ("metric_missing", "The row has no metric."): pl.col("metric").is_null(),
        ("no_number", "The row holds NaN, which is no number."): pl.any_horizontal(numbers.is_nan()),
        ("no_number", "The row holds a number without end."): pl.any_horizontal(endless) | nowhere,
        ("no_number", "The step is negative."): pl.col("step") < 0,
        ("contradiction", "The upper end lies below the lower one."): pl.col("low") > pl.col("high"),
        ("period_reversed", "The period ends before it starts."): pl.col("period_start") > pl.col("period_end"),
    }
    said = [[pl.when(holds).then(pl.lit(pair[part])) for pair, holds in told.items()] for part in (0, 1)]
    code, reason = (pl.coalesce(read_as[part], *said[part], dated_as[part]) for part in (0, 1))
    return rows.with_columns(__code=code, __reason=reason)


def _dated(figures: pl.DataFrame, year_ends: Mapping[str, str]) -> pl.DataFrame:
    return resolve_periods(with_year_ends(figures, year_ends), "period", "fiscal_year_end")


def _defaults(figures: pl.DataFrame) -> dict[str, pl.Expr]:
    value = pl.col("value") if "value" in figures.columns else pl.lit(None, pl.Float64)
    step = pl.col("step") if "step" in figures.columns else pl.lit(None, pl.Float64)
    nothing = pl.lit(None, pl.Float64)
    return {
        "figure_id": pl.int_range(pl.len(), dtype=pl.UInt64),
        "value": value,
        "low": nothing,
        "high": nothing,
        "step": step,
        "step_max": step,
        "low_closed": pl.lit(value=True),
        "high_closed": pl.lit(value=True),
        "qualifier": pl.lit("exact"),
        "unit": pl.lit("count"),
        "printed_value": value,
        "flaw": pl.lit(None, pl.String),
        "printed_unit": pl.col("unit") if "unit" in figures.columns else pl.lit("count"),
    }


def _known_flaw() -> pl.Expr:
    """The flaw that a frame tells of a figure, where it is the code of a reason."""
    codes = pl.Enum([one.value for one in Reason])
    return pl.col("flaw").cast(pl.String).cast(codes, strict=False).cast(pl.String)


def _end(sign: int) -> pl.Expr:
    """An end that is not told: half a step from the value, the value itself where no step is told either."""
    return pl.col("value") + sign * pl.col("step").fill_null(0.0) / 2


def _factor(
    figures: pl.DataFrame, pair: tuple[str, str], noun: str, unit: str, declared: Mapping[str, Metric]
) -> float:
    """What leads from one unit of a metric to another; the error names the first figure that has the former."""
    try:
        return float(factor(noun, unit))
    except UnitError as error:
        metric, own = pair
        one = figures.filter(metric=metric, unit=own).row(0, named=True)
        said = f" ({one['printed']!r})" if one["printed"] else ""
        what, hint = error.message, "correct the print, or the unit that the table declares"
        if metric not in declared:
            what = (
                f"The figure is printed in {own}; an earlier one of this metric is in {unit}, and they do not convert."
            )
            hint = "correct the print, give it a metric of its own, or declare the metric in a table"
        where = f"{one['entity']} {metric} {one['period']}{said}"
        raise UnitError(error.code, safe_terminal(f"{where}: {what}"), hint=hint) from None


def _cut(figures: pl.DataFrame, declared: Mapping[str, Metric]) -> pl.DataFrame:
    """The figures with their bounds cut at the ends that tables declare, as in a run."""
    limits = [(metric.name, metric.at_least, metric.at_most) for metric in declared.values()]
    schema = {"metric": pl.String, "at_least": pl.Float64, "at_most": pl.Float64}
    known = pl.DataFrame(limits, schema=schema, orient="row")
    joined = figures.join(known, on="metric", how="left", maintain_order="left")
    return conversion.within_declared_ends(joined).drop("at_least", "at_most")
