"""Corrections: each action, what is not applied, what is accepted, and every mistake in the file at once."""

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import zhiji_etl as zj
from zhiji_etl.corrections import FILE, WORKING, Correction, amended, read_corrections, rescaled
from zhiji_etl.errors import ProjectError
from zhiji_etl.figures import PARSED_FIELDS

RAW = """entity,metric,period,printed,locator
M,sales,FY2019,200.00 million,p. 1
A,sales,FY2019,50.00 million,p. 2
A,share,FY2019,22.7 percent,p. 3
B,sales,FY2019,5.5,p. 4
C,sales,FY2019,7.25 million,p. 5
D,sales,FY2019,1.5 million,p. 6
D,share,FY2019,9.9 percent,p. 7
E,sales,FY2019,3.5 million,p. 8
"""
SCHEMA = '''
import zhiji_etl as zj


class CompanyYear(zj.Table):
    """One company, one year."""

    sales: float = zj.Quantity("vehicle", ge=0)
    share: float = zj.Quantity("percent", ge=0, le=100)

    @zj.rule
    def shares(m):
        """A share of the market."""
        return m.share == m.sales / m.of("M").sales
'''
ENTRY = """
[[correction]]
source = "alpha.csv"
entity = "{}"
metric = "{}"
period = "FY2019"
expect = "{}"
{}
why = "The annual report says so"
reported_by = "an analyst"
"""
ALL = [
    ("A", "share", "22.7 percent", 'override = "25.0 percent"'),
    ("B", "sales", "5.5", "scale = 1000000"),
    ("C", "sales", "7.25 million", "drop = true"),
    ("D", "share", "9.9 percent", 'accept = "shares"'),
    ("E", "sales", "3.4 million", 'override = "3.6 million"'),
]


@pytest.fixture
def corrected(project):
    def made(*entries: tuple[str, ...], rows: str = RAW):
        folder = project(rows, schema=SCHEMA)
        (folder / "schemas" / FILE).write_text("".join(ENTRY.format(*entry) for entry in entries), encoding="utf-8")
        return folder

    return made


def test_each_action(corrected, command):
    folder = corrected(*ALL)
    result = zj.Project(folder).run()
    columns = ("entity", "metric", "printed", "value", "corrected_from")
    figures = {row[:2]: row[2:] for row in result.figures.select(columns).rows()}
    assert figures["A", "share"] == ("25.0 percent", 25.0, "22.7 percent")
    assert figures["B", "sales"] == ("5.5", 5_500_000.0, "5.5")
    assert figures["D", "share"] == ("9.9 percent", 9.9, None)
    assert figures["E", "sales"] == ("3.5 million", 3_500_000.0, None)
    assert ("C", "sales") not in figures
    assert result.rejects.select("entity", "printed", "locator", "code", "reason").rows() == [
        ("C", "7.25 million", "p. 5", "dropped_by_correction", "The annual report says so (reported by an analyst).")
    ]
    assert result.raw_rows == result.rejects.height + result.figures.get_column("row_id").n_unique()
    verdicts = result.findings.filter(kind="rule").select("entity", "verdict", "severity").rows()
    assert ("A", "consistent", "error") in verdicts
    assert ("D", "inconsistent", "info") in verdicts
    bounds = result.figures.filter(entity="B").select("low", "high", "step").row(0)
    assert bounds == (5_450_000.0, 5_550_000.0, 100_000.0)
    assert set(result.manifest["schemas"]) == {"company_year.py", FILE}
    assert command("run", folder).code == 0
    assert command("run", folder, "--fail-on", "warning").code == 1  # E is printed otherwise than expected


def test_what_is_said_of_each(corrected):
    found = zj.Project(corrected(*ALL)).run().findings
    told = {row["rule"]: row for row in found.filter(kind="correction").to_dicts()}
    assert {rule: (row["verdict"], row["severity"]) for rule, row in told.items()} == {
        "share.override": ("consistent", "info"),
        "sales.scale": ("consistent", "info"),
        "sales.drop": ("consistent", "info"),
        "sales.override": ("inconsistent", "warning"),
    }
    assert (
        "alpha.csv prints “3.5 million”, where a correction expects “3.4 million”" in told["sales.override"]["message"]
    )
    assert told["share.override"]["message"] == (
        "“22.7 percent” is corrected to “25.0 percent”: The annual report says so (reported by an analyst)."
    )
    accepted = found.filter(kind="rule", entity="D").row(0, named=True)
    assert accepted["message"].endswith(" Accepted: The annual report says so (reported by an analyst).")


def test_without_the_accepted_rule_the_run_fails(corrected, command):
    assert command("run", corrected()).code == 1
    other = ("D", "share", "9.9 percent", 'accept = "another_rule"')
    told = command("run", corrected(*ALL[:3], other))
    assert told.code == 1


@pytest.mark.parametrize(
    ("name", "which"),
    [
        ("shares", "that rule"),
        ("sahres", "that name (no rule of schemas/ has it; did you mean shares?)"),
        ("growth", "that name (no rule of schemas/ has it)"),
    ],
)
def test_an_acceptance_that_nothing_needs_is_said(corrected, name: str, which: str):
    result = zj.Project(corrected(("E", "sales", "3.5 million", f'accept = "{name}"'))).run()
    message = result.findings.filter(kind="correction").get_column("message").item()
    assert message == f"A correction accepts {name}, and no finding of {which} about “3.5 million” is inconsistent."


def test_the_summary_of_a_run_says_why_a_finding_is_accepted(corrected, command):
    told = command("run", corrected(*ALL[:4]))
    assert "  accepted: The annual report says so (reported by an analyst)." in told.out.splitlines()


