"""What a unit measures: its dimension, and the exact factor into base units, remembered between runs.

Pint and its definitions take a quarter of a second to load, and say the same of the same unit each time. So what it
has said is kept as lines of one file in the user's cache folder, `units-SHA256.jsonl`; the name changes with Pint and
with what this library defines. A run whose units all stand there does without Pint.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from fractions import Fraction
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

from platformdirs import user_cache_path

from zhiji_etl.units import registry

REMEMBERED: Final = 10_000
"""Units kept between runs at most: raw files can hold any number of them."""


class Dimension(NamedTuple):
    """The powers of base dimensions: `[CNY]` 1 and `[vehicle]` -1. None at all is dimensionless, as percent is."""

    powers: Mapping[str, Fraction]

    def times(self, other: Dimension, sign: int) -> Dimension:
        """The dimension of a product, where `sign` is 1, or of a ratio, where it is -1."""
        names = (*self.powers, *(name for name in other.powers if name not in self.powers))
        powers = {name: self.powers.get(name, 0) + sign * other.powers.get(name, Fraction()) for name in names}
        return Dimension({name: Fraction(power) for name, power in powers.items() if power})


class Measure(NamedTuple):
    """What a unit measures, and the exact number that turns a value in it into base units: 1/100 for percent."""

    dimension: Dimension
    factor: Fraction


def measure(unit: str) -> Measure:
    """What a unit measures, as remembered, else from Pint. Raises `UnitError` (`unit_unknown`)."""
    known = _remembered()
    if unit not in known:
        powers, factor = registry.measured(unit)
        known[unit] = Measure(Dimension(powers), factor)
        if len(known) <= REMEMBERED:
            _remember(unit, known[unit])
    return known[unit]


def dimension(unit: str) -> Dimension:
    """The dimension of a unit. Raises `UnitError` (`unit_unknown`)."""
    return measure(unit).dimension


def is_own(unit: str) -> bool:
    """Whether a unit is a dimension of its own, as currencies and counted nouns are."""
    return dimension(unit).powers == {f"[{unit}]": 1}


def in_words(dimension: Dimension) -> str:
    """A dimension as Pint writes it: `[CNY] / [vehicle]`, or `dimensionless`."""
    from pint.util import UnitsContainer

    whole = {name: int(power) if power.denominator == 1 else float(power) for name, power in dimension.powers.items()}
    return str(UnitsContainer(whole))


# -------------------------------------------------------------------------------------------------------- helpers


@lru_cache(maxsize=1)
def _remembered() -> dict[str, Measure]:
    """All units that are remembered; a line that was cut off is passed over."""
    try:
        lines = _file().read_text(encoding="utf-8").splitlines()
    except (OSError, RuntimeError, ValueError):
        return {}
    found = {}
    for line in lines:
        with suppress(ValueError, TypeError, AttributeError):
            unit, powers, factor = json.loads(line)
            exact = {name: Fraction(power) for name, power in powers.items()}
            found[unit] = Measure(Dimension(exact), Fraction(factor))
    return found


def _remember(unit: str, known: Measure) -> None:
    """Add one line; where nothing can be written, Pint is asked again the next time."""
    powers = {name: str(power) for name, power in known.dimension.powers.items()}
    line = json.dumps([unit, powers, str(known.factor)])
    with suppress(OSError, RuntimeError):
        _file().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _file().open("a", encoding="utf-8") as kept:
            kept.write(f"{line}\n")


@lru_cache(maxsize=1)
def _file() -> Path:
    decisive = f"{version('pint')}\n{Path(registry.__file__).read_text(encoding='utf-8')}"
    name = f"units-{sha256(decisive.encode()).hexdigest()[:16]}.jsonl"
    return user_cache_path("zhiji_etl", appauthor=False) / name
