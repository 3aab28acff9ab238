"""A whole run beside the floor: a plain Polars copy of the same raw data to Parquet.

    python -m benchmarks.whole [--figures 100000 1000000] [--files 64] [--options="..."] [--json FILE]

For each size a generated project (`benchmarks.projects`) is copied, then run by the command line, each in a process of
its own, with an empty build folder; both are timed with the start of their process. Told are seconds of wall and
processor time, the peak of memory of the process and its children, the share of each stage, the ratio to the floor, and
how many of the planted errors a finding names; the exit code is 1 where one was missed.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from benchmarks.processes import python
from benchmarks.projects import make
from benchmarks.record import Measure, Spent, as_row

COPY = """
import pathlib, sys
import polars as pl
for path in sorted(pathlib.Path(sys.argv[1], "raw").iterdir()):
    scan = {".csv": pl.scan_csv, ".parquet": pl.scan_parquet}.get(path.suffix)
    if scan is not None:
        scan(path).sink_parquet(pathlib.Path(sys.argv[2], path.stem + ".parquet"))
"""
FLOOR = "plain Polars copy of the raw files to Parquet"
SIZES, SMALL = (1_000_000, 10_000_000, 40_000_000), (20_000,)
FILES = 64
"""Of a project of a million figures or more; a small one has fewer, or its files would be all that is timed."""


def found(planted: Path, run: Path) -> tuple[int, int]:
    """How many of the planted errors a finding names, and how many there are."""
    truth = pl.scan_csv(planted, schema_overrides={"period": pl.String})
    findings = pl.scan_parquet(run / "findings.parquet").filter(pl.col("verdict") == "inconsistent")
    figures = pl.scan_parquet(run / "figures.parquet").select("figure_id", "entity", "metric", "period")
    named = findings.select(pl.col("figures").explode().alias("figure_id")).unique()
    of_truth = figures.join(truth, on=["entity", "metric", "period"], how="semi")
    seen = of_truth.join(named, on="figure_id", how="semi").select(pl.len())
    counted = pl.collect_all([seen, truth.select(pl.len())], engine="streaming")
    return counted[0].item(), counted[1].item()


def one(figures: int, files: int | None = None, options: str = "") -> Measure:
    """Everything that is told of one size, run with further options of the command line."""
    files = files or (FILES if figures >= 1_000_000 else FILES // 8)
    with tempfile.TemporaryDirectory() as scratch:
        folder, copy = Path(scratch, "project"), Path(scratch, "copy")
        copy.mkdir()
        make(folder, figures, files=files)
        size = sum(path.stat().st_size for path in (folder / "raw").iterdir())
        floors = [python("-c", COPY, str(folder), str(copy)).spent for _ in range(3)]
        # A run that finds something exits with 1.
        done = python("-m", "zhiji_etl", "run", str(folder), *shlex.split(options), allowed=(0, 1))
        latest = max((folder / "build" / "runs").iterdir(), key=lambda path: path.name)
        manifest = json.loads((latest / "run.json").read_text(encoding="utf-8"))
        caught, planted = found(folder / "truth.csv", latest)
    floor = min(floors, key=lambda spent: spent.wall)
    counts = manifest["counts"]
    facts = {
        "figures": counts["figures"], "findings": counts["findings"], "raw_mb": size / 1e6,
        "caught": caught, "planted": planted, "timings": manifest["timings"],
    }  # fmt: skip
    what = f"whole run{' with ' + options if options else ''}, {figures:,} figures in {files} files"
    note = f"{_stages(manifest['timings'])}; {caught:,} of {planted:,} planted errors found"
    return Measure(what, FLOOR, done.spent, floor, note, facts)


def _stages(timings: dict[str, float]) -> str:
    """The share of each stage that takes a fiftieth or more, the largest first."""
    seconds = {name: taken for name, taken in timings.items() if name != "total"}
    total = sum(seconds.values()) or 1.0
    shares = sorted(((taken / total, name) for name, taken in seconds.items()), reverse=True)
    return ", ".join(f"{name} {share:.0%}" for share, name in shares if share >= 0.02)


def measures(small: bool, figures: Sequence[int] | None = None, options: str = "") -> list[Measure]:
    """A row for each size."""
    return [one(size, options=options) for size in figures or (SMALL if small else SIZES)]


def line(told: Measure, run: Spent, floor: Spent) -> str:
    """One size in one line."""
    return (
        f"{told.what}: {run.wall:7.1f} s, {run.processor:7.1f} s of processors, {run.peak_mb or 0:6,.0f} MB; "
        f"floor {floor.wall:.2f} s, {floor.processor:.2f} s, {floor.peak_mb or 0:,.0f} MB; "
        f"ratio {told.ratio:.1f}, of processors {told.processor_ratio:.1f}; {told.note}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints a line for each size; 1 where a planted error was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figures", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--files", type=int)
    parser.add_argument("--options", default="", help="further options of zhiji-etl run, in one word")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    results = []
    for figures in chosen.figures:
        told = one(figures, chosen.files, chosen.options)
        results.append(told)
        if told.ours and told.theirs:
            print(line(told, told.ours, told.theirs), flush=True)
    if chosen.json:
        rows = {"at": time.time(), "results": [as_row(result) for result in results]}
        chosen.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return int(any(result.facts["caught"] < result.facts["planted"] for result in results))


if __name__ == "__main__":
    sys.exit(main())
