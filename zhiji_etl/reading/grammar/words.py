"""The words that figures are written with.

In: the tables of `lexicon/*.toml` (one file per language, one for signs) and the currency names of CLDR through Babel.
Out: one `Lexicon`, loaded once and only when the first text is read. A word can be of several kinds: `second` is an
ordinal and a denominator, `m` a scale and a metre; the grammar decides.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

_ASCII_LETTERS: Final = re.compile("[A-Za-z]+")

Kinds = dict[str, Any]
"""What a word can be: kind of token -> value."""

INTEGER_KINDS: Final = frozenset(
    (
        "small",
        "letter_zero",
        "hundred",
        "hundreds",
        "tens",
        "scale",
        "scale_before",
        "dozen",
        "article",
        "part",
        "ordinal",
        "digit",
        "place",
        "multiple_word",
        "multiple_phrase",
        "sign",
        "change",
        "change_after",
        "change_in_cell",
        "reducing",
        "comparing",
        "percent_whole",
        "percent_word",
    )
)
CURRENCY_KINDS: Final = frozenset(
    {"currency", "cell_currency", "also", "subunit", "subunit_before", "subunit_tenth", "cents_of"}
)
SPECIAL_TABLES: Final = frozenset(
    {"fold", "measure", "irregular", "dot_grouping", "weak_code", "small_code", "unnamed", "slogan"}
)


class Entry(NamedTuple):
    """One spelling and what it can mean; `cased` where a capital letter in it counts."""

    spelling: str
    cased: bool
    kinds: Kinds


class Lexicon(NamedTuple):
    """All words of all languages.

    `entries` are filed by their first word (a run of letters) or first character, the longest spelling first.
    """

    entries: dict[str, tuple[Entry, ...]]
    folds: dict[int, str]
    codes: frozenset[str]
    measured: frozenset[str]
    singulars: dict[str, str]
    dot_grouping: frozenset[str]
    weak: frozenset[str]
    """Codes that are also words: ALL, TOP, TRY."""
    small: frozenset[str]
    """Codes that are also written in small letters right behind a number: 50eur."""
    slogans: frozenset[str]
    """Dates that are names: 9/11."""


@cache
def lexicon() -> Lexicon:
    """The one lexicon of this process."""
    tables = [tomllib.loads(path.read_text(encoding="utf-8")) for path in _files()]
    builder = _Builder()
    weak = _codes("weak_code", tables)
    builder.add_codes(weak)
    for table in tables:
        builder.add_language(table)
    languages = [table["language"] for table in tables if "language" in table]
    builder.add_currency_names(languages, _codes("unnamed", tables))
    builder.add_glued_tens()
    return Lexicon(
        entries=builder.filed(),
        folds=_folds(tables),
        codes=frozenset(builder.codes),
        measured=frozenset(unit for table in tables for unit in table.get("measure", {}).get("measure", ())),
        singulars={
            plural: one for table in tables for one, many in table.get("irregular", {}).items() for plural in many
        },
        dot_grouping=_codes("dot_grouping", tables),
        weak=weak,
        small=_codes("small_code", tables),
        slogans=frozenset(date for table in tables for date in table.get("slogan", {}).get("date", ())),
    )


def first_word(text: str, start: int = 0) -> str:
    """The key under which a spelling is filed: its leading letters in lower case, or its first character.

    >>> first_word("US$"), first_word("每辆"), first_word("$ 5")
    ('us', '每', '$')
    """
    plain = _ASCII_LETTERS.match(text, start)
    end = plain.end() if plain else start
    while end < len(text) and not text[end].isascii() and is_letter(text[end]):
        rest = _ASCII_LETTERS.match(text, end + 1)
        end = rest.end() if rest else end + 1
    return text[start:end].lower() if end > start else text[start]


def is_letter(character: str) -> bool:
    """A letter of a script that separates words (so not a Chinese, Japanese or Korean one)."""
    return character.isalpha() and (character.isascii() or not is_ideograph(character))


def is_ideograph(character: str) -> bool:
    """A character of a script written without spaces between words."""
    return "\u2e80" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7af" or "\uf900" <= character <= "\ufaff"


# --------------------------------------------------------------------------------------------------


def _files() -> list[Any]:
    folder = resources.files("zhiji_etl.reading").joinpath("lexicon")
    return sorted((path for path in folder.iterdir() if path.name.endswith(".toml")), key=lambda path: path.name)


def _folds(tables: list[dict[str, Any]]) -> dict[int, str]:
    return {ord(variant): base for table in tables for base, many in table.get("fold", {}).items() for variant in many}


def _codes(kind: str, tables: list[dict[str, Any]]) -> frozenset[str]:
    """The codes that tables of one kind list."""
    return frozenset(code for table in tables for code in table.get(kind, {}).get("code", ()))


class _Builder:
    """Collects spellings while the lexicon loads; the first meaning given to a spelling and kind wins."""

    def __init__(self) -> None:
        self.spellings: dict[str, Kinds] = {}
        self.codes: set[str] = set()

    def add(self, spelling: str, kind: str, value: object) -> None:
        """One meaning of a spelling; the first that is given stays."""
        self.spellings.setdefault(spelling, {}).setdefault(kind, value)

    def add_language(self, table: dict[str, Any]) -> None:
        """All words of one lexicon file."""
        for kind, values in table.items():
            if isinstance(values, dict) and kind not in SPECIAL_TABLES:
                for value, spellings in values.items():
                    named = [value] if kind == "noun" and "_" in value else []  # kilowatt_hour, as we write it
                    for spelling in [*spellings, *named]:
                        self.add(spelling, kind, _value(kind, value))

    def add_codes(self, weak: frozenset[str]) -> None:
        """All ISO 4217 codes, those that are also words apart."""
        from babel import Locale

        for code in map(str, Locale("en").currencies):
            self.codes.add(code)
            self.add(code, "weak_code" if code in weak else "currency", (code,))
            if code not in weak:
                self.add(code.lower(), "weak_code", (code,))

    def add_currency_names(self, languages: list[str], unnamed: frozenset[str]) -> None:
        """The names of currencies in these languages."""
        for code, name in _currency_names(languages):
            if code not in unnamed and "(" not in name and "（" not in name:
                self.add(name.lower(), "currency", (code,))

    def add_glued_tens(self) -> None:
        """`twentyone` and its like."""
        small = {w: k["small"] for w, k in self.spellings.items() if "small" in k}
        for ten, tens in [(w, v) for w, v in small.items() if v >= 20]:
            for one, ones in small.items():
                if 0 < ones < 10:
                    self.add(ten + one, "small", tens + ones)

    def filed(self) -> dict[str, tuple[Entry, ...]]:
        """All spellings under their first words, the longest first."""
        filed: dict[str, list[Entry]] = {}
        for spelling, kinds in self.spellings.items():
            filed.setdefault(first_word(spelling), []).append(Entry(spelling, spelling != spelling.lower(), kinds))
        return {key: tuple(sorted(many, key=lambda e: (-len(e.spelling), not e.cased))) for key, many in filed.items()}


def _value(kind: str, value: str) -> object:
    if kind in INTEGER_KINDS:
        return int(value)
    if kind in CURRENCY_KINDS:
        return tuple(value.split())
    return value


def _currency_names(languages: list[str]) -> Iterator[tuple[str, str]]:
    from babel import Locale

    for language in languages:
        locale = Locale(language)
        yield from locale.currencies.items()
        for code, plurals in locale._data["currency_names_plural"].items():
            for name in plurals.values():
                yield code, name