def test_a_figure_that_is_not_there_is_said(corrected):
    result = zj.Project(corrected(("Z", "sales", "5", "drop = true"))).run()
    row = result.findings.filter(kind="correction").row(0, named=True)
    assert (row["severity"], row["verdict"]) == ("warning", "inconsistent")
    assert "alpha.csv prints no such figure, where a correction expects “5”" in row["message"]


def test_a_correction_in_the_terminal(corrected, command):
    """The sentence stands where other findings have bounds."""
    folder = corrected(("A", "share", "22.7 percent", 'override = "25.0 percent"'), ALL[3], ALL[4])
    for told in (command("run", folder), command("explain", "sales.override", "--project", folder)):
        assert "alpha.csv prints “3.5 million”, where a correction expects “3.4 million”" in told.out
        assert "nothing is known" not in told.out
        assert "  printed   -" not in told.out


def test_an_override_that_is_no_figure_is_a_reject_with_what_is_printed(corrected):
    result = zj.Project(corrected(("A", "share", "22.7 percent", 'override = "plenty"'))).run()
    assert result.rejects.select("printed", "code").rows() == [("22.7 percent", "no_number")]


# -------------------------------------------------------------------------------------------------------- frames


def correction(**given) -> Correction:
    usual = {"source": "a.csv", "entity": "A", "metric": "m", "period": "2019", "expect": "5 million"}
    return Correction.model_validate(usual | {"why": "so", "reported_by": "me"} | given)


@settings(max_examples=40)
@given(st.sampled_from("AB"), st.sampled_from(["5 million", " 5 million ", "6"]), st.booleans())
def test_only_what_is_expected_is_touched(entity, printed, mine):
    rows = pl.LazyFrame({"entity": [entity], "metric": ["m"], "period": ["2019"], "printed": [printed]})
    source = "a.csv" if mine else "b.csv"
    got = amended(rows, source, [correction(override="7")]).collect()
    meant = mine and entity == "A" and printed.strip() == "5 million"
    assert got.select("printed", "corrected_from").row(0) == (("7", printed) if meant else (printed, None))
    assert set(WORKING) <= set(got.columns)
    assert set(got.columns) == {"entity", "metric", "period", "printed", "corrected_from", *WORKING}


@settings(max_examples=60)
@given(st.integers(1, 9999), st.integers(-9, 9))
def test_a_power_of_ten_is_exact(digits, power):
    """Against the same number read with the point elsewhere, to the last bit."""
    one = correction(scale=f"1e{power}", expect=str(digits))
    rows = pl.LazyFrame({"entity": ["A"], "metric": ["m"], "period": ["2019"], "printed": [str(digits)]})
    read = amended(rows, "a.csv", [one]).with_columns(read=pl.col("printed").figure.parse())
    value = rescaled(read, [one]).select(pl.col("read").struct.field("value")).collect().item()
    assert value == float(Fraction(digits) * Fraction(10) ** power)


def test_a_restatement_is_scaled_with_its_amount():
    one = correction(scale=1000, expect="RMB7 million (US$1 million)")
    rows = pl.LazyFrame({"entity": ["A"], "metric": ["m"], "period": ["2019"], "printed": [one.expect]})
    read = amended(rows, "a.csv", [one]).with_columns(read=pl.col("printed").figure.parse())
    got = rescaled(read, [one]).select("read").collect()
    assert got.schema["read"] == pl.Struct(PARSED_FIELDS)
    row = got.item()
    assert (row["value"], row["unit"], row["restated"]["value"]) == (7e9, "CNY", 1e9)


# ---------------------------------------------------------------------------------------------------------- file


def test_no_file(tmp_path):
    assert read_corrections(tmp_path / FILE) == ()


WRONG = """
[[correction]]
source = "a.csv"
entity = "A"
metric = "m"
period = 2019
expekt = "5"
drop = true
why = "so"
reported_by = "me"

[[correction]]
source = "a.csv"
entity = "A"
metric = "m"
period = 2019
expect = "5"
scale = -2
why = ""
reported_by = "me"

[[correction]]
source = "a.csv"
entity = "A"
metric = "m"
period = 2019
expect = "5"
drop = true
scale = 2
why = "so"
reported_by = "me"
"""


def test_every_mistake_is_told_with_its_line(tmp_path):
    (tmp_path / FILE).write_text(WRONG)
    with pytest.raises(ProjectError) as caught:
        read_corrections(tmp_path / FILE)
    assert caught.value.code == "corrections_invalid"
    for part in (
        "line 2: the key 'expect' is missing",
        "line 7: unknown key 'expekt', did you mean 'expect'?",
        "line 18: 'scale' is -2: it must be a number above 0",
        "line 19: 'why' is '': it must be a text",
        "line 22: the correction needs exactly one of override, scale, drop, accept, and has scale and drop",
    ):
        assert f"schemas/{FILE} {part}" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("x = ", "This is not TOML"),
        ('[correction]\nsource = "a"\n', "each correction begins with [[correction]]"),
        ("[[korrection]]\n", "did you mean 'correction'?"),
        (ENTRY.format("A", "m", "5", ""), "and has none"),
        (ENTRY.format("A", "m", "5", "drop = false"), "it can only be true"),
        (ENTRY.format("A", "m", "5", "drop = true") * 2, "line 12: corrects the same figure as line 2"),
    ],
)
def test_a_broken_file(tmp_path, text, part):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ProjectError) as caught:
        read_corrections(tmp_path / FILE)
    assert part in str(caught.value)


def test_a_broken_file_stops_the_run(corrected, command):
    folder = corrected()
    (folder / "schemas" / FILE).write_text("x = ")
    told = command("run", folder)
    assert (told.code, "corrections_invalid" in told.err) == (3, True)
