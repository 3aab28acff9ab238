"""What stands after a number: percent, scale, currency, nouns, `per vehicle`, closing qualifiers and words of change.

In: tokens, the place after the number, a draft. Out: the place after the amount; the draft knows what was read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from zhiji_etl.figures import Qualifier
from zhiji_etl.reading.grammar.chinese import is_doubling
from zhiji_etl.reading.grammar.comparisons import read_comparison
from zhiji_etl.reading.grammar.denominators import read_average, read_hyphened_per, read_per
from zhiji_etl.reading.grammar.drafts import CLOSED, Draft, Step, agreed, set_unit
from zhiji_etl.reading.grammar.folding import RUN_MARKS
from zhiji_etl.reading.grammar.halves import read_classified, read_half_more, read_more, read_part_of, read_points
from zhiji_etl.reading.grammar.meanings import Number
from zhiji_etl.reading.grammar.numerals import initial, power_of_length
from zhiji_etl.reading.grammar.subunits import read_rest, read_subunit
from zhiji_etl.reading.grammar.tokens import Token, Tokens, constant, is_ideographic, is_unknown_character, token_at
from zhiji_etl.reading.grammar.words import is_ideograph, lexicon


def read_after(tokens: Tokens, at: int, draft: Draft, fine: bool) -> int:
    """Units, currencies, nouns, closing qualifiers and words of change, as far as they go."""
    while at < len(tokens):
        kinds, taken = tokens[at].kinds, 0
        for wanted, step in _SUFFIXES:
            if not wanted.isdisjoint(kinds) and (taken := step(tokens, at, draft)):
                break
        taken = taken or read_rest(tokens, at, draft, fine) or _noun_phrase(tokens, at, draft)
        if not taken:
            break
        at += taken
        draft.end = tokens[at - 1].end
    return at


def _scale_after(tokens: Tokens, at: int, draft: Draft) -> int:
    """`75 USD million`, `5+ million`, `20-odd billion`, `(345)百万元`."""
    taken = 1 + ("place" in tokens[at].kinds)
    words = [token_at(tokens, place) for place in range(at, at + taken)]
    scales = [word.get("scale") or word.get("place") for word in words]
    led = draft.currency or {"after", "close"} & token_at(tokens, at - 1).kinds.keys()
    if None in scales or not led or any(t.exponent for n in draft.numbers for t in n.terms):
        return 0
    draft.numbers = tuple(number.scaled(sum(scales)) for number in draft.numbers)
    return taken


def _ordinal_suffix(tokens: Tokens, at: int, draft: Draft) -> int:
    token = tokens[at]
    if "ordinal_suffix" in token.kinds and token.start == tokens[at - 1].end and "number" in tokens[at - 1].kinds:
        draft.unit = "rank"
        return 1
    if draft.unit == "rank" and ("rank_after" in token.kinds or "noun" in token.kinds):
        return 1
    return 0


def _percent(tokens: Tokens, at: int, draft: Draft) -> int:
    token = tokens[at]
    if draft.currency and draft.prose and token.text == "%" and "number" in tokens[at - 1].kinds:
        draft.currency = ()  # EUR -0.3%, the US$ 4.5% notes: a name
    if draft.currency or draft.unit not in (None, "percent"):
        return 0
    points = token.text.lower() == "pct" and _in_chinese(tokens, at)
    set_unit(draft, "percentage_point" if points else token.kinds["percent"])
    return 1


def _in_chinese(tokens: Tokens, at: int) -> bool:
    """Whether the word before a number is Chinese: `同比+3.2pct` is percentage points there, `3.2 pct` percent."""
    passed = {"number", "sign", "percent", "over", "open"}  # 同比+1.2pct/-0.3pct, 毛利率16.5%（-1.2pct）
    before = next((token for token in reversed(tokens[:at]) if passed.isdisjoint(token.kinds)), None)
    return before is not None and is_ideographic(before.text[:1] or " ")


def _tenths(tokens: Tokens, at: int, draft: Draft) -> int:
    """`三成`, `七成六`, `八五折`."""
    token = tokens[at]
    if "tenth" not in token.kinds or draft.has_unit:
        return 0
    draft.unit = "percent"
    draft.numbers = tuple(_in_tenths(number, tokens[at - 1], token) for number in draft.numbers)
    number = draft.numbers[0]
    after = token_at(tokens, at + 1)
    if after.get("more") and len(draft.numbers) == 1:
        draft.numbers = (replace(number, open=True),)
        return 2
    digit = after.get("digit") or (5 if after.text == "半" and not draft.prose else None)  # 七成半, but 七成半导体
    if digit is None or number.terms[0].literal is not None or len(draft.numbers) > 1:
        return 1
    draft.numbers = (replace(number, terms=(*number.terms, constant(digit).terms[0])),)
    return 2


def _in_tenths(number: Number, before: Token, token: Token) -> Number:
    """`三成` is 30 percent, and so is `三折`; but `八五折` and `85折` are 85."""
    term = number.terms[0]
    digits = token.text == "折" and (
        _is_wide(before.text) if term.literal is not None else len(term.digits) == 2 and term.digits != "10"
    )
    return number if digits and number.over is None else number.scaled(1)


def _is_wide(printed: str) -> bool:
    """Whether a number of a fine shape has two digits and no more, perhaps apart: `85折`, `7 2 折`."""
    return printed == RUN_MARKS[1] or printed == f"{RUN_MARKS[0]} {RUN_MARKS[0]}"


def _multiple(tokens: Tokens, at: int, draft: Draft) -> int:
    token = tokens[at]
    if "multiple" not in token.kinds or draft.has_unit:
        return 0
    if token.text in "xX×" and (token.start != tokens[at - 1].end or "number" in token_at(tokens, at + 1).kinds):
        return 0
    draft.unit = "multiple"
    return 1


def _doublings(tokens: Tokens, at: int, draft: Draft) -> int:
    """`翻了近一番`, `翻近两番`, `翻超一倍`: twofold, fourfold, with a hedge within the phrase."""
    term = draft.numbers[0].terms[0]
    halved = token_at(tokens, at + 1).text == "半"
    if not is_doubling(tokens, at) or draft.has_unit or term.literal is not None or halved:
        return 0
    draft.numbers = (constant(2 ** int(term.digits)),)
    draft.unit = "multiple"
    return 1


def _currency_after(tokens: Tokens, at: int, draft: Draft) -> int:
    token = tokens[at]
    codes = token.get("currency") or (None if draft.has_unit else token.get("weak_code"))
    codes = codes or (None if draft.prose or draft.has_unit else token.get("cell_currency"))
    if (
        codes is None
        or draft.unit is not None
        or ("number" in token_at(tokens, at + 1).kinds and _belongs_to_next(tokens, at, draft))
    ):
        return 0
    if draft.currency and not set(codes) & set(draft.currency):
        codes = tuple(code for code in codes if code in draft.also)
        draft.currency = codes or draft.currency
        return int(bool(codes))
    draft.currency = agreed(draft.currency, codes)
    return 1


def _belongs_to_next(tokens: Tokens, at: int, draft: Draft) -> bool:
    """Whether a currency sign between two numbers is the second one's: `$5 $6`, `3 USD50`."""
    if is_ideograph(tokens[at].text[0]):
        return False
    return bool(draft.currency) or tokens[at].end == tokens[at + 1].start


