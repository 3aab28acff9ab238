"""Entities: those that rules name and nobody prints, where another name is so near that it may be meant.

In: compiled rules and figures. Out: findings without id, one for each rule and such an entity; a rule that names an
entity like `m.of("China market")` would else only say, row by row, that a reference is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, Final

import polars as pl

from zhiji_etl.consistency.expressions import REFERENCE, operands_of
from zhiji_etl.consistency.rules import RAW_FINDING_COLUMNS, CompiledRule
from zhiji_etl.figures import Reason, Severity, Verdict

MISSPELT: Final = "reference"
COMPARED: Final = 20_000
"""Names that an unknown one is compared with, at most: those most like it in length."""


def misspelt(rules: Sequence[CompiledRule], entities: pl.Series) -> pl.DataFrame:
    """A finding for each entity that a rule names, that is not among `entities`, and that is nearly one of them."""
    rows = [row for rule in rules for row in _of_rule(rule, entities)]
    schema = {**RAW_FINDING_COLUMNS, "message": pl.String()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _of_rule(rule: CompiledRule, entities: pl.Series) -> Iterator[dict[str, Any]]:
    for name in sorted(_named(rule)):
        near = [] if (entities == name).any() else _nearest(name, entities.drop_nulls().unique().sort())
        if near:
            yield {
                "kind": MISSPELT,
                "rule": rule.rule.name,
                "entity": name,
                "verdict": Verdict.NOT_CHECKABLE.value,
                "severity": Severity.WARNING.value,
                "reason": Reason.MISSING_REFERENCE.value,
                "message": f"no figure is printed of {name}, which the rule names; did you mean {near[0]}?",
            }


def _named(rule: CompiledRule) -> set[str]:
    leaves = (leaf for relation in rule.relations.values() for leaf in operands_of(relation).values())
    return {leaf.entity for leaf in leaves if leaf.entity not in (None, REFERENCE)}


def _nearest(name: str, known: pl.Series) -> list[str]:
    away = (known.str.len_chars().cast(pl.Int64) - len(name)).abs()
    folded = {one.casefold(): one for one in known.gather(away.arg_sort().head(COMPARED)).to_list()}
    return [folded[one] for one in get_close_matches(name.casefold(), folded, n=1, cutoff=0.75)]
