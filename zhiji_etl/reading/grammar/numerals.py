"""Numbers of digits, words or both: `6.238`, `twenty-two point seven`, `5亿3000万`, `三分之二`.

In: tokens and the place to begin. Out: the number (two, where it is a range by itself: `几十万`) and the place after
it, or None where no number begins. Scale words are powers of ten; `百` and `hundred` after words are digits.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from zhiji_etl.reading.grammar.chinese import read_chinese, read_half
from zhiji_etl.reading.grammar.english import counts, hyphen, read_english, read_parts, with_scale
from zhiji_etl.reading.grammar.folding import RUN_MARKS
from zhiji_etl.reading.grammar.meanings import Number, Term
from zhiji_etl.reading.grammar.spans import read_span
from zhiji_etl.reading.grammar.tokens import NOTHING, Found, Token, Tokens, constant, token_at


def read_number(tokens: Tokens, at: int) -> Found | None:
    """The number that begins at a place."""
    found = read_span(tokens, at)
    if found is not None:
        return found
    summed = _sum(tokens, at)
    found = _fraction(tokens, at, summed)
    if found is not None or summed is None:
        return found
    number, end = summed
    number, end = _with_fraction(tokens, number, end)
    return _divided(tokens, number, end)


def initial(tokens: Tokens, at: int) -> bool:
    """A single letter that begins a name, not a scale: `346 T-7A`."""
    token, after = token_at(tokens, at), token_at(tokens, at + 1)
    alone = token.start > token_at(tokens, at - 1).end and token.end == after.start
    return len(token.text) == 1 and token.text.isascii() and alone and after.text in ("-", "'", "&", ".")


def power_of_length(tokens: Tokens, at: int) -> int | None:
    """The literal right after a unit of length: that of the 2 in `m2`."""
    after = token_at(tokens, at + 1)
    glued = after.start == tokens[at].end and tokens[at].get("noun") in _LENGTHS
    return after.get("number") if glued else None


_LENGTHS: Final = frozenset({"metre", "kilometre", "centimetre", "millimetre", "foot"})


# ---- sums of sections and scales ----


def _sum(tokens: Tokens, at: int) -> tuple[Number, int] | None:
    """Sections and their scales: `5亿3000万`, `two million three thousand and nineteen`, `25万6千`."""
    terms: list[Term] = []
    is_open = False
    scaled: int | None = None
    while True:
        section = None if terms and not _may_follow(tokens, at, scaled) else _section(tokens, at)
        if section is not None:
            term, end = section
            if scaled is not None and not _fits(term, scaled):
                break
            terms.append(_trailing(tokens, at, end, term, scaled))
            at, scaled = end, None
            continue
        step = _scale(tokens, at, terms)
        if step is not None:
            scaled, at = step, at + 1
        elif terms and _hyphened_scale(tokens, at):
            at += 1
        elif terms and not is_open and (more := _more(tokens, at)):
            is_open, at = True, at + more
        elif terms and scaled is not None and _joins(tokens, at):
            at += 1
        else:
            break
    return (Number(tuple(terms), open=is_open), at) if terms else None


def _may_follow(tokens: Tokens, at: int, scaled: int | None) -> bool:
    """Whether a section can follow a scale: `1亿2300`, `3 hundred and 21`, but not `$9 billion 364-day`."""
    if scaled is None:
        return False
    before, token = tokens[at - 1], tokens[at] if at < len(tokens) else NOTHING
    if "number" in token.kinds:
        return not before.text[:1].isascii() or "and" in before.kinds
    literal = any("number" in tokens[place].kinds for place in range(max(0, at - 2), at))
    return not (literal and "small" in token.kinds and before.text.isascii() and "and" not in before.kinds)


def _fits(term: Term, scaled: int) -> bool:
    """Whether a section can follow a scale: digits of words must be smaller than it."""
    return term.literal is not None or len(term.digits.split(".")[0]) <= max(scaled, 1)


def _trailing(tokens: Tokens, at: int, end: int, term: Term, scaled: int | None) -> Term:
    """`九万四` is 94,000: one last digit after a scale counts its tenths."""
    single = end == at + 1 and scaled is not None and 0 < (tokens[at].get("digit") or 0) < 10
    single = single or (term.literal is not None and _is_tail(tokens, at))
    if single and not {"scale", "place", "more", "few"} & token_at(tokens, end).kinds.keys():
        return replace(term, exponent=(scaled or 1) - 1)
    return term


def _is_tail(tokens: Tokens, at: int) -> bool:
    """Whether a number is one printed digit right after a Chinese scale: `5万5`."""
    before = token_at(tokens, at - 1)
    return tokens[at].text == RUN_MARKS[0] and before.text[:1] in tuple("百千万亿") and before.end == tokens[at].start


def _scale(tokens: Tokens, at: int, terms: list[Term]) -> int | None:
    """Applies the scale word at a place to the terms it governs, and tells its exponent."""
    token = token_at(tokens, at)
    exponent = token.get("scale")
    if exponent is not None and len(token.text) == 1 and initial(tokens, at):
        exponent = None
    if terms and terms[-1].exponent and token.text.isascii() and len(token.text) < 3:
        exponent = None  # 10 bn m
    if token.text == "m" and (power_of_length(tokens, at) is not None or "measuring" in token_at(tokens, at + 1).kinds):
        exponent = None  # 350 m2, 4.7 m long
    if token.text == "mm" and "noun" in token.kinds and not _is_money(tokens, at):
        exponent = None  # 3000mm, but $5mm
    if exponent is None and terms and (terms[-1].literal is not None or terms[-1].exponent):
        exponent = token.get("place") or token.get("hundred")
    if not terms:
        return _bare_scale(token, terms)
    if exponent is None:
        dozen = token.get("dozen")
        if dozen is None or (at and tokens[at - 1].get("dozen")):
            return None
        terms[:] = [replace(term, factor=term.factor * dozen) for term in terms]
        return 0
    lower = len(terms) - 1
    while lower > 0 and terms[lower - 1].exponent < exponent:
        lower -= 1
    terms[lower:] = [replace(term, exponent=term.exponent + exponent) for term in terms[lower:]]
    return int(exponent)


def _is_money(tokens: Tokens, at: int) -> bool:
    """Whether a currency stands around a number and the scale right after it."""
    return any("currency" in token_at(tokens, place).kinds for place in (at - 3, at - 2, at + 1))


def _hyphened_scale(tokens: Tokens, at: int) -> bool:
    """`$100-million`: a hyphen between a number and its scale word."""
    after = token_at(tokens, at + 1)
    return bool(hyphen(tokens, at)) and "scale" in after.kinds and len(after.text) > 4


def _more(tokens: Tokens, at: int) -> int:
    """How many words say that there is a little more: `十多`, `十几`, `一百几十`."""
    if token_at(tokens, at).get("more"):
        return 1
    if "few" not in token_at(tokens, at).kinds or not {"digit", "place"} & token_at(tokens, at - 1).kinds.keys():
        return 0
    return 1 + ("place" in token_at(tokens, at + 1).kinds)


def _bare_scale(token: Token, terms: list[Term]) -> int | None:
    """`million` by itself is one million; `M`, `万` and the `millions` of a caption are nothing."""
    exponent = token.get("scale") if len(token.text) > 4 and "scale" in token.kinds else token.get("hundred")
    if exponent is None or token.text.lower().endswith("s"):
        return None
    terms.append(Term(None, "1", exponent))
    return int(exponent)


def _joins(tokens: Tokens, at: int) -> bool:
    """`and` between a scale and what follows it, where that is no fraction: `one million and seven`."""
    token = token_at(tokens, at)
    after = token_at(tokens, at + 1)
    if token.text == "-":
        return token.start == tokens[at - 1].end and ("small" in after.kinds or "and" in after.kinds)
    if token.text == ",":
        return "small" in after.kinds and "number" not in tokens[at - 1].kinds
    if "and" not in token.kinds:
        return False
    if after.text == "-":
        return "small" in token_at(tokens, at + 2).kinds
    return _adds(tokens, at) and not _fraction(tokens, at + 1, _sum(tokens, at + 1))


def _adds(tokens: Tokens, at: int) -> bool:
    """Whether what follows `and` is a smaller part of the same number: not in `5 million and 3 million`."""
    if not {"small", "number"} & token_at(tokens, at + 1).kinds.keys():
        return False
    section = _section(tokens, at + 1)
    if section is None:
        return False
    before = tokens[at - 1]
    last = before.get("scale") or before.get("hundred") or 0
    following = token_at(tokens, section[1]).kinds
    if "number" in tokens[at + 1].kinds:
        return last <= 3 and (last == 2 or not {"scale", "percent", "currency"} & following.keys())
    return "scale" not in following or following["scale"] < last


def _section(tokens: Tokens, at: int) -> tuple[Term, int] | None:
    """One run of digits or words without a scale: `7,053`, `two hundred and six`, `一千零五十`, with its decimals."""
    token = token_at(tokens, at)
    if "number" in token.kinds:
        return _scientific(tokens, at) or (Term(token.kinds["number"]), at + 1)
    if "small" in token.kinds or "point" in token.kinds or _one_of(tokens, at):
        return read_english(tokens, at)
    if "digit" in token.kinds or "place" in token.kinds:
        return read_chinese(tokens, at)
    if "half" in token.kinds and {"scale", "place"} & token_at(tokens, at + 1).kinds.keys():
        return read_half(tokens, at)
    return None


def _scientific(tokens: Tokens, at: int) -> tuple[Term, int] | None:
    """`2.48×10−5`, `6 x 10^23`: digits, a sign of multiplication, ten, and its power."""
    times, base, power = token_at(tokens, at + 1), token_at(tokens, at + 2), at + 3
    if "times" not in times.kinds or "number" not in base.kinds:
        return None
    power += token_at(tokens, power).text == "^"
    sign = -1 if token_at(tokens, power).text == "-" else 1
    power += sign < 0
    last = token_at(tokens, power)
    if "number" not in last.kinds or last.start != tokens[power - 1].end:
        return None
    return Term(
        tokens[at].kinds["number"], base=base.kinds["number"], power=last.kinds["number"], power_sign=sign
    ), power + 1


# ---- fractions and spans ----


def _fraction(tokens: Tokens, at: int, summed: tuple[Number, int] | None) -> Found | None:
    """`three quarters`, `a fifth`, `half`, `half a`, `½`, `三分之二`; `summed` is what `_sum` reads at the place."""
    token = token_at(tokens, at)
    if "const" in token.kinds:
        top, bottom = token.kinds["const"].split("/")
        return with_scale(tokens, replace(constant(top), over=constant(bottom)), at + 1)
    if token.get("part") == 4 and hyphen(tokens, at + 1) and not token.text.lower().endswith("s"):
        number, end = with_scale(tokens, replace(constant(1), over=constant(4)), at + 1)
        return (number, end) if end > at + 1 else None  # quarter-million, but quarter-end
    if "half" in token.kinds and not {"place"} & token_at(tokens, at + 1).kinds.keys():
        return _halves(tokens, at)
    return read_parts(tokens, at) or (None if summed is None else _chinese_fraction(tokens, *summed))


def _one_of(tokens: Tokens, at: int) -> bool:
    """Whether an article stands here that is one of what follows: `a million`, `a-million`."""
    return "article" in token_at(tokens, at).kinds and counts(tokens, at + 1 + hyphen(tokens, at + 1))


def _halves(tokens: Tokens, at: int) -> Found:
    end = at + 1
    article = end + hyphen(tokens, end)
    if _one_of(tokens, article):
        end = article + 1
    return with_scale(tokens, replace(constant(1), over=constant(2)), end)


def _chinese_fraction(tokens: Tokens, number: Number, end: int) -> Found | None:
    """`三分之二`: the denominator stands first."""
    token = token_at(tokens, end)
    if "percent_before" in token.kinds and token.text.endswith("分之"):
        exponent = 2 - int([*token.kinds["percent_before"].split(), "0"][1])
        number = number.scaled(exponent)
    elif "parts" not in token.kinds:
        return None
    sign = -1 if (token_at(tokens, end + 1).get("sign") or 1) < 0 else 1
    top = _sum(tokens, end + 1 + (sign < 0))
    return None if top is None else ((replace(top[0].signed(sign), over=number),), top[1])


def _with_fraction(tokens: Tokens, number: Number, at: int) -> tuple[Number, int]:
    """A number and a fraction more: `1 4/5`, `2½`, `one and a half million`, `六又三分之一`."""
    hyphens = hyphened_and(tokens, at)
    token = token_at(tokens, at + hyphens)
    linked = "and" in token.kinds or "plus_part" in token.kinds
    found = None
    if linked or "const" in token.kinds:
        begin = at + linked + 2 * hyphens
        found = _fraction(tokens, begin, _sum(tokens, begin))
    found = found or _printed_fraction(tokens, at)
    if found is None:
        return number, at
    (fraction,), end = found
    if fraction.over is None:
        return number, at
    scale = number.terms[-1].exponent if linked and len(number.terms) == 1 and number.terms[0].digits else 0
    if any(term.exponent for term in fraction.terms) and not any(term.exponent for term in number.terms):
        number, scale = number.scaled(fraction.terms[0].exponent), 0
    return replace(number, plus=fraction.scaled(scale)), end


def hyphened_and(tokens: Tokens, at: int) -> bool:
    """Whether this is the first hyphen of an `and` between two: `two-and-a-half`, `six-and-three-quarter`."""
    link, last = token_at(tokens, at + 1), token_at(tokens, at + 2)
    glued = token_at(tokens, at).end == link.start and link.end == last.start
    return token_at(tokens, at).text == "-" and last.text == "-" and "and" in link.kinds and glued


def _printed_fraction(tokens: Tokens, at: int) -> Found | None:
    """`4/5` after a whole number: `1 4/5`, `1-4/5`, `1 and 4/5`."""
    link = token_at(tokens, at)
    if "number" not in token_at(tokens, at - 1).kinds:
        return None
    hyphen = link.text == "-" and tokens[at - 1].end == link.start and link.end == token_at(tokens, at + 1).start
    at += hyphen or "and" in link.kinds
    top, slash, bottom = (token_at(tokens, at + step) for step in range(3))
    if "number" not in top.kinds or slash.text != "/" or "number" not in bottom.kinds:
        return None
    fraction = Number((Term(top.kinds["number"]),), over=Number((Term(bottom.kinds["number"]),)))
    return with_scale(tokens, fraction, at + 3)


def _divided(tokens: Tokens, number: Number, at: int) -> Found:
    """`2/3`, `1 over three`, `one out of five`, `1 in 20`."""
    token = token_at(tokens, at)
    if "over" not in token.kinds and "in" not in token.kinds:
        return (number,), at
    if token.text == "/" and _in_row(tokens, at):
        return (number,), at
    if token.text == "/" and any(term.exponent for term in number.terms):
        return (number,), at  # 5万/6万
    below = _sum(tokens, at + 1)
    if token.text == "/" and any({".", ","} & set(token_at(tokens, place).text) for place in (at - 1, at + 1)):
        return (number,), at
    if below is not None and token.text != "/" and not _said(number) and not _said(below[0]):
        return (number,), at
    if below is None or (token.text == "/" and "number" not in token_at(tokens, at + 1).kinds):
        return (number,), at
    if token.text == "/" and "scale" in token_at(tokens, at + 2).kinds:  # 1/2 million
        return with_scale(
            tokens, replace(number, over=Number(below[0].terms[:1]).scaled(-below[0].terms[0].exponent)), at + 2
        )
    return (replace(number, over=below[0]),), below[1]


def _in_row(tokens: Tokens, at: int) -> bool:
    """Whether a stroke is one of two or more between numbers: `12/15/18倍` is no fraction."""
    return any(
        token_at(tokens, place).text == "/" and {"number"} & token_at(tokens, place - 1).kinds.keys()
        for place in (at - 2, at + 2)
    )


def _said(number: Number) -> bool:
    """Whether a number is said in words: `$31.53 in 2024` is no fraction, `one in 20` is."""
    return any(term.literal is None for term in number.terms)
