"""The machine, the versions and the commit of a measurement: what a ratio cannot be told without."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from pathlib import Path

from benchmarks.processes import ROOT

LIBRARIES = ("polars", "pandera", "pint", "numpy", "pyarrow")
PEERS = ("price-parser", "quantulum3", "recognizers-text-suite", "jionlp", "pint-pandas", "dataframely")
ASKED = """
import importlib.metadata as m, json, sys
def version(name):
    try:
        return m.version(name)
    except m.PackageNotFoundError:
        return None
print(json.dumps({name: version(name) for name in sys.argv[1:]}))
"""


def machine() -> dict[str, str | int | float]:
    """The processor, how many of its cores may be used, the memory in gigabytes, the system."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30 if hasattr(os, "sysconf") else 0.0
    return {
        "processor": _processor(),
        "cores": cores,
        "memory_gb": round(memory, 1),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    told = re.search(r"^model name\s*:\s*(.+)$", path.read_text(), re.MULTILINE) if path.exists() else None
    return told[1].strip() if told else platform.processor() or "unknown processor"


def versions(interpreter: str, names: tuple[str, ...]) -> dict[str, str]:
    """The versions of the packages that an interpreter has installed."""
    done = subprocess.run(
        [interpreter, "-c", ASKED, *names], capture_output=True, encoding="utf-8", check=True, cwd=ROOT
    )
    return {name: version for name, version in json.loads(done.stdout).items() if version}


def commit() -> str | None:
    """The commit that is checked out, with a plus where files have changed since; null outside of Git."""
    try:
        head = _git("rev-parse", "--short", "HEAD")
        return head + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    return done.stdout.strip()
