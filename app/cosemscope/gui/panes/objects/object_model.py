"""Qt's side of the tree of objects: names, last values, times and counts, made when they are painted."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QBrush, QColor, QGuiApplication

from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look import theme
from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.look.icons import icon
from cosemscope.gui.panes.objects.object_nodes import Level, ObjectNodes
from cosemscope.wording import clock, printable

_Index = QModelIndex | QPersistentModelIndex

_DISPLAY = int(Qt.ItemDataRole.DisplayRole)
_DECORATION = int(Qt.ItemDataRole.DecorationRole)
_TOOLTIP = int(Qt.ItemDataRole.ToolTipRole)
_ALIGNMENT = int(Qt.ItemDataRole.TextAlignmentRole)
_FOREGROUND = int(Qt.ItemDataRole.ForegroundRole)
_BACKGROUND = int(Qt.ItemDataRole.BackgroundRole)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

#: Titles of the columns, what they mean, and a text as wide as each should be.
COLUMNS = (
    ("Object", "Meter, interface class, logical name and attribute", ""),
    ("Value", "The last value, with its scaler applied, and its unit", "4978.644 kWh, 4979.1"),
    ("Told at", "When something was told of it last", "00:00:00.000"),
    ("Read", "How often it was read", "0,000"),
    ("Written", "How often it was written", "0,000"),
    ("Pushed", "How often a meter sent it unasked", "0,000"),
    ("Refused", "How often it was refused", "0,000"),
)
OBJECT, VALUE, TOLD, READ, WRITTEN, PUSHED, REFUSED = range(7)


def time_of_day(time: int, *, whole: bool = False) -> str:
    """A time in nanoseconds since the epoch to the millisecond: with its date only where it is `whole`."""
    text = clock(time)[:-3]
    return text if whole else text.rpartition(" ")[2]


class ObjectTreeModel(QAbstractItemModel):
    """The tree of `nodes`. `flashing_from`: WPDU rows from there on have just told something, -1 for none."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.nodes: ObjectNodes | None = None
        self.flashing_from = -1
        self.is_live = False
        self._traffic = Traffic.empty()
        self._times: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._are_dated = False

    def show_nodes(self, traffic: Traffic, nodes: ObjectNodes | None) -> bool:
        """Show this tree; returns whether it has another shape than the one before."""
        before, same_traffic = self.nodes, traffic is self._traffic
        same = (
            same_traffic
            and before is not None
            and nodes is not None
            and len(before) == len(nodes)
            and before.grouped.view is nodes.grouped.view
            and np.array_equal(before.shown_places, nodes.shown_places)
        )
        if not same:
            self.beginResetModel()
        self._traffic, self.nodes = traffic, nodes
        self._times = traffic.wpdus["time"]
        if len(self._times):
            ends = (int(self._times[0]), int(self._times[-1]))
            self._are_dated = clock(ends[0])[:10] != clock(ends[1])[:10]
        if not same:
            self.endResetModel()
        return not same

    @property
    def sample_time(self) -> str:
        """A text as wide as a time of this capture."""
        return "2026-00-00 00:00:00.000" if self._are_dated else "00:00:00.000"

    def node(self, index: _Index) -> int:
        """The node at an index, -1 for none."""
        return int(index.internalId()) if index.isValid() and self.nodes is not None else -1

    def index_of(self, node: int, column: int = 0) -> QModelIndex:
        """The index of a node, none of -1."""
        if self.nodes is None or not 0 <= node < len(self.nodes):
            return QModelIndex()
        return self.createIndex(self.nodes.row(node), column, node)

    def text(self, node: int, column: int) -> str:
        """The text of a cell."""
        nodes = self.nodes
        assert nodes is not None
        if column == OBJECT:
            return printable(nodes.title(node, self._traffic.named))
        if column == VALUE:
            return printable(nodes.refusal(node) or nodes.last_value(node).text or "")
        if column == TOLD:
            return time_of_day(int(self._times[nodes.last_row(node)]), whole=self._are_dated)
        number = nodes.counts(node)[column - READ]
        return f"{number:,}" if number else ""

    # Qt's side

    def index(self, row: int, column: int, parent: _Index = QModelIndex()) -> QModelIndex:
        """A child of a node, or a meter."""
        if not 0 <= row < self.rowCount(parent) or not 0 <= column < len(COLUMNS):
            return QModelIndex()
        above = self.node(parent)
        first = self.nodes.child.item(above) if above >= 0 and self.nodes is not None else 0
        return self.createIndex(row, column, first + row)

    def parent(self, index: _Index) -> QModelIndex:  # type: ignore[override]
        """The node above."""
        node = self.node(index)
        return self.index_of(self.nodes.parent.item(node)) if node >= 0 and self.nodes else QModelIndex()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:
        """Children of a node, or meters."""
        if self.nodes is None or (parent.isValid() and parent.column() > 0):
            return 0
        above = self.node(parent)
        return self.nodes.children.item(above) if above >= 0 else self.nodes.offsets[1]

    def columnCount(self, parent: _Index = QModelIndex()) -> int:
        """Columns shown."""
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        """Titles and what they mean."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(COLUMNS):
            return None
        title, meaning, _ = COLUMNS[section]
        alignment = _RIGHT if section >= READ else _LEFT
        return {_DISPLAY: title, _TOOLTIP: meaning, _ALIGNMENT: alignment}.get(role)

    def data(self, index: _Index, role: int = _DISPLAY) -> Any:
        """Text, tip, icon, alignment and colours of a cell."""
        node, column = self.node(index), index.column()
        if node < 0:
            return None
        if role == _DISPLAY:
            return self.text(node, column)
        if role == _TOOLTIP:
            return plain_tip(self.text(node, column)) or None
        if role == _ALIGNMENT:
            return _RIGHT if column >= READ else _LEFT
        if role == _FOREGROUND:
            return self._ink(node, column)
        if role == _BACKGROUND:
            return self._ground(node)
        if role == _DECORATION and column == OBJECT:
            return icon("meter") if self.nodes.level(node) is Level.METER else None
        return None

    def _ink(self, node: int, column: int) -> QBrush | None:
        nodes = self.nodes
        assert nodes is not None
        scheme = theme.colours(QGuiApplication.palette())
        if column == VALUE and nodes.refusal(node):
            return QBrush(QColor(scheme.error))
        now = int(self._times[-1]) if self.is_live and len(self._times) else 0
        if now and nodes.is_silent(node, now, self._times):
            return QBrush(QColor(scheme.muted))
        return None

    def _ground(self, node: int) -> QBrush | None:
        assert self.nodes is not None
        if self.flashing_from < 0 or self.nodes.last_row(node) < self.flashing_from:
            return None
        return QBrush(QColor(theme.colours(QGuiApplication.palette()).field_octets))
