"""The two other forms: {wrong, right} and {history, question, answers, passage}."""

import json

import pytest

from eval.datasets import TypoPair, load_follow_ups, load_typos
from eval.errors import QuestionSetError
from eval.follow_ups import answers, measure_follow_ups
from eval.typo_signs import main
from eval.typos import corrector, measure_typos
from knowledge.settings import load_settings

PAIRS = [
    TypoPair("工积金怎么取", "公积金怎么取"),
    TypoPair("社宝怎么交", "社保怎么交"),
    TypoPair("居主证怎么办", "居住证怎么办"),
    TypoPair("医保怎么报", "医保怎么报"),
    TypoPair("公交卡在哪办", "公交卡在哪办"),
]


def test_sentences_are_counted_whole():
    said = {
        "工积金怎么取": "公积金怎么取",  # mended
        "社宝怎么交": "社堡怎么交",  # changed, and still wrong
        "公交卡在哪办": "公交车在哪办",  # a false alarm
    }
    result = measure_typos(PAIRS, lambda sentence: said.get(sentence, sentence))
    assert result["sentences"] == 5
    assert result["precision"] == pytest.approx(1 / 3, abs=1e-4)
    assert result["recall"] == pytest.approx(1 / 3, abs=1e-4)
    assert result["f1"] == pytest.approx(1 / 3, abs=1e-4)
    assert result["false_alarms"] == 0.5


def test_white_space_and_width_are_no_change():
    pairs = [TypoPair("医保 怎么报？", "医保怎么报？"), TypoPair("Ａ证怎么办", "Ａ证怎么办")]
    result = measure_typos(pairs, lambda sentence: sentence.replace("Ａ证", "A证 "))
    assert (result["with_errors"], result["changed"], result["false_alarms"]) == (0, 0, 0)
    result = measure_typos([TypoPair("工积金？", "公积金？")], lambda _sentence: "公积金?")
    assert result["mended"] == 1


def test_doing_nothing_raises_no_alarm():
    result = measure_typos(PAIRS, lambda sentence: sentence)
    assert (result["recall"], result["f1"], result["false_alarms"]) == (0, 0, 0)
    assert result["precision"] is None


def test_the_correction_measured_is_the_one_that_citizens_see(sample_base):
    from assistant.chain import Assistant

    sentence = "小泉能打印什么证明"
    assert (
        corrector(sample_base)(sentence)
        == Assistant(sample_base).ask(sentence).answer().corrected_question
    )


ROW = {
    "history": [{"question": "学院有哪些专业？", "answer": "制茶和陶艺"}],
    "question": "陶艺专业学制几年？",
    "answers": ["四年"],
    "passage": {"title": "工艺学院", "text": "工艺学院设制茶、陶艺两个专业。陶艺专业学制四年。"},
}
OTHERS = [
    {**ROW, "question": question, "answers": [answer], "passage": {"title": title, "text": text}}
    for question, answer, title, text in (
        ("图书馆几点关门？", "晚上十点", "图书馆", "图书馆早上八点开门，晚上十点关门。"),
        ("食堂有几个？", "3个", "食堂", "校区里共有3个食堂，都可以刷卡。"),
        ("宿舍住几个人？", "四人", "宿舍", "学生宿舍每间住四人，带独立卫生间。"),
        ("操场跑道多长？", "400米", "操场", "操场的跑道长400米，早晚开放。"),
        ("火星上几点开饭？", "九点", "校医院", "校医院全天都有医生值班。"),
    )
]


def written(tmp_path, *rows):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def test_follow_ups_are_asked_of_their_own_passages(tmp_path):
    path = written(tmp_path, ROW, *OTHERS)
    result = measure_follow_ups(load_follow_ups(path), load_settings(home=tmp_path / "home"))
    assert result["questions"] == 6
    assert result["details"][0]["answered"]
    assert not result["details"][-1]["answered"]
    share = sum(row["answered"] for row in result["details"]) / 6
    assert result["answered"] == pytest.approx(share, abs=1e-4)
    assert not (tmp_path / "home").exists()  # all of it happened in a throw-away home


@pytest.mark.parametrize(
    ("answer", "gold", "told"),
    [
        ("国内读研比例51%，出国比例14%。", "国内读研比例为51%，出国比例为14%", True),
        ("国内读研比例50%，出国比例14%。", "国内读研比例为51%，出国比例为14%", False),
        ("与经济学院和历史学院联合设立。", "经济学院，历史学院", True),
        ("与经济学院联合设立。", "经济学院，历史学院", False),
        ("招收八十人。", "80人", True),
        ("", "80人", False),
    ],
)
def test_an_answer_in_other_words_counts_if_numbers_and_most_terms_are_there(answer, gold, told):
    assert answers(answer, gold) is told


@pytest.mark.parametrize(
    "change",
    [
        {"history": "x"},
        {"history": [{"role": "robot", "content": "x"}]},
        {"question": ""},
        {"answers": "四年"},
        {"passage": {"title": "x"}},
        {"passage": None},
    ],
)
def test_a_wrong_row_is_named(tmp_path, change):
    path = written(tmp_path, ROW, {**ROW, **change})
    with pytest.raises(QuestionSetError, match=f"{path}:2"):
        load_follow_ups(path)


def test_typos_without_their_right_form_are_named(tmp_path):
    path = written(tmp_path, {"wrong": "x", "right": "y"}, {"wrong": "x"})
    with pytest.raises(QuestionSetError, match=f"{path}:2"):
        load_typos(path)


def test_signs_are_weighed(tmp_path, capsys):
    pairs = [
        ("居注证在哪办", "居住证在哪办"),
        ("身份正丢了", "身份证丢了"),
        ("医保怎么报", "医保怎么报"),
    ]
    lines = [
        json.dumps({"wrong": f"{which}{wrong}", "right": f"{which}{right}"}, ensure_ascii=False)
        for which in ("我的", "老人的", "孩子的", "外地人的")
        for wrong, right in pairs
    ]
    (tmp_path / "pairs.jsonl").write_text("\n".join(lines))
    main([str(tmp_path / "pairs.jsonl")])
    told = capsys.readouterr().out
    assert "'meant'" in told
    assert "F1 1.0, false alarms 0.0" in told
