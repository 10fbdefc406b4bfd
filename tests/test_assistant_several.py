"""Several questions in one: split, answered each, cited each."""

import re

import pytest

from assistant.chain import Assistant
from assistant.several import split_questions


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
