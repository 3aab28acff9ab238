"""Small random projects, and random edits of everything in one that a person may edit.

In: a folder and a source of chance. Out: files below it; whatever is drawn, a run of it succeeds.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

HEADER = "entity,metric,period,printed\n"
SCHEMA = """import zhiji_etl as zj


class CompanyYear(zj.Table):
    sales: float = zj.Quantity("vehicle", ge=0)
    share: float = zj.Quantity("percent", ge=0, le=100)
    revenue: float = zj.Quantity("CNY", fx="average")
"""
RULE = """
    @zj.rule
    def small(m):
        return m.share <= 0.5
"""
OTHER_UNIT = SCHEMA.replace('"CNY"', '"USD"')
CORRECTION = """[[correction]]
source = "{}.csv"
entity = "A"
metric = "sales"
period = "2019"
expect = "5 vehicles"
override = "7 vehicles"
why = "A test"
reported_by = "the tests"
"""
PRINTED = {
    "sales": ["5 vehicles", "6.238 million vehicles", "623.8万辆", "n/a", "5 km"],
    "share": ["22.7 percent", "105%", "about 3%", "22.75"],
    "revenue": ["RMB7 billion (US$1 billion)", "US$1.5 billion", "over 10 billion yuan", "7", "1e400"],
    "sale": ["5"],
}
SIDECARS = ["", 'rounding = "truncation"\n', 'currency = "CNY"\nscale = "million"\n', 'vintage = "later"\n']


def write(folder: Path, name: str, text: str) -> None:
    """Write a file below the folder, and the folders it needs."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def three(folder: Path) -> Path:
    """A project of three sources, of which one has a column of its own and one a row that is none."""
    write(folder, "raw/a.csv", HEADER + "A,sales,2019,5 vehicles\nA,share,2019,22.7 percent\n")
    write(folder, "raw/b.csv", HEADER.replace("\n", ",kept\n") + "B,sales,2019,623.8万辆,x\nB,sales,2020,many,y\n")
    write(folder, "raw/c.csv", HEADER + "C,revenue,2019,US$1.5 billion\nC,sales\n")
    write(folder, "schemas/company_year.py", SCHEMA)
    return folder


class Editor:
    """Edits a project at random."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder = folder
        self.chance = chance
        self.made = 0

    def edit(self) -> None:
        """One edit of any kind; now and then none."""
        edits: list[Callable[[], None]] = [self.cell, self.cell, self.sidecar, self.schema, self.add, self.remove]
        self.chance.choice([*edits, self.correction, self.rates, self.nothing])()

    def source(self) -> Path:
        """One of the raw files."""
        return self.chance.choice(sorted((self.folder / "raw").glob("*.csv")))

    def row(self) -> str:
        """A row of any kind: a figure, or one of those that become rejects."""
        metric = self.chance.choice(list(PRINTED))
        entity, period = self.chance.choice("AB"), self.chance.choice(["2019", "2020Q1", "someday"])
        return f'{entity},{metric},{period},"{self.chance.choice(PRINTED[metric])}"\n'

    def cell(self) -> None:
        """Another row in the place of one."""
        path = self.source()
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        lines[self.chance.randrange(1, len(lines))] = self.row()
        path.write_text("".join(lines), encoding="utf-8")

    def sidecar(self) -> None:
        """Another sidecar."""
        self.source().with_suffix(".toml").write_text(self.chance.choice(SIDECARS), encoding="utf-8")

    def schema(self) -> None:
        """Another schema: a rule more or less, another unit."""
        write(self.folder, "schemas/company_year.py", self.chance.choice([SCHEMA, SCHEMA + RULE, OTHER_UNIT]))

    def add(self) -> None:
        """A raw file more, with a column of its own or without."""
        self.made += 1
        header = self.chance.choice([HEADER, HEADER.replace("\n", ",note\n")])
        ending = ",n\n" if "note" in header else "\n"
        rows = [self.row().strip() + ending for _ in range(self.chance.randrange(1, 4))]
        write(self.folder, f"raw/new{self.made}.csv", header + "".join(rows))

    def remove(self) -> None:
        """A raw file less, where more than three are left."""
        if len(list((self.folder / "raw").glob("*.csv"))) > 3:
            path = self.source()
            path.unlink()
            path.with_suffix(".toml").unlink(missing_ok=True)

    def correction(self) -> None:
        """Another correction, which may meet nothing."""
        text = self.chance.choice(["", CORRECTION.format("a"), CORRECTION.format("b")])
        write(self.folder, "schemas/corrections.toml", text)

    def rates(self) -> None:
        """Exchange rates of the project's own."""
        rate = self.chance.choice(["6.9", "7.1"])
        days = [f"2019-{month:02}-{day:02},USD,CNY,{rate}\n" for month in range(1, 13) for day in range(1, 29)]
        write(self.folder, "rates.csv", "date,base,quote,rate\n" + "".join(days))
        write(self.folder, "zhiji.toml", 'rates = ["rates.csv"]\n')

    def nothing(self) -> None:
        """No edit: the run after it finds all as it was."""
