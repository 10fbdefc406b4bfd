"""BEIR folders: documents split as in production, ranked by their best passage."""

import json

import pytest

from eval.datasets import load_beir
from eval.errors import QuestionSetError
from eval.ranking import RANKING_MEASURES
from eval.retrieval import Plan, evaluate_retrieval
from knowledge.base import KnowledgeBase
from knowledge.readers import read_documents
from knowledge.settings import load_settings

TEXTS = {
    "fund": ("公积金提取", "离休、退休的职工可以提取住房公积金账户余额，由单位核实后办理。" * 30),
    "card": ("", "居住证办理指南。在本市居住半年以上的，可以申领居住证，每年签注一次。"),
    "wage": ("工资支付", "用人单位拖欠工资的，劳动者可以向劳动保障监察机构投诉。"),
    "bus": ("公交优待", "六十五岁以上的老人凭证免费乘坐公交车。"),
}
QUERIES = {
    "q1": "退休后怎么取公积金",
    "q2": "居住证多久签注",
    "q3": "老板欠薪找谁投诉",
    "q4": "没有判定",
}
QRELS = "query-id\tcorpus-id\tscore\nq1\tfund\t1\nq2\tcard\t1\nq3\twage\t2\nq3\tbus\t0\n"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "beir"
    folder.mkdir()
    lines(
        folder / "corpus.jsonl", [{"_id": i, "title": t, "text": x} for i, (t, x) in TEXTS.items()]
    )
    lines(folder / "queries.jsonl", [{"_id": i, "text": x} for i, x in QUERIES.items()])
    (folder / "qrels.tsv").write_text(QRELS)
    return folder


def lines(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


@pytest.fixture
def settings(tmp_path):
    """Settings whose caches lie in the test's own folder."""
    own = load_settings(home=tmp_path / "usual-home")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/models").symlink_to(own.model_cache)
    return own.model_copy(update={"model_cache": tmp_path / "cache/models"})


@pytest.mark.parametrize("system", ["ours", "bm25", "dense"])
@pytest.mark.parametrize("whole", [False, True])
def test_each_system_finds_what_is_plain(folder, settings, system, whole):
    result = evaluate_retrieval(Plan(load_beir(folder), settings, system, whole))
    assert set(RANKING_MEASURES) < set(result)
    assert all(result[name] == 1 for name in RANKING_MEASURES)
    assert result["queries"] == 3  # what is not judged is not asked
    assert (result["passages"] == 4) is whole


def test_the_plain_pipeline(folder, settings):
    pytest.importorskip("langchain_chroma")
    pytest.importorskip("langchain_text_splitters")
    plan = Plan(load_beir(folder), settings, "langchain")
    first = evaluate_retrieval(plan)
    assert first["recall@100"] == 1
    assert first["embeddings"] in {"onnx", "sentence-transformers"}
    assert evaluate_retrieval(plan)["passages"] == first["passages"]  # taken up, not added again


def test_the_second_time_nothing_is_ingested(folder, settings):
    first = evaluate_retrieval(Plan(load_beir(folder), settings))
    with KnowledgeBase(load_settings(home=first["home"])) as base:
        version = base.catalogue.version()
    assert evaluate_retrieval(Plan(load_beir(folder), settings))["home"] == first["home"]
    with KnowledgeBase(load_settings(home=first["home"])) as base:
        assert base.catalogue.version() == version


def test_another_corpus_has_another_home(folder, settings):
    before = evaluate_retrieval(Plan(load_beir(folder), settings))["home"]
    with (folder / "corpus.jsonl").open("a") as file:
        file.write('{"_id": "new", "title": "新", "text": "新的一篇。"}\n')
    assert evaluate_retrieval(Plan(load_beir(folder), settings))["home"] != before


def test_the_usual_home_is_used_only_if_it_holds_the_corpus(folder, settings):
    with KnowledgeBase(settings) as base:
        first, *others = read_documents(folder / "corpus.jsonl")
        base.add(first)
        plan = Plan(load_beir(folder), settings)
        assert evaluate_retrieval(plan)["home"] != str(settings.home)
        assert base.catalogue.count()[0] == 1
        list(base.add_all(others))
    assert evaluate_retrieval(plan)["home"] == str(settings.home)


def test_a_chosen_home_is_filled_with_what_is_missing(folder, settings, tmp_path):
    chosen = tmp_path / "chosen"
    with KnowledgeBase(load_settings(home=chosen)) as base:
        base.add(next(iter(read_documents(folder / "corpus.jsonl"))))
    result = evaluate_retrieval(Plan(load_beir(folder), settings, home=chosen))
    assert result["home"] == str(chosen)
    assert result["recall@5"] == 1


def test_a_limit_takes_the_first_queries(folder):
    assert list(load_beir(folder, 2).queries) == ["q1", "q2"]


def test_qrels_in_a_folder_of_their_own(folder):
    (folder / "qrels").mkdir()
    (folder / "qrels.tsv").rename(folder / "qrels/test.tsv")
    assert load_beir(folder).judgements["q3"] == {"wage": 2}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("qrels.tsv", "q1\tfund\n", "qrels.tsv:1"),
        ("qrels.tsv", "q1\tfund\thigh\n", "qrels.tsv:1"),
        ("qrels.tsv", "", "没有一个查询"),
        ("queries.jsonl", '{"_id": "q1"}\n', "queries.jsonl:1"),
        ("queries.jsonl", "{\n", "queries.jsonl:1"),
        ("queries.jsonl", "", "queries.jsonl"),
        ("corpus.jsonl", None, "corpus.jsonl"),
        ("qrels.tsv", None, "qrels.tsv"),
    ],
)
def test_a_folder_that_cannot_be_used_says_why(folder, name, content, message):
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises(QuestionSetError, match=message):
        load_beir(folder)


def test_a_document_that_cannot_be_read_says_where(folder, settings):
    with (folder / "corpus.jsonl").open("a") as file:
        file.write('{"_id": "bad", "title": "x"}\n')
    with pytest.raises(QuestionSetError, match=r"corpus\.jsonl:5"):
        evaluate_retrieval(Plan(load_beir(folder), settings))
