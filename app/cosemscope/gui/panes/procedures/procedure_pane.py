"""The pane of procedures: what several exchanges did together, how far each came, what it came to.

One that is selected makes its first WPDU current; Enter or a double click shows the WPDUs of its exchanges
alone, and all again. Which there are is worked out in the background, once somebody looks.
"""

from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPersistentModelIndex, QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import QMenu, QStyle, QStyleOptionViewItem, QWidget

from cosemscope.analysis.outcomes.capture_facts import CaptureFacts, capture_facts
from cosemscope.analysis.procedures.procedure_table import find_procedures
from cosemscope.capture.records import CaptureError
from cosemscope.gui.base.latest_task import LatestTask
from cosemscope.gui.base.task import Tell
from cosemscope.gui.base.when_seen import WhenSeen
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look import theme
from cosemscope.gui.look.cells import CELL_PADDING, CellDelegate
from cosemscope.gui.look.icons import icon
from cosemscope.gui.panes.asked_filter import add_filter_menus
from cosemscope.gui.panes.pane import Pane, Wishes
from cosemscope.gui.panes.procedures.procedure_model import (
    BEGIN,
    COLUMNS,
    METER,
    PROGRESS,
    PROGRESS_ROLE,
    Numbers,
    ProcedureModel,
    ProcedureTable,
    exchanges_filter,
    procedure_table,
)
from cosemscope.gui.panes.row_table import RowTable

#: The filter of the procedure that was chosen.
PROCEDURE = "procedure"

_Index = QModelIndex | QPersistentModelIndex
_ROWS = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
_SELECTED = QStyle.StateFlag.State_Selected
_WAITING = "Procedures, such as profile reads, stand here as soon as the capture has been read."
_WORKING = "Procedures are being looked for…"
_STOPPED = "Looking for procedures was stopped. Press Enter here to begin again."
_NONE = "There is no procedure in this capture: no association, profile read, push or the like."
_NONE_HERE = "No procedure among the WPDUs that are displayed. Ctrl+Shift+X displays all."
#: Milliseconds at least before they are looked for again in a capture that grows.
_REST = 1000
#: Progress is shown of captures with more WPDUs than this.
_MANY = 20_000


class _Found(NamedTuple):
    """What came of looking: the facts that it stands on, and the table."""

    facts: CaptureFacts
    table: ProcedureTable


