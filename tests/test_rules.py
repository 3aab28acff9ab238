"""Rules: expressions and their refusals, intervals in Polars against exact fractions, verdicts at every reading."""

from fractions import Fraction as F
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import zhiji_etl as zj
from zhiji_etl.catalogue import catalogue
from zhiji_etl.consistency.exact import intervals
from zhiji_etl.consistency.exact.linear import Bounds
from zhiji_etl.consistency.rules import bounds
from zhiji_etl.consistency.rules.expressions import Constant, Either, Figures, Operand, Relation, formula, solve
from zhiji_etl.errors import ProjectError, RuleError
from zhiji_etl.project import tables_of

M = Figures()
INFINITY = float("inf")

SCHEMA = '''
import zhiji_etl as zj


class CompanyYear(zj.Table):
    """One company, one period."""

    sales: float = zj.Quantity("vehicle", ge=0)
    overseas: float = zj.Quantity("vehicle", ge=0)
    staff: float = zj.Quantity("person", ge=0)
    share: float = zj.Quantity("percent", ge=0, le=100)
    growth: float = zj.Quantity("percent")
    change: float = zj.Quantity("percentage_point")
    revenue: float = zj.Quantity("CNY", ge=0, fx="average")
    dollars: float = zj.Quantity("USD", ge=0)
    profit: float = zj.Quantity("CNY")
    price: float = zj.Quantity("CNY/vehicle", ge=0)
'''


def with_rule(*lines: str, mark: str = "@zj.rule") -> str:
    """The schema with a rule `given` of these lines."""
    body = "\n".join(f"        {line}" for line in lines)
    return f"{SCHEMA}\n    {mark}\n    def given(m):\n{body}\n"


@pytest.fixture
def refused(tmp_path: Path):
    """The error with which a rule of these lines is refused."""

    def error(*lines: str) -> ProjectError:
        (tmp_path / "company.py").write_text(with_rule(*lines), encoding="utf-8")
        with pytest.raises(ProjectError) as caught:
            catalogue(tables_of(tmp_path))
        return caught.value

    return error


@pytest.fixture
def judged(run):
    """The findings of a rule of these lines on these rows."""

    def rows(figures: str, *lines: str, mark: str = "@zj.rule") -> list[dict]:
        result = run(figures, schema=with_rule(*lines, mark=mark))
        assert result.rejects.height == 0, result.rejects["reason"].to_list()
        return result.findings.filter(pl.col("kind") == "rule").to_dicts()

    return rows


def one(rows: list[dict], entity: str = "A", period: str = "2019") -> dict:
    mine = [row for row in rows if (row["entity"], row["period"]) == (entity, period)]
    assert len(mine) == 1
    return mine[0]


# ------------------------------------------------------------------------------------------------------ expressions


@pytest.mark.parametrize(
    ("relation", "text"),
    [
        (M.share == M.sales / M.of("China market").sales, "share = sales / sales [China market]"),
        (M.growth == M.sales / M.previous.sales - 1, "growth = sales / sales [previous] - 1"),
        (M.sales - (M.overseas - 1) <= 2 * (M.sales + 3), "sales - (overseas - 1) <= 2 * (sales + 3)"),
        (M.sales / (M.overseas / M.staff) >= 0.5, "sales / (overseas / staff) >= 0.5"),
        (-M.sales < 1 - M.overseas, "-sales < 1 - overseas"),
        (1 + M.sales * 2 > 10 / M.overseas, "1 + sales * 2 > 10 / overseas"),
        (M.sales == M.halves.sales, "sales = sales [H1] + sales [H2]"),
        (M.of("A", "B").year_before.sales == M.sales, "sales [A, year_before] + sales [B, year_before] = sales"),
    ],
)
def test_formula(relation: Relation, text: str):
    assert formula(relation) == text


def test_parts_of_a_period():
    names = [leaf.strip() for leaf in formula(M.months.sales).split("+")]
    assert names == [f"sales [M{month:02}]" for month in range(1, 13)]
    assert formula(M.quarters.sales) == "sales [Q1] + sales [Q2] + sales [Q3] + sales [Q4]"


@pytest.mark.parametrize("name", ["a", "b", "c", "d"])
def test_solving_restores_each_operand(name: str):
    values = {"a": F(7), "b": F(3), "c": F(-2), "d": F(5)}
    relation = M.a == (M.b - 4) / (2 * M.c) + 1 / (3 - M.d)
    values["a"] = (values["b"] - 4) / (2 * values["c"]) + 1 / (3 - values["d"])
    assert exact(solve(relation, name), values) == values[name]


def exact(node, values: dict[str, F]) -> F:
    if isinstance(node, Operand):
        return values[node.name]
    if isinstance(node, Constant):
        return node.value
    left, right = exact(node.left, values), exact(node.right, values)
    return {"+": left + right, "-": left - right, "*": left * right, "/": left / right if right else None}[node.symbol]


