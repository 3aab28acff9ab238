"""Bad input: each gives a stable code, a sentence that says what to do, and the right exit code."""

import os
from pathlib import Path

import polars as pl
import pytest

import zhiji_etl as zj
from zhiji_etl.outputs import latest

GOOD = "A,vehicle_sales,2019,5 vehicles\n"
SCHEMA = "import zhiji_etl as zj\n\n\nclass C(zj.Table):\n    sales: float = zj.Quantity('vehicle')\n"
RULE = "\n    @zj.rule\n    def positive(m):\n        return m.sales >= m.sales\n"

# ---------------------------------------------------------------------------------- a row is a reject, and the run ends


@pytest.mark.parametrize(
    ("row", "code", "parts"),
    [
        ("A,vehicle_sales,2019,many vehicles\n", "no_number", ("many vehicles",)),
        ("A,vehicle_sales,2019,#abc#\n", "no_number", ("There is no figure in '#abc#'.",)),
        ("A,vehicle_sales,2019,#DIV/0!\n", "not_available", ()),
        ("A,vehicle_sales,2019,\n", "empty", ()),
        ("A,vehicle_sale,2019,5 vehicles\n", "metric_unknown", ("vehicle_sale", "did you mean vehicle_sales?")),
        ("A,销量,2019,5 vehicles\n", "metric_unknown", ("declared are growth, ", "[names.metric] of the sidecar")),
        ("A,,2019,5 vehicles\n", "metric_missing", ("no metric",)),
        (",vehicle_sales,2019,5 vehicles\n", "entity_missing", ("whose figure",)),
        ("  ,vehicle_sales,2019,5 vehicles\n", "entity_missing", ("whose figure",)),
        ("A,vehicle_sales,someday,5 vehicles\n", "period_unreadable", ("someday",)),
        ("A,vehicle_sales,,5 vehicles\n", "period_unreadable", ()),
        ("A,vehicle_sales,4/5/2020,5 vehicles\n", "period_ambiguous", ("2020",)),
        ("A,vehicle_sales,2021-04-01/2020-03-31,5 vehicles\n", "period_reversed", ("2021-04-01",)),
        ("A,vehicle_sales,2019,5 km\n", "unit_mismatch", ("kilometre", "vehicle")),
        ("A,vehicle_sales,2019,5 employees\n", "unit_mismatch", ("vehicle",)),
        ("A,vehicle_sales,2019,US$5\n", "unit_mismatch", ("USD", "vehicle")),
        ("A,market_share,2019,5 percentage points\n", "unit_mismatch", ("percentage_point", "percent")),
        ("A,market_share,2019,5\n", "unit_missing", ("percent", "sidecar")),
        ("A,market_share,2019,105%\n", "check_failed", ("105", "market_share")),
        ("A,vehicle_sales\n", "row_short", ()),
        ("A,vehicle_sales,2019,5 vehicles,more,cells\n", "row_long", ()),
    ],
)
def test_a_bad_row_is_a_reject(project, command, row: str, code: str, parts: tuple[str, ...]):
    folder = project(GOOD + row + "B,vehicle_sales,2019,7 vehicles\n")
    told = command("run", folder)
    rejects = pl.read_parquet(latest(folder / "build") / "rejects.parquet")
    assert rejects["code"].to_list() == [code]
    reason = rejects["reason"].item()
    assert len(reason.split()) > 3
    assert all(part in reason for part in parts), reason
    assert f"[{code}]" in told.out
    assert "alpha.csv row 3" in told.out
    assert told.code == 0
    assert pl.read_parquet(latest(folder / "build") / "figures.parquet").height == 2


def test_a_failing_check_of_a_whole_row_is_a_finding(project, command):
    body = "return data.lazyframe.select(pl.col('sales') > 9)"
    check = f"\n    @pa.dataframe_check\n    def many(cls, data):\n        {body}\n"
    schema = f"import pandera.polars as pa\nimport polars as pl\n{SCHEMA}{check}"
    told = command("run", project("A,sales,2019,5\n", schema=schema), "--json")
    assert told.code == 1
    assert "The row fails the check many of its table." in told.out


def test_a_check_that_cannot_run_is_an_error(project, command):
    check = "\n    @pa.check('sales')\n    def odd(cls, data):\n        raise ValueError('boom')\n"
    told = command("run", project("A,sales,2019,5\n", schema=f"import pandera.polars as pa\n{SCHEMA}{check}"))
    assert told.code == 1
    assert "Traceback" not in told.err


