"""Findings: conclusions of every kind in one frame, with an id that stays and a sentence that a person reads.

In: judged rows with any of FINDING_COLUMNS. Out: FINDING_COLUMNS, the loudest first. The reasons for which
nothing could be checked stand in REASONS.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import polars as pl

from zhiji_etl.figures import FINDING_COLUMNS, SEVERITY, Reason, Severity, Verdict
from zhiji_etl.wording import wording

REASONS: Final[Mapping[str, str]] = wording().table("reasons")

DETAILS: Final = ("alternative", "implied_rate", "conflict")
"""Kinds that explain other findings: they are told with those, and not counted beside them. A conflict that no other
finding tells of is louder than info, and counts."""

LOUDNESS: Final[Mapping[str, int]] = {
    Verdict.INCONSISTENT.value: 0,
    Verdict.TOO_IMPRECISE.value: 1,
    Verdict.NOT_CHECKABLE.value: 2,
    Verdict.CONSISTENT.value: 3,
}


SCALES: Final = tuple((float(size), f" {word}") for size, word in wording().scales)
"""Sizes that a message writes as a word, the largest first."""

SHARED_WITHIN, SHARED_ACROSS = 1, 2
"""How many figures a finding shares at least with the conflict of its group of rules: of an entity with itself any one,
else two, as all share the market."""

DIGITS: Final = 7
"""Significant digits of a number in a message."""

UNGROUPED: Final = 10_000
"""In a number of four digits a comma helps nobody."""

THOUSANDS: Final = r"^(-?\d{2,3})(\d{3})(\.|$)"
ENDS: Final = ("stated_low", "stated_high", "implied_low", "implied_high")


def changed_together(conflict: Mapping[str, Any]) -> list[str]:
    """The sets of figures of which all must change, as a conflict's message lists them; none where one figure suffices.

    >>> changed_together({"resolved_by": [], "message": "cannot hold together: a, b. To change: a and c; or b and c."})
    ['a and c', 'b and c']
    """
    told = (conflict["message"] or "").partition(" To change: ")[2].removesuffix(".")
    return told.split("; or ") if told and not conflict["resolved_by"] else []


def as_findings(judged: pl.DataFrame) -> pl.DataFrame:
    """A frame with some of FINDING_COLUMNS as one with all of them: null where absent, id and message made.

    A column `remark` holds sentences to add to the message.
    """
    if judged.is_empty():
        return empty()
    remark = pl.format(" {}", "remark") if "remark" in judged.columns else pl.lit(None, pl.String)
    columns = [
        (pl.col(name) if name in judged.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in FINDING_COLUMNS.items()
    ]
    full = judged.select(*columns, remark=remark)
    ends = legible(pl.concat([full.get_column(name) for name in ENDS]))
    texts = [ends.slice(at * full.height, full.height).alias(f"__{name}") for at, name in enumerate(ENDS)]
    full = full.with_columns(texts).with_columns(**_bounds())
    message = pl.coalesce("message", _message()) + pl.col("remark").fill_null("")
    return full.with_columns(message=message, finding_id=_identity()).select(FINDING_COLUMNS.keys())


def all_as_findings(judged: Iterable[pl.DataFrame]) -> list[pl.DataFrame]:
    """Several frames as findings, on all cores."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(as_findings, judged))


