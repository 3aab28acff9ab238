"""Units: exact factors, dimensions of their own, and a cache of definitions that may be damaged."""

import shutil
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import pytest

from zhiji_etl.errors import UnitError
from zhiji_etl.units import base_factor, dimension, factor, in_words, is_own
from zhiji_etl.units.registry import SYMBOLS, registry, unit_of


@pytest.mark.parametrize(
    ("printed", "declared", "expected"),
    [
        ("tonne", "kilogram", Fraction(1000)),
        ("basis_point", "percentage_point", Fraction(1, 100)),
        ("CNY/vehicle", "CNY/vehicle", Fraction(1)),
        ("count", "vehicle", Fraction(1)),
        ("kilowatt_hour", "megawatt_hour", Fraction(1, 1000)),
        ("kilowatt_hour", "kWh", Fraction(1)),
        ("megawatt_hour", "GWh", Fraction(1, 1000)),
        ("tonne", "kg", Fraction(1000)),
        ("kilometre", "mm", Fraction(10**6)),
        ("gigabyte", "MB", Fraction(1000)),
        ("kilometre", "metre", Fraction(1000)),
        ("microgram/cubic_metre", "milligram/cubic_metre", Fraction(1, 1000)),
        ("megatonne", "kilotonne", Fraction(1000)),
        ("exajoule", "petajoule", Fraction(1000)),
        ("gigawatt_peak", "megawatt", Fraction(1000)),
        ("square_kilometre", "square_metre", Fraction(1_000_000)),
        ("half_kilogram", "tonne", Fraction(1, 2000)),
    ],
)
def test_factors_are_exact(printed, declared, expected):
    assert factor(printed, declared) == expected


@pytest.mark.parametrize(
    ("printed", "declared", "code"),
    [
        ("vehicle", "employee", "unit_mismatch"),
        ("CNY", "USD", "currency_mismatch"),
        ("percent", "percentage_point", "unit_mismatch"),
        ("count", "CNY", "unit_missing"),
        ("degree_fahrenheit", "degree_celsius", "unit_mismatch"),
        ("multiple", "percent", "unit_mismatch"),
    ],
)
def test_what_never_converts(printed, declared, code):
    with pytest.raises(UnitError) as told:
        factor(printed, declared)
    assert told.value.code == code


@pytest.mark.parametrize("noun", ["vehicle", "pin", "cat", "mug", "pat", "app", "teu"])
def test_nouns_are_dimensions_of_their_own(noun):
    assert in_words(dimension(f"CNY/{noun}")) == f"[CNY] / [{noun}]"


@pytest.mark.parametrize(
    ("printed", "declared", "hint"),
    [
        ("count", "USD", "[captions]"),
        ("USD", "USD/vehicle", "per vehicle"),
        ("person", "employee", "nouns="),
        ("vehicle", "vehicles", "singular"),
        ("percent", "USD", "the print"),
        ("multiple", "percent", "growth of 100 percent"),
    ],
)
def test_what_is_told_to_do_about_a_mismatch(printed, declared, hint):
    with pytest.raises(UnitError, match="Hint") as told:
        factor(printed, declared)
    assert hint in str(told.value)


@pytest.mark.parametrize("symbol", sorted(SYMBOLS))
def test_a_symbol_is_a_unit_of_measure(symbol):
    assert not is_own(symbol)
    assert base_factor(symbol) > 0


@pytest.mark.parametrize("damage", [b"", b"garbage", None], ids=["empty", "garbage", "folder is a file"])
def test_a_damaged_cache_of_definitions_is_passed_over(tmp_path, monkeypatch, damage):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    registry.cache_clear()
    try:
        registry()
        kept = list((tmp_path / "cache").rglob("*.pickle"))
        assert kept
        for path in kept:
            path.write_bytes(damage or b"")
        if damage is None:
            shutil.rmtree(tmp_path / "cache")
            (tmp_path / "cache").write_text("")
        registry.cache_clear()
        assert registry().Quantity(Decimal(1), "tonne").to("kilogram").magnitude == 1000
    finally:
        registry.cache_clear()
        unit_of.cache_clear()


MEASURING = """
import sys
from zhiji_etl.units import base_factor, dimension
told = [(str(base_factor(unit)), sorted(dimension(unit).powers.items())) for unit in sys.argv[1:]]
print(told, "pint" in sys.modules)
"""


@pytest.fixture
def measured_anew(tmp_path, monkeypatch):
    """Units measured in a process of its own, with a cache folder that only this test has."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def measured(*units):
        command = [sys.executable, "-c", MEASURING, *units]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        answer, _, asked = told.strip().rpartition(" ")
        return answer, asked == "True"

    return measured


def test_what_pint_has_said_is_remembered_by_the_next_process(measured_anew, tmp_path):
    first, asked = measured_anew("CNY/vehicle", "percent", "acre")
    assert asked
    assert measured_anew("CNY/vehicle", "percent", "acre") == (first, False)
    assert measured_anew("CNY/vehicle", "hectare")[1]
    (kept,) = (tmp_path / "cache").rglob("units-*.jsonl")
    assert len(kept.read_text().splitlines()) == 4


@pytest.mark.parametrize("damage", ["", "[]\n", '["percent", {}, "7', '["percent", [], "7"]\n', "\0\n", None])
def test_what_is_remembered_and_damaged_is_asked_again(measured_anew, tmp_path, damage):
    whole = measured_anew("percent")
    (kept,) = (tmp_path / "cache").rglob("units-*.jsonl")
    if damage is None:
        shutil.rmtree(tmp_path / "cache")
        (tmp_path / "cache").write_text("")
    else:
        kept.write_text(damage)
    assert measured_anew("percent") == whole
