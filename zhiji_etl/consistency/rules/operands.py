"""The figures of a rule side by side: from one figure a row to one entity and period a row.

In: a frame of figures (FIGURE_COLUMNS) and the operands of a rule. Out: a wide frame with the keys `table, entity,
period, period_start, period_end` and, for each operand, the columns that verdicts read (see `columns`).

Figures are joined by number, not by a text and two dates, and a second number proves each match.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import polars as pl

from zhiji_etl.consistency.rules.expressions import SAME, Operand, Rate
from zhiji_etl.errors import PeriodError
from zhiji_etl.figures import Qualifier, Reason
from zhiji_etl.periods import Period, PeriodKind
from zhiji_etl.threads import in_threads

KEYS: Final = ("table", "entity", "period", "period_start", "period_end")
SAME_FIGURE: Final = ("entity", "metric", "period_start", "period_end", "vintage")
LADDERED: Final = (Qualifier.EXACT.value, Qualifier.ABOUT.value)
ONE_SIDED_BELOW: Final = (Qualifier.BELOW.value, Qualifier.AT_MOST.value)
AS_PRINTED: Final = ("figure_id", "value", "low", "high", "low_closed", "high_closed", "step")
OFTEN_ONE: Final = ("low_closed", "high_closed", "step", "rungs", "capped", "flaw", "rate", "currency")
WHOLE: Final = {"Q": 4, "H": 2, "M": 12}
PARTS: Final = {"Q": PeriodKind.QUARTER, "H": PeriodKind.HALF, "M": PeriodKind.MONTH}


class Columns(NamedTuple):
    """The names of one operand's columns in a wide frame.

    `rungs` is step_max / step where the figure has a ladder of readings, else 1. `capped` marks a figure that only
    claims an upper end (`below`, `at_most`). `flaw` is the reason for which a printed figure has no bounds, else null.
    An amount that is printed in another `currency` has been multiplied by `rate`; both are null where none was.
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
    rate: str
    currency: str

    @property
    def bounding(self) -> tuple[str, ...]:
        """Those of the columns that say between which bounds a figure is, at any of its readings."""
        return (self.value, self.low, self.high, self.low_closed, self.high_closed, self.rungs)


def columns(name: str) -> Columns:
    """The names of the columns that hold the operand of this name."""
    return Columns(*(f"{name}|{field}" for field in Columns._fields))


class Shelf(NamedTuple):
    """Figures ready to be joined, by metric: what operands need, with `key`, `span` and their proofs (see `_keys`)."""

    by_metric: Mapping[str, pl.DataFrame]
    nothing: pl.DataFrame

    def figures(self, metric: str) -> pl.DataFrame:
        """Those of one metric, in the order in which they were given."""
        return self.by_metric.get(metric, self.nothing)


def shelve(figures: pl.DataFrame, disputed: pl.Series | None = None, further: Sequence[pl.DataFrame] = ()) -> Shelf:
    """Give figures the keys by which rules find them; a figure without usable bounds keeps the reason as its `flaw`.

    In: FIGURE_COLUMNS, and the figure_id of prints that contradict another print of the same figure: no print of such
    a figure can be used. Figures that restate another one are left out. `further` are figures with fewer columns and
    a `flaw` of their own (printed, but rejected) or bounds that other rules imply.
    """
    stated = figures.lazy().filter(pl.col("restates").is_null() & pl.col("unit").is_not_null())
    needed = stated.select(
        *KEYS,
        "metric",
        "vintage",
        *AS_PRINTED,
        flaw=_without_bounds(),
        **_exchange(),
        **_readings(),
    ).collect()
    if disputed is not None and disputed.len():
        needed = _contradicted(needed, disputed)
    whole = pl.concat([needed, *further], how="diagonal_relaxed")
    keyed = whole.with_columns(_keys())
    # Each rule takes the figures of a few metrics, most metrics are taken by several rules.
    parts = keyed.partition_by("metric", as_dict=True, maintain_order=True)
    return Shelf({str(metric): part for (metric,), part in parts.items()}, keyed.clear())