def test_solving_gives_none_where_an_operand_stands_twice():
    assert solve(M.a == M.b / (M.b + M.c), "b") is None
    assert solve(M.a == M.b, "z") is None


def test_a_written_number_is_exact():
    assert (M.a == 0.1).right.value == F(1, 10)
    assert (M.a == "0.05").right.value == F(1, 20)


def test_within_is_two_orders_that_both_must_hold():
    made = zj.within(M.overseas / M.sales, 0.1, 0.9)
    assert isinstance(made, Either)
    assert made.every
    assert [formula(relation) for relation in made.alternatives.values()] == [
        "overseas / sales >= 0.1",
        "overseas / sales <= 0.9",
    ]


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (lambda: bool(M.a == M.b), "rule_truth"),
        (lambda: bool(M.a), "rule_truth"),
        (lambda: (M.a == M.b) and (M.b == M.c), "rule_truth"),
        (lambda: M.a < M.b < M.c, "rule_truth"),
        (lambda: M.a + (M.b == M.c), "rule_operand"),
        (lambda: M.a + None, "rule_operand"),
        (lambda: M.a == True, "rule_operand"),  # noqa: E712
        (lambda: zj.either(), "rule_empty"),
        (lambda: zj.either(a=M.a), "rule_empty"),
    ],
)
def test_what_is_no_rule(action, code: str):
    with pytest.raises(RuleError) as caught:
        action()
    assert caught.value.code == code
    assert caught.value.hint


# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("lines", "code", "parts"),
    [
        (("return m.sales == m.revenue",), "rule_dimension", ("[vehicle]", "[CNY]", "sales = revenue")),
        (("return m.sales == m.overseas + m.staff",), "rule_dimension", ("[vehicle]", "[person]")),
        (("return m.revenue == m.dollars",), "rule_dimension", ("[CNY]", "[USD]")),
        (("return m.share == m.change",), "rule_dimension", ("[percentage_point]", "dimensionless")),
        (("return m.change == 1 - m.share",), "rule_dimension", ("difference of two percentages",)),
        (("return m.change - m.share == m.change",), "rule_dimension", ("difference of two percentages",)),
        (("return m.share - m.previous.share == m.sales",), "rule_dimension", ("[vehicle]",)),
        (("return m.revenue == m.sales",), "rule_dimension", ("[CNY]", "[vehicle]")),
        (("return m.price == m.revenue",), "rule_dimension", ("[CNY] / [vehicle]", "[CNY]")),
        (("return zj.either(a=m.sales == m.overseas, b=m.sales == m.staff)",), "rule_dimension", ("[person]",)),
        (("return m.sale == m.overseas",), "rule_metric", ("sale", "did you mean sales?")),
        (("return m.zzz == m.overseas",), "rule_metric", ("declared are", "overseas")),
        (("m.sales == m.overseas",), "rule_empty", ("NoneType", "return it")),
        (("return m.sales",), "rule_empty", ("Operand",)),
        (("return m.sales == m.overseas and m.staff == 1",), "rule_truth", ("neither true nor false",)),
        (("return 1 < m.sales < 2",), "rule_truth", ("chained comparison",)),
        (("return m.sales == undefined",), "rule_broken", ("NameError", "undefined")),
        (("return m.sales == m.of(1)",), "rule_operand", ("names of entities",)),
        (("return m.sales == m.of().sales",), "rule_operand", ("names of entities", "China market")),
        (("return m.sales == m.of(' ').sales",), "rule_operand", ("names of entities",)),
        (("return m.sales == m.previous",), "rule_operand", ("m itself", "m.sales")),
        (("return m.sales == m.quarter.sales",), "rule_operand", ("m.quarter", "did you mean m.quarters.sales?")),
        (("return m.sales == m.sales.previous",), "rule_operand", ("no .previous", "did you mean m.previous.sales?")),
        (("return m.sales == m.sales.last",), "rule_operand", ("no .last", "m.previous, m.year_before")),
        (("return m.sales == zj.either()",), "rule_empty", ("and got none",)),
        (("return m.dollars == m.revenue * m.rate('RMB', 'USD')",), "rule_rate", ("'RMB'", "the renminbi is CNY")),
    ],
)
def test_refused_with_place_and_reason(refused, lines, code: str, parts: tuple[str, ...]):
    error = refused(*lines)
    line = SCHEMA.count("\n") + 2
    assert error.code == code
    assert error.exit_code == 3
    assert f"company.py line {line}, rule given" in str(error)
    assert all(part in str(error) for part in parts)


