"""A run in shards concludes what a run in one piece does, row for row, whatever the number of partitions."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import zhiji_etl as zj
from zhiji_etl.consistency.elsewhere import agreed
from zhiji_etl.engines import engine
from zhiji_etl.outputs import latest, verify
from zhiji_etl.pipeline import RunResult
from zhiji_etl.project import Project
from zhiji_etl.sharding import run_in_shards

SCHEMA = """
import zhiji_etl as zj

class Maker(zj.Table):
    sales: float = zj.Quantity("vehicle", ge=0, nouns=("car",))
    share: float = zj.Quantity("percent", ge=0, le=100)
    revenue: float = zj.Quantity("CNY", fx="usual", restated_in="USD")
    home: float = zj.Quantity("CNY", ge=0)
    abroad: float = zj.Quantity("CNY", ge=0)
    place: float = zj.Quantity("rank")

    @zj.rule
    def share_of_market(m):
        return m.share == m.sales / m.of("The market").sales

    @zj.rule
    def share_of_region(m):
        return m.share == m.sales / m.of("The regoin").sales

    @zj.rule
    def segments(m):
        return m.revenue == m.home + m.abroad

    @zj.rule
    def ranked(m):
        return zj.ranks(m.place, by=m.sales)

class Market(zj.Table):
    sales: float = zj.Quantity("vehicle", ge=0)
    sales_growth: float = zj.Quantity("percent")

    @zj.rule
    def grew(m):
        return m.sales_growth == m.sales / m.previous.sales - 1
"""
CORRECTIONS = """
[[correction]]
source = "makers_1.csv"
entity = "Maker 3"
metric = "share"
period = "2021"
expect = "99.9%"
override = "9.9%"
why = "A slip."
reported_by = "a reader"

[[correction]]
source = "makers_0.csv"
entity = "Maker 4"
metric = "sales"
period = "2021"
expect = "1"
drop = true
why = "Nobody prints this."
reported_by = "a reader"
"""


def raw_rows(draw: random.Random) -> Iterator[tuple[str, ...]]:
    """Figures of thirty makers in three years: some wrong, some twice, some without sense; the market in one year."""
    for number in range(30):
        name = f"Maker {number}"
        for year in (2020, 2021, 2022):
            sales = draw.randint(1_000, 90_000)
            share = 100 * sales / 1_000_000 * (1 if year == 2022 else draw.choice([1, 1, 1, 1, 1.0004, 1.3]))
            yield name, "maker", "sales", str(year), f"{sales:,} vehicles"
            yield name, "maker", "share", str(year), f"{share:.{draw.choice([1, 2, 4])}f}%"
            if year != 2022 and draw.random() < 0.2:
                yield name, "maker", "sales", str(year), f"{sales + draw.choice([0, 0, 7])} cars"
            home, abroad = draw.randint(10, 900), draw.randint(10, 900)
            revenue = home + abroad + draw.choice([0, 0, 0, 9])
            yield name, "maker", "revenue", str(year), f"RMB{revenue} million (US${revenue / 6.9:.1f} million)"
            yield name, "maker", "home", str(year), f"RMB{home} million"
            yield (
                name,
                "maker",
                "abroad",
                str(year),
                draw.choice([f"RMB{abroad} million", f"US${abroad} million", "n/a"]),
            )
            if year == 2021 and number < 12:
                yield name, "maker", "place", str(year), f"No. {number + 1}"
    yield "Maker 3", "maker", "share", "2021", "99.9%"
    yield " The market ", "market", "sales", "2021", "1,000,000 vehicles"
    yield "The market", "market", "sales_growth", "2022", "0.0%"
    yield "The market", "market", "sales_growth", "2023", "1.0%"
    yield "Maker 5", "maker", "share", "2023", "5.0%"
    yield "The region", "market", "sales", "2021", "about 500,000 vehicles"
    yield "", "maker", "sales", "2021", "5 vehicles"
    yield "Maker 1", "maker", "nothing", "2021", "5 vehicles"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which partitions have much to tell each other."""
    folder = tmp_path_factory.mktemp("sharded")
    (folder / "raw").mkdir()
    (folder / "schemas").mkdir()
    (folder / "schemas" / "makers.py").write_text(SCHEMA, encoding="utf-8")
    (folder / "schemas" / "corrections.toml").write_text(CORRECTIONS, encoding="utf-8")
    frame = pl.DataFrame(
        [*raw_rows(random.Random(7))], ["entity", "table", "metric", "period", "printed"], orient="row"
    )
    for number in range(3):
        frame.gather_every(3, number).write_csv(folder / "raw" / f"makers_{number}.csv")
    return folder


