"""Findings told for the eye: what was printed and where, what follows, how far apart, and what would resolve it.

In: findings and figures of a run (FINDING_COLUMNS, FIGURE_COLUMNS), what its rules say, and the quote behind a row.
Out: plain dictionaries that the templates show, texts in one language. Nothing is concluded here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from typing import Any, Final

import polars as pl

from zhiji_etl.figures import Verdict
from zhiji_etl.findings import SHARED_ACROSS, SHARED_WITHIN, changed_together, is_main
from zhiji_etl.html.drawing import Bar, Drawing, draw
from zhiji_etl.html.readings import reading
from zhiji_etl.numbers import short, span
from zhiji_etl.wording import RuleText, Wording, rule_of

NAMED: Final = 10
"""How many alternatives, changes, candidates and conflicts of one finding are listed; the rest are counted."""

PRINTED: Final = 30
"""How many printed figures of one finding are listed: a sum may have hundreds of parts."""

SPOKEN: Final = ("check", "correction")
"""Kinds whose message says what the other columns do not hold."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Told:
    """What is told, and in whose words: without a project there are no texts of rules and no quotes.

    `quotes` has `row_id` and `note`, what the raw file says beside a figure.
    """

    findings: pl.DataFrame
    figures: pl.DataFrame
    words: Wording
    texts: Mapping[str, RuleText] = field(default_factory=dict)
    quotes: pl.DataFrame | None = None

    @cached_property
    def main(self) -> pl.DataFrame:
        """The findings that stand for themselves, the loudest first."""
        return self.findings.filter(is_main())


def stories(told: Told, limit: int) -> list[dict[str, Any]]:
    """The loudest findings, each as the template `finding.html` shows it."""
    chosen = told.main.head(limit)
    around = _Surroundings(told, chosen)
    return [_story(row, number, around) for number, row in enumerate(chosen.iter_rows(named=True), 1)]


def drawing(finding: Row, told: Told) -> Drawing | None:
    """The bounds of one finding on one axis; None where there are none to draw."""
    around = _Surroundings(told, told.findings.filter(pl.col("finding_id") == finding["finding_id"]))
    return _drawing(finding, around, alone=True)


def conclusion(finding: Row, words: Wording, *, order: bool = False) -> str:
    """What a finding says, as a sentence; of an `order`, the other side is no value that follows but a limit."""
    if finding["kind"] in (*SPOKEN, "conflict"):
        return finding["message"] or ""
    if finding["verdict"] == "not_checkable":
        reason = finding["reason"] or "missing_operand"
        return words("finding.said_not_checkable", reason=words.name("reasons", reason))
    given = {side: _bounds(finding, side, words) for side in ("stated", "implied")}
    gap = gap_text(finding, words)
    if order and (finding["verdict"] == "consistent" or gap):
        return words(f"finding.said_order_{finding['verdict']}", **given, gap=gap)
    if finding["verdict"] == "inconsistent":
        return words(f"finding.said_inconsistent{'' if gap else '_plain'}", **given, gap=gap)
    if finding["verdict"] == "too_imprecise":
        return words("finding.said_too_imprecise", **given, error=_unnoticed(finding["mde"], words))
    return words("finding.said_consistent", **given)


def gap_text(finding: Row, words: Wording) -> str:
    """How far apart the bounds are: in last digits, else in percent; empty where they meet."""
    steps, relative = finding["gap_steps"], finding["gap_relative"]
    if steps:
        return words("finding.digits_apart", 1 if steps == 1 else None, number=short(steps))
    return words("finding.percent_apart", number=short(relative * 100)) if relative else ""


def figure_name(row: Row) -> str:
    """A figure by entity, metric and period."""
    return " ".join(str(row[part]) for part in ("entity", "metric", "period") if row[part])


# ------------------------------------------------------------------------------------------------ what stands around it


class _Surroundings:
    """What the chosen findings refer to, looked up once for all of them."""

    def __init__(self, told: Told, chosen: pl.DataFrame) -> None:
        self.told = told
        self.words = told.words
        ids = chosen.get_column("figures").explode().drop_nulls().unique()
        printed = told.figures.filter(pl.col("figure_id").is_in(ids.implode()))
        self.figures = {row["figure_id"]: row for row in printed.iter_rows(named=True)}
        self.alternatives = _alternatives(told.findings, chosen)
        self.conflicts = _conflicts(told.findings, ids)
        self.quotes = _quotes(told.quotes, printed)

    def printed(self, finding: Row) -> list[dict[str, Any]]:
        """The figures of a finding, in its order."""
        return [self.figures[number] for number in finding["figures"] or [] if number in self.figures]


