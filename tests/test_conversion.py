"""Conversion: factors and rates, bounds that hold every possible amount, methods, periods from a raw file."""

from datetime import date
from decimal import Decimal
from fractions import Fraction as F

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import zhiji_etl as zj
from zhiji_etl.conversion import CONVENTION_COLUMNS, convert, requested
from zhiji_etl.errors import ProjectError, RuleError
from zhiji_etl.figures import FIGURE_COLUMNS

CURRENCIES = ["USD", "CNY", "EUR", "JPY", "GBP", "HKD"]
METHODS = ["spot", "average", "average_quoted", "period_end", "sum_of_quarters"]
YEARS = st.integers(2006, 2024).map(lambda year: (date(year, 1, 1), date(year, 12, 31)))
SCHEMA = """
import zhiji_etl as zj


class CompanyYear(zj.Table):
    revenue: float = zj.Quantity("CNY"{options})
"""


def figure(value: float, half: float, printed: str, declared: str, method: str | None, days: tuple[date, date]) -> dict:
    given_columns = {
        "figure_id": 0,
        "row_id": 0,
        "source": "a.csv",
        "metric": "revenue",
        "period_start": days[0],
        "period_end": days[1],
        "value": value,
        "low": value - half,
        "high": value + half,
        "low_closed": True,
        "high_closed": True,
        "step": 2 * half,
        "step_max": 2 * half,
        "printed_value": value,
        "unit": printed,
        "printed_unit": printed,
        "declared_unit": declared,
        "nouns": [],
        "fx": method,
    }
    schema = columns_of_stated_figures()
    return {name: given_columns.get(name) for name in schema}


def columns_of_stated_figures() -> dict[str, pl.DataType]:
    further = {"declared_unit": pl.String(), "nouns": pl.List(pl.String()), "fx": pl.String()}
    ends = {"at_least": pl.Float64(), "at_most": pl.Float64(), "restated_in": pl.String()}
    return {**FIGURE_COLUMNS, **further, **ends, **CONVENTION_COLUMNS}


def converted(*rows: dict) -> pl.DataFrame:
    return convert(pl.DataFrame(rows, schema=columns_of_stated_figures()), zj.Rates.ecb())


# ------------------------------------------------------------------------------------------------------------- bounds


@settings(max_examples=30)
@given(
    value=st.integers(-(10**9), 10**9).filter(bool),
    share=st.floats(0, 2),
    pair=st.permutations(CURRENCIES).map(lambda codes: codes[:2]),
    method=st.sampled_from(METHODS),
    days=YEARS,
    corners=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=5),
)
def test_bounds_hold_every_amount_at_every_rate(value, share, pair, method, days, corners):
    half = abs(value) * share
    row = converted(figure(value, half, *pair, method, days)).row(0, named=True)
    rate = zj.Rates.ecb().rate(*_as_quoted(*pair), days, method)
    turned = _as_quoted(*pair) != tuple(pair)
    ends = (1 / rate.high, 1 / rate.low) if turned else (rate.low, rate.high)
    least, most = (F(end) if isinstance(end, Decimal) else F(Decimal(end)) for end in ends)
    slack = abs(row["high"] - row["low"]) * 1e-9 + abs(value) * float(most) * 1e-9
    for at_amount, at_rate in [(0, 0), (0, 1), (1, 0), (1, 1), *corners]:
        amount = F(value - half) + F(at_amount) * F(2 * half)
        product = amount * (least + F(at_rate) * (most - least))
        assert row["low"] - slack <= product <= row["high"] + slack
    assert row["low"] - slack <= row["value"] <= row["high"] + slack


def _as_quoted(source: str, target: str) -> tuple[str, str]:
    order = ["EUR", "GBP", "USD", "CNY", "HKD", "JPY"]
    return (source, target) if order.index(source) < order.index(target) else (target, source)


@settings(max_examples=20)
@given(
    value=st.integers(1, 10**9),
    pair=st.permutations(CURRENCIES).map(lambda codes: codes[:2]),
    method=st.sampled_from(METHODS),
    days=YEARS,
)
def test_there_and_back_is_within_bounds(value, pair, method, days):
    there = converted(figure(value, 0.5, *pair, method, days)).row(0, named=True)
    half = (there["high"] - there["low"]) / 2
    middle = (there["high"] + there["low"]) / 2
    back = converted(figure(middle, half, pair[1], pair[0], method, days)).row(0, named=True)
    assert back["low"] <= (value - 0.5) * (1 + 1e-12)
    assert back["high"] >= (value + 0.5) * (1 - 1e-12)


