"""The questions that the reader was taught with, as question sets beside the documents.

``reader_examples.tsv`` holds 29,823 questions, most in citizens' words, on documents of
``../shared``, on the invented newspaper stories of ``reader_stories.jsonl`` and on the service
guides and notices to firms of invented cities, one of ``reader_guides/*.jsonl`` each: corpus,
whether the reader was taught with it, it was held back to fit what is made of the reading, or to
measure both; document, where what its writer saw of it begins and ends (nothing: all was seen),
where the answer begins and ends in that, white space not counted (nothing: it stands nowhere in
it), question.
``python -m eval.reader_examples ../shared OUT`` writes two question sets for each corpus, with the
answers copied from the documents, and a folder of those laws that were asked about.
"""

import argparse
import csv
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path, PurePath
from typing import NamedTuple

LAWS = "laws"
EXAMPLES = Path(__file__).with_name("reader_examples.tsv")
GUIDES = Path(__file__).with_name("reader_guides")
STORIES = Path(__file__).with_name("reader_stories.jsonl")


def rows_of(data: Path, corpus: str) -> dict[str, str]:
    """Return the texts of a corpus by the documents' ids."""
    return dict(_SOURCES[corpus](data))


def _policies(name: str) -> Callable[[Path], Iterator[tuple[str, str]]]:
    return lambda data: _texts(data / name)


def _invented(path: Path) -> Callable[[Path], Iterator[tuple[str, str]]]:
    return lambda _data: _texts(path)


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            yield str(row.get("_id") or row["id"]), row["text"]


def _laws(data: Path) -> Iterator[tuple[str, str]]:
    with tarfile.open(data / "corpus/laws.tar.gz") as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file and member.name.endswith(".md"):
                yield PurePath(member.name).stem, file.read().decode()


_SOURCES: Mapping[str, Callable[[Path], Iterator[tuple[str, str]]]] = {
    "guangzhou-policies": _policies("corpus/guangzhou-policies.jsonl"),
    LAWS: _laws,
    "pandemic": _policies("datasets/pandemic/corpus.jsonl"),
    "state-council-policies": _policies("corpus/state-council-policies.jsonl"),
    "stories": _invented(STORIES),
    **{f"guides-{path.stem}": _invented(path) for path in GUIDES.glob("*.jsonl")},
}


class Example(NamedTuple):
    """A row of ``reader_examples.tsv``."""

    corpus: str
    part: str
    document: str
    first: str
    last: str
    start: str
    end: str
    question: str

    def seen(self, texts: Mapping[str, str]) -> str:
        """Return what its writer saw of the document."""
        text = texts[self.document]
        return text[int(self.first) : int(self.last)] if self.first else text

    def row(self, number: int, texts: Mapping[str, str]) -> dict[str, object]:
        """Return it as a row of a question set."""
        facts = []
        if self.start:
            facts = [_cut(self.seen(texts), int(self.start), int(self.end))]
        return {
            "id": f"{self.corpus}-{self.part}-{number}",
            "question": self.question,
            "facts": facts,
            "answerable": bool(facts),
        }


def examples() -> list[Example]:
    """Return all rows, those of a corpus and part together."""
    with EXAMPLES.open(encoding="utf-8", newline="") as file:
        return [Example(*row) for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def _cut(text: str, start: int, end: int) -> str:
    """Return what stands between two places that are counted without white space."""
    solid = [at for at, character in enumerate(text) if not character.isspace()]
    return text[solid[start] : solid[end - 1] + 1]


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the sets, and the laws."""
    parser = argparse.ArgumentParser(
        prog="python -m eval.reader_examples",
        epilog="Example: python -m eval.reader_examples ../shared sets",
    )
    parser.add_argument("data", type=Path, help="the folder with corpus/ and datasets/")
    parser.add_argument("out", type=Path, help="the folder to write to")
    given = parser.parse_args(arguments)
    (given.out / LAWS).mkdir(parents=True, exist_ok=True)
    for corpus, of_corpus in groupby(examples(), key=lambda example: example.corpus):
        texts = rows_of(given.data, corpus)
        for part, some in groupby(of_corpus, key=lambda example: example.part):
            with (given.out / f"{corpus}-{part}.jsonl").open("w", encoding="utf-8") as file:
                for number, example in enumerate(some, 1):
                    row = json.dumps(example.row(number, texts), ensure_ascii=False)
                    file.write(row + "\n")
                    if corpus == LAWS:
                        path = given.out / LAWS / f"{example.document}.md"
                        path.write_text(example.seen(texts), encoding="utf-8")


if __name__ == "__main__":
    main()
