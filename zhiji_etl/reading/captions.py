"""What the caption of a table says of its cells: `RMB in millions`, `单位：亿元`, `in thousands of vehicles`, `$'000`.

In: a caption, or a plain unit or scale word. Out: a `Caption`: power of ten, unit, and the currencies a sign can mean.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from zhiji_etl.errors import FigureError
from zhiji_etl.reading.drafts import agreed, singular_of
from zhiji_etl.reading.folding import MARK, coarse, fold
from zhiji_etl.reading.tokens import Token, token_at, tokens

_EXCEPTIONS: Final = re.compile(r"[,;]?\s*(?:except|unless|other than|除)|[,;][^,;]*除", re.IGNORECASE)
_ZEROS: Final = re.compile(r"'?\b(000)'?s?\b|(?<=[a-zA-Z$€£¥])(000)'?s?\b")
_UNIT: Final = re.compile(r"[A-Za-z_]+(?:/[A-Za-z_]+)?")
_IDLE: Final = frozenset(
    {"caption", "filler", "open", "close", "of", "and", "per", "sign_of_print", "stop", "note", "in", "article"}
)
_UNITS: Final = frozenset({"currency", "weak_code", "noun", "percent", "multiple"})


@dataclass(frozen=True, slots=True)
class Caption:
    """What a caption says. `exponent` is null where it names no scale, `unit` where it names no unit.

    `currencies` are the ISO codes that its sign or word can mean, the likeliest first.
    """

    exponent: int | None = None
    unit: str | None = None
    currencies: tuple[str, ...] = ()


@lru_cache(maxsize=256)
def caption(text: str) -> Caption:
    """The scale and unit that a caption gives to the cells under it; what follows `except` is left out.

    Raises `FigureError` (`unknown_caption`) where a word in it is neither.

    >>> caption("RMB in millions, except per share data")
    Caption(exponent=6, unit='CNY', currencies=('CNY',))
    >>> caption("单位：万辆").unit, caption("in thousands").exponent
    ('vehicle', 3)
    """
    folded = _ZEROS.sub(" thousand ", fold(text[:_LONGEST]))
    shape, numbers = coarse(_EXCEPTIONS.split(folded, maxsplit=1)[0], False)
    found = tokens(shape)[0]
    if numbers or MARK in shape or not found:
        raise _unknown(text)
    return _read(found, text)


def told_unit(text: str) -> Caption:
    """What an argument `unit` says: a caption, or the name of a unit, which need not be known: `CNY`, `borrowing`.

    Raises `FigureError` (`unknown_caption`) for what is neither.
    """
    named = _UNIT.fullmatch(text) is not None
    if named and ("_" in text or len(text) < 3):
        return Caption(unit=text)
    try:
        return caption(text)
    except FigureError:
        if named:
            return Caption(unit=text)
        raise


# --------------------------------------------------------------------------------------------------

_LONGEST: Final = 400


def _read(found: list[Token], text: str) -> Caption:
    exponent: int | None = None
    currencies: tuple[str, ...] = ()
    words: list[str] = []
    unit: str | None = None
    per: str | None = None
    for at, token in enumerate(found):
        codes = token.get("currency") or token.get("weak_code")
        scale = _scale(token)
        if "per" in token.kinds and at and token_at(found, at + 1).get("noun") and (unit or currencies):
            per = per or found[at + 1].kinds["noun"]
        elif scale is not None:
            exponent = (exponent or 0) + scale
        elif codes:
            currencies = agreed(currencies, codes)
        elif _UNITS & token.kinds.keys():
            unit = unit or _unit_of(token)
        elif "word" in token.kinds and isinstance(token.kinds["word"], str):
            words.append(token.text)
        elif not _IDLE & token.kinds.keys():
            raise _unknown(text)
    if words and (currencies or (unit is None and exponent is None)):
        raise _unknown(text)
    return _named(exponent, currencies, unit or _counted(words), per, text)


def _scale(token: Token) -> int | None:
    scale = token.get("scale") or token.get("place") or token.get("hundred") or token.get("hundreds")
    return None if scale is None else int(scale)


def _unit_of(token: Token) -> str:
    kind = next(kind for kind in ("percent", "noun", "multiple") if kind in token.kinds)
    return str(token.kinds[kind]).split()[0]


def _counted(words: list[str]) -> str | None:
    """The head noun of words that the lexicon does not know."""
    return singular_of(words) if words else None


def _named(exponent: int | None, currencies: tuple[str, ...], unit: str | None, per: str | None, text: str) -> Caption:
    name = currencies[0] if currencies else unit
    if name is None and exponent is None:
        raise _unknown(text)
    return Caption(exponent, f"{name}/{per}" if name and per not in (None, name) else name, currencies)


def _unknown(text: str) -> FigureError:
    return FigureError(
        "unknown_caption", f"{text[:60]!r} names no scale and no unit that is known.", text=text, end=len(text),
        hint="Such as CNY, RMB in millions, thousands of vehicles, 单位：亿元.",
    )  # fmt: skip
