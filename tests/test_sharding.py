"""A run in shards concludes what a run in one piece does, row for row, whatever the number of partitions."""

from __future__ import annotations

import io
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from rich.console import Console

import zhiji_etl as zj
from benchmarks.projects import make
from zhiji_etl import corrections, labels
from zhiji_etl.comparison import compared
from zhiji_etl.consistency.conflicts.elsewhere import Elsewhere, agreed
from zhiji_etl.engines import engine
from zhiji_etl.errors import EngineError, OutputError, SourceError
from zhiji_etl.outputs import latest, verify
from zhiji_etl.outputs.published import read_manifest
from zhiji_etl.pipeline import RunResult
from zhiji_etl.project import Project, init
from zhiji_etl.sharding import partitions_of, run_in_shards
from zhiji_etl.sharding.partitions import Task, partition_number
from zhiji_etl.sources import find_sources, scan_source
from zhiji_etl.terminal.explanation import explained_data
from zhiji_etl.terminal.printing import print_to
from zhiji_etl.terminal.summary import summary

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
    """Figures of ten makers in three years: some wrong, some twice, some without sense; the market in one year."""
    for number in range(10):
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
            if year == 2021 and number < 8:
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
    return zj.Project(project).run(tmp_path_factory.mktemp("whole"), partitions=1)


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


ACCEPTED = """
[[correction]]
source = "makers.csv"
entity = "The market"
metric = "sales"
period = "2021"
expect = "1,234,567 vehicles"
accept = "share_of_market"
why = "Another market is meant."
reported_by = "a reader"
"""


def test_what_another_partition_accepts_is_accepted(project: Path, tmp_path: Path) -> None:
    """One maker's share is wrong, in another partition than that of the market, whose figure is accepted."""
    folder = tmp_path / "project"
    shutil.copytree(project / "schemas", folder / "schemas")
    (folder / "raw").mkdir()
    (folder / "schemas" / "corrections.toml").write_text(ACCEPTED, encoding="utf-8")
    makers = [f"Maker {number}" for number in range(4)]
    rows = [("The market", "market", "sales", "2021", "1,234,567 vehicles")]
    rows += [(name, "maker", "sales", "2021", "123,457 vehicles") for name in makers]
    homes = dict(
        pl.DataFrame({"entity": ["The market", *makers]}).select("entity", home=partition_number(2)).iter_rows()
    )
    wrong = next(name for name in makers if homes[name] != homes["The market"])
    rows += [(name, "maker", "share", "2021", "30.0%" if name == wrong else "10.0%") for name in makers]
    columns = ["entity", "table", "metric", "period", "printed"]
    pl.DataFrame(rows, columns, orient="row").write_csv(folder / "raw" / "makers.csv")
    whole = zj.Project(folder).run(tmp_path / "whole", partitions=1)
    assert whole.findings.filter(pl.col("kind") == corrections.KIND).is_empty()
    assert_same(whole, in_shards(folder, tmp_path / "shards", 2))


