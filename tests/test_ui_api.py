"""The HTTP API: native, streaming, OpenAI-compatible, and what it says when something is wrong."""

import asyncio
import json
import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import pytest
import uvicorn
from fastapi.testclient import TestClient
from langchain_openai import ChatOpenAI
from openai import BadRequestError, OpenAI

from assistant.chain import Assistant
from assistant.errors import ChatModelError
from assistant.reply import Reply
from assistant.types import Delta
from eval.load import burst, connect, pace
from knowledge.base import KnowledgeBase
from knowledge.errors import HomeError
from knowledge.settings import load_settings
from knowledge.types import Document
from ui.admin import admin
from ui.api import create_app
from ui.kiosk import kiosk

OPERATOR = {"Authorization": "Bearer open sesame"}
QUESTION = "青湖公园停车怎么收费"
NOTICE = Document(
    "parking",
    "青湖公园停车办法",
    "# 青湖公园停车办法\n\n停车首小时免费，之后每小时收费3元，每天最多收20元。\n",
    "/docs/parking.md",
    {"issuer": "青湖公园管理处", "date": "2024-05-06"},
)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    settings = load_settings(home=tmp_path_factory.mktemp("api"), admin_password="open sesame")
    with KnowledgeBase(settings) as base:
        base.add(NOTICE)
        yield base


@pytest.fixture(scope="module")
def client(base):
    return TestClient(create_app(base, Assistant(base)), raise_server_exceptions=False)


def events(response):
    """Parse server-sent events as a browser would."""
    assert response.headers["content-type"].startswith("text/event-stream")
    for block in response.text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        yield fields.get("event", "message"), fields["data"]


class Failing:
    """An assistant that fails, before the first word or after it."""

    def __init__(self, error, *, after_a_word=False):
        self.error, self.after_a_word = error, after_a_word

    def ask(self, question, history=(), *, as_typed=False):
        return Reply(self._run())

    def _run(self):
        if self.after_a_word:
            yield Delta("停车")
        raise self.error


def failing(base, error, **how):
    return TestClient(create_app(base, Failing(error, **how)), raise_server_exceptions=False)


# -- native


def test_ask_answers_like_the_assistant(client, base):
    answer = client.post("/api/ask", json={"question": QUESTION}).json()
    expected = json.loads(json.dumps(asdict(Assistant(base).ask(QUESTION).answer())))
    assert answer.keys() - expected.keys() == {"id", "conversation_id"}
    assert {**answer, "seconds": 0} | {**expected, "seconds": 0} == {**answer, "seconds": 0}
    assert "3元" in answer["answer"]


def test_ask_streams_what_it_answers(client):
    response = client.post(
        "/api/ask", json={"question": QUESTION}, headers={"Accept": "text/event-stream"}
    )
    got = list(events(response))
    assert [name for name, _ in got[:2]] == ["question", "sources"]
    assert json.loads(got[0][1])["question"] == QUESTION
    assert json.loads(got[1][1])[0]["title"] == "青湖公园停车办法"
    text = "".join(json.loads(data)["text"] for name, data in got if name == "delta")
    name, data = got[-1]
    assert name == "answer"
    assert json.loads(data)["answer"] == text
    assert json.loads(data)["citations"][0]["document_id"] == "parking"


def test_a_follow_up_leans_on_the_history_that_came_with_it(client):
    history = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "3元[1]"}]
    alone = client.post("/api/ask", json={"question": "那收费多少呢"}).json()
    told = client.post(
        "/api/ask", json={"question": "那收费多少呢", "history": history, "conversation_id": "x"}
    ).json()
    assert "20元" in told["answer"]
    assert told["answer"] != alone["answer"] or not alone["refused"]


def test_a_history_may_be_null_as_it_may_be_left_out(client):
    whole = {"question": QUESTION, "history": None, "conversation_id": None}
    answer = client.post("/api/ask", json=whole)
    assert answer.status_code == 200
    assert "3元" in answer.json()["answer"]


def test_search_and_documents(client):
    found = client.get("/api/search", params={"q": "停车", "k": 1}).json()
    assert [one["document_id"] for one in found] == ["parking"]
    documents = client.get("/api/documents").json()
    assert documents[0]["metadata"]["issuer"] == "青湖公园管理处"
    assert client.get("/api/documents", params={"offset": 1}).json() == []
    assert "3元" in client.get("/api/documents/parking").json()["text"]
    assert client.get("/api/documents/nosuch/one").status_code == 404


OWNER = {"X-Owner": "b2c1a0f9e8d7c6b5a4"}


