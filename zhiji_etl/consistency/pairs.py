"""The same figure twice: printed by two sources, or restated in another currency.

In: figures (FIGURE_COLUMNS), and for restatements exchange rates and the conventions of the sources. Out: findings
without id and message, and, for amounts whose restatement is not printed, implied values.

Two prints of one figure agree where their bounds overlap; prints of the same step and another value do not. A printed
pair is judged at the reference rate of its period: by the method that the source or the metric states, and by every
other method for knowledge. The coarser amount is the stated one; `implied_rate` sets the pair's own rate beside the
reference.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final, NamedTuple

import polars as pl

from zhiji_etl.consistency.rules.changes import slips_of
from zhiji_etl.consistency.rules.expressions import Expression, Operand, operands
from zhiji_etl.consistency.rules.operands import KEYS, amount_columns, columns
from zhiji_etl.consistency.rules.readings import Check, ends
from zhiji_etl.consistency.rules.rulings import ALTERNATIVE, CHANGE_FIELDS, RAW_FINDING_COLUMNS, combined
from zhiji_etl.consistency.rules.verdicts import judge
from zhiji_etl.conversion import both_money, convention_days, currency_of, reference_rates, stated_method
from zhiji_etl.figures import IMPLIED_COLUMNS, Reason, Severity, Verdict
from zhiji_etl.rates import KEY_COLUMNS, RateMethod, Rates
from zhiji_etl.sameness import repeated
from zhiji_etl.tables import MATERIAL

DUPLICATE: Final = "duplicate"
RESTATEMENT: Final = "restatement"
IMPLIED_RATE: Final = "implied_rate"
FIRST, OTHER = Operand("first"), Operand("other")
MAIN, RESTATED, RATE = Operand("main"), Operand("restated"), Operand("rate")
FITS: Final = {
    Verdict.CONSISTENT: "consistent with",
    Verdict.TOO_IMPRECISE: "too imprecise to tell for",
    Verdict.INCONSISTENT: "inconsistent with",
    Verdict.NOT_CHECKABLE: "not checkable by",
}
METHODS: Final = (RateMethod.AVERAGE, RateMethod.AVERAGE_QUOTED, RateMethod.PERIOD_END, RateMethod.SUM_OF_QUARTERS)
FIGURE: Final = ("entity", "metric", "period_start", "period_end", "vintage")
ALIKE: Final = ("value", "low", "high", "low_closed", "high_closed", "step", "step_max")


class Restated(NamedTuple):
    """Findings without id and message, implied values, and the distinct requests (KEY_COLUMNS) that had a rate."""

    findings: pl.DataFrame
    implied: pl.DataFrame
    requests: pl.DataFrame


def duplicates(figures: pl.DataFrame) -> pl.DataFrame:
    """One finding for each further print of a figure, against the finest; `reading` is `complete` for equal bounds.

    Two that both agree with the finest can contradict each other (`over 6.22`, `6.2` and `6.9 million`): then one more.
    """
    plain = figures.filter(pl.col("restates").is_null() & pl.col("low").is_not_null())
    nth = repeated(plain, FIGURE).sort("step", "figure_id").with_columns(__nth=pl.int_range(pl.len()).over(FIGURE))
    further = nth.filter(pl.col("__nth") > 0)
    of_three = nth.filter(pl.col("__nth") == 2).select(FIGURE)
    several = further.join(of_three, on=FIGURE, how="semi", nulls_equal=True, maintain_order="left")
    # What is printed alike is tried once.
    distinct = several.unique([*FIGURE, *ALIKE], keep="first", maintain_order=True)
    with_finest = _against(further, nth.filter(pl.col("__nth") == 0))
    wide = pl.concat([with_finest, _against(distinct, distinct)])
    judged = judge(wide, _check(OTHER, FIRST, material=float("inf")))
    one, two = columns(FIRST.name), columns(OTHER.name)
    same_step = (pl.col(one.step) == pl.col(two.step)) & (pl.col(one.rungs) == pl.col(two.rungs))
    clash = same_step & (pl.col(one.value) != pl.col(two.value))
    equal = (pl.col(one.low) == pl.col(two.low)) & (pl.col(one.high) == pl.col(two.high))
    named = judged.with_columns(
        kind=pl.lit(DUPLICATE),
        rule=pl.format("{}_twice", "metric"),
        verdict=pl.when(clash.fill_null(value=False)).then(pl.lit(Verdict.INCONSISTENT.value)).otherwise("verdict"),
        severity=pl.lit(Severity.ERROR.value),
        unit=pl.col("printed_unit"),
        reading=pl.when(equal).then(pl.lit("complete")),
        figures=pl.concat_list(two.figure_id, one.figure_id),
    )
    is_wrong = pl.col("verdict").cast(pl.String) == Verdict.INCONSISTENT.value
    news = is_wrong & (is_wrong.cum_sum().over(two.figure_id) == 1)
    named = named.filter((pl.col("__first") == 0) | news)
    wrong = named.with_row_index("__row").filter(is_wrong)
    changed = pl.concat([_as_the_other(wrong, OTHER, FIRST), _as_the_other(wrong, FIRST, OTHER)])
    changes = changed.group_by("__row").agg(resolved_by=pl.struct(CHANGE_FIELDS))
    return _with(named.with_row_index("__row").join(changes, on="__row", how="left", maintain_order="left"))


def _against(others: pl.DataFrame, finer: pl.DataFrame) -> pl.DataFrame:
    """Prints beside finer ones of the same figure, the finest first: `__first` is the place of the finer one."""
    one = finer.select(*FIGURE, __first="__nth", **amount_columns(FIRST.name))
    keys = others.select(*KEYS, "metric", "vintage", "__nth", printed_unit="unit", **amount_columns(OTHER.name))
    both = keys.join(one, on=FIGURE, how="inner", nulls_equal=True, maintain_order="left_right")
    return both.filter(pl.col("__first") < pl.col("__nth")).drop("__nth")


def _as_the_other(wrong: pl.DataFrame, one: Operand, other: Operand) -> pl.DataFrame:
    """The change of one print into what the other says, and the slip that would explain it."""
    ends = columns(other.name)
    slips = slips_of(wrong, one, wrong.get_column(ends.low), wrong.get_column(ends.high), None)
    return wrong.select("__row", "entity", "metric", "period", slips, low=ends.low, high=ends.high, unit="printed_unit")


def disputed(found: pl.DataFrame) -> pl.Series:
    """The figure_id of all prints that contradict another one, from the findings of `duplicates`."""
    wrong = found.filter(pl.col("verdict").cast(pl.String) == Verdict.INCONSISTENT.value)
    return wrong.get_column("figures").explode().unique().sort()


def restatements(figures: pl.DataFrame, rates: Rates) -> Restated:
    """Judge each amount that is restated, or usually is, at the reference rates of its period.

    In: figures in their printed unit, with `fx` and `restated_in` of their metric and the CONVENTION_COLUMNS of their
    source. A method that is stated decides; where none is, it is enough that one of METHODS fits. The others are told
    for knowledge, with severity info; `remark` says which methods fit and which do not, or why there is no rate.
    """
    pairs = _pairs(figures)
    tried = _rated(pairs, rates)
    judged = pl.concat([_judged(tried, main_is_coarser=True), _judged(tried, main_is_coarser=False)])
    alternatives = _restatement_rows(judged)
    named = alternatives.select(RAW_FINDING_COLUMNS.keys())
    found = pl.concat([_overall(alternatives), named, _implied_rates(tried)], how="diagonal")
    asked = tried.filter(pl.col("rate").is_not_null()).select(KEY_COLUMNS.keys()).unique()
    return Restated(found, _unprinted(tried), asked)


def _pairs(figures: pl.DataFrame) -> pl.DataFrame:
    """One row an amount with its restatement side by side; the restated columns are null where none is printed."""
    restating = figures.filter(pl.col("restates").is_not_null())
    is_restated = pl.col("figure_id").is_in(restating.get_column("restates").implode())
    main = figures.filter(pl.col("restates").is_null() & (pl.col("restated_in").is_not_null() | is_restated))
    stated = ("fx", "fx_method", "fx_start", "fx_end", "fx_rate", "restated_in")
    first = main.select(*KEYS, "metric", "vintage", *stated, main_unit="printed_unit", **amount_columns(MAIN.name))
    second = restating.select("restates", restated_unit="printed_unit", **amount_columns(RESTATED.name))
    id_of_main = columns(MAIN.name).figure_id
    joined = first.join(second, left_on=id_of_main, right_on="restates", how="left", maintain_order="left")
    own = currency_of(pl.col("main_unit"))
    expected = pl.when(own == pl.col("main_unit"), pl.col("restated_in") != pl.col("main_unit")).then("restated_in")
    both = joined.with_columns(restated_unit=pl.coalesce("restated_unit", expected))
    named = both.with_columns(main_currency=own, restated_currency=currency_of(pl.col("restated_unit")))
    wanted = named.filter(both_money(pl.col("main_unit"), pl.col("restated_unit")))
    return wanted.with_row_index("row").with_columns(main_is_coarser=_is_coarser(MAIN.name, RESTATED.name))


def _is_coarser(one: str, other: str) -> pl.Expr:
    def width(name: str) -> pl.Expr:
        """The width of an amount's bounds, relative to it."""
        names = columns(name)
        return (pl.col(names.high) - pl.col(names.low)) / pl.col(names.high).abs().fill_nan(float("inf"))

    open_end = pl.col(columns(one).high).is_infinite() | pl.col(columns(one).low).is_infinite()
    return (open_end | (width(one) > width(other))).fill_null(value=False)


