"""Is this answerable from these passages? The refusal decision, made in code."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.asking import Asked, Kind, holds
from assistant.counties import Counties, cities_asked_about, cities_named
from assistant.matters import Matters, Nearness, named
from assistant.sentences import Sentence, best_fit, candidates, likeliest, reading, telling
from assistant.types import Status
from knowledge.base import KnowledgeBase
from knowledge.lexical import normalise, terms
from knowledge.places import smaller_places, without_excluded
from knowledge.types import Hit

# Logistic regression: do the passages hold the answer? Two of them: for a question worded as
# documents are and for one in everyday words, and what lies between the two counts by either so
# far. Fitted by ``eval.fitting`` on questions that the reader has not seen: half of
# datasets/pandemic and of tests/data/lay_questions.jsonl, and those of eval/reader_examples.tsv
# that were held back. It prints how well each half of each set is told apart with weights fitted on
# the other halves; docs/benchmarks.md has what it printed.
# Few of these questions name a year: those weights were fitted on more sets, before the reader.
_WEIGHTS: Mapping[str, tuple[float, float]] = {
    "characters": (0.000, 0.000),
    "characters_uncovered": (-1.650, -1.560),
    "cover_below_title": (0.938, 0.938),
    "cover_below_title_uncovered": (-0.956, -3.832),
    "cover_first": (0.415, 0.415),
    "cover_first_uncovered": (-0.580, -0.717),
    "cover_passage": (0.328, 0.328),
    "cover_passage_uncovered": (0.420, 0.434),
    "dense": (0.000, 0.000),
    "dense_uncovered": (0.000, 0.695),
    "fit": (0.000, 0.190),
    "gap": (-1.234, -1.234),
    "gap_uncovered": (-0.374, -0.374),
    "likelihood": (0.117, 0.134),
    "likelihood_uncovered": (0.410, 0.363),
    "margin": (0.107, 0.107),
    "margin_uncovered": (0.141, 0.058),
    "matter_uncovered": (-4.135, -5.409),
    "no_number": (-0.259, -0.259),
    "no_phone": (-0.348, -2.069),
    "no_time": (-0.043, -0.043),
    "no_unit": (-0.886, -0.886),
    "no_unit_in_passage": (0.000, 0.000),
    "other_place": (-1.166, -2.726),
    "passage_matter_uncovered": (0.000, 1.856),
    "place_missing": (-1.335, -2.626),
    "place_missing_in_passage": (1.054, 2.012),
    "quoted_missing": (-1.435, -3.723),
    "read": (0.243, 0.466),
    "read_uncovered": (0.221, 0.292),
    "same_document": (0.475, 0.266),
    "same_document_uncovered": (0.609, 1.208),
    "smaller_place_missing": (0.000, 0.000),
    "uncovered": (-0.328, 0.634),
    "year_missing": (-1.198, -1.207),
    "year_missing_in_passage": (-3.451, -7.621),
}
_BIAS = (0.318, -0.287)
# As likely as not. In everyday words a sixth of what is answerable is refused with it, and four
# fifths of what is not. In the documents' own words ``eval.fitting`` sets the bias so that 6.5% of
# the former are.
ANSWERABLE_FROM = 0.5
# An answer less likely than that is given, and said to be unsure: of 66 such on four sets of
# questions (kiosk, everyday, guides of two cities) the sentence put first said what was asked for
# in 21, of 540 others in 363.
SURE_FROM = 0.6
# A passage whose meaning is further from the question than the former, and that has less of its
# characters than the latter, is about something else, whatever the weights make of it. No
# answerable question of datasets/pandemic lies there, 10 of 855 in everyday words, and 153 of 725
# that can't be answered; the weights alone would answer none and three of these.
FAR_BELOW, FEW_BELOW = 0.5, 0.6
# So is one that is not much closer where so much of the question, in one run, stands nowhere in the
# document: in the same order none, 23, and 178; one and four.
LOST_FROM, NEAR_FROM = 0.75, 0.56
# Covered to this share, the topic is there and only this fact is not.
TOPIC_FROM = 0.5
NOT_FOUND = "资料里没有找到这个问题的答案。"
# What a sentence either has or has not; any sentence may be a list or a way to do something.
_TELLING: Sequence[Kind] = ("number", "time", "phone")
# What is named in quotation marks: no answerable question of datasets/pandemic names what the
# document does not, one in twenty of the others does.
_QUOTED = re.compile(r"[“\"「《]([^”\"」》]{2,12})[”\"」》]")
_YEAR = re.compile(r"(?:19|20)\d\d(?=年)")
_DATED = re.compile(r"(?:19|20)\d\d[年-]")
# Of so many documents hits could each be of another; of fewer, the share that is of one tells
# nothing, and is taken as what it is on the average.
SPREAD, USUAL_SHARE = 8, 0.5
FIRST = 3  # hits that are looked at together
_LOOKED_AT = 200_000  # characters of a document


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for an answer.

    Attributes:
        score: Calibrated probability that the passages hold the answer, in [0, 1].
        status: ``answered``, ``partial``, or why it is to be refused.
        reason: The same in plain Chinese; empty where it is answered.
        missing: What is asked for and not said.
    """

    score: float
    status: Status
    reason: str = ""
    missing: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether no answer is to be composed."""
        return self.status not in {"partial", "answered"}

    @property
    def sure(self) -> bool:
        """Whether it is answered, and likelier right than not."""
        return not self.refused and self.score >= SURE_FROM


def judge(
    asked: Asked,
    hits: Sequence[Hit],
    base: KnowledgeBase,
    matters: Matters,
    counties: Counties,
) -> Evidence:
    """Weigh what the question asks for against what the best passages say.

    Args:
        asked: The question, its terms weighed.
        hits: What was found for it.
        base: Where it was found.
        matters: What else the question may be about.
        counties: Those of the city whose documents these are.
    """
    said = candidates(asked, hits)
    best = likeliest(telling(asked, said))
    if not best:
        return Evidence(0.0, "not_found", "资料里没有与这个问题有关的内容。")
    compared = Compared(asked, best, base, counties)
    near = matters.nearness(asked.question, best.hit)
    spread = base.catalogue.has(SPREAD)
    read = reading(said)
    if "phone" in asked.kinds and holds("phone", best.with_items):
        read = max(read, 0.0)  # hardly any question that the reader learnt from has one for answer
    features = compared.features(hits, near, best_fit(said), read, spread=spread)
    score = _probability(features, asked.everyday)
    if _is_far(features):
        return _not_found(min(score, ANSWERABLE_FROM), compared.absent_matter(hits))
    another = bool(features["place_missing"] and features["other_place"])
    # Another place's amounts and rules do harm, however well all else agrees.
    if names := compared.absent_from(hits[:FIRST]) if another else compared.of_another_county():
        return elsewhere(min(score, ANSWERABLE_FROM), names)
    if "phone" in asked.kinds and not any(holds("phone", h.passage.text) for h in hits):
        reason = "资料里有相关的内容，但没有写联系电话。"
        return Evidence(min(score, ANSWERABLE_FROM), "not_covered", reason, ("联系电话",))
    if score >= ANSWERABLE_FROM and not another:
        return Evidence(score, "answered")
    return _refused(min(score, ANSWERABLE_FROM), compared, hits)


def _is_far(features: Mapping[str, float]) -> bool:
    far = features["dense"] < FAR_BELOW and features["characters"] < FEW_BELOW
    return far or (features["dense"] < NEAR_FROM and features["gap"] >= LOST_FROM)


def _probability(features: Mapping[str, float], everyday: float) -> float:
    official, spoken = (
        _BIAS[of] + sum(_WEIGHTS[name][of] * value for name, value in features.items())
        for of in (0, 1)
    )
    return 1 / (1 + math.exp(-official - everyday * (spoken - official)))


def _refused(score: float, compared: "Compared", hits: Sequence[Hit]) -> Evidence:
    absent, matter = compared.absent_from(hits[:FIRST]), compared.absent_matter(hits)
    if matter or compared.asked.share(compared.passage) < TOPIC_FROM:
        return _not_found(score, matter)
    if absent:
        return elsewhere(score, absent)
    return Evidence(score, "not_covered", "资料里有相关的内容，但没有说到您问的这一点。")


def _not_found(score: float, matter: str) -> Evidence:
    reason = f"资料里没有找到关于“{matter}”的内容。" if matter else NOT_FOUND
    return Evidence(score, "not_found", reason, (matter,) if matter else ())


def elsewhere(score: float, absent: Sequence[str]) -> Evidence:
    """Return the verdict that a place or year is asked about that nothing is said of."""
    places = "、".join(f"“{name}”" for name in absent if not name.isdigit())
    years = "、".join(f"{name}年" for name in absent if name.isdigit())
    of = f"{places}{years}的" if years else f"{places}这方面的"
    return Evidence(score, "elsewhere", f"资料里没有找到{of}内容。", tuple(absent))


class Compared:
    """A question beside the document that seems to answer it best."""

    def __init__(
        self, asked: Asked, best: Sentence, base: KnowledgeBase, counties: Counties
    ) -> None:
        """Compare with the best sentence's document."""
        document, passage = best.hit.document, best.hit.passage
        self.asked = asked
        self._best = best
        self._means, self._read = base.synonyms.means, base.text
        self._counties = counties
        self._question = normalise(asked.question)
        self._above = normalise("\n".join((document.title, *passage.section)))
        self._passage = f"{self._above}\n{normalise(passage.text)}"
        self._dated = f"{document.metadata.get('date', '')}\n{self._passage}"
        self._document = f"{self._above}\n{base.text(document.id)[:_LOOKED_AT].lower()}"
        self.passage = set(terms(self._passage))

    def absent(self) -> list[str]:
        """Return the places of the question that the document does not name, and such years."""
        named = sorted(self._asked_about())
        return [*(name for name in named if name not in self._document), *self.absent_years()]

    def absent_from(self, hits: Sequence[Hit]) -> list[str]:
        """Return the same but for the places that any of the hits' documents names."""
        texts = [self._read(of) for of in {hit.document.id for hit in hits}]
        return [n for n in self.absent() if n.isdigit() or not any(n in text for text in texts)]

    def absent_years(self) -> list[str]:
        """Return the years of the question where the passage, or its document's date, has another.

        What names no year may be of any.
        """
        asked = _YEAR.findall(self._question)
        return [year for year in asked if year not in self._dated and _DATED.search(self._dated)]

    def of_another_county(self) -> list[str]:
        """Return the counties of the question where the best sentence is about another."""
        best = self._best
        return self._counties.of_another(self._question, best.hit, best.start, best.end)

    def absent_matter(self, hits: Sequence[Hit]) -> str:
        """Return what the question names and no document that was found does; or nothing."""
        matter = named(self._question, self._document, self._means)
        documents = {hit.document.id: hit.document.title for hit in hits} if matter else {}
        texts = (f"{title}\n{self._read(id_)}" for id_, title in documents.items())
        return "" if any(not named(matter, text, self._means) for text in texts) else matter

    def features(
        self, hits: Sequence[Hit], near: Nearness, fit: float, read: float, *, spread: bool
    ) -> dict[str, float]:
        """Return what the decision rests on.

        Everyday words are not the documents': the less of the question is covered, the more the
        meaning tells and the less the words do. So everything is also there times what is not.

        Args:
            hits: What was found.
            near: How close other matters are.
            fit: The best of any sentence.
            read: How likely there is an answer by what was read.
            spread: Whether there are enough documents for hits to be spread over.
        """
        weighed = {**self._weighed(hits), "read": read}
        if not spread:
            weighed["same_document"] = USUAL_SHARE
        uncovered = 1 - weighed["cover_passage"]
        return {
            **weighed,
            **{f"{name}_uncovered": value * uncovered for name, value in weighed.items()},
            "uncovered": uncovered,
            # Is another matter closer to the question, and is the passage about what that is?
            "matter_uncovered": (near.question - hits[0].dense) * uncovered,
            "passage_matter_uncovered": near.passage * uncovered,
            "fit": fit,
            **self._lacks(),
        }

    def _weighed(self, hits: Sequence[Hit]) -> dict[str, float]:
        """Return how well words and meaning agree."""
        best, asked, of = self._best, self.asked, hits[0].document
        return {
            "dense": hits[0].dense,
            "margin": hits[0].score - hits[min(3, len(hits) - 1)].score,
            "likelihood": best.log_odds,
            "cover_passage": asked.share(self.passage),
            "cover_first": asked.share(_said_in(hits[:FIRST])),
            "cover_below_title": asked.share({*terms(self._above), *terms(best.text)}),
            "characters": asked.share_of_characters(self._passage),
            # What most hits have in common is likely what the question is about.
            "same_document": sum(hit.document.id == of.id for hit in hits) / len(hits),
            "gap": asked.largest_gap(_Substrings(self._document)),
        }

    def _lacks(self) -> dict[str, float]:
        """Return which of the kinds, places and years asked for are not there."""
        named, smaller = self._asked_about(), smaller_places(self._question)
        years = _YEAR.findall(self._question)
        missing = {name for name in named if name not in self._passage}
        asked, unit = self.asked.kinds, self.asked.unit
        return {
            **{
                f"no_{kind}": float(kind in asked and not holds(kind, self._best.with_items))
                for kind in _TELLING
            },
            "place_missing": float(any(name not in self._document for name in named)),
            "place_missing_in_passage": float(bool(missing)),
            "smaller_place_missing": float(any(name not in self._document for name in smaller)),
            "other_place": float(bool(missing) and bool(self._places(self._passage) - named)),
            "no_unit": float(
                unit is not None and not unit.search(normalise(self._best.with_items))
            ),
            "no_unit_in_passage": float(unit is not None and not unit.search(self._passage)),
            "quoted_missing": float(
                any(words not in self._document for words in _QUOTED.findall(self._question))
            ),
            "year_missing": float(any(year not in self._document for year in years)),
            "year_missing_in_passage": float(bool(self.absent_years())),
        }

    def _asked_about(self) -> set[str]:
        """Return the smallest places whose rules are asked for: of 泉州晋江, 晋江."""
        return self._counties.named(self._question) or cities_asked_about(self._question)

    def _places(self, text: str) -> set[str]:
        """Return the smallest places that a text names."""
        return self._counties.named(text) or cities_named(without_excluded(text))


def _said_in(hits: Sequence[Hit]) -> set[str]:
    """Return the terms of passages and of their documents' titles."""
    return {term for hit in hits for term in terms(f"{hit.document.title}\n{hit.passage.text}")}


class _Substrings:
    """A text as the set of everything that stands in it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __contains__(self, part: object) -> bool:
        return isinstance(part, str) and part in self._text
