"""WPDUs over time, by lanes: client to server above the lane's line, server to client below.

A lane is a wPort pair, a connection or a meter. Up to 10,000 visible points are drawn one by one in the
colour of their kind, and few exchanges as bars too; more are counted per pixel and drawn as one image, so
that a million cost no more than a few. A click chooses the nearest WPDU, a drag a span of time, the wheel
zooms. The time of what is displayed is shown by itself; a double click shows that of the whole capture, and
back.
"""

import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QActionGroup, QColor, QContextMenuEvent, QFont, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from cosemscope.analysis.export.whole_file import ExportError
from cosemscope.analysis.outcomes.capture_facts import CaptureFacts, capture_facts
from cosemscope.gui.base.latest_task import LatestTask
from cosemscope.gui.base.task import Tell
from cosemscope.gui.base.when_seen import WhenSeen
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look import theme
from cosemscope.gui.look.apdu_kinds import KIND_NAMES, Kind
from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.look.icons import icon
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.gui.panes.asked_filter import add_filter_menus
from cosemscope.gui.panes.pane import Pane, Wishes
from cosemscope.gui.panes.timing.exchange_bars import BARS_DRAWN, ExchangeBars, bars_of
from cosemscope.gui.panes.timing.lane_kinds import LANE_KINDS, REST, Lane, LaneKind
from cosemscope.gui.panes.timing.lanes import Lanes
from cosemscope.gui.panes.timing.saved_graph import FORMATS, save_graph
from cosemscope.gui.panes.timing.stream_marks import MARKS, MarkItems, StreamMarks, stream_marks
from cosemscope.gui.panes.timing.time_axis import TimeAxis
from cosemscope.wording import count, duration

#: The filter of the chosen span of time.
SPAN = "span"

#: More visible points than this are drawn as an image of their density.
POINTS_DRAWN = 10_000

#: Milliseconds between two drawings of a capture that grows, and how often their cost must have passed: the
#: image of a million points takes a while.
GROWTH_EVERY, GROWTH_PATIENCE = 120, 10

#: What the axis of time is called.
_TIME_TITLE = "time since first WPDU"

#: How far from a lane's line the points of each direction stand (1: the distance of lanes).
_OFFSETS = (-0.2, 0.2)
#: Marks of connections as the legend has them.
_SYMBOLS = "▶◀+×"
_REACH = 10  # pixels within which a click finds a point
_IMAGE_ROWS = 10  # rows of the density image a lane


def span_filter(start: float, stop: float) -> str:
    """The display filter of a span of time in seconds since the first WPDU, widened to whole microseconds."""
    ends = math.floor(start * 1e6) / 1e6, math.ceil(stop * 1e6) / 1e6
    low, high = (f"{end:.6f}".rstrip("0").rstrip(".") for end in ends)
    return f"wpdu.time_relative in {{{low}s..{high}s}}" if start > 0 else f"wpdu.time_relative <= {high}s"


class _SpanBox(pg.ViewBox):
    """Left drag: a span of time; left click: a point; double click: everything; others as pyqtgraph does."""

    spanDragged = Signal(float, float, bool)
    pointClicked = Signal(QPointF)
    wholeAsked = Signal()

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.setMouseEnabled(x=True, y=False)

    def mouseDragEvent(self, ev: Any, axis: int | None = None) -> None:
        if ev.button() != Qt.MouseButton.LeftButton or axis is not None:
            super().mouseDragEvent(ev, axis)
            return
        ev.accept()
        start = self.mapToView(ev.buttonDownPos()).x()
        stop = self.mapToView(ev.pos()).x()
        self.spanDragged.emit(min(start, stop), max(start, stop), ev.isFinish())

    def mouseClickEvent(self, ev: Any) -> None:
        if ev.button() != Qt.MouseButton.LeftButton:
            return
        ev.accept()
        if ev.double():
            self.wholeAsked.emit()
        else:
            self.pointClicked.emit(self.mapToView(ev.pos()))


