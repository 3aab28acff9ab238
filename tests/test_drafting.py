"""Drafts of sidecars, and the JSON Schemas of the files that people write by hand."""

import csv
import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import zhiji_etl as zj
from zhiji_etl.catalogue import catalogue
from zhiji_etl.choices import Published
from zhiji_etl.drafting import draft
from zhiji_etl.drafting.naming import near_metric, own_metric
from zhiji_etl.drafting.outlines import kind, outlined
from zhiji_etl.errors import ProjectError
from zhiji_etl.settings import MODELS, json_schema, read_settings, schema_text
from zhiji_etl.sources import Sidecar, read_sidecar
from zhiji_etl.sources.grids import grid_of


class MakerYear(zj.Table):
    """One maker, one year."""

    vehicle_sales: float = zj.Quantity("vehicle", nouns=["car"])
    growth: float = zj.Quantity("percent")
    revenue: float = zj.Quantity("CNY", fx="average")
    eps: float = zj.Quantity("CNY/share")


KNOWN = catalogue([MakerYear])
METRICS = KNOWN.metrics
ANNUAL = """Made up annual figures
"(RMB in millions, except per share data)"
,2020,,2021,
,RMB,US$,RMB,US$
Revenue,"1,200",174,"1,350",212
Products,,,,
Vehicle sales (vehicles),"350,000",,"360,500",
Earnings per share,1.25,,(0.31),
Source: nobody,,,,
"""
QUARTERLY = """季度交付（虚构数据）,,,
,,,单位：万辆
公司,销量（万辆）,同比（%）,环比
甲汽车,12.5,30.4,3.1%
乙汽车,1.20,-5.1,—
"""


def drafted(tmp_path: Path, content: str, name: str = "a.csv") -> tuple[str, dict]:
    (tmp_path / name).write_text(content, encoding="utf-8")
    text = draft(tmp_path / name, KNOWN)
    return text, tomllib.loads(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2019", "period"),
        ("2020Q1", "period"),
        ("Q1", "period"),
        ("一季度", "period"),
        ("12 months ended 2020-03-31", "period"),
        ("1,200", "figure"),
        ("—", "figure"),
        ("n/a", "figure"),
        ("12.5万辆", "figure"),
        ("4", "figure"),
        ("US$", "caption"),
        ("RMB in millions", "caption"),
        ("单位：亿元", "caption"),
        ("thousand vehicles", "caption"),
        ("销量（万辆）", "text"),
        ("Revenue", "text"),
        ("", "empty"),
    ],
)
def test_the_kind_of_a_cell(text: str, expected: str):
    assert kind(text) == expected


def test_periods_across_with_a_caption(tmp_path: Path):
    text, keys = drafted(tmp_path, ANNUAL)
    assert keys["title"] == "Made up annual figures"
    assert keys["unit"] == "RMB in millions, except per share data"
    assert keys["layout"] == {"cells": "A3", "columns": ["period", "caption"], "rows": ["metric"]}
    assert keys["names"]["metric"] == {"Revenue": "revenue", "Vehicle sales": "vehicle_sales"}
    assert '# entity = ""' in text
    assert '# "Earnings per share" = ""' in text
    assert "exceptions are taken to be: Earnings per share." in text
    assert "Products" not in text
    assert "Source: nobody" not in text
    assert "Read so, 6 of 8 cells are figures." in text
    assert "No table declares the metric Earnings per share. [metric_unknown]" in text


@pytest.mark.parametrize(
    ("printed", "unit"),
    [
        ("单位：万元（除每股数据外）", "单位：万元（除每股数据外）"),
        ("（单位：万元）", "单位：万元"),
        ('"(RMB in millions, except per share data)"', "RMB in millions, except per share data"),
    ],
)
def test_brackets_of_a_caption_stay_whole(tmp_path: Path, printed: str, unit: str):
    _, keys = drafted(tmp_path, f"{printed},,\n,2020,2021\nRevenue,12.5,13.5\n")
    assert keys["unit"] == unit


