"""The vocabulary of a schema file: `Table`, `Quantity`, `Identifier` and `rule`, on top of Pandera's own models.

A schema file declares classes. Each is a `pandera.polars.DataFrameModel` with the keys `entity`, `period`,
`period_start` and `period_end`; its columns are quantities in a declared unit; its methods marked with `@rule` say how
figures hang together. Nothing is evaluated here: `metrics()` and `rules()` give the declarations to later rooms.
"""

from __future__ import annotations

import inspect
import math
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Final, NamedTuple, overload

import polars as pl

from zhiji_etl.arguments import Least, fits, guarded
from zhiji_etl.errors import PeriodError, ProjectError, RuleError
from zhiji_etl.figures import Severity
from zhiji_etl.labels import understood
from zhiji_etl.periods import year_end_day
from zhiji_etl.reading.grammar.drafts import singular_of
from zhiji_etl.starting import for_polars_alone

with warnings.catch_warnings(), for_polars_alone() as is_alone:
    # Where pandas and PySpark are installed, Pandera imports both, and PySpark warns of new versions of pandas.
    warnings.simplefilter("ignore", FutureWarning)
    import pandera.polars as pandera

    if is_alone:
        # Pandera would load the rest of them at the first check of a schema.
        pandera.Check.ge(0)(pl.LazyFrame({"first": [0]}), "first")

YEAR_ENDS: Final = "__zhiji_fiscal_year_ends__"
MATERIAL: Final = 0.05
"""An error of this relative size must be noticed, unless a rule says otherwise."""


