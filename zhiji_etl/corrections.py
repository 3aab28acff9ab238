"""Known slips of a source, declared in `schemas/corrections.toml`: raw files stay as they were printed.

In: `[[correction]]` entries and raw rows. Out: rows whose printed text, size or presence is corrected (the original in
`corrected_from`), and findings of the kind `correction`: what was applied (info), and what was not, because the source
no longer prints what the correction expects (warning). A row is meant by source, entity, metric and period as they
stand in the raw file, and by what is printed there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import polars as pl
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from zhiji_etl.errors import ProjectError
from zhiji_etl.figures import AMOUNT_FIELDS, PARSED_FIELDS, Severity, Verdict
from zhiji_etl.findings import as_findings, is_inconsistent
from zhiji_etl.sources.names import nearest, safe_terminal

FILE: Final = "corrections.toml"
ACTIONS: Final = ("override", "scale", "drop", "accept")
PLACE: Final = ("source", "entity", "metric", "period")
KIND: Final = "correction"
ACCEPTED: Final = " Accepted: "
"""What stands in a message before the reason for which its finding is accepted."""

DROPPED: Final = "dropped_by_correction"

WORKING: Final[dict[str, pl.DataType]] = {
    "__factor": pl.Float64(),
    "__divisor": pl.Float64(),
    "__dropped": pl.String(),
}
"""Columns that `amended` adds to the rows for a while."""

_KEYS: Final = {"__entity": "entity", "__metric": "metric", "__period": "period", "__print": "printed"}
_TABLE: Final = {**dict.fromkeys((*_KEYS, "__override"), pl.String()), **WORKING}


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int | date) and not isinstance(value, bool) else value


def _as_number(value: object) -> object:
    return Decimal(value) if isinstance(value, int | str) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_as_text), Field(min_length=1, pattern=r"\S")]


class Correction(BaseModel):
    """One `[[correction]]`: which figure, what it is expected to print, one thing to do, why, and who reported it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    source: Text
    entity: Text
    metric: Text
    period: Text
    expect: Text
    why: Text
    reported_by: Text
    override: Text | None = None
    scale: Annotated[Decimal, BeforeValidator(_as_number), Field(gt=0, allow_inf_nan=False)] | None = None
    drop: Literal[True] | None = None
    accept: Text | None = None

    @model_validator(mode="after")
    def _one_action(self) -> Correction:
        given = [name for name in ACTIONS if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"needs exactly one of {', '.join(ACTIONS)}, and has {found}")
        return self

    @property
    def action(self) -> str:
        """Which one of ACTIONS it is."""
        return next(name for name in ACTIONS if getattr(self, name) is not None)

    @property
    def place(self) -> tuple[str, ...]:
        """The figure that is meant: source, entity, metric, period and the printed text."""
        return tuple(str(getattr(self, name)).strip() for name in (*PLACE, "expect"))


class CorrectionFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    correction: list[Correction] = Field(default_factory=list)


def read_corrections(path: Path) -> tuple[Correction, ...]:
    """Read the file, if there is one; `ProjectError` `corrections_invalid` lists all problems with their lines."""
    if not path.is_file():
        return ()
    try:
        text = path.read_text(encoding="utf-8-sig")
        found = tuple(CorrectionFile.model_validate(tomllib.loads(text, parse_float=Decimal)).correction)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        raise _invalid([_sentence(problem, text) for problem in problems], _hint(problems)) from None
    except (OSError, ValueError, RecursionError) as error:
        raise _invalid([f"cannot be read: {error}"], "This is not TOML; texts stand in double quotes.") from None
    _refuse_twice(found, text)
    return found


def amended(rows: pl.LazyFrame, source: str, corrections: Iterable[Correction]) -> pl.LazyFrame:
    """Raw rows of a source with `printed` corrected and the original in `corrected_from`, null where nothing was.

    Adds WORKING, which `rescaled` and the split into figures and rejects use.
    """
    mine = [one for one in corrections if one.source.strip() == source and one.action != "accept"]
    if not mine:
        nothing = {name: pl.lit(None, dtype) for name, dtype in WORKING.items()}
        return rows.with_columns(**nothing, corrected_from=pl.lit(None, pl.String))
    table = pl.LazyFrame([(*one.place[1:], *_amendment(one)) for one in mine], schema=_TABLE, orient="row")
    keyed = rows.with_columns(pl.col(ours).str.strip_chars().alias(key) for key, ours in _KEYS.items())
    joined = keyed.join(table, on=list(_KEYS), how="left", maintain_order="left")
    touched = pl.col("__override").is_not_null() | pl.col("__factor").is_not_null()
    return joined.with_columns(
        corrected_from=pl.when(touched).then("printed"), printed=pl.coalesce("__override", "printed")
    ).drop("__override", *_KEYS)


