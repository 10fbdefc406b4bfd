"""Measures: against their textbook definitions, and against what a person would count."""

import math
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.composing import UNSURE
from assistant.several import HELP
from assistant.validity import DIFFERS, remarks
from eval.citations import check_citations, supports
from eval.metrics import character_f1, percentile, rate, rouge_l, score, summary
from eval.outcomes import Cited, Found, Outcome, Record
from eval.questions import Question
from eval.ranking import RANKING_MEASURES, ranking_scores
from knowledge.types import Document
from knowledge.versions import Standing

DOCUMENTS = st.integers(0, 30).map("d{}".format)


def dcg(gains):
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))


def textbook(ranking, judged):
    """Järvelin & Kekäläinen 2002 for nDCG; the rest by definition."""
    wanted = {document for document, gain in judged.items() if gain > 0}
    ideal = dcg(sorted(judged.values(), reverse=True)[:10])
    first = next((r for r, d in enumerate(ranking[:10], 1) if d in wanted), math.inf)
    return {
        "ndcg@10": dcg([judged.get(d, 0) for d in ranking[:10]]) / ideal if ideal else 0,
        "mrr@10": 1 / first,
        **{
            f"recall@{k}": len(wanted & set(ranking[:k])) / len(wanted) if wanted else 0
            for k in (5, 10, 100)
        },
    }


@settings(deadline=None)
@given(
    st.lists(DOCUMENTS, unique=True, max_size=30),
    st.dictionaries(DOCUMENTS, st.integers(0, 3), min_size=1, max_size=12),
)
def test_ranking_measures_agree_with_the_textbook(ranking, judged):
    scores = ranking_scores({"q": ranking}, {"q": judged})["q"]
    assert set(scores) == set(RANKING_MEASURES)
    for name, expected in textbook(ranking, judged).items():
        assert scores[name] == pytest.approx(expected, abs=1e-9)


def test_a_judged_query_without_a_ranking_scores_nothing():
    assert set(ranking_scores({}, {"q": {"d": 1}})["q"].values()) == {0.0}


RATIOS = st.lists(st.tuples(st.integers(0, 1), st.just(1)), min_size=1, max_size=60)


@settings(deadline=None, max_examples=30)
@given(RATIOS)
def test_an_interval_holds_its_rate(ratios):
    result = rate([(float(a), float(b)) for a, b in ratios])
    assert result.value == pytest.approx(sum(a for a, _ in ratios) / len(ratios))
    assert 0 <= result.low <= result.value <= result.high <= 1


def test_an_interval_is_as_wide_as_theory_says():
    result = rate([(1.0, 1.0)] * 300 + [(0.0, 1.0)] * 100)
    half = 1.96 * math.sqrt(0.75 * 0.25 / 400)  # normal approximation
    assert result.high - result.low == pytest.approx(2 * half, rel=0.1)


def test_a_rate_of_nothing_is_no_number():
    assert rate([(0.0, 0.0)]).value is None


def test_percentiles_are_values_that_occurred():
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile(list(range(1, 101)), 0.95) == 95
    assert percentile([], 0.5) is None


def test_overlap_with_a_reference():
    assert character_f1("二十天内办完", "２０天内") < 1
    assert character_f1("甲乙。", "乙 甲。") == 1
    assert rouge_l("甲乙丙丁", "甲丙") == pytest.approx(2 * 2 / 6)
    assert rouge_l("", "甲") == 0


# -- citations


def answer(text, *quotes, **more):
    cited = tuple(Cited(n, "d", "办法", quote, True) for n, quote in enumerate(quotes, 1))
    return Outcome(answer=text, citations=cited, status="answered", **more)


def counted(outcome):
    counts = check_citations(outcome)
    return counts.supported, counts.citations, counts.cited, counts.sentences


def test_a_sentence_with_its_own_words_is_supported():
    outcome = answer("补贴3000元，五日内到账。[1]", "补贴3,000元，5日内到账。")
    assert counted(outcome) == (1, 1, 1, 1)


@pytest.mark.parametrize(
    "quote",
    [
        "补贴5000元，五日内到账。",  # another amount
        "补贴3000元，六日内到账。",  # another term
        "本市户籍人员可以申领居住证，3000元，5日。",  # about something else
        "",
    ],
)
def test_another_quote_does_not_support_it(quote):
    assert counted(answer("补贴3000元，五日内到账。[1]", quote))[0] == 0


def test_names_must_be_in_the_quote():
    assert supports("依据《补贴办法》由DeepSeek平台受理", "由DeepSeek平台受理，依据《补贴办法》")
    assert not supports(
        "依据《奖励办法》由DeepSeek平台受理", "由DeepSeek平台受理，依据《补贴办法》"
    )
    assert not supports("由ChatGPT平台受理申请", "由DeepSeek平台受理申请")


