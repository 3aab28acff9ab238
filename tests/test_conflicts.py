"""Conflicts through `check`: planted errors are among the candidates, and consistent figures raise no alarm."""

import random
from fractions import Fraction as F

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import zhiji_etl as zj
from zhiji_etl.consistency.rules.expressions import Figures
from zhiji_etl.findings import conflicts_of

SOUGHT = settings(max_examples=12)


def frame(rows: dict[tuple[str, str, str], str], **further: dict) -> pl.DataFrame:
    """Figures by entity, metric and period; `further` columns by the same keys."""
    made = [(*key, printed, *(column.get(key) for column in further.values())) for key, printed in rows.items()]
    return pl.DataFrame(made, schema=["entity", "metric", "period", "printed", *further], orient="row")


def figures(entity: str = "A", period: str = "2019", **metrics: str) -> dict[tuple[str, str, str], str]:
    return {(entity, metric, period): printed for metric, printed in metrics.items()}


def named(name: str, function) -> object:
    function.__name__ = name
    return zj.rule(function)


def conflicts(found) -> list[dict]:
    return found.frame.filter(pl.col("kind") == "conflict").to_dicts()


def candidates(conflict: dict) -> set[str]:
    """The figures of all minimal sets, by metric."""
    listed = conflict["message"].split("To change: ")[1].rstrip(".")
    return {name.strip() for names in listed.split("; or ") for name in names.split(" and ")}


# ------------------------------------------------------------------------------------------------- trees of sums


def tree(seed: int) -> tuple[list, dict[str, int]]:
    """Sum rules that form a tree, and true values in hundredths."""
    dice = random.Random(seed)
    values, sums, leaves = {"x0": 0}, [], ["x0"]
    for _ in range(dice.randint(1, 4)):
        whole = leaves.pop(dice.randrange(len(leaves)))
        parts = [f"x{len(values) + n}" for n in range(dice.randint(2, 3))]
        values.update(dict.fromkeys(parts, 0))
        leaves += parts
        sums.append((whole, parts))
    values.update({leaf: dice.randint(100, 99_999) for leaf in leaves})
    for whole, parts in reversed(sums):
        values[whole] = sum(values[part] for part in parts)
    return [named(f"sum_{whole}", _sum_rule(whole, parts)) for whole, parts in sums], values


def _sum_rule(whole: str, parts: list[str]):
    def rule(m: Figures):
        return getattr(m, whole) == sum((getattr(m, part) for part in parts[1:]), getattr(m, parts[0]))

    return rule


def rounded(values: dict[str, int]) -> dict[tuple[str, str, str], str]:
    """True values in hundredths, printed in tenths."""
    return figures(**{name: f"{round(value / 10) / 10:.1f}" for name, value in values.items()})


@SOUGHT
@given(st.integers(0, 10**9))
def test_true_figures_raise_no_alarm(seed: int):
    rules, values = tree(seed)
    found = zj.check(frame(rounded(values)), rules)
    assert conflicts(found) == []
    assert found.ok


@SOUGHT
@given(st.integers(0, 10**9), st.sampled_from([-70_000, -900, 900, 70_000]))
def test_a_planted_error_is_among_the_candidates(seed: int, error: int):
    rules, values = tree(seed)
    wrong = random.Random(seed).choice(sorted(values))
    found = zj.check(frame(rounded({**values, wrong: values[wrong] + error})), rules)
    assert not found.ok
    (conflict,) = conflicts(found)
    assert f"A {wrong} 2019" in candidates(conflict)
    change = next(one for one in conflict["resolved_by"] if one["metric"] == wrong)
    assert change["low"] - 1e-9 <= values[wrong] / 100 <= change["high"] + 1e-9


# ------------------------------------------------------------------------------------ figures that nobody printed


def chain() -> list:
    return [
        named("first", lambda m: m.x == m.a + m.b),
        named("second", lambda m: m.y == m.x + m.c),
        named("third", lambda m: m.z == m.y - m.d),
    ]


class Chain(zj.Table):
    """Figures of a chain of rules."""

    a: float = zj.Quantity("count")
    b: float = zj.Quantity("count")
    c: float = zj.Quantity("count")
    d: float = zj.Quantity("count")
    e: float = zj.Quantity("count")
    x: float = zj.Quantity("count")
    y: float = zj.Quantity("count")
    z: float = zj.Quantity("count")


PRINTED = {"a": "10.0", "b": "5.0", "c": "7.0", "d": "2.0"}


