"""Which of the documents are in force on a day: their dates, repeals, and newer versions.

Everything rests on the metadata that ``knowledge.facts`` reads and operators correct.
"""

import re
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Literal

from knowledge.catalogue import RESTORED, Catalogue
from knowledge.facts import iso_date, normal_number
from knowledge.places import places, province_of
from knowledge.repeals import DRAFT
from knowledge.types import Document

State = Literal["in_force", "not_yet", "expired", "repealed", "replaced"]

CHINA = timezone(timedelta(hours=8))  # one zone, and no summer time

# A title in brackets says which version it is; the rest of it is the same from version to version.
_EDITION = re.compile(
    r"[（(【\[〔](?:[^（）()【】\[\]〔〕]*(?:修订|修正|修改|施行|废止|失效|年本|(?:\d|年|试行|修订|修正|最新)版)[^（）()【】\[\]〔〕]*"
    r"|试行|暂行|(?:19|20)\d\d(?:年|[-.年/]\d{1,2}[-.月/]\d{1,2}日?)?)[）)】\]〕]"
)
_YEAR = re.compile(r"(?:19|20)\d\d(?=年|修|版|\b|\D)")
_YEARS_IN_TITLE = re.compile(r"(?:19|20)\d\d年(?:度|版|本)?|(?:19|20)\d\d(?:修订|修正)版?")
_NOISE = re.compile(r"[\s《》“”\"'〈〉]|^中华人民共和国")
# Only what is enacted has versions; two pages of news that share a headline are two pages.
_ENACTED = re.compile(
    r"[\u4e00-\u9fff]{2,}(?:法|条例|办法|规定|细则|规则|规程|意见|通知|方案|措施|决定|解释|标准|规范|指引|"
    r"准则|章程|目录|清单|政策)$"
)
_LISTED = re.compile(r"《(?P<title>(?:[^《》]|《[^《》]*》)+)》(?:\s*[（(](?P<number>.+)[）)])?$")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a document stands on a day.

    Attributes:
        state: In force, or why not.
        day: The day (ISO 8601) from which or since when it is so; empty if not known.
        by: Title of the document that replaces or repeals it; empty if there is none.
        by_date: The date of that document; empty if not known.
        versions: The ids of the documents that are versions of one another, its own included.
    """

    state: State
    day: str = ""
    by: str = ""
    by_date: str = ""
    versions: frozenset[str] = frozenset()


IN_FORCE = Standing("in_force")


def china_today() -> date:
    """Return the day that it is in China, where the rules hold; a server's clock may run in UTC."""
    return datetime.now(CHINA).date()


def normal_title(title: str) -> str:
    """Return what all versions of a law or policy have as title; empty if it can have none.

    A draft is no version: what is in force stays so while another is put up for comment.
    """
    if DRAFT.search(title):
        return ""
    bare = _NOISE.sub("", _YEARS_IN_TITLE.sub("", _EDITION.sub("", title.strip())))
    bare = _NOISE.sub("", bare)
    return bare if _ENACTED.search(bare) else ""


def version_date(document: Document) -> str:
    """Return the date (ISO 8601, or a year) that tells a version from older and newer ones."""
    years = _YEAR.findall(document.title)
    dated = _day(document, "date") or _day(document, "effective")
    return dated or (years[-1] if years else "")


def _day(document: Document, name: str) -> str:
    """Return a date of a document as ISO 8601; empty where what is written there is none."""
    return iso_date(document.metadata.get(name, ""))


