"""The symbolic `m` of rules: what is written in a schema becomes a tree, checked for dimensions when it is loaded.

In: a function of `m`, such as `lambda m: m.market_share == m.vehicle_sales / m.of("China market").vehicle_sales`. Out:
a `Relation` (or `Either`, several of them) over `Operand`s. The tree is folded in four ways: into Pint dimensions in
`dimensions`, into Polars intervals in `bounds`, into exact intervals in `intervals`, and into the formula that reports
print.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from functools import reduce
from typing import Any, Final, NoReturn, TypeVar

from zhiji_etl.arguments import guarded
from zhiji_etl.errors import RuleError

SAME: Final = "same"
OFFSETS: Final[Mapping[str, tuple[str, ...]]] = {
    "previous": ("previous",),
    "year_before": ("year_before",),
    "quarters": ("Q1", "Q2", "Q3", "Q4"),
    "halves": ("H1", "H2"),
    "months": tuple(f"M{month:02}" for month in range(1, 13)),
}
"""What `m.NAME` steps to: another period, or the parts of this one, which then add up."""

MIRRORED: Final = {"==": "==", "<=": ">=", ">=": "<=", "<": ">", ">": "<"}

REFERENCE: Final = "reference rates"
"""The entity that exchange rates are figures of, beside those that are printed."""

Result = TypeVar("Result")


class Expression:
    """A number that a rule speaks of; arithmetic gives expressions, comparison gives relations."""

    def __add__(self, other: object) -> Operation:
        return Operation("+", self, expression(other))

    def __radd__(self, other: object) -> Operation:
        return Operation("+", expression(other), self)

    def __sub__(self, other: object) -> Operation:
        return Operation("-", self, expression(other))

    def __rsub__(self, other: object) -> Operation:
        return Operation("-", expression(other), self)

    def __mul__(self, other: object) -> Operation:
        return Operation("*", self, expression(other))

    def __rmul__(self, other: object) -> Operation:
        return Operation("*", expression(other), self)

    def __truediv__(self, other: object) -> Operation:
        return Operation("/", self, expression(other))

    def __rtruediv__(self, other: object) -> Operation:
        return Operation("/", expression(other), self)

    def __neg__(self) -> Operation:
        # Not as 0 - x: 0 has no unit.
        return Operation("*", Constant(Fraction(-1)), self)

    def __eq__(self, other: object) -> Relation:  # type: ignore[override]
        return Relation("==", self, expression(other))

    def __le__(self, other: object) -> Relation:
        return Relation("<=", self, expression(other))

    def __ge__(self, other: object) -> Relation:
        return Relation(">=", self, expression(other))

    def __lt__(self, other: object) -> Relation:
        return Relation("<", self, expression(other))

    def __gt__(self, other: object) -> Relation:
        return Relation(">", self, expression(other))

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        raise _no_truth("An expression of figures is neither true nor false while the rule is defined.")


@dataclass(frozen=True, eq=False, slots=True)
class Operand(Expression):
    """One figure: a metric, of the row's own entity (None) or a named one, at the row's period or an offset of it."""

    metric: str
    entity: str | None = None
    offset: str = SAME

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        # The step stands before the metric, and is a word that there is: m.previous.sales.
        near = get_close_matches(self.metric, OFFSETS, n=1, cutoff=0.8)
        meant = f"m.{name}.{self.metric}" if name in OFFSETS else f"m.{near[0]}.{name}" if near else ""
        steps = ", ".join(f"m.{step}" for step in OFFSETS)
        raise RuleError(
            "rule_operand",
            f"m.{self.metric} is taken for a metric, and a metric has no .{name}.",
            hint=f"did you mean {meant}?" if meant else f"to other periods lead {steps}",
        )

    @property
    def name(self) -> str:
        """A name that tells operands of a rule apart, and that a person can read."""
        where = [part for part in (self.entity, None if self.offset == SAME else self.offset) if part]
        return f"{self.metric} [{', '.join(where)}]" if where else self.metric


@dataclass(frozen=True, eq=False, slots=True)
class Rate(Operand):
    """What 1 `base` is in `quote` over the row's period, or an offset of it, by a method of `RateMethod`.

    Without a method it is the period's average, or at a date the rate of that day.
    """

    base: str = ""
    quote: str = ""
    method: str | None = None

    @property
    def name(self) -> str:
        """As it is written: `rate(USD, CNY)`."""
        return self.metric if self.offset == SAME else f"{self.metric} [{self.offset}]"

    @property
    def unit(self) -> str:
        """Its unit: CNY/USD for the rate of 1 USD in CNY."""
        return f"{self.quote}/{self.base}"


@dataclass(frozen=True, eq=False, slots=True)
class RateWord(Operand):
    """What `m.rate` is: a metric of that name, or, called with two currencies, their exchange rate."""

    def __call__(self, base: str, quote: str, method: str | None = None) -> Rate:
        """The reference rate of 1 `base` in `quote`; `RuleError` (`rule_rate`) where there can be none."""
        _refuse_no_rate(base, quote, method)
        told = ", ".join((base, quote) if method is None else (base, quote, method))
        return Rate(f"rate({told})", REFERENCE, self.offset, base, quote, method)


@dataclass(frozen=True, eq=False, slots=True)
class Constant(Expression):
    """A number written in the rule; it has no precision of its own."""

    value: Fraction


@dataclass(frozen=True, eq=False, slots=True)
class Operation(Expression):
    """Two expressions joined by `+`, `-`, `*` or `/`."""

    symbol: str
    left: Expression
    right: Expression


@dataclass(frozen=True, eq=False, slots=True)
class Relation:
    """What a rule demands: `left symbol right`, the symbol one of `== <= >= < >`."""

    symbol: str
    left: Expression
    right: Expression

    def __bool__(self) -> bool:
        raise _no_truth("A comparison of figures is neither true nor false while the rule is defined.")


@dataclass(frozen=True, eq=False, slots=True)
class Either:
    """Alternatives of scope by name, of which at least one must hold; and `all_of`, whether every one must hold."""

    alternatives: Mapping[str, Relation]
    every: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Ranking:
    """A rank and what it ranks by: whoever stands before another has at least as much. `among`: only these entities."""

    rank: Operand
    by: Operand
    among: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The symbolic `m`: its attributes are the metrics of the row's entity and period, or of another."""

    entities: tuple[str | None, ...] = (None,)
    offsets: tuple[str, ...] = (SAME,)

    def of(self, *entities: str) -> Figures:
        """The same of a named entity; of several, their sum. `RuleError` (`rule_operand`) without a name."""
        if not entities or not all(isinstance(entity, str) and entity.strip() for entity in entities):
            raise RuleError("rule_operand", "m.of takes names of entities.", hint='m.of("China market").sales')
        return Figures(entities, self.offsets)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in OFFSETS:
            return Figures(self.entities, OFFSETS[name])
        made = RateWord if name == "rate" else Operand
        parts: list[Expression] = [made(name, entity, step) for entity in self.entities for step in self.offsets]
        return reduce(operator.add, parts)