def _rated(pairs: pl.DataFrame, rates: Rates) -> pl.DataFrame:
    """Each pair at the rate of each method that can decide it or is told for knowledge: the rate as an operand."""
    stated = pairs.with_columns(method=stated_method(), **convention_days())
    methods = pl.DataFrame({"tried": [method.value for method in METHODS]})
    # What is not printed cannot tell which method fits: only the one that decides is asked for its rate.
    telling = pl.col("method").is_null() | pl.col(columns(RESTATED.name).low).is_not_null()
    several = stated.filter(pl.col("fx_start").is_null() & telling).join(methods, how="cross")
    own = stated.filter(pl.col("method").is_not_null()).with_columns(tried="method")
    every = pl.concat([own, several]).unique(["row", "tried"], keep="first", maintain_order=True)
    decides = pl.col("method").is_null() | (pl.col("method") == pl.col("tried"))
    asked = every.with_columns(
        decides=decides, source_currency="restated_currency", target_currency="main_currency", method="tried"
    )
    answered = reference_rates(asked, rates).with_columns(**_rate_operand())
    # A method that does not apply, such as a sum of quarters to a month, says nothing where another one applies.
    alone = ~(pl.col("rate").is_not_null() & pl.col("decides")).any().over("row")
    return answered.filter(pl.col("rate").is_not_null() | (pl.col("decides") & alone)).sort("row", "tried")


