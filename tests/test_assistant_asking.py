"""What a question asks for, and what says it."""

import pytest

from assistant.asking import holds, understand


@pytest.mark.parametrize(
    ("question", "says", "does_not"),
    [
        ("平台是哪一年开通的", "2023年7月开通", "已有24万家企业注册"),
        ("这个项目总投资多少？", "总投资12.3亿元", "用地876亩"),
        ("补贴一共是多少", "每月三百元", "共发放12次"),
        ("贷款利率是多少", "年利率3.2%", "最高可贷500万元"),
        ("窗口几点下班", "下午17:30下班", "当天办完"),
        ("报名到几号截止", "9月10日止", "逾期不再受理"),
        ("要等多少天", "3个工作日内", "收费20元"),
        ("小孩多久能拿到证", "当场发放", "交两张照片"),
    ],
)
def test_a_number_is_told_by_its_unit_whether_that_is_named_or_not(question, says, does_not):
    unit = understand(question, lambda _: {}).unit
    assert unit is not None
    assert unit.search(says)
    assert not unit.search(does_not)


@pytest.mark.parametrize("question", ["身份证丢了怎么办", "哪里能办居住证", "有多少种办法"])
def test_what_is_asked_without_a_known_unit_has_none_or_a_classifier(question):
    unit = understand(question, lambda _: {}).unit
    assert unit is None or unit.search("三种")


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("公司欠了我几个月工资，找谁", False),
        ("老板好几个月没发工资了，该找谁投诉", False),
        ("家里没有多少钱，能领低保吗", False),
        ("几年前我上过班，现在失业金能领几个月", True),
        ("公积金缴了几年", True),
        ("要提前几天预约", True),
    ],
)
def test_a_number_is_wanted_where_it_is_asked_for_not_where_it_is_told(question, wanted):
    asked = understand(question, lambda _: {})
    assert ("number" in asked.kinds) is wanted
    assert (asked.unit is not None) is wanted


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("社保局电话是多少", True),
        ("举报黑煤窑打啥电话", True),
        ("公积金中心 电话", True),
        ("举报毁绿打啥号", True),
        ("有没有咨询热线", True),
        ("换了手机号码怎么更新社保信息", False),
        ("遇到电话诈骗怎么报案", False),
        ("车牌号码可以自己选吗", False),
        ("骚扰电话天天打，能赔多少钱", False),
    ],
)
def test_a_phone_number_is_wanted_where_one_is_asked_for(question, wanted):
    assert ("phone" in understand(question, lambda _: {}).kinds) is wanted


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("突发急病时拨打急救电话120。", True),
        ("遇到火灾请立即拨打119。", True),
        ("报警电话：110。", True),
        ("可以拨打122交通事故报警电话。", True),
        ("120急救中心电话由市卫健委公布。", True),
        ("每月补贴120元。", False),
        ("面积不超过120平方米。", False),
        ("每次打120元的九折。", False),
        ("电话费每月120元。", False),
    ],
)
def test_emergency_numbers_are_phone_numbers_and_amounts_are_none(text, is_one):
    assert holds("phone", text) == is_one
