"""Everyday words are told from the documents' own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.wording import everyday


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("公积金咋取", "职工如何申请提取住房公积金？"),
        ("娃上户口去哪儿整", "新生儿出生登记应当向哪个机关申报？"),
        ("老板拖着不给钱找谁说理", "用人单位拖欠劳动报酬的，劳动者可以向哪个部门投诉？"),
        ("摆个摊要不要先打招呼啊", "设置临时摊点是否应当经过城市管理部门批准？"),
    ],
)
def test_a_question_as_people_speak_is_told_from_one_as_documents_are_written(spoken, written):
    assert everyday(written) < 0.3
    assert everyday(spoken) > 0.4


def test_a_rare_name_makes_no_question_everyday():
    assert everyday("国务院办公厅如何规定对乌兹别克斯坦进出口货物的检验检疫？") < 0.3


@given(st.text(max_size=80))
def test_any_text_lies_between_the_two(text):
    assert 0 <= everyday(text) <= 1


@given(st.text(alphabet="公积金咋取提申请 ?？", max_size=20))
def test_what_is_no_chinese_character_does_not_count_twice(text):
    assert everyday(text) == everyday(text.replace("？", "?"))
