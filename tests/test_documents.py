"""Documents: the places of figures in text, Markdown and HTML, raw rows to complete, cards, and hostile files."""

import json
import random
import unicodedata
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

import zhiji_etl as zj
from zhiji_etl.documents import LARGEST, LONGEST_NOTE, RAW_COLUMNS, figures_in, raw_rows, read_document
from zhiji_etl.errors import SourceError
from zhiji_etl.sources.names import STEERING_CATEGORIES
from zhiji_etl.terminal.figures import Card, in_place, words_of


@pytest.fixture
def read(tmp_path: Path):
    def made(text: str | bytes, suffix: str = ".txt", **options):
        path = tmp_path / f"page{suffix}"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        document = read_document(path)
        return document, figures_in(document, **options)

    return made


TEXTS = {
    ".txt": "First line.\n\nThe maker sold 4.5 million cars,\nup 12.5 percent. "
    "It raised 3 billion yuan (US$430 million).\n",
    ".md": "# First\n\nThe maker sold **4.5** million cars,\nup *12.5* [percent](page.html). "
    "It raised `3 billion yuan` (US$430 million).\n",
    ".html": "<title>First</title>\n<script>var a = 99;</script>\n<p>The maker sold <b>4.5</b>&nbsp;million cars,\n"
    "up 12.5&#32;percent. It raised 3 billion yuan (US$430 million).</p>\n",
}


@pytest.mark.parametrize("suffix", TEXTS)
def test_the_same_figures_in_every_form(read, suffix):
    _, found = read(TEXTS[suffix], suffix)
    assert [(one.figure.value, one.figure.unit) for one in found] == [
        (4_500_000, "vehicle"),
        (12.5, "percent"),
        (3_000_000_000, "CNY"),
        (430_000_000, "USD"),
    ]
    assert [one.line for one in found] == [3, 4, 4, 4]
    assert found[2].figure.restated is found[3].figure


@pytest.mark.parametrize("suffix", TEXTS)
def test_places_are_of_the_file(read, suffix):
    text = TEXTS[suffix]
    _, found = read(text, suffix)
    for one in found:
        lines = text[: one.figure.start].split("\n")
        assert (one.line, one.column) == (len(lines), len(lines[-1]) + 1)
    assert text[found[0].figure.start : found[0].figure.end].startswith("4.5")
    assert text[found[0].figure.start : found[0].figure.end].endswith("cars")


@pytest.mark.parametrize("suffix", [".txt", ".md", ".html"])
@given(before=st.text(st.characters(codec="utf-8", exclude_characters="\0")), after=st.text(max_size=20))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_read_and_every_figure_is_where_it_says(read, suffix, before, after):
    text = f"{before}\n\n22.7 percent\n\n{after.encode('utf-8', 'ignore').decode()}".replace("\0", "")
    document, found = read(text.encode(), suffix)
    kept = text.encode().decode("utf-8-sig").replace("\r\n", " \n").replace("\r", "\n")
    for one in found:
        assert 0 <= one.figure.start < one.figure.end <= len(kept)
        if suffix == ".txt":
            assert kept[one.figure.start : one.figure.end] == one.figure.text
    console = Console(width=60, force_terminal=False)
    with console.capture() as captured:
        console.print(in_place(document, found, marks=True), highlight=False, soft_wrap=True)
    steering = [letter for letter in captured.get() if unicodedata.category(letter) in STEERING_CATEGORIES]
    assert set(steering) <= {"\n"}


def test_texts_do_not_run_together(read):
    page = "<table><tr><td>12</td><td>345 million</td></tr></table><ul><li>7 cars<li>8 percent</ul>"
    assert [one.figure.text for one in read(page, ".html")[1]] == ["12", "345 million", "7 cars", "8 percent"]
    assert [one.figure.value for one in read("12\n345\n678 cars\n")[1]] == [12, 345, 678]


def test_a_marker_of_a_list_is_no_sign(read):
    values = [one.figure.value for one in read("Sales:\n- 350,000 cars\n* 5 percent\n> 7 percent\n-3 percent\n")[1]]
    assert values == [350_000, 5, 7, -3]


