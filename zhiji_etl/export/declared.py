"""What a project declares of its tables, apart from any format: columns with units and bounds, keys, rules.

In: a catalogue. Out: `DeclaredTable`s. Checks that are Python functions cannot be told in data; they are named as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from zhiji_etl.catalogue import Catalogue
from zhiji_etl.tables import KEYS, Table, metrics
from zhiji_etl.wording import rule_texts

TYPES: Final = {"String": "string", "Date": "date", "Float64": "number", "Int64": "integer", "Boolean": "boolean"}
PRIMARY_KEY: Final = ("entity", "period_start", "period_end")
KEY_TEXTS: Final = {
    "entity": "Whose figures these are.",
    "period": "The period, as people write it.",
    "period_start": "The first day of the period.",
    "period_end": "The last day of the period.",
}


class Bound(NamedTuple):
    """One end of a column's values; `is_open` where the end itself is not allowed."""

    value: float
    is_open: bool


class DeclaredColumn(NamedTuple):
    """A column: `kind` is one of TYPES; `other_checks` are those that are no bounds, as texts."""

    name: str
    kind: str
    description: str
    unit: str | None
    is_required: bool
    is_unique: bool
    low: Bound | None
    high: Bound | None
    allowed: tuple[Any, ...] | None
    pattern: str | None
    other_checks: tuple[str, ...]


class DeclaredRule(NamedTuple):
    """A rule in words: its sentence, and its formula, by alternative where it has several."""

    name: str
    sentence: str
    formulas: Mapping[str, str]
    severity: str
    material: float


class DeclaredTable(NamedTuple):
    """A table: its file in a run is `NAME.parquet`."""

    name: str
    description: str
    columns: tuple[DeclaredColumn, ...]
    rules: tuple[DeclaredRule, ...]
    other_checks: tuple[str, ...]


def declared_tables(catalogue: Catalogue) -> list[DeclaredTable]:
    """All tables of a project, in order, without what only Python can say."""
    return [_table(name, table, catalogue) for name, table in catalogue.tables.items()]


# -------------------------------------------------------------------------------------------------------- helpers


def _table(name: str, table: type[Table], catalogue: Catalogue) -> DeclaredTable:
    schema = table.to_schema()
    units = {metric.name: metric.unit for metric in metrics(table)}
    return DeclaredTable(
        name=name,
        description=" ".join((table.__doc__ or "").split()),
        columns=tuple(_column(column, units) for column in schema.columns.values()),
        rules=tuple(_rules(name, catalogue)),
        other_checks=tuple(str(check.name or check) for check in schema.checks),
    )


def _column(column: Any, units: Mapping[str, str]) -> DeclaredColumn:
    checks = {str(check.name): check.statistics or {} for check in column.checks}
    low, high = _bounds(checks)
    return DeclaredColumn(
        name=column.name,
        kind=TYPES.get(str(column.dtype), "string"),
        description=column.description or KEY_TEXTS.get(column.name, ""),
        unit=units.get(column.name),
        is_required=column.name in KEYS or not column.nullable,
        is_unique=bool(column.unique),
        low=low,
        high=high,
        allowed=tuple(checks["isin"]["allowed_values"]) if "isin" in checks else None,
        pattern=_pattern(checks),
        other_checks=tuple(_told(name, told) for name, told in checks.items() if name not in _HELD),
    )


_HELD: Final = frozenset(
    {
        *("greater_than_or_equal_to", "greater_than", "less_than_or_equal_to", "less_than", "in_range"),
        *("isin", "str_matches"),
    }
)
"""The checks of Pandera that have a place in other formats."""


def _bounds(checks: Mapping[str, Mapping[str, Any]]) -> tuple[Bound | None, Bound | None]:
    """The narrowest ends that the checks of a column name."""
    span = checks.get("in_range", {})
    lows = [
        *(Bound(checks[name]["min_value"], is_open) for name, is_open in _LOWS if name in checks),
        *([Bound(span["min_value"], not span.get("include_min", True))] if span else []),
    ]
    highs = [
        *(Bound(checks[name]["max_value"], is_open) for name, is_open in _HIGHS if name in checks),
        *([Bound(span["max_value"], not span.get("include_max", True))] if span else []),
    ]
    low = max(lows, key=lambda end: (end.value, end.is_open), default=None)
    high = min(highs, key=lambda end: (end.value, not end.is_open), default=None)
    return low, high


_LOWS: Final = (("greater_than_or_equal_to", False), ("greater_than", True))
_HIGHS: Final = (("less_than_or_equal_to", False), ("less_than", True))


def _pattern(checks: Mapping[str, Mapping[str, Any]]) -> str | None:
    """A pattern as others read it: Pandera's begins at the start of the text, theirs anywhere."""
    if "str_matches" not in checks:
        return None
    pattern = str(getattr(checks["str_matches"]["pattern"], "pattern", checks["str_matches"]["pattern"]))
    return pattern if pattern.startswith("^") else f"^(?:{pattern})"


def _told(name: str, told: Mapping[str, Any]) -> str:
    values = ", ".join(f"{key}={value!r}" for key, value in told.items())
    return f"{name}({values})" if values else name


def _rules(table: str, catalogue: Catalogue) -> list[DeclaredRule]:
    mine = [compiled for compiled in catalogue.rules if compiled.rule.table == table]
    texts = rule_texts(mine)
    return [
        DeclaredRule(
            name=compiled.rule.name,
            sentence=" ".join(compiled.rule.sentence.split()),
            formulas=texts[compiled.rule.name].formulas,
            severity=compiled.rule.severity.value,
            material=compiled.rule.material,
        )
        for compiled in mine
    ]
