"""Groups of one form localised together come out as each localised by itself in fractions."""

from __future__ import annotations

import random
from typing import Any
from unittest import mock

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import zhiji_etl as zj
from zhiji_etl.consistency.conflicts import groups as conflicts
from zhiji_etl.consistency.conflicts.together import Together, localised_together

YEARS = ("2018", "2019")
SHARES = {"share": "percent", "growth": "percent"}


@zj.rule
def share_of_market(m):
    """The share follows from sales and the market."""
    return m.share == m.sales / m.of("Market").sales


@zj.rule
def growth_of_sales(m):
    """Growth is measured against the year before."""
    return m.growth == m.sales / m.previous.sales - 1


@zj.rule
def parts(m):
    """Home and abroad are all sales."""
    return m.home + m.abroad == m.sales


@zj.rule
def electric_within(m):
    """Electric vehicles are part of all vehicles."""
    return m.electric <= m.sales


@zj.rule
def share_of_some(m):
    """A share of all sales or of those at home."""
    market = m.of("Market").sales
    return zj.either(every=m.share == m.sales / market, home=m.share == m.home / market)


RULES = (share_of_market, growth_of_sales, parts, electric_within)


def figure(entity: str, metric: str, period: str, value: float, step: float) -> dict[str, Any]:
    unit = SHARES.get(metric, "vehicle")
    ends = {"low": round(value - step / 2, 6), "high": round(value + step / 2, 6)}
    return {"entity": entity, "metric": metric, "period": period, "value": value, "step": step, "unit": unit, **ends}


def true_figures(dice: random.Random, entity: str) -> list[tuple[str, str, float, float]]:
    """Metric, year, true value and step of all that one company could print."""
    found = []
    before = None
    for year in YEARS:
        home, abroad = dice.randint(1000, 400_000), dice.randint(1000, 100_000)
        sales = home + abroad
        electric = int(sales * dice.uniform(0.05, 0.95))
        found += [("home", year, home, 100.0), ("abroad", year, abroad, 100.0), ("sales", year, sales, 1000.0)]
        found += [("electric", year, electric, 100.0), ("share", year, 100 * sales / 2_000_000, 0.1)]
        if before:
            found.append(("growth", year, 100 * (sales / before - 1), 0.1))
        before = sales
    return found


def companies(dice: random.Random, count: int, missing: float = 0.2, wrong: int = 1) -> pl.DataFrame:
    """Companies that print most of their figures rounded, with so many of them planted wrong."""
    rows = [figure("Market", "sales", year, 2_000_000.0, 1000.0) for year in YEARS]
    # One that prints all and is right, so that each metric is printed by somebody.
    rows += [figure("Whole", m, y, round(round(v / step) * step, 6), step) for m, y, v, step in true_figures(dice, "")]
    for number in range(count):
        told = [one for one in true_figures(dice, f"Company {number}") if dice.random() > missing]
        spoilt = dice.sample(range(len(told)), min(wrong, len(told)))
        for place, (metric, year, value, step) in enumerate(told):
            factor = dice.choice([0.1, 0.5, 0.9, 1.1, 1.9, 10.0]) if place in spoilt else 1.0
            rows.append(figure(f"Company {number}", metric, year, round(round(value * factor / step) * step, 6), step))
    return pl.DataFrame(rows)


def conflict_rows(figures: pl.DataFrame, rules: Any) -> list[dict[str, Any]]:
    found = zj.check(figures, rules).frame.filter(pl.col("kind") == "conflict")
    return found.sort("entity", "period", "rule").to_dicts()


def one_by_one(*args: Any) -> Together:
    """All groups left, in the order in which they are found."""
    found = localised_together(*args)
    every = pl.concat([found.left, found.done]).sort("at")
    return Together(found.findings.clear(), every, found.done.clear())


