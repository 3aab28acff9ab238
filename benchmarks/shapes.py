"""The shapes in which figures of generated projects are printed, and the names of companies: data from TOML.

In: `shapes.toml` and `names.toml`, beside this file. Out: `Shapes`, one entry for each shape, and its pools: the shapes
that a kind of figure takes in a language.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "zh")
EXACT, ABOUT, ABOVE, BELOW = range(4)
HEDGES = {"about": ABOUT, "above": ABOVE, "below": BELOW}
HEDGED = 0.1
"""How much of the weight of an entry its hedged shapes take."""
SCRAMBLE = 1_000_003
"""A prime that divides no product of the lists of names: neighbours in number share no name."""


@dataclass(frozen=True)
class Pool:
    """The shapes from `first` on, and the share of draws that takes one of the first so many of them."""

    first: int
    cumulative: np.ndarray

    def drawn(self, draws: np.ndarray) -> np.ndarray:
        """The shape for each number between 0 and 1."""
        return self.first + np.searchsorted(self.cumulative, draws, side="right").clip(max=len(self.cumulative) - 1)


@dataclass(frozen=True)
class Shapes:
    """What is printed before and after the digits of each shape, and how its number is rounded."""

    before: pl.Series
    after: pl.Series
    scale: np.ndarray
    decimals: np.ndarray
    grouped: np.ndarray
    hedge: np.ndarray
    pools: dict[tuple[str, str], Pool]


@cache
def shapes() -> Shapes:
    """All shapes, those of long files by kind, those of wide ones by `wide METRIC` and `wide METRIC fall`."""
    told = tomllib.loads((FOLDER / "shapes.toml").read_text(encoding="utf-8"))
    pools: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for entry in told["shape"]:
        pools.setdefault((entry["kind"], entry["language"]), []).extend(_variants(entry, told["hedges"]))
    for label in told["label"]:
        plain = {**label, "before": "", "after": "", "hedge": EXACT, "weight": 1.0}
        fall = dict(zip(("before", "after"), label.get("fall", ("", "")), strict=True))
        pools["wide " + label["metric"], label["language"]] = [plain]
        pools[f"wide {label['metric']} fall", label["language"]] = [plain | fall]
    rows = [row for pool in pools.values() for row in pool]
    firsts = np.cumsum([0, *(len(pool) for pool in pools.values())])
    return Shapes(
        before=pl.Series([row["before"] for row in rows]),
        after=pl.Series([row["after"] for row in rows]),
        scale=np.array([row["scale"] for row in rows]),
        decimals=np.array([row["decimals"] for row in rows]),
        grouped=np.array([row.get("grouped", False) for row in rows]),
        hedge=np.array([row["hedge"] for row in rows]),
        pools={key: _pool(int(first), pools[key]) for key, first in zip(pools, firsts, strict=False)},
    )


def _variants(entry: dict[str, Any], hedges: dict[str, dict[str, list[str]]]) -> list[dict[str, Any]]:
    sides = [(before, after) for before in entry.get("before", [""]) for after in entry.get("after", [""])]
    words = [("", EXACT)]
    if entry.get("hedged"):
        words += [(word, HEDGES[kind]) for kind, all_of in hedges[entry["language"]].items() for word in all_of]
    weight = entry.get("weight", 1)
    hedged = weight * HEDGED / (len(words) - 1 or 1)
    plain = weight * (1 - HEDGED if len(words) > 1 else 1)
    return [
        {
            **entry,
            "before": word + before,
            "after": after,
            "hedge": hedge,
            "weight": (plain if hedge == EXACT else hedged) / len(sides),
        }
        for word, hedge in words
        for before, after in sides
    ]


def _pool(first: int, rows: list[dict[str, Any]]) -> Pool:
    weights = np.cumsum([row["weight"] for row in rows])
    return Pool(first, weights / weights[-1])


@cache
def labels() -> dict[tuple[str, str], tuple[str, str]]:
    """What a metric is called in a language, and the unit of its bare numbers in wide tables."""
    told = tomllib.loads((FOLDER / "shapes.toml").read_text(encoding="utf-8"))
    return {(label["metric"], label["language"]): (label["text"], label["unit"]) for label in told["label"]}


@cache
def headers() -> list[list[str]]:
    """What the columns of long files are called, in turn."""
    told = tomllib.loads((FOLDER / "shapes.toml").read_text(encoding="utf-8"))
    return [header["names"] for header in told["header"]]


@cache
def _name_parts() -> dict[str, tuple[str, list[pl.Series]]]:
    told = tomllib.loads((FOLDER / "names.toml").read_text(encoding="utf-8"))
    return {language: (of["join"], [pl.Series(part) for part in of["parts"]]) for language, of in told.items()}


def names(companies: np.ndarray, language: str) -> pl.Series:
    """The name of each company in a language: another one for each number."""
    join, parts = _name_parts()[language]
    many = math.prod(map(len, parts))
    rest, lap = companies * SCRAMBLE % many, companies // many
    words: list[pl.Series] = []
    for part in reversed(parts):
        words.insert(0, part.gather(rest % len(part)))
        rest = rest // len(part)
    # The lists run out beyond some million companies: then a numeral is the last word.
    again = pl.Series(lap + 1).cast(pl.String)
    return pl.select(
        pl.concat_str(*words, separator=join) + pl.when(pl.Series(lap > 0)).then(" " + again).otherwise(pl.lit(""))
    ).to_series()
