"""What stands beside an answer: that a rule is not in force today, or that another differs."""

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from assistant.asking import Asked
from assistant.claims import fold
from assistant.composing import Composed, citation
from assistant.sentences import candidates
from assistant.types import Delta
from knowledge.arranging import level
from knowledge.base import KnowledgeBase
from knowledge.lexical import terms
from knowledge.numerals import CLOSE, OPEN, canonical
from knowledge.types import Document, Hit
from knowledge.versions import Standing

LOOKED_AT = 5  # hits that may hold a rule that differs
# Sentences of two rules on one matter share this much of their words besides the numbers.
ALIKE = 0.4
# Of texts whose numbers are written in one way. From when a rule holds is no value; a day of every
# year (6月30日前) is one. 第3次, 一次性 and 三年级 count nothing.
_DATED = re.compile(
    rf"{OPEN}(?:19|20)\d\d{CLOSE}年(?:度|{OPEN}\d+{CLOSE}月(?:{OPEN}\d+{CLOSE}日)?)?"
)
_DAY = re.compile(rf"{OPEN}(\d+){CLOSE}月{OPEN}(\d+){CLOSE}日")
_VALUE = re.compile(
    rf"(?<!第){OPEN}([\d.]+){CLOSE}?"
    r"(元|个?工作日|个月|年(?!级)|月日|月|日|天|个?小时|%|周?岁|倍|平方米|次(?!性))"
)
_SAME_UNIT = {"个工作日": "工作日", "天": "日", "个小时": "小时", "周岁": "岁"}
_LEVELS = ("本市的规定", "省里的规定", "国家的规定")
DIFFERS = "请注意：不同规定的说法不一致，以上为{first}；{second}《{title}》的说法是："


def beside(
    composed: Composed, asked: Asked, hits: Sequence[Hit], base: KnowledgeBase
) -> Generator[Delta, None, Composed]:
    """Yield what is to be said beside an answer; return the answer with it.

    Args:
        composed: The answer; its first citation is the rule that comes first.
        asked: Only what asks for a number or a time can be answered differently by two rules.
        hits: What the answer was looked for in, best first.
        base: Knows what is in force, and whose city it is.
    """
    whole = with_difference(composed, asked, hits, base)
    if whole.text != composed.text:
        yield Delta(whole.text[len(composed.text) :])
    return (yield from with_remarks(whole, hits, base))


def with_remarks(
    composed: Composed, hits: Sequence[Hit], base: KnowledgeBase
) -> Generator[Delta, None, Composed]:
    """Yield which of the cited documents are not in force; return the answer with it.

    A refusal may cite what comes nearest: that, too, may be repealed.
    """
    if not composed.citations:
        return composed
    cited = {one.document_id for one in composed.citations}
    documents = {hit.document.id: hit.document for hit in hits if hit.document.id in cited}
    standings = base.standings(documents.values())
    said = "".join(f"\n{remark}" for remark in remarks(standings, documents, base.today()))
    if said:
        yield Delta(said)
    return replace(composed, text=composed.text + said)


def remarks(
    standings: Mapping[str, Standing], documents: Mapping[str, Document], today: date
) -> Iterator[str]:
    """Yield a sentence for each document that is not in force."""
    for id_, standing in standings.items():
        if said := _remark(standing):
            title = documents[id_].title.strip("《》")
            dated = _in_words(documents[id_].metadata.get("date", ""))
            which = f"《{title}》（{dated}）" if dated else f"《{title}》"
            yield f"截至今日（{_in_words(today.isoformat())}），{which}{said}"


def _remark(standing: Standing) -> str:
    day = _in_words(standing.day)
    by = f"《{standing.by.strip('《》')}》" if standing.by else ""
    by += f"（{_in_words(standing.by_date)}）" if by and standing.by_date else ""
    newer = f"，请以较新的{by}为准。" if by else "，请向主管部门核实现行规定。"
    match standing.state:
        case "not_yet":
            return f"尚未施行，自{day}起施行。"
        case "expired":
            return f"已过有效期（有效期至{day}）{newer}"
        case "repealed":
            return f"已废止{newer}"
        case "replaced":
            return f"已有较新的版本{newer}"
        case "in_force":
            return ""


def _in_words(day: str) -> str:
    """Return ``2026-11-25`` as ``2026年11月25日``, a year as ``2026年``."""
    parts = [int(part) for part in day.split("-") if part.isdecimal()]
    return "".join(f"{part}{unit}" for part, unit in zip(parts, "年月日", strict=False))


def with_difference(
    composed: Composed, asked: Asked, hits: Sequence[Hit], base: KnowledgeBase
) -> Composed:
    """Add what a rule of another level or version says, where it says another value."""
    first = next((h for h in hits if _is_cited(h, composed)), None)
    if not first or not asked.kinds & {"number", "time"}:
        return composed
    standings = base.standings([hit.document for hit in hits[:LOOKED_AT]])
    city = base.city()
    quote = composed.citations[0].quote
    for passage in candidates(asked, hits[:LOOKED_AT]):
        if not passage or not _is_other_rule(first, passage[0].hit, standings, city):
            continue
        best = max(passage, key=lambda sentence: sentence.likelihood)
        said = best.text.strip()
        if _differ(quote, said):
            words = DIFFERS.format(
                first=_level_name(first.document, city),
                second=_level_name(best.hit.document, city),
                title=best.hit.document.title.strip("《》"),
            )
            n = len(composed.citations) + 1
            start = best.hit.passage.start + best.start + best.text.index(said)
            cited = citation(n, best.hit, said, start)
            text = f"{composed.text}\n{words}{said}[{n}]"
            return replace(composed, text=text, citations=(*composed.citations, cited))
    return composed


def _is_cited(hit: Hit, composed: Composed) -> bool:
    return bool(composed.citations) and hit.document.id == composed.citations[0].document_id


def _level_name(document: Document, city: str) -> str:
    return (*_LEVELS, "另一地的规定")[level(document, city)]


def _is_other_rule(first: Hit, other: Hit, standings: Mapping[str, Standing], city: str) -> bool:
    """Tell whether two hits stand in rules of two levels that both bind here, or two versions."""
    if first.document.id == other.document.id:
        return False
    if other.document.id in standings[first.document.id].versions:
        return True
    levels = {level(first.document, city), level(other.document, city)} if city else set()
    return len(levels) == 2 and 3 not in levels


def _differ(one: str, other: str) -> bool:
    """Tell whether two sentences say the same of a matter, but for the value."""
    first, second = _values(one), _values(other)
    shared = first.keys() & second.keys()
    if not any(first[unit].isdisjoint(second[unit]) for unit in shared):
        return False
    words = [set(terms(_VALUE.sub(" ", _written(text)))) for text in (one, other)]
    fewest = min(map(len, words))
    return bool(fewest) and len(words[0] & words[1]) >= ALIKE * fewest


def _values(text: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for number, unit in _VALUE.findall(_written(text)):
        found.setdefault(_SAME_UNIT.get(unit, unit), set()).add(number)
    return found


def _written(text: str) -> str:
    """Write the values of a text in one way (5,000元, 五千元), and leave out its dates."""
    undated = _DATED.sub("", canonical(fold(text)))
    return _DAY.sub(rf"{OPEN}\1.\2{CLOSE}月日", undated)