def test_implied_values_are_carried_from_rule_to_rule():
    found = zj.check(frame(figures(**PRINTED)), [Chain, *chain()])
    ends = {row["metric"]: (row["low"], row["high"]) for row in found.implied.to_dicts()}
    half = F(1, 20)
    expected = {"x": (15, 2), "y": (22, 3), "z": (20, 4)}
    assert {
        name: pytest.approx((float(at - n * half), float(at + n * half))) for name, (at, n) in expected.items()
    } == ends
    assert found.ok


def test_a_printed_end_that_a_chain_cannot_reach_is_a_conflict():
    found = zj.check(frame(figures(**PRINTED, z="31.0")), [Chain, *chain()])
    (conflict,) = conflicts(found)
    assert (conflict["severity"], conflict["verdict"], found.ok) == ("error", "inconsistent", False)
    assert candidates(conflict) == {f"A {name} 2019" for name in "abcdz"}
    changes = {one["metric"]: (one["low"], one["high"]) for one in conflict["resolved_by"]}
    assert changes["z"] == pytest.approx((19.8, 20.2))
    assert set(found.implied.get_column("metric")) <= {"x", "y"}


def test_two_rules_that_leave_an_unprinted_figure_no_value():
    rules = [named("one", lambda m: m.x == m.a + m.b), named("two", lambda m: m.x == m.c + m.d)]
    found = zj.check(frame(figures(**PRINTED)), [Chain, *rules])
    (conflict,) = conflicts(found)
    assert (conflict["rule"], conflict["severity"], conflict["reading"]) == ("one, two", "error", "a tie of 4")
    assert found.implied.is_empty()
    assert len(conflict["figures"]) == 4
    agreeing = zj.check(frame(figures(**{**PRINTED, "c": "13.1"})), [Chain, *rules])
    assert conflicts(agreeing) == []
    (implied,) = agreeing.implied.to_dicts()
    assert (implied["low"], implied["high"]) == (pytest.approx(15.0), pytest.approx(15.1))


def test_a_market_that_two_makers_imply_differently():
    share = named("share", lambda m: m.share == m.sales / m.of("Market").sales)
    rows = figures("A", sales="100.0", share="10.0%") | figures("B", sales="100.0", share="20.0%")
    (conflict,) = conflicts(zj.check(frame(rows), share))
    assert candidates(conflict) == {f"{entity} {metric} 2019" for entity in "AB" for metric in ("sales", "share")}
    changes = {(one["entity"], one["metric"]): one for one in conflict["resolved_by"]}
    assert changes["A", "sales"]["low"] == pytest.approx(float(F("99.95") / F("0.2005") * F("0.0995")))


# ------------------------------------------------------------------------------------------ scopes, ratios, vintages


def scoped() -> object:
    def rule(m: Figures):
        whole = m.of("Market").sales
        return zj.either(all=m.share == m.sales / whole, home=m.share == (m.sales - m.abroad) / whole)

    return named("scoped", rule)


SCOPED = figures("Market", sales="1000.0") | figures("A", sales="300.0", abroad="100.0")


def test_candidates_of_all_scopes():
    (conflict,) = conflicts(zj.check(frame(SCOPED | figures("A", share="27.0%")), scoped()))
    changes = {(one["entity"], one["metric"]): (one["low"], one["high"]) for one in conflict["resolved_by"]}
    assert set(changes) == {("A", "share"), ("A", "sales"), ("A", "abroad"), ("Market", "sales")}
    low, high = changes["A", "abroad"]
    assert low == pytest.approx(float(F("299.95") - F("0.2705") * F("1000.05")))
    assert high == pytest.approx(float(F("300.05") - F("0.2695") * F("999.95")))


@pytest.mark.parametrize("share", ["30.0%", "20.0%"])
def test_no_conflict_where_one_scope_holds(share: str):
    beside = named("abroad_within", lambda m: m.abroad <= m.sales)
    assert conflicts(zj.check(frame(SCOPED | figures("A", share=share)), [scoped(), beside])) == []


def test_a_scope_is_not_imposed_on_figures_that_fit_another():
    """Another rule fails; the scoped rule holds by its second alternative, which clears the sales."""
    wrong = named("wrong", lambda m: m.sales == m.cars + m.vans)
    rows = SCOPED | figures("A", share="20.0%", cars="100.0", vans="150.0")
    (conflict,) = conflicts(zj.check(frame(rows), [scoped(), wrong]))
    assert candidates(conflict) == {"A cars 2019", "A vans 2019"}


