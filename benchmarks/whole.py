"""A whole run beside the floor: a plain Polars copy of the same raw data from CSV to Parquet.

    python -m benchmarks.whole [--figures 100000 1000000] [--json FILE]

For each size a generated project (`benchmarks.projects`) is copied, then run by the command line, each in a process of
its own, with an empty build folder. Told are seconds of wall and processor time, the peak of memory, the share of each
stage, the ratio to the floor, and how many of the planted errors a finding names; the exit code is 1 where one was
missed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.projects import make

COPY = """
import pathlib, sys
import polars as pl
for path in sorted(pathlib.Path(sys.argv[1], "raw").glob("*.csv")):
    pl.scan_csv(path).sink_parquet(pathlib.Path(sys.argv[2], path.stem + ".parquet"))
"""
MEASURED = """
import pathlib, re, resource, runpy, sys, time
began = time.perf_counter()
try:
    {body}
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak = re.search(r"VmHWM:\\s*([0-9]+)", pathlib.Path("/proc/self/status").read_text())[1]
    print("MEASURED", time.perf_counter() - began, used.ru_utime + used.ru_stime, int(peak) / 1024, file=sys.stderr)
"""


def measured(body: str, *arguments: str) -> tuple[float, float, float, str]:
    """Seconds of wall and processor time, the peak of memory in megabytes, and what was printed."""
    root = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", MEASURED.format(body=body), *arguments],
        capture_output=True, encoding="utf-8", check=False, env={**os.environ, "PYTHONPATH": root},
    )  # fmt: skip
    told = re.search(r"MEASURED ([\d.]+) ([\d.]+) ([\d.]+)", done.stderr)
    if told is None or done.returncode not in (0, 1):
        raise RuntimeError(done.stderr[-2000:])
    wall, processor, peak = map(float, told.groups())
    return wall, processor, peak, done.stdout


def found(planted: Path, run: Path) -> tuple[int, int]:
    """How many of the planted errors a finding names, and how many there are."""
    truth = pl.read_csv(planted, schema_overrides={"period": pl.String})
    findings = pl.read_parquet(run / "findings.parquet").filter(pl.col("verdict") == "inconsistent")
    figures = pl.read_parquet(run / "figures.parquet").select("figure_id", "entity", "metric", "period")
    named = findings.select(pl.col("figures").explode().alias("figure_id")).unique().join(figures, on="figure_id")
    return len(truth.join(named, on=["entity", "metric", "period"], how="semi")), len(truth)


def one(figures: int) -> dict[str, Any]:
    """Everything that is told of one size."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, copy = Path(scratch, "project"), Path(scratch, "copy")
        copy.mkdir()
        make(folder, figures)
        floor = measured("exec(sys.argv[3])", str(folder), str(copy), COPY)
        # A run that finds something exits with 1, which runpy passes on.
        body = "sys.argv = ['zhiji-etl', 'run', sys.argv[1]]; runpy.run_module('zhiji_etl', run_name='__main__')"
        run = measured(body, str(folder))
        latest = max((folder / "build" / "runs").iterdir(), key=lambda path: path.name)
        timings = json.loads((latest / "run.json").read_text(encoding="utf-8"))["timings"]
        caught, planted = found(folder / "truth.csv", latest)
    return {
        "figures": figures, "floor": floor[0], "wall": run[0], "processor": run[1], "peak_mb": run[2],
        "floor_peak_mb": floor[2], "timings": timings, "caught": caught, "planted": planted,
    }  # fmt: skip


def line(told: dict[str, Any]) -> str:
    """One size in one line."""
    total = sum(seconds for name, seconds in told["timings"].items() if name != "total") or 1.0
    stages = sorted(
        ((seconds / total, name) for name, seconds in told["timings"].items() if name != "total"), reverse=True
    )
    shares = ", ".join(f"{name} {share:.0%}" for share, name in stages[:6])
    return (
        f"{told['figures']:>11,} figures: {told['wall']:7.1f} s, {told['processor']:7.1f} s of processor, "
        f"{told['peak_mb']:6,.0f} MB; floor {told['floor']:.2f} s, ratio {told['wall'] / told['floor']:.0f}; "
        f"{told['caught']} of {told['planted']} planted errors found; {shares}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints a line for each size; 1 where a planted error was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figures", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    results = []
    for figures in chosen.figures:
        results.append(one(figures))
        print(line(results[-1]), flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps({"at": time.time(), "results": results}, indent=1), encoding="utf-8")
    return int(any(told["caught"] < told["planted"] for told in results))


if __name__ == "__main__":
    sys.exit(main())
