"""Slips of the hand: a character left out, typed twice, or typed after the one it stands before.

Only pairs of characters that are never seen together are looked at, so that what is usual stays
as it is. What may be meant is told by what is beside them: the character left out is the one that
nearly always stands there.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from assistant import ngrams
from assistant.ngrams import BITS, Counts, Floats, Keys, Table

# A pair seen less often than this is never seen: counts of the knowledge base weigh more than one.
_NEVER = 4
_SEEN = 2
# A character seen less often than this is doubled in names (魏犇犇) rather than by mistake.
_COMMON = 400
_SHARE = 0.7  # of what stands between two neighbours or beside one: the character left out
# What turns a question into its opposite, and numbers: never touched.
MEANING = ngrams.codes("不没未无非否勿别莫零一二三四五六七八九十百千万亿两半")
# Nor put in nor taken out: function words and kinds of places, which people leave out on purpose.
_LEFT_ALONE = np.append(
    MEANING,
    ngrams.codes(
        "的地得了着过等者中在和与及或将是有为对被把给让于从向到个们这那此其之所以由并但"
        "也都就还才又再已均仅曾即很最更太只可能会应须要市省区县镇乡村上下里外内前后人"
    ),
)


def meant(text: str, table: Table) -> Iterator[str]:
    """Yield what a text may have been meant as, each time with one slip undone.

    Args:
        text: What was typed.
        table: How often n-grams were seen.
    """
    numbers = ngrams.numbers_of(text)
    never, common = _never(numbers, table), table[1].look_up(numbers) >= _COMMON
    for at in (np.flatnonzero(never) + 1).tolist():
        start, end = text[:at], text[at:]
        for number in _left_out(numbers, at, table):
            yield start + ngrams.character(number) + end
        if text[at] == text[at - 1] and numbers[at] not in _LEFT_ALONE and common[at]:
            yield start + end[1:]
        if np.isin(numbers[at - 1 : at + 1], MEANING).any():
            continue
        swapped = start[:-1] + end[0] + start[-1] + end[1:]
        near = slice(max(0, at - 2), at + 1)
        if never[near].sum() - _never(ngrams.numbers_of(swapped), table)[near].sum() > 1:
            yield swapped


def _never(numbers: Keys, table: Table) -> NDArray[np.bool_]:
    """Tell which two neighbours are never seen together, the first two first."""
    inside = (numbers[:-1] > 0) & (numbers[1:] > 0)
    return inside & (table[2].look_up(ngrams.keys(numbers, 2)) < _NEVER)


def _left_out(numbers: Keys, at: int, table: Table) -> list[int]:
    """Return the characters that nearly always stand between those before a place and after."""
    before, after = _run(numbers[max(0, at - 3) : at][::-1])[::-1], _run(numbers[at : at + 3])
    options = _followers(table[2], before[-1])
    options = options[~np.isin(options, _LEFT_ALONE) & (options > 0)]
    ends = table[2].look_up(_between(options[:0], options, after[:1]))
    options = options[ends >= _NEVER]
    shares = np.maximum(
        _share(before, options, table, forward=True), _share(after, options, table, forward=False)
    )
    found: list[int] = options[shares >= _SHARE].tolist()
    return found


def _run(numbers: Keys) -> Keys:
    """Return the characters up to the first boundary."""
    ends = np.flatnonzero(numbers == 0)
    return numbers[: ends[0]] if len(ends) else numbers


def _followers(pairs: Counts, number: np.uint64) -> Keys:
    first = number << np.uint64(BITS)
    low, high = np.searchsorted(pairs.keys, [first, first + np.uint64(1 << BITS)])
    return pairs.keys[low:high] & np.uint64((1 << BITS) - 1)


def _between(left: Keys, options: Keys, right: Keys) -> Keys:
    """Return the n-grams of what is left of each option, it, and what is right of it."""
    columns = [*([n] * len(options) for n in left), options, *([n] * len(options) for n in right)]
    return ngrams.joined(np.stack([np.asarray(c, dtype=np.uint64) for c in columns], axis=-1))


def _share(context: Keys, options: Keys, table: Table, *, forward: bool) -> Floats:
    """Return how often each option stands beside the longest context that was seen."""
    for length in range(len(context), 0, -1):
        near = context[-length:] if forward else context[:length]
        total = float(table[length].look_up(ngrams.joined(near[None]))[0])
        if total >= _SEEN:
            left, right = (near, near[:0]) if forward else (near[:0], near)
            counts: NDArray[np.float64] = table[length + 1].look_up(_between(left, options, right))
            return counts / total
    return np.zeros(len(options))
