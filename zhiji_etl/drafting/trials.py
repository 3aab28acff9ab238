"""A draft tried out: what a run would make of the cells of its file if the draft were left as it is.

In: a raw file, the text of its draft, and the catalogue of the project. Out: TRIAL_COLUMNS, and lines that tell of
them: how many cells are figures, why the others are none, and the captions that would help.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from zhiji_etl import conversion, labels, rows
from zhiji_etl.catalogue import Catalogue
from zhiji_etl.drafting.naming import own_metric
from zhiji_etl.errors import ZhijiError
from zhiji_etl.pipeline import conventions
from zhiji_etl.rates import Rates
from zhiji_etl.reading.captioned import parse_captioned
from zhiji_etl.sources import Sidecar, Source, scan_source
from zhiji_etl.sources.layouts import layout_structure
from zhiji_etl.sources.names import safe_terminal

TRIAL_COLUMNS: Final = ("locator", "printed", "metric", "caption", "code", "reason")
UNFIT: Final = ("unit_missing", "unit_mismatch")
"""Codes of cells that a caption of their metric may help."""

MEANWHILE: Final[Mapping[str, str]] = {"entity": "?", "metric": "?", "period": "2000"}
"""What stands for what a person is still to say: cells must not fail for the want of it."""

SHOWN: Final = 8


def tried(path: Path, text: str, known: Catalogue | None) -> pl.DataFrame | None:
    """TRIAL_COLUMNS of all cells, the code null where a cell becomes a figure; null where the draft cannot be read yet.

    Without a catalogue nothing is known of metrics, and cells are read alone.
    """
    try:
        completed = re.sub(r'^# (entity|metric|period) = ""', _meanwhile, text, flags=re.MULTILINE)
        source = _source(path, Sidecar.model_validate(tomllib.loads(completed, parse_float=Decimal)))
        return (_read(source) if known is None else _judged(source, known)).select(TRIAL_COLUMNS)
    except (ZhijiError, ValueError):
        return None


def trial_lines(trial: pl.DataFrame | None) -> Iterator[str]:
    """How many cells are figures, and why the others are none: each reason once, with the first cell it holds for."""
    if trial is None:
        yield "It cannot be tried yet: something above is still to be completed."
        return
    failed = trial.filter(pl.col("code").is_not_null())
    yield f"Read so, {trial.height - failed.height} of {trial.height} cells are figures."
    said = pl.col("reason").fill_null("").str.split(" Hint: ").list.first()
    each = failed.group_by("code", said.alias("said"), maintain_order=True)
    groups = each.agg(pl.col("locator", "printed").first(), more=pl.len() - 1)
    for code, why, locator, printed, more in groups.head(SHOWN).iter_rows():
        place = f"{locator} and {more} more" if more else locator
        yield f"  {place}: “{one_line(printed or '')[:60]}”: {one_line(why)} [{code}]"
    if groups.height > SHOWN:
        yield f"  and {groups.height - SHOWN} more reasons"


def caption_lines(trial: pl.DataFrame | None, printed: Sequence[str], known: Catalogue | None) -> Iterator[str]:
    """Metrics whose cells are told no unit, or one that is not theirs, with the caption that they would need.

    `printed` are the labels of metrics. A scale that a label tells stays; the table's does not go on to another unit.
    """
    if trial is None or known is None:
        return
    unfit = trial.filter(pl.col("code").is_in(UNFIT)).unique("metric", keep="first", maintain_order=True)
    label_of = {own_metric(label, known.metrics): label for label in reversed(printed)}
    if unfit.height:
        yield "\n[captions]"
    for metric, caption in unfit.select("metric", "caption").iter_rows():
        label = label_of.get(metric, "")
        wanted = labels.full_caption(_scale(label), known.metrics[metric].unit, None, label)
        says = f"the table says {one_line(caption)}" if caption else "no unit was found: mind its scale"
        yield f'# {metric} = "{wanted}"  # declared so; {says}'


def one_line(text: str) -> str:
    """A text without line ends and without what could steer a terminal."""
    return " ".join(safe_terminal(text).split())


# -------------------------------------------------------------------------------------------------------- helpers


def _meanwhile(untold: re.Match[str]) -> str:
    return f'{untold[1]} = "{MEANWHILE[untold[1]]}"'


def _source(path: Path, sidecar: Sidecar) -> Source:
    source = Source(path.name, path, sidecar, sha256="", bytes=0)
    check = partial(layout_structure, form=source.form) if sidecar.layout else source.form.structure
    found = check(path, sidecar)
    return source._replace(columns=found.columns, defects=found.defects, place=found.place)


def _judged(source: Source, known: Catalogue) -> pl.DataFrame:
    """The rows as a run reads them, those without a unit of their metric refused. No rate is looked up."""
    read = rows.read_rows([source], known)
    stated = rows.split(read).figures.join(conventions([source]), on="source", how="left", maintain_order="left")
    converted = conversion.convert(stated, Rates(()))
    refused = conversion.refused(converted).select("row_id", unfit="code", why="reason")
    joined = read.join(refused, on="row_id", how="left", maintain_order="left")
    return joined.with_columns(code=pl.coalesce("code", "unfit"), reason=pl.coalesce("reason", "why"))


def _read(source: Source) -> pl.DataFrame:
    sidecar = source.sidecar
    read = parse_captioned(
        pl.col("printed"),
        pl.col("caption"),
        pl.lit(sidecar.decimals, pl.Int64),
        scale=None if sidecar.layout else sidecar.scale,
        unit=None if sidecar.layout else sidecar.unit,
        currency=sidecar.currency,
        decimal_comma=sidecar.decimal_comma,
    )
    told = labels.in_our_names(scan_source(source, 0), sidecar).with_columns(read=read)
    found = told.with_columns(pl.col("read").struct.field(name) for name in ("code", "reason"))
    return found.collect()


def _scale(label: str) -> str | None:
    """The scale that a label tells, whatever its unit: a price in thousands stays one per vehicle, too."""
    own = labels.split_label(label)[1]
    told = labels.understood(own) if own else None
    if told is None or told.exponent is None:
        return None
    return (labels.full_caption(own, None, None, label) or "").removesuffix(told.unit or "").strip() or None
