"""Entities: those that rules name and nobody prints but nearly, and those that are spelled in several ways.

In: compiled rules and figures. Out: findings without id, one for each rule and such an entity; a rule that names an
entity like `m.of("China market")` would else only say, row by row, that a reference is missing. Names that differ by
nothing but case and blanks are taken for several entities, whose figures no rule brings together: a finding says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, Final

import polars as pl

from zhiji_etl.consistency.conflicts.elsewhere import named_entities
from zhiji_etl.consistency.rules.compiled import CompiledRule
from zhiji_etl.consistency.rules.rulings import RAW_FINDING_COLUMNS
from zhiji_etl.figures import Reason, Severity, Verdict

MISSPELT: Final = "reference"
SPELLING: Final = "one_name"
"""What stands for the rule where an entity has several names."""

COMPARED: Final = 20_000
"""Names that an unknown one is compared with, at most: those most like it in length."""


def misspelt(rules: Sequence[CompiledRule], entities: pl.Series) -> pl.DataFrame:
    """A finding for each entity that a rule names, that is not among `entities`, and that is nearly one of them."""
    rows = [row for rule in rules for row in _of_rule(rule, entities)]
    schema = {**RAW_FINDING_COLUMNS, "message": pl.String()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def folded(name: pl.Expr) -> pl.Expr:
    """The name of an entity without what spellings of one name differ in: case and blanks."""
    return name.str.to_lowercase().str.replace_all(r"\s", "")


def spelled_apart(entities: pl.Series) -> pl.DataFrame:
    """A finding for each name that is printed in several spellings."""
    names = entities.drop_nulls().unique().to_frame("entity").with_columns(__folded=folded(pl.col("entity")))
    several = names.filter(pl.col("__folded").is_duplicated()).sort("entity")
    each = several.group_by("__folded", maintain_order=True).agg("entity").get_column("entity").to_list()
    rows = [
        {
            "kind": MISSPELT,
            "rule": SPELLING,
            "entity": first,
            "verdict": Verdict.NOT_CHECKABLE.value,
            "severity": Severity.WARNING.value,
            "reason": Reason.SCOPE_UNKNOWN.value,
            "message": f"spelled {', '.join(others)}, too: the figures of each name are kept apart. If they are of one"
            " entity, give it one name: [names.entity] of the sidecar.",
        }
        for first, *others in each
    ]
    return pl.DataFrame(rows, schema={**RAW_FINDING_COLUMNS, "message": pl.String()}, orient="row")


def alike(rules: Sequence[CompiledRule], entities: pl.Series) -> pl.Series:
    """All that `misspelt` needs of `entities`: the named ones, and those that absent named ones are like in length."""
    known, named = entities.drop_nulls().unique().sort(), sorted(named_entities(rules))
    printed = known.filter(known.is_in(named))
    lacking = sorted({*named} - {*printed})
    return pl.concat([printed, *(_compared(name, known) for name in lacking)]).unique().sort()


def _of_rule(rule: CompiledRule, entities: pl.Series) -> Iterator[dict[str, Any]]:
    for name in sorted(named_entities([rule])):
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


def _nearest(name: str, known: pl.Series) -> list[str]:
    folded = {one.casefold(): one for one in _compared(name, known).to_list()}
    return [folded[one] for one in get_close_matches(name.casefold(), folded, n=1, cutoff=0.75)]


def _compared(name: str, known: pl.Series) -> pl.Series:
    """The names most like one in length, of those of one length the first in the alphabet."""
    away = (known.str.len_chars().cast(pl.Int64) - len(name)).abs().alias("away")
    return pl.DataFrame([away, known.alias("name")]).sort("away", "name").head(COMPARED).get_column("name")
