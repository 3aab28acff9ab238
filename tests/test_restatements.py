"""Printed pairs of currencies: by the rate of their own time, which methods fit, the rates they imply, a run again."""

import json
from datetime import date
from fractions import Fraction as F

import polars as pl
import pytest

import zhiji_etl as zj
from zhiji_etl.rates import QUOTE_COLUMNS

SCHEMA = """
import zhiji_etl as zj


class CompanyYear(zj.Table):
    revenue: float = zj.Quantity("CNY"{options})
"""
PLAIN = SCHEMA.format(options="")
YEAR = "12 months ended March 31, 2020"
RETAIL = f'Alibaba,revenue,"{YEAR}","RMB6,589 billion (US$945 billion)"\n'
METHODS = ("average", "average_quoted", "period_end", "sum_of_quarters")


def only(rows: list[dict]) -> dict:
    assert len(rows) == 1
    return rows[0]


@pytest.fixture
def pair(run, found):
    """The one restatement finding of a raw file of one row."""

    def judged(row: str, sidecar: str = "", schema: str = PLAIN) -> dict:
        return only([told for told in run(row, sidecar, schema).findings.to_dicts() if told["kind"] == "restatement"])

    return judged


# ------------------------------------------------------------------------------------------------------- which methods


def test_all_methods_are_tried_where_none_is_stated(pair):
    told = pair(RETAIL)
    assert (told["verdict"], told["reading"]) == ("consistent", "average_quoted, sum_of_quarters")
    assert told["message"].endswith(
        "By rate method: consistent with average_quoted, sum_of_quarters; inconsistent with average, period_end."
    )


@pytest.mark.parametrize("method", METHODS)
def test_the_stated_method_decides_and_the_others_are_told(pair, method: str):
    told = pair(RETAIL, f'[fx]\nmethod = "{method}"\n')
    fits = method in ("average_quoted", "sum_of_quarters")
    assert told["verdict"] == ("consistent" if fits else "inconsistent")
    assert told["reading"] == (method if fits else f"{method} does not reconcile")
    assert f"({method} is stated): consistent with average_quoted, sum_of_quarters; " in told["message"]


def test_a_stated_rate_decides(pair):
    assert pair(RETAIL, '[fx]\nrate = "6.9695"\n')["reading"] == "fixed"
    told = pair(RETAIL, '[fx]\nrate = "7.0651"\n')
    assert (told["verdict"], told["reading"]) == ("inconsistent", "fixed does not reconcile")
    assert "consistent with average_quoted, sum_of_quarters" in told["message"]


def test_the_four_quarters_of_a_fiscal_year():
    """Each quarter at its own average, whatever their weights: the hull that holds the printed pair."""
    rates = zj.Rates.ecb()
    ends = [(date(2019, 4, 1), date(2019, 6, 30)), (date(2019, 7, 1), date(2019, 9, 30))]
    ends += [(date(2019, 10, 1), date(2019, 12, 31)), (date(2020, 1, 1), date(2020, 3, 31))]
    quarters = [rates.rate("USD", "CNY", span, "average") for span in ends]
    whole = rates.rate("USD", "CNY", (ends[0][0], ends[-1][1]), "sum_of_quarters")
    assert (whole.low, whole.high) == (min(q.low for q in quarters), max(q.high for q in quarters))
    assert (str(round(whole.low, 2)), str(round(whole.high, 2))) == ("6.82", "7.04")
    printed = (F("6588.5") / F("945.5"), F("6589.5") / F("944.5"))
    assert F(whole.low) < printed[0] < printed[1] < F(whole.high)


@pytest.mark.parametrize(
    ("printed", "verdict"),
    [("RMB7,053 billion (US$1 trillion)", "too_imprecise"), ("RMB7,053 billion (US$10 trillion)", "inconsistent")],
)
def test_one_digit_tells_little_but_tells_a_slipped_scale(pair, printed: str, verdict: str):
    told = pair(f'Alibaba,revenue,"{YEAR}","{printed}"\n')
    assert told["verdict"] == verdict
    words = "too imprecise to tell for" if verdict == "too_imprecise" else "inconsistent with"
    assert f"{words} average, average_quoted, period_end, sum_of_quarters." in told["message"]


