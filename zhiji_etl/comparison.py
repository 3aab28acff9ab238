"""What changed from one run to another: figures added, gone, restated or changed, and verdicts that flipped.

In: two run folders. Out: `Comparison`, two frames: CHANGE_COLUMNS (bounds in the declared unit) and FLIP_COLUMNS.

A figure is the same one in both runs if source, entity, metric, period and vintage are: row numbers move when a row is
put in above. `changed` is beyond what was printed: the bounds are disjoint, or the same step shows another value. Where
the bounds still meet the figure is printed `finer`, `coarser` or, with the same step, `within` its precision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl
from polars.exceptions import PolarsError

from zhiji_etl.errors import OutputError
from zhiji_etl.figures import SEVERITY, VERDICT, Verdict
from zhiji_etl.findings import is_main
from zhiji_etl.outputs import require_folder, runs
from zhiji_etl.outputs.history import chosen
from zhiji_etl.sources.names import safe_terminal

CHANGES: Final = ("changed", "restated", "gone", "added", "coarser", "finer", "within")
"""What can have become of a figure, the loudest first."""

SUBJECT: Final = ("entity", "metric", "period_start", "period_end", "is_restatement")
KEY: Final = ("source", *SUBJECT, "vintage")
SAID: Final = ("printed", "low", "high", "low_closed", "high_closed", "step", "step_max", "unit")
SIDES: Final = ("before", "after")
SIDE_COLUMNS: Final = ("vintage", "printed", "low", "high", "unit", "source", "locator")

CHANGE_COLUMNS: Final[Mapping[str, pl.DataType]] = {
    "change": pl.Enum(CHANGES),
    "entity": pl.String(),
    "metric": pl.String(),
    "period": pl.String(),
    **{
        f"{name}_{side}": pl.Float64() if name in ("low", "high") else pl.String()
        for side in SIDES
        for name in SIDE_COLUMNS
    },
}
"""One figure that is not in both runs alike; the side where it is missing is null."""

FLIP_COLUMNS: Final[Mapping[str, pl.DataType]] = {
    "finding_id": pl.String(),
    "rule": pl.String(),
    "entity": pl.String(),
    "period": pl.String(),
    "before": VERDICT,
    "after": VERDICT,
    "severity": SEVERITY,
    "message": pl.String(),
}
"""One verdict that differs; null where a run has no such finding (told where the other one is inconsistent)."""


class Comparison(NamedTuple):
    """Two runs by name, and what differs: CHANGE_COLUMNS and FLIP_COLUMNS."""

    before: str
    after: str
    figures: pl.DataFrame
    verdicts: pl.DataFrame


def compared(before: Path, after: Path) -> Comparison:
    """Two runs held against each other; `OutputError` `run_damaged` where their files cannot be read."""
    return Comparison(
        before.name,
        after.name,
        changes(_read(before, "figures"), _read(after, "figures")),
        flips(_read(before, "findings"), _read(after, "findings")),
    )


def pair(build: Path, before: str | None = None, after: str | None = None) -> tuple[Path, Path]:
    """The two runs that are meant, by folder or by (the beginning of) their id; without names the two newest.

    One name alone is held against the published run. Raises `OutputError`: `no_run`, `run_unknown`.
    """
    if before is not None:
        return _named(build, before), _named(build, after)
    require_folder(build)
    known = runs(build)
    if len(known) < 2:
        what = f"{safe_terminal(str(build))} holds {len(known)} runs, and two are needed to compare."
        raise OutputError("no_run", what, hint="Run again, or name the folder that the runs were written to: --build.")
    return known[-2].path, known[-1].path


def changes(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Figures (FIGURE_COLUMNS) of two runs as CHANGE_COLUMNS; what is the same in both is left out."""
    old, new = _with_key(before), _with_key(after)
    same = _matched(old, new, (*KEY, *SAID))
    old, new = _without(old, same, "old"), _without(new, same, "new")
    reprinted = _matched(old, new, KEY)
    gone, come = _without(old, reprinted, "old"), _without(new, reprinted, "new")
    restated = _restated(_with_key(before), come)
    gone, come = _without(gone, restated, "old"), _without(come, restated, "new")
    nothing = pl.lit(None, pl.UInt64)
    told = [
        _sides(reprinted, before, after).with_columns(change=_reprint()),
        _sides(restated, before, after).with_columns(change=pl.lit("restated")),
        _sides(gone.select(old="figure_id", new=nothing), before, after).with_columns(change=pl.lit("gone")),
        _sides(come.select(old=nothing, new="figure_id"), before, after).with_columns(change=pl.lit("added")),
    ]
    frame = pl.concat(told).select(pl.col(name).cast(dtype) for name, dtype in CHANGE_COLUMNS.items())
    return frame.sort("change", "entity", "metric", "period", "source_before", "source_after", "printed_after")


