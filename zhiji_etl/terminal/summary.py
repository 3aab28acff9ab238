"""The summary of a run: counts, verdicts, the loudest finding, rejects, implied rates and values.

In: a `RunResult`. Out: Rich renderables, or plain dictionaries for JSON; nothing is concluded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from rich.console import Group, RenderableType
from rich.table import Table as Grid
from rich.text import Text

from zhiji_etl.figures import Severity, Verdict
from zhiji_etl.findings import is_inconsistent, is_main
from zhiji_etl.pipeline import REPORT
from zhiji_etl.restated import implied_rates
from zhiji_etl.sources.names import brief
from zhiji_etl.terminal.findings import COLOURS, ends, headline, in_brief
from zhiji_etl.terminal.rates import implied_table

if TYPE_CHECKING:
    from zhiji_etl.excerpts import Excerpt
    from zhiji_etl.pipeline import RunResult

LOUDEST_FIRST: Final = tuple(severity.value for severity in reversed(Severity))
SMALL: Final = 20
"""Up to so many of a kind the summary lists them all: the rest of the findings, the implied values."""

REASONS: Final = 10
"""How many reasons of rejects the summary tells, each of one source."""

FURTHER: Final = 5
"""How many inconsistent findings the summary names after the worst one."""


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
        parts += [Text(""), in_brief(worst, shown), *_further(shown, options)]
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


def worst_finding(findings: pl.DataFrame) -> dict[str, Any] | None:
    """The first inconsistent finding, which is the loudest one; null where all agree."""
    wrong = findings.filter(is_main() & is_inconsistent())
    return wrong.row(0, named=True) if wrong.height else None


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
