"""Checks without a project: `check` for a frame of figures, `agree` for two figures.

In: figures by whatever way they came (columns of FIGURE_COLUMNS, or entity, metric, period and the printed text), and
rules or tables. Out: `Findings`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from zhiji_etl import conversion, excerpts, findings
from zhiji_etl.catalogue import declared_metrics
from zhiji_etl.consistency import pairs
from zhiji_etl.consistency.checking import Concluded, checked
from zhiji_etl.consistency.contradictions import refuse_contradictions
from zhiji_etl.consistency.expressions import Operand
from zhiji_etl.consistency.implied import intersect
from zhiji_etl.consistency.operands import amount_columns
from zhiji_etl.consistency.readings import Check
from zhiji_etl.consistency.rules import CompiledRule, compile_rule
from zhiji_etl.consistency.verdicts import judge
from zhiji_etl.errors import RuleError, SourceError
from zhiji_etl.figures import FIGURE_AMOUNT, FIGURE_COLUMNS, PARSED_FIELDS, Figure, Reason, Verdict
from zhiji_etl.periods import resolve_periods, with_year_ends
from zhiji_etl.rates import Rates
from zhiji_etl.reading import FigureNamespace
from zhiji_etl.tables import MATERIAL, Metric, Rule, Table, declared_rule, fiscal_year_ends, rule, rules
from zhiji_etl.units import factor

if TYPE_CHECKING:
    from zhiji_etl.html.drawing import Drawing

NEEDED: Final = ("entity", "metric", "period")
REJECTED: Final = (*NEEDED, "printed", "code", "reason")
FLAWED: Final = {name: FIGURE_COLUMNS[name] for name in (*NEEDED, "period_start", "period_end", "vintage")} | {
    "table": pl.String(),
    "flaw": pl.String(),
}

TYPES: Final = FIGURE_COLUMNS | {"decimals": pl.Int64(), "fiscal_year_end": pl.String()}

RuleLike = type[Table] | Callable[..., Any]


@dataclass(frozen=True, repr=False)
class Findings:
    """What was concluded: `frame` (FINDING_COLUMNS, the loudest first), `implied` (IMPLIED_COLUMNS), the figures.

    `rejects` are the rows that became no figure: `entity, metric, period, printed, code, reason`.
    """

    frame: pl.DataFrame
    implied: pl.DataFrame
    figures: pl.DataFrame
    rejects: pl.DataFrame

    def with_verdict(self, verdict: Verdict | str) -> pl.DataFrame:
        """The findings of one verdict."""
        return self.frame.filter(pl.col("verdict").cast(pl.String) == Verdict(verdict).value)

    @property
    def ok(self) -> bool:
        """Whether nothing is inconsistent; an alternative that fails where another one holds is no fault."""
        return self.with_verdict(Verdict.INCONSISTENT).filter(findings.is_main()).is_empty()

    def __repr__(self) -> str:
        """How many findings there are of each verdict, and how many rejects of each code, in one line."""
        codes = ", ".join(f"{number:,} {code}" for code, number in excerpts.counted_codes(self.rejects).iter_rows())
        rejected = f"; rejected: {codes}" if codes else ""
        return f"Findings({excerpts.counted(excerpts.verdicts(excerpts.tallied(self.frame)))}{rejected})"

    def plot(self, finding: str | None = None) -> Drawing:
        """The bounds of a finding (its `finding_id`, else the loudest) on one axis, as SVG that a notebook shows.

        Raises `FindingError` (`finding_unknown`) where there is no such finding, or none with bounds.
        """
        from zhiji_etl.html.cards import finding_drawing

        return finding_drawing(self.frame, self.figures, finding)

    def _repr_html_(self) -> str:
        from zhiji_etl.html.cards import findings_card

        return findings_card(self.frame, self.figures, rejects=self.rejects.height)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two figures stand to each other: `low` and `high` hold what both allow, null where they disagree."""

    verdict: Verdict
    low: float | None
    high: float | None
    strain: float | None
    mde: float | None


