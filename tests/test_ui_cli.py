"""The command line as its users meet it: JSON, exit statuses, messages, help."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest
from typer.testing import CliRunner

from ui.cli import app
from ui.console import clip, width

HEAVY = {"torch", "chromadb", "gradio", "langchain_core", "onnxruntime", "numpy", "fastapi"}
COMMANDS = [
    "ingest",
    "documents",
    "synonyms",
    "remove",
    "search",
    "ask",
    "chat",
    "serve",
    "rebuild",
]
LIBRARY = "# 青湖图书馆\n\n开放时间为每天9时至21时，周一闭馆。\n\n办理读者证不收费，押金100元。\n"
QUESTION = "青湖公园停车怎么收费"
PARKING = "# 青湖公园停车办法\n\n停车首小时免费，之后每小时收费3元，每天最多收20元。\n"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "资料 📄"
    folder.mkdir()
    (folder / "图书馆.md").write_text(LIBRARY, encoding="utf-8")
    (folder / "停车.md").write_text(PARKING, encoding="utf-8")
    return folder


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def loaded(folder, home):
    run("ingest", folder, home=home)
    return home


def run(*arguments, home, typed=None):
    return CliRunner().invoke(app, [*map(str, arguments), "--home", str(home)], input=typed)


def run_json(*arguments, home):
    result = run(*arguments, "--json", home=home)
    return result.exit_code, json.loads(result.stdout)


def process(*arguments, **options):
    command = [sys.executable, "-m", "ui.cli", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, **options
    )


# -- help


def test_help_is_quick_because_nothing_heavy_is_imported():
    code = "import sys, ui.cli; print(*{m.split('.')[0] for m in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_shows_an_example(command):
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert f"Example:\n    xiaoquan {command}" in result.stdout
    assert "--home" in result.stdout


def test_the_eval_commands_are_there():
    assert "retrieval" in CliRunner().invoke(app, ["eval", "--help"]).stdout


@pytest.mark.parametrize(
    "arguments", [["ingest"], ["ask"], ["search", "x", "-k", "0"], ["nosuch"], ["ask", "x", "--no"]]
)
def test_wrong_usage_is_status_2(arguments):
    done = process(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


# -- documents


def test_ingest_prints_one_json_value_and_nothing_else(folder, home):
    done = process("ingest", folder, "--json", "--home", home)
    result = json.loads(done.stdout)
    assert done.returncode == 0
    assert result.pop("seconds") > 0
    assert result == {"added": 2, "updated": 0, "unchanged": 0, "passages": 2, "failed": []}


def test_ingest_again_changes_nothing_and_a_change_is_an_update(folder, loaded):
    _, again = run_json("ingest", folder, home=loaded)
    assert (again["added"], again["unchanged"], again["passages"]) == (0, 2, 0)
    (folder / "停车.md").write_text(PARKING.replace("3元", "4元"), encoding="utf-8")
    _, changed = run_json("ingest", folder, home=loaded)
    assert (changed["updated"], changed["unchanged"]) == (1, 1)


def test_rows_that_a_table_has_no_more_are_taken_away(home, tmp_path):
    table = tmp_path / "事项.csv"
    table.write_text("title,text\n甲,甲事项三日办结\n乙,乙事项五日办结\n")
    run_json("ingest", table, home=home)
    table.write_text("title,text\n甲,甲事项三日办结\n")
    assert run_json("ingest", table, home=home)[1]["unchanged"] == 1
    assert [one["title"] for one in run_json("documents", home=home)[1]] == ["甲"]


def test_tables_whose_names_are_not_utf8_are_loaded_and_kept_apart(home, tmp_path):
    names = ["政策", "事项"]  # of one length: as question marks they would be the same
    tables = [tmp_path / (os.fsdecode(name.encode("gbk")) + ".csv") for name in names]
    for table, name in zip(tables, names, strict=True):
        table.write_text(f"id,title,text\n1,{name}甲,三日办结\n2,{name}乙,五日办结\n")
    assert run_json("ingest", *tables, home=home)[1]["added"] == 4
    tables[0].write_text("id,title,text\n1,政策甲,三日办结\n")
    assert run_json("ingest", tables[0], home=home)[1]["unchanged"] == 1
    left = run_json("documents", home=home)[1]
    assert [one["title"] for one in left] == ["政策甲", "事项甲", "事项乙"]
    assert left[0]["source"] == f"{tmp_path}/政策.csv#1"


def test_a_file_reached_through_a_link_is_the_same_document(folder, loaded, tmp_path):
    (tmp_path / "链接").symlink_to(folder)
    _, again = run_json("ingest", tmp_path / "链接", home=loaded)
    assert (again["added"], again["unchanged"]) == (0, 2)
    (folder / "停车.md").write_text(PARKING.replace("3元", "5元"), encoding="utf-8")
    run_json("ingest", tmp_path / "链接", home=loaded)
    assert len(run_json("documents", home=loaded)[1]) == 2
    assert "5元" in run("ask", QUESTION, home=loaded).stdout


def test_a_file_that_was_renamed_is_the_same_document(folder, loaded):
    (folder / "停车.md").rename(folder / "车.md")
    _, result = run_json("ingest", folder, home=loaded)
    assert (result["added"], result["updated"]) == (0, 1)
    (folder / "车.md").rename(folder / "再.md")
    (folder / "再.md").rename(folder / "停车费.md")
    for updated in (1, 0):
        _, result = run_json("ingest", folder, home=loaded)
        assert (result["added"], result["updated"]) == (0, updated)
    sources = {one["source"] for one in run_json("documents", home=loaded)[1]}
    assert len(sources) == 2
    assert str(folder / "停车费.md") in sources
    (folder / "抄件.md").write_bytes((folder / "停车费.md").read_bytes())
    assert run_json("ingest", folder, home=loaded)[1]["added"] == 1


def test_a_file_that_fails_is_named_and_the_others_are_loaded(folder, home):
    (folder / "空.md").write_text("", encoding="utf-8")
    status, result = run_json("ingest", folder, folder / "没有.md", home=home)
    assert status == 1
    assert result["added"] == 2
    assert {os.path.basename(failure["path"]) for failure in result["failed"]} == {
        "空.md",
        "没有.md",
    }
    assert all(failure["error"] for failure in result["failed"])


def test_files_that_may_be_documents_are_named_where_they_are_skipped(folder, home):
    for name in ("旧办法.doc", "标准.et", "扫描.JPG", "程序.exe"):
        (folder / name).write_bytes(b"x")
    status, result = run_json("ingest", folder, home=home)
    assert (status, result["added"], result["failed"]) == (0, 2, [])
    skipped = {os.path.basename(one["path"]): one["error"] for one in result["skipped"]}
    assert set(skipped) == {"旧办法.doc", "标准.et", "扫描.JPG"}
    assert ".docx" in skipped["旧办法.doc"]
    assert ".xlsx" in skipped["标准.et"]
    assert "OCR" in skipped["扫描.JPG"]
    said = run("ingest", folder, home=home)
    assert "跳过 3 个" in said.stdout
    assert "旧办法.doc" in said.stderr


def test_of_very_many_skipped_files_some_are_named_and_all_counted(folder, home):
    for number in range(30):
        (folder / f"{number}.png").write_bytes(b"x")
    said = run("ingest", folder, home=home)
    assert said.stderr.count("已跳过") == 20
    assert "还有 10 个" in said.stderr


def test_a_file_name_that_is_not_utf8_still_gives_json(home, tmp_path):
    name = os.fsdecode("没有".encode("gbk")) + ".md"
    done = process("ingest", tmp_path / name, "--json", "--home", home)
    assert done.returncode == 1
    assert len(json.loads(done.stdout)["failed"]) == 1


def test_ingest_tells_people_what_it_did(folder, home):
    result = run("ingest", folder, home=home)
    assert "新增 2 篇" in result.stdout
    assert "段落" in result.stdout


def test_an_empty_folder_is_said_to_be_empty(home, tmp_path):
    (tmp_path / "nothing").mkdir()
    assert "没有找到" in run("ingest", tmp_path / "nothing", home=home).stderr


def test_interrupted_it_keeps_what_is_loaded_and_says_how_to_go_on(folder, home):
    rows = "".join(
        json.dumps({"id": str(n), "title": f"第{n}号告示", "text": f"第{n}号告示的内容。"}) + "\n"
        for n in range(20_000)
    )
    (folder / "告示.jsonl").write_text(rows, encoding="utf-8")
    command = [sys.executable, "-m", "ui.cli", "ingest", folder, "--home", home, "--json"]
    # A shell starts what runs in the background with interrupts ignored, and so would we.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    signal.signal(signal.SIGINT, before)
    wait_for(lambda: holds_something(home))
    os.killpg(running.pid, signal.SIGINT)
    stdout, stderr = running.communicate(timeout=60)
    assert running.returncode == 1
    assert re.search(r"现有资料 \d+ 篇.*再运行一次同样的命令", json.loads(stdout)["error"])
    assert "Traceback" not in stderr
    (folder / "告示.jsonl").unlink()
    assert run_json("ingest", folder, home=home)[0] == 0


def holds_something(home):
    if not (home / "chroma").exists():
        return False
    with closing(sqlite3.connect(home / "catalogue.sqlite3")) as catalogue:
        return catalogue.execute("SELECT count(*) FROM documents").fetchone()[0] > 0


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        os.sched_yield()


def test_documents_lists_what_is_loaded(loaded):
    status, documents = run_json("documents", home=loaded)
    assert status == 0
    assert {document["title"] for document in documents} == {"青湖图书馆", "青湖公园停车办法"}
    assert set(documents[0]) == {"id", "title", "source", "metadata", "passages", "added"}
    lines = run("documents", home=loaded).stdout.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("编号")


def test_columns_are_aligned_by_what_a_terminal_shows():
    assert width("图书馆A") == 7
    assert width(clip("青湖公园停车办法", 9)) <= 9
    assert clip("短", 9) == "短"


def test_remove_removes_everywhere(loaded):
    documents = run_json("documents", home=loaded)[1]
    ids = [document["id"] for document in documents]
    assert run_json("remove", *ids, home=loaded) == (0, {"removed": 2})
    assert run_json("documents", home=loaded) == (0, [])
    assert run_json("search", "停车", home=loaded) == (0, [])


def test_remove_names_unknown_ids_and_removes_the_known(loaded):
    known = run_json("documents", home=loaded)[1][0]["id"]
    status, result = run_json("remove", known, "nosuch", home=loaded)
    assert status == 1
    assert result["removed"] == 1
    assert "nosuch" in result["error"]
    assert len(run_json("documents", home=loaded)[1]) == 1


def test_rebuild_keeps_the_documents(loaded):
    status, result = run_json("rebuild", home=loaded)
    assert status == 0
    assert (result["documents"], result["passages"]) == (2, 2)
    assert run_json("search", "停车怎么收费", home=loaded)[1]


# -- questions


def test_search_gives_the_contracted_fields_best_first(loaded):
    status, found = run_json("search", "停车每小时多少钱", "-k", "1", home=loaded)
    assert status == 0
    assert len(found) == 1
    assert found[0]["rank"] == 1
    assert found[0]["title"] == "青湖公园停车办法"
    assert set(found[0]) == {
        "rank", "score", "document_id", "title", "section", "text", "source", "start", "end",
    }  # fmt: skip
    assert "停车首小时免费" in run("search", "停车每小时多少钱", home=loaded).stdout


def test_ask_gives_the_contracted_fields(loaded):
    status, answer = run_json("ask", QUESTION, home=loaded)
    assert status == 0
    assert set(answer) == {
        "question", "corrected_question", "answer", "status", "refused", "reason", "missing",
        "citations", "mode", "seconds",
    }  # fmt: skip
    assert "3元" in answer["answer"]
    assert set(answer["citations"][0]) == {
        "n", "document_id", "title", "section", "source", "date", "quote", "start", "end",
    }  # fmt: skip


def test_ask_prints_the_answer_and_then_its_sources(loaded):
    printed = run("ask", QUESTION, home=loaded).stdout
    assert printed.index("3元") < printed.index("资料来源") < printed.index("《青湖公园停车办法》")


def test_a_refusal_is_an_answer_and_no_failure(loaded):
    status, answer = run_json("ask", "火星上怎么买房", home=loaded)
    assert status == 0
    assert answer["refused"]
    assert answer["citations"] == []


@pytest.mark.parametrize("arguments", [("ask", "停车多少钱"), ("search", "停车"), ("documents",)])
def test_an_empty_home_says_how_to_load_documents(arguments, home):
    result = run(*arguments, home=home)
    assert result.exit_code == 0
    assert "xiaoquan ingest" in result.stderr


@pytest.mark.parametrize("command", ["ask", "search", "remove"])
def test_words_in_another_encoding_are_wrong_usage(command, loaded):
    done = process(command, os.fsdecode("停车".encode("gbk")), "--home", loaded)
    assert done.returncode == 2
    assert "UTF-8" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_empty_question_fails_with_a_message(loaded):
    assert "空" in run("ask", " ", home=loaded).stderr
    status, result = run_json("ask", " ", home=loaded)
    assert status == 1
    assert list(result) == ["error"]


def test_a_conversation_goes_on_after_an_error_and_knows_what_was_said(loaded):
    typed = f"{QUESTION}\n\n{'问' * 3000}\n那收费多少呢\n退出\n"
    result = run("chat", home=loaded, typed=typed)
    assert result.exit_code == 0
    assert "太长" in result.stderr
    assert result.stdout.count("20元。[1]") == 2


@pytest.mark.parametrize("command", [["documents"], ["ask", "x"], ["ingest", "."]])
def test_a_home_that_cannot_be_used_is_a_message_not_a_traceback(command, tmp_path):
    file = tmp_path / "file"
    file.write_text("not a folder", encoding="utf-8")
    result = run(*command, home=file)
    assert result.exit_code == 1
    assert "--home" in result.stderr
    assert run_json(*command, home=file)[1].keys() == {"error"}


def test_the_home_may_come_from_the_environment(loaded):
    done = process("documents", "--json", env={**os.environ, "XIAOQUAN_HOME": str(loaded)})
    assert len(json.loads(done.stdout)) == 2


# -- serving


def test_a_port_that_is_taken_is_said_at_once(loaded):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--port", port, home=loaded)
    assert result.exit_code == 1
    assert f"端口 {port} 已被占用" in result.stderr
    assert "--port" in result.stderr


def test_serve_loads_the_sample_says_where_it_is_and_stops_when_told(home):
    command = [sys.executable, "-m", "ui.cli", "serve", "--port", "0", "--home", home]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        line = running.stdout.readline()
        assert "http://127.0.0.1:" in line
        address = line.split("：")[1].strip()
        assert ready(address) >= 20
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=30) == 0
        assert "Traceback" not in running.stderr.read()


def ready(address):
    import httpx

    answer = httpx.get(f"{address}/readyz", trust_env=False).json()
    assert answer["ready"]
    return answer["documents"]


def test_synonyms_are_listed_and_a_wrong_line_is_named(home):
    home.mkdir()
    (home / "synonyms.txt").write_text("大红楼 = 市民之家\n", encoding="utf-8")
    code, entries = run_json("synonyms", home=home)
    assert code == 0
    assert entries[0]["words"] == ["大红楼"]
    assert "大红楼 = 市民之家" in run("synonyms", home=home).stdout
    (home / "synonyms.txt").write_text("大红楼 = 市民之家\n大红楼\n", encoding="utf-8")
    done = process("synonyms", "--home", home)
    assert done.returncode == 1
    assert "synonyms.txt:2" in done.stderr


def test_a_host_that_is_no_name_is_said_to_be_none(home):
    result = run("serve", "--host", "x" * 64, home=home)
    assert result.exit_code == 1
    assert "--host" in result.stderr
