"""Reports: everything a person needs, in one file, whatever the answers hold."""

import json
import re
import xml.etree.ElementTree as ET

import pytest

from eval.errors import ReportError
from eval.metrics import score
from eval.outcomes import Cited, Found, Outcome, Record
from eval.questions import Question
from eval.report import Made, write_report

MADE = Made("sets/便民问题.jsonl", {"settings": "{}", "knowledge": "k1", "code": "c1"}, 12.5)
HOSTILE = '<script>alert("x")</script> & \x00\x0b 表|格'
FOUND = (
    Found("d1", "补贴办法", "第二条", "每人补贴3000元。", 1.2, 0.7, 9.0),
    Found("d2", "奖励办法", "", "奖励5000元。", 0.8, 0.6, 4.0),
)
RECORDS = [
    Record(
        Question("1", "补贴多少？", ("3000元",), True, relevant=("d1",), kind="数字"),
        Outcome(
            answer="奖励5000元。[1]",
            status="answered",
            citations=(Cited(1, "d2", "奖励办法", "奖励5000元。", True),),
            found=FOUND,
            evidence=0.8,
            seconds=0.2,
        ),
    ),
    Record(
        Question("2", HOSTILE, (), False, kind="闲聊"),
        Outcome(answer=HOSTILE, status="answered", evidence=0.6),
    ),
    Record(Question("3", "谁来办？", ("社区",), True), Outcome(error="问题太长了。")),
    Record(
        Question("4", "何时办？", ("三日内", ("五天", "5日")), True),
        Outcome(answer="没有。", refused=True, status="not_found", reason="资料里没有。"),
    ),
    Record(
        Question("5", "哪里办？", ("大厅",), True),
        Outcome(
            answer="到大厅办。[1]", status="answered", citations=(Cited(1, "d", "t", "别处", True),)
        ),
    ),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    write_report(folder, score(RECORDS), MADE)
    return folder


@pytest.fixture(scope="module")
def html(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


def test_every_wrong_answer_is_there_with_its_cause(html):
    for words in (
        "补贴多少？",
        "缺要点：3000元",
        "每人补贴3000元。",
        "1.2",
        "要点在其中：是选句或判断的问题",
        "该拒未拒",
        "出错：问题太长了。",
        "误拒：资料里没有。",
        "五天 或 5日",
        "答对但引用有问题的题（1）",
    ):
        assert words in html


def test_the_page_needs_nothing_from_elsewhere(html):
    assert not re.findall(r"(?:src|href)\s*=|@import|url\(", html)
    assert html.count("<svg") == 3
    assert "prefers-color-scheme: dark" in html
    assert "width=device-width" in html
    assert "@media print" in html


def test_what_documents_and_questions_hold_is_only_text(html):
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_junit_is_read_by_any_parser(folder):
    suite = ET.parse(folder / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("5", "3", "1")
    assert [len(case) for case in suite] == [1, 1, 1, 1, 0]
    assert suite[0][0].get("message") == "缺要点：3000元"


def test_json_holds_everything(folder):
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["summary"]["questions"] == 5
    assert report["summary"]["seconds"] == 12.5
    assert report["questions"][0]["found"][0]["holds"] is True
    assert [question["right"] for question in report["questions"]] == [False] * 4 + [True]


def test_markdown_keeps_to_its_lines(folder):
    markdown = (folder / "report.md").read_text(encoding="utf-8")
    assert "缺要点：3000元" in markdown
    assert "<script>" not in markdown
    tables = [line for line in markdown.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in tables} == {4, 5, 7}


def test_a_set_that_is_all_right_or_has_no_answers_at_all(tmp_path):
    right = Record(Question("1", "天气？", (), False), Outcome(answer="没有。", refused=True))
    result = write_report(tmp_path, score([right]), MADE)
    assert result["refusal_recall"] == 1
    assert result["answer_accuracy"] is None
    assert "没有。" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_measures_of_a_judge_stand_beside_the_others(tmp_path):
    result = write_report(tmp_path, score(RECORDS), MADE, {"faithfulness": 0.75})
    assert result["faithfulness"] == 0.75
    assert "忠于资料" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_file_that_cannot_be_written(tmp_path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(ReportError, match=r"report\.html"):
        write_report(tmp_path, score(RECORDS), MADE)