def test_a_printed_ratio_may_stand_in_several_rules():
    rules = [
        named("share", lambda m: m.share == m.sales / m.market),
        named("rest", lambda m: m.share + m.others == m.together),
    ]

    class Shares(zj.Table):
        share: float = zj.Quantity("percent")
        others: float = zj.Quantity("percent")
        together: float = zj.Quantity("percent")
        sales: float = zj.Quantity("count", ge=0)
        market: float = zj.Quantity("count", ge=0)

    fitting = figures(share="30.0%", others="70.0%", together="100.0%", sales="300.0", market="1000.0")
    assert conflicts(zj.check(frame(fitting), [Shares, *rules])) == []
    (conflict,) = conflicts(zj.check(frame(fitting | figures(share="40.0%")), [Shares, *rules]))
    assert conflict["reading"] == "most likely: A share 2019"


def test_no_conflict_between_vintages():
    total = named("total", lambda m: m.t == m.a + m.b)
    first, later = figures(t="12.0", a="7.0", b="5.0"), {"t": "14.0", "a": "8.0", "b": "6.0"}
    rows = [(*key, printed, None) for key, printed in first.items()]
    rows += [("A", metric, "2019", printed, "2021") for metric, printed in later.items()]
    made = pl.DataFrame(rows, schema=["entity", "metric", "period", "printed", "vintage"], orient="row")
    found = zj.check(made, total)
    assert found.frame.get_column("kind").to_list() == ["rule", "rule"]
    assert found.frame.get_column("verdict").cast(pl.String).to_list() == ["consistent", "consistent"]
    wrong = made.with_columns(
        printed=pl.when(pl.col("vintage") == "2021", pl.col("metric") == "t").then(pl.lit("12.0")).otherwise("printed")
    )
    (conflict,) = conflicts(zj.check(wrong, total))
    assert len(conflict["figures"]) == 3


# ---------------------------------------------------------------------------------------------------- trust, slips


def test_trusted_sources_are_never_suspected():
    total = named("total", lambda m: m.t == m.a + m.b)
    rows = figures(t="19.0", a="7.0", b="5.0")
    source = {key: "audited" if key[1] == "t" else "press" for key in rows}
    (conflict,) = conflicts(zj.check(frame(rows, source=source), total, trust={"audited": float("inf")}))
    assert candidates(conflict) == {"A a 2019", "A b 2019"}
    (conflict,) = conflicts(zj.check(frame(rows, source=source), total, trust={"audited": 3, "press": 2}))
    assert candidates(conflict) == {"A a 2019", "A b 2019"}
    everything = {"audited": float("inf"), "press": float("inf")}
    (conflict,) = conflicts(zj.check(frame(rows, source=source), total, trust=everything))
    assert (conflict["reading"], conflict["resolved_by"]) == ("only trusted figures are involved", [])


@pytest.mark.parametrize(
    ("wrong", "pattern"),
    [
        ("1731.5", "digits_swapped"),
        ("0.13715", "factor_wan"),
        ("137150000000.0", "factor_yi"),
        ("-1371.5", "sign"),
        ("1571.5", "digit_wrong"),
        ("137.15", "factor_1e1"),
    ],
)
def test_slips_are_named_on_the_right_candidate(wrong: str, pattern: str):
    rules = [named("total", lambda m: m.t == m.a + m.b), named("group", lambda m: m.g == m.t + m.c)]
    rows = figures(t="1371.5", a="1000.2", b="371.3", c="4000.1", g="5371.6")
    found = zj.check(frame(rows | figures(t=wrong)), rules)
    (conflict,) = conflicts(found)
    assert conflict["reading"] == "most likely: A t 2019"
    assert [(one["metric"], one["pattern"]) for one in conflict["resolved_by"]] == [("t", pattern)]
    plain = found.frame.filter(kind="rule", rule="total").row(0, named=True)
    assert next(one["pattern"] for one in plain["resolved_by"] if one["metric"] == "t") == pattern


def test_percent_for_percentage_points():
    growth = named("growth", lambda m: m.growth == m.share / m.previous.share - 1)
    rows = figures(share="22.0%", growth="2.00%") | figures("A", "2018", share="20.0%")
    found = zj.check(frame(rows), growth)
    for told in (conflicts(found)[0], found.frame.filter(kind="rule").row(0, named=True)):
        patterns = {(one["metric"], one["period"]): one["pattern"] for one in told["resolved_by"]}
        assert patterns["growth", "2019"] == "percent_for_percentage_point"


