"""The retrieval chain: a question in, a cited answer or a refusal out."""

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any

from langchain_core.runnables import Runnable, RunnableLambda

from assistant.asking import understand
from assistant.composing import Composed, Composer, Rewriter, finished
from assistant.evidence import ANSWERABLE_FROM, Evidence, judge
from assistant.extractive import ExtractiveComposer, excerpts
from assistant.follow_ups import stand_alone
from assistant.injection import without_orders
from assistant.intents import Intents, worth_searching
from assistant.matters import Matters
from assistant.questions import check
from assistant.refusing import refusal
from assistant.reply import Reply, Resolved, Understood
from assistant.several import Asked, Part, checked, headed, joined, questions_of, unsaid
from assistant.spelling import Spelling
from assistant.topics import opening
from assistant.types import Answer, Delta, Turn
from assistant.validity import beside
from knowledge.base import KnowledgeBase
from knowledge.embedding import Vectors
from knowledge.places import counties_of
from knowledge.plaintext import clean_characters
from knowledge.settings import Settings
from knowledge.types import Hit

HITS = 8
_MAY_BE_HEADED = {"not_found", "not_covered", "answered"}
State = dict[str, Any]


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
        self._composer = composer or _composer(base, settings or base.settings)
        self._spelling = Spelling(base.catalogue)
        self._intents = Intents(lambda: base.embeddings)
        rewriter = self._composer if isinstance(self._composer, Rewriter) else None
        self._matters = Matters(lambda: base.embeddings, base.likeness)
        self._prepare = _preparation(base, self._intents, self._matters, rewriter)

    def ask(self, question: str, history: Sequence[Turn] = (), *, as_typed: bool = False) -> Reply:
        """Return the reply to a question; it is composed while it is read.

        Args:
            question: In the citizen's own words.
            history: The conversation so far.
            as_typed: Take every word as it stands; no typo is mended.

        Raises:
            QuestionError: The question is empty or too long.
        """
        said = [Turn(turn.role, clean_characters(turn.content)) for turn in history]
        return Reply(self._run(check(clean_characters(question)), said, as_typed=as_typed))

    def warm(self) -> None:
        """Load what the first question would have to wait for."""
        self._base.search("办事", limit=1)
        self._spelling.correct("办事")
        _ = self._matters.vectors

    def _run(
        self, question: str, history: Sequence[Turn], *, as_typed: bool
    ) -> Generator[Delta | Understood, None, Resolved]:
        started = time.perf_counter()
        corrected = question if as_typed else self._corrected(question)
        states = self._understand(corrected, history)
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

    def _understand(self, question: str, history: Sequence[Turn]) -> list[State]:
        """Prepare each of several questions; one as a whole, and several that are all refused.

        One that is not allowed is refused with all that stands around it.
        """
        harmful = self._intents.name(question) == "not_allowed"
        parts = [Asked(question)] if harmful else questions_of(question, follows=bool(history))
        states: list[State] = []
        said = list(history)
        for part in parts:
            states.append(self._prepared(part, said, single=len(parts) == 1))
            said.append(Turn("user", part.question))
        for state in states:
            if state["evidence"].status == "not_allowed":
                return [state]
        if len(states) > 1 and all(state["evidence"].refused for state in states):
            return [self._as_one(question, history, states)]
        return [_looked_up(state, states) for state in states]

    def _prepared(self, asked: Asked, history: Sequence[Turn], *, single: bool) -> State:
        given = {"corrected": asked.question, "history": history, "single": single}
        state: State = {**self._prepare.invoke(given), "part": asked}
        if asked.attribute and state["hits"]:
            topic = asked.topic or state["query"].removesuffix(state["corrected"])
            asked = replace(asked, topic=topic)
            weigh = self._base.term_weights
            state["evidence"] = checked(asked, state["evidence"], _quoted(state), weigh)
        return state

    def _as_one(self, question: str, history: Sequence[Turn], states: Sequence[State]) -> State:
        """Prepare several questions that are all refused as one; attributes stay unsaid."""
        state = self._prepared(Asked(question), history, single=True)
        names = [one["part"].name for one in states if one["part"].name]
        statuses = {one["evidence"].status for one in states}
        known = state["evidence"].status in {"answered", "partial", "not_covered"}
        if (known or statuses == {"not_covered"}) and len(names) == len(states):
            state["evidence"] = unsaid(names, state["evidence"].score)
        return state

    def _compose(self, state: State, history: Sequence[Turn]) -> Generator[Delta, None, Composed]:
        asked = state["asked"]
        if state["evidence"].refused:
            return (yield from refusal(state["evidence"], state["hits"], asked))
        composed = yield from self._composer.compose(state["query"], state["hits"], history)
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


