"""Exchanges as bars to scale in the timing graph: from the request's first octet to the answer's last.

A request that nobody answered is a bar as long as an answer is waited for. Which exchanges there are is known
once the capture has been read.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtGui import QColor

from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.analysis.outcomes.capture_facts import CaptureFacts
from cosemscope.gui.look.apdu_kinds import Kind
from cosemscope.gui.look.theme import Colours
from cosemscope.gui.panes.timing.lanes import Lanes

#: More bars than this are not told apart, and not drawn.
BARS_DRAWN = 3_000
#: Height of a bar, in distances of lanes.
_HEIGHT = 0.14


class Bars(NamedTuple):
    """Some exchanges, [n] each: seconds since the first WPDU, lane, status."""

    start: npt.NDArray[np.float64]
    stop: npt.NDArray[np.float64]
    lane: npt.NDArray[np.intp]
    status: npt.NDArray[np.uint8]


def bars_of(facts: CaptureFacts, lanes: Lanes, low: float, high: float, patience: int) -> Bars:
    """The exchanges with a point from `low` to `high` seconds; `patience`: ns of waiting for an answer."""
    rows = lanes.points(low, high).row.astype(np.int64)
    exchanges = facts.exchanges_of(rows[rows < len(facts.of)])
    table, status = facts.table, facts.statuses[exchanges]
    begin = np.where(table["request_start"][exchanges] > 0, table["request_start"][exchanges], 0)
    end = table["response_end"][exchanges]
    silent = status == ExchangeStatus.UNANSWERED
    waited = np.minimum(table["request_end"][exchanges] + patience, max(facts.last_time, 0))
    end = np.where(silent, np.maximum(waited, begin), end)
    whole = (begin > 0) & (end >= begin)
    exchanges, status = exchanges[whole], status[whole]
    start, stop = ((edge[whole] - lanes.first_time) / 1e9 for edge in (begin, end))
    return Bars(start, stop, lanes.lanes_of(table["pair"][exchanges]), status)


class ExchangeBars:
    """The graph's items: bars of what was answered, what failed, and what nobody answered."""

    def __init__(self, plot: pg.PlotItem) -> None:
        self.shown: Bars | None = None
        self._items = [pg.BarGraphItem(x0=[], x1=[], y0=[], height=_HEIGHT) for _ in range(3)]
        for item in self._items:
            item.setZValue(0)
            plot.addItem(item, ignoreBounds=True)

    def show_bars(self, bars: Bars | None) -> None:
        """Show these, or none."""
        self.shown = bars
        for item in self._items:
            item.setVisible(bars is not None)
        if bars is None:
            return
        failed = bars.status == ExchangeStatus.ERROR
        silent = bars.status == ExchangeStatus.UNANSWERED
        for item, mask in zip(self._items, (~failed & ~silent, failed, silent), strict=True):
            y0 = bars.lane[mask] - _HEIGHT / 2
            item.setOpts(x0=bars.start[mask], x1=bars.stop[mask], y0=y0, height=_HEIGHT)

    def paint_as_meant(self, scheme: Colours) -> None:
        """Take the colours of a scheme."""
        for item, name in zip(
            self._items, (scheme.accent, scheme.kinds[Kind.ERROR], scheme.warning), strict=True
        ):
            colour = QColor(name)
            edge = QColor(name)
            colour.setAlpha(70)
            item.setOpts(brush=colour, pen=pg.mkPen(edge, width=1))