def test_an_earlier_figure_that_no_slip_explains_suggests_a_vintage():
    growth = named("growth", lambda m: m.growth == m.sales / m.previous.sales - 1)
    rows = figures(sales="121.3", growth="10.0%") | figures("A", "2018", sales="117.7")
    told = zj.check(frame(rows), growth).frame.filter(kind="rule", period="2019").row(0, named=True)
    patterns = {(one["metric"], one["period"]): one["pattern"] for one in told["resolved_by"]}
    assert patterns["sales", "2018"] == "vintage"
    assert patterns["sales", "2019"] != "vintage"


def test_what_a_newer_vintage_implies_replaces_the_older():
    total = named("total", lambda m: m.t == m.a + m.b)
    rows = [("A", "a", "7.0", None), ("A", "b", "5.0", None), ("A", "a", "8.0", "2021"), ("A", "b", "6.0", "2021")]
    told = [*rows, ("B", "t", "1.0", None)]
    made = pl.DataFrame(told, schema=["entity", "metric", "printed", "vintage"], orient="row")
    (implied,) = zj.check(made.with_columns(period=pl.lit("2019")), total).implied.to_dicts()
    assert (implied["metric"], implied["low"], implied["high"]) == ("t", pytest.approx(13.9), pytest.approx(14.1))


# ------------------------------------------------------------------------------------- what a metric cannot be


class Shop(zj.Table):
    """Figures that cannot be negative, but for the profit."""

    sales: float = zj.Quantity("count", ge=0)
    home: float = zj.Quantity("count", ge=0)
    abroad: float = zj.Quantity("count", ge=0)
    profit: float = zj.Quantity("count")
    share: float = zj.Quantity("percent", ge=0)


TOTAL = named("total", lambda m: m.sales == m.home + m.abroad)
SHARE = named("share", lambda m: m.share == m.home / m.sales)
OF_MARKET = named("of_market", lambda m: m.share == m.sales / m.of("Market").sales)


def test_no_candidate_would_have_to_be_negative():
    """3.0 and more is not 2.0, and neither is 4.0 and more."""
    rules = [TOTAL, named("beside", lambda m: m.sales <= m.home + m.profit)]
    found = zj.check(frame(figures(sales="2.0", home="3.0", abroad="4.0", profit="9.0")), [Shop, *rules])
    (conflict,) = conflicts(found)
    assert candidates(conflict) == {"A sales 2019"}
    assert [one["metric"] for one in conflict["resolved_by"]] == ["sales"]
    wrong = found.frame.filter(kind="rule", rule="total").row(0, named=True)
    assert [one["metric"] for one in wrong["resolved_by"]] == ["sales"]


def test_metrics_that_nobody_declared_may_be_negative_where_they_are_wrong():
    found = zj.check(frame(figures(sales="2.0", home="3.0", abroad="4.0")), TOTAL)
    assert candidates(conflicts(found)[0]) == {f"A {name} 2019" for name in ("sales", "home", "abroad")}


def test_an_unprinted_figure_that_would_have_to_be_negative_is_a_conflict():
    found = zj.check(frame(figures(sales="2.0", home="3.0")), [Shop, TOTAL])
    (conflict,) = conflicts(found)
    assert (conflict["rule"], conflict["severity"], found.ok) == ("total", "error", False)
    assert candidates(conflict) == {"A sales 2019", "A home 2019"}
    assert found.implied.is_empty()
    fitting = zj.check(frame(figures(sales="3.0", home="3.0")), [Shop, TOTAL])
    assert fitting.implied.select("metric", "low").rows() == [("abroad", 0.0)]
    assert fitting.ok


def test_a_printed_zero_divides_as_what_cannot_be_negative():
    """0 is up to a half, of which 1 to 2 is 200 percent and more."""
    found = zj.check(frame(figures(sales="0", home="1.5", share="400%")), [Shop, SHARE])
    (row,) = found.frame.to_dicts()
    assert (row["verdict"], row["implied_low"]) == ("too_imprecise", pytest.approx(290.0))


def test_a_print_that_admits_no_value_names_the_rules_that_need_it():
    found = zj.check(frame(figures(sales="2.0", home="less than 0", abroad="2.0", profit="1.0")), [Shop, TOTAL])
    for conflict in conflicts(found):
        assert conflict["rule"] == "total"


def test_a_market_has_no_share_of_itself():
    rows = figures("Market", sales="1000.0") | figures("A", sales="100.0")
    found = zj.check(frame(rows), [Shop, OF_MARKET])
    assert found.implied.select("entity", "metric").rows() == [("A", "share")]


