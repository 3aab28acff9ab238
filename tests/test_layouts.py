"""Wide tables in every form: each cell a figure or a reject of its own, at its address."""

import contextlib
import json
import random
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import zhiji_etl as zj
from zhiji_etl.errors import SourceError, ZhijiError
from zhiji_etl.pipeline import RunResult
from zhiji_etl.sources import find_sources, scan_source
from zhiji_etl.sources.grids import Span, address, column_letters, grid_of
from zhiji_etl.sources.sidecar import Layout

SCHEMA = '''
import zhiji_etl as zj


class MakerPeriod(zj.Table):
    """One maker, one period."""

    vehicle_sales: float = zj.Quantity("vehicle", ge=0)
    growth: float = zj.Quantity("percent")
    revenue: float = zj.Quantity("CNY", fx="average")
    eps: float = zj.Quantity("CNY/share")
'''


@pytest.fixture
def wide(tmp_path: Path) -> Callable[..., RunResult]:
    """A project of one wide file, run."""

    def ran(content: str | bytes | Callable[[Path], None], sidecar: str, name: str = "wide.csv") -> RunResult:
        for part in ("raw", "schemas"):
            (tmp_path / "p" / part).mkdir(parents=True, exist_ok=True)
        (tmp_path / "p/schemas/maker.py").write_text(SCHEMA, encoding="utf-8")
        (tmp_path / "p/raw" / Path(name).with_suffix(".toml")).write_text(sidecar, encoding="utf-8")
        path = tmp_path / "p/raw" / name
        if callable(content):
            content(path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return zj.Project(tmp_path / "p").run()

    return ran


def cells(result: RunResult) -> list[tuple]:
    """Address, who, what, when, value and unit of every figure as it is printed, in the order of the file."""
    main = result.figures.filter(pl.col("figure_id") == pl.col("row_id") * 2).sort("row_id")
    return main.select("locator", "entity", "metric", "period", "printed_value", "printed_unit").rows()


def rejects(result: RunResult) -> list[tuple]:
    return result.rejects.select("locator", "code").rows()


def error_of(action: Callable) -> ZhijiError:
    with pytest.raises(ZhijiError) as caught:
        action()
    return caught.value


# ------------------------------------------------------------------------------------------------------- text tables

METRICS_ACROSS = """季度交付（虚构数据）,,
公司,销量（万辆）,同比（%）
甲汽车,12.5,30.4
乙汽车,many,-5.1
丙汽车,—,
资料来源：虚构
"""


def test_metrics_across_with_units_in_headers(wide):
    result = wide(
        METRICS_ACROSS,
        """
[layout]
cells = "A2"
columns = ["metric"]
rows = ["entity"]
period = "2021Q1"
[names.metric]
"销量" = "vehicle_sales"
"同比（%）" = "growth"
[names.entity]
"甲汽车" = "Jia"
""",
    )
    assert cells(result) == [
        ("B3", "Jia", "vehicle_sales", "2021Q1", 125000.0, "vehicle"),
        ("C3", "Jia", "growth", "2021Q1", 30.4, "percent"),
        ("C4", "乙汽车", "growth", "2021Q1", -5.1, "percent"),
        ("B5", "丙汽车", "vehicle_sales", "2021Q1", 0.0, "vehicle"),
    ]
    assert rejects(result) == [("B4", "no_number")]
    assert result.raw_rows == 5


def test_the_scale_of_a_header_is_the_declared_precision(wide):
    table = "maker,Sales (10000 vehicles)\nA,350\n"
    sidecar = (
        '[layout]\ncolumns = ["metric"]\nrows = ["entity"]\nperiod = 2021\n[names.metric]\nSales = "vehicle_sales"\n'
    )
    figure = wide(table, sidecar).figures.row(0, named=True)
    assert (figure["low"], figure["high"], figure["step_max"]) == (3_495_000, 3_505_000, 10_000)


def test_marks_of_notes_behind_labels(wide):
    """An entity with a mark would be another entity, and nobody would be told."""
    table = "maker,2021 ①,2022\nAlpha*,10,11\nBeta（注）,12,13\n"
    sidecar = '[layout]\ncolumns = ["period"]\nrows = ["entity"]\nmetric = "vehicle_sales"\n'
    assert [row[1:4] for row in cells(wide(table, sidecar))] == [
        ("Alpha", "vehicle_sales", "2021"),
        ("Alpha", "vehicle_sales", "2022"),
        ("Beta（注）", "vehicle_sales", "2021"),
        ("Beta（注）", "vehicle_sales", "2022"),
    ]


PERIODS_ACROSS = """Made up
"(RMB in millions, except per share data)"
,2020,,2021,
,RMB,US$,RMB,US$
Revenue,"1,200",174,"1,350",212
Sales (vehicles),"350,000",,"360,500",
Earnings per share,1.25,,(0.31),
"""
PERIODS_SIDECAR = """
unit = "RMB in millions, except per share data"
[layout]
cells = "A3:E7"
columns = ["period", "caption"]
rows = ["metric"]
entity = "Alpha"
[names.metric]
Revenue = "revenue"
Sales = "vehicle_sales"
"Earnings per share" = "eps"
"""
PERIODS_CELLS = [
    ("B5", "Alpha", "revenue", "2020", 1.2e9, "CNY"),
    ("C5", "Alpha", "revenue", "2020", 1.74e8, "USD"),
    ("D5", "Alpha", "revenue", "2021", 1.35e9, "CNY"),
    ("E5", "Alpha", "revenue", "2021", 2.12e8, "USD"),
    ("B6", "Alpha", "vehicle_sales", "2020", 350000.0, "vehicle"),
    ("D6", "Alpha", "vehicle_sales", "2021", 360500.0, "vehicle"),
    ("B7", "Alpha", "eps", "2020", 1.25, "CNY/share"),
    ("D7", "Alpha", "eps", "2021", -0.31, "CNY/share"),
]


def test_periods_across_under_a_caption_with_exceptions(wide):
    result = wide(PERIODS_ACROSS, PERIODS_SIDECAR)
    assert cells(result) == PERIODS_CELLS
    assert rejects(result) == []


def test_a_year_above_quarters_and_a_column_of_units(wide):
    table = (
        "item,unit,2020,,2021,\n,,Q1,Q2,Q1,Q2\nSales,thousand vehicles,1.5,1.7,1.9,2.0\nRevenue,RMB million,10,,12,13\n"
    )
    sidecar = """
[layout]
columns = ["period", "period"]
rows = ["metric", "caption"]
entity = "Alpha"
[names.metric]
Sales = "vehicle_sales"
Revenue = "revenue"
"""
    result = wide(table, sidecar)
    assert [(row[0], row[2], row[3], row[4]) for row in cells(result)] == [
        ("C3", "vehicle_sales", "2020Q1", 1500.0),
        ("D3", "vehicle_sales", "2020Q2", 1700.0),
        ("E3", "vehicle_sales", "2021Q1", 1900.0),
        ("F3", "vehicle_sales", "2021Q2", 2000.0),
        ("C4", "revenue", "2020Q1", 1e7),
        ("E4", "revenue", "2021Q1", 1.2e7),
        ("F4", "revenue", "2021Q2", 1.3e7),
    ]


def test_labels_of_a_group_are_carried_down(wide):
    table = "maker,year,sales\nA,2020,5\n,2021,6\nB,2020,7\n"
    sidecar = '[layout]\ncolumns = ["metric"]\nrows = ["entity", "period"]\n[names.metric]\nsales = "vehicle_sales"\n'
    assert [row[:4] for row in cells(wide(table, sidecar))] == [
        ("C2", "A", "vehicle_sales", "2020"),
        ("C3", "A", "vehicle_sales", "2021"),
        ("C4", "B", "vehicle_sales", "2020"),
    ]


def test_the_unit_in_a_label_holds_where_a_header_joins_it(wide):
    """Nearer than the caption of the table, wherever in the joined label it stands."""
    table = "项目,2021年,\n,金额,占比\n营业收入（亿元）,1.50,100%\n每股收益（元/股）,0.25,\n"
    sidecar = """
unit = "单位：万元"
[layout]
columns = ["period", "metric"]
rows = ["metric"]
entity = "A"
[names.metric]
"营业收入 金额" = "revenue"
"营业收入 占比" = ""
"每股收益 金额" = "eps"
"""
    assert cells(wide(table, sidecar)) == [
        ("B3", "A", "revenue", "2021", 150_000_000.0, "CNY"),
        ("B4", "A", "eps", "2021", 0.25, "CNY/share"),
    ]


def test_several_layouts_and_names_that_leave_out(wide):
    table = "2020,Q1,Q2,Total\nsales,1,2,3\n,,,\n2021,Q1,Q2,Total\nsales,4,5,9\n"
    sidecar = """
[[layout]]
cells = "A1:D2"
columns = ["period"]
rows = ["metric"]
entity = "A"
[[layout]]
cells = "A4:D5"
columns = ["period"]
rows = ["metric"]
entity = "B"
[names]
metric = {sales = "vehicle_sales"}
period = {Q1 = "2020Q1", Q2 = "2020Q2", Total = ""}
"""
    result = wide(table, sidecar)
    assert [(row[0], row[1], row[4]) for row in cells(result)] == [
        ("B2", "A", 1), ("C2", "A", 2), ("B5", "B", 4), ("C5", "B", 5),
    ]  # fmt: skip
    assert result.rejects.is_empty()


def test_vintages_decimals_and_notes_of_rows_and_columns(wide):
    table = "item,places,remark,2020,2020,2021\n,,,printed,restated,printed\nsales,-3,audited,5000,6000,7000\n"
    sidecar = """
[layout]
columns = ["period", "vintage"]
rows = ["metric", "decimals", "note"]
entity = "A"
[names.metric]
sales = "vehicle_sales"
"""
    result = wide(table, sidecar)
    found = result.figures.sort("row_id").select("locator", "period", "vintage", "step", "step_max").rows()
    assert found == [
        ("D3", "2020", "printed", 1000, 1000),
        ("E3", "2020", "restated", 1000, 1000),
        ("F3", "2021", "printed", 1000, 1000),
    ]
    assert result.findings.filter(kind="duplicate").is_empty()


def test_names_and_captions_serve_plain_tables_too(wide):
    table = "entity,metric,period,printed,caption\nA,销量,2020,5.5,万辆\nA,营收,2020,7,\nA,营收,2021,8,nonsense words\n"
    sidecar = '[names.metric]\n"销量" = "vehicle_sales"\n"营收" = "revenue"\n[captions]\nrevenue = "亿元"\n'
    result = wide(table, sidecar)
    assert [row[2:] for row in cells(result)] == [
        ("vehicle_sales", "2020", 55000.0, "vehicle"),
        ("revenue", "2020", 7e8, "CNY"),
    ]
    assert rejects(result) == [("row 4", "unknown_caption")]


@pytest.mark.parametrize(
    ("sidecar", "code", "words"),
    [
        ('[layout]\ncolums = ["metric"]\n', "sidecar_invalid", ["line 2", "layout.colums", "'columns'"]),
        ('[layout]\ncolumns = ["metrics"]\n', "sidecar_invalid", ["line 2", "layout.columns", "'metric'"]),
        ('[layout]\ncolumns = ["metric"]\nentity = "A"\n', "sidecar_invalid", ["nothing says the period"]),
        ('[layout]\ncells = "3A"\n', "sidecar_invalid", ["line 2", "layout.cells", '"A3:H20"']),
        ('[names]\nmetrics = {a = "b"}\n', "sidecar_invalid", ["line 2", "names.metrics", "'metric'"]),
        (
            '[[layout]]\nperiod = 2020\nentity = "A"\ncolumns = ["metric"]\n\n[[layout]]\nshet = 2\n',
            "sidecar_invalid",
            ["line 7", "layout.shet", "'sheet'"],
        ),
        (
            '[columns]\nentity = "a"\n[layout]\ncolumns = ["metric"]\nrows = ["entity"]\nperiod = 2020\n',
            "sidecar_invalid",
            ["[layout] of wide ones"],
        ),
        (
            '[layout]\ncolumns = ["metric"]\nrows = ["entity"]\nperiod = 2020\n[captions]\nrevenu = "RMB"\n',
            "sidecar_invalid",
            ["wide.csv", "[captions] revenu", "Did you mean revenue?"],
        ),
        (
            '[layout]\ncolumns = ["metric"]\nrows = ["entity"]\nperiod = 2020\n[captions]\nrevenue = "of which?"\n',
            "sidecar_invalid",
            ["wide.csv", "of which?"],
        ),
        (
            '[layout]\ncolumns = ["metric"]\nrows = ["entity"]\nperiod = 2020\ncaption = "no caption, is it"\n',
            "sidecar_invalid",
            ["no caption, is it"],
        ),
        (
            '[layout]\ncells = "Z90"\ncolumns = ["metric"]\nrows = ["entity"]\nperiod = 2020\n',
            "layout_outside",
            ["Z90", "2 rows and 3 columns"],
        ),
        (
            '[layout]\ncolumns = ["period", "caption"]\nrows = ["metric"]\nentity = "A"\n',
            "layout_outside",
            ["in A1, below 2 rows of headers and beside 1 column of labels: it has 2 rows"],
        ),
        (
            '[[layout]]\ncolumns = ["metric"]\nrows = ["entity"]\nperiod = 2020\n' * 2,
            "layout_overlap",
            ["B2", "[[layout]]"],
        ),
    ],
)
def test_slips_of_a_layout(wide, sidecar: str, code: str, words: list[str]):
    error = error_of(lambda: wide("a,b,c\nd,1,2\n", sidecar))
    assert error.code == code
    assert [word for word in words if word not in str(error)] == []


@pytest.mark.parametrize(
    ("sidecar", "sentence"),
    [
        (
            '[layout]\ncolumns = ["metric"]\nentity = "A"\n',
            'line 1: [layout]: nothing says the period: name it in columns or rows, or write period = "..."',
        ),
        (
            '[columns]\nentity = "a"\n[layout]\ncolumns = ["metric"]\nrows = ["entity"]\nperiod = 2020\n',
            "[columns] is of tables of one figure a row, [layout] of wide ones: leave one of them out",
        ),
        (
            '[fx]\nstart = "2020-01-01"\n',
            "line 1: [fx]: start and end belong together; for one day they are the same",
        ),
    ],
)
def test_a_table_that_is_not_whole_is_told_without_its_contents(wide, sidecar: str, sentence: str):
    """No advice to leave the key out: the sentence says what to do, and that would be the wrong thing."""
    error = error_of(lambda: wide("a,b,c\nd,1,2\n", sidecar))
    assert str(error) == f"raw/wide.toml {sentence}"


names = st.sampled_from(["", "x", "7", "5.5", '"', "a,b", "  ", "12%"])


@given(st.lists(st.lists(names, min_size=0, max_size=5), min_size=2, max_size=6))
@settings(max_examples=60)
def test_every_cell_with_text_is_one_row(tmp_path_factory, table):
    """The row law, against a plain count of the cells: nothing is lost, nothing stands twice."""
    import csv
    import io

    raw = tmp_path_factory.mktemp("p") / "raw"
    raw.mkdir()
    buffer = io.StringIO()
    csv.writer(buffer).writerows(table)
    (raw / "a.csv").write_text(buffer.getvalue() or "\n", encoding="utf-8", newline="")
    (raw / "a.toml").write_text('[layout]\ncolumns = ["metric"]\nrows = ["entity"]\nperiod = 2020\n')
    read = list(csv.reader(io.StringIO(buffer.getvalue())))
    expected = [
        (f"{column_letters(c)}{r + 1}", text)
        for r, row in enumerate(read[1:], start=1)
        for c, text in enumerate(row[1:], start=1)
        if text.strip()
    ]
    if not expected:
        assert error_of(lambda: find_sources(raw)).code == "layout_outside"
        return
    found = scan_source(find_sources(raw)[0], 1).collect()
    assert found.select("locator", "printed").rows() == expected
    assert found.get_column("row_id").n_unique() == len(expected)


@pytest.mark.parametrize("seed", range(6))
def test_every_cell_ends_in_exactly_one_of_figures_and_rejects(wide, seed: int):
    """The row law the whole way, against a plain count of the cells."""
    chance = random.Random(seed)
    texts = ["", "5", "7.5 million", "many", "12%", "n/a", "RMB 3 million (US$0.4 million)", "1 to 2", "-4"]
    labels = ["vehicle_sales", "growth", "revenue (亿元)", "nothing", ""]
    header = ["", *(chance.choice(["2020", "2021Q1", "someday", ""]) for _ in range(5))]
    rows = [[chance.choice(labels), *(chance.choice(texts) for _ in range(5))] for _ in range(8)]
    table = "".join(",".join(f'"{text}"' for text in row) + "\n" for row in [header, *rows])
    sidecar = '[layout]\ncolumns = ["period"]\nrows = ["metric"]\nentity = "A"\n'
    result = wide(table, sidecar)
    expected = {f"{column_letters(c)}{r}" for r, row in enumerate(rows, 2) for c, text in enumerate(row) if c and text}
    figures = result.figures.filter(pl.col("restates").is_null())["locator"].to_list()
    assert sorted([*figures, *result.rejects["locator"]]) == sorted(expected)
    assert result.raw_rows == len(expected)


LISTED = "指标,2020,2021\n销量,12.5,13.0\n营收,3.5,n/a\n同比,4.1,-2\n"
LISTED_NAMES = '[names.metric]\n"销量" = "vehicle_sales"\n"营收" = "revenue"\n"同比" = "growth"\n'


def test_a_table_of_several_units(wide):
    """Read as one caption, its scales multiplied each other: 3.5 was 3.5 * 10^12 yuan."""
    sidecar = 'unit = "单位：万辆、亿元、%"\n[layout]\ncolumns = ["period"]\nrows = ["metric"]\nentity = "A"\n'
    result = wide(LISTED, sidecar + LISTED_NAMES)
    assert [row[-2:] for row in cells(result)] == [
        (125_000.0, "vehicle"), (130_000.0, "vehicle"), (350_000_000.0, "CNY"), (4.1, "percent"), (-2.0, "percent"),
    ]  # fmt: skip
    assert rejects(result) == [("C3", "not_available")]
    plain = "entity,metric,period,printed\nA,revenue,2020,3.5\n"
    assert "several units" in str(error_of(lambda: wide(plain, 'unit = "单位：万辆、亿元、%"\n')))


@given(st.integers(0, 20_000), st.integers(0, 10_000))
def test_addresses(column: int, row: int):
    if column < 18_278:
        assert address(f"{column_letters(column)}{row + 1}") == (row, column)


# --------------------------------------------------------------------------------------------- records and workbooks


def test_json_lines_and_parquet_with_periods_as_keys(wide):
    sidecar = '[layout]\ncolumns = ["period"]\nrows = ["entity", "metric"]\n'
    rows = [
        {"who": "A", "what": "vehicle_sales", "2020": "5", "2021": 6},
        {"who": "B", "what": "growth", "2021": "1.50%"},
    ]
    expected = [
        ("C2", "A", "vehicle_sales", "2020", 5.0, "count"),
        ("D2", "A", "vehicle_sales", "2021", 6.0, "count"),
        ("D3", "B", "growth", "2021", 1.5, "percent"),
    ]
    assert cells(wide("".join(json.dumps(row) + "\n" for row in rows), sidecar, "wide.jsonl")) == expected


def test_parquet_of_decimals(wide):
    from decimal import Decimal

    def written(path: Path) -> None:
        pl.DataFrame({"who": ["A"], "vehicle_sales": [5], "growth": [Decimal("1.50")]}).write_parquet(path)

    sidecar = '[layout]\ncolumns = ["metric"]\nrows = ["entity"]\nperiod = 2020\n[captions]\ngrowth = "%"\n'
    result = wide(written, sidecar, "wide.parquet")
    assert [row[2:] for row in cells(result)] == [
        ("vehicle_sales", "2020", 5.0, "count"), ("growth", "2020", 1.5, "percent"),
    ]  # fmt: skip
    assert result.figures.filter(metric="growth")["step"].item() == 0.01


def workbook(fill: Callable) -> Callable[[Path], None]:
    openpyxl = pytest.importorskip("openpyxl", reason="the extra excel is not installed")

    def made(path: Path) -> None:
        book = openpyxl.Workbook()
        book.active.title = "Data 1"
        fill(book)
        book.save(path)

    return made


def numbers(book) -> None:
    sheet = book.active
    sheet["B2"], sheet["C2"], sheet["E2"] = "Alpha", None, "Beta"
    sheet.merge_cells("B2:C2")
    sheet.merge_cells("E2:F2")
    for column in "BE":
        sheet[f"{column}3"] = "Sales (10,000 vehicles)"
    for column in "CF":
        sheet[f"{column}3"] = "Growth"
    for row, day in ((4, date(2021, 3, 1)), (5, date(2021, 4, 1))):
        sheet[f"A{row}"], sheet[f"A{row}"].number_format = day, "mmm-yy"
    stored = {"B4": (12.5, "0.0"), "C4": (0.227, "0.0%"), "E4": (1234567, '0.0,"千"'), "F4": (-0.0312, "0.00%")}
    for place, (value, code) in {**stored, "B5": (12.25, "General"), "C5": (0.5, "# ?/?"), "D4": (7, "0")}.items():
        sheet[place], sheet[place].number_format = value, code
    sheet["E5"], sheet["F5"] = "n/a", "=C4*2"


def test_a_workbook_with_merged_headers_and_formats(wide):
    sidecar = """
[layout]
cells = "A2"
columns = ["entity", "metric"]
rows = ["period"]
[names.metric]
Sales = "vehicle_sales"
Growth = "growth"
"""
    result = wide(workbook(numbers), sidecar, "wide.xlsx")
    assert [(*row[:4], round(row[4], 6), row[5]) for row in cells(result)] == [
        ("Data 1!B4", "Alpha", "vehicle_sales", "2021-03", 125000.0, "vehicle"),
        ("Data 1!C4", "Alpha", "growth", "2021-03", 22.7, "percent"),
        ("Data 1!E4", "Beta", "vehicle_sales", "2021-03", 1234600.0, "vehicle"),
        ("Data 1!F4", "Beta", "growth", "2021-03", -3.12, "percent"),
        ("Data 1!B5", "Alpha", "vehicle_sales", "2021-04", 122500.0, "vehicle"),
    ]
    assert rejects(result) == [
        ("Data 1!D4", "entity_missing"),
        ("Data 1!C5", "cell_number"),
        ("Data 1!E5", "not_available"),
        ("Data 1!F5", "cell_formula"),
    ]
    assert "# ?/?" in result.rejects["reason"][1]


def test_two_sheets_of_one_workbook(wide):
    def fill(book) -> None:
        for sheet in (book.active, book.create_sheet("Data 2")):
            sheet.append(["who", "vehicle_sales"])
            sheet.append([sheet.title, 5])

    layout = '[[layout]]\nsheet = "{}"\ncolumns = ["metric"]\nrows = ["entity"]\nperiod = 2020\n'
    result = wide(workbook(fill), layout.format("Data 1") + layout.format("Data 2"), "wide.xlsx")
    assert [row[:2] for row in cells(result)] == [("Data 1!B2", "Data 1"), ("Data 2!B2", "Data 2")]
    error = error_of(lambda: wide(workbook(fill), layout.format("Data 3"), "wide.xlsx"))
    assert (error.code, 'sheet = "Data 2"' in str(error)) == ("sheet_missing", True)
    error = error_of(lambda: wide(workbook(fill), "", "wide.xlsx"))
    assert 'sheet = "Data 1", or draft one: zhiji-etl sidecar ' in str(error)


def test_a_plain_workbook_reads_numbers_by_their_formats(wide):
    def fill(book) -> None:
        book.active.append(["entity", "metric", "period", "printed"])
        book.active.append(["A", "growth", 2019, 0.227])
        book.active["D2"].number_format = "0.0%"
        book.active.append(["A", "growth", date(2020, 12, 31), 0.5])
        book.active["D3"].number_format = "# ?/?"

    result = wide(workbook(fill), "", "wide.xlsx")
    figure = result.figures.row(0, named=True)
    assert (figure["locator"], figure["printed"], figure["low"], figure["high"]) == ("Data 1!D2", "22.7%", 22.65, 22.75)
    assert rejects(result) == [("Data 1!D3", "cell_number")]


def test_a_workbook_that_lies_about_its_size(wide, tmp_path):
    """Some programs write a wrong dimension; openpyxl then shows a part of the sheet, and figures would be lost."""
    import zipfile

    def fill(book) -> None:
        book.active.append(["entity", "metric", "period", "printed"])
        book.active.append(["A", "vehicle_sales", "2020", "5"])

    def lying(path: Path) -> None:
        workbook(fill)(tmp_path / "honest.xlsx")
        with zipfile.ZipFile(tmp_path / "honest.xlsx") as honest, zipfile.ZipFile(path, "w") as made:
            for name in honest.namelist():
                made.writestr(name, honest.read(name).replace(b'<dimension ref="A1:D2"', b'<dimension ref="A1:B1"'))

    assert [row[4] for row in cells(wide(lying, "", "wide.xlsx"))] == [5]


def test_labels_broken_into_lines_and_a_sheet_that_is_a_chart(wide):

    def fill(book) -> None:
        from openpyxl.chart import BarChart

        book.active.append(["", "Vehicle\nsales  (10,000\nvehicles)"])
        book.active.append(["A", 5])
        book.create_chartsheet("Chart").add_chart(BarChart())

    sidecar = """
[layout]
columns = ["metric"]
rows = ["entity"]
period = 2020
[names.metric]
"Vehicle sales" = "vehicle_sales"
"""
    assert [row[4] for row in cells(wide(workbook(fill), sidecar, "wide.xlsx"))] == [50_000]


def test_a_cell_at_the_far_end_of_a_sheet(wide):
    def fill(book) -> None:
        book.active.cell(1_048_576, 16_384, 5)

    for sidecar in ("", '[layout]\ncolumns = ["metric"]\nrows = ["entity"]\nperiod = 2020\n'):
        error = error_of(lambda sidecar=sidecar: wide(workbook(fill), sidecar, "wide.xlsx"))
        assert error.code in ("grid_too_large", "columns_too_many")


# ------------------------------------------------------------------------------------------------------------- pages

PAGE = """<!doctype html><title>Made up</title>
<table><tr><td>menu<td>about</table>
<table><thead>
<tr><th rowspan=2>Item<th colspan=2>2020<th colspan=2>2021
<tr><th>RMB<th>US$<th>RMB<th>US$
<tbody><tr><td>Revenue<sup>1</sup><td>1,200<td>174<td>1,350<script>9</script><td>212
<tr><td>Sales (vehicles)<td colspan=2>350,000<td>360,500<td>&nbsp;
<tr><td>Earnings per share<td>1.25<td><td>(0.31)<td>
</table>"""


def test_a_table_of_a_page(wide):
    pytest.importorskip("selectolax", reason="the extra html is not installed")
    sidecar = PERIODS_SIDECAR.replace("A3:E7", "A1:E5")
    result = wide(PAGE, sidecar, "wide.html")
    moved = [(f"table 2 {row[0][0]}{int(row[0][1:]) - 2}", *row[1:]) for row in PERIODS_CELLS]
    assert cells(result) == moved
    error = error_of(lambda: wide(PAGE, 'sheet = "7"\n' + sidecar, "wide.html"))
    assert (error.code, "sheet = 2" in str(error)) == ("table_missing", True)
    error = error_of(lambda: wide("<p>5 million vehicles", "", "wide.html"))
    assert (error.code, "sheet" in str(error), "zhiji-etl find" in str(error)) == ("table_missing", False, True)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("3 × 10<sup>6</sup>", "3 × 10^6"),
        ("350,000<sup>2</sup>", "350,000"),
        ("12<br>000", "12 000"),
        ("<b>5</b>&nbsp;%", "5 %"),
        ("<table><tr><td>9</table>", None),
        ("&lt;5", "<5"),
    ],
)
def test_the_text_of_a_cell(tmp_path: Path, cell: str, text: str | None):
    pytest.importorskip("selectolax", reason="the extra html is not installed")
    from zhiji_etl.sources.html import html_tables

    path = tmp_path / "a.html"
    path.write_text(f"<table><tr><td>{cell}<td>x</table>", encoding="utf-8")
    assert html_tables(path)[0].cell(0, 0) == text


