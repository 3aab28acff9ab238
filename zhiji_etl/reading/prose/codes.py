"""Numbers in running text that are codes: telephone numbers, stock codes, models, marks of lists.

In: the tokens of a window and the place of a number or word. Out: the places of the numbers to leave out; empty where
this is none of the kind.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from zhiji_etl.reading.grammar.prefixes import is_accounting
from zhiji_etl.reading.grammar.tokens import NAME_MARK, WORD_MARK, Token, Tokens, is_ideographic, token_at
from zhiji_etl.reading.grammar.words import is_letter

_DIALLED: Final = frozenset("+-–()[]./:：,（）")
_JOINING: Final = frozenset("-+./")
_UNITS: Final = frozenset({"percent", "scale", "noun", "currency", "multiple", "tenth", "subunit"})
_CHAPTER: Final = frozenset({"number", "digit", "place", "open", "close"})
_ENDINGS: Final = frozenset({".", ";", "。", "；", "!", "?", "！", "？", ":", "："})


def dialled(tokens: Tokens, at: int) -> Iterator[int]:
    """The numbers after a word such as `tel.`, up to the next word: `Tel. +49 (30) 1234-567`."""
    yield from _run(tokens, at + 1)


def international(tokens: Tokens, at: int) -> tuple[int, ...]:
    """`+86 21 1234 5678` and `(021) 1234-5678`: a number, and at least one or two more right after it."""
    before, after = token_at(tokens, at - 1), token_at(tokens, at + 1)
    if before.text == "+" and before.end == tokens[at].start:
        least = 2
    elif "open" in before.kinds and "close" in after.kinds and _links(tokens, at + 3):
        least = 3
    else:
        return ()
    found = tuple(_run(tokens, at))
    return found if len(found) >= least and not _UNITS & token_at(tokens, found[-1] + 1).kinds.keys() else ()


def continued(tokens: Tokens, at: int, left_out: Collection[int]) -> tuple[int, ...]:
    """What is left of a code of which the number before was left out: `A350-1000`, `1-800-555-0100`, `J1149.5+66`."""
    sign = token_at(tokens, at - 1)
    joined = sign.end == tokens[at].start and token_at(tokens, at - 2).end == sign.start
    code = joined and sign.text in _JOINING and at - 2 in left_out
    return (at,) if code and not _UNITS & token_at(tokens, at + 1).kinds.keys() else ()


def listed_share(tokens: Tokens, at: int) -> tuple[int, ...]:
    """`600000.SH`: a number, a point and the letters of an exchange, with nothing between them."""
    point, letters = token_at(tokens, at + 1), token_at(tokens, at + 2)
    glued = tokens[at].end == point.start and point.end == letters.start
    return (at,) if point.text == "." and glued and _is_word(letters) else ()


def model(tokens: Tokens, at: int) -> tuple[int, ...]:
    """`737 MAX 8`, `5G`, `320i`: what stands around the number makes it a name."""
    after = token_at(tokens, at + 1)
    if "currency" in token_at(tokens, at - 1).kinds or "number" not in tokens[at].kinds:
        return ()
    if "model" in token_at(tokens, at - 1).kinds and "number" in token_at(tokens, at - 2).kinds:
        return (at,)
    glued = after.start == tokens[at].end and _is_word(after)
    meant = {
        *_UNITS,
        "ordinal_suffix",
        "clock",
        "after",
        "cell_currency",
        "weak_code",
        "to",
        "and",
    } & after.kinds.keys()
    if glued and "scale" in after.kinds and after.text in _CAPITALS and _is_glued_noun(tokens, at + 1):
        return (at,)  # 2.0T发动机
    if glued and "word" in after.kinds:
        return ()  # its digits will tell
    lettered = len(after.text) == 1 and after.text.isupper() and "subunit" in after.kinds  # 3C is no 3 cents
    named = after.text == "G" or not meant or (lettered and not meant - {"subunit"})
    return (at,) if "model" in after.kinds or (glued and named) else ()


def list_mark(tokens: Tokens, at: int) -> tuple[int, ...]:
    """`1. Sales rose`, `2) Costs fell`, `一、营收`, `1.营收`: a number before a sentence, and a sign after it."""
    mark, begun = token_at(tokens, at + 1), token_at(tokens, at + 2)
    opening = at == 0 or tokens[at - 1].text in _ENDINGS
    sign = mark.text in (".", "、") or "close" in mark.kinds
    if not opening or not sign or mark.start != tokens[at].end or not begun.text:
        return ()
    apart = begun.start > mark.end or is_ideographic(begun.text[0])
    worded = "number" not in begun.kinds and (mark.text != "." or apart)
    return (at,) if "close" in mark.kinds or worded else ()


def noted(tokens: Tokens, at: int) -> tuple[int, ...]:
    """`(1)`: a note, or the mark of a list."""
    opened, before = token_at(tokens, at - 1), token_at(tokens, at - 2)
    closed = token_at(tokens, at + 1)
    if "open" not in opened.kinds or "close" not in closed.kinds:
        return ()
    led = ("currency" in before.kinds and before.end == opened.start) or "small" in before.kinds
    return () if led or is_accounting(tokens, at - 1) else (at,)


def chapters(tokens: Tokens, at: int) -> Iterator[int]:
    """The numbers of a chain after a Chinese label, also in characters and brackets; none where the first is of a unit,
    `代表5家`.
    """
    units = _UNITS
    while _CHAPTER & token_at(tokens, at).kinds.keys() or token_at(tokens, at).text in ("、", ":", ".", "-"):
        if {"number", "digit", "place"} & tokens[at].kinds.keys():
            if units & token_at(tokens, at + 1).kinds.keys():
                return
            yield at
            units = _UNITS - {"noun"}  # 附注五、12所述
        at += 1


def is_nominal(tokens: Tokens, at: int, end: int) -> bool:
    """Whether the bare number between these places stands as part of a name.

    So it does after an article and a word with a capital (`the Mate 60`, but `France 60, Italy 70`), or after another
    word and one with a capital (`said Office 365 revenue`, but `in Tokyo 35 died`), and where a Chinese noun follows at
    once, as what is counted has a measure word between: `360公司`, `737-800客机`.
    """
    if "number" not in tokens[at].kinds:
        return False
    before, after, last = token_at(tokens, at - 1), token_at(tokens, end), tokens[end - 1]
    if is_ideographic(after.text[:1] or " ") and "number" in last.kinds:
        led = before.end == tokens[at].start and (_leads(before) and end == at + 1)
        return after.start == last.end and not led and _is_noun(after)
    opening, beyond = token_at(tokens, at - 2), token_at(tokens, at + 1)
    apart = _is_verb(opening) and (beyond.text == WORD_MARK or "money_noun" in beyond.kinds)
    named = before.text == NAME_MARK and (apart or opening.text.lower() in _ARTICLES)
    return named and after.text.lower() not in _PLURAL


def _is_verb(opening: Token) -> bool:
    """Whether a word before a name may be a verb or an adjective, and no preposition."""
    return opening.text == WORD_MARK or opening.text == "said"


def _is_glued_noun(tokens: Tokens, at: int) -> bool:
    after = token_at(tokens, at + 1)
    return after.start == tokens[at].end and "word" in after.kinds and is_ideographic(after.text[0])


_CAPITALS: Final = frozenset("TGKMB")


def _is_noun(after: Token) -> bool:
    """Whether a Chinese word can be all of a name that a number begins; `70城` and `31省` are counted as they are."""
    return after.text == "后" or after.get("word") not in (None, "counted")


def _leads(before: Token) -> bool:
    """Whether what stands before a number is a word that leads to a figure, or may be one: 升至3200, 收于3200."""
    if "and" in before.kinds or before.text == "、":
        return False
    unknown = "word" in before.kinds and is_ideographic(before.text[0])
    return unknown or not _LEADING.isdisjoint(before.kinds)


_LEADING: Final = frozenset({"filler", "to", "change", "before", "sign", "between"})
_ARTICLES: Final = frozenset({"a", "an", "the", "its", "their", "our", "this"})
_PLURAL: Final = frozenset({"were", "are", "have", "had", "of"})
"""What follows a number of things that are not said again."""

# ---------------------------------------------------------------------------------------------------------------------


def _run(tokens: Tokens, at: int) -> Iterator[int]:
    """The numbers from a place on, as long as only spaces and signs of telephone numbers stand between them."""
    while at < len(tokens):
        token = tokens[at]
        if "number" in token.kinds:
            if _UNITS & token_at(tokens, at + 1).kinds.keys():
                return
            yield at
        elif token.text not in _DIALLED:
            return
        at += 1


def _links(tokens: Tokens, at: int) -> bool:
    """Whether two numbers with a hyphen between them follow a bracket: `(021) 1234-5678`."""
    return token_at(tokens, at).text == "-" and "number" in token_at(tokens, at + 1).kinds


def _is_word(token: Token) -> bool:
    return token.text[:1] in (WORD_MARK, NAME_MARK) or (bool(token.text) and is_letter(token.text[0]))
