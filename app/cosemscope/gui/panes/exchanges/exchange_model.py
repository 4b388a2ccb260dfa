"""Rows of the table of exchanges: an array of exchanges, whose cells are fields of the WPDUs they began with.

Cells become text a page at a time when they are painted; order is a permutation of the array.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QGuiApplication

from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look import theme
from cosemscope.gui.look.apdu_kinds import Kind
from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.panes.row_order import stable_order
from cosemscope.wording import printable

_Index = QModelIndex | QPersistentModelIndex
Numbers = npt.NDArray[np.int64]

_DISPLAY = int(Qt.ItemDataRole.DisplayRole)
_TOOLTIP = int(Qt.ItemDataRole.ToolTipRole)
_ALIGNMENT = int(Qt.ItemDataRole.TextAlignmentRole)
_BACKGROUND = int(Qt.ItemDataRole.BackgroundRole)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

#: The columns: a field of the WPDU with which an exchange began, what its title is here, where all is about
#: exchanges, and a text as wide as it should be.
COLUMNS = (
    ("exchange", "No.", "000,000"),
    ("wpdu.time_relative", "Time", "00000.000000"),
    ("exchange.status", "Status", "unanswered"),
    ("exchange.response_time", "Response time", "0000.000000"),
    ("exchange.total_time", "Total time", "0000.000000"),
    ("exchange.service", "Service", "glo-action-request"),
    ("exchange.obis", "OBIS", "1.0.99.128.255.255"),
    ("exchange.attribute", "Att.", "-10"),
    ("exchange.result", "Result", "object-unavailable"),
    ("exchange.response_octets", "Octets", "000,000"),
    ("exchange.blocks", "Blocks", "0000"),
    ("meter", "Meter", "198.51.100.255"),
)
#: Rows of a page, and pages that are kept.
_PAGE, _KEPT_PAGES = 64, 256


class ExchangeRows(NamedTuple):
    """Exchanges of a capture: rows of their table, the WPDU rows that they began with, how they ended."""

    exchange: Numbers
    first: Numbers
    status: npt.NDArray[np.uint8]


NOTHING = ExchangeRows(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint8))


class ExchangeModel(QAbstractTableModel):
    """The rows of `shown`, in the order of a column or as they came. `turned`: the order is another one."""

    turned = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.fields = tuple(FIELDS[name] for name, _, _ in COLUMNS)
        self.shown = NOTHING
        self._traffic = Traffic.empty()
        self._order: npt.NDArray[np.intp] | None = None
        self._sorted_by = (-1, Qt.SortOrder.AscendingOrder)
        self._pages: dict[tuple[int, int], list[str]] = {}

    def show_rows(self, traffic: Traffic, shown: ExchangeRows) -> None:
        """Show these exchanges of a capture."""
        self.beginResetModel()
        self._traffic, self.shown = traffic, shown
        self._arrange()
        self.endResetModel()

    def _arrange(self) -> None:
        self._pages.clear()
        column, order = self._sorted_by
        if column < 0 or not len(self.shown.first):
            self._order = None
            return
        down, asked = (
            order == Qt.SortOrder.DescendingOrder,
            AskedRows(self._traffic.analysis, self.shown.first),
        )
        self._order = stable_order(self.fields[column].order(asked, descending=down), down)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; by -1 the exchanges stand as they began."""
        self.beginResetModel()
        self._sorted_by = column, order
        self._arrange()
        self.endResetModel()
        self.turned.emit()

    def place(self, position: int) -> int:
        """The place in `shown` of the exchange at `position`."""
        return position if self._order is None else self._order.item(position)

    def position(self, exchange: int) -> int:
        """Where an exchange stands, -1 for nowhere."""
        place = int(np.searchsorted(self.shown.exchange, exchange))
        if place >= len(self.shown.exchange) or self.shown.exchange.item(place) != exchange:
            return -1
        return place if self._order is None else int(np.flatnonzero(self._order == place)[0])

    # Qt's side

    def rowCount(self, parent: _Index = QModelIndex()) -> int:
        """Exchanges shown."""
        return 0 if parent.isValid() else len(self.shown.exchange)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:
        """Columns shown."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        """Titles, aligned as their columns, and what they mean."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        field = self.fields[section]
        if role == _TOOLTIP:
            return plain_tip(f"{field.meaning}\n{field.name}")
        return {_DISPLAY: COLUMNS[section][1], _ALIGNMENT: self._alignment(section)}.get(role)

    def data(self, index: _Index, role: int = _DISPLAY) -> Any:
        """Text, alignment and background of a cell, and its whole text as a tip."""
        if role == _ALIGNMENT:
            return self._alignment(index.column())
        if role == _BACKGROUND:
            return self._background(ExchangeStatus(self.shown.status.item(self.place(index.row()))))
        if role in (_DISPLAY, _TOOLTIP):
            text = self._text(index.column(), index.row())
            return text if role == _DISPLAY else plain_tip(text) or None
        return None

    def _alignment(self, column: int) -> int:
        return _RIGHT if self.fields[column].type.numeric else _LEFT

    def _background(self, status: ExchangeStatus) -> QBrush:
        scheme = theme.colours(QGuiApplication.palette())
        colours = {
            ExchangeStatus.ERROR: scheme.tints[Kind.ERROR],
            ExchangeStatus.UNANSWERED: scheme.message_warning,
        }
        return QBrush(QColor(colours.get(status, scheme.base)))

    def _text(self, column: int, position: int) -> str:
        number, place = divmod(position, _PAGE)
        page = self._pages.get((column, number))
        if page is None:
            if len(self._pages) >= _KEPT_PAGES:
                self._pages.clear()
            part = slice(number * _PAGE, (number + 1) * _PAGE)
            rows = self.shown.first[part] if self._order is None else self.shown.first[self._order[part]]
            texts = self.fields[column].texts(self._traffic.asked(rows))
            page = self._pages[column, number] = list(map(printable, texts))
        return page[place]
