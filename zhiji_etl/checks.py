"""Checks without a project: `check` for a frame of figures, `agree` for two figures.

In: figures by whatever way they came (columns of FIGURE_COLUMNS, or entity, metric, period and the printed text), and
rules or tables. Out: `Findings`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from zhiji_etl import conversion, excerpts, findings
from zhiji_etl.consistency import pairs
from zhiji_etl.consistency.checking import Concluded, checked
from zhiji_etl.consistency.contradictions import refuse_contradictions
from zhiji_etl.consistency.expressions import Operand
from zhiji_etl.consistency.implied import intersect
from zhiji_etl.consistency.operands import amount_columns
from zhiji_etl.consistency.readings import Check
from zhiji_etl.consistency.rules import CompiledRule, compile_rule
from zhiji_etl.consistency.verdicts import judge
from zhiji_etl.errors import RuleError, SourceError, UnitError
from zhiji_etl.figures import FIGURE_COLUMNS, PARSED_FIELDS, Figure, Reason, Verdict
from zhiji_etl.periods import resolve_periods, with_year_ends
from zhiji_etl.rates import Rates
from zhiji_etl.reading import FigureNamespace
from zhiji_etl.sources.names import safe_terminal
from zhiji_etl.tables import MATERIAL, Metric, Rule, Table, declared_rule, fiscal_year_ends, metrics, rule, rules
from zhiji_etl.units import factor

if TYPE_CHECKING:
    from zhiji_etl.html.drawing import Drawing

NEEDED: Final = ("entity", "metric", "period")
FLAWED: Final = {name: FIGURE_COLUMNS[name] for name in (*NEEDED, "period_start", "period_end", "vintage")} | {
    "table": pl.String(),
    "flaw": pl.String(),
}

REJECTED: Final = {name: pl.String() for name in (*NEEDED, "printed", "code", "reason")}
"""Columns of the prints that are no figure."""

RuleLike = type[Table] | Callable[..., Any]


@dataclass(frozen=True, repr=False)
class Findings:
    """What was concluded: `frame` (FINDING_COLUMNS, the loudest first), `implied` (IMPLIED_COLUMNS), the `figures`, and
    the `rejects` (REJECTED): prints that are no figure, with code and reason.
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
        """How many findings there are of each verdict, and prints that are no figure, in one line."""
        unread = f"; rejected prints: {self.rejects.height}" if self.rejects.height else ""
        return f"Findings({excerpts.counted(excerpts.verdicts(excerpts.tallied(self.frame)))}{unread})"

    def plot(self, finding: str | None = None) -> Drawing:
        """The bounds of a finding (its `finding_id`, else the loudest) on one axis, as SVG that a notebook shows.

        Raises `FindingError` (`finding_unknown`) where there is no such finding, or none with bounds.
        """
        from zhiji_etl.html.cards import finding_drawing

        return finding_drawing(self.frame, self.figures, finding)

    def _repr_html_(self) -> str:
        from zhiji_etl.html.cards import findings_card

        return findings_card(self.frame, self.figures)


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
    (`03-31`) does. Where amounts restate others (`restates`), they are judged by `rates`. A column `decimals` beside
    `printed` declares the precision: more digits than that are the reason `excess_digits`. Any other text that is no
    figure counts as not printed; `rejects` tells why it is none. `trust` is the weight of a
    source in conflicts: of several candidates the lightest are likely wrong; infinite weight is never suspected.
    Raises `SourceError` (`column_missing`), `RuleError` (`rules_contradict` among them), and `UnitError` where a metric
    is printed in units that do not convert.
    """
    listed = [rules] if callable(rules) else list(rules)
    completed = _completed(figures.lazy().collect(), _year_ends(listed))
    known = _in_one_unit(completed.filter(pl.col("flaw").is_null()), _declared(listed))
    flawed = completed.filter(pl.col("flaw").is_not_null()).select(pl.col(n).cast(t) for n, t in FLAWED.items())
    observed = {**_observed(completed.filter(pl.col("flaw").is_not_null())), **_observed(known)}
    units = {name: replace(metric, at_least=None) for name, metric in observed.items()}
    meanings = {**observed, **_declared(listed)}
    rejects = completed.filter(pl.col("code").is_not_null()).select(pl.col(n).cast(t) for n, t in REJECTED.items())
    compiled = [_compiled(one, meanings, rejects) for one in _rules(listed)]
    refuse_contradictions(compiled, {**units, **_declared(listed)})
    concluded = checked(known.select(*FIGURE_COLUMNS), compiled, meanings, flawed, trust or {}, rates)
    return _findings(known, rejects, concluded, rates)


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


def _completed(figures: pl.DataFrame, year_ends: Mapping[str, str]) -> pl.DataFrame:
    """The frame with all FIGURE_COLUMNS and `flaw`: texts read, periods resolved, what is not told filled as usual."""
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
    return bounded.with_columns(pl.col(name).cast(dtype) for name, dtype in FIGURE_COLUMNS.items())


def _read(figures: pl.DataFrame) -> pl.DataFrame:
    if "printed" not in figures.columns:
        raise SourceError("column_missing", "The frame has neither printed nor value nor low.", hint="add one of them")
    decimals = pl.col("decimals").cast(pl.Int64) if "decimals" in figures.columns else None
    read = figures.with_columns(__read=FigureNamespace(pl.col("printed")).parse(decimals=decimals))
    fields = [pl.col("__read").struct.field(name) for name in PARSED_FIELDS if name in FIGURE_COLUMNS]
    code, reason = pl.col("__read").struct.field("code"), pl.col("__read").struct.field("reason")
    flaw = pl.when(code == Reason.EXCESS_DIGITS.value).then(code)
    # A figure that cannot be used still tells the unit of its metric.
    unit = pl.coalesce(
        "unit", FigureNamespace(pl.when(flaw.is_not_null()).then("printed")).parse().struct.field("unit")
    )
    nothing = pl.col("printed").is_null()
    told = {
        "code": pl.when(nothing).then(pl.lit("empty")).otherwise(code),
        "reason": pl.when(nothing).then(pl.lit("There is no text.")).otherwise(reason),
    }
    return read.with_columns(*fields, flaw=flaw, **told).with_columns(unit=unit).drop("__read")


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
        "code": pl.lit(None, pl.String),
        "reason": pl.lit(None, pl.String),
        "printed_unit": pl.col("unit") if "unit" in figures.columns else pl.lit("count"),
    }


def _end(sign: int) -> pl.Expr:
    """An end that is not told: half a step from the value, the value itself where no step is told either."""
    return pl.col("value") + sign * pl.col("step").fill_null(0.0) / 2


def _in_one_unit(figures: pl.DataFrame, declared: Mapping[str, Metric]) -> pl.DataFrame:
    """Each metric in the unit that a table declares for it, else in the first that it is printed in."""
    first = figures.filter(pl.col("restates").is_null() & pl.col("unit").is_not_null())
    units = dict(reversed(first.select("metric", "unit").unique(maintain_order=True).rows()))
    units.update({name: metric.unit for name, metric in declared.items()})
    pairs_of_units = figures.select("metric", "unit").unique().drop_nulls().rows()
    own = {(name, noun) for name, metric in declared.items() for noun in metric.nouns}
    nouns = {(metric, unit): units[metric] if (metric, unit) in own else unit for metric, unit in pairs_of_units}
    scales = [
        (*pair, units[pair[0]], _factor(figures, pair, noun, units[pair[0]], declared)) for pair, noun in nouns.items()
    ]
    schema = {"metric": pl.String, "unit": pl.String, "__unit": pl.String, "__factor": pl.Float64}
    table = pl.DataFrame(scales, schema=schema, orient="row")
    joined = figures.join(table, on=["metric", "unit"], how="left", maintain_order="left")
    amounts = [pl.col(name) * pl.col("__factor") for name in ("value", "low", "high", "step", "step_max")]
    converted = joined.with_columns(*amounts, unit=pl.coalesce("__unit", "unit")).drop("__unit", "__factor")
    return _cut(converted, declared)


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
        what, hint = error.message, error.hint
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


# --------------------------------------------------------------------------------------------------------------- rules


def _rules(listed: Iterable[RuleLike]) -> list[Rule]:
    found: list[Rule] = []
    for one in listed:
        if isinstance(one, type) and issubclass(one, Table):
            found += [replace(declared, table=None) for declared in rules(one)]
        else:
            found.append(declared_rule(one if hasattr(one, "__zhiji_rule__") else rule(one)))
    return found


def _compiled(one: Rule, meanings: Mapping[str, Metric], rejects: pl.DataFrame) -> CompiledRule:
    """The rule; where it asks for a metric of which no print could be read, the error says so."""
    try:
        return compile_rule(one, meanings)
    except RuleError as error:
        unread = rejects.filter(~pl.col("metric").is_in(list(meanings))).unique("metric", maintain_order=True)
        if error.code != "rule_metric" or unread.is_empty():
            raise
        prints = [f"{row['metric']} of {row['entity']} {row['period']}: {row['reason']}" for row in unread.to_dicts()]
        hint = f"no print could be read of {'; '.join(prints)}"
        raise RuleError(error.code, error.message, hint=safe_terminal(hint)) from None


def _declared(listed: Iterable[RuleLike]) -> dict[str, Metric]:
    tables = [one for one in listed if isinstance(one, type) and issubclass(one, Table)]
    return {metric.name: metric for table in tables for metric in metrics(table)}


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


def _findings(figures: pl.DataFrame, rejects: pl.DataFrame, concluded: Concluded, rates: Rates | None) -> Findings:
    found, implied = findings.all_as_findings(concluded.findings), [concluded.implied]
    if rates is not None:
        unstated = {**conversion.CONVENTION_COLUMNS, "fx": pl.String(), "restated_in": pl.String()}
        nothing = {name: pl.lit(None, dtype) for name, dtype in unstated.items() if name != "source"}
        restated = pairs.restatements(figures.with_columns(**nothing), rates)
        found.append(findings.as_findings(restated.findings))
        implied.append(restated.implied)
    read = figures.filter(pl.col("code").is_null())
    return Findings(findings.gathered(found), intersect(implied), read.select(*FIGURE_COLUMNS), rejects)


def _pair(one: Figure, other: Figure) -> pl.DataFrame:
    """Two figures side by side, as operands of one row."""
    return pl.concat([_operand(one, "one"), _operand(other, "other")], how="horizontal")


def _operand(figure: Figure, name: str) -> pl.DataFrame:
    fields = ("value", "low", "high", "low_closed", "high_closed", "step", "step_max", "qualifier")
    numbers = {field: getattr(figure, field) for field in fields}
    plain = {key: float(value) if hasattr(value, "is_finite") else value for key, value in numbers.items()}
    frame = pl.DataFrame([{**plain, "figure_id": None}], schema_overrides={"value": pl.Float64, "figure_id": pl.UInt64})
    return frame.select(**amount_columns(name))
