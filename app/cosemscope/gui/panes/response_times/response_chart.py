"""The chart of response times: a point an exchange over time, and beside it how its times are spread.

The vertical axis is logarithmic and the same for both. More points than can be drawn one by one become an
image that lights each pixel with a point, errors over all others. What was not answered stands on a line of
its own above. A click chooses the nearest exchange, a drag a range of time, of response time, or of both.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QImage, QPixmap, QResizeEvent, QTransform
from PySide6.QtWidgets import QGraphicsPixmapItem, QHBoxLayout, QWidget

from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.gui.look import theme
from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.panes.response_times.point_image import point_image
from cosemscope.gui.panes.response_times.timed_exchanges import Timed, log_seconds
from cosemscope.gui.panes.timing.time_axis import TimeAxis
from cosemscope.wording import short_duration

#: More visible points than this become an image.
POINTS_DRAWN = 6_000
#: Pixels of the screen a pixel of that image.
_GRAIN = 2
#: Pixels within which a click finds a point, and under which a drag has no range on an axis.
_REACH, _LEAST_DRAG = 12, 10
#: How far above the slowest answer the line of those without any stands, in decades.
_ABOVE = 0.35
#: Where there is so much room, the histogram has an axis of its own beside it.
_WIDE = 700
_DECADES = range(-6, 6)


class LogTimeAxis(pg.AxisItem):
    """An axis of log10 of seconds, with ticks at 1, 2 and 5 of each decade, and one for no answer."""

    silent_at: float | None = None

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        """As many ticks as have room."""
        room = size / max(high - low, 1e-6)  # pixels a decade
        steps = (1, 2, 5) if room > 55 else (1,)
        ticks = [np.log10(step) + decade for decade in _DECADES for step in steps]
        above = self.silent_at
        ticks = [float(tick) for tick in ticks if low <= tick <= high]
        if above is not None and low <= above <= high:
            ticks = [*(tick for tick in ticks if (above - tick) * room > 14), above]
        return [(1.0, ticks)]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """The texts of ticks."""
        return [
            "none" if value == self.silent_at else short_duration(round(10 ** (value + 9)))
            for value in values
        ]


class RangeBox(pg.ViewBox):
    """Left drag: a range; left click: a point; double click: everything; the wheel zooms time alone."""

    rangeDragged = Signal(QRectF, bool)
    pointClicked = Signal(QPointF)
    wholeAsked = Signal()

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.setMouseEnabled(x=True, y=False)

    def mouseDragEvent(self, ev: Any, axis: int | None = None) -> None:
        """Tell the range; one that is short on an axis takes that axis whole."""
        if ev.button() != Qt.MouseButton.LeftButton or axis is not None:
            super().mouseDragEvent(ev, axis)
            return
        ev.accept()
        start, stop = ev.buttonDownPos(), ev.pos()
        corners = self.mapToView(start), self.mapToView(stop)
        rect = QRectF(*corners).normalized()
        (left, right), (low, high) = self.viewRange()
        if abs(stop.x() - start.x()) < _LEAST_DRAG:
            rect.setLeft(left)
            rect.setRight(right)
        if abs(stop.y() - start.y()) < _LEAST_DRAG:
            rect.setTop(low)
            rect.setBottom(high)
        self.rangeDragged.emit(rect, ev.isFinish())

    def mouseClickEvent(self, ev: Any) -> None:
        """Tell the point."""
        if ev.button() == Qt.MouseButton.LeftButton:
            ev.accept()
            if ev.double():
                self.wholeAsked.emit()
            else:
                self.pointClicked.emit(self.mapToView(ev.pos()))


class ResponseChart(QWidget):
    """The chart. `chosen` gives the place of a clicked point, `dragged` a range and whether it ended."""

    chosen = Signal(int)
    dragged = Signal(QRectF, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.timed: Timed | None = None
        self._y = np.zeros(0)
        self._rank = np.zeros(0, np.uint8)
        self._low, self._high = -3.0, 0.0
        self.box = RangeBox()
        self._left, self._bottom = LogTimeAxis("left"), TimeAxis("bottom")
        self.plot = pg.PlotWidget(
            self, viewBox=self.box, axisItems={"left": self._left, "bottom": self._bottom}
        )
        self.plot.setAccessibleName("Response times over time")
        self.spread = pg.PlotWidget(self, axisItems={"left": LogTimeAxis("left")})
        self.spread.setAccessibleName("Histogram and cumulative curve of response times")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.plot, 5)
        row.addWidget(self.spread, 2)
        self._make_items()
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.setInterval(15)
        self._redraw.timeout.connect(self.draw)
        self.box.sigXRangeChanged.connect(lambda *_: self._redraw.start())
        self.box.sigYRangeChanged.connect(self._follow_y)
        self.box.pointClicked.connect(self._click)
        self.box.rangeDragged.connect(self._drag)
        self.box.wholeAsked.connect(self.show_whole)
        self.plot.scene().sigMouseMoved.connect(self._hover)
        self._paint_as_meant()

    def _make_items(self) -> None:
        for plot in (self.plot, self.spread):
            item = plot.getPlotItem()
            item.hideButtons()
            item.setMenuEnabled(False)
            plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            plot.setAcceptDrops(False)
            for name in ("left", "bottom"):
                item.getAxis(name).enableAutoSIPrefix(False)
        item = self.plot.getPlotItem()
        self._image = QGraphicsPixmapItem()
        self._image.setZValue(1)
        count = len(theme.LIGHT.series) + 3
        self._scatters = [pg.ScatterPlotItem(size=6, pxMode=True, pen=None) for _ in range(count)]
        self._ring = pg.ScatterPlotItem(size=14, pxMode=True, brush=None)
        self._line = pg.InfiniteLine(angle=90, movable=False)
        self._range = pg.QtWidgets.QGraphicsRectItem()
        self._range.setZValue(-5)
        for piece in (self._image, *self._scatters, self._line, self._ring, self._range):
            item.addItem(piece, ignoreBounds=True)
        for scatter in (*self._scatters, self._ring):
            scatter.setZValue(2)
            scatter.sigClicked.connect(lambda _, __, ev: self._click(self.box.mapSceneToView(ev.scenePos())))
        self._ring.setZValue(4)
        self._line.setZValue(3)
        self._line.hide()
        self._range.hide()
        self._bars = pg.BarGraphItem(x0=[], y0=[], width=[], height=[])
        self._curve = pg.PlotCurveItem()
        box = self.spread.getPlotItem().getViewBox()
        box.setMouseEnabled(x=False, y=False)
        box.setXRange(0, 1, padding=0.02)
        for piece in (self._bars, self._curve):
            self.spread.getPlotItem().addItem(piece, ignoreBounds=True)
        self.spread.getAxis("bottom").setTicks([[(0, "0"), (0.5, "50 %"), (0.95, "95 %")]])

    # What is shown

    def show_timed(self, timed: Timed | None) -> None:
        """Show these exchanges, all of them."""
        self.timed = timed
        self._line.hide()
        self._ring.setData([], [])
        if timed is None:
            self._y, self._rank = np.zeros(0), np.zeros(0, np.uint8)
        else:
            self._take(timed)
        self.show_whole()
        self.draw()

    def _take(self, timed: Timed) -> None:
        points, edges = timed.points, timed.histogram.edges
        answered = points.time >= 0
        self._y = log_seconds(points.time)
        self._low, self._high = (edges[0], edges[-1]) if answered.any() else (-3.0, 0.0)
        silent_at = float(self._high) + _ABOVE
        silent = not answered.all()
        self._y[~answered] = silent_at
        shown = len(theme.LIGHT.series)
        self._rank = np.minimum(points.group, shown).astype(np.uint8)
        self._rank = np.where(self._rank == shown, 0, self._rank + 1).astype(np.uint8)  # the rest lies lowest
        self._rank[points.status == ExchangeStatus.ERROR] = shown + 1
        self._rank[~answered] = shown + 2
        self._left.silent_at = silent_at if silent else None
        if silent:
            self._high = silent_at
        self._show_spread(timed)

    def _show_spread(self, timed: Timed) -> None:
        edges, counts = timed.histogram
        most = max(1, int(counts.max(initial=1)))
        if len(counts):
            heights = np.diff(edges)
            self._bars.setOpts(x0=np.zeros(len(counts)), y0=edges[:-1], width=counts / most, height=heights)
            shares = np.concatenate([[0.0], timed.histogram.shares])
            self._curve.setData(shares, edges)
        else:
            self._bars.setOpts(x0=[], y0=[], width=[], height=[])
            self._curve.setData([], [])

    def show_whole(self) -> None:
        """Show all times."""
        reach = (self.timed.duration if self.timed else 0.0) or 1e-3
        self.box.setLimits(xMin=-0.5 * reach, xMax=1.5 * reach, minXRange=min(1e-6, reach))
        self.box.setXRange(-0.015 * reach, 1.015 * reach, padding=0)
        air = 0.04 * (self._high - self._low) + 0.05
        self.box.setYRange(self._low - air, self._high + air, padding=0)

    def _follow_y(self, *_: Any) -> None:
        self.spread.setYRange(*self.box.viewRange()[1], padding=0)
        self._redraw.start()

    def colours(self) -> list[str]:
        """The colour of each rank: groups that share one, the largest groups, errors, unanswered."""
        scheme = theme.colours(self.palette())
        return [scheme.muted, *scheme.series, scheme.error, scheme.warning]

    @property
    def is_dense(self) -> bool:
        """Whether points are drawn as an image."""
        return self._image.isVisible()

    def _in_view(self) -> slice:
        (left, right), _ = self.box.viewRange()
        x = self.timed.points.x if self.timed else np.zeros(0)
        first = int(np.searchsorted(x, left, "left"))
        return slice(first, max(first, int(np.searchsorted(x, right, "right"))))

    def draw(self) -> None:
        """Draw what is in view."""
        seen = self._in_view()
        dense = seen.stop - seen.start > POINTS_DRAWN
        self._image.setVisible(dense)
        for rank, scatter in enumerate(self._scatters):
            scatter.setVisible(not dense)
            if not dense and self.timed is not None:
                chosen = np.flatnonzero(self._rank[seen] == rank) + seen.start
                scatter.setData(self.timed.points.x[chosen], self._y[chosen])
        if self.timed is None:
            for scatter in self._scatters:
                scatter.setData([], [])
        if dense:
            self._draw_image(seen)

    def image(self, seen: slice) -> npt.NDArray[np.uint32]:
        """The image of the points in view, uint32[width, height], 0xAARRGGBB."""
        assert self.timed is not None
        (left, right), (low, high) = self.box.viewRange()
        size = max(50, int(self.box.width()) // _GRAIN), max(20, int(self.box.height()) // _GRAIN)
        colours = np.array([QColor(name).rgba() for name in self.colours()], np.uint32)
        window = (left, right, low, high)
        return point_image(self.timed.points.x[seen], self._y[seen], self._rank[seen], colours, window, size)

    def _draw_image(self, seen: slice) -> None:
        lines = np.ascontiguousarray(self.image(seen).T)
        height, width = lines.shape
        picture = QImage(lines.data, width, height, 4 * width, QImage.Format.Format_ARGB32).copy()
        self._image.setPixmap(QPixmap.fromImage(picture))
        (left, right), (low, high) = self.box.viewRange()
        step_x, step_y = (right - left) / width, (high - low) / height
        self._image.setTransform(QTransform(step_x, 0, 0, step_y, left, low))

    def mark(self, place: int) -> None:
        """Mark a point, -1 for none, and bring it into view."""
        self._line.setVisible(place >= 0)
        if place < 0 or self.timed is None:
            self._ring.setData([], [])
            return
        x = self.timed.points.x.item(place)
        self._line.setValue(x)
        self._ring.setData([x], [self._y.item(place)])
        left, right = self.box.viewRange()[0]
        if not left <= x <= right:
            half = (right - left) / 2
            self.box.setXRange(x - half, x + half, padding=0)

    def show_range(self, rect: QRectF | None) -> None:
        """Shade a range, or none."""
        self._range.setVisible(rect is not None)
        if rect is not None:
            self._range.setRect(rect)

    # Hands

    def nearest(self, point: QPointF) -> int:
        """The place of the point nearest to `point` (seconds, log10 of seconds), -1 when none is near."""
        per_x, per_y = self.box.viewPixelSize()
        if self.timed is None or not per_x or not per_y:
            return -1
        x, reach = self.timed.points.x, _REACH * per_x
        first, last = np.searchsorted(x, (point.x() - reach, point.x() + reach))
        if first >= last:
            return -1
        across, along = (x[first:last] - point.x()) / per_x, (self._y[first:last] - point.y()) / per_y
        distance = across**2 + along**2
        best = int(np.argmin(distance))
        return int(first) + best if distance[best] <= _REACH**2 else -1

    def tip(self, place: int) -> str:
        """What is said of a point."""
        if self.timed is None or place < 0:
            return ""
        points, time = self.timed.points, self.timed.points.time.item(place)
        name = self.timed.names[points.group.item(place)]
        exchange = f"Exchange {points.exchange.item(place) + 1:,}, {name}"
        if time < 0:
            return f"{exchange}\nnot answered"
        own, lines = points.own.item(place), [exchange, f"answered after {short_duration(time)}"]
        if own >= 0:
            lines.append(f"{short_duration(own)} the answerer's own, {short_duration(time - own)} on the way")
        if points.status.item(place) == ExchangeStatus.ERROR:
            lines.append("with an error")
        return "\n".join(lines)

    def _click(self, point: QPointF) -> None:
        place = self.nearest(point)
        if place >= 0:
            self.chosen.emit(place)

    def _drag(self, rect: QRectF, ended: bool) -> None:
        self.show_range(rect)
        self.dragged.emit(rect, ended)

    def _hover(self, position: QPointF) -> None:
        inside = self.box.sceneBoundingRect().contains(position)
        place = self.nearest(self.box.mapSceneToView(position)) if inside else -1
        self.plot.setToolTip(plain_tip(self.tip(place)) if place >= 0 else "")

    # Colours

    def _paint_as_meant(self) -> None:
        scheme = theme.colours(self.palette())
        font = QFont(self.font())
        for plot in (self.plot, self.spread):
            plot.setBackground(QColor(scheme.base))
            for name in ("left", "bottom"):
                axis = plot.getAxis(name)
                axis.setPen(QColor(scheme.line))
                axis.setTextPen(QColor(scheme.text))
                axis.setStyle(tickFont=font)
        for scatter, colour in zip(self._scatters, self.colours(), strict=True):
            scatter.setBrush(QColor(colour))
        self._line.setPen(pg.mkPen(scheme.accent, width=1))
        self._ring.setPen(pg.mkPen(scheme.accent, width=2))
        shade = QColor(scheme.accent)
        shade.setAlpha(40)
        self._range.setBrush(shade)
        self._range.setPen(pg.mkPen(scheme.accent, width=1))
        self._bars.setOpts(brush=QColor(scheme.line), pen=pg.mkPen(scheme.base))
        self._curve.setPen(pg.mkPen(scheme.accent, width=1))
        self._redraw.start()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the colour scheme."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_redraw"):
            self._paint_as_meant()
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As many pixels as there are."""
        super().resizeEvent(event)
        self.spread.getPlotItem().showAxis("left", self.width() >= _WIDE)
        self._redraw.start()
