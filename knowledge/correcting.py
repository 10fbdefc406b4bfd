"""What operators have corrected in a document stands when its file is read again (pure functions).

Of every field corrected, the catalogue keeps what the file says. While the file says the same, the
correction stands; once it says something else, the file is believed. What was corrected about one
edition's dates and validity says nothing of the next, which has another title or date.
"""

from collections.abc import Mapping
from dataclasses import replace

from knowledge.types import Document

_OF_AN_EDITION = frozenset(
    ["date", "document_number", "effective", "expires", "validity", "status", "repeals"]
)


def as_read_after(
    before: Document, corrected: Document, as_read: Mapping[str, str]
) -> dict[str, str]:
    """Return what the file says of the fields corrected so far, after one more correction.

    Args:
        before: The document as it stands.
        corrected: The same, as an operator wants it.
        as_read: What the file says of the fields that were corrected before.
    """
    old, new = _fields(before), _fields(corrected)
    read = {name: as_read.get(name, old.get(name, "")) for name in {*as_read, *old, *new}}
    return {name: read[name] for name in sorted(read) if read[name] != new.get(name, "")}


def with_corrections(
    read: Document, corrected: Document, as_read: Mapping[str, str]
) -> tuple[Document, dict[str, str]]:
    """Return a document just read with the corrections that still stand, and what it says there.

    Args:
        read: The document as its file has it now.
        corrected: The same document as it stands in the catalogue.
        as_read: What the file said of the fields that were corrected.
    """
    now, wanted = _fields(read), _fields(corrected)
    before = {**wanted, **as_read}
    changed = any(now.get(name, "") != before.get(name, "") for name in ("title", "date"))
    standing = {
        name: said
        for name, said in as_read.items()
        if now.get(name, "") == said and not (changed and name in _OF_AN_EDITION)
    }
    fields = {**now, **{name: wanted.get(name, "") for name in standing}}
    title = fields.pop("title")
    metadata = {name: value for name, value in fields.items() if value or name not in standing}
    return replace(read, title=title, metadata=metadata), standing


def _fields(document: Document) -> dict[str, str]:
    return {**document.metadata, "title": document.title}
