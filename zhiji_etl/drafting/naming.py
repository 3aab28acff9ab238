"""Names of metrics for labels as printed: the same words, a usual Chinese word for them, or one spelled nearly so.

In: a label and the metrics of a project. Out: the metric that it surely names, or one that it may name. The usual words
stand in words.toml.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from difflib import get_close_matches
from importlib.resources import files
from typing import Any, Final

from zhiji_etl.labels import split_label, without_marks

WORDS: Final[dict[str, dict[str, Any]]] = tomllib.loads(
    files(__package__).joinpath("words.toml").read_text(encoding="utf-8")
)
LIKENESS: Final = 0.6
"""How near, of 0 to 1, the spelling of a metric is that may be meant."""

_ASIDE: Final = re.compile(r"[(（\[【][^()（）\[\]【】]*[)）\]】]")
_BETWEEN: Final = re.compile(r"[\W_]+")


def own_metric(label: str, metrics: Collection[str]) -> str | None:
    """The one metric that a label names: in the same words, in one number or the other, or by a usual Chinese word.

    >>> own_metric("Vehicle sales (units)", ["vehicle_sales"]), own_metric("毛利率", ["gross_margin"])
    ('vehicle_sales', 'gross_margin')
    >>> own_metric("Total non-current assets", ["total_current_assets"]) is None
    True
    """
    short = _ASIDE.sub("", split_label(without_marks(label))[0]).strip()
    wanted = _words(short)
    found = [name for name in metrics if _words(name) == wanted or short in WORDS["metrics"].get(name, ())]
    return found[0] if len(found) == 1 else None


def near_metric(label: str, metrics: Collection[str], likeness: float = LIKENESS) -> str | None:
    """The metric whose name is spelled most like a label: a guess, which a person is to confirm."""
    short = "_".join(_words(_ASIDE.sub("", split_label(without_marks(label))[0])))
    found = get_close_matches(short, metrics, n=1, cutoff=likeness)
    return found[0] if found else None


def _words(text: str) -> list[str]:
    """The words of a name, without the s of a plural."""
    return [re.sub(r"(?<=[a-z]{3})s$", "", word) for word in _BETWEEN.split(text.casefold()) if word]
