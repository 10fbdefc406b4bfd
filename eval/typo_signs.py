"""Fits what ``assistant.typos`` takes for signs that a change is right.

``python -m eval.typo_signs PAIRS…`` takes files of sentences as typed and as meant (as ``xiaoquan
eval typos`` does), and prints the weights of a logistic regression over the changes that come up;
then, for several sums from which on a change may be made, how well weights fitted on one half of
the sentences do on the other. ``typo_examples.jsonl`` was written for this: what people ask and
what offices write, with slips of the pinyin keyboard, of southern ears and of the eye, and right
sentences that look odd.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant import ngrams
from assistant.proofreader import Proofreader
from assistant.typos import Change, Corrector
from eval.datasets import TypoPair, load_typos
from eval.fitting import fit
from eval.typos import measure_typos
from knowledge.models import default_model
from knowledge.settings import load_settings

PENALTY = 3.0
SPEAK_FOR = frozenset({"gain", "meant", "meant again", "pair after", "triple after", "four after"})
SPEAK_AGAINST = frozenset({"characters", "pair before", "triple before", "four before"})
SURE = (-1.0, -0.5, 0.0, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence as typed and as meant, and the changes that come up in it."""

    pair: TypoPair
    changes: Sequence[Change]

    def is_right(self, change: Change) -> bool:
        """Tell whether a change is what was meant."""
        meant = ngrams.codes(self.pair.right)
        return bool((meant[change.places] == change.characters).all())

    def mended(self, weights: Mapping[str, float], sure: float) -> str:
        """Return the characters after the changes that are beyond doubt."""
        numbers = ngrams.codes(self.pair.wrong)
        for change in self.changes:
            if change.log_odds(weights) > sure:
                numbers[change.places] = change.characters
        return _text(numbers)


def _text(numbers: ngrams.Keys) -> str:
    return "".join(ngrams.character(int(number)) if number else "，" for number in numbers)


def weights_of(cases: Sequence[Case]) -> dict[str, float]:
    """Return the weights by sign; the bias is that of no name."""
    rows, labels = [], []
    for case in cases:
        for change in case.changes:
            rows.append({name: of for name, of in change.signs.items() if name})
            labels.append(case.is_right(change))
    weights, bias = fit(rows, labels, SPEAK_FOR, SPEAK_AGAINST, PENALTY)
    return weights | {"": bias}


def worth(cases: Sequence[Case], weights: Mapping[str, float], sure: float) -> str:
    """Return how well sentences are mended, as ``eval.typos`` measures it."""
    mended = {_text(ngrams.codes(case.pair.wrong)): case.mended(weights, sure) for case in cases}
    pairs = [
        TypoPair(*(_text(ngrams.codes(text)) for text in (case.pair.wrong, case.pair.right)))
        for case in cases
    ]
    told = measure_typos(pairs, mended.__getitem__)
    return f"F1 {told['f1']}, false alarms {told['false_alarms']}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, and print."""
    parser = argparse.ArgumentParser(
        prog="python -m eval.typo_signs",
        epilog="Example: python -m eval.typo_signs eval/typo_examples.jsonl",
    )
    parser.add_argument("pairs", type=Path, nargs="+", help="files of {wrong, right} lines")
    given = parser.parse_args(arguments)
    corrector = Corrector(Proofreader(lambda: default_model(load_settings().model_cache)))
    pairs = [pair for path in given.pairs for pair in load_typos(path)]
    cases = [Case(pair, corrector.considered(pair.wrong)) for pair in pairs]
    print({name: round(weight, 2) for name, weight in weights_of(cases).items()})
    halves = [(cases[::2], weights_of(cases[1::2])), (cases[1::2], weights_of(cases[::2]))]
    for sure in SURE:
        print(f"from {sure}:", *(worth(*half, sure) for half in halves), sep="  ")


if __name__ == "__main__":
    main()
