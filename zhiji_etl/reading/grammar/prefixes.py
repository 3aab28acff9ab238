"""What stands before a number: signs, qualifiers, words of change, a currency, `第`, `每辆`, fillers.

In: tokens, the place to begin, a draft. Out: the place where a number can begin; the draft knows what was read.
"""

from __future__ import annotations

from typing import Final

from zhiji_etl.figures import Qualifier
from zhiji_etl.reading.grammar.denominators import read_many
from zhiji_etl.reading.grammar.drafts import Draft, Step, agreed, set_unit
from zhiji_etl.reading.grammar.folding import RUN_MARKS
from zhiji_etl.reading.grammar.numerals import read_number
from zhiji_etl.reading.grammar.tokens import NAME_MARK, Token, Tokens, token_at
from zhiji_etl.reading.grammar.words import is_ideograph, lexicon


def read_before(tokens: Tokens, at: int, draft: Draft) -> int:
    """Signs, qualifiers, words of change, currency and filler, up to where a number can begin."""
    end = min(len(tokens), at + _FARTHEST)
    while at < end:
        token = tokens[at]
        taken = 0
        for kinds, step in _PREFIXES:
            if not kinds.isdisjoint(token.kinds) and (taken := step(tokens, at, draft)):
                break
        if not taken:
            return at
        at += taken
        if draft.start >= 0 or "filler" not in token.kinds:
            draft.seen(tokens[at - 1] if draft.start >= 0 else token)
    return at


_FARTHEST: Final = 24
"""More words do not stand before a number, and a text may be one long row of them."""


def _sign(tokens: Tokens, at: int, draft: Draft) -> int:
    value = tokens[at].get("sign") or _dash(tokens, at, draft)
    if value is None or draft.numbers or (draft.prose and _operates(tokens, at)) or _is_tolerance(tokens, at):
        return 0
    draft.sign *= value
    draft.change = draft.change or int(tokens[at].text == "+")
    return 1


def _is_tolerance(tokens: Tokens, at: int) -> bool:
    """Whether this is the first or the second sign of `+-3`, which says how far off a number may be."""
    signs = {tokens[at - 1].text if at else "", tokens[at].text}, {tokens[at].text, token_at(tokens, at + 1).text}
    return {"+", "-"} in signs


def _operates(tokens: Tokens, at: int) -> bool:
    """Whether a `minus` subtracts from a name, `LIBOR minus 0.5%`, or parts two numbers: no negative figure."""
    word, before = tokens[at].text.lower(), token_at(tokens, at - 1)
    if word == "-" and "number" in before.kinds:
        gaps = [before.end < tokens[at].start, tokens[at].end < token_at(tokens, at + 1).start]
        return gaps[0] == gaps[1]  # (2023 - $5 million)
    return word == "plus" or (word == "minus" and token_at(tokens, at - 1).text == NAME_MARK)


def _dash(tokens: Tokens, at: int, draft: Draft) -> int | None:
    """An en dash right before the number of a cell is a minus: `–3.2%`."""
    glued = tokens[at].end == token_at(tokens, at + 1).start
    return -1 if tokens[at].text == "–" and glued and not draft.prose and draft.start < 0 else None


def _reaching(tokens: Tokens, at: int, draft: Draft) -> int:
    """`上百万`, `上亿元`, `过半`."""
    after = token_at(tokens, at + 1)
    half = tokens[at].text == "过" and after.text == "半"
    half = half and token_at(tokens, at + 2).get("noun") not in lexicon().measured  # 过半年
    if not half and not {"place", "scale"} & after.kinds.keys():
        return 0
    draft.qualifier = Qualifier(tokens[at].kinds["reaching"])
    return 1


def _qualifier(tokens: Tokens, at: int, draft: Draft) -> int:
    value = tokens[at].get("before")
    if value is None:
        return 0
    if draft.prose and "model" in tokens[at].kinds:
        return 0
    if draft.prose and token_at(tokens, at + 1).text == "the" and " " not in tokens[at].text:
        return 0  # news about the 5%, under the 2022 Plan
    found = Qualifier(value)
    if found is not Qualifier.EXACT and (draft.qualifier is Qualifier.EXACT or found is not Qualifier.ABOUT):
        draft.qualifier = found
    return 1


def _average(tokens: Tokens, at: int, draft: Draft) -> int:
    """`人均3.2万元`, `per capita $5,000`."""
    draft.per = tokens[at].kinds["average_per"]
    return 1


def _between(tokens: Tokens, at: int, draft: Draft) -> int:
    if "between" not in tokens[at].kinds:
        return 0
    draft.between = True
    return 1


