"""What a query asks for: its words, weighed by how much they tell, and how a text covers them."""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import cached_property

from knowledge.lexical import normalise

# The closed class of interrogatives, particles and politeness: they say that something is asked,
# not what.
_FUNCTION_WORDS = re.compile(
    r"什么时候|什么时间|什么地方|怎么样|怎么办(?!理)|为什么|多少|哪些|哪里|哪儿|哪个|什么|如何|怎么|怎样"
    r"|啥时候|啥地方|啥样|啥|咋样|咋整|咋弄|咋办(?!理)|咋|何时|何地|为何|谁|是否|多久|多长|多大"
    r"|能不能|可不可以|行不行|要不要|用不用|需不需要|有没有|是不是|得不得"
    r"|请问|你好|您好|麻烦|告诉我|我想知道|我想问|想问"
    r"|(?:可以|[行能])?[不没么嘛](?=\W*$)|[我你咱俺](?:们|(?![国省市县区镇村州]))"
    r"|[几哪何吗呢吧啊呀的了有是]"
)


def content(question: str) -> str:
    """Return the question without the words that only ask."""
    return _FUNCTION_WORDS.sub(" ", normalise(question))


@dataclass(frozen=True)
class Weighed:
    """A query's terms, in their order, with the information content of each."""

    weights: Mapping[str, float]

    @cached_property
    def total(self) -> float:
        """The information content of all terms."""
        return sum(self.weights.values())

    @cached_property
    def characters(self) -> Mapping[str, float]:
        """The query's characters, each weighing the mean of the terms that it is in."""
        of: dict[str, list[float]] = {}
        for term, weight in self.weights.items():
            for part in term if term[0] >= "\u3400" else [term]:
                of.setdefault(part, []).append(weight)
        return {part: sum(weights) / len(weights) for part, weights in of.items()}

    @cached_property
    def _characters_total(self) -> float:
        return sum(self.characters.values())

    def share(self, found: Container[str]) -> float:
        """Return how much of what is asked for, by information content, these terms cover."""
        if not self.total:
            return 0.0
        return sum(weight for term, weight in self.weights.items() if term in found) / self.total

    def share_of_characters(self, text: str) -> float:
        """Return the same by characters, which other words for the same thing often share."""
        if not self._characters_total:
            return 0.0
        held = sum(weight for part, weight in self.characters.items() if part in text)
        return held / self._characters_total

    def largest_gap(self, found: Container[str]) -> float:
        """Return the share of the weightiest run of neighbouring terms that are not covered.

        A name that is nowhere in the text leaves one large gap; lay wording leaves many small.
        """
        largest = gap = 0.0
        for term, weight in self.weights.items():
            gap = 0.0 if term in found else gap + weight
            largest = max(largest, gap)
        return largest / self.total if self.total else 1.0


def longest_common(query: str, text: str) -> int:
    """Return the length of the longest run of characters that both hold."""
    longest = 0
    for start in range(len(query)):
        while start + longest < len(query) and query[start : start + longest + 1] in text:
            longest += 1
    return longest