def _alternatives(findings: pl.DataFrame, chosen: pl.DataFrame) -> Mapping[tuple[Any, ...], list[dict[str, Any]]]:
    keys = ("rule", "entity", "period")
    named = findings.filter(pl.col("kind") == "alternative").with_columns(
        base=pl.col("rule").str.split(".").list.first(), name=pl.col("rule").str.split(".").list.last()
    )
    asked = chosen.filter(pl.col("kind").is_in(["rule", "restatement"])).select(keys)
    found = named.join(asked, left_on=("base", *keys[1:]), right_on=keys, how="semi", nulls_equal=True)
    by_rule = defaultdict(list)
    for row in found.iter_rows(named=True):
        by_rule[row["base"], row["entity"], row["period"]].append(row)
    return by_rule


def _conflicts(findings: pl.DataFrame, ids: pl.Series) -> list[tuple[set[int], dict[str, Any]]]:
    """The conflicts about figures of the chosen findings."""
    known = pl.col("figures").list.set_intersection(ids.implode().cast(pl.List(pl.UInt64)).first()).list.len() > 0
    found = findings.filter(pl.col("kind") == "conflict").filter(known)
    return [(set(row["figures"]), row) for row in found.iter_rows(named=True)]


def _quotes(quotes: pl.DataFrame | None, printed: pl.DataFrame) -> Mapping[int, str]:
    if quotes is None:
        return {}
    return dict(quotes.join(printed, on="row_id", how="semi").select("row_id", "note").iter_rows())


# ----------------------------------------------------------------------------------------------------------- one story


def _story(finding: Row, number: int, around: _Surroundings) -> dict[str, Any]:
    words = around.words
    rule = rule_of(finding, around.told.texts)
    drawn = _drawing(finding, around, alone=False)
    return {
        "anchor": f"finding-{number}",
        "verdict": finding["verdict"],
        "severity": finding["severity"],
        "open": finding["verdict"] == Verdict.INCONSISTENT.value,
        "rule": finding["rule"] or finding["kind"],
        "subject": " · ".join(finding[part] for part in ("entity", "period") if finding[part]),
        "own": bool(rule),
        "sentence": rule.sentence if rule else words.name("kinds", finding["kind"]) if _is_kind(finding) else "",
        "formulas": list(rule.formulas.items()) if rule else [],
        "said": _said(finding, around),
        "drawing": drawn.svg if drawn else "",
        "printed": [_print(row, around) for row in around.printed(finding)[:PRINTED]],
        "more": max(len(around.printed(finding)) - PRINTED, 0),
        "facts": list(_facts(finding, words)),
        "changes": _changes(finding["resolved_by"], words),
        "alternatives": [_alternative(row, words) for row in _mine(finding, around)[:NAMED]],
        "conflicts": [_conflict(row, words) for row in _sharing(finding, around)[:NAMED]],
    }


def _is_kind(finding: Row) -> bool:
    return str(finding["kind"]) != "rule"


def _said(finding: Row, around: _Surroundings) -> str:
    """The sentence of a finding; a conflict names its figures, in the language of the page."""
    if finding["kind"] != "conflict":
        return conclusion(finding, around.words, order=_is_order(finding, around))
    names = [figure_name(row) for row in around.printed(finding)]
    more = [around.words("finding.more", len(names) - NAMED)] if len(names) > NAMED else []
    return around.words("finding.said_conflict", names="; ".join([*names[:NAMED], *more]))


def _is_order(finding: Row, around: _Surroundings) -> bool:
    rule = rule_of(finding, around.told.texts)
    formulas = " ".join(rule.formulas.values()) if rule else ""
    return " <= " in formulas or " >= " in formulas


def _print(row: Row, around: _Surroundings) -> dict[str, str]:
    corrected = row["corrected_from"]
    return {
        "name": figure_name(row),
        "printed": row["printed"] or "",
        "means": span(row["low"], row["high"], row["unit"], around.words),
        "where": " · ".join(part for part in (row["source"], row["locator"]) if part),
        "quote": around.quotes.get(row["row_id"]) or "",
        "corrected": around.words("finding.corrected", printed=corrected) if corrected else "",
    }


