"""The sentences that may answer, and how likely each does: what answer and refusal rest on."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from assistant import answer_types
from assistant.asking import Asked, Kind, holds
from assistant.reader import Told
from knowledge.lexical import normalise, terms
from knowledge.queries import Weighed, longest_common
from knowledge.splitting import sentences
from knowledge.types import Hit

PASSAGES = 5  # looked at for the answer
# Sentences, the likeliest by all else, that are read beside the question: with eight instead of six
# a question takes a sixth longer, and no more are answered.
READ = 6
LONGEST_LIST = 350  # characters of a list that are quoted with its lead-in
# Headings, notices and lines that name the source: they say what is near, and answer nothing.
FURNITURE = re.compile(r"#{1,6}\s|>\s|来源[：:]")
# Who issued a document, and when: it answers only what asks for a time.
_SIGNATURE = re.compile(
    r"(?:[\u4e00-\u9fff（）()、·]{2,40}\s*)?(?:(?:19|20)\d\d|二[〇零○][一二三四五六七八九〇零○]{2})年"
    r"\s*[\d一二三四五六七八九十]{1,3}月\s*[\d一二三四五六七八九十]{1,3}日\s*"
)
_NUMBERS = re.compile(r"\d+(?:\.\d+)?")
_DATES = re.compile(r"\d+[年月日时]")
_ENDS = "。;!?:…”"  # normalised

# Logistic regression: does the sentence hold (part of) the answer? Fitted by ``eval.fitting`` on
# questions that the reader has not seen, of datasets/pandemic and in everyday words.
_WEIGHTS: Mapping[str, float] = {
    "after_asking": 0.390,
    "after_lead_in": -0.221,
    "after_most": 0.187,
    "asks": -4.261,
    "at": -0.030,
    "begins_document": -0.031,
    "behind": 0.259,
    "below_title": 0.516,
    "characters": 3.405,
    "cover": -6.742,
    "cover_around": -0.208,
    "cover_behind": -0.911,
    "cover_behind_all": 1.887,
    "cover_next": -0.182,
    "cover_passage": 0.033,
    "cover_squared": -0.783,
    "cover_with_above": 4.401,
    "cover_with_before": 1.238,
    "dates": 0.006,
    "dense": 1.550,
    "first": 0.417,
    "fit": 0.087,
    "fit_behind": 0.382,
    "focus": 0.967,
    "focus_before": -0.633,
    "focus_next": -0.960,
    "from_end": -0.002,
    "is_most": 0.802,
    "later": 0.257,
    "leads_in": -0.514,
    "left_by_title": 1.731,
    "length": -0.232,
    "list": 0.036,
    "longest_common": 0.061,
    "manner": 0.192,
    "new": -0.409,
    "next_gain": -0.067,
    "number": 0.305,
    "numbers": 0.072,
    "phone": 1.130,
    "place": 0.131,
    "position": 0.248,
    "rank": -0.114,
    "rare": 0.807,
    "read": 0.114,
    "read_behind": 0.350,
    "short": -0.661,
    "time": 0.210,
    "unfinished": -0.677,
    "unit": 1.190,
}
_BIAS = -4.062


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a hit: offsets within its passage, and what is known of it."""

    hit: Hit
    start: int
    end: int
    features: Mapping[str, float]

    @property
    def text(self) -> str:
        """The words as they stand in the passage."""
        return self.hit.passage.text[self.start : self.end]

    @property
    def with_items(self) -> str:
        """The same; of a list's lead-in, with what is quoted with it."""
        led_to = LONGEST_LIST if self.text.rstrip().endswith(("：", ":")) else 0
        return self.hit.passage.text[self.start : max(self.end, self.start + led_to)]

    @property
    def is_furniture(self) -> bool:
        """Whether it is a heading, a notice or (a later part of) a line that names the source."""
        text = self.hit.passage.text
        line = text.rfind("\n", 0, self.start) + 1
        begins = FURNITURE.match(text[line:].lstrip())
        return bool(begins) and "。" not in text[line : self.start]

    @property
    def log_odds(self) -> float:
        """How likely it belongs to the answer, as the logarithm of the odds."""
        return _BIAS + sum(_WEIGHTS[name] * value for name, value in self.features.items())

    @property
    def likelihood(self) -> float:
        """How likely it belongs to the answer, in [0, 1]."""
        return 1 / (1 + math.exp(-self.log_odds))


