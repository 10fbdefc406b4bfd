import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import ngrams
from assistant.proofreader import LONGEST, sentences

pytestmark = pytest.mark.model


@pytest.mark.parametrize(
    ("text", "typed", "meant"),
    [
        ("二手房交易要交哪些睡", "睡", "税"),
        ("工资拖了三个月不给，找随投诉", "随", "谁"),
        ("工资拖欠了怎么投速", "速", "诉"),
        ("孩子的医保卡掉了怎么朴办", "朴", "补"),
    ],
)
def test_what_was_meant_is_likelier_than_what_was_typed(proofreader, text, typed, meant):
    place, options = text.index(typed), ngrams.numbers_of(meant)
    assert proofreader.read(text)(place, options)[0] > 2
    right = text.replace(typed, meant)
    assert proofreader.read(right)(place, ngrams.numbers_of(typed))[0] < -2


def test_what_is_typed_is_as_likely_as_itself(proofreader):
    told = proofreader.read("身份正丢了")(2, ngrams.numbers_of("证正"))
    assert told.shape == (2,)
    assert told[1] == 0


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("打12345", 1),  # no Chinese character
        ("𠮷祥", 0),
        ("龘字怎么上户口", 0),  # the model has no such character
    ],
)
def test_nothing_is_said_of_what_can_not_be_read(proofreader, text, place):
    assert (proofreader.read(text)(place, ngrams.numbers_of("证问")) == 0).all()


def test_what_the_model_does_not_know_is_unlikely(proofreader):
    assert proofreader.read("身份正丢了")(2, ngrams.numbers_of("龘"))[0] < 0


def test_each_sentence_is_read_by_itself(proofreader):
    alone, options = "身份正丢了", ngrams.numbers_of("证整")
    told = proofreader.read(alone)(2, options)
    for before in ("你好！\n", "公积金能取吗？", "问" * 500 + "；"):
        text = f"{before}{alone}？"
        assert proofreader.read(text)(len(before) + 2, options) == pytest.approx(told)


@given(st.text(alphabet="公积金，、：。；！？\n a1", max_size=300))
def test_what_is_read_together_is_all_but_the_ends_of_sentences(text):
    parts = list(sentences(text))
    assert all(text[start:].startswith(part) for start, part in parts)
    assert all(len(part) <= LONGEST for _, part in parts)
    assert "".join(part for _, part in parts) == re.sub(r"[\n。；！？]", "", text)
