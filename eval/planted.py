"""Plants faults in the chain and asks whether ``compare`` reports each as worse.

    python -m eval.planted HOME QUESTIONS [--every 2]

An evaluation that overlooks a fault as large as these decides nothing. Exit status 1 if one was
overlooked.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

from assistant.evidence import Evidence
from eval.compare import compare
from eval.metrics import Scored, score
from eval.outcomes import Record, asker
from eval.questions import Question, load_questions
from eval.runner import timed
from knowledge.base import KnowledgeBase
from knowledge.settings import load_settings
from knowledge.vectors import VectorIndex


def asked(base: KnowledgeBase, questions: Sequence[Question]) -> list[Scored]:
    """Ask every question, through the chain as it is now."""
    ask = asker(base)
    return score([Record(question, timed(ask, question)) for question in questions])


@contextmanager
def no_refusals(_: KnowledgeBase) -> Iterator[None]:
    """Judge everything as answerable."""
    with patch("assistant.preparing.judge", lambda *_, **__: Evidence(1.0, "answered")):
        yield


@contextmanager
def no_vectors(base: KnowledgeBase) -> Iterator[None]:
    """Have the dense half find nothing."""
    with tempfile.TemporaryDirectory(prefix="xiaoquan-eval-") as folder:
        empty = VectorIndex(Path(folder))
        with patch.object(base.retriever, "vectors", empty):
            yield
        empty.close()


@contextmanager
def no_keywords(_: KnowledgeBase) -> Iterator[None]:
    """Have the keyword half find nothing."""
    with patch("knowledge.lexical.KeywordIndex.search", lambda *_, **__: {}):
        yield


FAULTS = (no_refusals, no_vectors, no_keywords)


def shifted(scored: Sequence[Scored]) -> list[Scored]:
    """Give each cited answer the quotes of the next one."""
    cited = [one for one in scored if one.outcome.citations]
    return score(
        [
            _quoting(one.record, other.outcome.citations[0].quote)
            for one, other in pairwise([*cited, *cited[:1]])
        ]
    )


def _quoting(record: Record, quote: str) -> Record:
    citations = tuple(replace(citation, quote=quote) for citation in record.outcome.citations)
    return replace(record, outcome=replace(record.outcome, citations=citations))


def main() -> None:
    """Print what ``compare`` says of each fault, a line of JSON each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("home", type=Path)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--every", type=int, default=1, help="ask only every n-th question")
    arguments = parser.parse_args()
    questions = load_questions(arguments.questions)[:: arguments.every]
    with KnowledgeBase(load_settings(home=arguments.home)) as base:
        as_it_is = asked(base, questions)
        verdicts = [_told("nothing", as_it_is, asked(base, questions)) == "same"]
        for fault in FAULTS:
            with fault(base):
                verdicts.append(_told(fault.__name__, as_it_is, asked(base, questions)) == "worse")
    verdicts.append(_told("citations_shifted", as_it_is, shifted(as_it_is)) == "worse")
    sys.exit(0 if all(verdicts) else 1)


def _told(name: str, before: Sequence[Scored], after: Sequence[Scored]) -> str:
    result = compare(before, after)
    kept = ("verdict", "better", "worse", "same", "p_value")
    print(json.dumps({"fault": name, **{key: result[key] for key in kept}}), flush=True)
    return str(result["verdict"])


if __name__ == "__main__":
    main()