class ProgressDelegate(CellDelegate):
    """Cells as in other tables, and in the column of progress a bar under the text."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw one cell."""
        super().paint(painter, option, index)
        told = index.data(PROGRESS_ROLE) if index.column() == PROGRESS else None
        if told is None or told[0] is None or not told[1]:
            return
        rect: QRect = option.rect.adjusted(CELL_PADDING, 0, -CELL_PADDING, -1)
        share = min(1.0, max(0.0, told[0] / told[1]))
        height = max(2, rect.height() // 7)
        rail = QRect(rect.left(), rect.bottom() - height + 1, rect.width(), height)
        scheme = theme.colours(option.palette)
        is_selected = bool(option.state & _SELECTED)
        painter.fillRect(rail, QColor(scheme.line))
        rail.setWidth(round(rail.width() * share))
        painter.fillRect(rail, QColor(scheme.accent_text if is_selected else scheme.accent))


class ProcedurePane(RowTable, Pane):
    """The pane."""

    def __init__(self, selection: Selection, wishes: Wishes, parent: QWidget | None = None) -> None:
        self.procedures = ProcedureModel()
        super().__init__(self.procedures, "Procedures", parent)
        self.procedures.setParent(self)
        self._selection, self._wishes = selection, wishes
        self._found: _Found | None = None
        self._filling = False
        self._latest = LatestTask(self)
        self._due, self._rows_due = WhenSeen(self, self._ask), WhenSeen(self, self._show)
        self._rest = QTimer(self)  # between two searches of a capture that grows
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._due.ask)
        self.setItemDelegate(ProgressDelegate(self, middle=(METER,)))
        self.setSortingEnabled(True)
        self._fit()
        self.selectionModel().currentChanged.connect(self._go)
        self.activated.connect(lambda index: self.show_exchanges(index.row()))
        self.customContextMenuRequested.connect(self._open_menu)
        self.procedures.turned.connect(self._show_turned)
        selection.rowChanged.connect(self._follow)
        selection.filtersChanged.connect(self._follow_filters)
        self.set_traffic(selection.traffic)

    # What is shown

    def set_traffic(self, traffic: Traffic) -> None:
        """Another capture: what is worked out is not wanted any more."""
        self._forget()

    def read_anew(self) -> None:
        """There are other keys: all is looked for again, once the pass has been made with them."""
        self._forget()

    def _forget(self) -> None:
        self._latest.cancel()
        self._rest.stop()
        self._due.forget()
        self._found = None
        self.hint = _WAITING
        self.procedures.show_procedures(None, np.zeros(0, np.int64))

    def show_completed(self, early: set[int]) -> None:
        """All rows are known: look for procedures, if somebody looks at them."""
        if not self._rest.isActive():
            self._due.ask()

    def _ask(self) -> None:
        if self._latest.is_running:  # what is going on is shown first
            self._rest.start(_REST)
            return
        traffic = self._selection.traffic
        if self._found is not None and self._found.facts.is_current():
            return

        def work(tell: Tell) -> _Found | str:
            facts = capture_facts(traffic.analysis)
            try:
                found = find_procedures(traffic.associations, facts, told=tell)
            except (CaptureError, OSError) as error:
                return f"The capture cannot be read any more: {error}"
            return _Found(facts, procedure_table(traffic, facts, found))

        if self._found is None:
            self.hint = _WORKING
            self.viewport().update()
        task = self._latest.start(work, self._take)
        if traffic.total > _MANY:
            self._wishes.taskBegun.emit("Procedures", task)

    def _take(self, found: _Found | str | None) -> None:
        if not isinstance(found, _Found):
            self.hint = found or _STOPPED
            self.viewport().update()
            return
        self._found = found
        self._rest.start(self._latest.rest(_REST))
        self._rows_due.ask()

    def _show(self) -> None:
        """Show the procedures that have a WPDU among those displayed; the own filter hides none."""
        found, selection = self._found, self._selection
        if found is None:
            return
        table, shown = found.table, np.arange(len(found.table.procedures))
        if selection.filters.but(PROCEDURE):
            displayed = selection.filters.matching(0, selection.traffic.total, without=PROCEDURE)
            shown = table.of_exchanges(self._exchanges_of(np.flatnonzero(displayed)))
        self.hint = _NONE_HERE if table.procedures else _NONE
        self._filling = True
        at, is_first = self.verticalScrollBar().value(), self.procedures.table is None
        self.procedures.show_procedures(table, shown)
        self._fit()
        self._filling = False
        self._follow(selection.row)
        if not is_first:
            self.verticalScrollBar().setValue(at)  # what a person reads stays where it is

    def _exchanges_of(self, rows: Numbers) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether each exchange has one of these WPDU rows."""
        assert self._found is not None
        facts = self._found.facts
        wanted = np.zeros(facts.count, np.bool_)
        wanted[facts.exchanges_of(rows[rows < len(facts.of)])] = True
        return wanted

    def _show_turned(self) -> None:
        """In another order the first rows are what somebody wants to see; the same procedure stays marked."""
        self._follow(self._selection.row)
        self.scrollToTop()

    def _follow_filters(self, names: frozenset[str]) -> None:
        if names != {PROCEDURE}:
            self._rows_due.ask()

    # Where one goes

    def _go(self, index: QModelIndex) -> None:
        table = self.procedures.table
        if index.isValid() and not self._filling and table is not None:
            self._filling = True  # its first WPDU may be that of another procedure, too
            self._selection.go_to(table.first.item(self.procedures.place(index.row())))
            self._filling = False

    def show_exchanges(self, row: int) -> None:
        """Show the WPDUs of a procedure's exchanges alone; where they are shown so, all again."""
        text = exchanges_filter(self.procedures.procedure(row).exchanges)
        self._selection.restrict(PROCEDURE, "" if self._selection.filters.text(PROCEDURE) == text else text)

    def _follow(self, row: int) -> None:
        """Mark a procedure of the WPDU that has become current, or nothing."""
        if self._filling or not self.isVisible() or self._found is None:
            return
        exchanges = self._exchanges_of(np.array([row] if row >= 0 else [], np.int64))
        places = self._found.table.of_exchanges(exchanges)
        current = self.currentIndex()
        if current.isValid() and self.procedures.place(current.row()) in places:
            return
        position = self.procedures.row_of(places)
        self._filling = True
        if position < 0:
            self.setCurrentIndex(QModelIndex())
            self.clearSelection()
        else:
            self.selectionModel().setCurrentIndex(self.procedures.index(position, 0), _ROWS)
            self.scrollTo(self.procedures.index(position, 0))
        self._filling = False

    # Hands

    def _fit(self) -> None:
        samples = [sample for _, _, sample in COLUMNS]
        samples[BEGIN] = self.procedures.sample_time
        self.set_samples(samples)

    def menu_actions(self, menu: QMenu, row: int) -> None:
        """Fill a context menu for a procedure."""
        one = self.procedures.procedure(row)
        menu.addAction("Show its WPDUs only, or all again", lambda: self.show_exchanges(row))
        menu.addAction(icon("copy"), "Copy row", self.copy)
        offers = [("Its exchanges", exchanges_filter(one.exchanges))]
        offers += [("The object", f"obis == {one.obis}")] if one.obis else []
        add_filter_menus(menu, self._selection, offers)

    def _open_menu(self, point: QPoint) -> None:
        index = self.indexAt(point)
        if index.isValid():
            menu = QMenu(self)
            self.menu_actions(menu, index.row())
            menu.exec(self.viewport().mapToGlobal(point))
            menu.deleteLater()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter begins again what was stopped; everything else as tables do."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._found is None:
            self._due.ask()
        else:
            super().keyPressEvent(event)
