"""Reads a question and a sentence together, and tells how well the one answers the other.

Search compares vectors and words that were made of either alone; a reader sees both at once
(a cross-encoder: Nogueira and Cho 2019, "Passage re-ranking with BERT"). It is the default
embedding model itself, its weights moved by a product of two narrow matrices each (LoRA: Hu et al.
2021), of which ``reader.npz`` holds no more than these. ``eval.reader_model`` fits them.

A score is the logarithm of the odds that this sentence, rather than nothing at all, is the answer:
the exponentials of all sentences read for a question, and a one for "no answer", share one sum
(Clark and Gardner 2018, "Simple and effective multi-paragraph reading comprehension").
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from assistant.lora import Moved
from knowledge.types import Hit

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
        self._model = Moved(folder, weights)
        self._read = lru_cache(_KEPT)(self._score)

    def read(self, question: str, told: Sequence[Told]) -> list[float]:
        """Return the score of each sentence."""
        return [self._read(question[:QUESTION], one) for one in told]

    def _score(self, question: str, told: Told) -> float:
        # One by one is as fast as together, and no sentence's numbers depend on another's length.
        tokens = self._model.tokenizer.encode(question, f"{told.before} {told.sentence}")
        head = self._model.weights["head"]
        return float(self._model.vectors(tokens)[0] @ head[:-1] + head[-1])
