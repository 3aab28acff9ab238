"""Seeded projects of any size that look like the real thing, with a file of the errors planted in them.

    python -m benchmarks.projects FOLDER --figures 1000000 [--seed 1] [--errors 0.001] [--files 8]

Each company has five years of sales, revenue, their growth, a share of its market, two segments that add up and its
employees: eight figures a year, printed in hundreds of shapes of English and Chinese (`shapes.toml`). A company stands
in two files, its operations in one and its accounts in another: long CSV, wide CSV (one row a company and metric, one
column a year) or Parquet. `truth.csv` names each planted error: `entity, metric, period, slip, printed, true`.
Companies are made and written block by block, each block from a seed of its own: the memory that is taken does not grow
with the project.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from benchmarks.prints import FIRST, MARKET, METRICS, YEARS, Style, printed, texts, truth
from benchmarks.shapes import LANGUAGES, headers, labels, names
from benchmarks.slips import SLIPS, Planted, plant

SCHEMA = '''"""What a company reports for a year."""

import zhiji_etl as zj


class CompanyYear(zj.Table):
    """What one company reports for one year."""

    sales: float = zj.Quantity("vehicle", ge=0)
    sales_growth: float = zj.Quantity("percent")
    share: float = zj.Quantity("percent", ge=0, le=100)
    revenue: float = zj.Quantity("CNY", ge=0)
    revenue_growth: float = zj.Quantity("percent")
    home: float = zj.Quantity("CNY", ge=0)
    abroad: float = zj.Quantity("CNY", ge=0)
    employees: float = zj.Quantity("employee", ge=0, nouns=("person",))

    @zj.rule
    def share_of_market(m):
        """The share follows from the sales and the size of the market."""
        return m.share == m.sales / m.of("The market").sales

    @zj.rule
    def sales_grew(m):
        """Growth of sales is measured against the year before."""
        return m.sales_growth == m.sales / m.previous.sales - 1

    @zj.rule
    def revenue_grew(m):
        """Growth of revenue is measured against the year before."""
        return m.revenue_growth == m.revenue / m.previous.revenue - 1

    @zj.rule
    def segments(m):
        """The two segments make the revenue."""
        return m.revenue == m.home + m.abroad


class MarketYear(zj.Table):
    """What all companies sell together."""

    sales: float = zj.Quantity("vehicle", ge=0)
'''
BLOCK = 1_000
"""Companies that are made at once."""
PORTIONS = {
    "operations": ("sales", "sales_growth", "share", "employees"),
    "accounts": ("revenue", "revenue_growth", "home", "abroad"),
}
"""The metrics of the two files in which a company stands."""
FORMS = {"operations": ("long", "parquet", "long", "wide"), "accounts": ("wide", "long")}
"""The forms of the files of each portion, in turn."""
CHINESE = 1 / 3
CELLS = len(METRICS) * YEARS
"""Cells of a company, the empty ones of the first year's growth included."""
FIGURES = CELLS - 2


@dataclass(frozen=True)
class Block:
    """Companies from `first` on: their cells (`entity, metric, label, unit, period, printed`) and errors."""

    first: int
    cells: pl.DataFrame
    truth: pl.DataFrame

    def part(self, companies: range, portion: str) -> pl.DataFrame:
        """The cells of some companies (those of them that it holds) for a portion of the metrics."""
        start = max(companies.start - self.first, 0)
        stop = max(companies.stop - self.first, start)
        some = self.cells.slice(start * CELLS, (stop - start) * CELLS)
        return some.filter(pl.col("metric").is_in(PORTIONS[portion]))


@dataclass
class RawFile:
    """One raw file: some companies, a portion of their metrics, in a form; written piece by piece."""

    path: Path
    companies: range
    portion: str
    form: str
    header: list[str]
    writer: pq.ParquetWriter | None = None

    def write(self, block: Block) -> None:
        """What the block has for it."""
        cells = block.part(self.companies, self.portion)
        if cells.is_empty():
            return
        frame = wide(cells) if self.form == "wide" else long(cells, self.header)
        if self.form == "parquet":
            self._append(frame)
        else:
            with self.path.open("ab") as stream:
                frame.write_csv(stream, include_header=stream.tell() == 0)

    def _append(self, frame: pl.DataFrame) -> None:
        arrow = frame.to_arrow()
        if self.writer is None:
            self.writer = pq.ParquetWriter(self.path, arrow.schema)
        self.writer.write_table(arrow)

    def close(self) -> None:
        """Ends a Parquet file: its writer holds memory until then."""
        if self.writer is not None:
            self.writer.close()
            self.writer = None

    def sidecar(self) -> str:
        """What says how the file is read."""
        if self.form == "wide":
            told = ["[layout]", 'columns = ["period"]', 'rows = ["entity", "metric"]']
        else:
            told = [
                "[columns]",
                *(f'{ours} = "{theirs}"' for ours, theirs in zip(headers()[0], self.header, strict=True)),
            ]
        named = [f'"{text}" = "{metric}"' for (metric, _), (text, _) in labels().items()]
        return "\n".join(['table = "company_year"', *told, "[names.metric]", *named, ""])


def long(cells: pl.DataFrame, header: list[str]) -> pl.DataFrame:
    """One row a figure, under the headers of the file."""
    rows = cells.filter(pl.col("printed").is_not_null())
    return rows.select("entity", "label", "period", "printed").rename(
        dict(zip(("entity", "label", "period", "printed"), header, strict=True))
    )


