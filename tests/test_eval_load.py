"""Load and long use: what is counted, and that what is wrong is noticed."""

import asyncio
import json

import httpx
import pytest
from fastapi import FastAPI, Response
from typer.testing import CliRunner

from assistant.chain import Assistant
from eval import crash as crash_module
from eval.load import burst, pace
from eval.soak import growth, soak
from knowledge.base import KnowledgeBase
from knowledge.errors import KnowledgeError
from knowledge.settings import load_settings
from knowledge.types import Document
from ui.api import create_app
from ui.cli import app

NOTICE = Document("d", "停车", "# 停车\n\n停车首小时免费，之后每小时收费3元。\n", "/d.md", {})
QUESTIONS = ["停车怎么收费", "火星上有没有邮局"]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    settings = load_settings(home=tmp_path_factory.mktemp("load"), admin_password="secret")
    with KnowledgeBase(settings) as base:
        base.add(NOTICE)
        yield base


@pytest.fixture(scope="module")
def served(base):
    return create_app(base, Assistant(base))


def run(served, work, password="secret"):
    async def connected():
        headers = {"Authorization": f"Bearer {password}"}
        transport = httpx.ASGITransport(served, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://test", headers=headers
        ) as client:
            return await work(client)

    return asyncio.run(connected())


def broken(status=200, **headers):
    """A server that takes every change, and answers from what was there before."""
    app = FastAPI()

    @app.post("/api/ask")
    def ask():
        return Response('{"answer": "第0版"}', status, headers)

    @app.post("/api/documents")
    def upload():
        return {"ids": ["a"]}

    @app.delete("/api/documents/a")
    @app.get("/api/jobs")
    def nothing():
        return []

    return app


def test_every_question_is_counted_and_memory_is_told(served):
    paced = run(served, lambda client: pace(client, QUESTIONS, 4, 0.5, 0.5))
    at_once = run(served, lambda client: burst(client, QUESTIONS, 3, 2))
    assert (paced["answered"], at_once["answered"]) == (4, 6)
    assert 0 < paced["p50"] <= paced["p95"] <= paced["p100"]
    assert at_once["memory after, MB"] > 10
    nobody = run(served, lambda client: burst(client, QUESTIONS, 1, 1), password="")
    assert "memory after, MB" not in nobody


@pytest.mark.parametrize(
    ("server", "counted"),
    [
        (broken(503, **{"Retry-After": "5"}), "told to come again"),
        (broken(503), "error"),
        (broken(500), "error"),
    ],
)
def test_what_is_not_answered_is_not_counted_as_answered(server, counted):
    seen = run(server, lambda client: burst(client, QUESTIONS, 2, 1))
    assert (seen["answered"], seen[counted]) == (0, 2)


def test_a_replaced_document_answers_at_once_and_is_removed_in_the_end(served, base):
    summary = run(served, lambda client: soak(client, QUESTIONS, 2, 1, 1, fresh=0))
    assert summary["replaced"] >= 1
    assert summary["stale"] == summary["not replaced"] == summary["error"] == 0
    assert summary["memory growth, %"] is not None
    assert [record.id for record in base.documents()] == ["d"]


def test_an_answer_of_an_old_version_is_noticed():
    summary = run(broken(), lambda client: soak(client, QUESTIONS, 1, 1, 0.1, fresh=0))
    assert summary["stale"] == summary["replaced"] == 1
    assert summary["memory growth, %"] is None


def test_without_the_password_nothing_is_replaced(served):
    with pytest.raises(KnowledgeError, match="XIAOQUAN_ADMIN_PASSWORD"):
        run(served, lambda client: soak(client, QUESTIONS, 1, 1, 1), password="wrong")


def test_growth_is_that_after_warming_up():
    assert growth([50.0, *[100.0] * 8, 104.0]) == 4.0
    assert growth([100.0] * 9) is None


@pytest.mark.parametrize(("found", "status"), [([[], []], 0), ([[], ["vectors: 1"]], 1)])
def test_a_crash_test_that_found_something_fails(monkeypatch, found, status):
    monkeypatch.setattr(crash_module, "crash", lambda *_: iter(found))
    result = CliRunner().invoke(app, ["eval", "crash", "--times", "2", "--json"])
    problems = json.loads(result.stdout)["problems"]
    assert (result.exit_code, len(problems)) == (status, status)


def test_a_server_that_is_not_there_is_told(tmp_path):
    file = tmp_path / "set.jsonl"
    file.write_text('{"id": "1", "question": "停车", "facts": [], "answerable": false}\n', "utf-8")
    result = CliRunner().invoke(app, ["eval", "load", str(file), "--url", "http://127.0.0.1:9"])
    assert result.exit_code == 1
    assert "xiaoquan serve" in result.stderr


@pytest.mark.parametrize(
    "url", ["127.0.0.1:7860", "localhost:7860", "http://127.0.0.1：7860", "http://127.0.0.1:99999"]
)
def test_an_address_that_is_none_is_told_with_how_to_write_it(tmp_path, url):
    file = tmp_path / "questions.jsonl"
    file.write_text('{"question": "居住证怎么办？", "facts": ["派出所"]}\n', encoding="utf-8")
    result = CliRunner().invoke(app, ["eval", "load", str(file), "--url", url])
    assert result.exit_code == 1
    assert f"{url!r} 不是完整的地址" in result.stderr
    assert "http://127.0.0.1:7860" in result.stderr
