"""The whole way of a figure: no row is lost, the same bytes each time, units that any reader sees, conversions."""

import random
from datetime import date
from fractions import Fraction as F
from hashlib import sha256
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import zhiji_etl as zj
from zhiji_etl.figures import FIGURE_COLUMNS, FINDING_COLUMNS, IMPLIED_COLUMNS
from zhiji_etl.outputs import latest, verify
from zhiji_etl.project import init

HEADER = "entity,metric,period,printed,locator,decimals,vintage,table,extra\n"
SCHEMA = '''
import zhiji_etl as zj


class CompanyYear(zj.Table):
    """One company, one year."""

    stock_code: str = zj.Identifier()
    sales: float = zj.Quantity("vehicle", ge=0, le=1e9)
    share: float = zj.Quantity("percent", ge=0, le=100)
    revenue: float = zj.Quantity("CNY", fx="average")
    rank: float = zj.Quantity("rank")

    @zj.rule
    def shares(m):
        """A rule that many rows touch."""
        return m.share == m.sales / m.of("M").sales


class MarketYear(zj.Table):
    """A market."""

    sales: float = zj.Quantity("vehicle", ge=0)
    price: float = zj.Quantity("CNY/vehicle")
'''

# ------------------------------------------------------------------------------------------------- no row is lost

good = st.sampled_from(
    [
        "6.238 million vehicles",
        "623.8万辆",
        "22.7 percent",
        "US$1.5 billion",
        "RMB7 billion (US$1 billion)",
        "52nd",
        "350,000",
    ]
)
odd = st.sampled_from(
    ["", " ", "n/a", "abc", "-", "1,2,3", "5 apples", "over", "1e400", "\u202e12", "nan", "￥", "12 km", "-5%"]
)
cells = {
    "entity": st.sampled_from(["A", "B", "M", "甲公司", "", "  ", 'quo"te']),
    "metric": st.sampled_from(["sales", "share", "revenue", "rank", "price", "sale", ""]),
    "period": st.sampled_from(["2019", "FY2020", "2020Q1", "2019年", "12 months ended 2020-03-31", "someday", ""]),
    "printed": st.one_of(good, odd, st.text(max_size=12).filter(lambda text: text.isprintable())),
    "locator": st.sampled_from(["", "page 3"]),
    "decimals": st.sampled_from(["", "", "0", "-3", "two", "1.5"]),
    "vintage": st.sampled_from(["", "restated"]),
    "table": st.sampled_from(["", "CompanyYear", "market_year", "nowhere"]),
    "extra": st.sampled_from(["", "kept"]),
}
rows = st.tuples(*cells.values())


def quoted(row: tuple[str, ...]) -> str:
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n"


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(rows, min_size=5, max_size=60), st.sampled_from(["", 'vintage = "first"\ntable = "market_year"\n']))
def test_every_row_is_a_figure_or_a_reject(project, drawn, sidecar):
    # A row of empty cells only is no row, which is tested where files are read.
    drawn = [row for row in drawn if any(row)] + [("A", "sales", "2019", "5 vehicles", "", "", "", "company_year", "")]
    result = zj.Project(project("entity" + HEADER[6:] + "".join(map(quoted, drawn)), sidecar, SCHEMA)).run()
    figures, rejects = set(result.figures["row_id"]), result.rejects["row_id"]
    assert rejects.is_unique().all()
    assert figures.isdisjoint(rejects)
    assert sorted(row_id & 0xFFFF_FFFF for row_id in figures.union(rejects)) == list(range(len(drawn)))
    assert result.manifest["counts"]["raw_rows"] == len(drawn)
    assert result.rejects.select(pl.all_horizontal(pl.col("code", "reason").str.len_chars() > 0).all()).item() in (
        True,
        None,
    )
    kept = dict(zip(range(len(drawn)), drawn, strict=True))
    for reject in result.rejects.iter_rows(named=True):
        given_row = kept[reject["row_id"] & 0xFFFF_FFFF]
        assert (reject["printed"] or "") == given_row[3]
        assert (reject["extra"] or "") == given_row[8]
    check_figures(result.figures)


