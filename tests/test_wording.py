"""The words of the faces: every entry in every language, with the same names to fill in."""

import string
import tomllib
from importlib import resources

import pytest

from zhiji_etl.choices import Language
from zhiji_etl.figures import Qualifier, Reason, Severity, Verdict
from zhiji_etl.rates import RateMethod
from zhiji_etl.wording import wording

TABLE = tomllib.loads(resources.files("zhiji_etl").joinpath("wording.toml").read_text(encoding="utf-8"))
ENTRIES = [
    (f"{section}.{name}", entry)
    for section, entries in TABLE.items()
    if section != "scales"
    for name, entry in entries.items()
]


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize(("key", "entry"), ENTRIES, ids=[key for key, _ in ENTRIES])
def test_an_entry(key: str, entry: dict[str, str]):
    assert set(entry) - {"one"} == set(Language)
    assert holes(entry["en"]) == holes(entry["zh"])
    assert holes(entry.get("one", "")) <= holes(entry["en"])
    assert all(entry.values()) or key == "units.count"


@pytest.mark.parametrize("language", Language)
def test_every_name_has_its_word(language: str):
    words = wording(language)
    for section, names in (
        ("verdicts", Verdict),
        ("meanings", Verdict),
        ("severities", Severity),
        ("reasons", Reason),
        ("qualifiers", Qualifier),
        ("methods", RateMethod),
    ):
        assert set(words.table(section)) == {name.value for name in names}


def test_one_and_many():
    words = wording("en")
    assert words("page.sources", 1) == "1 source"
    assert words("page.sources", 1234) == "1,234 sources"
    assert wording("zh")("page.sources", 1) == "1 个来源"


def test_what_there_is_no_entry_for():
    with pytest.raises(KeyError):
        wording("en")("page.absent")
    with pytest.raises(KeyError):
        wording("xx")
    assert wording("zh").name("units", "kilowatt_hour") == "kilowatt_hour"
