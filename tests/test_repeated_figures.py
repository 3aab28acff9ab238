"""Figures that stand more than once in a rule, figures that nobody printed, and ends that a metric declares."""

import polars as pl
import pytest

import zhiji_etl as zj

INF = float("inf")


class Sample(zj.Table):
    """Figures without dimension, so that only bounds matter."""

    share: float = zj.Quantity("percent", ge=0, le=100)
    rest: float = zj.Quantity("percent", ge=0, le=100)
    margin: float = zj.Quantity("percent")
    a: float = zj.Quantity("count", ge=0)
    b: float = zj.Quantity("count", ge=0)
    t: float = zj.Quantity("count", ge=0)
    x: float = zj.Quantity("count")
    y: float = zj.Quantity("count")


@zj.rule
def share(m):
    """A part of its own sum."""
    return m.share == m.a / (m.a + m.b)


@zj.rule
def margin(m):
    """What is left of a figure."""
    return m.margin == (m.x - m.y) / m.x


@zj.rule
def fee(m):
    """A tenth of the figure itself is taken away."""
    return m.x == m.y + 0.1 * m.x


@zj.rule
def order(m):
    """The same on both sides says nothing."""
    return m.a + m.x <= m.a + m.y


@zj.rule
def plausible(m):
    """A range of a ratio."""
    return zj.within(m.a / (m.a + m.b), 0.1, 0.3)


@zj.rule
def total(m):
    """Two parts."""
    return m.t == m.a + m.b


@zj.rule
def growth(m):
    """Against the period before."""
    return m.margin == m.a / m.previous.a - 1


@zj.rule
def ratio(m):
    """A part of something else."""
    return m.share == m.a / m.b


@zj.rule
def both(m):
    """Two shares make a whole."""
    return m.share + m.rest == 1


def checked(rules, **printed):
    """The findings and implied values of figures of one entity and year."""
    rows = [("A", name, "2020", text) for name, text in printed.items()]
    frame = pl.DataFrame(rows, schema=["entity", "metric", "period", "printed"], orient="row")
    return zj.check(frame, [Sample, *rules])


def judged(rules, **printed):
    """The one finding of a rule."""
    (row,) = checked(rules, **printed).frame.filter(kind="rule").to_dicts()
    return row


@pytest.mark.parametrize(
    ("rule", "printed", "verdict", "implied"),
    [
        (share, {"share": "39.5%", "a": "3.1", "b": "4.9"}, "inconsistent", (38.125, 39.375)),
        (share, {"share": "39.3%", "a": "3.1", "b": "4.9"}, "consistent", (38.125, 39.375)),
        (share, {"share": "100.0%", "a": "5", "b": "0"}, "too_imprecise", (90, 100)),
        (margin, {"margin": "20.6%", "x": "12.34", "y": "9.87"}, "inconsistent", (19.943251, 20.089105)),
        (margin, {"margin": "20.0%", "x": "12.34", "y": "9.87"}, "consistent", (19.943251, 20.089105)),
        (margin, {"margin": "-20.0%", "x": "-12.34", "y": "-14.81"}, "consistent", (-20.105391, -19.927096)),
        (fee, {"x": "10.0", "y": "9.0"}, "consistent", (9.944444, 10.055556)),
        (fee, {"x": "10.0", "y": "9.1"}, "inconsistent", (10.055556, 10.166667)),
    ],
)
def test_a_figure_that_stands_twice_is_one_figure(rule, printed, verdict, implied):
    row = judged([rule], **printed)
    assert row["verdict"] == verdict
    assert (row["implied_low"], row["implied_high"]) == pytest.approx(implied, abs=1e-6)


def test_what_would_resolve_a_rule_with_a_figure_that_stands_twice():
    row = judged([share], share="39.5%", a="3.1", b="4.9")
    changes = {one["metric"]: (one["low"], one["high"]) for one in row["resolved_by"]}
    assert changes["share"] == pytest.approx((38.125, 39.375))
    assert changes["a"] == pytest.approx((0.3945 * 4.85 / 0.6055, 0.3955 * 4.95 / 0.6045))
    assert changes["b"] == pytest.approx((3.05 / 0.3955 - 3.05, 3.15 / 0.3945 - 3.15))


def test_a_figure_that_stands_twice_is_implied():
    (row,) = checked([share], share="60%", a="3.1").implied.filter(metric="b").to_dicts()
    assert (row["low"], row["high"]) == pytest.approx((3.05 / 0.65 - 3.05, 3.15 / 0.55 - 3.15))


def test_touching_is_decided_exactly_where_a_figure_stands_twice():
    # 3.15 / (3.15 + 4.85) is 39.375 %, which the print ends at.
    assert judged([share], share="39.38%", a="3.1", b="4.9")["verdict"] == "consistent"
    assert judged([share], share="at least 39.375%", a="3.1", b="4.9")["verdict"] == "too_imprecise"
    assert judged([share], share="over 39.375%", a="3.1", b="4.9")["verdict"] == "inconsistent"