def side_by_side(shelf: Shelf, operands: Iterable[Operand], table: str | None) -> pl.DataFrame:
    """The wide frame of one rule: each entity and period for which some operand of its own is printed.

    A missing operand leaves nulls in its columns. Where a rule speaks of the parts of a period (its quarters), periods
    without such parts are left out: the rule does not concern them.
    """
    needed = list(operands)
    own = [operand for operand in needed if operand.entity is None and operand.offset == SAME]
    figures = [operand for operand in needed if not isinstance(operand, Rate)]
    wide = _base(shelf, own, table) if own else _base_of_others(shelf, figures, table)
    if len(own) < len(needed):
        wide = wide.with_columns(_keys())
    for operand in needed:
        if columns(operand.name).low not in wide.columns:
            wide = _add_elsewhere(wide, shelf, operand)
    return wide


def told(rate: Rate) -> str:
    """The name of the column that says what an exchange rate is and where it comes from, or why there is none."""
    return f"{rate.name}|told"


def step_away(period: Period, offset: str) -> Period | None:
    """The period that an offset of `m` names, such as `previous` or `Q3`; None where there is none."""
    try:
        if offset in ("previous", "year_before"):
            return period.previous if offset == "previous" else period.year_before
        parts = period.sub_periods(PARTS[offset[0]])
        return parts[int(offset[1:]) - 1] if len(parts) == WHOLE[offset[0]] else None
    except (PeriodError, IndexError):
        return None


def figures_of(rows: pl.DataFrame, names: Iterable[str]) -> pl.Expr:
    """The figures of these operands in each row of a wide frame as a list, without those that are not printed."""
    numbers = [columns(name).figure_id for name in names]
    # Polars puts an array together thirty times as fast as a list.
    listed = pl.concat_arr(numbers).arr.to_list()
    return listed.list.drop_nulls() if any(rows.get_column(one).has_nulls() for one in numbers) else listed


def amount_columns(name: str) -> dict[str, pl.Expr]:
    """The expressions that give an operand's columns from columns named as in FIGURE_COLUMNS."""
    names = columns(name)
    made = {
        **_readings(),
        "flaw": pl.lit(None, pl.String),
        "rate": pl.lit(None, pl.Float64),
        "currency": pl.lit(None, pl.String),
    }
    return {getattr(names, field): made.get(field, pl.col(field)) for field in Columns._fields}


# ------------------------------------------------------------------------------------------------------------- keys


def _keys() -> list[pl.Expr]:
    """Numbers to join by, several times as fast as a text and two dates: hashes of 64 bits.

    `key` stands for entity, vintage and period, `span` for the period alone. Different figures may share a number, if
    very rarely: each has a second, independent one, its proof, and what is joined is believed where the proofs agree.
    """
    made = []
    for name, seed in (("", 0), ("_proof", 100)):
        span = _span(pl.col("period_start"), pl.col("period_end"), seed)
        made += [span.alias(f"span{name}"), (_entity(seed) + span).alias(f"key{name}")]
    return [*made, *(_entity(seed).alias(f"entity{name}") for name, seed in (("_key", 0), ("_proof", 100)))]


def _span(start: pl.Expr, end: pl.Expr, seed: int) -> pl.Expr:
    return start.hash(seed + 1) + end.hash(seed + 2)


def _entity(seed: int) -> pl.Expr:
    return pl.col("entity").hash(seed + 3) + pl.col("vintage").hash(seed + 4)


def _finest(candidates: pl.DataFrame, at: str) -> pl.DataFrame:
    """The figures of one metric, of each only the finest print."""
    if candidates.get_column(at).is_first_distinct().all():
        return candidates
    exact = ["period_start", "period_end"] if at == "span" else ["entity", "vintage", "period_start", "period_end"]
    ordered = candidates.sort(pl.col("low").is_null(), "step", "figure_id")
    return ordered.unique(exact, keep="first", maintain_order=True)


# -------------------------------------------------------------------------------------------------- figures made ready