def test_metrics_across_in_chinese(tmp_path: Path):
    text, keys = drafted(tmp_path, QUARTERLY)
    assert keys["unit"] == "单位：万辆"
    assert keys["layout"] == {"cells": "A3", "columns": ["metric"], "rows": ["entity"]}
    assert '# period = ""' in text
    assert keys["names"]["metric"] == {"销量": "vehicle_sales"}
    assert '# "环比" = ""' in text


def test_a_separator_and_a_column_of_units(tmp_path: Path):
    table = "item;unit;2020;;2021;\n;;Q1;Q2;Q1;Q2\nRevenue;RMB million;1,5;1,7;1,9;2,0\n"
    _, keys = drafted(tmp_path, table)
    assert keys["separator"] == ";"
    assert keys["layout"] == {"cells": "A1", "columns": ["period", "period"], "rows": ["metric", "caption"]}


def test_texts_that_steer_a_terminal_are_written_out(tmp_path: Path):
    table = 'Title\x1b[31m\u202e,,\n"(RMB\u200b in millions)",,\n,2020,2021\n"Rev""enue\x9b\\",5,6\n'
    text, keys = drafted(tmp_path, table)
    assert all(sign.isprintable() or sign == "\n" for sign in text)
    assert keys["title"] == "Title\x1b[31m\u202e"
    assert 'Rev\\"enue\\U0000009b\\\\' in text


def test_codes_beside_names_are_no_metrics(tmp_path: Path):
    text, keys = drafted(tmp_path, "Country,Code,1990,1991\nNorland,NOR,5,6\nSudland,SUD,7,8\n")
    assert keys["layout"]["rows"] == ["entity", ""]
    assert '# metric = ""' in text


def test_a_plain_table(tmp_path: Path):
    text, keys = drafted(tmp_path, "Entity,Metric,Period,Value\nA,revenue,2019,5\n")
    assert keys["columns"] == {"entity": "Entity", "metric": "Metric", "period": "Period", "printed": "Value"}
    assert "columns" not in drafted(tmp_path, "entity,metric,period,printed\nA,revenue,2019,5\n")[1]
    text, keys = drafted(tmp_path, "Entity,Metric,Period,Grade\nA,revenue,2019,5\n")
    assert '# printed = ""  # which of their columns is it? Grade' in text
    assert keys["columns"] == {"entity": "Entity", "metric": "Metric", "period": "Period"}


@pytest.mark.parametrize(
    "header",
    ["Company,Indicator,Year,Value", "公司,指标,年份,数值", "公司名称,项目,报告期,金额", "entity,Item,period,Amount"],
)
def test_a_plain_table_of_other_headers(tmp_path: Path, header: str):
    """Usual words for our columns, and printed names of metrics that are asked for."""
    rows = "甲,其他收入,2019,5亿元\n甲,Vehicle Sales,2019,6万辆\n甲,growth,2019,5%\n甲,其他收入,2020,6亿元\n"
    text, keys = drafted(tmp_path, f"{header}\n{rows}")
    theirs = dict(zip(("entity", "metric", "period", "printed"), header.split(","), strict=True))
    assert keys["columns"] == {ours: name for ours, name in theirs.items() if ours != name}
    assert keys["names"] == {"metric": {"Vehicle Sales": "vehicle_sales"}}
    assert text.count('# "其他收入" = ""') == 1
    assert "Read so, 2 of 4 cells are figures." in text
    assert "row 2 and 1 more: “5亿元”: No table declares the metric 其他收入. [metric_unknown]" in text


@pytest.mark.parametrize("unit", ["Unit", "单位", "caption"])
def test_a_plain_table_with_a_column_of_units(tmp_path: Path, unit: str):
    """Unit is as near to entity as it is to nothing else."""
    header = f"Company,Indicator,Year,Value,{unit}"
    text, keys = drafted(tmp_path, f"{header}\nA,Vehicle sales,2019,12.5,万辆\nA,Revenue,2019,5,RMB million\n")
    assert (keys["columns"]["entity"], keys["columns"].get("caption", "caption")) == ("Company", unit)
    assert "Read so, 2 of 2 cells are figures." in text