@pytest.mark.parametrize("period", ["2020-03", "as of 2020-03-31", "2020-03-31"])
def test_a_slip_shows_where_a_method_does_not_apply(pair, period: str):
    """A month has no quarters: that method says nothing, and does not excuse the pair."""
    told = pair(f'A,revenue,{period},"RMB6,589 billion (US$94.5 billion)"\n')
    assert (told["verdict"], told["reading"]) == ("inconsistent", "no rate method reconciles")
    assert "sum_of_quarters" not in told["message"]


def test_a_founding_capital_at_the_spot_of_its_weeks(pair):
    sidecar = '[fx]\nmethod = "spot"\nstart = 2020-11-26\nend = 2020-12-25\n'
    told = pair("Zhiji,revenue,2020,over 10 billion yuan (US$1.52 billion)\n", sidecar)
    assert (told["verdict"], told["reading"]) == ("consistent", "spot")
    assert (round(told["implied_low"] / 1e9, 2), round(told["implied_high"] / 1e9, 2)) == (9.89, 10.03)


def test_dollars_of_2019_without_a_print_in_yuan(run):
    schema = "import zhiji_etl as zj\n\n\nclass C(zj.Table):\n    revenue: float = zj.Quantity({})\n"
    options = '"USD", fx="average", restated_in="CNY"'
    result = run("SAIC,revenue,2019,$122.0714 billion\n", 'currency = "USD"\n', schema.format(options))
    implied = result.implied.row(0, named=True)
    rate = zj.Rates.ecb().rate("USD", "CNY", "2019", "average")
    assert implied["unit"] == "CNY"
    assert implied["low"] == pytest.approx(122.07135e9 * float(rate.low))
    assert implied["high"] == pytest.approx(122.07145e9 * float(rate.high))
    assert implied["low"] / 1e9 == pytest.approx(843.7, abs=1)
    told = only([row for row in result.findings.to_dicts() if row["kind"] == "restatement"])
    assert (told["verdict"], told["reason"]) == ("not_checkable", "missing_operand")
    assert told["message"].endswith("Not printed: revenue in CNY.")


# ------------------------------------------------------------------------------------------------------- implied rates


def test_implied_rates_in_the_summary(command, project):
    rows = RETAIL + 'B,revenue,2019,"RMB6,589 billion (US$94.5 billion)"\n'
    told = json.loads(command("run", project(rows, schema=PLAIN), "--json").out)
    good, slipped = told["implied_rates"]
    assert (good["source"], good["entity"], good["pair"], good["fits"]) == ("alpha.csv", "Alibaba", "CNY/USD", True)
    assert (good["low"], good["high"]) == (pytest.approx(6588.5 / 945.5), pytest.approx(6589.5 / 944.5))
    assert {name: method["fits"] for name, method in good["methods"].items()} == {
        "average": False,
        "average_quoted": True,
        "period_end": False,
        "sum_of_quarters": True,
    }
    assert slipped["fits"] is False
    assert slipped["low"] / slipped["methods"]["average"]["high"] == pytest.approx(10, abs=0.3)


def test_implied_rates_are_shown_the_doubtful_first(command, project):
    rows = RETAIL + 'B,revenue,2019,"RMB6,589 billion (US$94.5 billion)"\n'
    lines = command("run", project(rows, schema=PLAIN)).out.splitlines()
    first, second = (
        next(n for n, line in enumerate(lines) if f"alpha.csv {name}" in line) for name in ("B", "Alibaba")
    )
    assert first < second
    assert lines[first].split()[-2:] == ["CNY/USD", "no"]
    assert "6.96827 to 6.97671" in lines[second]


