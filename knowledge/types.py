"""What passes between the packages: frozen, and nothing but data."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Document:
    """One document as read from its source.

    Attributes:
        id: Stable for one source: reading the same source again gives the same id.
        title: Its title, never empty.
        text: The whole text that passages and citations index into, in characters.
        source: The file's absolute path (for a row of a table file, ``path#id``), or a URL.
        metadata: Policy facts and whatever else the source gave, all strings. The names used
            here: ``document_number`` (文号), ``issuer`` (发文机关), ``date`` (ISO 8601),
            ``effective`` and ``expires`` (ISO 8601), ``validity`` (the words as written),
            ``status`` (``repealed`` where the text says so), ``url``.
    """

    id: str
    title: str
    text: str
    source: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document: ``document.text[start:end] == passage.text``, always.

    Attributes:
        text: The words as they stand in the document.
        start: Offset of the first character in the document's text.
        end: Offset after the last character.
        section: The headings above it, outermost first, without the document's title.
    """

    text: str
    start: int
    end: int
    section: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a query, with the document that it stands in.

    Attributes:
        rank: 1 for the best.
        score: The fused score that the ranking is by; comparable within one query only.
        dense: Cosine similarity of query and passage, in [-1, 1]; 0 if only keywords found it.
        lexical: BM25 score, not negative; 0 if only the vectors found it.
        document: Title, source and metadata of the document; ``text`` is left empty, since a
            document can be of any size: ``KnowledgeBase.document(id)`` reads it.
    """

    rank: int
    score: float
    dense: float
    lexical: float
    passage: Passage
    document: Document

    def cut(self, start: int, end: int) -> "Hit":
        """Return the same hit with a part of its passage only, given by offsets within it."""
        whole = self.passage
        part = Passage(whole.text[start:end], whole.start + start, whole.start + end, whole.section)
        return replace(self, passage=part)
