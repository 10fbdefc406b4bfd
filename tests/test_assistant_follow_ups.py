"""Follow-ups: what is left unsaid is written out, and a new topic is left alone."""

from pathlib import Path

import pytest

from assistant.chain import Assistant
from assistant.follow_ups import stand_alone
from assistant.topics import topic_of
from assistant.types import Turn
from eval.facts import states
from eval.questions import load_questions
from knowledge.base import KnowledgeBase
from knowledge.settings import load_settings
from knowledge.types import Document

DATA = Path(__file__).parent / "data"
QUESTIONS = [question.question for question in load_questions(DATA / "sample_questions.jsonl")]
FOLLOW_UPS = load_questions(DATA / "follow_ups.jsonl")
LIST = "可以提取的情形有：\n1. 购买、建造自住住房；\n2. 退休；\n3. 出境定居。[1]"


@pytest.fixture(scope="module")
def complete(sample_base):
    def complete(question, *asked, answer="好的。[1]"):
        turns = [turn for text in asked for turn in (Turn("user", text), Turn("assistant", answer))]
        return stand_alone(
            question,
            turns,
            lambda query: sample_base.search(query, 8),
            sample_base.term_weights,
            sample_base.embeddings.encode,
        )

    return complete


@pytest.mark.parametrize(
    ("before", "question", "whole"),
    [
        ("石狮新质电商园是怎么规划用地的", "它成立于哪一年", "石狮新质电商园成立于哪一年"),
        ("身份证丢了怎么补办", "那外地的呢", "外地的身份证丢了怎么补办"),
        ("身份证丢了怎么补办", "那居住证呢？", "居住证丢了怎么补办"),
        ("身份证丢了怎么补办", "要多少钱", "身份证丢了补办要多少钱"),
        ("身份证丢了怎么补办", "费用呢", "身份证丢了补办费用"),
        ("居住证怎么办", "这个证多久能办好", "居住证多久能办好"),
        ("居住证怎么办", "还有呢", "居住证怎么办"),
        ("居住证办下来要几天", "要带哪些材料", "居住证办下来要带哪些材料"),
        ("泉州2024年研发投入增长多少", "那2023年呢", "泉州2023年研发投入增长多少"),
        ("失业险交满5年能领几个月", "那交满10年呢", "失业险交满10年能领几个月"),
        ("身份证丢了怎么补办", "那护照呢", "护照丢了怎么补办"),
        ("身份证丢了怎么补办", "老人呢", "老人身份证丢了怎么补办"),
        ("泉港是怎么招商的", "那南安呢", "南安是怎么招商的"),
        ("居住证怎么办", "好的，那几天能拿到呢", "居住证几天能拿到呢"),
        ("泉州有几个跨境电商公共服务中心", "收费吗", "跨境电商公共服务中心收费吗"),
        ("居住证的办理流程是什么", "要多久", "居住证要多久"),
        ("2024年补贴3000元的条件是什么", "2025年呢", "2025年补贴3000元的条件是什么"),
        ("2024年12345热线接了多少电话", "那2023呢", "2023年12345热线接了多少电话"),
        ("土耳其签证怎么办理", "多少钱", "土耳其签证办理多少钱"),
        ("居住证怎么办", "呢呢？", "居住证呢呢？"),
    ],
)
def test_what_is_left_unsaid_is_written_out(complete, before, question, whole):
    assert complete(question, before) == whole


@pytest.mark.parametrize(
    ("question", "item"),
    [("第二个要什么材料", "退休"), ("那第3种呢", "出境定居"), ("最后一种怎么办", "出境定居")],
)
def test_an_item_of_the_last_answers_list_is_named(complete, question, item):
    whole = complete(question, "住房公积金在什么情况下可以提取", answer=LIST)
    assert item in whole
    assert "住房公积金" in whole


def test_an_item_that_the_list_does_not_have_is_not_made_up(complete):
    whole = complete("第九个要什么材料", "住房公积金在什么情况下可以提取", answer=LIST)
    assert not any(item in whole for item in ("购买", "退休", "出境"))


@pytest.mark.parametrize(
    ("question", "item"),
    [("如果是第二种呢", "退休"), ("请问上面第3个要什么材料", "出境定居")],
)
def test_an_item_is_also_named_where_it_is_supposed(complete, question, item):
    assert item in complete(question, "住房公积金在什么情况下可以提取", answer=LIST)


@pytest.mark.parametrize(
    "question", ["那劳动合同法第三条呢", "第三条呢", "我家第二个孩子怎么办", "工伤保险条例第1条呢"]
)
def test_an_article_of_a_law_is_no_item_of_the_last_answer(complete, question):
    answer = "失业金每月多少，由各省、自治区、直辖市定。[1]"
    whole = complete(question, "失业金怎么领", answer=answer)
    assert not any(item in whole for item in ("各省", "自治区", "直辖市"))


