"""Sentences that a page's layout broke are whole again; what was not broken stays as it was."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.readers import read_document
from knowledge.reflow import newspaper_page, rejoin

PAGE = """
55
1976-2031

示例晚报 创刊55周年
2031年4月6日 星期日

B07

五十五载同行 与城共长

□责任编辑：甲乙丙 □美术编辑：丁戊
□电话：0000-12345678 □传真：0000-87654321
□E-mail:page@example.com

# 小城市集：让老手艺“活”起来

内容提要

小城的市集每周六开张，一年来接待游客三十万人次，带动八百名手艺人在家门口就业，成了远近闻名的去处。

□本报记者 甲某某 乙某某 通讯员 丙某

以“小摊位”聚起大人气

市集设在旧码头，由十二座旧仓库改成。管理方为摊主免去头三个月的租金，并且统一配备照明、用水和收款设备，1/3摊

位留给本地手艺人，其余面向周边各县招募。如今市集里有竹编、剪纸、木雕等四十多个门类。

三月八日，小城又推

出“学徒计划”，由老师傅带新人，学满半年可以独立设摊。目前已有六十人报名。

老码头边的竹编摊位前挤满了人。（本报记者丁某某摄）

以“慢服务”留住回头客

市集设有咨询台，咨询电话：0000-5556677，全年无休。游客可以在咨询台借伞、寄存行李、预约课程；还可以请讲解

员带着逛，

讲解每场四十分钟，全程免费。

