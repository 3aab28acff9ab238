"""Series: the daily rates of any pair of currencies that a layer of quotes can tie together.

In: quotes of one layer. Out: for a pair, a frame of `SERIES_COLUMNS`, one quoted day a row, sorted. A pair that nobody
quotes is crossed through others on the days that all are quoted: through the fewest, EUR before USD before the rest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, reduce
from itertools import pairwise
from typing import Final

import polars as pl

from zhiji_etl.rates.quotes import MAX_AGE, QUOTE_COLUMNS

SERIES_COLUMNS: Final[dict[str, pl.DataType]] = {
    "date": pl.Date(),
    "rate": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
}
"""The rate of a day, and the bounds that follow from the printed digits of each quote it is made of."""

Pair = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Layer:
    """Quotes that belong together; a pair answered by one layer is answered by it alone."""

    quotes: pl.DataFrame

    @cached_property
    def quoted(self) -> dict[Pair, pl.DataFrame]:
        """The quotes of each pair, in the direction in which they are quoted, by date."""
        parts = self.quotes.sort("date").partition_by("base", "quote", as_dict=True)
        return {(str(base), str(quote)): part for (base, quote), part in parts.items()}

    @cached_property
    def currencies(self) -> frozenset[str]:
        """Every currency that is quoted."""
        return frozenset(code for pair in self.quoted for code in pair)

    def legs(self, base: str, quote: str) -> list[Pair]:
        """The quoted pairs, as quoted, that lead from one currency to the other; empty where none do."""
        path = self._path(base, quote)
        return [leg if leg in self.quoted else (leg[1], leg[0]) for leg in pairwise(path)]

    def series(self, base: str, quote: str) -> pl.DataFrame:
        """The rates of 1 `base` in `quote`, as `SERIES_COLUMNS`; no rows where no quotes tie the two together."""
        if (base, quote) not in self._series:
            self._series[base, quote] = self._crossed_series(base, quote)
        return self._series[base, quote]

    @cached_property
    def _series(self) -> dict[Pair, pl.DataFrame]:
        """The series asked for so far."""
        return {}

    def _crossed_series(self, base: str, quote: str) -> pl.DataFrame:
        path = self._path(base, quote)
        legs = [self._leg(*leg) for leg in pairwise(path)]
        return reduce(_crossed, legs) if legs else pl.DataFrame(schema=SERIES_COLUMNS)

    def origin(self, base: str, quote: str) -> str:
        """The sources of the quotes behind a pair."""
        names = [
            name for leg in self.legs(base, quote) for name in self.quoted[leg]["source"].unique(maintain_order=True)
        ]
        return "; ".join(dict.fromkeys(names))

    def between(self, base: str, quote: str, start: date, end: date) -> pl.DataFrame:
        """The quotes that decide the rates of a pair from `start` to `end`, those carried into it included."""
        held = pl.col("date").is_between(start - timedelta(days=MAX_AGE), end)
        return pl.concat([self.quoted[leg].filter(held) for leg in self.legs(base, quote)])

    def numbered(self, number: int) -> Layer:
        """The layer with its quotes marked with that number."""
        if (self.quotes["layer"] == number).all():
            return self
        return Layer(self.quotes.with_columns(layer=pl.lit(number, pl.UInt32)))

    def _leg(self, base: str, quote: str) -> pl.DataFrame:
        if (base, quote) in self.quoted:
            return self.quoted[base, quote].select(_bounded())
        return (
            self.quoted[quote, base]
            .select(_bounded())
            .select("date", rate=1 / pl.col("rate"), low=1 / pl.col("high"), high=1 / pl.col("low"))
        )

    @cached_property
    def _neighbours(self) -> dict[str, list[str]]:
        ties: dict[str, set[str]] = {code: set() for code in self.currencies}
        for base, quote in self.quoted:
            ties[base].add(quote)
            ties[quote].add(base)
        return {code: sorted(codes, key=_preference) for code, codes in ties.items()}

    def _path(self, base: str, quote: str) -> list[str]:
        """The shortest way from one currency to the other, by breadth-first search."""
        came_from: dict[str, str] = {base: ""}
        waiting = deque([base] if base in self.currencies else [])
        while waiting and quote not in came_from:
            here = waiting.popleft()
            for code in self._neighbours[here]:
                if code not in came_from:
                    came_from[code] = here
                    waiting.append(code)
        path = [quote] if quote in came_from else []
        while path and came_from[path[-1]]:
            path.append(came_from[path[-1]])
        return path[::-1]


def pooled(layers: Iterable[Layer]) -> Layer:
    """All layers as one, for the pairs that none ties together alone: of each pair the first layer that quotes it."""
    chosen: dict[frozenset[str], pl.DataFrame] = {}
    for layer in layers:
        own = {frozenset(pair) for pair in layer.quoted} - chosen.keys()
        for pair, quotes in layer.quoted.items():
            if frozenset(pair) in own:
                known = chosen.get(frozenset(pair))
                chosen[frozenset(pair)] = quotes if known is None else pl.concat([known, quotes])
    return Layer(pl.concat(chosen.values()) if chosen else pl.DataFrame(schema=QUOTE_COLUMNS))


# --- Helpers ----------------------------------------------------------------------------------------------------------


def _preference(code: str) -> tuple[int, str]:
    return ({"EUR": 0, "USD": 1}.get(code, 2), code)


def _bounded() -> list[pl.Expr]:
    value, half_step = pl.col("rate").cast(pl.Float64), pl.col("step") / 2
    return [pl.col("date"), value.alias("rate"), (value - half_step).alias("low"), (value + half_step).alias("high")]


def _crossed(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """The product of two legs on the days that both are quoted; both are positive, so are their bounds."""
    both = first.join(second, on="date", how="inner", suffix="_2", maintain_order="left")
    return both.select("date", *(pl.col(name) * pl.col(f"{name}_2") for name in ("rate", "low", "high")))
