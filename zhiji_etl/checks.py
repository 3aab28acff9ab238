"""Checks without a project: `check` for a frame of figures, `agree` for two figures.

In: figures by whatever way they came (columns of FIGURE_COLUMNS, or entity, metric, period and the printed text), and
rules or tables. Out: `Findings`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Final

import polars as pl

from zhiji_etl import conversion, excerpts, findings
from zhiji_etl.arguments import Above, Least, guarded, shown
from zhiji_etl.catalogue import declared_metrics
from zhiji_etl.completion import NEEDED, completed, frame_of, in_one_unit
from zhiji_etl.consistency import pairs
from zhiji_etl.consistency.checking import Concluded, checked
from zhiji_etl.consistency.contradictions import refuse_contradictions
from zhiji_etl.consistency.rules.compiled import CompiledRule, compile_rule
from zhiji_etl.consistency.rules.expressions import Operand
from zhiji_etl.consistency.rules.implied import intersect
from zhiji_etl.consistency.rules.operands import amount_columns
from zhiji_etl.consistency.rules.readings import Check
from zhiji_etl.consistency.rules.verdicts import judge
from zhiji_etl.errors import RuleError, UnitError
from zhiji_etl.figures import FIGURE_COLUMNS, Figure, Verdict
from zhiji_etl.rates import Rates
from zhiji_etl.sources.names import safe_terminal
from zhiji_etl.tables import MATERIAL, Metric, Rule, Table, declared_rule, fiscal_year_ends, is_rule, rule, rules
from zhiji_etl.units import factor

if TYPE_CHECKING:
    from zhiji_etl.html.drawing import Drawing

REJECTED: Final = (*NEEDED, "printed", "code", "reason")
FLAWED: Final = {name: FIGURE_COLUMNS[name] for name in (*NEEDED, "period_start", "period_end", "vintage")} | {
    "table": pl.String(),
    "flaw": pl.String(),
}

PARSED: Final = "zj.parse(text) gives one"

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

    @guarded()
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

    @guarded()
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


@guarded(figures=None, rules=None)
def check(
    figures: pl.DataFrame | pl.LazyFrame,
    rules: RuleLike | Iterable[RuleLike],
    rates: Rates | None = None,
    *,
    trust: Mapping[str, Annotated[float, Above(0)]] | None = None,
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
    frame = frame_of(figures)
    listed = [rules] if callable(rules) or not isinstance(rules, Iterable) or isinstance(rules, str) else list(rules)
    _refuse_others(listed)
    told = completed(frame, _year_ends(listed))
    rejects = told.filter(pl.col("__code").is_not_null())
    usable = told.filter(pl.col("__code").is_null() | pl.col("flaw").is_not_null())
    known = in_one_unit(usable.filter(pl.col("flaw").is_null()), _declared(listed))
    flawed = usable.filter(pl.col("flaw").is_not_null()).select(pl.col(n).cast(t) for n, t in FLAWED.items())
    observed = {**_observed(usable.filter(pl.col("flaw").is_not_null())), **_observed(known)}
    units = {name: metric._replace(at_least=None) for name, metric in observed.items()}
    meanings = {**observed, **_declared(listed)}
    compiled = [_compiled(one, meanings, rejects) for one in _rules(listed)]
    refuse_contradictions(compiled, {**units, **_declared(listed)})
    concluded = checked(known.select(*FIGURE_COLUMNS), compiled, meanings, flawed, trust or {}, rates)
    return _findings(known, concluded, rates, rejects)


@guarded(one=PARSED, other=PARSED)
def agree(one: Figure, other: Figure, *, material: Annotated[float, Least(0)] = MATERIAL) -> Agreement:
    """Whether two figures can be the same: the verdict, what both allow in the unit of `one`, strain and power.

    Raises `UnitError` where their units do not convert.
    """
    left, right = Operand("one"), Operand("other")
    try:
        scale = {"one": Fraction(1), "other": factor(other.unit, one.unit)}
    except UnitError as error:
        what = f"One figure is in {one.unit} and the other in {other.unit}, which do not convert."
        raise UnitError(error.code, what, hint="figures agree in one unit only, or in two of one dimension") from None
    judged = judge(_pair(one, other), Check(left, "==", right, scale, Fraction(1), frozenset(), material))
    row = judged.row(0, named=True)
    verdict = Verdict(row["verdict"])
    meets = verdict is not Verdict.INCONSISTENT
    low = max(row["stated_low"], row["implied_low"]) if meets else None
    high = min(row["stated_high"], row["implied_high"]) if meets else None
    return Agreement(verdict, low, high, row["strain"], row["mde"])


# --------------------------------------------------------------------------------------------------------------- rules


def _refuse_others(listed: Iterable[object]) -> None:
    others = [one for one in listed if not is_rule(one) and not (isinstance(one, type) and issubclass(one, Table))]
    if others:
        what = f"{shown(others[0])} is no rule and no table."
        raise RuleError("rule_needed", what, hint="give functions of m, such as lambda m: m.a <= m.b, or tables")


def _rules(listed: Iterable[RuleLike]) -> list[Rule]:
    found: list[Rule] = []
    for one in listed:
        if isinstance(one, type) and issubclass(one, Table):
            found += [declared._replace(table=None) for declared in rules(one)]
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
        prints = [f"{row['metric']} of {row['entity']} {row['period']}: {row['__reason']}" for row in unread.to_dicts()]
        hint = f"no print could be read of {'; '.join(prints)}"
        raise RuleError(error.code, error.message, hint=safe_terminal(hint)) from None


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
