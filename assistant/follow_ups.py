"""A follow-up made into a question that stands alone, by rules.

A follow-up points back in one of a few ways: by a pronoun, by the bare last part of a name
("学院" for "商学院"), by the number of an item of the last answer, by naming only what is
different ("那外地的呢"), or not at all. In the last case the knowledge base decides: the question
continues the topic if passages about the topic say as much of what it asks for as any other.

Earlier questions are written out in the same way first: "那居住证呢" after "要多久" asks how long
that one takes.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from assistant.asking import understand
from assistant.attributes import attribute_of
from assistant.matters import named as named_matter
from assistant.topics import (
    ATTRIBUTE,
    CLOSING,
    LONGEST,
    OPENING,
    ORDINAL,
    PRONOUN,
    SHOULD,
    Topic,
    bare,
    few,
    names,
    names_another,
    only_asks,
    points_back,
    topic_of,
)
from assistant.types import Turn
from knowledge.embedding import Vectors
from knowledge.lexical import terms
from knowledge.queries import content
from knowledge.types import Hit

TURNS = 6  # of the citizen's, looked back at
TOPICS = 2  # tried for a question that does not point back
# A question continues the topic if a passage about it covers this share of what any passage does;
# more if the question has words of a title.
CONTINUES_FROM = 0.5
NAMED_CONTINUES_FROM = 0.9
# ... and if it covers this share of the question: what nothing tells of is no follow-up.
COVERED_FROM = 0.25
ABOUT_FROM = 0.5
# The last answer stands in a document whose passage has this share of its terms.
SAID_FROM = 0.6
LOOKED_UP = 100  # characters of the last answer
# Cosine from which on two words are of one kind, so that one stands in the other's place: 护照 in
# that of 身份证, but not 小孩.
LIKE_FROM = 0.5
LIKE_LONGEST = 10  # characters of such a word

_ITEM = re.compile(
    r"(?:^|[\s；;。：:])(?:[（(]?(?:\d{1,2}|[一二三四五六七八九十])[）).．、]|[-•·]\s)\s*"
)
_BROUGHT = re.compile(r"[带拿凭用持]$")  # 带户口本去哪办
# An item's number opens a question, or is supposed: 劳动合同法第三条 names no item.
_NAMES_ITEM = re.compile(rf"(?:如果|要是|我?(?:是|属于|符合)|按照?|选择?)*{ORDINAL.pattern}")
_ARTICLE = re.compile(r"[条款](?!件)")
_NUMERALS = "一二三四五六七八九十"
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d年|[去今明前]年")
_ANOTHER_YEAR = re.compile(rf"{_YEAR.pattern}|(?:19|20)\d\d")

Find = Callable[[str], Sequence[Hit]]
Weigh = Callable[[str], Mapping[str, float]]
Encode = Callable[[Sequence[str]], Vectors]


def stand_alone(
    question: str, history: Sequence[Turn], find: Find, weigh: Weigh, encode: Encode
) -> str:
    """Return the question with what it leaves unsaid, taken from the conversation so far.

    A question that names its own topic comes back as it is.

    Args:
        question: The citizen's newest.
        history: The conversation so far.
        find: Gives the best passages for a query.
        weigh: Gives the information content of a text's terms.
        encode: Gives the vectors of texts.
    """
    asked = [turn.content for turn in history if turn.role == "user"][-TURNS:]
    if not asked:
        return question
    said = [turn.content for turn in history if turn.role == "assistant"]
    follow_ups = _FollowUps(said[-1] if said else "", find, weigh, encode)
    return follow_ups.complete(question, follow_ups.told(asked))


@dataclass(frozen=True, slots=True)
class _Told:
    """What a conversation was about.

    Attributes:
        last: The last question, written out.
        topics: What was asked about, the last first; none twice.
        base: The last question, written out, that did more than name something else.
        subject: What that was about.
    """

    last: str
    topics: tuple[Topic, ...] = ()
    base: str = ""
    subject: Topic | None = None


@dataclass(frozen=True, slots=True)
class _FollowUps:
    answer: str  # the last one
    find: Find
    weigh: Weigh
    encode: Encode

    def told(self, asked: Sequence[str]) -> _Told:
        """Read the questions so far, in order."""
        told = _Told(asked[0])
        for question in asked:
            told = self._heard(question, told)
        return told

    def _heard(self, question: str, told: _Told) -> _Told:
        topics, other = told.topics, names_another(question)
        leans = bool(topics) and (points_back(question, topics) or self._adds(question, topics[0]))
        whole = self._written_out(question, told) if leans else question
        if leans and (not other or ATTRIBUTE.search(other) or other.endswith("的")):
            named = topics[0]
        else:
            named = topic_of(whole)
        if len(named.name) > 1:
            topics = (named, *(topic for topic in topics if topic.name != named.name))
        if other and leans:
            return replace(told, last=whole, topics=topics)
        return _Told(whole, topics, whole, named)

    def _adds(self, question: str, topic: Topic) -> bool:
        """Tell whether a question says little, and nothing that a document is about."""
        own = another_matter(question, topic.matter)
        return few(question) and not own and not _is_announced(question, self.find(question))

    def complete(self, question: str, told: _Told) -> str:
        """Return the question with what it leaves unsaid."""
        topics = told.topics
        if not topics:
            return f"{told.last} {question}" if few(question) else question
        if points_back(question, topics):
            return self._replace(question, told)
        if another_matter(question, topics[0].matter):
            return question
        found = self.find(question)
        announced = _is_announced(question, found)
        if few(question) and not announced:
            return self._replace(question, told)
        enough = NAMED_CONTINUES_FROM if announced else CONTINUES_FROM
        tried = [*topics[:TOPICS], *(() if announced else self._discussed(question, found, told))]
        return self._continue(question, found, tried, enough)

    def _discussed(self, question: str, found: Sequence[Hit], told: _Told) -> Iterator[Topic]:
        """Yield what the document is about that the last answer stands in, if none has it yet.

        Citizens name it once, and many questions later still mean it; not with two characters of
        another document's title, which may be a name.
        """
        topics = told.topics
        said = understand(re.sub(r"\[\d+\]", "", self.answer), self.weigh)
        query = f"{topics[0].name}{told.last} {said.question[:LOOKED_UP]}"
        for hit in self.find(query)[:1] if said.question else ():
            title = hit.document.title
            topic = topic_of(title)
            named = any(topic.name in known.name for known in topics[:TOPICS]) or any(
                names(question, f.document.title, 2) for f in found if f.document.title != title
            )
            if said.share(held(hit)) >= SAID_FROM and len(topic.name) > 1 and not named:
                yield topic

    def _replace(self, question: str, told: _Told) -> str:
        text = self._written_out(question, told)
        for topic in told.topics:
            if topic.name in text:
                known = _as_known(topic.name, self.find(text)) or topic.name
                return text.replace(topic.name, known, 1)
        return text

    def _written_out(self, question: str, told: _Told) -> str:
        """Return a question that points back with the topic in the place of what points at it."""
        if item := _from_list(question, self.answer, told.topics[0]):
            return item
        if other := names_another(question):
            return self._other(other, told)
        text = OPENING.sub("", question)
        if not content(text).strip():
            return told.last
        return _with_topic(text, told.topics)

    def _other(self, typed: str, told: _Told) -> str:
        """Return the question before, asked of something else, or for something else."""
        other, topic = CLOSING.sub("", typed), told.subject or told.topics[0]
        before = OPENING.sub("", told.base)
        if ATTRIBUTE.search(other):
            return f"{told.topics[0].matter}{other}"
        if _ANOTHER_YEAR.fullmatch(other) and _YEAR.search(before):
            return _YEAR.sub(f"{other.removesuffix('年')}年", before)
        if replaced := not typed.endswith("的") and self._replaced(other, topic.name, before):
            return before.replace(replaced, other, 1)
        return f"{typed}{before}"

    def _replaced(self, other: str, name: str, before: str) -> str:
        """Return what of a name another word stands for; nothing if it only narrows it down."""
        if name not in before:
            return ""
        if end := name.rfind(other[-1]) + 1:
            return name[max(0, name.find(other[:2])) : end]
        if _is_heading(other, self.find(other)):
            return name
        parts = list(_parts(name))
        vectors = self.encode([other, *parts])
        like = vectors[1:] @ vectors[0]
        best = int(like.argmax()) if parts else 0
        return parts[best] if parts and like[best] >= LIKE_FROM else ""

    def _continue(
        self, question: str, found: Sequence[Hit], topics: Sequence[Topic], enough: float
    ) -> str:
        """Put the topic before the question if its passages say what the question asks for."""
        own = understand(question, self.weigh)
        most = max((own.share(held(hit)) for hit in found), default=0.0)
        best = max(COVERED_FROM, enough * most), question
        for topic in topics:
            about = understand(topic.name, self.weigh)
            if own.share(about.weights.keys()) >= ABOUT_FROM:
                return question  # named again
            if known := _tell_of(topic, found[:1]):
                # Found all the same; but whether it is answered is judged by its words.
                return question if known in question else f"{known}{question}"
            for hit in self.find(f"{topic.name}{question}"):
                name = _as_known(topic.name, [hit])
                if not name and len(topic.name) > 2 and about.share(held(hit)) >= ABOUT_FROM:
                    name = topic.name
                covered = own.share(held(hit))
                if name and covered > best[0]:
                    best = covered, question if name in question else f"{name}{question}"
        return best[1]


def another_matter(question: str, topic: str) -> str:
    """Return the matter that a question asks nothing but an attribute of, if not the topic's.

    "护照多久" is about a passport, whatever came before; "户口本要带吗" may well be about that.
    """
    matter = named_matter(question, topic, lambda _: ()) if attribute_of(question) else ""
    before, _, after = question.partition(matter) if matter else ("", "", "")
    own = matter and only_asks(f"{before}{after}") and not _BROUGHT.search(before)
    return matter if own and not ATTRIBUTE.search(matter) else ""


def _with_topic(text: str, topics: Sequence[Topic]) -> str:
    for topic in topics:
        for found in bare(topic.name, text):
            return f"{text[: found.start()]}{_up_to(topic.name, found[1])}{text[found.end() :]}"
    if pronoun := PRONOUN.search(text):
        return f"{text[: pronoun.start()]}{topics[0].name}{text[pronoun.end() :]}"
    if SHOULD.match(text):  # 该怎么申请
        return f"{topics[0].name}{text[1:]}"
    return f"{topics[0].matter}{text}"


def _parts(name: str) -> Iterator[str]:
    """Yield what a name may begin or end with, and each of its parts."""
    for part in re.split(r"的|(?<=[年月日])|\W", name):
        for size in range(2, min(len(part), LIKE_LONGEST) + 1):
            yield part[:size]
            if size < len(part):
                yield part[-size:]


def _from_list(question: str, answer: str, topic: Topic) -> str:
    """Return the question with an item of the last answer where it names the item's number."""
    text = OPENING.sub("", question)
    found = _NAMES_ITEM.match(text)
    items = list(_items(answer, within=not _ARTICLE.search(found[0]))) if found else []
    if not found or not items:
        return ""
    at = len(items) if found[2] else _number(found[1])
    if not 1 <= at <= len(items):
        return ""
    return f"{topic.name}{items[at - 1]}{text[found.end() :]}"


