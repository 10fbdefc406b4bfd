"""Several questions in one: split, answered each, cited each."""

import re

import pytest

from assistant.attributes import listed
from assistant.chain import Assistant
from assistant.composing import Composed
from assistant.evidence import Evidence
from assistant.several import Asked, Part, joined, of_each_place, split_questions
from assistant.types import Citation, Turn


@pytest.fixture(scope="module")
def assistant(sample_base):
    return Assistant(sample_base)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "身份证丢了怎么补，要带什么材料，多少钱？",
            ["身份证丢了怎么补", "要带什么材料", "多少钱？"],
        ),
        ("公积金怎么取？居住证怎么办？谢谢您！", ["公积金怎么取？", "居住证怎么办？"]),
        ("洛江弄了几个园区 占地多大", ["洛江弄了几个园区", "占地多大"]),
        ("落户要什么材料、多久能办好、去哪办", ["落户要什么材料", "多久能办好", "去哪办"]),
        (
            "我是外地人，孩子上学怎么办，需要什么条件",
            ["我是外地人，孩子上学怎么办", "需要什么条件"],
        ),
    ],
)
def test_several_questions_are_taken_apart(text, parts):
    assert split_questions(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "身份证丢了怎么补",
        "办营业执照需要身份证、照片、租赁合同吗",
        "企业技术创新基金和研发奖补资金分别是多少？",
        "我在厂里干了三年，老板不发工资，找谁投诉",
        "失业金怎么领，是去社保局还是网上办",
        "建成了多少平方米厂房，引进了多少家企业？",
        "《居住证怎么办，要多久》这篇文章讲什么",
        "",
        "？？？",
    ],
)
def test_one_question_stays_one(text):
    assert split_questions(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "老板好几个月没发工资了，该找谁投诉",
        "我没有什么收入，能申请低保吗",
        "几年前我在厂里上班，现在失业了，能领多久失业金",
        "我几个月前离职了，失业金怎么领",
        "公司欠了我几个月工资，找谁",
        "家里没有多少钱，能领低保吗",
        "不管谁来办，要带什么",
        "我前几年办过，刚来没多久，怎么续签",
    ],
)
def test_a_story_is_no_question(text):
    assert split_questions(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "有没有什么补贴，去哪申请",
        "没有什么补贴吗，去哪申请",
        "没有什么补贴？去哪申请",
        "要提前几天预约，去哪办",
        "身份证到期前几个月能换，去哪办",
        "到期几天前去换，要带什么",
        "失业险缴了几年能领，去哪领",
        "几个月没交社保会停，怎么补缴",
        "洛江建了几个园区，占地多大",
        "物业不管怎么办，找谁投诉",
        "那几天能拿到呢，去哪拿",
    ],
)
def test_what_asks_in_words_that_stories_have_is_a_question(text):
    assert len(split_questions(text)) == 2


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("洛江和惠安分别建了几个园区", ["洛江建了几个园区", "惠安建了几个园区"]),
        ("泉州、厦门有多少台一体机", ["泉州有多少台一体机", "厦门有多少台一体机"]),
        ("泉州和厦门之间坐动车要几个小时", ["泉州和厦门之间坐动车要几个小时"]),
        ("泉州和厦门一共有多少台一体机", ["泉州和厦门一共有多少台一体机"]),
        ("泉州有多少台一体机", ["泉州有多少台一体机"]),
        ("身份证和居住证分别多少钱", ["身份证和居住证分别多少钱"]),
    ],
)
def test_what_is_asked_of_each_place_is_taken_apart(text, parts):
    assert of_each_place(text) == parts


def _part(question, text, start):
    citation = Citation(1, "d1", "通知", "", "/1.md", "", text, start, start + len(text))
    composed = Composed(f"{text}[1]", (citation,), "extractive")
    return Part(Asked(question), question, Evidence(1.0, "answered"), composed)


def test_each_of_many_parts_has_its_number():
    parts = [_part(f"问题{n}", f"答案{n}。", 10 * n) for n in range(7)]
    _, composed = joined(parts, lambda _: {})
    assert "七、问题6\n答案6。[7]" in composed.text


def test_a_document_number_is_no_mark():
    parts = [_part("发多少", "发三百元。", 0), _part("按什么", "按泉政[2020]12号。", 10)]
    _, composed = joined(parts, lambda _: {})
    assert "按泉政[2020]12号。[2]" in composed.text


@pytest.mark.parametrize(
    "question", ["洛江和金门分别建了几个专业化园区", "金门和洛江各建了几个专业化园区"]
)
def test_of_two_places_the_known_one_is_told_of_and_the_other_is_named(assistant, question):
    answer = assistant.ask(question).answer()
    assert answer.status == "partial"
    assert "7个" in answer.answer
    assert ["金门" in missing for missing in answer.missing] == [True]
    assert "资料里没有找到“金门”这方面的内容。" in answer.answer


@pytest.mark.parametrize(
    ("text", "names", "first"),
    [
        ("公积金贷款的额度和办理时限是多少", ["额度", "办理时限"], "公积金贷款的额度是多少"),
        ("申请低保需要什么条件和材料", ["条件", "材料"], "申请低保需要什么条件"),
        (
            "居住证的办理地点、材料以及收费标准分别是什么",
            ["地点", "材料", "收费标准"],
            "居住证的办理地点分别是什么",
        ),
        ("企业技术创新基金和研发奖补资金分别是多少", [], ""),
        ("办营业执照需要身份证和照片吗", [], ""),
    ],
)
def test_attributes_of_one_thing_are_taken_apart(text, names, first):
    found = listed(text)
    assert [one.name for one in found] == names
    assert not found or found[0].question == first


