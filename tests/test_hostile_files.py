"""Hostile workbooks, pages and texts, carried through whole runs within bounds of time and memory."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from soak.projects import HEADER, three, write

import zhiji_etl as zj
from zhiji_etl.errors import ZhijiError

SECONDS = 10.0
MEGABYTES = 300

RUN = """
import json, resource, sys, time
from pathlib import Path
import zhiji_etl as zj
def run(path):
    try:
        result = zj.Project(path).run()
        printed = result.rejects["printed"].fill_null("").to_list()
        return {"rejects": result.rejects["code"].to_list(), "figures": result.figures.height, "printed": printed}
    except zj.ZhijiError as error:
        return {"code": error.code}
run(sys.argv[1])  # what is loaded and made once is not the fault of a file
for path in sys.argv[2:]:
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    told = run(path)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({**told, "seconds": time.process_time() - start, "megabytes": (after - before) / 1024}))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return three(tmp_path / "project")


def bounded(checkout: Path, plain: Path, *hostile: Path) -> list[dict]:
    """What whole runs of projects give, in one process of its own, after checks that time and memory were bounded."""
    command = [sys.executable, "-c", RUN, str(plain), *map(str, hostile)]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(hostile)
    assert [
        (one["seconds"], one["megabytes"]) for one in found if one["seconds"] > SECONDS or one["megabytes"] > MEGABYTES
    ] == []
    return found


# ----------------------------------------------------------------------------------------------------------- texts


def test_numbers_that_no_float_holds(folder: Path):
    """Numbers too large or too small, and words for no number: none of them becomes an infinity or a NaN."""
    texts = [
        *("1e400", "-1e400", "1e-400", "nan", "NaN", "inf", "-inf", "Infinity", "∞", "1e308 vehicles", "0x10", "1_000"),
        *(
            "9e307 million vehicles",
            "1e400%",
            "NaN%",
            "inf vehicles",
            f"1{'0' * 400} vehicles",
            f"1{'0' * 307} million",
        ),
        *("over 1e400 vehicles", "1e400 to 1e401 vehicles", "about nan", "US$1e400 billion", "5e-324 percent"),
    ]
    rows = [f'A,{metric},{1000 + n},"{text}"\n' for n, text in enumerate(texts) for metric in ("sales", "share")]
    write(folder, "raw/z.csv", HEADER + "".join(rows))
    result = zj.Project(folder).run()
    assert result.rejects.filter(pl.col("source") == "z.csv").height >= 2 * len(texts) - 2
    numbers = result.figures.select(pl.col(pl.Float64))
    assert not any(numbers.select(pl.all().is_nan().any()).row(0))
    assert result.figures["value"].is_infinite().sum() == 0
    for table in result.tables.values():
        assert not any(table.select((pl.col(pl.Float64).is_nan() | pl.col(pl.Float64).is_infinite()).any()).row(0))


LONG = {
    "digits": "9" * 1_000_000,
    "zeros": "1" + "0" * 999_000,
    "brackets": "(" * 1_000_000,
    "pairs": "(5" * 300_000,
    "commas": "1," * 500_000,
    "scales": "5" + " million" * 120_000,
    "words": "one hundred and " * 60_000 + "five",
    "wan": "1" + "万" * 300_000,
    "ranges": "5 to " * 200_000,
    "exponent": "1e" + "9" * 100_000,
    "combining": "5" + "\u0301" * 400_000,
}


def test_cells_of_a_megabyte(folder: Path, checkout: Path, tmp_path: Path):
    rows = [f'A,sales,2019,"{text}"\nA,sales,"{text[:9_000]}",5\n' for text in LONG.values()]
    write(folder, "raw/z.csv", HEADER + "".join(rows))
    (found,) = bounded(checkout, three(tmp_path / "plain"), folder)
    assert found["rejects"].count("text_too_long") == len(LONG)
    assert found["rejects"].count("period_unreadable") == len(LONG)


def test_long_cells_do_not_fill_a_terminal(folder: Path, command):
    long = "y" * 200_000
    write(
        folder,
        "raw/z.csv",
        HEADER + f"A,{long},2019,5\n{long},sales,2019,5\n{long},sales,2019,9\nA,sales,2019,{long}\n",
    )
    told = command("run", folder)
    assert max(map(len, told.out.splitlines())) < 5_000
    assert told.err == ""


@pytest.mark.parametrize(
    ("ending", "codes"),
    [
        ("B,sales,2020,6", []),
        ("B,sales,20", ["row_short"]),
        ("B,", ["row_short"]),
        ('B,sales,2020,"6 veh', "quote_unclosed"),
        ("B,sales,2020,6万".encode()[:-1], "source_encoding"),
    ],
)
def test_a_last_line_that_is_cut(folder: Path, ending: str | bytes, codes: list[str] | str):
    """A cut is noticed where it shows; where the line looks whole, the manifest warns that it is not ended."""
    cut = ending if isinstance(ending, bytes) else ending.encode()
    (folder / "raw" / "z.csv").write_bytes((HEADER + "A,sales,2018,5\n").encode() + cut)
    if isinstance(codes, str):
        with pytest.raises(ZhijiError) as caught:
            zj.Project(folder).run()
        assert caught.value.code == codes
        return
    result = zj.Project(folder).run()
    assert result.rejects.filter(pl.col("source") == "z.csv")["code"].to_list() == codes
    (warnings,) = [entry["warnings"] for entry in result.manifest["inputs"] if entry["name"] == "z.csv"]
    assert len(warnings) == 1


