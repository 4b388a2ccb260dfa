"""The table of counts: a row a group, its values, count and share, and what a number comes to in it.

Columns are arrays by group, and the order is an array of group numbers; cells are made when they are painted.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from cosemscope.analysis.counting.row_counts import SPREAD, CountTable
from cosemscope.analysis.filter.offered_filters import filter_of_value
from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.panes.row_order import stable_order
from cosemscope.wording import printable

_Index = QModelIndex | QPersistentModelIndex
_DISPLAY, _TOOLTIP = int(Qt.ItemDataRole.DisplayRole), int(Qt.ItemDataRole.ToolTipRole)
_ALIGNMENT = int(Qt.ItemDataRole.TextAlignmentRole)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

#: What a group without a value of a field is called.
NOTHING = "(nothing)"


class CountColumn(NamedTuple):
    """A column: its title and tip, the text of each group, and the numbers that sort groups."""

    title: str
    tip: str
    texts: Sequence[str]
    order: npt.NDArray[Any]
    right: bool = True


def count_columns(table: CountTable) -> list[CountColumn]:
    """The columns of a table of counts, their texts included; worked out away from the window's thread."""
    columns = [
        CountColumn(field.title, f"{field.name}: {field.meaning}", texts, keys, field.type.numeric)
        for field, texts, keys in zip(table.fields, table.texts(), table.keys, strict=True)
    ]
    shares = table.shares()
    counts = [f"{one:,}" for one in table.counts.tolist()]
    columns.append(CountColumn("Count", "WPDUs of the group", counts, table.counts))
    told = [f"{100 * share:.2f} %" for share in shares.tolist()]
    columns.append(CountColumn("Share", "Of all WPDUs that are counted", told, shares))
    if table.of is not None and table.spread is not None:
        found = table.spread
        numbers = (found.least, found.mean, found.median, found.p95, found.most)
        for word, texts, order in zip(SPREAD, table.spread_texts(short=True), numbers, strict=True):
            tip = f"{word} of {table.of.name}: {table.of.meaning}"
            columns.append(CountColumn(word, tip, texts, np.where(found.counts > 0, order, -1)))
    return columns


class CountModel(QAbstractTableModel):
    """Groups in the order in which they are shown: the largest first, until a person sorts them."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.table: CountTable | None = None
        self.columns: list[CountColumn] = []
        self._order = np.zeros(0, np.intp)

    def show_table(self, table: CountTable | None, columns: list[CountColumn]) -> None:
        """Show these groups."""
        self.beginResetModel()
        self.table, self.columns = table, columns
        self._order = np.arange(len(table.counts) if table is not None else 0)
        self.endResetModel()

    def group(self, row: int) -> int:
        """The group that a row shows."""
        return self._order.item(row)

    def filter_of(self, row: int) -> str:
        """The display filter of a row's WPDUs."""
        table, group = self.table, np.array([self.group(row)])
        assert table is not None
        parts = []
        for field, codes, keys in zip(table.fields, table.codes, table.keys, strict=True):
            json, text = codes.jsons(field.type, keys[group])[0], codes.texts(field.type, keys[group])[0]
            parts.append(filter_of_value(field, json, text))
        return " && ".join(parts)

    def text(self, row: int, column: int) -> str:
        """The text of a cell."""
        told = printable(self.columns[column].texts[self.group(row)])
        is_field = self.table is not None and column < len(self.table.fields)
        return told or (NOTHING if is_field else "")

    def lines(self, rows: Sequence[int] | None = None) -> list[list[str]]:
        """Titles, and the cells of these rows, or of all."""
        shown = range(self.rowCount()) if rows is None else rows
        return [
            [column.title for column in self.columns],
            *([self.text(row, column) for column in range(len(self.columns))] for row in shown),
        ]

    # Qt's side

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; by -1 the largest groups come first."""
        self.layoutAboutToBeChanged.emit()
        if 0 <= column < len(self.columns):
            self._order = stable_order(self.columns[column].order, order == Qt.SortOrder.DescendingOrder)
        else:
            self._order = np.arange(len(self._order))
        self.layoutChanged.emit()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:
        """The number of groups."""
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:
        """Fields, count, share, and the spread."""
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        """Titles and what they mean."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        told = {_DISPLAY: column.title, _TOOLTIP: plain_tip(column.tip), _ALIGNMENT: _aligned(column)}
        return told.get(role)

    def data(self, index: _Index, role: int = _DISPLAY) -> Any:
        """Text and alignment of a cell."""
        if not index.isValid() or role not in (_DISPLAY, _ALIGNMENT, _TOOLTIP):
            return None
        if role == _ALIGNMENT:
            return _aligned(self.columns[index.column()])
        text = self.text(index.row(), index.column())
        return plain_tip(text) if role == _TOOLTIP else text


def _aligned(column: CountColumn) -> int:
    return _RIGHT if column.right else _LEFT