def check_figures(figures: pl.DataFrame) -> None:
    """Bounds hold the value, in order, and no NaN."""
    floats = figures.select(pl.col(pl.Float64).is_nan().any()).row(0)
    assert not any(floats)
    valued = figures.filter(pl.col("value").is_not_null())
    assert valued.filter((pl.col("low") > pl.col("value")) | (pl.col("high") < pl.col("value"))).height == 0
    assert figures["figure_id"].is_unique().all()


def test_schemas_of_the_frames(reference_result):
    assert reference_result.figures.schema == FIGURE_COLUMNS
    assert reference_result.findings.schema == FINDING_COLUMNS
    assert reference_result.implied.schema == IMPLIED_COLUMNS


# --------------------------------------------------------------------------------------------------- the same bytes

RUNNING = """
import sys
import zhiji_etl as zj
zj.Project(sys.argv[1]).run(sys.argv[2])
"""


def hashes(build: Path) -> dict[str, str]:
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(latest(build).glob("*.parquet"))}


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """The reference project with some thousand rows more, in an order that means nothing."""
    folder = tmp_path / "large"
    init(folder)
    order = random.Random(7)
    ends = {"vehicle_sales": 2 * 10**6, "overseas_sales": 950_000, "nev_sales": 900_001}
    lines = [
        f'Maker {n % 700},{metric},{2010 + n % 9},"{order.randrange(end // 2, end)}{unit}"\n'
        for n in range(2_000)
        for (metric, end), unit in zip(ends.items(), (" vehicles", "辆", ""), strict=True)
        if end != 950_000 or n % 50 == 0
    ]
    order.shuffle(lines)
    text = "entity,metric,period,printed\n" + "".join(lines)
    (folder / "raw" / "many.csv").write_text(text, encoding="utf-8")
    (folder / "raw" / "many.toml").write_text('table = "company_year"\n', encoding="utf-8")
    return folder


def test_the_same_bytes_on_each_run_and_any_number_of_threads(large, tmp_path, python, monkeypatch):
    monkeypatch.setenv("POLARS_MAX_THREADS", "1")
    python(RUNNING, large, tmp_path / "one")
    monkeypatch.setenv("POLARS_MAX_THREADS", "2")
    python(RUNNING, large, tmp_path / "two")
    zj.Project(large).run(tmp_path / "here")
    zj.Project(large).run(tmp_path / "here")
    first = hashes(tmp_path / "one")
    assert len(first) == 9
    assert hashes(tmp_path / "two") == first
    assert hashes(tmp_path / "here") == first
    assert verify(latest(tmp_path / "here")) == []


# ------------------------------------------------------------------------------------------------- units, text, keys


def test_units_stand_in_the_field_metadata(reference_result):
    schema = pq.read_schema(reference_result.path / "company_year.parquet")
    units = {field.name: (field.metadata or {}).get(b"unit") for field in schema}
    assert units["vehicle_sales"] == b"vehicle"
    assert units["market_share"] == b"percent"
    assert units["revenue"] == b"USD"
    assert units["entity"] is None
    assert units["stock_code"] is None


def test_columns_of_a_table_in_declared_order(project):
    rows = "B,sales,2019,501,CompanyYear\nA,rank,2019,first,\nA,sales,2018,7,CompanyYear\n"
    text = "entity,metric,period,printed,table\n" + rows
    tables = zj.Project(project(text, schema=SCHEMA)).run().tables
    keys = ["entity", "period", "period_start", "period_end"]
    assert tables["company_year"].columns == [*keys, "stock_code", "sales", "share", "revenue", "rank"]
    assert tables["company_year"].select("entity", "period", "sales", "rank").rows() == [
        ("A", "2018", 7.0, None),
        ("A", "2019", None, 1.0),
        ("B", "2019", 501.0, None),
    ]
    assert tables["market_year"].height == 0


def test_an_identifier_that_no_table_has_is_refused(run):
    with pytest.raises(
        zj.ZhijiError, match=r"\[identifiers\] A: no table .* stock_cod\. Hint: Did you mean stock_code\?"
    ):
        run("A,vehicle_sales,2019,5 vehicles\n", '[identifiers.A]\nstock_cod = "000625"\n')


