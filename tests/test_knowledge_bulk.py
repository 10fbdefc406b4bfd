"""Embedding on a Ray cluster of this one machine."""

import sys

import pytest

from knowledge.base import KnowledgeBase
from knowledge.bulk import TEXTS, RayEmbeddings
from knowledge.errors import SettingError
from knowledge.settings import load_settings
from knowledge.types import Document


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SettingError, match=r"pip install 'xiaoquan\[ray\]'"):
        RayEmbeddings(load_settings(), "local")


def test_a_cluster_embeds_as_the_machine_itself_does(tmp_path):
    ray = pytest.importorskip("ray", reason="pip install 'xiaoquan[ray]'")
    documents = [
        Document(f"d{n}", f"第{n}号办法", f"第{n}项补贴每月发{n}元。", f"/{n}.md")
        for n in range(TEXTS + 10)  # two portions
    ]
    with (
        KnowledgeBase(load_settings(home=tmp_path / "here")) as here,
        KnowledgeBase(load_settings(home=tmp_path / "there")) as there,
    ):
        embeddings = RayEmbeddings(there.settings, "local")
        try:
            there.embed_with(embeddings, embeddings.at_once)
            assert [c.outcome for c in there.add_all(documents)] == ["added"] * len(documents)
            list(here.add_all(documents))
            for n in (3, TEXTS + 3):
                found = there.search(f"第{n}项补贴发多少")
                assert found[0].document.id == f"d{n}"
                same = {hit.document.id: hit.dense for hit in here.search(f"第{n}项补贴发多少")}
                for hit in found:
                    assert hit.dense == pytest.approx(same[hit.document.id], abs=0.01)
        finally:
            ray.shutdown()


def test_a_cluster_that_is_not_there_is_a_clear_error():
    pytest.importorskip("ray", reason="pip install 'xiaoquan[ray]'")
    with pytest.raises(SettingError, match="连接不上 Ray 集群"):
        RayEmbeddings(load_settings(), "127.0.0.1:1")
