"""Rules, from their declaration to judged rows: compiled when a schema loads, run over all figures at once.

In: the declared rules and the metrics with their units, then a frame of figures (FIGURE_COLUMNS). Out: one row for each
rule (and each of its alternatives), entity and period, with the columns of FINDING_COLUMNS but `finding_id` and
`message`; and bounds for figures that a rule implies though nobody printed them (IMPLIED_COLUMNS).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

from zhiji_etl.consistency.changes import level_of, slips_of
from zhiji_etl.consistency.dimensions import check_dimensions
from zhiji_etl.consistency.expressions import (
    MIRRORED,
    Either,
    Expression,
    Figures,
    Operand,
    Operation,
    Ranking,
    Rate,
    Relation,
    operands,
    operands_of,
    rates_of,
    relations,
    solve,
)
from zhiji_etl.consistency.implied import empty, hull, implied_by, required
from zhiji_etl.consistency.operands import Shelf, columns, figures_of, side_by_side, told
from zhiji_etl.consistency.readings import WIDEST, Check
from zhiji_etl.consistency.systems import template
from zhiji_etl.consistency.verdicts import judge, judge_ranks, judge_with_missing_parts
from zhiji_etl.errors import RuleError, ZhijiError
from zhiji_etl.figures import FINDING_COLUMNS, Reason, Severity, Verdict
from zhiji_etl.tables import Metric, Rule
from zhiji_etl.units import base_factor

RULE: Final = "rule"
RULE_FORM: Final = (
    "a rule is a function of m alone: m.sales is a metric; m.previous.sales, m.year_before.sales, m.quarters.sales,"
    ' m.halves.sales, m.months.sales are that of other periods; m.of("NAME").sales is another entity\'s;'
    ' m.rate("USD", "CNY") is the exchange rate of the period'
)
ALTERNATIVE: Final = "alternative"
RAW_FINDING_COLUMNS: Final = {
    **{name: dtype for name, dtype in FINDING_COLUMNS.items() if name not in ("finding_id", "message")},
    "remark": pl.String(),
}
"""What is concluded of a row before its message is made; `remark` are sentences to add to that."""

EARLIER: Final = ("previous", "year_before")
VINTAGE: Final = "vintage"
"""What a figure of an earlier period suggests that fits no growth and no other slip: it was restated since."""
CHANGE_FIELDS: Final = ("entity", "metric", "period", "low", "high", "unit", "pattern")
STRONGEST_FIRST: Final[Mapping[bool, tuple[Verdict, ...]]] = {
    False: (Verdict.CONSISTENT, Verdict.TOO_IMPRECISE, Verdict.NOT_CHECKABLE, Verdict.INCONSISTENT),
    True: (Verdict.INCONSISTENT, Verdict.NOT_CHECKABLE, Verdict.TOO_IMPRECISE, Verdict.CONSISTENT),
}
"""Which verdict of its alternatives a rule takes, where one of them must hold (False) and where all must (True)."""


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule whose metrics exist and whose dimensions agree, ready to be run: its checks by alternative."""

    rule: Rule
    relations: Mapping[str, Relation]
    checks: Mapping[str, Check]
    every: bool
    ranking: Ranking | None = None


class Judged(NamedTuple):
    """The judged rows of a rule, or of one of its alternatives; all have the same rows in the same order."""

    compiled: CompiledRule
    relation: Relation
    check: Check
    frame: pl.DataFrame


class Outcome(NamedTuple):
    """What a rule concluded: findings without id and message, implied values, and the rows it was judged by."""

    findings: pl.DataFrame
    implied: pl.DataFrame
    judged: tuple[Judged, ...] = ()