def check(
    figures: pl.DataFrame | pl.LazyFrame,
    rules: RuleLike | Iterable[RuleLike],
    rates: Rates | None = None,
    *,
    trust: Mapping[str, float] | None = None,
) -> Findings:
    """Judge rules over any frame of figures.

    In: `entity, metric, period` and either `printed` or the columns of a figure (`value`, or `low` and `high`; `step`,
    `unit` and the rest where known). `rules` are functions of `m`, marked with `@rule` or not, or tables, whose rules
    are then run, and whose fiscal year ends say what `FY2020` of an entity means, unless a column `fiscal_year_end`
    (`03-31`) does. Amounts that restate others (in brackets, or by the column `restates`) are judged by `rates`. A
    column `decimals` beside `printed` declares the precision: more digits than that are the reason `excess_digits`. A
    row that is no figure, or of no period, counts as not printed and is one of the `rejects`. `trust` is the weight of
    a source in conflicts: of several candidates the lightest are likely wrong; infinite weight is never suspected.
    Raises `SourceError` (`frame_needed`, `column_missing`, `column_type`), `RuleError` (`rule_needed` and
    `rules_contradict` among them), `ProjectError` where a table declares what cannot be, and `UnitError` where a metric
    is printed in units that do not convert.
    """
    listed = list(rules) if isinstance(rules, Iterable) and not callable(rules) else [rules]
    _refuse_others(listed)
    told = _completed(_frame(figures), _year_ends(listed))
    rejects = told.filter(pl.col("__code").is_not_null())
    completed = told.filter(pl.col("__code").is_null() | pl.col("flaw").is_not_null())
    known = _in_one_unit(completed.filter(pl.col("flaw").is_null()), _declared(listed))
    flawed = completed.filter(pl.col("flaw").is_not_null()).select(pl.col(n).cast(t) for n, t in FLAWED.items())
    observed = {**_observed(completed.filter(pl.col("flaw").is_not_null())), **_observed(known)}
    units = {name: replace(metric, at_least=None) for name, metric in observed.items()}
    meanings = {**observed, **_declared(listed)}
    compiled = _compiled(_rules(listed), meanings, rejects)
    refuse_contradictions(compiled, {**units, **_declared(listed)})
    concluded = checked(known.select(*FIGURE_COLUMNS), compiled, meanings, flawed, trust or {}, rates)
    return _findings(known, concluded, rates, rejects)


def agree(one: Figure, other: Figure, *, material: float = MATERIAL) -> Agreement:
    """Whether two figures can be the same: the verdict, what both allow in the unit of `one`, strain and power.

    Raises `UnitError` where their units do not convert.
    """
    left, right = Operand("one"), Operand("other")
    scale = {"one": Fraction(1), "other": factor(other.unit, one.unit)}
    judged = judge(_pair(one, other), Check(left, "==", right, scale, Fraction(1), frozenset(), material))
    row = judged.row(0, named=True)
    verdict = Verdict(row["verdict"])
    meets = verdict is not Verdict.INCONSISTENT
    low = max(row["stated_low"], row["implied_low"]) if meets else None
    high = min(row["stated_high"], row["implied_high"]) if meets else None
    return Agreement(verdict, low, high, row["strain"], row["mde"])


# ------------------------------------------------------------------------------------------------------------- figures


def _frame(figures: object) -> pl.DataFrame:
    """The figures as a frame whose columns have the types of FIGURE_COLUMNS."""
    if not isinstance(figures, pl.DataFrame | pl.LazyFrame):
        what = f"Figures are a Polars DataFrame or LazyFrame, not {type(figures).__module__}.{type(figures).__name__}."
        raise SourceError("frame_needed", what, hint="pl.from_pandas(frame), or pl.DataFrame(rows)")
    frame = figures.lazy().collect()
    return frame.with_columns(_typed(frame.get_column(name), dtype) for name, dtype in TYPES.items() if name in frame)


