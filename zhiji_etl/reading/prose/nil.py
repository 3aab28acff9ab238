"""Where running text says that there is nothing: `no borrowings`, `did not recognize any impairment`.

In: the tokens of a window and the place of `no`, `zero` or `any`. Out: an amount of zero and the place after it, or
None. Only nouns that are money by themselves, or shares, are taken: `no assurance` is no figure.
"""

from __future__ import annotations

from zhiji_etl.figures import Qualifier
from zhiji_etl.reading.grammar.meanings import Amount, Options
from zhiji_etl.reading.grammar.tokens import Tokens, constant, token_at

_FARTHEST = 5
_DEFAULT_CURRENCY = "USD"


def read_nothing(tokens: Tokens, at: int, options: Options) -> tuple[Amount, int] | None:
    """An amount of zero: `no` or `not ... any`, a few words, and what there is none of.

    Its currency is the one of the reader, or US dollars marked as ambiguous.
    """
    token = tokens[at]
    start = at if token.text.lower() in ("no", "zero") else _denial(tokens, at)
    if start is None:
        return None
    for place in range(at + 1, min(at + 1 + _FARTHEST, len(tokens))):
        kinds = tokens[place].kinds
        if "money_noun" in kinds or kinds.get("noun") == "share":
            return _zero(tokens, start, place, options), place + 1
        if not {"word", "stop", "change", "modifier", "filler", "change_in_cell"} & kinds.keys() or "and" in kinds:
            return None
    return None


def _denial(tokens: Tokens, at: int) -> int | None:
    """Where the `not` of a `not ... any` stands."""
    if "any" not in tokens[at].kinds:
        return None
    return next((place for place in range(max(0, at - 4), at) if "not" in token_at(tokens, place).kinds), None)


def _zero(tokens: Tokens, at: int, place: int, options: Options) -> Amount:
    money = "money_noun" in tokens[place].kinds
    reason = "the text names no currency"
    return Amount(
        numbers=(constant(0),),
        unit=(options.currency or _DEFAULT_CURRENCY) if money else "share",
        qualifier=Qualifier.EXACT,
        start=tokens[at].start,
        end=tokens[place].end,
        whole=not money,
        signless=True,
        readings=(("count", reason),) if money and options.currency is None else (),
    )
