"""One finding in a few lines, and what all faces in a terminal say alike: its headline, its ends, its distances.

In: a finding (FINDING_COLUMNS) and what is shown of its run. Out: text for a terminal; nothing is concluded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from zhiji_etl.corrections import ACCEPTED
from zhiji_etl.figures import Verdict
from zhiji_etl.findings import alternatives_of, conflicts_of, figures_of
from zhiji_etl.numbers import span
from zhiji_etl.sources.names import brief
from zhiji_etl.wording import wording

if TYPE_CHECKING:
    from zhiji_etl.excerpts import Excerpt

COLOURS: Final[Mapping[str, str]] = {
    Verdict.INCONSISTENT.value: "bold red",
    Verdict.TOO_IMPRECISE.value: "yellow",
    Verdict.NOT_CHECKABLE.value: "dim",
    Verdict.CONSISTENT.value: "green",
}
"""Verdicts, the worst first."""

TOGETHER: Final = 8
"""How many prints of a conflict are listed."""

LIKELY: Final = "most likely"
"""How the reading of a conflict begins in which one figure is more suspect than all others."""


def in_brief(finding: Mapping[str, Any], shown: Excerpt) -> RenderableType:
    """One finding as a person reads it: what is printed and where, what is implied and by what, and what would help."""
    unit = finding["unit"] or ""
    lines = [headline(finding)]
    if finding["kind"] == "correction":
        return Group(*lines, Text(f"  {brief(finding['message'])}"))
    figures = figures_of(finding, shown.figures)
    lines += _together(figures) if finding["kind"] == "conflict" else _sides(finding, figures)
    if finding["gap_steps"]:
        lines.append(Text(f"  {last_digits(finding['gap_steps'])} apart"))
    lines += [_alternative(row, unit) for row in alternatives_of(finding, shown.findings).iter_rows(named=True)]
    lines += [_resolution(change) for change in finding["resolved_by"] or []]
    accepted = (finding["message"] or "").partition(ACCEPTED)[2]
    lines += [Text(f"  accepted: {brief(accepted)}")] if accepted else []
    told = (row["reading"] or "" for row in conflicts_of(finding, shown.findings).iter_rows(named=True))
    lines += [Text(f"  by all rules together {brief(reading)}") for reading in told if reading.startswith(LIKELY)]
    return Group(*lines)


def headline(finding: Mapping[str, Any]) -> Text:
    """The first line of a finding: rule, subject, verdict and severity."""
    subject = " ".join(brief(finding[part]) for part in ("entity", "period") if finding[part])
    verdict = finding["verdict"]
    head = Text.assemble((finding["rule"] or "", "bold"), "  ", subject, "  ")
    return head.append(f"{verdict} ({finding['severity']})", COLOURS[verdict])


def ends(low: float | None, high: float | None, unit: str | None) -> str:
    """Two ends as a person reads them, as `span` writes them."""
    return span(low, high, unit, wording())


def last_digits(steps: float) -> str:
    """A gap in words, three digits of it: `14.5 last digits`, `11500 last digits`."""
    number = f"{float(f'{steps:.3g}'):.6g}"
    return f"{number} last digit{'' if number == '1' else 's'}"


def fitting_slip(pattern: str | None) -> str:
    """The slip that would explain a change, to be said behind it; nothing where there is none."""
    return f", which would fit: {wording().slip(pattern)}" if pattern else ""


# ------------------------------------------------------------------------------------------------------------- helpers


def _sides(finding: Mapping[str, Any], figures: Sequence[Mapping[str, Any]]) -> list[Text]:
    """What is printed and where, and what is implied by which other prints."""
    unit, stated = finding["unit"] or "", next(iter(figures), None)
    printed = ends(finding["stated_low"], finding["stated_high"], unit)
    implied = ends(finding["implied_low"], finding["implied_high"], unit)
    others = "; ".join(brief(figure["printed"]) for figure in figures[1:])
    return [_line("printed", printed, _where(stated) if stated else None), _line("implied", implied, others)]


def _together(figures: Sequence[Mapping[str, Any]]) -> list[Text]:
    """The prints that cannot all be true: no side of a conflict is the one that is checked by the other."""
    names = [" ".join(brief(figure[part]) for part in ("entity", "metric", "period")) for figure in figures]
    told = [_line("printed", name, _where(figure)) for name, figure in zip(names, figures, strict=True)]
    more = [Text(f"  and {len(told) - TOGETHER} more")] if len(told) > TOGETHER else []
    return [*told[:TOGETHER], *more]


def _line(name: str, span: str, source: str | None) -> Text:
    return Text.assemble(f"  {name:9} {span:38} ", (source or "", "dim"))


def _where(figure: Mapping[str, Any]) -> str:
    place = f"{figure['source']} {figure['locator']}"
    return brief(f"{figure['printed']}   {place}")


def _alternative(row: Mapping[str, Any], unit: str) -> Text:
    name = row["rule"].split(".", 1)[1]
    steps = row["gap_steps"]
    apart = f", {last_digits(steps)} apart" if steps else ""
    text = f"{ends(row['implied_low'], row['implied_high'], unit)}: {row['verdict']}{apart}"
    return Text.assemble(f"  {name}: ", (text, COLOURS[row["verdict"]]))


def _resolution(change: Mapping[str, Any]) -> Text:
    figure = brief(f"{change['entity']} {change['metric']} {change['period']}")
    needed = ends(change["low"], change["high"], change["unit"])
    return Text(f"  would follow if {figure} were {needed}{fitting_slip(change['pattern'])}")
