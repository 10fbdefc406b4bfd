"""What a question asks for: its content, and the kind of answer it wants."""

import math
import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal

from assistant.reader import Told
from assistant.topics import without_told
from knowledge.lexical import normalise, terms
from knowledge.queries import Weighed, content

Kind = Literal["number", "time", "list", "place", "manner", "phone"]

# How each kind is asked for, and what a sentence that answers it holds.
_KINDS: Mapping[Kind, tuple[re.Pattern[str], re.Pattern[str]]] = {
    "number": (
        re.compile(r"多少|几[个家名条项种年天次岁成人]|多大|多高|多长|比例|标准|金额|数量|规模"),
        re.compile(r"\d|[一二三四五六七八九十百千万亿两]+(?:[个家名条项种年天次元岁成人倍]|分之)"),
    ),
    "time": (
        re.compile(
            r"何时|[什啥]么?时候|什么时间|哪一?[年月天日]|时间|日期|期限|多久|截至|截止|几[月日号点天]|多少天"
        ),
        re.compile(r"\d+[年月日时天]|工作日|小时"),
    ),
    "list": (
        re.compile(
            r"哪些|哪几|几[个项条种]|内容|包括|材料|条件|流程|步骤|什么措施|啥东西|带啥|带什么"
        ),
        re.compile(r"[、；]|[一二三四五1-9][.．、是]|包括|以下|如下"),
    ),
    "place": (
        re.compile(r"哪里|哪儿|何地|地址|地点|[在去上到往]哪|[什啥]么?地方"),
        re.compile(r"[市县区镇乡路街号楼室村]"),
    ),
    "manner": (
        re.compile(r"如何|怎么|怎样|咋|方式|办法|措施"),
        re.compile(r"应|可|须|需|通过|进行|实行|办理|加强|采取"),
    ),
    "phone": (
        re.compile(
            r"(?:电话|热线)(?:号码?)?(?:具体|地址|[是有在找打和及])*"
            r"(?:多少|几(?:号|$)|什么|啥|哪|谁|呢|没|吗|$|[\s，,。？?、])"
            r"|(?:多少|什么|哪个|哪些|啥|联系|服务|监督|举报|投诉|求助|客服)的?(?:电话|热线)"
            r"|(?:有没有|有无|求|给个|要个|留个)[^，,。？?]{0,6}(?:电话|热线)"
            r"|[打拨](?:哪个?|什么|啥)(?:号|电话|热线|$|[\s，,。？?、])|(?<![证牌])号码是?多少(?!位)"
        ),
        re.compile(
            r"\d{5,}|\d{3,4}-\d{7,8}"
            # Three figures are a number to call only where it says so: 120元 is none.
            r"|(?:[拨打]|电话|热线|报警|急救|火警)[^\d,，。;；]{0,4}(?:110|119|12[02])(?![\d.]|[万亿]?元)"
            r"|(?<!\d)(?:110|119|12[02])(?:急救|报警|火警|电话|热线|指挥|平台)"
        ),
    ),
}