def _typed(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    hint = None
    if column.name == "printed" and column.dtype.is_float():
        hint = "read it as text, as it was printed; or give the numbers as value, and their precision as step"
    else:
        with suppress(pl.exceptions.PolarsError):
            return column.cast(dtype)
    raise SourceError("column_type", f"The column {column.name} is {column.dtype}, and not {dtype}.", hint=hint)


def _completed(figures: pl.DataFrame, year_ends: Mapping[str, str]) -> pl.DataFrame:
    """The frame with all FIGURE_COLUMNS: texts read, periods resolved, what is not told filled as usual.

    `__code` and `__reason` say of a row why it is no figure, `flaw` of a figure why it cannot be used.
    """
    missing = [name for name in NEEDED if name not in figures.columns]
    if missing:
        what = f"The frame has no column {', '.join(missing)}; it has {', '.join(figures.columns)}."
        raise SourceError("column_missing", what, hint="figures have entity, metric, period and printed, or value")
    read = figures if {"value", "low"} & set(figures.columns) else _read(figures)
    dated = read if "period_start" in read.columns else _dated(read, year_ends)
    defaults = {name: default for name, default in _defaults(dated).items() if name not in dated.columns}
    absent = [name for name in FIGURE_COLUMNS if name not in dated.columns and name not in defaults]
    filled = dated.with_columns(**defaults).with_columns(pl.lit(None).alias(name) for name in absent)
    bounded = filled.with_columns(low=pl.coalesce("low", _end(-1)), high=pl.coalesce("high", _end(1)))
    return _defective(bounded.with_columns(pl.col(name).cast(dtype) for name, dtype in FIGURE_COLUMNS.items()))


def _read(figures: pl.DataFrame) -> pl.DataFrame:
    if "printed" not in figures.columns:
        raise SourceError("column_missing", "The frame has neither printed nor value nor low.", hint="add one of them")
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
    numbers = pl.col("value", "low", "high")
    told = {
        ("entity_missing", "The row has no entity."): pl.col("entity").is_null(),
        ("metric_missing", "The row has no metric."): pl.col("metric").is_null(),
        ("no_number", "The row holds NaN, which is no number."): pl.any_horizontal(numbers.is_nan()),
        ("contradiction", "The upper end lies below the lower one."): pl.col("low") > pl.col("high"),
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


def _end(sign: int) -> pl.Expr:
    """An end that is not told: half a step from the value, the value itself where no step is told either."""
    return pl.col("value") + sign * pl.col("step").fill_null(0.0) / 2


def _in_one_unit(figures: pl.DataFrame, declared: Mapping[str, Metric]) -> pl.DataFrame:
    """Each metric in the unit that a table declares for it, else in the first that it is printed in."""
    is_main = pl.col("restates").is_null()
    first = figures.filter(is_main & pl.col("unit").is_not_null())
    units = dict(reversed(first.select("metric", "unit").unique(maintain_order=True).rows()))
    units.update({name: metric.unit for name, metric in declared.items()})
    pairs_of_units = first.select("metric", "unit").unique().rows()
    own = {(name, noun) for name, metric in declared.items() for noun in metric.nouns}
    nouns = {(metric, unit): units[metric] if (metric, unit) in own else unit for metric, unit in pairs_of_units}
    scales = [(*pair, units[pair[0]], float(factor(noun, units[pair[0]]))) for pair, noun in nouns.items()]
    schema = {"metric": pl.String, "unit": pl.String, "__unit": pl.String, "__factor": pl.Float64}
    table = pl.DataFrame(scales, schema=schema, orient="row")
    joined = figures.join(table, on=["metric", "unit"], how="left", maintain_order="left")
    # What restates another figure stays in its own currency.
    joined = joined.with_columns(pl.when(is_main).then(name).alias(name) for name in ("__unit", "__factor"))
    joined = joined.with_columns(pl.col("__factor").fill_null(1.0))
    amounts = [pl.col(name) * pl.col("__factor") for name in ("value", "low", "high", "step", "step_max")]
    converted = joined.with_columns(*amounts, unit=pl.coalesce("__unit", "unit")).drop("__unit", "__factor")
    return _cut(converted, declared)


def _cut(figures: pl.DataFrame, declared: Mapping[str, Metric]) -> pl.DataFrame:
    """The figures with their bounds cut at the ends that tables declare, as in a run."""
    limits = [(metric.name, metric.at_least, metric.at_most) for metric in declared.values()]
    schema = {"metric": pl.String, "at_least": pl.Float64, "at_most": pl.Float64}
    known = pl.DataFrame(limits, schema=schema, orient="row")
    joined = figures.join(known, on="metric", how="left", maintain_order="left")
    return conversion.within_declared_ends(joined).drop("at_least", "at_most")


# --------------------------------------------------------------------------------------------------------------- rules


def _refuse_others(listed: Iterable[object]) -> None:
    others = [one for one in listed if not callable(one)]
    if others:
        what = f"{others[0]!r} is no rule and no table."
        raise RuleError("rule_needed", what, hint="give functions of m, such as lambda m: m.a <= m.b, or tables")


def _compiled(listed: Iterable[Rule], meanings: Mapping[str, Metric], rejects: pl.DataFrame) -> list[CompiledRule]:
    try:
        return [compile_rule(one, meanings) for one in listed]
    except RuleError as error:
        unread = dict(reversed(rejects.select("metric", "__reason").drop_nulls().rows()))
        for metric, reason in unread.items():
            # It has no unit, for none of its prints became a figure: it is not the rule that is wrong.
            if error.code == "rule_metric" and error.message.endswith(f" {metric}."):
                raise RuleError(error.code, error.message, hint=f"none of its prints is a figure: {reason}") from None
        raise


def _rules(listed: Iterable[RuleLike]) -> list[Rule]:
    found: list[Rule] = []
    for one in listed:
        if isinstance(one, type) and issubclass(one, Table):
            found += [replace(declared, table=None) for declared in rules(one)]
        else:
            found.append(declared_rule(one if hasattr(one, "__zhiji_rule__") else rule(one)))
    return found


def _declared(listed: Iterable[RuleLike]) -> dict[str, Metric]:
    return declared_metrics(one for one in listed if isinstance(one, type) and issubclass(one, Table))


def _year_ends(listed: Iterable[RuleLike]) -> dict[str, str]:
    """The fiscal year ends that tables declare for entities."""
    tables = [one for one in listed if isinstance(one, type) and issubclass(one, Table)]
    return {entity: day for table in tables for entity, day in fiscal_year_ends(table).items()}


def _observed(figures: pl.DataFrame) -> dict[str, Metric]:
    """What the frame itself says of its metrics: the unit, and that none is negative where none is."""
    seen = figures.filter(pl.col("unit").is_not_null()).group_by("metric", maintain_order=True)
    rows = seen.agg(pl.col("unit").first(), pl.col("low").min()).iter_rows()
    return {
        name: Metric(name, unit, at_least=0.0 if low is not None and low >= 0 else None, assumed=True)
        for name, unit, low in rows
    }


def _findings(figures: pl.DataFrame, concluded: Concluded, rates: Rates | None, rejects: pl.DataFrame) -> Findings:
    found, implied = findings.all_as_findings(concluded.findings), [concluded.implied]
    if rates is not None:
        unstated = {**conversion.CONVENTION_COLUMNS, "fx": pl.String(), "restated_in": pl.String()}
        nothing = {name: pl.lit(None, dtype) for name, dtype in unstated.items() if name != "source"}
        restated = pairs.restatements(figures.with_columns(**nothing), rates)
        found.append(findings.as_findings(restated.findings))
        implied.append(restated.implied)
    told = rejects.with_columns(code="__code", reason="__reason").select(*REJECTED)
    return Findings(findings.gathered(found), intersect(implied), figures.select(*FIGURE_COLUMNS), told)


def _pair(one: Figure, other: Figure) -> pl.DataFrame:
    """Two figures side by side, as operands of one row."""
    return pl.concat([_operand(one, "one"), _operand(other, "other")], how="horizontal")


def _operand(figure: Figure, name: str) -> pl.DataFrame:
    fields = ("value", "low", "high", "low_closed", "high_closed", "step", "step_max", "qualifier")
    numbers = {field: getattr(figure, field) for field in fields}
    plain = {key: float(value) if hasattr(value, "is_finite") else value for key, value in numbers.items()}
    frame = pl.DataFrame([{**plain, "figure_id": None}], schema_overrides={"value": pl.Float64, "figure_id": pl.UInt64})
    return frame.select(**amount_columns(name))
