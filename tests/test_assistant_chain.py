"""The whole chain on the bundled sample: question in, cited answer or refusal out."""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.chain import Assistant
from assistant.composing import UNSURE
from assistant.errors import QuestionError
from assistant.evidence import elsewhere
from assistant.extractive import Excerpt
from assistant.reply import Reply
from assistant.types import Delta, Turn
from knowledge.base import KnowledgeBase
from knowledge.plaintext import clean_characters
from knowledge.settings import load_settings
from knowledge.types import Document, Hit, Passage

QUESTIONS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data/sample_questions.jsonl").read_text().splitlines()
]
ANSWERABLE = [row for row in QUESTIONS if row["answerable"]]
UNANSWERABLE = [row for row in QUESTIONS if not row["answerable"]]


@pytest.fixture(scope="module")
def assistant(sample_base):
    return Assistant(sample_base)


def has_all_facts(row, answer):
    alternatives = [[fact] if isinstance(fact, str) else fact for fact in row["facts"]]
    return all(any(one in answer for one in fact) for fact in alternatives)


def test_most_questions_on_the_sample_get_every_fact(assistant):
    answers = {row["id"]: assistant.ask(row["question"]).answer() for row in ANSWERABLE}
    wrong = [row["id"] for row in ANSWERABLE if not has_all_facts(row, answers[row["id"]].answer)]
    assert len(wrong) <= len(ANSWERABLE) * 0.25, wrong


def test_most_questions_that_the_sample_cannot_answer_are_refused(assistant):
    answered = [
        row["id"] for row in UNANSWERABLE if not assistant.ask(row["question"]).answer().refused
    ]
    assert len(answered) <= len(UNANSWERABLE) * 0.3, answered


@pytest.mark.parametrize("row", ANSWERABLE[:8], ids=lambda row: row["id"])
def test_every_quote_stands_at_its_span_and_every_mark_has_its_citation(
    assistant, sample_base, row
):
    answer = assistant.ask(row["question"]).answer()
    marks = {int(mark) for mark in re.findall(r"\[(\d+)\]", answer.answer)}
    assert marks == {citation.n for citation in answer.citations}
    for citation in answer.citations:
        text = sample_base.document(citation.document_id).text
        assert text[citation.start : citation.end] == citation.quote
        assert citation.quote in answer.answer  # lifted, never altered


def test_a_refusal_says_why_and_where_to_turn(assistant):
    answer = assistant.ask("火星上的房子怎么办理过户").answer()
    assert answer.refused
    assert answer.reason
    assert "12345" in answer.answer
    assert answer.citations == ()


def test_what_is_streamed_is_what_is_answered(assistant):
    reply = assistant.ask(ANSWERABLE[0]["question"])
    streamed = "".join(delta.text for delta in reply)
    assert streamed == reply.answer().answer
    assert "".join(delta.text for delta in reply) == streamed  # a second time, the same


def test_a_follow_up_is_answered_about_the_topic_before_it(assistant):
    history = [Turn("user", "石狮新质电商园是怎么规划用地的"), Turn("assistant", "分成三块。[1]")]
    answer = assistant.ask("那它年产值多少", history).answer()
    assert "石狮" in answer.citations[0].title


def test_a_new_topic_is_not_dragged_into_the_old_one(assistant):
    history = [Turn("user", "石狮新质电商园是怎么规划用地的"), Turn("assistant", "分成三块。[1]")]
    alone = assistant.ask("住房公积金在什么情况下可以提取").answer()
    after = assistant.ask("住房公积金在什么情况下可以提取", history).answer()
    assert after.citations == alone.citations


@pytest.mark.parametrize("question", ["", "  \n", "　"])
def test_an_empty_question_is_the_callers_mistake(assistant, question):
    with pytest.raises(QuestionError, match="空"):
        assistant.ask(question)


def test_a_reply_that_is_closed_or_has_failed_says_so(assistant):
    closed = assistant.ask("居住证怎么办")
    closed.close()
    with pytest.raises(RuntimeError, match="closed"):
        closed.answer()

    def fails():
        yield Delta("好")
        raise OSError

    failed = Reply(fails())
    for problem in (OSError, RuntimeError):
        with pytest.raises(problem):
            failed.answer()


def test_of_a_conversation_without_end_the_end_counts(assistant):
    history = [Turn("user", "身份证怎么补办" * 50_000), *[Turn("user", "居住证怎么办")] * 30]
    answer = assistant.ask("要多久", history).answer()
    assert "居住证" in answer.citations[0].title


def test_a_question_far_too_long_is_refused_with_its_length(assistant):
    with pytest.raises(QuestionError, match="50000"):
        assistant.ask("问" * 50_000)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(min_size=1, max_size=200).filter(lambda text: clean_characters(text).strip()))
def test_any_text_gets_an_answer_or_a_refusal(assistant, text):
    answer = assistant.ask(text).answer()
    assert answer.refused or answer.citations


