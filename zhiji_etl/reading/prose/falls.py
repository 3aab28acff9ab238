"""Falls that are said apart from their number: `a decrease in revenue of 5%`, `cut costs by 5%`, `a 5% pay cut`.

In: the tokens of a window and its amounts, in order. Out: the amounts; one that says no change itself is negative where
the words around it say so, or where it says a fall again: `fell 120 points, or 0.7%`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from zhiji_etl.reading.grammar.drafts import MIRRORED
from zhiji_etl.reading.grammar.meanings import Amount
from zhiji_etl.reading.grammar.tokens import Token, is_ideographic, token_at, within
from zhiji_etl.reading.grammar.words import lexicon

_POINTS: Final = frozenset({"percentage_point", "basis_point"})
_CHANGING: Final = _POINTS | {"percent"}
"""Only these are changes for sure where the word of change stands apart."""
_SAYING: Final = frozenset({"change", "change_after", "reducing"})
_BREAKING: Final = frozenset({"number", "small", "digit", "to", "between", "before", "open", "close"})
_AGAIN: Final = frozenset({",", "or", "或", "(", "点"})
_COMPARING: Final = ("比", "较")
_ARTICLES: Final = frozenset({"a", "an"})
_FARTHEST: Final = 12
_NEAR: Final = 2


def with_falls(found: Sequence[Token], amounts: Sequence[Amount]) -> tuple[Amount, ...]:
    """The amounts of a window, with the falls that are said apart from them."""
    given: list[Amount] = []
    fell = False
    for amount in amounts:
        inside = within(found, amount.start, amount.end)
        said = [found[at] for at in inside if _says_change(found[at])]
        again = fell and not said and _says_again(found, given[-1], amount)
        apart = not said and bool(inside) and _falls_around(found, inside, amount.unit)
        fell = again or apart or any(_is_fall(token) for token in said)
        given.append(_negative(amount) if again or (apart and amount.unit in _CHANGING) else amount)
    return tuple(given)


# ---------------------------------------------------------------------------------------------------------------------


def _says_change(token: Token) -> bool:
    return not _SAYING.isdisjoint(token.kinds) or token.text == "+"


def _is_fall(token: Token) -> bool:
    return min(token.get("change") or 0, token.get("change_after") or 0, token.get("reducing") or 0) < 0


def _says_again(found: Sequence[Token], first: Amount, amount: Amount) -> bool:
    """Whether an amount says again how far the one before it fell: `fell $3 million, or 0.7%`, `跌120点（0.7%）`."""
    places = within(found, first.end, amount.start)
    between = [found[at].text.lower() for at in places]
    linked = "or" in between or "或" in between or "or" in token_at(found, places.stop).kinds
    if amount.unit.split("/")[0] in lexicon().codes and "或" not in between:
        return False  # money stays as it is printed, as after an English word
    bracketed = between == ["("] and amount.unit in _CHANGING and first.unit not in _CHANGING
    return _AGAIN.issuperset(between) and (linked or bracketed)


def _falls_around(found: Sequence[Token], inside: Sequence[int], unit: str) -> bool:
    """Whether the words around a percentage or points say that it is a fall."""
    before, begin = token_at(found, inside[0] - 1), inside[0] - 1
    link = before.text.lower()
    if link == "of":
        at = _last_saying(found, begin)
        return at is not None and _is_fall(found[at]) and token_at(found, at + 1).text.lower() == "in"
    if link == "by":
        at = _last_saying(found, begin)
        return at is not None and "reducing" in found[at].kinds
    if link in _ARTICLES:
        return _names_fall(found, inside[-1] + 1)
    if unit in _POINTS and is_ideographic(before.text[:1] or " "):
        at = _last_saying(found, inside[0])
        return at is not None and (found[at].get("change") or 0) < 0
    return False


def _last_saying(found: Sequence[Token], end: int) -> int | None:
    """The last word of change before a place in the same clause; None where something else stands behind it."""
    for at in range(end - 1, max(end - 1 - _FARTHEST, -1), -1):
        token = found[at]
        if not _SAYING.isdisjoint(token.kinds):
            return at
        compared = token.text[:1] in _COMPARING or (is_ideographic(token.text[:1] or " ") and "stop" in token.kinds)
        if compared or not _is_word(token) or not _BREAKING.isdisjoint(token.kinds):
            return None
    return None


def _is_word(token: Token) -> bool:
    """Whether this is no sign of punctuation."""
    return "word" in token.kinds or token.text[:1].isalpha()


def _names_fall(found: Sequence[Token], at: int) -> bool:
    """Whether one or two words and then the name of a fall follow: `a 5% pay cut`, `a 25-basis-point rate cut`."""
    for place in range(at, at + _NEAR + 1):
        token = token_at(found, place)
        if "change_after" in token.kinds:
            return place > at and token.kinds["change_after"] < 0
        if not _is_word(token):
            return False
    return False


def _negative(amount: Amount) -> Amount:
    if amount.halves is not None or any(number.sign < 0 for number in amount.numbers):
        return amount
    return replace(
        amount,
        numbers=tuple(number.signed(-1) for number in amount.numbers),
        qualifier=MIRRORED.get(amount.qualifier, amount.qualifier),
        signless=False,
        apart=None if amount.apart is None else (_negative(amount.apart[0]), _negative(amount.apart[1])),
    )
