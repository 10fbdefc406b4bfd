"""Damaged files: each store is told of, what is intact goes on, and the home can be had back."""

import random
import shutil
import sqlite3
from contextlib import closing

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from assistant.chain import Assistant
from assistant.history import History
from knowledge import vectors
from knowledge.backup import back_up, restore
from knowledge.base import KnowledgeBase
from knowledge.doctor import examine
from knowledge.errors import HomeError
from knowledge.settings import load_settings
from knowledge.types import Document
from ui.api import create_app
from ui.cli import app
from ui.server import serve

QUERY = "青湖停车怎么收费"
WAYS = ["地下", "路边", "夜间", "假日", "学校", "医院", "景区", "车站"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A home whose vectors lie in Chroma's index files, as those of a large home do."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        hnsw = {**vectors._HNSW, "batch_size": 5, "sync_threshold": 10}
        patch.setattr(vectors, "_HNSW", hnsw)
        with KnowledgeBase(load_settings(home=folder / "home")) as base:
            History(base.settings).close()
            list(
                base.add_all(
                    _document(at, fee) for at in ("青湖", "白塔", "东街") for fee in range(4)
                )
            )
            base.search(QUERY, 3)  # whereupon Chroma writes its index
            back_up(base, folder / "home.tar")
            base.catalogue.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert list(folder.glob("home/chroma/*/index_metadata.pickle"))
    return folder


def _document(at, fee):
    text = "\n\n".join(f"## {way}\n\n{at}{way}停车每小时收费{fee}元。" for way in WAYS)
    return Document(f"{at}{fee}", f"{at}停车办法{fee}", text, f"/{at}{fee}", {})


@pytest.fixture
def home(whole, tmp_path):
    return shutil.copytree(whole / "home", tmp_path / "home")


def found(home):
    with KnowledgeBase(load_settings(home=home)) as base:
        return [(hit.document.id, hit.passage.text) for hit in base.search(QUERY, 5)]


def wrong(home, **how):
    with KnowledgeBase(load_settings(home=home)) as base:
        return {finding.check for finding in examine(base, **how) if not finding.fine}


def harm(home, pattern, harm):
    (file,) = home.glob(pattern)
    content = bytearray(file.read_bytes())
    chance = random.Random(7)
    if harm == "head":
        content[:100] = b"\xff" * 100
    elif harm == "cut":
        del content[len(content) // 2 :]
    else:
        for _ in range(len(content) // 50):
            content[chance.randrange(len(content))] ^= chance.randrange(1, 256)
    file.write_bytes(content)


def statement(home, sql):
    with closing(sqlite3.connect(home / "catalogue.sqlite3")) as connection:
        assert connection.execute(sql).rowcount > 0
        connection.commit()


@pytest.mark.parametrize("kind", ["head", "cut", "flip"])
def test_a_catalogue_that_is_damaged_is_told_and_restored(whole, home, kind):
    before = found(home)
    harm(home, "catalogue.sqlite3", kind)
    result = CliRunner().invoke(app, ["doctor", "--home", str(home)])
    assert result.exit_code == 1
    assert "xiaoquan restore" in result.output
    assert "Traceback" not in result.output
    restore(home, whole / "home.tar")
    assert wrong(home) == set()
    assert found(home) == before


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE texts SET text = replace(text, '2元', '9元') WHERE text LIKE '%2元%'",
        "UPDATE passages SET text = replace(text, '2元', '9元') WHERE text LIKE '%2元%'",
        "UPDATE documents SET title = title || '。' WHERE id = '青湖1'",
    ],
)
def test_a_changed_word_is_noticed(home, sql):
    statement(home, sql)
    assert wrong(home) == {"catalogue"}


def test_a_damaged_keyword_index_is_made_anew(home):
    before = found(home)
    statement(home, "UPDATE passage_keywords_data SET block = randomblob(64) WHERE id > 10")
    assert wrong(home) >= {"keywords"}
    assert wrong(home, mend=True) == set()
    assert found(home) == before


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("chroma/chroma.sqlite3", "head"),
        ("chroma/*/data_level0.bin", "head"),
        ("chroma/*/data_level0.bin", "flip"),
        ("chroma/*/data_level0.bin", "cut"),
        ("chroma/*/header.bin", "head"),
        ("chroma/*/index_metadata.pickle", "flip"),
    ],
)
def test_damaged_vectors_end_no_process_and_are_made_anew(home, file, kind):
    before = found(home)
    harm(home, file, kind)
    with KnowledgeBase(load_settings(home=home)) as base:
        findings = {finding.check: finding for finding in examine(base) if not finding.fine}
    assert set(findings) == {"vector files"}
    assert "xiaoquan doctor --mend" in findings["vector files"].told
    assert wrong(home, mend=True) == set()
    assert found(home)[0] == before[0]


def test_vectors_that_cannot_be_right_are_made_anew(home):
    with KnowledgeBase(load_settings(home=home)) as base:
        numbers = base.catalogue.numbers()[:3]
        query = base.embeddings.encode([QUERY])[0]
        before = base.vectors.similarities(query, numbers)
        base.vectors.upsert(numbers, 3 * base.embeddings.encode(["停车"] * 3), ["x"] * 3)
    assert wrong(home) == {"vectors"}
    assert wrong(home, mend=True) == set()
    with KnowledgeBase(load_settings(home=home)) as base:
        after = base.vectors.similarities(query, numbers)
    # A vector depends a little on what is embedded with it.
    assert after == pytest.approx(before, abs=0.02)


def test_a_server_does_not_start_into_a_crash(home):
    harm(home, "chroma/*/data_level0.bin", "head")
    with (
        KnowledgeBase(load_settings(home=home)) as base,
        pytest.raises(HomeError, match="doctor --mend"),
    ):
        serve(base, "127.0.0.1", 0)


def test_where_vectors_cannot_be_read_documents_still_can(home):
    harm(home, "chroma/*/header.bin", "head")
    with KnowledgeBase(load_settings(home=home)) as base:
        client = TestClient(create_app(base, Assistant(base)), raise_server_exceptions=False)
        asked = client.post("/api/ask", json={"question": QUERY})
        assert asked.status_code == client.get("/readyz").status_code == 503
        assert int(asked.headers["Retry-After"]) > 0
        assert client.get("/healthz").status_code == 200
        assert len(client.get("/api/documents").json()) == 12
        assert "青湖" in client.get("/api/documents/青湖1").json()["text"]


def test_damaged_conversations_are_told_and_answers_go_on(whole, home):
    with KnowledgeBase(load_settings(home=home)) as base:
        client = TestClient(create_app(base, Assistant(base)), raise_server_exceptions=False)
        harm(home, "history.sqlite3", "head")
        for name in ("-wal", "-shm"):
            (home / f"history.sqlite3{name}").unlink(missing_ok=True)
        answer = client.post("/api/ask", json={"question": QUERY})
        assert answer.json()["status"] == "answered"
    assert wrong(home) == {"conversations"}
    restore(home, whole / "home.tar")
    assert wrong(home) == set()