def candidates(asked: Asked, hits: Sequence[Hit]) -> list[list[Sentence]]:
    """Return the sentences of each of the best passages, with their features."""
    if not hits:
        return []
    read = [_read(asked, hit) for hit in hits[:PASSAGES]]
    best = _Best(
        hits[0],
        max((cover for passage in read for cover in passage.cover), default=0.0),
        max((fit for passage in read for fit in passage.fits), default=0.0),
    )
    passages = [
        [
            Sentence(passage.hit, *span, _features(asked, best, passage, at))
            for at, span in enumerate(passage.spans)
        ]
        for passage in read
    ]
    return _unsigned(asked, _with_reading(asked, passages))


def _with_reading(asked: Asked, passages: list[list[Sentence]]) -> list[list[Sentence]]:
    """Read the likeliest sentences beside the question; the others count as the least of these."""
    likeliest = sorted(said(passages), key=lambda one: -one.log_odds)[:READ]
    if not asked.read or not likeliest:
        return passages
    scores = asked.read([Told.of(one.hit, one.start, one.end) for one in likeliest])
    score = _alike_but_for_numbers(dict(zip(map(_key, likeliest), scores, strict=True)), likeliest)
    least, most = min(score.values()), max(score.values())

    def read(one: Sentence) -> Sentence:
        of = score.get(_key(one), least)
        return replace(one, features={**one.features, "read": of, "read_behind": of - most})

    return [[read(one) for one in passage] for passage in passages]


def _key(sentence: Sentence) -> tuple[int, int]:
    """Tell sentences apart, also those of one hit's parts, and order them as they were found."""
    return sentence.hit.rank, sentence.hit.passage.start + sentence.start


def _alike_but_for_numbers(
    score: dict[tuple[int, int], float], sentences: Sequence[Sentence]
) -> dict[tuple[int, int], float]:
    """Give a sentence the score of one of an earlier hit that differs from it in numbers only.

    Which of two rules comes first, the newer or the nearer, is not for the reader to say.
    """
    first: dict[str, float] = {}
    for one in sorted(sentences, key=_key):
        words = _NUMBERS.sub("", normalise(one.text)).strip()
        score[_key(one)] = first.setdefault(words, score[_key(one)])
    return score


def reading(passages: Sequence[Sequence[Sentence]]) -> float:
    """Return the logarithm of the odds that there is an answer, by all that was read."""
    scores = sorted((one.features["read"] for one in said(passages)), reverse=True)[:READ]
    return math.log(sum(map(math.exp, scores))) if scores else 0.0


def said(passages: Sequence[Sequence[Sentence]]) -> list[Sentence]:
    """Return the sentences that may answer; headings and the like where there is nothing else."""
    found = [sentence for passage in passages for sentence in passage]
    return [one for one in found if not one.is_furniture] or found


def best_fit(passages: Sequence[Sequence[Sentence]]) -> float:
    """Return how well what is asked for is said, by the sentence that says it best; 0 for none."""
    return max((one.features["fit"] for one in said(passages)), default=0.0)


def likeliest(passages: Sequence[Sequence[Sentence]]) -> Sentence | None:
    """Return the sentence likeliest to belong to the answer; none where there is no sentence."""
    return max(said(passages), key=lambda sentence: sentence.log_odds, default=None)


def telling(asked: Asked, passages: Sequence[Sequence[Sentence]]) -> Sequence[Sequence[Sentence]]:
    """Leave the sentences with a telephone number, where one is asked for and any has one.

    So few words stand beside it in most questions (医保电话) that they tell little apart.
    """
    if "phone" not in asked.kinds:
        return passages
    found = [[one for one in passage if holds("phone", one.with_items)] for passage in passages]
    return found if any(found) else passages


def _unsigned(asked: Asked, passages: list[list[Sentence]]) -> list[list[Sentence]]:
    """Leave out signatures, but where a time is asked for or there is nothing else."""
    if "time" in asked.kinds:
        return passages
    found = [[one for one in of if not _SIGNATURE.fullmatch(one.text)] for of in passages]
    return found if any(found) else passages


@dataclass(frozen=True, slots=True)
class _ReadPassage:
    """A passage cut into sentences, with what each covers of the question."""

    hit: Hit
    spans: Sequence[tuple[int, int]]
    texts: Sequence[str]  # normalised
    found: Sequence[set[str]]  # terms of each sentence
    above: set[str]  # terms of the title and the headings
    cover: Sequence[float]
    fits: Sequence[float]  # how well each says what is asked for
    below: Weighed  # what of the question the title and the headings do not have
    rare: Weighed  # the question's terms, weighing the less the more sentences have them

    @property
    def all(self) -> set[str]:
        """The terms of the passage and of what stands above it."""
        return self.above.union(*self.found)

    def around(self, at: int, before: int, after: int) -> set[str]:
        """Return the terms of a sentence and of so many before and after it."""
        return set().union(*self.found[max(0, at - before) : at + after + 1])


