"""`xiaoquan eval …` as programs and people call it."""

import json

import pytest
from typer.testing import CliRunner

from ui.cli import app

COMMANDS = ["run", "retrieval", "typos", "follow-ups", "compare", "draft"]


@pytest.fixture
def call(sample_home):
    def call(*arguments, home=True):
        at_home = ["--home", str(sample_home)] if home else []
        return CliRunner().invoke(app, ["eval", *map(str, arguments), *at_home])

    return call


@pytest.fixture
def questions(tmp_path):
    path = tmp_path / "set.jsonl"
    rows = [
        {
            "id": "1",
            "question": "小泉已经装进泉州市多少台政务服务一体机",
            "facts": ["184台"],
            "answerable": True,
        },
        {"id": "2", "question": "火星上的房子怎么过户", "facts": [], "answerable": False},
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def json_of(result, status=0):
    assert result.exit_code == status, result.stderr
    (line,) = result.stdout.splitlines()
    return json.loads(line)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(call, command):
    result = call(command, "--help", home=False)
    assert result.exit_code == 0
    assert f"xiaoquan eval {command}" in result.stdout


def test_a_run_prints_its_summary_and_writes_its_report(call, questions, tmp_path):
    result = json_of(call("run", questions, "--report", tmp_path / "report", "--json"))
    assert result["questions"] == 2
    assert result["answer_accuracy"] == 1
    assert result["refusal_precision"] == result["refusal_recall"] == 1
    assert result["citation_precision"] == 1
    assert result["seconds"] >= 0
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert names == {"results.jsonl", "report.html", "report.md", "report.json", "junit.xml"}


def test_a_second_run_asks_nothing(call, questions, tmp_path):
    arguments = ("run", questions, "--report", tmp_path / "report", "--json")
    call(*arguments)
    written = (tmp_path / "report/results.jsonl").read_bytes()
    json_of(call(*arguments))
    assert (tmp_path / "report/results.jsonl").read_bytes() == written


def test_a_person_is_told_where_the_report_is(call, questions):
    result = call("run", questions)
    assert result.exit_code == 0
    assert "set-report/report.html" in result.stdout


def test_compare_ends_with_1_when_it_got_worse(call, questions, tmp_path):
    rows = [
        {
            "id": str(n),
            "question": f"火星上第{n}座城市的房子怎么过户",
            "facts": [],
            "answerable": False,
        }
        for n in range(8)
    ]
    questions.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    json_of(call("run", questions, "--report", tmp_path / "a", "--json"))
    (tmp_path / "b").mkdir()
    text = (tmp_path / "a/results.jsonl").read_text()
    (tmp_path / "b/results.jsonl").write_text(text.replace('"refused": true', '"refused": false'))
    same = json_of(call("compare", tmp_path / "a", tmp_path / "a", "--json", home=False))
    assert (same["better"], same["worse"], same["same"], same["p_value"]) == (0, 0, 8, 1)
    worse = call("compare", tmp_path / "a", tmp_path / "b", "--json", home=False)
    assert json_of(worse, status=1)["worse"] == 8
    assert call("compare", tmp_path / "b", tmp_path / "a", home=False).exit_code == 0


def test_typos_and_follow_ups(call, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"wrong": "办理居住证", "right": "办理居住证"}\n')
    result = json_of(call("typos", path, "--json"))
    assert {"sentences", "precision", "recall", "f1", "false_alarms"} <= set(result)
    row = {
        "history": [{"question": "有什么专业？", "answer": "陶艺"}],
        "question": "陶艺专业学制几年？",
        "answers": ["四年"],
        "passage": {"title": "学院", "text": "陶艺专业学制四年。"},
    }
    path.write_text(json.dumps(row))
    result = json_of(call("follow-ups", path, "--json"))
    assert result["questions"] == 1
    assert result["answered"] in {0, 1}


def test_drafts_are_written_where_they_are_wanted(call, tmp_path):
    rows = json_of(call("draft", "--limit", 3, "-o", tmp_path / "new/drafts.csv", "--json"))
    assert len(rows) == 3
    assert (tmp_path / "new/drafts.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert call("draft", "--limit", 3, "-o", tmp_path / "drafts.doc").exit_code == 1


@pytest.mark.parametrize("command", COMMANDS[:4])
def test_a_file_that_is_not_there_is_an_error(call, command, tmp_path):
    result = call(command, tmp_path / "missing.jsonl", "--json")
    assert "missing.jsonl" in json_of(result, status=1)["error"]


def test_an_empty_home_has_nothing_to_measure(call, questions, tmp_path):
    result = call("run", questions, "--home", tmp_path / "empty", home=False)
    assert result.exit_code == 1
    assert "xiaoquan ingest" in result.stderr


def test_wrong_usage_ends_with_2(call, questions):
    assert call("run", home=False).exit_code == 2
    assert call("run", questions, "--workers", "0").exit_code == 2
    assert call("retrieval", ".", "--system", "other").exit_code == 2


def test_a_judge_must_be_set_before_anything_is_asked(call, questions, tmp_path):
    result = call("run", questions, "--judge", "--report", tmp_path / "report")
    assert result.exit_code == 1
    assert "XIAOQUAN_CHAT_MODEL" in result.stderr
    assert not (tmp_path / "report").exists()