def _without_bounds() -> pl.Expr:
    """A figure without bounds is one that no rate could convert."""
    return pl.when(pl.col("low").is_null()).then(pl.lit(Reason.MISSING_REFERENCE.value))


def _exchange() -> dict[str, pl.Expr]:
    """The rate that an amount was multiplied by, and the currency that it is printed in; null where it was not."""
    return {
        "rate": pl.col("rate"),
        "currency": pl.when(pl.col("rate").is_not_null()).then(pl.col("printed_unit").str.head(3)),
    }


def _contradicted(figures: pl.DataFrame, disputed: pl.Series) -> pl.DataFrame:
    """The figures, all prints of a disputed one without bounds and with that as their flaw."""
    blamed = figures.filter(pl.col("figure_id").is_in(disputed.implode())).select(SAME_FIGURE).unique()
    marked = figures.join(
        blamed.with_columns(__disputed=pl.lit(value=True)),
        on=SAME_FIGURE, how="left", nulls_equal=True, maintain_order="left",
    )  # fmt: skip
    flaw = pl.when("__disputed").then(pl.lit(Reason.DEFECTIVE_DUPLICATES.value)).otherwise("flaw")
    usable = [pl.when(pl.col("__disputed").is_null()).then(end).alias(end) for end in ("value", "low", "high")]
    return marked.with_columns(*usable, flaw=flaw).drop("__disputed")


def _readings() -> dict[str, pl.Expr]:
    laddered = pl.col("qualifier").cast(pl.String).is_in(LADDERED) & pl.col("value").is_not_null()
    return {
        "rungs": pl.when(laddered).then(pl.col("step_max") / pl.col("step")).otherwise(1.0),
        "capped": pl.col("qualifier").cast(pl.String).is_in(ONE_SIDED_BELOW),
    }


# ------------------------------------------------------------------------------------------------------- side by side


def _base(shelf: Shelf, own: Sequence[Operand], table: str | None) -> pl.DataFrame:
    """A row for each entity and period that prints one of these operands, with the columns of all of them."""
    wide, *others = in_threads(lambda operand: _of_metric(shelf, operand, table, keyed=True), own)
    for operand, printed in zip(own[1:], others, strict=True):
        names = columns(operand.name)
        joined = _joined(wide, printed.select("key", "key_proof", *names), "key", names)
        # Each figure has either bounds or a flaw: fewer of both than figures means that some found no row.
        if joined.get_column(names.low).count() + joined.get_column(names.flaw).count() < printed.height:
            joined = pl.concat([joined, printed.join(wide, on="key", how="anti")], how="diagonal")
        wide = joined
    return wide


def _of_metric(shelf: Shelf, operand: Operand, table: str | None, *, keyed: bool) -> pl.DataFrame:
    """The figures of one operand under its column names; `keyed`: with the keys of their rows."""
    mine = shelf.figures(operand.metric)
    if operand.entity is not None:
        mine = mine.filter(pl.col("entity") == operand.entity)
    elif table is not None and keyed:
        mine = _only(mine, (pl.col("table") == table) | pl.col("table").is_null())
    at = "key" if operand.entity is None else "span"
    fields = [pl.col(field).alias(name) for field, name in columns(operand.name)._asdict().items()]
    kept = [*KEYS, "vintage", "key", "key_proof"] if keyed else [at, f"{at}_proof"]
    if isinstance(operand, Rate):
        fields.append(pl.col("told").alias(told(operand)))
    return _finest(mine, at).select(*kept, *fields)


def _only(rows: pl.DataFrame, wanted: pl.Expr) -> pl.DataFrame:
    """The wanted rows; where these are all, as is usual, nothing is copied."""
    mask = rows.select(wanted).to_series()
    return rows if mask.all() else rows.filter(mask)


