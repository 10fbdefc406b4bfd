"""The retrieval chain: a question in, a cited answer or a refusal out."""

import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import partial

from assistant.composing import UNSURE, Composed, Composer, Rewriter, finished
from assistant.evidence import Evidence
from assistant.extractive import ExtractiveComposer
from assistant.intents import Intents
from assistant.matters import Matters
from assistant.preparing import Preparation, State
from assistant.proofreader import Proofreader
from assistant.questions import LONGEST_QUESTION, check
from assistant.reader import Reader, Told
from assistant.refusing import refusal
from assistant.reply import Reply, Resolved, Understood
from assistant.several import Part, joined
from assistant.spelling import Spelling
from assistant.topics import opening
from assistant.types import Answer, Delta, Turn
from assistant.validity import beside, with_remarks
from assistant.wording import everyday
from knowledge.base import KnowledgeBase
from knowledge.models import default_folder
from knowledge.plaintext import clean_characters
from knowledge.settings import Settings

LOOKED_BACK = 20  # turns of a conversation


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
        trace_nothing()
        self._base = base
        model = partial(default_folder, base.settings)
        self._reader = Reader(model)
        self._composer = composer or _composer(base, settings or base.settings, self._reader)
        self._spelling = Spelling(base.catalogue, Proofreader(model))
        self._intents = Intents(lambda: base.embeddings)
        rewriter = self._composer if isinstance(self._composer, Rewriter) else None
        self._matters = Matters(lambda: base.embeddings, base.likeness)
        self._preparation = Preparation(base, self._intents, self._matters, self._reader, rewriter)

    def ask(self, question: str, history: Sequence[Turn] = (), *, as_typed: bool = False) -> Reply:
        """Return the reply to a question; it is composed while it is read.

        Args:
            question: In the citizen's own words.
            history: The conversation so far; of a long one the end counts.
            as_typed: Take every word as it stands; no typo is mended.

        Raises:
            QuestionError: The question is empty or too long.
        """
        said = [
            Turn(turn.role, clean_characters(turn.content[:LONGEST_QUESTION]))
            for turn in history[-LOOKED_BACK:]
        ]
        return Reply(self._run(check(clean_characters(question)), said, as_typed=as_typed))

    def warm(self) -> None:
        """Load what the first question would have to wait for."""
        self._base.search("办事", limit=1)
        self._spelling.correct("办事")
        _ = self._matters.vectors
        everyday("办事")
        self._reader.read("办事", [Told("", "办事")])

    def _run(
        self, question: str, history: Sequence[Turn], *, as_typed: bool
    ) -> Generator[Delta | Understood, None, Resolved]:
        started = time.perf_counter()
        corrected = question if as_typed else self._corrected(question)
        states = self._preparation.of(corrected, history)
        hits = [hit for state in states if not state["evidence"].refused for hit in state["hits"]]
        yield Understood(corrected, "；".join(state["query"] for state in states), hits)
        if len(states) == 1:
            evidence = states[0]["evidence"]
            composed = yield from self._compose(states[0], history)
        else:
            evidence, composed = self._compose_each(states, history)
            yield Delta(composed.text)
        answer = _answer(question, corrected, evidence, composed, started)
        return Resolved(answer, hits or states[0]["hits"], evidence)

    def _corrected(self, question: str) -> str:
        """Mend typos, but for what opens a question: a document would hardly begin so."""
        start = opening(question)
        return start + self._spelling.correct(question.removeprefix(start))

    def _compose(self, state: State, history: Sequence[Turn]) -> Generator[Delta, None, Composed]:
        asked = state["asked"]
        if state["evidence"].refused:
            refused = yield from refusal(state["evidence"], state["hits"], asked, self._base.text)
            return (yield from with_remarks(refused, state["hits"], self._base))
        before = "" if state["evidence"].sure else UNSURE
        if before:
            yield Delta(before)
        composed = yield from self._composer.compose(asked.question, state["hits"], history)
        composed = replace(composed, text=before + composed.text)
        return (yield from beside(composed, asked, state["hits"], self._base))

    def _compose_each(
        self, states: Sequence[State], history: Sequence[Turn]
    ) -> tuple[Evidence, Composed]:
        parts = []
        for state in states:
            evidence: Evidence = state["evidence"]
            if evidence.refused:
                composed = Composed(evidence.reason, (), "extractive")
            else:
                composed = finished(self._compose(state, history))
            parts.append(Part(state["part"], state["corrected"], evidence, composed))
        return joined(parts, self._base.term_weights)


def trace_nothing() -> None:
    """Keep LangChain from sending questions to LangSmith, whatever its variables say."""
    import langsmith

    langsmith.configure(enabled=False)


def _composer(base: KnowledgeBase, settings: Settings, reader: Reader) -> Composer:
    extractive = ExtractiveComposer(base.term_weights, reader.read, base.text)
    if not settings.chat_model:
        return extractive
    from assistant.generative import generative

    return generative(settings, base, extractive)


def _answer(
    question: str, corrected: str, evidence: Evidence, composed: Composed, started: float
) -> Answer:
    return Answer(
        question=question,
        corrected_question=corrected,
        answer=composed.text,
        status=evidence.status,
        refused=evidence.refused,
        reason=evidence.reason,
        missing=evidence.missing,
        citations=composed.citations,
        mode=composed.mode,
        seconds=round(time.perf_counter() - started, 4),
    )
