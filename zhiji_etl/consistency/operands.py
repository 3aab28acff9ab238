"""The figures of a rule side by side: from one figure a row to one entity and period a row.

In: a frame of figures (FIGURE_COLUMNS) and the operands of a rule. Out: a wide frame with the keys `table, entity,
period, period_start, period_end` and, for each operand, the columns that verdicts read (see `columns`).

Entities and periods are joined by number: one key of 64 bits instead of a text and two dates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import polars as pl

from zhiji_etl.consistency.expressions import SAME, Operand
from zhiji_etl.errors import PeriodError
from zhiji_etl.figures import Qualifier, Reason
from zhiji_etl.periods import Period, PeriodKind

KEYS: Final = ("table", "entity", "period", "period_start", "period_end")
SAME_FIGURE: Final = ("entity", "metric", "period_start", "period_end", "vintage")
LADDERED: Final = (Qualifier.EXACT.value, Qualifier.ABOUT.value)
ONE_SIDED_BELOW: Final = (Qualifier.BELOW.value, Qualifier.AT_MOST.value)
PARTS: Final = {"Q": PeriodKind.QUARTER, "H": PeriodKind.HALF, "M": PeriodKind.MONTH}


class Columns(NamedTuple):
    """The names of one operand's columns in a wide frame.

    `rungs` is step_max / step where the figure has a ladder of readings, else 1. `capped` marks a figure that only
    claims an upper end (`below`, `at_most`). `flaw` is the reason for which a printed figure has no bounds, else null.
    """

    figure_id: str
    value: str
    low: str
    high: str
    low_closed: str
    high_closed: str
    step: str
    rungs: str
    capped: str
    flaw: str


def columns(name: str) -> Columns:
    """The names of the columns that hold the operand of this name."""
    return Columns(*(f"{name}|{field}" for field in Columns._fields))


@dataclass(frozen=True, slots=True)
class Shelf:
    """Figures ready to be joined, with `key` (entity and period as one number), and the distinct periods."""

    figures: pl.DataFrame
    periods: pl.DataFrame


def shelve(
    figures: pl.DataFrame, disputed: pl.Series | None = None, further: Sequence[pl.DataFrame] = ()
) -> Shelf:
    """Number the entities and periods of figures; a figure without usable bounds keeps the reason as its `flaw`.

    In: FIGURE_COLUMNS, and the figure_id of prints that contradict another print of the same figure: no print of such
    a figure can be used. Figures that restate another one are left out. `further` are figures with fewer columns and
    a `flaw` of their own (printed, but rejected) or bounds that other rules imply. An entity is numbered apart in each
    vintage, since a rule binds figures of one vintage.
    """
    stated = figures.filter(pl.col("restates").is_null() & pl.col("unit").is_not_null())
    plain = _with_flaws(stated, pl.Series("disputed", [], pl.UInt64) if disputed is None else disputed)
    plain = pl.concat([plain, *further], how="diagonal_relaxed")
    spans = plain.select("period_start", "period_end").unique().drop_nulls().sort("period_start", "period_end")
    periods = spans.with_row_index("span")
    entity = _vintage_of_entity(plain).cast(pl.Categorical).to_physical().cast(pl.UInt64)
    numbered = plain.join(periods, on=["period_start", "period_end"], how="left", maintain_order="left").with_columns(
        entity_number=entity
    )
    keyed = numbered.with_columns(key=_key(pl.col("entity_number"), pl.col("span")), **_readings())
    return Shelf(keyed, periods)


def side_by_side(shelf: Shelf, operands: Iterable[Operand], table: str | None) -> pl.DataFrame:
    """The wide frame of one rule: each entity and period for which some operand of its own is printed.

    A missing operand leaves nulls in its columns.
    """
    needed = list(operands)
    own = [operand.metric for operand in needed if operand.entity is None]
    wide = _base(shelf.figures, own, table) if own else _base_of_named(shelf.figures, needed, table)
    for operand in needed:
        wide = _add(wide, shelf, operand)
    return wide


def step_away(period: Period, offset: str) -> Period | None:
    """The period that an offset of `m` names, such as `previous` or `Q3`; None where there is none."""
    try:
        if offset in ("previous", "year_before"):
            return period.previous if offset == "previous" else period.year_before
        return period.sub_periods(PARTS[offset[0]])[int(offset[1:]) - 1]
    except (PeriodError, IndexError):
        return None


def amount_columns(name: str) -> dict[str, pl.Expr]:
    """The expressions that give an operand's columns from columns named as in FIGURE_COLUMNS."""
    names = columns(name)
    made = {**_readings(), "flaw": pl.lit(None, pl.String)}
    return {getattr(names, field): made.get(field, pl.col(field)) for field in Columns._fields}


def _vintage_of_entity(figures: pl.DataFrame) -> pl.Expr:
    if figures.get_column("vintage").null_count() == figures.height:
        return pl.col("entity")
    return pl.concat_str("entity", pl.col("vintage").fill_null(""), separator="\x00")


