"""Typo correction, measured by whole sentences as in SIGHAN's bake-offs (Tseng et al. 2015)."""

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from eval.datasets import TypoPair
from knowledge.base import KnowledgeBase


def measure_typos(
    pairs: Sequence[TypoPair],
    mend: Callable[[str], str],
    advance: Callable[[int], object] = lambda _: None,
) -> dict[str, Any]:
    """Measure a correction.

    A sentence is mended if it comes out exactly right. Precision is the share of the changed
    sentences that were wrong and are mended, recall the share of the wrong ones that are mended,
    false alarms the share of those without an error that were changed all the same. What differs
    in white space or width alone is the same.
    """
    results = []
    for pair in pairs:
        results.append((TypoPair(_plain(pair.wrong), _plain(pair.right)), _plain(mend(pair.wrong))))
        advance(1)
    changed = [(pair, result) for pair, result in results if result != pair.wrong]
    mended = sum(result == pair.right for pair, result in changed)
    wrong = sum(pair.wrong != pair.right for pair, _ in results)
    alarms = sum(pair.wrong == pair.right for pair, _ in changed)
    return {
        "sentences": len(pairs),
        "precision": _share(mended, len(changed)),
        "recall": _share(mended, wrong),
        "f1": _share(2 * mended, len(changed) + wrong),
        "false_alarms": _share(alarms, len(pairs) - wrong),
        "with_errors": wrong,
        "changed": len(changed),
        "mended": mended,
    }


def _plain(sentence: str) -> str:
    return "".join(unicodedata.normalize("NFKC", sentence).split())


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def corrector(base: KnowledgeBase) -> Callable[[str], str]:
    """Return the correction that citizens' questions go through, as they see its result."""
    from assistant.chain import Assistant

    assistant = Assistant(base)

    def mend(sentence: str) -> str:
        return assistant.ask(sentence).answer().corrected_question

    return mend