def _rate_operand() -> dict[str, pl.Expr]:
    names = columns(RATE.name)
    return {
        names.figure_id: pl.lit(None, pl.UInt64),
        names.value: pl.col("rate"),
        names.low: pl.col("rate_low"),
        names.high: pl.col("rate_high"),
        names.low_closed: pl.lit(value=True),
        names.high_closed: pl.lit(value=True),
        names.step: pl.lit(None, pl.Float64),
        names.rungs: pl.lit(1.0),
        names.capped: pl.lit(value=False),
        names.flaw: pl.lit(None, pl.String),
    }


def _judged(tried: pl.DataFrame, *, main_is_coarser: bool) -> pl.DataFrame:
    """The pairs in which that side is the coarser one, which is then the stated one."""
    mine = tried.filter(pl.col("main_is_coarser") == main_is_coarser)
    check = _check(MAIN, RESTATED * RATE) if main_is_coarser else _check(RESTATED, MAIN / RATE)
    return judge(mine, check).with_columns(unit=pl.col("main_unit" if main_is_coarser else "restated_unit"))


def _restatement_rows(judged: pl.DataFrame) -> pl.DataFrame:
    no_rate = pl.col(columns(RATE.name).low).is_null() & pl.col(columns(RESTATED.name).low).is_not_null()
    reason = pl.when(no_rate).then(pl.lit(Reason.MISSING_REFERENCE.value)).otherwise("reason")
    both = pl.concat_list(columns(MAIN.name).figure_id, columns(RESTATED.name).figure_id)
    named = judged.with_columns(
        kind=pl.lit(ALTERNATIVE),
        rule=pl.format("{}_in_{}.{}", "metric", "restated_currency", "tried"),
        severity=pl.lit(Severity.INFO.value),
        reading=pl.lit(None, pl.String),
        reason=reason,
        figures=pl.when("main_is_coarser").then(both).otherwise(both.list.reverse()).list.drop_nulls(),
    )
    tried = {"place": pl.col("tried").rank("dense"), "name": pl.col("tried"), "unrated": pl.col("rate_reason")}
    return _with(_resolved(named), "row", "decides", stated=stated_method(), **tried)


