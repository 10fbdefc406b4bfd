"""One home, its whole life: real SQLite, real Chroma, the real embedding model."""

import signal
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

from knowledge.base import KnowledgeBase
from knowledge.catalogue import Catalogue
from knowledge.errors import HomeError, ModelMismatchError, ModelUnavailableError
from knowledge.settings import load_settings
from knowledge.types import Document, Passage

FUND = Document(
    "fund",
    "住房公积金提取指南",
    "# 住房公积金提取指南\n离休、退休的职工可以提取公积金账户余额。\n提取申请由单位核实后办理。",
    "/docs/fund.md",
    {"issuer": "公积金中心", "date": "2024-01-02"},
)
CARD = Document(
    "card",
    "居住证办理",
    "在本市居住半年以上的，可以申领居住证。居住证每年签注一次。",
    "/docs/card.md",
)
QUESTION = "退休后怎么提取公积金"


@pytest.fixture
def base(tmp_path):
    with KnowledgeBase(load_settings(home=tmp_path / "home")) as base:
        yield base


def found(base, query=QUESTION):
    return [(hit.document.id, hit.passage.text) for hit in base.search(query)]


def state(base):
    """Everything that a user could find in a home."""
    return (
        [(r.id, r.title, r.source, dict(r.metadata), r.passages) for r in base.documents()],
        base.vectors.count(),
        base.catalogue.count(),
        [(hit.document.id, hit.passage) for hit in base.search(QUESTION)],
        [(hit.document.id, hit.passage) for hit in base.search("居住证多久签注")],
    )


def test_what_is_added_is_found_with_its_place_in_the_document(base):
    assert base.add(FUND).outcome == "added"
    base.add(CARD)
    hit = base.search(QUESTION)[0]
    assert hit.document.id == "fund"
    assert hit.document.metadata["issuer"] == "公积金中心"
    text = base.document("fund").text
    assert text[hit.passage.start : hit.passage.end] == hit.passage.text


def test_adding_the_same_again_changes_nothing(base):
    base.add(FUND)
    before = state(base)
    assert base.add(FUND).outcome == "unchanged"
    assert state(base) == before


def test_a_changed_document_replaces_its_old_passages_everywhere(base):
    base.add(FUND)
    changed = replace(FUND, text="# 新指南\n购买自住住房的职工可以提取公积金。")
    assert base.add(changed).outcome == "updated"
    assert all("离休" not in text for _, text in found(base, "离休"))
    assert base.vectors.count() == base.catalogue.count()[1]


def test_remove_leaves_nothing_behind(base):
    base.add(CARD)
    base.add(FUND)
    passages = base.catalogue.count()[1]
    assert base.remove(["fund"]) == 1
    assert [record.id for record in base.documents()] == ["card"]
    assert base.document("fund") is None
    assert all(id_ == "card" for id_, _ in found(base))
    assert base.vectors.count() == base.catalogue.count()[1] < passages


def test_removing_what_is_not_there_removes_nothing(base):
    base.add(CARD)
    assert base.remove(["nowhere"]) == 0
    assert base.catalogue.count()[0] == 1


def test_the_same_id_from_two_sources_keeps_both(base):
    other = replace(CARD, id="fund", source="/docs/other.jsonl#fund")
    changes = list(base.add_all([FUND, other]))
    assert [change.document_id for change in changes] == ["fund", "other/fund"]
    assert [change.outcome for change in base.add_all([FUND, other])] == ["unchanged"] * 2
    assert base.catalogue.count()[0] == 2


def test_the_same_id_in_files_of_the_same_name_keeps_all(base):
    rows = [replace(CARD, id="1", source=f"/{year}/faq.jsonl#1") for year in (2023, 2024, 2025)]
    ids = [change.document_id for change in base.add_all(rows)]
    assert ids[:2] == ["1", "faq/1"]
    assert len(set(ids)) == 3
    assert [change.outcome for change in base.add_all(rows)] == ["unchanged"] * 3
    base.remove(["1"])
    assert [change.document_id for change in base.add_all(rows[1:])] == ids[1:]
    assert base.catalogue.count()[0] == 2


def test_search_can_be_filtered_by_metadata(base):
    base.add(FUND)
    base.add(CARD)
    assert {hit.document.id for hit in base.search("办理", filters={"issuer": "公积金中心"})} == {
        "fund"
    }
    assert base.search("办理", filters={"issuer": "没有这个单位"}) == []


