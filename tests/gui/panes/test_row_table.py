"""The table of rows that panes share: copying, columns that fit, words where there is nothing."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QGuiApplication, QStandardItem, QStandardItemModel

from cosemscope.gui.panes.row_table import RowTable


def row(*texts: str) -> list[QStandardItem]:
    """Cells as models of panes have them: with a ground and an alignment."""
    cells = [QStandardItem(text) for text in texts]
    for cell in cells:
        cell.setBackground(QBrush(Qt.GlobalColor.white))
        cell.setTextAlignment(Qt.AlignmentFlag.AlignLeft)
    return cells


@pytest.fixture
def table(qtbot, look):
    model = QStandardItemModel(0, 3)
    model.setHorizontalHeaderLabels(["Name", "A title that is long", "Value"])
    view = RowTable(model, "Some rows")
    model.setParent(view)
    qtbot.addWidget(view)
    view.resize(600, 200)
    view.show()
    return view


def test_the_current_row_is_copied_without_what_is_hidden(table, qtbot):
    table.model().appendRow(row("one", "two", "three"))
    table.setColumnHidden(1, True)
    table.setCurrentIndex(table.model().index(0, 0))
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "one\tthree"


def test_columns_are_as_wide_as_titles_and_cells_need(table):
    table.model().appendRow(row("a name of some length", "x", "y" * 900))
    table.fit_contents()
    width = table.fontMetrics().horizontalAdvance
    assert table.columnWidth(0) > width("a name of some length")
    assert table.columnWidth(1) > width("A title that is long")
    assert table.columnWidth(2) <= table.viewport().width()


def test_samples_hold_at_every_zoom(table):
    table.set_samples(["0000", "a sample that is long", ""])
    before = table.columnWidth(1)
    table.set_zoom(6)
    assert table.columnWidth(1) > before
    assert table.columnWidth(1) > table.fontMetrics().horizontalAdvance("a sample that is long")
