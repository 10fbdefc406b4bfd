"""Whether a question is worded as documents are, or as people speak.

What a question in the documents' language asks for stands in them word for word, or is not there;
of one in everyday words much stands nowhere, whatever they say. So the same sign tells one thing of
the former and another of the latter.
"""

import math
from functools import cache

from assistant import ngrams
from assistant.ngrams import LanguageModel
from assistant.typos import statistics
from knowledge.lexical import normalise

# Of a character's log-probability: one of a rare name counts for no more than any that is unusual.
_LEAST = -9.0
# Where a question counts half as either, and over which distance that changes. Of the questions of
# datasets/pandemic one in a hundred lies below the former, of those in everyday words one half.
_MIDDLE, _WIDTH = -6.4, 0.35


def everyday(question: str) -> float:
    """Return how far a question is worded as people speak, from 0 (as documents are) to 1.

    It is told by how likely its characters are in official Chinese, on the average.
    """
    numbers = ngrams.codes(normalise(question))
    told = _official().log_probabilities(numbers)[:-1][numbers > 0]
    if not told.size:
        return 0.0
    return 1 / (1 + math.exp((told.clip(_LEAST).mean() - _MIDDLE) / _WIDTH))


@cache
def _official() -> LanguageModel:
    return LanguageModel(statistics()[0])