def test_marks_without_a_citation_and_sentences_without_a_mark():
    assert counted(answer("补贴3000元。[2]", "补贴3000元。")) == (0, 1, 1, 1)
    assert counted(answer("补贴3000元。[1]\n请尽快办理。", "补贴3000元。")) == (1, 1, 1, 2)


def test_a_quote_that_is_not_in_its_document():
    outcome = Outcome(
        answer="补贴3000元。[1]", citations=(Cited(1, "d", "t", "补贴3000元。", False),)
    )
    assert counted(outcome) == (0, 1, 1, 1)


def test_what_an_answer_says_of_itself_needs_no_source():
    replaced = {"d": Standing("replaced", by="《新办法》", by_date="2025-03-01")}
    (remark,) = remarks(replaced, {"d": Document("d", "办法", "", "d")}, date(2026, 1, 1))
    differs = DIFFERS.format(first="本市的规定", second="省里的规定", title="省办法")
    text = (
        f"一、补贴多少？\n{UNSURE}补贴3000元。[1]（以上不是全部，其余请看原文。）\n"
        f"{differs}补贴5000元。[2]\n{remark}\n\n二、护照多久能办好？\n资料里没有找到关于“护照”的内容。"
        f"\n\n原文未提及：低保费用。\n\n{HELP}"
    )
    outcome = answer(
        text, "补贴3000元。", "补贴5000元。", corrected_question="补贴多少？护照多久能办好？"
    )
    assert counted(outcome) == (2, 2, 2, 2)


@pytest.mark.parametrize("claim", ["一、需要身份证", "资料里没有收费。所以免费", "原文说免费。"])
def test_a_claim_beside_what_an_answer_says_of_itself_needs_one(claim):
    outcome = answer(f"补贴3000元。[1]\n{claim}", "补贴3000元。", corrected_question="补贴多少？")
    assert counted(outcome)[2:] != (1, 1)


def test_a_refusal_has_nothing_to_cite():
    assert counted(Outcome(answer="没有找到。", refused=True)) == (0, 0, 0, 0)


# -- the whole summary

KNOWN = Question("1", "补贴多少？", ("3000元",), True, relevant=("d",), kind="数字")
UNKNOWN = Question("2", "天气如何？", (), False, kind="闲聊")
RIGHT = answer(
    "补贴3000元。[1]", "补贴3000元。", found=(Found("d", "t", "", "补", 1, 1, 1),), seconds=0.2
)
REFUSED = Outcome(answer="没有找到。", refused=True, status="not_found", seconds=0.1)
FAILED = Outcome(error="出错")


def summed(*pairs):
    return summary(score([Record(question, outcome) for question, outcome in pairs]), 1.5)


def test_all_right():
    result = summed((KNOWN, RIGHT), (UNKNOWN, REFUSED))
    assert result["questions"] == 2
    for name in (
        "answer_accuracy",
        "fact_recall",
        "span_coverage",
        "refusal_precision",
        "refusal_recall",
        "refusal_f1",
        "citation_precision",
        "citation_recall",
        "retrieval_recall@5",
    ):
        assert result[name] == 1
        assert result["intervals"][name] == [1, 1]
    assert result["refused_answerable"] == 0
    assert result["seconds"] == 1.5
    assert result["latency"] == {"median": 0.1, "p95": 0.2, "p99": 0.2}
    assert result["by_kind"]["数字"]["answer_accuracy"] == 1
    assert result["by_kind"]["闲聊"]["answer_accuracy"] is None


def test_everything_wrong():
    result = summed((KNOWN, REFUSED), (UNKNOWN, RIGHT))
    for name in ("answer_accuracy", "fact_recall", "refusal_precision", "refusal_recall"):
        assert result[name] == 0
    assert result["refused_answerable"] == 1
    assert result["refusal_table"]["answerable_refused"] == 1
    assert result["refusal_table"]["unanswerable_answered"] == 1


def test_a_failed_question_is_neither_answered_nor_refused():
    result = summed((KNOWN, FAILED), (UNKNOWN, FAILED))
    assert result["failed"] == 2
    assert result["answer_accuracy"] == 0
    assert result["refusal_recall"] == 0
    assert result["refusal_precision"] is None


def test_a_refusal_that_names_the_fact_is_no_answer():
    outcome = Outcome(answer="没有说到3000元以外的。", refused=True, status="not_covered")
    assert summed((KNOWN, outcome))["answer_accuracy"] == 0


def test_alternatives_and_shares_of_facts():
    question = Question("1", "问？", (("甲", "乙"), "丙", "丁"), True)
    result = summed((question, answer("有乙，也有丙。")))
    assert result["answer_accuracy"] == 0
    assert result["fact_recall"] == pytest.approx(2 / 3, abs=1e-4)
