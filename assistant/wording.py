"""Whether a question is worded as documents are, or as people speak.

What a question in the documents' language asks for stands in them word for word, or is not there;
of one in everyday words much stands nowhere, whatever they say. So the same sign tells one thing of
the former and another of the latter.

The two are told apart by the difference of cross-entropies (Moore and Lewis 2010, "Intelligent
selection of language model training data") by a language model of everyday questions
(``wording.npz``, made by ``eval.wording_model``) and one of official Chinese.
"""

from functools import cache
from pathlib import Path

import numpy as np

from assistant import ngrams
from assistant.confusions import statistics
from assistant.ngrams import Floats, LanguageModel
from knowledge.lexical import normalise

QUESTIONS = Path(__file__).with_name("wording.npz")
# What an everyday question says has words of documents, too: the share of its own.
_SPOKEN = 0.9
_MOST = 4.0  # that one character can tell, either way
# Where a question counts half as either, and over which distance that changes. Above the former
# lie one in twenty of the questions of datasets/pandemic, and 19 of those in everyday words.
_MIDDLE, _WIDTH = 0.6, 0.28


def everyday(question: str) -> float:
    """Return how far a question is worded as people speak, from 0 (as documents are) to 1."""
    numbers = ngrams.codes(normalise(question))
    official, spoken = (
        model.log_probabilities(numbers)[:-1][numbers > 0] for model in (_official(), _spoken())
    )
    return _logistic(_difference(official, spoken)) if official.size else 0.0


def _difference(official: Floats, spoken: Floats) -> float:
    """Return how much likelier a character is in an everyday question, as a mean logarithm."""
    either = np.log(_SPOKEN * np.exp(spoken - official) + 1 - _SPOKEN)
    return float(either.clip(-_MOST, _MOST).mean())


def _logistic(difference: float) -> float:
    return float(1 / (1 + np.exp((_MIDDLE - difference) / _WIDTH)))


@cache
def _official() -> LanguageModel:
    return LanguageModel(statistics()[0])


@cache
def _spoken() -> LanguageModel:
    return LanguageModel(ngrams.load(QUESTIONS)[0])