class Metric(NamedTuple):
    """What a schema declares of one column: its unit, how currencies convert, and which nouns count as its unit.

    `assumed`: nobody declared the ends, they are those that all of its figures keep to.
    """

    name: str
    unit: str
    fx: str | None = None
    restated_in: str | None = None
    nouns: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
    assumed: bool = False

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the most that its figures can be; infinite where nothing is said."""
        least, most = self.at_least, self.at_most
        return (-math.inf if least is None else least, math.inf if most is None else most)


class Rule(NamedTuple):
    """One rule as declared: a function of the symbolic `m`, with its sentence and how much it matters."""

    name: str
    function: Callable[..., Any]
    sentence: str
    severity: Severity
    material: float
    missing_parts: bool
    table: str | None
    file: str
    line: int


class Table(pandera.DataFrameModel):
    """A table of one row per entity and period; subclass it in `schemas/*.py`.

    Columns: `entity, period` (String), `period_start, period_end` (Date), then the declared ones. Entities whose fiscal
    year is not the calendar year are named with the day on which it ends, and `FY2020` of them is read by it:
    `class PlatformYear(zj.Table, fiscal_year_ends={"Alibaba Group": "03-31"})`.
    """

    entity: str
    period: str
    period_start: date
    period_end: date

    def __init_subclass__(cls, *, fiscal_year_ends: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)  # type: ignore[no-untyped-call]
        own = _year_ends(cls.__name__, {} if fiscal_year_ends is None else fiscal_year_ends)
        inherited = getattr(cls, YEAR_ENDS, {})
        setattr(cls, YEAR_ENDS, MappingProxyType({**inherited, **own}))


KEYS: Final = ("entity", "period", "period_start", "period_end")
ORDERED: Final = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
MEMBERS: Final = frozenset({"isin", "notin"})
CHECK_NAMES: Final = frozenset(inspect.signature(pandera.Field).parameters)


@guarded()
def Quantity(  # noqa: N802 - it stands where a class would, as pandera.Field does
    unit: str,
    *,
    fx: str | None = None,
    restated_in: str | None = None,
    nouns: str | Sequence[str] = (),
    **checks: Any,
) -> Any:
    """A column of amounts in one unit.

    `unit` is an ISO 4217 code, `percent`, `percentage_point`, a counted noun in the singular, a Pint unit or a compound
    such as `CNY/vehicle`. `fx` names how amounts in other currencies convert: a rate method (`average`, `spot`, ...),
    or `usual`, the average of the period for flows and its end for stocks; without it nothing converts, unless the
    source says how. `restated_in` is a currency in which sources usually restate the amount. `nouns` are further words
    for the noun. `checks` are those of `pandera.Field`: `ge=0`, `le=100`, `isin=...`, `nullable=False`. Columns are
    nullable unless told otherwise, since sources rarely print everything. Raises `ProjectError` (`schema_invalid`) for
    an unknown check.
    """
    for name in ORDERED & checks.keys():
        if not fits(checks[name], float | Decimal | None) or not math.isfinite(checks[name] or 0):
            what = f"The option {name} of Quantity cannot be {checks[name]!r}."
            raise ProjectError("schema_invalid", what, hint="it is a number")
    checks |= {name: _as_floats(checks[name]) for name in MEMBERS & checks.keys()}
    metadata = {
        "unit": unit,
        "fx": fx,
        "restated_in": restated_in,
        "nouns": (nouns,) if isinstance(nouns, str) else tuple(nouns),
    }
    bounds = {"at_least": checks.get("ge"), "at_most": checks.get("le")}
    checks.setdefault("nullable", True)
    return _field({**metadata, **bounds}, checks)


def _as_floats(values: Any) -> Any:
    """Numbers as the column holds them: Polars looks for no whole number among floats. All else is left to Pandera."""
    numbers = isinstance(values, list | tuple | set | frozenset) and all(fits(one, float | Decimal) for one in values)
    return [float(one) for one in values] if numbers and values else values


def Identifier(**checks: Any) -> Any:  # noqa: N802 - see Quantity
    """A column of text that names the entity elsewhere, such as a stock code: filled from sidecars, never a figure."""
    checks.setdefault("nullable", True)
    return _field({"identifier": True}, checks)


@overload
def rule(function: Callable[..., Any], /) -> Callable[..., Any]: ...
@overload
def rule(
    *, severity: Severity | str = "error", material: float = MATERIAL, missing_parts: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]: ...
@guarded()
def rule(
    function: Callable[..., Any] | None = None,
    /,
    *,
    severity: Severity | str = "error",
    material: Annotated[float, Least(0)] = MATERIAL,
    missing_parts: bool = False,
) -> Callable[..., Any]:
    """Mark a function of the symbolic `m` as a rule; its docstring is the rule's sentence in every report.

    `severity` is `info`, `warning` or `error`; `material` the relative error that the check must be able to notice.
    `missing_parts` says that a total may have parts that are not printed: then only parts <= total is checked, for
    parts that cannot be negative.
    """
    if severity not in list(Severity):
        known = ", ".join(Severity)
        raise ProjectError("schema_invalid", f"{severity!r} is no severity of a rule.", hint=f"known are {known}")
    marks = {"severity": Severity(severity), "material": material, "missing_parts": missing_parts}

    def mark(marked: Callable[..., Any]) -> Callable[..., Any]:
        """The function, marked as a rule."""
        if not is_rule(marked):
            raise RuleError("rule_needed", f"{marked!r} is no function of m.", hint="@zj.rule stands above a `def`")
        marked.__zhiji_rule__ = marks  # type: ignore[attr-defined]
        return marked

    return mark if function is None else mark(function)


def is_rule(candidate: object) -> bool:
    """Whether something can be a rule: a function written in Python, whose name and place reports can tell."""
    return inspect.isfunction(candidate)


def table_name(table: type[Table]) -> str:
    """The file name of a table: its class name in snake_case."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", table.__name__).lower()


def metrics(table: type[Table]) -> list[Metric]:
    """The quantities that a table declares, in order."""
    declared = ((name, _declaration(info)) for name, info in _fields(table))
    return [_metric(name, made) for name, made in declared if "unit" in made]


