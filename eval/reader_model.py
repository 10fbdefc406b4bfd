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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx.numpy_helper import to_array
from torch import Tensor
from torch.nn import functional

from assistant.asking import understand
from assistant.reader import QUESTION, WEIGHTS, Told
from assistant.reranking import rerank
from assistant.sentences import candidates
from eval.fitting import HITS, labels_of
from eval.homes import homes_with
from eval.questions import load_questions
from knowledge.base import KnowledgeBase
from knowledge.embedding import padded
from knowledge.models import default_model
from knowledge.settings import load_settings

LAYERS, HEADS, WIDTH = 4, 8, 512
RANK = 32
RATE, DECAY, LONGEST_SLOPE = 1e-3, 0.01, 1.0
WARMING = 50  # steps until the full rate, which falls to zero by the end
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

Weights = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Case:
    """A question beside the sentences that were found for it, likeliest first."""

    question: str
    right: Sequence[Told]
    wrong: Sequence[Told]


def collect(home: Path, path: Path) -> Iterator[Case]:
    """Search for every question; one whose answer was not found teaches nothing."""
    with KnowledgeBase(load_settings(home=home)) as base:
        for question in load_questions(path):
            worded = base.worded(question.question)
            asked = understand(worded, base.term_weights)
            hits = base.search(worded, HITS, rerank=rerank)
            found = [one for passage in candidates(asked, hits) for one in passage]
            labelled = sorted(
                zip(found, labels_of(question, found), strict=True),
                key=lambda one: -one[0].log_odds,
            )
            told: tuple[list[Told], list[Told]] = ([], [])
            for one, label in labelled:
                if not one.is_furniture:
                    told[label].append(Told.of(one.hit, one.start, one.end))
            right, wrong = told[True], told[False][:NEAREST]
            if right or not question.answerable:
                yield Case(worded, right, [one for one in wrong if not _is_alike(one, right)])


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