def test_raised_digits_are_notes_or_exponents(read):
    page = "<p>Some 350,000<sup>2</sup> cars, and 3 × 10<sup>6</sup> users.</p>"
    assert [one.figure.value for one in read(page, ".html")[1]] == [350_000, 3_000_000]


def test_a_byte_order_mark_and_line_ends(read):
    _, found = read(b"\xef\xbb\xbfRed.\r\nBlue: 5 percent.\rGreen: 6 percent.\r\n")
    assert [(one.line, one.column) for one in found] == [(2, 7), (3, 8)]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("It fell. Sales rose 5 percent. They fell.", "Sales rose 5 percent."),
        ("去年下降。销量约5万辆。今年上升。", "销量约5万辆。"),
        ("Shares cost US$1.52 each, i.e. 5 percent more. More.", "Shares cost US$1.52 each, i.e. 5 percent more."),
        ("One\nline 5 percent\nor three.", "One line 5 percent or three."),
    ],
)
def test_the_sentence_around_a_figure(read, text, note):
    assert read(text)[1][-1].sentence == note


def test_a_long_sentence_is_cut_around_its_figure(read):
    notes = raw_rows(read("word " * 500 + "5 percent " + "word " * 500)[1])["note"]
    assert len(notes[0]) <= LONGEST_NOTE
    assert "5 percent" in notes[0]


def test_raw_rows(read):
    rows = raw_rows(read(TEXTS[".txt"])[1])
    assert tuple(rows.columns) == RAW_COLUMNS
    assert rows["printed"].to_list() == ["4.5 million cars", "up 12.5 percent", "3 billion yuan (US$430 million)"]
    assert rows["locator"].to_list() == ["line 3", "line 4", "line 4"]
    assert rows.select("entity", "metric", "period").null_count().row(0) == (3, 3, 3)
    again = rows.select(pl.col("printed").figure.parse()).unnest("printed")
    assert again["code"].null_count() == 3


def test_no_formula_in_raw_rows(read):
    rows = raw_rows(read("=SUM(A1) gave 5 percent.\n\n+5 million cars\n\n-3.2%\n")[1])
    assert rows["note"][0] == "'=SUM(A1) gave 5 percent."
    assert rows["printed"].to_list() == ["5 percent", "'+5 million cars", "-3.2%"]
    values = rows.select(pl.col("printed").figure.parse().struct.field("value"))["value"]
    assert values.to_list() == [5, 5_000_000, -3.2]


def test_a_document_without_figures(read):
    document, found = read("Nothing here.")
    assert raw_rows(found).is_empty()
    assert in_place(document, found, marks=True).plain == "Nothing here.\n\n0 figures"


def test_a_currency_for_bare_signs(read):
    assert read("It cost $5 million.", currency="HKD")[1][0].figure.unit == "HKD"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("5 percent".encode("utf-16"), "document_not_text"),
        ("去年".encode("gb18030"), "document_not_text"),
        (b"5 percent\0", "document_not_text"),
        (b" " * (LARGEST + 1), "document_too_large"),
    ],
    ids=["utf16", "gb18030", "zero byte", "huge"],
)
def test_what_is_no_document(read, data, code):
    with pytest.raises(SourceError) as told:
        read(data)
    assert (told.value.code, told.value.exit_code) == (code, 4)


@pytest.mark.parametrize("name", ["", "missing.txt", "a\x1b[31mb", "a\0b", "a" * 5000])
def test_no_file(tmp_path, name):
    with pytest.raises(SourceError) as told:
        read_document(tmp_path / name)
    assert told.value.code == "document_unreadable"
    assert "\x1b" not in str(told.value)


@pytest.mark.parametrize(
    "piece", ["<", "<p", "<!", "<!--", "&", "&#", "</", "<a ", "[", "](", "*", "\n ", "5 ", "- ", "5\n", "。"]
)
def test_hostile_documents_are_read(read, piece):
    dice = random.Random(piece)
    for suffix in (".html", ".md", ".txt"):
        read(piece * 1_000 + dice.choice(["", "5 percent"]), suffix)


# ---- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text("Sales rose 5 percent to $7 million.\x1b[m\n", encoding="utf-8")
    return path


def test_find_shows_figures_in_place(command, page):
    told = command("find", page)
    assert told.code == 0
    assert told.out == "Sales «rose 5 percent» to «$7 million».\\x1b[m\n\n2 figures: 1 money, 1 percent; 1 ambiguous\n"


def test_find_in_colour(page):
    document = read_document(page)
    console = Console(force_terminal=True, color_system="standard", width=80)
    with console.capture() as captured:
        console.print(in_place(document, figures_in(document), marks=False), soft_wrap=True, highlight=False)
    assert "\x1b[1;36mrose 5 percent\x1b[0m" in captured.get()
    assert "«" not in captured.get()


def test_find_as_json_and_csv(command, page):
    read = json.loads(command("find", page, "--json", "--currency", "HKD").out)
    assert [(one["text"], one["value"], one["unit"], one["line"], one["column"]) for one in read] == [
        ("rose 5 percent", "5", "percent", 1, 7),
        ("$7 million", "7000000", "HKD", 1, 25),
    ]
    table = command("find", page, "--csv").out.splitlines()
    assert table[0] == "entity,metric,period,printed,locator,note"
    assert table[1] == ",,,rose 5 percent,line 1,Sales rose 5 percent to $7 million. [m"
    assert command("find", page, "--csv", "--json").code == 2


def test_find_without_a_file(command, tmp_path):
    told = command("find", tmp_path / "missing.txt")
    assert (told.code, told.out) == (4, "")
    assert "is no file" in told.err
    assert "Traceback" not in told.err


# ---- cards ----------------------------------------------------------------------------------------------------------

WORDS = {
    "more than 3 million cars": {"more than": "above", "3": "number", "million": "10^6", "cars": "vehicle"},
    "约35.5万辆": {"约": "about", "35.5": "number", "万": "10^4", "辆": "vehicle"},
    "fell 7.5 percent": {"fell": "minus", "percent": "percent"},
    "(1,250)": {"(": "minus", "1,250": "number"},
    "EUR20 (US$22)": {"EUR": "EUR", "(": "restates", "US$": "USD", "22": "number"},
    "4 to 5 billion yuan": {"to": "range", "billion": "10^9", "yuan": "CNY"},
    "52nd": {"nd": "ranking"},
    "百分之五": {"百分之": "percent", "五": "5"},
    "twenty-two cars": {"twenty": "20", "two": "2", "cars": "vehicle"},
    "$5/barrel": {"$": "USD", "/": "each", "barrel": "barrel"},
}


@pytest.mark.parametrize("text", WORDS)
def test_what_each_word_did(text):
    said = dict(words_of(zj.parse(text)))
    assert {word: part for word, part in WORDS[text].items() if part not in said.get(word, "")} == {}


@given(st.sampled_from([*WORDS]), st.text(" ", max_size=3))
def test_words_stand_in_the_text_in_order(text, spaces):
    printed = f"{spaces}{text}{spaces}"
    at = 0
    for word, _ in words_of(zj.parse(printed)):
        at = printed.index(word, at) + len(word)


def test_a_decimal_comma_is_one_number():
    assert dict(words_of(zj.parse("1.234,5", decimal_comma=True), decimal_comma=True)) == {"1.234,5": "the number"}


@pytest.mark.parametrize("width", [12, 30, 60, 120])
def test_a_card_fits_the_terminal(width):
    console = Console(width=width, force_terminal=True, color_system=None)
    with console.capture() as captured:
        console.print(Card(zj.parse("over 10 billion yuan (US$1.52 billion)")), soft_wrap=True, highlight=False)
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= max(width, len("restated precision"))
    assert "10,000,000,000" in "".join(line.strip() for line in lines)


def test_options_of_the_card(command):
    assert "[1,234.4, 1,234.6)" in command("parse", "1,234.4", "--rounding", "truncation").out.replace(".5)", ".6)")
    assert "to the nearest 1\n" in command("parse", "5,000", "--decimals", "0").out
    assert command("parse", "1.234,5", "--decimal-comma").out.startswith("value      1,234.5 count")
    assert command("parse", "5", "--rounding", "up").code == 2


def test_a_comma_before_the_decimals(read):
    _, found = read("Der Umsatz stieg um 3,5% auf EUR 1.234,5.", decimal_comma=True)
    assert [(str(one.figure.value), one.figure.unit) for one in found] == [("3.5", "percent"), ("1234.5", "EUR")]
