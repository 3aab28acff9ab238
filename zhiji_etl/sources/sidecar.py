"""A sidecar `raw/NAME.toml`: who printed the figures of `raw/NAME.csv`, and how they are to be read.

In: a TOML file. Out: a frozen `Sidecar`; every problem of the file at once as one `ProjectError` (`sidecar_invalid`).
`currency` is an ISO 4217 code, `scale` a scale word, `unit` a unit; `decimals` counts the places of the last exact
digit (-6: millions); the rate of `[fx]` is quoted as markets do: CNY for one USD, whichever is converted.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from zhiji_etl.sources.grids import address
from zhiji_etl.sources.toml import read_toml


def _as_text(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def _as_date(value: object) -> object:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _as_rate(value: object) -> object:
    return Decimal(value) if isinstance(value, int | str) and not isinstance(value, bool) else value


def _as_number(value: object) -> object:
    return float(str(value)) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


def _month_and_day(value: str) -> str:
    date.fromisoformat(f"2000-{value}")
    return value


def _area(value: str) -> str:
    first, _, last = value.partition(":")
    top, left = address(first)
    bottom, right = address(last) if ":" in value else (top, left)
    if bottom < top or right < left:
        raise ValueError("it ends before it begins")
    return value


def _as_list(value: object) -> object:
    return [value] if isinstance(value, dict) else value


def _as_text_or_year(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _as_text(value)


DateOrText = Annotated[str, BeforeValidator(_as_text, json_schema_input_type=str)]
Day = Annotated[date, BeforeValidator(_as_date, json_schema_input_type=str)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Translation(BaseModel):
    """The `[fx]` table of a sidecar: how the source itself converted one currency into another."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    method: str | None = Field(
        default=None,
        description="Reference rates by this method: average, average_quoted, period_end, sum_of_quarters, spot,"
        " fixed.",
    )
    start: Day | None = Field(default=None, description="First day of the window of a spot rate.")
    end: Day | None = Field(default=None, description="Last day of the window of a spot rate.")
    rate: (
        Annotated[
            Decimal, BeforeValidator(_as_rate, json_schema_input_type=str | float), Field(gt=0, allow_inf_nan=False)
        ]
        | None
    ) = Field(
        default=None,
        description="The rate that the source itself gives, as markets quote it: CNY for one USD. Best in quotes.",
    )

    @property
    def stated_method(self) -> str | None:
        """The method; where only a rate is given it is `fixed`, where only days are, `spot`."""
        if self.method is None and self.rate is not None:
            return "fixed"
        return "spot" if self.method is None and self.start is not None else self.method

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.stated_method == "fixed") != (self.rate is not None):
            what = 'the method fixed and a rate belong together: method = "fixed", rate = "6.9695"'
            raise PydanticCustomError("incomplete", what)
        if (self.start is None) != (self.end is None):
            raise PydanticCustomError("incomplete", "start and end belong together; for one day they are the same")
        return self


Axis = Literal["entity", "metric", "period", "caption", "vintage", "note", "decimals", ""]
"""What a row of headers or a column of labels says; the empty text says nothing that is kept."""


