"""A column of printed texts, read at column speed.

In: a String series. Out: a Struct series of `figures.PARSED_FIELDS`, row for row what `parse` says of each text: values
are the correctly rounded floats of its exact decimals.

The grammar reads each distinct shape once; Polars takes out the digits and computes with the meaning of the shape. A
value of at most 14 digits and a power of ten up to 22 is one exact multiplication or division of floats, rounded once.
Longer numbers, sums, fractions and words are made by the same code as single texts, once per distinct text.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, Final

import polars as pl

from zhiji_etl.errors import FigureError
from zhiji_etl.figures import AMOUNT_FIELDS, PARSED_FIELDS, Figure, Qualifier
from zhiji_etl.reading.arithmetic import (
    AMOUNT,
    fields,
    rounded_fields,
    span_fields,
    with_bounds,
    with_number,
    with_open_ends,
    with_shared_scale,
)
from zhiji_etl.reading.cells import LONGEST, Rounding, options, parse, reader_of, told
from zhiji_etl.reading.folding import MARK, RUN_MARKS, ZERO_MARKS, folds, number_pattern
from zhiji_etl.reading.meanings import REFINE, Amount, Meaning, Number, Options, Problem
from zhiji_etl.reading.tokens import Join

PARSED: Final = pl.Struct(PARSED_FIELDS)
_RESTATED: Final = pl.Struct(AMOUNT_FIELDS)
_SMALL, _CHUNK = 20_000, 250_000
"""Rows that are not worth a second thread, and rows that are read at a time."""
_REFUSED, _SINGLE, _BOUNDED, _RANGE, _PAIR, _REFINED, _SLOW = range(7)
"""Classes of shapes: no figure; one rounded number; one with an open end, or truncated; a range; a number and its
restatement; what needs the fine shape; what only the code of single texts can compute."""


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
        "currency": currency, "scale": scale, "unit": unit, "rounding": rounding, "decimal_comma": decimal_comma,
    }  # fmt: skip
    size = max(1, min(_CHUNK, -(-len(frame) // pl.thread_pool_size())) if len(frame) > _SMALL else _SMALL)
    chunks = [frame.slice(start, size) for start in range(0, max(len(frame), 1), size)]
    read = partial(_parsed, chosen=chosen, truncated=rounding == "truncation", keywords=keywords)
    if len(chunks) == 1:
        return read(chunks[0]).alias(texts.name)
    with ThreadPoolExecutor(min(len(chunks), pl.thread_pool_size())) as pool:
        return pl.concat(list(pool.map(read, chunks))).alias(texts.name)


# ---- one chunk ------------------------------------------------------------------------------------------------------


def _parsed(frame: pl.DataFrame, chosen: Options, truncated: bool, keywords: dict[str, Any]) -> pl.Series:
    shaped = _with_shapes(frame, chosen).with_row_index("row")
    results, rest = _pass(shaped, "coarse", chosen, truncated)
    finer, slow = rest.filter(pl.col("class") == _REFINED), rest.filter(pl.col("class") != _REFINED)
    if len(finer):
        found, rest = _pass(_with_fine_shapes(finer.drop("class", "id")), "fine", chosen, truncated)
        results += found
        slow = pl.concat([slow, rest.select(slow.columns)])
    if len(slow):
        results.append(_slowly(slow, keywords))
    results.append(shaped.filter(pl.col("text").is_null()).select("row", result=pl.lit(None, PARSED)))
    return _in_order([part.select("row", "result") for part in results if len(part)], len(frame))


def _pass(
    shaped: pl.DataFrame, style: str, chosen: Options, truncated: bool
) -> tuple[list[pl.DataFrame], pl.DataFrame]:
    """Reads rows by their shapes: results of what Polars computes, and the rows that it cannot."""
    meanings = _meanings(shaped["shape"], style, chosen, truncated)
    shaped = shaped.join(meanings.select("shape", "id", "class"), on="shape", how="left", maintain_order="left")
    shaped = shaped.drop("shape")
    results: list[pl.DataFrame] = []
    unread = pl.col("class").fill_null(_SLOW)
    rest = [shaped.filter(pl.col("text").is_not_null() & (unread >= _REFINED)).with_columns(unread.alias("class"))]
    for kind in shaped["class"].unique().drop_nulls().to_list():
        if kind >= _REFINED:
            continue
        rows = shaped if (shaped["class"] == kind).all(ignore_nulls=False) else shaped.filter(pl.col("class") == kind)
        read = _read(rows, kind, meanings, style, chosen, truncated)
        results.append(read)
        if not read["exact"].all():
            results[-1] = read.filter("exact")
            rest.append(rows.filter(~read["exact"]).with_columns(pl.lit(_SLOW, pl.Int8).alias("class")))
    return results, pl.concat(rest)


def _with_fine_shapes(rows: pl.DataFrame) -> pl.DataFrame:
    """The fine shape in place of the coarse one: a mark for each run of digits.

    The widest runs come first, whole, and keep their first digit until it has told whether it is a zero.
    """
    shape = pl.col("folded")
    for more, mark in (("{3,}", RUN_MARKS[3]), ("{2}", RUN_MARKS[2]), ("{1}", RUN_MARKS[1])):
        shape = shape.str.replace_all(f"([0-9])[0-9]{more}", f"${{1}}{mark}")
    for mark, zero in zip(RUN_MARKS[1:], ZERO_MARKS[1:], strict=True):
        shape = shape.str.replace_all(f"0{mark}", zero, literal=True).str.replace_all(f"[0-9]{mark}", mark)
    shape = shape.str.replace_all("0", ZERO_MARKS[0], literal=True).str.replace_all("[1-9]", RUN_MARKS[0])
    return rows.with_columns(shape=shape)


def _in_order(parts: list[pl.DataFrame], length: int) -> pl.Series:
    """The results in the order of the rows."""
    if not length:
        return pl.Series("result", [], PARSED)
    whole = pl.concat(parts)
    return (whole if whole["row"].is_sorted() else whole.sort("row"))["result"]


def _with_shapes(frame: pl.DataFrame, chosen: Options) -> pl.DataFrame:
    """The folded text and its shape; null where there is no text, or too long a one."""
    text = pl.col("text")
    if frame["text"].str.contains(_foldable()).any():
        table = folds()
        text = text.str.replace_many([chr(code) for code in table], list(table.values()))
    frame = frame.with_columns(folded=text, length=text.str.len_chars())
    if (frame["length"].max() or 0) > LONGEST:  # type: ignore[operator]
        frame = frame.with_columns(folded=pl.when(pl.col("length") <= LONGEST).then("folded"))
    return frame.with_columns(shape=pl.col("folded").str.replace_all(number_pattern(chosen.decimal_comma), MARK))


@cache
def _foldable() -> str:
    """A pattern of all characters that are read as others."""
    codes = sorted({*folds(), ord(MARK), ord("@")})
    starts = [code for code in codes if code - 1 not in set(codes)]
    ends = [code for code in codes if code + 1 not in set(codes)]
    return "[" + "".join(f"\\x{{{first:x}}}-\\x{{{last:x}}}" for first, last in zip(starts, ends, strict=True)) + "]"


# ---- what shapes mean -----------------------------------------------------------------------------------------------


def _meanings(shapes: pl.Series, style: str, chosen: Options, truncated: bool) -> pl.DataFrame:
    """One row for each shape of a chunk: its class, and for what Polars can compute the parameters of its amounts."""
    read = reader_of(chosen).coarse if style == "coarse" else reader_of(chosen).fine
    rows = [_row(shape, read(shape), truncated) for shape in shapes.unique().drop_nulls().to_list()]
    return pl.DataFrame(rows, schema=_MEANING_FIELDS, orient="row").with_row_index("id")


_MEANING_FIELDS: Final[dict[str, Any]] = {
    "shape": pl.String,
    "class": pl.Int8,
    "code": pl.String,
    "reason": pl.String,
    "ambiguous": pl.String,
    "before": pl.Int64,
    "besides": pl.Int64,
    "fraction": pl.String,
    **{f"{prefix}_{name}": dtype for prefix in ("main", "high", "again") for name, dtype in AMOUNT.items()},
}
_NO_AMOUNT: Final = (None,) * len(AMOUNT)


def _row(shape: str, meaning: Meaning, truncated: bool) -> tuple[Any, ...]:
    result = meaning.result
    nothing = (None, None, None, *_NO_AMOUNT, *_NO_AMOUNT, *_NO_AMOUNT)
    if isinstance(result, Problem):
        part = shape[result.start : result.end]
        if "{}" in result.message and not _NUMBER_MARKS.isdisjoint(part):
            return (shape, _SLOW, None, None, None, *nothing)
        message = told(result.message, part)
        return (shape, _REFUSED, result.code, str(FigureError("", message, hint=result.hint)), None, *nothing)
    if result is REFINE:
        return (shape, _REFINED, None, None, None, *nothing)
    if not isinstance(result, Amount) or not _plain(result) or len(meaning.joins or "1") != 1:
        return (shape, _SLOW, None, None, None, *nothing)
    again = result.restated
    kind = _RANGE if len(result.numbers) > 1 else _PAIR if again is not None else _SINGLE
    if kind == _SINGLE and (result.qualifier not in _ROUNDED or truncated):
        kind = _BOUNDED
    return (
        shape, kind, None, None, ambiguity(result.readings), *_printed_at(shape, meaning.joins),
        *_amount_row(result, 0),
        *(_amount_row(result, 1) if kind == _RANGE else _NO_AMOUNT),
        *(_NO_AMOUNT if again is None else _amount_row(again, 0)),
    )  # fmt: skip


_ROUNDED: Final = (Qualifier.EXACT, Qualifier.ABOUT)


def _printed_at(shape: str, joins: tuple[Join, ...] | None) -> tuple[int | None, int | None, str | None]:
    """Where the one number of a shape begins, how many characters stand around it, and for a fine shape whether it has
    decimals (`decimals`, or `only` where nothing stands before the point); null where there are more numbers.
    """
    if joins is None:
        return (shape.index(MARK), len(shape) - 1, None) if shape.count(MARK) == 1 else (None, None, None)
    places = [at for at, character in enumerate(shape) if character in _RUNS]
    start, end, decimals = joins[0]
    fraction = ("only" if end - start == 1 else "decimals") if decimals else "none"
    return places[0], len(shape) - 1 - places[-1] + places[0], fraction


_RUNS: Final = frozenset((*RUN_MARKS, *ZERO_MARKS))
_NUMBER_MARKS: Final = _RUNS | {MARK}


def _plain(amount: Amount) -> bool:
    """Whether Polars can compute this amount: every number one literal times a power of ten."""
    again = amount.restated
    if again is not None and (len(amount.numbers) > 1 or len(again.numbers) > 1 or not _plain(again)):
        return False
    whole_range = len(amount.numbers) > 1 and amount.whole
    return amount.halves is None and not whole_range and all(map(_plain_number, amount.numbers))


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


# ---- fast and slow --------------------------------------------------------------------------------------------------


def _read(
    rows: pl.DataFrame, kind: int, meanings: pl.DataFrame, style: str, chosen: Options, truncated: bool
) -> pl.DataFrame:
    """The rows of one class with `result`, and whether it is `exact`; where not, only the slow way is."""
    if kind == _REFUSED:
        told_why = {name: pl.lit(meanings[name]).gather(pl.col("id")) for name in ("code", "reason")}
        return rows.select("row", exact=pl.lit(True), result=_struct(told_why))
    roles = {_RANGE: ("main", "high"), _PAIR: ("main", "again")}.get(kind, ("main",))
    numbers = _with_parameters(rows, roles, meanings)
    numbers = _with_literals(numbers, roles, chosen) if style == "coarse" else _with_joined(numbers)
    for role in roles:
        numbers = with_number(numbers, role, chosen.decimal_comma and style == "coarse", declarable=role != "again")
    if kind == _RANGE:
        numbers = with_shared_scale(numbers, "main", "high")
    for role in roles:
        numbers = with_bounds(numbers, role, truncated)
        numbers = with_open_ends(numbers, role) if kind in (_BOUNDED, _PAIR) else numbers
    if kind == _RANGE:
        main = span_fields("main", "high")
    else:
        main = rounded_fields("main") if kind == _SINGLE else fields("main")
    values: dict[str, pl.Expr] = {**main, "ambiguous": pl.col("ambiguous")}
    if kind == _PAIR:
        again = fields("again")
        same = (main["value"] == again["value"]) & (pl.col("main_unit") == pl.col("again_unit"))
        values["restated"] = pl.when(~same).then(_amount_fields(again))
    exact = pl.all_horizontal(pl.col(f"{role}_fast").fill_null(False) for role in roles)
    return numbers.select("row", exact=exact, result=_struct(values))


def _with_parameters(rows: pl.DataFrame, roles: tuple[str, ...], meanings: pl.DataFrame) -> pl.DataFrame:
    """Adds what the shapes say of each amount. What is the same for all rows is looked up once."""
    names = ["before", "besides", "fraction", "ambiguous", *(f"{role}_{name}" for role in roles for name in AMOUNT)]
    used = meanings.filter(pl.col("id").is_in(rows["id"].unique().implode()))
    single = [name for name in names if used[name].n_unique() == 1]
    return rows.with_columns(
        pl.lit(used[name][0], meanings.schema[name]).alias(name)
        if name in single
        else pl.lit(meanings[name]).gather(pl.col("id")).alias(name)
        for name in names
    )


def _with_literals(rows: pl.DataFrame, roles: tuple[str, ...], chosen: Options) -> pl.DataFrame:
    """Takes the numbers out of the texts: the only one by its place, others by the pattern of numbers."""
    if roles == ("main",) and not rows["before"].has_nulls():
        text = pl.col("folded").str.slice(pl.col("before"), pl.col("length").cast(pl.Int64) - pl.col("besides"))
        return rows.with_columns(main_text=text)
    found = rows.with_columns(found=pl.col("folded").str.extract_all(number_pattern(chosen.decimal_comma)))
    return found.with_columns(
        pl.col("found").list.get(pl.col(f"{role}_literal"), null_on_oob=True).alias(f"{role}_text") for role in roles
    )


def _with_joined(rows: pl.DataFrame) -> pl.DataFrame:
    """Takes out a number of several runs of digits, with a point for whatever sign stands before its decimals."""
    length = pl.col("length").cast(pl.Int64)
    text = pl.col("folded").str.slice(pl.col("before"), length - pl.col("besides"))
    rows = rows.with_columns(main_text=text)
    whole = pl.col("main_text").str.replace_all("[^0-9]", "")
    last = pl.col("main_text").str.extract("([0-9]+)$")
    cut = whole.str.len_bytes().cast(pl.Int64) - last.str.len_bytes().cast(pl.Int64)
    return rows.with_columns(
        main_text=pl.when(pl.col("fraction") == "none").then(whole)
        .when(pl.col("fraction") == "only").then(pl.lit(".") + whole)
        .otherwise(whole.str.slice(0, cut) + "." + last)
    )  # fmt: skip


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
