"""One amount: what stands before a number, the number, and what stands after it.

In: tokens and the place to begin. Out: a `Draft` (sign, qualifier, currency, unit, numbers) and the place after it.
Ranges, brackets and whole cells are put together in `grammar`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from zhiji_etl.figures import Qualifier
from zhiji_etl.reading.meanings import Number
from zhiji_etl.reading.numerals import Tokens, constant, initial, read_number, token_at
from zhiji_etl.reading.tokens import Token
from zhiji_etl.reading.words import is_ideograph, lexicon

MIRRORED: Final = {
    Qualifier.ABOVE: Qualifier.BELOW,
    Qualifier.BELOW: Qualifier.ABOVE,
    Qualifier.AT_LEAST: Qualifier.AT_MOST,
    Qualifier.AT_MOST: Qualifier.AT_LEAST,
}
CLOSED: Final = {Qualifier.ABOVE: Qualifier.AT_LEAST, Qualifier.BELOW: Qualifier.AT_MOST}


@dataclass(slots=True)
class Draft:
    """An amount while it is read."""

    start: int = -1
    end: int = -1
    numbers: tuple[Number, ...] = ()
    sign: int = 1
    change: int = 0
    qualifier: Qualifier = Qualifier.EXACT
    currency: tuple[str, ...] = ()
    unit: str | None = None
    per: str | None = None
    exponent: int = 0
    between: bool = False
    bracket: bool = False
    noun: bool = False
    refine: bool = False
    prose: bool = False
    words: list[Token] = field(default_factory=list)

    def seen(self, token: Token) -> None:
        """Widens the span of the amount to this token."""
        self.start = token.start if self.start < 0 else self.start
        self.end = token.end

    @property
    def has_unit(self) -> bool:
        """Whether a currency or another unit has been read."""
        return bool(self.currency or self.unit)


def read_amount(tokens: Tokens, at: int, fine: bool, prose: bool = False) -> tuple[Draft, int] | None:
    """The amount that begins at a place (in a cell, fillers before it are skipped), or None."""
    draft = Draft(prose=prose)
    at = _before(tokens, at, draft)
    read = _number(tokens, at, draft)
    if read is None:
        return None
    at = _after(tokens, read, draft, fine)
    return draft, at


def singular(words: list[Token]) -> str:
    """The head noun of a phrase of tokens; in running text only where its words stand."""
    numbered = [token.kinds["word"] for token in words if isinstance(token.kinds.get("word"), int)]
    if numbered and len(numbered) == len(words):
        return f"@{numbered[0]}-{numbered[-1]}"
    return singular_of([token.text for token in words if not isinstance(token.kinds.get("word"), int)] or ["count"])


def singular_of(words: Sequence[str]) -> str:
    """The head noun of a phrase in the singular, lower case: `new energy vehicles` -> `vehicle`.

    It is the last plural of the phrase, or its last word.
    """
    plurals = [word for word in words if word.lower().endswith("s") and not word.lower().endswith(("ss", "us"))]
    word = (plurals or words)[-1].lower()
    known = lexicon().singulars.get(word)
    if known is not None or not word.isascii() or len(word) < 4 or word.endswith(("ss", "us")):
        return known or word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes", "zes")):
        return word[:-2]
    return word.removesuffix("s")


# ---- before the number ---------------------------------------------------------------------------


def _before(tokens: Tokens, at: int, draft: Draft) -> int:
    """Signs, qualifiers, words of change, currency and filler, up to where a number can begin."""
    while at < len(tokens):
        token = tokens[at]
        step = next((step for step in _PREFIXES if (taken := step(tokens, at, draft))), None)
        if step is None:
            return at
        at += taken
        if "filler" not in token.kinds or draft.start >= 0:
            draft.seen(tokens[at - 1]) if draft.start >= 0 else draft.seen(token)
    return at


Step = Callable[[Tokens, int, Draft], int]
"""Reads a word or two into the draft and tells how many; 0 where it is none of its kind."""


def _opening(tokens: Tokens, at: int, draft: Draft) -> int:
    if "open" not in tokens[at].kinds or draft.bracket or draft.prose:
        return 0
    draft.bracket = True
    return 1


def _number_begins(tokens: Tokens, at: int, draft: Draft) -> bool:
    token = tokens[at]
    return "number" in token.kinds or read_number(tokens, at) is not None


def _sign(tokens: Tokens, at: int, draft: Draft) -> int:
    value = tokens[at].get("sign")
    if value is None or draft.numbers:
        return 0
    draft.sign *= value
    draft.change = draft.change or int(tokens[at].text == "+")
    return 1


def _change(tokens: Tokens, at: int, draft: Draft) -> int:
    value = tokens[at].get("change")
    value = tokens[at].get("change_in_cell") if value is None and not draft.prose else value
    if value is None or (draft.change and value > 0):
        return 0
    draft.change = value
    return 1


def _qualifier(tokens: Tokens, at: int, draft: Draft) -> int:
    value = tokens[at].get("before")
    if value is None:
        return 0
    found = Qualifier(value)
    if found is not Qualifier.EXACT and (draft.qualifier is Qualifier.EXACT or found is not Qualifier.ABOUT):
        draft.qualifier = found
    return 1


def _currency_before(tokens: Tokens, at: int, draft: Draft) -> int:
    token = tokens[at]
    if "scale" in token.kinds and "currency" in token_at(tokens, at + 1).kinds and token.end == tokens[at + 1].start:
        draft.exponent += token.kinds["scale"]
        return 1
    codes = token.get("currency") or (token.get("weak_code") if _glued(tokens, at, draft.prose) else None)
    if codes is None:
        return 0
    draft.currency = agreed(draft.currency, codes)
    return 1


def _glued(tokens: Tokens, at: int, prose: bool) -> bool:
    """Whether a word that is also a currency code stands right before a number or sign."""
    token, after = tokens[at], token_at(tokens, at + 1)
    close = token.end == after.start or (token.text.isupper() and not prose)
    return close and bool({"number", "currency"} & after.kinds.keys())


def _rank_before(tokens: Tokens, at: int, draft: Draft) -> int:
    token = tokens[at]
    if "ordinal_prefix" in token.kinds or "rank" in token.kinds:
        draft.unit = "rank"
        return 1
    return 0


def _percent_before(tokens: Tokens, at: int, draft: Draft) -> int:
    token = tokens[at]
    if "percent_before" in token.kinds:
        _set_unit(draft, token.kinds["percent_before"])
        return 1
    if "percent" in token.kinds and "of" in token_at(tokens, at + 1).kinds:
        _set_unit(draft, token.kinds["percent"])
        return 2
    return 0


def _every(tokens: Tokens, at: int, draft: Draft) -> int:
    """`每辆5万元`, `each vehicle $5`."""
    after = token_at(tokens, at + 1)
    if "every" not in tokens[at].kinds or "noun" not in after.kinds:
        return 0
    draft.per = after.kinds["noun"]
    return 2


def _between(tokens: Tokens, at: int, draft: Draft) -> int:
    if "between" not in tokens[at].kinds:
        return 0
    draft.between = True
    return 1


def _filler(tokens: Tokens, at: int, draft: Draft) -> int:
    token = tokens[at]
    if "filler" not in token.kinds and "caption" not in token.kinds:
        return 0
    if draft.prose and (
        draft.start < 0 or not {"of", "by", "stop", "article"} & token.kinds.keys() or token.text in _VERBS
    ):
        return 0
    if "article" in token.kinds and read_number(tokens, at) is not None:
        return 0
    after = token_at(tokens, at + 1)
    return int(
        not ("article" in token.kinds and {"currency", "subunit"} & after.kinds.keys() and not _leads(tokens, at + 1))
    )


_VERBS: Final = frozenset({"was", "were", "is", "are"})


def _leads(tokens: Tokens, at: int) -> bool:
    """Whether a currency stands before its number: `a US$ 4.7 billion`."""
    return "number" in token_at(tokens, at + 1).kinds


_PREFIXES: Final[tuple[Step, ...]] = (
    _sign, _qualifier, _between, _change, _currency_before, _percent_before, _rank_before, _every, _opening, _filler,
)  # fmt: skip


# ---- the number ----------------------------------------------------------------------------------


def _number(tokens: Tokens, at: int, draft: Draft) -> int | None:
    """Reads the number itself into the draft and tells the place after it."""
    token = token_at(tokens, at)
    whole = _said_whole(token, draft)
    if whole is not None:
        draft.numbers = (whole,)
        draft.seen(token)
        return at + 1
    ordinal = _ordinal(tokens, at)
    if ordinal is not None:
        draft.unit = draft.unit or "rank"
        draft.numbers = (constant(ordinal[0]),)
        at = ordinal[1]
    else:
        found = read_number(tokens, at) or _one_article(tokens, at)
        if found is None or (draft.prose and "scale" in token.kinds):
            return None
        draft.numbers, end = found
        draft.seen(token)
        at = end
    draft.seen(token)
    draft.end = tokens[at - 1].end
    return at


def _said_whole(token: Token, draft: Draft) -> Number | None:
    """Words that are number and unit in one: `对折`, `百分百`, `doubled`, `翻一番`."""
    for kind, unit in (
        ("percent_whole", "percent"),
        ("percent_word", "percent"),
        ("multiple_phrase", "multiple"),
        ("multiple_word", "multiple"),
    ):
        if kind in token.kinds:
            draft.unit = unit
            return constant(token.kinds[kind])
    return None


def _one_article(tokens: Tokens, at: int) -> tuple[tuple[Number, ...], int] | None:
    """`a dollar` is one dollar."""
    after = token_at(tokens, at + 1)
    if "number" in token_at(tokens, at + 2).kinds:
        return None
    if "article" in token_at(tokens, at).kinds and {"currency", "subunit", "noun"} & after.kinds.keys():
        return (constant(1),), at + 1
    return None


def _ordinal(tokens: Tokens, at: int) -> tuple[int, int] | None:
    """`first`, `twenty-first`."""
    token = token_at(tokens, at)
    if "ordinal" in token.kinds:
        return token.kinds["ordinal"], at + 1
    tens = token.get("small")
    last = at + 1 + (token_at(tokens, at + 1).text == "-")
    ones = token_at(tokens, last).get("ordinal")
    if tens is None or tens < 20 or ones is None or ones > 9 or token_at(tokens, last).text.endswith("s"):
        return None
    return tens + ones, last + 1


# ---- after the number ----------------------------------------------------------------------------


def _after(tokens: Tokens, at: int, draft: Draft, fine: bool) -> int:
    """Units, currencies, nouns, closing qualifiers and words of change, as far as they go."""
    while at < len(tokens):
        taken = next((taken for step in _SUFFIXES if (taken := step(tokens, at, draft))), 0)
        taken = taken or _less_than_one(tokens, at, draft, fine) or _noun_phrase(tokens, at, draft)
        if not taken:
            break
        at += taken
        draft.end = tokens[at - 1].end
    return at


def _scale_after(tokens: Tokens, at: int, draft: Draft) -> int:
    """`75 USD million`."""
    scale = tokens[at].get("scale")
    if scale is None or not draft.currency or any(t.exponent for n in draft.numbers for t in n.terms):
        return 0
    draft.numbers = tuple(number.scaled(scale) for number in draft.numbers)
    return 1


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
    if "percent" not in token.kinds or draft.currency or draft.unit not in (None, "percent"):
        return 0
    _set_unit(draft, token.kinds["percent"])
    return 1


def _tenths(tokens: Tokens, at: int, draft: Draft) -> int:
    """`三成`, `七成六`, `八五折`."""
    token = tokens[at]
    if "tenth" not in token.kinds or draft.has_unit:
        return 0
    draft.unit = "percent"
    number = draft.numbers[0]
    term = number.terms[0]
    if number.over is not None or not (
        token.text == "折" and term.literal is None and len(term.digits) == 2 and term.digits != "10"
    ):
        number = number.scaled(1)
    draft.numbers = (number,)
    digit = token_at(tokens, at + 1).get("digit")
    if digit is None or term.literal is not None:
        return 1
    draft.numbers = (replace(number, terms=(*number.terms, constant(digit).terms[0])),)
    return 2


def _multiple(tokens: Tokens, at: int, draft: Draft) -> int:
    token = tokens[at]
    if "multiple" not in token.kinds or draft.has_unit:
        return 0
    if token.text in "xX×" and token.start != tokens[at - 1].end:
        return 0
    draft.unit = "multiple"
    return 1


def _currency_after(tokens: Tokens, at: int, draft: Draft) -> int:
    token = tokens[at]
    codes = token.get("currency") or (None if draft.has_unit else token.get("weak_code"))
    if (
        codes is None
        or draft.unit is not None
        or ("number" in token_at(tokens, at + 1).kinds and _belongs_to_next(tokens, at, draft))
    ):
        return 0
    merged = agreed(draft.currency, codes)
    if draft.currency and merged != draft.currency and not set(codes) & set(draft.currency):
        return 0
    draft.currency = merged
    return 1


def _belongs_to_next(tokens: Tokens, at: int, draft: Draft) -> bool:
    """Whether a currency sign between two numbers is the second one's: `$5 $6`, `3 USD50`."""
    if is_ideograph(tokens[at].text[0]):
        return False
    return bool(draft.currency) or tokens[at].end == tokens[at + 1].start


