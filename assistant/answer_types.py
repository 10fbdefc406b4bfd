"""Which of the sentences about one matter says what is asked for: who, where, how long before.

The words of the matter stand in all of them; what is asked for is told by how it is asked and how
it is said. Question and sentence are summed up from hashed runs of one to three characters into
vectors whose dot product is the score (the embedding bags of StarSpace, Wu et al. 2018,
https://arxiv.org/abs/1709.03856), learned from examples in our own words by
``eval.answer_type_model``, which also measures it.
"""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from knowledge.lexical import normalise

Floats = NDArray[np.float32]

WEIGHTS = Path(__file__).with_name("answer_types.npz")
BITS = 13  # of the number of a bucket
RUNS = 3  # characters of the longest run
# Vectors of sentences that are kept: those of passages that are found again and again.
KEPT = 20_000
_APART = re.compile(r"[^\w:;|、%]+")
_DIGITS = re.compile(r"[0-9]+")
# Of the FNV hash, and Knuth's multiplicative one that spreads it.
_FNV, _KNUTH = np.uint32(0x01000193), np.uint32(2654435761)


class Weights(NamedTuple):
    """What was learned.

    Attributes:
        question: A row for every bucket.
        sentence: The same.
        mean: Of the vectors of any sentences.
        covariance: Of the same.
    """

    question: Floats
    sentence: Floats
    mean: Floats
    covariance: Floats


def fit(question: str, sentences: Sequence[str]) -> Floats:
    """Return how much better each sentence says what is asked for than any sentence does.

    Returns:
        Of each sentence so many standard deviations, of shape (sentences,).
    """
    if not sentences:
        return np.zeros(0, np.float32)
    weights = load()
    asked = vector(weights.question, question)
    said = np.stack([_said(sentence) for sentence in sentences])
    deviation = np.sqrt(asked @ weights.covariance @ asked)
    scores: Floats = ((said - weights.mean) @ asked / deviation).astype(np.float32)
    return scores


@lru_cache(KEPT)
def _said(sentence: str) -> Floats:
    return vector(load().sentence, sentence)


def vector(rows: Floats, text: str) -> Floats:
    """Return what the runs of a text sum up to."""
    where = buckets(text)
    summed: Floats = rows[where].sum(axis=0) * np.float32(len(where) ** -0.5)
    return summed


def buckets(text: str) -> NDArray[np.uint32]:
    """Return where the text's runs of characters are counted, each once; any number is a 0."""
    words = _APART.sub(" ", _DIGITS.sub("0", normalise(text))).strip()
    characters = np.frombuffer(f"^{words}$".encode("utf-32-le"), np.uint32)
    runs = np.zeros_like(characters)
    found = []
    for length in range(1, min(RUNS, len(characters)) + 1):
        runs = (runs[: len(characters) - length + 1] * _FNV) ^ characters[length - 1 :]
        found.append((runs * _KNUTH) >> np.uint32(32 - BITS))
    return np.unique(np.concatenate(found))


@cache
def load() -> Weights:
    """Load the weights."""
    with np.load(WEIGHTS) as file:
        question, sentence = (file[name] * file[f"{name}_scale"] for name in _ROWS)
        return Weights(question, sentence, file["mean"], file["covariance"])


def save(weights: Weights) -> None:
    """Write the weights in their place in the package, rows in steps of 1/127 of the largest."""
    arrays: dict[str, Any] = {"mean": weights.mean, "covariance": weights.covariance}
    for name in _ROWS:
        rows: Floats = getattr(weights, name)
        scale = np.abs(rows).max() / np.float32(127)
        arrays[name], arrays[f"{name}_scale"] = np.round(rows / scale).astype(np.int8), scale
    np.savez_compressed(WEIGHTS, **arrays)


_ROWS = ("question", "sentence")
