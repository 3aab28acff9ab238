"""Rulings: the findings of one rule, from its judged rows.

In: the `Outcome` of a rule (rules.py). Out: one row for each of its entities and periods, and for each of its
alternatives, with the columns of FINDING_COLUMNS but `finding_id` and `message`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

import polars as pl

from zhiji_etl.consistency.rules.changes import level_of, slips_of
from zhiji_etl.consistency.rules.compiled import Abroad, CompiledRule, Outcome
from zhiji_etl.consistency.rules.expressions import Operand, Ranking, Rate, Relation, operands, operands_of, rates_of
from zhiji_etl.consistency.rules.implied import allowed, possible, required
from zhiji_etl.consistency.rules.operands import columns, figures_of, told
from zhiji_etl.consistency.rules.readings import WIDEST, Check
from zhiji_etl.consistency.rules.systems import template
from zhiji_etl.consistency.rules.verdicts import judge_ranks
from zhiji_etl.figures import FINDING_COLUMNS, Reason, Severity, Verdict
from zhiji_etl.tables import Metric

RULE: Final = "rule"
ALTERNATIVE: Final = "alternative"
RAW_FINDING_COLUMNS: Final = {
    **{name: dtype for name, dtype in FINDING_COLUMNS.items() if name not in ("finding_id", "message")},
    "remark": pl.String(),
    "symbol": pl.String(),
    "vintage": pl.String(),
}
"""What is concluded of a row before its message is made: `remark` are sentences to add to that, `symbol` is how a rule
compares what is stated with what is implied, `vintage` that of the figures."""

EARLIER: Final = ("previous", "year_before")
VINTAGE: Final = "vintage"
"""What a figure of an earlier period suggests that fits no growth and no other slip: it was restated since."""
CHANGE_FIELDS: Final = ("entity", "metric", "period", "low", "high", "unit", "pattern")
STRONGEST_FIRST: Final[Mapping[bool, tuple[Verdict, ...]]] = {
    False: (Verdict.CONSISTENT, Verdict.TOO_IMPRECISE, Verdict.NOT_CHECKABLE, Verdict.INCONSISTENT),
    True: (Verdict.INCONSISTENT, Verdict.NOT_CHECKABLE, Verdict.TOO_IMPRECISE, Verdict.CONSISTENT),
}
"""Which verdict of its alternatives a rule takes, where one of them must hold (False) and where all must (True)."""


def findings_of(outcome: Outcome, metrics: Mapping[str, Metric]) -> pl.DataFrame:
    """The findings of a rule as RAW_FINDING_COLUMNS; where it has alternatives, its own first, then theirs."""
    compiled = outcome.compiled
    if compiled.ranking is not None:
        return ranked(compiled, compiled.ranking, outcome.rows[""], metrics)
    home = _told_of(compiled, outcome.rows, outcome.about, metrics)
    return pl.concat([home, *(_as_printed(compiled, currency, one) for currency, one in outcome.abroad.items())])


def _as_printed(compiled: CompiledRule, currency: str, abroad: Abroad) -> pl.DataFrame:
    """The findings of a rule in another currency, which say so."""
    found = _told_of(compiled, abroad.rows, abroad.about, abroad.metrics)
    said = pl.lit(f"Judged in {currency}, as printed.")
    return found.with_columns(remark=pl.concat_str("remark", said, separator=" ", ignore_nulls=True))


def _told_of(
    compiled: CompiledRule, judged: Mapping[str, pl.DataFrame], about: pl.Series, metrics: Mapping[str, Metric]
) -> pl.DataFrame:
    told_of = {name: frame.filter(about) for name, frame in judged.items()}
    rows = {name: _finding_rows(frame, name, compiled, metrics) for name, frame in told_of.items()}
    if len(rows) == 1:
        return next(iter(rows.values()))
    overall = combined(_numbered(rows), every=compiled.every, severity=compiled.rule.severity)
    return pl.concat([overall, *rows.values()])


def ranked(compiled: CompiledRule, ranking: Ranking, wide: pl.DataFrame, metrics: Mapping[str, Metric]) -> pl.DataFrame:
    """The findings of a rule about ranks, without id and message, from its wide frame: all entities of each period."""
    judged = judge_ranks(wide, ranking)
    made = {
        "kind": pl.lit(RULE),
        "rule": pl.lit(compiled.rule.name),
        "severity": pl.lit(compiled.rule.severity.value),
        "unit": pl.lit(metrics[ranking.by.metric].unit),
        "resolved_by": _value_between(judged, ranking.by, metrics[ranking.by.metric].unit),
        "figures": figures_of(judged, [ranking.by.name, ranking.rank.name]),
    }
    filled = judged.with_columns(**made)
    return filled.select(
        (pl.col(name) if name in filled.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in RAW_FINDING_COLUMNS.items()
    )


def _value_between(judged: pl.DataFrame, by: Operand, unit: str) -> pl.Expr:
    """For a rank that does not follow: the value that its neighbours leave it, where they leave one."""
    parts = [
        pl.col("entity"),
        pl.lit(by.metric).alias("metric"),
        pl.col("period"),
        pl.col("implied_low").alias("low"),
        pl.col("implied_high").alias("high"),
        pl.lit(unit).alias("unit"),
        slips_of(judged, by, judged.get_column("implied_low"), judged.get_column("implied_high"), None),
    ]
    change = pl.concat_list(pl.struct(parts))
    wrong = pl.col("verdict").cast(pl.String) == Verdict.INCONSISTENT.value
    return pl.when(wrong & (pl.col("implied_low") <= pl.col("implied_high"))).then(change)


def _finding_rows(
    judged: pl.DataFrame, alternative: str, compiled: CompiledRule, metrics: Mapping[str, Metric]
) -> pl.DataFrame:
    """The judged rows of one alternative as findings."""
    check, rule = compiled.checks[alternative], compiled.rule
    unit = metrics[check.stated.metric].unit if isinstance(check.stated, Operand) else ""
    wrong = pl.col("verdict") == Verdict.INCONSISTENT.value
    made: dict[str, Any] = {
        "kind": pl.lit(ALTERNATIVE if alternative else RULE),
        "rule": pl.lit(f"{rule.name}.{alternative}" if alternative else rule.name),
        "severity": pl.lit((Severity.INFO if alternative else rule.severity).value),
        "unit": pl.lit(unit),
        "symbol": pl.lit(check.symbol),
        "reading": _reading(check),
        "strain": pl.col("strain") if check.has_power else pl.when(wrong).then("strain"),
        "remark": _remark(compiled.relations[alternative]),
        "figures": figures_of(judged, check.names),
    }
    numbered = judged.with_row_index("__row")
    resolved = _resolutions(numbered.filter(wrong), alternative, compiled, metrics)
    told = numbered.join(resolved, on="__row", how="left", maintain_order="left").lazy().with_columns(**made)
    return told.select(pl.col(name).cast(dtype) for name, dtype in RAW_FINDING_COLUMNS.items()).collect()


def _remark(relation: Relation) -> pl.Expr:
    """What the exchange rates of a row are, and which of its figures are not printed."""
    said = pl.concat_str([*_rates_told(rates_of(relation)), _unprinted(relation)], separator=" ", ignore_nulls=True)
    return pl.when(said != "").then(said)


def _unprinted(relation: Relation) -> pl.Expr:
    """For a row that cannot be checked for want of figures: which they are."""
    reason = pl.col("reason").cast(pl.String)
    lacking = reason.is_in([Reason.MISSING_OPERAND.value, Reason.MISSING_REFERENCE.value])
    names = [leaf.name for leaf in operands_of(relation).values() if not isinstance(leaf, Rate)]
    absent = {name: pl.col(columns(name).low).is_null() & pl.col(columns(name).flaw).is_null() for name in names}
    listed = [pl.when(gap).then(pl.lit(name)) for name, gap in absent.items()]
    texts = pl.concat_str(listed, separator=", ", ignore_nulls=True)
    return pl.when(lacking & (texts != "")).then(pl.format("Not printed: {}.", texts))


def _rates_told(rates: Sequence[Rate]) -> list[pl.Expr]:
    """What the exchange rates of a row are, or why there is none; nothing where that does not matter."""
    if not rates:
        return []
    judged = pl.col("verdict").cast(pl.String) != Verdict.NOT_CHECKABLE.value
    lacking = pl.col("reason").cast(pl.String) == Reason.MISSING_REFERENCE.value
    return [pl.when(judged | (lacking & pl.col(columns(one.name).low).is_null())).then(told(one)) for one in rates]


def _reading(check: Check) -> pl.Expr:
    """How the round numbers were read where the finest reading does not meet: `overseas_sales to the nearest 10000`."""
    texts = []
    for name in check.names:
        names, level = columns(name), pl.col("level").cast(pl.Float64)
        rung = pl.min_horizontal(pl.lit(10.0).pow(level), names.rungs)
        step = pl.col(names.step) * pl.when(level == WIDEST).then(names.rungs).otherwise(rung)
        text = pl.format("{} to the nearest {}", pl.lit(name), _plain(step))
        texts.append(pl.when(pl.col(names.rungs) > 1, level != 0).then(text))
    joined = pl.concat_str(texts, separator=", ", ignore_nulls=True)
    return pl.when(joined != "").then(joined)


def _plain(number: pl.Expr) -> pl.Expr:
    """A float as text, whole numbers without the trailing .0."""
    whole = (number == number.floor()) & (number.abs() < 1e15)
    return pl.when(whole).then(number.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(number.cast(pl.String))


def _resolutions(
    wrong: pl.DataFrame, alternative: str, compiled: CompiledRule, metrics: Mapping[str, Metric]
) -> pl.DataFrame:
    """For each row (`__row`) the single changes that would let it hold, `resolved_by`: each figure with the bounds that
    it then must have. Rows that no single change resolves are left out.
    """
    if wrong.is_empty():
        return pl.DataFrame(schema={"__row": pl.UInt32(), "resolved_by": RAW_FINDING_COLUMNS["resolved_by"]})
    relation, check = compiled.relations[alternative], compiled.checks[alternative]
    leaves = [leaf for name, leaf in operands_of(relation).items() if name in check.names]
    units = {leaf.metric: metrics[leaf.metric].unit for leaf in leaves}
    changes = []
    for operand in leaves:
        found = required(wrong, check, operand, units[operand.metric])
        found = allowed(found.with_columns(**_open_ends(check, operand, metrics[operand.metric])), metrics)
        low, high = found.get_column("low"), found.get_column("high")
        slips = slips_of(wrong, operand, low, high, level_of(operand, leaves, units))
        if operand.offset in EARLIER and check.symbol == "==":
            slips = slips.fill_null(VINTAGE)
        changes.append(found.select("__row", *CHANGE_FIELDS[:-1], slips))
    # Lists are grouped from one long frame: Polars is thirty times as slow where it puts structs together row by row.
    long = pl.concat(changes).filter(possible()).sort("__row", maintain_order=True)
    return long.group_by("__row", maintain_order=True).agg(resolved_by=pl.struct(CHANGE_FIELDS))


def _open_ends(check: Check, operand: Operand, metric: Metric) -> dict[str, pl.Expr]:
    """The end that an order leaves open, for an operand that must equal the other side or lie beyond it."""
    if check.symbol == "==":
        return {}
    at_most = _at_most(check, operand)
    if at_most is None:
        return {"low": pl.lit(None, pl.Float64)}
    floor, _ = metric.ends
    known = pl.col("low").is_not_null()
    if at_most:
        return {"low": pl.when(known & (pl.col("high") >= floor)).then(floor)}
    return {"high": pl.when(known).then(float("inf"))}


def _at_most(check: Check, operand: Operand) -> bool | None:
    """Whether an order lets an operand be at most what it would be were both sides equal, or at least; null where that
    is not known.
    """
    form, upward = template(check), check.symbol in ("<=", "<")
    if form is None:
        return None
    if form.ratio is None:
        return (form.over.terms[operand.name] > 0) == upward
    if operand.name == form.ratio:
        return upward
    over, under = (side.terms.get(operand.name, Fraction(0)) for side in (form.over, form.under))
    metrics = {leaf.name: leaf.metric for side in (check.stated, check.implied) for leaf in operands(side)}
    never_negative = {*form.under.terms, *([form.ratio] if under else [])}
    known = all(metrics[name] in check.positive for name in never_negative) and min(form.under.terms.values()) > 0
    return None if (over and under) or not known or form.under.constant < 0 else (over - under < 0) == upward


def combined(alternatives: pl.DataFrame, *, every: bool, severity: Severity) -> pl.DataFrame:
    """One row for the alternatives of each entity and period: the one whose verdict the rule takes.

    In: findings without id and message, with `row` (what they are alternatives of), `place` (their order) and `name`.
    """
    rank = {verdict.value: place for place, verdict in enumerate(STRONGEST_FIRST[every])}
    ranked = alternatives.with_columns(
        rank=pl.col("verdict").cast(pl.String).replace_strict(rank, return_dtype=pl.UInt8)
    ).sort("row", "rank", "place")
    passed = pl.col("name").filter(_is(Verdict.CONSISTENT)).str.join(", ")
    by_row = ranked.group_by("row", maintain_order=True).agg(passed=passed, unknown=_is(Verdict.NOT_CHECKABLE).all())
    chosen = ranked.unique("row", keep="first", maintain_order=True).join(by_row, on="row", maintain_order="left")
    scope_unknown = _is(Verdict.NOT_CHECKABLE) & ~pl.col("unknown") & pl.lit(value=not every)
    failed = pl.col("name") if every else pl.lit("no admissible scope reconciles")
    return chosen.with_columns(
        kind=pl.lit(RULE),
        rule=pl.col("rule").str.split(".").list.first(),
        severity=pl.lit(severity.value, RAW_FINDING_COLUMNS["severity"]),
        reading=pl.when(_is(Verdict.CONSISTENT)).then("passed").when(_is(Verdict.INCONSISTENT)).then(failed),
        reason=pl.when(scope_unknown).then(pl.lit(Reason.SCOPE_UNKNOWN.value)).otherwise("reason"),
    ).select(RAW_FINDING_COLUMNS.keys())


def _is(verdict: Verdict) -> pl.Expr:
    return pl.col("verdict").cast(pl.String) == verdict.value


def _numbered(rows: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(
        frame.with_row_index("row").with_columns(place=pl.lit(place), name=pl.lit(name))
        for place, (name, frame) in enumerate(rows.items())
    )
