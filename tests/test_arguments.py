"""Public functions are given what they do not take: each says so with a code and a sentence, and does nothing else."""

import inspect
import math
import pickle
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import zhiji_etl as zj
from zhiji_etl.consistency.rules.expressions import Figures
from zhiji_etl.errors import FigureError, OptionError, RateError, ZhijiError
from zhiji_etl.rates import RateMethod

M = Figures()
FIGURE = zj.parse("5 million vehicles")
FRAME = pl.DataFrame({"entity": ["A", "A"], "metric": ["a", "b"], "period": ["2019", "2019"], "printed": ["5", "6"]})
REQUESTS = pl.DataFrame(
    [("USD", "CNY", date(2019, 1, 1), date(2019, 12, 31), "average")],
    schema=["base", "quote", "start", "end", "method"],
    orient="row",
)
JUNK = [
    5, -1, 1.5, math.nan, "xyz", b"x", ["x"], {"a": 1}, object(), Path("nowhere"), pl.Series([1, None]), pl.DataFrame(),
    Decimal("NaN"), int, partial(print),
]  # fmt: skip


def below(m: Figures) -> Any:
    return m.a <= m.b


FINDINGS = zj.check(FRAME, below)
ECB = zj.Rates.ecb()
PROJECT = zj.Project("nowhere at all")
DRAWING = FIGURE.plot()

NOT_THERE = ("project_missing", "rates_unreadable", "output_unwritable")
"""Codes of errors that these calls end with where their arguments are fine."""
CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "parse": (zj.parse, {"text": "5"}),
    "find": (zj.find, {"text": "5 vehicles"}),
    "caption": (zj.caption, {"text": "RMB in millions"}),
    "figure.parse": (pl.col("printed").figure.parse, {}),  # type: ignore[attr-defined]
    "agree": (zj.agree, {"one": FIGURE, "other": FIGURE}),
    "check": (zj.check, {"figures": FRAME, "rules": below}),
    "with_verdict": (FINDINGS.with_verdict, {"verdict": "consistent"}),
    "plot": (FINDINGS.plot, {}),
    "save": (DRAWING.save, {"path": "nowhere/at/all.svg"}),
    "Project": (zj.Project, {"path": "."}),
    "run": (PROJECT.run, {}),
    "build": (PROJECT.build, {}),
    "rate": (ECB.rate, {"base": "USD", "quote": "CNY", "when": "2019", "method": "average"}),
    "table": (ECB.table, {"requests": REQUESTS}),
    "slice": (ECB.slice, {"requests": REQUESTS}),
    "read": (zj.Rates.read, {"path": "nowhere.csv"}),
    "layered": (zj.Rates.layered, {"rates": [ECB]}),
    "over": (ECB.over, {"other": ECB}),
    "Quantity": (zj.Quantity, {"unit": "CNY"}),
    "rule": (zj.rule, {}),
    "within": (zj.within, {"value": M.a, "low": 0, "high": 1}),
    "ranks": (zj.ranks, {"rank": M.a, "by": M.b}),
    "of": (lambda entity: M.of(entity), {"entity": "A"}),
    "m.rate": (lambda base, quote, method=None: M.rate(base, quote, method), {"base": "USD", "quote": "CNY"}),
}
ARGUMENTS = [
    (call, name, one.kind is one.POSITIONAL_ONLY)
    for call, (function, _) in CALLS.items()
    for name, one in inspect.signature(function).parameters.items()
    if one.kind is not one.VAR_KEYWORD and (call, name) != ("run", "stages")
]


@pytest.mark.parametrize("call", CALLS)
def test_what_is_called_below_works(call: str):
    function, given = CALLS[call]
    try:
        function(**given)
    except ZhijiError as error:
        if error.code not in NOT_THERE:
            raise


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of the wrong values are names of files."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("call", "name", "is_positional"), ARGUMENTS, ids=[f"{a}-{b}" for a, b, _ in ARGUMENTS])
def test_no_argument_raises_anything_else(call: str, name: str, is_positional: bool):
    function, given = CALLS[call]
    refused = []
    for value in JUNK:
        try:
            function(value) if is_positional else function(**{**given, name: value})
        except ZhijiError as error:
            refused += [error.message] if error.code not in NOT_THERE else []
    assert len(refused) > len(JUNK) / 2
    assert all(message.endswith(".") for message in refused)


# -------------------------------------------------------------------------------------------- what the sentences say