def test_shards_conclude_what_one_piece_does(project: Path, whole: RunResult, tmp_path: Path) -> None:
    """The project needs all that partitions tell each other: rounds, spanning conflicts, ranks, a misspelt entity."""
    told: list[Elsewhere | None] = []

    def noted(*given: Any) -> Elsewhere | None:
        """What partitions are told, noted."""
        told.append(agreed(*given))
        return told[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zhiji_etl.sharding.running.agreed", noted)
        sharded = in_shards(project, tmp_path, 4)
    assert_same(whole, sharded)
    assert verify(latest(tmp_path)) == []
    assert not list(sharded.path.rglob(".staging"))
    rounds = [one for one in told if one is not None]
    assert [len(one.rounds) for one in rounds][:2] == [1, 2]
    assert rounds[-1].rounds[-1].implied.height > 0
    assert rounds[-1].no_value
    found = whole.findings
    figures = dict(whole.figures.select("figure_id", "entity").iter_rows())
    conflicts = found.filter(kind="conflict").get_column("figures").to_list()
    assert any(len({figures[number] for number in numbers or []} - {"The market"}) > 1 for numbers in conflicts)
    assert found.filter(pl.col("rule") == "ranked").get_column("verdict").n_unique() > 1
    assert set(found.get_column("kind")) >= {"duplicate", "restatement", "correction", "reference"}
    assert whole.rejects.get_column("code").n_unique() >= 3


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated project in which partitions have nothing to tell each other."""
    folder = tmp_path_factory.mktemp("plain")
    make(folder, 2_000, files=6, errors=0.01)
    return folder


@pytest.mark.parametrize(("name", "workers"), [("local", 1), ("local", 2), ("dask", 1), ("spark", 1)])
def test_engines_publish_the_run_of_one_piece(plain: Path, tmp_path: Path, name: str, workers: int) -> None:
    """By the engine's own processes on this machine, more partitions than some have companies for."""
    if name == "spark" and shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not installed")
    pytest.importorskip({"local": "polars", "dask": "distributed", "spark": "pyspark"}[name])
    whole = zj.Project(plain).run(tmp_path / "whole", partitions=1)
    sharded = zj.Project(plain).run(tmp_path / "shards", engine=name, partitions=3, workers=workers)
    assert_same(whole, sharded)
    assert [entry["name"] for entry in read_manifest(sharded.path)["outputs"] if "/" in entry["name"]]
    assert verify(latest(tmp_path / "shards")) == []


def test_spellings_of_a_name_and_its_two_currencies_meet_in_one_shard(tmp_path: Path) -> None:
    init(tmp_path / "p")
    lines = [
        f"{name},revenue,2019,{amount}"
        for number in range(6)
        for name, amount in [
            (f"Maker {number}", "RMB138.2 billion"),
            (f"Maker {number}", "US$20.0 billion"),
            (f"MAKER{number}", "RMB9 billion"),
        ]
    ]
    (tmp_path / "p/raw/makers.csv").write_text("\n".join(["entity,metric,period,printed", *lines]), encoding="utf-8")
    whole = zj.Project(tmp_path / "p").run(tmp_path / "whole", partitions=1)
    assert_same(whole, in_shards(tmp_path / "p", tmp_path / "shards", 4))
    assert whole.findings.filter(rule="one_name").height == 6
    restated = whole.findings.filter(pl.col("entity").str.starts_with("Maker"), kind="restatement")
    assert set(restated["verdict"]) == {"consistent"}
    assert restated.height == 6


def test_partitions_may_be_empty_and_sources_pass_through_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost where there are more partitions than entities, nor where a source does not fit into memory."""
    make(tmp_path / "few", 200, files=2)
    for entity in ("Nobody", "Nobody else", "Nobody at all"):  # one of them at home where nobody is
        with (tmp_path / "few" / "schemas" / "corrections.toml").open("a", encoding="utf-8") as file:
            file.write(CORRECTIONS.split("[[correction]]")[2].join(["[[correction]]", ""]).replace("Maker 4", entity))
    whole = zj.Project(tmp_path / "few").run(tmp_path / "whole", partitions=1)
    monkeypatch.setattr("zhiji_etl.rows.LARGE", 0)
    monkeypatch.setattr("zhiji_etl.rows.BATCH", 7)
    assert_same(whole, zj.Project(tmp_path / "few").run(tmp_path / "shards", partitions=12))


def test_a_run_in_shards_shows_what_one_in_one_piece_does(plain: Path, tmp_path: Path) -> None:
    """The summary, the report, `explain` and `diff` read outputs in parts."""
    results = [zj.Project(plain).run(tmp_path / name, partitions=number) for name, number in (("one", 1), ("many", 3))]
    texts = []
    for result in results:
        console = Console(width=200, record=True, file=io.StringIO())
        print_to(console, summary(result))
        texts.append(console.export_text().split("files:")[0])
        assert "<h2" in (result.path / "report.html").read_text(encoding="utf-8")
    assert texts[0].splitlines()[:12] == texts[1].splitlines()[:12]
    told = [explained_data(result.shown.findings["finding_id"][0], plain, result.path.parents[1]) for result in results]
    assert told[0]["finding"]["verdict"] == "inconsistent"
    assert {name: told[0]["finding"][name] for name in ("rule", "entity")} == {
        name: told[1]["finding"][name] for name in ("rule", "entity")
    }
    changes = compared(results[0].path, results[1].path)
    assert not changes.figures.height
    assert not changes.verdicts.height


def test_the_number_of_partitions_follows_from_the_bytes(plain: Path, tmp_path: Path) -> None:
    """Small folders are run in one piece; sidecars do not count."""
    assert partitions_of(plain / "raw") == 1
    (tmp_path / "large.csv").write_bytes(b" " * 60_000_000)
    (tmp_path / "large.toml").write_bytes(b" " * 60_000_000)
    assert partitions_of(tmp_path) == 8


def test_a_worker_that_sees_other_files_says_so(plain: Path, tmp_path: Path) -> None:
    """A shard must not be read by other schemas than the run began with."""
    project = Project(plain)
    task = Task(project, (("schemas/other.py", "0" * 64),), (), 2, tmp_path, Elsewhere())
    with pytest.raises(SourceError, match="other files") as caught:
        task.opened()
    assert caught.value.code == "source_changed"
    with pytest.raises(EngineError) as caught_versions:
        task._replace(versions=("zhiji_etl 0", "Polars 0")).opened()
    assert caught_versions.value.code == "engine_versions"


def test_a_failing_shard_leaves_the_last_run(plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error in one partition is the error of the run; the pointer stays, and nothing is left behind."""
    first = run_in_shards(Project(plain), tmp_path, engine("local", None, tmp_path / "scratch"), 2)

    def fail(*_given: object) -> None:
        raise OutputError("output_unwritable", "The disk is full.")

    monkeypatch.setattr("zhiji_etl.sharding.parts.write_rows", fail)
    with pytest.raises(OutputError, match="full"):
        run_in_shards(Project(plain), tmp_path, engine("local", None, tmp_path / "scratch"), 2)
    assert latest(tmp_path) == first.path
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [first.path.name]


def test_large_files_are_read_in_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one piece and by two processes, as they are read whole."""
    make(tmp_path / "few", 600, files=4)
    few = zj.Project(tmp_path / "few")
    whole = few.run(tmp_path / "whole", partitions=1)
    monkeypatch.setattr("zhiji_etl.sources.slices.SLICE", 1_000)
    monkeypatch.setattr("zhiji_etl.sources.structure.BLOCK", 500)
    assert sum(len(source.slices) for source in find_sources(tmp_path / "few" / "raw")) > 6
    assert_same(whole, zj.Project(tmp_path / "few").run(tmp_path / "one", partitions=1))
    assert_same(whole, zj.Project(tmp_path / "few").run(tmp_path / "shards", partitions=2, workers=2))


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet", "rows.jsonl"])
def test_raw_rows_stream_to_disk(tmp_path: Path, name: str) -> None:
    """Nothing in the physical plan of a large source holds it in memory: no in-memory engine, no sort, no join."""
    (tmp_path / "raw").mkdir()
    frame = pl.DataFrame({"entity": ["A"], "metric": ["sales"], "period": ["2020"], "printed": ["5 vehicles"]})
    {"csv": frame.write_csv, "parquet": frame.write_parquet, "jsonl": frame.write_ndjson}[name.split(".")[1]](
        tmp_path / "raw" / name
    )
    (source,) = find_sources(tmp_path / "raw")
    plan = corrections.amended(labels.in_our_names(scan_source(source, 1), source.sidecar), source.name, ())
    drawn = plan.show_graph(plan_stage="physical", engine="streaming", raw_output=True, show=False)
    nodes = {label.split("\\n")[0].split("[")[0] for label in re.findall(r'label="?([^"<\]]+)', str(drawn))}
    streaming = {"with-columns", "select", "multi-scan", "streaming-python-scan", "with-row-index", "filter"}
    assert nodes <= streaming, nodes - streaming


SCOPES = """
import zhiji_etl as zj

class Maker(zj.Table):
    sales: float = zj.Quantity("vehicle", ge=0)
    home: float = zj.Quantity("vehicle", ge=0)
    share: float = zj.Quantity("percent", ge=0, le=100)
    growth: float = zj.Quantity("percent")

    @zj.rule
    def share_of_some(m):
        market = m.of("The market").sales
        return zj.either(every=m.share == m.sales / market, home=m.share == m.home / market)

    @zj.rule
    def grew(m):
        return m.growth == m.sales / m.previous.sales - 1
"""


def test_groups_of_several_shards_that_are_not_tried_are_counted(tmp_path: Path) -> None:
    """Two makers need different markets of five years each: more choices of scopes than are tried."""
    for name in ("raw", "schemas"):
        (tmp_path / name).mkdir()
    (tmp_path / "schemas" / "makers.py").write_text(SCOPES, encoding="utf-8")
    rows = [
        (f"Maker {number}", metric, str(year), text)
        for number in range(6)
        for year in range(2018, 2023)
        for metric, text in (
            ("sales", "60,010 vehicles"),
            ("home", "50,010 vehicles"),
            ("share", "10.0%" if number % 2 else "5.0%"),
        )
    ]
    frame = pl.DataFrame(rows, ["entity", "metric", "period", "printed"], orient="row")
    frame.write_csv(tmp_path / "raw" / "makers.csv")
    whole = zj.Project(tmp_path).run(tmp_path / "whole", partitions=1)
    counted = whole.findings.filter(kind="conflict", verdict="not_checkable").get_column("message").to_list()
    assert len(counted) == 1
    assert_same(whole, in_shards(tmp_path, tmp_path / "shards", 4))
