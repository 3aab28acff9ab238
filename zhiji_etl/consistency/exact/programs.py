"""Linear programs: whether figures and rules can hold together where rules form loops, always decided in fractions.

In: `Linear` rules and a box of `Bounds`. Out: a `Decision` with a conflict where they cannot hold, exact implied
bounds, or a point where they do. Propagation answers first; what it cannot decide goes to the rational simplex, from
the basis that HiGHS ends with where the system is large enough for HiGHS to pay. HiGHS computes in floats with a
tolerance of 1e-7: its basis is only ever a start, its word is never taken, so touching bounds need no tolerance here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

import highspy
import numpy as np

from zhiji_etl.consistency.exact.components import (
    NOTHING,
    Implied,
    Propagation,
    Reason,
    decides_exactly,
    figures_of,
    propagate,
)
from zhiji_etl.consistency.exact.linear import FREE, Bounds, Box, Linear
from zhiji_etl.consistency.exact.simplex import Bound, Optimum, Row, Tableau

LARGE: Final = 8
"""Rules from which on HiGHS' basis saves more rational pivots than building its model costs."""


class Decision(NamedTuple):
    """Whether figures and rules can hold together; where not, `conflict` names some that cannot (not yet minimal)."""

    feasible: bool
    conflict: Reason = NOTHING


def decide(rules: Sequence[Linear], box: Box) -> Decision:
    """Whether some choice within the box satisfies all rules, exactly, open ends honoured."""
    propagated = propagate(rules, box)
    if propagated.refuted:
        return Decision(False, propagated.conflict)
    if _decided(rules, propagated):
        return Decision(True)
    program = _Program(rules, box)
    certificate = program.tableau.feasible()
    return Decision(True) if certificate is None else Decision(False, program.reason(certificate))


def feasible(rules: Sequence[Linear], box: Box) -> bool:
    """Whether some choice within the box satisfies all rules, exactly."""
    return decide(rules, box).feasible


def implied(rules: Sequence[Linear], box: Box, names: Iterable[str] | None = None) -> dict[str, Implied] | None:
    """The bounds that each figure must have given all others, its own included, and what binds each end.

    `names`: the figures asked for, all by default. None where the box cannot hold: nothing is implied by what is
    wrong. With loops each end is the optimum of a rational program.
    """
    propagated = propagate(rules, box)
    asked = figures_of(rules) if names is None else tuple(names)
    if propagated.refuted:
        return None
    if _decided(rules, propagated):
        return {name: propagated.implied.get(name, _own(name, box)) for name in asked}
    return optimal(rules, box, asked)


def optimal(rules: Sequence[Linear], box: Box, names: Iterable[str]) -> dict[str, Implied] | None:
    """As `implied`, by a rational program at once: for rules through which no bounds can be passed on."""
    program = _Program(rules, box)
    if program.tableau.feasible() is not None:
        return None
    return {name: program.implied(name) if name in program.index else _own(name, box) for name in names}


def witness(rules: Sequence[Linear], box: Box) -> dict[str, Fraction] | None:
    """A number for each figure with which all rules hold, None where there is none."""
    if propagate(rules, box).refuted:
        return None
    program = _Program(rules, box)
    if program.tableau.feasible() is not None:
        return None
    return dict(zip(program.index, program.tableau.point(len(program.index)), strict=True))


# --- helpers ---------------------------------------------------------------------------------------------------------


def _decided(rules: Sequence[Linear], propagated: Propagation) -> bool:
    points = {name for name, found in propagated.implied.items() if found.bounds.point}
    return propagated.settled and decides_exactly(rules, points)


def _own(name: str, box: Box) -> Implied:
    reason = Reason(frozenset({name}), frozenset())
    own = box.get(name, FREE)
    return Implied(own, NOTHING if own.low is None else reason, NOTHING if own.high is None else reason)


class _Program:
    """Rules and box as a tableau, and the way back from its columns to names."""

    def __init__(self, rules: Sequence[Linear], box: Box) -> None:
        names = figures_of(rules)
        self.rules = rules
        self.index: Mapping[str, int] = {name: i for i, name in enumerate(names)}
        columns = [box.get(name, FREE) for name in names]
        rows = [{self.index[name]: c for name, c in rule.coefficients} for rule in rules]
        sums = [rule.bounds for rule in rules]
        self.tableau = Tableau(columns, sums, rows)
        if len(rules) >= LARGE:
            self.tableau.start_from(*_basis(columns, sums, rows))

    def reason(self, bounds: Iterable[Bound]) -> Reason:
        """The figures and rules whose bounds these are."""
        columns = {bound.column for bound in bounds}
        return Reason(
            frozenset(name for name, i in self.index.items() if i in columns),
            frozenset(rule.name for i, rule in enumerate(self.rules, len(self.index)) if i in columns),
        )

    def implied(self, name: str) -> Implied:
        """How far a figure goes each way. The tableau must be feasible."""
        low = self.tableau.optimum(self.index[name], highest=False)
        high = self.tableau.optimum(self.index[name], highest=True)
        bounds = Bounds(low.value, high.value, low.open, high.open)
        return Implied(bounds, self._binding(low), self._binding(high))

    def _binding(self, optimum: Optimum) -> Reason:
        return self.reason(optimum.binding)


def _basis(columns: Sequence[Bounds], sums: Sequence[Bounds], rows: Sequence[Row]) -> tuple[set[int], set[int]]:
    """The columns that HiGHS ends with in its basis, and those outside it at their high end."""
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.silent()
    solver.setOptionValue("presolve", "off")
    solver.passModel(_model(columns, sums, rows))
    solver.run()
    basis = solver.getBasis()
    status = [*basis.col_status, *basis.row_status]
    basic = {i for i, s in enumerate(status) if s == highspy.HighsBasisStatus.kBasic}
    return basic, {i for i, s in enumerate(status) if s == highspy.HighsBasisStatus.kUpper}


def _model(columns: Sequence[Bounds], sums: Sequence[Bounds], rows: Sequence[Row]) -> highspy.HighsLp:
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(columns), len(rows)
    model.col_cost_ = np.zeros(len(columns))
    model.col_lower_, model.col_upper_ = _floats(columns)
    model.row_lower_, model.row_upper_ = _floats(sums)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.cumsum([0, *map(len, rows)], dtype=np.int32)
    model.a_matrix_.index_ = np.array([j for row in rows for j in row], dtype=np.int32)
    model.a_matrix_.value_ = np.array([float(a) for row in rows for a in row.values()])
    return model


def _floats(bounds: Sequence[Bounds]) -> tuple[np.ndarray, np.ndarray]:
    low = [-highspy.kHighsInf if b.low is None else float(b.low) for b in bounds]
    high = [highspy.kHighsInf if b.high is None else float(b.high) for b in bounds]
    return np.array(low), np.array(high)