def _subunit(tokens: Tokens, at: int, draft: Draft) -> int:
    token = tokens[at]
    tenth = token.get("subunit_tenth")
    codes = tenth or token.get("subunit")
    if codes is None or draft.unit is not None or draft.currency:
        return 0
    draft.currency = codes
    draft.numbers = tuple(number.scaled(-1 if tenth else -2) for number in draft.numbers)
    rest = read_number(tokens, at + 1) if tenth else None
    if rest and "subunit" in token_at(tokens, rest[1]).kinds:
        _add(draft, rest[0][0].scaled(-2))
        return rest[1] + 1 - at
    return 1


def _add(draft: Draft, number: Number) -> None:
    draft.numbers = (replace(draft.numbers[0], terms=(*draft.numbers[0].terms, *number.terms)), *draft.numbers[1:])


def _less_than_one(tokens: Tokens, at: int, draft: Draft, fine: bool) -> int:
    """What is left below one unit of a currency: `20 dollars and 43 cents`, `三块四分`, `一块二`, `15 USD 50`."""
    if not draft.currency or len(draft.numbers) != 1 or any(t.exponent for t in draft.numbers[0].terms):
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


def _per(tokens: Tokens, at: int, draft: Draft) -> int:
    """`per vehicle`, `/桶`, `a share`."""
    if "per" not in tokens[at].kinds or draft.per or not draft.has_unit:
        return 0
    after = token_at(tokens, at + 1)
    words, end = [after], at + 2
    while "word" in words[-1].kinds and tokens[at].text in ("per", "/") and len(words) < 4:
        if not {"word", "noun"} & token_at(tokens, end).kinds.keys():
            break
        words.append(tokens[end])
        end += 1
    unit = words[-1].get("noun")
    if unit is None and not ("word" in after.kinds and tokens[at].text in ("per", "/")):
        return 0
    draft.per = unit or singular([after])
    return 1 + len(words) if unit else 2