@pytest.mark.parametrize("key", ["table", "vintage", "title", "note", "sheet"])
def test_a_sidecar_that_climbs(folder: Path, key: str):
    """No text of a sidecar leads to a file: a table is a name, a CSV file has no sheet, everything else is text."""
    write(folder, "raw/a.toml", f'{key} = "../../climbed"\n')
    before = sorted(folder.parent.iterdir())
    if key in ("table", "sheet"):
        with pytest.raises(ZhijiError) as caught:
            zj.Project(folder).run()
        assert caught.value.code == "sidecar_invalid"
    else:
        zj.Project(folder).run()
    assert sorted(folder.parent.iterdir()) == before


def test_rows_that_climb(folder: Path):
    """A row may name its table: no file is named after what a row says."""
    write(folder, "raw/z.csv", HEADER.replace("\n", ",table\n") + "A,sales,2019,5,../../climbed\n")
    result = zj.Project(folder).run()
    assert "table_unknown" in result.rejects["code"].to_list()
    assert not list(folder.parent.rglob("climbed*"))


# ----------------------------------------------------------------------------------------------- workbooks and pages

HEAD = "<tr><th>entity</th><th>metric</th><th>period</th><th>printed</th></tr>\n"
PAGES = {
    "colspan": ("<tr>" + "<td colspan=1000>1</td>\n" * 50_000 + "</tr>", "columns_too_many"),
    "rowspan": (
        "<tr>" + "<td rowspan=1000>1</td>\n" * 9_000 + "</tr>" + "<tr><td>1</td></tr>\n" * 3_000,
        "grid_too_large",
    ),
    "nested": ("<tr><td>" + "<table><tr><td>\n" * 50_000, "table_missing"),
    "deep": ("<b>\n" * 400_000, "table_missing"),
}


def test_pages(checkout: Path, folder: Path, tmp_path: Path):
    pytest.importorskip("selectolax", reason="the extra html is not installed")
    for name, (body, _) in PAGES.items():
        write(three(tmp_path / name), "raw/z.html", f"<table>{HEAD}{body}</table>")
    found = bounded(checkout, folder, *(tmp_path / name for name in PAGES))
    assert [one.get("code") for one in found] == [code for _, code in PAGES.values()]


def rewritten(path: Path, part: str, change: Callable[[str], str]) -> None:
    """A small workbook, of which one part is another."""
    openpyxl = pytest.importorskip("openpyxl", reason="the extra excel is not installed")
    book = openpyxl.Workbook()
    book.active.append(HEADER.strip().split(","))
    book.active.append(["A", "sales", "2019", "5 vehicles"])
    book.save(path)
    with zipfile.ZipFile(path) as whole:
        parts = {name: whole.read(name).decode() for name in whole.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in parts.items():
            made.writestr(name, change(text) if name == part else text)


SHEET = "xl/worksheets/sheet1.xml"
ENTITIES = "".join(f'<!ENTITY {more} "{f"&{less};" * 10}">' for less, more in zip("abcdefgh", "bcdefghi", strict=True))
LAUGHS = f'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "{"ha" * 50}">{ENTITIES}]>'
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
FAR = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
AREA = '</sheetData><mergeCells count="1"><mergeCell ref="A3:XFD1048576"/></mergeCells>'
FORMAT = '<xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
BOOKS: dict[str, tuple[str, Callable[[str], str], str | None]] = {
    "laughs": (
        SHEET,
        lambda text: LAUGHS + text[text.index("<worksheet") :].replace("<t>", "<t>&i;"),
        "source_corrupt",
    ),
    "a far cell": (SHEET, lambda text: text.replace("</sheetData>", FAR), "columns_too_many"),
    "a wide area": (SHEET, lambda text: text.replace("</sheetData>", AREA), None),
    "formats": (
        "xl/styles.xml",
        lambda text: text.replace("</cellXfs>", FORMAT * 300_000 + "</cellXfs>"),
        "source_unpacks",
    ),
    "an entity": (
        SHEET,
        lambda text: OUTSIDE + text[text.index("<worksheet") :].replace("<t>", "<t>&x;"),
        "source_corrupt",
    ),
}


def test_workbooks(checkout: Path, folder: Path, tmp_path: Path):
    for name, (part, change, _) in BOOKS.items():
        rewritten(three(tmp_path / name) / "raw" / "z.xlsx", part, change)
    found = bounded(checkout, folder, *(tmp_path / name for name in BOOKS))
    assert [one.get("code") for one in found] == [code for _, _, code in BOOKS.values()]
    hostname = Path("/etc/hostname")
    name = hostname.read_text().strip() if hostname.is_file() else "a name that no machine has"
    assert name not in json.dumps(found)