def _read(asked: Asked, hit: Hit) -> _ReadPassage:
    spans = sentences(hit.passage.text)
    texts = [normalise(hit.passage.text[start:end]) for start, end in spans]
    found = [set(terms(text)) for text in texts]
    above = set(terms("\n".join((hit.document.title, *hit.passage.section))))
    cover = [asked.share(one) for one in found]
    fits = answer_types.fit(asked.question, texts).tolist()
    below = Weighed({t: w for t, w in asked.weights.items() if t not in above})
    in_all = Counter(term for one in found for term in one)
    rare = Weighed({t: w * (1 - in_all[t] / max(1, len(found))) for t, w in asked.weights.items()})
    return _ReadPassage(hit, spans, texts, found, above, cover, fits, below, rare)


@dataclass(frozen=True, slots=True)
class _Best:
    """What a sentence is held against: the first hit, and the most that any sentence has."""

    hit: Hit
    cover: float
    fit: float


def _features(asked: Asked, best: _Best, passage: _ReadPassage, at: int) -> dict[str, float]:
    return {
        **_of_passage(asked, best.hit, passage),
        **_of_cover(asked, passage, at, best.cover),
        **_of_form(passage, at),
        **_of_kind(asked, passage.texts[at]),
        "fit": passage.fits[at],
        "fit_behind": passage.fits[at] - best.fit,
        "read": 0.0,
        "read_behind": 0.0,
    }


def _of_passage(asked: Asked, top: Hit, passage: _ReadPassage) -> dict[str, float]:
    hit = passage.hit
    return {
        "behind": hit.score - top.score,
        "first": float(hit.rank == 1),
        "rank": float(hit.rank),
        "dense": hit.dense,
        "cover_passage": asked.share(passage.all),
        "begins_document": float(hit.passage.start < 5),
    }


def _of_cover(asked: Asked, passage: _ReadPassage, at: int, highest: float) -> dict[str, float]:
    """How much of the question a sentence covers: alone, beside its neighbours, below the title."""
    cover, found, text = passage.cover, passage.found, passage.texts[at]
    most = cover.index(max(cover))
    after = cover[at + 1] if at + 1 < len(cover) else 0.0
    below, rare = passage.below, passage.rare
    return {
        "cover": cover[at],
        "cover_squared": cover[at] ** 2,
        "cover_behind": cover[at] - cover[most],
        "cover_behind_all": cover[at] - highest,
        "cover_with_before": asked.share(passage.around(at, 1, 0)),
        "cover_around": asked.share(passage.around(at, 1, 1)),
        "cover_with_above": asked.share(found[at] | passage.above),
        "cover_next": after,
        "next_gain": after - cover[at] if after else 0.0,
        "characters": asked.share_of_characters(text),
        "below_title": below.share(found[at]) if below.total else 1.0,
        "left_by_title": below.total / asked.total if asked.total else 0.0,
        "rare": rare.share(found[at]),
        "focus": asked.focus.share(found[at]),
        "focus_before": asked.focus.share(found[at - 1]) if at else 0.0,
        "focus_next": asked.focus.share(found[at + 1]) if at + 1 < len(found) else 0.0,
        "longest_common": longest_common(normalise(asked.question), text)
        / max(4, len(asked.question)),
        "is_most": float(at == most),
        "after_most": float(at == most + 1),
        "later": float(at > most),
        "new": len(found[at] - asked.weights.keys()) / (1 + len(found[at])),
    }


def _of_form(passage: _ReadPassage, at: int) -> dict[str, float]:
    """What a sentence looks like, and where in its passage it stands."""
    start, end = passage.spans[at]
    text, count = passage.texts[at], len(passage.spans)
    before = passage.texts[at - 1] if at else ""
    return {
        "length": math.log(end - start),
        "short": float(end - start < 12),
        "leads_in": float(text.endswith(":")),
        "after_lead_in": float(before.endswith(":")),
        "asks": float(text.endswith("?")),
        "after_asking": float(before.endswith("?")),
        "unfinished": float(text[-1:] not in _ENDS),
        "position": at / count,
        "at": min(at, 10.0),
        "from_end": min(count - 1 - at, 10.0),
        "numbers": min(len(_NUMBERS.findall(text)), 6.0),
        "dates": min(len(_DATES.findall(text)), 4.0),
    }


def _of_kind(asked: Asked, text: str) -> dict[str, float]:
    kinds: tuple[Kind, ...] = ("number", "time", "list", "place", "manner", "phone")
    features: dict[str, float] = {
        kind: float(kind in asked.kinds and holds(kind, text)) for kind in kinds
    }
    features["unit"] = 0.0 if asked.unit is None else float(bool(asked.unit.search(text))) - 0.5
    return features
