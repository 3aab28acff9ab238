"""What the shapes of a column mean, as a table that rows look up.

In: distinct shapes, and what the reader was told. Out: `Shapes`: the class of each shape, the words of its figures, and
the parameters of its amounts. The grammar runs once per shape, and is remembered between columns.
"""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhiji_etl.errors import FigureError
from zhiji_etl.figures import QUALIFIER, Qualifier
from zhiji_etl.reading.cells import reader_of, told
from zhiji_etl.reading.columns.arithmetic import AMOUNT
from zhiji_etl.reading.grammar.folding import MARK, NUMERO, RUN_MARKS, ZERO_MARKS
from zhiji_etl.reading.grammar.meanings import REFINE, Amount, Meaning, Number, Options, Problem
from zhiji_etl.reading.grammar.tokens import Join

Style: TypeAlias = Literal["coarse", "fine"]

REFUSED, SINGLE, BOUNDED, RANGE, PAIR, REFINED, SLOW = range(7)
"""Classes of shapes: no figure; one rounded number; one with an open end, or truncated; a range; a number and its
restatement; what needs the fine shape; what only the code of single texts can compute."""

ROLES: Final = {SINGLE: ("main",), BOUNDED: ("main",), RANGE: ("main", "high"), PAIR: ("main", "again")}
"""The amounts of each class that Polars computes."""

WORDS: Final[dict[str, Any]] = {
    "qualifier": QUALIFIER,
    "unit": pl.String,
    "again_qualifier": QUALIFIER,
    "again_unit": pl.String,
    "ambiguous": pl.String,
    "code": pl.String,
    "reason": pl.String,
}
"""What a shape says in words, and what is said of a text that is no figure."""

_PARAMETERS: Final[dict[str, Any]] = {
    "before": pl.Int64,
    "besides": pl.Int64,
    "fraction": pl.String,
    "same_unit": pl.Boolean,
    **{f"{prefix}_{name}": dtype for prefix in ("main", "high", "again") for name, dtype in AMOUNT.items()},
}


class Shapes(NamedTuple):
    """The meanings of some shapes: three tables with a row for each, in the order of the shapes."""

    kinds: NDArray[np.int8]
    words: pl.DataFrame
    parameters: pl.DataFrame

    def parameters_of(self, codes: NDArray[Any], roles: tuple[str, ...]) -> pl.DataFrame:
        """The parameters of the shapes with these codes, for some amounts."""
        names = [f"{role}_{name}" for role in roles for name in AMOUNT]
        return self.parameters.select("before", "besides", "fraction", "same_unit", *names)[codes]


def meanings(shapes: list[str], style: Style, chosen: Options, truncated: bool) -> Shapes:
    """What each of these shapes means to a reader that was told `chosen`."""
    reader = reader_of(chosen)
    read = reader.coarse if style == "coarse" else reader.fine
    rows = [_row(shape, read(shape), truncated) for shape in shapes]
    return Shapes(
        np.array([kind for kind, _, _ in rows], np.int8),
        pl.DataFrame([words for _, words, _ in rows], WORDS, orient="row"),
        pl.DataFrame([parameters for _, _, parameters in rows], _PARAMETERS, orient="row"),
    )


def ambiguity(readings: tuple[tuple[str, str], ...]) -> str | None:
    """Why a figure is ambiguous, in one line: the reason and the other units."""
    if not readings:
        return None
    return f"{readings[0][1]}: {', '.join(unit for unit, _ in readings)}"


# ---- one shape ------------------------------------------------------------------------------------------------------

_Row: TypeAlias = tuple[int, tuple[Any, ...], tuple[Any, ...]]
_NO_WORDS: Final = (None,) * len(WORDS)
_NO_AMOUNT: Final = (None,) * len(AMOUNT)
_NO_PARAMETERS: Final = (None,) * len(_PARAMETERS)
_ROUNDED: Final = (Qualifier.EXACT, Qualifier.ABOUT)
_RUNS: Final = frozenset((*RUN_MARKS, *ZERO_MARKS))
_UNTOLD: Final = _RUNS | {MARK, NUMERO}
"""What a shape does not tell of what was printed."""