def test_a_conversation_is_kept_for_its_owner_and_leaned_on(client):
    body = {"question": QUESTION, "conversation_id": "talk"}
    client.post("/api/ask", json=body, headers=OWNER)
    told = client.post("/api/ask", json={**body, "question": "那收费多少呢"}, headers=OWNER).json()
    assert "20元" in told["answer"]
    listed = client.get("/api/conversations", headers=OWNER).json()
    assert [one["title"] for one in listed] == [QUESTION]
    kept = client.get("/api/conversations/talk", headers=OWNER).json()
    assert [one["question"] for one in kept] == [QUESTION, "那收费多少呢"]
    other = {"X-Owner": "another-owner-entirely"}
    assert client.get("/api/conversations/talk", headers=other).status_code == 404
    assert client.delete("/api/conversations/talk", headers=other).status_code == 404
    assert client.delete("/api/conversations/talk", headers=OWNER).status_code == 204
    assert client.get("/api/conversations", headers=OWNER).json() == []


def test_an_owner_that_could_be_guessed_is_refused(client):
    response = client.get("/api/conversations", headers={"X-Owner": "me"})
    assert response.status_code == 422
    assert "X-Owner" in response.json()["error"]


def test_feedback_reaches_the_operators_masked(client):
    asked = client.post("/api/ask", json={"question": QUESTION}).json()
    wrong = {"id": asked["id"], "verdict": "down", "reason": "不对，请打13800138000告诉我"}
    assert client.post("/api/feedback", json=wrong).status_code == 204
    assert client.get("/api/feedback").status_code == 401
    listed = client.get("/api/feedback", headers=OPERATOR).json()
    assert [one["id"] for one in listed] == [asked["id"]]
    assert "13800138000" not in listed[0]["comment"]
    assert client.post("/api/feedback", json={**wrong, "id": "nosuch"}).status_code == 404
    assert client.post("/api/feedback", json={**wrong, "verdict": "?"}).status_code == 422


def test_an_answer_that_cannot_be_kept_is_an_answer(base):
    class Broken:
        def keep(self, *_, **__):
            raise HomeError("满了")

    app = create_app(base, Assistant(base))
    app.state.service = replace(app.state.service, history=Broken())
    answer = TestClient(app).post("/api/ask", json={"question": QUESTION}).json()
    assert "3元" in answer["answer"]
    assert answer["id"] == ""


def test_health_and_readiness(client):
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"ready": True, "documents": 1, "passages": 1}


def test_not_ready_while_it_cannot_search(base, monkeypatch):
    def broken(*_, **__):
        raise HomeError("数据文件夹打不开。")

    monkeypatch.setattr(base, "search", broken)
    response = TestClient(create_app(base, Assistant(base))).get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"error": "数据文件夹打不开。"}


