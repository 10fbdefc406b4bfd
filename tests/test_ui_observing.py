"""What an operator sees of the traffic: counts, request numbers, masked lines."""

import gzip
import json
import logging
import sqlite3
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NoOpTracer
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import ClientDisconnect

from assistant.chain import Assistant
from knowledge.base import KnowledgeBase
from knowledge.errors import SettingError
from knowledge.settings import load_settings
from knowledge.types import Document
from ui import tracing
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


SITE = {"Origin": "https://example.test"}


@pytest.fixture
def damaged(tmp_path):
    """A client of a server whose catalogue was damaged while it ran."""
    settings = load_settings(
        home=tmp_path, admin_password="secret", cors_origins="https://example.test"
    )
    with KnowledgeBase(settings) as base:

        def read():
            raise sqlite3.DatabaseError("database disk image is malformed")

        base.documents = read
        app = create_app(base, Assistant(base))
        app.add_api_route("/page/broken", read)
        yield TestClient(app, headers=SITE)


@pytest.mark.parametrize("path", ["/api/documents", "/page/broken"])
def test_what_nobody_expected_is_an_answer_like_every_other(damaged, path):
    answer = damaged.get(path, headers={"X-Request-ID": "abc-2"})
    assert answer.status_code == 503
    assert "xiaoquan doctor" in answer.json()["error"]
    assert answer.headers["X-Request-ID"] == "abc-2"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Access-Control-Allow-Origin"] == "https://example.test"
    assert answer.headers.get("Cache-Control") == ("no-store" if "/api/" in path else None)
    assert samples(damaged)["xiaoquan_http_requests_total", *sorted((path, "503"))] == 1


def test_what_nobody_expected_is_logged_once_with_the_requests_number(damaged):
    lines = []
    handler = logging.StreamHandler()
    handler.emit = lambda record: lines.append(json.loads(JsonLines().format(record)))
    logging.getLogger().addHandler(handler)
    try:
        damaged.get("/api/documents", headers={"X-Request-ID": "abc-3"})
    finally:
        logging.getLogger().removeHandler(handler)
    (line,) = [line for line in lines if "malformed" in line.get("error", "")]
    assert line["request_id"] == "abc-3"


def test_who_leaves_before_all_is_sent_is_no_error_of_the_servers(base):
    app = create_app(base, Assistant(base))

    @app.post("/page/late")
    async def late():
        raise ClientDisconnect

    client = TestClient(app, raise_server_exceptions=False)
    client.post("/page/late")
    assert samples(client)["xiaoquan_http_requests_total", "/page/late", "499"] == 1


def test_lines_are_masked():
    record = logging.LogRecord("ui", 30, "f", 1, "打 %s 联系", ("13800138000",), None)
    assert "13800138000" not in JsonLines().format(record)


@pytest.fixture
def spans(monkeypatch):
    """What would be sent to a collector."""
    sent = InMemorySpanExporter()
    monkeypatch.setenv(tracing.ENDPOINT, "http://127.0.0.1:4318")
    monkeypatch.setattr(tracing, "_processor", lambda: SimpleSpanProcessor(sent))
    return sent.get_finished_spans


def test_a_trace_tells_the_steps_of_a_question_and_no_word_of_it(spans, client):
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    client.post("/api/ask", json=QUESTION, headers={"traceparent": f"00-{trace}-{parent}-01"})
    understand, compose, request = spans()
    assert (understand.name, compose.name, request.name) == (
        "understand",
        "compose",
        "POST /api/ask",
    )
    assert understand.parent.span_id == compose.parent.span_id == request.context.span_id
    assert f"{request.context.trace_id:x}" == trace.lstrip("0")
    assert f"{request.parent.span_id:x}" == parent
    assert request.attributes["http.response.status_code"] == 200
    assert request.resource.attributes["service.name"] == "xiaoquan"
    client.get("/api/search", params={"q": "七七八八"})
    client.get("/api/七七八八")
    told = "".join(span.to_json() for span in spans())
    assert "GET /api/search" in told
    for word in ("停车", "七七八八", "%E4%B8%83"):
        assert word not in told


def test_a_trace_is_sent_where_the_variable_says(base, monkeypatch):
    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            got.append((self.path, gzip_or_plain(self.rfile.read(length))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    got = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as collector:
        threading.Thread(target=collector.serve_forever, args=(0.02,)).start()
        monkeypatch.setenv(tracing.ENDPOINT, f"http://127.0.0.1:{collector.server_port}")
        processor = tracing._processor()
        monkeypatch.setattr(tracing, "_processor", lambda: processor)
        TestClient(create_app(base, Assistant(base))).post("/api/ask", json=QUESTION)
        processor.shutdown()  # sends what waits
        collector.shutdown()
    ((path, body),) = got
    assert path == "/v1/traces"
    assert b"POST /api/ask" in body
    assert "停车".encode() not in body


def gzip_or_plain(body):
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


def test_without_the_variable_nothing_is_made():
    assert isinstance(tracing.make_tracer(), NoOpTracer)


def test_what_sends_is_asked_for_where_it_is_missing(monkeypatch):
    monkeypatch.setenv(tracing.ENDPOINT, "http://127.0.0.1:4318")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(SettingError, match=r"xiaoquan\[otel\]"):
        tracing.make_tracer()
