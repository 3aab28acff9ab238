"""What public functions are given, held against their annotations: one mechanism, and one kind of sentence, for all.

In: a function. Out: the same function, which refuses what its annotations do not allow before it does anything:
`wrong_type` for what it works on, `option_invalid` for its options, which are the arguments that are given by name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import cache, wraps
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, NoReturn, ParamSpec, TypeVar, Union, get_args, get_origin

from zhiji_etl.errors import OptionError, ZhijiError

Given = ParamSpec("Given")
Result = TypeVar("Result")

NUMBERS: Final[Mapping[Any, type]] = {int: Integral, float: Real}
"""Numbers of NumPy are numbers, too; True is none."""

NAMES: Final[Mapping[Any, str]] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    NoneType: "None",
    Path: "a path",
}

SHOWN: Final = 60
"""Characters of a wrong argument that a message shows."""


@dataclass(frozen=True, slots=True)
class Least:
    """In `Annotated[int, Least(1)]`: the least number that an argument can be. NaN is none."""

    number: float

    def allows(self, value: Any) -> bool:
        """Whether a number is large enough."""
        return bool(value >= self.number)

    def __str__(self) -> str:
        return f"of at least {self.number}"


@dataclass(frozen=True, slots=True)
class Above(Least):
    """The same for a number that it cannot itself be."""

    def allows(self, value: Any) -> bool:
        """Whether a number is large enough."""
        return bool(value > self.number)

    def __str__(self) -> str:
        return f"above {self.number}"


class Word(StrEnum):
    """Words that one chooses from. Another word is refused with those that there are."""

    @classmethod
    def _missing_(cls, value: object) -> NoReturn:
        known = [one.value for one in cls]
        near = get_close_matches(str(value), known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        raise OptionError("option_invalid", f"{shown(value)} is no {cls.__name__}.", hint=hint)


class Demand(NamedTuple):
    """What one argument must be. Values of the types `usual` need no second look."""

    name: str
    annotation: Any
    usual: frozenset[type]
    is_option: bool
    hint: str | None


def guarded(
    error: type[ZhijiError] = OptionError, **hints: str | None
) -> Callable[[Callable[Given, Result]], Callable[Given, Result]]:
    """Hold the arguments of each call against their annotations, and raise `error` for one that does not fit.

    `hints` say by argument what to give instead; an argument whose hint is null is judged by the function itself.
    """

    def mark(function: Callable[Given, Result]) -> Callable[Given, Result]:
        """The function, with its arguments checked."""
        # Annotations are read at the first call: what they name may not be loaded before.
        demands = cache(lambda: _demands(function, hints))
        name = function.__qualname__.removesuffix(".__init__").removesuffix(".__call__")

        settled: set[Any] = set()

        @wraps(function)
        def call(*given: Given.args, **named: Given.kwargs) -> Result:
            """The function, once its arguments fit; `wraps` gives it the function's own words."""
            # A call like an earlier one whose types alone said that it is right costs a look into a set.
            alone = len(given) == 1 and not named
            kinds = type(given[0]) if alone else (*map(type, given), *named, *map(type, named.values()))
            if kinds not in settled and _require(error, name, demands(), given, named):
                settled.add(kinds)
            return function(*given, **named)

        return call

    return mark


def fits(value: object, annotation: Any) -> bool:
    """Whether a value is what an annotation says. What can be gone through only once is not looked into."""
    if annotation is Any or annotation is object:
        return True
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return fits(value, parts[0]) and all(one.allows(value) for one in parts[1:] if isinstance(one, Least))
    if isinstance(annotation, TypeVar) or origin in (Union, UnionType):
        return any(fits(value, one) for one in getattr(annotation, "__constraints__", parts))
    if origin is Literal:
        return isinstance(value, str) and value in parts
    if origin is type:
        return isinstance(value, type) and issubclass(value, parts[0])
    if origin is tuple:
        return isinstance(value, tuple) and len(value) == len(parts) and all(map(fits, value, parts))
    if origin is Callable:
        return callable(value)
    if origin is not None:
        return isinstance(value, origin) and not isinstance(value, str | bytes) and _all_fit(value, parts)
    kind = NUMBERS.get(annotation, annotation)
    return isinstance(value, kind) and not (kind in NUMBERS.values() and isinstance(value, bool))


def shown(value: object) -> str:
    """A wrong value as a message shows it: brief, and with its type."""
    if value is None or isinstance(value, bool):
        return str(value)
    brief = isinstance(value, str | bytes | Real | Path) and len(repr(value)) <= SHOWN
    return f"{value!r} ({type(value).__name__})" if brief else f"a {type(value).__name__}"


