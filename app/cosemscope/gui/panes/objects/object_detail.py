"""What was told of one node of the object tree: values as a table, as a curve, and the table they make."""

from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu, QTabWidget, QWidget

from cosemscope.analysis.export.formats.csv_lines import csv_lines
from cosemscope.analysis.export.whole_file import ExportError, WholeFile
from cosemscope.gui.base.latest_task import LatestTask
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.look.icons import icon
from cosemscope.gui.panes.objects.object_nodes import Level, NodeKey, ObjectNodes
from cosemscope.gui.panes.objects.told_tables import ToldTable, ToldTableModel, told_table
from cosemscope.gui.panes.objects.value_curve import ValueCurve
from cosemscope.gui.panes.objects.value_history import (
    ATTRIBUTE,
    OBJECT,
    HistoryModel,
    ValueHistory,
    history_of,
)
from cosemscope.gui.panes.pane import Wishes
from cosemscope.gui.panes.row_table import RowTable
from cosemscope.wording import count

_ROWS = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
_HINT = "Choose a meter, an object or an attribute on the left:\nall values that were told of it stand here."
CURVE, TABLE = 1, 2


class _Found(NamedTuple):
    """What came of looking at a node: its history, that of the attribute it is known by, and its table."""

    key: NodeKey
    history: ValueHistory
    known_by: ValueHistory | None
    table: ToldTable | None


