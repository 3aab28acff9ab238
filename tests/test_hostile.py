"""Hostile raw files: each ends in a coded error or in rejects, within bounds of time and memory."""

import gzip
import json
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import zhiji_etl
from zhiji_etl.errors import ZhijiError
from zhiji_etl.sources import find_sources, ordinals, scan_source

ROOT = Path(zhiji_etl.__file__).parents[1]
HEADER = b"entity,metric,period,printed\n"
ROW = "甲,销量,2019,623.8万辆\n".encode()
SECONDS = 10.0
MEGABYTES = 200

MEASURED = """
import json, resource, sys, time
from pathlib import Path
import polars as pl, pydantic, numpy, pyarrow.parquet
from zhiji_etl.errors import ZhijiError
from zhiji_etl.sources import find_sources, ordinals, scan_source
before, start, code = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic(), None
try:
    sources = find_sources(Path(sys.argv[1]))
    for source in sources:
        scan_source(source, ordinals(sources)[source.name]).collect(engine="streaming")
except ZhijiError as error:
    code = error.code
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"code": code, "seconds": time.monotonic() - start, "megabytes": (after - before) / 1024}))
"""


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / "raw"
    folder.mkdir(parents=True)
    return folder


def read(raw: Path) -> pl.DataFrame:
    sources = find_sources(raw)
    numbers = ordinals(sources)
    return pl.concat([scan_source(s, numbers[s.name]).collect(engine="streaming") for s in sources])


def failure(raw: Path) -> ZhijiError:
    with pytest.raises(ZhijiError) as caught:
        read(raw)
    assert str(caught.value).replace("\n", "").isprintable()
    return caught.value


