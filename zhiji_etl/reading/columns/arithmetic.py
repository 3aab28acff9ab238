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


def with_digits(frame: pl.DataFrame, role: str, decimal_comma: bool) -> pl.DataFrame:
    """Adds the digits of the number in `<role>_text`: the whole number `m` that they all make, null beyond 64 bits, the
    `d` of them behind the point, and `all` zeros at its end, none for 0.
    """
    c = _named(role)
    text = c("text").str.replace_all("." if decimal_comma else ",", "", literal=True)
    text = text.str.replace(",", ".", literal=True) if decimal_comma else text
    # Columns of their own: inside one expression Polars makes each text again for every use of it.
    frame = frame.with_columns(c("plain", text))
    frame = frame.with_columns(c("digits", c("plain").str.replace(".", "", literal=True)))
    zeros = _length(c("digits")) - _length(c("digits").str.strip_chars_end("0"))
    frame = frame.with_columns(
        c("m", c("digits").cast(pl.Int64, strict=False)),
        c("d", (_length(c("plain")) - 1 - c("plain").str.find(".", literal=True).cast(pl.Int64)).fill_null(0)),
    )
    return frame.with_columns(c("all", pl.when(c("m") == 0).then(0).otherwise(zeros)))


def with_number(frame: pl.DataFrame, role: str, declarable: bool) -> pl.DataFrame:
    """Adds, for the digits of one role, the power `k` of ten that makes `m` the number; 10 to the `s` is the size of
    its last digit, `z` the zeros of its coarsest reading; `fast` where floats compute it exactly.
    """
    c = _named(role)
    frame = frame.with_columns(c("k", c("exponent") - c("d"))).with_columns(
        c("s", c("k")),
        c("z", pl.when((c("d") > 0) | c("declared") | c("exact")).then(0).otherwise(c("all"))),
        # A 0 without decimals may be the 000 of a header, £000, which the slow way refuses.
        c("fast", c("m").is_not_null() & (c("m") < _MOST) & ((c("m") != 0) | (c("d") > 0))),
        c("round", c("m") // _whole_power(c("all")) < 10),
    )
    if declarable and "decimals" in frame.columns:
        frame = _with_declared(frame, c)
    about = (c("qualifier") == Qualifier.ABOUT.value) & (c("z") == 0) & ~c("round")
    return frame.with_columns(c("z", c("z") + about.cast(pl.Int64))).with_columns(
        c("fast", c("fast") & (c("m") < _MOST) & c("k").is_between(-21, 22) & (c("s") + c("z")).is_between(-21, 22)
          & (c("s") >= -21) & (c("s") + c("z") - c("k")).is_between(0, 13)),
    )  # fmt: skip


def with_bounds(frame: pl.DataFrame, role: str, truncated: bool) -> pl.DataFrame:
    """Adds the value of a number and the bounds of its coarsest reading: `value`, `low`, `high` and their `_closed`."""
    c = _named(role)
    index = (c("k") + (_ZERO - 1)).clip(0, 2 * _ZERO)
    frame = frame.with_columns(
        c("tenths", 10 * c("sign") * c("m")),
        c("size", _whole_power(c("s") + c("z") - c("k"))),
        c("whole", c("whole") & (c("s") >= 0)),
        c("up", pl.lit(_UP).gather(index)),
        c("down", pl.lit(_DOWN).gather(index)),
    )
    value = c("tenths")
    half = 5 * c("size") * (~c("exact")).cast(pl.Int64)
    low, high = value - half, value + half
    closed = pl.lit(True), pl.lit(True)
    if truncated:
        step = 2 * half
        low, high = value - step * (value <= 0).cast(pl.Int64), value + step * (value >= 0).cast(pl.Int64)
        closed = c("exact") | (value > 0), c("exact") | (value < 0)
    return frame.with_columns(
        c("value", value * c("up") / c("down")),
        c("low", low * c("up") / c("down")),
        c("high", high * c("up") / c("down")),
        c("low_closed", closed[0]),
        c("high_closed", closed[1]),
    )


def rounded_fields(role: str) -> Fields:
    """The fields of a number that is rounded and has no open end: most are. Bounds are closed."""
    c = _named(role)
    first, last = c("low").ceil(), c("high").floor()
    cut = c("whole") & (first <= last)
    return {
        "value": c("value"),
        "low": pl.when(cut).then(first).otherwise(c("low")),
        "high": pl.when(cut).then(last).otherwise(c("high")),
        "low_closed": pl.lit(True),
        "high_closed": pl.lit(True),
        **_steps(c),
    }


def with_open_ends(frame: pl.DataFrame, role: str) -> pl.DataFrame:
    """Puts the ends of `over`, `at most` and the like in place of the bounds of rounding."""
    c = _named(role)
    above = _is(c, Qualifier.ABOVE) | _is(c, Qualifier.AT_LEAST)
    below = _is(c, Qualifier.BELOW) | _is(c, Qualifier.AT_MOST)
    bounded = c("signless") & (c("m") * c("sign") >= 0)
    more = scaled(c("sign") * (c("m") + _whole_power(c("all"))), c("k"))
    open_ended = c("open") & (c("m") != 0)
    far_low = pl.when(open_ended & (c("sign") < 0)).then(more).when(bounded).then(0.0).otherwise(-_INFINITY)
    far_high = pl.when(open_ended & (c("sign") > 0)).then(more).otherwise(_INFINITY)
    frame = frame.with_columns(c("far_low", far_low), c("far_high", far_high), c("above", above), c("below", below))
    above, below, value = c("above"), c("below"), c("value")
    return frame.with_columns(
        c("low", pl.when(above).then(value).when(below).then(c("far_low")).otherwise(c("low"))),
        c("high", pl.when(above).then(c("far_high")).when(below).then(value).otherwise(c("high"))),
        c(
            "low_closed",
            pl.when(above).then(_is(c, Qualifier.AT_LEAST)).when(below).then(bounded).otherwise(c("low_closed")),
        ),
        c(
            "high_closed",
            pl.when(above).then(False).when(below).then(_is(c, Qualifier.AT_MOST)).otherwise(c("high_closed")),
        ),
    )


def fields(role: str) -> Fields:
    """The fields of any single amount, cut to whole numbers where its unit is counted."""
    c = _named(role)
    bounds = _whole(c("whole"), c("low"), c("high"), c("low_closed"), c("high_closed"))
    return {"value": c("value"), **bounds, **_steps(c)}


def span_fields(first: str, last: str) -> Fields:
    """The fields of a range; its ends as printed, each widened by its own half step."""
    one, two = _ends(first), _ends(last)
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
        "range_low": picked["value"],
        "range_high": other["value"],
    }


def with_shared_scale(frame: pl.DataFrame, first: str, last: str) -> pl.DataFrame:
    """Gives the first end of a range the scale of the last: `5 to 6 million`."""
    a, b = _named(first), _named(last)
    frame = frame.with_columns(a("k", a("k") + a("shared")), a("s", a("s") + a("shared")))
    top = a("s") + a("z")
    # Ends that fall, or do with the scale of both, are for the slow way to judge.
    rising = scaled(a("m"), a("k")) <= scaled(b("m"), b("k"))
    falling = ~rising & ((b("sign") > 0) | (b("m") == 0) | (a("shared") > 0))
    within = a("k").is_between(-21, 22) & top.is_between(-21, 22)
    return frame.with_columns(a("fast", a("fast") & within & ~falling))


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


def _length(text: pl.Expr) -> pl.Expr:
    return text.str.len_bytes().cast(pl.Int64)


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


def _ends(role: str) -> Fields:
    c = _named(role)
    return {name: c(name) for name in ("value", "low", "high", "low_closed", "high_closed")} | _steps(c)


def _steps(c: _named) -> Fields:
    def size(exponent: pl.Expr) -> pl.Expr:
        """Ten to this power."""
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