def test_two_identifiers_of_one_entity_are_refused(project):
    for name, code in (("alpha", "000625"), ("beta", "600104")):
        folder = project("A,vehicle_sales,2019,5 vehicles\n", f'[identifiers.A]\nstock_code = "{code}"\n', name=name)
    with pytest.raises(zj.ZhijiError, match="the stock_code of A is 600104, and 000625 in another one"):
        zj.Project(folder).run()


def test_a_language_that_there_is_not_is_refused_before_the_run(project):
    folder = project("A,vehicle_sales,2019,5 vehicles\n")
    with pytest.raises(zj.ZhijiError, match=r"'de' .* known are en, zh"):
        zj.Project(folder).run(language="de")
    assert not (folder / "build").exists()


def test_blanks_around_a_metric_are_no_part_of_its_name(run):
    result = run("A, vehicle_sales ,2019,5 vehicles\n")
    assert result.figures["metric"].to_list() == ["vehicle_sales"]


def test_identifiers_keep_leading_zeros(run):
    result = run("A,vehicle_sales,2019,5 vehicles\n", '[identifiers."A"]\nstock_code = "000625"\n')
    assert result.tables["company_year"]["stock_code"].to_list() == ["000625"]
    stored = pl.read_parquet(result.path / "company_year.parquet")
    assert stored["stock_code"].to_list() == ["000625"]


# ------------------------------------------------------------------------------------------------------ duplicates


@pytest.mark.parametrize(
    ("one", "other", "verdict", "reading"),
    [
        ("5.1 million vehicles", "5.1 million vehicles", "consistent", "complete"),
        ("5.1 million vehicles", "5,123,456 vehicles", "consistent", None),
        ("5.1 million vehicles", "5.2 million vehicles", "inconsistent", None),
        ("5.1 million vehicles", "5,223,456 vehicles", "inconsistent", None),
    ],
)
def test_the_same_figure_twice(run, found, one: str, other: str, verdict: str, reading: str | None):
    result = run(f'A,vehicle_sales,2019,"{one}"\nA,vehicle_sales,2019,"{other}"\n')
    told = found(result, "vehicle_sales_twice")
    assert [(row["verdict"], row["reading"]) for row in told] == [(verdict, reading)]
    assert set(told[0]["figures"]) == set(result.figures["figure_id"])


def test_the_finer_print_stands_in_the_table(run):
    result = run('A,vehicle_sales,2019,5.1 million vehicles\nA,vehicle_sales,2019,"5,123,456 vehicles"\n')
    assert result.tables["company_year"]["vehicle_sales"].to_list() == [5_123_456]


def test_blanks_around_an_entity_make_no_other_one(run, found):
    result = run("A,vehicle_sales,2019,501\n A ,vehicle_sales,2019,777\n")
    assert result.figures["entity"].to_list() == ["A", "A"]
    assert len(found(result, "vehicle_sales_twice")) == 1


def test_a_restated_vintage_is_no_contradiction(project, found):
    text = "entity,metric,period,printed,vintage\nA,vehicle_sales,2019,501,\nA,vehicle_sales,2019,777,restated\n"
    assert found(zj.Project(project(text)).run(), "vehicle_sales_twice") == []


# ------------------------------------------------------------------------------------------------------ currencies


def test_another_currency_is_converted_with_wider_bounds(run):
    figure = run("A,revenue,2019,US$1.52 billion\n").figures.row(0, named=True)
    rate = zj.Rates.ecb().rate("USD", "CNY", "2019", "average")
    assert (figure["unit"], figure["printed_unit"], figure["printed_value"]) == ("CNY", "USD", 1.52e9)
    assert figure["rate"] == pytest.approx(float(rate.value))
    assert figure["rate_method"] == "average"
    assert figure["value"] == pytest.approx(1.52e9 * float(rate.value))
    assert figure["low"] == pytest.approx(1.515e9 * float(rate.low))
    assert figure["high"] == pytest.approx(1.525e9 * float(rate.high))
    assert figure["high"] / figure["low"] > 1.525 / 1.515


