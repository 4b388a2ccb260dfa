"""The thread that joins the WPDUs of the current exchange in the table's first column: arrows and a line.

    thread = thread_of(traffic, row)
    paint_thread(painter, rect, thread.sign(row), ink)

A request has an arrow that goes out, an answer one that comes back, blocks likewise; rows between have the
line.
"""

from enum import IntFlag
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from cosemscope.gui.document.traffic import Traffic

#: Pixels at the left of the first column that the thread takes.
THREAD_WIDTH = 12
_HEAD, _FROM_LEFT = 3.0, 3.5


class ThreadSign(IntFlag):
    """What of the thread a row has: the line above and below its middle, and an arrow."""

    NOTHING = 0
    ABOVE = 1
    BELOW = 2
    ASKS = 4
    ANSWERS = 8


class Thread(NamedTuple):
    """The rows `first` to `last` of an exchange; `asking` and `answering` are those with its WPDUs."""

    first: int = 0
    last: int = -1
    asking: frozenset[int] = frozenset()
    answering: frozenset[int] = frozenset()

    def sign(self, row: int) -> ThreadSign:
        """What a row has of it."""
        if not self.first <= row <= self.last:
            return ThreadSign.NOTHING
        sign = ThreadSign.NOTHING
        if row > self.first:
            sign |= ThreadSign.ABOVE
        if row < self.last:
            sign |= ThreadSign.BELOW
        if row in self.asking:
            sign |= ThreadSign.ASKS
        elif row in self.answering:
            sign |= ThreadSign.ANSWERS
        return sign


NO_THREAD = Thread()


def thread_of(traffic: Traffic, row: int) -> Thread:
    """The thread of the exchange that a WPDU row is part of; that of nothing where it is alone."""
    exchanges = traffic.analysis.exchanges
    of = exchanges.of["exchange"]
    exchange = of.item(row) if 0 <= row < len(of) else -1
    if exchange < 0:
        return NO_THREAD
    ends = [
        exchanges[name].item(exchange) for name in ("request", "response", "last_request", "last_response")
    ]
    there = [end for end in ends if end >= 0]
    if not there:  # another thread is just putting it together
        return NO_THREAD
    first, last = min(there), max(there)
    rows = first + np.flatnonzero(of[first : last + 1] == exchange)
    if len(rows) < 2:
        return NO_THREAD
    asks = traffic.wpdus["direction"][rows] == exchanges["side"].item(exchange)
    return Thread(first, last, frozenset(rows[asks].tolist()), frozenset(rows[~asks].tolist()))


def paint_thread(painter: QPainter, rect: QRect, sign: ThreadSign, ink: QColor) -> None:
    """Draw what a row has of the thread into the left of its first cell."""
    at, middle = rect.left() + _FROM_LEFT, rect.center().y() + 0.5
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(ink, 1.4))
    if sign & ThreadSign.ABOVE:
        painter.drawLine(QPointF(at, rect.top()), QPointF(at, middle))
    if sign & ThreadSign.BELOW:
        painter.drawLine(QPointF(at, middle), QPointF(at, rect.bottom() + 1))
    if sign & (ThreadSign.ASKS | ThreadSign.ANSWERS):
        stop = rect.left() + THREAD_WIDTH - 1.0
        painter.drawLine(QPointF(at, middle), QPointF(stop, middle))
        tip, back = (stop, stop - _HEAD) if sign & ThreadSign.ASKS else (at, at + _HEAD)
        painter.setBrush(ink)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawPolygon(
            QPolygonF([QPointF(tip, middle), QPointF(back, middle - _HEAD), QPointF(back, middle + _HEAD)])
        )
    painter.restore()