@pytest.fixture(scope="module")
def whole(project: Path, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """The run of the project in one piece."""
    return zj.Project(project).run(tmp_path_factory.mktemp("whole"))


def in_shards(project: Path, out: Path, number: int) -> RunResult:
    """The run of a project in so many partitions."""
    return run_in_shards(Project(project), out, engine("local", None, out / "scratch"), number)


def assert_same(one: RunResult, other: RunResult) -> None:
    """All outputs are equal, row for row."""
    keys = {"figures": ["figure_id"], "rejects": ["row_id"], "findings": ["finding_id"]}
    named = {"implied": ["entity", "metric", "period_start", "period_end"]}
    tables = {name: ["entity", "period_start", "period_end"] for name in one.tables}
    for name, key in {**keys, **named, **tables}.items():
        frames = (pl.read_parquet(run.path / f"{name}.parquet").sort(key) for run in (one, other))
        # Polars divides a single row by a single row in another way, which may change the last bit of a quotient.
        assert_frame_equal(*frames, rel_tol=1e-14, abs_tol=0)
    assert_frame_equal(one.rates, other.rates)
    assert one.verdicts() == other.verdicts()
    assert one.manifest["exit_status"] == other.manifest["exit_status"]
    sizes = ("raw_rows", "figures", "rejects", "findings", "implied")
    assert [one.manifest["counts"][name] for name in sizes] == [other.manifest["counts"][name] for name in sizes]


@pytest.mark.parametrize("number", [1, 2, 5, 40])
def test_shards_conclude_what_one_piece_does(project: Path, whole: RunResult, tmp_path: Path, number: int) -> None:
    sharded = in_shards(project, tmp_path, number)
    assert_same(whole, sharded)
    assert verify(latest(tmp_path)) == []
    assert not list(sharded.path.rglob(".staging"))


def test_the_project_needs_all_that_partitions_tell_each_other(whole: RunResult, project: Path, tmp_path: Path) -> None:
    """What the test above proves: rounds, conflicts that span partitions, ranks, corrections, a misspelt entity."""
    with pytest.MonkeyPatch.context() as patch:
        told = []
        patch.setattr("zhiji_etl.sharding.running.agreed", lambda *given: told.append(agreed(*given)) or told[-1])
        in_shards(project, tmp_path, 5)
    rounds = [one for one in told if one is not None]
    assert [len(one.rounds) for one in rounds][:2] == [1, 2]
    assert rounds[-1].rounds[-1].implied.height > 0
    assert rounds[-1].no_value
    found = whole.findings
    figures = dict(whole.figures.select("figure_id", "entity").iter_rows())
    spanning = [
        row["finding_id"]
        for row in found.filter(kind="conflict").iter_rows(named=True)
        if len({figures[number] for number in row["figures"] or []} - {"The market"}) > 1
    ]
    assert spanning
    assert found.filter(pl.col("rule") == "ranked").get_column("verdict").n_unique() > 1
    assert set(found.get_column("kind")) >= {"duplicate", "restatement", "correction", "reference"}
    assert whole.rejects.get_column("code").n_unique() >= 3
