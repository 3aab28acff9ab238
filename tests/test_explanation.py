"""Findings told in the terminal: every kind and verdict, the plot, and how a finding is found."""

import json
import math
import re
import shlex
from pathlib import Path

import polars as pl
import pytest

import zhiji_etl as zj
from zhiji_etl.errors import FindingError
from zhiji_etl.figures import FIGURE_COLUMNS, FINDING_COLUMNS
from zhiji_etl.glossary import meanings
from zhiji_etl.project import Project
from zhiji_etl.terminal.explanation import chosen, story
from zhiji_etl.terminal.findings import ends, in_brief, last_digits
from zhiji_etl.terminal.plots import Bar, plot
from zhiji_etl.terminal.summary import worst_finding
from zhiji_etl.wording import rule_of, rule_texts

INFINITY = math.inf
NO_FIGURES = pl.DataFrame(schema=FIGURE_COLUMNS)


def finding(**told) -> dict:
    row = dict.fromkeys(FINDING_COLUMNS)
    named = {"finding_id": "rule:r::", "kind": "rule", "rule": "r"}
    return {**row, **named, "verdict": "consistent", "severity": "error", "message": "so.", **told}


def frame(*rows: dict) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=FINDING_COLUMNS, orient="row")


@pytest.mark.parametrize("width", [40, 80, 200])
def test_every_finding_of_the_reference_project(reference_result, reference, width: int):
    texts = rule_texts(Project(reference).catalogue.rules)
    for row in reference_result.findings.to_dicts():
        told = story(row, reference_result.findings, reference_result.figures, rule_of(row, texts), width).plain
        assert row["verdict"] in told
        assert row["rule"] in told
        assert "None" not in told
        assert "nan" not in told


def test_a_story_in_full(reference_result, reference):
    row = chosen(reference_result.findings, "rule:share_vs_sales")
    texts = rule_texts(Project(reference).catalogue.rules)
    told = story(row, reference_result.findings, reference_result.figures, rule_of(row, texts), 120).plain
    for part in (
        "share_vs_sales  SAIC Motor 2019  inconsistent (warning)",
        "Market share follows from sales and the size of the market.",
        "all_sales: market_share = vehicle_sales / vehicle_sales [China market]",
        "22.7 percent   saic_motor_2019.csv",
        "14.5 last digits",
        "read so: no admissible scope reconciles",
        "SAIC Motor vehicle_sales 2019: 5.8366 to 5.8626 million vehicles",
        "domestic_sales: implied 22.8274 to 22.8709 %: inconsistent",
        "candidate SAIC Motor overseas_sales 2019",
    ):
        assert part in told


def test_figures_that_must_change_together():
    """Where no single figure resolves a conflict, the story lists the sets of several."""
    sums = finding(verdict="inconsistent", finding_id="rule:r", figures=[1, 2])
    both = "cannot hold together: A a 2019, A b 2019. To change: A a 2019 and A c 2019; or A b 2019 and A c 2019."
    conflict = {"kind": "conflict", "finding_id": "conflict:r", "verdict": "inconsistent", "reading": "a tie of 2"}
    row = finding(**conflict, message=both, figures=[1, 2, 3], resolved_by=[])
    told = story(sums, frame(sums, row), NO_FIGURES, None, 100).plain
    assert "candidates together: A a 2019 and A c 2019\n" in told
    assert "candidates together: A b 2019 and A c 2019" in told
    trusted = row | {"message": "cannot hold together: A a 2019. No figure of them may be changed."}
    assert "candidate" not in story(sums, frame(sums, trusted), NO_FIGURES, None, 100).plain


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (1_469_075_000.0, 1_469_085_000.0, "1.469075 to 1.469085 billion CNY"),
        (24.20497, 24.20979, "24.20497 to 24.20979 CNY"),
        (10_000.25, 10_000.375, "10,000.250 to 10,000.375 CNY"),
        (0.1, 0.1 + 2**-55, "0.1 CNY"),
        (None, None, "nothing is known"),
    ],
)
def test_two_ends_are_told_apart(low: float | None, high: float | None, told: str):
    assert ends(low, high, "CNY") == told


