"""Question sets: three file forms, checked on load."""

import json

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.pinyin import readings
from assistant.types import Turn
from eval.errors import QuestionSetError
from eval.mistyping import mistype, with_typos
from eval.questions import Question, load_questions, write_rows

ROWS = [
    {
        "id": "a",
        "question": "有几条措施？",
        "facts": ["9条", ["11批", "11批次"]],
        "answerable": True,
    },
    {
        "id": "b",
        "question": "那第二个呢？",
        "facts": ["=1+1", "两行\n文字"],
        "answerable": True,
        "history": [
            {"role": "user", "content": "有哪些？"},
            {"role": "assistant", "content": "两个"},
        ],
        "relevant": ["doc-1", "doc 2"],
        "kind": "追问",
        "answer": "第二个是……",
    },
    {"id": "c", "question": "天气如何？", "facts": [], "answerable": False},
]


@pytest.fixture
def write(tmp_path):
    def write(*lines):
        path = tmp_path / "set.jsonl"
        text = [x if isinstance(x, str) else json.dumps(x, ensure_ascii=False) for x in lines]
        path.write_text("\n".join(text), encoding="utf-8")
        return path

    return write


def refusal(path):
    with pytest.raises(QuestionSetError) as caught:
        load_questions(path)
    return str(caught.value)


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".xlsx"])
def test_the_same_set_is_read_from_every_form(tmp_path, suffix):
    path = tmp_path / f"set{suffix}"
    write_rows(path, ROWS)
    first, second, third = load_questions(path)
    assert first.facts == ("9条", ("11批", "11批次"))
    assert second.history == (Turn("user", "有哪些？"), Turn("assistant", "两个"))
    assert second.facts == ("=1+1", "两行\n文字")
    assert second.relevant == ("doc-1", "doc 2")
    assert (second.kind, second.answer) == ("追问", "第二个是……")
    assert not third.answerable


def test_cells_as_an_operator_writes_them(tmp_path):
    path = tmp_path / "set.csv"
    path.write_bytes(
        'question,facts,answerable\n有几条？,"9条|九条\n第二批",是\n天气？,,否\n'.encode("gb18030")
    )
    first, second = load_questions(path)
    assert first.facts == (("9条", "九条"), "第二批")
    assert (first.id, first.answerable, second.answerable) == ("3", True, False)


def test_history_as_pairs_of_question_and_answer(write):
    row = {**ROWS[0], "history": [{"question": "甲？", "answer": "乙。"}]}
    assert load_questions(write(row))[0].history == (
        Turn("user", "甲？"),
        Turn("assistant", "乙。"),
    )


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({**ROWS[0], "question": "  "}, "question"),
        ({**ROWS[0], "facts": []}, "facts"),
        ({**ROWS[0], "facts": [3]}, "facts"),
        ({**ROWS[0], "facts": [[]]}, "facts"),
        ({**ROWS[0], "answerable": "也许"}, "answerable"),
        ({"question": "问？"}, "answerable"),
        ({**ROWS[0], "history": "你好"}, "history"),
        ({**ROWS[0], "history": [{"role": "system", "content": "x"}]}, "history"),
        ({**ROWS[0], "history": {"role": "user"}}, "history"),
        ({**ROWS[0], "relevant": [1]}, "relevant"),
        ({**ROWS[0], "fact": "9条"}, "fact"),
        ({**ROWS[0], "kind": ["x"]}, "kind"),
    ],
)
def test_a_wrong_field_is_named_with_file_and_line(write, row, field):
    path = write(ROWS[2], row)
    message = refusal(path)
    assert f"{path}:2" in message
    assert field in message


def test_every_problem_is_told_at_once(write):
    message = refusal(write({**ROWS[0], "question": ""}, ROWS[1], ROWS[1]))
    assert ":1 " in message
    assert ":3 " in message
    assert "重复" in message


def test_broken_json_at_line_5000(write):
    rows = [{**ROWS[2], "id": str(number)} for number in range(6000)]
    path = write(*rows[:4999], '{"id": "x", "question', *rows[5000:])
    assert f"{path}:5000" in refusal(path)


def test_half_an_emoji_is_one_problem_of_its_row(tmp_path, write):
    half = '{"question": "好的\\ud83d？", "facts": ["x"]}'
    path = write('{"question": "问？", "facts": ["x"]}', half, '{"question": "", "facts": ["x"]}')
    assert f"{path}:2" in refusal(path)
    assert r"\ud83d" in refusal(path)
    assert f"{path}:3" in refusal(path)
    whole = write('{"question": "好的\\ud83d\\ude00？", "facts": ["x"]}')
    assert load_questions(whole)[0].question == "好的😀？"
    cell = tmp_path / "set.csv"
    cell.write_text('question,facts\n问？,"[""\\ud83d""]"\n', encoding="utf-8")
    assert f"{cell}:2" in refusal(cell)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_column_that_is_there_twice_is_told(tmp_path, suffix):
    path = tmp_path / f"set{suffix}"
    write_table(path, [["question", "facts", "facts"], ["问？", "甲", "乙"]])
    assert "重复的列：'facts'" in refusal(path)
    write_table(path, [["question", "facts", "", ""], ["问？", "甲"]])
    assert load_questions(path)[0].facts == ("甲",)


def write_table(path, rows):
    if path.suffix == ".csv":
        path.write_text("".join(",".join(row) + "\n" for row in rows), encoding="utf-8")
        return
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)


def test_a_set_with_nothing_in_it(write):
    assert "没有一道题" in refusal(write(""))


def test_ten_thousand_questions_and_a_very_long_one(write):
    rows = [{**ROWS[2], "id": str(number)} for number in range(10_000)]
    rows[7]["question"] = "问" * 50_000
    assert len(load_questions(write(*rows))) == 10_000


def test_files_that_are_no_question_sets(tmp_path, write):
    assert "missing.jsonl" in refusal(tmp_path / "missing.jsonl")
    (tmp_path / "set.txt").write_text("x")
    assert ".jsonl" in refusal(tmp_path / "set.txt")
    (tmp_path / "set.xlsx").write_bytes(b"no workbook")
    assert "set.xlsx" in refusal(tmp_path / "set.xlsx")
    assert ":1" in refusal(write("[1, 2]"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(ROWS[1], JSON)))
def test_any_row_is_taken_or_refused_with_its_place(write, row):
    path = write(row)
    if row.get("question") and (questions := taken(path)):
        assert questions[0].question
    else:
        assert f"{path}:1" in refusal(path)


def taken(path):
    try:
        return load_questions(path)
    except QuestionSetError:
        return []


def test_one_homophone_typo_in_each_question_the_same_for_a_seed():
    questions = [
        Question(str(n), text, ("一",), True)
        for n, text in enumerate(["身份证丢了怎么补办", "公积金贷款利率是多少", "低保在哪里申请"])
    ]
    mistyped = with_typos(questions, 7)
    for right, wrong in zip(questions, mistyped, strict=True):
        pairs = list(zip(right.question, wrong.question, strict=True))
        [(a, b)] = [pair for pair in pairs if pair[0] != pair[1]]
        assert readings(a) & readings(b)
        assert wrong.id == right.id
    assert with_typos(questions, 7) == mistyped
    assert with_typos(questions, 8) != mistyped


@pytest.mark.parametrize("text", ["", "DeepSeek 2025", "？？"])
def test_what_has_no_homophone_is_not_mistyped(text):
    assert mistype(text, 1) == text
