"""What the commands print fits a terminal: no line is longer than it, and no number is cut."""

import io
import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from zhiji_etl.findings import between, legible
from zhiji_etl.pipeline import RunResult
from zhiji_etl.terminal.printing import print_to
from zhiji_etl.terminal.runs import history_table
from zhiji_etl.terminal.summary import summary

WIDTHS = (60, 80, 200)
LETTERS = st.characters(codec="ascii", categories=["L", "N"])
SAID = st.lists(st.text(LETTERS, min_size=1, max_size=12), min_size=1)


def printed(what: object, width: int, *, terminal: bool = True) -> list[str]:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=terminal, color_system=None)
    print_to(console, what)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def words(lines: list[str]) -> list[str]:
    return [word for line in lines for word in line.split()]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_summary_fits(reference_result: RunResult, width: int):
    path = str(reference_result.path)
    lines = [line for line in printed(summary(reference_result), width) if line not in path + "/report.html"]
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines)
    whole = printed(summary(reference_result), 500, terminal=False)
    numbers = re.compile(r"[\d,]*\d\.\d+|\d{6,}")
    assert set(numbers.findall(" ".join(whole))) - set(numbers.findall(path)) <= set(numbers.findall(" ".join(lines)))


def test_what_goes_on_stands_below_its_text():
    lines = printed(Text("  implied   1 2 3 4 5 6 7 8 9 10 11 12 13"), 24)
    assert lines == ["  implied   1 2 3 4 5 6", "            7 8 9 10 11", "            12 13"]
    assert printed(Text("  a line without any label"), 16) == ["  a line", "    without any", "    label"]


def test_elsewhere_lines_stay_whole():
    text = "  implied   " + " ".join(map(str, range(60)))
    assert printed(Text(text), 40, terminal=False) == [text]


@given(SAID, st.integers(30, 90))
def test_no_word_is_lost(said: list[str], width: int):
    text = f"  {said[0]}   " + " ".join(said)
    lines = printed(Text(text), width)
    assert words(lines) == text.split()
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_the_runs_fit(width: int):
    run = {"run_id": "20201225T061500000000Z-0123ab", "finished": "2020-12-25T06:15:01+00:00", "latest": True}
    counts = {"raw_rows": 12_345_678, "figures": 23_456_789, "rejects": 345_678, "findings": 4_567_890}
    lines = printed(history_table([run | counts]), width)
    assert max(map(len, lines)) <= width
    text = " ".join(lines)
    assert all(str(count) in text for count in counts.values())
    assert run["run_id"] in text
    assert "latest" in text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (22.65, 22.75, "22.65 to 22.75"),
        (1970.0, 1970.0, "1970"),
        (184_999.5, 185_000.5, "184,999.5 to 185,000.5"),
        (-25_000.0, 0.0, "-25,000 to 0"),
        (999_500.0, 1_000_500.0, "999,500 to 1.0005 million"),
        (5e11, 1.5e12, "500 billion to 1.5 trillion"),
        (1e10, float("inf"), "above 10 billion"),
        (float("-inf"), -2.5e6, "below -2.5 million"),
        (0.0000125, 0.0000135, "0.0000125 to 0.0000135"),
        (999_999.94, 999_999.96, "999,999.9 to 1 million"),
    ],
)
def test_numbers_in_messages_are_legible(low: float, high: float, text: str):
    ends = pl.DataFrame({"low": [low], "high": [high]})
    told = ends.with_columns(legible(ends.get_column(name)).alias(f"__{name}") for name in ends.columns)
    assert told.select(between("low", "high")).item() == text