class ObjectDetail(QTabWidget):
    """The tabs. A value that is chosen makes its WPDU current. `filled`: something else is shown."""

    filled = Signal()

    def __init__(self, selection: Selection, wishes: Wishes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection, self._wishes = selection, wishes
        self._filling = False
        self._key: NodeKey = ()
        self._latest = LatestTask(self)
        self.values = HistoryModel(self)
        self.value_table = RowTable(self.values, "Values", self)
        self.value_table.hint = _HINT
        self.value_table.setSortingEnabled(True)
        self.curve = ValueCurve(self)
        self.told = ToldTableModel(self)
        self.told_view = RowTable(self.told, "Table", self)
        self.told_view.horizontalHeader().setStretchLastSection(False)
        self.setDocumentMode(True)
        self.setAccessibleName("What was told")
        self.tabBar().setAccessibleName("Values, curve, table")
        self.addTab(self.value_table, "Values")
        self.addTab(self.curve, "Curve")
        self.addTab(self.told_view, "Table")
        self.setTabVisible(TABLE, False)
        self.value_table.selectionModel().currentChanged.connect(self._go)
        self.value_table.activated.connect(self._go)
        self.value_table.customContextMenuRequested.connect(self._open_values_menu)
        self.told_view.customContextMenuRequested.connect(self._open_table_menu)
        self.curve.rowAsked.connect(selection.go_to)
        selection.rowChanged.connect(self.follow)
        self._fit()

    def show_node(self, nodes: ObjectNodes | None, node: int) -> None:
        """Show what was told of a node, or nothing of -1."""
        if nodes is None or node < 0:
            self._latest.cancel()
            self._show(None)
            return
        key, known_by = nodes.key(node), nodes.telling(node)
        place = nodes.place(known_by) if known_by >= 0 else -1
        is_table = known_by >= 0 and nodes.level(node) in (Level.OBJECT, Level.ATTRIBUTE)

        def work(_: object) -> _Found:
            history = history_of(nodes, node)
            own = history if known_by == node else history_of(nodes, known_by) if known_by >= 0 else None
            table = told_table(nodes.grouped.view, place) if is_table else None
            return _Found(key, history, own, table)

        self._latest.start(work, self._show)

    def _show(self, found: _Found | None) -> None:
        is_same = found is not None and found.key == self._key
        self._key = found.key if found is not None else ()
        self._filling = True
        at = self.value_table.verticalScrollBar().value()
        self.values.show_history(found.history if found is not None else None)
        self.curve.show_history(found.known_by if found is not None else None)
        self.told.show_table(found.table if found is not None else None)
        table = self.told.table
        self.setTabVisible(TABLE, table is not None)
        if table is not None:
            self.setTabText(TABLE, table.name)
            self.told_view.hint = table.trouble or "It was told, and is empty."
            self.setTabToolTip(TABLE, table.trouble)
            self.told_view.fit_contents()
        self._fit()
        self._filling = False
        self.follow(self._selection.row)
        if is_same:
            self.value_table.verticalScrollBar().setValue(at)  # what a person reads stays where it is
        self.filled.emit()

    def _fit(self) -> None:
        history = self.values.history
        self.value_table.fit_contents()
        self.value_table.setColumnHidden(OBJECT, history is None or self._is_of_one_object(history))
        self.value_table.setColumnHidden(ATTRIBUTE, history is None or history.is_of_one)

    def _is_of_one_object(self, history: ValueHistory) -> bool:
        return history.nodes.level(history.node) in (Level.OBJECT, Level.ATTRIBUTE)

    # Where one goes

    def _go(self, index: QModelIndex) -> None:
        if index.isValid() and not self._filling:
            self._selection.go_to(self.values.wpdu(index.row()))

    def follow(self, row: int) -> None:
        """Mark what the current WPDU told, in table and curve."""
        self.curve.show_row(row)
        if self._filling or self.values.history is None:
            return
        current = self.value_table.currentIndex()
        if current.isValid() and self.values.wpdu(current.row()) == row:
            return
        position = self.values.row_of(row)
        self._filling = True
        if position < 0:
            self.value_table.setCurrentIndex(QModelIndex())
            self.value_table.clearSelection()
        else:
            index = self.values.index(position, 0)
            self.value_table.selectionModel().setCurrentIndex(index, _ROWS)
            self.value_table.scrollTo(index)
        self._filling = False

    # Hands

    def set_zoom(self, points: int) -> None:
        """Make the text `points` larger than the application's."""
        self.value_table.set_zoom(points)
        self.told_view.set_zoom(points)
        self._fit()

    def copy_csv(self) -> None:
        """Put all values on the clipboard as CSV."""
        QGuiApplication.clipboard().setText(csv_lines(self.values.lines()))

    def copy_table_csv(self) -> None:
        """Put the table on the clipboard as CSV."""
        if self.told.table is not None:
            QGuiApplication.clipboard().setText(csv_lines(self.told.table.lines))

    def ask_save(self, lines: list[list[str]]) -> None:
        """Write rows into a CSV file that a person names."""
        name, _ = QFileDialog.getSaveFileName(self, "Save values", "values.csv", "CSV (*.csv);;All files (*)")
        if name:
            self.write(Path(name), lines)

    def write(self, path: Path, lines: list[list[str]]) -> None:
        """Write rows into a CSV file; what cannot be is told."""
        try:
            with WholeFile(path) as file:
                file.write(csv_lines(lines).encode())
        except ExportError as error:
            self._wishes.warned.emit(str(error))
        else:
            self._wishes.said.emit(f"{count(len(lines) - 1, 'row')} written to {path.name}.")

    def _open_values_menu(self, point: QPoint) -> None:
        menu = QMenu(self)
        menu.addAction(icon("copy"), "Copy row", self.value_table.copy)
        menu.addAction("Copy all values as CSV", self.copy_csv)
        menu.addAction("Save all values as CSV…", lambda: self.ask_save(self.values.lines()))
        menu.exec(self.value_table.viewport().mapToGlobal(point))
        menu.deleteLater()

    def _open_table_menu(self, point: QPoint) -> None:
        table = self.told.table
        if table is None:
            return
        menu = QMenu(self)
        menu.addAction(icon("copy"), "Copy row", self.told_view.copy)
        menu.addAction("Copy table as CSV", self.copy_table_csv)
        menu.addAction("Save table as CSV…", lambda: self.ask_save([list(line) for line in table.lines]))
        menu.exec(self.told_view.viewport().mapToGlobal(point))
        menu.deleteLater()
