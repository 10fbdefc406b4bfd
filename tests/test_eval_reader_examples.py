import csv
import json

from eval import reader_examples
from eval.questions import load_questions


def test_the_sets_hold_the_answers_as_they_stand_in_the_documents(tmp_path, monkeypatch):
    data = tmp_path / "shared"
    (data / "corpus").mkdir(parents=True)
    text = "停车办法\n首小时 免费，\n之后每小时3元。"
    row = {"id": "p1", "title": "停车办法", "text": text}
    (data / "corpus/guangzhou-policies.jsonl").write_text(
        json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    start = "停车办法首小时免费，".index("首小时")
    examples = tmp_path / "examples.tsv"
    examples.write_text(
        f"guangzhou-policies\ttaught\tp1\t{start}\t{start + 5}\t停车头一个钟头要钱不\n"
        "guangzhou-policies\ttaught\tp1\t\t\t停车场几点关门\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(reader_examples, "EXAMPLES", examples)
    reader_examples.main([str(data), str(tmp_path / "sets")])
    known, unknown = load_questions(tmp_path / "sets/guangzhou-policies-taught.jsonl")
    assert (known.question, known.facts) == ("停车头一个钟头要钱不", ("首小时 免费",))
    assert not unknown.answerable


def test_every_example_has_a_question_and_an_answer_of_some_length():
    with reader_examples.EXAMPLES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert {len(row) for row in rows} == {6}
    assert {row[1] for row in rows} == {"taught", "held"}
    for _, _, _, start, end, question in rows:
        assert question.strip()
        assert start == end == "" or int(start) < int(end)
