"""Mend mistyped questions: a noisy channel over characters (Kernighan, Church and Gale 1990).

Every character may stand for one that sounds or looks like it, at a price; the changes are sought
that the language models and the prices like best; each is then judged on its own by what speaks for
it and against it, and is made only where the evidence is strong. One language model reads the whole
sentence (``assistant.proofreader``); one counts n-grams, those of the knowledge base's own texts
and of official Chinese (``typos.npz``; ``eval.typo_model`` says what was counted, and rebuilds it).
The knowledge base decides what a word is: its names are mended to, and never mended away.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assistant import ngrams, slips
from assistant.confusions import SAME_SOUND, Confusions, Slot, statistics
from assistant.ngrams import BITS, Floats, Keys, LanguageModel
from assistant.pinyin_input import PinyinInput
from assistant.proofreader import Proofreader, Reading

_ROUNDS = 2  # of changes, each seeing those before
_SINGLE = 16  # options weighed for each place
_DOUBLE = 20  # options of each of two neighbours that are both mistyped
# Most characters are right. Not weighed are those in an n-gram seen so often, by order, and those
# that neither are less likely than this nor make the next one so.
_KNOWN = {3: 30, 4: 2}
_EXPECTED = -6.0
_APART = 2  # changes not farther apart than this are one
# What a count in the knowledge base is worth; more in a small one, that says each thing once.
_BASE_WEIGHT = 3.0
_SMALL_WEIGHT = 10.0
_SMALL = 100_000  # characters
_LARGE = 1_000_000  # characters from which on n-grams seen once in the knowledge base are left out

# Logistic regression: what each sign adds to the logarithm of the odds that a change is right.
# Fitted by ``eval.typo_signs`` on sentences that neither language model learnt from.
_WEIGHTS = {
    "character after": -0.35,
    "character before": 0.27,
    "four after": 0.57,
    "four before": -0.67,
    "gain": 0.1,
    "meant": 0.24,
    "meant again": 0.19,
    "pair after": 0.09,
    "pair before": -0.07,
    "price": 0.59,
    "triple after": 0.18,
    "triple before": -0.08,
    "": 0.36,
}
# By so much a slip undone must raise the logarithm of a text's probability.
_SLIP = 9.0
_SLIPS = 6  # ways to undo one that are weighed
_SLIP_LONGEST = 200  # characters; in a longer text each way to undo one would be weighed too long
# Changes are judged from this gain in likelihood on; n-grams, price and proofreader speak apart.
_WORTH = -6.0
_RUNS = {2: "pair", 3: "triple", 4: "four"}
_SURE = 0.5  # the sum from which on a change is made
# A pair of characters is a word of the knowledge base if it has it so often, and the new character
# in it for such a share of all its uses.
_OWN = 2
_OWN_SHARE = 0.1
# Spoken words that official texts hardly have are not taken for typos of what they have.
_SPOKEN = frozenset("了吗呢吧啊呀啦嘛咋啥哪谁呗哦你我他她咱还号")
_SPOKEN_LAST = frozenset("么")
# What no slip touches is neither mended nor mended to; but for 未, which 末 is mistyped as.
_KEPT_NUMBERS = slips.MEANING[ngrams.code("未") != slips.MEANING]


@dataclass(frozen=True, slots=True)
class Corrected:
    """A question and what it was understood as."""

    text: str
    changed: bool
    original: str


@dataclass(frozen=True)
class _Typed:
    """A text, and the places in it of its characters, of which a run of boundaries is one."""

    text: str
    places: Sequence[int]
    numbers: Keys
    proofreader: Proofreader

    def character(self, place: int) -> str:
        return self.text[self.places[place]]

    def meant(self, place: int, options: Keys) -> Floats:
        """Return how much likelier each option is meant than what stands at a place."""
        return self._reading(self.places[place], options)

    @cached_property
    def _reading(self) -> Reading:
        return self.proofreader.read(self.text)

    def mended(self, numbers: Keys) -> "_Typed":
        """Return the text with these characters."""
        characters = list(self.text)
        for place in np.flatnonzero(numbers != self.numbers).tolist():
            characters[self.places[place]] = ngrams.character(int(numbers[place]))
        return replace(self, text="".join(characters), numbers=numbers)


class Change(NamedTuple):
    """Characters that may have been meant, and what speaks for them.

    Attributes:
        places: Where, in the text with each run of boundaries as one.
        characters: As ``assistant.ngrams`` numbers them, one for each place.
        signs: By name.
        named: Whether a name of the documents stands there then.
    """

    places: list[int]
    characters: Keys
    signs: Mapping[str, float]
    named: bool

    def log_odds(self, weights: Mapping[str, float]) -> float:
        """Return the logarithm of the odds that the change is right."""
        return sum(weight * self.signs[name] for name, weight in weights.items())


class _Way(NamedTuple):
    """What may stand from one place on: a row for each way, and its price."""

    place: int
    options: Keys
    prices: Floats


_END = np.zeros(1, dtype=np.uint64)


class Corrector:
    """Mends typos against one knowledge base's vocabulary.

    Building takes about a second for each million characters and keeps some 20 bytes for each
    n-gram; build it once for each state of the knowledge base. Safe to use from many threads.
    """

    def __init__(self, proofreader: Proofreader, texts: Iterable[str] = ()) -> None:
        """Count the n-grams.

        Args:
            proofreader: Tells what each character of a sentence was meant to be.
            texts: The passages of the knowledge base, and titles; none: official Chinese only.
        """
        self._proofreader = proofreader
        general, _ = statistics()
        own = ngrams.count(texts)
        size = own[1].counts.sum()
        if size > _LARGE:
            own = ngrams.pruned(own, {3: 2, 4: 2})
        weight = _SMALL_WEIGHT if size < _SMALL else _BASE_WEIGHT
        self._own = {order: own[order] for order in (1, 2)}
        self._model = LanguageModel(ngrams.merge(general, ngrams.weighted(own, weight)))
        self._confusions = Confusions(self._model.table)
        self._pinyin = PinyinInput(self._model)

    def correct(self, text: str) -> Corrected:
        """Return the text with the typos mended that are beyond doubt."""
        mended = self._without_slip(self._pinyin.read(text))
        return Corrected(mended, mended != text, text)

    def _without_slip(self, text: str) -> str:
        """Return the text mended; with a slip undone where this makes it far likelier."""
        mended = self._mend(text)
        if len(text) > _SLIP_LONGEST:
            return mended
        as_typed = self._likely(text)
        likely = {t: self._likely(t) for t in slips.meant(text, self._model.table)}
        undone = sorted((t for t in likely if likely[t] > as_typed + _SLIP), key=likely.__getitem__)
        if not undone:
            return mended
        worth = {self._mend(t): t for t in undone[-_SLIPS:]}
        best = max(worth, key=lambda m: self._worth(worth[m], m))
        least = max(as_typed, self._worth(text, mended)) + _SLIP
        far = self._worth(worth[best], best) > least
        return best if far else mended

    def _worth(self, text: str, mended: str) -> float:
        """Return the logarithm of how likely a text is meant, which was typed as another."""
        changed = sum(a != b for a, b in zip(text, mended, strict=True))
        return self._likely(mended) + changed * SAME_SOUND

    def _likely(self, text: str) -> float:
        return self._model.of_text(ngrams.numbers_of(text))

    # Typed characters

    def _mend(self, text: str) -> str:
        typed = self._typed(text)
        numbers = typed.numbers.copy()
        for change in self._weighed(typed):
            if change.named or change.log_odds(_WEIGHTS) > _SURE:
                numbers[change.places] = change.characters
        return typed.mended(numbers).text

    def considered(self, text: str) -> list[Change]:
        """Return the changes that make a text likelier, whether they are beyond doubt or not."""
        return list(self._weighed(self._typed(text)))

    def _typed(self, text: str) -> _Typed:
        numbers = ngrams.numbers_of(text)
        places = _compact(numbers)
        return _Typed(text, places, numbers[places], self._proofreader)

    def _weighed(self, typed: _Typed) -> Iterator[Change]:
        best = self._likeliest(typed)
        for places in _group(np.flatnonzero(best != typed.numbers).tolist()):
            signs = self._signs(typed, best, places)
            yield Change(places, best[places], signs, self._names(typed, best, places))

    def _likeliest(self, typed: _Typed) -> Keys:
        """Return the characters after every change that makes them likelier, the best first."""
        numbers = typed.numbers
        best = numbers.copy()
        for _ in range(_ROUNDS):
            changes = self._changes(typed, best)
            for _, place, options in sorted(changes, key=lambda change: -change[0]):
                end = place + len(options)
                around = slice(max(0, place - _APART), end + _APART)
                if (best[around] == numbers[around]).all():
                    best[place:end] = options
            if not changes:
                break
        return best

    def _changes(self, typed: _Typed, best: Keys) -> list[tuple[float, int, Keys]]:
        """Return changes of one character or two that make the text likelier: gain, place, what."""
        slots, liked = self._slots(typed, best)
        ways = [*self._single(best, slots), *self._double(slots), *liked]
        result = []
        for width in (1, 2):
            some = [way for way in ways if way.options.shape[1] == width]
            if some:
                places = np.repeat([way.place for way in some], [len(way.prices) for way in some])
                options = np.concatenate([way.options for way in some])
                gains = self._gains(best, places, options)
                gains += np.concatenate([way.prices for way in some])
                better = np.flatnonzero(gains > _WORTH)
                result += [(float(gains[at]), int(places[at]), options[at]) for at in better]
        return result

    def _slots(self, typed: _Typed, best: Keys) -> tuple[dict[int, Slot], list[_Way]]:
        """Return what may stand where a character is doubtful, and what is read there instead."""
        slots, liked = {}, []
        doubtful, mended = self._doubtful(best), typed.mended(best)
        for place in np.flatnonzero((best == typed.numbers) & _may_be_wrong(best)).tolist():
            options, prices = self._confusions.of(typed.character(place))
            meant = np.where(np.isin(options, _KEPT_NUMBERS), -np.inf, mended.meant(place, options))
            prices = prices + meant
            likelier = _most(meant, _SINGLE)
            if doubtful[place] or len(likelier):
                slots[place] = Slot(options, prices)
                liked.append(_Way(place, options[likelier, None], prices[likelier]))
        return slots, liked

    def _doubtful(self, numbers: Keys) -> NDArray[np.bool_]:
        """Tell which characters are no known part of a word and surprise, or those after them."""
        doubtful = numbers > 0
        for order, enough in _KNOWN.items():
            counts = self._model.table[order].look_up(ngrams.keys(numbers, order))
            for offset in range(order):
                counts[numbers[offset : offset + len(counts)] == 0] = 0
            for offset in range(order):
                doubtful[offset : offset + len(counts)] &= counts < enough
        expected = self._model.log_probabilities(numbers) > _EXPECTED
        return doubtful & ~(expected[:-1] & expected[1:])

    def _single(self, numbers: Keys, slots: Mapping[int, Slot]) -> Iterator[_Way]:
        """Yield the characters that each may stand for and that go with a neighbour."""
        around = np.concatenate([_END, numbers, _END])
        shift, pairs = np.uint64(BITS), self._model.table[2]
        for place, (options, prices) in slots.items():
            left, right = around[place], around[place + 2]
            both = np.concatenate([(left << shift) | options, (options << shift) | right])
            counts = pairs.look_up(both)
            fits = counts[: len(options)] + counts[len(options) :]
            kept = _most(np.where(options == numbers[place], 0, fits), _SINGLE)
            yield _Way(place, options[kept, None], prices[kept])

    def _double(self, slots: Mapping[int, Slot]) -> Iterator[_Way]:
        """Yield the pairs that two neighbours may stand for, both mistyped."""
        for place in slots:
            if place + 1 in slots:
                first, second = slots[place], slots[place + 1]
                a, b = np.meshgrid(first.options[1:_DOUBLE], second.options[1:_DOUBLE])
                options = np.stack([a.ravel(), b.ravel()], axis=1)
                prices = np.add(*np.meshgrid(first.prices[1:_DOUBLE], second.prices[1:_DOUBLE]))
                counts = self._model.table[2].look_up(ngrams.joined(options))
                kept = _most(counts, _SINGLE)
                yield _Way(place, options[kept], prices.ravel()[kept])

    def _gains(self, numbers: Keys, places: NDArray[np.int_], options: Keys) -> Floats:
        """Return by how much each change moves the logarithm of the text's probability."""
        width, end = options.shape[1], len(numbers)
        line = np.concatenate([np.zeros(3, dtype=np.uint64), numbers, np.zeros(4, dtype=np.uint64)])
        windows = line[places[:, None] + np.arange(width + 6)]
        windows[:, 3 : 3 + width] = options
        after = np.arange(width + 3)  # the characters whose probability may move
        histories = ngrams.joined(np.stack([windows[:, after + k] for k in range(3)], axis=-1))
        moved = self._model.log_probability(histories, windows[:, after + 3])
        before = np.append(self._model.log_probabilities(numbers), np.zeros(4))
        there = places[:, None] + after
        return np.asarray(((moved - before[there]) * (there <= end)).sum(axis=1))

    # Judgement

    def _names(self, typed: _Typed, best: Keys, change: Sequence[int]) -> bool:
        """Tell whether a change gives a word that the documents have for one that is none at all.

        A name of a service or a programme may stand in them a few times only.
        """
        prices = [self._price(typed.character(place), best[place]) for place in change]
        around = slice(max(0, change[0] - 1), change[-1] + 2)
        known = self._model.table[2].look_up(ngrams.keys(typed.numbers[around], 2))
        own = self._own[2].look_up(ngrams.keys(best[around], 2)).max(initial=0)
        share = own / max(self._own[1].look_up(best[list(change)]).min(), 1)
        same = min(prices) == SAME_SOUND
        return bool(same and known.max(initial=0) < 1 and own >= _OWN and share >= _OWN_SHARE)

    def _signs(self, typed: _Typed, best: Keys, change: Sequence[int]) -> dict[str, float]:
        without = best.copy()
        without[change] = typed.numbers[change]
        mended = typed.mended(best)
        signs = {
            "gain": self._model.of_text(best) - self._model.of_text(without),
            "characters": float(len(change)),
            "price": sum(self._price(typed.character(place), best[place]) for place in change),
            "meant": sum(float(typed.meant(p, best[p : p + 1])[0]) for p in change),
            "meant again": -sum(
                float(mended.meant(p, typed.numbers[p : p + 1])[0]) for p in change
            ),
        }
        single = self._model.table[1]
        for when, numbers in (("after", best), ("before", without)):
            for order, name in _RUNS.items():
                signs[f"{name} {when}"] = self._support(numbers, change, order)
            signs[f"character {when}"] = float(np.log1p(single.look_up(numbers[change]).min()))
        return signs | {"": 1.0}

    def _price(self, character: str, number: int) -> float:
        slot = self._confusions.of(character)
        return float(slot.prices[slot.options == number][0])

    def _support(self, numbers: Keys, change: Sequence[int], order: int) -> float:
        """Return how often the n-gram that speaks most for the weakest place was seen, logged."""
        counts = self._model.table[order].look_up(ngrams.keys(numbers, order))
        for offset in range(order):
            counts[numbers[offset : offset + len(counts)] == 0] = 0
        weakest = min(counts[max(0, p - order + 1) : p + 1].max(initial=0) for p in change)
        return float(np.log1p(weakest))


