"""Numbers that are ranges by themselves: `几十万`, `tens of millions`, `三五百`, `十七八岁`.

In: tokens and the place to begin. Out: the two ends and the place after them, or None where there is no such number.
"""

from __future__ import annotations

from zhiji_etl.reading.grammar.tokens import Found, Tokens, constant, token_at


def read_span(tokens: Tokens, at: int) -> Found | None:
    """The range that begins at a place."""
    token = token_at(tokens, at)
    if "few" in token.kinds or "tens" in token.kinds or "hundreds" in token.kinds:
        return _few(tokens, at)
    if "digit" in token.kinds or token.get("place") == 1:
        return _neighbours(tokens, at) or _neighbouring_ones(tokens, at)
    return None


def _neighbours(tokens: Tokens, at: int) -> Found | None:
    """Two digits in a row that are a guess: `三五百`, `两三万`, `七八成`, `两三年`."""
    low, high, after = tokens[at].get("digit") or 0, token_at(tokens, at + 1).get("digit"), token_at(tokens, at + 2)
    if not (low and high and low < high < 10):
        return None
    exponent = after.get("place") or after.get("scale")
    if exponent:
        return _scaled_pair(tokens, low, high, exponent, at + 3)
    guess = (high == low + 1 and (low > 1 or tokens[at + 1].text == "两")) or (low, high) == (3, 5)
    if guess and {"noun", "currency", "tenth", "multiple"} & after.kinds.keys():
        return (constant(low), constant(high)), at + 2
    return None


def _neighbouring_ones(tokens: Tokens, at: int) -> Found | None:
    """`十七八岁`, `二十五六万`: two digits in a row after a ten."""
    tens = tokens[at].get("digit")
    place = at + (tens is not None)
    low, high = token_at(tokens, place + 1).get("digit"), token_at(tokens, place + 2).get("digit")
    if token_at(tokens, place).get("place") != 1 or not (low and high == low + 1 and high < 10):
        return None
    after = token_at(tokens, place + 3)
    base = 10 if tens is None else 10 * tens
    if "scale" in after.kinds:
        return _scaled_pair(tokens, base + low, base + high, after.kinds["scale"], place + 4)
    if {"noun", "currency", "tenth", "multiple"} & after.kinds.keys():
        return (constant(base + low), constant(base + high)), place + 3
    return None


def _few(tokens: Tokens, at: int) -> Found | None:
    token = token_at(tokens, at)
    exponent = token.get("tens") or token.get("hundreds")
    end = at + 1
    if exponent is not None:
        if "of" not in token_at(tokens, end).kinds:
            return None
        return _scaled_pair(tokens, 1, 10, exponent, end + 1 if "scale" in token_at(tokens, end + 1).kinds else end)
    after = token_at(tokens, end)
    exponent = after.get("place") or after.get("scale") or after.get("hundred")
    return None if exponent is None else _scaled_pair(tokens, 1, 10, exponent, end + 1)


def _scaled_pair(tokens: Tokens, low: int, high: int, exponent: int, at: int) -> Found:
    while (scale := token_at(tokens, at).get("scale")) is not None:
        exponent += scale
        at += 1
    return (constant(low, exponent), constant(high, exponent)), at
