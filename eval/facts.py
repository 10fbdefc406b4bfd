"""Does an answer state a fact? Right on how it may be written, never laxer than that.

Both are compared after folding width (Unicode NFKC) and quotation marks, and taking out white
space, thousands separators and the answer's own ``[n]`` marks. Then a fact stands in an answer if

1. its words do, and no digit, numeral or unit continues its first or last number; or
2. they do once numbers and dates are written in one way (``knowledge.numerals``).

Punctuation at a fact's two ends only frames it and is not looked for.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from knowledge.numerals import CLOSE, OPEN, canonical, join_thousands

Fact = str | tuple[str, ...]  # one wording, or alternatives

MARK = re.compile(r"\[\d{1,3}\]")
_SPACE_BETWEEN_DIGITS = re.compile(r"(?<=\d)\s+(?=\d)")
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "「": '"', "」": '"'})
_FRAME = " \t\"'《》〈〉。,;:、!?.·…【】"
_APART = "\ue002"  # keeps two numbers that only a space parts from becoming one
_UNITS = "十百千万亿"
_NUMERAL = f"零〇一二两三四五六七八九{_UNITS}"
# What follows these is a number of its own: 统一三十日.
_ENDS_IN_A_WORD = re.compile("(?:[统唯单同逐不其]|(?<!分)之)一$")
_KEPT = 4096  # texts whose folded form is kept: a report looks at each passage for each fact
_YEAR = re.compile(r"(?:19|20)\d\d年")


@lru_cache(maxsize=_KEPT)
def normalise(text: str) -> str:
    """Fold what may differ between two writings of the same words."""
    text = unicodedata.normalize("NFKC", MARK.sub("", text)).translate(_QUOTES)
    text = _SPACE_BETWEEN_DIGITS.sub(_APART, join_thousands(text))
    return re.sub(r"\s+", "", text)


def states(answer: str, fact: Fact) -> bool:
    """Tell whether an answer states a fact, or one of its alternatives."""
    wordings = (fact,) if isinstance(fact, str) else fact
    text = normalise(answer)
    return any(_holds(text, framed) for framed in map(_without_frame, wordings) if framed)


def share_stated(answer: str, facts: Sequence[Fact]) -> float:
    """Return the share of the facts that the answer states; 1 where there are none."""
    return sum(states(answer, fact) for fact in facts) / len(facts) if facts else 1.0


def _without_frame(fact: str) -> str:
    stripped = normalise(fact).strip(_FRAME)
    return stripped or normalise(fact)


def _holds(answer: str, fact: str) -> bool:
    start = answer.find(fact)
    while start >= 0:
        if not _continued(answer, start, start + len(fact)):
            return True
        start = answer.find(fact, start + 1)
    return _canonical(fact) in _canonical(answer)


_canonical = lru_cache(maxsize=_KEPT)(canonical)


def _continued(text: str, start: int, end: int) -> bool:
    """Tell whether a number at either end of ``text[start:end]`` goes on outside of it."""
    return _joins(text[:start], text[start:end]) or _joins_on(text[start:end], text[end : end + 2])


def _joins(before: str, fact: str) -> bool:
    if fact[0].isdecimal():
        # "1.2020年": a list's number before a year, not a decimal.
        point = "" if _YEAR.match(fact) else r"\.?"
        return bool(re.search(rf"\d{point}$|分之$|[\d{_NUMERAL}][{_UNITS}]$", before))
    if fact[0] not in _NUMERAL or _ENDS_IN_A_WORD.search(before):
        return False
    return bool(re.search(rf"[\d{_NUMERAL}]$|分之$|[{_NUMERAL}]点$", before))


def _joins_on(fact: str, after: str) -> bool:
    if fact[-1].isdecimal():
        return bool(re.match(r"\d|\.\d|[万亿%‰]|[百千][元万亿余多]|分之", after))
    if fact[-1] not in _NUMERAL or _ENDS_IN_A_WORD.search(fact):
        return False
    digits = r"|\d" if fact[-1] in _UNITS else ""
    return bool(re.match(rf"[{_NUMERAL}]|点[{_NUMERAL}]|分之{digits}", after))


def coverage(answer: str, fact: Fact) -> float:
    """Return the longest run of a fact's characters that stands in the answer, as a share of it.

    The best of the alternatives counts. It never flatters: words found here and there don't add up.
    """
    wordings = (fact,) if isinstance(fact, str) else fact
    text = normalise(answer)
    return max(_longest_share(text, _without_frame(wording)) for wording in wordings)


def _longest_share(text: str, fact: str) -> float:
    from difflib import SequenceMatcher

    if not fact or fact in text:
        return 1.0
    longest = SequenceMatcher(None, fact, text, autojunk=False).find_longest_match()
    return longest.size / len(fact)


def numbers(text: str) -> set[str]:
    """Return the values of a text's numbers, written in one way."""
    return set(re.findall(f"{OPEN}([^{CLOSE}]*){CLOSE}", canonical(normalise(text))))
