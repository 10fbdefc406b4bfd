"""The crash test itself: it finds nothing in a sound home, and what is missing in another."""

from eval.crash import _follow, _wrong, crash
from knowledge.base import KnowledgeBase
from knowledge.settings import load_settings


def test_a_killed_home_is_whole_and_a_lost_document_is_noticed(tmp_path):
    home = tmp_path / "home"
    assert list(crash(home, 1, seed=1)) == [[]]
    with KnowledgeBase(load_settings(home=home)) as base:
        base.remove([record.id for record in base.documents()])
    known = {}
    _follow(known, [{"id": "事项1", "version": 7, "done": True}])
    assert "事项1: version 0, not one of [7]" in _wrong(home, known)
