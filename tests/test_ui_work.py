"""Load: so much at once, so much waiting; who is slow or has left holds nobody up."""

import asyncio
import json
import threading
from dataclasses import replace

import httpx
import pytest
from fastapi.testclient import TestClient

from assistant.chain import Assistant
from assistant.reply import Reply, Understood
from assistant.types import Delta
from knowledge.base import KnowledgeBase
from knowledge.settings import load_settings
from knowledge.types import Document
from ui.api import create_app
from ui.conversing import Desk
from ui.pages import pages
from ui.suggesting import Suggester
from ui.work import THREADS, Work

NOTICE = Document("d", "停车", "# 停车\n\n停车首小时免费，之后每小时收费3元。\n", "/d.md", {})
ASK = {"question": "停车怎么收费"}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    with KnowledgeBase(load_settings(home=tmp_path_factory.mktemp("work"))) as base:
        base.add(NOTICE)
        yield base


class Slow:
    """An assistant whose chat model says a word, then nothing until it is let go."""

    def __init__(self, base):
        self.hits = base.search("停车", 1)
        self.go_on = threading.Event()
        self.stopped = threading.Event()
        self.started = threading.Semaphore(0)

    def ask(self, question, history=(), *, as_typed=False):
        return Reply(self._run(question))

    def _run(self, question):
        yield Understood(question, question, self.hits)
        try:
            for _ in range(1000):
                yield Delta("停")
                self.started.release()
                self.go_on.wait(30)
            raise AssertionError("nobody stopped it")
        finally:
            self.stopped.set()


def app_of(base, assistant, work=None):
    app = create_app(base, assistant)
    if work:
        app.state.service = replace(app.state.service, work=work)
    return app


def client_of(app):
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def begun(slow):
    assert await asyncio.to_thread(slow.started.acquire, timeout=30)


def test_beyond_the_queue_one_is_told_to_come_again(base):
    slow = Slow(base)

    async def run():
        app = app_of(base, slow, Work(1, chat_limit=32))
        async with client_of(app) as client:
            first = asyncio.create_task(client.post("/api/ask", json=ASK))
            await begun(slow)
            refused = await client.post("/api/ask", json=ASK)
            also = await client.post(
                "/v1/chat/completions", json={"messages": [{"role": "user", "content": "停车"}]}
            )
            first.cancel()
            slow.go_on.set()
            await asyncio.wait([first])
            after = await client.get("/api/search", params={"q": "停车"})
        return refused, also, after

    refused, also, after = asyncio.run(run())
    assert refused.status_code == also.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert "稍等" in refused.json()["error"]
    assert also.json()["error"]["type"] == "server_error"
    assert after.status_code == 200


def test_what_to_ask_next_has_its_place_among_the_questions(base):
    app = app_of(base, assistant := Assistant(base), Work(1))
    history = app.state.service.history
    app.state.desk = Desk(base, assistant, history, Suggester(base))
    app.include_router(pages)
    owner = "a-token-of-one-browser"
    kept = history.keep(owner, "c", assistant.ask(ASK["question"]).answer())
    client = TestClient(app, headers={"X-Owner": owner})
    with app.state.service.work.place():
        assert client.get(f"/page/answers/{kept.id}/next").status_code == 503
    assert client.get(f"/page/answers/{kept.id}/next").status_code == 200
    assert client.get("/page/answers/nosuch/next").status_code == 404


def test_a_slow_chat_model_holds_up_nothing_that_is_looked_up_here(base):
    slow = Slow(base)

    async def run():
        async with client_of(app_of(base, slow, Work(100, chat_limit=32))) as client:
            waiting = [
                asyncio.create_task(client.post("/api/ask", json=ASK)) for _ in range(THREADS + 1)
            ]
            for _ in waiting:
                await begun(slow)
            found = await asyncio.wait_for(client.get("/api/search", params={"q": "停车"}), 20)
            for task in waiting:
                task.cancel()
            slow.go_on.set()
            await asyncio.wait(waiting)
            return found

    assert asyncio.run(run()).json()[0]["document_id"] == "d"


@pytest.mark.parametrize("chat_limit", [0, 32])
def test_the_work_of_a_cancelled_request_ends_with_its_step(base, chat_limit):
    slow = Slow(base)

    async def run():
        app = app_of(base, slow, work := Work(1, chat_limit=chat_limit))
        async with client_of(app) as client:
            asking = asyncio.create_task(client.post("/api/ask", json=ASK))
            await begun(slow)
            asking.cancel()
            await asyncio.wait([asking], timeout=0.1)
            asking.cancel()
            under_way = work.under_way
            slow.go_on.set()
            await asyncio.wait([asking])
            return asking.cancelled(), under_way, work.under_way

    assert asyncio.run(run()) == (True, 1, 0)
    assert slow.stopped.is_set()


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json"])
def test_the_work_for_one_who_has_left_stops(base, accept):
    slow = Slow(base)

    async def run():
        app = app_of(base, slow, Work(1, chat_limit=32))
        left = asyncio.Event()
        body = [{"type": "http.request", "body": json.dumps(ASK).encode()}]

        async def receive():
            if body:
                return body.pop()
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(_):
            pass

        headers = [(b"accept", accept.encode()), (b"content-type", b"application/json")]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/api/ask",
            "query_string": b"",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("test", 80),
            "scheme": "http",
            "http_version": "1.1",
            "root_path": "",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
        }
        asking = asyncio.create_task(app(scope, receive, send))
        await begun(slow)
        left.set()
        slow.go_on.set()
        await asyncio.wait_for(asking, 30)
        assert await asyncio.to_thread(slow.stopped.wait, 30)
        assert app.state.service.work.under_way == 0

    asyncio.run(run())


def test_the_same_questions_at_once_get_the_same_answers(base):
    async def run():
        async with client_of(app_of(base, Assistant(base))) as client:
            return await asyncio.gather(*(client.post("/api/ask", json=ASK) for _ in range(20)))

    answers = {response.json()["answer"] for response in asyncio.run(run())}
    assert len(answers) == 1
    assert "3元" in answers.pop()