def test_currencies_without_a_method(project, command):
    schema = 'import zhiji_etl as zj\n\n\nclass C(zj.Table):\n    revenue: float = zj.Quantity("CNY")\n'
    folder = project("A,revenue,2019,US$5 million\n", schema=schema)
    assert command("run", folder).code == 0
    reject = pl.read_parquet(latest(folder / "build") / "rejects.parquet").row(0, named=True)
    assert reject["code"] == "currency_mismatch"
    assert 'fx="average"' in reject["reason"]


def test_a_metric_of_two_tables(project, command):
    schema = SCHEMA + "\n\nclass D(zj.Table):\n    sales: float = zj.Quantity('vehicle')\n"
    folder = project("A,sales,2019,5\n", schema=schema)
    command("run", folder)
    reject = pl.read_parquet(latest(folder / "build") / "rejects.parquet").row(0, named=True)
    assert (reject["code"], reject["reason"]) == ("table_ambiguous", "sales is declared by c, d: say which.")


def test_an_unknown_table(project, command):
    folder = project("entity,metric,period,printed,table\nA,vehicle_sales,2019,5,Nowhere\n")
    command("run", folder)
    assert pl.read_parquet(latest(folder / "build") / "rejects.parquet")["code"].to_list() == ["table_unknown"]


def test_many_rejects_are_cut_short(project, command):
    several = "".join(f"A,vehicle_sales,2019,many{'y' * number}\n" * 2 for number in range(15))
    out = command("run", project(GOOD + several)).out
    assert out.count("[no_number]") == 10
    assert "and 10 more in rejects.parquet" in out


def test_rejects_of_one_reason_are_told_in_one_line(project, command):
    out = command("run", project(GOOD + "A,vehicle_sales,2019,many\n" * 15 + "A,nothing,2019,5\n")).out
    lines = [line for line in out.splitlines() if line.startswith("  reject ")]
    assert [line.partition(": ")[0] for line in lines] == [
        "  reject alpha.csv row 3 and 14 more",
        "  reject alpha.csv row 18",
    ]
    assert "in rejects.parquet" not in out


def test_an_unknown_entity_of_a_rule(project, command, found):
    rule = '\n    @zj.rule\n    def size(m):\n        return m.sales <= m.of("Nobody").sales\n'
    folder = project("A,sales,2019,5\n", schema=SCHEMA + rule)
    told = found(zj.Project(folder).run(), "size")
    assert [(row["verdict"], row["reason"]) for row in told] == [("not_checkable", "missing_reference")]
    assert command("run", folder).code == 0


def test_rules_of_a_mixin_and_shared_ones_are_of_a_table(project, command):
    mixin = f"class Mixin:{RULE}\n\n@zj.rule\ndef shared(m):\n    return m.sales >= m.sales\n\n\n"
    schema = SCHEMA.replace("class C(zj.Table):", f"{mixin}class C(Mixin, zj.Table):") + "    shared = shared\n"
    folder = project("A,sales,2019,5\n", schema=schema)
    assert command("run", folder).code == 0
    assert len(zj.Project(folder).catalogue.rules) == 2


# --------------------------------------------------------------------------------------------- a broken project: exit 3