def test_however_many_ask_at_once_whether_it_is_ready_it_searches_once(base, monkeypatch):
    searches, search = [], base.search

    def noted(*args, **how):
        searches.append(args)
        return search(*args, **how)

    monkeypatch.setattr(base, "search", noted)
    monkeypatch.setattr("ui.readiness.STANDS", 30)
    with TestClient(create_app(base, Assistant(base))) as client, ThreadPoolExecutor(20) as many:
        answers = list(many.map(lambda _: client.get("/readyz"), range(40)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(searches) == 1


def test_what_was_not_ready_is_once_it_can_search_again(base, monkeypatch):
    monkeypatch.setattr("ui.readiness.STANDS", 0)
    client = TestClient(create_app(base, Assistant(base)))
    with monkeypatch.context() as broken:
        broken.setattr(base, "search", lambda *_, **__: 1 / 0)
        assert client.get("/readyz").status_code == 500
    assert client.get("/readyz").status_code == 200


def test_the_docs_page_and_all_it_loads_come_from_here(client):
    page = client.get("/docs").text
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert loaded
    for address in loaded:
        assert address.startswith("/")
        assert client.get(address).status_code == 200
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/api/ask", "/api/search", "/api/documents", "/v1/chat/completions"} <= paths.keys()


# -- what is wrong


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "'question'：缺少"),
        ({"question": 5}, "'question'：应当是文字"),
        ({"question": "x", "as_typed": None}, "'as_typed'：应当是 true 或 false"),
        ({"question": "x", "history": [{"role": "god", "content": "x"}]}, "'history.0.role'"),
        ([], "JSON 对象"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong_in_chinese(client, body, told):
    response = client.post("/api/ask", json=body)
    assert response.status_code == 422
    assert told in response.json()["error"]


@pytest.mark.parametrize(
    ("body", "told"), [("{", "JSON"), ("\xff", "JSON"), (r'{"question": "\ud800"}', "'question'")]
)
def test_what_is_not_json_or_no_text_is_told_so(client, body, told):
    response = client.post(
        "/api/ask", content=body.encode("latin-1"), headers={"Content-Type": "application/json"}
    )
    assert response.status_code in {400, 422}
    assert told in response.json()["error"]


@pytest.mark.parametrize("kind", [None, "application/x-www-form-urlencoded", "text/plain"])
@pytest.mark.parametrize("path", ["/api/ask", "/v1/chat/completions"])
def test_json_that_is_not_said_to_be_json_is_told_how_to_say_so(client, path, kind):
    headers = {"Content-Type": kind} if kind else {}
    response = client.post(path, content='{"question": "停车怎么收费"}', headers=headers)
    assert response.status_code in {400, 422}
    assert "Content-Type: application/json" in response.text
    response = client.post(path, headers={"Content-Type": "application/json"})
    assert "没有请求体" in response.text


def test_an_upload_that_cannot_be_read_is_told_how_to_send_it(client):
    broken = {**OPERATOR, "Content-Type": "multipart/form-data"}  # its boundary is missing
    response = client.post("/api/documents", content=b"--x\r\n", headers=broken)
    assert response.status_code == 400
    assert "表单" in response.json()["error"]
    response = client.post("/api/documents", data={"file": "notice.pdf"}, headers=OPERATOR)
    assert response.status_code == 422
    assert "-F file=@" in response.json()["error"]
    assert "UploadFile" not in response.json()["error"]


@pytest.mark.parametrize("k", ["0", "101", "many"])
def test_how_many_has_limits(client, k):
    response = client.get("/api/search", params={"q": "停车", "k": k})
    assert response.status_code == 422
    assert "'k'" in response.json()["error"]


@pytest.mark.parametrize("question", ["", "问" * 2001])
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_an_empty_or_endless_question_is_the_callers_mistake(client, question, accept):
    response = client.post("/api/ask", json={"question": question}, headers={"Accept": accept})
    assert response.status_code == 400
    assert "问题" in response.json()["error"]


def test_a_request_that_is_told_in_pydantics_own_words_is_not_the_servers_fault(base):
    app = create_app(base, Assistant(base))
    app.include_router(kiosk)
    client = TestClient(app, raise_server_exceptions=False)
    response = client.get("/page/code", params={"address": "x"})  # its pattern has braces
    assert response.status_code == 422
    assert "address" in response.json()["error"]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig"])
def test_the_operators_words_are_shown_in_whatever_encoding_they_were_saved(base, encoding):
    app = create_app(base, Assistant(base))
    app.include_router(admin)
    client = TestClient(app, headers=OPERATOR, raise_server_exceptions=False)
    file = base.home / "synonyms.txt"
    file.write_bytes("绿皮卡 = 公交卡\n".encode(encoding))
    try:
        assert client.get("/admin/synonyms").json()["own"] == "绿皮卡 = 公交卡\n"
        file.write_bytes(b"\0\1\2")
        assert client.get("/admin/synonyms").status_code == 422
    finally:
        file.unlink()


@pytest.mark.parametrize("path", ["/api/nosuch", "/v1/nosuch", "/nosuch"])
def test_an_unknown_path_is_not_found_in_the_shape_of_its_api(client, path):
    response = client.get(path)
    assert response.status_code == 404
    error = response.json()["error"]
    assert bool(error["message"] if path.startswith("/v1") else error)


@pytest.mark.parametrize(
    ("error", "status"), [(HomeError("满了"), 503), (ChatModelError("没回"), 502), (OSError(), 500)]
)
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_a_failure_before_the_first_word_has_its_status(base, error, status, accept):
    response = failing(base, error).post(
        "/api/ask", json={"question": "x"}, headers={"Accept": accept}
    )
    assert response.status_code == status
    assert response.json()["error"]


def test_a_failure_after_the_first_word_is_told_in_the_stream(base):
    failed = failing(base, HomeError("满了"), after_a_word=True)
    got = list(
        events(
            failed.post("/api/ask", json={"question": "x"}, headers={"Accept": "text/event-stream"})
        )
    )
    assert [name for name, _ in got] == ["delta", "error"]
    assert json.loads(got[-1][1]) == {"error": "满了"}


def test_an_unexpected_failure_tells_the_citizen_nothing_of_the_inside(base):
    response = failing(base, OSError("/secret/path")).post("/api/ask", json={"question": "x"})
    assert response.status_code == 500
    assert "secret" not in response.text


def test_questions_are_not_logged(client, caplog):
    with caplog.at_level(logging.DEBUG):
        client.post("/api/ask", json={"question": "我的病历号是七七八八，怎么报销"})
        client.post("/api/ask", json={"question": "七七八八" * 1000})
        client.post("/api/ask", json={"question": "七七八八", "history": "七七八八"})
    assert "七七八八" not in caplog.text


# -- OpenAI's own client, over a real socket


@pytest.fixture(scope="module")
def address(base):
    config = uvicorn.Config(create_app(base, Assistant(base)), port=0, log_level="warning")
    server = uvicorn.Server(config)
    started = threading.Event()
    startup = server.startup

    async def tell(sockets=None):
        await startup(sockets)
        started.set()

    server.startup = tell
    thread = threading.Thread(target=server.run)
    thread.start()
    assert started.wait(30)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(30)


@pytest.fixture(scope="module")
def openai(address):
    with OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
        yield client


ASKED = [{"role": "user", "content": QUESTION}]


def test_the_openai_client_gets_an_answer_with_its_citations(openai):
    model = openai.models.list().data[0].id
    completion = openai.chat.completions.create(model=model, messages=ASKED, temperature=0.2)
    choice = completion.choices[0]
    assert "3元" in choice.message.content
    assert choice.finish_reason == "stop"
    assert choice.citations[0]["title"] == "青湖公园停车办法"
    assert completion.usage.total_tokens > 0


def test_the_openai_client_streams(openai):
    chunks = list(
        openai.chat.completions.create(
            model="any", messages=ASKED, stream=True, stream_options={"include_usage": True}
        )
    )
    whole = openai.chat.completions.create(model="any", messages=ASKED)
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    text = "".join(choice.delta.content or "" for choice in choices)
    assert text == whole.choices[0].message.content
    assert choices[0].delta.role == "assistant"
    assert choices[-1].finish_reason == "stop"
    assert choices[-1].citations[0]["document_id"] == "parking"
    assert chunks[-1].usage == whole.usage


def test_the_openai_client_may_send_turns_parts_and_instructions(openai):
    messages = [
        {"role": "system", "content": "你是助手"},
        *ASKED,
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "user", "content": [{"type": "text", "text": "那收费多少呢"}]},
    ]
    completion = openai.chat.completions.create(model="any", messages=messages)
    assert "20元" in completion.choices[0].message.content


CALLED = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    "after",
    [
        [{"role": "system", "content": "请用中文回答"}],
        [{"role": "developer", "content": "请用中文回答"}],
        [
            {"role": "assistant", "content": None, "tool_calls": [CALLED]},
            {"role": "tool", "tool_call_id": "c1", "content": "{}"},
        ],
    ],
)
def test_the_openai_client_may_send_messages_after_the_users(openai, after):
    completion = openai.chat.completions.create(model="any", messages=[*ASKED, *after])
    assert "3元" in completion.choices[0].message.content


