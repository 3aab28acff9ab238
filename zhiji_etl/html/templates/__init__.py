"""The texts of the faces in HTML and SVG: Jinja2 templates, styles and the script, kept as files beside this module.

In: the name of a file, and what a template shows. Out: text. Everything that a template shows is escaped.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup


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
        loader=FunctionLoader(_text), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["own"] = style
    return environment


@cache
def _text(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
