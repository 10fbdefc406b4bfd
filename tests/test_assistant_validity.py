"""Time and place: what is in force and near comes first, and the answer says what is not."""

from datetime import UTC, date, datetime

import pytest

from assistant.asking import understand
from assistant.chain import Assistant
from assistant.composing import finished
from assistant.extractive import ExtractiveComposer
from assistant.validity import with_difference
from knowledge import versions
from knowledge.base import KnowledgeBase
from knowledge.lexical import terms
from knowledge.settings import load_settings
from knowledge.types import Document, Hit, Passage

TODAY = date(2026, 11, 25)
FILLER = [
    Document(f"f{n}", title, text, f"f{n}.md")
    for n, (title, text) in enumerate(
        [
            ("图书馆开放时间", "市图书馆每天上午九点开门，晚上八点闭馆，周一休息。"),
            ("公交卡办理指南", "老年公交卡在社区服务中心办理，带身份证和一张照片。"),
            ("养犬登记", "养犬人应当到派出所登记，领取犬牌，每年免疫一次。"),
        ]
    )
]


def policy(id_, title, text, **metadata):
    return Document(id_, title, text, f"{id_}.md", metadata)


def renting(id_, amount, title="泉州市租房补贴办法", **metadata):
    text = f"符合条件的新就业大学生可以申请租房补贴，租房补贴的标准为每月{amount}元。"
    return policy(id_, title, text, **metadata)


@pytest.fixture
def open_base(tmp_path):
    bases = []

    def open_(*documents, **settings):
        given = load_settings(home=tmp_path / str(len(bases)), **settings)
        bases.append(KnowledgeBase(given, today=lambda: TODAY))
        list(bases[-1].add_all([*documents, *FILLER]))
        return bases[-1]

    yield open_
    for base in bases:
        base.close()


QUESTION = "新就业大学生租房补贴标准是每月多少元"


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"effective": "2027-01-01"}, "尚未施行，自2027年1月1日起施行"),
        ({"expires": "2024-12-31"}, "已过有效期（有效期至2024年12月31日）"),
        ({"status": "repealed"}, "已废止"),
    ],
)
def test_an_answer_from_a_rule_not_in_force_says_so(open_base, metadata, said):
    reply = Assistant(open_base(renting("a", 600, **metadata))).ask(QUESTION)
    streamed = "".join(delta.text for delta in reply)
    answer = reply.answer()
    assert "600元" in answer.answer
    assert f"截至今日（2026年11月25日），《泉州市租房补贴办法》{said}" in answer.answer
    assert streamed == answer.answer


@pytest.mark.parametrize("metadata", [{}, {"expires": "2026-11-25"}, {"effective": "2026-11-25"}])
def test_a_rule_in_force_is_answered_without_a_remark(open_base, metadata):
    answer = Assistant(open_base(renting("a", 600, **metadata))).ask(QUESTION).answer()
    assert "600元" in answer.answer
    assert "截至今日" not in answer.answer


def test_a_refusal_that_quotes_a_rule_not_in_force_says_so(open_base):
    question = "新就业大学生租房补贴的咨询电话是多少"
    reply = Assistant(open_base(renting("a", 600, status="repealed"))).ask(question)
    streamed = "".join(delta.text for delta in reply)
    answer = reply.answer()
    assert answer.refused
    assert answer.citations[0].document_id == "a"
    assert "截至今日（2026年11月25日），《泉州市租房补贴办法》已废止" in answer.answer
    assert streamed == answer.answer


def test_the_day_is_that_of_china_where_the_clock_runs_in_utc(tmp_path, monkeypatch):
    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 11, 24, 16, 30, tzinfo=UTC).astimezone(tz)

    monkeypatch.setattr(versions, "datetime", Clock)
    rule = renting("a", 600, effective="2026-11-25")
    with KnowledgeBase(load_settings(home=tmp_path)) as base:
        assert base.today() == date(2026, 11, 25)
        assert base.standings([rule])["a"].state == "in_force"


def test_the_newest_version_comes_first_and_the_older_amount_is_shown_as_different(open_base):
    base = open_base(
        renting("old", 500, title="泉州市租房补贴办法（2018年修订）", date="2018-03-01"),
        renting("new", 600, title="泉州市租房补贴办法", date="2023-03-01"),
    )
    assert [hit.document.id for hit in base.search(QUESTION, 2)] == ["new", "old"]
    answer = Assistant(base).ask(QUESTION).answer()
    assert answer.citations[0].document_id == "new"
    assert answer.answer.index("600元") < answer.answer.index("500元")
    assert "已有较新的版本" in answer.answer


def test_a_newer_version_that_is_not_in_force_yet_comes_after_the_one_that_is(open_base):
    base = open_base(
        renting("now", 500, date="2018-03-01"),
        renting("next", 600, date="2026-10-01", effective="2027-01-01"),
    )
    assert [hit.document.id for hit in base.search(QUESTION, 2)] == ["now", "next"]