def test_the_openai_client_may_send_options_that_are_not_set(openai):
    create = openai.chat.completions.create
    whole = create(model="any", messages=ASKED, stream=None, stream_options=None)
    assert "3元" in whole.choices[0].message.content
    unset = {"include_usage": None}
    chunks = list(create(model="any", messages=ASKED, stream=True, stream_options=unset))
    assert all(chunk.choices for chunk in chunks)


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "system", "content": "x"}],
        [{"role": "user", "content": ""}],
        [{"role": "assistant", "content": "x"}],
        [{"role": "user", "content": [{"type": "text"}]}],
        [{"role": "user", "content": [{"type": "text", "text": None}]}],
        [{"role": "user", "content": [{"type": "text", "text": 5}]}, *ASKED],
    ],
)
def test_the_openai_client_raises_its_own_errors(openai, messages):
    with pytest.raises(BadRequestError) as raised:
        openai.chat.completions.create(model="any", messages=messages)
    assert raised.value.type == "invalid_request_error"
    assert raised.value.body["message"]


def test_a_failure_in_an_openai_stream_reaches_its_client_in_its_shape(base):
    failed = failing(base, HomeError("满了"), after_a_word=True)
    body = {"model": "any", "messages": ASKED, "stream": True}
    data = [data for _, data in events(failed.post("/v1/chat/completions", json=body))]
    assert json.loads(data[-1])["error"]["type"] == "server_error"


def test_langchains_client_gets_answers_whole_and_streamed(address):
    model = ChatOpenAI(base_url=f"{address}/v1", api_key="none", model="xiaoquan", max_retries=0)
    assert "3元" in model.invoke(QUESTION).content
    assert "3元" in "".join(chunk.content for chunk in model.stream(QUESTION))


def test_load_is_asked_at_its_pace_and_all_at_once(address):
    paced = asyncio.run(pace(connect(address, 4), [QUESTION], terminals=3, every=0.2, seconds=0.5))
    assert (paced["answered"], paced["error"], paced["lost"]) == (8, 0, 0)
    at_once = asyncio.run(burst(connect(address, 4), [QUESTION], terminals=4, times=2))
    assert at_once["answered"] + at_once["told to come again"] == 8
    assert 0 < at_once["p50"] <= at_once["p100"]


def test_what_no_server_answers_is_lost():
    assert asyncio.run(burst(connect("http://127.0.0.1:9", 2), [QUESTION], 2, 1))["lost"] == 2
