"""What changed between two measurements by more than a tenth: `python -m benchmarks.compare OLD.json NEW.json`.

Compared are the ratios, by the clock and of processors, and the peaks of memory of rows that both have; rows that only
one has are named. The exit code is 1 where something became worse. On two machines even ratios differ: that is told.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.table import number

TOLERANCE = 0.1


def numbers(row: dict[str, Any]) -> dict[str, float]:
    """The numbers of a row that are compared; less is better for each."""
    peak = (row["ours"] or {}).get("peak_mb")
    told = {"ratio": row["ratio"], "ratio of processors": row["processor_ratio"], "MB at the peak": peak}
    return {name: value for name, value in told.items() if value is not None}


def changes(old: dict[str, Any], new: dict[str, Any], tolerance: float = TOLERANCE) -> Iterator[tuple[float, str]]:
    """How much more each number has become that changed by more than the tolerance, and a line that says so."""
    before, after = (
        {(row["part"], row["what"], row["beside"]): numbers(row) for row in told["measures"]} for told in (old, new)
    )
    for key in before.keys() & after.keys():
        for name in before[key].keys() & after[key].keys():
            was, now = before[key][name], after[key][name]
            if abs(now - was) > tolerance * was:
                part, what, beside = key
                change = now / was - 1
                yield change, f"{change:+7.0%}  {number(was)} -> {number(now)} {name}: {part}, {what}, beside {beside}"


def only(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The rows with numbers that the other measurement does not have."""
    keys = [
        {f"{row['part']}, {row['what']}, beside {row['beside']}" for row in told["measures"] if numbers(row)}
        for told in (one, other)
    ]
    return sorted(keys[0] - keys[1])


def unlike(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """What else differs between the measurements: the machine, the versions."""
    for title in ("machine", "versions"):
        for name in sorted(old[title].keys() | new[title].keys()):
            was, now = old[title].get(name), new[title].get(name)
            if was != now:
                yield f"{title}: {name} was {was}, is {now}"


def main(given: Sequence[str] | None = None) -> int:
    """Prints what changed, what became worse first; 1 where something did."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--tolerance", type=float, default=TOLERANCE)
    chosen = parser.parse_args(given)
    old, new = (json.loads(path.read_text(encoding="utf-8")) for path in (chosen.old, chosen.new))
    print(f"{old['commit']} ({old['at']}) -> {new['commit']} ({new['at']})")
    for told in unlike(old, new):
        print(told)
    found = sorted(changes(old, new, chosen.tolerance), reverse=True)
    for _, told in found:
        print(told)
    for title, rows in (("no longer measured", only(old, new)), ("new", only(new, old))):
        for told in rows:
            print(f"{title}: {told}")
    if not found:
        print(f"nothing changed by more than {chosen.tolerance:.0%}")
    return int(any(change > 0 for change, _ in found))


if __name__ == "__main__":
    sys.exit(main())