def compile_rule(rule: Rule, metrics: Mapping[str, Metric]) -> CompiledRule:
    """Evaluate the rule's function on the symbolic `m` and check it.

    Raises `RuleError`: `rule_broken`, `rule_empty`, `rule_truth`, `rule_metric`, `rule_rate`, `rule_dimension`; each
    names the schema file, the line and the rule.
    """
    where = f"{Path(rule.file).name} line {rule.line}, rule {rule.name}"
    condition = _evaluated(rule, where)
    if isinstance(condition, Ranking):
        _require_metrics(Relation("==", condition.rank, condition.by), metrics, where)
        return CompiledRule(rule, {}, {}, every=False, ranking=condition)
    found = relations(condition, where)
    metrics = {**metrics, **rate_metrics(found.values())}
    for relation in found.values():
        _require_metrics(relation, metrics, where)
        check_dimensions(relation, {name: metric.unit for name, metric in metrics.items()}, where)
        if rule.missing_parts:
            _require_parts(relation, metrics, where)
    checks = {name: _check(relation, rule.material, metrics) for name, relation in found.items()}
    return CompiledRule(rule, found, checks, isinstance(condition, Either) and condition.every)


def run_rule(compiled: CompiledRule, shelf: Shelf, metrics: Mapping[str, Metric]) -> Outcome:
    """Judge one rule for every entity and period that prints one of its figures; told are those that it is about."""
    if compiled.ranking is not None:
        return Outcome(
            ranked(compiled, compiled.ranking, places(compiled.ranking, shelf, compiled.rule.table), metrics), empty()
        )
    needed = {name: leaf for relation in compiled.relations.values() for name, leaf in operands_of(relation).items()}
    wide = side_by_side(shelf, needed.values(), compiled.rule.table)
    judge_rows = judge_with_missing_parts if compiled.rule.missing_parts else judge
    judged = {name: judge_rows(wide, check) for name, check in compiled.checks.items()}
    about = _is_about(wide, compiled)
    rows = {name: _finding_rows(frame.filter(about), name, compiled, metrics) for name, frame in judged.items()}
    implied = [implied_by(wide, compiled.relations[name], check, metrics) for name, check in compiled.checks.items()]
    if len(rows) == 1:
        return Outcome(next(iter(rows.values())), hull(implied), _speaking(judged, compiled))
    overall = combined(_numbered(rows), every=compiled.every, severity=compiled.rule.severity)
    found = pl.concat([overall, *rows.values()])
    return Outcome(found, empty() if compiled.every else hull(implied), _speaking(judged, compiled))


def _is_about(wide: pl.DataFrame, compiled: CompiledRule) -> pl.Series:
    """The rows whose entity and period a rule is about: the figure that it explains is printed, or all others are.

    A market is no maker: the share of what others are measured against says nothing.
    """
    wanted = []
    for name, check in compiled.checks.items():
        absent = {one: pl.col(columns(one).low).is_null() & pl.col(columns(one).flaw).is_null() for one in check.names}
        leaves = operands_of(compiled.relations[name]).values()
        own = any(leaf.entity is None for leaf in leaves)
        named = [leaf.entity for leaf in leaves if leaf.entity is not None and own]
        lacking = pl.sum_horizontal([gap.cast(pl.UInt32) for gap in absent.values()])
        alone = (lacking <= 1) & ~pl.col("entity").is_in(named)
        stated = check.stated
        wanted.append(~absent[stated.name] | alone if isinstance(stated, Operand) else pl.lit(value=True))
    return wide.select(about=pl.any_horizontal(wanted) | (pl.len() < 0)).to_series()


def _speaking(judged: Mapping[str, pl.DataFrame], compiled: CompiledRule) -> tuple[Judged, ...]:
    """The judged rows of each alternative: conflicts are built from them. Rates are not printed, and take no part."""
    spoken = [name for name in judged if not rates_of(compiled.relations[name])]
    return tuple(Judged(compiled, compiled.relations[name], compiled.checks[name], judged[name]) for name in spoken)


def rate_metrics(found: Iterable[Relation]) -> dict[str, Metric]:
    """The exchange rates that relations ask for, as metrics."""
    return {rate.metric: Metric(rate.metric, rate.unit, at_least=0.0) for one in found for rate in rates_of(one)}


