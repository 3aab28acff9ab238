"""How fast printed figures are read, here and by the parsers of the field that are installed.

    python benchmarks/reading.py [--rows N]

One table: cells a second (one process), sentences a second, and rows of a column a second (all cores of this machine).
Rates differ between machines and moments; the ratios in one run are what counts. Parsers that are not installed are
left out and named below the table.
"""

from __future__ import annotations

import argparse
import importlib
import random
import time
from collections.abc import Callable, Iterable

import polars as pl

from zhiji_etl.reading import find, parse, parse_series

PATTERNS = (
    "RMB{} billion", "${} million", "{}%", "{}万辆", "约{}亿元", "over {} billion yuan", "{} vehicles", "同比增长{}%",
    "US${} million", "{} percent", "down {} percent", "({})", "{}", "¥{}", "{}万元", "{} million shares", "€{}",
    "{} employees", "{}亿美元", "nearly {} million", "{}人", "EUR {}", "{} bps", "at least {}%", "{}元/辆", "{}x",
    "{} to {} percent", "RMB{} billion (US${} billion)",
)  # fmt: skip
SENTENCES = (
    "In {y} sales rose {p} percent to ${m} million, from ${m} million in {y}.",
    "As of December 31, {y}, the company had {n} vehicles and {n} employees, {p}% more than a year before.",
    "Net cash of ${m} million and RMB{m} million (US${p} million) was held in {n} accounts; see Note {y}.",
    "{y}年销量{p}万辆，同比下降{p}%，收入{m}亿元。",
)


def cells(count: int, seed: int = 1) -> list[str]:
    """Distinct cells of many shapes."""
    draw = random.Random(seed)
    return [PATTERNS[draw.randrange(len(PATTERNS))].format(digits(draw), digits(draw)) for _ in range(count)]


def digits(draw: random.Random) -> str:
    """A printed number: with or without separators and decimals."""
    return draw.choice(("{:,}", "{:.1f}", "{:,.2f}", "{}")).format(draw.randrange(1, 9_999_999))


def sentences(count: int, seed: int = 1) -> list[str]:
    """Distinct sentences of few shapes."""
    draw = random.Random(seed)
    return [
        SENTENCES[at % len(SENTENCES)].format(
            y=draw.randrange(1990, 2025), p=draw.randrange(10, 999) / 10,
            m=f"{draw.randrange(1, 99_999):,}", n=draw.randrange(2, 999)
        )
        for at in range(count)
    ]  # fmt: skip


def dollars(count: int) -> list[str]:
    """Cells that every parser can read."""
    return [f"${at % 900 + 1},{at % 1000:03d}.{at % 100:02d}" for at in range(count)]


def rate(read: Callable[[str], object], texts: Iterable[str]) -> float:
    """Texts a second of processor time, the best of three."""
    texts = list(texts)
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        for text in texts:
            read(text)
        best = min(best, time.process_time() - began)
    return len(texts) / best


def column_rate(rows: int) -> float:
    """Rows of a column a second of wall time, the best of three."""
    column = pl.Series("printed", cells(rows))
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        parse_series(column)
        best = min(best, time.perf_counter() - began)
    return rows / best


def new_shapes(count: int) -> list[str]:
    """Cells of shapes that no reader has seen: each counts another noun."""
    draw = random.Random(7)
    letters = "bcdfghklmnprst"
    return [
        f"{draw.randrange(2, 999)} {''.join(draw.choice(letters) + draw.choice('aeiou') for _ in range(5))}s"
        for _ in range(count)
    ]


def peers() -> tuple[list[tuple[str, str, Callable[[str], object]]], list[str]]:
    """Parsers of the field: name, what they are given, their call; and the names of those that are not installed."""
    found: list[tuple[str, str, Callable[[str], object]]] = []
    absent: list[str] = []
    for name, module, given, call in (
        ("price-parser", "price_parser", "cells", lambda m: m.Price.fromstring),
        ("quantulum3", "quantulum3.parser", "sentences", lambda m: m.parse),
        ("Recognizers-Text", "recognizers_number_with_unit", "sentences", lambda m:
         lambda t: m.recognize_currency(t, "en-us")),
        ("JioNLP", "jionlp", "sentences", lambda m: m.extract_money),
    ):  # fmt: skip
        try:
            found.append((name, given, call(importlib.import_module(module))))
        except ImportError:
            absent.append(name)
    return found, absent


def main() -> None:
    """Prints the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    rows = arguments.parse_args().rows
    mixed, plain, prose = cells(20_000), dollars(20_000), sentences(2_000)
    table = [
        ("zhiji_etl, column of mixed cells", column_rate(rows)),
        ("zhiji_etl, parse, shapes seen", rate(parse, mixed)),
        ("zhiji_etl, parse, dollar cells", rate(parse, plain)),
        ("zhiji_etl, parse, new shapes", 5_000 / once(parse, new_shapes(5_000))),
        ("zhiji_etl, find, sentences", rate(find, prose)),
    ]
    others, absent = peers()
    for name, given, read in others:
        table.append((f"{name}, {given}", rate(read, plain if given == "cells" else prose[:200])))
    print(f"{'reader':44s}{'a second':>14s}")
    for name, value in table:
        print(f"{name:44s}{value:14,.0f}")
    if absent:
        print(f"not installed: {', '.join(absent)}")


def once(read: Callable[[str], object], texts: list[str]) -> float:
    """Seconds of processor time for reading each text once."""
    began = time.process_time()
    for text in texts:
        read(text)
    return time.process_time() - began


if __name__ == "__main__":
    main()
