"""Rebuild ``assistant/intents.npz``, the weights that tell what is not to be answered.

Fitted on ``eval/intent_examples.txt`` and questions of ``eval/answer_type_examples.txt`` and of
``eval/reader_examples.tsv``, all in our own words, and on every other row of the question files
given; the rows between, and the examples that the reader was not taught with, are what the figures
that it prints are measured on::

    python -m eval.intent_model --answer datasets/pandemic/questions.jsonl
        --answer datasets/laws/queries.jsonl --refuse questions/harmful.jsonl

No text is kept in the weights: n-grams are hashed.
"""

import argparse
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant.intents import (
    BUCKETS,
    NAMES,
    OFFENCES,
    VECTOR_SCALE,
    Floats,
    Name,
    Weights,
    buckets,
    save,
)
from eval import answer_type_model, reader_examples
from eval.questions import read_rows
from knowledge.embedding import load_embeddings
from knowledge.settings import load_settings

EXAMPLES = Path(__file__).with_name("intent_examples.txt")
# Texts made of each line; questions that are to be answered vary most.
_OF_LINE = 30
_OF_LINE_OK = 40
_L2 = 1e-5  # the penalty on the weights that did best
_THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_CHOICES = re.compile(r"\(([^()]*)\)")

Encode = Callable[[Sequence[str]], Floats]
Matrix = Any  # scipy.sparse has no types


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts, with what each of them is."""

    texts: tuple[str, ...]
    names: tuple[Name, ...]

    def __add__(self, other: "Labelled") -> "Labelled":
        return Labelled(self.texts + other.texts, self.names + other.names)


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, write the file in its place in the package, and print what would be refused."""
    parser = argparse.ArgumentParser(prog="python -m eval.intent_model")
    parser.add_argument("--answer", type=Path, action="append", default=[], metavar="FILE")
    parser.add_argument("--refuse", type=Path, action="append", default=[], metavar="FILE")
    given = parser.parse_args(arguments)
    rebuild(given.answer, given.refuse, load_embeddings(load_settings()).encode)


def rebuild(answer: Sequence[Path], refuse: Sequence[Path], encode: Encode) -> None:
    """Fit both models and print the figures of each."""
    rows = {path: _questions(path) for path in (*answer, *refuse)}
    learnt = examples(EXAMPLES) + citizens_questions() + readers_questions("taught")
    for path, texts in rows.items():
        name: Name = "ok" if path in answer else "not_allowed"
        learnt += Labelled(texts[::2], (name,) * len(texts[::2]))
    vectors = encode(learnt.texts)
    both, grams = fit(learnt, vectors), fit(learnt, None)
    save(both, grams)
    measured = {path.name: texts[1::2] for path, texts in rows.items()}
    measured[reader_examples.EXAMPLES.name] = readers_questions("held").texts
    for file, texts in measured.items():
        print(file, "both", _refused([*map(both.probabilities, texts, encode(texts))]))
        print(file, "grams", _refused([grams.probabilities(text, None) for text in texts]))


def _questions(path: Path) -> tuple[str, ...]:
    problems: list[str] = []
    rows = [row.fields for row in read_rows(path, problems)]
    if problems:
        raise SystemExit("\n".join(problems))
    return tuple(str(row.get("question") or row["text"]) for row in rows)


def _refused(likely: Sequence[Floats]) -> str:
    refused = 1 - np.array(likely)[:, 0]
    return json.dumps({t: round(float(np.mean(refused >= t)), 4) for t in _THRESHOLDS})


# -- examples


def examples(path: Path) -> Labelled:
    """Make texts of the lines of examples: the same ones each time."""
    lists: dict[str, list[str]] = {"act": OFFENCES}
    classes: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            if line[0] + line[-1] in ("<>", "[]"):
                of = lists if line[0] == "<" else classes
                lines = of.setdefault(line[1:-1], [])
            else:
                lines.append(line)
    made = Labelled((), ())
    for name in NAMES:
        texts = [text for line in classes[name] for text in _texts(line, lists, name)]
        made += Labelled(tuple(texts), (name,) * len(texts))
    return made


def citizens_questions() -> Labelled:
    """Take every fourth question of ``eval.answer_type_model``: all would outweigh what harms."""
    of = [question for matter in answer_type_model.examples() for question in matter.asked]
    texts, ok = tuple(of[::4]), NAMES[0]
    return Labelled(texts, (ok,) * len(texts))


def readers_questions(part: str) -> Labelled:
    """Take every third question that is put to the reader: all would outweigh what harms."""
    of = [example.question for example in reader_examples.examples() if example.part == part]
    texts, ok = tuple(of[::3]), NAMES[0]
    return Labelled(texts, (ok,) * len(texts))


def _texts(line: str, lists: Mapping[str, Sequence[str]], name: Name) -> Iterator[str]:
    """Yield different texts made of a line, as far as it has as many."""
    chance = random.Random(line)  # noqa: S311
    most = _OF_LINE_OK if name == "ok" else _OF_LINE
    made = (_text(line, lists, chance) for _ in range(3 * most))
    yield from sorted(dict.fromkeys(made))[:most]


def _text(line: str, lists: Mapping[str, Sequence[str]], chance: random.Random) -> str:
    line = re.sub(r"\{(\w+)\}", lambda found: chance.choice(lists[found[1]]), line)
    while _CHOICES.search(line):
        line = _CHOICES.sub(lambda found: chance.choice(found[1].split("|")), line)
    return line


# -- fit


def fit(learnt: Labelled, vectors: Floats | None) -> Weights:
    """Fit a multinomial logistic regression."""
    from scipy import sparse

    parts = [_hashed(learnt.texts)]
    mean = np.zeros(0, np.float32)
    if vectors is not None:
        mean = vectors.mean(axis=0)
        parts.append(sparse.csr_matrix((vectors - mean) * VECTOR_SCALE))
    labels = np.array([NAMES.index(name) for name in learnt.names])
    weights, bias = _minimise(sparse.hstack(parts).tocsr(), labels)
    return Weights(weights[:BUCKETS], weights[BUCKETS:], mean, bias)


def _hashed(texts: Sequence[str]) -> Matrix:
    from scipy import sparse

    found = [buckets(text) for text in texts]
    rows = np.repeat(np.arange(len(texts)), [len(one) for one in found])
    values = np.concatenate([np.full(len(one), len(one) ** -0.5) for one in found])
    return sparse.csr_matrix((values, (rows, np.concatenate(found))), (len(texts), BUCKETS))


def _minimise(features: Matrix, labels: np.ndarray) -> tuple[Floats, Floats]:
    from scipy.optimize import minimize

    classes = len(NAMES)
    right = np.eye(classes)[labels]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights, bias = flat[:-classes].reshape(-1, classes), flat[-classes:]
        sums = features @ weights + bias
        sums -= sums.max(axis=1, keepdims=True)
        logs = sums - np.log(np.exp(sums).sum(axis=1, keepdims=True))
        wrong = (np.exp(logs) - right) / len(labels)
        value = -(right * logs).sum() / len(labels) + _L2 * (weights**2).sum() / 2
        slope = features.T @ wrong + _L2 * weights
        return value, np.concatenate([slope.ravel(), wrong.sum(axis=0)])

    start = np.zeros((features.shape[1] + 1) * classes)
    flat = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    flat = flat.astype(np.float32)
    return flat[:-classes].reshape(-1, classes), flat[-classes:]


if __name__ == "__main__":
    main()
