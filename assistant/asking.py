"""What a question asks for: its content, and the kind of answer it wants."""

import re
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Literal

from knowledge.lexical import normalise, terms

Kind = Literal["number", "time", "list", "place", "manner", "phone"]

# The closed class of interrogatives, particles and politeness: they say that something is asked,
# not what.
_FUNCTION_WORDS = re.compile(
    r"什么时候|什么时间|什么地方|怎么样|为什么|多少|哪些|哪里|哪儿|哪个|什么|如何|怎么|怎样|咋样|咋"
    r"|何时|何地|为何|谁|是否|多久|多长|多大|请问|你好|您好|麻烦|告诉我|我想知道|[几哪何吗呢吧啊呀的了有是]"
)
# How each kind is asked for, and what a sentence that answers it holds.
_KINDS: Mapping[Kind, tuple[re.Pattern[str], re.Pattern[str]]] = {
    "number": (
        re.compile(r"多少|几[个家名条项种年天次岁成人]|多大|多高|多长|比例|标准|金额|数量|规模"),
        re.compile(r"\d|[一二三四五六七八九十百千万亿两]+(?:[个家名条项种年天次元岁成人倍]|分之)"),
    ),
    "time": (
        re.compile(
            r"何时|什么时候|什么时间|哪一?[年月天日]|时间|日期|期限|多久|截至|截止|几[月日号点]"
        ),
        re.compile(r"\d+[年月日时天]|工作日|小时"),
    ),
    "list": (
        re.compile(r"哪些|哪几|几[个项条种]|内容|包括|材料|条件|流程|步骤|什么措施"),
        re.compile(r"[、；]|[一二三四五1-9][.．、是]|包括|以下|如下"),
    ),
    "place": (
        re.compile(r"哪里|哪儿|何地|地址|地点|在哪|什么地方"),
        re.compile(r"[市县区镇乡路街号楼室村]"),
    ),
    "manner": (
        re.compile(r"如何|怎么|怎样|咋|方式|办法|措施"),
        re.compile(r"应|可|须|需|通过|进行|实行|办理|加强|采取"),
    ),
    "phone": (re.compile(r"电话|热线|号码|联系"), re.compile(r"\d{5,}|\d{3,4}-\d{7,8}")),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question's content terms with the information content of each, and its kinds."""

    question: str
    weights: Mapping[str, float]
    kinds: Set[Kind]

    def share(self, found: Set[str]) -> float:
        """Return how much of what is asked for, by information content, these terms cover."""
        total = sum(self.weights.values())
        if not total:
            return 0.0
        return sum(weight for term, weight in self.weights.items() if term in found) / total

    def largest_gap(self, found: Set[str]) -> float:
        """Return the share of the weightiest run of neighbouring terms that are not covered.

        A name that is nowhere in the text leaves one large gap; lay wording leaves many small.
        """
        total = sum(self.weights.values())
        largest = gap = 0.0
        for term, weight in self.weights.items():
            gap = 0.0 if term in found else gap + weight
            largest = max(largest, gap)
        return largest / total if total else 1.0


def content(question: str) -> str:
    """Return the question without the words that only ask."""
    return _FUNCTION_WORDS.sub(" ", normalise(question))


def understand(question: str, weigh: Callable[[str], Mapping[str, float]]) -> Asked:
    """Return what a question asks for; ``weigh`` gives the information content of terms."""
    kinds = {kind for kind, (asked, _) in _KINDS.items() if asked.search(question)}
    words = content(question)
    return Asked(question, weigh(words if terms(words) else question), kinds)


def holds(kind: Kind, text: str) -> bool:
    """Tell whether a text has what a question of this kind wants."""
    return bool(_KINDS[kind][1].search(normalise(text)))
