"""The adapter against plain Polars expressions, against Pandera's own report, and against each of Pandera's traps."""

from __future__ import annotations

import math
import subprocess
import sys
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, ClassVar, Optional

import pandera.polars as pa
import polars as pl
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandera.config import config_context
from pandera.engines.polars_engine import PydanticModel

from zhiji_etl import Project
from zhiji_etl.errors import ProjectError
from zhiji_etl.validation import FAILURE_COLUMNS, BrokenCheck, cast_frame, refuse_scalar_checks, validate

Failure = tuple[int, str | None, str, str | None]


def rows(columns: dict[str, Any], schema: dict[str, Any] | None = None) -> pl.DataFrame:
    """A frame whose row_id is no position: it counts 10, 13, 16, ..."""
    frame = pl.DataFrame(columns, schema=schema)
    return frame.with_columns(row_id=pl.Series([10 + 3 * n for n in range(frame.height)], dtype=pl.UInt64))


def failures(frame: pl.DataFrame, model: type[pa.DataFrameModel]) -> list[Failure]:
    return validate(frame, model).failures.drop("severity").rows()


def model(annotation: Any, **field: Any) -> type[pa.DataFrameModel]:
    """A model of one column `x`."""
    return type("Model", (pa.DataFrameModel,), {"__annotations__": {"x": annotation}, "x": pa.Field(**field)})


# --- Failures are exact, for every check -----------------------------------------------------------------------------

NUMBERS = {"ge": pl.Expr.ge, "gt": pl.Expr.gt, "le": pl.Expr.le, "lt": pl.Expr.lt, "eq": pl.Expr.eq, "ne": pl.Expr.ne}
CELLS = st.one_of(st.none(), st.integers(-3, 3).map(float), st.sampled_from([math.nan, math.inf, 0.1, -0.0]))
LETTERS = st.one_of(st.none(), st.sampled_from(["a", "b", "ab", "", "abc", "汽车"]))


@st.composite
def numbers_case(draw: st.DrawFn) -> tuple[pl.DataFrame, dict[str, Any]]:
    bounds = draw(st.dictionaries(st.sampled_from(sorted(NUMBERS)), st.integers(-3, 3), max_size=4))
    flags = {"nullable": draw(st.booleans()), "unique": draw(st.booleans())}
    return rows({"x": draw(st.lists(CELLS, max_size=12))}, {"x": pl.Float64}), {**bounds, **flags}


def expected(frame: pl.DataFrame, passed: dict[str, pl.Expr]) -> set[tuple[int, str]]:
    """What plain Polars says: row and check wherever the expression is not true; null is no failure."""
    return {
        (row, check)
        for check, expression in passed.items()
        for row in frame.filter(~expression.fill_null(True))["row_id"]
    }


def found(frame: pl.DataFrame, made: type[pa.DataFrameModel]) -> set[tuple[int, str]]:
    outcome = validate(frame, made)
    assert not outcome.structure
    assert not outcome.broken
    pairs = outcome.failures.select("row_id", "check").rows()
    assert len(pairs) == len(set(pairs))
    assert outcome.failures.schema == FAILURE_COLUMNS
    return set(pairs)


@given(numbers_case())
@settings(max_examples=150)
def test_number_checks_equal_plain_expressions(case: tuple[pl.DataFrame, dict[str, Any]]) -> None:
    frame, field = case
    x = pl.col("x")
    passed = {f"{name}({field[name]})": NUMBERS[name](x, field[name]) for name in NUMBERS if name in field}
    passed["not_nan"] = x.is_not_nan()
    if not field["nullable"]:
        passed["not_nullable"] = x.is_not_null()
    if field["unique"]:
        passed["unique"] = ~x.is_duplicated()
    assert found(frame, model(float, **field)) == expected(frame, passed)


@given(st.lists(LETTERS, max_size=12), st.sets(st.sampled_from(["a", "b", "汽车"]), min_size=1), st.integers(0, 3))
@settings(max_examples=100)
def test_text_checks_equal_plain_expressions(cells: list[str | None], allowed: set[str], length: int) -> None:
    frame = rows({"x": cells}, {"x": pl.String})
    x = pl.col("x")
    made = model(
        str, nullable=True, isin=allowed, str_matches="a|汽", str_contains="b", str_length={"max_value": length}
    )
    listed = "[" + ", ".join(map(repr, sorted(allowed))) + "]"
    passed = {
        f"isin({listed})": x.is_in(sorted(allowed)),
        "str_matches('a|汽')": x.str.contains("^a|汽"),
        "str_contains('b')": x.str.contains("b"),
        f"str_length(max_value={length})": x.str.len_chars() <= length,
    }
    assert found(frame, made) == expected(frame, passed)