@pytest.mark.parametrize("year", ["2019", "1990"])
def test_an_amount_in_brackets_in_the_declared_currency_is_the_figure(run, year: str):
    result = run(f'A,revenue,{year},"US$1.0 trillion (RMB7,053 billion)"\n')
    figure, other = result.figures.to_dicts()
    assert (figure["value"], figure["unit"], figure["rate"], figure["restates"]) == (7.053e12, "CNY", None, None)
    assert (other["value"], other["unit"], other["restates"]) == (1e12, "USD", figure["figure_id"])
    assert result.tables["company_year"]["revenue"].to_list() == [7.053e12]
    reasons = result.findings.filter(pl.col("verdict").cast(pl.String) == "not_checkable")["reason"].cast(pl.String)
    assert set(reasons) == ({"missing_reference"} if year == "1990" else set())
    told = result.findings.filter(kind="restatement").get_column("message").item()
    assert ("No rate: USD/CNY, quoted from 2005-04-01 " in told) == (year == "1990")


def test_the_rate_that_a_source_prints(run):
    sidecar = '[fx]\nmethod = "fixed"\nrate = "7.0651"\n'
    figure = run("A,revenue,2019,US$2.0 billion\n", sidecar).figures.row(0, named=True)
    assert figure["value"] == pytest.approx(2e9 * 7.0651)
    assert figure["rate_method"] == "fixed"
    assert figure["low"] == pytest.approx(1.95e9 * float(F("7.0651")), rel=1e-4)


def test_a_negative_amount_is_widened_to_both_sides(run):
    schema = 'import zhiji_etl as zj\n\n\nclass C(zj.Table):\n    profit: float = zj.Quantity("CNY", fx="average")\n'
    figure = run("A,profit,2019,-US$1.5 billion\n", schema=schema).figures.row(0, named=True)
    rate = zj.Rates.ecb().rate("USD", "CNY", "2019", "average")
    assert figure["low"] == pytest.approx(-1.55e9 * float(rate.high))
    assert figure["high"] == pytest.approx(-1.45e9 * float(rate.low))


def test_without_a_rate_the_figure_stays_and_says_so(run, found):
    result = run("A,revenue,1990,US$1.5 billion\n")
    figure = result.figures.row(0, named=True)
    assert result.rejects.height == 0
    assert (figure["value"], figure["low"], figure["high"], figure["rate"]) == (None, None, None, None)
    assert (figure["printed_value"], figure["printed_unit"], figure["unit"]) == (1.5e9, "USD", "CNY")
    told = found(result, "revenue_in_CNY", "conversion")
    assert [(row["verdict"], row["reason"]) for row in told] == [("not_checkable", "missing_reference")]
    assert told[0]["figures"] == [figure["figure_id"]]
    assert "US$1.5 billion" in told[0]["message"]


def test_a_rate_file_of_the_project_comes_first(project):
    folder = project("A,revenue,1990,US$2.0 billion\n")
    (folder / "zhiji.toml").write_text('rates = ["rates.csv"]\n', encoding="utf-8")
    days = [date(1990, 1, 1).toordinal() + n for n in range(365)]
    lines = [f"{date.fromordinal(day)},USD,CNY,4.7832\n" for day in days]
    (folder / "rates.csv").write_text("date,base,quote,rate\n" + "".join(lines), encoding="utf-8")
    figure = zj.Project(folder).run().figures.row(0, named=True)
    assert figure["value"] == pytest.approx(2e9 * 4.7832)


def test_usual_restatement_without_a_method_is_the_hull_of_all(run):
    schema = (
        'import zhiji_etl as zj\n\n\nclass C(zj.Table):\n    revenue: float = zj.Quantity("USD", restated_in="CNY")\n'
    )
    found = run("A,revenue,2019,US$122.0714 billion\n", schema=schema).implied.row(0, named=True)
    at_end = zj.Rates.ecb().rate("USD", "CNY", "2019", "period_end")
    average = zj.Rates.ecb().rate("USD", "CNY", "2019", "average")
    for rate in (at_end, average):
        assert found["low"] < 122.0714e9 * float(rate.value) < found["high"]


# --------------------------------------------------------------------------------------------- sidecars and columns


