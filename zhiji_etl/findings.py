"""Findings: conclusions of every kind in one frame, with an id that stays and a sentence that a person reads.

In: judged rows with any of FINDING_COLUMNS. Out: FINDING_COLUMNS, the loudest first. The reasons for which
nothing could be checked stand in REASONS.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import polars as pl

from zhiji_etl.figures import FINDING_COLUMNS, SEVERITY, Reason, Severity, Verdict
from zhiji_etl.threads import in_threads
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

FURTHER: Final = ((1e-6, 10), (1e-9, 13))
"""Where ends that a message tells apart differ by less than this part of them, it has so many digits instead."""

SAME: Final = 1e-12
"""Ends that differ by less than this part of them differ by what floats add."""

LIMITS: Final[Mapping[str, str]] = {"<=": "at most", "<": "below", ">=": "at least", ">": "above"}
"""What an order says of the figure that it explains, by its symbol."""

UNGROUPED: Final = 10_000
"""In a number of four digits a comma helps nobody."""

FURTHER_COLUMNS: Final = ("remark", "symbol", "vintage")
"""What `as_findings` looks for beside FINDING_COLUMNS."""

SMALL: Final = 10_000
"""Rows below which frames become findings in one."""

THOUSANDS: Final = r"^(-?\d{2,3})(\d{3})(\.|$)"
ENDS: Final = ("stated_low", "stated_high", "implied_low", "implied_high")
ACROSS: Final = (("implied_low", "stated_high"), ("stated_low", "implied_high"))
"""The ends that a gap is between, the greater one first."""


def changed_together(conflict: Mapping[str, Any]) -> list[str]:
    """The sets of figures of which all must change, as a conflict's message lists them; none where one figure suffices.

    >>> changed_together({"resolved_by": [], "message": "cannot hold together: a, b. To change: a and c; or b and c."})
    ['a and c', 'b and c']
    """
    told = (conflict["message"] or "").partition(" To change: ")[2].removesuffix(".")
    return told.split("; or ") if told and not conflict["resolved_by"] else []


def as_findings(judged: pl.DataFrame) -> pl.DataFrame:
    """A frame with some of FINDING_COLUMNS as one with all of them: null where absent, id and message made.

    Further columns are looked for: `remark` holds sentences to add to the message, `symbol` how a rule compares what is
    stated and implied, `vintage` the edition of the figures, which the id and the message tell.
    """
    return empty() if judged.is_empty() else _told(_full(judged))


def all_as_findings(judged: Iterable[pl.DataFrame]) -> list[pl.DataFrame]:
    """Several frames as findings, on all cores; small ones in one frame, since each takes Polars more than its rows."""
    full = [_full(frame) for frame in judged if not frame.is_empty()]
    small = [frame for frame in full if frame.height < SMALL]
    pieces = [*(frame for frame in full if frame.height >= SMALL), *([pl.concat(small)] if small else [])]
    return in_threads(_told, pieces)


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
    return _is(Verdict.INCONSISTENT)


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
    about = "".join(f":{finding[part] or ''}" for part in ("rule", "entity", "period"))
    # What is left of the id is the vintage.
    edition = finding["finding_id"].removeprefix(f"{finding['kind']}{about}").partition("#")[0]
    return findings.filter(
        pl.lit(finding["kind"] in ("rule", "restatement"))
        & (pl.col("kind") == "alternative")
        & pl.col("rule").str.starts_with(f"{finding['rule']}.")
        & pl.col("entity").eq_missing(pl.lit(finding["entity"]))
        & pl.col("period").eq_missing(pl.lit(finding["period"]))
        & (pl.col("finding_id").str.replace(r"#\d+$", "") == _identity(pl.lit(edition)))
    )


def conflicts_of(finding: Mapping[str, Any], findings: pl.DataFrame) -> pl.DataFrame:
    """The conflicts of the group of rules that a finding which is wrong is one of."""
    if finding["kind"] == "conflict" or finding["verdict"] != Verdict.INCONSISTENT.value or not finding["figures"]:
        return findings.clear()
    within = pl.col("entity") == pl.lit(finding["entity"], pl.String)
    least = pl.when(within).then(SHARED_WITHIN).otherwise(SHARED_ACROSS)
    shared = pl.col("figures").list.set_intersection(finding["figures"]).list.len()
    return findings.filter((pl.col("kind") == "conflict") & (shared >= least))


def _full(judged: pl.DataFrame) -> pl.DataFrame:
    """FINDING_COLUMNS and FURTHER_COLUMNS, null where absent."""
    wanted = {**FINDING_COLUMNS, **dict.fromkeys(FURTHER_COLUMNS, pl.String())}
    return judged.select(
        (pl.col(name) if name in judged.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in wanted.items()
    )


def _told(full: pl.DataFrame) -> pl.DataFrame:
    """FINDING_COLUMNS with their ids and messages, from `_full`."""
    apart = _told_apart(full.with_columns(_texts(full, DIGITS))).with_columns(**_bounds())
    edition = pl.format("vintage {}: ", "vintage").fill_null("")
    message = edition + pl.coalesce("message", _message()) + pl.format(" {}", "remark").fill_null("")
    identity = _identity(pl.format("@{}", "vintage").fill_null(""))
    return apart.with_columns(message=message, finding_id=identity).select(FINDING_COLUMNS.keys())


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


def _identity(edition: pl.Expr) -> pl.Expr:
    parts = ["rule", "entity", "period"]
    named = pl.concat_str(pl.col("kind"), *(pl.col(part).fill_null("") for part in parts), separator=":")
    return named + edition


def _texts(findings: pl.DataFrame, digits: int) -> list[pl.Series]:
    """The four ends of each finding as text, under their names with two underscores before them."""
    ends = legible(pl.concat([findings.get_column(name) for name in ENDS]), digits)
    return [ends.slice(at * findings.height, findings.height).alias(f"__{name}") for at, name in enumerate(ENDS)]


def _told_apart(findings: pl.DataFrame) -> pl.DataFrame:
    """More digits where two ends of one side, or those that a gap is between, would look alike."""
    pairs = [("stated_low", "stated_high"), ("implied_low", "implied_high")]
    apart = pl.when(is_inconsistent()).then(pl.min_horizontal(_relative(*two) for two in ACROSS))
    nearest = findings.select(pl.min_horizontal(*(_relative(*pair) for pair in pairs), apart)).to_series()
    for most, digits in FURTHER:
        rows = (nearest < most).fill_null(value=False).arg_true()
        if rows.len():
            texts = _texts(findings[rows], digits)
            findings = findings.with_columns(findings.get_column(one.name).scatter(rows, one) for one in texts)
    return findings


def _relative(one: str, other: str) -> pl.Expr:
    """How far apart two ends are, in parts of the larger one; null where they are the same, or one is unbounded."""
    size = pl.max_horizontal(pl.col(one).abs(), pl.col(other).abs())
    apart = (pl.col(one) - pl.col(other)).abs() / size
    return pl.when(apart.is_finite(), apart > SAME).then(apart)


def _bounds() -> dict[str, pl.Expr]:
    """`printed 22.65 to 22.75, implied 24.2 percent`, made once for all verdicts; of an order the limit."""
    stated, implied = between("stated_low", "stated_high"), between("implied_low", "implied_high")
    upper = pl.col("symbol").is_in(["<=", "<"])
    limit = pl.when(upper).then("__implied_high").otherwise("__implied_low")
    bounded = pl.when(upper).then("implied_high").otherwise("implied_low").is_finite()
    word = pl.col("symbol").replace_strict(LIMITS, default=None, return_dtype=pl.String)
    unlimited = pl.when(word.is_not_null() & ~bounded).then(pl.lit("by the rule anything"))
    ordered = unlimited.otherwise(pl.format("by the rule {} {}", word, limit))
    told = pl.coalesce(ordered, pl.format("implied {}", implied))
    return {"__bounds": pl.format("printed {}, {}{}", stated, told, _spaced_unit())}


def _message() -> pl.Expr:
    reason = pl.col("reason").cast(pl.String).replace_strict(REASONS, default="unknown", return_dtype=pl.String)
    return (
        pl.when(is_inconsistent())
        .then(pl.format("{}: {}.", "__bounds", _apart()))
        .when(_is(Verdict.TOO_IMPRECISE))
        .then(pl.format("{}: {} would go unnoticed.", "__bounds", _unnoticed()))
        .when(_is(Verdict.CONSISTENT))
        .then(pl.format("{}: they agree.", "__bounds"))
        .otherwise(pl.format("not checkable: {}.", reason))
    )  # fmt: skip


def _apart() -> pl.Expr:
    """How far apart two sides are that do not meet. Two prints can share an end, and an end can be excluded."""
    steps, relative = number(_where(is_inconsistent(), "gap_steps"), 3), _where(is_inconsistent(), "gap_relative")
    digits = pl.format(
        "{} last {} apart", steps, pl.when(steps == "1").then(pl.lit("digit")).otherwise(pl.lit("digits"))
    )
    measured = relative.is_finite() & (relative > 0)
    percent = pl.when(measured).then(pl.format("{} % apart", number(relative * 100, 3)))
    above, below = (pl.col(one) - pl.col(other) for one, other in ACROSS)
    size = pl.min_horizontal(pl.col(name).abs() for pair in ACROSS for name in pair)
    return (
        pl.when(pl.max_horizontal(above, below) > SAME * size)
        .then(pl.coalesce(digits, percent, pl.lit("they do not meet")))
        .when(pl.col("kind") == "duplicate")
        .then(pl.lit("printed to the same digit, with another value"))
        .otherwise(pl.lit("they touch, if at all, at an end that is excluded"))
    )


def _is(verdict: Verdict) -> pl.Expr:
    return pl.col("verdict") == verdict.value


def _where(condition: pl.Expr, name: str) -> pl.Expr:
    """A column where it is told, null elsewhere: to write numbers that nobody reads would take longer than all else."""
    return pl.when(condition).then(pl.col(name))


def _spaced_unit() -> pl.Expr:
    unit = pl.col("unit").fill_null("")
    return pl.when(unit == "").then(unit).otherwise(pl.format(" {}", unit))


def _unnoticed() -> pl.Expr:
    bounded = pl.format("an error below {} %", number(_where(_is(Verdict.TOO_IMPRECISE), "mde") * 100, 3))
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
        .when(least == most)
        .then(least)
        .otherwise(pl.format("{} to {}", least, most))
    )


def legible(values: pl.Series, digits: int = DIGITS) -> pl.Series:
    """Floats as a person writes them: `1.001181 trillion`, `184,999.5`, `22.65`."""
    # Rounded first: 999,999.96 to seven digits is a million.
    rounded = values.round_sig_figs(digits).to_frame("value").with_columns(magnitude=pl.col("value").abs())
    size = pl.lit(1.0)
    for scale, _ in reversed(SCALES):
        size = pl.when(pl.col("magnitude") >= scale).then(scale).otherwise(size)
    size = pl.when(pl.col("magnitude").is_finite()).then(size).otherwise(1.0)
    sized = rounded.with_columns(size=size).with_columns(scaled=pl.col("value") / pl.col("size"))
    text = sized.select(number(pl.col("scaled"), digits)).to_series()
    grouped = sized.select((pl.col("size") == 1.0) & (pl.col("magnitude") >= UNGROUPED)).to_series().arg_true()
    text = text.scatter(grouped, text.gather(grouped).str.replace(THOUSANDS, "${1},${2}${3}"))
    return text + sized.get_column("size").replace_strict({1.0: "", **dict(SCALES)}, return_dtype=pl.String)


def number(value: pl.Expr, digits: int = DIGITS) -> pl.Expr:
    """A float as short text: so many significant digits, no trailing `.0`."""
    # Rounding a large number to significant digits leaves a tail in the binary fraction; whole numbers have none.
    rounded = value.round_sig_figs(digits)
    rounded = pl.when(value.abs() >= 10**digits).then(rounded.round()).otherwise(rounded)
    # Zero has a sign, too, and to add zero would be optimised away.
    return pl.when(rounded == 0).then(0.0).otherwise(rounded).cast(pl.String).str.strip_suffix(".0")


def empty() -> pl.DataFrame:
    """No findings."""
    return pl.DataFrame(schema=FINDING_COLUMNS)
