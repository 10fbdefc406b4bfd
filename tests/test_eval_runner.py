"""Runs: what was asked is kept, whatever happens."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from assistant.errors import QuestionError
from eval.compare import load_run
from eval.errors import InterruptedRunError, ReportError
from eval.outcomes import Cited, Found, Outcome, Record, from_json, to_json
from eval.questions import Question
from eval.runner import RESULTS, Store, fingerprint, run
from knowledge.base import KnowledgeBase
from knowledge.settings import load_settings

QUESTIONS = [Question(str(number), f"第{number}个问题？", ("答",), True) for number in range(20)]
MADE_WITH = {"settings": "a", "code": "1"}


class Asked:
    """A scripted assistant that counts what it is asked."""

    def __init__(self):
        self.counts = Counter()
        self.lock = threading.Lock()

    def __call__(self, question):
        with self.lock:
            self.counts[question.id] += 1
        return Outcome(answer=f"答{question.id}", status="answered")


@pytest.fixture
def asked():
    return Asked()


def finish(folder, ask, questions=QUESTIONS, made_with=MADE_WITH, **options):
    with Store(folder, made_with) as store:
        return run(questions, ask, store, **options)


def test_every_question_is_asked_once_and_comes_back_in_order(tmp_path, asked):
    done = finish(tmp_path / "new" / "report", asked, workers=4)
    assert [record.outcome.answer for record in done.records] == [f"答{q.id}" for q in QUESTIONS]
    assert set(asked.counts.values()) == {1}
    assert done.asked == 20


def test_what_was_asked_is_not_asked_again(tmp_path, asked):
    finish(tmp_path, asked, QUESTIONS[:12])
    done = finish(tmp_path, asked)
    assert done.asked == 8
    assert set(asked.counts.values()) == {1}


def test_changed_settings_start_anew_and_keep_the_old_records(tmp_path, asked):
    finish(tmp_path, asked)
    done = finish(tmp_path, asked, made_with={**MADE_WITH, "code": "2"})
    assert done.asked == 20
    assert len(list(tmp_path.glob("results-*.jsonl"))) == 1


def test_a_question_put_differently_is_asked_again(tmp_path, asked):
    finish(tmp_path, asked)
    changed = [Question("0", "换个问法？", ("答",), True), *QUESTIONS[1:]]
    assert finish(tmp_path, asked, changed).asked == 1


def test_new_expectations_need_no_new_answers(tmp_path, asked):
    finish(tmp_path, asked)
    changed = [Question(q.id, q.question, ("别的",), True) for q in QUESTIONS]
    done = finish(tmp_path, asked, changed)
    assert done.asked == 0
    assert done.records[0].question.facts == ("别的",)
    assert {scored.question.facts for scored in load_run(tmp_path)} == {("别的",)}
    finish(tmp_path, asked)
    assert {scored.question.facts for scored in load_run(tmp_path)} == {("答",)}


def test_what_is_compared_is_the_set_as_it_was_at_the_last_run(tmp_path, asked):
    finish(tmp_path, asked)
    edited = [Question("0", "换个问法？", ("别的",), True), *QUESTIONS[1:12]]
    finish(tmp_path, asked, edited)
    assert [scored.question for scored in load_run(tmp_path)] == edited
    finish(tmp_path, asked)
    assert [scored.question for scored in load_run(tmp_path)] == QUESTIONS


def test_a_run_that_was_stopped_does_not_change_what_is_compared(tmp_path, asked):
    stop = threading.Event()
    finish(tmp_path, asked, QUESTIONS[:12])
    stop.set()
    with pytest.raises(InterruptedRunError):
        finish(tmp_path, asked, stop=stop)
    assert [scored.question for scored in load_run(tmp_path)] == QUESTIONS[:12]
    path = tmp_path / RESULTS
    path.write_bytes(path.read_bytes()[:-20])
    assert len(load_run(tmp_path)) == 12


def test_stopping_counts_only_the_questions_of_the_set_as_it_is_now(tmp_path, asked):
    finish(tmp_path, asked)
    edited = [Question(q.id, f"换个问法：{q.question}", ("答",), True) for q in QUESTIONS[:10]]
    stop = threading.Event()
    stop.set()
    with pytest.raises(InterruptedRunError, match="10 题中问完了 0 题"):
        finish(tmp_path, asked, edited, stop=stop)
    assert len(finish(tmp_path, asked, edited).records) == 10


def test_a_resumed_run_tells_the_time_of_all_its_questions(tmp_path):
    def slow(question):
        time.sleep(0.02)
        return Outcome(answer="答", status="answered")

    finish(tmp_path, slow, QUESTIONS[:19])
    assert finish(tmp_path, slow).seconds >= 20 * 0.02 / 2


def test_a_line_separator_in_an_answer_costs_no_record(tmp_path):
    asked_twice = Counter()

    def ask(question):
        asked_twice[question.id] += 1
        return Outcome(answer="答\u2028二\u0085三", status="answered")

    finish(tmp_path, ask)
    assert len(load_run(tmp_path)) == 20
    assert finish(tmp_path, ask).asked == 0
    assert set(asked_twice.values()) == {1}


def test_weights_and_synonyms_count_as_what_answers(tmp_path):
    with KnowledgeBase(load_settings(home=tmp_path)) as base:
        before = fingerprint(base)
        assert fingerprint(base) == before
        (tmp_path / "synonyms.txt").write_text("公积金 = 住房公积金\n", encoding="utf-8")
        assert fingerprint(base)["code"] != before["code"]


def test_a_question_that_fails_is_recorded_and_tried_again_next_time(tmp_path, asked):
    def ask(question):
        if question.id == "3":
            raise QuestionError("问题太长了。")
        if question.id == "4":
            raise ZeroDivisionError("division by zero")
        return asked(question)

    done = finish(tmp_path, ask)
    assert done.records[3].outcome.error == "问题太长了。"
    assert "ZeroDivisionError" in done.records[4].outcome.error
    assert sum(bool(record.outcome.error) for record in done.records) == 2
    assert finish(tmp_path, asked).asked == 2


def test_a_line_that_was_cut_off_costs_only_itself(tmp_path, asked):
    finish(tmp_path, asked)
    path = tmp_path / RESULTS
    *records, _last, _finished = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(records)[:-40])
    assert finish(tmp_path, asked).asked == 2
    assert finish(tmp_path, asked).asked == 0


def test_stopping_keeps_what_was_asked(tmp_path, asked):
    stop = threading.Event()

    def ask(question):
        outcome = asked(question)
        if question.id == "6":
            stop.set()
        return outcome

    with pytest.raises(InterruptedRunError, match="再次运行"):
        finish(tmp_path, ask, stop=stop)
    before = sum(asked.counts.values())
    assert before < 20
    assert finish(tmp_path, asked).asked == 20 - before
    assert set(asked.counts.values()) == {1}


def test_progress_is_told_for_every_question(tmp_path, asked):
    finish(tmp_path, asked, QUESTIONS[:5])
    told = []
    finish(tmp_path, asked, advance=told.append)
    assert sum(told) == 20


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="file"):
        Store(tmp_path / "file", MADE_WITH)
    with pytest.raises(ReportError, match="report"):
        Store(tmp_path / "file" / "report", MADE_WITH)


def test_something_else_in_place_of_the_records(tmp_path, asked):
    (tmp_path / RESULTS).write_bytes(b"\xff\x00 no json")
    assert finish(tmp_path, asked).asked == 20


def test_a_record_comes_back_as_it_was():
    record = Record(
        Question("1", "问\u2028？", ("甲", ("乙", "丙")), True, relevant=("d",), kind="k"),
        Outcome(
            answer="甲[1]",
            citations=(Cited(1, "d", "t", "甲", True),),
            found=(Found("d", "t", "s", "甲", 1.5, 0.5, 3.0),),
            evidence=0.9,
        ),
    )
    assert from_json(to_json(record)) == record
    assert "\n" not in to_json(record)


CHILD = """
import sys
import eval.outcomes
from eval.outcomes import Outcome

