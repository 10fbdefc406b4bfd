"""A follow-up made into a question that stands alone, by rules.

A follow-up points back in one of a few ways: by a pronoun, by the bare last part of a name
("学院" for "商学院"), by the number of an item of the last answer, by naming only what is
different ("那外地的呢"), or not at all. In the last case the knowledge base decides: the question
continues the topic if passages about the topic say as much of what it asks for as any other.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from assistant.asking import understand
from assistant.types import Turn
from knowledge.lexical import terms
from knowledge.queries import content
from knowledge.types import Hit

TURNS = 6  # of the citizen's, looked back at
TOPICS = 2  # tried for a question that does not point back
LONGEST = 24  # characters of a topic
FEW = 4  # characters of content that can't be a whole question
# A question continues the topic if a passage about it covers this share of what any passage does;
# more if the question has words of a title.
CONTINUES_FROM = 0.75
NAMED_CONTINUES_FROM = 0.9
ABOUT_FROM = 0.5
# The last answer stands in a document whose passage has this share of its terms.
SAID_FROM = 0.6
LOOKED_UP = 100  # characters of the last answer

_OPENING = re.compile(
    r"^(?:请问|你好|您好|麻烦|问一下|我?想(?:问|知道|了解)(?:一下)?|那么|那(?!里|边|个|些|种|项)|另外|还有"
    r"|再问一?下?|然后|接着|顺便|[，,、。！!\s])+"
)
_CLOSING = re.compile(r"[\s？?。！!，,、；;的了呢吗啊呀吧]+$")
ASKS = re.compile(
    r"什么|哪(?:[些个里儿家种类位所]|几\w)?|多少|几(?=[个家名条项种年天次岁月号点位所])|怎么样?|怎样|如何|咋|何时|何地|为何|谁"
    r"|是否|能不能|可不可以|可以不可以|能否|可否|有没有|要不要|用不用|多久|多长|多大|多高|吗"
)
_MANNER = re.compile(r"怎么$|怎样|如何|咋|能不能|可不可以|能否|可否|要不要|用不用")
# Where a name ends and what is said of it begins; words that are parts of names are kept whole.
_PREDICATE = re.compile(
    r"(?<=..)(?:是|(?<![国所共私享没])有(?![限关效机色偿害])|成立|设立|组建|创办|建成|建立于|位于|坐落|旨在"
    r"|拥有|提供|开设|下设|整合|引入|覆盖|包含|包括|获得|入选|旗下|每年|目前|现在|一共|总共|主要|分别"
    r"|(?:需要|可以|应该|应当|要|能|会|在|于|到|从|由|去|得|需|应|能够|找|问|打|拨)$)"
)
_ORDINAL = re.compile(
    r"(?:上面|前面|刚才|你?说的|其中|那|这)*(?:的)?"
    r"(?:第([一二三四五六七八九十]|\d{1,2})|(最后)一?)[个条项种类点款步](?:情况|情形|条件|方式|办法|措施|材料)?"
)
_PRONOUN = re.compile(
    r"(?:它们?|[他她]们|(?<![尤极与及])其(?![他它中余次实])"
    r"|(?<![^\W对在从由把被跟办用的是])(?:[这那](?:里|边|儿|一?[个些项家种类条份])|[该此这]))"
    r"(?:情况|事情?儿?|问题|东西)?"
)
_WHAT_OF = re.compile(r"^(?:那么?|如果|要是|换成|还有)*+[，,]?(.{1,12}?)(?:的话)?呢[？?。]*$")
_LEADING = re.compile(r"^(?:是|(?:人员?)?(?:可以|能够?|会|要|需要))")
_ATTRIBUTE = re.compile(
    r"(?:材料|条件|流程|步骤|手续|时间|期限|时限|费用|收费|价格|地点|地址|电话|标准|金额|额度|比例"
    r"|方式|要求|对象|范围|依据|资格|程序|渠道|网址|入口|好处|待遇)$"
)
# What says nothing of the topic: questions of only this lean on what was said before.
_ANY_TOPIC = re.compile(
    _ATTRIBUTE.pattern.removesuffix("$")
    + r"|办理?|申请|申报|需要?|提供|准备|携带|成立|设立|开始|结束"
    r"|本人|自己|可以|能够?|[到带领交去要做用找在投总共钱天年月多长久大高都还也就得会吧]"
)
_ITEM = re.compile(
    r"(?:^|[\s；;。：:])(?:[（(]?(?:\d{1,2}|[一二三四五六七八九十])[）).．、]|[-•·]\s)\s*"
)
_NUMERALS = "一二三四五六七八九十"

_YEAR = re.compile(r"\d{4}年?|[去今明前]年")

Find = Callable[[str], Sequence[Hit]]
Weigh = Callable[[str], Mapping[str, float]]


def stand_alone(question: str, history: Sequence[Turn], find: Find, weigh: Weigh) -> str:
    """Return the question with what it leaves unsaid, taken from the conversation so far.

    A question that names its own topic comes back as it is.

    Args:
        question: The citizen's newest.
        history: The conversation so far.
        find: Gives the best passages for a query.
        weigh: Gives the information content of a text's terms.
    """
    asked = [turn.content for turn in history if turn.role == "user"][-TURNS:]
    if not asked:
        return question
    said = [turn.content for turn in history if turn.role == "assistant"]
    return _Conversation(asked, said[-1] if said else "", find, weigh).complete(question)


@dataclass(frozen=True, slots=True)
class Topic:
    """What a question is about: its name, and the name with what is to be done ("…补办")."""

    name: str
    matter: str


@dataclass(frozen=True, slots=True)
class _Conversation:
    asked: Sequence[str]  # by the citizen, in order
    answer: str  # the last one
    find: Find
    weigh: Weigh

    def complete(self, question: str) -> str:
        topics = _topics(self.asked)
        if not topics:
            return f"{self.asked[-1]} {question}" if _few(question) else question
        if _points_back(question, topics):
            return self._replace(question, topics)
        found = self.find(question)
        announced = any(_names(question, line) for hit in found for line in _above(hit))
        if _few(question) and not announced:
            return self._replace(question, topics)
        enough = NAMED_CONTINUES_FROM if announced else CONTINUES_FROM
        tried = [*topics[:TOPICS], *(() if announced else self._discussed(question, found, topics))]
        return self._continue(question, found, tried, enough)

    def _discussed(
        self, question: str, found: Sequence[Hit], topics: Sequence[Topic]
    ) -> Iterator[Topic]:
        """Yield what the document is about that the last answer stands in, if none has it yet.

        Citizens name it once, and many questions later still mean it; not with two characters of
        another document's title, which may be a name.
        """
        said = understand(re.sub(r"\[\d+\]", "", self.answer), self.weigh)
        query = f"{topics[0].name}{self.asked[-1]} {said.question[:LOOKED_UP]}"
        for hit in self.find(query)[:1] if said.question else ():
            title = hit.document.title
            topic = topic_of(title)
            named = any(topic.name in known.name for known in topics[:TOPICS]) or any(
                _names(question, f.document.title, 2) for f in found if f.document.title != title
            )
            if said.share(held(hit)) >= SAID_FROM and len(topic.name) > 1 and not named:
                yield topic

    def _replace(self, question: str, topics: Sequence[Topic]) -> str:
        text = _from_list(question, self.answer, topics[0]) or written_out(
            question, self.asked[-1], topics
        )
        for topic in topics:
            if topic.name in text:
                known = _as_known(topic.name, self.find(text)) or topic.name
                return text.replace(topic.name, known, 1)
        return text

    def _continue(
        self, question: str, found: Sequence[Hit], topics: Sequence[Topic], enough: float
    ) -> str:
        """Put the topic before the question if its passages say what the question asks for."""
        own = understand(question, self.weigh)
        best = enough * max((own.share(held(hit)) for hit in found), default=0.0), question
        for topic in topics:
            about = understand(topic.name, self.weigh)
            if own.share(about.weights.keys()) >= ABOUT_FROM or _tell_of(topic, found[:1]):
                return question  # named again, or understood all the same
            for hit in self.find(f"{topic.name}{question}"):
                name = _as_known(topic.name, [hit])
                if not name and len(topic.name) > 2 and about.share(held(hit)) >= ABOUT_FROM:
                    name = topic.name
                covered = own.share(held(hit))
                if name and covered > best[0]:
                    best = covered, f"{name}{question}"
        return best[1]


def written_out(question: str, before: str, topics: Sequence[Topic]) -> str:
    """Return a question that points back with the topic in the place of what points at it."""
    what = _WHAT_OF.match(question)
    if what and not _PRONOUN.fullmatch(what[1]):
        return _other(what[1], before, topics[0])
    text = _OPENING.sub("", question)
    if not content(text).strip():
        return before
    for topic in topics:
        for found in _bare(topic.name, text):
            return f"{text[: found.start()]}{_up_to(topic.name, found[1])}{text[found.end() :]}"
    if pronoun := _PRONOUN.search(text):
        return f"{text[: pronoun.start()]}{topics[0].name}{text[pronoun.end() :]}"
    return f"{topics[0].matter}{text}"


def _other(typed: str, before: str, topic: Topic) -> str:
    """Return the question before, asked of something else, or for something else."""
    other, before = _CLOSING.sub("", typed), _OPENING.sub("", before)
    if _ATTRIBUTE.search(other):
        return f"{topic.matter}{other}"
    if _YEAR.fullmatch(other) and _YEAR.search(before):
        return _YEAR.sub(other, before)
    end = topic.name.rfind(other[-1]) + 1
    if end and topic.name in before and not typed.endswith("的"):
        start = max(0, topic.name.find(other[:2]))
        return before.replace(topic.name[start:end], other, 1)
    return f"{typed}{before}"


def _from_list(question: str, answer: str, topic: Topic) -> str:
    """Return the question with an item of the last answer where it names the item's number."""
    found = _ORDINAL.search(question)
    items = list(_items(answer)) if found else []
    if not found or not items:
        return ""
    at = len(items) if found[2] else _number(found[1])
    if not 1 <= at <= len(items):
        return ""
    rest = f"{question[: found.start()]}{items[at - 1]}{question[found.end() :]}"
    return f"{topic.name}{_OPENING.sub('', rest)}"


