"""A question in, a cited answer out."""

from assistant.types import Answer, Citation, Delta, Turn

__all__ = ["Answer", "Citation", "Delta", "Turn"]
