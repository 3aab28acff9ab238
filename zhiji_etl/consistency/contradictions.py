"""Rules that contradict each other whatever the data: refused before any figure is read.

In: the compiled rules of a project and what its metrics may be. Out: nothing, or a `RuleError`. Linear rules are tried
together for one entity and period of which nothing is known but the declared ends of its metrics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from zhiji_etl.consistency.exact.linear import Bounds, Linear
from zhiji_etl.consistency.exact.localise import conflict
from zhiji_etl.consistency.rules.compiled import CompiledRule
from zhiji_etl.consistency.rules.expressions import operands_of, rates_of
from zhiji_etl.consistency.rules.systems import rules_of_row, template
from zhiji_etl.errors import RuleError
from zhiji_etl.tables import Metric


def refuse_contradictions(rules: Sequence[CompiledRule], metrics: Mapping[str, Metric]) -> None:
    """Raises `RuleError` (`rules_contradict`) that names the rules, their files and lines."""
    box: dict[str, Bounds] = {}
    written: dict[str, str] = {}
    linear: list[Linear] = []
    for rule in rules:
        if len(rule.checks) != 1 and not rule.every:
            continue  # one of several alternatives has to hold, and which one is not known
        name = f"{Path(rule.rule.file).name} line {rule.rule.line}, rule {rule.rule.name}"
        written[rule.rule.name] = name
        linear += _linear_rules(rule, box, metrics)
    found = conflict(linear, box)
    if found is not None:
        named = "; ".join(written[name] for name in found.rules)
        what = f"These rules cannot all hold, whatever the figures are: {named}."
        raise RuleError("rules_contradict", what, hint="change one of them, or the ends that its metrics declare")


def _linear_rules(rule: CompiledRule, box: dict[str, Bounds], metrics: Mapping[str, Metric]) -> list[Linear]:
    made: list[Linear] = []
    for alternative, check in rule.checks.items():
        form = template(check)
        if form is None or form.ratio is not None or rates_of(rule.relations[alternative]):
            continue
        leaves = operands_of(rule.relations[alternative])
        box.update({name: _declared(metrics[leaf.metric]) for name, leaf in leaves.items()})
        made += rules_of_row(form, rule.rule.name, box, {name: name for name in leaves})
    return made


def _declared(metric: Metric) -> Bounds:
    low, high = (None if end is None else Fraction(str(end)) for end in (metric.at_least, metric.at_most))
    return Bounds(low, high)
