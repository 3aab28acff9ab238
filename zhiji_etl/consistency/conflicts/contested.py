"""Printed figures that others are measured against, such as the size of a market, and that rules of different entities
leave no value together, though each of them holds with the print.

In: the judged rows of all rules, metrics, figures. Out: each such figure with the two entities that leave it none.
Bounds are those of the widest readings, as floats: whether a conflict is one is decided exactly, by who asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from zhiji_etl.consistency.conflicts.instances import Subject, all_wrong, alternatives
from zhiji_etl.consistency.rules.compiled import Judged
from zhiji_etl.consistency.rules.expressions import Operand, operands_of
from zhiji_etl.consistency.rules.implied import FIGURE, ROWED, hull, refuted, required, tightest
from zhiji_etl.consistency.rules.operands import columns, figures_of
from zhiji_etl.tables import Metric


class Contested(NamedTuple):
    """A printed figure of a named entity, and the entities whose rules leave it no value together."""

    subject: Subject
    entities: frozenset[str]


def contested(ends: pl.DataFrame, figures: pl.DataFrame) -> list[Contested]:
    """The printed figures to which `needed` leaves no value, and whose rules do so."""
    lost = refuted([ends])
    entity_of = dict(
        figures.filter(pl.col("figure_id").is_in(binding(lost).implode())).select("figure_id", "entity").iter_rows()
    )
    return [
        Contested(Subject(*key), frozenset(entity_of[number] for number in (*low, *high)) - {key[0]})
        for *key, low, high in lost.select(*FIGURE, "binding_low", "binding_high").iter_rows()
    ]


def needed(judged: Sequence[Judged], metrics: Mapping[str, Metric]) -> pl.DataFrame:
    """The ends that printed figures of named entities must have for all rules that hold alone: IMPLIED_COLUMNS."""
    return tightest(
        hull([_needed(one, holds, operand, metrics) for one in several])
        for several in alternatives(judged)
        for holds in [~all_wrong(several)]
        for operand in _named(several)
    )


def _named(several: Sequence[Judged]) -> list[Operand]:
    """The operands of named entities that all alternatives of an equality have, beside some figure of the row's own."""
    first, *others = [
        {name: leaf for name, leaf in operands_of(one.relation).items() if one.relation.symbol == "=="}
        for one in several
    ]
    own = any(leaf.entity is None for leaf in first.values())
    return [leaf for name, leaf in first.items() if own and leaf.entity and all(name in other for other in others)]


def _needed(one: Judged, holds: pl.Series, operand: Operand, metrics: Mapping[str, Metric]) -> pl.DataFrame:
    """What each row that holds needs the operand to be, all figures of the rule being printed: ROWED columns."""
    printed = pl.all_horizontal(pl.col(columns(name).figure_id).is_not_null() for name in one.check.names)
    rows = one.frame.with_row_index("row").filter(holds).filter(printed)
    others = figures_of(rows, [name for name in one.check.names if name != operand.name])
    found = required(rows, one.check, operand, metrics[operand.metric].unit)
    told = found.with_columns(vintage=pl.lit(None, pl.String), binding_low=others, binding_high=others)
    bound = told.filter(pl.col("low").is_not_null() & pl.col("high").is_not_null())
    return bound.select(pl.col(name).cast(dtype) for name, dtype in ROWED.items())


def binding(ends: pl.DataFrame) -> pl.Series:
    """The figure_id of all figures that bind some end."""
    return pl.concat([ends.get_column(end).explode() for end in ("binding_low", "binding_high")]).unique().drop_nulls()