def asker(base):
    def ask(question):
        print("asked", question.id, file=sys.stderr, flush=True)
        if question.id == "3":
            sys.stdin.readline()
        return Outcome(answer="答", status="answered")
    return ask

eval.outcomes.asker = asker
from ui.cli import main
main()
"""


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_once_finishes_and_twice_stops_at_once(tmp_path, presses):
    from knowledge.base import KnowledgeBase
    from knowledge.settings import load_settings
    from knowledge.types import Document

    with KnowledgeBase(load_settings(home=tmp_path / "home")) as base:
        base.add(Document("d", "标题", "一段文字。", "d"))
    questions = tmp_path / "set.jsonl"
    rows = [
        {"id": q.id, "question": q.question, "facts": ["答"], "answerable": True} for q in QUESTIONS
    ]
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = ["eval", "run", str(questions), "--home", str(tmp_path / "home"), "--workers", "1"]
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, *command, "--report", str(tmp_path / "report")],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    wait_for(child, "asked 3")
    child.send_signal(signal.SIGINT)
    wait_for(child, "正在停止")
    if presses == 2:
        child.send_signal(signal.SIGINT)
        wait_for(child, "立即停止")
    else:
        child.stdin.write("\n")
        child.stdin.flush()
        wait_for(child, "问完了 4 题")
    assert child.wait(30) == 1
    kept = (tmp_path / "report" / RESULTS).read_text().splitlines()[1:]
    assert len(kept) == (4 if presses == 1 else 3)


def wait_for(child, words):
    for line in child.stderr:
        if words in line:
            return
    raise AssertionError(f"{words!r} was never printed")
