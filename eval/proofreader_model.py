"""Fits ``assistant.proofreader``: makes a proofreader of the embedding model.

``python -m eval.proofreader_model DOCUMENTS… --questions SET`` takes the sentences of documents and
of question sets, confuses characters in them as people do (one that sounds the same, nearly so, or
looks alike; the commoner and the better beside its neighbours, the oftener), and learns what stood
there. It needs ``pip install torch``, and the time that it is given.
``eval.typo_signs`` tells what that is worth.
"""

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from assistant.lora import tokenizer
from assistant.proofreader import WEIGHTS, known, single
from eval.bert import KIND, WIDTH, Bert, Steps, save
from eval.confuser import Confuser, asked, sentences
from knowledge.embedding import padded
from knowledge.models import default_model
from knowledge.settings import load_settings

RANK = 64
RATE = 1e-3
TOKENS = 4096  # in a step
POOL = 4000  # texts that are sorted by their lengths, so that little is computed on padding
CLEAN = 0.2  # of the sentences have no typo
CHECKED = 0.25  # of the characters that are right are learnt from, too


class Model(Bert):
    """The embedding model as a proofreader."""

    def __init__(self, folder: Path) -> None:
        """Load the model of a folder; as yet nothing is moved."""
        super().__init__(folder, RANK)
        self._tokenizer = tokenizer(folder)
        self._known = torch.from_numpy(known(self._tokenizer))
        self._rows = torch.full((self._tokenizer.get_vocab_size(),), -1)
        self._rows[self._known[:, 1]] = torch.arange(len(self._known))
        self._characters = self.fixed["word_embeddings"][self._known[:, 1]].to(KIND)
        self.learn(
            {
                "meant": torch.eye(WIDTH) + torch.randn(WIDTH, WIDTH) * 0.02,
                "meant.bias": torch.zeros(WIDTH),
                "meant.LayerNorm.weight": torch.ones(WIDTH),
                "meant.LayerNorm.bias": torch.zeros(WIDTH),
                "characters.bias": torch.zeros(len(self._known)),
            }
        )

    def lost(self, pairs: Sequence[tuple[str, str]], draw: np.random.Generator) -> Tensor:
        """Return the mean negative log-likelihood of characters.

        Args:
            pairs: Sentences as typed and as meant.
            draw: Draws the characters that are right from which is learnt, too.
        """
        typed = self._tokenizer.encode_batch([pair[0] for pair in pairs])
        ids, mask = (torch.from_numpy(one) for one in padded([one.ids for one in typed]))
        rows, columns, meant = [], [], []
        for row, (tokens, (wrong, right)) in enumerate(zip(typed, pairs, strict=True)):
            for place, at in single(tokens, wrong).items():
                if wrong[place] != right[place] or draw.random() < CHECKED:
                    rows.append(row)
                    columns.append(at)
                    meant.append(self._tokenizer.token_to_id(right[place]) or 0)
        wanted = self._rows[torch.tensor(meant)]
        hidden = self.hidden(ids, torch.zeros_like(ids), mask)[rows, columns][wanted >= 0]
        return functional.cross_entropy(self._scores(hidden), wanted[wanted >= 0])

    def _scores(self, hidden: Tensor) -> Tensor:
        x = functional.linear(hidden.float(), self.moved["meant"], self.moved["meant.bias"])
        x = self.norm("meant", functional.gelu(x, approximate="tanh"))
        return (x.to(KIND) @ self._characters.T).float() + self.moved["characters.bias"]


def batches(kinds: Sequence[Sequence[str]], draw: random.Random) -> Iterator[list[str]]:
    """Yield texts of like length, for ever; of each kind as many."""
    while True:
        most = POOL // len(kinds)
        pool = [text for texts in kinds for text in draw.sample(texts, min(most, len(texts)))]
        pool.sort(key=len)
        steps: list[list[str]] = [[]]
        for text in pool:
            if (len(steps[-1]) + 1) * (len(text) + 2) > TOKENS:
                steps.append([])
            steps[-1].append(text)
        draw.shuffle(steps)
        yield from steps


def fit(model: Model, kinds: Sequence[Sequence[str]], seconds: float, seed: int = 1) -> None:
    """Learn for so long."""
    confuser, draw = Confuser(seed, CLEAN), np.random.default_rng(seed)
    steps = Steps(model.moved, RATE)
    started, told = time.monotonic(), 0.0
    for batch in batches(kinds, random.Random(seed)):  # noqa: S311 - not for secrets
        spent = (time.monotonic() - started) / seconds
        if spent >= 1:
            break
        lost = model.lost([(confuser.confused(text), text) for text in batch], draw)
        steps.take(lost, spent)
        told = 0.98 * told + 0.02 * lost.item()
        if steps.taken % 50 == 0:
            mean = told / (1 - 0.98**steps.taken)
            print(f"{spent:.0%}, step {steps.taken}: loss {mean:.3f}", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Learn, and write."""
    parser = argparse.ArgumentParser(
        prog="python -m eval.proofreader_model",
        epilog="Example: python -m eval.proofreader_model policies --questions asked.jsonl",
    )
    parser.add_argument("documents", type=Path, nargs="+", help="files or folders")
    parser.add_argument("--questions", type=Path, nargs="*", default=[], help="question sets")
    parser.add_argument("--seconds", type=float, default=3000, help="how long to learn")
    help_start = "weights to learn on from; of several, their mean"
    parser.add_argument("--start", type=Path, action="append", default=[], help=help_start)
    parser.add_argument("--seed", type=int, default=1, help="another one for learning on")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="the file to write")
    given = parser.parse_args(arguments)
    kinds = [texts for texts in (sentences(given.documents), asked(given.questions)) if texts]
    print(*map(len, kinds), "sentences, questions", flush=True)
    torch.manual_seed(1)
    model = Model(default_model(load_settings().model_cache))
    if given.start:
        model.take(given.start)
    if kinds and given.seconds:
        fit(model, kinds, given.seconds, given.seed)
    save(model.moved, given.out)


if __name__ == "__main__":
    main()
