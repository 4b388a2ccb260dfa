"""The pane of exchanges: requests with their answers, how each ended and how long it took, sortable.

An exchange that is selected makes its request the current WPDU, a double click its answer; the other way
round the exchange of the current WPDU is marked. Which exchanges there are is worked out in the background.
"""

import numpy as np
from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt
from PySide6.QtGui import QFontMetrics, QGuiApplication, QKeyEvent, QKeySequence, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QMenu, QTableView, QWidget

from cosemscope.analysis.outcomes.capture_facts import CaptureFacts, capture_facts
from cosemscope.gui.base.task import Task, Tell
from cosemscope.gui.base.when_seen import WhenSeen
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look import theme
from cosemscope.gui.look.cells import CELL_PADDING, CellDelegate, HeaderStyle, paint_hint
from cosemscope.gui.look.icons import icon
from cosemscope.gui.panes.asked_filter import add_filter_menus
from cosemscope.gui.panes.exchanges.exchange_model import COLUMNS, NOTHING, ExchangeModel, ExchangeRows
from cosemscope.gui.panes.pane import Pane, Wishes

_ROWS = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
_WAITING = "Exchanges stand here as soon as the capture has been read."
_NONE_HERE = "No exchanges among the WPDUs that are displayed."


class ExchangePane(QTableView, Pane):
    """The pane. `facts` are those of the capture that the table shows, None before they are known."""

    def __init__(self, selection: Selection, wishes: Wishes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self.exchanges = ExchangeModel(self)
        self.facts: CaptureFacts | None = None
        self._task: Task | None = None
        self._filling = False
        self._facts_due, self._rows_due = WhenSeen(self, self._ask), WhenSeen(self, self._show)
        self.setModel(self.exchanges)
        self.setAccessibleName("Exchanges")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setItemDelegate(CellDelegate(self))
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._style = HeaderStyle()
        header = self.horizontalHeader()
        header.setStyle(self._style)
        header.setHighlightSections(False)
        header.setStretchLastSection(True)
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.verticalHeader().hide()
        self.verticalHeader().setMinimumSectionSize(1)
        self.setSortingEnabled(True)
        self.set_zoom(0)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._open_menu)
        self.selectionModel().currentChanged.connect(self._go)
        self.activated.connect(lambda index: self.go_to_answer(index.row()))
        self.exchanges.turned.connect(self._show_turned)
        selection.rowChanged.connect(self._follow)
        selection.filtersChanged.connect(lambda _: self._rows_due.ask())
        self.set_traffic(selection.traffic)

    # What is shown

    def set_traffic(self, traffic: Traffic) -> None:
        """Another capture: what is worked out is not wanted any more."""
        if self._task is not None:
            self._task.cancel()
        self._task, self.facts = None, None
        self._facts_due.forget()
        self.exchanges.show_rows(traffic, NOTHING)

    def show_completed(self, early: set[int]) -> None:
        """All rows are known: pair them, if somebody looks."""
        self._facts_due.ask()

    def _ask(self) -> None:
        if self._task is not None:
            self._task.cancel()
        analysis = self._selection.traffic.analysis

        def work(tell: Tell) -> CaptureFacts:
            facts = capture_facts(analysis)
            len(facts.statuses)  # worked out here and kept
            return facts

        task = self._task = Task(work, self)
        task.ended.connect(lambda facts: self._take(task, facts))
        task.start()

    def _take(self, task: Task, facts: CaptureFacts | None) -> None:
        if task is self._task:
            self._task, self.facts = None, facts
            self._rows_due.ask()
        task.deleteLater()

    def _show(self) -> None:
        """Show the exchanges that have a WPDU among those displayed."""
        facts, selection = self.facts, self._selection
        if facts is None:
            return
        exchanges = np.arange(facts.count)
        if selection.filters:
            displayed = selection.filters.matching(0, selection.traffic.total)
            exchanges = facts.exchanges_of(np.flatnonzero(displayed))
        shown = ExchangeRows(exchanges, facts.table.first_rows()[exchanges], facts.statuses[exchanges])
        self._filling = True
        self.exchanges.show_rows(selection.traffic, shown)
        self._filling = False
        self._follow(selection.row)

    def _show_turned(self) -> None:
        """In another order the first rows are what somebody wants to see; the same exchange stays marked."""
        self._follow(self._selection.row)
        self.scrollToTop()

    @property
    def hint(self) -> str:
        """What is said where there is no row; "" where there are rows."""
        if self.exchanges.rowCount():
            return ""
        return _WAITING if self.facts is None else _NONE_HERE

    def paintEvent(self, event: QPaintEvent) -> None:
        """The rows, or words where there are none."""
        super().paintEvent(event)
        if self.hint:
            paint_hint(self.viewport(), self.hint)

    # Where one goes

    def _go(self, index: QModelIndex) -> None:
        if index.isValid() and not self._filling:
            self._selection.go_to(self.exchanges.shown.first.item(self.exchanges.place(index.row())))

    def go_to_answer(self, position: int) -> None:
        """Make the answer of an exchange the current WPDU, or its request where that is current already."""
        shown, place = self.exchanges.shown, self.exchanges.place(position)
        answer = self.facts.table["response"].item(shown.exchange.item(place)) if self.facts else -1
        first = shown.first.item(place)
        self._selection.go_to(answer if answer >= 0 and self._selection.row != answer else first)

    def _follow(self, row: int) -> None:
        """Mark the exchange of the WPDU that has become current, or nothing."""
        if self._filling or not self.isVisible() or self.facts is None:
            return
        of = self.facts.of
        exchange = of.item(row) if 0 <= row < len(of) else -1
        position = self.exchanges.position(exchange) if exchange >= 0 else -1
        self._filling = True
        if position < 0:
            self.setCurrentIndex(QModelIndex())
            self.clearSelection()
        elif position != self.currentIndex().row():
            self.selectionModel().setCurrentIndex(self.exchanges.index(position, 0), _ROWS)
            self.scrollTo(self.exchanges.index(position, 0))
        self._filling = False

    # Hands

    def set_zoom(self, points: int) -> None:
        """Make the text `points` larger than the application's, and rows and columns to fit."""
        font = theme.zoomed(QGuiApplication.font(), points)
        self.setFont(font)
        metrics = QFontMetrics(font)
        self.verticalHeader().setDefaultSectionSize(metrics.height() + 5)
        for number, (_, title, sample) in enumerate(COLUMNS):
            width = max(map(metrics.horizontalAdvance, (f"{title} ▲", sample)))
            self.setColumnWidth(number, width + 2 * CELL_PADDING)

    def copy(self) -> None:
        """Put the current row on the clipboard, with tabs between its cells."""
        row = self.currentIndex().row()
        if row >= 0:
            cells = (self.exchanges.index(row, column) for column in range(len(COLUMNS)))
            QGuiApplication.clipboard().setText("\t".join(str(cell.data()) for cell in cells))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy by key; everything else as tables do."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def menu_actions(self, menu: QMenu, position: int) -> None:
        """Fill a context menu for an exchange."""
        number = self.exchanges.shown.exchange.item(self.exchanges.place(position)) + 1
        menu.addAction("Go to answer or request", lambda: self.go_to_answer(position))
        menu.addAction(icon("copy"), "Copy row", self.copy)
        add_filter_menus(menu, self._selection, [("This exchange", f"exchange == {number}")])

    def _open_menu(self, point: QPoint) -> None:
        index = self.indexAt(point)
        if index.isValid():
            menu = QMenu(self)
            self.menu_actions(menu, index.row())
            menu.exec(self.viewport().mapToGlobal(point))
            menu.deleteLater()
