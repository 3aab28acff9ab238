"""A draft made an amount: its currency chosen, its sign and its scale put into its numbers.

In: a `Draft`, and what the reader was told of the cell. Out: an `Amount`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zhiji_etl.figures import Qualifier
from zhiji_etl.reading.grammar.drafts import MIRRORED, Draft, is_word, singular
from zhiji_etl.reading.grammar.meanings import Amount, Options
from zhiji_etl.reading.grammar.words import lexicon

OUT_OF_SCALE: Final = frozenset({"percent", "percentage_point", "basis_point", "rank", "multiple"})


def finished(draft: Draft, options: Options) -> Amount:
    """A draft made an amount: currency chosen, sign and scale put into the numbers."""
    unit, readings = _unit(draft, options)
    scaled = draft.exponent > 0 or any(term.exponent > 0 for number in draft.numbers for term in number.terms)
    takes_scale = _takes_scale(draft, unit, options)
    exponent = draft.exponent + (options.exponent or 0 if takes_scale and not scaled else 0)
    qualifier = Qualifier.ABOVE if draft.numbers[0].open and draft.qualifier in _OPENED else draft.qualifier
    falls = draft.change < 0 and not (draft.taken or draft.beside)
    sign = -1 if falls else draft.sign
    qualifier = Qualifier.EXACT if unit == "rank" else qualifier
    counted = draft.noun and draft.per is None and unit not in lexicon().measured
    printed = [token.text for token in draft.words if not isinstance(token.kinds.get("word"), int)]
    return Amount(
        numbers=tuple(number.scaled(exponent).signed(sign) for number in draft.numbers),
        unit=unit if draft.per in (None, "count") else f"{unit}/{_chosen(draft.per.split(), options)}",
        qualifier=MIRRORED.get(qualifier, qualifier) if falls else qualifier,
        start=draft.start,
        end=draft.end,
        whole=counted and (draft.unit != "" or not printed or is_word(printed)),
        signless=not draft.change and (bool(draft.currency) or counted or unit == "count" or unit in lexicon().codes),
        declared=takes_scale and not scaled,
        exact=unit == "rank",
        readings=readings,
        power=draft.power,
        power_first=draft.power_first,
    )


_OPENED: Final = (Qualifier.EXACT, Qualifier.ABOUT)


# --------------------------------------------------------------------------------------------------


def _takes_scale(draft: Draft, unit: str, options: Options) -> bool:
    """Whether the scale of the caption is meant for this cell: not where it says a unit that is no whole of its own.

    `$0.45 per share`, `12 cents` and `5%` are what they are in any table; a caption in ‰ is the unit of bare numbers.
    """
    if options.exponent is None or draft.noun or draft.per is not None or draft.exponent < 0:
        return False
    if options.exponent < 0 and (draft.currency or draft.unit):
        return False
    return unit not in OUT_OF_SCALE or options.exponent < 0


def _chosen(codes: Sequence[str], options: Options) -> str:
    """The code that a sign or word of these means to the reader who was told."""
    told = options.currency
    return told if told is not None and told in codes else codes[0]


def _unit(draft: Draft, options: Options) -> tuple[str, tuple[tuple[str, str], ...]]:
    if draft.currency:
        code = _chosen(draft.currency, options)
        if len(draft.currency) == 1 or options.currency in draft.currency:
            return code, ()
        reason = "the sign or word is that of more than one currency"
        return code, tuple((other, reason) for other in draft.currency[1:])
    if draft.unit == "":
        return singular(draft.words), ()
    return draft.unit or options.unit or "count", ()
