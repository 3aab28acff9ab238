"""Raw files as rows: sidecars, identity of rows, the structure of CSV files against Python's own csv module."""

import csv
import hashlib
import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiji_etl.errors import ProjectError, SourceError, ZhijiError
from zhiji_etl.sources import check_unchanged, find_sources, ordinals, read_sidecar, scan_source
from zhiji_etl.sources import structure as structure_module
from zhiji_etl.sources.structure import csv_structure

HEADER = "entity,metric,period,printed\n"
ROW = "Alpha,sales,2019,6.238 million vehicles\n"


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / "raw"
    folder.mkdir(parents=True)
    return folder


def rows_of(raw: Path, name: str | None = None) -> pl.DataFrame:
    sources = find_sources(raw)
    numbers = ordinals(sources)
    chosen = [source for source in sources if name in (None, source.name)]
    return pl.concat([scan_source(s, numbers[s.name]).collect(engine="streaming") for s in chosen], how="diagonal")


def error_of(action) -> ZhijiError:
    with pytest.raises(ZhijiError) as caught:
        action()
    return caught.value


# ----------------------------------------------------------------------------------------------------------- rows


def test_plain_form(raw: Path):
    (raw / "alpha.csv").write_text(HEADER + ROW + "乙公司,销量,2019年,623.8万辆\n", encoding="utf-8")
    frame = rows_of(raw)
    assert frame.columns[:4] == ["row_id", "source", "locator", "entity"]
    assert frame.select("entity", "metric", "period", "printed").rows() == [
        ("Alpha", "sales", "2019", "6.238 million vehicles"),
        ("乙公司", "销量", "2019年", "623.8万辆"),
    ]
    assert frame["locator"].to_list() == ["row 2", "row 3"]
    assert (
        frame.select("table", "note", "decimals", "vintage", "defect", "defect_reason").null_count().row(0) == (2,) * 6
    )
    assert all(dtype == pl.String for name, dtype in frame.schema.items() if name != "row_id")


def test_nothing_is_inferred(raw: Path):
    cells = ["600104", "00123", "1e400", "nan", "2019-01-01", "true", " 22.70 ", "-"]
    (raw / "a.csv").write_text(HEADER + "".join(f"A,m,2019,{cell}\n" for cell in cells))
    assert rows_of(raw)["printed"].to_list() == cells


def test_row_ids_stay_when_other_files_come(raw: Path):
    (raw / "beta.csv").write_text(HEADER + ROW * 2)
    before = rows_of(raw)["row_id"]
    (raw / "alpha.csv").write_text(HEADER + ROW)
    assert rows_of(raw, "beta.csv")["row_id"].equals(before)
    assert before.max() < 2**52
    assert before.diff()[1] == 1


def test_ordinals_settle_collisions_in_the_order_of_names(raw: Path, monkeypatch: pytest.MonkeyPatch):
    for name in "abcdefgh":
        (raw / f"{name}.csv").write_text(HEADER + ROW)
    monkeypatch.setattr("zhiji_etl.sources.files.ORDINALS", 8)
    sources = find_sources(raw)
    assert sorted(ordinals(sources).values()) == list(range(8))
    assert ordinals(reversed(sources)) == ordinals(sources)


def test_given_locators_and_defaults(raw: Path):
    (raw / "a.csv").write_text(
        "locator,vintage,table,entity,metric,period,printed\np. 3,,x,A,m,2019,1\n,2,,A,m,2019,2\n"
    )
    (raw / "a.toml").write_text('table = "company_year"\nvintage = "first"\n')
    frame = rows_of(raw)
    assert frame["locator"].to_list() == ["p. 3", "row 3"]
    assert frame["table"].to_list() == ["x", "company_year"]
    assert frame["vintage"].to_list() == ["first", "2"]


@pytest.mark.parametrize(
    ("sidecar", "vintage"),
    [
        ("restates = true", "a.csv"),
        ("restates = true\npublished = 2021-03-26", "2021-03-26"),
        ('restates = true\npublished = 2021-03-26\nvintage = "second"', "second"),
        ("published = 2021-03-26", None),
    ],
)
def test_a_source_that_restates_is_a_vintage_of_its_own(raw: Path, sidecar: str, vintage: str | None):
    (raw / "a.csv").write_text("entity,metric,period,printed\nA,m,2019,1\n")
    (raw / "a.toml").write_text(sidecar + "\n")
    assert rows_of(raw)["vintage"].to_list() == [vintage]