def explained(relation: Relation) -> tuple[Expression, str, Expression]:
    """A relation as `stated symbol implied`: the figure that the rule explains stands alone on the stated side."""
    if isinstance(relation.left, Operand):
        return relation.left, relation.symbol, relation.right
    if isinstance(relation.right, Operand):
        return relation.right, MIRRORED[relation.symbol], relation.left
    if relation.symbol == "==":
        for name, operand in operands_of(relation).items():
            solved = None if isinstance(operand, Rate) else solve(relation, name)
            if solved is not None:
                return operand, "==", solved
    return relation.left, relation.symbol, relation.right


def _evaluated(rule: Rule, where: str) -> object:
    try:
        return rule.function(Figures())
    except ZhijiError as error:
        raise RuleError(error.code, f"{where}: {error.message}", hint=error.hint) from None
    except Exception as error:
        raise RuleError("rule_broken", f"{where} raised {type(error).__name__}: {error}", hint=RULE_FORM) from error


def _require_metrics(relation: Relation, metrics: Mapping[str, Metric], where: str) -> None:
    for operand in operands_of(relation).values():
        if operand.metric not in metrics:
            near = get_close_matches(operand.metric, metrics, n=1)
            hint = f"did you mean {near[0]}?" if near else f"declared are {', '.join(sorted(metrics))}"
            raise RuleError("rule_metric", f"{where}: no table declares the metric {operand.metric}.", hint=hint)


def _require_parts(relation: Relation, metrics: Mapping[str, Metric], where: str) -> None:
    stated, symbol, implied = explained(relation)
    parts = list(operands(implied))
    signed = [part.metric for part in parts if not _is_positive(metrics[part.metric])]
    if symbol != "==" or not isinstance(stated, Operand) or signed or not _is_sum(implied):
        what = f"{where}: missing_parts needs a total that equals a sum of metrics that cannot be negative."
        hint = f"declare ge=0 for {', '.join(signed)}" if signed else "return m.total == m.a + m.b"
        raise RuleError("rule_missing_parts", what, hint=hint)


def _is_sum(node: Expression) -> bool:
    if isinstance(node, Operation):
        return node.symbol == "+" and _is_sum(node.left) and _is_sum(node.right)
    return isinstance(node, Operand)


def _is_positive(metric: Metric) -> bool:
    return metric.at_least is not None and metric.at_least >= 0


def places(ranking: Ranking, shelf: Shelf, table: str | None) -> pl.DataFrame:
    """The wide frame of a rule about ranks: ranks, and what they go by."""
    return side_by_side(shelf, [ranking.rank, ranking.by], table)