def either(**alternatives: Relation) -> Either:
    """At least one of several relations holds, such as a share of all sales or of domestic sales; each has a name."""
    _require_relations(alternatives)
    return Either(alternatives)


def within(value: Expression, low: object, high: object) -> Either:
    """A value, usually a ratio, lies in a plausible range; both ends are allowed."""
    told = expression(value)
    return Either({"at_least": told >= expression(low), "at_most": told <= expression(high)}, every=True)


@guarded(rank=None, by=None)
def ranks(rank: Expression, *, by: Expression, among: Sequence[str] | None = None) -> Ranking:
    """The ranks of entities follow from their values: 1 is the largest. `among` names the entities ranked, else all."""
    if not isinstance(rank, Operand) or not isinstance(by, Operand):
        raise RuleError("rule_operand", "zj.ranks takes two metrics.", hint="zj.ranks(m.rank, by=m.revenue)")
    return Ranking(rank, by, None if among is None else tuple(among))


def relations(condition: object, where: str) -> Mapping[str, Relation]:
    """The relations of what a rule function returned, by name (empty for a single one).

    Raises `RuleError` (`rule_empty`) where the function returned something else, which it names.
    """
    if isinstance(condition, Relation):
        return {"": condition}
    if isinstance(condition, Either):
        return condition.alternatives
    raise RuleError(
        "rule_empty",
        f"{where} gives {type(condition).__name__} where a comparison of figures is expected.",
        hint="return it: `return m.a == m.b / m.c`",
    )


def expression(value: object) -> Expression:
    """A number or an expression as an expression; `RuleError` (`rule_operand`) for anything else."""
    if isinstance(value, Expression):
        return value
    if isinstance(value, Figures):
        raise RuleError("rule_operand", "A rule cannot calculate with m itself.", hint="name a metric, as m.sales")
    if isinstance(value, int | float | str | Fraction) and not isinstance(value, bool):
        with suppress(ValueError, ZeroDivisionError):  # nan, inf, "many", "1/0"
            return Constant(Fraction(str(value)))
    raise RuleError(
        "rule_operand",
        f"A rule cannot calculate with {value!r}.",
        hint="put each comparison in parentheses" if isinstance(value, Relation | Either) else "use numbers",
    )


