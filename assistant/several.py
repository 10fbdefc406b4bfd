"""Several questions in one: taken apart, and their answers put together."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from assistant.asking import holds, understand
from assistant.attributes import Attribute, attribute_of, listed
from assistant.composing import Composed, numbered_from
from assistant.evidence import ANSWERABLE_FROM, Evidence
from assistant.follow_ups import Weigh, another_matter
from assistant.topics import asked_in, few, only_asks, topic_of
from assistant.types import Citation, Mode, Status
from knowledge.lexical import terms
from knowledge.places import places_listed, places_of_list
from knowledge.types import Hit

SAID_FROM = 0.6  # of what a question asks for, by information content
MOST = 5  # questions; what comes after them belongs to the last
_QUOTED = re.compile(r"《[^》]*》|“[^”]*”|[（(][^（）()]*[）)]")
_CLAUSE = re.compile(rf"(?:{_QUOTED.pattern}|[^，,。？?！!；;\s])+[，,。？?！!；;\s]*")
_UNSAID = re.compile(r"(?:一共|总共|共|分别)?\w{1,2}了(?=多少|几|哪)")
_OF_EACH_WORD = re.compile(r"分别|各自?(?!种|类|项|级|地)")
_OF_EACH = re.compile(rf"{_OF_EACH_WORD.pattern}|多少|几")
_OF_ALL = re.compile(r"之间|距离|相比|相差|[一总]共|合计|加起来|合作|共同|联合")
_THANKS = re.compile(r"(?:谢谢|多谢|感谢|拜托|麻烦)(?:您|你|了|啦|回复|解答)*\W*")
_NUMERALS = "一二三四五六七八九十"  # more parts than that are not taken apart
HELP = "没有找到的部分，您可以拨打12345政务服务便民热线咨询。"


def split_questions(text: str) -> list[str]:
    """Return the questions of a text, in order; one that only lists things stays one.

    Every part asks for something. What is told between two questions goes with the next one, what
    is told after the last goes with it. Questions about a subject that is not named are one:
    its answer is in one place.
    """
    parts: list[str] = []
    told = ""
    for clause in chain.from_iterable(map(_listed_in, _CLAUSE.findall(text))):
        if _THANKS.fullmatch(clause):
            continue
        if asked_in(_QUOTED.sub("", clause)):
            parts.append(told + clause)
            told = ""
        else:
            told += clause
    if len(parts) < 2 or _UNSAID.match(parts[0]):
        return [text]
    head, rest = parts[: MOST - 1], "".join(parts[MOST - 1 :])
    head = [*head, rest] if rest else head
    head[-1] += told
    return [part.strip("/，,。；;、 \n\t") for part in head]


def _listed_in(clause: str) -> list[str]:
    """Return the questions that a clause lists: 要什么材料、多久能办好."""
    parts = re.split(r"(?<=、)|(?=以及|还有)", clause)
    return parts if all(map(asked_in, parts)) else [clause]


def of_each_place(question: str) -> list[str]:
    """Return a question for each of the places that one lists; the question where it asks of all.

    "洛江和惠安分别建了几个园区" asks the same of each; "泉州和厦门之间多远" does not.
    """
    found = places_listed(question)
    rest = question[found.end() :] if found else ""
    if not found or not _OF_EACH.search(rest) or _OF_ALL.search(rest):
        return [question]
    before, rest = question[: found.start()], _OF_EACH_WORD.sub("", rest, count=1)
    listed_places = places_of_list(found[0])
    if len(listed_places) > len(_NUMERALS):
        return [question]
    return [f"{before}{place}{rest}" for place in listed_places]


@dataclass(frozen=True, slots=True)
class Asked:
    """One of several questions; where it asks for an attribute only, with the name of that.

    The topic is there where the question lists several attributes of it.
    """

    question: str
    attribute: Attribute | None = None
    name: str = ""
    topic: str = ""


def questions_of(text: str, *, follows: bool = False) -> list[Asked]:
    """Return the questions of a text: one for each attribute of one thing, too.

    Args:
        text: What was asked.
        follows: Something was asked before: the first may ask for an attribute only.
    """
    parts = split_questions(text)
    if len(parts) == 1:
        parts = of_each_place(text)
    attributes = listed(text) if len(parts) == 1 else ()
    if 0 < len(attributes) <= len(_NUMERALS):
        return [
            Asked(one.question, attribute_of(one.name), one.name, one.topic) for one in attributes
        ]
    first = _asked(parts[0]) if follows else Asked(parts[0])
    return list(_about_one_topic([first, *map(_asked, parts[1:])]))


def _about_one_topic(parts: Iterable[Asked]) -> Iterator[Asked]:
    """Give each part that asks for an attribute only the topic of the one before it.

    One that names another matter (驾照多久) keeps that, and so do those after it.
    """
    topic = ""
    for part in parts:
        own = another_matter(part.question, topic) if topic and part.attribute else ""
        if own or not part.attribute:
            topic = own or topic_of(part.question).name
        lacks_it = part.attribute and len(topic) > 1 and topic not in part.question
        whole = f"{topic}{part.question}" if lacks_it else part.question
        about = topic if lacks_it else part.topic
        yield replace(part, question=whole, topic=about, name=f"{own}{part.name}")


def _asked(part: str) -> Asked:
    attribute = attribute_of(part) if few(part) or only_asks(part) else None
    return Asked(part, attribute, attribute.label if attribute else "")


def checked(asked: Asked, evidence: Evidence, quoted: Sequence[Hit], weigh: Weigh) -> Evidence:
    """Return the verdict on what is answerable: an attribute that is not said is not covered.

    The word for an attribute need not stand where it is said (15日内发放 is a 时限): what is said
    of a topic that the passage is about is an answer, however few words of the question it has.
    How long one matter takes is no answer to how long another does that nothing quoted names.

    Args:
        asked: The question.
        evidence: The verdict, made on the words of the question.
        quoted: What would be quoted.
        weigh: Gives the information content of a text's terms.
    """
    if not asked.attribute:
        return evidence
    texts = [f"{_above(hit)}\n{hit.passage.text}" for hit in quoted]
    matter = another_matter(asked.question, "")
    if matter and not any(_is_about(one, texts, weigh) for one in (matter, asked.topic) if one):
        reason = f"资料里没有找到关于“{matter}”的内容。"
        return Evidence(min(evidence.score, ANSWERABLE_FROM), "not_found", reason, (matter,))
    of = [hit for hit in quoted if hit.document.id == quoted[0].document.id]
    said = any(asked.attribute.is_said(hit.passage.text) for hit in of)
    if not evidence.refused:
        return evidence if said else unsaid([asked.name], evidence.score)
    doubted = evidence.status in {"not_found", "not_covered"}
    above = map(_above, quoted[:1])  # the passage is about it where it stands there
    if not (doubted and asked.topic and _is_about(asked.topic, above, weigh)):
        return evidence
    return Evidence(ANSWERABLE_FROM, "answered") if said else unsaid([asked.name], evidence.score)


def _is_about(topic: str, texts: Iterable[str], weigh: Weigh) -> bool:
    """Tell whether one of these texts names a topic."""
    asked = understand(topic, weigh)
    return any(asked.share(set(terms(text))) >= SAID_FROM for text in texts)


def _above(hit: Hit) -> str:
    return "\n".join((hit.document.title, *hit.passage.section))


def headed(asked: Asked, hits: Sequence[Hit], document_id: str) -> list[Hit]:
    """Return the passages of a document that say an attribute, under a heading that asks for it."""
    attribute = asked.attribute
    return [
        hit
        for hit in hits
        if attribute
        and hit.document.id == document_id
        and hit.passage.section
        and attribute.asked.search(hit.passage.section[-1])
        and attribute.is_said(hit.passage.text)
        and not another_matter(asked.question, f"{hit.document.title}\n{hit.passage.text}")
    ]


def unsaid(names: Sequence[str], score: float) -> Evidence:
    """Return the verdict where all is known but what is asked for."""
    reason = f"资料里有相关的内容，但原文未提及：{'、'.join(names)}。"
    return Evidence(score, "not_covered", reason, tuple(names))


@dataclass(frozen=True, slots=True)
class Part:
    """One of several questions with what is said to it; the attribute's name where it asks one."""

    asked: Asked
    question: str
    evidence: Evidence
    composed: Composed


