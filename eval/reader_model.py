"""Fits ``assistant.reader``: makes a reader of the embedding model.

``python -m eval.reader_model HOME QUESTIONS [HOME QUESTIONS …]`` takes question sets, searches for
every question, and learns which of the likeliest sentences holds the first of its facts, or that
none does. It needs ``pip install torch``, and the time that it is given: 40 minutes on two cores
with AMX are two rounds of 5,800 questions. ``--start`` learns on from what an earlier run wrote, or
from the mean of several: what is between two that learnt from each other often does better than
either (Wortsman et al. 2022, "Model soups"); with ``--seconds 0`` that is all.
``eval.fitting --reader`` tells what that is worth on questions that it has not seen.
"""

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from assistant.asking import understand
from assistant.lora import tokenizer
from assistant.reader import QUESTION, WEIGHTS, Told
from assistant.reranking import rerank
from assistant.sentences import candidates
from assistant.wording import everyday
from eval.bert import WIDTH, Bert, Steps, save
from eval.fitting import HITS, OFFICIAL_BELOW, labels_of, without_answer
from eval.homes import homes_with
from eval.questions import Question, load_questions
from knowledge.base import KnowledgeBase
from knowledge.embedding import padded
from knowledge.models import default_model
from knowledge.settings import load_settings
from knowledge.types import Hit

RANK = 32
RATE = 1e-3
QUESTIONS = 16  # in a step
# Sentences of a question in a step, beside which the answer is learnt: the likelier, the oftener.
DRAWN, LIKELIER = 5, 0.4
NEAREST = 14
# A sentence with this share of an answer's pairs of characters, or of which the answer has this
# share, may be an answer, too.
ALIKE = 0.6
# What it counts that the others of a question are no answer, beside which of all is the answer.
OTHERS = 0.3
RUN = 28  # pairs of like length that are computed together


@dataclass(frozen=True, slots=True)
class Case:
    """A question beside the sentences that were found for it, likeliest first."""

    question: str
    right: Sequence[Told]
    wrong: Sequence[Told]


def collect(home: Path, path: Path, *, apart: bool) -> Iterator[Case]:
    """Search for every question; one whose answer was not found teaches nothing.

    One in the documents' words teaches twice: also that there is no answer in what is found where
    the documents with the answer are left out. So does any question of a set whose answers stand in
    one document each (``apart``).
    """
    with KnowledgeBase(load_settings(home=home)) as base:
        for question in load_questions(path):
            worded = base.worded(question.question)
            case = _case(base, question, worded, base.search(worded, HITS, rerank=rerank))
            if case.right or not question.answerable:
                yield case
            if question.answerable and (apart or everyday(question.question) < OFFICIAL_BELOW):
                without = _case(base, question, worded, without_answer(base, question, worded))
                if without.wrong and not without.right:
                    yield without


def _case(base: KnowledgeBase, question: Question, worded: str, hits: Sequence[Hit]) -> Case:
    asked = understand(worded, base.term_weights)
    found = [one for passage in candidates(asked, hits) for one in passage]
    labelled = zip(found, labels_of(question, found), strict=True)
    told: tuple[list[Told], list[Told]] = ([], [])
    for one, label in sorted(labelled, key=lambda pair: -pair[0].log_odds):
        if not one.is_furniture:
            told[label].append(Told.of(one.hit, one.start, one.end))
    right, wrong = told[True], told[False][:NEAREST]
    return Case(worded, right, [one for one in wrong if not _is_alike(one, right)])


def _is_alike(told: Told, others: Sequence[Told]) -> bool:
    pairs = _pairs(told)
    return any(
        len(pairs & (of := _pairs(other))) >= ALIKE * max(1, min(len(pairs), len(of)))
        for other in others
    )


def _pairs(told: Told) -> set[str]:
    return {"".join(pair) for pair in pairwise(told.sentence)}


def drawn(case: Case, draw: random.Random) -> tuple[list[Told], list[bool]]:
    """Draw sentences of a case, and tell which hold the answer."""
    right, rest = list(case.right[:2]), list(case.wrong)
    told = list(right)
    while len(told) < DRAWN and rest:
        told.append(rest.pop(min(int(draw.expovariate(LIKELIER)), len(rest) - 1)))
    return told, [True] * len(right) + [False] * (len(told) - len(right))


