"""Rebuild ``assistant/answer_types.npz``, the weights that tell what of a matter is asked for.

``python -m eval.answer_type_model`` learns from ``eval/answer_type_examples.txt`` and prints how
often the right sentence of some ten about one matter is chosen, on each quarter of the matters
with weights of the other three. For each question the likelihood of the right sentence among those
of its matter is raised (a softmax), by Adam (Kingma & Ba 2015) with a ridge penalty.
"""

import argparse
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.answer_types import BITS, Floats, Weights, buckets, save

EXAMPLES = Path(__file__).with_name("answer_type_examples.txt")
PARTS = 4
DIMENSIONS = 16
# How forms and officials ask for a kind, of "{}", the matter.
FORMAL = {
    "office": ("{}由哪个部门负责", "{}的主管部门", "{}归谁管", "{}由谁审批"),
    "where": ("{}的办理地点", "{}在哪里办理", "{}的受理机构和地址", "{}去哪里申请", "{}办理渠道"),
    "who": ("{}的申请对象", "哪些人可以申请{}", "{}的适用范围", "谁可以办理{}"),
    "condition": ("{}的条件", "{}需要符合什么条件", "{}的申请条件是什么", "{}有什么要求"),
    "materials": ("{}需要什么材料", "{}的申请材料", "{}要提交哪些材料", "{}要带什么证件"),
    "steps": ("{}的流程", "{}怎么办理", "{}的办理流程是什么", "{}的步骤", "如何办理{}"),
    "apply_time": ("{}的申请时间", "{}什么时候申请", "{}的申请期限", "{}截止时间"),
    "process_time": ("{}的办理时限", "{}多久能办好", "{}的审批时间", "{}几个工作日办结"),
    "duration": ("{}的有效期", "{}的期限是多长", "{}有效期几年", "{}可以享受多久"),
    "amount": ("{}的标准", "{}有多少钱", "{}的补贴金额", "{}的额度是多少", "{}比例是多少"),
    "fee": ("{}的收费标准", "{}收费吗", "{}要交多少费用", "{}的费用"),
    "count": ("{}有多少", "{}的数量", "{}有几个", "{}的规模"),
    "definition": ("什么是{}", "{}是什么意思", "{}是什么", "{}的含义"),
    "list": ("{}包括哪些", "{}有哪些内容", "{}有哪几项", "{}的种类"),
    "consequence": ("{}违规怎么处罚", "违反{}规定的后果", "{}的处罚标准", "{}不按规定办会怎样"),
    "end": ("{}什么情况下停止", "哪些情形不予办理{}", "{}的取消条件", "{}什么时候停发"),
    "phone": ("{}的咨询电话", "{}打什么电话", "{}的联系方式"),
    "hours": ("{}的办理时间", "{}几点上班", "{}的开放时间"),
    "since": ("{}从什么时候开始", "{}的施行日期", "{}何时成立"),
    "reason": ("为什么要{}", "{}的目的是什么", "{}的意义"),
    "remedy": ("{}有异议怎么办", "{}办错了怎么补救", "对{}不服如何申诉"),
    "duty": ("{}有哪些义务", "{}要注意什么", "{}不得有哪些行为"),
}
_STEPS = 100
_RATE = 0.05
_DECAYS = 0.9, 0.99
_L2 = 1e-4
_START = 0.1

Matrix = Any  # scipy.sparse has no types


@dataclass(frozen=True, slots=True)
class Matter:
    """Sentences about one matter, and the questions that each alone answers."""

    name: str
    sentences: tuple[str, ...]
    questions: tuple[tuple[str, ...], ...]

    @property
    def asked(self) -> Iterator[str]:
        """All questions about it."""
        return chain.from_iterable(self.questions)


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, write the file in its place in the package, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m eval.answer_type_model")
    parser.parse_args(arguments)
    matters = examples()
    chosen = [_held_out(matters, part) for part in range(PARTS)]
    print(f"{len(matters)} matters, right sentence chosen: {np.mean(chosen):.3f}")
    save(fit(matters))


def examples(path: Path = EXAMPLES) -> list[Matter]:
    """Read the examples."""
    matters = []
    for block in path.read_text(encoding="utf-8").split("\n## ")[1:]:
        name, *lines = block.strip().splitlines()
        rows = [line.split("\t") for line in lines if line]
        kinds = [row[0] for row in rows]
        questions = tuple(
            (*row[2].split(" | "), *(_formal(name, row[0]) if kinds.count(row[0]) == 1 else ()))
            for row in rows
        )
        matters.append(Matter(name, tuple(row[1] for row in rows), questions))
    return matters