def _may_be_wrong(numbers: Keys) -> NDArray[np.bool_]:
    """Tell which are characters, and neither spoken words nor negations and numbers."""
    wrong = (numbers > 0) & ~np.isin(numbers, [*_SPOKEN_NUMBERS, *_KEPT_NUMBERS])
    last = np.flatnonzero(numbers)[-1:]
    wrong[last] &= ~np.isin(numbers[last], _SPOKEN_LAST_NUMBERS)
    return wrong


_SPOKEN_NUMBERS, _SPOKEN_LAST_NUMBERS = (
    np.array([ngrams.code(c) for c in characters], dtype=np.uint64)
    for characters in (_SPOKEN, _SPOKEN_LAST)
)


def _compact(numbers: Keys) -> list[int]:
    """Return the places of a text in which a run of boundaries is one."""
    first = np.append(True, numbers[:-1] != 0)[: len(numbers)]
    return np.flatnonzero((numbers != 0) | first).tolist()


def _most(counts: Floats, most: int) -> NDArray[np.int_]:
    """Return the places of the highest counts that are above 0."""
    best = np.argsort(-counts)[:most]
    return best[counts[best] > 0]


def _group(places: list[int]) -> list[list[int]]:
    """Put together changes that depend on each other."""
    groups = [places[:1]] if places else []
    for last, place in pairwise(places):
        if place - last <= _APART:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups
