"""Numbers in running text that are part of a name by what stands around them, and the figures beside names."""

from __future__ import annotations

import pytest
from test_reading_prints import said

from zhiji_etl.reading import find

NAMES = [
    # a Chinese noun at once, with no measure word between
    "360公司与58同城合作。",
    "618大促、双11和双12。",
    "80后、90后与00后消费者",
    "996工作制",
    "318国道与101中学",
    "拨打12345热线，或拨打110。",
    "波音737-800客机停飞。",
    "7-11便利店",
    "2.0T发动机",
    "前五名客户",
    # an article and a word with a capital
    "the Mate 60 and the Mate 60 Pro",
    "a Ryzen 9 in its Mate 60",
    "under HKFRS 15 and HKAS 12",
    "Big 4 auditors in Tier 2 cities hold Class 1 shares",
    # chains, hyphens and points
    "附注五、12所述，见附注（七）61。",
    "附註五、12",
    "7-Eleven",
    "T+1与T+0交易",
    "“3·15”晚会与“9·11”事件",
    "上午9:30开盘",
    "港交所：9988",
    "3季度",
]


@pytest.mark.parametrize("text", NAMES)
def test_a_name_is_no_figure(text):
    assert [said(one) for one in find(text)] == []


FIGURES = [
    ("360公司去年营收15亿元。", ["1500000000 CNY"]),
    ("双11当天成交额达5403亿元，同比增长15.2%。", ["540300000000 CNY", "15.2 percent"]),
    ("“双11”5亿元", ["500000000 CNY"]),
    ("7-Eleven opened 12 stores.", ["12 store"]),
    ("Shares of the Mate 60 rose 3.2% to $120.", ["3.2 percent", "120 USD"]),
    ("波音737-800客机搭载132人。", ["132 person"]),
    # what stands beside a name, or looks like one, and counts
    ("Employees 360, of which Chinese 120.", ["360 count", "120 count"]),
    ("Of the Chinese 12 were sold.", ["12 count"]),
    ("Net income 320, EBITDA 400.", ["320 count", "400 count"]),
    ("Germany 320, France 210, Italy 150", ["320 count", "210 count", "150 count"]),
    ("Of those, Tesla 35 and Ford 12.", ["35 count", "12 count"]),
    ("Airbus delivered 735 jets and Boeing 528.", ["735 jet"]),
    ("代表5家企业，年满18周岁", ["5 company", "18 age"]),
    ("In China 12 stores opened.", ["12 store"]),
    ("At Tesla 3,200.", ["3200 count"]),
    ("收于3200，创新高；70城房价，31省份", ["3200 count", "70 count", "31 count"]),
    ("收于3200创新高", ["3200 count"]),
    ("报3，200.5创新高", ["3200.5 count"]),
    ("PMI为49.4，销量1234，12家门店", ["49.4 count", "1234 count", "12 store"]),
    ("指数由50.2升至51，为360个月来最高", ["50.2 count", "51 count", "360 month"]),
    ("7纳米制程，54.5吉瓦时", ["7 nanometre", "54.5 gigawatt_hour"]),
    ("$2.0T of debt", ["2000000000000 USD"]),
    ("two new models and three new phases", ["2 model", "3 phase"]),
    ("表1显示，12.5亿元", ["1250000000 CNY"]),
]


@pytest.mark.parametrize(("text", "expected"), FIGURES)
def test_figures_beside_names(text, expected):
    assert [said(one) for one in find(text)] == expected