@pytest.mark.parametrize(
    "lines",
    [
        ("return m.share == m.sales / m.of('China market').sales",),
        ("return m.share == 0.5",),
        ("return m.growth == m.share - 1",),
        ("return m.price == m.revenue / m.sales",),
        ("return m.revenue == m.price * m.sales",),
        ("return zj.within(m.change, m.previous.change, m.previous.change)",),
        ("return m.change == m.share - m.previous.share",),
        ("return m.share == m.previous.share + m.change",),
        ("return m.previous.share == m.share - m.change",),
        ("return m.share - m.previous.share == m.change",),
        ("return m.change - (m.share - m.previous.share) == m.previous.change",),
        ("return m.revenue == -m.previous.revenue",),
    ],
)
def test_dimensions_that_agree(tmp_path: Path, lines):
    (tmp_path / "company.py").write_text(with_rule(*lines), encoding="utf-8")
    assert len(catalogue(tables_of(tmp_path)).rules) == 1


def test_all_problems_of_a_schema_at_once(tmp_path: Path):
    second = "\n    @zj.rule\n    def other(m):\n        return m.sales == m.nobody\n"
    (tmp_path / "company.py").write_text(with_rule("return m.sales == m.revenue") + second, encoding="utf-8")
    with pytest.raises(ProjectError) as caught:
        catalogue(tables_of(tmp_path))
    assert "rule given" in str(caught.value)
    assert "rule other" in str(caught.value)


# -------------------------------------------------------------------------------------------------------- intervals

numbers = st.one_of(
    st.integers(-1_000, 1_000).map(F),
    st.fractions(-1_000, 1_000, max_denominator=1_000),
    st.sampled_from([F(0), F(1), F(-1), F(10) ** 12, F(1, 10**6)]),
)


@st.composite
def spans(draw) -> Bounds:
    first, last = sorted((draw(numbers), draw(numbers)))
    kind = draw(st.integers(0, 9))
    return Bounds(None if kind in (0, 2) else first, None if kind in (1, 2) else last)


def as_interval(span: Bounds, name: str) -> tuple[bounds.Interval, dict[str, float]]:
    cells = {
        f"{name}_low": -INFINITY if span.low is None else float(span.low),
        f"{name}_high": INFINITY if span.high is None else float(span.high),
    }
    positive = span.low is not None and span.low >= 0
    return bounds.Interval(pl.col(f"{name}_low"), pl.col(f"{name}_high"), positive), cells


def computed(symbol: str, left: Bounds, right: Bounds) -> tuple[float | None, float | None]:
    one_side, cells = as_interval(left, "left")
    other_side, more = as_interval(right, "right")
    made = bounds.operation(symbol, one_side, other_side)
    return pl.DataFrame({**cells, **more}).select(low=made.low, high=made.high).row(0)


def size(span: Bounds) -> F:
    return max((abs(end) for end in (span.low, span.high) if end is not None), default=F(0))


@settings(max_examples=400)
@given(st.sampled_from("+-*/"), spans(), spans())
def test_polars_intervals_are_the_exact_ones(symbol: str, left: Bounds, right: Bounds):
    low, high = computed(symbol, left, right)
    exactly = image(symbol, left, right)
    if exactly is None:
        assert (low, high) in [(None, None), (0.0, INFINITY)]
        return
    # Sums cancel, so the error is measured against the operands.
    scale = float(size(left) + size(right)) if symbol in "+-" else 0.0
    for found, expected in zip((low, high), exactly, strict=True):
        assert found == pytest.approx(float(expected), rel=1e-12, abs=1e-12 * scale)


def image(symbol: str, left: Bounds, right: Bounds) -> tuple[float | F, float | F] | None:
    """The oracle: least and greatest value over the corners, limits taken by hand; None where zero may divide."""
    lows = [(-INFINITY if span.low is None else span.low) for span in (left, right)]
    highs = [(INFINITY if span.high is None else span.high) for span in (left, right)]
    if symbol == "/":
        if lows[1] <= 0 <= highs[1]:
            return divided_by_what_may_be_zero(left, right)
        reciprocal = sorted(0 if abs(end) == INFINITY else 1 / end for end in (lows[1], highs[1]))
        lows[1], highs[1] = reciprocal
    if symbol in "+-":
        lows[1], highs[1] = (lows[1], highs[1]) if symbol == "+" else (-highs[1], -lows[1])
        return lows[0] + lows[1], highs[0] + highs[1]
    corners = [times(a, b) for a in (lows[0], highs[0]) for b in (lows[1], highs[1])]
    return min(corners), max(corners)


def divided_by_what_may_be_zero(left: Bounds, right: Bounds) -> tuple[float | F, float | F] | None:
    """Only quantities that cannot be negative keep a low end, and only where the divisor can be above zero."""
    both_positive = left.low is not None and left.low >= 0 and right.low == 0
    if not both_positive or right.high == 0:
        return None
    most = F(0) if left.high == 0 else INFINITY
    return (F(0) if right.high is None else left.low / right.high), most


