"""Files that were moved or renamed: the same text under another path, and the old path gone."""

import hashlib
import os

from knowledge.catalogue import Catalogue
from knowledge.types import Document


class Moved:
    """Knows which documents have lost their files; looks once, when first asked."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Look in a catalogue."""
        self._catalogue = catalogue
        self._gone: dict[str, str] | None = None

    def id_before(self, document: Document) -> str:
        """Return the id under which a file's text is kept from before; empty if it is new.

        Of whole files only: a row has an id of its own, and of an upload nothing tells whether its
        file is gone.
        """
        if not (os.path.isabs(document.source) and os.path.isfile(document.source)):
            return ""
        if self._gone is None:
            self._gone = {
                _digest(kept.text): kept.id
                for record in self._catalogue.documents()
                if os.path.isabs(record.source)
                and not os.path.exists(record.source)
                and (kept := self._catalogue.document(record.id))
            }
        return self._gone.pop(_digest(document.text), "")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