@pytest.mark.parametrize(
    ("question", "facts"),
    [
        ("居住证的办理地点和办理时限是什么", ["派出所", "15日"]),
        ("办居住证要什么材料、多久能办好、去哪办", ["本人照片", "15日", "派出所"]),
        ("失业保险金的领取条件和领取期限是什么", ["满一年", "领取期"]),
        ("医保缴费记录查询的渠道和费用", ["不收费"]),
        ("公积金提取的流程和时限", ["提取证明", "3日"]),
    ],
)
def test_attributes_that_are_all_said_are_answered(assistant, question, facts):
    answer = assistant.ask(question).answer()
    assert (answer.status, answer.missing) == ("answered", ())
    assert [fact for fact in facts if fact not in answer.answer] == []


@pytest.mark.parametrize(
    ("question", "fact", "missing"),
    [
        ("居住证的办理时限和收费标准是什么", "15日", "收费标准"),
        ("办居住证要什么材料、多久能办好、收多少钱", "本人照片", "费用"),
        ("身份证补领的时限和费用是多少", "60日", "费用"),
        ("申请低保的条件和办理时限", "人均收入", "办理时限"),
        ("申请低保的时限和条件", "人均收入", "时限"),
        ("低保去哪申请、多久能批下来", "乡镇政府", "办理时限"),
    ],
)
def test_an_attribute_that_is_not_said_is_named(assistant, question, fact, missing):
    answer = assistant.ask(question).answer()
    assert (answer.status, answer.missing) == ("partial", (missing,))
    assert not answer.refused
    assert fact in answer.answer
    assert f"原文未提及：{missing}。" in answer.answer


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("居住证的收费标准和联系电话是多少", ("收费标准", "联系电话")),
        ("晋快办的收费标准和办理时限", ("收费标准", "办理时限")),
    ],
)
def test_attributes_that_are_none_of_them_said_are_not_covered(assistant, question, missing):
    answer = assistant.ask(question).answer()
    assert (answer.status, answer.missing) == ("not_covered", missing)
    assert answer.refused


def test_questions_in_everyday_words_are_told_apart(assistant):
    answer = assistant.ask("办居住证要带啥，几天能拿到").answer()
    assert "身份证" in answer.answer
    assert "15日" in answer.answer
    assert "办居住证几天能拿到" in answer.answer


def test_a_follow_up_for_what_is_not_said_is_refused(assistant):
    history = [Turn("user", "居住证怎么办"), Turn("assistant", "到派出所办，15日内发放。[1]")]
    answer = assistant.ask("收不收费", history).answer()
    assert (answer.status, answer.missing) == ("not_covered", ("费用",))
    assert "派出所" in assistant.ask("在哪办", history).answer().answer


def test_how_long_another_matter_takes_is_missed_where_it_is_not_said(assistant):
    answer = assistant.ask("身份证补领多久拿到，驾照多久").answer()
    assert (answer.status, answer.missing) == ("partial", ("驾照办理时限",))
    assert answer.answer.count("60日") == 1


def test_how_long_each_of_two_matters_takes_is_told(assistant):
    answer = assistant.ask("身份证补领多久拿到，居住证多久").answer()
    assert answer.status == "answered"
    assert "60日" in answer.answer
    assert "15日" in answer.answer


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("老板好几个月没发工资了，该找谁投诉", "投诉"),
        ("我没有什么收入，能申请低保吗", "人均收入"),
    ],
)
def test_what_a_story_tells_is_not_asked_for(assistant, question, fact):
    answer = assistant.ask(question).answer()
    assert (answer.status, answer.missing) == ("answered", ())
    assert fact in answer.answer


def test_many_questions_lose_no_word():
    text = "？".join(f"事项{n}怎么办" for n in range(12))
    assert "".join(split_questions(text)).replace("？", "") == text.replace("？", "")
    assert len(split_questions(text)) == 5


def test_each_question_is_answered_and_cited_on_its_own(assistant, sample_base):
    reply = assistant.ask("居住证办下来要几天？低保去哪儿申请？")
    streamed = "".join(delta.text for delta in reply)
    answer = reply.answer()
    assert streamed == answer.answer
    assert answer.status == "answered"
    assert "15日" in answer.answer
    marks = [int(mark) for mark in re.findall(r"\[(\d+)\]", answer.answer)]
    assert marks == [citation.n for citation in answer.citations]
    assert len({citation.document_id for citation in answer.citations}) == 2
    for citation in answer.citations:
        text = sample_base.document(citation.document_id).text
        assert text[citation.start : citation.end] == citation.quote


def test_what_is_missing_is_named_and_the_rest_is_answered(assistant):
    answer = assistant.ask("居住证办下来要几天，火星上的房子怎么过户").answer()
    assert answer.status == "partial"
    assert not answer.refused
    assert answer.missing == ("火星上的房子怎么过户",)
    assert "15日" in answer.answer
    assert "12345" in answer.answer


def test_what_one_sentence_answers_is_said_once(assistant):
    answer = assistant.ask("惠安牵线搞成了几个项目 总共投多少钱").answer()
    assert answer.status == "answered"
    assert answer.answer.count("33个") == 1
    assert "12.3亿元" in answer.answer


def test_several_questions_that_are_all_refused_are_refused_once(assistant):
    answer = assistant.ask("火星上的房子怎么过户？月亮上怎么养鱼？").answer()
    assert answer.refused
    assert answer.citations == ()
    assert answer.answer.count("12345") == 1
