"""Homes to measure in: kept in the user's cache by what is in them, or thrown away."""

import argparse
import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import knowledge
from eval.datasets import Beir
from eval.progress import Progress, silent
from knowledge.base import BATCH, KnowledgeBase
from knowledge.settings import Settings
from knowledge.types import Document, Passage

# The sources that decide what a passage is, and what is kept of it.
_MAKERS = ("embedding", "facts", "lexical", "plaintext", "readers", "splitting")


def homes_with(
    parser: argparse.ArgumentParser, of: str, arguments: Sequence[str] | None
) -> list[tuple[Path, Path]]:
    """Return the homes that a command is given, each with what is asked of it.

    Args:
        parser: The command's; it ends the program where something is missing.
        of: What stands behind each home, as help names it.
        arguments: Of the command line; none: those of the process.
    """
    parser.add_argument("sets", nargs="+", metavar=f"HOME {of}")
    given = [Path(name) for name in parser.parse_args(arguments).sets]
    if len(given) % 2:
        parser.error(f"give HOME and {of} for each set")
    return list(zip(given[::2], given[1::2], strict=True))


def cache_folder(settings: Settings) -> Path:
    """Return the folder that homes for measuring are kept in."""
    return settings.model_cache.parent / "eval"


def cached(beir: Beir, settings: Settings, form: str) -> Path:
    """Return the folder for a corpus in one form: another corpus, model or code has another."""
    digest = hashlib.sha256(f"{form}\n{settings.embedding_model}\n".encode())
    with beir.corpus.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    package = Path(knowledge.__file__ or "").parent
    for name in _MAKERS:
        digest.update((package / f"{name}.py").read_bytes())
    return cache_folder(settings) / f"{form}-{digest.hexdigest()[:16]}"


def at(settings: Settings, home: Path) -> Settings:
    """Return the settings with another home."""
    return settings.model_copy(update={"home": home.expanduser().absolute()})


def home_for(beir: Beir, settings: Settings, chosen: Path | None) -> Settings:
    """Return the settings with the home to measure in.

    It is the one chosen; else that of the settings, if it holds the whole corpus already: nobody
    wants a test corpus in the home that citizens are answered from; else a cached one.
    """
    if chosen:
        return at(settings, chosen)
    if (settings.home / "catalogue.sqlite3").exists():
        with KnowledgeBase(settings) as base:
            if not missing(base, beir):
                return settings
    return at(settings, cached(beir, settings, "passages"))


def missing(base: KnowledgeBase, beir: Beir) -> set[str]:
    """Return the ids of the corpus that the home does not hold."""
    return corpus_ids(beir) - {record.id for record in base.documents()}


def corpus_ids(beir: Beir) -> set[str]:
    """Return the ids of a corpus without reading its documents."""
    with beir.corpus.open(encoding="utf-8-sig") as file:
        rows = (json.loads(line) for line in file if line.strip())
        return {str(row.get("id") or row.get("_id")) for row in rows}


def fill(base: KnowledgeBase, beir: Beir, progress: Progress = silent) -> None:
    """Add the documents that are missing; an interrupted filling is taken up where it stopped."""
    absent = missing(base, beir)
    if not absent:
        return
    with progress("载入文档", len(absent)) as advance:
        for _ in base.add_all(d for d in beir.documents() if d.id in absent):
            advance(1)


def fill_whole(base: KnowledgeBase, beir: Beir, progress: Progress = silent) -> None:
    """Add the documents that are missing, each text as one passage."""
    absent = missing(base, beir)
    if not absent:
        return
    with progress("载入文档（不分段）", len(absent)) as advance:
        for batch in _batches(d for d in beir.documents() if d.id in absent):
            for document in batch:
                text = document.text
                base.catalogue.stage(document, [Passage(text, 0, len(text))])
            base.finish()
            advance(len(batch))


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    batch: list[Document] = []
    for document in documents:
        batch.append(document)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


@contextmanager
def throw_away(settings: Settings, documents: Iterable[Document]) -> Iterator[KnowledgeBase]:
    """Hold these documents in a home that is deleted afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="xiaoquan-eval-") as folder,
        KnowledgeBase(at(settings, Path(folder))) as base,
    ):
        for _ in base.add_all(documents):
            pass
        yield base