def years_named(text: str) -> set[str]:
    """Return the years that a text names."""
    return set(re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", text))


def is_named(document: Document, query: str) -> bool:
    """Tell whether a query asks for this very version: by its year or its document number."""
    number = document.metadata.get("document_number", "")
    if number and number in re.sub(r"[\[［(（](\d{4})[\]］)）]", r"〔\1〕", query.replace(" ", "")):
        return True
    own = years_named(document.title) or {version_date(document)[:4]}
    return bool(own & years_named(query))


class Versions:
    """Knows the titles, dates and repeals of all documents; follows the catalogue as it grows.

    Until a backup is put back a key is never used for another content, so that each is read once.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        """Follow a catalogue."""
        self._catalogue = catalogue
        self._reading = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._last, self._restored = 0, self._catalogue.fact(RESTORED)
        self._titles: dict[str, list[int]] = defaultdict(list)
        self._repealing: dict[str, list[int]] = defaultdict(list)
        self._places: dict[int, set[str]] = {}
        self._counted, self._city = -1, ""

    def city(self) -> str:
        """Return the place that more than half of the documents that name one are about.

        Rather the city than its province, which most of its documents name, too.
        """
        version = self._catalogue.version()  # read first: what is published next counts next
        self._follow()
        with self._reading:
            if version != self._counted:
                self._counted, self._city = version, self._most_named()
            return self._city

    def _most_named(self) -> str:
        live = self._places.keys() & set(self._catalogue.live_keys())
        times = Counter(place for key in live for place in self._places[key])
        often = [place for place, number in times.most_common() if 2 * number > len(live)]
        return min(often, key=lambda place: province_of(place) == place, default="")

    def standings(self, documents: Iterable[Document], today: date) -> dict[str, Standing]:
        """Return how each of some documents stands on a day, by id."""
        self._follow()
        wanted = {document.id: document for document in documents}
        return {id_: self._standing(document, today) for id_, document in wanted.items()}

    def _follow(self) -> None:
        with self._reading:
            if self._catalogue.fact(RESTORED) != self._restored:
                self._forget()
            for key, document in self._catalogue.documents_after(self._last):
                self._last = key
                self._learn(key, document)

    def _learn(self, key: int, document: Document) -> None:
        if title := normal_title(document.title):
            self._titles[title].append(key)
        for name in _repealed_names(document):
            self._repealing[name].append(key)
        if found := places(about(document)):
            self._places[key] = found

    def _standing(self, document: Document, today: date) -> Standing:
        title = normal_title(document.title)
        number = document.metadata.get("document_number", "")
        same = self._titles.get(title, []) if title else []
        names = [name for name in (number, title) if name]
        repealing = {key for name in names for key in self._repealing.get(name, ())}
        if len(same) < 2 and not repealing:
            return _own(document, today) or IN_FORCE
        live = self._catalogue.live_documents({*same, *repealing})
        versions = [live[key] for key in same if key in live]
        versions = [one for one in versions if _same_issuer(one, document)]
        ids = frozenset(one.id for one in versions) | {document.id}
        later = [one for key in repealing if (one := live.get(key)) and _repeals(one, document)]
        own = _own(document, today)
        newer = _newest(document, later, today) or _newest(document, versions, today)
        if not newer:
            return _with_versions(own or IN_FORCE, ids | {one.id for one in later})
        state: State = "repealed" if newer in later or _is(own, "repealed") else "replaced"
        since = _day(newer, "effective") if newer in later else ""
        if _is(own, "expired") and state == "replaced":
            state, since = "expired", own.day if own else ""
        ids |= {one.id for one in later}
        return Standing(state, since, newer.title, version_date(newer), ids)


def about(document: Document) -> str:
    """Return what tells whose document it is: title and issuer."""
    return f"{document.title}\n{document.metadata.get('issuer', '')}"


def _is(standing: Standing | None, state: State) -> bool:
    return standing is not None and standing.state == state


def _with_versions(standing: Standing, ids: frozenset[str]) -> Standing:
    return Standing(standing.state, standing.day, standing.by, standing.by_date, ids)


def _own(document: Document, today: date) -> Standing | None:
    """What the document's own metadata say against it."""
    day = today.isoformat()
    if document.metadata.get("status") == "repealed":
        return Standing("repealed")
    if day < (since := _day(document, "effective")):
        return Standing("not_yet", since)
    if (until := _day(document, "expires")) and until < day:
        return Standing("expired", until)
    return None


def _newest(document: Document, others: Sequence[Document], today: date) -> Document | None:
    """The newest of the versions in force that are newer than a document."""
    own = version_date(document)
    newer = [
        one
        for one in others
        if one.id != document.id and _is_later(version_date(one), own) and not _own(one, today)
    ]
    return max(newer, key=lambda one: (version_date(one), one.id), default=None)


def _is_later(one: str, other: str) -> bool:
    """Tell whether a date is later; of a year alone, whether all of it is."""
    shared = min(len(one), len(other))
    return bool(shared) and one[:shared] > other[:shared]


def _same_issuer(one: Document, other: Document) -> bool:
    """Tell whether two are of one place and, as far as known, of one body.

    A law may be amended by the standing committee of the congress that passed it.
    """
    if places(about(one)) != places(about(other)):
        return False
    first, second = (document.metadata.get("issuer", "") for document in (one, other))
    return not (first and second) or first.startswith(second) or second.startswith(first)


def _repealed_names(document: Document) -> Iterator[str]:
    """Yield the numbers, and where there is none the titles, of what a document repeals."""
    for entry in document.metadata.get("repeals", "").split("；"):
        found = _LISTED.match(entry.strip())
        if not found:
            continue
        number = normal_number(found["number"] or "")
        if name := number or normal_title(found["title"]):
            yield name


def _repeals(one: Document, document: Document) -> bool:
    """Tell whether a document that repeals this title means this document."""
    number = document.metadata.get("document_number", "")
    if one.id == document.id or not _is_later(version_date(one), version_date(document)):
        return False
    return (number and number in set(_repealed_names(one))) or _same_place(one, document)


def _same_place(one: Document, other: Document) -> bool:
    return not places(about(other)) or places(about(one)) == places(about(other))
