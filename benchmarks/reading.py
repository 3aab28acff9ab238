"""How fast printed figures are read, here and by the parsers of the field that are installed (`make peers`).

    python benchmarks/reading.py [--rows N] [--stream N]

One table: cells a second, sentences a second, each of one process, and rows of a column a second on all cores of this
machine, with the memory of a process that streams `--stream` rows from Parquet to Parquet. All rows are distinct, of up
to 500 shapes: money, percent and counts in English and Chinese. Rates differ between machines and moments; the ratios
in one run are what counts. Parsers that are not installed are named below the table.
"""

from __future__ import annotations

import argparse
import importlib
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.record import NOT_INSTALLED, Measure, Spent, in_turn, scaled
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


def shapes() -> list[tuple[str, str]]:
    """What stands before and after the number in 500 shapes of cells."""
    money = product(
        ("", "about ", "over ", "nearly "),
        ("RMB", "US$", "$", "€", "£", "HK$", "EUR ", "USD ", "CNY"),
        ("", " million", " billion", "m", "bn", " thousand", " trillion", "k"),
    )
    chinese = product(
        ("", "约", "逾", "近", "超过", "不足"),
        ("",),
        ("亿元", "万元", "亿美元", "万辆", "人", "台", "元", "万吨", "亿港元", "辆"),
    )
    changes = product(("", "同比增长", "下降", "环比上升", "占比", "up ", "down "), ("",), ("%", "个百分点", "％"))
    nouns = ("vehicles", "employees", "shares", "stores", "units", "customers", "cars", "patents", "people", "houses")
    counts = product(
        ("", "some ", "more than ", "at least ", "fewer than ", "around ", "almost ", "up to ", "only ", "a total of "),
        ("",),
        (*(f" {noun}" for noun in nouns), *(f" million {noun}" for noun in nouns)),
    )
    parts = [*money, *chinese, *changes, *counts]
    return [(f"{one}{two}", three) for one, two, three in parts[:500]]


