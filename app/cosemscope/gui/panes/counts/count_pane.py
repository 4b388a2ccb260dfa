"""The pane of counts: WPDUs by any fields, and the spread of a number; a click shows a group alone.

The WPDUs counted are those that pass all display filters but the pane's own. They are counted anew when the
filters change, when a capture was read to its end, and when there are other keys.
"""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPoint, QStringListModel, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QCompleter,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from cosemscope.analysis.associations.passed_rows import PassedRows
from cosemscope.analysis.counting.row_counts import CountTable, NotANumberError, RowCounts
from cosemscope.analysis.export.formats.csv_lines import csv_lines
from cosemscope.analysis.export.whole_file import ExportError, WholeFile
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_field import RowField, UnknownFieldError
from cosemscope.capture.records import CaptureError
from cosemscope.gui.base.task import Task, Tell
from cosemscope.gui.base.when_seen import WhenSeen
from cosemscope.gui.document.asking import beside
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look import theme
from cosemscope.gui.look.cells import paint_hint
from cosemscope.gui.look.icons import icon
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.gui.panes.asked_filter import add_filter_menus
from cosemscope.gui.panes.counts.count_model import CountColumn, CountModel, count_columns
from cosemscope.gui.panes.pane import Pane, Wishes
from cosemscope.wording import count

#: The filter of the chosen group.
GROUP = "group"
_HINT = "Name a field or more, such as  obis, result\nor take “Count by” from the menu of a column's title."


class Counted(NamedTuple):
    """What came of counting: the table and its columns, or why there is none."""

    table: CountTable | None = None
    columns: tuple[CountColumn, ...] = ()
    trouble: str = ""


class FieldsLine(QLineEdit):
    """Names of fields with commas between; each is completed by itself."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setPlaceholderText("obis, result")
        self.setAccessibleName("Count by")
        self.setClearButtonEnabled(True)
        completer = QCompleter(self)
        completer.setModel(QStringListModel(sorted(FIELDS), completer))
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setWidget(self)
        completer.popup().setAccessibleName("Fields")
        completer.activated.connect(self.take)
        self._completer = completer
        self.textEdited.connect(self._complete)

    def _complete(self) -> None:
        word = self.text()[: self.cursorPosition()].rpartition(",")[2].strip()
        self._completer.setCompletionPrefix(word)
        if word and not (
            self._completer.completionCount() == 1 and self._completer.currentCompletion() == word
        ):
            self._completer.complete()
        else:
            self._completer.popup().hide()

    @property
    def completion(self) -> QAbstractItemModel:
        """The names that are offered now."""
        return self._completer.completionModel()

    def take(self, name: str) -> None:
        """Put a name in the place of the one at the cursor."""
        at = self.cursorPosition()
        before, comma, _ = self.text()[:at].rpartition(",")
        head = f"{before}{comma}{' ' if comma else ''}{name}"
        self.setText(head + self.text()[at:])
        self.setCursorPosition(len(head))


class CountTableView(QTableView):
    """The table, with a hint where there is nothing."""

    def __init__(self, model: CountModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.groups = model
        self.hint = _HINT
        self.setModel(model)
        self.setAccessibleName("Counts")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        self.setSortingEnabled(True)
        self.verticalHeader().hide()
        self.verticalHeader().setMinimumSectionSize(1)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setResizeContentsPrecision(50)
        self.fit()

    def fit(self) -> None:
        """Rows as high as their text."""
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 5)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The rows, or words where there are none."""
        super().paintEvent(event)
        if not self.groups.rowCount():
            paint_hint(self.viewport(), self.hint)

    def copy(self) -> None:
        """Put the selected rows on the clipboard, under their titles, with tabs between cells."""
        rows = sorted({index.row() for index in self.selectionModel().selectedRows()})
        if rows:
            lines = self.groups.lines(rows)
            QGuiApplication.clipboard().setText("\n".join("\t".join(line) for line in lines))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy by key; everything else as tables do."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)


