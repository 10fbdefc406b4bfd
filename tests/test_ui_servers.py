"""Beyond one process: Chroma and PostgreSQL shared, gone and back, with nobody started anew."""

import asyncio
from collections import Counter

import httpx
import pytest
from fastapi.testclient import TestClient

from assistant.chain import Assistant
from assistant.history import History
from knowledge.base import KnowledgeBase
from knowledge.errors import HomeError
from knowledge.settings import load_settings
from knowledge.types import Document
from ui.api import create_app
from ui.keys import Keys

NOTICE = Document("d", "停车", "# 停车\n\n停车首小时免费，之后每小时收费3元。\n", "/d.md", {})
MORE = Document("e", "养犬", "# 养犬\n\n养犬登记每年收费200元。\n", "/e.md", {})


class Load:
    """Requests that are sent again and again, several at once, and what came back."""

    def __init__(self, app, *requests):
        self._app, self._requests = app, requests
        self.statuses = Counter()

    async def __aenter__(self):
        self._told = asyncio.Condition()
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://test")
        self._asking = [asyncio.create_task(self._ask(request)) for request in self._requests * 3]
        return self

    async def __aexit__(self, *_):
        for task in self._asking:
            task.cancel()
        ended = await asyncio.gather(*self._asking, return_exceptions=True)
        await self._client.aclose()
        assert {type(end) for end in ended} == {asyncio.CancelledError}

    async def _ask(self, request):
        while True:
            response = await self._client.request(**request)
            assert response.status_code in {200, 503}
            assert response.status_code == 200 or int(response.headers["Retry-After"]) > 0
            async with self._told:
                self.statuses[response.status_code] += 1
                self._told.notify_all()

    async def until(self, status):
        """Wait until as many as ask have been told this since now."""
        wanted = self.statuses[status] + len(self._asking)
        async with asyncio.timeout(60), self._told:
            await self._told.wait_for(lambda: self.statuses[status] >= wanted)

    async def gone_and_back(self, stop, start):
        """Stop what the server leans on, and start it again."""
        await self.until(200)
        assert 503 not in self.statuses
        await asyncio.to_thread(stop)
        await self.until(503)
        await asyncio.to_thread(start)
        await self.until(200)


def test_servers_share_a_chroma_server_that_may_go_and_come_back(tmp_path, chroma):
    url, start, stop = chroma
    settings = load_settings(home=tmp_path / "home", chroma_url=url)
    first, second = KnowledgeBase(settings), KnowledgeBase(settings)
    first.add(NOTICE)
    app = create_app(second, Assistant(second))
    client = TestClient(app, raise_server_exceptions=False)
    assert client.get("/readyz").json()["ready"]
    first.add(MORE)
    query = {"q": "养犬登记收费"}
    assert client.get("/api/search", params=query).json()[0]["document_id"] == "e"

    async def run():
        async with Load(
            app,
            {"method": "POST", "url": "/api/ask", "json": {"question": "停车怎么收费"}},
            {"method": "GET", "url": "/api/search", "params": query},
            {"method": "GET", "url": "/readyz"},
        ) as load:
            await load.gone_and_back(stop, start)

    asyncio.run(run())
    assert client.get("/api/search", params=query).json()[0]["document_id"] == "e"
    list(first.rebuild())  # makes the collection anew, under another id
    assert client.get("/api/search", params=query).json()[0]["document_id"] == "e"


def test_servers_share_a_postgres_that_may_go_and_come_back(tmp_path, postgres):
    url, start, stop = postgres
    one = load_settings(home=tmp_path / "one", database_url=url)
    other = load_settings(home=tmp_path / "other", database_url=url)
    keys, history = Keys(other), History(other)
    key = Keys(one).make("一体机", ["ask"])
    assert keys.find(key).scopes == {"ask"}
    stop()
    with pytest.raises(HomeError, match="XIAOQUAN_DATABASE_URL"):
        keys.find(key)
    with pytest.raises(HomeError):
        history.asked()
    start()
    assert keys.find(key).name == "一体机"
    assert history.asked() == []


def test_without_postgres_nobody_is_let_in_by_key_and_everybody_else_is_answered(
    tmp_path, postgres
):
    url, start, stop = postgres
    settings = load_settings(home=tmp_path / "home", database_url=url)
    question = {"question": "停车怎么收费", "conversation_id": "c"}
    with KnowledgeBase(settings) as base:
        base.add(NOTICE)
        app = create_app(base, Assistant(base))
        key = {"Authorization": f"Bearer {Keys(settings).make('一体机', ['ask'])}"}

        async def run():
            async with Load(
                app,
                {"method": "POST", "url": "/api/ask", "json": question, "headers": key},
                {"method": "GET", "url": "/api/conversations", "headers": {"X-Owner": "o" * 32}},
            ) as load:
                await load.gone_and_back(stop, start)
            async with Load(app, {"method": "POST", "url": "/api/ask", "json": question}) as load:
                await load.until(200)
                await asyncio.to_thread(stop)
                await load.until(200)
                assert set(load.statuses) == {200}
            await asyncio.to_thread(start)

        asyncio.run(run())
