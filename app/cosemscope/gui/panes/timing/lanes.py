"""Points in time by lane, as arrays: what the timing graph draws, without Qt.

A lane is a pair of client and server wPort, by DLMS roles, a connection or a meter; streams may share lanes.
Rows come in as the capture is read; points of a span of time are found by bisection, and where there are more
than can be told apart they are counted per pixel instead.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.sessions.wport_pairs import near_is_client
from cosemscope.capture.columns import Columns
from cosemscope.gui.document.conditions import Mask
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.panes.row_order import Rows
from cosemscope.gui.panes.timing.lane_kinds import LANE_KINDS, REST, Lane, LaneKind

#: Lanes at most, however much room there is; those with the fewest WPDUs share the last one.
MAX_LANES = 12

_POINT_FIELDS = {"x": "f8", "row": "u4", "pair": "u4", "direction": "u1", "kind": "u1"}


class Points(NamedTuple):
    """Some points: seconds since the first WPDU, lane (0 the uppermost), direction (0: from the DLMS client),
    kind and WPDU row."""

    x: npt.NDArray[np.float64]
    lane: npt.NDArray[np.intp]
    direction: npt.NDArray[np.uint8]
    kind: npt.NDArray[np.uint8]
    row: npt.NDArray[np.uint32]


class Lanes:
    """All points of the WPDUs taken so far, in order of time (rows of the same time in theirs)."""

    def __init__(self, kind: LaneKind = LANE_KINDS["wports"]) -> None:
        self.kind = kind
        self._points = Columns(_POINT_FIELDS)
        self._counts = np.zeros(0, np.int64)  # points of each pair row
        self._slots = np.zeros(0, np.intp)  # lane of each pair row
        self._flips = np.zeros(0, np.uint8)  # 1: the stream's client is the DLMS server
        self._pairs: Columns | None = None
        self._traffic: Traffic
        self._wpdus: Columns | None = None
        self._room = MAX_LANES
        self.shown: tuple[Lane, ...] = ()
        self.lane_count = 0  # with those that share the lane of the rest
        self.first_time = 0
        self.taken = 0
        self.duration = 0.0  # seconds from the first WPDU to the last

    def __len__(self) -> int:
        return len(self._points)

    def take(self, traffic: Traffic, total: int, wanted: Callable[[int, int], Mask] | None = None) -> None:
        """Add the WPDU rows from those taken so far to `total`, as far as `wanted(start, stop)` says so."""
        start, self.taken = self.taken, max(self.taken, total)
        if total <= start:
            return
        wpdus = self._wpdus = traffic.wpdus
        self.first_time = traffic.first_time
        times = wpdus["time"][start:total]
        self.duration = max(self.duration, (int(times.max()) - self.first_time) / 1e9)
        rows = np.arange(start, total, dtype=np.uint32)
        if wanted is not None:
            rows = rows[wanted(start, total)]
        if len(rows):
            self._add(traffic, rows)

    def _add(self, traffic: Traffic, rows: Rows) -> None:
        wpdus, pair = traffic.wpdus, traffic.wpdu_pairs["pair"][rows]
        x = (wpdus["time"][rows] - self.first_time) / 1e9
        added = self._points.extend(
            len(rows),
            x=x,
            row=rows,
            pair=pair,
            direction=wpdus["direction"][rows],
            kind=traffic.kinds(rows),
        )
        self._sort(added.start)
        counts = np.bincount(pair, minlength=len(self._counts))
        counts[: len(self._counts)] += self._counts
        self._counts = counts
        self._pairs, self._traffic = traffic.pairs, traffic
        self._arrange()

    @property
    def reach(self) -> tuple[float, float]:
        """The seconds of the first and of the last point."""
        x = self._points["x"]
        return (x.item(0), x.item(-1)) if len(x) else (0.0, self.duration)

    def recolour(self, traffic: Traffic) -> None:
        """More is known of what was opened, or how it ended: the kinds may be others."""
        self._points["kind"][:] = traffic.kinds(self._points["row"])

    def _sort(self, start: int) -> None:
        """Put the points from `start` on into their places; few of those before are later than they."""
        # Up to `first` all points are in order already, and none behind is earlier than they.
        x = self._points["x"]
        earliest = x[start:].min()
        first = (
            start
            if not start or x[start - 1] <= earliest
            else int(np.searchsorted(x[:start], earliest, "right"))
        )
        if np.all(x[first + 1 :] >= x[first:-1]):
            return
        order = np.argsort(x[first:], kind="stable")
        for name in self._points.names:
            column = self._points[name][first:]
            column[:] = column[order]

    def set_room(self, lanes: int) -> None:
        """There is room for so many lanes, two at least."""
        room = min(MAX_LANES, max(2, lanes))
        if room != self._room:
            self._room = room
            self._arrange()

    def _arrange(self) -> None:
        """Give every pair its lane, in the order of keys; the rare ones of many in one lane at the bottom."""
        # `_counts`, `_slots` and `_flips` are indexed by the rows of `pairs`, `place` by the distinct keys.
        # One that is not among `shown` is in the lane behind them, that of the rest.
        pairs, size = self._pairs, len(self._counts)
        if pairs is None:
            return
        straight = near_is_client(pairs)[:size]
        self._flips = (~straight).astype(np.uint8)
        keys = self.kind.keys(self._traffic.analysis, pairs, straight)
        used = self._counts > 0
        found, lane = np.unique(keys[used], return_inverse=True)
        shown = np.arange(len(found))
        if len(found) > self._room:
            weights = np.bincount(lane, self._counts[used], len(found))
            shown = np.sort(np.argsort(-weights, kind="stable")[: self._room - 1])
        self.lane_count = len(found)
        place = np.full(len(found), len(shown), np.intp)
        place[shown] = np.arange(len(shown))
        self._slots = np.zeros(size, np.intp)
        self._slots[used] = place[lane]
        first = np.zeros(len(found), np.int64)
        rows = np.flatnonzero(used)
        first[lane[::-1]] = rows[::-1]
        named = [Lane(*both) for both in zip(found[shown].tolist(), first[shown].tolist(), strict=True)]
        self.shown = (*named, REST) if len(shown) < len(found) else tuple(named)

    def has_points(self, pairs: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
        """Whether each of these rows of wPort pairs has a point."""
        return (pairs < len(self._counts)) & (self._counts[np.minimum(pairs, len(self._counts) - 1)] > 0)

    def lanes_of(self, pairs: npt.NDArray[np.integer]) -> npt.NDArray[np.intp]:
        """The lane of each of these rows of wPort pairs."""
        return self._slots[np.minimum(pairs, len(self._slots) - 1)]

    def _span(self, start: float, stop: float) -> slice:
        """Returns the slice of the points from `start` to `stop` seconds."""
        x = self._points["x"]
        first = int(np.searchsorted(x, start, "left"))
        return slice(first, max(first, int(np.searchsorted(x, stop, "right"))))

    def count(self, start: float, stop: float) -> int:
        """Returns the number of points from `start` to `stop` seconds."""
        span = self._span(start, stop)
        return span.stop - span.start

    def points(self, start: float, stop: float) -> Points:
        """The points from `start` to `stop` seconds."""
        at = self._span(start, stop)
        points = self._points
        pair = points["pair"][at]
        return Points(
            points["x"][at],
            self._slots[pair],
            points["direction"][at] ^ self._flips[pair],
            points["kind"][at],
            points["row"][at],
        )

    def density(self, start: float, stop: float, columns: int) -> npt.NDArray[np.int64]:
        """Returns the number of points, int64[columns, lanes, 2], by column of time, lane and direction."""
        at, points = self._span(start, stop), self._points
        x, lanes = points["x"][at], max(1, len(self.shown))
        # x ascends: what a column holds stands together, and no point is asked for its column.
        edges = np.searchsorted(x, np.linspace(start, stop, columns + 1)[1:-1])
        amounts = np.diff(edges, prepend=0, append=len(x))
        sides = (self._slots * 2 + self._flips).astype(np.uint8)
        cell = np.repeat(np.arange(columns, dtype=np.uint32) * np.uint32(lanes * 2), amounts)
        cell += sides[points["pair"][at]] ^ points["direction"][at]
        return np.bincount(cell, minlength=columns * lanes * 2).reshape(columns, lanes, 2)

    def place_of(self, row: int) -> tuple[float, int, int] | None:
        """Returns seconds, lane and direction of a WPDU row; None for a row without a point."""
        points = self._points
        if self._wpdus is None or not 0 <= row < self.taken:
            return None
        x = (self._wpdus["time"][row] - self.first_time) / 1e9
        span = self._span(x, x)
        found = np.flatnonzero(points["row"][span] == row)
        if not len(found):
            return None
        at = span.start + int(found[0])
        pair = points["pair"].item(at)
        return (
            points["x"].item(at),
            self._slots.item(pair),
            points["direction"].item(at) ^ self._flips.item(pair),
        )
