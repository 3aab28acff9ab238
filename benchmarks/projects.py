"""Seeded projects of any size that look like the real thing, with a file of the errors planted in them.

    python -m benchmarks.projects FOLDER --figures 1000000 [--seed 1] [--errors 0.01]

Each company has five years of sales, revenue, their growth, a share of its market and two segments that add up: eight
figures a year, printed in a few hundred shapes of English and Chinese, three quarters of them in long files, the rest
in wide ones. `truth.csv` names each planted error: `entity, metric, period, printed, true` and the kind of slip.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import polars as pl

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
FIRST, YEARS = 2019, 5
METRICS = ("sales", "sales_growth", "share", "revenue", "revenue_growth", "home", "abroad", "employees")
MARKET = 25_769_000
COUNTS = ("{} vehicles", "{} cars", "{}辆", "about {} vehicles", "销量{}辆", "some {} vehicles", "{}")
MONEY = (
    "RMB{} million",
    "CNY {}m",
    "{}百万元",
    "RMB {} mn",
    "¥{} million",
    "RMB{}m",
    "{} million yuan",
    "人民币{}百万元",
)
PERCENTS = ("{}%", "{} percent", "{} per cent", "{} pct", "{}％", "{} %")
RISES = ("+{}%", "up {}%", "同比增长{}%", "grew {} percent", "rose {}%", "增长{}%", "an increase of {}%", "上升{}%")
FALLS = ("-{}%", "down {}%", "同比下降{}%", "fell {} percent", "({}%)", "减少{}%", "a decrease of {}%", "下滑{}%")
PEOPLE = ("{} employees", "{}名员工", "{} people", "{}人", "about {} employees")


def truth(companies: int, draw: np.random.Generator) -> dict[str, np.ndarray]:
    """The true numbers: for each metric an array of companies by years."""
    sales = draw.integers(20_000, 2_000_000, (companies, 1)) * np.cumprod(draw.uniform(0.8, 1.3, (companies, YEARS)), 1)
    revenue = draw.uniform(500, 90_000, (companies, 1)) * np.cumprod(draw.uniform(0.8, 1.3, (companies, YEARS)), 1)
    sales, revenue = np.round(sales), np.round(revenue, 1)
    home = np.round(revenue * draw.uniform(0.3, 0.9, revenue.shape), 1)
    growth = [
        np.diff(of, axis=1, prepend=np.nan) / np.concatenate([of[:, :1], of[:, :-1]], 1) for of in (sales, revenue)
    ]
    return {
        "sales": sales, "sales_growth": 100 * growth[0], "share": 100 * sales / MARKET,
        "revenue": revenue, "revenue_growth": 100 * growth[1],
        "home": home, "abroad": np.round(revenue - home, 1),
        "employees": draw.integers(100, 90_000, sales.shape).astype(float),
    }  # fmt: skip


def grouped(whole: pl.Expr) -> pl.Expr:
    """A whole number with commas between thousands."""
    text = whole.cast(pl.Int64).cast(pl.String)
    head = text.str.len_bytes() % 3
    first = pl.when(head == 0).then(3).otherwise(head)
    rest = text.str.slice(first).str.replace_all("([0-9]{3})", ",${1}")
    return text.str.slice(0, first) + rest


def printed(metric: str) -> pl.Expr:
    """The digits of a metric as such a figure is printed."""
    value = pl.col("value").abs()
    if metric in ("sales", "employees"):
        return pl.when(pl.col("draw") % 3 == 0).then(value.cast(pl.Int64).cast(pl.String)).otherwise(grouped(value))
    if metric in ("share", "sales_growth", "revenue_growth"):
        return value.round(2 if metric == "share" else 1).cast(pl.String)
    tenths = (value * 10).round().cast(pl.Int64)
    return grouped(tenths // 10) + "." + (tenths % 10).cast(pl.String)


def shaped(metric: str, shapes: tuple[str, ...], draw: str) -> pl.Expr:
    """The digits in one of some shapes, drawn for each figure."""
    sides = [shape.partition("{}")[::2] for shape in shapes]
    which = pl.col("draw") // 7 % len(shapes)
    before, after = (pl.lit(pl.Series([side[at] for side in sides])).gather(which) for at in (0, 1))
    return before + printed(metric) + after


def long_frame(metric: str, values: np.ndarray, draw: np.random.Generator) -> pl.DataFrame:
    """All figures of one metric in long form: `entity, metric, period, printed, value`."""
    companies = values.shape[0]
    frame = pl.DataFrame(
        {
            "company": np.repeat(np.arange(companies), YEARS),
            "year": np.tile(np.arange(FIRST, FIRST + YEARS), companies),
            "value": values.ravel(),
            "draw": draw.integers(0, 10_000, companies * YEARS),
        }
    ).filter(pl.col("value").is_not_nan())
    growth = metric.endswith("growth")
    shapes = {"sales": COUNTS, "share": PERCENTS, "employees": PEOPLE}.get(metric, MONEY)
    text = shaped(metric, shapes, "draw")
    if growth:
        text = pl.when(pl.col("value") < 0).then(shaped(metric, FALLS, "draw")).otherwise(shaped(metric, RISES, "draw"))
    return frame.select(
        entity=pl.format("Company {}", "company"), metric=pl.lit(metric), period=pl.col("year").cast(pl.String),
        printed=text, value="value",
    )  # fmt: skip


def planted(numbers: dict[str, np.ndarray], share: float, draw: np.random.Generator) -> pl.DataFrame:
    """Makes some numbers wrong, at most one a company, in place; a row for each with what is true."""
    companies = numbers["sales"].shape[0]
    hit = np.flatnonzero(draw.random(companies) < share * len(METRICS) * YEARS)
    rows = []
    for company in hit:
        metric = ("sales", "revenue", "home", "abroad")[draw.integers(4)]
        year = int(draw.integers(1, YEARS))
        slip, factor = (("tenfold", 10.0), ("10^4", 1e4), ("a third more", 4 / 3))[draw.integers(3)]
        true = float(numbers[metric][company, year])
        numbers[metric][company, year] = np.round(true * factor, 0 if metric == "sales" else 1)
        rows.append((f"Company {company}", metric, str(FIRST + year), slip, true))
    return pl.DataFrame(rows, ["entity", "metric", "period", "slip", "true"], orient="row")


def make(folder: Path, figures: int, *, seed: int = 1, errors: float = 0.001, files: int = 8) -> None:
    """Writes a project of about so many figures."""
    draw = np.random.default_rng(seed)
    companies = max(1, figures // (len(METRICS) * YEARS - 2))
    (folder / "raw").mkdir(parents=True, exist_ok=True)
    (folder / "schemas").mkdir(exist_ok=True)
    (folder / "schemas" / "company_year.py").write_text(SCHEMA, encoding="utf-8")
    numbers = truth(companies, draw)
    planted(numbers, errors, draw).write_csv(folder / "truth.csv")
    frame = pl.concat([long_frame(metric, numbers[metric], draw) for metric in METRICS]).drop("value")
    size = -(-len(frame) // files)
    for at in range(files):
        frame.slice(at * size, size).write_csv(folder / "raw" / f"part_{at:03}.csv")
        (folder / "raw" / f"part_{at:03}.toml").write_text('table = "company_year"\n', encoding="utf-8")
    market = [("The market", "sales", str(FIRST + year), f"{MARKET:,} vehicles") for year in range(YEARS)]
    pl.DataFrame(market, ["entity", "metric", "period", "printed"], orient="row").write_csv(
        folder / "raw" / "market.csv"
    )
    (folder / "raw" / "market.toml").write_text('table = "market_year"\n', encoding="utf-8")
    (folder / "zhiji.toml").write_text(f'name = "generated-{figures}"\n', encoding="utf-8")


def main() -> None:
    """Writes one project."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--figures", type=int, default=1_000_000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--errors", type=float, default=0.001)
    chosen = arguments.parse_args()
    make(chosen.folder, chosen.figures, seed=chosen.seed, errors=chosen.errors)


if __name__ == "__main__":
    main()
