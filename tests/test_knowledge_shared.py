"""Machines that share a catalogue on PostgreSQL and the vectors on a Chroma server."""

import sqlite3
import threading
from dataclasses import replace

import pytest
import sqlalchemy as sql
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tenacity import retry, stop_after_delay, wait_fixed
from typer.testing import CliRunner

from knowledge.base import KnowledgeBase
from knowledge.doctor import examine
from knowledge.errors import HomeError, ModelMismatchError
from knowledge.settings import load_settings
from knowledge.types import Document
from ui.cli import app

PARKING = Document("d", "停车", "# 停车\n\n停车首小时免费，之后每小时收费3元。\n", "/d.md", {})
DEARER = Document("d", "停车", "# 停车\n\n停车首小时免费，之后每小时收费8元。\n", "/d.md", {})
DOGS = Document("e", "养犬", "# 养犬\n\n养犬登记每年收费200元。\n", "/e.md", {"年份": "2024"})


@pytest.fixture
def machine(tmp_path, chroma, postgres):
    """Open the home of a machine by its name; closed in the end."""
    opened = []

    def machine(name, **more):
        given = {"chroma_url": chroma[0], "catalogue_url": postgres[0], **more}
        opened.append(KnowledgeBase(load_settings(home=tmp_path / name, **given)))
        return opened[-1]

    yield machine
    for base in opened:
        base.close()


def found(base, question):
    return {hit.passage.text.split("\n")[-1] for hit in base.search(question)}


@retry(stop=stop_after_delay(20), wait=wait_fixed(0.1), reraise=True)
def until(check):
    assert check()


def without_vectors(base):
    return [f.check for f in examine(base) if not f.fine and f.check != "disk"]


def test_what_one_machine_writes_the_others_find(machine):
    one, other = machine("one"), machine("other")
    one.add(PARKING)
    until(lambda: found(other, "停车收费") == {"停车首小时免费，之后每小时收费3元。"})
    other.add(DOGS)
    other.add(DEARER)
    until(lambda: "养犬登记每年收费200元。" in found(one, "养犬登记"))
    until(lambda: "停车首小时免费，之后每小时收费8元。" in found(one, "停车收费"))
    assert "停车首小时免费，之后每小时收费3元。" not in found(one, "停车收费")
    assert one.document("e") == other.document("e") == DOGS
    assert one.remove(["d"]) == 1
    until(lambda: other.document("d") is None)
    for base in (one, other):
        assert base.catalogue.count() == (1, 1)
        assert without_vectors(base) == []


def test_a_machine_that_comes_later_gets_everything(machine):
    one = machine("one")
    one.add(PARKING)
    one.add(DEARER)
    one.add(DOGS)
    late = machine("late")
    assert [record.id for record in late.documents()] == ["d", "e"]
    assert late.documents() == one.documents()
    assert late.search("停车多少钱") == one.search("停车多少钱")
    assert late.catalogue.fact("embedding_model") == one.catalogue.fact("embedding_model")


def test_the_first_home_brings_its_documents_and_a_second_with_its_own_is_told(machine):
    with machine("one", catalogue_url="") as alone:
        alone.add(PARKING)
    with machine("own", catalogue_url="") as alone:
        alone.add(DOGS)
    machine("one")
    assert [record.id for record in machine("late").documents()] == ["d"]
    with pytest.raises(HomeError, match="另指一个空文件夹"):
        machine("own")


def test_while_postgres_is_down_questions_are_answered_and_nothing_is_written(machine, postgres):
    _, start, stop = postgres
    one, other = machine("one"), machine("other")
    one.add(PARKING)
    until(lambda: found(other, "停车收费"))
    stop()
    assert found(other, "停车收费") == {"停车首小时免费，之后每小时收费3元。"}
    with pytest.raises(HomeError, match="XIAOQUAN_CATALOGUE_URL"):
        other.add(DOGS)
    assert found(machine("other"), "停车收费")  # a copy opens without it
    with pytest.raises(HomeError, match="XIAOQUAN_CATALOGUE_URL"):
        machine("new")
    start()
    other.add(DOGS)
    until(lambda: "养犬登记每年收费200元。" in found(one, "养犬登记"))


