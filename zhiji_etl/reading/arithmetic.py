"""The bounds of printed figures as Polars expressions: SEMANTICS section 2, the same as `exact`, for columns.

In: for each role (`main`, `high` end of a range, `again` for a restatement) the columns of `AMOUNT` and the literal
`<role>_text`. Out: expressions for the fields of one amount, as floats rounded once. A row is `<role>_fast` where that
is exact: at most 14 digits and powers of ten up to 22, which floats hold without error.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import polars as pl

from zhiji_etl.figures import QUALIFIER, Qualifier

AMOUNT: Final[dict[str, Any]] = {
    "literal": pl.Int64,
    "exponent": pl.Int64,
    "sign": pl.Int64,
    "qualifier": QUALIFIER,
    "unit": pl.String,
    "whole": pl.Boolean,
    "signless": pl.Boolean,
    "declared": pl.Boolean,
    "exact": pl.Boolean,
    "open": pl.Boolean,
    "shared": pl.Int64,
}
"""What a shape says of one of its amounts."""

Fields: TypeAlias = dict[str, pl.Expr]
"""The fields of one amount by name."""

_ZERO: Final = 22
"""Where the power 0 stands in the tables of powers."""
_UP: Final = pl.Series([10.0 ** max(k, 0) for k in range(-_ZERO, _ZERO + 1)])
_DOWN: Final = pl.Series([10.0 ** max(-k, 0) for k in range(-_ZERO, _ZERO + 1)])
_STEPS: Final = _UP / _DOWN
_WHOLE_POWERS: Final = pl.Series([10**k for k in range(19)], dtype=pl.Int64)
_MOST: Final = 9 * 10**13
_INFINITY: Final = float("inf")


def with_number(frame: pl.DataFrame, role: str, decimal_comma: bool, declarable: bool) -> pl.DataFrame:
    """Adds, for one role, the number as whole digits `m` times 10 to the `k`; 10 to the `s` is the size of its last
    digit, `z` the zeros of its coarsest reading, `all` all zeros at its end; `fast` where floats compute it exactly.
    """
    c = _named(role)
    text = c("text").str.replace_all("." if decimal_comma else ",", "", literal=True)
    text = text.str.replace(",", ".", literal=True) if decimal_comma else text
    point = text.str.find(".", literal=True)
    digits = text.str.replace(".", "", literal=True)
    frame = frame.with_columns(
        c("m", digits.cast(pl.Int64, strict=False)),
        c("d", (text.str.len_bytes().cast(pl.Int64) - 1 - point.cast(pl.Int64)).fill_null(0)),
        c(
            "all",
            digits.str.len_bytes().cast(pl.Int64) - digits.str.strip_chars_end("0").str.len_bytes().cast(pl.Int64),
        ),
    )
    frame = frame.with_columns(
        c("k", c("exponent") - c("d")),
        c("all", pl.when(c("m") == 0).then(0).otherwise(c("all"))),
    ).with_columns(
        c("s", c("k")),
        c("z", pl.when((c("d") > 0) | c("declared") | c("exact")).then(0).otherwise(c("all"))),
        c("fast", c("m").is_not_null() & (c("m") < _MOST)),
        c("round", c("m") // _whole_power(c("all")) < 10),
    )
    if declarable and frame["decimals"].null_count() < len(frame):
        frame = _with_declared(frame, c)
    about = (c("qualifier") == Qualifier.ABOUT.value) & (c("z") == 0) & ~c("round")
    return frame.with_columns(c("z", c("z") + about.cast(pl.Int64))).with_columns(
        c("fast", c("fast") & (c("m") < _MOST) & c("k").is_between(-21, 22) & (c("s") + c("z")).is_between(-21, 22)
          & (c("s") >= -21) & (c("s") + c("z") - c("k")).is_between(0, 13)),
    )  # fmt: skip


def rounded_fields(role: str) -> Fields:
    """The fields of a number that is rounded and has no open end: most are. Bounds are closed."""
    c = _named(role)
    value = 10 * c("sign") * c("m")
    half = pl.when(c("exact")).then(0).otherwise(5 * _whole_power(c("s") + c("z") - c("k")))
    index = (c("k") + (_ZERO - 1)).clip(0, 2 * _ZERO)
    up, down = pl.lit(_UP).gather(index), pl.lit(_DOWN).gather(index)
    low, high = (value - half) * up / down, (value + half) * up / down
    first, last = low.ceil(), high.floor()
    cut = c("whole") & (first <= last)
    return {
        "value": value * up / down,
        "low": pl.when(cut).then(first).otherwise(low),
        "high": pl.when(cut).then(last).otherwise(high),
        "low_closed": pl.lit(True),
        "high_closed": pl.lit(True),
        **_steps(c),
        "qualifier": c("qualifier"),
        "unit": c("unit"),
    }


def fields(role: str, truncated: bool) -> Fields:
    """The fields of a single amount."""
    c = _named(role)
    value = c("sign") * c("m")
    around = _around(role, truncated)
    more = _whole_power(c("all"))
    far_low = (
        pl.when(c("open") & (value < 0)).then(scaled(value - more, c("k")))
        .when(c("signless") & (value >= 0)).then(0.0).otherwise(-_INFINITY)
    )  # fmt: skip
    far_high = pl.when(c("open") & (value > 0)).then(scaled(value + more, c("k"))).otherwise(_INFINITY)
    number = scaled(value, c("k"))
    low = _choice(c, exact=number, above=number, below=far_low, otherwise=around["low"])
    high = _choice(c, exact=number, above=far_high, below=number, otherwise=around["high"])
    low_closed = _choice(
        c,
        exact=pl.lit(True),
        above=_is(c, Qualifier.AT_LEAST),
        below=c("signless") & (value >= 0),
        otherwise=around["low_closed"],
    )
    high_closed = _choice(
        c, exact=pl.lit(True), above=pl.lit(False), below=_is(c, Qualifier.AT_MOST), otherwise=around["high_closed"]
    )
    bounds = _whole(c("whole"), low, high, low_closed, high_closed)
    return {"value": number, **bounds, **_steps(c), "qualifier": c("qualifier"), "unit": c("unit")}


def span_fields(first: str, last: str, truncated: bool) -> Fields:
    """The fields of a range; a scale after its second end holds for the first where that makes it no larger."""
    one, two = _ends(first, truncated), _ends(last, truncated)
    turned = one["value"] > two["value"]
    picked = {name: pl.when(turned).then(two[name]).otherwise(one[name]) for name in one}
    other = {name: pl.when(turned).then(one[name]).otherwise(two[name]) for name in one}
    return {
        "low": picked["low"],
        "high": other["high"],
        "low_closed": picked["low_closed"],
        "high_closed": other["high_closed"],
        "step": pl.min_horizontal(one["step"], two["step"]),
        "step_max": pl.max_horizontal(one["step_max"], two["step_max"]),
        "qualifier": pl.lit(Qualifier.RANGE.value),
        "unit": pl.col(f"{first}_unit"),
        "range_low": picked["value"],
        "range_high": other["value"],
    }


def with_shared_scale(frame: pl.DataFrame, first: str, last: str) -> pl.DataFrame:
    """Gives the first end of a range the scale of the last, where it is not the larger for it: `5 to 6 million`."""
    a, b = _named(first), _named(last)
    shared = scaled(a("m"), a("k") + a("shared")) <= scaled(b("m"), b("k"))
    by = pl.when(shared).then(a("shared")).otherwise(0)
    frame = frame.with_columns(a("k", a("k") + by), a("s", a("s") + by))
    top = a("s") + a("z")
    return frame.with_columns(a("fast", a("fast") & a("k").is_between(-21, 22) & top.is_between(-21, 22)))


def scaled(mantissa: pl.Expr, exponent: pl.Expr) -> pl.Expr:
    """A whole number times a power of ten, rounded once: one of the two tables holds 1."""
    index = (exponent + _ZERO).clip(0, 2 * _ZERO)
    return mantissa * pl.lit(_UP).gather(index) / pl.lit(_DOWN).gather(index)


# --------------------------------------------------------------------------------------------------


class _named:  # noqa: N801 - reads as a function
    """The columns of one role: `c("m")` is its column m, `c("m", expression)` gives it a new value."""

    def __init__(self, role: str) -> None:
        self.role = role

    def __call__(self, name: str, expression: pl.Expr | None = None) -> pl.Expr:
        full = f"{self.role}_{name}"
        return pl.col(full) if expression is None else expression.alias(full)


def _with_declared(frame: pl.DataFrame, c: _named) -> pl.DataFrame:
    """The declared step is the only reading; digits printed beyond it are for the slow way to refuse."""
    declared = pl.col("decimals").is_not_null() & ~c("exact")
    step = -pl.col("decimals").cast(pl.Int64)
    finer = pl.when(declared).then((c("k") - step).clip(0)).otherwise(0)
    coarser = pl.when(declared).then((step - c("k")).clip(0)).otherwise(0)
    free = ~c("open") & (c("shared").fill_null(0) == 0)
    within = free & (finer <= 14) & (coarser <= 13) & (c("m") % _whole_power(coarser) == 0)
    return frame.with_columns(
        c("m", c("m") * _whole_power(finer)),
        c("k", c("k") - finer),
        c("s", pl.when(declared).then(step).otherwise(c("s"))),
        c("z", pl.when(declared).then(0).otherwise(c("z"))),
        c("fast", c("fast") & (~declared | (within & (c("m") < 10**14 // _whole_power(finer))))),
    )  # fmt: skip


def _whole_power(exponent: pl.Expr) -> pl.Expr:
    return pl.lit(_WHOLE_POWERS).gather(exponent.clip(0, 18))


def _is(c: _named, qualifier: Qualifier) -> pl.Expr:
    return c("qualifier") == qualifier.value


def _choice(c: _named, *, exact: pl.Expr, above: pl.Expr, below: pl.Expr, otherwise: pl.Expr) -> pl.Expr:
    return (
        pl.when(c("exact")).then(exact)
        .when(_is(c, Qualifier.ABOVE) | _is(c, Qualifier.AT_LEAST)).then(above)
        .when(_is(c, Qualifier.BELOW) | _is(c, Qualifier.AT_MOST)).then(below)
        .otherwise(otherwise)
    )  # fmt: skip


def _around(role: str, truncated: bool) -> Fields:
    """The bounds of a rounded or truncated number at its coarsest reading."""
    c = _named(role)
    value, size = c("sign") * c("m"), _whole_power(c("s") + c("z") - c("k"))
    if not truncated:
        half = 5 * size
        low, high = scaled(10 * value - half, c("k") - 1), scaled(10 * value + half, c("k") - 1)
        return {"low": low, "high": high, "low_closed": pl.lit(True), "high_closed": pl.lit(True)}
    return {
        "low": scaled(pl.when(value > 0).then(value).otherwise(value - size), c("k")),
        "high": scaled(pl.when(value < 0).then(value).otherwise(value + size), c("k")),
        "low_closed": value > 0,
        "high_closed": value < 0,
    }


def _ends(role: str, truncated: bool) -> Fields:
    c = _named(role)
    return {"value": scaled(c("sign") * c("m"), c("k")), **_around(role, truncated), **_steps(c)}


def _steps(c: _named) -> Fields:
    def size(exponent: pl.Expr) -> pl.Expr:
        return pl.lit(_STEPS).gather((exponent + _ZERO).clip(0, 2 * _ZERO))

    return {"step": size(c("s")), "step_max": size(c("s") + c("z"))}


def _whole(whole: pl.Expr, low: pl.Expr, high: pl.Expr, low_closed: pl.Expr, high_closed: pl.Expr) -> Fields:
    """The bounds cut to whole numbers, where whole numbers are within them."""
    first = pl.when(low_closed).then(low.ceil()).otherwise(low.floor() + 1)
    last = pl.when(high_closed).then(high.floor()).otherwise(high.ceil() - 1)
    cut = whole & (first <= last)
    return {
        "low": pl.when(cut).then(first).otherwise(low),
        "high": pl.when(cut).then(last).otherwise(high),
        "low_closed": pl.when(cut & low.is_finite()).then(True).otherwise(low_closed),
        "high_closed": pl.when(cut & high.is_finite()).then(True).otherwise(high_closed),
    }
