"""The command line: help with examples, JSON on stdout and nothing else, and a quick start."""

import json

import pytest

import zhiji_etl as zj

HEAVY = ("pandera", "pint", "babel", "currency_converter", "highspy", "pyarrow", "numpy", "pandas", "pydantic")
"""Polars is not among them: importing the package registers the namespace `pl.col(...).figure`."""


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("--help",), ("zhiji-etl init demo", "zhiji-etl parse", "run", "init", "parse", "--version")),
        (("-h",), ("zhiji-etl init demo",)),
        (("run", "--help"), ("Example: zhiji-etl run", "--fail-on", "--json", "--out")),
        (("init", "--help"), ("Example: zhiji-etl init demo",)),
        (("parse", "--help"), ("Example: zhiji-etl parse", "--currency", "--scale", "--unit", "--json")),
    ],
)
def test_help_shows_examples(command, arguments, parts):
    told = command(*arguments)
    assert told.code == 0
    assert all(part in told.out for part in parts), told.out


def test_version(command):
    told = command("--version")
    assert (told.code, told.out.strip()) == (0, f"zhiji-etl {zj.__version__}")


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_start_up_imports_nothing_heavy(python, argument):
    code = f"""
import sys
sys.argv = ["zhiji-etl", {argument!r}]
try:
    from zhiji_etl.cli import main
    main()
except SystemExit:
    pass
print("heavy:", [name for name in {HEAVY!r} if name in sys.modules])
"""
    assert python(code).strip().splitlines()[-1] == "heavy: []"


def test_a_figure_as_a_card(command):
    told = command("parse", "over 10 billion yuan (US$1.52 billion)")
    assert told.code == 0
    for part in ("10,000,000,000 CNY", "above", "(10,000,000,000, Infinity)", "1,520,000,000 USD"):
        assert part in told.out


def test_a_figure_as_json(command):
    read = json.loads(command("parse", "623.8万辆", "--json").out)
    assert (read["value"], read["low"], read["high"], read["step"], read["unit"]) == (
        "6238000",
        "6237500",
        "6238500",
        "1000",
        "vehicle",
    )


def test_options_of_parse(command):
    read = json.loads(command("parse", "1,234.5", "--unit", "CNY", "--scale", "million", "--json").out)
    assert (read["value"], read["unit"]) == ("1234500000", "CNY")
    assert json.loads(command("parse", "$5", "--currency", "HKD", "--json").out)["unit"] == "HKD"


def test_a_figure_that_begins_with_a_minus(command):
    assert json.loads(command("parse", "-3.2%", "--json").out)["value"] == "-3.2"
    told = command("parse", "5", "--curency", "HKD")
    assert (told.code, "--curency" in told.err) == (2, True)


def test_run_prints_one_json_object(command, reference):
    told = command("run", reference, "--json")
    read = json.loads(told.out)
    assert told.code == 0
    assert told.err == ""
    assert read["counts"] == {
        "sources": 4,
        "recalled": 0,
        "raw_rows": 17,
        "figures": 20,
        "rejects": 0,
        "findings": read["counts"]["findings"],
        "implied": 4,
    }
    assert {finding["rule"] for finding in read["inconsistent"]} == {"share_vs_sales"}


def test_json_of_rejects(command, project):
    read = json.loads(command("run", project("A,vehicle_sales,2019,many\n"), "--json").out)
    assert read["rejects"] == {"no_number": 1}


def test_init_then_run(command, tmp_path):
    assert command("init", tmp_path / "demo").code == 0
    told = command("run", tmp_path / "demo", "--out", tmp_path / "elsewhere")
    assert told.code == 0
    assert "share_vs_sales  SAIC Motor 2019  inconsistent (warning)" in told.out
    assert (tmp_path / "elsewhere" / "latest").exists()
    assert not (tmp_path / "demo" / "build").exists()


def test_python_dash_m(python):
    assert "zhiji-etl" in python(
        "import runpy, sys; sys.argv = ['x', '--version']; runpy.run_module('zhiji_etl', run_name='__main__')"
    )
