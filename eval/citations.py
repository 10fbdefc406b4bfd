"""Do an answer's citations hold? Checked without any model.

A mark ``[n]`` speaks for the sentences before it, back to the mark before it. A sentence is
supported if every quote behind it stands in its document, and the quotes together hold every
number, date, amount and name of the sentence and at least half of its terms. What the answer says
of itself (the question that a part answers, what is not there, that a rule is not in force) is no
sentence that could have a source.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.composing import UNSURE
from assistant.extractive import MORE
from assistant.several import HELP
from eval.facts import MARK, normalise, numbers
from eval.outcomes import Cited, Outcome
from knowledge.lexical import terms
from knowledge.splitting import sentences

_MARKS = re.compile(r"(?:\s*\[\d{1,3}\])+")
# Names that can be told without a model: titles in 《》, words in quotation marks, Latin words.
_NAME = re.compile(r"《[^》]+》|“[^”]+”|[A-Za-z][A-Za-z0-9.\-]+")
_FRAMING = re.compile(
    rf"{re.escape(UNSURE)}|{re.escape(MORE)}|{re.escape(HELP)}|^请注意：不同规定的说法不一致，.*?的说法是："
    r"|^(?:资料里没有|资料里有相关的内容|原文未提及)[^。\n\[]*。$|^截至今日（[^。\n]*。$",
    re.MULTILINE,
)
# Of one of several questions.
_HEADING = re.compile(r"^[一二三四五六七八九十]、(.+)$", re.MULTILINE)
TERMS_FROM = 0.5  # share of a sentence's terms that its quotes hold


@dataclass(frozen=True, slots=True)
class CitationCounts:
    """How many of an answer's citations hold, and of its sentences carry one."""

    supported: int = 0
    citations: int = 0
    cited: int = 0
    sentences: int = 0


def check_citations(outcome: Outcome) -> CitationCounts:
    """Count what holds; a refusal has nothing to cite and counts nothing."""
    if outcome.refused or outcome.error:
        return CitationCounts()
    by_number = {citation.n: citation for citation in outcome.citations}
    supported = citations = cited = total = 0
    for text, marks in _segments(_without_framing(outcome)):
        said = [text[start:end] for start, end in sentences(text)]
        said = [sentence for sentence in said if terms(sentence)]
        total += len(said)
        if marks:
            cited += len(said)
            citations += len(marks)
            supported += _supported(said, [by_number.get(n) for n in marks])
    return CitationCounts(supported, citations, cited, total)


def _without_framing(outcome: Outcome) -> str:
    asked = set(normalise(outcome.corrected_question))
    return _HEADING.sub(
        lambda line: "" if set(re.findall(r"\w", normalise(line[1]))) <= asked else line[0],
        _FRAMING.sub("", outcome.answer),
    )


def _segments(answer: str) -> list[tuple[str, list[int]]]:
    """Cut an answer behind its marks; the last part may have none."""
    parts, start = [], 0
    for match in _MARKS.finditer(answer):
        parts.append((answer[start : match.start()], _marks(match[0])))
        start = match.end()
    return [*parts, (answer[start:], [])]


def _marks(text: str) -> list[int]:
    return [int(mark[1:-1]) for mark in MARK.findall(text)]


def _supported(said: Sequence[str], behind: Sequence[Cited | None]) -> int:
    """Return how many of the citations behind these sentences hold."""
    standing = [citation for citation in behind if citation and citation.in_document]
    quoted = "\n".join(f"{citation.title}\n{citation.quote}" for citation in standing)
    return len(standing) if all(supports(quoted, sentence) for sentence in said) else 0


def supports(quoted: str, sentence: str) -> bool:
    """Tell whether quotes hold a sentence's numbers, names and at least half of its terms."""
    found = normalise(quoted)
    names = (normalise(name) for name in _NAME.findall(sentence))
    wanted, held = set(terms(sentence)), set(terms(quoted))
    return (
        numbers(sentence) <= numbers(quoted)
        and all(name.strip("《》\"'") in found for name in names)
        and len(wanted & held) >= TERMS_FROM * len(wanted)
    )