@pytest.mark.parametrize("header", ["公司,项目,2019,2020", "Company,Year,Value,Revenue", "Item,Note,2019,2020"])
def test_a_wide_table_beside_usual_words(tmp_path: Path, header: str):
    """Words for two of our columns, or none for the metric, make no table of one figure a row."""
    assert "columns" not in drafted(tmp_path, f"{header}\nA,2019,5,6\nB,2020,7,8\n")[1]


def test_no_table_at_all(tmp_path: Path):
    text, keys = drafted(tmp_path, "nothing,here\nat,all\n")
    assert "layout" not in keys
    assert "describe the table in [layout] yourself" in text


def test_a_unit_that_is_not_the_metrics(tmp_path: Path):
    text, _ = drafted(tmp_path, "RMB million,,\n,2020,2021\nRevenue,5,6\nGrowth,7,8\n")
    assert '# growth = "percent"  # declared so; the table says million CNY' in text


def test_cells_without_the_unit_of_their_metric_are_told_and_helped(tmp_path: Path, command):
    """The captions of a draft, taken as they stand, make figures of what the run would reject."""
    for part in ("raw", "schemas"):
        (tmp_path / part).mkdir()
    (tmp_path / "schemas/s.py").write_text(
        """import zhiji_etl as zj


class MakerYear(zj.Table):
    vehicle_sales: float = zj.Quantity("vehicle", nouns=["car"])
    average_price: float = zj.Quantity("CNY/vehicle")
    revenue: float = zj.Quantity("CNY", fx="average")
    growth: float = zj.Quantity("percent")
    energy: float = zj.Quantity("kWh")
"""
    )
    raw = tmp_path / "raw/a.csv"
    raw.write_text(
        "RMB in millions,,\n,2020,2021\nVehicle sales (thousands),25,35\nAverage price (RMB thousand),150,155\n"
        "Revenue,US$5,6\nGrowth,,1.5\nEnergy (MWh),12,n/a\n"
    )
    text = command("sidecar", raw).out
    assert "Read so, 3 of 9 cells are figures." in text
    assert "B3 and 1 more: “25”: The figure is printed in CNY; the metric is declared in vehicle. [unit_m" in text
    assert '# vehicle_sales = "thousand vehicle"  # declared so; the table says thousand CNY' in text
    assert "# energy" not in text
    assert "# revenue" not in text
    filled = text.replace('# entity = ""', 'entity = "A"')
    for name in ("vehicle_sales", "average_price", "growth"):
        filled = filled.replace(f"# {name} =", f"{name} =")
    raw.with_suffix(".toml").write_text(filled)
    result = zj.Project(tmp_path).run()
    assert result.rejects["code"].to_list() == ["not_available"]
    figures = result.figures.filter(period="2020", metric="vehicle_sales")
    assert figures["value"].to_list() == [25_000.0]
    assert result.figures.filter(period="2020", metric="average_price")["value"].to_list() == [150_000.0]


def test_a_table_without_units(tmp_path: Path):
    text, _ = drafted(tmp_path, ",2020,2021\nRevenue,5,6\nVehicle sales,7,8\n")
    assert "Read so, 2 of 4 cells are figures." in text
    assert '# revenue = "CNY"  # declared so; no unit was found: mind its scale' in text


def test_rows_and_cells_that_are_no_texts_are_told(tmp_path: Path):
    """What checking the form of a file finds, a draft tells as a run does."""
    text, _ = drafted(tmp_path, "Company,Indicator,Year,Value\nA,revenue,2019,RMB 5\nA,revenue,2020\n")
    assert "Read so, 1 of 2 cells are figures." in text
    assert "[row_short]" in text
    xlsxwriter = pytest.importorskip("xlsxwriter", reason="the extra excel is not installed")
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet("S")
        sheet.write_row("A1", ["", 2020, 2021])
        sheet.write_row("A2", ["Revenue (RMB million)", 5])
        sheet.write("C2", 6.5, book.add_format({"num_format": "# ?/?"}))
    text = draft(tmp_path / "a.xlsx", KNOWN)
    assert "Read so, 1 of 2 cells are figures." in text
    assert "S!C2" in text
    assert "[cell_number]" in text


