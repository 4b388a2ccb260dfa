"""The curve of a value over time: steps, since a value stays until another is told; points lead to WPDUs."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from cosemscope.apdu.names.texts import KILO_UNITS
from cosemscope.gui.look import theme
from cosemscope.gui.look.cells import paint_hint
from cosemscope.gui.panes.objects.value_history import ValueHistory
from cosemscope.gui.panes.timing.time_axis import TimeAxis

#: Points are drawn one by one up to this many; a line of more is thinned to what pixels show.
_POINTS_DRAWN = 5_000
#: Pixels within which a click finds a point.
_REACH = 14
_HINT = "Choose an attribute with numbers: its value over time stands here."
_NO_NUMBERS = "What was told of this is no number: see “Values”."


class _PointBox(pg.ViewBox):
    """A click chooses a point; drag and wheel move and zoom the time, a double click shows all of it."""

    pointClicked = Signal(QPointF)

    def __init__(self) -> None:
        super().__init__(enableMenu=False)

    def mouseClickEvent(self, ev: Any) -> None:
        if ev.button() != Qt.MouseButton.LeftButton:
            return
        ev.accept()
        if ev.double():
            self.autoRange()
        else:
            self.pointClicked.emit(self.mapToView(ev.pos()))


class ValueCurve(QWidget):
    """The curve. `rowAsked` gives the WPDU row of the point that somebody chose."""

    rowAsked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Value over time")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.seconds: npt.NDArray[np.float64] = np.zeros(0)
        self.values: npt.NDArray[np.float64] = np.zeros(0)
        self.rows: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self.unit = ""
        self.hint = _HINT
        self._chosen = -1
        self._box = _PointBox()
        self.plot = pg.PlotWidget(
            self, viewBox=self._box, axisItems={"bottom": TimeAxis("bottom")}, background=None
        )
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.plot.setAcceptDrops(False)
        item = self.plot.getPlotItem()
        for name in ("left", "bottom"):
            item.getAxis(name).enableAutoSIPrefix(False)
        item.hideButtons()
        item.setMenuEnabled(False)
        item.showGrid(x=False, y=True, alpha=0.2)
        self._line = pg.PlotDataItem(stepMode="right", skipFiniteCheck=True)
        self._line.setDownsampling(auto=True, method="peak")
        self._line.setClipToView(True)
        self._points = pg.ScatterPlotItem(size=6, pxMode=True, pen=None)
        self._ring = pg.ScatterPlotItem(size=13, pxMode=True, brush=None)
        for piece in (self._line, self._points, self._ring):
            item.addItem(piece)
        self._points.sigClicked.connect(
            lambda _, __, ev: self._click(self._box.mapSceneToView(ev.scenePos()))
        )
        self._box.pointClicked.connect(self._click)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.plot)
        self._paint_as_meant()
        self.show_history(None)

    def show_history(self, history: ValueHistory | None) -> None:
        """Show the numbers of a history of one attribute."""
        if history is None or not history.is_of_one:
            self._show(np.zeros(0), np.zeros(0), np.zeros(0, np.int64), "")
            self.hint = _HINT
            return
        known = np.flatnonzero(np.isfinite(history.numbers))
        rows, values, unit = history.wpdu[known], history.numbers[known], history.unit
        if unit in KILO_UNITS and len(values) and np.abs(values).max() >= 1000:
            values, unit = values / 1000, "k" + unit
        times = history.nodes.grouped.view.analysis.wpdus["time"]
        seconds = (times[rows] - times[0]) / 1e9 if len(rows) else np.zeros(0)
        self._show(seconds, values, rows, unit)
        self.hint = _NO_NUMBERS

    def _show(
        self,
        seconds: npt.NDArray[np.float64],
        values: npt.NDArray[np.float64],
        rows: npt.NDArray[np.int64],
        unit: str,
    ) -> None:
        self.seconds, self.values, self.rows, self.unit = seconds, values, rows, unit
        self._chosen = -1
        self._line.setData(seconds, values)
        few = len(rows) <= _POINTS_DRAWN
        self._points.setData(seconds if few else [], values if few else [])
        self._ring.setData([], [])
        item = self.plot.getPlotItem()
        item.setLabel("left", unit)
        item.setLabel("bottom", "time since first WPDU")
        self.plot.setVisible(len(rows) > 0)
        self._box.autoRange()

    def show_row(self, row: int) -> None:
        """Mark the point that a WPDU row told, or none."""
        place = int(np.searchsorted(self.rows, row)) if row >= 0 else len(self.rows)
        is_here = place < len(self.rows) and self.rows.item(place) == row
        self._chosen = place if is_here else -1
        chosen = slice(place, place + 1) if is_here else slice(0)
        self._ring.setData(self.seconds[chosen], self.values[chosen])

    def nearest(self, point: QPointF) -> int:
        """The WPDU row of the point nearest to `point` (seconds, value), -1 where none is near."""
        per_x, per_y = self._box.viewPixelSize()
        first, last = np.searchsorted(self.seconds, [point.x() - _REACH * per_x, point.x() + _REACH * per_x])
        if first == last:
            return -1
        near = slice(first, last)
        distances = np.hypot(
            (self.seconds[near] - point.x()) / per_x, (self.values[near] - point.y()) / per_y
        )
        closest = int(np.argmin(distances))
        return self.rows.item(first + closest) if distances[closest] <= _REACH else -1

    def _click(self, point: QPointF) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        row = self.nearest(point)
        if row >= 0:
            self.rowAsked.emit(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The point before or after by the arrow keys; Home shows all of the time."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() in steps and len(self.rows):
            place = self._chosen + steps[Qt.Key(event.key())] if self._chosen >= 0 else 0
            self.rowAsked.emit(self.rows.item(min(max(place, 0), len(self.rows) - 1)))
        elif event.key() == Qt.Key.Key_Home:
            self._box.autoRange()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Words where there is no curve."""
        super().paintEvent(event)
        if not len(self.rows):
            paint_hint(self, self.hint)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the colour scheme."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_ring"):
            self._paint_as_meant()
        super().changeEvent(event)

    def _paint_as_meant(self) -> None:
        scheme = theme.colours(self.palette())
        self._line.setPen(pg.mkPen(QColor(scheme.accent)))
        self._points.setBrush(pg.mkBrush(QColor(scheme.accent)))
        self._ring.setPen(pg.mkPen(QColor(scheme.text), width=2))
        for name in ("left", "bottom"):
            axis = self.plot.getPlotItem().getAxis(name)
            axis.setPen(QColor(scheme.line))
            axis.setTextPen(QColor(scheme.text))