def joined(parts: Sequence[Part], weigh: Weigh) -> tuple[Evidence, Composed]:
    """Return the verdict on all, and one text; its citations are numbered through."""
    given = [part for part in parts if not part.evidence.refused]
    parts = [p for p in parts if not (p.evidence.refused and _is_said(p, given, weigh))]
    names = [part.asked.name for part in parts if part.evidence.refused and part.asked.name]
    blocks = _blocks([p for p in parts if not (p.evidence.refused and p.asked.name)])
    citations = tuple(citation for block in blocks for citation in block.composed.citations)
    texts = [block.composed.text for block in blocks]
    if len(blocks) > 1:
        texts = [
            f"{_NUMERALS[n]}、{block.question}\n{block.composed.text}"
            for n, block in enumerate(blocks)
        ]
    refused = [part for part in parts if part.evidence.refused]
    if names:
        texts.append(f"原文未提及：{'、'.join(names)}。")
    if refused:
        texts.append(HELP)
    modes = {part.composed.mode for part in parts if not part.evidence.refused}
    mode: Mode = "generative" if modes == {"generative"} else "extractive"
    return _verdict(parts, refused), Composed("\n\n".join(texts), citations, mode)


def _is_said(part: Part, given: Sequence[Part], weigh: Weigh) -> bool:
    """Tell whether the answers to the other questions answer this one as well."""
    question = part.asked.question
    texts = [one.composed.text for one in given if not another_matter(question, one.question)]
    if part.asked.attribute:
        return any(map(part.asked.attribute.is_said, texts))
    if part.evidence.missing:
        return False
    asked = understand(question, weigh)
    enough = 0.0 if asked.kinds and only_asks(question) else SAID_FROM
    return any(
        asked.share(set(terms(text))) >= enough
        and all(holds(kind, text) for kind in asked.kinds)
        and ("钱" not in question or "元" in text)
        for text in texts
    )


