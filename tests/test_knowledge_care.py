"""A home kept whole: backed up and restored, checked and mended, older formats opened."""

import sqlite3
import subprocess
import sys
import tarfile
from contextlib import closing
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from filelock import FileLock

from assistant.chain import Assistant
from knowledge import catalogue as catalogue_module
from knowledge.backup import BackupError, back_up, restore
from knowledge.base import KnowledgeBase
from knowledge.doctor import examine
from knowledge.errors import HomeError
from knowledge.settings import load_settings
from knowledge.types import Document
from ui.api import create_app


def document(name, fee):
    return Document(
        name, f"{name}停车办法", f"# {name}\n\n{name}停车每小时收费{fee}元。\n", f"/{name}", {}
    )


@pytest.fixture
def base(tmp_path):
    with KnowledgeBase(load_settings(home=tmp_path / "home")) as base:
        list(base.add_all([document("青湖", 3), document("白塔", 5)]))
        yield base


def found(base, query):
    return [(hit.document.id, hit.passage.text) for hit in base.search(query, 5)]


def wrong(base, **how):
    return {finding.check for finding in examine(base, **how) if not finding.fine}


def test_what_was_backed_up_comes_back_as_it_was(base, tmp_path):
    before = found(base, "停车收费")
    back_up(base, tmp_path / "home.tar")
    base.add(document("青湖", 99))
    base.remove(["白塔"])
    base.add(document("新来", 1))
    restore(base.home, tmp_path / "home.tar")
    base.vectors.reopen()
    assert found(base, "停车收费") == before
    assert wrong(base) == set()


def test_another_process_that_serves_notices(base, tmp_path):
    back_up(base, tmp_path / "home.tar")
    base.remove(["青湖"])
    assert all(id_ == "白塔" for id_, _ in found(base, "停车收费"))
    command = ["restore", str(tmp_path / "home.tar"), "--home", str(base.home), "--json"]
    subprocess.run([sys.executable, "-m", "ui.cli", *command], check=True)
    base._seen = (base._seen[0], 0.0)  # as if its last look were a while ago
    assert {id_ for id_, _ in found(base, "停车收费")} == {"青湖", "白塔"}
    assert wrong(base) == set()


def test_a_server_that_runs_learns_the_versions_anew_after_a_restore(tmp_path):
    old = Document("old", "示例市停车办法", "停车收费3元。\n", "/old", {"date": "2020-01-01"})
    new = Document(
        "new", "示例市停车办法（2024年版）", "停车收费5元。\n", "/new", {"date": "2024-01-01"}
    )
    other = Document("other", "示例市养犬条例", "养犬要登记。\n", "/dogs", {"date": "2025-01-01"})
    with KnowledgeBase(load_settings(home=tmp_path / "home")) as base:
        base.add(old)
        back_up(base, tmp_path / "home.tar")
        base.add(new)
        assert base.standings([old])["old"].state == "replaced"
        restore(base.home, tmp_path / "home.tar")
        base.add(other)  # SQLite gives it the key that the newer version had
        assert base.standings([old])["old"].state == "in_force"
        newer = replace(other, id="newer", metadata={"date": "2026-01-01"})
        base.add(newer)
        assert base.standings([other])["other"].by_date == "2026-01-01"


def test_a_backup_goes_into_an_empty_home(base, tmp_path):
    back_up(base, tmp_path / "home.tar")
    restore(tmp_path / "other", tmp_path / "home.tar")
    with KnowledgeBase(load_settings(home=tmp_path / "other")) as other:
        assert found(other, "停车收费") == found(base, "停车收费")


def test_what_operators_wrote_and_measured_is_backed_up_too(base, tmp_path):
    written = ["synonyms.txt", "kiosk.txt", "reports/a/report.html"]
    (base.home / "reports" / "a").mkdir(parents=True)
    for name in written:
        (base.home / name).write_text("以前")
    back_up(base, tmp_path / "home.tar")
    for name in written:
        (base.home / name).write_text("现在")
    (base.home / "reports" / "new.html").write_text("新的")
    restore(base.home, tmp_path / "home.tar")
    assert [(base.home / name).read_text() for name in written] == ["以前"] * 3
    assert (base.home / "reports" / "new.html").read_text() == "新的"
    restore(tmp_path / "other", tmp_path / "home.tar")
    assert (tmp_path / "other" / "kiosk.txt").read_text() == "以前"


def test_an_archive_without_them_leaves_what_operators_wrote(base, tmp_path):
    back_up(base, tmp_path / "home.tar")
    (base.home / "synonyms.txt").write_text("娃 = 子女")
    restore(base.home, tmp_path / "home.tar")
    assert (base.home / "synonyms.txt").read_text() == "娃 = 子女"


def test_a_restore_writes_nothing_outside_of_the_home_and_leaves_nothing(base, tmp_path):
    back_up(base, tmp_path / "home.tar")
    before = {path.name for path in base.home.iterdir()}
    lock, beside = FileLock(base.home / "writing.lock"), []

    def look():
        beside.extend(sorted(path.name for path in tmp_path.iterdir()))
        lock.release()

    lock.acquire()
    restore(base.home, tmp_path / "home.tar", look)
    assert beside == ["home", "home.tar"]
    (tmp_path / "home.tar").write_bytes(b"no archive")
    with pytest.raises(BackupError):
        restore(base.home, tmp_path / "home.tar")
    assert {path.name for path in base.home.iterdir()} == before


