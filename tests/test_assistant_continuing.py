"""Places: what is asked of one is not answered from another's documents."""

import pytest

from assistant.chain import Assistant
from assistant.counties import cities_asked_about
from assistant.types import Turn
from knowledge.base import KnowledgeBase
from knowledge.places import without_excluded
from knowledge.settings import load_settings
from knowledge.types import Document

DOCUMENTS = {
    "来（返）德阳人员健康管理告知书": "湖北省等地来（返）德阳人员，应当集中隔离医学观察14天；"
    "四川省外来（返）德阳人员，应当居家医学观察14天。来（返）德阳人员如出现发热、干咳等症状，"
    "可拨打本市发热咨询专线2518363进行咨询。来（返）德阳人员如出现心理不适或情绪困扰，"
    "可拨打心理危机干预热线18016128961。",
    "上海市发热咨询平台启用": "上海市发热咨询平台启用，市民发热可拨打24小时电话热线33672885咨询。",
    "关于重庆市纳税人办理发票寄递业务暂免邮费的通告": "从2月9日起至2月29日，"
    "重庆市范围内的纳税人网上申领发票，选择邮寄方式领取的，免收邮寄费用。",
    "关于四川省纳税人办理发票寄递业务的通告": "四川省纳税人申领发票可以选择邮寄方式，"
    "邮费由四川邮政承担，纳税人不需要给邮费。",
    "医疗废物应急处置管理指南": "医疗废物暂时贮存的时间不得超过24小时，应当及时转运处置。",
    "关于延长纳税申报期限的通知": "对按月申报的纳税人，除湖北省外，纳税申报期限延长至2月28日。",
    "税务总局：优惠政策落实要给力": "税务总局在依法将2月份申报纳税期延长至2月24日，"
    "湖北省延长至3月6日的基础上，梳理发布涉税事项网上办理清单。",
}


@pytest.fixture(scope="module")
def assistant(tmp_path_factory):
    with KnowledgeBase(load_settings(home=tmp_path_factory.mktemp("home"))) as base:
        list(base.add_all([Document(t, t, x, f"/docs/{t}.md") for t, x in DOCUMENTS.items()]))
        yield Assistant(base)


def converse(assistant, *questions):
    history, answer = [], None
    for question in questions:
        answer = assistant.ask(question, history).answer()
        history += [Turn("user", question), Turn("assistant", answer.answer)]
    return answer


@pytest.mark.parametrize(
    ("before", "question", "fact"),
    [
        ("外省回德阳隔离几天", "发烧打啥电话", "2518363"),
        ("外省回德阳隔离几天", "心里难受打啥电话", "18016128961"),
        ("重庆的发票可以邮寄吗", "邮费要给吗", "免收邮寄费用"),
    ],
)
def test_a_question_without_a_place_is_asked_of_that_of_the_conversation(
    assistant, before, question, fact
):
    answer = converse(assistant, before, question)
    assert fact in answer.answer
    assert len({citation.document_id for citation in answer.citations}) == 1


def test_what_only_another_place_says_is_refused(assistant):
    answer = converse(assistant, "重庆的发票可以邮寄吗", "发烧打啥电话")
    assert answer.status == "elsewhere"
    assert "重庆" in answer.reason


def test_what_holds_everywhere_is_told_after_a_question_about_a_place(assistant):
    alone = assistant.ask("医疗废物最多能放多久").answer()
    answer = converse(assistant, "外省回德阳隔离几天", "医疗废物最多能放多久")
    assert not answer.refused
    assert answer.answer == alone.answer


def test_a_place_that_a_question_names_comes_before_that_of_the_conversation(assistant):
    assert "33672885" in converse(assistant, "外省回德阳隔离几天", "上海发烧打啥电话").answer


def test_each_of_several_questions_is_asked_of_the_place_of_the_first(assistant):
    question = "德阳外省回来隔离几天？发烧打啥电话？心里难受打啥电话？"
    answer = assistant.ask(question).answer()
    assert all(fact in answer.answer for fact in ("14天", "2518363", "18016128961"))
    assert "33672885" not in answer.answer


def test_what_leaves_a_place_out_is_not_told_of_that_place(assistant):
    answer = assistant.ask("湖北按月申报的纳税申报期限延到哪天").answer()
    assert "3月6日" in answer.answer
    assert "2月28日" not in answer.answer


def test_where_somebody_comes_from_need_not_be_known(assistant):
    answer = assistant.ask("从武汉回德阳要隔离几天").answer()
    assert not answer.refused
    assert "14天" in answer.answer


def test_another_city_stays_asked_about_where_guides_name_none(sample_base):
    assert converse(Assistant(sample_base), "厦门居住证怎么办", "要多久").refused


@pytest.mark.parametrize(
    ("question", "places"),
    [
        ("从武汉回德阳要隔离几天", {"德阳"}),
        ("武汉回来的人在德阳要登记吗", {"德阳"}),
        ("德阳来武汉要隔离吗", {"武汉"}),
        ("那成都回来的呢", set()),
        ("到北京来打工要办居住证吗", {"北京"}),
        ("湖北返乡人员有补贴吗", {"湖北"}),
        ("德阳返岗要什么证明", {"德阳"}),
        ("从重庆市税务局网站怎么领发票", {"重庆"}),
    ],
)
def test_the_place_that_somebody_comes_from_is_not_asked_about(question, places):
    assert cities_asked_about(question) == places


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("除湖北省外，延至2月28日", "，延至2月28日"),
        ("其他省（湖北除外）", "其他省（）"),
        ("各省（不含湖北）", "各省（）"),
        ("除夕在武汉以外", "除夕在武汉以外"),
    ],
)
def test_what_a_text_leaves_out(text, about):
    assert without_excluded(text) == about
