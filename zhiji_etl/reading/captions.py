"""What the caption of a table says of its cells: `RMB in millions`, `单位：亿元`, `in thousands of vehicles`, `$'000`.

In: a caption, or a plain unit or scale word. Out: a `Caption`: power of ten, unit, and the currencies a sign can mean.
A statement of several units, such as `单位：万辆、亿元、%`, is one `Caption` for each: whose cells are in which of them
is not for the caption to say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import combinations
from typing import Final, NamedTuple

from zhiji_etl.arguments import guarded
from zhiji_etl.errors import FigureError
from zhiji_etl.reading.grammar.drafts import agreed, singular_of
from zhiji_etl.reading.grammar.folding import coarse, fold
from zhiji_etl.reading.grammar.tokens import Token, token_at, tokens
from zhiji_etl.reading.grammar.words import first_word, lexicon

_EXCEPTIONS: Final = re.compile(r"[,;]?\s*(?:except|unless|other than|除)|[,;(][^,;()]*除", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"[、;]|,(?!\d)|\band\b|[和及与]", re.IGNORECASE)
"""What stands between the units of a statement of several."""
_ZEROS: Final = re.compile(r"(?<!\d,)'?\b(000)'?s?\b|(?<=[a-zA-Z$€£¥])(000)'?s?\b")
_TEN: Final = re.compile(r"1[0,]*0")
_UNIT: Final = re.compile(r"[A-Za-z_]+(?:/[A-Za-z_]+)?")
_IDLE: Final = frozenset(
    {"caption", "filler", "open", "close", "of", "and", "per", "sign_of_print", "stop", "note", "in", "article"}
)
_UNITS: Final = frozenset({"noun", "percent", "multiple"})
_PARTS: Final = frozenset({"subunit", "subunit_before"})


class Caption(NamedTuple):
    """What a caption says. `exponent` is null where it names no scale, `unit` where it names no unit.

    `currencies` are the ISO codes that its sign or word can mean, the likeliest first.
    """

    exponent: int | None = None
    unit: str | None = None
    currencies: tuple[str, ...] = ()

    @property
    def scale(self) -> Decimal:
        """What a number under it is multiplied by: 1,000,000 for `in millions`, 0.01 for `GBp`."""
        return Decimal(10) ** (self.exponent or 0)


@guarded(FigureError)
def caption(text: str) -> Caption:
    """The scale and unit that a caption gives to the cells under it; what follows `except` is left out.

    Raises `FigureError` (`unknown_caption`) where a word in it is neither, and where it names several units.

    Examples:
        >>> caption("RMB in millions, except per share data")
        Caption(exponent=6, unit='CNY', currencies=('CNY',))
        >>> caption("单位：万辆").unit, caption("in thousands").exponent
        ('vehicle', 3)
    """
    found = captions(text)
    if len(found) > 1:
        raise _several(text)
    return found[0]


@lru_cache(maxsize=256)
def captions(text: str) -> tuple[Caption, ...]:
    """What a caption says of each of its units; more than one where it is a statement of several.

    Raises `FigureError` (`unknown_caption`) where a word in it is neither scale nor unit, and where it cannot be told
    whether a scale is meant for several units: `in millions of dollars and shares`.

    >>> [(one.exponent, one.unit) for one in captions("单位：万辆、亿元、%")]
    [(4, 'vehicle'), (8, 'CNY'), (None, 'percent')]
    """
    bare = _EXCEPTIONS.split(fold(text[:_LONGEST]), maxsplit=1)[0]
    parts = [part for part in _BETWEEN.split(bare) if part.strip()]
    try:
        read = [_one(part) for part in parts] if len(parts) > 1 else []
    except FigureError:
        read = []
    if not _differ(read):
        return (_one(text),)
    scaled = [one for one in read if one.exponent is not None]
    shared = [one for part, one in zip(parts, read, strict=True) if scaled and _may_share(part, one)]
    if shared and (len(scaled) > 1 or not all(one.currencies for one in read)):
        raise _several(text)
    return tuple(one._replace(exponent=scaled[0].exponent) if one in shared else one for one in read)


def _one(text: str) -> Caption:
    folded = _ZEROS.sub(" thousand ", fold(text[:_LONGEST]))
    shape, numbers = coarse(_EXCEPTIONS.split(folded, maxsplit=1)[0], False)
    found = tokens(shape)[0]
    tens = [_TEN.fullmatch(number) for number in numbers]
    if not found or not all(tens):
        raise _unknown(text)
    powers = [ten[0].count("0") for ten in tens if ten]
    return _read([_as_scale(token, powers) for token in found], text)


def told_unit(text: str) -> Caption:
    """What an argument `unit` says: a caption, or the name of a unit, which need not be known: `CNY`, `borrowing`.

    Raises `FigureError` (`unknown_caption`) for what is neither.
    """
    named = _UNIT.fullmatch(text) is not None
    if named and "_" in text:
        return Caption(unit=text)
    if (noun := _noun_as_spelled(text)) is not None:
        return Caption(unit=noun)
    try:
        return caption(text)
    except FigureError:
        if named:
            return Caption(unit=text)
        raise


# --------------------------------------------------------------------------------------------------

_LONGEST: Final = 400


def _noun_as_spelled(text: str) -> str | None:
    """The unit that the lexicon spells just so: `m` by itself is a metre, though `RMB m` and `M` are millions."""
    entries = lexicon().entries.get(first_word(text), ()) if text else ()
    return next((entry.kinds.get("noun") for entry in entries if entry.spelling == text), None)


def _differ(parts: Sequence[Caption]) -> bool:
    """Whether parts of a caption are of several units, or of one in several scales: `RMB, in millions` is of one."""
    pairs = combinations([part for part in parts if part.unit], 2)
    scales = sum(part.exponent is not None for part in parts)
    return scales > 1 or any(not _are_alike(one, other) for one, other in pairs)


def _are_alike(one: Caption, other: Caption) -> bool:
    if one.currencies and other.currencies:
        return not set(one.currencies).isdisjoint(other.currencies) and _per(one) == _per(other)
    return one.unit == other.unit


def _per(told: Caption) -> str:
    return (told.unit or "").partition("/")[2]


def _may_share(part: str, told: Caption) -> bool:
    """Whether the scale before a part may be meant for it, too. In Chinese each unit has its own beside it."""
    return part.isascii() and told.exponent is None and told.unit not in ("percent", None) and not _per(told)


def _read(found: list[Token], text: str) -> Caption:
    exponent: int | None = None
    currencies: tuple[str, ...] = ()
    words: list[str] = []
    unit: str | None = None
    is_ended = False
    found, per, many = _divided(_with_heads(found, text), text)
    for token in found:
        scale, codes = _scale(token), _codes(token)
        if scale is not None and is_ended:
            raise _several(text)
        is_ended = is_ended or (exponent is not None and bool(codes or _UNITS & token.kinds.keys()))
        part = _PARTS & token.kinds.keys() and not currencies
        if scale is not None:
            exponent = (exponent or 0) + scale
        elif part:
            currencies, exponent = token.get("subunit_before") or token.kinds["subunit"], (exponent or 0) - 2
        elif codes:
            currencies = agreed(currencies, codes)
        elif _UNITS & token.kinds.keys():
            name, _, power = _unit_of(token).partition(" ")
            unit, exponent = (
                name if unit in (None, "count") else unit,
                exponent if not power else (exponent or 0) + int(power),
            )
        elif "word" in token.kinds and isinstance(token.kinds["word"], str):
            words.append(token.text)
        elif not _IDLE & token.kinds.keys() and "weak_code" not in token.kinds:
            raise _unknown(text)
    if words and (currencies or (unit is None and exponent is None and per is None)):
        raise _unknown(text)
    exponent = (exponent or 0) - many if many else exponent
    return _named(exponent, currencies, unit or _counted(words), per, text)


def _with_heads(found: list[Token], text: str) -> list[Token]:
    """The words, of two nouns in a row the head alone: `passenger vehicles`; two measures, `吨公里`, are neither."""
    kept: list[Token] = []
    for token in found:
        before, name = token_at(kept, len(kept) - 1).get("noun"), token.get("noun")
        if None in (before, name) or "count" in (before, name) or before == name or _scale(token) is not None:
            kept.append(token)
        elif token.text.isascii() and name not in lexicon().measured:
            kept[-1] = token
        else:
            raise _unknown(text)
    return kept


def _divided(found: list[Token], text: str) -> tuple[list[Token], str | None, int]:
    """The words without what amounts are divided by; its unit, and how many of it as a power of ten: `US$/TEU`,
    `cents a share`, `per 1,000 people`, `每千人`, `L/100km`.
    """
    for at, token in enumerate(found):
        if token.text.lower() in _DIVIDING and "per" in token.kinds:
            per, many, end = _divisor(found, at)
            stands = per or (many and token.text not in _STROKES)
            if not stands or {"word", "noun"} & token_at(found, end).kinds.keys():
                raise _unknown(text)
            if many and token.text in _STROKES and any(_scale(one) is not None for one in found[:at]):
                raise _several(text)  # 万元/万辆 may be a list
            return [*found[:at], *found[end:]], per, many
        measured = any(_codes(one) or (_UNITS | _PARTS) & one.kinds.keys() for one in found[:at])
        if "per" in token.kinds and measured and "noun" in token_at(found, at + 1).kinds:
            return [*found[:at], *found[at + 2 :]], str(found[at + 1].kinds["noun"]), 0
    return found, None, 0


_STROKES: Final = frozenset({"/"})
_DIVIDING: Final = _STROKES | {"per", "每"}


def _divisor(found: list[Token], at: int) -> tuple[str | None, int, int]:
    """What stands after `per` or a stroke: how many (as a power of ten), a noun or unknown words up to the end, and the
    place after them.
    """
    at, many = at + 1, 0
    at += "open" in token_at(found, at).kinds or token_at(found, at).text == "每"
    while (scale := _scale(token_at(found, at))) is not None and "noun" not in token_at(found, at).kinds:
        many, at = many + scale, at + 1
    after = token_at(found, at)
    if "noun" in after.kinds or ("per_unit" in after.kinds and after.start == token_at(found, at - 1).end):
        return str(after.get("noun") or after.get("per_unit")), many, at + 1
    end = at
    while (word := token_at(found, end).get("word")) and isinstance(word, str) and word.isascii():
        end += 1
    if "noun" in token_at(found, end).kinds:  # per ordinary share
        return str(found[end].kinds["noun"]), many, end + 1
    return (singular_of([token.text for token in found[at:end]]) if end > at else None), many, end


def _scale(token: Token) -> int | None:
    scale = token.get("scale") or token.get("place") or token.get("hundred") or token.get("hundreds")
    return None if scale is None else int(scale)


def _as_scale(token: Token, powers: list[int]) -> Token:
    """A number of a caption (`10,000 vehicles`, `RMB 100 million`) as the scale it says."""
    if "number" not in token.kinds:
        return token
    return Token({"scale": powers[token.kinds["number"]]}, token.text, token.start, token.end)


def _codes(token: Token) -> tuple[str, ...] | None:
    """The currencies of a word. `All amounts` are no Albanian leks: a code that is a word stands in capitals."""
    weak = token.get("weak_code")
    worded = weak is not None and weak[0] in lexicon().weak and not token.text.isupper()
    return token.get("currency") or (None if worded else weak)


def _unit_of(token: Token) -> str:
    kind = next(kind for kind in ("percent", "noun", "multiple") if kind in token.kinds)
    return str(token.kinds[kind])


def _counted(words: list[str]) -> str | None:
    """The head noun of words that the lexicon does not know."""
    return singular_of(words) if words else None


def _named(exponent: int | None, currencies: tuple[str, ...], unit: str | None, per: str | None, text: str) -> Caption:
    name = currencies[0] if currencies else unit
    if name is None and exponent is None and per is None:
        raise _unknown(text)
    if per is not None and (name, per) != ("count", "count"):  # 台/套
        name = f"{name or 'count'}/{per}"
    return Caption(exponent, name, currencies)


def _several(text: str) -> FigureError:
    return FigureError(
        "unknown_caption", f"{text[:60]!r} names several units or scales.", text=text, end=len(text),
        hint="Say the one of each metric under [captions], or give one only.",
    )  # fmt: skip


def _unknown(text: str) -> FigureError:
    return FigureError(
        "unknown_caption", f"{text[:60]!r} names no scale and no unit that is known.", text=text, end=len(text),
        hint="Such as CNY, RMB in millions, thousands of vehicles, 单位：亿元.",
    )  # fmt: skip
