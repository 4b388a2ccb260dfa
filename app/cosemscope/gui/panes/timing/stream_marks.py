"""What befell connections, as marks in the timing graph: opened, closed, sent again, octets that lack.

They stand on the line of their lane, that of the first wPort pair of their stream.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtGui import QColor

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.outcomes.capture_facts import CaptureFacts
from cosemscope.capture.packets.packet_row import ACK, SYN
from cosemscope.gui.look.apdu_kinds import Kind
from cosemscope.gui.look.theme import Colours
from cosemscope.gui.panes.timing.lanes import Lanes
from cosemscope.streams.tables.stream_kinds import HOLE, RETRANSMISSION

#: More marks than this in view are not told apart, and not drawn.
MARKS_DRAWN = 2_000


class MarkKind(IntEnum):
    """What a mark says."""

    OPENED = 0
    CLOSED = 1
    AGAIN = 2
    HOLE = 3


#: The words and the symbol of each kind.
MARKS = {
    MarkKind.OPENED: ("opened", "t2"),
    MarkKind.CLOSED: ("closed", "t3"),
    MarkKind.AGAIN: ("sent again", "+"),
    MarkKind.HOLE: ("octets lack", "x"),
}


class StreamMarks(NamedTuple):
    """Marks in order of time, [n] each: ns since the epoch, row of the wPort pair, MarkKind."""

    time: npt.NDArray[np.int64]
    pair: npt.NDArray[np.int64]
    kind: npt.NDArray[np.uint8]


def stream_marks(analysis: Analysis, facts: CaptureFacts) -> StreamMarks:
    """The marks of all streams that carry WPDUs; for the background."""
    streams, packets = analysis.packet_streams["stream"], analysis.packets
    known = min(len(streams), len(packets))
    # Streams and pairs that have come since are left out: the capture may grow meanwhile.
    count = len(facts.ends)
    first = np.full(count + 1, -1, np.int64)
    of = np.minimum(analysis.pairs["stream"], count)
    first[of[::-1]] = np.arange(len(of) - 1, -1, -1)
    first[count] = -1
    flags, items = packets["flags"][:known], analysis.expert_items
    found = [np.flatnonzero((flags & (SYN | ACK)) == SYN)]
    ended = facts.ends.first(np.arange(count))[0]
    found.append(ended[ended >= 0])
    found += [items["packet"][items["kind"] == kind.number] for kind in (RETRANSMISSION, HOLE)]
    kinds = np.repeat(np.arange(len(found), dtype=np.uint8), [len(one) for one in found])
    packet = np.concatenate(found).astype(np.int64)
    there = (packet >= 0) & (packet < known)
    packet, kinds = packet[there], kinds[there]
    stream = np.minimum(streams[packet], count)
    pair = np.where(stream >= 0, first[stream], -1)
    kept = np.flatnonzero(pair >= 0)
    time = packets["time"][packet[kept]].astype(np.int64)
    order = np.argsort(time, kind="stable")
    return StreamMarks(time[order], pair[kept][order], kinds[kept][order])


class MarkItems:
    """The graph's items of marks; `shown`: how many of each kind are drawn."""

    def __init__(self, plot: pg.PlotItem) -> None:
        self.shown: dict[MarkKind, int] = {}
        self._items = {
            kind: pg.ScatterPlotItem(size=9, pxMode=True, symbol=symbol)
            for kind, (_, symbol) in MARKS.items()
        }
        for item in self._items.values():
            item.setZValue(1.5)
            plot.addItem(item, ignoreBounds=True)

    def show_marks(self, marks: StreamMarks | None, lanes: Lanes, low: float, high: float) -> None:
        """Show those from `low` to `high` seconds that have a lane, or none where they are many."""
        self.shown = {}
        x, y, kind = np.zeros(0), np.zeros(0), np.zeros(0, np.uint8)
        if marks is not None and len(lanes):
            edges = np.array((low, high)) * 1e9 + lanes.first_time
            start, stop = np.searchsorted(marks.time, edges)
            if stop - start <= MARKS_DRAWN:
                pair = marks.pair[start:stop]
                has_lane = lanes.has_points(pair)
                x = (marks.time[start:stop][has_lane] - lanes.first_time) / 1e9
                y = lanes.lanes_of(pair[has_lane]).astype(float)
                kind = marks.kind[start:stop][has_lane]
        for one, item in self._items.items():
            mask = kind == one
            item.setData(x[mask], y[mask])
            if mask.any():
                self.shown[one] = int(mask.sum())

    def paint_as_meant(self, scheme: Colours) -> None:
        """Take the colours of a scheme."""
        for kind, item in self._items.items():
            name = self.colour(kind, scheme)
            item.setBrush(QColor(name))
            item.setPen(pg.mkPen(name, width=1))

    @staticmethod
    def colour(kind: MarkKind, scheme: Colours) -> str:
        """The colour of a kind."""
        colours = {MarkKind.AGAIN: scheme.warning, MarkKind.HOLE: scheme.kinds[Kind.ERROR]}
        return colours.get(kind, scheme.muted)