def both_ways(figures: pl.DataFrame, rules: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    together = conflict_rows(figures, rules)
    with mock.patch.object(conflicts, "localised_together", one_by_one):
        return together, conflict_rows(figures, rules)


def test_a_scope_that_cannot_be_tried_accuses_nobody():
    # Growth ties the scope `every` to another rule, and nothing ties `home`, of which nothing is printed.
    rows = [figure("Market", "sales", "2018", 2_000_000.0, 1000.0), figure("Market", "sales", "2019", 2e6, 1000.0)]
    rows += [figure("Whole", metric, year, value, step) for metric, year, value, step in WHOLE]
    rows += [figure("One", "sales", "2018", 223_000.0, 1000.0), figure("One", "share", "2018", 12.3, 0.1)]
    rows += [figure("One", "growth", "2019", -18.3, 0.1)]
    assert both_ways(pl.DataFrame(rows), (share_of_some, growth_of_sales)) == ([], [])


def test_growth_that_nobody_prints_may_be_negative():
    # All growth that is printed is positive; that of this company is not printed, and its sales fall.
    rows = [figure("Whole", metric, year, value, step) for metric, year, value, step in WHOLE]
    rows += [figure("One", "sales", "2018", 432_000.0, 1000.0), figure("One", "sales", "2019", 33_000.0, 1000.0)]
    assert both_ways(pl.DataFrame(rows), (share_of_some, growth_of_sales)) == ([], [])


WHOLE = [
    (metric, year, round(round(value / step) * step, 6), step)
    for metric, year, value, step in true_figures(random.Random(0), "")
]


def resolving(row: dict[str, Any]) -> dict[tuple[str, str, str], tuple[float, float]]:
    return {(one["entity"], one["metric"], one["period"]): (one["low"], one["high"]) for one in row["resolved_by"]}


@pytest.mark.parametrize(
    "rules", [RULES, (parts, electric_within), (share_of_some, growth_of_sales)], ids=["tree", "sums", "scopes"]
)
@settings(max_examples=3, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**6), missing=st.sampled_from([0.0, 0.2, 0.4]), wrong=st.integers(1, 2))
def test_as_in_fractions(rules, seed, missing, wrong):
    together, apart = both_ways(companies(random.Random(seed), 1, missing, wrong), rules)
    assert [(row["entity"], row["period"], row["verdict"]) for row in together] == [
        (row["entity"], row["period"], row["verdict"]) for row in apart
    ]
    for one, other in zip(together, apart, strict=True):
        assert resolving(one).keys() == resolving(other).keys()
        for figure_, ends in resolving(one).items():
            assert ends == pytest.approx(resolving(other)[figure_], rel=1e-9)


def test_planted_figure_is_listed():
    dice = random.Random(3)
    figures = companies(dice, 60, missing=0.0)
    told = {row["entity"]: row for row in conflict_rows(figures, RULES)}
    truth = {
        (entity, metric, period): value
        for entity, metric, period, value in figures.select("entity", "metric", "period", "value").iter_rows()
    }
    assert len(told) > 30
    for row in told.values():
        assert row["resolved_by"]
        for key, (low, high) in resolving(row).items():
            assert not low <= truth[key] <= high


def numbers(entity: str, **values: float) -> list[dict[str, Any]]:
    return [figure(entity, metric, "2019", value, 10.0) for metric, value in values.items()]


@zj.rule
def first_half(m):
    """Three parts of one total."""
    return m.a + m.b == m.t


@zj.rule
def second_half(m):
    """Two parts of the same total."""
    return m.c + m.d == m.t


@zj.rule
def across(m):
    """A rule that makes it a loop."""
    return m.a + m.c == m.u


def test_one_figure_explains_two_failures():
    rows = numbers("X", a=1000, b=2000, t=4000, c=500, d=2500)
    (row,) = conflict_rows(pl.DataFrame(rows), [first_half, second_half])
    assert resolving(row) == {("X", "t", "2019"): (2990, 3010)}
    assert row["reading"] == "most likely: X t 2019"
    assert row["rule"] == "first_half, second_half"
    assert sorted(row["figures"]) == [0, 1, 2, 3, 4]


def test_a_loop_is_left_for_fractions():
    rows = numbers("X", a=1000, b=2000, t=4000, c=500, d=2500, u=1500)
    (row,) = conflict_rows(pl.DataFrame(rows), [first_half, second_half, across])
    # 2 t = (a + c) + b + d, and a + c is 1495 to 1505: propagation alone would leave 2990 to 3010.
    assert resolving(row) == {("X", "t", "2019"): (2992.5, 3007.5)}


def test_touching_ends_hold():
    rows = numbers("X", a=1000, b=2000, t=3015)
    assert conflict_rows(pl.DataFrame(rows), [first_half]) == []
    (row,) = conflict_rows(pl.DataFrame(numbers("X", a=1000, b=2000, t=3015.2)), [first_half])
    assert len(row["resolved_by"]) == 3


def test_pairs_are_left_for_fractions():
    rows = numbers("X", a=1000, b=2000, t=4000, c=500, d=2600)
    (row,) = conflict_rows(pl.DataFrame(rows), [first_half, second_half])
    assert row["resolved_by"] == []
    assert "and" in row["message"]


def test_what_is_not_localised_is_counted():
    rows = [one for n in range(5) for one in numbers(f"X{n}", a=1000, b=2000, t=4000, c=500, d=2600)]
    with mock.patch.object(conflicts, "GROUPS", 2):
        told = conflict_rows(pl.DataFrame(rows), [first_half, second_half])
    counted = [row for row in told if row["verdict"] == "not_checkable"]
    assert len(told) == 3
    assert [row["message"].split(":")[1].split()[0] for row in counted] == ["3"]


def test_entities_of_one_form_keep_their_own_numbers():
    rows = [one for n in range(40) for one in numbers(f"X{n}", a=1000 + 10 * n, b=2000, t=9000)]
    told = conflict_rows(pl.DataFrame(rows), [first_half])
    assert len(told) == 40
    for row in told:
        number = int(row["entity"][1:])
        a = 1000 + 10 * number
        assert resolving(row)[row["entity"], "t", "2019"] == (a + 1990, a + 2010)
        assert resolving(row)[row["entity"], "b", "2019"] == (8990 - a, 9010 - a)


