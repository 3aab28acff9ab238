"""All rules over all figures: prints of the same figure, verdicts, implied values carried on, conflicts.

In: figures (FIGURE_COLUMNS), compiled rules and the metrics with their units. Out: `Concluded`. Implied values pass
from rule to rule until nothing changes: a figure that one rule implies is an operand of the next.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial, reduce
from typing import Final, NamedTuple

import polars as pl

from zhiji_etl.consistency import pairs
from zhiji_etl.consistency.conflicts.contested import binding, needed
from zhiji_etl.consistency.conflicts.elsewhere import Elsewhere, Unsettled
from zhiji_etl.consistency.conflicts.groups import conflicts, untold
from zhiji_etl.consistency.conflicts.instances import Subject, strained
from zhiji_etl.consistency.denominations import with_denominations
from zhiji_etl.consistency.entities import alike, misspelt, spelled_apart
from zhiji_etl.consistency.references import references
from zhiji_etl.consistency.rules.compiled import CompiledRule, Outcome, places, rate_metrics, run_rule
from zhiji_etl.consistency.rules.implied import FIGURE, empty, intersect, refuted, tightest
from zhiji_etl.consistency.rules.operands import Shelf, shelve
from zhiji_etl.consistency.rules.rulings import findings_of
from zhiji_etl.rates import KEY_COLUMNS, Rates
from zhiji_etl.tables import Metric
from zhiji_etl.threads import in_threads

ROUNDS: Final = 20
"""Steps from rule to rule after which an implied value is not carried further."""


class Concluded(NamedTuple):
    """Findings without id (several frames, each with some of FINDING_COLUMNS), and IMPLIED_COLUMNS.

    `requests` (KEY_COLUMNS) are those for the exchange rates that rules used; `unsettled` is what a shard leaves open.
    """

    findings: tuple[pl.DataFrame, ...]
    implied: pl.DataFrame
    requests: pl.DataFrame
    unsettled: Unsettled = Unsettled()


class Carried(NamedTuple):
    """Implied values as far as rules carry them, the figures that rules leave no value, and whose figures do so.

    `waiting` where that cannot be told before other shards have heard of something.
    """

    implied: pl.DataFrame
    refuted: set[Subject]
    concerned: set[str]
    waiting: Unsettled | None = None


def checked(
    figures: pl.DataFrame,
    rules: Sequence[CompiledRule],
    metrics: Mapping[str, Metric],
    flawed: pl.DataFrame,
    trust: Mapping[str, float],
    rates: Rates | None = None,
    elsewhere: Elsewhere | None = None,
) -> Concluded:
    """Judge every rule and every figure that is printed more than once.

    `flawed` are figures that are printed but cannot be used, with the reason as `flaw`; `trust` the weight of sources;
    `rates` what rules that speak of exchange rates find them in, by default the European Central Bank's. `elsewhere`
    where the figures are those of a shard: what it leaves to all shards together is then `unsettled`.
    """
    meanings = {**metrics, **rate_metrics(relation for rule in rules for relation in rule.relations.values())}
    twice = pairs.duplicates(figures)
    alone = [rule for rule in rules if elsewhere is None or rule.ranking is None]
    shelved = partial(_shelf, figures, pairs.disputed(twice), flawed, rules, rates)
    run = partial(_run, shelved, alone, meanings)
    outcomes = run(empty())
    again = partial(run, before=outcomes)
    carried = _carried_on(again, [outcome.implied for outcome in outcomes], figures, elsewhere or Elsewhere())
    if carried.waiting is not None:
        return Concluded((), empty(), pl.DataFrame(schema=KEY_COLUMNS), carried.waiting)
    judged = [one for outcome in outcomes for one in outcome.judged]
    opposed = conflicts(judged, metrics, figures, trust, carried.refuted, carried.concerned, elsewhere)
    asked = references(rules, _periods(figures, carried.implied), rates).requests
    entities = pl.concat([figures.get_column("entity"), flawed.get_column("entity")])
    rulings = in_threads(partial(findings_of, metrics=meanings), outcomes)
    found = (twice, *with_denominations(rulings, figures, rates), opposed.findings, spelled_apart(entities))
    if elsewhere is None:
        return Concluded((*found, untold(opposed.untried), misspelt(rules, entities)), carried.implied, asked)
    ends = needed(judged, metrics)
    return Concluded(
        found,
        carried.implied,
        asked,
        Unsettled(
            strained=frozenset(one for one in carried.refuted if one.entity in elsewhere.named),
            needed=ends,
            contenders=frozenset(entities_of(binding(ends), figures)),
            tied=opposed.tied,
            ranked=_places(shelved, rules),
            untried=opposed.untried,
            names=alike(rules, entities),
        ),
    )


def _shelf(
    figures: pl.DataFrame,
    disputed: pl.Series,
    flawed: pl.DataFrame,
    rules: Sequence[CompiledRule],
    rates: Rates | None,
    known: pl.DataFrame,
) -> Shelf:
    """The figures, with implied values and exchange rates among the operands."""
    reference = references(rules, _periods(figures, known), rates).rows
    return shelve(figures, disputed, [flawed, _as_operands(known), reference])


def _places(shelved: Callable[[pl.DataFrame], Shelf], rules: Sequence[CompiledRule]) -> dict[int, pl.DataFrame]:
    """The wide frame of each rule about ranks, by its number."""
    ranked = {number: (rule.ranking, rule.rule.table) for number, rule in enumerate(rules) if rule.ranking is not None}
    if not ranked:
        return {}
    shelf = shelved(empty())
    return {number: places(ranking, shelf, table) for number, (ranking, table) in ranked.items()}


def _run(
    shelved: Callable[[pl.DataFrame], Shelf],
    rules: Sequence[CompiledRule],
    metrics: Mapping[str, Metric],
    known: pl.DataFrame,
    before: Sequence[Outcome] = (),
) -> list[Outcome]:
    """Every rule over the figures, and over implied values that are known.

    `before`: what rules concluded when nothing was known; those that read none of the implied values do so again.
    """
    news = {*known.get_column("metric")}
    standing = {id(one.compiled): one for one in before if news.isdisjoint(one.compiled.metrics)}
    open_ = [rule for rule in rules if id(rule) not in standing]
    shelf = shelved(known) if open_ else None
    made = in_threads(partial(run_rule, shelf=shelf, metrics=metrics), open_) if shelf is not None else []
    found = {id(one.compiled): one for one in made} | standing
    return [found[id(rule)] for rule in rules]


def _periods(*frames: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame.select("period_start", "period_end").unique() for frame in frames]).unique()


def _carried_on(
    run: Callable[[pl.DataFrame], list[Outcome]],
    first: Sequence[pl.DataFrame],
    figures: pl.DataFrame,
    elsewhere: Elsewhere,
) -> Carried:
    """Implied values, each round using those of the rounds before, until a round brings none, here or elsewhere."""
    own, shared = elsewhere.parted(pl.concat([empty(), *first]))
    mine, lost = intersect([own]), refuted([own])
    for number in range(1, ROUNDS + 1):
        if shared.height and number > len(elsewhere.rounds):
            return Carried(empty(), set(), set(), Unsettled(number - 1, tightest([shared])))
        there = elsewhere.at(number - 1)
        known, refuted_by_now = intersect([mine, there.implied]), pl.concat([lost, there.refuted])
        subjects, entities = _subjects(refuted_by_now, figures)
        is_last = number >= len(elsewhere.rounds)
        if known.is_empty() and is_last:
            return Carried(known, subjects | elsewhere.no_value, entities)
        outcomes = run(known)
        further = _apart(pl.concat([outcome.implied for outcome in outcomes]), known, refuted_by_now)
        own, shared = elsewhere.parted(further)
        if further.is_empty() and is_last:
            strain = strained([one for outcome in outcomes for one in outcome.judged])
            subjects |= strain[0] | elsewhere.no_value
            return Carried(known, subjects, entities | strain[1] | _behind(subjects, known, figures))
        mine, lost = intersect([mine, own]), pl.concat([lost, refuted([own])])
    return Carried(mine, *_subjects(lost, figures))


def _apart(found: pl.DataFrame, *known: pl.DataFrame) -> pl.DataFrame:
    """Implied values of figures that are not known yet."""
    return reduce(lambda left, right: left.join(right, on=FIGURE, how="anti", nulls_equal=True), known, found)


def _subjects(lost: pl.DataFrame, figures: pl.DataFrame) -> tuple[set[Subject], set[str]]:
    """Figures without a value as subjects, and the entities of all figures that leave them none."""
    subjects = {Subject(*key) for key in lost.select(FIGURE).iter_rows()}
    return subjects, {*entities_of(binding(lost), figures), *(subject.entity for subject in subjects)}


def _behind(subjects: Collection[Subject], known: pl.DataFrame, figures: pl.DataFrame) -> set[str]:
    """The entities whose figures bind implied values that leave rules no value."""
    wanted = pl.DataFrame([*subjects], schema={name: known.schema[name] for name in FIGURE}, orient="row")
    return {*entities_of(binding(known.join(wanted, on=FIGURE, how="semi")), figures)}


def entities_of(numbers: pl.Series, figures: pl.DataFrame) -> pl.Series:
    """The entities of figures by their figure_id."""
    return figures.filter(pl.col("figure_id").is_in(numbers.implode())).get_column("entity").unique()


def _as_operands(implied: pl.DataFrame) -> pl.DataFrame:
    """Implied values as figures that rules can use: bounds without value, step or id."""
    return implied.select(
        "entity",
        "metric",
        "period",
        "period_start",
        "period_end",
        "low",
        "high",
        low_closed=pl.lit(value=True),
        high_closed=pl.lit(value=True),
    )
