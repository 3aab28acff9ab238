"""Numbers in running text that their own digits give away as names: years, seasons, codes that begin with 0.

In: an amount, and the printed numbers that can tell. Out: whether it is no figure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from zhiji_etl.figures import Qualifier
from zhiji_etl.reading.grammar.meanings import Amount, Number
from zhiji_etl.reading.grammar.words import lexicon

_YEAR: Final = re.compile(r"(?:19|20)[0-9][0-9]")
_CODE: Final = re.compile(r"0[0-9]*[1-9][0-9]*")
_SHORT: Final = re.compile(r"[0-9]{1,4}(?:\.0)?")
"""A number of which names are made; figures of more digits are printed with commas."""
_NUMBERED: Final = re.compile(r"@(\d+)-(\d+)")


def telling(amount: Amount, dated: bool) -> tuple[int, ...]:
    """The numbers of an amount whose digits can make it a name: those of a bare number, a bare range, a division.

    `dated` says that a word of time stands before it, so that even what is counted may only follow a year.
    """
    if amount.qualifier not in (Qualifier.EXACT, Qualifier.RANGE) or amount.halves is not None:
        return ()
    whole = amount.numbers[0]
    if whole.over is not None:
        return _literals((whole, whole.over)) if len(amount.numbers) == 1 else ()
    bare = (
        amount.listed is not None
        or amount.unit in ("count", "year")
        or _NUMBERED.fullmatch(amount.unit)
        or (dated and amount.whole)
    )
    return _literals(amount.numbers, amount.listed is not None) if bare else ()


def is_name(amount: Amount, printed: Sequence[str], words: Sequence[str], dated: bool, nominal: bool) -> bool:
    """Whether an amount with these telling numbers is a name: `24/7`, or a year, bare, before a name (`the 2019 Plan`)
    or after a word of time (`in 2019 sales rose`), or a small number that stands as part of one (`the Mate 60`).
    """
    if amount.numbers[0].over is not None:
        return _descends(printed, least=1) or "/".join(printed) in lexicon().slogans
    phrase = _NUMBERED.fullmatch(amount.unit)
    if (
        nominal
        and all(map(_SHORT.fullmatch, printed))
        and (phrase is None or _is_named(words, *map(int, phrase.groups())))
    ):
        return amount.unit == "count" or phrase is not None
    if all(map(_YEAR.fullmatch, printed)):
        return dated or phrase is None or _names(words[int(phrase[1]) : int(phrase[2]) + 1])
    return amount.unit == "count" and (any(map(_CODE.fullmatch, printed)) or _descends(printed, least=0))


def is_dated_year(amount: Amount, printed: Sequence[str], dated: bool) -> bool:
    """Whether the first end of a range, after a word of time, is a year of these numbers: `in 2021 to 8.3%`."""
    literal = amount.numbers[0].terms[0].literal
    return dated and literal is not None and _YEAR.fullmatch(printed[literal]) is not None


# ---------------------------------------------------------------------------------------------------------------------


def _literals(numbers: Sequence[Number], listed: bool = False) -> tuple[int, ...]:
    """The places of numbers that are digits and nothing else, but for the scale of a row; none where one is more."""
    terms = [number.terms[0] for number in numbers if len(number.terms) == 1]
    found = tuple([term.literal for term in terms if term.literal is not None and (listed or not term.exponent)])
    return found if len(found) == len(numbers) else ()


def _names(phrase: Sequence[str]) -> bool:
    """Whether a year can stand before this phrase: a name (`the 2019 Plan`), or something in the singular."""
    return phrase[0][0].isupper() or not any(word.endswith("s") for word in phrase)


def _is_named(words: Sequence[str], first: int, last: int) -> bool:
    """Whether what follows a number is no thing that it counts: another word of the name, or something in the singular
    after a name that is no abbreviation (`its Office 365 revenue`, but `the PMI 49 missed`).
    """
    if words[first][0].isupper():
        return True
    named = first > 0 and words[first - 1][:1].isupper() and not words[first - 1].isupper()
    return named and not any(word.endswith("s") for word in words[first : last + 1])


def _descends(printed: Sequence[str], least: int) -> bool:
    """Whether the second of two whole numbers is smaller by so much: `787-9`, `2023-24`, `50-50` and `24/7`."""
    whole = len(printed) == 2 and all(number.isdecimal() for number in printed)
    return whole and int(printed[0]) - int(printed[1]) >= least
