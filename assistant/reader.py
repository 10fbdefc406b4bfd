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
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from knowledge.embedding import Vectors, session
from knowledge.types import Hit

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

WEIGHTS = Path(__file__).with_name("reader.npz")
# Characters that are read: of the question, of what stands above and before the sentence, and of
# the sentence itself.
QUESTION, TITLE, HEADING, BEFORE, SENTENCE = 60, 24, 16, 24, 90
# Quantised to seven bits of eight, as the model is: a processor without VNNI adds pairs of products
# in 16 bits (ONNX Runtime's documentation, "reduce_range").
_RANGE = 64
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
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._folder() / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.no_truncation()  # a few characters are given
        return tokenizer

    @cached_property
    def _weights(self) -> Mapping[str, Vectors]:
        with np.load(self._path) as file:
            return {name: file[name].astype(np.float32) for name in file.files}

    @cached_property
    def _session(self) -> "InferenceSession":
        return session(moved(self._folder() / "model.onnx", self._weights))


def moved(path: Path, weights: Mapping[str, Vectors]) -> bytes:
    """Return the model's graph with its weights moved, and quantised again.

    Args:
        path: The default model.
        weights: By the name of an initializer, what takes its place; by ``NAME/down`` and
            ``NAME/up``, arrays of shape (rank, inputs) and (outputs, rank), whose product moves the
            quantised matrix of that name.
    """
    import onnx
    from onnx.numpy_helper import from_array, to_array

    model = onnx.load(path)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}

    def put(name: str, values: NDArray[Any]) -> None:
        tensors[name].CopyFrom(from_array(np.ascontiguousarray(values), name))

    for name, values in weights.items():
        if name in tensors:
            put(name, values)
    for name in (name.removesuffix("/down") for name in weights if name.endswith("/down")):
        scale = to_array(tensors[f"{name}_scale"])
        matrix = to_array(tensors[f"{name}_quantized"]) * scale
        matrix = matrix + (weights[f"{name}/up"] @ weights[f"{name}/down"]).T
        scale = np.abs(matrix).max(0).astype(np.float32) / _RANGE
        put(f"{name}_scale", scale)
        put(f"{name}_quantized", np.round(matrix / scale).astype(np.int8))
    graph: bytes = model.SerializeToString()
    return graph
