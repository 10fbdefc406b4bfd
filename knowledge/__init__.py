"""Documents in, passages out: no language model, no HTTP."""

from knowledge.errors import KnowledgeError
from knowledge.types import Document, Hit, Passage

__all__ = ["Document", "Hit", "KnowledgeError", "Passage"]
