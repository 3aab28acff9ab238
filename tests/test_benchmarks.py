"""`python -m benchmarks` runs what stands in the folder, and tells of one that fails."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(not (ROOT / "benchmarks").is_dir(), reason="benchmarks stand in a checkout only")


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_one_benchmark():
    done = bench("--quick", "localise")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the true one listed: True" in done.stdout


def test_a_benchmark_that_does_not_exist():
    assert bench("nothing").returncode == 2


def test_a_benchmark_that_fails(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import __main__ as benchmarks

    passed, _, lines = benchmarks.run("nothing", quick=True)
    assert not passed
    assert lines[0].startswith("failed: ")


def test_every_size_is_of_a_benchmark(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import __main__ as benchmarks

    assert benchmarks.SIZES.keys() <= set(benchmarks.names())
