"""What findings say: ends told apart, limits, ends that only touch, vintages; and ids that stay."""

import polars as pl
import pytest

import zhiji_etl as zj
from zhiji_etl.findings import alternatives_of, legible


@zj.rule
def total(m):
    """Two parts make the total."""
    return m.total == m.home + m.abroad


@zj.rule
def part(m):
    """A part is less than all."""
    return m.home < m.total


@zj.rule
def scope(m):
    """Of the total, or of what is abroad."""
    return zj.either(all=m.share == m.home / m.total, rest=m.share == m.home / m.abroad)


@zj.rule
def ranked(m):
    """The largest comes first."""
    return zj.ranks(m.rank, by=m.total)


def found(rules, *rows: tuple, vintages: bool = False):
    names = ["entity", "metric", "period", "printed", *(["vintage"] if vintages else [])]
    return zj.check(pl.DataFrame(rows, schema=names, orient="row"), rules)


def message(rule, **printed: str) -> str:
    told = found(rule, *(("A", metric, "2019", text) for metric, text in printed.items())).frame
    return told.filter(pl.col("kind") != "conflict").row(0, named=True)["message"]


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        (
            {"home": "$3,000,000,001", "abroad": "$3,238,400,121", "total": "$6,238,400,125"},
            "printed 6.2384001245 billion to 6.2384001255 billion, implied 6.238400121 billion to 6.238400123 billion",
        ),
        (
            {"home": "1.0", "abroad": "2.0", "total": "3.00000001"},
            "printed 3.000000005 to 3.000000015, implied 2.9 to 3.1 count: they agree.",
        ),
        (
            {"home": "71.2", "abroad": "28.9", "total": "100.5"},
            "printed 100.45 to 100.55, implied 100 to 100.2 count: ",
        ),
    ],
)
def test_ends_that_differ_look_different(printed: dict[str, str], said: str):
    assert message(total, **printed).startswith(said)


TOUCHING = "they touch, if at all, at an end that is excluded."


@pytest.mark.parametrize(
    ("home", "all_of_it", "said"),
    [
        ("5.2", "5.0", "printed 5.15 to 5.25, by the rule below 5.05 count: 1 last digit apart."),
        ("5.1", "5.0", f"printed 5.05 to 5.15, by the rule below 5.05 count: {TOUCHING}"),
        ("5.1", "over 5.0", "printed 5.05 to 5.15, by the rule anything count: they agree."),
    ],
)  # fmt: skip
def test_an_order_tells_its_limit(home: str, all_of_it: str, said: str):
    assert message(part, home=home, total=all_of_it) == said


def test_two_prints_that_share_an_end():
    told = found([], ("A", "total", "2019", "6.2"), ("A", "total", "2019", "6.3"))
    assert told.frame["message"].item().endswith(": printed to the same digit, with another value.")


def test_two_prints_that_contradict_each_other_and_not_the_finest():
    texts = ("over 6.22 million", "6.2 million", "6.9 million", "6.9 million")
    told = found([], *(("A", "total", "2019", text) for text in texts)).frame
    assert (
        told.height == 4
    )  # each with the finest, and 6.9 with 6.2: told once, and once is enough to dispute the figure
    assert told.filter(verdict="inconsistent")["message"].to_list() == [
        "printed 6.85 million to 6.95 million, implied 6.15 million to 6.25 million count: 6 last digits apart."
    ]
    judged = found(
        total,
        *(("A", "total", "2019", text) for text in texts),
        *(("A", p, "2019", "3.1 million") for p in ("home", "abroad")),
    )
    assert judged.frame.filter(kind="rule")["reason"].to_list() == ["defective_duplicates"]


PRINTED = (("home", "5.0"), ("abroad", "6.0"), ("total", "12.0"), ("share", "91%"))


def test_a_vintage_is_told_and_has_an_id_of_its_own():
    old = [("A", metric, "2019", text, None) for metric, text in PRINTED]
    new = [("A", metric, "2019", text, "2021") for metric, text in (*PRINTED[:2], ("total", "13.0"), ("share", "93%"))]
    both = found([total, scope], *old, *new, vintages=True).frame
    told = {row["finding_id"]: row for row in both.to_dicts()}
    assert {"rule:total:A:2019", "rule:total:A:2019@2021"} <= told.keys()
    assert told["rule:total:A:2019@2021"]["message"].startswith("vintage 2021: printed 12.95 to 13.05")
    assert told["rule:total:A:2019"]["message"].startswith("printed 11.95 to 12.05")
    conflicts = {name: row["message"] for name, row in told.items() if row["kind"] == "conflict"}
    assert len(conflicts) == 2
    assert all(text.startswith("vintage 2021: ") == name.endswith("@2021") for name, text in conflicts.items())
    for edition in ("", "@2021"):
        names = alternatives_of(told[f"rule:scope:A:2019{edition}"], both)["finding_id"].to_list()
        assert sorted(names) == [f"alternative:scope.{name}:A:2019{edition}" for name in ("all", "rest")]