@given(st.lists(CELLS, max_size=12), st.integers(-3, 0), st.integers(1, 3), st.booleans(), st.booleans())
@settings(max_examples=60)
def test_ranges_equal_plain_expressions(
    cells: list[float | None], low: int, high: int, include_low: bool, include_high: bool
) -> None:
    frame = rows({"x": cells}, {"x": pl.Float64})
    bounds = {"min_value": low, "max_value": high, "include_min": include_low, "include_max": include_high}
    opened = [
        text for text, kept in [("include_min=False", include_low), ("include_max=False", include_high)] if not kept
    ]
    name = f"in_range({', '.join([str(low), str(high), *opened])})"
    x = pl.col("x")
    above = x >= low if include_low else x > low
    below = x <= high if include_high else x < high
    made = model(float, nullable=True, in_range=bounds)
    assert found(frame, made) == expected(frame, {name: above & below, "not_nan": x.is_not_nan()})


class Shares(pa.DataFrameModel):
    """Custom checks on cells, rows and groups."""

    group: str = pa.Field(nullable=True)
    share: int = pa.Field(ge=0, nullable=True)
    total: int = pa.Field(nullable=True)

    @pa.check("share")
    def even(cls, data: Any) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col(data.key) % 2 == 0)

    @pa.check("share", "total", ignore_na=False)
    def known(cls, data: Any) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col(data.key) < 100)

    @pa.dataframe_check
    def within(cls, data: Any) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("share") <= pl.col("total"))

    @pa.dataframe_check
    def group_adds_up(cls, data: Any) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("share").sum().over("group") <= 10)

    class Config:
        unique: ClassVar = [["group"], ["group", "share"]]


SMALL = st.one_of(st.none(), st.integers(-2, 7))


@st.composite
def shares_frames(draw: st.DrawFn) -> pl.DataFrame:
    records = draw(st.lists(st.tuples(st.one_of(st.none(), st.sampled_from("ab")), SMALL, SMALL), max_size=10))
    schema = {"group": pl.String, "share": pl.Int64, "total": pl.Int64}
    return rows(pl.DataFrame(records, schema=schema, orient="row").to_dict(as_series=False), schema)


@given(shares_frames())
@settings(max_examples=150)
def test_custom_row_and_group_checks_equal_plain_expressions(frame: pl.DataFrame) -> None:
    share, total, group = pl.col("share"), pl.col("total"), pl.col("group")
    passed = {
        "ge(0)": share >= 0,
        "even": share % 2 == 0,
        "within": share <= total,
        "group_adds_up": share.sum().over("group") <= 10,
        "unique(group)": ~group.is_duplicated(),
        "unique(group, share)": ~pl.struct("group", "share").is_duplicated(),
    }
    outcome = validate(frame, Shares)
    assert not outcome.broken
    known = outcome.failures.filter(pl.col("check") == "known").select("row_id", "column").rows()
    others = outcome.failures.filter(pl.col("check") != "known").select("row_id", "check").rows()
    assert sorted(others) == sorted(expected(frame, passed))
    assert set(known) == {
        (row, name) for name in ("share", "total") for row in frame.filter(pl.col(name).is_null())["row_id"]
    }


class Plain(pa.DataFrameModel):
    """Checks on which Pandera's own report can be trusted."""

    x: int = pa.Field(ge=0, isin=[-1, 0, 1, 2], unique=True)
    y: str = pa.Field(str_matches="^a", nullable=True)


@given(st.lists(st.tuples(SMALL, LETTERS), min_size=1, max_size=10))
@settings(max_examples=80)
def test_the_same_cells_as_pandera_reports(records: list[tuple[int | None, str | None]]) -> None:
    frame = rows({"x": [x for x, _ in records], "y": [y for _, y in records]}, {"x": pl.Int64, "y": pl.String})
    reported: list[tuple[int, str]] = []
    try:
        Plain.validate(frame.drop("row_id"), lazy=True)
    except pa.errors.SchemaErrors as error:
        reported = [(10 + 3 * row["index"], row["column"]) for row in error.failure_cases.rows(named=True)]
    assert sorted((row, str(column)) for row, column, _, _ in failures(frame, Plain)) == sorted(reported)