def wide(cells: pl.DataFrame) -> pl.DataFrame:
    """One row a company and metric, one column a year."""
    years = {str(FIRST + year): cells.get_column("printed").gather_every(YEARS, year) for year in range(YEARS)}
    return (
        cells.gather_every(YEARS)
        .select(Company="entity", Item=pl.format("{} ({})", "label", "unit"))
        .with_columns(**years)
    )


def raw_files(folder: Path, companies: int, files: int) -> list[RawFile]:
    """The files of a project: two for each range of companies."""
    ranges = max(1, files // 2)
    each = -(-companies // ranges)
    return [
        RawFile(
            path=folder / f"{portion}_{number:03}.{'parquet' if form == 'parquet' else 'csv'}",
            companies=range(number * each, min((number + 1) * each, companies)),
            portion=portion,
            form=form,
            header=headers()[number % len(headers())],
        )
        for portion, forms in FORMS.items()
        for number in range(ranges)
        for form in [forms[number % len(forms)]]
        if number * each < companies
    ]


def blocks(companies: int, files: list[RawFile], seed: int, errors: float) -> Iterator[Block]:
    """The companies of a project, block by block, printed as their files want it."""
    for first in range(0, companies, BLOCK):
        draw = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(first // BLOCK,)))
        at = np.arange(first, min(first + BLOCK, companies))
        values = truth(len(at), draw)
        language = (draw.random(len(at)) < CHINESE).astype(int)
        style = Style(draw.random(values.shape), language, _in_wide_files(at, files))
        prints = printed(values, style)
        planted = plant(values, prints, style, errors, draw)
        cells = _cells(at, style, texts(prints, ~np.isnan(values)))
        yield Block(first, cells, _told(planted, values, cells))


def _in_wide_files(at: np.ndarray, files: list[RawFile]) -> np.ndarray:
    """Whether a metric of a company stands in a wide file: companies by METRICS."""
    found = np.zeros((len(at), len(METRICS)), bool)
    for file in files:
        if file.form == "wide":
            inside = (at >= file.companies.start) & (at < file.companies.stop)
            found |= inside[:, None] & np.isin(METRICS, PORTIONS[file.portion])
    return found


def _cells(at: np.ndarray, style: Style, printed_texts: pl.Series) -> pl.DataFrame:
    names_of = [names(at, language) for language in LANGUAGES]
    company = np.repeat(np.arange(len(at)), CELLS)
    metric = np.tile(np.repeat(np.arange(len(METRICS)), YEARS), len(at))
    label = style.language[company] * len(METRICS) + metric
    called = [labels()[metric, language] for language in LANGUAGES for metric in METRICS]
    return pl.DataFrame(
        {
            "entity": pl.concat(names_of).gather((style.language * len(at) + np.arange(len(at)))[company]),
            "metric": pl.Series(METRICS).gather(metric),
            "label": pl.Series([text for text, _ in called]).gather(label),
            "unit": pl.Series([unit for _, unit in called]).gather(label),
            "period": pl.Series([str(FIRST + year) for year in range(YEARS)] * len(METRICS) * len(at)),
            "printed": printed_texts,
        }
    )


def _told(planted: Planted, values: np.ndarray, cells: pl.DataFrame) -> pl.DataFrame:
    """The planted errors as `truth.csv` names them."""
    rows = planted.company * CELLS + planted.metric * YEARS + planted.year
    return cells[rows].select(
        "entity", "metric", "period", slip=pl.Series(list(SLIPS)).gather(planted.slip), printed="printed",
        true=pl.Series(values[planted.company, planted.metric, planted.year]),
    )  # fmt: skip


def make(folder: Path, figures: int, *, seed: int = 1, errors: float = 0.001, files: int = 8) -> None:
    """Writes a project of about so many figures in about so many files; `errors` is the share of figures tried."""
    companies = max(1, figures // FIGURES)
    for name in ("raw", "schemas"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "schemas" / "company_year.py").write_text(SCHEMA, encoding="utf-8")
    (folder / "zhiji.toml").write_text(f'name = "generated-{figures}"\n', encoding="utf-8")
    _write_market(folder / "raw")
    parts = raw_files(folder / "raw", companies, files)
    for part in parts:
        part.path.unlink(missing_ok=True)
        part.path.with_suffix(".toml").write_text(part.sidecar(), encoding="utf-8")
    with ExitStack() as closing, (folder / "truth.csv").open("wb") as told:
        for part in parts:
            closing.callback(part.close)
        for block in blocks(companies, parts, seed, errors):
            block.truth.write_csv(told, include_header=block.first == 0)
            for part in parts:
                part.write(block)
                if part.companies.stop <= block.first + BLOCK:
                    part.close()


def _write_market(raw: Path) -> None:
    rows = [("The market", "sales", str(FIRST + year), f"{MARKET:,} vehicles") for year in range(YEARS)]
    pl.DataFrame(rows, ["entity", "metric", "period", "printed"], orient="row").write_csv(raw / "market.csv")
    (raw / "market.toml").write_text('table = "market_year"\n', encoding="utf-8")


def main() -> None:
    """Writes one project."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--figures", type=int, default=1_000_000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--errors", type=float, default=0.001)
    arguments.add_argument("--files", type=int, default=8)
    chosen = arguments.parse_args()
    make(chosen.folder, chosen.figures, seed=chosen.seed, errors=chosen.errors, files=chosen.files)


if __name__ == "__main__":
    main()
