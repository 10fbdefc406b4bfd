"""What is asked for of one thing: a fee is what is paid, and a condition is no time limit."""

import pytest

from assistant.attributes import attribute_of
from assistant.chain import Assistant
from knowledge.base import KnowledgeBase
from knowledge.settings import load_settings
from knowledge.types import Document

SUBSIDY = """# 家政服务员培训补贴办法

## 补贴对象

参加家政服务员培训并取得证书的人员可以申请培训补贴。

## 补贴标准

家政服务员培训补贴标准为每人1800元，由市人力资源和社会保障局发放。

## 申请材料

申请时提交身份证、培训合格证书和银行卡复印件。
"""
PLATE = "# 车辆号牌补领指南\n\n车辆号牌丢失的，车主带身份证到车管所补领，每证20元，15日内发放。\n"


@pytest.fixture(scope="module")
def assistant(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with KnowledgeBase(load_settings(home=home)) as base:
        documents = [
            Document("a", "家政服务员培训补贴办法", SUBSIDY, "a.md"),
            Document("b", "车辆号牌补领指南", PLATE, "b.md"),
        ]
        list(base.add_all(documents))
        yield Assistant(base)


@pytest.mark.parametrize(
    "question",
    [
        "家政服务员培训补贴多少，收费吗",
        "家政服务员培训补贴的标准是多少，要不要收费",
        "申请家政服务员培训补贴要什么材料，要交多少钱",
    ],
)
def test_a_subsidy_is_no_fee(assistant, question):
    answer = assistant.ask(question).answer()
    assert (answer.status, answer.missing) == ("partial", ("费用",))
    assert "原文未提及：费用。" in answer.answer
    assert "二、" not in answer.answer


@pytest.mark.parametrize(
    ("question", "amount"),
    [
        ("家政服务员培训补贴怎么申请，能拿多少钱", "1800元"),
        ("家政服务员培训补贴要什么材料，多少钱", "1800元"),
        ("车辆号牌补领的材料和费用是什么", "20元"),
    ],
)
def test_what_one_gets_and_what_one_pays_are_told(assistant, question, amount):
    answer = assistant.ask(question).answer()
    assert (answer.status, answer.missing) == ("answered", ())
    assert amount in answer.answer


@pytest.mark.parametrize(
    "text",
    [
        "每证20元。",
        "20元/证",
        "工本费40元。",
        "首次申领免费。",
        "收20元。",
        "考试费为每科60元。",
        "培训费1,200元，考核合格的补贴800元。",
        "个人缴费标准为每人549元，财政补助标准为每人820元。",
        "| 项目 | 费用 |\n|---|---|\n| 驾驶证补领 | 10元 |",
        "价格：\n- 换领20元\n- 补领40元",
        "## 费用\n\n补领20元。",
    ],
)
def test_an_amount_that_is_paid_is_a_fee(text):
    assert attribute_of("收费吗").is_said(text)


@pytest.mark.parametrize(
    "text",
    [
        "符合条件的给予一次性补贴，标准为每人5,000元。",
        "补贴培训费1800元。",
        "低保标准为每人每月1309元。",
        "贷款额度最高30万元。",
        "可以处5万元以下的罚款。",
        "社会消费品零售总额1991亿元。",
        "| 工种 | 补贴标准 |\n|---|---|\n| 家政 | 1800元 |",
    ],
)
def test_an_amount_that_is_received_or_counted_is_no_fee(text):
    assert not attribute_of("收费吗").is_said(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("6个月内办结。", True),
        ("自受理之日起十五个工作日。", True),
        ("有效期10年。", True),
        ("连续缴费满1年的可以申请。", False),
        ("缴费满一年。", False),
        ("缴存6个月以上的职工。", False),
    ],
)
def test_how_long_one_has_had_something_is_no_time_limit(text, said):
    assert attribute_of("多久").is_said(text) == said