@pytest.mark.parametrize(
    ("schema", "code", "parts"),
    [
        ("import zhiji_etl as zj\nclass C(zj.Table:\n", "schema_invalid", ("company_year.py line 2", "SyntaxError")),
        ("import nowhere_to_be_found\n", "schema_invalid", ("company_year.py line 1", "nowhere_to_be_found")),
        ("x = 1\ny = x / 0\n", "schema_invalid", ("company_year.py line 2", "ZeroDivisionError")),
        ("x = 1\n", "schema_empty", ("declares no table", "subclass zj.Table")),
        (SCHEMA.replace("'vehicle'", "'not a unit!'"), "unit_unknown", ("not a unit",)),
        (SCHEMA.replace("'vehicle'", "'TEU'"), "schema_invalid", ("declared in TEU", 'zj.Quantity("teu")')),
        (SCHEMA.replace("'vehicle'", "'CNY/Vehicle'"), "schema_invalid", ('zj.Quantity("CNY/vehicle")',)),
        (SCHEMA.replace("'vehicle'", "'vehicle', gee=0"), "schema_invalid", ("no option gee",)),
        (f"{SCHEMA}    more = zj.Quantity('vehicle')\n", "schema_invalid", ("'more'", "sales: float = zj.Quantity")),
        (
            f"{SCHEMA}\n@zj.rule\ndef lost(m):\n    return m.sales >= 1\n",
            "schema_invalid",
            ("company_year.py line 8: the rule lost is of no table", "write it into a class of zj.Table"),
        ),
        (
            f"{SCHEMA}{2 * RULE}",
            "schema_invalid",
            ("company_year.py line 8: the rule positive is of no table", "another one below has its name"),
        ),
        (
            SCHEMA + RULE.replace("    @zj.rule\n", ""),
            "schema_invalid",
            ("company_year.py line 7: positive takes m as rules do, and is none", "write @zj.rule above it"),
        ),
        (f"{SCHEMA}    name: str\n", "schema_invalid", ("name", "neither a zj.Quantity nor a zj.Identifier")),
        (
            f"{SCHEMA}\n    @zj.rule\n    def bad(m):\n        return m.sale == 1\n",
            "rule_metric",
            ("company_year.py line 7, rule bad", "did you mean sales?"),
        ),
        (
            f"{SCHEMA}\n    @zj.rule\n    def bad(m):\n        return m.sales == 0.5\n",
            "rule_dimension",
            ("company_year.py line 7, rule bad", "[vehicle]", "dimensionless"),
        ),
        (f"{SCHEMA}\n    @zj.rule(severity='loud')\n    def bad(m):\n        pass\n", "schema_invalid", ("loud",)),
    ],
)
def test_a_broken_schema(project, command, schema: str, code: str, parts: tuple[str, ...]):
    told = command("run", project(GOOD, schema=schema))
    assert told.code == 3
    assert f"[{code}]" in told.err
    assert all(part in told.err for part in parts), told.err
    assert "Traceback" not in told.err
    assert told.out == ""


def test_a_metric_with_two_units(project, command):
    schema = SCHEMA + "\n\nclass D(zj.Table):\n    sales: float = zj.Quantity('CNY')\n"
    told = command("run", project(GOOD, schema=schema))
    assert (told.code, "sales is declared in vehicle and, by d, in CNY" in told.err) == (3, True)


@pytest.mark.parametrize(
    ("sidecar", "parts"),
    [
        ('titel = "x"\n', ("alpha.toml", "line 1", "unknown key 'titel'", "did you mean 'title'")),
        ("title = x\n", ("alpha.toml", "not TOML")),
        ('currency = "yuan"\n', ("alpha.toml", "line 1", "ISO 4217")),
    ],
)
def test_a_broken_sidecar(project, command, sidecar: str, parts: tuple[str, ...]):
    told = command("run", project(GOOD, sidecar))
    assert told.code == 3
    assert "[sidecar_invalid]" in told.err
    assert all(part in told.err for part in parts), told.err


@pytest.mark.parametrize(
    "text", ["nmae = 'x'\n", "name = \n", "rates = ['missing.csv']\n", "rates = 5\n", "name = '\udcff'\n"]
)
def test_a_broken_project_file(project, command, text: str):
    folder = project(GOOD)
    (folder / "zhiji.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    told = command("run", folder)
    assert told.code in (3, 4)
    assert told.err.startswith("zhiji-etl: ")
    assert "Traceback" not in told.err


def test_an_unknown_method_of_conversion(project, command):
    told = command("run", project("A,revenue,2019,US$5 million\n", '[fx]\nmethod = "averge"\n'))
    assert told.code == 3, told
    assert "'averge', which is no method, did you mean 'average'?" in told.err


def test_no_project(tmp_path: Path, command):
    told = command("run", tmp_path)
    assert told.code == 3
    assert "[project_missing]" in told.err
    assert "zhiji-etl init" in told.err


# -------------------------------------------------------------------------------------------- unreadable input: exit 4


def test_an_empty_raw_folder(project, command):
    folder = project(GOOD)
    for path in (folder / "raw").iterdir():
        path.unlink()
    told = command("run", folder)
    assert told.code == 4
    assert "raw" in told.err


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("entity,metric,period,printed\n甲,销量,2019,5\n".encode("gb18030"), "source_encoding"),
        ("entity,metric,period,printed\nA,m,2019,5\n".encode("utf-16"), "source_encoding"),
        (b"entity,metric,period\nA,vehicle_sales,2019\n", "column_missing"),
        (b"", "source_empty"),
    ],
)
def test_an_unreadable_file(project, command, content: bytes, code: str):
    folder = project(GOOD)
    (folder / "raw" / "bad.csv").write_bytes(content)
    told = command("run", folder)
    assert told.code == 4
    assert f"[{code}]" in told.err
    assert "bad.csv" in told.err
    assert not (folder / "build" / "latest").exists()


