"""Lay words put into the documents' own, and the operator's file of them."""

import os

import pytest

from assistant.chain import Assistant
from knowledge.base import KnowledgeBase
from knowledge.errors import SynonymsError
from knowledge.settings import load_settings
from knowledge.synonyms import BUNDLED, OWN, Synonyms, read
from knowledge.types import Document


def counting(**times):
    return lambda word: times.get(word, 0)


def test_the_bundled_words_are_well_formed():
    assert len(read(BUNDLED)) > 20


def test_a_lay_word_becomes_what_the_documents_say(tmp_path):
    words = Synonyms(tmp_path, counting(拖欠工资=3))
    assert words.worded("厂里欠薪找谁") == "厂里拖欠工资找谁"


def test_a_word_that_the_documents_use_is_left_alone(tmp_path):
    assert Synonyms(tmp_path, counting(拖欠工资=3, 欠薪=2)).worded("欠薪找谁") == "欠薪找谁"
    assert Synonyms(tmp_path, counting()).worded("欠薪找谁") == "欠薪找谁"


def test_what_a_word_means_is_told_whether_documents_use_it_or_not(tmp_path):
    words = Synonyms(tmp_path, counting())
    assert "拖欠工资" in words.means("欠薪")
    assert words.means("拖欠工资") == ()


def test_a_question_that_says_it_already_is_left_alone(tmp_path):
    words = Synonyms(tmp_path, counting(个体工商户=9))
    assert words.worded("个体工商户怎么注册") == "个体工商户怎么注册"


def test_the_operators_file_is_read_anew_when_it_changes_and_comes_first(tmp_path):
    words = Synonyms(tmp_path, counting(市民之家=4, 政务大厅=9, 拖欠工资=3, 劳动报酬=3))
    assert words.worded("大红楼在哪") == "大红楼在哪"
    own = tmp_path / OWN
    own.write_text("# 本地叫法\n大红楼 = 市民之家\n欠薪 = 劳动报酬\n", encoding="utf-8")
    assert words.worded("大红楼在哪") == "市民之家在哪"
    assert words.worded("欠薪找谁") == "劳动报酬找谁"
    own.write_text("大红楼 = 政务大厅  # 搬了\n", encoding="utf-8")
    os.utime(own, ns=(1, 1))
    assert words.worded("大红楼在哪") == "政务大厅在哪"
    own.write_text("大红楼\n", encoding="utf-8")  # a slip: those of before go on
    assert words.worded("大红楼在哪") == "政务大厅在哪"
    own.unlink()
    assert words.worded("大红楼在哪") == "大红楼在哪"


def test_a_line_that_cannot_be_used_costs_no_other_line(tmp_path, caplog):
    own = tmp_path / OWN
    own.write_text("大红楼 = 市民之家\n小红楼\n欠薪 = 劳动报酬\n", encoding="utf-8")
    words = Synonyms(tmp_path, counting(市民之家=4, 拖欠工资=3, 劳动报酬=3))
    assert words.worded("大红楼在哪，欠薪找谁") == "市民之家在哪，劳动报酬找谁"
    assert f"{OWN}:2 '小红楼'" in caplog.text
    own.write_text("大红楼 = 市民之家\n欠薪 劳动报酬\n", encoding="utf-8")  # a slip: as before
    assert words.worded("大红楼在哪，欠薪找谁") == "市民之家在哪，劳动报酬找谁"
    with pytest.raises(SynonymsError, match=f"{OWN}:2"):
        read(own)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("欠薪", "欠薪"),
        ("欠薪 = ", "欠薪"),
        ("欠薪 = 拖欠 = 工资", "欠薪"),
        ("取 = 提取", "取"),
        ("欠薪 = 拖欠工资\n欠薪 = 拖欠劳动报酬", "第 1 行"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path, line, named):
    path = tmp_path / OWN
    path.write_text(line, encoding="utf-8")
    with pytest.raises(SynonymsError, match=f"{OWN}:{line.count(chr(10)) + 1} .*{named}"):
        read(path)


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig", "utf-16"])
def test_a_file_counts_in_whatever_encoding_it_was_saved(tmp_path, encoding):
    (tmp_path / OWN).write_bytes("大红楼 = 市民之家\n".encode(encoding))
    assert Synonyms(tmp_path, counting(市民之家=4)).worded("大红楼在哪") == "市民之家在哪"


def test_a_file_that_is_no_text_says_so(tmp_path):
    path = tmp_path / OWN
    path.write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(SynonymsError, match="UTF-8"):
        read(path)


def test_a_lay_question_is_searched_in_the_documents_words(tmp_path):
    with KnowledgeBase(load_settings(home=tmp_path)) as base:
        text = "公民离开常住户口所在地居住半年以上的，可以申领居住证。居住证由公安派出所受理。"
        base.add(Document("居住证", "居住证申领", text, "/docs/a.md"))
        understood = Assistant(base).ask("暂住证去哪里申领").understood()
        assert understood
        assert understood.corrected == "暂住证去哪里申领"
        assert understood.query == "居住证去哪里申领"