# --- The traps, each by its name -------------------------------------------------------------------------------------


def test_trap_a_lazy_frame_is_refused_where_pandera_checks_none_of_its_rows() -> None:
    made = model(int, ge=0)
    lazy = rows({"x": [-1]}).lazy()
    made.validate(lazy, lazy=True)  # passes without a word
    with pytest.raises(ProjectError, match=r"not collected.*collect") as caught:
        validate(lazy, made)  # type: ignore[arg-type]
    assert caught.value.code == "frame_unusable"


class Dropping(pa.DataFrameModel):
    x: int = pa.Field(ge=0)

    @pa.check("x")
    def crash(cls, data: Any) -> pl.LazyFrame:
        raise ValueError("no such rate")

    class Config:
        drop_invalid_rows = True


def test_trap_drop_invalid_rows_has_no_effect() -> None:
    frame = rows({"x": [-1, 1]})
    assert Dropping.validate(frame.drop("row_id"), lazy=True).height == 1
    outcome = validate(frame, Dropping)
    assert outcome.failures["row_id"].to_list() == [10]
    assert not outcome.ok


def test_trap_a_check_that_raises_could_not_run_and_the_others_still_count() -> None:
    outcome = validate(rows({"x": [1, -1]}), Dropping)
    assert outcome.broken == [BrokenCheck("crash", "x", "ValueError: no such rate")]
    assert outcome.failures.rows() == [(13, "x", "ge(0)", "-1", "error")]


def test_a_broken_check_alone_is_not_ok() -> None:
    outcome = validate(rows({"x": [1]}), Dropping)
    assert outcome.failures.is_empty()
    assert not outcome.ok


class Scalar(pa.DataFrameModel):
    x: int = pa.Field(ge=0)

    @pa.check("x")
    def always_wrong(cls, data: Any) -> bool:
        return False


def test_trap_a_scalar_check_beside_a_failing_one_crashes_pandera_but_not_us() -> None:
    frame = rows({"x": [-1, 1]})
    with pytest.raises(pl.exceptions.SchemaError, match="incompatible"):
        Scalar.validate(frame.drop("row_id"), lazy=True)
    outcome = validate(frame, Scalar)
    assert failures(frame, Scalar) == [(10, "x", "ge(0)", "-1")]
    assert outcome.broken[0].check == "always_wrong"
    assert "one truth value" in outcome.broken[0].message


def test_trap_a_scalar_check_is_refused_at_definition() -> None:
    with pytest.raises(ProjectError, match="Scalar: check always_wrong on x") as caught:
        refuse_scalar_checks(Scalar)
    assert caught.value.code == "check_scalar"
    assert "select(expression)" in str(caught.value.hint)


class Aggregated(pa.DataFrameModel):
    x: int

    @pa.check("x")
    def total(cls, data: Any) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("x").sum() < 5)


def test_trap_an_aggregate_in_a_frame_is_a_scalar_that_pandera_blames_on_the_first_row() -> None:
    frame = rows({"x": [1, 9, 9]})
    with pytest.raises(pa.errors.SchemaErrors) as caught:
        Aggregated.validate(frame.drop("row_id"), lazy=True)
    assert caught.value.failure_cases["failure_case"].to_list() == ["1"]
    outcome = validate(frame, Aggregated)
    assert outcome.failures.is_empty()
    assert outcome.broken == [BrokenCheck("total", "x", "It gives 1 truth value(s) for 3 row(s).")]
    with pytest.raises(ProjectError, match="total on x"):
        refuse_scalar_checks(Aggregated)


def scalar_by_data(cls: type, data: Any) -> bool:
    return bool(data.lazyframe.collect()["x"].max() < 5)