def _resolved(named: pl.DataFrame) -> pl.DataFrame:
    """The rows with `resolved_by`: what either amount would have to be at that rate, and the slip that explains it."""
    numbered = named.with_row_index("__row")
    wrong = numbered.filter(pl.col("verdict").cast(pl.String) == Verdict.INCONSISTENT.value)
    changed = pl.concat(
        [
            _at_the_rate(wrong, RESTATED, MAIN / RATE, "restated_unit"),
            _at_the_rate(wrong, MAIN, RESTATED * RATE, "main_unit"),
        ]
    )
    changes = changed.group_by("__row", maintain_order=True).agg(resolved_by=pl.struct(CHANGE_FIELDS))
    return numbered.join(changes, on="__row", how="left", maintain_order="left").drop("__row")


def _at_the_rate(wrong: pl.DataFrame, one: Operand, other: Expression, unit: str) -> pl.DataFrame:
    """The change of one amount into what the other one is at the rate."""
    low, high = ends(wrong, other, _check(one, other), Fraction(1))
    needed = wrong.with_columns(low=low, high=high)
    slips = slips_of(needed, one, needed.get_column("low"), needed.get_column("high"), None)
    return needed.select("__row", "entity", "metric", "period", "low", "high", slips, unit=unit)


def _overall(alternatives: pl.DataFrame) -> pl.DataFrame:
    """One finding a pair: what the methods that decide conclude, and as `remark` what all of them do."""
    deciding = alternatives.filter("decides")
    made = combined(deciding, every=False, severity=Severity.ERROR).with_columns(kind=pl.lit(RESTATEMENT))
    unrated = pl.col("unrated").filter("decides").drop_nulls().first()
    told = alternatives.group_by("row").agg(pl.col("stated").first(), fits=_fits(), unrated=unrated)
    # Both have one row a pair, in order of the pairs.
    both = pl.concat([made, told.sort("row").drop("row")], how="horizontal")
    failed = pl.coalesce(pl.format("{} does not reconcile", "stated"), pl.lit("no rate method reconciles"))
    stated = pl.coalesce(pl.format(" ({} is stated)", "stated"), pl.lit(""))
    verdict = pl.col("verdict").cast(pl.String)
    known = verdict != Verdict.NOT_CHECKABLE.value
    by_method, no_rate = pl.format("By rate method{}: {}.", stated, "fits"), pl.format("No rate: {}.", "unrated")
    other = pl.format("Not printed: {}.", pl.col("rule").str.replace(r"_in_([A-Z]{3})$", " in $1"))
    lacking = pl.when(pl.col("reason").cast(pl.String) == Reason.MISSING_OPERAND.value).then(other)
    return both.with_columns(
        reading=pl.when(verdict == Verdict.INCONSISTENT.value).then(failed).otherwise("reading"),
        remark=pl.when(known).then(by_method).otherwise(pl.coalesce(no_rate, lacking)),
    ).drop("stated", "fits", "unrated")


