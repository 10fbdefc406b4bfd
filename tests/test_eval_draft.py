"""Drafted question sets: questions that their own documents answer."""

import pytest

from eval.draft import draft, question_of
from eval.facts import states
from eval.questions import load_questions, write_rows


@pytest.mark.parametrize(
    ("sentence", "asked", "fact"),
    [
        ("平台汇集的惠企政策超过5700条。", "平台汇集的惠企政策超过多少条？", "5700条"),
        (
            "经办机构收到申请后3个工作日内办完。",
            "经办机构收到申请后多少个工作日内办完？",
            "3个工作日",
        ),
        ("引导型母基金的规模达625亿元。", "引导型母基金的规模达多少元？", "625亿元"),
        ("本办法自2025年7月1日起施行。", "本办法自什么时候起施行？", "2025年7月1日"),
        ("政务服务中心位于东海街道府西路。", "政务服务中心位于哪里？", "东海街道府西路"),
        ("社保经办机构咨询电话：0595-22000000", "社保经办机构咨询电话：多少？", "0595-22000000"),
        ("贷款贴息比例最高为50%。", "贷款贴息比例最高为百分之多少？", "50%"),
    ],
)
def test_what_is_stated_is_asked_for(sentence, asked, fact):
    row = question_of(sentence, "指南")
    assert row["question"] == f"《指南》中，{asked}"
    assert row["facts"] == [fact]
    assert row["kind"].startswith("draft-")


@pytest.mark.parametrize(
    "sentence",
    [
        "其中有3家。",
        "该项目投资3亿元建成投产。",
        "| 年限 | 12个月 | 领取 |。",
        "第三章 办理流程。",
        "",
        "很好。",
    ],
)
def test_what_makes_no_question_of_its_own_is_passed_over(sentence):
    assert question_of(sentence, "指南") is None


def test_drafts_are_a_question_set_whose_facts_stand_in_their_documents(sample_base, tmp_path):
    rows = draft(sample_base, 40)
    assert len(rows) == 40
    write_rows(tmp_path / "drafts.xlsx", rows)
    for question in load_questions(tmp_path / "drafts.xlsx"):
        (document,) = map(sample_base.document, question.relevant)
        assert states(document.text, question.facts[0])
        assert question.facts[0] not in question.question


def test_drafts_are_spread_over_the_documents_and_repeatable(sample_base):
    rows = draft(sample_base, 15)
    assert len({row["relevant"][0] for row in rows}) == 15
    assert draft(sample_base, 15) == rows
    assert draft(sample_base, 15, seed=1) != rows
