"""From raw rows to figures: read what is printed, find its table and its days, and turn away what cannot be one.

In: the sources of a project. Out: `Split`, in which every raw row, known by its `row_id`, is either behind one figure
(two where an amount is restated in another currency) or a reject with a code and a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import polars as pl

from zhiji_etl import corrections, labels
from zhiji_etl.catalogue import Catalogue
from zhiji_etl.conversion import tied
from zhiji_etl.distinct import found_once, with_answers
from zhiji_etl.errors import FigureError, ProjectError
from zhiji_etl.figures import FIGURE_AMOUNT, FIGURE_COLUMNS, Reason
from zhiji_etl.periods import resolve_periods, with_year_ends
from zhiji_etl.rates import USUAL, RateMethod
from zhiji_etl.reading.captioned import captioned_series
from zhiji_etl.reading.cells import options
from zhiji_etl.sources import Sidecar, Source, ordinals, scan_source
from zhiji_etl.sources.names import nearest
from zhiji_etl.sources.rows import NEEDED, OPTIONAL, RESERVED, RESERVED_STARTS
from zhiji_etl.threads import TWO, in_threads

REJECT_ENDING: Final = ("code", "reason")
Recall = Callable[[Source, Callable[[], pl.DataFrame]], pl.DataFrame]
"""Given a source and what reads its rows: those rows, read or remembered."""

RESTATING: Final = 1
"""The last bit of a figure_id: 0 for the figure of a row, 1 for the amount that restates it."""

RESTATED: Final = "__restated"
"""Column of `read_rows`: the amount (FIGURE_AMOUNT) that restates that of the row; its unit is null where none does."""

ROW_COLUMNS: Final[dict[str, pl.DataType]] = {
    "row_id": pl.UInt64(),
    **dict.fromkeys(("source", "locator", *NEEDED, *(name for name in OPTIONAL if name != "locator")), pl.String()),
    **dict.fromkeys(("corrected_from", "declared_unit"), pl.String()),
    "nouns": pl.List(pl.String()),
    **dict.fromkeys(("at_least", "at_most"), pl.Float64()),
    **dict.fromkeys(("fx", "restated_in"), pl.String()),
    **{name: FIGURE_COLUMNS[name] for name in ("period_start", "period_end")},
    "period_label": pl.String(),
    "period_is_flow": pl.Boolean(),
    **dict.fromkeys(REJECT_ENDING, pl.String()),
    **FIGURE_AMOUNT,
    RESTATED: pl.Struct(FIGURE_AMOUNT),
}
"""The columns of `read_rows`, beside which stand all other raw columns, as text."""

BATCH: Final = 125_000
"""Rows that are read at a time: enough for two threads that parse, few enough to be forgotten soon."""

LARGE: Final = 64_000_000
"""Bytes of a source above which its raw rows are not held in memory as a whole, where they need not be."""

_DEFECT: Final = pl.Struct({"code": pl.String(), "reason": pl.String()})
_FOR_A_WHILE: Final = (
    *("read", "defect", "defect_reason", "fiscal_year_end", "__placing", "period_kind", "period_code", "period_reason"),
    *corrections.WORKING,
)
"""Columns that reading needs, and nothing after it."""


class Split(NamedTuple):
    """Figures (FIGURE_COLUMNS, in the printed unit, with `declared_unit`), and rejects (raw columns, code, reason)."""

    figures: pl.DataFrame
    rejects: pl.DataFrame


def read_rows(
    sources: Iterable[Source],
    catalogue: Catalogue,
    amendments: Sequence[corrections.Correction] = (),
    recall: Recall | None = None,
) -> pl.DataFrame:
    """All rows of all sources with their reading, period, table and, where they are no figure, `code` and `reason`.

    `recall` may give the rows of a source without calling the function that reads them, which it is handed.
    """
    listed = list(sources)
    numbers = ordinals(listed)
    for one in listed:
        _check_sidecar(one, catalogue)
    readers = [partial(_read_source, one, numbers[one.name], catalogue, amendments) for one in listed]
    recalled = recall or (lambda _source, read: read())
    read = in_threads(recalled, listed, readers, threads=TWO)
    frames = {one.name: frame for one, frame in zip(listed, read, strict=True)}
    # The bits of the ordinal stand first in a row_id: in the order of the sources nothing is left to sort.
    in_order = [frames[name] for name in sorted(numbers, key=numbers.__getitem__)]
    return pl.concat(in_order, how="diagonal").select(_columns(frames.values()))


def read_batches(
    source: Source,
    sources: Iterable[Source],
    catalogue: Catalogue,
    amendments: Sequence[corrections.Correction] = (),
) -> Iterator[pl.DataFrame]:
    """The rows of one of several sources as `read_rows` gives them, some at a time."""
    _check_sidecar(source, catalogue)
    return _batches_of(source, ordinals(sources)[source.name], catalogue, amendments)


def _columns(frames: Iterable[pl.DataFrame]) -> list[str]:
    """The columns of all frames, in the order in which they come up."""
    return list(dict.fromkeys(name for frame in frames for name in frame.columns))


def _read_source(
    source: Source, ordinal: int, catalogue: Catalogue, amendments: Sequence[corrections.Correction]
) -> pl.DataFrame:
    """The rows of one source, in the order of their `row_id`."""
    return pl.concat(_batches_of(source, ordinal, catalogue, amendments))


def _batches_of(
    source: Source, ordinal: int, catalogue: Catalogue, amendments: Sequence[corrections.Correction]
) -> Iterator[pl.DataFrame]:
    """The rows of one source in the order of their `row_id`, at least one batch of them."""
    units = units_of(catalogue)
    for part in source.parts:
        # Blanks around a name that is looked up are no part of it.
        scanned = scan_source(part, ordinal).with_columns(pl.col("metric").str.strip_chars())
        named = labels.in_our_names(scanned, source.sidecar, units)
        raw = corrections.amended(named, source.name, amendments)
        batches = _from_disk(raw) if part.bytes > LARGE else _from_memory(raw)
        yield from (_read_batch(batch, source.sidecar, catalogue, amendments) for batch in batches)


def _from_memory(raw: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """Raw rows in batches.

    They are collected first: while `collect_batches` of Polars 2.1 goes on, a plan that calls Python for a batch may
    find no thread left, and waits for ever.
    """
    rows = raw.collect(engine="streaming")
    yield from (rows.slice(start, BATCH) for start in range(0, max(rows.height, 1), BATCH))


def _from_disk(raw: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """Raw rows in batches, which memory holds one by one: all of them pass through a file."""
    with TemporaryDirectory(prefix="zhiji-etl-") as folder:
        path = Path(folder) / "rows.arrow"
        raw.sink_ipc(path, maintain_order=True, engine="streaming")
        rows = pl.scan_ipc(path)
        height = rows.select(pl.len()).collect().item()
        yield from (rows.slice(start, BATCH).collect() for start in range(0, max(height, 1), BATCH))


def _read_batch(
    raw: pl.DataFrame, sidecar: Sidecar, catalogue: Catalogue, amendments: Sequence[corrections.Correction]
) -> pl.DataFrame:
    """Raw rows with what they print, where it belongs and when it was, or why they are no figures."""
    read = corrections.rescaled(_read(raw, sidecar), amendments)
    placed = _dated(_placed(read, catalogue), catalogue.fiscal_year_ends)
    judged = placed.with_columns(_first_defect()).unnest("__defect")
    return _stated(judged).drop(_FOR_A_WHILE)


def split(rows: pl.DataFrame) -> Split:
    """The rows in two: those with a code are rejects, the others become figures."""
    defective = pl.col("code").is_not_null()
    figures = rows.filter(~defective)
    restated = pl.col(RESTATED).struct
    again = figures.filter(restated.field("unit").is_not_null()).with_columns(restated.field(*FIGURE_AMOUNT))
    both = _figures(figures, 0).merge_sorted(_figures(again, RESTATING), key="figure_id")
    # Put together once: expressions over columns in pieces would each do it again.
    return Split(tied(both.rechunk()), as_rejects(rows.filter(defective)))


def as_rejects(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of `read_rows` as rejects: every raw column, then `row_id, source, code, reason`."""
    raw = [name for name in rows.columns if name not in RESERVED and not name.startswith(RESERVED_STARTS)]
    restored = rows.with_columns(printed=pl.coalesce("corrected_from", "printed"))
    return restored.select(*raw, "row_id", "source", *REJECT_ENDING)


