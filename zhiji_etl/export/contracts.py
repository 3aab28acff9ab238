"""The schemas of a project in the formats of others: Table Schema, Open Data Contract Standard, JSON Schema.

In: a catalogue. Out: a document of plain data, to be written as JSON (which YAML 1.2 contains). Units have no place of
their own in any of them and stand as a property `unit`; rules are told in words, for none of the formats checks them.
Sources: Data Package 2.0 (Table Schema), ODCS 3.0.2, JSON Schema 2020-12.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from zhiji_etl.catalogue import Catalogue
from zhiji_etl.choices import Form
from zhiji_etl.export.declared import (
    PRIMARY_KEY,
    Bound,
    DeclaredColumn,
    DeclaredRule,
    DeclaredTable,
    declared_tables,
)

Document = dict[str, Any]


def contract(catalogue: Catalogue, form: Form, name: str) -> Document:
    """The tables of a project in one format; `name` is that of the project. Columns keep their order."""
    return FORMS[form](declared_tables(catalogue), name)


def not_held(catalogue: Catalogue, form: Form) -> list[str]:
    """What a format cannot hold, a sentence each."""
    return [sentence for table in declared_tables(catalogue) for sentence in _left_out(table, form)]


# ---------------------------------------------------------------------------------------------------- Table Schema


def _data_package(tables: list[DeclaredTable], name: str) -> Document:
    """A Data Package of one resource a table, each with its Table Schema."""
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": name,
        "resources": [
            {
                "name": table.name,
                "path": f"{table.name}.parquet",
                "format": "parquet",
                "description": table.description,
                "schema": _table_schema(table),
            }
            for table in tables
        ],
    }


def _table_schema(table: DeclaredTable) -> Document:
    return {
        "fields": [_field(column) for column in table.columns],
        "primaryKey": list(PRIMARY_KEY),
        "rules": [_rule(rule) for rule in table.rules],
    }


def _field(column: DeclaredColumn) -> Document:
    constraints = {
        "required": column.is_required or None,
        "unique": column.is_unique or None,
        **_ends(column),
        "enum": None if column.allowed is None else list(column.allowed),
        "pattern": column.pattern,
    }
    return _filled(
        name=column.name,
        type=column.kind,
        description=column.description or None,
        unit=column.unit,
        constraints=_filled(**constraints) or None,
    )


# ------------------------------------------------------------------------------------------------------------ ODCS


def _odcs(tables: list[DeclaredTable], name: str) -> Document:
    return {
        "apiVersion": "v3.0.2",
        "kind": "DataContract",
        "id": name,
        "name": name,
        "version": "1.0.0",
        "status": "active",
        "schema": [_odcs_object(table) for table in tables],
    }


def _odcs_object(table: DeclaredTable) -> Document:
    return {
        "name": table.name,
        "logicalType": "object",
        "physicalType": "file",
        "physicalName": f"{table.name}.parquet",
        "description": table.description,
        "dataGranularityDescription": "One row is one entity in one period.",
        "properties": [_odcs_property(column) for column in table.columns],
        "quality": [_odcs_quality(rule) for rule in table.rules],
    }


def _odcs_property(column: DeclaredColumn) -> Document:
    position = PRIMARY_KEY.index(column.name) + 1 if column.name in PRIMARY_KEY else None
    return _filled(
        name=column.name,
        logicalType=column.kind,
        physicalType=_PHYSICAL[column.kind],
        description=column.description or None,
        required=column.is_required,
        unique=column.is_unique or None,
        primaryKey=position and True,
        primaryKeyPosition=position,
        logicalTypeOptions=_odcs_options(column) or None,
        customProperties=[{"property": "unit", "value": column.unit}] if column.unit else None,
    )


_PHYSICAL: Final = {
    "string": "STRING",
    "date": "DATE",
    "number": "DOUBLE",
    "integer": "INT64",
    "boolean": "BOOLEAN",
}


def _odcs_options(column: DeclaredColumn) -> Document:
    """In this version of the standard an open end is a flag beside the number."""
    return _filled(
        minimum=column.low and column.low.value,
        exclusiveMinimum=True if column.low and column.low.is_open else None,
        maximum=column.high and column.high.value,
        exclusiveMaximum=True if column.high and column.high.is_open else None,
        pattern=column.pattern if column.kind == "string" else None,
    )


def _odcs_quality(rule: DeclaredRule) -> Document:
    return {
        "name": rule.name,
        "description": rule.sentence,
        "type": "custom",
        "engine": "zhiji_etl",
        "implementation": {"formulas": _formulas(rule), "material": rule.material},
        "dimension": "consistency",
        "severity": rule.severity,
    }


# ----------------------------------------------------------------------------------------------------- JSON Schema


def _json_schema(tables: list[DeclaredTable], name: str) -> Document:
    """A schema of a row of each table under `$defs`, by the name of the table."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": name,
        "$defs": {table.name: _row_schema(table) for table in tables},
    }