def mixed_column(rows: int, seed: int = 1) -> pl.Series:
    """Cells of 500 shapes, each another text."""
    before, after = (pl.Series(side) for side in zip(*shapes(), strict=True))
    draw = np.random.default_rng(seed)
    shape = pl.Series(draw.integers(0, len(before), rows))
    number = pl.Series(np.arange(rows) * 7919 % 9_999_991 + 1)
    low, middle = ((number // size % 1000).cast(pl.String) for size in (1, 1000))
    grouped = (
        pl.when(number >= 10**6)
        .then((number // 10**6).cast(pl.String) + "," + middle.str.zfill(3) + "," + low.str.zfill(3))
        .when(number >= 1000).then(middle + "," + low.str.zfill(3))
        .otherwise(low)
    )  # fmt: skip
    decimal = (number // 100).cast(pl.String) + "." + (number % 100).cast(pl.String).str.zfill(2)
    printed = pl.select(pl.when(pl.Series(draw.random(rows) < 0.5)).then(grouped).otherwise(decimal)).to_series()
    return (before.gather(shape) + printed + after.gather(shape)).alias("printed")


def column_rate(rows: int) -> float:
    """Rows of a column a second of wall time, the best of three."""
    column = mixed_column(rows)
    parse_series(column.head(1000))
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        parse_series(column)
        best = min(best, time.perf_counter() - began)
    return rows / best


def streamed(rows: int) -> tuple[float, float, float]:
    """Rows a second of wall time from Parquet to Parquet on the streaming engine, in a process of its own; the peak
    memory of that process, and of one that does the same with a tenth of the rows, in megabytes.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "printed.parquet")
        mixed_column(rows).to_frame().write_parquet(path)
        tenth, whole = (
            subprocess.run(
                [sys.executable, "-c", _STREAM, str(path), str(count), str(Path(folder, "figures.parquet"))],
                capture_output=True, text=True, check=True,
            ).stdout.split()
            for count in (rows // 10, rows)
        )  # fmt: skip
    return rows / float(whole[0]), float(whole[1]) / 1024, float(tenth[1]) / 1024


_STREAM = """
import pathlib, re, sys, time
import polars as pl
import zhiji_etl
rows = pl.scan_parquet(sys.argv[1]).head(int(sys.argv[2]))
began = time.perf_counter()
rows.select(pl.col("printed").figure.parse()).sink_parquet(sys.argv[3])
seconds = time.perf_counter() - began
print(seconds, re.search(r"VmHWM:\\s*([0-9]+)", pathlib.Path("/proc/self/status").read_text())[1])
"""


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
        ("price-parser", "price_parser", "dollar cells", lambda m: m.Price.fromstring),
        ("quantulum3", "quantulum3.parser", "sentences", lambda m: m.parse),
        ("Recognizers-Text", "recognizers_number_with_unit", "sentences", lambda m:
         lambda t: m.recognize_currency(t, "en-us")),
        ("JioNLP", "jionlp", "Chinese cells", lambda m: m.parse_money),
        ("JioNLP", "jionlp", "Chinese sentences", lambda m: m.ner.extract_money),
    ):  # fmt: skip
        try:
            found.append((name, given, call(importlib.import_module(module))))
        except ImportError:
            absent.append(name)
    return found, absent


def measures(small: bool) -> list[Measure]:
    """The same texts here and by each parser of the field; whole columns beside them and beside our own one by one."""
    given = texts(2_000 if small else 20_000, 200 if small else 2_000)
    others, absent = peers()
    column = mixed_column(20_000 if small else 1_000_000)
    some = column.head(2_000 if small else 20_000).to_list()
    ours = in_turn([lambda: parse_series(column), lambda: [parse(text) for text in some]])
    found = [
        Measure(
            f"column of {len(column):,} cells of {len(shapes())} shapes",
            "our own parse, one by one",
            ours[0],
            scaled(ours[1], len(column) / len(some)),
        )
    ]
    for name, kind, read in others:
        found += _beside(name, kind, read, given[kind], 20 if small else 200)
    return found + [Measure("reading", name, None, None, NOT_INSTALLED) for name in dict.fromkeys(absent)]


def _beside(name: str, kind: str, read: Callable[[str], object], given: list[str], sample: int) -> list[Measure]:
    """One by one, and cells as a column, too. The slow peers read some of the sentences, and take so much longer."""
    some, rounds = (given, 3) if "cells" in kind else (given[:sample], 1)
    read(some[0])
    (taken,) = in_turn([lambda: [read(text) for text in some]], rounds)
    theirs = scaled(taken, len(given) / len(some))
    reader = find if "sentences" in kind else parse
    (ours,) = in_turn([lambda: [reader(text) for text in given]])
    found = [Measure(f"{len(given):,} {kind}, one by one", name, ours, theirs, _rates(len(given), ours, theirs))]
    if "cells" in kind:
        column = pl.Series("printed", given)
        (ours,) = in_turn([lambda: parse_series(column)])
        note = _rates(len(given), ours, theirs)
        found.append(Measure(f"{len(given):,} {kind}, as a column", f"{name}, one by one", ours, theirs, note))
    return found


def _rates(count: int, ours: Spent, theirs: Spent) -> str:
    return f"{count / ours.processor:,.0f} a second of a core, beside {count / theirs.processor:,.0f}"


def texts(cell_count: int, sentence_count: int) -> dict[str, list[str]]:
    """What parsers are given, by kind."""
    return {
        "dollar cells": dollars(cell_count),
        "sentences": sentences(sentence_count),
        "Chinese cells": [f"{at % 900 + 1}.{at % 10}亿元" for at in range(cell_count)],
        "Chinese sentences": [text for text in sentences(4 * sentence_count) if "年" in text],
    }


def main() -> None:
    """Prints the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--stream", type=int, default=0)
    chosen = arguments.parse_args()
    given = texts(20_000, 2_000)
    table = [
        ("zhiji_etl, column of mixed cells, all cores", column_rate(chosen.rows)),
        ("zhiji_etl, parse, shapes seen", rate(parse, cells(20_000))),
        ("zhiji_etl, parse, new shapes", 5_000 / once(parse, new_shapes(5_000))),
        *((f"zhiji_etl, {name}", rate(find if "sentences" in name else parse, texts)) for name, texts in given.items()),
    ]
    others, absent = peers()
    for name, kind, read in others:
        table.append((f"{name}, {kind}", rate(read, given[kind] if "cells" in kind else given[kind][:200])))
    print(f"{'reader':48s}{'a second':>14s}")
    for name, value in table:
        print(f"{name:48s}{value:14,.0f}")
    if absent:
        print(f"not installed: {', '.join(absent)}")
    if chosen.stream:
        speed, peak, tenth = streamed(chosen.stream)
        print(
            f"streamed {chosen.stream:,} rows: {speed:,.0f} a second, at most {peak:,.0f} MB; a tenth: {tenth:,.0f} MB"
        )


def once(read: Callable[[str], object], texts: list[str]) -> float:
    """Seconds of processor time for reading each text once."""
    began = time.process_time()
    for text in texts:
        read(text)
    return time.process_time() - began


if __name__ == "__main__":
    main()
