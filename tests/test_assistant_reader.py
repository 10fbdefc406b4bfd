import numpy as np
import pytest

from assistant.lora import moved
from assistant.reader import BEFORE, SENTENCE, Reader, Told
from knowledge.embedding import session
from knowledge.models import default_model
from knowledge.settings import load_settings
from knowledge.types import Document, Hit, Passage

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def folder():
    return default_model(load_settings().model_cache)


@pytest.fixture(scope="module")
def reader(folder):
    return Reader(lambda: folder)


QUESTIONS = [
    (
        "补贴一个月发多少钱",
        "符合条件的，每人每月补贴300元。",
        ["申请人应当年满60周岁。", "补贴由县级民政部门负责发放。", "本办法自2024年起施行。"],
    ),
    (
        "几天能办好",
        "受理后5个工作日内办结。",
        ["申请材料应当真实有效。", "不收取任何费用。", "可以委托他人代为办理。"],
    ),
]


@pytest.mark.parametrize(("question", "answer", "others"), QUESTIONS)
def test_the_sentence_that_answers_scores_best(reader, question, answer, others):
    told = [Told("某市补贴和证件管理办法\n", sentence) for sentence in (*others, answer)]
    scores = reader.read(question, told)
    assert scores.index(max(scores)) == len(others)


def test_nothing_to_read(reader):
    assert reader.read("补贴多少", []) == []


def test_what_a_sentence_is_read_with():
    text = "一、对象\n" + "年满60周岁的老人。" * 5 + "每人每月300元" + "，按月发放" * 30
    document = Document("1", "高龄津贴发放办法", "", "a.md")
    hit = Hit(1, 1.0, 0.5, 1.0, Passage(text, 0, len(text), ("总则", "标准")), document)
    start = text.index("每人")
    told = Told.of(hit, start, len(text))
    assert told.before == f"高龄津贴发放办法 标准\n{text[start - BEFORE : start]}"
    assert told.sentence == text[start : start + SENTENCE]


def test_a_graph_that_is_moved_nowhere_tells_the_same(folder):
    path = folder / "model.onnx"
    name = "onnx::MatMul_541"
    nowhere = {f"{name}/down": np.zeros((4, 512)), f"{name}/up": np.zeros((512, 4))}
    ids = np.array([[101, 1062, 4916, 7032, 102]], np.int64)
    feed = {"input_ids": ids, "attention_mask": ids**0, "token_type_ids": 0 * ids}
    before, after = (
        session(graph).run(None, feed)[0] for graph in (str(path), moved(path, nowhere))
    )
    np.testing.assert_allclose(before, after, atol=1e-4)