def test_what_a_crash_left_half_written_does_not_come_back_over_what_is_newer(machine):
    one, other = machine("one"), machine("other")
    one.add(PARKING)
    with one.writing():
        one._stage(DEARER)  # and dies here
    until(lambda: other.document("d") == PARKING)
    other.add(DOGS)
    other.remove(["d"])
    other.add(Document("d", "停车", "# 停车\n\n停车全天免费。\n", "/d.md", {}))
    until(lambda: found(one, "停车收费") >= {"停车全天免费。"})
    one.add(Document("f", "养猫", "# 养猫\n\n养猫不用登记。\n", "/f.md", {}))
    until(lambda: other.document("f"))
    assert one.documents() == other.documents()
    assert without_vectors(one) == without_vectors(other) == []


def test_a_copy_that_could_not_be_written_catches_up(machine):
    one, other = machine("one"), machine("other")

    real = one.catalogue._set_fact

    def fail(name, value):
        if name == "version":
            raise sqlite3.OperationalError("disk full")
        real(name, value)

    one.catalogue._set_fact = fail
    with pytest.raises(HomeError, match="disk full"):
        one.add(PARKING)  # PostgreSQL has it, the copy has not
    one.catalogue._set_fact = real
    until(lambda: one.document("d") == other.document("d") == PARKING)
    assert without_vectors(one) == []


def test_machines_that_write_at_once_lose_nothing(machine):
    bases = [machine(f"m{n}") for n in range(3)]

    def write(n):
        for i in range(5):
            bases[n].add(Document(f"{n}-{i}", f"第{n}-{i}号", f"第{n}-{i}号文件。\n", "/x", {}))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for base in bases:
        until(lambda base=base: base.catalogue.count() == (15, 15))
        assert base.documents() == bases[0].documents()


def test_another_model_is_told_and_a_shared_catalogue_needs_shared_vectors(machine, tmp_path):
    machine("one").add(PARKING)
    with pytest.raises(ModelMismatchError):
        machine("late", embedding_model="another/model")
    with pytest.raises(HomeError, match="XIAOQUAN_CHROMA_URL"):
        machine("late", chroma_url="")


def test_what_an_operator_corrected_stands_on_every_machine(machine):
    one, other = machine("one"), machine("other")
    one.add(PARKING)
    one.correct(replace(PARKING, metadata={"status": "repealed"}))
    until(lambda: other.document("d").metadata == {"status": "repealed"})
    assert other.add(PARKING).outcome == "unchanged"
    assert other.add(DEARER).outcome == "updated"
    until(lambda: one.document("d") == replace(DEARER, metadata={"status": "repealed"}))


def test_a_catalogue_made_before_corrections_were_kept_is_brought_up_to_date(machine, postgres):
    machine("one").add(PARKING)
    with sql.create_engine(postgres[0]).begin() as database:
        database.execute(sql.text("ALTER TABLE catalogue_documents DROP COLUMN as_read"))
    late = machine("late")
    assert late.document("d") == PARKING
    late.correct(replace(PARKING, metadata={"status": "repealed"}))
    assert late.add(PARKING).outcome == "unchanged"


def test_all_is_rebuilt_for_every_machine(machine):
    one, other = machine("one"), machine("other")
    one.add(PARKING)
    one.add(DOGS)
    assert len(list(other.rebuild())) == 2
    until(lambda: one.catalogue.version() == other.catalogue.version())
    assert found(one, "养犬登记") == found(other, "养犬登记") != set()
    assert without_vectors(one) == without_vectors(other) == []


CHANGES = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from("abc"), st.integers(0, 2)), min_size=1, max_size=8
)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=CHANGES)
def test_copies_are_alike_whoever_writes_what(machine, changes):
    bases = [machine("p"), machine("q")]
    for who, id_, what in changes:
        if what:
            bases[who].add(Document(id_, id_, f"{id_}的第{what}版。\n", f"/{id_}", {}))
        else:
            bases[who].remove([id_])
    for base in bases:
        base.catalogue.catch_up()
    one, other = bases
    assert one.documents() == other.documents()
    assert [one.document(r.id) for r in one.documents()] == [
        other.document(r.id) for r in other.documents()
    ]
    assert all(base.catalogue.keywords_fit() for base in bases)
    one.remove([record.id for record in one.documents()])


def test_a_copy_is_not_restored_from_a_backup(tmp_path, monkeypatch):
    monkeypatch.setenv("XIAOQUAN_CATALOGUE_URL", "postgresql+psycopg://127.0.0.1:9/x")
    told = CliRunner().invoke(app, ["restore", "backup.tar", "--home", str(tmp_path)])
    assert told.exit_code == 1
    assert "pg_restore" in told.stderr