def test_a_missing_column_is_named(project, command):
    told = command("run", project("entity,metric,period,prnted\nA,vehicle_sales,2019,5\n"))
    assert (told.code, "no column printed" in told.err, "prnted" in told.err) == (4, True, True)


# ---------------------------------------------------------------------------------------------- output: exit 5


def test_the_output_is_a_file(project, command, tmp_path):
    (tmp_path / "taken").write_text("here")
    told = command("run", project(GOOD), "--out", tmp_path / "taken")
    assert told.code == 5
    assert (tmp_path / "taken").read_text() == "here"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="locks of this kind are of POSIX")
def test_the_output_is_locked(project, command, tmp_path, python):
    from zhiji_etl.outputs import publishing

    folder = project(GOOD)
    with publishing(folder / "build"):
        told = command("run", folder)
    assert told.code == 5
    assert "[output_locked]" in told.err


def test_init_into_a_folder_that_holds_something(command, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    told = command("init", tmp_path)
    assert told.code == 5
    assert "[output_exists]" in told.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


# --------------------------------------------------------------------------------------- usage, and findings: 2 and 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--fail-on", "loud"),
        ("run", "--nothing"),
        ("walk",),
        ("parse",),
        ("parse", "nothing here"),
        ("run", "a", "b"),
    ],
)
def test_usage(command, arguments: tuple[str, ...]):
    told = command(*arguments)
    assert told.code == 2
    assert told.err
    assert "Traceback" not in told.err


def test_a_text_without_a_figure_says_so(command):
    told = command("parse", "no figure")
    assert (told.code, "[no_number]" in told.err) == (2, True)


@pytest.mark.parametrize(
    ("severity", "fail_on", "code"),
    [
        ("warning", "error", 0),
        ("warning", "warning", 1),
        ("error", "error", 1),
        ("error", "warning", 1),
        ("error", "never", 0),
        ("info", "warning", 0),
    ],
)
def test_findings_decide_the_exit_code(project, command, severity: str, fail_on: str, code: int):
    rule = f"\n    @zj.rule(severity='{severity}')\n    def size(m):\n        return m.sales <= 0 * m.sales\n"
    folder = project("A,sales,2019,5 vehicles\n", schema=SCHEMA + rule)
    told = command("run", folder, "--fail-on", fail_on)
    assert "inconsistent" in told.out
    assert told.code == code
    assert (folder / "build" / "latest").exists()


def test_a_failed_run_leaves_the_last_one(project, command):
    folder = project(GOOD)
    command("run", folder)
    before = latest(folder / "build")
    (folder / "raw" / "bad.csv").write_bytes(b"")
    assert command("run", folder).code == 4
    assert latest(folder / "build") == before


# ------------------------------------------------------------------------------------------------- hostile text


def test_text_of_figures_cannot_drive_the_terminal(project, command):
    told = command("run", project('A,vehicle_sales,2019,"\x1b[31mred\x1b[0m"\n'))
    assert "\x1b" not in told.out


def test_markup_is_text(project, command):
    told = command("run", project('"[bold]A[/nonsense]",vehicle_sales,2019,[red]x\n'))
    assert told.code == 0
    assert "[red]x" in told.out


def test_what_is_no_unit_is_told_once_and_with_its_place(project, command):
    schema = """
import zhiji_etl as zj
class Year(zj.Table):
    sales: float = zj.Quantity("cars per day")
    home: float = zj.Quantity("vehicle")
    @zj.rule
    def within(m):
        "Home sales are sales."
        return m.home <= m.sales
"""
    told = command("run", project("A,sales,2019,5\n", schema=schema))
    assert told.code == 3
    assert told.err.count("cars per day") == 1
    assert "year, sales: “cars per day” is not the name of a unit" in told.err