class Model:
    """The embedding model as a reader.

    Attributes:
        fixed: Its matrices, by the names of the ONNX graph.
        moved: What is learnt, named as ``assistant.reader.moved`` takes it.
    """

    def __init__(self, folder: Path) -> None:
        """Load the model of a folder; as yet nothing is moved."""
        from tokenizers import Tokenizer

        graph = onnx.load(folder / "model.onnx").graph
        arrays = {tensor.name: to_array(tensor) for tensor in graph.initializer}
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self.fixed, self.moved = dict[str, Tensor](), dict[str, Tensor]()
        for name in (name for name in arrays if name.endswith("_quantized")):
            of = name.removesuffix("_quantized")
            zero = arrays[f"{of}_zero_point"].astype(np.float32)
            values = torch.tensor((arrays[name] - zero) * arrays[f"{of}_scale"])
            if "MatMul" not in name:
                self.fixed[of.split(".")[1]] = values
                continue
            self.fixed[of] = values.T.contiguous().bfloat16()
            self.moved[f"{of}/down"] = torch.randn(RANK, values.shape[0]) * 0.02
            self.moved[f"{of}/up"] = torch.zeros(values.shape[1], RANK)
        self.matrices = sorted(
            (name for name in self.fixed if "MatMul" in name), key=lambda name: int(name[14:])
        )
        for name, array in arrays.items():
            if name.endswith((".bias", "LayerNorm.weight")):
                self.moved[name] = torch.tensor(array)
        self.moved["head"] = torch.cat([torch.randn(WIDTH) * 0.02, torch.tensor([-3.0])])
        for weights in self.moved.values():
            weights.requires_grad_()

    def take(self, paths: Sequence[Path]) -> None:
        """Go on from the mean of weights that ``save`` wrote.

        That of two products has twice the rank; what is nearest to it with ours is taken (Eckart
        and Young 1936).
        """
        read = [_load(path) for path in paths]
        with torch.no_grad():
            for name, weights in self.moved.items():
                of = name.removesuffix("/up")
                if of != name:
                    mean = _mean([one[name] @ one[f"{of}/down"] for one in read])
                    left, sizes, right = torch.linalg.svd(mean, full_matrices=False)
                    root = sizes[:RANK].sqrt()
                    weights.copy_(left[:, :RANK] * root)
                    self.moved[f"{of}/down"].copy_(root[:, None] * right[:RANK])
                elif not name.endswith("/down"):
                    weights.copy_(_mean([one[name] for one in read]))

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
            first = self._first(*(torch.from_numpy(one) for one in (ids, types, mask)))
            scores.append(first @ self.moved["head"][:-1] + self.moved["head"][-1])
        back = torch.empty(len(order), dtype=torch.long)
        back[torch.tensor(order)] = torch.arange(len(order))
        return torch.cat(scores)[back]

    def _first(self, ids: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        """Return the vectors of the first tokens: BERT (Devlin et al. 2019)."""
        fixed = self.fixed
        x = fixed["word_embeddings"][ids] + fixed["token_type_embeddings"][types]
        x = self._norm("embeddings", x + fixed["position_embeddings"][: ids.shape[1]])
        hidden = (1 - mask[:, None, None].float()).bfloat16() * -1e4
        with torch.autocast("cpu", dtype=torch.bfloat16):
            for layer in range(LAYERS):
                x = self._layer(layer, x, hidden)
        return x[:, 0].float()

    def _layer(self, layer: int, x: Tensor, hidden: Tensor) -> Tensor:
        at = f"encoder.layer.{layer}"
        query, key, value, out, wide, narrow = self.matrices[6 * layer : 6 * layer + 6]
        read = x.bfloat16()  # once, not by each matrix

        def heads(matrix: str, name: str) -> Tensor:
            y = self._linear(matrix, f"{at}.attention.self.{name}", read)
            return y.view(*x.shape[:2], HEADS, WIDTH // HEADS).transpose(1, 2)

        near = heads(query, "query") @ heads(key, "key").transpose(2, 3)
        near = torch.softmax(near * (WIDTH / HEADS) ** -0.5 + hidden, -1, dtype=torch.bfloat16)
        seen = (near @ heads(value, "value")).transpose(1, 2).reshape(x.shape)
        seen = self._linear(out, f"{at}.attention.output.dense", seen)
        x = self._norm(f"{at}.attention.output", x + seen)
        inner = functional.gelu(self._linear(wide, f"{at}.intermediate.dense", x.bfloat16()))
        return self._norm(f"{at}.output", x + self._linear(narrow, f"{at}.output.dense", inner))

    def _linear(self, matrix: str, name: str, x: Tensor) -> Tensor:
        moved = self.moved
        by = functional.linear(functional.linear(x, moved[f"{matrix}/down"]), moved[f"{matrix}/up"])
        return functional.linear(x, self.fixed[matrix], moved[f"{name}.bias"]) + by

    def _norm(self, name: str, x: Tensor) -> Tensor:
        weight, bias = (self.moved[f"{name}.LayerNorm.{of}"] for of in ("weight", "bias"))
        return functional.layer_norm(x.float(), (WIDTH,), weight, bias, 1e-12)


def _load(path: Path) -> Weights:
    with np.load(path) as file:
        return {name: torch.from_numpy(file[name]).float() for name in file.files}


def _mean(tensors: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(tensors)).mean(0)


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
    """Learn for so long (AdamW: Loshchilov and Hutter 2019)."""
    draw = random.Random(seed)  # noqa: S311 - not for secrets
    weights = list(model.moved.values())
    steps = torch.optim.AdamW(weights, RATE, betas=(0.9, 0.98), weight_decay=DECAY)
    order: list[Case] = []
    started, step = time.monotonic(), 0
    while (spent := (time.monotonic() - started) / seconds) < 1:
        if len(order) < QUESTIONS:
            order = draw.sample(cases, len(cases))
        batch, order = order[:QUESTIONS], order[QUESTIONS:]
        step += 1
        steps.param_groups[0]["lr"] = RATE * min(1, step / WARMING) * (1 - spent)
        lost = loss(model, batch, draw)
        lost.backward()
        torch.nn.utils.clip_grad_norm_(weights, LONGEST_SLOPE)
        steps.step()
        steps.zero_grad()
        if step % 50 == 0:
            print(f"{spent:.0%}, round {step * QUESTIONS / len(cases):.1f}: loss {lost.item():.3f}")


def save(moved: Mapping[str, Tensor], path: Path) -> None:
    """Write what was learnt, in half the bits."""
    arrays = {name: of.detach().numpy().astype(np.float16) for name, of in moved.items()}
    np.savez_compressed(path, **arrays)


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
    sets = homes_with(parser, "QUESTIONS", arguments)
    given = parser.parse_args(arguments)
    cases = [case for one in (sets if given.seconds else []) for case in collect(*one)]
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
