"""What an operator has corrected stands when the file is read again, until the file says more."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from knowledge.base import KnowledgeBase
from knowledge.catalogue import _MIGRATIONS, Catalogue, content_hash
from knowledge.correcting import as_read_after, with_corrections
from knowledge.readers import read_document
from knowledge.settings import load_settings
from knowledge.types import Document

READ = Document(
    "fee", "收费办法", "收费每小时3元。", "/fee.md", {"issuer": "交通局", "expires": "2025-01-09"}
)


@pytest.fixture
def base(tmp_path):
    with KnowledgeBase(load_settings(home=tmp_path / "home")) as base:
        base.add(READ)
        yield base


def corrected(base, title=READ.title, **metadata):
    """What the admin page's PATCH does."""
    before = base.document("fee")
    merged = {k: v for k, v in {**before.metadata, **metadata}.items() if v}
    return base.correct(replace(before, title=title, metadata=merged))


def test_a_correction_stands_when_the_unchanged_file_is_read_again(base):
    corrected(base, title="停车收费办法", status="repealed", expires="2027-12-31", issuer="")
    assert base.add(READ).outcome == "unchanged"
    document = base.document("fee")
    assert document.title == "停车收费办法"
    assert document.metadata == {"status": "repealed", "expires": "2027-12-31"}


def test_a_correction_stands_when_the_file_says_something_new_about_other_things(base):
    corrected(base, status="repealed")
    changed = replace(READ, text="收费每小时5元。", metadata={"issuer": "城管局"})
    assert base.add(changed).outcome == "updated"
    assert base.document("fee").text == "收费每小时5元。"
    assert base.document("fee").metadata == {"status": "repealed", "issuer": "城管局"}
    assert base.add(changed).outcome == "unchanged"


def test_a_file_that_comes_to_state_a_corrected_field_is_believed(base):
    corrected(base, expires="2027-12-31", status="repealed")
    newer = replace(READ, metadata={"issuer": "交通局", "expires": "2029-06-30"})
    base.add(newer)
    assert base.document("fee").metadata == {**newer.metadata, "status": "repealed"}
    base.add(READ)
    assert base.document("fee").metadata["expires"] == "2025-01-09"


def test_a_correction_stands_when_the_file_is_renamed(base, tmp_path):
    first, second = tmp_path / "a.md", tmp_path / "b.md"
    first.write_text("# 停车收费\n\n停车每小时3元。", encoding="utf-8")
    base.add(read_document(first))
    (record,) = [one for one in base.documents() if one.source == str(first)]
    base.correct(replace(base.document(record.id), metadata={"status": "repealed"}))
    first.rename(second)
    change = base.add(read_document(second))
    assert change.outcome == "updated"
    assert base.document(record.id) is None
    assert base.document(change.document_id).metadata["status"] == "repealed"


def test_a_correction_taken_back_leaves_the_file_in_charge(base):
    corrected(base, status="repealed")
    corrected(base, status="")
    assert base.add(READ).outcome == "unchanged"
    assert base.catalogue.as_read("fee") == {}


def test_a_correction_that_corrects_nothing_changes_nothing(base):
    assert corrected(base).outcome == "unchanged"


def test_a_rebuild_forgets_no_correction(base):
    corrected(base, status="repealed")
    list(base.rebuild())
    assert base.add(READ).outcome == "unchanged"
    assert base.document("fee").metadata["status"] == "repealed"


def test_a_document_removed_and_added_again_is_as_its_file_has_it(base):
    corrected(base, status="repealed")
    base.remove(["fee"])
    base.add(READ)
    assert base.document("fee") == READ


@pytest.mark.parametrize(
    ("title", "date"), [("收费办法", "2024-05-01"), ("收费办法（2024年版）", "2020-05-01")]
)
def test_what_ended_one_edition_does_not_end_the_next(base, title, date):
    old = replace(READ, metadata={"issuer": "交通局", "date": "2020-05-01"})
    base.add(old)
    corrected(base, expires="2023-12-31", status="repealed", issuer="城管局")
    new = Document("fee", title, "收费每小时5元。", "/fee.md", {"issuer": "交通局", "date": date})
    base.add(new)
    assert base.standings([base.document("fee")])["fee"].state == "in_force"
    assert base.document("fee").metadata == {"issuer": "城管局", "date": date}
    assert base.add(new).outcome == "unchanged"


def test_a_corrected_date_and_title_stand_while_the_file_is_the_same(base):
    corrected(base, title="停车收费办法", date="2020-05-01", status="repealed")
    base.add(replace(READ, text="收费每小时5元。"))
    document = base.document("fee")
    assert (document.title, document.metadata["date"]) == ("停车收费办法", "2020-05-01")
    assert document.metadata["status"] == "repealed"


def test_a_second_correction_keeps_what_the_file_said_at_first():
    once = replace(READ, metadata={**READ.metadata, "status": "repealed"})
    read = as_read_after(READ, once, {})
    twice = replace(once, title="停车收费办法")
    read = as_read_after(once, twice, read)
    assert read == {"status": "", "title": "收费办法"}
    assert with_corrections(READ, twice, read) == (twice, read)


def test_a_home_of_the_first_format_opens(tmp_path):
    path = tmp_path / "catalogue.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(_MIGRATIONS[0])
        connection.execute("PRAGMA user_version = 1")
        connection.execute(
            "INSERT INTO documents(id, title, source, metadata, hash, state, passages)"
            " VALUES ('fee', '收费办法', '/fee.md', '{}', ?, 'live', 0)",
            (content_hash(replace(READ, metadata={})),),
        )
        connection.commit()
    with closing(Catalogue(path)) as catalogue:
        assert catalogue.as_read("fee") == {}
        assert catalogue.hash_of("fee")
