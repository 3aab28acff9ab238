"""The report of a run and its faces in a notebook: complete, escaped, the same bytes, in two languages."""

import json
import math
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import zhiji_etl as zj
from zhiji_etl.errors import FindingError
from zhiji_etl.excerpts import tallied
from zhiji_etl.findings import changed_together
from zhiji_etl.html.drawing import Bar, draw
from zhiji_etl.html.page import FULL, Contents, report_page
from zhiji_etl.html.readings import reading
from zhiji_etl.html.sheets import sheet
from zhiji_etl.html.stories import PRINTED, Told, stories
from zhiji_etl.numbers import single, span
from zhiji_etl.outputs import read_manifest, verify
from zhiji_etl.pipeline import RunResult
from zhiji_etl.wording import RuleText, wording

INFINITY = math.inf
EVIL = '<script>alert(1)</script><b title="x">&\u2028</textarea>'
SVG = "{http://www.w3.org/2000/svg}"


class Page(HTMLParser):
    """What a browser would make of a page: its elements, its text, and the scripts by id."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str | None, str] = {}
        self.texts: list[str] = []
        self.open: dict[str, str | None] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.open = dict(attrs) if tag == "script" else None

    def handle_endtag(self, tag: str) -> None:
        self.open = None

    def handle_data(self, data: str) -> None:
        if self.open is None:
            self.texts.append(data)
        else:
            name = self.open.get("id")
            self.scripts[name] = self.scripts.get(name, "") + data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def contents(result: RunResult, **changed: object) -> Contents:
    made = Contents(
        name="probe",
        version="0",
        shown=result.shown,
        texts={},
        sources=[],
        schemas={"a.py": "0" * 64},
        rates=[],
        written=[{"name": "figures.parquet", "rows": 20, "sha256": "1" * 64}],
        settings={"name": "probe"},
    )
    return made._replace(**changed)


# ------------------------------------------------------------------------------------------------------------ the file


def test_a_run_writes_it_into_its_manifest(reference_result: RunResult):
    path = reference_result.path / "report.html"
    entry = next(one for one in read_manifest(reference_result.path)["outputs"] if one["name"] == path.name)
    assert entry["sha256"] == sha256(path.read_bytes()).hexdigest()
    assert verify(reference_result.path) == []


def test_the_same_run_gives_the_same_bytes(reference: Path, tmp_path: Path):
    texts = [(zj.Project(reference).run(tmp_path / name).path / "report.html").read_bytes() for name in "ab"]
    assert texts[0] == texts[1]
    assert str(tmp_path).encode() not in texts[0]


def test_nothing_is_loaded(reference_result: RunResult):
    text = (reference_result.path / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    loading = [attributes for _, attributes in page.elements if "src" in attributes]
    assert loading == []
    assert [link["href"] for link in page.named("link")] == ["data:,"]
    assert "@import" not in text
    assert not re.search(r"url\(", text)


def test_the_policy_lets_nothing_but_its_own_script_and_style_in(reference_result: RunResult):
    text = (reference_result.path / "report.html").read_text(encoding="utf-8")
    policy = next(meta for meta in Page(text).named("meta") if "http-equiv" in meta)["content"]
    own = re.findall(r"<(?:style|script)>(.*?)</(?:style|script)>", text, re.DOTALL)
    assert len(own) == 2
    for one in own:
        assert f"'sha256-{b64encode(sha256(one.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "style=" not in re.sub(r"<(style|script)>.*?</\1>", "", text, flags=re.DOTALL)


def test_every_printed_text_stays_text(run):
    rows = f'"{EVIL.replace(chr(34), chr(34) * 2)}",vehicle_sales,2019,5 vehicles\nA,vehicle_sales,2019,"{{}}"\n'
    result = run(rows.format(EVIL.replace('"', '""')), sidecar="title = '''" + EVIL + "'''\nnote = '''</script>'''\n")
    text = (result.path / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    usual = Page(report_page(contents(result)))
    assert len(page.named("script")) == len(usual.named("script"))
    assert page.named("b") == page.named("textarea") == []
    assert EVIL.replace("\u2028", " ") in page.text.replace("\u2028", " ")
    rejects = json.loads(page.scripts["data-rejects"])["columns"]
    assert rejects["printed"] == [EVIL]
    assert json.loads(page.scripts["data-figures"])["columns"]["entity"] == [EVIL]


def test_a_rule_and_a_quote_stay_text(reference_result: RunResult):
    quotes = reference_result.figures.select("row_id").unique().with_columns(note=pl.lit(EVIL))
    texts = {"share_vs_sales": RuleText(EVIL, {EVIL: EVIL})}
    page = Page(
        report_page(
            contents(reference_result, shown=replace(reference_result.shown, quotes=quotes), name=EVIL, texts=texts)
        )
    )
    assert page.named("b") == []
    assert page.text.count("<script>alert(1)</script>") > 5


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_tells_everything(reference_result: RunResult, language: str):
    page = Page(report_page(contents(reference_result), language))
    words = wording(language)
    for section in ("figures", "implied", "rates", "rejects", "provenance"):
        assert words(f"{section}.heading") in page.text
    for finding in reference_result.findings.filter(pl.col("kind").is_in(["rule", "restatement"])).to_dicts():
        assert finding["rule"] in page.text
    share = reference_result.findings.row(0, named=True)
    for printed in ("22.7 percent", "6.238 million vehicles", "25.769 million vehicles"):
        assert printed in page.text
    assert span(share["implied_low"], share["implied_high"], "percent", words) in page.text
    assert "28.8" in page.text
    assert json.loads(page.scripts["data-figures"])["rows"] == reference_result.figures.height
    assert not re.search(r"\{\w+\}", page.text)
    assert page.named("html")[0]["lang"] == {"en": "en", "zh": "zh-Hans"}[language]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_figures_that_must_change_together(run, language: str):
    """Where no single figure resolves a conflict, the page lists the sets of several, and no empty list."""
    rules = """
