"""Folding: a text as printed to the one spelling that the grammar of periods reads, and the words of words.toml.

In: any text. Out: lower case, digits for number words and Chinese numerals, one kind of dash, single blanks.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from importlib.resources import files
from typing import Any, Final

WORDS: Final[dict[str, dict[str, Any]]] = tomllib.loads(
    files(__package__).joinpath("words.toml").read_text(encoding="utf-8")
)
MONTH_NUMBERS: Final[dict[str, int]] = WORDS["month"]
LENGTHS: Final[dict[str, str]] = {word: length for length, words in WORDS["length"].items() for word in words}
"""The words for a length, each with its length: `months` is `month`."""


def word_pattern(name: str) -> str:
    """The pattern that matches any of the words of that name, the longest first."""
    return alternatives(WORDS["words"][name])


def alternatives(words: list[str]) -> str:
    """The pattern that matches any of these words, the longest first."""
    return "(?:" + "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)) + ")"


def fold(text: str) -> str:
    """The text in the spelling that the grammar reads."""
    text = unicodedata.normalize("NFKC", text).casefold().translate(_SAME)
    text = _CHINESE_NUMERAL.sub(lambda match: _digits(match[0]), text)
    text = _NUMBER_WORD.sub(lambda match: WORDS["number"][match[0]], text)
    for pattern, replacement in _STEPS:
        text = pattern.sub(replacement, text)
    return text.strip(" ()[].。;:")


_SAME: Final = str.maketrans(dict.fromkeys("‐‑‒–—―−─", "-") | dict.fromkeys("〜∼", "~") | dict.fromkeys("’‘ʼ`", "'"))
_NUMERALS: Final = {numeral: value for value, numeral in enumerate("〇一二三四五六七八九")} | {
    "零": 0,
    "○": 0,
    "两": 2,
    "兩": 2,
}
_CHINESE_NUMERAL: Final = re.compile(f"[{''.join(_NUMERALS)}十]+")
_NUMBER_WORD: Final = re.compile(rf"\b{alternatives(list(WORDS['number']))}\b")
_CHINESE: Final = r"[\u3400-\u9fff]"
_STEPS: Final = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"[ t]00:00(?::00(?:\.0+)?)?z?$", ""),  # a date that a spreadsheet gave a time of day
        (r"^(\d{4})\.0$", r"\1"),  # a year that a spreadsheet made a float
        (r"(?<=[a-z])\.|\bthe\b", " "),
        (r"(?<=[\da-z])-(?=(?:month|week|quarter|half|year|day)s?\b)", " "),
        (r"[\s,]+", " "),
        (rf" ?({_CHINESE}) ?", r"\1"),
        # A year in a header of its own stands behind its month, which it stands before in a sentence.
        (r"^(\D*)((?:\d{1,2}[-~至到])?\d{1,2}月(?:(?!\d{4}).)*)(\d{4})年?$", r"\1\3年\2"),
        (r"(-\d{1,2}月份?|前\d季度|上半年|全年)累计$", r"\1"),  # a lone month would be another period with it
        (r"^ ?(?:in|during|for|on|over) ", ""),
    )
)


def _digits(numeral: str) -> str:
    """二零二零 is 2020, 三十一 is 31."""
    tens, ten, ones = numeral.rpartition("十")
    if not ten:
        return "".join(str(_NUMERALS[sign]) for sign in numeral)
    return str((_NUMERALS.get(tens, 1) if tens else 1) * 10 + (_NUMERALS.get(ones, 0) if ones else 0))
