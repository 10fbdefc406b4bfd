"""One homophone typo in each question: how much does an answer lose by it?"""

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from assistant import ngrams
from assistant.confusions import STATISTICS
from assistant.pinyin import readings
from eval.questions import Question
from knowledge.queries import content

COMMONEST = 3000  # characters that people type: rarer ones are not picked by mistake


def with_typos(questions: Sequence[Question], seed: int) -> list[Question]:
    """Return the questions with one typo each; the same seed gives the same typos."""
    return [replace(each, question=mistype(each.question, seed)) for each in questions]


def mistype(text: str, seed: int) -> str:
    """Return the text with one character of its content replaced by one that sounds the same.

    It comes back as it is where no character has such a one.
    """
    chosen = random.Random(f"{seed} {text}")  # noqa: S311 - no secret
    content_of = set(content(text))
    places = [place for place, c in enumerate(text) if c in content_of and _homophones(c)]
    if not places:
        return text
    place = chosen.choice(places)
    return f"{text[:place]}{chosen.choice(_homophones(text[place]))}{text[place + 1 :]}"


@cache
def _homophones(character: str) -> tuple[str, ...]:
    if not ngrams.code(character):
        return ()
    sounds = readings(character)
    return tuple(c for c in _common() if c != character and readings(c) & sounds)


@cache
def _common() -> tuple[str, ...]:
    counts = ngrams.load(STATISTICS)[0][1]
    by_count = sorted(zip(counts.counts.tolist(), counts.keys.tolist(), strict=True), reverse=True)
    return tuple(ngrams.character(key) for _, key in by_count[: COMMONEST + 1] if key)
