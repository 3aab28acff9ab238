"""The bytes of a column say the same as the pattern of numbers and the table of folds do, text by text."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from zhiji_etl.reading.columns.chunks import _fold_bytes
from zhiji_etl.reading.columns.scanning import TOO_LONG, scan
from zhiji_etl.reading.grammar.folding import coarse, fold, folds

PRINTED = st.text(st.sampled_from(list("0123456789000,,,... e+-x年RMB")), max_size=30)
LONG = st.from_regex(r"\A[0-9]{12,20}(,[0-9]{3}){0,2}(\.[0-9]{1,9})?\Z")


@settings(max_examples=300)
@given(st.lists(st.one_of(PRINTED, LONG), min_size=1, max_size=20), st.booleans())
def test_scan_follows_the_pattern_of_numbers(texts, decimal_comma):
    found = scan("\n".join(texts).encode(), decimal_comma)
    for text, code, first, irregular in zip(texts, found.codes, found.first, found.irregular, strict=True):
        shape, numbers = coarse(text, decimal_comma)
        if irregular:
            continue
        assert found.shapes[code] == shape
        for place, number in enumerate(numbers, int(first)):
            point, thousands = (",", ".") if decimal_comma else (".", ",")
            whole, _, decimals = number.replace(thousands, "").partition(point)
            assert found.decimals[place] == len(decimals)
            digits = whole + decimals
            if len(digits) > 16:
                assert found.mantissa[place] == TOO_LONG
                continue
            mantissa = int(digits)
            assert found.mantissa[place] == mantissa
            assert found.zeros[place] == (len(str(mantissa)) - len(str(mantissa).rstrip("0")) if mantissa else 0)


def test_regular_numbers_are_not_left_to_the_pattern():
    texts = ["1,234.5", "RMB7,053 billion (US$1 trillion)", "0.5", "1, 2", "12,345,678", "5e", "1.", ",123,456", "年12"]
    assert not scan("\n".join(texts).encode(), decimal_comma=False).irregular.any()


def test_irregular_numbers_are_left_to_the_pattern():
    texts = ["12,34,567", "1234,567", "0,123", "1.2.3", "1e5", "1E+5", "1,2345", "1.234,567", "3,50", "1,234,56"]
    assert scan("\n".join(texts).encode(), decimal_comma=False).irregular.all()
    swapped = [text.translate({ord(","): ".", ord("."): ","}) for text in texts]
    assert scan("\n".join(swapped).encode(), decimal_comma=True).irregular.all()


FOLDED = st.one_of(
    st.sampled_from([chr(code) for code in folds() if code != 10]), st.characters(exclude_characters="\n")
)


@settings(max_examples=300)
@given(st.text(FOLDED, max_size=60))
def test_bytes_are_folded_as_texts_are(text):
    encodable = text.encode(errors="ignore").decode()
    assert _fold_bytes()(encodable.encode()).decode() == fold(encodable)


def test_every_character_is_folded_in_bytes_as_in_text():
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000 and code != 10]
    assert _fold_bytes()("".join(characters).encode()).decode() == fold("".join(characters))
