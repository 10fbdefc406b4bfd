"""The last step of a search: in force before out of force, near before far.

It works on the few best candidates and on metadata alone; the scores keep their places, so that
they still fall from rank to rank.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date

from knowledge.places import nearest_named, places, province_of
from knowledge.ranking import Scored
from knowledge.types import Document
from knowledge.versions import Standing, Versions, about, is_named

# Scores of passages on the same matter lie closer together than these; a passage that is far
# better stays before one that is in force, or nearer, and says something else.
OUT_OF_FORCE = 4.0
ANOTHER_LEVEL = 1.0
_NATIONAL = re.compile(
    r"中华人民共和国|^国务院|全国人民代表大会|最高人民|国家[\u4e00-\u9fff]{1,12}(?:局|委|部|会)"
    r"|(?<![\u4e00-\u9fff])[\u4e00-\u9fff]{2,8}部(?:$|、|\s)",
    re.MULTILINE,
)


def level(document: Document, city: str) -> int:
    """Tell how far from a city a rule is made: there 0, its province 1, the state 2, else 3.

    What names no place and no body of the state counts as the city's own.
    """
    named = places(about(document))
    if not named:
        return 2 if _NATIONAL.search(about(document)) else 0
    if city in named:
        return 0
    return 1 if province_of(city) in named else 3


def arrange(
    query: str, scored: Sequence[Scored], versions: Versions, today: date, city: str = ""
) -> list[Scored]:
    """Put the best candidates in their final order.

    Args:
        query: What was searched for; a year or a document number in it asks for that version.
        scored: Best first.
        versions: Knows what is in force.
        today: The day that counts.
        city: The home's own; empty: the one that most documents are about.
    """
    documents = {one.row.document.id: one.row.document for _, one in scored}
    standings = versions.standings(documents.values(), today)
    named = {id_ for id_, document in documents.items() if is_named(document, query)}
    where = nearest_named(query) or city or versions.city()
    less = {
        id_: _out_of_force(id_, standings, named) + _far(document, where)
        for id_, document in documents.items()
    }
    order = sorted(scored, key=lambda s: less[s[1].row.document.id] - s[0])
    scores = (score for score, _ in scored)
    return [(score, one) for score, (_, one) in zip(scores, order, strict=True)]


def _out_of_force(id_: str, standings: Mapping[str, Standing], named: set[str]) -> float:
    """What a version loses against the one in force, or against the one that is asked for."""
    standing = standings[id_]
    asked_for = named & standing.versions
    if asked_for:
        return 0.0 if id_ in named else OUT_OF_FORCE
    return 0.0 if standing.state == "in_force" or id_ in named else OUT_OF_FORCE


def _far(document: Document, city: str) -> float:
    return ANOTHER_LEVEL * level(document, city) if city else 0.0
