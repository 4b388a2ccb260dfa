"""Pictures of response times as SVG: over time, and how many were how long; their size is bounded."""

from collections.abc import Iterator
from math import ceil, floor, log10

import numpy as np
import numpy.typing as npt

from cosemscope.wording import calendar, short_duration

Numbers = npt.NDArray[np.int64]

_SECOND = 1_000_000_000
#: Size of a picture, and of the margins around what is drawn, in units of its own.
_WIDTH, _HEIGHT = 960, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 40, 12, 34
#: Points nearer together than this are one point.
_CELL = 3
#: How opaque points are that stand for few rows, for more, and for most, where they are crowded at all.
_SHADES = (0.25, 0.5, 0.75, 1)
_CROWDED = 4
#: Room above bars for what is written there.
_WRITTEN = 36
#: Bars of a power of ten.
_BARS = 10
#: Steps between instants that are written below a picture, in seconds.
_STEPS = (
    *(1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 6 * 3600, 12 * 3600, 86400),
    *(2 * 86400, 7 * 86400, 30 * 86400, 365 * 86400),
)
_MOST_INSTANTS = 8

PICTURE_STYLE = """
svg { width: 100%; height: auto; display: block; margin: .4rem 0 1rem; font-size: 12px; }
svg .grid { stroke: var(--line); stroke-width: 1; fill: none; } svg text { fill: var(--soft); }
svg .points { stroke: var(--note); stroke-width: 3.4; stroke-linecap: round; fill: none; }
svg .failed { stroke: var(--error); } svg .bars { fill: var(--note); }
svg .mark { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 4 3; }
svg text.mark { stroke: none; fill: var(--ink); }
"""


def times_over_time(at: Numbers, took: Numbers, failed: npt.NDArray[np.bool_]) -> Iterator[str]:
    """Response times, ns, at least one, over the instants of their requests; failed ones in another colour.

    All int64[n] or bool[n]. The scale of response times is logarithmic.
    """
    scale = _Scale(took)
    first, span = int(at.min()), max(int(at.max()) - int(at.min()), 1)
    x = _LEFT + (at - first) / span * (_WIDTH - _LEFT - _RIGHT)
    y = scale.height(took)
    yield from _begin("Response times over time")
    yield from scale.lines()
    for instant in _instants(first, span):
        place = _LEFT + (instant - first) / span * (_WIDTH - _LEFT - _RIGHT)
        yield _text(place, _HEIGHT - 12, calendar(instant // _SECOND)[_shown(span)], "middle")
    for kind, mask in (("points", ~failed), ("points failed", failed)):
        cells = np.stack([x[mask] // _CELL, y[mask] // _CELL], 1).astype(np.int64)
        places, counts = np.unique(cells, axis=0, return_counts=True)
        shade = np.ceil(np.log(counts) / max(np.log(counts.max(initial=1)), 1e-9) * len(_SHADES)) - 1
        shade = np.where(counts.max(initial=1) < _CROWDED, len(_SHADES) - 1, np.maximum(shade, 0))
        for number, opacity in enumerate(_SHADES):
            dots = [f"M{left * _CELL} {top * _CELL}h.01" for left, top in places[shade == number].tolist()]
            if dots:
                yield f'<path class="{kind}" stroke-opacity="{opacity}" d="{"".join(dots)}"/>'
    yield "</svg>"


def times_by_length(took: Numbers) -> Iterator[str]:
    """How many response times, ns, at least one, are how long: bars of a tenth of a power of ten each."""
    logs = np.log10(np.maximum(took, 1))
    first, last = floor(float(logs.min())), max(ceil(float(logs.max())), floor(float(logs.min())) + 1)
    counts = np.histogram(logs, (last - first) * _BARS, (first, last))[0].tolist()
    most, width = max(counts), (_WIDTH - _LEFT - _RIGHT) / len(counts)
    bottom, room = _HEIGHT - _BOTTOM, _HEIGHT - _TOP - _BOTTOM - _WRITTEN
    yield from _begin("Distribution of response times")
    bars = "".join(
        f"M{_LEFT + place * width:.1f} {bottom}v{-count / most * room:.1f}h{max(width - 1, 1):.1f}V{bottom}z"
        for place, count in enumerate(counts)
        if count
    )
    yield f'<path class="bars" d="{bars}"/>'
    yield f'<path class="grid" d="M{_LEFT} {bottom}H{_WIDTH - _RIGHT}"/>'
    for power in range(first, last + 1):
        place = _LEFT + (power - first) * _BARS * width
        yield _text(place, _HEIGHT - 12, short_duration(10**power), "middle")
    yield _text(_LEFT - 8, _TOP + _WRITTEN + 8, f"{most:,}", "end")
    ordered = np.sort(took)
    marks = {"median": int(np.median(ordered)), "95 %": int(ordered[-(-len(ordered) * 95 // 100) - 1])}
    for row, (name, value) in enumerate(marks.items()):
        place = _LEFT + (log10(max(value, 1)) - first) * _BARS * width
        yield f'<path class="mark" d="M{place:.1f} {_TOP}V{bottom}"/>'
        side, anchor = (5, "start") if place < _WIDTH / 2 else (-5, "end")
        yield _text(place + side, _TOP + 10 + 15 * row, f"{name} {short_duration(value)}", anchor, "mark")
    yield "</svg>"


class _Scale:
    """The logarithmic scale of response times, whole powers of ten from below the least to above the most."""

    def __init__(self, took: Numbers) -> None:
        least, most = (log10(max(int(value), 1)) for value in (took.min(), took.max()))
        self._first, self._last = floor(least), max(ceil(most), floor(least) + 1)

    def height(self, took: Numbers) -> npt.NDArray[np.float64]:
        """How far down times are drawn."""
        share = (np.log10(np.maximum(took, 1)) - self._first) / (self._last - self._first)
        heights: npt.NDArray[np.float64] = _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)
        return heights

    def lines(self) -> Iterator[str]:
        """A line and a text for each power of ten."""
        for power in range(self._first, self._last + 1):
            down = float(self.height(np.array([10**power]))[0])
            yield f'<path class="grid" d="M{_LEFT} {down:.1f}H{_WIDTH - _RIGHT}"/>'
            yield _text(_LEFT - 8, down + 4, short_duration(10**power), "end")


def _begin(title: str) -> Iterator[str]:
    yield f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{title}">'


def _text(x: float, y: float, text: str, anchor: str, kind: str = "") -> str:
    mark = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{mark}>{text}</text>'


def _instants(first: int, span: int) -> list[int]:
    """Round instants within a span, ns, a few of them."""
    step = next((one for one in _STEPS if span / _SECOND / one <= _MOST_INSTANTS), _STEPS[-1]) * _SECOND
    begin = -(-first // step) * step
    return list(range(begin, first + span + 1, step))[: 2 * _MOST_INSTANTS]


def _shown(span: int) -> slice:
    """The part of date and time that tells instants of such a span apart."""
    days = span // (86400 * _SECOND)
    return slice(0, 10) if days > 3 else slice(5, 16) if days else slice(11, 19)