def test_a_workbook_and_a_page(tmp_path: Path):
    openpyxl = pytest.importorskip("openpyxl", reason="the extra excel is not installed")
    pytest.importorskip("selectolax", reason="the extra html is not installed")
    book = openpyxl.Workbook()
    book.create_sheet("Figures").append(["", 2020, 2021])
    book["Figures"].append(["Revenue (RMB million)", 5, 6])
    book.save(tmp_path / "a.xlsx")
    text = draft(tmp_path / "a.xlsx", KNOWN)
    keys = tomllib.loads(text)
    assert keys["sheet"] == "Figures"
    assert "Other sheets: Sheet" in text
    assert keys["layout"]["columns"] == ["period"]
    page = "<table><tr><td>menu</table><table><tr><td><td>2020<tr><td>Revenue<td>5</table>"
    assert drafted(tmp_path, page, "a.html")[1]["sheet"] == 2


@pytest.mark.parametrize(
    ("heading", "key", "value"),
    [
        ("(in millions of RMB)", "unit", "in millions of RMB"),
        ("Results<sup>1</sup> of a maker", "title", "Results of a maker"),
    ],
)
def test_the_heading_of_a_table_of_a_page(tmp_path: Path, heading: str, key: str, value: str):
    """Without its scale the draft would read each figure a million times too small."""
    pytest.importorskip("selectolax", reason="the extra html is not installed")
    page = f"<table><caption>{heading}</caption><tr><td><td>2020<tr><td>Revenue<td>5</table>"
    assert drafted(tmp_path, page, "a.html")[1][key] == value


def test_a_metric_in_other_words_is_a_guess_that_is_left_to_a_person(tmp_path: Path):
    """Total non-current assets are spelled much like total_current_assets, and are others."""
    known = ["total_current_assets", "vehicle_sales", "revenue", "gross_profit"]
    same = {
        "Vehicle Sales": 1,
        "Vehicle sale (units)": 1,
        "Revenues": 2,
        "Gross profit (loss) ①": 3,
        "营业收入（亿元）": 2,
    }
    assert {label: own_metric(label, known) for label in same} == {label: known[at] for label, at in same.items()}
    assert own_metric("Total non-current assets", known) is None
    assert near_metric("Total non-current assets", known) == "total_current_assets"
    assert near_metric("Sales", known) is None
    text, keys = drafted(tmp_path, "RMB million,2020,2021\nNet revenue,5,6\nGrowth,7%,8%\n")
    assert keys["names"]["metric"] == {"Growth": "growth"}
    assert '# "Net revenue" = "revenue"  # or is it another?' in text


@pytest.mark.parametrize(
    ("table", "rows", "columns"),
    [
        ("企业,2020,2021\n甲,5,6\n乙,7,8\n", ["entity"], ["period"]),
        ("Segment,1Q20,2Q20\nAutomotive,5,6\nEnergy,7,8\n", ["entity"], ["period"]),
        ("项目,甲公司,乙公司\n收益,5,6\n费用,7,8\n", ["metric"], ["entity"]),
        ("指标,绝对量,同比增长\n零售总额,5,6\n汽车类,7,8\n", ["metric"], ["metric"]),
        ("项目,附注 Note,2020,2021\n收益,5,12.5,13.5\n费用,6,7.5,8.5\n", ["metric", "note"], ["period"]),
    ],
)
def test_a_header_says_what_its_labels_are(tmp_path: Path, table: str, rows: list, columns: list):
    layout = drafted(tmp_path, table)[1]["layout"]
    assert (layout["rows"], layout["columns"]) == (rows, columns)


