"""What is read aloud, as a person would read it."""

import pytest

from ui.speech import sentences, spoken


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("每小时收费3元。[1]", "每小时收费3元。"),
        ("2024-05-06起施行", "二零二四年5月6日起施行"),
        ("2024年1月1日", "二零二四年1月1日"),
        ("青园〔2024〕5号", "青园二零二四5号"),
        ("请拨打12345", "请拨打一二三四五"),
        ("电话0595-22567890", "电话零五九五二二五六七八九零"),
        ("补贴100000元", "补贴100000元"),
        ("最高1,200,000元", "最高1200000元"),
        ("降低3.5%", "降低百分之3.5"),
        ("3-5个工作日", "3至5个工作日"),
        ("## 《停车办法》", "停车办法"),
    ],
)
def test_numbers_dates_and_document_numbers_are_read_properly(written, read):
    assert spoken(written) == read


def test_a_text_is_spoken_sentence_by_sentence():
    assert sentences("先取号。[1]\n再办理！| --- |\n要带身份证吗？") == [
        "先取号。", "再办理！", "要带身份证吗？",
    ]  # fmt: skip
