"""Errors planted in generated projects: at most one a company, and each contradicts a rule.

An error that no rule can see, such as the last digits of a coarse print swapped, says nothing of whoever looks for it:
so every slip is tried first against the rules of the schema, at the bounds of `prints`, apart from the library.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.prints import AT, MARKET, METRICS, YEARS, Prints, Style, bounds, printed

MARKET_BOUNDS = (MARKET - 500, MARKET + 500)
SLACK = 1e-6
"""How far apart bounds must lie, beside their size, to be apart for certain."""
Slip = Callable[[np.ndarray, np.ndarray], np.ndarray]
LEVELS = ("sales", "revenue", "home", "abroad")
GROWTHS = ("sales_growth", "revenue_growth")
SLIPS: dict[str, tuple[tuple[str, ...], Slip]] = {
    "tenfold": (LEVELS, lambda true, _: true * 10),
    "10^4": (LEVELS, lambda true, _: true * 1e4),
    "a third more": (LEVELS, lambda true, _: true * 4 / 3),
    "digits swapped": ((*LEVELS, "share"), lambda true, _: true),
    "share misprinted": (("share",), lambda true, _: np.where(true < 10, true * 10, true / 10)),
    "growth sign turned": (GROWTHS, lambda true, _: -true),
    "segment missing": (("revenue",), lambda _, home: home),
}
"""What goes wrong: with which metrics, and what is printed in place of what is true (and of the segment at home)."""
SWAPPED = list(SLIPS).index("digits swapped")


@dataclass(frozen=True)
class Planted:
    """Errors, at most one a company: which company, METRIC, year and SLIP."""

    company: np.ndarray
    metric: np.ndarray
    year: np.ndarray
    slip: np.ndarray

    def only(self, rows: np.ndarray) -> Planted:
        """Some of them."""
        return Planted(self.company[rows], self.metric[rows], self.year[rows], self.slip[rows])


def plant(values: np.ndarray, prints: Prints, style: Style, share: float, draw: np.random.Generator) -> Planted:
    """Prints some figures wrong, in place, where a rule can see it; so many of all figures are tried."""
    tried = _drawn(len(values), share, draw)
    rows = np.arange(len(tried.company))
    cell = (rows, tried.metric, tried.year)
    wrong = values[tried.company]
    wrong[cell] = _slipped(wrong, tried)
    others = printed(wrong, style.only(tried.company))
    swapped = tried.slip == SWAPPED
    digits = others.digits[cell]
    digits[swapped] = _swapped(digits[swapped], draw)
    others.digits[cell] = digits
    seen = contradicted(*bounds(others))
    prints.put(tried.company[seen], others.only(seen))
    return tried.only(seen)


def _drawn(companies: int, share: float, draw: np.random.Generator) -> Planted:
    company = np.flatnonzero(draw.random(companies) < share * len(METRICS) * YEARS)
    slip, number = draw.integers(len(SLIPS), size=len(company)), draw.integers(1_000, size=len(company))
    choices = [[AT[metric] for metric in metrics] for metrics, _ in SLIPS.values()]
    metric = [choices[one][at % len(choices[one])] for one, at in zip(slip, number, strict=True)]
    return Planted(company, np.array(metric, np.int64), draw.integers(1, YEARS, len(company)), slip)


def _slipped(values: np.ndarray, tried: Planted) -> np.ndarray:
    rows = np.arange(len(values))
    true, home = values[rows, tried.metric, tried.year], values[rows, AT["home"], tried.year]
    return np.select(
        [tried.slip == number for number in range(len(SLIPS))], [to(true, home) for _, to in SLIPS.values()]
    )


def _swapped(digits: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """The numbers with two digits swapped that stand side by side and differ, if there are any."""

    def one(text: str) -> int:
        """One number."""
        at = [place for place in range(len(text) - 1) if text[place] != text[place + 1]]
        if not at:
            return int(text)
        place = at[draw.integers(len(at))]
        return int(text[:place] + text[place + 1] + text[place] + text[place + 2 :])

    return np.array([one(str(number)) for number in digits], np.int64)


def contradicted(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Whether some rule of the schema cannot hold, for each company."""
    bound = {metric: (low[:, at], high[:, at]) for metric, at in AT.items()}
    sales, home, abroad = bound["sales"], bound["home"], bound["abroad"]
    implied = {
        "share": (100 * sales[0] / MARKET_BOUNDS[1], 100 * sales[1] / MARKET_BOUNDS[0]),
        "revenue": (home[0] + abroad[0], home[1] + abroad[1]),
        "sales_growth": _growth_bounds(*sales),
        "revenue_growth": _growth_bounds(*bound["revenue"]),
    }
    return np.any([_apart(bound[metric], other) for metric, other in implied.items()], axis=(0, 2))


def _growth_bounds(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    least, most = np.full_like(low, -np.inf), np.full_like(high, np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        least[:, 1:], most[:, 1:] = 100 * (low[:, 1:] / high[:, :-1] - 1), 100 * (high[:, 1:] / low[:, :-1] - 1)
    # An unknown bound refutes nothing.
    return np.where(np.isnan(least), -np.inf, least), np.where(np.isnan(most), np.inf, most)


def _apart(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    slack = SLACK * (1 + np.abs(np.where(np.isfinite(one[0]), one[0], 0)))
    return (one[0] > other[1] + slack) | (other[0] > one[1] + slack)
