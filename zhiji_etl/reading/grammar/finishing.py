"""A draft made an amount: its currency chosen, its sign and its scale put into its numbers.

In: a `Draft`, and what the reader was told of the cell. Out: an `Amount`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zhiji_etl.figures import Qualifier
from zhiji_etl.reading.grammar.drafts import MIRRORED, Draft, is_word, singular
from zhiji_etl.reading.grammar.meanings import Amount, Number, Options
from zhiji_etl.reading.grammar.words import lexicon

OUT_OF_SCALE: Final = frozenset({"percent", "percentage_point", "basis_point", "rank", "multiple"})


def finished(draft: Draft, options: Options) -> Amount:
    """A draft made an amount: currency chosen, sign and scale put into the numbers."""
    unit, readings = _unit(draft, options)
    told = _scale_told(draft, options, unit)
    exponent = draft.exponent + (told or 0)
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
        declared=told is not None and unit != "percent" and not _divides(options),
        exact=unit == "rank",
        readings=readings,
        power=draft.power,
        power_first=draft.power_first,
    )


def is_share(draft: Draft) -> bool:
    """Whether it is a part of a whole that is not named: `一半`, `two-thirds`, `1/2`; not `3 1/2`, nor half a million.

    `½` by itself is a number: among percentages it is a rate, as `3½` is.
    """
    bare = not draft.has_unit and draft.per is None and not draft.exponent and not draft.no_share
    return bare and all(_is_part(number) for number in draft.numbers)


_OPENED: Final = (Qualifier.EXACT, Qualifier.ABOUT)


# --------------------------------------------------------------------------------------------------


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
    if is_share(draft) and _counts(options):
        return "count", ()
    told = options.unit or "count"
    return draft.unit or (told.partition("/")[0] if draft.per else told), ()


def _scale_told(draft: Draft, options: Options, unit: str) -> int | None:
    """The power of ten that the caption gives to an amount; null where the cell says its own, or needs none."""
    if is_share(draft):
        return _PERCENT if unit == "percent" else None
    if _divides(options):
        return None if draft.has_unit or draft.per else options.exponent  # also beside a scale: 5.2万 in ‰
    if options.exponent is None or unit in OUT_OF_SCALE or draft.noun or _says_scale(draft):
        return None
    apart = draft.per is not None and "/" not in (options.unit or "")  # 0.35元/股 in a table of 亿元
    return None if apart or (draft.currency and options.exponent < 0) else options.exponent


def _divides(options: Options) -> bool:
    """Whether the caption's power of ten is what amounts are divided by, and no scale of print: `‰`, `L/100km`."""
    unit, stroke, _ = (options.unit or "").partition("/")
    return (options.exponent or 0) < 0 and (unit == "percent" or (bool(stroke) and unit not in lexicon().codes))


_PERCENT: Final = 2
"""A half is 50 percent."""


def _says_scale(draft: Draft) -> bool:
    """Whether a cell says its own scale, or the smaller unit that it counts: `1.2亿`, `12 cents`, `三块四分`."""
    exponents = {draft.exponent, *(term.exponent for number in draft.numbers for term in number.terms)}
    return any(exponent > 0 or (draft.currency and exponent < 0) for exponent in exponents)


def _is_part(number: Number) -> bool:
    parted = number.over is not None and not number.rate and number.plus is None
    return parted and not any(term.exponent for term in number.terms)


def _counts(options: Options) -> bool:
    """Whether a caption is of counts or money, of which a bare fraction is none: 一半 under 万辆."""
    unit = options.unit or "count"
    measured = "/" in unit or unit in lexicon().measured
    return unit not in OUT_OF_SCALE and (options.exponent is not None or not measured)
