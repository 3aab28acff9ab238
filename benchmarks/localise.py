"""Localisation with loops: regions by products, summed both ways, one figure planted wrong; seconds a table.

`python benchmarks/localise.py --sides 3 5 8` also times the rational simplex with and without HiGHS' basis.
"""

from __future__ import annotations

import argparse
import random
import time
from unittest import mock

from benchmarks.record import Measure, in_turn
from zhiji_etl.consistency.exact import programs
from zhiji_etl.consistency.exact.linear import Bounds, Linear, balance, bounds
from zhiji_etl.consistency.exact.localise import localise


def table(side: int, seed: int = 5) -> tuple[list[Linear], dict[str, Bounds], str]:
    """Cells, row and column totals and the grand total, printed rounded to tens; the name of the wrong cell."""
    dice = random.Random(seed)
    cells = {(i, j): dice.randint(100, 9999) for i in range(side) for j in range(side)}
    values = {f"c{i}_{j}": v for (i, j), v in cells.items()}
    values |= {f"row{i}": sum(cells[i, j] for j in range(side)) for i in range(side)}
    values |= {f"column{j}": sum(cells[i, j] for i in range(side)) for j in range(side)}
    values["all"] = sum(cells.values())
    rules = [balance(f"row{i}", [f"c{i}_{j}" for j in range(side)], f"row{i}") for i in range(side)]
    rules += [balance(f"column{j}", [f"c{i}_{j}" for i in range(side)], f"column{j}") for j in range(side)]
    rules += [balance(f"all_{way}", [f"{way}{i}" for i in range(side)], "all") for way in ("row", "column")]
    printed = {name: round(value, -1) for name, value in values.items()}
    wrong = dice.choice(sorted(printed))
    printed[wrong] += 900
    return rules, {name: bounds(v - 5, v + 5) for name, v in printed.items()}, wrong


def timed(side: int, large: int) -> str:
    rules, box, wrong = table(side)
    with mock.patch.object(programs, "LARGE", large):
        start = time.perf_counter()
        found = localise(rules, box)
    sets = len(found.minimal_sets)
    return f"{time.perf_counter() - start:.3f} s, {sets} set(s), the true one listed: {(wrong,) in found.minimal_sets}"


def measures(small: bool) -> list[Measure]:
    """As the library localises, large tables from the basis of HiGHS, beside the rational simplex alone."""
    return [_measure(side) for side in ((3,) if small else (3, 5, 8))]


def _measure(side: int) -> Measure:
    rules, box, wrong = table(side)
    found: list[object] = []

    def solve(large: int) -> None:
        """Tables from so many figures on are solved from the basis of HiGHS."""
        with mock.patch.object(programs, "LARGE", large):
            found.append((wrong,) in localise(rules, box).minimal_sets)

    ours, theirs = in_turn([lambda: solve(programs.LARGE), lambda: solve(10**9)])
    told = "always" if all(found) else "NOT always"
    what = f"a table of {side} x {side} figures and their sums, one wrong"
    return Measure(what, "the rational simplex alone", ours, theirs, f"the wrong figure is {told} listed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sides", type=int, nargs="+", default=[3, 5, 8])
    for side in parser.parse_args().sides:
        print(f"{side} x {side}: without HiGHS {timed(side, 10**9)}; from its basis {timed(side, 0)}")


if __name__ == "__main__":
    main()
