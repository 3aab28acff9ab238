"""All that we promise of speed, measured in one go on the machine at hand, as one table of ratios.

    python -m benchmarks.table [--small] [--figures N ...] [--options="..."] [--json FILE] [--write]
                               [--peers PYTHON] [PART ...]

Each part runs in a process of its own, with the Python of `make peers` where other libraries are measured. What is not
installed or fails has a row that says so, and what fails makes the exit code 1. `--write` puts the table into
docs/benchmarks.md, `--json` writes all numbers for `python -m benchmarks.compare OLD.json NEW.json`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import whole
from benchmarks.machine import LIBRARIES, PEERS, commit, machine, versions
from benchmarks.processes import ROOT, python
from benchmarks.record import Measure, Spent, as_row, from_row

PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- begin: python -m benchmarks.table --write -->", "<!-- end -->"
PEERS_PYTHON = ROOT / ".peers" / "bin" / "python"
FAILED = "failed: "


@dataclass(frozen=True)
class Part:
    """One part of the table: the module that measures it, and whether other libraries are measured in it."""

    title: str
    module: str
    peers: bool = False


PARTS = {
    "whole": Part("The whole run beside the floor", "whole"),
    "reading": Part("Reading", "reading", peers=True),
    "conversion": Part("Conversion", "conversion", peers=True),
    "validation": Part("Validation", "validation", peers=True),
    "rules": Part("Rules", "rules"),
    "localise": Part("Localisation", "localise"),
    "startup": Part("Start-up", "startup"),
}


def measured(name: str, chosen: argparse.Namespace) -> Iterator[Measure]:
    """The rows of one part; whole runs size by size, so that one that is too large spoils no other."""
    part = PARTS[name]
    small = ["--small"] if chosen.small else []
    sizes = chosen.figures or (whole.SMALL if chosen.small else whole.SIZES)
    options = [f"--options={chosen.options}"] if chosen.options else []
    calls = [["--figures", str(size), *options] for size in sizes] if part.module == "whole" else [small]
    interpreter = str(chosen.peers) if part.peers and chosen.peers.exists() else sys.executable
    for call in calls:
        yield from _recorded(part, call, interpreter)


def _recorded(part: Part, call: Sequence[str], interpreter: str) -> list[Measure]:
    try:
        done = python("-m", "benchmarks.record", part.module, *call, interpreter=interpreter)
        return [from_row(row) for row in json.loads(done.stdout.splitlines()[-1])]
    except (RuntimeError, ValueError, IndexError) as error:
        last = (str(error).strip().splitlines() or ["it was ended"])[-1]
        return [Measure(" ".join([part.title, *call]), "", None, None, FAILED + last)]


def told(chosen: argparse.Namespace) -> dict[str, Any]:
    """Everything that one go tells, for the JSON and for the table."""
    rows = []
    for name in chosen.parts or PARTS:
        for measure in measured(name, chosen):
            print(f"{name:10} {line(measure)}", flush=True)
            rows.append({"part": name, **as_row(measure)})
    peers = str(chosen.peers) if chosen.peers.exists() else sys.executable
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "small": chosen.small,
        "machine": machine(),
        "versions": {"python": sys.version.split()[0], **versions(sys.executable, LIBRARIES), **versions(peers, PEERS)},
        "measures": rows,
    }


def line(measure: Measure) -> str:
    """One measure in one line of the terminal."""
    if measure.ratio is None:
        return (
            f"{measure.what}, beside {measure.beside}: {measure.note}"
            if measure.beside
            else f"{measure.what}: {measure.note}"
        )
    ours, theirs = (_spent(spent) for spent in (measure.ours, measure.theirs))
    return f"{measure.what}: {ours}; {measure.beside}: {theirs}; ratio {number(measure.ratio)}; {measure.note}"


def page_table(found: dict[str, Any]) -> str:
    """The table of the page, with where and when it was measured above it."""
    at, box = found["at"][:10], found["machine"]
    which = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    lines = [
        f"Measured on {at} at commit {found['commit'] or 'unknown'}, on {box['processor']}, {box['cores']} cores, "
        f"{box['memory_gb']:g} GB, {box['system']}; {which}.",
        "",
    ]
    if found["small"]:
        lines += ["Small sizes, to see that all of it runs: these are no speeds to go by.", ""]
    lines += [
        "| what | beside | ours | the other | ratio | of processors | and |",
        "|---|---|---|---|---|---|---|",
    ]
    part = None
    for row in found["measures"]:
        if row["part"] != part:
            part = row["part"]
            lines.append(f"| **{PARTS[part].title}** | | | | | | |")
        lines.append(_page_row(from_row(row)))
    return "\n".join(lines)


def _page_row(measure: Measure) -> str:
    cells = [
        measure.what, measure.beside, _spent(measure.ours), _spent(measure.theirs),
        number(measure.ratio), number(measure.processor_ratio), measure.note,
    ]  # fmt: skip
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def _spent(spent: Spent | None) -> str:
    if spent is None:
        return ""
    memory = "" if spent.peak_mb is None else f", {spent.peak_mb:,.0f} MB"
    return f"{number(spent.wall)} s{memory}"


def number(value: float | None) -> str:
    """A number with two or three digits that say something."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}" if value >= 1 else f"{value:.2g}"


def written(page: str, table: str) -> str:
    """The page with the table between its two marks; `ValueError` where the marks are not there."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has no {BEGIN} ... {END}")
    return f"{head}{BEGIN}\n\n{table}\n\n{END}{tail}"


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--small", action="store_true", help="small sizes, to see that all of it runs")
    parser.add_argument("--figures", type=int, nargs="+", help="sizes of whole runs")
    parser.add_argument("--options", default="", help="further options of zhiji-etl run in whole runs, in one word")
    parser.add_argument("--json", type=Path, help="write all numbers into this file")
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    parser.add_argument("--peers", type=Path, default=PEERS_PYTHON, help="the Python that has the peers")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Measures and prints; 1 where a part failed or a whole run missed a planted error."""
    chosen = arguments(given)
    found = told(chosen)
    table = page_table(found)
    print(f"\n{table}")
    if chosen.json:
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if chosen.write:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), table), encoding="utf-8")
    return int(any(wrong(row) for row in found["measures"]))


def wrong(row: dict[str, Any]) -> bool:
    """Whether a row tells of a failure: it did not run, or its answers are not those that they must be."""
    facts = row["facts"]
    missed = facts.get("caught", 0) < facts.get("planted", 0)
    return row["note"].startswith(FAILED) or missed or facts.get("same") is False or bool(facts.get("inexact"))


if __name__ == "__main__":
    sys.exit(main())
