"""The texts of the faces in HTML and SVG: Jinja2 templates, styles and the script, kept as files beside this module.

In: the name of a file, and what a template shows. Out: text. Everything that a template shows is escaped. Templates are
kept compiled in the user's cache folder, where there is one that can be written to.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import BytecodeCache, Environment, FileSystemBytecodeCache, FunctionLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup
from platformdirs import user_cache_path


def rendered(name: str, **shown: Any) -> str:
    """A template with what it shows."""
    return _environment().get_template(name).render(**shown)


@cache
def style(name: str) -> Markup:
    """A style or a script of the library's own, as it stands in its file: it holds nothing of what is printed."""
    return Markup(_text(name))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=_compiled(),
    )
    environment.globals["own"] = style
    return environment


class _Compiled(FileSystemBytecodeCache):
    """Compiled templates in a folder; what cannot be written to it is compiled again the next time."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a compiled template."""
        with suppress(OSError):
            super().dump_bytecode(bucket)


def _compiled() -> BytecodeCache | None:
    try:
        folder = user_cache_path("zhiji_etl", appauthor=False) / "templates"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return _Compiled(str(folder))


@cache
def _text(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