def test_a_rule_that_fails_is_linked_to_the_conflict_of_its_group():
    """The two rules share the sales alone; whose conflict is told first does not matter."""
    rules = [TOTAL, named("within", lambda m: m.profit <= m.sales), named("small", lambda m: m.sales <= 90)]
    rows = figures(sales="95.0", home="30.0", abroad="40.0", profit="120.0")
    found = zj.check(frame(rows | figures("B", sales="95.0")), [Shop, *rules])
    wrong = found.frame.filter(kind="rule", verdict="inconsistent", entity="A").to_dicts()
    assert {row["rule"] for row in wrong} == {"total", "within", "small"}
    for row in wrong:
        assert conflicts_of(row, found.frame).get_column("entity").to_list() == ["A"]


def test_a_ratio_to_change_must_be_right_in_all_its_rules():
    """What a share must be for its sum is none of what is printed for A, and is not changed alone; for B it is."""
    rules = [
        named("share", lambda m: m.p == m.x / m.y),
        named("whole", lambda m: m.p + m.q == 1),
    ]
    printed = {
        **figures(x="50.0 yuan", y="45.0 yuan", p="90.0%", q="20.0%"),
        **figures("B", x="40.0 yuan", y="50.0 yuan", p="90.0%", q="20.0%"),
    }
    found = {one["entity"]: one for one in conflicts(zj.check(frame(printed), rules))}
    assert found["A"]["resolved_by"] == []
    pairs = found["A"]["message"].partition(" To change: ")[2].rstrip(".").split("; or ")
    assert "A p 2019 and A x 2019" in pairs
    assert "A p 2019" not in pairs
    (change,) = found["B"]["resolved_by"]
    assert (change["metric"], round(change["low"], 6), round(change["high"], 6)) == ("p", 79.95, 80.05)


# ------------------------------------------------------------------------------------------- nobody falsely accused


class Maker(zj.Table):
    """What a maker reports."""

    nev: float = zj.Quantity("vehicle", ge=0)
    sales: float = zj.Quantity("vehicle", ge=0)
    growth: float = zj.Quantity("percent")
    share: float = zj.Quantity("percent", ge=0)
    total: float = zj.Quantity("vehicle", ge=0)
    abroad: float = zj.Quantity("vehicle", ge=0)
    home: float = zj.Quantity("vehicle", ge=0)

    @zj.rule
    def nev_growth(m):
        """Growth is measured against the year before."""
        return m.growth == m.nev / m.previous.nev - 1

    @zj.rule
    def nev_within_sales(m):
        """New energy vehicles are part of all."""
        return m.nev <= m.sales

    @zj.rule
    def all_parts(m):
        """All that is sold."""
        return m.total == m.abroad + m.home + m.nev


@zj.rule
def share_of_home(m):
    """The share of what is sold at home."""
    return m.share == m.home / (m.total - m.abroad)


@pytest.mark.parametrize("sales", [{}, {"sales": "1.2 million vehicles"}], ids=["unprinted", "printed"])
def test_no_order_supports_a_figure(sales: dict[str, str]):
    # Sales that nobody prints, or that are simply more, say nothing of which of the three is wrong.
    rows = figures(nev="603,783", growth="up 218.3%", **sales) | figures(period="2018", nev="139,689", **sales)
    (told,) = conflicts(zj.check(frame(rows), Maker))
    assert told["reading"] == "a tie of 3"
    assert candidates(told) == {"A nev 2018", "A nev 2019", "A growth 2019"}


def test_a_divisor_of_another_sign_than_declared_is_suspected():
    class Parts(zj.Table):
        """Without the rule by which all is more than its parts."""

        share: float = zj.Quantity("percent", ge=0)
        home: float = zj.Quantity("vehicle", ge=0)
        total: float = zj.Quantity("vehicle", ge=0)
        abroad: float = zj.Quantity("vehicle", ge=0)

    rows = figures(share="60.0%", home="120", total="310", abroad="3,500")
    (told,) = conflicts(zj.check(frame(rows), [Parts, share_of_home]))
    assert candidates(told) == {"A abroad 2019", "A total 2019"}


def test_a_divisor_that_is_not_printed_has_the_sign_of_its_ratio():
    # Half of what is not sold abroad is sold at home: 240 of 480, of which NEVs would have to be 240, and are 100.
    rows = figures(share="50.0%", home="240", abroad="3,500", nev="100")
    (told,) = conflicts(zj.check(frame(rows), [Maker, share_of_home]))
    assert candidates(told) == {"A share 2019", "A home 2019", "A nev 2019"}
