"""What a small knowledge base does not treat is refused, however close it comes."""

from pathlib import Path

import pytest

from assistant.chain import Assistant
from assistant.matters import NAMES, Matters, named
from eval.facts import normalise
from eval.questions import load_questions
from knowledge.base import KnowledgeBase
from knowledge.settings import load_settings
from knowledge.types import Document

QUESTIONS = Path(__file__).parent / "data" / "lay_questions.jsonl"


@pytest.fixture(scope="module")
def assistant(sample_base):
    return Assistant(sample_base)


@pytest.mark.parametrize(
    ("question", "matter"),
    [
        ("护照丢了怎么办", "护照"),
        ("结婚证丢了去哪补", "结婚证"),
        ("泉州有几个火车站", "火车站"),
        ("驾驶证丢了怎么补办", "驾驶证"),  # as the identity card's guide has it, but for the name
        ("小孩上户口要什么材料", "上户口"),
    ],
)
def test_a_neighbouring_matter_is_refused_by_its_name(assistant, question, matter):
    answer = assistant.ask(question).answer()
    assert answer.status == "not_found"
    assert answer.missing == (matter,)
    assert f"“{matter}”" in answer.answer


def test_what_is_only_mentioned_by_its_whole_name_is_refused_too(assistant):
    assert assistant.ask("社保卡丢了怎么补").answer().status == "not_covered"


# The guide to unemployment benefit mentions the 低保 and says how long its own office takes.
@pytest.mark.parametrize("question", ["低保多久能批下来", "低保多久能批", "低保要等几天"])
def test_how_long_one_matter_takes_is_not_told_of_another(assistant, question):
    answer = assistant.ask(question).answer()
    assert answer.refused
    assert "10个工作日" not in answer.answer
    assert "10个工作日" in assistant.ask("失业金多久能批下来").answer().answer


# The county is named in no document, in the same one, and in other ones.
@pytest.mark.parametrize("county", ["金门", "南安", "惠安", "晋江"])
def test_what_is_said_of_another_county_is_no_answer(assistant, county):
    answer = assistant.ask(f"{county}建了几个专业化园区").answer()
    assert answer.status in {"elsewhere", "not_found"}
    assert answer.missing == (county,)
    assert f"“{county}”" in answer.answer
    assert "876" not in answer.answer
    assert "876亩" in assistant.ask("洛江建了几个专业化园区").answer().answer


@pytest.mark.parametrize(
    ("county", "project", "of_another"),
    [("泉港", "百宏化学", "云领智航"), ("南安", "云领智航", "百宏化学")],
)
def test_of_several_counties_the_one_asked_about_is_told_of(assistant, county, project, of_another):
    answer = assistant.ask(f"{county}引进了哪些项目").answer().answer
    assert project in answer
    assert of_another not in answer


@pytest.mark.parametrize("question", ["身份证丢了怎么补", "居住证怎么办", "公积金怎么提取"])
def test_a_matter_that_is_treated_is_answered(assistant, question):
    assert assistant.ask(question).answer().status == "answered"


def test_the_cohort_is_nearer_to_what_is_not_there(sample_base):
    matters = Matters(lambda: sample_base.embeddings, sample_base.likeness)
    lacks = {}
    for question in ("护照丢了怎么办", "身份证丢了怎么办"):
        hit = sample_base.search(question, 1)[0]
        near = matters.nearness(question, hit)
        assert -1 <= near.passage <= 1
        lacks[question] = near.question - hit.dense
    assert lacks["护照丢了怎么办"] > 0 > lacks["身份证丢了怎么办"]


def test_what_is_cut_out_of_a_passage_is_as_near_as_the_passage(sample_base):
    """What another county's is left out of is no passage from its start any more."""
    hit = sample_base.search("德化的陶瓷怎么出海", 1)[0]
    matters = Matters(lambda: sample_base.embeddings, sample_base.likeness)
    whole = matters.nearness("陶瓷怎么出海", hit)
    part = matters.nearness("陶瓷怎么出海", hit.cut(5, len(hit.passage.text)))
    assert whole.passage == part.passage != 0


@pytest.mark.parametrize("question", ["小孩上学要什么材料", "出国签证在哪里办", "坐公交老人要钱吗"])
def test_nothing_is_told_where_neither_words_nor_meaning_agree(assistant, question):
    assert assistant.ask(question).answer().refused


def test_the_longest_matter_is_named_and_none_that_is_there():
    assert absent("港澳居民居住证怎么办", "护照") == "港澳居民居住证"
    assert absent("居住证怎么办", "居住证的办理") == ""
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize(
    ("question", "text", "matter"),
    [
        ("残疾证丢了咋办", "残疾人证遗失的，可申请补发", ""),
        ("补社保卡要带啥", "持社会保障卡到网点", ""),
        ("残疾证丢了咋办", "残疾人凭身份证申领补贴", "残疾证"),
        ("房产证掉了", "不动产权证书遗失的", ""),  # by the table of synonyms
        ("房产证掉了", "房屋租赁合同", "房产证"),
    ],
)
def test_what_a_matter_is_short_for_is_there(sample_base, question, text, matter):
    assert absent(question, text, sample_base.synonyms.means) == matter


def absent(question, text, means=lambda _: ()):
    return named(question, text, means)


def test_questions_in_everyday_words(assistant):
    """A floor under the whole set, most of which the weights were fitted on."""
    right = refused = 0
    questions = load_questions(QUESTIONS)
    for question in questions:
        answer = assistant.ask(question.question).answer()
        if not question.answerable:
            refused += answer.refused
        elif not answer.refused:
            right += normalise(question.facts[0]) in normalise(answer.answer)
    answerable = sum(question.answerable for question in questions)
    assert right / answerable >= 0.5
    assert refused / (len(questions) - answerable) >= 0.75


@pytest.fixture
def two_wordings(tmp_path):
    """One notice says 低保 in passing, the one that has the amount 最低生活保障."""
    with KnowledgeBase(load_settings(home=tmp_path)) as base:
        for name, title, text in (
            ("a", "海州市住房租赁补贴标准", "民政部门认定的低保家庭，租赁补贴标准为每平方米20元。"),
            (
                "b",
                "海州市最低生活保障标准的通知",
                "全市城乡最低生活保障标准为每人每月1309元。\n\n本通知自2026年1月1日起施行。",
            ),
        ):
            base.add(Document(name, title, f"# {title}\n\n{text}", f"/{name}.md"))
        yield Assistant(base)


def test_what_some_documents_call_otherwise_is_found_as_well(two_wordings):
    answer = two_wordings.ask("低保标准多少").answer()
    assert answer.status == "answered"
    assert "1309元" in answer.answer


def test_a_matter_that_any_document_found_names_is_not_said_to_be_missing(two_wordings):
    assert two_wordings.ask("低保几号发").answer().missing != ("低保",)