def _items(answer: str) -> Iterator[str]:
    """Yield the heads of a list's items; of one sentence, what stands between its 、."""
    text = re.sub(r"\[\d+\]", "", answer)
    items = _ITEM.split(text)[1:]
    if len(items) < 2:
        longest = max(re.split(r"[。；;：:\n]", text), key=lambda part: part.count("、"))
        items = re.split(r"、|和|及|以及", longest) if "、" in longest else []
    for item in items:
        head = re.split(r"[：:，,。；;（(\n]", item.strip())[0]
        yield head[:LONGEST]


def _number(numeral: str) -> int:
    return int(numeral) if numeral.isdecimal() else _NUMERALS.index(numeral) + 1


def _topics(asked: Sequence[str]) -> list[Topic]:
    """Return what the conversation was about, the last first; none twice."""
    topics: list[Topic] = []
    for question in asked:
        what = _WHAT_OF.match(question)
        if not topics or not (_few(question) or _points_back(question, topics)):
            named = topic_of(question)
        elif what and not _ATTRIBUTE.search(what[1]) and not what[1].endswith("的"):
            named = topic_of(written_out(question, asked[asked.index(question) - 1], topics))
        else:
            continue
        if len(named.name) > 1:
            topics = [named, *(topic for topic in topics if topic.name != named.name)]
    return topics