def _qualifier_after(tokens: Tokens, at: int, draft: Draft) -> int:
    token = tokens[at]
    share = draft.numbers[0].over is not None or draft.unit in ("percent", "multiple")
    value = token.get("after") or (token.get("slightly") if share else None)
    if "inclusive" in token.kinds or "or_equal" in token.kinds:
        draft.qualifier = CLOSED.get(draft.qualifier, draft.qualifier)
        closed = token_at(tokens, at + 1).get("after")
        if closed:
            draft.qualifier = CLOSED.get(Qualifier(closed), Qualifier(closed))
        return 1 + bool(closed)
    if token.text == "起" and "noun" in token.kinds and not draft.has_unit and _is_counted(tokens, at, draft):
        return 0
    if value is not None and "and" in token.text.split() and "number" in token_at(tokens, at + 1).kinds:
        return 0
    if value is None or (token.text == "+" and (token.start != tokens[at - 1].end or _is_tolerance(tokens, at))):
        return 0
    if draft.qualifier in (Qualifier.EXACT, Qualifier.ABOUT):
        draft.qualifier = Qualifier(value)
    return 1


def _is_tolerance(tokens: Tokens, at: int) -> bool:
    """Whether a plus is the first sign of a tolerance: `5+-3`."""
    minus, after = token_at(tokens, at + 1), token_at(tokens, at + 2)
    return minus.text == "-" and minus.start == tokens[at].end and minus.end == after.start and "number" in after.kinds