@pytest.mark.parametrize(
    "told",
    [
        {"stated_low": 1.0, "stated_high": INFINITY, "implied_low": -INFINITY, "implied_high": 0.5, "strain": None},
        {"stated_low": -INFINITY, "stated_high": INFINITY, "implied_low": -INFINITY, "implied_high": INFINITY},
        {"stated_low": 5.0, "stated_high": 5.0, "implied_low": 5.0, "implied_high": 5.0, "mde": INFINITY},
        {"stated_low": 5.0, "stated_high": 6.0, "verdict": "not_checkable", "reason": "missing_operand"},
        {"verdict": "not_checkable", "reason": "scope_unknown", "message": None, "figures": []},
        {"verdict": "inconsistent", "kind": "conflict", "reading": "a tie of 2", "resolved_by": [], "figures": [1]},
        {"verdict": "inconsistent", "kind": "check", "rule": None, "entity": None, "message": None},
        {"verdict": "too_imprecise", "kind": "restatement", "reading": "spot", "mde": 0.5, "unit": "USD"},
    ],
)
def test_ends_that_are_open_equal_or_unknown(told: dict):
    row = finding(**told)
    text = story(row, frame(row), NO_FIGURES, None, 60).plain
    assert row["verdict"] in text
    assert "None" not in text
    assert "nan" not in text


def test_both_bounds_stand_on_one_axis():
    lines = plot([Bar("printed", 0.0, 10.0, "a"), Bar("implied", 90.0, 100.0, "b")], 80)
    first, second = (line[10:].rstrip("ab ") for line in lines)
    assert first.startswith("[")
    assert second.endswith("]")
    assert first.index("]") < second.index("[")
    assert len(first) * 8 < len(second)


def test_open_ends_reach_the_edge():
    (above, below) = plot([Bar("printed", 5.0, INFINITY, ""), Bar("implied", -INFINITY, 5.0, "")], 60)
    assert above.endswith(">")
    assert below[10] == "<"
    assert above.index("[") == below.index("]")


@pytest.mark.parametrize("width", [20, 40, 79, 80, 120, 300])
def test_no_line_is_wider_than_the_terminal_or_than_what_it_must_hold(width: int):
    bars = [Bar("printed", 1.0, 2.0, "1 .. 2 percent"), Bar("implied", 3.0, 4.0, "3 .. 4 percent")]
    assert all(len(line) <= max(width, 28) for line in plot(bars, width))


def test_a_finding_by_a_part_of_its_id():
    rows = frame(
        finding(finding_id="rule:share:A:2019"),
        finding(finding_id="alternative:share.all:A:2019", kind="alternative"),
        finding(finding_id="rule:growth:A:2019"),
        finding(finding_id="rule:growth:B:2019"),
    )
    assert chosen(rows, "share")["finding_id"] == "rule:share:A:2019"
    assert chosen(rows, "SHARE.ALL")["kind"] == "alternative"
    assert chosen(rows, "rule:growth:B:2019")["finding_id"] == "rule:growth:B:2019"
    with pytest.raises(FindingError) as caught:
        chosen(rows, "growth")
    assert (caught.value.code, caught.value.exit_code) == ("finding_ambiguous", 2)
    assert "rule:growth:A:2019; rule:growth:B:2019" in str(caught.value)
    with pytest.raises(FindingError) as caught:
        chosen(rows, "rule:grwth:A:2019")
    assert caught.value.code == "finding_unknown"
    assert "did you mean rule:growth:A:2019" in str(caught.value)


def test_the_command(command, reference):
    assert command("explain", "share", "--project", reference).code == 5
    command("run", reference)
    told = command("explain", "rule:share_vs_sales", "--project", reference)
    assert (told.code, told.err) == (0, "")
    assert "any one of these changes would resolve it" in told.out
    data = json.loads(command("explain", "rule:share_vs_sales", "--project", reference, "--json").out)
    assert list(data) == ["finding", "rule", "figures", "alternatives", "conflicts"]
    assert data["finding"]["finding_id"].startswith("rule:share_vs_sales")
    scopes = {row["rule"].split(".")[1] for row in data["alternatives"]}
    assert scopes == {"all_sales", "domestic_sales"} == {*data["rule"]["formulas"]}
    assert len(data["figures"]) == len(data["finding"]["figures"])
    assert data["conflicts"][0]["resolved_by"]
    missed = command("explain", "shares_vs_sale", "--project", reference)
    assert (missed.code, missed.out) == (2, "")
    assert "did you mean" in missed.err


def test_a_slip_is_named_beside_the_change(command, project):
    schema = """import zhiji_etl as zj

class CompanyYear(zj.Table):
    a: float = zj.Quantity("vehicle", ge=0)
    b: float = zj.Quantity("vehicle", ge=0)
    t: float = zj.Quantity("vehicle", ge=0)

    @zj.rule
    def total(m):
        return m.t == m.a + m.b
"""
    folder = project("A,a,2019,1201\nA,b,2019,151\nA,t,2019,1325\n", schema=schema)
    assert "A t 2019 were 1,352 vehicles, which would fit: two digits swapped" in command("run", folder).out


