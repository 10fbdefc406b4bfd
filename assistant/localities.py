"""What of the hits is of the place that is asked about: another place's rules do harm.

A question that names no place is asked of the one that was named last in the conversation.
"""

import re
from collections.abc import Callable, Iterator, Sequence, Set

from assistant.counties import cities_asked_about, cities_named
from assistant.types import Turn
from knowledge.places import province_of, smaller_places, without_excluded
from knowledge.splitting import sentences
from knowledge.types import Hit

Read = Callable[[str], str]

_OF_ONE_PLACE = re.compile("[我全][省市区县州]|本市")


def last_asked_about(history: Sequence[Turn]) -> set[str]:
    """Return the places of the newest question that names any."""
    asked = (cities_asked_about(turn.content) for turn in reversed(history) if turn.role == "user")
    return next(filter(None, asked), set())


def is_of(hit: Hit, wanted: Set[str], read: Read) -> bool:
    """Tell whether a hit's document names one of these places, or the province of one."""
    names = {*wanted, *filter(None, map(province_of, wanted))}
    text = f"{hit.document.title}\n{read(hit.document.id)}"
    return any(name in text for name in names)


def is_of_another(hit: Hit, wanted: Set[str], read: Read) -> bool:
    """Tell whether a hit is of other places than these: by what stands above it or in it.

    What names none there, in a document that says 全市 and names others, is of one of those.
    """
    if is_of(hit, wanted, read):
        return False
    text = read(hit.document.id)
    if _named(_whole(hit)) or smaller_places(hit.document.title):
        return True
    return bool(_OF_ONE_PLACE.search(text) and _named(text))


def without_others(hits: Sequence[Hit], wanted: Set[str], read: Read) -> list[Hit]:
    """Leave what the hits say of these places, and of none.

    What says that it is not about them (除湖北省外) is left out, too.
    """
    own = [part for hit in hits for part in _applying(hit, wanted)]
    return [hit for hit in own if not is_of_another(hit, wanted, read)]


def _named(text: str) -> set[str]:
    return cities_named(without_excluded(text))


def _applying(hit: Hit, wanted: Set[str]) -> Iterator[Hit]:
    """Yield a hit without the sentences that name these places as excluded only."""
    spans = sentences(hit.passage.text)
    excluding = [_excludes(hit.passage.text[start:end], wanted) for start, end in spans]
    if not any(excluding):
        yield hit
        return
    if _excludes(_whole(hit), wanted):
        return
    start = 0
    for (begins, ends), excludes in zip(spans, excluding, strict=True):
        if excludes:
            if start < begins:
                yield hit.cut(start, begins)
            start = ends
    if start < len(hit.passage.text):
        yield hit.cut(start, len(hit.passage.text))


def _excludes(text: str, wanted: Set[str]) -> bool:
    named = any(place in text for place in wanted)
    return named and not any(place in without_excluded(text) for place in wanted)


def _whole(hit: Hit) -> str:
    return "\n".join((hit.document.title, *hit.passage.section, hit.passage.text))