class Said(BaseModel):
    """What one column or row of a wide table says, in place of what its headers or labels do."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    entity: str | None = Field(default=None, description="Whose figures these are.")
    metric: str | None = Field(default=None, description='What the figures measure; "" leaves them out.')
    period: Annotated[str | None, BeforeValidator(_as_text_or_year, json_schema_input_type=str | int)] = Field(
        default=None, description="When the figures hold."
    )
    caption: str | None = Field(default=None, description="Their unit and scale.")
    vintage: str | None = Field(default=None, description="Which edition of the figures this is.")


def _line(key: str) -> str:
    """A column in capital letters, or a row without leading zeros, so that one line has one key."""
    if not re.fullmatch(r"[A-Z]{1,3}|[1-9][0-9]{0,6}", key):
        raise ValueError("it is no column, as D, and no row, as 7")
    return key


class Layout(BaseModel):
    """A `[layout]` table of a sidecar: how a wide table says whose, what and when its cells are.

    `cells` is the area of the table in addresses (`A3:H20`, or its first cell), labels included. `columns` names what
    its first rows say of the columns below them, from the top; `rows` what its first columns say of the rows beside
    them, from the left. The same name twice joins both texts: `2020` above `Q1` is `2020 Q1`. What no row or column
    says is said for the whole table. `at` says of single columns and rows what their headers and labels do not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    cells: Annotated[str, AfterValidator(_area)] = Field(
        default="A1",
        description='The area of the table with its headers and labels, as "A3:H20", or its first cell, as "A3".',
    )
    sheet: str | int | None = Field(
        default=None,
        description="The sheet of a workbook by its name; of an HTML page, the table by its number from 1.",
    )
    columns: list[Axis] = Field(
        default_factory=list, description="What the first rows of the area say of the columns below them, from the top."
    )
    rows: list[Axis] = Field(
        default_factory=list,
        description="What the first columns of the area say of the rows beside them, from the left.",
    )
    entity: str | None = Field(default=None, description="Whose figures these are, where no row or column says it.")
    metric: str | None = Field(default=None, description="What the figures measure, where no row or column says it.")
    period: Annotated[str | None, BeforeValidator(_as_text_or_year, json_schema_input_type=str | int)] = Field(
        default=None, description="When the figures hold, where no row or column says it."
    )
    caption: str | None = Field(
        default=None,
        description='What the table says of unit and scale, as printed: "RMB in millions, except per share data".',
    )
    vintage: str | None = Field(
        default=None, description="Which edition of the figures this is, where no row or column says it."
    )
    at: dict[Annotated[str, AfterValidator(_line)], Said] = Field(
        default_factory=dict,
        description="What one column (D) or row (7) says in place of its headers or labels:"
        ' at.D = { metric = "growth", period = 2021 }.',
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        untold = [name for name in KEYS if name not in (*self.columns, *self.rows) and getattr(self, name) is None]
        if untold:
            what = f'nothing says the {untold[0]}: name it in columns or rows, or write {untold[0]} = "..."'
            raise PydanticCustomError("incomplete", "{what}", {"what": what})
        return self


KEYS: Final = ("entity", "metric", "period")


class Names(BaseModel):
    """The `[names]` tables of a sidecar: labels as printed, and our names; an empty name leaves its cells out."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    entity: dict[str, str] = Field(default_factory=dict, description="Printed label = our name.")
    metric: dict[str, str] = Field(
        default_factory=dict,
        description="Printed label = the metric of a schema. The label stands with or without its unit in brackets.",
    )
    period: dict[str, str] = Field(default_factory=dict, description='Printed label = a period, as "2019" or "2020Q1".')


class Sidecar(BaseModel):
    """What `raw/NAME.toml` says of its raw file. Every key is optional; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    title: str | None = Field(default=None, description="The title of the source.")
    publisher: str | None = Field(default=None, description="Who published it.")
    published: DateOrText | None = Field(default=None, description="When it was published.")
    accessed: DateOrText | None = Field(default=None, description="When it was looked at.")
    url: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = Field(default=None, description="Where it stands.")
    licence: str | None = Field(default=None, description="Under which terms it may be used.")
    note: str | None = Field(default=None, description="Anything else that a reader should know.")
    rounding: Literal["nearest", "truncation"] = Field(
        default="nearest", description="How the source shortens its numbers."
    )
    trust: Annotated[float, BeforeValidator(_as_number, json_schema_input_type=float), Field(gt=0)] = Field(
        default=1.0,
        description="How much its figures are trusted against those of others: above 0, inf for without doubt.",
    )
    table: Name | None = Field(
        default=None, description="The table of the schema that its figures belong to, where several declare a metric."
    )
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = Field(
        default=None, description="The currency of signs of several currencies, as $, ¥ and 元 (ISO 4217)."
    )
    scale: str | None = Field(default=None, description='The scale of the whole table, as "million" or "亿".')
    unit: str | None = Field(
        default=None,
        description='What the whole table says of unit and scale, as printed: "RMB in millions", "单位：万辆".',
    )
    decimals: Annotated[int, Field(ge=-30, le=30)] | None = Field(
        default=None, description="Places of the last exact digit of all figures: 1 to the tenth, -6 to the million."
    )
    decimal_comma: bool = Field(default=False, description="Whether a comma stands before the decimals: 1.234,5.")
    restates: bool = Field(default=False, description="Whether the figures restate earlier ones.")
    vintage: str | None = Field(default=None, description="Which edition of the figures this is.")
    fiscal_year_end: Annotated[str, Field(pattern=r"^\d\d-\d\d$"), AfterValidator(_month_and_day)] | None = Field(
        default=None, description='The last day of the fiscal year, as "03-31".'
    )
    separator: Literal[",", ";", "\t", "|"] | None = Field(
        default=None, description="What separates the cells of a text table."
    )
    sheet: str | int | None = Field(
        default=None,
        description="The sheet of a workbook by its name; of an HTML page, the table by its number from 1.",
    )
    columns: dict[str, str] = Field(
        default_factory=dict, description="Our column = the header of the raw file, for tables of one figure a row."
    )
    layout: Annotated[list[Layout] | None, BeforeValidator(_as_list, json_schema_input_type=Layout | list[Layout])] = (
        Field(
            default=None,
            description="How a wide table says whose, what and when its cells are; several, as [[layout]], for several"
            " areas.",
        )
    )
    names: Names = Field(
        default_factory=Names,
        description='Labels as printed, and our names for them; "" leaves the cells of a label out.',
    )
    captions: dict[str, str] = Field(
        default_factory=dict,
        description='Metric = what is to be taken for the caption of its cells, as "percent" or "RMB per share".',
    )
    fx: Translation | None = Field(default=None, description="How the source converted one currency into another.")
    identifiers: dict[str, dict[str, str]] = Field(
        default_factory=dict,
        description='Codes of entities for identifier columns: [identifiers."SAIC Motor"] stock_code = "600104".',
    )

    @model_validator(mode="after")
    def _is_one_form(self) -> Self:
        if self.layout and self.columns:
            what = "[columns] is of tables of one figure a row, [layout] of wide ones: leave one of them out"
            raise PydanticCustomError("incomplete", what)
        return self


EXPECTATIONS: Final = {
    "url": "it must start with http:// or https:// and hold no spaces",
    "table": "it must be the name of a schema class or its snake_case form: letters, digits and _",
    "currency": 'it must be an ISO 4217 code in capitals, as "CNY"',
    "trust": "it must be a number above 0, or inf",
    "fiscal_year_end": 'it must be a day of the year as "MM-DD", as "03-31"',
    "start": "it must be a date as 2020-03-31",
    "end": "it must be a date as 2020-03-31",
    "rate": 'it must be a number above 0, best in quotes so that no digit is lost: "6.9695"',
    "cells": 'it must be an area of the table, as "A3:H20", or its first cell, as "A3"',
}


def read_sidecar(path: Path) -> Sidecar:
    """Read one sidecar; `ProjectError` `sidecar_invalid` lists every problem, with its line where found."""
    return read_toml(path, Sidecar, "sidecar_invalid", EXPECTATIONS)