def ranked(compiled: CompiledRule, ranking: Ranking, wide: pl.DataFrame, metrics: Mapping[str, Metric]) -> pl.DataFrame:
    """The findings of a rule about ranks, without id and message, from its wide frame: all entities of each period."""
    judged = judge_ranks(wide, ranking)
    made = {
        "kind": pl.lit(RULE),
        "rule": pl.lit(compiled.rule.name),
        "severity": pl.lit(compiled.rule.severity.value),
        "unit": pl.lit(metrics[ranking.by.metric].unit),
        "resolved_by": _value_between(judged, ranking.by, metrics[ranking.by.metric].unit),
        "figures": figures_of(judged, [ranking.by.name, ranking.rank.name]),
    }
    filled = judged.with_columns(**made)
    return filled.select(
        (pl.col(name) if name in filled.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in RAW_FINDING_COLUMNS.items()
    )


def _value_between(judged: pl.DataFrame, by: Operand, unit: str) -> pl.Expr:
    """For a rank that does not follow: the value that its neighbours leave it, where they leave one."""
    parts = [
        pl.col("entity"),
        pl.lit(by.metric).alias("metric"),
        pl.col("period"),
        pl.col("implied_low").alias("low"),
        pl.col("implied_high").alias("high"),
        pl.lit(unit).alias("unit"),
        slips_of(judged, by, judged.get_column("implied_low"), judged.get_column("implied_high"), None),
    ]
    change = pl.concat_list(pl.struct(parts))
    wrong = pl.col("verdict").cast(pl.String) == Verdict.INCONSISTENT.value
    return pl.when(wrong & (pl.col("implied_low") <= pl.col("implied_high"))).then(change)


def _check(relation: Relation, material: float, metrics: Mapping[str, Metric]) -> Check:
    stated, symbol, implied = explained(relation)
    leaves = {leaf.metric for leaf in operands_of(relation).values()}
    scale = {name: base_factor(metrics[name].unit) for name in leaves}
    positive = frozenset(name for name in leaves if _is_positive(metrics[name]))
    stated_scale = scale[stated.metric] if isinstance(stated, Operand) else Fraction(1)
    return Check(stated, symbol, implied, scale, stated_scale, positive, material)


def _finding_rows(
    judged: pl.DataFrame, alternative: str, compiled: CompiledRule, metrics: Mapping[str, Metric]
) -> pl.DataFrame:
    """The judged rows of one alternative as findings."""
    check, rule = compiled.checks[alternative], compiled.rule
    unit = metrics[check.stated.metric].unit if isinstance(check.stated, Operand) else ""
    wrong = pl.col("verdict") == Verdict.INCONSISTENT.value
    made: dict[str, Any] = {
        "kind": pl.lit(ALTERNATIVE if alternative else RULE),
        "rule": pl.lit(f"{rule.name}.{alternative}" if alternative else rule.name),
        "severity": pl.lit((Severity.INFO if alternative else rule.severity).value),
        "unit": pl.lit(unit),
        "reading": _reading(check),
        "strain": pl.col("strain") if check.has_power else pl.when(wrong).then("strain"),
        "remark": _rates_told(rates_of(compiled.relations[alternative])),
        "figures": figures_of(judged, check.names),
    }
    numbered = judged.with_row_index("__row")
    resolved = _resolutions(numbered.filter(wrong), alternative, compiled, metrics)
    told = numbered.join(resolved, on="__row", how="left", maintain_order="left")
    return told.with_columns(**made).select(pl.col(name).cast(dtype) for name, dtype in RAW_FINDING_COLUMNS.items())


def _rates_told(rates: Sequence[Rate]) -> pl.Expr:
    """What the exchange rates of a row are, or why there is none; nothing where that does not matter."""
    if not rates:
        return pl.lit(None, pl.String)
    judged = pl.col("verdict").cast(pl.String) != Verdict.NOT_CHECKABLE.value
    lacking = pl.col("reason").cast(pl.String) == Reason.MISSING_REFERENCE.value
    said = [pl.when(judged | (lacking & pl.col(columns(one.name).low).is_null())).then(told(one)) for one in rates]
    texts = pl.concat_str(said, separator=" ", ignore_nulls=True)
    return pl.when(texts != "").then(texts)


def _reading(check: Check) -> pl.Expr:
    """How the round numbers were read where the finest reading does not meet: `overseas_sales to the nearest 10000`."""
    texts = []
    for name in check.names:
        names, level = columns(name), pl.col("level").cast(pl.Float64)
        rung = pl.min_horizontal(pl.lit(10.0).pow(level), names.rungs)
        step = pl.col(names.step) * pl.when(level == WIDEST).then(names.rungs).otherwise(rung)
        text = pl.format("{} to the nearest {}", pl.lit(name), _plain(step))
        texts.append(pl.when(pl.col(names.rungs) > 1, level != 0).then(text))
    joined = pl.concat_str(texts, separator=", ", ignore_nulls=True)
    return pl.when(joined != "").then(joined)


def _plain(number: pl.Expr) -> pl.Expr:
    """A float as text, whole numbers without the trailing .0."""
    whole = (number == number.floor()) & (number.abs() < 1e15)
    return pl.when(whole).then(number.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(number.cast(pl.String))


def _resolutions(
    wrong: pl.DataFrame, alternative: str, compiled: CompiledRule, metrics: Mapping[str, Metric]
) -> pl.DataFrame:
    """For each row (`__row`) the single changes that would let it hold, `resolved_by`: each figure with the bounds that
    it then must have. Rows that no single change resolves are left out.
    """
    relation, check = compiled.relations[alternative], compiled.checks[alternative]
    equal = Relation("==", relation.left, relation.right)
    leaves = list(operands_of(relation).values())
    units = {leaf.metric: metrics[leaf.metric].unit for leaf in leaves}
    changes = []
    for operand in leaves:
        found = required(wrong, equal, check, operand, units[operand.metric])
        found = found.with_columns(**_open_ends(check, operand, metrics[operand.metric]))
        low, high = found.get_column("low"), found.get_column("high")
        slips = slips_of(wrong, operand, low, high, level_of(operand, leaves, units))
        if operand.offset in EARLIER and check.symbol == "==":
            slips = slips.fill_null(VINTAGE)
        changes.append(found.select("__row", *CHANGE_FIELDS[:-1], slips))
    # Lists are grouped from one long frame: Polars is thirty times as slow where it puts structs together row by row.
    long = pl.concat(changes).filter(pl.col("low").is_not_null()).sort("__row", maintain_order=True)
    return long.group_by("__row", maintain_order=True).agg(resolved_by=pl.struct(CHANGE_FIELDS))


def _open_ends(check: Check, operand: Operand, metric: Metric) -> dict[str, pl.Expr]:
    """The end that an order leaves open, for an operand that must equal the other side or lie beyond it."""
    if check.symbol == "==":
        return {}
    form = template(check)
    if form is None or form.ratio is not None:
        return {"low": pl.lit(None, pl.Float64)}
    at_most = (form.over.terms[operand.name] > 0) == (check.symbol in ("<=", "<"))
    floor = float("-inf") if metric.at_least is None else metric.at_least
    known = pl.col("low").is_not_null()
    if at_most:
        return {"low": pl.when(known & (pl.col("high") >= floor)).then(floor)}
    return {"high": pl.when(known).then(float("inf"))}


def combined(alternatives: pl.DataFrame, *, every: bool, severity: Severity) -> pl.DataFrame:
    """One row for the alternatives of each entity and period: the one whose verdict the rule takes.

    In: findings without id and message, with `row` (what they are alternatives of), `place` (their order) and `name`.
    """
    rank = {verdict.value: place for place, verdict in enumerate(STRONGEST_FIRST[every])}
    ranked = alternatives.with_columns(
        rank=pl.col("verdict").cast(pl.String).replace_strict(rank, return_dtype=pl.UInt8)
    ).sort("row", "rank", "place")
    passed = pl.col("name").filter(_is(Verdict.CONSISTENT)).str.join(", ")
    by_row = ranked.group_by("row", maintain_order=True).agg(passed=passed, unknown=_is(Verdict.NOT_CHECKABLE).all())
    chosen = ranked.unique("row", keep="first", maintain_order=True).join(by_row, on="row", maintain_order="left")
    scope_unknown = _is(Verdict.NOT_CHECKABLE) & ~pl.col("unknown") & pl.lit(value=not every)
    failed = pl.col("name") if every else pl.lit("no admissible scope reconciles")
    return chosen.with_columns(
        kind=pl.lit(RULE),
        rule=pl.col("rule").str.split(".").list.first(),
        severity=pl.lit(severity.value, RAW_FINDING_COLUMNS["severity"]),
        reading=pl.when(_is(Verdict.CONSISTENT)).then("passed").when(_is(Verdict.INCONSISTENT)).then(failed),
        reason=pl.when(scope_unknown).then(pl.lit(Reason.SCOPE_UNKNOWN.value)).otherwise("reason"),
    ).select(RAW_FINDING_COLUMNS.keys())


def _is(verdict: Verdict) -> pl.Expr:
    return pl.col("verdict").cast(pl.String) == verdict.value


def _numbered(rows: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(
        frame.with_row_index("row").with_columns(place=pl.lit(place), name=pl.lit(name))
        for place, (name, frame) in enumerate(rows.items())
    )
