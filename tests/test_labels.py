"""Labels of tables: the captions in them, and the one that holds for a cell."""

import pytest

from zhiji_etl.labels import exceptions, full_caption, split_label, understood, understood_units, without_marks

TABLE = "RMB in millions, except share and per share data"


@pytest.mark.parametrize(
    ("label", "short", "caption"),
    [
        ("Sales (10,000 vehicles)", "Sales", "10,000 vehicles"),
        ("销量（万辆）", "销量", "万辆"),
        ("营业收入【亿元】", "营业收入", "亿元"),
        ("Growth, %", "Growth", "%"),
        ("同比（%）", "同比", "%"),
        ("Revenue in RMB millions", "Revenue", "RMB millions"),
        ("Revenue: US$'000", "Revenue", "US$'000"),
        ("Change (percentage points)", "Change", "percentage points"),
        ("Revenue (restated)", "Revenue (restated)", None),
        ("Deposits - customers", "Deposits - customers", None),
        ("Products: cars", "Products: cars", None),
        ("营收/亿元", "营收", "亿元"),
        ("单箱收入（元/TEU）", "单箱收入", "元/TEU"),
        ("Revenue per box (US$/TEU)", "Revenue per box", "US$/TEU"),
        ("Price ($ per gadget)", "Price", "$ per gadget"),
        ("Revenue (RMB per something else)", "Revenue (RMB per something else)", None),
        ("Net income (loss)", "Net income (loss)", None),
        ("GMV (RMB 100 million)", "GMV", "RMB 100 million"),
        ("Deliveries (Model 3)", "Deliveries (Model 3)", None),
        ("Sales in China", "Sales in China", None),
        ("Vehicles", "Vehicles", None),
        ("2019 (US$)", "2019", "US$"),
        ("  Revenue ", "Revenue", None),
        ("营业收入（亿元） 金额", "营业收入 金额", "亿元"),
        ("Net profit (loss) (RMB million) restated", "Net profit (loss) restated", "RMB million"),
        ("营业收入（亿元） 金额（万元）", "营业收入（亿元） 金额", "万元"),
    ],
)
def test_a_label_and_its_caption(label: str, short: str, caption: str | None):
    assert split_label(label) == (short, caption)


@pytest.mark.parametrize(
    ("text", "exponent", "unit"),
    [
        ("10,000 vehicles", 4, "vehicle"),
        ("in 1,000 units", 3, "count"),
        ("100 million yuan", 8, "CNY"),
        ("1000 employees", 3, "employee"),
        ("percentage_point", None, "percentage_point"),
    ],
)
def test_a_scale_in_digits(text: str, exponent: int | None, unit: str):
    found = understood(text)
    assert found is not None
    assert (found.exponent, found.unit) == (exponent, unit)


@pytest.mark.parametrize("text", ["restated", "2019", "note 3", "of which new", "", "12 vehicles per day at night"])
def test_no_caption(text: str):
    assert understood(text) is None


@pytest.mark.parametrize(
    ("caption", "phrases"),
    [
        (TABLE, ("per share", "share")),
        ("RMB in millions, except per share data", ("per share",)),
        ("In thousands, unless otherwise stated", ()),
        ("in millions except percentages", ("percentages",)),
        ("单位：亿元，除每股数据外", ("每股",)),
        ("RMB in millions", ()),
        ("in millions, except per-share amounts", ("per share",)),
        ("单位：人民币百万元（每股数据除外）", ("每股",)),
        ("（金额单位：人民币百万元，另有注明者除外）", ("另有者",)),
    ],
)
def test_what_a_caption_excepts(caption: str, phrases: tuple[str, ...]):
    assert exceptions(caption) == phrases


