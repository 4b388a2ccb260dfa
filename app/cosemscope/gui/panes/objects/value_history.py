"""All that was told of a node of the object tree, in the order of time: arrays, and a table of them.

Values become text when they are painted; numbers are made once, in the background, for order and curve.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QBrush, QColor, QGuiApplication

from cosemscope.analysis.associations.told_values import ToldValue
from cosemscope.analysis.fields.value_types import Quantity
from cosemscope.analysis.objects.grouped_readings import Array
from cosemscope.analysis.objects.object_table import Attribute
from cosemscope.analysis.objects.told_data import How
from cosemscope.apdu.names.blue_book import attribute_name, dotted, obis_name
from cosemscope.apdu.names.codes import DATA_ACCESS_RESULTS
from cosemscope.gui.look import theme
from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.panes.objects.object_model import time_of_day
from cosemscope.gui.panes.objects.object_nodes import ObjectNodes
from cosemscope.gui.panes.row_order import stable_order
from cosemscope.wording import clock, printable

_Index = QModelIndex | QPersistentModelIndex

_DISPLAY = int(Qt.ItemDataRole.DisplayRole)
_TOOLTIP = int(Qt.ItemDataRole.ToolTipRole)
_ALIGNMENT = int(Qt.ItemDataRole.TextAlignmentRole)
_BACKGROUND = int(Qt.ItemDataRole.BackgroundRole)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

#: Titles of the columns and what they mean.
COLUMNS = (
    ("No.", "Number of the WPDU that told it"),
    ("Time", "When it was told"),
    ("Object", "Logical name"),
    ("Attribute", "Number and name of the attribute"),
    ("Value", "The value with its unit, or why there is none"),
    ("How", "Whether it was read, written or pushed"),
    ("Client", "Who asked, or was told"),
)
NUMBER, TIME, OBJECT, ATTRIBUTE, VALUE, HOW, CLIENT = range(7)
_QUANTITY = Quantity()


class ValueHistory(NamedTuple):
    """Readings of a node: `reading` places in columns of `nodes`, the `attribute` of each, `wpdu` rows.

    `numbers`: the values as floats in their units, NaN of what is no number; all arrays [n]. `unit` is what
    all of them have, "" for none or several.
    """

    nodes: ObjectNodes
    node: int
    reading: Array
    attribute: Array
    wpdu: Array
    numbers: npt.NDArray[np.float64]
    unit: str

    @property
    def is_of_one(self) -> bool:
        """Whether all of it is of one attribute."""
        return self.nodes.stop.item(self.node) - self.nodes.first.item(self.node) == 1


def history_of(nodes: ObjectNodes, node: int) -> ValueHistory:
    """All that was told of a node. For the background: numbers of many values take a while."""
    run = nodes.readings(node)
    own = range(nodes.first.item(node), nodes.stop.item(node))
    offset = nodes.offsets[3]
    numbers, units = [], set()
    for attribute in own:
        part = slice(nodes.borders.item(attribute), nodes.borders.item(attribute + 1))
        places, back = np.unique(nodes.value[part], return_inverse=True)
        told = [_told(nodes, nodes.attribute(offset + attribute), place) for place in places.tolist()]
        numbers.append(np.array([_number(one) for one in told], np.float64)[back])
        units |= {one.unit or "" for one in told if one.value is not None}
    attributes = np.repeat(np.arange(own.start, own.stop), np.diff(nodes.borders[own.start : own.stop + 1]))
    rows = nodes.wpdu[run].astype(np.int64)
    order = np.argsort(rows, kind="stable")
    return ValueHistory(
        nodes,
        node,
        order + run.start,
        attributes[order],
        rows[order],
        np.concatenate(numbers)[order],
        units.pop() if len(units) == 1 else "",
    )


def _told(nodes: ObjectNodes, attribute: Attribute, place: int) -> ToldValue:
    view = nodes.grouped.view
    return view.values[place].scaled(view.scaler_unit(attribute)) if place >= 0 else ToldValue()


def _number(told: ToldValue) -> float:
    return float("nan") if told.value is None or isinstance(told.value, str) else float(told.value)


class HistoryModel(QAbstractTableModel):
    """The table of a history, in the order of time or of a column."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.history: ValueHistory | None = None
        self._times: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._order: npt.NDArray[np.intp] | None = None
        self._sorted_by = (-1, Qt.SortOrder.AscendingOrder)
        self._are_dated = False

    def show_history(self, history: ValueHistory | None) -> None:
        """Show another history, in the same order."""
        self.beginResetModel()
        self.history = history
        if history is not None:
            self._times = history.nodes.grouped.view.analysis.wpdus["time"]
            ends = self._times[history.wpdu[[0, -1]]].tolist() if len(history.wpdu) else [0, 0]
            self._are_dated = clock(ends[0])[:10] != clock(ends[1])[:10]
        self._arrange()
        self.endResetModel()

    def _arrange(self) -> None:
        column, order = self._sorted_by
        history = self.history
        if history is None or column < 0:
            self._order = None
            return
        nodes, reading = history.nodes, history.reading
        keys = {
            OBJECT: history.attribute,
            ATTRIBUTE: history.attribute,
            VALUE: history.numbers,
            HOW: nodes.how[reading],
            CLIENT: nodes.client[reading],
        }
        self._order = stable_order(keys.get(column, history.wpdu), order == Qt.SortOrder.DescendingOrder)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; by -1 in the order of time."""
        self.beginResetModel()
        self._sorted_by = column, order
        self._arrange()
        self.endResetModel()

    def place(self, row: int) -> int:
        """The place in the history of what a row shows."""
        return row if self._order is None else self._order.item(row)

    def wpdu(self, row: int) -> int:
        """The WPDU row that told what a row shows."""
        assert self.history is not None
        return self.history.wpdu.item(self.place(row))

    def row_of(self, wpdu: int) -> int:
        """The first row of what a WPDU told, -1 for none."""
        history = self.history
        if history is None:
            return -1
        place = int(np.searchsorted(history.wpdu, wpdu))
        if place >= len(history.wpdu) or history.wpdu.item(place) != wpdu:
            return -1
        return place if self._order is None else int(np.flatnonzero(self._order == place)[0])

    def text(self, row: int, column: int) -> str:
        """The text of a cell."""
        history = self.history
        assert history is not None
        place = self.place(row)
        nodes, reading, wpdu = history.nodes, history.reading.item(place), history.wpdu.item(place)
        if column == NUMBER:
            return f"{wpdu + 1:,}"
        if column == TIME:
            return time_of_day(int(self._times[wpdu]), whole=self._are_dated)
        if column == HOW:
            return How(nodes.how.item(reading)).word
        if column == CLIENT:
            return nodes.grouped.view.clients[nodes.client.item(reading)]
        attribute = self._attribute(place)
        if column == OBJECT:
            return dotted(attribute.instance)
        if column == ATTRIBUTE:
            return f"{attribute.member} {attribute_name(attribute.class_id, attribute.member)}".rstrip()
        result = nodes.result.item(reading)
        told = nodes.told(attribute, reading).text or ""
        return told or (DATA_ACCESS_RESULTS.get(result, f"refused ({result})") if result > 0 else "")

    def _attribute(self, place: int) -> Attribute:
        history = self.history
        assert history is not None
        return history.nodes.attribute(history.nodes.offsets[3] + history.attribute.item(place))

    def lines(self) -> list[list[str]]:
        """Titles and cells of all rows in the order shown, for spreadsheets: value and unit apart."""
        history = self.history
        heads = ["number", "time", "meter", "obis", "name", "attribute", "value", "unit", "how", "client"]
        if history is None:
            return [heads]
        return [heads, *(self._line(history, row) for row in range(self.rowCount()))]

    def _line(self, history: ValueHistory, row: int) -> list[str]:
        place = self.place(row)
        attribute, wpdu = self._attribute(place), history.wpdu.item(place)
        told = history.nodes.told(attribute, history.reading.item(place))
        return [
            str(wpdu + 1),
            clock(int(self._times[wpdu])),
            attribute.device.meter,
            dotted(attribute.instance),
            obis_name(attribute.instance),
            str(attribute.member),
            self.text(row, VALUE) if told.value is None else _QUANTITY.text(told.value),
            told.unit or "",
            self.text(row, HOW),
            self.text(row, CLIENT),
        ]

    # Qt's side

    def rowCount(self, parent: _Index = QModelIndex()) -> int:
        """Readings shown."""
        return 0 if parent.isValid() or self.history is None else len(self.history.reading)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:
        """Columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        """Titles and what they mean."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(COLUMNS):
            return None
        title, meaning = COLUMNS[section]
        return {_DISPLAY: title, _TOOLTIP: meaning, _ALIGNMENT: self._alignment(section)}.get(role)

    def data(self, index: _Index, role: int = _DISPLAY) -> Any:
        """Text, alignment and background of a cell, and its whole text as a tip."""
        if role == _ALIGNMENT:
            return self._alignment(index.column())
        if role == _BACKGROUND:
            scheme, history = theme.colours(QGuiApplication.palette()), self.history
            is_refused = history is not None and history.nodes.result.item(
                history.reading.item(self.place(index.row()))
            )
            return QBrush(QColor(scheme.message_error if is_refused else scheme.base))
        if role in (_DISPLAY, _TOOLTIP):
            text = printable(self.text(index.row(), index.column()))
            return text if role == _DISPLAY else plain_tip(text) or None
        return None

    def _alignment(self, column: int) -> int:
        numeric = self.history is not None and not np.isnan(self.history.numbers).all()
        return _RIGHT if column == NUMBER or (column == VALUE and numeric) else _LEFT
