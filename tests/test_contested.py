"""A printed figure that others are measured against: rules of different entities must leave it a value together."""

from decimal import Decimal
from fractions import Fraction

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

import zhiji_etl as zj


@zj.rule
def share(m):
    """A share follows from sales and the market."""
    return m.share == m.sales / m.of("Market").sales


@zj.rule
def scoped_share(m):
    """A share of all sales, or of those at home."""
    market = m.of("Market").sales
    return zj.either(all_sales=m.share == m.sales / market, home=m.share == (m.sales - m.abroad) / market)


def conflicts(rule, *rows: tuple[str, str, str]) -> pl.DataFrame:
    told = [(entity, metric, "2019", printed) for entity, metric, printed in rows]
    frame = pl.DataFrame(told, ["entity", "metric", "period", "printed"], orient="row")
    return zj.check(frame, rule).frame.filter(kind="conflict")


def company(name: str, sales: str, share_of: str) -> list[tuple[str, str, str]]:
    return [(name, "sales", sales), (name, "share", share_of)]


MARKET = ("Market", "sales", "25.7 million")


def test_two_shares_that_need_two_markets():
    found = conflicts(share, MARKET, *company("A", "2,566,001", "10.0000%"), *company("B", "2,574,001", "10.0000%"))
    (told,) = found.to_dicts()
    assert (told["verdict"], told["severity"], len(told["figures"])) == ("inconsistent", "error", 4)
    assert {(one["entity"], one["metric"]) for one in told["resolved_by"]} == {
        ("A", "sales"), ("A", "share"), ("B", "sales"), ("B", "share")
    }  # fmt: skip


def test_an_alternative_that_leaves_room_is_no_conflict():
    rows = (MARKET, *company("A", "2,566,001", "10.0000%"), *company("B", "2,574,001", "10.0000%"))
    assert conflicts(scoped_share, *rows, ("A", "abroad", "0"), ("B", "abroad", "0")).height == 1
    assert conflicts(scoped_share, *rows, ("A", "abroad", "0"), ("B", "abroad", "about 8,000")).is_empty()


def rounded(value: Fraction, places: int) -> tuple[str, Fraction, Fraction]:
    """A number as printed with so many decimals, and its exact bounds."""
    step = Fraction(1, 10**places)
    number = round(value / step) * step
    return f"{Decimal(number.numerator) / Decimal(number.denominator):.{places}f}", number - step / 2, number + step / 2


@settings(max_examples=60)
@given(
    st.integers(20_000, 30_000),
    st.lists(st.tuples(st.integers(1_001, 9_999), st.integers(1, 4), st.integers(-60, 60)), min_size=2, max_size=4),
)
def test_it_is_found_exactly_where_exact_bounds_do_not_meet(size, companies):
    market, market_low, market_high = rounded(Fraction(size, 1000), 1)
    rows, needed = [("Market", "sales", f"{market} million")], [(market_low * 10**6, market_high * 10**6)]
    for number, (sold, places, off) in enumerate(companies):
        # Odd and of seven digits: the last digit is the only reading.
        sales = sold * 100 + 1
        true = Fraction(100 * sales, size * 1000 + off * 1000)
        text, low, high = rounded(true, places)
        rows += company(f"Company {number}", f"{sales:,}", f"{text}%")
        if low <= 0:
            return
        needed.append(((sales - Fraction(1, 2)) * 100 / high, (sales + Fraction(1, 2)) * 100 / low))
    alone = all(low <= needed[0][1] and high >= needed[0][0] for low, high in needed[1:])
    together = max(low for low, _ in needed) <= min(high for _, high in needed)
    found = conflicts(share, *rows).filter(verdict="inconsistent")
    if alone:
        assert found.is_empty() == together
