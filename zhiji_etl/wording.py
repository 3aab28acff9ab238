"""What the faces say, in English and Chinese, and what the rules of a project say themselves.

In: the key of an entry of `wording.toml` with what fills its braces; compiled rules. Out: text in one language. The
sentence of a rule is its author's, in the author's language.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

from zhiji_etl.consistency.rules.expressions import formula

if TYPE_CHECKING:
    from zhiji_etl.consistency.rules.compiled import CompiledRule

Entries = Mapping[str, Mapping[str, Mapping[str, str]]]


class RuleText(NamedTuple):
    """What a rule says: its sentence, and its formula by alternative (the empty name where there is only one)."""

    sentence: str
    formulas: Mapping[str, str]


class Wording(NamedTuple):
    """All entries in one language. `scales` are the sizes of its scale words, the largest first."""

    language: str
    entries: Entries
    scales: tuple[tuple[float, str], ...]

    def __call__(self, key: str, number: int | None = None, /, **given: object) -> str:
        """The entry `section.name`, filled; of the number 1 the form for one. `KeyError` where there is no such key."""
        section, _, name = key.partition(".")
        entry = self.entries[section][name]
        form = entry.get("one") if number == 1 and self.language == "en" else None
        filled = {"number": "" if number is None else f"{number:,}", **given}
        return (form or entry[self.language]).format(**filled)

    def table(self, section: str) -> dict[str, str]:
        """All entries of a section by name, not filled."""
        return {name: entry[self.language] for name, entry in self.entries[section].items()}

    def name(self, section: str, name: str, number: float | None = None) -> str:
        """The word for a name, of the number 1 the form for one; the name itself where there is no entry for it."""
        entry = self.entries[section].get(name, {self.language: name})
        one = entry.get("one") if number == 1 and self.language == "en" else None
        return one or entry[self.language]

    def slip(self, pattern: str) -> str:
        """The words for a pattern of `resolved_by`: those with a power of ten or a currency in them are filled."""
        if pattern.startswith("factor_1e"):
            return self("patterns.factor", power=pattern.removeprefix("factor_1e"))
        if pattern.startswith("currency_"):
            return self("patterns.currency", currency=pattern.removeprefix("currency_"))
        return self.name("patterns", pattern)


@cache
def wording(language: str = "en") -> Wording:
    """The entries in one `Language`; `KeyError` for any other."""
    text = resources.files("zhiji_etl").joinpath("wording.toml").read_text(encoding="utf-8")
    entries: dict[str, Any] = tomllib.loads(text)
    scales = tuple((float(size), word) for size, word in entries.pop("scales")[0][language])
    return Wording(language, entries, scales)


def rule_texts(rules: Iterable[CompiledRule]) -> dict[str, RuleText]:
    """What each rule of a project says, by its name."""
    return {compiled.rule.name: _rule_text(compiled) for compiled in rules}


def rule_of(finding: Mapping[str, Any], texts: Mapping[str, RuleText]) -> RuleText | None:
    """What the rule of a finding says; of an alternative, its own formula. Null where there is none."""
    name, _, alternative = (finding["rule"] or "").partition(".")
    text = texts.get(name) if finding["kind"] in ("rule", "alternative", "conflict") else None
    if text is None or not alternative:
        return text
    return RuleText(text.sentence, {name: said for name, said in text.formulas.items() if name == alternative})


def _rule_text(compiled: CompiledRule) -> RuleText:
    if compiled.ranking is not None:
        text = f"{formula(compiled.ranking.rank)} ranks by {formula(compiled.ranking.by)}"
        return RuleText(compiled.rule.sentence, {"": text})
    return RuleText(compiled.rule.sentence, {name: formula(one) for name, one in compiled.relations.items()})
