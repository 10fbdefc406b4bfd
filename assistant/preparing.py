"""From a question to what is known of it: what it means, what was found, whether that answers."""

import re
from collections.abc import Callable, Sequence, Set
from dataclasses import replace
from typing import Any

from langchain_core.runnables import Runnable, RunnableLambda

from assistant.asking import understand
from assistant.composing import Rewriter
from assistant.continuing import Continuing
from assistant.counties import Counties, cities_asked_about, without_places
from assistant.evidence import ANSWERABLE_FROM, Evidence, elsewhere, judge
from assistant.extractive import excerpts
from assistant.follow_ups import stand_alone
from assistant.injection import without_orders
from assistant.intents import Intents, worth_searching
from assistant.localities import is_of, without_others
from assistant.matters import Matters
from assistant.reader import Reader
from assistant.reranking import rerank
from assistant.sentences import candidates, likeliest
from assistant.several import Asked, checked, headed, questions_of, unsaid
from assistant.topics import topic_of
from assistant.types import Turn
from assistant.wording import everyday
from knowledge.base import KnowledgeBase
from knowledge.places import counties_of
from knowledge.queries import Weighed
from knowledge.types import Hit

HITS = 8
CANDIDATES = 100  # looked through for those of one document
# From this score on what is left is told where another county's answered best, and an answer is not
# looked for in other words. Set by hand.
SURE_FROM = 0.85
_DOING = re.compile(r"^(?:办理?|申请|申领|领取?|补办|查询?|享受|缴纳|交|取)(?=..)")
_MAY_BE_HEADED = {"not_found", "not_covered", "answered"}
# Of one question, typos mended: ``corrected``, ``history``, ``told`` (the documents quoted for the
# questions before it), ``single``, ``part``, ``alone`` (it stands alone), ``query`` (the same in
# the documents' words), ``decided`` (without a search), ``places`` (whose rules are asked for),
# ``hits``, ``asked``, ``missed`` (the counties it asks about where another's answers best) and
# ``evidence``; with ``within`` only these documents are looked at.
State = dict[str, Any]


