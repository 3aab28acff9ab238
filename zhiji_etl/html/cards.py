"""Results, findings and figures as a notebook shows them: small, in the look of the report, with a style of their own.

In: a `RunResult`, a `Findings` or a `Figure`, by what they hold. Out: HTML, or a `Drawing`. Every text is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Final

import polars as pl

from zhiji_etl.errors import FindingError
from zhiji_etl.figures import Figure
from zhiji_etl.html.drawing import Bar, Drawing, draw
from zhiji_etl.html.stories import Told, drawing, stories
from zhiji_etl.html.templates import rendered
from zhiji_etl.html.verdicts import SIGNS, counts
from zhiji_etl.numbers import single, span
from zhiji_etl.wording import Wording, wording

LISTED: Final = 10
"""How many findings a card lists after the loudest one."""


def findings_card(findings: pl.DataFrame, figures: pl.DataFrame, *, report: str = "", rejects: int = 0) -> str:
    """Findings by verdict, the loudest one drawn, and the next ones in a line each; `report` names the full report."""
    words = wording()
    told = Told(findings, figures, words)
    listed = stories(told, LISTED)
    return rendered(
        "card.html",
        t=words,
        signs=SIGNS,
        counts=counts(told.main),
        stories=listed,
        more=max(told.main.height - len(listed), 0),
        drawing=_worst(told),
        figures=figures.height,
        report=report,
        rejects=rejects,
    )


def figure_card(figure: Figure) -> str:
    """One figure: the text, what it says, its bounds drawn."""
    words = wording()
    return rendered("figure.html", t=words, rows=list(_rows(figure, words)), drawing=figure_drawing(figure).svg)


def figure_drawing(figure: Figure) -> Drawing:
    """The bounds of a figure on an axis, with one last digit as the ruler."""
    words = wording()
    bar = Bar(figure.text.strip() or figure.unit, float(figure.low), float(figure.high))
    return draw([bar], figure.unit, words, step=float(figure.step))


def finding_drawing(findings: pl.DataFrame, figures: pl.DataFrame, finding: str | None = None) -> Drawing:
    """One finding by its id, or the loudest one that has bounds, drawn; `FindingError` (`finding_unknown`)."""
    told = Told(findings, figures, wording())
    wanted = told.findings.filter(pl.col("finding_id") == finding) if finding is not None else told.main.head(LISTED)
    for row in wanted.iter_rows(named=True):
        drawn = drawing(row, told)
        if drawn is not None:
            return drawn
    what = "There is no finding with bounds to draw." if finding is None else f"There are no bounds of {finding!r}."
    raise FindingError("finding_unknown", what, hint="the column finding_id lists all findings")


# ------------------------------------------------------------------------------------------------------------- helpers


def _worst(told: Told) -> str:
    """The drawing of the loudest finding, where it has bounds."""
    loudest = told.main.head(1).to_dicts()
    drawn = drawing(loudest[0], told) if loudest else None
    return drawn.svg if drawn else ""


def _rows(figure: Figure, words: Wording) -> Iterator[tuple[str, str]]:
    if figure.value is not None:
        yield words("notebook.figure"), single(float(figure.value), figure.unit, words)
    yield words("finding.means"), span(float(figure.low), float(figure.high), figure.unit, words)
    if isfinite(figure.step):
        yield words("notebook.precision"), single(float(figure.step), figure.unit, words)
    yield words("notebook.qualifier"), words.name("qualifiers", figure.qualifier.value)
    if figure.restated is not None:
        also = figure.restated
        yield words("notebook.also"), span(float(also.low), float(also.high), also.unit, words)