import zhiji_etl as zj
class Year(zj.Table):
    total: float = zj.Quantity("CNY")
    home: float = zj.Quantity("CNY")
    abroad: float = zj.Quantity("CNY")
    growth: float = zj.Quantity("percent")
    @zj.rule
    def parts(m):
        "Parts make the total."
        return m.total == m.home + m.abroad
    @zj.rule
    def growing(m):
        "Growth follows."
        return m.growth == m.total / m.previous.total - 1
    @zj.rule
    def twice(m):
        "Abroad is half of home."
        return m.home == 2 * m.abroad
"""
    rows = [("total", 2020, "100.0"), ("total", 2021, "150.0"), ("home", 2021, "100.0"), ("abroad", 2021, "10.0")]
    printed = "".join(f"A,{metric},{year},RMB{number}\n" for metric, year, number in rows) + "A,growth,2021,20.0%\n"
    result = run(printed, schema=rules)
    said = result.findings.filter(kind="conflict").row(0, named=True)
    page = Page(report_page(contents(result), language))
    assert changed_together(said)
    assert wording(language)("finding.together") in page.text
    assert all(several in page.text for several in changed_together(said))
    assert wording(language)("finding.candidates") not in page.text


def test_it_can_be_read_aloud(reference_result: RunResult):
    page = Page((reference_result.path / "report.html").read_text(encoding="utf-8"))
    tags = {tag for tag, _ in page.elements}
    assert {"header", "nav", "main", "footer", "h1", "h2"} <= tags
    assert len(page.named("table")) == len(page.named("caption"))
    labelled = {label.get("for") for label in page.named("label")}
    assert all(one["id"] in labelled for one in page.named("input") if one["type"] == "search")
    drawings = [one for one in page.named("svg") if one.get("class") == "zj-drawing"]
    assert drawings
    assert all(one["role"] == "img" and one["aria-label"] for one in drawings)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(one["href"][1:] in ids for one in page.named("a") if one["href"].startswith("#"))


def test_what_is_too_much_is_said(reference_result: RunResult):
    one = reference_result.findings.filter(pl.col("kind") == "rule").head(1)
    many = pl.concat([one.with_columns(finding_id=pl.lit(f"rule:x:{at}:2019")) for at in range(FULL + 5)])
    shown = replace(reference_result.shown, findings=many, tally=tallied(many))
    text = report_page(contents(reference_result, shown=shown))
    page = Page(text)
    assert len(page.named("article")) == FULL
    assert json.loads(page.scripts["data-findings"])["rows"] == FULL + 5
    assert f"The {FULL} loudest of {FULL + 5} findings" in page.text
    assert "data-findings" not in Page(report_page(contents(reference_result))).scripts


def test_a_sum_of_many_parts():
    parts = [f"part_{number:03}" for number in range(100)]
    frame = pl.DataFrame({"metric": [*parts, "total"], "printed": ["1"] * 100 + ["200"]}).with_columns(
        entity=pl.lit("A"), period=pl.lit("2019")
    )
    found = zj.check(frame, lambda m: m.total == sum((getattr(m, part) for part in parts[1:]), getattr(m, parts[0])))
    story = stories(Told(found.frame, found.figures, wording()), 1)[0]
    assert (len(story["printed"]), story["more"]) == (PRINTED, 101 - PRINTED)


def test_an_empty_run(run):
    result = run("")
    page = Page((result.path / "report.html").read_text(encoding="utf-8"))
    words = wording()
    assert words("page.nothing_read") in page.text
    assert words("figures.none") in page.text


def test_the_language_of_the_command(command, reference: Path):
    assert command("run", reference, "--lang", "zh").code == 0
    text = (reference / "build" / "latest" / "report.html").read_text(encoding="utf-8")
    assert wording("zh")("finding.heading") in text
    assert command("run", reference, "--lang", "xx").code == 2


# ------------------------------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("low", "high", "unit", "english", "chinese"),
    [
        (22.65, 22.75, "percent", "22.65 to 22.75 %", "22.65 至 22.75 %"),
        (24.204970992840373, 24.20979102392456, "percent", "24.20497 to 24.20979 %", "24.20497 至 24.20979 %"),
        (6237500.0, 6238500.0, "vehicle", "6.2375 to 6.2385 million vehicles", "623.75 至 623.85 万辆"),
        (349999.5, 350000.5, "vehicle", "349,999.5 to 350,000.5 vehicles", "34.99995 至 35.00005 万辆"),
        (0.5e12, 1.5e12, "USD", "0.5 to 1.5 trillion USD", "0.5 至 1.5 万亿 USD"),
        (1e10, INFINITY, "CNY", "above 10 billion CNY", "大于 100 亿 CNY"),
        (-INFINITY, 5.0, "count", "below 5", "小于 5"),
        (-INFINITY, INFINITY, "CNY", "anything", "任意值"),
        (7.0, 7.0, "rank", "7 (rank)", "7 （名次）"),
        (0.0, 0.0, "count", "0", "0"),
        (-0.05, 0.05, "percentage_point", "-0.05 to 0.05 percentage points", "-0.05 至 0.05 个百分点"),
        (None, None, "CNY", "nothing is known", "无从得知"),
        (1.0, 2.0, "CNY/vehicle", "1 to 2 CNY/vehicle", "1 至 2 CNY/vehicle"),
    ],
)
def test_bounds_as_a_person_writes_them(low, high, unit, english, chinese):
    assert span(low, high, unit, wording("en")) == english
    assert span(low, high, unit, wording("zh")) == chinese


def test_one_is_one():
    assert single(1.0, "vehicle", wording("en")) == "1 vehicle"
    assert single(1000.0, "vehicle", wording("en")) == "1,000 vehicles"
    assert single(1.0, "vehicle", wording("zh")) == "1 辆"
    assert single(1.0, "count", wording("en")) == "1"


finite = st.floats(min_value=-1e15, max_value=1e15, allow_nan=False)


@given(finite, st.floats(min_value=1e-6, max_value=1e9))
def test_both_ends_can_be_told_apart(low: float, width: float):
    high = low + width
    if (high - low) < 1e-9 * max(abs(low), 1):
        return
    first, last = re.findall(r"-?[\d,]+(?:\.\d+)?", span(low, high, "count", wording("en")))
    one, other = (float(text.replace(",", "")) for text in (first, last))
    size = next((size for size, _ in wording("en").scales if max(abs(low), abs(high)) >= size), 1.0)
    assert one < other
    assert abs(one * size - low) <= (high - low) / 10 + 1e-9 * abs(low)


# ------------------------------------------------------------------------------------------------------------- drawing

ends = st.one_of(finite, st.sampled_from([INFINITY, -INFINITY]))
bars = st.builds(lambda one, other, name: Bar(name, min(one, other), max(one, other)), ends, ends, st.text(max_size=9))


@given(st.lists(bars, min_size=1, max_size=4), st.one_of(st.none(), st.floats(1e-9, 1e12)))
@example([Bar("", 5e-324, 5e-324)], None)
@example([Bar("", 0.0, 5e-324)], None)
def test_bars_stay_on_the_paper(drawn: list[Bar], step: float | None):
    clean = [bar._replace(name=re.sub(r"[^\x20-\ud7ff]", "", bar.name)) for bar in drawn]
    svg = draw(clean, "CNY", wording(), step=step, gap="apart").svg
    root = ElementTree.fromstring(svg)
    assert [one.text or "" for one in root.iter(f"{SVG}tspan") if one.get("class") == "zj-name"] == [
        b.name for b in clean
    ]
    for bar in root.iter(f"{SVG}rect"):
        left, width = (float(bar.get(name).rstrip("%")) for name in ("x", "width"))
        assert -0.01 <= left <= 100.11
        assert left + width <= 100.2 or bar.get("class") == "zj-between"


def test_a_bar_in_its_place():
    svg = draw([Bar("a", 0.0, 10.0), Bar("b", 90.0, 100.0, "implied")], "percent", wording(), step=5.0, gap="far").svg
    rects = {one.get("class"): one for one in ElementTree.fromstring(svg).iter(f"{SVG}rect")}
    between = rects["zj-between"]
    assert float(between.get("x").rstrip("%")) == pytest.approx(100 * 16 / 112, abs=0.01)
    assert float(between.get("width").rstrip("%")) == pytest.approx(100 * 80 / 112, abs=0.01)
    assert "one last digit: 5 %" in svg
    assert ">0<" in svg
    assert ">100 %<" in svg


def test_a_drawing_can_be_saved(tmp_path: Path):
    drawing = zj.parse("22.7 percent").plot()
    path = drawing.save(tmp_path / "share.svg")
    assert ElementTree.parse(path).getroot().tag == f"{SVG}svg"
    assert drawing._repr_svg_() == drawing._repr_html_() == str(drawing) == path.read_text(encoding="utf-8")


# -------------------------------------------------------------------------------------------------------------- tables


@given(st.lists(st.tuples(st.text(), st.one_of(st.none(), ends)), max_size=20))
def test_a_sheet_holds_the_frame(rows: list[tuple[str, float | None]]):
    frame = pl.DataFrame(rows, schema={"text": pl.String, "number": pl.Float64}, orient="row")
    text = str(sheet(frame, ("text", "number")))
    assert "<" not in text
    columns = json.loads(text)["columns"]
    texts = columns["text"]
    unfolded = texts if isinstance(texts, list) else [texts["texts"][at] for at in texts["at"]]
    assert unfolded == frame["text"].to_list()
    assert columns["number"] == frame["number"].to_list()


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("no admissible scope reconciles", "没有任何口径能够对上"),
        ("overseas_sales to the nearest 10000", "overseas_sales 取整到 10000"),
        ("a to the nearest 10, b to the nearest 100", "a 取整到 10；b 取整到 100"),
        ("average_quoted, period_end", "报价日平均；期末"),
        ("anything else", "anything else"),
    ],
)
def test_readings_in_chinese(english: str, chinese: str):
    assert reading(english, wording("zh")) == chinese


# --------------------------------------------------------------------------------------------------------- in notebooks


def test_a_result_in_a_notebook(reference_result: RunResult):
    text = reference_result._repr_html_()
    page = Page(text)
    assert "14.5 last digits apart" in page.text
    assert "share_vs_sales" in page.text
    assert str(reference_result.path / "report.html") in page.text
    rules = "".join(re.findall(r"<style>(.*?)</style>", text, re.DOTALL))
    selectors = [one for group in re.findall(r"([^{}]+)\{", rules) for one in group.split(",")]
    assert selectors
    assert all(selector.strip().startswith(".zj-") for selector in selectors)


def test_findings_in_a_notebook():
    frame = pl.DataFrame(
        {
            "entity": ["<b>A"] * 3,
            "metric": ["share", "sales", "market"],
            "period": ["2019"] * 3,
            "printed": ["30 percent", "10 vehicles", "100 vehicles"],
        }
    )
    found = zj.check(frame, lambda m: m.share == m.sales / m.market)
    page = Page(found._repr_html_())
    assert page.named("b")
    assert "<b>A" in page.text
    assert "zj-apart" in found.plot().svg
    assert found.plot(found.frame["finding_id"][0]).svg == found.plot().svg
    with pytest.raises(FindingError):
        found.plot("absent")


def test_a_figure_in_a_notebook():
    page = Page(zj.parse("over 10 billion yuan (US$1.52 billion)")._repr_html_())
    for text in ("above 10 billion CNY", "1.515 to 1.525 billion USD", "Last digit"):
        assert text in page.text


def test_nothing_to_draw():
    names = {"entity": pl.String, "metric": pl.String, "period": pl.String, "value": pl.Float64}
    empty = zj.check(pl.DataFrame(schema=names), [])
    assert "0 consistent" in Page(empty._repr_html_()).text
    with pytest.raises(FindingError):
        empty.plot()