def _is_counted(tokens: Tokens, at: int, draft: Draft) -> bool:
    """Whether 起 counts what follows it, `三十一起案件`, and does not say where prices begin, `18.98万起`."""
    after = token_at(tokens, at + 1)
    scaled = any(term.exponent for number in draft.numbers for term in number.terms)
    return not scaled and after.start == tokens[at].end and is_ideographic(after.text[:1] or " ")


def _change_after(tokens: Tokens, at: int, draft: Draft) -> int:
    if "manner" in tokens[at].kinds and "change_after" in token_at(tokens, at + 1).kinds:
        return 2 * _change_after(tokens, at + 1, draft)  # 3% year-on-year decline
    value = tokens[at].get("change_after")
    value = tokens[at].get("change_in_cell") if value is None and not draft.prose else value
    if value is None or not (draft.unit or (draft.currency and not draft.prose)) or draft.change:
        return 0
    if draft.unit == "rank" or ("before" in tokens[at].kinds and "number" in token_at(tokens, at + 1).kinds):
        return 0
    draft.change = value
    return 1


def _closing(tokens: Tokens, at: int, draft: Draft) -> int:
    if tokens[at].text != ")" or not draft.bracket or draft.closed:
        return 0
    draft.sign, draft.closed = -1, True
    return 1


def _idle(tokens: Tokens, at: int, draft: Draft) -> int:
    """Words after an amount that add nothing: `整`, `钱`, notes, `之间`, `of` in `tens of millions of dollars`."""
    kinds = tokens[at].kinds
    after = token_at(tokens, at + 1)
    if tokens[at].text == "-" and tokens[at - 1].end == tokens[at].start and tokens[at].end == after.start:
        unit = bool({"currency", "percent"} & after.kinds.keys()) or ("subunit" in after.kinds and len(after.text) > 1)
        signed = after.text == "%" and not draft.prose  # 12.5-%, but a 5-% rise
        return int(unit and not signed and "number" not in token_at(tokens, at + 2).kinds)
    if "of" in kinds and not draft.has_unit and {"currency", "noun"} & after.kinds.keys():
        return int(not draft.prose or draft.numbers[0].over is None)
    measured = "measuring" in kinds and draft.unit in lexicon().measured  # 4.7 m long
    return int(measured or not kinds.keys().isdisjoint({"whole_sum", "note", "between_after"}))


def _noun(tokens: Tokens, at: int, draft: Draft) -> int:
    token = tokens[at]
    if "noun" not in token.kinds or draft.has_unit or initial(tokens, at):
        return 0
    if _is_share(tokens, at, draft):
        return _share_of(draft)
    draft.unit = "degree_celsius" if token.text == "度" and _of_temperature(tokens, at) else token.kinds["noun"]
    draft.noun = True
    draft.words.append(token)
    draft.power = power_of_length(tokens, at)
    return 1 + (draft.power is not None)


def _is_share(tokens: Tokens, at: int, draft: Draft) -> bool:
    """Whether it is a share of what follows, `one in five customers`, `a third of users`, `近半员工`, and no number of
    it: half a million vehicles are counted, and so is half an hour.
    """
    number = draft.numbers[0]
    scaled = any(term.exponent or term.factor > 1 for term in number.terms)
    if number.over is None or number.rate or scaled or draft.unit not in (None, _SHARE):
        return False
    linked = (token_at(tokens, place) for place in range(at - _NEAR, at))
    apart = any("in" in token.kinds or token.text.lower() == "out of" for token in linked)
    worded = number.terms[0].literal is None and is_ideographic(tokens[at].text[:1])
    group = worded and tokens[at].get("noun") not in lexicon().measured
    return apart or group or "of" in token_at(tokens, at - 1).kinds