def _fits() -> pl.Expr:
    """Which methods fit and which do not: `consistent with average_quoted; inconsistent with average, period_end`."""
    groups = []
    for verdict, words in FITS.items():
        names = pl.col("name").filter(pl.col("verdict").cast(pl.String) == verdict.value).sort().str.join(", ")
        groups.append(pl.when(names != "").then(pl.format(f"{words} {{}}", names)))
    return pl.concat_str(groups, separator="; ", ignore_nulls=True)


def _implied_rates(tried: pl.DataFrame) -> pl.DataFrame:
    """The rate that each printed pair implies, beside the reference rate of each method."""
    printed = tried.filter(pl.col(columns(RESTATED.name).low).is_not_null())
    judged = judge(printed, _check(MAIN / RESTATED, RATE))
    unrated = pl.col(columns(RATE.name).low).is_null()
    named = judged.with_columns(
        reason=pl.when(unrated).then(pl.lit(Reason.MISSING_REFERENCE.value)).otherwise("reason"),
        kind=pl.lit(IMPLIED_RATE),
        rule=pl.format("{}_rate.{}", "metric", "tried"),
        severity=pl.lit(Severity.INFO.value),
        unit=pl.format("{}/{}", "main_currency", "restated_currency"),
        figures=pl.concat_list(columns(MAIN.name).figure_id, columns(RESTATED.name).figure_id),
    )
    return _with(named)


def _unprinted(tried: pl.DataFrame) -> pl.DataFrame:
    """What an amount would be in the currency in which it is usually restated, where that is not printed."""
    missing = tried.filter(pl.col("decides") & pl.col(columns(RESTATED.name).low).is_null())
    low, high = ends(missing, MAIN / RATE, _check(RESTATED, MAIN / RATE), Fraction(1))
    found = missing.with_columns(low=low, high=high).filter(pl.col("low").is_not_null())
    binding = pl.concat_list(columns(MAIN.name).figure_id)
    bound = found.with_columns(unit="restated_unit", binding_low=binding, binding_high=binding)
    # Where no method is stated any of them may be meant: all that is known is the hull of what they give.
    widest = bound.with_columns(low=pl.col("low").min().over("row"), high=pl.col("high").max().over("row"))
    rows = widest.unique("row", keep="first", maintain_order=True)
    return rows.select(pl.col(name).cast(dtype) for name, dtype in IMPLIED_COLUMNS.items())


def _check(stated: Expression, implied: Expression, *, material: float = MATERIAL) -> Check:
    names = [leaf.metric for side in (stated, implied) for leaf in operands(side)]
    return Check(stated, "==", implied, dict.fromkeys(names, Fraction(1)), Fraction(1), frozenset({"rate"}), material)


def _with(judged: pl.DataFrame, *further: str, **made: pl.Expr) -> pl.DataFrame:
    """Judged rows as findings without id and message (absent columns null), and further columns."""
    return judged.select(
        *((pl.col(name) if name in judged.columns else pl.lit(None)).cast(dtype).alias(name)
          for name, dtype in RAW_FINDING_COLUMNS.items()),
        *further,
        **made,
    )  # fmt: skip
