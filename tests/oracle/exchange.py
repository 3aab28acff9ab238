"""Amounts in two currencies, and rules across currencies, at rates of a drawn series: see docs/rates.md.

In: a source of chance. Out: what the library says otherwise of a drawn pair than exact fractions do.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from math import inf
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

import zhiji_etl as zj
from oracle.elimination import Ends
from oracle.prints import Print, one_sided, plain
from zhiji_etl.rates import Rates

MAX_AGE: Final = 7
PERIODS: Final = {
    "2019": (date(2019, 1, 1), date(2019, 12, 31)),
    "2019Q2": (date(2019, 4, 1), date(2019, 6, 30)),
    "H1 2019": (date(2019, 1, 1), date(2019, 6, 30)),
    "2019-05": (date(2019, 5, 1), date(2019, 5, 31)),
    "12 months ended March 31, 2020": (date(2019, 4, 1), date(2020, 3, 31)),
    "2019-06-30": (date(2019, 6, 30), date(2019, 6, 30)),
}
METHODS: Final = ("average", "average_quoted", "period_end", "sum_of_quarters")


class Company(zj.Table):
    """Amounts in two currencies."""

    sales: float = zj.Quantity("CNY", ge=0)
    change: float = zj.Quantity("CNY")
    abroad: float = zj.Quantity("USD", ge=0)


class Quote(NamedTuple):
    """The rate of a day as it is printed."""

    rate: Fraction
    step: Fraction


class Series(NamedTuple):
    """Quotes by day."""

    quotes: Mapping[date, Quote]

    def on(self, day: date) -> Quote | None:
        """The quote that holds on a day: the last one, if it is not too old."""
        for age in range(MAX_AGE + 1):
            if day - timedelta(days=age) in self.quotes:
                return self.quotes[day - timedelta(days=age)]
        return None

    def by(self, method: str, start: date, end: date) -> Ends | None:
        """The bounds of the rate of a period; None where there is none."""
        days = [start + timedelta(days=number) for number in range((end - start).days + 1)]
        if method == "period_end":
            return _mean([self.on(end)])
        held = [self.on(day) for day in days]
        if method == "average_quoted" and None not in held:
            return _mean([self.quotes[day] for day in days if day in self.quotes])
        if method == "spot" and None not in held:
            lows, highs = zip(*(_ends(one) for one in held if one), strict=True)
            return Ends(min(lows), max(highs))
        if method == "sum_of_quarters" and None not in held:
            several = [_mean([self.on(day) for day in quarter]) for quarter in _quarters(days)]
            return Ends(min(one.low for one in several), max(one.high for one in several)) if several else None
        return _mean(held) if method == "average" else None


def drawn_series(dice: random.Random) -> Series:
    """Half a year to two years of quotes on most days."""
    day, last = date(2018, 12, dice.randint(1, 31)), date(2020, dice.randint(1, 6), 1)
    level, decimals, quotes = Fraction(69, 10), dice.choice([2, 4]), {}
    gaps = [1, 1, 1, 1, 3, 7] if dice.random() < 0.8 else [1, 2, 5, 8, 9]
    while day < last:
        level += Fraction(dice.randint(-20, 20), 1000)
        quotes[day] = Quote(Fraction(round(level * 10**decimals), 10**decimals), Fraction(1, 10**decimals))
        day += timedelta(days=dice.choice(gaps) if dice.random() < 0.97 else 3)
    return Series(quotes)


def of_rates(dice: random.Random, counts: Counter[str]) -> Iterator[str]:
    """Differences in a few pairs and rules at one series."""
    series = drawn_series(dice)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "own.csv"
        lines = [f"{day},USD,CNY,{_plain(one)}" for day, one in series.quotes.items()]
        path.write_text("\n".join(["date,base,quote,rate", *lines]))
        rates = Rates.read(path)
    yield from _of_pairs(dice, series, rates, counts)
    yield from _of_rules(dice, series, rates, counts)


def _of_pairs(dice: random.Random, series: Series, rates: Rates, counts: Counter[str]) -> Iterator[str]:
    pairs = {}
    for number in range(6):
        when = dice.choice([*PERIODS])
        true = [found for method in METHODS if (found := series.by(method, *PERIODS[when])) is not None]
        rate = dice.choice(true).low if true else Fraction(7)
        dollars = Fraction(dice.randint(20, 99999), dice.choice([1, 10, 100]))
        main, restated = (
            _amount(dice, dollars * rate),
            _amount(dice, dollars * dice.choice([1, 1, 1, 1, 10, Fraction(11, 10)])),
        )
        pairs[f"E{number}"] = when, main, restated
    rows = [
        (e, "sales", when, f"{_text(one, 'RMB')} ({_text(other, 'US$')})") for e, (when, one, other) in pairs.items()
    ]
    told = _checked(rows, [Company], rates)
    for entity, (when, main, restated) in pairs.items():
        mine = {row["rule"]: row for row in told if row["entity"] == entity}
        alternatives = []
        for method in METHODS:
            rate = series.by(method, *PERIODS[when])
            row = mine.get(f"sales_in_USD.{method}")
            counts["methods"] += 1
            if (rate is None) != (row is None or row["verdict"] == "not_checkable"):
                yield f"{rows[int(entity[1:])]} {method}: a rate {rate}, told {row and row['message']}"
            if rate is None or row is None:
                continue
            fails = not any(
                _meet(main.at(n), _times(restated.at(n), rate)) for n in range(max(main.rungs, restated.rungs) + 1)
            )
            alternatives.append(fails)
            counts["methods that fail"] += fails
            if fails != (row["verdict"] == "inconsistent"):
                yield f"{rows[int(entity[1:])]} {method} {rate}: {row['verdict']}, the oracle says it {fails=}"
            level = 99 if fails else next(n for n in range(99) if _meet(main.at(n), _times(restated.at(n), rate)))
            ends = {"CNY": _times(restated.at(level), rate), "USD": _over(main.at(level), rate)}[row["unit"]]
            if not _near(ends, (row["implied_low"], row["implied_high"])):
                implied = row["implied_low"], row["implied_high"]
                yield f"{rows[int(entity[1:])]} {method}: implies {implied}, not {ends}"
        row = mine["sales_in_USD"]
        if alternatives and all(alternatives) != (row["verdict"] == "inconsistent"):
            yield f"{rows[int(entity[1:])]}: {row['verdict']}, its methods fail {alternatives}"


def _of_rules(dice: random.Random, series: Series, rates: Rates, counts: Counter[str]) -> Iterator[str]:
    method = dice.choice([*METHODS, "spot", None])
    symbol = dice.choice(["==", "==", "<=", ">"])

    @zj.rule
    def across(m):
        """Sales abroad in yuan, and the change."""
        rate = m.rate("USD", "CNY", method) if method else m.rate("USD", "CNY")
        left, right = m.sales, m.abroad * rate + m.change
        return {"==": left == right, "<=": left <= right, ">": left > right}[symbol]

    drawn = {}
    for number in range(6):
        when = dice.choice([*PERIODS])
        used = method or ("period_end" if when.count("-") == 2 else "average")
        rate = series.by(used, *PERIODS[when])
        dollars, change = Fraction(dice.randint(20, 9999), dice.choice([1, 10])), Fraction(dice.randint(-99, 99))
        abroad, moved = _amount(dice, dollars), plain(int(change), 0, "CNY")
        true = dollars * (rate.high if rate else 7) + change + dice.choice([0, 0, 0, 1, -1, 50])
        drawn[f"E{number}"] = when, rate, _amount(dice, max(true, Fraction(1))), abroad, moved
    rows = [
        (entity, metric, when, text)
        for entity, (when, _, sales, abroad, change) in drawn.items()
        for metric, text in (
            ("sales", _text(sales, "RMB")),
            ("abroad", _text(abroad, "US$")),
            ("change", _text(change, "RMB")),
        )
    ]
    told = {row["entity"]: row for row in _checked(rows, [Company, across], rates) if row["rule"] == "across"}
    for entity, (when, rate, sales, abroad, change) in drawn.items():
        row = told[entity]
        counts["rules with rates"] += 1
        named = f"{symbol} {method} {when}: {sales.text}, {abroad.text}, {change.text}, {rate}"
        if rate is None or row["verdict"] == "not_checkable":
            if rate is not None or row["reason"] != "missing_reference":
                yield f"{named}: {row['verdict']} ({row['reason']})"
            continue
        levels = [
            n
            for n in range(max(sales.rungs, abroad.rungs, change.rungs) + 1)
            if _compare(symbol, sales.at(n), _plus(_times(abroad.at(n), rate), change.at(n)))
        ]
        counts["rules with rates that fail"] += not levels
        if bool(levels) == (row["verdict"] == "inconsistent"):
            yield f"{named}: {row['verdict']}, the oracle says {levels=}: {row['message']}"


def _checked(rows: Sequence[tuple[str, ...]], rules: Sequence[object], rates: Rates) -> list[dict[str, object]]:
    frame = pl.DataFrame(rows, schema=["entity", "metric", "period", "printed"], orient="row")
    return zj.check(frame, rules, rates).frame.to_dicts()


def _amount(dice: random.Random, value: Fraction) -> Print:
    decimals = dice.choice([0, 0, 1, 2])
    digits = max(round(value * 10**decimals), 1)
    if decimals == 0 and digits > 100 and dice.random() < 0.3:
        digits = 10 * round(Fraction(digits, 10))
    if dice.random() < 0.15:
        return one_sided(digits, decimals, "CNY", dice.choice(["above", "at_least", "below", "at_most"]))
    return plain(digits, decimals, "CNY", about=dice.random() < 0.1)


def _text(one: Print, currency: str) -> str:
    *words, number = one.text.split(" ")
    sign = "-" if number.startswith("-") else ""
    return " ".join([*words, f"{sign}{currency}{number.lstrip('-')}"])


def _plain(one: Quote) -> str:
    return f"{float(one.rate):.{len(str(one.step.denominator)) - 1}f}"


def _ends(one: Quote) -> tuple[Fraction, Fraction]:
    return one.rate - one.step / 2, one.rate + one.step / 2


def _mean(quotes: Sequence[Quote | None]) -> Ends | None:
    """From the harmonic to the arithmetic mean: whichever way round the pair is quoted."""
    known = [one for one in quotes if one is not None]
    if len(known) < len(quotes) or not known:
        return None
    lows, highs = zip(*map(_ends, known), strict=True)
    return Ends(len(known) / sum(1 / low for low in lows), sum(highs) / len(known))


def _quarters(days: Sequence[date]) -> list[list[date]]:
    """The days of each quarter, counted from the first day; none where the period has no whole quarters."""
    after = days[-1] + timedelta(days=1)
    months = 12 * (after.year - days[0].year) + after.month - days[0].month
    if months <= 0 or months % 3 or after.day != days[0].day:
        return []
    first = days[0].year * 12 + days[0].month - 1
    return [[day for day in days if (day.year * 12 + day.month - 1 - first) // 3 == n] for n in range(months // 3)]


def _times(amount: Ends, rate: Ends) -> Ends:
    low = None if amount.low is None else amount.low * (rate.low if amount.low >= 0 else rate.high)
    high = None if amount.high is None else amount.high * (rate.high if amount.high >= 0 else rate.low)
    return Ends(low, high, amount.low_open, amount.high_open)


def _over(amount: Ends, rate: Ends) -> Ends:
    return _times(amount, Ends(1 / rate.high, 1 / rate.low))


def _plus(one: Ends, other: Ends) -> Ends:
    low = None if one.low is None or other.low is None else one.low + other.low
    high = None if one.high is None or other.high is None else one.high + other.high
    return Ends(low, high, one.low_open or other.low_open, one.high_open or other.high_open)


def _compare(symbol: str, one: Ends, other: Ends) -> bool:
    if symbol == "==":
        return _meet(one, other)
    low, high = (one, other) if symbol == "<=" else (other, one)
    if low.low is None or high.high is None or low.low < high.high:
        return True
    return low.low == high.high and symbol == "<=" and not (low.low_open or high.high_open)


def _meet(one: Ends, other: Ends) -> bool:
    return _compare("<=", one, other) and _compare("<=", other, one)


def _near(ends: Ends, told: tuple[float, float]) -> bool:
    mine = (-inf if ends.low is None else float(ends.low), inf if ends.high is None else float(ends.high))
    return all(a == b or abs(a - b) <= 1e-9 * max(abs(a), abs(b)) for a, b in zip(mine, told, strict=True))