@pytest.mark.parametrize(
    "question",
    [
        "护照多久",
        "驾照去哪办",
        "办户口本多少钱",
        "居住证几天",
        "居住证要什么材料",
        "该去哪里办居住证",
    ],
)
def test_a_question_about_another_matter_is_left_as_it_is(complete, question):
    assert complete(question, "身份证丢了怎么补领") == question


@pytest.mark.parametrize(
    "question", ["要户口本吗", "户口本要带吗", "老人去哪办", "带户口本去哪", "加急几天"]
)
def test_a_short_question_about_a_detail_is_about_the_same_matter(complete, question):
    assert complete(question, "居住证怎么办") == f"居住证{question}"


def test_what_another_matter_takes_is_asked_of_that_afterwards(complete):
    assert complete("要多少钱", "身份证丢了怎么补领", "护照多久") == "护照要多少钱"


@pytest.mark.parametrize("question", ["护照多久", "驾照多久", "户口本多久"])
def test_how_long_the_matter_before_takes_is_not_told_of_another(sample_base, question):
    history = [Turn("user", "身份证丢了怎么补领"), Turn("assistant", "应当申请补领。[1]")]
    answer = Assistant(sample_base).ask(question, history).answer()
    assert answer.refused
    assert f"没有找到关于“{question.removesuffix('多久')}”的内容" in answer.answer


def test_how_long_a_known_matter_takes_is_told_after_another(sample_base):
    history = [Turn("user", "身份证丢了怎么补领"), Turn("assistant", "应当申请补领。[1]")]
    answer = Assistant(sample_base).ask("居住证多久", history).answer()
    assert "15日" in answer.answer
    assert "60日" not in answer.answer


@pytest.mark.parametrize(
    "question",
    [
        "该去哪里办低保",
        "该去哪里办身份证",
        "这几年失业金能领多久",
        "这次失业了，失业金能领几个月",
        "低保这个月能申请吗",
    ],
)
def test_what_is_to_be_done_and_a_time_stand_for_nothing_said_before(complete, question):
    assert complete(question, "居住证怎么办理") == question


@pytest.mark.parametrize(
    ("question", "whole"),
    [
        ("该证多久能办好", "居住证多久能办好"),
        ("这要多久", "居住证要多久"),
        ("这个要多少钱", "居住证要多少钱"),
        ("该去哪里办", "居住证去哪里办"),
        ("这几天能办吗", "居住证办理这几天能办吗"),
        ("这个月申请来得及吗", "居住证办理这个月申请来得及吗"),
    ],
)
def test_what_points_back_still_does(complete, question, whole):
    assert complete(question, "居住证怎么办理") == whole


def test_the_last_part_of_a_name_stands_for_the_whole(complete):
    asked = ("海丝商学院在哪一年开始办学", "商学院的会计专业培养什么样的人")
    assert complete("学院有多少位教师", *asked) == "商学院有多少位教师"
    assert complete("该院有多少位教师", asked[0]) == "海丝商学院有多少位教师"


def test_the_topic_lasts_over_several_turns(complete):
    asked = ("石狮新质电商园是怎么规划用地的", "年产值多少", "那它引进了多少企业")
    assert complete("什么时候成立的", *asked).startswith("石狮新质电商园")


@pytest.mark.parametrize(
    ("asked", "question", "whole"),
    [
        (("身份证丢了怎么补办", "要多久"), "那居住证呢", "居住证丢了补办要多久"),
        (("泉港是怎么招商的", "南安呢"), "洛江呢", "洛江是怎么招商的"),
        (("泉港是怎么招商的", "南安呢"), "它有哪些项目", "南安有哪些项目"),
        (("居住证怎么办", "低保怎么申请"), "去哪儿交", "低保申请去哪儿交"),
    ],
)
def test_earlier_follow_ups_are_written_out_first(complete, asked, question, whole):
    assert complete(question, *asked) == whole


def test_follow_ups_in_many_styles_are_answered(sample_base):
    """On what is followed up rightly, or refused where the sample does not tell."""
    assistant = Assistant(sample_base)
    right = {}
    for asked in FOLLOW_UPS:
        answer = assistant.ask(asked.question, asked.history).answer()
        told = all(states(answer.answer, fact) for fact in asked.facts)
        right[asked.id] = asked.kind, answer.refused != asked.answerable and told
    assert sum(good for _, good in right.values()) >= 0.75 * len(right)
    switched = [good for kind, good in right.values() if kind == "switch"]
    assert sum(switched) >= 0.9 * len(switched)


