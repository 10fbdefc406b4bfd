"""Mend mistyped questions: a noisy channel over characters (Kernighan, Church and Gale 1990).

Every character may stand for one that sounds or looks like it, at a price; a beam search finds
the sentence that the language model and the prices like best; each change is then judged on its
own by what speaks for it and against it, and is made only where the evidence is strong. The
language model holds the knowledge base's own texts and general counts of official Chinese
(``typos.npz``; ``eval.typo_model`` says what was counted, and rebuilds it). The knowledge base
decides what a word is: its names are mended to, and never mended away.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from assistant import ngrams
from assistant.ngrams import BITS, HISTORY, Floats, Keys, LanguageModel, Table
from assistant.pinyin import blurred, sounds, splits, typed

STATISTICS = Path(__file__).with_name("typos.npz")

# Natural logarithms of how likely a character stands for another; set on one half of a set of
# official sentences. Low enough that changes to be judged come up.
_SAME_SOUND = -8.0
_NEAR_SOUND = -9.0
_SHAPE = -9.5
_BEAM = 16  # sentences kept at each character
_APART = 2  # changes not farther apart than this are one
_BASE_WEIGHT = 3.0  # what a count in the knowledge base is worth
_LARGE = 1_000_000  # characters from which on n-grams seen once in the knowledge base are left out
# Pinyin is taken for Chinese from this mean logarithm of a character's probability on; English
# words that could be pinyin lie below.
_FLUENT = -6.5

# Logistic regression: what each sign adds to the logarithm of the odds that a change is right.
# Fitted on errors made at random in news sentences (none of them counted in the statistics).
_WEIGHTS = {
    "gain": 0.25,
    "characters": -3.8,
    "price": 0.0,
    "pair after": 0.41,
    "pair before": -0.57,
    "triple after": -0.09,
    "triple before": -0.2,
    "four after": 0.33,
    "four before": -0.3,
    "character after": -0.16,
    "character before": 0.33,
    "": -2.35,
}
_SURE = 0.5  # the sum from which on a change is made


@dataclass(frozen=True, slots=True)
class Corrected:
    """A question and what it was understood as."""

    text: str
    changed: bool
    original: str


class _Slot(NamedTuple):
    """What may stand at one place: characters, and the logarithm of each one's likelihood."""

    options: Keys
    prices: Floats


_BOUNDARY = _Slot(np.zeros(1, dtype=np.uint64), np.zeros(1))


