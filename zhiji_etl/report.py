"""One result, its faces in a terminal: the summary of a run, one finding explained.

In: a `RunResult`, a finding. Out: Rich renderables, or plain dictionaries for JSON; nothing is concluded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from rich.console import Console, Group, RenderableType
from rich.table import Table as Grid
from rich.text import Text

from zhiji_etl.corrections import ACCEPTED
from zhiji_etl.exchange import implied_table
from zhiji_etl.figures import Severity, Verdict
from zhiji_etl.findings import alternatives_of, conflicts_of, figures_of, is_inconsistent, is_main
from zhiji_etl.pipeline import REPORT
from zhiji_etl.restated import implied_rates
from zhiji_etl.sources.names import brief
from zhiji_etl.wording import wording

if TYPE_CHECKING:
    from zhiji_etl.excerpts import Excerpt
    from zhiji_etl.pipeline import RunResult

COLOURS: Final[Mapping[str, str]] = {
    Verdict.INCONSISTENT.value: "bold red",
    Verdict.TOO_IMPRECISE.value: "yellow",
    Verdict.NOT_CHECKABLE.value: "dim",
    Verdict.CONSISTENT.value: "green",
}
"""Verdicts, the worst first."""

LOUDEST_FIRST: Final = tuple(severity.value for severity in reversed(Severity))
SMALL: Final = 20
"""Up to so many of a kind the summary lists them all: the rest of the findings, the implied values."""

REASONS: Final = 10
"""How many reasons of rejects the summary tells, each of one source."""

FURTHER: Final = 5
"""How many inconsistent findings the summary names after the worst one."""

LABEL: Final = re.compile(r"\s*(?:\S{1,22}(?: \S{1,12})?\s{2,}|(?=\S))")
"""What a line begins with: its indent, and a word or two with room behind them."""

LIKELY: Final = "most likely"
"""How the reading of a conflict begins in which one figure is more suspect than all others."""

HANG: Final = 2
"""How much further a line without a label is indented where it goes on."""

SCALES: Final = ((Decimal(10) ** 12, "trillion"), (Decimal(10) ** 9, "billion"), (Decimal(10) ** 6, "million"))


APART: Final = range(5, 17)
"""How many significant digits are tried until two ends differ; 17 tell any two floats apart."""


def summary(result: RunResult, options: str = "") -> RenderableType:
    """What a run gave: counts, findings by verdict and severity, the worst one in a few lines, the next in one each.

    `options` are those by which `explain` finds the run.
    """
    manifest, shown = result.manifest["counts"], result.shown
    head = Grid.grid(padding=(0, 2))
    if manifest["recalled"]:
        head.add_row("sources", f"{manifest['sources']}, of which {manifest['recalled']} unchanged and not read again")
    head.add_row("raw rows", str(manifest["raw_rows"]))
    head.add_row("figures", str(manifest["figures"]))
    head.add_row("rejects", Text(str(manifest["rejects"]), "bold red" if manifest["rejects"] else ""))
    head.add_row("implied", str(manifest["implied"]))
    if not manifest["raw_rows"]:
        head.add_row(Text("nothing was read", "bold red"), "the files in raw/ hold a header and no rows")
    parts: list[RenderableType] = [head, Text(""), _verdicts(shown), *_rejects(shown)]
    worst = worst_finding(shown.findings)
    if worst is not None:
        parts += [Text(""), explanation(worst, shown), *_further(shown, options)]
    rates = implied_rates(shown.findings, shown.figures)
    if rates:
        parts += [Text(""), implied_table(rates)]
    parts += [*_unsuspicious(shown), *_implied(shown)]
    return Group(*parts, Text(""), Text(f"files: {result.path}"), Text(f"report: {result.path / REPORT}"))


def summary_data(result: RunResult) -> dict[str, Any]:
    """The summary as one JSON object: counts, verdicts, loud findings, implied rates, path."""
    shown = result.shown
    loud = shown.findings.filter(is_main() & is_inconsistent())
    fields = ("finding_id", "rule", "entity", "period", "severity", "message")
    return {
        "path": str(result.path),
        "report": str(result.path / REPORT),
        "counts": result.manifest["counts"],
        "verdicts": result.verdicts(),
        "inconsistent": loud.select(fields).to_dicts(),
        "implied_rates": implied_rates(shown.findings, shown.figures),
        "rejects": dict(shown.codes.iter_rows()),
    }


def fitting_slip(pattern: str | None) -> str:
    """The slip that would explain a change, to be said behind it; nothing where there is none."""
    return f", which would fit: {wording().slip(pattern)}" if pattern else ""


def worst_finding(findings: pl.DataFrame) -> dict[str, Any] | None:
    """The first inconsistent finding, which is the loudest one; null where all agree."""
    wrong = findings.filter(is_main() & is_inconsistent())
    return wrong.row(0, named=True) if wrong.height else None


def explanation(finding: Mapping[str, Any], shown: Excerpt) -> RenderableType:
    """One finding as a person reads it: what is printed and where, what is implied and by what, and what would help."""
    unit = finding["unit"] or ""
    lines = [headline(finding)]
    if finding["kind"] == "correction":
        return Group(*lines, Text(f"  {brief(finding['message'])}"))
    figures = figures_of(finding, shown.figures)
    stated = next(iter(figures), None)
    lines.append(
        _line("printed", ends(finding["stated_low"], finding["stated_high"], unit), _where(stated) if stated else None)
    )
    others = "; ".join(brief(figure["printed"]) for figure in figures[1:])
    lines.append(_line("implied", ends(finding["implied_low"], finding["implied_high"], unit), others))
    if finding["gap_steps"]:
        lines.append(Text(f"  {last_digits(finding['gap_steps'])} apart"))
    lines += [_alternative(row, unit) for row in alternatives_of(finding, shown.findings).iter_rows(named=True)]
    lines += [_resolution(change) for change in finding["resolved_by"] or []]
    accepted = (finding["message"] or "").partition(ACCEPTED)[2]
    lines += [Text(f"  accepted: {brief(accepted)}")] if accepted else []
    told = (row["reading"] or "" for row in conflicts_of(finding, shown.findings).iter_rows(named=True))
    lines += [Text(f"  by all rules together {brief(reading)}") for reading in told if reading.startswith(LIKELY)]
    return Group(*lines)


def last_digits(steps: float) -> str:
    """A gap in words, three digits of it: `14.5 last digits`, `11500 last digits`."""
    number = f"{float(f'{steps:.3g}'):.6g}"
    return f"{number} last digit{'' if number == '1' else 's'}"


def print_to(console: Console, *renderables: RenderableType, hang: bool = True) -> None:
    """Print without guessing at colours for numbers: colour here always means something.

    In a terminal a long line goes on below its own text, between words (`hang`); elsewhere lines stay whole.
    """
    if not console.is_terminal or not hang:
        console.print(*renderables, highlight=False, soft_wrap=True)
        return
    for one in _flat(renderables):
        lines = _hanging(one, console) if isinstance(one, Text) else [one]
        console.print(*lines, highlight=False, sep="\n")


# ------------------------------------------------------------------------------------------------------------ printing


def _flat(renderables: Iterable[RenderableType]) -> Iterator[RenderableType]:
    for one in renderables:
        if isinstance(one, Group):
            yield from _flat(one.renderables)
        else:
            yield one


def _hanging(text: Text, console: Console) -> Iterator[Text]:
    """Each line of a text within the width: what goes on stands below what follows the label of the line."""
    for line in text.split("\n", allow_blank=True) or [text]:
        if line.cell_len <= console.width:
            yield line
            continue
        label = LABEL.match(line.plain)
        first, rest = line.divide([label.end() if label else 0])
        inner = min(first.cell_len + (0 if first.plain.strip() else HANG), console.width // 2)
        for number, part in enumerate(rest.wrap(console, console.width - inner)):
            part.rstrip()
            yield Text.assemble(first if number == 0 else " " * inner, part)


# ---------------------------------------------------------------------------------------------------------- findings


def _verdicts(shown: Excerpt) -> Grid:
    """How many findings each verdict has, by severity: the worst first, the loudest on the left."""
    grid = Grid.grid(padding=(0, 2))
    grid.add_row("findings", *LOUDEST_FIRST, style="dim")
    for verdict, colour in COLOURS.items():
        numbers = [shown.number(verdict, severity) for severity in LOUDEST_FIRST]
        grid.add_row(Text(verdict, colour), *(Text(str(number), colour if number else "dim") for number in numbers))
    return grid


def _unsuspicious(shown: Excerpt) -> Iterator[Text]:
    """The findings that are not inconsistent, a line each, where they are few."""
    if 0 < shown.checks - shown.verdicts[Verdict.INCONSISTENT.value] <= SMALL:
        others = shown.findings.filter(is_main() & ~is_inconsistent())
        yield Text("")
        for row in others.iter_rows(named=True):
            subject = brief(f"{row['rule']}  {row['entity'] or ''} {row['period'] or ''}")
            message = brief(row["message"] or "")
            yield Text.assemble((f"{row['verdict']:13}  ", COLOURS[row["verdict"]]), f"{subject}: {message}")


def _implied(shown: Excerpt) -> Iterator[Text]:
    """The values that nobody printed, a line each, where they are few."""
    if 0 < shown.sizes["implied"] <= SMALL:
        yield Text("")
        for row in shown.implied.iter_rows(named=True):
            subject = brief(f"{row['entity']} {row['metric']} {row['period']}")
            yield Text(f"implied        {subject}: {ends(row['low'], row['high'], row['unit'])}")


def _further(shown: Excerpt, options: str) -> Iterator[Text]:
    """The inconsistent findings after the worst one, a line each."""
    number = shown.verdicts[Verdict.INCONSISTENT.value]
    wrong = shown.findings.filter(is_main() & is_inconsistent())
    if wrong.height > 1:
        yield Text("")
    for row in wrong[1 : 1 + FURTHER].iter_rows(named=True):
        yield Text.assemble(headline(row), f"  {brief(row['message'] or '')}")
    if number > 1 + FURTHER:
        yield Text(f"and {number - 1 - FURTHER} more inconsistent ones in findings.parquet")
    if wrong.height:
        named = brief(wrong["finding_id"][0])
        yield Text(f'more of any finding: zhiji-etl explain FINDING{options}, such as "{named}"', "dim")


def headline(finding: Mapping[str, Any]) -> Text:
    """The first line of a finding: rule, subject, verdict and severity."""
    subject = " ".join(brief(finding[part]) for part in ("entity", "period") if finding[part])
    verdict = finding["verdict"]
    head = Text.assemble((finding["rule"] or "", "bold"), "  ", subject, "  ")
    return head.append(f"{verdict} ({finding['severity']})", COLOURS[verdict])


def _line(name: str, span: str, source: str | None) -> Text:
    return Text.assemble(f"  {name:9} {span:38} ", (source or "", "dim"))


def ends(low: float | None, high: float | None, unit: str) -> str:
    """Two ends as a person reads them: with scale words, and words where an end is not bounded.

    Five digits, or as many as tell the ends apart.
    """
    if low is None or high is None:
        return "-"
    if (low, high) == (float("-inf"), float("inf")):
        return "anything"
    if low == high:
        return f"{_scaled(low)} {unit}".rstrip()
    if high == float("inf"):
        return f"above {_scaled(low)} {unit}"
    if low == float("-inf"):
        return f"below {_scaled(high)} {unit}"
    needed = next((digits for digits in APART if _scaled(low, digits) != _scaled(high, digits)), max(APART))
    # One more, or rounding would show another width.
    digits = needed if needed == min(APART) else needed + 1
    return f"{_scaled(low, digits)} .. {_scaled(high, digits)} {unit}"


def _scaled(number: float, digits: int = 5) -> str:
    """A number as a person writes it: significant digits and a scale word."""
    exact = Decimal(repr(number))
    for size, word in SCALES:
        if abs(exact) >= size:
            return f"{float(exact / size):.{digits}g} {word}"
    if abs(number) >= 10_000:
        return f"{number:,.{max(digits - 5, 0)}f}"
    return f"{number:.{digits}g}"


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


def _rejects(shown: Excerpt) -> Iterator[Text]:
    """How many rejects there are and why, the most frequent code first; then the first reasons, a line each."""
    number = shown.sizes["rejects"]
    if number:
        reasons = ", ".join(f"{times} {code}" for code, times in shown.codes.iter_rows())
        yield Text("")
        yield Text(f"{number} rejected, and in no table: {reasons}", "bold red")
    each = shown.rejects.group_by("source", "code", "reason", maintain_order=True)
    groups = each.agg(pl.col("locator").first(), times=pl.len()).head(REASONS)
    for row in groups.iter_rows(named=True):
        more = f" and {row['times'] - 1} more" if row["times"] > 1 else ""
        place = f"{brief(row['source'])} {brief(row['locator'])}{more}"
        yield Text.assemble(("  reject ", "red"), f"{place}: {brief(row['reason'] or '')} [{row['code']}]")
    untold = number - groups.get_column("times").sum()
    if untold:
        yield Text(f"  and {untold} more in rejects.parquet")