def test_small_talk_in_a_conversation_is_left_alone(sample_base):
    history = [Turn("user", "居住证怎么办"), Turn("assistant", "到派出所办。[1]")]
    answer = Assistant(sample_base).ask("今天天气怎么样", history).answer()
    assert answer.status == "out_of_scope"


def test_the_newest_topic_is_the_one_that_is_meant(complete):
    asked = ("石狮新质电商园是怎么规划用地的", "居住证办下来要几天")
    assert complete("要多少钱", *asked) == "居住证办下来要多少钱"


@pytest.mark.parametrize("apart", [1, 7])
def test_a_question_that_names_its_own_topic_is_left_as_it_is(complete, apart):
    questions = QUESTIONS[:27]
    pairs = zip(questions, questions[apart:] + questions[:apart], strict=True)
    dragged = [question for question, before in pairs if complete(question, before) != question]
    assert len(dragged) <= 1, dragged


@pytest.mark.parametrize("apart", [1, 5])
def test_a_new_topic_is_left_as_it_is_after_real_answers(sample_base, complete, apart):
    assistant = Assistant(sample_base)
    questions = QUESTIONS[:27]
    pairs = zip(questions, questions[apart:] + questions[:apart], strict=True)
    dragged = []
    for question, before in pairs:
        answer = assistant.ask(before).answer().answer
        if complete(question, before, answer=answer) != question:
            dragged.append((before, question))
    assert len(dragged) <= 1, dragged


def test_the_document_in_discussion_is_what_is_meant(tmp_path):
    def college(name, work):
        text = f"{name}成立于1990年，设有茶艺专业。茶艺专业有教师9人。{name}毕业生{work}。"
        return Document(name, name, text, f"/docs/{name}.md")

    works = {
        "文学院": "主要选择去报社工作",
        "理学院": "主要选择去工厂工作",
        "商学院": "主要选择去银行工作",
    }
    with KnowledgeBase(load_settings(home=tmp_path)) as base:
        list(base.add_all([college(name, work) for name, work in works.items()]))
        asked = (
            "海丝大学理学院是哪一年成立的",
            "书法专业有什么荣誉",
            "剪纸专业有几个班",
            "木偶专业收几个人",
        )
        said = (
            "1990年。[1]",
            "没有。",
            "没有。",
            "理学院毕业生和茶艺专业有教师9人，成立于1990年。[1]",
        )
        pairs = zip(asked, said, strict=True)
        history = [t for q, a in pairs for t in (Turn("user", q), Turn("assistant", a))]
        answer = Assistant(base).ask("毕业生主要选择去哪里工作", history).answer().answer
        assert "工厂" in answer


def test_nothing_is_added_without_a_conversation(complete):
    assert complete("那外地的呢") == "那外地的呢"


def test_titles_shorten_a_topic_and_no_other_document_answers(tmp_path):
    def college(name, teachers):
        text = f"{name}成立于1990年。{name}现有教师{teachers}人，学生主要去中学任教。"
        return Document(name, name, text, f"/docs/{name}.md")

    with KnowledgeBase(load_settings(home=tmp_path)) as base:
        list(base.add_all([college("文学院", 80), college("理学院", 120), college("商学院", 60)]))
        history = [Turn("user", "海丝大学理学院是哪一年成立的"), Turn("assistant", "1990年。[1]")]
        reply = Assistant(base).ask("学院有多少位教师？", history)
        assert "120" in reply.answer().answer
        understood = reply.understood()
        assert understood
        assert understood.query == "理学院有多少位教师？"


@pytest.mark.parametrize(
    ("question", "name", "matter"),
    [
        ("请问身份证丢了怎么补办？", "身份证丢了", "身份证丢了补办"),
        ("泉州市惠企政策平台整合了多少条政策", "泉州市惠企政策平台", "泉州市惠企政策平台"),
        ("什么是泉心泉意", "泉心泉意", "泉心泉意"),
        ("哪些人可以申请低保", "申请低保", "申请低保"),
        ("海丝有限公司有几家分公司", "海丝有限公司", "海丝有限公司"),
        ("居住证收费不", "居住证", "居住证"),
        ("小厂裁员不超多少能领稳岗返还", "小厂裁员", "小厂裁员"),
        ("低保咋样申请", "低保", "低保申请"),
        ("三个月没交社保咋办", "三个月没交社保", "三个月没交社保"),
        ("要约收购怎么报告", "要约收购", "要约收购报告"),
        ("要预约不", "", ""),
        ("一个月要交多少", "", ""),
        ("每个月发多少钱", "", ""),
    ],
)
def test_the_topic_of_a_question(question, name, matter):
    topic = topic_of(question)
    assert (topic.name, topic.matter) == (name, matter)