@pytest.mark.parametrize(
    ("call", "kind", "code", "said"),
    [
        (lambda: zj.agree("5", "5"), OptionError, "wrong_type", "one of agree cannot be '5' (str)."),  # type: ignore[arg-type]
        (lambda: zj.agree(FIGURE, FIGURE, material=math.nan), OptionError, "option_invalid", "a number of at least 0"),
        (lambda: zj.agree(FIGURE, FIGURE, material=-1), OptionError, "option_invalid", "a number of at least 0"),
        (lambda: FINDINGS.with_verdict("consistant"), OptionError, "option_invalid", "did you mean consistent?"),
        (lambda: zj.Severity("warn"), OptionError, "option_invalid", "did you mean warning?"),
        (lambda: RateMethod("mean"), OptionError, "option_invalid", "known are spot, average, "),
        (lambda: PROJECT.run(fail_on="warn"), OptionError, "option_invalid", "did you mean warning?"),
        (lambda: PROJECT.run(language="de"), OptionError, "option_invalid", "known are en, zh"),
        (lambda: PROJECT.run(keep=0), OptionError, "option_invalid", "a whole number of at least 1"),
        (lambda: PROJECT.run(keep="3"), OptionError, "option_invalid", "keep of Project.run cannot be '3' (str)."),  # type: ignore[arg-type]
        (lambda: PROJECT.run(workers=True), OptionError, "option_invalid", "workers of Project.run cannot be True."),
        (lambda: PROJECT.run(partitions=0), OptionError, "option_invalid", "partitions of Project.run cannot be 0"),
        (lambda: zj.parse("5", curency="CNY"), FigureError, "option_invalid", "did you mean currency?"),  # type: ignore[call-arg]
        (lambda: zj.parse("5", decimal_comma="no"), FigureError, "option_invalid", "it is True or False"),  # type: ignore[arg-type]
        (lambda: zj.parse("5", decimals=True), FigureError, "option_invalid", "a whole number"),
        (lambda: zj.parse("5", rounding="up"), FigureError, "option_invalid", "one of nearest, truncation"),  # type: ignore[arg-type]
        (lambda: zj.caption(["RMB"]), FigureError, "wrong_type", "it is text"),  # type: ignore[arg-type]
        (lambda: zj.check(FRAME, below, trust={"a": 0.0}), OptionError, "option_invalid", "to a number above 0"),
        (lambda: zj.check(FRAME, below, rates="ecb"), OptionError, "wrong_type", "it is Rates or None"),  # type: ignore[arg-type]
        (lambda: zj.Project(None), OptionError, "wrong_type", "it is text or a path"),  # type: ignore[arg-type]
        (lambda: zj.Rates.layered([ECB, "ecb"]), OptionError, "wrong_type", "a list of Rates"),  # type: ignore[list-item]
        (lambda: zj.ranks(M.a, by=M.b, among="A"), OptionError, "option_invalid", "a list of text"),
    ],
)  # fmt: skip
def test_what_is_told(call: Callable[[], object], kind: type[ZhijiError], code: str, said: str):
    with pytest.raises(kind) as raised:
        call()
    assert raised.value.code == code
    assert said in str(raised.value)
    again = pickle.loads(pickle.dumps(raised.value))
    assert (type(again), again.code, str(again)) == (kind, code, str(raised.value))


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: zj.check(below, FRAME), "frame_needed"),
        (lambda: zj.check(FRAME.lazy().select("nothing"), below), "frame_needed"),
        (lambda: zj.check(FRAME.with_columns(decimals=1.5), below), "column_type"),
        (lambda: zj.check(FRAME, partial(below)), "rule_needed"),
        (lambda: zj.check(FRAME, int), "rule_needed"),
        (lambda: zj.check(FRAME, ""), "rule_needed"),
        (lambda: zj.check(FRAME, lambda m: zj.within(1, 0, 2)), "rule_empty"),
        (lambda: zj.rule(int), "rule_needed"),
        (lambda: zj.within(M.a, math.nan, 2), "rule_operand"),
        (lambda: zj.within(M.a, "many", 2), "rule_operand"),
        (lambda: M.a <= math.inf, "rule_operand"),
        (lambda: M.rate(5, "CNY"), "rule_rate"),
        (lambda: zj.Quantity("CNY", ge="none"), "schema_invalid"),
        (lambda: zj.Quantity("CNY", le=math.nan), "schema_invalid"),
        (lambda: zj.Quantity("CNY", isin={}), "schema_invalid"),
        (lambda: zj.Identifier(uniqe=True), "schema_invalid"),
        (lambda: zj.parse("5").plot().save("nowhere/at/all.svg"), "output_unwritable"),
        (lambda: ECB.rate("USD", "CNY", "2019", "fixed"), "rate_fixed"),
        (lambda: ECB.rate("USD", "CNY", "2019", "average", fixed_rate="7"), "rate_fixed"),
        (lambda: ECB.rate("USD", "CNY", "2019", "fixed", fixed_rate=Decimal("NaN")), "rate_fixed"),
        (lambda: ECB.rate("", "", "2019", "average"), "missing_reference"),
        (lambda: ECB.table(REQUESTS.drop("end")), "rate_columns_missing"),
        (lambda: ECB.table(REQUESTS.lazy().with_columns(start=pl.lit("2019"))), "column_type"),
        (lambda: ECB.slice(pl.DataFrame()), "rate_columns_missing"),
    ],
)  # fmt: skip
def test_what_has_a_code_of_its_own(call: Callable[[], object], code: str):
    with pytest.raises(ZhijiError) as raised:
        call()
    assert raised.value.code == code