def identifiers(table: type[Table]) -> list[str]:
    """The names of the identifier columns of a table."""
    return [name for name, info in _fields(table) if _declaration(info).get("identifier")]


def fiscal_year_ends(table: type[Table]) -> Mapping[str, str]:
    """The entities that a table declares or inherits with a fiscal year of their own: its last day as `MM-DD`."""
    declared: Mapping[str, str] = getattr(table, YEAR_ENDS, {})
    return declared


def rules(table: type[Table]) -> list[Rule]:
    """The rules that a table declares or inherits, in order of definition; a rule of the same name replaces one."""
    named = {name: value for base in reversed(table.__mro__) for name, value in vars(base).items()}
    found = [value for value in named.values() if hasattr(value, "__zhiji_rule__")]
    return [declared_rule(function, table_name(table)) for function in found]


def declared_rule(function: Callable[..., Any], table: str | None = None) -> Rule:
    """The declaration of one function marked with `@rule`, of a table or free."""
    marks: Mapping[str, Any] = function.__zhiji_rule__  # type: ignore[attr-defined]
    code = function.__code__
    return Rule(
        name=function.__name__,
        function=function,
        sentence=(inspect.getdoc(function) or function.__name__.replace("_", " ")).strip(),
        **marks,
        table=table,
        file=code.co_filename,
        line=code.co_firstlineno,
    )


def _field(declared: Mapping[str, Any], checks: Mapping[str, Any]) -> Any:
    """A column of Pandera with what we declare of it; `ProjectError` (`schema_invalid`) where Pandera refuses it."""
    unknown = sorted(set(checks) - CHECK_NAMES)
    if unknown:
        what = f"{'Identifier' if 'identifier' in declared else 'Quantity'} has no option {', '.join(unknown)}."
        hint = "its own are unit, fx, restated_in and nouns; the rest goes to pandera.Field"
        raise ProjectError("schema_invalid", what, hint=hint)
    try:
        return pandera.Field(metadata={"zhiji": dict(declared)}, **checks)
    except (TypeError, ValueError) as error:
        raise ProjectError("schema_invalid", f"pandera.Field refuses {dict(checks)!r}: {error}") from error


def _year_ends(table: str, declared: Mapping[str, str]) -> dict[str, str]:
    """The declared days, each as two numbers of two digits; `ProjectError` (`schema_invalid`) where one is none."""
    try:
        return {entity.strip(): "{:02}-{:02}".format(*year_end_day(day)) for entity, day in declared.items()}
    except (PeriodError, AttributeError, TypeError) as error:
        what = f"{table}: fiscal_year_ends is {declared!r}: {getattr(error, 'message', 'it is no mapping of texts.')}"
        raise ProjectError("schema_invalid", what, hint='fiscal_year_ends={"Alibaba Group": "03-31"}') from None


def _fields(table: type[Table]) -> list[tuple[str, Any]]:
    fields: dict[str, Any] = table._collect_fields()
    return [(name, info) for name, (_, info) in fields.items() if name not in KEYS]


def _declaration(info: Any) -> dict[str, Any]:
    declaration: dict[str, Any] = (info.metadata or {}).get("zhiji", {})
    return declaration


def _metric(name: str, made: Mapping[str, Any]) -> Metric:
    least, most = (None if made[end] is None else float(Decimal(str(made[end]))) for end in ("at_least", "at_most"))
    return Metric(name, made["unit"], made["fx"], made["restated_in"], _as_read(made["nouns"]), least, most)


def _as_read(nouns: Iterable[str]) -> tuple[str, ...]:
    """Nouns as a schema writes them, and as readings give them: `people` is the unit `person`, `SUV` is `suv`."""
    listed = tuple(nouns)
    return tuple(dict.fromkeys([*listed, *map(_unit_as_read, listed)]))


def _unit_as_read(noun: str) -> str:
    told = understood(noun)
    return told.unit if told and told.unit else singular_of(noun.split() or [noun])