def times(one_end: float | F, other: float | F) -> float | F:
    return F(0) if 0 in (one_end, other) else one_end * other


@settings(max_examples=200)
@given(st.sampled_from("+-*/"), spans(), spans(), st.data())
def test_exact_intervals_hold_every_result(symbol: str, left: Bounds, right: Bounds, data):
    made = intervals.operation(symbol, left, right)
    first, second = within(left, data), within(right, data)
    if symbol != "/" or second:
        result = {"+": first + second, "-": first - second, "*": first * second, "/": first / (second or 1)}[symbol]
        assert made.holds(result)


@settings(max_examples=200)
@given(spans(), spans())
def test_exact_products_are_as_narrow_as_they_are(left: Bounds, right: Bounds):
    made = intervals.operation("*", left, right)
    low, high = (-INFINITY if made.low is None else made.low), (INFINITY if made.high is None else made.high)
    if not left.free and not right.free:
        assert (low, high) == image("*", left, right)


def within(span: Bounds, data) -> F:
    low = span.low if span.low is not None else (span.high or F(0)) - 10_000
    high = span.high if span.high is not None else low + 10_000
    return low + (high - low) * data.draw(st.fractions(0, 1, max_denominator=50))


def test_an_unknown_operand_leaves_nothing_known():
    unknown, other = bounds.Interval(pl.col("a"), pl.col("b")), bounds.Interval(pl.col("c"), pl.col("d"))
    frame = pl.DataFrame(
        {"a": [None], "b": [None], "c": [1.0], "d": [2.0]}, schema_overrides={"a": pl.Float64, "b": pl.Float64}
    )
    for symbol in "+-*/":
        for sides in ((unknown, other), (other, unknown)):
            for positive in (True, False):
                made = bounds.operation(symbol, *(side._replace(positive=positive) for side in sides))
                assert frame.select(low=made.low, high=made.high).row(0) == (None, None)


# --------------------------------------------------------------------------------------------------------- touching


@pytest.mark.parametrize(
    ("sales", "overseas", "verdict"),
    [
        ("at least 500", "at most 500", "consistent"),
        ("over 500", "at most 500", "inconsistent"),
        ("at least 500", "less than 500", "inconsistent"),
        ("over 500", "less than 500", "inconsistent"),
        ("over 500", "at least 500", "too_imprecise"),
        ("at least 501", "at most 500", "inconsistent"),
    ],
)
def test_only_closed_ends_touch(judged, sales: str, overseas: str, verdict: str):
    # In money, since counts are whole and "over 500" of them is at least 501.
    figures = f'A,profit,2019,"{sales} yuan"\nA,revenue,2019,"{overseas} yuan"\n'
    told = one(judged(figures, "return m.profit == m.revenue", mark="@zj.rule(material=1e9)"))
    assert told["verdict"] == verdict


@pytest.mark.parametrize(
    ("symbol", "left", "right", "verdict"),
    [
        ("<=", "at least 500", "at most 500", "consistent"),
        ("<", "at least 500", "at most 500", "inconsistent"),
        (">=", "at most 500", "at least 500", "consistent"),
        (">", "at most 500", "at least 500", "inconsistent"),
        ("<=", "over 500", "at most 500", "inconsistent"),
        ("<", "at least 500", "at most 500.1", "consistent"),
    ],
)
def test_orders_at_the_point_of_touching(judged, symbol: str, left: str, right: str, verdict: str):
    told = one(
        judged(f'A,profit,2019,"{left} yuan"\nA,revenue,2019,"{right} yuan"\n', f"return m.profit {symbol} m.revenue")
    )
    assert told["verdict"] == verdict


@pytest.mark.parametrize(
    ("total", "verdict"),
    [("at least 0.4", "consistent"), ("over 0.4", "inconsistent"), ("at least 0.41", "inconsistent")],
)
def test_floats_do_not_decide_a_touch(judged, total: str, verdict: str):
    # As floats 0.15 + 0.25 and the like need not be 0.4; the two parts reach exactly to it.
    figures = f"A,profit,2019,{total} yuan\nA,revenue,2019,0.1 yuan\nB,revenue,2019,0.2 yuan\n"
    told = one(judged(figures, 'return m.profit == m.revenue + m.of("B").revenue', mark="@zj.rule(material=1e9)"))
    assert told["verdict"] == verdict


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(0, 4), st.integers(-2, 2))
@settings(max_examples=200)
def test_sums_on_the_edge_are_decided_exactly(first: int, second: int, places: int, off: int):
    """A total that is printed exactly at the edge of its parts touches; one digit further it does not."""
    from zhiji_etl.consistency.rules.operands import columns
    from zhiji_etl.consistency.rules.readings import Check, compare

    unit = F(1, 10**places)
    ends = {name: (F(n) * unit - unit / 2, F(n) * unit + unit / 2) for name, n in (("a", first), ("b", second))}
    total = ends["a"][1] + ends["b"][1] + F(off, 2) * unit
    ends["t"] = (total, total + unit)
    cells: dict[str, object] = {}
    for name, (low, high) in ends.items():
        made = columns(name)
        cells |= {made.low: float(low), made.high: float(high), made.value: float((low + high) / 2)}
        cells |= {made.low_closed: True, made.high_closed: True, made.step: float(unit), made.rungs: 1.0}
        cells |= {made.capped: False, made.figure_id: 1}
    scale = dict.fromkeys(ends, F(1))
    check = Check(Operand("t"), "==", Operand("a") + Operand("b"), scale, F(1), frozenset(ends), 0.05)
    meets = compare(pl.DataFrame([cells]), check)["meets"].item()
    assert meets == (off <= 0)