def _require(
    error: type[ZhijiError], name: str, known: Mapping[str, Demand], given: tuple[Any, ...], named: Mapping[str, Any]
) -> bool:
    """Refuse the first argument that does not fit; gives whether the types of all of them said that they do."""
    told = list(zip(given, known.values(), strict=False))
    told += [(value, known.get(key) or _further(error, name, key, known)) for key, value in named.items()]
    doubtful = [(value, demand) for value, demand in told if type(value) not in demand.usual]
    for value, demand in doubtful:
        if not fits(value, demand.annotation):
            raise _refusal(error, name, demand, value)
    return not doubtful


# ------------------------------------------------------------------------------------------------------- annotations


class _Names(dict[str, Any]):
    """The public names of the library, which modules may import for type checkers alone."""

    def __missing__(self, name: str) -> Any:
        import zhiji_etl

        if name not in zhiji_etl.__all__:
            raise KeyError(name)
        return getattr(zhiji_etl, name)


def _demands(function: Callable[..., Any], hints: Mapping[str, str | None]) -> dict[str, Demand]:
    """What each argument of a function must be, in order; `**` stands for arguments of any name."""
    names = inspect.unwrap(function).__globals__
    found = {}
    for name, one in inspect.signature(function).parameters.items():
        annotation = Any if hints.get(name, "") is None else _annotation(one.annotation, names)
        key = "**" if one.kind is one.VAR_KEYWORD else name
        is_option = one.kind is one.KEYWORD_ONLY
        found[key] = Demand(name, annotation, frozenset(_usual(annotation)), is_option, hints.get(name))
    return found


def _annotation(told: Any, names: dict[str, Any]) -> Any:
    """An annotation that may be written as text."""
    if told is inspect.Parameter.empty:
        return Any
    return eval(told, names, _Names()) if isinstance(told, str) else told


def _usual(annotation: Any) -> list[type]:
    """The types of which every value fits."""
    if get_origin(annotation) in (Union, UnionType):
        return [kind for part in get_args(annotation) for kind in _usual(part)]
    return [annotation] if isinstance(annotation, type) else []


def _all_fit(several: Any, parts: tuple[Any, ...]) -> bool:
    if isinstance(several, Mapping):
        return all(fits(key, parts[0]) and fits(value, parts[1]) for key, value in several.items())
    return not isinstance(several, Collection) or all(fits(one, parts[0]) for one in several)


# ---------------------------------------------------------------------------------------------------------- sentences


def _refusal(error: type[ZhijiError], function: str, demand: Demand, value: object) -> ZhijiError:
    code, kind = ("option_invalid", "option") if demand.is_option else ("wrong_type", "argument")
    what = f"The {kind} {demand.name} of {function} cannot be {shown(value)}."
    wanted = f"it is {_words(demand.annotation)}"
    return error(code, what, hint=f"{wanted}; {demand.hint}" if demand.hint else wanted)


def _further(error: type[ZhijiError], function: str, key: str, known: Mapping[str, Demand]) -> Demand:
    """The demand on an argument that the function does not name; refused where it takes no such arguments."""
    if "**" in known:
        return known["**"]
    near = get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(name for name in known if name != 'self')}"
    raise error("option_invalid", f"{function} has no option {key}.", hint=hint)


def _words(annotation: Any) -> str:
    """What an annotation says, in words."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return " ".join([_words(parts[0]), *(str(one) for one in parts[1:] if isinstance(one, Least))])
    if isinstance(annotation, TypeVar) or origin in (Union, UnionType):
        several = getattr(annotation, "__constraints__", parts)
        is_word = any(isinstance(one, type) and issubclass(one, Word) for one in several)
        return " or ".join(_words(one) for one in several if not (is_word and one is str))
    if origin is Literal:
        return f"one of {', '.join(map(str, parts))}"
    if origin is type:
        return f"a class of {_words(parts[0])}"
    if origin is tuple:
        return f"a pair of {_words(parts[0])}"
    if origin is Callable:
        return "a function"
    if origin is not None and issubclass(origin, Mapping):
        return f"a mapping of {_words(parts[0])} to {_words(parts[1])}"
    if origin is not None:
        return f"a list of {_words(parts[0])}"
    if issubclass(annotation, Word):
        return f"one of {', '.join(annotation)}"
    return NAMES.get(annotation) or annotation.__name__
