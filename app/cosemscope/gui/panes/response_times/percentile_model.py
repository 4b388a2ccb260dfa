"""The table of percentiles: a row a group, with percentiles, errors, and whose share it was."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRect, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QStyleOptionViewItem

from cosemscope.gui.look import theme
from cosemscope.gui.look.cells import CELL_PADDING, CellDelegate
from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.panes.response_times.timed_exchanges import Timed
from cosemscope.gui.panes.row_order import stable_order
from cosemscope.wording import short_duration

_Index = QModelIndex | QPersistentModelIndex
_DISPLAY, _TOOLTIP = int(Qt.ItemDataRole.DisplayRole), int(Qt.ItemDataRole.ToolTipRole)
_ALIGNMENT, _BACKGROUND = int(Qt.ItemDataRole.TextAlignmentRole), int(Qt.ItemDataRole.BackgroundRole)
#: The role of the answerer's share of the times of a group, 0 to 1, None unknown.
SHARE_ROLE = int(Qt.ItemDataRole.UserRole)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

#: Titles, what they mean, and a sample as wide as cells are.
COLUMNS = (
    ("Group", "What the exchanges have in common", "get-request with"),
    ("Count", "Exchanges that were answered", "000,000"),
    ("Median", "Half of the answers took no longer", "000.0 ms"),
    ("p95", "95 of 100 answers took no longer", "000.0 ms"),
    ("p99", "99 of 100 answers took no longer", "000.0 ms"),
    ("Max", "The slowest answer", "000.0 ms"),
    ("Errors", "Answers that told an error", "0,000"),
    ("None", "Requests that nobody answered", "0,000"),
    (
        "Own share",
        "How much of the response times was the answerer's own, and how much the network's, where a round "
        "trip is known",
        "meter 100 %",
    ),
)
OWN_SHARE = len(COLUMNS) - 1


class PercentileModel(QAbstractTableModel):
    """The groups, the largest first, until a person sorts them."""

    def __init__(self) -> None:
        super().__init__()
        self.timed: Timed | None = None
        self._columns: list[npt.NDArray[Any]] = []
        self._order = np.zeros(0, np.intp)
        self._sorted_by = (-1, Qt.SortOrder.AscendingOrder)

    def show_timed(self, timed: Timed | None) -> None:
        """Show these groups."""
        self.beginResetModel()
        self.timed = timed
        self._columns = []
        if timed is not None:
            spread = timed.spread
            names = np.argsort(np.argsort(np.array(timed.names, np.str_), kind="stable"), kind="stable")
            times = [
                np.where(spread.counts > 0, one, -1)
                for one in (spread.median, spread.p95, spread.p99, spread.most)
            ]
            self._columns = [names, spread.counts, *times, timed.errors, timed.silent, timed.own_share]
        self._arrange()
        self.endResetModel()

    def _arrange(self) -> None:
        column, order = self._sorted_by
        size = len(self.timed.names) if self.timed else 0
        self._order = np.arange(size)
        if size and column >= 0:
            keys = np.nan_to_num(self._columns[column].astype(np.float64), nan=-1.0)
            self._order = stable_order(keys, order == Qt.SortOrder.DescendingOrder)

    def group(self, row: int) -> int:
        """The group that a row shows."""
        return self._order.item(row)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; by -1 the largest groups come first."""
        self.beginResetModel()
        self._sorted_by = column, order
        self._arrange()
        self.endResetModel()

    # Qt's side

    def rowCount(self, parent: _Index = QModelIndex()) -> int:
        """Groups."""
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:
        """Columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        """Titles and what they mean."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        title, meaning, _ = COLUMNS[section]
        alignment = _RIGHT if 0 < section < OWN_SHARE else _LEFT
        return {_DISPLAY: title, _TOOLTIP: plain_tip(meaning), _ALIGNMENT: alignment}.get(role)

    def data(self, index: _Index, role: int = _DISPLAY) -> Any:
        """Text, alignment, background and tip of a cell, and the share that is drawn in it."""
        if self.timed is None or not index.isValid():
            return None
        if role == _ALIGNMENT:
            return _RIGHT if 0 < index.column() < OWN_SHARE else _LEFT
        if role == _BACKGROUND:
            return QColor(0, 0, 0, 0)
        group = self.group(index.row())
        if role == SHARE_ROLE:
            share = self.timed.own_share.item(group)
            return share if share == share else None
        if role in (_DISPLAY, _TOOLTIP):
            text = self._text(group, index.column())
            return text if role == _DISPLAY else plain_tip(text) or None
        return None

    def _text(self, group: int, column: int) -> str:
        assert self.timed is not None
        if column == 0:
            return self.timed.names[group]
        value = self._columns[column].item(group)
        if column == OWN_SHARE:
            return f"meter {100 * value:.0f} %" if value == value else ""
        if 2 <= column <= 5:
            return short_duration(value) if value >= 0 else ""
        return f"{value:,}" if value or column == 1 else ""


class ShareDelegate(CellDelegate):
    """Cells as in other tables; in the last column a bar: the answerer's share, the network's."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw one cell."""
        super().paint(painter, option, index)
        share = index.data(SHARE_ROLE) if index.column() == OWN_SHARE else None
        if share is None:
            return
        rect: QRect = option.rect.adjusted(CELL_PADDING, 0, -CELL_PADDING, -1)
        height = max(2, rect.height() // 7)
        rail = QRect(rect.left(), rect.bottom() - height + 1, min(rect.width(), 160), height)
        own, network = theme.colours(option.palette).series[:2]
        painter.fillRect(rail, QColor(network))
        rail.setWidth(round(rail.width() * share))
        painter.fillRect(rail, QColor(own))