# --------------------------------------------------------------------------------------------------------- readings


@pytest.mark.parametrize(
    ("total", "verdict", "reading"),
    [
        ("350200", "consistent", None),
        ("350201", "consistent", "overseas to the nearest 10"),
        ("350206", "consistent", "overseas to the nearest 100"),
        ("350251", "consistent", "overseas to the nearest 1000"),
        ("350701", "consistent", "overseas to the nearest 10000"),
        ("355201", "inconsistent", "overseas to the nearest 10000"),
    ],
)
def test_round_numbers_from_fine_to_coarse(judged, total: str, verdict: str, reading: str | None):
    # 350,000 is read to the nearest 1, 10, 100, 1,000 and 10,000; half a step is the room it leaves.
    figures = f'A,sales,2019,"{total}.00"\nA,overseas,2019,"350,000"\nB,sales,2019,200.00\n'
    told = one(judged(figures, 'return m.sales == m.overseas + m.of("B").sales'))
    assert (told["verdict"], told["reading"]) == (verdict, reading)


def test_finest_reading_bounds_are_those_of_the_level(judged):
    told = one(judged("A,sales,2019,350003.0\nA,overseas,2019,350000\n", "return m.sales == m.overseas"))
    assert (told["implied_low"], told["implied_high"]) == (349_995, 350_005)


def test_gap_is_counted_in_steps_of_the_reading_reported(judged):
    told = one(judged("A,overseas,2019,350000\nA,sales,2019,400001.0\n", "return m.overseas == m.sales"))
    assert told["verdict"] == "inconsistent"
    assert told["gap_steps"] == pytest.approx(float(F(400_001 - 355_000) / 10_000))


# --------------------------------------------------------------------------------------- strain, gaps, power by hand


def test_strain_gap_and_power_of_a_conflict(judged):
    told = one(judged("A,revenue,2019,10.0 yuan\nA,profit,2019,12.0 yuan\n", "return m.revenue == m.profit"))
    assert told["verdict"] == "inconsistent"
    assert told["strain"] == pytest.approx(float(F(2) / (F("0.05") + F("0.05"))))
    assert told["gap_steps"] == pytest.approx(float((F("11.95") - F("10.05")) / F("0.1")))
    assert told["gap_relative"] == pytest.approx(float((F("11.95") - F("10.05")) / 10))


@pytest.mark.parametrize(
    ("stated", "other", "verdict", "mde"),
    [
        ("10.0", "10.0", "consistent", F("10.05") / F("9.95") - 1),
        ("1.0", "1.0", "too_imprecise", F("1.05") / F("0.95") - 1),
        ("2", "2", "too_imprecise", F("2.5") / F("1.5") - 1),
    ],
)
def test_minimum_detectable_error(judged, stated: str, other: str, verdict: str, mde: F):
    figures = f"A,revenue,2019,{stated} yuan\nA,profit,2019,{other} yuan\n"
    told = one(judged(figures, "return m.revenue == m.profit"))
    assert told["mde"] == pytest.approx(float(mde))
    assert told["verdict"] == verdict
    assert told["strain"] == 0


def test_material_is_what_the_rule_says(judged):
    figures = "A,revenue,2019,1.0 yuan\nA,profit,2019,1.0 yuan\n"
    assert (
        one(judged(figures, "return m.revenue == m.profit", mark="@zj.rule(material=0.2)"))["verdict"] == "consistent"
    )


def test_what_has_no_end_has_no_power(judged):
    told = one(judged("A,revenue,2019,over 10.0 yuan\nA,profit,2019,over 5.0 yuan\n", "return m.revenue == m.profit"))
    assert (told["verdict"], told["mde"]) == ("too_imprecise", INFINITY)
    assert "of any size" in told["message"]


def test_severity_is_that_of_the_rule(judged):
    figures = "A,revenue,2019,1.0 yuan\nA,profit,2019,2.0 yuan\n"
    for severity in ("info", "warning", "error"):
        told = one(judged(figures, "return m.revenue == m.profit", mark=f'@zj.rule(severity="{severity}")'))
        assert (told["verdict"], told["severity"]) == ("inconsistent", severity)