def _with_flaws(stated: pl.DataFrame, disputed: pl.Series) -> pl.DataFrame:
    """The figures with `flaw`, and without bounds where they have one."""
    contradicted = pl.col("figure_id").is_in(disputed.implode()).any().over(SAME_FIGURE)
    flaw = (
        pl.when(contradicted)
        .then(pl.lit(Reason.DEFECTIVE_DUPLICATES.value))
        .when(pl.col("low").is_null())
        .then(pl.lit(Reason.MISSING_REFERENCE.value))
    )
    flawed = stated.with_columns(flaw=flaw)
    usable = [pl.when(pl.col("flaw").is_null()).then(end).alias(end) for end in ("value", "low", "high")]
    return flawed.with_columns(usable)


def _readings() -> dict[str, pl.Expr]:
    laddered = pl.col("qualifier").cast(pl.String).is_in(LADDERED) & pl.col("value").is_not_null()
    return {
        "rungs": pl.when(laddered).then(pl.col("step_max") / pl.col("step")).otherwise(1.0),
        "capped": pl.col("qualifier").cast(pl.String).is_in(ONE_SIDED_BELOW),
    }


def _base(figures: pl.DataFrame, own: list[str], table: str | None) -> pl.DataFrame:
    mine = figures.filter(pl.col("metric").is_in(own))
    if table is not None:
        mine = mine.filter(pl.col("table") == table)
    return mine.select(*KEYS, "key", "entity_number", "span").unique("key", keep="first", maintain_order=True)


def _base_of_named(figures: pl.DataFrame, named: list[Operand], table: str | None) -> pl.DataFrame:
    """For a rule that names all its entities: a row for each period of theirs, under the name of the first."""
    mine = figures.filter(
        pl.any_horizontal((pl.col("metric") == leaf.metric) & (pl.col("entity") == leaf.entity) for leaf in named)
    )
    rows = mine.with_columns(entity=pl.lit(named[0].entity), table=pl.lit(table, pl.String))
    return rows.select(*KEYS, "key", "entity_number", "span").unique("span", keep="first", maintain_order=True)


def _add(wide: pl.DataFrame, shelf: Shelf, operand: Operand) -> pl.DataFrame:
    candidates = shelf.figures.filter(pl.col("metric") == operand.metric)
    if operand.entity is not None:
        candidates = candidates.filter(pl.col("entity") == operand.entity)
    at = "span" if operand.entity is not None else "key"
    names = columns(operand.name)
    picked = _finest(candidates, at).select(
        pl.col(at).alias("__at"), *(pl.col(field).alias(getattr(names, field)) for field in Columns._fields)
    )
    sought = wide.with_columns(__at=_sought(shelf.periods, operand))
    return sought.join(picked, on="__at", how="left", maintain_order="left").drop("__at")


def _sought(periods: pl.DataFrame, operand: Operand) -> pl.Expr:
    """What to look for: the row's own key, or that of the period one step away."""
    span = pl.col("span")
    if operand.offset != SAME:
        moved = _moved(periods, operand.offset)
        # A gather by position: `span` is the row number of `periods`.
        span = pl.lit(moved).gather(span)
    return span if operand.entity is not None else _key(pl.col("entity_number"), span)


def moved_periods(keys: pl.DataFrame, offset: str) -> pl.DataFrame:
    """The distinct periods of keys, and what an offset makes of each: `moved_start, moved_end, moved_label`."""
    spans = keys.select("period_start", "period_end").unique().drop_nulls().sort("period_start", "period_end")
    moved = [step_away(Period.between(start, end), offset) for start, end in spans.iter_rows()]
    found = [(None, None, None) if to is None else (to.start, to.end, to.label) for to in moved]
    schema = {"moved_start": pl.Date, "moved_end": pl.Date, "moved_label": pl.String}
    return spans.hstack(pl.DataFrame(found, schema=schema, orient="row"))


def _moved(periods: pl.DataFrame, offset: str) -> pl.Series:
    """For each distinct period, the number of the period one step away; null where no figure has it."""
    numbers = {(start, end): span for span, start, end in periods.iter_rows()}
    moved = (step_away(Period.between(start, end), offset) for _, start, end in periods.iter_rows())
    found = [None if period is None else numbers.get((period.start, period.end)) for period in moved]
    return pl.Series("span", found, dtype=pl.UInt32)


def _finest(candidates: pl.DataFrame, at: str) -> pl.DataFrame:
    if candidates.get_column(at).n_unique() == candidates.height:
        return candidates
    return candidates.sort(pl.col("low").is_null(), "step", "figure_id").unique(at, keep="first", maintain_order=True)


def _key(entity: pl.Expr, span: pl.Expr) -> pl.Expr:
    return entity * (1 << 32) + span.cast(pl.UInt64)