@pytest.mark.parametrize("query", ["", "   ", "\n", "？？！", '"', "' OR 1=1 --", "NEAR(a b)", "*"])
def test_any_query_is_safe(base, query):
    base.add(FUND)
    base.search(query)


def test_what_a_change_looks_up_does_not_grow_with_the_documents(tmp_path):
    catalogue = Catalogue(tmp_path / "catalogue.sqlite3")

    def steps(look_up):
        taken = []
        catalogue.connection.set_progress_handler(lambda: taken.append(1) and None, 1)
        look_up()
        catalogue.connection.set_progress_handler(None, 0)
        return len(taken)

    def all_steps():
        return [
            steps(lambda: catalogue.hash_of("d3")),
            steps(lambda: catalogue.document("d3")),
            steps(lambda: catalogue.passages_of("d3")),
            steps(lambda: catalogue.number_of("d3", 0)),
            steps(catalogue.has_staged),
            steps(catalogue.retired),
            steps(catalogue.version),
        ]

    def grow(numbers):
        for n in numbers:
            document = Document(f"d{n}", f"办法{n}", "第一条。", f"/{n}.md")
            catalogue.stage(document, [Passage("第一条。", 0, 4, ())])
        catalogue.publish()

    grow(range(10))
    small = all_steps()
    grow(range(10, 400))
    assert all_steps() == pytest.approx(small, abs=20)


def test_an_empty_home_finds_nothing(base):
    assert base.search(QUESTION) == []


def test_a_document_without_words_is_kept_and_not_found(base):
    base.add(replace(FUND, text="   \n"))
    assert base.documents()[0].passages == 0
    assert base.search(QUESTION) == []


def test_searching_goes_on_while_documents_are_added(base):
    base.add(FUND)
    empty, stop = [], threading.Event()

    def search():
        while not stop.is_set():
            if not base.search(QUESTION):
                empty.append(True)

    searcher = threading.Thread(target=search)
    searcher.start()
    for n in range(5):
        base.add(replace(FUND, text=f"{FUND.text}\n第{n}次修订。"))
    stop.set()
    searcher.join()
    assert not empty


def test_another_process_is_followed(base, tmp_path):
    base.add(CARD)
    assert found(base)
    with KnowledgeBase(load_settings(home=tmp_path / "home")) as other:
        other.add(FUND)
    assert found(base)[0][0] == "fund"  # by keywords at once, whatever the vectors know yet