def _change(tokens: Tokens, at: int, draft: Draft) -> int:
    token, after = tokens[at], token_at(tokens, at + 1)
    value = token.get("change")
    value = token.get("change_in_cell") if value is None and not draft.prose else value
    if value is None or (draft.change and value > 0) or (draft.prose and draft.currency) or after.text == "的":
        return 0
    state = token.get("ranging") == "always"
    sized = after.text == "为" and (state or token.text.endswith(("幅", "幅度")))  # 净亏损为3亿元, 降幅为3%
    if after.text.lower() in _LEVELS and not sized:
        return 0 if draft.prose or after.text.lower() in _FORMER else 2
    if "level" in after.kinds:
        return int(not draft.prose)
    draft.change, draft.english = value, token.text.isascii()
    draft.priced = state or not {"跌", "涨"}.isdisjoint(token.text)
    return 1


_FORMER: Final = frozenset({"from", "由", "从", "自"})
_LEVELS: Final = frozenset({"to", "至", "到", "为", *_FORMER})
"""After a word of change, what follows is a level and no change: `fell to 5%`, `down from 7%`, `降至5%`."""


def _currency_before(tokens: Tokens, at: int, draft: Draft) -> int:
    token = tokens[at]
    led = "scale" in token.kinds and token.text.isascii()
    if led and "currency" in token_at(tokens, at + 1).kinds and token.end == tokens[at + 1].start:
        draft.exponent += token.kinds["scale"]
        return 1
    codes = token.get("currency") or (token.get("weak_code") if _glued(tokens, at, draft.prose) else None)
    codes = codes or (None if draft.prose else token.get("cell_currency"))
    if draft.prose and "after_only" in token.kinds:
        return 0
    if codes is None or (draft.currency and len(codes) == len(draft.currency) and not set(codes) & set(draft.currency)):
        return 0
    draft.currency = agreed(draft.currency, codes)
    draft.also = token.get("also") or ()
    return 1 + _scale_before(tokens, at + 1, draft)


def _scale_before(tokens: Tokens, at: int, draft: Draft) -> int:
    """`USDm 2.5`, and in cells `RMB million 1,234`: a scale between a currency and its number."""
    scale = token_at(tokens, at).get("scale")
    apart = draft.prose and token_at(tokens, at).start > tokens[at - 1].end
    if apart or scale is None or "number" not in token_at(tokens, at + 1).kinds:
        return 0
    draft.exponent += scale
    return 1


def _subunit_before(tokens: Tokens, at: int, draft: Draft) -> int:
    """`GBp 120` is 1.20 pounds."""
    if draft.currency:
        return 0
    draft.currency = tokens[at].kinds["subunit_before"]
    draft.exponent -= 2
    return 1


def _cents_of(tokens: Tokens, at: int, draft: Draft) -> int:
    """`HK23.5 cents`: letters of a currency before its cents."""
    number, cents = token_at(tokens, at + 1), token_at(tokens, at + 2)
    if draft.currency or number.start != tokens[at].end or "number" not in number.kinds or "subunit" not in cents.kinds:
        return 0
    draft.currency = tokens[at].kinds["cents_of"]
    return 1


def _glued(tokens: Tokens, at: int, prose: bool) -> bool:
    """Whether a word that is also a currency code stands right before a number or sign."""
    token, after = tokens[at], token_at(tokens, at + 1)
    close = token.end == after.start or (token.text.isupper() and not prose)
    return close and bool({"number", "currency"} & after.kinds.keys())


def _percent_before(tokens: Tokens, at: int, draft: Draft) -> int:
    token = tokens[at]
    if "percent_before" in token.kinds:
        set_unit(draft, token.kinds["percent_before"])
        return 1
    if "percent" in token.kinds and "of" in token_at(tokens, at + 1).kinds:
        set_unit(draft, token.kinds["percent"])
        return 2
    return 0


def _rank_before(tokens: Tokens, at: int, draft: Draft) -> int:
    token = tokens[at]
    if "ordinal_prefix" in token.kinds or "rank" in token.kinds:
        draft.unit = "rank"
        return 1
    return 0


def _every(tokens: Tokens, at: int, draft: Draft) -> int:
    """`每辆5万元`, `each vehicle $5`, `每10股派3.5元`."""
    unit = token_at(tokens, at + 1).get("noun") or token_at(tokens, at + 1).get("per_unit")
    if unit is not None:
        draft.per = unit
        return 2
    many = read_many(tokens, at + 1) if is_ideograph(tokens[at].text[0]) else None
    if many is None or "paying" not in token_at(tokens, many[2]).kinds:
        return 0
    draft.many, draft.per = many[0], many[1]
    return many[2] - at


