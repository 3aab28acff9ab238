"""TOML files that people write by hand, read into a model: every slip at once, with its line and the nearest right key.

In: a file and a frozen pydantic model that forbids unknown keys. Out: the model, or one `ProjectError`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from zhiji_etl.errors import ProjectError
from zhiji_etl.sources.names import nearest, safe_terminal

SIZE_LIMIT: Final = 1 << 20
"""Bytes of a file: it is written by hand, so more is a mistake or an attack."""

NO_TOML: Final = "This is not TOML; texts stand in double quotes."
WHOLE: Final = frozenset({"incomplete"})
"""Types of problems that are of a table and of no single value in it."""

Model = TypeVar("Model", bound=BaseModel)


def read_toml(path: Path, model: type[Model], code: str, expectations: Mapping[str, str]) -> Model:
    """The file as a model; `ProjectError` with `code` lists every problem by line.

    `expectations` says by the name of a key what its value must be, where pydantic's own words do not help.
    """
    name = str(Path(path.parent.name, path.name))
    try:
        text = _text(path)
        return model.model_validate(tomllib.loads(text, parse_float=Decimal))
    except ValidationError as error:
        slips = _Slips(text, model.model_json_schema(), expectations)
        problems = sorted(error.errors(include_url=False), key=slips.line)
        raise _invalid(name, code, [slips.sentence(one) for one in problems], slips.hint(problems)) from None
    except _FileError as error:
        raise _invalid(name, code, [str(error)], error.hint) from None
    except (ValueError, RecursionError) as error:
        twice = "overwrite" in str(error) or "twice" in str(error)
        hint = "A key or a table stands twice; several tables of one name are each written as [[layout]]."
        raise _invalid(name, code, [str(error)], hint if twice else NO_TOML) from None


def known_keys(schema: Mapping[str, Any], table: list[str]) -> list[str]:
    """The keys that a JSON Schema allows in the table at a path; empty where any key may stand."""
    nodes = [schema]
    for key in table:
        nodes = [below for node in nodes for below in _below(_alternatives(schema, node), key)]
    return [key for node in nodes for part in _alternatives(schema, node) for key in part.get("properties", {})]


# -------------------------------------------------------------------------------------------------------- helpers


class _FileError(ValueError):
    def __init__(self, what: str, hint: str) -> None:
        self.hint = hint
        super().__init__(what)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise _FileError(f"cannot be opened ({error.strerror})", "Check the permissions of the file.") from None
    if len(content) > SIZE_LIMIT:
        raise _FileError(f"is larger than {SIZE_LIMIT:,} bytes", "Such a file holds a few lines.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _FileError(f"line {line}: is not UTF-8", "Save the file as UTF-8.") from None


def _invalid(name: str, code: str, problems: list[str], hint: str | None) -> ProjectError:
    return ProjectError(code, "\n".join(safe_terminal(f"{name} {problem}") for problem in problems), hint=hint)


class _Slips:
    """The words for what is wrong in one file."""

    def __init__(self, text: str, schema: Mapping[str, Any], expectations: Mapping[str, str]) -> None:
        self.lines = list(_assignments(text))
        self.schema = schema
        self.expectations = expectations

    def line(self, problem: ErrorDetails) -> int:
        """The line of a key, 0 where it cannot be found: tomllib keeps no positions, so the lines are searched."""
        keys = [str(part) for part in problem["loc"]]
        forms = (keys, [key for key in keys if not key.isdecimal()], keys[:-1])
        return next((number for form in forms for number, found in self.lines if found == form and form), 0)

    def sentence(self, problem: ErrorDetails) -> str:
        """One problem: its line, its key, and what was expected."""
        keys = [str(part) for part in problem["loc"]]
        key = ".".join(part for part in keys if not part.isdecimal())
        line = self.line(problem)
        place = f"line {line}: " if line else ""
        if problem["type"] == "extra_forbidden":
            near = nearest(keys[-1], known_keys(self.schema, keys[:-1]))
            return f"{place}unknown key '{key}'" + (f", did you mean '{near}'?" if near else "")
        if problem["type"] in WHOLE:
            # The input is all of a table: its sentence says what is wrong with it, and what to do.
            return f"{place}[{key}]: {problem['msg']}" if key else f"{place}{problem['msg']}"
        found = problem["input"]
        shown = found if isinstance(found, Decimal) else repr(found)
        return f"{place}'{key}' is {str(shown)[:80]}: {self._expectation(problem)}"

    def hint(self, problems: list[ErrorDetails]) -> str | None:
        """What to do: the keys that there are, where a key is wrong; null where the sentences say it."""
        if any(problem["loc"][:1] == ("identifiers",) for problem in problems):
            return 'Identifiers are texts, so that leading zeros stay: stock_code = "600104".'
        wrong = next((problem for problem in problems if problem["type"] == "extra_forbidden"), None)
        if wrong:
            table = [str(part) for part in wrong["loc"][:-1]]
            return f"Known keys: {', '.join(known_keys(self.schema, table))}."
        whole = all(problem["type"] in WHOLE for problem in problems)
        return None if whole else "Correct the value, or leave the key out."

    def _expectation(self, problem: ErrorDetails) -> str:
        last = next((str(part) for part in reversed(problem["loc"]) if not isinstance(part, int)), "")
        return self.expectations.get(last) or f"{problem['msg'][:1].lower()}{problem['msg'][1:]}"


def _alternatives(schema: Mapping[str, Any], node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The nodes that a node stands for: what it refers to, or each of its alternatives."""
    if "$ref" in node:
        return _alternatives(schema, schema["$defs"][node["$ref"].rpartition("/")[2]])
    if "anyOf" in node:
        return [part for one in node["anyOf"] for part in _alternatives(schema, one)]
    return [node]


def _below(nodes: list[Mapping[str, Any]], key: str) -> Iterator[Mapping[str, Any]]:
    for node in nodes:
        if key in node.get("properties", {}):
            yield node["properties"][key]
        elif key.isdecimal() and "items" in node:
            yield node["items"]
        elif isinstance(node.get("additionalProperties"), dict):
            yield node["additionalProperties"]


def _assignments(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line, path of keys) of each table and key; the tables of an array are numbered from 0."""
    header: list[str] = []
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if array := re.match(r"\s*\[\[([^\[\]]+)\]\]", line):
            counts[array[1]] = counts.get(array[1], -1) + 1
            header = [*_parts(array[1]), str(counts[array[1]])]
            yield number, header
        elif table := re.match(r"\s*\[([^\[\]]+)\]", line):
            header = _parts(table[1])
            yield number, header
        elif key := re.match(rf"\s*({KEY}(?:\s*\.\s*{KEY})*)\s*=", line):
            yield number, header + _parts(key[1])


KEY: Final = r"""(?:"[^"]*"|'[^']*'|[\w-]+)"""


def _parts(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in re.findall(KEY, dotted)]