@pytest.mark.parametrize(
    "page",
    [
        "<table><tr><td colspan=99999999999>1",
        "<table>" + "<tr><td rowspan=1000 colspan=1000>1" * 30,
        "<table><tr><td>" + "<div>" * 5_000 + "1",
        "<table>" * 500 + "1",
        "<" * 100_000,
        "",
    ],
)
def test_hostile_pages_end(tmp_path: Path, page: str):
    pytest.importorskip("selectolax", reason="the extra html is not installed")
    from zhiji_etl.sources.html import html_tables

    (tmp_path / "a.html").write_text(page)
    with contextlib.suppress(SourceError):
        html_tables(tmp_path / "a.html")


def test_spans_that_cross():
    grid = grid_of("a.csv", [["a", "b"]], (Span(0, 0, 5, 5),))
    assert grid.cell(3, 3) is None
    assert Layout(entity="a", metric="b", period=2020).period == "2020"


# ----------------------------------------------------------------------------------------- single columns and rows

GROWTH = """企业,2023年11月,2022年11月,同比（%）,2023年1-11月,2022年1-11月,同比（%）
甲,"510,130","478,505",6.61,"4,380,452","4,770,613",-8.18
乙,"301,903","230,427",31.02,"2,683,374","1,628,783",64.75
"""
GROWTH_SIDECAR = """unit = "单位：辆"
[layout]
columns = ["period"]
rows = ["entity"]
metric = "vehicle_sales"
at.D = { metric = "growth", period = "2023年11月" }
at.G = { metric = "growth", period = "2023年1-11月" }
"""


