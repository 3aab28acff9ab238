"""Number formats of spreadsheets: what a cell that stores a number shows to its reader.

In: a stored number and its format code (`0.0%`, `#,##0;(#,##0)`, `[$¥-804]#,##0.00`). Out: the text as printed, or null
where the code is not understood: then nobody knows here what was printed. A date is given as 2019-12-31, cut to
2019-12 or 2019 where its format shows no day or no month. Codes as in ECMA-376, part 1, section 18.8.31.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Final, NamedTuple

GENERAL: Final = "General"

_TOKEN: Final = re.compile(
    r"""
    "(?P<quoted>[^"]*)"
    | \\(?P<escaped>.)
    | \[\$(?P<symbol>[^\]-]*)(?:-[^\]]*)?\]
    | \[(?P<condition>[<>=]+-?[\d.]+)\]
    | \[(?P<colour>[^\]]*)\]
    | _(?P<space>.)
    | \*(?P<fill>.)
    | (?P<general>[Gg]eneral)
    | (?P<digits>[0#?][0#?.,]*|\.[0#?]+)
    | (?P<power>E[+-]0+)
    | (?P<percent>[%％])
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_PLAIN: Final = frozenset("$-+():!^&'~{}<>= ,")
"""Signs of ASCII that stand for themselves; letters have a meaning, so a letter without quotes is not understood."""


class Section(NamedTuple):
    """One of the up to four parts of a code. `before` and `after` are the texts around the number.

    `whole` and `decimals` count digits that are always shown, `optional` decimals that are shown if they are not 0.
    """

    before: str = ""
    after: str = ""
    has_number: bool = False
    is_general: bool = False
    whole: int = 0
    decimals: int = 0
    optional: int = 0
    grouped: bool = False
    shift: int = 0
    power: int | None = None
    condition: str | None = None


def printed_number(value: int | float, code: str) -> str | None:
    """What a cell shows that stores `value` under the format `code`; null where the code is not understood.

    >>> printed_number(0.227, "0.0%"), printed_number(-1234.5, "#,##0;(#,##0)"), printed_number(22.7, "General")
    ('22.7%', '(1,235)', '22.7')
    """
    sections = format_sections(code or GENERAL)
    if sections is None:
        return None
    number = _stored(value)
    section, is_signed = _chosen(sections, number)
    return None if section is None else _shown(section, number if is_signed else abs(number)).strip()


def printed_date(value: date, code: str) -> str:
    """A date as finely as its format shows it: 2019-12-31, 2019-12 or 2019; a time of day is left out.

    >>> printed_date(date(2019, 12, 1), "mmm-yy")
    '2019-12'
    """
    shown = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]', "", code).lower()
    text = (value.date() if isinstance(value, datetime) else value).isoformat()
    if "d" in shown or code == GENERAL:
        return text
    return text[:7] if re.search("m(?!m?:)", shown) else text[:4]


@lru_cache(maxsize=1024)
def format_sections(code: str) -> tuple[Section, ...] | None:
    """The parts of a format code; null where it holds what is not understood (fractions, letters without quotes)."""
    parts: list[list[re.Match[str]]] = [[]]
    for match in _TOKEN.finditer(code):
        if match["other"] == ";":
            parts.append([])
        else:
            parts[-1].append(match)
    sections = [_section(part) for part in parts[:3]]
    return None if None in sections else tuple(section for section in sections if section is not None)


# -------------------------------------------------------------------------------------------------------- helpers


def _section(tokens: list[re.Match[str]]) -> Section | None:
    texts = ["", ""]
    made: dict[str, object] = {}
    for token in tokens:
        kind, text = str(token.lastgroup), token[str(token.lastgroup)]
        if kind in ("digits", "general"):
            if "has_number" in made:
                return None
            made |= {"has_number": True, **(_digits(text) if kind == "digits" else {"is_general": True})}
        elif kind == "power":
            made["power"] = len(text) - 2
        elif kind == "condition":
            made["condition"] = text
        elif kind == "other" and text.isascii() and text not in _PLAIN:
            return None
        else:
            texts["has_number" in made] += _literal(kind, text)
    percents = sum(token.lastgroup == "percent" for token in tokens)
    shift = 2 * percents - int(str(made.pop("shift", 0)))
    return Section(before=texts[0], after=texts[1], shift=shift, **made)  # type: ignore[arg-type]


def _literal(kind: str, text: str) -> str:
    """What a token that is no number shows; a gap as wide as a sign is a space, a filling is nothing."""
    if kind in ("colour", "fill"):
        return ""
    return " " if kind == "space" else text


def _digits(text: str) -> dict[str, object]:
    """The meaning of placeholders: commas at the end divide by thousands, others group."""
    kept = text.rstrip(",")
    whole, _, decimals = kept.partition(".")
    always = len(decimals.rstrip("#?"))
    return {
        "whole": whole.count("0"),
        "decimals": always,
        "optional": len(decimals) - always,
        "grouped": "," in whole,
        "shift": 3 * (len(text) - len(kept)),
    }


def _stored(value: int | float) -> Decimal:
    """A stored number exactly as spreadsheets hold it: with 15 significant digits."""
    return Decimal(value) if isinstance(value, int) else Decimal(f"{value:.15g}")


def _chosen(sections: tuple[Section, ...], number: Decimal) -> tuple[Section | None, bool]:
    """The section for a number, and whether its sign is still to be written."""
    if any(section.condition for section in sections):
        fitting = [one for one in sections if one.condition is None or _holds(one.condition, number)]
        return (fitting[0] if fitting else None), True
    if len(sections) == 3 and number == 0:
        return sections[2], False
    if len(sections) > 1 and number < 0:
        return sections[1], False
    return sections[0], True


def _holds(condition: str, number: Decimal) -> bool:
    sign = condition.rstrip("0123456789.-")
    limit = Decimal(condition[len(sign) :])
    return {
        "<": number < limit,
        "<=": number <= limit,
        ">": number > limit,
        ">=": number >= limit,
        "=": number == limit,
        "<>": number != limit,
    }.get(sign, False)


def _shown(section: Section, number: Decimal) -> str:
    if not section.has_number:
        return section.before
    sign = "-" if number < 0 else ""
    return f"{sign}{section.before}{_number(section, abs(number).scaleb(section.shift))}{section.after}"


def _number(section: Section, number: Decimal) -> str:
    if section.is_general:
        return f"{number.normalize():f}" if abs(number.adjusted()) < 15 else str(number.normalize())
    if section.power is not None:
        return f"{number:.{section.decimals}E}"
    places = section.decimals + section.optional
    rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) if number.adjusted() + places < 27 else number
    whole, _, decimals = f"{rounded:f}".partition(".")
    kept = decimals[: section.decimals] + decimals[section.decimals :].rstrip("0")
    digits = (whole if int(whole) or section.whole else "").zfill(section.whole)
    return (f"{int(digits):,}" if section.grouped and digits else digits) + (f".{kept}" if kept else "")