def bounded(raw: Path) -> str | None:
    """The error's code, after a check in a process of its own that time and memory were bounded."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", MEASURED, str(raw)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    found = json.loads(done.stdout)
    assert found["seconds"] < SECONDS
    assert found["megabytes"] < MEGABYTES
    return found["code"]


# ------------------------------------------------------------------------------------------------------- encodings


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (HEADER + ROW + ROW.decode().encode("gb18030"), "source_encoding", ["line 3", "(byte 57)", "GB18030", "iconv"]),
        (HEADER + b"caf\xe9,m,2019,1\n", "source_encoding", ["line 2", "byte 32", "WINDOWS-1252"]),
        (HEADER + b"Citro\xebn,m,2019,1\n", "source_encoding", ["line 2", "byte 34", "WINDOWS-1252"]),
        ((HEADER + ROW).decode().encode("utf-16"), "source_encoding", ["line 1", "byte 0", "UTF-16"]),
        (HEADER.decode().encode("utf-16-le"), "source_encoding", ["line 1", "byte 1", "NUL"]),
        (HEADER + b"A,m,2019,1\x002\n", "source_encoding", ["line 2", "byte 39", "NUL"]),
        ((HEADER + ROW * 3).replace(b"\n", b"\r"), "line_ends", ["line 1", "carriage return"]),
        (HEADER + b"A,m,20\r19,1\n", "line_ends", ["line 2"]),
        (HEADER + b'A,m,2019,5" pipe\n', "quote_stray", ["line 2", "byte 39"]),
        (HEADER + b'A,m,2019,"5"x\n', "quote_stray", ["line 2"]),
        (HEADER + b'A,m,2019, "5"\n', "quote_stray", ["line 2"]),
        (HEADER + ROW + b'A,m,2019,"5\nB,m,2019,1\n', "quote_unclosed", ["line 3"]),
        (b"", "source_empty", ["empty"]),
        (b"\n\n" + HEADER, "header_invalid", ["first line is blank"]),
        (b'"entity,metric\n', "header_invalid", ["header"]),
        (HEADER.replace(b"metric", b"entity"), "header_duplicate", ["entity"]),
        (HEADER + b"a\n" * 2000, "rows_ragged", ["1,000", "separator"]),
    ],
)
def test_text_that_is_no_csv(raw: Path, content: bytes, code: str, words: list[str]):
    (raw / "a.csv").write_bytes(content)
    error = failure(raw)
    assert (error.code, error.exit_code) == (code, 4)
    assert [word for word in [*words, "a.csv"] if word not in str(error)] == []
    assert error.hint


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + HEADER + ROW,
        b'\xef\xbb\xbf"entity",metric,period,printed\n' + ROW,
        (HEADER + ROW).replace(b"\n", b"\r\n"),
        HEADER + ROW.strip(),
        HEADER + '甲,销量,2019,"623.8万辆"\n'.encode(),
    ],
)
def test_text_that_only_looks_strange(raw: Path, content: bytes):
    (raw / "a.csv").write_bytes(content)
    assert read(raw).select("entity", "printed").rows() == [("甲", "623.8万辆")]


def test_a_fault_after_many_blocks_names_its_line(raw: Path):
    (raw / "a.csv").write_bytes(HEADER + ROW * 100_000 + b"A,m,2019,\xff\n" + ROW)
    assert "line 100002 " in str(failure(raw))


# ------------------------------------------------------------------------------------------------------------ size


def test_a_cell_of_100_megabytes(raw: Path):
    with (raw / "a.csv").open("wb") as file:
        file.write(HEADER + b"A,m,2019,")
        file.writelines(b"9" * 1_000_000 for _ in range(100))
    assert bounded(raw) == "record_too_long"


def test_a_cell_of_100_megabytes_in_lines(raw: Path):
    (raw / "a.csv").write_bytes(HEADER + b'A,m,2019,"' + b"never closed\n" * 8_000_000)
    assert bounded(raw) == "quote_unclosed"


def test_a_long_cell_in_a_whole_file(raw: Path):
    (raw / "a.csv").write_bytes(HEADER + ROW + b"A,m,2019," + b"9" * 2_000_000 + b"\n")
    error = failure(raw)
    assert error.code == "cell_too_long"
    assert "line 3" in str(error)


def test_a_line_of_json_of_100_megabytes(raw: Path):
    (raw / "a.jsonl").write_bytes(b'{"entity": "' + b"9" * 100_000_000 + b'"}\n')
    assert bounded(raw) == "record_too_long"


def test_a_million_columns(raw: Path):
    (raw / "a.csv").write_bytes(b",".join(b"c%d" % n for n in range(1_000_000)) + b"\n")
    assert bounded(raw) == "header_invalid"
    (raw / "a.csv").write_bytes(b",".join(b"c%d" % n for n in range(20_000)) + b"\n")
    assert failure(raw).code == "columns_too_many"


def test_a_gzip_bomb(raw: Path):
    with gzip.open(raw / "a.csv.gz", "wb") as file:
        file.write(HEADER)
        file.writelines(b"A,m,2019," + b"1" * 100_000 + b"\n" for _ in range(1_000))
    assert bounded(raw) == "source_unpacks"


@pytest.mark.parametrize("cut", [5, 30, 60])
def test_a_broken_gzip(raw: Path, cut: int):
    (raw / "a.csv.gz").write_bytes(gzip.compress(HEADER + ROW * 3)[:cut])
    assert failure(raw).code == "source_corrupt"


def workbook(path: Path, rows: list[list[str]]) -> None:
    pytest.importorskip("openpyxl", reason="the extra excel is not installed")
    xlsxwriter = pytest.importorskip("xlsxwriter", reason="the extra test is not installed")
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Figures")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)


def test_a_workbook_that_unpacks_to_gigabytes(raw: Path, tmp_path: Path):
    workbook(tmp_path / "small.xlsx", [["entity"]])
    with (
        zipfile.ZipFile(tmp_path / "small.xlsx") as small,
        zipfile.ZipFile(raw / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as z,
    ):
        for name in small.namelist():
            z.writestr(name, small.read(name))
        with z.open("xl/worksheets/sheet2.xml", "w") as part:
            for _ in range(300):
                part.write(b" " * 1_000_000)
    assert bounded(raw) == "source_unpacks"


def test_a_workbook_that_is_none(raw: Path):
    (raw / "a.xlsx").write_bytes(b"PK\x03\x04 and no more")
    assert failure(raw).code == "source_corrupt"


def test_a_workbook(raw: Path):
    head = HEADER.decode().strip().split(",")
    workbook(raw / "a.xlsx", [head, ["A", "share", "2019", "22.7%"], ["B", "share", "2019", 0.227]])
    frame = read(raw)
    assert frame["printed"].to_list() == ["22.7%", "0.227"]
    assert frame["defect"].to_list() == [None, None]
    (raw / "a.toml").write_text('sheet = "Figure"')
    error = failure(raw)
    assert error.code == "sheet_missing"
    assert 'sheet = "Figures"' in str(error)


# ------------------------------------------------------------------------------------------- JSON lines and Parquet


def test_json_lines_keep_the_print(raw: Path):
    lines = [
        '{"entity": "A", "metric": "m", "period": 2019, "printed": 1.50}',
        '{"entity": "A", "metric": "m", "period": "2019", "printed": 1e400}',
        '{"entity": "A", "metric": "m", "period": "2019", "printed": NaN, "x": null}',
        "[1, 2]",
        '{"entity": {"a": 1}}',
        '{"entity": "A", "entity": "B"}',
        '{"entity": "cut',
        "[" * 100_000,
        "",
    ]
    (raw / "a.jsonl").write_text("\n".join(lines) + "\n")
    frame = read(raw)
    assert frame["printed"].to_list()[:3] == ["1.50", "1e400", "NaN"]
    assert frame["defect"].to_list() == [None] * 3 + ["json_invalid"] * 5
    assert frame["locator"].to_list() == [f"row {n}" for n in range(1, 9)]


def test_json_lines_are_never_lost(raw: Path, monkeypatch: pytest.MonkeyPatch):
    line = '{"entity": "A\u2028\u0085B", "metric": "m", "period": "2019", "printed": "1"}\n'
    monkeypatch.setattr("zhiji_etl.sources.structure.BLOCK", 64)
    monkeypatch.setattr("zhiji_etl.sources.lines.BATCH", 2)
    (raw / "a.jsonl").write_text("\ufeff" + line + line + "\ufeff" + line + line, encoding="utf-8", newline="\n")
    frame = read(raw)
    assert frame["defect"].to_list() == [None, None, "json_invalid", None]
    assert frame["entity"].to_list() == ["A\u2028\u0085B"] * 2 + [None, "A\u2028\u0085B"]


@pytest.mark.parametrize(
    "text",
    [
        "[\n" + '{"entity": "A"},\n' * 2000 + "]\n",
        '\ufeff[{"entity": "A"}]',
        json.dumps([{"entity": "A", "printed": "5"}], indent=2),
    ],
)
def test_json_that_is_one_list(raw: Path, text: str):
    """Also where some of its lines would be objects: those alone are not what the file says."""
    (raw / "a.jsonl").write_text(text, encoding="utf-8")
    assert failure(raw).code == "json_invalid"
    assert "a.jsonl holds one JSON list, and no JSON lines." in str(failure(raw))


def test_json_of_no_whole_line(raw: Path):
    (raw / "a.jsonl").write_text(json.dumps({"entity": "A", "printed": "5"}, indent=2))
    error = failure(raw)
    assert error.code == "json_invalid"
    assert "a.jsonl, line 1: The line is no JSON object" in error.message


@pytest.mark.parametrize(
    ("name", "sidecar", "key"),
    [
        ("a.csv", 'sheet = "Sales"', "sheet"),
        ("a.csv", '[layout]\nsheet = 2\nrows = ["metric"]\ncolumns = ["period"]\nentity = "A"', "sheet"),
        ("a.jsonl", 'sheet = "Sales"', "sheet"),
        ("a.jsonl", 'separator = ";"', "separator"),
    ],
)
def test_a_key_that_this_kind_of_file_has_no_use_for(raw: Path, name: str, sidecar: str, key: str):
    (raw / name).write_text("entity,metric,period,printed\nA,m,2019,5\n")
    (raw / "a.toml").write_text(sidecar)
    error = failure(raw)
    assert error.code == "sidecar_invalid"
    assert error.message.startswith(f"The sidecar of {name} says {key}, which only ")


def test_parquet_of_numbers_is_refused(raw: Path):
    frame = pl.DataFrame({"entity": ["A"], "metric": ["m"], "period": [2019], "printed": [0.227]})
    frame.write_parquet(raw / "a.parquet")
    error = failure(raw)
    assert error.code == "column_type"
    assert "printed (Float64)" in str(error)
    frame.with_columns(printed=pl.lit("22.7%")).write_parquet(raw / "a.parquet")
    assert read(raw).select("period", "printed").rows() == [("2019", "22.7%")]


def test_parquet_without_text_or_rows(raw: Path):
    pl.DataFrame({"n": [1]}).write_parquet(raw / "a.parquet")
    assert failure(raw).code == "column_missing"
    pl.DataFrame(schema={"n": pl.Int64}).write_parquet(raw / "a.parquet")
    assert failure(raw).code == "column_missing"
    names = HEADER.decode().strip().split(",")
    pl.DataFrame(schema=dict.fromkeys(names, pl.String)).write_parquet(raw / "a.parquet")
    assert read(raw).height == 0


def test_a_parquet_bomb(raw: Path):
    cells = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1_100_000, np.int8)), pa.array(["A"]))
    table = pa.table(
        {**dict.fromkeys(HEADER.decode().strip().split(","), cells), **{f"c{n}": cells for n in range(60)}}
    )
    pq.write_table(table, raw / "a.parquet", row_group_size=2_000_000)
    assert (raw / "a.parquet").stat().st_size < 1_000_000
    assert bounded(raw) == "source_unpacks"


FUZZ = """
import random, sys
from pathlib import Path
from zhiji_etl.errors import ZhijiError
from zhiji_etl.sources import find_sources, scan_source
path = Path(sys.argv[1]) / "a.parquet"
whole, chance = path.read_bytes(), random.Random(3)
refused = 0
for _ in range(150):
    content = bytearray(whole)
    for _ in range(chance.choice([1, 1, 4])):
        content[chance.randrange(len(whole) - 400, len(whole))] = chance.randrange(256)
    path.write_bytes(content)
    try:
        scan_source(find_sources(path.parent)[0], 1).collect(engine="streaming")
    except ZhijiError as error:
        refused += 1