def _items(answer: str, *, within: bool) -> Iterator[str]:
    """Yield the heads of a list's items; of one sentence, what stands ``within`` it between 、."""
    text = re.sub(r"\[\d+\]", "", answer)
    items = _ITEM.split(text)[1:]
    if len(items) < 2 and within:
        longest = max(re.split(r"[。；;：:\n]", text), key=lambda part: part.count("、"))
        items = re.split(r"、|和|及|以及", longest) if "、" in longest else []
    for item in items:
        head = re.split(r"[：:，,。；;（(\n]", item.strip())[0]
        yield head[:LONGEST]


def _number(numeral: str) -> int:
    return int(numeral) if numeral.isdecimal() else _NUMERALS.index(numeral) + 1


def _up_to(topic: str, head: str) -> str:
    return topic[: topic.rindex(head) + len(head)]


def _tell_of(topic: Topic, hits: Sequence[Hit]) -> str:
    """Return the topic's name as the hits have it; nothing if they tell of something else."""
    named = (hit.document.title for hit in hits if hit.document.title in topic.name)
    return _as_known(topic.name, hits) or next(named, "")


def _as_known(name: str, hits: Sequence[Hit]) -> str:
    """Return as much of a name's end as a title or a heading has; nothing if none has it.

    Citizens put a city or an owner before a name that its own documents go without.
    """
    for start in range(max(1, len(name) - 2)):
        if any(name[start:] in above for hit in hits for above in _above(hit)):
            return name[start:]
    return ""


def _is_announced(question: str, hits: Sequence[Hit]) -> bool:
    return any(names(question, line) for hit in hits for line in _above(hit))


def _is_heading(word: str, hits: Sequence[Hit]) -> bool:
    """Tell whether a title or a heading has a word that stands by itself there."""
    alone = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
    return any(alone.search(line) for hit in hits for line in _above(hit))


def _above(hit: Hit) -> tuple[str, ...]:
    return (hit.document.title, *hit.passage.section)


def held(hit: Hit) -> set[str]:
    """Return the terms of a passage, its title and its headings."""
    return set(terms("\n".join((*_above(hit), hit.passage.text))))