def _qualifier_after(tokens: Tokens, at: int, draft: Draft) -> int:
    token = tokens[at]
    value = token.get("after")
    if "inclusive" in token.kinds or "or_equal" in token.kinds:
        draft.qualifier = CLOSED.get(draft.qualifier, draft.qualifier)
        closed = token_at(tokens, at + 1).get("after")
        if closed:
            draft.qualifier = CLOSED.get(Qualifier(closed), Qualifier(closed))
        return 1 + bool(closed)
    if value is not None and "and" in token.text.split() and "number" in token_at(tokens, at + 1).kinds:
        return 0
    if value is None or (token.text == "+" and token.start != tokens[at - 1].end):
        return 0
    if draft.qualifier in (Qualifier.EXACT, Qualifier.ABOUT):
        draft.qualifier = Qualifier(value)
    return 1


def _change_after(tokens: Tokens, at: int, draft: Draft) -> int:
    value = tokens[at].get("change_after")
    if value is None or not draft.unit or draft.change or draft.unit == "rank":
        return 0
    draft.change = value
    return 1


def _closing(tokens: Tokens, at: int, draft: Draft) -> int:
    if "close" not in tokens[at].kinds or not draft.bracket or draft.sign < 0:
        return 0
    draft.sign = -1
    return 1


