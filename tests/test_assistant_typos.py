"""Typos in questions: what is mended, and what is left as it was typed."""

import itertools
import threading

import pytest
from fastapi.testclient import TestClient

from assistant import ngrams, slips
from assistant.chain import Assistant
from assistant.confusions import STATISTICS
from assistant.spelling import REST, Spelling
from assistant.typos import Corrector
from knowledge.base import KnowledgeBase
from knowledge.catalogue import Catalogue
from knowledge.settings import load_settings
from knowledge.splitting import split
from knowledge.types import Document
from ui.api import create_app


@pytest.fixture(scope="module")
def spelling(sample_base, proofreader):
    return Spelling(sample_base.catalogue, proofreader)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("公鸡金缴存证明怎么打印", "公积金缴存证明怎么打印"),
        ("晓泉能打印什么证明", "小泉能打印什么证明"),
        ("身份正丢了怎么补办", "身份证丢了怎么补办"),
        ("居注证在哪里办理", "居住证在哪里办理"),
        ("gongjijin怎么提取", "公积金怎么提取"),
        ("zhufang gongjijin zenme tiqu", "住房公积金怎么提取"),
        ("shenfenzheng diule zenme ban", "身份证丢了怎么办"),
        ("住房积金怎么提取", "住房公积金怎么提取"),  # a character left out
        ("失业险金能领几个月", "失业保险金能领几个月"),
        ("营执照怎么办", "营业执照怎么办"),
        ("公积积金怎么取", "公积金怎么取"),  # typed twice
        ("电动动自行车上牌", "电动自行车上牌"),
        ("城居乡民医疗保险怎么交", "城乡居民医疗保险怎么交"),  # typed after the next one
        ("不动产登证记明怎么打印", "不动产登记证明怎么打印"),
    ],
)
def test_a_word_of_the_documents_is_mended_to(spelling, typed, meant):
    assert spelling.correct(typed) == meant


def test_no_slip_undone_moves_a_negation_or_a_number():
    table, _ = ngrams.load(STATISTICS)
    for text in ("住房公积金不能提取", "失业保险金领三个月"):
        for at in range(len(text) - 1):
            swapped = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
            kept = next(c for c in text if c in "不三")
            for meant in slips.meant(swapped, table):
                if len(meant) == len(swapped):
                    assert meant.index(kept) == swapped.index(kept)


@pytest.mark.parametrize(
    "right",
    [
        "李小泉的公积金怎么取",
        "魏犇犇的残疾证批了没",  # named twice the same
        "证照不齐去哪个窗口补",  # not 补齐
        "哪些物资是不需要审批的",  # not 是否
        "给媛媛办户口要带什么",
        "王晓泉是谁",
        "iPhone 15 Pro 能不能报销",
        "闽政通APP怎么下载",
        "闽C12345违章怎么处理",
        "打0595-12345还是12333",
        "please help me",
        "定金不退可以起诉吗",
        "他咋还没给我发工资呢",
        "交了定金碰上地震货来不了，要双倍退不",  # 不 asks
        "买房签了认购书，开发商反悔咋整",
        "网约车司机要什么条件",  # in none of the documents
        "《泉州市居住证管理办法》什么时候施行",
        "征收方能否否认协议的效力",  # without 否 the opposite
        "二二年以前的怎么算",
        "能不能不交",
        "妈妈的医保断了",
        "强拆了找谁",  # short for 强制拆除
        "氟氯烃的配额怎么申请",
        "",
        "？？？",
        "😀𠮷",
    ],
)
def test_right_words_names_and_numbers_are_left_alone(spelling, right):
    assert spelling.correct(right) == right


def document(name, text):
    return Document(name, name, text, f"/docs/{name}.md")


def added(catalogue, new):
    catalogue.stage(new, split(new))
    catalogue.publish()


def test_a_name_is_mended_to_once_the_documents_hold_it(tmp_path, proofreader):
    catalogue = Catalogue(tmp_path / "catalogue.sqlite3")
    added(catalogue, document("公告", "政务服务大厅周六照常开放。"))
    ticks = itertools.count()
    # A count takes two seconds.
    spelling = Spelling(catalogue, proofreader, clock=lambda: float(next(ticks)))
    typed, meant = "数字人晓泉在哪里", "数字人小泉在哪里"
    assert spelling.correct(typed) == typed
    added(catalogue, document("小泉", "数字人小泉在大厅里。问小泉就行。小泉会说话。小泉在一楼。"))
    asked = 0
    while spelling.correct(typed) == typed:  # by the counts from before: nobody waits
        asked += 1
        for thread in threading.enumerate():
            if thread.daemon and thread.name == "spelling":
                thread.join()
    assert spelling.correct(typed) == meant
    assert asked >= REST  # seconds in which nothing was counted anew
    catalogue.close()


def test_texts_are_spread_over_all_passages_and_hold_every_title(tmp_path):
    catalogue = Catalogue(tmp_path / "catalogue.sqlite3")
    for number in range(40):
        added(catalogue, document(f"通知{number}", f"第{number}号通知。" + "内容" * 50))
    assert len(list(catalogue.texts(10**6))) == 80
    few = list(catalogue.texts(1000))
    assert {f"通知{number}" for number in range(40)} <= set(few)
    assert 40 < len(few) <= 52
    catalogue.close()


def test_an_answer_says_what_was_understood_and_as_typed_undoes_it(sample_base):
    assistant = Assistant(sample_base)
    typed = "公鸡金缴存证明怎么打印"
    mended = assistant.ask(typed).answer()
    assert mended.question == typed
    assert mended.corrected_question == "公积金缴存证明怎么打印"
    assert assistant.ask(typed, as_typed=True).answer().corrected_question == typed


def test_the_api_takes_words_as_typed_when_asked_to(sample_base):
    client = TestClient(create_app(sample_base, Assistant(sample_base)))
    body = {"question": "公鸡金缴存证明怎么打印", "as_typed": True}
    assert client.post("/api/ask", json=body).json()["corrected_question"] == body["question"]
    body["as_typed"] = "也许"
    assert client.post("/api/ask", json=body).status_code == 422


def test_an_empty_home_mends_nothing_it_does_not_know(tmp_path):
    with KnowledgeBase(load_settings(home=tmp_path)) as base:
        assert Assistant(base).ask("小泉是谁").answer().corrected_question == "小泉是谁"


@pytest.mark.parametrize("text", ["叙", "钱", "一"])
def test_a_single_character_has_no_neighbours_and_stays(text, proofreader):
    assert Corrector(proofreader).correct(text).text == text
