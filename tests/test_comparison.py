"""What changed between two runs: a table of reprints, laws of matching, and the command."""

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import zhiji_etl as zj
from zhiji_etl.comparison import CHANGE_COLUMNS, changes, compared, pair
from zhiji_etl.errors import OutputError
from zhiji_etl.figures import FIGURE_COLUMNS

WIDE = "entity,metric,period,printed,vintage\n"


def figure(number: int, printed: str, *, entity: str = "A", vintage: str | None = None, **other: object) -> dict:
    """One figure as a run would hold it."""
    read = zj.parse(printed)
    bounds = {name: float(getattr(read, name)) for name in ("low", "high", "step", "step_max")}
    closed = {"low_closed": read.low_closed, "high_closed": read.high_closed}
    place = {"source": "a.csv", "locator": f"row {number}", "entity": entity, "metric": "sales", "period": "2019"}
    value = None if read.value is None else float(read.value)
    said = {"printed": printed, "value": value, "unit": read.unit, "vintage": vintage}
    return {"figure_id": number * 2, "row_id": number, **place, **said, **bounds, **closed, **other}


def frame(*figures: dict) -> pl.DataFrame:
    return pl.DataFrame(list(figures), schema=FIGURE_COLUMNS)


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("22.7 percent", "22.9 percent", "changed"),
        ("22.7 percent", "22.8 percent", "changed"),  # the bounds touch at 22.75, and the same step shows another value
        ("22.7 percent", "22.71 percent", "finer"),
        ("22.71 percent", "22.7 percent", "coarser"),
        ("22.71 percent", "22.9 percent", "changed"),
        ("6.238 million vehicles", "623.8万辆", "within"),
        ("over 10 billion yuan", "10 billion yuan", "within"),
        ("over 10 billion yuan", "9 billion yuan", "changed"),
        ("over 10 billion yuan", "12.3 billion yuan", "finer"),
        ("10 billion yuan", "US$10 billion", "changed"),
        ("5 to 6 million", "5.5 million", "finer"),
    ],
)
def test_a_reprint(before, after, change):
    told = changes(frame(figure(1, before)), frame(figure(1, after))).to_dicts()
    assert [(row["change"], row["printed_before"], row["printed_after"]) for row in told] == [(change, before, after)]


def test_another_reading_of_the_same_print_is_told():
    told = changes(frame(figure(1, "5 million")), frame(figure(1, "5 million", low=1.0, high=2.0)))
    assert told.get_column("change").to_list() == ["changed"]


def test_a_figure_without_bounds():
    empty = {"low": None, "high": None, "value": None}
    same = changes(frame(figure(1, "5 million")), frame(figure(1, "5 million", **empty)))
    other = changes(frame(figure(1, "5 million")), frame(figure(1, "6 million", **empty)))
    assert same.get_column("change").to_list() == ["within"]
    assert other.get_column("change").to_list() == ["changed"]


def test_rows_that_only_moved_are_the_same():
    before = frame(figure(1, "5 million"), figure(2, "7 million", entity="B"))
    after = frame(figure(1, "9 million", entity="C"), figure(2, "5 million"), figure(3, "7 million", entity="B"))
    assert changes(before, after).select("change", "entity").rows() == [("added", "C")]


@pytest.mark.parametrize("source", ["a.csv", "b.csv"])
@pytest.mark.parametrize("stays", [True, False])
def test_a_new_vintage_restates(source, stays):
    """Whether the old print stays beside it or not, and in the same source or a later one."""
    old, new = figure(1, "5 million"), figure(9, "6 million", vintage="2021", source=source)
    told = changes(frame(old), frame(*([old] if stays else []), new)).to_dicts()
    assert [(row["change"], row["printed_before"], row["vintage_after"]) for row in told] == [
        ("restated", "5 million", "2021")
    ]