def test_ids_of_vintages_do_not_depend_on_how_loud_they_are():
    for first, second in (("12.0", "11.0"), ("11.0", "12.0")):
        rows = [("A", metric, "2019", text, edition) for edition in (None, "2021") for metric, text in PRINTED[:2]]
        told = found(
            total, *rows, ("A", "total", "2019", first, None), ("A", "total", "2019", second, "2021"), vintages=True
        )
        wrong = told.frame.filter(kind="rule", verdict="inconsistent")["finding_id"].item()
        assert wrong == ("rule:total:A:2019" if first == "12.0" else "rule:total:A:2019@2021")


def test_ranks_are_those_of_one_vintage():
    rows = [
        ("A", "rank", "2019", "1", None), ("A", "total", "2019", "4.0", None),
        ("B", "rank", "2019", "2", "2021"), ("B", "total", "2019", "5.0", "2021"),
        ("A", "rank", "2019", "1", "2021"), ("A", "total", "2019", "6.0", "2021"),
    ]  # fmt: skip
    assert set(found(ranked, *rows, vintages=True).frame["verdict"]) == {"consistent"}


@pytest.mark.parametrize(("second", "verdict"), [("over 4.0", "inconsistent"), ("at least 4.0", "consistent")])
def test_ranks_honour_open_ends(second: str, verdict: str):
    rows = [("A", "rank", "2019", "1"), ("A", "total", "2019", "up to 4.0")]
    told = found(ranked, *rows, ("B", "rank", "2019", "2"), ("B", "total", "2019", second))
    assert told.frame["verdict"].to_list() == [verdict] * 2


@pytest.mark.parametrize("rank", ["under 5", "at most 5", "over 3"])
def test_a_rank_that_is_no_place_is_not_judged(rank: str):
    rows = [(f"E{n}", name, "2019", text) for n in (1, 4) for name, text in (("rank", f"{n}"), ("total", f"{20 - n}"))]
    told = found(ranked, *rows, ("B", "rank", "2019", rank), ("B", "total", "2019", "18"))
    assert dict(told.frame.select("entity", "verdict").iter_rows())["B"] == "not_checkable"
    assert "inconsistent" not in told.frame["verdict"].to_list()


def test_the_negative_zero_of_floats_is_not_shown():
    assert legible(pl.Series([-0.0, 0.0])).to_list() == ["0", "0"]


@zj.rule
def at_most_of_whole(m):
    """The share has an end."""
    return m.share <= m.part / m.whole


@zj.rule
def more_than_of_whole(m):
    """The share has an end."""
    return m.share > m.part / m.whole


class Maker(zj.Table):
    """One maker."""

    share: float = zj.Quantity("percent", ge=0)
    part: float = zj.Quantity("count", ge=0)
    whole: float = zj.Quantity("count", ge=0)


@pytest.mark.parametrize(
    ("rule", "share", "metric", "low", "high"),
    [
        (at_most_of_whole, "60.0%", "share", 0.0, 50.05 / 99.95 * 100),
        (at_most_of_whole, "60.0%", "part", 0.5995 * 99.95, float("inf")),
        (at_most_of_whole, "60.0%", "whole", 0.0, 50.05 / 0.5995),
        (more_than_of_whole, "40.0%", "share", 49.95 / 100.05 * 100, float("inf")),
        (more_than_of_whole, "40.0%", "whole", 49.95 / 0.4005, float("inf")),
    ],
)
def test_an_order_of_a_ratio_tells_what_would_resolve_it(rule, share: str, metric: str, low: float, high: float):
    rows = [("A", "share", "2019", share), ("A", "part", "2019", "50.0"), ("A", "whole", "2019", "100.0")]
    told = found([Maker, rule], *rows).frame.filter(kind="rule").row(0, named=True)
    (change,) = (one for one in told["resolved_by"] if one["metric"] == metric)
    assert (change["low"], change["high"]) == pytest.approx((low, high))
