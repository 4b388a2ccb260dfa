"""The pane of response times: over time, how they are spread, and percentiles by group.

It shows the exchanges of the WPDUs that are displayed, without its own filter, the range that was dragged.
They are worked out in the background, once somebody looks.
"""

import math
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QModelIndex, QPoint, QRectF, Qt
from PySide6.QtGui import QContextMenuEvent, QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from cosemscope.analysis.export.whole_file import ExportError
from cosemscope.capture.records import CaptureError
from cosemscope.gui.base.latest_task import LatestTask
from cosemscope.gui.base.task import Tell
from cosemscope.gui.base.when_seen import WhenSeen
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look import theme
from cosemscope.gui.look.colour_legend import ColourLegend
from cosemscope.gui.look.icons import icon
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.gui.panes.asked_filter import AskedFilter, add_filter_menus
from cosemscope.gui.panes.pane import Pane, Wishes
from cosemscope.gui.panes.response_times.percentile_model import COLUMNS, PercentileModel, ShareDelegate
from cosemscope.gui.panes.response_times.response_chart import ResponseChart
from cosemscope.gui.panes.response_times.timed_exchanges import GROUPINGS, Timed, timed_exchanges
from cosemscope.gui.panes.row_table import RowTable
from cosemscope.gui.panes.timing.saved_graph import FORMATS, save_graph
from cosemscope.wording import count

#: The filter of the range that was dragged.
RANGE = "response range"
_WAITING = "Response times stand here as soon as the capture has been read."
_WORKING = "Response times are being worked out…"
_NONE_HERE = "No request that wants an answer among the WPDUs displayed. Ctrl+Shift+X displays all."


def range_filter(rect: QRectF, seen: tuple[tuple[float, float], tuple[float, float]]) -> str:
    """The display filter of a range: seconds across, log10 of seconds up; an axis it fills is left out."""
    (left, right), (low, high) = seen
    parts = []
    if rect.left() > left or rect.right() < right:
        start, stop = math.floor(max(0.0, rect.left()) * 1e6) / 1e6, math.ceil(rect.right() * 1e6) / 1e6
        parts.append(f"wpdu.time_relative in {{{_plain(start)}s..{_plain(stop)}s}}")
    if rect.top() > low or rect.bottom() < high:
        slow, slowest = (10 ** (end + 6) for end in (rect.top(), rect.bottom()))
        parts.append(f"exchange.response_time in {{{math.floor(slow)}us..{math.ceil(slowest)}us}}")
    return " && ".join(parts)


