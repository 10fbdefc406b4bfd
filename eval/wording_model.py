"""Rebuilds ``assistant/wording.npz``: what everyday questions are made of.

``python -m eval.wording_model`` counts the runs of characters in the questions of
``eval/answer_type_examples.txt``, all in our own words; what was seen once is left out. The file
holds counts, no text.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from assistant import ngrams
from assistant.wording import QUESTIONS
from eval.answer_type_model import EXAMPLES
from knowledge.lexical import normalise

_SEEN_ONCE = dict.fromkeys((2, 3, 4), 2.0)  # below: not kept


def main(arguments: Sequence[str] | None = None) -> None:
    """Count, and write the file in its place in the package."""
    parser = argparse.ArgumentParser(prog="python -m eval.wording_model")
    parser.parse_args(arguments)
    table = ngrams.pruned(ngrams.count(map(normalise, questions())), _SEEN_ONCE)
    ngrams.save(QUESTIONS, table)
    print({order: len(part.keys) for order, part in table.items()})


def questions(path: Path = EXAMPLES) -> Iterator[str]:
    """Yield the questions as people ask them."""
    for line in path.read_text(encoding="utf-8").splitlines():
        _, _, asked = (*line.split("\t"), "", "")[:3]
        yield from filter(None, asked.split(" | "))


if __name__ == "__main__":
    main()