figures = st.lists(
    st.builds(
        figure,
        st.integers(0, 9),
        st.sampled_from(["5 million", "5.0 million", "7 million", "over 3"]),
        entity=st.sampled_from("AB"),
        vintage=st.sampled_from([None, "2021"]),
        restates=st.sampled_from([None, 0]),
    ),
    unique_by=lambda made: made["figure_id"],
    max_size=6,
).map(lambda made: frame(*made))


@settings(max_examples=100)
@given(figures, figures)
def test_every_figure_is_told_once(before, after):
    told = changes(before, after)
    assert told.schema == pl.Schema(CHANGE_COLUMNS)
    count = dict(told.group_by("change").len().iter_rows())
    same_new = after.height - told.get_column("printed_after").count()
    assert 0 <= same_new <= before.height
    paired = sum(count.get(change, 0) for change in ("changed", "finer", "coarser", "within"))
    assert same_new + paired + count.get("gone", 0) <= before.height
    if not count.get("restated"):
        assert same_new + paired + count.get("gone", 0) == before.height


@settings(max_examples=50)
@given(figures)
def test_nothing_changed(same):
    assert changes(same, same).is_empty()


@pytest.fixture
def corrected(project):
    """A project with two runs: the sales and the share of A do not agree, then they do."""
    schema = SCHEMA
    first = (
        "M,sales,2019,200.00 million\nA,sales,2019,50.00 million\nA,share,2019,22.7 percent\nB,sales,2019,5.5 million\n"
    )
    zj.Project(project(first, schema=schema)).run()
    second = first.replace("22.7", "25.0").replace("B,sales,2019,5.5", "C,sales,2019,1.5")
    folder = project(second, schema=schema)
    zj.Project(folder).run()
    return folder / "build"


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


def test_the_command(corrected, command):
    told = command("diff", "--build", corrected)
    assert told.code == 0
    lines = told.out.splitlines()
    assert lines[0].endswith(": 1 changed, 1 gone, 1 added")
    assert "  verdict   shares A 2019: inconsistent -> consistent" in lines
    assert "  changed   A share 2019: 22.7 percent -> 25.0 percent  alpha.csv row 4" in lines
    assert "  gone      B sales 2019: 5.5 million  alpha.csv row 5" in lines
    read = json.loads(command("diff", "--build", corrected, "--json").out)
    assert (read["counts"]["changed"], read["counts"]["verdicts"], len(read["figures"])) == (1, 1, 3)
    assert (read["figures"][0]["low_before"], read["figures"][0]["high_after"]) == (22.65, 25.05)


def test_runs_by_name(corrected, command):
    before, after = pair(corrected)
    assert "no figure differs" in command("diff", after.name, "--build", corrected).out
    back = json.loads(command("diff", str(after), str(before), "--json").out)
    assert [row["change"] for row in back["figures"]] == ["changed", "gone", "added"]
    assert back["verdicts"][0]["after"] == "inconsistent"


def test_one_run_is_not_enough(project, command):
    folder = project("A,vehicle_sales,2019,5 million\n")
    zj.Project(folder).run()
    told = command("diff", "--build", folder / "build")
    assert (told.code, "two are needed" in told.err) == (5, True)


def test_a_damaged_run(tmp_path):
    (tmp_path / "figures.parquet").write_bytes(b"PAR1")
    for run in (tmp_path, tmp_path / "absent"):
        with pytest.raises(OutputError) as caught:
            compared(run, run)
        assert caught.value.code == "run_damaged"


def test_the_same_print_read_otherwise_is_told_with_what_it_is_read_as(project, command):
    """Only the sidecar changed: the print alone would say that nothing did."""
    folder = project("A,revenue,2019,40\n", 'unit = "RMB in thousands"\n')
    zj.Project(folder).run()
    (folder / "raw" / "alpha.toml").write_text('unit = "RMB in millions"\n', encoding="utf-8")
    zj.Project(folder).run()
    told = command("diff", "--build", folder)
    reading = "40 (39,500 to 40,500 CNY) -> 40 (39.5 to 40.5 million CNY)"
    assert f"  changed   A revenue 2019: {reading}  alpha.csv row 2" in told.out.splitlines()