def rescaled(rows: pl.DataFrame, corrections: Iterable[Correction]) -> pl.DataFrame:
    """Rows after reading: in `read` (PARSED_FIELDS), each amount multiplied where a correction scales its row."""
    if all(one.scale is None for one in corrections):
        return rows
    read = pl.col("read")
    scaled = {name: read.struct.field(name) for name in PARSED_FIELDS} | _times(read)
    scaled["restated"] = _struct(_times(read.struct.field("restated")))
    return rows.with_columns(read=pl.when(pl.col("__factor").is_not_null()).then(_struct(scaled)).otherwise(read))


def with_outcomes(
    found: Iterable[pl.DataFrame], rows: pl.DataFrame, corrections: Sequence[Correction], rules: Collection[str] = ()
) -> list[pl.DataFrame]:
    """Findings (FINDING_COLUMNS) with those accepted that a correction accepts, and one for each other correction.

    `rows` are all raw rows after `amended`. An accepted finding keeps its verdict; its severity becomes info. `rules`
    are the names of all rules that are declared, for a correction that accepts none of them.
    """
    frames = list(found)
    if not corrections:
        return frames
    printed = rows.select(
        *(pl.col(name).str.strip_chars() for name in PLACE),
        "row_id",
        print=pl.coalesce("corrected_from", "printed").str.strip_chars(),
    )
    for one in corrections:
        there = printed.filter(pl.all_horizontal(pl.col(name) == getattr(one, name).strip() for name in PLACE))
        meant = there.filter(pl.col("print") == one.expect.strip())
        accepting = one.accept is not None and meant.height > 0
        masks = [_is_accepted(one, meant) if accepting else pl.lit(value=False)] * len(frames)
        hits = sum(frame.filter(mask).height for frame, mask in zip(frames, masks, strict=True))
        frames = [_accepted(frame, mask, one) for frame, mask in zip(frames, masks, strict=True)] if hits else frames
        if not hits:
            frames.append(_finding(one, there, meant, rules))
    return frames


# ------------------------------------------------------------------------------------------------------ amendments


def _amendment(one: Correction) -> tuple[str | None, float | None, float | None, str | None]:
    # Numerator and denominator apart: one rounding for 10^n, where a factor such as 0.1 would round twice.
    factor = None if one.scale is None else Fraction(one.scale)
    ends = (None, None) if factor is None else (float(factor.numerator), float(factor.denominator))
    return one.override, *ends, _reason(one) if one.drop else None


def _reason(one: Correction) -> str:
    return f"{one.why.rstrip('.')} (reported by {one.reported_by})."


def _struct(fields: Mapping[str, pl.Expr]) -> pl.Expr:
    return pl.struct(field.alias(name) for name, field in fields.items())


def _times(amount: pl.Expr) -> dict[str, pl.Expr]:
    fields = {name: amount.struct.field(name) for name in AMOUNT_FIELDS}
    numbers = {
        name: field * pl.col("__factor") / pl.col("__divisor")
        for name, field in fields.items()
        if AMOUNT_FIELDS[name] == pl.Float64
    }
    return {**fields, **numbers}


# -------------------------------------------------------------------------------------------------------- findings


def _is_accepted(one: Correction, meant: pl.DataFrame) -> pl.Expr:
    figures = [row * 2 + second for row in meant.get_column("row_id") for second in (0, 1)]
    about = pl.col("figures").list.eval(pl.element().is_in(figures)).list.any()
    rule = (pl.col("rule") == one.accept) | pl.col("rule").str.starts_with(f"{one.accept}.")
    return (about & rule & is_inconsistent()).fill_null(value=False)


def _accepted(frame: pl.DataFrame, mask: pl.Expr, one: Correction) -> pl.DataFrame:
    quiet = pl.lit(Severity.INFO.value).cast(frame.schema["severity"])
    noted = pl.concat_str(pl.col("message"), pl.lit(f"{ACCEPTED}{_reason(one)}"))
    return frame.with_columns(
        severity=pl.when(mask).then(quiet).otherwise("severity"),
        message=pl.when(mask).then(noted).otherwise("message"),
    )


def _finding(one: Correction, there: pl.DataFrame, meant: pl.DataFrame, rules: Collection[str]) -> pl.DataFrame:
    """What became of one correction: applied, or why not."""
    applied = meant.height > 0 and one.accept is None
    row: dict[str, Any] = {
        "kind": KIND,
        "rule": f"{one.metric}.{one.action}",
        "entity": one.entity,
        "period": one.period,
        "verdict": (Verdict.CONSISTENT if applied else Verdict.INCONSISTENT).value,
        "severity": (Severity.INFO if applied else Severity.WARNING).value,
        "figures": [number * 2 for number in meant.get_column("row_id")] if not one.drop else [],
        "message": _done(one) if applied else _undone(one, there, meant, rules),
    }
    return as_findings(pl.DataFrame([row], schema_overrides={"figures": pl.List(pl.UInt64)}))


