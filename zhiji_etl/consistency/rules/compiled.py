"""Rules, from their declaration to judged rows: compiled when a schema loads, run over all figures at once.

In: the declared rules and the metrics with their units, then figures (`Shelf`). Out: for each rule an `Outcome`: its
judged rows by alternative, each an entity and a period, of which `rulings` makes findings; and bounds for figures that
it implies though nobody printed them (IMPLIED_COLUMNS).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

import polars as pl

from zhiji_etl.consistency.rules.currencies import amounts_of_periods, in_currency, parted_by_currency
from zhiji_etl.consistency.rules.dimensions import check_dimensions
from zhiji_etl.consistency.rules.expressions import (
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
from zhiji_etl.consistency.rules.implied import allowed, empty, hull, implied_by
from zhiji_etl.consistency.rules.isolation import parted
from zhiji_etl.consistency.rules.operands import Shelf, columns, side_by_side
from zhiji_etl.consistency.rules.readings import Check
from zhiji_etl.consistency.rules.verdicts import judge, judge_with_missing_parts
from zhiji_etl.errors import RuleError, ZhijiError
from zhiji_etl.tables import Metric, Rule
from zhiji_etl.units import base_factor

RULE_FORM: Final = (
    "a rule is a function of m alone: m.sales is a metric; m.previous.sales, m.year_before.sales, m.quarters.sales,"
    ' m.halves.sales, m.months.sales are that of other periods; m.of("NAME").sales is another entity\'s;'
    ' m.rate("USD", "CNY") is the exchange rate of the period'
)


class CompiledRule(NamedTuple):
    """A rule whose metrics exist and whose dimensions agree, ready to be run: its checks by alternative."""

    rule: Rule
    relations: Mapping[str, Relation]
    checks: Mapping[str, Check]
    every: bool
    ranking: Ranking | None = None

    @property
    def operands(self) -> dict[str, Operand]:
        """The figures that it reads, by name."""
        if self.ranking is not None:
            return {leaf.name: leaf for leaf in (self.ranking.rank, self.ranking.by)}
        return {name: leaf for relation in self.relations.values() for name, leaf in operands_of(relation).items()}

    @property
    def metrics(self) -> set[str]:
        """The metrics that it reads."""
        return {leaf.metric for leaf in self.operands.values()}


class Judged(NamedTuple):
    """The judged rows of a rule, or of one of its alternatives; all have the same rows in the same order."""

    compiled: CompiledRule
    relation: Relation
    check: Check
    frame: pl.DataFrame


class Abroad(NamedTuple):
    """What a rule concluded in another currency, that of the print, with the metrics in it."""

    rows: Mapping[str, pl.DataFrame]
    about: pl.Series
    metrics: Mapping[str, Metric]


class Outcome(NamedTuple):
    """What a rule concluded: judged rows by alternative ("" where it has none; of a rule about ranks its wide frame),
    which of them it is about, and implied values. `abroad` is what it concluded in other currencies, from which neither
    values nor conflicts follow.
    """

    compiled: CompiledRule
    rows: Mapping[str, pl.DataFrame]
    about: pl.Series
    implied: pl.DataFrame
    abroad: Mapping[str, Abroad] = MappingProxyType({})

    @property
    def judged(self) -> list[Judged]:
        """The judged rows of each alternative: conflicts are built from them. Rates are not printed, and take no part.

        Nor do ranks.
        """
        rule = self.compiled
        spoken = [name for name, relation in rule.relations.items() if not rates_of(relation)]
        return [Judged(rule, rule.relations[name], rule.checks[name], self.rows[name]) for name in spoken]


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
    """Judge one rule for every entity and period that prints one of its figures."""
    if compiled.ranking is not None:
        ranks = places(compiled.ranking, shelf, compiled.rule.table)
        return Outcome(compiled, {"": ranks}, pl.repeat(value=True, n=ranks.height, eager=True), empty())
    wide = side_by_side(shelf, compiled.operands.values(), compiled.rule.table)
    wide, printed = parted_by_currency(wide, amounts_of_periods(compiled.operands, metrics))
    judged = _judged(compiled, wide)
    abroad = {currency: _abroad(compiled, rows, currency, metrics) for currency, rows in printed.items()}
    several = len(judged) > 1
    implied = [implied_by(wide, compiled.relations[name], check, metrics) for name, check in compiled.checks.items()]
    known = empty() if several and compiled.every else allowed(hull(implied), metrics)
    return Outcome(compiled, judged, _is_about(wide, compiled), known, abroad)


def _abroad(compiled: CompiledRule, wide: pl.DataFrame, currency: str, metrics: Mapping[str, Metric]) -> Abroad:
    amounts = amounts_of_periods(compiled.operands, metrics).values()
    return Abroad(_judged(compiled, wide), _is_about(wide, compiled), in_currency(metrics, amounts, currency))


def _judged(compiled: CompiledRule, wide: pl.DataFrame) -> dict[str, pl.DataFrame]:
    judge_rows = judge_with_missing_parts if compiled.rule.missing_parts else judge
    return {name: judge_rows(wide, check) for name, check in compiled.checks.items()}


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
    named = operands_of(relation)
    if not named:
        raise RuleError("rule_empty", f"{where} speaks of no figure.", hint="name a metric, as m.sales")
    for operand in named.values():
        if operand.metric not in metrics:
            near = get_close_matches(operand.metric, metrics, n=1)
            known = f"declared are {', '.join(sorted(metrics))}" if metrics else "there is no metric at all"
            hint = f"did you mean {near[0]}?" if near else known
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


def _check(relation: Relation, material: float, metrics: Mapping[str, Metric]) -> Check:
    stated, symbol, implied = explained(relation)
    leaves = {leaf.metric for leaf in operands_of(relation).values()}
    scale = {name: base_factor(metrics[name].unit) for name in leaves}
    positive = frozenset(name for name in leaves if _is_positive(metrics[name]))
    stated_scale = scale[stated.metric] if isinstance(stated, Operand) else Fraction(1)
    return parted(Check(stated, symbol, implied, scale, stated_scale, positive, material))
