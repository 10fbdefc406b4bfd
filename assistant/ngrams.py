"""Counts of Chinese character n-grams, and the language model made of them.

Only the unified ideographs U+4E00 to U+9FFF are characters here; any run of other characters is
one boundary. An n-gram is a number: 15 bits for each character, the boundary being 0.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Floats = NDArray[np.float64]

ORDERS = (1, 2, 3, 4)
BITS = 15
HISTORY = np.uint64((1 << 3 * BITS) - 1)  # the three characters that the next one depends on
_FIRST = 0x4E00 - 1
_LAST = 0x9FFF - _FIRST
_BATCH = 1_000_000  # characters counted at once: 8 MB for each order
# The share of each count that is kept for what was not seen; Ney, Essen and Kneser (1994) estimate
# it from the counts; with counts from several sources a constant predicts as well.
_DISCOUNT = 0.8
_STEPS = 4  # counts are kept as logarithms, in quarters of an octave


def code(character: str) -> int:
    """Return the number of a character, 0 for what is no Chinese character."""
    number = ord(character) - _FIRST
    return number if 0 < number <= _LAST else 0


def numbers_of(text: str) -> Keys:
    """Return the number of each of a text's characters."""
    return np.array([code(character) for character in text], dtype=np.uint64)


def character(number: int) -> str:
    """Return the character of a number that is not 0."""
    return chr(number + _FIRST)


def codes(text: str) -> Keys:
    """Return the numbers of a text's characters, each run of boundaries being one."""
    points = np.frombuffer(text.encode("utf-32-le", "replace"), dtype=np.uint32)
    numbers = points.astype(np.int64) - _FIRST
    numbers[(numbers < 1) | (numbers > _LAST)] = 0
    kept = np.ones(len(numbers), dtype=bool)
    kept[1:] = (numbers[1:] != 0) | (numbers[:-1] != 0)
    return numbers[kept].astype(np.uint64)


def keys(numbers: Keys, order: int) -> Keys:
    """Return the n-grams of an order, in the order in which they stand."""
    length = max(0, len(numbers) - order + 1)
    return joined(np.stack([numbers[at : at + length] for at in range(order)], axis=-1))


def joined(numbers: Keys) -> Keys:
    """Return the n-grams whose characters stand along the last axis."""
    result = numbers[..., 0]
    for at in range(1, numbers.shape[-1]):
        result = (result << np.uint64(BITS)) | numbers[..., at]
    return result


@dataclass(frozen=True, slots=True)
class Counts:
    """How often each n-gram of one order was seen; the keys are sorted and unique."""

    keys: Keys
    counts: NDArray[np.float32]

    def look_up(self, wanted: Keys) -> Floats:
        """Return the count of each key, 0 for those not seen."""
        if not len(self.keys):
            return np.zeros(wanted.shape)
        places = np.searchsorted(self.keys, wanted)
        places[places == len(self.keys)] = 0
        found = self.keys[places] == wanted
        return np.where(found, self.counts[places], 0.0).astype(np.float64)


Table = dict[int, Counts]


def count(texts: Iterable[str]) -> Table:
    """Count all n-grams of some texts; none reaches from one text into the next."""
    parts = [_count_batch(batch) for batch in _batches(texts)]
    return merge(*parts) if len(parts) > 1 else (parts or [_count_batch("")])[0]


def _batches(texts: Iterable[str]) -> Iterator[str]:
    batch: list[str] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text)
        if size >= _BATCH:
            yield "\n".join(batch)
            batch, size = [], 0
    if batch:
        yield "\n".join(batch)


def _count_batch(text: str) -> Table:
    numbers = codes(f"\n{text}\n")
    table = {}
    for order in ORDERS:
        found, times = np.unique(keys(numbers, order), return_counts=True)
        table[order] = Counts(found, times.astype(np.float32))
    return table


def merge(*tables: Table) -> Table:
    """Add up tables."""
    return {order: _merge([table[order] for table in tables]) for order in ORDERS}


def _merge(parts: list[Counts]) -> Counts:
    all_keys = np.concatenate([part.keys for part in parts])
    order = np.argsort(all_keys, kind="stable")
    all_keys = all_keys[order]
    starts = np.flatnonzero(np.append(True, all_keys[1:] != all_keys[:-1]))
    counts = np.concatenate([part.counts for part in parts])[order]
    return Counts(all_keys[starts], np.add.reduceat(counts, starts).astype(np.float32))


