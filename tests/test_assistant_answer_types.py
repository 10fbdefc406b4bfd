"""Which sentence about a matter says what is asked for, in words that the examples do not have."""

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import answer_types
from assistant.answer_types import buckets, fit
from eval import answer_type_model
from eval.answer_type_model import FORMAL, Matter, accuracy, examples

# None of these matters is among the examples.
CANOE = (
    "独木舟停靠许可由河道管理处负责审批。",
    "申请人到河道管理处一楼窗口或者登录市政务网提出申请。",
    "申请时提交身份证复印件、船舶照片和保险单。",
    "河道管理处自受理之日起12个工作日内作出决定。",
    "许可自发放之日起3年内有效。",
    "期满前40日内可以申请延续。",
    "每艘每年收取停靠费260元。",
    "擅自停靠的，责令改正，并处500元以上2000元以下罚款。",
)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("独木舟停靠归谁管", 0),
        ("停独木舟上哪儿申请去", 1),
        ("要带啥东西", 2),
        ("办独木舟停靠的材料有哪些", 2),
        ("几天能批下来", 3),
        ("办理时限", 3),
        ("这个证管几年", 4),
        ("快到期了提前多久去续", 5),
        ("停一年要交多少钱", 6),
        ("没办就停那儿会咋样", 7),
    ],
)
def test_the_sentence_that_says_it_fits_best(question, answer):
    assert int(np.argmax(fit(question, CANOE))) == answer


def test_a_sentence_fits_as_well_whatever_stands_beside_it():
    alone = [float(fit("要带啥东西", [sentence])[0]) for sentence in CANOE]
    assert alone == pytest.approx(fit("要带啥东西", CANOE).tolist(), abs=1e-5)
    assert fit("要带啥东西", []).shape == (0,)


@given(st.text(max_size=80))
def test_any_text_has_a_place_for_all_its_runs(text):
    found = buckets(text)
    assert found.size
    assert found.max() < 1 << answer_types.BITS
    assert np.isfinite(fit(text, [text, "受理后5日内办结。"])).all()


def test_numbers_and_their_width_make_no_difference():
    assert np.array_equal(buckets("10日内办结"), buckets("２５日内办结"))


def test_what_is_learnt_of_some_matters_helps_with_others():
    says = {"去哪办": "到{}窗口办理", "多久办好": "{}日内办好", "收多少钱": "每件收{}元"}
    matters = [
        Matter(name, tuple(text.format(name) for text in says.values()), tuple((q,) for q in says))
        for name in "甲乙丙丁戊己庚辛"
    ]
    assert accuracy(answer_type_model.fit(matters[:6]), matters[6:]) == 1.0


def test_the_examples_are_whole_and_the_weights_are_of_them():
    matters = examples()
    lines = answer_type_model.EXAMPLES.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if "\t" in line]
    assert {len(row) for row in rows} == {3}
    assert {row[0] for row in rows} <= {*FORMAL, "other"}
    sentences = [*chain.from_iterable(matter.sentences for matter in matters)]
    assert len(rows) == len(sentences)
    assert accuracy(answer_types.load(), matters) > 0.9
