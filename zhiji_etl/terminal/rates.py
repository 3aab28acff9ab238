"""Exchange rates for a person's eye: one reference rate, and the rates that printed pairs imply.

In: currencies and a period, or implied rates. Out: Rich renderables, or plain dictionaries for JSON. A rate `CNY/USD`
is in CNY for one USD.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from rich.table import Table as Grid
from rich.text import Text

from zhiji_etl.errors import ProjectError
from zhiji_etl.numbers import span
from zhiji_etl.periods import parse_period
from zhiji_etl.pipeline import rates_of
from zhiji_etl.project import Project
from zhiji_etl.rates import Rate, RateMethod, Rates
from zhiji_etl.sources.names import safe_terminal
from zhiji_etl.wording import wording

SHOWN: Final = 5
"""How many printed pairs the summary of a run shows; those that no reference rate fits come first."""

FITS: Final[Mapping[bool | None, tuple[str, str]]] = {
    True: ("fits", "green"),
    False: ("no", "bold red"),
    None: ("cannot tell", "dim"),
}


def reference_rate(
    base: str,
    quote: str,
    when: str,
    method: str | None = None,
    *,
    files: Sequence[Path] = (),
    project: Path | None = None,
    fixed_rate: str | None = None,
) -> Rate:
    """The rate of one pair for a period as texts name them, by the usual method of that period if none is given.

    `files` are rate files, which come first; `project` a folder whose own come next, before the European Central
    Bank's. `fixed_rate` is what a source prints: 1 `base` in `quote`. Raises `PeriodError` and `RateError` as
    `Rates.rate` does, `RateError` (`rate_fixed`) for a fixed rate that is none, and `ProjectError` or `RateError` where
    the project or a rate file is broken.
    """
    period = parse_period(when)
    chosen = method or (RateMethod.usual(is_flow=period.is_flow) if fixed_rate is None else RateMethod.FIXED)
    if project is not None and not project.is_dir():
        raise ProjectError("project_missing", f"{project} is no folder.", hint="name the folder that holds zhiji.toml")
    known = Rates.ecb() if project is None else rates_of(Project(project))
    rates = Rates.layered([*map(Rates.read, files), known])
    return rates.rate(base.upper(), quote.upper(), period, chosen, fixed_rate=fixed_rate)


def rate_card(rate: Rate) -> Grid:
    """One rate as a card: value, bounds, method, days, last quote, origin."""
    grid = Grid.grid(padding=(0, 2))
    days = f"{rate.start} to {rate.end}" if rate.start != rate.end else str(rate.start)
    rows = {
        "rate": f"1 {rate.base} = {_short(rate.value)} {rate.quote}",
        "bounds": f"{_short(rate.low)} to {_short(rate.high)}",
        "method": rate.method.value,
        "period": days,
        "days used": str(rate.days_used),
        "last quote": str(rate.last_quote or "-"),
        "origin": safe_terminal(rate.origin),
    }
    for name, text in rows.items():
        grid.add_row(Text(name, "bold"), text)
    return grid


def rate_data(rate: Rate) -> dict[str, Any]:
    """One rate as JSON: numbers and days as text, so that no digit is lost."""
    return {
        "base": rate.base,
        "quote": rate.quote,
        "rate": str(rate.value),
        "low": str(rate.low),
        "high": str(rate.high),
        "method": rate.method.value,
        "start": rate.start.isoformat(),
        "end": rate.end.isoformat(),
        "days_used": rate.days_used,
        "last_quote": None if rate.last_quote is None else rate.last_quote.isoformat(),
        "origin": rate.origin,
    }


def implied_table(implied: Sequence[Mapping[str, Any]]) -> Grid:
    """The first implied rates as a table, those that fit nothing first: a line for each pair, one for each method."""
    grid = Grid.grid(padding=(0, 2))
    # A narrow terminal must cut neither names nor numbers.
    for overflow in ("fold", "ignore", "ignore", "ignore"):
        grid.add_column(overflow=overflow, no_wrap=overflow == "ignore")
    grid.add_row("implied rates", "", "", "", style="dim")
    doubtful_first = sorted(implied, key=lambda pair: pair["fits"] is not False)
    for pair in doubtful_first[:SHOWN]:
        subject = " ".join(safe_terminal(pair[name]) for name in ("source", "entity", "metric", "period"))
        grid.add_row(subject, _ends(pair), pair["pair"], Text(*FITS[pair["fits"]]))
        # Where the print is too coarse to tell, it is so for every method.
        for name, reference in pair["methods"].items() if pair["fits"] is not None else ():
            grid.add_row(f"  {name}", _ends(reference), "", Text(*FITS[reference["fits"]]))
    if len(implied) > SHOWN:
        grid.add_row(f"and {len(implied) - SHOWN} more pairs, of kind implied_rate in findings.parquet", "", "", "")
    return grid


# ------------------------------------------------------------------------------------------------------------- helpers


def _ends(bounds: Mapping[str, Any]) -> str:
    return span(bounds["low"], bounds["high"], None, wording())


def _short(number: Decimal) -> str:
    return f"{number:.7g}"
