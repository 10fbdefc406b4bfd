"""Follow-up questions: each asked after its conversation, of a home with all the passages."""

from collections.abc import Sequence
from typing import Any

from eval.datasets import FollowUp
from eval.facts import normalise, numbers, states
from eval.homes import throw_away
from eval.outcomes import Outcome, asker
from eval.progress import Progress, silent
from eval.questions import Question
from eval.runner import timed
from knowledge.lexical import terms
from knowledge.settings import Settings
from knowledge.types import Document

# Gold answers are often a list in other words than the passage's: most of their terms are enough,
# as long as every number is there.
TERMS_FROM = 0.75


def measure_follow_ups(
    follow_ups: Sequence[FollowUp], settings: Settings, progress: Progress = silent
) -> dict[str, Any]:
    """Return how many of the follow-ups are answered, and each with its answer."""
    with (
        throw_away(settings, _documents(follow_ups)) as base,
        progress("提问", len(follow_ups)) as advance,
    ):
        ask = asker(base)
        asked = []
        for number, follow_up in enumerate(follow_ups, 1):
            question = Question(str(number), follow_up.question, (), True, follow_up.history)
            asked.append((follow_up, timed(ask, question)))
            advance(1)
    rows = [_row(follow_up, outcome) for follow_up, outcome in asked]
    return {
        "questions": len(rows),
        "answered": _share([row["answered"] for row in rows]),
        "verbatim": _share([row["verbatim"] for row in rows]),
        "refused": _share([row["refused"] for row in rows]),
        "details": rows,
    }


def _documents(follow_ups: Sequence[FollowUp]) -> list[Document]:
    texts = dict.fromkeys((f.title or f.text[:30], f.text) for f in follow_ups)
    return [
        Document(f"passage-{number}", title, text, f"passage-{number}")
        for number, (title, text) in enumerate(texts, 1)
    ]


def _row(follow_up: FollowUp, outcome: Outcome) -> dict[str, Any]:
    given = "" if outcome.refused else outcome.answer
    return {
        "question": follow_up.question,
        "expected": list(follow_up.answers),
        "answer": outcome.answer,
        "understood": outcome.corrected_question,
        "answered": any(answers(given, gold) for gold in follow_up.answers),
        "verbatim": states(given, follow_up.answers),
        "refused": outcome.refused,
        "error": outcome.error,
    }


def answers(answer: str, gold: str) -> bool:
    """Tell whether an answer says what the gold answer says: every number and most of the terms."""
    wanted, found = set(terms(normalise(gold))), set(terms(normalise(answer)))
    if not answer or not numbers(gold) <= numbers(answer):
        return False
    return states(answer, gold) or len(wanted & found) >= TERMS_FROM * max(len(wanted), 1)


def _share(flags: Sequence[bool]) -> float:
    return round(sum(flags) / len(flags), 4) if flags else 0.0
