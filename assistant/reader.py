"""Reads a question and a sentence together, and tells how well the one answers the other.

Search compares vectors and words that were made of either alone; a reader sees both at once
(a cross-encoder: Nogueira and Cho 2019, "Passage re-ranking with BERT"). It is the default
embedding model itself, its weights moved by a product of two narrow matrices each (LoRA: Hu et al.
2021), of which ``reader.npz`` holds no more than these. ``eval.reader_model`` fits them.

A score is the logarithm of the odds that this sentence, rather than nothing at all, is the answer:
the exponentials of all sentences read for a question, and a one for "no answer", share one sum
(Clark and Gardner 2018, "Simple and effective multi-paragraph reading comprehension").
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assistant.lora import load, moved, tokenizer
from knowledge.embedding import Vectors, session
from knowledge.types import Hit

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

WEIGHTS = Path(__file__).with_name("reader.npz")
# Characters that are read: of the question, of what stands above and before the sentence, and of
# the sentence itself.
QUESTION, TITLE, HEADING, BEFORE, SENTENCE = 60, 24, 16, 24, 90
_KEPT = 1024  # scores: several steps of the chain want them


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence, and what it can't be understood without."""

    before: str
    sentence: str

    @classmethod
    def of(cls, hit: Hit, start: int, end: int) -> "Told":
        """Return the sentence at these offsets of a hit's passage, as it is read."""
        text = hit.passage.text
        headings = (heading[:HEADING] for heading in hit.passage.section[-1:])
        above = " ".join((hit.document.title[:TITLE], *headings))
        before = text[max(0, start - BEFORE) : start].replace("\n", " ")
        return cls(f"{above}\n{before}", text[start:end][:SENTENCE])


class Reader:
    """Scores sentences. Safe to use from many threads."""

    def __init__(self, folder: Callable[[], Path], weights: Path = WEIGHTS) -> None:
        """Prepare to read; nothing is loaded before the first question.

        Args:
            folder: Returns where the default model's files lie.
            weights: What ``eval.reader_model`` wrote.
        """
        self._folder = folder
        self._path = weights
        self._read = lru_cache(_KEPT)(self._score)

    def read(self, question: str, told: Sequence[Told]) -> list[float]:
        """Return the score of each sentence."""
        return [self._read(question[:QUESTION], one) for one in told]

    def _score(self, question: str, told: Told) -> float:
        # One by one is as fast as together, and no sentence's numbers depend on another's length.
        tokens = self._tokenizer.encode(question, f"{told.before} {told.sentence}")
        ids, types = (np.array([of], np.int64) for of in (tokens.ids, tokens.type_ids))
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": types}
        first = self._session.run(None, feed)[0][0, 0]
        head = self._weights["head"]
        return float(first @ head[:-1] + head[-1])

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        return tokenizer(self._folder())

    @cached_property
    def _weights(self) -> Mapping[str, Vectors]:
        return load(self._path)

    @cached_property
    def _session(self) -> "InferenceSession":
        return session(moved(self._folder() / "model.onnx", self._weights))