class TimingGraph(QWidget, Pane):
    """The pane: WPDUs that pass all filters but its own, the span of time named `SPAN`."""

    def __init__(self, selection: Selection, wishes: Wishes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection, self._wishes = selection, wishes
        self.kind: LaneKind = LANE_KINDS["wports"]
        self.facts: CaptureFacts | None = None
        self._marks: StreamMarks | None = None
        self._latest = LatestTask(self)
        self._facts_due = WhenSeen(self, self._ask_facts)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Timing")
        self._traffic = selection.traffic
        self.lanes = Lanes(self.kind)
        self._keeps: Callable[[], None] | None = self.show_displayed  # what is kept in view while it grows
        self._drawn_lanes: tuple[Lane, ...] | None = None
        self._box = _SpanBox()
        self._time_axis = TimeAxis("bottom")
        self.plot = pg.PlotWidget(
            self, viewBox=self._box, axisItems={"bottom": self._time_axis}, background=None
        )
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the pane itself is what keys go to
        self.plot.setAcceptDrops(False)  # a dropped file is the window's
        self._make_items()
        self._make_heading()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._heading)
        column.addWidget(self.plot, 1)
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.setInterval(15)
        self._redraw.timeout.connect(self.draw)
        self._growing = QTimer(self)
        self._growing.setSingleShot(True)
        self._growing.setInterval(GROWTH_EVERY)
        self._growing.timeout.connect(self._show_growth)
        self._connect()
        self._paint_as_meant()

    def _make_items(self) -> None:
        item = self.plot.getPlotItem()
        for name in ("left", "bottom"):
            item.getAxis(name).enableAutoSIPrefix(False)
        item.getAxis("left").setTicks([[]])
        item.hideButtons()
        item.setMenuEnabled(False)
        item.getAxis("left").setStyle(tickLength=0)
        self._box.invertY(True)
        self._lines = pg.PlotCurveItem(connect="pairs")
        self._image = pg.ImageItem()
        self._image.setZValue(1)
        self._scatters = {kind: pg.ScatterPlotItem(size=6, pxMode=True, pen=None) for kind in Kind}
        self.bars, self.marks = ExchangeBars(item), MarkItems(item)
        self._region = pg.LinearRegionItem(movable=True)
        self._region.setZValue(-5)
        self._line = pg.InfiniteLine(angle=90, movable=False)
        self._ring = pg.ScatterPlotItem(size=13, pxMode=True, brush=None)
        for piece in (self._lines, self._image, *self._scatters.values(), self._line, self._ring):
            item.addItem(piece, ignoreBounds=True)
        item.addItem(self._region, ignoreBounds=True)
        for scatter in self._scatters.values():
            scatter.setZValue(2)
        self._ring.setZValue(4)
        self._line.setZValue(3)
        self._line.hide()
        self._region.hide()

    def _make_heading(self) -> None:
        self._legend = QLabel(self)
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        self._legend.setMinimumWidth(1)  # what does not fit is not shown: the pane may be narrow
        self._legend.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._summary = PlainLabel(self)
        self.clear_button = QToolButton(self)
        self.clear_button.setIcon(icon("close"))
        self.clear_button.setText("Clear span")
        self.clear_button.setToolTip("Show the WPDUs of all times again (Esc)")
        self.clear_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.clear_button.setAutoRaise(True)
        self.clear_button.hide()
        self.clear_button.clicked.connect(self.clear_span)
        self.lane_button = QToolButton(self)
        self.lane_button.setAutoRaise(True)
        self.lane_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.lane_button.setToolTip("What each lane stands for")
        menu = QMenu(self.lane_button)
        choice = QActionGroup(menu)
        self.lane_actions = {}
        for name, kind in LANE_KINDS.items():
            action = self.lane_actions[name] = menu.addAction(f"A lane a {kind.word}")
            action.setCheckable(True)
            action.triggered.connect(partial(self.choose_lanes, name))
            choice.addAction(action)
        self.lane_button.setMenu(menu)
        self._name_lanes()
        self._heading = QHBoxLayout()
        self._heading.setContentsMargins(8, 2, 8, 0)
        self._heading.setSpacing(12)
        self._heading.addWidget(self.lane_button)
        self._heading.addWidget(self._legend, 1)
        self._heading.addWidget(self.clear_button)
        self._heading.addWidget(self._summary)

    def _connect(self) -> None:
        self._box.sigXRangeChanged.connect(lambda *args: self._redraw.start())
        self._box.sigRangeChangedManually.connect(self._leave_whole)
        self._box.spanDragged.connect(self._drag)
        self._box.pointClicked.connect(self._click)
        for scatter in (*self._scatters.values(), self._ring):  # they take clicks that hit them
            scatter.sigClicked.connect(lambda _, __, ev: self._click(self._box.mapSceneToView(ev.scenePos())))
        self._box.wholeAsked.connect(self.turn_whole)
        self._region.sigRegionChangeFinished.connect(self._tell_span)
        self.plot.scene().sigMouseMoved.connect(self._hover)
        self._selection.rowChanged.connect(self.show_row)
        self._selection.filtersChanged.connect(self._follow_filters)

    def _leave_whole(self, *args: Any) -> None:
        self._keeps = None

    # What is shown

    def set_traffic(self, traffic: Traffic) -> None:
        """Show another capture."""
        self._keeps = self.show_displayed
        self._hide_span()
        self._traffic = traffic
        self._latest.cancel()
        self._facts_due.forget()
        self.facts = self._marks = None
        self._fill()

    def _follow_filters(self, names: frozenset[str]) -> None:
        """Show what passes the other filters now; the span goes when it was taken away elsewhere."""
        if SPAN not in self._selection.filters:
            self._hide_span()
        if names != {SPAN}:
            self._fill()
            self.show_displayed()

    def _fill(self) -> None:
        self.lanes, self._drawn_lanes = Lanes(self.kind), None
        self._fit_axes()
        self.take_rows(self._traffic.total)
        self.show_row(self._selection.row)

    def take_rows(self, total: int) -> None:
        """Show what is new."""
        began = not len(self.lanes)
        filters = self._selection.filters
        wanted = partial(filters.matching, without=SPAN) if filters.but(SPAN) else None
        self.lanes.take(self._traffic, filters.answered(total), wanted)
        if began:
            self._show_growth()
        elif not self._growing.isActive():
            self._growing.start()

    def show_completed(self, early: set[int]) -> None:
        """The pass has told what was opened, and how it ended: paint it so."""
        self.lanes.recolour(self._traffic)
        self._redraw.start()
        self._facts_due.ask()

    def _ask_facts(self) -> None:
        analysis = self._traffic.analysis

        def work(tell: Tell) -> tuple[CaptureFacts, StreamMarks]:
            facts = capture_facts(analysis)
            len(facts.statuses)  # worked out here and kept
            return facts, stream_marks(analysis, facts)

        self._latest.start(work, self._take_facts)

    def _take_facts(self, found: tuple[CaptureFacts, StreamMarks] | None) -> None:
        self.facts, self._marks = found or (None, None)
        self._redraw.start()

    def choose_lanes(self, name: str, *_: Any) -> None:
        """Give a lane to each of another kind, by its name in `LANE_KINDS`."""
        if self.kind is not LANE_KINDS[name]:
            self.kind = LANE_KINDS[name]
            self._name_lanes()
            self._paint_as_meant()
            low, high = self.visible_time
            self._fill()
            self.show_time(low, high)

    def _name_lanes(self) -> None:
        self.lane_button.setText(f"By {self.kind.word}")
        self.lane_button.setAccessibleName(f"Lanes: a {self.kind.word} each")
        for name, action in self.lane_actions.items():
            action.setChecked(LANE_KINDS[name] is self.kind)

    def arrangement(self) -> bytes:
        """The kind of lane."""
        return next(name for name, kind in LANE_KINDS.items() if kind is self.kind).encode()

    def restore(self, state: bytes) -> None:
        """Take back the kind of lane."""
        name = state.decode("utf-8", "replace")
        if name in LANE_KINDS:
            self.choose_lanes(name)

    def _show_growth(self) -> None:
        if self._keeps is not None:
            self._keeps()
        self._redraw.start()

    def show_displayed(self) -> None:
        """Show the time of the WPDUs that are displayed, such as those of one session."""
        self._keeps = self.show_displayed
        self._show_from(*self.lanes.reach)

    def show_whole(self) -> None:
        """Show the whole time of the capture."""
        self._keeps = self.show_whole
        self._show_from(0.0, self.lanes.duration)

    def turn_whole(self) -> None:
        """Show the whole time of the capture; where that is shown, the time of what is displayed again."""
        (self.show_displayed if self._keeps == self.show_whole else self.show_whole)()

    def _show_from(self, first: float, last: float) -> None:
        reach = self.lanes.duration or 1e-3
        self._box.setLimits(xMin=-0.5 * reach, xMax=1.5 * reach, minXRange=min(1e-6, reach))
        air = 0.015 * (last - first or reach)
        self.show_time(first - air, last + air)

    def show_row(self, row: int) -> None:
        """Mark a WPDU row (-1: none) and bring it into view."""
        place = self.lanes.place_of(row) if row >= 0 else None
        self._line.setVisible(place is not None)
        if place is None:
            self._ring.setData([], [])
            return
        x, lane, direction = place
        self._line.setValue(x)
        self._ring.setData([x], [lane + _OFFSETS[direction]])
        low, high = self.visible_time
        if not low <= x <= high:
            half = (high - low) / 2
            self.show_time(x - half, x + half)

    @property
    def marked_time(self) -> float | None:
        """The place of the current WPDU's line, in seconds since the first WPDU; None for no line."""
        return float(self._line.value()) if self._line.isVisible() else None

    @property
    def visible_time(self) -> tuple[float, float]:
        """The span of time in view, in seconds since the first WPDU."""
        return tuple(self._box.viewRange()[0])

    def show_time(self, start: float, stop: float) -> None:
        """Bring a span of time into view, in seconds since the first WPDU."""
        self._box.setXRange(start, stop, padding=0)

    @property
    def is_dense(self) -> bool:
        """Whether the WPDUs in view are counted per pixel instead of drawn one by one."""
        return self._image.isVisible()

    @property
    def drawn(self) -> dict[Kind, int]:
        """The number of WPDUs of each kind that are drawn one by one."""
        amounts = {kind: len(scatter.data) for kind, scatter in self._scatters.items() if scatter.isVisible()}
        return {kind: amount for kind, amount in amounts.items() if amount}

    @property
    def summary(self) -> str:
        """The words about what is in view; "" where there is no room for them."""
        return "" if self._summary.isHidden() else self._summary.text()

    def draw(self) -> None:
        """Draw what the visible span holds, as points or as an image."""
        began = time.monotonic()
        self._draw()
        taken = time.monotonic() - began
        self._growing.setInterval(max(GROWTH_EVERY, round(GROWTH_PATIENCE * taken * 1000)))

    def _draw(self) -> None:
        self._draw_lanes()
        low, high = self.visible_time
        visible = self.lanes.count(low, high)
        dense = visible > POINTS_DRAWN
        self._draw_bars(low, high, visible)
        if dense:
            self._draw_density(low, high)
        else:
            self._draw_points(low, high)
        self._image.setVisible(dense)
        for scatter in self._scatters.values():
            scatter.setVisible(not dense)
        lanes = count(self.lanes.lane_count, self.kind.word)
        self._summary.setText(
            f"{count(visible, 'point')} in view, {lanes}" if len(self.lanes) else "no WPDUs"
        )
        self._fit_heading()

    def _fit_heading(self) -> None:
        """The legend goes before the summary where there is no room for both."""
        room = (
            self.width()
            - self._legend.sizeHint().width()
            - self.lane_button.sizeHint().width()
            - self._summary.sizeHint().width()
        )
        self._summary.setVisible(room > (60 if self.clear_button.isHidden() else 220))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As many lanes as have room for their names; the axes' titles only where there is room to spare."""
        super().resizeEvent(event)
        self._fit_axes()
        self._redraw.start()

    def _fit_axes(self) -> None:
        metrics, height = self.fontMetrics(), self.plot.height()
        line = metrics.height()
        needed = {"left": metrics.horizontalAdvance(self.kind.title) + 4 * line, "bottom": 8 * line}
        for name, least in needed.items():
            self.plot.getAxis(name).showLabel(height >= least)
        self.lanes.set_room((height - 2 * line) // (line + 2))

    def _draw_lanes(self) -> None:
        lanes = self.lanes.shown
        if lanes == self._drawn_lanes:
            return
        self._drawn_lanes = lanes
        for name in ("left", "bottom"):
            self.plot.getPlotItem().showAxis(name, bool(lanes))
        told = [self.kind.text(self._traffic, lane) for lane in lanes if lane != REST]
        labels = [label for label, _ in told] + ["other"] * (REST in lanes)
        self.plot.getAxis("left").setTicks([list(enumerate(labels))])
        self.plot.setYRange(-0.5, max(1, len(lanes)) - 0.5, padding=0.02)
        ends = np.tile((-1e9, 1e9), len(lanes))
        self._lines.setData(ends, np.repeat(np.arange(len(lanes), dtype=float), 2))
        tips = [f"Lanes: a {self.kind.word} each", *(tip for _, tip in told)]
        self.plot.getAxis("left").setToolTip(plain_tip("\n".join(tips)))

    def lane_name(self, lane: int) -> str:
        """What a lane is called."""
        shown = self.lanes.shown[lane]
        return "other" if shown == REST else self.kind.text(self._traffic, shown)[0]

    def _draw_points(self, low: float, high: float) -> None:
        points = self.lanes.points(low, high)
        y = points.lane + np.where(points.direction == 0, *_OFFSETS)
        for kind, scatter in self._scatters.items():
            mask = points.kind == kind
            scatter.setData(points.x[mask], y[mask])
        self._show_legend({Kind(int(kind)) for kind in np.unique(points.kind)})

    def _draw_bars(self, low: float, high: float, visible: int) -> None:
        bars = None
        if self.facts is not None and 0 < visible <= BARS_DRAWN:
            bars = bars_of(self.facts, self.lanes, low, high, self._traffic.analysis.patience)
        self.bars.show_bars(bars)
        self.marks.show_marks(self._marks, self.lanes, low, high)

    def _draw_density(self, low: float, high: float) -> None:
        width = max(100, int(self._box.width()))
        counts = self.lanes.density(low, high, width)
        lanes = counts.shape[1]
        scaled = np.log1p(counts) / np.log1p(max(1, int(counts.max(initial=1))))
        image = np.zeros((width, lanes * _IMAGE_ROWS), np.float32)
        for direction, first in ((0, 1), (1, 6)):  # rows 1 to 3 above the line, 6 to 8 below it
            for part in range(3):
                image[:, first + part :: _IMAGE_ROWS] = scaled[:, :, direction]
        self._image.setImage(image, autoLevels=False, levels=(0.0, 1.0))
        self._image.setRect(QRectF(low, -0.5, high - low, lanes))
        self._show_legend(None)

    # Colours

    def _show_legend(self, kinds: set[Kind] | None) -> None:
        scheme = theme.colours(self.palette())
        if kinds is None:
            text = f"<span style='color:{scheme.muted}'>the stronger, the more WPDUs per pixel</span>"
        else:
            text = " &nbsp; ".join(
                f"<span style='color:{scheme.kinds[kind]}'>●</span>&nbsp;{KIND_NAMES[kind]}"
                for kind in sorted(kinds)
            )
            for mark in self.marks.shown:
                word = MARKS[mark][0].replace(" ", "&nbsp;")
                colour = self.marks.colour(mark, scheme)
                text += f" &nbsp; <span style='color:{colour}'>{_SYMBOLS[mark]}</span>&nbsp;{word}"
        if self._legend.text() != text:
            self._legend.setText(text)

    def _paint_as_meant(self) -> None:
        scheme = theme.colours(self.palette())
        self.plot.setBackground(QColor(scheme.base))
        self._summary.setStyleSheet(f"color: {scheme.muted}")
        font = QFont(self.font())
        for name in ("left", "bottom"):
            axis = self.plot.getAxis(name)
            axis.setPen(QColor(scheme.line))
            axis.setTextPen(QColor(scheme.text))
            axis.setStyle(tickFont=font)
            axis.setLabel({"left": self.kind.title, "bottom": _TIME_TITLE}[name], color=scheme.muted)
        self._fit_axes()
        self._lines.setPen(pg.mkPen(scheme.line, width=1))
        for kind, scatter in self._scatters.items():
            scatter.setBrush(QColor(scheme.kinds[kind]))
            scatter.setPen(None)
        self._line.setPen(pg.mkPen(scheme.accent, width=1))
        self._ring.setPen(pg.mkPen(scheme.accent, width=2))
        shade = QColor(scheme.accent)
        shade.setAlpha(40)
        self._region.setBrush(shade)
        self.bars.paint_as_meant(scheme)
        self.marks.paint_as_meant(scheme)
        for edge in self._region.lines:
            edge.setPen(pg.mkPen(scheme.accent, width=1))
            edge.setHoverPen(pg.mkPen(scheme.accent, width=3))
        ends = [QColor(scheme.accent) for _ in range(2)]
        ends[0].setAlpha(0)
        table = pg.ColorMap([0.0, 0.001, 1.0], [ends[0], QColor(scheme.line), ends[1]])
        self._image.setColorMap(table)
        self._legend.setText("")
        self._redraw.start()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the colour scheme."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_redraw"):
            self._paint_as_meant()
        super().changeEvent(event)

    # Hands

    def nearest(self, point: QPointF) -> int:
        """The WPDU row of the point nearest to `point` (seconds, lane), -1 when none is near."""
        per_x, per_y = self._box.viewPixelSize()
        if not per_x or not per_y:
            return -1
        points = self.lanes.points(point.x() - _REACH * per_x, point.x() + _REACH * per_x)
        if not len(points.x):
            return -1
        y = points.lane + np.where(points.direction == 0, *_OFFSETS)
        across, along = (points.x - point.x()) / per_x, (y - point.y()) / per_y
        inside = np.abs(y - point.y()) <= max(0.22, _REACH * per_y)
        if not inside.any():
            return -1
        distance = np.where(inside, across**2 + along**2 / 4, np.inf)
        return int(points.row[int(np.argmin(distance))])

    def _click(self, point: QPointF) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        row = self.nearest(point)
        if row >= 0:
            self._selection.go_to(row)

    def _hover(self, position: QPointF) -> None:
        if not self._box.sceneBoundingRect().contains(position):
            self.plot.setToolTip("")
            return
        row = self.nearest(self._box.mapSceneToView(position))
        self.plot.setToolTip("" if row < 0 else plain_tip(self._traffic.describe(row)))

    def _drag(self, start: float, stop: float, finished: bool) -> None:
        self._region.blockSignals(True)
        self._region.setRegion((start, stop))
        self._region.blockSignals(False)
        self._region.show()
        if finished:
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self._tell_span()

    def _tell_span(self, *args: Any) -> None:
        start, stop = self._region.getRegion()
        self.clear_button.setText(f"Clear span of {duration(round((stop - start) * 1e9))}")
        self.clear_button.show()
        self._selection.restrict(SPAN, span_filter(start, stop))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer display filters of the chosen span, or of what is in view, and the whole capture."""
        menu = QMenu(self)
        name, (start, stop) = ("The span", self.span) if self.span else ("What is in view", self.visible_time)
        add_filter_menus(menu, self._selection, [(name, span_filter(start, stop))])
        menu.addAction(icon("zoom-fit"), "Whole capture", self.show_whole)
        menu.addAction(icon("save"), "Save what is in view…", self.ask_save)
        menu.exec(event.globalPos())
        menu.deleteLater()

    def ask_save(self) -> None:
        """Save what is in view as a picture or as numbers, where a person says."""
        name, _ = QFileDialog.getSaveFileName(self, "Save timing", "timing.png", FORMATS)
        if name:
            self.write(Path(name))

    def write(self, path: Path) -> None:
        """Write what is in view as PNG, SVG or CSV, by the ending; what cannot be is told."""
        try:
            save_graph(path, self, self._in_view)
        except ExportError as error:
            self._wishes.warned.emit(str(error))
        else:
            self._wishes.said.emit(f"What is in view was written to {path.name}.")

    def _in_view(self) -> list[list[str]]:
        """The points in view with titles: WPDU, seconds, lane, who sent it, kind."""
        points = self.lanes.points(*self.visible_time)
        names = [self.lane_name(lane) for lane in range(len(self.lanes.shown))]
        columns = (points.row, points.x, points.lane, points.direction, points.kind)
        return [
            ["WPDU", "Seconds", "Lane", "Sender", "Kind"],
            *(
                [
                    f"{row + 1}",
                    f"{x:.9f}",
                    names[lane],
                    ("client", "server")[direction],
                    KIND_NAMES[Kind(kind)],
                ]
                for row, x, lane, direction, kind in zip(*(one.tolist() for one in columns), strict=True)
            ),
        ]

    @property
    def span(self) -> tuple[float, float] | None:
        """The chosen span in seconds since the first WPDU, None for none."""
        return tuple(self._region.getRegion()) if self._region.isVisible() else None

    def _hide_span(self) -> None:
        self._region.hide()
        self.clear_button.hide()

    def choose_span(self, start: float, stop: float) -> None:
        """Show only WPDUs from `start` to `stop`, in seconds since the first one."""
        self._drag(start, stop, True)

    def clear_span(self) -> None:
        """Take the span away."""
        self._hide_span()
        self._selection.restrict(SPAN, "")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape takes the span away."""
        if event.key() == Qt.Key.Key_Escape and self.span is not None:
            self.clear_span()
        else:
            super().keyPressEvent(event)
