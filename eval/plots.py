"""Plots as inline SVG: no library, no script; colours come from the page's style sheet."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from eval.metrics import Rate

WIDTH = 640  # user units; the page scales it
_ROW = 30
_LEFT, _RIGHT = 150, 84
_HEIGHT, _BOTTOM, _TOP = 220, 34, 12
_ANCHORS = {0.0: "start", 1.0: "end"}  # the outermost labels of an axis stay inside


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one kind in a histogram; ``style`` is a class of the page's style sheet."""

    label: str
    style: str
    values: Sequence[float]


def interval_bars(rows: Sequence[tuple[str, Rate]], title: str) -> str:
    """Draw one bar a row from 0 to 1, with its 95% interval as a whisker."""
    height = _ROW * len(rows) + 28
    parts = [_bar(at, label, rate) for at, (label, rate) in enumerate(rows)]
    ticks = [
        f'<text class="tick" x="{_x(share):.1f}" y="{height - 6}" text-anchor="middle">'
        f"{share:.0%}</text>"
        for share in (0, 0.25, 0.5, 0.75, 1)
    ]
    return _svg(height, title, [*parts, *ticks])


def _x(share: float) -> float:
    return _LEFT + share * (WIDTH - _LEFT - _RIGHT)


def _bar(at: int, label: str, rate: Rate) -> str:
    y = at * _ROW + 4
    middle = y + _ROW / 2 - 3
    name = f"<text x='{_LEFT - 8}' y='{middle + 5}' text-anchor='end'>{_cut(label)}</text>"
    if rate.value is None or rate.low is None or rate.high is None:
        return f"{name}<text class='tick' x='{_LEFT + 4}' y='{middle + 5}'>—</text>"
    return (
        f"{name}<rect class='track' x='{_LEFT}' y='{y}' width='{_x(1) - _LEFT}' height='20'/>"
        f"<rect class='a' x='{_LEFT}' y='{y}' width='{_x(rate.value) - _LEFT:.1f}' height='20'/>"
        f"<path class='whisker' d='M{_x(rate.low):.1f} {middle}H{_x(rate.high):.1f}"
        f"M{_x(rate.low):.1f} {middle - 5}v10M{_x(rate.high):.1f} {middle - 5}v10'/>"
        f"<text class='value' x='{_x(1) + 8}' y='{middle + 5}'>{rate.value:.1%}</text>"
    )


def _cut(label: str) -> str:
    return escape(label if len(label) <= 10 else label[:9] + "…")


def histogram(
    series: Sequence[Series],
    bounds: tuple[float, float],
    title: str,
    unit: str = "",
    bins: int = 20,
) -> str:
    """Draw series side by side over the same bins; what lies beyond the bounds is in the last."""
    counts = [_counted(one.values, bounds, bins) for one in series]
    # Shares, since one kind of question can be many times as frequent as another.
    shares = [[n / max(sum(row), 1) for n in row] for row in counts]
    highest = max((max(row) for row in shares), default=0) or 1
    slot = (WIDTH - 40) / bins
    bars = [
        _column(20 + at * slot + which * slot / len(series), share / highest, slot / len(series), s)
        for which, (s, row) in enumerate(zip(series, shares, strict=True))
        for at, share in enumerate(row)
        if share
    ]
    return _svg(_HEIGHT, title, [*bars, *_axis(bounds, unit)]) + _legend(series)


def _counted(values: Sequence[float], bounds: tuple[float, float], bins: int) -> list[int]:
    low, high = bounds
    counts = [0] * bins
    for value in values:
        at = int((value - low) / ((high - low) or 1) * bins)
        counts[min(max(at, 0), bins - 1)] += 1
    return counts


def _column(x: float, share: float, width: float, series: Series) -> str:
    height = share * (_HEIGHT - _BOTTOM - _TOP)
    return (
        f"<rect class='{series.style}' x='{x + 1:.1f}' y='{_HEIGHT - _BOTTOM - height:.1f}'"
        f" width='{max(width - 2, 1):.1f}' height='{height:.1f}'/>"
    )


def _axis(bounds: tuple[float, float], unit: str) -> list[str]:
    low, high = bounds
    line = f"<path class='axis' d='M20 {_HEIGHT - _BOTTOM}H{WIDTH - 20}'/>"
    ticks = [
        f"<text class='tick' x='{20 + share * (WIDTH - 40):.0f}' y='{_HEIGHT - 14}'"
        f" text-anchor='{_ANCHORS.get(share, 'middle')}'>"
        f"{low + share * (high - low):.3g}{unit}</text>"
        for share in (0, 0.25, 0.5, 0.75, 1)
    ]
    return [line, *ticks]


def _legend(series: Sequence[Series]) -> str:
    entries = (
        f"<span><i class='{s.style}'></i>{escape(s.label)}（{len(s.values)} 题）</span>"
        for s in series
    )
    return f"<p class='legend'>{''.join(entries)}</p>"


def _svg(height: int, title: str, parts: Sequence[str]) -> str:
    return (
        f"<svg viewBox='0 0 {WIDTH} {height}' role='img' aria-label='{escape(title, quote=True)}'>"
        f"{''.join(parts)}</svg>"
    )
