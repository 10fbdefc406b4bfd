"""A disk that is full, and one that cannot be written: on a small file system in memory."""

import subprocess
from contextlib import contextmanager, suppress

import pytest
from fastapi.testclient import TestClient
from tenacity import retry, stop_after_delay, wait_fixed

from assistant.chain import Assistant
from knowledge.backup import back_up
from knowledge.base import KnowledgeBase
from knowledge.doctor import examine
from knowledge.errors import HomeError
from knowledge.settings import load_settings
from knowledge.types import Document
from ui.api import create_app

NOTICE = Document("d", "停车", "# 停车\n\n停车首小时免费，之后每小时收费3元。\n", "/d.md", {})
MORE = Document("e", "养犬", "# 养犬\n\n养犬登记每年收费200元。\n", "/e.md", {})
LARGE = Document("f", "汇编", "# 汇编\n\n" + "办理时限为三个工作日。\n\n" * 30_000, "/f.md", {})
ASK = {"question": "停车怎么收费"}
OPERATOR = {"Authorization": "Bearer secret"}


def mount(*words):
    return subprocess.run(["mount", *map(str, words)], capture_output=True, check=False)


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if mount("-t", "tmpfs", "-o", "size=8m", "tmpfs", folder).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def base(disk):
    with KnowledgeBase(load_settings(home=disk / "home", admin_password="secret")) as base:
        base.add(NOTICE)
        yield base


@contextmanager
def full(disk):
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"0" * 4096):
            pass
    yield
    filler.unlink()


@retry(stop=stop_after_delay(60), wait=wait_fixed(0.2), reraise=True)
def until_nobody_writes(disk):
    """Chroma lets go of its files in threads of its own, a little after it is closed."""
    assert mount("-o", "remount,ro", disk).returncode == 0


@contextmanager
def read_only(disk):
    until_nobody_writes(disk)
    yield
    mount("-o", "remount,rw", disk)


def found(base):
    return [hit.document.id for hit in base.search("收费", 5)]


def told(base):
    return {finding.check: finding.told for finding in examine(base) if not finding.fine}


def client_of(base):
    return TestClient(create_app(base, Assistant(base)), raise_server_exceptions=False)


def test_what_is_there_answers_and_what_is_new_waits_for_space(base, disk):
    client = client_of(base)
    with full(disk):
        with pytest.raises(HomeError, match="磁盘"):
            base.add(LARGE)
        file = {"file": ("g.md", b"# G", "text/markdown")}
        upload = client.post("/api/documents", files=file, params={"wait": 60}, headers=OPERATOR)
        answer = client.post("/api/ask", json=ASK)
        assert found(base) == ["d"]
    assert upload.status_code == 503
    assert "磁盘" in upload.json()["error"]
    assert answer.json()["status"] == "answered"
    base.add(MORE)
    assert sorted(found(base)) == ["d", "e"]
    assert set(told(base)) == {"disk"}  # so small a one always is


def test_a_home_that_cannot_be_written_is_told_when_it_is_opened(base, disk):
    base.close()  # nothing that is open for writing lets a file system be made read-only
    with read_only(disk), pytest.raises(HomeError, match="可写"):
        KnowledgeBase(base.settings)


def test_a_backup_that_finds_no_space_leaves_nothing(base, disk):
    with full(disk):
        before = sorted(disk.iterdir())
        with pytest.raises(HomeError, match="磁盘"):
            back_up(base, disk / "home.tar")
        assert sorted(disk.iterdir()) == before
    assert back_up(base, disk / "home.tar") > 0