def test_each_row_has_its_own_rate_and_its_own_place():
    days = [(date(2019, month, 1), date(2019, month, 28)) for month in range(1, 13)]
    rows = [
        figure(100.0 + n, 0.5, CURRENCIES[n % 6], "EUR", "spot" if n % 2 else "average", days[n % 12])
        for n in range(60)
    ]
    frame = converted(*(row | {"figure_id": n} for n, row in enumerate(rows)))
    assert frame["figure_id"].to_list() == list(range(60))
    for n, row in enumerate(frame.iter_rows(named=True)):
        if CURRENCIES[n % 6] == "EUR":
            assert (row["rate"], row["value"]) == (None, 100.0 + n)
            continue
        rate = zj.Rates.ecb().rate("EUR", CURRENCIES[n % 6], days[n % 12], "spot" if n % 2 else "average")
        assert row["value"] == pytest.approx((100 + n) / float(rate.value), rel=1e-9)
    assert requested(frame)["quote"].n_unique() == 5


def test_one_unit_is_asked_for_no_rate():
    frame = converted(figure(100.0, 0.5, "CNY", "CNY", "average", (date(1990, 1, 1), date(1990, 12, 31))))
    assert frame.select("value", "rate", "code", "reason").row(0) == (100.0, None, None, None)
    assert requested(frame).is_empty()


# ------------------------------------------------------------------------------------------------------------ methods


def test_nothing_converts_silently(run):
    rejects = run("A,revenue,2019,US$2.0 billion\n", schema=SCHEMA.format(options="")).rejects
    assert rejects["code"].to_list() == ["currency_mismatch"]
    assert "fx=" in rejects["reason"][0]


@pytest.mark.parametrize(
    ("period", "method"), [("2019", "average"), ("as of 2019-12-31", "period_end"), ("2019-12-31", "period_end")]
)
def test_the_usual_method_of_flows_and_of_stocks(run, period: str, method: str):
    result = run(f"A,revenue,{period},US$2.0 billion\n", schema=SCHEMA.format(options=', fx="usual"'))
    days = (date(2019, 1, 1), date(2019, 12, 31)) if method == "average" else date(2019, 12, 31)
    expected = zj.Rates.ecb().rate("USD", "CNY", days, method)
    assert result.figures["rate"].to_list() == [pytest.approx(float(expected.value))]


def test_the_source_comes_before_the_metric(run):
    schema = SCHEMA.format(options=', fx="average"')
    row = run("A,revenue,2019,US$2.0 billion\n", '[fx]\nmethod = "period_end"\n', schema).figures.row(0, named=True)
    expected = zj.Rates.ecb().rate("USD", "CNY", date(2019, 12, 31), "period_end")
    assert row["rate"] == pytest.approx(float(expected.value))


@pytest.mark.parametrize("printed", ["US$2.0 billion", "RMB14.13 billion"])
def test_a_printed_rate_is_read_as_markets_quote_it(run, printed: str):
    """7.0651 is CNY for one USD, whichever of the two is converted; a rate alone means the method fixed."""
    schema = SCHEMA.format(options="").replace("CNY", "CNY" if printed.startswith("US") else "USD")
    row = run(f"A,revenue,2019,{printed}\n", '[fx]\nrate = "7.0651"\n', schema).figures.row(0, named=True)
    expected = 2e9 * 7.0651 if printed.startswith("US") else 14.13e9 / 7.0651
    assert row["value"] == pytest.approx(expected)
    assert row["low"] < expected < row["high"]


@pytest.mark.parametrize("sidecar", ['method = "fixed"', 'method = "average"\nrate = "7.1"', "start = 2019-01-01"])
def test_a_convention_that_is_not_whole(project, sidecar: str):
    folder = project("A,revenue,2019,US$2.0 billion\n", f"[fx]\n{sidecar}\n")
    with pytest.raises(ProjectError, match="belong together") as caught:
        zj.Project(folder).run()
    assert caught.value.code == "sidecar_invalid"


