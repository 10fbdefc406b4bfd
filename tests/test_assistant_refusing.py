"""What a refusal says: what is missing, the nearest thing that is known, where to turn."""

from dataclasses import replace

import pytest

from assistant.asking import understand
from assistant.chain import Assistant
from assistant.composing import finished
from assistant.evidence import Evidence
from assistant.refusing import refusal
from assistant.sentences import candidates
from knowledge.lexical import terms
from knowledge.types import Document, Hit, Passage

ASKED = understand("技能提升补贴发多少", lambda text: dict.fromkeys(terms(text), 1.0))
OF = Document("d1", "技能提升补贴办法", "", "/办法.md")
NOT_COVERED = Evidence(0.2, "not_covered", "资料里没有说到您问的这一点。")


def hit(text, dense=0.7, title="技能提升补贴办法", section=()):
    document = replace(OF, title=title)
    return Hit(1, 1.0, dense, 3.0, Passage(text, 10, 10 + len(text), section), document)


def say(evidence, hits):
    return finished(refusal(evidence, hits, ASKED, lambda _: ""))


@pytest.mark.parametrize("question", ["驾照到期了怎么换", "结婚登记要带什么"])
def test_nothing_is_near_to_a_matter_that_no_document_treats(sample_base, question):
    answer = Assistant(sample_base).ask(question).answer()
    assert answer.status == "not_found"
    assert "最接近" not in answer.answer
    assert answer.citations == ()
    assert "12345" in answer.answer


def test_a_list_is_offered_below_what_says_what_its_items_are():
    text = "# 报销\n## 哪些费用不付\n- 在境外看病的。\n- 美容的。"
    items = text.index("- 在")
    near = Hit(1, 1.0, 0.7, 3.0, Passage(text[items:], items, len(text), ("哪些费用不付",)), OF)
    said = finished(refusal(NOT_COVERED, [near], ASKED, lambda _: text))
    assert "\n哪些费用不付\n- 在境外看病的。" in said.text
    for citation in said.citations:
        assert text[citation.start : citation.end] == citation.quote


@pytest.mark.parametrize("status", ["not_found", "not_covered"])
def test_the_nearest_document_is_named_and_quoted_and_12345(status):
    text = "补贴标准另行公布。"
    said = say(Evidence(0.2, status, "资料里没有。"), [hit(text)])
    assert "《技能提升补贴办法》" in said.text
    assert f"不一定是您要问的）：\n{text}[1]" in said.text
    assert "12345" in said.text
    (citation,) = said.citations
    assert text[citation.start - 10 : citation.end - 10] == citation.quote == text


@pytest.mark.parametrize(
    ("text", "whom"),
    [
        ("申请由市人力资源和社会保障局负责受理，标准另行公布。", "市人力资源和社会保障局"),
        ("补贴申报由所在地街道办事处受理。", "所在地街道办事处"),
        ("有疑问可咨询，联系电话：0595-28385123。", "0595-28385123"),
    ],
)
def test_whom_the_passage_names_to_turn_to_is_cited_to_the_letter(text, whom):
    said = say(Evidence(0.0, "personal", "这要查您本人的记录。"), [hit(text)])
    assert f"{whom}[1]" in said.text
    (citation,) = said.citations
    assert whom in citation.quote
    assert text[citation.start - 10 : citation.end - 10] == citation.quote


def test_what_is_far_from_the_question_is_not_offered():
    said = say(NOT_COVERED, [hit("由市林业局负责。", dense=0.3)])
    assert "《" not in said.text
    assert "林业" not in said.text


def test_readings_are_different_documents_or_the_parts_of_one():
    unclear = Evidence(0.0, "unclear", "您的问题有点短。")
    several = [hit("甲", title="甲办法"), hit("乙", title="甲办法"), hit("丙", title="乙办法")]
    assert "1. 《甲办法》\n2. 《乙办法》" in say(unclear, several).text
    one = [hit("甲", section=("申领条件",)), hit("乙", section=("办理材料",))]
    text = say(unclear, one).text
    assert "《技能提升补贴办法》：申领条件" in text
    assert "《技能提升补贴办法》：办理材料" in text


def test_without_documents_it_is_asked_back_all_the_same():
    said = say(Evidence(0.0, "unclear", "您的问题有点短。"), [])
    assert "具体一点" in said.text
    assert "您是不是想问" not in said.text


def test_the_closest_in_meaning_is_offered_and_a_heading_is_no_quote():
    far = hit("补贴按月发放。", dense=0.62)
    near = hit("## 补贴\n", dense=0.7, title="就业补贴办法")
    said = say(Evidence(0.2, "not_found", "资料里没有。"), [far, near])
    assert "最接近的资料是《就业补贴办法》" in said.text
    assert said.citations == ()


def test_a_passage_without_a_sentence_has_none_that_could_answer():
    assert candidates(ASKED, [hit(" \n"), hit("补贴标准另行公布。")])[0] == []
    assert candidates(ASKED, []) == []


def test_no_part_of_the_line_that_names_the_source_answers():
    text = "补贴标准另行公布。\n\n来源：《办法》第三条；《细则》第五条；\n2024年技能提升补贴照发。"
    (passage,) = candidates(ASKED, [hit(text)])
    furniture = [sentence.text for sentence in passage if sentence.is_furniture]
    assert furniture == ["来源：《办法》第三条；", "《细则》第五条；"]
