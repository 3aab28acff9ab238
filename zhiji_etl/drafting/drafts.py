"""The text of a sidecar, with a word on everything that a person has to look at.

In: a raw file and the metrics of the project. Out: TOML. What is not known is left as a comment, so that a run asks for
it instead of taking a guess for the truth.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from zhiji_etl import labels
from zhiji_etl.catalogue import Catalogue
from zhiji_etl.choices import Published
from zhiji_etl.drafting.naming import WORDS, near_metric, own_metric
from zhiji_etl.drafting.outlines import Outline, kind, outlined
from zhiji_etl.drafting.trials import SHOWN, caption_lines, one_line, trial_lines, tried
from zhiji_etl.errors import OutputError, SourceError
from zhiji_etl.outputs.disk import write_whole, writing
from zhiji_etl.settings import schema_name, schema_text
from zhiji_etl.sources import Sidecar, form_of
from zhiji_etl.sources.excel import sheet_names
from zhiji_etl.sources.forms import FORMS
from zhiji_etl.sources.grids import Grid
from zhiji_etl.sources.html import html_headings, html_tables
from zhiji_etl.sources.names import nearest, safe_terminal
from zhiji_etl.sources.rows import NEEDED

SCHEMA_LINE: Final = f"#:schema ../schemas/{schema_name(Published.SIDECAR)}"
HEAD: Final = (
    "# Drafted by looking at the file: correct what is wrong, and complete what is asked for.",
    "# Who printed these figures, and where?",
    '# publisher = ""',
    '# published = ""',
    '# url = "https://"',
)
UNTOLD: Final = {
    "entity": "whose figures are these?",
    "metric": "what do they measure?",
    "period": "when do they hold? 2019, 2020Q1 ...",
}
CAPTION: Final = "caption"
COLUMNS: Final = (*NEEDED, CAPTION)
PAGES: Final = (".html", ".htm")
NAMES: Final = 100
"""How many printed metrics of a table of one figure a row are asked for."""

USUAL: Final[Mapping[str, frozenset[str]]] = {
    "entity": frozenset(WORDS["heads"]["entity"]),
    "metric": frozenset(WORDS["heads"]["metric"]),
    "period": frozenset({"year", "quarter", "month", "date", "time", "期间", "报告期", "年份", "年度", "时间", "日期"}),
    "printed": frozenset(
        {"value", "figure", "amount", "number", "数值", "数字", "数据", "金额", "披露", "披露值", "值"}
    ),
    "caption": frozenset({"unit", "units", "unit of measure", "uom", "单位", "计量单位", "货币单位"}),
}
"""Usual headers of the columns of a table of one figure a row, in small letters."""


_RATE: Final = re.compile(
    r"US\$ ?1(?:\.0+)? ?= ?RMB ?(\d+\.\d{2,})|RMB ?(\d+\.\d{2,}) ?(?:=|to|per) ?US\$ ?1(?:\.0+)?\b", re.IGNORECASE
)
"""The rate of a translation into dollars, as notes of annual reports tell it."""


def draft(path: Path, known: Catalogue | None = None) -> str:
    """A sidecar for a raw file; `known` says what metrics there are, and in which units.

    Raises `SourceError`: `source_type`, `source_unreadable`, and those of the form.
    """
    if form_of(path.name) is None:
        hint = f"Raw files end in {', '.join(FORMS)}."
        raise SourceError("source_type", f"{safe_terminal(path.name)} cannot be read.", hint=hint)
    if not path.is_file():
        raise SourceError("source_unreadable", f"{safe_terminal(str(path))} is no file.", hint="Give a raw file.")
    metrics = {} if known is None else known.metrics
    grid, keys, remark = _grid(path)
    header = [text or "" for row in grid.rows(0, 1) for text in row]
    plain = _plain_columns(header)
    outline = None if plain is not None else outlined(grid, metrics, _lines_over(path, grid))
    lines = [*HEAD, *([f"title = {_quoted(outline.title)}"] if outline and outline.title else []), *remark, *keys]
    if plain is None:
        lines += [*_wide_lines(outline, metrics), *_rate_lines(grid)]
    else:
        column = [name.strip() for name in header].index(plain["metric"])
        lines += [*_plain_lines(plain, header), *_name_lines(_unknown(grid, column, metrics), metrics)]
    text = "\n".join([SCHEMA_LINE, *lines]) + "\n"
    trial = tried(path, text, known)
    captions = "".join(f"{line}\n" for line in caption_lines(trial, outline.labels if outline else (), known))
    return f"{text}{captions}\n" + "".join(f"# {line}\n" for line in trial_lines(trial))


def write_draft(path: Path, text: str) -> list[Path]:
    """Write a draft beside its raw file and, into a folder `schemas/`, the JSON Schema that its first line names.

    Gives the files written. Raises `OutputError`: `output_exists` (a sidecar is there), `output_unwritable`.
    """
    target = path.with_name(f"{_stem(path)}.toml")
    if target.exists():
        hint = "Look at the draft without --write, and take from it what helps."
        raise OutputError("output_exists", f"{safe_terminal(str(target))} is there already.", hint=hint)
    folder = path.absolute().parent.parent / "schemas"
    schema = folder / schema_name(Published.SIDECAR)
    contents = {target: text, **({schema: schema_text(Published.SIDECAR)} if folder.is_dir() else {})}
    for file, content in contents.items():
        with writing(file):
            write_whole(file, content.encode("utf-8"))
    return list(contents)


def _stem(path: Path) -> str:
    """The name of the file without its ending, or with it where another raw file has the same one."""
    ending = next(ending for ending in FORMS if path.name.lower().endswith(ending))
    stem = path.name[: -len(ending)]
    others = [f"{stem}{other}" for other in FORMS if other != ending]
    return path.name if any(path.with_name(other).exists() for other in others) else stem


# ----------------------------------------------------------------------------------------------------------- grids


def _grid(path: Path) -> tuple[Grid, list[str], list[str]]:
    """The grid with the most figures in a file, the keys that choose it, and a remark on the others."""
    name = path.name.lower()
    if name.endswith(".xlsx"):
        return _fullest_sheet(path)
    if name.endswith(PAGES):
        tables = html_tables(path)
        at = max(range(len(tables)), key=lambda one: _figures(tables[one]), default=-1)
        grid = tables[at] if tables else Grid(pl.DataFrame())
        remark = f"# The page has {len(tables)} tables; this is the one with most figures."
        return grid, [f"sheet = {at + 1}"], [remark] if len(tables) > 1 else []
    if ".csv" in name or ".tsv" in name:
        return _separated(path)
    form = form_of(path.name)
    assert form is not None
    return form.grid(path, Sidecar(), None), [], []


def _lines_over(path: Path, grid: Grid) -> list[str]:
    """What a page says over its table."""
    return (
        html_headings(path)[int(grid.prefix.split()[1]) - 1]
        if grid.prefix and path.name.lower().endswith(PAGES)
        else []
    )


def _fullest_sheet(path: Path) -> tuple[Grid, list[str], list[str]]:
    form = FORMS[".xlsx"]
    merged = Sidecar.model_validate({"layout": {"entity": "", "metric": "", "period": ""}})
    grids = {name: form.grid(path, merged, name) for name in sheet_names(path)}
    best = max(grids, key=lambda name: _figures(grids[name]))
    others = ", ".join(safe_terminal(name) for name in grids if name != best)
    remark = [f"# Other sheets: {others}. Several areas are described by several [[layout]]."] if others else []
    return grids[best], [f"sheet = {_quoted(best)}"], remark


def _separated(path: Path) -> tuple[Grid, list[str], list[str]]:
    """A text table under the separator that gives it the most columns."""
    default = "\t" if ".tsv" in path.name.lower() else ","
    form = form_of(path.name)
    assert form is not None
    grids: dict[str, Grid] = {}
    errors: list[SourceError] = []
    for separator in dict.fromkeys((default, ",", ";", "\t", "|")):
        try:
            grids[separator] = form.grid(path, Sidecar.model_validate({"separator": separator}), None)
        except SourceError as error:
            errors.append(error)
    if not grids:
        raise errors[0]
    best = max(grids, key=lambda separator: sum(column.count() for column in grids[separator].texts.iter_columns()))
    return grids[best], [] if best == default else [f"separator = {_quoted(best)}"], []


def _figures(grid: Grid) -> int:
    return sum(kind(text.strip()) == "figure" for row in grid.rows(0, 300) for text in row[:60] if text)


# ----------------------------------------------------------------------------------------------------------- lines


def _plain_columns(header: list[str]) -> dict[str, str] | None:
    """Our column -> theirs, where the first row is the header of a table of one figure a row; null for a wide table.

    A header says which column it is by our name or a usual word for it, or by one near our name. A wide table has no
    column of metrics beside two others of ours, the column of units not counted.
    """
    left = [name.strip() for name in header if name.strip()]
    found: dict[str, str] = {}
    # A word that is usual for one column is near the name of another: Unit and entity.
    for told in (_usual, nearest):
        for ours in (name for name in COLUMNS if name not in found):
            theirs = told(ours, left)
            if theirs is not None:
                found[ours] = theirs
                left.remove(theirs)
    return found if "metric" in found and len({*found} - {CAPTION}) >= 3 else None


def _usual(ours: str, headers: Sequence[str]) -> str | None:
    return next((name for name in headers if name.casefold() == ours or name.casefold() in USUAL[ours]), None)


def _plain_lines(columns: Mapping[str, str], header: list[str]) -> Iterator[str]:
    absent = [ours for ours in NEEDED if ours not in columns]
    renamed = {ours: theirs for ours, theirs in columns.items() if ours != theirs}
    if renamed or absent:
        yield "\n[columns]"
    for ours, theirs in renamed.items():
        yield f"{ours} = {_quoted(theirs)}"
    for ours in absent:
        others = [name for name in header if name.strip() and name not in columns.values()]
        yield f'# {ours} = ""  # which of their columns is it? {", ".join(map(one_line, others))}'


def _wide_lines(outline: Outline | None, metrics: Collection[str]) -> Iterator[str]:
    if outline is None:
        yield "# No row of figures beside a label was found: describe the table in [layout] yourself."
        return
    if outline.caption:
        yield f"unit = {_quoted(outline.caption)}  # printed in {outline.caption_at}"
    yield from _exception_lines(outline)
    yield "\n[layout]"
    yield f"cells = {_quoted(outline.cells)}"
    for side in ("columns", "rows"):
        yield f"{side} = {json.dumps(getattr(outline, side))}{_remark(getattr(outline, side))}"
    for name in outline.untold:
        yield f'# {name} = ""  # {UNTOLD[name]}'
    yield from _line_lines(outline)
    if outline.periods:
        yield "\n[names.period]"
    for one in outline.periods:
        why = f"{one_line(one.why)}" if one.period else 'which period is it? "" leaves its cells out'
        yield f"{'' if one.sure else '# '}{_quoted(one.text)} = {_quoted(one.period or '')}  # {why}"
    yield from _name_lines(outline.labels, metrics)


def _line_lines(outline: Outline) -> Iterator[str]:
    """What single columns say beside the others."""
    for letter, one in outline.lines:
        when = f"period = {_quoted(one.period or 'when?')}"
        if "period" in outline.columns:
            what = f"metric = {_quoted(one.text)}"
            yield f"# at.{letter} = {{ {what}, {when} }}  # in place of its header, to read its cells"
        else:
            yield f"{'' if one.sure else '# '}at.{letter} = {{ {when} }}  # {one_line(one.text)}: {one.why}"


def _rate_lines(grid: Grid) -> Iterator[str]:
    """The rate at which the source says that it translates, with its place."""
    for row, texts in enumerate(grid.rows(0, grid.height)):
        for column, text in enumerate(texts):
            told = _RATE.search(text) if text and "US$" in text else None
            if told is not None:
                yield f'\n[fx]\nrate = "{told[1] or told[2]}"  # printed in {grid.place(row, column)}'
                return


def _remark(names: tuple[str, ...]) -> str:
    return '  # "" says nothing that is kept' if "" in names else ""


def _exception_lines(outline: Outline) -> Iterator[str]:
    excepted = [text for text in outline.labels if outline.caption and labels.is_excepted(outline.caption, text)]
    if excepted:
        yield f"# Its exceptions are taken to be: {', '.join(one_line(text) for text in excepted[:SHOWN])}."


def _unknown(grid: Grid, column: int, metrics: Collection[str]) -> list[str]:
    """The texts of the column of metrics that are none of ours, each once; none where no metrics are known."""
    printed = grid.texts.to_series(column).slice(1).str.strip_chars().unique(maintain_order=True)
    return [text for text in printed if text and text not in metrics][:NAMES] if metrics else []


def _name_lines(found: Sequence[str], metrics: Collection[str]) -> Iterator[str]:
    if found:
        yield "\n[names.metric]"
    for label in found:
        short = labels.split_label(label)[0]
        own = own_metric(label, metrics)
        if own is not None:
            yield f"{_quoted(short)} = {_quoted(own)}"
        elif near := near_metric(label, metrics):
            yield f"# {_quoted(short)} = {_quoted(near)}  # or is it another?"
        else:
            yield f'# {_quoted(short)} = ""  # no metric is near; "" leaves its cells out'
    if metrics and any(own_metric(label, metrics) is None for label in found):
        yield f"# Metrics: {', '.join(metrics)}."


def _quoted(text: str) -> str:
    """A text as TOML writes it, with what could steer a terminal written out."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(sign if safe_terminal(sign) == sign else f"\\U{ord(sign):08x}" for sign in quoted)
