"""Numbers in Chinese characters up to the next scale: `一千零五十`, `十二`, `一百二`, `一七二零`, `半百`.

In: tokens and the place to begin. Out: a term and the place after it, or None where there is none.
"""

from __future__ import annotations

from typing import Final

from zhiji_etl.reading.grammar.english import spoken_decimals
from zhiji_etl.reading.grammar.meanings import Term
from zhiji_etl.reading.grammar.tokens import Tokens, token_at


def read_chinese(tokens: Tokens, at: int) -> tuple[Term, int] | None:
    """Digits and places, with decimals after `点`."""
    digits, end = _digit_string(tokens, at) or _integer(tokens, at)
    if end == at:
        return None
    decimals, end_of_decimals = spoken_decimals(tokens, end)
    if decimals:
        return Term(None, f"{digits}.{decimals}"), end_of_decimals
    return Term(None, digits), end


def read_half(tokens: Tokens, at: int) -> tuple[Term, int]:
    """`半` before a place or scale: `半百`, `半亿`."""
    place = token_at(tokens, at + 1).get("place")
    if place:
        return Term(None, str(5 * 10 ** (place - 1))), at + 2
    return Term(None, "0.5"), at + 1


def _digit_string(tokens: Tokens, at: int) -> tuple[str, int] | None:
    """`一七二零`: digits named one after another."""
    end = at
    while 0 <= (digit if (digit := token_at(tokens, end).get("digit")) is not None else -1) < 10:
        end += 1
    if end - at < 2 or "place" in token_at(tokens, end).kinds:
        return None
    return "".join(str(token.kinds["digit"]) for token in tokens[at:end]), end


def _integer(tokens: Tokens, at: int) -> tuple[str, int]:
    """Digits and places up to the next scale: `一千零五十`, `十二`, `一百二` (120), `千一` (1,100)."""
    at += token_at(tokens, at).get("digit") == 0 and bool({"digit", "place"} & token_at(tokens, at + 1).kinds.keys())
    total, digit, last, zero, start = 0, None, 5, False, at
    while True:
        token = token_at(tokens, at)
        found, place = token.get("digit"), token.get("place")
        if place is not None and place < last and (digit != 0):
            if digit is None and total == 0 and place > 1 and at == start and not _counts(tokens, at + 1):
                break
            total += (1 if digit is None else digit) * 10**place
            digit, last, zero = None, place, False
        elif found is not None and found >= 20 and digit is None and last > 1:
            total, last, zero = total + found, 1, False
        elif found == 0 and digit is None and total and not zero:
            zero = True
        elif found is not None and found < 10 and digit is None:
            digit = found
        else:
            break
        at += 1
    if digit:
        total += digit * 10 ** (last - 1 if 2 <= last < 5 and not zero else 0)
    return str(total), at


def is_doubling(tokens: Tokens, at: int) -> bool:
    """Whether this is the 番 of `翻了近一番`, not that of `一番努力`; or the 倍 of `翻了近一倍`."""
    if token_at(tokens, at).text == "倍":
        return token_at(tokens, at - 1).get("digit") == 1 and _is_turned(tokens, at - 2)
    turned = any(token_at(tokens, place).text in _TURNED for place in range(at - 6, at))
    return turned and token_at(tokens, at).text == "番"


def _is_turned(tokens: Tokens, at: int) -> bool:
    """Whether 翻 stands here, or before the hedge that ends here."""
    while {"before", "reaching"} & token_at(tokens, at).kinds.keys():
        at -= 1
    return token_at(tokens, at).text in _TURNED


_TURNED: Final = ("翻", "翻了")


def _counts(tokens: Tokens, at: int) -> bool:
    """Whether a place without a digit before this word is one of it: `百二`, `千亿`."""
    token = token_at(tokens, at)
    return bool(token.get("digit")) or "scale" in token.kinds or bool(token.get("more"))