SCALARS = {
    "collects": (int, scalar_by_data),
    "of dates": (date, lambda cls, data: data.lazyframe.collect()["x"].max() > date(1960, 1, 1)),
    "of texts": (str, lambda cls, data: data.lazyframe.collect()["x"].str.len_chars().sum() < 5),
    "only without rows": (str, lambda cls, data: bool(data.lazyframe.collect()["x"].cast(pl.Date).is_empty())),
    "of an enum": (pl.Enum(["a"]), lambda cls, data: data.lazyframe.collect()["x"].n_unique() < 5),
}


@pytest.mark.parametrize("case", SCALARS)
def test_scalar_checks_of_many_dtypes_are_refused(case: str) -> None:
    annotation, function = SCALARS[case]
    members = {"__annotations__": {"x": annotation}, "scalar": pa.check("x")(function)}
    with pytest.raises(ProjectError, match=r"Model: check .* on x"):
        refuse_scalar_checks(type("Model", (pa.DataFrameModel,), members))


def test_pandera_s_own_scalar_check_is_refused() -> None:
    with pytest.raises(ProjectError, match=r"unique_values_eq\(\[1, 2\]\) on x"):
        refuse_scalar_checks(model(int, unique_values_eq=[1, 2]))


class Patterned(pa.DataFrameModel):
    fixed: Optional[float]  # noqa: UP045 - Pandera reads it as a column that may be absent
    variable: float = pa.Field(alias="^var_.+$", regex=True, ge=0)


@pytest.mark.parametrize("made", [Shares, Plain, Patterned, model(pl.List(pl.Int64)), model(pl.Binary)])
def test_honest_models_are_not_refused(made: type[pa.DataFrameModel]) -> None:
    refuse_scalar_checks(made)


def test_a_check_that_cannot_run_on_made_up_rows_is_left_to_validation() -> None:
    refuse_scalar_checks(Dropping)


class Grouped(pa.DataFrameModel):
    x: int
    g: str

    @pa.check("x", groupby="g")
    def positive(cls, data: Any) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("x") > 0)


def test_trap_groupby_is_ignored_by_pandera_and_refused_by_us() -> None:
    assert "over" in validate(rows({"x": [1], "g": ["a"]}), Grouped).broken[0].message
    with pytest.raises(ProjectError, match="positive on x"):
        refuse_scalar_checks(Grouped)


def test_trap_nan_passes_ge_and_is_a_defect_here_even_where_nulls_are_welcome() -> None:
    frame = rows({"x": [math.nan, None, 1.0]})
    made = model(float, ge=0, nullable=True)
    made.validate(frame.drop("row_id"), lazy=True)
    assert failures(frame, made) == [(10, "x", "not_nan", "NaN")]


def test_trap_nulls_pass_every_check_but_not_nullable() -> None:
    frame = rows({"x": [None, -1]}, {"x": pl.Int64})
    assert failures(frame, model(int, ge=0)) == [(10, "x", "not_nullable", None), (13, "x", "ge(0)", "-1")]
    assert failures(frame, model(int, ge=0, nullable=True)) == [(13, "x", "ge(0)", "-1")]


class TwiceUnique(pa.DataFrameModel):
    a: int
    b: int

    class Config:
        unique: ClassVar = [["a"], ["b"]]


def test_trap_the_second_set_of_unique_columns_is_judged_too() -> None:
    assert failures(rows({"a": [1, 1, 2], "b": [1, 2, 2]}), TwiceUnique) == [
        (10, "a", "unique(a)", "1"),
        (13, "a", "unique(a)", "1"),
        (13, "b", "unique(b)", "2"),
        (16, "b", "unique(b)", "2"),
    ]


class MisspeltUnique(pa.DataFrameModel):
    a: int
    b: int

    class Config:
        unique: ClassVar = ["a", "bb"]


def test_trap_a_unique_column_that_does_not_exist_could_not_run() -> None:
    outcome = validate(rows({"a": [1, 1], "b": [1, 2]}), MisspeltUnique)
    assert outcome.failures.is_empty()
    assert outcome.broken[0].check == "unique(a, bb)"


def test_trap_coercion_is_not_done_and_all_bad_columns_are_named() -> None:
    class Coerced(pa.DataFrameModel):
        x: int = pa.Field(coerce=True)
        y: int

        class Config:
            coerce = True

    problems = validate(rows({"x": ["q"], "y": ["1"]}), Coerced).structure
    assert [(problem.kind, problem.column) for problem in problems] == [("wrong_dtype", "x"), ("wrong_dtype", "y")]


