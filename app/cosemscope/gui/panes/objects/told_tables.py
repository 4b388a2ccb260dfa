"""Tables that a value makes: the entries of a profile, the objects and access rights of an object list."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QBrush, QColor, QGuiApplication

from cosemscope.analysis.associations.told_values import ToldValue
from cosemscope.analysis.fields.value_types import Quantity
from cosemscope.analysis.objects.access_lists import is_object_list, objects_of_list
from cosemscope.analysis.objects.object_table import ObjectView
from cosemscope.analysis.objects.profiles import BUFFER, PROFILE, profile_table
from cosemscope.apdu.names.blue_book import class_name, dotted, obis_name
from cosemscope.capture.records import CaptureError
from cosemscope.gui.look import theme
from cosemscope.gui.look.formats import plain_tip
from cosemscope.wording import count, printable

_Index = QModelIndex | QPersistentModelIndex
_DISPLAY = int(Qt.ItemDataRole.DisplayRole)
_TOOLTIP = int(Qt.ItemDataRole.ToolTipRole)
_ALIGNMENT = int(Qt.ItemDataRole.TextAlignmentRole)
_BACKGROUND = int(Qt.ItemDataRole.BackgroundRole)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_QUANTITY = Quantity()
_LIST_TITLES = ("OBIS", "Object", "Class", "Version", "Attributes", "Methods")


class ToldTable(NamedTuple):
    """A table: its name, its titles, the texts of its cells, which columns are numbers; or `trouble`."""

    name: str
    titles: Sequence[str] = ()
    cells: Sequence[Sequence[str]] = ()
    numeric: frozenset[int] = frozenset()
    trouble: str = ""

    @property
    def lines(self) -> list[Sequence[str]]:
        """Titles and cells, for a file."""
        return [self.titles, *self.cells]


def told_table(view: ObjectView, place: int) -> ToldTable | None:
    """The table that the attribute at a place in the view makes, None for none. For the background."""
    attribute = view.attributes[place]
    try:
        if (attribute.class_id, attribute.member) == (PROFILE, BUFFER):
            return _profile(view, place)
        if is_object_list(attribute):
            return _object_list(view, place)
    except (CaptureError, OSError) as error:
        return ToldTable("Table", trouble=f"The capture cannot be read any more: {error}")
    return None


def _profile(view: ObjectView, place: int) -> ToldTable:
    attribute = view.attributes[place]
    table = profile_table(view, attribute.device, attribute.instance)
    cells = [[_text(value) for value in row] for row in table.rows]
    numeric = frozenset(
        column
        for column in range(len(table.columns))
        if any(row[column].value is not None and not isinstance(row[column].value, str) for row in table.rows)
    )
    lack = (
        ""
        if table.named or not cells
        else "The capture objects are not in the capture: columns are numbered."
    )
    return ToldTable(count(len(cells), "entry", "entries"), table.titles, cells, numeric, lack)


def _text(value: ToldValue) -> str:
    return "" if value.value is None else printable(_QUANTITY.text(value.value))


def _object_list(view: ObjectView, place: int) -> ToldTable:
    cells = []
    for one in objects_of_list(view, place):
        rights = (
            "\n".join(f"{name}: {right}" for name, right in kind.items())
            for kind in (one.attributes, one.methods)
        )
        name = class_name(one.class_id) or str(one.class_id)
        cells.append([dotted(one.instance), obis_name(one.instance), name, str(one.version), *rights])
    return ToldTable(count(len(cells), "object"), _LIST_TITLES, cells, frozenset((3,)))


class ToldTableModel(QAbstractTableModel):
    """Qt's side of a `ToldTable`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.table: ToldTable | None = None

    def show_table(self, table: ToldTable | None) -> None:
        """Show another table, or none."""
        self.beginResetModel()
        self.table = table
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:
        """Rows of the table."""
        return 0 if parent.isValid() or self.table is None else len(self.table.cells)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:
        """Columns of the table."""
        return 0 if parent.isValid() or self.table is None else len(self.table.titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        """The titles, whole in the tip."""
        if orientation != Qt.Orientation.Horizontal or self.table is None:
            return None
        title = printable(self.table.titles[section])
        told = {_DISPLAY: title, _TOOLTIP: plain_tip(title), _ALIGNMENT: self._alignment(section)}
        return told.get(role)

    def data(self, index: _Index, role: int = _DISPLAY) -> Any:
        """Text and alignment of a cell; of several lines one is shown, all in the tip."""
        assert self.table is not None
        if role == _ALIGNMENT:
            return self._alignment(index.column())
        if role == _BACKGROUND:
            return QBrush(QColor(theme.colours(QGuiApplication.palette()).base))
        if role not in (_DISPLAY, _TOOLTIP):
            return None
        text = self.table.cells[index.row()][index.column()]
        return text.replace("\n", ", ") if role == _DISPLAY else plain_tip(text) or None

    def _alignment(self, column: int) -> int:
        return _RIGHT if self.table is not None and column in self.table.numeric else _LEFT