def test_many_ask_at_once_and_each_gets_their_own_answer(assistant):
    rows = ANSWERABLE[:6]
    alone = [assistant.ask(row["question"]).answer().answer for row in rows]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda row: assistant.ask(row["question"]).answer().answer, rows))
    assert together == alone


@pytest.mark.parametrize("variable", ["LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"])
def test_no_variable_of_langchain_sends_questions_away(sample_base, variable):
    asked = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from assistant.chain import Assistant\n"
        "from knowledge.base import KnowledgeBase\n"
        "from langchain_core.tracers.context import _tracing_v2_is_enabled as traced\n"
        "before = traced()\n"
        "Assistant(KnowledgeBase())\n"
        "elsewhere = ThreadPoolExecutor(1).submit(traced).result()\n"
        "assert (before, traced(), elsewhere) == (True, False, False)\n"
    )
    environment = {**os.environ, "XIAOQUAN_HOME": str(sample_base.home), variable: "true"}
    subprocess.run([sys.executable, "-c", asked], env=environment, check=True)


def test_a_table_is_quoted_whole_with_its_header_and_the_mark_below_it(sample_base):
    answer = Assistant(sample_base).ask("五十岁了办身份证管多少年").answer()
    table, mark = answer.answer.rsplit("\n\n", 1)
    assert mark == "[1]"
    assert table == answer.citations[0].quote
    rows = table.splitlines()
    assert [cell.strip() for cell in rows[0].strip("|").split("|")] == ["年龄", "有效期"]
    assert [cell.strip() for cell in rows[-1].strip("|").split("|")] == ["46周岁以上", "长期"]


def test_an_item_is_quoted_with_its_whole_list_and_lead_in(tmp_path):
    lead_in = "下列车辆停进公共停车场，免收停车费："
    items = ["残疾人本人开的车。", "送急病人的车。", "当天办婚丧的车队。", "环卫作业的车。"]
    listed = "\n".join(f"- {item}" for item in items)
    text = f"# 公共停车场收费办法\n\n停车场由区里管。\n\n{lead_in}\n\n{listed}\n\n开错单可申诉。"
    with KnowledgeBase(load_settings(home=tmp_path)) as base:
        base.add(Document("p", "公共停车场收费办法", text, "/p.md"))
        answer = Assistant(base).ask("送急病人的车停公共停车场收费吗").answer()
    assert answer.citations[0].quote.startswith(lead_in)
    for item in items:
        assert item in answer.answer


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [((0, 4), (6, 9), (0, 9)), ((6, 9), (0, 7), (0, 9)), ((0, 4), (7, 9), None)],
)
def test_excerpts_that_touch_or_overlap_are_one(one, other, both):
    passage = Passage("停车收费。\n\n夜里免。", 0, 12, ())
    hit = Hit(1, 1.0, 0.9, 5.0, passage, Document("p", "停车办法", "", "/p.md"))
    joined = Excerpt(hit, *one, 0.5).joined(Excerpt(hit, *other, 0.2))
    assert (joined and (joined.start, joined.end)) == both


def test_nothing_is_quoted_twice(assistant):
    for row in ANSWERABLE:
        quoted = assistant.ask(row["question"]).answer().citations
        for n, one in enumerate(quoted):
            for other in quoted[n + 1 :]:
                apart = one.end <= other.start or other.end <= one.start
                assert one.document_id != other.document_id or apart, row["id"]


@pytest.mark.parametrize("place", ["泉州", "泉州市的", "晋江"])
def test_a_guide_that_names_no_place_answers_for_the_own_city_and_its_counties(assistant, place):
    alone = assistant.ask("居住证怎么办").answer()
    answer = assistant.ask(f"{place}居住证怎么办").answer()
    assert not answer.refused
    assert answer.answer == alone.answer
    assert answer.corrected_question == f"{place}居住证怎么办"


@pytest.mark.parametrize(
    "question",
    ["厦门居住证怎么办", "泉州户口在厦门能办居住证吗", "泉州护照怎么办", "泉州市民卡怎么办"],
)
def test_for_another_city_or_what_no_guide_treats_none_answers(assistant, question):
    assert assistant.ask(question).answer().refused


def test_a_year_that_nothing_is_said_of_is_named_as_a_year():
    assert "2023年的内容" in elsewhere(0.1, ["2023"]).reason
    assert "“厦门”2023年的内容" in elsewhere(0.1, ["厦门", "2023"]).reason
    assert "“厦门”这方面的内容" in elsewhere(0.1, ["厦门"]).reason


@pytest.mark.parametrize(("sure_from", "hedged"), [(1.1, True), (0.0, False)])
def test_an_answer_that_is_not_sure_says_so_before_it(assistant, monkeypatch, sure_from, hedged):
    monkeypatch.setattr("assistant.evidence.SURE_FROM", sure_from)
    reply = assistant.ask("身份证丢了怎么补")
    streamed = "".join(piece.text for piece in reply if isinstance(piece, Delta))
    answer = reply.answer()
    assert streamed == answer.answer
    assert answer.answer.startswith(UNSURE) == hedged
    assert answer.status == "answered"
    assert all(one.quote in answer.answer for one in answer.citations)