def _share_of(draft: Draft) -> int:
    """Passes what a share is one of: a cell has to be read whole, in running text it is no part of the figure."""
    if not draft.prose:
        draft.unit, draft.noun = _SHARE, True
    return int(not draft.prose)


_SHARE: Final = "count"


def _of_temperature(tokens: Tokens, at: int) -> bool:
    """Whether a word of temperature stands a few words before: `零下5度`, `最高气温为38度`."""
    return any("temperature" in token_at(tokens, place).kinds for place in range(at - _NEAR, at))


_NEAR: Final = 6


def _noun_phrase(tokens: Tokens, at: int, draft: Draft) -> int:
    """`new energy vehicles`: the head is the last word before a preposition."""
    if draft.currency or (draft.unit is not None and not draft.noun) or _is_share(tokens, at, draft):
        return 0
    if draft.unit in lexicon().measured:
        return 0  # 28 mpg city
    token = tokens[at]
    named = "label" in token.kinds and _known_noun_follows(tokens, at)
    named = named or ("label" in token.kinds and draft.unit == "" and "number" not in token_at(tokens, at + 1).kinds)
    named = named or ("per_unit" in token.kinds and token.text.isascii())
    if not draft.prose and _is_mark(token, tokens[at - 1]):
        return 0
    if not (named or {"word", "modifier", "noun"} & token.kinds.keys()) or (
        draft.prose and is_unknown_character(token)
    ):
        return 0
    if draft.unit is not None and token.start > tokens[at - 1].end + 1:
        return 0
    if draft.prose and draft.unit and "noun" not in token.kinds:
        return 0
    draft.words.append(token)
    if "noun" in token.kinds:
        known = token.kinds["noun"]
        draft.unit = known if known != "count" or draft.unit is None else draft.unit
        draft.noun = True
    elif draft.unit is None and not _known_noun_follows(tokens, at):
        if draft.prose and draft.numbers[0].over is not None:
            return 0
        draft.unit, draft.noun = "", True
    return 1


def _is_mark(token: Token, before: Token) -> bool:
    """Whether what stands right after a number is a mark, no unit: `5.0r` is revised, `5.0e` expected; or letters that
    a scan took digits for, `5OO`.
    """
    if token.start != before.end or "number" not in before.kinds or "noun" in token.kinds:
        return False
    return (len(token.text) == 1 and "a" <= token.text <= "z") or _SCANNED.issuperset(token.text)


_SCANNED: Final = frozenset("OoIl")


def _known_noun_follows(tokens: Tokens, at: int) -> bool:
    while (token := token_at(tokens, at)) and not _NAMING.isdisjoint(token.kinds):
        at += 1
    return "noun" in token.kinds


_NAMING: Final = frozenset({"word", "modifier", "label"})


_SUFFIXES: Final[tuple[tuple[frozenset[str], Step], ...]] = tuple(
    (frozenset(kinds.split()), step)
    for kinds, step in (
        ("ordinal_suffix rank_after noun", _ordinal_suffix),
        ("percent", _percent),
        ("tenth", _tenths),
        ("scale place", _scale_after),
        ("currency cell_currency weak_code", _currency_after),
        ("subunit subunit_tenth", read_subunit),
        ("average_per", read_average),
        ("per", read_per),
        ("after inclusive or_equal slightly", _qualifier_after),
        ("word multiple", _doublings),
        ("multiple", _multiple),
        ("comparing", read_comparison),
        ("change_after change_in_cell manner", _change_after),
        ("more", read_more),
        ("half", read_half_more),
        ("of article", read_part_of),
        ("point to", read_points),
        ("close", _closing),
        ("to", read_hyphened_per),
        ("whole_sum note between_after of to measuring", _idle),
        ("noun", read_classified),
        ("noun", _noun),
    )
)
"""What can stand after a number, in the order in which it is tried: kinds of its first word, and how it is read."""