def test_a_table_that_is_none_is_told_without_a_project():
    class Untyped(zj.Table):
        a = zj.Quantity("vehicle")

    with pytest.raises(ZhijiError, match="missing annotations") as raised:
        zj.check(FRAME, Untyped)
    assert raised.value.code == "schema_invalid"


def test_units_that_do_not_agree_are_told_without_a_metric():
    with pytest.raises(ZhijiError, match="One figure is in vehicle and the other in USD") as raised:
        zj.agree(FIGURE, zj.parse("$5"))
    assert raised.value.code == "unit_mismatch"


def test_numbers_of_numpy_are_numbers_and_moments_are_days():
    assert zj.parse("5.12", decimals=np.int64(2)).step == Decimal("0.01")
    assert zj.agree(FIGURE, FIGURE, material=np.float32(9)).verdict == "consistent"
    assert zj.agree(FIGURE, FIGURE, material=Fraction(9)).verdict == "consistent"
    assert ECB.rate("USD", "CNY", datetime(2020, 1, 2), "spot") == ECB.rate("USD", "CNY", date(2020, 1, 2), "spot")


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"value": [math.inf, 6.0]}, "no_number"),
        ({"value": [5.0, 6.0], "step": [math.inf, 1.0]}, "no_number"),
        ({"value": [5.0, 6.0], "step": [-1.0, 1.0]}, "no_number"),
        ({"low": [math.inf, 6.0], "high": [math.inf, 7.0]}, "no_number"),
        ({"value": [5.0, 6.0], "period_start": [date(2020, 1, 1)] * 2, "period_end": [date(2019, 1, 1)] * 2},
         "period_reversed"),
    ],
)  # fmt: skip
def test_a_row_that_is_no_figure_is_a_reject(columns: dict[str, Any], code: str):
    frame = FRAME.drop("printed").with_columns(**{name: pl.Series(values) for name, values in columns.items()})
    more = pl.DataFrame({"entity": ["B", "B"], "metric": ["a", "b"], "period": ["2019"] * 2, "value": [1.0, 2.0]})
    found = zj.check(pl.concat([frame, more], how="diagonal"), below)
    assert found.rejects["code"].unique().to_list() == [code]


def test_columns_of_our_own_names_mean_nothing():
    frame = FRAME.with_columns(value=pl.Series([5.0, 6.0]), flaw=pl.lit("none that we know"), __code=pl.lit("date"))
    assert zj.check(frame, below).with_verdict("consistent").height == 1


def test_a_frame_may_say_why_a_figure_cannot_be_used():
    frame = FRAME.with_columns(value=pl.Series([5.0, 6.0]), flaw=pl.Series(["excess_digits", None]))
    assert zj.check(frame, below).frame["reason"].to_list() == ["excess_digits"]


def test_one_end_alone_is_enough():
    frame = FRAME.drop("printed").with_columns(high=pl.Series([5.0, 6.0]))
    assert zj.check(frame, below).with_verdict("not_checkable").height == 1


def test_an_output_that_a_run_has_not(project):
    result = zj.Project(project("A,vehicle_sales,2019,5 vehicles\n")).run()
    with pytest.raises(ZhijiError, match=r"has no output 'figurs'\. Hint: it has .*figures") as raised:
        result.scan("figurs")
    assert raised.value.code == "output_unknown"


def test_an_address_is_refused_however_small_the_project(project):
    folder = project("A,vehicle_sales,2019,5 vehicles\n")
    with pytest.raises(ZhijiError, match="local runs on this machine and has no address") as raised:
        zj.Project(folder).run(address="tcp://head:8786")
    assert raised.value.code == "engine_address"


def test_decimals_of_a_column_are_whole():
    with pytest.raises(pl.exceptions.InvalidOperationError, match="column_type"):
        FRAME.select(pl.col("printed").figure.parse(decimals=pl.lit(1.5)))  # type: ignore[attr-defined]


def test_rates_tell_their_own_errors():
    with pytest.raises(RateError, match="Methods are spot, "):
        ECB.rate("USD", "CNY", "2019", "mean")
