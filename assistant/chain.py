"""The retrieval chain: a question in, a cited answer or a refusal out."""

import time
from collections.abc import Generator, Mapping, Sequence
from typing import Any

from langchain_core.runnables import Runnable, RunnableLambda, RunnablePassthrough

from assistant.asking import understand
from assistant.composing import Composed, Composer
from assistant.evidence import Evidence, judge
from assistant.extractive import ExtractiveComposer
from assistant.follow_ups import stand_alone
from assistant.questions import check
from assistant.refusing import refusal
from assistant.reply import Reply, Resolved, Understood
from assistant.spelling import Spelling
from assistant.types import Answer, Delta, Turn
from knowledge.base import KnowledgeBase
from knowledge.settings import Settings

HITS = 8


class Assistant:
    """Answers from one knowledge base. Safe to ask from many threads."""

    def __init__(
        self,
        base: KnowledgeBase,
        settings: Settings | None = None,
        composer: Composer | None = None,
    ) -> None:
        """Compose the chain.

        Args:
            base: Where the answers come from.
            settings: Those of the base if not given.
            composer: Put in place of the one that the settings ask for.
        """
        self._base = base
        self._composer = composer or _composer(base, settings or base.settings)
        self._spelling = Spelling(base.catalogue)
        self._prepare = _preparation(base, self._spelling)

    def ask(self, question: str, history: Sequence[Turn] = (), *, as_typed: bool = False) -> Reply:
        """Return the reply to a question; it is composed while it is read.

        Args:
            question: In the citizen's own words.
            history: The conversation so far.
            as_typed: Take every word as it stands; no typo is mended.

        Raises:
            QuestionError: The question is empty or too long.
        """
        return Reply(self._run(check(question), history, as_typed=as_typed))

    def warm(self) -> None:
        """Load what the first question would have to wait for."""
        self._base.search("办事", limit=1)
        self._spelling.correct("办事")

    def _run(
        self, question: str, history: Sequence[Turn], *, as_typed: bool
    ) -> Generator[Delta | Understood, None, Resolved]:
        started = time.perf_counter()
        state = self._prepare.invoke(
            {"question": question, "history": history, "as_typed": as_typed}
        )
        evidence: Evidence = state["evidence"]
        hits = () if evidence.refused else state["hits"]
        yield Understood(state["corrected"], state["query"], hits)
        if evidence.refused:
            composed = yield from refusal(evidence, state["hits"])
        else:
            composed = yield from self._composer.compose(state["query"], state["hits"], history)
        return Resolved(_answer(state, composed, started), state["hits"], evidence)


def _preparation(
    base: KnowledgeBase, spelling: Spelling
) -> Runnable[dict[str, Any], dict[str, Any]]:
    """Everything before the first word: from the question as typed to the evidence."""
    return (
        RunnablePassthrough.assign(
            corrected=RunnableLambda(
                lambda s: s["question"] if s["as_typed"] else spelling.correct(s["question"])
            )
        )
        | RunnablePassthrough.assign(
            query=RunnableLambda(
                lambda s: stand_alone(
                    s["corrected"], s["history"], lambda q: base.search(q, HITS), base.term_weights
                )
            )
        )
        | RunnablePassthrough.assign(hits=RunnableLambda(lambda s: base.search(s["query"], HITS)))
        | RunnablePassthrough.assign(
            evidence=RunnableLambda(
                lambda s: judge(understand(s["query"], base.term_weights), s["hits"])
            )
        )
    )


def _composer(base: KnowledgeBase, settings: Settings) -> Composer:
    extractive = ExtractiveComposer(base.term_weights)
    if not settings.chat_model:
        return extractive
    raise NotImplementedError


def _answer(state: Mapping[str, Any], composed: Composed, started: float) -> Answer:
    evidence: Evidence = state["evidence"]
    return Answer(
        question=state["question"],
        corrected_question=state["corrected"],
        answer=composed.text,
        status=evidence.status,
        refused=evidence.refused,
        reason=evidence.reason,
        missing=evidence.missing,
        citations=composed.citations,
        mode=composed.mode,
        seconds=round(time.perf_counter() - started, 4),
    )
