"""The project file `zhiji.toml`, and the JSON Schemas of the files that people write by hand.

In: a TOML file. Out: its settings as given. The schemas are files of this package, which editors can complete from;
they are made from the models that read the files (`json_schema`), and the tests hold them equal.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from zhiji_etl.choices import Published
from zhiji_etl.sources.sidecar import Sidecar
from zhiji_etl.sources.toml import read_toml


class Settings(BaseModel):
    """What belongs to a project as a whole. Every key is optional; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str | None = Field(default=None, description="The name of the project.")
    rates: list[str] = Field(
        default_factory=list,
        description="Files of exchange rates, from the project folder; the first one that has a rate is taken.",
    )


MODELS: Final[dict[Published, type[BaseModel]]] = {Published.SIDECAR: Sidecar, Published.PROJECT: Settings}
"""What reads the files that people write by hand."""

TITLES: Final = {Published.SIDECAR: "A sidecar: raw/NAME.toml", Published.PROJECT: "The project file: zhiji.toml"}


def read_settings(path: Path) -> dict[str, Any]:
    """The keys that a project file gives, none where there is no file.

    Raises `ProjectError` (`project_invalid`) with every slip, its line and the nearest right key.
    """
    if not path.is_file():
        return {}
    expectations = {"rates": 'it must be a list of file names, as ["rates.csv"]'}
    return read_toml(path, Settings, "project_invalid", expectations).model_dump(exclude_unset=True)


def schema_text(file: Published) -> str:
    """The JSON Schema of a file as this package publishes it."""
    return Path(__file__).with_name(schema_name(file)).read_text(encoding="utf-8")


def schema_name(file: Published) -> str:
    """The name of the file of a schema.

    >>> schema_name(Published.SIDECAR)
    'sidecar.schema.json'
    """
    return f"{file}.schema.json"


def json_schema(file: Published) -> str:
    """The JSON Schema of one of MODELS, made anew from the model that reads it."""
    made = MODELS[file].model_json_schema()
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": TITLES[file]}
    return json.dumps(_plain(made), ensure_ascii=False, indent=2) + "\n"


def _plain(node: Any) -> Any:
    """Without the titles that only repeat a key, and without null, which TOML does not have."""
    if isinstance(node, list):
        return [_plain(one) for one in node]
    if not isinstance(node, dict):
        return node
    renamed = {"exclusiveMinimum" if key == "gt" else key: value for key, value in node.items()}
    kept = {key: _plain(value) for key, value in renamed.items() if not (key == "title" and isinstance(value, str))}
    if "title" in node and "$schema" in node:
        kept["title"] = node["title"]
    options = [one for one in kept.get("anyOf", []) if one != {"type": "null"}]
    if len(options) == 1:
        kept = {**{key: value for key, value in kept.items() if key != "anyOf"}, **options[0]}
    elif options:
        kept["anyOf"] = options
    return {key: value for key, value in kept.items() if not (key == "default" and value is None)}