def test_trap_validation_switched_off_elsewhere_is_not_switched_off_here() -> None:
    frame = rows({"x": [-1]})
    with config_context(validation_enabled=False, validation_depth="SCHEMA_ONLY"):  # as PANDERA_VALIDATION_ENABLED does
        assert failures(frame, model(int, ge=0)) == [(10, "x", "ge(0)", "-1")]


def test_trap_a_warning_is_a_failure_of_severity_warning_where_pandera_drops_it() -> None:
    outcome = validate(rows({"x": [-1]}), model(int, ge=0, raise_warning=True))
    assert outcome.failures.rows() == [(10, "x", "ge(0)", "-1", "warning")]
    assert outcome.ok


def test_trap_rules_inside_a_nested_model_are_unknown_not_passed() -> None:
    outcome = validate(rows({"x": [{"x": -1}]}), model(model(int, ge=0)))
    assert [broken.check for broken in outcome.broken] == ["nested_model"]
    assert not outcome.ok


def test_trap_sets_are_named_in_one_order_in_every_process() -> None:
    code = (
        "import pandera.polars as pa; from zhiji_etl.validation.checks import check_name;"
        "print(check_name(pa.Check.isin({'a', 'b', 'c', 'd'})))"
    )
    commands = [[sys.executable, "-c", code]] * 2
    outputs = {
        subprocess.run(command, env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)}, **captured()).stdout
        for command, seed in zip(commands, "15", strict=True)
    }
    assert outputs == {"isin(['a', 'b', 'c', 'd'])\n"}


def captured() -> dict[str, Any]:
    return {"capture_output": True, "text": True, "check": True}


# --- Structure -------------------------------------------------------------------------------------------------------


class Strict(pa.DataFrameModel):
    vehicle_sales: int = pa.Field(ge=0)
    revenue: float

    class Config:
        strict = True
        ordered = True


STRUCTURES = {
    "missing": ({"vehicle_sale": [1], "revenue": [1.0]}, "missing_column", "vehicle_sales", "vehicle_sale?"),
    "dtype": ({"vehicle_sales": ["1"], "revenue": [1.0]}, "wrong_dtype", "vehicle_sales", "cast_frame"),
    "strict": ({"vehicle_sales": [1], "revenue": [1.0], "extra": [1]}, "unexpected_column", "extra", None),
    "order": ({"revenue": [1.0], "vehicle_sales": [1]}, "column_order", "revenue", None),
}


@pytest.mark.parametrize("case", STRUCTURES)
def test_a_broken_structure_makes_the_checks_unknown(case: str) -> None:
    columns, kind, column, hint = STRUCTURES[case]
    outcome = validate(rows(columns), Strict)
    problem = outcome.structure[0]
    assert (problem.kind, problem.column) == (kind, column)
    assert hint is None if problem.hint is None else hint is not None and hint in problem.hint
    assert outcome.failures.is_empty()
    assert not outcome.ok


def test_all_problems_of_structure_are_found_at_once() -> None:
    problems = validate(rows({"a": [1], "b": [1], "revenue": ["x"]}), Strict).structure
    kinds = [(problem.kind, problem.column) for problem in problems]
    assert kinds == [
        ("missing_column", "vehicle_sales"),
        ("wrong_dtype", "revenue"),
        ("unexpected_column", "a"),
        ("unexpected_column", "b"),
    ]


def test_row_id_is_never_unexpected_and_a_sound_frame_is_ok() -> None:
    assert validate(rows({"vehicle_sales": [1, 2], "revenue": [1.0, 2.0]}), Strict).ok


def test_patterns_and_optional_columns() -> None:
    assert failures(rows({"var_a": [1.0], "var_b": [-1.0]}), Patterned) == [(10, "var_b", "ge(0)", "-1.0")]
    assert [problem.kind for problem in validate(rows({"x": [1.0]}), Patterned).structure] == ["missing_column"]


def test_a_column_named_outright_is_left_out_of_patterns() -> None:
    class Named(pa.DataFrameModel):
        var_fixed: float
        variable: float = pa.Field(alias="^var_.+$", regex=True, ge=0)

    assert failures(rows({"var_fixed": [-1.0], "var_b": [-2.0]}), Named) == [(10, "var_b", "ge(0)", "-2.0")]