def _idle(tokens: Tokens, at: int, draft: Draft) -> int:
    """Words after an amount that add nothing: `整`, `钱`, notes, `之间`, `of` in `tens of millions of dollars`."""
    kinds = tokens[at].kinds
    after = token_at(tokens, at + 1)
    if tokens[at].text == "-" and tokens[at - 1].end == tokens[at].start and tokens[at].end == after.start:
        return int("currency" in after.kinds or "percent" in after.kinds)
    if "of" in kinds and not draft.has_unit and {"currency", "noun"} & after.kinds.keys():
        return 1
    return int("whole_sum" in kinds or "note" in kinds or ("between_after" in kinds and draft.between))


def _noun(tokens: Tokens, at: int, draft: Draft) -> int:
    token = tokens[at]
    if "noun" not in token.kinds or draft.has_unit or initial(tokens, at):
        return 0
    draft.unit = token.kinds["noun"]
    draft.noun = True
    draft.words.append(token)
    return 1


def _noun_phrase(tokens: Tokens, at: int, draft: Draft) -> int:
    """`new energy vehicles`: the head is the last word before a preposition."""
    if draft.currency or (draft.unit is not None and not draft.noun):
        return 0
    token = tokens[at]
    if not {"word", "modifier", "noun"} & token.kinds.keys() or (draft.prose and _ideographic(token, draft)):
        return 0
    if draft.unit is not None and token.start > tokens[at - 1].end + 1:
        return 0
    draft.words.append(token)
    if "noun" in token.kinds:
        known = token.kinds["noun"]
        draft.unit = known if known != "count" or draft.unit is None else draft.unit
        draft.noun = True
    elif draft.unit is None and not _known_noun_follows(tokens, at):
        draft.unit, draft.noun = "", True
    return 1