class CountPane(QWidget, Pane):
    """The pane."""

    def __init__(self, selection: Selection, wishes: Wishes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection, self._wishes = selection, wishes
        self._task: Task | None = None
        self._count_due = WhenSeen(self, self.count_anew)
        self.by = FieldsLine(self)
        self.of = QComboBox(self)
        self.of.setAccessibleName("Spread of")
        self.of.view().setAccessibleName("Spread of")
        self.of.addItem("(no number)", "")
        for field in _numbers():
            self.of.addItem(field.name, field.name)
        self.groups = CountModel(self)
        self.view = CountTableView(self.groups, self)
        self.state = PlainLabel(self)
        self.save = QPushButton("Save as CSV…", self)
        self.save.clicked.connect(self.ask_save)
        line = QHBoxLayout()
        line.setContentsMargins(6, 3, 6, 3)
        line.setSpacing(6)
        line.addWidget(PlainLabel("Count by", self))
        line.addWidget(self.by, 2)
        line.addWidget(PlainLabel("spread of", self))
        line.addWidget(self.of, 1)
        line.addWidget(self.state)
        line.addWidget(self.save)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(line)
        column.addWidget(self.view, 1)
        self.by.returnPressed.connect(self.count_anew)
        self.of.activated.connect(self.count_anew)
        self.view.clicked.connect(self._choose)
        self.view.activated.connect(self._choose)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._open_menu)
        selection.filtersChanged.connect(self._follow_filters)
        wishes.countAsked.connect(self.count_by)
        self._say("")

    # What is counted

    def count_by(self, by: str, of: str = "") -> None:
        """Count by these fields, with commas between, and the spread of the number `of`."""
        self.by.setText(by)
        self.of.setCurrentIndex(max(0, self.of.findData(of)))
        self.count_anew()

    def count_anew(self) -> None:
        """Count what is asked for, in the background."""
        self._count_due.forget()
        if self._task is not None:
            self._task.cancel()
            self._task = None
        names = [name for name in self.by.text().split(",") if name.strip()]
        try:
            fields = [FIELDS.named(name) for name in names]
        except UnknownFieldError as error:
            self._show(Counted(trouble=f"{error}"))
            return
        selection, of = self._selection, self.of.currentData()
        total = selection.filters.answered(selection.traffic.total)
        if not fields or not total:
            self._show(Counted())
            return
        rows = None
        if selection.filters.but(GROUP) or total < len(selection.traffic.wpdus):
            rows = np.flatnonzero(selection.counted(without=GROUP))
        work = partial(_count, selection.traffic, rows, fields, FIELDS[of] if of else None)
        task = self._task = Task(work, self)
        task.ended.connect(lambda counted: self._take(task, counted))
        self._wishes.taskBegun.emit("Counting", task)
        task.start()

    def _take(self, task: Task, counted: Counted | None) -> None:
        if task is self._task:
            self._task = None
            self._show(counted or Counted(trouble="Counting was stopped."))

    def _show(self, counted: Counted) -> None:
        self.view.hint = counted.trouble or _HINT
        titles = [column.title for column in self.groups.columns]
        self.groups.show_table(counted.table, list(counted.columns))
        if titles != [column.title for column in counted.columns]:
            self.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
            self.view.resizeColumnsToContents()
        else:
            header = self.view.horizontalHeader()
            self.groups.sort(header.sortIndicatorSection(), header.sortIndicatorOrder())
        table = counted.table
        self._say(f"{count(len(table.counts), 'group')} of {table.total:,}" if table is not None else "")
        self.view.viewport().update()

    def _say(self, text: str) -> None:
        self.state.setText(text)
        self.save.setEnabled(self.groups.rowCount() > 0)

    def _count_later(self) -> None:
        """Count anew when somebody sees it."""
        if self.by.text().strip():
            self._count_due.ask()

    # What changes

    def set_traffic(self, traffic: Traffic) -> None:
        """Another capture: the same question to it, when it has been read."""
        self._show(Counted())
        self._count_later()

    def read_anew(self) -> None:
        """There are other keys."""
        self._count_later()

    def show_completed(self, early: set[int]) -> None:
        """More is known of all rows."""
        self._count_later()

    def show_items(self, *, stopped: bool) -> None:
        """There are other expert items."""
        if "expert." in self.by.text():
            self._count_later()

    def _follow_filters(self, names: frozenset[str]) -> None:
        if GROUP in names and GROUP not in self._selection.filters:
            self.view.clearSelection()
        if names != {GROUP}:
            self._count_later()

    # Hands

    def _choose(self, index: QModelIndex) -> None:
        """Show the WPDUs of this group alone; another click on it takes that away."""
        text = self.groups.filter_of(index.row())
        self._selection.restrict(GROUP, "" if self._selection.filters.text(GROUP) == text else text)

    def filter_offers(self, index: QModelIndex) -> list[tuple[str, str]]:
        """The display filter of the group at `index`."""
        return [("The group", self.groups.filter_of(index.row()))] if index.isValid() else []

    def _open_menu(self, point: QPoint) -> None:
        index = self.view.indexAt(point)
        menu = QMenu(self)
        if index.isValid():
            menu.addAction(icon("copy"), "Copy rows", self.view.copy)
        add_filter_menus(menu, self._selection, self.filter_offers(index))
        menu.exec(self.view.viewport().mapToGlobal(point))
        menu.deleteLater()

    def ask_save(self) -> None:
        """Write the table into a CSV file that a person names."""
        name, _ = QFileDialog.getSaveFileName(self, "Save counts", "counts.csv", "CSV (*.csv);;All files (*)")
        if name:
            self.write(Path(name))

    def write(self, path: Path) -> None:
        """Write the table into a CSV file; what cannot be is told."""
        try:
            with WholeFile(path) as file:
                file.write(csv_lines(self.groups.lines()).encode())
        except ExportError as error:
            self._wishes.warned.emit(str(error))
        else:
            self._wishes.said.emit(f"{count(self.groups.rowCount(), 'group')} written to {path.name}.")

    def set_zoom(self, points: int) -> None:
        """Make the text `points` larger than the application's."""
        self.view.setFont(theme.zoomed(QGuiApplication.font(), points))
        self.view.fit()

    def arrangement(self) -> bytes:
        """What was counted last; b"" for nothing."""
        by = self.by.text().strip()
        return f"{by}\n{self.of.currentData()}".encode() if by else b""

    def restore(self, state: bytes) -> None:
        """Take back what was counted last."""
        by, _, of = state.decode("utf-8", "replace").partition("\n")
        self.by.setText(by)
        self.of.setCurrentIndex(max(0, self.of.findData(of)))


def _numbers() -> list[RowField]:
    """The fields that have a spread: numbers, of which a row has one."""
    return [field for field in FIELDS.values() if field.type.numeric and not field.several]


def _count(
    traffic: Traffic, rows: np.ndarray | None, fields: list[RowField], of: RowField | None, tell: Tell
) -> Counted:
    """Count; for the background."""
    try:
        counts = RowCounts(traffic.analysis, rows, PassedRows(beside(traffic.associations)), told=tell)
        table = counts.by(fields, of)
        return Counted(table, tuple(count_columns(table)))
    except NotANumberError as error:
        return Counted(trouble=f"{error}")
    except (CaptureError, OSError) as error:
        return Counted(trouble=f"The capture cannot be read: {error}")