class Corrector:
    """Mends typos against one knowledge base's vocabulary.

    Building takes about a second for each million characters and keeps some 20 bytes for each
    n-gram; build it once for each state of the knowledge base. Safe to use from many threads.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """Count the n-grams.

        Args:
            texts: The passages of the knowledge base, and titles; none: official Chinese only.
        """
        general, _ = _statistics()
        own = ngrams.count(texts, _BASE_WEIGHT)
        if own[1].counts.sum() > _LARGE * _BASE_WEIGHT:
            own = ngrams.pruned(own, {3: 2 * _BASE_WEIGHT, 4: 2 * _BASE_WEIGHT})
        self._model = LanguageModel(ngrams.merge(general, own))
        self._by_sound, self._by_blur = _by_sound(self._model.table)
        self._slots: dict[str, _Slot] = {}

    def correct(self, text: str) -> Corrected:
        """Return the text with the typos mended that are beyond doubt."""
        mended = self._mend(self._read_pinyin(text))
        return Corrected(mended, mended != text, text)

    # Typed characters

    def _mend(self, text: str) -> str:
        numbers = _numbers(text)
        best = self._search(self._candidates(text, numbers))
        changes = _group(np.flatnonzero(best != numbers).tolist())
        made = [c for c in changes if self._evidence(text, numbers, best, c) > _SURE]
        characters = list(text)
        for place in (place for change in made for place in change):
            characters[place] = ngrams.character(int(best[place]))
        return "".join(characters)

    def _candidates(self, text: str, numbers: Keys) -> list[_Slot]:
        """Return for each character those that it may stand for and that go with a neighbour."""
        slots = [self._slot(c) if n else _BOUNDARY for c, n in zip(text, numbers, strict=True)]
        if not slots:
            return slots
        lengths = [len(slot.options) for slot in slots]
        options = np.concatenate([slot.options for slot in slots])
        left = np.repeat(np.append(np.uint64(0), numbers[:-1]), lengths)
        right = np.repeat(np.append(numbers[1:], np.uint64(0)), lengths)
        pairs = self._model.table[2]
        shift = np.uint64(BITS)
        fits = pairs.look_up((left << shift) | options) + pairs.look_up((options << shift) | right)
        fits += np.concatenate([slot.prices for slot in slots]) == 0  # what was typed
        kept = np.split(fits > 0, np.cumsum(lengths)[:-1])
        return [_Slot(s.options[k], s.prices[k]) for s, k in zip(slots, kept, strict=True)]

    def _slot(self, character: str) -> _Slot:
        if character not in self._slots:
            prices = dict.fromkeys(_shapes().get(character, ""), _SHAPE)
            for sound in sounds(character):
                prices |= dict.fromkeys(self._by_blur[blurred(sound)], _NEAR_SOUND)
            for sound in sounds(character):
                prices |= dict.fromkeys(self._by_sound[sound], _SAME_SOUND)
            prices[character] = 0.0
            options = np.array([ngrams.code(c) for c in prices], dtype=np.uint64)
            self._slots[character] = _Slot(options, np.array(list(prices.values())))
        return self._slots[character]

    # Search

    def _search(self, slots: Sequence[_Slot]) -> Keys:
        """Return the likeliest characters, one for each slot."""
        histories, scores = np.zeros(1, dtype=np.uint64), np.zeros(1)
        steps: list[tuple[Keys, Floats]] = []
        for slot in [*slots, _BOUNDARY]:
            histories, scores, options, origins = self._step(histories, scores, slot)
            steps.append((options, origins))
        best, result = int(np.argmax(scores)), []
        for options, origins in reversed(steps):
            result.append(options[best])
            best = int(origins[best])
        return np.array(result[:0:-1], dtype=np.uint64)

    def _step(
        self, histories: Keys, scores: Floats, slot: _Slot
    ) -> tuple[Keys, Floats, Keys, Floats]:
        """Extend each sentence by each option and keep the best; one for each history."""
        extended = ((histories[:, None] << np.uint64(BITS)) | slot.options) & HISTORY
        added = self._model.log_probability(histories[:, None], slot.options[None, :])
        if slot is _BOUNDARY:  # a run of boundaries is one
            inside = histories & np.uint64((1 << BITS) - 1) == 0
            extended = np.where(inside[:, None], histories[:, None], extended)
            added = np.where(inside[:, None], 0.0, added)
        total = (scores[:, None] + slot.prices + added).ravel()
        order = np.argsort(-total)[: 3 * _BEAM]
        _, first = np.unique(extended.ravel()[order], return_index=True)
        order = order[np.sort(first)][:_BEAM]
        origins, options = np.divmod(order, len(slot.options))
        return extended.ravel()[order], total[order], slot.options[options], origins

    # Judgement

    def _evidence(self, text: str, numbers: Keys, best: Keys, change: Sequence[int]) -> float:
        """Return the logarithm of the odds that a change is right, the others being made."""
        signs = self._signs(text, numbers, best, change)
        return float(np.dot(signs, list(_WEIGHTS.values())))

    def _signs(self, text: str, numbers: Keys, best: Keys, change: Sequence[int]) -> list[float]:
        without = best.copy()
        without[change] = numbers[change]
        signs = [self._fluency(best) - self._fluency(without), float(len(change))]
        signs.append(sum(self._price(text[place], best[place]) for place in change))
        for order in (2, 3, 4):
            signs += [self._support(n, change, order) for n in (best, without)]
        single = self._model.table[1]
        signs += [float(np.log1p(single.look_up(n[change]).min())) for n in (best, without)]
        return [*signs, 1.0]

    def _price(self, character: str, number: int) -> float:
        slot = self._slot(character)
        return float(slot.prices[slot.options == number][0])

    def _fluency(self, numbers: Keys) -> float:
        """Return the logarithm of a sentence's probability."""
        zero = np.zeros(1, dtype=np.uint64)
        line = np.concatenate([zero, zero, zero, numbers, zero])
        doubled = (line[3:] == 0) & (line[2:-1] == 0)
        line = np.concatenate([line[:3], line[3:][~doubled]])
        return float(self._model.log_probability(ngrams.keys(line, 3)[:-1], line[3:]).sum())

    def _support(self, numbers: Keys, change: Sequence[int], order: int) -> float:
        """Return how often the n-gram that speaks most for the weakest place was seen, logged."""
        counts = self._model.table[order].look_up(ngrams.keys(numbers, order))
        for offset in range(order):
            counts[numbers[offset : offset + len(counts)] == 0] = 0
        weakest = min(counts[max(0, p - order + 1) : p + 1].max(initial=0) for p in change)
        return float(np.log1p(weakest))

    # Pinyin in Latin letters

    def _read_pinyin(self, text: str) -> str:
        """Put Chinese in the place of pinyin; what may be English stays."""
        for found in reversed(list(typed(text))):
            before, after = text[: found.start()], text[found.end() :]
            chinese = self._spell(found[0], before.rstrip(), after.lstrip())
            if chinese:
                text = before.rstrip(" ") + chinese + after.lstrip(" ")
        return text

    def _spell(self, letters: str, before: str, after: str) -> str:
        fixed_before, fixed_after = _numbers(before[-3:]), _numbers(after[:3])
        around = [_fixed(fixed_before), _fixed(fixed_after)]
        readings = []
        for syllables in splits(letters, self._by_sound):
            if len(syllables) > 1:
                slots = [_any(self._by_sound[syllable]) for syllable in syllables]
                best = self._search([*around[0], *slots, *around[1]])
                spelt = best[len(fixed_before) : len(fixed_before) + len(slots)]
                readings.append((self._fluency(spelt) / (len(spelt) + 1), spelt))
        fluency, spelt = max(readings, key=lambda r: r[0], default=(_FLUENT, _numbers("")))
        if fluency <= _FLUENT:
            return ""
        return "".join(ngrams.character(int(n)) for n in spelt)


