"""A column of printed texts, read at column speed.

In: a String series. Out: a Struct series of `figures.PARSED_FIELDS`, row for row what `parse` says of each text: values
are the correctly rounded floats of its exact decimals.

The grammar reads each distinct shape once; Polars takes out the digits and computes with the meaning of the shape. A
value of at most 14 digits and a power of ten up to 22 is one exact multiplication or division of floats, rounded once.
Longer numbers, sums, fractions and words are made by the same code as single texts, once per distinct text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import polars as pl

from zhiji_etl.errors import FigureError
from zhiji_etl.figures import AMOUNT_FIELDS, PARSED_FIELDS, Figure, Qualifier
from zhiji_etl.reading.arithmetic import AMOUNT, fields, span_fields, with_number, with_shared_scale
from zhiji_etl.reading.cells import LONGEST, Rounding, options, parse, reader_of, told
from zhiji_etl.reading.folding import MARK, folds, number_pattern
from zhiji_etl.reading.meanings import Amount, Number, Options, Problem

PARSED: Final = pl.Struct(PARSED_FIELDS)
_RESTATED: Final = pl.Struct(AMOUNT_FIELDS)
_FOLDED: Final = r"[^\x20-\x7e]|#|@"
_CHUNK: Final = 250_000
_REFUSED, _SINGLE, _RANGE, _PAIR, _SLOW = range(5)


def parse_series(
    texts: pl.Series,
    *,
    currency: str | None = None,
    scale: str | None = None,
    unit: str | None = None,
    decimals: int | pl.Series | None = None,
    rounding: Rounding = "nearest",
    decimal_comma: bool = False,
) -> pl.Series:
    """Each text of a column as a struct of `figures.PARSED_FIELDS`; the options are those of `parse`.

    `decimals` may be a series of whole numbers, one for each text, null where nothing is declared. Where a text is no
    figure, `code` and `reason` say why and the other fields are null; a null text gives a null struct. Raises
    `FigureError` only where an option itself is wrong (`unknown_scale`).
    """
    chosen = options(currency, scale, unit, decimal_comma)
    frame = pl.DataFrame({"text": texts.cast(pl.String), "decimals": _declared(decimals, len(texts))})
    keywords = {
        "currency": currency,
        "scale": scale,
        "unit": unit,
        "rounding": rounding,
        "decimal_comma": decimal_comma,
    }
    parts = [
        _parsed(frame.slice(start, _CHUNK), chosen, rounding == "truncation", keywords)
        for start in range(0, max(len(frame), 1), _CHUNK)
    ]
    return pl.concat(parts).alias(texts.name)


# ---- one chunk -----------------------------------------------------------------------------------


def _parsed(frame: pl.DataFrame, chosen: Options, truncated: bool, keywords: dict[str, Any]) -> pl.Series:
    shaped = _with_shapes(frame, chosen)
    meanings = _meanings(shaped["shape"], chosen)
    shaped = shaped.join(meanings, on="shape", how="left", maintain_order="left").with_row_index("row")
    classes = shaped["class"].unique().drop_nulls().to_list()
    done = [_read(shaped.filter(pl.col("class") == kind), kind, chosen, truncated) for kind in classes if kind != _SLOW]
    fast = [part.filter("exact").select("row", "result") for part in done]
    rest = [shaped.filter(pl.col("text").is_not_null() & ((pl.col("class") == _SLOW) | pl.col("class").is_null()))]
    rest += [
        shaped.join(part.filter(~pl.col("exact")), on="row", how="semi") for part in done if not part["exact"].all()
    ]
    results = [*fast, *(_slowly(part, keywords) for part in rest if len(part))]
    nulls = shaped.filter(pl.col("text").is_null()).select("row", result=pl.lit(None, PARSED))
    return pl.concat([*results, nulls]).sort("row")["result"]


def _with_shapes(frame: pl.DataFrame, chosen: Options) -> pl.DataFrame:
    text = pl.col("text")
    folded = text
    if frame["text"].str.contains(_FOLDED).any():
        table = folds()
        folded = text.str.replace_many([chr(code) for code in table], list(table.values()))
    short = pl.when(text.str.len_chars() <= LONGEST).then(folded)
    pattern = number_pattern(chosen.decimal_comma)
    return frame.with_columns(folded=short).with_columns(shape=pl.col("folded").str.replace_all(pattern, MARK))


def _meanings(shapes: pl.Series, chosen: Options) -> pl.DataFrame:
    rows = [_row(shape, chosen) for shape in shapes.unique().drop_nulls().to_list()]
    return pl.DataFrame(rows, schema=_MEANING_FIELDS, orient="row")


_MEANING_FIELDS: Final[dict[str, Any]] = {
    "shape": pl.String,
    "class": pl.Int8,
    "code": pl.String,
    "reason": pl.String,
    "ambiguous": pl.String,
    **{f"{prefix}_{name}": dtype for prefix in ("main", "high", "again") for name, dtype in AMOUNT.items()},
}
_NO_AMOUNT: Final = (None,) * len(AMOUNT)


def _row(shape: str, chosen: Options) -> tuple[Any, ...]:
    """What the column code needs to know of a shape."""
    result = reader_of(chosen).coarse(shape).result
    if isinstance(result, Problem) and (MARK not in shape[result.start : result.end] or "{}" not in result.message):
        error = FigureError(result.code, told(result.message, shape[result.start : result.end]), hint=result.hint)
        plain = (shape.isascii() and "{}" in result.message) or "{}" not in result.message
        return (
            shape,
            _REFUSED if plain else _SLOW,
            error.code,
            str(error),
            None,
            *_NO_AMOUNT,
            *_NO_AMOUNT,
            *_NO_AMOUNT,
        )
    if not isinstance(result, Amount) or not _plain(result):
        return (shape, _SLOW, None, None, None, *_NO_AMOUNT, *_NO_AMOUNT, *_NO_AMOUNT)
    again = result.restated
    kind = _RANGE if len(result.numbers) > 1 else _SINGLE if again is None else _PAIR
    high = _amount_row(result, 1) if kind == _RANGE else _NO_AMOUNT
    return (
        shape, kind, None, None, ambiguity(result.readings), *_amount_row(result, 0), *high,
        *(_NO_AMOUNT if again is None else _amount_row(again, 0)),
    )  # fmt: skip


def _plain(amount: Amount) -> bool:
    """Whether Polars can compute this amount: every number one literal times a power of ten."""
    again = amount.restated
    if again is not None and (len(amount.numbers) > 1 or len(again.numbers) > 1 or not _plain(again)):
        return False
    return (
        amount.halves is None
        and all(map(_plain_number, amount.numbers))
        and (len(amount.numbers) == 1 or not amount.whole)
    )


def _plain_number(number: Number) -> bool:
    term = number.terms[0]
    simple = len(number.terms) == 1 and number.over is None and number.plus is None
    return simple and term.literal is not None and term.literal < 4 and term.factor == 1 and term.power is None


def _amount_row(amount: Amount, which: int) -> tuple[Any, ...]:
    number = amount.numbers[which]
    term = number.terms[0]
    return (
        term.literal, term.exponent, number.sign, amount.qualifier.value, amount.unit, amount.whole, amount.signless,
        amount.declared, amount.exact, number.open, amount.shared if which == 0 else 0,
    )  # fmt: skip


def ambiguity(readings: tuple[tuple[str, str], ...]) -> str | None:
    """Why a figure is ambiguous, in one line: the reason and the other units."""
    if not readings:
        return None
    return f"{readings[0][1]}: {', '.join(unit for unit, _ in readings)}"


# ---- fast and slow -------------------------------------------------------------------------------


def _read(rows: pl.DataFrame, kind: int, chosen: Options, truncated: bool) -> pl.DataFrame:
    """The rows of one class with `result`, and whether it is `exact`; where not, only the slow way is."""
    if kind == _REFUSED:
        return rows.select(
            "row", exact=pl.lit(True), result=_struct({"code": pl.col("code"), "reason": pl.col("reason")})
        )
    roles = {_SINGLE: ("main",), _RANGE: ("main", "high"), _PAIR: ("main", "again")}[kind]
    literals = _literals(rows, roles, chosen)
    numbers = literals
    for role in roles:
        numbers = with_number(numbers, role, chosen.decimal_comma, declarable=role != "again")
    if kind == _RANGE:
        numbers = with_shared_scale(numbers, "main", "high")
    exact = pl.all_horizontal(pl.col(f"{role}_fast") for role in roles)
    main = span_fields("main", "high", truncated) if kind == _RANGE else fields("main", truncated)
    again = fields("again", truncated) if kind == _PAIR else None
    values: dict[str, pl.Expr] = {**main, "ambiguous": pl.col("ambiguous")}
    if again is not None:
        same = (main["value"] == again["value"]) & (pl.col("main_unit") == pl.col("again_unit"))
        values["restated"] = pl.when(~same).then(_amount_fields(again))
    return numbers.select("row", exact=exact.fill_null(False), result=_struct(values))


def _literals(rows: pl.DataFrame, roles: tuple[str, ...], chosen: Options) -> pl.DataFrame:
    """Takes the numbers out of the texts: the first one directly, others only where a shape needs them."""
    pattern = number_pattern(chosen.decimal_comma)
    if roles == ("main",) and (rows["main_literal"] == 0).all():
        return rows.with_columns(main_text=pl.col("folded").str.extract(f"({pattern})"))
    found = rows.with_columns(found=pl.col("folded").str.extract_all(pattern))
    return found.with_columns(
        pl.col("found").list.get(pl.col(f"{role}_literal"), null_on_oob=True).alias(f"{role}_text") for role in roles
    )


def _amount_fields(values: dict[str, pl.Expr]) -> pl.Expr:
    return pl.struct([values.get(name, pl.lit(None)).cast(dtype).alias(name) for name, dtype in AMOUNT_FIELDS.items()])


def _struct(values: dict[str, pl.Expr]) -> pl.Expr:
    return pl.struct([values.get(name, pl.lit(None)).cast(dtype).alias(name) for name, dtype in PARSED_FIELDS.items()])


def _slowly(rows: pl.DataFrame, keywords: dict[str, Any]) -> pl.DataFrame:
    """The rows that Polars cannot compute exactly, once per distinct text, by the code of `parse`."""
    distinct = rows.select("text", "decimals").unique()
    results = pl.Series("result", list(_structs(distinct, keywords)), PARSED)
    return rows.select("row", "text", "decimals").join(
        distinct.with_columns(results), on=["text", "decimals"], how="left", nulls_equal=True
    ).select("row", "result")  # fmt: skip


def _structs(distinct: pl.DataFrame, keywords: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for text, decimals in distinct.iter_rows():
        try:
            yield figure_struct(parse(text, decimals=decimals, **keywords))
        except FigureError as error:
            yield {"code": error.code, "reason": str(error)}


def figure_struct(figure: Figure) -> dict[str, Any]:
    """One figure as a row of the struct column."""
    row = _amount_struct(figure)
    row["restated"] = None if figure.restated is None else _amount_struct(figure.restated)
    row["ambiguous"] = ambiguity(tuple((reading.unit, reading.reason) for reading in figure.ambiguous))
    return row


def _amount_struct(figure: Figure) -> dict[str, Any]:
    numbers = {name: getattr(figure, name) for name in AMOUNT_FIELDS}
    floats = {name: float(value) for name, value in numbers.items() if name not in _NOT_NUMBERS and value is not None}
    return {**numbers, **floats, "qualifier": Qualifier(figure.qualifier).value}


_NOT_NUMBERS: Final = frozenset({"low_closed", "high_closed", "qualifier", "unit"})


def _declared(decimals: int | pl.Series | None, length: int) -> pl.Series:
    if isinstance(decimals, pl.Series):
        return decimals.cast(pl.Int32)
    return pl.Series([decimals], dtype=pl.Int32).new_from_index(0, length)