def _row(shape: str, meaning: Meaning, truncated: bool) -> _Row:
    result = meaning.result
    if isinstance(result, Problem):
        return _refused(shape, result)
    if result is REFINE:
        return REFINED, _NO_WORDS, _NO_PARAMETERS
    if not isinstance(result, Amount) or not _plain(result) or not _is_alone(shape, meaning.joins):
        return SLOW, _NO_WORDS, _NO_PARAMETERS
    again = result.restated
    kind = _kind(result, truncated)
    words = (
        Qualifier.RANGE.value if kind == RANGE else result.qualifier.value, result.unit,
        *((None, None) if again is None else (again.qualifier.value, again.unit)),
        ambiguity(result.readings), None, None,
    )  # fmt: skip
    parameters = (
        *_printed_at(shape, meaning.joins),
        again is not None and again.unit == result.unit,
        *_amount_row(result, 0),
        *(_amount_row(result, 1) if kind == RANGE else _NO_AMOUNT),
        *(_NO_AMOUNT if again is None else _amount_row(again, 0)),
    )
    return kind, words, parameters


def _refused(shape: str, problem: Problem) -> _Row:
    part = shape[problem.start : problem.end]
    if "{}" in problem.message and not _UNTOLD.isdisjoint(part):
        return SLOW, _NO_WORDS, _NO_PARAMETERS
    reason = str(FigureError("", told(problem.message, part), hint=problem.hint))
    return REFUSED, (None, None, None, None, None, problem.code, reason), _NO_PARAMETERS


def _kind(amount: Amount, truncated: bool) -> int:
    if len(amount.numbers) > 1:
        return RANGE
    if amount.restated is not None:
        return PAIR
    return SINGLE if amount.qualifier in _ROUNDED and not truncated else BOUNDED


def _is_alone(shape: str, joins: tuple[Join, ...] | None) -> bool:
    """Whether all digits of a fine shape are of one number: not in `RMB'000 1,234`."""
    return joins is None or [join[:2] for join in joins] == [(0, sum(character in _RUNS for character in shape))]


def _printed_at(shape: str, joins: tuple[Join, ...] | None) -> tuple[int | None, int | None, str | None]:
    """Where the one number of a fine shape begins, how many characters stand around it, and whether it has decimals
    (`decimals`, or `only` where nothing stands before the point); null for a coarse shape.
    """
    if joins is None:
        return None, None, None
    places = [at for at, character in enumerate(shape) if character in _RUNS]
    start, end, decimals = joins[0]
    fraction = ("only" if end - start == 1 else "decimals") if decimals else "none"
    return places[0], len(shape) - 1 - places[-1] + places[0], fraction


def _plain(amount: Amount) -> bool:
    """Whether Polars can compute this amount: every number one literal times a power of ten."""
    again = amount.restated
    if again is not None and (len(amount.numbers) > 1 or len(again.numbers) > 1 or not _plain(again)):
        return False
    whole_range = len(amount.numbers) > 1 and amount.whole
    return (
        amount.halves is None and amount.power is None and not whole_range and all(map(_plain_number, amount.numbers))
    )


def _plain_number(number: Number) -> bool:
    term = number.terms[0]
    simple = len(number.terms) == 1 and number.over is None and number.plus is None
    return simple and term.literal is not None and term.factor == 1 and term.power is None


def _amount_row(amount: Amount, which: int) -> tuple[Any, ...]:
    number = amount.numbers[which]
    term = number.terms[0]
    return (
        term.literal, term.exponent, number.sign, amount.qualifier.value, amount.whole, amount.signless,
        amount.declared, amount.exact, number.open, amount.shared if which == 0 else 0,
    )  # fmt: skip