def _numbers(text: str) -> Keys:
    return np.array([ngrams.code(c) for c in text], dtype=np.uint64)


def _fixed(numbers: Keys) -> list[_Slot]:
    return [_Slot(numbers[i : i + 1], np.zeros(1)) for i in range(len(numbers))]


def _any(characters: Iterable[str]) -> _Slot:
    options = _numbers("".join(characters))
    return _Slot(options, np.zeros(len(options)))


def _group(places: list[int]) -> list[list[int]]:
    """Put together changes that depend on each other."""
    groups = [places[:1]] if places else []
    for last, place in pairwise(places):
        if place - last <= _APART:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups


def _by_sound(table: Table) -> tuple[defaultdict[str, list[str]], defaultdict[str, list[str]]]:
    """Return the known characters by their sound, and by what is confused with it."""
    exact: defaultdict[str, list[str]] = defaultdict(list)
    near: defaultdict[str, list[str]] = defaultdict(list)
    for number in table[1].keys[table[1].keys > 0].tolist():
        c = ngrams.character(number)
        for sound in sounds(c):
            exact[sound].append(c)
            near[blurred(sound)].append(c)
    return exact, near


@cache
def _statistics() -> tuple[Table, str]:
    table, more = ngrams.load(STATISTICS)
    return table, more["shapes"].tobytes().decode()


@cache
def _shapes() -> dict[str, str]:
    return {line[0]: line[1:] for line in _statistics()[1].split("\n")}