def weighted(table: Table, weight: float) -> Table:
    """Return the table with every count worth so much."""
    return {
        order: Counts(part.keys, part.counts * np.float32(weight)) for order, part in table.items()
    }


def pruned(table: Table, least: dict[int, float]) -> Table:
    """Return the table without what was seen less often than ``least`` says for its order."""
    result = {}
    for order, part in table.items():
        kept = part.counts >= least.get(order, 0)
        result[order] = Counts(part.keys[kept], part.counts[kept])
    return result


def save(path: Path, table: Table, **more: NDArray[Any]) -> None:
    """Write a table, and other arrays with it, as a compressed file of a few megabytes."""
    arrays = dict(more)
    for order, part in table.items():
        steps = np.diff(part.keys, prepend=np.uint64(0))
        # Byte by byte, the high ones, nearly all 0, are next to each other and pack well.
        arrays[f"keys{order}"] = steps.view(np.uint8).reshape(-1, 8).T.copy()
        logs = np.log2(np.maximum(part.counts, 0.25)) * _STEPS
        arrays[f"counts{order}"] = np.round(logs).clip(-127, 127).astype(np.int8)
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


def load(path: Path) -> tuple[Table, dict[str, NDArray[Any]]]:
    """Read what ``save`` wrote: the table, and the other arrays by name."""
    with np.load(path) as file:
        arrays = dict(file)
    table = {}
    for order in ORDERS:
        steps = arrays.pop(f"keys{order}").T.copy().view(np.uint64).ravel()
        counts = 2.0 ** (arrays.pop(f"counts{order}") / _STEPS)
        table[order] = Counts(np.cumsum(steps, dtype=np.uint64), counts.astype(np.float32))
    return table, arrays


class LanguageModel:
    """The probability of a character after the three before it.

    Interpolated absolute discounting (Ney, Essen and Kneser 1994, "On structuring probabilistic
    dependences in stochastic language modelling"), up to four characters long.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self._total = float(table[1].counts.sum())
        self._after = {order: _followers(table[order]) for order in ORDERS[1:]}

    def log_probability(self, histories: Keys, following: Keys) -> Floats:
        """Return the natural logarithm for each pair.

        Args:
            histories: The last three characters of each state, shape (n,) or (n, 1).
            following: The next characters, of a shape that goes with it.
        """
        probability = (self.table[1].look_up(following) + 0.5) / (self._total + _LAST)
        for order in ORDERS[1:]:
            context = histories & np.uint64((1 << BITS * (order - 1)) - 1)
            seen, kept = self._share(order, context)
            counts = self.table[order].look_up((context << np.uint64(BITS)) | following)
            probability = np.maximum(counts - _DISCOUNT, 0) * seen + kept * probability
        return np.asarray(np.log(probability))

    def log_probabilities(self, numbers: Keys) -> Floats:
        """Return the natural logarithm for each character of a text, and for its end."""
        line = np.concatenate([np.zeros(3, dtype=np.uint64), numbers, np.zeros(1, dtype=np.uint64)])
        return self.log_probability(keys(line, 3)[:-1], line[3:])

    def of_text(self, numbers: Keys) -> float:
        """Return the natural logarithm of a text's probability; a run of boundaries is one."""
        zero = np.zeros(1, dtype=np.uint64)
        line = np.concatenate([zero, zero, zero, numbers, zero])
        doubled = (line[3:] == 0) & (line[2:-1] == 0)
        line = np.concatenate([line[:3], line[3:][~doubled]])
        return float(self.log_probability(keys(line, 3)[:-1], line[3:]).sum())

    def _share(self, order: int, context: Keys) -> tuple[Floats, Floats]:
        """Return what a count weighs after each context, and the share of the shorter ones."""
        contexts, totals, kinds = self._after[order]
        places = np.searchsorted(contexts, context)
        places[places == len(contexts)] = 0
        known = contexts[places] == context
        total = totals[places]
        kept = np.clip(_DISCOUNT * kinds[places] / total, 1e-3, 1.0)
        return np.where(known, 1 / total, 0.0), np.where(known, kept, 1.0)


def _followers(part: Counts) -> tuple[Keys, Floats, Floats]:
    """Return the contexts, the sum of the counts after each, and how many different ones."""
    contexts = part.keys >> np.uint64(BITS)
    starts = np.flatnonzero(np.append(True, contexts[1:] != contexts[:-1]))
    kinds = np.diff(np.append(starts, len(contexts))).astype(np.float64)
    totals = np.add.reduceat(part.counts.astype(np.float64), starts)
    return contexts[starts], totals, kinds