@pytest.mark.parametrize("row_id", [None, pl.Series([1], dtype=pl.Int64)])
def test_a_frame_without_identities_is_refused(row_id: pl.Series | None) -> None:
    frame = pl.DataFrame({"x": [1]}) if row_id is None else pl.DataFrame({"x": [1], "row_id": row_id})
    with pytest.raises(ProjectError, match="row_id"):
        validate(frame, model(int))


def test_a_model_that_pandera_cannot_build_is_a_broken_schema() -> None:
    class Misspelt(pa.DataFrameModel):
        x: int

        @pa.check("y")
        def unknown(cls, data: Any) -> pl.LazyFrame:
            return data.lazyframe.select(pl.col("y") > 0)

    with pytest.raises(ProjectError, match="Misspelt") as caught:
        refuse_scalar_checks(Misspelt)
    assert caught.value.code == "schema_invalid"


def test_an_element_wise_check_of_the_table_does_not_judge_row_id() -> None:
    class Elements(pa.DataFrameModel):
        x: int

        @pa.dataframe_check(element_wise=True)
        def small(cls, cell: int) -> bool:
            return not cell >= 10

    assert validate(rows({"x": [1, 2]}), Elements).ok


VALUES = {
    "list": ([[1, 9]], pl.List(pl.Int64), "[1,9]"),
    "struct": ([{"a": "b"}], pl.Struct({"a": pl.String}), '{"a":"b"}'),
    "date": ([date(2020, 2, 29)], pl.Date, "2020-02-29"),
    "duration": ([timedelta(days=1)], pl.Duration("us"), "P1D"),
    "decimal": ([Decimal("1.50")], pl.Decimal(10, 2), "1.50"),
    "binary": ([b"\xff"], pl.Binary, None),
    "enum": (["a"], pl.Enum(["a"]), "a"),
}


@pytest.mark.parametrize("case", VALUES)
def test_a_failing_cell_of_any_dtype_is_shown_as_text(case: str) -> None:
    cells, dtype, text = VALUES[case]
    always_wrong = pa.check("x")(lambda cls, data: data.lazyframe.select(pl.col("x").is_null()))
    made = type("Model", (pa.DataFrameModel,), {"__annotations__": {"x": dtype}, "wrong": always_wrong})
    assert [value for *_, value in failures(rows({"x": cells}, {"x": dtype}), made)] == [text]


# --- Casts -----------------------------------------------------------------------------------------------------------

CASTS = [
    ("1.50", pl.Decimal(10, 2), Decimal("1.50")),
    ("1.239", pl.Decimal(10, 2), None),
    ("1e3", pl.Decimal(10, 2), Decimal("1000.00")),
    ("12345678901.1", pl.Decimal(10, 2), None),
    ("0.1", pl.Float64, 0.1),
    ("1e400", pl.Float64, None),
    ("1e-400", pl.Float64, None),
    ("nan", pl.Float64, None),
    ("inf", pl.Float64, None),
    ("0.000", pl.Float64, 0.0),
    ("0.30000000000000004", pl.Float64, 0.1 + 0.2),
    ("9007199254740993", pl.Float64, None),
    ("9007199254740993", pl.Int64, 9007199254740993),
    ("9223372036854775808", pl.Int64, None),
    ("1.5", pl.Int64, None),
    ("n/a", pl.Int64, None),
    ("007", pl.Int64, 7),
    ("2020-02-29", pl.Date, date(2020, 2, 29)),
    ("2021-02-29", pl.Date, None),
    ("01/02/2020", pl.Date, None),
    ("a", pl.Enum(["a", "b"]), "a"),
    ("z", pl.Enum(["a", "b"]), None),
    (2**53 + 1, pl.Float64, None),
    (2**53, pl.Float64, float(2**53)),
    (300, pl.UInt8, None),
    (600104, pl.String, "600104"),
    (1.5, pl.Int64, None),
    (2.0, pl.Int64, 2),
    (math.nan, pl.Int64, None),
    (0.1, pl.Float32, None),
    (1e300, pl.Float32, None),
    (0.125, pl.Decimal(10, 2), None),
    (0.1, pl.Decimal(10, 2), Decimal("0.10")),
    (datetime(2020, 1, 1, 10), pl.Date, None),
    (datetime(2020, 1, 1), pl.Date, date(2020, 1, 1)),
    (date(2020, 1, 1), pl.Datetime("us"), datetime(2020, 1, 1)),
]


@pytest.mark.parametrize(("cell", "dtype", "cast"), CASTS)
def test_a_cell_is_cast_exactly_or_reported(cell: Any, dtype: Any, cast: Any) -> None:
    outcome = cast_frame(rows({"x": [None, cell]}), model(dtype, nullable=True))
    assert outcome.frame["x"].to_list() == [None, cast]
    assert outcome.frame["x"].dtype == dtype
    reported = outcome.failures.select("row_id", "column", "check").rows()
    assert reported == ([(13, "x", "dtype")] if cast is None else [])


@pytest.mark.parametrize(
    ("cells", "dtype"),
    [([2019], pl.Date), ([[1]], pl.Int64), (["x"], pl.Boolean), ([datetime(2020, 1, 1)], pl.Datetime("us", "UTC"))],
)
def test_a_cast_that_would_guess_is_left_to_the_structure(cells: list[Any], dtype: Any) -> None:
    frame, made = rows({"x": cells}), model(dtype)
    assert cast_frame(frame, made).frame.equals(frame)
    assert [problem.kind for problem in validate(frame, made).structure] == ["wrong_dtype"]


def test_a_frame_of_pydantic_rows_is_not_judged_and_not_cast() -> None:
    class Row(pydantic.BaseModel):
        x: int

    class Pydantic(pa.DataFrameModel):
        class Config:
            dtype = PydanticModel(Row)

    frame = rows({"x": ["1"]})
    assert [problem.kind for problem in validate(frame, Pydantic).structure] == ["wrong_dtype"]
    assert cast_frame(frame, Pydantic).frame.equals(frame)


def test_a_reported_cell_shows_what_stood_there() -> None:
    assert cast_frame(rows({"x": ["1,5"]}), model(float)).failures["value"].to_list() == ["1,5"]


PRINTED = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9).map(str),
    st.integers(-(10**18), 10**18).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.text("0123456789.eE+-", max_size=8),
)


def exact(text: str) -> Fraction | None:
    try:
        return Fraction(Decimal(text))
    except (InvalidOperation, ValueError, OverflowError):
        return None


@given(st.lists(PRINTED, min_size=1, max_size=20))
@settings(max_examples=150)
def test_text_to_decimals_keeps_every_digit_or_reports_it(texts: list[str]) -> None:
    outcome = cast_frame(rows({"x": texts}), model(pl.Decimal(20, 2)))
    for text, cell in zip(texts, outcome.frame["x"], strict=True):
        assert cell is None or Fraction(cell) == exact(text)
    assert outcome.failures.height == outcome.frame["x"].null_count()


@given(st.lists(PRINTED, min_size=1, max_size=20))
@settings(max_examples=150)
def test_text_to_floats_gives_the_printed_decimal_back(texts: list[str]) -> None:
    outcome = cast_frame(rows({"x": texts}), model(float))
    for text, cell in zip(texts, outcome.frame["x"], strict=True):
        assert cell is None or Decimal(repr(cell)) == Decimal(text)
    assert outcome.failures.height == outcome.frame["x"].null_count()


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20))
@settings(max_examples=100)
def test_whole_numbers_to_floats_are_exact_or_reported(cells: list[int]) -> None:
    outcome = cast_frame(rows({"x": cells}, {"x": pl.Int64}), model(float))
    kept = [cell if float(cell) == cell else None for cell in cells]
    assert outcome.frame["x"].to_list() == kept


def test_whole_numbers_are_members_among_floats(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "schemas").mkdir()
    schema = (
        "import zhiji_etl as zj\nclass T(zj.Table):\n    x: float = zj.Quantity('percent', isin={1, 2}, notin=[2])\n"
    )
    (tmp_path / "schemas" / "t.py").write_text(schema, encoding="utf-8")
    rows = "entity,metric,period,printed\nA,x,2023,1%\nB,x,2023,2%\nC,x,2023,3%\n"
    (tmp_path / "raw" / "a.csv").write_text(rows, encoding="utf-8")
    done = Project(tmp_path).run(tmp_path / "build")
    assert done.figures["entity"].to_list() == ["A"]
    assert done.rejects["code"].to_list() == ["check_failed", "check_failed"]
