"""What a conversation is about holds on: its place, and the document that was quoted last.

A question that names no place and is no follow-up by its words would be answered for whichever
city's document says it best.
"""

import re
from collections.abc import Callable, Iterator, Sequence, Set
from typing import Any

from langchain_core.runnables import Runnable

from assistant.counties import cities_asked_about, cities_named
from assistant.evidence import ANSWERABLE_FROM, elsewhere
from assistant.extractive import excerpts
from assistant.localities import is_of, is_of_another, last_asked_about
from assistant.topics import few, only_asks
from assistant.types import Turn
from knowledge.base import KnowledgeBase
from knowledge.places import province_of
from knowledge.types import Hit

LOOKED_UP = 100  # characters of the last answer
FOUND = 3
State = dict[str, Any]  # as in ``preparing``


class Continuing:
    """Asks once more of what the conversation is about."""

    def __init__(
        self, base: KnowledgeBase, search: Runnable[State, State], query: Callable[[str], str]
    ) -> None:
        """Ask of a knowledge base.

        Args:
            base: Where the answers come from.
            search: Finds and judges what is known of a question.
            query: Puts a question into the documents' words.
        """
        self._base = base
        self._search = search
        self._query = query

    def carried_on(self, state: State) -> State:
        """Return what is known of a question for the place of the conversation.

        What is answered for that place, or for any, is left as it is, and so is what names its own
        place. What only documents of other places say is refused.
        """
        places = last_asked_about(state["history"])
        if not self._may_be_of_another(state, places):
            return state
        if self._base.city() and state["alone"] != state["corrected"]:
            return self._of_another_city(state, places)
        cited = self._cited(state)
        if not state["evidence"].refused and not self._is_of_another(state, places, cited):
            return state
        last = state
        for one in self._asked_again(state, places, cited):
            last = self._search.invoke(one)
            if not last["evidence"].refused and self._is_told_of(last, places, cited):
                return last
        if places:
            return self._of_none(state, places)
        return last if _leans(state) else state

    def _of_another_city(self, state: State, places: Set[str]) -> State:
        """Ask of another than the own city, whose guides often name none and answer for any."""
        one = next(self._asked_again(state, places, set()), None)
        found: State = self._search.invoke(one) if one else state
        if not found["evidence"].refused:
            return found
        return {**found, "evidence": elsewhere(found["evidence"].score, sorted(places))}

    def _may_be_of_another(self, state: State, places: Set[str]) -> bool:
        if state["decided"] or cities_asked_about(state["corrected"]):
            return False
        city = self._base.city()
        own = {city, province_of(city)}
        if city and (not places or own & places):  # all documents are of it, or of none
            return False
        return bool(places) or not state["evidence"].refused

    def _asked_again(self, state: State, places: Set[str], cited: Set[str]) -> Iterator[State]:
        """Yield the question asked of the places, then within the document quoted last."""
        bare = [] if only_asks(state["corrected"]) else [state["corrected"]]
        worded = {state["alone"], *bare}
        for alone in sorted(worded, key=len, reverse=True):
            if places and not cities_asked_about(alone):
                whole = f"{'、'.join(sorted(places))}{alone}"
                query = self._query(whole)
                yield {**state, "alone": whole, "query": query, "places": places}
        if cited and not state["evidence"].refused:
            yield {**state, "within": cited}

    def _of_none(self, state: State, places: Set[str]) -> State:
        """Return what documents say that are of no place, or that it is said of others only."""
        found: State = self._search.invoke({**state, "places": places})
        if not found["evidence"].refused and not self._is_of_another(found, places, frozenset()):
            return found
        if not state["evidence"].refused:
            return {**state, "evidence": elsewhere(ANSWERABLE_FROM, sorted(places))}
        return found if found["hits"] else state

    def _is_told_of(self, state: State, places: Set[str], cited: Set[str]) -> bool:
        read = self._base.text
        return all(
            hit.document.id in cited or is_of(hit, places, read) for hit in self._quoted(state)
        )

    def _is_of_another(self, state: State, places: Set[str], cited: Set[str]) -> bool:
        """Tell whether any quote is of another place, where none is known than those cited."""
        if not places and not cited:
            return False
        read = self._base.text
        wanted = places or {name for one in cited for name in cities_named(read(one))}
        return any(
            hit.document.id not in cited and is_of_another(hit, wanted, read)
            for hit in self._quoted(state)
        )

    @staticmethod
    def _quoted(state: State) -> list[Hit]:
        found = excerpts(state["asked"], state["hits"])
        return [one.hit.cut(one.start, one.end) for one in found]

    def _cited(self, state: State) -> Set[str]:
        """Return the documents that were quoted last."""
        told: Set[str] = state["told"]
        return told or self._last_cited(state["history"])

    def _last_cited(self, history: Sequence[Turn]) -> Set[str]:
        said = next((turn.content for turn in reversed(history) if turn.role == "assistant"), "")
        quote = max(re.split(r"\[\d+\]|\n", said), key=len).strip()[:LOOKED_UP]
        if not quote:
            return set()
        found = self._base.search(quote, FOUND)
        return {hit.document.id for hit in found if quote in self._base.text(hit.document.id)}


def _leans(state: State) -> bool:
    """Tell whether a question says nothing without the one before it."""
    return few(state["corrected"]) or only_asks(state["corrected"])
