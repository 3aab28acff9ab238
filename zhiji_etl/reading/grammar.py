"""What one shape means: a whole cell, with its range, its restatement in brackets, or why it is no figure.

In: tokens of a shape, and what the reader was told of the cell. Out: an `Amount`, a `Problem`, or `Refine` where only
the widths of the digits can decide.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from zhiji_etl.figures import Qualifier
from zhiji_etl.reading.amounts import read_amount
from zhiji_etl.reading.drafts import MIRRORED, Draft, agreed, singular
from zhiji_etl.reading.folding import RUN_MARKS, ZERO_MARKS
from zhiji_etl.reading.meanings import Amount, Options, Problem, Refine, Result, Term
from zhiji_etl.reading.tokens import Token, Tokens, constant, token_at, tokens
from zhiji_etl.reading.words import lexicon

_UNDECIDED: Final = re.compile(
    r"#[.,' ] ?#|\.#|[^\s(] ?\(#\)|^\s*#年\s*$|# ?折|#,[-–—]|#[百千万亿] ?#|(?<!/)# ?/ ?#(?!/)",
)
_DATES: Final = (
    (re.compile(r"\s*#([-/.])#\1#\s*|\s*#年(?:#月(?:#日)?)\s*|\s*#月#日\s*"), "date", "a date"),
    (re.compile(rf"\s*{RUN_MARKS[3]}年\s*|\s*(?:#[-~–—至到])?#[月日]份?\s*|\s*#年(?:上|下)半年\s*"), "date", "a date"),
    (re.compile(r"\s*#点#分\s*"), "time", "a time of day"),
    (re.compile(r"\s*#:#(?::#)?\s*(?:[aApP]\.?[mM]\.?)?\s*"), "time", "a time of day"),
)
OUT_OF_SCALE: Final = frozenset({"percent", "percentage_point", "basis_point", "rank", "multiple"})
CHANGING: Final = frozenset({"percent", "percentage_point", "basis_point"})
"""In running text only these are changes for sure: `fell $5` may be a level that was fallen from."""
_SKIPPED: Final = frozenset({"filler", "note", "whole_sum"})
_NAMING: Final = frozenset({"word", "noun", "stop", "change", "change_after", "money_noun", "change_in_cell"})
_MISSING: Final = {
    "not_available": "The cell says that the figure is not available.",
    "not_meaningful": "The cell says that the figure would not be meaningful.",
    "not_applicable": "The cell says that no figure applies.",
}


def read_shape(shape: str, style: str, options: Options) -> tuple[Result, tuple[tuple[int, int, bool], ...] | None]:
    """What a shape means, and for a fine one which runs of digits make each number."""
    if style == "coarse" and _UNDECIDED.search(shape):
        return Refine(), None
    found, joins = tokens(shape, style)
    result = _dated(shape) or _cell(found, options, style, len(shape))
    if style != "comma" and isinstance(result, Amount) and _groups_by_dots(result):
        return (Refine(), None) if style == "coarse" else _by_dots(shape, options)
    return result, joins


def finished(draft: Draft, options: Options) -> Amount:
    """A draft made an amount: currency chosen, sign and scale put into the numbers."""
    unit, readings = _unit(draft, options)
    scaled = any(term.exponent > 0 for number in draft.numbers for term in number.terms)
    takes_scale = options.exponent is not None and unit not in OUT_OF_SCALE and not draft.noun
    takes_scale = takes_scale and not (draft.currency and (options.exponent or 0) < 0)
    exponent = draft.exponent + (options.exponent or 0 if takes_scale and not scaled else 0)
    qualifier = Qualifier.ABOVE if draft.numbers[0].open and draft.qualifier in _OPENED else draft.qualifier
    falls = draft.change < 0 and (not draft.prose or unit in CHANGING)
    sign = -1 if falls else draft.sign
    qualifier = Qualifier.EXACT if unit == "rank" else qualifier
    counted = draft.noun and draft.per is None and unit not in lexicon().measured
    return Amount(
        numbers=tuple(number.scaled(exponent).signed(sign) for number in draft.numbers),
        unit=f"{unit}/{draft.per}" if draft.per not in (None, "count") else unit,
        qualifier=MIRRORED.get(qualifier, qualifier) if falls else qualifier,
        start=draft.start,
        end=draft.end,
        whole=counted,
        signless=not draft.change and (bool(draft.currency) or counted or unit == "count" or unit in lexicon().codes),
        declared=takes_scale and not scaled,
        exact=unit == "rank",
        readings=readings,
    )


_OPENED: Final = (Qualifier.EXACT, Qualifier.ABOUT)


# ---- cells ---------------------------------------------------------------------------------------


def _cell(found: list[Token], options: Options, style: str, length: int) -> Result:
    worded = [token for token in found if not _SKIPPED & token.kinds.keys() or "nil" in token.kinds]
    if not worded:
        return Problem("empty" if not found else "no_number", "There is no figure in this text.", 0, length)
    said = _said(worded, options)
    if said is not None:
        return said
    start = 0
    while start < len(found) - 1 and "note" in found[start].kinds and "multiple" not in found[start].kinds:
        start += 1
    read = read_range(found, start, options, style != "coarse")
    if read is None:
        return _no_number(worded)
    amount, at = read
    if isinstance(amount, Refine):
        return amount
    amount, at = _trailing_minus(found, at, amount)
    amount, at = _restated(found, at, amount, options, style != "coarse")
    return _rest(found, at, amount)


def _said(worded: list[Token], options: Options) -> Amount | Problem | None:
    """Cells that say in words that there is nothing, or nothing known."""
    missing = next((token.kinds["missing"] for token in worded if "missing" in token.kinds), None)
    if missing is not None and len(worded) == 1:
        return Problem(
            missing, _MISSING[missing], worded[0].start, worded[-1].end, "Leave the row out, or say why in `note`."
        )
    plain = [token for token in worded if not {"open", "close"} & token.kinds.keys()]
    nil = [token for token in plain if "nil" in token.kinds]
    if not nil or any("number" in token.kinds for token in plain) or not _only_units_besides(plain, nil):
        return None
    draft = Draft(start=worded[0].start, end=worded[-1].end, numbers=(constant(0),))
    for token in plain:
        draft.currency = draft.currency or token.get("currency") or ()
        draft.unit = draft.unit or (
            token.kinds["percent"].split()[0] if "percent" in token.kinds else token.get("noun")
        )
    if nil[0].text.lower() == "no" and not draft.has_unit:
        draft.unit, draft.noun, draft.words = "", True, [plain[-1]]
    return finished(draft, options)


def _only_units_besides(plain: list[Token], nil: list[Token]) -> bool:
    if len(nil) == 1 and nil[0].text.lower() == "no":
        return plain[0] is nil[0] and len(plain) > 1 and all(_NAMING & t.kinds.keys() for t in plain[1:])
    return all({"nil", "currency", "percent", "noun"} & token.kinds.keys() for token in plain)


def _no_number(worded: list[Token]) -> Problem:
    return Problem("no_number", "There is no figure in {}.", worded[0].start, worded[-1].end)


def _rest(found: list[Token], at: int, amount: Amount) -> Result:
    """The amount, if nothing that carries meaning is left over."""
    left = [token for token in found[at:] if not {"filler", "note", "whole_sum", "inclusive"} & token.kinds.keys()]
    left = [token for token in left if not (token.text == "–" and token is left[-1])]
    if not left:
        return amount
    several = any("number" in token.kinds for token in left)
    return Problem(
        "several_figures" if several else "unread_text",
        "There is more than one figure in this text." if several else "A part of the text could not be read: {}.",
        left[0].start,
        left[-1].end,
        "Give each figure its own row." if several else "Move remarks to `note`, or declare the unit.",
    )


def _dated(shape: str) -> Problem | None:
    for pattern, code, name in _DATES:
        if pattern.fullmatch(shape):
            return Problem(code, f"This is {name}, not a figure.", 0, len(shape), "Put it into `period`.")
    return None


def _trailing_minus(found: list[Token], at: int, amount: Amount) -> tuple[Amount, int]:
    token = token_at(found, at)
    printed_minus = any(number.sign < 0 for number in amount.numbers)
    if token.text == "-" and at == len(found) - 1 and token.start == found[at - 1].end and not printed_minus:
        return replace(
            amount, numbers=tuple(n.signed(-1) for n in amount.numbers), end=token.end, signless=False
        ), at + 1
    return amount, at


# ---- ranges --------------------------------------------------------------------------------------


def read_range(
    found: Tokens, at: int, options: Options, fine: bool, prose: bool = False
) -> tuple[Amount | Refine, int] | None:
    """One amount, or two that are the ends of a range: `5 to 6 million`, `between 1.1 and 1.3 dollars`."""
    first = read_amount(found, at, fine, prose)
    if first is None:
        return None
    low, end = first
    led = prose and low.between and "change" in token_at(found, at - 1).kinds
    second = None if led else _second(found, end, low, fine, prose)  # fell from 7% to 5%: two levels, no range
    if low.refine or (second and second[0].refine):
        return Refine(), end
    if second is None:
        return _closed_bracket(finished(low, options), low), end
    high, end = second
    return _spanned(low, high, options), end


def _closed_bracket(amount: Amount, draft: Draft) -> Amount:
    """A bracket around a whole amount is a minus in accounting, also where it was not closed."""
    if draft.bracket and draft.sign > 0:
        return replace(amount, numbers=tuple(number.signed(-1) for number in amount.numbers))
    return amount


def _second(found: Tokens, at: int, low: Draft, fine: bool, prose: bool) -> tuple[Draft, int] | None:
    token = token_at(found, at)
    opposite = {Qualifier.ABOVE, Qualifier.AT_LEAST, Qualifier.BELOW, Qualifier.AT_MOST}
    linked = "to" in token.kinds or ("and" in token.kinds and low.between) or _either(token, low, prose)
    if prose and not low.between and token.text in ("through", "until", "till", "or", "或", "与", "和"):
        return None
    bounded = low.qualifier in opposite and _BOUNDING & token.kinds.keys()
    if (not linked and not bounded) or len(low.numbers) != 1:
        return None
    if prose and low.change and token.text != "-" and _is_level(low, token):
        return None
    begin = at + ("before" not in token.kinds)
    begin += token_at(found, begin).text.lower() == "the"
    read = read_amount(found, begin, fine, prose)
    if read is not None and "after" in token.kinds and "and" in token.text.split():
        read[0].qualifier = Qualifier(token.kinds["after"])
    if read is None or len(read[0].numbers) != 1 or (read[0].bracket and not low.bracket):
        return None
    if bounded and not linked and not _opposed(low.qualifier, read[0].qualifier):
        return None
    return read if _like(low, read[0]) else None


def _is_level(low: Draft, token: Token) -> bool:
    """Whether what follows a change is where it led to: `rose 300 points to 35,000`, `rose from 5% to 7%`."""
    return "to" in token.kinds and (low.between or (low.unit is not None and token.text.isalpha()))


def _either(token: Token, low: Draft, prose: bool) -> bool:
    """`five or six million`, `2 or 3 vehicles`: the second says the unit and the scale of both."""
    scaled = any(term.exponent for number in low.numbers for term in number.terms)
    plain = not low.has_unit and not scaled and low.qualifier is Qualifier.EXACT
    return not prose and token.text.lower() == "or" and plain


_BOUNDING: Final = frozenset({"and", "but", "filler", "before", "after"})


def _opposed(first: Qualifier, second: Qualifier) -> bool:
    rising = {Qualifier.ABOVE, Qualifier.AT_LEAST}
    falling = {Qualifier.BELOW, Qualifier.AT_MOST}
    return (first in rising and second in falling) or (first in falling and second in rising)


def _like(low: Draft, high: Draft) -> bool:
    """Whether two amounts can be the ends of one range: their units agree, or one of them has none."""
    if low.currency and high.currency:
        return bool(set(low.currency) & set(high.currency)) and low.per in (None, high.per)
    if (low.currency and high.unit) or (high.currency and low.unit):
        return False
    if low.unit is not None and high.unit is not None:
        return low.unit == high.unit and low.per in (None, high.per)
    return True


def _spanned(low: Draft, high: Draft, options: Options) -> Amount:
    shared = sum(term.exponent for term in high.numbers[0].terms if term is high.numbers[0].terms[0])
    has_scale = any(term.exponent for term in low.numbers[0].terms)
    high.currency = agreed(low.currency, high.currency)
    for name in ("currency", "unit", "per", "noun", "words"):
        setattr(high, name, getattr(high, name) or getattr(low, name))
        setattr(low, name, getattr(high, name))
    high.change = high.change or low.change
    low.change = high.change
    low.exponent = high.exponent = low.exponent or high.exponent
    first, last = finished(low, options), finished(high, options)
    rising = (Qualifier.ABOVE, Qualifier.AT_LEAST)
    halves = (first, last) if low.qualifier in MIRRORED and high.qualifier in MIRRORED else None
    if halves and last.qualifier in rising:
        first, last = replace(last, end=first.end), replace(first, start=first.start, end=last.end)
        first = replace(first, start=halves[0].start)
    return replace(
        last,
        numbers=(first.numbers[0], last.numbers[0]),
        start=first.start,
        qualifier=Qualifier.RANGE,
        halves=halves,
        shared=0 if has_scale or shared <= 0 else shared,
    )


# ---- restatements --------------------------------------------------------------------------------


def _restated(found: list[Token], at: int, amount: Amount, options: Options, fine: bool) -> tuple[Amount, int]:
    """The amount with the second one that says it again, in brackets or after `or`."""
    begin = at
    while "filler" in token_at(found, begin).kinds:
        begin += 1
    token = token_at(found, begin)
    bracketed = "open" in token.kinds
    if bracketed and (note := _note(found, begin)):
        return amount, note
    if not bracketed and "or" not in token.kinds:
        return amount, at
    begin += 1 + ("or" in token_at(found, begin + 1).kinds)
    read = read_range(found, begin, replace(options, exponent=None, unit=None), fine)
    if read is None or not isinstance(read[0], Amount):
        return amount, at
    second, end = read[0], read[1]
    if not _alike(amount.unit, second.unit):
        return amount, at
    if second.unit == amount.unit and (not bracketed or second.numbers[0].terms[0].literal is not None):
        return amount, at
    if (
        bracketed
        and second.end - second.start == len(token_at(found, begin).text)
        and "scale" in token_at(found, begin).kinds
    ):
        return amount, at
    if bracketed:
        if "close" not in token_at(found, end).kinds and end < len(found):
            return amount, at
        end = min(end + 1, len(found))
    return replace(amount, restated=second), end


def _alike(first: str, second: str) -> bool:
    """Whether one amount can say another again: not `a loss of $5 million, or $0.12 a share`, `or 3% of sales`."""
    return ("/" in first) == ("/" in second) and (first in OUT_OF_SCALE) == (second in OUT_OF_SCALE)


def restated_in_text(found: list[Token], at: int, amount: Amount, options: Options, fine: bool) -> tuple[Amount, int]:
    """In running text: a second amount of money in brackets right after the first."""
    again, end = _restated(found, at, amount, options, fine)
    second = again.restated
    if second is None or second.unit == amount.unit or "count" in (second.unit, amount.unit):
        return amount, at
    return again, end


def _note(found: list[Token], at: int) -> int:
    """The place after a bracket with a note mark or an idle word in it: `(1)`, `(ea)`, `（含）`."""
    inside = at + 1
    while {"filler", "note", "inclusive"} & token_at(found, inside).kinds.keys():
        inside += 1
    closed = "close" in token_at(found, inside).kinds
    if closed:
        return inside + 1
    mark = token_at(found, at + 1)
    only_number = "number" in mark.kinds and "close" in token_at(found, at + 2).kinds
    return at + 3 if only_number and mark.text in (RUN_MARKS[0], ZERO_MARKS[0]) else 0


# ---- units ---------------------------------------------------------------------------------------


def _unit(draft: Draft, options: Options) -> tuple[str, tuple[tuple[str, str], ...]]:
    if draft.currency:
        code = options.currency if options.currency in draft.currency else draft.currency[0]
        if len(draft.currency) == 1 or options.currency in draft.currency:
            return str(code), ()
        reason = "the sign or word is that of more than one currency"
        return str(code), tuple((other, reason) for other in draft.currency[1:])
    if draft.unit == "":
        return singular(draft.words), ()
    return draft.unit or options.unit or "count", ()


def _groups_by_dots(amount: Amount) -> bool:
    def printed_digits(term: Term) -> bool:
        return term.literal is not None

    dotted = amount.unit.split("/")[0] in lexicon().dot_grouping
    return dotted and any(printed_digits(term) for number in amount.numbers for term in number.terms)


def _by_dots(shape: str, options: Options) -> tuple[Result, tuple[tuple[int, int, bool], ...] | None]:
    found, joins = tokens(shape, "dots")
    return _cell(found, options, "dots", len(shape)), joins