@pytest.mark.parametrize(
    ("table", "names", "guesses"),
    [
        ("2023年销量,,\n企业,1月,2月\n甲,5.1,6.1\n", {"1月": "2023年1月", "2月": "2023年2月"}, ""),
        ("Sales 2023,,\nMaker,Jan,Feb\nA,5.1,6.1\n", {"Jan": "Jan 2023", "Feb": "Feb 2023"}, ""),
        ("2023年11月数据,,\n企业,11月,1—11月\n甲,5.1,6.1\n", {"11月": "2023年11月", "1—11月": "2023年1—11月"}, ""),
        ("2024年1月发布,,\n企业,12月,1月\n甲,5.1,6.1\n", {"1月": "2024年1月"}, '# "12月" = "2024年12月"  # the year'),
        ("2023年公布,\n月份,销量\n2022年,\n1月,5.1\n2023年,\n1月,6.1\n", None, '# "1月" = ""  # which period is it?'),
        ("2022与2023年,,\n企业,1月,2月\n甲,5.1,6.1\n", None, '# "1月" = ""  # which period is it?'),
        ("2023 data,,\nMaker,2022,YTD\nA,5.1,6.1\n", None, '# "YTD" = ""  # which period is it?'),
        (
            "Year ended March 31,Revenue\n2019,5.1\n2020,6.1\n",
            {"2019": "Year ended March 31 2019", "2020": "Year ended March 31 2020"},
            "",
        ),
        (
            ",2019年,2020年\n截至3月31日止年度,人民币百万元,人民币百万元\n收入,5.1,6.1\n",
            {"2019年": "截至3月31日止年度 2019年", "2020年": "截至3月31日止年度 2020年"},
            "",
        ),
        ("Fiscal year,Revenue\n2020,6.1\n", {"2020": "Fiscal year 2020"}, ""),
        ("Fiscal year,Revenue\nFY2020,6.1\n", None, ""),
        ("Year,Revenue\n2020,6.1\n", None, ""),
        ("x,2022A,2023E\nRevenue,5.1,6.1\n", {"2022A": "2022"}, '# "2023E" = "2023"  # an estimate?'),
    ],
)
def test_periods_that_are_told_in_parts(tmp_path: Path, table: str, names: dict | None, guesses: str):
    """A calendar year would be another period than the year that ended in March."""
    text, keys = drafted(tmp_path, table)
    assert keys.get("names", {}).get("period", {}) == (names or {})
    assert guesses in text


def test_columns_that_need_words_of_their_own(tmp_path: Path):
    text, _ = drafted(tmp_path, "企业,2023年11月,2022年11月,同比,2023年,累计\n甲,5.1,6.1,3%,9.1,7.1\n")
    assert '# at.D = { metric = "同比", period = "2023年11月" }' in text
    assert '# at.F = { metric = "累计", period = "when?" }' in text
    table = "2023年11月销量（单位：万辆、%）,,,\n厂商,11月销量,同比,1-11月累计\n甲,5.1,6.1,9.5\n"
    _, keys = drafted(tmp_path, table)
    assert keys["unit"] == "单位：万辆、%"
    assert keys["layout"]["at"] == {"B": {"period": "2023年11月"}, "D": {"period": "2023年1-11月累计"}}


def test_headers_that_end_or_begin_with_their_period(tmp_path: Path):
    table = "Company,Deliveries 2022,2023Q1 deliveries,Revenue 2023 (RMB bn),Model 3\nA,5.1,6.1,7.1,8.1\n"
    at = drafted(tmp_path, table)[1]["layout"]["at"]
    assert at == {"B": {"period": "2022"}, "C": {"period": "2023Q1"}, "D": {"period": "2023"}}


@pytest.mark.parametrize(
    ("caption", "unit"),
    [
        ("单位：万辆、亿元、%", "单位：万辆、亿元、%"),
        ("单位：人民币百万元 RMB million", "单位：人民币百万元"),
        ("RMB million 单位：人民币百万元", "人民币百万元"),
        ("单位：人民币百万元 RMB thousand", None),
    ],
)
def test_a_caption_of_several_units_or_in_two_languages(tmp_path: Path, caption: str, unit: str | None):
    """Two languages that say two scales say none."""
    assert drafted(tmp_path, f'"{caption}",,\n,2020,2021\nRevenue,12.5,13.5\n')[1].get("unit") == unit


