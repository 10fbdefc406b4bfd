"""What a passage supports, and what only looks as if it did."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import hit

from assistant.grounding import Grounding

GUIDE = """一、申请条件
年满60周岁以上、具有本市户籍的老年人，可以申请高龄津贴。
已经享受低保待遇的，不得重复申请。
二、补贴标准
60周岁至79周岁的，每人每月补贴100元；80周岁以上的，每人每月补贴300元。
每户每年最高不超过5000元。
三、办理
向户籍所在地的街道办事处提出申请，街道办事处应当在15个工作日内审核，由泉州市民政局发放。
咨询电话0595-22123456，依据泉政办〔2021〕7号，自2022年1月1日起施行。
"""


def supports(sentence, text=GUIDE, cited=(1,), **more):
    return Grounding([hit(text, title="高龄津贴申请办法", **more)]).support(sentence, cited)


@pytest.mark.parametrize(
    "sentence",
    [
        "年满60周岁以上、具有本市户籍的老年人可以申请高龄津贴。",
        "您年满60周岁以上并且具有本市户籍的，可以申请高龄津贴。",
        "80周岁以上的每人每月补贴300元。",
        "80周岁以上的，每人每月补贴300元，60周岁至79周岁的补贴100元。",
        "每户每年最多5000元，不超过这个数。",
        "１５个工作日内由街道办事处审核。",
        "向户籍所在地的街道办事处提出申请，15个工作日内审核。",
        "享受低保待遇的不得重复申请。",
        "咨询电话是0595-22123456。",
        "申请依据为泉政办〔2021〕7号。",
        "自2022年1月1日起施行。",
        "- 已经享受低保待遇的，不得重复申请",
        "由泉州市民政局发放津贴。",
        "申请需要符合以下条件：年满60周岁以上，具有本市户籍。",
    ],
)
def test_what_the_passage_says_is_supported(sentence):
    assert supports(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "80周岁以上的，每人每月补贴500元。",  # a number that is nowhere
        "80周岁以上的，每人每月补贴30元。",  # part of a number
        "80周岁以上的，每人每月补贴100元；60周岁至79周岁的，每人每月补贴300元。",  # swapped
        "60周岁以下、具有本市户籍的老年人，可以申请高龄津贴。",
        "每户每年最低不少于5000元。",
        "街道办事处应当在15个月内审核。",
        "街道办事处应当在15小时内审核。",
        "已经享受低保待遇的，可以重复申请。",
        "年满60周岁以上、具有本市户籍的老年人，不可以申请高龄津贴。",
        "由厦门市民政局发放津贴。",
        "由泉州市财政局发放津贴。",
        "咨询电话0595-22123457。",
        "申请依据为泉政办〔2021〕8号。",
        "申请依据为厦政办〔2021〕7号。",
        "自2022年1月10日起施行。",
        "根据《老年人权益保障条例》，可以申请高龄津贴。",
        "请登录www.example.com申请高龄津贴。",
        "联系人张建国，向街道办事处提出申请。",
        "每人每月补贴300元，还赠送意外保险和体检套餐。",
        "天气晴朗，适合外出。",
        "You may apply for the allowance.",
        "可以。",
        "",
    ],
)
def test_what_the_passage_does_not_say_is_not_supported(sentence):
    assert not supports(sentence)


@pytest.mark.parametrize(
    ("source", "wrong", "right"),
    [
        (
            "60周岁以上的每人每月100元。80周岁以上的每人每月300元。",
            "60周岁以上的每人每月300元。",
            "80周岁以上的每人每月300元。",
        ),
        (
            "一级残疾每月补贴300元；二级残疾每月补贴200元。",
            "一级残疾每月补贴200元。",
            "二级残疾每月补贴200元。",
        ),
        (
            "初中生每人补助500元，高中生每人补助800元。",
            "初中生每人补助800元。",
            "高中生每人可以领取补助800元。",
        ),
        (
            "市级孵化器奖励30万元，省级孵化器奖励50万元。",
            "市级孵化器奖励50万元。",
            "省级孵化器可以得到50万元奖励。",
        ),
        (
            "男性年满60周岁，女性年满55周岁可以领取养老金。",
            "男性年满55周岁可以领取养老金。",
            "男性年满60周岁可以领取养老金。",
        ),
        (
            "一级残疾补贴300元，二级残疾200元。",
            "一级残疾补贴200元。",
            "一级残疾补贴300元，二级残疾补贴200元。",
        ),
    ],
)
def test_a_number_of_the_row_beside_is_not_supported(source, wrong, right):
    assert not supports(wrong, source)
    assert supports(right, source)


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ("未满18周岁的，应当由监护人陪同办理。", "满18周岁的，应当由监护人陪同办理。"),
        ("不满16周岁的公民，由监护人代为申领。", "满16周岁的公民，由监护人代为申领。"),
        ("年收入不足5万元的家庭可以申请。", "年收入5万元的家庭可以申请。"),
        ("年收入低于5万元的家庭可以申请。", "年收入5万元的家庭可以申请。"),
        ("年收入5万元以下的家庭可以申请。", "年收入5万元的家庭可以申请。"),
        ("单位职工不足30人的，免缴保障金。", "单位职工30人的，免缴保障金。"),
        ("一次性补贴最高5000元。", "一次性补贴5000元。"),
        ("3人（含）以上的家庭可以申请。", "3人的家庭可以申请。"),
        ("收到材料之日起不少于15个工作日办结。", "收到材料之日起15个工作日办结。"),
        ("请在6月30日前提交申请材料。", "请在6月30日后提交申请材料。"),
        ("每户补贴100元至500元。", "每户补贴500元。"),
        ("每户补贴100-500元。", "每户补贴500元。"),
        ("未成年人不得办理。", "成年人不得办理。"),
        ("请在6月30日前提交申请材料。", "请在30日前提交申请材料。"),
        ("申请截止时间为2025年6月30日。", "申请截止时间为30日。"),
    ],
)
def test_a_limit_or_date_is_neither_dropped_nor_turned_round(source, wrong):
    assert not supports(wrong, source)
    assert supports(source, source)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("年满60周岁以上的老年人免费乘车。", "年满60周岁的老年人免费乘车。"),
        ("年满60周岁的老年人免费乘车。", "60周岁的老年人免费乘车。"),
        ("审核应当在15个工作日以内办结。", "审核应当在15个工作日内办结。"),
        ("审核时间：15个工作日内办结。", "审核时间为15个工作日。"),
        ("未满18周岁的，应当由监护人陪同办理。", "不满18周岁的，由监护人陪同办理。"),
        ("补贴最高5000元。", "补贴最多5000元。"),
        ("最低工资每月2030元。", "每月的最低工资为2030元。"),
        ("3人以上每人500元。", "3人以上的，每人500元。"),
        ("每户补贴100元至500元。", "每户补贴100元到500元。"),
        ("活动时间为6月1日至6月30日。", "活动时间到6月30日为止。"),
        ("每月15日前缴费。", "应当在每月15日前缴费。"),
    ],
)
def test_a_limit_may_be_said_in_other_words(source, said):
    assert supports(said, source)


def test_a_sentence_is_checked_against_the_passage_that_it_cites():
    hits = [hit("图书馆周一闭馆。", rank=1), hit("博物馆每天9点开门。", rank=2)]
    grounding = Grounding(hits)
    assert grounding.support("博物馆每天9点开门。", [2])
    assert not grounding.support("博物馆每天9点开门。", [1])
    for nowhere in (0, 3, 99):  # never wraps round to another passage
        assert not grounding.support("博物馆每天9点开门。", [nowhere])


def test_a_sentence_without_a_mark_is_cited_where_it_stands():
    hits = [hit("图书馆周一闭馆。", rank=1), hit("博物馆每天9点开门。", rank=2)]
    (quote,) = Grounding(hits).support("博物馆每天9点开门。", [])
    assert quote.hit.rank == 2


def test_a_sentence_from_two_passages_quotes_both():
    hits = [hit("图书馆周一闭馆。", rank=1), hit("博物馆每天9点开门。", rank=2)]
    quotes = Grounding(hits).support("图书馆周一闭馆，博物馆每天9点开门。", [1, 2])
    assert [quote.text for quote in quotes] == ["图书馆周一闭馆。", "博物馆每天9点开门。"]


def test_the_quote_is_the_sentence_that_supports():
    (quote,) = supports("每户每年最高不超过5000元。")
    assert quote.text == "每户每年最高不超过5000元。"
    (quote,) = supports("80周岁以上的每人每月补贴300元，每户每年最高不超过5000元。")
    assert quote.text.startswith("80周岁以上")
    assert quote.text.endswith("5000元。")


def test_the_title_names_what_the_passage_is_about():
    assert supports("高龄津贴每人每月100元。", "补贴标准：每人每月100元。")
    assert not supports("育儿补助每人每月100元。", "标准：每人每月100元。")


def test_what_is_asked_about_counts_only_where_the_passage_speaks_of_it():
    hits = [hit("泉州已经建成184台服务一体机，覆盖全部乡镇。")]
    said = "厦门已经建成184台服务一体机，覆盖全部乡镇。"
    assert not Grounding(hits, question="厦门有多少台一体机").support(said, [1])
    assert Grounding(hits, question="泉州有多少台一体机").support(said.replace("厦门", "泉州"), [1])


def test_the_embedding_is_asked_only_where_the_words_leave_it_open():
    asked = []

    def alike(one, other):
        asked.append((one, other))
        return 0.9

    text = "申请人应当携带居民身份证原件，前往就近的社保服务网点现场办理。"
    hits = [hit(text)]
    close = "带上居民身份证，到附近的社保服务网点提交。"
    assert not Grounding(hits).support(close, [1])
    assert Grounding(hits, alike).support(close, [1])
    assert len(asked) == 1
    assert not Grounding(hits, alike).support("每人补贴9元。", [1])
    assert Grounding(hits, alike).support(text, [1])
    assert len(asked) == 1


@given(st.integers(0, 10**7), st.sampled_from(["元", "万元", "天", "%", "个工作日", "人", ""]))
def test_a_number_is_supported_only_where_it_stands(number, unit):
    source = "补贴标准为每人每月100元，期限30天，比例5%，共12人，审核15个工作日，总额20万元。"
    there = {"100元", "30天", "5%", "12人", "15个工作日", "20万元"}
    said = f"{number}{unit}"
    supported = bool(supports(f"补贴标准为每人每月{said}。", source))
    assert supported <= (said in there or (not unit and any(t.startswith(said) for t in there)))


@given(st.text(max_size=80))
def test_any_sentence_can_be_checked(sentence):
    for quote in supports(sentence, cited=()):
        assert quote.text in GUIDE
