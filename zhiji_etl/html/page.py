"""The report of a run for a person: one HTML file that needs nothing else, no network and no server.

In: what a run concluded, its sources and what its rules say. Out: HTML text. The same run gives the same bytes: nothing
in it tells of the moment, the machine or the name of the run, which stand in `run.json`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from itertools import starmap
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from zhiji_etl.figures import Severity, Verdict
from zhiji_etl.html import sheets
from zhiji_etl.html.drawing import Bar, draw
from zhiji_etl.html.stories import Told, stories
from zhiji_etl.html.templates import rendered, style
from zhiji_etl.html.verdicts import SIGNS
from zhiji_etl.restated import implied_rates
from zhiji_etl.wording import RuleText, Wording, wording

if TYPE_CHECKING:
    from zhiji_etl.excerpts import Excerpt
    from zhiji_etl.sources import Source

FULL: Final = 40
"""How many findings are told in full, the loudest first."""

PAIRS: Final = 30
FILES: Final = 200
"""How many pairs of amounts, and how many files of one kind, are listed."""

FITS: Final[Mapping[bool | None, str]] = {True: "fits", False: "fits_not", None: "cannot_tell"}
"""Whether a reference rate fits a printed pair."""


class Contents(NamedTuple):
    """All that the page shows: of what a run concluded, by what rules, from what, and what lies beside the page.

    `rates` are the origins of its exchange rates, `written` has the name, rows and SHA-256 of each file.
    """

    name: str
    version: str
    shown: Excerpt
    texts: Mapping[str, RuleText]
    sources: Sequence[Source]
    schemas: Mapping[str, str]
    rates: Sequence[Mapping[str, Any]]
    written: Sequence[Mapping[str, Any]]
    settings: Mapping[str, Any]


def report_page(contents: Contents, language: str = "en") -> str:
    """The whole page, in English (`en`) or Chinese (`zh`)."""
    words = wording(language)
    told = Told(contents.shown.findings, contents.shown.figures, words, contents.texts, contents.shown.quotes)
    return rendered(
        "report.html",
        t=words,
        contents=contents,
        shown=contents.shown,
        policy=_policy(),
        signs=SIGNS,
        counts=_counts(contents.shown),
        severities=_severities(contents.shown),
        lead=_lead(contents.shown, words),
        facts=list(_facts(contents, words)),
        stories=stories(told, FULL),
        checks=contents.shown.checks,
        full=FULL,
        listed=_listed(contents.shown),
        pairs=_pairs(contents, words),
        sources=[_source(source) for source in contents.sources[:FILES]],
        files=FILES,
        data=_data(contents, told),
        words=sheets.embedded(_script_words(words)),
    )


# ------------------------------------------------------------------------------------------------------ what is counted


def _counts(shown: Excerpt) -> dict[str, int]:
    """How many findings each verdict has, the worst first."""
    return {verdict: shown.verdicts[verdict] for verdict in SIGNS}


def _severities(shown: Excerpt) -> dict[str, int]:
    """The severities that occur, the loudest first."""
    counted = {one.value: sum(shown.number(verdict, one.value) for verdict in SIGNS) for one in reversed(Severity)}
    return {severity: number for severity, number in counted.items() if number}


def _listed(shown: Excerpt) -> dict[str, int]:
    """How many rows of each kind the page lists."""
    return {name: min(getattr(shown, name).height, sheets.LISTED) for name in ("figures", "implied", "rejects")}


def _lead(shown: Excerpt, words: Wording) -> str:
    wrong = shown.verdicts[Verdict.INCONSISTENT.value]
    if not shown.checks:
        return words("page.lead_none")
    return words("page.lead_bad", wrong, all=f"{shown.checks:,}") if wrong else words("page.lead_good")


def _facts(contents: Contents, words: Wording) -> Iterable[str]:
    """The run in sentences."""
    shown = contents.shown
    if not shown.raw_rows:
        yield words("page.nothing_read")
        return
    rows, figures = f"{shown.raw_rows:,}", f"{shown.sizes['figures']:,}"
    sources = words("page.sources", len(contents.sources))
    yield words("page.read", 1 if shown.raw_rows == 1 else None, figures=figures, rows=rows, sources=sources)
    rejected = shown.sizes["rejects"]
    yield words("page.rejected", rejected) if rejected else words("page.rejected_none")
    if shown.checks:
        _, imprecise, unchecked, _ = _counts(shown).values()
        decided = shown.checks - imprecise - unchecked
        yield words("page.decided", decided=decided, all=shown.checks, imprecise=imprecise, unchecked=unchecked)
    if shown.sizes["implied"]:
        yield words("page.implied", shown.sizes["implied"])


# ------------------------------------------------------------------------------------------------------------ sections


def _pairs(contents: Contents, words: Wording) -> dict[str, Any]:
    """The rates that printed pairs imply, those that nothing fits first."""
    pairs = sorted(
        implied_rates(contents.shown.findings, contents.shown.figures), key=lambda pair: pair["fits"] is not False
    )
    return {"all": len(pairs), "rows": [_pair(pair, words) for pair in pairs[:PAIRS]]}


def _pair(pair: Mapping[str, Any], words: Wording) -> dict[str, Any]:
    bars = [
        Bar(words("rates.implied"), pair["low"], pair["high"]),
        *starmap(partial(_reference, words), pair["methods"].items()),
    ]
    return {
        "subject": " · ".join(pair[part] for part in ("entity", "metric", "period") if pair[part]),
        "where": " · ".join(pair[part] for part in ("source", "locator") if pair[part]),
        "fits": FITS[pair["fits"]],
        "drawing": draw([bar for bar in bars if bar.low is not None], pair["pair"], words, alone=False).svg,
    }


def _reference(words: Wording, name: str, bounds: Mapping[str, Any]) -> Bar:
    """The reference rate of one method, and whether it fits."""
    fits = FITS[bounds["fits"]]
    return Bar(words.name("methods", name), bounds["low"], bounds["high"], fits, words(f"rates.{fits}"))


def _source(source: Source) -> dict[str, Any]:
    told = ("title", "publisher", "published", "accessed", "licence", "url", "note")
    sidecar = source.sidecar
    return {
        "name": source.name,
        "sha256": source.sha256,
        "cut": sidecar.rounding == "truncation",
        "trust": sidecar.trust,
        **{name: getattr(sidecar, name) or "" for name in told},
    }


def _data(contents: Contents, told: Told) -> dict[str, Any]:
    """The tables of the page; the findings only where they are too many to be told one by one."""
    data = {
        "figures": sheets.sheet(contents.shown.figures, sheets.FIGURES),
        "implied": sheets.sheet(sheets.with_origins(contents.shown.implied, contents.shown.figures), sheets.IMPLIED),
        "rejects": sheets.sheet(contents.shown.rejects, sheets.REJECTS),
    }
    return data | ({"findings": sheets.sheet(told.main, sheets.FINDINGS)} if contents.shown.checks > FULL else {})


def _script_words(words: Wording) -> dict[str, Any]:
    """What the script says, and how it writes numbers."""
    tables = {name: words.table(name) for name in ("script", "verdicts", "severities", "units", "bounds")}
    return {"language": words.language, "scales": words.scales, "one": _singular(), **tables}


def _singular() -> dict[str, str]:
    return {"count_all": wording("en")("script.count_all", 1)}


def _policy() -> str:
    """The page may run its own script and style and load nothing: whatever is printed, the browser holds to that."""
    script, look = (f"'sha256-{_digest(name)}'" for name in ("report.js", "report.css"))
    return (
        f"default-src 'none'; script-src {script}; style-src {look}; img-src data:; base-uri 'none'; form-action 'none'"
    )


def _digest(name: str) -> str:
    return b64encode(sha256(_inlined(name).encode()).digest()).decode()


def _inlined(name: str) -> str:
    return style(name) + (style("drawing.css") if name.endswith(".css") else "")