def _blocks(parts: Sequence[Part]) -> list[Part]:
    """Return the parts with their numbers run on; where two have one answer it is said once."""
    blocks: list[Part] = []
    count = 0
    for part in parts:
        quoted = part.composed.citations
        same = [n for n, b in enumerate(blocks) if quoted and _lie_in(quoted, b.composed.citations)]
        if same:
            both = f"{blocks[same[0]].question}，{part.question}"
            blocks[same[0]] = replace(blocks[same[0]], question=both)
        else:
            blocks.append(replace(part, composed=numbered_from(part.composed, count)))
            count += len(part.composed.citations)
    return blocks


def _lie_in(quoted: Sequence[Citation], others: Sequence[Citation]) -> bool:
    """Tell whether each of these is (part of) one of the others."""
    return all(
        any(
            one.document_id == other.document_id
            and other.start <= one.start
            and one.end <= other.end
            for other in others
        )
        for one in quoted
    )


def _verdict(parts: Sequence[Part], refused: Sequence[Part]) -> Evidence:
    score = min(part.evidence.score for part in parts)
    missing = [m for p in parts if not p.evidence.refused for m in p.evidence.missing]
    missing += [part.asked.name or part.question for part in refused]
    status: Status = "partial" if missing else "answered"
    return Evidence(score, status, missing=tuple(missing))