DIE = """
import os, signal, sys
from knowledge.base import KnowledgeBase
from knowledge.catalogue import Catalogue
from knowledge.settings import load_settings
from knowledge.vectors import VectorIndex
from tests.test_knowledge_base import CARD, FUND
from dataclasses import replace

def die(owner, name, when):
    original = getattr(owner, name)
    def dying(*args, **kwargs):
        if when == "after":
            original(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(owner, name, dying)

home, owner, name, when = sys.argv[1:]
base = KnowledgeBase(load_settings(home=home))
die({"Catalogue": Catalogue, "VectorIndex": VectorIndex}[owner], name, when)
list(base.add_all([replace(FUND, text=FUND.text + "\\n购房的也可以提取。"), CARD]))
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ("Catalogue", "stage"),
        ("VectorIndex", "upsert"),
        ("Catalogue", "publish"),
        ("VectorIndex", "delete"),
        ("Catalogue", "sweep"),
    ],
)
def test_a_run_killed_anywhere_is_completed_by_the_next(tmp_path, owner, name, when):
    changed = [replace(FUND, text=FUND.text + "\n购房的也可以提取。"), CARD]
    homes = [load_settings(home=tmp_path / home) for home in ("killed", "undisturbed")]
    for settings in homes:
        with KnowledgeBase(settings) as base:
            base.add(FUND)
    if name == "sweep":  # called on the way in as well: let that one pass
        when = "after"
    killed = subprocess.run(
        [sys.executable, "-c", DIE, str(homes[0].home), owner, name, when], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    states = []
    for settings in homes:
        with KnowledgeBase(settings) as base:
            assert found(base)  # what was confirmed is still there
            list(base.add_all(changed))
            states.append(state(base))
    assert states[0] == states[1]


def test_two_writers_wait_for_each_other(base, tmp_path):
    waited = []
    with KnowledgeBase(load_settings(home=tmp_path / "home")) as other:
        changes = base.add_all([FUND])
        next(changes)  # holds the home until the generator ends
        writer = threading.Thread(
            target=lambda: other.remove(
                ["fund"], waiting=lambda: (waited.append(True), changes.close())
            )
        )
        writer.start()
        writer.join(60)
    assert waited
    assert base.catalogue.count()[0] == 0


def test_another_model_is_refused_with_the_command_that_rebuilds(base, tmp_path):
    base.add(FUND)
    with pytest.raises(ModelMismatchError, match="xiaoquan rebuild"):
        KnowledgeBase(load_settings(home=tmp_path / "home", embedding_model="some/other"))


def test_rebuild_keeps_every_document(base):
    list(base.add_all([FUND, CARD]))
    before = state(base)
    assert [change.document_id for change in base.rebuild()] == ["fund", "card"]
    assert state(base) == before


def test_an_interrupted_rebuild_is_noticed(base, tmp_path):
    list(base.add_all([FUND, CARD]))
    rebuilding = base.rebuild()
    next(rebuilding)
    rebuilding.close()
    with pytest.raises(ModelMismatchError, match="重建未完成"):
        KnowledgeBase(load_settings(home=tmp_path / "home"))


def test_a_rebuild_with_a_model_that_is_not_there_leaves_all_as_it_was(base, tmp_path):
    list(base.add_all([FUND, CARD]))
    before = state(base)
    wrong = load_settings(home=tmp_path / "home", embedding_model="./not-there")
    with (
        KnowledgeBase(wrong, any_model=True) as rebuilding,
        pytest.raises(ModelUnavailableError, match="not-there"),
    ):
        list(rebuilding.rebuild())
    with KnowledgeBase(load_settings(home=tmp_path / "home")) as again:
        assert state(again) == before


def test_an_empty_home_is_not_bound_to_a_model_that_is_not_there(tmp_path):
    wrong = load_settings(home=tmp_path / "home", embedding_model="./not-there")
    with KnowledgeBase(wrong) as base, pytest.raises(ModelUnavailableError, match="not-there"):
        base.add(FUND)
    with KnowledgeBase(load_settings(home=tmp_path / "home")) as base:
        base.add(FUND)
        assert found(base)[0][0] == "fund"


def test_a_home_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HomeError, match="--home"):
        KnowledgeBase(load_settings(home=tmp_path / "file" / "home"))


def test_a_broken_catalogue_is_a_clear_error(tmp_path):
    (tmp_path / "catalogue.sqlite3").write_bytes(b"this is no database" * 500)
    with pytest.raises(HomeError, match=r"catalogue\.sqlite3"):
        KnowledgeBase(load_settings(home=tmp_path))


def test_a_newer_format_is_refused(base, tmp_path):
    base.catalogue.connection.execute("PRAGMA user_version = 99")
    with pytest.raises(HomeError, match="99"):
        KnowledgeBase(load_settings(home=tmp_path / "home"))


def test_a_full_disk_loses_nothing(base):
    base.add(FUND)
    pages = base.catalogue.connection.execute("PRAGMA page_count").fetchone()[0]
    base.catalogue.connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(HomeError, match="磁盘"):
        base.add(replace(CARD, text="很长的内容。" * 100_000))
    assert found(base)[0][0] == "fund"


def test_what_the_vector_store_refuses_is_a_clear_error(base):
    base.add(FUND)
    for attempt in (base.vectors.upsert, lambda *_: base.vectors.search(np.ones(3), 1)):
        with pytest.raises(HomeError, match=r"chroma.*磁盘"):
            attempt([1], np.ones((1, 3), np.float32), ["fund"])
    assert found(base)[0][0] == "fund"


def test_the_retriever_is_a_langchain_retriever(base):
    base.add(FUND)
    documents = base.retriever.invoke(QUESTION)
    assert documents[0].metadata["document_id"] == "fund"
    assert documents[0].page_content in FUND.text


def test_it_is_known_whether_there_are_so_many_documents(base):
    base.add(Document("a", "甲", "甲。\n", "/a", {}))
    assert base.catalogue.has(1)
    assert not base.catalogue.has(2)
