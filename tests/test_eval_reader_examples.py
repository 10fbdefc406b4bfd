import io
import json
import tarfile

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
    _examples(
        tmp_path,
        monkeypatch,
        ("guangzhou-policies", "taught", "p1", "", "", start, start + 5, "停车头一个钟头要钱不"),
        ("guangzhou-policies", "taught", "p1", "", "", "", "", "停车场几点关门"),
    )
    reader_examples.main([str(data), str(tmp_path / "sets")])
    known, unknown = load_questions(tmp_path / "sets/guangzhou-policies-taught.jsonl")
    assert (known.question, known.facts) == ("停车头一个钟头要钱不", ("首小时 免费",))
    assert not unknown.answerable


def test_of_a_law_only_what_the_writer_of_the_questions_saw_is_written(tmp_path, monkeypatch):
    text = "# 养犬法\n第一条 养犬要登记。\n第二条 遛犬要牵绳。\n第三条 咬人要赔。"
    data = tmp_path / "shared"
    (data / "corpus").mkdir(parents=True)
    with tarfile.open(data / "corpus/laws.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("laws/养犬法(2020-01-01).md")
        member.size = len(text.encode())
        archive.addfile(member, io.BytesIO(text.encode()))
    first, last = text.index("第二条"), text.index("第三条")
    name = "养犬法(2020-01-01)"
    _examples(tmp_path, monkeypatch, ("laws", "taught", name, first, last, 3, 8, "出门遛狗要拴不"))
    reader_examples.main([str(data), str(tmp_path / "sets")])
    (known,) = load_questions(tmp_path / "sets/laws-taught.jsonl")
    assert known.facts == ("遛犬要牵绳",)
    seen = (tmp_path / "sets/laws" / f"{name}.md").read_text(encoding="utf-8")
    assert seen == "第二条 遛犬要牵绳。\n"


def _examples(tmp_path, monkeypatch, *rows):
    path = tmp_path / "examples.tsv"
    lines = ("\t".join(map(str, row)) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")
    monkeypatch.setattr(reader_examples, "EXAMPLES", path)


def test_every_example_has_a_question_and_an_answer_of_some_length():
    examples = reader_examples.examples()
    assert {example.part for example in examples} == {"taught", "held", "measured"}
    for example in examples:
        assert example.question.strip()
        assert example.first == example.last == "" or int(example.first) < int(example.last)
        assert example.start == example.end == "" or int(example.start) < int(example.end)