def test_a_column_of_growth_beside_columns_of_periods(wide):
    result = wide(GROWTH, GROWTH_SIDECAR)
    found = cells(result)
    assert len(found) == 12
    assert [row for row in found if row[2] == "growth"] == [
        ("D2", "甲", "growth", "2023-11", 6.61, "percent"),
        ("G2", "甲", "growth", "2023-01-01/2023-11-30", -8.18, "percent"),
        ("D3", "乙", "growth", "2023-11", 31.02, "percent"),
        ("G3", "乙", "growth", "2023-01-01/2023-11-30", 64.75, "percent"),
    ]
    assert [row[3] for row in found if row[0] == "E3"] == ["2023-01-01/2023-11-30"]


def test_a_column_joins_the_metric_of_its_rows(wide):
    """As two axes of one name do: 营收 beside 同比 is 营收 同比."""
    table = "项目,2020年,2019年,增减（%）\n营收（万元）,13,10,30.0\n销量（辆）,5,4,25\n"
    sidecar = """[layout]
columns = ["period"]
rows = ["metric"]
entity = "A"
at.D = { metric = "增减", period = 2020 }
[names.metric]
"营收" = "revenue"
"销量" = "vehicle_sales"
"营收 增减" = "growth"
"销量 增减" = ""
"""
    result = wide(table, sidecar)
    assert ("D2", "A", "growth", "2020", 30.0, "percent") in cells(result)
    assert [row[0] for row in cells(result)] == ["B2", "C2", "D2", "B3", "C3"]
    assert result.rejects.is_empty()


