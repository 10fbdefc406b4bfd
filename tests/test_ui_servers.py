"""Beyond one process: Chroma and PostgreSQL shared, gone and back, with nobody started anew."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from tenacity import retry, stop_after_delay, wait_fixed

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
CHROMA = Path(sys.executable).with_name("chroma")


@retry(stop=stop_after_delay(60), wait=wait_fixed(0.2), reraise=True)
def until_it_answers(url):
    httpx.get(f"{url}/api/v2/heartbeat").raise_for_status()


@contextmanager
def chroma(folder, port):
    command = [CHROMA, "run", "--path", folder, "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            until_it_answers(f"http://127.0.0.1:{port}")
            yield
        finally:
            server.kill()


@pytest.fixture
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_servers_share_a_chroma_server_that_may_go_and_come_back(tmp_path, port):
    settings = load_settings(home=tmp_path / "home", chroma_url=f"http://127.0.0.1:{port}")
    with chroma(tmp_path / "chroma", port):
        first, second = KnowledgeBase(settings), KnowledgeBase(settings)
        first.add(NOTICE)
        client = TestClient(create_app(second, Assistant(second)), raise_server_exceptions=False)
        assert client.get("/readyz").json()["ready"]
        first.add(MORE)
        query = {"q": "养犬登记收费"}
        assert client.get("/api/search", params=query).json()[0]["document_id"] == "e"
    down = client.get("/api/search", params=query)
    assert down.status_code == client.get("/readyz").status_code == 503
    assert int(down.headers["Retry-After"]) > 0
    with chroma(tmp_path / "chroma", port):
        assert client.get("/api/search", params=query).json()[0]["document_id"] == "e"


@pytest.fixture
def postgres(port):
    """Debian's PostgreSQL on a free port: its address, and what starts and stops it."""
    pytest.importorskip("psycopg")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("no PostgreSQL here")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    as_user = []
    if os.geteuid() == 0:  # which PostgreSQL refuses to be
        shutil.chown(folder, "nobody")
        as_user = ["runuser", "-u", "nobody", "--"]

    def run(program, *words):
        command = [*as_user, found[-1].with_name(program), "-D", folder / "data", *words]
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)

    run("initdb", "-A", "trust", "-U", "xiaoquan", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"

    def start():
        run("pg_ctl", "-o", options, "-l", folder / "log", "-w", "start")

    def stop():
        run("pg_ctl", "-m", "fast", "stop")

    start()
    yield f"postgresql+psycopg://xiaoquan@127.0.0.1:{port}/postgres", start, stop
    stop()
    shutil.rmtree(folder)


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