def _paying(tokens: Tokens, at: int, draft: Draft) -> int:
    """`每股派0.35元`: what is paid for each."""
    return int(draft.per is not None)


def _opening(tokens: Tokens, at: int, draft: Draft) -> int:
    if tokens[at].text != "(" or draft.bracket or (draft.prose and not _accounting(tokens, at, draft)):
        return 0
    draft.bracket = True
    return 1


def _accounting(tokens: Tokens, at: int, draft: Draft) -> bool:
    """Whether a bracket in running text is a minus: `$(0.12)`, `(5.2)%`, `(345) million`."""
    return (bool(draft.currency) and tokens[at - 1].end == tokens[at].start) or is_accounting(tokens, at)


def is_accounting(tokens: Tokens, at: int) -> bool:
    """Whether nothing but a number stands in a bracket, and its percent or its scale and unit right behind: `(5.2)%`,
    `net loss of (345) million`, `净利润（345）百万元`; not `（1）万科`, nor what begins a sentence.

    After a colon a number of three digits or more needs no unit, and a currency may stand within: `Loss: ($2.3m)`.
    """
    colon = token_at(tokens, at - 1).text in _COLONS
    if colon and _is_money_within(tokens, at + 1):
        return _is_lettered(token_at(tokens, at - 2))
    close, after = token_at(tokens, at + 2), token_at(tokens, at + 3)
    if "close" not in close.kinds or "percent" in after.kinds:
        return "close" in close.kinds
    if not _is_lettered(token_at(tokens, at - 1 - colon)):
        return False
    scale = at + 3 + ("place" in after.kinds)
    counted = after.text.isascii() or bool({"currency", "noun"} & token_at(tokens, scale + 1).kinds.keys())
    cents = "subunit" in after.kinds and len(after.text) > 1
    alone = colon and _is_wide(tokens[at + 1].text) and not _is_lettered(after)
    return cents or alone or ("scale" in token_at(tokens, scale).kinds and counted)


_COLONS: Final = frozenset({":", "："})


def _is_money_within(tokens: Tokens, at: int) -> bool:
    """Whether a currency, its number and perhaps a scale stand before the end of a bracket."""
    end = at + 2 + ("scale" in token_at(tokens, at + 2).kinds)
    money = "currency" in token_at(tokens, at).kinds and "number" in token_at(tokens, at + 1).kinds
    return money and "close" in token_at(tokens, end).kinds


def _is_lettered(token: Token) -> bool:
    """Whether a word, or the bracket at its end, stands here: `净利润`, `Profit/(loss)`."""
    return not {"word", "close"}.isdisjoint(token.kinds) or token.text[:1].isalpha()


def _is_wide(printed: str) -> bool:
    """Whether a number of a fine shape has more than two digits, or decimals: less is the mark of a list."""
    return len(printed) > 1 or printed in RUN_MARKS[2:]


def _filler(tokens: Tokens, at: int, draft: Draft) -> int:
    token = tokens[at]
    passed = {"of", "by", "stop", "article", "manner"}
    if draft.prose and (draft.start < 0 or passed.isdisjoint(token.kinds) or token.text in _VERBS):
        return 0
    if "manner" in token.kinds and not draft.change and draft.prose:
        return 0
    if "article" in token.kinds and read_number(tokens, at) is not None:
        return 0
    if draft.prose and token.text == "in":
        return 0  # lower than in 2021
    after = token_at(tokens, at + 1)
    return int(
        not ("article" in token.kinds and {"currency", "subunit"} & after.kinds.keys() and not _leads(tokens, at + 1))
    )


def _leads(tokens: Tokens, at: int) -> bool:
    """Whether a currency stands before its number: `a US$ 4.7 billion`."""
    return "number" in token_at(tokens, at + 1).kinds


_VERBS: Final = frozenset({"was", "were", "is", "are"})


_PREFIXES: Final[tuple[tuple[frozenset[str], Step], ...]] = tuple(
    (frozenset(kinds.split()), step)
    for kinds, step in (
        ("sign to", _sign),
        ("before", _qualifier),
        ("reaching", _reaching),
        ("between", _between),
        ("change change_in_cell", _change),
        ("subunit_before", _subunit_before),
        ("cents_of", _cents_of),
        ("currency cell_currency weak_code scale", _currency_before),
        ("percent_before percent", _percent_before),
        ("ordinal_prefix rank", _rank_before),
        ("every", _every),
        ("paying", _paying),
        ("average_per", _average),
        ("open", _opening),
        ("filler caption manner", _filler),
    )
)
"""What can stand before a number, in the order in which it is tried: kinds of its first word, and how it is read."""