def test_rows_of_one_label_and_lines_left_out(wide):
    table = "x,2020,2021\nSales,5,6\nOf which abroad,1,2\nSales,7,8\n"
    sidecar = """[layout]
columns = ["period"]
rows = ["metric"]
entity = "A"
at.4 = { metric = "vehicle_sales", entity = "B" }
at.3 = { metric = "" }
at.C = { caption = "10,000 vehicles" }
[names.metric]
Sales = "vehicle_sales"
"""
    assert [row[:2] + row[4:] for row in cells(wide(table, sidecar))] == [
        ("B2", "A", 5.0, "count"), ("C2", "A", 60_000.0, "vehicle"),
        ("B4", "B", 7.0, "count"), ("C4", "B", 80_000.0, "vehicle"),
    ]  # fmt: skip


@pytest.mark.parametrize("key", ["A", "H", "1", "4"])
def test_words_on_a_line_without_data_are_refused(wide, key: str):
    error = error_of(lambda: wide(GROWTH, GROWTH_SIDECAR + f'at.{key} = {{ metric = "growth" }}\n'))
    assert (error.code, f"at.{key}" in str(error)) == ("layout_outside", True)


@pytest.mark.parametrize("key", ["d", "D2", "0", "D:E"])
def test_a_line_has_one_name(wide, key: str):
    error = error_of(lambda: wide(GROWTH, GROWTH_SIDECAR + f'at."{key}" = {{ metric = "growth" }}\n'))
    assert error.code == "sidecar_invalid"
    assert "it is no column, as D, and no row, as 7" in str(error)