def _row_schema(table: DeclaredTable) -> Document:
    return {
        "type": "object",
        "description": table.description,
        "properties": {column.name: _value_schema(column) for column in table.columns},
        "required": [column.name for column in table.columns],
        "additionalProperties": False,
        "rules": [_rule(rule) for rule in table.rules],
    }


def _value_schema(column: DeclaredColumn) -> Document:
    kind = "string" if column.kind == "date" else column.kind
    allowed = None if column.allowed is None else list(column.allowed)
    return _filled(
        type=kind if column.is_required else [kind, "null"],
        format="date" if column.kind == "date" else None,
        description=column.description or None,
        unit=column.unit,
        **_ends(column),
        enum=allowed if allowed is None or column.is_required else [*allowed, None],
        pattern=column.pattern,
    )


# -------------------------------------------------------------------------------------------------------- helpers


FORMS: Final[Mapping[Form, Callable[[list[DeclaredTable], str], Document]]] = MappingProxyType(
    {Form.TABLE_SCHEMA: _data_package, Form.ODCS: _odcs, Form.JSON_SCHEMA: _json_schema}
)


def _ends(column: DeclaredColumn) -> Document:
    return {
        **_end("minimum", "exclusiveMinimum", column.low),
        **_end("maximum", "exclusiveMaximum", column.high),
    }


def _end(closed: str, opened: str, bound: Bound | None) -> Document:
    return {} if bound is None else {opened if bound.is_open else closed: bound.value}


def _rule(rule: DeclaredRule) -> Document:
    return {
        "name": rule.name,
        "description": rule.sentence,
        "formulas": _formulas(rule),
        "severity": rule.severity,
        "material": rule.material,
    }


def _formulas(rule: DeclaredRule) -> list[str]:
    return [f"{name}: {text}" if name else text for name, text in rule.formulas.items()]


def _filled(**given: Any) -> Document:
    return {name: value for name, value in given.items() if value is not None}


def _left_out(table: DeclaredTable, form: Form) -> list[str]:
    told = [
        f"{table.name}.{column.name}: the check {check} has no place in {form.value}."
        for column in table.columns
        for check in (*column.other_checks, *_without_place(column, form))
    ]
    told += [f"{table.name}: the check {check} has no place in {form.value}." for check in table.other_checks]
    units = [column.name for column in table.columns if column.unit]
    if units:
        told.append(f"{table.name}: units stand as a property that {form.value} does not check: {', '.join(units)}.")
    if table.rules:
        names = ", ".join(rule.name for rule in table.rules)
        told.append(f"{table.name}: rules are told in words and formulas; only zhiji_etl checks them: {names}.")
    return told


def _without_place(column: DeclaredColumn, form: Form) -> list[str]:
    """ODCS has no list of allowed values for a column; JSON Schema has no unique columns across rows."""
    if form is Form.ODCS and column.allowed is not None:
        return [f"isin({', '.join(map(repr, column.allowed))})"]
    return ["unique"] if form is Form.JSON_SCHEMA and column.is_unique else []
