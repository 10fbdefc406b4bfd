"""What an operator sees of the traffic: counts, request numbers, masked lines."""

import json
import logging

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from assistant.chain import Assistant
from knowledge.base import KnowledgeBase
from knowledge.settings import load_settings
from knowledge.types import Document
from ui.api import create_app
from ui.observing import JsonLines

NOTICE = Document("d", "停车", "# 停车\n\n停车首小时免费，之后每小时收费3元。\n", "/d.md", {})
OPERATOR = {"Authorization": "Bearer secret"}
QUESTION = {"question": "停车怎么收费"}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    settings = load_settings(home=tmp_path_factory.mktemp("seen"), admin_password="secret")
    with KnowledgeBase(settings) as base:
        base.add(NOTICE)
        yield base


@pytest.fixture
def client(base):
    return TestClient(create_app(base, Assistant(base)), raise_server_exceptions=False)


def samples(client):
    page = client.get("/metrics", headers=OPERATOR).text
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_questions_are_counted_by_what_became_of_them(client):
    answer = client.post("/api/ask", json=QUESTION).json()
    refused = client.post("/api/ask", json={"question": "火星上有没有邮局"}).json()
    client.post("/api/ask", json={"question": ""})
    seen = samples(client)
    for one in (answer, refused):
        assert seen["xiaoquan_questions_total", *sorted((one["status"], one["mode"]))] == 1
    assert seen["xiaoquan_stage_seconds_count", "understand"] == 2
    assert seen["xiaoquan_http_requests_total", "/api/ask", "200"] == 2
    assert seen[("xiaoquan_documents",)] == 1
    assert seen[("xiaoquan_questions_under_way",)] == 0


def test_no_word_of_a_question_is_in_the_metrics(client):
    client.post("/api/ask", json={"question": "七七八八怎么报销"})
    client.get("/api/documents/七七八八")
    client.get("/api/七七八八")
    assert "七七八八" not in client.get("/metrics", headers=OPERATOR).text


def test_a_requests_number_goes_through_its_lines_and_back_to_the_caller(client, caplog):
    handler = logging.StreamHandler()
    lines = []
    handler.emit = lambda record: lines.append(json.loads(JsonLines().format(record)))
    logger = logging.getLogger("ui")
    logger.addHandler(handler)
    try:
        with caplog.at_level(logging.INFO, "ui"):
            mine = client.post("/api/ask", json=QUESTION, headers={"X-Request-ID": "abc-1"})
            made = client.get("/healthz", headers={"X-Request-ID": "a b\tc"})
    finally:
        logger.removeHandler(handler)
    assert mine.headers["X-Request-ID"] == "abc-1"
    assert made.headers["X-Request-ID"] not in {"", "a b\tc"}
    (line, _) = [line for line in lines if line["message"] == "request"]
    assert (line["request_id"], line["route"], line["status"]) == ("abc-1", "/api/ask", 200)
    assert "停车" not in json.dumps(lines, ensure_ascii=False)


def test_lines_are_masked():
    record = logging.LogRecord("ui", 30, "f", 1, "打 %s 联系", ("13800138000",), None)
    assert "13800138000" not in JsonLines().format(record)