def test_an_end_that_is_not_bounded_is_one_text_in_all_json(command, project):
    """`diff` wrote it as text, `explain` and the implied rates as null, which is what is unknown: of US$0, say."""
    rows = "A,revenue,2019,over 10 billion yuan (US$1.52 billion)\nB,revenue,2019,RMB5 million (US$0)\n"
    folder = project("A,revenue,2018,RMB2.0 billion\n", schema=CONVERTING)
    zj.Project(folder).run()
    told = command("run", project(rows, schema=CONVERTING), "--json").out
    limited, unknown = json.loads(told)["implied_rates"]
    assert (limited["low"], limited["high"]) == (pytest.approx(1e10 / 1.525e9), "Infinity")
    assert (unknown["low"], unknown["high"]) == (None, None)
    finding = json.loads(command("explain", "revenue_in_USD:A", "--project", folder, "--json").out)["finding"]
    assert (finding["stated_low"], finding["stated_high"]) == (1e10, "Infinity")
    changes = json.loads(command("diff", "--build", folder, "--json").out)["figures"]
    assert "Infinity" in {row["high_after"] for row in changes}
    assert json.loads(command("parse", "over 10 billion yuan", "--json").out)["high"] == "Infinity"
    assert "above 6.557377" in command("run", folder).out


def test_no_pairs_no_table(command, project):
    assert "implied rates" not in command("run", project("A,revenue,2019,RMB2.0 billion\n", schema=PLAIN)).out


# --------------------------------------------------------------------------------------------------------- a run again

MIXED = (
    RETAIL
    + "B,revenue,2019,US$2.0 billion\nB,revenue,1990,US$2.0 billion\nB,revenue,2018,€1.5 billion\n"
    + 'B,revenue,2020Q1,"RMB1,000 million (HK$1,100 million)"\nB,revenue,2021,NT$2.0 billion\n'
)
CONVERTING = SCHEMA.format(options=', fx="average"')


def test_a_run_writes_the_rates_that_it_used(project):
    result = zj.Project(project(MIXED, schema=CONVERTING)).run()
    stored = pl.read_parquet(result.path / "rates.parquet")
    assert stored.equals(result.rates)
    assert stored.schema == QUOTE_COLUMNS
    assert set(stored["quote"]) == {"CNY", "USD", "HKD"}
    assert stored.height < 5_000
    manifest = json.loads((result.path / "run.json").read_text(encoding="utf-8"))
    assert manifest["rates"] == [
        {
            "layer": 0,
            "source": "ECB euro foreign exchange reference rates",
            "first_quote": str(stored["date"].min()),
            "last_quote": str(stored["date"].max()),
            "quotes": stored.height,
        }
    ]
    # CNY of 2018 from the euro, the quote before New Year's Day included; nothing after the last period.
    assert stored["date"].min() == date(2017, 12, 27)
    assert stored["date"].max() == date(2020, 3, 31)


def test_a_run_on_its_own_rates_finds_the_same(project):
    folder = project(MIXED, schema=CONVERTING)
    first = zj.Project(folder).run()
    (folder / "used.parquet").write_bytes((first.path / "rates.parquet").read_bytes())
    (folder / "zhiji.toml").write_text('rates = ["used.parquet"]\n', encoding="utf-8")
    again = zj.Project(folder).run()
    assert again.findings.equals(first.findings)
    assert again.figures.equals(first.figures)
    assert again.implied.equals(first.implied)
    assert again.rates.equals(first.rates)


def test_own_rates_are_named_by_layer(project):
    folder = project("B,revenue,2019-06-03,US$2.0 billion\nB,revenue,2019,US$2.0 billion\n", schema=CONVERTING)
    (folder / "own.csv").write_text("date,base,quote,rate,source\n2019-06-03,USD,CNY,6.9000,Bank\n", encoding="utf-8")
    (folder / "zhiji.toml").write_text('rates = ["own.csv"]\n', encoding="utf-8")
    result = zj.Project(folder).run()
    told = [(row["layer"], row["source"]) for row in result.manifest["rates"]]
    assert told == [(0, "Bank"), (1, "ECB euro foreign exchange reference rates")]
    assert result.figures.filter(pl.col("period") == "2019-06-03")["rate"].to_list() == [6.9]
    (folder / "used.parquet").write_bytes((result.path / "rates.parquet").read_bytes())
    (folder / "zhiji.toml").write_text('rates = ["used.parquet"]\n', encoding="utf-8")
    assert zj.Project(folder).run().figures.equals(result.figures)


# ---------------------------------------------------------------------------------------------- what would resolve


