"""Rules in a form of their own, and the same as the functions of `m` that a schema holds.

In: what a rule says. Out: `Law`: its alternatives, each `stated symbol over / under - minus`, for the oracle to decide,
and `function` for the library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import zhiji_etl as zj


class Key(NamedTuple):
    """One figure: who, what, when (`2019`, `2019Q1`), and in which edition."""

    entity: str
    metric: str
    period: str
    vintage: str = ""

    @property
    def name(self) -> str:
        """As a finding says it."""
        return f"{self.entity} {self.metric} {self.period}"


class Row(NamedTuple):
    """Of whom and when a rule speaks."""

    entity: str
    period: str
    vintage: str = ""


def moved(period: str, step: str) -> str | None:
    """Another period: the one before, or a quarter of a year; None where there is none."""
    year, mark, quarter = period.partition("Q")
    if step == "year_before":
        return f"{int(year) - 1}{mark}{quarter}"
    if step == "previous":
        if not quarter:
            return str(int(year) - 1)
        return f"{year}Q{int(quarter) - 1}" if quarter != "1" else f"{int(year) - 1}Q4"
    if step and quarter:
        return None
    return f"{period}{step}"


class Ref(NamedTuple):
    """A figure in a rule: of the row's own entity (None) or a named one, of the row's period or a step from it."""

    metric: str
    entity: str | None = None
    step: str = ""

    def of(self, row: Row) -> Key:
        """The figure that it is in one row, of which it is known that there is one."""
        return Key(self.entity or row.entity, self.metric, moved(row.period, self.step) or "", row.vintage)

    def exists(self, row: Row) -> bool:
        """Whether there is such a period."""
        return moved(row.period, self.step) is not None

    @property
    def name(self) -> str:
        """As a reading says it."""
        where = ", ".join(filter(None, [self.entity, self.step or None]))
        return f"{self.metric} [{where}]" if where else self.metric


Terms = Mapping[Ref, int]


@dataclass(frozen=True)
class Relation:
    """`stated symbol over / under - minus`; without `under` nothing is divided."""

    stated: Ref
    symbol: str
    over: Terms
    under: Terms | None = None
    minus: int = 0

    @property
    def refs(self) -> list[Ref]:
        """Its figures, each once, in the order in which they are written."""
        return list(dict.fromkeys([self.stated, *self.over, *(self.under or {})]))

    def side(self, m: Any) -> Any:
        """What stands on its right, on the symbolic `m`."""
        right = _sum(m, self.over)
        if self.under is not None:
            right = right / _sum(m, self.under)
        return right - self.minus if self.minus else right

    def written(self, m: Any) -> Any:
        """The relation on the symbolic `m`."""
        right = self.side(m)
        left = _leaf(m, self.stated)
        compared = {"==": left.__eq__, "<=": left.__le__, "<": left.__lt__, ">=": left.__ge__, ">": left.__gt__}
        return compared[self.symbol](right)


@dataclass(frozen=True)
class Law:
    """A rule: one alternative ("") or several, of which one has to hold, or with `every` (`zj.within`) all."""

    name: str
    alternatives: Mapping[str, Relation]
    missing_parts: bool = False
    every: bool = False

    @property
    def choices(self) -> list[list[Relation]]:
        """The ways in which it can hold: what then has to hold together."""
        several = list(self.alternatives.values())
        return [several] if self.every else [[one] for one in several]

    @property
    def refs(self) -> list[Ref]:
        """The figures of all alternatives."""
        return list(dict.fromkeys(ref for one in self.alternatives.values() for ref in one.refs))

    @property
    def function(self) -> Callable[..., Any]:
        """The rule as a schema holds it."""

        def written(m: Any) -> Any:
            if len(self.alternatives) == 1:
                return next(iter(self.alternatives.values())).written(m)
            if self.every:
                low, high = self.alternatives.values()
                return zj.within(_leaf(m, low.stated), low.side(m), high.side(m))
            return zj.either(**{name: one.written(m) for name, one in self.alternatives.items()})

        written.__name__ = self.name
        return zj.rule(missing_parts=True)(written) if self.missing_parts else zj.rule(written)


@dataclass(frozen=True)
class Meaning:
    """What a metric is: its unit, and whether it can be negative."""

    unit: str
    signed: bool = False

    @property
    def scale(self) -> Fraction:
        """Percent are hundredths."""
        return Fraction(1, 100) if self.unit == "percent" else Fraction(1)


def _leaf(m: Any, ref: Ref) -> Any:
    owner = m if ref.entity is None else m.of(ref.entity)
    return getattr(getattr(owner, ref.step) if ref.step else owner, ref.metric)


def _sum(m: Any, terms: Terms) -> Any:
    # The four quarters are written as one.
    quarters = {ref for ref in terms if ref.step.startswith("Q")}
    terms = {ref: weight for ref, weight in terms.items() if ref not in quarters} | {
        ref._replace(step="quarters"): terms[ref] for ref in quarters if ref.step == "Q1"
    }
    (first, weight), *rest = terms.items()
    total = _leaf(m, first) if weight == 1 else weight * _leaf(m, first)
    for ref, factor in rest:
        part = _leaf(m, ref) if abs(factor) == 1 else abs(factor) * _leaf(m, ref)
        total = total + part if factor > 0 else total - part
    return total