# ----------------------------------------------------------------------------------------------------- no verdict


@pytest.mark.parametrize(
    ("figures", "rule", "reason"),
    [
        ("A,sales,2019,501\n", "return m.sales == m.overseas", "missing_operand"),
        ("A,sales,2019,501\n", 'return m.sales <= m.of("B").sales', "missing_reference"),
        ("A,growth,2019,1.5%\n", "return m.growth == m.sales / m.previous.sales - 1", "missing_operand"),
        (
            "A,sales,2019,0\nA,overseas,2019,0\nA,share,2019,1.5%\n",
            "return m.share == m.overseas / m.sales",
            "division_by_zero",
        ),
        ("A,revenue,1990,US$2 billion\nA,profit,1990,1 yuan\n", "return m.profit <= m.revenue", "missing_reference"),
        (
            "A,sales,2019,501\nA,sales,2019,777\nA,overseas,2019,601\n",
            "return m.overseas <= m.sales",
            "defective_duplicates",
        ),
        (
            "A,sales,2019,501\nA,sales,2019,501\nA,sales,2019,9\nA,overseas,2019,8\n",
            "return m.overseas <= m.sales",
            "defective_duplicates",
        ),
    ],
)
def test_not_checkable_says_why(judged, figures: str, rule: str, reason: str):
    told = judged(figures, rule)[0]
    assert (told["verdict"], told["reason"]) == ("not_checkable", reason)
    assert (told["strain"], told["gap_steps"], told["mde"], told["resolved_by"]) == (None, None, None, None)


@pytest.mark.parametrize(
    ("ratio", "told"),
    [
        ("3.00", ("consistent", None)),
        ("3.05", ("too_imprecise", None)),
        ("5.00", ("not_checkable", "division_by_zero")),
    ],
)
def test_a_divisor_that_only_a_coarse_reading_lets_be_zero(ratio: str, told: tuple[str, str | None]):
    # 350,000 less 340,000 is 10,000 to the last digit, and anything from 0 to 20,000 at the coarsest readings.
    rows = [("ratio", ratio), ("part", "30,000"), ("all", "350,000"), ("rest", "340,000")]
    figures = pl.DataFrame([("A", metric, "2019", text) for metric, text in rows], orient="row")
    named = figures.rename(dict(zip(figures.columns, ("entity", "metric", "period", "printed"), strict=True)))
    found = zj.check(named, lambda m: m.ratio == m.part / (m.all - m.rest)).frame.row(0, named=True)
    assert (found["verdict"], found["reason"]) == told


def test_a_table_inherits_rules(run):
    schema = (
        with_rule("return m.overseas <= m.sales")
        + "\n\nclass Sub(CompanyYear):\n    more: float = zj.Quantity('CNY')\n"
    )
    figures = "entity,metric,period,printed,table\nA,sales,2019,5,Sub\nA,overseas,2019,7,Sub\n"
    found = run(figures, schema=schema).findings.filter(pl.col("kind") == "rule")
    assert found.select("rule", "table", "verdict").rows() == [("given", "sub", "inconsistent")]


def test_one_finding_for_each_entity_and_period(judged):
    figures = "A,sales,2018,501\nA,sales,2019,502\nB,sales,2019,503\nC,staff,2019,7\n"
    rows = judged(figures, "return m.sales == m.overseas")
    assert sorted((row["entity"], row["period"]) for row in rows) == [("A", "2018"), ("A", "2019"), ("B", "2019")]


# ------------------------------------------------------------------------------------------- alternatives, periods

EITHER = ("return zj.either(all=m.share == m.overseas / m.sales, home=m.share == (m.sales - m.overseas) / m.sales)",)


@pytest.mark.parametrize(
    ("share", "verdict", "reading"),
    [
        ("30.0%", "consistent", "all"),
        ("70.0%", "consistent", "home"),
        ("45.0%", "inconsistent", "no admissible scope reconciles"),
    ],
)
def test_scopes(judged, share: str, verdict: str, reading: str):
    told = one(judged(f"A,share,2019,{share}\nA,overseas,2019,301\nA,sales,2019,1003\n", *EITHER))
    assert (told["verdict"], told["reading"]) == (verdict, reading)


def test_both_scopes_that_pass_are_named(judged):
    told = one(judged("A,share,2019,50.0%\nA,overseas,2019,5001\nA,sales,2019,10002\n", *EITHER))
    assert (told["verdict"], told["reading"]) == ("consistent", "all, home")


def test_a_scope_that_cannot_be_tried_leaves_the_other_undecided(judged):
    rule = ('return zj.either(all=m.share == m.overseas / m.sales, B=m.share == m.overseas / m.of("B").sales)',)
    told = one(judged("A,share,2019,45.0%\nA,overseas,2019,301\nA,sales,2019,1003\n", *rule))
    assert (told["verdict"], told["reason"]) == ("not_checkable", "scope_unknown")


