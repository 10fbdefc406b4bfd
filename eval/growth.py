"""How ingest, search, memory and disk grow with the number of passages: docs/scale.md.

    python -m eval.growth HOME QUESTIONS [--sizes 1000 10000 60000]

A throw-away home is filled from the documents of HOME, and measured at each size. The vectors of
HOME are taken over, since embedding costs the same for each passage, however many there are; what
it costs is measured by itself. Where HOME holds fewer passages than a size asks for, its documents
come again, as editions with a number in the title and their vectors turned a little at random.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count, islice
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

SIZES = (1000, 3000, 10_000, 30_000, 60_000, 200_000)
TURNED = 0.5  # tangent of the angle between the vectors of two editions
SEARCHES = 200
_EDITION = re.compile(r"^〔\d+〕")
COLUMNS = ("passages", "indexed/s", "search p50, ms", "search p95, ms", "memory, MB", "disk, MB")


def measure(source: Path, questions: Path, sizes: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Fill a throw-away home and yield what is measured of it at each size.

    Args:
        source: A home; its documents come again until the largest size is reached.
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
    """Yield the documents of a home, and further editions of them without end."""
    records = full.documents()
    for edition in count() if records else ():
        for record in records:
            if document := full.document(record.id):
                yield _edition(document, edition) if edition else document


def _edition(document: Document, number: int) -> Document:
    title = f"〔{number}〕{document.title}"
    return replace(document, id=f"{document.id}~{number}", title=title)


def _taken_over(full: KnowledgeBase) -> SentenceEmbeddings:
    """Return embeddings that know the vectors of a home, and make only those of other texts.

    That of another edition is made of the first one's.
    """
    random = np.random.default_rng(0)
    known: dict[str, NDArray[np.float32]] = {}
    for numbers, vectors in full.vectors.pages():
        rows = full.catalogue.passages(numbers)
        known |= {
            embedded_text(rows[number]): vector
            for number, vector in zip(numbers, vectors, strict=True)
            if number in rows
        }

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        firsts = [_EDITION.sub("", text) for text in texts]
        if new := [text for text in firsts if text not in known]:
            known.update(zip(new, full.embeddings.encode(new), strict=True))
        vectors = np.stack([known[text] for text in firsts])
        turned = np.array([text != first for text, first in zip(texts, firsts, strict=True)])
        noise = random.normal(size=vectors.shape) * TURNED / vectors.shape[1] ** 0.5
        vectors = vectors + noise * turned[:, None]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        of_length_one: NDArray[np.float32] = (vectors / lengths).astype(np.float32)
        return of_length_one

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
