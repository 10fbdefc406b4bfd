"""Reads a text, and tells of each character what it was meant to be.

N-grams see a few characters around; a masked language model sees the sentence (Devlin et al. 2019;
for typos, Cheng et al. 2020, "SpellGCN", and Liu et al. 2021, "PLOME", which like this one learnt
from characters confused at random). It is the default embedding model itself, its weights moved
(``assistant.lora``); ``eval.proofreader_model`` fits them.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assistant import ngrams
from assistant.lora import Moved
from assistant.ngrams import Floats, Keys
from knowledge.embedding import Vectors

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

WEIGHTS = Path(__file__).with_name("proofreader.npz")
LONGEST = 80  # characters that are read together
# A sentence, or as much of a longer one as ends before a comma.
_SENTENCE = re.compile(
    rf"[^\n。；！？]{{1,{LONGEST}}}(?=[\n。；！？，、：]|$)|[^\n。；！？]{{1,{LONGEST}}}"
)
_KEPT = 64  # sentences: those of a text that is read again with one of them mended
# Of a character that the model does not know: as likely as one that is wrong. Set by hand.
_UNKNOWN = -7.0
_EMBEDDINGS = "embeddings.word_embeddings.weight"
_SMALL = 1e-12

Reading = Callable[[int, Keys], Floats]


class Proofreader:
    """Tells what characters were meant. Safe to use from many threads."""

    def __init__(self, folder: Callable[[], Path], weights: Path = WEIGHTS) -> None:
        """Prepare to read; nothing is loaded before the first text.

        Args:
            folder: Returns where the default model's files lie.
            weights: What ``eval.proofreader_model`` wrote.
        """
        self._model = Moved(folder, weights)
        self._of_sentence = lru_cache(_KEPT)(self._read)

    def read(self, text: str) -> Reading:
        """Read a text, sentence by sentence.

        Returns:
            What takes a place in the text and characters, as ``assistant.ngrams`` numbers them, and
            returns how much likelier each is meant than what stands there: natural logarithms of
            the ratios, shape (characters,); zeros where the model can't tell.
        """
        vectors: dict[int, Vectors] = {}
        for start, sentence in sentences(text):
            for place, vector in self._of_sentence(sentence).items():
                vectors[start + place] = vector

        def likelier(place: int, options: Keys) -> Floats:
            typed = self._rows[ngrams.code(text[place])]
            if place not in vectors or typed < 0:
                return np.zeros(len(options))
            rows = self._rows[options.astype(np.int64)]
            moved = self._characters[rows] - self._characters[typed]
            scores = moved @ vectors[place] + self._likely[rows] - self._likely[typed]
            return np.where(rows < 0, _UNKNOWN, scores)

        return likelier

    def _read(self, sentence: str) -> Mapping[int, Vectors]:
        """Return what stands for the character meant at each place that can be told of."""
        tokens = self._model.tokenizer.encode(sentence)
        places = single(tokens, sentence)
        if not places:
            return {}
        weights = self._model.weights
        hidden = self._model.vectors(tokens)[list(places.values())]
        x = _gelu(hidden @ weights["meant"].T + weights["meant.bias"])
        x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + _SMALL)
        x = x * weights["meant.LayerNorm.weight"] + weights["meant.LayerNorm.bias"]
        return dict(zip(places, x, strict=True))

    @cached_property
    def _known(self) -> NDArray[np.int64]:
        return known(self._model.tokenizer)

    @cached_property
    def _rows(self) -> NDArray[np.int64]:
        """Of each number of a character its row; -1 for one that is not known."""
        rows = np.full(1 << ngrams.BITS, -1)
        rows[self._known[:, 0]] = np.arange(len(self._known))
        return rows

    @cached_property
    def _characters(self) -> Vectors:
        import onnx
        from onnx.numpy_helper import to_array

        graph = onnx.load(self._model.folder / "model.onnx").graph
        of = {
            tensor.name.removeprefix(f"{_EMBEDDINGS}_"): to_array(tensor)
            for tensor in graph.initializer
            if tensor.name.startswith(_EMBEDDINGS)
        }
        rows = of["quantized"][self._known[:, 1]].astype(np.float32)
        return np.asarray((rows - of["zero_point"].astype(np.float32)) * of["scale"], np.float32)

    @property
    def _likely(self) -> Vectors:
        return self._model.weights["characters.bias"]


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """Yield what is read together, and where each begins."""
    for found in _SENTENCE.finditer(text):
        yield found.start(), found[0]


def single(encoding: "Encoding", text: str) -> dict[int, int]:
    """Return the places of the Chinese characters that are one token each: in text, in tokens."""
    return {
        start: at
        for at, (start, end) in enumerate(encoding.offsets)
        if end - start == 1 and ngrams.code(text[start])
    }


def known(tokenizer: "Tokenizer") -> NDArray[np.int64]:
    """Return the characters that a tokenizer knows: their numbers and its own, (characters, 2)."""
    pairs = (
        (ngrams.code(token), number)
        for token, number in tokenizer.get_vocab().items()
        if len(token) == 1
    )
    return np.array(sorted(pair for pair in pairs if pair[0]), np.int64)


def _gelu(x: Vectors) -> Vectors:
    """Return the Gaussian error linear unit, by tanh (Hendrycks and Gimpel 2016)."""
    inner = np.sqrt(2 / np.pi) * (x + 0.044715 * x * x * x)
    return np.asarray(0.5 * x * (1 + np.tanh(inner)), np.float32)