def flips(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Findings (FINDING_COLUMNS) of two runs as FLIP_COLUMNS: those with another verdict, or new or gone conflicts."""
    told = ("rule", "entity", "period", "severity", "message")
    old = before.filter(is_main()).select("finding_id", *told, before="verdict")
    new = after.filter(is_main()).select("finding_id", *told, after="verdict")
    both = new.join(old, on="finding_id", how="full", coalesce=True)
    newest = both.with_columns(pl.coalesce(name, f"{name}_right") for name in told)
    was, now = pl.col("before").cast(pl.String), pl.col("after").cast(pl.String)
    loud = pl.any_horizontal((verdict == Verdict.INCONSISTENT.value).fill_null(value=False) for verdict in (was, now))
    differs = was.ne_missing(now) & ((was.is_not_null() & now.is_not_null()) | loud)
    return newest.filter(differs).select(*FLIP_COLUMNS).sort("after", "rule", "entity", "period", "finding_id")


def comparison_data(comparison: Comparison) -> dict[str, Any]:
    """A comparison as one JSON object: counts, figures, verdicts."""
    return {
        "before": comparison.before,
        "after": comparison.after,
        "counts": {**counted(comparison.figures), "verdicts": comparison.verdicts.height},
        "figures": comparison.figures.to_dicts(),
        "verdicts": comparison.verdicts.to_dicts(),
    }


def counted(figures: pl.DataFrame) -> dict[str, int]:
    """How many figures (CHANGE_COLUMNS) became each of CHANGES."""
    numbers = dict(figures.group_by("change").len().iter_rows())
    return {change: numbers.get(change, 0) for change in CHANGES}


# ------------------------------------------------------------------------------------------------------ two runs


def _named(build: Path, name: str | None) -> Path:
    return Path(name).resolve() if name is not None and (Path(name) / "run.json").is_file() else chosen(build, name)


def _read(run: Path, name: str) -> pl.DataFrame:
    try:
        return pl.read_parquet(run / f"{name}.parquet", glob=False)
    except (OSError, PolarsError) as error:
        what = f"{name}.parquet of the run {safe_terminal(run.name)} cannot be read ({type(error).__name__})."
        raise OutputError("run_damaged", what, hint="zhiji-etl verify tells what differs in a run.") from None


# ------------------------------------------------------------------------------------------------------- figures


def _with_key(figures: pl.DataFrame) -> pl.DataFrame:
    return figures.select("figure_id", *(name for name in KEY if name != "is_restatement"), *SAID, **_second())


def _second() -> dict[str, pl.Expr]:
    return {"is_restatement": pl.col("restates").is_not_null()}


def _matched(old: pl.DataFrame, new: pl.DataFrame, on: Sequence[str]) -> pl.DataFrame:
    """Ids of figures alike in `on`, as `old` and `new`: the first with the first, the second with the second."""
    nth = pl.int_range(pl.len()).over(on)
    left = old.sort("figure_id").select(*on, old="figure_id", nth=nth)
    right = new.sort("figure_id").select(*on, new="figure_id", nth=nth)
    return left.join(right, on=[*on, "nth"], nulls_equal=True).select("old", "new")


def _without(figures: pl.DataFrame, matched: pl.DataFrame, side: str) -> pl.DataFrame:
    return figures.join(matched, left_on="figure_id", right_on=side, how="anti")


def _restated(old: pl.DataFrame, come: pl.DataFrame) -> pl.DataFrame:
    """New figures whose subject the old run printed under other vintages only, in any source: with the last of them."""
    last = old.sort("vintage", "figure_id").unique(SUBJECT, keep="last").select(*SUBJECT, old="figure_id")
    other_vintage = come.join(old, on=[*SUBJECT, "vintage"], how="anti", nulls_equal=True)
    return other_vintage.join(last, on=SUBJECT, nulls_equal=True).select("old", new="figure_id")


def _sides(matched: pl.DataFrame, before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Both sides of each pair of ids, and entity, metric and period of whichever there is."""
    names = ("entity", "metric", "period", *SIDE_COLUMNS, "value", "low_closed", "high_closed", "step", "step_max")
    left = before.select(old="figure_id", **{f"{name}_before": name for name in names})
    right = after.select(new="figure_id", **{f"{name}_after": name for name in names})
    both = matched.join(left, on="old", how="left").join(right, on="new", how="left")
    shared = {name: pl.coalesce(f"{name}_after", f"{name}_before") for name in ("entity", "metric", "period")}
    return both.with_columns(**shared)


def _reprint() -> pl.Expr:
    """What became of a figure that both runs have; without bounds (no rate, say) only what is printed can tell."""
    unknown = pl.any_horizontal(pl.col(f"{end}_{side}").is_null() for end in ("low", "high") for side in SIDES)
    same_step = _equal("step") & _equal("step_max")
    another = same_step & ~_equal("value")
    return (
        pl.when(~_equal("unit"))
        .then(pl.lit("changed"))
        .when(unknown)
        .then(pl.when(_equal("printed")).then(pl.lit("within")).otherwise(pl.lit("changed")))
        .when(_apart("before", "after") | _apart("after", "before") | another)
        .then(pl.lit("changed"))
        .when(pl.col("step_after") < pl.col("step_before"))
        .then(pl.lit("finer"))
        .when(pl.col("step_after") > pl.col("step_before"))
        .then(pl.lit("coarser"))
        .otherwise(pl.lit("within"))
    )


def _equal(name: str) -> pl.Expr:
    return pl.col(f"{name}_before").eq_missing(pl.col(f"{name}_after"))


def _apart(lower: str, upper: str) -> pl.Expr:
    """Whether one side ends below where the other begins; ends that touch meet only where both are closed."""
    high, low = pl.col(f"high_{lower}"), pl.col(f"low_{upper}")
    closed = pl.col(f"high_closed_{lower}") & pl.col(f"low_closed_{upper}")
    return (high < low) | ((high == low) & ~closed)