def test_an_older_version_is_found_first_by_its_year_or_its_number(open_base):
    base = open_base(
        renting("old", 500, date="2018-03-01", document_number="泉政〔2018〕5号"),
        renting("new", 600, date="2023-03-01", document_number="泉政〔2023〕9号"),
    )
    for query in (f"2018年{QUESTION}", f"泉政[2018]5号{QUESTION}"):
        assert base.search(query, 1)[0].document.id == "old"


def test_a_document_that_another_repeals_is_repealed_whatever_its_title(open_base):
    old = renting("old", 500, title="泉州市青年安居暂行规定", date="2018-03-01")
    new = renting(
        "new", 600, date="2023-03-01", repeals="《泉州市青年安居暂行规定》", effective="2023-04-01"
    )
    base = open_base(old, new)
    standing = base.standings([old])["old"]
    assert (standing.state, standing.by) == ("repealed", "泉州市租房补贴办法")
    assert base.search(QUESTION, 1)[0].document.id == "new"


def test_the_same_title_of_another_city_is_no_version(open_base):
    one = renting("a", 500, title="泉州市租房补贴办法", date="2018-03-01")
    other = renting("b", 600, title="厦门市租房补贴办法", date="2023-03-01")
    base = open_base(one, other)
    assert base.standings([one])["a"].state == "in_force"


def test_the_citys_rule_comes_before_the_provinces_and_the_difference_is_cited(open_base):
    base = open_base(
        renting("province", 300, title="福建省租房补贴办法", date="2020-01-01"),
        renting("city", 600, title="泉州市租房补贴办法", date="2020-01-01"),
        city="泉州",
    )
    assert [hit.document.id for hit in base.search(QUESTION, 2)] == ["city", "province"]
    answer = Assistant(base).ask(QUESTION).answer()
    assert {one.document_id for one in answer.citations} == {"city", "province"}
    assert answer.citations[0].document_id == "city"
    assert "不一致" in answer.answer
    for one in answer.citations:
        assert base.document(one.document_id).text[one.start : one.end] == one.quote


def test_a_city_that_is_asked_about_with_its_province_comes_before_it(open_base):
    base = open_base(
        renting("province", 300, title="福建省租房补贴办法", date="2020-01-01"),
        renting("city", 600, title="龙岩市租房补贴办法", date="2020-01-01"),
    )
    found = base.search(f"福建省龙岩市{QUESTION}", 2)
    assert [hit.document.id for hit in found] == ["city", "province"]


def test_rules_that_agree_are_not_said_to_differ(open_base):
    base = open_base(
        renting("province", 600, title="福建省租房补贴办法"), renting("city", 600), city="泉州"
    )
    assert "不一致" not in Assistant(base).ask(QUESTION).answer().answer


@pytest.fixture
def of_two_levels(tmp_path):
    """Say what stands in the answer where the city's rule and the province's say two things."""

    def answered(question, city, province):
        asked = understand(question, weigh)
        hits = [hit(1, "泉州市", city), hit(2, "福建省", province)]
        composed = finished(ExtractiveComposer(weigh).compose(question, hits[:1], ()))
        with KnowledgeBase(load_settings(home=tmp_path, city="泉州"), today=lambda: TODAY) as base:
            return with_difference(composed, asked, hits, base).text

    return answered


def weigh(text):
    return dict.fromkeys(terms(text), 1.0)


def hit(n, level, text):
    document = policy(level, f"{level}租房补贴办法", text)
    return Hit(n, 1.0, 0.8, 3.0, Passage(text, 0, len(text), ()), document)


AMOUNT = ("租房补贴标准是多少", "租房补贴的标准为每人{}。")
TIME = ("租房补贴多久发放", "租房补贴在受理之日起{}内发放。")
SINCE = ("租房补贴标准是多少", "自{}起，租房补贴的标准为每人600元。")


@pytest.mark.parametrize(
    ("matter", "city", "province"),
    [
        (AMOUNT, "5,000元", "5000元"),
        (AMOUNT, "1万元", "10,000元"),
        (AMOUNT, "五千元", "5000元"),
        (SINCE, "2024年1月1日", "2023年7月1日"),
        (SINCE, "2024年1月", "2023年7月"),
        (SINCE, "2024 年 1 月 1 日", "2023年7月1日"),
        (TIME, "5个工作日", "五个工作日"),
        (TIME, "5个工作日", "5工作日"),
        (TIME, "20日", "20天"),
        (TIME, "20日", "15个工作日"),  # may well be the same time
    ],
)
def test_a_value_written_otherwise_and_a_date_are_no_difference(
    of_two_levels, matter, city, province
):
    question, text = matter
    assert "不一致" not in of_two_levels(question, text.format(city), text.format(province))


@pytest.mark.parametrize(
    ("matter", "city", "province"),
    [
        (AMOUNT, "5,000元", "6,000元"),
        (AMOUNT, "三千元", "5000元"),
        (AMOUNT, "1万元", "8000元"),
        (TIME, "三十日", "六十日"),
        (TIME, "5个工作日", "10工作日"),
        (TIME, "20日", "15天"),
    ],
)
def test_another_value_is_shown_however_it_is_written(of_two_levels, matter, city, province):
    question, text = matter
    said = of_two_levels(question, text.format(city), text.format(province))
    assert said.index(city) < said.index("不一致") < said.index(province)