PARAGRAPHS = """<!doctype html><title>x</title><h2>Results of 2023</h2><p>Long ago we sold 5 thousand cars.</p>
<p style="text-align:right">Amounts in <b>RMB</b> million, unless otherwise stated</p>
<table><tr><td>Item<td>Q1<td>Q2<tr><td>Revenue<td>(</td><td>5.1</td><td>)<td>6.1</table>
<p>Unit: 10,000 vehicles</p><table><tr><td>Item<td>2020<tr><td>Vehicle sales<td>5<td>6<td>7<td>8<td>9</table>"""


def test_the_lines_over_a_table_of_a_page(tmp_path: Path):
    pytest.importorskip("selectolax", reason="the extra html is not installed")
    from zhiji_etl.sources.html import html_headings, html_tables

    text, keys = drafted(tmp_path, PARAGRAPHS, "a.html")
    assert (keys["sheet"], keys["unit"]) == (2, "Unit: 10,000 vehicles")
    assert "# printed in the text over the table" in text
    assert html_headings(tmp_path / "a.html")[0][-1] == "Amounts in RMB million, unless otherwise stated"
    assert html_tables(tmp_path / "a.html")[0].texts.row(1) == ("Revenue", None, "(5.1)", None, "6.1")


@given(st.lists(st.lists(st.sampled_from(["", "2020", "Q1", "x", "5", "12%", "RMB", "—"]), max_size=4), max_size=5))
@settings(max_examples=60)
def test_an_outline_never_fails(rows):
    outline = outlined(grid_of("a.csv", rows), METRICS)
    assert outline is None or len(outline.columns) + len(outline.rows) >= 0


def test_the_command_writes_once(command, tmp_path: Path):
    for part in ("raw", "schemas"):
        (tmp_path / part).mkdir()
    schema = "import zhiji_etl as zj\n\n\nclass C(zj.Table):\n    revenue: float = zj.Quantity('CNY')\n"
    (tmp_path / "schemas/c.py").write_text(schema)
    (tmp_path / "raw/a.csv").write_text("(RMB in millions),,\n,2020,2021\nRevenue,5,6\n")
    told = command("sidecar", tmp_path / "raw/a.csv")
    assert (told.code, '"Revenue" = "revenue"' in told.out) == (0, True)
    assert command("sidecar", tmp_path / "raw/a.csv", "--write").code == 0
    assert (tmp_path / "schemas/sidecar.schema.json").is_file()
    told = command("run", tmp_path)
    assert (told.code, "nothing says the entity" in told.err) == (3, True)
    sidecar = tmp_path / "raw/a.toml"
    sidecar.write_text(sidecar.read_text().replace('# entity = ""', 'entity = "A"'))
    assert zj.Project(tmp_path).run().figures["value"].to_list() == [5e6, 6e6]
    told = command("sidecar", tmp_path / "raw/a.csv", "--write")
    assert (told.code, "[output_exists]" in told.err) == (5, True)
    (tmp_path / "raw/a.b.jsonl").write_text('{"x": "Revenue", "2020": 5}\n')
    assert command("sidecar", tmp_path / "raw/a.b.jsonl", "--write").code == 0
    assert (tmp_path / "raw/a.b.toml").is_file()
    (tmp_path / "raw/a.b.tsv").write_text("x\t2020\nRevenue\t5\n")
    assert command("sidecar", tmp_path / "raw/a.b.tsv", "--write").code == 0
    assert (tmp_path / "raw/a.b.tsv.toml").is_file()
    assert command("sidecar", tmp_path / "raw/none.csv").code == 4
    assert command("sidecar", tmp_path / "raw/a.docx").code == 4


# --------------------------------------------------------------------------------------------------------- schemas


@pytest.mark.parametrize("file", MODELS)
def test_a_published_schema_is_what_the_code_reads(file: Published, command):
    assert schema_text(file) == json_schema(file)
    jsonschema.Draft202012Validator.check_schema(json.loads(schema_text(file)))
    assert command("schema", file.value).out == schema_text(file)


