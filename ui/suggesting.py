"""Questions that the documents answer: to start with, and to go on with."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from assistant.chain import Assistant
from assistant.refusing import NEAR_FROM
from assistant.types import Answer
from knowledge.base import KnowledgeBase

SUGGESTIONS = 6
NEXT = 3  # after an answer
NEAR = 8  # passages that they are taken from
TRIED = 24  # titles that are tried at most
TRIED_NEXT = 6
LONGEST = 28  # characters
_ASKS = re.compile(r"谁|几|怎|如何|什么|哪|多少|多久|吗")
_SUBJECT = re.compile(r"谁|怎|如何|什么|哪|多少|多久|能不能|可以|[：:（(]")
# Words that offices' headings end in; any other noun would make a stiff question.
_NOUN = re.compile(
    r"(?:条件|材料|流程|程序|步骤|渠道|方式|方法|时限|期限|有效期|标准|范围|对象|情形|依据|凭证)$"
)
_ASIDE = re.compile(r"（[^）]*）$")


class Suggester:
    """Finds questions in titles and headings, and keeps those that are answered."""

    def __init__(self, base: KnowledgeBase) -> None:
        self._base = base
        # Never a chat model: nobody has asked yet.
        settings = base.settings.model_copy(update={"chat_model": ""})
        self._extractive = Assistant(base, settings)
        self._starts: Callable[[int], list[str]] = lru_cache(maxsize=1)(self._find_starts)

    def to_start(self) -> list[str]:
        """Return questions from all over the documents of now."""
        return list(self._starts(self._base.catalogue.version()))

    def to_go_on(self, answer: Answer) -> list[str]:
        """Return questions next to what was just asked."""
        found = self._base.search(answer.corrected_question, NEAR)
        hits = [hit for hit in found if hit.dense >= NEAR_FROM]
        if answer.refused and not hits:
            return self.to_start()[:NEXT]
        cited = {citation.document_id for citation in answer.citations}
        said = {citation.section.split(" / ")[-1] for citation in answer.citations}
        headings = [
            question_about(_short(hit.document.title), hit.passage.section[-1])
            for hit in found
            if hit.document.id in cited
            and hit.passage.section
            and hit.passage.section[-1] not in said
        ]
        others = [hit.document.title for hit in hits if hit.document.id not in cited]
        near = [one for one in headings if 0 < len(one) <= LONGEST] + questions_from(others)
        asked = {answer.question, answer.corrected_question}
        new = [one for one in dict.fromkeys(near) if one not in asked]
        return self._answered(new[:TRIED_NEXT], NEXT)

    def _find_starts(self, _version: int) -> list[str]:
        titles = [record.title for record in reversed(self._base.documents())]  # newest first
        return self._answered(_spread(questions_from(titles)), SUGGESTIONS)

    def _answered(self, questions: Iterable[str], limit: int) -> list[str]:
        # As typed: what stands in the documents needs no mending, and no counts of its own.
        asked = ((q, self._extractive.ask(q, as_typed=True).answer()) for q in questions)
        found = (question for question, answer in asked if not answer.refused)
        return [question for question, _ in zip(found, range(limit), strict=False)]


def questions_from(titles: Sequence[str]) -> list[str]:
    """Return titles as questions: those that ask already, else all that are short enough."""
    short = [title for title in dict.fromkeys(map(_short, titles)) if len(title) <= LONGEST]
    asking = [title for title in short if _ASKS.search(title)]
    if len(asking) >= SUGGESTIONS:
        return asking
    named = (title.strip("《》") for title in short if title not in asking)
    return asking + [f"《{title}》讲了什么" for title in named]


def question_about(title: str, heading: str) -> str:
    """Return what a section of a document answers as one would ask it; empty if it can't be said.

    ``低保怎么申请`` and ``发多少`` make ``低保，发多少``.
    """
    subject = _SUBJECT.split(title)[0].strip("《》").rstrip("有是的要能、，和")
    if not subject:
        return ""
    if _ASKS.search(heading):
        return heading if subject in heading else f"{subject}，{heading}"
    named = _NOUN.search(heading) and heading not in subject and "了" not in subject
    of = "，" if "的" in heading else "的"
    return f"{subject}{of}{heading}是什么" if named else ""


def _short(title: str) -> str:
    return _ASIDE.sub("", title)


def _spread(questions: Sequence[str]) -> list[str]:
    """Return some of them from all over the list, best spread first."""
    step = max(1, len(questions) // SUGGESTIONS)
    return [one for start in range(step) for one in questions[start::step]][:TRIED]
