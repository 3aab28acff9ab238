"""Figures of generated projects: true numbers, how companies print them, and what a print admits.

Everything is a cube of companies, METRICS and YEARS. The bounds of a print are told in NumPy, apart from the library:
its coarsest reading, hedges included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from benchmarks.shapes import ABOUT, ABOVE, BELOW, LANGUAGES, shapes

FIRST, YEARS = 2019, 5
KINDS = {
    "sales": "count", "sales_growth": "rise", "share": "percent", "employees": "people",
    "revenue": "money", "revenue_growth": "rise", "home": "money", "abroad": "money",
}  # fmt: skip
METRICS = tuple(KINDS)
AT = {metric: number for number, metric in enumerate(METRICS)}
MARKET = 25_769_000


@dataclass(frozen=True)
class Prints:
    """The shape of each figure, its digits as a whole number, and whether it is negative."""

    which: np.ndarray
    digits: np.ndarray
    negative: np.ndarray

    def put(self, rows: np.ndarray, others: Prints) -> None:
        """Puts the figures of other companies in the place of those in these rows."""
        for name in ("which", "digits", "negative"):
            getattr(self, name)[rows] = getattr(others, name)

    def only(self, rows: np.ndarray) -> Prints:
        """The figures of some companies."""
        return Prints(self.which[rows], self.digits[rows], self.negative[rows])


@dataclass(frozen=True)
class Style:
    """How companies print: a draw between 0 and 1 for each figure, the language of each, which metrics are in wide
    files.
    """

    draws: np.ndarray
    language: np.ndarray
    wide: np.ndarray

    def only(self, rows: np.ndarray) -> Style:
        """The style of some companies."""
        return Style(self.draws[rows], self.language[rows], self.wide[rows])


def truth(companies: int, draw: np.random.Generator) -> np.ndarray:
    """The true numbers, money in yuan; growth is null (NaN) in the first year."""
    walk = np.cumprod(draw.uniform(0.8, 1.3, (2, companies, YEARS)), 2)
    sales = np.rint(draw.integers(20_000, 2_000_000, (companies, 1)) * walk[0])
    revenue = np.rint(draw.uniform(5_000, 900_000, (companies, 1)) * walk[1]) * 1e5
    home = np.rint(revenue * draw.uniform(0.3, 0.9, revenue.shape) / 1e5) * 1e5
    told = {
        "sales": sales, "sales_growth": _growth(sales), "share": 100 * sales / MARKET,
        "revenue": revenue, "revenue_growth": _growth(revenue), "home": home, "abroad": revenue - home,
        "employees": draw.integers(100, 90_000, sales.shape).astype(float),
    }  # fmt: skip
    return np.stack([told[metric] for metric in METRICS], 1)


def _growth(of: np.ndarray) -> np.ndarray:
    before = np.concatenate([np.full_like(of[:, :1], np.nan), of[:, :-1]], 1)
    return 100 * (of / before - 1)


def printed(values: np.ndarray, style: Style) -> Prints:
    """Numbers as companies print them."""
    which = _shapes_of(values, style)
    of = shapes()
    size = np.nan_to_num(np.abs(values)) / of.scale[which] * 10.0 ** of.decimals[which]
    hedge = of.hedge[which]
    whole = np.where(hedge == ABOVE, np.ceil(size) - 1, np.where(hedge == BELOW, np.floor(size) + 1, np.rint(size)))
    return Prints(which, whole.astype(np.int64), values < 0)


def _shapes_of(values: np.ndarray, style: Style) -> np.ndarray:
    which = np.zeros(values.shape, np.int64)
    pools = shapes().pools
    for number, language in enumerate(LANGUAGES):
        speaks = style.language == number
        for metric, kind in KINDS.items():
            at = AT[metric]
            narrow, wide = speaks & ~style.wide[:, at], speaks & style.wide[:, at]
            falls = values[:, at] < 0 if kind == "rise" else np.zeros(values[:, at].shape, bool)
            for rows, rises, fall in ((narrow, kind, "fall"), (wide, f"wide {metric}", f"wide {metric} fall")):
                draws = style.draws[rows, at]
                fallen = pools[fall, language].drawn(draws) if falls.any() else 0
                which[rows, at] = np.where(falls[rows], fallen, pools[rises, language].drawn(draws))
    return which


def bounds(prints: Prints) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest number behind each print, at its coarsest reading."""
    of = shapes()
    unit = of.scale[prints.which] / 10.0 ** of.decimals[prints.which]
    hedge = of.hedge[prints.which]
    zeros = np.where(of.decimals[prints.which] == 0, _zeros(prints.digits), 0)
    half = unit * 10.0**zeros / 2 * np.where(hedge == ABOUT, 10, 1)
    size = prints.digits * unit
    low = np.where(hedge == ABOVE, size, np.where(hedge == BELOW, 0, size - half))
    high = np.where(hedge == ABOVE, np.inf, np.where(hedge == BELOW, size, size + half))
    return np.where(prints.negative, -high, low), np.where(prints.negative, -low, high)


def _zeros(digits: np.ndarray) -> np.ndarray:
    """How many zeros a number ends in, with one other digit before them."""
    found = np.zeros(digits.shape, np.int64)
    for power in range(1, 18):
        found[(digits >= 10**power) & (digits % 10**power == 0)] = power
    return found


def texts(prints: Prints, known: np.ndarray) -> pl.Series:
    """What is printed, company by company, metric by metric, year by year; null where nothing is known."""
    of = shapes()
    which = prints.which.ravel()
    power = 10 ** of.decimals[which]
    digits = prints.digits.ravel()
    frame = pl.DataFrame(
        {
            "before": of.before.gather(which),
            "after": of.after.gather(which),
            "whole": pl.Series(digits // power).cast(pl.String),
            "part": pl.Series(digits % power),
            "decimals": of.decimals[which],
            "grouped": of.grouped[which],
            "known": known.ravel(),
        }
    )
    whole = pl.when("grouped").then(_grouped(pl.col("whole"))).otherwise("whole")
    part = "." + pl.col("part").cast(pl.String).str.zfill(pl.col("decimals"))
    number = whole + pl.when(pl.col("decimals") > 0).then(part).otherwise(pl.lit(""))
    return frame.select(pl.when("known").then(pl.col("before") + number + pl.col("after"))).to_series()


def _grouped(whole: pl.Expr) -> pl.Expr:
    """Whole numbers with commas between thousands."""
    head = (whole.str.len_bytes() - 1) % 3 + 1
    return whole.str.slice(0, head) + whole.str.slice(head).str.replace_all("([0-9]{3})", ",${1}")