def test_rows_without_text_are_no_rows_and_the_others_keep_their_number(raw: Path):
    (raw / "a.csv").write_text(HEADER + "\n" + ROW + ",,,\n\n" + ROW + "\n")
    assert rows_of(raw)["locator"].to_list() == ["row 3", "row 6"]


def test_ragged_rows_are_kept_with_their_text(raw: Path):
    (raw / "a.csv").write_text(HEADER + "A,sales\n" + ROW + 'B,sales,2019,"1,234",extra\n  \n')
    frame = rows_of(raw)
    assert frame["defect"].to_list() == ["row_short", None, "row_long", "row_short"]
    assert frame["defect_reason"][0] == "The row has 2 cells where the header has 4: A,sales"
    assert "extra" in frame["defect_reason"][2]


def test_columns_are_renamed_and_strange_ones_kept(raw: Path):
    (raw / "a.csv").write_text("Company,metric,period,Value as printed,unit\nA,m,2019,1,x\n")
    (raw / "a.toml").write_text('[columns]\nentity = "Company"\nprinted = "Value as printed"\nraw_unit = "unit"\n')
    frame = rows_of(raw)
    assert frame.select("entity", "printed", "raw_unit").rows() == [("A", "1", "x")]


@pytest.mark.parametrize(
    ("header", "code", "words"),
    [
        ("entity,metric,perod,printed", "column_missing", ["period", "perod", '[columns] period = "perod"']),
        ("entity;metric;period;printed", "column_missing", ['separator = ";"']),
        ("entity,metric,period,printed,unit", "column_reserved", ["raw_unit", 'caption = "unit"']),
        ("entity,metric,period,printed,source", "column_reserved", ["raw_source"]),
        ("entity,metric,period,printed,count", "column_reserved", ["raw_count"]),
        ("entity,metric,period,printed,period_note", "column_reserved", ["raw_period_note"]),
        ("entity,metric,period,printed,printed", "header_duplicate", ["printed"]),
        ("entity,metric,period,printed,", "header_invalid", ["column 5"]),
    ],
)
def test_headers_that_cannot_be_used(raw: Path, header: str, code: str, words: list[str]):
    (raw / "a.csv").write_text(f"{header}\n")
    error = error_of(lambda: rows_of(raw))
    assert (error.code, error.exit_code) == (code, 4)
    assert [word for word in [*words, "a.csv"] if word not in str(error)] == []


def test_a_wrong_mapping_names_the_header_that_is_not_there(raw: Path):
    (raw / "a.csv").write_text(HEADER + ROW)
    (raw / "a.toml").write_text('[columns]\nentity = "Company"\n')
    assert "Company" in str(error_of(lambda: rows_of(raw)))


def test_rows_stream(raw: Path):
    (raw / "a.csv").write_text(HEADER + ROW + "short\n")
    source = find_sources(raw)[0]
    plan = scan_source(source, 1).show_graph(plan_stage="physical", engine="streaming", raw_output=True)
    assert "in-memory-map" not in plan
    assert "multiplexer" not in plan


def test_order_of_rows_is_the_files(raw: Path):
    count = 200_000
    lines = "".join(f"A,m,2019,{n}\n" if n % 1000 else f"A,{n}\n" for n in range(1, count + 1))
    (raw / "a.csv").write_text(HEADER + lines)
    frame = rows_of(raw)
    assert frame.height == count
    assert frame["row_id"].is_sorted()
    assert frame.filter(pl.col("defect").is_not_null()).height == count // 1000


# --------------------------------------------------------------------------------------------------------- folder


def test_folder_errors(raw: Path, tmp_path: Path):
    assert error_of(lambda: find_sources(raw)).code == "raw_empty"
    assert error_of(lambda: find_sources(tmp_path / "nowhere")).code == "raw_empty"
    (raw / "notes.docx").write_bytes(b"x")
    (raw / "README.md").write_text("about")
    (raw / ".hidden").write_text("x")
    error = error_of(lambda: find_sources(raw))
    assert error.code == "source_type"
    assert "notes.docx" in str(error)
    assert ".parquet" in str(error)
    assert "README" not in error.message


def test_all_broken_files_are_told_at_once(raw: Path):
    (raw / "a.csv").write_bytes(b"")
    (raw / "b.csv").write_bytes(b"entity,\xff\n")
    (raw / "c.csv").write_text(HEADER + ROW)
    error = error_of(lambda: find_sources(raw))
    assert isinstance(error, SourceError)
    assert "a.csv" in str(error)
    assert "b.csv" in str(error)


