"""What an amount is said of: `per vehicle`, `/桶`, `a share`, `per capita`, `per 1,000 people`, `$5-a-share`.

In: tokens, the place after an amount so far, a draft. Out: how many tokens were read into it; 0 where nothing is said.
"""

from __future__ import annotations

from dataclasses import replace

from zhiji_etl.reading.grammar.drafts import Draft, singular
from zhiji_etl.reading.grammar.meanings import Number
from zhiji_etl.reading.grammar.numerals import power_of_length, read_number
from zhiji_etl.reading.grammar.tokens import Token, Tokens, constant, token_at
from zhiji_etl.reading.grammar.words import is_ideograph, lexicon


def read_per(tokens: Tokens, at: int, draft: Draft) -> int:
    """`per vehicle`, `/桶`, `a share`."""
    bare = draft.unit is None and not draft.currency
    if "per" not in tokens[at].kinds or draft.per or (bare and not _is_rate(tokens, at)):
        return 0  # neither 1/4 nor three a day
    after = token_at(tokens, at + 1)
    if "past" in token_at(tokens, at + 2).kinds:
        return 0
    many = _many(tokens, at, draft)
    if many:
        return many
    words, end = [after], at + 2
    while "word" in words[-1].kinds and tokens[at].text in ("per", "/") and len(words) < 4:
        if token_at(tokens, end).text == "/" and tokens[at].text == "per":
            words.append(tokens[end])  # per ordinary/ADS share
            end += 1
        if not {"word", "noun"} & token_at(tokens, end).kinds.keys():
            break
        words.append(tokens[end])
        end += 1
    unit = words[-1].get("noun") or words[-1].get("per_unit")
    if unit is None and (bare or "word" not in after.kinds or tokens[at].text not in ("per", "/")):
        return 0
    power = power_of_length(tokens, at + len(words)) if unit else None
    if draft.power is not None and power is not None:
        return 0
    draft.per, draft.power_first = unit or singular([after]), draft.power is not None
    draft.power = draft.power if power is None else power
    return 1 + len(words) + (power is not None) if unit else 2


def _is_rate(tokens: Tokens, at: int) -> bool:
    """Whether a number without a unit is a rate all the same: `70 per minute`, `1,850/oz`."""
    stroke, unit = tokens[at], token_at(tokens, at + 1)
    glued = stroke.start == tokens[at - 1].end and stroke.end == unit.start
    measured = len(unit.text) > 1 and unit.get("noun") in lexicon().measured
    return stroke.text == "per" or (stroke.text == "/" and glued and measured)


def read_hyphened_per(tokens: Tokens, at: int, draft: Draft) -> int:
    """`a $5-a-share dividend`, `$80-per-barrel oil`."""
    per, hyphen, unit = (token_at(tokens, at + step) for step in (1, 2, 3))
    if tokens[at].text != "-" or hyphen.text != "-" or "per" not in per.kinds or not draft.currency or draft.per:
        return 0
    glued = tokens[at - 1].end == tokens[at].start and tokens[at].end == per.start and hyphen.end == unit.start
    draft.per = unit.get("noun") or unit.get("per_unit") if glued else None
    return 4 if draft.per else 0


def read_average(tokens: Tokens, at: int, draft: Draft) -> int:
    """`$5,000 per capita`."""
    if draft.per or not draft.has_unit:
        return 0
    draft.per = tokens[at].kinds["average_per"]
    return 1


def read_many(tokens: Tokens, at: int) -> tuple[Number, str, int] | None:
    """How many of what: `1,000 people`, `百公里`, `10股`; the number, the unit and the place after them."""
    first = token_at(tokens, at)
    if "article" in first.kinds:
        return None
    one = first.get("place") or first.get("scale") if is_ideograph(first.text[:1] or " ") else None
    many = read_number(tokens, at) or (one and ((constant(1, one),), at + 1))
    if not many or len(many[0]) > 1:
        return None
    named = token_at(tokens, many[1])
    unit = named.get("noun") or (named.get("per_unit") if named.start == tokens[many[1] - 1].end else None)
    unit = unit or _money(many[0][0], named)
    parted = many[0][0].over is not None or many[0][0].plus is not None
    return None if unit is None or unit == "year" or parted else (many[0][0], str(unit), many[1] + 1)


# --------------------------------------------------------------------------------------------------


def _money(many: Number, named: Token) -> str | None:
    """The codes that a sum of money can be in that is said as a scale alone: 4人/亿元, 1.5吨/万元."""
    term = many.terms[0]
    scale = len(many.terms) == 1 and term.literal is None and term.digits.strip("0") == "1"
    codes = named.get("currency") if scale and is_ideograph(named.text[:1] or " ") else None
    return " ".join(codes) if codes else None


def _many(tokens: Tokens, at: int, draft: Draft) -> int:
    """`per 1,000 people`, `/100km`, `每百公里`: the number is that of so many units, and is divided by them."""
    many = read_many(tokens, at + 1) if tokens[at].text in ("per", "/", "每") else None
    if many and draft.currency and "currency" in tokens[many[2] - 1].kinds:
        return 0  # 5万元/万元
    if many is None or any(number.over is not None or number.plus is not None for number in draft.numbers):
        return 0
    draft.numbers = tuple(replace(number, over=many[0], rate=True) for number in draft.numbers)
    draft.per = many[1]
    return many[2] - at
