"""How ingest, search, memory and disk grow with the number of passages: docs/scale.md.

    python -m eval.growth HOME QUESTIONS [--sizes 1000 10000 60000]

A throw-away home is filled from the documents of HOME, and measured at each size. The vectors of
HOME are taken over, since embedding costs the same for each passage, however many there are; what
it costs is measured by itself.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.homes import at
from eval.questions import load_questions
from knowledge.base import BATCH, KnowledgeBase, embedded_text
from knowledge.embedding import SentenceEmbeddings
from knowledge.settings import load_settings
from knowledge.types import Document

SIZES = (1000, 3000, 10_000, 30_000, 60_000)
SEARCHES = 200
COLUMNS = ("passages", "indexed/s", "search p50, ms", "search p95, ms", "memory, MB", "disk, MB")


def measure(source: Path, questions: Path, sizes: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Fill a throw-away home and yield what is measured of it at each size.

    Args:
        source: A home that holds as many passages as the largest size.
        questions: A question set; searched with, one after the other.
        sizes: Numbers of passages, growing.
    """
    with (
        KnowledgeBase(at(load_settings(), source)) as full,
        tempfile.TemporaryDirectory(prefix="xiaoquan-growth-") as folder,
    ):
        documents = _documents(full)
        home = Path(folder) / "home"
        with KnowledgeBase(at(load_settings(), home)) as base:
            base.__dict__["embeddings"] = _taken_over(full)
            for size in sizes:
                indexed = _grow(base, documents, size)
                found = {"passages": base.catalogue.count()[1], "indexed/s": round(indexed)}
                yield found | _searched(home, questions) | {"disk, MB": _megabytes(home)}


def embedded_a_second(source: Path) -> float:
    """Return how many passages of a home are embedded in a second."""
    with KnowledgeBase(at(load_settings(), source)) as base:
        numbers = base.catalogue.numbers()
        some = numbers[:: max(1, len(numbers) // BATCH)]
        texts = [embedded_text(row) for row in base.catalogue.passages(some).values()]
        base.embeddings.encode(texts[:32])
        started = time.perf_counter()
        base.embeddings.encode(texts)
        return len(texts) / (time.perf_counter() - started)


def _documents(full: KnowledgeBase) -> Iterator[Document]:
    for record in full.documents():
        if document := full.document(record.id):
            yield document


def _taken_over(full: KnowledgeBase) -> SentenceEmbeddings:
    """Return embeddings that know the vectors of a home, and make only those of other texts."""
    known: dict[str, NDArray[np.float32]] = {}
    for numbers, vectors in full.vectors.pages():
        rows = full.catalogue.passages(numbers)
        known |= {
            embedded_text(rows[number]): vector
            for number, vector in zip(numbers, vectors, strict=True)
            if number in rows
        }

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        if new := [text for text in texts if text not in known]:
            known.update(zip(new, full.embeddings.encode(new), strict=True))
        return np.stack([known[text] for text in texts])

    return SentenceEmbeddings(full.embeddings.name, encode)


def _grow(base: KnowledgeBase, documents: Iterator[Document], size: int) -> float:
    """Add documents until there are so many passages; return how many a second were indexed."""
    before = base.catalogue.count()[1]
    started = time.perf_counter()
    while (missing := size - base.catalogue.count()[1]) > 0:
        some = list(islice(documents, min(missing, 10 * BATCH)))
        if not some:
            break
        for _ in base.add_all(some):
            pass
    return (base.catalogue.count()[1] - before) / (time.perf_counter() - started)


def _searched(home: Path, questions: Path) -> dict[str, float]:
    """Search in a process of its own, whose memory is that of nothing else."""
    command = [sys.executable, "-m", "eval.growth", str(home), str(questions), "--search"]
    done = subprocess.run(command, capture_output=True, check=True)  # noqa: S603 - our own
    result: dict[str, float] = json.loads(done.stdout)
    return result


def _search(home: Path, questions: Path) -> dict[str, float]:
    import resource

    asked = [question.question for question in load_questions(questions)]
    seconds = []
    with KnowledgeBase(at(load_settings(), home)) as base:
        for question in asked[:SEARCHES]:
            started = time.perf_counter()
            base.search(question)
            seconds.append(time.perf_counter() - started)
    cuts = statistics.quantiles(seconds, n=20)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in KiB, on Linux
    times: dict[str, float] = {
        "search p50, ms": round(1000 * cuts[9]),
        "search p95, ms": round(1000 * cuts[18]),
    }
    return times | {"memory, MB": round(peak * 1024 / 1e6)}


def _megabytes(home: Path) -> float:
    return round(sum(path.stat().st_size for path in home.rglob("*") if path.is_file()) / 1e6)


def main() -> None:
    """Print a table in Markdown, a line as soon as it is measured."""
    parser = argparse.ArgumentParser(description="Measure growth with the number of passages.")
    parser.add_argument("home", type=Path)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--search", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.search:
        print(json.dumps(_search(given.home, given.questions)))
        return
    print(f"| {' | '.join(COLUMNS)} |\n|{'---:|' * len(COLUMNS)}", flush=True)
    for found in measure(given.home, given.questions, given.sizes):
        print("| " + " | ".join(f"{found[name]:,}" for name in COLUMNS) + " |", flush=True)
    print(f"\nembedded: {embedded_a_second(given.home):.0f} passages a second")


if __name__ == "__main__":
    main()