def test_hash_and_change(raw: Path):
    content = (HEADER + ROW).encode() * 1
    (raw / "a.csv").write_bytes(content)
    (raw / "a.toml").write_text('title = "T"\n')
    sources = find_sources(raw)
    assert sources[0].sha256 == hashlib.sha256(content).hexdigest()
    assert sources[0].entry()["bytes"] == len(content)
    check_unchanged(sources)
    (raw / "a.toml").write_text('title = "U"\n')
    assert error_of(lambda: check_unchanged(sources)).code == "source_changed"
    (raw / "a.csv").unlink()
    assert error_of(lambda: check_unchanged(sources)).code == "source_changed"


def test_same_stem_needs_the_full_name(raw: Path):
    (raw / "a.csv").write_text(HEADER + ROW)
    (raw / "a.tsv").write_text((HEADER + ROW).replace(",", "\t"))
    (raw / "a.toml").write_text("")
    error = error_of(lambda: find_sources(raw))
    assert (error.code, "a.csv.toml" in str(error)) == ("sidecar_ambiguous", True)
    (raw / "a.toml").rename(raw / "a.tsv.toml")
    assert [s.sidecar_path is not None for s in find_sources(raw)] == [False, True]
    assert rows_of(raw)["printed"].n_unique() == 1


def test_orphan_sidecar(raw: Path):
    (raw / "alpha_motor.csv").write_text(HEADER + ROW)
    (raw / "alpha_moter.toml").write_text("")
    error = error_of(lambda: find_sources(raw))
    assert (error.code, error.exit_code) == ("sidecar_orphan", 3)
    assert "alpha_motor.toml" in str(error)


# -------------------------------------------------------------------------------------------------------- sidecar


def test_sidecar(tmp_path: Path):
    path = tmp_path / "a.toml"
    path.write_text(
        """
        title = "Annual report"
        published = 2020-03-31
        accessed = "January 2021"
        rounding = "truncation"
        trust = inf
        fiscal_year_end = "03-31"
        [fx]
        method = "fixed"
        start = "2019-04-01"
        end = 2020-03-31
        rate = "6.9695"
        [identifiers."Alpha Motor"]
        stock_code = "000104"
        """
    )
    sidecar = read_sidecar(path)
    assert sidecar.published == "2020-03-31"
    assert sidecar.trust == float("inf")
    assert sidecar.fx is not None
    assert (sidecar.fx.start, sidecar.fx.end) == (date(2019, 4, 1), date(2020, 3, 31))
    assert sidecar.fx.rate == Decimal("6.9695")
    assert sidecar.identifiers == {"Alpha Motor": {"stock_code": "000104"}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("titel = 'x'", ["line 1", "'titel'", "'title'"]),
        ("\n[fx]\nmetod = 'x'", ["line 3", "fx.metod", "'method'"]),
        ("trust = 0", ["line 1", "'trust'", "above 0"]),
        ("trust = nan", ["'trust'"]),
        ("trust = '2'", ["'trust'"]),
        ("[identifiers.A]\ncode = 600104", ["line 2", "identifiers.A.code", 'stock_code = "600104"']),
        ("url = 'javascript:alert(1)'", ["'url'", "https://"]),
        ("table = '../../etc/passwd'", ["'table'"]),
        ("path = '../x.csv'", ["'path'", "unknown"]),
        ("currency = 'yuan'", ["'currency'", "ISO 4217"]),
        ("fiscal_year_end = '13-01'", ["'fiscal_year_end'", "MM-DD"]),
        ("decimal_comma = 1", ["'decimal_comma'"]),
        ("rounding = 'up'", ["'rounding'", "truncation"]),
        ("[fx]\nrate = 0", ["'fx.rate'"]),
        ("title = unquoted", ["line 1", "TOML"]),
        ("title = 'a'\ntitle = 'b'", ["stands twice"]),
        ("[layout]\nentity = 'A'\n[[layout]]", ["stands twice", "[[layout]]"]),
    ],
)
def test_sidecar_slips(tmp_path: Path, text: str, words: list[str]):
    path = tmp_path / "a.toml"
    path.write_text(text)
    error = error_of(lambda: read_sidecar(path))
    assert isinstance(error, ProjectError)
    assert error.code == "sidecar_invalid"
    assert [word for word in [*words, "a.toml"] if word not in str(error)] == []


def test_all_slips_of_a_sidecar_at_once_in_the_order_of_lines(tmp_path: Path):
    path = tmp_path / "a.toml"
    path.write_text("titel = 'x'\ntrust = -1\nurl = 'ftp://x'\n[fx]\nrate = -1\n")
    lines = error_of(lambda: read_sidecar(path)).message.splitlines()
    assert [line.split(":")[0].rpartition(" ")[2] for line in lines] == ["1", "2", "3", "5"]