class Preparation:
    """Everything between a question, typos mended, and the first word said to it."""

    def __init__(
        self,
        base: KnowledgeBase,
        intents: Intents,
        matters: Matters,
        reader: Reader,
        rewriter: Rewriter | None,
    ) -> None:
        """Compose the steps; ``rewriter`` writes follow-ups out, rules do without."""
        self._base = base
        self._intents = intents
        self._matters = matters
        self._rewriter = rewriter
        self._reader = reader
        self._search = self._search_chain()
        self._continuing = Continuing(base, self._search, self._query)
        self._steps = self._chain()

    def of(self, question: str, history: Sequence[Turn]) -> list[State]:
        """Prepare each of several questions; one as a whole, and several that are all refused.

        One that is not allowed is refused with all that stands around it.
        """
        harmful = self._intents.name(question) == "not_allowed"
        parts = [Asked(question)] if harmful else questions_of(question, follows=bool(history))
        states: list[State] = []
        said, told = list(history), set[str]()
        for part in parts:
            states.append(self._prepared(part, said, told, single=len(parts) == 1))
            if len(parts) > 1 and not states[-1]["evidence"].refused:
                told = told | {hit.document.id for hit in _quoted(states[-1])}
            said.append(Turn("user", part.question))
        for state in states:
            if state["evidence"].status == "not_allowed":
                return [state]
        if len(states) > 1 and all(state["evidence"].refused for state in states):
            return [self._as_one(question, history, states)]
        return [_looked_up(state, states) for state in states]

    def _prepared(
        self, asked: Asked, history: Sequence[Turn], told: Set[str] = frozenset(), *, single: bool
    ) -> State:
        given = {"corrected": asked.question, "history": history, "told": told, "single": single}
        state = self._anywhere(self._in_other_words(self._steps.invoke(given)))
        state = {**self._continuing.carried_on(state), "part": asked}
        if asked.attribute and state["hits"]:
            topic = asked.topic or state["query"].removesuffix(state["corrected"])
            asked = replace(asked, topic=topic)
            state["hits"] = _saying(asked, state)
            weigh = self._base.term_weights
            state["evidence"] = checked(asked, state["evidence"], _quoted(state), weigh)
        return state

    def _in_other_words(self, state: State) -> State:
        """Ask once more in what else documents say for lay words, where the answer is not sure.

        Of two answers the surer one is taken.
        """
        evidence, query = state["evidence"], self._base.synonyms.reworded(state["query"])
        sure = not evidence.refused and evidence.score >= SURE_FROM
        if sure or state["decided"] or query == state["query"]:
            return state
        found: State = self._search.invoke({**state, "query": query})
        surer = evidence.refused or found["evidence"].score > evidence.score
        return found if surer and not found["evidence"].refused else state

    def _anywhere(self, state: State) -> State:
        """Ask once more without the own city where it is refused, and answer from general rules.

        A guide for the whole country names no city, and so seems to say nothing of this one.
        """
        city = self._base.city()
        if not city or state["decided"] or not state["evidence"].refused:
            return state
        own = {city, *counties_of(city)}
        query, alone = (without_places(state[of], own) for of in ("query", "alone"))
        if not query or query == state["query"]:
            return state
        found: State = self._search.invoke({**state, "query": query, "alone": alone})
        best = likeliest(candidates(found["asked"], found["hits"]))
        if found["evidence"].refused or not best or self._counties.places_of(best.hit):
            return state
        return {**found, "query": state["query"], "alone": state["alone"]}

    def _chain(self) -> Runnable[State, State]:
        return (
            _step("alone", self._alone)
            | _step("query", lambda one: self._query(one["alone"]))
            | _step("decided", lambda one: self._intents.decide(one["corrected"], one["query"]))
            | _step("places", lambda one: self._places(one["query"]))
            | self._search
        )

    def _search_chain(self) -> Runnable[State, State]:
        return (
            _step("hits", self._hits)
            | _step("hits", self._of_the_places)
            | _step("asked", self._understood)
            | _step("missed", lambda one: self._counties.missed(one["asked"], one["hits"]))
            | _step("hits", self._of_the_county)
            | _step("evidence", self._evidence)
        )

    def _query(self, alone: str) -> str:
        return alone if self._intents.is_small_talk(alone) else self._base.worded(alone)

    def _alone(self, state: State) -> str:
        base, history = self._base, state["history"]
        question: str = state["corrected"]
        if self._intents.is_small_talk(question):
            return question
        alone = stand_alone(
            question,
            history,
            lambda text: base.search(text, HITS),
            base.term_weights,
            base.embeddings.encode,
        )
        # Rules do for parts of a question.
        if self._rewriter and state["single"] and alone != question:
            alone = self._rewriter.rewrite(question, history) or alone
        return alone

    def _hits(self, state: State) -> list[Hit]:
        if not worth_searching(state["decided"]):
            return []
        query, within = state["query"], state.get("within")
        if within:
            found = self._base.search(query, CANDIDATES)
            return without_orders([hit for hit in found if hit.document.id in within][:HITS])
        if self._counties.named(query):  # whose rule it is counts first
            return without_orders(self._base.search(query, HITS))
        # What is asked for may not decide among the passages where a part of a question has few
        # words of its topic, or one's own records are asked for and a guide is the nearest thing.
        decides = state["single"] and not state["decided"]
        hits = self._base.search(query, HITS, rerank=rerank if decides else None)
        return without_orders(_of_the_topic(query, hits))

    def _places(self, query: str) -> set[str]:
        """Return the cities whose rules are asked for; none where it is a county's."""
        return set() if self._counties.named(query) else cities_asked_about(query)

    def _of_the_places(self, state: State) -> list[Hit]:
        """Leave out what is of other places, unless all is: then the place is missed."""
        hits: list[Hit] = state["hits"]
        read, places = self._base.text, state["places"]
        left = without_others(hits, places, read) if places else hits
        known = any(is_of(hit, places, read) for hit in left)
        return left if known or not cities_asked_about(state["query"]) else hits

    def _understood(self, state: State) -> Weighed:
        wording = everyday(state["alone"])
        return understand(state["query"], self._base.term_weights, self._reader.read, wording)

    @property
    def _counties(self) -> Counties:
        return Counties(counties_of(self._base.city()), self._base.text)

    def _of_the_county(self, state: State) -> list[Hit]:
        missed = bool(state["missed"])
        return self._counties.only(state["query"], state["hits"], certainly=missed)

    def _evidence(self, state: State) -> Evidence:
        decided: Evidence | None = state["decided"]
        if decided:
            return decided
        base = self._base
        found = judge(state["asked"], state["hits"], base, self._matters, self._counties)
        if state["missed"] and found.score < SURE_FROM:
            score = min(found.score, ANSWERABLE_FROM)
            return replace(elsewhere(score, state["missed"]), status="not_found")
        return found

    def _as_one(self, question: str, history: Sequence[Turn], states: Sequence[State]) -> State:
        """Prepare several questions that are all refused as one; attributes stay unsaid."""
        state = self._prepared(Asked(question), history, single=True)
        names = [one["part"].name for one in states if one["part"].name]
        statuses = {one["evidence"].status for one in states}
        known = state["evidence"].status in {"answered", "partial", "not_covered"}
        if (known or statuses == {"not_covered"}) and len(names) == len(states):
            state["evidence"] = unsaid(names, state["evidence"].score)
        return state


def _of_the_topic(question: str, hits: list[Hit]) -> list[Hit]:
    """Leave what is titled with the topic; all, where the first hit has it in a heading only.

    How long one matter takes is no answer to how long another does, however well it says it.
    """
    name = topic_of(question).name
    if not any(name in hit.document.title for hit in hits):
        name = _DOING.sub("", name)  # 申请低保 is titled 低保怎么申请
    titled = [hit for hit in hits if name in hit.document.title]
    if len(name) < 2 or not titled:
        return hits
    headed = any(name in heading for heading in hits[0].passage.section)
    return hits if headed and name not in hits[0].document.title else titled


def _quoted(state: State) -> list[Hit]:
    return [excerpt.hit for excerpt in excerpts(state["asked"], state["hits"])]


def _saying(asked: Asked, state: State) -> list[Hit]:
    """Leave what says the attribute asked for, of the document that would be quoted without it."""
    hits: list[Hit] = state["hits"]
    quoted = _quoted(state)
    if not asked.attribute or any(asked.attribute.is_said(hit.passage.text) for hit in quoted):
        return hits
    of = [hit for hit in hits if hit.document.id == quoted[0].document.id]
    return [hit for hit in of if asked.attribute.is_said(hit.passage.text)] or hits


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


def _step(name: str, work: Callable[[State], Any]) -> Runnable[State, State]:
    """Add a value to the state, in the thread that asks.

    ``RunnablePassthrough.assign`` would start a thread for each step, and each thread opens the
    catalogue anew: three quarters of the time of a question in a large home went there.
    """
    return RunnableLambda(lambda state: {**state, name: work(state)}, name=name)