def test_what_stands_on_both_sides_of_an_order_falls_out():
    row = judged([order], a="10", x="12.1", y="12.0")
    assert row["verdict"] == "consistent"
    row = judged([order], a="10", x="12.2", y="12.0")
    assert row["verdict"] == "inconsistent"
    assert [one["metric"] for one in row["resolved_by"]] == ["x", "y"]


def test_a_range_of_a_ratio_to_its_own_sum():
    # 3.05 / (3.05 + 7.15) is 29.9 %, 3.05 / (3.05 + 6.95) is 30.5 %.
    assert judged([plausible], a="3.1", b="7.1")["verdict"] == "consistent"
    assert judged([plausible], a="3.1", b="6.9")["verdict"] == "inconsistent"


def test_what_a_ratio_must_be_is_as_tight_as_can_be():
    found = checked([share, total], share="39.5%", a="3.1", b="4.9", t="8.0")
    (conflict,) = found.frame.filter(kind="conflict").to_dicts()
    change = next(one for one in conflict["resolved_by"] if one["metric"] == "share")
    assert (change["low"], change["high"]) == pytest.approx((38.125, 39.375))


@pytest.mark.parametrize(
    ("rule", "printed", "changes"),
    [
        (total, {"t": "50.0", "a": "80.0"}, {"t": (79.95, float("inf")), "a": (0, 50.05)}),
        (growth, {"margin": "-425%"}, {"margin": (-100, float("inf"))}),
    ],
)
def test_a_lone_rule_that_no_unprinted_figures_can_satisfy_is_told(rule, printed, changes):
    (row,) = checked([rule], **printed).frame.filter(kind="conflict").to_dicts()
    assert (row["verdict"], row["severity"]) == ("inconsistent", "error")
    assert {one["metric"]: (one["low"], one["high"]) for one in row["resolved_by"]} == changes


def test_a_lone_rule_that_some_unprinted_figures_can_satisfy_is_not():
    assert checked([total], t="50.0", a="50.0").frame.filter(kind="conflict").is_empty()
    assert checked([growth], margin="-100%").frame.filter(kind="conflict").is_empty()


def test_many_lone_rules_that_need_a_negative_figure_are_all_told():
    ends = {"low_closed": True, "high_closed": True, "step": 1.0, "step_max": 1.0}
    made = {**ends, "period": "2020", "qualifier": "exact", "unit": "count"}
    entities = [f"E{number}" for number in range(3000)]
    figures = pl.concat(
        pl.DataFrame({"entity": entities, "metric": name, "value": float(value), **made}).with_columns(
            low=pl.col("value") - 0.5, high=pl.col("value") + 0.5
        )
        for name, value in (("t", 51), ("a", 83))
    )
    found = zj.check(figures, [Sample, total]).frame.filter(kind="conflict")
    assert found.height == 3000
    assert found.get_column("verdict").unique().to_list() == ["inconsistent"]


def test_nothing_is_suspected_or_implied_to_be_more_than_its_metric_declares():
    row = judged([ratio], share="30%", a="50.0", b="49.0")
    assert "share" not in {one["metric"] for one in row["resolved_by"]}
    found = checked([ratio], a="50.0", b="49.0")
    assert found.implied.filter(metric="share").is_empty()
    (conflict,) = found.frame.filter(kind="conflict").to_dicts()
    assert {one["metric"] for one in conflict["resolved_by"]} == {"a", "b"}
    found = checked([ratio, both], a="50.0", b="49.0", rest="20%", share="80%")
    (conflict,) = found.frame.filter(kind="conflict").to_dicts()
    assert {one["metric"] for one in conflict["resolved_by"]} == {"a", "b"}


ENDLESS = [
    # a, b, share; what each must be, null where they agree
    (
        ("over 75", "25.0", "70.0%"),
        ((24.95 * 0.6995 / 0.3005, 25.05 * 0.7005 / 0.2995), (75 * 0.2995 / 0.7005, INF), (75 / 1.0005, 100)),
    ),
    (
        ("75.0", "over 25", "80.0%"),
        ((25 * 0.7995 / 0.2005, INF), (74.95 * 0.1995 / 0.8005, 75.05 * 0.2005 / 0.7995), (0, 75.05 / 1.0005)),
    ),
    (("over 75", "25.0", "80.0%"), None),
    (("75.0", "over 25", "70.0%"), None),
    (("over 75", "over 25", "0.5%"), None),
]


@pytest.mark.parametrize(("printed", "must"), ENDLESS)
def test_a_figure_without_an_end_that_stands_twice(printed: tuple[str, str, str], must):
    rows = [("E", name, "2019", text) for name, text in zip(("a", "b", "share"), printed, strict=True)]
    frame = pl.DataFrame(rows, schema=["entity", "metric", "period", "printed"], orient="row")
    told = zj.check(frame, lambda m: m.share == m.a / (m.a + m.b)).frame.filter(kind="rule").row(0, named=True)
    assert (told["verdict"] == "inconsistent") == (must is not None)
    changes = {one["metric"]: (one["low"], one["high"]) for one in told["resolved_by"] or []}
    assert (
        changes == {}
        if must is None
        else changes == dict(zip(("a", "b", "share"), (pytest.approx(ends) for ends in must), strict=True))
    )
