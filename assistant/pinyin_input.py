"""Pinyin typed in Latin letters, read as the likeliest Chinese: a beam search over characters."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from assistant import ngrams
from assistant.confusions import Slot
from assistant.ngrams import BITS, HISTORY, Floats, Keys, LanguageModel
from assistant.pinyin import readings, splits, typed

_BEAM = 16  # readings kept at each syllable
# Pinyin is taken for Chinese from this mean logarithm of a character's probability on; English
# words that could be pinyin lie below.
_FLUENT = -6.5

_BOUNDARY = Slot(np.zeros(1, dtype=np.uint64), np.zeros(1))


class PinyinInput:
    """Reads pinyin as characters that a language model knows."""

    def __init__(self, model: LanguageModel) -> None:
        """Sort the model's characters by how they are read."""
        self._model = model
        self._by_reading: defaultdict[str, list[str]] = defaultdict(list)
        for number in model.table[1].keys[model.table[1].keys > 0].tolist():
            for reading in readings(ngrams.character(number)):
                self._by_reading[reading].append(ngrams.character(number))

    def read(self, text: str) -> str:
        """Put Chinese in the place of pinyin; what may be English stays."""
        for found in reversed(list(typed(text))):
            before, after = text[: found.start()], text[found.end() :]
            chinese = self._spell(found[0], before.rstrip(), after.lstrip())
            if chinese:
                text = before.rstrip(" ") + chinese + after.lstrip(" ")
        return text

    def _spell(self, letters: str, before: str, after: str) -> str:
        fixed_before, fixed_after = ngrams.numbers_of(before[-3:]), ngrams.numbers_of(after[:3])
        around = [_fixed(fixed_before), _fixed(fixed_after)]
        spellings = []
        for syllables in splits(letters, self._by_reading):
            if len(syllables) > 1:
                slots = [_any(self._by_reading[syllable]) for syllable in syllables]
                best = self._search([*around[0], *slots, *around[1]])
                spelt = best[len(fixed_before) : len(fixed_before) + len(slots)]
                spellings.append((self._model.of_text(spelt) / (len(spelt) + 1), spelt))
        fluency, spelt = max(
            spellings, key=lambda s: s[0], default=(_FLUENT, ngrams.numbers_of(""))
        )
        if fluency <= _FLUENT:
            return ""
        return "".join(ngrams.character(int(n)) for n in spelt)

    def _search(self, slots: Sequence[Slot]) -> Keys:
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
        self, histories: Keys, scores: Floats, slot: Slot
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


def _fixed(numbers: Keys) -> list[Slot]:
    return [Slot(numbers[i : i + 1], np.zeros(1)) for i in range(len(numbers))]


def _any(characters: Iterable[str]) -> Slot:
    options = ngrams.numbers_of("".join(characters))
    return Slot(options, np.zeros(len(options)))