@pytest.mark.parametrize(
    ("sales", "verdict"), [("602", "consistent"), ("302", "inconsistent"), ("9001", "inconsistent")]
)
def test_within(judged, sales: str, verdict: str):
    told = one(
        judged(f"A,overseas,2019,301\nA,sales,2019,{sales}\n", "return zj.within(m.overseas / m.sales, 0.1, 0.9)")
    )
    assert told["verdict"] == verdict


def test_previous_and_year_before(judged):
    figures = "A,sales,2019Q1,1001\nA,sales,2019Q2,1101\nA,growth,2019Q2,10.0%\nA,sales,2018Q2,501\n"
    figures += "A,growth,2019Q1,5.0%\n"
    rows = judged(figures, "return m.growth == m.sales / m.previous.sales - 1")
    assert one(rows, period="2019Q2")["verdict"] == "consistent"
    rows = judged(figures, "return m.growth == m.sales / m.year_before.sales - 1")
    assert one(rows, period="2019Q2")["verdict"] == "inconsistent"
    assert one(rows, period="2019Q1")["reason"] == "missing_operand"


def test_fiscal_year_steps_back_by_a_year(judged):
    year, before = "12 months ended 2020-03-31", "12 months ended 2019-03-31"
    figures = f"A,sales,{year},1101\nA,sales,{before},1001\nA,growth,{year},10.0%\n"
    rows = judged(figures, "return m.growth == m.sales / m.previous.sales - 1")
    assert one(rows, period="2019-04-01/2020-03-31")["verdict"] == "consistent"


@pytest.mark.parametrize(("total", "verdict"), [("4010", "consistent"), ("4011", "inconsistent")])
def test_quarters_add_up(judged, total: str, verdict: str):
    quarters = "".join(f"A,sales,2019Q{n},100{n}\n" for n in (1, 2, 3, 4))
    told = one(judged(f'{quarters}A,sales,2019,"{total}.0"\n', "return m.sales == m.quarters.sales"))
    assert told["verdict"] == verdict
    assert len(told["figures"]) == 5


def test_halves_and_months_add_up(judged):
    months = "".join(f"A,sales,2019-{n:02},11\n" for n in range(1, 13))
    assert one(judged(f"{months}A,sales,2019,132\n", "return m.sales == m.months.sales"))["verdict"] == "consistent"
    halves = "A,sales,2019H1,67\nA,sales,2019H2,67\nA,sales,2019,132\n"
    assert one(judged(halves, "return m.sales == m.halves.sales"))["verdict"] == "inconsistent"


def test_a_rule_is_told_only_of_what_it_is_about(judged):
    """A year that has only two of its quarters, and a market beside its makers, are not missing anything."""
    quarters = "A,sales,2019Q1,1001\nA,sales,2019Q2,1002\n"
    assert judged(quarters, "return m.sales == m.quarters.sales") == []
    shares = "A,sales,2019,501\nA,share,2019,50.0%\nM,sales,2019,1001\nB,sales,2019,7\nB,staff,2019,9\n"
    rows = judged(shares, 'return m.share == m.sales / m.of("M").sales')
    assert {row["entity"]: row["verdict"] for row in rows} == {"A": "consistent", "B": "not_checkable"}


def test_a_sum_over_entities(judged):
    figures = "T,sales,2019,303\nA,sales,2019,101\nB,sales,2019,202\n"
    assert one(judged(figures, 'return m.sales == m.of("A", "B").sales'), "T")["verdict"] == "consistent"


def test_a_rule_that_names_all_its_entities_is_judged_once_a_period(judged):
    figures = "T,sales,2019,304\nA,sales,2019,101\nB,sales,2019,202\nA,sales,2018,101\nC,sales,2017,5\n"
    figures += "T,sales,2018,305\nA,sales,2016,101\n"
    rows = judged(figures, 'return m.of("T").sales == m.of("A", "B").sales')
    assert {row["period"]: row["verdict"] for row in rows} == {"2019": "inconsistent", "2018": "not_checkable"}
    assert one(rows, "T")["gap_steps"] == 1


# ---------------------------------------------------------------------------------------------------------- implied


def test_a_market_implied_by_two_companies_lies_within_both(run):
    rule = with_rule('market = m.of("M").sales', "return m.share == m.sales / market")
    figures = "A,sales,2019,1001\nA,share,2019,10.0%\nB,sales,2019,2003\nB,share,2019,20.0%\n"
    found = run(figures, schema=rule).implied.row(0, named=True)
    low = max(F(1001) / F("0.1005"), F(2003) / F("0.2005"))
    high = min(F(1001) / F("0.0995"), F(2003) / F("0.1995"))
    assert (found["entity"], found["metric"]) == ("M", "sales")
    assert (found["low"], found["high"]) == (pytest.approx(float(low)), pytest.approx(float(high)))