def topic_of(question: str) -> Topic:
    """Return what a question is about."""
    text = _CLOSING.sub("", _OPENING.sub("", question.strip()))
    asks = ASKS.search(text)
    before, after = (text[: asks.start()], text[asks.end() :]) if asks else (text, "")
    clauses = [part for part in re.split(r"[，,。；;！!\s]", before) if content(part).strip()]
    # A citizen's own story comes before the matter; a matter comes before its details.
    name = (clauses[-1] if clauses[0].startswith("我") else clauses[0]) if clauses else ""
    if found := _PREDICATE.search(name):
        name = name[: found.start()]
    name = name.rstrip("的")[-LONGEST:]
    done = re.split(r"[，,。；;！!？?\s]", after)[0]
    matter = f"{name}{done}"[-LONGEST:] if asks and _MANNER.match(asks[0]) else name
    if name and not re.fullmatch(r"\w{1,2}了", name):  # 建成了多少厂房
        return Topic(name, matter)
    done = _LEADING.sub("", done)
    return Topic(done, done)


def _few(question: str) -> bool:
    return len(re.sub(r"\W", "", content(question))) <= FEW


def only_asks(question: str) -> bool:
    """Tell whether a question is nothing but what is asked for: 要多少钱, 需要什么材料."""
    words = _ANY_TOPIC.sub("", content(_OPENING.sub("", question)))
    return not re.sub(r"\W", "", words)


def _points_back(question: str, topics: Sequence[Topic]) -> bool:
    text = _OPENING.sub("", question)
    return (
        only_asks(question)
        or bool(_WHAT_OF.match(question) or _ORDINAL.match(text) or _PRONOUN.search(text))
        or any(True for topic in topics for _ in _bare(topic.name, text))
    )


def _bare(name: str, text: str) -> Iterator[re.Match[str]]:
    """Find the last part of a name standing for the whole: 学院, 该院, 这个证."""
    points = r"(?<!\w)[该此本]|[这那]一?[个家项种所份]?"
    for found in re.finditer(rf"(?:{points}|(?<!\w))(\w\w)", text):
        if found[1] == name[-2:] or f"{found[1]}的" in name:  # 商学院的…专业
            yield found
    yield from re.finditer(rf"(?:{points})({re.escape(name[-1])})", text)


def _up_to(topic: str, head: str) -> str:
    return topic[: topic.rindex(head) + len(head)]


def _tell_of(topic: Topic, hits: Sequence[Hit]) -> bool:
    return bool(_as_known(topic.name, hits)) or any(h.document.title in topic.name for h in hits)


def _as_known(name: str, hits: Sequence[Hit]) -> str:
    """Return as much of a name's end as a title or a heading has; nothing if none has it.

    Citizens put a city or an owner before a name that its own documents go without.
    """
    for start in range(max(1, len(name) - 2)):
        if any(name[start:] in above for hit in hits for above in _above(hit)):
            return name[start:]
    return ""


def _names(question: str, title: str, run: int = 3) -> bool:
    """Tell whether a question has words of a title: so many characters, or a whole shorter word."""
    words = _ANY_TOPIC.sub(" ", content(_OPENING.sub("", question))).split()
    parts = {word[at : at + run] for word in words for at in range(max(1, len(word) - run + 1))}
    return any(len(part) > 1 and part in title for part in parts)


def _above(hit: Hit) -> tuple[str, ...]:
    return (hit.document.title, *hit.passage.section)


def held(hit: Hit) -> set[str]:
    """Return the terms of a passage, its title and its headings."""
    return set(terms("\n".join((*_above(hit), hit.passage.text))))
