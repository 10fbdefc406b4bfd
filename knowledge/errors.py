"""What can go wrong: the caller's mistake or a failed run.

Every message names the value in quotes, says where, and what to do next.
"""


class KnowledgeError(Exception):
    """Base of every error that this project raises on purpose."""


class UnreadableDocumentError(KnowledgeError):
    """A file could not be read as a document; other files are not affected."""


class ModelUnavailableError(KnowledgeError):
    """The embedding model's files could not be had in any of the ways tried."""


class ModelMismatchError(KnowledgeError):
    """The home was built with another embedding model than the one that is set."""


class HomeError(KnowledgeError):
    """The home folder can't be used: not writable, full, locked, or of a newer format."""


class SettingError(KnowledgeError):
    """A setting holds a value that can't be used."""


class SynonymsError(KnowledgeError):
    """A file of synonyms can't be used; the message names the line."""