def test_the_schema_of_a_run_is_published_too(reference_result, command):
    published = json.loads(command("schema", "run").out)
    jsonschema.Draft202012Validator.check_schema(published)
    manifest = json.loads((reference_result.path / "run.json").read_text(encoding="utf-8"))
    jsonschema.validate(manifest, published)
    assert not jsonschema.Draft202012Validator(published).is_valid({**manifest, "exit_status": "fine"})


ACCEPTED = [
    "",
    'title = "x"\ntrust = 2\nsheet = 3\n',
    '[layout]\ncells = "B2"\ncolumns = ["metric", ""]\nrows = ["entity"]\nperiod = 2020\n',
    '[[layout]]\nentity = "A"\nmetric = "m"\nperiod = "2020"\n',
    '[names.metric]\na = "b"\n[captions]\nb = "RMB"\n[fx]\nrate = 6.9\nmethod = "fixed"\n',
    '[identifiers.A]\ncode = "1"\n[columns]\nentity = "Company"\n',
]
REFUSED = [
    "titel = 'x'",
    "[layout]\ncolums = ['metric']",
    "[layout]\ncolumns = ['metrics']\nentity = 'A'\nperiod = 'x'",
    "[names]\nmetrics = {}",
    "rounding = 'up'",
    "currency = 'yuan'",
    "decimals = 'x'",
    "trust = 0",
    "[fx]\nmetod = 'x'",
    "layout = 5",
]


@pytest.mark.parametrize(("text", "accepted"), [*((t, True) for t in ACCEPTED), *((t, False) for t in REFUSED)])
def test_schema_and_code_agree(tmp_path: Path, text: str, accepted: bool):
    validator = jsonschema.Draft202012Validator(json.loads(schema_text(Published.SIDECAR)))
    assert validator.is_valid(tomllib.loads(text)) == accepted
    (tmp_path / "a.toml").write_text(text)
    if accepted:
        assert isinstance(read_sidecar(tmp_path / "a.toml"), Sidecar)
    else:
        with pytest.raises(ProjectError):
            read_sidecar(tmp_path / "a.toml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('name = "x"\nratse = ["a.csv"]\n', ["line 2", "unknown key 'ratse'", "did you mean 'rates'"]),
        ('rates = "a.csv"\n', ["line 1", "list of file names"]),
        ("rates = [1]\n", ["line 1"]),
        ("name = \n", ["not TOML"]),
    ],
)
def test_slips_of_the_project_file(tmp_path: Path, text: str, words: list[str]):
    path = tmp_path / "zhiji.toml"
    path.write_text(text)
    with pytest.raises(ProjectError) as caught:
        read_settings(path)
    assert caught.value.code == "project_invalid"
    assert [word for word in [*words, "zhiji.toml"] if word not in str(caught.value)] == []


def test_settings(tmp_path: Path):
    assert read_settings(tmp_path / "none.toml") == {}
    (tmp_path / "zhiji.toml").write_text('name = "x"\nrates = ["a.csv"]\n')
    assert read_settings(tmp_path / "zhiji.toml") == {"name": "x", "rates": ["a.csv"]}


# ------------------------------------------------------------------------------------------------- tables as they look