def _plain(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")


class ResponsePane(QWidget, Pane):
    """The pane."""

    def __init__(self, selection: Selection, wishes: Wishes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection, self._wishes = selection, wishes
        self._latest = LatestTask(self)
        self._due = WhenSeen(self, self._ask)
        self._is_read = False
        self.by = QComboBox(self)
        self.by.setAccessibleName("Group by")
        self.by.view().setAccessibleName("Group by")
        for name, title in GROUPINGS:
            self.by.addItem(title, name)
        self.chart = ResponseChart(self)
        self.percentiles = PercentileModel()
        self.table = RowTable(self.percentiles, "Percentiles of response times", self)
        self.percentiles.setParent(self)
        self.table.setItemDelegate(ShareDelegate(self.table))
        self.table.setSortingEnabled(True)
        self.table.set_samples([sample for _, _, sample in COLUMNS])
        self._make_heading()
        splitter = QSplitter(Qt.Orientation.Horizontal, self)
        splitter.addWidget(self.chart)
        splitter.addWidget(self.table)
        splitter.setStretchFactor(0, 3)
        splitter.setStretchFactor(1, 2)
        splitter.setSizes([600, 400])
        splitter.setChildrenCollapsible(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._heading)
        column.addWidget(splitter, 1)
        self.setFocusProxy(self.table)
        self._connect()
        self.set_traffic(selection.traffic)

    def _make_heading(self) -> None:
        self.legend = ColourLegend(self)
        self.summary = PlainLabel(self)
        self.clear_button = QToolButton(self)
        self.clear_button.setIcon(icon("close"))
        self.clear_button.setText("Clear range")
        self.clear_button.setToolTip("Show the WPDUs of all times again (Esc)")
        self.clear_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.clear_button.setAutoRaise(True)
        self.clear_button.hide()
        self._heading = QHBoxLayout()
        self._heading.setContentsMargins(8, 3, 8, 3)
        self._heading.setSpacing(8)
        self._heading.addWidget(PlainLabel("Group by", self))
        self._heading.addWidget(self.by)
        self._heading.addWidget(self.legend, 1)
        self._heading.addWidget(self.clear_button)
        self._heading.addWidget(self.summary)

    def _connect(self) -> None:
        self.by.activated.connect(lambda _: self._due.ask())
        self.clear_button.clicked.connect(self.clear_range)
        self.chart.chosen.connect(self.go_to)
        self.chart.dragged.connect(self._drag)
        self.table.activated.connect(self._show_group)
        self.table.customContextMenuRequested.connect(self._open_menu)
        self._selection.rowChanged.connect(self._follow)
        self._selection.filtersChanged.connect(self._follow_filters)

    # What is shown

    @property
    def timed(self) -> Timed | None:
        """What is shown, None before it is known."""
        return self.percentiles.timed

    def set_traffic(self, traffic: Traffic) -> None:
        """Another capture: what is worked out is not wanted any more."""
        self._latest.cancel()
        self._due.forget()
        self._is_read = False
        self.chart.show_range(None)
        self.clear_button.hide()
        self._show(None, _WAITING)

    def read_anew(self) -> None:
        """There are other keys."""
        self._latest.cancel()

    def show_completed(self, early: set[int]) -> None:
        """All rows are known."""
        self._is_read = True
        self._due.ask()

    def _follow_filters(self, names: frozenset[str]) -> None:
        if RANGE not in self._selection.filters:
            self.chart.show_range(None)
            self.clear_button.hide()
        if names != {RANGE} and self._is_read:
            self._due.ask()

    def _ask(self) -> None:
        selection, by = self._selection, self.by.currentData()
        traffic = selection.traffic
        displayed = None
        if selection.filters.but(RANGE):
            displayed = selection.filters.matching(0, traffic.total, without=RANGE)

        def work(tell: Tell) -> Timed | str:
            try:
                return timed_exchanges(traffic.analysis, displayed, by)
            except (CaptureError, OSError) as error:
                return f"The capture cannot be read any more: {error}"

        if self.timed is None:
            self._show(None, _WORKING)
        self._wishes.taskBegun.emit("Response times", self._latest.start(work, self._take))

    def _take(self, timed: Timed | str | None) -> None:
        if isinstance(timed, Timed):
            self._show(timed, _NONE_HERE)
        else:
            self._show(None, timed or "This was stopped. Choose a group to begin again.")

    def _show(self, timed: Timed | None, hint: str) -> None:
        self.table.hint = hint
        self.percentiles.show_timed(timed)
        self.chart.show_timed(timed)
        self.chart.setVisible(timed is not None and len(timed.points.x) > 0)
        answered = int(timed.spread.counts.sum()) if timed else 0
        silent = int(timed.silent.sum()) if timed else 0
        self.summary.setText(f"{count(answered, 'answer')}, {silent:,} unanswered" if timed else "")
        self._show_legend()
        self._follow(self._selection.row)

    def _show_legend(self) -> None:
        """Which colour is whose: errors and unanswered first, then the largest groups."""
        timed = self.timed
        rest, *series, error, silent = self.chart.colours()
        entries: list[tuple[str, str]] = []
        if timed is not None:
            entries += [(error, "error")] * bool(timed.errors.any())
            entries += [(silent, "unanswered")] * bool(timed.silent.any())
            entries += zip(series, timed.names, strict=False)
            entries += [(rest, "others")] * (len(timed.names) > len(series))
        self.legend.show_entries(tuple(entries))

    def _follow(self, row: int) -> None:
        """Mark the exchange of the WPDU that has become current."""
        timed = self.timed
        if timed is None:
            return
        of = timed.facts.of
        exchange = of.item(row) if 0 <= row < len(of) else -1
        self.chart.mark(timed.position.item(exchange) if exchange >= 0 else -1)

    # Hands

    def go_to(self, place: int) -> None:
        """Make the answer at a point the current WPDU, or the request that has none."""
        if self.timed is not None:
            self._selection.go_to(self.timed.points.row.item(place))

    def _drag(self, rect: QRectF, ended: bool) -> None:
        if ended:
            left_right, low_high = self.chart.box.viewRange()
            text = range_filter(rect, (tuple(left_right), tuple(low_high)))
            self.clear_button.setVisible(bool(text))
            self._selection.restrict(RANGE, text)

    def clear_range(self) -> None:
        """Show the WPDUs of all ranges again."""
        self.chart.show_range(None)
        self.clear_button.hide()
        self._selection.restrict(RANGE, "")

    def filter_of(self, row: int) -> str:
        """The display filter of a row's group."""
        assert self.timed is not None
        return self.timed.filters[self.percentiles.group(row)]

    def _show_group(self, index: QModelIndex) -> None:
        self._selection.filterAsked.emit(AskedFilter(self.filter_of(index.row())))

    def menu_actions(self, menu: QMenu, row: int) -> None:
        """Fill a context menu for a group."""
        menu.addAction("Go to slowest", partial(self.go_to_slowest, row))
        menu.addAction(icon("copy"), "Copy row", self.table.copy)
        add_filter_menus(menu, self._selection, [("This group", self.filter_of(row))])

    def go_to_slowest(self, row: int) -> None:
        """Go to the slowest answer of a row's group."""
        if self.timed is not None:
            points = self.timed.points
            times = np.where(points.group == self.percentiles.group(row), points.time, -2)
            self.go_to(int(np.argmax(times)))

    def ask_save(self) -> None:
        """Save the chart as a picture, or its points as numbers, where a person says."""
        name, _ = QFileDialog.getSaveFileName(self, "Save response times", "response-times.png", FORMATS)
        if name:
            self.write(Path(name))

    def write(self, path: Path) -> None:
        """Write PNG, SVG or CSV, by the ending; what cannot be is told."""
        timed = self.timed
        if timed is None or not len(timed.points.x):
            self._wishes.warned.emit("There are no response times to be saved.")
            return
        try:
            save_graph(path, self.chart, timed.lines)
        except ExportError as error:
            self._wishes.warned.emit(str(error))
        else:
            self._wishes.said.emit(f"Response times were written to {path.name}.")

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Show all, and save."""
        menu = QMenu(self)
        menu.addAction(icon("zoom-fit"), "Whole time", self.chart.show_whole)
        menu.addAction(icon("save"), "Save as…", self.ask_save)
        menu.exec(event.globalPos())
        menu.deleteLater()

    def _open_menu(self, point: QPoint) -> None:
        index = self.table.indexAt(point)
        if index.isValid():
            menu = QMenu(self)
            self.menu_actions(menu, index.row())
            menu.exec(self.table.viewport().mapToGlobal(point))
            menu.deleteLater()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape takes the range away."""
        if event.key() == Qt.Key.Key_Escape and RANGE in self._selection.filters:
            self.clear_range()
        else:
            super().keyPressEvent(event)

    def set_zoom(self, points: int) -> None:
        """Make the text `points` larger than the application's."""
        self.table.set_zoom(points)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the colour scheme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "summary"):
            self.summary.setStyleSheet(f"color: {theme.colours(self.palette()).muted}")
            self._show_legend()
