"""What a question wants, as far as that decides whether it is answered at all.

A logistic regression over the question's character n-grams and its vector tells questions on
policies and law from orders that do harm, small talk, the citizen's own records and what is too
vague. It is fitted on examples in our own words by ``eval.intent_model``, which also measures it.
The vector is worth it: n-grams alone miss three times as much that does harm. A home with another
embedding model gets weights for n-grams alone.
"""

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from assistant.evidence import Evidence
from assistant.types import Status
from knowledge.embedding import SentenceEmbeddings
from knowledge.lexical import normalise
from knowledge.settings import DEFAULT_EMBEDDING_MODEL

Floats = NDArray[np.float32]
Name = Literal["ok", "not_allowed", "statement", "out_of_scope", "greeting", "personal", "unclear"]
NAMES: tuple[Name, ...] = get_args(Name)

# Crimes and frauds. How one is committed is never answered; that the regression misses one in
# twenty of what does harm must not show where the question is nothing else.
OFFENCES = Path(__file__).with_name("offences.txt").read_text(encoding="utf-8").split()
_HOW_TO = re.compile(r"(?:请问)?(?:怎么样?|怎样|如何|咋)(?:才能|可以|能|去)?(.+?)[呢啊呀吗]?")
WEIGHTS = Path(__file__).with_name("intents.npz")
BUCKETS = 1 << 14  # that n-grams are hashed to
# Cosines between questions are all high: away from their mean they tell more.
VECTOR_SCALE = 2.0
# What is this likely not to be a question for us is not answered: from here on one real question in
# 400 is lost (python -m eval.intent_model prints the figures).
REFUSED_FROM = 0.5
# A follow-up says little, so that many look a little like small talk.
SMALL_TALK_FROM = 0.9

_STATUSES: dict[Name, tuple[Status, str]] = {
    "not_allowed": ("not_allowed", "这个问题我不能回答。"),
    "statement": ("out_of_scope", "我没有听出您想问什么。"),
    "out_of_scope": ("out_of_scope", "这件事我帮不上忙。"),
    "greeting": ("out_of_scope", "您好，我是小泉，回答政策和办事方面的问题。"),
    "personal": ("personal", "这要查您本人的记录，我看不到任何人的个人信息。"),
    "unclear": ("unclear", "您的问题有点短，我还不清楚您想问什么。"),
}


@dataclass(frozen=True, slots=True)
class Weights:
    """A fitted model; a column for each of ``NAMES``.

    Attributes:
        grams: A row for each bucket.
        vector: A row for each dimension of the default embedding model; none: not looked at.
        mean: The vector that lies in the middle of all.
        bias: Of each class.
    """

    grams: Floats
    vector: Floats
    mean: Floats
    bias: Floats

    def probabilities(self, text: str, vector: Floats | None) -> Floats:
        """Return how likely each of ``NAMES`` is."""
        where = buckets(text)
        sums = self.grams[where].sum(axis=0) * len(where) ** -0.5 + self.bias
        if vector is not None:
            sums += (vector - self.mean) * VECTOR_SCALE @ self.vector
        odds: Floats = np.exp(sums - sums.max())
        odds /= odds.sum()
        return odds


class Intents:
    """Tells what is not to be answered, whatever the knowledge base holds."""

    def __init__(self, embeddings: Callable[[], SentenceEmbeddings]) -> None:
        """Judge with the model that ``embeddings`` returns; it is not called before it is needed.

        The vector of a question costs nothing: the search wants it, too.
        """
        self._embeddings = embeddings

    def decide(self, typed: str, question: str) -> Evidence | None:
        """Return why a question is not to be answered, or None where only a search can tell.

        Args:
            typed: As it was asked: a greeting in the middle of a conversation is one.
            question: What it means, standing alone.
        """
        if self.name(typed) == "greeting":
            return _refused("greeting")
        name = self.name(question)
        return None if name == "ok" else _refused(name)

    def is_small_talk(self, text: str) -> bool:
        """Tell whether a text is surely no part of a conversation on policies."""
        return float(self._probabilities(text)[NAMES.index("out_of_scope")]) >= SMALL_TALK_FROM

    def name(self, text: str) -> Name:
        """Return what a text is: ``ok`` unless something else is likely enough."""
        how_to = _HOW_TO.fullmatch(re.sub(r"\W+", "", normalise(text)))
        if how_to and how_to[1] in OFFENCES:
            return "not_allowed"
        likely = self._probabilities(text)
        if 1 - likely[0] < REFUSED_FROM:
            return "ok"
        return NAMES[1 + int(np.argmax(likely[1:]))]

    def _probabilities(self, text: str) -> Floats:
        model = self._embeddings()
        if model.name != DEFAULT_EMBEDDING_MODEL:
            return load("grams").probabilities(text, None)
        return load("both").probabilities(text, model.encode([text])[0])


def worth_searching(decided: Evidence | None) -> bool:
    """Tell whether the passages have a say: in the answer, or in what a refusal offers."""
    return decided is None or decided.status in {"personal", "unclear"}


def _refused(name: Name) -> Evidence:
    status, reason = _STATUSES[name]
    return Evidence(0.0, status, reason)


def buckets(text: str) -> list[int]:
    """Return where a text's runs of one to three characters are counted, each once."""
    words = re.sub(r"\W+", " ", re.sub(r"[0-9]+", "0", normalise(text)))
    text = f"^{words.strip()}$"
    grams = {text[i : i + n] for n in (1, 2, 3) for i in range(len(text) - n + 1)}
    return sorted({zlib.crc32(gram.encode()) % BUCKETS for gram in grams})


@cache
def load(kind: Literal["both", "grams"]) -> Weights:
    """Load the weights for vector and n-grams, or for n-grams alone."""
    with np.load(WEIGHTS) as file:
        return Weights(*(file[f"{kind}_{part}"].astype(np.float32) for part in _PARTS))


def save(both: Weights, grams: Weights) -> None:
    """Write the weights in their place in the package, rounded to half precision."""
    kinds: Sequence[tuple[str, Weights]] = (("both", both), ("grams", grams))
    arrays = {
        f"{kind}_{part}": getattr(weights, part).astype(np.float16)
        for kind, weights in kinds
        for part in _PARTS
    }
    np.savez_compressed(WEIGHTS, **arrays)


_PARTS = ("grams", "vector", "mean", "bias")
