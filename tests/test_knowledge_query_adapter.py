"""Questions are moved towards the words of documents; what that is worth is told on unseen ones."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval import adapter_model
from eval.adapter_model import Pairs, dense_score, fit
from eval.questions import load_questions
from knowledge.base import KnowledgeBase
from knowledge.embedding import SentenceEmbeddings, load_embeddings
from knowledge.models import default_model
from knowledge.query_adapter import QueryAdapter, adapter_of
from knowledge.settings import DEFAULT_EMBEDDING_MODEL, load_settings

QUESTIONS = Path(__file__).parent / "data" / "lay_questions.jsonl"


def unit(array):
    return (array / np.linalg.norm(array, axis=-1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def pairs():
    """200 queries, each its passage seen from another side: a third of the numbers swap places."""
    draw = np.random.default_rng(7)
    passages = unit(draw.normal(size=(400, 32)))
    swapped = np.concatenate([passages[:200, 10:20], passages[:200, :10]], axis=1)
    noise = draw.normal(0, 0.05, (200, 32))
    queries = unit(np.concatenate([swapped, passages[:200, 20:]], axis=1) + noise)
    names = [f"d{n}" for n in range(400)]
    judged = [{f"d{n}": 1} for n in range(200)]
    return Pairs(queries, passages, [[n] for n in range(200)], names, judged)


def test_what_is_learnt_on_one_half_helps_the_other(pairs, monkeypatch):
    monkeypatch.setattr(adapter_model, "OTHERS", 200)
    adapter = fit(pairs, [0])
    assert dense_score(pairs, 1, adapter) > dense_score(pairs, 1, None) + 0.1


def test_one_seed_gives_one_adapter(pairs, monkeypatch):
    monkeypatch.setattr(adapter_model, "STEPS", 5)
    monkeypatch.setattr(adapter_model, "OTHERS", 50)
    assert np.array_equal(fit(pairs, seed=3).up, fit(pairs, seed=3).up)
    assert not np.array_equal(fit(pairs, seed=3).up, fit(pairs, seed=4).up)


@given(st.integers(0, 2**32 - 1))
def test_moved_vectors_are_of_length_one_and_not_far(seed):
    vectors = unit(np.random.default_rng(seed).normal(size=(3, 512)))
    moved = adapter_of(DEFAULT_EMBEDDING_MODEL)(vectors)
    assert np.allclose(np.linalg.norm(moved, axis=1), 1, atol=1e-5)
    assert ((moved * vectors).sum(1) > 0.5).all()


def test_what_was_written_is_read_again(tmp_path):
    draw = np.random.default_rng(1)
    adapter = QueryAdapter(*unit(draw.normal(size=(2, 8, 8))))
    adapter.save(tmp_path / "a.npz")
    read = QueryAdapter.load(tmp_path / "a.npz")
    vectors = unit(draw.normal(size=(4, 8)))
    assert np.allclose(adapter(vectors), read(vectors), atol=1e-3)


def test_another_model_is_searched_with_as_it_is(tmp_path):
    embeddings = SentenceEmbeddings("a/other", lambda texts: unit(np.ones((len(texts), 4))))
    with KnowledgeBase(load_settings(home=tmp_path / "home")) as base:
        base.__dict__["embeddings"] = embeddings
        assert base.retriever.adapter is None
        assert base.search("居住证怎么办", 3) == []


def test_everyday_words_find_as_much_as_before_or_more(sample_base):
    asked = [(q.question, q.facts[0]) for q in load_questions(QUESTIONS) if q.answerable]

    def found(adapter):
        sample_base.retriever.adapter = adapter
        return sum(
            any(fact in hit.passage.text for hit in sample_base.search(question, 3))
            for question, fact in asked
        )

    usual = sample_base.retriever.adapter
    try:
        assert found(usual) >= found(None)
    finally:
        sample_base.retriever.adapter = usual


def test_the_default_model_in_a_folder_is_known_by_its_files():
    folder = default_model(load_settings().model_cache)
    embeddings = load_embeddings(load_settings(embedding_model=str(folder)))
    assert adapter_of(embeddings.name) is not None