@pytest.mark.parametrize("name", ["../outside", "/tmp/../{}/outside", "link"])
def test_an_archive_that_would_write_elsewhere_is_refused(base, tmp_path, name):
    member = tarfile.TarInfo(name.format(tmp_path))
    if name == "link":
        member.type, member.linkname = tarfile.SYMTYPE, str(tmp_path)
    with tarfile.open(tmp_path / "home.tar", "w") as archive:
        archive.addfile(member)
    with pytest.raises(BackupError, match=r"outside|link"):
        restore(base.home, tmp_path / "home.tar")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "home.tar"]


@pytest.mark.parametrize("harm", ["flip", "cut", "other", "nothing"])
def test_a_backup_that_is_not_whole_is_refused_and_changes_nothing(base, tmp_path, harm):
    file = tmp_path / "home.tar"
    back_up(base, file)
    content = bytearray(file.read_bytes())
    at = content.index("青湖停车".encode())
    content[at] ^= 1
    harmed = {"flip": content, "cut": content[:5000], "other": b"no archive", "nothing": b""}[harm]
    file.write_bytes(harmed)
    before = found(base, "停车收费")
    with pytest.raises(BackupError):
        restore(base.home, file)
    assert found(base, "停车收费") == before


def test_a_backup_that_cannot_be_written_leaves_nothing(base, tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(HomeError):
        back_up(base, tmp_path / "taken")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "taken"]


def test_a_sound_home_is_sound(base):
    assert wrong(base) == set()


def test_lost_and_left_vectors_are_found_and_mended(base):
    before = found(base, "停车收费")
    number = base.catalogue.numbers()[0]
    vector = base.embeddings.encode(["别的"])
    base.vectors.delete([number])
    base.vectors.upsert([999], vector, ["nobody"])
    assert wrong(base) == {"vectors"}
    assert wrong(base, mend=True) == set()
    assert wrong(base) == set()
    assert found(base, "停车收费") == before


def test_lost_keywords_are_found_and_mended(base):
    before = found(base, "停车收费")
    with base.catalogue.transaction() as connection:
        connection.execute("INSERT INTO passage_keywords(passage_keywords) VALUES ('delete-all')")
    assert wrong(base) == {"keywords"}
    assert wrong(base, mend=True) == set()
    assert found(base, "停车收费") == before


def test_what_a_crash_left_is_found_and_finished(base):
    from knowledge.splitting import split

    base.catalogue.stage(document("白塔", 7), split(document("白塔", 7)))
    assert "unfinished" in wrong(base)
    assert wrong(base, mend=True) == set()
    assert any("7元" in text for _, text in found(base, "白塔停车收费"))


def test_a_damaged_catalogue_is_told(base):
    base.catalogue.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    base.close()
    file = base.home / "catalogue.sqlite3"
    content = bytearray(file.read_bytes())
    content[4096 * 3 : 4096 * 8] = b"\xff" * 4096 * 5
    file.write_bytes(content)
    assert {"catalogue", "vectors", "keywords"} <= wrong(base)
    # What is intact goes on, and the API says what to do.
    client = TestClient(create_app(base, Assistant(base)), raise_server_exceptions=False)
    response = client.get("/api/search", params={"q": "停车"})
    assert response.status_code == 503
    assert "doctor" in response.json()["error"]


def test_an_older_home_opens_and_keeps_its_content(base, monkeypatch):
    step = "ALTER TABLE documents ADD COLUMN note TEXT NOT NULL DEFAULT 'new';"
    monkeypatch.setattr(catalogue_module, "_MIGRATIONS", (*catalogue_module._MIGRATIONS, step))
    with KnowledgeBase(base.settings) as newer:
        assert len(newer.documents()) == 2
        assert newer.catalogue.connection.execute("SELECT note FROM documents").fetchone() == (
            "new",
        )
    with closing(sqlite3.connect(base.home / "catalogue.sqlite3")) as connection:
        newest = len(catalogue_module._MIGRATIONS)
        assert connection.execute("PRAGMA user_version").fetchone() == (newest,)


def test_a_migration_that_fails_changes_nothing(base, monkeypatch):
    steps = "ALTER TABLE documents ADD COLUMN note TEXT;\nALTER TABLE nosuch ADD COLUMN x TEXT;"
    with monkeypatch.context() as patch:
        patch.setattr(catalogue_module, "_MIGRATIONS", (*catalogue_module._MIGRATIONS, steps))
        with pytest.raises(HomeError):
            KnowledgeBase(base.settings)
    with KnowledgeBase(base.settings) as same:
        assert len(same.documents()) == 2
        columns = same.catalogue.connection.execute("SELECT * FROM documents").description
        assert "note" not in {column[0] for column in columns}


def test_a_newer_home_is_refused(base):
    with closing(sqlite3.connect(base.home / "catalogue.sqlite3")) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(HomeError, match="升级"):
        KnowledgeBase(base.settings)