@pytest.mark.parametrize(
    ("sidecar", "options", "code"),
    [('[fx]\nmethod = "mean"\n', "", "sidecar_invalid"), ("", ', fx="mean"', "schema_invalid")],
)
def test_an_unknown_method_names_the_known_ones(project, sidecar: str, options: str, code: str):
    folder = project("A,revenue,2019,US$2.0 billion\n", sidecar, SCHEMA.format(options=options))
    with pytest.raises(ProjectError, match="sum_of_quarters") as caught:
        zj.Project(folder).run()
    assert caught.value.code == code


def test_a_rule_across_currencies_says_what_to_declare(project):
    schema = SCHEMA.format(options="") + '    cost: float = zj.Quantity("USD")\n\n'
    schema += "    @zj.rule\n    def below(m):\n        return m.cost <= m.revenue\n"
    with pytest.raises((ProjectError, RuleError), match=r'm\.rate\("USD", "CNY"\).*fx="average"') as caught:
        zj.Project(project("A,revenue,2019,RMB2.0 billion\n", schema=schema)).run()
    assert caught.value.code == "rule_dimension"


def test_two_currencies_of_one_metric_are_compared(run, found):
    """What a rule across currencies would say: a source prints the amount in yuan, and again in dollars."""
    schema = SCHEMA.format(options=', fx="average"')
    wrong = run("A,revenue,2019,US$2.000 billion\nA,revenue,2019,RMB15.000 billion\n", schema=schema)
    assert found(wrong, "revenue_in_USD")[0]["verdict"] == "inconsistent"
    right = run("A,revenue,2019,US$2.00 billion\nA,revenue,2019,RMB13.82 billion\n", schema=schema)
    assert found(right, "revenue_in_USD")[0]["verdict"] == "consistent"


# ------------------------------------------------------------------------------------------------------------ periods

FORMS = {
    "2019": ("2019-01-01", "2019-12-31", "2019"),
    "2019年": ("2019-01-01", "2019-12-31", "2019"),
    "FY2020": ("2019-04-01", "2020-03-31", "2019-04-01/2020-03-31"),
    "2020Q1": ("2020-01-01", "2020-03-31", "2020Q1"),
    "1Q20": ("2020-01-01", "2020-03-31", "2020Q1"),
    "H1 2020": ("2020-01-01", "2020-06-30", "2020H1"),
    "2020-03": ("2020-03-01", "2020-03-31", "2020-03"),
    "Mar 2020": ("2020-03-01", "2020-03-31", "2020-03"),
    "12 months ended March 31, 2020": ("2019-04-01", "2020-03-31", "2019-04-01/2020-03-31"),
    "TTM 2020-03": ("2019-04-01", "2020-03-31", "2019-04-01/2020-03-31"),
    "2019-04-01/2020-03-31": ("2019-04-01", "2020-03-31", "2019-04-01/2020-03-31"),
    "2020-03-31": ("2020-03-31", "2020-03-31", "2020-03-31"),
    "2020年一季度": ("2020-01-01", "2020-03-31", "2020Q1"),
    "2019年上半年": ("2019-01-01", "2019-06-30", "2019H1"),
    "2019年前三季度": ("2019-01-01", "2019-09-30", "2019-01-01/2019-09-30"),
    "2019年1-9月": ("2019-01-01", "2019-09-30", "2019-01-01/2019-09-30"),
    "截至2020年3月31日止年度": ("2019-04-01", "2020-03-31", "2019-04-01/2020-03-31"),
}


def test_forms_of_a_period_through_a_raw_file(run):
    rows = "".join(f'E{number},vehicle_sales,"{text}",5 vehicles\n' for number, text in enumerate(FORMS))
    result = run(rows, 'fiscal_year_end = "03-31"\n')
    assert result.rejects.to_dicts() == []
    table = result.tables["company_year"].sort(pl.col("entity").str.slice(1).cast(pl.Int32))
    days = [(date.fromisoformat(start), date.fromisoformat(end), label) for start, end, label in FORMS.values()]
    assert table.select("period_start", "period_end", "period").rows() == days


def test_an_unreadable_period_says_which_forms_are_known(run):
    reject = run("A,vehicle_sales,someday,5 vehicles\n").rejects.row(0, named=True)
    assert reject["code"] == "period_unreadable"
    assert all(form in reject["reason"] for form in ("2019", "FY2020", "2020Q1", "H1 2020", "上半年"))