def test_a_large_percentage_is_written_out(command, project):
    """Where hardly anything would be noticed, no exponent is shown."""
    folder = project("A,vehicle_sales,2019,about 5 vehicles\nA,vehicle_sales,2019,500000 vehicles\n")
    command("run", folder)
    told = command("explain", "duplicate:vehicle_sales_twice:A:2019", "--project", folder).out
    line = next(line for line in told.splitlines() if "notices an error" in line)
    assert "," in line
    assert "e+" not in line


def test_a_code_is_told_without_a_project(command, tmp_path):
    told = command("explain", "missing_reference", "--project", tmp_path)
    assert (told.code, told.err) == (0, "")
    assert "Reasons of findings that are not checkable" in told.out
    data = json.loads(command("explain", "period_unreadable", "--project", tmp_path, "--json").out)
    assert data["code"] == "period_unreadable"
    assert [one["cure"] for one in data["meanings"]] == ["The reason lists the known forms."]


def test_every_row_of_the_page_of_codes_is_told():
    page = Path(zj.__file__).parents[1] / "docs" / "codes.md"
    if not page.is_file():
        pytest.skip("the page of codes stands in a checkout only")
    codes = re.findall(r"^\| <a id=[^>]+></a>`(\w+)`", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert [code for code in codes if not meanings(code)] == []
    assert all(one.cause and one.where for code in codes for one in meanings(code))


def test_the_hint_of_a_run_can_be_typed(command, reference, tmp_path, monkeypatch):
    """The command that a run names finds the run, from another folder and with another build folder too."""
    monkeypatch.chdir(tmp_path)
    for options in ([], ["--out", str(tmp_path / "two words")]):
        told = command("run", reference, *options).out
        hint = next(line for line in told.splitlines() if line.startswith("more of any finding: "))
        typed = re.search(r'explain FINDING(.*), such as "(.*)"$', hint)
        assert typed is not None
        shown = command("explain", typed[2], *shlex.split(typed[1]))
        assert shown.code == 0
        assert shown.out.startswith("share_vs_sales")


def test_runs_of_a_project_are_found_by_its_name(command, reference, tmp_path, monkeypatch):
    """`runs`, `verify` and `diff` take the project folder too."""
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        command("run", reference, "--json")
    for folder in (reference, reference / "build"):
        assert "latest" in command("runs", folder).out
        assert command("verify", folder).out.endswith("all as they were written.\n")
        assert "no figure differs" in command("diff", "--build", folder).out


def test_the_figure_that_all_rules_suspect(run):
    """The summary of a run says which figure is most likely wrong, where several rules tell."""
    rules = """
import zhiji_etl as zj
class Year(zj.Table):
    total: float = zj.Quantity("CNY")
    home: float = zj.Quantity("CNY")
    abroad: float = zj.Quantity("CNY")
    share: float = zj.Quantity("percent")
    @zj.rule
    def parts(m):
        "Parts make the total."
        return m.total == m.home + m.abroad
    @zj.rule
    def home_share(m):
        "Share."
        return m.share == m.home / m.total
"""
    rows = "A,total,2021,RMB150.0\nA,home,2021,RMB{}\nA,abroad,2021,RMB50.0\nA,share,2021,66.7%\n"
    told = "\n".join(line.plain for line in explained_lines(run(rows.format("200.0"), schema=rules)))
    assert "by all rules together most likely: A home 2021" in told


def explained_lines(result):
    worst = worst_finding(result.shown.findings)
    assert worst is not None
    return in_brief(worst, result.shown).renderables


def test_a_large_gap_is_written_out():
    assert [last_digits(steps) for steps in (0.7743, 14.5, 11_540.0, 5397.5)] == [
        "0.774 last digits",
        "14.5 last digits",
        "11500 last digits",
        "5400 last digits",
    ]


def test_a_converted_figure_is_told_with_its_rate(command, project):
    """Its bounds are in another currency than its print: without the rate nobody can follow them."""
    folder = project("A,revenue,2021,RMB717 million\n")
    other = "entity,metric,period,printed\nA,revenue,2021,US$113 million\n"
    (folder / "raw" / "beta.csv").write_text(other, encoding="utf-8")
    assert command("run", folder).code == 1
    told = command("explain", "revenue_twice", "--project", folder)
    assert "  A revenue 2021  US$113 million (USD, converted at 6.45116)   beta.csv row 2" in told.out.splitlines()
    assert "  A revenue 2021  RMB717 million   alpha.csv row 2" in told.out.splitlines()
