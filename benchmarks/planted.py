"""Records of 11 figures and 5 sums with one planted error each: verdicts and all one-figure explanations, timed.

`python benchmarks/planted.py --rows 1000000`
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from zhiji_etl.consistency.linear import balance
from zhiji_etl.consistency.records import Form, propagate_records

FORM = Form(
    [
        balance("group", ["home", "abroad"], "all"),
        balance("home", ["h1", "h2"], "home"),
        balance("abroad", ["a1", "a2"], "abroad"),
        balance("first", ["x", "y"], "h1"),
        balance("second", ["v", "w"], "a1"),
    ]
)


def planted(rows: int, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Printed values [rows, 11], each rounded to tens, and the column that is wrong in each row."""
    random = np.random.default_rng(seed)
    values = {name: random.integers(10, 100_000, rows) for name in FORM.figures}
    for rule in reversed(FORM.rules):
        one, other, total = rule.figures
        values[total] = values[one] + values[other]
    printed = np.stack([np.rint(values[name] / 10) * 10 for name in FORM.figures], axis=1)
    wrong = random.integers(0, printed.shape[1], rows)
    printed[np.arange(rows), wrong] += random.choice([-9000, -900, 900, 9000], rows)
    return printed, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    printed, wrong = planted(rows)
    start = time.perf_counter()
    found = propagate_records(FORM, printed - 5, printed + 5)
    seconds = time.perf_counter() - start
    listed = found.explains[np.arange(rows), wrong]
    print(f"{rows:,} records in {seconds:.2f} s, {found.refuted.sum():,} refuted, {found.again.sum():,} in fractions")
    print(f"the true figure is listed in {listed[found.refuted].sum():,}; candidates a record, in the mean: ", end="")
    print(f"{found.explains[found.refuted].sum(axis=1).mean():.2f}")


if __name__ == "__main__":
    main()