def _base_of_others(shelf: Shelf, others: Sequence[Operand], table: str | None) -> pl.DataFrame:
    """For a rule that has no figure of the row's own: a row for each period of those it names."""
    named = others[0].entity
    mine = [(leaf.entity, shelf.figures(leaf.metric)) for leaf in others]
    rows = pl.concat(
        [figures if entity is None else figures.filter(pl.col("entity") == entity) for entity, figures in mine]
    )
    if named is not None:
        rows = rows.with_columns(entity=pl.lit(named), table=pl.lit(table, pl.String))
    at = "key" if named is None else "span"
    return rows.select(*KEYS, "vintage", "key", "span").unique(at, keep="first", maintain_order=True)


def _add_elsewhere(wide: pl.DataFrame, shelf: Shelf, operand: Operand) -> pl.DataFrame:
    """The wide frame with an operand of a named entity or another period."""
    moved = wide if operand.offset == SAME else _moved(wide, operand.offset)
    at = "key" if operand.entity is None else "span"
    printed = _of_metric(shelf, operand, None, keyed=False)
    if operand.offset == SAME:
        return _joined(moved, printed, at, list(columns(operand.name)))
    there = printed.rename({at: "moved", f"{at}_proof": "moved_proof"})
    sought = moved.with_columns(
        (pl.col(f"moved{end}") + (pl.col(f"entity{own}") if at == "key" else 0)).alias(f"moved{end}")
        for end, own in (("", "_key"), ("_proof", "_proof"))
    )
    return _joined(sought, there, "moved", list(columns(operand.name))).drop("moved", "moved_proof")


def _joined(wide: pl.DataFrame, printed: pl.DataFrame, at: str, fields: Sequence[str]) -> pl.DataFrame:
    """Figures joined by number, and believed only where the proofs agree."""
    proof = f"{at}_proof"
    same = _constants(printed, fields)
    told = printed.drop(same).rename({proof: "__proof"})
    # A row without its figure has no bounds, and then nothing else of it is read: a constant need not be looked up.
    both = wide.join(told, on=at, how="left", maintain_order="left").with_columns(**same)
    if (both.get_column("__proof") != both.get_column(proof)).any():
        true = pl.col("__proof") == pl.col(proof)
        both = both.with_columns(pl.when(true).then(field).alias(field) for field in fields)
    return both.drop("__proof")


def _constants(printed: pl.DataFrame, fields: Sequence[str]) -> dict[str, pl.Expr]:
    """The fields that are one and the same in all figures of a metric, such as closed ends, as literals."""
    columns_read = [printed.get_column(name) for name in fields if name.rsplit("|", 1)[-1] in OFTEN_ONE]
    found = {one.name: one for one in columns_read if one.null_count() == one.len() or _is_one(one)}
    return {name: pl.lit(one.first(), dtype=one.dtype) for name, one in found.items()}


def _is_one(column: pl.Series) -> bool:
    return column.null_count() == 0 and column.dtype != pl.String and column.min() == column.max()


def _moved(wide: pl.DataFrame, offset: str) -> pl.DataFrame:
    """The rows with the numbers of the period one step away; those without such parts leave."""
    moved = moved_periods(wide, offset).with_columns(
        _span(pl.col("moved_start"), pl.col("moved_end"), seed).alias(name)
        for name, seed in (("moved", 0), ("moved_proof", 100))
    )
    if offset[0] in PARTS:
        moved = moved.filter(pl.col("moved_start").is_not_null())
    known = moved.select("period_start", "period_end", "moved", "moved_proof")
    at = ["period_start", "period_end"]
    return wide.join(known, on=at, how="inner" if offset[0] in PARTS else "left", maintain_order="left")


def moved_periods(keys: pl.DataFrame, offset: str) -> pl.DataFrame:
    """The distinct periods of keys, and what an offset makes of each: `moved_start, moved_end, moved_label`."""
    spans = keys.select("period_start", "period_end").unique().drop_nulls().sort("period_start", "period_end")
    moved = [step_away(Period.between(start, end), offset) for start, end in spans.iter_rows()]
    found = [(None, None, None) if to is None else (to.start, to.end, to.label) for to in moved]
    schema = {"moved_start": pl.Date, "moved_end": pl.Date, "moved_label": pl.String}
    return spans.hstack(pl.DataFrame(found, schema=schema, orient="row"))