def _done(one: Correction) -> str:
    what = {
        "override": f"is corrected to “{one.override}”",
        "scale": f"is multiplied by {one.scale}",
        "drop": "is left out",
    }
    return f"“{one.expect}” {what[one.action]}: {_reason(one)}"


def _undone(one: Correction, there: pl.DataFrame, meant: pl.DataFrame, rules: Collection[str]) -> str:
    """Why a correction was not applied; it can be taken out of the file, or must be thought over."""
    if one.accept is not None and meant.height:
        which = "that rule" if one.accept.partition(".")[0] in rules else f"that name{_no_rule(one.accept, rules)}"
        return f"A correction accepts {one.accept}, and no finding of {which} about “{one.expect}” is inconsistent."
    prints = there.get_column("print").drop_nulls().unique(maintain_order=True)
    now = ", ".join(f"“{text}”" for text in prints) or "no such figure"
    return f"{one.source} prints {now}, where a correction expects “{one.expect}”: it was not applied. {_reason(one)}"


def _no_rule(name: str, rules: Collection[str]) -> str:
    """Findings have other names, too, such as sales_in_USD: only a rule of schemas/ can be told to be none."""
    near = nearest(name, rules)
    return f" (no rule of schemas/ has it; did you mean {near}?)" if near else " (no rule of schemas/ has it)"


# ---------------------------------------------------------------------------------------------------- a broken file


def _refuse_twice(found: Sequence[Correction], text: str) -> None:
    """Two amendments of one figure would be applied in an order that nobody chose."""
    amending = [(one.place, number) for number, one in enumerate(found) if one.action != "accept"]
    first: dict[tuple[str, ...], int] = {}
    twice = [(number, first[place]) for place, number in amending if first.setdefault(place, number) != number]
    if twice:
        lines = _headers(text)
        said = [f"line {lines[number]}: corrects the same figure as line {lines[other]}" for number, other in twice]
        raise _invalid(said, "Keep one of them.")


def _invalid(problems: Iterable[str], hint: str | None) -> ProjectError:
    told_all = "\n".join(safe_terminal(f"schemas/{FILE} {problem}") for problem in problems)
    return ProjectError("corrections_invalid", told_all, hint=hint)


def _sentence(problem: ErrorDetails, text: str) -> str:
    keys = [part for part in problem["loc"] if isinstance(part, str)]
    line = _line(problem, text)
    place = f"line {line}: " if line else ""
    if problem["type"] == "extra_forbidden":
        known = Correction.model_fields if len(problem["loc"]) > 1 else CorrectionFile.model_fields
        near = nearest(keys[-1], known)
        return f"{place}unknown key '{keys[-1]}'" + (f", did you mean '{near}'?" if near else "")
    if problem["type"] == "missing":
        return f"{place}the key '{keys[-1]}' is missing"
    if problem["type"] == "value_error":
        return f"{place}the correction {problem['msg'].removeprefix('Value error, ')}"
    found = problem["input"]
    shown = found if isinstance(found, Decimal) else repr(found)
    return f"{place}'{keys[-1]}' is {str(shown)[:80]}: {EXPECTATIONS.get(keys[-1], 'it must be a text')}"


EXPECTATIONS: Final = {
    "scale": "it must be a number above 0, as 1000 or 0.001",
    "drop": "it can only be true",
    "accept": 'it must be the name of a rule, as "share_vs_sales"',
    "correction": "each correction begins with [[correction]]",
}


def _hint(problems: Iterable[ErrorDetails]) -> str | None:
    if any(problem["type"] in ("extra_forbidden", "missing") for problem in problems):
        return f"The keys of a correction: {', '.join(Correction.model_fields)}."
    return None


def _headers(text: str) -> list[int]:
    lines = enumerate(text.splitlines(), start=1)
    return [number for number, line in lines if re.match(r"\s*\[\[\s*correction\s*\]\]", line)]


def _line(problem: ErrorDetails, text: str) -> int:
    """The line of a key below its header, the header's where the key is absent, 0 where none can be found."""
    headers, numbers = _headers(text), [part for part in problem["loc"] if isinstance(part, int)]
    lines = text.splitlines()
    start = headers[numbers[0]] if numbers and numbers[0] < len(headers) else 0
    end = next((number for number in headers if number > start), len(lines) + 1) if start else len(lines) + 1
    key = re.escape(str(problem["loc"][-1]))
    keyed = (number for number in range(start + 1, end) if re.match(rf"\s*[\"']?{key}[\"']?\s*=", lines[number - 1]))
    return next(keyed, start)
