"""Is this answerable from these passages? The refusal decision, made in code."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.asking import Asked
from assistant.extractive import Sentence, candidates
from assistant.types import Status
from knowledge.lexical import terms
from knowledge.types import Hit

# Logistic regression: do the passages hold the answer? Fitted, with its threshold, on the even
# questions of datasets/pandemic so that 8% of the answerable are refused; reported on the odd
# ones (docs/benchmarks.md has the command).
_WEIGHTS: Mapping[str, float] = {
    "cover_passage": 2.06,
    "cover_sentence_with_above": 3.03,
    "cover_sentence": 0.97,
    "gap": -0.95,
    "score": 4.86,
    "dense": 0.16,
}
_BIAS = -8.56
ANSWERABLE_FROM = 0.39
# Covered to this share, the topic is there and only this fact is not.
TOPIC_FROM = 0.5


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for an answer.

    Attributes:
        score: Calibrated probability that the passages hold the answer, in [0, 1].
        status: ``answered``, ``partial``, or why it is to be refused.
        reason: The same in plain Chinese; empty where it is answered.
        missing: What is asked for and not said.
    """

    score: float
    status: Status
    reason: str = ""
    missing: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether no answer is to be composed."""
        return self.status not in {"partial", "answered"}


def judge(asked: Asked, hits: Sequence[Hit]) -> Evidence:
    """Weigh what the question asks for against what the best passages say."""
    sentences = [sentence for passage in candidates(asked, hits) for sentence in passage]
    if not sentences:
        return Evidence(0.0, "not_found", "资料里没有与这个问题有关的内容。")
    features = _features(asked, hits, sentences)
    score = 1 / (1 + math.exp(-_BIAS - sum(_WEIGHTS[k] * v for k, v in features.items())))
    if score >= ANSWERABLE_FROM:
        return Evidence(score, "answered")
    if features["cover_passage"] >= TOPIC_FROM:
        return Evidence(score, "not_covered", "资料里有相关的内容，但没有说到您问的这一点。")
    return Evidence(score, "not_found", "资料里没有找到这个问题的答案。")


def _features(asked: Asked, hits: Sequence[Hit], sentences: Sequence[Sentence]) -> dict[str, float]:
    chosen = max(sentences, key=lambda sentence: sentence.likelihood)
    above = set(terms("\n".join((chosen.hit.document.title, *chosen.hit.passage.section))))
    passage = above | set(terms(chosen.hit.passage.text))
    return {
        "cover_passage": asked.share(passage),
        "cover_sentence_with_above": asked.share(above | set(terms(chosen.text))),
        "cover_sentence": max(sentence.features["cover"] for sentence in sentences),
        "gap": asked.largest_gap(passage),
        "score": hits[0].score,
        "dense": max(hit.dense for hit in hits[:4]),
    }
