"""One finding as a story in the terminal: what is printed and where, both bounds on one axis, and what would help.

In: a finding, the findings and figures of its run (FINDING_COLUMNS, FIGURE_COLUMNS), and what its rule says. Out: text
for a terminal of a given width; nothing is concluded here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl
from rich.text import Text

from zhiji_etl.errors import FindingError
from zhiji_etl.figures import Reason
from zhiji_etl.findings import REASONS, alternatives_of, changed_together, conflicts_of, figures_of, is_main
from zhiji_etl.glossary import Meaning, meanings
from zhiji_etl.numbers import short
from zhiji_etl.outputs import latest
from zhiji_etl.project import Project
from zhiji_etl.sources.names import safe_terminal
from zhiji_etl.terminal.findings import COLOURS, ends, fitting_slip, headline, last_digits
from zhiji_etl.terminal.plots import LABEL, Bar, plot
from zhiji_etl.wording import RuleText, rule_of, rule_texts, wording

NAMED: Final = 10
"""How many alternatives, changes and candidates are listed; the rest are counted."""

SENTENCES: Final[Mapping[str, str]] = wording().table("kinds")
"""What is asked by findings that come from no rule of the project."""


def story(
    finding: Mapping[str, Any], findings: pl.DataFrame, figures: pl.DataFrame, rule: RuleText | None, width: int = 100
) -> Text:
    """One finding told in full, for a terminal of so many columns; works for every kind and verdict."""
    lines = [headline(finding), *_said(finding, rule), Text("")]
    lines += [*_printed(finding, figures), Text(""), *_plotted(finding, width)]
    lines += [*_concluded(finding), *_changes(finding), *_alternatives(finding, findings)]
    return Text("\n").join([*lines, *_conflicts(finding, findings)])


def explained(wanted: str, project: Path, out: Path | None = None, width: int = 100) -> Text:
    """The story of one finding of the latest published run of a project; `wanted` as in `chosen`, or a code.

    A code needs no project: it is told from the page of all codes. Raises `FindingError`, `OutputError` (`no_run`) and
    what loading the project raises.
    """
    if meanings(wanted):
        return _coded(wanted, meanings(wanted))
    asked = _asked(wanted, project, out)
    return story(asked.finding, asked.findings, asked.figures, asked.rule, width)


def explained_data(wanted: str, project: Path, out: Path | None = None) -> dict[str, Any]:
    """The same as one JSON object: `finding`, `rule`, `figures`, `alternatives`, `conflicts`; or `code`, `meanings`.

    Findings have the columns of findings.parquet, figures those of figures.parquet.
    Raises as `explained`.
    """
    if meanings(wanted):
        return {"code": wanted, "meanings": [one._asdict() for one in meanings(wanted)]}
    finding, findings, figures, rule = _asked(wanted, project, out)
    rows = figures.filter(pl.col("figure_id").is_in(finding["figures"] or []))
    return {
        "finding": finding,
        "rule": None if rule is None else rule._asdict(),
        "figures": rows.to_dicts(),
        "alternatives": alternatives_of(finding, findings).to_dicts(),
        "conflicts": conflicts_of(finding, findings).to_dicts(),
    }


def chosen(findings: pl.DataFrame, wanted: str) -> dict[str, Any]:
    """The finding of this id, or the only one that has this in its id; details give way to what they are details of.

    Raises `FindingError`: `finding_unknown` with the nearest ids, `finding_ambiguous` with those that fit.
    """
    ids = findings.get_column("finding_id").to_list()
    if wanted in ids:
        return findings.row(ids.index(wanted), named=True)
    fitting = findings.filter(pl.col("finding_id").str.to_lowercase().str.contains(wanted.lower(), literal=True))
    main = fitting.filter(is_main())
    for some in (fitting, main):
        if some.height == 1:
            return some.row(0, named=True)
    if fitting.height:
        raise _ambiguous(wanted, fitting.get_column("finding_id").to_list())
    raise _unknown(wanted, ids)


class _Asked(NamedTuple):
    """One finding, what stands beside it in its run, and what its rule says."""

    finding: dict[str, Any]
    findings: pl.DataFrame
    figures: pl.DataFrame
    rule: RuleText | None


def _coded(code: str, told: Sequence[Meaning]) -> Text:
    """A code with its causes and cures, by the places where it stands."""
    lines = [Text(code, style="bold")]
    for where, cause, cure in told:
        lines += [Text(f"  {where}"), Text(f"    {cause}")]
        lines += [Text(f"    What helps: {cure}")] if cure else []
    return Text("\n").join(lines)


def _asked(wanted: str, project: Path, out: Path | None) -> _Asked:
    run = latest(project / "build" if out is None else out)
    findings, figures = (pl.read_parquet(run / f"{name}.parquet") for name in ("findings", "figures"))
    finding = chosen(findings, wanted)
    return _Asked(finding, findings, figures, rule_of(finding, rule_texts(Project(project).catalogue.rules)))


# ----------------------------------------------------------------------------------------------------- what is asked


def _said(finding: Mapping[str, Any], rule: RuleText | None) -> Iterator[Text]:
    sentence = rule.sentence if rule else SENTENCES.get(finding["kind"], "")
    if sentence:
        yield Text(f"  {safe_terminal(sentence)}", "italic")
    for name, text in rule.formulas.items() if rule else ():
        yield Text(f"  {f'{name}: ' if name else ''}{safe_terminal(text)}")


def _printed(finding: Mapping[str, Any], figures: pl.DataFrame) -> Iterator[Text]:
    rows = figures_of(finding, figures)
    if not rows:
        yield Text("  no printed figure")
    names = [_figure_name(row) for row in rows]
    longest = max(map(len, names), default=0)
    prints = [safe_terminal(f"{row['printed'] or ''}{_converted(row)}") for row in rows]
    for name, said, row in zip(names, prints, rows, strict=True):
        place = safe_terminal(" ".join(part for part in (row["source"], row["locator"]) if part))
        yield Text.assemble(f"  {name:{longest}}  ", (said, "bold"), (f"   {place}".rstrip(), "dim"))


def _converted(row: Mapping[str, Any]) -> str:
    """At which rate a figure came to be compared in another currency than the one it is printed in."""
    at_rate = row.get("rate") is not None and row["printed_unit"] != row["unit"]
    return f" ({row['printed_unit']}, converted at {row['rate']:.6g})" if at_rate else ""


def _figure_name(row: Mapping[str, Any]) -> str:
    return safe_terminal(" ".join(str(row[part]) for part in ("entity", "metric", "period") if row[part]))


# ----------------------------------------------------------------------------------------------------------- the plot


def _plotted(finding: Mapping[str, Any], width: int) -> Iterator[Text]:
    bars = [
        Bar(name, finding[f"{side}_low"], finding[f"{side}_high"], _ends(finding, side))
        for name, side in (("printed", "stated"), ("implied", "implied"))
        if finding[f"{side}_low"] is not None and finding[f"{side}_high"] is not None
    ]
    if len(bars) == 2 and _gap(finding):
        bars.insert(1, _between(bars[0], bars[1], _gap(finding)))
    yield from (Text(line) for line in plot(bars, width))
    for name, side in (("printed", "stated"), ("implied", "implied")):
        if finding[f"{side}_low"] is None and finding["kind"] not in ("conflict", "check", "conversion", "correction"):
            yield Text(f"  {name:{LABEL - 2}}nothing is known")


def _ends(finding: Mapping[str, Any], side: str) -> str:
    return ends(finding[f"{side}_low"], finding[f"{side}_high"], finding["unit"] or "")


def _gap(finding: Mapping[str, Any]) -> str:
    if finding["gap_steps"]:
        return last_digits(finding["gap_steps"])
    return f"{finding['gap_relative']:.3g} of it" if finding["gap_relative"] else ""


def _between(one: Bar, other: Bar, text: str) -> Bar:
    lower, upper = sorted((one, other), key=lambda bar: bar.low)
    return Bar("apart", lower.high, upper.low, text, ".")


# -------------------------------------------------------------------------------------------------- what is concluded


def _concluded(finding: Mapping[str, Any]) -> Iterator[Text]:
    verdict, reason = finding["verdict"], finding["reason"]
    # Which reference is missing, and why, only the message says.
    in_words = reason and reason != Reason.MISSING_REFERENCE.value
    told = REASONS.get(reason, reason) if in_words else (finding["message"] or "").removeprefix("not checkable: ")
    yield Text.assemble("", (f"  {verdict}", COLOURS[verdict]), f": {safe_terminal(told or '')}")
    if finding["reading"] and finding["kind"] not in ("restatement", "duplicate"):
        yield Text(f"  read so: {safe_terminal(finding['reading'])}")
    elif finding["reading"]:
        yield Text(f"  passed by: {safe_terminal(finding['reading'])}")
    if finding["strain"] is not None and math.isfinite(finding["strain"]):
        yield Text(f"  strain {finding['strain']:.3g}: the bounds {'meet' if finding['strain'] <= 1 else 'conflict'}")
    if finding["mde"] is not None and math.isfinite(finding["mde"]):
        yield Text(f"  the check notices an error from {short(finding['mde'] * 100)} % on")


def _changes(finding: Mapping[str, Any]) -> Iterator[Text]:
    changes = finding["resolved_by"] or []
    if changes:
        yield Text("  any one of these changes would resolve it:" if len(changes) > 1 else "  this would resolve it:")
    for change in changes[:NAMED]:
        needed = ends(change["low"], change["high"], change["unit"] or "")
        yield Text(f"    {_figure_name(change)}: {needed}{fitting_slip(change['pattern'])}")
    if len(changes) > NAMED:
        yield Text(f"    and {len(changes) - NAMED} more")


def _alternatives(finding: Mapping[str, Any], findings: pl.DataFrame) -> Iterator[Text]:
    """The alternatives of a rule or a restatement, each with its own implied bounds."""
    mine = alternatives_of(finding, findings)
    if mine.height:
        yield Text("  alternatives:")
        yield from (_alternative(row) for row in mine.iter_rows(named=True))


def _alternative(row: Mapping[str, Any]) -> Text:
    apart = f", {_gap(row)} apart" if _gap(row) else ""
    told = f"implied {_ends(row, 'implied')}: {row['verdict']}{apart}"
    return Text.assemble(f"    {row['rule'].split('.', 1)[1]}: ", (told, COLOURS[row["verdict"]]))


def _conflicts(finding: Mapping[str, Any], findings: pl.DataFrame) -> Iterator[Text]:
    """The conflicts that share figures with a finding that is wrong, each with its candidates."""
    for row in conflicts_of(finding, findings).iter_rows(named=True):
        yield Text(f"  conflict of {safe_terminal(row['rule'])}: {safe_terminal(row['reading'] or '')}")
        for change in (row["resolved_by"] or [])[:NAMED]:
            needed = ends(change["low"], change["high"], change["unit"] or "")
            yield Text(f"    candidate {_figure_name(change)}: {needed}{fitting_slip(change['pattern'])}")
        for several in changed_together(row):
            yield Text(f"    candidates together: {safe_terminal(several)}")


# ------------------------------------------------------------------------------------------------------ what is missed


def _ambiguous(wanted: str, fitting: Sequence[str]) -> FindingError:
    listed = "; ".join(fitting[:NAMED]) + (f"; and {len(fitting) - NAMED} more" if len(fitting) > NAMED else "")
    return FindingError(
        "finding_ambiguous", f"{wanted!r} fits {len(fitting)} findings: {listed}.", hint="give more of it"
    )


def _unknown(wanted: str, ids: Sequence[str]) -> FindingError:
    near = get_close_matches(wanted, ids, n=3, cutoff=0.3)
    hint = f"did you mean {' or '.join(near)}?" if near else "findings.parquet lists all of them as finding_id"
    return FindingError("finding_unknown", f"The run has no finding {wanted!r}.", hint=hint)
