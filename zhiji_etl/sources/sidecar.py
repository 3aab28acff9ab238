"""A sidecar `raw/NAME.toml`: who printed the figures of `raw/NAME.csv`, and how they are to be read.

In: a TOML file. Out: a frozen `Sidecar`; every problem of the file at once as one `ProjectError` (`sidecar_invalid`).
`currency` is an ISO 4217 code, `scale` a scale word, `unit` a unit; `decimals` counts the places of the last exact
digit (-6: millions); the rate of `[fx]` is quoted as markets do: CNY for one USD, whichever is converted.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from zhiji_etl.errors import ProjectError
from zhiji_etl.sources.names import nearest, safe_terminal

SIZE_LIMIT = 1 << 20
"""Bytes of a sidecar: it is written by hand, so more is a mistake or an attack."""


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


DateOrText = Annotated[str, BeforeValidator(_as_text)]
Day = Annotated[date, BeforeValidator(_as_date)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Translation(BaseModel):
    """The `[fx]` table of a sidecar: how the source itself converted one currency into another."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    method: str | None = None
    start: Day | None = None
    end: Day | None = None
    rate: Annotated[Decimal, BeforeValidator(_as_rate), Field(gt=0, allow_inf_nan=False)] | None = None

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


class Sidecar(BaseModel):
    """What `raw/NAME.toml` says of its raw file. Every key is optional; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    title: str | None = None
    publisher: str | None = None
    published: DateOrText | None = None
    accessed: DateOrText | None = None
    url: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None
    licence: str | None = None
    note: str | None = None
    rounding: Literal["nearest", "truncation"] = "nearest"
    trust: Annotated[float, BeforeValidator(_as_number), Field(gt=0)] = 1.0
    table: Name | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    scale: str | None = None
    unit: str | None = None
    decimals: Annotated[int, Field(ge=-30, le=30)] | None = None
    decimal_comma: bool = False
    restates: bool = False
    vintage: str | None = None
    fiscal_year_end: Annotated[str, Field(pattern=r"^\d\d-\d\d$"), AfterValidator(_month_and_day)] | None = None
    separator: Literal[",", ";", "\t", "|"] | None = None
    sheet: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    fx: Translation | None = None
    identifiers: dict[str, dict[str, str]] = Field(default_factory=dict)


def read_sidecar(path: Path) -> Sidecar:
    """Read one sidecar; `ProjectError` `sidecar_invalid` lists every problem, with its line where found."""
    text = _text(path)
    try:
        return Sidecar.model_validate(tomllib.loads(text, parse_float=Decimal))
    except ValidationError as error:
        problems = sorted(error.errors(include_url=False), key=lambda problem: _line(text, problem))
        raise _invalid(path, [_sentence(problem, text) for problem in problems], _hint(problems)) from None
    except (ValueError, RecursionError) as error:
        raise _invalid(path, [str(error)], "This is not TOML; texts stand in double quotes.") from None


# -------------------------------------------------------------------------------------------------------- helpers


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise _invalid(path, [f"cannot be opened ({error.strerror})"], "Check the permissions of the file.") from None
    if len(content) > SIZE_LIMIT:
        raise _invalid(path, [f"is larger than {SIZE_LIMIT:,} bytes"], "A sidecar holds a few lines about a source.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _invalid(path, [f"line {line}: is not UTF-8"], "Save the file as UTF-8.") from None


def _invalid(path: Path, problems: list[str], hint: str | None) -> ProjectError:
    name = f"{path.parent.name}/{path.name}"
    return ProjectError("sidecar_invalid", "\n".join(safe_terminal(f"{name} {p}") for p in problems), hint=hint)


def _sentence(problem: ErrorDetails, text: str) -> str:
    keys = [str(part) for part in problem["loc"]]
    place = _place(text, problem)
    key = ".".join(keys)
    if problem["type"] == "extra_forbidden":
        near = nearest(keys[-1], _known(keys[:-1]))
        return f"{place}unknown key '{key}'" + (f", did you mean '{near}'?" if near else "")
    found = problem["input"]
    shown = found if isinstance(found, Decimal) else repr(found)
    return f"{place}'{key}' is {str(shown)[:80]}: {_expectation(problem)}"


def _expectation(problem: ErrorDetails) -> str:
    last = str(problem["loc"][-1])
    return EXPECTATIONS.get(last) or f"{problem['msg'][:1].lower()}{problem['msg'][1:]}"


EXPECTATIONS = {
    "url": "it must start with http:// or https:// and hold no spaces",
    "table": "it must be the name of a schema class or its snake_case form: letters, digits and _",
    "currency": 'it must be an ISO 4217 code in capitals, as "CNY"',
    "trust": "it must be a number above 0, or inf",
    "fiscal_year_end": 'it must be a day of the year as "MM-DD", as "03-31"',
    "start": "it must be a date as 2020-03-31",
    "end": "it must be a date as 2020-03-31",
    "rate": 'it must be a number above 0, best in quotes so that no digit is lost: "6.9695"',
}


def _hint(problems: list[ErrorDetails]) -> str:
    if any(problem["loc"][0] == "identifiers" for problem in problems):
        return 'Identifiers are texts, so that leading zeros stay: stock_code = "600104".'
    if any(problem["type"] == "extra_forbidden" for problem in problems):
        return f"Known keys: {', '.join(Sidecar.model_fields)}."
    return "Correct the value, or leave the key out."


def _known(table: list[str]) -> list[str]:
    return list(Translation.model_fields) if table == ["fx"] else list(Sidecar.model_fields)


def _place(text: str, problem: ErrorDetails) -> str:
    line = _line(text, problem)
    return f"line {line}: " if line else ""


def _line(text: str, problem: ErrorDetails) -> int:
    """The line of a key, 0 where it cannot be found: tomllib keeps no positions, so the lines are searched."""
    keys = [str(part) for part in problem["loc"]]
    return next((number for number, found in _assignments(text) if found == keys), 0)


def _assignments(text: str) -> Iterator[tuple[int, list[str]]]:
    header: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if table := re.match(r"\s*\[([^\[\]]+)\]", line):
            header = _parts(table[1])
            yield number, header
        elif key := re.match(rf"\s*({KEY}(?:\s*\.\s*{KEY})*)\s*=", line):
            yield number, header + _parts(key[1])


KEY = r"""(?:"[^"]*"|'[^']*'|[\w-]+)"""


def _parts(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in re.findall(KEY, dotted)]
