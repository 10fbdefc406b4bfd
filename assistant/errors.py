"""What can go wrong while a question is answered."""

from knowledge.errors import KnowledgeError


class QuestionError(KnowledgeError):
    """The question can't be asked: it is empty, or far too long."""


class ChatModelError(KnowledgeError):
    """The chat model gave no answer that can be used; the extractive answer takes its place."""


class ChatModelDownError(ChatModelError):
    """Its service failed, whatever was asked: the next question would fare no better."""
