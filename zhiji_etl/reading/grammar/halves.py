"""Parts of one unit: half of one more behind it, a little more, half a percent, a quarter point.

In: tokens, the place after an amount so far, a draft. Out: how many tokens were read into it; 0 where nothing is said.
"""

from __future__ import annotations

from dataclasses import replace

from zhiji_etl.reading.grammar.drafts import Draft
from zhiji_etl.reading.grammar.tokens import Tokens, constant, is_unknown_character, token_at
from zhiji_etl.reading.grammar.words import lexicon


def read_more(tokens: Tokens, at: int, draft: Draft) -> int:
    """`两倍多`, `3年多`, `5公里多`: a little more than the number, below one unit of its last digit not 0."""
    glued = tokens[at].start == tokens[at - 1].end
    if tokens[at].text not in ("多", "余") or not draft.has_unit or len(draft.numbers) > 1 or not glued:
        return 0
    if draft.prose and is_unknown_character(token_at(tokens, at + 1)):
        return 0
    draft.numbers = (replace(draft.numbers[0], open=True),)
    return 1


def read_classified(tokens: Tokens, at: int, draft: Draft) -> int:
    """`三个半月`, `两个多小时`: the measure word comes first, then half of one more or a little more, then the unit."""
    part = token_at(tokens, at + 1)
    if tokens[at].text != "个" or draft.has_unit or len(draft.numbers) > 1 or part.start != tokens[at].end:
        return 0
    after = token_at(tokens, at + 2)
    unit = after.get("noun") or after.get("per_unit")
    if part.text not in ("半", "多", "余") or unit is None or not _adds(draft, part.text):
        return 0
    draft.unit, draft.noun = str(unit), True
    draft.words.append(after)
    return 3


def read_half_more(tokens: Tokens, at: int, draft: Draft) -> int:
    """`两年半`, `三块半`, `一倍半`: half of one more."""
    token = tokens[at]
    if token.text != "半" or token.start != tokens[at - 1].end or not draft.has_unit or len(draft.numbers) > 1:
        return 0
    after = token_at(tokens, at + 1)
    other = after.start == token.end and bool({"noun", "per_unit"} & after.kinds.keys())  # half a year follows
    return int(draft.unit != "count" and not other and _adds(draft, token.text))


def read_part_of(tokens: Tokens, at: int, draft: Draft) -> int:
    """`half a percent`, `a quarter of a percentage point`, `three quarters of one percent`, `half a mile`."""
    end = at + ("of" in tokens[at].kinds)
    one = token_at(tokens, end)
    if draft.has_unit or not ("article" in one.kinds or one.get("small") == 1):
        return 0
    whole = token_at(tokens, end + 1)
    if draft.numbers[0].over is None and not (end > at and "percent" in whole.kinds):
        return 0  # but 0.3 of a percentage point
    return end + 1 - at if "percent" in whole.kinds or whole.get("noun") in lexicon().measured else 0


def read_points(tokens: Tokens, at: int, draft: Draft) -> int:
    """`a quarter point`, `a half-point cut`: parts of a point are percentage points."""
    hyphen = tokens[at].text == "-" and token_at(tokens, at + 1).start == tokens[at].end
    if "point" not in token_at(tokens, at + hyphen).kinds or draft.has_unit or draft.numbers[0].over is None:
        return 0
    draft.unit = "percentage_point"
    return 1 + hyphen


# --------------------------------------------------------------------------------------------------


def _adds(draft: Draft, part: str) -> bool:
    """Adds half of one, or an open end, to a whole number that has neither."""
    number = draft.numbers[0]
    if number.open or number.over is not None or number.plus is not None or number.terms[-1].exponent:
        return False
    half = replace(constant(1), over=constant(2))
    draft.numbers = (replace(number, plus=half) if part == "半" else replace(number, open=True),)
    return True