# Where in a question it is asked: what stands close to it is what is asked for.
_ASKING = re.compile(
    r"什么时候|什么时间|什么地方|怎么样|为什么|多少|哪些|哪里|哪儿|哪个|哪|什么|啥|如何|怎么|怎样|咋样|咋"
    r"|何时|何地|为何|谁|是否|多久|多长|多大|几|何|吗"
)
_COUNTED = re.compile(r"(?:多少|几)(个?工作日|个?[\u4e00-\u9fff])")
# What is counted in, as it is asked for, and how a number of it is said; of the rest only
# classifiers: 多少企业 is answered by 多少家.
_UNITS: Sequence[tuple[re.Pattern[str], str]] = tuple(
    (re.compile(asked), said)
    for asked, said in (
        ("[钱块元]", "元"),
        ("[天日]|个?工作日", "天|日|个?工作日|小时|分钟"),
        ("个?月", "个?月"),
        ("年", "年"),
        ("个?[人名位]", "人|名|位"),
        ("[家户]", "家|户"),
        ("[成点]", "%|成|个百分点"),
    )
)
_CLASSIFIER = re.compile("[台亩条项次种倍门套件张所间辆笔场座岁级层批]")
_DIGIT = "[0-9一二三四五六七八九十]"
# What is asked for without its unit, and how it is said.
_WITHOUT_UNIT: Sequence[tuple[re.Pattern[str], str]] = tuple(
    (re.compile(asked), said)
    for asked, said in (
        (r"哪一?年|何年", r"(?:19|20)\d\d年|[今去前明]年"),
        (r"几月|哪个?月", rf"{_DIGIT}月"),
        (r"几[号日]|哪一?[天日]", rf"{_DIGIT}[日号]"),
        (r"几点", rf"{_DIGIT}(?:[时点]|:\d\d)"),
        (
            r"(?:投资|金额|总额|资金|规模|经费|费用?|补[贴助]|奖金|工资|租金|房租|价格?|罚款|产值)"
            r"[大一总]?[概共]?(?:[是有为达]|达到)?多少\W*$",
            rf"{_DIGIT}[万亿千百多余]*元|%",
        ),
        (r"利率[大一总]?[概共]?(?:[是有为达]|达到)?多少\W*$", "%|百分之"),
    )
)
_LENGTH = re.compile("多久|多长时间")
_HOW_LONG = "天|日|个?工作日|小时|分钟|个?月|年"
_AMOUNT = r"(?:\d[\d.,]*[万亿千百余多]*|[一二三四五六七八九十百千万两半]+)"
# What is said in place of a number of these.
_NO_NUMBER = (("元", "免费|不收"), ("天", "当场|即时|即办|当[日天]|长期"))
# What a term weighs that every passage holds: without it, in a small or uniform collection, only
# the words that are not there would count.
_LEAST = 2.0
_NEAR = 4.0  # characters over which closeness falls to 1/e


@dataclass(frozen=True)
class Asked(Weighed):
    """A question's content terms with the information content of each, and its kinds."""

    question: str
    kinds: Set[Kind]
    everyday: float = 0.0  # how far it is worded as people speak (``wording``)
    # Scores sentences read beside the question; none: they are not read.
    read: Callable[[Sequence[Told]], Sequence[float]] | None = None

    @cached_property
    def focus(self) -> Weighed:
        """The same terms, weighing the more the closer they stand to the word that asks."""
        text = normalise(self.question)
        asking = [match.span() for match in _ASKING.finditer(text)]
        start, end = asking[-1] if asking else (len(text), len(text))
        near = {}
        for term, weight in self.weights.items():
            at = text.find(term)
            distance = start - at - len(term) if at < start else at - end
            near[term] = weight * math.exp(-max(distance, 0) / _NEAR) if at >= 0 else 0.0
        return Weighed(near)

    @cached_property
    def unit(self) -> re.Pattern[str] | None:
        """What says how many there are of what is counted in (多少台); none if it is not told."""
        text = normalise(without_told(self.question))
        for asked, said in _WITHOUT_UNIT:
            if asked.search(text):
                return re.compile(said)
        found = _COUNTED.search(text)
        unit = _HOW_LONG if _LENGTH.search(text) else _unit(found[1]) if found else ""
        instead = [words for of, words in _NO_NUMBER if of in unit.split("|")]
        return re.compile("|".join((f"{_AMOUNT}(?:{unit})", *instead))) if unit else None


def _unit(asked: str) -> str:
    """Return how that is said which a number is asked of; empty for what is no unit."""
    said = next((said for unit, said in _UNITS if unit.match(asked)), "")
    return said or (asked[0] if _CLASSIFIER.match(asked) else "")


def understand(
    question: str,
    weigh: Callable[[str], Mapping[str, float]],
    read: Callable[[str, Sequence[Told]], Sequence[float]] | None = None,
    everyday: float = 0.0,
) -> Asked:
    """Return what a question asks for.

    Args:
        question: In words that the documents use, too.
        weigh: Gives the information content of a text's terms.
        read: Scores sentences beside a question (``assistant.reader``).
        everyday: How far the question is worded as people speak, from 0 to 1.
    """
    asks = without_told(question)
    kinds = {kind for kind, (asked, _) in _KINDS.items() if asked.search(asks)}
    words = content(question)
    weights = weigh(words if terms(words) else question)
    weighed = {term: w + _LEAST for term, w in weights.items()}
    reading = partial(read, question) if read else None
    return Asked(weighed, question, kinds, everyday, reading)


def holds(kind: Kind, text: str) -> bool:
    """Tell whether a text has what a question of this kind wants."""
    return bool(_KINDS[kind][1].search(normalise(text)))