def _facts(finding: Row, words: Wording) -> Iterator[tuple[str, str]]:
    """What else is known, as pairs of a word and its value."""
    strain, mde = finding["strain"], finding["mde"]
    if gap_text(finding, words):
        yield words("finding.gap"), gap_text(finding, words).strip()
    if strain is not None and isfinite(strain):
        told = "meets" if strain <= 1 else "apart"
        yield words("finding.strain"), words(f"finding.strain_{told}", number=short(strain))
    if mde is not None and isfinite(mde) and finding["verdict"] != "not_checkable":
        yield words("finding.mde"), f"{short(mde * 100)} %"
    if finding["reading"]:
        label = "passed" if finding["kind"] == "restatement" and finding["verdict"] == "consistent" else "reading"
        yield words(f"finding.{label}"), reading(finding["reading"], words)


def _changes(changes: list[dict[str, Any]] | None, words: Wording) -> dict[str, Any]:
    listed = changes or []
    return {
        "alone": len(listed) == 1,
        "rows": [
            {
                "name": figure_name(change),
                "needed": span(change["low"], change["high"], change["unit"], words),
                "pattern": words.slip(change["pattern"]) if change["pattern"] else "",
            }
            for change in listed[:NAMED]
        ],
        "more": max(len(listed) - NAMED, 0),
    }


def _mine(finding: Row, around: _Surroundings) -> list[dict[str, Any]]:
    if finding["kind"] not in ("rule", "restatement"):
        return []
    return around.alternatives.get((finding["rule"], finding["entity"], finding["period"]), [])


def _alternative(row: Row, words: Wording) -> dict[str, str]:
    gap = gap_text(row, words)
    remarks = (words("finding.apart", gap=gap) if gap else "", reading(row["reading"] or "", words))
    return {
        "name": words.name("methods", row["name"]),
        "implied": _bounds(row, "implied", words),
        "verdict": row["verdict"],
        "remarks": words("bounds.listed").join(remark for remark in remarks if remark),
    }


def _sharing(finding: Row, around: _Surroundings) -> list[dict[str, Any]]:
    """The conflicts of the group of rules that a finding which is wrong is one of."""
    if finding["kind"] == "conflict" or finding["verdict"] != "inconsistent":
        return []
    mine = set(finding["figures"] or [])
    least = {True: SHARED_WITHIN, False: SHARED_ACROSS}
    return [
        row for figures, row in around.conflicts if len(figures & mine) >= least[row["entity"] == finding["entity"]]
    ]


def _conflict(row: Row, words: Wording) -> dict[str, Any]:
    return {
        "reading": reading(row["reading"] or "", words),
        "changes": _changes(row["resolved_by"], words),
        "together": changed_together(row),
    }


# ------------------------------------------------------------------------------------------------------------- drawing


def _drawing(finding: Row, around: _Surroundings, *, alone: bool) -> Drawing | None:
    words = around.words
    other = "limit" if _is_order(finding, around) else "implied"
    sides = (("stated", "printed"), ("implied", other))
    bars = [bar for side, name in sides if (bar := _bar(finding, side, words, name))]
    if not bars:
        return None
    others = [
        bar for row in _mine(finding, around)[:NAMED] if (bar := _other(row, words)) and bar[1:3] != bars[-1][1:3]
    ]
    gap = gap_text(finding, words) if len(bars) == 2 else ""
    apart = words("finding.apart", gap=gap) if gap else ""
    return draw([*bars, *others], finding["unit"], words, step=_step(finding, around), gap=apart, alone=alone)


def _bar(finding: Row, side: str, words: Wording, name: str) -> Bar | None:
    low, high = finding[f"{side}_low"], finding[f"{side}_high"]
    return None if low is None or high is None else Bar(words(f"finding.{name}"), low, high, side)


def _other(row: Row, words: Wording) -> Bar | None:
    low, high = row["implied_low"], row["implied_high"]
    return None if low is None or high is None else Bar(words.name("methods", row["name"]), low, high, "other")


def _step(finding: Row, around: _Surroundings) -> float | None:
    """One last digit of the figure that is explained: the one between the bounds, else as it is printed."""
    if finding["gap_steps"]:
        gap = max(finding["implied_low"] - finding["stated_high"], finding["stated_low"] - finding["implied_high"])
        return float(gap / finding["gap_steps"])
    printed = around.printed(finding)
    steps = [row["step"] for row in printed if row["low"] == finding["stated_low"] and row["unit"] == finding["unit"]]
    return steps[0] if steps and steps[0] else None


def _bounds(finding: Row, side: str, words: Wording) -> str:
    return span(finding[f"{side}_low"], finding[f"{side}_high"], finding["unit"], words)


def _unnoticed(mde: float | None, words: Wording) -> str:
    if mde is None or not isfinite(mde):
        return words("finding.error_any")
    return words("finding.error_below", percent=short(mde * 100))