print(refused)
"""


def test_a_parquet_with_a_lying_footer(raw: Path):
    rows = {"entity": ["A", "B"], "metric": ["m"] * 2, "period": ["2019"] * 2, "printed": ["1", "2"]}
    pl.DataFrame(rows).write_parquet(raw / "a.parquet")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", FUZZ, str(raw)], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 10


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".jsonl", ".parquet", ".xlsx"])
def test_random_bytes(raw: Path, ending: str):
    (raw / f"a{ending}").write_bytes(random.Random(1).randbytes(5000))
    assert failure(raw).exit_code == 4


# ------------------------------------------------------------------------------------------------ names and links


def test_a_name_with_brackets_is_no_pattern(raw: Path):
    (raw / "a[12].csv").write_bytes(HEADER + ROW * 2)
    (raw / "a1.csv").write_bytes(HEADER + ROW)
    pl.DataFrame({"entity": ["A"], "metric": ["m"], "period": ["1"], "printed": ["1"]}).write_parquet(
        raw / "[a]*.parquet"
    )
    assert read(raw)["source"].to_list() == ["[a]*.parquet", "a1.csv", "a[12].csv", "a[12].csv"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("name", ["a\x1b[31m.csv", "a\nb.csv", "a\u202evsc.csv", "\udcff.csv"])
def test_names_that_steer_a_terminal(raw: Path, name: str):
    (raw / name).write_bytes(HEADER + ROW)
    assert failure(raw).code == "source_name"


def test_headers_that_steer_a_terminal(raw: Path):
    (raw / "a.csv").write_bytes(b"\x1b[31mentity,metric,period,printed\n")
    assert failure(raw).code == "column_missing"
    (raw / "a.csv").write_bytes(HEADER + ROW)
    (raw / "a.toml").write_text('"\\u001b[31m" = 1\ntable = "\\u001b[31m"\n')
    assert failure(raw).code == "sidecar_invalid"


def test_links_out_of_the_project(raw: Path, tmp_path: Path):
    (tmp_path / "secret.csv").write_bytes(HEADER + ROW)
    (raw / "a.csv").symlink_to(tmp_path / "secret.csv")
    assert failure(raw).code == "source_outside"
    (raw / "a.csv").unlink()
    (raw.parent / "kept.csv").write_bytes(HEADER + ROW)
    (raw / "a.csv").symlink_to("../kept.csv")
    assert read(raw).height == 1
    (raw / "a.toml").symlink_to("/etc/hostname")
    assert failure(raw).code == "source_outside"


def test_what_is_no_plain_file(raw: Path):
    (raw / "a.csv").mkdir()
    assert failure(raw).code == "source_unreadable"
    (raw / "a.csv").rmdir()
    os.mkfifo(raw / "a.csv")
    assert failure(raw).code == "source_unreadable"
    (raw / "a.csv").unlink()
    (raw / "a.csv").symlink_to("gone.csv")
    assert failure(raw).code == "source_unreadable"
    (raw / "a.csv").unlink()
    (raw / "a.csv").symlink_to("a.csv")
    assert failure(raw).code in ("source_unreadable", "source_outside")


@pytest.mark.parametrize("content", [b"\xff\xfet\x00", b"title = '" + b"x" * 2_000_000 + b"'", b"a = " + b"[" * 50_000])
def test_hostile_sidecars(raw: Path, content: bytes):
    (raw / "a.csv").write_bytes(HEADER + ROW)
    (raw / "a.toml").write_bytes(content)
    error = failure(raw)
    assert (error.code, error.exit_code) == ("sidecar_invalid", 3)