DRAFTS = {
    "a unit within the headers, and a heading below them": (
        """EXAMPLE MOTORS
,"Year ended December 31,",,
,2023,2024,2024
,RMB,RMB,US$
,"(in millions, except share data)",,
Revenue:,,,
Vehicle sales,"123,851","144,460","19,791"
Cost of sales,"(98,001)","(115,106)","(15,769)"
""",
        ("A2", ("period", "period", "caption", ""), ("metric",), "in millions, except share data"),
    ),
    "a rank before the names": (
        "排名,厂商,12月销量,同比\n1,甲汽车,350,45.2%\n2,乙汽车,220,-3.5%\n",
        ("A1", ("metric",), ("", "entity"), None),
    ),
    "headers in two rows beside names": (
        "单位：万辆,,,,\n,产量,,销量,\n,9月,同比增长,9月,同比增长\n乘用车,250.2,0.2,252.5,1.5\n商用车,29.4,-16.5,28.4,-23.2\n",
        ("A2", ("metric", "metric"), ("entity",), "单位：万辆"),
    ),
    "entities below metrics": (
        ",Revenue,,Growth,\n,Alpha,Beta,Alpha,Beta\n2022,100.5,200.1,10.1,20.2\n2023,110.5,210.1,11.1,21.2\n",
        ("A1", ("metric", "entity"), ("period",), None),
    ),
    "headers in two languages": (
        "年份,国内生产总值,第一产业\nYear,GDP,Primary\n,(亿元),(亿元)\n,(100 million yuan),(100 million yuan)\n"
        '2022,"1,204,724.0","88,207.0"\n2023 ①,"1,260,582.1","89,755.2"\n',
        ("A1", ("metric", "", "caption", ""), ("period",), None),
    ),
    "a column of notes": (
        ',Notes,2023,2024\n,,RMB,RMB\nRevenue,2(e),"1,200","1,350"\nCost,12,"1,000","1,100"\n',
        ("A1", ("period", "caption"), ("metric", "note"), None),
    ),
    "a remark over columns": (
        ",2023,2024\n,RMB,RMB\n,(unaudited),\nRevenue,868,941\nNet income,65,71\n",
        ("A1", ("period", "caption", ""), ("metric",), None),
    ),
    "a caption over the last column": (
        ",,,人民币值：亿元\n商品名称,计量单位,数量,金额\n汽车,万辆,470.5,6120.3\n成品油,万吨,4512,2301.6\n",
        ("A2", ("metric",), ("entity", "caption"), "亿元"),
    ),
    "periods that are forecast": (
        "RMB mn,3Q24,4Q24E,FY24E\nRevenue,1410,1600,5560\nNet profit,80,140,135\n",
        ("A1", ("period",), ("metric",), "RMB mn"),
    ),
    "headings among the rows": (
        "Deliveries,Jan-24,Feb-24\nAlpha Co.,,\nA6,5000,4000\nBeta Co.,,\nB6,2100,1800\n",
        ("A1", ("period",), ("metric",), None),
    ),
    "a caption in brackets": (
        '"(Amounts in thousands of RMB, except share data)",,\n,2023,2024\nRevenue,"1,200","1,350"\n',
        ("A2", ("period",), ("metric",), "Amounts in thousands of RMB, except share data"),
    ),
}


@pytest.mark.parametrize("name", DRAFTS)
def test_tables_as_they_look(name: str):
    text, expected = DRAFTS[name]
    found = outlined(grid_of("a.csv", [*csv.reader(text.splitlines())]), METRICS)
    assert found is not None
    assert (found.cells, found.columns, found.rows, found.caption) == expected


def test_what_is_no_period_beside_periods_is_asked_for(tmp_path: Path):
    text, _ = drafted(tmp_path, "RMB mn,2023,2024,Change\nRevenue,1410,1600,190\n")
    assert '[names.period]\n# "Change" = ""' in text


@pytest.mark.parametrize(
    "note", ["US$1.00 = RMB7.2993", "translated at the rate of RMB7.2993 to US$1.00, the noon buying rate"]
)
def test_the_rate_that_a_note_tells(tmp_path: Path, note: str):
    table = f',2024,2024\n,RMB,US$\nRevenue,"144,460","19,791"\n"Note: {note}",,\n'
    text, sidecar = drafted(tmp_path, table)
    assert sidecar["fx"] == {"rate": "7.2993"}
    assert 'rate = "7.2993"  # printed in A4' in text


def test_places_and_names_in_two_columns_are_one_entity():
    rows = [["Region", "Maker", "Item", "2023", "2024"], ["China", "Alpha", "Revenue", "1000", "1100"]]
    rows += [["", "Beta", "Revenue", "900", "950"], ["Europe", "Alpha", "Revenue", "300", "280"]]
    found = outlined(grid_of("a.csv", rows), METRICS)
    assert found is not None
    assert found.rows == ("entity", "entity", "metric")