def test_fiscal_year_end(run):
    figure = run("A,vehicle_sales,FY2020,5 vehicles\n", 'fiscal_year_end = "03-31"\n').figures.row(0, named=True)
    assert figure["period_end"] == date(2020, 3, 31)
    assert figure["period_start"] == date(2019, 4, 1)


@pytest.mark.parametrize(
    ("printed", "decimals", "bounds"),
    [("350000", "-3", (349_500, 350_500)), ("350000", "0", (350_000, 350_000)), ("350000", "", (345_000, 355_000))],
)
def test_declared_decimals_are_the_only_reading(project, printed: str, decimals: str, bounds: tuple[int, int]):
    text = f"entity,metric,period,printed,decimals\nA,vehicle_sales,2019,{printed} vehicles,{decimals}\n"
    figure = zj.Project(project(text)).run().figures.row(0, named=True)
    assert (figure["low"], figure["high"]) == bounds
    if decimals:
        assert figure["step"] == figure["step_max"]


def test_decimals_of_the_sidecar_hold_where_a_row_says_nothing(project):
    rows = "A,vehicle_sales,2019,350000 vehicles,\nB,vehicle_sales,2019,350000 vehicles,-4\n"
    text = "entity,metric,period,printed,decimals\n" + rows
    figures = zj.Project(project(text, "decimals = -3\n")).run().figures
    assert figures["step"].to_list() == [1_000, 10_000]


def test_digits_beyond_the_declared_precision(project):
    text = "entity,metric,period,printed,decimals\nA,vehicle_sales,2019,350001 vehicles,-3\n"
    rejects = zj.Project(project(text)).run().rejects
    assert rejects["code"].to_list() == ["excess_digits"]


def test_truncation(run):
    figures = run("A,market_share,2019,22.7%\nA,growth,2019,-3.2%\n", 'rounding = "truncation"\n').figures
    share, growth = figures.to_dicts()
    assert (share["low"], share["high"], share["low_closed"], share["high_closed"]) == (22.7, 22.8, True, False)
    assert (growth["low"], growth["high"], growth["low_closed"], growth["high_closed"]) == (-3.3, -3.2, False, True)


def test_scale_and_currency_of_a_caption(run):
    figure = run('A,revenue,2019,"1,234.5"\n', 'unit = "CNY"\nscale = "million"\n').figures.row(0, named=True)
    assert (figure["value"], figure["unit"], figure["step"]) == (1.2345e9, "CNY", 1e5)


@pytest.mark.parametrize(
    ("bare", "worded"),
    [("501", "501 vehicles"), ("0", "0 vehicles"), ("350,000", "350,000 vehicles"), ("over 500", "over 500 vehicles")],
)
def test_a_bare_number_is_the_count_that_its_metric_says(run, bare: str, worded: str):
    one, other = run(f'A,vehicle_sales,2019,"{bare}"\nB,vehicle_sales,2019,"{worded}"\n').figures.to_dicts()
    for column in ("value", "low", "high", "low_closed", "high_closed", "step", "step_max", "unit"):
        assert one[column] == other[column]


def test_bounds_are_cut_at_the_declared_ends(run):
    figures = run(
        "A,market_share,2019,less than 5%\nB,market_share,2019,99.99%\nC,market_share,2019,over 90%\n"
    ).figures
    assert [(row["low"], row["high"]) for row in figures.to_dicts()] == [(0, 5), (99.985, 99.995), (90, 100)]


def test_two_sources_have_rows_of_their_own(project):
    folder = project("A,vehicle_sales,2019,5 vehicles\n")
    before = zj.Project(folder).run().figures
    project("B,vehicle_sales,2019,6 vehicles\n", name="beta")
    after = zj.Project(folder).run().figures
    assert after["row_id"].is_unique().all()
    # A further file changes no row that was there.
    assert after.filter(pl.col("source") == "alpha.csv")["row_id"].to_list() == before["row_id"].to_list()


def test_manifest_tells_what_went_in(reference_result):
    manifest = reference_result.manifest
    assert len(manifest["inputs"]) == 4
    assert set(manifest["schemas"]) == {"capital_round.py", "company_year.py", "market_year.py", "platform_year.py"}
    assert manifest["counts"]["raw_rows"] == 17