def fold(
    node: Expression,
    operand: Callable[[Operand], Result],
    constant: Callable[[Fraction], Result],
    operation: Callable[[str, Result, Result], Result],
) -> Result:
    """One value from a tree: `operand` and `constant` for its leaves, `operation` where two are joined."""
    if isinstance(node, Operand):
        return operand(node)
    if isinstance(node, Constant):
        return constant(node.value)
    if not isinstance(node, Operation):
        raise TypeError(f"no expression: {node!r}")
    left = fold(node.left, operand, constant, operation)
    return operation(node.symbol, left, fold(node.right, operand, constant, operation))


def operands(node: Expression) -> Iterator[Operand]:
    """The operands of a tree from left to right, repeated where they stand repeatedly."""
    if isinstance(node, Operand):
        yield node
    elif isinstance(node, Operation):
        yield from operands(node.left)
        yield from operands(node.right)


def operands_of(relation: Relation) -> dict[str, Operand]:
    """The operands of a relation by name, each once."""
    return {found.name: found for side in (relation.left, relation.right) for found in operands(side)}


def rates_of(relation: Relation) -> list[Rate]:
    """The exchange rates that a relation asks for, each once."""
    return [leaf for leaf in operands_of(relation).values() if isinstance(leaf, Rate)]


def solve(relation: Relation, name: str) -> Expression | None:
    """The relation solved for one operand: the expression that it must equal.

    None where the operand stands more than once, so that no expression of the others gives it.
    """
    if [found.name for side in (relation.left, relation.right) for found in operands(side)].count(name) != 1:
        return None
    target, image = relation.left, relation.right
    if not _holds(target, name):
        target, image = image, target
    while isinstance(target, Operation):
        target, image = _undo(target, image, name)
    return image


def formula(node: Expression | Relation) -> str:
    """The expression as a person writes it."""
    if isinstance(node, Relation):
        return f"{formula(node.left)} {'=' if node.symbol == '==' else node.symbol} {formula(node.right)}"
    return fold(node, lambda leaf: (leaf.name, 3), _constant_text, _operation_text)[0]


def _holds(node: Expression, name: str) -> bool:
    return any(found.name == name for found in operands(node))


def _undo(target: Operation, image: Expression, name: str) -> tuple[Expression, Expression]:
    """One step of solving: the side that holds the operand, and what it must equal."""
    left, right = target.left, target.right
    if _holds(left, name):
        inverse = {"+": "-", "-": "+", "*": "/", "/": "*"}[target.symbol]
        return left, Operation(inverse, image, right)
    if target.symbol in "+*":
        return right, Operation({"+": "-", "*": "/"}[target.symbol], image, left)
    return right, Operation(target.symbol, left, image)


def _constant_text(value: Fraction) -> tuple[str, int]:
    return (str(value), 3) if value.denominator == 1 else (format(float(value), "g"), 3)


def _operation_text(symbol: str, left: tuple[str, int], right: tuple[str, int]) -> tuple[str, int]:
    strength = 1 if symbol in "+-" else 2
    first = left[0] if left[1] >= strength else f"({left[0]})"
    second = right[0] if right[1] > strength else f"({right[0]})"
    if symbol == "*" and first == "-1":
        return f"-{second}", 3
    return f"{first} {symbol} {second}", strength


def _refuse_no_rate(base: str, quote: str, method: str | None) -> None:
    from zhiji_etl.rates import RateMethod
    from zhiji_etl.units import is_known_code

    methods = [one.value for one in RateMethod if one is not RateMethod.FIXED]
    wrong = [code for code in (base, quote) if not (isinstance(code, str) and is_known_code(code))]
    if wrong or base == quote:
        what = f"No rate: {wrong[0]!r} is no currency." if wrong else f"No rate is needed from {base} to {quote}."
        raise RuleError("rule_rate", what, hint='two codes of ISO 4217: m.rate("USD", "CNY"); the renminbi is CNY')
    if method is not None and (not isinstance(method, str) or method not in methods):
        raise RuleError("rule_rate", f"{method!r} is no method of a rate.", hint=f"known are {', '.join(methods)}")


def _require_relations(alternatives: Mapping[str, object]) -> None:
    wrong: Sequence[str] = [name for name, value in alternatives.items() if not isinstance(value, Relation)]
    if wrong or not alternatives:
        got = f"; {', '.join(wrong)} is no comparison" if wrong else ", and got none"
        raise RuleError(
            "rule_empty",
            f"zj.either takes comparisons by name{got}.",
            hint="zj.either(all_sales=m.share == m.sales / market)",
        )


def _no_truth(sentence: str) -> RuleError:
    return RuleError(
        "rule_truth", sentence, hint="no `and`, `or`, `if` or chained comparison: use zj.either, or a rule for each"
    )