def test_alternatives_imply_their_hull_for_each_company_apart(run):
    rule = with_rule(
        'market = m.of("M").sales',
        "return zj.either(a=m.share == m.sales / market, b=m.share == (m.sales - m.overseas) / market)",
    )
    figures = "A,sales,2019,1001\nA,share,2019,10.0%\nA,overseas,2019,11\nB,sales,2019,2003\nB,share,2019,20.0%\n"
    both = run(f"{figures}B,overseas,2019,11\n", schema=rule).implied
    mine = both.filter(pl.col("entity") == "M").row(0, named=True)
    # Of A at least (1001 - 11) / 10.05 %, of B (2003 - 11) / 20.05 %; at most 1001 / 9.95 % and 2003 / 19.95 %.
    assert mine["low"] == pytest.approx(float(max(F(990) / F("0.1005"), F(1992) / F("0.2005"))))
    assert mine["high"] == pytest.approx(float(min(F(1001) / F("0.0995"), F(2003) / F("0.1995"))))
    # Without overseas sales one scope of B says nothing, so B binds nothing.
    alone = run(figures, schema=rule).implied.filter(pl.col("entity") == "M").row(0, named=True)
    assert alone["high"] == pytest.approx(float(F(1001) / F("0.0995")))


def test_a_disputed_figure_is_freed_and_implied(run):
    rule = with_rule("return m.share == m.overseas / m.sales")
    figures = "A,share,2019,50.0%\nA,overseas,2019,501\nA,sales,2019,1003\nA,sales,2019,1301\n"
    found = run(figures, schema=rule).implied.row(0, named=True)
    assert (found["metric"], found["low"]) == ("sales", pytest.approx(float(F(501) / F("0.5005"))))


def test_rules_that_contradict_imply_nothing(run):
    rule = with_rule('return m.share == m.sales / m.of("M").sales')
    figures = "A,sales,2019,1001\nA,share,2019,10.0%\nB,sales,2019,5001\nB,share,2019,10.0%\n"
    assert run(figures, schema=rule).implied.height == 0


def test_an_order_implies_nothing(run):
    assert run("A,sales,2019,1003\n", schema=with_rule("return m.overseas <= m.sales")).implied.height == 0


# ----------------------------------------------------------------------------------------------- percentage points


class Returns(zj.Table):
    """Levels in percent, their changes in percentage and in basis points."""

    roe: float = zj.Quantity("percent")
    roe_change: float = zj.Quantity("percentage_point")
    in_basis_points: float = zj.Quantity("basis_point")

    @zj.rule
    def change(m):
        """The difference to the year before."""
        return m.roe_change == m.roe - m.previous.roe

    @zj.rule
    def moved(m):
        """The year before, moved."""
        return m.roe == m.previous.roe + m.in_basis_points


def test_points_are_the_difference_of_two_percentages():
    printed = pl.DataFrame(
        [
            ("roe", "2018", "11.5%"),
            ("roe", "2019", "12.3%"),
            ("roe_change", "2019", "up 1.8 percentage points"),
            ("in_basis_points", "2019", "up 80 basis points"),
            ("roe", "2021", "9.0%"),
            ("in_basis_points", "2021", "down 50 basis points"),
        ],
        schema=["metric", "period", "printed"],
        orient="row",
    ).with_columns(entity=pl.lit("A"))
    result = zj.check(printed, Returns)
    rows = result.frame.filter(pl.col("kind") == "rule", pl.col("verdict").cast(pl.String) != "not_checkable")
    bounds = {
        row["rule"]: (str(row["verdict"]), round(row["implied_low"], 9), round(row["implied_high"], 9), row["unit"])
        for row in rows.to_dicts()
    }
    assert bounds == {
        "change": ("inconsistent", 0.7, 0.9, "percentage_point"),
        "moved": ("consistent", 12.245, 12.355, "percent"),
    }
    (implied,) = result.implied.filter(pl.col("metric") == "roe").to_dicts()
    assert (implied["period"], round(implied["low"], 9), round(implied["high"], 9)) == ("2020", 9.4, 9.6)


def test_a_minus_before_a_figure_keeps_its_unit():
    def mirrored(m):
        """The loss is the negative of the profit."""
        return m.loss == -m.profit

    rows = [("A", "loss", "2019", "5.0 million yuan"), ("A", "profit", "2019", "-5.2 million yuan")]
    found = zj.check(pl.DataFrame(rows, schema=["entity", "metric", "period", "printed"], orient="row"), mirrored)
    (row,) = found.frame.filter(pl.col("kind") == "rule").to_dicts()
    assert (row["verdict"], row["implied_low"], row["implied_high"]) == ("inconsistent", 5_150_000, 5_250_000)
