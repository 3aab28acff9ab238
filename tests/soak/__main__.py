"""`python -m soak [--rounds N] [--kills N] [--losses N] [--seed N]`: edit, inject a fault, look, run again, look again.

Each round edits a random project, injects one fault, and checks that the last good run is whole; the next run must then
succeed, keep every row, give the bytes of a full run, and leave nothing behind. Meanwhile a reader reads what is
published, over and over. Then engines lose workers and whole nodes in the middle of their work. Prints the figures of
docs/runs.md; the exit code is 1 where a law was broken.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from threading import Event, Thread

import polars as pl

import zhiji_etl as zj
from soak import laws, losses
from soak.faults import FAULTS, Scene, kill
from soak.projects import Editor, three
from zhiji_etl.outputs import latest, read_manifest


class Reader(Thread):
    """Reads the published run over and over, and notes what was not whole; `reads` counts."""

    def __init__(self, build: Path) -> None:
        super().__init__(daemon=True)
        self.build = build
        self.done = Event()
        self.reads = 0
        self.faults: list[str] = []

    def run(self) -> None:
        """Until `done` is set."""
        while not self.done.is_set():
            try:
                run = latest(self.build)
                rows = pl.read_parquet(run / "figures.parquet").height
                if rows != read_manifest(run)["counts"]["figures"]:
                    self.faults.append(f"a reader saw {rows} figures")
                self.reads += 1
            except BaseException as error:  # a reader's panic is what this is about
                # The fault "no pointer" takes it away on purpose.
                if getattr(error, "code", "") != "no_run":
                    self.faults.append(f"a reader failed: {error!r}")
            time.sleep(0.02)


class Soak:
    """The rounds, and what they counted."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.project = three(folder / "project")
        self.aside = folder / "full"
        self.chance = random.Random(seed)
        self.editor = Editor(self.project, self.chance)
        self.counts: Counter[str] = Counter()
        self.broken: list[str] = []
        zj.Project(self.project).run()
        begun = time.perf_counter()
        zj.Project(self.project).run(force=True)
        self.scene = Scene(self.project, self.chance, time.perf_counter() - begun)

    def round(self, name: str) -> None:
        """One edit, one fault, the laws; a run without a fault, the laws."""
        fault, allowed = FAULTS[name]
        if self.chance.random() < 0.7:
            self.editor.edit()
        codes = fault(self.scene)
        self.counts[name] += 1
        self.note(name, [f"exit code {code}" for code in codes if code not in allowed])
        if name != "no pointer" or (self.scene.build / "latest").exists():
            self.note(name, laws.whole(self.scene.build))
        self.look(name)

    def look(self, name: str) -> None:
        """The next run works, and all laws hold of it."""
        result = zj.Project(self.project).run(keep=2)
        self.counts["recalled"] += result.manifest["counts"]["recalled"]
        self.counts["sources"] += result.manifest["counts"]["sources"]
        self.note(name, laws.whole(self.scene.build))
        self.note(name, laws.rows_kept(result.path))
        self.note(name, laws.same_as_full(self.project, result.path, self.aside))
        self.note(name, laws.no_orphans(self.scene.build))

    def kills(self, number: int) -> None:
        """Kills one after the other without a run between them; only then the next run."""
        for _ in range(number):
            kill(self.scene)
            self.counts["kill in a row"] += 1
            self.note("kill in a row", laws.whole(self.scene.build))
        if number:
            self.look("kill in a row")

    def note(self, name: str, told: Iterable[str]) -> None:
        """Keep what is broken."""
        self.broken += [f"{name}: {what}" for what in told]


def main() -> int:
    """The whole soak; 1 where a law was broken."""
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--rounds", type=int, default=80)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--losses", type=int, default=1)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(Path(folder), options.seed)
        reader = Reader(soak.scene.build)
        reader.start()
        soak.kills(options.kills)
        names = list(FAULTS)
        for number in range(options.rounds):
            soak.round(names[number % len(names)])
        reader.done.set()
        reader.join()
    soak.broken += reader.faults
    lost = losses.losses(options.losses)
    soak.broken += lost.broken
    told = ", ".join(f"{number} {name}" for name, number in soak.counts.items() if name not in ("recalled", "sources"))
    print(f"seed {options.seed}, {os.cpu_count()} processors, {time.monotonic() - begun:.0f} s")
    print(f"faults: {told}")
    print(f"sources not read again: {soak.counts['recalled']} of {soak.counts['sources']}")
    print(f"reads of what was published meanwhile: {reader.reads}")
    print(f"losses of engines: {lost}")
    print("\n".join([f"laws broken: {len(soak.broken)}", *soak.broken]))
    return 1 if soak.broken else 0


if __name__ == "__main__":
    sys.exit(main())
