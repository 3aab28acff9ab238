"""What one shape means: a whole cell, with its range, its restatement in brackets, or why it is no figure.

In: tokens of a shape, and what the reader was told of the cell. Out: an `Amount`, a `Problem`, or `Refine` where only
the widths of the digits can decide.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from zhiji_etl.figures import Qualifier
from zhiji_etl.reading.grammar.drafts import Draft
from zhiji_etl.reading.grammar.finishing import OUT_OF_SCALE, finished
from zhiji_etl.reading.grammar.folding import RUN_MARKS, ZERO_MARKS
from zhiji_etl.reading.grammar.meanings import Amount, Options, Problem, Refine, Result, Term
from zhiji_etl.reading.grammar.ranges import read_range
from zhiji_etl.reading.grammar.tokens import Token, constant, token_at, tokens
from zhiji_etl.reading.grammar.words import lexicon

_UNDECIDED: Final = re.compile(
    r"#[.,' ] ?#|\.#|'#|[^\s(\[] ?[(\[]#[)\]]|^\s*#年\s*$|# ?折|#,[-–—]|#[百千万亿] ?#|(?<!/)# ?/ ?#(?!/)",
)
_DATES: Final = (
    (re.compile(r"\s*#([-/.])#\1#\s*|\s*#年(?:#月(?:#日)?)\s*|\s*#月#日\s*"), "date", "a date"),
    (re.compile(rf"\s*{RUN_MARKS[3]}年\s*|\s*(?:#[-~–—至到])?#[月日]份?\s*|\s*#年(?:上|下)半年\s*"), "date", "a date"),
    (re.compile(r"\s*#点#分\s*"), "time", "a time of day"),
    (re.compile(r"\s*#:#(?::#)?\s*(?:[aApP]\.?[mM]\.?)?\s*"), "time", "a time of day"),
)
_CODE: Final = re.compile("[A-Z]{3}")
"""The unit of a table of money."""

_RATES: Final = frozenset({"percent", "percentage_point", "basis_point"})
"""Units in which nothing is seldom 0: the growth of what was not there before is no growth of 0 %."""

_SKIPPED: Final = frozenset({"filler", "note", "whole_sum"})
_NAMING: Final = frozenset({"word", "noun", "stop", "change", "change_after", "money_noun", "change_in_cell"})
_REMARKS: Final = frozenset({"filler", "note", "inclusive", "remark", "label"})
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


# ---- cells ---------------------------------------------------------------------------------------


def _cell(found: list[Token], options: Options, style: str, length: int) -> Result:
    worded = [token for token in found if not _SKIPPED & token.kinds.keys() or "nil" in token.kinds]
    if not worded:
        return Problem("empty" if not found else "no_number", "There is no figure in this text.", 0, length)
    said = _said(worded, options)
    if said is not None:
        return said
    found = _with_millions(found, options)
    start = 0
    while start < len(found) - 1 and "note" in found[start].kinds and "multiple" not in found[start].kinds:
        start += 1
    read = read_range(found, start, options, style != "coarse")
    if read is None:
        return _no_number(worded, length)
    amount, at = read
    if isinstance(amount, Refine):
        return amount
    amount, at = _trailing_minus(found, at, amount)
    amount, at = _restated(found, at, amount, options, style != "coarse")
    return _rest(found, at, amount)


def _with_millions(found: list[Token], options: Options) -> list[Token]:
    """The tokens, `mm` as millions alone where a unit is told besides: `2.5mm vehicles`, `2.5mm` in a table of USD."""
    told = options.unit is not None and _CODE.fullmatch(options.unit)
    return [
        Token({"scale": token.get("scale")}, token.text, token.start, token.end)
        if token.text == "mm" and (told or "noun" in token_at(found, at + 1).kinds)
        else token
        for at, token in enumerate(found)
    ]


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
    if options.unit in _RATES and not draft.has_unit and not any(letter.isalpha() for letter in nil[0].text):
        hint = "Where it means 0, correct it to 0%; else leave the row out."
        return Problem("not_available", "A dash among percentages may be no figure.", draft.start, draft.end, hint)
    if nil[0].text.lower() == "no" and not draft.has_unit:
        draft.unit, draft.noun, draft.words = "", True, [plain[-1]]
    return finished(draft, options)


def _only_units_besides(plain: list[Token], nil: list[Token]) -> bool:
    if len(nil) == 1 and nil[0].text.lower() == "no":
        return plain[0] is nil[0] and len(plain) > 1 and all(_NAMING & t.kinds.keys() for t in plain[1:])
    return all({"nil", "currency", "percent", "noun"} & token.kinds.keys() for token in plain)


def _no_number(worded: list[Token], length: int) -> Problem:
    return Problem("no_number", "There is no figure in {}.", worded[0].start, length)


def _rest(found: list[Token], at: int, amount: Amount) -> Result:
    """The amount, if nothing that carries meaning is left over."""
    left = [token for token in found[at:] if not {"filler", "note", "whole_sum", "inclusive"} & token.kinds.keys()]
    if not left:
        return amount
    several = any("number" in token.kinds for token in left)
    return Problem(
        "several_figures" if several else "unread_text",
        "There is more than one figure in this text: after the first comes {}."
        if several
        else "A part of the text could not be read: {}.",
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
    if token.text in ("-", "–") and at == len(found) - 1 and token.start == found[at - 1].end and not printed_minus:
        return replace(
            amount, numbers=tuple(n.signed(-1) for n in amount.numbers), end=token.end, signless=False
        ), at + 1
    return amount, at


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
    second, end = _hedged(read[0], token_at(found, begin - 1)), read[1]
    if not _alike(amount.unit, second.unit):
        return amount, at
    worded = [one.numbers[0].terms[0].literal is None for one in (amount, second)]
    if second.unit == amount.unit and (not bracketed or not any(worded)):
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


def _hedged(second: Amount, link: Token) -> Amount:
    """The second amount with what the word before it says of it: `or more than`, `折合约`."""
    hedge = Qualifier(link.get("or") or Qualifier.EXACT)
    return replace(second, qualifier=hedge) if second.qualifier is Qualifier.EXACT and hedge != "exact" else second


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
    """The place after a bracket with a note mark or an idle word in it: `(1)`, `（注2）`, `(ea)`, `(unaudited)`."""
    inside = at + 1
    while _REMARKS & token_at(found, inside).kinds.keys():
        inside += 1
    closed = "close" in token_at(found, inside).kinds
    if closed:
        return inside + 1
    mark = token_at(found, at + 1)
    if "label" in mark.kinds and "number" in token_at(found, at + 2).kinds and "close" in token_at(found, at + 3).kinds:
        return at + 4  # （注1）
    only_number = "number" in mark.kinds and "close" in token_at(found, at + 2).kinds
    return at + 3 if only_number and mark.text in (RUN_MARKS[0], ZERO_MARKS[0]) else 0


def _groups_by_dots(amount: Amount) -> bool:
    def printed_digits(term: Term) -> bool:
        """Whether a term is printed in digits."""
        return term.literal is not None

    dotted = amount.unit.split("/")[0] in lexicon().dot_grouping
    return dotted and any(printed_digits(term) for number in amount.numbers for term in number.terms)


def _by_dots(shape: str, options: Options) -> tuple[Result, tuple[tuple[int, int, bool], ...] | None]:
    found, joins = tokens(shape, "dots")
    return _cell(found, options, "dots", len(shape)), joins