def _formal(name: str, kind: str) -> Iterator[str]:
    """Ask formally for the one sentence of a kind; the same for a matter each time."""
    if forms := FORMAL.get(kind):
        yield forms[zlib.crc32(name.encode()) % len(forms)].format(name)


def _held_out(matters: Sequence[Matter], part: int) -> float:
    others = [matter for at, matter in enumerate(matters) if at % PARTS != part]
    return accuracy(fit(others), matters[part::PARTS])


def accuracy(weights: Weights, matters: Sequence[Matter]) -> float:
    """Return the share of the questions whose sentence scores highest of its matter."""
    cases = _Cases.of(matters)
    scores = cases.scores(cases.questions @ weights.question, cases.sentences @ weights.sentence)
    return float(np.mean(scores.argmax(axis=1) == cases.right))


@dataclass(frozen=True, slots=True)
class _Cases:
    """Questions, and the sentences that each is put beside: rows of ``sentences``."""

    questions: Matrix
    sentences: Matrix
    beside: NDArray[np.int64]  # of shape (questions, most sentences of a matter); -1: none
    right: NDArray[np.int64]  # which of those

    @classmethod
    def of(cls, matters: Sequence[Matter]) -> "_Cases":
        most = max(len(matter.sentences) for matter in matters)
        questions: list[str] = []
        sentences: list[str] = []
        beside, right = [], []
        for matter in matters:
            first, count = len(sentences), len(matter.sentences)
            sentences += matter.sentences
            row = [*range(first, first + count), *[-1] * (most - count)]
            for at, of_sentence in enumerate(matter.questions):
                questions += of_sentence
                beside += [row] * len(of_sentence)
                right += [at] * len(of_sentence)
        return cls(_bags(questions), _bags(sentences), np.array(beside), np.array(right))

    def scores(self, asked: Floats, said: Floats) -> Floats:
        scores = np.einsum("qd,qsd->qs", asked, said[self.beside])
        return np.where(self.beside < 0, np.float32(-1e9), scores)


def _bags(texts: Sequence[str]) -> Matrix:
    from scipy import sparse

    found = [buckets(text) for text in texts]
    rows = np.repeat(np.arange(len(texts)), [len(one) for one in found])
    values = np.concatenate([np.full(len(one), len(one) ** -0.5, np.float32) for one in found])
    return sparse.csr_matrix((values, (rows, np.concatenate(found))), (len(texts), 1 << BITS))


def fit(matters: Sequence[Matter]) -> Weights:
    """Learn the weights; the same ones each time."""
    cases = _Cases.of(matters)
    chance = np.random.default_rng(0)
    shape = (1 << BITS, DIMENSIONS)
    weights = [chance.normal(0, _START, shape).astype(np.float32) for _ in range(2)]
    first, second = ([np.zeros(shape, np.float32) for _ in weights] for _ in _DECAYS)
    for step in range(1, _STEPS + 1):
        for at, slope in enumerate(_slopes(cases, *weights)):
            first[at] += (1 - _DECAYS[0]) * (slope - first[at])
            second[at] += (1 - _DECAYS[1]) * (slope**2 - second[at])
            mean, square = (
                first[at] / (1 - _DECAYS[0] ** step),
                second[at] / (1 - _DECAYS[1] ** step),
            )
            weights[at] -= _RATE * mean / (np.sqrt(square) + 1e-8)
    question, sentence = weights
    said = cases.sentences @ sentence
    return Weights(question, sentence, said.mean(axis=0), np.cov(said.T).astype(np.float32))


def _slopes(cases: _Cases, question: Floats, sentence: Floats) -> tuple[Floats, Floats]:
    asked, said = cases.questions @ question, cases.sentences @ sentence
    scores = cases.scores(asked, said)
    wrong = np.exp(scores - scores.max(axis=1, keepdims=True))
    wrong /= wrong.sum(axis=1, keepdims=True)
    wrong[np.arange(len(wrong)), cases.right] -= 1
    wrong /= len(wrong)
    of_asked = np.einsum("qs,qsd->qd", wrong, said[cases.beside])
    of_said = np.zeros_like(said)
    np.add.at(of_said, cases.beside, wrong[:, :, None] * asked[:, None, :])
    return (
        cases.questions.T @ of_asked + _L2 * question,
        cases.sentences.T @ of_said + _L2 * sentence,
    )


if __name__ == "__main__":
    main()
