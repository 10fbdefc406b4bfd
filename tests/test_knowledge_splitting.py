import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.splitting import LONGEST, sentences, split
from knowledge.types import Document

PIECES = (
    *("第一章 总则", "第一条 ", "第十二条　", "一、", "（二）", "3.", "# 标题", "## 小节"),
    *("\n", "\n\n", "　　", "。", "；", "，", "：", " "),
    *("| 项目 | 金额 |", "|---|---|", "| 补贴 | 500元 |", "申请人应当提交材料"),
    *("2024年7月1日", "abc", "x" * 300, "不动产登记证明可以在线查询打印" * 20),
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=400)


def document(text):
    return Document("d", "标题", text, "source")


@given(TEXTS)
def test_every_passage_stands_at_its_span(text):
    for passage in split(document(text)):
        assert text[passage.start : passage.end] == passage.text


@given(TEXTS)
def test_every_character_is_in_exactly_one_passage(text):
    passages = split(document(text))
    assert all(one.end <= two.start for one, two in itertools.pairwise(passages))
    covered = "".join(passage.text for passage in passages)
    assert "".join(covered.split()) == "".join(text.split())


@given(TEXTS)
def test_no_passage_is_longer_than_the_longest(text):
    assert all(len(passage.text) <= LONGEST for passage in split(document(text)))


@given(TEXTS)
def test_sentences_cover_the_text_in_order(text):
    spans = sentences(text)
    assert "".join("".join(text[a:b] for a, b in spans).split()) == "".join(text.split())
    assert all(one[1] <= two[0] for one, two in itertools.pairwise(spans))


def test_articles_are_passages_of_their_own_under_their_chapter():
    text = "第一章 总则\n第一条 为了规范管理，制定本办法。\n第二条 本办法适用于本市。\n"
    sections = [(p.text[:3], p.section) for p in split(document(text))]
    assert sections == [
        ("第一章", ("第一章 总则", "第一条")),
        ("第二条", ("第一章 总则", "第二条")),
    ]


def test_numbered_headings_make_a_path():
    body = "各区要按照职责分工抓好落实，并在每季度末报送进展情况。" * 8
    text = f"一、总体要求\n（一）指导思想。{body}\n（二）工作目标。{body}\n二、保障措施\n{body}"
    paths = [passage.section for passage in split(document(text))]
    assert ("一、总体要求", "（一）指导思想") in paths
    assert ("一、总体要求", "（二）工作目标") in paths
    assert ("二、保障措施",) in paths


def test_rows_of_a_long_table_keep_their_header_in_the_path():
    rows = "\n".join(f"| 第{n}类补贴项目 | {n}00元每人每月 |" for n in range(60))
    passages = split(document(f"| 项目 | 标准 |\n|---|---|\n{rows}"))
    assert len(passages) > 1
    assert all("| 项目 | 标准 |" in passage.section for passage in passages[1:])


def test_structure_inside_one_long_line_is_found():
    body = "加大储备和货源组织力度，落实属地责任，完善保供机制，建立预防断货的响应机制。" * 4
    sections = [
        p.section for p in split(document(f"通知 一、保障市场供应 {body} 二、缓解经营压力 {body}"))
    ]
    assert any("二、缓解经营压力" in section[0] for section in sections if section)


@given(TEXTS)
def test_no_passage_is_empty(text):
    assert all(passage.text for passage in split(document(text)))


def test_a_long_line_that_begins_with_a_numeral_leaves_no_empty_passage():
    text = "标题\n一、" + "申请人应当年满十八周岁。" * 30 + "\n二、" + "材料。" * 100
    passages = split(document(text))
    assert all(passage.text for passage in passages)


MAIN = "示例市停车办法\n一、总则\n停车应当付费。\n附件：1.收费标准\n2.办理指南\n示例市人民政府\n"


@pytest.mark.parametrize(
    ("begins", "section"),
    [
        ("附件\n", ("附件",)),
        ("附 件\n\n示例市停车收费标准\n", ("附 件 示例市停车收费标准",)),
        ("附件1：\n第二批收费标准\n", ("附件1 第二批收费标准",)),
        ("附件2：示例市停车收费标准\n", ("附件2：示例市停车收费标准",)),
        ("附件三 停车收费标准\n", ("附件三 停车收费标准",)),
        ("附录\n", ("附录",)),
    ],
)
def test_an_annex_stands_below_no_heading_of_the_main_text(begins, section):
    rows = "机动车停放在道路上的，每小时收取三元，一天最多收取二十元，夜间免费。\n" * 20
    passages = split(document(f"{MAIN}{begins}{rows}"))
    assert passages[0].section == ("一、总则",) or passages[1].section == ("一、总则",)
    assert len(passages) > 3
    assert all(passage.section == section for passage in passages[2:])


@pytest.mark.parametrize(
    "lines",
    [
        "附件：1.收费标准\n2.办理指南",
        "附件1：收费标准\n附件2：办理指南.doc",
        "附件1.收费标准\n2.办理指南",
        "附件2.收费标准.xlsx\n其他",
        "附件：\n收费标准.doc",
        "附件1是收费标准。\n其他",
        "附件",
    ],
)
def test_a_list_of_annexes_begins_none(lines):
    for passage in split(document(f"一、总则\n停车应当付费。\n{lines}")):
        assert passage.section == ("一、总则",)