# ------------------------------------------------------------------------------------------------------ structure

cells = st.text(alphabet=st.sampled_from('ab,"\n\r 车é'), max_size=6).filter(lambda text: text.strip("\r") == text)
tables = st.integers(2, 5).flatmap(lambda n: st.lists(st.lists(cells, min_size=n, max_size=n), max_size=12))


def written(rows: list[list[str]], end: str) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    return buffer.getvalue().encode()


@given(tables, st.sampled_from(["\n", "\r\n"]), st.integers(1, 40), st.booleans())
def test_whole_tables_have_no_defect_whatever_the_block(rows, end, block, bom):
    width = len(rows[0]) if rows else 2
    names = [f"c{n}" for n in range(width)]
    content = (b"\xef\xbb\xbf" if bom else b"") + written([names, *rows], end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structure_module, "BLOCK", block)
        found = csv_structure(io.BytesIO(content), "a.csv")
    assert found.columns == tuple(names)
    assert found.defects == ()
    assert found.sha256 == hashlib.sha256(content).hexdigest()


@given(st.lists(st.lists(cells, min_size=1, max_size=6), max_size=12), st.integers(1, 40))
def test_defects_are_the_rows_that_python_finds(rows, block):
    names = ["a", "b", "c"]
    content = written([names, *rows], "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structure_module, "BLOCK", block)
        found = csv_structure(io.BytesIO(content), "a.csv")
    read = list(csv.reader(io.StringIO(content.decode(), newline="")))
    expected = [(n, "row_short" if len(row) < 3 else "row_long") for n, row in enumerate(read[1:]) if len(row) != 3]
    assert [(defect.row, defect.code) for defect in found.defects] == expected


@given(tables.filter(len), st.sampled_from(["\n", "\r\n"]))
def test_polars_reads_what_was_checked(tmp_path_factory, rows, end):
    width = len(rows[0])
    names = ["entity", "metric", "period", "printed", "x"][: max(width, 4)]
    full = [row + [""] * (len(names) - len(row)) for row in rows]
    raw = tmp_path_factory.mktemp("project") / "raw"
    raw.mkdir()
    (raw / "a.csv").write_bytes(written([names, *full], end))
    assert rows_of(raw).select(names).rows() == [tuple(row) for row in full]


def test_the_end_of_a_cut_file_is_told(raw: Path):
    (raw / "a.csv").write_text(HEADER + ROW.strip())
    assert "cut short" in find_sources(raw)[0].warnings[0]
    assert rows_of(raw).height == 1


ragged = st.lists(st.lists(cells, min_size=1, max_size=6), max_size=30)


@given(ragged, st.sampled_from(["\n", "\r\n"]), st.integers(1, 200), st.booleans(), st.sampled_from([",", ";"]))
def test_slices_of_a_file_hold_its_rows_in_order(tmp_path_factory, rows, end, size, bom, separator):
    raw = tmp_path_factory.mktemp("project") / "raw"
    raw.mkdir()
    text = HEADER.replace("\n", end).encode() + written(rows, end)
    (raw / "a.csv").write_bytes((b"\xef\xbb\xbf" if bom else b"") + text.replace(b",", separator.encode()))
    (raw / "a.toml").write_text(f'separator = "{separator}"\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structure_module, "BLOCK", 7)
        whole = rows_of(raw)
        patch.setattr("zhiji_etl.sources.slices.SLICE", size)
        (source,) = find_sources(raw)
    parts = [scan_source(part, ordinals([source])["a.csv"]).collect() for part in source.parts]
    assert pl.concat(parts).equals(whole)
    assert sum(part.bytes for part in source.parts) == source.bytes
    assert size > 60 or len(rows) < 5 or len(parts) > 1


@given(st.integers(0, 40), st.integers(1, 9), st.integers(1, 900))
def test_slices_of_a_parquet_file_are_row_groups(tmp_path_factory, height, group, size):
    raw = tmp_path_factory.mktemp("project") / "raw"
    raw.mkdir()
    row = dict(zip(HEADER.strip().split(","), ROW.strip().split(","), strict=True))
    rows = [row | {"entity": f"Maker {number}"} for number in range(height)]
    pl.DataFrame(rows, schema=dict.fromkeys(row, pl.String)).write_parquet(raw / "a.parquet", row_group_size=group)
    whole = rows_of(raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zhiji_etl.sources.slices.SLICE", size)
        (source,) = find_sources(raw)
    parts = [scan_source(part, ordinals([source])["a.parquet"]).collect() for part in source.parts]
    assert pl.concat(parts).equals(whole)
    assert size > 100 or height <= group or len(parts) > 1
