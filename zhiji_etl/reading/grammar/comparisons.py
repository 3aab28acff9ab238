"""What compares an amount with the base behind it: `3.5% lower than 2.23 million`, `twice as many as 300`.

In: tokens, the place after an amount in running text, its draft. Out: how many words compare; they tell the change of
the amount before them and are no hedge of the base, which is as exact as it is printed.
"""

from __future__ import annotations

from typing import Final

from zhiji_etl.reading.grammar.drafts import DURATIONS, MIRRORED, Draft
from zhiji_etl.reading.grammar.tokens import Tokens, token_at


def read_comparison(tokens: Tokens, at: int, draft: Draft) -> int:
    """`12% more than $1.2 billion`, `$12 million less than $45 million`, `twice as much as 300`."""
    sign = tokens[at].get("comparing")
    if sign is None or not draft.prose or draft.change or _is_time(tokens, at + 1, draft):
        return 0
    based = _is_base(tokens, at + 1)
    if sign == 0:
        part = draft.unit is None and draft.numbers[0].over is not None
        return int(based and (part or draft.unit == "multiple"))
    level = "level" in tokens[at].kinds
    can = draft.has_unit and based if level else _can_differ(draft) and (based or _is_named(tokens, at + 1))
    if not can:
        return 0
    if not draft.currency and (not level or _is_gap(tokens, at, draft)):
        draft.change = sign
    return 1


# ---------------------------------------------------------------------------------------------------------------------


def _is_gap(tokens: Tokens, at: int, draft: Draft) -> bool:
    """Whether `below` tells how far, `10% below $50`, `20 basis points below 3%`, and not where: `at 3% below 5%`."""
    points = draft.unit in ("percentage_point", "basis_point")
    return points or (draft.unit == "percent" and "currency" in token_at(tokens, at + 1).kinds)


def _can_differ(draft: Draft) -> bool:
    """Whether an amount is one for sure: a bare number in digits may be a year, `in 2019 more than 300 stores`, and a
    bare one with a limit the first of two, `over 5 million less than 6 million`.
    """
    if draft.has_unit:
        return True
    worded = all(term.literal is None for number in draft.numbers for term in number.terms)
    return draft.qualifier not in MIRRORED and (worded or any(t.exponent for n in draft.numbers for t in n.terms))


def _is_base(tokens: Tokens, at: int) -> bool:
    """Whether an amount follows."""
    at += token_at(tokens, at).text.lower() == "the"
    token, after = token_at(tokens, at), token_at(tokens, at + 1)
    return not _COUNTING.isdisjoint(token.kinds) or ("currency" in token.kinds and "number" in after.kinds)


_COUNTING: Final = frozenset({"number", "small"})


def _is_named(tokens: Tokens, at: int) -> bool:
    """Whether words say what the base is, `12% less than last year`; not in `sales of $5 million more than doubled`."""
    return _SAID.isdisjoint(token_at(tokens, at).kinds)


_SAID: Final = frozenset({"multiple_word", "half", "few", "tens", "hundreds", "article", "ordinal"})


def _is_time(tokens: Tokens, at: int, draft: Draft) -> bool:
    """Whether a length of time follows, which no amount but another one is compared with: `more than 20 years ago`."""
    while not _BEFORE_UNIT.isdisjoint(token_at(tokens, at).kinds):
        at += 1
    return token_at(tokens, at).get("noun") in DURATIONS and draft.unit not in DURATIONS


_BEFORE_UNIT: Final = frozenset({"number", "small", "scale", "hundred", "article", "half", "few", "dozen"})
