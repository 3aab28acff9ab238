"""Numbers in a row whose unit is said once, after the last: `12, 13 and 14 percent`, `1.2、1.5和1.8亿元`, `12/15/18倍`.

In: the tokens of a window and its amounts, in order. Out: the amounts, with the scale and the unit of the last one of a
row given to the bare numbers before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Final

from zhiji_etl.figures import Qualifier
from zhiji_etl.reading.grammar.meanings import Amount
from zhiji_etl.reading.grammar.tokens import Token, token_at, within

_LAST: Final = frozenset({"and", "or", "和", "与", "及", "以及", "/"})
"""What stands before the last of a row; a comma alone may begin something else."""
_BETWEEN: Final = _LAST | {",", "、"}


def with_shared_words(found: Sequence[Token], amounts: Sequence[Amount]) -> tuple[Amount, ...]:
    """The amounts of a window: in a row, bare numbers with the unit said last, percentages with the fall said first."""
    if len(amounts) < 2:
        return tuple(amounts)
    given = list(amounts)
    rows = [_links(found, first.end, last.start) for first, last in pairwise(amounts)]
    apart = any("respectively" in token.kinds for token in found)
    for at in range(len(rows) - 1, -1, -1):
        following = given[at + 1]
        begun = apart or (at + 1 < len(rows) and following is not amounts[at + 1])
        if (
            (_LAST & rows[at] or (begun and rows[at]) or _moves(found, given[at], following))
            and _is_bare(given[at], found, apart)
            and _gives(following, found)
        ):
            given[at] = _in_unit_of(given[at], following)
    return _with_shared_fall(found, given, rows) if apart else tuple(given)


def with_own_scale(amount: Amount, printed: Sequence[str]) -> Amount:
    """A number of a row without the scale of the last, where that is far the smaller in print: `500 and 1 million`."""
    (number,), last = amount.numbers, amount.listed
    term = number.terms[0]
    if last is None or term.literal is None or Decimal(printed[term.literal]) < 100 * Decimal(printed[last]):
        return amount
    return replace(amount, numbers=(number.scaled(-term.exponent),))


# ---------------------------------------------------------------------------------------------------------------------


def _links(found: Sequence[Token], start: int, end: int) -> frozenset[str]:
    """What stands between two amounts, if it is nothing but signs and words of a row."""
    words = [found[at].text.lower() for at in within(found, start, end)]
    return frozenset(words) if words and _BETWEEN.issuperset(words) else frozenset()


def _moves(found: Sequence[Token], first: Amount, last: Amount) -> bool:
    """Whether these are the two levels of a move, `grew from 2 to 6 million`, which share their words as a row does."""
    between = within(found, first.end, last.start)
    before = within(found, 0, first.start).stop - 1
    return token_at(found, before).text == "from" and [found[at].text for at in between] == ["to"]


def _is_bare(amount: Amount, found: Sequence[Token], apart: bool) -> bool:
    """Whether an amount is a number in digits and nothing else; `apart` says that a fall before it is that of all."""
    number = amount.numbers[0]
    plain = amount.plain and len(amount.numbers) == 1 and amount.restated is None and amount.unit == "count"
    words = _words(amount, found)
    if words and words[-1].text == "个":
        words.pop()  # 分别回落0.3个和2.1个百分点
    alone = bool(words) and "number" in words[-1].kinds and all(_is_idle(word, apart) for word in words[:-1])
    return plain and alone and amount.qualifier is Qualifier.EXACT and number.terms[0].exponent == 0


def _words(amount: Amount, found: Sequence[Token]) -> list[Token]:
    return [found[at] for at in within(found, amount.start, amount.end)]


def _is_idle(word: Token, apart: bool) -> bool:
    """Whether a word before a number leaves it as it is: `为`, `growth of`; a fall may be that of one, not of all."""
    idle = {"before", "filler", "of", "change", "sign"} & word.kinds.keys()
    return bool(idle) and (apart or (word.get("change") or 1) > 0)


def _gives(amount: Amount, found: Sequence[Token]) -> bool:
    """Whether a row can end with this amount: one number in digits, with a scale or a unit after it."""
    said = amount.unit != "count" or bool(amount.numbers[0].terms[0].exponent)
    led = any(
        {"number", "sign"} & token.kinds.keys() and token.start == amount.start for token in _words(amount, found)
    )
    return said and led and amount.plain and len(amount.numbers) == 1


def _with_shared_fall(
    found: Sequence[Token], amounts: list[Amount], rows: Sequence[frozenset[str]]
) -> tuple[Amount, ...]:
    """A fall that is said once of a row: `分别下降3%和5%`, `fell 3% and 5%, respectively`."""
    falling = False
    for at, row in enumerate(rows):
        first, following = amounts[at], amounts[at + 1]
        words = [found[at] for at in within(found, first.start, following.end)]
        falling = falling or (_falls(words, first.end) and first.numbers[0].sign < 0)
        bare = "number" in next(token for token in words if token.start >= following.start).kinds
        bare = bare and following.qualifier is Qualifier.EXACT and first.unit == following.unit
        falling = falling and bare and bool(row)
        if falling:
            amounts[at + 1] = replace(following, numbers=tuple(number.signed(-1) for number in following.numbers))
    return tuple(amounts)


def _falls(words: Sequence[Token], end: int) -> bool:
    """Whether a word of fall stands among those that begin before this offset."""
    return any((word.get("change") or 0) < 0 for word in words if word.start < end)


def _in_unit_of(amount: Amount, last: Amount) -> Amount:
    number = amount.numbers[0].scaled(last.numbers[0].terms[0].exponent)
    return replace(
        amount,
        numbers=(number,),
        unit=last.unit,
        whole=last.whole,
        signless=last.signless,
        readings=last.readings,
        listed=last.listed or last.numbers[0].terms[0].literal,
    )
