"""Grids of text tables: every cell stands where the csv module of Python puts it, however long its line is."""

import csv
import gzip
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zhiji_etl.drafting.drafts import draft
from zhiji_etl.errors import SourceError
from zhiji_etl.sources import grids, structure

# A cell of quotes alone may stand in none: csv writes a line of one empty cell so, and no other reader tells it apart.
CELLS = st.text(st.sampled_from('aé万1,;\t"\n .-'), max_size=6)
LINES = st.lists(st.lists(CELLS, max_size=5), max_size=8)


def written(lines: list[list[str]], separator: str, line_end: str) -> str:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=separator, lineterminator=line_end).writerows(lines)
    return file.getvalue()


def grid(content: bytes, separator: str, ending: str = ".csv") -> grids.Grid:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{ending}"
        path.write_bytes(gzip.compress(content) if ending.endswith(".gz") else content)
        return grids.text_grid(path, separator)


@given(LINES, st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
@example([["Sales in 2020"], [], ["", "2019", "2020"], ["A", "1", "2"]], ",", "\n", True, True)
def test_cells_stand_where_the_csv_module_puts_them(
    lines: list[list[str]], separator: str, line_end: str, marked: bool, packed: bool
):
    text = written(lines, separator, line_end)
    content = text.encode("utf-8-sig" if marked and text else "utf-8")
    found = grid(content, separator, ".csv.gz" if packed else ".csv")
    expected = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    assert found.height == len(expected)
    assert found.width == max((max(len(line), 1) for line in expected), default=0)
    for row, line in enumerate(expected):
        for column in range(found.width):
            text = line[column] if column < len(line) else ""
            assert found.cell(row, column) == (text if text.strip() else None)


@given(LINES, st.integers(1, 40))
def test_blocks_of_any_size_give_one_shape(lines: list[list[str]], size: int):
    content = written(lines, ",", "\n").encode()
    whole = structure.csv_shape(io.BytesIO(content), "a.csv", ",")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(structure, "BLOCK", size)
        assert structure.csv_shape(io.BytesIO(content), "a.csv", ",") == whole


def test_a_stray_quote_is_told_with_its_place():
    with pytest.raises(SourceError) as caught:
        grid(b'Size,2019\n55" sets,7\n', ",")
    assert caught.value.code == "quote_stray"
    assert "line 2 (byte 12)" in caught.value.message


def test_a_line_of_very_many_cells_is_refused_before_it_is_read():
    with pytest.raises(SourceError) as caught:
        grid(b"," * 10_001 + b"\n", ",")
    assert caught.value.code == "columns_too_many"
    with pytest.raises(SourceError) as caught:
        grid(b"," * 9_000 + b"\n" * 3_000, ",")
    assert caught.value.code == "grid_too_large"


def test_a_draft_finds_the_separator_where_the_usual_one_does_not_do(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text('Item;"2019"\n"Sales; net";5,1 million\n')
    assert 'separator = ";"' in draft(path)


def test_a_figure_in_several_cells_of_a_page_is_one_print(tmp_path: Path):
    """As filings set them; a currency in a column of units stays a label."""
    pytest.importorskip("selectolax", reason="the extra html is not installed")
    from zhiji_etl.sources.html import html_tables

    page = """<table>
    <tr><td></td><td colspan="2">2023</td><td colspan="3">2024</td></tr>
    <tr><td>Revenue</td><td>RMB</td><td>1,000</td><td>US$</td><td>1,200</td><td></td></tr>
    <tr><td>Income</td><td>RMB</td><td>—</td><td></td><td>(30</td><td>)</td></tr>
    <tr><td>Margin</td><td></td><td>19.5</td><td></td><td>(1.2</td><td>)%</td></tr></table>
    <table><tr><td>Item</td><td>Unit</td><td>2023</td></tr><tr><td>Revenue</td><td>RMB</td><td>1,000</td></tr></table>"""
    (tmp_path / "a.html").write_text(page, encoding="utf-8")
    first, second = html_tables(tmp_path / "a.html")
    assert first.rows(1, 3) == [
        ["Revenue", None, "RMB 1,000", None, "US$ 1,200", None],
        ["Income", None, "RMB —", None, "(30)", None],
        ["Margin", None, "19.5", None, "(1.2)%", None],
    ]
    assert second.rows(1, 1) == [["Revenue", "RMB", "1,000"]]
