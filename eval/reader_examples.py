"""The questions that the reader was taught with, as question sets beside the documents.

``reader_examples.tsv`` holds 7,000 questions in citizens' words on documents of ``../shared``:
corpus, whether the reader was taught with it or it was held back to fit what is made of the
reading, document, where the answer begins and ends in its text without white space (nothing: it
stands nowhere in the document), question. ``python -m eval.reader_examples ../shared OUT`` writes
two question sets for each corpus, with the answers copied from the documents.
"""

import argparse
import csv
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path, PurePath

EXAMPLES = Path(__file__).with_name("reader_examples.tsv")


def rows_of(data: Path, corpus: str) -> dict[str, str]:
    """Return the texts of a corpus by the documents' ids."""
    return dict(_SOURCES[corpus](data))


def _policies(name: str) -> Callable[[Path], Iterator[tuple[str, str]]]:
    def texts(data: Path) -> Iterator[tuple[str, str]]:
        with (data / name).open(encoding="utf-8") as file:
            for line in file:
                row = json.loads(line)
                yield str(row.get("_id") or row["id"]), row["text"]

    return texts


def _laws(data: Path) -> Iterator[tuple[str, str]]:
    with tarfile.open(data / "corpus/laws.tar.gz") as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file and member.name.endswith(".md"):
                yield PurePath(member.name).stem, file.read().decode()


_SOURCES: Mapping[str, Callable[[Path], Iterator[tuple[str, str]]]] = {
    "guangzhou-policies": _policies("corpus/guangzhou-policies.jsonl"),
    "laws": _laws,
    "pandemic": _policies("datasets/pandemic/corpus.jsonl"),
    "state-council-policies": _policies("corpus/state-council-policies.jsonl"),
}


def questions(
    data: Path, corpus: str, rows: Sequence[Sequence[str]]
) -> Iterator[dict[str, object]]:
    """Yield the questions on a corpus as rows of a question set."""
    texts = rows_of(data, corpus)
    for number, (_, part, document, start, end, question) in enumerate(rows, 1):
        facts = [_cut(texts[document], int(start), int(end))] if start else []
        yield {
            "id": f"{corpus}-{part}-{number}",
            "question": question,
            "facts": facts,
            "answerable": bool(facts),
        }


def _cut(text: str, start: int, end: int) -> str:
    """Return what stands between two places that are counted without white space."""
    solid = [at for at, character in enumerate(text) if not character.isspace()]
    return text[solid[start] : solid[end - 1] + 1]


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the sets."""
    parser = argparse.ArgumentParser(
        prog="python -m eval.reader_examples",
        epilog="Example: python -m eval.reader_examples ../shared sets",
    )
    parser.add_argument("data", type=Path, help="the folder with corpus/ and datasets/")
    parser.add_argument("out", type=Path, help="the folder to write to")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    with EXAMPLES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for (corpus, part), some in groupby(rows, key=lambda row: (row[0], row[1])):
        with (given.out / f"{corpus}-{part}.jsonl").open("w", encoding="utf-8") as file:
            for question in questions(given.data, corpus, list(some)):
                file.write(json.dumps(question, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