def test_what_either_amount_would_have_to_be(pair):
    told = pair('Alibaba,revenue,2019,"RMB 7,000 million (US$1.013 million)"\n', '[fx]\nmethod = "average"\n')
    assert told["verdict"] == "inconsistent"
    by_unit = {change["unit"]: change for change in told["resolved_by"]}
    assert set(by_unit) == {"CNY", "USD"}
    assert by_unit["USD"]["low"] < 1_013_000_000 < by_unit["USD"]["high"]
    assert by_unit["USD"]["pattern"] == "factor_1e3"
    assert by_unit["CNY"]["high"] < 8_000_000


def test_a_restatement_that_holds_needs_no_change(pair):
    assert not pair(RETAIL)["resolved_by"]


# ------------------------------------------------------------------------------------------- two columns, one figure

BOTH = 'A,revenue,2024,"RMB144,460 million"\nA,revenue,2024,"US$19,791 million"\n'


def told_of(result, kind: str = "restatement") -> list[tuple]:
    return result.findings.filter(kind=kind).select("rule", "entity", "period", "verdict").rows()


def test_two_rows_in_two_currencies_are_one_figure(run):
    result = run(BOTH, schema=PLAIN)
    assert result.rejects.is_empty()
    first, again = result.figures.sort("row_id").to_dicts()
    assert (first["unit"], first["restates"], again["unit"], again["restates"]) == (
        "CNY",
        None,
        "USD",
        first["figure_id"],
    )
    assert (again["low"], again["high"]) == (19_790_500_000, 19_791_500_000)
    assert told_of(result) == [("revenue_in_USD", "A", "2024", "consistent")]
    assert told_of(result, "duplicate") == []
    assert result.tables["company_year"]["revenue"].to_list() == [144_460e6]


def test_the_amount_in_the_currency_of_the_metric_is_the_figure(run):
    schema = SCHEMA.format(options="").replace("CNY", "USD")
    result = run(BOTH, schema=schema)
    assert result.tables["company_year"]["revenue"].to_list() == [19_791e6]
    assert told_of(result) == [("revenue_in_CNY", "A", "2024", "consistent")]


@pytest.mark.parametrize(
    ("rows", "schema"),
    [
        (BOTH.replace('A,revenue,2024,"US', 'B,revenue,2024,"US'), PLAIN),
        (BOTH.replace('2024,"US', '2023,"US'), PLAIN),
        (BOTH, PLAIN.replace("CNY", "EUR")),
    ],
)
def test_only_the_same_figure_in_the_currency_of_the_metric_is_restated(run, rows: str, schema: str):
    result = run(rows, schema=schema)
    assert set(result.rejects["code"]) == {"currency_mismatch"}
    assert told_of(result) == []


def test_editions_are_not_tied(project):
    folder = project(BOTH, schema=PLAIN)
    rows = "entity,metric,period,vintage,printed\nA,revenue,2024,1,RMB144 billion\nA,revenue,2024,2,US$19 billion\n"
    (folder / "raw" / "alpha.csv").write_text(rows, encoding="utf-8")
    assert zj.Project(folder).run().rejects["code"].to_list() == ["currency_mismatch"]


def test_amounts_a_share_are_judged_too(run):
    schema = 'import zhiji_etl as zj\n\n\nclass C(zj.Table):\n    eps: float = zj.Quantity("CNY/share")\n'
    right, wrong = (
        run(f"A,eps,2024,RMB4.02 per share\nA,eps,2024,US${dollars} per share\n", schema=schema)
        for dollars in ("0.55", "0.65")
    )
    assert told_of(right) == [("eps_in_USD", "A", "2024", "consistent")]
    assert told_of(wrong) == [("eps_in_USD", "A", "2024", "inconsistent")]
    assert set(right.findings.filter(kind="implied_rate")["unit"]) == {"CNY/USD"}


def test_the_print_that_is_judged_is_told_first(run):
    result = run(BOTH.replace("460", "461"), schema=PLAIN)
    told = only(result.findings.filter(kind="restatement").to_dicts())
    printed = dict(result.figures.select("figure_id", "printed").iter_rows())
    assert [printed[one] for one in told["figures"]] == ["US$19,791 million", "RMB144,461 million"]


def test_what_restates_a_refused_amount_is_refused_with_it(run):
    schema = SCHEMA.format(options=", le=1000")
    result = run(BOTH, schema=schema)
    assert result.rejects["code"].to_list() == ["check_failed"] * 2
    assert result.figures.is_empty()
