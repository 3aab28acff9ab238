"""One amount, or two that are the ends of a range: `5 to 6 million`, `between 1.1 and 1.3`, `over 10 and under 40`.

In: tokens and the place to begin, and what the reader was told. Out: an `Amount` and the place after it, `Refine` where
only the widths of the digits can decide, or None where no amount begins.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from zhiji_etl.figures import Qualifier
from zhiji_etl.reading.grammar.amounts import read_amount
from zhiji_etl.reading.grammar.denominators import read_per
from zhiji_etl.reading.grammar.drafts import MIRRORED, Draft, agreed
from zhiji_etl.reading.grammar.finishing import finished, is_share
from zhiji_etl.reading.grammar.meanings import Amount, Number, Options, Refine
from zhiji_etl.reading.grammar.tokens import Token, Tokens, token_at


def read_range(
    found: Tokens, at: int, options: Options, fine: bool, prose: bool = False
) -> tuple[Amount | Refine, int] | None:
    """One amount, or two that are the ends of a range: `5 to 6 million`, `between 1.1 and 1.3 dollars`."""
    first = read_amount(found, at, fine, prose)
    if first is None:
        return None
    low, end = first
    led = prose and _is_change_from(found, at, low)
    low.crossed = prose and _is_crossed(found, at, end)
    second = None if led else _second(found, end, low, fine, prose)  # fell from 7% to 5%: two levels, no range
    if low.refine or (second and second[0].refine):
        return Refine(), end
    if second is None:
        return _closed_bracket(finished(low, options), low), end
    high, end = second
    return _spanned(low, high, options), end


def _is_change_from(found: Tokens, at: int, low: Draft) -> bool:
    """Whether `from` follows a word of change, or what changed: `rose $1 million, from $8 million`, `raised its stake
    from 25% to 30%`; or `by` what was moved: `cut its stake by 5% to 12%`.
    """
    before = [found[place].kinds.keys() for place in range(max(0, at - _FARTHEST), at)]
    if not low.between:
        return token_at(found, at - 1).text == "by" and any("moving" in kinds for kinds in before)
    if "change" in token_at(found, at - 1).kinds:
        return True
    return found[at].text == "from" and any({"change", "moving", "multiple_word"} & kinds for kinds in before)


_FARTHEST: Final = 12


def _is_crossed(found: Tokens, at: int, end: int) -> bool:
    """Whether an amount is a level that was crossed: `fell below 2%`, `topped 50`, `climbed past 3,000`, `跌破7`."""
    first, before = token_at(found, at), token_at(found, at - 1)
    if any(token.get("crossing") == "alone" for token in found[at:end]):
        return True
    moved = token_at(found, at - 2) if "crossing" in before.kinds else before
    return not {"change", "moving"}.isdisjoint(moved.kinds) and ("level" in first.kinds or moved is not before)


def _closed_bracket(amount: Amount, draft: Draft) -> Amount:
    """A bracket around a whole amount is a minus in accounting, also where it was not closed."""
    if draft.bracket and draft.sign > 0:
        return replace(amount, numbers=tuple(number.signed(-1) for number in amount.numbers))
    return amount


def _second(found: Tokens, at: int, low: Draft, fine: bool, prose: bool) -> tuple[Draft, int] | None:
    token = token_at(found, at)
    opposite = {Qualifier.ABOVE, Qualifier.AT_LEAST, Qualifier.BELOW, Qualifier.AT_MOST}
    linked = "to" in token.kinds or ("and" in token.kinds and low.between) or _either(token, low, prose)
    if prose and not low.between and token.text in ("through", "until", "till", "or", "或", "与", "和"):
        return None
    up_to = token.text.lower().endswith("up to")
    bounding = up_to or bool(_BOUNDING & token.kinds.keys()) or _follows(found, at)
    bounded = bounding and low.qualifier in opposite
    if (not linked and not bounded) or len(low.numbers) != 1:
        return None
    begin = at + ("before" not in token.kinds and not (bounded and _follows(found, at)))
    begin += bool(bounded and token.text in (",", "，") and {"but", "and"} & token_at(found, begin).kinds.keys())
    begin += token_at(found, begin).text.lower() == "the"
    amount = read_amount(found, begin, fine, prose)
    read = amount and _with_denominator(found, amount, low)
    if read is None or len(read[0].numbers) != 1 or (read[0].bracket and not low.bracket):
        return None
    if _is_dashed_minus(token, low, token_at(found, begin)):
        read[0].sign = -1
    if "after" in token.kinds and "and" in token.text.split():
        read[0].qualifier = Qualifier(token.kinds["after"])
    elif bounded and up_to:
        read[0].qualifier = Qualifier.AT_MOST
    if prose and low.change and token.text != "-" and _is_level(found, at, low, read[0]):
        return None
    if low.crossed and token.text.isalpha() and _is_reached(low, read[0]):
        return None
    if not linked and not _bounds_too(low, token, read[0]):
        return None
    return read if _like(low, read[0]) and not _is_apart(low, read[0], prose) else None


def _is_reached(low: Draft, high: Draft) -> bool:
    """Whether a second amount is the level behind one that was crossed, `fell below $2 to $1.95`, and does not say the
    unit of both, `fell below 2 to 3 percent`.
    """
    said = low.has_unit or _has_scale(low)
    return said or not (_has_scale(high) or (high.has_unit and not high.noun))


def _bounds_too(low: Draft, token: Token, high: Draft) -> bool:
    """Whether a second limit belongs to the first: not where only a comma parts them, 突破万亿，近千人."""
    apart = "filler" in token.kinds and low.has_unit != high.has_unit
    return _opposed(low.qualifier, high.qualifier) and not apart


def _with_denominator(found: Tokens, read: tuple[Draft, int], low: Draft) -> tuple[Draft, int]:
    """The second end with what it is said of, where the currency stands before the first: `$0.10-0.15/share`."""
    draft, end = read
    if draft.has_unit or not low.currency or low.per or token_at(found, end).text != "/":
        return read
    draft.currency = low.currency
    taken = read_per(found, end, draft)
    draft.currency = draft.currency if taken else ()
    draft.end = found[end + taken - 1].end
    return draft, end + taken


def _grows(found: Tokens, at: int, unit: str | None) -> bool:
    """Whether the word of change before is one after which two percentages are a range, `to grow 3% to 5%`, or two
    amounts of any kind, as it tells no change: `亏损3亿元至4亿元`.
    """
    word = next((token for token in reversed(found[:at]) if "change" in token.kinds), None)
    ranging = word and word.get("ranging")
    return ranging == "always" or (ranging is not None and unit == "percent")


def _is_dashed_minus(token: Token, low: Draft, after: Token) -> bool:
    """Whether the second of two dashes is a minus: `-5% - -3%`, and after a minus `-5%--3%`."""
    return token.end == after.start and (token.text == "- -" or (token.text == "--" and low.sign < 0))


def _is_level(found: Tokens, at: int, low: Draft, high: Draft) -> bool:
    """Whether what follows a change is where it led to: `rose 300 points to 35,000`, `from 5% to 7%`, `上涨3元至57元`;
    not in `up $2 to $3 million`, where the scale is that of both.
    """
    token = found[at]
    if low.unit == high.unit and _grows(found, at, low.unit):
        return False
    led = low.unit is not None or _has_scale(low) or (bool(low.currency) and not _has_scale(high))
    bare = not (low.has_unit or high.has_unit or _has_scale(high))  # fell by 1,200 to 34,500
    return "to" in token.kinds and (low.between or ((led or bare) and token.text.isalpha()))


def _is_apart(low: Draft, high: Draft, prose: bool) -> bool:
    """Whether two amounts are no ends of one range: `more than doubled to 1.2 million`, `6-millionth`, and in running
    text `(2023—$1.1 million)`, where the sign of a currency would stand before the first.
    """
    doubled = low.unit == "multiple" and low.numbers[0].terms[0].literal is None and high.unit != "multiple"
    ranked = high.unit == "rank" and low.unit is None
    fraction = low.numbers[0].over is not None and low.unit is None and not _has_scale(low)  # fell by a third to 3,200
    fraction = fraction and low.numbers[0].terms[0].literal is None and high.numbers[0].over is None
    parted = prose and fraction and (low.change != 0 or not _has_scale(high))
    return doubled or ranked or parted or (prose and not low.has_unit and high.led)


def _has_scale(draft: Draft) -> bool:
    return any(term.exponent for number in draft.numbers for term in number.terms)


def _either(token: Token, low: Draft, prose: bool) -> bool:
    """`five or six million`, `2 or 3 vehicles`: the second says the unit and the scale of both."""
    plain = not low.has_unit and not _has_scale(low) and low.qualifier is Qualifier.EXACT
    return not prose and token.text.lower() == "or" and plain


_BOUNDING: Final = frozenset({"and", "but", "filler", "before", "after"})


def _follows(found: Tokens, at: int) -> bool:
    """Whether a number stands right after a limit that was said behind another: `5000元以上1万元以下`."""
    glued = token_at(found, at - 1).end == token_at(found, at).start
    return glued and "after" in token_at(found, at - 1).kinds and _COUNTING & token_at(found, at).kinds.keys() != set()


_COUNTING: Final = frozenset({"number", "digit", "place"})


def _opposed(first: Qualifier, second: Qualifier) -> bool:
    rising = {Qualifier.ABOVE, Qualifier.AT_LEAST}
    falling = {Qualifier.BELOW, Qualifier.AT_MOST}
    return (first in rising and second in falling) or (first in falling and second in rising)


def _like(low: Draft, high: Draft) -> bool:
    """Whether two amounts can be the ends of one range: their units agree, or one of them has none."""
    if low.currency and high.currency:
        said_once = high.per is None and not _has_scale(high)  # 每股5元至6元
        return bool(set(low.currency) & set(high.currency)) and (said_once or low.per in (None, high.per))
    if (low.currency and high.unit) or (high.currency and low.unit):
        return False
    if low.unit is not None and high.unit is not None:
        return low.unit == high.unit and low.per in (None, high.per)
    return True


def _spoken_zeros(low: Number, high: Number, *, scaled: bool) -> int:
    """The hundreds or thousands that the second of two numbers in words says for both: `five to six hundred`."""
    worded = all(len(number.terms) == 1 and number.terms[0].literal is None for number in (low, high))
    first, last = low.terms[0].digits, high.terms[0].digits
    zeros = len(last) - len(last.rstrip("0"))
    lone = len(first) == 1 or (not scaled and not first.endswith("00"))
    return zeros if worded and lone and zeros > 1 and "." not in last else 0


def _share_hedge(low: Draft, high: Draft) -> None:
    """What is said before a range holds for both ends, `up to 10-15%`; between two ends each has its own."""
    if low.between:
        bounded = high.qualifier in MIRRORED or low.qualifier not in (Qualifier.BELOW, Qualifier.AT_MOST)
        low.qualifier = low.qualifier if bounded else Qualifier.EXACT
    elif high.qualifier is Qualifier.EXACT:
        high.qualifier = low.leading


def _is_falling(first: Amount, last: Amount) -> bool:
    """Whether the upper end of a hedged range stands first: `under 40 and over 10`, `down more than 5-6%`."""
    if _opposed(first.qualifier, last.qualifier):
        return last.qualifier in (Qualifier.ABOVE, Qualifier.AT_LEAST)
    return first.numbers[0].sign < 0 and last.numbers[0].sign < 0


def _spanned(low: Draft, high: Draft, options: Options) -> Amount:
    if is_share(low) != is_share(high):
        low.no_share = high.no_share = True
    if min(low.exponent, high.exponent) < 0:  # 50 cents to $1
        options = replace(options, exponent=None)
    shared = high.numbers[0].terms[0].exponent
    shared += _spoken_zeros(low.numbers[0], high.numbers[0], scaled=shared > 0)
    if not (low.has_unit and high.has_unit):  # `5 to 6 cents`, but not `50 cents to $1`
        low.exponent = high.exponent = low.exponent or high.exponent
    rate = high.numbers[0]
    if rate.rate and low.per is None:  # 5 to 6 litres per 100 km
        low.numbers = (replace(low.numbers[0], over=rate.over, rate=True),)
    if low.many is not None:  # 每10股派5至6元
        high.numbers = (replace(rate, over=low.many, rate=True),)
    high.currency = agreed(low.currency, high.currency)
    for name in ("currency", "unit", "per", "noun", "words"):
        setattr(high, name, getattr(high, name) or getattr(low, name))
        setattr(low, name, getattr(high, name))
    high.change, low.change = high.change or low.change, low.change or high.change
    _share_hedge(low, high)
    first, last = finished(low, options), finished(high, options)
    hedged = low.qualifier in MIRRORED or high.qualifier in MIRRORED
    if hedged and _is_falling(first, last):
        first, last = last, first
    return replace(
        last,
        numbers=(first.numbers[0], last.numbers[0]),
        start=min(first.start, last.start),
        end=max(first.end, last.end),
        qualifier=Qualifier.RANGE,
        halves=(first, last) if hedged else None,
        apart=None if hedged else (first, last),
        shared=0 if _has_scale(low) or shared <= 0 else shared,
    )
