"""What else a question may be about: a cohort of matters that people ask any government about.

How close a passage is to a question tells little by itself: how a lost identity card is replaced
comes close to "护照丢了怎么办", for want of anything closer. So its closeness is compared with that
of a cohort, as a speaker's score is with those of impostors (T-norm, Auckenthaler, Carey and
Lloyd-Thomas 2000). The cohort, ``matters.txt``, was written from general knowledge, with no
document and no question in sight; a matter that the documents do treat does no harm in it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.embedding import SentenceEmbeddings
from knowledge.types import Hit

Floats = NDArray[np.float32]

NAMES: tuple[str, ...] = tuple(
    Path(__file__).with_name("matters.txt").read_text(encoding="utf-8").split()
)
_NEAREST = 5  # matters that a question is taken to be about
_LEFT_OUT = "[\u4e00-\u9fff]{0,2}"  # between the characters of what is said for short
_SHARPNESS = 20.0  # how much more the nearest of them counts, per unit of cosine


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near the matters of the cohort are.

    Attributes:
        question: Cosine of the question and the matter nearest to it.
        passage: Cosine of the passage and the matters nearest to the question.
    """

    question: float
    passage: float


class Matters:
    """Compares a question and a passage with the cohort."""

    def __init__(
        self,
        embeddings: Callable[[], SentenceEmbeddings],
        likeness: Callable[[Floats, Hit], float],
    ) -> None:
        """Compare by the model that ``embeddings`` returns, called when first needed.

        Args:
            embeddings: Returns the model.
            likeness: Returns the dot product of a vector and a passage's own.
        """
        self._embeddings = embeddings
        self._likeness = likeness

    @cached_property
    def vectors(self) -> Floats:
        """The cohort, of shape (matters, dimensions); a fifth of a second when first asked for."""
        return self._embeddings().encode(NAMES)

    def nearness(self, question: str, hit: Hit) -> Nearness:
        """Return how near the cohort is to a question, and to the passage that may answer it."""
        near = self.vectors @ self._embeddings().encode([question])[0]
        nearest = np.argsort(-near)[:_NEAREST]
        weights = np.exp(_SHARPNESS * (near[nearest] - near[nearest[0]]))
        meant: Floats = weights @ self.vectors[nearest] / weights.sum()
        return Nearness(float(near[nearest[0]]), self._likeness(meant, hit))


def named(question: str, text: str, means: Callable[[str], Sequence[str]]) -> str:
    """Return the longest matter that a question names and a text does not; empty if none.

    A text that has both words of a matter (欠薪, 投诉) is taken to name it, or one of which the
    matter is short for (社会保障卡 for 社保卡), or one that means the same.

    Args:
        question: What is asked.
        text: Where its matters are looked for.
        means: Returns what documents say for a word.
    """
    absent = (name for name in NAMES if name in question)
    absent = (name for name in absent if not any(_names(text, one) for one in (name, *means(name))))
    return max(absent, key=len, default="")


def _names(text: str, matter: str) -> bool:
    if len(matter) == 3:
        return re.search(_LEFT_OUT.join(matter), text) is not None
    words = [matter[:2], matter[2:]] if len(matter) == 4 else [matter]
    return all(word in text for word in words)