def _ideographic(token: Token, draft: Draft) -> bool:
    """Whether this is an unknown Chinese word, which in running text may be anything."""
    return (
        "word" in token.kinds
        and not token.text.isascii()
        and (token.text[0] == "\u3013" or is_ideograph(token.text[0]))
    )


def _known_noun_follows(tokens: Tokens, at: int) -> bool:
    while (token := token_at(tokens, at)) and ("word" in token.kinds or "modifier" in token.kinds):
        at += 1
    return "noun" in token.kinds


_SUFFIXES: Final[tuple[Step, ...]] = (
    _ordinal_suffix, _percent, _tenths, _scale_after, _currency_after, _subunit, _per, _qualifier_after, _multiple,
    _change_after, _closing, _idle, _noun,
)  # fmt: skip


# --------------------------------------------------------------------------------------------------


def _set_unit(draft: Draft, unit: str) -> None:
    """A unit as the lexicon writes it: `percent -1` is a tenth of a percent."""
    name, _, exponent = unit.partition(" ")
    draft.unit = name
    draft.exponent += int(exponent or 0)


def agreed(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    """What two marks of currency say together: `$` and `AUD` are Australian dollars.

    >>> agreed(("USD", "AUD"), ("AUD",)), agreed((), ("EUR",))
    (('AUD',), ('EUR',))
    """
    if not first or not second:
        return first or second
    common = tuple(code for code in first if code in second)
    if common:
        return common
    return second if len(second) < len(first) else first
