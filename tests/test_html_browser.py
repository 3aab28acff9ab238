"""The report in a real browser, without a network: no error, filters, search, order, keys, phones and paper.

Needs selenium with Chromium and its driver (Debian: chromium, chromium-driver); without them these tests are skipped.
"""

import json
import math
import shutil
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from test_html import EVIL, contents

from zhiji_etl.excerpts import Excerpt, tallied
from zhiji_etl.figures import FIGURE_COLUMNS
from zhiji_etl.html.page import FULL, report_page
from zhiji_etl.numbers import span
from zhiji_etl.pipeline import RunResult
from zhiji_etl.wording import wording

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install '.[test]'")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="no Chromium with chromedriver here: apt-get install chromium-driver"
)

ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1200,900")
ROWS = 100_000
PHONE = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
INFINITY = math.inf
TAB, ENTER, DELETE, ALL = "\ue004", "\ue007", "\ue017", "\ue009a\ue000"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1200,900",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield started
    started.quit()


@pytest.fixture
def shown(browser: Any, tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    """A page on the screen, in a browser that has no network; at the end nothing was complained of."""
    browser.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    browser.get_log("browser")

    def show(text: str) -> Any:
        path = tmp_path / "report.html"
        path.write_text(text, encoding="utf-8")
        browser.get(path.as_uri())
        return browser

    yield show
    assert browser.get_log("browser") == []


@pytest.fixture
def page(shown: Callable[[str], Any], reference_result: RunResult) -> Any:
    return shown((reference_result.path / "report.html").read_text(encoding="utf-8"))


def many_figures(reference_result: RunResult) -> Excerpt:
    one = reference_result.figures.filter(pl.col("metric") == "market_share").row(0, named=True)
    at = pl.int_range(ROWS)
    frame = pl.select(
        *(pl.lit(one[name], dtype).alias(name) for name, dtype in FIGURE_COLUMNS.items()),
        at=at,
    ).with_columns(
        figure_id=pl.col("at").cast(pl.UInt64),
        entity=pl.format("Company {}", pl.col("at") % 997),
        printed=pl.format("{} vehicles", pl.col("at") * 7919 % ROWS),
        low=(pl.col("at") * 7919 % ROWS).cast(pl.Float64) - 0.5,
        high=(pl.col("at") * 7919 % ROWS).cast(pl.Float64) + 0.5,
    )
    sizes = {**reference_result.shown.sizes, "figures": ROWS}
    return replace(reference_result.shown, figures=frame.select(FIGURE_COLUMNS.keys()), sizes=sizes)


def visible(page: Any) -> list[str]:
    """The findings that are shown, by their verdict."""
    script = "return [...document.querySelectorAll('.finding:not([hidden])')].map((one) => one.dataset.verdict)"
    return page.execute_script(script)


def cells(page: Any, table: str, column: str) -> list[str]:
    script = """
    const place = document.getElementById(`sheet-${arguments[0]}`);
    const at = [...place.querySelectorAll("thead th")].findIndex((head) => head.dataset.column === arguments[1]);
    return [...place.querySelectorAll("tbody tr:not(.spacer)")].map((row) => row.cells[at].textContent);
    """
    return page.execute_script(script, table, column)


def typed(page: Any, place: str, text: str) -> None:
    field = page.find_element("id", place)
    field.send_keys(ALL, DELETE, text)
    time.sleep(0.4)


def sort(page: Any, table: str, column: str) -> None:
    page.execute_script(
        "document.querySelector(`#sheet-${arguments[0]} th[data-column=${arguments[1]}] button`).click()", table, column
    )


# ------------------------------------------------------------------------------------------------------------- findings


def test_filters_by_verdict_and_severity(page: Any, reference_result: RunResult):
    counts = reference_result.verdicts()
    assert len(visible(page)) == sum(counts.values())
    page.find_element("css selector", ".choice.consistent").click()
    assert "consistent" not in visible(page)
    assert page.find_element("css selector", ".filters .shown").text == "6 of 12 shown"
    page.execute_script("document.querySelector('input[value=error]').click()")
    assert visible(page) == ["inconsistent"]
    page.execute_script("document.querySelector('input[value=warning]').click()")
    assert visible(page) == []
    assert page.find_element("css selector", ".nothing").is_displayed()


def test_searches_the_findings(page: Any):
    typed(page, "findings-search", "Alibaba RETAIL within")
    assert visible(page) == ["consistent"]
    typed(page, "findings-search", "nothing of the sort")
    assert visible(page) == []


def test_keys_reach_everything(page: Any):
    keys = "\ue004"
    reached: list[str] = []
    for _ in range(40):
        page.switch_to.active_element.send_keys(keys)
        reached.append(
            page.execute_script("const a = document.activeElement; return a.name || a.id || a.className || a.tagName")
        )
    assert reached[0] == "skip"
    assert {"verdict", "severity", "findings-search", "SUMMARY"} <= set(reached)
    box = page.find_element("css selector", "input[value=consistent]")
    page.execute_script("arguments[0].focus()", box)
    box.send_keys(" ")
    assert "consistent" not in visible(page)
    summary = page.find_elements("css selector", ".finding:not([hidden]) summary")[1]
    summary.send_keys(ENTER)
    assert page.execute_script("return arguments[0].parentElement.open", summary)


def test_many_findings_are_filtered_too(shown: Callable[[str], Any], reference_result: RunResult):
    rules = reference_result.findings.filter(pl.col("kind") == "rule")
    many = pl.concat([rules] * (FULL // 4)).with_columns(finding_id=pl.int_range(pl.len()).cast(pl.String))
    told = replace(reference_result.shown, findings=many, tally=tallied(many))
    page = shown(report_page(contents(reference_result, shown=told)))
    total = many.height
    assert page.find_element("css selector", "#sheet-findings .shown").text == f"{total} rows"
    page.find_element("css selector", ".choice.not_checkable").click()
    time.sleep(0.4)
    left = many.filter(pl.col("verdict") != "not_checkable").height
    assert page.find_element("css selector", "#sheet-findings .shown").text == f"{left} of {total} rows"


# --------------------------------------------------------------------------------------------------------------- tables


def test_searches_and_sorts_the_figures(page: Any, reference_result: RunResult):
    typed(page, "search-figures", "saic PERCENT")
    percent = pl.col("printed").str.contains("percent")
    wanted = reference_result.figures.filter(percent, entity="SAIC Motor").height
    assert len(cells(page, "figures", "entity")) == wanted
    assert page.find_element("css selector", "#sheet-figures .shown").text == f"{wanted} of 20 rows"
    typed(page, "search-figures", "")
    sort(page, "figures", "metric")
    assert cells(page, "figures", "metric") == sorted(reference_result.figures["metric"])
    head = page.find_element("css selector", "#sheet-figures th[data-column=metric]")
    assert head.get_attribute("aria-sort") == "ascending"
    sort(page, "figures", "metric")
    assert cells(page, "figures", "metric") == sorted(reference_result.figures["metric"], reverse=True)


def test_printed_scripts_stay_text(shown: Callable[[str], Any], run: Callable[..., RunResult]):
    field = EVIL.replace('"', '""')
    rows = f'A,vehicle_sales,2019,"{field}"\n"{field}",vehicle_sales,2019,5 vehicles\nA,market_share,2019,5 %\n'
    page = shown((run(rows).path / "report.html").read_text(encoding="utf-8"))
    assert EVIL in cells(page, "figures", "entity")
    assert cells(page, "rejects", "printed") == [EVIL]
    assert page.find_elements("css selector", "b, textarea") == []


def test_a_hundred_thousand_figures(shown: Callable[[str], Any], reference_result: RunResult):
    page = shown(report_page(contents(reference_result, shown=many_figures(reference_result))))
    drawn = "return document.querySelectorAll('#sheet-figures tbody tr').length"
    assert page.execute_script(drawn) < 120
    table = page.find_element("css selector", "#sheet-figures table")
    assert table.get_attribute("aria-rowcount") == str(ROWS + 1)
    sort(page, "figures", "low")
    assert cells(page, "figures", "printed")[:3] == ["0 vehicles", "1 vehicles", "2 vehicles"]
    page.execute_script("document.querySelector('#sheet-figures .scroll').scrollTop = 1e9")
    time.sleep(0.3)
    assert cells(page, "figures", "printed")[-1] == f"{ROWS - 1} vehicles"
    assert page.execute_script(drawn) < 120
    heights = (
        "return [...new Set([...document.querySelectorAll('#sheet-figures tbody tr')].map((r) => r.offsetHeight))]"
    )
    assert len(page.execute_script(heights)) <= 2
    typed(page, "search-figures", "company 996 9")
    assert page.find_element("css selector", "#sheet-figures .shown").text.endswith(f"of {ROWS:,} rows")
    took = """
    const input = document.getElementById("search-figures"), done = arguments[0], begun = performance.now();
    const shown = document.querySelector("#sheet-figures .shown");
    new MutationObserver(() => done(performance.now() - begun)).observe(shown, { childList: true });
    input.value = "company 5"; input.dispatchEvent(new Event("input"));
    """
    assert page.execute_async_script(took) < 2000


def test_numbers_are_written_as_in_the_sentences(shown: Callable[[str], Any], reference_result: RunResult):
    cases = [
        (22.65, 22.75, "percent"), (24.204970992840373, 24.20979102392456, "percent"),
        (6237500.0, 6238500.0, "vehicle"), (-INFINITY, 5.0, "count"),
        (1e10, INFINITY, "CNY"), (7.0, 7.0, "rank"), (0.0, 0.0, "count"),
        (-0.05, 0.05, "percentage_point"), (123456789.0, 123456789.0, "CNY/vehicle"), (0.000012, 0.000013, "multiple"),
        (349999.5, 350000.5, "vehicle"), (-5e12, 1.0, "USD"), (99_999.0, 100_001.0, "hectare"),
    ]  # fmt: skip
    for language in ("en", "zh"):
        page = shown(report_page(contents(reference_result), language))
        for low, high, unit in cases:
            text = json.dumps([low, high, unit]).replace("Infinity", "1e999")
            written = page.execute_script(f"return window.zhiji.span(...{text})")
            assert written == span(low, high, unit, wording(language))


# ---------------------------------------------------------------------------------------------------- screen and paper


def test_a_phone_needs_no_sideways_scrolling(browser: Any, page: Any):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    try:
        widths = page.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
        assert widths[0] <= widths[1] == PHONE["width"]
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(browser: Any, page: Any, scheme: str):
    features = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", features)
    contrast = """
    const light = (text) => {
      const parts = text.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255);
      const [r, g, b] = parts.map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const colour = getComputedStyle(at).backgroundColor;
        if (!colour.endsWith(", 0)")) return colour;
      }
    };
    const told = "h1, h2, h3, p, td, th, li, dt, dd, .badge, .count, .choice span, .severity, .fit, code";
    const texts = document.querySelectorAll(told);
    return Math.min(...[...texts].map((element) => {
      const [one, other] = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => b - a);
      return (one + 0.05) / (other + 0.05);
    }));
    """
    assert page.execute_script(contrast) >= 4.5


def test_paper_shows_what_is_folded(page: Any):
    printed = page.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    assert b64decode(printed["data"]).startswith(b"%PDF")
    folded = "return document.querySelectorAll('details:not([open])').length"
    before = page.execute_script(folded)
    page.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    assert page.execute_script(folded) == 0
    page.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert page.execute_script(folded) == before