def _quoted(state: State) -> list[Hit]:
    return [excerpt.hit for excerpt in excerpts(state["asked"], state["hits"])]


def _looked_up(state: State, states: Sequence[State]) -> State:
    """Answer what is asked of one thing from under its own heading, where it is known.

    A part asks with so few words that evidence and choice may miss what a heading announces.
    """
    if not state["part"].attribute or state["evidence"].status not in _MAY_BE_HEADED:
        return state
    answered = [one for one in (state, *states) if not one["evidence"].refused]
    told = _quoted(answered[0]) if answered else state["hits"]
    hits = headed(state["part"], state["hits"], told[0].document.id) if told else []
    evidence = Evidence(ANSWERABLE_FROM, "answered")
    return {**state, "hits": hits, "evidence": evidence} if hits else state


def trace_nothing() -> None:
    """Keep LangChain from sending questions to LangSmith, whatever its variables say."""
    import langsmith

    langsmith.configure(enabled=False)


def _preparation(
    base: KnowledgeBase, intents: Intents, matters: Matters, rewriter: Rewriter | None
) -> Runnable[State, State]:
    """Everything between one question, typos mended, and the first word said to it."""
    encode = _encoder(base)

    def query(state: State) -> str:
        question: str = state["corrected"]
        if intents.is_small_talk(question):
            return question
        alone = stand_alone(
            question,
            state["history"],
            lambda text: base.search(text, HITS),
            base.term_weights,
            base.embeddings.encode,
        )
        if rewriter and state["single"] and alone != question:  # rules do for parts of a question
            alone = rewriter.rewrite(question, state["history"]) or alone
        return base.worded(alone)

    def hits(state: State) -> list[Hit]:
        if not worth_searching(state["decided"]):
            return []
        return without_orders(base.search(state["query"], HITS))

    def evidence(state: State) -> Evidence:
        return state["decided"] or judge(
            state["asked"],
            state["hits"],
            lambda id_: _text(base, id_),
            matters,
            counties_of(base.city()),
        )

    return (
        _step("query", query)
        | _step("decided", lambda state: intents.decide(state["corrected"], state["query"]))
        | _step("hits", hits)
        | _step("asked", lambda state: understand(state["query"], base.term_weights, encode))
        | _step("evidence", evidence)
    )


def _step(name: str, work: Callable[[State], Any]) -> Runnable[State, State]:
    """Add a value to the state, in the thread that asks.

    ``RunnablePassthrough.assign`` would start a thread for each step, and each thread opens the
    catalogue anew: three quarters of the time of a question in a large home went there.
    """
    return RunnableLambda(lambda state: {**state, name: work(state)}, name=name)


def _text(base: KnowledgeBase, document_id: str) -> str:
    document = base.document(document_id)
    return document.text if document else ""


def _encoder(base: KnowledgeBase) -> Callable[[Sequence[str]], Vectors]:
    """Return what encodes texts; the model is loaded when it is first called."""
    return lambda texts: base.embeddings.encode(texts)  # noqa: PLW0108 - that loads it


def _composer(base: KnowledgeBase, settings: Settings) -> Composer:
    extractive = ExtractiveComposer(base.term_weights, _encoder(base))
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
