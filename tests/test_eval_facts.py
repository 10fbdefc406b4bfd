"""What counts as a stated fact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.facts import coverage, numbers, share_stated, states

SAME = [
    ("５７００条", "平台整合了 5,700 条政策。[1]"),
    ("5700", "整合了5，700条"),
    ("1230000000", "规模为12.3亿元"),
    ("12.3亿", "规模为1,230,000,000元"),
    ("12.3亿元", "规模为十二点三亿元"),
    ("1亿2000万", "合计1.2亿元"),
    ("10万亿", "总量10,000,000,000,000元"),
    ("3千万", "投入3000万元"),
    ("120条", "共一百二十条"),
    ("二十三条", "共23条措施"),
    ("9条", "第二批共九条"),
    ("两家", "新增2家"),
    ("20%", "补贴百分之二十"),
    ("2025年7月1日", "自2025-07-01起"),
    ("2025年7月1日", "自2025/7/1起"),
    ("2025-07-01", "自二〇二五年七月一日起施行"),
    ("2025.7.1", "２０２５年０７月０１日"),
    ("7月1日", "2025-07-01"),
    ("7月1号", "7月1日前"),
    ("2025-07", "2025年7月起"),
    ("十二时", "12时"),
    ("1000亿元。", "达到1000亿元，增长很快"),
    ("《办法》", "按照办法执行"),
    ("“欠费不停供”", '实行"欠费不停供"'),
    ("1 230 000", "1230000"),
    ("0731-88666312", "电话 0731-88666312"),
    ("12366", "拨打 12366 12345"),
    ("先交表，再审核", "先交表， 再\n审核[2]。"),
    ("80多家", "与80余家院校合作"),
    ("十余万人", "惠及十多万人"),
    ("3万多元", "补贴3万余元"),
    ("三十", "期限为三十日"),
    ("第三", "第三十条、第三条"),
    ("统一", "统一一个标准"),
    ("3 个月", "3个月"),
    ("300元", "300.00元"),
    ("12345", "拨打 12345 百姓热线"),
    ("三十日", "申请之日起统一三十日"),
]
DIFFERENT = [
    ("5700", "15700条"),
    ("5700", "57001条"),
    ("5700", "5700.5"),
    ("2000", "2000万平方米"),
    ("12.3亿", "12.3元"),
    ("12.3亿", "12.3万"),
    ("1亿", "11亿"),
    ("1月23日", "11月23日"),
    ("5", "5%"),
    ("100", "0.100"),
    ("七月一日", "十七月一日"),
    ("2025年7月1日", "2025-07-10"),
    ("2025年7月", "2024-07"),
    ("1", "统一办理"),
    ("3000", "3千克"),
    ("23456", "12,3456"),
    ("200300", "200 300"),
    ("184台", "184个"),
    ("十条", "二十条"),
    ("一百", "一百万"),
    ("80多家", "共80家"),
    ("80家", "共80余家"),
    ("80多家", "近80家"),
    ("80多家", "800余家"),
    ("10多万", "10余亿"),
    ("三十", "自收到之日起三十五日内"),
    ("三十", "一百三十日"),
    ("三", "三十日"),
    ("第三", "第三十条"),
    ("每月三百", "每月三百五十元"),
    ("百分之三", "百分之三十"),
    ("百分之三", "百分之三点五"),
    ("五", "三点五"),
    ("三十", "百分之三十"),
    ("30", "百分之30"),
    ("3万", "3万5千元"),
    ("5千", "3万5千元"),
    ("3", "3千元"),
]


@pytest.mark.parametrize(("fact", "answer"), SAME)
def test_the_same_fact_written_differently_is_found(fact, answer):
    assert states(answer, fact)


@pytest.mark.parametrize(("fact", "answer"), DIFFERENT)
def test_another_fact_is_not_taken_for_it(fact, answer):
    assert not states(answer, fact)


def test_one_of_the_alternatives_is_enough():
    assert states("共11批次", ("11批", "11批次"))
    assert not states("共12批次", ("11批", "11批次"))


def test_share_of_facts():
    assert share_stated("有语音问答和语音打印。", ["语音问答", "语音打印", "一键查询"]) == 2 / 3
    assert share_stated("没有要点", []) == 1


def test_coverage_is_the_longest_common_run():
    assert coverage("甲乙丙丁和其他", "甲乙丙丁") == 1
    assert coverage("甲乙丙，丁", "甲乙丙丁") == 0.75
    assert coverage("甲，乙，丙，丁", "甲乙丙丁") == 0.25
    assert coverage("甲乙", ("丙丁", "甲乙")) == 1


def test_numbers_of_a_text_do_not_depend_on_how_they_are_written():
    assert numbers("投入１.２亿元，共三项") == numbers("投入120,000,000元，共3项")


PLAIN = st.text("甲乙丙丁戊，。“”0123456789年月日万亿 ", min_size=1, max_size=30)


@given(PLAIN, PLAIN, PLAIN)
def test_a_fact_set_apart_in_the_answer_is_always_found(before, fact, after):
    assert states(f"{before}；\n答：{fact}。\n说明：{after}", fact) or not fact.strip(" ，。“”")


@given(st.integers(0, 10**13))
def test_a_number_equals_itself_with_separators_and_in_full_width(number):
    wide = f"{number:,}".translate({i: i + 0xFEE0 for i in range(0x21, 0x7F)})
    assert states(f"共{wide}元", f"{number}元")
    assert not states(f"共1{number}元", f"{number}元")


MORE = st.sampled_from(["余", "多"])
COUNTED = st.sampled_from(["家", "条", "人", "万元", "亿元", "个工作日"])


@given(st.integers(10, 10**6), MORE, MORE, COUNTED)
def test_a_number_and_more_is_told_by_either_word_and_is_no_exact_number(number, one, other, what):
    assert states(f"共有{number}{one}{what}。", f"{number}{other}{what}")
    assert not states(f"共有{number}{one}{what}。", f"{number}{what}")
    assert not states(f"共有{number}{what}。", f"{number}{other}{what}")
    assert not states(f"共有{number + 10}{one}{what}。", f"{number}{other}{what}")


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_text_can_be_compared(answer, fact):
    assert states(answer, fact) in {True, False}
    assert 0 <= coverage(answer, fact) <= 1
