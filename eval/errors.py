"""What can go wrong in an evaluation."""

from knowledge.errors import KnowledgeError


class QuestionSetError(KnowledgeError):
    """A question set, or another file to measure on, can't be used as it is."""


class ReportError(KnowledgeError):
    """A report can't be written, or what should be one can't be read."""


class InterruptedRunError(KnowledgeError):
    """The run was stopped by hand; what was asked is kept and the message says how to resume."""