@pytest.mark.parametrize(
    ("metric", "place", "table", "label", "full"),
    [
        (None, None, TABLE, "Revenue", "million CNY"),
        (None, "US$", TABLE, "Revenue", "million USD"),
        ("%", None, TABLE, "Margin", "percent"),
        ("%", "US$", TABLE, "Margin", "percent"),
        ("10,000 vehicles", None, TABLE, "Sales", "万 vehicle"),
        (None, None, TABLE, "Basic earnings per share", "CNY/share"),
        (None, "US$", TABLE, "Basic earnings per share", "USD/share"),
        (None, None, TABLE, "Number of shares", "count"),
        (None, None, TABLE, "Share of profits of associates", "million CNY"),
        ("RMB per share", "US$", TABLE, "Basic earnings per share", "USD/share"),
        ("亿元", None, TABLE, "Revenue", "亿 CNY"),
        (None, None, "in thousands", "Revenue", "thousand"),
        (None, "vehicles", "in thousands", "Sales", "vehicle"),
        (None, None, None, "Revenue", None),
        ("no caption", None, TABLE, "Revenue", "no caption"),
    ],
)
def test_the_caption_of_a_cell(metric, place, table, label, full):
    assert full_caption(metric, place, table, label) == full


LISTED = "单位：万辆、亿元、%"


@pytest.mark.parametrize(
    ("metric", "place", "table", "label", "declared", "full"),
    [
        (None, None, LISTED, "销量", ["vehicle"], "万 vehicle"),
        (None, None, LISTED, "营收", ["CNY"], "亿 CNY"),
        (None, None, LISTED, "同比", ["percent"], "percent"),
        (None, None, LISTED, "人数", ["person"], LISTED),
        (None, None, LISTED, "销量", [], LISTED),
        ("元", None, LISTED, "营收", ["CNY"], "亿 CNY"),
        ("%", None, LISTED, "同比", [], "percent"),
        ("人", None, LISTED, "员工", [], "person"),
        (None, "US$", "in millions of RMB and US$", "Revenue", ["CNY"], "million USD"),
        (None, None, "in millions of RMB and HK$", "Revenue", ["USD"], "in millions of RMB and HK$"),
        (None, None, "万元、元/股", "基本", ["CNY/share"], "CNY/share"),
        (None, None, "thousand units; RMB million", "Deliveries", ["vehicle"], "thousand count"),
        (None, None, "RMB in millions, except percentages and per share data", "Margin", ["percent"], "percent"),
        (None, None, "RMB in millions, except percentages and per share data", "Basic", ["CNY/share"], "CNY/share"),
        (None, None, "RMB in millions", "Margin", ["percent"], "million CNY"),
        (None, None, "单位：万人、‰", "出生率", ["percent"], "‰ percent"),
        ("亿千瓦时", None, None, "发电量", [], "亿 kilowatt_hour"),
    ],
)
def test_of_several_units_a_cell_has_the_one_of_its_metric(metric, place, table, label, declared, full):
    assert full_caption(metric, place, table, label, None, declared) == full


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (LISTED, [(4, "vehicle"), (8, "CNY"), (None, "percent")]),
        ("thousand units, RMB million", [(3, "count"), (6, "CNY")]),
        ("Unit: RMB 100 million; 10,000 vehicles", [(8, "CNY"), (4, "vehicle")]),
        ("(in millions of RMB and US$)", [(6, "CNY"), (6, "USD")]),
        ("人民币，百万元", [(6, "CNY")]),
        ("US$, in millions", [(6, "USD")]),
        ("单位：人民币百万元（每股数据除外）", [(6, "CNY")]),
        ("in millions of dollars and shares", []),
        ("单位：万元/万辆", []),
        ("亿元（万辆）", []),
    ],
)
def test_the_units_of_a_caption(text: str, parts: list):
    assert [(told.exponent, told.unit) for told in understood_units(text)] == parts


def test_the_reading_of_a_sign_of_several_currencies():
    assert full_caption("亿元", None, None, "Revenue", "HKD") == "亿 HKD"


@pytest.mark.parametrize(
    ("label", "bare"),
    [
        ("2023 ①", "2023"),
        ("BYD*", "BYD"),
        ("销量（万辆）†", "销量（万辆）"),
        ("合计¹", "合计"),
        ("Area (m²)", "Area (m²)"),
        ("Area in m²", "Area in m²"),
        ("*", "*"),
    ],
)
def test_marks_of_notes_are_no_part_of_a_label(label: str, bare: str):
    assert without_marks(label) == bare