示例晚报
"""


def test_a_newspaper_page_is_told_whole_and_without_its_furniture():
    page = newspaper_page(PAGE)
    assert page.title == "小城市集：让老手艺“活”起来"
    assert page.metadata == {"issuer": "示例晚报", "date": "2031-04-06"}
    assert page.text.split("\n\n") == [
        "# 小城市集：让老手艺“活”起来",
        "## 内容提要",
        "小城的市集每周六开张，一年来接待游客三十万人次，带动八百名手艺人在家门口就业，成了远近闻名的去处。",
        "## 以“小摊位”聚起大人气",
        "市集设在旧码头，由十二座旧仓库改成。管理方为摊主免去头三个月的租金，并且统一配备照明、用水和收款设备，"
        "1/3摊位留给本地手艺人，其余面向周边各县招募。如今市集里有竹编、剪纸、木雕等四十多个门类。",
        "三月八日，小城又推出“学徒计划”，由老师傅带新人，学满半年可以独立设摊。目前已有六十人报名。",
        "## 以“慢服务”留住回头客",
        "市集设有咨询台，咨询电话：0000-5556677，全年无休。游客可以在咨询台借伞、寄存行李、预约课程；"
        "还可以请讲解员带着逛，讲解每场四十分钟，全程免费。",
    ]


def test_a_page_without_a_marked_headline_takes_the_first_line_below_the_masthead():
    text = PAGE.replace("# 小城市集：让老手艺“活”起来", "小城市集让老手艺“活”起来")
    assert newspaper_page(text).title == "小城市集让老手艺“活”起来"


def test_a_newspaper_file_is_named_by_its_headline(tmp_path):
    path = tmp_path / "扫描.txt"
    path.write_text(PAGE, encoding="utf-8")
    document = read_document(path)
    assert document.title == "小城市集：让老手艺“活”起来"
    assert document.metadata["date"] == "2031-04-06"
    assert "责任编辑" not in document.text


@pytest.mark.parametrize(
    "text",
    [
        "示例市财政局关于情况的通报\n2031年4月6日 星期日\n内容。",
        "示例晚报社招聘启事\n内容。",
        "2031年4月6日 星期日 晴",
        "",
    ],
)
def test_what_has_no_masthead_is_no_newspaper_page(text):
    assert newspaper_page(text) is None


LAW = """示例市停车条例
第一章 总则
第一条 为了规范停车，制定本条例。
第二条 下列情形可以减免费用：
（一）执行公务的车辆；
（二）残疾人驾驶的车辆；
（三）法律、法规规定的其他情形。
第三条 停车人应当遵守下列规定：按位停放，不得占用盲道，不得堵塞消防通道，并且服从管理人员的指挥
（一）短时停放；
（二）其他情形。
附件：1.收费标准
2.减免办法
联系单位：示例市城管局停车科，地址：示例市示例路一号三楼三〇一室，联系电话：12345678
联系人：甲某，周一到周五上班，节假日由值班人员接听并且做好记录。
示例市人民政府
2031年4月6日"""


def test_a_text_with_one_paragraph_per_line_comes_through_unchanged():
    assert rejoin(LAW) == LAW
    assert rejoin(LAW.replace("\n", "\n\n")) == LAW.replace("\n", "\n\n")


def test_a_sentence_cut_by_a_columns_end_is_whole_again():
    above = "为了方便群众办事，各服务窗口应当公开办事流程和收费标准，并且安排专人负责解答，不得推"
    assert rejoin(f"一、公开\n{above}\n\n诿。违者通报。") == f"一、公开\n{above}诿。违者通报。"


def test_headings_are_not_glued_to_what_was_cut_before_them():
    above = "为了方便群众办事，各服务窗口应当公开办事流程和收费标准，并且安排专人负责解答，不得推"
    below = "诿。\n\n办理时间\n\n周一到周五，上午九点到十二点。\n\n二、收费\n\n免费，不收押金。"
    text = f"{above}\n\n{below}"
    assert rejoin(text).split("\n\n")[1:] == text.split("\n\n")[2:]


WORDS = "市民可以在网上预约服务也可以到窗口现场取号办理材料齐全的当天办结"
SENTENCES = st.lists(
    st.lists(st.text(WORDS, min_size=3, max_size=12), min_size=3, max_size=8).map("，".join),
    min_size=2,
    max_size=4,
).map(lambda sentences: "".join(f"{sentence}。" for sentence in sentences))


@given(st.lists(SENTENCES, min_size=4, max_size=8), st.integers(min_value=15, max_value=35))
def test_indented_paragraphs_cut_at_a_width_come_back_as_they_were(paragraphs, width):
    lines = []
    for paragraph in paragraphs:
        indented = "\u3000\u3000" + paragraph
        lines += [indented[start : start + width] for start in range(0, len(indented), width)]
    rejoined = [line.strip("\u3000") for line in rejoin("\n".join(lines)).split("\n")]
    assert rejoined == paragraphs


@given(st.lists(SENTENCES, max_size=12))
def test_whole_paragraphs_stay_apart(paragraphs):
    text = "\n".join(paragraphs)
    assert rejoin(text) == text


@given(st.text("市民可以办理，。；：“”（）一、1.#| \n\u3000ab", max_size=200))
def test_nothing_is_lost_or_made_up(text):
    def bare(words):
        return re.sub(r"\s", "", words)

    assert bare(rejoin(text)) == bare(text)


def test_latin_words_keep_a_space_between_them():
    lines = [
        "平台由本市建设，采用了 open source",
        "software 来实现，任何人都可以查看代",
        "码，也可以提出改进的意见和建议，管理",
        "方会在十天内答复，答复的内容向社会公",
        "开。",
    ]
    assert "open source software 来实现" in rejoin("\n".join(lines))


DISTRICTS = ["鲤城区", "丰泽区", "洛江区", "泉港区", "石狮市", "晋江市"]


@pytest.mark.parametrize(
    "entry",
    [
        "{}行政服务中心 0595-2250001{}",
        "{}行政服务中心，0595-2250001{}",
        "0595-2250001{1}",
        "{}居民户口簿补领工本费 1{}元",
        "{}人民政府办公室",
    ],
)
def test_entries_of_a_list_that_happen_to_be_of_one_length_stay_apart(entry):
    text = "\n".join(entry.format(name, number) for number, name in enumerate(DISTRICTS))
    assert rejoin(text) == text


CUT = """服务中心设有八个窗口，每个窗口都
有工作人员为群众解答问题，遇到不
清楚的事情可以随时询问。办理证件
收取工本费，标准由物价部门核定公
布如下。
居民身份证首次换领的工本费 20元
居民户口簿遗失补领的工本费 10元
出入境证件遗失补领工本费 120元
以上费用由窗口代收，可以用现金也
可以用手机付款，满1000
元的开具发票。"""


def test_prices_among_lines_cut_at_a_width_stay_with_what_they_are_for():
    assert rejoin(CUT).split("\n") == [
        "服务中心设有八个窗口，每个窗口都有工作人员为群众解答问题，遇到不清楚的事情可以随时询问。"
        "办理证件收取工本费，标准由物价部门核定公布如下。",
        "居民身份证首次换领的工本费 20元",
        "居民户口簿遗失补领的工本费 10元",
        "出入境证件遗失补领工本费 120元",
        "以上费用由窗口代收，可以用现金也可以用手机付款，满1000元的开具发票。",
    ]


WRAPPED = [
    "经营单位应当公示标准，接受社会的",
    "监督，并且按照规定出具发票，不得",
    "拒绝，有违反规定的依照本办法中第",
]


@pytest.mark.parametrize(
    "reference", ["五条、第六条规定", "五条第一款规定", "（二）项规定", "（二）、（三）项规定"]
)
def test_a_reference_at_a_lines_beginning_goes_on_with_its_sentence(reference):
    before = "" if reference.startswith("（") else "第"
    last = WRAPPED[2] if not before else WRAPPED[2].replace("中第", "以及")
    lines = [*WRAPPED[:2] * 2, last, f"{before}{reference}的处理，公告。"]
    assert f"{last}{before}{reference}的处理" in rejoin("\n".join(lines))


@pytest.mark.parametrize("start", ["第五条 ", "第五条、", "（二）", "二、"])
def test_an_article_or_item_at_a_lines_beginning_begins_anew(start):
    lines = [*WRAPPED * 2, f"{start}有违反的依照规定处理，公告。"]
    assert f"\n{start}有违反" in rejoin("\n".join(lines))