def gathered(findings: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """All findings in one order: by verdict and severity, the loudest first, then by strain, rule, entity, period."""
    # In one piece: Polars puts lists of structs in another order ten times as fast so.
    together = pl.concat([pl.DataFrame(schema=FINDING_COLUMNS), *findings], rechunk=True)
    ordered = together[_loudest_first(together)]
    if ordered.get_column("finding_id").hash().is_first_distinct().all():
        return ordered
    repeated = pl.int_range(pl.len()).over("finding_id")
    numbered = pl.when(repeated > 0).then(pl.format("{}#{}", "finding_id", repeated + 1)).otherwise("finding_id")
    return ordered.with_columns(finding_id=numbered)


def is_main() -> pl.Expr:
    """Whether a finding stands for itself, instead of explaining another one."""
    loud = pl.col("severity").cast(pl.String) != Severity.INFO.value
    return ~pl.col("kind").is_in(DETAILS) | ((pl.col("kind") == "conflict") & loud)


def at_or_above(findings: pl.DataFrame, severity: Severity) -> pl.DataFrame:
    """The inconsistent findings, and the checks that could not run, that are at least this severe."""
    loud = pl.col("severity").to_physical() >= pl.lit(severity.value, SEVERITY).to_physical()
    return findings.filter(is_failure() & loud)


def is_inconsistent() -> pl.Expr:
    """Whether that is the verdict of a finding."""
    return pl.col("verdict").cast(pl.String) == Verdict.INCONSISTENT.value


def is_failure() -> pl.Expr:
    """Whether a finding makes a run fail, where it is severe enough: inconsistent, or a check that could not run."""
    broken = pl.col("reason").cast(pl.String) == Reason.NON_NUMERIC.value
    return is_inconsistent() | broken.fill_null(value=False)


def figures_of(finding: Mapping[str, Any], figures: pl.DataFrame) -> list[dict[str, Any]]:
    """The figures (FIGURE_COLUMNS) of a finding, in its order."""
    numbers = finding["figures"] or []
    known = {row["figure_id"]: row for row in figures.filter(pl.col("figure_id").is_in(numbers)).to_dicts()}
    return [known[number] for number in numbers if number in known]


def alternatives_of(finding: Mapping[str, Any], findings: pl.DataFrame) -> pl.DataFrame:
    """What was found of each alternative of a rule, or of each method of a restatement; no rows for any other kind."""
    return findings.filter(
        pl.lit(finding["kind"] in ("rule", "restatement"))
        & (pl.col("kind") == "alternative")
        & pl.col("rule").str.starts_with(f"{finding['rule']}.")
        & pl.col("entity").eq_missing(pl.lit(finding["entity"]))
        & pl.col("period").eq_missing(pl.lit(finding["period"]))
    )


def conflicts_of(finding: Mapping[str, Any], findings: pl.DataFrame) -> pl.DataFrame:
    """The conflicts of the group of rules that a finding which is wrong is one of."""
    if finding["kind"] == "conflict" or finding["verdict"] != Verdict.INCONSISTENT.value or not finding["figures"]:
        return findings.clear()
    within = pl.col("entity") == pl.lit(finding["entity"], pl.String)
    least = pl.when(within).then(SHARED_WITHIN).otherwise(SHARED_ACROSS)
    shared = pl.col("figures").list.set_intersection(finding["figures"]).list.len()
    return findings.filter((pl.col("kind") == "conflict") & (shared >= least))


def _loudest_first(findings: pl.DataFrame) -> pl.Series:
    """The numbers of the rows in order: by verdict, severity and strain, and those alike by what they are about."""
    volume = findings.select(_volume()).to_series()
    order = volume.arg_sort()
    ranked = volume.gather(order)
    alike = (ranked == ranked.shift(1)).fill_null(value=False) | (ranked == ranked.shift(-1)).fill_null(value=False)
    rows = order.filter(alike)
    # Of one rule, entity and period only the kind is left to tell findings apart.
    named = findings.select("rule", "entity", "period", "kind")[rows].with_columns(rows.alias("__row"))
    within = named.select(pl.arg_sort_by(ranked.filter(alike), "rule", "entity", "period", "kind", "__row"))
    return order.scatter(alike.arg_true(), rows.gather(within.to_series()))


def _volume() -> pl.Expr:
    """Verdict, severity and strain as one number, the loudest first: that is sorted far faster than three columns."""
    loudness = pl.col("verdict").cast(pl.String).replace_strict(LOUDNESS, return_dtype=pl.UInt8)
    quiet = len(Severity) * loudness + (len(Severity) - 1 - pl.col("severity").to_physical())
    strain = pl.col("strain").fill_null(0.0)
    # The bits of floats that are not negative stand in the order of the floats.
    size = strain.abs().reinterpret(dtype=pl.Int64)
    return quiet.cast(pl.Int128) * 2**64 - pl.when(strain < 0).then(-size).otherwise(size).cast(pl.Int128)


def _identity() -> pl.Expr:
    parts = ["rule", "entity", "period"]
    return pl.concat_str(pl.col("kind"), *(pl.col(part).fill_null("") for part in parts), separator=":")


def _bounds() -> dict[str, pl.Expr]:
    """`printed 22.65 to 22.75, implied 24.2 percent`, made once for all verdicts."""
    stated, implied = between("stated_low", "stated_high"), between("implied_low", "implied_high")
    return {"__bounds": pl.format("printed {}, implied {}{}", stated, implied, _spaced_unit())}


def _message() -> pl.Expr:
    reason = pl.col("reason").cast(pl.String).replace_strict(REASONS, default="unknown", return_dtype=pl.String)
    verdict = pl.col("verdict").cast(pl.String)
    digits = pl.format("{} last digits apart", number(pl.col("gap_steps"), 3))
    percent = pl.format("{} % apart", number(pl.col("gap_relative") * 100, 3))
    return (
        pl.when(verdict == Verdict.INCONSISTENT.value)
        .then(pl.format("{}: {}.", "__bounds", pl.coalesce(digits, percent)))
        .when(verdict == Verdict.TOO_IMPRECISE.value)
        .then(pl.format("{}: {} would go unnoticed.", "__bounds", _unnoticed()))
        .when(verdict == Verdict.CONSISTENT.value)
        .then(pl.format("{}: they agree.", "__bounds"))
        .otherwise(pl.format("not checkable: {}.", reason))
    )  # fmt: skip


def _spaced_unit() -> pl.Expr:
    unit = pl.col("unit").fill_null("")
    return pl.when(unit == "").then(unit).otherwise(pl.format(" {}", unit))


def _unnoticed() -> pl.Expr:
    bounded = pl.format("an error below {} %", number(pl.col("mde") * 100, 3))
    return pl.when(pl.col("mde").is_finite()).then(bounded).otherwise(pl.lit("an error of any size"))


def between(low: str, high: str) -> pl.Expr:
    """Two ends as text: `22.65 to 22.75`, `above 10 billion`, `below 5`, `anything`.

    In: both ends, and each as `legible` text under its name with two underscores before it.
    """
    first, last, least, most = pl.col(low), pl.col(high), pl.col(f"__{low}"), pl.col(f"__{high}")
    return (
        pl.when(first.is_infinite(), last.is_infinite())
        .then(pl.lit("anything"))
        .when(last.is_infinite())
        .then(pl.format("above {}", least))
        .when(first.is_infinite())
        .then(pl.format("below {}", most))
        .when(first == last)
        .then(least)
        .otherwise(pl.format("{} to {}", least, most))
    )


def legible(values: pl.Series) -> pl.Series:
    """Floats as a person writes them: `1.001181 trillion`, `184,999.5`, `22.65`."""
    # Rounded first: 999,999.96 to seven digits is a million.
    rounded = values.round_sig_figs(DIGITS).to_frame("value").with_columns(magnitude=pl.col("value").abs())
    size = pl.lit(1.0)
    for scale, _ in reversed(SCALES):
        size = pl.when(pl.col("magnitude") >= scale).then(scale).otherwise(size)
    size = pl.when(pl.col("magnitude").is_finite()).then(size).otherwise(1.0)
    sized = rounded.with_columns(size=size).with_columns(scaled=pl.col("value") / pl.col("size"))
    text = sized.select(number(pl.col("scaled"))).to_series()
    grouped = sized.select((pl.col("size") == 1.0) & (pl.col("magnitude") >= UNGROUPED)).to_series().arg_true()
    text = text.scatter(grouped, text.gather(grouped).str.replace(THOUSANDS, "${1},${2}${3}"))
    return text + sized.get_column("size").replace_strict({1.0: "", **dict(SCALES)}, return_dtype=pl.String)


def number(value: pl.Expr, digits: int = DIGITS) -> pl.Expr:
    """A float as short text: so many significant digits, no trailing `.0`."""
    # Rounding a large number to significant digits leaves a tail in the binary fraction; whole numbers have none.
    rounded = value.round_sig_figs(digits)
    rounded = pl.when(value.abs() >= 10**digits).then(rounded.round()).otherwise(rounded)
    # Zero has a sign, too; to add zero takes it away.
    return (rounded + 0.0).cast(pl.String).str.strip_suffix(".0")


def empty() -> pl.DataFrame:
    """No findings."""
    return pl.DataFrame(schema=FINDING_COLUMNS)
