"""The catalogue of a project: all its tables, the metrics they declare and the rules that bind them.

In: the `Table` classes of the schema files. Out: which table declares what, one unit a metric, and compiled rules;
every problem of the schemas is told at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final, TypeVar

import polars as pl

from zhiji_etl.consistency.contradictions import refuse_contradictions
from zhiji_etl.consistency.rules.compiled import CompiledRule, compile_rule
from zhiji_etl.errors import ProjectError, ZhijiError
from zhiji_etl.tables import KEYS, Metric, Table, fiscal_year_ends, identifiers, metrics, rules, table_name
from zhiji_etl.units import dimension, is_known_code, is_own
from zhiji_etl.validation import refuse_scalar_checks, schema_of

Result = TypeVar("Result")
ENDS = ("at_least", "at_most")
CURRENCY_NAMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("rmb", "renminbi", "yuan"), "CNY"),
    **dict.fromkeys(("dollar", "dollars", "us$"), "USD"),
    **dict.fromkeys(("euro", "euros"), "EUR"),
    "yen": "JPY",
    **dict.fromkeys(("元", "人民币", "人民币元", "千元", "万元", "百万元", "千万元", "亿元", "万亿元"), "CNY"),
    **dict.fromkeys(("美元", "万美元", "百万美元", "亿美元"), "USD"),
    **dict.fromkeys(("港元", "港币", "万港元", "百万港元", "亿港元"), "HKD"),
    "欧元": "EUR",
    "日元": "JPY",
    "英镑": "GBP",
}


@dataclass(frozen=True)
class Catalogue:
    """Tables by name, and by name what each metric means; a metric has one unit throughout a project.

    `fiscal_year_ends` names the entities whose fiscal year is declared, with its last day as `MM-DD`.
    """

    tables: Mapping[str, type[Table]]
    metrics: Mapping[str, Metric]
    rules: Sequence[CompiledRule]
    fiscal_year_ends: Mapping[str, str]

    @cached_property
    def declarations(self) -> pl.DataFrame:
        """One row for each table and metric, with what the table declares of it."""
        rows = [
            (name, *(getattr(metric, field) for field in ("name", "unit", "nouns", *ENDS, "fx", "restated_in")))
            for name, table in self.tables.items()
            for metric in metrics(table)
        ]
        schema: dict[str, pl.DataType | type[pl.DataType]] = {
            "table": pl.String,
            "metric": pl.String,
            "declared_unit": pl.String,
            "nouns": pl.List(pl.String),
            "at_least": pl.Float64,
            "at_most": pl.Float64,
            "fx": pl.String,
            "restated_in": pl.String,
        }
        return pl.DataFrame(rows, schema=schema, orient="row")

    def identifiers(self, table: str) -> list[str]:
        """The identifier columns of a table."""
        return identifiers(self.tables[table])


def catalogue(tables: Iterable[type[Table]]) -> Catalogue:
    """Check the tables of a project and compile their rules.

    Raises `ProjectError` (`schema_invalid`) with every problem found: two tables of one name, a metric with two units,
    an entity with two fiscal year ends, an unknown unit, a check that judges no single row, and each rule that is
    refused.
    """
    problems = Problems()
    named = _named(_built(tables, problems), problems)
    for name, table in named.items():
        problems.run(partial(refuse_scalar_checks, table))
        problems.run(partial(_refuse_plain_columns, name, table))
        problems.run(partial(_refuse_other_types, name, table))
    declared = _declared(named, problems)
    year_ends = _year_ends(named, problems)
    compiled = [
        problems.run(partial(compile_rule, rule, declared)) for table in named.values() for rule in rules(table)
    ]
    usable = [rule for rule in compiled if rule is not None]
    problems.run(partial(refuse_contradictions, usable, declared))
    problems.refuse()
    return Catalogue(named, declared, usable, year_ends)


def declared_metrics(tables: Iterable[type[Table]]) -> dict[str, Metric]:
    """The metrics that tables declare, by name; `ProjectError` as `catalogue` where one is declared as it cannot be."""
    problems = Problems()
    declared = _declared(_named(_built(tables, problems), problems), problems)
    problems.refuse()
    return declared


def _built(tables: Iterable[type[Table]], problems: Problems) -> list[type[Table]]:
    """The tables, once Pandera can build all of them: of a class that is no model nothing else can be asked."""
    listed = list(tables)
    for table in listed:
        problems.run(partial(schema_of, table))
    problems.refuse()
    return listed


def _named(tables: Iterable[type[Table]], problems: Problems) -> dict[str, type[Table]]:
    named: dict[str, type[Table]] = {}
    for table in tables:
        if named.setdefault(table_name(table), table) is not table:
            problems.found.append(ProjectError("schema_invalid", f"Two tables are called {table_name(table)}."))
    return named


def _declared(named: Mapping[str, type[Table]], problems: Problems) -> dict[str, Metric]:
    declared: dict[str, Metric] = {}
    for name, table in named.items():
        for metric in metrics(table):
            problems.run(partial(_refuse_currency_names, metric))
            problems.run(partial(_refuse_no_currency, metric))
            problems.run(partial(_refuse_no_unit, name, metric))
            problems.run(partial(_refuse_capitals, metric))
            first = declared.setdefault(metric.name, metric)
            if first.unit != metric.unit:
                what = f"{metric.name} is declared in {first.unit} and, by {name}, in {metric.unit}."
                problems.found.append(ProjectError("schema_invalid", what, hint="a metric has one unit in a project"))
    return declared


def _year_ends(named: Mapping[str, type[Table]], problems: Problems) -> dict[str, str]:
    declared: dict[str, str] = {}
    for name, table in named.items():
        for entity, day in fiscal_year_ends(table).items():
            first = declared.setdefault(entity, day)
            if first != day:
                what = f"The fiscal year of {entity} is declared to end on {first} and, by {name}, on {day}."
                problems.found.append(ProjectError("schema_invalid", what, hint="an entity has one in a project"))
    return declared


def _refuse_currency_names(metric: Metric) -> None:
    """Refuse the name of a currency as a unit: it would be taken for a counted noun, which no figure is printed in."""
    names = [part for part in re.split(r"[/*\s]+", metric.unit) if part.lower() in CURRENCY_NAMES]
    if names:
        hint = f'currencies stand as their codes: zj.Quantity("{CURRENCY_NAMES[names[0].lower()]}")'
        raise ProjectError("schema_invalid", f"{metric.name} is declared in {names[0]}.", hint=hint)


def _refuse_no_currency(metric: Metric) -> None:
    """Refuse what is no currency as that of restatements: none would ever be looked for."""
    named = metric.restated_in
    if named is not None and not is_known_code(named):
        what = f"{metric.name} is said to be restated in {named!r}, which is no code of a currency."
        code = CURRENCY_NAMES.get(named.lower(), "USD")
        raise ProjectError("schema_invalid", what, hint=f'such as restated_in="{code}"')


def _refuse_no_unit(table: str, metric: Metric) -> None:
    """Refuse what is no unit, and say where it stands."""
    try:
        dimension(metric.unit)
    except ZhijiError as error:
        raise ProjectError(error.code, f"{table}, {metric.name}: {error}") from None


def _refuse_capitals(metric: Metric) -> None:
    """Refuse a noun in capitals: readings give nouns in small letters, so no figure would ever be printed in it."""
    for part in re.split(r"[/*\s]+", metric.unit):
        if part != part.lower() and part.isidentifier() and is_own(part) and not is_known_code(part):
            what = f"{metric.name} is declared in {part}, which is no currency and no unit of measure."
            hint = f'what is counted stands in small letters: zj.Quantity("{metric.unit.replace(part, part.lower())}")'
            raise ProjectError("schema_invalid", what, hint=hint)


def _refuse_plain_columns(name: str, table: type[Table]) -> None:
    """Refuse columns that nothing could fill: neither quantities nor identifiers."""
    filled = {*KEYS, *identifiers(table), *(metric.name for metric in metrics(table))}
    plain = [column for column in table.to_schema().columns if column not in filled]
    if plain:
        what = f"{name} declares {', '.join(plain)}, which is neither a zj.Quantity nor a zj.Identifier."
        raise ProjectError("schema_invalid", what, hint='declare it: sales: float = zj.Quantity("vehicle")')


def _refuse_other_types(name: str, table: type[Table]) -> None:
    """Refuse quantities that are no floats and identifiers that are no texts: their tables could never be filled."""
    columns = table.to_schema().columns
    wanted = {**{metric.name: "Float64" for metric in metrics(table)}, **dict.fromkeys(identifiers(table), "String")}
    wrong = [column for column, dtype in wanted.items() if column in columns and str(columns[column].dtype) != dtype]
    if wrong:
        what = f"{name} declares {', '.join(f'{column} as {columns[column].dtype}' for column in wrong)}."
        hint = 'amounts are float, identifiers str: sales: float = zj.Quantity("vehicle")'
        raise ProjectError("schema_invalid", what, hint=hint)


class Problems:
    """What went wrong so far, so that a schema author sees all of it at once."""

    def __init__(self) -> None:
        self.found: list[ZhijiError] = []

    def run(self, step: Callable[[], Result]) -> Result | None:
        """The result of a step, or null and its error noted."""
        try:
            return step()
        except ZhijiError as error:
            self.found.append(error)
            return None

    def refuse(self) -> None:
        """Raise `ProjectError` if anything was found: the error itself if it is the only one."""
        if len(self.found) == 1 and isinstance(self.found[0], ProjectError):
            raise self.found[0]
        if self.found:
            told = list(dict.fromkeys(str(error) for error in self.found))
            # A rule meets the unit that its metric was refused for.
            new = [one for one in told if not any(one in other for other in told if other != one)]
            raise ProjectError(self.found[0].code, "\n".join(new))