def makers(**told: tuple[float, float]) -> pl.DataFrame:
    """Companies measured against a market that nobody prints: sales, share; 50,000 at home and 10,000 abroad."""
    rows: list[dict[str, Any]] = []
    for name, (sales, share) in told.items():
        rows += [figure(name, "sales", "2019", sales, 1000.0), figure(name, "share", "2019", share, 0.1)]
        rows += [figure(name, "home", "2019", 50_000.0, 1000.0), figure(name, "abroad", "2019", 10_000.0, 1000.0)]
    return pl.DataFrame(rows)


def test_a_figure_that_nobody_printed_ties_groups_that_hold_by_themselves():
    # The one needs a market of about 1.2 million, the other of half of that, and each has a sum that holds.
    (row,) = conflict_rows(makers(One=(60_000.0, 5.0), Other=(60_000.0, 10.0)), (share_of_market, parts))
    assert {(entity, metric) for entity, metric, _ in resolving(row)} == {("One", "share"), ("Other", "share")}


def test_scopes_of_two_entities_that_leave_a_market_no_value():
    # The one needs a market of 1.2 or 1.0 million, the other of 1.15 or 1.06: between the two scopes of the first.
    figures = makers(One=(60_000.0, 5.0), Other=(54_000.0, 4.7))
    (row,) = conflict_rows(figures, (share_of_some,))
    assert {(entity, metric) for entity, metric, _ in resolving(row)} >= {("One", "share"), ("Other", "share")}
    assert {entity for entity, _, _ in resolving(row)} == {"One", "Other"}


def test_a_market_may_be_tied_by_its_own_rules():
    # The market's own two rules hold, and its total, which nobody prints, is what the share disagrees with.
    @zj.rule
    def electric_at_home(m: Any) -> Any:
        """Electric vehicles are sold at home."""
        return m.electric <= m.home

    rows = [figure("One", "sales", "2019", 60_000.0, 1000.0), figure("One", "share", "2019", 5.0, 0.1)]
    whole = {"home": 1_000_000.0, "abroad": 500_000.0, "electric": 500_000.0}
    rows += [figure("Market", metric, "2019", value, 1000.0) for metric, value in whole.items()]
    (row,) = conflict_rows(pl.DataFrame(rows), (share_of_market, parts, electric_at_home))
    assert {f"{entity} {metric}" for entity, metric, _ in resolving(row)} == {
        "One sales",
        "One share",
        "Market home",
        "Market abroad",
    }


@zj.rule
def growth_of_profit(m):
    """Growth is measured against the year before, which may be a year of loss."""
    return m.growth == m.profit / m.previous.profit - 1


@zj.rule
def profit_of_both(m):
    """Profit is made at home and abroad."""
    return m.home + m.abroad == m.profit


def profits(growth: float, profit: float, abroad: float, before: dict[str, float]) -> pl.DataFrame:
    """One company's profits, and another's losses, by which profits may be negative."""
    losses = {"profit": -100.0, "home": -50.0, "abroad": -50.0}
    rows = [figure("Y", metric, "2018", value, 10.0) for metric, value in losses.items()]
    rows += [figure("X", "growth", "2019", growth, 0.1), figure("X", "profit", "2019", profit, 10.0)]
    rows += [figure("X", "abroad", "2019", abroad, 10.0), figure("X", "home", "2019", 2000.0, 10.0)]
    return pl.DataFrame([*rows, *(figure("X", metric, "2018", value, 10.0) for metric, value in before.items())])


@pytest.mark.parametrize(
    "before",
    [{"profit": -10_000.0, "home": -9_000.0}, {"home": -9_000.0, "abroad": -1_000.0}, {"profit": 0.0}],
    ids=["printed", "unprinted", "zero"],
)
def test_a_divisor_below_zero_accuses_nobody(before: dict[str, float]):
    # From a loss of 10,000 to a profit of 5,000 is -150 %; from nothing there is no growth.
    assert both_ways(profits(-150.0, 5000.0, 3000.0, before), (growth_of_profit, profit_of_both)) == ([], [])


def test_a_divisor_of_unknown_sign_costs_nothing():
    # Growth alone is printed, and what it is measured against may be a profit or a loss.
    rows = [figure("X", "growth", "2019", 12.5, 0.1), figure("X", "home", "2019", 2000.0, 10.0)]
    rows += profits(-150.0, 5000.0, 3000.0, {}).rows(named=True)[:3]
    with mock.patch.object(conflicts, "localise", side_effect=AssertionError("decided one by one")):
        assert conflict_rows(pl.DataFrame(rows), (growth_of_profit, profit_of_both)) == []


def test_a_divisor_below_zero_takes_part():
    # Each rule holds alone, for nobody prints the profit of 2018: a loss of 10,000 by one, of 8,000 by the other.
    figures = profits(-150.0, 5000.0, 3000.0, {"home": -7_000.0, "abroad": -1_000.0})
    (row,), (other,) = both_ways(figures, (growth_of_profit, profit_of_both))
    assert resolving(row) == resolving(other)
    assert resolving(row)["X", "growth", "2019"] == pytest.approx((-162.640801, -162.359551))
