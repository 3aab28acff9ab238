"""What is left below one unit of a currency: `20 dollars and 43 cents`, `三块四分`, `一块二`, `15 USD 50`.

In: tokens, the place after a currency, a draft. Out: how many tokens were read into it; 0 where there is no rest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from zhiji_etl.reading.grammar.drafts import Draft
from zhiji_etl.reading.grammar.meanings import Number
from zhiji_etl.reading.grammar.numerals import read_number
from zhiji_etl.reading.grammar.tokens import Token, Tokens, token_at


def read_subunit(tokens: Tokens, at: int, draft: Draft) -> int:
    """A part of a currency by itself: `43 cents`, `两角五分`."""
    token = tokens[at]
    if len(token.text) == 1 and token.text.isupper():
        return 0  # 3C
    tenth = token.get("subunit_tenth")
    codes = tenth or token.get("subunit")
    if codes is None or draft.unit is not None or (draft.currency and not _named(tokens, at, draft)):
        return 0
    draft.currency = draft.currency or codes
    draft.exponent -= 1 if tenth else 2  # of the whole draft, so that both ends of `5 to 6 cents` have it
    rest = read_number(tokens, at + 1) if tenth else None
    if rest:
        after = token_at(tokens, rest[1])
        named = "subunit" in after.kinds
        if named or (rest[1] == at + 2 and "digit" in tokens[at + 1].kinds and _unit_ends(after)):
            _add(draft, rest[0][0].scaled(-1))
            return rest[1] + named - at
    return 1


def _named(tokens: Tokens, at: int, draft: Draft) -> bool:
    """Whether letters before the number say whose cents they are: `RMB6.5 cents`; `$0.50 cents` are unclear."""
    led = token_at(tokens, at - 2).text.isalpha() and tokens[at].text.lower() in _CENTS
    return led and "number" in tokens[at - 1].kinds and not draft.exponent


_CENTS: Final = frozenset({"cent", "cents", "分", "仙"})


def read_rest(tokens: Tokens, at: int, draft: Draft, fine: bool) -> int:
    """What is left below one unit of a currency: `20 dollars and 43 cents`, `三块四分`, `一块二`, `15 USD 50`."""
    if not draft.currency or len(draft.numbers) != 1 or draft.numbers[0].terms[-1].exponent or draft.exponent:
        return 0
    if fine and _has_decimals(tokens, at):
        return 0
    named = bool({"currency", "subunit", "weak_code"} & tokens[at - 1].kinds.keys())
    linked = "and" in tokens[at].kinds or "plus_part" in tokens[at].kinds or tokens[at].get("digit") == 0
    begin = at + linked
    rest = read_number(tokens, begin)
    if rest is None or len(rest[0]) > 1 or rest[0][0].over or not (named or linked):
        return 0
    number, end = rest[0][0], rest[1]
    exponent, taken = _part_of_unit(tokens, begin, end, number, draft, fine)
    if exponent is None:
        return 0
    _add(draft, number.scaled(exponent))
    more = read_number(tokens, end + taken) if exponent == -1 and taken else None
    if more and "subunit" in token_at(tokens, more[1]).kinds:
        _add(draft, more[0][0].scaled(-2))
        return more[1] + 1 - at
    return end + taken - at


def _has_decimals(tokens: Tokens, at: int) -> bool:
    """Whether the number before this place was printed with decimals: nothing can be left below it."""
    last = next((token for token in reversed(tokens[:at]) if "number" in token.kinds), None)
    return last is not None and bool({".", ","} & set(last.text))


def _part_of_unit(
    tokens: Tokens, begin: int, end: int, number: Number, draft: Draft, fine: bool
) -> tuple[int | None, int]:
    """The power of ten of such a rest, and how many words of unit follow it."""
    token = token_at(tokens, end)
    if "subunit_tenth" in token.kinds:
        return -1, 1
    if "subunit" in token.kinds:
        return -2, 1
    term = number.terms[0]
    if (
        len(number.terms) > 1
        or term.exponent
        or not _unit_ends(token)
        or (token.text and token.start == tokens[end - 1].end and token.text.isalpha())
    ):
        return None, 0
    if term.literal is None:
        tenth = "digit" in tokens[begin].kinds and len(term.digits) == 1
        return (
            -1 if tenth and tokens[begin - 1].get("digit") != 0 else -2 if len(term.digits) == 2 or tenth else None
        ), 0
    if not fine:
        draft.refine = True
        return None, 0
    width = tokens[begin]
    return (-2 if width.end - width.start == 1 and width.text in "\ue002\ue006" else None), 0


def _unit_ends(token: Token) -> bool:
    kinds = token.kinds.keys()
    return not kinds & {"currency", "percent", "noun", "word", "scale", "multiple", "weak_code", "place"}


def _add(draft: Draft, number: Number) -> None:
    draft.numbers = (replace(draft.numbers[0], terms=(*draft.numbers[0].terms, *number.terms)), *draft.numbers[1:])