PRICES = """
import zhiji_etl as zj


class CompanyYear(zj.Table):
    price: float = zj.Quantity("CNY/vehicle", fx="average")
    ore: float = zj.Quantity("CNY/tonne", fx="average")
"""


def test_a_price_converts_by_the_rate_of_its_currency(project):
    rows = (
        'A,price,2019,"US$30,125 per vehicle"\nA,ore,2019,US$0.125/kg\nA,price,2020,"RMB210,125 per vehicle"\n'
        'A,price,1990,"US$30,125 per vehicle"\nB,price,2019,US$30 per tonne\n'
    )
    result = zj.Project(project(rows, schema=PRICES)).run()
    rate = zj.Rates.ecb().rate("USD", "CNY", "2019", "average")
    values = {(row["metric"], row["period"]): row for row in result.figures.iter_rows(named=True)}
    car, ore = values["price", "2019"], values["ore", "2019"]
    assert car["value"] == pytest.approx(30_125 * float(rate.value))
    assert (car["low"], car["high"]) == (
        pytest.approx(30_124.5 * float(rate.low)),
        pytest.approx(30_125.5 * float(rate.high)),
    )
    assert ore["value"] == pytest.approx(125 * float(rate.value))
    assert (car["rate"], ore["rate"]) == (pytest.approx(float(rate.value)), pytest.approx(float(rate.value)))
    assert (car["unit"], car["printed_unit"]) == ("CNY/vehicle", "USD/vehicle")
    assert (values["price", "2020"]["value"], values["price", "2020"]["rate"]) == (210_125, None)
    assert values["price", "1990"]["value"] is None
    assert result.findings.filter(kind="conversion").get_column("reason").to_list() == ["missing_reference"]
    assert result.rejects.select("entity", "code").rows() == [("B", "unit_mismatch")]
    assert set(result.rates["quote"]) == {"CNY", "USD"}


def test_a_price_in_another_currency_needs_a_method(project):
    schema = PRICES.replace(', fx="average"', "")
    result = zj.Project(project('A,price,2019,"US$30,125 per vehicle"\n', schema=schema)).run()
    assert result.rejects.get_column("code").to_list() == ["currency_mismatch"]
    assert "declare how" in result.rejects.get_column("reason").item()


# -------------------------------------------------------------------------------------------------------------- nouns

NOUNS = '''
import zhiji_etl as zj


class Site(zj.Table):
    """A site in a year."""

    staff: float = zj.Quantity("employee", nouns=("people", "人"))
    chargers: float = zj.Quantity("charger", nouns="charging piles")
    sales: float = zj.Quantity("vehicle", nouns=("SUV",))
'''
OTHER_WORDS = ["staff,3415 people,3415", "staff,1.2万人,12000", "chargers,250 charging piles,250", "sales,12 SUVs,12"]


@pytest.mark.parametrize("row", OTHER_WORDS)
def test_other_words_for_a_noun_are_that_noun_in_a_run_and_in_a_check(tmp_path, row):
    metric, printed, value = row.split(",")
    (tmp_path / "raw").mkdir()
    (tmp_path / "schemas").mkdir()
    (tmp_path / "raw" / "a.csv").write_text(f"entity,metric,period,printed\nA,{metric},2019,{printed}\n", "utf-8")
    (tmp_path / "schemas" / "site.py").write_text(NOUNS, "utf-8")
    ran = zj.Project(tmp_path).run()
    space: dict = {}
    exec(NOUNS, space)
    rows = pl.DataFrame({"entity": "A", "metric": metric, "period": "2019", "printed": printed})
    known = zj.check(rows, space["Site"])
    for found in (ran.figures, known.figures):
        assert found.select("value", "unit").row(0) == (float(value), found.item(0, "unit"))
        assert found.item(0, "unit") in ("employee", "charger", "vehicle")


def test_a_word_that_no_metric_declares_stays_a_mismatch():
    rows = pl.DataFrame({"entity": "A", "metric": ["sales"], "period": "2019", "printed": ["12 people"]})

    class Maker(zj.Table):
        """A maker."""

        sales: float = zj.Quantity("vehicle", nouns=("SUV",))

    with pytest.raises(zj.ZhijiError) as caught:
        zj.check(rows, Maker)
    assert caught.value.code == "unit_mismatch"
