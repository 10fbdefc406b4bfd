"""Two runs compared: planted changes are found, and chance is not taken for one."""

from dataclasses import replace

import pytest

from eval.compare import compare, load_run, sign_test
from eval.errors import ReportError
from eval.metrics import score
from eval.outcomes import Outcome, Record
from eval.planted import FAULTS, asked, shifted
from eval.questions import Question
from eval.runner import Store
from knowledge.base import KnowledgeBase
from knowledge.settings import load_settings
from knowledge.types import Document

RIGHT = Outcome(answer="答", status="answered")
WRONG = Outcome(answer="错", status="answered")
REFUSED = Outcome(answer="没有", refused=True)


def scored(*outcomes, answerable=True):
    facts = ("答",) if answerable else ()
    return score(
        [
            Record(Question(str(number), f"第{number}问？", facts, answerable), outcome)
            for number, outcome in enumerate(outcomes)
        ]
    )


def test_counts_and_p_value():
    result = compare(scored(*[RIGHT] * 12), scored(*[WRONG] * 8, *[RIGHT] * 4))
    assert (result["better"], result["worse"], result["same"]) == (0, 8, 4)
    assert result["p_value"] == pytest.approx(2 / 2**8)
    assert result["verdict"] == "worse"
    assert result["worse_ids"] == [str(number) for number in range(8)]


def test_the_other_way_round_is_better():
    result = compare(scored(*[WRONG] * 8), scored(*[RIGHT] * 8))
    assert result["verdict"] == "better"


def test_a_few_changes_are_chance():
    result = compare(scored(*[RIGHT] * 9, WRONG), scored(*[WRONG] * 3, *[RIGHT] * 7))
    assert (result["better"], result["worse"]) == (1, 3)
    assert result["verdict"] == "same"
    assert compare(scored(RIGHT), scored(RIGHT))["p_value"] == 1


def test_refusing_everything_is_worse_even_where_it_wins_as_much_as_it_loses():
    answerable, unanswerable = scored(*[RIGHT] * 20), scored(*[WRONG] * 20, answerable=False)
    before = [*answerable, *renamed(unanswerable)]
    after = [*scored(*[REFUSED] * 20), *renamed(scored(*[REFUSED] * 20, answerable=False))]
    result = compare(before, after)
    assert (result["better"], result["worse"]) == (20, 20)
    assert result["verdict"] == "worse"


def renamed(runs):
    return score(
        [replace(s.record, question=replace(s.question, id=f"u{s.question.id}")) for s in runs]
    )


def test_sign_test_is_exact():
    assert sign_test(0, 6) == pytest.approx(2 / 64)
    assert sign_test(5, 5) == 1


def test_only_questions_of_both_runs_count():
    result = compare(scored(*[RIGHT] * 5), scored(*[RIGHT] * 3))
    assert (result["same"], result["only_in_one"]) == (3, 2)
    with pytest.raises(ReportError, match="同一份题目"):
        compare(scored(RIGHT), renamed(scored(RIGHT)))


def test_runs_are_read_from_their_folders(tmp_path):
    with Store(tmp_path / "run", {}) as store:
        for one in scored(RIGHT, WRONG):
            store.add(one.record)
    assert [s.right for s in load_run(tmp_path / "run")] == [True, False]
    assert len(load_run(tmp_path / "run" / "results.jsonl")) == 2


def test_what_is_no_run_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(ReportError, match="eval run"):
            load_run(path)
    (tmp_path / "results.jsonl").write_text("{}\n")
    with pytest.raises(ReportError, match="没有一条记录"):
        load_run(tmp_path)


# -- planted changes, on the real chain over a small base of windows that differ by their names


MATTERS = [
    "户口迁移",
    "结婚登记",
    "食品许可",
    "护照换发",
    "公积金提取",
    "残疾证换领",
    "不动产登记",
    "养老金认证",
    "医保备案",
    "船员证办理",
]
OUTSIDE = [f"地铁{number}号线首班车几点从机场发车" for number in range(1, 13)]


