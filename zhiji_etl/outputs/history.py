"""The runs of a build folder: which there are, which one is meant, and whether its bytes are still those written.

In: the output folder of runs. Out: plain dictionaries (for JSON), Rich renderables (for a terminal), and paths of runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zhiji_etl.errors import OutputError
from zhiji_etl.outputs import RunInfo, latest, read_manifest, require_folder, runs, verify
from zhiji_etl.outputs.published import RUN_ID, RUNS, run_folders
from zhiji_etl.sources.names import safe_terminal

ID_WIDTH = 30
WIDE = 1000
COUNTS = ("raw_rows", "figures", "rejects", "findings")


def whereabouts(folder: Path) -> tuple[Path, str | None]:
    """Where runs are published, for the folder of that, of the project, of all runs or of one; and the id of that one.

    >>> whereabouts(Path("demo/build/runs/20201225T061500000000Z-ab12cd"))[1]
    '20201225T061500000000Z-ab12cd'
    """
    real = folder.resolve()
    if RUN_ID.fullmatch(real.name) and real.parent.name == RUNS:
        return real.parents[1], real.name
    if real.name == RUNS and run_folders(real.parent):
        return real.parent, None
    inner = folder / "build"
    return (inner if inner.is_dir() and not (folder / RUNS).exists() else folder), None


def history(build: Path) -> list[dict[str, Any]]:
    """All whole runs of a build folder, oldest first, with the counts of their manifests (null where unreadable).

    Raises `OutputError` `no_run` where there is no such folder.
    """
    require_folder(build)
    return [_told(info) for info in runs(build)]


def chosen(build: Path, name: str | None = None) -> Path:
    """The run of that id, or of the only id that begins so; the published one without a name.

    Raises `OutputError`: `no_run`, `run_unknown` (no run, or several, are named so).
    """
    if name is None:
        return latest(build)
    require_folder(build)
    known = runs(build)
    found = [info.path for info in known if info.run_id.startswith(name)]
    if len(found) == 1:
        return found[0]
    problem = "several runs" if found else "no run"
    hint = f"The runs are {', '.join(info.run_id for info in known) or 'none'}."
    what = f"{safe_terminal(str(build))} holds {problem} named {safe_terminal(name)}."
    raise OutputError("run_unknown", what, hint=hint)


def expected(build: Path) -> dict[str, float]:
    """How many seconds each stage of the next run may take: as many as in the published run; empty where none is."""
    try:
        timings = read_manifest(latest(build))["timings"]
        return {str(stage): float(seconds) for stage, seconds in timings.items()}
    except (OutputError, OSError, ValueError, KeyError, AttributeError, TypeError):
        return {}


def verified(build: Path, name: str | None = None) -> str:
    """Hash every file of a run again and say that all are as written; else `OutputError` `run_damaged`."""
    run = chosen(build, name)
    differences = verify(run)
    if differences:
        hint = "Its figures are not to be trusted: run again, or take an older run (zhiji-etl runs)."
        raise OutputError("run_damaged", "\n".join([f"{run.name} is not as it was written:", *differences]), hint=hint)
    return f"{run.name}: {len(read_manifest(run)['outputs'])} files, all as they were written."


def _told(info: RunInfo) -> dict[str, Any]:
    counts = _counts(info.path)
    return {
        "run_id": info.run_id,
        "finished": info.finished.isoformat(timespec="seconds"),
        "latest": info.is_latest,
        "path": str(info.path),
        **{name: counts.get(name) for name in COUNTS},
    }


def _counts(run: Path) -> dict[str, Any]:
    """A manifest that was damaged must not hide the runs beside it."""
    try:
        counts = read_manifest(run).get("counts", {})
    except (OSError, ValueError, AttributeError):
        return {}
    return counts if isinstance(counts, dict) else {}
