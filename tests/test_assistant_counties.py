"""Counties: named where they stand for themselves, and where a sentence is about one."""

import pytest

from assistant.counties import Counties, cities_named
from knowledge.places import counties_of
from knowledge.types import Document, Hit, Passage

TEXT = "晋江补贴三千元。按月发放。惠安补贴两千元。申请优惠安置的另行通知。补贴到户。"


@pytest.fixture
def counties():
    return Counties(counties_of("泉州"), lambda _: TEXT)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("优惠安置政策", set()),
        ("公积金门槛高不高", set()),
        ("河南安阳的人", set()),
        ("办事指南安排在哪", set()),
        ("我在惠安工作", {"惠安"}),
        ("泉州南安的人在金门购房", {"南安", "金门"}),
        ("晋江、惠安", {"晋江", "惠安"}),
    ],
)
def test_a_name_across_two_words_is_none(counties, text, named):
    assert counties.named(text) == named


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("推广安全生产责任保险由谁负责", set()),
        ("初中卫生间每天清扫几次", set()),
        ("广大同学", set()),
        ("耕地和田间道路", set()),
        ("广安社保", {"广安"}),
        ("中卫市公积金", {"中卫"}),
        ("大同人才补贴", {"大同"}),
        ("从北京到泉州医保转移", {"北京", "泉州"}),
    ],
)
def test_a_city_across_two_words_is_none(text, named):
    assert cities_named(text) == named


@pytest.mark.parametrize(
    ("sentence", "about"),
    [("按月发放", {"晋江"}), ("补贴到户", {"惠安"}), ("惠安补贴两千元", {"惠安"})],
)
def test_a_sentence_is_about_the_county_named_last(counties, sentence, about):
    passage = Passage(TEXT, 0, len(TEXT))
    hit = Hit(1, 1.0, 0.8, 10.0, passage, Document("d1", "各县补贴", "", "/1.md"))
    start = TEXT.index(sentence)
    assert counties.about(hit, start, start + len(sentence)) == about