# A rule, its fact, and how it is asked for in words that it does not have.
EVERYDAY = [
    ("承租人与出租人签订合同后，应当到街道便民中心备案。", "街道便民中心", "跟房东签好了去哪登记"),
    ("用人单位拖欠劳动报酬的，劳动者可以向劳动监察大队投诉。", "劳动监察大队", "老板不给钱找谁"),
    ("新生儿的父母应当在出生后三十日内申报户籍。", "三十日", "娃生下来几天内要上户口"),
    ("饲养犬只应当到公安派出所登记。", "公安派出所", "家里有条狗去哪办证"),
    ("机动车驾驶人遗失驾照的，向车辆管理所申请补领。", "车辆管理所", "开车的本子丢了去哪补"),
    ("年满八十周岁的居民每月发放高龄津贴一百元。", "一百元", "八十多的老人每个月给多少钱"),
    ("困难家庭的大学新生一次性资助五千元。", "五千元", "家里穷的孩子考上大学补多少"),
    ("自来水管道破裂的，由供水公司维修。", "供水公司", "水管爆了谁来修"),
    ("居民丧事火化费用由殡葬服务中心减免。", "殡葬服务中心", "人走了烧的钱谁给免"),
    ("孕妇可以在社区卫生服务站领取叶酸。", "社区卫生服务站", "怀孕了上哪拿叶酸片"),
    ("失业人员参加技能培训的，每人补贴两千元。", "两千元", "没工作去学手艺给几个钱"),
    ("占道经营由城市管理局查处。", "城市管理局", "小贩堵了路归哪管"),
    ("居民死亡后，亲属应当在一个月内注销户籍。", "一个月", "老人走了多久要去销户口"),
    ("职工生育的，产假为九十八天。", "九十八天", "生孩子能歇多久"),
    ("就诊时应当出示医疗保障凭证。", "医疗保障凭证", "看病要带什么"),
    ("下水管道堵塞的，由市政排水公司疏通。", "市政排水公司", "马桶水漫出来谁来通"),
    ("孕妇产前检查，在妇幼保健院免费进行。", "妇幼保健院", "怀孕了去哪查身体"),
]


def window(number):
    matter, code = MATTERS[number % len(MATTERS)], f"K{number * 37 % 1000:03}"
    return Document(
        code,
        f"{code}窗口办事说明",
        f"{code}窗口受理{matter}业务，设在大厅{number % 4 + 1}楼。"
        f"{code}窗口的咨询电话是2{number * 7919 % 10**6:06}，工作日受理。",
        code,
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    with KnowledgeBase(load_settings(home=tmp_path_factory.mktemp("windows"))) as base:
        list(base.add_all(map(window, range(1, 61))))
        list(base.add_all(Document(rule, rule[:6], rule, rule) for rule, _, _ in EVERYDAY))
        yield base


@pytest.fixture(scope="module")
def questions():
    known = [
        Question(
            d.id,
            f"{d.id}窗口的咨询电话是多少",
            (d.text.split("电话是")[1][:7],),
            True,
        )
        for d in map(window, range(1, 31))
    ]
    unknown = [Question(f"u{n}", asked, (), False) for n, asked in enumerate(OUTSIDE)]
    everyday = [Question(asked, asked, (fact,), True) for _, fact, asked in EVERYDAY]
    return known + everyday + unknown


@pytest.fixture(scope="module")
def as_it_is(base, questions):
    return asked(base, questions)


def test_the_same_system_twice_is_the_same(base, questions, as_it_is):
    result = compare(as_it_is, asked(base, questions))
    assert (result["better"], result["worse"]) == (0, 0)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_planted_fault_is_worse(base, questions, as_it_is, fault):
    with fault(base):
        assert compare(as_it_is, asked(base, questions))["verdict"] == "worse"


def test_citations_shifted_by_one_are_worse(as_it_is):
    result = compare(as_it_is, shifted(as_it_is))
    assert result["verdict"] == "worse"
    assert result["measures"]["citation_precision"]["b"] < 0.2
