"""Which documents are in force on a day, whatever was written as their dates."""

from contextlib import closing
from datetime import date

import pytest

from knowledge.catalogue import Catalogue
from knowledge.facts import policy_facts
from knowledge.places import nearest_named
from knowledge.types import Document
from knowledge.versions import Versions, version_date

TODAY = date(2026, 6, 1)


@pytest.fixture
def catalogue(tmp_path):
    with closing(Catalogue(tmp_path / "catalogue.sqlite3")) as catalogue:
        yield catalogue


def document(id_, title="示例市停车办法", **metadata):
    return Document(id_, title, "", f"/{id_}", metadata)


def added(catalogue, *documents):
    for one in documents:
        catalogue.stage(one, [])
    catalogue.publish()


def states(versions, *documents):
    standings = versions.standings(documents, TODAY)
    return [standings[one.id].state for one in documents]


@pytest.mark.parametrize(
    ("metadata", "state"),
    [
        ({"expires": "2025.1.31"}, "expired"),
        ({"expires": "2025年1月31日"}, "expired"),
        ({"expires": "2026/12/31"}, "in_force"),
        ({"expires": "2025"}, "in_force"),
        ({"effective": "2026.7.1"}, "not_yet"),
        ({"effective": "待定"}, "in_force"),
    ],
)
def test_a_date_counts_however_it_was_typed(catalogue, metadata, state):
    one = document("a", **metadata)
    added(catalogue, one)
    assert states(Versions(catalogue), one) == [state]


def test_dates_are_compared_as_dates(catalogue):
    old, new = document("old", date="2024.5.1"), document("new", date="2024-12-31")
    added(catalogue, old, new)
    assert states(Versions(catalogue), old, new) == ["replaced", "in_force"]
    assert version_date(document("a", date="不详", effective="2024.5.1")) == "2024-05-01"


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("《失业保险条例》废止了吗？ 答：没有废止。", "in_force"),
        ("《失业保险条例》拟予以废止，现公开征求意见。", "in_force"),
        ("《就业条例》自《失业保险条例》施行之日起废止。", "in_force"),
        ("《失业保险条例》自《社会保险法》施行之日起废止。", "repealed"),
    ],
)
def test_a_rule_is_repealed_only_by_what_says_so(catalogue, text, state):
    rule = document("rule", "失业保险条例", date="1999-01-22")
    other = document(
        "other", "失业保险热点问答", **{"date": "2024-01-01", **policy_facts(text, "")}
    )
    added(catalogue, rule, other)
    assert states(Versions(catalogue), rule) == [state]


def test_documents_that_are_gone_do_not_say_which_city_it_is(catalogue):
    versions = Versions(catalogue)
    old = [document(f"x{n}", f"厦门市第{n}号通知") for n in range(6)]
    added(catalogue, *old)
    assert versions.city() == "厦门"
    catalogue.retire([one.id for one in old])
    assert versions.city() == ""
    added(catalogue, *(document(f"q{n}", f"泉州市第{n}号通知") for n in range(5)))
    assert versions.city() == Versions(catalogue).city() == "泉州"


def test_a_document_read_again_and_again_counts_once_for_its_city(catalogue):
    versions = Versions(catalogue)
    for n in range(4):
        added(catalogue, document("x", "厦门市停车办法", date=f"202{n}-01-01"))
        versions.city()
    added(catalogue, document("a", "泉州市停车办法"), document("b", "泉州市养犬办法"))
    assert versions.city() == "泉州"


def test_what_is_removed_does_not_come_back_from_a_run_that_was_killed(catalogue):
    added(catalogue, document("a"), document("b"))
    catalogue.stage(document("a", "示例市停车办法（2026年修订）"), [])  # and killed
    catalogue.stage(document("n", "示例市养犬办法"), [])
    assert catalogue.retire(["a", "n"]) == 1
    assert catalogue.staged() == []
    catalogue.publish()
    assert [one.id for one in catalogue.documents()] == ["b"]


@pytest.mark.parametrize(
    "draft", ["征求意见稿", "修订草案征求意见稿", "2026年修订征求意见稿", "修订草案", "送审稿"]
)
def test_a_draft_does_not_put_the_rule_in_force_out_of_force(catalogue, draft):
    rule = document("rule", date="2015-01-01")
    drafted = document("draft", f"示例市停车办法（{draft}）", date="2026-01-01")
    revised = document("revised", "示例市停车办法（2026年修订）", date="2026-02-01")
    added(catalogue, rule, drafted)
    assert states(Versions(catalogue), rule) == ["in_force"]
    added(catalogue, revised)
    assert states(Versions(catalogue), rule, revised) == ["replaced", "in_force"]


@pytest.mark.parametrize(
    ("one", "other"), [("市区版", "县域版"), ("企业版", "个人版"), ("小学版", "中学版")]
)
def test_a_rule_for_others_is_no_newer_version(catalogue, one, other):
    documents = [
        document("one", f"示例市招生办法（{one}）", date="2024-01-01"),
        document("other", f"示例市招生办法（{other}）", date="2024-05-01"),
    ]
    added(catalogue, *documents)
    assert states(Versions(catalogue), *documents) == ["in_force", "in_force"]


@pytest.mark.parametrize("edition", ["2024年版", "2024版", "修订版", "最新版", "2024年本"])
def test_an_edition_in_brackets_is_a_newer_version(catalogue, edition):
    old = document("old", date="2015-01-01")
    new = document("new", f"示例市停车办法（{edition}）", date="2024-01-01")
    added(catalogue, old, new)
    assert states(Versions(catalogue), old, new) == ["replaced", "in_force"]


def test_a_city_comes_before_the_province_that_its_documents_name_too(catalogue):
    added(catalogue, *(document(f"q{n}", f"福建省泉州市第{n}号通知") for n in range(3)))
    added(catalogue, document("f", "福建省停车条例"), document("x", "厦门市停车条例"))
    assert Versions(catalogue).city() == "泉州"
    added(catalogue, *(document(f"f{n}", f"福建省第{n}号通知") for n in range(3)))
    assert Versions(catalogue).city() == "福建"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("福建省泉州市租房补贴", "泉州"),
        ("福建省龙岩市租房补贴", "龙岩"),
        ("厦门和泉州的租房补贴", "厦门"),
        ("泉州和厦门的租房补贴", "泉州"),
        ("泉州在福建算什么档", "泉州"),
        ("福建省租房补贴", "福建"),
        ("北京租房补贴", "北京"),
        ("租房补贴", ""),
    ],
)
def test_of_the_places_of_a_question_the_nearest_one_counts(text, place):
    assert nearest_named(text) == place
