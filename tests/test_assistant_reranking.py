"""Which of the passages about one matter comes first: the one that says what is asked for."""

import pytest

from assistant.chain import Assistant
from assistant.reranking import rerank
from knowledge.base import KnowledgeBase
from knowledge.settings import load_settings
from knowledge.types import Document

TEXT = """# 老年饭堂怎么用

## 谁可以来吃

年满六十周岁、户口在本镇的老人都可以到老年饭堂用餐。用餐的老人要先登记，由村里统一报名。

## 吃一顿要付多少

每顿午餐老人自己付五元，镇里补贴四元；八十岁以上的老人免费。

## 出了问题找谁

对老年饭堂的饭菜有意见的，可以向镇民政办反映，由民政办两天内答复。
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    with KnowledgeBase(load_settings(home=tmp_path_factory.mktemp("home"))) as made:
        made.add(Document("饭堂", "老年饭堂怎么用", TEXT, "/docs/canteen.md"))
        yield made


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("老年饭堂一顿多少钱", "五元"),
        ("老年饭堂谁能去吃", "年满六十周岁"),
        ("老年饭堂不好吃找谁说", "民政办"),
    ],
)
def test_the_passage_that_says_what_is_asked_for_comes_first(base, question, said):
    assert said in base.search(question, 3, rerank=rerank)[0].passage.text
    assert said in Assistant(base).ask(question).answer().answer


def test_the_same_passages_are_found_and_scores_fall(base):
    question = "老年饭堂一顿多少钱"
    plain, again = (base.search(question, 8, rerank=by) for by in (None, rerank))
    assert {hit.passage.text for hit in plain} == {hit.passage.text for hit in again}
    scores = [hit.score for hit in again]
    assert scores == sorted(scores, reverse=True)


def test_an_empty_home_has_nothing_to_rank(tmp_path):
    with KnowledgeBase(load_settings(home=tmp_path)) as empty:
        assert empty.search("老年饭堂", 3, rerank=rerank) == []
