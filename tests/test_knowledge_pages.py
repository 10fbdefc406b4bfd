"""What a printer or browser adds to the pages of a PDF is no part of what they say."""

import pytest

from knowledge.pages import without_running_lines

URL = "https://www.example.gov.cn/zwgk/202407/t20240701_123.htm"
TITLE = "示例市停车收费办法_示例市人民政府"
SENTENCES = ["停车首小时免费，之后每小时", "收费三元，一天最多收二十", "元。"]


@pytest.mark.parametrize("time", ["2024/7/1 15:57", "12/1/26, 3:57 PM", "2024年7月1日 下午3:57"])
@pytest.mark.parametrize("pages", [1, 2, 3])
def test_address_and_time_that_a_browser_prints_on_pages_are_left_out(time, pages):
    printed = [
        [f"{time} {TITLE}", SENTENCES[0], f"{URL} 1/{pages}"],
        [SENTENCES[1], f"{time} {TITLE}", f"{URL} 2/{pages}"],
        [SENTENCES[2], f"{time} {TITLE}", f"{URL} 3/{pages}"],
    ]
    told = without_running_lines(["\n".join(page) for page in printed[:pages]])
    assert told == SENTENCES[:pages]


@pytest.mark.parametrize(
    "page",
    [
        ["申请网址如下。", URL],
        ["2024-07-01 15:57 来源：示例市人民政府", "停车首小时免费。"],
        ["停车首小时免费。", f"详见 {URL} 1/2", "其余见附件。"],
        [f"{URL} 1/1", "甲", "乙", "2024/7/1 15:57 截止", "丙", "丁"],
    ],
)
def test_addresses_and_times_that_a_text_tells_stay(page):
    told = without_running_lines(["\n".join(page)])[0].split("\n")
    assert told == [line for line in page if not line.endswith("htm 1/1")]
