"""From a batch of groups to what is calculated with: its ties, and arrays of bounds and weights.

In: a `Batch`, its figures as printed, the rules' linear templates and the metrics. Out: a `Form` and `Given` arrays
(explanations.py). An unprinted figure is bounded by what its metric allows, and costs infinitely much to change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from zhiji_etl.consistency.conflicts.explanations import Given
from zhiji_etl.consistency.conflicts.feasibility import Form
from zhiji_etl.consistency.conflicts.forms import Batch, Slot, Subject
from zhiji_etl.consistency.conflicts.prints import Printed
from zhiji_etl.consistency.conflicts.ties import Divisor, Terms, Tie
from zhiji_etl.consistency.exact.lattice import Floats
from zhiji_etl.consistency.rules.systems import Affine, Template
from zhiji_etl.figures import Severity
from zhiji_etl.tables import Metric


class Law(NamedTuple):
    """A rule by name, in its linear form (null where it has none). Of laws of one `choice` one has to hold."""

    name: str
    severity: Severity
    template: Template | None
    choice: int


class Allowed(NamedTuple):
    """The least that figures can be that are not printed, and those whose print is doubted, and the most that both can
    be, [figures, groups].
    """

    unprinted: Floats
    doubted: Floats
    most: Floats


def choices(batch: Batch, laws: Sequence[Law]) -> list[list[int]]:
    """The slots of a batch, those together of which one has to hold: the alternatives of one rule in one row."""
    found: dict[tuple[int, int], list[int]] = {}
    for number, slot in enumerate(batch.slots):
        found.setdefault((laws[slot.rule].choice, int(batch.rows[number, 0])), []).append(number)
    return list(found.values())


def form_of(batch: Batch, laws: Sequence[Law], taken: Sequence[int], names: Sequence[int]) -> Form | None:
    """The form of a batch with these of its slots taken; None where it has rules that only fractions can take.

    `names`: for each slot the number of its rule's name.
    """
    ties: list[Tie] = []
    for number in taken:
        slot, made = batch.slots[number], laws[batch.slots[number].rule].template
        if made is not None and _is_whole(slot, made):
            tie = _tie(made, slot.columns, names[number])
            if tie is None:
                return None
            ties.append(tie)
    ratios = [tie.divisor.ratio for tie in ties if tie.divisor is not None]
    read = {column for tie in ties for column in tie.columns}
    return None if len(set(ratios)) < len(ratios) or read & set(ratios) else Form(ties, batch.figures)


def given(form: Form, printed: Printed, allowed: Allowed, weights: Floats) -> Given:
    """The arrays of a batch."""
    active = np.ones((len(form.ties), weights.shape[1]), dtype=bool)
    for number, tie in enumerate(form.ties):
        if tie.divisor is not None:
            ratio = tie.divisor.ratio
            active[number] = printed.there[ratio] | np.isfinite(allowed.most[ratio])
    there = printed.there
    return Given(
        np.where(there, printed.low, allowed.unprinted),
        np.where(there, printed.high, allowed.most),
        there & printed.low_open,
        there & printed.high_open,
        np.where(there, np.minimum(allowed.doubted, printed.low), allowed.unprinted),
        np.where(there, np.maximum(allowed.most, printed.high), allowed.most),
        np.where(there, weights, np.inf),
        active,
    )


def allowed_of(batch: Batch, subjects: Sequence[Subject], metrics: Mapping[str, Metric]) -> Allowed:
    """What each figure can be, as its metric says; -inf and inf where it says nothing."""
    known = [metrics[subject.metric] for subject in subjects]
    least, most = np.array([one.ends for one in known], dtype=np.float64).reshape(-1, 2).T
    # That no figure of a metric is below zero says nothing of one that may be wrong.
    declared = np.where([one.assumed for one in known], -np.inf, least)
    return Allowed(*(np.asarray(ends[batch.subjects]) for ends in (least, declared, most)))


# --- helpers ---------------------------------------------------------------------------------------------------------


def _is_whole(slot: Slot, made: Template) -> bool:
    """Whether each operand has a subject: a rule about a period without a predecessor says nothing."""
    needed = {*made.over.terms, *made.under.terms, *([made.ratio] if made.ratio else [])}
    return needed <= slot.columns.keys()


def _tie(made: Template, columns: Mapping[str, int], name: int) -> Tie | None:
    over, under = _by_column(made.over, columns), _by_column(made.under, columns)
    if made.ratio is None:
        return _sum(over, float(made.over.constant), made.symbol, name)
    if len(under) != 1 or made.under.constant:
        return None
    ((column, factor),) = under.items()
    own = over.pop(column, 0.0)
    if not over or factor <= 0:
        return None
    ratio = columns[made.ratio]
    ends = made.symbol in ("==", "<=", "<"), made.symbol in ("==", ">=", ">")
    divisor = Divisor(column, factor, own, ratio, float(made.ratio_scale), *ends)
    limit = -float(made.over.constant)
    return Tie(name, tuple(over.items()), limit, limit, divisor=divisor)


def _sum(over: Mapping[int, float], constant: float, symbol: str, name: int) -> Tie | None:
    """A sum, divided by the size of its first coefficient: sums of percents are sums like others."""
    if not over:
        return None
    unit = abs(next(iter(over.values())))
    terms: Terms = tuple((column, coefficient / unit) for column, coefficient in over.items())
    low = -constant / unit if symbol in ("==", ">=", ">") else -np.inf
    high = -constant / unit if symbol in ("==", "<=", "<") else np.inf
    return Tie(name, terms, low, high, symbol == ">", symbol == "<")


def _by_column(of: Affine, columns: Mapping[str, int]) -> dict[int, float]:
    sums: dict[int, Fraction] = {}
    for operand, weight in of.terms.items():
        sums[columns[operand]] = sums.get(columns[operand], Fraction(0)) + weight
    return {column: float(weight) for column, weight in sums.items() if weight}