class Model(Bert):
    """The embedding model as a reader."""

    def __init__(self, folder: Path) -> None:
        """Load the model of a folder; as yet nothing is moved."""
        super().__init__(folder, RANK)
        self._tokenizer = tokenizer(folder)
        self.learn({"head": torch.cat([torch.randn(WIDTH) * 0.02, torch.tensor([-3.0])])})

    def scores(self, pairs: Sequence[tuple[str, Told]]) -> Tensor:
        """Return the score of each question and sentence: shape (pairs,)."""
        tokens = self._tokenizer.encode_batch(
            [(question[:QUESTION], f"{told.before} {told.sentence}") for question, told in pairs]
        )
        order = sorted(range(len(tokens)), key=lambda at: len(tokens[at].ids))
        scores = []
        for start in range(0, len(order), RUN):
            run = [tokens[at] for at in order[start : start + RUN]]
            ids, mask = padded([one.ids for one in run])
            types, _ = padded([one.type_ids for one in run])
            hidden = self.hidden(*(torch.from_numpy(one) for one in (ids, types, mask)))
            scores.append(hidden[:, 0].float() @ self.moved["head"][:-1] + self.moved["head"][-1])
        back = torch.empty(len(order), dtype=torch.long)
        back[torch.tensor(order)] = torch.arange(len(order))
        return torch.cat(scores)[back]


def loss(model: Model, cases: Sequence[Case], draw: random.Random) -> Tensor:
    """Return the mean negative log-likelihood of the answers, or of there being none.

    Where there is one, also of there being none among the other sentences: so a search that
    missed the answer is learnt from, too.
    """
    told = [drawn(case, draw) for case in cases]
    scores = model.scores(
        [(case.question, one) for case, (some, _) in zip(cases, told, strict=True) for one in some]
    )
    total, start = torch.zeros(()), 0
    for _, labels in told:
        own, is_right = scores[start : start + len(labels)], torch.tensor(labels)
        start += len(labels)
        if any(labels):
            total = total + _none(own) - torch.logsumexp(own[is_right], 0)
            total = total + OTHERS * _none(own[~is_right])
        else:
            total = total + _none(own)
    return total / len(cases)


def _none(scores: Tensor) -> Tensor:
    """Return the negative log-likelihood that none of these is the answer."""
    return torch.logsumexp(torch.cat([scores, scores.new_zeros(1)]), 0)


def fit(model: Model, cases: Sequence[Case], seconds: float, seed: int = 1) -> None:
    """Learn for so long."""
    draw = random.Random(seed)  # noqa: S311 - not for secrets
    steps = Steps(model.moved, RATE)
    order: list[Case] = []
    started = time.monotonic()
    while (spent := (time.monotonic() - started) / seconds) < 1:
        if len(order) < QUESTIONS:
            order = draw.sample(cases, len(cases))
        batch, order = order[:QUESTIONS], order[QUESTIONS:]
        lost = loss(model, batch, draw)
        steps.take(lost, spent)
        if steps.taken % 50 == 0:
            rounds = steps.taken * QUESTIONS / len(cases)
            print(f"{spent:.0%}, round {rounds:.1f}: loss {lost.item():.3f}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Learn from all sets, and write."""
    parser = argparse.ArgumentParser(
        prog="python -m eval.reader_model",
        epilog="Example: python -m eval.reader_model home-sample tests/data/lay_questions.jsonl",
    )
    parser.add_argument("--seconds", type=float, default=2400, help="how long to learn")
    help_start = "weights to learn on from; of several, their mean"
    parser.add_argument("--start", type=Path, action="append", default=[], help=help_start)
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="the file to write")
    parser.add_argument(
        "--apart",
        type=Path,
        action="append",
        default=[],
        metavar="QUESTIONS",
        help="one of the sets: what answers its questions stands in one document each",
    )
    sets = homes_with(parser, "QUESTIONS", arguments)
    given = parser.parse_args(arguments)
    if absent := set(given.apart) - {path for _, path in sets}:
        parser.error(
            f"--apart names no set that is given: {', '.join(map(repr, map(str, absent)))}"
        )
    cases = [
        case
        for home, path in (sets if given.seconds else [])
        for case in collect(home, path, apart=path in given.apart)
    ]
    print(f"{len(cases)} questions")
    torch.manual_seed(1)
    model = Model(default_model(load_settings().model_cache))
    if given.start:
        model.take(given.start)
    if given.seconds:
        fit(model, cases, given.seconds)
    save(model.moved, given.out)


if __name__ == "__main__":
    main()
