"""Sentences, and typos in them as people make them: to learn from, not to measure with."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assistant import ngrams
from assistant.confusions import NEAR_SOUND, SAME_SOUND, SHAPE, Confusions, statistics
from assistant.ngrams import BITS, Floats, Keys
from assistant.proofreader import sentences as read_together
from eval.questions import load_questions
from knowledge.readers import find_files, read_documents
from knowledge.types import Document

SHORTEST = 4  # characters of a sentence
OFTEN = 0.03  # typos a character beside the first one
# Shares of how people confuse characters, before what stands beside them counts.
KINDS = {SAME_SOUND: 0.6, NEAR_SOUND: 0.2, SHAPE: 0.2}
COMMONER = 0.5  # power of a character's count
AGAIN = 0.2  # that the character after a typo is one, too


class Confuser:
    """Puts typos into sentences."""

    def __init__(self, seed: int, clean: float) -> None:
        """Load what may stand for what; ``clean`` is the share of sentences that get none."""
        self._clean = clean
        self._table, _ = statistics()
        self._confusions = Confusions(self._table)
        self._draw = np.random.default_rng(seed)
        self._chances: dict[str, tuple[Keys, Floats]] = {}

    def confused(self, text: str) -> str:
        """Return a sentence with some typos, or none."""
        if self._draw.random() < self._clean:
            return text
        places = [place for place, c in enumerate(text) if ngrams.code(c)]
        wanted = min(1 + self._draw.poisson(OFTEN * len(places)), len(places))
        characters = list(text)
        drawn = self._draw.choice(places, wanted, replace=False).tolist() if places else []
        again = [place + 1 for place in drawn if self._draw.random() < AGAIN]
        for place in sorted({*drawn, *again} & {*places}):
            self._confuse(characters, place)
        return "".join(characters)

    def _confuse(self, characters: list[str], place: int) -> None:
        options, chances = self._of(characters[place])
        if not len(options):
            return
        around = ngrams.numbers_of("".join(["，", *characters, "，"]))
        left, right = around[place], around[place + 2]
        shift, pairs = np.uint64(BITS), self._table[2]
        seen = pairs.look_up((left << shift) | options) * bool(left)
        seen += pairs.look_up((options << shift) | right) * bool(right)
        chances = chances * (0.3 + np.log1p(seen))
        drawn = self._draw.choice(len(options), p=chances / chances.sum())
        characters[place] = ngrams.character(int(options[drawn]))

    def _of(self, character: str) -> tuple[Keys, Floats]:
        """Return what a character may be typed as, and how often it is."""
        if character not in self._chances:
            slot = self._confusions.of(character)
            options, prices = slot.options[1:], slot.prices[1:]
            chances = (self._table[1].look_up(options) + 1.0) ** COMMONER
            for price, share in KINDS.items():
                of = prices == price
                chances[of] *= share / max(chances[of].sum(), 1e-9)
            self._chances[character] = options, chances
        return self._chances[character]


def sentences(documents: Sequence[Path]) -> list[str]:
    """Return each sentence of documents once."""
    found: dict[str, None] = {}
    for path in find_files(documents):
        for document in read_documents(path) if isinstance(path, Path) else ():
            if isinstance(document, Document):
                found |= dict.fromkeys(part.strip() for _, part in read_together(document.text))
    return [one for one in found if sum(map(bool, map(ngrams.code, one))) >= SHORTEST]


def asked(sets: Sequence[Path]) -> list[str]:
    """Return each question of question sets once."""
    return list({one.question: None for path in sets for one in load_questions(path)})
