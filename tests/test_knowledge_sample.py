"""The bundled sample: what a first run has to say, and the questions asked of it."""

import json
import re
import unicodedata
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parents[1] / "knowledge" / "sample"
QUESTIONS = Path(__file__).parent / "data" / "sample_questions.jsonl"
SAMPLE_MARK = "> 示例文档：请由本地主管部门的正式办事指南替换。"
NEWSPAPER = "来源：《泉州晚报》2025年7月1日T14版"
LARGEST = 4096  # bytes

TEXTS = {path.name: path.read_text(encoding="utf-8") for path in sorted(SAMPLE.glob("*.md"))}
GUIDES = [name for name in TEXTS if name.startswith("guide-")]
ABOUT = [name for name in TEXTS if name.startswith("about-")]
NEWS = [name for name in TEXTS if name not in GUIDES + ABOUT]


def plain(text: str) -> str:
    """Without the differences that do not count: width, white space, thousands separators."""
    return re.sub(r"\s|(?<=\d),(?=\d{3})", "", unicodedata.normalize("NFKC", text))


def questions() -> list[dict]:
    return [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]


def holds(text: str, fact: str | list[str]) -> bool:
    alternatives = [fact] if isinstance(fact, str) else fact
    return any(plain(one) in plain(text) for one in alternatives)


def test_there_are_documents_of_every_kind_and_nothing_else():
    assert 20 <= len(TEXTS) <= 40
    assert NEWS
    assert ABOUT
    assert GUIDES
    assert {path.name for path in SAMPLE.iterdir()} == set(TEXTS)


@pytest.mark.parametrize("name", TEXTS)
def test_a_document_is_small_and_starts_with_its_title(name):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*\.md", name)
    assert len(TEXTS[name].encode()) <= LARGEST
    assert re.match(r"# \S.*\n\n", TEXTS[name])
    assert TEXTS[name].count("\n# ") == 0


def test_titles_differ():
    assert len({text.splitlines()[0] for text in TEXTS.values()}) == len(TEXTS)


@pytest.mark.parametrize("name", NEWS)
def test_a_fact_from_the_newspaper_names_it(name):
    assert TEXTS[name].splitlines()[-1] == NEWSPAPER


@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_says_that_it_is_a_sample_and_names_the_law(name):
    lines = TEXTS[name].splitlines()
    assert lines[2] == SAMPLE_MARK
    assert re.match(r"来源：《.+》第.+条", lines[-1])


@pytest.mark.parametrize("question", questions(), ids=lambda question: question["id"])
def test_one_document_holds_all_facts_of_a_question(question):
    facts = question["facts"]
    assert bool(facts) == question["answerable"]
    assert any(all(holds(text, fact) for fact in facts) for text in TEXTS.values())
