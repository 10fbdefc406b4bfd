"""What each Chinese character may be mistyped for: what sounds or looks like it."""

from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from assistant import ngrams
from assistant.ngrams import Floats, Keys, Table
from assistant.pinyin import blurred, sounds

STATISTICS = Path(__file__).with_name("typos.npz")
# Natural logarithms of how likely a character stands for another; set on one half of a set of
# official sentences. Low enough that changes to be judged come up.
SAME_SOUND = -5.0
NEAR_SOUND = -6.0
SHAPE = -6.5


class Slot(NamedTuple):
    """What may stand at one place: characters, and the logarithm of each one's likelihood."""

    options: Keys
    prices: Floats


class Confusions:
    """The characters of a table that others may stand for."""

    def __init__(self, table: Table) -> None:
        """Sort the characters of a table by their sounds."""
        self._counts = table[1]
        self._by_sound = _by_sound(table)
        self._by_blur = _by_sound(table, blurred)
        self._slots: dict[str, Slot] = {}

    def of(self, character: str) -> Slot:
        """Return what a character may stand for: itself first, then the commonest first."""
        if character not in self._slots:
            prices = dict.fromkeys(_shapes().get(character, ""), SHAPE)
            for sound in sounds(character):
                prices |= dict.fromkeys(self._by_blur[blurred(sound)], NEAR_SOUND)
            for sound in sounds(character):
                prices |= dict.fromkeys(self._by_sound[sound], SAME_SOUND)
            prices[character] = 0.0
            options = ngrams.numbers_of("".join(prices))
            counts = self._counts.look_up(options)
            order = np.argsort(-np.where(options == ngrams.code(character), np.inf, counts))
            self._slots[character] = Slot(options[order], np.array(list(prices.values()))[order])
        return self._slots[character]


def _by_sound(
    table: Table, same: Callable[[str], str] = lambda sound: sound
) -> defaultdict[str, list[str]]:
    """Return the known characters by what they sound like."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for number in table[1].keys[table[1].keys > 0].tolist():
        for sound in sounds(ngrams.character(number)):
            found[same(sound)].append(ngrams.character(number))
    return found


@cache
def statistics() -> tuple[Table, str]:
    """Return the counts of official Chinese, and the characters of similar shape, a line each."""
    table, more = ngrams.load(STATISTICS)
    return table, more["shapes"].tobytes().decode()


@cache
def _shapes() -> dict[str, str]:
    return {line[0]: line[1:] for line in statistics()[1].split("\n")}