def excessive(rows: pl.DataFrame) -> pl.DataFrame:
    """The figures that are rejects because they print more digits than their declared precision has.

    Out: `table, entity, metric, period, period_start, period_end, vintage, flaw`: rules that need one say why there is
    no verdict.
    """
    found = rows.filter(pl.col("code") == Reason.EXCESS_DIGITS.value)
    keys = ("table", "metric", "period_start", "period_end", "vintage")
    return found.select(*keys, entity=_entity(), period="period_label", flaw="code")


def reject(rows: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    """The rows named by `row_id` in `verdicts` (`row_id, code, reason`) as rejects."""
    return as_rejects(rows.drop("code", "reason").join(verdicts, on="row_id", how="inner", maintain_order="left"))


def units_of(catalogue: Catalogue) -> labels.Units:
    """By metric the unit that it is declared in, and its other nouns."""
    return {name: (metric.unit, *metric.nouns) for name, metric in catalogue.metrics.items()}


def _check_sidecar(source: Source, catalogue: Catalogue) -> None:
    """Refuse a sidecar that says what nothing can take up: inside a plan the error would lose its words."""
    sidecar = source.sidecar
    try:
        # A wide table may be of several units: each of its cells has a caption of its own.
        is_listed = sidecar.layout is not None and len(labels.understood_units(sidecar.unit or "")) > 1
        options(sidecar.currency, sidecar.scale, None if is_listed else sidecar.unit, sidecar.decimal_comma)
        labels.check_captions(sidecar, catalogue.metrics)
        labels.check_identifiers(sidecar, [name for table in catalogue.tables for name in catalogue.identifiers(table)])
    except FigureError as error:
        raise ProjectError("sidecar_invalid", f"sidecar of {source.name}: {error.message}", hint=error.hint) from None


def _read(rows: pl.DataFrame, sidecar: Sidecar) -> pl.DataFrame:
    decimals = pl.col("decimals").cast(pl.Int64, strict=False)
    if sidecar.decimals is not None:
        decimals = decimals.fill_null(sidecar.decimals)
    is_wide = sidecar.layout is not None
    read = captioned_series(
        rows.get_column("printed"),
        rows.get_column("caption"),
        rows.select(decimals).to_series(),
        currency=sidecar.currency,
        scale=None if is_wide else sidecar.scale,
        unit=None if is_wide else sidecar.unit,
        rounding=sidecar.rounding,
        decimal_comma=sidecar.decimal_comma,
    )
    year_end = pl.lit(sidecar.fiscal_year_end, pl.String)
    return rows.with_columns(read=read, fiscal_year_end=year_end)


def _placed(rows: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """Each row with the table that it names, or the only one that declares its metric, and what that declares."""
    schema = {**catalogue.declarations.drop("metric").schema, "__placing": _DEFECT}
    keys = {name: pl.col(name) for name in ("table", "metric")}
    return with_answers(rows, keys, partial(_placements, catalogue=catalogue), schema)


def _placements(named: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """Pairs of `table, metric` with the table that is meant and what it declares, or `__placing`: why there is none."""
    declarations = catalogue.declarations
    only = declarations.group_by("metric").agg(
        only_table=pl.col("table").first(), tables=pl.col("table").sort().str.join(", "), count=pl.len()
    )
    known = named.select(_snake(pl.col("table")), "metric").join(only, on="metric", how="left", maintain_order="left")
    table = pl.coalesce("table", pl.when(pl.col("count") == 1).then("only_table"))
    meant = known.with_columns(table=table)
    joined = meant.join(declarations, on=["table", "metric"], how="left", maintain_order="left")
    return joined.with_columns(__placing=_placing_defect(catalogue))


def _snake(name: pl.Expr) -> pl.Expr:
    return name.str.replace_all(r"([a-z0-9])([A-Z])", "${1}_${2}").str.to_lowercase()


def _placing_defect(catalogue: Catalogue) -> pl.Expr:
    unknown_table = pl.col("table").is_not_null() & ~pl.col("table").is_in(list(catalogue.tables))
    return (
        pl.when(pl.col("metric").is_null())
        .then(_defect("metric_missing", pl.lit("The row has no metric.")))
        .when(unknown_table)
        .then(_defect("table_unknown", pl.format("No schema declares a table {}.", "table")))
        .when(pl.col("count").is_null())
        .then(_defect("metric_unknown", pl.format("No table declares the metric {}. {}", "metric", _near(catalogue))))
        .when(pl.col("table").is_null())
        .then(_defect("table_ambiguous", pl.format("{} is declared by {}: say which.", "metric", "tables")))
        .when(pl.col("declared_unit").is_null())
        .then(_defect("metric_unknown", pl.format("The table {} does not declare {}.", "table", "metric")))
    )


def _near(catalogue: Catalogue) -> pl.Expr:
    """A hint with the metric that is nearest to an unknown one."""
    known = sorted(catalogue.metrics)

    def hint(metric: str) -> str:
        """What to do about one metric."""
        near = nearest(metric, known)
        listed = (
            f"declared are {', '.join(known[:20])}; [names.metric] of the sidecar gives our name for a printed one."
        )
        return f"Hint: did you mean {near}?" if near else f"Hint: {listed}"

    return found_once(pl.col("metric"), hint, pl.String())


def _dated(rows: pl.DataFrame, year_ends: Mapping[str, str]) -> pl.DataFrame:
    """Each row with its days; a fiscal year ends as its source says, else as its entity is declared."""
    return resolve_periods(with_year_ends(rows, year_ends), "period", "fiscal_year_end")


def _defect(code: str, reason: pl.Expr) -> pl.Expr:
    return pl.struct(pl.lit(code).alias("code"), reason.alias("reason"))


def _first_defect() -> pl.Expr:
    """Why a row is no figure, the first reason that applies: its shape, its entity, its table, its period, its text."""
    read = pl.col("read").struct
    entity = pl.col("entity").is_null() | (pl.col("entity").str.strip_chars() == "")
    no_decimals = pl.col("decimals").is_not_null() & pl.col("decimals").cast(pl.Int64, strict=False).is_null()
    return (
        pl.when(pl.col("__dropped").is_not_null())
        .then(_defect(corrections.DROPPED, pl.col("__dropped")))
        .when(pl.col("defect").is_not_null())
        .then(pl.struct(pl.col("defect").alias("code"), pl.col("defect_reason").alias("reason")))
        .when(entity)
        .then(_defect("entity_missing", pl.lit("The row has no entity: say whose figure this is.")))
        .when(pl.col("__placing").struct.field("code").is_not_null())
        .then("__placing")
        .when(pl.col("period_reason").is_not_null())
        .then(pl.struct(pl.col("period_code").alias("code"), pl.col("period_reason").alias("reason")))
        .when(no_decimals)
        .then(_defect("decimals_invalid", pl.format("“{}” is no whole number of decimals.", "decimals")))
        .when(pl.col("printed").is_null())
        .then(_defect("empty", pl.lit("There is nothing printed in this row.")))
        .when(read.field("code").is_not_null())
        .then(pl.struct(read.field("code"), read.field("reason")))
        .alias("__defect")
    )


def _entity() -> pl.Expr:
    """The entity without the blanks around it, which would make it another one."""
    return pl.col("entity").str.strip_chars()


def _stated(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with the amount of their figure (FIGURE_AMOUNT), and under RESTATED the one that restates it.

    The figure is what stands first, but where only the amount in brackets is in the declared unit.
    """
    read = pl.col("read").struct
    other = read.field("restated").struct.field(*FIGURE_AMOUNT)
    plain = rows.with_columns(read.field(*FIGURE_AMOUNT), pl.struct(other).alias(RESTATED))
    unit = pl.col(RESTATED).struct.field("unit")
    if plain.select(unit.is_null().all()).item():
        return plain.with_columns(pl.lit(None, pl.Struct(FIGURE_AMOUNT)).alias(RESTATED))
    in_brackets = ((unit == pl.col("declared_unit")) & (pl.col("unit") != pl.col("declared_unit"))).fill_null(False)
    first = pl.when(in_brackets).then(RESTATED).otherwise(pl.struct(FIGURE_AMOUNT.keys()))
    second = pl.when(in_brackets).then(pl.struct(FIGURE_AMOUNT.keys())).otherwise(RESTATED)
    turned = plain.with_columns(first.alias("read"), second.alias(RESTATED))
    return turned.with_columns(pl.col("read").struct.field(*FIGURE_AMOUNT))


def _figures(rows: pl.DataFrame, restating: int) -> pl.DataFrame:
    """Rows as figures in their printed unit: FIGURE_COLUMNS, and what the table declares of the metric."""
    named = {
        "figure_id": pl.col("row_id") * 2 + restating,
        "entity": _entity(),
        "period": pl.col("period_label"),
        "printed_value": pl.col("value"),
        "printed_unit": pl.col("unit"),
        "rate": pl.lit(None, pl.Float64),
        "rate_method": pl.lit(None, pl.String),
        "restates": pl.col("row_id") * 2 if restating else pl.lit(None, pl.UInt64),
    }
    declared = ("declared_unit", "nouns", "at_least", "at_most", "restated_in")
    columns = [named.get(name, pl.col(name)).cast(dtype).alias(name) for name, dtype in FIGURE_COLUMNS.items()]
    return rows.select(*columns, *declared, fx=_method())


def _method() -> pl.Expr:
    """The method that the metric declares; `usual` is one method for flows and another for stocks."""
    flow, stock = (RateMethod.usual(is_flow=is_flow).value for is_flow in (True, False))
    usual = pl.when("period_is_flow").then(pl.lit(flow)).otherwise(pl.lit(stock))
    return pl.when(pl.col("fx") == USUAL).then(usual).otherwise("fx")
